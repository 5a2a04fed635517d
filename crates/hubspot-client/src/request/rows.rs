//! Rows of a HubDB table. They are written into its draft, and are seen once the table is
//! [published](super::resources::publish_table) (hubspot-api notes §2.8).

use http::Method;
use serde::Serialize;

use super::{Idempotency, Target, batches::check_size, objects::MAX_BATCH, resources::Inputs};
use crate::{
    error::Error,
    http::Request,
    version::{ApiVersion, Resource},
};

/// `GET {tables}/{id}/rows/draft`: one page of the rows of a table's draft.
pub fn drafts(version: &ApiVersion, table: &str, after: Option<&str>) -> Result<Request, Error> {
    rows(version, table)?
        .segment("draft")
        .pair("limit", &super::resources::MAX_PAGE.to_string())
        .optional("after", after)
        .get()
}

/// `POST {tables}/{id}/rows`
pub fn create(version: &ApiVersion, table: &str, row: &impl Serialize) -> Result<Request, Error> {
    rows(version, table)?.write(Method::POST, Idempotency::Unsafe, row)
}

/// `PATCH {tables}/{id}/rows/{row}/draft`
pub fn update(version: &ApiVersion, table: &str, id: &str, row: &impl Serialize) -> Result<Request, Error> {
    draft(version, table, id)?.write(Method::PATCH, Idempotency::Safe, row)
}

/// `DELETE {tables}/{id}/rows/{row}/draft`
pub fn delete(version: &ApiVersion, table: &str, id: &str) -> Result<Request, Error> {
    draft(version, table, id)?.delete()
}

/// `POST {tables}/{id}/rows/draft/batch/create`, at most [`MAX_BATCH`] rows.
pub fn batch_create(version: &ApiVersion, table: &str, rows: &[impl Serialize]) -> Result<Request, Error> {
    batch(version, table, "create", Idempotency::Unsafe, rows)
}

/// `POST {tables}/{id}/rows/draft/batch/update`; each row names its `id`.
pub fn batch_update(version: &ApiVersion, table: &str, rows: &[impl Serialize]) -> Result<Request, Error> {
    batch(version, table, "update", Idempotency::Safe, rows)
}

/// `POST {tables}/{id}/rows/draft/batch/purge`: deletes rows by id.
pub fn batch_delete(version: &ApiVersion, table: &str, ids: &[impl AsRef<str>]) -> Result<Request, Error> {
    let ids: Vec<_> = ids.iter().map(AsRef::as_ref).collect();
    batch(version, table, "purge", Idempotency::Safe, &ids)
}

fn batch(
    version: &ApiVersion,
    table: &str,
    word: &str,
    idempotency: Idempotency,
    inputs: &[impl Serialize],
) -> Result<Request, Error> {
    check_size("rows are written", inputs.len(), MAX_BATCH)?;
    rows(version, table)?
        .segment("draft")
        .segment("batch")
        .segment(word)
        .write(Method::POST, idempotency, &Inputs { inputs })
}

fn rows(version: &ApiVersion, table: &str) -> Result<Target, Error> {
    let tables = Target::new(version.resource(Resource::HubDbTables));
    Ok(tables.id("a table", table)?.segment("rows"))
}

fn draft(version: &ApiVersion, table: &str, id: &str) -> Result<Target, Error> {
    Ok(rows(version, table)?.id("a row", id)?.segment("draft"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::text;

    const V3: ApiVersion = ApiVersion::Numbered;

    #[test]
    fn a_row_is_made_changed_and_deleted_in_the_draft() {
        let row = json!({"values": {"price": 1}});
        let made = create(&V3, "7", &row).unwrap();
        assert_eq!(
            text(&made),
            "POST /cms/v3/hubdb/tables/7/rows {\"values\":{\"price\":1}}"
        );
        assert_eq!(Idempotency::of(&made), Idempotency::Unsafe);
        assert_eq!(
            text(&update(&ApiVersion::default(), "7", "8", &row).unwrap()),
            "PATCH /cms/hubdb/2026-03/tables/7/rows/8/draft {\"values\":{\"price\":1}}"
        );
        assert_eq!(
            text(&delete(&V3, "7", "8").unwrap()),
            "DELETE /cms/v3/hubdb/tables/7/rows/8/draft"
        );
        assert!(delete(&V3, "7", "").is_err());
        assert_eq!(
            text(&drafts(&V3, "7", Some("8")).unwrap()),
            "GET /cms/v3/hubdb/tables/7/rows/draft?limit=100&after=8"
        );
    }

    #[test]
    fn many_rows_go_at_once() {
        let batch = |word: &str| format!("POST /cms/v3/hubdb/tables/7/rows/draft/batch/{word}");
        let made = batch_create(&V3, "7", &[json!({"values": {}})]).unwrap();
        assert_eq!(text(&made), batch("create") + " {\"inputs\":[{\"values\":{}}]}");
        assert_eq!(Idempotency::of(&made), Idempotency::Unsafe);
        let changed = batch_update(&V3, "7", &[json!({"id": "8"})]).unwrap();
        assert_eq!(text(&changed), batch("update") + " {\"inputs\":[{\"id\":\"8\"}]}");
        let deleted = batch_delete(&V3, "7", &["8", "9"]).unwrap();
        assert_eq!(text(&deleted), batch("purge") + " {\"inputs\":[\"8\",\"9\"]}");
        assert_eq!(Idempotency::of(&deleted), Idempotency::Safe);
        let many = vec![json!({}); 101];
        assert!(batch_create(&V3, "7", &many).is_err());
    }
}
