//! The routes of the emulated HubSpot, as tables: what a path means, what it costs, what it needs. The two path
//! generations and their aliases (hubspot-api notes §0) are several prefixes of one table.

mod account_info;
mod association_labels;
mod associations;
mod associations_batch;
mod associations_v3;
mod deal_splits;
mod history_json;
mod hubdb;
mod hubdb_batch;
mod imports;
mod legacy;
mod limits_tracking;
mod list_members;
mod lists;
mod marketing_events;
mod oauth;
mod objects;
mod objects_batch;
mod objects_merge;
mod objects_search;
mod owners;
mod pipelines;
mod properties;
mod property_groups;
mod record_json;
mod resources;
mod resources_batch;
mod schemas;
mod stencil;

use http::Method;

pub(crate) use list_members::live as live_members;
pub(crate) use lists::list_json;
pub(crate) use owners::owner_json;
pub(crate) use pipelines::pipeline_json;
pub(crate) use stencil::Stencil;

use crate::behaviour::limits::Toll;
use crate::call::{Call, decode_segment};
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::object_type::ObjectType;
use crate::state::resources::{
    BLOG_AUTHORS, BLOG_POSTS, BLOG_TAGS, DOMAINS, FORMS, HUBDB_TABLES, LANDING_PAGES, SITE_PAGES,
    URL_REDIRECTS,
};

pub(crate) type Answer = Result<Reply, Failure>;
type Handler = fn(&Inner, &Call) -> Answer;

