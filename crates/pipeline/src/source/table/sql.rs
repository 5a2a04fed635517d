//! The statements that read a page.

/// How a database writes things.
pub(in crate::source) trait Dialect {
    /// The column as something to order and compare by.
    fn term(&self, column: &str) -> String;

    /// The place of a value of that column, counted from 1.
    fn value(&self, column: &str, number: usize) -> String;
}

/// A name as both databases write it.
pub(in crate::source) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What to ask for next.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::source) struct Page<V> {
    pub(super) start: Start<V>,
    /// Rows from here on are *live*: the next pass will read them again.
    pub(super) frontier: Option<V>,
    /// One row more than a batch has: it tells whether two rows stand in the same place.
    pub(super) limit: usize,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Start<V> {
    Beginning,
    /// At this value of the first column of the order.
    At(V),
    /// Behind these values of all of them.
    Behind(Vec<V>),
}

impl<V> Page<V> {
    pub(in crate::source) fn limit(&self) -> usize {
        self.limit
    }

    /// The values of the statement, in the order of their places.
    pub(in crate::source) fn values(&self) -> impl Iterator<Item = &V> {
        let start: &[V] = match &self.start {
            Start::Beginning => &[],
            Start::At(value) => std::slice::from_ref(value),
            Start::Behind(values) => values,
        };
        start.iter().chain(&self.frontier)
    }

    /// `columns` of the rows, and behind them whether the row is live.
    pub(in crate::source) fn sql(
        &self,
        dialect: &impl Dialect,
        columns: &str,
        from: &str,
        order: &[&str],
    ) -> String {
        let terms: Vec<_> = order.iter().map(|column| dialect.term(column)).collect();
        let place = |index: usize| dialect.value(order[index], index + 1);
        let (condition, places) = match &self.start {
            Start::Beginning => (String::new(), 0),
            Start::At(_) => (format!(" WHERE {} >= {}", terms[0], place(0)), 1),
            Start::Behind(values) => (behind(&terms, place), values.len()),
        };
        let live = match &self.frontier {
            Some(_) => format!("{} >= {}", terms[0], dialect.value(order[0], places + 1)),
            None => "1 = 1".to_owned(),
        };
        let (order, limit) = (terms.join(", "), self.limit);
        format!("SELECT {columns}, {live} FROM {from}{condition} ORDER BY {order} LIMIT {limit}")
    }
}

/// Not every planner sees that the comparison of all columns bounds the first one.
fn behind(terms: &[String], place: impl Fn(usize) -> String) -> String {
    let places: Vec<_> = (0..terms.len()).map(&place).collect();
    let bound = match terms.len() {
        1 => String::new(),
        _ => format!("{} >= {} AND ", terms[0], places[0]),
    };
    format!(" WHERE {bound}({}) > ({})", terms.join(", "), places.join(", "))
}

/// The greatest value of the first column of the order.
pub(in crate::source) fn frontier(
    dialect: &impl Dialect,
    column: &str,
    from: &str,
    order: &[&str],
) -> String {
    let term = dialect.term(order[0]);
    format!("SELECT {column} FROM {from} WHERE {term} IS NOT NULL ORDER BY {term} DESC LIMIT 1")
}

/// Whether there is a row that has no place in the order, and would never be read.
pub(in crate::source) fn rows_without_place(dialect: &impl Dialect, from: &str, order: &[&str]) -> String {
    let missing = |column: &&str| {
        format!(
            "EXISTS (SELECT 1 FROM {from} WHERE {} IS NULL)",
            dialect.term(column)
        )
    };
    let missing: Vec<_> = order.iter().map(missing).collect();
    format!("SELECT {}", missing.join(" OR "))
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

    fn sql(start: Start<u32>, frontier: Option<u32>, order: &[&str]) -> String {
        let page = Page {
            start,
            frontier,
            limit: 3,
        };
        page.sql(&Plain, "*", "x AS t", order)
    }

    #[test]
    fn a_page_begins_at_the_beginning_at_a_cursor_or_behind_a_row() {
        let order = &["at", "id"];
        assert_eq!(
            sql(Start::Beginning, None, order),
            "SELECT *, 1 = 1 FROM x AS t ORDER BY t.at, t.id LIMIT 3"
        );
        assert_eq!(
            sql(Start::At(7), Some(9), order),
            "SELECT *, t.at >= ?2:at FROM x AS t WHERE t.at >= ?1:at ORDER BY t.at, t.id LIMIT 3"
        );
        assert_eq!(
            sql(Start::Behind(vec![7, 1]), Some(9), order),
            "SELECT *, t.at >= ?3:at FROM x AS t WHERE t.at >= ?1:at AND (t.at, t.id) > (?1:at, ?2:id) \
             ORDER BY t.at, t.id LIMIT 3"
        );
        assert_eq!(
            sql(Start::Behind(vec![1]), None, &["id"]),
            "SELECT *, 1 = 1 FROM x AS t WHERE (t.id) > (?1:id) ORDER BY t.id LIMIT 3"
        );
    }

    #[test]
    fn values_stand_in_the_order_of_their_places() {
        let values = |start, frontier| -> Vec<u32> {
            let page = Page {
                start,
                frontier,
                limit: 3,
            };
            page.values().copied().collect()
        };
        assert_eq!(values(Start::Behind(vec![7, 1]), Some(9)), [7, 1, 9]);
        assert_eq!(values(Start::At(7), None), [7]);
        assert_eq!(values(Start::Beginning, Some(9)), [9]);
    }

    #[test]
    fn rows_without_a_place_are_looked_for_column_by_column_as_indexes_are() {
        assert_eq!(
            rows_without_place(&Plain, "x AS t", &["at", "id"]),
            "SELECT EXISTS (SELECT 1 FROM x AS t WHERE t.at IS NULL) OR EXISTS (SELECT 1 FROM x AS t WHERE t.id IS NULL)"
        );
    }
}
