//! Reads one file after the other, and again from where each ended.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use opencdc::{Batch, Error, Operation, Record, Result, Resume, StreamName, Until};

use super::config::Files;
use super::mark::{self, Found, Mark, Place};
use super::open::Open;
use super::paths::{self, cannot_read};
use crate::source::follow::{BlockingReader, Wanted};
use crate::source::lines::{Content, FULL, Piece, Problem, Records};
use crate::source::status::Status;

/// So many rows of a file are looked at to learn its fields.
const LOOKED_AT: usize = 1_000;
/// So many files are.
const FILES_LOOKED_AT: usize = 100;

/// What the beginnings of the files show.
pub(super) fn first_look(files: &Files) -> Result<Records> {
    let mut records = Records::new(files.format.clone(), &files.key);
    if let Some(stream) = &files.stream {
        records.expect(stream);
    }
    for path in paths::list(files)?.iter().take(FILES_LOOKED_AT) {
        let stream = paths::stream(files, path);
        records.expect(&stream);
        let mut open = Open::at(files, path, Mark::default())?;
        for _ in 0..LOOKED_AT {
            match open.next()? {
                // A row that is bad is told when it is read.
                Some(Piece {
                    content: Content::Row(row),
                    ..
                }) => {
                    drop(records.record(&row, &stream, Operation::Snapshot));
                }
                Some(Piece { ended: true, .. }) => {}
                Some(Piece { ended: false, .. }) | None => break,
            }
        }
    }
    Ok(records)
}

/// All files, in order, over and over.
pub(super) struct Walk {
    files: Files,
    wanted: Wanted,
    records: Records,
    status: Status,
    until: Until,
    place: Place,
    marks: BTreeMap<String, Mark>,
    /// The files of this round that are still to be read.
    round: Option<VecDeque<PathBuf>>,
    open: Option<Open>,
    gathered: Gathered,
    /// Found behind rows that must be delivered first.
    failure: Option<Error>,
    ended: bool,
}

/// What the next batch holds so far.
#[derive(Default)]
struct Gathered {
    records: Vec<Record>,
    /// Files whose mark has moved, or is gone.
    touched: BTreeSet<String>,
    /// How many rows, those included that nobody wants, and their length.
    rows: usize,
    bytes: usize,
}

impl Walk {
    pub(super) fn resume(
        files: Files,
        records: Records,
        wanted: Wanted,
        from: Option<Resume>,
        status: Status,
    ) -> Result<Self> {
        let source = files.format.name();
        let (place, marks) = match from {
            None => (Place::start(source), BTreeMap::new()),
            Some(from) => {
                let place = Place::read(source, &from.position)?;
                (place, mark::marks(&from.notes)?.into_iter().collect())
            }
        };
        Ok(Self {
            files,
            wanted,
            records,
            status,
            until: Until::CaughtUp,
            place,
            marks,
            round: None,
            open: None,
            gathered: Gathered::default(),
            failure: None,
            ended: false,
        })
    }

    pub(super) fn until(mut self, until: Until) -> Self {
        self.until = until;
        self
    }

    /// Opens the next file of the round; none when the round is over.
    fn open_next(&mut self) -> Result<Option<Open>> {
        if self.round.is_none() {
            self.round = Some(self.begin_round()?);
        }
        let Some(path) = self.round.as_mut().and_then(VecDeque::pop_front) else {
            self.round = None;
            return Ok(None);
        };
        let name = path.to_string_lossy().into_owned();
        let mark = self.marks.get(&name).copied().unwrap_or_default();
        if !self.is_same(&path, mark)? {
            self.marks.insert(name.clone(), Mark::default());
            self.gathered.touched.insert(name.clone());
        }
        let mark = self.marks.get(&name).copied().unwrap_or_default();
        Open::at(&self.files, &path, mark).map(Some)
    }

    /// Forgets the files that are gone.
    fn begin_round(&mut self) -> Result<VecDeque<PathBuf>> {
        let paths = paths::list(&self.files)?;
        let names: BTreeSet<_> = paths
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        let gone: Vec<_> = self
            .marks
            .keys()
            .filter(|name| !names.contains(*name))
            .cloned()
            .collect();
        for name in gone {
            self.marks.remove(&name);
            self.gathered.touched.insert(name);
        }
        Ok(paths.into())
    }

    /// Whether the file is the one that was marked. What it is otherwise is told.
    fn is_same(&self, path: &Path, mark: Mark) -> Result<bool> {
        let found = File::open(path).and_then(|file| mark.find(&file));
        let what = match found.map_err(|error| cannot_read(path, &error))? {
            Found::Same => return Ok(true),
            Found::CutShort => "is shorter than what was read of it",
            Found::Replaced => "begins differently than when it was read",
        };
        let message = format!(
            "`{}` {what}: it was cut short or replaced, and is read from its start; what it held at its end and was \
             not read yet is lost",
            path.display()
        );
        tracing::warn!("{message}");
        self.status.trouble(&paths::stream(&self.files, path), &message);
        Ok(false)
    }

