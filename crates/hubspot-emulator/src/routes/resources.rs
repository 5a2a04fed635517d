//! Forms and the CMS: one set of routes for every kind (hubspot-api notes §2.7, §2.8).

use std::cmp::Reverse;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::{Access, Answer, Route, route, strip};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::data::resources::id;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::resources::{DOMAINS, FORMS, Fields, KINDS, Kind, Resource};
use crate::state::store::instant;
use crate::time::{Millis, iso};

const TOLL: Toll = Toll::General;

const fn written(access: Access) -> [Route; 5] {
    [
        route(Method::GET, "", TOLL, access, list),
        route(Method::POST, "", TOLL, access, create),
        route(Method::GET, "{id}", TOLL, access, get),
        route(Method::PATCH, "{id}", TOLL, access, update),
        route(Method::DELETE, "{id}", TOLL, access, archive),
    ]
}

pub(super) const FORM_ROUTES: &[Route] = &written(Access::Scope("forms"));
pub(super) const CONTENT_ROUTES: &[Route] = &written(Access::Scope("content"));
pub(super) const DOMAIN_ROUTES: &[Route] = &[
    route(Method::GET, "", TOLL, Access::Scope("cms.domains.read"), list),
    route(Method::GET, "{id}", TOLL, Access::Scope("cms.domains.read"), get),
];

/// The kind whose routes a call took.
pub(super) fn kind_of(call: &Call) -> &'static Kind {
    let segments: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    let fits = |kind: &&Kind| {
        kind.prefixes
            .iter()
            .any(|prefix| strip(prefix, &segments).is_some())
    };
    // Only paths of these kinds have these routes.
    KINDS.iter().copied().find(fits).unwrap_or(&DOMAINS)
}

fn list(emulator: &Inner, call: &Call) -> Answer {
    let (kind, resources) = (kind_of(call), emulator.resources());
    let shelf = resources.shelf(kind).all();
    let asked = shelf.filter(|resource| is_asked_for(kind, resource, call));
    let mut shown = page(kind, asked, call)?;
    if let Some(results) = shown["results"].as_array_mut() {
        for piece in results {
            rename_times(emulator, kind, piece);
        }
    }
    Ok(Reply::value(200, &shown))
}

/// Forms are of several types, of which only HubSpot's own come unasked (believed).
fn is_asked_for(kind: &Kind, resource: &Resource, call: &Call) -> bool {
    if kind.name != FORMS.name {
        return true;
    }
    let of = resource.fields.get("formType").and_then(Value::as_str);
    let mut types = call.list("formTypes").peekable();
    match types.peek() {
        None => of == Some("hubspot"),
        Some(_) => types.any(|wanted| wanted == "all" || Some(wanted) == of),
    }
}

/// One page of resources, and how many there are beside it; forms are not counted.
pub(super) fn page<'r>(
    kind: &Kind,
    resources: impl Iterator<Item = &'r Resource>,
    call: &Call,
) -> Result<Value, Failure> {
    let limit = call.limit(kind.page, 100)?;
    let (order, windows) = (Order::of(kind, call)?, windows(call)?);
    let fits = |resource: &&Resource| {
        resource.archived.is_some() == call.flag("archived")
            && windows.iter().all(|window| window.holds(resource))
    };
    let mut fitting: Vec<(Place, &Resource)> = resources
        .filter(fits)
        .map(|resource| (order.place(resource), resource))
        .collect();
    order.sort(&mut fitting);
    let start = match call.query("after").filter(|after| !after.is_empty()) {
        None => 0,
        Some(after) => order.after(&fitting, &read_place(after)?),
    };
    let shown = fitting[start..].iter().take(limit);
    let results: Vec<Value> = shown
        .map(|(_, resource)| shown_json(kind, resource, call))
        .collect();
    let mut body = json!({"results": results});
    if kind.name != FORMS.name {
        body["total"] = fitting.len().into();
    }
    if let (Some((last, _)), true) = (fitting.get(start + limit - 1), start + limit < fitting.len()) {
        let after = STANDARD.encode(format!("{}|{}", last.1, last.0));
        body["paging"] = json!({"next": {"link": call.next_link(&after), "after": after}});
    }
    Ok(body)
}

/// Where a resource stands in an order: what it is sorted by, then its number.
type Place = (String, u64);

fn read_place(after: &str) -> Result<Place, Failure> {
    let bytes = STANDARD.decode(after).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let place = text.as_deref().and_then(|text| {
        let (number, key) = text.split_once('|')?;
        Some((key.to_owned(), number.parse().ok()?))
    });
    place.ok_or_else(|| Failure::validation(format!("Invalid value for after: {after}")))
}

#[derive(Debug, Clone, Copy)]
enum Key<'a> {
    Number,
    Created,
    Updated,
    Member(&'a str),
}

/// What a list is sorted by.
struct Order<'a> {
    key: Key<'a>,
    descending: bool,
}

impl<'a> Order<'a> {
    /// `sort=-updatedAt`; both spellings of the times are understood.
    fn of(kind: &Kind, call: &'a Call) -> Result<Self, Failure> {
        let sort = call.query("sort").unwrap_or("");
        let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
        let key = match name {
            "" => Key::Number,
            "createdAt" | "created" => Key::Created,
            "updatedAt" | "updated" => Key::Updated,
            "name" | "slug" | "label" | "state" if kind.name != FORMS.name => Key::Member(name),
            _ => return Err(Failure::validation(format!("Cannot sort by {name}"))),
        };
        Ok(Self { key, descending })
    }

