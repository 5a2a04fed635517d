//! Forms and the CMS: one set of requests for every kind (hubspot-api notes §2.7 and §2.8).

use http::Method;
use serde::Serialize;

use super::{Idempotency, Target, batches::check_size, objects::MAX_BATCH};
use crate::{
    error::Error,
    http::Request,
    version::{ApiVersion, Resource},
};

/// The most resources one page holds.
pub const MAX_PAGE: u16 = 100;

/// One page of the resources of a kind.
///
/// ```
/// use hubspot_client::{ApiVersion, Resource, request::resources::ResourceList};
/// let list = ResourceList { updated_after: Some("2026-01-01T00:00:00Z".to_owned()), ..ResourceList::new(Resource::BlogPosts) };
/// let request = list.request(&ApiVersion::Numbered)?;
/// assert_eq!(request.uri(), "/cms/v3/blogs/posts?limit=100&updatedAfter=2026-01-01T00%3A00%3A00Z");
/// # Ok::<(), hubspot_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceList {
    /// Which kind.
    pub resource: Resource,
    /// Resources a page, at most [`MAX_PAGE`].
    pub limit: u16,
    /// Where the page before this one said to go on.
    pub after: Option<String>,
    /// Only archived ones (true) or only live ones (false).
    pub archived: bool,
    /// A time to sort by, such as `updatedAt` or `-updatedAt`.
    pub sort: Option<String>,
    /// Only those made later than this; of the CMS only, like the next three.
    pub created_after: Option<String>,
    /// Only those made before this.
    pub created_before: Option<String>,
    /// Only those that changed later than this.
    pub updated_after: Option<String>,
    /// Only those that last changed before this.
    pub updated_before: Option<String>,
}

impl ResourceList {
    /// The first page of the live resources of a kind, as long as HubSpot allows.
    pub fn new(resource: Resource) -> Self {
        Self {
            resource,
            limit: MAX_PAGE,
            after: None,
            archived: false,
            sort: None,
            created_after: None,
            created_before: None,
            updated_after: None,
            updated_before: None,
        }
    }

    /// Sets `after`.
    #[must_use]
    pub fn with_after(self, after: impl Into<String>) -> Self {
        Self {
            after: Some(after.into()),
            ..self
        }
    }

    /// Sets `archived`.
    #[must_use]
    pub fn with_archived(self, archived: bool) -> Self {
        Self { archived, ..self }
    }

    /// `GET {resource}?..`. Of forms, those of every type.
    pub fn request(&self, version: &ApiVersion) -> Result<Request, Error> {
        let every_type = (self.resource == Resource::Forms).then_some("all");
        Target::new(version.resource(self.resource))
            .pair("limit", &self.limit.to_string())
            .optional("after", self.after.as_deref())
            .optional("formTypes", every_type)
            .optional("sort", self.sort.as_deref())
            .optional("createdAfter", self.created_after.as_deref())
            .optional("createdBefore", self.created_before.as_deref())
            .optional("updatedAfter", self.updated_after.as_deref())
            .optional("updatedBefore", self.updated_before.as_deref())
            .archived(self.archived)
            .get()
    }
}

/// `GET {resource}/{id}`
pub fn get(version: &ApiVersion, resource: Resource, id: &str, archived: bool) -> Result<Request, Error> {
    one(version, resource, id)?.archived(archived).get()
}

/// `POST {resource}`. A HubDB table begins as a draft.
pub fn create(version: &ApiVersion, resource: Resource, members: &impl Serialize) -> Result<Request, Error> {
    Target::new(version.resource(resource)).write(Method::POST, Idempotency::Unsafe, members)
}

/// `PATCH {resource}/{id}`; of a HubDB table, `PATCH {tables}/{id}/draft`.
pub fn update(
    version: &ApiVersion,
    resource: Resource,
    id: &str,
    members: &impl Serialize,
) -> Result<Request, Error> {
    let target = one(version, resource, id)?;
    let target = match resource {
        Resource::HubDbTables => target.segment("draft"),
        _ => target,
    };
    target.write(Method::PATCH, Idempotency::Safe, members)
}

/// `DELETE {resource}/{id}`
pub fn archive(version: &ApiVersion, resource: Resource, id: &str) -> Result<Request, Error> {
    one(version, resource, id)?.delete()
}

/// `POST {resource}/batch/create`, at most [`MAX_BATCH`]; of blogs and pages only.
pub fn batch_create(
    version: &ApiVersion,
    resource: Resource,
    members: &[impl Serialize],
) -> Result<Request, Error> {
    batch(version, resource, "create", Idempotency::Unsafe, members)
}

/// `POST {resource}/batch/update`; each names its `id`.
pub fn batch_update(
    version: &ApiVersion,
    resource: Resource,
    members: &[impl Serialize],
) -> Result<Request, Error> {
    batch(version, resource, "update", Idempotency::Safe, members)
}

/// `POST {resource}/batch/archive`, by id.
pub fn batch_archive(
    version: &ApiVersion,
    resource: Resource,
    ids: &[impl AsRef<str>],
) -> Result<Request, Error> {
    let ids: Vec<_> = ids.iter().map(AsRef::as_ref).collect();
    batch(version, resource, "archive", Idempotency::Safe, &ids)
}

