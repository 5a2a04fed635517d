//! Which file, which account: the flags that many commands share.

use std::path::{Path, PathBuf};

use clap::Args;

/// The configuration file of a command that needs one.
#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// Configuration file [default: spoke.yaml]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// The file that was named.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

/// The configuration file of a command that can do without.
#[derive(Debug, Args)]
pub(crate) struct ConfigFileIfPresent {
    /// Configuration file [default: spoke.yaml, where there is one]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFileIfPresent {
    /// The file that was named.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

/// Which account a one-shot command talks to.
#[derive(Debug, Args)]
pub(crate) struct Target {
    #[command(flatten)]
    pub(crate) file: ConfigFileIfPresent,
    /// Connection of the configuration file; without a file, HUBSPOT_ACCESS_TOKEN and HUBSPOT_BASE_URL are used
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
}
