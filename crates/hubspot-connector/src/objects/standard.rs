//! The table of standard object types, in canonical order (hubspot-api notes §1.1).
//!
//! The order matters: an association between two selected types is read from the one that stands earlier.

use std::borrow::Cow;

use super::Capability::{Archive, BatchRead, Create, GdprDelete, List, Merge, Search, Update, Upsert};
use super::{Capability, ObjectType, Required};

/// What every type but contacts calls its last-modified property. Contacts own a hidden property of this name
/// too, which is not the one to use (hubspot-api notes §1.1).
pub(super) const LAST_MODIFIED: &str = "hs_lastmodifieddate";
const CREATED: &str = "createdate";
pub(super) const HS_CREATED: &str = "hs_createdate";

const FULL: &[Capability] = &[List, BatchRead, Search, Create, Update, Upsert, Archive];
pub(super) const FULL_AND_MERGE: &[Capability] =
    &[List, BatchRead, Search, Create, Update, Upsert, Archive, Merge];
const CONTACTS: &[Capability] = &[
    List, BatchRead, Search, Create, Update, Upsert, Archive, Merge, GdprDelete,
];
const READ_ONLY: &[Capability] = &[List, BatchRead, Search];
const NO_SEARCH: &[Capability] = &[List, BatchRead];
const PARTNER: &[Capability] = &[List, BatchRead, Search, Update];
/// Deal splits have no list: they are found by search and read by id.
const SPLITS: &[Capability] = &[BatchRead, Search, Upsert];
/// Marketing events have an API of their own.
const OWN_API: &[Capability] = &[];

/// A searchable type with all operations; the methods after it say where a type differs.
const fn object(
    name: &'static str,
    singular: &'static str,
    type_id: &'static str,
    scope: &'static str,
) -> ObjectType {
    ObjectType {
        name: Cow::Borrowed(name),
        singular: Cow::Borrowed(singular),
        type_id: Some(Cow::Borrowed(type_id)),
        fully_qualified_name: None,
        last_modified: LAST_MODIFIED,
        created: HS_CREATED,
        scope: Cow::Borrowed(scope),
        has_pipelines: false,
        capabilities: FULL,
        required: Required::Nothing,
    }
}

impl ObjectType {
    const fn with_pipelines(mut self) -> Self {
        self.has_pipelines = true;
        self
    }

    const fn created_in(mut self, property: &'static str) -> Self {
        self.created = property;
        self
    }

    const fn modified_in(mut self, property: &'static str) -> Self {
        self.last_modified = property;
        self
    }

    /// A new record needs each of these properties.
    const fn needs(self, properties: &'static [&'static str]) -> Self {
        self.requiring(Required::Each(properties))
    }

    /// A new record needs one of these properties.
    const fn needs_one_of(self, properties: &'static [&'static str]) -> Self {
        self.requiring(Required::OneOf(properties))
    }

    /// What is overwritten in a constant must not have a destructor, so the old value (`Nothing`) is forgotten.
    const fn requiring(mut self, required: Required) -> Self {
        std::mem::forget(std::mem::replace(&mut self.required, required));
        self
    }

    const fn that_can(mut self, capabilities: &'static [Capability]) -> Self {
        self.capabilities = capabilities;
        self
    }
}

/// One whose type id HubSpot does not publish.
const fn without_id(name: &'static str, singular: &'static str, scope: &'static str) -> ObjectType {
    ObjectType {
        name: Cow::Borrowed(name),
        singular: Cow::Borrowed(singular),
        type_id: None,
        fully_qualified_name: None,
        last_modified: LAST_MODIFIED,
        created: HS_CREATED,
        scope: Cow::Borrowed(scope),
        has_pipelines: false,
        capabilities: FULL,
        required: Required::Nothing,
    }
}