#[derive(Serialize)]
pub(super) struct Inputs<'a, T> {
    pub(super) inputs: &'a [T],
}

fn batch(
    version: &ApiVersion,
    resource: Resource,
    word: &str,
    idempotency: Idempotency,
    inputs: &[impl Serialize],
) -> Result<Request, Error> {
    if !resource.has_batches() {
        return Err(Error::Invalid(format!(
            "{} are written one at a time",
            resource.name()
        )));
    }
    check_size("resources are written", inputs.len(), MAX_BATCH)?;
    let target = Target::new(version.resource(resource)).segment("batch");
    target
        .segment(word)
        .write(Method::POST, idempotency, &Inputs { inputs })
}

/// `POST {tables}/{id}/draft/publish`
pub fn publish_table(version: &ApiVersion, table: &str) -> Result<Request, Error> {
    one(version, Resource::HubDbTables, table)?
        .segment("draft")
        .segment("publish")
        .ask(&serde_json::json!({}))
}

/// `GET {tables}/{id}/rows`: one page of the published rows of a HubDB table.
pub fn table_rows(version: &ApiVersion, table: &str, after: Option<&str>) -> Result<Request, Error> {
    one(version, Resource::HubDbTables, table)?
        .segment("rows")
        .pair("limit", &MAX_PAGE.to_string())
        .optional("after", after)
        .get()
}

fn one(version: &ApiVersion, resource: Resource, id: &str) -> Result<Target, Error> {
    Target::new(version.resource(resource)).id("a resource", id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::text;

    const V3: ApiVersion = ApiVersion::Numbered;

    #[test]
    fn a_list_says_everything_in_its_query() {
        let list = ResourceList {
            sort: Some("-updatedAt".to_owned()),
            updated_before: Some("5".to_owned()),
            ..ResourceList::new(Resource::LandingPages)
        };
        assert_eq!(
            text(&list.with_after("NQ==").with_archived(true).request(&V3).unwrap()),
            "GET /cms/v3/pages/landing-pages?limit=100&after=NQ%3D%3D&sort=-updatedAt&updatedBefore=5&archived=true"
        );
    }

    #[test]
    fn forms_of_every_type_are_listed() {
        let forms = ResourceList::new(Resource::Forms).request(&ApiVersion::default());
        assert_eq!(
            text(&forms.unwrap()),
            "GET /marketing/v3/forms?limit=100&formTypes=all"
        );
    }

    #[test]
    fn one_resource_is_read_made_changed_and_archived() {
        let members = json!({"name": "News"});
        let version = ApiVersion::default();
        assert_eq!(
            text(&get(&version, Resource::BlogTags, "7", true).unwrap()),
            "GET /cms/blogs/2026-03/tags/7?archived=true"
        );
        let made = create(&version, Resource::UrlRedirects, &members).unwrap();
        assert_eq!(text(&made), "POST /cms/url-redirects/2026-03 {\"name\":\"News\"}");
        assert_eq!(Idempotency::of(&made), Idempotency::Unsafe);
        assert_eq!(
            text(&update(&version, Resource::SitePages, "7", &members).unwrap()),
            "PATCH /cms/pages/2026-03/site-pages/7 {\"name\":\"News\"}"
        );
        assert_eq!(
            text(&archive(&V3, Resource::BlogAuthors, "7").unwrap()),
            "DELETE /cms/v3/blogs/authors/7"
        );
        assert!(archive(&V3, Resource::BlogAuthors, "").is_err());
    }

    #[test]
    fn blogs_and_pages_are_written_many_at_once_and_nothing_else_is() {
        let members = [json!({"name": "News"})];
        let made = batch_create(&V3, Resource::BlogPosts, &members).unwrap();
        assert_eq!(
            text(&made),
            "POST /cms/v3/blogs/posts/batch/create {\"inputs\":[{\"name\":\"News\"}]}"
        );
        assert_eq!(Idempotency::of(&made), Idempotency::Unsafe);
        assert_eq!(
            text(&batch_archive(&V3, Resource::SitePages, &["7"]).unwrap()),
            "POST /cms/v3/pages/site-pages/batch/archive {\"inputs\":[\"7\"]}"
        );
        for resource in Resource::ALL {
            let batch = batch_update(&V3, resource, &members);
            assert_eq!(batch.is_ok(), resource.has_batches(), "{}", resource.name());
        }
    }

    #[test]
    fn a_table_is_written_as_a_draft_and_published() {
        let members = json!({"label": "Prices"});
        assert_eq!(
            text(&update(&V3, Resource::HubDbTables, "7", &members).unwrap()),
            "PATCH /cms/v3/hubdb/tables/7/draft {\"label\":\"Prices\"}"
        );
        assert_eq!(
            text(&publish_table(&V3, "7").unwrap()),
            "POST /cms/v3/hubdb/tables/7/draft/publish {}"
        );
        assert_eq!(
            text(&table_rows(&V3, "7", Some("8")).unwrap()),
            "GET /cms/v3/hubdb/tables/7/rows?limit=100&after=8"
        );
    }
}
