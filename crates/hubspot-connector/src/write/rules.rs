//! Which values of a record may be written: property definitions against what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use hubspot_client::Property;
use opencdc::{Error, ErrorKind};

use super::config::{MissingProperty, ReadOnly, WriteRules};
use super::refusal::{Problem, Refusal};
use super::shape::{Verb, Wanted};
use super::value::fitted;
use crate::objects::{ObjectType, UnknownObject};

/// The properties of an object type, by name.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    /// The plural name of the type, for people.
    object: String,
    properties: BTreeMap<String, Property>,
    /// The names by their lower case.
    folded: BTreeMap<String, String>,
    /// Those that no two records share, a contact's `email` first.
    unique: Vec<String>,
}

/// The values of a record that may be written, and what is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Checked {
    pub(crate) values: BTreeMap<String, String>,
    /// Read-only properties that were left out.
    pub(crate) read_only: Vec<String>,
    /// Properties that the object does not have, left out.
    pub(crate) missing: Vec<String>,
}

impl Definitions {
    pub(crate) fn new(object: &ObjectType, properties: Vec<Property>) -> Self {
        let mut unique: Vec<_> = properties
            .iter()
            .filter(|property| object.is_unique(property))
            .map(|property| property.name.clone())
            .collect();
        // A contact is best found by its address.
        unique.sort_by_key(|name| (name != "email", name.clone()));
        let properties: BTreeMap<_, _> = properties
            .into_iter()
            .map(|property| (property.name.clone(), property))
            .collect();
        let folded = properties.keys().map(|name| (name.to_lowercase(), name.clone()));
        Self {
            object: object.name.to_string(),
            folded: folded.collect(),
            properties,
            unique,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Property> {
        self.properties.get(name)
    }

    /// The name of the property that a field fills.
    pub(crate) fn find(&self, field: &str, rules: &WriteRules) -> Result<&Property, String> {
        let name = rules.properties.get(field).map_or(field, String::as_str);
        let folded = || {
            let fold = rules.fold_names.unwrap_or_default();
            self.folded.get(&name.to_lowercase()).filter(|_| fold)
        };
        let found = self.get(name).or_else(|| self.get(folded()?));
        found.ok_or_else(|| name.to_owned())
    }

    /// The properties among `values` that no two records share, a contact's `email` first.
    pub(crate) fn unique_among<'a>(
        &'a self,
        values: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = &'a str> {
        let filled = |name: &&str| values.get(*name).is_some_and(|value| !value.is_empty());
        self.unique.iter().map(String::as_str).filter(filled)
    }

    /// Whether no two records have the same value of a property.
    pub(crate) fn is_unique(&self, name: &str) -> bool {
        self.unique.iter().any(|unique| unique == name)
    }

    /// Refuses a property that `key` of the settings names and that is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with the nearest name.
    pub(crate) fn require(&self, key: &str, name: &str) -> opencdc::Result<()> {
        if self.properties.contains_key(name) {
            return Ok(());
        }
        let near = self.nearest(name).map(|near| format!("; did you mean `{near}`?"));
        let (object, near) = (&self.object, near.unwrap_or_default());
        let message = format!("`{key}`: {object} have no property `{name}`{near}");
        Err(Error::new(ErrorKind::Configuration, message)
            .with_hint(format!("`spoke describe {object}` lists them")))
    }

    /// Every property that the rules name is there, and the `id_property` is one that records are found by.
    pub(crate) fn check_names(&self, rules: &WriteRules) -> opencdc::Result<()> {
        if let Some(name) = &rules.id_property {
            self.require("id_property", name)?;
            if !self.is_unique(name) {
                let message = format!("`id_property`: two {} may have the same `{name}`", self.object);
                return Err(Error::new(ErrorKind::Configuration, message)
                    .with_hint("name a property with unique values; of contacts, `email` is one"));
            }
        }
        let mut gaps = rules.set_if_empty.iter();
        gaps.try_for_each(|name| self.require("set_if_empty", name))?;
        let made = rules.missing_property == Some(MissingProperty::Create);
        let mut renamed = rules.properties.values().filter(|_| !made);
        renamed.try_for_each(|name| self.require("properties", name))
    }

    /// The property that is most like a name that none has, to be suggested.
    pub(crate) fn nearest(&self, name: &str) -> Option<String> {
        let names = self.properties.keys().map(String::as_str);
        UnknownObject::new(name, names).nearest().map(str::to_owned)
    }

    /// The values that may be written.
    ///
    /// # Errors
    /// Everything that the rules refuse, in one refusal.
    pub(crate) fn check(&self, wanted: &Wanted, rules: &WriteRules) -> Result<Checked, Refusal> {
        if let Some(refusal) = &wanted.refusal {
            return Err(refusal.clone());
        }
        let mut check = Check {
            definitions: self,
            rules,
            skipped: skipped(wanted, rules),
            checked: Checked::default(),
            filled: BTreeMap::new(),
            problems: Vec::new(),
        };
        for (field, text) in &wanted.values {
            check.value(field, text);
        }
        for (field, what) in &wanted.unfit {
            check.unfit(field, what);
        }
        // A record that is to be gone is only looked for by its values.
        if check.problems.is_empty() || wanted.verb == Verb::Delete {
            return Ok(check.checked);
        }
        Err(check.problems.into())
    }
}

/// Fields that fill no property unless there is one of just their name.
fn skipped<'a>(wanted: &'a Wanted, rules: &'a WriteRules) -> BTreeSet<&'a str> {
    let links = rules.associations.iter().map(|link| link.field.as_str());
    wanted
        .key_fields
        .iter()
        .map(String::as_str)
        .chain(links)
        .collect()
}

struct Check<'a> {
    definitions: &'a Definitions,
    rules: &'a WriteRules,
    skipped: BTreeSet<&'a str>,
    checked: Checked,
    /// The field that filled a property.
    filled: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn value(&mut self, field: &str, text: &str) {
        if self.rules.ignore.iter().any(|ignored| ignored == field) {
            return;
        }
        match self.definitions.find(field, self.rules) {
            Ok(property) if property.is_read_only() => self.read_only(&property.name, text),
            Ok(property) => self.fill(property, field, text),
            Err(_) if self.skipped.contains(field) => {}
            Err(name) => self.missing(&name, text),
        }
    }

