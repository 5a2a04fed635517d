//! The tables that there are: object types, the associations of two of them, and what a source reads whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use hubspot_client::{Client, Property};
use opencdc::{Error, ErrorKind, Field, Result, Stream, StreamName};

use super::column::{Column, Kind};
use crate::catalog;
use crate::discovery::Objects;
use crate::error::{Doing, OrFailed};
use crate::objects::{self, Capability, ObjectType, STANDARD, UnknownObject};
use crate::own::OwnStream;

/// A table of the account, with every column that it has.
#[derive(Debug, Clone)]
pub enum Table {
    /// The live records of an object type.
    Object(Arc<ObjectTable>),
    /// The associations of one object type with another, `contacts_companies`.
    Links(Arc<LinkTable>),
    /// Owners, pipelines, properties and the like.
    Own(OwnTable),
}

/// The live records of an object type.
#[derive(Debug, Clone)]
pub struct ObjectTable {
    /// The type.
    pub object: ObjectType,
    stream: Stream,
    columns: Vec<Column>,
}

/// The associations of one object type with another.
#[derive(Debug, Clone)]
pub struct LinkTable {
    /// Whose associations they are.
    pub from: ObjectType,
    /// What they lead to.
    pub to: ObjectType,
    stream: Stream,
}

/// A table that is read whole.
#[derive(Debug, Clone)]
pub struct OwnTable {
    pub(super) own: OwnStream,
    stream: Stream,
}

impl Table {
    /// The name that a copy gives it.
    pub fn name(&self) -> &str {
        self.stream().name.as_str()
    }

    /// All its columns.
    pub fn fields(&self) -> &[Field] {
        &self.stream().fields
    }

    fn stream(&self) -> &Stream {
        match self {
            Self::Object(table) => &table.stream,
            Self::Links(table) => &table.stream,
            Self::Own(table) => &table.stream,
        }
    }

    /// The column called `name`, in whatever case.
    pub fn column(&self, name: &str) -> Option<Column> {
        let named = |column: &&Column| column.name.eq_ignore_ascii_case(name);
        if let Self::Object(table) = self {
            return table.columns.iter().find(named).cloned();
        }
        let mut fields = self.fields().iter();
        let field = fields.find(|field| field.name.eq_ignore_ascii_case(name))?;
        Some(match (self, &*field.name) {
            (Self::Links(_), "from_id" | "to_id") => Column::key(field, Kind::Id),
            (Self::Own(_), "object_type") => Column::key(field, Kind::Choice),
            _ => Column::opaque(field),
        })
    }

    /// The table under another name, with the columns that `wanted` names and those that every table has.
    #[must_use]
    pub fn stream_of(&self, name: &str, wanted: impl Fn(&str) -> bool) -> Stream {
        let mut stream = self.stream().clone();
        stream.name = StreamName::from(name);
        if let Self::Object(_) = self {
            stream
                .fields
                .retain(|field| !is_property(field) || wanted(&field.name));
        }
        stream
    }

    /// The properties to ask for, to fill the columns of `stream`.
    pub fn properties_of(&self, stream: &Stream) -> Vec<String> {
        let property = |field: &Field| match &*field.path {
            [first, property] if first == "properties" => Some(property.clone()),
            _ => None,
        };
        stream.fields.iter().filter_map(property).collect()
    }
}

fn is_property(field: &Field) -> bool {
    field.path.first().is_some_and(|first| first == "properties")
}

impl ObjectTable {
    fn new(object: ObjectType, properties: &[Property]) -> Self {
        let all: Vec<_> = properties.iter().collect();
        let stream = catalog::object_stream(&object, StreamName::from(&*object.name), &all);
        let column = |field: &Field| match &*field.path {
            [_, name] if is_property(field) => {
                let property = properties.iter().find(|property| property.name == *name);
                let always = [object.created, object.last_modified].contains(&&**name);
                let of = |property| {
                    Column::of(
                        field,
                        property,
                        is_filterable(&object, name),
                        always,
                        object.is_unique(property),
                    )
                };
                property.map_or_else(|| Column::opaque(field), of)
            }
            _ if field.name == "id" => Column::id(field),
            _ => Column::opaque(field),
        };
        Self {
            columns: stream.fields.iter().map(column).collect(),
            stream,
            object,
        }
    }

    /// Whether its records can be searched.
    pub fn can_search(&self) -> bool {
        self.object.can(Capability::Search)
    }

    /// Whether its records can be read by id.
    pub fn can_batch(&self) -> bool {
        self.object.can(Capability::BatchRead)
    }
}

/// Properties that search does not look into (hubspot-api notes §1.5).
fn is_filterable(object: &ObjectType, property: &str) -> bool {
    let of_emails = ["hs_email_html", "hs_body_preview"];
    property != "hs_body_preview_html" && !(object.name == "emails" && of_emails.contains(&property))
}

