//! What the configuration means in one account: which streams there are and what each is made of.
//!
//! Pure: custom object types come in as values.

use std::sync::Arc;
use std::time::Duration;

use hubspot_client::Schema;
use jiff::Timestamp;
use opencdc::{Error, ErrorKind, Result, StreamName};
use xxhash_rust::xxh3::xxh3_64;

use crate::config::rhythm::{REFRESH, Rhythm};
use crate::config::{
    Associations, CUSTOM_OBJECTS, DEFAULT_PAGE_SIZE, History, Interval, Properties, SelectionChange, Since,
    SourceConfig, StreamConfig,
};
use crate::objects::naming::HISTORY;
use crate::objects::{self, Capability, ObjectType, STANDARD, UnknownObject};
pub(crate) use crate::own::OwnStream;

/// Whose pipelines are read when no selected object has any.
const USUAL_PIPELINES: [&str; 2] = ["deals", "tickets"];
/// Whose properties are read when no object is selected.
const USUAL_PROPERTIES: [&str; 4] = ["contacts", "companies", "deals", "tickets"];

/// The streams of a source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// The selected objects, in the order of the configuration.
    pub(crate) objects: Vec<Arc<ObjectPlan>>,
    /// The selected streams that are no objects.
    pub(crate) own: Vec<OwnStream>,
    /// How often definitions and tables are read again.
    pub(crate) refresh: Duration,
}

/// A selected object type, its settings, and the associations that are read from it.
#[derive(Debug, Clone)]
pub(crate) struct ObjectPlan {
    pub(crate) object: Arc<ObjectType>,
    pub(crate) stream: StreamName,
    pub(crate) properties: Properties,
    pub(crate) page_size: u16,
    pub(crate) targets: Vec<Target>,
    /// `auto` leaves out its associations with records of its own type, such as a company's parent.
    pub(crate) leaves_out_itself: bool,
    pub(crate) history: Option<HistoryPlan>,
    pub(crate) rhythm: Rhythm,
    /// Whether to begin with everything that is there.
    pub(crate) snapshot: bool,
    /// Records that have not changed since are left out.
    pub(crate) updated_after: Option<Timestamp>,
    pub(crate) on_selection_change: SelectionChange,
}

/// The stream of an object's property history.
#[derive(Debug, Clone)]
pub(crate) struct HistoryPlan {
    pub(crate) stream: StreamName,
    properties: History,
}

impl ObjectPlan {
    /// The properties whose history is read, given those that the stream reads.
    pub(crate) fn history_properties(&self, read: &[String]) -> Vec<String> {
        match self.history.as_ref().map(|history| &history.properties) {
            Some(History::All) => read.to_vec(),
            Some(History::Of(names)) => names.clone(),
            Some(History::None) | None => Vec::new(),
        }
    }

    /// A short text that changes when what is selected does: which properties, of which records, and whether the records
    /// are wanted at all.
    pub(crate) fn selection(&self, fields: Option<&[String]>, delivers: bool) -> String {
        let facts = (&self.properties, fields, self.updated_after, delivers);
        let text = serde_json::to_vec(&facts).expect("names and times are always serialisable");
        format!("{:016x}", xxh3_64(&text))
    }
}

/// One association stream.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// What the object is associated with.
    pub(crate) object: Arc<ObjectType>,
    pub(crate) stream: StreamName,
}

/// A custom object type of the account, and the types that its schema lets it be associated with.
#[derive(Debug, Clone)]
pub(crate) struct CustomType {
    pub(crate) object: Arc<ObjectType>,
    associated: Vec<String>,
    /// Its schema associates it with records of its own type.
    with_itself: bool,
}

impl CustomType {
    /// The custom types of an account.
    pub(crate) fn all(schemas: &[Schema]) -> Vec<Self> {
        let objects = ObjectType::customs(schemas);
        schemas
            .iter()
            .zip(objects)
            .map(|(schema, object)| Self::new(schema, object))
            .collect()
    }

