//! What is to be done with each record: a table of cases, without a call.

use std::collections::BTreeMap;

use opencdc::Mapped;
use serde::Serialize;

use super::config::{Deletes, WriteMode, WriteRules};
use super::refusal::{Problem, Refusal};
use super::rules::Definitions;
use super::send::{gone, lost_answer};
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
    /// A person has seen why it was refused, and sends it again.
    pub(crate) insisted: bool,
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
    /// Its id as the source knows it or as it is remembered.
    fn asked_id(&self) -> Option<&str> {
        let mapped = match &self.mapped {
            Some(Mapped::Id(id)) => Some(id.as_str()),
            _ => None,
        };
        self.id.as_deref().or(mapped)
    }

    /// Its id in HubSpot, as far as that is known; that of the survivor when it was merged into another.
    fn known_id(&self) -> Option<&str> {
        match &self.live {
            Live::Found { id, .. } => Some(id),
            Live::Unknown => self.asked_id(),
            Live::Absent => None,
        }
    }

    /// Whether it was perhaps made, and nobody could look.
    fn is_in_doubt(&self) -> bool {
        self.mapped == Some(Mapped::Pending) && self.live == Live::Unknown && !self.insisted
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
        match (candidate.asked_id(), candidate.known_id()) {
            _ if candidate.is_in_doubt() => Action::Refuse(lost_answer()),
            // The survivor is another record's, too.
            (Some(asked), Some(known)) if asked != known => Action::Refuse(Refusal::new(format!(
                "record {asked} was merged into {known}, which is left alone; archive that one if it is to be gone"
            ))),
            (_, Some(id)) if !kept => Action::Archive { id: id.to_owned() },
            (asked, _) => Action::Nothing {
                id: asked.map(str::to_owned),
            },
        }
    }

    fn save(self, candidate: &Candidate) -> Action {
        if let Some(refusal) = self.against(candidate) {
            return Action::Refuse(refusal);
        }
        let id = candidate.known_id().map(str::to_owned);
        let value = candidate.unique.clone();
        match (self.rules.mode(), id, value) {
            (WriteMode::Create, id, _) => self.create(candidate, id),
            (WriteMode::Auto | WriteMode::Update | WriteMode::Upsert, Some(id), _) => Action::Update { id },
            (WriteMode::Update, None, Some(value)) => Action::UpdateBy { value },
            (WriteMode::Update, None, None) => Action::Refuse(Refusal::new(
                "nothing tells which record it is: neither its id, nor a value of the `id_property`, and it has not \
                 been written before",
            )),
            (WriteMode::Auto | WriteMode::Upsert, None, Some(value)) => Action::Upsert { value },
            (WriteMode::Upsert, None, None) => {
                let property = self.rules.id_property.as_deref().unwrap_or_default();
                Action::Refuse(Refusal::of(property, None, "an upsert needs a value of it"))
            }
            (WriteMode::Auto, None, None) => Action::Create,
        }
    }

    /// What stands against writing a record at all.
    fn against(self, candidate: &Candidate) -> Option<Refusal> {
        let mode = self.rules.mode();
        let upserts = matches!(mode, WriteMode::Auto | WriteMode::Upsert) && candidate.unique.is_some();
        match (candidate.is_absent(), &candidate.id, &candidate.mapped) {
            // An upsert may be sent twice: it finds what was made.
            (false, _, _) => (candidate.is_in_doubt() && !upserts).then(lost_answer),
            // An id that the source gives must be right: a record is not made under another.
            (true, Some(id), _) => Some(Refusal::new(format!("there is no record {id}"))),
            (true, None, Some(Mapped::Id(id))) if !candidate.insisted => Some(gone(id)),
            (true, None, _) => {
                (mode == WriteMode::Update).then(|| Refusal::new("there is no such record to change"))
            }
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

    fn insisted(mut candidate: Candidate) -> Candidate {
        candidate.insisted = true;
        candidate
    }

    fn gone(mut candidate: Candidate) -> Candidate {
        candidate.verb = Verb::Delete;
        candidate
    }

    fn decide(rules: serde_json::Value, candidate: Candidate) -> Planned {
        let rules: WriteRules = serde_json::from_value(rules).unwrap();
        let definitions = Definitions::new(
            crate::objects::resolve("contacts").unwrap(),
            serde_json::from_value(json!([{"name": "city", "type": "string"}])).unwrap(),
        );
        let deciding = Deciding {
            rules: &rules,
            definitions: &definitions,
        };
        deciding.decide(candidate)
    }

    const MERGED: &str =
        "refuse: record 1 was merged into 3, which is left alone; archive that one if it is to be gone";

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
            ("auto", insisted(pending(none())), "create"),
            ("auto", insisted(absent(mapped(none()))), "create"),
            ("auto", insisted(mapped(none())), "update 2"),
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
            ("auto", found(gone(id(none())), "x"), MERGED),
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
        for in_doubt in [pending(none()), gone(pending(none()))] {
            let planned = decide(json!({}), in_doubt);
            assert!(word(&planned).contains("answer was lost"), "{planned:?}");
        }
        let missed = decide(json!({}), absent(mapped(none())));
        assert!(word(&missed).contains("no record 2 any more"), "{missed:?}");
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
