//! Pipelines and their stages. Stage ids belong to the account; two pipelines may have stages of one label.

use std::collections::BTreeMap;

use super::associations::TypeIndex;
use super::object_type::ObjectType;
use super::portal::Portal;
use super::property::Choice;
use super::record::Record;
use crate::time::Millis;

#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) order: i64,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    pub(crate) stages: Vec<Stage>,
}

#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) id: String,
    pub(crate) label: String,
    /// `probability` and `isClosed` for deals, `ticketState` and `isClosed` for tickets; all values are text.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) order: i64,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
}

/// The names of the pipeline and stage properties of a type, if it has pipelines (hubspot-api notes §2.3).
pub(crate) fn properties(object_type: &ObjectType) -> Option<(&'static str, &'static str)> {
    match object_type.plural.as_str() {
        "deals" => Some(("pipeline", "dealstage")),
        "tickets" | "leads" | "appointments" | "courses" | "listings" | "orders" | "services"
        | "projects" => Some(("hs_pipeline", "hs_pipeline_stage")),
        _ if object_type.id.starts_with("2-") => Some(("hs_pipeline", "hs_pipeline_stage")),
        _ => None,
    }
}

/// The pipelines of `data/pipelines.txt`, by object type.
pub(crate) fn standard(index: impl Fn(&str) -> Option<TypeIndex>) -> Vec<(TypeIndex, Pipeline)> {
    let mut pipelines: Vec<(Option<TypeIndex>, Pipeline)> = Vec::new();
    for line in include_str!("../data/pipelines.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        match columns[..] {
            [object_type, id, label, created] => {
                let of = index(object_type);
                let earlier = pipelines.iter().filter(|(known, _)| *known == of);
                let order = i64::try_from(earlier.count()).unwrap_or(0);
                pipelines.push((of, new_pipeline(id, label, created, order)));
            }
            [id, label, metadata] => {
                if let Some((_, pipeline)) = pipelines.last_mut() {
                    let order = i64::try_from(pipeline.stages.len()).unwrap_or(0);
                    let created = pipeline.created;
                    pipeline
                        .stages
                        .push(new_stage(id, label, metadata, order, created));
                }
            }
            _ => {}
        }
    }
    let known = pipelines
        .into_iter()
        .map(|(index, pipeline)| Some((index?, pipeline)));
    known.flatten().collect()
}

fn new_pipeline(id: &str, label: &str, created: &str, order: i64) -> Pipeline {
    let created = created.parse().unwrap_or(0);
    Pipeline {
        id: id.into(),
        label: label.into(),
        order,
        created,
        updated: created,
        stages: Vec::new(),
    }
}

fn new_stage(id: &str, label: &str, metadata: &str, order: i64, created: Millis) -> Stage {
    let pairs = metadata
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='));
    let metadata = pairs.map(|(key, value)| (key.into(), value.into())).collect();
    Stage {
        id: id.into(),
        label: label.into(),
        metadata,
        order,
        created,
        updated: created,
    }
}

impl Portal {
    /// Makes a type's pipelines and stages the options of their properties.
    pub(crate) fn offer_stages(&mut self, of: TypeIndex) {
        let Some((pipelines, stages)) = properties(&self.stores[of].object_type) else {
            return;
        };
        let own = self.pipelines.iter().filter(|(index, _)| *index == of);
        let (mut of_pipeline, mut of_stage) = (Vec::new(), Vec::new());
        for (_, pipeline) in own {
            of_pipeline.push(choice(&pipeline.id, &pipeline.label));
            let stages = pipeline.stages.iter();
            of_stage.extend(stages.map(|stage| choice(&stage.id, &stage.label)));
        }
        let known = self.stores[of].properties_mut();
        for (name, choices) in [(pipelines, of_pipeline), (stages, of_stage)] {
            if let Some(property) = known.named_mut(name) {
                property.choices = choices;
            }
        }
    }

    /// Whether a live record stands in this stage.
    pub(crate) fn is_stage_in_use(&self, of: TypeIndex, stage: &str) -> bool {
        let store = self.store(of);
        let property = properties(&store.object_type).and_then(|(_, name)| store.properties.index(name));
        property.is_some_and(|property| {
            let stands = |record: &Record| record.values.get(property).is_some_and(|held| held == stage);
            store.live_from(0).any(stands)
        })
    }

    /// An id for a new definition, above those that an account starts with.
    pub(crate) fn mint(&mut self) -> u64 {
        self.minted += 1;
        900_000_000 + self.minted
    }
}

fn choice(value: &str, label: &str) -> Choice {
    Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        hidden: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_object_types_have_two_pipelines_with_stages() {
        let pipelines = standard(|name| ["deals", "tickets"].iter().position(|known| *known == name));
        let stages: Vec<usize> = pipelines
            .iter()
            .map(|(_, pipeline)| pipeline.stages.len())
            .collect();
        assert_eq!(stages, [7, 4, 4, 3]);
    }
}
