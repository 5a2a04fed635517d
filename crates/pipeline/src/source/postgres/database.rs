//! One connection, and the questions that are asked through it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use opencdc::{DataType, Error, ErrorKind, Result};
use tokio::task::JoinHandle;
use tokio_postgres::types::{Kind, ToSql, Type};
use tokio_postgres::{Client, Config, IsolationLevel, Transaction};

use super::error::explain;
use super::tls::Tls;
use crate::source::schema::Schemas;
use crate::source::table::{Dialect, Pass, Relation, Row, Rows, frontier, is_gone, rows_without_place};

/// How long to wait for an answer to the connection, unless the URL says so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the database is.
#[derive(Clone)]
pub(super) struct Target {
    config: Config,
    tls: Tls,
    statement_timeout: Duration,
    name: String,
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

/// A connection, and what is asked through it.
pub(super) struct Database {
    client: Client,
    /// Ends with the client.
    connection: JoinHandle<()>,
    target: String,
    relation: Relation,
    settings: String,
}

impl Drop for Database {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// A column and its type.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    name: String,
    data_type: DataType,
    /// As it is written in SQL.
    sql_type: String,
}

struct Postgres<'a>(&'a [Column]);

impl Dialect for Postgres<'_> {
    fn term(&self, column: &str) -> String {
        term(column)
    }

    /// Values travel as text, which says all that they say; the server reads them back.
    fn value(&self, column: &str, number: usize) -> String {
        let found = self.0.iter().find(|known| known.name == column);
        let sql_type = found.map_or("text", |known| &known.sql_type);
        format!("${number}::text::{sql_type}")
    }
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn term(column: &str) -> String {
    format!("t.{}", quote(column))
}

/// The JSON object of these columns, as text.
fn object<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    let columns: Vec<_> = columns.map(term).collect();
    format!(
        "(SELECT row_to_json(o)::text FROM (SELECT {}) AS o)",
        columns.join(", ")
    )
}

impl Database {
    pub(super) async fn connect(target: &Target, relation: &Relation) -> Result<Self> {
        let connected = target.config.connect(target.tls.clone()).await;
        let (client, connection) =
            connected.map_err(|error| explain("cannot connect to", &target.name, error))?;
        // An error of the connection is the error of whatever is asked next.
        let connection = tokio::spawn(async move { drop(connection.await) });
        Ok(Self {
            client,
            connection,
            target: target.name.clone(),
            relation: relation.clone(),
            settings: settings(target.statement_timeout),
        })
    }

    /// Learns the columns and their types.
    pub(super) async fn look(&mut self, schemas: &mut Schemas) -> Result<()> {
        let reading = self.begin().await?;
        reading.columns(schemas).await?;
        reading.end().await
    }

    /// The rows of the next page.
    pub(super) async fn page(
        &mut self,
        pass: &mut Pass<String>,
        schemas: &mut Schemas,
    ) -> Result<Vec<Row<String>>> {
        let reading = self.begin().await?;
        let columns = reading.columns(schemas).await?;
        if pass.is_beginning() {
            reading.check_places(&columns).await?;
            pass.begin(reading.frontier(&columns).await?);
        }
        let rows = reading.rows(pass, &columns).await?;
        reading.end().await?;
        Ok(rows)
    }

    async fn begin(&mut self) -> Result<Reading<'_>> {
        let Self {
            client,
            target,
            relation,
            settings,
            ..
        } = self;
        let begin = async {
            let transaction = client
                .build_transaction()
                .read_only(true)
                // The greatest cursor and the rows are of one moment.
                .isolation_level(IsolationLevel::RepeatableRead)
                .start()
                .await?;
            transaction.batch_execute(settings).await?;
            Ok(transaction)
        };
        match begin.await {
            Ok(transaction) => Ok(Reading {
                transaction,
                target,
                relation,
            }),
            Err(error) => Err(explain("cannot read from", target, error)),
        }
    }
}

/// Set for one transaction at a time, so that a pool of connections in between does no harm.
fn settings(statement_timeout: Duration) -> String {
    format!(
        "SET LOCAL statement_timeout = {}; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; \
         SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'",
        statement_timeout.as_millis()
    )
}

/// A transaction that can only read.
struct Reading<'a> {
    transaction: Transaction<'a>,
    target: &'a str,
    relation: &'a Relation,
}

