//! From text to one `SELECT`: SQL as it is, or an object with its conditions.

use std::ops::ControlFlow;

use opencdc::Result;
use sqlparser::ast::{
    Expr, Ident, LimitClause, OrderBy, OrderByExpr, OrderByKind, Query, SelectItem, SetExpr, Statement,
    Value, ValueWithSpan, VisitMut, VisitorMut,
};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use crate::wrong;

const DIALECT: SQLiteDialect = SQLiteDialect {};

/// An object, and what is wanted of it.
#[derive(Debug, Clone, Default)]
pub struct Simple {
    /// The object's name, or any other table's.
    pub object: String,
    /// A condition in SQL; texts may stand in single or in double quotes.
    pub condition: Option<String>,
    /// The columns; none means those that HubSpot itself shows.
    pub select: Vec<String>,
    /// Columns to sort by, a `-` before those from the greatest down.
    pub sort: Vec<String>,
    /// How many rows at most.
    pub limit: Option<u64>,
}

/// One statement that only reads.
pub(crate) fn sql(text: &str) -> Result<Query> {
    let mut statements = Parser::parse_sql(&DIALECT, text).map_err(|error| misread("the query", &error))?;
    if statements.len() != 1 {
        return Err(
            wrong(format!("one statement is asked for, not {}", statements.len()))
                .with_hint("leave out what follows the first `;`"),
        );
    }
    match statements.remove(0) {
        Statement::Query(query) => {
            selects_only(&query.body)?;
            Ok(*query)
        }
        other => Err(not_a_select(&other)),
    }
}

fn not_a_select(statement: &Statement) -> opencdc::Error {
    let text = statement.to_string();
    let verb = text.split_whitespace().next().unwrap_or("this").to_uppercase();
    wrong(format!("a query only reads: `{verb}` is not a `SELECT`"))
        .with_hint("`spoke create`, `update`, `upsert` and `delete` write")
}

fn selects_only(body: &SetExpr) -> Result<()> {
    match body {
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => Err(not_a_select(statement)),
        SetExpr::Query(query) => selects_only(&query.body),
        SetExpr::SetOperation { left, right, .. } => selects_only(left).and_then(|()| selects_only(right)),
        SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Table(_) => Ok(()),
    }
}

/// The statement for an object; `shown` are the columns when none are named.
pub(crate) fn simple(asked: &Simple, shown: &[String]) -> Result<Query> {
    let mut query = sql(&format!("SELECT * FROM {}", quoted(&asked.object)))?;
    let SetExpr::Select(select) = &mut *query.body else {
        unreachable!("it was written as a SELECT");
    };
    let names = if asked.select.is_empty() {
        shown
    } else {
        &asked.select
    };
    if !names.is_empty() {
        select.projection = names.iter().map(|name| item(name)).collect::<Result<_>>()?;
    }
    select.selection = asked.condition.as_deref().map(condition).transpose()?;
    if !asked.sort.is_empty() {
        let expressions = asked.sort.iter().map(|name| sort(name)).collect::<Result<_>>()?;
        query.order_by = Some(OrderBy {
            kind: OrderByKind::Expressions(expressions),
            interpolate: None,
        });
    }
    query.limit_clause = asked.limit.map(|limit| LimitClause::LimitOffset {
        limit: Some(number(&limit.to_string())),
        offset: None,
        limit_by: Vec::new(),
    });
    Ok(query)
}

/// A condition, as it stands in a `WHERE`.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is one of a parser of one lifetime"
)]
pub(crate) fn condition(text: &str) -> Result<Expr> {
    piece("`--where`", text, |parser| parser.parse_expr())
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is one of a parser of one lifetime"
)]
fn item(text: &str) -> Result<SelectItem> {
    piece("`--select`", text, |parser| parser.parse_select_item())
}

fn sort(text: &str) -> Result<OrderByExpr> {
    let (name, direction) = match text.trim().strip_prefix('-') {
        Some(name) => (name, " DESC"),
        None => (text.trim().trim_start_matches('+'), ""),
    };
    piece("`--sort`", &format!("{name}{direction}"), |parser| {
        parser.parse_order_by_expr()
    })
}

/// All of `text` as one piece of a statement.
fn piece<T>(what: &str, text: &str, read: impl Fn(&mut Parser<'_>) -> Result<T, ParserError>) -> Result<T> {
    let whole = || {
        let mut parser = Parser::new(&DIALECT).try_with_sql(text)?;
        let read = read(&mut parser)?;
        parser.expect_token(&Token::EOF)?;
        Ok(read)
    };
    whole().map_err(|error| misread(&format!("{what} `{text}`"), &error))
}

fn misread(what: &str, error: &ParserError) -> opencdc::Error {
    let told = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
    };
    wrong(format!("{what} is not understood: {told}"))
        .with_hint("texts stand in single quotes, `'it''s'`; names with special characters in double quotes")
}

/// A name as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn number(text: &str) -> Expr {
    Expr::Value(Value::Number(text.to_owned(), false).with_empty_span())
}

fn text(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).with_empty_span())
}

