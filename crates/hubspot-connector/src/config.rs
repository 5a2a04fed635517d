//! What a person writes under `source.hubspot`: which streams, which properties, which associations, how often.
//!
//! One definition serves every surface: the structs are read by serde, their JSON Schema comes from schemars.
//! What the words mean for one account is worked out in `plan`.

mod every;
mod interval;
mod names;
pub(crate) mod rhythm;
mod since;
mod stream;

use opencdc::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::objects;
use crate::own::OwnStream;
pub use every::{Every, Interval};
pub use interval::PollInterval;
pub use names::{Associations, History, Properties};
pub use since::Since;
pub use stream::StreamConfig;

/// The streams that are no CRM objects.
pub const OWN_STREAMS: [&str; OwnStream::ALL.len()] = OwnStream::NAMES;

/// What a stream or object type is called, however it is written, as far as that is known without asking the account.
///
/// ```
/// use hubspot_connector::config::stream_name;
/// assert_eq!([stream_name("0-1"), stream_name("cms.blogs.posts"), stream_name("cars")], ["contacts", "blog_posts", "cars"]);
/// ```
pub fn stream_name(written: &str) -> &str {
    match (OwnStream::called(written), objects::resolve(written)) {
        (Some(own), _) => own.name(),
        (None, Ok(object)) => &object.name,
        (None, Err(_)) => written,
    }
}

/// The word in `properties` that stands for those that HubSpot shows unasked.
pub const DEFAULTS: &str = "defaults";

/// The word in `streams` that stands for every custom object of the account, also those made later.
pub const CUSTOM_OBJECTS: &str = "custom_objects";

/// Records a page when nothing is set: as many as HubSpot gives (hubspot-api notes §1.3).
pub const DEFAULT_PAGE_SIZE: u16 = hubspot_client::request::objects::MAX_LIST;

/// HubSpot as a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Name of the connection to read from.
    pub connection: String,
    /// What to read: objects (`contacts`, `line_items`, `0-1`, `crm.deals`, a custom object's name or `2-123`),
    /// `custom_objects` for every one that the account has or gets, and `owners`, `pipelines`, `pipeline_stages`,
    /// `properties`.
    #[serde(with = "stream::list")]
    #[schemars(with = "Vec<stream::Entry>")]
    pub streams: Vec<StreamConfig>,
    /// How often to ask for changes, such as `5s`, `30m` or `1h`; `30s` when left out.
    #[serde(default)]
    pub poll: PollInterval,
    /// How far back changes are looked for a second time, because HubSpot's search shows some of them late; `5m` when
    /// left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookback: Option<Interval>,
    /// How often the recycle bin is read for deletes and restores; every `15m` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<Every>,
    /// How often every record is read again, to find whatever left no trace: erased and merged records, calculated
    /// values that changed. Every `24h` when left out; `1h` for objects that cannot be searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<Every>,
    /// How often all associations are read again, because linking and unlinking leaves records unchanged; every `6h`
    /// when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reassociate: Option<Every>,
    /// How often definitions and small tables (properties, custom objects, owners, pipelines) are read again; `5m` when
    /// left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Interval>,
    /// Whether to begin with everything that is there (`true`, the default), or only with what changes from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<bool>,
    /// Leave out records that have not changed since this day or instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_after: Option<Since>,
    /// Which properties' history to read, into streams such as `contacts_property_history`: `none` (the default), `all`,
    /// or a list of names.
    #[serde(default, skip_serializing_if = "History::is_none")]
    pub history: History,
    /// What to do when a stream is selected differently than before: read that stream again from the start (`reset`,
    /// the default), or stop (`refuse`).
    #[serde(default)]
    pub on_selection_change: SelectionChange,
    /// Which properties to read: `all`, or a list of names in which `defaults` stands for those that HubSpot shows
    /// unasked. A stream's own setting goes before this one.
    #[serde(default)]
    pub properties: Properties,
    /// Which associations to read: `auto` (every pair among the selected objects, once), `none`, or a list of object
    /// types to which every stream's associations are read. A stream's own list goes before this one.
    #[serde(default)]
    pub associations: Associations,
}

impl SourceConfig {
    /// These streams of this connection, everything else as it is by default.
    pub fn new<S: Into<String>>(connection: impl Into<String>, streams: impl IntoIterator<Item = S>) -> Self {
        Self {
            connection: connection.into(),
            streams: streams.into_iter().map(StreamConfig::new).collect(),
            poll: PollInterval::default(),
            lookback: None,
            archived: None,
            reconcile: None,
            reassociate: None,
            refresh: None,
            snapshot: None,
            updated_after: None,
            history: History::default(),
            on_selection_change: SelectionChange::default(),
            properties: Properties::default(),
            associations: Associations::default(),
        }
    }

