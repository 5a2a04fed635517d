//! Where each stream stands, as JSON.
//!
//! The field names `mode`, `itemId`, `initialTimestamp` and `timestamp` are those that users of Conduit's connector know.
//! Every released shape stays readable: the golden files in `src/position/golden` are never edited, only added to
//! (invariant 2). A position holds ids, times and paging tokens, never a secret (invariant 7). What is too large for it,
//! the ids that were delivered, stands in the notes beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use opencdc::{Error, ErrorKind, Note, Notes, Position, Result, StreamName};
use serde::{Deserialize, Serialize};

mod read;

/// The version that is written, and the newest that is read.
const VERSION: u32 = 3;

/// Where every stream of a source stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HubspotPosition {
    /// The account, once it is known: a position of another one is refused.
    pub portal_id: Option<String>,
    /// By stream. A stream that is not here has not begun.
    pub streams: BTreeMap<StreamName, StreamPosition>,
    /// The position of Conduit's connector, which names no stream: it is the one object that is selected.
    pub only: Option<StreamPosition>,
}

/// Where one stream stands: at once what is stored and the state of its machine (see `source/step.rs`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum StreamPosition {
    /// Walking the live records by id.
    Snapshot(Snapshot),
    /// Following changes.
    Cdc(Box<Cdc>),
    /// Read whole, to be read again now and then: associations, and streams that are no objects.
    Complete(Complete),
}

/// A walk over all live records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The cutoff: everything that existed at this time will have been read when the walk is complete; the feeds go on
    /// from here.
    pub initial_timestamp: Timestamp,
    /// What was selected, to notice when that changes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub selection: String,
    /// The greatest id that was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    /// The paging token of the next page; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Records that somebody else has delivered already are only taken note of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adopt>,
    /// Since when a record may have gone to the recycle bin that was delivered, although nothing is noted of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The latest last modification that search showed before the walk began. The feeds begin there if the cutoff, which
    /// rests on clocks, is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
}

/// Which records of a snapshot are only taken note of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Adopt {
    /// Those that have not changed since.
    pub unchanged_since: Timestamp,
    /// Those up to this id; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through_id: Option<u64>,
}

/// Following the changes of one object type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cdc {
    /// The cutoff of the snapshot.
    pub initial_timestamp: Timestamp,
    /// What was selected, to notice when that changes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub selection: String,
    /// The early feed, up to what search shows now.
    #[serde(flatten)]
    pub realtime: Cursor,
    /// The late feed, which asks again when search has settled.
    pub delayed: Cursor,
    /// The walks over the recycle bin.
    pub archived: Rounds,
    /// The walks over all live records.
    pub reconcile: Rounds,
    /// By how much the count of a search differed from ours when the last walk found nothing to mend.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count_offset: i64,
    /// When a feed last went on although search did not show all that it counted: a walk over all records that begins
    /// later settles it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Timestamp>,
    /// As in [`Snapshot::since`], until the first walk over the recycle bin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The recycle bin was not read for so long that a record may have come and left it by age. Set when that was noticed,
    /// until all live records have been compared since: what is found to be gone by then need not have been erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde fixes the signature")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde fixes the signature")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Where a feed stands in the order of last modification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    /// Everything before this millisecond has been read.
    pub timestamp: Timestamp,
    /// Of this millisecond itself, the records up to this id: set while an instant is drained that holds more than a
    /// page.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "id_text")]
    pub item_id: Option<u64>,
}

/// Ids are texts wherever a person may read them.
mod id_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[expect(clippy::ref_option, reason = "serde fixes the signature")]
    pub(super) fn serialize<S: Serializer>(id: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        id.map(|id| id.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(de::Error::custom))
            .transpose()
    }
}

/// A walk that is taken again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rounds {
    /// When the last complete one began.
    pub last: Timestamp,
    /// The one under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Round>,
}

/// A walk under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Round {
    /// When it began.
    pub begun: Timestamp,
    /// The paging token of the next page; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The greatest id that it has passed.
    #[serde(default)]
    pub through: u64,
    /// How many differences it has found.
    #[serde(default)]
    pub found: u64,
    /// Every page was read; what none of them showed is still to be asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ended: bool,
}

/// A stream that was read whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Complete {
    /// When the last complete reading began.
    pub initial_timestamp: Timestamp,
    /// The one under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Round>,
}

impl Snapshot {
    /// From the beginning.
    pub fn from(cutoff: Timestamp) -> Self {
        Self {
            initial_timestamp: cutoff,
            selection: String::new(),
            item_id: None,
            after: None,
            adopt: None,
            since: None,
            newest: None,
        }
    }
}

impl Complete {
    /// Never read whole, so it is due at once.
    pub fn never() -> Self {
        Self {
            initial_timestamp: Timestamp::UNIX_EPOCH,
            open: None,
        }
    }

    /// Whether it was ever read whole.
    pub(crate) fn is_never(&self) -> bool {
        self.initial_timestamp == Timestamp::UNIX_EPOCH
    }
}

impl Rounds {
    /// None under way; the last one began at `last`.
    pub fn since(last: Timestamp) -> Self {
        Self { last, open: None }
    }
}

impl Cursor {
    /// At the beginning of a millisecond.
    pub fn at(timestamp: Timestamp) -> Self {
        Self {
            timestamp,
            item_id: None,
        }
    }
}

impl StreamPosition {
    /// The word for its state: `snapshot`, `cdc` or `complete`.
    pub fn mode(&self) -> &'static str {
        match self {
            Self::Snapshot(_) => "snapshot",
            Self::Cdc(_) => "cdc",
            Self::Complete(_) => "complete",
        }
    }

    /// What was selected when it was made.
    pub(crate) fn selection(&self) -> &str {
        match self {
            Self::Snapshot(snapshot) => &snapshot.selection,
            Self::Cdc(cdc) => &cdc.selection,
            Self::Complete(_) => "",
        }
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

    /// From what was stored: by this version, by an older one, or by Conduit's connector.
    ///
    /// # Errors
    /// [`ErrorKind::Incompatible`] when it was made by a newer version, or by something else.
    pub fn parse(position: &Position) -> Result<Self> {
        read::parse(position.as_bytes())
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

/// Checks that a run can start from `position`, of this connector or of Conduit's.
///
/// # Errors
/// Those of [`HubspotPosition::parse`].
pub fn check_start(position: &Position) -> Result<()> {
    HubspotPosition::parse(position).map(drop)
}

/// What is left when one stream is forgotten: it will be read from the start, the others keep their place.
///
/// # Errors
/// Those of [`HubspotPosition::parse`]; [`ErrorKind::Configuration`] when there is no such stream.
pub fn reset_stream(position: &Position, notes: &Notes, stream: &str) -> Result<(Position, Vec<Note>)> {
    let mut parsed = HubspotPosition::parse(position)?;
    if parsed.streams.remove(&StreamName::from(stream)).is_none() {
        let names: Vec<_> = parsed.streams.keys().map(|name| format!("`{name}`")).collect();
        let message = format!("there is no state of a stream `{stream}`");
        return Err(Error::new(ErrorKind::Configuration, message)
            .with_hint(format!("there is state of {}", names.join(", "))));
    }
    let prefix = format!("{stream}/");
    let of_stream = notes.keys().filter(|key| key.starts_with(&prefix));
    let forget = of_stream.map(|key| Note::forget(Arc::clone(key)));
    Ok((parsed.to_position(), forget.collect()))
}
