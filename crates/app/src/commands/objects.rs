//! `spoke objects`: what the account has, and what may be done with it.

use hubspot_client::{Pipeline, Schema};
use hubspot_connector::config::OWN_STREAMS;
use hubspot_connector::objects::{self, Capability, ObjectType};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::Objects;
use crate::exit::Outcome;
use crate::printer;
use crate::session::Session;

/// Lists the standard types and the account's custom ones; or tells all of some.
pub(crate) async fn run(arguments: Objects) -> Outcome {
    let session = Session::open(&arguments.asked.target)?;
    if arguments.only.is_empty() {
        return list(&session, &arguments).await;
    }
    let mut chosen = Vec::new();
    for name in &arguments.only {
        chosen.push(session.object(name).await?);
    }
    let mut facts = Vec::new();
    for object in &chosen {
        facts.push(Facts::with_pipelines(&session, object).await?);
    }
    print(facts, Vec::new(), arguments.asked.json)
}

async fn list(session: &Session, arguments: &Objects) -> Outcome {
    let all = session.objects().await?;
    let tables = match arguments.all {
        true => tables(session, &all).await?,
        false => Vec::new(),
    };
    print(
        all.iter().map(Facts::from).collect(),
        tables,
        arguments.asked.json,
    )
}

fn print(facts: Vec<Facts<'_>>, tables: Vec<Table>, json: bool) -> Outcome {
    if json {
        let facts = facts.iter().map(|facts| json!(facts));
        let all: Vec<Value> = facts.chain(tables.iter().map(|table| json!(table))).collect();
        return printer::json(&all);
    }
    let header = [
        "name",
        "type id",
        "kind",
        "last modified",
        "read scope",
        "write scope",
        "can",
    ];
    let rows = facts.into_iter().map(Facts::row);
    printer::table(&header, rows.chain(tables.into_iter().map(Table::row)));
    Ok(())
}

/// What can be read besides object types.
#[derive(Debug, Serialize)]
struct Table {
    name: String,
    kind: &'static str,
    /// The object types whose records are associated.
    #[serde(skip_serializing_if = "Option::is_none")]
    between: Option<[String; 2]>,
}

impl Table {
    fn row(self) -> Vec<String> {
        vec![self.name, String::new(), self.kind.to_owned()]
    }
}

/// The associations of every two types that may have them, and the streams that are no objects.
async fn tables(session: &Session, all: &[ObjectType]) -> Outcome<Vec<Table>> {
    let schemas = session.schemas().await?.unwrap_or_default();
    let mut tables = Vec::new();
    for (n, from) in all.iter().enumerate() {
        let others = all[n..].iter().filter(|to| may_be_associated(&schemas, from, to));
        tables.extend(others.map(|to| Table {
            name: format!("{}_{}", from.name, to.name),
            kind: "associations",
            between: Some([from.name.to_string(), to.name.to_string()]),
        }));
    }
    let own = OWN_STREAMS
        .into_iter()
        .filter(|name| session.account.may_read(name).is_ok());
    tables.extend(own.map(|name| Table {
        name: name.to_owned(),
        kind: "stream",
        between: None,
    }));
    Ok(tables)
}

/// HubSpot documents which standard types may be; a custom one's schema says so.
fn may_be_associated(schemas: &[Schema], a: &ObjectType, b: &ObjectType) -> bool {
    let id = |object: &ObjectType| object.type_id.as_deref().unwrap_or_default().to_owned();
    let (a_id, b_id) = (id(a), id(b));
    let mut pairs = schemas.iter().flat_map(|schema| &schema.associations);
    objects::associable(a, b)
        || pairs.any(|pair| {
            let ends = [&pair.from_object_type_id, &pair.to_object_type_id];
            ends == [&a_id, &b_id] || ends == [&b_id, &a_id]
        })
}

/// What is told of an object type.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts<'a> {
    name: &'a str,
    object_type_id: Option<&'a str>,
    custom: bool,
    kind: &'static str,
    last_modified_property: &'a str,
    pub(super) read_scope: String,
    pub(super) write_scope: Option<String>,
    capabilities: Vec<&'static str>,
    /// What a new record needs, in words and by name.
    pub(super) required: String,
    required_properties: Vec<&'a str>,
    has_pipelines: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pipelines: Option<Vec<Pipeline>>,
}

impl<'a> From<&'a ObjectType> for Facts<'a> {
    fn from(object: &'a ObjectType) -> Self {
        Self {
            name: &object.name,
            object_type_id: object.type_id.as_deref(),
            custom: object.is_custom(),
            kind: if object.is_custom() { "custom" } else { "standard" },
            last_modified_property: object.last_modified,
            read_scope: object.read_scope(),
            write_scope: object.write_scope(),
            capabilities: object.capabilities.iter().map(|can| word(*can)).collect(),
            required: object.required.to_string(),
            required_properties: object.required.properties(),
            has_pipelines: object.has_pipelines,
            pipelines: None,
        }
    }
}

impl<'a> Facts<'a> {
    /// The same with the pipelines there are, if the type has any and they may be read.
    pub(super) async fn with_pipelines(session: &Session, object: &'a ObjectType) -> Outcome<Self> {
        let mut facts = Self::from(object);
        if object.has_pipelines {
            facts.pipelines = match session.client.pipelines(object.path_name()).await {
                Err(error) if error.status() == Some(403) => None,
                answer => Some(answer?),
            };
        }
        Ok(facts)
    }

    /// What can be done, in few words.
    pub(super) fn can(&self) -> String {
        let all = |words: &[&str]| words.iter().all(|word| self.capabilities.contains(word));
        let (read, write) = (["list", "batch_read"], ["create", "update", "upsert", "archive"]);
        let mut shown = Vec::new();
        for (several, one) in [(read.as_slice(), "read"), (&write, "write")] {
            match all(several) {
                true => shown.push(one),
                false => shown.extend(several.iter().filter(|word| self.capabilities.contains(word))),
            }
        }
        let others = ["search", "merge", "gdpr_delete"];
        shown.extend(others.iter().filter(|word| self.capabilities.contains(word)));
        shown.join(", ")
    }

    fn row(self) -> Vec<String> {
        let can = self.can();
        vec![
            self.name.to_owned(),
            self.object_type_id.unwrap_or_default().to_owned(),
            self.kind.to_owned(),
            self.last_modified_property.to_owned(),
            self.read_scope,
            self.write_scope.unwrap_or_default(),
            can,
        ]
    }
}

fn word(capability: Capability) -> &'static str {
    match capability {
        Capability::List => "list",
        Capability::BatchRead => "batch_read",
        Capability::Search => "search",
        Capability::Create => "create",
        Capability::Update => "update",
        Capability::Upsert => "upsert",
        Capability::Archive => "archive",
        Capability::Merge => "merge",
        Capability::GdprDelete => "gdpr_delete",
    }
}
