//! Counts the values that did not fit their columns; the first of each field is logged.

use std::sync::{Mutex, PoisonError};

use opencdc::UnfitValues;

use super::table::Table;

/// Counts by stream and field; as many entries as there are such fields.
#[derive(Debug, Default)]
pub(super) struct Unfit(Mutex<UnfitValues>);

impl Unfit {
    /// Notes one value for each of these fields.
    pub(super) fn note(&self, table: &Table, fields: &[usize]) {
        if fields.is_empty() {
            return;
        }
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for field in fields {
            let column = &table.fields[*field];
            let key = (table.stream.name.clone(), column.identity.clone());
            let count = counts.entry(key).or_default();
            *count += 1;
            if *count == 1 {
                // The value itself may be personal, so it stays out of the log.
                tracing::debug!(
                    stream = table.name(),
                    field = column.identity,
                    r#type = ?column.data_type,
                    "a value does not fit its column; its text is kept in `_raw`"
                );
            }
        }
    }

    pub(super) fn counts(&self) -> UnfitValues {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
