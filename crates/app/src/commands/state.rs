//! `spoke state`: where pipelines resume, and how to have them start again.

use std::collections::BTreeMap;
use std::path::Path;

use hubspot_connector::position::{check_start, reset_stream};
use opencdc::{Checkpoint, CheckpointStore, Note, Notes, Position};
use serde::Serialize;
use serde_json::Value;

use crate::cli::{ConfigFile, StateCommand};
use crate::compose;
use crate::confirm::{self, Answer};
use crate::exit::{Failure, Outcome};
use crate::lease::Lease;
use crate::printer;
use crate::progress::grouped;
use crate::settings::Settings;

pub(crate) async fn run(command: StateCommand) -> Outcome {
    match command {
        StateCommand::Show { file, pipeline, json } => show(&file, pipeline, json).await,
        StateCommand::Reset {
            file,
            pipeline,
            stream,
            yes,
        } => {
            let settings = Settings::load(file.path())?;
            reset(&settings, &pipeline, stream.as_deref(), yes).await
        }
        StateCommand::Set {
            file,
            pipeline,
            position,
            yes,
        } => {
            let settings = Settings::load(file.path())?;
            set(&settings, &pipeline, &position, yes).await
        }
    }
}

/// What is stored of one pipeline.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    pipeline: String,
    /// None before its first checkpoint.
    sequence: Option<u64>,
    position: Option<Value>,
    /// By what stands before the first `/` of their keys: mostly a stream.
    notes: BTreeMap<String, Size>,
}

#[derive(Debug, Default, PartialEq, Serialize)]
struct Size {
    notes: u64,
    bytes: u64,
}

async fn show(file: &ConfigFile, pipeline: Option<String>, json: bool) -> Outcome {
    let settings = Settings::load(file.path())?;
    let named: Vec<_> = pipeline.into_iter().collect();
    let mut reports = Vec::new();
    for (name, written) in settings.pipelines(&named)? {
        let store = compose::checkpoints(&settings, name, written).await?;
        reports.push(match store {
            Some(store) => stored(&*store, name).await?,
            None => Report::new(name, None, &Notes::new()),
        });
    }
    if json {
        return printer::json(&reports);
    }
    let texts: Vec<_> = reports.iter().map(Report::text).collect();
    printer::data(&texts.join("\n\n"));
    Ok(())
}

async fn stored(store: &dyn CheckpointStore, name: &str) -> Outcome<Report> {
    let checkpoint = store.load(name).await?;
    Ok(Report::new(name, checkpoint, &store.notes(name).await?))
}

impl Report {
    fn new(name: &str, checkpoint: Option<Checkpoint>, notes: &Notes) -> Self {
        let sequence = checkpoint.as_ref().map(|checkpoint| checkpoint.sequence);
        Self {
            pipeline: name.to_owned(),
            sequence,
            position: checkpoint.map(|checkpoint| readable(&checkpoint.position)),
            notes: by_prefix(notes),
        }
    }

    fn text(&self) -> String {
        let (Some(sequence), Some(position)) = (self.sequence, &self.position) else {
            return format!("{}: starts from nothing", self.pipeline);
        };
        let position = serde_json::to_string_pretty(position).expect("JSON is always serialisable");
        let mut text = format!("{}: checkpoint {}\n{position}", self.pipeline, grouped(sequence));
        if !self.notes.is_empty() {
            let row = |(prefix, size): (&String, &Size)| {
                vec![prefix.clone(), grouped(size.notes), grouped(size.bytes)]
            };
            text.push('\n');
            text.push_str(&printer::render_table(
                &["notes of", "number", "bytes"],
                self.notes.iter().map(row),
            ));
        }
        text
    }
}

/// A position as JSON where it is JSON, and as a text otherwise.
fn readable(position: &Position) -> Value {
    let bytes = position.as_bytes();
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into())
}

fn by_prefix(notes: &Notes) -> BTreeMap<String, Size> {
    let mut sizes: BTreeMap<String, Size> = BTreeMap::new();
    for (key, value) in notes {
        let prefix = key.split_once('/').map_or(&**key, |(prefix, _)| prefix);
        let size = sizes.entry(prefix.to_owned()).or_default();
        size.notes += 1;
        size.bytes += value.len() as u64;
    }
    sizes
}

