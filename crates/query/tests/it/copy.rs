//! A copy of an account, made as `spoke sync` makes it.

use std::sync::Arc;

use futures_util::StreamExt;
use hubspot_connector::{HubspotSource, SourceConfig};
use opencdc::{Checkpoint, Destination, Selection, Source};
use pipeline::destination::{SqliteConfig, SqliteDestination};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tempfile::TempDir;

use crate::portal::Portal;

/// A copy in a file that goes with it.
pub(crate) struct Copy {
    connection: Connection,
    _folder: TempDir,
}

impl Copy {
    /// `streams` as they stand in `spoke.yaml`.
    pub(crate) async fn of(portal: &Portal, streams: serde_json::Value) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("copy.db");
        let config: SourceConfig =
            serde_json::from_value(json!({"connection": "emulator", "streams": streams}))
                .expect("a configuration");
        let source = HubspotSource::new(portal.client(), config).expect("a source");
        let catalog = source.catalog().await.expect("a catalog");
        let destination = SqliteDestination::open(SqliteConfig::new(&path), "copy")
            .await
            .expect("a file");
        destination.prepare(&catalog).await.expect("tables");
        let mut batches = source
            .read(Selection::everything(&catalog), None)
            .await
            .expect("a read");
        let mut sequence = 0;
        while let Some(batch) = batches.next().await {
            let batch = batch.expect("a batch");
            sequence += 1;
            let checkpoint = Checkpoint::new(sequence, batch.position.clone());
            destination
                .write(Arc::new(batch), checkpoint)
                .await
                .expect("rows");
        }
        destination.close().await.expect("it closes");
        let connection =
            Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the copy");
        Self {
            connection,
            _folder: folder,
        }
    }

    /// The rows of a statement.
    pub(crate) fn rows(&self, sql: &str) -> rusqlite::Result<Vec<Vec<Value>>> {
        let mut statement = self.connection.prepare(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|n| row.get(n)).collect())?;
        rows.collect()
    }
}
