//! What every `Cargo.toml` must say.

use std::path::Path;

use super::Finding;
use crate::Result;

/// Lints without which other rules mean nothing, and their level in the root manifest.
const REQUIRED_LINTS: [(&str, &str, &str); 3] = [
    ("rust", "missing_docs", "warn"),
    ("rust", "unsafe_code", "deny"),
    ("clippy", "too_many_lines", "warn"),
];

/// Whether the crate holds fuzz targets: cargo-fuzz needs it to be a workspace of its own, built by a nightly
/// compiler, so that it can inherit nothing.
fn is_fuzz(manifest: &toml::Table) -> bool {
    let marked = |manifest: &toml::Table| {
        manifest
            .get("package")?
            .get("metadata")?
            .get("cargo-fuzz")?
            .as_bool()
    };
    marked(manifest) == Some(true)
}

/// Where programs live that drive what others wrote: each is a workspace of its own with dependencies of its own,
/// built only by the step that runs it.
const PEERS: &str = "xtask/peers";

/// Checks one manifest; one of fuzz targets follows cargo-fuzz's rules instead, one of a peer its own.
///
/// # Errors
/// Where it is no TOML.
pub(crate) fn check(file: &Path, text: &str, findings: &mut Vec<Finding>) -> Result {
    let manifest: toml::Table = text
        .parse()
        .map_err(|error| format!("{}: {error}", file.display()))?;
    if is_fuzz(&manifest) || file.starts_with(PEERS) {
        return Ok(());
    }
    let mut add = |line: usize, what: String, remedy: &'static str| {
        findings.push(Finding {
            file: file.to_path_buf(),
            line,
            rule: "manifest",
            what,
            remedy,
        });
    };
    if let Some(workspace) = manifest.get("workspace") {
        for (tool, lint, level) in REQUIRED_LINTS {
            let found = workspace
                .get("lints")
                .and_then(|lints| lints.get(tool)?.get(lint)?.as_str());
            if found != Some(level) && found != Some("deny") && found != Some("forbid") {
                add(
                    1,
                    format!("the workspace lint {tool}::{lint} is not {level}"),
                    "put it back",
                );
            }
        }
    }
    if manifest.contains_key("package") {
        let inherits = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace")?.as_bool());
        if inherits != Some(true) {
            let what = "the crate does not inherit the workspace's lints".to_owned();
            add(1, what, "add `[lints]` with `workspace = true`");
        }
    }
    for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let dependencies = manifest.get(table).and_then(toml::Value::as_table);
        for (name, value) in dependencies.into_iter().flatten() {
            if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                let line = text
                    .lines()
                    .position(|line| line.starts_with(name.as_str()))
                    .unwrap_or(0)
                    + 1;
                let what = format!("{name} has a version of its own");
                add(
                    line,
                    what,
                    "name it in the root manifest and write `workspace = true` here",
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        check(Path::new("Cargo.toml"), text, &mut findings).unwrap();
        findings
    }

    #[test]
    fn fuzz_targets_are_a_workspace_of_their_own() {
        let fuzz =
            "[package]\nname = \"a-fuzz\"\n[package.metadata]\ncargo-fuzz = true\n[workspace]\n";
        let mut findings = Vec::new();
        check(Path::new("fuzz/Cargo.toml"), fuzz, &mut findings).unwrap();
        assert_eq!(findings.len(), 0);
        let unmarked = fuzz.replace("true", "false");
        check(Path::new("fuzz/Cargo.toml"), &unmarked, &mut findings).unwrap();
        assert_ne!(findings.len(), 0);
    }

    #[test]
    fn a_crate_must_inherit_the_lints() {
        assert_eq!(check_text("[package]\nname = \"x\"\n").len(), 1);
        assert_eq!(
            check_text("[package]\nname = \"x\"\n[lints]\nworkspace = true\n"),
            []
        );
    }

    #[test]
    fn a_dependency_has_its_version_in_one_place() {
        let found = check_text("[dependencies]\nok.workspace = true\nbad = \"1\"\n");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 3);
    }

    #[test]
    fn the_root_must_ask_for_documentation() {
        let found = check_text("[workspace.lints.rust]\nunsafe_code = \"deny\"\n");
        assert!(
            found
                .iter()
                .any(|finding| finding.what.contains("missing_docs"))
        );
    }
}