    fn new(schema: &Schema, object: ObjectType) -> Self {
        let ends = |pair: &hubspot_client::SchemaAssociation| {
            [pair.from_object_type_id.clone(), pair.to_object_type_id.clone()]
        };
        Self {
            object: Arc::new(object),
            associated: schema.associations.iter().flat_map(ends).collect(),
            with_itself: schema.associations.iter().map(ends).any(|[from, to]| from == to),
        }
    }

    fn may_have(&self, other: &ObjectType) -> bool {
        other
            .type_id
            .as_ref()
            .is_some_and(|id| self.associated.iter().any(|listed| listed == id))
    }
}

/// Whether the configuration names anything that is not standard, so that the account's schemas are needed.
pub(crate) fn needs_schemas(config: &SourceConfig) -> bool {
    let listed = |associations: &Associations| match associations {
        Associations::To(names) => names.clone(),
        Associations::Auto | Associations::None => Vec::new(),
    };
    let of_stream = |stream: &StreamConfig| stream.associations.as_ref().map(listed).unwrap_or_default();
    let targets = config
        .streams
        .iter()
        .flat_map(of_stream)
        .chain(listed(&config.associations));
    let streams = config.streams.iter().map(|stream| stream.name.clone());
    let known = |name: &String| OwnStream::called(name).is_some() || objects::resolve(name).is_ok();
    !streams.chain(targets).all(|name| known(&name))
}

impl Plan {
    /// # Errors
    /// [`ErrorKind::Configuration`] for names that are unknown, twice there, or cannot be listed.
    pub(crate) fn new(config: &SourceConfig, custom: &[CustomType]) -> Result<Self> {
        config.validate()?;
        let planner = Planner { config, custom };
        let mut plan = Self {
            refresh: config.refresh.map_or(REFRESH, Interval::get),
            ..Self::default()
        };
        let mut selected = Vec::new();
        let mut wild = None;
        for stream in &config.streams {
            match OwnStream::called(&stream.name) {
                Some(own) => plan.own.push(own_without_settings(own, stream)?),
                None if stream.name == CUSTOM_OBJECTS => wild = Some(stream),
                None => selected.push((planner.listable(&stream.name)?, stream)),
            }
        }
        if let Some(stream) = wild {
            let named = |object: &ObjectType| selected.iter().any(|(other, _)| **other == *object);
            let rest: Vec<_> = custom
                .iter()
                .map(|custom| &custom.object)
                .filter(|object| !named(object))
                .cloned()
                .collect();
            selected.extend(rest.into_iter().map(|object| (object, stream)));
        }
        plan.objects = planner.objects(&selected)?;
        plan.refuse_duplicates()?;
        Ok(plan)
    }

    /// The names of all streams, in the order of the catalog.
    pub(crate) fn stream_names(&self) -> impl Iterator<Item = &str> {
        let objects = self.objects.iter().map(|plan| plan.stream.as_str());
        let targets = self
            .objects
            .iter()
            .flat_map(|plan| plan.targets.iter().map(|target| target.stream.as_str()));
        objects
            .chain(targets)
            .chain(
                self.objects
                    .iter()
                    .filter_map(|plan| Some(plan.history.as_ref()?.stream.as_str())),
            )
            .chain(self.own.iter().map(|own| own.name()))
    }

    /// The selected object whose records are this stream.
    pub(crate) fn of_stream(&self, stream: &StreamName) -> Option<&Arc<ObjectPlan>> {
        self.objects.iter().find(|plan| plan.stream == *stream)
    }

    /// The selected object of this type.
    pub(crate) fn object(&self, of: &ObjectType) -> Option<&Arc<ObjectPlan>> {
        self.objects.iter().find(|plan| *plan.object == *of)
    }

    /// Both ends of an association stream.
    pub(crate) fn pair(&self, stream: &StreamName) -> Option<(&Arc<ObjectPlan>, &Target)> {
        let mut pairs = self
            .objects
            .iter()
            .flat_map(|plan| plan.targets.iter().map(move |target| (plan, target)));
        pairs.find(|(_, target)| target.stream == *stream)
    }

    /// What `associations: auto` leaves out, and how to have it.
    pub(crate) fn left_out(&self) -> Option<String> {
        let names = self.objects.iter().filter(|plan| plan.leaves_out_itself);
        let names: Vec<_> = names.map(|plan| format!("`{}`", plan.object.name)).collect();
        let first = names.first()?;
        Some(format!(
            "`associations: auto` leaves out associations of records with records of their own type ({}): \
             to read them, list the type under the stream's own `associations`, such as {first} for {first}",
            names.join(", ")
        ))
    }

