//! A condition as alternatives of tests that hold together, which is the form that a search takes (hubspot-api notes
//! §1.5).

use std::collections::{BTreeMap, BTreeSet};

use super::column::Kind;
use super::condition::{Check, Condition, Range, Test};

/// A search takes 5 groups.
pub(super) const MOST_GROUPS: usize = 5;

/// Tests that hold together.
pub(super) type Group = Vec<Test>;

/// Alternatives, and whether they are exactly the condition.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
    pub(super) exact: bool,
}

/// The alternatives of `condition`, as many as a search takes or as can be asked for by id.
pub(super) fn groups(condition: &Condition) -> Groups {
    let everything = |exact| Groups {
        groups: vec![Vec::new()],
        exact,
    };
    match condition {
        Condition::Always => everything(true),
        Condition::Unknown => everything(false),
        Condition::Never => Groups {
            groups: Vec::new(),
            exact: true,
        },
        Condition::Test(test) => Groups {
            groups: vec![vec![test.clone()]],
            exact: test.exact,
        },
        Condition::Any(parts) => {
            let all: Vec<_> = parts.iter().map(groups).collect();
            let exact = all.iter().all(|groups| groups.exact);
            let joined = joined(all.into_iter().flat_map(|groups| groups.groups));
            match joined.len() > MOST_GROUPS || joined.iter().any(Vec::is_empty) {
                true => everything(false),
                false => Groups {
                    groups: joined,
                    exact,
                },
            }
        }
        Condition::All(parts) => product(parts),
    }
}

/// Alternatives that ask the same property for single values are one that asks for any of them.
fn joined(groups: impl Iterator<Item = Group>) -> Vec<Group> {
    let mut all: Vec<Group> = Vec::new();
    for group in groups {
        let same = all.iter_mut().find_map(|other| mergeable(other, &group));
        match (same, &*group) {
            (
                Some((values, exact)),
                [
                    Test {
                        check: Check::OneOf(more),
                        exact: other,
                        ..
                    },
                ],
            ) => {
                values.extend(more.iter().cloned());
                *exact &= other;
            }
            _ => all.push(group),
        }
    }
    all
}

fn mergeable<'a>(group: &'a mut Group, other: &Group) -> Option<(&'a mut BTreeSet<String>, &'a mut bool)> {
    match (&mut **group, &**other) {
        (
            [
                Test {
                    property: a,
                    check: Check::OneOf(values),
                    exact,
                    ..
                },
            ],
            [
                Test {
                    property: b,
                    check: Check::OneOf(_),
                    ..
                },
            ],
        ) if a == b => Some((values, exact)),
        _ => None,
    }
}

/// Every alternative of one part with every alternative of the others. A part that would make too many is left out.
fn product(parts: &[Condition]) -> Groups {
    let mut all: Vec<_> = parts.iter().map(groups).collect();
    all.sort_by_key(|groups| groups.groups.len());
    let mut product = Groups {
        groups: vec![Vec::new()],
        exact: true,
    };
    for part in all {
        product.exact &= part.exact;
        if product.groups.len() * part.groups.len() > MOST_GROUPS {
            product.exact = false;
            continue;
        }
        let with = |group: &Group| {
            part.groups
                .iter()
                .map(|other| [&**group, other].concat())
                .collect::<Vec<_>>()
        };
        product.groups = product.groups.iter().flat_map(with).collect();
    }
    product
}

/// The tests of a group, one of each property where two can be one; `None` when nothing passes all of them.
pub(super) fn normal(group: &[Test]) -> Option<Group> {
    let mut by_property: BTreeMap<&str, Vec<Test>> = BTreeMap::new();
    for test in group {
        let same = by_property.entry(&test.property).or_default();
        let mut met = same.iter_mut().map(|other| (both(other, test), other));
        match met.find(|(both, _)| *both != Both::Apart) {
            Some((Both::Never, _)) => return None,
            Some((Both::One(check), other)) => {
                other.check = check;
                other.exact &= test.exact;
            }
            Some((Both::Apart, _)) | None => same.push(test.clone()),
        }
    }
    let lacks_id = |test: &Test| test.kind == Kind::Id && test.check == Check::Absent;
    if group.iter().any(lacks_id) {
        return None;
    }
    let contradicts = |tests: &Vec<Test>| {
        tests.iter().any(|test| test.check == Check::Absent)
            && tests.iter().any(|test| test.check != Check::Absent)
    };
    if by_property.values().any(contradicts) {
        return None;
    }
    for tests in by_property.values_mut().filter(|tests| tests.len() > 1) {
        tests.retain(|test| test.check != Check::Present);
    }
    Some(by_property.into_values().flatten().collect())
}

/// What two checks of one property are together.
#[derive(Debug, PartialEq)]
enum Both {
    /// Nothing passes both.
    Never,
    /// One check stands for both.
    One(Check),
    /// They are two.
    Apart,
}

fn both(a: &Test, b: &Test) -> Both {
    let unless = |is_empty: bool, check: Check| if is_empty { Both::Never } else { Both::One(check) };
    match (&a.check, &b.check) {
        (Check::OneOf(a), Check::OneOf(b)) => unless(a.is_disjoint(b), Check::OneOf(a & b)),
        (Check::NoneOf(a), Check::NoneOf(b)) => Both::One(Check::NoneOf(a | b)),
        (Check::OneOf(some), Check::NoneOf(none)) | (Check::NoneOf(none), Check::OneOf(some)) => {
            unless(some.is_subset(none), Check::OneOf(some - none))
        }
        (Check::Numbers(a), Check::Numbers(b)) => {
            let range: Range<f64> = a.and(*b);
            unless(range.is_empty(), Check::Numbers(range))
        }
        (Check::Times(a), Check::Times(b)) => {
            let range: Range<i64> = a.and(*b);
            unless(range.is_empty(), Check::Times(range))
        }
        (a, b) if a == b => Both::One(a.clone()),
        _ => Both::Apart,
    }
}
