//! Where HubSpot is: joins paths to it, and reads links that claim to lead back to it.

use std::{fmt, str::FromStr};

use http::{Uri, uri::PathAndQuery};

use crate::{error::Error, redact};

/// Scheme, authority and an optional path before all others (for gateways).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    uri: Uri,
}

impl FromStr for BaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid =
            |why: &str| Error::Invalid(format!("the base URL {why}; write `https://api.hubapi.com`"));
        let uri: Uri = text
            .trim_end_matches('/')
            .parse()
            .map_err(|_| invalid("is not a URL"))?;
        match uri.scheme_str() {
            Some("http" | "https") => {}
            _ => return Err(invalid("does not begin with `https://` or `http://`")),
        }
        if uri.query().is_some() {
            return Err(invalid("has a query"));
        }
        if uri
            .authority()
            .is_none_or(|authority| authority.as_str().contains('@'))
        {
            // A password here would end up wherever the URL is shown.
            return Err(invalid("has a user or no host"));
        }
        Ok(Self { uri })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uri)
    }
}

impl BaseUrl {
    /// The absolute form of a path and query.
    pub(crate) fn join(&self, target: &Uri) -> Result<Uri, Error> {
        let invalid =
            |error: &dyn fmt::Display| Error::Invalid(format!("the request has no usable path: {error}"));
        let target = target.path_and_query().map_or("/", PathAndQuery::as_str);
        let path = format!("{}{target}", self.uri.path().trim_end_matches('/'));
        let mut parts = self.uri.clone().into_parts();
        parts.path_and_query = Some(path.parse().map_err(|error| invalid(&error))?);
        Uri::from_parts(parts).map_err(|error| invalid(&error))
    }

    /// The `after` in the query of a link to a next page.
    pub(crate) fn after_of(&self, stream: &str, link: &str) -> Result<String, Error> {
        let odd = || Error::Invalid(format!("the link to the next page of {stream} has no `after`"));
        let link: Uri = link.parse().map_err(|_| odd())?;
        let foreign = link
            .authority()
            .filter(|authority| Some(*authority) != self.uri.authority());
        if let Some(host) = foreign {
            let (stream, host) = (stream.to_owned(), redact::authority(host.as_str()).to_owned());
            return Err(Error::ForeignLink { stream, host });
        }
        let mut pairs = link
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        let (_, after) = pairs.find(|(name, _)| *name == "after").ok_or_else(odd)?;
        decode(after).ok_or_else(odd)
    }
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> BaseUrl {
        text.parse().unwrap()
    }

    #[test]
    fn paths_are_joined_with_and_without_a_prefix() {
        let target = Uri::from_static("/crm/v3/x?after=1%3D");
        let join = |text| base(text).join(&target).unwrap().to_string();
        assert_eq!(
            join("https://api.hubapi.com"),
            "https://api.hubapi.com/crm/v3/x?after=1%3D"
        );
        assert_eq!(
            join("http://127.0.0.1:8400/"),
            "http://127.0.0.1:8400/crm/v3/x?after=1%3D"
        );
        assert_eq!(
            join("http://gateway/hubspot/"),
            "http://gateway/hubspot/crm/v3/x?after=1%3D"
        );
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for text in [
            "",
            "api.hubapi.com",
            "ftp://x",
            "https://x?y=1",
            "https://user:pw@x",
        ] {
            let error = text.parse::<BaseUrl>().unwrap_err().to_string();
            assert!(
                error.contains("https://api.hubapi.com") && !error.contains("pw"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_link_is_followed_only_home() {
        let base = base("https://api.hubapi.com");
        let after = |link| base.after_of("contacts", link);
        assert_eq!(
            after("https://api.hubapi.com/crm/v3/x?limit=1&after=MC0y%3D").unwrap(),
            "MC0y="
        );
        assert_eq!(after("/crm/v3/x?after=7").unwrap(), "7");
        assert!(matches!(after("https://evil.example/x?after=7"),
            Err(Error::ForeignLink { host, .. }) if host == "evil.example"));
        assert!(after("https://api.hubapi.com/x?limit=1").is_err());
    }
}
