//! The steps of `ci`, each a command that is printed before it runs.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{guides, parity, postgres, tidy};

/// Everything a change must pass.
pub(crate) fn ci() -> Result<()> {
    lint()?;
    postgres::install()?;
    let thorough: Vec<_> = THOROUGH
        .iter()
        .map(|(name, usual)| (*name, setting(name, usual)))
        .collect();
    let thorough: Vec<_> = thorough.iter().map(|(name, value)| (*name, &**value)).collect();
    cargo_with(&["test", "--workspace", "--all-features"], &thorough)?;
    cargo_with(
        &["doc", "--workspace", "--no-deps", "--quiet"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    parity::check()?;
    guides::check()
}

/// What the tests do more of here than in a plain `cargo test`.
const THOROUGH: [(&str, &str); 6] = [
    // How long the emulator is fuzzed.
    ("SPOKE_FUZZ_SECONDS", "60"),
    // How many random schedules of changes and faults the copy must survive.
    ("SPOKE_SCHEDULES", "300"),
    // How often `spoke sync` is killed while it follows.
    ("SPOKE_KILLS", "200"),
    // How many records change within one millisecond.
    ("SPOKE_STRESS", "25000"),
    // How many random questions are asked of HubSpot and of a copy.
    ("SPOKE_QUERIES", "10000"),
    // How many rows a first copy has that ends half-way.
    ("SPOKE_ROWS", "100000"),
];

/// Whoever sets a variable decides.
fn setting(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.to_owned())
}

/// Random schedules for so many seconds, each other than those before; then runs of real processes behind a gateway that
/// lies.
pub(crate) fn soak(arguments: &[String]) -> Result<()> {
    let seconds = arguments.first().map_or("600", String::as_str);
    seconds
        .parse::<u64>()
        .with_context(|| format!("`{seconds}` is no number of seconds"))?;
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    cargo_with(
        &[
            "test",
            "--package",
            "hubspot-connector",
            "--test",
            "it",
            "--",
            "--nocapture",
            "convergence",
        ],
        &[("SPOKE_SOAK", seconds), ("SPOKE_FIRST_SEED", &seed.to_string())],
    )?;
    cargo_with(
        &[
            "test",
            "--package",
            "spoke",
            "--test",
            "it",
            "--",
            "--nocapture",
            "soak::",
        ],
        &[
            ("SPOKE_SOAK_RUNS", &setting("SPOKE_SOAK_RUNS", "16")),
            ("SPOKE_SEED", &seed.to_string()),
        ],
    )
}

/// What needs no test to see. A toolchain without rustfmt or clippy cannot check these; that is said, not
/// hidden.
pub(crate) fn lint() -> Result<()> {
    if has_component("fmt") {
        cargo(&["fmt", "--all", "--", "--check"])?;
    }
    if has_component("clippy") {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ])?;
    }
    tidy::check()
}

/// Runs the benchmark in release mode, its arguments passed on.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    cargo(&["build", "--release", "--package", "spoke"])?;
    let mut all = vec!["bench", "--package", "spoke", "--bench", "sync", "--"];
    all.extend(arguments.iter().map(String::as_str));
    cargo(&all)
}

/// Measures the emulator over loopback in release mode; an argument is the number of contacts.
pub(crate) fn bench_emulator(arguments: &[String]) -> Result<()> {
    let mut all = vec![
        "run",
        "--release",
        "--package",
        "hubspot-emulator",
        "--example",
        "bench_http",
        "--",
    ];
    all.extend(arguments.iter().map(String::as_str));
    cargo(&all)
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

fn has_component(name: &str) -> bool {
    let found = Command::new("cargo")
        .args([name, "--version"])
        .output()
        .is_ok_and(|out| out.status.success());
    if !found {
        eprintln!("note: `cargo {name}` is not installed, so that check is left out");
    }
    found
}

fn cargo(arguments: &[&str]) -> Result<()> {
    cargo_with(arguments, &[])
}

fn cargo_with(arguments: &[&str], env: &[(&str, &str)]) -> Result<()> {
    run(Command::new("cargo").args(arguments).envs(env.iter().copied()))
}

/// Prints a command, runs it, and fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("+ {command:?}");
    let status = command
        .status()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
