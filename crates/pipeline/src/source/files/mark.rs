//! How far a file was read, and whether it still is that file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use opencdc::{Error, ErrorKind, Note, Notes, Position, Result};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// The shape of positions and notes.
const VERSION: u32 = 1;
/// What a note's key begins with.
const PREFIX: &str = "file/";
/// So much of a file's beginning tells it from another one.
const HEAD: u64 = 4096;

/// How far the source as a whole is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    version: u32,
    source: String,
    /// Whether everything that was there at first was read, so that what comes now is new.
    pub(super) caught_up: bool,
    /// For people: the last row that was read.
    pub(super) file: Option<String>,
    pub(super) line: u64,
}

impl Place {
    pub(super) fn start(source: &str) -> Self {
        Self {
            version: VERSION,
            source: source.to_owned(),
            caught_up: false,
            file: None,
            line: 0,
        }
    }

    pub(super) fn read(source: &str, position: &Position) -> Result<Self> {
        let foreign = |error| {
            Error::new(
                ErrorKind::Incompatible,
                format!("the position is none of the source `{source}`'s"),
            )
            .with_hint("reset the pipeline to read the files from the start")
            .with_source(error)
        };
        let place: Self =
            serde_json::from_slice(position.as_bytes()).map_err(|error| foreign(error.to_string()))?;
        if place.version != VERSION || place.source != source {
            return Err(foreign(format!(
                "it is version {} of `{}`",
                place.version, place.source
            )));
        }
        Ok(place)
    }

    pub(super) fn position(&self) -> Position {
        Position::new(serde_json::to_vec(self).expect("a place is always serialisable"))
    }

    /// For people.
    pub(super) fn in_words(&self) -> String {
        match &self.file {
            Some(file) => format!("`{file}` line {}", self.line),
            None => "at the start".to_owned(),
        }
    }
}

/// How far one file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Bytes, up to the end of a row.
    pub(super) offset: u64,
    pub(super) lines: u64,
    /// How many bytes of its beginning the digest is of.
    head: u64,
    digest: u64,
}

/// What became of a file since it was marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Same,
    CutShort,
    Replaced,
}

impl Mark {
    /// Compares, without moving the file's cursor.
    pub(super) fn find(&self, file: &File) -> io::Result<Found> {
        if file.metadata()?.len() < self.offset {
            return Ok(Found::CutShort);
        }
        match self.head == 0 || digest(file, self.head)? == self.digest {
            true => Ok(Found::Same),
            false => Ok(Found::Replaced),
        }
    }

    /// Takes note of the file's beginning, as far as it was read, without moving the file's cursor.
    pub(super) fn take_head(&mut self, file: &File) -> io::Result<()> {
        let head = self.offset.min(HEAD);
        if head != self.head {
            (self.head, self.digest) = (head, digest(file, head)?);
        }
        Ok(())
    }

    pub(super) fn note(&self, path: &str) -> Note {
        let value = serde_json::to_vec(self).expect("a mark is always serialisable");
        Note::remember(format!("{PREFIX}{path}"), value)
    }

    pub(super) fn forget(path: &str) -> Note {
        Note::forget(format!("{PREFIX}{path}"))
    }
}

/// The marks in `notes`, by path.
pub(super) fn marks(notes: &Notes) -> Result<Vec<(String, Mark)>> {
    let ours = notes
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?, value)));
    let read = |(path, value): (&str, &bytes::Bytes)| match serde_json::from_slice(value) {
        Ok(mark) => Ok((path.to_owned(), mark)),
        Err(error) => {
            let message = format!("what was noted of `{path}` cannot be read");
            Err(Error::new(ErrorKind::Incompatible, message).with_source(error))
        }
    };
    ours.map(read).collect()
}

/// Of the first `length` bytes, or of all when there are fewer.
fn digest(file: &File, length: u64) -> io::Result<u64> {
    let mut head = vec![0; usize::try_from(length.min(HEAD)).unwrap_or_default()];
    let mut read = 0;
    while read < head.len() {
        match file.read_at(&mut head[read..], read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(xxh3_64(&head[..read]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Released shapes stay readable (invariant 2).
    #[test]
    fn places_and_marks_of_version_1_are_read() {
        let place = r#"{"version":1,"source":"csv","caught_up":true,"file":"a/b.csv","line":7}"#;
        let read = Place::read("csv", &Position::new(place)).unwrap();
        assert_eq!(
            (read.caught_up, read.in_words().as_str()),
            (true, "`a/b.csv` line 7")
        );
        assert_eq!(read.position(), Position::new(place));
        let mark = r#"{"offset":70,"lines":7,"head":70,"digest":18446744073709551615}"#;
        let notes = Notes::from([("file/a/b.csv".into(), mark.into()), ("other".into(), "x".into())]);
        let marks = marks(&notes).unwrap();
        assert_eq!(marks[0].1.note(&marks[0].0).value.unwrap(), mark);
    }

    #[test]
    fn a_place_of_another_source_is_refused() {
        let place = Place::start("ndjson").position();
        assert_eq!(
            Place::read("csv", &place).unwrap_err().kind(),
            ErrorKind::Incompatible
        );
    }
}
