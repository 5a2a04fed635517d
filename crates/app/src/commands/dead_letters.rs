//! `spoke dead-letters`: records that a destination refused for good.

use std::collections::BTreeSet;
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

/// A page of a pipeline's letters, oldest first.
type Page = Vec<(u64, DeadLetter)>;

/// Hands over every letter of a pipeline, a page at a time: a record may be large, and letters many.
async fn each_page(store: &SqliteStore, pipeline: &str, mut take: impl FnMut(Page)) -> Outcome {
    let mut after = 0;
    loop {
        let page = store.list(pipeline, after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = *last;
        take(page);
    }
}

async fn letter(store: &SqliteStore, pipeline: &str, id: u64) -> Outcome<Option<(u64, DeadLetter)>> {
    let next = store.list(pipeline, id.saturating_sub(1), 1).await?.pop();
    Ok(next.filter(|(found, _)| *found == id))
}

/// Prints letters as they come.
struct Listing {
    json: bool,
    rows: Vec<Vec<String>>,
    is_empty: bool,
}

impl Listing {
    fn add(&mut self, page: Page) {
        self.is_empty = false;
        let shown = page.into_iter().map(Shown::new);
        if self.json {
            shown.for_each(|letter| {
                printer::data(&serde_json::to_string(&letter).expect("a letter is serialisable"));
            });
            return;
        }
        self.rows.extend(shown.map(Shown::cells));
        if self.rows.len() >= PAGE {
            self.table();
        }
    }

    fn table(&mut self) {
        let header = ["id", "pipeline", "stream", "key", "refused at", "reason"];
        printer::table(&header, std::mem::take(&mut self.rows));
    }

    fn finish(mut self) {
        if !self.rows.is_empty() {
            self.table();
        }
        if self.is_empty && !self.json {
            printer::note("no dead letters");
        }
    }
}

async fn list(file: &ConfigFile, pipeline: Option<String>, json: bool) -> Outcome {
    let settings = Settings::load(file.path())?;
    let named: Vec<_> = pipeline.into_iter().collect();
    let mut listing = Listing {
        json,
        rows: Vec::new(),
        is_empty: true,
    };
    if let Some(store) = store(&settings).await? {
        for (name, _) in settings.pipelines(&named)? {
            each_page(&store, name, |page| listing.add(page)).await?;
        }
    }
    listing.finish();
    Ok(())
}

async fn show(file: &ConfigFile, pipeline: &str, id: u64) -> Outcome {
    let settings = Settings::load(file.path())?;
    let (name, _) = settings.pipeline(pipeline)?;
    let found = match store(&settings).await? {
        Some(store) => letter(&store, name, id).await?,
        None => None,
    };
    printer::json(&Shown::new(found.ok_or_else(|| unknown(name, id))?))
}

fn unknown(pipeline: &str, id: u64) -> Failure {
    Failure::failed(format!("pipeline `{pipeline}` has no dead letter {id}"))
        .hint(format!("`spoke dead-letters list {pipeline}` lists them"))
}

/// The numbers of these letters, each once, or of all.
async fn chosen(store: Option<&SqliteStore>, name: &str, ids: &[u64]) -> Outcome<Vec<u64>> {
    let Some(store) = store else {
        return ids.first().map_or(Ok(Vec::new()), |id| Err(unknown(name, *id)));
    };
    if ids.is_empty() {
        let mut all = Vec::new();
        each_page(store, name, |page| all.extend(page.into_iter().map(|(id, _)| id))).await?;
        return Ok(all);
    }
    let ids: BTreeSet<u64> = ids.iter().copied().collect();
    for id in &ids {
        letter(store, name, *id)
            .await?
            .ok_or_else(|| unknown(name, *id))?;
    }
    Ok(ids.into_iter().collect())
}

async fn redrive(file: &ConfigFile, pipeline: &str, ids: &[u64], json: bool) -> Outcome {
    let settings = Settings::load(file.path())?;
    let (name, _) = settings.pipeline(pipeline)?;
    let store = store(&settings).await?;
    let sum = match (chosen(store.as_deref(), name, ids).await?, store) {
        (ids, Some(store)) if !ids.is_empty() => resend(&settings, &store, name, &ids).await?,
        _ => Redriven::default(),
    };
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

/// Sends letters again by the numbers they have now: one that is refused again gets a new one, and would be met again
/// by whoever walks on.
async fn resend(settings: &Settings, store: &SqliteStore, name: &str, ids: &[u64]) -> Outcome<Redriven> {
    let _lease = Lease::take(settings.file.state.path(), name)?;
    let (_, written) = settings.pipeline(name)?;
    let running = compose::pipeline(settings, name, written).await?;
    let mut sum = Redriven::default();
    for chunk in ids.chunks(PAGE) {
        let mut page = Page::new();
        for id in chunk {
            page.extend(letter(store, name, *id).await?);
        }
        let redriven = pipeline::redrive(&running, page).await?;
        sum.written += redriven.written;
        sum.refused += redriven.refused;
    }
    Ok(sum)
}

async fn discard(file: &ConfigFile, pipeline: &str, ids: &[u64], yes: bool) -> Outcome {
    let settings = Settings::load(file.path())?;
    let (name, _) = settings.pipeline(pipeline)?;
    let store = store(&settings).await?;
    let ids = chosen(store.as_deref(), name, ids).await?;
    let warning = format!("{} records of `{name}` will be dropped for good", ids.len());
    proceed(&warning, Answer::Yes, yes)?;
    if let Some(store) = store {
        store.take(&ids).await?;
    }
    printer::note(&format!("{name}: {} dropped", ids.len()));
    Ok(())
}
