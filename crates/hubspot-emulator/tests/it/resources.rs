//! Forms, the CMS, and what else is no record: routes, truth, and changes.

use std::collections::BTreeSet;
use std::time::Duration;

use hubspot_emulator::{Counts, Emulator, Options, Scopes, Tier, Token};
use serde_json::{Value, json};

use crate::desk::{Desk, ids};

/// Name, both paths, and the members that hold the times.
const KINDS: [(&str, [&str; 2], [&str; 2]); 9] = [
    (
        "forms",
        ["/marketing/v3/forms", "/marketing/forms/2026-09-beta"],
        ["createdAt", "updatedAt"],
    ),
    (
        "blog_authors",
        ["/cms/v3/blogs/authors", "/cms/blogs/2026-03/authors"],
        ["created", "updated"],
    ),
    (
        "blog_posts",
        ["/cms/v3/blogs/posts", "/cms/blogs/2026-03/posts"],
        ["created", "updated"],
    ),
    (
        "blog_tags",
        ["/cms/v3/blogs/tags", "/cms/blogs/2026-03/tags"],
        ["created", "updated"],
    ),
    (
        "landing_pages",
        ["/cms/v3/pages/landing-pages", "/cms/pages/2026-03/landing-pages"],
        ["createdAt", "updatedAt"],
    ),
    (
        "site_pages",
        ["/cms/v3/pages/site-pages", "/cms/pages/2026-03/site-pages"],
        ["createdAt", "updatedAt"],
    ),
    (
        "hubdb_tables",
        ["/cms/v3/hubdb/tables", "/cms/hubdb/2026-03/tables"],
        ["createdAt", "updatedAt"],
    ),
    (
        "url_redirects",
        ["/cms/v3/url-redirects", "/cms/url-redirects/2026-03"],
        ["created", "updated"],
    ),
    (
        "domains",
        ["/cms/v3/domains", "/cms/domains/2026-03"],
        ["createdAt", "updatedAt"],
    ),
];

fn emulator() -> Emulator {
    Emulator::new(Options {
        counts: Counts {
            contacts: 40,
            companies: 0,
            deals: 0,
            ..Counts::default()
        },
        tier: Tier::Unlimited,
        ..Options::default()
    })
}

fn truth(emulator: &Emulator, name: &str) -> Vec<Value> {
    let lines = emulator.truth(name).expect("known");
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).expect("each line is JSON"))
        .collect()
}

