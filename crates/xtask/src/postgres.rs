//! The PostgreSQL that tests start servers of. Its package brings a cluster of its own on Debian, which is left alone:
//! the tests make theirs in a temporary folder.

use std::process::Command;

use anyhow::Result;

use crate::steps::run;

/// Installs the package when there is no server to start. The tests fail without one.
pub(crate) fn install() -> Result<()> {
    if is_there() {
        return Ok(());
    }
    eprintln!("installing postgresql with apt-get: tests read from a real server");
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get").args(["install", "-y", "-qq", "postgresql"]))
}

/// In the path, or where Debian keeps the programs of each version.
fn is_there() -> bool {
    let in_path = Command::new("initdb").arg("--version").output().is_ok();
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders = versions.map(|version| version.path());
    in_path || folders.any(|folder| folder.join("bin/initdb").exists())
}
