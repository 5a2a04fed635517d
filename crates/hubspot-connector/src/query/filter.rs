//! One test as search filters (hubspot-api notes §1.5). Every record that passes the test passes the filters.

use std::collections::BTreeSet;

use hubspot_client::request::search::{Filter, Operator};

use super::column::Kind;
use super::condition::{Check, Range, Test};

/// The filters, all of which hold, and whether they let nothing else through.
pub(super) fn filters(test: &Test) -> (Vec<Filter>, bool) {
    let name = &test.property;
    let exact = test.exact;
    match &test.check {
        Check::Present => (vec![Filter::without_value(name, Operator::HasProperty)], exact),
        Check::Absent => (vec![Filter::without_value(name, Operator::NotHasProperty)], exact),
        Check::Like(word) => (vec![Filter::new(name, Operator::Eq, word)], exact),
        Check::OneOf(values) => one_of(test, values),
        Check::NoneOf(values) => match values.iter().next() {
            Some(only) if values.len() == 1 => (vec![Filter::new(name, Operator::Neq, only)], exact),
            _ => (vec![not_in(name, values)], exact),
        },
        Check::Numbers(range) => (numbers(name, *range), exact),
        Check::Times(range) => times(name, *range, exact),
    }
}

fn not_in(name: &str, values: &BTreeSet<String>) -> Filter {
    Filter {
        operator: Operator::NotIn,
        ..Filter::is_in(name, values)
    }
}

fn one_of(test: &Test, values: &BTreeSet<String>) -> (Vec<Filter>, bool) {
    let name = &test.property;
    if let (Kind::Choices, Some(only), 1) = (test.kind, values.iter().next(), values.len()) {
        // A record with the text `a;b` holds both.
        let parts: Vec<_> = choices(only)
            .map(|part| Filter::new(name, Operator::Eq, part))
            .collect();
        return match parts.is_empty() {
            true => (vec![Filter::without_value(name, Operator::HasProperty)], false),
            false => (parts, test.exact),
        };
    }
    if let (Some(only), 1) = (values.iter().next(), values.len()) {
        return (vec![Filter::new(name, Operator::Eq, only)], test.exact);
    }
    let asked: Option<BTreeSet<String>> = match test.kind {
        Kind::Text { .. } => values.iter().map(|value| lower(value)).collect(),
        Kind::Choices => values
            .iter()
            .map(|value| choices(value).next().map(str::to_owned))
            .collect(),
        _ => Some(values.clone()),
    };
    match asked {
        Some(values) => (vec![Filter::is_in(name, values)], test.exact),
        None => (vec![Filter::without_value(name, Operator::HasProperty)], false),
    }
}

fn choices(text: &str) -> impl Iterator<Item = &str> {
    text.split(';')
        .filter(|part| !part.is_empty() && part.trim() == *part)
}

/// `IN` finds texts by their lower case. Of letters outside of ASCII it is not known which case HubSpot thinks is lower.
fn lower(text: &str) -> Option<String> {
    let is_sure = |letter: char| letter.is_ascii() || letter.to_lowercase().eq([letter]);
    text.chars().all(is_sure).then(|| text.to_ascii_lowercase())
}

fn numbers(name: &str, range: Range<f64>) -> Vec<Filter> {
    match (range.low, range.high) {
        (Some((low, true)), Some((high, true))) if low.total_cmp(&high).is_eq() => {
            vec![Filter::new(name, Operator::Eq, low.to_string())]
        }
        (Some((low, true)), Some((high, true))) => {
            vec![Filter::between(name, low.to_string(), high.to_string())]
        }
        (low, high) => {
            let bound = |bound: Option<(f64, bool)>, with, without| {
                bound.map(|(value, is_in)| {
                    Filter::new(name, if is_in { with } else { without }, value.to_string())
                })
            };
            let low = bound(low, Operator::Gte, Operator::Gt);
            let high = bound(high, Operator::Lte, Operator::Lt);
            low.into_iter().chain(high).collect()
        }
    }
}

/// A filter with the time 0 has been answered with 500, and what lies before is not known to work: bounds stay above.
fn times(name: &str, range: Range<i64>, exact: bool) -> (Vec<Filter>, bool) {
    let low = range.low.map(|(low, _)| low).filter(|low| *low > 0);
    let high = range.high.map(|(high, _)| high.max(1));
    let exact = exact && low == range.low.map(|(low, _)| low) && high == range.high.map(|(high, _)| high);
    let filter = match (low, high) {
        (Some(low), Some(high)) if low == high => Filter::new(name, Operator::Eq, low.to_string()),
        (Some(low), Some(high)) => Filter::between(name, low.to_string(), high.to_string()),
        (Some(low), None) => Filter::new(name, Operator::Gte, low.to_string()),
        (None, Some(high)) => Filter::new(name, Operator::Lte, high.to_string()),
        (None, None) => Filter::without_value(name, Operator::HasProperty),
    };
    (vec![filter], exact)
}
