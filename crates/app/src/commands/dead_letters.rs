//! `spoke dead-letters`: records that a destination refused for good.

use std::sync::Arc;

use jiff::Timestamp;
use opencdc::{DeadLetter, DeadLetters, Record};
use pipeline::{Redriven, SqliteStore};
use serde::Serialize;

use crate::cli::{ConfigFile, DeadLetterCommand};
use crate::compose;
use crate::confirm::{Answer, proceed};
use crate::exit::{Failure, Outcome};
use crate::lease::Lease;
use crate::printer;
use crate::settings::Settings;

/// Letters that are read, or sent again, at a time.
const PAGE: usize = 500;

pub(crate) async fn run(command: DeadLetterCommand) -> Outcome {
    match command {
        DeadLetterCommand::List { file, pipeline, json } => list(&file, pipeline, json).await,
        DeadLetterCommand::Show { file, pipeline, id } => show(&file, &pipeline, id).await,
        DeadLetterCommand::Redrive {
            file,
            pipeline,
            ids,
            json,
        } => redrive(&file, &pipeline, &ids, json).await,
        DeadLetterCommand::Discard {
            file,
            pipeline,
            ids,
            yes,
        } => discard(&file, &pipeline, &ids, yes).await,
    }
}

/// A letter as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: u64,
    pipeline: String,
    refused_at: String,
    reason: String,
    record: Record,
}

impl Shown {
    fn new((id, letter): (u64, DeadLetter)) -> Self {
        let at = Timestamp::try_from(letter.at).unwrap_or_default();
        Self {
            id,
            pipeline: letter.pipeline,
            refused_at: format!("{at:.0}"),
            reason: letter.reason,
            record: letter.record,
        }
    }

    fn cells(self) -> Vec<String> {
        let key = self.record.key.to_json();
        vec![
            self.id.to_string(),
            self.pipeline,
            self.record.stream.to_string(),
            String::from_utf8_lossy(&key).into_owned(),
            self.refused_at,
            self.reason,
        ]
    }
}

/// The state file, if there is one yet.
async fn store(settings: &Settings) -> Outcome<Option<Arc<SqliteStore>>> {
    match settings.file.state.path().exists() {
        true => compose::state(settings).await.map(Some),
        false => Ok(None),
    }
}

/// Every letter of a pipeline, oldest first.
async fn letters(store: &SqliteStore, pipeline: &str) -> Outcome<Vec<(u64, DeadLetter)>> {
    let mut all: Vec<(u64, DeadLetter)> = Vec::new();
    loop {
        let after = all.last().map_or(0, |(id, _)| *id);
        let page = store.list(pipeline, after, PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn list(file: &ConfigFile, pipeline: Option<String>, json: bool) -> Outcome {
    let settings = Settings::load(file.path())?;
    let named: Vec<_> = pipeline.into_iter().collect();
    let mut shown = Vec::new();
    if let Some(store) = store(&settings).await? {
        for (name, _) in settings.pipelines(&named)? {
            shown.extend(letters(&store, name).await?.into_iter().map(Shown::new));
        }
    }
    if json {
        for letter in &shown {
            printer::data(&serde_json::to_string(letter).expect("a letter is serialisable"));
        }
        return Ok(());
    }
    if shown.is_empty() {
        printer::note("no dead letters");
        return Ok(());
    }
    printer::table(
        &["id", "pipeline", "stream", "key", "refused at", "reason"],
        shown.into_iter().map(Shown::cells),
    );
    Ok(())
}

async fn show(file: &ConfigFile, pipeline: &str, id: u64) -> Outcome {
    let settings = Settings::load(file.path())?;
    let (name, _) = settings.pipeline(pipeline)?;
    let chosen = chosen(&settings, name, &[id]).await?;
    let letter = chosen.into_iter().next().expect("what was chosen is there");
    printer::json(&Shown::new(letter))
}

/// The letters with these numbers, or all.
async fn chosen(settings: &Settings, name: &str, ids: &[u64]) -> Outcome<Vec<(u64, DeadLetter)>> {
    let mut all = match store(settings).await? {
        Some(store) => letters(&store, name).await?,
        None => Vec::new(),
    };
    if let Some(strange) = ids.iter().find(|id| !all.iter().any(|(known, _)| known == *id)) {
        return Err(
            Failure::failed(format!("pipeline `{name}` has no dead letter {strange}"))
                .hint(format!("`spoke dead-letters list {name}` lists them")),
        );
    }
    all.retain(|(id, _)| ids.is_empty() || ids.contains(id));
    Ok(all)
}

async fn redrive(file: &ConfigFile, pipeline: &str, ids: &[u64], json: bool) -> Outcome {
    let settings = Settings::load(file.path())?;
    let (name, written) = settings.pipeline(pipeline)?;
    let letters = chosen(&settings, name, ids).await?;
    let mut sum = Redriven::default();
    if !letters.is_empty() {
        let _lease = Lease::take(settings.file.state.path(), name)?;
        let running = compose::pipeline(&settings, name, written).await?;
        for page in letters.chunks(PAGE) {
            let redriven = pipeline::redrive(&running, page.to_vec()).await?;
            sum.written += redriven.written;
            sum.refused += redriven.refused;
        }
    }
    match json {
        true => printer::json(&serde_json::json!({"written": sum.written, "refused": sum.refused}))?,
        false => printer::note(&format!(
            "{name}: {} written, {} refused again",
            sum.written, sum.refused
        )),
    }
    match sum.refused {
        0 => Ok(()),
        refused => Err(Failure::failed(format!("{refused} letters were refused again"))
            .hint(format!("`spoke dead-letters list {name}` has the reasons"))),
    }
}

async fn discard(file: &ConfigFile, pipeline: &str, ids: &[u64], yes: bool) -> Outcome {
    let settings = Settings::load(file.path())?;
    let (name, _) = settings.pipeline(pipeline)?;
    let letters = chosen(&settings, name, ids).await?;
    let warning = format!("{} records of `{name}` will be dropped for good", letters.len());
    proceed(&warning, Answer::Yes, yes)?;
    let ids: Vec<_> = letters.iter().map(|(id, _)| *id).collect();
    compose::state(&settings).await?.take(&ids).await?;
    printer::note(&format!("{name}: {} dropped", ids.len()));
    Ok(())
}
