//! Columns and their types. Pure.

use opencdc::DataType;
use tokio_postgres::types::{Kind, Type};

use crate::source::table::quote;

/// A column and its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) data_type: DataType,
    /// As it is written in SQL.
    pub(super) sql_type: String,
}

impl Column {
    pub(super) fn of(column: &tokio_postgres::Column) -> Self {
        let of = column.type_();
        Self {
            name: column.name().to_owned(),
            data_type: data_type(of),
            sql_type: format!("{}.{}", quote(of.schema()), quote(of.name())),
        }
    }
}

/// What `to_json` makes of a type.
fn data_type(of: &Type) -> DataType {
    match *of {
        Type::BOOL => DataType::Boolean,
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => DataType::Integer,
        Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC => DataType::Number,
        Type::DATE => DataType::Date,
        // Without a time zone it is no instant, and stays text.
        Type::TIMESTAMPTZ => DataType::Timestamp,
        Type::JSON | Type::JSONB => DataType::Json,
        _ => match of.kind() {
            Kind::Array(_) | Kind::Composite(_) => DataType::Json,
            Kind::Domain(inner) => data_type(inner),
            _ => DataType::String,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_their_json() {
        for (of, expected) in [
            (Type::INT8, DataType::Integer),
            (Type::NUMERIC, DataType::Number),
            (Type::TIMESTAMPTZ, DataType::Timestamp),
            (Type::TIMESTAMP, DataType::String),
            (Type::UUID, DataType::String),
            (Type::TEXT_ARRAY, DataType::Json),
            (Type::JSONB, DataType::Json),
        ] {
            assert_eq!(data_type(&of), expected, "{of}");
        }
    }
}
