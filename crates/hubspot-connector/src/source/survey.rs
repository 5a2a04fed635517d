//! What there is, asked with a few calls a stream: how many records, and a page of them to see what they are like.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hubspot_client::{Policy, RawPage};
use opencdc::Result;
use serde_json::Value;

use super::HubspotSource;
use super::audit::Desk;
use super::object::{Kind, ObjectPart};
use crate::error::from_client;
use crate::estimate::{self, AccountLimits, CountedBy, Estimate, StreamEstimate, Surveyed, SurveyedTarget};
use crate::known::Known;
use crate::objects::{Capability, ObjectType};
use crate::own::OwnStream;

impl HubspotSource {
    /// What reading everything that is selected will cost. Reads a page of each stream, and tables whole; changes nothing.
    ///
    /// # Errors
    /// Those of HubSpot.
    pub async fn survey(&self) -> Result<Estimate> {
        let before = self.calls();
        let names = self
            .discover()
            .await?
            .catalog
            .streams
            .iter()
            .map(|stream| stream.name.clone())
            .collect::<Vec<_>>();
        let definitions = self.calls() - before;
        let desk = self.desk(&names, Known::default()).await?;
        let start = self.calls() - before;
        let mut survey = Survey {
            source: self,
            desk,
            totals: None,
            pages: (0, Duration::ZERO),
        };
        let mut streams = Vec::new();
        for plan in survey.desk.discovery().plan.objects.clone() {
            if let Some(part) = survey.desk.part(&plan) {
                streams.push(survey.object(part).await?.estimate());
            }
        }
        for own in survey.desk.tables() {
            streams.push(survey.table(own).await?);
        }
        let refresh = survey.desk.discovery().plan.refresh;
        Ok(Estimate {
            start,
            definitions_a_day: estimate::definitions_a_day(definitions, refresh),
            streams,
            refused: survey
                .desk
                .discovery()
                .refused
                .iter()
                .map(|refused| refused.error().to_string())
                .collect(),
            left_out: survey.desk.discovery().plan.left_out(),
            limits: self.limits(),
            latency: survey.pages.1.checked_div(survey.pages.0).unwrap_or_default(),
        })
    }

    fn calls(&self) -> u64 {
        self.client.limiter().stats().calls
    }

    fn limits(&self) -> AccountLimits {
        let stats = self.client.limiter().stats();
        let rate = |policy: Policy, seconds: u64| {
            let found = stats.policies.iter().find(|stats| stats.policy == policy);
            found.map_or(0, |stats| {
                let interval = stats.interval.as_secs().max(1);
                u64::from(stats.max) * seconds / interval
            })
        };
        AccountLimits {
            calls_in_ten_seconds: rate(Policy::Burst, 10),
            searches_a_second: rate(Policy::Search, 1),
            calls_a_day: stats.daily.map(|daily| daily.limit),
            left_today: stats.daily.map(|daily| daily.remaining),
        }
    }
}

struct Survey<'a> {
    source: &'a HubspotSource,
    desk: Desk,
    /// What the account says of its limits, once it was asked.
    totals: Option<Value>,
    /// How many pages were read, and how long they took.
    pages: (u32, Duration),
}

