//! What records are associated with: the other side is found first, the pairs are written 2,000 at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use hubspot_client::request::associating::{MAX_WRITE, Pair};
use hubspot_client::request::writes::{AssociateTo, TypeSpec};
use hubspot_client::{AssociationLabel, Client, Error};
use opencdc::{KeyMap, Mapped};

use super::config::{LinkRule, MissingLink};
use super::decide::Action;
use super::live::{Finder, Looking, definitions};
use super::refusal::{Refusal, for_good};
use super::shape::Wanted;
use crate::error::from_client;
use crate::objects::ObjectType;

/// Other sides that are remembered at a time; forgotten all at once.
const REMEMBERED: usize = 100_000;

/// One rule, with everything that was asked about it once.
#[derive(Debug)]
pub(crate) struct Link {
    rule: LinkRule,
    /// The path names of the two types.
    from: String,
    to: String,
    /// The type of association; `None` for the unlabelled one.
    kind: Option<TypeSpec>,
    inverse: Option<TypeSpec>,
    /// Ids of other sides, by the value they were found by.
    known: Mutex<HashMap<String, String>>,
}

/// The other side of one association of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Which rule.
    pub(crate) link: usize,
    /// The id of the other record.
    pub(crate) id: String,
}

/// A type of association as a person names it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Named<'a> {
    pub(crate) type_id: Option<u64>,
    pub(crate) label: Option<&'a str>,
}

impl Named<'_> {
    /// The type among those that a pair of object types may have; `None` for the unlabelled one.
    ///
    /// # Errors
    /// The labels there are, when there is none such.
    pub(crate) fn among(self, all: &[AssociationLabel]) -> Result<Option<TypeSpec>, String> {
        let wanted = |found: &&AssociationLabel| match (self.type_id, self.label) {
            (Some(type_id), _) => found.type_id == type_id,
            (None, Some(label)) => {
                let own = found.label.as_deref().unwrap_or_default();
                own.eq_ignore_ascii_case(label)
            }
            (None, None) => false,
        };
        if self.type_id.is_none() && self.label.is_none() {
            return Ok(None);
        }
        let mut found = all.iter().filter(wanted);
        // Of two types that share a number, neither is guessed.
        let only = found
            .next()
            .filter(|_| found.next().is_none() || self.type_id.is_none());
        only.map(TypeSpec::from).map(Some).ok_or_else(|| {
            let known = all.iter().map(|one| match &one.label {
                Some(label) => format!("`{label}` ({})", one.type_id),
                None => one.type_id.to_string(),
            });
            known.collect::<Vec<_>>().join(", ")
        })
    }
}

impl Link {
    /// Resolves a rule of records of type `from`.
    pub(crate) async fn resolve(
        client: &Client,
        from: &ObjectType,
        to: &ObjectType,
        rule: LinkRule,
    ) -> opencdc::Result<Self> {
        if let Some(by) = &rule.by {
            check_unique(client, to, by).await?;
        }
        let named = Named {
            type_id: rule.type_id,
            label: rule.label.as_deref(),
        };
        let kind = type_between(client, from, to, named).await?;
        let inverse = Named {
            type_id: rule.inverse_type_id,
            label: None,
        };
        Ok(Self {
            from: from.path_name().to_owned(),
            to: to.path_name().to_owned(),
            inverse: type_between(client, to, from, inverse).await?,
            kind,
            known: Mutex::default(),
            rule,
        })
    }

