//! A real `spoke emulate` process for the suites that talk to one.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::steps::{run, target_folder};

const TOKEN: &str = "pat-na1-00000000-0000-4000-8000-000000000000";

/// A running `spoke emulate`, killed when dropped.
pub(crate) struct Emulator {
    process: Child,
    url: String,
}

impl Emulator {
    /// Builds `spoke` and starts it on a free port, with further arguments.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        run(Command::new("cargo").args(["build", "--package", "spoke"]))?;
        let mut process = Command::new(target_folder().join("debug/spoke"))
            .args(["emulate", "--listen", "127.0.0.1:0"])
            .args(["--tier", "unlimited", "--token", TOKEN])
            .args(arguments)
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

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where it is and what it lets in, as the suites read it.
    pub(crate) fn env(&self) -> [(&'static str, &str); 2] {
        [("SPOKE_EMULATOR_URL", &self.url), ("SPOKE_EMULATOR_TOKEN", TOKEN)]
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
