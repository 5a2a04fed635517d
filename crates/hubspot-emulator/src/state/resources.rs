//! Things beside the CRM: forms and the CMS (hubspot-api notes §2.7, §2.8). What differs from kind to kind is data.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::time::Millis;

/// The members of a resource that people may set.
pub(crate) type Fields = Map<String, Value>;

/// A kind of resource.
#[derive(Debug)]
pub(crate) struct Kind {
    /// What `/_emulator` calls it.
    pub(crate) name: &'static str,
    /// Where its routes begin; `{dated}` stands for a dated version.
    pub(crate) prefixes: &'static [&'static str],
    /// The members that hold its times.
    pub(crate) created: &'static str,
    pub(crate) updated: &'static str,
    pub(crate) archived: &'static str,
    /// Records a page when nothing else is asked for.
    pub(crate) page: usize,
    /// How many an account starts with.
    pub(crate) seeded: u64,
}

const fn kind(
    name: &'static str,
    prefixes: &'static [&'static str],
    times: [&'static str; 3],
    seeded: u64,
) -> Kind {
    let [created, updated, archived] = times;
    Kind {
        name,
        prefixes,
        created,
        updated,
        archived,
        page: 100,
        seeded,
    }
}

const BLOG: [&str; 3] = ["created", "updated", "deletedAt"];
const PAGES: [&str; 3] = ["createdAt", "updatedAt", "archivedAt"];

pub(crate) const FORMS: Kind = Kind {
    page: 20,
    ..kind(
        "forms",
        &["marketing/v3/forms", "marketing/forms/{dated}"],
        PAGES,
        25,
    )
};
pub(crate) const BLOG_AUTHORS: Kind = kind(
    "blog_authors",
    &["cms/v3/blogs/authors", "cms/blogs/{dated}/authors"],
    BLOG,
    6,
);
pub(crate) const BLOG_POSTS: Kind = kind(
    "blog_posts",
    &["cms/v3/blogs/posts", "cms/blogs/{dated}/posts"],
    BLOG,
    120,
);
pub(crate) const BLOG_TAGS: Kind = kind(
    "blog_tags",
    &["cms/v3/blogs/tags", "cms/blogs/{dated}/tags"],
    BLOG,
    12,
);
pub(crate) const LANDING_PAGES: Kind = kind(
    "landing_pages",
    &["cms/v3/pages/landing-pages", "cms/pages/{dated}/landing-pages"],
    PAGES,
    18,
);
pub(crate) const SITE_PAGES: Kind = kind(
    "site_pages",
    &["cms/v3/pages/site-pages", "cms/pages/{dated}/site-pages"],
    PAGES,
    22,
);
pub(crate) const HUBDB_TABLES: Kind = kind(
    "hubdb_tables",
    &["cms/v3/hubdb/tables", "cms/hubdb/{dated}/tables"],
    PAGES,
    4,
);
pub(crate) const URL_REDIRECTS: Kind = kind(
    "url_redirects",
    &["cms/v3/url-redirects", "cms/url-redirects/{dated}"],
    ["created", "updated", "archivedAt"],
    15,
);
pub(crate) const DOMAINS: Kind = kind("domains", &["cms/v3/domains", "cms/domains/{dated}"], PAGES, 3);

pub(crate) static KINDS: [&Kind; 9] = [
    &FORMS,
    &BLOG_AUTHORS,
    &BLOG_POSTS,
    &BLOG_TAGS,
    &LANDING_PAGES,
    &SITE_PAGES,
    &HUBDB_TABLES,
    &URL_REDIRECTS,
    &DOMAINS,
];

impl Kind {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name).copied()
    }

    /// Whether `archived` says what has become of a resource; of blogs and pages only the time does.
    pub(crate) fn has_archived_flag(&self) -> bool {
        !self.prefixes[0].starts_with("cms/v3/blogs") && !self.prefixes[0].starts_with("cms/v3/pages")
    }

    /// The members that HubSpot sets and nobody else.
    pub(crate) fn is_own(&self, member: &str) -> bool {
        ["id", self.created, self.updated, self.archived].contains(&member)
    }
}

