//! The rules that no compiler checks: which crate may depend on which, and which words may not appear where.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The arrows of ARCHITECTURE.md: a crate of ours, and those of ours that it may depend on. Dev-dependencies
/// are free: tests may put things together as they like.
const ARROWS: &[(&str, &[&str])] = &[
    ("opencdc", &[]),
    ("hubspot-client", &[]),
    ("hubspot-emulator", &[]),
    ("hubspot-connector", &["opencdc", "hubspot-client"]),
    ("pipeline", &["opencdc"]),
    (
        "query",
        &["opencdc", "hubspot-client", "hubspot-connector", "pipeline"],
    ),
    ("protocols", &["opencdc"]),
    (
        "spoke",
        &[
            "opencdc",
            "hubspot-client",
            "hubspot-emulator",
            "hubspot-connector",
            "pipeline",
            "query",
            "protocols",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that have never heard of HubSpot (invariant 9).
const NEVER_NAME_HUBSPOT: &[&str] = &[
    "crates/opencdc/src",
    "crates/pipeline/src",
    "crates/protocols/src",
];

/// Crates that TLS or the build must not pull in, with the reason.
const FORBIDDEN_PACKAGES: &[(&str, &str)] = &[
    ("aws-lc-sys", "TLS is ring here"),
    ("openssl-sys", "TLS is rustls here"),
];

/// Checks all of it and reports every violation at once.
pub(crate) fn check() -> Result<()> {
    let metadata = metadata()?;
    let mut found = broken_arrows(&metadata);
    found.extend(forbidden_packages(&metadata));
    found.extend(hubspot_named(&workspace_root(&metadata)?)?);
    if found.is_empty() {
        return Ok(());
    }
    bail!("{} violation(s):\n  {}", found.len(), found.join("\n  "))
}

fn metadata() -> Result<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1"])
        .output()?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}

fn workspace_root(metadata: &Value) -> Result<PathBuf> {
    metadata["workspace_root"]
        .as_str()
        .map(PathBuf::from)
        .context("no workspace root in the metadata")
}

/// Every normal or build dependency between crates of ours that [`ARROWS`] does not allow.
fn broken_arrows(metadata: &Value) -> Vec<String> {
    let allowed: BTreeMap<_, BTreeSet<_>> = ARROWS
        .iter()
        .map(|(from, to)| (*from, to.iter().copied().collect()))
        .collect();
    let mut broken = Vec::new();
    for (from, to) in our_dependencies(metadata) {
        match allowed.get(from.as_str()) {
            None => broken.push(format!("crate `{from}` is not in the table of arrows")),
            Some(targets) if !targets.contains(to.as_str()) => {
                broken.push(format!("`{from}` must not depend on `{to}`"));
            }
            Some(_) => {}
        }
    }
    broken
}

/// Pairs (crate, dependency) of crates of ours, dev-dependencies left out.
fn our_dependencies(metadata: &Value) -> Vec<(String, String)> {
    let ours: Vec<&Value> = packages(metadata)
        .filter(|package| package["source"].is_null())
        .collect();
    let names: BTreeSet<&str> = ours
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut pairs = Vec::new();
    for package in &ours {
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let name = dependency["name"].as_str().unwrap_or_default();
            if dependency["kind"] != "dev" && names.contains(name) {
                pairs.push((
                    package["name"].as_str().unwrap_or_default().to_owned(),
                    name.to_owned(),
                ));
            }
        }
    }
    pairs
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}

fn forbidden_packages(metadata: &Value) -> Vec<String> {
    let present: BTreeSet<_> = packages(metadata)
        .filter_map(|package| package["name"].as_str())
        .collect();
    let forbidden = FORBIDDEN_PACKAGES
        .iter()
        .filter(|(name, _)| present.contains(name));
    forbidden
        .map(|(name, reason)| format!("package `{name}` is in the tree: {reason}"))
        .collect()
}

fn hubspot_named(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in NEVER_NAME_HUBSPOT {
        for file in rust_files(&root.join(folder))? {
            let text = std::fs::read_to_string(&file)?;
            for (number, line) in text.lines().enumerate() {
                if line.to_lowercase().contains("hubspot") && !line.trim_start().starts_with("//!") {
                    found.push(format!("{}:{} names HubSpot", file.display(), number + 1));
                }
            }
        }
    }
    Ok(found)
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !folder.exists() {
        return Ok(files);
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metadata_of(from: &str, to: &str, kind: Option<&str>) -> Value {
        json!({"packages": [
            {"name": from, "source": null, "dependencies": [{"name": to, "kind": kind}]},
            {"name": to, "source": null, "dependencies": []},
        ]})
    }

    #[test]
    fn an_arrow_that_is_not_in_the_table_is_broken() {
        let found = broken_arrows(&metadata_of("pipeline", "hubspot-client", None));
        assert_eq!(found, ["`pipeline` must not depend on `hubspot-client`"]);
    }

    #[test]
    fn a_dev_dependency_is_free() {
        assert!(broken_arrows(&metadata_of("hubspot-connector", "hubspot-emulator", Some("dev"))).is_empty());
    }

    #[test]
    fn a_crate_that_nobody_listed_is_reported() {
        let found = broken_arrows(&metadata_of("newcomer", "opencdc", None));
        assert_eq!(found, ["crate `newcomer` is not in the table of arrows"]);
    }
}