/// Every standard type, in canonical order.
pub static STANDARD: [ObjectType; 39] = [
    object("contacts", "contact", "0-1", "contacts")
        .modified_in("lastmodifieddate")
        .created_in(CREATED)
        .that_can(CONTACTS)
        .needs_one_of(&["email", "firstname", "lastname"]),
    object("companies", "company", "0-2", "companies")
        .created_in(CREATED)
        .that_can(FULL_AND_MERGE)
        .needs_one_of(&["domain", "name"]),
    object("deals", "deal", "0-3", "deals")
        .created_in(CREATED)
        .that_can(FULL_AND_MERGE)
        .with_pipelines()
        .needs(&["dealname", "dealstage", "pipeline"]),
    object("tickets", "ticket", "0-5", "tickets")
        .created_in(CREATED)
        .that_can(FULL_AND_MERGE)
        .with_pipelines()
        .needs(&["subject", "hs_pipeline_stage"]),
    object("products", "product", "0-7", "products")
        .created_in(CREATED)
        .needs(&["name"]),
    object("line_items", "line_item", "0-8", "line_items").created_in(CREATED),
    object("quotes", "quote", "0-14", "quotes").needs(&["hs_title", "hs_expiration_date"]),
    object("communications", "communication", "0-18", "contacts")
        .needs(&["hs_timestamp", "hs_communication_channel_type"]),
    object(
        "feedback_submissions",
        "feedback_submission",
        "0-19",
        "feedback_submissions",
    )
    .that_can(READ_ONLY),
    object("tasks", "task", "0-27", "contacts").needs(&["hs_timestamp"]),
    object("notes", "note", "0-46", "contacts").needs(&["hs_timestamp"]),
    object("meetings", "meeting", "0-47", "contacts").needs(&["hs_timestamp"]),
    object("calls", "call", "0-48", "contacts").needs(&["hs_timestamp"]),
    object("emails", "email", "0-49", "contacts").needs(&["hs_timestamp", "hs_email_direction"]),
    object("invoices", "invoice", "0-53", "invoices").needs(&["hs_currency"]),
    object("marketing_events", "marketing_event", "0-54", "marketing_events").that_can(OWN_API),
    object("subscriptions", "subscription", "0-69", "subscriptions").needs(&["hs_name"]),
    object("goal_targets", "goal_target", "0-74", "goals"),
    object("discounts", "discount", "0-84", "line_items").created_in(CREATED),
    object("fees", "fee", "0-85", "line_items").created_in(CREATED),
    object("taxes", "tax", "0-86", "line_items").created_in(CREATED),
    object(
        "commerce_payments",
        "commerce_payment",
        "0-101",
        "commercepayments",
    )
    .created_in(CREATED)
    .needs(&["hs_initial_amount", "hs_initiated_date"]),
    object("users", "user", "0-115", "users"),
    object("postal_mail", "postal_mail", "0-116", "contacts").needs(&["hs_timestamp"]),
    object("orders", "order", "0-123", "orders")
        .that_can(FULL_AND_MERGE)
        .with_pipelines()
        .needs(&["hs_order_name"]),
    object("leads", "lead", "0-136", "leads")
        .with_pipelines()
        .requiring(Required::Associated(
            &["hs_lead_name"],
            &["contacts", "companies"],
        )),
    object("carts", "cart", "0-142", "carts"),
    object("services", "service", "0-162", "services")
        .with_pipelines()
        .needs(&["hs_name", "hs_pipeline", "hs_pipeline_stage"]),
    object("courses", "course", "0-410", "courses")
        .with_pipelines()
        .needs(&["hs_course_name"]),
    object("listings", "listing", "0-420", "listings")
        .with_pipelines()
        .needs(&["hs_name"]),
    object("appointments", "appointment", "0-421", "appointments")
        .with_pipelines()
        .needs(&["hs_appointment_name"]),
    object("projects", "project", "0-970", "projects")
        .that_can(FULL_AND_MERGE)
        .with_pipelines()
        .needs(&["hs_name", "hs_pipeline", "hs_pipeline_stage"]),
    without_id("contracts", "contract", "contracts").that_can(NO_SEARCH),
    without_id("partner_clients", "partner_client", "partner-clients").that_can(PARTNER),
    without_id("partner_services", "partner_service", "partner-services").that_can(PARTNER),
    without_id("deal_splits", "deal_split", "deals").that_can(SPLITS),
    without_id("payments", "payment", "payments").that_can(READ_ONLY),
    without_id("campaigns", "campaign", "marketing.campaigns.read").that_can(READ_ONLY),
    without_id("quote_templates", "quote_template", "quotes").that_can(READ_ONLY),
];
