//! Seeded forms and CMS content: a function of the seed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::draw::{Draw, mix};
use super::words;
use crate::state::resources::{
    BLOG_AUTHORS, BLOG_TAGS, Draft, Fields, HUBDB_TABLES, KINDS, Kind, Resource, Resources,
};
use crate::time::{DAY, Millis};

/// The first resources were made on 2020-01-01.
const EARLIEST: Millis = 1_577_836_800_000;

/// Rows that a seeded table has.
const ROWS: u64 = 30;

/// Everything that an account starts with.
pub(crate) fn resources(seed: u64, counts: &BTreeMap<String, u64>) -> Resources {
    let mut made = Resources::default();
    add(&mut made, seed, counts);
    made
}

/// Adds so many resources of each kind that is named.
pub(crate) fn add(made: &mut Resources, seed: u64, counts: &BTreeMap<String, u64>) {
    for kind in KINDS {
        for _ in 0..counts.get(kind.name).copied().unwrap_or(0) {
            let number = made.shelf(kind).next_number();
            made.shelf_mut(kind).put(seeded(kind, seed, number));
            if kind.name == HUBDB_TABLES.name {
                fill_table(made, seed, number);
            }
        }
    }
}

fn draw_of(kind: &Kind, seed: u64, number: u64) -> Draw {
    let salt = kind.name.bytes().fold(0, |salt, byte| mix(salt, byte.into(), 3));
    Draw::of(seed, salt, number)
}

/// One in twenty is archived.
fn seeded(kind: &Kind, seed: u64, number: u64) -> Resource {
    let mut draw = draw_of(kind, seed, number);
    let created = EARLIEST + draw.between(0, 1500) * DAY + draw.between(0, DAY - 1);
    let updated = created + draw.between(0, 700) * DAY + draw.between(0, DAY - 1);
    let archived = (number % 20 == 7).then_some(updated);
    Resource {
        number,
        id: id(kind, seed, number),
        created,
        updated,
        archived,
        fields: fields(kind, &mut draw, number),
    }
}

/// Forms have GUIDs, everything else has numbers.
pub(crate) fn id(kind: &Kind, seed: u64, number: u64) -> String {
    if kind.name != "forms" {
        return number.to_string();
    }
    let (high, low) = (mix(seed, number, 41), mix(seed, number, 42));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

/// The members of a new resource of a kind.
pub(crate) fn new_fields(kind: &Kind, seed: u64, number: u64) -> Fields {
    fields(kind, &mut draw_of(kind, seed, number), number)
}

/// Changes one member, always to another value.
pub(crate) fn change(kind: &Kind, draw: &mut Draw, fields: &mut Fields) {
    let member = title_of(kind);
    let before = fields.get(member).and_then(Value::as_str).unwrap_or_default();
    let mut after = title(draw);
    if after == before {
        after.push_str(" 2");
    }
    fields.insert(member.into(), after.into());
}

/// The member that names a resource to people.
fn title_of(kind: &Kind) -> &'static str {
    match kind.name {
        "blog_authors" => "fullName",
        "hubdb_tables" => "label",
        "url_redirects" => "destination",
        _ => "name",
    }
}

fn title(draw: &mut Draw) -> String {
    let first = draw.pick(words::DEAL_WORDS);
    format!("{first} {} {}", draw.pick(words::WORDS), draw.pick(words::WORDS))
}

