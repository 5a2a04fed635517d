//! The way to HubSpot, as it is written: proxy, certificates, patience.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use hubspot_client::ProxyServer;
use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::scalar::scalar;
use crate::exit::{Failure, Outcome};
use crate::settings::SecretRef;

/// The way out.
#[derive(Debug, Clone)]
pub(crate) enum Proxy {
    /// Straight, whatever the environment says.
    None,
    /// Through this one, whatever the environment says.
    Server(Server),
}

/// A proxy.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    /// `http://HOST:PORT`, `https://HOST:PORT`, `socks5://HOST:PORT`, or `socks5h://HOST:PORT`, which resolves names too.
    pub(crate) url: String,
    /// The user that the proxy wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// The user's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<SecretRef>,
    /// Hosts to reach without it: names with their subdomains, addresses, networks such as `10.0.0.0/8`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) no_proxy: Vec<String>,
}

impl Proxy {
    pub(super) fn check(&self) -> Outcome {
        let Self::Server(server) = self else { return Ok(()) };
        server.server()?;
        if server.user.is_some() == server.password.is_some() {
            return Ok(());
        }
        let (given, missing) = match server.user {
            Some(_) => ("user", "password"),
            None => ("password", "user"),
        };
        Err(
            Failure::usage(format!("`proxy` has a `{given}` and no `{missing}`")).hint(format!(
                "write both, or leave `{given}` out: the proxy gets both or nothing"
            )),
        )
    }
}

impl Server {
    /// The proxy without user and password.
    pub(crate) fn server(&self) -> Outcome<ProxyServer> {
        let server = ProxyServer::new(&self.url).map_err(|error| {
            Failure::usage(format!("`proxy`: {error}"))
                .hint("user and password have keys of their own: `user` and `password`")
        })?;
        Ok(server.except(self.no_proxy.iter().cloned()))
    }
}

impl Serialize for Proxy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Server(server) => server.serialize(serializer),
        }
    }
}

/// By hand, because an untagged enum loses which key was wrong.
impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NoneOrServer;

        impl<'de> de::Visitor<'de> for NoneOrServer {
            type Value = Proxy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`none`, or a proxy: `{url: http://HOST:PORT}`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Proxy, E> {
                match text {
                    "none" => Ok(Proxy::None),
                    // Not repeated: a URL may hold a password.
                    _ => Err(E::custom(
                        "`proxy` is `none`, or has keys: `proxy: {url: http://HOST:PORT}`",
                    )),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Proxy, A::Error> {
                Server::deserialize(de::value::MapAccessDeserializer::new(map)).map(Proxy::Server)
            }
        }

        deserializer.deserialize_any(NoneOrServer)
    }
}

impl JsonSchema for Proxy {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Proxy".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let server = generator.subschema_for::<Server>();
        json_schema!({
            "description": "`none`, or a proxy.",
            "anyOf": [{"const": "none"}, server],
        })
    }
}

/// Whom to trust, and who one is; files in PEM.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// A file of certificate authorities to trust besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// Trust those in `ca` and no public one.
    #[serde(default)]
    pub(crate) only_ca: bool,
    /// A file with this program's own certificate, for servers that ask who calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_cert: Option<PathBuf>,
    /// The file with its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_key: Option<PathBuf>,
}

impl Tls {
    pub(super) fn check(&self) -> Outcome {
        if self.only_ca && self.ca.is_none() {
            return Err(Failure::usage("`tls` has `only_ca` and no `ca`").hint("name the file: `ca: PATH`"));
        }
        let (given, missing) = match (&self.client_cert, &self.client_key) {
            (Some(_), None) => ("client_cert", "client_key"),
            (None, Some(_)) => ("client_key", "client_cert"),
            _ => return Ok(()),
        };
        Err(
            Failure::usage(format!("`tls` has a `{given}` and no `{missing}`"))
                .hint(format!("a certificate works with its key: add `{missing}: PATH`")),
        )
    }
}

/// How long to wait for HubSpot.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Timeouts {
    /// Until there is a connection, through the proxy if there is one.
    #[serde(default)]
    pub(crate) connect: Patience<10>,
    /// Until the whole answer of one request is there. HubSpot itself gives up after 100 s.
    #[serde(default)]
    pub(crate) request: Patience<120>,
}

/// A time to wait, from 1 s to 1 h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience<const DEFAULT: u64>(Duration);

impl<const DEFAULT: u64> Patience<DEFAULT> {
    /// The time.
    pub(crate) fn get(self) -> Duration {
        self.0
    }
}

impl<const DEFAULT: u64> Default for Patience<DEFAULT> {
    fn default() -> Self {
        Self(Duration::from_secs(DEFAULT))
    }
}

impl<const DEFAULT: u64> fmt::Display for Patience<DEFAULT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = SignedDuration::try_from(self.0).expect("a patience is at most an hour");
        write!(f, "{time:#}")
    }
}

impl<const DEFAULT: u64> FromStr for Patience<DEFAULT> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = text.parse::<SignedDuration>().ok();
        let time = time.and_then(|time| Duration::try_from(time).ok());
        let within = time.filter(|time| (Duration::from_secs(1)..=Duration::from_hours(1)).contains(time));
        within
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a time from 1 second to 1 hour; write `10s` or `2m`"))
    }
}

scalar!({const DEFAULT: u64} Patience<DEFAULT>);

impl<const DEFAULT: u64> JsonSchema for Patience<DEFAULT> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Patience".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "default": format!("{DEFAULT}s"), "examples": ["10s", "2m"]})
    }
}