    /// Reads rows until there are enough of them, or the file is at its end.
    fn read(&mut self, open: &mut Open) -> Result<bool> {
        let stream = paths::stream(&self.files, &open.path);
        while !self.is_full() {
            let Some(piece) = open.next()? else {
                return Ok(true);
            };
            let line = open.mark.lines + 1;
            if !self.take(&piece, &stream, &open.name, line)? {
                return Ok(true);
            }
            // Whether more is to come of a row without an end is not known: the next round looks at it again.
            if self.may_go_on(&piece) {
                return Ok(true);
            }
            open.mark.offset += piece.bytes;
            open.mark.lines += piece.lines;
            (self.place.file, self.place.line) = (Some(open.name.clone()), line);
            self.gathered.touched.insert(open.name.clone());
        }
        Ok(false)
    }

    /// Whether the piece was taken; otherwise it waits for the rest of it.
    fn take(&mut self, piece: &Piece, stream: &StreamName, name: &str, line: u64) -> Result<bool> {
        let problem = match &piece.content {
            Content::Nothing => return Ok(true),
            Content::Row(_) if self.may_go_on(piece) && self.until == Until::Dropped => return Ok(false),
            Content::Row(row) => match self.records.record(row, stream, self.operation()) {
                Ok(record) => {
                    self.gathered.bytes += row.len();
                    self.gather(record);
                    return Ok(true);
                }
                Err(problem) => problem,
            },
            Content::Bad(Problem::Unfinished(why)) if piece.lines == 0 || self.until == Until::Dropped => {
                self.tell_unfinished(why, stream, name, line);
                return Ok(false);
            }
            Content::Bad(problem) => problem.clone(),
        };
        self.skip(problem, stream, &format!("`{name}` line {line}"))
            .map(|()| true)
    }

    /// Whether more of the piece may come. A JSON object is whole when it is closed; a row of cells may go on until its
    /// line ends.
    fn may_go_on(&self, piece: &Piece) -> bool {
        !piece.ended && self.files.format.has_header()
    }

    fn operation(&self) -> Operation {
        if self.place.caught_up {
            Operation::Update
        } else {
            Operation::Snapshot
        }
    }

    fn gather(&mut self, record: Record) {
        self.gathered.rows += 1;
        if self.wanted.has(&record.stream) {
            self.gathered.records.push(record);
        }
    }

    /// Whoever follows will see the rest of it; whoever does not should know.
    fn tell_unfinished(&self, why: &str, stream: &StreamName, name: &str, line: u64) {
        if self.until == Until::CaughtUp {
            let message = format!("`{name}` line {line}: {why}; it is left for the next run");
            tracing::warn!("{message}");
            self.status.trouble(stream, &message);
        }
    }

    fn skip(&mut self, problem: Problem, stream: &StreamName, place: &str) -> Result<()> {
        let message = self.files.bad_lines.judge(problem, place)?;
        self.gathered.rows += 1;
        self.status.skipped(stream, &message);
        Ok(())
    }

    /// Remembers how far the file was read.
    fn note_mark(&mut self, open: &mut Open) -> Result<()> {
        if self.gathered.touched.contains(&open.name) {
            open.take_head()?;
            self.marks.insert(open.name.clone(), open.mark);
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.gathered.rows >= self.files.batch_size || self.gathered.bytes >= FULL
    }

    /// What was gathered, when there is anything to tell.
    fn batch(&mut self) -> Option<Batch> {
        let Gathered { records, touched, .. } = std::mem::take(&mut self.gathered);
        let catalog = self.records.schemas().news();
        if records.is_empty() && touched.is_empty() && catalog.is_none() {
            return None;
        }
        self.status.read(&records, &self.place.in_words());
        let mut batch = Batch::new(records, self.place.position());
        batch.catalog = catalog.map(Arc::new);
        let note = |name: &String| {
            self.marks
                .get(name)
                .map_or_else(|| Mark::forget(name), |mark| mark.note(name))
        };
        batch.notes = touched.iter().map(note).collect();
        Some(batch)
    }

    /// One file's share of the next batch; whether the round is over.
    fn advance(&mut self) -> Result<bool> {
        let open = match self.open.take() {
            Some(open) => Some(open),
            None => self.open_next()?,
        };
        let Some(mut open) = open else {
            return Ok(true);
        };
        let read = self.read(&mut open);
        self.note_mark(&mut open)?;
        if !read? {
            self.open = Some(open);
        }
        Ok(false)
    }

    /// The end of the first round is told even when there is nothing else to tell.
    fn end_round(&mut self) -> Option<Batch> {
        if self.place.caught_up {
            return self.batch();
        }
        let last = self.batch();
        self.place.caught_up = true;
        let mut batch = last.unwrap_or_else(|| Batch::new(Vec::new(), self.place.position()));
        batch.position = self.place.position();
        Some(batch)
    }
}

impl BlockingReader for Walk {
    fn next(&mut self) -> Result<Option<Batch>> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        if self.ended {
            return Ok(None);
        }
        loop {
            match self.advance() {
                Ok(true) => {
                    self.ended = self.until == Until::CaughtUp;
                    return Ok(self.end_round());
                }
                Ok(false) if !self.is_full() => {}
                Ok(false) => {
                    if let Some(batch) = self.batch() {
                        return Ok(Some(batch));
                    }
                }
                Err(error) => match self.batch() {
                    None => return Err(error),
                    Some(batch) => {
                        self.failure = Some(error);
                        return Ok(Some(batch));
                    }
                },
            }
        }
    }
}
