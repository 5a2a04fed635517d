//! Records, written up to 100 at a time: what became of each input.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    client::Client,
    decode::{self, Collection},
    error::{Error, SubError},
    record::RawObject,
    request::{
        self,
        batches::{BatchWrite, Input},
    },
};

/// What became of a batch: one entry per input, in the order of the inputs.
///
/// HubSpot's results come in no order, and its errors name inputs in different ways (hubspot-api notes §1.6). Both are
/// matched to the inputs here: by `objectWriteTraceId`, else by id, else by the value of the unique property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchOutcome {
    /// One entry per input.
    pub inputs: Vec<InputOutcome>,
    /// Errors that name no input of this batch.
    pub errors: Vec<SubError>,
}

/// What became of one input of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputOutcome {
    /// It was written.
    Written(Written),
    /// It was refused, and why.
    Refused(SubError),
    /// HubSpot's answer says nothing of it. It may have been written; [`BatchOutcome::errors`] may say more.
    Unknown,
}

/// A record as a batch wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The record, with the properties that changed.
    pub record: RawObject,
    /// Whether an upsert made it; `None` where HubSpot does not say.
    pub is_new: Option<bool>,
}

impl InputOutcome {
    /// The record, if it was written.
    pub fn record(&self) -> Option<&RawObject> {
        match self {
            Self::Written(written) => Some(&written.record),
            Self::Refused(_) | Self::Unknown => None,
        }
    }

    /// HubSpot's reason, if it was refused.
    pub fn refusal(&self) -> Option<&SubError> {
        match self {
            Self::Refused(error) => Some(error),
            Self::Written(_) | Self::Unknown => None,
        }
    }
}

impl BatchOutcome {
    /// Whether every input was written.
    pub fn is_complete(&self) -> bool {
        self.inputs.iter().all(|input| input.record().is_some())
    }

    fn of(batch: &BatchWrite, answer: Collection) -> Self {
        let mut matching = Matching::new(batch);
        let strangers: Vec<_> = answer
            .results
            .into_iter()
            .filter_map(|record| matching.place(record))
            .collect();
        let errors = answer.errors.into_iter();
        let errors = errors.filter_map(|error| matching.refuse(error)).collect();
        matching.place_last(strangers);
        let inputs = matching.outcomes.into_iter();
        Self {
            inputs: inputs
                .map(|found| found.unwrap_or(InputOutcome::Unknown))
                .collect(),
            errors,
        }
    }
}

/// What a result of a write says beyond a record.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Extra {
    object_write_trace_id: Option<String>,
    new: Option<bool>,
    properties: BTreeMap<String, Option<String>>,
}

/// Results and errors on their way to their inputs.
struct Matching<'a> {
    batch: &'a BatchWrite,
    outcomes: Vec<Option<InputOutcome>>,
}

impl<'a> Matching<'a> {
    fn new(batch: &'a BatchWrite) -> Self {
        let outcomes = batch.inputs.iter().map(|_| None).collect();
        Self { batch, outcomes }
    }

    /// Gives a record to its input, or back.
    fn place(&mut self, record: RawObject) -> Option<Written> {
        let extra: Extra = serde_json::from_slice(record.json()).unwrap_or_default();
        let at = self
            .by_trace(extra.object_write_trace_id.as_deref())
            .or_else(|| self.by_record(&record, &extra));
        let written = Written {
            record,
            is_new: extra.new,
        };
        match at {
            Some(n) => {
                self.outcomes[n] = Some(InputOutcome::Written(written));
                None
            }
            None => Some(written),
        }
    }

    fn by_trace(&self, id: Option<&str>) -> Option<usize> {
        let n: usize = id?.parse().ok()?;
        self.is_open(n).then_some(n)
    }

    fn by_record(&self, record: &RawObject, extra: &Extra) -> Option<usize> {
        match self.batch.id_property() {
            None => self.open_with(record.id()),
            Some(name) => self.open_with(extra.properties.get(name)?.as_deref()?),
        }
    }

    fn is_open(&self, n: usize) -> bool {
        self.outcomes.get(n).is_some_and(Option::is_none)
    }

    /// The first input without an outcome that has this id. HubSpot lowers the case of e-mail addresses.
    fn open_with(&self, id: &str) -> Option<usize> {
        let fits = |(n, input): (usize, &Input)| self.is_open(n) && input.id.eq_ignore_ascii_case(id);
        let mut inputs = self.batch.inputs.iter().enumerate();
        inputs.position(fits).filter(|_| !id.is_empty())
    }

    /// Gives an error to all inputs it names, or back if it names none.
    fn refuse(&mut self, error: SubError) -> Option<SubError> {
        let named = |key: &str| error.context.get(key).into_iter().flatten();
        let traced: Vec<_> = named("objectWriteTraceId")
            .filter_map(|id| self.by_trace(Some(id)))
            .collect();
        let ids = ["ids", "id"].into_iter().flat_map(named);
        let found = if traced.is_empty() {
            ids.filter_map(|id| self.open_with(id)).collect()
        } else {
            traced
        };
        if found.is_empty() {
            return Some(error);
        }
        for n in found {
            self.outcomes[n] = Some(InputOutcome::Refused(error.clone()));
        }
        None
    }

