//! `spoke associate`: pairs of records, and the labels that they may have.

mod labels;
mod pairs;

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::actions::{AssociateMany, DissociateMany, Linked, PairInput, members};
use crate::cli::{Associate, AssociateCommand};
use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::session::Session;

/// So many refused pairs are told one by one; JSON has them all.
const TOLD: usize = 20;

pub(crate) async fn run(arguments: Associate) -> Outcome {
    if let Some(AssociateCommand::Labels(labels)) = arguments.command {
        return labels::run(labels).await;
    }
    let (mut input, pairs) = match &arguments.from {
        Some(file) => from_file(&arguments, file)?,
        None => single(&arguments)?,
    };
    input.insert("pairs".to_owned(), json!(pairs));
    let session = Session::open(&arguments.asked.target)?;
    let linked = match arguments.remove {
        true => session.run::<DissociateMany>(&input).await?,
        false => session.run::<AssociateMany>(&input).await?,
    };
    report(&linked, &arguments)
}

type Input = (Map<String, Value>, Vec<PairInput>);

fn single(arguments: &Associate) -> Outcome<Input> {
    let [from, from_id, to, to_id] = arguments.records.as_slice() else {
        return Err(Failure::usage("an association has two records, each with an object type and an id")
            .hint("write `spoke associate contacts 1 companies 2`, or `spoke associate contacts companies --from FILE`"));
    };
    let pair = PairInput {
        from_id: from_id.clone(),
        to_id: to_id.clone(),
        label: arguments.label.clone(),
        type_id: arguments.type_id,
        category: arguments.category.clone(),
    };
    Ok((ends(arguments, from, to), vec![pair]))
}

/// What a pair of the file does not say, the flags say.
fn from_file(arguments: &Associate, file: &Path) -> Outcome<Input> {
    let [from, to] = arguments.records.as_slice() else {
        return Err(
            Failure::usage("with `--from`, two object types are named and the file has the ids")
                .hint("write `spoke associate contacts companies --from FILE`"),
        );
    };
    let mut pairs = pairs::read(file)?;
    let bare = pairs
        .iter_mut()
        .filter(|pair| pair.label.is_none() && pair.type_id.is_none());
    for pair in bare {
        pair.label.clone_from(&arguments.label);
        pair.type_id = arguments.type_id;
        pair.category.clone_from(&arguments.category);
    }
    Ok((ends(arguments, from, to), pairs))
}

fn ends(arguments: &Associate, from: &str, to: &str) -> Map<String, Value> {
    members(
        &json!({"fromObject": from, "toObject": to, "fromBy": arguments.from_by, "toBy": arguments.to_by}),
    )
}

fn report(linked: &Linked, arguments: &Associate) -> Outcome {
    if let ([failed], None) = (linked.failed.as_slice(), &arguments.from) {
        return Err(Failure::failed(failed.message.clone()));
    }
    let (done, failed) = (linked.done, linked.failed.len());
    let verb = if arguments.remove {
        "no longer associated"
    } else {
        "associated"
    };
    if arguments.asked.json {
        printer::json(linked)?;
    } else {
        for failed in linked.failed.iter().take(TOLD) {
            printer::note(&format!(
                "{} - {}: {}",
                failed.pair.from_id, failed.pair.to_id, failed.message
            ));
        }
        if done > 0 || failed == 0 {
            printer::data(&format!(
                "{done} {} {verb}",
                if done == 1 { "pair is" } else { "pairs are" }
            ));
        }
    }
    if failed == 0 {
        return Ok(());
    }
    let failure = Failure::failed(format!("{failed} of {} pairs were refused", done + failed));
    Err(match failed > TOLD && !arguments.asked.json {
        true => failure.hint("`--json` tells them all"),
        false => failure,
    })
}
