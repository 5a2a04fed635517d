//! From a condition to the calls that bring every row of it: by id, by a unique property, by search, or all there are.
//!
//! Pure. A search takes alternatives of conjunctions, within limits (hubspot-api notes §1.5): a condition is brought into
//! that form, and loses parts where it does not fit. Losing a part only brings more rows.

use std::collections::{BTreeMap, BTreeSet};

use hubspot_client::request::search::{Filter, FilterGroup};

use super::column::Kind;
use super::condition::{Check, Condition, Test};
use super::filter::filters;
use super::groups::{Group, Groups, MOST_GROUPS, groups, normal};

/// A group has 6 filters, a search 18; one of each group says where a page begins.
const MOST_IN_GROUP: usize = 6 - 1;
const MOST_FILTERS: usize = 18;
/// A search has 3,000 characters, its list of properties not counted; the rest of it takes less than the difference.
const MOST_CHARACTERS: usize = 2_600;
/// How many values one `IN` takes.
pub(super) const MOST_VALUES: usize = 100;

/// How the rows of a table are brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// All of these together bring every wanted row; none means that there is no row. A row may come twice.
    pub fetches: Vec<Fetch>,
    /// Whether they bring exactly the rows of the condition, so that counting them there counts the rows.
    pub exact: bool,
}

/// One way to bring rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Fetch {
    /// All live records.
    List,
    /// The records with these ids.
    Ids(Vec<String>),
    /// The records with these values of a unique property.
    Unique {
        /// The property.
        property: String,
        /// The values.
        values: Vec<String>,
    },
    /// What a search finds.
    Search(Vec<FilterGroup>),
}

/// What may be used to bring rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Means {
    /// Reading by id or unique property.
    pub batch: bool,
    /// Searching, which shows a change only after a moment.
    pub search: bool,
}

impl Access {
    /// The whole table.
    pub fn everything(exact: bool) -> Self {
        Self {
            fetches: vec![Fetch::List],
            exact,
        }
    }

    /// The calls for `condition`.
    pub fn of(condition: &Condition, means: Means) -> Self {
        let Groups { groups, exact } = groups(condition);
        let mut all = Sorted::default();
        for group in groups.iter().filter_map(|group| normal(group)) {
            if !all.add(&group, means) {
                return Self::everything(exact && group.is_empty());
            }
        }
        all.access(exact)
    }

    /// Whether it brings the whole table.
    pub fn is_everything(&self) -> bool {
        self.fetches == [Fetch::List]
    }
}

/// Groups by the way their rows are brought.
#[derive(Debug, Default)]
struct Sorted {
    ids: BTreeSet<String>,
    unique: BTreeMap<String, BTreeSet<String>>,
    searched: Vec<Group>,
    /// Whether a group is brought by key: then its other tests are not asked, and a key may have no record.
    lost: bool,
}

impl Sorted {
    /// Takes a group; `false` when no means will bring it.
    fn add(&mut self, group: &Group, means: Means) -> bool {
        let values = |wanted: fn(Kind) -> bool| {
            group.iter().find_map(|test| match &test.check {
                Check::OneOf(values) if wanted(test.kind) => Some((test, values)),
                _ => None,
            })
        };
        if let Some((_, ids)) = values(|kind| kind == Kind::Id).filter(|_| means.batch) {
            self.ids.extend(ids.iter().cloned());
            self.lost = true;
            return true;
        }
        let unique = values(|kind| kind == Kind::Text { unique: true });
        if let Some((test, values)) = unique.filter(|_| means.batch) {
            let all = self.unique.entry(test.property.clone()).or_default();
            all.extend(values.iter().cloned());
            self.lost = true;
            return true;
        }
        self.searched.push(group.clone());
        means.search && !group.is_empty()
    }

