//! The plain model: what an account holds after each operation, in maps and by full scans. Written from the
//! HubSpot API notes, not from the emulator.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Contacts,
    Companies,
}

impl Kind {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Companies => "companies",
        }
    }

    /// The properties that are compared.
    pub(super) fn properties(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => &[
                "email",
                "firstname",
                "lastname",
                "jobtitle",
                "hs_email_domain",
                "lifecyclestage",
                "hs_additional_emails",
            ],
            Self::Companies => &["name", "domain", "city"],
        }
    }

    /// Of these, one is needed to create a record (§1.1).
    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => &["email", "firstname", "lastname"],
            Self::Companies => &["name", "domain"],
        }
    }
}

/// Lifecycle stages, in the order in which a contact moves through them.
pub(super) const STAGES: [&str; 4] = ["subscriber", "lead", "opportunity", "customer"];

pub(super) type Values = BTreeMap<String, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Live,
    Archived,
    Merged(u64),
    Purged,
}

#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) life: Life,
    pub(super) values: Values,
    pub(super) merged: BTreeSet<u64>,
    pub(super) created: String,
    pub(super) updated: String,
}

/// Why a write is refused: its status.
pub(super) type Refused = u16;

#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) now: String,
    contacts: BTreeMap<u64, Record>,
    companies: BTreeMap<u64, Record>,
    /// Which contact belongs to which company, and whether that is its primary one.
    pub(super) links: BTreeMap<(u64, u64), bool>,
}

impl Account {
    pub(super) fn records(&self, kind: Kind) -> &BTreeMap<u64, Record> {
        match kind {
            Kind::Contacts => &self.contacts,
            Kind::Companies => &self.companies,
        }
    }

    fn records_mut(&mut self, kind: Kind) -> &mut BTreeMap<u64, Record> {
        match kind {
            Kind::Contacts => &mut self.contacts,
            Kind::Companies => &mut self.companies,
        }
    }

    pub(super) fn with_life(&self, kind: Kind, life: Life) -> Vec<u64> {
        let held = self
            .records(kind)
            .iter()
            .filter(|(_, record)| record.life == life);
        held.map(|(id, _)| *id).collect()
    }

    /// The live record that an id leads to; ids that were merged away lead to the survivor.
    pub(super) fn resolve(&self, kind: Kind, id: u64) -> Option<u64> {
        match self.records(kind).get(&id)?.life {
            Life::Live => Some(id),
            Life::Merged(into) => self.resolve(kind, into),
            Life::Archived | Life::Purged => None,
        }
    }

    /// What a deletion for privacy by this id deletes: the live record that it leads to, or the archived one itself.
    pub(super) fn erasable(&self, kind: Kind, id: u64) -> Option<u64> {
        let archived = self.records(kind).get(&id)?.life == Life::Archived;
        self.resolve(kind, id).or(archived.then_some(id))
    }

    pub(super) fn is_live(&self, kind: Kind, id: u64) -> bool {
        self.resolve(kind, id) == Some(id)
    }

    pub(super) fn by_email(&self, email: &str) -> Option<u64> {
        let email = email.to_lowercase();
        let mut live = self
            .contacts
            .iter()
            .filter(|(_, record)| record.life == Life::Live);
        live.find(|(_, record)| addresses(&record.values).contains(&email))
            .map(|(id, _)| *id)
    }

    /// What a create is refused with, if anything.
    pub(super) fn check_create(&self, kind: Kind, asked: &Values) -> Result<(), Refused> {
        let given = |name: &str| asked.get(name).is_some_and(|value| !value.is_empty());
        if !kind.required().iter().any(|name| given(name)) {
            return Err(400);
        }
        match self.taken(kind, asked, None) {
            true => Err(409),
            false => Ok(()),
        }
    }

    pub(super) fn check_update(&self, kind: Kind, id: u64, asked: &Values) -> Result<(), Refused> {
        match self.taken(kind, asked, Some(id)) {
            true => Err(400),
            false => Ok(()),
        }
    }

    fn taken(&self, kind: Kind, asked: &Values, this: Option<u64>) -> bool {
        let asked = Some(asked).filter(|_| kind == Kind::Contacts);
        let mut holders = asked.into_iter().flat_map(addresses);
        holders.any(|email| {
            let holder = self.by_email(&email);
            holder.is_some() && holder != this
        })
    }

    /// Notes a record that was created under an id which is new.
    pub(super) fn create(&mut self, kind: Kind, id: u64, asked: &Values) {
        let mut record = Record {
            life: Life::Live,
            values: Values::new(),
            merged: BTreeSet::new(),
            created: self.now.clone(),
            updated: self.now.clone(),
        };
        if kind == Kind::Contacts {
            let stage = asked.get("lifecyclestage").map_or("lead", String::as_str);
            record.values.insert("lifecyclestage".into(), stage.to_owned());
        }
        write(&mut record, asked);
        let earlier = self.records_mut(kind).insert(id, record);
        assert!(earlier.is_none(), "{kind:?} {id} was given out twice");
    }

    pub(super) fn update(&mut self, kind: Kind, id: u64, asked: &Values) {
        let now = self.now.clone();
        if let Some(record) = self.records_mut(kind).get_mut(&id) {
            write(record, asked);
            record.updated = now;
        }
    }

    pub(super) fn set_life(&mut self, kind: Kind, id: u64, life: Life) {
        let now = self.now.clone();
        if let Some(record) = self.records_mut(kind).get_mut(&id) {
            (record.life, record.updated) = (life, now);
        }
    }

    /// Nothing but the id remains.
    pub(super) fn purge(&mut self, kind: Kind, id: u64) {
        self.set_life(kind, id, Life::Purged);
        if let Some(record) = self.records_mut(kind).get_mut(&id) {
            record.values.clear();
        }
        self.links.retain(|pair, _| side(kind, *pair) != id);
    }

