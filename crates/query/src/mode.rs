//! How a statement is answered: from HubSpot's own count, page by page, from the first rows of an order, or from all rows at
//! once. Pure.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, LimitClause, OrderByKind,
    OrderBySort, Query, Select, SelectItem, SetExpr, TableFactor, Visit, Visitor,
};

use hubspot_connector::query::{Column, Kind, Literal};

use crate::implied::{bare, literal};

/// A statement over one table, by which its rows can be taken one after another.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// The statement without its limit.
    pub(crate) sql: String,
    /// How many rows at most.
    pub(crate) limit: Option<usize>,
    /// How many rows are left out before.
    pub(crate) offset: usize,
}

/// A statement whose result begins with the greatest, or the least, values of a column.
#[derive(Debug, Clone)]
pub(crate) struct Top {
    /// The column.
    pub(crate) column: Column,
    /// From the greatest down.
    pub(crate) descending: bool,
    /// How many rows decide the result.
    pub(crate) rows: usize,
    /// Whether rows without a value come first.
    pub(crate) nulls_first: bool,
    /// The `WHERE` of the statement.
    pub(crate) condition: String,
}

/// Whether the statement is `SELECT count(*) FROM one_table [WHERE …]`.
pub(crate) fn is_count(query: &Query) -> bool {
    let Some(select) = single(query).filter(|_| query.order_by.is_none() && query.limit_clause.is_none())
    else {
        return false;
    };
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] = &*select.projection
    else {
        return false;
    };
    let Expr::Function(Function {
        name,
        args: FunctionArguments::List(list),
        over: None,
        filter: None,
        ..
    }) = item
    else {
        return false;
    };
    let is_star = matches!(&*list.args, [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]);
    select.distinct.is_none() && is_star && name.to_string().eq_ignore_ascii_case("count")
}

/// The statement as one whose rows come one from another row each.
pub(crate) fn rows(query: &Query) -> Option<Rows> {
    single(query).filter(|select| select.distinct.is_none() && is_row_by_row(select))?;
    if query.order_by.is_some() {
        return None;
    }
    let (limit, offset) = limits(query)?;
    let mut unlimited = query.clone();
    unlimited.limit_clause = None;
    Some(Rows {
        sql: unlimited.to_string(),
        limit,
        offset,
    })
}

/// The statement as one that needs but the first rows of an order; `find` finds the column of a name.
pub(crate) fn top(query: &Query, find: &dyn Fn(&str) -> Option<Column>) -> Option<Top> {
    let select = single(query).filter(|select| select.distinct.is_none() && is_row_by_row(select))?;
    let OrderByKind::Expressions(expressions) = &query.order_by.as_ref()?.kind else {
        return None;
    };
    let [order] = &**expressions else { return None };
    let name = match bare(&order.expr) {
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(parts) if parts.len() == 2 => &parts[1],
        _ => return None,
    };
    if is_alias(select, &name.value) {
        return None;
    }
    let column = find(&name.value)
        .filter(|column| matches!(column.kind, Kind::Number | Kind::Date | Kind::Instant))?;
    let descending = matches!(order.options.sort, Some(OrderBySort::Desc));
    let (limit, offset) = limits(query)?;
    Some(Top {
        column,
        descending,
        rows: limit?.checked_add(offset).filter(|rows| *rows > 0)?,
        nulls_first: order.options.nulls_first.unwrap_or(!descending),
        condition: select
            .selection
            .as_ref()
            .map_or_else(|| "1".to_owned(), ToString::to_string),
    })
}

/// `ORDER BY` looks at the names of the result first.
fn is_alias(select: &Select, name: &str) -> bool {
    let named = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { expr, alias } => {
            let itself =
                matches!(bare(expr), Expr::Identifier(column) if column.value.eq_ignore_ascii_case(name));
            alias.value.eq_ignore_ascii_case(name) && !itself
        }
        _ => false,
    };
    select.projection.iter().any(named)
}

/// The `SELECT` of a statement that reads one table and groups nothing.
fn single(query: &Query) -> Option<&Select> {
    let SetExpr::Select(select) = &*query.body else {
        return None;
    };
    let [tables] = &*select.from else { return None };
    let is_table = matches!(tables.relation, TableFactor::Table { .. }) && tables.joins.is_empty();
    let ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
    let plain = query.with.is_none()
        && query.fetch.is_none()
        && select.having.is_none()
        && select.named_window.is_empty();
    (is_table && ungrouped && plain && !has_subquery(query)).then_some(&**select)
}