fn fields(kind: &Kind, draw: &mut Draw, number: u64) -> Fields {
    let name = title(draw);
    let made = match kind.name {
        "forms" => form(&name, draw),
        "blog_authors" => {
            json!({"fullName": name, "slug": slug(&name, number), "email": format!("author.{number}@staff.example.com"),
            "bio": draw.pick(words::WORDS), "website": "https://www.example.com", "language": "en"})
        }
        "blog_posts" => post(&name, draw, number),
        "blog_tags" => json!({"name": name, "slug": slug(&name, number), "language": "en"}),
        "landing_pages" | "site_pages" => page(&name, draw, number),
        "hubdb_tables" => {
            json!({"name": slug(&name, number).replace('-', "_"), "label": name, "published": true, "useForPages": false,
            "allowPublicApiAccess": true, "columns": [column(1, "title", "TEXT"), column(2, "price", "NUMBER")]})
        }
        "url_redirects" => {
            json!({"routePrefix": format!("/old/{number}"), "destination": format!("https://www.example.com/{}", slug(&name, number)),
            "redirectStyle": 301, "isOnlyAfterNotFound": false, "isPattern": false, "precedence": number, "isMatchFullUrl": false})
        }
        _ => json!({"domain": format!("site{number}.example.com"), "isResolving": true, "isSslEnabled": true,
            "primarySitePage": number.is_multiple_of(2), "isUsedForBlogPost": true}),
    };
    match made {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

fn form(name: &str, draw: &mut Draw) -> Value {
    let kinds = ["hubspot", "captured", "flow", "blog_comment"];
    let kind = kinds[draw.place(10).saturating_sub(6).min(3)];
    json!({
        "name": name,
        "formType": kind,
        "fieldGroups": [{"groupType": "default_group", "richTextType": "text", "fields": [
            {"objectTypeId": "0-1", "name": "email", "label": "Email", "required": true, "hidden": false, "fieldType": "email"}]}],
        "configuration": {"language": "en", "cloneable": true, "editable": true, "archivable": true},
        "displayOptions": {"renderRawHtml": false, "submitButtonText": "Send"},
        "legalConsentOptions": {"type": "none"},
    })
}

fn post(name: &str, draw: &mut Draw, number: u64) -> Value {
    let author = 50_001 + draw.below(BLOG_AUTHORS.seeded);
    let tag = 50_001 + draw.below(BLOG_TAGS.seeded);
    json!({
        "name": name, "htmlTitle": name, "slug": format!("blog/{}", slug(name, number)), "language": "en",
        "state": if draw.percent(80) { "PUBLISHED" } else { "DRAFT" },
        "contentGroupId": "184993428780", "blogAuthorId": author.to_string(), "tagIds": [tag],
        "postBody": format!("<p>{} &amp; {}</p>", draw.pick(words::WORDS), draw.pick(words::WORDS)),
        "metaDescription": "", "currentlyPublished": true,
    })
}

fn page(name: &str, draw: &mut Draw, number: u64) -> Value {
    json!({
        "name": name, "htmlTitle": name, "slug": slug(name, number), "language": "en", "domain": "",
        "state": if draw.percent(70) { "PUBLISHED_OR_SCHEDULED" } else { "DRAFT" },
        "templatePath": "@hubspot/elevate/templates/page.html", "currentlyPublished": true,
    })
}

fn column(id: u64, name: &str, kind: &str) -> Value {
    json!({"id": id.to_string(), "name": name, "label": name, "type": kind, "archived": false})
}

fn slug(name: &str, number: u64) -> String {
    let letters = name.chars().map(|letter| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '-'
        }
    });
    format!("{}-{number}", letters.collect::<String>())
}

/// Fills a seeded table with published rows.
fn fill_table(made: &mut Resources, seed: u64, number: u64) {
    let Some(table) = made.shelf(&HUBDB_TABLES).get(number) else {
        return;
    };
    let (mut draft, created) = (Draft::default(), table.created);
    draft.fields.clone_from(&table.fields);
    let mut draw = Draw::of(seed, 4242, number);
    for _ in 0..ROWS {
        draft.rows.create(|row| row.to_string(), row(&mut draw), created);
    }
    let updated = table.updated;
    made.drafts.insert(number, draft);
    made.publish(number, updated);
}

/// The members of a row.
pub(crate) fn row(draw: &mut Draw) -> Fields {
    let values = json!({"title": title(draw), "price": draw.below(10_000)});
    let mut fields = Fields::new();
    fields.insert("values".into(), values);
    fields.insert("path".into(), Value::Null);
    fields.insert("name".into(), Value::Null);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_make_equal_content_and_others_do_not() {
        let text = |seed| format!("{:?}", resources(seed, &crate::Counts::default().others));
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn ids_of_forms_are_guids() {
        let made = id(KINDS[0], 7, 50_001);
        let parts: Vec<usize> = made.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
    }
}