    /// The object types whose pipelines are read.
    pub(crate) fn types_with_pipelines(&self) -> Vec<Arc<ObjectType>> {
        let selected = self
            .objects
            .iter()
            .map(|plan| &plan.object)
            .filter(|object| object.has_pipelines);
        or_usual(selected.cloned().collect(), &USUAL_PIPELINES)
    }

    /// The object types whose property definitions are read.
    pub(crate) fn types_with_properties(&self) -> Vec<Arc<ObjectType>> {
        or_usual(
            self.objects.iter().map(|plan| Arc::clone(&plan.object)).collect(),
            &USUAL_PROPERTIES,
        )
    }

    fn refuse_duplicates(&self) -> Result<()> {
        let mut names: Vec<_> = self.stream_names().collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                let message = format!("the stream `{}` is there twice", pair[0]);
                Err(Error::new(ErrorKind::Configuration, message)
                    .with_hint("name each stream once in `streams`"))
            }
            None => Ok(()),
        }
    }
}

fn or_usual(selected: Vec<Arc<ObjectType>>, usual: &[&str]) -> Vec<Arc<ObjectType>> {
    if !selected.is_empty() {
        return selected;
    }
    let standard = |name: &&str| {
        STANDARD
            .iter()
            .find(|object| object.name == **name)
            .cloned()
            .map(Arc::new)
    };
    usual.iter().filter_map(standard).collect()
}

fn own_without_settings(own: OwnStream, stream: &StreamConfig) -> Result<OwnStream> {
    if *stream == StreamConfig::new(&stream.name) {
        return Ok(own);
    }
    let message = format!("the stream `{}` takes no settings", own.name());
    Err(Error::new(ErrorKind::Configuration, message)
        .with_hint(format!("write it as its name alone, `{}`", own.name())))
}

/// A selected object and where it is configured.
type Selected<'a> = (Arc<ObjectType>, &'a StreamConfig);

struct Planner<'a> {
    config: &'a SourceConfig,
    custom: &'a [CustomType],
}

