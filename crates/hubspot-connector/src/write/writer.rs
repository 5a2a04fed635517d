//! The way of records into one object type: checked, decided about, sent, associated, remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hubspot_client::Client;
use opencdc::{DataType, Error, ErrorKind, KeyMap, Mapped, Result, StreamName};
use tokio::sync::Semaphore;

use super::config::{DEFAULT_CONCURRENCY, WriteRules};
use super::decide::Planned;
use super::keys::Keys;
use super::links::Link;
use super::live::definitions;
use super::order::{Lanes, Token, token, waves};
use super::refusal::Refusal;
use super::rules::Definitions;
use super::shape::Wanted;
use crate::discovery::Objects;
use crate::error::Doing;
use crate::objects::ObjectType;

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It was made.
    Created {
        /// Its id.
        id: String,
    },
    /// It was changed, or written as it was.
    Updated {
        /// Its id.
        id: String,
    },
    /// It is in the recycle bin.
    Archived {
        /// Its id.
        id: String,
    },
    /// Nothing had to be done.
    Unchanged {
        /// Its id, where that is known.
        id: Option<String>,
    },
    /// It cannot be written, now or later.
    Refused(Refusal),
    /// It may have been written, and nobody can tell: the answer was lost.
    Unsure(Refusal),
}

impl Done {
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Created { id } | Self::Updated { id } => Some(id),
            Self::Unchanged { id } => id.as_deref(),
            Self::Archived { .. } | Self::Refused(_) | Self::Unsure(_) => None,
        }
    }
}

/// Writes records of one object type.
#[derive(Debug)]
pub struct Writer {
    pub(super) client: Client,
    pub(super) object: ObjectType,
    pub(super) rules: WriteRules,
    /// Replaced as a whole when properties were made.
    pub(super) definitions: RwLock<Arc<Definitions>>,
    pub(super) links: Vec<Link>,
    pub(super) keys: Option<Keys>,
    /// The scope that writing needs, for when HubSpot does not say.
    pub(super) scope: Option<String>,
    pub(super) permits: Arc<Semaphore>,
    pub(super) lanes: Lanes,
    /// The types of the source's fields, for properties to be made.
    pub(super) types: BTreeMap<String, DataType>,
    /// What was warned of already.
    pub(super) told: Mutex<BTreeSet<String>>,
}

/// What became of records, as far as it came.
#[derive(Debug)]
pub struct Written {
    /// One entry a record, in their order; none for a record that was not written, or that may be written again without
    /// harm.
    pub done: Vec<Option<Done>>,
    /// Why some have none: something that may go better another time, or that concerns everything.
    pub failed: Option<Error>,
}

/// How far records are looked into before it is decided about them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Depth {
    /// Each is read, also where that is not needed.
    pub(super) look: bool,
    /// Missing properties are made, when the rules say so.
    pub(super) make: bool,
}

/// A record with what is to be done with it.
pub(crate) struct Row<'a> {
    pub(crate) wanted: &'a Wanted,
    pub(crate) planned: Planned,
    pub(crate) mapped: Option<Mapped>,
}

impl Writer {
    /// A writer to an object type of the account, by what a person calls it. Asks for the definitions.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the rules name something that is not there.
    pub async fn open(client: Client, object: &str, rules: WriteRules) -> Result<Self> {
        let objects = Objects::new(client.clone());
        let object = objects.find(object).await?;
        let mut others = Vec::new();
        for link in &rules.associations {
            others.push(objects.find(&link.to).await?);
        }
        Self::to(client, object, &others, rules).await
    }

    /// The same to an object type that is known already, as are those that the rules' associations lead to, in their
    /// order.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when it can only be read, or the rules name something that is not there.
    pub async fn to(
        client: Client,
        object: ObjectType,
        others: &[ObjectType],
        rules: WriteRules,
    ) -> Result<Self> {
        check_capability(&object)?;
        let definitions = definitions(&client, &object).await?;
        rules.validate()?;
        definitions.check_names(&rules)?;
        let mut links = Vec::new();
        for (rule, to) in rules.associations.iter().zip(others) {
            links.push(Link::resolve(&client, &object, to, rule.clone()).await?);
        }
        let scope = object.write_scope();
        Ok(Self {
            client,
            object,
            rules,
            definitions: RwLock::new(Arc::new(definitions)),
            links,
            keys: None,
            scope,
            permits: Arc::new(Semaphore::new(DEFAULT_CONCURRENCY)),
            lanes: Lanes::default(),
            types: BTreeMap::new(),
            told: Mutex::default(),
        })
    }

    /// The same writer, which remembers which key of `stream` became which id.
    #[must_use]
    pub fn remembering(self, stream: StreamName, map: Arc<dyn KeyMap>) -> Self {
        let keys = Some(Keys { stream, map });
        Self { keys, ..self }
    }

    /// The same writer, which shares permits and the order of its writes with others.
    #[must_use]
    pub(crate) fn sharing(self, permits: Arc<Semaphore>, lanes: Lanes) -> Self {
        Self {
            permits,
            lanes,
            ..self
        }
    }

    /// The same writer, which makes missing properties of the types of these fields.
    #[must_use]
    pub fn with_types(self, types: BTreeMap<String, DataType>) -> Self {
        Self { types, ..self }
    }

    /// What is written to.
    pub fn object(&self) -> &ObjectType {
        &self.object
    }

