//! What is to be done with each record: a table of cases, without a call.

use std::collections::BTreeMap;

use opencdc::Mapped;
use serde::Serialize;

use super::config::{Deletes, WriteMode, WriteRules};
use super::refusal::{Problem, Refusal};
use super::rules::Definitions;
use super::shape::Verb;
use super::value::{fault, same};

/// A record whose values were checked, with all that is known of where it belongs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidate {
    pub(crate) verb: Verb,
    /// Its id in HubSpot, as the source knows it.
    pub(crate) id: Option<String>,
    /// What is remembered of its key.
    pub(crate) mapped: Option<Mapped>,
    /// The value of the `id_property`, where it has one.
    pub(crate) unique: Option<String>,
    /// What may be written of it.
    pub(crate) values: BTreeMap<String, String>,
    /// What is there now, where somebody looked.
    pub(crate) live: Live,
}

/// What HubSpot has of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Live {
    /// Nobody looked.
    #[default]
    Unknown,
    /// There is no such record.
    Absent,
    /// It is there, with these values; empty ones are left out.
    Found {
        id: String,
        values: BTreeMap<String, String>,
    },
}

/// What is to be done with one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is made.
    Create,
    /// The record with this id is changed.
    Update {
        /// The id.
        id: String,
    },
    /// The record with this unique value is changed.
    UpdateBy {
        /// The value of the `id_property`.
        value: String,
    },
    /// The record with this unique value is changed, or made.
    Upsert {
        /// The value of the `id_property`.
        value: String,
    },
    /// The record with this id goes into the recycle bin.
    Archive {
        /// The id.
        id: String,
    },
    /// Nothing: it is as it should be.
    Nothing {
        /// Its id, where that is known.
        id: Option<String>,
    },
    /// It cannot be written.
    Refuse(Refusal),
}

/// What is to be done with one record, and what it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What is to be done.
    pub action: Action,
    /// What is written: by name, every value that is not the same already.
    pub values: BTreeMap<String, String>,
    /// What is there now of those values, where somebody looked.
    pub before: Option<BTreeMap<String, String>>,
}

impl Planned {
    fn only(action: Action) -> Self {
        Self {
            action,
            values: BTreeMap::new(),
            before: None,
        }
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self::only(Action::Refuse(refusal))
    }

    /// The same, refused when a definition speaks against a value.
    pub(crate) fn judged(self, definitions: &Definitions) -> Self {
        let problem = |(name, value): (&String, &String)| {
            let reason = fault(value, definitions.get(name)?)?;
            Some(Problem::of(name, Some(value), reason))
        };
        let problems: Vec<_> = self.values.iter().filter_map(problem).collect();
        match problems.is_empty() {
            true => self,
            false => Self::refused(problems.into()),
        }
    }
}

/// What the settings say about deciding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deciding<'a> {
    pub(crate) rules: &'a WriteRules,
    pub(crate) definitions: &'a Definitions,
}

impl Candidate {
    /// Its id in HubSpot, as far as that is known.
    fn known_id(&self) -> Option<&str> {
        let mapped = match &self.mapped {
            Some(Mapped::Id(id)) => Some(id.as_str()),
            _ => None,
        };
        let live = match &self.live {
            Live::Found { id, .. } => Some(id.as_str()),
            _ => None,
        };
        live.or(self.id.as_deref()).or(mapped)
    }

    fn is_absent(&self) -> bool {
        self.live == Live::Absent
    }
}

