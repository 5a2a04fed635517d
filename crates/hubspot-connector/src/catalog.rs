//! From property definitions to streams with typed fields.
//!
//! Pure. A property is typed by `type` and never by `fieldType`: seventy date-times of a fresh portal are shown as
//! dates (hubspot-api notes §2.1).

use std::collections::BTreeSet;

use hubspot_client::{Property, Resource};
use opencdc::{DataType, Field, Stream, StreamName};

use crate::objects::ObjectType;
use crate::own::OwnStream;

/// Ids that HubSpot declares as numbers, besides its own properties that end in `_id`. Seventeen digits overflow a double, so ids stay text.
const IDS_IN_DISGUISE: [&str; 2] = ["hs_object_id", "associatedcompanyid"];

/// The stream of an object's records with these properties.
pub(crate) fn object_stream(object: &ObjectType, stream: StreamName, properties: &[&Property]) -> Stream {
    let id = Field::new("id", DataType::String, ["id"]).described(format!("Id of the {}", object.singular));
    let mut fields = vec![id];
    fields.extend(property_fields(properties));
    fields.extend(time_fields());
    fields.push(archived_at());
    versioned(Stream::new(stream, ["id"], fields))
}

/// HubSpot's times have three fractional digits; more are to be accepted (hubspot-api notes §1.2) and mean nothing.
fn timed(mut stream: Stream) -> Stream {
    stream.milliseconds = true;
    stream
}

fn archived_at() -> Field {
    typed("_archived_at", DataType::Timestamp, "archivedAt").described("When it was archived")
}

/// `_updated_at` tells the newer of two versions, `_archived` what is gone.
fn versioned(stream: Stream) -> Stream {
    let mut stream = timed(stream);
    stream.version = Some("_updated_at".to_owned());
    stream.archived = Some("_archived".to_owned());
    stream
}

fn time_fields() -> [Field; 3] {
    [
        Field::new("_created_at", DataType::Timestamp, ["createdAt"]).described("When it was made"),
        Field::new("_updated_at", DataType::Timestamp, ["updatedAt"]).described("When it last changed"),
        Field::new("_archived", DataType::Boolean, ["archived"])
            .described("Whether it is in the recycle bin"),
    ]
}

fn property_fields(properties: &[&Property]) -> Vec<Field> {
    let mut taken: BTreeSet<String> = properties.iter().map(|property| property.name.clone()).collect();
    let field = |property: &&Property| {
        let field = Field::new(
            field_name(&property.name, &mut taken),
            data_type(property),
            ["properties", &property.name],
        );
        match description(property) {
            Some(text) => field.described(text),
            None => field,
        }
    };
    properties.iter().map(field).collect()
}

/// `id` and names that begin with `_` are ours.
fn field_name(property: &str, taken: &mut BTreeSet<String>) -> String {
    if property != "id" && !property.starts_with('_') {
        return property.to_owned();
    }
    let mut name = format!("property_{property}");
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

fn description(property: &Property) -> Option<String> {
    let parts = [&*property.label, &*property.description];
    let said: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!said.is_empty()).then(|| said.join(": "))
}

/// A type that is not known passes through as text (invariant 6).
fn data_type(property: &Property) -> DataType {
    match &*property.type_ {
        "number" if is_id(property) => DataType::String,
        "number" => DataType::Number,
        "bool" => DataType::Boolean,
        "date" => DataType::Date,
        "datetime" => DataType::Timestamp,
        "json" => DataType::Json,
        _ => DataType::String,
    }
}

fn is_id(property: &Property) -> bool {
    let refers = property
        .referenced_object_type
        .as_deref()
        .is_some_and(|object| !object.is_empty());
    let named_so = property.hubspot_defined && property.name.ends_with("_id");
    refers || named_so || IDS_IN_DISGUISE.contains(&&*property.name)
}

/// What identifies an association: HubSpot numbers its types, and each account its own from 1, so the number alone does not
/// (hubspot-api notes, B).
pub(crate) const LINK_KEY: [&str; 4] = ["from_id", "to_id", "type_id", "category"];

