//! The pages for people.

use hubspot_emulator::DEFAULT_TOKEN;
use serde_json::json;

use crate::desk::Desk;

#[tokio::test]
async fn the_overview_shows_objects_requests_and_faults_but_no_token() {
    let desk = Desk::small();
    desk.get("/crm/v3/objects/contacts").await;
    desk.post(
        "/_emulator/faults",
        json!([{"match": {"path": "/x<script>*"}, "action": {"status": 503}}]),
    )
    .await;
    let page = desk.get("/_emulator").await;
    assert_eq!(page.status, 200);
    assert!(
        page.headers["content-type"]
            .to_str()
            .is_ok_and(|kind| kind.starts_with("text/html"))
    );
    for shown in [
        "contacts",
        "GET /crm/v3/objects/{type}",
        "503",
        "/x&#60;script&#62;*",
        "<dd>unlimited</dd>",
        "<code>GET /crm/v3/objects/contacts</code>",
    ] {
        assert!(page.text.contains(shown), "{shown}");
    }
    assert!(!page.text.contains(DEFAULT_TOKEN) && !page.text.contains("<script"));
}

#[tokio::test]
async fn the_last_requests_are_shown_newest_first_without_the_tokens_in_paths() {
    let desk = Desk::small();
    desk.get("/oauth/v1/access-tokens/a-secret").await;
    desk.get("/crm/v3/objects/contacts/999999").await;
    let page = desk.get("/_emulator").await.text;
    assert!(!page.contains("a-secret"), "{page}");
    let newer = page.find("GET /crm/v3/objects/contacts/999999");
    let older = page.find("GET /oauth/v1/access-tokens/{token}");
    assert!(newer.is_some() && newer < older, "{page}");
    assert!(page.contains("<span class=\"poor\">404</span>"));
}

#[tokio::test]
async fn records_are_shown_page_by_page_and_escaped() {
    let desk = Desk::small();
    let page = desk.get("/_emulator/objects/contacts").await;
    assert!(page.status == 200 && page.text.contains("/_emulator/objects/contacts?after="));
    let evil = json!({"properties": {"firstname": "<img src=x onerror=alert(1)>"}});
    let made = desk.post("/crm/v3/objects/contacts", evil).await;
    let id = made.body["id"].as_str().expect("an id");
    let page = desk.get(&format!("/_emulator/objects/0-1?after={id}")).await;
    assert!(page.text.contains("&#60;img") && !page.text.contains("<img"));
    assert_eq!(desk.get("/_emulator/objects/nothing").await.status, 404);
    assert_eq!(desk.get("/_emulator/objects/contacts?after=x").await.status, 400);
}
