//! Which of our crates may use which: the architecture, as a table.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cargo_metadata::DependencyKind;

use super::Finding;
use crate::workspace::Workspace;

/// What one crate may use.
struct Arrows {
    /// The crate.
    name: &'static str,
    /// Our crates that its code may use.
    uses: &'static [&'static str],
    /// Our crates that its tests may use as well.
    tests_use: &'static [&'static str],
}

const fn arrows(
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
) -> Arrows {
    Arrows {
        name,
        uses,
        tests_use,
    }
}

/// The architecture. A crate that isn't here may not exist; an arrow that isn't here may not be drawn.
const TABLE: [Arrows; 12] = [
    arrows("ipmi", &[], &[]),
    arrows("udp", &[], &[]),
    arrows("hardware", &[], &[]),
    arrows("fleet", &["ipmi", "hardware", "udp"], &["vbmc"]),
    arrows("vbmc", &["ipmi", "hardware", "udp"], &[]),
    arrows("redfish-schema", &[], &[]),
    arrows("redfish", &["redfish-schema"], &[]),
    arrows(
        "redfish-hardware",
        &["redfish", "redfish-schema", "hardware"],
        &["vbmc"],
    ),
    arrows("dashboard", &[], &[]),
    arrows(
        "reddrum",
        &[
            "ipmi",
            "udp",
            "hardware",
            "fleet",
            "vbmc",
            "redfish",
            "redfish-schema",
            "redfish-hardware",
            "dashboard",
        ],
        &[],
    ),
    // The benchmarks measure the data plane; the upper half is none of its business.
    arrows("xtask", &["ipmi", "udp", "hardware", "fleet", "vbmc"], &[]),
    arrows("bare-server", &[], &[]),
];

/// Crates from outside that would bring a clock, a socket, threads or randomness into a sans-IO crate.
const IO_CRATES: [&str; 12] = [
    "async-std",
    "chrono",
    "getrandom",
    "hyper",
    "libc",
    "mio",
    "rand",
    "rustix",
    "socket2",
    "time",
    "tokio",
    "udp",
];

/// Crates that are sans-IO as a whole, tests aside.
const SANS_IO: [&str; 2] = ["ipmi", "hardware"];

const REMEDY: &str = "move the code to the crate whose job it is, or change the table in xtask/src/tidy/arrows.rs \
                      and ARCHITECTURE.md together";

/// One dependency as a manifest declares it.
struct Dependency<'a> {
    from: &'a str,
    to: &'a str,
    for_tests: bool,
}

/// Compares every manifest with the table.
pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let members = workspace.metadata.workspace_packages();
    let ours: BTreeSet<&str> = members
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut findings = Vec::new();
    for package in &members {
        let manifest = package.manifest_path.as_std_path();
        let file = manifest
            .strip_prefix(&workspace.root)
            .unwrap_or(manifest)
            .to_path_buf();
        let dependencies: Vec<Dependency<'_>> = package
            .dependencies
            .iter()
            .map(|dependency| Dependency {
                from: package.name.as_str(),
                to: &dependency.name,
                for_tests: dependency.kind == DependencyKind::Development,
            })
            .collect();
        let wrong = problems(package.name.as_str(), &dependencies, &ours);
        findings.extend(wrong.into_iter().map(|what| finding(file.clone(), what)));
    }
    findings
}

fn finding(file: PathBuf, what: String) -> Finding {
    Finding {
        file,
        line: 1,
        rule: "arrows",
        what,
        remedy: REMEDY,
    }
}

fn problems(name: &str, dependencies: &[Dependency<'_>], ours: &BTreeSet<&str>) -> Vec<String> {
    let Some(allowed) = TABLE.iter().find(|row| row.name == name) else {
        return vec![format!("crate {name} is not in the table of arrows")];
    };
    let wrong = |dependency: &&Dependency<'_>| {
        let may = allowed.uses.contains(&dependency.to)
            || dependency.for_tests && allowed.tests_use.contains(&dependency.to);
        let io =
            SANS_IO.contains(&name) && !dependency.for_tests && IO_CRATES.contains(&dependency.to);
        io || ours.contains(dependency.to) && !may
    };
    dependencies
        .iter()
        .filter(wrong)
        .map(
            |Dependency {
                 from,
                 to,
                 for_tests,
             }| {
                format!(
                    "{from} uses {to}{}",
                    if *for_tests { " in its tests" } else { "" }
                )
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> BTreeSet<&'static str> {
        TABLE.iter().map(|row| row.name).collect()
    }

    fn problem(from: &str, to: &str, for_tests: bool) -> bool {
        !problems(
            from,
            &[Dependency {
                from,
                to,
                for_tests,
            }],
            &ours(),
        )
        .is_empty()
    }

    #[test]
    fn an_arrow_against_the_table_is_found() {
        assert!(problem("redfish", "hardware", false));
        assert!(problem("ipmi", "udp", false));
        assert!(problem("hardware", "fleet", false));
        assert!(problem("dashboard", "redfish", false));
        assert!(!problem("fleet", "ipmi", false));
    }

    #[test]
    fn the_virtual_bmc_is_for_the_fleets_tests_only() {
        assert!(problem("fleet", "vbmc", false));
        assert!(!problem("fleet", "vbmc", true));
    }

    #[test]
    fn a_sans_io_crate_takes_no_crate_that_does_io() {
        assert!(problem("ipmi", "getrandom", false));
        assert!(!problem("ipmi", "aes", false));
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_found() {
        assert_eq!(problems("surprise", &[], &ours()).len(), 1);
    }

    #[test]
    fn the_table_has_no_cycle() {
        // Leaves are taken away until nothing is left; a cycle would never become a leaf.
        let mut left: Vec<&Arrows> = TABLE.iter().collect();
        while !left.is_empty() {
            let names: BTreeSet<&str> = left.iter().map(|row| row.name).collect();
            let before = left.len();
            left.retain(|row| row.uses.iter().any(|used| names.contains(used)));
            assert!(left.len() < before, "a cycle among {names:?}");
        }
    }
}
