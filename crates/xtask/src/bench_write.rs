//! Writing back, measured beside a loop over HubSpot's official client.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::parity::virtual_environment;
use crate::steps::{run, target_folder};

const SCRIPT: &str = "crates/app/benches/write_back/compare.py";

/// Arguments: rows for `spoke upsert` (100,000), and for the loop (1,000), which takes as long as a hundred times more.
pub(crate) fn run_it(arguments: &[String]) -> Result<()> {
    run(Command::new("cargo").args(["build", "--release", "--package", "spoke"]))?;
    let python = virtual_environment()?;
    let rows = |n: usize, usual: &str| arguments.get(n).cloned().unwrap_or_else(|| usual.to_owned());
    let spoke = std::path::absolute(target_folder().join("release/spoke"))?;
    run(Command::new(python)
        .arg(Path::new(SCRIPT))
        .arg(spoke)
        .args([rows(0, "100000"), rows(1, "1000")]))
}
