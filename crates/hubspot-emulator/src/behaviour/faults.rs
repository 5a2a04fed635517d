//! Faults on demand: rules that match requests and say what goes wrong, some number of times.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bend::Bend;
use crate::call::decode_segment;
use crate::state::filter::wildcard;
use crate::time::Millis;

/// One rule, as `/_emulator/faults` takes and shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(rename = "match", default)]
    pub(crate) matching: Matching,
    /// How many matching requests still pass before the first one goes wrong.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) skip: u64,
    /// How many matching requests still go wrong; without it, all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u64>,
    pub(crate) action: Action,
}

/// Which requests a rule is about. All members must match.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Matching {
    /// A method, or `*`.
    pub(crate) method: String,
    /// A glob; `*` stands for any characters, also slashes.
    pub(crate) path: String,
    /// A part of the query string, as it was sent or decoded.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) query: String,
    /// A part of the body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) body: String,
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            method: "*".into(),
            path: "*".into(),
            query: String::new(),
            body: String::new(),
        }
    }
}

/// What goes wrong. At most one of `status`, `drop`, `failAfterWrite`, `truncate` and `html` is given, except
/// that `failAfterWrite` may have a `status`. Everything else can be combined.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the shape of the JSON: one member per kind of fault"
)]
pub(crate) struct Action {
    /// Answers with this status and does nothing; with `failAfterWrite`, does what was asked first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// With status 429, the limit that is said to be exceeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    /// With a status, the body: JSON, or a text that is sent as HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<serde_json::Value>,
    /// Headers that are added or replaced; null takes one away, `date` too.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, Option<String>>,
    /// How far the `Date` header is off: `-1h`, `90d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<String>,
    /// The `Retry-After` header, in seconds. Status 477 carries one anyway, of a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<u64>,
    /// Answers late: `2s`, `150ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slow: Option<String>,
    /// Closes the connection without an answer; nothing is done.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) drop: bool,
    /// Does what was asked, then closes the connection without an answer, or answers `status`.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) fail_after_write: bool,
    /// Promises the whole answer, sends half of it, and closes the connection.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) truncate: bool,
    /// Answers 200 with a page of HTML.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) html: bool,
    /// How the answer differs from the right one.
    #[serde(flatten)]
    pub(crate) bend: Bend,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Action {
    /// The wait that the answer asks for. Of HubSpot's statuses only 477, an account that moves between data
    /// centres, is documented to name one (hubspot-api notes §3.1).
    pub(crate) fn wait(&self) -> Option<u64> {
        self.retry_after.or((self.status == Some(477)).then_some(60))
    }

    /// Whether the status is answered instead of the work.
    pub(crate) fn refuses(&self) -> bool {
        self.status.is_some() && !self.fail_after_write
    }

    /// Whether the work is done and its answer lost.
    pub(crate) fn loses_answer(&self) -> bool {
        self.fail_after_write && self.status.is_none()
    }

    /// How far the `Date` header is off.
    pub(crate) fn date_offset(&self) -> Millis {
        self.date.as_deref().and_then(offset).unwrap_or(0)
    }

    /// Says what is wrong with an action, if anything.
    fn problem(&self) -> Option<String> {
        let ends = [
            self.refuses(),
            self.drop,
            self.fail_after_write,
            self.truncate,
            self.html,
        ];
        let ends = ends.into_iter().filter(|end| *end).count();
        let changes = self.slow.is_some()
            || self.date.is_some()
            || self.retry_after.is_some()
            || !self.headers.is_empty()
            || self.bend != Bend::default();
        if ends > 1 || (ends == 0 && !changes) {
            return Some(
                "an action is at most one of status, drop, failAfterWrite, truncate, html (failAfterWrite may have a \
                 status), or something else that changes the answer"
                    .into(),
            );
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Some("status must be between 200 and 599".into());
        }
        let slow = self.slow.as_deref().filter(|slow| duration(slow).is_none());
        let date = self.date.as_deref().filter(|date| offset(date).is_none());
        slow.or(date)
            .map(|text| format!("`{text}` is not a duration; write `2s` or `150ms`"))
    }
}

#[derive(Debug, Default)]
pub(crate) struct FaultPlan(Vec<Fault>);

impl FaultPlan {
    /// Adds rules behind those already there; all or none.
    pub(crate) fn add(&mut self, faults: Vec<Fault>) -> Result<(), String> {
        match faults.iter().find_map(|fault| fault.action.problem()) {
            Some(problem) => Err(problem),
            None => {
                self.0.extend(faults);
                Ok(())
            }
        }
    }

    pub(crate) fn rules(&self) -> &[Fault] {
        &self.0
    }

