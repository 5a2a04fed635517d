//! HubSpot's official Python and Node clients against a real `spoke emulate` process.
//!
//! What this needs is a Python 3 with `venv` and a Node with `npm`; where one is missing on a Debian machine it is
//! installed, and that is said. The clients come from PyPI and npm into folders below `target/`, never into the
//! system.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::emulator::Emulator;
use crate::steps::run;

const SUITE: &str = "crates/hubspot-emulator/tests/parity";
const LOCK: &str = "package-lock.json";

/// Installs what is missing, starts the emulator on a free port and runs the suite.
pub(crate) fn check() -> Result<()> {
    let python = virtual_environment()?;
    let node = node_modules()?;
    let emulator = Emulator::start(&[])?;
    run(Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", SUITE])
        .envs(emulator.env())
        .env("PYTHONDONTWRITEBYTECODE", "1"))?;
    run(Command::new("node")
        .arg(Path::new(SUITE).join("table.mjs"))
        .arg(node)
        .envs(emulator.env()))
}

/// The interpreter of an environment with HubSpot's Python clients.
pub(crate) fn virtual_environment() -> Result<PathBuf> {
    environment_with(
        &Path::new(SUITE).join("requirements.txt"),
        Path::new("target/parity-venv"),
    )
}

/// The interpreter of an environment that has these requirements; made anew when they change.
pub(crate) fn environment_with(requirements: &Path, folder: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let wanted = std::fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let stamp = folder.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    make_environment(folder)?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--requirement"])
        .arg(requirements))?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}

fn make_environment(folder: &Path) -> Result<()> {
    let venv = || {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(folder))
    };
    eprintln!(
        "this needs packages from PyPI; they go into `{}`",
        folder.display()
    );
    if venv().is_ok() {
        return Ok(());
    }
    eprintln!("installing python3 and python3-venv with apt-get: this needs Python packages");
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get").args(["install", "-y", "-qq", "python3", "python3-venv"]))?;
    venv()
}

/// A folder with the Node client, as the lock file pins it; made anew when that changes.
pub(crate) fn node_modules() -> Result<PathBuf> {
    let folder = PathBuf::from("target/parity-node");
    let wanted = std::fs::read_to_string(Path::new(SUITE).join(LOCK)).context("cannot read the lock file")?;
    let stamp = folder.join("installed.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    install_node()?;
    std::fs::create_dir_all(&folder)?;
    for file in ["package.json", LOCK] {
        std::fs::copy(Path::new(SUITE).join(file), folder.join(file))?;
    }
    eprintln!(
        "the parity tests need HubSpot's Node client; it goes into `{}`",
        folder.display()
    );
    run(Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&folder))?;
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

fn install_node() -> Result<()> {
    let there = |name| Command::new(name).arg("--version").output().is_ok();
    if there("node") && there("npm") {
        return Ok(());
    }
    eprintln!("installing nodejs and npm with apt-get: one of the official clients is a Node package");
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get").args(["install", "-y", "-qq", "nodejs", "npm"]))
}
