//! Pipelines and their stages. Stage ids belong to the account; two pipelines may have stages of one label.

use super::associations::TypeIndex;
use crate::time::Millis;

#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) created: Millis,
    pub(crate) stages: Vec<Stage>,
}

#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) id: String,
    pub(crate) label: String,
    /// `probability` and `isClosed` for deals, `ticketState` and `isClosed` for tickets; all values are text.
    pub(crate) metadata: Vec<(String, String)>,
}

/// The pipelines of `data/pipelines.txt`, by object type.
pub(crate) fn standard(index: impl Fn(&str) -> Option<TypeIndex>) -> Vec<(TypeIndex, Pipeline)> {
    let mut pipelines: Vec<(TypeIndex, Pipeline)> = Vec::new();
    for line in include_str!("../data/pipelines.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        match columns[..] {
            [object_type, id, label, created] => {
                let pipeline = new_pipeline(id, label, created);
                pipelines.extend(index(object_type).map(|index| (index, pipeline)));
            }
            [id, label, metadata] => {
                if let Some((_, pipeline)) = pipelines.last_mut() {
                    pipeline.stages.push(new_stage(id, label, metadata));
                }
            }
            _ => {}
        }
    }
    pipelines
}

fn new_pipeline(id: &str, label: &str, created: &str) -> Pipeline {
    Pipeline {
        id: id.into(),
        label: label.into(),
        created: created.parse().unwrap_or(0),
        stages: Vec::new(),
    }
}

fn new_stage(id: &str, label: &str, metadata: &str) -> Stage {
    let pairs = metadata
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='));
    let metadata = pairs.map(|(key, value)| (key.into(), value.into())).collect();
    Stage {
        id: id.into(),
        label: label.into(),
        metadata,
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
