//! Measures an emulator over loopback, as its callers meet it:
//! `cargo run --release -p hubspot-emulator --example bench_http -- [CONTACTS]`.
//!
//! Prints list pages per second of 100 contacts with 60 properties, what a static file server reaches with the
//! same bytes (the limit), and the times of searches on last modification. The server has one thread.

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hubspot_emulator::{Counts, DEFAULT_TOKEN, Emulator, Options, Tier, serve};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Sixty property names, as a connector would ask for.
const PROPERTIES: &str = "email,firstname,lastname,phone,mobilephone,company,jobtitle,website,address,city,state,zip,country,\
    lifecyclestage,hs_lead_status,hubspot_owner_id,hs_analytics_source,hs_analytics_source_data_1,hs_analytics_source_data_2,\
    hs_latest_source,hs_latest_source_data_1,hs_latest_source_timestamp,hs_analytics_average_page_views,\
    hs_analytics_first_timestamp,hs_analytics_num_event_completions,hs_analytics_num_page_views,hs_analytics_num_visits,\
    hs_analytics_revenue,hs_email_domain,hs_email_open,hs_email_click,hs_email_delivered,hs_email_optout,hs_marketable_status,\
    hs_marketable_reason_type,num_conversion_events,num_unique_conversion_events,hubspotscore,hs_predictivecontactscore_v2,\
    hs_full_name_or_email,hs_calculated_phone_number,hs_object_source,hs_object_source_id,hs_object_source_label,\
    hs_created_by_user_id,hs_updated_by_user_id,hs_is_unworked,hs_is_contact,hs_count_is_worked,hs_count_is_unworked,\
    customer_number,legacy_score,favourite_colours,newsletter,birthday,contract_end,last_visit_at,discount_rate,\
    erp_reference,contact_notes";

/// Enough callers that the server never waits for one.
const CALLERS: u64 = 3;
const MEASURED: Duration = Duration::from_secs(5);

fn main() -> Outcome<()> {
    let contacts: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let emulated = start(move |listener| async move {
        let counts = Counts {
            contacts,
            ..Counts::none()
        };
        let emulator = Emulator::new(Options {
            counts,
            tier: Tier::Unlimited,
            ..Options::default()
        });
        serve(listener, emulator, std::future::pending()).await
    })?;
    let page = Caller::connect(emulated)?.ask(&list_request(101))?;
    say(&format!("a page: {} KiB", page.len() / 1024))?;
    let pages = rate(emulated, contacts)?;
    say(&format!("emulator: {pages:.0} pages/s"))?;
    let still = start(move |listener| serve_bytes(listener, page.into()))?;
    let limit = rate(still, contacts)?;
    say(&format!("static file server, same bytes: {limit:.0} pages/s"))?;
    say(&format!("ratio: {:.2}", pages / limit))?;
    searches(emulated, contacts)
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

/// Runs a server on a thread of its own.
fn start<F>(server: impl FnOnce(TcpListener) -> F + Send + 'static) -> Outcome<SocketAddr>
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
            tell.send(listener.local_addr()?)?;
            Ok(server(listener).await?)
        })
    });
    Ok(told.recv()?)
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
    format!(
        "GET /crm/v3/objects/contacts?limit=100&after={after}&properties={PROPERTIES} HTTP/1.1\r\n\
         Host: localhost\r\nAuthorization: Bearer {DEFAULT_TOKEN}\r\n\r\n"
    )
}

/// One kept connection, asked again and again.
struct Caller(BufReader<TcpStream>);

impl Caller {
    fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::with_capacity(1 << 16, stream)))
    }

    /// Sends a request and returns the body of a 200.
    fn ask(&mut self, request: &str) -> Outcome<Vec<u8>> {
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 200") {
            return Err(line.into());
        }
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line)?;
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(body)
    }
}

/// Pages per second that a server gives to all callers together.
fn rate(server: SocketAddr, contacts: u64) -> Outcome<f64> {
    let started = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            std::thread::spawn(move || -> Outcome<u32> {
                let mut line = Caller::connect(server)?;
                let (mut pages, mut after) = (0, 101 + caller * contacts / CALLERS);
                while started.elapsed() < MEASURED {
                    line.ask(&list_request(after))?;
                    pages += 1;
                    after = (after + 170) % (contacts * 3 / 2).max(101);
                }
                Ok(pages)
            })
        })
        .collect();
    let mut pages = 0;
    for caller in callers {
        pages += caller.join().map_err(|_| "a caller panicked")??;
    }
    Ok(f64::from(pages) / started.elapsed().as_secs_f64())
}

fn searches(server: SocketAddr, contacts: u64) -> Outcome<()> {
    let mut caller = Caller::connect(server)?;
    let mut times = Vec::new();
    for at in 0..2000_u64 {
        let request = search_request(1_546_300_800_000 + at * 110_000_000, at % 40 * 200);
        let started = Instant::now();
        caller.ask(&request)?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    say(&format!(
        "search on last modification over {contacts} contacts, 200 results: p50 {:?}, p99 {:?}",
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    ))?;
    Ok(())
}

fn search_request(since: u64, offset: u64) -> String {
    let body = format!(
        r#"{{"filterGroups":[{{"filters":[{{"propertyName":"lastmodifieddate","operator":"GTE","value":"{since}"}}]}}],"sorts":[{{"propertyName":"lastmodifieddate","direction":"ASCENDING"}}],"limit":200,"after":"{offset}","properties":["email","firstname","lastname","phone","lifecyclestage"]}}"#
    );
    format!(
        "POST /crm/v3/objects/contacts/search HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {DEFAULT_TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