impl OwnTable {
    /// Whether it is read for each object type, and has a column `object_type`.
    pub fn is_by_object(&self) -> bool {
        self.own.key().contains(&"object_type")
    }
}

/// Finds tables by name; asks for definitions once.
#[derive(Debug)]
pub struct Tables {
    client: Client,
    objects: Objects,
    known: Vec<Table>,
}

impl Tables {
    /// Nothing is asked yet.
    pub fn new(client: Client) -> Self {
        Self {
            objects: Objects::new(client.clone()),
            client,
            known: Vec::new(),
        }
    }

    /// The table that a person calls `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a name that no table has, with the nearest.
    pub async fn find(&mut self, name: &str) -> Result<Table> {
        if let Some(named) = standard(name) {
            return self.described(named).await;
        }
        let custom = self.objects.custom().await?;
        let all: Vec<_> = STANDARD.iter().chain(custom).cloned().collect();
        let named =
            || objects::resolve_among(&all, name).map(|object| Named::Object(Box::new(object.clone())));
        let pair = || pair(name, &all).map(|pair| Named::Links(Box::new(pair)));
        match named().ok().or_else(pair) {
            Some(named) => self.described(named).await,
            None => Err(unknown(name, &all)),
        }
    }

    async fn described(&mut self, named: Named) -> Result<Table> {
        let object = match named {
            Named::Own(own) => {
                let stream = catalog::own_stream(own);
                return Ok(Table::Own(OwnTable { own, stream }));
            }
            Named::Links(pair) => return links(pair.0, pair.1),
            Named::Object(object) => *object,
        };
        let known = |table: &&Table| matches!(table, Table::Object(table) if table.object == object);
        if let Some(known) = self.known.iter().find(known) {
            return Ok(known.clone());
        }
        listable(&object)?;
        let scope = object.read_scope();
        let doing = Doing {
            what: "cannot list the properties of",
            ..Doing::reading(&object.name, Some(&scope))
        };
        let properties = self
            .client
            .properties(object.path_name())
            .await
            .or_failed(doing)?;
        let table = Table::Object(Arc::new(ObjectTable::new(object, &properties)));
        self.known.push(table.clone());
        Ok(table)
    }
}

/// What has a name that no account gives, so that its own types need not be asked for.
fn standard(name: &str) -> Option<Named> {
    let own = OwnStream::called(name).map(Named::Own);
    let object = || {
        objects::resolve(name)
            .map(|object| Named::Object(Box::new(object.clone())))
            .ok()
    };
    let pair = || pair(name, &STANDARD).map(|pair| Named::Links(Box::new(pair)));
    own.or_else(object).or_else(pair)
}

enum Named {
    Object(Box<ObjectType>),
    Links(Box<(ObjectType, ObjectType)>),
    Own(OwnStream),
}

fn listable(object: &ObjectType) -> Result<()> {
    if object.can(Capability::List) {
        return Ok(());
    }
    let message = format!(
        "`{}` cannot be asked for: HubSpot has no list of them",
        object.name
    );
    Err(Error::new(ErrorKind::Configuration, message))
}

fn links(from: ObjectType, to: ObjectType) -> Result<Table> {
    listable(&from)?;
    let stream = catalog::association_stream(StreamName::from(format!("{}_{}", from.name, to.name)));
    Ok(Table::Links(Arc::new(LinkTable { from, to, stream })))
}

/// Two types with `_` between their names, each of which may have one in itself.
fn pair(name: &str, all: &[ObjectType]) -> Option<(ObjectType, ObjectType)> {
    let find = |name: &str| objects::resolve_among(all, name).ok().cloned();
    let mut halves = name
        .match_indices('_')
        .map(|(at, _)| (&name[..at], &name[at + 1..]));
    halves.find_map(|(from, to)| find(from).zip(find(to)))
}

fn unknown(name: &str, all: &[ObjectType]) -> Error {
    let listable = all.iter().filter(|object| object.can(Capability::List));
    let valid: BTreeSet<_> = listable
        .map(|object| &*object.name)
        .chain(OwnStream::NAMES)
        .collect();
    let unknown = UnknownObject::new(name, valid);
    let message = match unknown.nearest() {
        Some(nearest) => format!("there is no table `{name}`; did you mean `{nearest}`?"),
        None => format!("there is no table `{name}`"),
    };
    let names: Vec<_> = unknown.valid().iter().map(|name| format!("`{name}`")).collect();
    Error::new(ErrorKind::Configuration, message).with_hint(format!(
        "tables are {}, and two object types together, such as `contacts_companies`",
        names.join(", ")
    ))
}
