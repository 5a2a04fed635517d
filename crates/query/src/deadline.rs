//! An end to what SQLite works out: a join without a condition can take longer than anybody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rusqlite::InterruptHandle;

/// Interrupts SQLite when the time is over, unless it is dropped before.
pub(crate) struct Deadline {
    over: Arc<AtomicBool>,
    _stays: Sender<()>,
}

impl Deadline {
    pub(crate) fn new(after: Duration, handle: InterruptHandle) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (stays, gone) = channel();
        let flag = Arc::clone(&over);
        std::thread::spawn(move || {
            if gone.recv_timeout(after) == Err(RecvTimeoutError::Timeout) {
                flag.store(true, Ordering::Relaxed);
                handle.interrupt();
            }
        });
        Self { over, _stays: stays }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
