//! The steps of `ci`, each a command that is printed before it runs.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{guides, parity, tidy};

/// Everything a change must pass.
pub(crate) fn ci() -> Result<()> {
    lint()?;
    cargo_with(
        &["test", "--workspace", "--all-features"],
        &[(FUZZ_SECONDS, &fuzz_seconds())],
    )?;
    cargo_with(
        &["doc", "--workspace", "--no-deps", "--quiet"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    parity::check()?;
    guides::check()
}

/// How long the emulator is fuzzed; whoever sets it decides.
const FUZZ_SECONDS: &str = "SPOKE_FUZZ_SECONDS";

fn fuzz_seconds() -> String {
    std::env::var(FUZZ_SECONDS).unwrap_or_else(|_| "60".to_owned())
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
