//! CRM records, written up to 100 at a time (hubspot-api notes §1.6).
//!
//! Every input carries an `objectWriteTraceId`, its number in the batch. HubSpot then refuses single inputs with a 207
//! that names them, where it would refuse the whole batch with a 400; and results, which come in no order, can be
//! told apart.

use http::Method;
use serde::Serialize;

use super::{
    Idempotency, Target,
    objects::MAX_BATCH,
    writes::{AssociateTo, Properties, Reference, TypeSpec, of_update, values},
};
use crate::{error::Error, http::Request, version::ApiVersion};

/// One record of a batch: what to find it by, what to set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The id, or the value of the batch's `id_property`; empty for a create. `batch/update` does not know the ids
    /// of merged records.
    pub id: String,
    /// The values to set.
    pub properties: Properties,
    /// What a new record is associated with from the start; for a create only.
    pub associations: Vec<AssociateTo>,
}

impl Input {
    /// A new record.
    pub fn create<N: Into<String>, V: Into<String>>(properties: impl IntoIterator<Item = (N, V)>) -> Self {
        Self::of("", properties)
    }

    /// Values for the record that an id, or a unique value, finds.
    pub fn of<N: Into<String>, V: Into<String>>(
        id: impl Into<String>,
        properties: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self {
            id: id.into(),
            properties: values(properties),
            associations: Vec::new(),
        }
    }

    /// Associates a new record with one more.
    #[must_use]
    pub fn associated(mut self, to: impl Into<String>, types: impl IntoIterator<Item = TypeSpec>) -> Self {
        self.associations.push(AssociateTo::new(to, types));
        self
    }
}

/// What a batch does with its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Makes records. Never sent twice: a second one would make them again.
    Create,
    /// Sets values of records that exist, found by id or by a unique property. May be sent twice, unless it changes
    /// the property it finds them by.
    Update {
        /// The unique property that the inputs' ids are values of; `None`: the records' own ids.
        id_property: Option<String>,
    },
    /// Sets values of the records that have a unique value, or makes them. May be sent twice: the second finds what
    /// the first made, sets the same values and says that nothing is new.
    Upsert {
        /// `email` for contacts, or a property with unique values.
        id_property: String,
    },
}

/// Up to [`MAX_BATCH`] records to write.
///
/// ```
/// use hubspot_client::{ApiVersion, request::batches::{BatchWrite, Input}};
/// let batch = BatchWrite::upsert("contacts", "email", [Input::of("a@b.c", [("firstname", "Ada")])]);
/// let request = batch.request(&ApiVersion::Numbered)?;
/// assert_eq!(request.uri(), "/crm/v3/objects/contacts/batch/upsert");
/// # Ok::<(), hubspot_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchWrite {
    /// Plural name (`contacts`), type id (`2-123`) or fully qualified name of a custom object.
    pub object_type: String,
    /// What to do.
    pub write: Write,
    /// With what.
    pub inputs: Vec<Input>,
}

#[derive(Serialize)]
struct Body<T> {
    inputs: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BodyInput<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_property: Option<&'a str>,
    properties: &'a Properties,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    associations: &'a [AssociateTo],
    object_write_trace_id: String,
}

impl BatchWrite {
    /// Records to make.
    pub fn create(object_type: impl Into<String>, inputs: impl IntoIterator<Item = Input>) -> Self {
        Self::new(object_type, Write::Create, inputs)
    }

    /// Records to change, by id.
    pub fn update(object_type: impl Into<String>, inputs: impl IntoIterator<Item = Input>) -> Self {
        Self::new(object_type, Write::Update { id_property: None }, inputs)
    }

    /// Records to change, by a unique property.
    pub fn update_by(
        object_type: impl Into<String>,
        id_property: impl Into<String>,
        inputs: impl IntoIterator<Item = Input>,
    ) -> Self {
        let id_property = Some(id_property.into());
        Self::new(object_type, Write::Update { id_property }, inputs)
    }

