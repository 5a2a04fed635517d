//! What a one-shot command holds of an account: a client, and the object types that may be reached with it.

use hubspot_client::{Client, Schema};
use hubspot_connector::objects::{self, ObjectType, STANDARD};

use serde::Serialize;

use crate::account::Account;
use crate::actions::{self, Act};
use crate::cli::Target;
use crate::compose;
use crate::exit::{Failure, Outcome};
use crate::printer;

/// The scope that custom objects' schemas need (hubspot-api notes §2.2).
const SCHEMAS_SCOPE: &str = "crm.schemas.custom.read";

/// An account to ask.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) account: Account,
    pub(crate) client: Client,
}

impl Session {
    /// The account that a person means.
    pub(crate) fn open(target: &Target) -> Outcome<Self> {
        Self::with(Account::choose(target.file.path(), target.connection.as_deref())?)
    }

    /// This account.
    pub(crate) fn with(account: Account) -> Outcome<Self> {
        let client = compose::asking(&account)?;
        Ok(Self { account, client })
    }

    /// The object type called `name`: a standard one, or else a custom one of the account.
    ///
    /// # Errors
    /// There is none, or it is outside `browsable`.
    pub(crate) async fn object(&self, name: &str) -> Outcome<ObjectType> {
        let found = match objects::resolve(name) {
            Ok(object) => object.clone(),
            Err(_) => self.custom_object(name).await?,
        };
        self.account.may_reach(&found)?;
        Ok(found)
    }

    async fn custom_object(&self, name: &str) -> Outcome<ObjectType> {
        let schemas = self.schemas().await?;
        let custom = ObjectType::customs(schemas.as_deref().unwrap_or_default());
        let reachable = |object: &&ObjectType| self.account.shows(object);
        let all: Vec<_> = STANDARD.iter().filter(reachable).chain(&custom).collect();
        let found = objects::resolve_among(all, name).cloned();
        found.map_err(|unknown| match schemas {
            Some(_) => opencdc::Error::from(unknown).into(),
            None => Failure::usage(unknown.to_string()).hint(format!(
                "if it is a custom object: the token lacks the scope `{SCHEMAS_SCOPE}`"
            )),
        })
    }

    /// Two object types.
    pub(crate) async fn pair(&self, from: &str, to: &str) -> Outcome<(ObjectType, ObjectType)> {
        Ok((self.object(from).await?, self.object(to).await?))
    }

    /// The standard types and the account's custom ones, as far as they may be reached.
    pub(crate) async fn objects(&self) -> Outcome<Vec<ObjectType>> {
        let schemas = self.schemas().await?;
        if schemas.is_none() {
            printer::note(&format!(
                "custom objects are not shown: the token lacks the scope `{SCHEMAS_SCOPE}`"
            ));
        }
        let custom = ObjectType::customs(schemas.as_deref().unwrap_or_default());
        let all = STANDARD.iter().cloned().chain(custom);
        Ok(all.filter(|object| self.account.shows(object)).collect())
    }

    /// Does something to the account.
    pub(crate) async fn run<A: Act>(&self, input: &impl Serialize) -> Outcome<A::Output> {
        actions::act::<A>(self, actions::members(input)).await
    }

    /// The custom object types' schemas; none where the token may not know of them, as in accounts below Enterprise.
    pub(crate) async fn schemas(&self) -> Outcome<Option<Vec<Schema>>> {
        match self.client.schemas().await {
            Ok(schemas) => Ok(Some(schemas)),
            Err(error) if error.status() == Some(403) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
