//! From a pipe to batches that are kept until they are acknowledged.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use opencdc::{Batch, Catalog, Error, ErrorKind, Operation, Position, Record, Result, StreamName};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::StdinConfig;
use crate::source::lines::{BadLines, Content, Decoder, FULL, Piece, Problem, Records};
use crate::source::status::Status;

/// How long a batch waits for more rows: what a person types or a program logs should not wait for a thousand more.
const LINGER: Duration = Duration::from_millis(200);
/// So many rows are taken from the pipe before they are asked for.
const AHEAD: usize = 256;

/// The pipe, and what was taken from it.
pub(super) struct Pump {
    pieces: mpsc::Receiver<io::Result<Piece>>,
    stream: StreamName,
    bad_lines: BadLines,
    batch_size: usize,
    records: Records,
    status: Status,
    /// Lines that were read.
    line: u64,
    /// Gathered for the next batch. Not in a local variable, so that a read that is dropped loses nothing.
    gathered: Vec<Record>,
    /// Their length.
    bytes: usize,
    /// Batches that may be asked for again, each with the last line that it covers.
    kept: VecDeque<(u64, Batch)>,
    failure: Option<Error>,
    begun: bool,
    ended: bool,
}

impl Pump {
    /// The pipe is read by a thread of its own, which a program that ends does not wait for.
    pub(super) fn start(config: &StdinConfig, input: Box<dyn Read + Send>, status: Status) -> Result<Self> {
        config.validate()?;
        let format = config.format()?;
        let (send, pieces) = mpsc::channel(AHEAD);
        let decoder = format.decoder();
        let decode = move || decode(decoder, input, &send);
        std::thread::Builder::new()
            .name("spoke-stdin".to_owned())
            .spawn(decode)
            .map_err(|error| {
                Error::new(ErrorKind::Internal, "cannot start a reading thread").with_source(error)
            })?;
        let stream = config.stream();
        let mut records = Records::new(format, config.key.names());
        records.expect(&stream);
        Ok(Self {
            pieces,
            stream,
            bad_lines: config.bad_lines,
            batch_size: config.batch_size,
            records,
            status,
            line: 0,
            gathered: Vec::new(),
            bytes: 0,
            kept: VecDeque::new(),
            failure: None,
            begun: false,
            ended: false,
        })
    }

    /// What the rows so far show; waits for the first ones.
    pub(super) async fn catalog(&mut self) -> Result<Catalog> {
        if !self.begun && !self.ended {
            self.fill().await?;
        }
        if !self.begun {
            // All of it is in the catalog, so nothing of it is news.
            self.records.schemas().news();
            for (_, batch) in &mut self.kept {
                batch.catalog = None;
            }
            self.begun = true;
        }
        Ok(self.records.schemas().catalog())
    }

    /// The first batch behind `line`, with its last line; none at the end of the pipe.
    pub(super) async fn batch_after(&mut self, line: u64) -> Result<Option<(u64, Batch)>> {
        loop {
            if let Some((line, batch)) = self.kept.iter().find(|(last, _)| *last > line) {
                return Ok(Some((*line, batch.clone())));
            }
            if self.ended {
                return self.failure.take().map_or(Ok(None), Err);
            }
            self.fill().await?;
        }
    }

    pub(super) fn forget_until(&mut self, line: u64) {
        self.kept.retain(|(last, _)| *last > line);
    }

    /// Takes one batch from the pipe. May be dropped at any moment.
    async fn fill(&mut self) -> Result<()> {
        while self.gathered.len() < self.batch_size && self.bytes < FULL {
            let piece = match self.gathered.is_empty() {
                true => self.pieces.recv().await,
                false => match timeout(LINGER, self.pieces.recv()).await {
                    Ok(piece) => piece,
                    Err(_) => break,
                },
            };
            let Some(piece) = piece else {
                self.ended = true;
                break;
            };
            if let Err(error) = self.take(piece) {
                // Told behind the rows that were good.
                (self.ended, self.failure) = (true, Some(error));
                break;
            }
        }
        self.keep();
        match self.kept.is_empty() {
            true => self.failure.take().map_or(Ok(()), Err),
            false => Ok(()),
        }
    }

    fn take(&mut self, piece: io::Result<Piece>) -> Result<()> {
        let piece = piece.map_err(|error| {
            Error::new(ErrorKind::Storage, "cannot read the standard input").with_source(error)
        })?;
        let place = format!("standard input line {}", self.line + 1);
        // A last line without an end is one too, and gives the batch that ends with it a place of its own.
        self.line += piece.lines.max(1);
        let problem = match piece.content {
            Content::Nothing => return Ok(()),
            Content::Bad(problem) => problem,
            Content::Row(row) => match self.records.record(&row, &self.stream, Operation::Snapshot) {
                Ok(record) => {
                    self.bytes += row.len();
                    self.gathered.push(record);
                    return Ok(());
                }
                Err(problem) => problem,
            },
        };
        self.skip(problem, &place)
    }

    fn skip(&mut self, problem: Problem, place: &str) -> Result<()> {
        let message = self.bad_lines.judge(problem, place)?;
        self.status.skipped(&self.stream, &message);
        Ok(())
    }

    fn keep(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        self.bytes = 0;
        let records = std::mem::take(&mut self.gathered);
        self.status.read(&records, &format!("line {}", self.line));
        // Whoever hands it out knows how to write its position.
        let mut batch = Batch::new(records, Position::new(""));
        batch.catalog = self.records.schemas().news().map(Arc::new);
        self.kept.push_back((self.line, batch));
    }
}

/// Reads until the end, or until nobody listens any more.
fn decode(
    mut decoder: Box<dyn Decoder>,
    input: Box<dyn Read + Send>,
    send: &mpsc::Sender<io::Result<Piece>>,
) {
    let mut input = BufReader::with_capacity(64 << 10, input);
    while let Some(piece) = decoder.next(&mut input).transpose() {
        let last = piece.as_ref().map_or(true, |piece| !piece.ended);
        if send.blocking_send(piece).is_err() || last {
            return;
        }
    }
}
