//! What there is in the account, asked with as few calls as possible: the schemas only when a name is not standard,
//! and the properties of each selected object once.

use hubspot_client::{Client, Property};
use opencdc::{Catalog, Error, ErrorKind, Result, SelectedStream, Stream};

use crate::catalog;
use crate::config::{Properties, SourceConfig};
use crate::error::{Doing, OrFailed, from_client};
use crate::objects::UnknownObject;
use crate::plan::{self, CustomType, ObjectPlan, Plan};

/// The streams of the account as they are now.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub(crate) plan: Plan,
    pub(crate) catalog: Catalog,
}

impl Discovery {
    /// Asks HubSpot.
    pub(crate) async fn of(client: &Client, config: &SourceConfig) -> Result<Self> {
        let plan = plan_of(client, config).await?;
        let mut streams = Vec::new();
        for object in &plan.objects {
            streams.push(object_stream(client, object).await?);
        }
        let targets = plan.objects.iter().flat_map(|object| &object.targets);
        streams.extend(targets.map(|target| catalog::association_stream(target.stream.clone())));
        streams.extend(plan.own.iter().copied().map(catalog::own_stream));
        Ok(Self {
            plan,
            catalog: Catalog::new(streams),
        })
    }

    /// The properties to ask for, given which fields of an object's stream are wanted.
    pub(crate) fn properties_of(&self, object: &ObjectPlan, selected: &SelectedStream) -> Vec<String> {
        let stream = self.catalog.stream(object.stream.as_str());
        let fields = stream.map(|stream| &*stream.fields).unwrap_or_default();
        let wanted = |name: &String| {
            selected
                .fields
                .as_ref()
                .is_none_or(|fields| fields.contains(name))
        };
        let property = |path: &[String]| match path {
            [first, property] if first == "properties" => Some(property.clone()),
            _ => None,
        };
        fields
            .iter()
            .filter(|field| wanted(&field.name))
            .filter_map(|field| property(&field.path))
            .collect()
    }
}

async fn plan_of(client: &Client, config: &SourceConfig) -> Result<Plan> {
    if !plan::needs_schemas(config) {
        return Plan::new(config, &[]);
    }
    match client.schemas().await {
        Ok(schemas) => {
            let custom: Vec<_> = schemas.iter().map(CustomType::new).collect();
            Plan::new(config, &custom)
        }
        // Accounts below Enterprise have no custom objects, and answer 403: then the name is simply wrong.
        Err(error) if error.status() == Some(403) => Plan::new(config, &[]).map_err(|unknown| {
            let hint = unknown.hint().unwrap_or_default().to_owned();
            unknown.with_hint(format!(
                "{hint}; custom objects need the scope `crm.schemas.custom.read`"
            ))
        }),
        Err(error) => Err(from_client(error).context("cannot list the custom objects")),
    }
}

async fn object_stream(client: &Client, plan: &ObjectPlan) -> Result<Stream> {
    let all = properties(client, plan).await?;
    Ok(catalog::object_stream(
        &plan.object,
        plan.stream.clone(),
        &chosen(plan, &all)?,
    ))
}

async fn properties(client: &Client, plan: &ObjectPlan) -> Result<Vec<Property>> {
    let scope = plan.object.read_scope();
    let doing = Doing {
        what: "cannot list the properties of",
        stream: plan.stream.as_str(),
        scope: Some(&scope),
    };
    client.properties(plan.object.path_name()).await.or_failed(doing)
}

/// HubSpot drops unknown names in silence (hubspot-api notes §1.2), so they are refused here.
fn chosen<'a>(plan: &ObjectPlan, all: &'a [Property]) -> Result<Vec<&'a Property>> {
    let Properties::Only(names) = &plan.properties else {
        return Ok(all.iter().collect());
    };
    let find = |name: &String| {
        let found = all.iter().find(|property| property.name == *name);
        found.ok_or_else(|| unknown_property(plan, name, all))
    };
    names.iter().map(find).collect()
}

fn unknown_property(plan: &ObjectPlan, name: &str, all: &[Property]) -> Error {
    let message = format!("the stream `{}` has no property `{name}`", plan.stream);
    let error = Error::new(ErrorKind::Configuration, message);
    match UnknownObject::new(name, all.iter().map(|property| &*property.name)).nearest() {
        Some(nearest) => error.with_hint(format!("did you mean `{nearest}`?")),
        None => error.with_hint("write the internal name, which HubSpot shows under the property's settings"),
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
        let names: Vec<_> = chosen(&plan(&["firstname", "email"]), &all)
            .unwrap()
            .iter()
            .map(|p| &*p.name)
            .collect();
        assert_eq!(names, ["firstname", "email"]);
    }

    #[test]
    fn a_misspelt_property_is_refused_before_anything_is_read() {
        let error = chosen(&plan(&["emial"]), &defined()).unwrap_err();
        assert_eq!(error.to_string(), "the stream `contacts` has no property `emial`");
        assert_eq!(error.hint(), Some("did you mean `email`?"));
    }
}