/// The stream of the associations between two types.
pub(crate) fn association_stream(stream: StreamName) -> Stream {
    let fields = vec![
        Field::new("from_id", DataType::String, ["from_id"]).described("Id of the record it was read from"),
        Field::new("to_id", DataType::String, ["to_id"]).described("Id of the associated record"),
        Field::new("type_id", DataType::Integer, ["type_id"])
            .described("Number of the association type, unique within its category"),
        Field::new("category", DataType::String, ["category"])
            .described("`HUBSPOT_DEFINED`, `USER_DEFINED` or `INTEGRATOR_DEFINED`"),
        Field::new("label", DataType::String, ["label"])
            .described("Name of the association type; none if unlabelled"),
    ];
    Stream::new(stream, LINK_KEY, fields)
}

/// What identifies a value that a property has had. A record can change twice in one millisecond.
pub(crate) const HISTORY_KEY: [&str; 4] = ["record_id", "property", "timestamp", "ordinal"];

/// The stream of the values that properties have had.
pub(crate) fn history_stream(stream: StreamName, of: StreamName) -> Stream {
    let fields = vec![
        text("record_id", "record_id").described("Id of the record"),
        text("property", "property").described("Internal name of the property"),
        typed("timestamp", DataType::Timestamp, "timestamp").described("When it got this value"),
        typed("ordinal", DataType::Integer, "ordinal")
            .described("Order of the values of one millisecond, from 0 for the oldest"),
        text("value", "value"),
        text("source_type", "sourceType").described("What set it, such as `CRM_UI`, `IMPORT` or `API`"),
        text("source_id", "sourceId"),
        text("source_label", "sourceLabel"),
        text("updated_by_user_id", "updatedByUserId"),
    ];
    timed(Stream {
        of: Some(of),
        ..Stream::new(stream, HISTORY_KEY, fields)
    })
}

/// The stream of something that is no CRM object.
pub(crate) fn own_stream(own: OwnStream) -> Stream {
    match own {
        OwnStream::Owners => owners(),
        OwnStream::Pipelines => pipelines(),
        OwnStream::PipelineStages => pipeline_stages(),
        OwnStream::Properties => properties(),
        OwnStream::Schemas => schemas(),
        OwnStream::Lists => lists(),
        OwnStream::ListMemberships => list_memberships(),
        OwnStream::Resource(resource) => self::resource(resource),
    }
}

fn text(name: &str, path: &str) -> Field {
    Field::new(name, DataType::String, [path])
}

fn typed(name: &str, data_type: DataType, path: &str) -> Field {
    Field::new(name, data_type, [path])
}

fn owners() -> Stream {
    let mut fields = vec![
        text("id", "id").described("What `hubspot_owner_id` holds"),
        text("email", "email"),
        text("type", "type").described("`PERSON` or `QUEUE`"),
        text("first_name", "firstName"),
        text("last_name", "lastName"),
        text("user_id", "userId").described("Another number than `id`; none for archived owners"),
        text("user_id_including_inactive", "userIdIncludingInactive"),
        typed("teams", DataType::Json, "teams"),
    ];
    fields.extend(time_fields());
    versioned(Stream::new(OwnStream::Owners.name(), ["id"], fields))
}

fn pipelines() -> Stream {
    let mut fields = vec![
        text("object_type", "object_type").described("Whose pipeline it is, such as `deals`"),
        text("id", "id"),
        text("label", "label"),
        typed("display_order", DataType::Integer, "displayOrder"),
    ];
    fields.extend(time_fields());
    versioned(Stream::new(
        OwnStream::Pipelines.name(),
        ["object_type", "id"],
        fields,
    ))
}

fn pipeline_stages() -> Stream {
    let mut fields = vec![
        text("object_type", "object_type").described("Whose stage it is, such as `deals`"),
        text("pipeline_id", "pipeline_id"),
        text("id", "id"),
        text("label", "label"),
        typed("display_order", DataType::Integer, "displayOrder"),
        typed("metadata", DataType::Json, "metadata").described("Such as `probability` and `isClosed`"),
    ];
    fields.extend(time_fields());
    versioned(Stream::new(
        OwnStream::PipelineStages.name(),
        ["object_type", "pipeline_id", "id"],
        fields,
    ))
}

