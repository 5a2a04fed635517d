//! Pairs of records, as they are written, become batches of what HubSpot takes; what it refuses is told pair by pair.

use std::collections::BTreeMap;

use hubspot_client::SubError;
use hubspot_client::request::associating::{MAX_WRITE, Pair};
use hubspot_client::request::writes::TypeSpec;
use hubspot_connector::objects::ObjectType;

use super::association_types::{AssociationTypes, Written};
use super::associations::{Ends, FailedPair, Linked, PairInput};
use super::lookup::{Found, Lookup};
use crate::exit::{Failure, Outcome};
use crate::session::Session;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Associate,
    Dissociate,
}

/// A pair as it was written, and as HubSpot takes it.
struct Prepared {
    written: PairInput,
    pair: Pair,
}

pub(super) async fn work(
    session: &Session,
    ends: &Ends,
    pairs: Vec<PairInput>,
    doing: Doing,
) -> Outcome<Linked> {
    let (from, to) = session.pair(&ends.from_object, &ends.to_object).await?;
    let types = Types::of(session, (&from, &to), &pairs, doing).await?;
    let froms = Named::of(
        session,
        &from,
        ends.from_by.as_deref(),
        pairs.iter().map(|pair| &*pair.from_id),
    )
    .await?;
    let tos = Named::of(
        session,
        &to,
        ends.to_by.as_deref(),
        pairs.iter().map(|pair| &*pair.to_id),
    )
    .await?;
    let (mut ready, mut linked) = (Vec::new(), Linked::default());
    for written in pairs {
        let resolved = froms
            .id(&written.from_id)
            .and_then(|from| Ok((from, tos.id(&written.to_id)?)));
        match resolved {
            Ok((from, to)) => ready.push(Prepared {
                pair: Pair::new(from, to).with_types(types.of_pair(&written)?),
                written,
            }),
            Err(message) => linked.failed.push(FailedPair {
                pair: written,
                message,
            }),
        }
    }
    // Pairs that end altogether and pairs that lose a label go to different calls.
    let (labelled, whole): (Vec<_>, Vec<_>) =
        ready.into_iter().partition(|ready| !ready.pair.types.is_empty());
    for batch in labelled.chunks(MAX_WRITE).chain(whole.chunks(MAX_WRITE)) {
        send(session, (&from, &to), batch, doing, &mut linked).await?;
    }
    Ok(linked)
}

async fn send(
    session: &Session,
    (from, to): (&ObjectType, &ObjectType),
    batch: &[Prepared],
    doing: Doing,
    linked: &mut Linked,
) -> Outcome {
    let client = &session.client;
    let (from, to) = (from.path_name(), to.path_name());
    let pairs: Vec<_> = batch.iter().map(|ready| ready.pair.clone()).collect();
    let untyped = pairs.iter().all(|pair| pair.types.is_empty());
    let errors = match doing {
        Doing::Associate => client.associations_batch_create(from, to, &pairs).await?.errors,
        Doing::Dissociate if untyped => {
            client.associations_batch_archive(from, to, &pairs).await?;
            Vec::new()
        }
        Doing::Dissociate => {
            client.associations_batch_unlabel(from, to, &pairs).await?;
            Vec::new()
        }
    };
    linked.count(batch, &errors)
}

impl Linked {
    /// HubSpot names the pairs that it refused by their ids.
    fn count(&mut self, batch: &[Prepared], errors: &[SubError]) -> Outcome {
        let mut refused: BTreeMap<(&str, &str), &SubError> = BTreeMap::new();
        for error in errors {
            let id = |key: &str| {
                error
                    .context
                    .get(key)
                    .and_then(|ids| ids.first())
                    .map(String::as_str)
            };
            let (Some(from), Some(to)) = (id("fromObjectId"), id("toObjectId")) else {
                let message = error.message.clone().unwrap_or_default();
                return Err(Failure::failed(format!(
                    "HubSpot refused a pair that it does not name: {message}"
                ))
                .hint("associating twice is associating once: repeat it in smaller parts to find the pair"));
            };
            refused.insert((from, to), error);
        }
        for ready in batch {
            match refused.get(&(&*ready.pair.from, &*ready.pair.to)) {
                None => self.done += 1,
                Some(error) => self.failed.push(FailedPair {
                    pair: ready.written.clone(),
                    message: error
                        .message
                        .clone()
                        .unwrap_or_else(|| "HubSpot refused it".to_owned()),
                }),
            }
        }
        Ok(())
    }
}