impl Planner<'_> {
    fn resolve(&self, name: &str) -> Result<Arc<ObjectType>> {
        let custom = self.custom.iter().map(|custom| &*custom.object);
        let all = STANDARD.iter().chain(custom);
        if let Ok(object) = objects::resolve_among(all.clone(), name) {
            return Ok(Arc::new(object.clone()));
        }
        let listable = all.filter(|object| object.can(Capability::List));
        let valid = listable.map(|object| &*object.name).chain(OwnStream::NAMES);
        Err(UnknownObject::new(name, valid).into())
    }

    fn listable(&self, name: &str) -> Result<Arc<ObjectType>> {
        let object = self.resolve(name)?;
        if object.can(Capability::List) {
            return Ok(object);
        }
        let message = format!(
            "`{}` cannot be a stream: HubSpot has no list of them",
            object.name
        );
        Err(Error::new(ErrorKind::Configuration, message))
    }

    fn objects(&self, selected: &[Selected<'_>]) -> Result<Vec<Arc<ObjectPlan>>> {
        let plan = |of: &Selected<'_>| {
            let (object, stream) = of;
            Ok(Arc::new(ObjectPlan {
                object: Arc::clone(object),
                stream: StreamName::from(&*object.name),
                properties: stream
                    .properties
                    .clone()
                    .unwrap_or_else(|| self.config.properties.clone()),
                page_size: stream.page_size.unwrap_or(DEFAULT_PAGE_SIZE),
                targets: self.targets(of, selected)?,
                leaves_out_itself: self.leaves_out_itself(of),
                history: self.history(object, stream),
                rhythm: Rhythm::of(self.config, stream, object.can(Capability::Search)),
                snapshot: stream.snapshot.or(self.config.snapshot).unwrap_or(true),
                updated_after: stream.updated_after.or(self.config.updated_after).map(Since::get),
                on_selection_change: self.config.on_selection_change,
            }))
        };
        selected.iter().map(plan).collect()
    }

    fn history(&self, object: &ObjectType, stream: &StreamConfig) -> Option<HistoryPlan> {
        let properties = stream
            .history
            .clone()
            .unwrap_or_else(|| self.config.history.clone());
        (!properties.is_none()).then(|| HistoryPlan {
            stream: StreamName::from(format!("{}{HISTORY}", object.name)),
            properties,
        })
    }

    fn setting<'b>(&'b self, stream: &'b StreamConfig) -> &'b Associations {
        stream.associations.as_ref().unwrap_or(&self.config.associations)
    }

    fn targets(&self, of: &Selected<'_>, selected: &[Selected<'_>]) -> Result<Vec<Target>> {
        let (object, stream) = of;
        let others: Vec<_> = match self.setting(stream) {
            Associations::None => Vec::new(),
            Associations::To(names) => self.listed(of, names)?,
            Associations::Auto => self.automatic(object, selected),
        };
        let target = |other: Arc<ObjectType>| {
            let stream = StreamName::from(format!("{}_{}", object.name, other.name));
            Target {
                object: other,
                stream,
            }
        };
        Ok(others.into_iter().map(target).collect())
    }

    /// A list of the source's own is for every stream, so a type's own name in it means the others.
    fn listed(&self, (object, stream): &Selected<'_>, names: &[String]) -> Result<Vec<Arc<ObjectType>>> {
        let resolved = names
            .iter()
            .map(|name| self.resolve(name))
            .collect::<Result<Vec<_>>>()?;
        let on_stream = stream.associations.is_some();
        Ok(resolved
            .into_iter()
            .filter(|other| on_stream || other.name != object.name)
            .collect())
    }

    /// The selected types that stand later, unless one of them asks for this pair in its own direction.
    fn automatic(&self, object: &ObjectType, selected: &[Selected<'_>]) -> Vec<Arc<ObjectType>> {
        let wanted = |(other, stream): &&Selected<'_>| {
            self.rank(other) > self.rank(object)
                && self.associable(object, other)
                && !self.names(stream, object)
        };
        selected
            .iter()
            .filter(wanted)
            .map(|(other, _)| Arc::clone(other))
            .collect()
    }

    fn leaves_out_itself(&self, (object, stream): &Selected<'_>) -> bool {
        let of_schema = |custom: &CustomType| *custom.object == **object && custom.with_itself;
        let is_possible = objects::associable(object, object) || self.custom.iter().any(of_schema);
        is_possible && matches!(self.setting(stream), Associations::Auto)
    }

    fn names(&self, stream: &StreamConfig, object: &ObjectType) -> bool {
        match self.setting(stream) {
            Associations::To(names) => names.iter().any(|name| object.is_called(name)),
            Associations::Auto | Associations::None => false,
        }
    }

    fn associable(&self, a: &ObjectType, b: &ObjectType) -> bool {
        let allows = |object: &ObjectType, other: &ObjectType| {
            self.custom
                .iter()
                .any(|custom| *custom.object == *object && custom.may_have(other))
        };
        objects::associable(a, b) || allows(a, b) || allows(b, a)
    }

    /// Place in the canonical order: the table's, then the account's own types.
    fn rank(&self, object: &ObjectType) -> usize {
        let standard = STANDARD.iter().position(|standard| standard.name == object.name);
        let custom = || self.custom.iter().position(|custom| *custom.object == *object);
        standard.unwrap_or_else(|| STANDARD.len() + custom().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(value: serde_json::Value) -> SourceConfig {
        let mut value = value;
        value["connection"] = "prod".into();
        serde_json::from_value(value).unwrap()
    }

    fn names(value: serde_json::Value) -> Vec<String> {
        let plan = Plan::new(&config(value), &[cars()]).unwrap();
        plan.stream_names().map(str::to_owned).collect()
    }

    fn refused(value: serde_json::Value) -> Error {
        Plan::new(&config(value), &[]).unwrap_err()
    }

    fn cars() -> CustomType {
        let schema = serde_json::json!({
            "objectTypeId": "2-17", "fullyQualifiedName": "p4711_cars", "name": "cars",
            "associations": [{"id": "1", "fromObjectTypeId": "2-17", "toObjectTypeId": "0-1"}],
        });
        CustomType::all(&[serde_json::from_value(schema).unwrap()]).remove(0)
    }

    #[test]
    fn automatic_associations_are_each_pair_once_from_the_earlier_type() {
        let streams = serde_json::json!({"streams": ["deals", "companies", "contacts"]});
        assert_eq!(
            names(streams),
            [
                "deals",
                "companies",
                "contacts",
                "companies_deals",
                "contacts_deals",
                "contacts_companies"
            ]
        );
    }

    #[test]
    fn pairs_that_hubspot_does_not_have_are_not_asked_for() {
        assert_eq!(
            names(serde_json::json!({"streams": ["contacts", "products"]})),
            ["contacts", "products"]
        );
    }

    #[test]
    fn a_list_on_a_stream_reads_that_direction_instead() {
        let streams =
            serde_json::json!({"streams": ["contacts", {"name": "companies", "associations": ["contacts"]}]});
        assert_eq!(names(streams), ["contacts", "companies", "companies_contacts"]);
        let itself = serde_json::json!({"streams": [{"name": "companies", "associations": ["company"]}]});
        assert_eq!(names(itself), ["companies", "companies_companies"]);
    }

    #[test]
    fn what_auto_leaves_out_is_said() {
        let left_out = |value| Plan::new(&config(value), &[cars()]).unwrap().left_out();
        let said = left_out(serde_json::json!({"streams": ["companies", "line_items", "cars"]})).unwrap();
        assert!(said.contains("(`companies`)"), "{said}");
        let own = serde_json::json!({"streams": [{"name": "companies", "associations": ["companies"]}]});
        assert_eq!(left_out(own), None);
        assert_eq!(left_out(serde_json::json!({"streams": ["line_items"]})), None);
    }

    #[test]
    fn a_list_on_the_source_is_for_every_stream() {
        let streams =
            serde_json::json!({"streams": ["contacts", "companies"], "associations": ["companies"]});
        assert_eq!(names(streams), ["contacts", "companies", "contacts_companies"]);
        let none = serde_json::json!({"streams": ["contacts", "companies"], "associations": "none"});
        assert_eq!(names(none), ["contacts", "companies"]);
    }

    #[test]
    fn a_custom_object_answers_to_its_names_and_has_the_associations_of_its_schema() {
        for name in ["cars", "2-17", "p4711_cars", "CARS"] {
            let streams = serde_json::json!({"streams": ["contacts", "deals", name]});
            assert!(needs_schemas(&config(streams.clone())));
            assert_eq!(
                names(streams),
                ["contacts", "deals", "cars", "contacts_deals", "contacts_cars"]
            );
        }
    }

    #[test]
    fn the_account_is_asked_for_schemas_only_when_a_name_is_not_standard() {
        assert!(!needs_schemas(&config(
            serde_json::json!({"streams": ["crm.contacts", "owners", "0-3"]})
        )));
        let target = serde_json::json!({"streams": [{"name": "contacts", "associations": ["cars"]}]});
        assert!(needs_schemas(&config(target)));
    }

    #[test]
    fn own_streams_stand_last_and_take_no_settings() {
        let streams = serde_json::json!({"streams": ["owners", "pipelineStages", "contacts"]});
        assert_eq!(names(streams), ["contacts", "owners", "pipeline_stages"]);
        let error = refused(serde_json::json!({"streams": [{"name": "owners", "page_size": 5}]}));
        assert!(error.to_string().contains("`owners` takes no settings"));
    }

    #[test]
    fn wrong_names_are_refused_with_the_valid_ones() {
        let error = refused(serde_json::json!({"streams": ["contacts", "compannies"]}));
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("did you mean `companies`"), "{error}");
        assert!(error.hint().unwrap().contains("`owners`"), "{error}");
        let error = refused(serde_json::json!({"streams": ["contacts", "0-1"]}));
        assert_eq!(error.to_string(), "the stream `contacts` is there twice");
        let error = refused(serde_json::json!({"streams": ["marketing_events"]}));
        assert!(error.to_string().contains("no list"), "{error}");
    }
}
