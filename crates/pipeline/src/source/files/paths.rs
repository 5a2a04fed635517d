//! Which files there are.

use std::io;
use std::path::{Path, PathBuf};

use opencdc::{Error, ErrorKind, Result, StreamName};

use super::config::Files;

/// The files that are meant, in the order of their names. Only a pattern or a folder may name none.
pub(super) fn list(files: &Files) -> Result<Vec<PathBuf>> {
    let path = &files.path;
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(_) if is_pattern(path) => return matching(path),
        Err(error) => return Err(cannot_read(path, &error)),
    };
    if metadata.is_dir() {
        return in_folder(path, files.format.endings());
    }
    if !metadata.is_file() {
        let error = Error::new(
            ErrorKind::Configuration,
            format!("`{}` is no file", path.display()),
        );
        return Err(error.with_hint("for something that is piped in, use the source `stdin`"));
    }
    Ok(vec![path.clone()])
}

/// The stream of a file's plain rows.
pub(super) fn stream(files: &Files, path: &Path) -> StreamName {
    let stem = || {
        path.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
            .into()
    };
    files.stream.clone().unwrap_or_else(stem)
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn matching(pattern: &Path) -> Result<Vec<PathBuf>> {
    let text = pattern.to_string_lossy();
    let wrong = |error: glob::PatternError| {
        Error::new(
            ErrorKind::Configuration,
            format!("the pattern `{text}` is not understood: {}", error.msg),
        )
        .with_hint("`*` stands for any characters of a name, `?` for one, `**` for any folders")
    };
    let mut found = Vec::new();
    for path in glob::glob(&text).map_err(wrong)? {
        let path = path.map_err(|error| cannot_read(error.path(), error.error()))?;
        if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn in_folder(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| cannot_read(folder, &error))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| cannot_read(folder, &error))?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if ending.is_some_and(|ending| endings.contains(&ending)) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A file that is not there is a mistake of the settings; one that cannot be read may be readable in a moment.
pub(super) fn cannot_read(path: &Path, error: &io::Error) -> Error {
    let message = format!("cannot read `{}`: {error}", path.display());
    match error.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorKind::Configuration, message)
            .with_hint("check `path`: it is looked for from where the program is started"),
        io::ErrorKind::PermissionDenied => {
            Error::new(ErrorKind::Refused, message).with_hint("give this user the right to read it")
        }
        _ => Error::new(ErrorKind::Storage, message).with_hint("check the disk; the next run resumes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::files::NdjsonConfig;

    fn names(files: &Files) -> Vec<String> {
        let listed = list(files).unwrap();
        listed
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_folder_and_a_pattern_name_files_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.ndjson", "a.jsonl", "c.txt", "_notes.1"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("d.ndjson")).unwrap();
        let files = |path: PathBuf| Files::ndjson(&NdjsonConfig::new(path, ["id"])).unwrap();
        assert_eq!(names(&files(dir.path().to_owned())), ["a.jsonl", "b.ndjson"]);
        assert_eq!(names(&files(dir.path().join("?.*n*"))), ["a.jsonl", "b.ndjson"]);
        assert!(names(&files(dir.path().join("x*"))).is_empty());
        let file = files(dir.path().join("c.txt"));
        assert_eq!(names(&file), ["c.txt"]);
        assert_eq!(stream(&file, &file.path).as_str(), "c");
    }

    #[test]
    fn a_file_that_is_not_there_is_a_mistake_of_the_settings() {
        let files = Files::ndjson(&NdjsonConfig::new("no/such/file.ndjson", ["id"])).unwrap();
        let error = list(&files).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("`no/such/file.ndjson`"), "{error}");
    }
}
