//! The statements that read a page.

use std::fmt::Write as _;

/// How a database writes things.
pub(in crate::source) trait Dialect {
    /// The column as something to order and compare by.
    fn term(&self, column: &str) -> String;

    /// The place of a value of that column, counted from 1.
    fn value(&self, column: &str, number: usize) -> String;
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::source) enum Start<V> {
    Beginning,
    /// At this value of the first column of the order.
    At(V),
    /// Behind these values of all of them.
    Behind(Vec<V>),
}

impl<V> Start<V> {
    /// The values, in the order of their places.
    pub(in crate::source) fn values(&self) -> &[V] {
        match self {
            Self::Beginning => &[],
            Self::At(value) => std::slice::from_ref(value),
            Self::Behind(values) => values,
        }
    }
}

/// `columns` of at most `limit` rows `from` somewhere, in order.
pub(in crate::source) fn page<V>(
    dialect: &impl Dialect,
    columns: &str,
    from: &str,
    order: &[&str],
    start: &Start<V>,
    limit: usize,
) -> String {
    let terms: Vec<_> = order.iter().map(|column| dialect.term(column)).collect();
    let mut sql = format!("SELECT {columns} FROM {from}");
    let places = |count: usize| -> Vec<_> {
        let numbered = order.iter().take(count).enumerate();
        numbered.map(|(index, column)| dialect.value(column, index + 1)).collect()
    };
    let condition = match start {
        Start::Beginning => String::new(),
        Start::At(_) => format!(" WHERE {} >= {}", terms[0], places(1)[0]),
        Start::Behind(_) => format!(" WHERE ({}) > ({})", terms.join(", "), places(terms.len()).join(", ")),
    };
    write!(sql, "{condition} ORDER BY {} LIMIT {limit}", terms.join(", ")).expect("writing to a string never fails");
    sql
}

/// Whether there is a row that has no place in the order, and would never be read.
pub(in crate::source) fn rows_without_place(dialect: &impl Dialect, from: &str, order: &[&str]) -> String {
    let nulls: Vec<_> = order.iter().map(|column| format!("{} IS NULL", dialect.term(column))).collect();
    format!("SELECT EXISTS (SELECT 1 FROM {from} WHERE {})", nulls.join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plain;

    impl Dialect for Plain {
        fn term(&self, column: &str) -> String {
            format!("t.{column}")
        }

        fn value(&self, column: &str, number: usize) -> String {
            format!("?{number}:{column}")
        }
    }

    #[test]
    fn a_page_begins_at_the_beginning_at_a_cursor_or_behind_a_row() {
        let page = |start: Start<u32>| page(&Plain, "*", "x AS t", &["at", "id"], &start, 3);
        assert_eq!(page(Start::Beginning), "SELECT * FROM x AS t ORDER BY t.at, t.id LIMIT 3");
        assert_eq!(page(Start::At(7)), "SELECT * FROM x AS t WHERE t.at >= ?1:at ORDER BY t.at, t.id LIMIT 3");
        assert_eq!(
            page(Start::Behind(vec![7, 1])),
            "SELECT * FROM x AS t WHERE (t.at, t.id) > (?1:at, ?2:id) ORDER BY t.at, t.id LIMIT 3"
        );
    }

    #[test]
    fn rows_without_a_place_are_looked_for_in_every_column_of_the_order() {
        assert_eq!(
            rows_without_place(&Plain, "x AS t", &["at", "id"]),
            "SELECT EXISTS (SELECT 1 FROM x AS t WHERE t.at IS NULL OR t.id IS NULL)"
        );
    }
}
