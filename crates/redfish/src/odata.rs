//! Documents for OData clients and for finding the service: `/redfish`, `/redfish/v1/odata`, `/redfish/v1/$metadata`
//! (DSP0266 "OData $metadata", "OData service document").

use std::fmt::Write as _;

use redfish_schema::schema_files;
use serde::Serialize;

use crate::RootLink;
use crate::resource::{
    account_service, event_service, json_schemas, registries, session_service, task_service,
    telemetry_service, update_service,
};

/// `/redfish`: the protocol versions that there are.
pub(crate) const VERSIONS: &str = r#"{"v1":"/redfish/v1/"}"#;

#[derive(Serialize)]
struct ServiceDocument<'a> {
    #[serde(rename = "@odata.context")]
    context: &'static str,
    value: Vec<Singleton<'a>>,
}

#[derive(Serialize)]
struct Singleton<'a> {
    name: &'a str,
    kind: &'static str,
    url: &'a str,
}

/// `/redfish/v1/odata`: the service root and what it links to.
pub(crate) fn service_document(roots: &[RootLink]) -> Vec<u8> {
    let own = [
        ("Service", "/redfish/v1/"),
        ("SessionService", session_service::PATH),
        ("Sessions", session_service::SESSIONS),
        ("AccountService", account_service::PATH),
        ("Tasks", task_service::PATH),
        ("EventService", event_service::PATH),
        ("UpdateService", update_service::PATH),
        ("TelemetryService", telemetry_service::PATH),
        ("Registries", registries::PATH),
        ("JsonSchemas", json_schemas::PATH),
    ];
    let links = own
        .into_iter()
        .chain(roots.iter().map(|link| (link.name, link.uri)));
    let value = links
        .map(|(name, url)| Singleton {
            name,
            kind: "Singleton",
            url,
        })
        .collect();
    let document = ServiceDocument {
        context: "/redfish/v1/$metadata",
        value,
    };
    serde_json::to_vec(&document).unwrap_or_default()
}

/// Where DMTF's schema defines the entity container that ours extends.
const SERVICE_ROOT: &str = "ServiceRoot.v1_0_0";
/// The terms that every schema file uses by the name of `Redfish`.
const EXTENSIONS: &str = r#"  <edmx:Reference Uri="http://redfish.dmtf.org/schemas/v1/RedfishExtensions_v1.xml">
    <edmx:Include Namespace="RedfishExtensions.v1_0_0" Alias="Redfish"/>
  </edmx:Reference>
"#;

fn reference(xml: &mut String, uri: &str, namespaces: impl IntoIterator<Item = &'static str>) {
    // Writing to a String can't fail.
    let _ = writeln!(xml, r#"  <edmx:Reference Uri="{uri}">"#);
    for namespace in namespaces {
        let _ = writeln!(xml, r#"    <edmx:Include Namespace="{namespace}"/>"#);
    }
    xml.push_str("  </edmx:Reference>\n");
}

/// `/redfish/v1/$metadata`: the schema files behind the resources, and the entity container that OData asks for.
pub(crate) fn metadata() -> String {
    let mut xml = String::from(concat!(
        r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        "\n",
        r#"<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">"#,
        "\n",
    ));
    xml.push_str(EXTENSIONS);
    for file in schema_files() {
        let container = file
            .namespaces
            .contains(&"ServiceRoot")
            .then_some(&SERVICE_ROOT);
        let namespaces = file.namespaces.iter().chain(container).copied();
        reference(&mut xml, file.uri, namespaces);
    }
    let _ = write!(
        xml,
        r#"  <edmx:DataServices>
    <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Service">
      <EntityContainer Name="Service" Extends="{SERVICE_ROOT}.ServiceContainer"/>
    </Schema>
  </edmx:DataServices>
</edmx:Edmx>
"#
    );
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_document_names_the_schema_of_every_type() {
        let xml = metadata();
        for resource in redfish_schema::all() {
            let namespace = resource
                .odata_type
                .trim_start_matches('#')
                .rsplit_once('.')
                .unwrap()
                .0;
            assert!(
                xml.contains(&format!("Namespace=\"{namespace}\"")),
                "{namespace}"
            );
        }
        assert!(xml.contains(&format!("<edmx:Include Namespace=\"{SERVICE_ROOT}\"/>")));
    }
}
