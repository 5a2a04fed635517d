//! Real processes behind a gateway that lies, stopped at random by every signal that a process can get: the copy is
//! HubSpot's in the end.
//!
//! `SPOKE_SOAK_RUNS=16` sets the number of runs, `SPOKE_SEED=17` replays the first of them.

use std::process::{Child, Command};
use std::time::Duration;

use serde_json::json;

use crate::support::changing::{Draw, STREAMS, assert_is_hubspots, change, portal, seed_of_now};
use crate::support::liar::Liar;
use crate::support::{Workplace, setting};

/// How many times a process is started in one run.
const STARTS: u64 = 10;

#[test]
#[expect(clippy::print_stdout, reason = "a test that draws says how to repeat it")]
fn a_copy_through_a_lying_gateway_is_hubspots_in_the_end() {
    let runs = setting("SPOKE_SOAK_RUNS").unwrap_or(1);
    let first = setting("SPOKE_SEED").unwrap_or_else(seed_of_now);
    for seed in first..first + runs {
        println!("replay: SPOKE_SEED={seed} cargo test -p spoke --test it soak::");
        let lies = soak(seed);
        println!("{lies} lies");
    }
}

fn soak(seed: u64) -> u64 {
    let mut draw = Draw(seed);
    let portal = portal(&[
        &format!("--seed={}", seed % 1_000),
        &format!("--search-lag={}ms", draw.below(1_500)),
    ]);
    let liar = Liar::before(&portal.url, seed);
    let workplace = Workplace::syncing(&liar.url, STREAMS);
    for _ in 0..STARTS {
        change(&portal, &mut draw);
        let mut process = workplace.start(&["sync"]);
        for _ in 0..draw.below(3) {
            std::thread::sleep(Duration::from_millis(200 + draw.below(1_500)));
            change(&portal, &mut draw);
        }
        std::thread::sleep(Duration::from_millis(draw.below(1_500)));
        stop(&mut process, &mut draw);
    }
    liar.be_honest();
    // Everything is due again, without anybody waiting for it.
    portal.post("/_emulator/clock", &json!({"advance": "1h"}));
    workplace.run(&["sync", "--once"]).ok();
    assert_is_hubspots(&workplace.path("hubspot.db"), &portal);
    liar.lies()
}

/// Ends a process by a signal that is drawn; it may have been stopped and continued before.
fn stop(process: &mut Child, draw: &mut Draw) {
    if draw.below(4) == 0 {
        signal(process, "STOP");
        std::thread::sleep(Duration::from_millis(draw.below(1_500)));
        signal(process, "CONT");
    }
    let name: &&str = draw.one_of(&["KILL", "TERM", "INT"]);
    signal(process, name);
    process.wait().expect("it ends");
}

fn signal(process: &Child, name: &str) {
    let id = process.id().to_string();
    // A process that has ended by itself needs no signal.
    drop(Command::new("kill").args(["-s", name, &id]).status());
}
