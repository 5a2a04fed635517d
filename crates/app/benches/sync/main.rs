//! How fast `spoke sync` takes a snapshot, and how near that is to what the machine can do.
//!
//! Everything runs as a stranger would run it: a real `spoke emulate` process, a real `spoke sync --once`
//! process. Beside it, in the same run, two bare loops over the same data: one that only downloads and parses the
//! pages, one that only writes the rows into SQLite. The slower of the two is the physical limit, and the figure
//! to look at is the ratio to it: the machines are shared and noisy, absolute numbers mean little.
//!
//! `cargo xtask bench [--contacts N] [--tier TIER]`
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark talks to a terminal"
)]

mod download;
mod process;
mod write;

use std::path::Path;
use std::time::Duration;

use process::{Emulator, Measured};

/// A run of the benchmark as the command line asks for it.
struct Plan {
    contacts: u64,
    tier: String,
}

fn main() {
    let plan = Plan::from_arguments();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let emulator = Emulator::start(plan.contacts, &plan.tier);
    eprintln!(
        "emulator: {} contacts ready in {:.1} s",
        plan.contacts,
        emulator.started_in.as_secs_f64()
    );

    let database = folder.path().join("hubspot.db");
    let sync = process::sync(&emulator, folder.path(), &database);
    let requests = emulator.requests();
    println!(
        "spoke sync --once, {} contacts and their companies, --tier {}",
        plan.contacts, plan.tier
    );
    report(&plan, &sync, &requests, &database);
    if plan.tier == "unlimited" {
        limits(&emulator, &sync, &database, folder.path());
    }
}

impl Plan {
    fn from_arguments() -> Self {
        let mut plan = Self {
            contacts: 100_000,
            tier: "unlimited".to_owned(),
        };
        let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(flag) = arguments.next() {
            let value = arguments.next().unwrap_or_else(|| panic!("{flag} wants a value"));
            match flag.as_str() {
                "--contacts" => plan.contacts = value.parse().expect("--contacts wants a number"),
                "--tier" => plan.tier = value,
                _ => panic!("unknown flag {flag}; known: --contacts N, --tier TIER"),
            }
        }
        plan
    }
}

fn report(plan: &Plan, sync: &Measured, requests: &process::Requests, database: &Path) {
    let rows = write::count_rows(database, "contacts");
    let calls = requests.of_contacts;
    println!("  contacts in the table  {rows}");
    println!(
        "  calls, contacts stream {calls} (allowed: N/100 + 20 = {})",
        plan.contacts / 100 + 20
    );
    println!("  calls, all streams     {}", requests.total);
    println!("  answers with 429       {}", requests.rate_limited);
    println!("  most calls in a second {}", requests.max_per_second);
    println!(
        "  records/s, all streams {:.0}",
        per_second(write::count_all(database), sync.elapsed)
    );
    println!("  contacts/s             {:.0}", per_second(rows, sync.elapsed));
    println!(
        "  peak memory            {:.1} MiB (allowed: 96)",
        mebibytes(sync.peak_bytes)
    );
}

/// The bare loops over the contacts, and the ratio.
fn limits(emulator: &Emulator, sync: &Measured, database: &Path, folder: &Path) {
    let download = download::contacts_and_companies(emulator);
    let write = write::same_rows(database, &folder.join("bare.db"));
    let slower = download.max(write);
    println!("only download and parse  {:.2} s", download.as_secs_f64());
    println!("only write into SQLite   {:.2} s", write.as_secs_f64());
    println!("spoke sync               {:.2} s", sync.elapsed.as_secs_f64());
    println!(
        "ratio to the limit       {:.2} (aim: 0.70)",
        slower.as_secs_f64() / sync.elapsed.as_secs_f64()
    );
}

#[expect(clippy::cast_precision_loss, reason = "figures for a person")]
fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "figures for a person")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