    /// Checks what can be checked without asking HubSpot.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] that names the key.
    pub fn validate(&self) -> Result<()> {
        if self.streams.is_empty() {
            let error = Error::new(ErrorKind::Configuration, "`streams` is empty");
            return Err(error.with_hint("name at least one, such as `contacts`"));
        }
        let every = |every: Option<Every>| every.map(|every| every.every);
        let times = [
            ("archived.every", every(self.archived)),
            ("reconcile.every", every(self.reconcile)),
            ("reassociate.every", every(self.reassociate)),
            ("refresh", self.refresh),
        ];
        rhythm::validate(&times, "")?;
        self.streams.iter().try_for_each(StreamConfig::validate)
    }
}

/// What to do when a stream is selected differently than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelectionChange {
    /// Read that stream again from the start; the others keep their place.
    #[default]
    Reset,
    /// Stop and say which.
    Refuse,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: serde_json::Value) -> Result<SourceConfig, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shortest_config_reads_everything() {
        let config = parse(json!({"connection": "prod", "streams": ["contacts"]})).unwrap();
        assert_eq!(config, SourceConfig::new("prod", ["contacts"]));
        assert_eq!(config.properties, Properties::All);
        assert_eq!(config.associations, Associations::Auto);
        assert_eq!(config.poll.to_string(), "30s");
    }

    #[test]
    fn every_setting_is_read() {
        let config = parse(json!({
            "connection": "prod",
            "streams": ["contacts", {
                "name": "companies", "properties": ["name"], "associations": ["contacts"], "page_size": 10
            }],
            "poll": "1h 30m",
            "properties": "all",
            "associations": "none",
        }))
        .unwrap();
        assert_eq!(config.poll.get().as_secs(), 5400);
        assert_eq!(config.associations, Associations::None);
        let companies = &config.streams[1];
        assert_eq!(companies.properties, Some(Properties::Only(vec!["name".into()])));
        assert_eq!(
            companies.associations,
            Some(Associations::To(vec!["contacts".into()]))
        );
        assert_eq!(companies.page_size, Some(10));
        config.validate().unwrap();
    }

    #[test]
    fn a_wrong_setting_is_refused_by_name() {
        let with = |key: &str, value: serde_json::Value| {
            let mut config = json!({"connection": "prod", "streams": ["contacts"]});
            config[key] = value;
            parse(config).unwrap_err()
        };
        let error = with("poll", json!("5 parsecs"));
        assert!(
            error.contains("`poll`") && error.contains("5 parsecs") && error.contains("`30s`"),
            "{error}"
        );
        assert!(with("poll", json!("0s")).contains("`poll`"));
        assert!(with("properties", json!("most")).contains("`all`"));
        assert!(with("associations", json!("some")).contains("`auto`"));
        assert!(with("pages", json!(1)).contains("unknown field `pages`"));
        let error = with("streams", json!([{"name": "contacts", "page": 1}]));
        assert!(error.contains("unknown field `page`"), "{error}");
    }

    #[test]
    fn what_cannot_be_right_is_told_before_anything_is_asked() {
        let mut config = SourceConfig::new("prod", Vec::<String>::new());
        assert!(config.validate().unwrap_err().to_string().contains("`streams`"));
        config.streams.push(StreamConfig {
            page_size: Some(101),
            ..StreamConfig::new("contacts")
        });
        let error = config.validate().unwrap_err();
        assert_eq!(error.to_string(), "`page_size` of stream `contacts` is 101");
        assert_eq!(error.hint(), Some("write a number from 1 to 100"));
    }

    #[test]
    fn a_config_survives_being_written() {
        let config = parse(json!({
            "connection": "prod",
            "streams": ["contacts", {"name": "deals", "associations": "none"}],
            "poll": "5s",
            "properties": ["email"],
        }))
        .unwrap();
        assert_eq!(parse(serde_json::to_value(&config).unwrap()).unwrap(), config);
    }

    #[test]
    fn the_schema_describes_every_setting_and_both_ways_to_write_a_stream() {
        let schema = schemars::schema_for!(SourceConfig).to_value();
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{name}");
        }
        let text = schema.to_string();
        assert!(text.contains("page_size"), "{text}");
        assert_eq!(schema["properties"]["poll"]["default"], "30s");
    }
}
