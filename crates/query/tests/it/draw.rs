//! Random conditions.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a column holds, for whoever makes up conditions about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Choice,
    Number,
    Boolean,
    Day,
    Instant,
    Id,
}

/// A column, and values that it has.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) holds: Holds,
    pub(crate) values: Vec<String>,
}

/// Random numbers of a seed.
pub(crate) struct Draw(ChaCha8Rng);

const ODD: [&str; 24] = [
    "", " ", "a", "A", "Anna", "anna", "ANNA", "an", "%", "_", "a%", "it's", "\"x\"", "Zürich", "ZÜRICH",
    "ß", "007", "7", "1.0", "a;b", "null", "\\", "true", "🦀",
];
const NUMBERS: [&str; 18] = [
    "0",
    "1",
    "-1",
    "7",
    "007",
    "1.0",
    "1.50",
    "1e3",
    "1000",
    "100",
    "0.1",
    "-0.5",
    "9007199254740993",
    "1e300",
    "123456789012345678",
    "12.",
    "99.99",
    "5",
];
const DAYS: [&str; 12] = [
    "2024-02-29",
    "2024-01-01",
    "2024",
    "2024-02",
    "2024-02-29T10:00:00.000Z",
    "1969-12-31",
    "1970-01-01",
    "2099-12-31",
    "x",
    "",
    "20240101",
    "2024-13-01",
];
const INSTANTS: [&str; 14] = [
    "2024-05-05",
    "2024-05-05T12:00:00.000Z",
    "2024-05-05T12:00:00Z",
    "2024-05-05 12:00:00",
    "2024-05",
    "2024",
    "1970-01-01T00:00:00.000Z",
    "1969-06-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
    "zzz",
    "",
    "2023-06-01T00:00",
    "1970-01-01",
    "0000",
];

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % bound as u64).expect("it is below a usize")
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A condition of up to `depth` levels.
    pub(crate) fn condition(&mut self, columns: &[Column], depth: usize) -> String {
        if depth == 0 || self.one_in(3) {
            return self.leaf(columns);
        }
        let (a, b) = (
            self.condition(columns, depth - 1),
            self.condition(columns, depth - 1),
        );
        match self.below(8) {
            0 => format!("NOT ({a})"),
            1 => format!("NOT {a}"),
            2 | 3 => format!("({a}) OR ({b})"),
            4 => format!("{a} OR {b}"),
            5 => format!("({a} AND {b})"),
            _ => format!("{a} AND {b}"),
        }
    }

    fn leaf(&mut self, columns: &[Column]) -> String {
        let column = self.pick(columns).clone();
        let name = column.name.clone();
        match self.below(20) {
            0..=7 => {
                let operator = *self.pick(&["=", "=", "=", "<>", "!=", "<", "<=", ">", ">="]);
                let value = self.value(&column);
                match self.one_in(6) {
                    true => format!("{value} {operator} {name}"),
                    false => format!("{name} {operator} {value}"),
                }
            }
            8 | 9 => {
                let values = self.values(&column);
                let not = if self.one_in(3) { "NOT " } else { "" };
                format!("{name} {not}IN ({values})")
            }
            10 | 11 => {
                let not = if self.one_in(4) { "NOT " } else { "" };
                let (low, high) = (self.value(&column), self.value(&column));
                format!("{name} {not}BETWEEN {low} AND {high}")
            }
            12 | 13 => {
                let not = if self.one_in(4) { "NOT " } else { "" };
                let pattern = self.pattern(&column);
                format!("{name} {not}LIKE {pattern}")
            }
            14 => format!("{name} IS NULL"),
            15 => format!("{name} IS NOT NULL"),
            16 => {
                let function = *self.pick(&["lower", "upper", "length", "trim"]);
                let value = self.value(&column);
                format!("{function}({name}) = {value}")
            }
            17 => {
                let truth = *self.pick(&[
                    "IS TRUE",
                    "IS NOT TRUE",
                    "IS FALSE",
                    "IS NOT FALSE",
                    "",
                    "COLLATE NOCASE = 'anna'",
                ]);
                format!("{name} {truth}")
            }
            18 => {
                let other = self.pick(columns).name.clone();
                let operator = *self.pick(&["=", "<>", "<", ">="]);
                format!("{name} {operator} {other}")
            }
            _ => format!("{name} + 1 > {}", self.value(&column)),
        }
    }

    fn values(&mut self, column: &Column) -> String {
        let count = match self.one_in(20) {
            true => 130,
            false => 1 + self.below(4),
        };
        let all: Vec<_> = (0..count).map(|_| self.value(column)).collect();
        all.join(", ")
    }

    /// A value as it is written in SQL: mostly one that the column could have.
    fn value(&mut self, column: &Column) -> String {
        if self.one_in(40) {
            return (*self.pick(&["NULL", "TRUE", "FALSE", "''", "1.5", "-7"])).to_owned();
        }
        let text = self.text(column);
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let bare = is_number && (column.holds == Holds::Number || self.one_in(6)) && !self.one_in(4);
        match bare {
            true => text,
            false => quoted(&text),
        }
    }

    fn text(&mut self, column: &Column) -> String {
        if !column.values.is_empty() && !self.one_in(3) {
            let value = self.pick(&column.values).clone();
            return match self.below(8) {
                0 => value.to_uppercase(),
                1 => value.to_lowercase(),
                _ => value,
            };
        }
        let odd: &[&str] = match column.holds {
            Holds::Number => &NUMBERS,
            Holds::Boolean => &["0", "1", "true", "false", "2", ""],
            Holds::Day => &DAYS,
            Holds::Instant => &INSTANTS,
            Holds::Id => &["1", "0101", "999999", "x", "", "103"],
            Holds::Text | Holds::Choice => &ODD,
        };
        match self.one_in(8) {
            true => (*self.pick(&ODD)).to_owned(),
            false => (*self.pick(odd)).to_owned(),
        }
    }

    fn pattern(&mut self, column: &Column) -> String {
        let text = self.text(column);
        let cut = text.char_indices().nth(2).map_or(text.len(), |(at, _)| at);
        quoted(&match self.below(6) {
            0 => text,
            1 => format!("%{text}%"),
            2 => format!("{}%", &text[..cut]),
            3 => format!("%{}", &text[cut..]),
            4 => "%".to_owned(),
            _ => format!("{}_%", &text[..cut]),
        })
    }
}

/// A text as it is written in SQL.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
