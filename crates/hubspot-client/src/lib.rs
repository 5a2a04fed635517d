//! Talk to HubSpot: who may, how fast, how often, and what comes back.
//!
//! # A call, from outside in
//!
//! [`Client`] has one method per thing to ask ([`list_objects`](Client::list_objects),
//! [`search`](Client::search), [`associations_batch_read`](Client::associations_batch_read)...). Each is three lines:
//! build a request, send it, read the answer.
//!
//! - **Build**: [`request`] holds pure functions from arguments to an `http::Request`. They are tested as strings.
//! - **Send**: five layers, each an [`HttpService`] around an [`HttpService`]: drive around retry ([`RetryPolicy`])
//!   around limit ([`RateLimiter`]) around auth ([`TokenProvider`]) around transport ([`ReqwestService`]). So every call
//!   is a task of its own, which holds nothing that others wait for when its caller does not poll it, and every
//!   *attempt* waits for its turn and leaves with a current token.
//! - **Read**: records stay the text that HubSpot wrote. A [`RawPage`] is parsed in one pass, and each
//!   [`RawObject`] is a slice of it; no record is copied.
//!
//! # An example without a network
//!
//! The transport can be anything that answers requests; here it is a script.
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use futures_util::TryStreamExt;
//! use hubspot_client::{Client, HttpError, HttpService, Request, Response, StaticToken, request::objects::List};
//!
//! #[derive(Debug)]
//! struct TwoPages;
//!
//! #[async_trait::async_trait]
//! impl HttpService for TwoPages {
//!     async fn call(&self, request: Request) -> Result<Response, HttpError> {
//!         let last = request.uri().query().is_some_and(|query| query.contains("after=2"));
//!         let page = if last { r#"{"results":[{"id":"2"}]}"# } else {
//!             r#"{"results":[{"id":"1"}],"paging":{"next":{"after":"2"}}}"#
//!         };
//!         Ok(Response::new(Bytes::from(page)))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder()
//!     .token(StaticToken::new("pat-na1-0000")?)
//!     .http_service(Arc::new(TwoPages))
//!     .build()?;
//!
//! let pages: Vec<_> = client.pages(List::new("contacts")).try_collect().await?;
//! let ids: Vec<_> = pages.iter().flat_map(|page| &page.results).map(|record| record.id()).collect();
//! assert_eq!(ids, ["1", "2"]);
//! assert_eq!(client.limiter().stats().calls, 2);
//! # Ok(())
//! # }
//! ```
//!
//! # What it is not
//!
//! It knows no records, positions or pipelines; those are the connector's. It has no generated types: which properties
//! a record has is the account's affair and known only at run time.
//!
//! Facts about HubSpot are cited as "hubspot-api notes §n".

#![deny(missing_docs)]

mod api;
mod auth;
mod base_url;
mod client;
mod decode;
mod drive;
mod error;
mod http;
mod limit;
mod record;
mod redact;
pub mod request;
mod retry;
#[cfg(test)]
mod script;
mod server_time;
mod version;

pub use self::{
    api::{
        AccountDetails, AssociatedPair, AssociatingBatch, Association, AssociationBatch, AssociationLabel,
        AssociationType, AssociationsOf, BatchOutcome, BatchResult, Import, ImportError, ImportErrorPage,
        ImportPage, ImportState, InputOutcome, Labels, Member, MemberPage, MembersChanged,
        ModificationMetadata, NamedAssociations, PageTrail, Pipeline, Property, PropertyGroup,
        PropertyOption, RecordId, RecordList, RecordListPage, Schema, SchemaAssociation, SearchPage, Stage,
        Written,
    },
    auth::{
        AccessToken, OAuthCredentials, OAuthError, OAuthToken, Place, StaticToken, TokenError, TokenProvider,
    },
    client::{Client, ClientBuilder},
    error::{ApiError, DecodeError, Error, Fault, SubError},
    http::{
        HttpError, HttpErrorKind, HttpService, MAX_RESPONSE_SIZE, Network, Phase, Proxy, ProxyServer,
        Request, ReqwestService, Response, Timeouts, Tls,
    },
    limit::{
        CallLedger, Daily, DailyCalls, DayOver, DayStatus, LimitStats, Limits, MemoryLedger, Policy,
        PolicyStats, Priority, RateLimiter, WallClock,
    },
    record::{HeldValue, Next, PropertyHistory, RawObject, RawPage},
    request::{Idempotency, MAX_URL},
    retry::RetryPolicy,
    version::{ApiVersion, Resource},
};
