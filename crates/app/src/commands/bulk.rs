//! `--bulk` of the commands that write: rows by HubSpot's imports instead of a hundred a call.
//!
//! The work is [`hubspot_connector::bulk`]'s; here is what a person sees of it. To write rows:
//!
//! ```text
//! let job = Job::new(&object, ImportOperation::Upsert, Some("email"))?;
//! let Ended { report, unread } = bulk::run(&client, job, rows).await;
//! bulk::tell(&report);
//! ```
//!
//! Every row that was read is written, or is in `report.failed` with its line, its values and why. A cell without a
//! value is no `""` in [`Row::values`]: leave the property out, since an import cannot clear it and refuses a row that
//! asks for it.
#![cfg_attr(
    not(test),
    expect(dead_code, reason = "`--bulk` of the commands that write calls it")
)]

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use hubspot_client::{Client, Import};
use hubspot_connector::bulk::{Bulk, Event, Fate, Job, Report, Row};
use indicatif::{ProgressBar, ProgressStyle};

use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::progress::grouped;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What became of every row that was read.
    pub(crate) report: Report,
    /// Why the input was not read to its end.
    pub(crate) unread: Option<Failure>,
}

/// Writes rows by imports, and shows how they are getting on. Input that cannot be read ends it, after the rows before
/// are written; so does a HubSpot that cannot be written to ([`Report::stopped`]).
pub(crate) async fn run(client: &Client, job: Job, rows: impl IntoIterator<Item = Outcome<Row>>) -> Ended {
    let mut shown = Shown::new();
    let mut bulk = Bulk::new(client, job, Box::new(move |event| shown.show(event)));
    let mut unread = None;
    for row in rows {
        match row {
            Ok(row) => bulk.push(row).await,
            Err(failure) => {
                unread = Some(failure);
                break;
            }
        }
    }
    let report = bulk.finish().await;
    Ended { report, unread }
}

/// Says on stderr what became of the rows, in as many lines as there are kinds of ends.
pub(crate) fn tell(report: &Report) {
    for line in lines(report) {
        printer::note(&line);
    }
}

fn lines(report: &Report) -> Vec<String> {
    let of = |fate: Fate| {
        let failed = report.failed.iter().filter(|failed| failed.fate == fate);
        failed.count() as u64
    };
    let mut lines = vec![format!(
        "{} written: {} created, {} updated",
        rows(report.written),
        grouped(report.created),
        grouped(report.updated)
    )];
    let ends = [
        (of(Fate::Refused), "refused"),
        (
            of(Fate::Unknown),
            "sent, and HubSpot has not told what became of them",
        ),
        (of(Fate::NotSent), "not sent"),
        (
            report.left_out.len() as u64,
            "written without values that HubSpot could not read",
        ),
    ];
    let told = ends.into_iter().filter(|(count, _)| *count > 0);
    lines.extend(told.map(|(count, end)| format!("{} {end}", rows(count))));
    lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    lines
}

fn rows(count: u64) -> String {
    match count {
        1 => "1 row".to_owned(),
        _ => format!("{} rows", grouped(count)),
    }
}

/// Elsewhere than on a terminal: often enough to see life, seldom enough for a log.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// How the imports of a run are shown: a bar on a terminal, lines elsewhere.
struct Shown {
    bar: Option<ProgressBar>,
    last_line: Option<Instant>,
}

impl Shown {
    fn new() -> Self {
        Self {
            bar: std::io::stderr().is_terminal().then(bar),
            last_line: None,
        }
    }

