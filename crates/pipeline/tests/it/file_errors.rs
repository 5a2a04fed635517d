//! What a person is told when a file cannot be opened or written, and that nothing is lost by it.
//!
//! Tests run as root in some places, where permission bits bind nobody, and a full disk needs a small disk.
//! Such tests run this binary again as a child with a small file system of its own (`unshare`, a `tmpfs`); where
//! mounting is not allowed, a limit on the size of files (`ulimit -f`) stands in for the full disk, and another
//! user's rights for the read-only file system.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use opencdc::memory::{MemorySource, MemoryStore};
use opencdc::{Batch, Destination, Error, ErrorKind, Position, Record, Result, Until};
use pipeline::destination::{NdjsonConfig, NdjsonDestination, SqliteConfig, SqliteDestination};
use pipeline::{Pipeline, RetryOptions, RunOptions, SqliteStore, run};
use rusqlite::Connection;
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

/// Short, because one test waits it out.
const BUSY_TIMEOUT: Duration = Duration::from_millis(200);
const BATCHES: u64 = 40;
/// Forty batches of these are more than the small disk of two megabytes.
const RECORDS_A_BATCH: u64 = 100;

fn source() -> MemorySource {
    let filler = "x".repeat(1_000);
    let record = |id: u64| {
        let key = format!(r#"{{"id":"{id}"}}"#);
        let after = format!(r#"{{"id":"{id}","filler":"{filler}"}}"#);
        Record::snapshot("contacts", key.as_bytes(), after.as_bytes())
    };
    let batch = |n: u64| {
        let ids = (n - 1) * RECORDS_A_BATCH..n * RECORDS_A_BATCH;
        Batch::new(ids.map(record).collect(), Position::new(n.to_string()))
    };
    let text = |name: &str| opencdc::Field::new(name, opencdc::DataType::String, [name]);
    let stream = opencdc::Stream::new("contacts", ["id"], vec![text("id"), text("filler")]);
    let batches = (1..=BATCHES).map(batch).collect();
    MemorySource::with_catalog(opencdc::Catalog::new(vec![stream]), batches)
}

async fn open(kind: &str, dir: &Path) -> Result<Arc<dyn Destination>> {
    Ok(match kind {
        "sqlite" => {
            let mut config = SqliteConfig::new(dir.join("rows.db"));
            config.busy_timeout = BUSY_TIMEOUT;
            Arc::new(SqliteDestination::open(config, "p").await?)
        }
        _ => Arc::new(NdjsonDestination::open(NdjsonConfig::new(dir.join("out")), "p").await?),
    })
}

async fn sync(kind: &str, dir: &Path) -> Result<()> {
    let store = Arc::new(MemoryStore::default());
    let pipeline = Pipeline {
        name: "p".to_owned(),
        source: Arc::new(source()),
        destination: open(kind, dir).await?,
        checkpoints: Arc::clone(&store) as _,
        dead_letters: store,
        selection: None,
        options: RunOptions {
            retry: RetryOptions {
                max_attempts: 1,
                ..RetryOptions::default()
            },
            ..RunOptions::default()
        },
    };
    run(&pipeline, Until::CaughtUp, &(), CancellationToken::new())
        .await
        .map(drop)
}

/// An error as a person reads it.
fn told(error: &Error) -> String {
    format!(
        "{:?}\n{error}\n{}",
        error.kind(),
        error.hint().unwrap_or("no hint")
    )
}

/// What a child does: nothing, unless the parent has said where.
#[tokio::test]
async fn child() {
    let Ok(dir) = std::env::var("SPOKE_FILES_DIR").map(PathBuf::from) else {
        return;
    };
    let kind = std::env::var("SPOKE_FILES_KIND").unwrap();
    let report = match sync(&kind, &dir).await {
        Ok(()) => "done".to_owned(),
        Err(error) => told(&error),
    };
    fs::write(std::env::var("SPOKE_FILES_REPORT").unwrap(), report).unwrap();
}

/// A directory in which the child works, and one for its reports.
struct Stage {
    dir: tempfile::TempDir,
    kind: &'static str,
}

impl Stage {
    fn new(kind: &'static str) -> Self {
        let dir = tempdir().unwrap();
        fs::create_dir(dir.path().join("disk")).unwrap();
        Self { dir, kind }
    }

    /// Runs a shell script; in it `child NAME [COMMAND...]` runs the child, by COMMAND, with its report in
    /// the file `NAME`, and `$DISK` is where it works. Whether it succeeded.
    fn run(&self, wrapper: &[&str], script: &str) -> bool {
        let prelude = "set -e; child() { export SPOKE_FILES_REPORT=\"$REPORTS/$1\"; shift; \
                       \"$@\" \"$BINARY\" --exact file_errors::child; }; ";
        let shell = ["sh", "-c"];
        let mut words = wrapper.iter().chain(&shell);
        let output = Command::new(words.next().unwrap())
            .args(words)
            .arg(format!("{prelude}{script}"))
            .env("BINARY", std::env::current_exe().unwrap())
            .env("REPORTS", self.dir.path())
            .env("DISK", self.disk())
            .env("SPOKE_FILES_DIR", self.disk())
            .env("SPOKE_FILES_KIND", self.kind)
            .output();
        output.is_ok_and(|output| output.status.success())
    }

    fn disk(&self) -> PathBuf {
        self.dir.path().join("disk")
    }

    fn report(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }
}

/// A file system of one's own, as root and as anybody.
const NAMESPACE: [&str; 2] = ["unshare", "-rm"];

fn can_mount() -> bool {
    let stage = Stage::new("sqlite");
    stage.run(&NAMESPACE, "mount -t tmpfs none \"$DISK\"")
}

#[test]
fn a_full_disk_is_told_and_the_next_run_resumes() {
    for kind in ["sqlite", "ndjson"] {
        let stage = Stage::new(kind);
        let ran = if can_mount() {
            let script = "mount -t tmpfs -o size=2m none \"$DISK\"; child full; \
                          mount -o remount,size=64m \"$DISK\"; child freed; cp -r \"$DISK\" \"$REPORTS/copy\"";
            stage.run(&NAMESPACE, script)
        } else {
            let script =
                "(trap '' XFSZ; ulimit -f 2000; child full); child freed; cp -r \"$DISK\" \"$REPORTS/copy\"";
            stage.run(&[], script)
        };
        assert!(ran, "{kind}");
        let full = stage.report("full");
        assert!(
            full.starts_with(
                "Storage\npipeline `p`: gave up after 1 attempts without progress: cannot write"
            ),
            "{full}"
        );
        assert!(
            full.contains("nothing is lost, the next run resumes") || !can_mount(),
            "{full}"
        );
        assert_eq!(stage.report("freed"), "done");
        assert_eq!(
            count(&stage.dir.path().join("copy"), kind),
            BATCHES * RECORDS_A_BATCH
        );
    }
}

/// How many records stand in what the child wrote.
fn count(dir: &Path, kind: &str) -> u64 {
    if kind == "sqlite" {
        let connection = Connection::open(dir.join("rows.db")).unwrap();
        return connection
            .query_row("SELECT count(*) FROM contacts", [], |row| row.get(0))
            .unwrap();
    }
    let text = fs::read_to_string(dir.join("out/contacts.ndjson")).unwrap();
    text.lines().count() as u64
}

#[test]
fn a_read_only_file_is_told() {
    for kind in ["sqlite", "ndjson"] {
        let stage = Stage::new(kind);
        if can_mount() {
            let script =
                "mount -t tmpfs none \"$DISK\"; child first; mount -o remount,ro \"$DISK\"; child second";
            assert!(stage.run(&NAMESPACE, script));
        } else {
            let script = "child first; chmod -R a+rX,a-w \"$DISK\"; chmod 777 \"$REPORTS\"; \
                          [ $(id -u) != 0 ] || as='setpriv --reuid 65534 --regid 65534 --clear-groups'; \
                          child second $as; chmod -R u+w \"$DISK\"";
            assert!(stage.run(&[], script));
        }
        assert_eq!(stage.report("first"), "done");
        let second = stage.report("second");
        assert!(second.starts_with("Storage\n"), "{second}");
        assert!(
            second.to_lowercase().contains("read-only") || !can_mount(),
            "{second}"
        );
        assert!(second.contains("give this user the right to write"), "{second}");
    }
}

#[tokio::test]
async fn a_locked_file_is_told_and_written_once_it_is_free() {
    let dir = tempdir().unwrap();
    let destination = open("sqlite", dir.path()).await.unwrap();
    let other = Connection::open(dir.path().join("rows.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = destination
        .prepare(&opencdc::Catalog::default())
        .await
        .unwrap_err();
    let expected = format!(
        "Storage\ncannot prepare the tables of `{}`: another program is writing to it\n\
         end the other program, or raise `busy_timeout`",
        dir.path().join("rows.db").display()
    );
    assert_eq!(told(&error), expected);
    other.execute_batch("ROLLBACK").unwrap();
    destination.prepare(&opencdc::Catalog::default()).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_and_left_alone() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("rows.db");
    fs::write(&path, "name,email\nAda,ada@example.com\n".repeat(100)).unwrap();
    let before = fs::read(&path).unwrap();
    let error = open("sqlite", dir.path()).await.unwrap_err();
    let expected = format!(
        "Incompatible\ncannot open `{}`: it is not an SQLite database\nchoose another `path`, or move the file away",
        path.display()
    );
    assert_eq!(told(&error), expected);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_missing_directory_is_told() {
    let dir = tempdir().unwrap();
    let missing = dir.path().join("missing");
    let error = open("sqlite", &missing).await.unwrap_err();
    let expected = format!(
        "Configuration\ncannot open `{}`: there is no directory `{}`\nmake the directory, or correct `path`",
        missing.join("rows.db").display(),
        missing.display()
    );
    assert_eq!(told(&error), expected);
    let error = open("sqlite", &dir.path().join("rows.db")).await.map(drop);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn a_directory_in_place_of_the_file_is_told() {
    let dir = tempdir().unwrap();
    fs::create_dir(dir.path().join("rows.db")).unwrap();
    let error = open("sqlite", dir.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.hint().unwrap().contains("check that it is a file"));
}

#[tokio::test]
async fn a_file_of_a_newer_version_or_of_another_purpose_is_told() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("rows.db");
    drop(open("sqlite", dir.path()).await.unwrap());
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 7)
        .unwrap();
    let newer = open("sqlite", dir.path()).await.unwrap_err();
    let expected = format!(
        "Incompatible\n`{}` has version 7, and this program knows a file that Spoke writes rows to up to version 2\n\
         it was made by a newer version of Spoke: use that version, or another `path`",
        path.display()
    );
    assert_eq!(told(&newer), expected);

    let other = dir.path().join("other");
    fs::create_dir(&other).unwrap();
    drop(SqliteStore::open(other.join("rows.db")).await.unwrap());
    let state = open("sqlite", &other).await.unwrap_err();
    let expected = format!(
        "`{}` is not a file that Spoke writes rows to",
        other.join("rows.db").display()
    );
    assert_eq!(
        (state.kind(), state.to_string()),
        (ErrorKind::Incompatible, expected)
    );
}