impl Deciding<'_> {
    /// What is to be done with a record.
    pub(crate) fn decide(self, candidate: Candidate) -> Planned {
        match candidate.verb {
            Verb::Delete => Planned::only(self.delete(&candidate)),
            Verb::Save => {
                let action = self.save(&candidate);
                self.reduced(candidate, action)
            }
        }
    }

    fn delete(self, candidate: &Candidate) -> Action {
        let kept = self.rules.deletes.unwrap_or_default() == Deletes::Ignore;
        match candidate.known_id() {
            Some(id) if !kept && !candidate.is_absent() => Action::Archive { id: id.to_owned() },
            id => Action::Nothing {
                id: id.map(str::to_owned),
            },
        }
    }

    fn save(self, candidate: &Candidate) -> Action {
        let refuse = |reason: &str| Action::Refuse(Refusal::new(reason));
        let id = candidate.known_id().map(str::to_owned);
        let value = candidate.unique.clone();
        match (self.rules.mode(), id, value) {
            (WriteMode::Create, id, _) => self.create(candidate, id),
            (WriteMode::Auto | WriteMode::Update | WriteMode::Upsert, Some(id), _)
                if !candidate.is_absent() =>
            {
                Action::Update { id }
            }
            (WriteMode::Update, _, _) if candidate.is_absent() => refuse("there is no such record to change"),
            (WriteMode::Update, _, Some(value)) => Action::UpdateBy { value },
            (WriteMode::Update, _, None) => refuse(
                "nothing tells which record it is: neither its id, nor a value of the `id_property`, and it has not \
                 been written before",
            ),
            // An id that was given by the source must be right: a record is not made under another.
            (WriteMode::Auto, Some(id), None) if candidate.id.is_some() => {
                Action::Refuse(Refusal::new(format!("there is no record {id}")))
            }
            (WriteMode::Auto | WriteMode::Upsert, _, Some(value)) => Action::Upsert { value },
            (WriteMode::Upsert, _, None) => {
                let property = self.rules.id_property.as_deref().unwrap_or_default();
                Action::Refuse(Refusal::of(property, None, "an upsert needs a value of it"))
            }
            (WriteMode::Auto, _, None) => Action::Create,
        }
    }

    /// A record that was made before is not made again.
    fn create(self, candidate: &Candidate, id: Option<String>) -> Action {
        match (&candidate.mapped, &candidate.live, id) {
            (_, _, _) if candidate.id.is_some() => {
                Action::Refuse(Refusal::new("a record to be made has no id yet"))
            }
            (Some(Mapped::Id(_) | Mapped::Pending), _, Some(id)) => Action::Nothing { id: Some(id) },
            (None, Live::Found { id, .. }, _) => {
                let taken = format!("there is a record with this value already, {id}");
                let property = self.rules.id_property.as_deref().unwrap_or("hs_object_id");
                Action::Refuse(Refusal::of(property, candidate.unique.as_deref(), taken))
            }
            _ => Action::Create,
        }
    }

    /// Leaves out what need not be written: values that may only fill a gap where there is none, and, when asked, those
    /// that are there already.
    fn reduced(self, candidate: Candidate, action: Action) -> Planned {
        let Candidate { mut values, live, .. } = candidate;
        if action == Action::Create {
            // A new record has nothing to be emptied.
            values.retain(|_, value| !value.is_empty());
        }
        let (true, Live::Found { id, values: there }) = (writes(&action), live) else {
            return Planned {
                action,
                values,
                before: None,
            };
        };
        let values: BTreeMap<_, _> = values
            .into_iter()
            .filter(|(name, value)| self.is_wanted(name, value, &there))
            .collect();
        let action = if values.is_empty() {
            Action::Nothing { id: Some(id) }
        } else {
            action
        };
        Planned {
            action,
            before: Some(there),
            values,
        }
    }

    fn is_wanted(self, name: &str, value: &str, there: &BTreeMap<String, String>) -> bool {
        let current = there.get(name).map(String::as_str);
        if self.rules.set_if_empty.iter().any(|gap| gap == name) && current.is_some() {
            return false;
        }
        let property = self.definitions.get(name);
        let is_same = || match (current, value) {
            (None, value) => value.is_empty(),
            (Some(current), value) => property.is_some_and(|property| same(current, value, property)),
        };
        !(self.rules.changed_only.unwrap_or_default() && is_same())
    }
}