    /// The values by which a record names the other sides.
    fn values<'a>(&self, wanted: &'a Wanted) -> impl Iterator<Item = &'a str> {
        let field = wanted.values.get(&self.rule.field).map_or("", String::as_str);
        field.split(';').map(str::trim).filter(|value| !value.is_empty())
    }

    /// The ids of the other sides that these values name.
    async fn ids(
        &self,
        client: &Client,
        keys: Option<&dyn KeyMap>,
        values: BTreeSet<&str>,
    ) -> opencdc::Result<HashMap<String, String>> {
        let values: Vec<_> = values.into_iter().map(str::to_owned).collect();
        match (&self.rule.by, &self.rule.stream, keys) {
            (Some(property), _, _) => self.by_property(client, property, values).await,
            (None, Some(stream), Some(keys)) => {
                let mapped = keys.look_up(&stream.as_str().into(), &values).await?;
                let ids = values
                    .into_iter()
                    .zip(mapped)
                    .filter_map(|(value, mapped)| match mapped {
                        Some(Mapped::Id(id)) => Some((value, id)),
                        _ => None,
                    });
                Ok(ids.collect())
            }
            _ => Ok(values.into_iter().map(|id| (id.clone(), id)).collect()),
        }
    }

    async fn by_property(
        &self,
        client: &Client,
        property: &str,
        values: Vec<String>,
    ) -> opencdc::Result<HashMap<String, String>> {
        let (mut ids, unknown) = self.remembered(values);
        let finder = |value: String| Finder::Unique {
            property: property.to_owned(),
            value,
        };
        let finders: Vec<_> = unknown.into_iter().map(finder).collect();
        let looking = Looking {
            client,
            object: &self.to,
        };
        let found = looking
            .find(&finders, &BTreeSet::new())
            .await
            .map_err(from_client)?;
        let found = found.into_iter().filter_map(|(finder, found)| match finder {
            Finder::Unique { value, .. } => Some((value, found.id)),
            Finder::Id(_) => None,
        });
        let found: HashMap<_, _> = found.collect();
        self.remember(&found);
        ids.extend(found);
        Ok(ids)
    }

    fn remembered(&self, values: Vec<String>) -> (HashMap<String, String>, Vec<String>) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut ids, mut unknown) = (HashMap::new(), Vec::new());
        for value in values {
            match known.get(&value) {
                Some(id) => drop(ids.insert(value, id.clone())),
                None => unknown.push(value),
            }
        }
        (ids, unknown)
    }

    fn remember(&self, found: &HashMap<String, String>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + found.len() > REMEMBERED {
            known.clear();
        }
        known.extend(found.iter().map(|(value, id)| (value.clone(), id.clone())));
    }

    fn missing(&self, value: &str) -> Refusal {
        let Self { rule, .. } = self;
        let by = rule.by.as_deref().or(rule.stream.as_deref()).unwrap_or("id");
        let reason = format!(
            "there is no record of `{}` with this `{by}` to associate with",
            rule.to
        );
        Refusal::of(&rule.field, Some(value), reason)
    }
}

/// Records are found by a property only if no two have the same value; a company's `domain` is none (hubspot-api notes
/// §1.4).
async fn check_unique(client: &Client, to: &ObjectType, by: &str) -> opencdc::Result<()> {
    let definitions = definitions(client, to).await?;
    definitions.require("associations", by)?;
    if definitions.is_unique(by) {
        return Ok(());
    }
    let message = format!(
        "`associations`: two {} may have the same `{by}`, so none is found by it",
        to.name
    );
    Err(opencdc::Error::new(opencdc::ErrorKind::Configuration, message).with_hint(
        "name a property with unique values (of contacts, `email` is one), or the `stream` whose keys the field holds, \
         or let the field hold HubSpot ids",
    ))
}

/// The type of association that a person named, asked of HubSpot.
pub(crate) async fn type_between(
    client: &Client,
    from: &ObjectType,
    to: &ObjectType,
    named: Named<'_>,
) -> opencdc::Result<Option<TypeSpec>> {
    if named.type_id.is_none() && named.label.is_none() {
        return Ok(None);
    }
    let all = client
        .association_labels(from.path_name(), to.path_name())
        .await
        .map_err(from_client)?;
    named.among(&all).map_err(|known| {
        let what = named.label.map_or_else(
            || format!("number {}", named.type_id.unwrap_or_default()),
            |label| format!("label `{label}`"),
        );
        let message = format!(
            "there is no association of {} with {} of {what}",
            from.name, to.name
        );
        opencdc::Error::new(opencdc::ErrorKind::Configuration, message)
            .with_hint(format!("there are {known}"))
    })
}

