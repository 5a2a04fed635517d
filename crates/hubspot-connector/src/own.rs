//! The streams that are no CRM objects, as data: tables that are read whole, again and again, and compared.

use hubspot_client::Resource;

use crate::objects;

/// A stream that is no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnStream {
    Owners,
    Pipelines,
    PipelineStages,
    Properties,
    Schemas,
    Lists,
    ListMemberships,
    /// Forms, and what makes up websites.
    Resource(Resource),
}

/// Keys of Conduit's connector, and the streams they stand for.
const CONDUIT: [(&str, &str); 9] = [
    ("cms.blogs.authors", "blog_authors"),
    ("cms.blogs.posts", "blog_posts"),
    ("cms.blogs.tags", "blog_tags"),
    ("cms.pages.landing", "landing_pages"),
    ("cms.pages.site", "site_pages"),
    ("cms.hubdb.tables", "hubdb_tables"),
    ("cms.urlRedirects", "url_redirects"),
    ("cms.domains", "domains"),
    ("marketing.forms", "forms"),
];

impl OwnStream {
    pub(crate) const ALL: [Self; 16] = [
        Self::Owners,
        Self::Pipelines,
        Self::PipelineStages,
        Self::Properties,
        Self::Schemas,
        Self::Lists,
        Self::ListMemberships,
        Self::Resource(Resource::Forms),
        Self::Resource(Resource::BlogAuthors),
        Self::Resource(Resource::BlogPosts),
        Self::Resource(Resource::BlogTags),
        Self::Resource(Resource::LandingPages),
        Self::Resource(Resource::SitePages),
        Self::Resource(Resource::HubDbTables),
        Self::Resource(Resource::UrlRedirects),
        Self::Resource(Resource::Domains),
    ];

    /// The names of all, in the same order.
    pub(crate) const NAMES: [&'static str; Self::ALL.len()] = {
        let mut names = [""; Self::ALL.len()];
        let mut n = 0;
        while n < names.len() {
            names[n] = Self::ALL[n].name();
            n += 1;
        }
        names
    };

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Owners => "owners",
            Self::Pipelines => "pipelines",
            Self::PipelineStages => "pipeline_stages",
            Self::Properties => "properties",
            Self::Schemas => "schemas",
            Self::Lists => "lists",
            Self::ListMemberships => "list_memberships",
            Self::Resource(resource) => resource.name(),
        }
    }

    /// The fields that identify a row.
    pub(crate) const fn key(self) -> &'static [&'static str] {
        match self {
            Self::Owners | Self::Schemas | Self::Lists | Self::Resource(_) => &["id"],
            Self::Pipelines => &["object_type", "id"],
            Self::PipelineStages => &["object_type", "pipeline_id", "id"],
            Self::Properties => &["object_type", "name"],
            Self::ListMemberships => &["list_id", "record_id"],
        }
    }

    /// The scope that reading it needs, where it is one of its own.
    pub(crate) const fn scope(self) -> Option<&'static str> {
        match self {
            Self::Owners => Some("crm.objects.owners.read"),
            Self::Schemas => Some("crm.schemas.custom.read"),
            Self::Lists | Self::ListMemberships => Some("crm.lists.read"),
            Self::Pipelines | Self::PipelineStages | Self::Properties => None,
            Self::Resource(Resource::Forms) => Some("forms"),
            Self::Resource(Resource::HubDbTables) => Some("hubdb"),
            Self::Resource(Resource::Domains) => Some("cms.domains.read"),
            Self::Resource(_) => Some("content"),
        }
    }

    /// The stream that a person means: by its name, or by the key that Conduit's connector has for it.
    pub(crate) fn called(name: &str) -> Option<Self> {
        let alias = CONDUIT.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let name = alias.map_or(name, |(_, name)| name);
        Self::ALL
            .into_iter()
            .find(|own| objects::same_name(own.name(), name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_called_by_its_name_or_by_conduits_key() {
        assert_eq!(
            OwnStream::called("pipelineStages"),
            Some(OwnStream::PipelineStages)
        );
        for (key, name) in CONDUIT {
            assert_eq!(OwnStream::called(key).map(OwnStream::name), Some(name));
        }
        assert_eq!(OwnStream::called("contacts"), None);
    }
}
