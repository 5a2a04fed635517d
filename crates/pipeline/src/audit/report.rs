//! What an audit found.

use std::time::SystemTime;

use opencdc::{Data, StreamName};

/// What an audit found, stream by stream.
#[derive(Debug, Clone)]
pub struct AuditReport {
    /// When it began, by the origin's clock.
    pub began: SystemTime,
    /// The streams in the order of the catalog.
    pub streams: Vec<AuditedStream>,
    /// Streams that cannot be compared.
    pub left_out: Vec<StreamName>,
    /// Streams whose rows may be more than the origin has: only what it has was compared.
    pub forgetful: Vec<StreamName>,
    /// Streams whose records are marked when they are archived: of those rows nothing but the mark was compared.
    pub marked: Vec<StreamName>,
    /// Wanted streams that the origin does not let be read, each with the reason. Nothing is known of their copies.
    pub refused: Vec<(StreamName, String)>,
}

/// One stream: both sides window by window, and what is wrong.
#[derive(Debug, Clone)]
pub struct AuditedStream {
    /// Its name.
    pub stream: StreamName,
    /// Both sides by ranges of keys.
    pub windows: Vec<Window>,
    /// What is wrong, in the order of the keys.
    pub findings: Vec<Finding>,
    /// Records that changed while the audit ran, or after the position of a pipeline that is running. They are on their way
    /// and not among the findings, nor in the windows.
    pub on_their_way: u64,
}

/// A range of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The least key in it.
    pub from: String,
    /// The greatest.
    pub through: String,
    /// What the origin has.
    pub origin: Side,
    /// What the copy has.
    pub copy: Side,
}

/// One side of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Side {
    /// How many records, or rows that are not marked as gone.
    pub records: u64,
    /// The sum of their checksums, computed from what stands, or should stand, in the rows. Equal on both sides when
    /// everything is the same.
    pub checksum: u64,
}

/// Something that is wrong with the copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Of which record.
    pub key: Data,
    /// The key as a person reads it.
    pub id: String,
    /// What is wrong.
    pub what: What,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The record lives, and the copy has no row, or has marked it as gone.
    Missing,
    /// The row says something else in these fields.
    Differs(Vec<String>),
    /// The record is gone, for this reason if the origin knows one, and the row is not marked so.
    Extra(Option<String>),
    /// The record was erased at the origin, and values of it, or of one that was merged into it, are still in the copy.
    Remains,
}

impl AuditReport {
    /// The report of one stream.
    pub fn stream(&self, name: &StreamName) -> Option<&AuditedStream> {
        self.streams.iter().find(|stream| stream.stream == *name)
    }

    /// Whether nothing is wrong anywhere.
    pub fn is_right(&self) -> bool {
        self.streams.iter().all(|stream| stream.findings.is_empty())
    }
}

impl AuditedStream {
    /// What the origin has in all.
    pub fn origin(&self) -> Side {
        self.windows
            .iter()
            .fold(Side::default(), |sum, window| sum.and(window.origin))
    }

    /// What the copy has in all.
    pub fn copy(&self) -> Side {
        self.windows
            .iter()
            .fold(Side::default(), |sum, window| sum.and(window.copy))
    }
}

impl Side {
    fn and(self, other: Self) -> Self {
        Self {
            records: self.records + other.records,
            checksum: self.checksum.wrapping_add(other.checksum),
        }
    }

    /// With one more; a checksum of 0 is none.
    pub(super) fn add(&mut self, checksum: u64) {
        if checksum != 0 {
            *self = self.and(Self { records: 1, checksum });
        }
    }
}
