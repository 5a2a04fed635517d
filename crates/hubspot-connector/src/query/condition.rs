//! What rows must satisfy, in terms that HubSpot may be asked: a condition is *implied* by a `WHERE`, and need not be all
//! of it.

use std::collections::BTreeSet;

use super::column::{Column, Kind};

/// A condition on the rows of one table. Every row that is wanted satisfies it; that is its only promise.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Every row does.
    Always,
    /// There may be a condition, but none that HubSpot can surely answer.
    Unknown,
    /// No row does.
    Never,
    /// A test of one column.
    Test(Test),
    /// All of these hold.
    All(Vec<Condition>),
    /// One of these holds.
    Any(Vec<Condition>),
}

/// A test of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// HubSpot's name of the property.
    pub property: String,
    /// How its values are compared.
    pub kind: Kind,
    /// What is asked.
    pub check: Check,
    /// Whether exactly the wanted rows pass, and not only all of them.
    pub exact: bool,
}

/// What is asked of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// It is one of these texts, byte by byte.
    OneOf(BTreeSet<String>),
    /// It has a value, and none of these.
    NoneOf(BTreeSet<String>),
    /// It is this text, whatever the case.
    Like(String),
    /// It is a number in this range.
    Numbers(Range<f64>),
    /// It is a day or an instant in this range of milliseconds.
    Times(Range<i64>),
    /// It has a value that is not the empty text.
    Present,
    /// It has none.
    Absent,
}

/// A range with or without its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range<T> {
    /// The lower end, and whether it belongs to the range.
    pub low: Option<(T, bool)>,
    /// The upper end, and whether it belongs to the range.
    pub high: Option<(T, bool)>,
}

impl<T: PartialOrd + Copy> Range<T> {
    /// What is in both.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        let low = match (self.low, other.low) {
            (Some(a), Some(b)) if a.0 == b.0 => Some((a.0, a.1 && b.1)),
            (Some(a), Some(b)) => Some(if a.0 > b.0 { a } else { b }),
            (a, b) => a.or(b),
        };
        let high = match (self.high, other.high) {
            (Some(a), Some(b)) if a.0 == b.0 => Some((a.0, a.1 && b.1)),
            (Some(a), Some(b)) => Some(if a.0 < b.0 { a } else { b }),
            (a, b) => a.or(b),
        };
        Self { low, high }
    }

    pub(super) fn is_empty(&self) -> bool {
        match (self.low, self.high) {
            (Some(low), Some(high)) => low.0 > high.0 || (low.0 == high.0 && !(low.1 && high.1)),
            _ => false,
        }
    }
}

impl Condition {
    /// A test of `column`.
    pub(super) fn test(column: &Column, check: Check, exact: bool) -> Self {
        Self::Test(Test {
            property: column.property.clone(),
            kind: column.kind,
            check,
            exact,
        })
    }

    /// All of `parts`.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Never => return Self::Never,
                Self::Always => {}
                Self::All(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Self::Always,
            1 => kept.remove(0),
            _ => Self::All(kept),
        }
    }

    /// One of `parts`.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        let mut unknown = false;
        for part in parts {
            match part {
                Self::Always => return Self::Always,
                Self::Unknown => unknown = true,
                Self::Never => {}
                Self::Any(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        match kept.len() {
            _ if unknown => Self::Unknown,
            0 => Self::Never,
            1 => kept.remove(0),
            _ => Self::Any(kept),
        }
    }

    /// Whether a row without any value could satisfy it: such rows appear on the far side of an outer join.
    pub fn may_hold_without_values(&self) -> bool {
        match self {
            Self::Always | Self::Unknown => true,
            Self::Never => false,
            Self::Test(test) => test.check == Check::Absent,
            Self::All(parts) => parts.iter().all(Self::may_hold_without_values),
            Self::Any(parts) => parts.iter().any(Self::may_hold_without_values),
        }
    }
}
