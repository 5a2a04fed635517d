//! Fills an account with seeded records and links.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::generate::{Generator, ids};
use super::links::{self, People};
use super::recipe::Recipe;
use super::{catalogue, people};
use crate::options::Counts;
use crate::state::associations::{Link, TypeIndex};
use crate::state::object_type;
use crate::state::pipelines;
use crate::state::portal::Portal;
use crate::state::property::PropertySet;
use crate::state::store::Store;
use crate::state::values::PropertyIndex;

/// How seeded values are made, for each type.
pub(crate) type Recipes = Vec<Vec<(PropertyIndex, Recipe)>>;

/// An account with every definition and no record, which others are copies of: the tables are read once.
static BLUEPRINT: LazyLock<(Portal, Arc<Recipes>)> = LazyLock::new(read_tables);

fn read_tables() -> (Portal, Arc<Recipes>) {
    let (mut stores, mut recipes) = (Vec::new(), Recipes::new());
    for object_type in object_type::standard() {
        let (properties, made) = catalogue::read(&object_type)
            .into_iter()
            .unzip::<_, _, Vec<_>, Vec<_>>();
        let made = (0..)
            .zip(made)
            .filter_map(|(index, recipe)| Some((index, recipe?)));
        recipes.push(made.collect());
        stores.push(Store::new(object_type, PropertySet::new(properties)));
    }
    let mut portal = Portal::new(stores);
    (0..portal.stores.len()).for_each(|of| portal.offer_stages(of));
    (portal, Arc::new(recipes))
}

/// An account with every definition and no record.
pub(crate) fn empty_portal(id: u64, seed: u64, search_lag: Duration) -> (Portal, Arc<Recipes>) {
    let (blueprint, recipes) = &*BLUEPRINT;
    let mut portal = blueprint.clone();
    portal.id = id;
    portal.seed = seed;
    portal.search_lag = search_lag;
    portal.owners = people::owners(seed);
    (portal, Arc::clone(recipes))
}

/// The recipes without those that put text into number properties.
pub(crate) fn cleaned(recipes: &Recipes) -> Arc<Recipes> {
    let clean = |(property, recipe): &(PropertyIndex, Recipe)| (*property, recipe.clone().cleaned());
    let of_type = |recipes: &Vec<(PropertyIndex, Recipe)>| recipes.iter().map(clean).collect();
    Arc::new(recipes.iter().map(of_type).collect())
}

/// The maker of records of one type.
pub(crate) fn generator<'a>(portal: &'a Portal, recipes: &'a Recipes, of: TypeIndex) -> Generator<'a> {
    let store = portal.store(of);
    let properties = &store.properties;
    let pipeline_property = pipelines::properties(&store.object_type)
        .and_then(|(pipeline, stage)| Some((properties.index(pipeline)?, properties.index(stage)?)));
    Generator {
        seed: portal.seed,
        salt: of as u64 + 1,
        properties,
        // Types that were made at run time have no recipes.
        recipes: recipes.get(of).map_or(&[], Vec::as_slice),
        pipelines: portal
            .pipelines
            .iter()
            .filter(|(index, _)| *index == of)
            .map(|(_, pipeline)| pipeline)
            .collect(),
        pipeline_property,
    }
}

/// Adds records and links them among themselves and with those already there.
pub(crate) fn seed(portal: &mut Portal, recipes: &Recipes, counts: &Counts) {
    let add = |portal: &mut Portal, name: &str, count: u64| add_records(portal, recipes, name, count);
    let _companies = add(portal, "companies", counts.companies);
    let contacts = add(portal, "contacts", counts.contacts);
    let deals = add(portal, "deals", counts.deals);
    let tickets = add(portal, "tickets", counts.tickets);
    add(portal, "products", counts.products);
    let line_items = add(
        portal,
        "line_items",
        counts.line_items.unwrap_or(counts.deals * 2),
    );
    let (all_contacts, all_companies) = (live_ids(portal, "contacts"), live_ids(portal, "companies"));
    let people = People {
        seed: portal.seed,
        contacts: &all_contacts,
        companies: &all_companies,
    };
    let linked = [
        (
            "contacts",
            "companies",
            links::contacts_to_companies(&people, &contacts),
        ),
        ("deals", "contacts", links::deals_to_contacts(&people, &deals)),
        ("deals", "companies", links::deals_to_companies(&people, &deals)),
        (
            "tickets",
            "contacts",
            links::tickets_to_contacts(&people, &tickets),
        ),
        (
            "tickets",
            "companies",
            links::tickets_to_companies(&people, &tickets),
        ),
        (
            "deals",
            "line_items",
            links::deals_to_line_items(&deals, &line_items),
        ),
    ];
    for (from, to, links) in &linked {
        add_links(portal, from, to, links);
    }
    for (name, count) in &counts.others {
        let added = add_records(portal, recipes, name, *count);
        link_to_the_usual(portal, name, &added);
    }
}

/// Links each record with one of every usual type that its type can be associated with.
fn link_to_the_usual(portal: &mut Portal, name: &str, added: &[u64]) {
    for to in ["contacts", "companies", "deals", "tickets"] {
        let (Ok(of), Ok(to_index)) = (portal.type_index(name), portal.type_index(to)) else {
            continue;
        };
        let Some(plain) = portal.associations.plain(of, to_index).map(|plain| plain.type_id) else {
            continue;
        };
        let links = links::one_each(portal.seed, added, &live_ids(portal, to), plain);
        add_links(portal, name, to, &links);
    }
}

fn add_links(portal: &mut Portal, from: &str, to: &str, links: &[Link]) {
    if let (Ok(from), Ok(to)) = (portal.type_index(from), portal.type_index(to)) {
        portal.associations.extend(from, to, links);
    }
}

/// Adds records of one type and returns the ids of those that are live.
fn add_records(portal: &mut Portal, recipes: &Recipes, name: &str, count: u64) -> Vec<u64> {
    let Ok(of) = portal.type_index(name) else {
        return Vec::new();
    };
    let new_ids: Vec<u64> = ids(portal.store(of).next_id(), count).collect();
    let companies = if name == "contacts" {
        live_ids(portal, "companies")
    } else {
        Vec::new()
    };
    let itself = name == "companies";
    let seed = portal.seed;
    let company = |id| {
        if itself {
            Some(id)
        } else {
            links::company_of(seed, id, &companies)
        }
    };
    let records = generator(portal, recipes, of).records(&new_ids, company);
    let live = records
        .iter()
        .filter(|record| record.is_live())
        .map(|record| record.id)
        .collect();
    portal.stores[of].extend(records);
    live
}

fn live_ids(portal: &Portal, name: &str) -> Vec<u64> {
    let Ok(of) = portal.type_index(name) else {
        return Vec::new();
    };
    portal.store(of).live_from(0).map(|record| record.id).collect()
}