    /// Two fields may fill one property, by a rename or by folding, as long as they agree.
    fn fill(&mut self, property: &Property, field: &str, text: &str) {
        let name = &property.name;
        let value = fitted(text.to_owned(), property);
        if let Some(other) = self.filled.insert(name.clone(), field.to_owned())
            && self.checked.values.get(name) != Some(&value)
        {
            let reason = format!(
                "the fields `{other}` and `{field}` both fill it, with different values; name one of them in `ignore`"
            );
            self.problems.push(Problem::of(name, Some(text), reason));
        }
        self.checked.values.insert(name.clone(), value);
    }

    fn read_only(&mut self, name: &str, text: &str) {
        match self.rules.read_only.unwrap_or_default() {
            ReadOnly::Strip => self.checked.read_only.push(name.to_owned()),
            ReadOnly::Fail => {
                let reason = "the property is read-only; leave it out, or set `read_only: strip`";
                self.problems.push(Problem::of(name, Some(text), reason));
            }
        }
    }

    fn missing(&mut self, name: &str, text: &str) {
        match self.rules.missing_property.unwrap_or_default() {
            MissingProperty::Ignore | MissingProperty::Create => self.checked.missing.push(name.to_owned()),
            MissingProperty::Fail => {
                let near = self.definitions.nearest(name);
                let near = near
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                let reason = format!("there is no such property (PROPERTY_DOESNT_EXIST){near}");
                self.problems.push(Problem::of(name, Some(text), reason));
            }
        }
    }

    fn unfit(&mut self, field: &str, what: &str) {
        let ignored =
            self.rules.ignore.iter().any(|ignored| ignored == field) || self.skipped.contains(field);
        let lenient = self.rules.missing_property.unwrap_or_default() == MissingProperty::Ignore;
        match self.definitions.find(field, self.rules) {
            _ if ignored => {}
            Err(name) if lenient => self.checked.missing.push(name),
            Ok(Property { name, .. }) => self.problems.push(Problem::of(name, None, holds(what))),
            Err(name) => self.problems.push(Problem::of(&name, None, holds(what))),
        }
    }
}

