//! Faults on demand: rules that match requests and say what goes wrong, some number of times.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::state::filter::wildcard;

/// One rule, as `/_emulator/faults` takes and shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(rename = "match", default)]
    pub(crate) matching: Matching,
    /// How many matching requests still go wrong; without it, all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u64>,
    pub(crate) action: Action,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Matching {
    /// A method, or `*`.
    pub(crate) method: String,
    /// A glob; `*` stands for any characters, also slashes.
    pub(crate) path: String,
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            method: "*".into(),
            path: "*".into(),
        }
    }
}

/// What goes wrong. Exactly one of the members that are not `policy`, `body`, `headers` or `retryAfter` is given.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the shape of the JSON: one member per kind of fault"
)]
pub(crate) struct Action {
    /// Answers with this status and does nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// With status 429, the limit that is said to be exceeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// The `Retry-After` header, in seconds. Status 477 carries one anyway, of a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<u64>,
    /// Answers well, but late: `2s`, `150ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slow: Option<String>,
    /// Closes the connection without an answer; nothing is done.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) drop: bool,
    /// Does what was asked, then closes the connection without an answer.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) fail_after_write: bool,
    /// Promises the whole answer, sends half of it, and closes the connection.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) truncate: bool,
    /// Answers 200 with a page of HTML.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) html: bool,
    /// Makes `paging.next.after` of the answer the request's own `after`, so that the page repeats for ever.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) repeat_page: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Action {
    /// The wait that the answer asks for. Of HubSpot's statuses only 477, an account that moves between data
    /// centres, is documented to name one (hubspot-api notes §3.1).
    pub(crate) fn wait(&self) -> Option<u64> {
        self.retry_after.or((self.status == Some(477)).then_some(60))
    }

    /// Says what is wrong with an action, if anything.
    fn problem(&self) -> Option<String> {
        let flags = [
            self.drop,
            self.fail_after_write,
            self.truncate,
            self.html,
            self.repeat_page,
        ];
        let kinds = flags.into_iter().filter(|flag| *flag).count()
            + usize::from(self.status.is_some())
            + usize::from(self.slow.is_some());
        if kinds != 1 {
            return Some(
                "an action is exactly one of status, slow, drop, failAfterWrite, truncate, html, repeatPage"
                    .into(),
            );
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Some("status must be between 200 and 599".into());
        }
        let slow = self.slow.as_deref();
        slow.filter(|slow| duration(slow).is_none())
            .map(|slow| format!("`{slow}` is not a duration; write `2s` or `150ms`"))
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

    /// What goes wrong with a request: the first rule that matches and is not used up.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> Option<Action> {
        let fault = self
            .0
            .iter_mut()
            .find(|fault| fault.times != Some(0) && fault.matching.matches(method, path))?;
        fault.times = fault.times.map(|times| times - 1);
        let action = fault.action.clone();
        self.0.retain(|fault| fault.times != Some(0));
        Some(action)
    }
}

impl Matching {
    fn matches(&self, method: &str, path: &str) -> bool {
        (self.method == "*" || self.method.eq_ignore_ascii_case(method)) && wildcard(path, &self.path)
    }
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
        assert!(plan.strike("GET", "/crm/v3/objects/contacts/search").is_none());
        assert!(plan.strike("POST", "/crm/v3/objects/contacts").is_none());
        assert!(plan.strike("POST", "/crm/v3/objects/contacts/search").is_some());
        assert!(plan.strike("POST", "/crm/v3/objects/contacts/search").is_some());
        assert!(plan.strike("POST", "/crm/v3/objects/contacts/search").is_none());
        assert!(plan.rules().is_empty());
    }

    #[test]
    fn an_action_must_be_one_thing() {
        let mut plan = FaultPlan::default();
        for action in [r#"{"status":503,"drop":true}"#, "{}", r#"{"slow":"soon"}"#] {
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
