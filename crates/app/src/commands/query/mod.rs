//! `spoke query`: live records, in SQL or by an object and its conditions.

mod explanation;
mod rows;

use std::ops::ControlFlow;

use hubspot_connector::query::Table;
use query::{Asked, Options, Simple, prepare};

use crate::account::Account;
use crate::cli::{Format, Query};
use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::session::Session;

use rows::Rows;

/// A table stands in memory until its last row is known.
const MOST_IN_TABLE: usize = 1_000;

/// # Errors
/// The table is outside the connection's `browsable`.
fn may_read(account: &Account, table: &Table) -> Outcome {
    match table {
        Table::Object(table) => account.may_reach(&table.object),
        Table::Links(table) => {
            account.may_reach(&table.from)?;
            account.may_reach(&table.to)
        }
        Table::Own(_) => account.may_read(table.name()),
    }
}

/// Prints the rows, or what would be asked for them.
pub(crate) async fn run(arguments: Query) -> Outcome {
    let asked = asked(&arguments)?;
    let Session { account, client } = Session::open(&arguments.target)?;
    let options = Options {
        parameters: arguments.parameters.clone(),
        consistent: arguments.consistent,
        timeout: Some(arguments.timeout),
    };
    let query = prepare(&client, &asked, &options).await?;
    query.tables().try_for_each(|table| may_read(&account, table))?;
    if arguments.explain {
        return explanation::print(&query.explain()?, arguments.json);
    }
    query.notes().iter().for_each(|note| printer::note(note));
    let format = if arguments.json {
        Format::Json
    } else {
        arguments.format
    };
    let most = most(format, arguments.max_rows);
    let mut rows = Rows::new(format, query.columns());
    let mut is_cut = false;
    let mut print = |row| {
        if rows.count() == most {
            is_cut = true;
            return ControlFlow::Break(());
        }
        rows.push(row);
        ControlFlow::Continue(())
    };
    let ended = query.run(&mut print).await?;
    let count = rows.finish();
    ended.notes.iter().for_each(|note| printer::note(note));
    if is_cut {
        printer::note(&format!(
            "note: there are more rows than these {count}; `--max-rows 0` prints all"
        ));
    }
    Ok(())
}

fn most(format: Format, asked: Option<usize>) -> usize {
    match (asked, format) {
        (Some(0), _) => usize::MAX,
        (Some(most), _) => most,
        (None, Format::Table) => MOST_IN_TABLE,
        (None, _) => usize::MAX,
    }
}

/// An object is one word; a statement is more.
fn asked(arguments: &Query) -> Outcome<Asked> {
    let question = arguments.question.trim();
    if !question.contains(|letter: char| letter.is_whitespace() || letter == '(') {
        return Ok(Asked::Simple(Simple {
            object: question.to_owned(),
            condition: arguments.condition.clone(),
            select: arguments.select.clone(),
            sort: arguments.sort.clone(),
            limit: arguments.limit,
        }));
    }
    let besides = [
        ("--where", arguments.condition.is_some()),
        ("--select", !arguments.select.is_empty()),
        ("--sort", !arguments.sort.is_empty()),
        ("--limit", arguments.limit.is_some()),
    ];
    match besides.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(
            Failure::usage(format!("`{flag}` goes with an object, not with SQL"))
                .hint("write it into the statement, or name an object: `spoke query deals --where …`"),
        ),
        None => Ok(Asked::Sql(question.to_owned())),
    }
}