/// One resource. Archived ones are kept.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// Its place in the order; the `id` is the same number unless it is a form's.
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    pub(crate) archived: Option<Millis>,
    pub(crate) fields: Fields,
}

/// All resources of one kind, in the order they were made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf(BTreeMap<u64, Resource>);

/// The number of the first resource of a kind.
const FIRST: u64 = 50_001;

impl Shelf {
    pub(crate) fn next_number(&self) -> u64 {
        self.0.last_key_value().map_or(FIRST, |(last, _)| last + 1)
    }

    pub(crate) fn put(&mut self, resource: Resource) -> &Resource {
        let number = resource.number;
        self.0.insert(number, resource);
        &self.0[&number]
    }

    /// Adds a resource that is made now.
    pub(crate) fn create(&mut self, id: impl Fn(u64) -> String, fields: Fields, now: Millis) -> &Resource {
        let number = self.next_number();
        self.put(Resource {
            number,
            id: id(number),
            created: now,
            updated: now,
            archived: None,
            fields,
        })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Resource> {
        self.0.values()
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Resource> {
        self.0.get(&number)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut Resource> {
        self.0.get_mut(&number)
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<Resource> {
        self.0.remove(&number)
    }

    /// Finds a resource by id, or a table by name.
    pub(crate) fn find(&self, id: &str, archived: bool) -> Option<&Resource> {
        let mut fitting = self
            .all()
            .filter(|resource| resource.archived.is_some() == archived);
        fitting.find(|resource| resource.id == id)
    }
}

/// The other half of a HubDB table: what was written and is not yet published.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub(crate) fields: Fields,
    pub(crate) rows: Shelf,
    pub(crate) published_rows: Shelf,
}

/// Every resource of an account.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    shelves: BTreeMap<&'static str, Shelf>,
    /// By the number of the table.
    pub(crate) drafts: BTreeMap<u64, Draft>,
}

impl Resources {
    pub(crate) fn shelf(&self, kind: &Kind) -> &Shelf {
        static NONE: Shelf = Shelf(BTreeMap::new());
        self.shelves.get(kind.name).unwrap_or(&NONE)
    }

    pub(crate) fn shelf_mut(&mut self, kind: &'static Kind) -> &mut Shelf {
        self.shelves.entry(kind.name).or_default()
    }

    /// Makes what is in a table's draft the table itself.
    pub(crate) fn publish(&mut self, table: u64, now: Millis) {
        let Some(draft) = self.drafts.get_mut(&table) else {
            return;
        };
        draft.published_rows = draft.rows.clone();
        let mut fields = draft.fields.clone();
        fields.insert("published".into(), true.into());
        fields.insert("rowCount".into(), draft.rows.0.len().into());
        if let Some(table) = self.shelf_mut(&HUBDB_TABLES).get_mut(table) {
            table.fields = fields;
            table.updated = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_name_and_have_their_own_names() {
        for kind in KINDS {
            assert!(Kind::named(kind.name).is_some_and(|found| found.name == kind.name));
        }
        assert!(Kind::named("contacts").is_none());
    }

    #[test]
    fn a_draft_is_not_seen_before_it_is_published() {
        let mut resources = Resources::default();
        let id = |number: u64| number.to_string();
        let table = resources
            .shelf_mut(&HUBDB_TABLES)
            .create(id, Fields::new(), 1)
            .number;
        let draft = resources.drafts.entry(table).or_default();
        draft.fields.insert("label".into(), "Prices".into());
        draft.rows.create(id, Fields::new(), 2);
        assert_eq!(draft.published_rows.all().count(), 0);
        resources.publish(table, 3);
        let published = resources.shelf(&HUBDB_TABLES).get(table).expect("made above");
        assert_eq!(
            (published.fields["label"].as_str(), published.updated),
            (Some("Prices"), 3)
        );
        assert_eq!(resources.drafts[&table].published_rows.all().count(), 1);
    }
}
