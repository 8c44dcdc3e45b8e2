//! `RedDrum.conf`: none of its settings is one of ours, but some mean that clients see a difference.

use super::report::Report;

/// What becomes of a setting.
enum Fate {
    /// Nobody sees a difference.
    None(&'static str),
    /// Whoever had it switched on does.
    IfTrue(&'static str),
}

/// Every key of the file.
const KEYS: [(&str, Fate); 15] = [
    (
        "HttpHeaderCacheControl",
        Fate::None("each response says itself how it may be cached"),
    ),
    ("HttpHeaderServer", Fate::None("no Server header is sent")),
    (
        "HttpHeaderAccessControlAllowOrigin",
        Fate::None(
            "pages of other sites get no access; let a web server in front add CORS headers",
        ),
    ),
    (
        "IncludeLocalJsonSchemaFiles",
        Fate::None("schemas are always served at /redfish/v1/JsonSchemas"),
    ),
    (
        "IncludeLocalRegistriesFiles",
        Fate::None("registries are always served at /redfish/v1/Registries"),
    ),
    (
        "UseLocalJsonSchemaUrlInLinkHeader",
        Fate::None("the Link header names the schema that this service serves"),
    ),
    ("ProcessorInfoCacheTimeout", CACHE),
    ("MemoryInfoCacheTimeout", CACHE),
    ("SimpleStorageInfoCacheTimeout", CACHE),
    ("EthernetInterfaceInfoCacheTimeout", CACHE),
    (
        "RedfishAllowAuthNone",
        Fate::IfTrue("every request but the service root's needs a login here"),
    ),
    ("RedfishAllowAuthenticatedAPIsOverHttp", CLEAR_TEXT),
    ("RedfishAllowBasicAuthOverHttp", CLEAR_TEXT),
    ("RedfishAllowSessionLoginOverHttp", CLEAR_TEXT),
    ("RedfishAllowUserCredUpdateOverHttp", CLEAR_TEXT),
];

const CACHE: Fate =
    Fate::None("machines are polled, and a GET never waits for one; see poll_interval_ms");
const CLEAR_TEXT: Fate = Fate::IfTrue(
    "plain HTTP takes no password and no token here: use https, or listen_proxy behind a web server",
);

/// Says what becomes of each setting in the file.
pub(super) fn read(text: &str, report: &mut Report) {
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';', '[']) {
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            report.left("RedDrum.conf", &format!("'{line}' is no setting"));
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        let known = KEYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        match known {
            Some((name, Fate::None(why))) => report.left(name, why),
            Some((name, Fate::IfTrue(why))) if is_true(value) => report.left(name, why),
            Some((name, Fate::IfTrue(_))) => report.taken(name, "it is off, as always here"),
            None => report.left(key, "RedDrum has no such setting"),
        }
    }
}

/// The words that Python's `configparser` takes for true.
fn is_true(value: &str) -> bool {
    ["1", "yes", "true", "on"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_allowed_in_clear_text_is_told_and_what_was_not_stays_so() {
        let mut report = Report::default();
        let text = "# comment\n[Auth Section]\nRedfishAllowAuthNone=false\n\
                    RedfishAllowBasicAuthOverHttp = True\nHttpHeaderServer=None\nColour=red\nnonsense\n";
        read(text, &mut report);
        let report = report.to_string();
        let (taken, left) = report.split_once("Not taken over:").unwrap();
        assert!(taken.contains("RedfishAllowAuthNone: it is off"));
        for part in [
            "RedfishAllowBasicAuthOverHttp: plain HTTP takes no password",
            "HttpHeaderServer: no Server header",
            "Colour: RedDrum has no such setting",
            "'nonsense' is no setting",
        ] {
            assert!(left.contains(part), "{part}: {left}");
        }
        assert!(!report.contains("comment") && !report.contains("Auth Section"));
    }
}
