//! Where each stream stands, as JSON.
//!
//! The field names `mode`, `itemId`, `initialTimestamp` are those that users of Conduit's connector know. Every
//! released shape stays readable: the golden files in `src/position/golden` are never edited, only added to
//! (invariant 2). A position holds ids, times and paging tokens, never a secret (invariant 7).

use std::collections::BTreeMap;

use jiff::Timestamp;
use opencdc::{Error, ErrorKind, Position, Result, StreamName};
use serde::{Deserialize, Serialize};

/// The version that is written, and the newest that is read.
const VERSION: u32 = 1;

/// Where every stream of a source stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HubspotPosition {
    /// The account, once it is known: a position of another one is refused.
    pub portal_id: Option<String>,
    /// By stream. A stream that is not here has not begun.
    pub streams: BTreeMap<StreamName, StreamPosition>,
}

/// Where one stream stands: at once what is stored and the state of the walk (see `source/step.rs`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum StreamPosition {
    /// Walking the live records by id.
    #[serde(rename_all = "camelCase")]
    Snapshot {
        /// The cutoff: everything that existed at this time will have been read when the walk is complete.
        initial_timestamp: Timestamp,
        /// The cutoff of the pass before this one; archived records are deletes from then on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
        /// The id of the last record delivered, for a person to read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item_id: Option<String>,
        /// The paging token of the next page; absent before the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// The live records are read; walking the recycle bin for what went away since the last pass.
    #[serde(rename_all = "camelCase")]
    Archived {
        /// The cutoff of this pass.
        initial_timestamp: Timestamp,
        /// The cutoff of the pass before this one.
        since: Timestamp,
        /// The id of the last archived record seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item_id: Option<String>,
        /// The paging token of the next page; absent before the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// The pass is complete.
    #[serde(rename_all = "camelCase")]
    Complete {
        /// The cutoff of the pass that is complete.
        initial_timestamp: Timestamp,
    },
}

impl StreamPosition {
    /// The cutoff of the pass it belongs to.
    pub fn cutoff(&self) -> Timestamp {
        match self {
            Self::Snapshot {
                initial_timestamp, ..
            }
            | Self::Archived {
                initial_timestamp, ..
            }
            | Self::Complete { initial_timestamp } => *initial_timestamp,
        }
    }

    /// Whether its pass is complete.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete { .. })
    }
}

/// The stored form, borrowed when written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    portal_id: Option<&'a str>,
    streams: &'a BTreeMap<StreamName, StreamPosition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Read {
    #[serde(rename = "version")]
    _version: u32,
    portal_id: Option<String>,
    streams: BTreeMap<StreamName, StreamPosition>,
}

/// Read first, so that a newer shape is told apart from bytes that are not ours.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

impl HubspotPosition {
    /// As stored.
    pub fn to_position(&self) -> Position {
        let written = Written {
            version: VERSION,
            portal_id: self.portal_id.as_deref(),
            streams: &self.streams,
        };
        Position::new(serde_json::to_vec(&written).expect("a map with text keys is always serialisable"))
    }

    /// From what was stored.
    ///
    /// # Errors
    /// [`ErrorKind::Incompatible`] when it was made by a newer version, or by something else.
    pub fn parse(position: &Position) -> Result<Self> {
        let head: Head = serde_json::from_slice(position.as_bytes()).map_err(foreign)?;
        if head.version > VERSION {
            return Err(newer(head.version));
        }
        let read: Read = serde_json::from_slice(position.as_bytes()).map_err(foreign)?;
        Ok(Self {
            portal_id: read.portal_id,
            streams: read.streams,
        })
    }

    /// Refuses to go on in another account than the one the position was made in.
    ///
    /// # Errors
    /// [`ErrorKind::Incompatible`] that names both.
    pub fn check_portal(&self, portal_id: &str) -> Result<()> {
        match self.portal_id.as_deref() {
            Some(other) if other != portal_id => {
                let message = format!(
                    "the position belongs to HubSpot account {other}, the connection reaches {portal_id}"
                );
                Err(Error::new(ErrorKind::Incompatible, message)
                    .with_hint("correct the connection, or reset the pipeline's state to read the other account from the start"))
            }
            _ => Ok(()),
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

fn newer(version: u32) -> Error {
    let message = format!("the position has version {version}, this program reads up to {VERSION}");
    Error::new(ErrorKind::Incompatible, message)
        .with_hint("run the newer program that made it, or reset the pipeline's state to read from the start")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + second).unwrap()
    }

    fn of(streams: impl IntoIterator<Item = (&'static str, StreamPosition)>) -> HubspotPosition {
        let streams = streams
            .into_iter()
            .map(|(name, state)| (name.into(), state))
            .collect();
        HubspotPosition {
            portal_id: Some("4711".to_owned()),
            streams,
        }
    }

    fn snapshot(item_id: Option<&str>, after: Option<&str>, since: Option<Timestamp>) -> StreamPosition {
        let [item_id, after] = [item_id, after].map(|text| text.map(str::to_owned));
        StreamPosition::Snapshot {
            initial_timestamp: at(0),
            since,
            item_id,
            after,
        }
    }

    /// Written by version 1 and never edited again: what was released stays readable, byte for byte.
    fn golden() -> [(&'static str, HubspotPosition); 6] {
        let archived = |item_id: Option<&str>, after: Option<&str>| StreamPosition::Archived {
            initial_timestamp: at(0),
            since: at(-3600),
            item_id: item_id.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        [
            (
                include_str!("position/golden/1-begun.json"),
                of([("contacts", snapshot(None, None, None))]),
            ),
            (
                include_str!("position/golden/1-snapshot.json"),
                of([
                    ("contacts", snapshot(Some("512"), Some("513"), None)),
                    ("deals", snapshot(None, None, None)),
                ]),
            ),
            (
                include_str!("position/golden/1-second-pass.json"),
                of([("contacts", snapshot(Some("512"), Some("513"), Some(at(-3600))))]),
            ),
            (
                include_str!("position/golden/1-archived.json"),
                of([
                    ("contacts", archived(None, None)),
                    ("deals", archived(Some("9"), Some("10"))),
                ]),
            ),
            (
                include_str!("position/golden/1-complete.json"),
                of([(
                    "contacts",
                    StreamPosition::Complete {
                        initial_timestamp: at(0),
                    },
                )]),
            ),
            (
                include_str!("position/golden/1-no-portal.json"),
                HubspotPosition {
                    portal_id: None,
                    ..of([(
                        "contacts",
                        StreamPosition::Complete {
                            initial_timestamp: at(0),
                        },
                    )])
                },
            ),
        ]
    }

    #[test]
    fn every_released_shape_is_still_read_and_written() {
        for (text, position) in golden() {
            let text = text.trim_end();
            assert_eq!(HubspotPosition::parse(&Position::new(text)).unwrap(), position);
            assert_eq!(position.to_position(), Position::new(text), "{position:?}");
        }
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
        ] {
            let error = refused(text);
            assert_eq!(error.kind(), ErrorKind::Incompatible, "{text}");
            assert!(error.hint().unwrap().contains("reset"), "{text}");
        }
        let error = refused(r#"{"version":2,"anything":[]}"#);
        assert_eq!(error.kind(), ErrorKind::Incompatible);
        assert!(error.to_string().contains("version 2"), "{error}");
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
