//! `spoke status`: how pipelines are getting on, asked from another process than the one that runs them.

use jiff::Timestamp;
use pipeline::SqliteStore;
use serde::Serialize;

use crate::cli::Status;
use crate::compose;
use crate::exit::{Failure, Outcome};
use crate::lease::{Holder, Lease};
use crate::picture::{Picture, StreamPicture, in_words};
use crate::printer;
use crate::progress::grouped;
use crate::settings::Settings;

/// What is known of one pipeline.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    pipeline: String,
    /// Whether a process runs it right now; the picture may be that of an earlier one.
    running: bool,
    /// That process.
    holder: Option<Holder>,
    /// How old the picture is.
    age_seconds: Option<i64>,
    picture: Option<Picture>,
}

pub(crate) async fn run(arguments: Status) -> Outcome {
    let settings = Settings::load(arguments.file.path())?;
    let named: Vec<_> = arguments.pipeline.into_iter().collect();
    let state = settings.file.state.path();
    let store = match state.exists() {
        true => Some(compose::state(&settings).await?),
        false => None,
    };
    let mut reports = Vec::new();
    for (name, _) in settings.pipelines(&named)? {
        let picture = match &store {
            Some(store) => picture(store, name).await?,
            None => None,
        };
        reports.push(Report::new(name, Lease::holder(state, name), picture));
    }
    if arguments.json {
        return printer::json(&reports);
    }
    let texts: Vec<_> = reports
        .iter()
        .map(|report| report.text(Timestamp::now()))
        .collect();
    printer::data(&texts.join("\n\n"));
    Ok(())
}

async fn picture(store: &SqliteStore, name: &str) -> Outcome<Option<Picture>> {
    let Some(json) = store.status(name).await? else {
        return Ok(None);
    };
    let picture = serde_json::from_str(&json).map_err(|error| {
        Failure::failed(format!("the status of pipeline `{name}` cannot be read"))
            .because(&error)
            .hint("it was written by another version of Spoke: use that one, or run the pipeline again")
    })?;
    Ok(Some(picture))
}

impl Report {
    fn new(name: &str, holder: Option<Holder>, picture: Option<Picture>) -> Self {
        let age = |picture: &Picture| Timestamp::now().duration_since(picture.taken).as_secs();
        Self {
            pipeline: name.to_owned(),
            running: holder.is_some(),
            holder,
            age_seconds: picture.as_ref().map(age),
            picture,
        }
    }

    fn text(&self, now: Timestamp) -> String {
        let head = format!("{}: {}", self.pipeline, self.running());
        let Some(picture) = &self.picture else {
            return format!("{head}, nothing is known of a run");
        };
        let mut lines = vec![format!("{head}; {}", taken(picture, self.running, now))];
        lines.extend(trouble(picture));
        if !picture.streams.is_empty() {
            let rows = picture.streams.iter().map(row);
            lines.push(printer::render_table(&COLUMNS, rows));
        }
        lines.extend(
            picture
                .streams
                .iter()
                .filter_map(|stream| in_trouble(stream, now)),
        );
        lines.join("\n")
    }

    fn running(&self) -> String {
        match &self.holder {
            Some(Holder { pid, since }) => format!("running, process {pid} since {since:.0}"),
            None => "not running".to_owned(),
        }
    }
}

/// How old the picture is, and of what.
fn taken(picture: &Picture, running: bool, now: Timestamp) -> String {
    let ago = in_words(now.duration_since(picture.taken));
    match picture.ended.as_deref() {
        Some(ended) => format!("the last run {} {ago} ago", in_the_past(ended)),
        None if running => format!("as of {ago} ago"),
        None => format!("the last run was cut off; last seen {ago} ago"),
    }
}

fn in_the_past(ended: &str) -> &str {
    match ended {
        "caught_up" => "caught up",
        "stopped" => "was stopped",
        other => other,
    }
}

fn trouble(picture: &Picture) -> Option<String> {
    let error = picture.trouble.last_error.as_ref()?;
    let at = picture.trouble.last_error_at.map(|at| format!(" at {at:.0}"));
    let again = match picture.retries {
        0 => String::new(),
        1 => ", retried once".to_owned(),
        retries => format!(", retried {retries} times"),
    };
    Some(format!("last error{}{again}: {error}", at.unwrap_or_default()))
}

