//! Measures an emulator of many contacts: `cargo run --release -p hubspot-emulator --example measure -- [CONTACTS]`.
//! Prints start time, memory, pages per second on one core, and search times.

use std::io::Write;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::Request;
use hubspot_emulator::{Counts, DEFAULT_TOKEN, Emulator, Options, Tier};
use tower::ServiceExt;

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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let contacts: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let counts = Counts {
        contacts,
        companies: contacts / 5,
        deals: contacts / 10,
        ..Counts::default()
    };
    let before = resident_mib();
    let started = Instant::now();
    let emulator = Emulator::new(Options {
        counts,
        tier: Tier::Unlimited,
        ..Options::default()
    });
    say(&format!(
        "start: {:.2} s for {contacts} contacts ({:.2} s of processor time on all threads)",
        started.elapsed().as_secs_f64(),
        cpu_seconds()
    ))?;
    say(&format!(
        "memory: {} MiB resident ({} before)",
        resident_mib(),
        before
    ))?;
    let router = emulator.router();
    lists(&router, contacts).await?;
    searches(&router).await?;
    say(&format!("memory at the end: {} MiB", resident_mib()))?;
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    kib / 1024
}

/// Processor time of this process so far; the kernel counts hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
    let ticks: u32 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    f64::from(ticks) / 100.0
}

async fn send(router: &Router, request: Request<Body>) -> Result<bytes::Bytes, Box<dyn std::error::Error>> {
    let response = router.clone().oneshot(request).await?;
    if !response.status().is_success() {
        return Err(format!("status {}", response.status()).into());
    }
    Ok(axum::body::to_bytes(response.into_body(), usize::MAX).await?)
}

async fn lists(router: &Router, contacts: u64) -> Result<(), Box<dyn std::error::Error>> {
    let (mut pages, mut bytes, mut after) = (0_u64, 0_usize, 101_u64);
    let started = Instant::now();
    let cpu = cpu_seconds();
    while started.elapsed() < Duration::from_secs(5) {
        let uri = format!("/crm/v3/objects/contacts?limit=100&after={after}&properties={PROPERTIES}");
        let request = Request::get(uri)
            .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
            .body(Body::empty())?;
        bytes += send(router, request).await?.len();
        pages += 1;
        after = (after + 170) % (contacts * 3 / 2).max(101);
    }
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let pages_made = f64::from(u32::try_from(pages)?);
    say(&format!(
        "lists: {:.0} pages/s ({:.0} per second of processor time) of 100 contacts with 60 properties asked for, {} KiB a page, in process",
        pages_made / seconds,
        pages_made / cpu,
        bytes as u64 / pages / 1024
    ))?;
    Ok(())
}

async fn searches(router: &Router) -> Result<(), Box<dyn std::error::Error>> {
    let mut times = Vec::new();
    for at in 0..2000_u64 {
        let since = 1_546_300_800_000 + at * 110_000_000;
        let body = format!(
            r#"{{"filterGroups":[{{"filters":[{{"propertyName":"lastmodifieddate","operator":"GTE","value":"{since}"}}]}}],
            "sorts":[{{"propertyName":"lastmodifieddate","direction":"ASCENDING"}}],"limit":200,"after":"{}",
            "properties":["email","firstname","lastname","phone","lifecyclestage"]}}"#,
            at % 40 * 200
        );
        let request = Request::post("/crm/v3/objects/contacts/search")
            .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
            .header("content-type", "application/json")
            .body(Body::from(body))?;
        let started = Instant::now();
        send(router, request).await?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    say(&format!(
        "searches on last modification: median {:?}, p99 {:?}",
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    ))?;
    Ok(())
}
