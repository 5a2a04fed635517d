//! Reading positions: of this version, of those before it, and of Conduit's connector.

use std::collections::BTreeMap;

use jiff::Timestamp;
use opencdc::{Error, ErrorKind, Result, StreamName};
use serde::Deserialize;

use super::{Adopt, Complete, HubspotPosition, Snapshot, StreamPosition, VERSION};

/// Read first, so that a newer shape is told apart from bytes that are not ours.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

pub(super) fn parse(bytes: &[u8]) -> Result<HubspotPosition> {
    if let Ok(position) = serde_json::from_slice::<Conduit>(bytes) {
        return Ok(position.into());
    }
    let head: Head = serde_json::from_slice(bytes).map_err(foreign)?;
    match head.version {
        1 => serde_json::from_slice::<Version1>(bytes)
            .map(Into::into)
            .map_err(foreign),
        2 => serde_json::from_slice::<Version3>(bytes)
            .map(before_keys)
            .map_err(foreign),
        VERSION => serde_json::from_slice::<Version3>(bytes)
            .map(Into::into)
            .map_err(foreign),
        newer => Err(from_newer(newer)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Version3 {
    #[serde(rename = "version")]
    _version: u32,
    portal_id: Option<String>,
    streams: BTreeMap<StreamName, StreamPosition>,
}

impl From<Version3> for HubspotPosition {
    fn from(read: Version3) -> Self {
        Self {
            portal_id: read.portal_id,
            streams: read.streams,
            only: None,
        }
    }
}

/// When associations were keyed without the category of their type, and property values without their order within a
/// millisecond, some rows took the place of others. Whatever is attached to records is due to be read again, without the
/// records: association lists a thousand records a call, histories fifty.
fn before_keys(read: Version3) -> HubspotPosition {
    let mut position = HubspotPosition::from(read);
    position
        .streams
        .retain(|_, state| !is_attached_in_snapshot(state));
    for state in position.streams.values_mut() {
        if let StreamPosition::Complete(complete) = state {
            *complete = Complete::never();
        }
    }
    position
}

/// Only the records themselves have a selection.
fn is_attached_in_snapshot(state: &StreamPosition) -> bool {
    match state {
        StreamPosition::Snapshot(snapshot) => snapshot.after.is_some() && snapshot.selection.is_empty(),
        StreamPosition::Cdc(_) | StreamPosition::Complete(_) => false,
    }
}

/// Before there were feeds: passes over everything, and no notes of what was delivered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Version1 {
    #[serde(rename = "version")]
    _version: u32,
    portal_id: Option<String>,
    streams: BTreeMap<StreamName, Pass>,
}

#[derive(Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
enum Pass {
    Snapshot(PassFacts),
    Archived(PassFacts),
    Complete(PassFacts),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PassFacts {
    initial_timestamp: Timestamp,
    since: Option<Timestamp>,
}

/// Everything is read again, so that it can be taken note of; what went to the recycle bin since the earliest pass that
/// may have delivered it is still found.
impl From<Version1> for HubspotPosition {
    fn from(read: Version1) -> Self {
        let stream = |(name, pass): (StreamName, Pass)| {
            let (Pass::Snapshot(facts) | Pass::Archived(facts) | Pass::Complete(facts)) = pass;
            let since = facts.since.unwrap_or(facts.initial_timestamp);
            let snapshot = Snapshot {
                since: Some(since),
                ..Snapshot::from(facts.initial_timestamp)
            };
            (name, StreamPosition::Snapshot(snapshot))
        };
        Self {
            portal_id: read.portal_id,
            streams: read.streams.into_iter().map(stream).collect(),
            only: None,
        }
    }
}

/// What Conduit's own connector wrote: one object, not named. It had delivered what did not change since; that is taken
/// note of, and not delivered again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Conduit {
    mode: ConduitMode,
    item_id: Option<String>,
    initial_timestamp: Option<Timestamp>,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum ConduitMode {
    Snapshot,
    Cdc,
}

impl From<Conduit> for HubspotPosition {
    fn from(read: Conduit) -> Self {
        let (through_id, since) = match read.mode {
            // In a snapshot `timestamp` is when the item was made.
            ConduitMode::Snapshot => (
                Some(read.item_id.and_then(|id| id.parse().ok()).unwrap_or(0)),
                read.initial_timestamp,
            ),
            ConduitMode::Cdc => (None, read.timestamp.or(read.initial_timestamp)),
        };
        // Without any time nothing is known to have been delivered.
        let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
        let adopt = Adopt {
            unchanged_since: since,
            through_id,
        };
        let snapshot = Snapshot {
            adopt: Some(adopt),
            since: Some(since),
            ..Snapshot::from(since)
        };
        Self {
            only: Some(StreamPosition::Snapshot(snapshot)),
            ..Self::default()
        }
    }
}

fn foreign(source: serde_json::Error) -> Error {
    Error::new(
        ErrorKind::Incompatible,
        "the position was not made by this HubSpot source",
    )
    .with_hint("reset the pipeline's state to read from the start")
    .with_source(source)
}

fn from_newer(version: u32) -> Error {
    let message = format!("the position has version {version}, this program reads up to {VERSION}");
    Error::new(ErrorKind::Incompatible, message)
        .with_hint("run the newer program that made it, or reset the pipeline's state to read from the start")
}

#[cfg(test)]
mod tests {
    use opencdc::Position;

    use super::*;
    use crate::position::{Cdc, Cursor, Round, Rounds};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + second).unwrap()
    }

    fn of(streams: impl IntoIterator<Item = (&'static str, StreamPosition)>) -> HubspotPosition {
        HubspotPosition {
            portal_id: Some("4711".to_owned()),
            streams: streams
                .into_iter()
                .map(|(name, state)| (name.into(), state))
                .collect(),
            only: None,
        }
    }

    fn snapshot(after: Option<&str>) -> StreamPosition {
        StreamPosition::Snapshot(Snapshot {
            selection: "5eed".into(),
            item_id: after.map(|_| "512".into()),
            after: after.map(str::to_owned),
            ..Snapshot::from(at(0))
        })
    }

    fn cdc() -> Cdc {
        Cdc {
            initial_timestamp: at(0),
            selection: "5eed".into(),
            realtime: Cursor::at(at(90)),
            delayed: Cursor::at(at(30)),
            archived: Rounds::since(at(0)),
            reconcile: Rounds::since(at(0)),
            count_offset: 0,
            doubt: None,
            since: None,
            blind: None,
        }
    }

    /// Written by version 2 and never edited again: what was released stays readable, byte for byte.
    fn golden() -> Vec<(&'static str, HubspotPosition)> {
        let round = Round {
            begun: at(60),
            after: Some("701".into()),
            through: 700,
            found: 2,
            ended: false,
        };
        let busy = Cdc {
            realtime: Cursor {
                timestamp: at(90),
                item_id: Some(512),
            },
            archived: Rounds {
                last: at(0),
                open: Some(round.clone()),
            },
            reconcile: Rounds {
                last: at(0),
                open: Some(Round {
                    after: None,
                    through: 0,
                    found: 0,
                    ..round.clone()
                }),
            },
            count_offset: -3,
            doubt: None,
            since: Some(at(-60)),
            ..cdc()
        };
        let judging = Cdc {
            archived: Rounds {
                last: at(0),
                open: Some(Round {
                    after: None,
                    ended: true,
                    ..round.clone()
                }),
            },
            blind: Some(at(60)),
            ..cdc()
        };
        let adopting = StreamPosition::Snapshot(Snapshot {
            adopt: Some(Adopt {
                unchanged_since: at(5),
                through_id: Some(256),
            }),
            since: Some(at(5)),
            ..Snapshot::from(at(5))
        });
        let complete = |open| {
            StreamPosition::Complete(Complete {
                initial_timestamp: at(0),
                open,
            })
        };
        vec![
            (
                include_str!("golden/3-begun.json"),
                of([("contacts", snapshot(None))]),
            ),
            (
                include_str!("golden/3-snapshot.json"),
                of([("contacts", snapshot(Some("513"))), ("deals", snapshot(None))]),
            ),
            (
                include_str!("golden/3-adopting.json"),
                of([("contacts", adopting)]),
            ),
            (
                include_str!("golden/3-cdc.json"),
                of([
                    ("contacts", StreamPosition::Cdc(Box::new(cdc()))),
                    ("contacts_companies", complete(None)),
                    ("owners", complete(None)),
                ]),
            ),
            (
                include_str!("golden/3-cdc-judging.json"),
                of([("contacts", StreamPosition::Cdc(Box::new(judging)))]),
            ),
            (
                include_str!("golden/3-cdc-busy.json"),
                of([
                    ("contacts", StreamPosition::Cdc(Box::new(busy))),
                    ("contacts_companies", complete(Some(round))),
                ]),
            ),
        ]
    }

    #[test]
    fn every_released_shape_is_still_read_and_written() {
        for (text, position) in golden() {
            let text = text.trim_end();
            assert_eq!(position.to_position(), Position::new(text), "{position:?}");
            assert_eq!(HubspotPosition::parse(&Position::new(text)).unwrap(), position);
        }
    }

    #[test]
    fn a_position_of_version_2_keeps_the_place_of_records_and_reads_what_is_attached_again() {
        let version_2 = [
            include_str!("golden/2-begun.json"),
            include_str!("golden/2-snapshot.json"),
            include_str!("golden/2-adopting.json"),
            include_str!("golden/2-cdc.json"),
            include_str!("golden/2-cdc-busy.json"),
        ];
        let judging = |(text, _): &(&str, HubspotPosition)| text.contains("ended");
        let shapes = golden().into_iter().filter(|shape| !judging(shape));
        for (text, (_, mut expected)) in version_2.into_iter().zip(shapes) {
            for state in expected.streams.values_mut() {
                if let StreamPosition::Complete(complete) = state {
                    *complete = Complete::never();
                }
            }
            let read = HubspotPosition::parse(&Position::new(text.trim_end())).unwrap();
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn associations_that_a_snapshot_of_version_2_was_filling_are_read_apart_from_it() {
        let attached = r#"{"version":2,"portalId":"4711","streams":{"contacts":{"mode":"snapshot","initialTimestamp":"2026-01-01T00:00:00Z","selection":"5eed","itemId":"512","after":"513"},"contacts_companies":{"mode":"snapshot","initialTimestamp":"2026-01-01T00:00:00Z","itemId":"512","after":"513"}}}"#;
        let read = HubspotPosition::parse(&Position::new(attached)).unwrap();
        assert_eq!(read, of([("contacts", snapshot(Some("513")))]));
    }

    #[test]
    fn a_position_of_version_1_reads_everything_again_and_keeps_the_time_that_deletes_count_from() {
        for (text, since) in [
            (include_str!("golden/1-snapshot.json"), at(0)),
            (include_str!("golden/1-second-pass.json"), at(-3_600)),
            (include_str!("golden/1-archived.json"), at(-3_600)),
            (include_str!("golden/1-begun.json"), at(0)),
            (include_str!("golden/1-complete.json"), at(0)),
        ] {
            let position = HubspotPosition::parse(&Position::new(text.trim_end())).unwrap();
            let expected = Snapshot {
                since: Some(since),
                ..Snapshot::from(at(0))
            };
            assert_eq!(
                position.streams[&"contacts".into()],
                StreamPosition::Snapshot(expected),
                "{text}"
            );
        }
        let without =
            HubspotPosition::parse(&Position::new(include_str!("golden/1-no-portal.json").trim_end()));
        assert_eq!(without.unwrap().portal_id, None);
    }

    #[test]
    fn a_position_of_conduits_connector_is_a_start() {
        let start = |text: &'static str| {
            HubspotPosition::parse(&Position::new(text))
                .unwrap()
                .only
                .unwrap()
        };
        let expected = |since: &str, through_id| {
            let since: Timestamp = since.parse().unwrap();
            StreamPosition::Snapshot(Snapshot {
                adopt: Some(Adopt {
                    unchanged_since: since,
                    through_id,
                }),
                since: Some(since),
                ..Snapshot::from(since)
            })
        };
        assert_eq!(
            start(
                r#"{"mode":"cdc","itemId":"256","initialTimestamp":"2026-01-01T00:00:00Z","timestamp":"2026-02-01T10:00:00.123Z"}"#
            ),
            expected("2026-02-01T10:00:00.123Z", None)
        );
        assert_eq!(
            start(
                r#"{"mode":"snapshot","itemId":"256","initialTimestamp":"2026-01-01T00:00:00Z","timestamp":"2020-02-01T10:00:00Z"}"#
            ),
            expected("2026-01-01T00:00:00Z", Some(256))
        );
        assert_eq!(
            start(r#"{"mode":"cdc","timestamp":"2026-02-01T10:00:00+01:00"}"#),
            expected("2026-02-01T09:00:00Z", None)
        );
    }

    #[test]
    fn foreign_bytes_and_newer_versions_are_refused_with_a_way_out() {
        let refused = |text: &'static str| HubspotPosition::parse(&Position::new(text)).unwrap_err();
        for text in [
            "",
            "17",
            "{}",
            r#"{"version":"1"}"#,
            r#"{"version":1}"#,
            r#"{"version":1,"streams":{"contacts":{"mode":"dream"}}}"#,
            r#"{"version":1,"streams":{},"extra":1}"#,
            r#"{"version":2,"streams":{"contacts":{"mode":"cdc"}}}"#,
            r#"{"mode":"dream","itemId":"256"}"#,
        ] {
            let error = refused(text);
            assert_eq!(error.kind(), ErrorKind::Incompatible, "{text}");
            assert!(error.hint().unwrap().contains("reset"), "{text}");
        }
        let error = refused(r#"{"version":4,"anything":[]}"#);
        assert_eq!(error.kind(), ErrorKind::Incompatible);
        assert!(error.to_string().contains("version 4"), "{error}");
    }

    #[test]
    fn a_position_of_another_account_is_refused() {
        let position = of([]);
        position.check_portal("4711").unwrap();
        let error = position.check_portal("1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incompatible);
        assert!(error.to_string().contains("4711"), "{error}");
    }
}
