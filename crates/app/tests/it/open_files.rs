//! Many pipelines in one process, and few files that it may open.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::{Portal, Workplace};

/// A workplace with so many pipelines of one portal, and the program run there by a shell after `limit`.
fn limited(portal: &Portal, pipelines: usize, limit: &str) -> (std::process::Output, Workplace) {
    let workplace = Workplace::new();
    let one = |n: usize| {
        format!(
            "  p{n}: {{source: {{hubspot: {{connection: prod, streams: [contacts]}}}}, \
             destination: {{sqlite: {{path: p{n}.db}}}}}}\n"
        )
    };
    let all: String = (0..pipelines).map(one).collect();
    workplace.write(
        "spoke.yaml",
        &format!(
            "version: 1\nconnections:\n  prod: {{access_token: env:HUBSPOT_ACCESS_TOKEN, base_url: {:?}}}\n\
             state: {{sqlite: {{path: state.db}}}}\npipelines:\n{all}",
            portal.url
        ),
    );
    let script = format!(
        "{limit}; exec timeout -s INT 8 {:?} sync",
        env!("CARGO_BIN_EXE_spoke")
    );
    let ran = Command::new("sh")
        .args(["-c", &script])
        .current_dir(workplace.path("."))
        .env("HUBSPOT_ACCESS_TOKEN", hubspot_emulator::DEFAULT_TOKEN)
        .output()
        .unwrap();
    (ran, workplace)
}

#[test]
fn the_soft_limit_is_raised_at_the_start() {
    let portal = Portal::with_contacts(10);
    let (ran, workplace) = limited(&portal, 12, "ulimit -Sn 48");
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(!told.contains("error:"), "{told}");
    for n in 0..12 {
        assert!(workplace.path(&format!("p{n}.db")).exists(), "{told}");
    }
}

#[test]
fn too_many_open_files_are_named_and_make_the_exit_code() {
    let portal = Portal::with_contacts(10);
    let (ran, _workplace) = limited(&portal, 24, "ulimit -n 48");
    let told = String::from_utf8_lossy(&ran.stderr).to_lowercase();
    assert!(
        told.contains("too many open files") && told.contains("ulimit -n"),
        "{told}"
    );
    assert!(told.contains("ended with an error"), "{told}");
    assert_ne!(ran.status.code(), Some(0));
}

#[test]
fn what_is_made_is_its_owners_alone() {
    let portal = Portal::with_contacts(10);
    for destination in ["sqlite: {path: hubspot.db}", "ndjson: {dir: records}"] {
        let workplace = Workplace::with_destination(&portal.url, "[contacts]", destination);
        workplace.run(&["sync", "--once"]).ok();
        let mut files = vec!["state.db"];
        files.extend(match destination.starts_with("sqlite") {
            true => &["hubspot.db"][..],
            false => &["records/contacts.ndjson", "records/_spoke_checkpoint.json"][..],
        });
        for file in files {
            let mode = std::fs::metadata(workplace.path(file))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
}
