//! What an audit found, for a person and for a program.

use std::fmt::{self, Write as _};
use std::time::Duration;

use jiff::Timestamp;
use opencdc::{Data, StreamName};
use pipeline::audit::{self, AuditReport, AuditedStream, What};
use serde::Serialize;

use crate::progress::grouped;

/// As many findings and windows of a stream are shown to a person.
const SHOWN: usize = 20;
/// As many names of fields of one finding.
const SHOWN_FIELDS: usize = 4;

/// One pipeline.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pipeline: String,
    /// Whether the copy is complete and right, after the repair if there was one.
    right: bool,
    /// When the audit began, by HubSpot's clock.
    began: String,
    seconds: f64,
    streams: Vec<Stream>,
    /// Streams that cannot be compared.
    left_out: Vec<String>,
    /// What was not compared, by stream.
    not_compared: Vec<NotCompared>,
    /// Streams of the pipeline that HubSpot does not let be read.
    refused: Vec<Refused>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repaired: Option<Repaired>,
}

/// Part of a copy that nothing was compared with.
#[derive(Debug, Serialize)]
struct NotCompared {
    stream: String,
    what: &'static str,
}

/// Of a stream that cannot be compared at all.
const NOTHING: &str = "everything: HubSpot has no second way to read it";
/// HubSpot keeps so many values of a property and forgets older ones.
const FORGOTTEN: &str = "rows that HubSpot no longer lists: the copy keeps them";
/// The recycle bin does not give the values of its records.
const ARCHIVED: &str = "values of archived rows, only that they are marked as archived";

/// A stream of which nothing is known, and why.
#[derive(Debug, Serialize)]
struct Refused {
    stream: String,
    reason: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stream {
    #[serde(rename = "stream")]
    name: String,
    right: bool,
    hubspot: Side,
    copy: Side,
    on_their_way: u64,
    findings: Vec<Finding>,
    windows: Vec<Window>,
}

#[derive(Debug, Serialize)]
struct Window {
    from: String,
    through: String,
    right: bool,
    hubspot: Side,
    copy: Side,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Side {
    records: u64,
    checksum: String,
}

#[derive(Debug, Serialize)]
struct Finding {
    id: String,
    key: Data,
    what: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What a repair did.
#[derive(Debug, Serialize)]
pub(super) struct Repaired {
    /// Records that were written.
    written: u64,
    /// What a second audit of them found.
    left: Vec<Stream>,
}

impl Report {
    pub(super) fn new(
        pipeline: &str,
        found: &AuditReport,
        repaired: Option<Repaired>,
        elapsed: Duration,
    ) -> Self {
        let began = Timestamp::try_from(found.began).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut report = Self {
            pipeline: pipeline.to_owned(),
            right: false,
            began: began.to_string(),
            seconds: elapsed.as_secs_f64(),
            streams: found.streams.iter().map(Stream::from).collect(),
            left_out: found.left_out.iter().map(ToString::to_string).collect(),
            not_compared: not_compared(found),
            refused: found.refused.iter().map(Refused::from).collect(),
            repaired,
        };
        report.right = report.wrong() == 0 && report.refused.is_empty();
        report
    }

    pub(super) fn name(&self) -> &str {
        &self.pipeline
    }

    pub(super) fn was_repaired(&self) -> bool {
        self.repaired.is_some()
    }

    /// The streams that could not be compared because HubSpot refuses them.
    pub(super) fn refused(&self) -> Vec<&str> {
        self.refused.iter().map(|refused| &*refused.stream).collect()
    }

