//! Associations of contacts and companies, one by one and in batches.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Run;
use super::account::Kind;
use super::operations::results;

/// A contact and a company.
type Pair = (u64, u64);

impl Run {
    pub(super) async fn link(&mut self) {
        let (contact, company) = (self.some_id(Kind::Contacts), self.some_id(Kind::Companies));
        let primary = self.chance.percent(40);
        let path = if primary {
            format!("/crm/v4/objects/contacts/{contact}/associations/companies/{company}")
        } else {
            format!("/crm/v4/objects/contacts/{contact}/associations/default/companies/{company}")
        };
        let body =
            primary.then(|| json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]));
        let answer = self.call("PUT", &path, body).await;
        let ends = (
            self.account.resolve(Kind::Contacts, contact),
            self.account.resolve(Kind::Companies, company),
        );
        let expected = match ends {
            (Some(_), Some(_)) if primary => 201,
            (Some(_), Some(_)) => 200,
            _ => 404,
        };
        if self.status(&answer, expected)
            && let (Some(contact), Some(company)) = ends
        {
            self.account.link(contact, company, primary);
            self.check_links(Kind::Contacts, contact).await;
            self.check_links(Kind::Companies, company).await;
        }
    }

    pub(super) async fn unlink(&mut self) {
        let live = |pair: &&(u64, u64)| {
            self.account.is_live(Kind::Contacts, pair.0) && self.account.is_live(Kind::Companies, pair.1)
        };
        let pairs: Vec<Pair> = self.account.links.keys().filter(live).copied().collect();
        let Some((contact, company)) = self.chance.pick(&pairs) else {
            return;
        };
        let path = format!("/crm/v4/objects/companies/{company}/associations/contacts/{contact}");
        let answer = self.call("DELETE", &path, None).await;
        self.status(&answer, 204);
        self.account.links.remove(&(contact, company));
        self.check_links(Kind::Contacts, contact).await;
    }

    /// Some pairs of ids, each with what it leads to if both ends are there.
    fn some_pairs(&mut self) -> Vec<(Pair, Option<Pair>)> {
        let count = 1 + self.chance.below(5);
        let mut pairs = Vec::new();
        for _ in 0..count {
            let asked = (self.some_id(Kind::Contacts), self.some_id(Kind::Companies));
            let contact = self.account.resolve(Kind::Contacts, asked.0);
            let company = self.account.resolve(Kind::Companies, asked.1);
            pairs.push((asked, contact.zip(company)));
        }
        pairs
    }

    /// With types, each input has an outcome of its own, and the last primary company of a contact stays it;
    /// without, all or nothing.
    pub(super) async fn batch_link(&mut self) {
        let (primary, pairs) = (self.chance.percent(50), self.some_pairs());
        let types = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]);
        let input = |((contact, company), _): &(Pair, Option<Pair>)| {
            let mut input = json!({"from": {"id": contact.to_string()}, "to": {"id": company.to_string()}});
            if primary {
                input["types"] = types.clone();
            }
            input
        };
        let inputs: Vec<Value> = pairs.iter().map(input).collect();
        let (path, each) = if primary {
            ("/crm/v4/associations/contacts/companies/batch/create", 1)
        } else {
            (
                "/crm/v4/associations/contacts/companies/batch/associate/default",
                2,
            )
        };
        let answer = self.post(path, json!({"inputs": inputs})).await;
        let found: Vec<Pair> = pairs.iter().filter_map(|(_, ends)| *ends).collect();
        let expected = match (found.len() == pairs.len(), primary) {
            (true, true) => 201,
            (true, false) => 200,
            (false, true) => 207,
            (false, false) => 400,
        };
        if !self.status(&answer, expected) {
            return;
        }
        self.same("linked", &results(&answer).len(), &(found.len() * each));
        let errors = answer.body["numErrors"].as_u64().unwrap_or(0);
        self.same("errors", &errors, &((pairs.len() - found.len()) as u64));
        for (contact, company) in found {
            self.account.link(contact, company, primary);
        }
        for (_, ends) in pairs {
            if let Some((contact, company)) = ends {
                self.check_links(Kind::Contacts, contact).await;
                self.check_links(Kind::Companies, company).await;
            }
        }
    }

    /// Takes some pairs apart, or only their primary labels.
    pub(super) async fn batch_unlink(&mut self) {
        let live = |pair: &&(u64, u64)| {
            self.account.is_live(Kind::Contacts, pair.0) && self.account.is_live(Kind::Companies, pair.1)
        };
        let all: Vec<Pair> = self.account.links.keys().filter(live).copied().collect();
        let pairs: Vec<Pair> = (0..3).filter_map(|_| self.chance.pick(&all)).collect();
        let label_only = self.chance.percent(50);
        let input = |(contact, company): &(u64, u64)| {
            let (from, to) = (
                json!({"id": contact.to_string()}),
                json!({"id": company.to_string()}),
            );
            if label_only {
                let types = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]);
                json!({"from": from, "to": to, "types": types})
            } else {
                json!({"from": from, "to": [to]})
            }
        };
        let inputs: Vec<Value> = pairs.iter().map(input).collect();
        let path = if label_only {
            "/crm/v4/associations/contacts/companies/batch/labels/archive"
        } else {
            "/crm/v4/associations/contacts/companies/batch/archive"
        };
        let answer = self.post(path, json!({"inputs": inputs})).await;
        self.status(&answer, 204);
        for pair in &pairs {
            if label_only {
                self.account
                    .links
                    .entry(*pair)
                    .and_modify(|primary| *primary = false);
            } else {
                self.account.links.remove(pair);
            }
        }
        for (contact, _) in pairs {
            self.check_links(Kind::Contacts, contact).await;
        }
    }

    /// Records without a link are errors, also those that are not there.
    pub(super) async fn batch_read_links(&mut self) {
        let ids: Vec<u64> = (0..5).map(|_| self.some_id(Kind::Contacts)).collect();
        let ids: std::collections::BTreeSet<u64> = ids.into_iter().collect();
        let inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id.to_string()})).collect();
        let path = "/crm/associations/2026-09/contacts/companies/batch/read";
        let answer = self.post(path, json!({"inputs": inputs})).await;
        let told: BTreeMap<u64, Vec<u64>> = results(&answer).iter().map(links_told).collect();
        let links = |id: &u64| {
            let links = self.account.links_of(Kind::Contacts, *id);
            let to: Vec<u64> = links.into_iter().map(|(to, _)| to).collect();
            (self.account.is_live(Kind::Contacts, *id) && !to.is_empty()).then_some((*id, to))
        };
        let expected: BTreeMap<u64, Vec<u64>> = ids.iter().filter_map(links).collect();
        self.status(&answer, if expected.len() == ids.len() { 200 } else { 207 });
        self.same("links", &told, &expected);
    }
}

fn links_told(result: &Value) -> (u64, Vec<u64>) {
    let from = result["from"]["id"].as_str().and_then(|id| id.parse().ok());
    let to = result["to"].as_array().into_iter().flatten();
    (
        from.unwrap_or(0),
        to.filter_map(|link| link["toObjectId"].as_u64()).collect(),
    )
}
