//! `spoke create`, `update`, `upsert` and `delete`: records into HubSpot, from the command line, a file or stdin.

mod bulk;
mod bulk_progress;
mod dry_run;
mod filter;
mod input;
mod job;
mod rejects;
mod report;
mod rows;

use hubspot_connector::objects;
use hubspot_connector::write::config::{Nulls, WriteMode, WriteRules};
use hubspot_connector::write::{Verb, Writer};

use crate::cli::{Create, Delete, Filter, How, Run, Update, What};
use crate::exit::Outcome;
use crate::session::Session;

use input::Input;
use job::Job;
use rows::Given;

pub(crate) async fn create(arguments: Create) -> Outcome {
    let rules = rules(&arguments.what, &arguments.how, WriteMode::Create);
    let given = Given::of(&arguments.what, &Filter::default())?.without_ids()?;
    save(&arguments.what, given, rules, &arguments.how).await
}

pub(crate) async fn upsert(arguments: Create) -> Outcome {
    let rules = rules(&arguments.what, &arguments.how, WriteMode::Upsert);
    let given = Given::of(&arguments.what, &Filter::default())?.without_ids()?;
    save(&arguments.what, given, rules, &arguments.how).await
}

pub(crate) async fn update(arguments: Update) -> Outcome {
    let rules = rules(&arguments.what, &arguments.how, WriteMode::Update);
    let given = Given::of(&arguments.what, &arguments.filter)?;
    save(&arguments.what, given, rules, &arguments.how).await
}

pub(crate) async fn delete(arguments: Delete) -> Outcome {
    let rules = WriteRules {
        id_property: id_property(&arguments.what),
        // A look before tells which of them are there at all: HubSpot itself says nothing of ids that it does not know.
        changed_only: Some(true),
        ..WriteRules::default()
    };
    let mut given = Given::of(&arguments.what, &arguments.filter)?;
    given.verb = Verb::Delete;
    start(&arguments.what, given, rules, (&arguments.run, false)).await
}

async fn save(what: &What, given: Given, rules: WriteRules, how: &How) -> Outcome {
    if how.bulk {
        bulk::check(how)?;
    }
    start(what, given, rules, (&how.run, how.bulk)).await
}

async fn start(what: &What, given: Given, rules: WriteRules, (run, bulk): (&Run, bool)) -> Outcome {
    let session = Session::open(&run.target)?;
    let object = session.object(&what.object).await?;
    let mut others = Vec::new();
    for link in &rules.associations {
        others.push(session.object(&link.to).await?);
    }
    let client = session.client.clone();
    let has_id = rules.mode() != WriteMode::Create;
    let nulls = rules.nulls.unwrap_or_default();
    let job = Job {
        verb: given.verb,
        nulls,
        has_id,
        constants: given.constants(what.from.is_some()),
        writer: Writer::to(session.client, object, &others, rules).await?,
    };
    let input = match (&what.from, &given.condition) {
        (Some(path), _) => Input::open(path)?,
        (None, Some(condition)) => {
            let ids = filter::ids(&client, &job, condition, run.dry_run || given.yes).await?;
            Input::given(given.rows_of(ids))
        }
        (None, None) => Input::given(given.rows()),
    };
    match (run.dry_run, bulk) {
        (true, _) => dry_run::run(&job, input, run).await,
        (false, true) => bulk::run(&client, &job, input, what.from.as_deref(), run).await,
        (false, false) => job.run(input, what.from.as_deref(), run).await,
    }
}

fn rules(what: &What, how: &How, mode: WriteMode) -> WriteRules {
    WriteRules {
        write: Some(mode),
        id_property: id_property(what)
            .filter(|_| mode != WriteMode::Create)
            .or_else(|| what.id_property.clone()),
        fold_names: Some(how.fold_names),
        read_only: Some(how.read_only.into()),
        missing_property: Some(how.missing_property.into()),
        set_if_empty: how.set_if_empty.clone(),
        changed_only: Some(how.changed_only),
        nulls: Some(if how.clear_empty {
            Nulls::Clear
        } else {
            Nulls::Ignore
        }),
        associations: how.associate.clone(),
        ..WriteRules::default()
    }
}

/// What finds a record: as asked, or the address that no two contacts share.
fn id_property(what: &What) -> Option<String> {
    let is_contacts = objects::resolve(&what.object).is_ok_and(|object| object.name == "contacts");
    what.id_property
        .clone()
        .or_else(|| is_contacts.then(|| "email".to_owned()))
}