fn holds(what: &str) -> String {
    format!("the field holds {what}, and a property holds a text")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects::resolve;

    fn definitions(object: &str) -> Definitions {
        let properties = json!([
            {"name": "email", "type": "string", "hasUniqueValue": false},
            {"name": "city", "type": "string"},
            {"name": "vip", "type": "bool"},
            {"name": "createdate", "type": "datetime", "modificationMetadata": {"readOnlyValue": true}},
            {"name": "score", "type": "number", "calculated": true},
            {"name": "crm_no", "type": "string", "hasUniqueValue": true},
        ]);
        let object = resolve(object).unwrap();
        Definitions::new(object, serde_json::from_value(properties).unwrap())
    }

    fn check(values: &[(&str, &str)], rules: serde_json::Value) -> Result<Checked, String> {
        let rules: WriteRules = serde_json::from_value(rules).unwrap();
        let mut wanted = Wanted::save(values.iter().copied());
        wanted.key_fields = vec!["row".to_owned()];
        definitions("contacts")
            .check(&wanted, &rules)
            .map_err(|refusal| refusal.to_string())
    }

    fn names(values: &BTreeMap<String, String>) -> Vec<&str> {
        values.keys().map(String::as_str).collect()
    }

    #[test]
    fn read_only_values_are_left_out_and_named_or_refused() {
        let values = [("city", "Bonn"), ("createdate", "2024-01-01"), ("score", "3")];
        let checked = check(&values, json!({})).unwrap();
        assert_eq!(names(&checked.values), ["city"]);
        assert_eq!(checked.read_only, ["createdate", "score"]);
        let refused = check(&values, json!({"read_only": "fail"})).unwrap_err();
        assert!(
            refused.contains("`createdate`") && refused.contains("`score`"),
            "{refused}"
        );
    }

    #[test]
    fn missing_properties_are_refused_with_the_nearest_name_or_left_out() {
        let refused = check(&[("citty", "Bonn")], json!({})).unwrap_err();
        assert!(
            refused.contains("value `Bonn`") && refused.contains("did you mean `city`?"),
            "{refused}"
        );
        let ignored = check(&[("citty", "Bonn")], json!({"missing_property": "ignore"})).unwrap();
        assert_eq!(ignored.missing, ["citty"]);
    }

    #[test]
    fn fields_are_renamed_folded_and_ignored_as_asked() {
        let values = [("Mail", "a@b.c"), ("CITY", "Bonn"), ("secret", "x"), ("row", "7")];
        let rules = json!({"properties": {"Mail": "email"}, "fold_names": true, "ignore": ["secret"]});
        assert_eq!(names(&check(&values, rules).unwrap().values), ["city", "email"]);
        assert!(
            check(&values, json!({"ignore": ["secret", "Mail"]}))
                .unwrap_err()
                .contains("`CITY`")
        );
    }

    #[test]
    fn two_fields_that_fill_one_property_must_agree() {
        let rules = json!({"properties": {"Mail": "email"}, "fold_names": true});
        let refused = check(&[("Mail", "a@b.c"), ("email", "d@e.f")], rules.clone()).unwrap_err();
        assert!(
            refused.contains("property `email`") && refused.contains("`Mail` and `email`"),
            "{refused}"
        );
        assert!(check(&[("CITY", "Bonn"), ("city", "Rome")], rules.clone()).is_err());
        let agreed = check(&[("Mail", "a@b.c"), ("email", "a@b.c")], rules).unwrap();
        assert_eq!(agreed.values["email"], "a@b.c");
    }

    #[test]
    fn values_take_the_form_that_the_type_wants() {
        assert_eq!(check(&[("vip", "1")], json!({})).unwrap().values["vip"], "true");
    }

    #[test]
    fn a_record_is_found_again_by_a_unique_property() {
        let unique = |pairs: &[(&str, &str)], contacts| {
            let values = Wanted::save(pairs.iter().copied()).values;
            let definitions = definitions(if contacts { "contacts" } else { "companies" });
            definitions
                .unique_among(&values)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            unique(&[("crm_no", "7"), ("email", "a"), ("city", "b")], true),
            ["email", "crm_no"]
        );
        assert_eq!(unique(&[("crm_no", "7"), ("email", "a")], false), ["crm_no"]);
        assert!(unique(&[("crm_no", "")], true).is_empty());
    }
}
