//! Labels of associations, and the v3 shape of associations (hubspot-api notes §2.5).

use serde_json::{Value, json};

use crate::desk::Desk;

const LABELS: &str = "/crm/v4/associations/contacts/companies/labels";

async fn pair(desk: &Desk) -> (String, String) {
    let company = desk
        .post(
            "/crm/v3/objects/companies",
            json!({"properties": {"name": "Acme"}}),
        )
        .await;
    let company = company.body["id"].as_str().expect("an id").to_owned();
    (desk.contact("a@example.com").await, company)
}

#[tokio::test]
async fn a_label_has_two_sides_can_be_used_renamed_and_removed() {
    let desk = Desk::empty();
    let (contact, company) = pair(&desk).await;
    let asked = json!({"label": "Manager of", "name": "manager", "inverseLabel": "Managed by"});
    let made = desk.post(LABELS, asked.clone()).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.body["results"][1]["label"], "Managed by");
    assert_eq!(desk.post(LABELS, asked).await.status, 400);
    let id = &made.body["results"][0]["typeId"];
    let link = format!("/crm/v4/objects/contacts/{contact}/associations/companies/{company}");
    let types = json!([{"associationCategory": "USER_DEFINED", "associationTypeId": id}]);
    let linked = desk.call("PUT", &link, Some(types)).await;
    assert_eq!(linked.body["labels"], json!(["Manager of"]));
    let back = format!("/crm/v4/objects/companies/{company}/associations/contacts");
    let seen = desk.get(&back).await.body;
    assert_eq!(seen["results"][0]["associationTypes"][1]["label"], "Managed by");
    let other = json!({"associationTypeId": id, "label": "Boss of"});
    assert_eq!(desk.call("PUT", LABELS, Some(other)).await.status, 204);
    assert!(desk.get(LABELS).await.text.contains("Boss of"));
    let one = format!("{LABELS}/{id}");
    assert_eq!(desk.call("DELETE", &one, None).await.status, 204);
    let seen = desk.get(&back).await.body;
    let types = seen["results"][0]["associationTypes"].as_array();
    assert_eq!(types.map(Vec::len), Some(1), "the plain link stays");
}

#[tokio::test]
async fn there_are_ten_labels_at_most_and_hubspots_own_stay() {
    let desk = Desk::empty();
    for at in 0..10 {
        let asked = json!({"label": format!("L{at}"), "name": format!("l{at}")});
        assert_eq!(desk.post(LABELS, asked).await.status, 200);
    }
    let eleventh = json!({"label": "L", "name": "l"});
    assert_eq!(desk.post(LABELS, eleventh).await.status, 400);
    assert_eq!(
        desk.call("DELETE", &format!("{LABELS}/279"), None).await.status,
        400
    );
    assert_eq!(
        desk.call("DELETE", &format!("{LABELS}/77777"), None).await.status,
        404
    );
    assert_eq!(desk.post(LABELS, json!({"label": "x"})).await.status, 400);
}

#[tokio::test]
async fn an_accounts_own_labels_are_numbered_from_1_in_each_direction_as_hubspots_are() {
    let desk = Desk::empty();
    let (contact, company) = pair(&desk).await;
    let asked = json!({"label": "Manager of", "name": "manager", "inverseLabel": "Managed by"});
    let made = desk.post(LABELS, asked).await.body;
    let second = desk
        .post(LABELS, json!({"label": "Friend", "name": "friend"}))
        .await
        .body;
    let numbers = |made: &Value| {
        [
            made["results"][0]["typeId"].clone(),
            made["results"][1]["typeId"].clone(),
        ]
    };
    assert_eq!(
        (numbers(&made), numbers(&second)),
        ([json!(1), json!(1)], [json!(2), json!(2)])
    );

    let link = format!("/crm/v4/objects/contacts/{contact}/associations/companies/{company}");
    let own = json!({"associationCategory": "USER_DEFINED", "associationTypeId": 1});
    let primary = json!({"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1});
    desk.call("PUT", &link, Some(json!([own, primary]))).await;
    let list = format!("/crm/v4/objects/contacts/{contact}/associations/companies");
    let seen = |body: Value| {
        let types = body["results"][0]["associationTypes"]
            .as_array()
            .expect("types")
            .clone();
        let of = |kind: &Value| format!("{} {}", kind["category"].as_str().unwrap_or("?"), kind["typeId"]);
        types.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(
        seen(desk.get(&list).await.body),
        ["HUBSPOT_DEFINED 1", "HUBSPOT_DEFINED 279", "USER_DEFINED 1"]
    );
    let unlabel = json!({"inputs": [{"from": {"id": contact}, "to": {"id": company}, "types": [own]}]});
    desk.post(
        "/crm/v4/associations/contacts/companies/batch/labels/archive",
        unlabel,
    )
    .await;
    assert_eq!(
        seen(desk.get(&list).await.body),
        ["HUBSPOT_DEFINED 1", "HUBSPOT_DEFINED 279"]
    );
}

#[tokio::test]
async fn v3_associations_are_made_read_and_removed_by_name() {
    let desk = Desk::empty();
    let (contact, company) = pair(&desk).await;
    let path = |verb: &str| format!("/crm/v3/associations/contacts/companies/batch/{verb}");
    let link =
        |kind: &str| json!({"inputs": [{"from": {"id": contact}, "to": {"id": company}, "type": kind}]});
    let made = desk.post(&path("create"), link("contact_to_company")).await;
    assert_eq!(
        (made.status, &made.body["results"][0]["type"]),
        (201, &json!("contact_to_company"))
    );
    assert_eq!(desk.post(&path("create"), link("friend")).await.status, 400);
    let read = json!({"inputs": [{"id": contact}, {"id": "999"}]});
    let seen = desk.post(&path("read"), read).await;
    assert_eq!(seen.status, 207);
    assert_eq!(
        seen.body["errors"][0]["subCategory"],
        "crm.associations.NO_ASSOCIATIONS_FOUND"
    );
    let to = &seen.body["results"][0]["to"];
    let names: Vec<&Value> = to
        .as_array()
        .expect("to")
        .iter()
        .map(|end| &end["type"])
        .collect();
    assert_eq!(names, ["contact_to_company", "contact_to_company_unlabeled"]);
    assert_eq!(to[0]["id"].as_str(), Some(company.as_str()));
    let all = desk
        .post(&path("archive"), link("contact_to_company_unlabeled"))
        .await;
    assert_eq!(all.status, 204);
    let read = json!({"inputs": [{"id": contact}]});
    assert_eq!(desk.post(&path("read"), read).await.body["results"], json!([]));
    let types = desk
        .get("/crm/v3/associations/contacts/companies/types")
        .await
        .body;
    assert!(types["results"].as_array().is_some_and(|types| types.len() >= 2));
}