    /// Two records become one under a new id; the primary's values win where it has any.
    pub(super) fn merge(&mut self, kind: Kind, primary: u64, other: u64, survivor: u64) {
        let (one, two) = (
            self.records(kind)[&primary].clone(),
            self.records(kind)[&other].clone(),
        );
        let secondary = secondary_of_both(&one.values, &two.values);
        let mut merged = Record {
            created: self.now.clone(),
            updated: self.now.clone(),
            ..one
        };
        for (name, value) in two.values {
            if merged.values.get(&name).is_none_or(String::is_empty) {
                merged.values.insert(name, value);
            }
        }
        if kind == Kind::Contacts && !secondary.is_empty() {
            merged.values.insert("hs_additional_emails".into(), secondary);
        }
        merged.merged.extend(two.merged);
        merged.merged.extend([primary, other]);
        self.set_life(kind, primary, Life::Merged(survivor));
        self.set_life(kind, other, Life::Merged(survivor));
        self.records_mut(kind).insert(survivor, merged);
        self.move_links(kind, primary, other, survivor);
    }

    /// The survivor has the links of both. A contact keeps one primary company: the merge's primary's, if it
    /// had one.
    fn move_links(&mut self, kind: Kind, primary: u64, other: u64, survivor: u64) {
        let old: Vec<((u64, u64), bool)> = self
            .links
            .iter()
            .map(|(pair, first)| (*pair, *first))
            .filter(|(pair, _)| [primary, other].contains(&side(kind, *pair)))
            .collect();
        self.links
            .retain(|pair, _| ![primary, other].contains(&side(kind, *pair)));
        let (own, others): (Vec<_>, Vec<_>) = old
            .into_iter()
            .partition(|(pair, _)| side(kind, *pair) == primary);
        for ((contact, company), first) in others.into_iter().chain(own) {
            match kind {
                Kind::Contacts => self.link(survivor, company, first),
                Kind::Companies => self.link(contact, survivor, first),
            }
        }
    }

    /// Links a pair, and makes the company the contact's primary one if asked.
    pub(super) fn link(&mut self, contact: u64, company: u64, primary: bool) {
        if primary {
            let earlier = self.links.iter_mut().filter(|(pair, _)| pair.0 == contact);
            earlier.for_each(|(_, primary)| *primary = false);
        }
        *self.links.entry((contact, company)).or_insert(false) |= primary;
    }

    /// Whether a record is some contact's primary company.
    pub(super) fn is_primary(&self, kind: Kind, id: u64) -> bool {
        let mut links = self.links.iter();
        kind == Kind::Companies && links.any(|(pair, primary)| pair.1 == id && *primary)
    }

    /// The links of a live record to live records: the other id, and whether it is primary.
    pub(super) fn links_of(&self, kind: Kind, id: u64) -> Vec<(u64, bool)> {
        let other = match kind {
            Kind::Contacts => Kind::Companies,
            Kind::Companies => Kind::Contacts,
        };
        let mine = self.links.iter().filter(|(pair, _)| side(kind, **pair) == id);
        let mut links: Vec<(u64, bool)> = mine
            .map(|(pair, primary)| (side(other, *pair), *primary))
            .collect();
        links.retain(|(id, _)| self.is_live(other, *id));
        links
    }
}

fn side(kind: Kind, pair: (u64, u64)) -> u64 {
    match kind {
        Kind::Contacts => pair.0,
        Kind::Companies => pair.1,
    }
}

/// A contact's primary and secondary addresses, as they are stored.
pub(super) fn addresses(values: &Values) -> BTreeSet<String> {
    let texts = ["email", "hs_additional_emails"].map(|name| values.get(name).map_or("", String::as_str));
    parts(&texts.join(";"))
        .into_iter()
        .map(str::to_lowercase)
        .collect()
}

fn parts(text: &str) -> Vec<&str> {
    text.split(';').filter(|part| !part.is_empty()).collect()
}

fn each_once(texts: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for part in texts.iter().flat_map(|text| parts(text)) {
        let part = part.to_lowercase();
        if !all.contains(&part) {
            all.push(part);
        }
    }
    all
}

/// What a merged contact has beside its primary address.
fn secondary_of_both(one: &Values, two: &Values) -> String {
    let text = |values: &Values, name: &str| values.get(name).cloned().unwrap_or_default();
    let (first, second) = (text(one, "email"), text(two, "email"));
    let kept = if first.is_empty() { &second } else { &first };
    let (own, others) = (
        text(one, "hs_additional_emails"),
        text(two, "hs_additional_emails"),
    );
    let mut all = each_once(&[&own, &others, &second]);
    all.retain(|address| address != kept);
    all.join(";")
}

/// Writes values as they are stored: addresses in lower case, and with the domain that follows from them; stages
/// only forward.
fn write(record: &mut Record, asked: &Values) {
    for (name, value) in asked {
        let held = record.values.get(name).cloned().unwrap_or_default();
        let stored = match name.as_str() {
            "email" => value.to_lowercase(),
            "hs_additional_emails" if value.starts_with(';') => each_once(&[&held, value]).join(";"),
            "hs_additional_emails" => each_once(&[value]).join(";"),
            "lifecyclestage" if rank(value) < rank(&held) && !value.is_empty() => held,
            _ => value.clone(),
        };
        if name == "email" {
            let domain = stored.split('@').nth(1).unwrap_or("").to_owned();
            record.values.insert("hs_email_domain".into(), domain);
        }
        record.values.insert(name.clone(), stored);
    }
}

fn rank(stage: &str) -> Option<usize> {
    STAGES.iter().position(|known| *known == stage)
}
