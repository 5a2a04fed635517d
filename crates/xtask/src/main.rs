//! Repository chores, without tools that a fresh machine lacks.
#![expect(clippy::print_stderr, reason = "a developer's tool that talks to a terminal")]

mod bench_write;
mod emulator;
mod guides;
mod parity;
mod peers;
mod postgres;
mod steps;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <command>

  ci      everything: lint, tests, fuzzing, documentation, parity with HubSpot's official clients, guides
  lint    formatting, clippy, tidy
  tidy    crate arrows and the words that must not appear
  parity  HubSpot's official Python and Node clients against `spoke emulate`
  guides  the programs of the guides against `spoke emulate`
  peers   three popular connectors against `spoke emulate`; installs them first
  soak    random schedules of changes, faults and crashes for a number of seconds (the argument), then runs of real
          processes behind a gateway that lies
  bench   benchmarks; arguments go to the benchmark (`--contacts 1000000`)
  bench-emulator
          the emulator over loopback beside a static file server; the argument is a number of contacts
  bench-write
          upserts into a Pro account beside a loop over HubSpot's official client; arguments are the rows for each";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let done = match command.as_str() {
        "ci" => steps::ci(),
        "lint" => steps::lint(),
        "tidy" => tidy::check(),
        "parity" => parity::check(),
        "guides" => guides::check(),
        "peers" => peers::check(),
        "soak" => steps::soak(&rest),
        "bench" => steps::bench(&rest),
        "bench-emulator" => steps::bench_emulator(&rest),
        "bench-write" => bench_write::run_it(&rest),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
