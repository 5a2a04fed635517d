//! Measures an emulator over loopback, as its callers meet it:
//! `cargo run --release -p hubspot-emulator --example bench_http -- [CONTACTS]`.
//!
//! Prints list pages of 100 contacts with 60 properties, what a static file server reaches with the same bytes (the
//! limit), and the times of searches on last modification. Each server has one thread. Pages are counted per second, and
//! per second of that thread's processor time: what one core gives when nothing else wants it.

mod workload;

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hubspot_emulator::{Counts, DEFAULT_TOKEN, serve};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use workload::{
    FIRST, Outcome, SEARCH_PATH, SEARCHES, beyond, contacts, list_path, say, say_times, search_body,
};

/// Enough callers that the server never waits for one.
const CALLERS: u64 = 3;
const MEASURED: Duration = Duration::from_secs(5);

fn main() -> Outcome<()> {
    let contacts = contacts()?;
    let emulated = Server::start(move |listener| async move {
        let emulator = workload::emulator(Counts {
            contacts,
            ..Counts::none()
        });
        serve(listener, emulator, std::future::pending()).await
    })?;
    let page = Caller::connect(emulated.address)?
        .ask(&list_request(FIRST))?
        .to_vec();
    say(&format!("a page: {} KiB", page.len() / 1024))?;
    let pages = Rate::of(&emulated, contacts)?;
    pages.say("emulator")?;
    let still = Server::start(move |listener| serve_bytes(listener, page.into()))?;
    let limit = Rate::of(&still, contacts)?;
    limit.say("static file server, same bytes")?;
    say(&format!(
        "ratio: {:.2} of one core's",
        pages.per_core / limit.per_core
    ))?;
    searches(&emulated, contacts)
}

/// A server on a thread of its own.
struct Server {
    address: SocketAddr,
    /// Where the kernel tells how long the thread has run.
    times: String,
}

impl Server {
    fn start<F>(server: impl FnOnce(TcpListener) -> F + Send + 'static) -> Outcome<Self>
    where
        F: Future<Output = std::io::Result<()>>,
    {
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || -> Outcome<()> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let thread = std::fs::read_link("/proc/thread-self")?;
                tell.send(Self {
                    address: listener.local_addr()?,
                    times: format!("/proc/{}/schedstat", thread.display()),
                })?;
                Ok(server(listener).await?)
            })
        });
        Ok(told.recv()?)
    }

    /// How long the thread has had a processor.
    fn processor_time(&self) -> Outcome<Duration> {
        let times = std::fs::read_to_string(&self.times)?;
        let nanoseconds = times.split(' ').next().unwrap_or_default();
        Ok(Duration::from_nanos(nanoseconds.parse()?))
    }
}

/// The least that a server of files does: the same bytes for every request.
async fn serve_bytes(listener: TcpListener, body: Bytes) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        let service = hyper::service::service_fn(move |_| {
            let body = Full::new(body.clone());
            async move { Ok::<_, Infallible>(http::Response::new(body)) }
        });
        let connection = hyper::server::conn::http1::Builder::new();
        tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
    }
}

fn list_request(after: u64) -> String {
    let path = list_path(after);
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {DEFAULT_TOKEN}\r\n\r\n")
}

/// One kept connection, asked again and again.
struct Caller {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Caller {
    fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            body: Vec::new(),
        })
    }

    /// Sends a request and returns the body of a 200.
    fn ask(&mut self, request: &str) -> Outcome<&[u8]> {
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 200") {
            return Err(line.into());
        }
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            self.stream.read_line(&mut line)?;
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse()?;
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)?;
        Ok(&self.body)
    }
}

/// Pages that a server gives to all callers together.
struct Rate {
    per_second: f64,
    per_core: f64,
}

impl Rate {
    fn of(server: &Server, contacts: u64) -> Outcome<Self> {
        let (started, used) = (Instant::now(), server.processor_time()?);
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (address, from) = (server.address, FIRST + caller * contacts / CALLERS);
                std::thread::spawn(move || read_pages(address, from, contacts, started + MEASURED))
            })
            .collect();
        let mut pages = 0;
        for caller in callers {
            pages += caller.join().map_err(|_| "a caller panicked")??;
        }
        let used = server.processor_time()?.saturating_sub(used);
        Ok(Self {
            per_second: f64::from(pages) / started.elapsed().as_secs_f64(),
            per_core: f64::from(pages) / used.as_secs_f64(),
        })
    }

    fn say(&self, what: &str) -> std::io::Result<()> {
        let Self { per_second, per_core } = self;
        say(&format!(
            "{what}: {per_second:.0} pages/s, {per_core:.0} per second of processor time"
        ))
    }
}

fn read_pages(server: SocketAddr, from: u64, contacts: u64, until: Instant) -> Outcome<u32> {
    let mut caller = Caller::connect(server)?;
    let (mut pages, mut after) = (0, from);
    while Instant::now() < until {
        caller.ask(&list_request(after))?;
        pages += 1;
        after = beyond(after, contacts);
    }
    Ok(pages)
}

fn searches(server: &Server, contacts: u64) -> Outcome<()> {
    let mut caller = Caller::connect(server.address)?;
    let mut times = Vec::new();
    for number in 0..SEARCHES {
        let request = search_request(number);
        let started = Instant::now();
        caller.ask(&request)?;
        times.push(started.elapsed());
    }
    say_times(
        &format!("search on last modification over {contacts} contacts, 200 results"),
        times,
    )?;
    Ok(())
}

fn search_request(number: u64) -> String {
    let body = search_body(number);
    format!(
        "POST {SEARCH_PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {DEFAULT_TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