/// The types of association, asked for once and only if they are needed.
enum Types {
    /// All that is between two records is meant.
    All,
    Known(AssociationTypes, Doing),
}

impl Types {
    async fn of(
        session: &Session,
        (from, to): (&ObjectType, &ObjectType),
        pairs: &[PairInput],
        doing: Doing,
    ) -> Outcome<Self> {
        let typed = pairs
            .iter()
            .any(|pair| pair.label.is_some() || pair.type_id.is_some());
        if doing == Doing::Dissociate && !typed {
            return Ok(Self::All);
        }
        Ok(Self::Known(
            AssociationTypes::between(session, from, to).await?,
            doing,
        ))
    }

    fn of_pair(&self, pair: &PairInput) -> Outcome<Option<TypeSpec>> {
        let written = Written::of(pair.label.as_deref(), pair.type_id)?;
        match self {
            Self::All | Self::Known(_, Doing::Dissociate) if written == Written::Unlabelled => Ok(None),
            Self::All => Ok(None),
            Self::Known(types, _) => types.find(written).map(Some),
        }
    }
}

/// How the records of one end are named.
enum Named<'a> {
    ById(&'a ObjectType),
    By(&'a ObjectType, &'a str, Lookup),
}

impl<'a> Named<'a> {
    async fn of(
        session: &Session,
        object: &'a ObjectType,
        by: Option<&'a str>,
        values: impl Iterator<Item = &str>,
    ) -> Outcome<Self> {
        Ok(match by {
            None => Self::ById(object),
            Some(property) => {
                let lookup = Lookup::by(session, object, property, values).await?;
                Self::By(object, property, lookup)
            }
        })
    }

    /// The id of a record, or why there is none. One that is no number would have HubSpot refuse the whole batch.
    fn id(&self, written: &str) -> Result<String, String> {
        match self {
            Self::ById(object) => match written.trim() {
                id if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => Ok(id.to_owned()),
                id => Err(format!("`{id}` is no id of a {}", object.singular)),
            },
            Self::By(object, property, lookup) => match lookup.of(written) {
                Found::Id(id) => Ok(id),
                Found::Nothing => Err(format!(
                    "there is no {} with {property} `{written}`",
                    object.singular
                )),
                Found::Several(ids) => {
                    let (singular, ids) = (&object.singular, ids.join(", "));
                    Err(format!(
                        "several records ({singular} {ids}) have {property} `{written}`"
                    ))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(from: &str, to: &str) -> Prepared {
        Prepared {
            written: PairInput {
                from_id: from.to_owned(),
                to_id: to.to_owned(),
                ..PairInput::default()
            },
            pair: Pair::new(from, to),
        }
    }

    fn error(context: &serde_json::Value) -> SubError {
        serde_json::from_value(serde_json::json!({"message": "no", "context": context})).unwrap()
    }

    #[test]
    fn refused_pairs_are_told_apart_by_their_ids() {
        let batch = [ready("1", "2"), ready("3", "4")];
        let refused = error(&serde_json::json!({"fromObjectId": ["3"], "toObjectId": ["4"]}));
        let mut linked = Linked::default();
        linked.count(&batch, &[refused]).unwrap();
        assert_eq!((linked.done, &*linked.failed[0].pair.from_id), (1, "3"));
        assert!(linked.count(&batch, &[error(&serde_json::json!({}))]).is_err());
    }

    #[test]
    fn an_id_is_a_number() {
        let contacts = hubspot_connector::objects::resolve("contacts").unwrap();
        assert_eq!(Named::ById(contacts).id(" 7 "), Ok("7".to_owned()));
        assert!(
            Named::ById(contacts).id("ada@example.com").is_err() && Named::ById(contacts).id("").is_err()
        );
    }
}
