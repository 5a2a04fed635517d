//! From a comparison in SQL, as SQLite makes it with the columns of a copy, to a condition that HubSpot can be asked.
//!
//! Pure. The rows that make the comparison *true* satisfy the condition; a comparison with `NULL` is never true.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::column::{Column, Kind};
use super::condition::{Check, Condition, Range};

/// A comparison operator of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A value written into a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `NULL`
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// A text.
    Text(String),
}

impl Comparison {
    /// What is true where this is false, of values that are not `NULL`.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// The same with its sides exchanged.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    fn holds<T: PartialOrd>(self, a: &T, b: &T) -> bool {
        match self {
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
        }
    }

    /// Of a number and a text, of which every text is the greater.
    fn holds_before_text(self) -> bool {
        matches!(self, Self::NotEqual | Self::Less | Self::LessOrEqual)
    }
}

/// `column comparison literal`
pub fn compare(column: &Column, comparison: Comparison, literal: &Literal) -> Condition {
    if *literal == Literal::Null {
        return Condition::Never;
    }
    match column.kind {
        Kind::Id | Kind::Reference | Kind::Text { .. } | Kind::Choice | Kind::Choices => {
            match text_of(literal) {
                Some(text) => texts(column, comparison, &text),
                None => Condition::Unknown,
            }
        }
        Kind::Number => number(column, comparison, literal),
        Kind::Boolean => boolean(column, comparison, literal),
        Kind::Date | Kind::Instant => match text_of(literal) {
            Some(text) => time(column, comparison, &text),
            None => Condition::Unknown,
        },
        Kind::Opaque => Condition::Unknown,
    }
}

/// `column IN (literals)`
pub fn is_in(column: &Column, literals: &[Literal]) -> Condition {
    let one = |literal: &Literal| compare(column, Comparison::Equal, literal);
    let all: Vec<_> = literals.iter().map(one).collect();
    match points(&all) {
        Some(values) if values.len() > 1 => Condition::test(column, Check::OneOf(values), true),
        _ => Condition::any(all),
    }
}

/// The numbers that these conditions are equal to, when they are nothing else.
fn points(conditions: &[Condition]) -> Option<BTreeSet<String>> {
    let point = |condition: &Condition| match condition {
        Condition::Test(super::Test {
            check: Check::Numbers(range),
            ..
        }) => Some(range.low?.0.to_string()).filter(|_| range.low == range.high),
        _ => None,
    };
    let wanted = conditions
        .iter()
        .filter(|condition| **condition != Condition::Never);
    wanted.map(point).collect()
}

/// `column NOT IN (literals)`: never true when a `NULL` is among them.
pub fn is_not_in(column: &Column, literals: &[Literal]) -> Condition {
    let one = |literal: &Literal| compare(column, Comparison::NotEqual, literal);
    Condition::all(literals.iter().map(one))
}

/// `column IS NULL`
pub fn is_null(column: &Column) -> Condition {
    match column.kind {
        // No record lacks its id, but a row that an outer join puts in the place of one does: see `Access::of`.
        Kind::Id => Condition::test(column, Check::Absent, true),
        Kind::Opaque => Condition::Unknown,
        // HubSpot does not tell the empty text from none.
        _ if column.keeps_empty => Condition::test(column, Check::Absent, false),
        // What a copy cannot say as a time is `NULL` there: years before 0 or after 9999.
        Kind::Date | Kind::Instant => {
            let outside = [Times::below(FIRST), Times::above(SURELY_SAID)];
            let outside = outside.map(|range| Condition::test(column, Check::Times(range), false));
            Condition::any(std::iter::once(Condition::test(column, Check::Absent, false)).chain(outside))
        }
        _ => Condition::test(column, Check::Absent, true),
    }
}

/// `column IS NOT NULL`
pub fn is_not_null(column: &Column) -> Condition {
    match column.kind {
        Kind::Id => Condition::Always,
        Kind::Opaque => Condition::Unknown,
        _ if column.keeps_empty => Condition::Unknown,
        Kind::Date | Kind::Instant => Condition::test(column, Check::Present, false),
        _ => Condition::test(column, Check::Present, true),
    }
}

/// `column LIKE pattern`, where the pattern has no escapes. SQLite ignores the case of ASCII letters; HubSpot's search for
/// words is something else, so of a pattern with wildcards no more follows than that there is a value.
pub fn like(column: &Column, pattern: &str) -> Condition {
    if !column.keeps_empty {
        return is_not_null_at_all(column);
    }
    match column.kind {
        _ if pattern.is_empty() => texts(column, Comparison::Equal, ""),
        Kind::Text { .. } if !pattern.contains(['%', '_']) => alike(column, pattern),
        _ if pattern.chars().any(|letter| letter != '%') => present(column),
        _ => Condition::Unknown,
    }
}

