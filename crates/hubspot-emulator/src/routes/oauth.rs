//! OAuth: `/oauth/authorize`, and tokens from `/oauth/{v1,v3,dated}/token` (hubspot-api notes §4). The approval
//! page is the emulator's own; anybody may approve.

use http::Method;
use serde_json::{Value, json};

use super::{Access, Answer, Route, route};
use crate::behaviour::limits::{APP_ID, Toll};
use crate::behaviour::oauth::{Grant, Issued};
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::html::escape;
use crate::options::Scopes;
use crate::reply::Reply;

const OPEN: Access = Access::Open;
const TOLL: Toll = Toll::General;

pub(super) const AUTHORIZE: &[Route] = &[
    route(Method::GET, "", TOLL, OPEN, authorize),
    route(Method::POST, "", TOLL, OPEN, approve),
];

pub(super) const TOKENS: &[Route] = &[route(Method::POST, "token", TOLL, OPEN, token)];

pub(super) const V1: &[Route] = &[
    route(Method::GET, "access-tokens/{token}", TOLL, OPEN, access_token),
    route(Method::GET, "refresh-tokens/{token}", TOLL, OPEN, refresh_token),
    route(
        Method::DELETE,
        "refresh-tokens/{token}",
        TOLL,
        OPEN,
        forget_refresh_token,
    ),
];

pub(super) const NEWER: &[Route] = &[
    route(Method::POST, "token/introspect", TOLL, OPEN, introspect),
    route(Method::POST, "token/revoke", TOLL, OPEN, revoke),
];

pub(super) const PRIVATE_APPS: &[Route] = &[route(
    Method::POST,
    "get/access-token-info",
    TOLL,
    OPEN,
    private_app,
)];

/// The person whom every token stands for.
const USER: (u64, &str) = (1_000_001, "admin@emulator.test");

/// A field of the body: a form, or JSON, which the newer official client sends.
fn field(call: &Call, name: &str) -> String {
    if call.body.first() == Some(&b'{') {
        let fields: Value = call.json().unwrap_or_default();
        return fields[name].as_str().unwrap_or_default().to_owned();
    }
    let mut fields = form_urlencoded::parse(&call.body);
    fields
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// What somebody is asked to approve.
struct Wish {
    grant: Grant,
    redirect_uri: String,
    state: Option<String>,
}

impl Wish {
    fn read(emulator: &Inner, get: impl Fn(&str) -> Option<String>) -> Result<Self, &'static str> {
        let client_id = get("client_id").unwrap_or_default();
        let oauth = emulator.oauth();
        let app = oauth
            .app(&client_id)
            .ok_or("There is no app of this client_id. Register it with POST /_emulator/apps.")?;
        let redirect_uri = get("redirect_uri").unwrap_or_default();
        if !["http://", "https://"]
            .iter()
            .any(|scheme| redirect_uri.starts_with(scheme))
        {
            return Err("redirect_uri must be an http or https address.");
        }
        let words = |name| get(name).unwrap_or_default();
        let mut scopes = split(&words("scope"));
        let optional = split(&words("optional_scope"));
        scopes.extend(optional.into_iter().filter(|scope| app.scopes.contains(scope)));
        if !scopes.iter().all(|scope| app.may(scope)) {
            return Err("The app does not have all of the scopes that the address asks for.");
        }
        Ok(Self {
            grant: Grant { client_id, scopes },
            redirect_uri,
            state: get("state"),
        })
    }
}