fn schemas() -> Stream {
    let mut fields = vec![
        text("id", "id"),
        text("object_type_id", "objectTypeId").described("Such as `2-123`"),
        text("fully_qualified_name", "fullyQualifiedName"),
        text("name", "name"),
        typed("labels", DataType::Json, "labels"),
        text("primary_display_property", "primaryDisplayProperty"),
        typed("required_properties", DataType::Json, "requiredProperties"),
        typed("searchable_properties", DataType::Json, "searchableProperties"),
        typed("associations", DataType::Json, "associations"),
    ];
    fields.extend(time_fields());
    versioned(Stream::new(
        OwnStream::Schemas.name(),
        OwnStream::Schemas.key().iter().copied(),
        fields,
    ))
}

fn lists() -> Stream {
    let mut fields = vec![
        text("id", "id"),
        text("name", "name"),
        text("object_type_id", "objectTypeId").described("Type of the records in it"),
        text("processing_type", "processingType").described("`MANUAL`, `DYNAMIC` or `SNAPSHOT`"),
    ];
    fields.extend(time_fields().into_iter().take(2));
    timed(Stream::new(
        OwnStream::Lists.name(),
        OwnStream::Lists.key().iter().copied(),
        fields,
    ))
}

/// What each kind has is many and its own; the columns are what most are asked for, the rest stays in the payload.
fn resource(resource: Resource) -> Stream {
    use Resource::{
        BlogAuthors, BlogPosts, BlogTags, Domains, Forms, HubDbTables, LandingPages, SitePages, UrlRedirects,
    };
    let mut fields = vec![text("id", "id")];
    fields.extend(match resource {
        Forms => vec![
            text("name", "name"),
            text("form_type", "formType"),
            typed("field_groups", DataType::Json, "fieldGroups"),
            typed("configuration", DataType::Json, "configuration"),
        ],
        BlogAuthors => vec![
            text("full_name", "fullName"),
            text("email", "email"),
            text("slug", "slug"),
            text("bio", "bio"),
        ],
        BlogTags => vec![
            text("name", "name"),
            text("slug", "slug"),
            text("language", "language"),
        ],
        BlogPosts | LandingPages | SitePages => vec![
            text("name", "name"),
            text("slug", "slug"),
            text("state", "state"),
            text("url", "url"),
            text("html_title", "htmlTitle"),
            text("domain", "domain"),
            text("language", "language"),
            text("blog_author_id", "blogAuthorId"),
            typed("tag_ids", DataType::Json, "tagIds"),
            typed("publish_date", DataType::Timestamp, "publishDate"),
        ],
        HubDbTables => vec![
            text("name", "name"),
            text("label", "label"),
            typed("published", DataType::Boolean, "published"),
            typed("row_count", DataType::Integer, "rowCount"),
            typed("columns", DataType::Json, "columns"),
        ],
        UrlRedirects => vec![
            text("route_prefix", "routePrefix"),
            text("destination", "destination"),
            typed("redirect_style", DataType::Integer, "redirectStyle"),
            typed("precedence", DataType::Integer, "precedence"),
        ],
        Domains => vec![
            text("domain", "domain"),
            typed("is_resolving", DataType::Boolean, "isResolving"),
        ],
        _ => Vec::new(),
    });
    // Under these names whatever the family calls them: `source/tables/listed.rs`.
    fields.extend(time_fields());
    fields.push(archived_at());
    versioned(Stream::new(resource.name(), ["id"], fields))
}

fn list_memberships() -> Stream {
    let fields = vec![
        text("list_id", "list_id"),
        text("record_id", "record_id"),
        text("object_type_id", "object_type_id").described("Type of the record"),
        typed("since", DataType::Timestamp, "membershipTimestamp").described("Since when it is in the list"),
    ];
    timed(Stream::new(
        OwnStream::ListMemberships.name(),
        OwnStream::ListMemberships.key().iter().copied(),
        fields,
    ))
}

