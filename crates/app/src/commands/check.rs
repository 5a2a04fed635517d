//! `spoke check`: does the token work, whose account is it, and which objects may it read?

use hubspot_client::request::objects::List;
use hubspot_client::{AccountDetails, Error};
use hubspot_connector::config::OWN_STREAMS;
use hubspot_connector::objects::{self, Capability};
use serde::Serialize;

use crate::account::Account;
use crate::cli::Check;
use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::session::Session;

/// What was found out about one object.
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

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    connection: &'a str,
    status: &'static str,
    portal_id: &'a str,
    account_type: Option<&'a str>,
    time_zone: Option<&'a str>,
    objects: &'a [Finding],
}

/// Calls the account, then each object once. Fails when something that a pipeline needs cannot be read.
pub(crate) async fn run(arguments: Check) -> Outcome {
    let account = Account::choose(arguments.file.path(), arguments.connection.as_deref())?;
    let session = Session::with(account)?;
    let account = &session.account;
    let name = account.to_string();
    let details = session
        .client
        .account()
        .await
        .map_err(|error| Failure::from(error).within(&name))?;
    let mut findings = Vec::new();
    for name in tested(account) {
        findings.push(test(&session, &name).await?);
    }
    report(&arguments, account, &details, &findings)?;
    verdict(&findings, &account.streams)
}

/// The streams that are needed, or everything that can be listed. The definitions (pipelines, properties) need no
/// scope but their objects'.
fn tested(account: &Account) -> Vec<String> {
    let needed = &account.streams;
    if needed.is_empty() {
        let listed = objects::STANDARD
            .iter()
            .filter(|object| object.can(Capability::List) && account.shows(object));
        let owners = account.connection.browsable.shows_stream("owners");
        return listed
            .map(|object| object.name.to_string())
            .chain(owners.then(|| "owners".to_owned()))
            .collect();
    }
    let is_definition = |name: &str| OWN_STREAMS.contains(&name) && name != "owners";
    needed
        .iter()
        .filter(|name| !is_definition(name))
        .cloned()
        .collect()
}

/// Reads one page. Only an answer about this stream is a finding; anything else ends the check.
async fn test(session: &Session, name: &str) -> Outcome<Finding> {
    let client = &session.client;
    let (object, scope, read) = match name {
        "owners" => (
            "owners".to_owned(),
            "crm.objects.owners.read".to_owned(),
            client.owners(None, false).await,
        ),
        _ => {
            let object = session.object(name).await?;
            let list = List {
                limit: 1,
                ..List::new(object.path_name())
            };
            (
                object.name.to_string(),
                object.read_scope(),
                client.list_objects(&list).await,
            )
        }
    };
    let (status, missing_scopes, detail) = match read {
        Ok(_) => (Status::Readable, Vec::new(), None),
        Err(Error::Api(error)) if error.status == 403 && !error.is_foreign() => {
            let named = error.missing_scopes.clone();
            let missing = if named.is_empty() { vec![scope] } else { named };
            (Status::MissingScopes, missing, None)
        }
        Err(Error::Api(error)) if !error.is_retryable() && error.status != 401 => {
            (Status::Unavailable, Vec::new(), error.message.clone())
        }
        Err(error) => return Err(Failure::from(error).within(&object)),
    };
    Ok(Finding {
        object,
        status,
        missing_scopes,
        detail,
    })
}

fn report(arguments: &Check, asked: &Account, account: &AccountDetails, findings: &[Finding]) -> Outcome {
    let name = &asked.to_string();
    if arguments.json {
        return printer::json(&Report {
            connection: name,
            status: "ACTIVE",
            portal_id: &account.portal_id,
            account_type: account.account_type.as_deref(),
            time_zone: account.time_zone.as_deref(),
            objects: findings,
        });
    }
    let kind = account.account_type.as_deref().unwrap_or("unknown type");
    let zone = account.time_zone.as_deref().unwrap_or("an unknown time zone");
    printer::data(&format!(
        "{name}: ok, portal {} ({kind}, {zone})",
        account.portal_id
    ));
    let peculiarities = asked.connection.peculiarities();
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
    printer::table(&["object", "status", "note"], findings.iter().map(row));
    Ok(())
}

fn verdict(findings: &[Finding], needed: &[String]) -> Outcome {
    let unreadable: Vec<_> = findings
        .iter()
        .filter(|finding| finding.status != Status::Readable)
        .collect();
    if needed.is_empty() || unreadable.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = unreadable
        .iter()
        .map(|finding| format!("`{}`", finding.object))
        .collect();
    let scopes: Vec<_> = unreadable
        .iter()
        .flat_map(|finding| &finding.missing_scopes)
        .cloned()
        .collect();
    let failure = Failure::environment(format!(
        "a pipeline needs what cannot be read: {}",
        names.join(", ")
    ));
    Err(match scopes.is_empty() {
        true => failure.hint("leave these streams out, or see the table for HubSpot's answer"),
        false => failure.hint(format!("grant the app these scopes: {}", scopes.join(", "))),
    })
}