/// Scopes are separated by blanks; commas are seen too.
fn split(scopes: &str) -> Vec<String> {
    let words = scopes.split([' ', ',']).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn authorize(emulator: &Inner, call: &Call) -> Answer {
    Ok(
        match Wish::read(emulator, |name| call.query(name).map(str::to_owned)) {
            Ok(wish) => Reply::html(200, &approval_page(&wish)),
            Err(problem) => problem_page(problem),
        },
    )
}

fn problem_page(problem: &str) -> Reply {
    Reply::html(
        400,
        &format!("<!DOCTYPE html><html lang=\"en\"><title>Not possible</title><p>{problem}</p></html>"),
    )
}

fn approval_page(wish: &Wish) -> String {
    let hidden = |name: &str, value: &str| {
        format!(
            "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
            escape(value)
        )
    };
    let scopes = wish.grant.scopes.join(" ");
    let mut fields = hidden("client_id", &wish.grant.client_id)
        + &hidden("redirect_uri", &wish.redirect_uri)
        + &hidden("scope", &scopes);
    if let Some(state) = &wish.state {
        fields += &hidden("state", state);
    }
    let items: Vec<String> = wish.grant.scopes.iter().map(|scope| escape(scope)).collect();
    let items = items.join("</li><li>");
    format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Connect an app</title>\
         <h1>Connect {} to this emulated account?</h1><p>It asks for:</p><ul><li>{items}</li></ul>\
         <form method=\"post\" action=\"/oauth/authorize\">{fields}<button>Approve</button></form></html>",
        escape(&wish.grant.client_id)
    )
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn approve(emulator: &Inner, call: &Call) -> Answer {
    let present = |name: &str| Some(field(call, name)).filter(|text| !text.is_empty());
    let wish = match Wish::read(emulator, present) {
        Ok(wish) => wish,
        Err(problem) => return Ok(problem_page(problem)),
    };
    let code = emulator.oauth().approve(wish.grant, &wish.redirect_uri);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("code", &code);
    if let Some(state) = &wish.state {
        query.append_pair("state", state);
    }
    let mark = if wish.redirect_uri.contains('?') { '&' } else { '?' };
    Ok(Reply::redirect(format!(
        "{}{mark}{}",
        wish.redirect_uri,
        query.finish()
    )))
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn token(emulator: &Inner, call: &Call) -> Answer {
    let now = emulator.clock.now().wall;
    let client_id = field(call, "client_id");
    let mut oauth = emulator.oauth();
    if oauth.proven(&client_id, &field(call, "client_secret")).is_none() {
        let text = "missing or invalid client id or client secret";
        return Ok(refused("invalid_client", "BAD_CLIENT_ID", text));
    }
    let (issued, problem) = match field(call, "grant_type").as_str() {
        "authorization_code" => (
            oauth.exchange(
                &client_id,
                &field(call, "code"),
                &field(call, "redirect_uri"),
                now,
            ),
            ("BAD_AUTH_CODE", "missing or unknown auth code"),
        ),
        "refresh_token" => (
            oauth.refresh(&client_id, &field(call, "refresh_token"), now),
            ("BAD_REFRESH_TOKEN", "missing or invalid refresh token"),
        ),
        _ => {
            let text = "grant_type must be authorization_code or refresh_token";
            return Ok(refused("unsupported_grant_type", "BAD_GRANT_TYPE", text));
        }
    };
    let newer = !call.path.contains("/v1/");
    Ok(match issued {
        Some(issued) => Reply::value(200, &issued_json(emulator, &issued, newer)),
        None => refused("invalid_grant", problem.0, problem.1),
    })
}

/// The error's own shape (hubspot-api notes §4).
fn refused(error: &str, status: &str, text: &str) -> Reply {
    Reply::value(
        400,
        &json!({"error": error, "error_description": text, "status": status, "message": text}),
    )
}

fn issued_json(emulator: &Inner, issued: &Issued, newer: bool) -> Value {
    let mut body = json!({
        "token_type": "bearer",
        "access_token": issued.access,
        "refresh_token": issued.refresh,
        "expires_in": issued.seconds,
    });
    if newer {
        body["hub_id"] = emulator.options.portal_id.into();
        body["user_id"] = USER.0.into();
        body["scopes"] = json!(issued.grant.scopes);
        body["token_use"] = "access_token".into();
    }
    body
}

fn facts(emulator: &Inner, grant: &Grant, kind: &str) -> Value {
    json!({
        "user": USER.1,
        "user_id": USER.0,
        "hub_domain": "emulator.test",
        "hub_id": emulator.options.portal_id,
        "app_id": APP_ID,
        "client_id": grant.client_id,
        "scopes": grant.scopes,
        "token_type": kind,
    })
}

fn access_token(emulator: &Inner, call: &Call) -> Answer {
    let now = emulator.clock.now().wall;
    let oauth = emulator.oauth();
    let held = oauth.access(call.param(0)).ok_or_else(Failure::not_found)?;
    let mut body = facts(emulator, &held.grant, "access");
    body["token"] = call.param(0).into();
    body["expires_in"] = ((held.expires - now).max(0) / 1000).into();
    Ok(Reply::value(200, &body))
}

fn refresh_token(emulator: &Inner, call: &Call) -> Answer {
    let oauth = emulator.oauth();
    let grant = oauth
        .refresh_grant(call.param(0))
        .ok_or_else(Failure::not_found)?;
    let mut body = facts(emulator, grant, "refresh");
    body["token"] = call.param(0).into();
    Ok(Reply::value(200, &body))
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn forget_refresh_token(emulator: &Inner, call: &Call) -> Answer {
    emulator.oauth().revoke(call.param(0));
    Ok(Reply::no_content())
}

/// Whether the caller proved to be an app, as introspection and revocation ask for.
fn is_app(emulator: &Inner, call: &Call) -> bool {
    let (id, secret) = (field(call, "client_id"), field(call, "client_secret"));
    emulator.oauth().proven(&id, &secret).is_some()
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn introspect(emulator: &Inner, call: &Call) -> Answer {
    if !is_app(emulator, call) {
        let text = "missing or invalid client id or client secret";
        return Ok(refused("invalid_client", "BAD_CLIENT_ID", text));
    }
    let (token, now) = (field(call, "token"), emulator.clock.now().wall);
    let oauth = emulator.oauth();
    let access = oauth.access(&token).filter(|held| held.expires > now);
    let body = if let Some(held) = access {
        let mut body = facts(emulator, &held.grant, "bearer");
        body["active"] = true.into();
        body["token_use"] = "access_token".into();
        body["expires_in"] = ((held.expires - now) / 1000).into();
        body
    } else if let Some(grant) = oauth.refresh_grant(&token) {
        let mut body = facts(emulator, grant, "bearer");
        body["active"] = true.into();
        body["token_use"] = "refresh_token".into();
        body
    } else {
        json!({"active": false})
    };
    Ok(Reply::value(200, &body))
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn revoke(emulator: &Inner, call: &Call) -> Answer {
    if !is_app(emulator, call) {
        let text = "missing or invalid client id or client secret";
        return Ok(refused("invalid_client", "BAD_CLIENT_ID", text));
    }
    emulator.oauth().revoke(&field(call, "token"));
    Ok(Reply::value(200, &json!({})))
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TokenKey {
    token_key: String,
}

fn private_app(emulator: &Inner, call: &Call) -> Answer {
    let asked: TokenKey = call.json()?;
    let mut tokens = emulator.options.tokens.iter();
    let token = tokens.find(|token| token.value == asked.token_key);
    let scopes = match &token.ok_or_else(Failure::not_found)?.scopes {
        Scopes::All => Vec::new(),
        Scopes::List(scopes) => scopes.clone(),
    };
    Ok(Reply::value(
        200,
        &json!({"userId": USER.0, "hubId": emulator.options.portal_id, "appId": APP_ID, "scopes": scopes}),
    ))
}
