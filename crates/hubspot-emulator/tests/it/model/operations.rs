//! One random operation at a time: what is asked, and what the model makes of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Run;
use super::account::{Kind, Life, Values, addresses};
use crate::desk::Answer;

fn id_of(record: &Value) -> u64 {
    let id = record["id"].as_str().and_then(|id| id.parse().ok());
    id.unwrap_or_default()
}

impl Run {
    pub(super) async fn operate(&mut self) {
        let kind = self.chance.kind();
        match self.chance.below(100) {
            0..14 => self.create(kind).await,
            14..32 => self.update(kind).await,
            32..38 => self.archive(kind).await,
            38..43 => self.restore(kind).await,
            43..46 => self.merge(kind).await,
            46..48 => self.gdpr_delete().await,
            48..53 => self.batch_create(kind).await,
            53..58 => self.batch_update(kind).await,
            58..62 => self.batch_upsert().await,
            62..64 => self.batch_archive(kind).await,
            64..70 => self.link().await,
            70..72 => self.batch_link().await,
            72..74 => self.unlink().await,
            74..75 => self.batch_unlink().await,
            75..77 => self.batch_read_links().await,
            77..83 => self.read(kind).await,
            83..88 => self.batch_read(kind).await,
            88..93 => self.check_lists(kind).await,
            _ => self.search(kind).await,
        }
    }

    /// An id that is mostly a live record's, else any that ever was, else none's.
    pub(super) fn some_id(&mut self, kind: Kind) -> u64 {
        let live = self.account.with_life(kind, Life::Live);
        let known: Vec<u64> = self.account.records(kind).keys().copied().collect();
        let list = if self.chance.percent(85) { live } else { known };
        self.chance.pick(&list).unwrap_or(999_999_999)
    }

