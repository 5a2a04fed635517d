//! One connection, and the questions that are asked through it.

use std::time::Duration;

use bytes::Bytes;
use opencdc::{Error, Result};
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Transaction};

use super::column::Column;
use super::error::explain;
use super::target::Target;
use crate::source::schema::Schemas;
use crate::source::table::{Dialect, Pass, Relation, Row, frontier, is_gone, quote, rows_without_place};

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

    async fn columns(&self, schemas: &mut Schemas) -> Result<Vec<Column>> {
        let sql = format!("SELECT t.* FROM {}", self.relation.rows.clause());
        let statement = self
            .transaction
            .prepare(&sql)
            .await
            .map_err(|error| self.explain(error))?;
        let columns: Vec<_> = statement.columns().iter().map(Column::of).collect();
        self.relation
            .check_columns(columns.iter().map(|column| column.name.as_str()))?;
        let mut schema = schemas.stream(&self.relation.stream, &self.relation.key);
        for column in &columns {
            schema.field(&column.name, Some(column.data_type));
        }
        Ok(columns)
    }

    async fn check_places(&self, columns: &[Column]) -> Result<()> {
        let sql = rows_without_place(
            &Postgres(columns),
            &self.relation.rows.clause(),
            &self.relation.order(),
        );
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
        let sql = frontier(
            &Postgres(columns),
            &value,
            &self.relation.rows.clause(),
            &self.relation.order(),
        );
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
        let sql = page.sql(
            &Postgres(columns),
            &wanted.join(", "),
            &self.relation.rows.clause(),
            &order,
        );
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
