//! Records: what cannot be undone.

use hubspot_client::RawObject;
use hubspot_client::request::objects::Get;
use hubspot_connector::objects::{Capability, ObjectType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Act, Action, Effect};
use crate::exit::{Failure, Outcome};
use crate::session::Session;

pub(super) const ACTIONS: &[Action] = &[Action::of::<Merge>(), Action::of::<GdprDelete>()];

/// The object type called `name`, if the API can do this with its records.
async fn that_can(session: &Session, name: &str, capability: Capability, verb: &str) -> Outcome<ObjectType> {
    let object = session.object(name).await?;
    if object.can(capability) {
        return Ok(object);
    }
    let able = session.objects().await?;
    let able: Vec<_> = able
        .iter()
        .filter(|object| object.can(capability))
        .map(|object| &*object.name)
        .collect();
    Err(
        Failure::usage(format!("HubSpot's API cannot {verb} {}", object.name))
            .hint(format!("it can {verb} {}", able.join(", "))),
    )
}

/// A record by its id or by a unique property; `None` when there is none.
async fn find(
    session: &Session,
    object: &ObjectType,
    id: &str,
    by: Option<&str>,
) -> Outcome<Option<RawObject>> {
    let get = Get::new(object.path_name(), id).with_properties(object.default_properties());
    let get = match by {
        Some(property) => get.by(property),
        None => get,
    };
    match session.client.get_object(&get).await {
        Err(error) if error.is_not_found() => Ok(None),
        answer => Ok(Some(answer?)),
    }
}

fn missing(object: &ObjectType, id: &str) -> Failure {
    Failure::failed(format!("there is no {} `{id}`", object.singular))
}

/// A record in a line: its id and what HubSpot shows of it unasked, without times.
fn shown(object: &ObjectType, record: &RawObject) -> Outcome<String> {
    let json: Value = serde_json::from_slice(record.json())
        .map_err(|error| Failure::failed("HubSpot's answer is no JSON").because(&error))?;
    let own = [object.created, object.last_modified, "hs_object_id"];
    let names = object
        .default_properties()
        .into_iter()
        .filter(|name| !own.contains(name));
    let values = names.filter_map(|name| json["properties"][name].as_str().filter(|text| !text.is_empty()));
    let values: Vec<_> = [format!("{} {}", object.singular, record.id())]
        .into_iter()
        .chain(values.map(str::to_owned))
        .collect();
    Ok(values.join(", "))
}

/// Makes one record of two. The values of the first go before those of the other. It cannot be undone.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Merge {
    /// Object type: `contacts`, `companies`, `deals`, `tickets`, a custom object's name.
    pub(crate) object: String,
    /// The id of the record that keeps its values.
    pub(crate) primary: String,
    /// The id of the record that becomes part of it.
    pub(crate) other: String,
}

/// What is left of two records.
#[derive(Debug, Serialize)]
pub(crate) struct Merged {
    pub(crate) object: String,
    /// The id of the one that is left: contacts and companies get a new one, which both old ids lead to.
    pub(crate) id: String,
    of: [String; 2],
}

impl Merge {
    /// Both records, a line each.
    ///
    /// # Errors
    /// One is not there, both are the same, or the API cannot merge them.
    pub(crate) async fn look(&self, session: &Session) -> Outcome<[String; 2]> {
        let object = that_can(session, &self.object, Capability::Merge, "merge").await?;
        let primary = find(session, &object, &self.primary, None).await?;
        let primary = primary.ok_or_else(|| missing(&object, &self.primary))?;
        let other = find(session, &object, &self.other, None).await?;
        let other = other.ok_or_else(|| missing(&object, &self.other))?;
        // The id of a record that was merged before leads to the one that is left.
        if primary.id() == other.id() {
            let message = format!(
                "`{}` and `{}` are the same record: {} {}",
                self.primary,
                self.other,
                object.singular,
                primary.id()
            );
            return Err(Failure::usage(message));
        }
        Ok([shown(&object, &primary)?, shown(&object, &other)?])
    }
}

impl Act for Merge {
    const NAME: &'static str = "record.merge";
    const EFFECT: Effect = Effect::Irreversible;
    type Output = Merged;

    async fn act(self, session: &Session) -> Outcome<Merged> {
        self.look(session).await?;
        let object = session.object(&self.object).await?;
        let client = &session.client;
        let left = client
            .merge_objects(object.path_name(), &self.primary, &self.other)
            .await?;
        Ok(Merged {
            object: object.name.to_string(),
            id: left.id().to_owned(),
            of: [self.primary, self.other],
        })
    }
}

/// Erases a contact for good, as the GDPR asks for. It cannot be undone. An e-mail address that no contact has is put on
/// a blocklist: no contact with it can be made again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GdprDelete {
    /// Object type: `contacts`.
    pub(crate) object: String,
    /// The contact's id, or the value of `idProperty`.
    pub(crate) id: String,
    /// The unique property that `id` is a value of, such as `email`.
    #[serde(default)]
    pub(crate) id_property: Option<String>,
}

/// Whom an erasure is about.
#[derive(Debug)]
pub(crate) enum Erased {
    /// A contact: its id, and a line about it.
    Contact(String, String),
    /// Nobody, so that the value is blocked.
    Nobody,
}

impl GdprDelete {
    /// Whom it is about.
    ///
    /// # Errors
    /// An id that no contact has: HubSpot answers 204 whether there is one or not, and a slip must not pass for an erasure.
    pub(crate) async fn look(&self, session: &Session) -> Outcome<Erased> {
        let object = that_can(session, &self.object, Capability::GdprDelete, "erase").await?;
        let by = self.id_property.as_deref();
        match find(session, &object, &self.id, by).await? {
            Some(record) => Ok(Erased::Contact(record.id().to_owned(), shown(&object, &record)?)),
            None if by.is_some() => Ok(Erased::Nobody),
            None => Err(missing(&object, &self.id).hint(
                "an archived contact has to be restored first, or named by its address: `--by email=…`",
            )),
        }
    }
}

impl Act for GdprDelete {
    const NAME: &'static str = "record.gdpr_delete";
    const EFFECT: Effect = Effect::Irreversible;
    type Output = Value;

    async fn act(self, session: &Session) -> Outcome<Value> {
        let found = self.look(session).await?;
        let object = session.object(&self.object).await?;
        let by = self.id_property.as_deref();
        session
            .client
            .gdpr_delete(object.path_name(), &self.id, by)
            .await?;
        let id = match found {
            Erased::Contact(id, _) => Some(id),
            Erased::Nobody => None,
        };
        Ok(json!({"object": object.name, "id": id, "erased": id.is_some(), "blocked": id.is_none()}))
    }
}