    /// What is to be done with each record, after a look at what is there now. Nothing is written. A value that its
    /// property's definition speaks against is refused here; HubSpot may have more to say against it.
    pub async fn plan(&self, wanted: &[Wanted]) -> Result<Vec<Planned>> {
        let all: Vec<_> = wanted.iter().collect();
        let depth = Depth {
            look: true,
            make: false,
        };
        let mut rows = self.rows(&all, depth).await?;
        self.targets(&mut rows).await?;
        Ok(self.judged(rows))
    }

    /// The rules it goes by.
    pub fn rules(&self) -> &WriteRules {
        &self.rules
    }

    /// What is to be written of each record, after a look only where the rules ask for one: for whoever sends in another
    /// way than [`write`](Self::write). No record is written; missing properties are made when the rules say so.
    pub async fn prepare(&self, wanted: &[Wanted]) -> Result<Vec<Planned>> {
        let all: Vec<_> = wanted.iter().collect();
        let depth = Depth {
            look: false,
            make: true,
        };
        let rows = self.rows(&all, depth).await?;
        Ok(self.judged(rows))
    }

    fn judged(&self, rows: Vec<Row<'_>>) -> Vec<Planned> {
        let definitions = self.definitions();
        let planned = rows.into_iter().map(|row| row.planned.judged(&definitions));
        planned.collect()
    }

    /// Writes records and tells what became of each, in their order.
    ///
    /// Calls may overlap. Records that are about the same thing are written one after the other, within one call and
    /// between calls, in the order in which the calls' futures were first polled (invariant 4).
    ///
    /// # Errors
    /// What may go better another time, or concerns everything. Some of the records may have been written then; calls
    /// that came later fail too.
    pub async fn write(&self, wanted: &[Wanted]) -> Result<Vec<Done>> {
        let Written { done, failed } = self.write_some(wanted).await;
        match failed {
            Some(error) => Err(error),
            None => Ok(done.into_iter().map(|done| done.unwrap_or_else(silent)).collect()),
        }
    }

    /// The same, for whoever wants to know of each record also when something failed.
    pub async fn write_some(&self, wanted: &[Wanted]) -> Written {
        let tokens: Vec<_> = wanted.iter().map(|wanted| self.tokens(wanted)).collect();
        // Until here nothing was awaited: the place is taken when this is first polled.
        let mut place = self.lanes.enter(tokens.iter().flatten().copied().collect());
        let refused = |wanted: &Wanted| wanted.refusal.clone().map(Done::Refused);
        let mut done: Vec<Option<Done>> = wanted.iter().map(refused).collect();
        if let Err(error) = place.turn().await {
            let failed = Some(error);
            return Written { done, failed };
        }
        let failed = self.write_waves(wanted, &waves(&tokens), &mut done).await.err();
        if failed.is_some() {
            place.fail();
        }
        Written { done, failed }
    }

    async fn write_waves(&self, wanted: &[Wanted], waves: &[usize], done: &mut [Option<Done>]) -> Result<()> {
        let last = waves.iter().max().copied().unwrap_or_default();
        for wave in 0..=last {
            let places: Vec<_> = (0..wanted.len()).filter(|at| waves[*at] == wave).collect();
            let records: Vec<_> = places.iter().map(|at| &wanted[*at]).collect();
            let depth = Depth {
                look: false,
                make: true,
            };
            let mut rows = self.rows(&records, depth).await?;
            let mut of_wave: Vec<Option<Done>> = rows.iter().map(|_| None).collect();
            let carried_out = self.carry_out(&mut rows, &mut of_wave).await;
            for (at, outcome) in places.into_iter().zip(of_wave) {
                done[at] = outcome.or(done[at].take());
            }
            carried_out?;
        }
        Ok(())
    }

    /// What a record may share with others.
    fn tokens(&self, wanted: &Wanted) -> Vec<Token> {
        let object = self.object.path_name();
        let stream = self.keys.as_ref().map_or(object, |keys| keys.stream.as_str());
        let key = wanted.key.as_deref().map(|key| token("key", stream, key));
        let id = wanted.id.as_deref().map(|id| token("id", object, id));
        let unique = self
            .unique_field(wanted)
            .map(|value| token("unique", object, &value.to_lowercase()));
        [key, id, unique].into_iter().flatten().collect()
    }

    /// The value of the `id_property`, before it is checked.
    fn unique_field<'a>(&self, wanted: &'a Wanted) -> Option<&'a str> {
        let name = self.rules.id_property.as_deref()?;
        let definitions = self.definitions();
        let fills = |field: &str| {
            definitions
                .find(field, &self.rules)
                .is_ok_and(|property| property.name == name)
        };
        wanted
            .values
            .iter()
            .find(|(field, _)| fills(field))
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn definitions(&self) -> Arc<Definitions> {
        Arc::clone(&self.definitions.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn doing<'a>(&'a self, what: &'a str) -> Doing<'a> {
        Doing {
            what,
            stream: &self.object.name,
            scope: self.scope.as_deref(),
        }
    }
}

/// Of whatever has no outcome although nothing failed.
fn silent() -> Done {
    Done::Unsure(Refusal::new("nothing is known of what became of it"))
}

fn check_capability(object: &ObjectType) -> Result<()> {
    if object.is_writable() {
        return Ok(());
    }
    let message = format!(
        "{} can only be read: HubSpot's API does not write them",
        object.name
    );
    Err(Error::new(ErrorKind::Configuration, message))
}