    /// One input left and one record left belong together.
    fn place_last(&mut self, mut strangers: Vec<Written>) {
        let mut open = self.outcomes.iter_mut().filter(|outcome| outcome.is_none());
        if let (Some(slot), None, 1) = (open.next(), open.next(), strangers.len()) {
            *slot = strangers.pop().map(InputOutcome::Written);
        }
    }
}

impl Client {
    /// Creates, updates or upserts up to 100 records. That some inputs were refused is no error; that HubSpot refused
    /// the batch as a whole is.
    pub async fn batch_write(&self, batch: &BatchWrite) -> Result<BatchOutcome, Error> {
        let request = batch.request(self.api_version())?;
        let answer = self
            .fetch(request, |response| decode::written(response.body()))
            .await?;
        Ok(BatchOutcome::of(batch, answer))
    }

    /// Puts up to 100 records into the recycle bin. Ids that do not exist are ignored by HubSpot.
    pub async fn batch_archive(&self, object_type: &str, ids: &[impl AsRef<str>]) -> Result<(), Error> {
        let request = request::batches::archive(self.api_version(), object_type, ids)?;
        self.send(request).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn outcome(batch: &BatchWrite, answer: &'static str) -> BatchOutcome {
        BatchOutcome::of(
            batch,
            decode::collection(&Bytes::from_static(answer.as_bytes())).unwrap(),
        )
    }

    /// `=id` for a record, `!message` for a refusal, `?` for nothing known.
    fn short(outcome: &BatchOutcome) -> Vec<String> {
        let word = |input: &InputOutcome| match input {
            InputOutcome::Written(written) => format!("={}", written.record.id()),
            InputOutcome::Refused(error) => format!("!{}", error.message.as_deref().unwrap_or_default()),
            InputOutcome::Unknown => "?".to_owned(),
        };
        outcome.inputs.iter().map(word).collect()
    }

    fn three(batch: fn(Vec<Input>) -> BatchWrite, ids: [&str; 3]) -> BatchWrite {
        batch(ids.map(|id| Input::of(id, [("a", "b")])).to_vec())
    }

    #[test]
    fn created_records_find_their_inputs_by_trace_id_in_any_order() {
        let create = three(|inputs| BatchWrite::create("contacts", inputs), ["", "", ""]);
        let outcome = outcome(
            &create,
            r#"{"results":[{"id":"12","objectWriteTraceId":"2"},{"id":"10","objectWriteTraceId":"0"}],"numErrors":1,
               "errors":[{"message":"taken","category":"CONFLICT","context":{"objectWriteTraceId":["1"]}}]}"#,
        );
        assert_eq!(short(&outcome), ["=10", "!taken", "=12"]);
        assert!(outcome.errors.is_empty() && !outcome.is_complete());
        assert_eq!(
            outcome.inputs[1].refusal().unwrap().category.as_deref(),
            Some("CONFLICT")
        );
    }

    #[test]
    fn updated_records_find_their_inputs_by_id_and_missing_ones_share_an_error() {
        let update = three(|inputs| BatchWrite::update("contacts", inputs), ["7", "8", "9"]);
        let outcome = outcome(
            &update,
            r#"{"results":[{"id":"8"}],"errors":[{"message":"gone","context":{"ids":["9","7"]}}]}"#,
        );
        assert_eq!(short(&outcome), ["!gone", "=8", "!gone"]);
    }

    #[test]
    fn upserted_records_find_their_inputs_by_the_unique_value_in_any_case() {
        let upsert = three(
            |inputs| BatchWrite::upsert("contacts", "email", inputs),
            ["A@b.c", "d@e.f", "g@h.i"],
        );
        let outcome = outcome(
            &upsert,
            r#"{"results":[{"id":"2","new":true,"properties":{"email":"d@e.f","x":null}},
               {"id":"1","new":false,"properties":{"email":"a@b.c"}}]}"#,
        );
        assert_eq!(short(&outcome), ["=1", "=2", "?"]);
        let new = |n: usize| match &outcome.inputs[n] {
            InputOutcome::Written(written) => written.is_new,
            other => panic!("{other:?}"),
        };
        assert_eq!((new(0), new(1)), (Some(false), Some(true)));
    }

    #[test]
    fn the_last_record_belongs_to_the_last_input() {
        let create = BatchWrite::create("contacts", [Input::create([("a", "b")])]);
        assert!(outcome(&create, r#"{"results":[{"id":"1"}]}"#).is_complete());
    }

    #[test]
    fn an_error_that_names_nobody_is_kept() {
        let update = three(|inputs| BatchWrite::update("contacts", inputs), ["7", "8", "9"]);
        let outcome = outcome(
            &update,
            r#"{"results":[{"id":"7"},{"id":"8"}],"errors":[{"message":"odd"}]}"#,
        );
        assert_eq!(short(&outcome), ["=7", "=8", "?"]);
        assert_eq!(outcome.errors[0].message.as_deref(), Some("odd"));
    }

    #[test]
    fn a_trace_id_that_was_never_given_takes_no_ones_place() {
        let create = three(|inputs| BatchWrite::create("contacts", inputs), ["", "", ""]);
        let outcome = outcome(&create, r#"{"results":[{"id":"1","objectWriteTraceId":"99"}]}"#);
        assert_eq!(short(&outcome), ["?", "?", "?"]);
    }
}
