//! What an error of PostgreSQL means for the person who reads it, and for the run loop.

use std::error::Error as _;

use opencdc::{Error, ErrorKind};
use tokio_postgres::error::{DbError, SqlState};

/// `what` was being done, to the database called `target`.
pub(super) fn explain(what: &str, target: &str, error: tokio_postgres::Error) -> Error {
    let Some(told) = error.as_db_error() else {
        return without_answer(what, target, error);
    };
    let (kind, hint) = meaning(told);
    let mut message = format!("{what} {target}: {}", told.message());
    if let Some(detail) = told.detail() {
        message = format!("{message} ({detail})");
    }
    let hint = hint.or(told.hint()).map(ToOwned::to_owned);
    let error = Error::new(kind, message);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The server said nothing: it is not there, or it is not trusted.
fn without_answer(what: &str, target: &str, error: tokio_postgres::Error) -> Error {
    let told = innermost(&error);
    if told.contains("certificate") || told.contains("TLS handshake") || told.contains("does not support TLS")
    {
        let hint = "name the server's authority with `ca`; on a network that you trust, `?sslmode=disable` in the URL \
                    leaves encryption out";
        return Error::new(ErrorKind::Refused, format!("{what} {target}: {told}")).with_hint(hint);
    }
    if told.contains("password missing") || told.contains("password") {
        return Error::new(
            ErrorKind::Refused,
            format!("{what} {target}: the server wants a password"),
        )
        .with_hint("put it into the secret that `url` refers to");
    }
    let hint = "check host and port, and whether the server listens there: `pg_isready -h HOST -p PORT`";
    Error::new(ErrorKind::Unreachable, format!("{what} {target}: {told}"))
        .with_hint(hint)
        .with_source(error)
}

fn innermost(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = cause.to_string();
        next = cause.source();
    }
    text
}

/// By the classes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn meaning(told: &DbError) -> (ErrorKind, Option<&'static str>) {
    let code = told.code();
    if *code == SqlState::QUERY_CANCELED {
        return (
            ErrorKind::Unreachable,
            Some("an index of the cursor and the key makes pages quick; or raise `statement_timeout`"),
        );
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return (
            ErrorKind::Refused,
            Some("let this user read it: `GRANT SELECT ON … TO …`"),
        );
    }
    match &code.code()[..2] {
        // Connections, resources, operators: it may be otherwise in a moment.
        "08" | "40" | "53" | "57" | "58" => (ErrorKind::Unreachable, None),
        "28" => (
            ErrorKind::Refused,
            Some("check user and password in the secret that `url` refers to"),
        ),
        "3D" => (
            ErrorKind::Configuration,
            Some("check the database's name in the secret that `url` refers to"),
        ),
        "25" => (
            ErrorKind::Configuration,
            Some("a source only reads: the query must not write"),
        ),
        "22" | "42" | "3F" => (ErrorKind::Configuration, Some("check `table`, or `query`")),
        _ => (ErrorKind::Internal, None),
    }
}