    fn show(&mut self, event: &Event<'_>) {
        let Some(line) = line(event) else { return };
        let Some(bar) = &self.bar else {
            return self.say(event, &line);
        };
        match event {
            Event::Started { import, rows } | Event::Looked { import, rows } => {
                bar.set_length(*rows as u64);
                bar.set_position(done(import));
                bar.set_message(line);
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

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
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

fn line(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Started { import, rows: count } => {
            let count = rows(*count as u64);
            Some(format!("import {} started: {count}", import.id))
        }
        Event::Looked { import, rows: count } => {
            let (done, count) = (grouped(done(import)), rows(*count as u64));
            let state = format!("{:?}", import.state).to_lowercase();
            Some(format!("import {} {state}: {done} of {count} written", import.id))
        }
        Event::Waiting { reason } => Some(format!("HubSpot takes no import now, asking again: {reason}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use axum::Router;
    use axum::body::Body;
    use hubspot_client::request::imports::ImportOperation;
    use hubspot_client::{HttpError, HttpErrorKind, HttpService, Request, Response, StaticToken};
    use hubspot_connector::objects;
    use hubspot_emulator::{Counts, DEFAULT_TOKEN, Emulator, Options};
    use tower::ServiceExt;

    use super::*;

    #[derive(Debug)]
    struct Mounted(Router);

    #[async_trait]
    impl HttpService for Mounted {
        async fn call(&self, request: Request) -> Result<Response, HttpError> {
            let interrupted = HttpError::new(HttpErrorKind::Interrupted, &request);
            let answer = self.0.clone().oneshot(request.map(Body::from)).await;
            let (head, body) = answer.expect("a router does not fail").into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await;
            bytes
                .map(|bytes| Response::from_parts(head, bytes))
                .map_err(|cause| interrupted.caused_by(cause))
        }
    }

    fn account() -> Client {
        let counts = Counts::none();
        let emulator = Emulator::new(Options {
            counts,
            ..Options::default()
        });
        let token = StaticToken::new(DEFAULT_TOKEN).expect("a token");
        let client = Client::builder().token(token);
        let client = client.http_service(Arc::new(Mounted(emulator.router())));
        client.build().expect("a client")
    }

    fn row(line: u64, email: &str) -> Row {
        let values = [("email", email), ("birthday", "soon")];
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Row {
            line,
            values: values.map(pair).into(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn rows_before_the_input_broke_are_written_and_told_of() {
        let contacts = objects::resolve("contacts").expect("a type");
        let job = Job::new(contacts, ImportOperation::Upsert, Some("email")).expect("a job");
        let input = [
            Ok(row(1, "a@x.example")),
            Ok(row(2, "wrong")),
            Err(Failure::failed("line 3 is no JSON")),
            Ok(row(4, "d@x.example")),
        ];
        let Ended { report, unread } = run(&account(), job, input).await;
        tell(&report);
        assert!(unread.is_some());
        assert_eq!((report.rows, report.written), (2, 1));
        assert_eq!(
            lines(&report),
            [
                "1 row written: 1 created, 0 updated",
                "1 row refused",
                "1 row written without values that HubSpot could not read"
            ]
        );
    }

    #[test]
    fn what_does_not_add_up_is_told_last() {
        let mut report = Report::default();
        report.notes.push("import 7: 2 rows, 1 counted".to_owned());
        let told = lines(&report);
        assert_eq!(
            told.last().map(String::as_str),
            Some("note: import 7: 2 rows, 1 counted")
        );
    }

    #[test]
    fn an_import_is_shown_by_what_it_has_written() {
        let import = serde_json::json!({"id": "7", "state": "PROCESSING",
            "metadata": {"counters": {"CREATED_OBJECTS": 1200, "UPDATED_OBJECTS": 34}}});
        let import = serde_json::from_value(import).expect("an import");
        let rows = 5000;
        assert_eq!(
            line(&Event::Looked {
                import: &import,
                rows
            })
            .as_deref(),
            Some("import 7 processing: 1,234 of 5,000 rows written")
        );
        assert_eq!(
            line(&Event::Started {
                import: &import,
                rows
            })
            .as_deref(),
            Some("import 7 started: 5,000 rows")
        );
        let _ = bar();
    }
}
