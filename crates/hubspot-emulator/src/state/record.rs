//! One CRM record and its life.

use super::values::Values;
use crate::time::Millis;

/// What has become of a record. Every record that ever was is kept, so that the truth can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// In lists and in search.
    Live,
    /// In the recycle bin: only in lists with `archived=true`. Set by `DELETE` and batch archive.
    Archived { at: Millis },
    /// Merged away; its id leads to the survivor. Set by a merge.
    Merged { into: u64 },
    /// Deleted for privacy: nothing is left but the id. Set by a GDPR delete.
    Purged,
    /// The same, and it still lies in the recycle bin. Set by a GDPR delete while `erasedStaysInBin` is on.
    Erased { at: Millis },
}

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    pub(crate) life: Life,
    pub(crate) values: Values,
}

impl Record {
    pub(crate) fn is_live(&self) -> bool {
        self.life == Life::Live
    }

    pub(crate) fn archived_at(&self) -> Option<Millis> {
        match self.life {
            Life::Archived { at } | Life::Erased { at } => Some(at),
            _ => None,
        }
    }

    /// Whether it was deleted for privacy.
    pub(crate) fn is_purged(&self) -> bool {
        matches!(self.life, Life::Purged | Life::Erased { .. })
    }

    /// The word used by `/_emulator/truth`.
    pub(crate) fn state(&self) -> &'static str {
        match self.life {
            Life::Live => "live",
            Life::Archived { .. } => "archived",
            Life::Merged { .. } => "merged",
            Life::Purged | Life::Erased { .. } => "purged",
        }
    }
}