/// What is wrong with a stream right now, and when it is tried again.
fn in_trouble(stream: &StreamPicture, now: Timestamp) -> Option<String> {
    let trouble = stream.trouble.trouble.as_ref()?;
    let again = match trouble.retry_at {
        Some(at) if at > now => format!("; next attempt in {}", in_words(at.duration_since(now))),
        Some(_) => "; next attempt now".to_owned(),
        None => String::new(),
    };
    let (kind, text) = (&trouble.kind, trouble.text());
    Some(format!("{}: {kind}: {text}{again}", stream.stream))
}

const COLUMNS: [&str; 8] = [
    "stream",
    "mode",
    "position",
    "lag",
    "records",
    "rejected",
    "calls",
    "last error",
];

fn row(stream: &StreamPicture) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        stream.stream.clone(),
        or_dash(stream.mode.clone()),
        or_dash(stream.position.clone()),
        or_dash(stream.lag()),
        grouped(stream.records),
        grouped(stream.rejected),
        grouped(stream.calls),
        or_dash(stream.trouble.last_error.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Current, Trouble};

    fn report(holder: Option<Holder>, ended: Option<&str>) -> Report {
        let stream = StreamPicture {
            stream: "contacts".into(),
            mode: Some("cdc".into()),
            lag_seconds: Some(3.0),
            records: 1_234,
            ..StreamPicture::default()
        };
        let picture = Picture {
            pipeline: "crm".into(),
            pid: 7,
            started: Timestamp::UNIX_EPOCH,
            taken: Timestamp::UNIX_EPOCH,
            ended: ended.map(str::to_owned),
            retries: 2,
            trouble: Trouble {
                last_error: Some("no route".into()),
                last_error_at: Some(Timestamp::UNIX_EPOCH),
                retry_at: None,
                trouble: None,
            },
            streams: vec![stream],
        };
        Report::new("crm", holder, Some(picture))
    }

    #[test]
    fn a_running_pipeline_is_shown_with_its_streams() {
        let holder = Holder {
            pid: 7,
            since: Timestamp::UNIX_EPOCH,
        };
        let text = report(Some(holder), None).text(Timestamp::from_second(2).unwrap());
        let expected = "crm: running, process 7 since 1970-01-01T00:00:00Z; as of 2s ago\n\
                        last error at 1970-01-01T00:00:00Z, retried 2 times: no route\n";
        let table = text.strip_prefix(expected).unwrap_or_else(|| panic!("{text}"));
        let words: Vec<Vec<_>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(words[1], ["contacts", "cdc", "-", "3s", "1,234", "0", "0", "-"]);
    }

    #[test]
    fn a_stream_in_trouble_is_named_with_its_next_attempt() {
        let stream = StreamPicture {
            stream: "deals".into(),
            trouble: Trouble {
                trouble: Some(Current {
                    kind: "refused".into(),
                    message: "the token lacks the scope `x`".into(),
                    hint: Some("grant it".into()),
                    at: None,
                    retry_at: Some(Timestamp::from_second(70).unwrap()),
                }),
                ..Trouble::default()
            },
            ..StreamPicture::default()
        };
        let text = in_trouble(&stream, Timestamp::from_second(10).unwrap()).unwrap();
        let expected = "deals: refused: the token lacks the scope `x` (grant it); next attempt in 1m";
        assert_eq!(text, expected);
        assert_eq!(in_trouble(&StreamPicture::default(), Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn a_pipeline_that_does_not_run_says_how_it_ended() {
        let now = Timestamp::from_second(3_700).unwrap();
        let first = |ended| {
            let text = report(None, ended).text(now);
            text.lines().next().unwrap().to_owned()
        };
        assert_eq!(
            first(Some("caught_up")),
            "crm: not running; the last run caught up 1h 1m 40s ago"
        );
        assert_eq!(
            first(None),
            "crm: not running; the last run was cut off; last seen 1h 1m 40s ago"
        );
        let never = Report::new("crm", None, None).text(now);
        assert_eq!(never, "crm: not running, nothing is known of a run");
    }
}
