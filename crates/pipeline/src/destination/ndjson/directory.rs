//! The directory: lines appended to files, then the sidecar that makes them count.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use opencdc::{
    Batch, Catalog, Checkpoint, Error, ErrorKind, Notes, Operation, Outcome, Record, Result, StreamName,
};
use xxhash_rust::xxh3::xxh3_64;

use super::config::{LineFormat, NdjsonConfig};
use super::sidecar::{Lengths, NAME, Sidecar, storage, sync_directory};
use crate::destination::serial::Place;
use crate::failpoint::failpoint;
use crate::private_file;

#[derive(Debug)]
pub(super) struct Directory {
    dir: PathBuf,
    format: LineFormat,
    sidecar: Sidecar,
    /// The open files; as many as there are streams with records.
    open: BTreeMap<String, Open>,
    /// Lengths after each batch that was written and has no stored checkpoint: few, because the run loop saves
    /// soon after a refused record.
    marks: BTreeMap<u64, Lengths>,
}

#[derive(Debug)]
struct Open {
    file: File,
    length: u64,
    /// Written to since the last `fsync`.
    dirty: bool,
}

/// The files of the streams, and what a line holds.
#[derive(Debug)]
pub(super) struct Plan {
    format: LineFormat,
    files: HashMap<StreamName, String>,
}

/// The lines of a batch, and what becomes of each record.
#[derive(Debug)]
pub(super) struct Lines {
    by_file: BTreeMap<String, Vec<u8>>,
    outcomes: Vec<Outcome>,
}

impl Directory {
    pub(super) fn open(config: NdjsonConfig, pipeline: &str) -> Result<Self> {
        let dir = config.dir;
        fs::create_dir_all(&dir).map_err(|error| storage("cannot make the directory", &dir, error))?;
        let sidecar = Sidecar::read(&dir)?;
        if let Some(other) = sidecar.as_ref().filter(|sidecar| sidecar.pipeline != pipeline) {
            let message = format!("`{}` belongs to pipeline `{}`", dir.display(), other.pipeline);
            return Err(Error::new(ErrorKind::Incompatible, message).with_hint("choose another `dir`"));
        }
        let sidecar = match sidecar {
            Some(sidecar) => sidecar,
            None => begin(&dir, pipeline)?,
        };
        Ok(Self {
            dir,
            format: config.format,
            sidecar,
            open: BTreeMap::new(),
            marks: BTreeMap::new(),
        })
    }

    /// Cuts off what no checkpoint covers. A file that the checkpoint does not name was made after it.
    fn cut(&mut self, files: &HashSet<&String>) -> Result<()> {
        self.open.clear();
        self.marks.clear();
        for name in files {
            let path = self.dir.join(name);
            let length = self.sidecar.files.get(*name).copied().unwrap_or(0);
            let cut = || -> io::Result<()> {
                let file = match OpenOptions::new().write(true).open(&path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound && length == 0 => return Ok(()),
                    file => file?,
                };
                if file.metadata()?.len() < length {
                    return Err(io::Error::other("it is shorter than the checkpoint says"));
                }
                file.set_len(length)?;
                file.sync_all()
            };
            cut().map_err(|error| storage("cannot resume", &path, error))?;
        }
        Ok(())
    }

    /// The file to append to; its name in the directory is made durable before anything counts on it.
    fn file(&mut self, name: &str) -> Result<&mut Open> {
        if !self.open.contains_key(name) {
            let path = self.dir.join(name);
            let open = || -> io::Result<Open> {
                let file = OpenOptions::new()
                    .append(true)
                    .create(true)
                    .mode(private_file::MODE)
                    .open(&path)?;
                sync_directory(&self.dir)?;
                let length = file.metadata()?.len();
                Ok(Open {
                    file,
                    length,
                    dirty: false,
                })
            };
            let open = open().map_err(|error| storage("cannot open", &path, error))?;
            self.open.insert(name.to_owned(), open);
        }
        Ok(self.open.get_mut(name).expect("it was inserted above"))
    }

    fn lengths(&self) -> Lengths {
        let mut lengths = self.sidecar.files.clone();
        lengths.extend(self.open.iter().map(|(name, open)| (name.clone(), open.length)));
        lengths
    }

    fn sync(&mut self) -> Result<()> {
        for (name, open) in self.open.iter_mut().filter(|(_, open)| open.dirty) {
            let path = self.dir.join(name);
            open.file
                .sync_data()
                .map_err(|error| storage("cannot write", &path, error))?;
            open.dirty = false;
        }
        Ok(())
    }

