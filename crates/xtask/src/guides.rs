//! The programs of the guides against a real `spoke emulate` process, with the clients of the parity suite. The
//! guides' shell needs no client: a test of the app runs it.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::emulator::Emulator;
use crate::parity::{node_modules, virtual_environment};
use crate::steps::run;

const GUIDE: &str = "docs/guides/emulator.md";

/// Runs every fenced block of Python and JavaScript as it stands.
pub(crate) fn check() -> Result<()> {
    let python = virtual_environment()?;
    let modules = node_modules()?.join("node_modules").canonicalize()?;
    let guide = std::fs::read_to_string(GUIDE).with_context(|| format!("cannot read {GUIDE}"))?;
    let emulator = Emulator::start(&[])?;
    let url = emulator.url();
    for block in blocks(&guide, "python")? {
        run(Command::new(&python).args(["-c", block]).env("URL", url))?;
    }
    for block in blocks(&guide, "javascript")? {
        let mut node = Command::new("node");
        node.args(["--input-type=commonjs", "--eval", block]);
        run(node.env("NODE_PATH", &modules).env("URL", url))?;
    }
    Ok(())
}

/// The blocks of a guide in one language; a guide without any is a mistake of ours.
fn blocks<'g>(guide: &'g str, language: &str) -> Result<Vec<&'g str>> {
    let fence = format!("```{language}\n");
    let blocks: Vec<&str> = guide
        .split(fence.as_str())
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    ensure!(!blocks.is_empty(), "{GUIDE} has no block of {language}");
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_by_language() {
        let guide = "a\n```python\n1\n```\nb\n```sh\n2\n```\n```python\n3\n```\n";
        assert_eq!(blocks(guide, "python").unwrap(), ["1\n", "3\n"]);
        assert!(blocks(guide, "ruby").is_err());
    }
}