    /// What goes wrong with a request: the first rule that matches, is not used up and lets none pass any more.
    pub(crate) fn strike(&mut self, asked: &Subject<'_>) -> Option<Action> {
        let matching = self
            .0
            .iter_mut()
            .filter(|fault| fault.times != Some(0) && fault.matching.matches(asked));
        let mut struck = None;
        for fault in matching {
            if fault.skip == 0 {
                struck = Some(fault);
                break;
            }
            fault.skip -= 1;
        }
        let fault = struck?;
        fault.times = fault.times.map(|times| times - 1);
        let action = fault.action.clone();
        self.0.retain(|fault| fault.times != Some(0));
        Some(action)
    }
}

/// What rules look at in a request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subject<'r> {
    pub(crate) method: &'r str,
    pub(crate) path: &'r str,
    /// The query string, as it was sent.
    pub(crate) query: &'r str,
    pub(crate) body: &'r [u8],
}

impl Matching {
    fn matches(&self, asked: &Subject<'_>) -> bool {
        (self.method == "*" || self.method.eq_ignore_ascii_case(asked.method))
            && wildcard(asked.path, &self.path)
            && (asked.query.contains(&self.query) || decode_segment(asked.query).contains(&self.query))
            && (self.body.is_empty() || contains(asked.body, self.body.as_bytes()))
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Reads a duration with or without a sign, in milliseconds.
fn offset(text: &str) -> Option<Millis> {
    let millis = duration(text.trim_start_matches(['-', '+']))?.as_millis();
    let millis = Millis::try_from(millis).ok()?;
    Some(if text.starts_with('-') { -millis } else { millis })
}

/// Reads `2s`, `150ms`, `5m`, `1h`, `1d`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number
        .checked_mul(unit)
        .filter(|millis| *millis <= 400 * 366 * 86_400_000)
        .map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(json: &str) -> FaultPlan {
        let mut plan = FaultPlan::default();
        plan.add(serde_json::from_str(json).expect("valid rules"))
            .expect("valid actions");
        plan
    }

    #[test]
    fn a_rule_strikes_as_often_as_it_says() {
        let mut plan = plan(
            r#"[{"match":{"method":"POST","path":"/crm/*/search"},"times":2,"action":{"status":429,"policy":"DAILY"}}]"#,
        );
        assert!(
            plan.strike(&asked("GET", "/crm/v3/objects/contacts/search"))
                .is_none()
        );
        assert!(plan.strike(&asked("POST", "/crm/v3/objects/contacts")).is_none());
        assert!(
            plan.strike(&asked("POST", "/crm/v3/objects/contacts/search"))
                .is_some()
        );
        assert!(
            plan.strike(&asked("POST", "/crm/v3/objects/contacts/search"))
                .is_some()
        );
        assert!(
            plan.strike(&asked("POST", "/crm/v3/objects/contacts/search"))
                .is_none()
        );
        assert!(plan.rules().is_empty());
    }

    fn asked<'r>(method: &'r str, path: &'r str) -> Subject<'r> {
        Subject {
            method,
            path,
            ..Subject::default()
        }
    }

    #[test]
    fn a_rule_lets_some_pass_and_looks_at_query_and_body() {
        let mut plan = plan(
            r#"[{"match":{"query":"id=5 0"},"skip":1,"times":1,"action":{"drop":true}},
                {"match":{"body":"\"x\""},"action":{"status":500}}]"#,
        );
        let of = |query, body| Subject {
            method: "GET",
            path: "/",
            query,
            body,
        };
        assert!(plan.strike(&of("id=50", b"{}")).is_none());
        assert!(plan.strike(&of("id=5%200", b"{}")).is_none(), "the first passes");
        assert!(
            plan.strike(&of("id=5%200", b"{}"))
                .is_some_and(|action| action.drop)
        );
        assert!(plan.strike(&of("id=5%200", b"{}")).is_none());
        assert!(
            plan.strike(&of("", br#"{"x":1}"#))
                .is_some_and(|action| action.refuses())
        );
    }

    #[test]
    fn an_action_must_be_one_thing() {
        let mut plan = FaultPlan::default();
        for action in [
            r#"{"status":503,"drop":true}"#,
            r#"{"failAfterWrite":true,"html":true}"#,
            "{}",
            r#"{"slow":"soon"}"#,
            r#"{"date":"-"}"#,
        ] {
            let fault = serde_json::from_str(&format!(r#"[{{"action":{action}}}]"#)).expect("well formed");
            assert!(plan.add(fault).is_err(), "{action}");
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("2s"), Some(Duration::from_secs(2)));
        assert_eq!(duration("150ms"), Some(Duration::from_millis(150)));
        assert_eq!(duration("1h"), Some(Duration::from_hours(1)));
        for wrong in ["", "2", "s", "-1s", "2 s", "99999999999999999d"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
