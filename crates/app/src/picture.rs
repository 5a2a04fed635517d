//! A picture of a run at one moment: what the run loop counts, joined with what the source says. For the terminal,
//! and for `spoke status` in another process.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use opencdc::{Error, StreamName, StreamStatus};
use pipeline::StreamTotals;
use serde::{Deserialize, Serialize};

/// One pipeline. Stored as JSON; a field that is not there is not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Picture {
    pub(crate) pipeline: String,
    pub(crate) pid: u32,
    pub(crate) started: Timestamp,
    pub(crate) taken: Timestamp,
    /// `caught_up`, `stopped` or `failed`; none while it runs.
    pub(crate) ended: Option<String>,
    pub(crate) retries: u32,
    /// The last error of the run as a whole.
    #[serde(flatten)]
    pub(crate) trouble: Trouble,
    pub(crate) streams: Vec<StreamPicture>,
}

/// One stream of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StreamPicture {
    pub(crate) stream: String,
    pub(crate) mode: Option<String>,
    pub(crate) position: Option<String>,
    pub(crate) lag_seconds: Option<f64>,
    /// Records that the source has given; those of the run loop follow.
    pub(crate) records: u64,
    pub(crate) calls: u64,
    pub(crate) written: u64,
    pub(crate) unchanged: u64,
    pub(crate) rejected: u64,
    #[serde(flatten)]
    pub(crate) trouble: Trouble,
}

/// What went wrong last, when, and when it is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trouble {
    pub(crate) last_error: Option<String>,
    pub(crate) last_error_at: Option<Timestamp>,
    pub(crate) retry_at: Option<Timestamp>,
    /// What is wrong right now; none when the last attempt went well.
    #[serde(default)]
    #[expect(clippy::struct_field_names, reason = "it is the member's name in JSON")]
    pub(crate) trouble: Option<Current>,
}

/// What is wrong: for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Current {
    /// A word such as `unreachable` or `refused`.
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) at: Option<Timestamp>,
    pub(crate) retry_at: Option<Timestamp>,
}

impl Trouble {
    /// Something that has just gone wrong.
    pub(crate) fn now(error: &Error, retry_in: Option<Duration>) -> Self {
        let current = Current::from(opencdc::Trouble::of(error, retry_in));
        Self {
            last_error: Some(error.to_string()),
            last_error_at: current.at,
            retry_at: current.retry_at,
            trouble: Some(current),
        }
    }

    /// It goes on; what went wrong last stays for who looks.
    pub(crate) fn recover(&mut self) {
        self.retry_at = None;
        self.trouble = None;
    }
}

impl From<opencdc::Trouble> for Current {
    fn from(trouble: opencdc::Trouble) -> Self {
        Self {
            kind: trouble.kind,
            message: trouble.message,
            hint: trouble.hint,
            at: time(trouble.at),
            retry_at: trouble.retry_at.and_then(time),
        }
    }
}

impl Current {
    /// The message with the way out.
    pub(crate) fn text(&self) -> String {
        let hint = self.hint.as_ref().map(|hint| format!(" ({hint})"));
        format!("{}{}", self.message, hint.unwrap_or_default())
    }
}

impl StreamPicture {
    fn of(name: &StreamName, totals: &StreamTotals, status: Option<StreamStatus>) -> Self {
        let counts = totals.get(name.as_str());
        let counted = Self {
            stream: name.to_string(),
            records: counts.records(),
            written: counts.written,
            unchanged: counts.unchanged,
            rejected: counts.rejected,
            ..Self::default()
        };
        let Some(status) = status else { return counted };
        Self {
            mode: Some(status.mode),
            position: Some(status.position).filter(|position| !position.is_empty()),
            lag_seconds: status.lag.map(|lag| lag.as_secs_f64()),
            records: status.records,
            calls: status.calls,
            trouble: Trouble {
                last_error: status.last_error,
                last_error_at: status.last_error_at.and_then(time),
                retry_at: status.retry_at.and_then(time),
                trouble: status.trouble.map(Current::from),
            },
            ..counted
        }
    }

    /// `cdc, 3s behind`; empty when the source says nothing.
    pub(crate) fn doing(&self) -> String {
        let mode = self.mode.clone().unwrap_or_default();
        match self.lag() {
            Some(lag) => format!("{mode}, {lag} behind"),
            None => mode,
        }
    }

