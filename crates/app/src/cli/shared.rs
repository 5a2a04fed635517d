//! Flags that commands of several areas share.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Target;

/// Instead of flags, or with flags on top: a file.
#[derive(Debug, Args)]
pub(crate) struct FromFile {
    /// Read it from a file of JSON or YAML; `-` is standard input. Flags go before what the file says
    #[arg(long, value_name = "FILE|-")]
    from: Option<PathBuf>,
}

impl FromFile {
    /// The file that was named.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.from.as_deref()
    }
}

/// For what takes something away.
#[derive(Debug, Args)]
pub(crate) struct Confirmed {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Whom to ask, and how to print the answer.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
