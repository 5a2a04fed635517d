//! What there is in the account, asked with as few calls as possible: the schemas only when a name is not standard,
//! and the properties of each selected object once.

use std::collections::BTreeMap;

use hubspot_client::{Client, Property};
use jiff::Timestamp;
use opencdc::{Catalog, Error, ErrorKind, Result, Stream, StreamName};
use tokio::sync::OnceCell;

use crate::catalog;
use crate::config::{CUSTOM_OBJECTS, DEFAULTS, Properties, SourceConfig};
use crate::error::{Doing, OrFailed, from_client, is_withheld};
use crate::objects::{self, ObjectType, UnknownObject};
use crate::plan::{self, CustomType, ObjectPlan, Plan};

/// What reading the account's schemas needs.
const SCHEMAS_SCOPE: &str = "crm.schemas.custom.read";

/// The streams of the account as they are now.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub(crate) plan: Plan,
    pub(crate) catalog: Catalog,
    /// Counts the changes of the definitions while they are read.
    pub(crate) number: usize,
    /// The objects that the token may not read. They are in neither plan nor catalog.
    pub(crate) refused: Vec<Refused>,
    /// When each property was made, by stream; those are missing that may change without a trace.
    made: BTreeMap<StreamName, BTreeMap<String, Timestamp>>,
}

/// A stream that cannot be read with this token.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) stream: StreamName,
    /// The scopes that the token lacks, any of which suffices.
    pub(crate) scopes: Vec<String>,
    message: String,
    hint: String,
}

impl Refused {
    fn new(stream: StreamName, error: &Error, scope: &str) -> Self {
        let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
        let listed = source.map_or(&[][..], hubspot_client::Error::missing_scopes);
        let scopes = match listed {
            [] => vec![scope.to_owned()],
            listed => listed.to_vec(),
        };
        Self {
            stream,
            scopes,
            message: error.to_string(),
            hint: error.hint().unwrap_or_default().to_owned(),
        }
    }

    pub(crate) fn error(&self) -> Error {
        Error::new(ErrorKind::Refused, self.message.clone()).with_hint(self.hint.clone())
    }
}

impl Discovery {
    /// Asks HubSpot.
    ///
    /// # Errors
    /// What the token may not read is left out, unless that is everything.
    pub(crate) async fn of(client: &Client, config: &SourceConfig) -> Result<Self> {
        let found = Self::look(client, config).await?;
        let mut refused = found.refused.iter();
        match refused.find(|refused| refused.stream.as_str() != CUSTOM_OBJECTS) {
            Some(refused) if found.plan.objects.is_empty() && found.plan.own.is_empty() => {
                Err(refused.error())
            }
            _ => Ok(found),
        }
    }

    /// Like [`of`](Self::of), but also when the token may read nothing at all.
    ///
    /// # Errors
    /// Those that are not about what the token may read.
    pub(crate) async fn look(client: &Client, config: &SourceConfig) -> Result<Self> {
        let (plan, refused) = plan_of(client, config).await?;
        let mut found = Self {
            plan,
            catalog: Catalog::default(),
            number: 0,
            refused,
            made: BTreeMap::new(),
        };
        let mut streams = Vec::new();
        for object in found.plan.objects.clone() {
            match properties(client, &object).await {
                Ok(all) => {
                    let (properties, missing) = chosen(&object, &all);
                    if !missing.is_empty() {
                        let archived = archived_properties(client, &object).await?;
                        leave_out(&object, &missing, &all, &archived)?;
                    }
                    streams.push(found.object_stream(&object, &properties));
                }
                Err(error) if is_withheld(&error) => found.refuse(&object, &error),
                Err(error) => return Err(error),
            }
        }
        if found.plan.objects.is_empty() && found.plan.own.is_empty() {
            let refused = found.refused.iter().map(|one| (one.stream.clone(), one.error()));
            if let Some(error) = Error::of_streams(refused.collect()) {
                return Err(error);
            }
        }
        streams.extend(found.attached_streams());
        streams.extend(found.plan.own.iter().copied().map(catalog::own_stream));
        found.catalog = Catalog::new(streams);
        Ok(found)
    }

    fn object_stream(&mut self, plan: &ObjectPlan, chosen: &[&Property]) -> Stream {
        let made = |property: &&Property| Some((property.name.clone(), made_at(property)?));
        self.made
            .insert(plan.stream.clone(), chosen.iter().filter_map(made).collect());
        catalog::object_stream(&plan.object, plan.stream.clone(), chosen)
    }

    fn refuse(&mut self, object: &ObjectPlan, error: &Error) {
        let scope = object.object.read_scope();
        self.refused
            .push(Refused::new(object.stream.clone(), error, &scope));
        self.plan.objects.retain(|other| other.stream != object.stream);
    }

