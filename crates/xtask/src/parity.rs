//! HubSpot's official Python clients against a real `spoke emulate` process.
//!
//! What this needs is a Python 3 with `venv`; where it is missing on a Debian machine it is installed, and
//! that is said. The clients come from PyPI into a virtual environment below `target/`, never into the
//! system.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::steps::run;

const SUITE: &str = "crates/hubspot-emulator/tests/parity";
const TOKEN: &str = "pat-na1-00000000-0000-4000-8000-000000000000";

/// Installs what is missing, starts the emulator on a free port and runs the suite.
pub(crate) fn check() -> Result<()> {
    let python = virtual_environment()?;
    run(Command::new("cargo").args(["build", "--package", "spoke"]))?;
    let emulator = Emulator::start()?;
    run(Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", SUITE])
        .env("SPOKE_EMULATOR_URL", &emulator.url)
        .env("SPOKE_EMULATOR_TOKEN", TOKEN)
        .env("PYTHONDONTWRITEBYTECODE", "1"))
}

/// The interpreter of an environment that has the suite's requirements; made anew when they change.
fn virtual_environment() -> Result<PathBuf> {
    let folder = PathBuf::from("target/parity-venv");
    let python = folder.join("bin/python");
    let requirements = Path::new(SUITE).join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).context("cannot read the suite's requirements")?;
    let stamp = folder.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    make_environment(&folder)?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--requirement"])
        .arg(&requirements))?;
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
        "the parity tests need HubSpot's Python clients; they go into `{}`",
        folder.display()
    );
    if venv().is_ok() {
        return Ok(());
    }
    eprintln!("installing python3 and python3-venv with apt-get: the official clients are Python packages");
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get").args(["install", "-y", "-qq", "python3", "python3-venv"]))?;
    venv()
}

/// A running `spoke emulate`, killed when dropped.
struct Emulator {
    process: Child,
    url: String,
}

impl Emulator {
    fn start() -> Result<Self> {
        let mut process = Command::new(target_folder().join("debug/spoke"))
            .args([
                "emulate",
                "--listen",
                "127.0.0.1:0",
                "--tier",
                "unlimited",
                "--token",
                TOKEN,
            ])
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start `spoke emulate`")?;
        let stdout = process.stdout.take().context("the emulator has no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        match line.trim().strip_prefix("listening on ") {
            Some(url) => Ok(Self {
                process,
                url: url.to_owned(),
            }),
            None => bail!("`spoke emulate` printed {line:?} instead of where it listens"),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}
