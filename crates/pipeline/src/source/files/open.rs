//! A file that is being read.

use std::fs::File;
use std::io::{BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use opencdc::Result;

use super::config::Files;
use super::mark::Mark;
use super::paths::cannot_read;
use crate::source::lines::{Decoder, Piece};

/// A file that is being read.
pub(super) struct Open {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) mark: Mark,
    input: BufReader<File>,
    decoder: Box<dyn Decoder>,
}

impl Open {
    pub(super) fn at(files: &Files, path: &Path, mark: Mark) -> Result<Self> {
        let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
        let mut open = Self {
            path: path.to_owned(),
            name: path.to_string_lossy().into_owned(),
            mark,
            input: BufReader::with_capacity(64 << 10, file),
            decoder: files.format.decoder(),
        };
        // The header tells what the cells are, wherever the reading begins.
        if mark.offset > 0 && files.format.has_header() {
            open.next()?;
        }
        if mark.offset > 0 {
            let sought = open.input.seek(SeekFrom::Start(mark.offset));
            sought.map_err(|error| cannot_read(path, &error))?;
        }
        Ok(open)
    }

    pub(super) fn next(&mut self) -> Result<Option<Piece>> {
        let piece = self.decoder.next(&mut self.input);
        piece.map_err(|error| cannot_read(&self.path, &error))
    }

    /// Takes note of how the file begins.
    pub(super) fn take_head(&mut self) -> Result<()> {
        let taken = self.mark.take_head(self.input.get_ref());
        taken.map_err(|error| cannot_read(&self.path, &error))
    }
}