    fn access(self, exact: bool) -> Access {
        let mut exact = exact && !self.lost;
        let mut fetches = Vec::new();
        if !self.ids.is_empty() {
            fetches.push(Fetch::Ids(self.ids.into_iter().collect()));
        }
        fetches.extend(self.unique.into_iter().map(|(property, values)| Fetch::Unique {
            property,
            values: values.into_iter().collect(),
        }));
        for searched in searches(self.searched, &mut exact) {
            match searched {
                Some(groups) => fetches.push(Fetch::Search(groups)),
                None => return Access::everything(false),
            }
        }
        exact &= fetches.len() < 2;
        Access { fetches, exact }
    }
}

/// The searches for these groups; `None` for one that would have no filter.
fn searches(groups: Vec<Group>, exact: &mut bool) -> Vec<Option<Vec<FilterGroup>>> {
    if groups.is_empty() {
        return Vec::new();
    }
    let split: Vec<_> = groups.into_iter().flat_map(split).collect();
    let mut written: Vec<_> = split
        .iter()
        .map(|group| {
            let (filters, is_exact) = written(group);
            *exact &= is_exact;
            filters
        })
        .collect();
    if written.iter().any(|group| group.filters.is_empty()) {
        return vec![None];
    }
    let mut all: Vec<Vec<FilterGroup>> = Vec::new();
    while !written.is_empty() {
        let fits = (1..=written.len())
            .rev()
            .find(|count| fits(&written[..*count]))
            .unwrap_or(1);
        all.push(written.drain(..fits).collect());
    }
    all.into_iter().map(Some).collect()
}

/// A group with more values than one `IN` takes becomes several.
fn split(group: Group) -> Vec<Group> {
    let length = |test: &Test| match &test.check {
        Check::OneOf(values) => values.len(),
        _ => 0,
    };
    let Some(longest) = (0..group.len()).max_by_key(|n| length(&group[*n])) else {
        return vec![group];
    };
    let Check::OneOf(values) = &group[longest].check else {
        return vec![group];
    };
    let pieces = pieces(values);
    let with = |piece| {
        let mut group = group.clone();
        group[longest].check = Check::OneOf(piece);
        group
    };
    pieces.into_iter().map(with).collect()
}

/// The values in portions that one `IN` takes, and half a search.
fn pieces(values: &BTreeSet<String>) -> Vec<BTreeSet<String>> {
    let mut all = vec![BTreeSet::new()];
    let mut length = 0;
    for value in values {
        // Quotes, a comma, and escapes where there are any.
        let more = serde_json::to_string(value).map_or(0, |text| text.chars().count()) + 1;
        let last = all.last_mut().expect("there is always one");
        if last.len() == MOST_VALUES || (length + more > MOST_CHARACTERS / 2 && !last.is_empty()) {
            all.push(BTreeSet::from([value.clone()]));
            length = more;
        } else {
            last.insert(value.clone());
            length += more;
        }
    }
    all
}

/// The filters of a group, as many as it may have; and whether they are exactly its tests.
fn written(group: &[Test]) -> (FilterGroup, bool) {
    let mut exact = true;
    let mut all: Vec<(u8, Filter)> = Vec::new();
    for test in group {
        let (filters, is_exact) = filters(test);
        exact &= is_exact;
        all.extend(filters.into_iter().map(|filter| (weight(test), filter)));
    }
    all.sort_by_key(|(weight, _)| *weight);
    exact &= all.len() <= MOST_IN_GROUP;
    all.truncate(MOST_IN_GROUP);
    while characters(all.iter().map(|(_, filter)| filter)) > MOST_CHARACTERS && all.len() > 1 {
        all.pop();
        exact = false;
    }
    let filters = all.into_iter().map(|(_, filter)| filter).collect();
    (FilterGroup { filters }, exact)
}

/// What finds fewer rows goes first.
fn weight(test: &Test) -> u8 {
    match test.check {
        Check::OneOf(_) | Check::Like(_) => 0,
        Check::Numbers(_) | Check::Times(_) => 1,
        Check::Absent => 2,
        Check::NoneOf(_) => 3,
        Check::Present => 4,
    }
}

