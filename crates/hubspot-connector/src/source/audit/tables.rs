//! The rows of a table that is read whole, decoded from HubSpot's JSON without the types that a read goes through.
//!
//! What a read leaves out, because a type of its own does not have it or an end came early, is here all the same. An answer
//! without `results` is an error, never an empty page.

use hubspot_client::request::lists::{self, ListSearch};
use hubspot_client::request::resources::ResourceList;
use hubspot_client::request::{owners, pipelines, properties, schemas};
use hubspot_client::{ApiVersion, Client, Request};
use opencdc::{Data, Error, ErrorKind, Operation, Record, Result};
use serde_json::{Map, Value};

use super::super::tables::is_about_one;
use crate::error::{Doing, OrFailed, is_withheld};
use crate::objects::ObjectType;
use crate::own::OwnStream;
use crate::plan::Plan;
use crate::record::Facts;

type Row = Map<String, Value>;
type Built = std::result::Result<Request, hubspot_client::Error>;

/// Reads one table.
pub(super) struct RawTable<'a> {
    pub(super) client: &'a Client,
    pub(super) plan: &'a Plan,
    pub(super) own: OwnStream,
    pub(super) facts: &'a Facts,
}

impl RawTable<'_> {
    /// Every row as it is now.
    pub(super) async fn records(&self) -> Result<Vec<Record>> {
        let rows = self.rows().await?;
        let facts = self.facts.read_now();
        let record = |row: Row| {
            let field = |name: &&str| ((*name).to_owned(), row.get(*name).cloned().unwrap_or_default());
            let key = self.own.key().iter().map(field).collect();
            facts.row(Operation::Snapshot, key, Some(Data::Structured(row)))
        };
        Ok(rows.into_iter().map(record).collect())
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        match self.own {
            OwnStream::Owners => self.both(owners::list).await,
            OwnStream::Resource(resource) => {
                let list = |version: &ApiVersion, after: Option<&str>, archived| {
                    let list = ResourceList::new(resource).with_archived(archived);
                    let after = after.map(str::to_owned);
                    ResourceList { after, ..list }.request(version)
                };
                self.both(list).await
            }
            OwnStream::Schemas => self.pages(|version, _| schemas::list(version, false)).await,
            OwnStream::Lists => self.lists().await,
            OwnStream::ListMemberships => self.memberships().await,
            OwnStream::Properties => {
                let types = self.plan.types_with_properties();
                self.of_types(&types, |version, object| properties::list(version, object, false))
                    .await
            }
            OwnStream::Pipelines => {
                let mut rows = self.pipelines().await?;
                for row in &mut rows {
                    row.remove("stages");
                }
                Ok(rows)
            }
            OwnStream::PipelineStages => Ok(self.pipelines().await?.into_iter().flat_map(stages).collect()),
        }
    }

    /// Live rows, then archived ones, which HubSpot lists apart.
    async fn both(&self, list: impl Fn(&ApiVersion, Option<&str>, bool) -> Built) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for archived in [false, true] {
            let some = self
                .pages(|version, after| list(version, after, archived))
                .await?;
            rows.extend(some.into_iter().map(|row| listed(row, archived)));
        }
        Ok(rows)
    }

    async fn pipelines(&self) -> Result<Vec<Row>> {
        self.of_types(&self.plan.types_with_pipelines(), pipelines::list)
            .await
    }

    async fn of_types(
        &self,
        types: &[std::sync::Arc<ObjectType>],
        list: impl Fn(&ApiVersion, &str) -> Built,
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for object in types {
            let listed = self.pages(|version, _| list(version, object.path_name())).await;
            for mut row in left_out_if_refused(listed)? {
                row.insert("object_type".to_owned(), Value::from(&*object.name));
                rows.push(row);
            }
        }
        Ok(rows)
    }

    async fn lists(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        loop {
            let offset = rows.len() as u64;
            let search = ListSearch {
                offset,
                ..ListSearch::default()
            };
            let mut body = self.ask(search.request(self.client.api_version())).await?;
            let found = members(self.own, &mut body, "lists")?;
            let is_last = body.get("hasMore") != Some(&Value::Bool(true)) || found.is_empty();
            rows.extend(found.into_iter().map(|mut row| {
                let id = row.get("listId").cloned().unwrap_or_default();
                row.insert("id".to_owned(), id);
                row
            }));
            if is_last {
                return Ok(rows);
            }
        }
    }

    async fn memberships(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for list in self.lists().await? {
            let [id, object] =
                ["listId", "objectTypeId"].map(|name| list.get(name).cloned().unwrap_or_default());
            let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            let members = self
                .pages(|version, after| lists::members(version, &text, after))
                .await;
            for mut row in left_out_if_refused(members)? {
                let record = row.get("recordId").cloned().unwrap_or_default();
                row.insert("record_id".to_owned(), record);
                row.insert("list_id".to_owned(), Value::from(&*text));
                row.insert("object_type_id".to_owned(), object.clone());
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// All pages of a collection, to the one that names no next.
    async fn pages(&self, list: impl Fn(&ApiVersion, Option<&str>) -> Built) -> Result<Vec<Row>> {
        let (mut rows, mut after): (Vec<Row>, Option<String>) = (Vec::new(), None);
        loop {
            let mut body = self
                .ask(list(self.client.api_version(), after.as_deref()))
                .await?;
            rows.extend(members(self.own, &mut body, "results")?);
            let next = body.pointer("/paging/next").filter(|next| !next.is_null());
            let Some(next) = next else { return Ok(rows) };
            let next = match next.get("after") {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => return Err(unknown(self.own, "a next page without a token")),
            };
            if after.as_ref() == Some(&next) {
                return Err(unknown(self.own, "the same page twice"));
            }
            after = Some(next);
        }
    }

    async fn ask(&self, request: Built) -> Result<Value> {
        let doing = Doing::reading(self.own.name(), self.own.scope());
        let request = request.or_failed(doing)?;
        let response = self.client.send(request).await.or_failed(doing)?;
        serde_json::from_slice(response.body()).map_err(|_| unknown(self.own, "no JSON"))
    }
}

/// A row by the list that it came from, with its times under one set of names: the families of the CMS disagree about
/// them, and a time of zero or in 1970 is none.
fn listed(mut row: Row, archived: bool) -> Row {
    const NAMES: [[&str; 2]; 4] = [
        ["createdAt", "created"],
        ["updatedAt", "updated"],
        ["archivedAt", "deletedAt"],
        ["publishDate", "publishDate"],
    ];
    row.insert("archived".to_owned(), archived.into());
    for names in NAMES {
        let is_wanted = archived || names[0] != "archivedAt";
        let time = names
            .iter()
            .filter_map(|name| row.get(*name))
            .find(|value| is_wanted && is_time(value));
        match (time.cloned(), row.get_mut(names[0])) {
            (Some(time), _) => drop(row.insert(names[0].to_owned(), time)),
            (None, Some(never)) => *never = Value::Null,
            (None, None) => {}
        }
    }
    row
}

fn is_time(value: &Value) -> bool {
    match value {
        Value::String(text) => !(text.is_empty() || text == "0" || text.starts_with("1970-01-01")),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => false,
    }
}

fn members(own: OwnStream, body: &mut Value, name: &str) -> Result<Vec<Row>> {
    let Some(Value::Array(all)) = body.get_mut(name).map(Value::take) else {
        return Err(unknown(own, &format!("no `{name}`")));
    };
    let row = |value| match value {
        Value::Object(row) => Ok(row),
        _ => Err(unknown(own, &format!("something else than objects in `{name}`"))),
    };
    all.into_iter().map(row).collect()
}

/// Nothing of what HubSpot refuses alone, such as the members of one list: a read leaves it out too.
fn left_out_if_refused(rows: Result<Vec<Row>>) -> Result<Vec<Row>> {
    match rows {
        Err(error) if is_refused_alone(&error) => Ok(Vec::new()),
        rows => rows,
    }
}

fn is_refused_alone(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    source.is_some_and(is_about_one) || is_withheld(error)
}

fn stages(mut pipeline: Row) -> Vec<Row> {
    let [id, object] = ["id", "object_type"].map(|name| pipeline.get(name).cloned().unwrap_or_default());
    let stages = pipeline.remove("stages").unwrap_or_default();
    let stage = |stage: Value| {
        let Value::Object(mut row) = stage else {
            return None;
        };
        row.insert("pipeline_id".to_owned(), id.clone());
        row.insert("object_type".to_owned(), object.clone());
        Some(row)
    };
    match stages {
        Value::Array(stages) => stages.into_iter().filter_map(stage).collect(),
        _ => Vec::new(),
    }
}

fn unknown(own: OwnStream, what: &str) -> Error {
    let message = format!("cannot compare stream `{}`: HubSpot returned {what}", own.name());
    Error::new(ErrorKind::InvalidData, message)
}
