//! The file of refused rows: as they came, with the line and the reason beside, to be mended and given again.

use std::fs::{File, Permissions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pipeline::private_file;
use serde_json::value::to_raw_value;

use super::input::{Format, Row, text};
use crate::exit::{Failure, Outcome};

const LINE: &str = "_line";
const REASON: &str = "_reason";

/// Refused rows on their way to a file, which is made with the first one.
pub(crate) struct Rejects {
    /// None for what was typed, unless a file was asked for.
    path: Option<PathBuf>,
    /// The rows' origin, whose rights the file gets.
    input: Option<PathBuf>,
    format: Format,
    open: Option<Sink>,
}

enum Sink {
    Csv(Box<csv::Writer<File>>),
    Lines(BufWriter<File>),
}

impl Rejects {
    /// Rows of `format`, into `path`, or beside the input.
    pub(crate) fn new(path: Option<PathBuf>, input: Option<&Path>, format: Format) -> Self {
        Self {
            path: path.or_else(|| input.map(|input| beside(input, &format))),
            input: input.map(Path::to_owned),
            format,
            open: None,
        }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: &Row, reason: &str) -> Outcome {
        let Some(path) = &self.path else { return Ok(()) };
        let failed = |path: &Path, error: &std::io::Error| {
            Failure::failed(format!("cannot write the refused rows to `{}`", path.display())).because(error)
        };
        let sink = match &mut self.open {
            Some(sink) => sink,
            none => {
                let sink = Sink::open(path, self.input.as_deref(), &self.format)
                    .map_err(|error| failed(path, &error))?;
                none.insert(sink)
            }
        };
        sink.add(&self.format, row, reason)
            .map_err(|error| failed(path, &error))
    }

    /// Closes the file, and tells where it is, when there is one.
    pub(crate) fn finish(self) -> Outcome<Option<PathBuf>> {
        let (Some(sink), Some(path)) = (self.open, self.path) else {
            return Ok(None);
        };
        let flushed = match sink {
            Sink::Csv(mut writer) => writer.flush(),
            Sink::Lines(mut writer) => writer.flush(),
        };
        flushed
            .map_err(|error| Failure::failed(format!("cannot write `{}`", path.display())).because(&error))?;
        Ok(Some(path))
    }
}

/// `people.csv` gives `people.rejected.csv`; rows from stdin give `rejected.csv` here.
fn beside(input: &Path, format: &Format) -> PathBuf {
    let extension = match format {
        Format::Csv(_) => "rejected.csv",
        Format::Ndjson => "rejected.ndjson",
    };
    match input == Path::new("-") {
        false => input.with_extension(extension),
        true => PathBuf::from(extension),
    }
}

/// Makes the file with the rights of the input, whose rows it holds; for rows without a file, for its owner alone. Rights
/// of a file that exists stay.
fn create(path: &Path, input: Option<&Path>) -> std::io::Result<File> {
    let exists = path.exists();
    let file = private_file::replace(path)?;
    let of_input = input
        .and_then(|input| std::fs::metadata(input).ok())
        .filter(std::fs::Metadata::is_file);
    if let Some(of_input) = of_input.filter(|_| !exists) {
        let mode = of_input.permissions().mode() & 0o666;
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(file)
}

impl Sink {
    fn open(path: &Path, input: Option<&Path>, format: &Format) -> std::io::Result<Self> {
        let file = create(path, input)?;
        match format {
            Format::Csv(columns) => {
                let mut writer = csv::Writer::from_writer(file);
                writer.write_record(own(columns).chain([LINE, REASON]))?;
                Ok(Self::Csv(Box::new(writer)))
            }
            Format::Ndjson => Ok(Self::Lines(BufWriter::new(file))),
        }
    }

    fn add(&mut self, format: &Format, row: &Row, reason: &str) -> std::io::Result<()> {
        match (self, format) {
            (Self::Csv(writer), Format::Csv(columns)) => {
                let cell = |name: &str| row.fields.get(name).and_then(|raw| text(raw)).unwrap_or_default();
                let cells = own(columns).map(cell);
                writer.write_record(cells.chain([row.line.to_string(), reason.to_owned()]))?;
                Ok(())
            }
            (Self::Lines(writer), _) => {
                let mut fields = row.fields.clone();
                fields.insert(LINE.to_owned(), to_raw_value(&row.line)?);
                fields.insert(REASON.to_owned(), to_raw_value(reason)?);
                serde_json::to_writer(&mut *writer, &fields)?;
                writer.write_all(b"\n")
            }
            (Self::Csv(_), Format::Ndjson) => unreachable!("the sink was opened for the format"),
        }
    }
}

/// The columns without those of an earlier file of refused rows.
fn own(columns: &[String]) -> impl Iterator<Item = &str> {
    columns
        .iter()
        .map(String::as_str)
        .filter(|name| ![LINE, REASON].contains(name))
}
