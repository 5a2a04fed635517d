//! What an answer must be like.

use super::request::Sent;
use crate::desk::Answer;

/// Says what is wrong with an answer.
pub(super) fn check(sent: &Sent, answer: &Answer) -> Result<(), String> {
    if answer.broken {
        return Err("the answer broke off, and no fault asked for that".into());
    }
    // An answer to HEAD has no body to look at; control routes are not HubSpot's.
    if sent.method == "HEAD" || sent.path.starts_with("/_emulator") {
        return no_failure(answer);
    }
    match answer.status {
        204 | 302 => empty(answer),
        200..=299 => check_success(sent, answer),
        400..=599 => check_error(sent, answer),
        other => Err(format!("{other} is no status of HubSpot's")),
    }
}

fn no_failure(answer: &Answer) -> Result<(), String> {
    match answer.status {
        501 => Ok(()),
        500.. => Err("a failure that nobody asked for".into()),
        _ => Ok(()),
    }
}

fn empty(answer: &Answer) -> Result<(), String> {
    if answer.text.is_empty() {
        Ok(())
    } else {
        Err("a body where there must be none".into())
    }
}

fn check_success(sent: &Sent, answer: &Answer) -> Result<(), String> {
    if is_for_people(sent) || !answer.body.is_null() {
        return Ok(());
    }
    Err("a success that is not JSON".into())
}

/// The page where a person lets an app in.
fn is_for_people(sent: &Sent) -> bool {
    sent.path.contains("/authorize")
}

fn check_error(sent: &Sent, answer: &Answer) -> Result<(), String> {
    if is_for_people(sent) && answer.text.starts_with("<!DOCTYPE html>") {
        return Ok(());
    }
    let text = |name: &str| answer.body[name].as_str().unwrap_or_default();
    if answer.status >= 500 && !is_meant(sent, answer) {
        return Err("a failure that nobody asked for".into());
    }
    if text("status").is_empty() || text("message").is_empty() {
        return Err("an error that is not in HubSpot's shape".into());
    }
    // OAuth answers in its own standard's shape, with HubSpot's members beside it.
    if sent.path.starts_with("/oauth/") && !text("error_description").is_empty() {
        return Ok(());
    }
    let header = answer.headers.get("x-hubspot-correlation-id");
    let header = header.and_then(|id| id.to_str().ok()).unwrap_or_default();
    if answer.status != 501 && (header.is_empty() || text("correlationId") != header) {
        return Err("an error whose correlation id is not the answer's".into());
    }
    Ok(())
}

/// 501 says what is not emulated; a time filter on epoch 0 answers 500 as HubSpot does.
fn is_meant(sent: &Sent, answer: &Answer) -> bool {
    let is = |name: &str, text: &str| answer.body[name] == *text;
    let epoch = sent.path.contains("/search") && is("message", "internal error");
    (answer.status == 501 && is("category", "NOT_EMULATED")) || (answer.status == 500 && epoch)
}
