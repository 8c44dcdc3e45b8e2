//! Runs the checks over a mockup that we didn't write: DMTF's `public-rackmount1`. It isn't part of this repository:
//! the test looks for the archive in `../shared/mockups` beside the checkout and says so where it is absent.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use redfish_schema::{by_odata_type, validate};
use serde_json::Value;
use zip::ZipArchive;

/// What is wrong with `public-rackmount1` of DSP2043: targets without `Actions`, dates in another form, a wrong count,
/// and properties that the versions it names require.
const KNOWN: [&str; 16] = [
    "/AccountService/Roles/ReadOnly/index.json/RoleId: required, but absent",
    "/AccountService/Roles/Administrator/index.json/RoleId: required, but absent",
    "/AccountService/Roles/Operator/index.json/RoleId: required, but absent",
    "/Chassis/1U/EnvironmentMetrics/index.json/Id: required, but absent",
    "/index.json/SubscriptionType: required, but absent",
    "/Managers/BMC/EthernetInterfaces/eth0/SD/index.json/@odata.id: the schema has no such resource at this path",
    "/Systems/437XR1138R2/Certificates/contoso-root/index.json/@odata.id: required, but absent",
    "/TaskService/Tasks/545/index.json/EndTime: must be written as YYYY-MM-DDThh:mm:ssZ",
    "/TaskService/Tasks/545/index.json/StartTime: must be written as YYYY-MM-DDThh:mm:ssZ",
    "/FirmwareInventory/BIOS/index.json/ReleaseDate: must be written as YYYY-MM-DDThh:mm:ssZ",
    "/FirmwareInventory/BMC/index.json/ReleaseDate: must be written as YYYY-MM-DDThh:mm:ssZ",
    "/FirmwareInventory/SS/index.json/ReleaseDate: must be written as YYYY-MM-DDThh:mm:ssZ",
    "/FirmwareInventory/index.json/Members@odata.count: the count is smaller than the array",
    "/Actions/#UpdateService.SimpleUpdate/target: must be written as \
     the resource's path, /Actions/ and the name",
    "/Actions/#PowerSupply.Reset/target: must be written as \
     the resource's path, /Actions/ and the name",
    "/Actions/#PowerSupplyMetrics.ResetMetrics/target: must be written as \
     the resource's path, /Actions/ and the name",
];

/// Where the archive is looked for, from the root of the checkout.
const ARCHIVE: &str = "../shared/mockups/public-rackmount1.zip";

/// Name and content of every `index.json` of the archive.
fn documents(archive: File) -> Vec<(String, Value)> {
    let mut archive = ZipArchive::new(archive).expect("a zip archive");
    let mut found = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).expect("a readable archive");
        let name = file.name().expect("a name in UTF-8").into_owned();
        if name.ends_with("/index.json") {
            let mut text = String::new();
            file.read_to_string(&mut text).expect("text");
            found.push((name, serde_json::from_str(&text).expect("JSON")));
        }
    }
    found
}

#[test]
fn a_published_mockup_has_no_violations_in_the_resources_that_we_have_tables_for() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(ARCHIVE);
    let Ok(archive) = File::open(&path) else {
        println!("LEFT OUT: {ARCHIVE} is not there; nothing was checked against a mockup");
        return;
    };
    let (mut checked, mut violations) = (0, Vec::new());
    for (name, document) in documents(archive) {
        if by_odata_type(document["@odata.type"].as_str().unwrap_or_default()).is_none() {
            continue;
        }
        checked += 1;
        violations.extend(validate(&document).iter().map(|v| format!("{name}{v}")));
    }
    violations.retain(|violation| !KNOWN.iter().any(|known| violation.ends_with(known)));
    assert!(checked > 50, "only {checked} documents have tables");
    assert!(
        violations.is_empty(),
        "{checked} checked\n{}",
        violations.join("\n")
    );
}