/// The other sides of each record.
///
/// A record whose other side is not there is refused, or goes without, as its rule says.
pub(crate) async fn targets(
    links: &[Link],
    client: &Client,
    keys: Option<&dyn KeyMap>,
    wanted: &[&Wanted],
) -> opencdc::Result<Vec<Result<Vec<Target>, Refusal>>> {
    let mut targets: Vec<Result<Vec<Target>, Refusal>> = wanted.iter().map(|_| Ok(Vec::new())).collect();
    for (n, link) in links.iter().enumerate() {
        let values: BTreeSet<&str> = wanted.iter().flat_map(|wanted| link.values(wanted)).collect();
        if values.is_empty() {
            continue;
        }
        let ids = link.ids(client, keys, values).await?;
        for (wanted, targets) in wanted.iter().zip(&mut targets) {
            add(n, link, wanted, &ids, targets);
        }
    }
    Ok(targets)
}

fn add(
    n: usize,
    link: &Link,
    wanted: &Wanted,
    ids: &HashMap<String, String>,
    targets: &mut Result<Vec<Target>, Refusal>,
) {
    for value in link.values(wanted) {
        let Ok(found) = targets else { return };
        match (ids.get(value), link.rule.missing) {
            (Some(id), _) => found.push(Target {
                link: n,
                id: id.clone(),
            }),
            (None, MissingLink::Fail) => *targets = Err(link.missing(value)),
            (None, MissingLink::Ignore) => tracing::warn!("{}; it is written without", link.missing(value)),
        }
    }
}

/// The associations that a new record can bring along: those of a type that is named.
pub(crate) fn inline(links: &[Link], targets: &[Target]) -> Vec<AssociateTo> {
    let typed = targets.iter().filter_map(|target| {
        let kind = links[target.link].kind.clone()?;
        Some(AssociateTo::new(target.id.clone(), [kind]))
    });
    typed.collect()
}

/// The targets that are still to be associated after `action`: a new record brought its typed ones along, unless they
/// have an inverse of their own.
pub(crate) fn remaining(links: &[Link], targets: &[Target], action: &Action) -> Vec<Target> {
    let came_along = |target: &&Target| {
        let link = &links[target.link];
        *action == Action::Create && link.kind.is_some() && link.inverse.is_none()
    };
    targets
        .iter()
        .filter(|target| !came_along(target))
        .cloned()
        .collect()
}

/// Associates records, each given by its place and its id, with their targets.
///
/// # Errors
/// What may go better another time. A pair that HubSpot refuses is told with the record's place.
pub(crate) async fn associate(
    links: &[Link],
    client: &Client,
    records: &[(usize, &str, &[Target])],
) -> Result<Vec<(usize, Refusal)>, Error> {
    let mut sets: BTreeMap<(usize, bool), Vec<(usize, Pair)>> = BTreeMap::new();
    for (at, id, targets) in records {
        for target in *targets {
            let link = &links[target.link];
            let there = Pair::new(*id, &target.id).with_types(link.kind.clone());
            sets.entry((target.link, false)).or_default().push((*at, there));
            if let Some(inverse) = &link.inverse {
                let back = Pair::new(&target.id, *id).with_types([inverse.clone()]);
                sets.entry((target.link, true)).or_default().push((*at, back));
            }
        }
    }
    let mut refused = Vec::new();
    for ((n, back), pairs) in sets {
        let link = &links[n];
        let (from, to) = if back {
            (&link.to, &link.from)
        } else {
            (&link.from, &link.to)
        };
        let route = Route { client, from, to };
        for chunk in pairs.chunks(MAX_WRITE) {
            refused.extend(route.carry(Deed::Join, chunk).await?);
        }
    }
    Ok(refused)
}