fn has_subquery(query: &Query) -> bool {
    struct Count(usize);
    impl Visitor for Count {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 += 1;
            ControlFlow::Continue(())
        }
    }
    let mut count = Count(0);
    let _ = query.visit(&mut count);
    count.0 > 1
}

/// Functions of SQLite that look at one row and say the same of it every time. Any other may be an aggregate.
const SCALAR: [&str; 36] = [
    "abs",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "date",
    "datetime",
    "format",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_array_length",
    "json_extract",
    "json_object",
    "json_type",
    "json_valid",
    "julianday",
    "length",
    "lower",
    "ltrim",
    "nullif",
    "printf",
    "quote",
    "replace",
    "round",
    "rtrim",
    "sign",
    "strftime",
    "substr",
    "time",
    "trim",
    "typeof",
    "upper",
];

fn is_row_by_row(select: &Select) -> bool {
    struct Functions;
    impl Visitor for Functions {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            let Expr::Function(function) = expression else {
                return ControlFlow::Continue(());
            };
            let name = function.name.to_string().to_lowercase();
            match function.over.is_none() && SCALAR.contains(&&*name) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        }
    }
    select.visit(&mut Functions).is_continue()
}

/// Limit and offset, where they are plain numbers. A negative limit is none, a negative offset is 0.
fn limits(query: &Query) -> Option<(Option<usize>, usize)> {
    let (limit, offset) = match &query.limit_clause {
        None => return Some((None, 0)),
        Some(LimitClause::LimitOffset {
            limit,
            offset,
            limit_by,
        }) if limit_by.is_empty() => (limit.as_ref(), offset.as_ref().map(|offset| &offset.value)),
        Some(LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
        Some(LimitClause::LimitOffset { .. }) => return None,
    };
    let limit = limit.map(whole).map_or(Some(None), |limit| limit.map(Some))?;
    let offset = offset.map_or(Some(0), whole)?;
    Some((
        limit.and_then(|limit| usize::try_from(limit).ok()),
        usize::try_from(offset).unwrap_or(0),
    ))
}

fn whole(expression: &Expr) -> Option<i64> {
    match literal(expression)? {
        Literal::Integer(number) => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::sql;

    fn by_rows(text: &str) -> bool {
        rows(&sql(text).unwrap()).is_some()
    }

    #[test]
    fn what_looks_at_one_row_after_another_needs_no_more_than_a_page() {
        for text in [
            "SELECT * FROM contacts",
            "SELECT lower(email), CASE WHEN a THEN 1 END, CAST(b AS INTEGER) FROM contacts c WHERE a LIKE 'x' LIMIT 5, 10",
        ] {
            assert!(by_rows(text), "{text}");
        }
        for text in [
            "SELECT count(*) FROM contacts",
            "SELECT DISTINCT a FROM contacts",
            "SELECT a FROM contacts ORDER BY a",
            "SELECT a FROM contacts GROUP BY a",
            "SELECT max(a) FROM contacts",
            "SELECT row_number() OVER () FROM contacts",
            "SELECT a FROM contacts WHERE a IN (SELECT b FROM deals)",
            "SELECT a FROM contacts, deals",
            "SELECT a FROM contacts UNION SELECT b FROM deals",
            "WITH x AS (SELECT 1) SELECT a FROM contacts",
            "SELECT a FROM contacts LIMIT 1 + 1",
            "SELECT random() FROM contacts",
        ] {
            assert!(!by_rows(text), "{text}");
        }
    }

    #[test]
    fn a_limit_that_is_negative_is_none() {
        let limits = |text: &str| limits(&sql(text).unwrap());
        assert_eq!(limits("SELECT 1 LIMIT 5 OFFSET 2"), Some((Some(5), 2)));
        assert_eq!(limits("SELECT 1 LIMIT 2, 5"), Some((Some(5), 2)));
        assert_eq!(limits("SELECT 1 LIMIT -1 OFFSET -3"), Some((None, 0)));
        assert_eq!(limits("SELECT 1 LIMIT 'x'"), None);
    }

    #[test]
    fn only_a_bare_count_of_rows_is_one() {
        let count = |text: &str| is_count(&sql(text).unwrap());
        assert!(count("SELECT COUNT(*) AS n FROM deals WHERE amount > 5"));
        for text in [
            "SELECT count(amount) FROM deals",
            "SELECT count(*), 1 FROM deals",
            "SELECT count(*) FROM deals GROUP BY dealstage",
            "SELECT count(*) FROM deals LIMIT 0",
            "SELECT count(*) FROM deals, contacts",
            "SELECT count(*) FILTER (WHERE amount > 5) FROM deals",
        ] {
            assert!(!count(text), "{text}");
        }
    }
}