/// Whether one search takes these groups, each with a filter more.
fn fits(groups: &[FilterGroup]) -> bool {
    let filters: usize = groups.iter().map(|group| group.filters.len() + 1).sum();
    let characters = characters(groups.iter().flat_map(|group| &group.filters));
    groups.len() <= MOST_GROUPS && filters <= MOST_FILTERS && characters <= MOST_CHARACTERS
}

fn characters<'a>(filters: impl Iterator<Item = &'a Filter>) -> usize {
    let text = |filter: &Filter| serde_json::to_string(filter).expect("a filter is always serialisable");
    filters.map(|filter| text(filter).chars().count() + 1).sum()
}

#[cfg(test)]
mod tests {
    use super::super::column::Column;
    use super::super::compare::{Comparison, Literal, compare, is_in, is_not_in, is_not_null, is_null, like};
    use super::*;

    fn column(name: &str, kind: Kind) -> Column {
        let as_text = !matches!(kind, Kind::Number | Kind::Boolean | Kind::Date | Kind::Instant);
        Column {
            name: name.to_owned(),
            property: if kind == Kind::Id { "hs_object_id" } else { name }.to_owned(),
            kind,
            keeps_empty: as_text,
            always_set: kind == Kind::Id,
            options: Vec::new(),
        }
    }

    fn id() -> Column {
        column("id", Kind::Id)
    }

    fn word() -> Column {
        column("word", Kind::Text { unique: false })
    }

    fn email() -> Column {
        column("email", Kind::Text { unique: true })
    }

    fn stage() -> Column {
        column("stage", Kind::Choice)
    }

    fn kinds() -> Column {
        column("kinds", Kind::Choices)
    }

    fn amount() -> Column {
        column("amount", Kind::Number)
    }

    fn active() -> Column {
        column("active", Kind::Boolean)
    }

    fn closed() -> Column {
        column("closed", Kind::Instant)
    }

    fn day() -> Column {
        column("day", Kind::Date)
    }

    fn text(text: &str) -> Literal {
        Literal::Text(text.to_owned())
    }

    fn equal(column: &Column, value: &str) -> Condition {
        compare(column, Comparison::Equal, &text(value))
    }

    /// `=` before what is exact, `~` before what may bring more rows.
    fn short(condition: &Condition) -> String {
        short_with(
            condition,
            Means {
                batch: true,
                search: true,
            },
        )
    }

    fn short_with(condition: &Condition, means: Means) -> String {
        let Access { fetches, exact } = Access::of(condition, means);
        let one = |fetch: &Fetch| match fetch {
            Fetch::List => "all".to_owned(),
            Fetch::Ids(ids) => format!("ids {}", ids.join(" ")),
            Fetch::Unique { property, values } => format!("{property} {}", values.join(" ")),
            Fetch::Search(groups) => groups.iter().map(group).collect::<Vec<_>>().join(" OR "),
        };
        let all: Vec<_> = fetches.iter().map(one).collect();
        format!("{}{}", if exact { "=" } else { "~" }, all.join(" + "))
    }

