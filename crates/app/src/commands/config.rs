//! `spoke config`: make, check and explain the configuration file. Calls nobody.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde_json::json;

use crate::cli::{ConfigCommand, ConfigFile};
use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::settings::{File, Settings};

/// The file that `init` writes. A test reads it back.
const EXAMPLE: &str = include_str!("example.yaml");

pub(crate) fn run(command: ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Init { file } => init(&file),
        ConfigCommand::Validate { file, json } => validate(&file, json),
        ConfigCommand::Show { file, json } => show(&file, json),
        ConfigCommand::Schema => printer::json(&schemars::schema_for!(File)),
    }
}

fn init(path: &Path) -> Outcome {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(EXAMPLE.as_bytes()));
    written.map_err(|error| {
        let failure = Failure::usage(format!("cannot write `{}`", path.display())).because(&error);
        match error.kind() {
            ErrorKind::AlreadyExists => failure.hint("name another file, or move that one away"),
            _ => failure,
        }
    })?;
    printer::note(&format!(
        "wrote `{}`; next: set HUBSPOT_ACCESS_TOKEN, then `spoke check`, then `spoke sync --once`",
        path.display()
    ));
    Ok(())
}

fn validate(file: &ConfigFile, json: bool) -> Outcome {
    let settings = Settings::load(file.path())?;
    let pipelines: Vec<_> = settings.file.pipelines.keys().collect();
    if json {
        return printer::json(&json!({"file": settings.path, "valid": true, "pipelines": pipelines}));
    }
    printer::data(&format!(
        "`{}` is valid: {} pipeline(s)",
        settings.path.display(),
        pipelines.len()
    ));
    Ok(())
}

fn show(file: &ConfigFile, json: bool) -> Outcome {
    let settings = Settings::load(file.path())?;
    if json {
        return printer::json(&settings.file);
    }
    let text = serde_saphyr::to_string(&settings.file)
        .map_err(|error| Failure::failed("cannot write the configuration as YAML").because(&error))?;
    printer::data(text.trim_end());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_valid_and_shown_with_its_defaults() {
        let settings = Settings::parse("spoke.yaml".into(), EXAMPLE).unwrap();
        let shown = serde_saphyr::to_string(&settings.file).unwrap();
        assert!(
            shown.contains("api_version") && shown.contains("env:HUBSPOT_ACCESS_TOKEN"),
            "{shown}"
        );
        Settings::parse("shown.yaml".into(), &shown).expect("what is shown can be used");
    }
}
