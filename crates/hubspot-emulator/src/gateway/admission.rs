//! Everything that can refuse a request before its route sees it: authentication, limits, scopes.

use http::{HeaderMap, header};
use serde_json::json;

use crate::behaviour::limits::Standing;
use crate::behaviour::oauth::Grant;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::options::{Scopes, Token};
use crate::routes::{Access, Route};
use crate::time::iso;

/// Longer URLs answer 414 (hubspot-api notes §1.3).
const LONGEST_URL: usize = 16_200;

/// Everything that can refuse a request before its route sees it.
pub(super) fn admit(
    inner: &Inner,
    head: &http::request::Parts,
    route: &Route,
    call: &mut Call,
) -> (Option<Standing>, Result<(), Failure>) {
    if head.uri.to_string().len() > LONGEST_URL {
        return (None, Err(Failure::new(414, "URI Too Long")));
    }
    if route.access == Access::Open {
        return (None, Ok(()));
    }
    let caller = match authenticate(inner, &head.headers) {
        Ok(caller) => caller,
        Err(failure) => return (None, Err(failure)),
    };
    call.app = caller.app(inner);
    let now = inner.clock.now();
    let admitted = match &caller {
        Caller::PrivateApp(token) => inner.limiter().admit(&token.value, route.toll, now),
        Caller::App(grant) => inner.limiter().admit_app(&grant.client_id, route.toll, now),
    };
    let standing = match admitted {
        Ok(standing) => standing,
        Err((policy, standing)) => return (Some(standing), Err(policy.failure(inner.options.portal_id))),
    };
    (
        Some(standing),
        check_content_type(route, call).and_then(|()| authorise(inner, &caller, route.access, call)),
    )
}

/// Whom a token stands for.
enum Caller<'i> {
    PrivateApp(&'i Token),
    App(Grant),
}

impl Caller<'_> {
    /// A name for the app, which must not be its token.
    fn app(&self, inner: &Inner) -> String {
        match self {
            Self::PrivateApp(token) => {
                let mut tokens = inner.options.tokens.iter();
                let place = tokens.position(|known| known.value == token.value);
                format!("private app {}", place.unwrap_or(0))
            }
            Self::App(grant) => grant.client_id.clone(),
        }
    }

    fn may(&self, wanted: &[String]) -> bool {
        match self {
            Self::PrivateApp(token) => token.scopes.allow(wanted),
            Self::App(grant) => Scopes::List(grant.scopes.clone()).allow(wanted),
        }
    }
}

fn authenticate<'i>(inner: &'i Inner, headers: &HeaderMap) -> Result<Caller<'i>, Failure> {
    let header = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let (scheme, value) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unauthenticated());
    }
    let value = value.trim();
    let token = inner.options.tokens.iter().find(|token| token.value == value);
    token.map_or_else(|| app_of(inner, value), |token| Ok(Caller::PrivateApp(token)))
}

fn app_of<'i>(inner: &'i Inner, token: &str) -> Result<Caller<'i>, Failure> {
    let now = inner.clock.now().wall;
    let oauth = inner.oauth();
    let held = oauth.access(token).ok_or_else(unauthenticated)?;
    if held.expires > now {
        return Ok(Caller::App(held.grant.clone()));
    }
    let seconds = (now - held.expires) / 1000;
    let message = format!("The OAuth token used to make this call expired {seconds} second(s) ago.");
    Err(Failure::new(401, message)
        .category("EXPIRED_AUTHENTICATION")
        .context("expire time", vec![iso(held.expires)]))
}

/// As recorded (hubspot-api notes §3.1).
fn unauthenticated() -> Failure {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find \
                   more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
    Failure::new(401, message).category("INVALID_AUTHENTICATION")
}

pub(super) fn content_type(headers: &HeaderMap) -> &str {
    let given = headers.get(header::CONTENT_TYPE);
    given.and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// Bodies must be JSON, and uploads forms (hubspot-api notes §3.1, §6.2).
fn check_content_type(route: &Route, call: &Call) -> Result<(), Failure> {
    let wanted = if route.is_upload {
        "multipart/form-data"
    } else {
        "application/json"
    };
    if call.body.is_empty() || call.content_type.to_ascii_lowercase().starts_with(wanted) {
        return Ok(());
    }
    let message = format!("Unsupported Media Type: the body must be {wanted}");
    Err(Failure::new(415, message))
}

fn authorise(inner: &Inner, caller: &Caller<'_>, access: Access, call: &Call) -> Result<(), Failure> {
    let portal = inner.portal();
    let object_type = match access {
        Access::Open
        | Access::ReadOwners
        | Access::ReadLists
        | Access::WriteLists
        | Access::Scope(_)
        | Access::Anyone => None,
        Access::ReadRecordsOf(name) => Some(&portal.store(portal.type_index(name)?).object_type),
        _ => Some(&portal.store(portal.type_index(call.param(0))?).object_type),
    };
    let wanted = access.scopes(object_type);
    if caller.may(&wanted) {
        Ok(())
    } else {
        Err(missing_scopes(&wanted))
    }
}

fn missing_scopes(wanted: &[String]) -> Failure {
    let message = "This app hasn't been granted all required scopes to make this call. Read more about required scopes \
                   here: https://developers.hubspot.com/scopes.";
    Failure::new(403, message)
        .category("MISSING_SCOPES")
        .error(json!({
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": wanted},
        }))
        .extra(
            "links",
            json!({"scopes": "https://developers.hubspot.com/scopes"}),
        )
}