/// From which type to which.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route<'a> {
    pub(crate) client: &'a Client,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
}

/// What is done with pairs. Either may be done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// They are associated.
    Join,
    /// Their association ends.
    Part,
}

impl<'a> Route<'a> {
    /// Does it with pairs of one kind; one that HubSpot refuses is found by halving.
    pub(crate) fn carry(
        self,
        deed: Deed,
        pairs: &'a [(usize, Pair)],
    ) -> BoxFuture<'a, Result<Vec<(usize, Refusal)>, Error>> {
        Box::pin(async move {
            let Some((at, first)) = pairs.first() else {
                return Ok(Vec::new());
            };
            let Some(reason) = self.call(deed, pairs).await? else {
                return Ok(Vec::new());
            };
            if pairs.len() == 1 {
                return Ok(vec![(*at, self.refused(deed, first, &reason))]);
            }
            let (left, right) = pairs.split_at(pairs.len() / 2);
            let mut refused = self.carry(deed, left).await?;
            refused.extend(self.carry(deed, right).await?);
            Ok(refused)
        })
    }

    /// One call. Gives back HubSpot's words when it refused any of the pairs for good.
    async fn call(self, deed: Deed, pairs: &[(usize, Pair)]) -> Result<Option<String>, Error> {
        let Self { client, from, to } = self;
        let only: Vec<_> = pairs.iter().map(|(_, pair)| pair.clone()).collect();
        let untyped = only.iter().all(|pair| pair.types.is_empty());
        let errors = match (deed, untyped) {
            (Deed::Join, true) => client
                .associations_batch_default(from, to, &only)
                .await
                .map(|batch| batch.errors),
            (Deed::Join, false) => client
                .associations_batch_create(from, to, &only)
                .await
                .map(|batch| batch.errors),
            (Deed::Part, true) => client
                .associations_batch_archive(from, to, &only)
                .await
                .map(|()| Vec::new()),
            (Deed::Part, false) => client
                .associations_batch_unlabel(from, to, &only)
                .await
                .map(|()| Vec::new()),
        };
        let words = match errors {
            Ok(errors) if errors.is_empty() => return Ok(None),
            Ok(errors) => errors.into_iter().find_map(|error| error.message),
            Err(error) => match for_good(&error) {
                Some(refused) => refused.message.clone(),
                None => return Err(error),
            },
        };
        Ok(Some(
            words.unwrap_or_else(|| "HubSpot does not say why".to_owned()),
        ))
    }

    fn refused(self, deed: Deed, pair: &Pair, reason: &str) -> Refusal {
        let what = match deed {
            Deed::Join => "was not associated with",
            Deed::Part => "was not parted from",
        };
        let Self { from, to, .. } = self;
        Refusal::new(format!("{from} {} {what} {to} {}: {reason}", pair.from, pair.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<AssociationLabel> {
        serde_json::from_str(
            r#"[{"category":"HUBSPOT_DEFINED","typeId":279,"label":null},
                {"category":"USER_DEFINED","typeId":40,"label":"Boss"}]"#,
        )
        .unwrap()
    }

    #[test]
    fn a_type_is_found_by_number_or_label_and_else_the_known_ones_are_told() {
        let named = |type_id, label| Named { type_id, label }.among(&all());
        assert_eq!(named(None, None), Ok(None));
        assert_eq!(named(Some(279), None), Ok(Some(TypeSpec::hubspot(279))));
        assert_eq!(named(None, Some("boss")), Ok(Some(TypeSpec::user(40))));
        let mut twice = all();
        let mut of_work = all().remove(1);
        of_work.category = "WORK".to_owned();
        twice.push(of_work);
        let shared = Named {
            type_id: Some(40),
            label: None,
        };
        assert!(shared.among(&twice).is_err(), "two types of one number");
        assert_eq!(named(None, Some("Aunt")), Err("279, `Boss` (40)".to_owned()));
    }
}
