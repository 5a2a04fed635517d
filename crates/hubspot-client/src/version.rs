//! Which generation of HubSpot's paths to speak, and the one map from resource to path.
//!
//! Two generations live side by side: numbered (`/crm/v3/objects/contacts`) and dated
//! (`/crm/objects/2026-03/contacts`). The map is hubspot-api notes §0; nothing else in the crate spells a path.

use std::{fmt, str::FromStr};

use crate::{error::Error, request::encode};

/// A generation of HubSpot's API paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    /// Named by the month it was released in, such as `2026-03`; supported for about 18 months each.
    Dated(String),
    /// `v3` for objects, properties and the rest, `v4` for associations: older, still answering.
    Numbered,
}

/// The dated generation that this crate is written against.
const CURRENT: &str = "2026-03";

/// The dated generations that HubSpot has released or announced (hubspot-api notes §0). Another month would be a path
/// that answers 404 at the first call.
const RELEASED: [&str; 5] = ["2025-09", "2026-03", "2026-09-beta", "2026-09", "2027-03-beta"];

impl Default for ApiVersion {
    fn default() -> Self {
        Self::Dated(CURRENT.to_owned())
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dated(month) => f.write_str(month),
            Self::Numbered => f.write_str("v3"),
        }
    }
}

impl FromStr for ApiVersion {
    type Err = Error;

    /// Reads a released month such as `2026-03`, `v3` or `v4`.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "v3" | "v4" => Ok(Self::Numbered),
            dated if RELEASED.contains(&dated) => Ok(Self::Dated(dated.to_owned())),
            other => Err(Error::Invalid(format!(
                "`{other}` is not an API version; valid versions: `{}`, `v3`, `v4`",
                RELEASED.join("`, `")
            ))),
        }
    }
}

/// What HubSpot keeps beside CRM records and lists in pages: forms and the CMS (hubspot-api notes §2.7 and §2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// Marketing forms.
    Forms,
    /// Authors of blog posts.
    BlogAuthors,
    /// Blog posts.
    BlogPosts,
    /// Tags of blog posts.
    BlogTags,
    /// Landing pages.
    LandingPages,
    /// Pages of a website.
    SitePages,
    /// HubDB tables; of each, rows can be read.
    HubDbTables,
    /// Redirects from one URL to another.
    UrlRedirects,
    /// Connected domains; read only.
    Domains,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Forms,
        Self::BlogAuthors,
        Self::BlogPosts,
        Self::BlogTags,
        Self::LandingPages,
        Self::SitePages,
        Self::HubDbTables,
        Self::UrlRedirects,
        Self::Domains,
    ];

    /// Its name: `blog_posts`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forms => "forms",
            Self::BlogAuthors => "blog_authors",
            Self::BlogPosts => "blog_posts",
            Self::BlogTags => "blog_tags",
            Self::LandingPages => "landing_pages",
            Self::SitePages => "site_pages",
            Self::HubDbTables => "hubdb_tables",
            Self::UrlRedirects => "url_redirects",
            Self::Domains => "domains",
        }
    }

    /// Whether many are written at once (hubspot-api notes §2.8).
    pub const fn has_batches(self) -> bool {
        matches!(
            self,
            Self::BlogAuthors | Self::BlogPosts | Self::BlogTags | Self::LandingPages | Self::SitePages
        )
    }

    /// Its API below `/cms`, and what follows the version.
    fn path(self) -> (&'static str, &'static str) {
        match self {
            Self::Forms => ("forms", ""),
            Self::BlogAuthors => ("blogs", "/authors"),
            Self::BlogPosts => ("blogs", "/posts"),
            Self::BlogTags => ("blogs", "/tags"),
            Self::LandingPages => ("pages", "/landing-pages"),
            Self::SitePages => ("pages", "/site-pages"),
            Self::HubDbTables => ("hubdb", "/tables"),
            Self::UrlRedirects => ("url-redirects", ""),
            Self::Domains => ("domains", ""),
        }
    }
}

