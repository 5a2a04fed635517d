//! What was asked of the emulated HubSpot: `/_emulator/requests`.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};

use crate::time::Millis;

/// One request and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) at: Millis,
    /// Method and path, without the query.
    pub(crate) what: String,
    /// 0: there was no answer.
    pub(crate) status: u16,
    pub(crate) bytes: usize,
    pub(crate) took: Duration,
}

/// So many of the last requests are kept for people to look at.
const KEPT: usize = 50;

#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    total: u64,
    bytes: u64,
    rate_limited: u64,
    by_route: BTreeMap<String, BTreeMap<u16, u64>>,
    by_object: BTreeMap<String, u64>,
    last_second: VecDeque<Duration>,
    max_per_second: usize,
    last: VecDeque<Asked>,
}

impl RequestLog {
    /// Notes a request when it arrives.
    pub(crate) fn arrived(&mut self, now: Duration) {
        self.total += 1;
        let second = Duration::from_secs(1);
        while self
            .last_second
            .front()
            .is_some_and(|first| *first + second <= now)
        {
            self.last_second.pop_front();
        }
        self.last_second.push_back(now);
        self.max_per_second = self.max_per_second.max(self.last_second.len());
    }

    /// Notes which object type a request was about, so that a test can count the calls that one stream costs.
    pub(crate) fn asked_for(&mut self, object: &str) {
        *self.by_object.entry(object.to_owned()).or_default() += 1;
    }

    /// Notes how a request was answered.
    pub(crate) fn answered(&mut self, route: String, asked: Asked) {
        let status = asked.status;
        self.bytes += asked.bytes as u64;
        self.rate_limited += u64::from(status == 429);
        *self.by_route.entry(route).or_default().entry(status).or_default() += 1;
        self.last.truncate(KEPT - 1);
        self.last.push_front(asked);
    }

    /// The last requests, newest first.
    pub(crate) fn last(&self) -> impl Iterator<Item = &Asked> {
        self.last.iter()
    }

    pub(crate) fn report(&self) -> Value {
        json!({
            "total": self.total,
            "byRoute": self.by_route,
            "byObject": self.by_object,
            "maxPerSecond": self.max_per_second,
            "rateLimited": self.rate_limited,
            "bytes": self.bytes,
        })
    }
}
