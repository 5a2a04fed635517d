//! The comparisons: one record, its links, pages, searches, and the whole account.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Run;
use super::account::{Kind, Life, Record};
use super::operations::results;

const OPERATORS: [&str; 13] = [
    "EQ",
    "NEQ",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "BETWEEN",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
];

impl Run {
    /// A record as GET shows it, alive or in the recycle bin; everything else is not found.
    pub(super) async fn check_record(&mut self, kind: Kind, id: u64) {
        let names = kind.properties().join(",");
        let path = format!("/crm/v3/objects/{}/{id}?properties={names}", kind.path());
        let answer = self.desk.get(&path).await;
        let target = self.account.resolve(kind, id);
        let (expected, what) = (if target.is_some() { 200 } else { 404 }, format!("GET {path}"));
        self.same(&what, &answer.status, &expected);
        if let Some(id) = target {
            self.same(&what, &answer.body["id"], &json!(id.to_string()));
            self.check_shown(kind, id, &answer.body);
        }
        let archived = self.desk.get(&format!("{path}&archived=true")).await;
        let known = self.account.records(kind).get(&id);
        let in_bin = known.is_some_and(|record| record.life == Life::Archived);
        self.same(&what, &archived.status, &if in_bin { 200 } else { 404 });
        if in_bin {
            self.check_shown(kind, id, &archived.body);
        }
    }

    /// Every property that an answer shows has the model's value; times are compared too.
    pub(super) fn check_shown(&self, kind: Kind, id: u64, shown: &Value) {
        let Some(record) = self.account.records(kind).get(&id) else {
            return self.same("known", &id, &0);
        };
        let what = format!("{kind:?} {id}: {shown}");
        for (name, value) in shown["properties"].as_object().into_iter().flatten() {
            if kind.properties().contains(&name.as_str()) {
                self.same(
                    &format!("{name} of {what}"),
                    &value.as_str(),
                    &record.values.get(name).map(String::as_str),
                );
            }
        }
        self.same(&what, &shown["createdAt"], &json!(record.created));
        self.same(&what, &shown["updatedAt"], &json!(record.updated));
        self.same(&what, &shown["archived"], &json!(record.life == Life::Archived));
    }

    pub(super) async fn check_links(&mut self, kind: Kind, id: u64) {
        if !self.account.is_live(kind, id) {
            return;
        }
        let other = match kind {
            Kind::Contacts => "companies",
            Kind::Companies => "contacts",
        };
        let limit = 1 + self.chance.below(8);
        let base = format!(
            "/crm/v4/objects/{}/{id}/associations/{other}?limit={limit}",
            kind.path()
        );
        let (mut told, mut path) = (Vec::new(), base.clone());
        loop {
            let page = self.desk.get(&path).await;
            self.same(&path, &page.status, &200);
            told.extend(results(&page).iter().map(link_told));
            let Some(after) = page.body["paging"]["next"]["after"].as_str() else {
                break;
            };
            let after: String = form_urlencoded::byte_serialize(after.as_bytes()).collect();
            path = format!("{base}&after={after}");
        }
        self.same(&base, &told, &self.account.links_of(kind, id));
    }