/// Under the pipeline's lease, so that no run goes on from what is taken away.
async fn reset(settings: &Settings, name: &str, stream: Option<&str>, yes: bool) -> Outcome {
    let (name, written) = settings.pipeline(name)?;
    if stream.is_some() {
        written.need_hubspot_source(
            name,
            "its streams cannot be reset one by one; leave the stream out",
        )?;
    }
    let what = match stream {
        Some(stream) => format!("stream `{stream}` of pipeline `{name}`"),
        None => format!("pipeline `{name}`"),
    };
    let _lease = Lease::take(settings.file.state.path(), name)?;
    let Some(store) = compose::checkpoints(settings, name, written).await? else {
        return Err(nothing_stored(name));
    };
    let Some(checkpoint) = store.load(name).await? else {
        return Err(nothing_stored(name));
    };
    let warning = format!("{what} will be read from the start by the next run");
    confirm::proceed(&warning, Answer::Yes, yes)?;
    match stream {
        None => store.reset(name).await?,
        Some(stream) => {
            let notes = store.notes(name).await?;
            let (position, changes) = reset_stream(&checkpoint.position, &notes, stream)?;
            let next = Checkpoint::new(checkpoint.sequence + 1, position).covering(changes);
            store.save(name, &next).await?;
        }
    }
    printer::note(&format!(
        "{what} was reset: the next run reads it from the start; rows stay"
    ));
    Ok(())
}

/// Under the pipeline's lease, so that no run overwrites it. What the source remembers belongs to the position before, and
/// goes with it.
async fn set(settings: &Settings, name: &str, file: &Path, yes: bool) -> Outcome {
    let (name, written) = settings.pipeline(name)?;
    written.need_hubspot_source(name, "its position cannot be set")?;
    let position = read_position(file)?;
    let _lease = Lease::take(settings.file.state.path(), name)?;
    let store = compose::new_checkpoints(settings, name, written).await?;
    let before = store.load(name).await?;
    if before.is_some() {
        let warning = format!("the position of pipeline `{name}` will be replaced");
        confirm::proceed(&warning, Answer::Yes, yes)?;
    }
    let notes = store.notes(name).await?;
    let forget = notes.into_keys().map(Note::forget).collect();
    let sequence = before.map_or(0, |checkpoint| checkpoint.sequence) + 1;
    let next = Checkpoint::new(sequence, position).covering(forget);
    store.save(name, &next).await?;
    printer::note(&format!(
        "the next run of pipeline `{name}` starts from the position in `{}`",
        file.display()
    ));
    Ok(())
}

fn read_position(file: &Path) -> Outcome<Position> {
    let read = match file == Path::new("-") {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(file),
    };
    let failed = || format!("cannot read the position in `{}`", file.display());
    let text = read.map_err(|error| Failure::usage(failed()).because(&error))?;
    let position = Position::new(text.trim().to_owned());
    check_start(&position).map_err(|error| Failure::from(error).within(&failed()))?;
    Ok(position)
}

fn nothing_stored(name: &str) -> Failure {
    Failure::failed(format!(
        "pipeline `{name}` has no checkpoint: there is nothing to reset"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_counted_by_what_stands_before_the_first_slash() {
        let notes = [("contacts/1", "abc"), ("contacts/2/x", "d"), ("other", "")];
        let notes = notes
            .map(|(key, value)| (key.into(), value.into()))
            .into_iter()
            .collect();
        let size = |notes, bytes| Size { notes, bytes };
        let expected = [
            ("contacts".to_owned(), size(2, 4)),
            ("other".to_owned(), size(1, 0)),
        ];
        assert_eq!(by_prefix(&notes), BTreeMap::from(expected));
    }

    #[test]
    fn a_position_that_is_no_json_is_shown_as_text() {
        assert_eq!(
            readable(&Position::new(r#"{"a":1}"#)),
            serde_json::json!({"a": 1})
        );
        assert_eq!(readable(&Position::new("page 7")), "page 7");
    }
}
