//! The guides say what is true: every block of shell in them runs. Their Python and JavaScript is run by
//! `cargo xtask guides`, which has the clients.

use std::path::Path;
use std::process::Command;

use hubspot_emulator::DEFAULT_TOKEN;

use crate::support::{Portal, Workplace};

const EMULATOR: &str = include_str!("../../../../docs/guides/emulator.md");
const WRITE_BACK: &str = include_str!("../../../../docs/guides/write-back.md");

#[test]
fn every_command_of_the_emulators_guide_works() {
    let portal = Portal::with_contacts(100);
    let blocks = blocks(EMULATOR, "sh");
    assert!(blocks.len() >= 7, "the guide has commands");
    for block in blocks {
        must_print(&shell(&portal, block), block);
    }
}

#[test]
fn every_file_of_the_guides_is_valid() {
    let connections = blocks(include_str!("../../../../docs/guides/connections.md"), "yaml");
    let syncing = blocks(include_str!("../../../../docs/guides/sync.md"), "yaml");
    let writing = blocks(WRITE_BACK, "yaml");
    let catalog = blocks(include_str!("../../../../docs/guides/catalog.md"), "yaml");
    assert!(
        connections.len() >= 5 && !syncing.is_empty() && !catalog.is_empty(),
        "the guides have files"
    );
    for file in connections
        .into_iter()
        .chain(syncing)
        .chain(writing)
        .chain(catalog)
    {
        let workplace = Workplace::new();
        workplace.write("spoke.yaml", file);
        workplace.run(&["config", "validate"]).ok();
        let shown = workplace.run(&["config", "show"]).ok().stdout;
        workplace.write("spoke.yaml", &shown);
        workplace.run(&["config", "validate"]).ok();
    }
}

#[test]
fn the_job_for_github_actions_starts_a_local_hubspot() {
    let portal = Portal::with_contacts(0);
    let (_, step) = EMULATOR
        .split_once("        run: |\n")
        .expect("the job has a script");
    let lines = step.lines().map_while(|line| line.strip_prefix("          "));
    let script = lines.collect::<Vec<_>>().join("\n");
    assert!(
        script.contains("spoke emulate") && script.contains("GITHUB_ENV"),
        "{script}"
    );
    // What the job leaves running ends with the job.
    let script = format!("trap 'kill $!' EXIT\nGITHUB_ENV=set.env\n{script}\ncat set.env");
    let output = shell(&portal, &script);
    must_print(&output, &script);
    assert!(String::from_utf8_lossy(&output.stdout).contains("URL=http://127.0.0.1:"));
}

#[test]
fn the_commands_of_the_guides_to_audits_and_costs_work_one_after_the_other() {
    let portal = Portal::with_contacts(100);
    let audit = include_str!("../../../../docs/guides/audit.md");
    let sync = include_str!("../../../../docs/guides/sync.md");
    let blocks: Vec<_> = [audit, sync]
        .into_iter()
        .flat_map(|guide| blocks(guide, "sh"))
        .collect();
    assert!(blocks.len() >= 5, "the guides have commands");
    let script = format!(
        "export HUBSPOT_ACCESS_TOKEN={DEFAULT_TOKEN}\n{}",
        blocks.join("\n")
    );
    let output = shell(&portal, &script);
    must_print(&output, &script);
    let printed = String::from_utf8_lossy(&output.stdout);
    for text in [
        "contacts                 complete and right: 99 of 99",
        "1 missing, 3 differ, 1 should be gone",
        "it differs",
        "all of them are right",
        "CALLS A DAY AFTER",
    ] {
        assert!(printed.contains(text), "{text:?} is not in: {printed}");
    }
}

#[test]
fn the_commands_of_the_guide_to_the_catalog_work_one_after_the_other() {
    let portal = Portal::with_contacts(100);
    let guide = include_str!("../../../../docs/guides/catalog.md");
    let script = format!(
        "export HUBSPOT_ACCESS_TOKEN={DEFAULT_TOKEN} HUBSPOT_BASE_URL=$URL\n{}",
        blocks(guide, "sh").join("\n")
    );
    let output = shell(&portal, &script);
    must_print(&output, &script);
    let printed = String::from_utf8_lossy(&output.stdout);
    for text in [
        "crm.objects.deals.write",
        "marketingqualifiedlead",
        "Fresh bread",
        "`shoe_size` was made: number (number), group contactinformation",
        "Managed by",
        "2 pairs are associated",
        "what is left is contacts ",
        "contact 105 was erased",
        "stages[].metadata",
        "Visited the fair",
    ] {
        assert!(printed.contains(text), "{text:?} is not in: {printed}");
    }
}

#[test]
fn the_first_source_of_the_guide_to_writing_works_without_an_account() {
    let portal = Portal::with_contacts(0);
    let first = blocks(WRITE_BACK, "sh").remove(0);
    let output = shell(&portal, first);
    must_print(&output, first);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        printed.contains("2 written") && printed.contains("1 written"),
        "{printed}"
    );
}

#[test]
fn the_commands_that_write_into_hubspot_work_one_after_the_other() {
    let portal = Portal::with_contacts(0);
    let blocks = blocks(WRITE_BACK, "sh").split_off(1);
    let script = format!(
        "export HUBSPOT_ACCESS_TOKEN={DEFAULT_TOKEN} HUBSPOT_BASE_URL=$URL\n{}",
        blocks.join("\n")
    );
    let output = shell(&portal, &script);
    must_print(&output, &script);
    let printed = String::from_utf8_lossy(&output.stdout);
    for text in [
        "2 written, 1 rejected, see the dead letters",
        "London",
        "city: Paris",
        "line 2: update",
        "city: Oslo",
        "archived",
    ] {
        assert!(printed.contains(text), "{text:?} is not in: {printed}");
    }
    assert_eq!(portal.live("contacts").len(), 3);
}

#[test]
fn every_command_of_the_guide_to_queries_works() {
    let portal = Portal::with_contacts(100);
    let blocks = blocks(include_str!("../../../../docs/guides/query.md"), "sh");
    assert!(blocks.len() >= 5, "the guide has commands");
    let environment = blocks[0];
    for block in &blocks {
        let script = format!("{environment}\n{block}");
        must_print(&shell(&portal, &script), &script);
    }
}

/// What stands in the blocks of a language.
fn blocks<'a>(guide: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    let rest = guide.split(&*begin).skip(1);
    rest.filter_map(|rest| rest.split("```").next()).collect()
}

fn must_print(output: &std::process::Output, script: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{script}\nended with {}: {text}",
        output.status
    );
    assert!(!output.stdout.is_empty(), "{script}\nprinted nothing");
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