/// `column NOT LIKE pattern`
pub fn not_like(column: &Column) -> Condition {
    if column.keeps_empty {
        return Condition::Unknown;
    }
    is_not_null_at_all(column)
}

/// `lower(column) = text`, or `upper`: SQLite changes the case of ASCII letters alone.
pub fn equal_in_any_case(column: &Column, text: &str) -> Condition {
    match column.kind {
        Kind::Text { .. } if text.is_empty() => texts(column, Comparison::Equal, ""),
        Kind::Text { .. } => alike(column, text),
        _ => Condition::Unknown,
    }
}

fn alike(column: &Column, text: &str) -> Condition {
    match is_plain(text) {
        true => Condition::test(column, Check::Like(text.to_owned()), false),
        false => present(column),
    }
}

fn is_not_null_at_all(column: &Column) -> Condition {
    match is_not_null(column) {
        Condition::Test(test) => Condition::Test(super::Test { exact: false, ..test }),
        _ => Condition::Unknown,
    }
}

/// That there is a value which is not empty. Of an id that goes without saying.
fn present(column: &Column) -> Condition {
    match column.kind {
        Kind::Opaque | Kind::Id => Condition::Unknown,
        _ => Condition::test(column, Check::Present, false),
    }
}

/// A value that is compared with text, as SQLite turns it into one.
fn text_of(literal: &Literal) -> Option<String> {
    match literal {
        Literal::Text(text) => Some(text.clone()),
        Literal::Integer(integer) => Some(integer.to_string()),
        Literal::Real(_) | Literal::Null => None,
    }
}

fn texts(column: &Column, comparison: Comparison, text: &str) -> Condition {
    match comparison {
        Comparison::Equal => equal(column, text),
        Comparison::NotEqual => not_equal(column, text),
        // Whatever is greater than any text is not empty.
        Comparison::Greater => present(column),
        Comparison::GreaterOrEqual if !text.is_empty() => present(column),
        Comparison::GreaterOrEqual | Comparison::Less | Comparison::LessOrEqual => Condition::Unknown,
    }
}

fn equal(column: &Column, text: &str) -> Condition {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let one = || BTreeSet::from([text.to_owned()]);
    match column.kind {
        Kind::Id if is_number && !text.starts_with('0') => Condition::test(column, Check::OneOf(one()), true),
        // An id is a number without leading zeros.
        Kind::Id => Condition::Never,
        _ if text.is_empty() => Condition::test(column, Check::Absent, false),
        _ if !is_plain(text) => present(column),
        Kind::Reference if is_number => Condition::test(column, Check::OneOf(one()), false),
        Kind::Choice if !text.contains(';') => Condition::test(column, Check::OneOf(one()), true),
        Kind::Text { .. } | Kind::Choices => Condition::test(column, Check::OneOf(one()), false),
        _ => present(column),
    }
}

fn not_equal(column: &Column, text: &str) -> Condition {
    match column.kind {
        Kind::Choice if !text.is_empty() && is_plain(text) && !text.contains(';') => {
            let none = Check::NoneOf(BTreeSet::from([text.to_owned()]));
            // The empty text is another one, and is no value at HubSpot.
            Condition::any([
                Condition::test(column, none, true),
                Condition::test(column, Check::Absent, false),
            ])
        }
        Kind::Id => Condition::Unknown,
        _ if text.is_empty() => present_exactly(column),
        // HubSpot would leave out what differs in case alone.
        _ => Condition::Unknown,
    }
}

/// `column <> ''`
fn present_exactly(column: &Column) -> Condition {
    match present(column) {
        Condition::Test(test) => Condition::Test(super::Test { exact: true, ..test }),
        other => other,
    }
}

/// Whether a text surely means the same to HubSpot as it is written: what search does with blanks at the ends, control
/// characters and very long texts is not known.
fn is_plain(text: &str) -> bool {
    const LONGEST: usize = 200;
    text.trim() == text && !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}

fn number(column: &Column, comparison: Comparison, literal: &Literal) -> Condition {
    let value = match literal {
        Literal::Integer(integer) => exactly(*integer),
        Literal::Real(real) => Some(*real),
        Literal::Text(text) => match decimal(text) {
            Some(number) => Some(number),
            None if text.bytes().any(|byte| byte.is_ascii_digit()) => None,
            None if comparison.holds_before_text() => return is_not_null(column),
            None => return Condition::Never,
        },
        Literal::Null => return Condition::Never,
    };
    match value.filter(|value| value.is_finite()) {
        Some(value) => numbers(column, comparison, value),
        None => inexact(is_not_null(column)),
    }
}

fn inexact(condition: Condition) -> Condition {
    match condition {
        Condition::Test(test) => Condition::Test(super::Test { exact: false, ..test }),
        other => other,
    }
}

