//! HubSpot's error body, every field of which is optional (hubspot-api notes §3.1).

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    http::{Exchange, Response, header},
    retry::{Attempts, retry_after},
};

/// An answer with an error status, as far as HubSpot explained it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// HubSpot's class of error, such as `VALIDATION_ERROR` or `MISSING_SCOPES`.
    pub category: Option<String>,
    /// A finer class.
    pub sub_category: Option<String>,
    /// HubSpot's words.
    pub message: Option<String>,
    /// What HubSpot's support asks for.
    pub correlation_id: Option<String>,
    /// Which limit a 429 is about: `TEN_SECONDLY_ROLLING`, `SECONDLY`, `DAILY`.
    pub policy_name: Option<String>,
    /// Details, one per thing that was wrong.
    pub errors: Vec<SubError>,
    /// Names and values that the error is about.
    pub context: BTreeMap<String, Vec<String>>,
    /// Scopes that a 403 says the token needs; any one suffices.
    pub missing_scopes: Vec<String>,
    /// How long HubSpot asked to wait.
    pub retry_after: Option<Duration>,
    /// Whether the body is HubSpot's: it has a `category`, a `correlationId` or `"status":"error"`.
    has_hubspot_body: bool,
    /// The request's method.
    pub method: http::Method,
    /// The request's path, redacted.
    pub path: String,
    /// How many attempts were made.
    pub attempts: u32,
    /// How long all attempts and the waits between them took.
    pub elapsed: Duration,
}

/// One of several things that were wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SubError {
    /// HubSpot's words.
    pub message: Option<String>,
    /// Such as `PROPERTY_DOESNT_EXIST`.
    pub code: Option<String>,
    /// Which field.
    #[serde(rename = "in")]
    pub in_: Option<String>,
    /// A class, in the errors of a batch.
    pub category: Option<String>,
    /// A finer class, such as `crm.associations.NO_ASSOCIATIONS_FOUND`.
    pub sub_category: Option<String>,
    /// Names and values that the error is about.
    #[serde(deserialize_with = "lenient_context")]
    pub context: BTreeMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    status: Option<Value>,
    category: Option<String>,
    sub_category: Option<String>,
    message: Option<String>,
    correlation_id: Option<String>,
    policy_name: Option<String>,
    error_type: Option<String>,
    errors: Vec<SubError>,
    #[serde(deserialize_with = "lenient_context")]
    context: BTreeMap<String, Vec<String>>,
}

/// Documented as arrays of strings; a single value is taken as an array of one, anything else as its JSON text.
fn lenient_context<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let texts = |value| match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.into_iter().map(text).collect(),
        one => vec![text(one)],
    };
    let map = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(map
        .into_iter()
        .map(|(name, value)| (name, texts(value)))
        .collect())
}

impl Body {
    fn is_hubspots(&self) -> bool {
        let says_error = self.status.as_ref().and_then(Value::as_str) == Some("error");
        says_error || self.category.is_some() || self.correlation_id.is_some()
    }
}

/// Whether a refusal has HubSpot's error body (hubspot-api notes §3.1). A proxy, a firewall or a gateway refuses in
/// words of its own.
pub(crate) fn has_hubspot_body(response: &Response) -> bool {
    serde_json::from_slice::<Body>(response.body()).is_ok_and(|body| body.is_hubspots())
}

impl ApiError {
    /// Reads an answer with an error status. A body that is no JSON, as gateways send, leaves the fields empty.
    pub(crate) fn read(exchange: &Exchange, response: &Response) -> Self {
        let body: Body = serde_json::from_slice(response.body()).unwrap_or_default();
        let tried = response
            .extensions()
            .get::<Attempts>()
            .copied()
            .unwrap_or_default();
        let correlation = header(response, "x-hubspot-correlation-id").map(ToOwned::to_owned);
        Self {
            status: response.status().as_u16(),
            has_hubspot_body: body.is_hubspots(),
            missing_scopes: missing_scopes(&body),
            category: body.category.or(body.error_type),
            sub_category: body.sub_category,
            message: body.message,
            correlation_id: body.correlation_id.or(correlation),
            policy_name: body.policy_name,
            errors: body.errors,
            context: body.context,
            retry_after: retry_after(response),
            method: exchange.method.clone(),
            path: exchange.path.clone(),
            attempts: tried.attempts,
            elapsed: tried.elapsed,
        }
    }

    /// Whether this is the day's limit, by policy name first, then by message (hubspot-api notes §3.2).
    pub fn is_daily_limit(&self) -> bool {
        self.status == 429
            && crate::retry::LimitPolicy::of(self.policy_name.as_deref(), self.message.as_deref())
                == Some(crate::retry::LimitPolicy::Daily)
    }

    /// Whether something between here and HubSpot refused the request: a status of 4xx without HubSpot's error body.
    /// Such a refusal says nothing of scopes, and its 404 not that a record does not exist. Limits, locks and timeouts
    /// mean the same whoever answers.
    pub fn is_foreign(&self) -> bool {
        is_refusal(self.status) && !self.has_hubspot_body
    }

    /// Whether the same call may do better later.
    pub fn is_retryable(&self) -> bool {
        self.is_foreign() || matches!(self.status, 423 | 429 | 477) || is_passing(self.status)
    }

    /// What whoever reads this can do about it.
    pub fn hint(&self) -> Option<String> {
        let scopes = self.missing_scopes.join("` or `");
        match self.status {
            _ if self.is_foreign() => Some(
                "something between here and HubSpot refused the request: check proxies, firewalls and the base URL"
                    .to_owned(),
            ),
            401 => Some("check that the token is complete, not revoked, and of this account".to_owned()),
            403 if scopes.is_empty() => {
                Some("give the private app or service key the scope for this".to_owned())
            }
            403 => Some(format!(
                "give the private app or service key the scope `{scopes}`"
            )),
            429 => Some("something else is using the same limit; try again or lower the share".to_owned()),
            477 => Some("HubSpot is moving the account to another data centre; try again later".to_owned()),
            404 if self.category.is_none() => Some("check the API version and the names in the path".to_owned()),
            500.. => Some("try again; see status.hubspot.com if it stays".to_owned()),
            _ => None,
        }
    }
}

