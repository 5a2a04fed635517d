//! A column of a live table: what its values are here, and how HubSpot compares them there.

use hubspot_client::Property;
use opencdc::{DataType, Field};

/// How the values of a column are compared, in a copy and by HubSpot's search. Only what is surely known of both lets a
/// condition be asked of HubSpot; whatever else is [`Opaque`](Self::Opaque).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The record's own id.
    Id,
    /// Text; HubSpot compares it without regard to case (hubspot-api notes §1.5).
    Text {
        /// Whether records can be read by it.
        unique: bool,
    },
    /// One internal value of an enumeration, compared exactly.
    Choice,
    /// Several of them in one text, `a;b`, of which HubSpot compares each.
    Choices,
    /// An id that HubSpot declares as a number and a copy holds as text.
    Reference,
    /// A number.
    Number,
    /// 0 or 1 in a copy, `false` or `true` at HubSpot.
    Boolean,
    /// A day: text in a copy, the milliseconds of its midnight (UTC) at HubSpot.
    Date,
    /// An instant: text in a copy, milliseconds at HubSpot.
    Instant,
    /// Not asked for.
    Opaque,
}

/// A column and the property behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The column's name in the table.
    pub name: String,
    /// HubSpot's name of the property; empty for a column that is no property.
    pub property: String,
    /// How its values are compared.
    pub kind: Kind,
    /// Whether an empty text is kept as such: in columns of text it is, in others it is `NULL`.
    pub keeps_empty: bool,
    /// Whether every record has a value.
    pub always_set: bool,
    /// The values that an enumeration offers, to tell a misspelt one; empty where any will do.
    pub options: Vec<String>,
}

impl Column {
    /// A column that cannot be asked for.
    pub(super) fn opaque(field: &Field) -> Self {
        Self {
            name: field.name.clone(),
            property: String::new(),
            kind: Kind::Opaque,
            keeps_empty: field.data_type == DataType::String,
            always_set: false,
            options: Vec::new(),
        }
    }

    /// The record's id.
    pub(super) fn id(field: &Field) -> Self {
        Self {
            kind: Kind::Id,
            property: "hs_object_id".to_owned(),
            always_set: true,
            ..Self::opaque(field)
        }
    }

    /// A part of the key of a table that is none of records.
    pub(super) fn key(field: &Field, kind: Kind) -> Self {
        Self {
            kind,
            property: field.name.clone(),
            always_set: true,
            ..Self::opaque(field)
        }
    }

    /// A property's column. `filterable`: whether search looks into it.
    pub(super) fn of(
        field: &Field,
        property: &Property,
        filterable: bool,
        always_set: bool,
        unique: bool,
    ) -> Self {
        if property.name == "hs_object_id" {
            return Self::id(field);
        }
        Self {
            property: property.name.clone(),
            kind: if filterable {
                kind(field, property, unique)
            } else {
                Kind::Opaque
            },
            always_set,
            options: options(property),
            ..Self::opaque(field)
        }
    }
}

fn kind(field: &Field, property: &Property, unique: bool) -> Kind {
    match (&*property.type_, field.data_type) {
        // Decide by `type`, never by `fieldType` (hubspot-api notes §2.1); but how many values there are only the latter says.
        ("enumeration", DataType::String) if property.field_type == "checkbox" => Kind::Choices,
        ("enumeration", DataType::String) => Kind::Choice,
        // How search cuts up long texts, HTML and phone numbers is not known.
        ("string", DataType::String) if property.field_type == "text" => Kind::Text { unique },
        ("number", DataType::String) => Kind::Reference,
        ("number", DataType::Number) => Kind::Number,
        ("bool", DataType::Boolean) => Kind::Boolean,
        ("date", DataType::Date) => Kind::Date,
        ("datetime", DataType::Timestamp) => Kind::Instant,
        _ => Kind::Opaque,
    }
}

fn options(property: &Property) -> Vec<String> {
    if property.type_ != "enumeration"
        || property.external_options
        || property.referenced_object_type.is_some()
    {
        return Vec::new();
    }
    property
        .options
        .iter()
        .map(|option| option.value.clone())
        .collect()
}
