//! Popular connectors against a real `spoke emulate` process: they must list and read every stream.
//!
//! Each is installed from PyPI into a folder of its own below `target/`: their dependencies do not go together.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::emulator::Emulator;
use crate::parity::environment_with;
use crate::steps::run;

const SUITE: &str = "crates/hubspot-emulator/tests/peers";

/// Installs the connectors, starts the emulator on a free port and runs them one after the other.
pub(crate) fn check() -> Result<()> {
    let airbyte = environment("airbyte")?;
    let meltano = environment("meltano")?;
    let singer = environment("singer")?;
    let emulator = Emulator::start(&["--contacts", "1000", "--clean"])?;
    run(Command::new("python3")
        .arg(Path::new(SUITE).join("peers.py"))
        .args([airbyte, meltano, singer])
        .envs(emulator.env()))
}

/// The folder of a connector's virtual environment.
fn environment(name: &str) -> Result<String> {
    let folder = format!("target/peers-{name}");
    let requirements = Path::new(SUITE).join(format!("requirements-{name}.txt"));
    environment_with(&requirements, Path::new(&folder))?;
    Ok(folder)
}