fn numbers(column: &Column, comparison: Comparison, value: f64) -> Condition {
    let range = |low, high| Condition::test(column, Check::Numbers(Range { low, high }), true);
    let (with, without) = (Some((value, true)), Some((value, false)));
    match comparison {
        Comparison::Equal => range(with, with),
        Comparison::NotEqual => Condition::any([range(None, without), range(without, None)]),
        Comparison::Less => range(None, without),
        Comparison::LessOrEqual => range(None, with),
        Comparison::Greater => range(without, None),
        Comparison::GreaterOrEqual => range(with, None),
    }
}

/// A whole number as a double, if that is the same.
fn exactly(integer: i64) -> Option<f64> {
    const LARGEST: i64 = 1 << 53;
    #[expect(clippy::cast_precision_loss, reason = "whole numbers up to 2^53 are doubles")]
    (-LARGEST..=LARGEST).contains(&integer).then_some(integer as f64)
}

/// The number that SQLite sees in a plain decimal text, of so few digits that nothing is rounded.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = all_digits(whole) && all_digits(fraction) && digits.len() <= 15;
    is_plain.then(|| text.parse().ok()).flatten()
}

fn boolean(column: &Column, comparison: Comparison, literal: &Literal) -> Condition {
    let value = match literal {
        #[expect(clippy::cast_precision_loss, reason = "it is only held against 0 and 1")]
        Literal::Integer(integer) => *integer as f64,
        Literal::Real(real) => *real,
        Literal::Text(text) => match decimal(text) {
            Some(number) => number,
            None if text.bytes().any(|byte| byte.is_ascii_digit()) => return inexact(is_not_null(column)),
            None if comparison.holds_before_text() => return is_not_null(column),
            None => return Condition::Never,
        },
        Literal::Null => return Condition::Never,
    };
    let passes = [(0.0, "false"), (1.0, "true")].into_iter();
    let passing: BTreeSet<_> = passes
        .filter(|(number, _)| comparison.holds(number, &value))
        .map(|(_, word)| word.to_owned())
        .collect();
    match passing.len() {
        0 => Condition::Never,
        1 => Condition::test(column, Check::OneOf(passing), true),
        _ => is_not_null(column),
    }
}

/// The first and the last instant that a copy can say, in milliseconds: of the years 0 and 9999.
const FIRST: i64 = -62_167_219_200_000;
const LAST: i64 = 253_402_300_799_999;
/// Some ways of writing the last day are not understood, see `SqliteDestination`.
const SURELY_SAID: i64 = LAST - 2 * DAY;
const DAY: i64 = 86_400_000;
const DAY_0: Date = date(1970, 1, 1);

type Times = Range<i64>;

impl Times {
    fn below(end: i64) -> Self {
        Self {
            low: None,
            high: Some((end - 1, true)),
        }
    }

    fn above(end: i64) -> Self {
        Self {
            low: Some((end + 1, true)),
            high: None,
        }
    }
}

/// Times of a copy are texts whose order is that of time, so any text at all lies between two of them.
fn time(column: &Column, comparison: Comparison, text: &str) -> Condition {
    let step = match column.kind {
        Kind::Date => DAY,
        _ => 1,
    };
    let written = |at: i64| written(column.kind, at);
    // The first time whose text is not before this one, and the first after it; both may lie behind the last of all.
    let from = first(step, |at| written(at).as_str() >= text);
    let behind = first(step, |at| written(at).as_str() > text);
    let last = LAST - LAST.rem_euclid(step);
    // HubSpot's own times never lie outside of what a copy can say.
    let bound = |at: i64, end: i64| (!column.always_set || at != end).then_some((at, true));
    let range = |low: i64, high: i64| match (bound(low, FIRST), bound(high, last)) {
        _ if low > high => Condition::Never,
        (None, None) => Condition::Always,
        (low, high) => Condition::test(column, Check::Times(Range { low, high }), true),
    };
    match comparison {
        Comparison::Equal => range(from, behind - step),
        Comparison::NotEqual => Condition::any([range(FIRST, from - step), range(behind, last)]),
        Comparison::Less => range(FIRST, from - step),
        Comparison::LessOrEqual => range(FIRST, behind - step),
        Comparison::Greater => range(behind, last),
        Comparison::GreaterOrEqual => range(from, last),
    }
}

/// The first of the times, `step` apart, from which on `holds`.
fn first(step: i64, holds: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high) = (0, (LAST - FIRST) / step + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(FIRST + middle * step) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    FIRST + low * step
}

/// A time as a copy writes it.
fn written(kind: Kind, at: i64) -> String {
    let day = DAY_0.checked_add(at.div_euclid(DAY).days());
    let day = day.expect("it is between the years 0 and 9999");
    if kind == Kind::Date {
        return day.to_string();
    }
    let left = at.rem_euclid(DAY);
    let (seconds, milliseconds) = (left / 1_000, left % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{day}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}
