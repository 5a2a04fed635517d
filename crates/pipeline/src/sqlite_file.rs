//! Opening an SQLite file of ours, and saying what is wrong with it.
//!
//! Every file of ours carries an `application_id`, so that one of another program (or of another purpose) is
//! never written to by mistake, and a `user_version`, so that a file of a newer version is refused instead of
//! misread (invariant 2).

use std::path::Path;
use std::time::Duration;

use opencdc::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::private_file;

/// What a file is for.
#[derive(Debug)]
pub(crate) struct FileKind {
    /// Marks the file, see `PRAGMA application_id`.
    pub(crate) application_id: i32,
    /// For messages: `a state file of Spoke`.
    pub(crate) what: &'static str,
    /// SQL that leads from version 0 to 1, from 1 to 2, and so on. Released entries never change.
    pub(crate) migrations: &'static [&'static str],
    /// Bytes a page of a new file.
    pub(crate) page_size: u32,
}

/// Opens `path`, makes it when it is not there, and brings its schema up to date.
///
/// The journal is a write-ahead log, so that others can read while we write, and `synchronous` is `FULL`: with
/// `NORMAL` a committed transaction may be gone after a power cut (promise 1 of [`opencdc::Destination`]).
pub(crate) fn open(path: &Path, kind: &FileKind, busy_timeout: Duration) -> Result<Connection> {
    let explain = |error| explain(path, "cannot open", error);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    private_file::create(path);
    let mut connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    connection.busy_timeout(busy_timeout).map_err(explain)?;
    // The first read is where a file that is no database shows itself.
    let version = check_owner(&connection, path, kind)?;
    if connection.is_readonly("main").map_err(explain)? {
        return Err(read_only(path, "cannot open"));
    }
    configure(&connection, kind).map_err(explain)?;
    if version < kind.migrations.len() {
        migrate(&mut connection, kind).map_err(explain)?;
    }
    Ok(connection)
}

/// Opens `path` for reading alone, while others may write.
pub(crate) fn open_read_only(path: &Path, kind: &FileKind, busy_timeout: Duration) -> Result<Connection> {
    let explain = |error| explain(path, "cannot open", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    connection.busy_timeout(busy_timeout).map_err(explain)?;
    check_owner(&connection, path, kind)?;
    Ok(connection)
}

/// The file's schema version, after making sure that the file is ours or new.
fn check_owner(connection: &Connection, path: &Path, kind: &FileKind) -> Result<usize> {
    let pragma = |name: &str| -> Result<i32> {
        let value = connection.pragma_query_value(None, name, |row| row.get(0));
        value.map_err(|error| explain(path, "cannot open", error))
    };
    let (owner, version) = (pragma("application_id")?, pragma("user_version")?);
    if owner != kind.application_id && (owner, version) != (0, 0) {
        return Err(incompatible(path, &format!("is not {}", kind.what))
            .with_hint("choose another `path`, or move the file away"));
    }
    match usize::try_from(version) {
        Ok(version) if version <= kind.migrations.len() => Ok(version),
        _ => Err(incompatible(
            path,
            &format!(
                "has version {version}, and this program knows {} up to version {}",
                kind.what,
                kind.migrations.len()
            ),
        )
        .with_hint("it was made by a newer version of Spoke: use that version, or another `path`")),
    }
}

fn configure(connection: &Connection, kind: &FileKind) -> rusqlite::Result<()> {
    // Without effect on a file that has pages already.
    connection.pragma_update(None, "page_size", kind.page_size)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted or replaced is overwritten with zeros: it may have been erased for privacy.
    connection.pragma_update(None, "secure_delete", true)
}

/// Brings the schema up to date in one transaction. The version is read again inside it: another process may
/// have opened the new file at the same time.
fn migrate(connection: &mut Connection, kind: &FileKind) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for migration in kind.migrations.iter().skip(version) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", kind.application_id)?;
    transaction.pragma_update(None, "user_version", kind.migrations.len())?;
    transaction.commit()
}

/// Says what SQLite's error means for the person whose file it is, and what to do.
pub(crate) fn explain(path: &Path, doing: &str, error: rusqlite::Error) -> Error {
    let told = |kind, what: &str, hint: &str| {
        let message = format!("{doing} `{}`: {what}", path.display());
        Error::new(kind, message).with_hint(hint.to_owned())
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => told(
            ErrorKind::Storage,
            "another program is writing to it",
            "end the other program, or raise `busy_timeout`",
        ),
        Some(ErrorCode::ReadOnly) => read_only(path, doing).with_source(error),
        Some(ErrorCode::DiskFull) => told(
            ErrorKind::Storage,
            "the disk is full",
            "free some space; nothing is lost, the next run resumes from the last checkpoint",
        ),
        Some(ErrorCode::NotADatabase) => told(
            ErrorKind::Incompatible,
            "it is not an SQLite database",
            "choose another `path`, or move the file away",
        ),
        Some(ErrorCode::DatabaseCorrupt) => told(
            ErrorKind::Incompatible,
            "the file is damaged",
            "move it away and run again from nothing, or restore it from a copy",
        ),
        Some(ErrorCode::CannotOpen) => cannot_open(path, doing).with_source(error),
        Some(ErrorCode::SystemIoFailure | ErrorCode::PermissionDenied) => told(
            ErrorKind::Storage,
            &format!("the system refused: {error}"),
            "check the disk and the rights to the file and its directory; the next run resumes",
        ),
        _ => Error::new(
            ErrorKind::Internal,
            format!("{doing} `{}`: {error}", path.display()),
        ),
    }
}

fn cannot_open(path: &Path, doing: &str) -> Error {
    if private_file::are_too_many_open() {
        let message = format!("{doing} `{}`: too many open files", path.display());
        return Error::new(ErrorKind::Storage, message).with_hint(private_file::OPEN_FILES_HINT);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    match parent.filter(|parent| !parent.is_dir()) {
        Some(parent) => Error::new(
            ErrorKind::Configuration,
            format!(
                "{doing} `{}`: there is no directory `{}`",
                path.display(),
                parent.display()
            ),
        )
        .with_hint("make the directory, or correct `path`"),
        None if is_write_protected(path) => read_only(path, doing),
        None => Error::new(ErrorKind::Storage, format!("{doing} `{}`", path.display()))
            .with_hint("check that it is a file, and the rights to it and to its directory"),
    }
}

/// SQLite says no more than "cannot open" of a database in WAL mode that it may not write; the system knows why.
fn is_write_protected(path: &Path) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};

    let opened = std::fs::OpenOptions::new().append(true).open(path);
    opened.is_err_and(|error| matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem))
}

fn read_only(path: &Path, doing: &str) -> Error {
    let message = format!("{doing} `{}` for writing: it is read-only", path.display());
    Error::new(ErrorKind::Storage, message)
        .with_hint("give this user the right to write the file and its directory, or choose another `path`")
}

fn incompatible(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Incompatible, format!("`{}` {what}", path.display()))
}
