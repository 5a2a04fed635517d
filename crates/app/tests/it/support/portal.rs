//! A HubSpot on a port of this machine, in a thread of the test or in a process of its own.

use std::future::pending;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Child;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hubspot_emulator::{Counts, DEFAULT_TOKEN, Emulator, Options, Tier};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower::ServiceExt;

use super::Workplace;

/// The emulator, or any other router, listening until dropped.
pub(crate) struct Portal {
    pub(crate) url: String,
    /// To ask without the way over the network, where the server is in this process.
    router: Option<Router>,
    _server: Server,
}

/// Ends when it is dropped.
enum Server {
    Thread(Option<(oneshot::Sender<()>, JoinHandle<()>)>),
    /// `spoke emulate`.
    Process(Child),
}

impl Portal {
    /// An emulator with so many contacts, a fifth as many companies, and nothing else; no rate limits.
    pub(crate) fn with_contacts(contacts: u64) -> Self {
        Self::with(Counts {
            contacts,
            companies: contacts / 5,
            line_items: Some(0),
            ..Counts::none()
        })
    }

    /// An emulator with these records; no rate limits.
    pub(crate) fn with(counts: Counts) -> Self {
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
        Self::start_at("127.0.0.1:0", options)
    }

    /// An emulator with these options at this address.
    pub(crate) fn start_at(address: &str, options: Options) -> Self {
        let emulator = Emulator::new(options);
        Self::listen(address, emulator.router(), |listener| {
            hubspot_emulator::serve(listener, emulator, pending())
        })
    }

    /// `spoke emulate` with these arguments, on a free port.
    pub(crate) fn process(arguments: &[&str]) -> Self {
        let arguments = [&["emulate", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut process = Workplace::new().start_listening(&arguments);
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().expect("stdout is a pipe"));
        stdout.read_line(&mut line).expect("it says where it listens");
        let url = line.trim().strip_prefix("listening on ");
        Self {
            url: url.expect("the first line says where").to_owned(),
            router: None,
            _server: Server::Process(process),
        }
    }

    /// Any router: a HubSpot with properties that the emulator would refuse to make, say.
    pub(crate) fn serve(router: Router) -> Self {
        let served = router.clone();
        Self::listen("127.0.0.1:0", router, |listener| async {
            axum::serve(listener, served).await
        })
    }

    fn listen<S, F>(address: &str, router: Router, serve: S) -> Self
    where
        S: FnOnce(tokio::net::TcpListener) -> F + Send + 'static,
        F: Future<Output = std::io::Result<()>>,
    {
        let listener = TcpListener::bind(address).expect("the port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        listener.set_nonblocking(true).expect("tokio wants it so");
        let (stop, stopped) = oneshot::channel();
        let handle = std::thread::spawn(move || {
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
            router: Some(router),
            _server: Server::Thread(Some((stop, handle))),
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

    #[tokio::main(flavor = "current_thread")]
    async fn request(&self, method: &str, path: &str, body: Option<String>) -> String {
        let (status, text) = match &self.router {
            Some(router) => ask(router, method, path, body).await,
            None => send(method, format!("{}{path}", self.url), body).await,
        };
        assert!(status.is_success(), "{path} answered {status}: {text}");
        text
    }

    /// The live records of `object`, as the portal knows them.
    pub(crate) fn live(&self, object: &str) -> Vec<Value> {
        let truth = self.get(&format!("/_emulator/truth/{object}"));
        let records = truth
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a record a line"));
        records.filter(|record| record["state"] == "live").collect()
    }

    /// Gives `object` more properties than fit into a URL; they belong to the group `group`.
    pub(crate) fn widen(&self, object: &str, group: &str) {
        for n in 0..600 {
            let name = format!("a_property_with_a_rather_long_name_number_{n}");
            let property = json!({"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": group});
            self.post(&format!("/crm/v3/properties/{object}"), &property);
        }
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

/// Asks a router, without the way over the network.
async fn ask(router: &Router, method: &str, path: &str, body: Option<String>) -> (StatusCode, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {DEFAULT_TOKEN}"));
    let request = request
        .body(body.map_or_else(Body::empty, Body::from))
        .expect("a request");
    let answer = router.clone().oneshot(request).await.expect("an answer");
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
    let bytes = bytes.expect("a whole answer");
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

async fn send(method: &str, url: String, body: Option<String>) -> (StatusCode, String) {
    // Whoever came first is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let method = method.parse().expect("a method");
    let request = reqwest::Client::new()
        .request(method, url)
        .header("content-type", "application/json");
    let answer = request.body(body.unwrap_or_default()).send().await;
    let answer = answer.expect("an answer");
    (answer.status(), answer.text().await.expect("a whole answer"))
}

impl Drop for Server {
    fn drop(&mut self) {
        match self {
            Self::Thread(thread) => {
                let (stop, handle) = thread.take().expect("it is dropped once");
                // The server may have ended by itself; then nobody listens to this.
                let _ = stop.send(());
                handle.join().expect("the portal's thread ends well");
            }
            Self::Process(process) => {
                process.kill().expect("it runs until it is killed");
                process.wait().expect("it is gone");
            }
        }
    }
}