    /// Pages of a random size, of the live records or of the recycle bin.
    pub(super) async fn check_lists(&mut self, kind: Kind) {
        let archived = self.chance.percent(30);
        let limit = 1 + self.chance.below(100);
        let life = if archived { Life::Archived } else { Life::Live };
        let names = kind.properties().join(",");
        let base = format!(
            "/crm/v3/objects/{}?limit={limit}&archived={archived}&properties={names}",
            kind.path()
        );
        let (mut told, mut path) = (Vec::new(), base.clone());
        loop {
            let page = self.desk.get(&path).await;
            self.same(&path, &page.status, &200);
            for record in results(&page) {
                let id = record["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0);
                self.check_shown(kind, id, record);
                told.push(id);
            }
            match page.body["paging"]["next"]["after"].as_str() {
                Some(after) => path = format!("{base}&after={after}"),
                None => break,
            }
        }
        self.same(&base, &told, &self.account.with_life(kind, life));
    }

    pub(super) async fn search(&mut self, kind: Kind) {
        let name = match kind {
            Kind::Contacts => ["firstname", "jobtitle", "lastname"][self.chance.below(3)],
            Kind::Companies => ["name", "city"][self.chance.below(2)],
        };
        let value = self.chance.value(name);
        let operator = OPERATORS[self.chance.below(OPERATORS.len())];
        if value.is_empty() {
            return;
        }
        let filter = match operator {
            "IN" | "NOT_IN" => {
                json!({"propertyName": name, "operator": operator, "values": [value.to_lowercase(), "zoe"]})
            }
            "BETWEEN" => {
                json!({"propertyName": name, "operator": operator, "value": value, "highValue": "BOB B"})
            }
            _ => json!({"propertyName": name, "operator": operator, "value": value}),
        };
        let fits = |record: &Record| {
            let held = record.values.get(name).filter(|held| !held.is_empty());
            let Some(held) = held.map(|held| held.to_lowercase()) else {
                return matches!(operator, "NOT_HAS_PROPERTY" | "NOT_CONTAINS_TOKEN");
            };
            let value = value.to_lowercase();
            match operator {
                "EQ" | "IN" => held == value,
                "NEQ" | "NOT_IN" => held != value,
                "HAS_PROPERTY" => true,
                "LT" => held < value,
                "LTE" => held <= value,
                "GT" => held > value,
                "GTE" => held >= value,
                "BETWEEN" => (value.as_str()..="bob b").contains(&held.as_str()),
                "CONTAINS_TOKEN" => has_tokens(&held, &value),
                "NOT_CONTAINS_TOKEN" => !has_tokens(&held, &value),
                _ => false,
            }
        };
        let live = self
            .account
            .records(kind)
            .iter()
            .filter(|(_, record)| record.life == Life::Live);
        let expected: BTreeSet<u64> = live
            .filter(|(_, record)| fits(record))
            .map(|(id, _)| *id)
            .collect();
        self.check_search(kind, &filter, expected).await;
        self.check_changed_since(kind).await;
    }

    /// What changed since some record did, oldest change first.
    async fn check_changed_since(&mut self, kind: Kind) {
        let known: Vec<u64> = self.account.records(kind).keys().copied().collect();
        let Some(id) = self.chance.pick(&known) else {
            return;
        };
        let since = self.account.records(kind)[&id].updated.clone();
        let name = match kind {
            Kind::Contacts => "lastmodifieddate",
            Kind::Companies => "hs_lastmodifieddate",
        };
        let live = self
            .account
            .records(kind)
            .iter()
            .filter(|(_, record)| record.life == Life::Live);
        let expected: BTreeSet<u64> = live
            .filter(|(_, record)| record.updated >= since)
            .map(|(id, _)| *id)
            .collect();
        let filter = json!({"propertyName": name, "operator": "GTE", "value": since});
        self.check_search(kind, &filter, expected).await;
    }

    async fn check_search(&mut self, kind: Kind, filter: &Value, expected: BTreeSet<u64>) {
        let path = format!("/crm/v3/objects/{}/search", kind.path());
        let (mut told, mut updated, mut after) = (BTreeSet::new(), Vec::new(), json!("0"));
        let sort = match kind {
            Kind::Contacts => "lastmodifieddate",
            Kind::Companies => "hs_lastmodifieddate",
        };
        while after.is_string() {
            let body = json!({"filterGroups": [{"filters": [filter]}], "sorts": [sort], "limit": 50, "after": after, "properties": kind.properties()});
            let answer = self.post(&path, body).await;
            self.same(&answer.text, &answer.status, &200);
            self.same("total", &answer.body["total"], &json!(expected.len()));
            for record in results(&answer) {
                let id = record["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0);
                self.check_shown(kind, id, record);
                updated.push(record["updatedAt"].to_string());
                told.insert(id);
            }
            after = answer.body["paging"]["next"]["after"].clone();
        }
        self.same("found", &told, &expected);
        self.same("oldest change first", &updated.is_sorted(), &true);
    }

    /// The whole account by the emulator's own record of the truth, and every link.
    pub(super) async fn check_everything(&mut self) {
        self.doing = "everything".into();
        for kind in [Kind::Contacts, Kind::Companies] {
            let lines = self
                .desk
                .lines(&format!("/_emulator/truth/{}", kind.path()))
                .await;
            let told: BTreeMap<u64, Value> = lines.into_iter().map(|line| (id(&line["id"]), line)).collect();
            let known: Vec<u64> = self.account.records(kind).keys().copied().collect();
            self.same("ids", &told.keys().copied().collect::<Vec<u64>>(), &known);
            for (id, line) in &told {
                self.check_truth(&self.account.records(kind)[id], line);
            }
            for id in known {
                self.check_links(kind, id).await;
            }
            self.check_lists(kind).await;
        }
    }

    fn check_truth(&self, record: &Record, line: &Value) {
        let (state, into) = match record.life {
            Life::Live => ("live", None),
            Life::Archived => ("archived", None),
            Life::Purged => ("purged", None),
            Life::Merged(into) => ("merged", Some(into.to_string())),
        };
        let what = line.to_string();
        self.same(&what, &line["state"], &json!(state));
        self.same(&what, &line["mergedInto"], &json!(into));
        let merged = line["properties"]["hs_merged_object_ids"].as_str().unwrap_or("");
        let merged: BTreeSet<u64> = merged.split(';').filter_map(|id| id.parse().ok()).collect();
        if record.life != Life::Purged {
            self.same(&what, &merged, &record.merged);
            self.same(&what, &line["updatedAt"], &json!(record.updated));
        }
    }
}

fn id(value: &Value) -> u64 {
    value.as_str().and_then(|id| id.parse().ok()).unwrap_or(0)
}

/// The other end of a link, and whether it is the primary one.
fn link_told(link: &Value) -> (u64, bool) {
    let types = link["associationTypes"].as_array().map_or(0, Vec::len);
    (link["toObjectId"].as_u64().unwrap_or(0), types == 2)
}

/// Whether the words of one text follow each other in the other, both in lower case.
fn has_tokens(text: &str, wanted: &str) -> bool {
    fn words(text: &str) -> Vec<&str> {
        text.split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect()
    }
    let (held, wanted) = (words(text), words(wanted));
    (0..held.len()).any(|at| held[at..].starts_with(&wanted))
}
