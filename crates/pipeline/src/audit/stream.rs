//! One stream under audit: what was seen of it, window by window. Pure.

use std::collections::HashSet;

use opencdc::{Compared, Data, Record, Result, Stream, Verdict, metadata_keys};

use super::key::Key;
use super::report::{AuditedStream, Finding, Side, What, Window};

/// Records in a window.
const WINDOW: u64 = 1_000;

/// What was seen of a stream so far.
pub(super) struct Audited {
    pub(super) stream: Stream,
    /// Keys to be looked at again.
    pub(super) suspects: Vec<Data>,
    /// Digests of the keys that the origin gave: eight bytes a record, whatever its key.
    seen: HashSet<u64>,
    windows: Vec<Range>,
    findings: Vec<(Key, Finding)>,
    on_their_way: u64,
}

/// A window in the making.
struct Range {
    from: Key,
    through: Key,
    /// How many records of the walk fell into it.
    given: u64,
    origin: Side,
    copy: Side,
}

impl Audited {
    pub(super) fn new(stream: &Stream) -> Self {
        Self {
            stream: stream.clone(),
            suspects: Vec::new(),
            seen: HashSet::new(),
            windows: Vec::new(),
            findings: Vec::new(),
            on_their_way: 0,
        }
    }

    /// How many records the origin gave.
    pub(super) fn walked(&self) -> u64 {
        self.seen.len() as u64
    }

    /// A record of the walk. One that comes again, because the pages moved meanwhile, counts once.
    pub(super) fn note(&mut self, record: &Record, compared: &Compared) -> Result<()> {
        let key = Key::of(&self.stream, &record.key)?;
        if !self.seen.insert(key.digest()) {
            return Ok(());
        }
        if compared.verdict != Verdict::Same {
            self.suspects.push(record.key.clone());
        }
        let window = self.newest(key);
        if compared.verdict == Verdict::Same {
            window.origin.add(compared.wanted);
            window.copy.add(compared.found);
        }
        Ok(())
    }

    /// A row of the copy.
    pub(super) fn note_row(&mut self, key: Data) -> Result<()> {
        if !self.seen.contains(&Key::of(&self.stream, &key)?.digest()) {
            self.suspects.push(key);
        }
        Ok(())
    }

    /// What the second look says of a suspect.
    pub(super) fn settle(&mut self, record: &Record, compared: &Compared, on_its_way: bool) -> Result<()> {
        let what = match &compared.verdict {
            Verdict::Same => None,
            _ if on_its_way => {
                self.on_their_way += 1;
                return Ok(());
            }
            Verdict::Missing => Some(What::Missing),
            Verdict::Differs { fields } => Some(What::Differs(fields.clone())),
            Verdict::Extra => {
                let reason = record.metadata.get(metadata_keys::DELETE_REASON);
                Some(What::Extra(reason.map(str::to_owned)))
            }
        };
        let key = Key::of(&self.stream, &record.key)?;
        let window = self.of(&key);
        window.origin.add(compared.wanted);
        window.copy.add(compared.found);
        if let Some(what) = what {
            let finding = Finding {
                key: record.key.clone(),
                id: key.to_string(),
                what,
            };
            self.findings.push((key, finding));
        }
        Ok(())
    }

    /// An erased record of which values are left; the delete names it by the first fields of a key at least.
    pub(super) fn note_remains(&mut self, delete: &Record) -> Result<()> {
        let key = Key::of(&self.stream, &delete.key)?;
        let finding = Finding {
            key: delete.key.clone(),
            id: key.to_string(),
            what: What::Remains,
        };
        self.findings.push((key, finding));
        Ok(())
    }

    /// Suspects that changed even between two looks.
    pub(super) fn unanswered(&mut self, count: usize) {
        self.on_their_way += count as u64;
    }

    /// The window that is being filled.
    fn newest(&mut self, key: Key) -> &mut Range {
        let is_full = self.windows.last().is_none_or(|last| last.given >= WINDOW);
        if is_full {
            self.windows.push(Range::at(key.clone()));
        }
        let last = self.windows.last_mut().expect("there is one now");
        last.given += 1;
        last.reach(key);
        last
    }

    /// The window that a key belongs to: the first that reaches so far, else the last.
    fn of(&mut self, key: &Key) -> &mut Range {
        if self.windows.is_empty() {
            self.windows.push(Range::at(key.clone()));
        }
        let place = self.windows.partition_point(|window| window.through < *key);
        let place = place.min(self.windows.len() - 1);
        let window = &mut self.windows[place];
        window.reach(key.clone());
        window
    }

    pub(super) fn finish(mut self) -> AuditedStream {
        self.findings.sort_by(|(a, _), (b, _)| a.cmp(b));
        let window = |range: Range| Window {
            from: range.from.to_string(),
            through: range.through.to_string(),
            origin: range.origin,
            copy: range.copy,
        };
        AuditedStream {
            stream: self.stream.name,
            windows: self.windows.into_iter().map(window).collect(),
            findings: self.findings.into_iter().map(|(_, finding)| finding).collect(),
            on_their_way: self.on_their_way,
        }
    }
}

impl Range {
    fn at(key: Key) -> Self {
        Self {
            from: key.clone(),
            through: key,
            given: 0,
            origin: Side::default(),
            copy: Side::default(),
        }
    }

    fn reach(&mut self, key: Key) {
        if key < self.from {
            self.from = key;
        } else if key > self.through {
            self.through = key;
        }
    }
}