fn ids_in(truth: &[Value], state: &str) -> BTreeSet<String> {
    let fitting = truth.iter().filter(|line| line["state"] == state);
    fitting
        .map(|line| line["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Every id of a list, page by page.
async fn walk(desk: &Desk, path: &str, query: &str) -> Vec<String> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = desk.get(&format!("{path}?{query}&after={after}")).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        found.extend(ids(&page.body));
        match page.body["paging"]["next"]["after"].as_str() {
            Some(next) => after = next.replace('=', "%3D"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn lists_hold_the_truth_in_both_generations() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    for (name, paths, times) in KINDS {
        let truth = truth(&emulator, name);
        assert!(!truth.is_empty());
        for path in paths {
            for (archived, state) in [("false", "live"), ("true", "archived")] {
                let listed = walk(&desk, path, &format!("limit=7&formTypes=all&archived={archived}")).await;
                assert_eq!(
                    listed.iter().cloned().collect::<BTreeSet<_>>(),
                    ids_in(&truth, state),
                    "{path}"
                );
                assert_eq!(listed.len(), ids_in(&truth, state).len(), "{path}: nothing twice");
            }
            let first = desk.get(&format!("{path}?limit=1")).await.body;
            let total = (name != "forms").then(|| ids_in(&truth, "live").len());
            assert_eq!(
                first.get("total"),
                total.map(|total| json!(total)).as_ref(),
                "{path}"
            );
            let id = first["results"][0]["id"].as_str().expect("an id");
            let single = desk.get(&format!("{path}/{id}")).await;
            assert_eq!((single.status, &single.body), (200, &first["results"][0]));
            assert!(times.iter().all(|time| single.body[*time].is_string()), "{path}");
            assert_eq!(desk.get(&format!("{path}/0")).await.status, 404);
        }
    }
}

#[tokio::test]
async fn an_account_has_as_much_content_as_it_is_seeded_with() {
    let desk = Desk::empty();
    assert_eq!(desk.get("/cms/v3/blogs/tags").await.body["total"], 0);
    let seeded = desk
        .post("/_emulator/seed", json!({"blog_tags": 5, "hubdb_tables": 1}))
        .await;
    assert_eq!(seeded.status, 200, "{}", seeded.text);
    assert_eq!(desk.get("/cms/v3/blogs/tags").await.body["total"], 5);
    let table = ids(&desk.get("/cms/v3/hubdb/tables").await.body).remove(0);
    let rows = desk
        .get(&format!("/cms/v3/hubdb/tables/{table}/rows?limit=1"))
        .await
        .body;
    assert_eq!(rows["total"], 30);
}

#[tokio::test]
async fn lists_are_sorted_and_cut_by_time() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let path = "/cms/v3/blogs/posts";
    let truth = truth(&emulator, "blog_posts");
    let live = |line: &&Value| line["state"] == "live";
    let mut by_update: Vec<(String, String)> = truth
        .iter()
        .filter(live)
        .map(|line| [&line["updatedAt"], &line["id"]].map(|text| text.as_str().expect("text").to_owned()))
        .map(|[updated, id]| (updated, id))
        .collect();
    by_update.sort();
    let sorted =
        |list: &[(String, String)]| -> Vec<String> { list.iter().map(|(_, id)| id.clone()).collect() };
    assert_eq!(
        walk(&desk, path, "limit=9&sort=updatedAt").await,
        sorted(&by_update)
    );
    let middle = by_update.len() / 2;
    let at = by_update[middle].0.clone();
    let late = walk(&desk, path, &format!("limit=9&sort=updatedAt&updatedAfter={at}")).await;
    assert_eq!(late, sorted(&by_update[middle + 1..]));
    let early = walk(&desk, path, &format!("limit=9&sort=updatedAt&updatedBefore={at}")).await;
    assert_eq!(early, sorted(&by_update[..middle]));
    assert_eq!(
        walk(&desk, path, &format!("updatedAt={at}")).await,
        [by_update[middle].1.clone()]
    );
    by_update.reverse();
    assert_eq!(
        walk(&desk, path, "limit=9&sort=-updated").await,
        sorted(&by_update)
    );
    let cut = desk.get(&format!("{path}?limit=1&property=name")).await.body;
    let members: BTreeSet<&str> = cut["results"][0]
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(members, ["id", "name", "created", "updated", "deletedAt"].into());
    for wrong in [
        "limit=0",
        "limit=101",
        "sort=mood",
        "after=!!",
        "createdAfter=soon",
    ] {
        assert_eq!(desk.get(&format!("{path}?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_walk_survives_what_happens_meanwhile() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let path = "/cms/v3/blogs/posts";
    let all = walk(&desk, path, "limit=50").await;
    let first = desk.get(&format!("{path}?limit=10")).await.body;
    let shown = ids(&first);
    for id in &shown {
        assert_eq!(
            desk.call("DELETE", &format!("{path}/{id}"), None).await.status,
            204
        );
    }
    let after = first["paging"]["next"]["after"]
        .as_str()
        .expect("more")
        .replace('=', "%3D");
    let rest = desk.get(&format!("{path}?limit=100&after={after}")).await.body;
    assert_eq!([shown, ids(&rest)].concat(), all[..110.min(all.len())]);
}

#[tokio::test]
async fn what_is_made_can_be_changed_and_archived() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    for (name, [path, _], times) in KINDS {
        if ["domains", "hubdb_tables"].contains(&name) {
            continue;
        }
        let asked = json!({"name": "Spring", "formType": "hubspot", "id": "7", "archived": true});
        let made = desk.post(path, asked).await;
        assert_eq!(
            (made.status, &made.body["name"]),
            (201, &json!("Spring")),
            "{path}"
        );
        let id = made.body["id"].as_str().expect("an id");
        let one = format!("{path}/{id}");
        assert_ne!(id, "7", "HubSpot gives the id");
        emulator.advance(Duration::from_secs(5));
        let changed = desk.call("PATCH", &one, Some(json!({"name": "Summer"}))).await;
        assert_eq!((changed.status, &changed.body["name"]), (200, &json!("Summer")));
        assert_eq!(changed.body[times[0]], made.body[times[0]]);
        assert_ne!(changed.body[times[1]], made.body[times[1]]);
        assert_eq!(desk.get(&one).await.body, changed.body);
        assert_eq!(desk.call("DELETE", &one, None).await.status, 204);
        assert_eq!(desk.get(&one).await.status, 404);
        assert_eq!(desk.get(&format!("{one}?archived=true")).await.status, 200);
        assert_eq!(desk.call("PATCH", &one, Some(json!({}))).await.status, 404);
        assert!(ids_in(&truth(&emulator, name), "archived").contains(id));
    }
    assert_eq!(
        desk.post("/cms/v3/domains", json!({})).await.status,
        501,
        "read only here"
    );
    assert_eq!(
        desk.post("/marketing/v3/forms", json!({"name": "x"}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn forms_of_all_types_come_only_when_asked_for() {
    let desk = Desk::at(&emulator());
    let count = async |query: &str| walk(&desk, "/marketing/v3/forms", query).await.len();
    let (usual, all) = (count("limit=100").await, count("formTypes=all").await);
    assert!(usual < all, "{usual} of {all}");
    assert_eq!(count("formTypes=hubspot").await, usual);
    assert_eq!(count("formTypes=hubspot,captured,flow,blog_comment").await, all);
    let old = desk.get("/forms/v2/forms").await.body;
    assert_eq!(old.as_array().map(Vec::len), Some(all));
}

#[tokio::test]
async fn tables_are_seen_as_they_were_published() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let path = "/cms/v3/hubdb/tables";
    let made = desk
        .post(path, json!({"name": "prices", "label": "Prices", "columns": []}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let one = format!("{path}/{}", made.body["id"].as_str().expect("an id"));
    assert_eq!(desk.get(&one).await.status, 404, "not published");
    assert_eq!(
        desk.get(&format!("{path}/prices/draft")).await.body["label"],
        "Prices"
    );
    let row = desk
        .post(
            &format!("{one}/rows"),
            json!({"values": {"title": "A", "price": 1}}),
        )
        .await;
    assert_eq!(row.status, 201);
    let row_id = row.body["id"].as_str().expect("an id");
    assert_eq!(desk.get(&format!("{one}/rows")).await.body["total"], 0);
    assert_eq!(desk.get(&format!("{one}/rows/draft")).await.body["total"], 1);
    assert_eq!(
        desk.post(&format!("{one}/draft/publish"), json!({})).await.status,
        200
    );
    assert_eq!(desk.get(&one).await.body["rowCount"], 1);
    let published = desk.get(&format!("{one}/rows/{row_id}")).await.body;
    let draft = format!("{one}/rows/{row_id}/draft");
    let changed = desk
        .call("PATCH", &draft, Some(json!({"values": {"price": 2}})))
        .await;
    assert_eq!(changed.body["values"], json!({"title": "A", "price": 2}));
    assert_eq!(desk.get(&format!("{one}/rows/{row_id}")).await.body, published);
    let label = desk
        .call("PATCH", &format!("{one}/draft"), Some(json!({"label": "Costs"})))
        .await;
    assert_eq!((label.status, &label.body["label"]), (200, &json!("Costs")));
    assert_eq!(desk.get(&one).await.body["label"], "Prices");
    desk.post(&format!("{one}/draft/publish"), json!({})).await;
    assert_eq!(desk.get(&one).await.body["label"], "Costs");
    assert_eq!(desk.call("DELETE", &draft, None).await.status, 204);
    assert_eq!(desk.get(&draft).await.status, 404);
    let rows = truth(&emulator, "hubdb_rows");
    assert!(
        rows.iter()
            .any(|line| line["id"] == *row_id && line["properties"]["values"]["price"] == 2)
    );
    assert_eq!(desk.call("DELETE", &one, None).await.status, 204);
    assert_eq!(desk.get(&format!("{one}/rows")).await.status, 404);
}

#[tokio::test]
async fn blogs_and_pages_are_written_in_batches() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    for (name, [path, _], times) in KINDS {
        let made = desk
            .post(
                &format!("{path}/batch/create"),
                json!({"inputs": [{"name": "a"}, {"name": "b"}]}),
            )
            .await;
        if ["forms", "domains", "hubdb_tables", "url_redirects"].contains(&name) {
            assert_ne!(made.status, 201, "{name} have no batches");
            continue;
        }
        assert_eq!((made.status, &made.body["status"]), (201, &json!("COMPLETE")));
        let [a, b] = [0, 1].map(|at| made.body["results"][at]["id"].as_str().expect("an id").to_owned());
        emulator.advance(Duration::from_secs(5));
        let update = json!({"inputs": [{"id": a, "name": "c"}, {"id": b, "name": "d"}]});
        let changed = desk.post(&format!("{path}/batch/update"), update).await.body;
        assert_eq!(changed["results"][1]["name"], "d");
        assert_ne!(changed["results"][1][times[1]], made.body["results"][1][times[1]]);
        let unknown = json!({"inputs": [{"id": a, "name": "e"}, {"id": "7", "name": "e"}]});
        assert_eq!(
            desk.post(&format!("{path}/batch/update"), unknown).await.status,
            404
        );
        let read = desk
            .post(&format!("{path}/batch/read"), json!({"inputs": [a, "7"]}))
            .await;
        assert_eq!(read.body["results"].as_array().map(Vec::len), Some(1));
        assert_eq!(read.body["results"][0]["name"], "c", "nothing of a refused batch");
        let archive = json!({"inputs": [a, b, "7"]});
        assert_eq!(
            desk.post(&format!("{path}/batch/archive"), archive).await.status,
            204
        );
        assert_eq!(desk.get(&format!("{path}/{a}")).await.status, 404);
    }
}

#[tokio::test]
async fn rows_are_written_in_batches_and_shown_when_published() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let path = "/cms/v3/hubdb/tables";
    let table = desk
        .post(path, json!({"name": "prices", "label": "Prices", "columns": []}))
        .await;
    let rows = format!("{path}/{}/rows", table.body["id"].as_str().expect("an id"));
    let batch = async |what: &str, inputs: Value| {
        desk.post(&format!("{rows}/draft/batch/{what}"), json!({"inputs": inputs}))
            .await
    };
    let row = |price: u64| json!({"values": {"title": "A", "price": price}});
    let made = batch("create", json!([row(1), row(2), row(3)])).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = ids(&made.body);
    let changed = batch("update", json!([{"id": made[1], "values": {"price": 20}}])).await;
    assert_eq!(
        changed.body["results"][0]["values"],
        json!({"title": "A", "price": 20})
    );
    assert_eq!(
        batch("update", json!([{"id": "7", "values": {}}])).await.status,
        404
    );
    assert_eq!(batch("purge", json!([made[0], "7"])).await.status, 204);
    let published = async || {
        desk.post(&format!("{rows}/batch/read"), json!({"inputs": made}))
            .await
    };
    assert_eq!(ids(&published().await.body), Vec::<String>::new());
    let publish = rows.replace("/rows", "/draft/publish");
    assert_eq!(desk.post(&publish, json!({})).await.status, 200);
    assert_eq!(ids(&published().await.body), made[1..]);
    let drafted = batch("read", json!(made)).await.body;
    assert_eq!(ids(&drafted), made[1..]);
    let many = vec![row(1); 101];
    assert_eq!(batch("create", json!(many)).await.status, 400);
}

#[tokio::test]
async fn each_kind_needs_its_scope() {
    let scopes = [
        ("forms", "forms"),
        ("blog_posts", "content"),
        ("hubdb_tables", "hubdb"),
        ("domains", "cms.domains.read"),
    ];
    for (name, scope) in scopes {
        let desk = Desk::with(Options {
            tokens: vec![Token::with_scopes("pat-some", [scope])],
            counts: Counts::none(),
            ..Options::default()
        });
        for (other, [path, _], _) in KINDS {
            let needed = match other {
                "forms" => "forms",
                "hubdb_tables" => "hubdb",
                "domains" => "cms.domains.read",
                _ => "content",
            };
            let expected = if needed == scope { 200 } else { 403 };
            assert_eq!(
                desk.get(path).await.status,
                expected,
                "{other} with the scope of {name}"
            );
        }
    }
    assert_eq!(Scopes::All, Token::new("x").scopes);
}

#[test]
fn mutations_reach_every_kind() {
    let emulator = emulator();
    for (name, ..) in KINDS {
        let before = truth(&emulator, name);
        let live = ids_in(&before, "live").len();
        let asked =
            json!({"objectType": name, "seed": 3, "create": 4, "update": 2, "archive": 1, "distinct": true});
        let done = emulator.mutate(&asked).expect("understood");
        let after = truth(&emulator, name);
        assert_eq!(ids_in(&after, "live").len(), live + 4 - 1, "{name}");
        for (kind, count) in [("create", 4), ("update", 2), ("archive", 1)] {
            assert_eq!(done[kind].as_array().map(Vec::len), Some(count), "{name} {kind}");
        }
        for id in done["update"].as_array().expect("ids") {
            let find = |lines: &[Value]| lines.iter().find(|line| line["id"] == *id).cloned();
            let now = find(&after).expect("there");
            if let Some(then) = find(&before) {
                assert_ne!(then["properties"], now["properties"], "{name} {id}");
                assert!(
                    then["updatedAt"].as_str() < now["updatedAt"].as_str(),
                    "{name} {id}"
                );
            }
        }
        let silent = json!({"objectType": name, "update": 1, "silent": true});
        emulator.advance(Duration::from_secs(1));
        let done = emulator.mutate(&silent).expect("understood");
        let touched = |lines: Vec<Value>| lines.into_iter().find(|line| line["id"] == done["update"][0]);
        let (then, now) = (
            touched(after).expect("there"),
            touched(truth(&emulator, name)).expect("there"),
        );
        assert_eq!(then["updatedAt"], now["updatedAt"], "{name}");
        assert_ne!(then["properties"], now["properties"], "{name}");
    }
    let refused = emulator.mutate(&json!({"objectType": "forms", "merge": 1}));
    assert_eq!(
        refused,
        Err("`merge` is nothing that happens to forms".to_owned())
    );
}

#[tokio::test]
async fn mutations_reach_lists_members_owners_and_pipelines() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let mutate = |asked: Value| emulator.mutate(&asked).expect("understood");
    let count = |done: &Value, kind: &str| done[kind].as_array().map_or(0, Vec::len);
    let lists =
        mutate(json!({"objectType": "lists", "create": 3, "update": 1, "archive": 1, "distinct": true}));
    assert_eq!(
        [
            count(&lists, "create"),
            count(&lists, "update"),
            count(&lists, "archive")
        ],
        [3, 1, 1]
    );
    assert_eq!(ids_in(&truth(&emulator, "lists"), "live").len(), 2);
    let joined = mutate(json!({"objectType": "list_memberships", "create": 20, "archive": 5}));
    assert_eq!([count(&joined, "create"), count(&joined, "archive")], [20, 5]);
    let members = truth(&emulator, "list_memberships");
    assert_eq!(members.len(), 15);
    let mut listed = Vec::new();
    for list in ids_in(&truth(&emulator, "lists"), "live") {
        let page = desk.get(&format!("/crm/v3/lists/{list}/memberships")).await.body;
        for member in page["results"].as_array().expect("members") {
            listed.push(json!({"listId": list, "recordId": member["recordId"], "membershipTimestamp": member["membershipTimestamp"]}));
        }
    }
    assert_eq!(listed, members);
    let archived = ids_in(&truth(&emulator, "owners"), "archived").len();
    let owners = mutate(json!({"objectType": "owners", "archive": 3, "restore": 1, "distinct": true}));
    assert_eq!(
        ids_in(&truth(&emulator, "owners"), "archived").len(),
        archived + 2
    );
    let gone = owners["archive"][0].as_str().expect("an id");
    assert_eq!(desk.get(&format!("/crm/v3/owners/{gone}")).await.status, 404);
    let before = truth(&emulator, "pipelines");
    let renamed = mutate(json!({"objectType": "pipelines", "update": 1}));
    assert!(renamed["update"][0]["stage"].is_string());
    assert_ne!(before, truth(&emulator, "pipelines"));
    assert!(
        emulator
            .mutate(&json!({"objectType": "owners", "create": 1}))
            .is_err()
    );
}
