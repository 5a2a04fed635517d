//! The guides say what is true: every block of shell in them runs.

use std::path::Path;
use std::process::Command;

use crate::support::{Portal, Workplace};

#[test]
fn every_command_of_the_emulators_guide_works() {
    let guide = include_str!("../../../../docs/guides/emulator.md");
    let portal = Portal::with_contacts(100);
    let blocks: Vec<_> = guide
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(blocks.len() >= 5, "the guide has commands");
    for block in blocks {
        let output = shell(&portal, block);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{block}\nended with {}: {text}",
            output.status
        );
        assert!(!output.stdout.is_empty(), "{block}\nprinted nothing");
    }
}

#[test]
fn every_file_of_the_guide_to_connections_is_valid() {
    let guide = include_str!("../../../../docs/guides/connections.md");
    let files: Vec<_> = guide
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(files.len() >= 5, "the guide has files");
    for file in files {
        let workplace = Workplace::new();
        workplace.write("spoke.yaml", file);
        workplace.run(&["config", "validate"]).ok();
        let shown = workplace.run(&["config", "show"]).ok().stdout;
        workplace.write("spoke.yaml", &shown);
        workplace.run(&["config", "validate"]).ok();
    }
}

/// A shell that finds `spoke` and knows where the portal is.
fn shell(portal: &Portal, script: &str) -> std::process::Output {
    let workplace = Workplace::new();
    let programs = Path::new(env!("CARGO_BIN_EXE_spoke"))
        .parent()
        .expect("the binary is in a folder");
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut command = Command::new("sh");
    command
        .args(["-eu", "-c", script])
        .current_dir(workplace.folder())
        .env("URL", &portal.url)
        .env("PATH", path);
    command.output().expect("a shell runs")
}
