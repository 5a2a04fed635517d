//! Can each stream be read? Asks for the definitions and one page of each, with what it is read with.

use std::sync::Arc;

use hubspot_client::request::lists::ListSearch;
use hubspot_client::request::objects::List;
use hubspot_client::request::resources::ResourceList;
use hubspot_client::{Client, Error as ClientError};
use opencdc::{Result, StreamName};

use super::HubspotSource;
use crate::discovery::Discovery;
use crate::error::Doing;
use crate::objects::ObjectType;
use crate::own::OwnStream;
use crate::plan::{ObjectPlan, Plan};

/// Whether a stream can be read with the token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probed {
    /// The stream; the associations that are read with it are not listed apart.
    pub stream: StreamName,
    /// Why it cannot be read; `None` when it can.
    pub refusal: Option<Refusal>,
}

/// HubSpot's refusal of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// What was asked for and what HubSpot said.
    pub message: String,
    /// The scopes that the token lacks, any of which suffices; empty when something else is wrong.
    pub missing_scopes: Vec<String>,
}

impl HubspotSource {
    /// Asks for every selected stream what reading it needs: the schemas of custom objects, the definitions of properties
    /// and one page. A few calls a stream.
    ///
    /// # Errors
    /// Those that are not about one stream: a wrong name in the configuration, a refused token, no connection.
    pub async fn probe(&self) -> Result<Vec<Probed>> {
        let discovery = Discovery::look(&self.client, &self.config).await?;
        let mut probed: Vec<_> = discovery
            .refused
            .iter()
            .map(|refused| Probed {
                stream: refused.stream.clone(),
                refusal: Some(Refusal {
                    message: refused.error().to_string(),
                    missing_scopes: refused.scopes.clone(),
                }),
            })
            .collect();
        for plan in &discovery.plan.objects {
            let scope = plan.object.read_scope();
            let read = object(&self.client, plan).await;
            probed.push(judge(&plan.stream, &scope, read)?);
        }
        for own in &discovery.plan.own {
            let mut one = Probed {
                stream: own.name().into(),
                refusal: None,
            };
            for (scope, read) in table(&self.client, &discovery.plan, *own).await {
                let refusal = judge(&one.stream, &scope, read)?.refusal;
                one.refusal = one.refusal.or(refusal);
            }
            probed.push(one);
        }
        Ok(probed)
    }
}

async fn object(client: &Client, plan: &ObjectPlan) -> Result<(), ClientError> {
    let list = List {
        limit: 1,
        associations: plan
            .targets
            .iter()
            .map(|target| target.object.path_name().to_owned())
            .collect(),
        ..List::new(plan.object.path_name())
    };
    client.list_objects(&list).await.map(drop)
}

/// What each read of a table gave, with the scope that it needs.
async fn table(client: &Client, plan: &Plan, own: OwnStream) -> Vec<(String, Result<(), ClientError>)> {
    let read = match own {
        OwnStream::Owners => client.owners(None, false).await.map(drop),
        OwnStream::Schemas => client.schemas().await.map(drop),
        OwnStream::Lists | OwnStream::ListMemberships => {
            let search = ListSearch {
                count: 1,
                ..ListSearch::default()
            };
            client.search_lists(&search).await.map(drop)
        }
        OwnStream::Resource(resource) => {
            let list = ResourceList {
                limit: 1,
                ..ResourceList::new(resource)
            };
            client.list_resources(&list).await.map(drop)
        }
        OwnStream::Pipelines | OwnStream::PipelineStages => {
            return definitions(client, own, plan.types_with_pipelines()).await;
        }
        OwnStream::Properties => return definitions(client, own, plan.types_with_properties()).await,
    };
    vec![(own.scope().unwrap_or_default().to_owned(), read)]
}

async fn definitions(
    client: &Client,
    own: OwnStream,
    types: Vec<Arc<ObjectType>>,
) -> Vec<(String, Result<(), ClientError>)> {
    let mut reads = Vec::new();
    for of in types {
        let read = match own {
            OwnStream::Properties => client.properties(of.path_name()).await.map(drop),
            _ => client.pipelines(of.path_name()).await.map(drop),
        };
        reads.push((of.read_scope(), read));
    }
    reads
}

/// A final refusal of this one thing is a finding; anything else ends the probe.
fn judge(stream: &StreamName, scope: &str, read: Result<(), ClientError>) -> Result<Probed> {
    let Err(error) = read else {
        return Ok(Probed {
            stream: stream.clone(),
            refusal: None,
        });
    };
    let status = error.status().unwrap_or_default();
    let is_finding = match &error {
        ClientError::Api(api) => (400..500).contains(&status) && status != 401 && !api.is_retryable(),
        _ => false,
    };
    let missing_scopes = match (status, error.missing_scopes()) {
        (403, []) => vec![scope.to_owned()],
        (_, listed) => listed.to_vec(),
    };
    let error = Doing::reading(stream.as_str(), Some(scope)).failed(error);
    match is_finding {
        true => Ok(Probed {
            stream: stream.clone(),
            refusal: Some(Refusal {
                message: error.to_string(),
                missing_scopes,
            }),
        }),
        false => Err(error),
    }
}
