//! Settings that are one word in the file and a checked value here.

/// Reads and writes a type through its `FromStr` and `Display`. A macro, because serde's traits can only be implemented
/// type by type.
macro_rules! scalar {
    ($type:ty) => {
        scalar!({} $type);
    };
    ({$($parameters:tt)*} $type:ty) => {
        impl<'de, $($parameters)*> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }

        impl<$($parameters)*> serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

pub(super) use scalar;