fn writes(action: &Action) -> bool {
    matches!(
        action,
        Action::Update { .. } | Action::UpdateBy { .. } | Action::Upsert { .. }
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn candidate() -> Candidate {
        Candidate {
            values: BTreeMap::from([("city".to_owned(), "Bonn".to_owned())]),
            ..Candidate::default()
        }
    }

    fn id(mut candidate: Candidate) -> Candidate {
        candidate.id = Some("1".to_owned());
        candidate
    }

    fn mapped(mut candidate: Candidate) -> Candidate {
        candidate.mapped = Some(Mapped::Id("2".to_owned()));
        candidate
    }

    fn pending(mut candidate: Candidate) -> Candidate {
        candidate.mapped = Some(Mapped::Pending);
        candidate
    }

    fn unique(mut candidate: Candidate) -> Candidate {
        candidate.unique = Some("a@b.c".to_owned());
        candidate
    }

    fn absent(mut candidate: Candidate) -> Candidate {
        candidate.live = Live::Absent;
        candidate
    }

    fn found(mut candidate: Candidate, city: &str) -> Candidate {
        let values = BTreeMap::from([("city".to_owned(), city.to_owned())]);
        candidate.live = Live::Found {
            id: "3".to_owned(),
            values,
        };
        candidate
    }

    fn gone(mut candidate: Candidate) -> Candidate {
        candidate.verb = Verb::Delete;
        candidate
    }

    fn decide(rules: serde_json::Value, candidate: Candidate) -> Planned {
        let rules: WriteRules = serde_json::from_value(rules).unwrap();
        let definitions =
            Definitions::new(serde_json::from_value(json!([{"name": "city", "type": "string"}])).unwrap());
        let deciding = Deciding {
            rules: &rules,
            definitions: &definitions,
        };
        deciding.decide(candidate)
    }

    /// The action in a word, with what it is found by.
    fn word(planned: &Planned) -> String {
        match &planned.action {
            Action::Create => "create".to_owned(),
            Action::Update { id } => format!("update {id}"),
            Action::UpdateBy { value } => format!("update by {value}"),
            Action::Upsert { value } => format!("upsert {value}"),
            Action::Archive { id } => format!("archive {id}"),
            Action::Nothing { id } => format!("nothing {}", id.as_deref().unwrap_or("-")),
            Action::Refuse(refusal) => format!("refuse: {refusal}"),
        }
    }

    #[test]
    fn what_is_known_of_a_record_decides_what_is_done() {
        let none = candidate;
        #[rustfmt::skip]
        let cases = [
            ("auto", none(), "create"),
            ("auto", id(none()), "update 1"),
            ("auto", mapped(none()), "update 2"),
            ("auto", mapped(unique(none())), "update 2"),
            ("auto", unique(none()), "upsert a@b.c"),
            ("auto", pending(unique(none())), "upsert a@b.c"),
            ("auto", found(pending(unique(none())), "x"), "update 3"),
            ("auto", absent(pending(none())), "create"),
            ("auto", absent(id(none())), "refuse: there is no record 1"),
            ("create", none(), "create"),
            ("create", unique(none()), "create"),
            ("create", mapped(none()), "nothing 2"),
            ("create", found(pending(unique(none())), "x"), "nothing 3"),
            ("create", absent(pending(unique(none()))), "create"),
            ("create", id(none()), "refuse: a record to be made has no id yet"),
            ("update", id(none()), "update 1"),
            ("update", unique(none()), "update by a@b.c"),
            ("update", absent(unique(none())), "refuse: there is no such record to change"),
            ("upsert", unique(none()), "upsert a@b.c"),
            ("upsert", none(), "refuse: property `email`: an upsert needs a value of it"),
            ("auto", gone(id(none())), "archive 1"),
            ("auto", gone(mapped(none())), "archive 2"),
            ("auto", gone(none()), "nothing -"),
            ("auto", absent(gone(unique(none()))), "nothing -"),
            ("auto", found(gone(unique(none())), "x"), "archive 3"),
        ];
        for (mode, candidate, expected) in cases {
            let described = format!("{mode} {candidate:?}");
            let planned = decide(json!({"write": mode, "id_property": "email"}), candidate);
            assert_eq!(word(&planned), expected, "{described}");
        }
        let kept = decide(json!({"deletes": "ignore"}), gone(id(candidate())));
        assert_eq!(word(&kept), "nothing 1");
        assert!(word(&decide(json!({"write": "update"}), candidate())).starts_with("refuse: nothing tells"));
    }

    #[test]
    fn only_what_differs_is_written_when_asked() {
        let changed = json!({"changed_only": true});
        let planned = decide(changed.clone(), found(candidate(), "Rome"));
        assert_eq!(word(&planned), "update 3");
        assert_eq!(planned.before.unwrap()["city"], "Rome");
        assert_eq!(
            word(&decide(changed.clone(), found(candidate(), "Bonn"))),
            "nothing 3"
        );
        assert_eq!(word(&decide(json!({}), found(candidate(), "Bonn"))), "update 3");
        let mut emptied = candidate();
        emptied.values.insert("city".to_owned(), String::new());
        emptied.live = Live::Found {
            id: "3".to_owned(),
            values: BTreeMap::new(),
        };
        assert_eq!(word(&decide(changed, emptied)), "nothing 3");
    }

    #[test]
    fn a_value_that_may_only_fill_a_gap_fills_it() {
        let rules = json!({"set_if_empty": ["city"]});
        assert_eq!(
            word(&decide(rules.clone(), found(candidate(), "Rome"))),
            "nothing 3"
        );
        let mut gap = candidate();
        gap.live = Live::Found {
            id: "3".to_owned(),
            values: BTreeMap::new(),
        };
        assert_eq!(word(&decide(rules.clone(), gap)), "update 3");
        assert_eq!(word(&decide(rules, candidate())), "create");
    }
}