impl Survey<'_> {
    async fn object(&mut self, mut part: ObjectPart) -> Result<Surveyed> {
        let plan = Arc::clone(part.plan());
        let searchable = plan.object.can(Capability::Search);
        let targets = part.targets();
        let begun = Instant::now();
        let page = part.reader.live_page(None, &targets).await?.taken()?;
        self.pages = (self.pages.0 + 1, self.pages.1 + begun.elapsed());
        let (records, counted_by) = self.count(&part, &page, searchable).await?;
        let mut surveyed_targets = Vec::new();
        for target in targets {
            surveyed_targets.push(associations(&mut part, &page, target).await?);
        }
        let whole = part.reader.whole(&page).await?;
        let bytes: usize = whole.iter().map(|object| object.json().len()).sum();
        Ok(Surveyed {
            name: plan.stream.clone(),
            records,
            counted_by,
            bytes_a_record: (bytes / whole.len().max(1)) as u64,
            page_size: u64::from(plan.page_size),
            wide: part.reader.is_wide(),
            searchable,
            history: part
                .attached
                .iter()
                .any(|attached| attached.kind == Kind::History),
            full_bin: part
                .reader
                .archived_page(None, &[])
                .await?
                .taken()?
                .next
                .is_some(),
            targets: surveyed_targets,
            rhythm: plan.rhythm,
        })
    }

    /// By the page itself when it is all there is; by a search; by what the account says of its limits.
    async fn count(
        &mut self,
        part: &ObjectPart,
        page: &RawPage,
        searchable: bool,
    ) -> Result<(Option<u64>, CountedBy)> {
        if page.next.is_none() {
            return Ok((Some(page.results.len() as u64), CountedBy::Reading));
        }
        if searchable {
            return Ok((Some(part.reader.count().await?), CountedBy::Search));
        }
        let object = Arc::clone(&part.plan().object);
        let found = usage(self.totals().await?, &object);
        Ok(match found {
            Some(records) => (Some(records), CountedBy::Limits),
            None => (None, CountedBy::Nobody),
        })
    }

    async fn totals(&mut self) -> Result<&Value> {
        if self.totals.is_none() {
            let answer = self.source.client.record_limits().await;
            self.totals =
                Some(answer.map_err(|error| from_client(error).context("cannot count the records"))?);
        }
        Ok(self.totals.as_ref().expect("they were just read"))
    }

    async fn table(&self, own: OwnStream) -> Result<StreamEstimate> {
        // Who is on which list takes a call a list at least, so only the lists are counted.
        let read = match own {
            OwnStream::ListMemberships => OwnStream::Lists,
            own => own,
        };
        let before = self.source.calls();
        let rows = self.desk.table(read).await?.records;
        let calls = self.source.calls() - before;
        let count = rows.len() as u64;
        let bytes = rows.iter().filter_map(|row| row.payload.after.as_ref());
        let bytes = bytes.map(|after| after.to_json().len() as u64).sum();
        let refresh = self.desk.discovery().plan.refresh;
        let name = own.name().into();
        Ok(match own == read || count == 0 {
            true => estimate::table(name, count, bytes, calls, refresh),
            false => StreamEstimate {
                records: None,
                counted_by: CountedBy::Nobody,
                bytes: None,
                ..estimate::table(name, 0, 0, calls + count, refresh)
            },
        })
    }
}

/// How many records the account says it has of a type; by its name where its id is not known.
fn usage(totals: &Value, object: &ObjectType) -> Option<u64> {
    let standard = totals["hubspotDefinedObjectTypes"].as_array();
    let custom = totals["customObjectTypes"]["byObjectType"].as_array();
    let mut all = standard.into_iter().chain(custom).flatten();
    let is_meant = |entry: &&Value| match &object.type_id {
        Some(id) => entry["objectTypeId"] == **id,
        None => entry["pluralLabel"]
            .as_str()
            .is_some_and(|label| object.is_called(label)),
    };
    all.find(is_meant)?["usage"].as_u64()
}

async fn associations(part: &mut ObjectPart, page: &RawPage, target: usize) -> Result<SurveyedTarget> {
    let inline = part.reader.inline(page, target, |_| false).await?;
    // Records without a list are asked about once, a call or so for each pair.
    let uncertain = (inline.uncertain.len() - inline.without_list.len()) as u64;
    let records = page.results.len().max(1) as u64;
    Ok(SurveyedTarget {
        labels: uncertain > 0 || inline.links.values().any(|list| !list.is_empty()),
        uncertain_per_mille: (uncertain * 1_000).div_ceil(records),
    })
}
