//! Which account the token belongs to, and what time it is there.

use std::sync::Arc;

use hubspot_client::Client;
use jiff::{SignedDuration, Timestamp};
use opencdc::Result;

use crate::error::from_client;

/// HubSpot's `Date` header has whole seconds, and several machines answer.
const SERVER_MARGIN: SignedDuration = SignedDuration::from_secs(5);
/// How wrong this machine's clock may be, when HubSpot did not say what time it is.
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// What a read needs to know first.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) portal_id: Arc<str>,
    /// A time that is surely past at HubSpot: what exists by then will be seen by a walk that begins now.
    pub(super) cutoff: Timestamp,
}

impl Account {
    pub(super) async fn of(client: &Client) -> Result<Self> {
        let details = client
            .account()
            .await
            .map_err(|error| from_client(error).context("cannot read the account's details"))?;
        Ok(Self {
            portal_id: details.portal_id.into(),
            cutoff: cutoff(client.server_time(), Timestamp::now()),
        })
    }
}

/// HubSpot's clock where it told, this machine's otherwise.
fn cutoff(server: Option<Timestamp>, here: Timestamp) -> Timestamp {
    let (now, margin) = server.map_or((here, CLOCK_MARGIN), |server| (server, SERVER_MARGIN));
    let past = now.checked_sub(margin).unwrap_or(now);
    // HubSpot's times have milliseconds.
    Timestamp::from_millisecond(past.as_millisecond()).unwrap_or(past)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_hubspots_where_it_told() {
        let (server, here) = (
            Timestamp::from_second(1_000).unwrap(),
            Timestamp::from_second(9_000).unwrap(),
        );
        assert_eq!(cutoff(Some(server), here), server - SERVER_MARGIN);
        assert_eq!(cutoff(None, here), here - CLOCK_MARGIN);
    }
}
