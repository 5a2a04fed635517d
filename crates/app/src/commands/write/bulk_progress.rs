//! What a person sees of imports meanwhile: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use hubspot_client::Import;
use hubspot_connector::bulk::Event;
use indicatif::{ProgressBar, ProgressStyle};

use crate::printer;
use crate::progress::grouped;

/// Elsewhere than on a terminal: often enough to see life, seldom enough for a log.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// How the imports of a run are shown, one after the other.
#[derive(Clone)]
pub(crate) struct Shown {
    bar: Option<ProgressBar>,
    last_line: Option<Instant>,
}

impl Shown {
    pub(crate) fn new() -> Self {
        Self {
            bar: std::io::stderr().is_terminal().then(bar),
            last_line: None,
        }
    }

    pub(crate) fn show(&mut self, event: &Event<'_>) {
        let Some(line) = line(event) else { return };
        let Some(bar) = &self.bar else {
            return self.say(event, &line);
        };
        match event {
            Event::Looked { import, rows } if !import.state.is_over() => {
                bar.set_length(*rows as u64);
                bar.set_position(done(import));
                bar.set_message(line);
            }
            Event::Looked { .. } => {
                bar.finish_and_clear();
                bar.reset();
                printer::note(&line);
            }
            _ => bar.suspend(|| printer::note(&line)),
        }
    }

    fn say(&mut self, event: &Event<'_>, line: &str) {
        let now = Instant::now();
        let too_soon = self.last_line.is_some_and(|last| now - last < BETWEEN_LINES);
        if too_soon && matches!(event, Event::Looked { import, .. } if !import.state.is_over()) {
            return;
        }
        self.last_line = Some(now);
        printer::note(line);
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{human_pos:>11} of {human_len:11} [{bar:25}] {msg}")
        .expect("the template is a constant that a test parses");
    ProgressBar::no_length().with_style(style.progress_chars("=> "))
}

/// Records that an import has written so far.
fn done(import: &Import) -> u64 {
    import.created() + import.updated()
}

fn rows(count: usize) -> String {
    match count {
        1 => "1 row".to_owned(),
        _ => format!("{} rows", grouped(count as u64)),
    }
}

fn line(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Started { import, rows: count } => {
            Some(format!("import {} started: {}", import.id, rows(*count)))
        }
        Event::Looked { import, rows: count } => {
            let (done, count) = (grouped(done(import)), rows(*count));
            let state = format!("{:?}", import.state).to_lowercase();
            Some(format!("import {} {state}: {done} of {count} written", import.id))
        }
        Event::Waiting { reason } => Some(format!("HubSpot takes no import now, asking again: {reason}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_shown_by_what_it_has_written() {
        let import = serde_json::json!({"id": "7", "state": "PROCESSING",
            "metadata": {"counters": {"CREATED_OBJECTS": 1200, "UPDATED_OBJECTS": 34}}});
        let import = serde_json::from_value(import).expect("an import");
        let event = |rows| Event::Looked {
            import: &import,
            rows,
        };
        let shown = line(&event(5000));
        assert_eq!(
            shown.as_deref(),
            Some("import 7 processing: 1,234 of 5,000 rows written")
        );
        let started = Event::Started {
            import: &import,
            rows: 1,
        };
        assert_eq!(line(&started).as_deref(), Some("import 7 started: 1 row"));
        let _ = bar();
    }
}
