//! Pairs of records, as they are written, become batches of what HubSpot takes; what it refuses is told pair by pair.

use std::collections::BTreeMap;

use hubspot_client::request::associating::{MAX_WRITE, Pair};
use hubspot_client::request::writes::TypeSpec;
use hubspot_client::{Error, SubError};
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

/// Associates pairs, or ends that; each is told of.
pub(super) async fn work(
    session: &Session,
    ends: &Ends,
    pairs: Vec<PairInput>,
    doing: Doing,
) -> Outcome<Linked> {
    let (from, to) = session.pair(&ends.from_object, &ends.to_object).await?;
    let types = Types::of(session, (&from, &to), &pairs, doing).await?;
    let values = pairs.iter().map(|pair| &*pair.from_id);
    let froms = Named::of(session, &from, ends.from_by.as_deref(), values).await?;
    let values = pairs.iter().map(|pair| &*pair.to_id);
    let tos = Named::of(session, &to, ends.to_by.as_deref(), values).await?;
    let (mut ready, mut linked) = (Vec::new(), Linked::default());
    for written in pairs {
        let types = types.of_pair(&written)?;
        match (froms.id(&written.from_id), tos.id(&written.to_id)) {
            (Ok(from), Ok(to)) => ready.push(Prepared {
                pair: Pair::new(from, to).with_types(types),
                written,
            }),
            (Err(message), _) | (_, Err(message)) => linked.fail(&written, message),
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

/// A batch that is refused as a whole is sent in halves, until the pair that is to blame is alone. Sending twice is
/// sending once.
async fn send(
    session: &Session,
    ends: (&ObjectType, &ObjectType),
    batch: &[Prepared],
    doing: Doing,
    linked: &mut Linked,
) -> Outcome {
    let mut left = vec![batch];
    while let Some(part) = left.pop() {
        match exchange(session, ends, part, doing).await {
            Ok(errors) => linked.count(part, &errors)?,
            Err(error) if error.status() == Some(400) => match part {
                [one] => linked.fail(&one.written, error.to_string()),
                several => {
                    let (first, second) = several.split_at(several.len() / 2);
                    left.extend([second, first]);
                }
            },
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn exchange(
    session: &Session,
    (from, to): (&ObjectType, &ObjectType),
    batch: &[Prepared],
    doing: Doing,
) -> Result<Vec<SubError>, Error> {
    let client = &session.client;
    let (from, to) = (from.path_name(), to.path_name());
    let pairs: Vec<_> = batch.iter().map(|ready| ready.pair.clone()).collect();
    let whole = pairs.iter().all(|pair| pair.types.is_empty());
    match doing {
        Doing::Associate => {
            let answer = client.associations_batch_create(from, to, &pairs).await?;
            return Ok(answer.errors);
        }
        Doing::Dissociate if whole => client.associations_batch_archive(from, to, &pairs).await?,
        Doing::Dissociate => client.associations_batch_unlabel(from, to, &pairs).await?,
    }
    Ok(Vec::new())
}

impl Linked {
    fn fail(&mut self, pair: &PairInput, message: impl Into<String>) {
        self.failed.push(FailedPair {
            pair: pair.clone(),
            message: message.into(),
        });
    }

    /// HubSpot names the pairs that it refused by their ids.
    fn count(&mut self, batch: &[Prepared], errors: &[SubError]) -> Outcome {
        let refused = errors.iter().map(named).collect::<Outcome<BTreeMap<_, _>>>()?;
        for ready in batch {
            match refused.get(&(&*ready.pair.from, &*ready.pair.to)) {
                None => self.done += 1,
                Some(message) => self.fail(&ready.written, *message),
            }
        }
        Ok(())
    }
}

/// The pair that an error is about, and what HubSpot says.
fn named(error: &SubError) -> Outcome<((&str, &str), &str)> {
    let message = error.message.as_deref().unwrap_or("HubSpot refused it");
    let id = |key: &str| Some(error.context.get(key)?.first()?.as_str());
    match (id("fromObjectId"), id("toObjectId")) {
        (Some(from), Some(to)) => Ok(((from, to), message)),
        _ => Err(
            Failure::failed(format!("HubSpot refused a pair that it does not name: {message}"))
                .hint("associating twice is associating once: repeat it in smaller parts to find the pair"),
        ),
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
        let written = Written::of(pair.label.as_deref(), pair.type_id, pair.category.as_deref())?;
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
