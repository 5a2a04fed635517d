//! An answer of the emulated HubSpot, before the gateway adds headers.

use serde_json::Value;

#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) html: bool,
    /// Where a redirect leads.
    pub(crate) location: Option<String>,
}

impl Reply {
    pub(crate) fn json(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            body,
            ..Self::default()
        }
    }

    pub(crate) fn value(status: u16, body: &Value) -> Self {
        Self::json(status, serde_json::to_vec(body).unwrap_or_default())
    }

    pub(crate) fn no_content() -> Self {
        Self::json(204, Vec::new())
    }

    pub(crate) fn redirect(location: String) -> Self {
        Self {
            status: 302,
            location: Some(location),
            ..Self::default()
        }
    }

    pub(crate) fn html(status: u16, page: &str) -> Self {
        Self {
            status,
            body: page.into(),
            html: true,
            ..Self::default()
        }
    }
}
