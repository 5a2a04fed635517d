//! One connection, one thread, and one transaction for all the work that waits: a hundred webhooks that arrive
//! together cost one `fsync`.

use std::path::PathBuf;
use std::thread;

use opencdc::{Error, ErrorKind, Result};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::sqlite_file::explain;

/// More waiting callers than this wait outside, which bounds the memory.
const QUEUE: usize = 256;

/// Does some work in the open transaction, and gives back how to answer once the transaction has ended.
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), &Failure>) + Send>;

/// Why a transaction did not commit, as every caller in it is told.
#[derive(Debug)]
struct Failure {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Queue {
    path: PathBuf,
    jobs: mpsc::Sender<Job>,
}

impl Queue {
    /// Starts the thread that owns `connection`; it ends with the last handle.
    pub(super) fn start(path: PathBuf, connection: Connection) -> Result<Self> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let thread_path = path.clone();
        let serve = move || serve(&thread_path, &connection, waiting);
        thread::Builder::new()
            .name("spoke-store".to_owned())
            .spawn(serve)
            .map_err(|error| {
                Error::new(ErrorKind::Storage, "cannot start the store's thread").with_source(error)
            })?;
        Ok(Self { path, jobs })
    }

    /// Does `work` and answers when it is on disk.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let path = self.path.clone();
        let job: Job = Box::new(move |connection| {
            let done = in_savepoint(connection, work);
            let done = done.unwrap_or_else(|error| Err(explain(&path, doing, error)));
            Box::new(move |committed| {
                let done = match committed {
                    Ok(()) => done,
                    Err(failure) => done.and_then(|_| Err(failure.error())),
                };
                // Nobody waits any more when the caller was dropped.
                drop(reply.send(done));
            })
        });
        let gone = || Error::new(ErrorKind::Internal, "the store's thread has ended");
        self.jobs.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Failure {
    fn of(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            message: error.to_string(),
            hint: error.hint().map(ToOwned::to_owned),
        }
    }

    fn error(&self) -> Error {
        let error = Error::new(self.kind, self.message.clone());
        match &self.hint {
            Some(hint) => error.with_hint(hint.clone()),
            None => error,
        }
    }
}

fn serve(path: &std::path::Path, connection: &Connection, mut waiting: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(QUEUE);
    while waiting.blocking_recv_many(&mut jobs, QUEUE) > 0 {
        let mut answers = Vec::with_capacity(jobs.len());
        let committed = transact(connection, jobs.drain(..), &mut answers)
            .map_err(|error| Failure::of(&explain(path, "cannot write", error)));
        for answer in answers {
            answer(committed.as_ref().copied());
        }
        jobs.clear();
    }
}

fn transact(
    connection: &Connection,
    jobs: impl Iterator<Item = Job>,
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    // Without a transaction the jobs fail one by one, each with an error that its caller understands.
    answers.extend(jobs.map(|job| job(connection)));
    begun?;
    connection.execute_batch("COMMIT").inspect_err(|_| {
        // SQLite may have rolled back by itself already; then this says so, and all is well.
        drop(connection.execute_batch("ROLLBACK"));
    })
}

/// Does `work`, and undoes it alone when it fails.
fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<Result<T>>,
) -> rusqlite::Result<Result<T>> {
    connection.execute_batch("SAVEPOINT job")?;
    let done = work(connection);
    if !matches!(done, Ok(Ok(_))) {
        connection.execute_batch("ROLLBACK TO job")?;
    }
    connection.execute_batch("RELEASE job")?;
    done
}