impl ApiVersion {
    /// The segment that names an object type. Some types are known by their id only: `0-410`, `0-420` and
    /// `0-162` everywhere, deals in the dated generation (hubspot-api notes §0).
    fn object_segment(&self, object_type: &str) -> String {
        match (self, object_type) {
            (Self::Dated(_), "deals") => "0-3".to_owned(),
            (_, "courses") => "0-410".to_owned(),
            (_, "listings") => "0-420".to_owned(),
            (_, "services") => "0-162".to_owned(),
            (_, other) => encode(other),
        }
    }

    pub(crate) fn objects(&self, object_type: &str) -> String {
        let object = self.object_segment(object_type);
        match self {
            Self::Dated(month) => format!("/crm/objects/{month}/{object}"),
            Self::Numbered => format!("/crm/v3/objects/{object}"),
        }
    }

    /// Associations of one record, a page at a time.
    pub(crate) fn associations_of(&self, object_type: &str, id: &str, to: &str) -> String {
        let (from, id, to) = (
            self.object_segment(object_type),
            encode(id),
            self.object_segment(to),
        );
        match self {
            Self::Dated(month) => format!("/crm/objects/{month}/{from}/{id}/associations/{to}"),
            Self::Numbered => format!("/crm/v4/objects/{from}/{id}/associations/{to}"),
        }
    }

    /// The unlabelled association of one record with others of a type.
    pub(crate) fn default_association(&self, object_type: &str, id: &str, to: &str) -> String {
        let (from, id, to) = (
            self.object_segment(object_type),
            encode(id),
            self.object_segment(to),
        );
        match self {
            Self::Dated(month) => format!("/crm/objects/{month}/{from}/{id}/associations/default/{to}"),
            Self::Numbered => format!("/crm/v4/objects/{from}/{id}/associations/default/{to}"),
        }
    }

    /// Batches and labels of a pair of object types.
    pub(crate) fn associations(&self, from: &str, to: &str) -> String {
        let (from, to) = (self.object_segment(from), self.object_segment(to));
        match self {
            Self::Dated(month) => format!("/crm/associations/{month}/{from}/{to}"),
            Self::Numbered => format!("/crm/v4/associations/{from}/{to}"),
        }
    }

    pub(crate) fn properties(&self, object_type: &str) -> String {
        let object = self.object_segment(object_type);
        self.crm("properties", &format!("/{object}"))
    }

    pub(crate) fn pipelines(&self, object_type: &str) -> String {
        let object = self.object_segment(object_type);
        self.crm("pipelines", &format!("/{object}"))
    }

    pub(crate) fn owners(&self) -> String {
        self.crm("owners", "")
    }

    pub(crate) fn lists(&self) -> String {
        self.crm("lists", "")
    }

    pub(crate) fn imports(&self) -> String {
        self.crm("imports", "")
    }

    pub(crate) fn limits(&self) -> String {
        self.crm("limits", "")
    }

    pub(crate) fn object_library(&self) -> String {
        self.crm("object-library", "/enablement")
    }

    /// Where tokens are renewed (hubspot-api notes §4).
    pub(crate) fn oauth_token(&self) -> String {
        match self {
            Self::Dated(month) => format!("/oauth/{month}/token"),
            Self::Numbered => "/oauth/v1/token".to_owned(),
        }
    }

    /// `/crm/v3/{api}{rest}` or `/crm/{api}/{month}{rest}`.
    fn crm(&self, api: &str, rest: &str) -> String {
        match self {
            Self::Dated(month) => format!("/crm/{api}/{month}{rest}"),
            Self::Numbered => format!("/crm/v3/{api}{rest}"),
        }
    }

    /// Forms and the CMS. The dated path of forms is known of one beta only; until it is out, the numbered one
    /// stands for it.
    pub(crate) fn resource(&self, resource: Resource) -> String {
        let (api, rest) = resource.path();
        match self {
            Self::Dated(month) if resource == Resource::Forms && !month.ends_with("-beta") => {
                "/marketing/v3/forms".to_owned()
            }
            Self::Dated(month) if resource == Resource::Forms => format!("/marketing/forms/{month}"),
            Self::Dated(month) => format!("/cms/{api}/{month}{rest}"),
            Self::Numbered if resource == Resource::Forms => "/marketing/v3/forms".to_owned(),
            Self::Numbered => format!("/cms/v3/{api}{rest}"),
        }
    }

