//! CRM records: list, get, batch read (hubspot-api notes §1.3 and §1.6).

use serde::Serialize;

use super::Target;
use crate::{error::Error, http::Request, version::ApiVersion};

/// The most records one list page holds; HubSpot's own default is 10.
pub const MAX_LIST: u16 = 100;
/// The most records one list page holds when property history is asked for.
pub const MAX_LIST_WITH_HISTORY: u16 = 50;
/// The most ids one batch read takes.
pub const MAX_BATCH: usize = 100;
/// The most ids one batch read takes when property history is asked for.
pub const MAX_BATCH_WITH_HISTORY: usize = 50;

/// The setters of what several ways of reading have in common. A macro, because each way has them beside fields of
/// its own, all of them public.
macro_rules! setters {
    ($way:ident: $($setter:ident),*) => {
        impl $way {
            $(setters!($setter);)*
        }
    };
    (properties) => {
        /// Sets `properties`.
        #[must_use]
        pub fn with_properties<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
            let properties = names.into_iter().map(Into::into).collect();
            Self { properties, ..self }
        }
    };
    (history) => {
        /// Sets `properties_with_history`.
        #[must_use]
        pub fn with_history<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
            let properties_with_history = names.into_iter().map(Into::into).collect();
            Self {
                properties_with_history,
                ..self
            }
        }
    };
    (associations) => {
        /// Sets `associations`.
        #[must_use]
        pub fn with_associations<S: Into<String>>(self, types: impl IntoIterator<Item = S>) -> Self {
            let associations = types.into_iter().map(Into::into).collect();
            Self { associations, ..self }
        }
    };
    (archived) => {
        /// Sets `archived`.
        #[must_use]
        pub fn with_archived(self, archived: bool) -> Self {
            Self { archived, ..self }
        }
    };
    (by) => {
        /// Reads what was given as id as the value of a unique property, such as `email`.
        #[must_use]
        pub fn by(self, id_property: impl Into<String>) -> Self {
            let id_property = Some(id_property.into());
            Self { id_property, ..self }
        }
    };
}

setters!(List: properties, associations, archived);
setters!(Get: properties, history, associations, archived, by);
setters!(BatchRead: properties, history, archived, by);

/// What is to be returned of each record, in the query: the same for one record and for a page of them.
fn wanted(
    target: Target,
    properties: &[String],
    history: &[String],
    associations: &[String],
    archived: bool,
) -> Target {
    target
        .list("properties", properties)
        .list("propertiesWithHistory", history)
        .list("associations", associations)
        .archived(archived)
}

/// One page of a list of records, in order of id.
///
/// ```
/// use hubspot_client::{ApiVersion, request::objects::List};
/// let list = List::new("contacts").with_properties(["email"]).with_after("513");
/// let request = list.request(&ApiVersion::default())?;
/// assert_eq!(request.uri(), "/crm/objects/2026-03/contacts?limit=100&after=513&properties=email");
/// # Ok::<(), hubspot_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Plural name (`contacts`), type id (`2-123`) or fully qualified name of a custom object.
    pub object_type: String,
    /// Records a page, at most [`MAX_LIST`], or [`MAX_LIST_WITH_HISTORY`] with history.
    pub limit: u16,
    /// Where the page before this one said to go on; `None` begins at the lowest id.
    pub after: Option<String>,
    /// Properties to return. HubSpot adds created, last-modified and id, and drops unknown names in silence.
    pub properties: Vec<String>,
    /// Properties to return with their history.
    pub properties_with_history: Vec<String>,
    /// Object types to return associations for, at most 100 ids a type; the rest is read by
    /// [`Client::associations`](crate::Client::associations).
    pub associations: Vec<String>,
    /// Only archived records (true) or only live ones (false): the two never mix.
    pub archived: bool,
}

impl List {
    /// The first page of the live records of a type, as long as HubSpot allows.
    pub fn new(object_type: impl Into<String>) -> Self {
        Self {
            object_type: object_type.into(),
            limit: MAX_LIST,
            after: None,
            properties: Vec::new(),
            properties_with_history: Vec::new(),
            associations: Vec::new(),
            archived: false,
        }
    }

    /// Sets `limit`.
    #[must_use]
    pub fn with_limit(self, limit: u16) -> Self {
        Self { limit, ..self }
    }