    async fn create(&mut self, kind: Kind) {
        let asked = self.chance.values(kind);
        let employer =
            (kind == Kind::Contacts && self.chance.percent(30)).then(|| self.some_id(Kind::Companies));
        let link = |company: u64| {
            let types = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]);
            json!({"to": {"id": company.to_string()}, "types": types})
        };
        let links: Vec<Value> = employer.into_iter().map(link).collect();
        let path = format!("/crm/v3/objects/{}", kind.path());
        let body = json!({"properties": asked, "associations": links});
        let answer = self.post(&path, body).await;
        let company = employer.map(|id| self.account.resolve(Kind::Companies, id));
        let expected = match self.account.check_create(kind, &asked) {
            Err(status) => status,
            Ok(()) if company == Some(None) => 404,
            Ok(()) => 201,
        };
        if self.status(&answer, expected) {
            let id = id_of(&answer.body);
            self.account.create(kind, id, &asked);
            if let Some(company) = company.flatten() {
                self.account.link(id, company, true);
            }
            self.check_record(kind, id).await;
            self.check_links(kind, id).await;
        }
    }

    async fn update(&mut self, kind: Kind) {
        let (asked, id) = (self.chance.values(kind), self.some_id(kind));
        let by_email = kind == Kind::Contacts && self.chance.percent(25);
        let email = self.chance.email();
        let (target, path) = if by_email {
            (
                self.account.by_email(&email),
                format!("/crm/v3/objects/contacts/{email}?idProperty=email"),
            )
        } else {
            (
                self.account.resolve(kind, id),
                format!("/crm/objects/2026-03/{}/{id}", kind.path()),
            )
        };
        let answer = self
            .call("PATCH", &path, Some(json!({"properties": asked})))
            .await;
        let expected = match target {
            None => 404,
            Some(id) => self
                .account
                .check_update(kind, id, &asked)
                .map_or_else(|status| status, |()| 200),
        };
        if self.status(&answer, expected)
            && let Some(id) = target
        {
            self.account.update(kind, id, &asked);
            self.same("id", &id_of(&answer.body), &id);
            self.check_shown(kind, id, &answer.body);
            self.check_record(kind, id).await;
        }
    }

    async fn archive(&mut self, kind: Kind) {
        let id = self.some_id(kind);
        if matches!(
            self.account.records(kind).get(&id).map(|record| record.life),
            Some(Life::Merged(_))
        ) {
            return; // Not known: whether a DELETE follows an id that was merged away.
        }
        if self.account.is_primary(kind, id) {
            return; // Not known: whether a restored company is primary again.
        }
        let answer = self
            .call("DELETE", &format!("/crm/v3/objects/{}/{id}", kind.path()), None)
            .await;
        self.status(&answer, 204);
        if self.account.is_live(kind, id) {
            self.account.set_life(kind, id, Life::Archived);
        }
        self.check_record(kind, id).await;
    }

    /// The emulator chooses the record; the model only agrees that it could be restored.
    async fn restore(&mut self, kind: Kind) {
        let seed = self.chance.next() >> 1;
        let asked = json!({"objectType": kind.path(), "seed": seed, "restore": 1, "sameMillisecond": true});
        let answer = self.post("/_emulator/mutate", asked).await;
        self.status(&answer, 200);
        let restored: Option<u64> = answer.body["restore"][0].as_str().and_then(|id| id.parse().ok());
        let Some(id) = restored else { return };
        let life = self.account.records(kind).get(&id).map(|record| record.life);
        self.same("state before a restore", &life, &Some(Life::Archived));
        let own = addresses(&self.account.records(kind)[&id].values);
        let holder = own.iter().find_map(|email| self.account.by_email(email));
        self.same("who holds a restored address", &holder, &None);
        self.account.set_life(kind, id, Life::Live);
        self.check_record(kind, id).await;
    }

    async fn merge(&mut self, kind: Kind) {
        let (primary, other) = (self.some_id(kind), self.some_id(kind));
        let path = format!("/crm/v3/objects/{}/merge", kind.path());
        let body = json!({"primaryObjectId": primary.to_string(), "objectIdToMerge": other.to_string()});
        let answer = self.post(&path, body).await;
        let found = (
            self.account.resolve(kind, primary),
            self.account.resolve(kind, other),
        );
        let expected = match found {
            (Some(one), Some(two)) if one == two => 400,
            (Some(_), Some(_)) => 200,
            _ => 404,
        };
        if self.status(&answer, expected)
            && let (Some(one), Some(two)) = found
        {
            let survivor = id_of(&answer.body);
            self.account.merge(kind, one, two, survivor);
            self.check_record(kind, survivor).await;
            self.check_record(kind, one).await;
        }
    }

    async fn gdpr_delete(&mut self) {
        let (id, email) = (self.some_id(Kind::Contacts), self.chance.email());
        let by_email = self.chance.percent(50);
        let (target, body) = if by_email {
            (
                self.account.by_email(&email),
                json!({"objectId": email, "idProperty": "email"}),
            )
        } else {
            (
                self.account.erasable(Kind::Contacts, id),
                json!({"objectId": id.to_string()}),
            )
        };
        let answer = self.post("/crm/v3/objects/contacts/gdpr-delete", body).await;
        self.status(&answer, 204);
        if let Some(id) = target {
            self.account.purge(Kind::Contacts, id);
            self.check_record(Kind::Contacts, id).await;
        }
    }

    async fn batch_create(&mut self, kind: Kind) {
        let traced = self.chance.percent(50);
        let count = 1 + self.chance.below(4);
        let asked: Vec<Values> = (0..count).map(|_| self.chance.values(kind)).collect();
        let input = |(at, values): (usize, &Values)| match traced {
            true => json!({"properties": values, "objectWriteTraceId": at.to_string()}),
            false => json!({"properties": values}),
        };
        let inputs: Vec<Value> = asked.iter().enumerate().map(input).collect();
        let path = format!("/crm/v3/objects/{}/batch/create", kind.path());
        let answer = self.post(&path, json!({"inputs": inputs})).await;
        if traced {
            self.created_one_by_one(kind, &asked, &answer).await;
        } else {
            self.created_together(kind, &asked, &answer).await;
        }
    }

    /// With a trace id on every input, each input has an outcome of its own.
    async fn created_one_by_one(&mut self, kind: Kind, asked: &[Values], answer: &Answer) {
        let mut failed = 0;
        for (at, values) in asked.iter().enumerate() {
            if self.account.check_create(kind, values).is_err() {
                failed += 1;
                continue;
            }
            let trace = at.to_string();
            let made = results(answer)
                .iter()
                .find(|record| record["objectWriteTraceId"] == trace.as_str());
            self.same(
                &format!("input {at} made a record: {}", answer.text),
                &made.is_some(),
                &true,
            );
            let id = made.map(id_of).unwrap_or_default();
            self.account.create(kind, id, values);
            self.check_record(kind, id).await;
        }
        self.status(answer, if failed == 0 { 201 } else { 207 });
        self.same("errors", &answer.body["numErrors"].as_u64().unwrap_or(0), &failed);
    }

    /// Without trace ids, all or nothing.
    async fn created_together(&mut self, kind: Kind, asked: &[Values], answer: &Answer) {
        let mut emails = BTreeSet::new();
        let refused = asked.iter().find_map(|values| {
            let twice = takes_again(&mut emails, values);
            let alone = self.account.check_create(kind, values).err();
            alone.or(twice.then_some(400))
        });
        if !self.status(answer, refused.unwrap_or(201)) {
            return;
        }
        let mut made: Vec<u64> = results(answer).iter().map(id_of).collect();
        made.sort_unstable(); // Ids rise with the inputs, though results are in no order.
        self.same("created", &made.len(), &asked.len());
        for (id, values) in made.into_iter().zip(asked) {
            self.account.create(kind, id, values);
            self.check_record(kind, id).await;
        }
    }

    async fn batch_update(&mut self, kind: Kind) {
        let count = 1 + self.chance.below(4);
        let ids: BTreeSet<u64> = (0..count).map(|_| self.some_id(kind)).collect();
        let asked: Vec<(u64, Values)> = ids.into_iter().map(|id| (id, self.chance.values(kind))).collect();
        let inputs: Vec<Value> = asked
            .iter()
            .map(|(id, values)| json!({"id": id.to_string(), "properties": values}))
            .collect();
        let path = format!("/crm/v3/objects/{}/batch/update", kind.path());
        let answer = self.post(&path, json!({"inputs": inputs})).await;
        let known: Vec<&(u64, Values)> = asked
            .iter()
            .filter(|(id, _)| self.account.is_live(kind, *id))
            .collect();
        let mut emails = BTreeSet::new();
        let refused = known.iter().any(|(id, values)| {
            let twice = takes_again(&mut emails, values);
            twice || self.account.check_update(kind, *id, values).is_err()
        });
        let expected = match refused {
            true => 400,
            false if known.len() < asked.len() => 207,
            false => 200,
        };
        if self.status(&answer, expected) {
            let known: Vec<(u64, Values)> = known.into_iter().cloned().collect();
            for (id, values) in &known {
                self.account.update(kind, *id, values);
            }
            self.same("updated", &results(&answer).len(), &known.len());
            for record in results(&answer) {
                self.check_shown(kind, id_of(record), record);
            }
        }
    }

    async fn batch_upsert(&mut self) {
        let count = 1 + self.chance.below(4);
        let mut keys: Vec<String> = (0..count).map(|_| self.chance.email()).collect();
        keys.sort_by_key(|key| key.to_lowercase());
        keys.dedup_by_key(|key| key.to_lowercase());
        // One contact may hold two of them; writing it twice in a batch is refused.
        let mut holders = BTreeSet::new();
        keys.retain(|key| self.account.by_email(key).is_none_or(|id| holders.insert(id)));
        let mut inputs = Vec::new();
        let mut asked = Vec::new();
        for key in keys {
            let mut values = self.chance.values(Kind::Contacts);
            values.remove("email");
            values.remove("hs_additional_emails");
            inputs.push(json!({"id": key, "idProperty": "email", "properties": values}));
            asked.push((key, values));
        }
        let answer = self
            .post("/crm/v3/objects/contacts/batch/upsert", json!({"inputs": inputs}))
            .await;
        self.status(&answer, 200);
        self.same("upserted", &results(&answer).len(), &asked.len());
        for (key, mut values) in asked {
            let found = self.account.by_email(&key);
            let made = results(&answer).iter().find(|record| match found {
                Some(id) => id_of(record) == id,
                None => record["properties"]["email"] == key.to_lowercase(),
            });
            let made = made.cloned().unwrap_or_default();
            self.same("new", &made["new"], &json!(found.is_none()));
            if let Some(id) = found {
                self.same("id", &id_of(&made), &id);
                self.account.update(Kind::Contacts, id, &values);
            } else {
                values.insert("email".into(), key);
                self.account.create(Kind::Contacts, id_of(&made), &values);
            }
            self.check_record(Kind::Contacts, id_of(&made)).await;
        }
    }

    async fn batch_archive(&mut self, kind: Kind) {
        let mut live = self.account.with_life(kind, Life::Live);
        live.retain(|id| !self.account.is_primary(kind, *id));
        let ids: BTreeSet<u64> = (0..3).filter_map(|_| self.chance.pick(&live)).collect();
        let inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id.to_string()})).collect();
        let path = format!("/crm/v3/objects/{}/batch/archive", kind.path());
        let answer = self.post(&path, json!({"inputs": inputs})).await;
        self.status(&answer, 204);
        for id in ids {
            self.account.set_life(kind, id, Life::Archived);
            self.check_record(kind, id).await;
        }
    }

    async fn read(&mut self, kind: Kind) {
        let id = self.some_id(kind);
        self.check_record(kind, id).await;
        let email = self.chance.email();
        let path = format!("/crm/v3/objects/contacts/{email}?idProperty=email");
        let answer = self.call("GET", &path, None).await;
        let holder = self.account.by_email(&email);
        self.status(&answer, if holder.is_some() { 200 } else { 404 });
        self.same("id", &id_of(&answer.body), &holder.unwrap_or(0));
    }

    async fn batch_read(&mut self, kind: Kind) {
        let ids: BTreeSet<u64> = (0..6).map(|_| self.some_id(kind)).collect();
        let inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id.to_string()})).collect();
        let path = format!("/crm/v3/objects/{}/batch/read", kind.path());
        let body = json!({"inputs": inputs, "properties": kind.properties()});
        let answer = self.post(&path, body).await;
        let found: BTreeSet<u64> = ids
            .iter()
            .filter_map(|id| self.account.resolve(kind, *id))
            .collect();
        let missing = ids
            .iter()
            .filter(|id| self.account.resolve(kind, **id).is_none())
            .count();
        self.status(&answer, if missing == 0 { 200 } else { 207 });
        let told: BTreeSet<u64> = results(&answer).iter().map(id_of).collect();
        self.same("records", &told, &found);
        let named = answer.body["errors"][0]["context"]["ids"]
            .as_array()
            .map_or(0, Vec::len);
        self.same("missing ids", &named, &missing);
        for record in results(&answer) {
            self.check_shown(kind, id_of(record), record);
        }
    }
}

/// Takes the addresses that an input asks for; whether an earlier input asked for one of them.
fn takes_again(taken: &mut BTreeSet<String>, asked: &Values) -> bool {
    let own = addresses(asked);
    let again = own.iter().any(|email| taken.contains(email));
    taken.extend(own);
    again
}

pub(super) fn results(answer: &Answer) -> &[Value] {
    answer.body["results"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}
