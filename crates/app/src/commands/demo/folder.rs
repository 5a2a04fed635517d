//! The demo's folder: the database, the configuration, and a marker that says they are the demo's.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::exit::{Failure, Outcome};

/// A folder with this file in it was made by the demo; only there are files replaced.
const MARKER: &str = ".spoke-demo";
const DATABASE: &str = "hubspot.db";
const STATE: &str = "state.db";
const CONFIG: &str = "spoke.yaml";

pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, or takes an earlier demo's and clears its copy: the local HubSpot starts anew, and so
    /// must its copy.
    pub(super) fn make(path: &Path) -> Outcome<Self> {
        let folder = Self(path.to_owned());
        folder.refuse_somebody_elses()?;
        let made = std::fs::create_dir_all(path)
            .and_then(|()| std::fs::write(path.join(MARKER), "made by `spoke demo`\n"));
        made.map_err(|error| folder.trouble("cannot write to", &error))?;
        for file in [DATABASE, STATE] {
            folder.remove(file)?;
        }
        Ok(folder)
    }

    pub(super) fn database(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    pub(super) fn config(&self) -> PathBuf {
        self.0.join(CONFIG)
    }

    /// Writes the configuration and gives its text.
    pub(super) fn write_config(&self, url: &str) -> Outcome<String> {
        let text = format!(
            "# What `spoke demo` runs. While it is running: `spoke status -c {config}`\n\
             version: 1\n\
             connections:\n  demo:\n    access_token: literal:{token}   # the emulator's well-known token, no secret\n    base_url: {url}\n\
             state: {{sqlite: {{path: {state}}}}}\n\
             pipelines:\n  crm:\n    source:\n      hubspot:\n        connection: demo\n        streams: [{streams}]\n        \
             # So often that you can watch it; the defaults are made for a real account.\n        \
             poll: 2s\n        lookback: 30s\n        archived: {{every: 2s}}\n        \
             reconcile: {{every: 30s}}\n        reassociate: {{every: 30s}}\n    destination:\n      sqlite: {{path: {database}}}\n",
            config = self.config().display(),
            token = hubspot_emulator::DEFAULT_TOKEN,
            state = quoted(&self.0.join(STATE)),
            streams = [&super::OBJECTS[..], &["owners", "pipelines", "pipeline_stages"]]
                .concat()
                .join(", "),
            database = quoted(&self.database()),
        );
        std::fs::write(self.config(), &text).map_err(|error| self.trouble("cannot write to", &error))?;
        Ok(text)
    }

    fn refuse_somebody_elses(&self) -> Outcome {
        let ours = self.0.join(MARKER).exists();
        match [DATABASE, STATE, CONFIG]
            .iter()
            .find(|file| !ours && self.0.join(file).exists())
        {
            None => Ok(()),
            Some(file) => Err(Failure::usage(format!(
                "`{}` has a `{file}` that the demo did not make",
                self.0.display()
            ))
            .hint("choose another folder with `--dir DIR`")),
        }
    }

    /// Removes a database with the files that SQLite keeps beside it.
    fn remove(&self, file: &str) -> Outcome {
        for suffix in ["", "-wal", "-shm"] {
            match std::fs::remove_file(self.0.join(format!("{file}{suffix}"))) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(self.trouble("cannot remove the earlier demo's files in", &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn trouble(&self, doing: &str, error: &std::io::Error) -> Failure {
        Failure::failed(format!("{doing} `{}`", self.0.display())).because(error)
    }
}

/// A path as YAML takes it whatever is in it.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_somebody_elses_database_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(DATABASE), "precious").unwrap();
        assert!(Folder::make(folder.path()).is_err());
        assert_eq!(
            std::fs::read_to_string(folder.path().join(DATABASE)).unwrap(),
            "precious"
        );
    }

    #[test]
    fn an_earlier_demos_database_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        Folder::make(folder.path()).unwrap();
        std::fs::write(folder.path().join(DATABASE), "old").unwrap();
        Folder::make(folder.path()).unwrap();
        assert!(!folder.path().join(DATABASE).exists());
    }
}