/// Puts values in the place of `?` and `?1`. One that is written as SQLite writes a number is a number, which compares with
/// columns of text as its text does; any other is a text.
pub(crate) fn bind(query: &mut Query, values: &[String]) -> Result<()> {
    struct Binder<'a> {
        values: &'a [String],
        next: usize,
        used: usize,
    }
    impl VisitorMut for Binder<'_> {
        type Break = String;

        fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<String> {
            let Value::Placeholder(name) = &value.value else {
                return ControlFlow::Continue(());
            };
            let numbered = name.strip_prefix('?').filter(|number| !number.is_empty());
            let index = match numbered.map(str::parse::<usize>) {
                None if name == "?" => self.next,
                Some(Ok(number)) if number > 0 => number - 1,
                _ => return ControlFlow::Break(format!("the parameter `{name}` is written `?` or `?1`")),
            };
            self.next = index + 1;
            self.used = self.used.max(self.next);
            let Some(given) = self.values.get(index) else {
                let message = format!("there is no value for parameter {}", index + 1);
                return ControlFlow::Break(message);
            };
            let Expr::Value(bound) = value_of(given) else {
                unreachable!("a value is made");
            };
            value.value = bound.value;
            ControlFlow::Continue(())
        }
    }
    let mut binder = Binder {
        values,
        next: 0,
        used: 0,
    };
    if let ControlFlow::Break(message) = query.visit(&mut binder) {
        return Err(wrong(message).with_hint("give one `--param VALUE` for each `?`"));
    }
    if binder.used < values.len() {
        let message = format!("{} values are given for {} parameters", values.len(), binder.used);
        return Err(wrong(message).with_hint("give one `--param VALUE` for each `?`"));
    }
    Ok(())
}

fn value_of(given: &str) -> Expr {
    let is_integer = given
        .parse::<i64>()
        .is_ok_and(|integer| integer.to_string() == given && integer >= 0);
    match is_integer || is_decimal(given) {
        true => number(given),
        false => text(given),
    }
}

/// Such as `12.5`, which SQLite writes in the same way.
fn is_decimal(given: &str) -> bool {
    let Some((whole, fraction)) = given.split_once('.') else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = whole == "0" || !whole.starts_with('0');
    digits(whole) && digits(fraction) && canonical && !fraction.ends_with('0') && given.len() <= 15
}

/// Makes texts of the words in double quotes that are no columns.
pub(crate) fn texts_in_double_quotes(query: &mut Query, is_column: impl Fn(&str) -> bool) {
    struct Quotes<F>(F);
    impl<F: Fn(&str) -> bool> VisitorMut for Quotes<F> {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            if let Expr::Identifier(Ident {
                value,
                quote_style: Some('"'),
                ..
            }) = expression
                && !(self.0)(value)
            {
                *expression = text(value);
            }
            ControlFlow::Continue(())
        }
    }
    let _ = query.visit(&mut Quotes(is_column));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str, values: &[&str]) -> Result<String> {
        let mut query = sql(text)?;
        let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
        bind(&mut query, &values)?;
        Ok(query.to_string())
    }

    #[test]
    fn only_one_select_is_taken() {
        for text in [
            "DELETE FROM contacts",
            "SELECT 1; SELECT 2",
            "INSERT INTO a VALUES (1)",
            "DROP TABLE x",
            "",
            "SELEC 1",
        ] {
            assert!(sql(text).is_err(), "{text}");
        }
        let error = sql("UPDATE deals SET amount = 1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "a query only reads: `UPDATE` is not a `SELECT`"
        );
        assert!(sql("WITH x AS (SELECT 1) SELECT * FROM x UNION SELECT 2").is_ok());
    }

    #[test]
    fn parameters_are_numbers_where_their_text_is_the_same() {
        let given = ["5", "12.5", "007", "-3", "1.50", "it's", "1e3"];
        let text = bound("SELECT ?, ?, ?, ?, ?, ?, ?", &given).unwrap();
        assert_eq!(text, "SELECT 5, 12.5, '007', '-3', '1.50', 'it''s', '1e3'");
        assert_eq!(bound("SELECT ?2, ?1", &["1", "2"]).unwrap(), "SELECT 2, 1");
    }

    #[test]
    fn there_are_as_many_values_as_parameters() {
        assert!(bound("SELECT ?", &[]).is_err() && bound("SELECT 1", &["x"]).is_err());
        assert!(bound("SELECT :name", &["x"]).is_err());
    }

    #[test]
    fn an_object_becomes_a_statement() {
        let asked = Simple {
            object: "deals".to_owned(),
            condition: Some("amount > 100 AND dealstage = \"x y\"".to_owned()),
            sort: vec!["-createdate".to_owned(), "dealname".to_owned()],
            limit: Some(3),
            ..Simple::default()
        };
        let mut query = simple(&asked, &["id".to_owned(), "dealname".to_owned()]).unwrap();
        texts_in_double_quotes(&mut query, |name| name == "amount");
        assert_eq!(
            query.to_string(),
            "SELECT id, dealname FROM \"deals\" WHERE amount > 100 AND dealstage = 'x y' \
             ORDER BY createdate DESC, dealname LIMIT 3"
        );
        let twice = Simple {
            condition: Some("1) UNION SELECT (2".to_owned()),
            ..asked
        };
        assert!(simple(&twice, &[]).is_err());
    }
}
