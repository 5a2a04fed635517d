//! Killed again and again while it follows an account that changes: the copy is HubSpot's in the end, gone records
//! included.
//!
//! `SPOKE_KILLS=200` sets the number of kills, `SPOKE_SEED=17` replays their moments and the changes.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::support::changing::{Draw, STREAMS, assert_is_hubspots, change, portal, seed_of_now};
use crate::support::spoke::wait_for;
use crate::support::{Workplace, setting};

/// How many kills a plain `cargo test` makes; CI makes more.
const A_FEW: u64 = 25;

#[test]
#[expect(clippy::print_stdout, reason = "a test that draws says how to repeat it")]
fn killed_while_it_follows_the_copy_is_hubspots_in_the_end() {
    let kills = setting("SPOKE_KILLS").unwrap_or(A_FEW);
    let seed = setting("SPOKE_SEED").unwrap_or_else(seed_of_now);
    println!("replay: SPOKE_SEED={seed} SPOKE_KILLS={kills} cargo test -p spoke --test it killed_while");
    let mut draw = Draw(seed);
    let portal = portal(&[]);
    let workplace = Workplace::syncing(&portal.url, STREAMS);
    let database = workplace.path("hubspot.db");
    let mut written = 0;
    for _ in 0..kills {
        change(&portal, &mut draw);
        let mut process = workplace.start(&["sync"]);
        written = wait_for(&mut process, || {
            Some(checkpoint(&database)).filter(|number| *number > written)
        });
        if draw.below(2) == 0 {
            change(&portal, &mut draw);
        }
        std::thread::sleep(Duration::from_millis(draw.below(400)));
        process.kill().expect("SIGKILL");
        process.wait().expect("it is gone");
    }
    // Everything is due again, without anybody waiting for it.
    portal.post("/_emulator/clock", &json!({"advance": "1h"}));
    workplace.run(&["sync", "--once"]).ok();
    assert_is_hubspots(&database, &portal);
}

/// The number of the last checkpoint, 0 before the first.
fn checkpoint(database: &Path) -> i64 {
    if !database.exists() {
        return 0;
    }
    let newest = crate::support::copy::open(database).query_row(
        "SELECT max(sequence) FROM _spoke_checkpoints",
        [],
        |row| row.get::<_, Option<i64>>(0),
    );
    newest.ok().flatten().unwrap_or_default()
}
