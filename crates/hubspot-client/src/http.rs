//! The one seam of the crate: a request goes in, a response or an [`HttpError`] comes out.
//!
//! Transport, authentication, limits and retries are each an [`HttpService`] around an [`HttpService`], so a test puts
//! a script in place of the network and an emulator's router in place of HubSpot. An answer with status 429 or 500 is
//! a response here; making errors of statuses is the client's business.

mod error;
mod network;
mod reqwest;
mod trace;

use async_trait::async_trait;
use bytes::Bytes;

pub(crate) use self::{
    error::{Exchange, write_attempts},
    trace::Traced,
};
pub use self::{
    error::{HttpError, HttpErrorKind, Phase},
    network::{Network, Proxy, ProxyServer, Tls},
    reqwest::{MAX_RESPONSE_SIZE, ReqwestService, Timeouts},
};

/// A request whose body is in memory, so that it can be sent again.
pub type Request = http::Request<Bytes>;
/// A response that was read to its end.
pub type Response = http::Response<Bytes>;

/// Something that answers requests. Dropping the future abandons the request.
#[async_trait]
pub trait HttpService: Send + Sync + std::fmt::Debug {
    /// Sends one request, whose URI is absolute, and reads the whole answer.
    async fn call(&self, request: Request) -> Result<Response, HttpError>;
}

/// Header values that this crate reads.
pub(crate) fn header<'a, B>(response: &'a http::Response<B>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}
