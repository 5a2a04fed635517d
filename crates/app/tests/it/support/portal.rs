//! A HubSpot on a port of this machine, in a thread of the test.

use std::future::pending;
use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hubspot_emulator::{Counts, DEFAULT_TOKEN, Emulator, Options, Tier};
use serde_json::Value;
use tokio::sync::oneshot;
use tower::ServiceExt;

/// The emulator, or any other router, listening until dropped.
pub(crate) struct Portal {
    pub(crate) url: String,
    router: Router,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Portal {
    /// An emulator with so many contacts, a fifth as many companies, and nothing else; no rate limits.
    pub(crate) fn with_contacts(contacts: u64) -> Self {
        let companies = contacts / 5;
        let counts = Counts {
            contacts,
            companies,
            deals: 0,
            tickets: 0,
            products: 0,
            line_items: Some(0),
            ..Counts::none()
        };
        Self::start(Options {
            counts,
            tier: Tier::Unlimited,
            ..Options::default()
        })
    }

    /// An emulator with so many contacts and some companies that takes its time to answer, so that a run can be
    /// met half-way.
    pub(crate) fn slow(contacts: u64, latency: Duration) -> Self {
        let counts = Counts {
            contacts,
            companies: 500,
            deals: 0,
            tickets: 0,
            products: 0,
            line_items: Some(0),
            ..Counts::none()
        };
        Self::start(Options {
            counts,
            tier: Tier::Unlimited,
            latency,
            ..Options::default()
        })
    }

    /// An emulator with these options.
    pub(crate) fn start(options: Options) -> Self {
        let emulator = Emulator::new(options);
        Self::listen(emulator.router(), |listener| {
            hubspot_emulator::serve(listener, emulator, pending())
        })
    }

    /// Any router: a HubSpot with properties that the emulator would refuse to make, say.
    pub(crate) fn serve(router: Router) -> Self {
        let served = router.clone();
        Self::listen(router, |listener| async { axum::serve(listener, served).await })
    }

    fn listen<S, F>(router: Router, serve: S) -> Self
    where
        S: FnOnce(tokio::net::TcpListener) -> F + Send + 'static,
        F: Future<Output = std::io::Result<()>>,
    {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        listener.set_nonblocking(true).expect("tokio wants it so");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is fine");
                // Dropping the server at `stopped` is how it ends; the test has all it wanted.
                tokio::select! {
                    ended = serve(listener) => ended.expect("it serves"),
                    _ = stopped => {}
                }
            });
        });
        Self {
            url,
            router,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.request("GET", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> String {
        self.request("POST", path, Some(body.to_string()))
    }

    pub(crate) fn delete(&self, path: &str) -> String {
        self.request("DELETE", path, None)
    }

    fn request(&self, method: &str, path: &str, body: Option<String>) -> String {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {DEFAULT_TOKEN}"));
        let request = request
            .body(body.map_or_else(Body::empty, Body::from))
            .expect("a request");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.expect("an answer");
            let status = answer.status();
            let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
                .await
                .expect("a whole answer");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(status.is_success(), "{path} answered {status}: {text}");
            text
        })
    }

    /// How many requests there were since the log was cleared, by route and status.
    pub(crate) fn requests(&self) -> Value {
        serde_json::from_str(&self.get("/_emulator/requests")).expect("the log is JSON")
    }

    /// How many calls were about `object`.
    pub(crate) fn calls(&self, object: &str) -> u64 {
        self.requests()["byObject"][object].as_u64().unwrap_or_default()
    }

    pub(crate) fn clear_requests(&self) {
        self.delete("/_emulator/requests");
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        if let (Some(stop), Some(thread)) = (self.stop.take(), self.thread.take()) {
            // The server may have ended by itself; then nobody listens to this.
            let _ = stop.send(());
            thread.join().expect("the portal's thread ends well");
        }
    }
}