    fn place(&self, resource: &Resource) -> Place {
        let key = match self.key {
            Key::Number => String::new(),
            Key::Created => format!("{:020}", resource.created),
            Key::Updated => format!("{:020}", resource.updated),
            Key::Member(name) => {
                let text = resource.fields.get(name).and_then(Value::as_str);
                text.unwrap_or_default().to_owned()
            }
        };
        (key, resource.number)
    }

    fn sort(&self, list: &mut [(Place, &Resource)]) {
        if self.descending {
            list.sort_by_cached_key(|(place, _)| Reverse(place.clone()));
        } else {
            list.sort_by_cached_key(|(place, _)| place.clone());
        }
    }

    /// How many stand at a place or before it.
    fn after(&self, list: &[(Place, &Resource)], place: &Place) -> usize {
        list.partition_point(|(other, _)| {
            if self.descending {
                other >= place
            } else {
                other <= place
            }
        })
    }
}

/// A condition on one of a resource's times, from below and from above, both inclusive.
struct Window {
    on_creation: bool,
    from: Millis,
    until: Millis,
}

impl Window {
    fn holds(&self, resource: &Resource) -> bool {
        let at = if self.on_creation {
            resource.created
        } else {
            resource.updated
        };
        (self.from..=self.until).contains(&at)
    }
}

fn windows(call: &Call) -> Result<Vec<Window>, Failure> {
    let mut windows = Vec::new();
    for (word, on_creation) in [("created", true), ("updated", false)] {
        for bound in ["At", "After", "Before"] {
            let name = format!("{word}{bound}");
            let Some(text) = call.query(&name).filter(|text| !text.is_empty()) else {
                continue;
            };
            let at = instant(text);
            let at = at.ok_or_else(|| Failure::validation(format!("Invalid value for {name}: {text}")))?;
            let (from, until) = match bound {
                "At" => (at, at),
                "After" => (at + 1, Millis::MAX),
                _ => (Millis::MIN, at - 1),
            };
            windows.push(Window {
                on_creation,
                from,
                until,
            });
        }
    }
    Ok(windows)
}

/// Only the members that `property` names, if it does.
fn shown_json(kind: &Kind, resource: &Resource, call: &Call) -> Value {
    let mut whole = resource_json(kind, resource);
    let wanted: Vec<&str> = call.list("property").collect();
    if let (false, Value::Object(members)) = (wanted.is_empty(), &mut whole) {
        members.retain(|name, _| kind.is_own(name) || wanted.contains(&name.as_str()));
    }
    whole
}

pub(crate) fn resource_json(kind: &Kind, resource: &Resource) -> Value {
    let mut members = Fields::new();
    members.insert("id".into(), resource.id.clone().into());
    members.extend(resource.fields.clone());
    members.insert(kind.created.into(), iso(resource.created).into());
    members.insert(kind.updated.into(), iso(resource.updated).into());
    if kind.has_archived_flag() {
        members.insert("archived".into(), resource.archived.is_some().into());
    }
    // A blog post or page that is not deleted was deleted in 1970.
    let archived = resource.archived.or((!kind.has_archived_flag()).then_some(0));
    members.extend(archived.map(|at| (kind.archived.to_owned(), iso(at).into())));
    Value::Object(members)
}

pub(super) fn found(resource: Option<&Resource>) -> Result<&Resource, Failure> {
    resource.ok_or_else(Failure::not_found)
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let (kind, resources) = (kind_of(call), emulator.resources());
    let resource = found(resources.shelf(kind).find(call.param(0), call.flag("archived")))?;
    let mut shown = shown_json(kind, resource, call);
    rename_times(emulator, kind, &mut shown);
    Ok(Reply::value(200, &shown))
}

/// The names of forms' times are not in doubt.
fn rename_times(emulator: &Inner, kind: &Kind, piece: &mut Value) {
    if kind.name != FORMS.name {
        emulator.habits().rename_times(piece);
    }
}

/// The members of a body that people may set.
pub(super) fn asked_fields(kind: &Kind, call: &Call) -> Result<Fields, Failure> {
    Ok(settable(kind, call.json()?))
}

pub(super) fn settable(kind: &Kind, mut fields: Fields) -> Fields {
    fields.retain(|name, _| !kind.is_own(name) && name != "archived");
    fields
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let kind = kind_of(call);
    let fields = asked_fields(kind, call)?;
    if kind.name == FORMS.name && !(fields.contains_key("name") && fields.contains_key("formType")) {
        return Err(Failure::validation("A form needs a name and a formType"));
    }
    let (now, seed) = (emulator.clock.now().wall, emulator.options.seed);
    let mut resources = emulator.resources();
    let made = resources
        .shelf_mut(kind)
        .create(|number| id(kind, seed, number), fields, now);
    Ok(Reply::value(201, &resource_json(kind, made)))
}

fn update(emulator: &Inner, call: &Call) -> Answer {
    let kind = kind_of(call);
    let fields = asked_fields(kind, call)?;
    let mut resources = emulator.resources();
    let number = found(resources.shelf(kind).find(call.param(0), false))?.number;
    let resource = resources.shelf_mut(kind).get_mut(number);
    let resource = resource.ok_or_else(Failure::not_found)?;
    resource.fields.extend(fields);
    resource.updated = emulator.clock.now().wall;
    Ok(Reply::value(200, &resource_json(kind, resource)))
}

pub(super) fn archive(emulator: &Inner, call: &Call) -> Answer {
    let kind = kind_of(call);
    let mut resources = emulator.resources();
    let number = found(resources.shelf(kind).find(call.param(0), false))?.number;
    if let Some(resource) = resources.shelf_mut(kind).get_mut(number) {
        resource.archived = Some(emulator.clock.now().wall);
    }
    Ok(Reply::no_content())
}
