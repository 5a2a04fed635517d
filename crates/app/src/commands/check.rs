//! `spoke check`: does the token work, whose account is it, and can each stream of the pipelines be read?

use std::collections::BTreeMap;

use hubspot_client::{AccountDetails, Error as ClientError};
use hubspot_connector::objects::{self, Capability};
use hubspot_connector::source::Probed;
use hubspot_connector::{HubspotSource, SourceConfig};
use opencdc::ErrorKind;
use serde::Serialize;

use crate::account::Account;
use crate::cli::Check;
use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::session::Session;

/// What was found out about one connection.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    connection: String,
    status: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    account: Option<Found>,
    objects: Vec<Finding>,
}

/// Whose account it is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    portal_id: String,
    account_type: Option<String>,
    time_zone: Option<String>,
}

/// Whether a connection can be used for what the pipelines need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum State {
    Active,
    /// HubSpot refuses the token, or the token lacks scopes.
    AuthError,
    Error,
}

/// What was found out about one stream.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    object: String,
    status: Status,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing_scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Readable,
    MissingScopes,
    Unavailable,
}

impl Status {
    fn text(self) -> &'static str {
        match self {
            Self::Readable => "readable",
            Self::MissingScopes => "missing scopes",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Why a connection cannot be used.
struct Problem {
    state: State,
    failure: Failure,
}

impl Problem {
    fn of(state: State, failure: impl Into<Failure>) -> Self {
        Self {
            state,
            failure: failure.into(),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::of(State::Error, failure)
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        let is_refused = matches!(error, ClientError::Token(_) | ClientError::TokenProvider(_))
            || matches!(error.status(), Some(401 | 403));
        Self::of(state(is_refused), error)
    }
}

impl From<opencdc::Error> for Problem {
    fn from(error: opencdc::Error) -> Self {
        Self::of(state(error.kind() == ErrorKind::Refused), error)
    }
}

fn state(is_refused: bool) -> State {
    match is_refused {
        true => State::AuthError,
        false => State::Error,
    }
}

/// Tests the named connection, or all. Fails when one of them does not work, or a pipeline cannot read what it needs.
pub(crate) async fn run(arguments: Check) -> Outcome {
    let accounts = Account::choose_all(arguments.file.path(), arguments.connection.as_deref())?;
    let (mut reports, mut failures) = (Vec::new(), Vec::new());
    for account in accounts {
        let peculiarities = account.connection.peculiarities();
        let (report, failure) = check(account).await;
        if !arguments.json {
            report.print(&peculiarities);
        }
        reports.push(report);
        failures.extend(failure);
    }
    if arguments.json {
        match &*reports {
            [one] => printer::json(one)?,
            all => printer::json(&all)?,
        }
    }
    let last = failures.pop();
    failures.iter().for_each(Failure::tell);
    last.map_or(Ok(()), Err)
}

async fn check(account: Account) -> (Report, Option<Failure>) {
    let mut report = Report {
        connection: account.to_string(),
        status: State::Active,
        reason: None,
        account: None,
        objects: Vec::new(),
    };
    let is_needed = !account.sources.is_empty();
    let problem = match ask(account, &mut report).await {
        Err(problem) => Some(problem),
        Ok(()) if is_needed => verdict(&report.objects),
        Ok(()) => None,
    };
    let failure = problem.map(|problem| {
        report.status = problem.state;
        report.reason = Some(problem.failure.reason());
        problem.failure.within(&report.connection)
    });
    (report, failure)
}

/// Asks the account, then for each stream what reading it needs.
async fn ask(account: Account, report: &mut Report) -> Result<(), Problem> {
    let session = Session::with(account)?;
    let details = session.client.account().await?;
    report.account = Some(details.into());
    let mut sources = session.account.sources.clone();
    if sources.is_empty() {
        sources.push(everything(&session.account));
    }
    let mut found: BTreeMap<String, Probed> = BTreeMap::new();
    let mut order = Vec::new();
    for source in sources {
        let source = HubspotSource::new(session.client.clone(), source)?;
        for probed in source.probe().await? {
            let name = probed.stream.to_string();
            let known = found.get(&name);
            if known.is_none() {
                order.push(name.clone());
            }
            if known.is_none_or(|known| known.refusal.is_none()) {
                found.insert(name, probed);
            }
        }
    }
    report.objects = order
        .iter()
        .filter_map(|name| found.remove(name))
        .map(Finding::from)
        .collect();
    Ok(())
}

/// Everything that can be listed, for an account that no pipeline reads.
fn everything(account: &Account) -> SourceConfig {
    let listed = objects::STANDARD
        .iter()
        .filter(|object| object.can(Capability::List) && account.shows(object));
    let owners = account.connection.browsable.shows_stream("owners");
    let names = listed
        .map(|object| object.name.to_string())
        .chain(owners.then(|| "owners".to_owned()));
    SourceConfig {
        associations: hubspot_connector::config::Associations::None,
        ..SourceConfig::new("check", names)
    }
}

impl From<AccountDetails> for Found {
    fn from(details: AccountDetails) -> Self {
        Self {
            portal_id: details.portal_id,
            account_type: details.account_type,
            time_zone: details.time_zone,
        }
    }
}

impl From<Probed> for Finding {
    fn from(probed: Probed) -> Self {
        let object = probed.stream.to_string();
        let Some(refusal) = probed.refusal else {
            return Self {
                object,
                status: Status::Readable,
                missing_scopes: Vec::new(),
                detail: None,
            };
        };
        match refusal.missing_scopes.is_empty() {
            true => Self {
                object,
                status: Status::Unavailable,
                missing_scopes: Vec::new(),
                detail: Some(refusal.message),
            },
            false => Self {
                object,
                status: Status::MissingScopes,
                missing_scopes: refusal.missing_scopes,
                detail: None,
            },
        }
    }
}

impl Report {
    fn print(&self, peculiarities: &[String]) {
        let name = &self.connection;
        let Some(found) = &self.account else {
            return;
        };
        let kind = found.account_type.as_deref().unwrap_or("unknown type");
        let zone = found.time_zone.as_deref().unwrap_or("an unknown time zone");
        let state = match self.status {
            State::Active => "ok",
            State::AuthError => "AUTH_ERROR",
            State::Error => "ERROR",
        };
        printer::data(&format!(
            "{name}: {state}, portal {} ({kind}, {zone})",
            found.portal_id
        ));
        if !peculiarities.is_empty() {
            printer::data(&format!("  {}", peculiarities.join(", ")));
        }
        printer::data("");
        let row = |finding: &Finding| {
            let note = finding
                .detail
                .clone()
                .unwrap_or_else(|| finding.missing_scopes.join(", "));
            vec![finding.object.clone(), finding.status.text().to_owned(), note]
        };
        printer::table(&["object", "status", "note"], self.objects.iter().map(row));
    }
}

fn verdict(findings: &[Finding]) -> Option<Problem> {
    let unreadable: Vec<_> = findings
        .iter()
        .filter(|finding| finding.status != Status::Readable)
        .collect();
    if unreadable.is_empty() {
        return None;
    }
    let names: Vec<_> = unreadable
        .iter()
        .map(|finding| format!("`{}`", finding.object))
        .collect();
    let mut scopes: Vec<_> = unreadable
        .iter()
        .flat_map(|finding| &finding.missing_scopes)
        .cloned()
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    let failure = Failure::environment(format!(
        "a pipeline needs what cannot be read: {}",
        names.join(", ")
    ));
    Some(match scopes.is_empty() {
        true => Problem::of(
            State::Error,
            failure.hint("leave these streams out, or see the table for HubSpot's answer"),
        ),
        false => Problem::of(
            State::AuthError,
            failure.hint(format!("grant the app these scopes: {}", scopes.join(", "))),
        ),
    })
}
