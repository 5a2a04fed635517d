//! Rows that are piped in.

mod config;
mod pump;

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use opencdc::{
    BatchStream, Catalog, Error, ErrorKind, Position, Result, Resume, Selection, Source, StreamStatus,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

pub use config::{StdinConfig, StdinFormat};

use super::follow::{self, Wanted};
use super::status::Status;
use pump::Pump;

const VERSION: u32 = 1;

/// Reads rows from a pipe, once.
///
/// What was read stays in memory until it is acknowledged, so that a run that starts again within the process loses
/// nothing. Another process starts from where its own standard input stands: nobody can read a pipe twice.
pub struct StdinSource {
    /// Tells the positions of this process from those of another.
    started: Timestamp,
    pump: Arc<Mutex<Pump>>,
    status: Status,
}

impl fmt::Debug for StdinSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdinSource")
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

/// How many lines were read.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    version: u32,
    source: String,
    started: Timestamp,
    line: u64,
}

impl StdinSource {
    /// The rows of this process's standard input.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the settings contradict each other.
    pub fn new(config: &StdinConfig) -> Result<Self> {
        Self::of(config, std::io::stdin())
    }

    /// The rows of another input.
    ///
    /// # Errors
    /// See [`StdinSource::new`].
    pub fn of(config: &StdinConfig, input: impl Read + Send + 'static) -> Result<Self> {
        let status = Status::default();
        Ok(Self {
            started: Timestamp::now(),
            pump: Arc::new(Mutex::new(Pump::start(config, Box::new(input), status.clone())?)),
            status,
        })
    }

    /// Up to which line `position` says that everything was handled; another process's positions say nothing about
    /// the lines of this one.
    fn line_of(&self, position: &Position) -> Result<u64> {
        let place = serde_json::from_slice::<Place>(position.as_bytes());
        match place {
            Ok(place) if place.version == VERSION && place.source == "stdin" => {
                Ok(if place.started == self.started {
                    place.line
                } else {
                    0
                })
            }
            _ => Err(Error::new(
                ErrorKind::Incompatible,
                "the position is none of the source `stdin`'s",
            )
            .with_hint("reset the pipeline")),
        }
    }
}

fn position(started: Timestamp, line: u64) -> Position {
    let place = Place {
        version: VERSION,
        source: "stdin".to_owned(),
        started,
        line,
    };
    Position::new(serde_json::to_vec(&place).expect("a place is always serialisable"))
}

#[async_trait]
impl Source for StdinSource {
    /// Waits for the first rows.
    async fn catalog(&self) -> Result<Catalog> {
        self.pump.lock().await.catalog().await
    }

    async fn read(&self, selection: Selection, from: Option<Resume>) -> Result<BatchStream> {
        let line = from.map_or(Ok(0), |from| self.line_of(&from.position))?;
        let catalog = self.pump.lock().await.catalog().await?;
        follow::check(&selection, &catalog)?;
        let wanted = Arc::new(Wanted::of(&selection, &catalog));
        let (pump, started) = (Arc::clone(&self.pump), self.started);
        let next = move |line| {
            let (pump, wanted) = (Arc::clone(&pump), Arc::clone(&wanted));
            async move {
                let Some((line, mut batch)) = pump.lock().await.batch_after(line).await? else {
                    return Ok(None);
                };
                batch.records.retain(|record| wanted.has(&record.stream));
                batch.position = position(started, line);
                Ok(Some((batch, line)))
            }
        };
        Ok(stream::try_unfold(line, next).boxed())
    }

    async fn ack(&self, position: &Position) -> Result<()> {
        let line = self.line_of(position)?;
        self.pump.lock().await.forget_until(line);
        Ok(())
    }

    fn status(&self) -> Vec<StreamStatus> {
        self.status.all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Released shapes stay readable (invariant 2).
    #[test]
    fn a_position_of_another_process_is_a_start() {
        let config = StdinConfig::new(StdinFormat::Ndjson, ["id"]);
        let source = StdinSource::of(&config, std::io::empty()).unwrap();
        let other = r#"{"version":1,"source":"stdin","started":"2026-01-02T03:04:05Z","line":7}"#;
        assert_eq!(source.line_of(&Position::new(other)).unwrap(), 0);
        assert_eq!(source.line_of(&position(source.started, 7)).unwrap(), 7);
    }
}