    /// Records to change or make, by a unique property.
    pub fn upsert(
        object_type: impl Into<String>,
        id_property: impl Into<String>,
        inputs: impl IntoIterator<Item = Input>,
    ) -> Self {
        let id_property = id_property.into();
        Self::new(object_type, Write::Upsert { id_property }, inputs)
    }

    fn new(object_type: impl Into<String>, write: Write, inputs: impl IntoIterator<Item = Input>) -> Self {
        Self {
            object_type: object_type.into(),
            write,
            inputs: inputs.into_iter().collect(),
        }
    }

    /// The property that the inputs' ids are values of, if not the records' own ids.
    pub fn id_property(&self) -> Option<&str> {
        match &self.write {
            Write::Create => None,
            Write::Update { id_property } => id_property.as_deref(),
            Write::Upsert { id_property } => Some(id_property),
        }
    }

    /// `POST {objects}/batch/{create,update,upsert}`
    pub fn request(&self, version: &ApiVersion) -> Result<Request, Error> {
        check_size("records are written", self.inputs.len(), MAX_BATCH)?;
        let inputs = self.inputs.iter().enumerate();
        let inputs = inputs
            .map(|(n, input)| self.body_input(n, input))
            .collect::<Result<_, _>>()?;
        let path = format!("{}/batch/{}", version.objects(&self.object_type), self.word());
        Target::new(path).write(Method::POST, self.idempotency(), &Body { inputs })
    }

    fn body_input<'a>(&'a self, n: usize, input: &'a Input) -> Result<BodyInput<'a>, Error> {
        let creates = self.write == Write::Create;
        if creates != input.id.is_empty() {
            let what = if creates { "has an id already" } else { "has no id" };
            return Err(Error::Invalid(format!("input {n} of the batch {what}")));
        }
        Ok(BodyInput {
            id: (!creates).then_some(&input.id),
            id_property: self.id_property(),
            properties: &input.properties,
            associations: &input.associations,
            object_write_trace_id: n.to_string(),
        })
    }

    fn word(&self) -> &'static str {
        match self.write {
            Write::Create => "create",
            Write::Update { .. } => "update",
            Write::Upsert { .. } => "upsert",
        }
    }

    fn idempotency(&self) -> Idempotency {
        let id_property = match &self.write {
            Write::Create => return Idempotency::Unsafe,
            Write::Upsert { .. } => return self.of_upsert(),
            Write::Update { id_property } => id_property.as_deref(),
        };
        let safe = |input: &Input| of_update(id_property, &input.properties) == Idempotency::Safe;
        if self.inputs.iter().all(safe) {
            Idempotency::Safe
        } else {
            Idempotency::Unsafe
        }
    }

    /// An upsert may repeat the key among its values, but one that renames it would make a second record.
    fn of_upsert(&self) -> Idempotency {
        let name = self.id_property().unwrap_or_default();
        let renames = |input: &Input| input.properties.get(name).is_some_and(|value| *value != input.id);
        if self.inputs.iter().any(renames) {
            Idempotency::Unsafe
        } else {
            Idempotency::Safe
        }
    }
}

/// `POST {objects}/batch/archive`; ids that do not exist are ignored, so it may be sent twice.
pub fn archive(version: &ApiVersion, object_type: &str, ids: &[impl AsRef<str>]) -> Result<Request, Error> {
    check_size("records are archived", ids.len(), MAX_BATCH)?;
    let inputs = ids.iter().map(|id| Reference { id: id.as_ref() }).collect();
    Target::new(format!("{}/batch/archive", version.objects(object_type))).ask(&Body { inputs })
}