impl Reading<'_> {
    fn explain(&self, error: tokio_postgres::Error) -> Error {
        explain("cannot read from", self.target, error)
    }

    async fn end(self) -> Result<()> {
        let target = self.target;
        let ended = self.transaction.commit().await;
        ended.map_err(|error| explain("cannot read from", target, error))
    }

    /// What stands behind `FROM`.
    fn from(&self) -> String {
        match &self.relation.rows {
            Rows::Table(name) => {
                let name: Vec<_> = name.split('.').map(quote).collect();
                format!("{} AS t", name.join("."))
            }
            Rows::Query(query) => format!("({query}) AS t"),
        }
    }

    async fn columns(&self, schemas: &mut Schemas) -> Result<Vec<Column>> {
        let sql = format!("SELECT t.* FROM {}", self.from());
        let statement = self
            .transaction
            .prepare(&sql)
            .await
            .map_err(|error| self.explain(error))?;
        let columns: Vec<_> = statement.columns().iter().map(column).collect();
        self.relation
            .check_columns(columns.iter().map(|column| column.name.as_str()))?;
        let mut schema = schemas.stream(&self.relation.stream, &self.relation.key);
        for column in &columns {
            schema.field(&column.name, Some(column.data_type));
        }
        Ok(columns)
    }

    async fn check_places(&self, columns: &[Column]) -> Result<()> {
        let sql = rows_without_place(&Postgres(columns), &self.from(), &self.relation.order());
        let row = self
            .transaction
            .query_one(&sql, &[])
            .await
            .map_err(|error| self.explain(error))?;
        match row.try_get(0).map_err(|error| self.explain(error))? {
            true => Err(self.relation.without_place()),
            false => Ok(()),
        }
    }

    /// The greatest cursor.
    async fn frontier(&self, columns: &[Column]) -> Result<Option<String>> {
        let Some(cursor) = &self.relation.cursor else {
            return Ok(None);
        };
        let value = format!("{}::text", term(cursor));
        let sql = frontier(&Postgres(columns), &value, &self.from(), &self.relation.order());
        let row = self
            .transaction
            .query_opt(&sql, &[])
            .await
            .map_err(|error| self.explain(error))?;
        row.map(|row| row.try_get(0))
            .transpose()
            .map_err(|error| self.explain(error))
    }

    async fn rows(&self, pass: &Pass<String>, columns: &[Column]) -> Result<Vec<Row<String>>> {
        let (page, order) = (pass.page(), self.relation.order());
        let mut wanted = vec![
            object(self.relation.key.iter().map(String::as_str)),
            object(columns.iter().map(|column| column.name.as_str())),
            match &self.relation.deleted {
                Some(name) => format!("coalesce(to_json({})::text, 'null')", term(name)),
                None => "'null'".to_owned(),
            },
        ];
        wanted.extend(order.iter().map(|column| format!("{}::text", term(column))));
        let sql = page.sql(&Postgres(columns), &wanted.join(", "), &self.from(), &order);
        let values: Vec<_> = page.values().map(|value| value as &(dyn ToSql + Sync)).collect();
        let rows = self
            .transaction
            .query(&sql, &values)
            .await
            .map_err(|error| self.explain(error))?;
        let rows = rows.iter().map(|found| row(found, order.len()));
        rows.collect::<std::result::Result<_, _>>()
            .map_err(|error| self.explain(error))
    }
}

/// See [`Reading::rows`] for what stands where.
fn row(found: &tokio_postgres::Row, order: usize) -> std::result::Result<Row<String>, tokio_postgres::Error> {
    let text = |index: usize| found.try_get::<_, String>(index);
    Ok(Row {
        key: Bytes::from(text(0)?),
        columns: Bytes::from(text(1)?),
        gone: is_gone(&text(2)?),
        order: (3..3 + order).map(text).collect::<std::result::Result<_, _>>()?,
        live: found.try_get(3 + order)?,
    })
}

fn column(column: &tokio_postgres::Column) -> Column {
    let of = column.type_();
    Column {
        name: column.name().to_owned(),
        data_type: data_type(of),
        sql_type: format!("{}.{}", quote(of.schema()), quote(of.name())),
    }
}

/// What `to_json` makes of a type.
fn data_type(of: &Type) -> DataType {
    match *of {
        Type::BOOL => DataType::Boolean,
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => DataType::Integer,
        Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC => DataType::Number,
        Type::DATE => DataType::Date,
        // Without a time zone it is no instant, and stays text.
        Type::TIMESTAMPTZ => DataType::Timestamp,
        Type::JSON | Type::JSONB => DataType::Json,
        _ => match of.kind() {
            Kind::Array(_) | Kind::Composite(_) => DataType::Json,
            Kind::Domain(inner) => data_type(inner),
            _ => DataType::String,
        },
    }
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

    #[test]
    fn types_are_those_of_their_json() {
        for (of, expected) in [
            (Type::INT8, DataType::Integer),
            (Type::NUMERIC, DataType::Number),
            (Type::TIMESTAMPTZ, DataType::Timestamp),
            (Type::TIMESTAMP, DataType::String),
            (Type::UUID, DataType::String),
            (Type::TEXT_ARRAY, DataType::Json),
            (Type::JSONB, DataType::Json),
        ] {
            assert_eq!(data_type(&of), expected, "{of}");
        }
    }
}
