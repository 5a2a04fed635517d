//! A gateway between the program and HubSpot that lies: it resets connections, cuts and lengthens answers, sends requests
//! twice, answers with odd statuses and foreign bodies, and tells wrong times. What it never does is to speak in HubSpot's
//! name: nobody could tell an answer of HubSpot's own shape from HubSpot's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::changing::Draw;

/// The gateway, until the process ends.
pub(crate) struct Liar {
    pub(crate) url: String,
    state: Arc<State>,
}

struct State {
    upstream: SocketAddr,
    seed: u64,
    connections: AtomicU64,
    is_honest: AtomicBool,
    lies: AtomicU64,
}

/// What is done to one request.
#[derive(Debug, Clone, Copy)]
enum Lie {
    /// The connection is reset, and HubSpot never hears of the request.
    ResetBefore,
    /// HubSpot answers, and nothing arrives.
    ResetAfter,
    /// Half of the answer, after the promise of all of it.
    Truncate,
    /// A promise of more than there is.
    TooLong,
    /// HubSpot gets the request twice.
    Twice,
    /// This status with a page of HTML.
    Status(u16),
    /// A 200 with this body.
    Body(&'static str),
    /// The answer, with this `Date` or none.
    Date(Option<&'static str>),
    /// The answer, late.
    Slow,
}

const LIES: [Lie; 22] = [
    Lie::ResetBefore,
    Lie::ResetAfter,
    Lie::Truncate,
    Lie::TooLong,
    Lie::Twice,
    Lie::Slow,
    Lie::Status(400),
    Lie::Status(403),
    Lie::Status(404),
    Lie::Status(408),
    Lie::Status(425),
    Lie::Status(499),
    Lie::Status(502),
    Lie::Status(520),
    Lie::Status(530),
    Lie::Body("{}"),
    Lie::Body(r#"{"status":"error","message":"upstream request timeout"}"#),
    Lie::Body("null"),
    Lie::Body("<html><body>One moment, please</body></html>"),
    Lie::Date(Some("Fri, 01 Mar 2080 00:00:00 GMT")),
    Lie::Date(Some("Sat, 01 Jan 2000 00:00:00 GMT")),
    Lie::Date(None),
];

impl Liar {
    /// A gateway to this address that lies about one request in twenty.
    pub(crate) fn before(url: &str, seed: u64) -> Self {
        let upstream = url.trim_start_matches("http://").parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let state = Arc::new(State {
            upstream,
            seed,
            connections: AtomicU64::default(),
            is_honest: AtomicBool::default(),
            lies: AtomicU64::default(),
        });
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let state = Arc::clone(&serving);
                thread::spawn(move || state.serve(&connection));
            }
        });
        Self { url, state }
    }

    /// Passes everything on from now on.
    pub(crate) fn be_honest(&self) {
        self.state.is_honest.store(true, Ordering::Relaxed);
    }

    /// How many requests were lied about.
    pub(crate) fn lies(&self) -> u64 {
        self.state.lies.load(Ordering::Relaxed)
    }
}

impl State {
    /// One request a connection: what the program sends after a reset must not depend on this thread.
    fn serve(&self, client: &TcpStream) {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut draw = Draw(self.seed ^ number.wrapping_mul(0x9e37_79b9));
        let Some(request) = read_message(client) else {
            return;
        };
        let lies = !self.is_honest.load(Ordering::Relaxed) && draw.below(20) == 0;
        if !lies {
            if let Some(answer) = self.pass_on(&request) {
                send(client, &answer);
            }
            return;
        }
        self.lies.fetch_add(1, Ordering::Relaxed);
        self.lie(*draw.one_of(&LIES), &request, client);
    }

    fn lie(&self, lie: Lie, request: &[u8], client: &TcpStream) {
        let answer = match lie {
            Lie::ResetBefore => return reset(client),
            Lie::Status(status) => return send(client, &html(status)),
            Lie::Body(body) => return send(client, &answer_of(200, body)),
            Lie::Twice => {
                drop(self.pass_on(request));
                self.pass_on(request)
            }
            _ => self.pass_on(request),
        };
        let Some(answer) = answer else { return };
        match lie {
            Lie::ResetAfter => reset(client),
            Lie::Truncate => send(client, &answer[..answer.len() / 2]),
            Lie::TooLong => send(
                client,
                &with_header(&answer, "content-length", |value| {
                    let length: usize = value?.parse().ok()?;
                    Some((length + 7).to_string())
                }),
            ),
            Lie::Date(date) => send(client, &with_header(&answer, "date", |_| date.map(str::to_owned))),
            Lie::Slow => {
                thread::sleep(Duration::from_millis(700));
                send(client, &answer);
            }
            _ => send(client, &answer),
        }
    }

    /// What HubSpot answers.
    fn pass_on(&self, request: &[u8]) -> Option<Vec<u8>> {
        let mut upstream = TcpStream::connect(self.upstream).ok()?;
        upstream.write_all(&closing(request)).ok()?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer).ok()?;
        Some(answer)
    }
}

/// A request with its body.
fn read_message(stream: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut message = Vec::new();
    let mut length = 0;
    loop {
        let from = message.len();
        if reader.read_until(b'\n', &mut message).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&message[from..]).to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let head = message.len();
    message.resize(head + length, 0);
    reader.read_exact(&mut message[head..]).ok()?;
    Some(message)
}

/// The message with one header changed, or taken out.
fn with_header(message: &[u8], name: &str, change: impl Fn(Option<&str>) -> Option<String>) -> Vec<u8> {
    let end = message
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or(message.len());
    let head = String::from_utf8_lossy(&message[..end]).into_owned();
    let is_named = |line: &&str| line.to_lowercase().starts_with(&format!("{name}:"));
    let value = head
        .lines()
        .find(is_named)
        .and_then(|line| line.split_once(':'))
        .map(|(_, value)| value.trim());
    let mut lines: Vec<String> = head
        .lines()
        .filter(|line| !is_named(line))
        .map(str::to_owned)
        .collect();
    lines.extend(change(value).map(|value| format!("{name}: {value}")));
    let mut changed = lines.join("\r\n").into_bytes();
    changed.extend_from_slice(&message[end..]);
    changed
}

fn closing(message: &[u8]) -> Vec<u8> {
    with_header(message, "connection", |_| Some("close".to_owned()))
}

fn html(status: u16) -> Vec<u8> {
    answer_of(
        status,
        "<html><head><title>Error</title></head><body>cloud gateway</body></html>",
    )
}

fn answer_of(status: u16, body: &str) -> Vec<u8> {
    let kind = if body.starts_with('<') {
        "text/html"
    } else {
        "application/json"
    };
    format!(
        "HTTP/1.1 {status} Odd\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn send(mut client: &TcpStream, bytes: &[u8]) {
    // The program may have gone away meanwhile.
    drop(client.write_all(bytes));
    drop(client.shutdown(Shutdown::Write));
}

/// Closes while the client still has something to send or to read.
fn reset(client: &TcpStream) {
    drop(client.shutdown(Shutdown::Both));
}