/// Refuses a batch that HubSpot would refuse.
pub(super) fn check_size(what: &str, count: usize, most: usize) -> Result<(), Error> {
    if count <= most {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "{what} at most {most} at a time, not {count}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    const V3: ApiVersion = ApiVersion::Numbered;

    fn idempotency(batch: &BatchWrite) -> Idempotency {
        Idempotency::of(&batch.request(&V3).unwrap())
    }

    #[test]
    fn a_create_numbers_its_inputs() {
        let batch = BatchWrite::create(
            "contacts",
            [
                Input::create([("email", "a@b.c")]).associated("7", [TypeSpec::hubspot(279)]),
                Input::create([("email", "d@e.f")]),
            ],
        );
        assert_eq!(
            text(&batch.request(&V3).unwrap()),
            "POST /crm/v3/objects/contacts/batch/create {\"inputs\":[\
             {\"properties\":{\"email\":\"a@b.c\"},\"associations\":[{\"to\":{\"id\":\"7\"},\"types\":[\
             {\"associationCategory\":\"HUBSPOT_DEFINED\",\"associationTypeId\":279}]}],\"objectWriteTraceId\":\"0\"},\
             {\"properties\":{\"email\":\"d@e.f\"},\"objectWriteTraceId\":\"1\"}]}"
        );
        assert_eq!(idempotency(&batch), Idempotency::Unsafe);
    }

    #[test]
    fn an_update_names_its_records_and_an_upsert_its_key() {
        let update = BatchWrite::update("deals", [Input::of("1", [("amount", "2")])]);
        assert_eq!(
            text(&update.request(&ApiVersion::default()).unwrap()),
            "POST /crm/objects/2026-03/0-3/batch/update {\"inputs\":[{\"id\":\"1\",\
             \"properties\":{\"amount\":\"2\"},\"objectWriteTraceId\":\"0\"}]}"
        );
        let upsert = BatchWrite::upsert("contacts", "email", [Input::of("a@b.c", [("firstname", "A")])]);
        assert_eq!(
            text(&upsert.request(&V3).unwrap()),
            "POST /crm/v3/objects/contacts/batch/upsert {\"inputs\":[{\"id\":\"a@b.c\",\"idProperty\":\"email\",\
             \"properties\":{\"firstname\":\"A\"},\"objectWriteTraceId\":\"0\"}]}"
        );
    }

    #[test]
    fn updates_and_upserts_may_be_repeated_unless_they_change_their_key() {
        let input = |email: &str| [Input::of("a@b.c", [("email", email)])];
        assert_eq!(
            idempotency(&BatchWrite::update(
                "contacts",
                [Input::of("1", [("email", "x@y.z")])]
            )),
            Idempotency::Safe
        );
        let renamed = input("x@y.z");
        let update = BatchWrite::update_by("contacts", "email", renamed.clone());
        assert_eq!(idempotency(&update), Idempotency::Unsafe);
        let upsert = |inputs| idempotency(&BatchWrite::upsert("contacts", "email", inputs));
        assert_eq!(upsert(renamed), Idempotency::Unsafe);
        assert_eq!(upsert(input("a@b.c")), Idempotency::Safe);
    }

    #[test]
    fn archiving_may_be_repeated() {
        let request = archive(&V3, "contacts", &["1", "2"]).unwrap();
        assert_eq!(
            text(&request),
            "POST /crm/v3/objects/contacts/batch/archive {\"inputs\":[{\"id\":\"1\"},{\"id\":\"2\"}]}"
        );
        assert_eq!(Idempotency::of(&request), Idempotency::Safe);
    }

    #[test]
    fn what_hubspot_would_refuse_is_refused_here() {
        let many = BatchWrite::create(
            "contacts",
            (0..101).map(|n| Input::create([("email", n.to_string())])),
        );
        let error = many.request(&V3).unwrap_err().to_string();
        assert_eq!(error, "records are written at most 100 at a time, not 101");
        let none = BatchWrite::update("contacts", [Input::create([("a", "b")])]);
        assert!(
            none.request(&V3).unwrap_err().to_string().contains("input 0"),
            "no id"
        );
        let known = BatchWrite::create("contacts", [Input::of("1", [("a", "b")])]);
        assert!(matches!(known.request(&V3), Err(Error::Invalid(_))));
    }
}