/// What a token must be allowed to do; the object type is the route's first placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadRecords,
    /// For paths that name no object type.
    ReadRecordsOf(&'static str),
    WriteRecords,
    ReadDefinitions,
    WriteDefinitions,
    ReadOwners,
    ReadLists,
    WriteLists,
    /// Whatever has this one scope.
    Scope(&'static str),
    Anyone,
    /// No token, no limits, and any kind of body: OAuth.
    Open,
}

impl Access {
    /// Scopes of which one is needed.
    pub(crate) fn scopes(self, object_type: Option<&ObjectType>) -> Vec<String> {
        match (self, object_type) {
            (Self::Scope(scope), _) => vec![scope.into()],
            (Self::ReadOwners, _) => vec!["crm.objects.owners.read".into()],
            (Self::ReadLists, _) => vec!["crm.lists.read".into()],
            (Self::WriteLists, _) => vec!["crm.lists.write".into()],
            (Self::ReadRecords | Self::ReadRecordsOf(_), Some(of)) => of.scopes("read"),
            (Self::WriteRecords, Some(of)) => of.scopes("write"),
            (Self::ReadDefinitions, Some(of)) => {
                let mut scopes = of.scopes("read");
                scopes.push(of.schema_scope("read"));
                scopes
            }
            (Self::WriteDefinitions, Some(of)) => vec![of.schema_scope("write")],
            _ => Vec::new(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Route {
    method: Method,
    template: &'static str,
    pub(crate) toll: Toll,
    pub(crate) access: Access,
    pub(crate) handler: Handler,
    /// Takes files instead of JSON.
    pub(crate) is_upload: bool,
}

const fn route(
    method: Method,
    template: &'static str,
    toll: Toll,
    access: Access,
    handler: Handler,
) -> Route {
    Route {
        method,
        template,
        toll,
        access,
        handler,
        is_upload: false,
    }
}

/// A `POST` of files.
const fn upload(template: &'static str, toll: Toll, access: Access, handler: Handler) -> Route {
    Route {
        method: Method::POST,
        template,
        toll,
        access,
        handler,
        is_upload: true,
    }
}

#[derive(Debug)]
struct Api {
    /// `{dated}` stands for a dated version.
    prefixes: &'static [&'static str],
    routes: &'static [Route],
}

const APIS: &[Api] = &[
    Api {
        prefixes: &[
            "crm/v3/objects",
            "crm/objects/v3",
            // It answers like v3: a Singer tap in production relies on it (hubspot-api notes, corrections).
            "crm/v4/objects",
            "crm/objects/v4",
            "crm/objects/{dated}",
        ],
        routes: objects::ROUTES,
    },
    Api {
        prefixes: &["crm/v3/objects", "crm/objects/v3"],
        routes: associations::V3_ROUTES,
    },
    Api {
        prefixes: &["crm/v3/objects", "crm/objects/v3"],
        routes: associations_v3::RECORD_ROUTES,
    },
    Api {
        prefixes: &["crm/v4/objects", "crm/objects/v4", "crm/objects/{dated}"],
        routes: associations::ROUTES,
    },
    Api {
        prefixes: &[
            "crm/v4/associations",
            "crm/associations/v4",
            "crm/associations/{dated}",
        ],
        routes: associations_batch::ROUTES,
    },
    Api {
        prefixes: &[
            "crm/v4/associations",
            "crm/associations/v4",
            "crm/associations/{dated}",
        ],
        routes: association_labels::ROUTES,
    },
    Api {
        prefixes: &["crm/v3/associations", "crm/associations/v3"],
        routes: associations_v3::ROUTES,
    },
    Api {
        prefixes: &["crm/v3/properties", "crm/properties/v3", "crm/properties/{dated}"],
        routes: property_groups::ROUTES,
    },
    Api {
        prefixes: &["crm/v3/properties", "crm/properties/v3", "crm/properties/{dated}"],
        routes: properties::ROUTES,
    },
    Api {
        prefixes: &["crm/v3/pipelines", "crm/pipelines/v3", "crm/pipelines/{dated}"],
        routes: pipelines::ROUTES,
    },
    Api {
        prefixes: &["crm/v3/owners", "crm/owners/v3", "crm/owners/{dated}"],
        routes: owners::ROUTES,
    },
    Api {
        prefixes: &[
            "crm-object-schemas/v3/schemas",
            "crm/v3/schemas",
            "crm-object-schemas/{dated}/schemas",
        ],
        routes: schemas::ROUTES,
    },
    Api {
        prefixes: &["crm/v3/imports", "crm/imports/v3", "crm/imports/{dated}"],
        routes: imports::ROUTES,
    },
    Api {
        prefixes: &["crm/v3/lists", "crm/lists/v3", "crm/lists/{dated}"],
        routes: lists::ROUTES,
    },
    Api {
        prefixes: &[
            "crm/v3/objects/deals/splits",
            "crm/objects/v3/deals/splits",
            "deal-splits/{dated}",
        ],
        routes: deal_splits::ROUTES,
    },
    Api {
        prefixes: &[
            "marketing/v3/marketing-events",
            "marketing/marketing-events/{dated}",
        ],
        routes: marketing_events::ROUTES,
    },
    Api {
        prefixes: &["crm/v3/limits", "crm/limits/v3", "crm/limits/{dated}"],
        routes: limits_tracking::ROUTES,
    },
    Api {
        prefixes: &[
            "crm/v3/object-library/enablement",
            "crm/object-library/{dated}/enablement",
        ],
        routes: limits_tracking::LIBRARY,
    },
    Api {
        prefixes: &["oauth/authorize"],
        routes: oauth::AUTHORIZE,
    },
    Api {
        prefixes: &["oauth/v1", "oauth/v3", "oauth/{dated}"],
        routes: oauth::TOKENS,
    },
    Api {
        prefixes: &["oauth/v1"],
        routes: oauth::V1,
    },
    Api {
        prefixes: &["oauth/v3", "oauth/{dated}"],
        routes: oauth::NEWER,
    },
    Api {
        prefixes: &["oauth/v2/private-apps"],
        routes: oauth::PRIVATE_APPS,
    },
    Api {
        prefixes: &["account-info/v3", "account-info/{dated}"],
        routes: account_info::ROUTES,
    },
    Api {
        prefixes: FORMS.prefixes,
        routes: resources::FORM_ROUTES,
    },
    Api {
        prefixes: BLOG_AUTHORS.prefixes,
        routes: resources::CONTENT_ROUTES,
    },
    Api {
        prefixes: BLOG_AUTHORS.prefixes,
        routes: resources_batch::ROUTES,
    },
    Api {
        prefixes: BLOG_POSTS.prefixes,
        routes: resources::CONTENT_ROUTES,
    },
    Api {
        prefixes: BLOG_POSTS.prefixes,
        routes: resources_batch::ROUTES,
    },
    Api {
        prefixes: BLOG_TAGS.prefixes,
        routes: resources::CONTENT_ROUTES,
    },
    Api {
        prefixes: BLOG_TAGS.prefixes,
        routes: resources_batch::ROUTES,
    },
    Api {
        prefixes: LANDING_PAGES.prefixes,
        routes: resources::CONTENT_ROUTES,
    },
    Api {
        prefixes: LANDING_PAGES.prefixes,
        routes: resources_batch::ROUTES,
    },
    Api {
        prefixes: SITE_PAGES.prefixes,
        routes: resources::CONTENT_ROUTES,
    },
    Api {
        prefixes: SITE_PAGES.prefixes,
        routes: resources_batch::ROUTES,
    },
    Api {
        prefixes: URL_REDIRECTS.prefixes,
        routes: resources::CONTENT_ROUTES,
    },
    Api {
        prefixes: HUBDB_TABLES.prefixes,
        routes: hubdb::ROUTES,
    },
    Api {
        prefixes: HUBDB_TABLES.prefixes,
        routes: hubdb_batch::ROUTES,
    },
    Api {
        prefixes: DOMAINS.prefixes,
        routes: resources::DOMAIN_ROUTES,
    },
];

/// Paths of HubSpot's that a template with `{id}` in their last place would take for an id. The emulator does not
/// have them, which is not the same as that there is no such thing.
const FIXED_NAMES: [&str; 8] = [
    "settings/v3/users/roles",
    "crm/v3/lists/folders",
    "crm/v3/lists/idmapping",
    "crm/v3/lists/records",
    "cms/v3/hubdb/tables/draft",
    "cms/v3/blogs/posts/schedule",
    "cms/v3/pages/site-pages/schedule",
    "cms/v3/pages/landing-pages/schedule",
];

impl Route {
    /// The values of the placeholders that name an object type.
    pub(crate) fn types<'c>(&'c self, call: &'c Call) -> impl Iterator<Item = &'c str> {
        let placeholders = self.template.split('/').filter(|part| part.starts_with('{'));
        let named = placeholders.zip(&call.params);
        named
            .filter(|(placeholder, _)| matches!(*placeholder, "{type}" | "{to}"))
            .map(|(_, value)| value.as_str())
    }
}

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Found {
    Route {
        route: &'static Route,
        label: String,
        params: Vec<String>,
    },
    /// There is such a path, but not with this method.
    WrongMethod { label: String },
    /// Not emulated.
    Nothing,
}

/// Finds the route of a request.
pub(crate) fn find(method: &Method, path: &str) -> Found {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    if FIXED_NAMES.contains(&segments.join("/").as_str()) {
        return Found::Nothing;
    }
    let mut wrong_method = None;
    for api in APIS.iter().chain(legacy::APIS) {
        for prefix in api.prefixes {
            let Some((head, rest)) = strip(prefix, &segments) else {
                continue;
            };
            for route in api.routes {
                let Some(params) = capture(route.template, rest) else {
                    continue;
                };
                let label = label(method, head, route.template);
                if route.method == *method {
                    return Found::Route { route, label, params };
                }
                wrong_method = Some(label);
            }
        }
    }
    wrong_method.map_or(Found::Nothing, |label| Found::WrongMethod { label })
}

fn strip<'s, 'p>(prefix: &str, segments: &'s [&'p str]) -> Option<(&'s [&'p str], &'s [&'p str])> {
    let wanted: Vec<&str> = prefix.split_terminator('/').collect();
    let (head, rest) = segments.split_at_checked(wanted.len())?;
    let fits = wanted
        .iter()
        .zip(head)
        .all(|(wanted, given)| wanted == given || (*wanted == "{dated}" && is_dated(given)));
    fits.then_some((head, rest))
}

/// The dated versions that are or were live by late 2026 (hubspot-api notes §0).
fn is_dated(segment: &str) -> bool {
    matches!(
        segment,
        "2025-09" | "2026-03" | "2026-09" | "2025-09-beta" | "2026-03-beta" | "2026-09-beta" | "2027-03-beta"
    )
}

/// Matches `{type}/{id}` and the like; an empty template matches the prefix alone.
fn capture(template: &str, rest: &[&str]) -> Option<Vec<String>> {
    let mut wanted = template.split('/').filter(|part| !part.is_empty());
    let mut params = Vec::new();
    for given in rest.iter().filter(|part| !part.is_empty()) {
        let part = wanted.next()?;
        if part.starts_with('{') {
            params.push(decode_segment(given).into_owned());
        } else if part != *given {
            return None;
        }
    }
    wanted.next().is_none().then_some(params)
}

fn label(method: &Method, head: &[&str], template: &str) -> String {
    let template = (!template.is_empty()).then_some(template);
    let parts: Vec<&str> = head.iter().copied().chain(template).collect();
    format!("{method} /{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label_of(method: &Method, path: &str) -> String {
        match find(method, path) {
            Found::Route { label, .. } => label,
            Found::WrongMethod { .. } => "wrong method".into(),
            Found::Nothing => "nothing".into(),
        }
    }

    #[test]
    fn both_generations_lead_to_the_same_routes() {
        for (path, label) in [
            ("/crm/v3/objects/contacts", "GET /crm/v3/objects/{type}"),
            ("/crm/objects/v3/contacts", "GET /crm/objects/v3/{type}"),
            (
                "/crm/objects/2026-03/contacts/7",
                "GET /crm/objects/2026-03/{type}/{id}",
            ),
            (
                "/crm/v4/objects/deals/7/associations/0-1",
                "GET /crm/v4/objects/{type}/{id}/associations/{to}",
            ),
            (
                "/crm/v3/objects/deals/7/associations/0-1",
                "GET /crm/v3/objects/{type}/{id}/associations/{to}",
            ),
            (
                "/crm/objects/2026-09/deals/7/associations/0-1",
                "GET /crm/objects/2026-09/{type}/{id}/associations/{to}",
            ),
            (
                "/crm/associations/2026-03/0-1/0-2/labels",
                "GET /crm/associations/2026-03/{type}/{to}/labels",
            ),
            ("/crm/owners/2026-09/", "GET /crm/owners/2026-09"),
            ("/account-info/v3/details", "GET /account-info/v3/details"),
            (
                "/properties/v2/deal/properties",
                "GET /properties/v2/{type}/properties",
            ),
            ("/forms/v2/forms", "GET /forms/v2/forms"),
        ] {
            assert_eq!(label_of(&Method::GET, path), label);
        }
    }

    #[test]
    fn unknown_paths_and_methods_are_told_apart() {
        assert_eq!(label_of(&Method::PUT, "/crm/v3/objects/contacts"), "wrong method");
        assert_eq!(label_of(&Method::GET, "/crm/v3/exports"), "nothing");
        assert_eq!(label_of(&Method::GET, "/crm/objects/2031-03/contacts"), "nothing");
        assert_eq!(label_of(&Method::GET, "/"), "nothing");
        for path in FIXED_NAMES {
            assert_eq!(label_of(&Method::GET, path), "nothing", "{path}");
        }
    }
}