    /// Sets `after`.
    #[must_use]
    pub fn with_after(self, after: impl Into<String>) -> Self {
        Self {
            after: Some(after.into()),
            ..self
        }
    }

    /// Sets `properties_with_history`; a page then holds no more than [`MAX_LIST_WITH_HISTORY`].
    #[must_use]
    pub fn with_history<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self {
            limit: self.limit.min(MAX_LIST_WITH_HISTORY),
            properties_with_history: names.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// `GET {objects}?limit=..`
    ///
    /// # Errors
    /// [`Error::UrlTooLong`] when the properties do not fit; read ids only, then [`BatchRead`].
    pub fn request(&self, version: &ApiVersion) -> Result<Request, Error> {
        self.request_after(version, self.after.as_deref())
    }

    pub(crate) fn request_after(&self, version: &ApiVersion, after: Option<&str>) -> Result<Request, Error> {
        self.target(version, after).get()
    }

    /// Whether a page can be asked for in one URL. `after` grows along the way, so room is left for it.
    pub fn fits_url(&self, version: &ApiVersion) -> bool {
        const ROOM_FOR_AFTER: usize = 100;
        self.url_len(version) + ROOM_FOR_AFTER <= super::MAX_URL
    }

    /// How long path and query of this page are, in bytes.
    pub fn url_len(&self, version: &ApiVersion) -> usize {
        self.target(version, self.after.as_deref()).len()
    }

    fn target(&self, version: &ApiVersion, after: Option<&str>) -> Target {
        let page = Target::new(version.objects(&self.object_type))
            .pair("limit", &self.limit.to_string())
            .optional("after", after);
        let history = &self.properties_with_history;
        wanted(page, &self.properties, history, &self.associations, self.archived)
    }
}

/// One record, by its id or by a unique property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Get {
    /// As in [`List`].
    pub object_type: String,
    /// The id, or the value of `id_property`. A merged id answers with the survivor, under another id.
    pub id: String,
    /// The unique property that `id` is a value of, such as `email`; `None`: the record's own id.
    pub id_property: Option<String>,
    /// As in [`List`].
    pub properties: Vec<String>,
    /// As in [`List`].
    pub properties_with_history: Vec<String>,
    /// As in [`List`].
    pub associations: Vec<String>,
    /// Look in the recycle bin instead of among live records.
    pub archived: bool,
}

impl Get {
    /// A live record by id.
    pub fn new(object_type: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            object_type: object_type.into(),
            id: id.into(),
            id_property: None,
            properties: Vec::new(),
            properties_with_history: Vec::new(),
            associations: Vec::new(),
            archived: false,
        }
    }

    /// `GET {objects}/{id}?..`
    pub fn request(&self, version: &ApiVersion) -> Result<Request, Error> {
        if self.id.is_empty() {
            // HubSpot would read the path without an id as a list.
            return Err(Error::Invalid(
                "a record cannot be read by an empty id".to_owned(),
            ));
        }
        let record = Target::new(version.objects(&self.object_type))
            .segment(&self.id)
            .optional("idProperty", self.id_property.as_deref());
        let history = &self.properties_with_history;
        wanted(
            record,
            &self.properties,
            history,
            &self.associations,
            self.archived,
        )
        .get()
    }
}

/// Up to [`MAX_BATCH`] records by id or unique property. No URL limit, no associations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRead {
    /// As in [`List`].
    pub object_type: String,
    /// The ids, or values of `id_property`.
    pub ids: Vec<String>,
    /// As in [`Get`].
    pub id_property: Option<String>,
    /// As in [`List`].
    pub properties: Vec<String>,
    /// As in [`List`]; then at most [`MAX_BATCH_WITH_HISTORY`] ids.
    pub properties_with_history: Vec<String>,
    /// Look in the recycle bin instead of among live records.
    pub archived: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchReadBody<'a> {
    properties: &'a [String],
    properties_with_history: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    id_property: Option<&'a str>,
    inputs: Vec<Input<'a>>,
}

#[derive(Serialize)]
struct Input<'a> {
    id: &'a str,
}

impl BatchRead {
    /// Live records by id.
    pub fn new<S: Into<String>>(object_type: impl Into<String>, ids: impl IntoIterator<Item = S>) -> Self {
        Self {
            object_type: object_type.into(),
            ids: ids.into_iter().map(Into::into).collect(),
            id_property: None,
            properties: Vec::new(),
            properties_with_history: Vec::new(),
            archived: false,
        }
    }

