//! Everything that reaches the terminal: data to stdout, all else to stderr, no token in either.
#![expect(clippy::print_stderr, reason = "this is where output is allowed")]

use std::borrow::Cow;
use std::io::{IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::exit::{Failure, Outcome};

/// A line of data.
///
/// # Errors
/// None: a reader that has gone away (`spoke … | head`) ends the program quietly, as the shell expects.
pub(crate) fn data(line: &str) {
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{}", redact(line)).is_err() {
        std::process::exit(0);
    }
}

/// `value` as JSON, indented for a person, on one line for a program.
pub(crate) fn json(value: &impl Serialize) -> Outcome {
    let pretty = std::io::stdout().is_terminal();
    let text = if pretty {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    data(&text.map_err(|error| Failure::failed("cannot write JSON").because(&error))?);
    Ok(())
}

/// A table; columns as wide as they need to be when nobody's terminal limits them.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    data(&render_table(header, rows));
}

/// The text of [`table`].
pub(crate) fn render_table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(header.iter().map(|name| name.to_uppercase()));
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.add_rows(rows);
    let lines: Vec<_> = table
        .lines()
        .map(|line| line.trim_end().trim_start_matches(' ').to_owned())
        .collect();
    lines.join("\n")
}

/// Something a person may want to know; not data.
pub(crate) fn note(line: &str) {
    eprintln!("{}", redact(line));
}

/// What went wrong.
pub(crate) fn problem(text: &str) {
    eprintln!("{}", redact(text));
}

/// Logs go to stderr, one line each. `filter` is `LEVEL` or `TARGET=LEVEL,…`; the default tells warnings.
pub(crate) fn start_logging(filter: Option<&str>) {
    let targets = filter.map_or_else(
        || Ok(Targets::new().with_default(tracing::Level::WARN)),
        str::parse,
    );
    let targets = targets.unwrap_or_else(|error| {
        problem(&format!(
            "error: `--log` is not understood: {error}\n\nhint: write `debug` or `hubspot_client=debug`"
        ));
        std::process::exit(2);
    });
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry().with(targets).with(layer).init();
}

/// The text with everything that has the shape of a HubSpot token masked: the last line of defence behind
/// types that do not print (invariant 7).
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let Some(start) = text.find("pat-") else {
        return Cow::Borrowed(text);
    };
    let (before, from) = text.split_at(start);
    let length = from
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .unwrap_or(from.len());
    let (word, rest) = from.split_at(length);
    let shown = if word.matches('-').count() >= 3 {
        "pat-***"
    } else {
        word
    };
    Cow::Owned(format!("{before}{shown}{}", redact(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_masked_wherever_it_stands() {
        let text = "x pat-na1-00000000-0000-4000-8000-000000000000, pat-eu1-1-2-3 and pat-a-cake";
        assert_eq!(redact(text), "x pat-***, pat-*** and pat-a-cake");
    }

    #[test]
    fn a_table_has_no_trailing_blanks() {
        let text = render_table(
            &["name", "id"],
            [vec!["a".into(), "1".into()], vec!["bcd".into(), String::new()]],
        );
        assert!(text.lines().all(|line| line == line.trim_end()), "{text:?}");
        assert!(text.starts_with("NAME"), "{text:?}");
    }
}
