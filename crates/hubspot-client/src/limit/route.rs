//! Which limits a request counts against (hubspot-api notes §2.5 and §3.2).

/// A limit with a window that slides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Most requests: `TEN_SECONDLY_ROLLING`.
    Burst,
    /// Searches: `SECONDLY`, shared by all programs of the account.
    Search,
    /// Association calls, beside the general one.
    Associations,
}

impl Policy {
    pub(super) const ALL: [Self; 3] = [Self::Burst, Self::Search, Self::Associations];

    pub(super) fn index(self) -> usize {
        match self {
            Self::Burst => 0,
            Self::Search => 1,
            Self::Associations => 2,
        }
    }
}

/// The limits a request counts against. The first is the one its answer's headers speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    General,
    Search,
    /// Batches and labels are exempt from the general limit.
    AssociationBatch,
    /// Associations of one record count twice.
    AssociationPage,
}

impl Route {
    pub(super) fn of(path: &str) -> Self {
        let associations = path.contains("/associations/");
        match path {
            path if path.ends_with("/search") => Self::Search,
            path if associations && (path.contains("/batch/") || path.ends_with("/labels")) => {
                Self::AssociationBatch
            }
            _ if associations => Self::AssociationPage,
            _ => Self::General,
        }
    }

    pub(super) fn policies(self) -> &'static [Policy] {
        match self {
            Self::General => &[Policy::Burst],
            Self::Search => &[Policy::Search],
            Self::AssociationBatch => &[Policy::Associations],
            Self::AssociationPage => &[Policy::Burst, Policy::Associations],
        }
    }

    pub(super) fn main(self) -> Policy {
        self.policies()[0]
    }

    /// Search answers carry no interval headers, and none they carry would be about searches.
    pub(super) fn learns(self) -> bool {
        self != Self::Search
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_both_generations_find_their_limits() {
        let routes = [
            ("/crm/v3/objects/contacts", Route::General),
            ("/crm/v3/objects/contacts/batch/read", Route::General),
            ("/crm/objects/2026-03/contacts/search", Route::Search),
            ("/crm/v3/objects/contacts/search", Route::Search),
            (
                "/crm/v4/associations/contacts/deals/batch/read",
                Route::AssociationBatch,
            ),
            (
                "/crm/associations/2026-03/contacts/0-3/labels",
                Route::AssociationBatch,
            ),
            (
                "/crm/v4/objects/contacts/7/associations/deals",
                Route::AssociationPage,
            ),
            ("/account-info/v3/details", Route::General),
        ];
        for (path, route) in routes {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }
}