    /// A stream that could be read before and is refused now. That may pass: a stream that is being followed is not given up
    /// for one answer.
    pub(crate) fn newly_refused(&self, before: &Self) -> Option<&Refused> {
        let is_new = |refused: &&Refused| before.refused.iter().all(|known| known.stream != refused.stream);
        self.refused.iter().find(is_new)
    }

    fn attached_streams(&self) -> Vec<Stream> {
        let objects = self.plan.objects.iter();
        let targets = objects.clone().flat_map(|object| &object.targets);
        let targets = targets.map(|target| catalog::association_stream(target.stream.clone()));
        let histories = objects.filter_map(|object| {
            let history = object.history.as_ref()?;
            Some(catalog::history_stream(
                history.stream.clone(),
                object.stream.clone(),
            ))
        });
        targets.chain(histories).collect()
    }

    /// The same, as what comes after other definitions.
    pub(crate) fn after(self, before: &Self) -> Self {
        Self {
            number: before.number + 1,
            ..self
        }
    }

    /// When a property was made; `None` when its values may change without a trace, so that all must be read again.
    pub(crate) fn made_at(&self, stream: &StreamName, property: &str) -> Option<Timestamp> {
        self.made.get(stream)?.get(property).copied()
    }

    /// The properties to ask for, given which fields of an object's stream are wanted; `None` means all.
    pub(crate) fn properties_of(&self, object: &ObjectPlan, fields: Option<&[String]>) -> Vec<String> {
        let stream = self.catalog.stream(object.stream.as_str());
        let all = stream.map(|stream| &*stream.fields).unwrap_or_default();
        let wanted = |name: &String| fields.is_none_or(|fields| fields.contains(name));
        let property = |path: &[String]| match path {
            [first, property] if first == "properties" => Some(property.clone()),
            _ => None,
        };
        all.iter()
            .filter(|field| wanted(&field.name))
            .filter_map(|field| property(&field.path))
            .collect()
    }
}

fn made_at(property: &Property) -> Option<Timestamp> {
    if property.calculated {
        return None;
    }
    property.created_at.as_deref()?.parse().ok()
}

async fn plan_of(client: &Client, config: &SourceConfig) -> Result<(Plan, Vec<Refused>)> {
    if !plan::needs_schemas(config) {
        return Ok((Plan::new(config, &[])?, Vec::new()));
    }
    match client.schemas().await {
        Ok(schemas) => {
            let custom = CustomType::all(&schemas);
            Ok((Plan::new(config, &custom)?, Vec::new()))
        }
        // Accounts below Enterprise have no custom objects, and answer 403: then the name is simply wrong.
        Err(error) if error.status() == Some(403) => {
            let plan = Plan::new(config, &[]).map_err(|unknown| {
                let hint = unknown.hint().unwrap_or_default().to_owned();
                unknown.with_hint(format!("{hint}; custom objects need the scope `{SCHEMAS_SCOPE}`"))
            })?;
            let error = Doing::reading(CUSTOM_OBJECTS, Some(SCHEMAS_SCOPE)).failed(error);
            Ok((
                plan,
                vec![Refused::new(CUSTOM_OBJECTS.into(), &error, SCHEMAS_SCOPE)],
            ))
        }
        Err(error) => Err(from_client(error).context("cannot list the custom objects")),
    }
}

async fn properties(client: &Client, plan: &ObjectPlan) -> Result<Vec<Property>> {
    let scope = plan.object.read_scope();
    let properties = client.properties(plan.object.path_name()).await;
    properties.or_failed(listing(plan, &scope))
}

async fn archived_properties(client: &Client, plan: &ObjectPlan) -> Result<Vec<Property>> {
    let scope = plan.object.read_scope();
    let properties = client.archived_properties(plan.object.path_name()).await;
    properties.or_failed(listing(plan, &scope))
}

fn listing<'a>(plan: &'a ObjectPlan, scope: &'a str) -> Doing<'a> {
    Doing {
        what: "cannot list the properties of",
        stream: plan.stream.as_str(),
        scope: Some(scope),
    }
}

/// The properties of a stream, and the listed names that none of them has.
fn chosen<'a>(plan: &ObjectPlan, all: &'a [Property]) -> (Vec<&'a Property>, Vec<String>) {
    let Properties::Only(names) = &plan.properties else {
        return (all.iter().collect(), Vec::new());
    };
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in with_defaults(&plan.object, names) {
        match all.iter().find(|property| property.name == name) {
            Some(property) => found.push(property),
            None => missing.push(name),
        }
    }
    (found, missing)
}

