//! Which object types and streams a connection shows and reaches. Everything that names one asks here.

use hubspot_connector::SourceConfig;
use hubspot_connector::config::{Associations, CUSTOM_OBJECTS, OWN_STREAMS, stream_name};
use hubspot_connector::objects::{self, ObjectType, same_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exit::{Failure, Outcome};

/// The object types and streams that may be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Browsable(Option<Vec<String>>);

impl Browsable {
    /// Whether nothing is kept away.
    pub(crate) fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this object type may be reached.
    pub(crate) fn shows(&self, object: &ObjectType) -> bool {
        self.allows(|entry| object.is_called(entry) || (object.is_custom() && entry == CUSTOM_OBJECTS))
    }

    /// The same of a stream, or of an object type of which only the name is known. A name that is neither standard nor
    /// a stream of ours can only be a custom object's.
    pub(crate) fn shows_stream(&self, name: &str) -> bool {
        let name = stream_name(name);
        let custom = !OWN_STREAMS.contains(&name) && objects::resolve(name).is_err();
        self.allows(|entry| same_name(stream_name(entry), name) || (custom && entry == CUSTOM_OBJECTS))
    }

    fn allows(&self, entry: impl Fn(&str) -> bool) -> bool {
        self.0
            .as_ref()
            .is_none_or(|entries| entries.iter().any(|written| entry(written)))
    }

    /// # Errors
    /// The object type is outside.
    pub(crate) fn may_reach(&self, object: &ObjectType) -> Outcome {
        if self.shows(object) {
            return Ok(());
        }
        Err(self.refuse(&object.name))
    }

    /// The same for a destination.
    pub(crate) fn may_write(&self, object: &ObjectType) -> opencdc::Result<()> {
        if self.shows(object) {
            return Ok(());
        }
        let message = format!("`{}` is outside the connection's `browsable`", object.name);
        Err(opencdc::Error::new(opencdc::ErrorKind::Configuration, message))
    }

    /// # Errors
    /// The stream is outside.
    pub(crate) fn may_read_stream(&self, name: &str) -> Outcome {
        if self.shows_stream(name) {
            return Ok(());
        }
        Err(self.refuse(name))
    }

    /// # Errors
    /// A stream, or a type that associations are read to, is outside.
    pub(crate) fn may_read(&self, source: &SourceConfig) -> Outcome {
        let of_streams = source
            .streams
            .iter()
            .filter_map(|stream| stream.associations.as_ref());
        let targets =
            of_streams
                .chain([&source.associations])
                .filter_map(|associations| match associations {
                    Associations::To(types) => Some(types),
                    Associations::Auto | Associations::None => None,
                });
        let streams = source.streams.iter().map(|stream| &stream.name);
        streams
            .chain(targets.flatten())
            .try_for_each(|name| self.may_read_stream(name))
    }

    fn refuse(&self, name: &str) -> Failure {
        let entries = self.0.as_deref().unwrap_or_default();
        let entries: Vec<_> = entries.iter().map(|entry| format!("`{entry}`")).collect();
        Failure::usage(format!("`{name}` is outside the connection's `browsable`")).hint(format!(
            "`browsable` names {}; add it there, or use another connection",
            entries.join(", ")
        ))
    }

    /// A list that lets nothing through is a slip.
    pub(super) fn check(&self) -> Outcome {
        if self.0.as_ref().is_some_and(Vec::is_empty) {
            return Err(
                Failure::usage("`browsable` is empty, so nothing could be reached")
                    .hint("name object types, such as `browsable: [contacts]`; left out, all may be reached"),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(names: &[&str]) -> Browsable {
        Browsable(Some(names.iter().map(|name| (*name).to_owned()).collect()))
    }

    #[test]
    fn an_entry_is_written_in_any_of_the_ways_a_type_is_called() {
        for written in ["0-8", "line_items", "line item", "crm.lineItems"] {
            assert!(
                only(&[written]).shows(objects::resolve("line_items").unwrap()),
                "{written}"
            );
            assert!(only(&[written]).shows_stream("lineItem"), "{written}");
            assert!(!only(&[written]).shows_stream("deals"), "{written}");
        }
        assert!(Browsable::default().shows_stream("anything"));
    }

    #[test]
    fn streams_that_are_no_objects_are_named_too() {
        assert!(only(&["cms.blogs.posts"]).shows_stream("blog_posts"));
        assert!(!only(&["contacts"]).shows_stream("owners"));
    }

    #[test]
    fn custom_objects_stand_for_every_one() {
        assert!(only(&["custom_objects"]).shows_stream("cars"));
        assert!(!only(&["custom_objects"]).shows_stream("contacts"));
        assert!(only(&["cars"]).shows_stream("Cars") && !only(&["cars"]).shows_stream("boats"));
    }

    #[test]
    fn a_pipeline_reads_nothing_outside() {
        let mut source = SourceConfig::new("prod", ["contacts"]);
        let browsable = only(&["contact"]);
        assert!(browsable.may_read(&source).is_ok());
        source.associations = Associations::To(vec!["deals".to_owned()]);
        assert!(browsable.may_read(&source).is_err());
    }
}