    /// Writes the sidecar of `checkpoint` with the lengths that the files had after its batch.
    fn store(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let stored = self.sidecar.checkpoint();
        if !checkpoint.replaces(&self.sidecar.pipeline, stored.as_ref())? {
            return Ok(());
        }
        let notes = self.sidecar.notes.with(&self.dir, &checkpoint.notes)?;
        failpoint!("ndjson.before_rename");
        let mark = self.marks.get(&checkpoint.sequence).cloned();
        let lengths = mark.unwrap_or_else(|| self.sidecar.files.clone());
        self.replace(self.sidecar.clone().at(Some(checkpoint), lengths, notes))?;
        self.marks.retain(|sequence, _| *sequence > checkpoint.sequence);
        Ok(())
    }

    fn replace(&mut self, next: Sidecar) -> Result<()> {
        next.write(&self.dir)?;
        failpoint!("ndjson.after_rename");
        if !next.notes.continues(self.sidecar.notes) {
            next.notes.remove_others(&self.dir);
        }
        self.sidecar = next;
        Ok(())
    }

    fn check_pipeline(&self, pipeline: &str) -> Result<()> {
        if pipeline == self.sidecar.pipeline {
            return Ok(());
        }
        let message = format!(
            "`{}` keeps the checkpoint of pipeline `{}`, not of `{pipeline}`",
            self.dir.display(),
            self.sidecar.pipeline
        );
        Err(Error::new(ErrorKind::Internal, message))
    }
}

/// Marks a directory as ours before the first line is written, so that what is found there later was written
/// by us and may be cut off.
fn begin(dir: &std::path::Path, pipeline: &str) -> Result<Sidecar> {
    let listed = fs::read_dir(dir).map_err(|error| storage("cannot read", dir, error))?;
    let mut names = listed.flatten().map(|entry| entry.file_name());
    let foreign = names.find(|name| name.to_string_lossy().ends_with(".ndjson"));
    if let Some(name) = foreign {
        let path = dir.join(name);
        let message = format!(
            "`{}` is there already, and Spoke did not write it",
            path.display()
        );
        let hint = format!("choose an empty `dir`; one of Spoke's holds `{NAME}`");
        return Err(Error::new(ErrorKind::Incompatible, message).with_hint(hint));
    }
    let sidecar = Sidecar::new(pipeline);
    sidecar.write(dir)?;
    Ok(sidecar)
}

impl Place for Directory {
    type Plan = Plan;
    type Rows = Lines;

    fn prepare(&mut self, catalog: &Catalog) -> Result<Plan> {
        let named = catalog
            .streams
            .iter()
            .map(|stream| (stream.name.clone(), file_name(&stream.name)));
        let files: HashMap<_, _> = named.collect();
        // Not at opening: who only looks must not remove what a run has begun to write.
        self.sidecar.notes.remove_others(&self.dir);
        let known = self.sidecar.files.clone();
        self.cut(&files.values().chain(known.keys()).collect())?;
        Ok(Plan {
            format: self.format,
            files,
        })
    }

    fn convert(plan: &Plan, batch: &Batch) -> Result<Lines> {
        let mut lines = Lines {
            by_file: BTreeMap::new(),
            outcomes: Vec::with_capacity(batch.records.len()),
        };
        for record in &batch.records {
            let name = plan.files.get(&record.stream).ok_or_else(|| {
                let message = format!(
                    "stream `{}` of a record is not in the prepared catalog",
                    record.stream
                );
                Error::new(ErrorKind::Internal, message)
            })?;
            if !lines.by_file.contains_key(name) {
                lines.by_file.insert(name.clone(), Vec::new());
            }
            let file = lines.by_file.get_mut(name).expect("it was inserted above");
            lines.outcomes.push(append_line(file, plan.format, record));
        }
        Ok(lines)
    }

    fn begin(&mut self) -> Result<()> {
        Ok(())
    }

    fn write(&mut self, _plan: &Plan, lines: Lines, sequence: u64) -> Result<Vec<Outcome>> {
        for (name, bytes) in &lines.by_file {
            let path = self.dir.join(name);
            let open = self.file(name)?;
            open.file
                .write_all(bytes)
                .map_err(|error| storage("cannot write", &path, error))?;
            open.length += bytes.len() as u64;
            open.dirty = true;
        }
        self.marks.insert(sequence, self.lengths());
        Ok(lines.outcomes)
    }

    fn commit(&mut self, checkpoint: Option<&Checkpoint>) -> Result<()> {
        self.sync()?;
        failpoint!("ndjson.before_notes");
        checkpoint.map_or(Ok(()), |checkpoint| self.store(checkpoint))
    }

    /// The files are cut by the next `prepare`, without which nothing is written.
    fn roll_back(&mut self) {
        self.open.clear();
        self.marks.clear();
    }

    fn load(&mut self, pipeline: &str) -> Result<Option<Checkpoint>> {
        self.check_pipeline(pipeline)?;
        Ok(self.sidecar.checkpoint())
    }

    fn notes(&mut self, pipeline: &str) -> Result<Notes> {
        self.check_pipeline(pipeline)?;
        self.sidecar.notes.read(&self.dir)
    }