    pub(crate) fn schemas(&self) -> String {
        format!("/crm-object-schemas/{self}/schemas")
    }

    pub(crate) fn account_details(&self) -> String {
        format!("/account-info/{self}/details")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_written_alike() {
        for text in ["2026-03", "2026-09", "2027-03-beta", "v3"] {
            assert_eq!(text.parse::<ApiVersion>().unwrap().to_string(), text);
        }
        assert_eq!("v4".parse::<ApiVersion>().unwrap(), ApiVersion::Numbered);
    }

    #[test]
    fn other_words_are_refused_with_the_versions_there_are() {
        for text in [
            "",
            "latest",
            "v2",
            "2026",
            "2026-3",
            "26-03",
            "2026-03-x",
            "2099-12",
        ] {
            let error = text.parse::<ApiVersion>().unwrap_err().to_string();
            assert!(error.contains("`2026-09`") && error.contains("`v3`"), "{error}");
        }
    }

    #[test]
    fn paths_follow_the_map_in_both_generations() {
        let (dated, numbered) = (ApiVersion::default(), ApiVersion::Numbered);
        let both = |path: fn(&ApiVersion) -> String| (path(&dated), path(&numbered));
        let expect = |a: &str, b: &str| (a.to_owned(), b.to_owned());

        assert_eq!(
            both(|v| v.objects("contacts")),
            expect("/crm/objects/2026-03/contacts", "/crm/v3/objects/contacts")
        );
        assert_eq!(
            both(|v| v.objects("deals")),
            expect("/crm/objects/2026-03/0-3", "/crm/v3/objects/deals")
        );
        assert_eq!(
            both(|v| v.objects("services")),
            expect("/crm/objects/2026-03/0-162", "/crm/v3/objects/0-162")
        );
        assert_eq!(
            both(|v| v.associations("contacts", "deals")),
            expect(
                "/crm/associations/2026-03/contacts/0-3",
                "/crm/v4/associations/contacts/deals"
            )
        );
        assert_eq!(
            both(|v| v.associations_of("contacts", "7", "companies")),
            expect(
                "/crm/objects/2026-03/contacts/7/associations/companies",
                "/crm/v4/objects/contacts/7/associations/companies"
            )
        );
        assert_eq!(
            both(|v| v.properties("contacts")),
            expect("/crm/properties/2026-03/contacts", "/crm/v3/properties/contacts")
        );
        assert_eq!(
            both(|v| v.pipelines("deals")),
            expect("/crm/pipelines/2026-03/0-3", "/crm/v3/pipelines/deals")
        );
        assert_eq!(
            both(ApiVersion::owners),
            expect("/crm/owners/2026-03", "/crm/v3/owners")
        );
        assert_eq!(
            both(ApiVersion::schemas),
            expect(
                "/crm-object-schemas/2026-03/schemas",
                "/crm-object-schemas/v3/schemas"
            )
        );
        assert_eq!(
            both(ApiVersion::account_details),
            expect("/account-info/2026-03/details", "/account-info/v3/details")
        );
    }

    #[test]
    fn forms_are_dated_only_where_they_are_known_to_be() {
        let path = |version: &str| version.parse::<ApiVersion>().unwrap().resource(Resource::Forms);
        assert_eq!(path("2026-03"), "/marketing/v3/forms");
        assert_eq!(path("2026-09-beta"), "/marketing/forms/2026-09-beta");
        assert_eq!(path("v3"), "/marketing/v3/forms");
    }

    #[test]
    fn an_object_type_cannot_leave_its_segment() {
        assert_eq!(
            ApiVersion::Numbered.objects("../x?y"),
            "/crm/v3/objects/..%2Fx%3Fy"
        );
    }
}
