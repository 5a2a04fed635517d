//! The way to HubSpot: through which proxy, trusting whom, and as whom. One per connection.

use std::fmt;

use http::Uri;
use reqwest::{Certificate, ClientBuilder, Identity};
use secrecy::{ExposeSecret, SecretString};

use crate::{error::Error, redact};

/// The way to HubSpot. The default: what the environment says of proxies, the public certificate authorities, no
/// certificate of one's own.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The way out.
    pub proxy: Proxy,
    /// Whom to trust, and who one is.
    pub tls: Tls,
}

/// The way out.
#[derive(Clone, Debug, Default)]
pub enum Proxy {
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// None, whatever the environment says.
    None,
    /// This one for everything, whatever the environment says.
    Server(ProxyServer),
}

/// A proxy.
#[derive(Clone)]
pub struct ProxyServer {
    url: Uri,
    login: Option<(String, SecretString)>,
    except: Vec<String>,
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProxyServer").field(&self.host()).finish()
    }
}

impl ProxyServer {
    /// ```
    /// use hubspot_client::ProxyServer;
    /// let proxy = ProxyServer::new("http://proxy.example:3128")?.with_login("me", "secret");
    /// assert_eq!(format!("{proxy:?}"), r#"ProxyServer("proxy.example:3128")"#);
    /// assert!(ProxyServer::new("http://me:secret@proxy.example:3128").is_err());
    /// # Ok::<(), hubspot_client::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything but `http://`, `https://`, `socks5://` or `socks5h://` and a host.
    pub fn new(url: &str) -> Result<Self, Error> {
        let invalid = |why: &str| {
            Error::Invalid(format!(
                "the proxy's URL {why}; write `http://HOST:PORT`, `https://HOST:PORT` or `socks5://HOST:PORT`"
            ))
        };
        let url: Uri = url.parse().map_err(|_| invalid("is not a URL"))?;
        if !matches!(url.scheme_str(), Some("http" | "https" | "socks5" | "socks5h")) {
            return Err(invalid("has no scheme that is known"));
        }
        match url.authority() {
            None => Err(invalid("has no host")),
            // A password here would end up wherever the URL is shown.
            Some(authority) if authority.as_str().contains('@') => {
                Err(invalid("has a user in it, which belongs in a field of its own"))
            }
            Some(_) => Ok(Self {
                url,
                login: None,
                except: Vec::new(),
            }),
        }
    }

    /// User and password, sent to the proxy only.
    #[must_use]
    pub fn with_login(self, user: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self {
            login: Some((user.into(), password.into())),
            ..self
        }
    }

    /// Hosts to reach without the proxy: names, which stand for their subdomains too, addresses, networks
    /// (`10.0.0.0/8`), or `*` for all.
    #[must_use]
    pub fn except(self, hosts: impl IntoIterator<Item = String>) -> Self {
        Self {
            except: hosts.into_iter().collect(),
            ..self
        }
    }

    /// Host and port, for messages.
    pub fn host(&self) -> &str {
        self.url
            .authority()
            .map_or("", |authority| redact::authority(authority.as_str()))
    }

    fn to_reqwest(&self) -> Result<reqwest::Proxy, reqwest::Error> {
        let except = reqwest::NoProxy::from_string(&self.except.join(","));
        let proxy = reqwest::Proxy::all(self.url.to_string())?.no_proxy(except);
        Ok(match &self.login {
            Some((user, password)) => proxy.basic_auth(user, password.expose_secret()),
            None => proxy,
        })
    }
}

/// Whom to trust, and who one is. All in PEM.
#[derive(Clone, Default)]
pub struct Tls {
    /// Certificate authorities to trust besides the public ones: one certificate or many.
    pub authorities: Option<Vec<u8>>,
    /// Trust `authorities` and no public one.
    pub only_authorities: bool,
    /// One's own certificate, with those between it and its authority, and its key: for servers that ask who calls.
    pub identity: Option<(Vec<u8>, SecretString)>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("authorities", &self.authorities.is_some())
            .field("only_authorities", &self.only_authorities)
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

impl Tls {
    /// Finds out whether certificates and key are such, which else [`ClientBuilder::build`](crate::ClientBuilder::build)
    /// tells.
    ///
    /// # Errors
    /// [`Error::Invalid`] when they are not.
    pub fn check(&self) -> Result<(), Error> {
        let network = Network {
            proxy: Proxy::None,
            tls: self.clone(),
        };
        super::ReqwestService::with_network(super::Timeouts::default(), &network).map(drop)
    }

    fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        let Some(pem) = &self.authorities else {
            return Ok(Vec::new());
        };
        let certificates = Certificate::from_pem_bundle(pem).unwrap_or_default();
        if certificates.is_empty() {
            return Err(Error::Invalid(
                "the file of certificate authorities holds no certificate in PEM".to_owned(),
            ));
        }
        Ok(certificates)
    }

    fn identity(&self) -> Result<Option<Identity>, Error> {
        let Some((certificate, key)) = &self.identity else {
            return Ok(None);
        };
        let pem = [certificate, &b"\n"[..], key.expose_secret().as_bytes()].concat();
        // What is wrong with a key is not repeated: it could hold some of it.
        Identity::from_pem(&pem).map(Some).map_err(|_| {
            Error::Invalid(
                "the client's certificate and key are not a certificate and its key in PEM".to_owned(),
            )
        })
    }
}

impl Network {
    /// The proxy's host and port, if there is a proxy of this connection's own.
    pub(super) fn proxy_host(&self) -> Option<&str> {
        match &self.proxy {
            Proxy::Server(server) => Some(server.host()),
            Proxy::Environment | Proxy::None => None,
        }
    }

    pub(super) fn apply(&self, builder: ClientBuilder) -> Result<ClientBuilder, Error> {
        let builder = match &self.proxy {
            Proxy::Environment => builder,
            Proxy::None => builder.no_proxy(),
            Proxy::Server(server) => builder.proxy(
                server
                    .to_reqwest()
                    .map_err(|_| Error::Invalid(format!("no proxy can be used at `{}`", server.host())))?,
            ),
        };
        let certificates = self.tls.certificates()?;
        let builder = match (self.tls.only_authorities, certificates.is_empty()) {
            (true, true) => {
                return Err(Error::Invalid(
                    "only private certificate authorities are to be trusted, and none is given".to_owned(),
                ));
            }
            (true, false) => builder.tls_certs_only(certificates),
            (false, _) => builder.tls_certs_merge(certificates),
        };
        Ok(match self.tls.identity()? {
            Some(identity) => builder.identity(identity),
            None => builder,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_it() {
        for url in ["", "proxy:3128", "ftp://proxy", "http://me:hunter2@proxy:1"] {
            let error = ProxyServer::new(url).unwrap_err().to_string();
            assert!(
                error.contains("http://HOST:PORT") && !error.contains("hunter2"),
                "{error}"
            );
        }
        for url in [
            "http://proxy:3128",
            "https://proxy",
            "socks5://127.0.0.1:1080",
            "socks5h://[::1]:9",
        ] {
            assert!(ProxyServer::new(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn no_secret_is_in_a_debug_text() {
        let server = ProxyServer::new("http://proxy:1")
            .unwrap()
            .with_login("me", "hunter2");
        let network = Network {
            proxy: Proxy::Server(server),
            tls: Tls {
                identity: Some((b"cert".to_vec(), SecretString::from("hunter2"))),
                ..Tls::default()
            },
        };
        assert!(!format!("{network:?}").contains("hunter2"));
    }

    #[test]
    fn certificates_that_are_none_are_refused() {
        let tls = |tls| {
            let network = Network {
                tls,
                ..Network::default()
            };
            network.apply(reqwest::Client::builder()).unwrap_err().to_string()
        };
        let error = tls(Tls {
            authorities: Some(b"no PEM".to_vec()),
            ..Tls::default()
        });
        assert!(error.contains("holds no certificate"), "{error}");
        let error = tls(Tls {
            only_authorities: true,
            ..Tls::default()
        });
        assert!(error.contains("none is given"), "{error}");
        let error = tls(Tls {
            identity: Some((b"x".to_vec(), SecretString::from("hunter2"))),
            ..Tls::default()
        });
        assert!(
            error.contains("are not a certificate") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
