//! `spoke check`: does the token work, whose account is it, and which objects may it read?

use hubspot_client::request::objects::List;
use hubspot_client::{AccountDetails, Client, Error};
use hubspot_connector::objects::{self, Capability, ObjectType};
use serde::Serialize;

use crate::cli::Check;
use crate::compose;
use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::settings::Settings;

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
    let config = arguments.config.as_deref();
    let (name, connection) = compose::connection(config, arguments.connection.as_deref())?;
    let client = compose::asking(&connection, &name)?;
    let account = client
        .account()
        .await
        .map_err(|error| Failure::from(error).within(&name))?;
    let needed = needed_objects(Settings::load_if_present(config)?.as_ref(), &name);
    let mut findings = Vec::new();
    for object in tested_objects(&needed) {
        findings.push(test(&client, object).await?);
    }
    report(&arguments, &name, &account, &findings)?;
    verdict(&findings, &needed)
}

/// The objects that pipelines of this connection read.
fn needed_objects(settings: Option<&Settings>, name: &str) -> Vec<String> {
    let pipelines = settings
        .into_iter()
        .flat_map(|settings| settings.file.pipelines.values());
    let of_connection =
        pipelines.filter(|pipeline| format!("connection `{}`", pipeline.connection()) == name);
    of_connection
        .flat_map(|pipeline| {
            pipeline
                .hubspot()
                .streams
                .iter()
                .map(|stream| stream.name.clone())
        })
        .collect()
}

/// The needed objects, or every standard one that can be listed.
fn tested_objects(needed: &[String]) -> Vec<&'static ObjectType> {
    if needed.is_empty() {
        return objects::STANDARD
            .iter()
            .filter(|object| object.can(Capability::List))
            .collect();
    }
    needed
        .iter()
        .filter_map(|name| objects::resolve(name).ok())
        .collect()
}

/// Reads one record. Only an answer about this object is a finding; anything else ends the check.
async fn test(client: &Client, object: &ObjectType) -> Outcome<Finding> {
    let list = List {
        limit: 1,
        ..List::new(object.path_name())
    };
    let (status, missing_scopes, detail) = match client.list_objects(&list).await {
        Ok(_) => (Status::Readable, Vec::new(), None),
        Err(error) if !error.missing_scopes().is_empty() => {
            (Status::MissingScopes, error.missing_scopes().to_vec(), None)
        }
        Err(Error::Api(error)) if !error.is_retryable() => {
            (Status::Unavailable, Vec::new(), error.message.clone())
        }
        Err(error) => return Err(Failure::from(error).within(&object.name)),
    };
    Ok(Finding {
        object: object.name.to_string(),
        status,
        missing_scopes,
        detail,
    })
}

fn report(arguments: &Check, name: &str, account: &AccountDetails, findings: &[Finding]) -> Outcome {
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
    printer::data(&format!("{name}: ok, portal {} ({kind})\n", account.portal_id));
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
