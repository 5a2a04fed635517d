//! How strict the account is where HubSpot's own behaviour varies: `/_emulator/behaviour`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::search_habits::{self, Bend};
use crate::state::record::Record;
use crate::state::store::Store;
use crate::time::Millis;

/// Settings that can be changed while the emulator runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the shape of the JSON: one member per habit"
)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Habits {
    /// Search results that changed a moment ago come in the wrong order (hubspot-api notes §1.5, §7 quirk 3).
    pub(crate) unstable_order: bool,
    /// A search that compares a time with the epoch, value 0, answers 500: production connectors guard against it
    /// (hubspot-api notes §1.5, §7 quirk 17).
    pub(crate) epoch_filter_fails: bool,
    /// Search finds and sorts by what it knew, but shows values of now, so a result may show a time outside the range that
    /// was asked for (estuary/connectors issue 2210, which calls it frequent). Needs a search lag.
    pub(crate) fresh_values: bool,
    /// One record in twenty stands in search this many milliseconds before or behind its place, across pages and at any age
    /// (estuary/connectors issue 5180, September 2026: seconds up to nearly an hour).
    pub(crate) disorder: Millis,
    /// Pages of search may show fewer results than there are, or none, while `total` and `paging.next` say that there are
    /// more (seen in production by an Airbyte maintainer, July 2026).
    pub(crate) short_pages: bool,
    /// A search for times that equal a value finds nothing. Believed to be possible: no documentation says how many digits
    /// of a time are indexed.
    pub(crate) equal_times_find_nothing: bool,
    /// Search sorts ids as texts. Believed to be possible: `hs_object_id` is a number in definitions and a text in answers.
    pub(crate) ids_sort_as_text: bool,
    /// What is added to the `total` of a search (seen by connectors as totals that differ between pages).
    pub(crate) total_drift: i64,
    /// Reads by id show records as they were this many milliseconds ago. Believed: nothing says that they are ahead of
    /// search.
    pub(crate) read_lag: Millis,
    /// The association lists of a page come under keys that no documentation knows (believed: recordings show blanks for
    /// underscores, so keys are not the names that were asked for).
    pub(crate) association_keys_differ: bool,
    /// Pages come without association lists: what HubSpot does not know in `associations=` "will be ignored" (its
    /// documentation).
    pub(crate) association_lists_missing: bool,
    /// Values that a property had in one millisecond come in any order (believed: nothing says that there is one).
    pub(crate) history_unordered: bool,
    /// Only so many of a property's newest values are given. HubSpot says 20, and 45 for contacts, of older routes.
    pub(crate) history_cut: Option<usize>,
    /// Times of a history have microseconds (hubspot-api notes §1.2: any number of digits is to be accepted).
    pub(crate) fine_times: bool,
    /// Custom objects are found by type id, `p_name` and fully qualified name, not by their bare name: so since
    /// June 2025, says more than one connector's tracker (hubspot-api notes, corrections).
    pub(crate) bare_names_refused: bool,
    /// The CMS names its times by the other pair in every family: `createdAt` for `created` and the reverse. HubSpot's
    /// reference, clients and examples disagree about the same family (hubspot-api notes §2.8).
    pub(crate) other_time_names: bool,
    /// Pages of live and archived records come in no order of ids. Believed: the order by id is documented for neither
    /// (hubspot-api notes §1.3 has it from recordings).
    pub(crate) disordered_pages: bool,
    /// Part of every paging token of a list of records; a token with another one, from before it was changed, is refused
    /// with 400. Believed: nothing says how long a token lasts. 0 is none.
    pub(crate) paging_key: u64,
    /// Lists of records write `/` as `\/` and `ö` as `\u00f6`, which reads by id do not. Believed: JSON allows both.
    pub(crate) escaped_lists: bool,
    /// Reads by id find no archived record, though the list shows it. Believed: the list is what HubSpot documents for
    /// archived records.
    pub(crate) archived_reads_miss: bool,
    /// A contact that is deleted for privacy stays in the recycle bin for 30 days, without any of its values. HubSpot's help
    /// says that it is purged within 30 days; what the API shows meanwhile is believed.
    pub(crate) erased_stays_in_bin: bool,
}

/// The two names that a time of the CMS may have.
const TIME_NAMES: [(&str, &str); 3] = [
    ("createdAt", "created"),
    ("updatedAt", "updated"),
    ("archivedAt", "deletedAt"),
];

impl Habits {
    /// Renames the times of a piece of the CMS.
    pub(crate) fn rename_times(self, piece: &mut Value) {
        let Some(members) = piece.as_object_mut().filter(|_| self.other_time_names) else {
            return;
        };
        for (one, other) in TIME_NAMES {
            let (first, second) = (members.remove(one), members.remove(other));
            members.extend(first.map(|time| (other.to_owned(), time)));
            members.extend(second.map(|time| (one.to_owned(), time)));
        }
    }

    /// How the order of results is bent.
    pub(crate) fn bend(self) -> Bend {
        Bend {
            disorder: self.disorder,
            ids_as_text: self.ids_sort_as_text,
        }
    }

    /// Bends a page of search results: their order near the frontier, the versions that are shown, and how many.
    pub(crate) fn disturb<'s>(
        self,
        page: &mut Vec<&'s Record>,
        store: &'s Store,
        (now, search): (Millis, u64),
    ) {
        if self.unstable_order {
            search_habits::swap_frontier(page, now);
        }
        if self.fresh_values {
            for record in page.iter_mut() {
                *record = search_habits::fresh(store, record);
            }
        }
        if self.short_pages {
            page.truncate(search_habits::shown(page.len(), search));
        }
    }
}
