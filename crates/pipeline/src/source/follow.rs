//! One read of a source, from something that gives a batch when it is asked.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use opencdc::{Batch, BatchStream, Catalog, Error, ErrorKind, Result, Selection, Until};

/// Gives one batch after the other.
pub(super) trait Reader: Sized + Send + 'static {
    /// The next batch, or none when there is nothing more for now.
    fn next(self) -> impl Future<Output = (Self, Result<Option<Batch>>)> + Send;
}

/// A reader that keeps its thread busy while it reads.
pub(super) trait BlockingReader: Send + 'static {
    /// See [`Reader::next`].
    fn next(&mut self) -> Result<Option<Batch>>;

    /// What ends [`BlockingReader::next`] early, on another thread, when nobody waits for it any more.
    fn interrupter(&self) -> Interrupter {
        Interrupter(None)
    }
}

/// Interrupts something when it is dropped, unless it was disarmed.
pub(super) struct Interrupter(pub(super) Option<Box<dyn FnOnce() + Send>>);

impl Interrupter {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Interrupter {
    fn drop(&mut self) {
        if let Some(interrupt) = self.0.take() {
            interrupt();
        }
    }
}

/// A [`BlockingReader`] on a thread where that is no harm.
pub(super) struct Blocking<R>(pub(super) R);

impl<R: BlockingReader> Reader for Blocking<R> {
    async fn next(self) -> (Self, Result<Option<Batch>>) {
        let Self(mut reader) = self;
        let interrupter = reader.interrupter();
        let read = move || {
            let batch = reader.next();
            (Self(reader), batch)
        };
        let read = tokio::task::spawn_blocking(read).await;
        interrupter.disarm();
        read.expect("reading does not panic")
    }
}

/// The batches of `reader` until it has caught up, or for ever, with a pause of `poll` whenever there is nothing more.
pub(super) fn batches<R: Reader>(reader: R, until: Until, poll: Duration) -> BatchStream {
    let next = move |mut reader: R| async move {
        loop {
            let batch;
            (reader, batch) = reader.next().await;
            match (batch?, until) {
                (Some(batch), _) => return Ok(Some((batch, reader))),
                (None, Until::CaughtUp) => return Ok(None),
                (None, Until::Dropped) => tokio::time::sleep(poll).await,
            }
        }
    };
    stream::try_unfold(reader, next).boxed()
}

/// Refuses a selection of a stream that is not in `catalog`.
pub(super) fn check(selection: &Selection, catalog: &Catalog) -> Result<()> {
    let unknown = |name: &&opencdc::StreamName| catalog.stream(name.as_str()).is_none();
    let mut wanted = selection.streams.iter().map(|stream| &stream.name);
    let Some(name) = wanted.find(unknown) else {
        return Ok(());
    };
    let known: Vec<_> = catalog
        .streams
        .iter()
        .map(|stream| format!("`{}`", stream.name))
        .collect();
    let error = Error::new(ErrorKind::Configuration, format!("there is no stream `{name}`"));
    Err(error.with_hint(format!("the source offers {}", known.join(", "))))
}

/// Which records of a read are wanted.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// All, also of streams that appear later.
    Everything,
    /// Those of these streams.
    Only(Vec<opencdc::StreamName>),
}

impl Wanted {
    pub(super) fn of(selection: &Selection, catalog: &Catalog) -> Self {
        let names: Vec<_> = selection
            .streams
            .iter()
            .map(|stream| stream.name.clone())
            .collect();
        let all = catalog.streams.iter().all(|stream| names.contains(&stream.name));
        if all { Self::Everything } else { Self::Only(names) }
    }

    pub(super) fn has(&self, stream: &opencdc::StreamName) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(names) => names.contains(stream),
        }
    }
}
