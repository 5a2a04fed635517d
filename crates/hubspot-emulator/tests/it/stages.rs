//! Pipelines and stages that callers make, change and delete (hubspot-api notes §2.3).

use serde_json::json;

use crate::desk::Desk;

const DEALS: &str = "/crm/v3/pipelines/deals";

#[tokio::test]
async fn a_pipeline_is_made_used_changed_and_deleted() {
    let desk = Desk::empty();
    let asked = json!({"label": "Partners", "displayOrder": 3, "stages": [
        {"label": "Open", "displayOrder": 0, "metadata": {"probability": "0.3"}},
        {"label": "Won", "displayOrder": 1, "metadata": {"probability": 1.0}}]});
    let made = desk.post(DEALS, asked).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (id, stage) = (&made.body["id"], &made.body["stages"][0]["id"]);
    assert_eq!(made.body["stages"][1]["metadata"]["isClosed"], "true");
    let deal = json!({"properties": {"dealname": "D", "pipeline": id, "dealstage": stage}});
    let deal = desk.post("/crm/v3/objects/deals", deal).await;
    assert_eq!(deal.status, 201, "{}", deal.text);
    let path = format!("{DEALS}/{}", id.as_str().expect("an id"));
    let renamed = desk.call("PATCH", &path, Some(json!({"label": "Channel"}))).await;
    assert_eq!((renamed.status, &renamed.body["label"]), (200, &json!("Channel")));
    let guarded = format!("{path}?validateReferencesBeforeDelete=true");
    let refused = desk.call("DELETE", &guarded, None).await;
    assert_eq!(
        (refused.status, &refused.body["subCategory"]),
        (400, &json!("PipelineError.STAGE_ID_IN_USE"))
    );
    assert_eq!(desk.call("DELETE", &path, None).await.status, 204);
    assert_eq!(desk.get(&path).await.status, 404);
}

#[tokio::test]
async fn stages_come_and_go() {
    let desk = Desk::empty();
    let stages = format!("{DEALS}/default/stages");
    let asked = json!({"label": "Legal", "displayOrder": 9, "metadata": {"probability": "0.7"}});
    let made = desk.post(&stages, asked).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let one = format!("{stages}/{}", made.body["id"].as_str().expect("an id"));
    let moved = desk.call("PATCH", &one, Some(json!({"displayOrder": 2}))).await;
    assert_eq!(moved.body["displayOrder"], 2);
    assert_eq!(
        desk.call("PUT", &one, Some(json!({"label": "x"}))).await.status,
        400
    );
    assert_eq!(desk.call("DELETE", &one, None).await.status, 204);
    assert_eq!(desk.get(&one).await.status, 404);
}

#[tokio::test]
async fn bad_pipelines_are_refused() {
    let desk = Desk::empty();
    for asked in [
        json!({"label": "x", "displayOrder": 0, "stages": []}),
        json!({"displayOrder": 0, "stages": [{"label": "a", "displayOrder": 0, "metadata": {"probability": "1"}}]}),
        json!({"label": "x", "displayOrder": 0, "stages": [{"label": "a", "displayOrder": 0}]}),
        json!({"label": "x", "displayOrder": 0, "stages": [{"label": "a", "displayOrder": 0, "metadata": {"probability": "7"}}]}),
    ] {
        assert_eq!(desk.post(DEALS, asked.clone()).await.status, 400, "{asked}");
    }
    assert_eq!(desk.get("/crm/v3/pipelines/contacts").await.status, 400);
    assert_eq!(
        desk.get("/crm/v3/pipelines/deals/default/audit").await.status,
        501
    );
}

#[tokio::test]
async fn replacing_keeps_the_id_and_takes_the_other_stages() {
    let desk = Desk::empty();
    let asked = json!({"label": "Only", "displayOrder": 0, "stages": [{"label": "New", "displayOrder": 0}]});
    let path = "/crm/v3/pipelines/tickets/0";
    let replaced = desk.call("PUT", path, Some(asked)).await;
    assert_eq!((replaced.status, &replaced.body["id"]), (200, &json!("0")));
    let stages = &replaced.body["stages"];
    assert_eq!(stages.as_array().map(Vec::len), Some(1));
    assert_eq!(stages[0]["metadata"]["ticketState"], "OPEN");
    let old = json!({"properties": {"subject": "T", "hs_pipeline_stage": "1"}});
    assert_eq!(desk.post("/crm/v3/objects/tickets", old).await.status, 400);
}