    /// `3s`, `2m 5s`.
    pub(crate) fn lag(&self) -> Option<String> {
        let seconds = self.lag_seconds?;
        Some(in_words(
            SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX),
        ))
    }
}

/// The streams of `names`, and whatever else the source tells of.
pub(crate) fn streams(
    names: &[StreamName],
    totals: &StreamTotals,
    mut statuses: Vec<StreamStatus>,
) -> Vec<StreamPicture> {
    let mut pictures = Vec::with_capacity(names.len());
    for name in names {
        let status = statuses.extract_if(.., |status| status.stream == *name).next();
        pictures.push(StreamPicture::of(name, totals, status));
    }
    let others = statuses.into_iter();
    pictures.extend(others.map(|status| StreamPicture::of(&status.stream.clone(), totals, Some(status))));
    pictures
}

/// A duration for a person, to the second.
pub(crate) fn in_words(duration: SignedDuration) -> String {
    format!("{:#}", SignedDuration::from_secs(duration.as_secs()))
}

fn time(at: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn following(stream: &str) -> StreamStatus {
        StreamStatus {
            lag: Some(Duration::from_millis(125_400)),
            calls: 7,
            records: 40,
            last_error: Some("429".into()),
            last_error_at: Some(SystemTime::UNIX_EPOCH),
            ..StreamStatus::new(stream, "cdc")
        }
    }

    #[test]
    fn a_stream_is_joined_with_what_the_source_says_and_others_follow() {
        let names = ["contacts".into(), "deals".into()];
        let statuses = vec![following("owners"), following("deals")];
        let pictures = streams(&names, &StreamTotals::default(), statuses);
        let doing: Vec<_> = pictures
            .iter()
            .map(|picture| format!("{}: {} ({})", picture.stream, picture.doing(), picture.calls))
            .collect();
        assert_eq!(
            doing,
            [
                "contacts:  (0)",
                "deals: cdc, 2m 5s behind (7)",
                "owners: cdc, 2m 5s behind (7)"
            ]
        );
    }

    #[test]
    fn a_picture_of_an_earlier_version_is_read_and_trouble_stands_beside_the_older_keys() {
        let old = serde_json::json!({"stream": "deals", "mode": null, "position": null, "lagSeconds": null,
            "records": 1, "calls": 1, "written": 1, "unchanged": 0, "rejected": 0,
            "lastError": "no route", "lastErrorAt": null, "retryAt": null});
        let read: StreamPicture = serde_json::from_value(old).unwrap();
        assert_eq!(read.trouble.trouble, None);
        let mut status = following("contacts");
        let error = Error::new(opencdc::ErrorKind::Refused, "no scope").with_hint("grant it");
        status.fail(opencdc::Trouble::of(&error, Some(Duration::from_secs(5))));
        let picture = StreamPicture::of(&"contacts".into(), &StreamTotals::default(), Some(status));
        let json = serde_json::to_value(&picture).unwrap();
        assert_eq!(json["lastError"], "no scope (grant it)");
        let trouble = &json["trouble"];
        assert_eq!(
            (&trouble["kind"], &trouble["hint"]),
            (&"refused".into(), &"grant it".into())
        );
        assert_eq!(trouble["retryAt"], json["retryAt"]);
        assert!(json["retryAt"].is_string());
    }

    #[test]
    fn a_picture_survives_as_json_with_times_that_people_read() {
        let picture = Picture {
            pipeline: "crm".into(),
            pid: 7,
            started: Timestamp::UNIX_EPOCH,
            taken: Timestamp::UNIX_EPOCH,
            ended: None,
            retries: 2,
            trouble: Trouble::default(),
            streams: streams(&[], &StreamTotals::default(), vec![following("contacts")]),
        };
        let json = serde_json::to_value(&picture).unwrap();
        assert_eq!(json["streams"][0]["lastErrorAt"], "1970-01-01T00:00:00Z");
        assert_eq!(json["streams"][0]["lagSeconds"], 125.4);
        assert_eq!(serde_json::from_value::<Picture>(json).unwrap(), picture);
    }
}