/// Refusals that mean something else when they are not HubSpot's.
pub(crate) fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 407 | 423 | 429 | 477) && !is_passing(status)
}

/// Statuses that heal by themselves: timeouts, overload, and what Cloudflare answers in HubSpot's place (520 to 530).
/// 520 and 408 were seen in public reports, 499 and 425 are what gateways in front of HubSpot may send.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 499 | 500 | 502..=504 | 520..=530)
}

fn missing_scopes(body: &Body) -> Vec<String> {
    let contexts = body
        .errors
        .iter()
        .map(|error| &error.context)
        .chain([&body.context]);
    let mut scopes: Vec<String> = Vec::new();
    for scope in contexts.flat_map(|context| context.get("requiredGranularScopes").into_iter().flatten()) {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    scopes
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            method, path, status, ..
        } = self;
        if self.is_foreign() {
            write!(f, "{method} {path}: refused with {status}, not by HubSpot")?;
        } else {
            write!(f, "{method} {path}: HubSpot answered {status}")?;
        }
        if let Some(category) = &self.category {
            write!(f, " {category}")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(id) = &self.correlation_id {
            write!(f, " (correlation id {id})")?;
        }
        crate::http::write_attempts(f, self.attempts, self.elapsed)
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn read(status: u16, body: &'static str) -> ApiError {
        let request = http::Request::get("http://h/crm/v3/objects/contacts")
            .body(())
            .unwrap();
        let response = http::Response::builder()
            .status(status)
            .header("retry-after", "3");
        ApiError::read(
            &Exchange::of(&request),
            &response.body(Bytes::from(body)).unwrap(),
        )
    }

    #[test]
    fn a_validation_error_keeps_its_details() {
        let error = read(
            400,
            r#"{"status":"error","message":"Property values were not valid","correlationId":"c-1",
               "category":"VALIDATION_ERROR","errors":[{"message":"no","code":"PROPERTY_DOESNT_EXIST","in":"x",
               "context":{"propertyName":["nope"]}}],"context":{"id":["999"]}}"#,
        );
        assert_eq!(
            error.to_string(),
            "GET /crm/v3/objects/contacts: HubSpot answered 400 VALIDATION_ERROR: Property values were not valid \
             (correlation id c-1)"
        );
        assert_eq!(error.errors[0].code.as_deref(), Some("PROPERTY_DOESNT_EXIST"));
        assert_eq!(error.errors[0].in_.as_deref(), Some("x"));
        assert_eq!(error.errors[0].context["propertyName"], ["nope"]);
        assert_eq!(error.context["id"], ["999"]);
        assert!(!error.is_retryable());
    }

    #[test]
    fn missing_scopes_are_named_in_the_hint() {
        let error = read(
            403,
            r#"{"category":"MISSING_SCOPES","errors":[{"context":{"requiredGranularScopes":["crm.objects.contacts.read"]}}]}"#,
        );
        assert_eq!(error.missing_scopes, ["crm.objects.contacts.read"]);
        assert!(error.hint().unwrap().contains("`crm.objects.contacts.read`"));
    }

    #[test]
    fn a_body_that_is_not_json_is_tolerated() {
        let error = read(502, "<html>Bad gateway</html>");
        assert_eq!(
            error.to_string(),
            "GET /crm/v3/objects/contacts: HubSpot answered 502"
        );
        assert!(error.is_retryable());
        assert_eq!(error.retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_refusal_is_hubspots_only_with_its_body() {
        for body in ["<html>Forbidden</html>", "", "{}", r#"{"message":"no"}"#, "null"] {
            for status in [400, 401, 403, 404, 409] {
                let error = read(status, body);
                assert!(error.is_foreign() && error.is_retryable(), "{status} {body}");
                assert!(error.to_string().contains("not by HubSpot"), "{error}");
                assert!(error.hint().unwrap().contains("firewalls"));
                let error = crate::Error::from(error);
                assert!(!error.is_not_found() && !error.is_unauthorized() && error.status().is_none());
            }
        }
        for body in [
            r#"{"status":"error"}"#,
            r#"{"category":"OBJECT_NOT_FOUND"}"#,
            r#"{"correlationId":"c"}"#,
        ] {
            let error = crate::Error::from(read(404, body));
            assert!(error.is_not_found() && !error.is_retryable(), "{body}");
        }
        // What a limit, a lock or a timeout means does not depend on who says it.
        for status in [408, 423, 429, 477, 500, 502, 520, 530] {
            assert!(
                !read(status, "").is_foreign() && read(status, "").is_retryable(),
                "{status}"
            );
        }
    }

    #[test]
    fn the_daily_limit_is_known_by_policy_or_message() {
        assert!(read(429, r#"{"policyName":"DAILY"}"#).is_daily_limit());
        assert!(read(429, r#"{"message":"You have reached your daily limit."}"#).is_daily_limit());
        assert!(!read(429, r#"{"policyName":"TEN_SECONDLY_ROLLING"}"#).is_daily_limit());
    }

    #[test]
    fn odd_contexts_are_kept_as_text() {
        let error = read(400, r#"{"context":{"a":"one","b":[1,"two"],"c":null}}"#);
        assert_eq!(error.context["a"], ["one"]);
        assert_eq!(error.context["b"], ["1", "two"]);
        assert!(error.context["c"].is_empty());
    }
}