fn properties() -> Stream {
    let mut fields = vec![
        text("object_type", "object_type").described("Whose property it is, such as `contacts`"),
        text("name", "name"),
        text("label", "label"),
        text("type", "type"),
        text("field_type", "fieldType"),
        text("description", "description"),
        text("group_name", "groupName"),
        typed("options", DataType::Json, "options"),
        typed("calculated", DataType::Boolean, "calculated"),
        typed("has_unique_value", DataType::Boolean, "hasUniqueValue"),
        typed("hidden", DataType::Boolean, "hidden"),
        typed("hubspot_defined", DataType::Boolean, "hubspotDefined"),
        text("referenced_object_type", "referencedObjectType"),
    ];
    fields.extend(time_fields());
    versioned(Stream::new(
        OwnStream::Properties.name(),
        ["object_type", "name"],
        fields,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::resolve;

    fn property(name: &str, type_: &str, field_type: &str) -> Property {
        let value = serde_json::json!({"name": name, "type": type_, "fieldType": field_type, "label": "L"});
        serde_json::from_value(value).unwrap()
    }

    fn types(properties: &[Property]) -> Vec<(String, DataType)> {
        let stream = object_stream(
            resolve("contacts").unwrap(),
            "contacts".into(),
            &properties.iter().collect::<Vec<_>>(),
        );
        stream
            .fields
            .into_iter()
            .map(|field| (field.name, field.data_type))
            .collect()
    }

    #[test]
    fn a_property_is_typed_by_its_type_and_never_by_how_forms_show_it() {
        let expected = [
            ("string", "phonenumber", DataType::String),
            ("enumeration", "checkbox", DataType::String),
            ("phone_number", "phonenumber", DataType::String),
            ("object_coordinates", "text", DataType::String),
            ("number", "text", DataType::Number),
            ("bool", "booleancheckbox", DataType::Boolean),
            ("date", "date", DataType::Date),
            ("datetime", "date", DataType::Timestamp),
            ("json", "text", DataType::Json),
            ("hologram", "date", DataType::String),
        ];
        for (type_, field_type, data_type) in expected {
            assert_eq!(
                super::data_type(&property("p", type_, field_type)),
                data_type,
                "{type_}"
            );
        }
    }

    #[test]
    fn ids_in_disguise_stay_text() {
        assert_eq!(
            data_type(&property("hs_object_id", "number", "number")),
            DataType::String
        );
        assert_eq!(
            data_type(&property("associatedcompanyid", "number", "number")),
            DataType::String
        );
        let mut pinned = property("hs_pinned_engagement_id", "number", "number");
        pinned.hubspot_defined = true;
        assert_eq!(data_type(&pinned), DataType::String);
        pinned.hubspot_defined = false;
        assert_eq!(
            data_type(&pinned),
            DataType::Number,
            "an account's own property may be any number"
        );
        let mut refers = property("hs_created_by_user_id", "number", "number");
        refers.referenced_object_type = Some("USER".to_owned());
        assert_eq!(data_type(&refers), DataType::String);
    }

    #[test]
    fn an_object_without_properties_has_what_every_record_has() {
        let names: Vec<_> = types(&[]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["id", "_created_at", "_updated_at", "_archived", "_archived_at"]
        );
    }

    #[test]
    fn properties_named_like_ours_are_renamed_and_stay_unique() {
        let properties = ["id", "_x", "property_id"].map(|name| property(name, "string", "text"));
        let names: Vec<_> = types(&properties).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[..4], ["id", "property_id_", "property__x", "property_id"]);
    }

    #[test]
    fn every_key_is_among_its_fields() {
        let own = OwnStream::ALL.map(own_stream);
        for stream in own.iter().chain(&[association_stream("contacts_deals".into())]) {
            for key in stream.key.iter().chain(&stream.version).chain(&stream.archived) {
                assert!(stream.field(key).is_some(), "{} {key}", stream.name);
            }
        }
    }
}
