//! Where a database is.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use opencdc::{Error, ErrorKind, Result};
use tokio_postgres::Config;

use super::tls::Tls;

/// How long to wait for an answer to the connection, unless the URL says so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the database is.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: Tls,
    pub(super) statement_timeout: Duration,
    /// For messages.
    pub(super) name: String,
}

/// The name alone: a URL holds a password (invariant 7).
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.name).finish()
    }
}

impl Target {
    pub(super) fn new(url: &str, ca: Option<&Path>, statement_timeout: Duration) -> Result<Self> {
        let mut config = parse(url)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("spoke");
        }
        let (host, database) = (config.get_hosts().first(), config.get_dbname());
        let host = match host {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
            None => "localhost".to_owned(),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        Ok(Self {
            name: format!(
                "database `{}` at {host}:{port}",
                database.or(config.get_user()).unwrap_or_default()
            ),
            config,
            tls: Tls::new(ca)?,
            statement_timeout,
        })
    }
}

/// Nothing of the URL is repeated in an error.
fn parse(url: &str) -> Result<Config> {
    // Certificates are verified in any case.
    let url = url
        .trim()
        .replace("sslmode=verify-full", "sslmode=require")
        .replace("sslmode=verify-ca", "sslmode=require");
    let wrong = || {
        Error::new(ErrorKind::Configuration, "`url` does not refer to the URL of a PostgreSQL database").with_hint(
            "it is written `postgres://USER:PASSWORD@HOST:5432/DATABASE`, with `%XX` for special characters in the \
             password; `sslmode` may be `disable`, `prefer` or `require`, and authorities are named with `ca`",
        )
    };
    let config: Config = url.parse().map_err(|_| wrong())?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(wrong());
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target> {
        Target::new(url, None, Duration::from_secs(1))
    }

    #[test]
    fn a_target_is_named_without_its_password() {
        let target = target("postgres://me:hunter2@db.example.com/shop?sslmode=verify-full").unwrap();
        assert_eq!(target.name, "database `shop` at db.example.com:5432");
        assert!(!format!("{target:?} {:?}", target.config).contains("hunter2"));
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_repeated() {
        for url in [
            "hunter2",
            "postgres://me:hunter2@h:notaport/x",
            "postgres://me@h/x?hunter2=1",
            "postgres:///x",
        ] {
            let error = target(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(
                !format!("{error:?} {}", error.hint().unwrap()).contains("hunter2"),
                "{error:?}"
            );
        }
    }
}
