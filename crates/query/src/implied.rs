//! What an expression implies for the rows of one table: a condition that every row satisfies for which it is true, or false.
//!
//! SQL has three truths. An expression that is neither true nor false implies nothing, so the two sides are worked out apart:
//! the negation of a conjunction is a disjunction of negations, and `NOT` exchanges the sides.

use hubspot_connector::query::{self, Column, Comparison, Condition, Kind, Literal};
use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, InTarget, UnaryOperator,
    Value,
};

/// Finds the column of the table in question that an expression is, if it is one.
pub(crate) type Find<'a> = dyn Fn(&Expr) -> Option<Column> + 'a;

/// The condition that follows where `expression` is true (`wanted`), or false.
pub(crate) fn implied(expression: &Expr, wanted: bool, find: &Find<'_>) -> Condition {
    let both = |a: &Expr, b: &Expr| [implied(a, wanted, find), implied(b, wanted, find)];
    match expression {
        Expr::Nested(inner) => implied(inner, wanted, find),
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => implied(expr, !wanted, find),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } if wanted => Condition::all(both(left, right)),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => Condition::any(both(left, right)),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Or,
            right,
        } if wanted => Condition::any(both(left, right)),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Or,
            right,
        } => Condition::all(both(left, right)),
        Expr::BinaryOp { left, op, right } => compared(left, op, right, wanted, find),
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => between(expr, low, high, wanted != *negated, find),
        Expr::In {
            expr,
            target: InTarget::List(list),
            negated,
            ..
        } => is_in(expr, list, wanted != *negated, find),
        Expr::Like {
            negated,
            any: false,
            expr,
            pattern,
            escape_char: None,
        } => like(expr, pattern, wanted != *negated, find),
        Expr::IsNull(inner) => null(inner, wanted, find),
        Expr::IsNotNull(inner) => null(inner, !wanted, find),
        Expr::IsTrue(inner) => is_truth(inner, true, wanted, find),
        Expr::IsNotTrue(inner) => is_truth(inner, true, !wanted, find),
        Expr::IsFalse(inner) => is_truth(inner, false, wanted, find),
        Expr::IsNotFalse(inner) => is_truth(inner, false, !wanted, find),
        Expr::Value(_) => constant(expression, wanted),
        _ => truth(expression, wanted, find),
    }
}

/// A column by itself is true when it is a number other than 0.
fn truth(expression: &Expr, wanted: bool, find: &Find<'_>) -> Condition {
    let comparison = if wanted {
        Comparison::NotEqual
    } else {
        Comparison::Equal
    };
    match find(expression) {
        Some(column) if matches!(column.kind, Kind::Boolean | Kind::Number) => {
            query::compare(&column, comparison, &Literal::Integer(0))
        }
        _ => Condition::Unknown,
    }
}

fn constant(expression: &Expr, wanted: bool) -> Condition {
    let holds = match literal(expression) {
        Some(Literal::Integer(number)) => Some(number != 0),
        Some(Literal::Null) => None,
        _ => return Condition::Unknown,
    };
    match holds == Some(wanted) {
        true => Condition::Always,
        false => Condition::Never,
    }
}

/// `x IS TRUE` is never unknown: where it is false, `x` is false or unknown.
fn is_truth(inner: &Expr, which: bool, wanted: bool, find: &Find<'_>) -> Condition {
    if wanted {
        return implied(inner, which, find);
    }
    match find(inner) {
        Some(column) if column.kind == Kind::Boolean => {
            Condition::any([implied(inner, !which, find), query::is_null(&column)])
        }
        _ => Condition::Unknown,
    }
}

fn null(inner: &Expr, is_null: bool, find: &Find<'_>) -> Condition {
    match find(bare(inner)) {
        Some(column) if is_null => query::is_null(&column),
        Some(column) => query::is_not_null(&column),
        None => Condition::Unknown,
    }
}

