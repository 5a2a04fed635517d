//! The account's definitions while reading: new properties, new custom objects.

use std::sync::Arc;

use async_stream::try_stream;
use futures_util::Stream;
use hubspot_client::Client;
use opencdc::Result;

use super::context::{Context, Progress};
use crate::config::SourceConfig;
use crate::discovery::Discovery;

/// Looks at them again and again; yields only what changed.
pub(super) fn watch(
    client: Client,
    config: SourceConfig,
    context: Context,
) -> impl Stream<Item = Result<Progress>> + Send {
    try_stream! {
        loop {
            tokio::time::sleep(context.shape().plan.refresh).await;
            let found = Discovery::of(&client, &config).await?;
            context.board.recovered(&"definitions".into());
            let before = context.shape();
            if let Some(refused) = found.newly_refused(&before) {
                tracing::warn!(stream = %refused.stream, "{}; the definitions stay as they were read last", refused.error());
                context.board.failed(&refused.stream, &refused.error(), None);
                continue;
            }
            if found.catalog != before.catalog {
                yield Progress {
                    shape: Some(Arc::new(found.after(&before))),
                    ..Progress::default()
                };
            }
        }
    }
}