    fn group(group: &FilterGroup) -> String {
        let filter = |filter: &Filter| {
            let json = serde_json::to_value(filter).unwrap();
            let operator = json["operator"].as_str().unwrap();
            let values = filter.values.clone().unwrap_or_default();
            let given = [&filter.value, &filter.high_value]
                .into_iter()
                .flatten()
                .cloned()
                .chain(values);
            [filter.property_name.clone(), operator.to_owned()]
                .into_iter()
                .chain(given)
                .collect::<Vec<_>>()
                .join(" ")
        };
        group.filters.iter().map(filter).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_comparison_asks_for_no_row_too_few() {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let cases: &[(Column, Comparison, Literal, &str)] = &[
            (id(), Equal, text("7"), "~ids 7"),
            (id(), Equal, Literal::Integer(7), "~ids 7"),
            (id(), Equal, text("007"), "="),
            (id(), Equal, text("x"), "="),
            (id(), Greater, text("7"), "~all"),
            (email(), Equal, text("A@b.c"), "~email A@b.c"),
            (word(), Equal, text("Anna"), "~word EQ Anna"),
            (word(), Equal, text(" x"), "~word HAS_PROPERTY"),
            (word(), Equal, text(""), "~word NOT_HAS_PROPERTY"),
            (word(), NotEqual, text("Anna"), "~all"),
            (word(), NotEqual, text(""), "=word HAS_PROPERTY"),
            (word(), Greater, text("a"), "~word HAS_PROPERTY"),
            (word(), Less, text("a"), "~all"),
            (word(), Equal, Literal::Null, "="),
            (stage(), Equal, text("Won"), "=stage EQ Won"),
            (
                stage(),
                NotEqual,
                text("Won"),
                "~stage NEQ Won OR stage NOT_HAS_PROPERTY",
            ),
            (kinds(), Equal, text("a;b"), "~kinds EQ a, kinds EQ b"),
            (kinds(), NotEqual, text("a"), "~all"),
            (amount(), Greater, Literal::Integer(100), "=amount GT 100"),
            (amount(), Equal, text("1.50"), "=amount EQ 1.5"),
            (
                amount(),
                NotEqual,
                Literal::Real(0.5),
                "=amount LT 0.5 OR amount GT 0.5",
            ),
            (amount(), Less, text("x"), "=amount HAS_PROPERTY"),
            (amount(), Greater, text("x"), "="),
            (amount(), Less, text("1e3"), "~amount HAS_PROPERTY"),
            (
                amount(),
                Equal,
                Literal::Integer(i64::MAX),
                "~amount HAS_PROPERTY",
            ),
            (active(), Equal, Literal::Integer(1), "=active EQ true"),
            (active(), NotEqual, Literal::Integer(1), "=active EQ false"),
            (active(), Less, Literal::Integer(2), "=active HAS_PROPERTY"),
            (active(), Equal, text("true"), "="),
            (
                closed(),
                GreaterOrEqual,
                text("2024-01-01"),
                "=closed BETWEEN 1704067200000 253402300799999",
            ),
            (
                closed(),
                LessOrEqual,
                text("2024-01-01"),
                "~closed LTE 1704067199999",
            ),
            (
                closed(),
                LessOrEqual,
                text("2024-01-01T00:00:00Z"),
                "~closed LTE 1704067200999",
            ),
            (
                closed(),
                Equal,
                text("2024-01-01T00:00:00.000Z"),
                "=closed EQ 1704067200000",
            ),
            (closed(), Equal, text("2024-01-01"), "="),
            (closed(), Greater, text("zzz"), "="),
            (closed(), Less, text("1960"), "~closed LTE 1"),
            (
                day(),
                Greater,
                text("2024-01-01"),
                "=day BETWEEN 1704153600000 253402214400000",
            ),
            (
                day(),
                Greater,
                text("2024"),
                "=day BETWEEN 1704067200000 253402214400000",
            ),
            (column("blob", Kind::Opaque), Equal, text("x"), "~all"),
        ];
        for (column, comparison, literal, expected) in cases {
            let found = short(&compare(column, *comparison, literal));
            assert_eq!(found, *expected, "{} {comparison:?} {literal:?}", column.name);
        }
    }

    #[test]
    fn nothing_and_something_are_told_apart_as_a_copy_does() {
        let cases = [
            (is_null(&word()), "~word NOT_HAS_PROPERTY"),
            (is_not_null(&word()), "~all"),
            (is_null(&amount()), "=amount NOT_HAS_PROPERTY"),
            (is_not_null(&amount()), "=amount HAS_PROPERTY"),
            (is_null(&id()), "="),
            (
                is_null(&closed()),
                "~closed NOT_HAS_PROPERTY OR closed LTE 1 OR closed GTE 253402128000000",
            ),
            (like(&word(), "a%"), "~word HAS_PROPERTY"),
            (like(&word(), "Anna"), "~word EQ Anna"),
            (like(&word(), "%"), "~all"),
            (like(&amount(), "%"), "~amount HAS_PROPERTY"),
            (is_not_in(&stage(), &[text("a"), Literal::Null]), "="),
            (is_in(&word(), &[text("A"), text("b")]), "~word IN a b"),
            (is_in(&word(), &[text("Ä"), text("b")]), "~word HAS_PROPERTY"),
            (is_in(&amount(), &[text("1"), text("2.5")]), "=amount IN 1 2.5"),
        ];
        for (condition, expected) in cases {
            assert_eq!(short(&condition), expected, "{condition:?}");
        }
    }

    #[test]
    fn conditions_join_within_what_a_search_takes() {
        let (a, b) = (equal(&stage(), "a"), equal(&stage(), "b"));
        let more = |n| compare(&amount(), Comparison::Greater, &Literal::Integer(n));
        let less = |n| compare(&amount(), Comparison::LessOrEqual, &Literal::Integer(n));
        let words = |count: usize| (0..count).map(|n| equal(&column(&format!("w{n}"), Kind::Choice), "x"));
        let cases = [
            (Condition::any([a.clone(), b.clone()]), "=stage IN a b"),
            (Condition::all([a.clone(), b.clone()]), "="),
            (Condition::all([more(1), less(5)]), "=amount GT 1, amount LTE 5"),
            (Condition::all([more(5), less(5)]), "="),
            (Condition::all([a.clone(), Condition::Unknown]), "~stage EQ a"),
            (Condition::any([a.clone(), Condition::Unknown]), "~all"),
            (
                Condition::all([a.clone(), Condition::any([more(9), less(1)])]),
                "=stage EQ a, amount GT 9 OR stage EQ a, amount LTE 1",
            ),
            (
                Condition::any([equal(&id(), "1"), a.clone()]),
                "~ids 1 + stage EQ a",
            ),
            (Condition::all([equal(&id(), "1"), a.clone()]), "~ids 1"),
            (Condition::any(words(6)), "~all"),
            (
                Condition::all(words(7)),
                "~w0 EQ x, w1 EQ x, w2 EQ x, w3 EQ x, w4 EQ x",
            ),
            (Condition::all([is_null(&amount()), more(1)]), "="),
            (Condition::Always, "=all"),
            (Condition::Never, "="),
        ];
        for (condition, expected) in cases {
            assert_eq!(short(&condition), expected, "{condition:?}");
        }
    }

    #[test]
    fn many_values_are_asked_for_in_portions() {
        let values: Vec<_> = (0..250).map(|n| text(&format!("v{n}"))).collect();
        let access = Access::of(
            &is_in(&stage(), &values),
            Means {
                batch: true,
                search: true,
            },
        );
        let filters = access.fetches.iter().map(|fetch| match fetch {
            Fetch::Search(groups) => groups
                .iter()
                .map(|group| group.filters[0].values.as_ref().unwrap().len())
                .collect(),
            other => panic!("{other:?}"),
        });
        let sizes: Vec<Vec<usize>> = filters.collect();
        assert_eq!(sizes.concat().iter().sum::<usize>(), 250);
        assert!(
            sizes.concat().iter().all(|size| *size <= MOST_VALUES),
            "{sizes:?}"
        );
        let long: Vec<_> = (0..60)
            .map(|n| text(&format!("{n}{}", "x".repeat(190))))
            .collect();
        for fetch in Access::of(
            &is_in(&stage(), &long),
            Means {
                batch: true,
                search: true,
            },
        )
        .fetches
        {
            let Fetch::Search(groups) = fetch else {
                panic!("{fetch:?}")
            };
            assert!(fits(&groups), "{groups:?}");
        }
    }

    #[test]
    fn without_search_everything_is_read_unless_by_key() {
        let means = Means {
            batch: true,
            search: false,
        };
        assert_eq!(short_with(&equal(&stage(), "a"), means), "~all");
        assert_eq!(short_with(&equal(&email(), "a"), means), "~email a");
    }
}