    /// `POST {objects}/batch/read`
    pub fn request(&self, version: &ApiVersion) -> Result<Request, Error> {
        let (count, most, with) = if self.properties_with_history.is_empty() {
            (self.ids.len(), MAX_BATCH, "")
        } else {
            (self.ids.len(), MAX_BATCH_WITH_HISTORY, " with history")
        };
        if count > most {
            return Err(Error::Invalid(format!(
                "a batch read{with} takes at most {most} ids, not {count}"
            )));
        }
        let inputs = self.ids.iter().map(|id| Input { id }).collect();
        Target::new(format!("{}/batch/read", version.objects(&self.object_type)))
            .archived(self.archived)
            .read(&BatchReadBody {
                properties: &self.properties,
                properties_with_history: &self.properties_with_history,
                id_property: self.id_property.as_deref(),
                inputs,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    const V3: ApiVersion = ApiVersion::Numbered;

    #[test]
    fn a_list_asks_for_as_much_as_it_may() {
        let list = List::new("contacts");
        assert_eq!(
            text(&list.request(&V3).unwrap()),
            "GET /crm/v3/objects/contacts?limit=100"
        );
    }

    #[test]
    fn a_list_says_everything_in_its_query() {
        let list = List::new("deals")
            .with_history(["amount"])
            .with_after("12=")
            .with_properties(["amount", "dealname"])
            .with_associations(["contacts", "companies"])
            .with_archived(true);
        assert_eq!(
            text(&list.request(&ApiVersion::default()).unwrap()),
            "GET /crm/objects/2026-03/0-3?limit=50&after=12%3D&properties=amount,dealname\
             &propertiesWithHistory=amount&associations=contacts,companies&archived=true"
        );
    }

    #[test]
    fn a_list_knows_whether_it_fits_a_url() {
        let names = |count: usize| (0..count).map(|n| format!("a_property_name_{n:04}"));
        assert!(List::new("contacts").with_properties(names(600)).fits_url(&V3));
        let long = List::new("contacts").with_properties(names(900));
        assert!(!long.fits_url(&V3));
        assert!(
            matches!(long.request(&V3), Err(Error::UrlTooLong { length }) if length == long.url_len(&V3))
        );
    }

    #[test]
    fn a_record_is_read_by_id_or_by_a_unique_property() {
        let by_id = Get::new("contacts", "512").with_properties(["email"]);
        assert_eq!(
            text(&by_id.request(&V3).unwrap()),
            "GET /crm/v3/objects/contacts/512?properties=email"
        );
        let by_email = Get::new("contacts", "a@b.c")
            .by("email")
            .with_history(["email"])
            .with_archived(true);
        assert_eq!(
            text(&by_email.request(&V3).unwrap()),
            "GET /crm/v3/objects/contacts/a%40b.c?idProperty=email&propertiesWithHistory=email&archived=true"
        );
    }

    #[test]
    fn an_empty_id_is_not_a_list() {
        assert!(matches!(
            Get::new("contacts", "").request(&V3),
            Err(Error::Invalid(_))
        ));
    }

    #[test]
    fn a_batch_read_is_a_post_that_may_be_repeated() {
        let read = BatchRead::new("contacts", ["1", "2"])
            .with_properties(["email"])
            .with_archived(true);
        let request = read.request(&V3).unwrap();
        assert_eq!(
            text(&request),
            "POST /crm/v3/objects/contacts/batch/read?archived=true \
             {\"properties\":[\"email\"],\"propertiesWithHistory\":[],\"inputs\":[{\"id\":\"1\"},{\"id\":\"2\"}]}"
        );
        assert_eq!(crate::Idempotency::of(&request), crate::Idempotency::Safe);
    }

    #[test]
    fn a_batch_of_more_than_a_hundred_is_refused_here() {
        let read = BatchRead::new("contacts", (0..101).map(|n| n.to_string()));
        assert!(read.request(&V3).unwrap_err().to_string().contains("at most 100"));
        let read = BatchRead::new("contacts", (0..51).map(|n| n.to_string())).with_history(["email"]);
        assert!(read.request(&V3).unwrap_err().to_string().contains("at most 50"));
    }
}
