//! Runs the checks over a mockup that we didn't write: any folder tree of `index.json` files, such
//! as those of DMTF's DSP2043. It isn't part of this repository; name its folder in
//! `REDFISH_MOCKUP` and run `cargo test -p redfish-schema -- --ignored`.

use std::fs;
use std::path::{Path, PathBuf};

use redfish_schema::{by_odata_type, validate};
use serde_json::Value;

/// What is wrong with `public-rackmount1` of DSP2043: a target without `Actions`, and properties that
/// the versions it names require.
const KNOWN: [&str; 6] = [
    "/AccountService/Roles/ReadOnly/index.json/RoleId: required, but absent",
    "/AccountService/Roles/Administrator/index.json/RoleId: required, but absent",
    "/AccountService/Roles/Operator/index.json/RoleId: required, but absent",
    "/Chassis/1U/EnvironmentMetrics/index.json/Id: required, but absent",
    "/Actions/#PowerSupply.Reset/target: must be written as \
     the resource's path, /Actions/ and the name",
    "/Actions/#PowerSupplyMetrics.ResetMetrics/target: must be written as \
     the resource's path, /Actions/ and the name",
];

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            documents(&path, found);
        } else if path.file_name().is_some_and(|name| name == "index.json") {
            found.push(path);
        }
    }
}

#[test]
#[ignore = "needs the folder of a mockup in REDFISH_MOCKUP"]
fn a_published_mockup_has_no_violations_in_the_resources_that_we_have_tables_for() {
    let folder = std::env::var("REDFISH_MOCKUP").expect("REDFISH_MOCKUP names a folder");
    let mut paths = Vec::new();
    documents(Path::new(&folder), &mut paths);
    let (mut checked, mut violations) = (0, Vec::new());
    for path in paths {
        let document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        if by_odata_type(document["@odata.type"].as_str().unwrap_or_default()).is_none() {
            continue;
        }
        checked += 1;
        let found = validate(&document);
        violations.extend(
            found
                .iter()
                .map(|violation| format!("{}{violation}", path.display())),
        );
    }
    violations.retain(|violation| !KNOWN.iter().any(|known| violation.ends_with(known)));
    println!("{checked} documents checked");
    assert!(
        checked > 0,
        "{folder} has resources that we have tables for"
    );
    assert!(
        violations.is_empty(),
        "{checked} checked\n{}",
        violations.join("\n")
    );
}