/// Refuses names that the account has never had: HubSpot drops unknown names in silence (hubspot-api notes §1.2). One that
/// was archived in HubSpot since it was listed is left out.
fn leave_out(plan: &ObjectPlan, missing: &[String], all: &[Property], archived: &[Property]) -> Result<()> {
    for name in missing {
        if !archived.iter().any(|property| property.name == *name) {
            return Err(unknown_property(plan, name, all));
        }
        tracing::warn!(
            stream = %plan.stream,
            "the property `{name}` is archived in HubSpot, so it is left out; take it out of `properties`, or restore it"
        );
    }
    Ok(())
}

/// The names with `defaults` replaced by the properties that it stands for, each once.
fn with_defaults(object: &ObjectType, names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let meant = match name.as_str() {
            DEFAULTS => object.default_properties(),
            name => vec![name],
        };
        for name in meant {
            if !all.iter().any(|known| known == name) {
                all.push(name.to_owned());
            }
        }
    }
    all
}

fn unknown_property(plan: &ObjectPlan, name: &str, all: &[Property]) -> Error {
    let message = format!("the stream `{}` has no property `{name}`", plan.stream);
    let error = Error::new(ErrorKind::Configuration, message);
    match UnknownObject::new(name, all.iter().map(|property| &*property.name)).nearest() {
        Some(nearest) => error.with_hint(format!("did you mean `{nearest}`?")),
        None => error.with_hint("write the internal name, which HubSpot shows under the property's settings"),
    }
}

/// The object types of an account. Its own are asked for once, and only when a name is not standard.
#[derive(Debug)]
pub(crate) struct Objects {
    client: Client,
    custom: OnceCell<Vec<ObjectType>>,
}

impl Objects {
    /// Nothing is asked yet.
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            custom: OnceCell::new(),
        }
    }

    /// The object type that a person calls `name`: a standard one, or else a custom one.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with the names there are.
    pub(crate) async fn find(&self, name: &str) -> Result<ObjectType> {
        if let Ok(object) = objects::resolve(name) {
            return Ok(object.clone());
        }
        let all: Vec<_> = objects::STANDARD.iter().chain(self.custom().await?).collect();
        Ok(objects::resolve_among(all, name)?.clone())
    }

    /// The custom ones. Accounts below Enterprise have none, and answer 403: then a name is simply wrong.
    pub(crate) async fn custom(&self) -> Result<&[ObjectType]> {
        let ask = || async {
            match self.client.schemas().await {
                Ok(schemas) => Ok(ObjectType::customs(&schemas)),
                Err(error) if error.status() == Some(403) => Ok(Vec::new()),
                Err(error) => Err(from_client(error).context("cannot list the custom objects")),
            }
        };
        Ok(self.custom.get_or_try_init(ask).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn plan(properties: &[&str]) -> Arc<ObjectPlan> {
        let mut config = SourceConfig::new("prod", ["contacts"]);
        config.properties = Properties::Only(properties.iter().map(|name| (*name).to_owned()).collect());
        Arc::clone(&Plan::new(&config, &[]).unwrap().objects[0])
    }

    fn defined() -> Vec<Property> {
        let property =
            |name| serde_json::from_value(serde_json::json!({"name": name, "type": "string"})).unwrap();
        ["email", "firstname"].map(property).into()
    }

    #[test]
    fn chosen_properties_keep_the_order_of_the_configuration() {
        let all = defined();
        let (found, missing) = chosen(&plan(&["firstname", "email"]), &all);
        let names: Vec<_> = found.iter().map(|p| &*p.name).collect();
        assert_eq!(names, ["firstname", "email"]);
        assert!(missing.is_empty());
    }

    #[test]
    fn a_misspelt_property_is_refused_before_anything_is_read() {
        let (all, plan) = (defined(), plan(&["email", "emial"]));
        let (found, missing) = chosen(&plan, &all);
        assert_eq!((found.len(), &*missing), (1, &["emial".to_owned()][..]));
        let error = leave_out(&plan, &missing, &all, &[]).unwrap_err();
        assert_eq!(error.to_string(), "the stream `contacts` has no property `emial`");
        assert_eq!(error.hint(), Some("did you mean `email`?"));
    }

    #[test]
    fn a_listed_property_that_is_archived_in_hubspot_is_left_out() {
        let archived =
            [serde_json::from_value(serde_json::json!({"name": "city", "type": "string"})).unwrap()];
        let (all, plan) = (defined(), plan(&["email", "city"]));
        let (_, missing) = chosen(&plan, &all);
        leave_out(&plan, &missing, &all, &archived).unwrap();
    }
}