    fn save(&mut self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
        self.check_pipeline(pipeline)?;
        self.store(checkpoint)
    }

    /// The lines stay: the next run appends the same records behind them.
    fn reset(&mut self, pipeline: &str) -> Result<()> {
        self.check_pipeline(pipeline)?;
        let (files, notes) = (self.sidecar.files.clone(), self.sidecar.notes.emptied());
        self.replace(self.sidecar.clone().at(None, files, notes))
    }

    fn close(&mut self) -> Result<()> {
        self.open.clear();
        Ok(())
    }
}

/// Appends the line of `record`; nothing when the format has none for it, or when it is refused.
fn append_line(file: &mut Vec<u8>, format: LineFormat, record: &Record) -> Outcome {
    let start = file.len();
    let written = match (format, &record.payload.after) {
        (LineFormat::Record, _) => serde_json::to_writer(&mut *file, record),
        (LineFormat::Payload, None) => return Outcome::Written,
        (LineFormat::Payload, Some(_)) if record.operation == Operation::Delete => return Outcome::Written,
        (LineFormat::Payload, Some(after)) => serde_json::to_writer(&mut *file, after),
    };
    match written {
        Ok(()) => {
            one_line(file, start);
            Outcome::Written
        }
        Err(error) => {
            file.truncate(start);
            Outcome::rejected(format!("the record is not well-formed JSON: {error}"))
        }
    }
}

/// Raw JSON may hold line breaks between its values; within texts they are always escaped.
fn one_line(file: &mut Vec<u8>, start: usize) {
    for byte in &mut file[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    file.push(b'\n');
}

/// The file of a stream. Whatever is no letter, digit, `_`, `-` or inner `.` is written as `%XX`, so that no
/// name leaves the directory and no two names meet. A name that no file system takes ends in a digest of all of it.
fn file_name(stream: &StreamName) -> String {
    /// File systems take 255 bytes, and files are made under a longer name first.
    const MOST: usize = 200;
    let mut name = String::new();
    for (at, byte) in stream.as_str().bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => name.push(char::from(byte)),
            b'.' if at > 0 => name.push('.'),
            _ => {
                let _ = write!(name, "%{byte:02X}");
            }
        }
    }
    if name.len() > MOST {
        name.truncate(MOST - 17);
        let _ = write!(name, "~{:016x}", xxh3_64(stream.as_str().as_bytes()));
    }
    name + ".ndjson"
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use opencdc::Data;

    #[test]
    fn file_names_stay_in_the_directory() {
        let names = ["contacts", "2-17", "../x", "a/b", "crm.contacts", "Ü"];
        let files: Vec<_> = names
            .iter()
            .map(|name| file_name(&StreamName::from(*name)))
            .collect();
        let expected = [
            "contacts.ndjson",
            "2-17.ndjson",
            "%2E.%2Fx.ndjson",
            "a%2Fb.ndjson",
            "crm.contacts.ndjson",
            "%C3%9C.ndjson",
        ];
        assert_eq!(files, expected);
    }

    #[test]
    fn a_name_that_is_too_long_for_a_file_is_cut_and_still_its_own() {
        let name = |last: &str| file_name(&StreamName::from("Ü".repeat(40) + last));
        let (a, b) = (name("a"), name("b"));
        assert_eq!((a.len(), b.len()), (207, 207), "{a}");
        assert_ne!(a, b);
        assert_eq!(a[..183], b[..183]);
        let longest = "x".repeat(200);
        assert_eq!(
            file_name(&StreamName::from(&*longest)),
            format!("{longest}.ndjson")
        );
    }

    #[test]
    fn a_payload_with_line_breaks_is_one_line() {
        let record = Record::snapshot("contacts", br#"{"id":"1"}"#, b"{\n \"id\": \"1\\n\"\r\n}");
        let mut file = Vec::new();
        assert_eq!(
            append_line(&mut file, LineFormat::Payload, &record),
            Outcome::Written
        );
        assert_eq!(String::from_utf8(file).unwrap(), "{  \"id\": \"1\\n\"  }\n");
    }

    #[test]
    fn what_is_no_json_is_refused_and_leaves_no_trace() {
        let mut record = Record::snapshot("contacts", br#"{"id":"1"}"#, b"{");
        let mut file = b"before\n".to_vec();
        for format in [LineFormat::Record, LineFormat::Payload] {
            assert!(matches!(
                append_line(&mut file, format, &record),
                Outcome::Rejected(_)
            ));
        }
        record.payload.after = Some(Data::Raw(Bytes::from_static(b"\xff")));
        assert!(matches!(
            append_line(&mut file, LineFormat::Record, &record),
            Outcome::Rejected(_)
        ));
        assert_eq!(file, b"before\n");
    }
}
