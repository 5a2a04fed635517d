//! Trouble with the file that is written to.

use std::process::Command;

use crate::support::copy::assert_equals_truth;
use crate::support::{Portal, Workplace};

#[test]
fn a_locked_database_is_named_and_nothing_is_lost() {
    let portal = Portal::with_contacts(300);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let database = workplace.path("hubspot.db");
    workplace.run(&["sync", "--once"]).ok();
    let lock = rusqlite::Connection::open(&database).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    workplace
        .run(&["sync", "--once"])
        .fails(1, &["hubspot.db", "another program is writing to it", "hint:"]);
    drop(lock);
    workplace.run(&["sync", "--once"]).ok();
    assert_equals_truth(&database, &portal, "contacts");
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let workplace = Workplace::syncing("http://127.0.0.1:9", "[contacts]");
    let precious = "this is a letter to my grandmother, not a database\n".repeat(100);
    workplace.write("hubspot.db", &precious);
    workplace
        .run(&["sync", "--once"])
        .fails(1, &["hubspot.db", "it is not an SQLite database"]);
    assert_eq!(
        std::fs::read_to_string(workplace.path("hubspot.db")).unwrap(),
        precious
    );
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let portal = Portal::with_contacts(10);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace.run(&["sync", "--once"]).ok();
    let connection = rusqlite::Connection::open(workplace.path("hubspot.db")).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    drop(connection);
    workplace
        .run(&["sync", "--once"])
        .fails(1, &["hubspot.db", "newer", "hint:"]);
}

#[test]
fn a_missing_folder_is_named() {
    let portal = Portal::with_contacts(10);
    let workplace =
        Workplace::with_destination(&portal.url, "[contacts]", "sqlite: {path: no/such/hubspot.db}");
    let ended = workplace.run(&["sync", "--once"]);
    assert_ne!(ended.code, 0);
    assert!(
        ended.stderr.contains("no/such") && ended.stderr.contains("hint:"),
        "{}",
        ended.stderr
    );
}

/// A read-only mount binds root as well, which permission bits would not.
#[test]
fn a_read_only_database_is_named() {
    let portal = Portal::with_contacts(10);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace.run(&["sync", "--once"]).ok();
    let script = "mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\" && \"$SPOKE\" sync --once";
    let output = in_own_mounts(&workplace, script);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{text}");
    assert!(
        text.contains(".db") && text.contains("read-only") && text.contains("hint:"),
        "{text}"
    );
}

#[test]
fn a_full_disk_loses_nothing() {
    let portal = Portal::with_contacts(4_000);
    let destination = "sqlite: {path: small/hubspot.db}";
    let workplace = Workplace::with_destination(&portal.url, "[contacts]", destination);
    std::fs::create_dir(workplace.path("small")).unwrap();
    // Too small for the copy; the second run, with room, has to finish what the first began.
    let script = "mount -t tmpfs -o size=3m tmpfs small
        if \"$SPOKE\" sync --once; then echo 'the disk was not full' >&2; exit 9; fi
        mount -o remount,size=200m small
        \"$SPOKE\" sync --once || exit 8
        cp small/hubspot.db copy.db";
    let output = in_own_mounts(&workplace, script);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
    assert!(
        text.contains("full") && text.contains("small/hubspot.db"),
        "{text}"
    );
    assert_equals_truth(&workplace.path("copy.db"), &portal, "contacts");
}

/// Runs a script in a mount namespace of its own, so that what it mounts is gone with it.
fn in_own_mounts(workplace: &Workplace, script: &str) -> std::process::Output {
    let program = workplace.command(&[]);
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .current_dir(workplace.folder());
    command
        .env("SPOKE", program.get_program())
        .env("HUBSPOT_ACCESS_TOKEN", hubspot_emulator::DEFAULT_TOKEN);
    command.output().expect("`unshare` runs (util-linux)")
}