fn compared(left: &Expr, op: &BinaryOperator, right: &Expr, wanted: bool, find: &Find<'_>) -> Condition {
    let Some(comparison) = comparison(op) else {
        return Condition::Unknown;
    };
    let comparison = if wanted { comparison } else { comparison.negated() };
    let one_way = |a: &Expr, comparison, b: &Expr| {
        let literal = literal(b)?;
        if let Some(column) = find(bare(a)) {
            return Some(query::compare(&column, comparison, &literal));
        }
        match (in_any_case(a, find), literal) {
            (Some(column), Literal::Text(text)) if comparison == Comparison::Equal => {
                Some(query::equal_in_any_case(&column, &text))
            }
            _ => None,
        }
    };
    let found = one_way(left, comparison, right).or_else(|| one_way(right, comparison.mirrored(), left));
    found.unwrap_or(Condition::Unknown)
}

/// The column `x` of `lower(x)` or `upper(x)`.
fn in_any_case(expression: &Expr, find: &Find<'_>) -> Option<Column> {
    let Expr::Function(Function {
        name,
        args: FunctionArguments::List(list),
        over: None,
        filter: None,
        ..
    }) = expression
    else {
        return None;
    };
    let changes_case = ["lower", "upper"]
        .iter()
        .any(|known| name.to_string().eq_ignore_ascii_case(known));
    match &*list.args {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))] if changes_case => find(bare(inner)),
        _ => None,
    }
}

fn between(expr: &Expr, low: &Expr, high: &Expr, within: bool, find: &Find<'_>) -> Condition {
    let (Some(column), Some(low), Some(high)) = (find(bare(expr)), literal(low), literal(high)) else {
        return Condition::Unknown;
    };
    if within {
        Condition::all([
            query::compare(&column, Comparison::GreaterOrEqual, &low),
            query::compare(&column, Comparison::LessOrEqual, &high),
        ])
    } else {
        Condition::any([
            query::compare(&column, Comparison::Less, &low),
            query::compare(&column, Comparison::Greater, &high),
        ])
    }
}

fn is_in(expr: &Expr, list: &[Expr], within: bool, find: &Find<'_>) -> Condition {
    let literals: Option<Vec<_>> = list.iter().map(literal).collect();
    let Some(literals) = literals else {
        return Condition::Unknown;
    };
    if let Some(column) = find(bare(expr)) {
        return match within {
            true => query::is_in(&column, &literals),
            false => query::is_not_in(&column, &literals),
        };
    }
    match in_any_case(expr, find) {
        Some(column) if within => Condition::any(literals.iter().map(|literal| match literal {
            Literal::Text(text) => query::equal_in_any_case(&column, text),
            Literal::Null => Condition::Never,
            _ => Condition::Unknown,
        })),
        _ => Condition::Unknown,
    }
}

fn like(expr: &Expr, pattern: &Expr, wanted: bool, find: &Find<'_>) -> Condition {
    let Some(column) = find(bare(expr)) else {
        return Condition::Unknown;
    };
    match literal(pattern) {
        Some(Literal::Null) => Condition::Never,
        Some(Literal::Text(pattern)) if wanted => query::like(&column, &pattern),
        Some(_) if !wanted => query::not_like(&column),
        _ => Condition::Unknown,
    }
}

fn comparison(op: &BinaryOperator) -> Option<Comparison> {
    Some(match op {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::LessOrEqual,
        BinaryOperator::Gt => Comparison::Greater,
        BinaryOperator::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// The expression without parentheses around it, which change nothing about a column.
pub(crate) fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

/// The value that an expression is, if it is one.
pub(crate) fn literal(expression: &Expr) -> Option<Literal> {
    match bare(expression) {
        Expr::Value(value) => match &value.value {
            Value::Null => Some(Literal::Null),
            Value::Boolean(truth) => Some(Literal::Integer(i64::from(*truth))),
            Value::SingleQuotedString(text) => Some(Literal::Text(text.clone())),
            Value::Number(text, false) => number(text),
            _ => None,
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match literal(expr)? {
            Literal::Integer(number) => Some(Literal::Integer(-number)),
            Literal::Real(number) => Some(Literal::Real(-number)),
            _ => None,
        },
        _ => None,
    }
}

fn number(text: &str) -> Option<Literal> {
    if let Ok(integer) = text.parse() {
        return Some(Literal::Integer(integer));
    }
    let is_decimal = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    is_decimal.then(|| text.parse().ok().map(Literal::Real)).flatten()
}
