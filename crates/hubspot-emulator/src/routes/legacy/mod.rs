//! Older routes that popular connectors still call ("neighbours": which of them calls what is in the peers notes
//! §7): thin layers over the same state, read only. Their shapes follow the public documentation of the time;
//! none is recorded, see `parity/believed.md`.

mod change_log;
mod companies;
mod contacts;
mod deals;
mod empty;
mod engagements;
mod pipelines;
mod properties;
mod record;
mod users;

use super::Api;

pub(super) const APIS: &[Api] = &[
    Api {
        prefixes: &["properties/v2", "properties/v1"],
        routes: properties::ROUTES,
    },
    Api {
        prefixes: &["contacts", "companies", "deals"],
        routes: properties::OWN_ROUTES,
    },
    Api {
        prefixes: &["crm-pipelines/v1/pipelines"],
        routes: pipelines::ROUTES,
    },
    Api {
        prefixes: &["deals/v1/pipelines"],
        routes: pipelines::DEAL_ROUTES,
    },
    Api {
        prefixes: &["contacts/v1"],
        routes: contacts::ROUTES,
    },
    Api {
        prefixes: &["companies/v2/companies"],
        routes: companies::ROUTES,
    },
    Api {
        prefixes: &["deals/v1/deal"],
        routes: deals::ROUTES,
    },
    Api {
        prefixes: &["crm-objects/v1/change-log"],
        routes: change_log::ROUTES,
    },
    Api {
        prefixes: &["engagements/v1/engagements"],
        routes: engagements::ROUTES,
    },
    Api {
        prefixes: &["settings/v3/users", "settings/users/{dated}"],
        routes: users::ROUTES,
    },
    Api {
        prefixes: &[""],
        routes: empty::ROUTES,
    },
];
