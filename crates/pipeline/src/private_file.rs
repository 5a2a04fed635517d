//! Files that only their owner may read: they hold an account's records.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Read and written by the owner alone. The rights of a file that exists already are its owner's business.
pub const MODE: u32 = 0o600;

/// What a person can do when no more files can be opened.
pub const OPEN_FILES_HINT: &str =
    "raise the limit, for example with `ulimit -n 65536`, or run fewer pipelines at once";

/// Makes an empty file at `path` for its owner alone, unless there is one. SQLite gives its journals the rights of the
/// database. A failure is left to whoever opens the file next, who explains it.
pub(crate) fn create(path: &Path) {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path);
    if let Err(error) = made
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        tracing::debug!(path = %path.display(), %error, "the file could not be made");
    }
}

/// Makes a file at `path` for its owner alone, or empties the one that exists.
pub fn replace(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(MODE)
        .open(path)
}

/// Whether `error` says that the process, or the system, has too many files open.
pub fn is_too_many_open(error: &io::Error) -> bool {
    /// `EMFILE` and `ENFILE` on Linux, macOS and the BSDs.
    const TOO_MANY: [i32; 2] = [24, 23];
    error.raw_os_error().is_some_and(|code| TOO_MANY.contains(&code))
}

/// Whether no more files can be opened right now: SQLite does not say why it cannot open one.
pub(crate) fn are_too_many_open() -> bool {
    File::open("/dev/null").is_err_and(|error| is_too_many_open(&error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_file_is_its_owners_alone_and_an_older_one_keeps_its_rights() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        create(&path);
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        create(&path);
        assert_eq!(mode(&path), 0o640);
    }

    #[test]
    fn too_many_open_files_are_told_from_other_errors() {
        assert!(is_too_many_open(&io::Error::from_raw_os_error(24)));
        assert!(!is_too_many_open(&io::Error::from_raw_os_error(13)));
        assert!(!are_too_many_open());
    }
}
