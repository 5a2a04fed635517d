//! Settings in two steps: what was written ([`mod@file`]), then what it means ([`Settings`], with the secrets
//! resolved when a connection is used and nowhere else).

mod connection;
mod file;
mod pipeline;
mod secret;
mod yaml;

use std::path::{Path, PathBuf};

pub(crate) use connection::{Connection, Credentials, OAuth, Proxy, Tls};
pub(crate) use file::{File, State};
use pipeline::Tables;
pub(crate) use pipeline::{DestinationConfig, Pipeline, SourceConfig};
pub(crate) use secret::SecretRef;

use crate::exit::{Failure, Outcome};

/// The file that is read when none is named.
pub(crate) const DEFAULT_FILE: &str = "spoke.yaml";

/// A configuration file that was read and checked.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where it was read from.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) file: File,
}

impl Settings {
    /// Reads and checks the file at `path`, or [`DEFAULT_FILE`].
    pub(crate) fn load(path: Option<&Path>) -> Outcome<Self> {
        let path = path.unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
        let text = std::fs::read_to_string(&path).map_err(|error| cannot_read(&path, &error))?;
        Self::parse(path, &text)
    }

    /// The same for a text that was read already.
    pub(crate) fn parse(path: PathBuf, text: &str) -> Outcome<Self> {
        let file: File = yaml::parse(&path, text)?;
        let settings = Self { path, file };
        settings.check()?;
        Ok(settings)
    }

    /// Reads the default file if it is there, or the named one.
    pub(crate) fn load_if_present(path: Option<&Path>) -> Outcome<Option<Self>> {
        match path {
            None if !Path::new(DEFAULT_FILE).exists() => Ok(None),
            path => Self::load(path).map(Some),
        }
    }

    /// The connection called `name`.
    pub(crate) fn connection(&self, name: &str) -> Outcome<&Connection> {
        self.file.connections.get(name).ok_or_else(|| {
            let known = self.file.connections.keys().map(String::as_str);
            self.unknown("connection", name, known)
        })
    }

    /// The pipelines called `names`, or all.
    pub(crate) fn pipelines(&self, names: &[String]) -> Outcome<Vec<(&str, &Pipeline)>> {
        if names.is_empty() {
            return Ok(self
                .file
                .pipelines
                .iter()
                .map(|(name, pipeline)| (name.as_str(), pipeline))
                .collect());
        }
        names.iter().map(|name| self.pipeline(name)).collect()
    }

    /// The pipeline called `name`.
    pub(crate) fn pipeline(&self, name: &str) -> Outcome<(&str, &Pipeline)> {
        let found = self.file.pipelines.get_key_value(name);
        found
            .map(|(name, pipeline)| (name.as_str(), pipeline))
            .ok_or_else(|| {
                let known = self.file.pipelines.keys().map(String::as_str);
                self.unknown("pipeline", name, known)
            })
    }

    fn unknown<'a>(&self, what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Failure {
        let nearest = nearest(name, known.clone()).map(|near| format!("; did you mean `{near}`?"));
        let names: Vec<_> = known.map(|name| format!("`{name}`")).collect();
        let listed = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        let path = self.path.display();
        Failure::usage(format!(
            "`{path}` has no {what} `{name}`{}",
            nearest.unwrap_or_default()
        ))
        .hint(format!("the {what}s in it: {listed}"))
    }

    /// What the types cannot say: names that must exist, names that must be well formed.
    fn check(&self) -> Outcome {
        self.file.check_version()?;
        for (name, connection) in &self.file.connections {
            file::check_connection_name(name)?;
            connection
                .check()
                .map_err(|failure| failure.within(&format!("connection `{name}`")))?;
        }
        for (name, pipeline) in &self.file.pipelines {
            let context = |failure: Failure| failure.within(&format!("pipeline `{name}`"));
            for connection in pipeline.connections() {
                self.connection(connection).map_err(context)?;
            }
            pipeline.check().map_err(context)?;
            if let Some(source) = pipeline.hubspot_source() {
                let connection = self.connection(&source.connection).map_err(context)?;
                connection.browsable.may_read(source).map_err(context)?;
            }
        }
        self.check_tables()
    }

    /// Ids are an account's own: two accounts in one table would overwrite each other's rows.
    fn check_tables(&self) -> Outcome {
        let mut seen: Vec<(&str, Tables<'_>)> = Vec::new();
        for (name, pipeline) in &self.file.pipelines {
            let Some(tables) = pipeline.shared_tables() else {
                continue;
            };
            let clash = |(other, earlier): &(&str, Tables<'_>)| {
                let table = earlier.clash(&tables)?;
                let path = tables.path.display();
                let message = format!(
                    "the pipelines `{other}` and `{name}` both write the table `{table}` of `{path}`, from the connections \
                     `{}` and `{}`",
                    earlier.connection, tables.connection
                );
                Some(Failure::usage(message).hint(format!(
                    "set `table_prefix: {name}_` under `destination: sqlite:` of `{name}`, or another `path`"
                )))
            };
            if let Some(failure) = seen.iter().find_map(clash) {
                return Err(failure);
            }
            seen.push((name, tables));
        }
        Ok(())
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    let failure =
        Failure::usage(format!("cannot read the configuration file `{}`", path.display())).because(error);
    if error.kind() == std::io::ErrorKind::NotFound {
        return failure.hint("write one with `spoke config init`, or name yours with `-c FILE`");
    }
    failure
}

/// The candidate that `name` was probably meant to be.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let score =
        |candidate: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase());
    let best = candidates.min_by_key(|candidate| score(candidate))?;
    (score(best) <= best.len().div_ceil(3)).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_unless_nothing_is_near() {
        let names = ["streams", "connection", "poll"];
        assert_eq!(nearest("steams", names.into_iter()), Some("streams"));
        assert_eq!(nearest("Conection", names.into_iter()), Some("connection"));
        assert_eq!(nearest("password", names.into_iter()), None);
    }
}