    /// How many records are wrong now.
    pub(super) fn wrong(&self) -> u64 {
        let streams = self
            .repaired
            .as_ref()
            .map_or(&self.streams, |repaired| &repaired.left);
        streams.iter().map(|stream| stream.findings.len() as u64).sum()
    }
}

fn not_compared(found: &AuditReport) -> Vec<NotCompared> {
    let of = |streams: &[StreamName], what| {
        let one = |stream: &StreamName| NotCompared {
            stream: stream.to_string(),
            what,
        };
        streams.iter().map(one).collect::<Vec<_>>()
    };
    let mut all = of(&found.left_out, NOTHING);
    all.extend(of(&found.forgetful, FORGOTTEN));
    all.extend(of(&found.marked, ARCHIVED));
    all
}

impl Repaired {
    pub(super) fn new(written: u64, left: &AuditReport) -> Self {
        let wrong = left.streams.iter().filter(|stream| !stream.findings.is_empty());
        Self {
            written,
            left: wrong.map(Stream::from).collect(),
        }
    }
}

impl From<&AuditedStream> for Stream {
    fn from(audited: &AuditedStream) -> Self {
        Self {
            name: audited.stream.to_string(),
            right: audited.findings.is_empty(),
            hubspot: audited.origin().into(),
            copy: audited.copy().into(),
            on_their_way: audited.on_their_way,
            findings: audited.findings.iter().map(Finding::from).collect(),
            windows: audited.windows.iter().map(Window::from).collect(),
        }
    }
}

impl From<&audit::Window> for Window {
    fn from(window: &audit::Window) -> Self {
        Self {
            from: window.from.clone(),
            through: window.through.clone(),
            right: window.origin == window.copy,
            hubspot: window.origin.into(),
            copy: window.copy.into(),
        }
    }
}

impl From<audit::Side> for Side {
    fn from(side: audit::Side) -> Self {
        Self {
            records: side.records,
            checksum: format!("{:016x}", side.checksum),
        }
    }
}

impl From<&audit::Finding> for Finding {
    fn from(finding: &audit::Finding) -> Self {
        let (what, fields, reason) = match &finding.what {
            What::Missing => ("missing", Vec::new(), None),
            What::Differs(fields) => ("differs", fields.clone(), None),
            What::Extra(reason) => ("extra", Vec::new(), reason.clone()),
            What::Remains => ("remains", Vec::new(), Some("purged".to_owned())),
        };
        Self {
            id: finding.id.clone(),
            key: finding.key.clone(),
            what,
            fields,
            reason,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: audited in {:.1} s", self.pipeline, self.seconds)?;
        for stream in &self.streams {
            write!(f, "\n  {:24} {}", stream.name, stream.verdict())?;
            stream.details(f)?;
        }
        for NotCompared { stream, what } in &self.not_compared {
            write!(f, "\n  {stream:24} not compared: {what}")?;
        }
        for refused in &self.refused {
            write!(f, "\n  {:24} not compared: {}", refused.stream, refused.reason)?;
        }
        match &self.repaired {
            None => Ok(()),
            Some(repaired) => repaired.fmt(f),
        }
    }
}

impl From<&(StreamName, String)> for Refused {
    fn from((stream, reason): &(StreamName, String)) -> Self {
        Self {
            stream: stream.to_string(),
            reason: reason.clone(),
        }
    }
}

impl Stream {
    /// In one line.
    fn verdict(&self) -> String {
        let mut text = match self.right {
            true => format!(
                "complete and right: {} of {}",
                grouped(self.copy.records),
                grouped(self.hubspot.records)
            ),
            false => format!(
                "{}; HubSpot has {}, the copy {}",
                self.counts(),
                grouped(self.hubspot.records),
                grouped(self.copy.records)
            ),
        };
        if self.on_their_way > 0 {
            let _ = write!(text, " ({} are just changing)", grouped(self.on_their_way));
        }
        text
    }

    /// `3 missing, 12 differ, 2 should be gone`.
    fn counts(&self) -> String {
        let count = |what: &str| {
            self.findings
                .iter()
                .filter(|finding| finding.what == what)
                .count() as u64
        };
        let counts = [
            (count("missing"), "missing"),
            (count("differs"), "differ"),
            (count("extra"), "should be gone"),
            (count("remains"), "should be erased"),
        ];
        let said: Vec<_> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", grouped(*count)))
            .collect();
        said.join(", ")
    }

    fn details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.findings.iter().take(SHOWN) {
            write!(f, "\n    {:22} {}", finding.id, finding.told())?;
        }
        if self.findings.len() > SHOWN {
            let more = grouped((self.findings.len() - SHOWN) as u64);
            write!(f, "\n    … and {more} more: `--json` names them all")?;
        }
        let wrong: Vec<_> = self.windows.iter().filter(|window| !window.right).collect();
        for window in wrong.iter().take(SHOWN) {
            write!(f, "\n    window {}", window.told())?;
        }
        if wrong.len() > SHOWN {
            write!(
                f,
                "\n    … and {} more windows",
                grouped((wrong.len() - SHOWN) as u64)
            )?;
        }
        Ok(())
    }
}

impl Finding {
    fn told(&self) -> String {
        match self.what {
            "differs" => {
                let shown = self.fields[..self.fields.len().min(SHOWN_FIELDS)].join(", ");
                match self.fields.len().saturating_sub(SHOWN_FIELDS) {
                    0 => format!("differs in {shown}"),
                    more => format!("differs in {shown} and {more} more"),
                }
            }
            "extra" => match &self.reason {
                Some(reason) => format!("should be gone ({reason})"),
                None => "should be gone".to_owned(),
            },
            "remains" => "was erased in HubSpot, and values of it are left here".to_owned(),
            what => what.to_owned(),
        }
    }
}

impl Window {
    fn told(&self) -> String {
        format!(
            "{} – {}: HubSpot {} ({}), the copy {} ({})",
            self.from,
            self.through,
            grouped(self.hubspot.records),
            self.hubspot.checksum,
            grouped(self.copy.records),
            self.copy.checksum
        )
    }
}

impl fmt::Display for Repaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\n  repaired: {} records written, then audited again: ",
            grouped(self.written)
        )?;
        if self.left.is_empty() {
            return f.write_str("all of them are right");
        }
        for stream in &self.left {
            write!(f, "\n  {:24} still {}", stream.name, stream.counts())?;
            stream.details(f)?;
        }
        Ok(())
    }
}
