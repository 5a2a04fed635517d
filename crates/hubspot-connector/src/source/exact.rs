//! Associations read for themselves: a thousand records a call, each to its last page.

use std::collections::{BTreeMap, BTreeSet};

use hubspot_client::request::associations::MAX_BATCH;
use hubspot_client::{Association, Client, Error, PageTrail};

use crate::objects::ObjectType;

/// The associations of one record, all of them or a page.
pub(crate) struct Found {
    pub(crate) from: String,
    pub(crate) to: Vec<Association>,
}

/// A record and where to go on with it.
type Cursor = (String, Option<String>);

/// All associations of these records with records of one type. A record without any has no entry.
pub(crate) async fn read(
    client: &Client,
    (from, to): (&ObjectType, &ObjectType),
    ids: impl IntoIterator<Item = String>,
) -> Result<Vec<Found>, Error> {
    let mut waiting: Vec<Cursor> = ids.into_iter().map(|id| (id, None)).collect();
    let mut found = Vec::new();
    while !waiting.is_empty() {
        let rest = waiting.split_off(waiting.len().min(MAX_BATCH));
        let asked = std::mem::replace(&mut waiting, rest);
        waiting.extend(read_batch(client, (from, to), asked, &mut found).await?);
    }
    Ok(found)
}

/// Reads one batch and gives back what is left to read of its records.
async fn read_batch(
    client: &Client,
    (from, to): (&ObjectType, &ObjectType),
    asked: Vec<Cursor>,
    found: &mut Vec<Found>,
) -> Result<Vec<Cursor>, Error> {
    let answer = client
        .associations_batch_read(from.path_name(), to.path_name(), &asked)
        .await?;
    let before: BTreeMap<String, Option<String>> = asked.into_iter().collect();
    let none: BTreeSet<&String> = answer.none.iter().collect();
    let mut silent: BTreeSet<&String> = before.keys().filter(|id| !none.contains(id)).collect();
    let mut left = Vec::new();
    for entry in answer.results {
        silent.remove(&entry.from);
        if let Some(next) = entry.next {
            left.push((
                entry.from.clone(),
                Some(further(&before, &entry.from, next, from)?),
            ));
        }
        found.push(Found {
            from: entry.from,
            to: entry.to,
        });
    }
    // HubSpot lists records without associations as errors; one that it does not mention at all is asked alone.
    for id in silent {
        found.push(read_alone(client, (from, to), id).await?);
    }
    Ok(left)
}

/// The next cursor of a record; one that stands still would never end.
fn further(
    before: &BTreeMap<String, Option<String>>,
    id: &str,
    next: String,
    from: &ObjectType,
) -> Result<String, Error> {
    if before
        .get(id)
        .is_some_and(|cursor| cursor.as_deref() == Some(&*next))
    {
        return Err(Error::RepeatedPage {
            stream: format!("associations of {} {id}", from.name),
            after: next,
        });
    }
    Ok(next)
}

async fn read_alone(
    client: &Client,
    (from, to): (&ObjectType, &ObjectType),
    id: &str,
) -> Result<Found, Error> {
    let mut found = Found {
        from: id.to_owned(),
        to: Vec::new(),
    };
    let mut trail = PageTrail::new(format!("associations of {} {id}", from.name));
    let mut after: Option<String> = None;
    loop {
        let page = match client
            .associations(from.path_name(), id, to.path_name(), after.as_deref())
            .await
        {
            Ok(page) => page,
            Err(error) if error.is_not_found() => return Ok(found),
            Err(error) => return Err(error),
        };
        let others = page.to.len();
        found.to.extend(page.to);
        match page.next {
            None => return Ok(found),
            Some(next) => {
                trail.follow(others, &next)?;
                after = Some(next);
            }
        }
    }
}
