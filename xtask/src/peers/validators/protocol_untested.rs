//! What the Protocol Validator leaves out or warns of, and why that is right.

/// An assertion that a run leaves open.
pub(super) struct Open {
    pub(super) assertion: &'static str,
    /// The one resource for which it is so; empty = the validator names none.
    pub(super) uri: &'static str,
    pub(super) reason: &'static str,
}

const fn open(assertion: &'static str, reason: &'static str) -> Open {
    at(assertion, "", reason)
}

const fn at(assertion: &'static str, uri: &'static str, reason: &'static str) -> Open {
    Open {
        assertion,
        uri,
        reason,
    }
}

/// What is left open in a run against a service with or without plain HTTP that redirects, and SSDP.
pub(super) fn untested(redirects: bool, is_announced: bool) -> Vec<&'static Open> {
    let mut untested: Vec<&Open> = ALWAYS.iter().collect();
    if !redirects {
        untested.extend(&WITHOUT_REDIRECT);
    }
    if !is_announced {
        untested.extend(&WITHOUT_SSDP);
    }
    untested
}

const SSE: &str = "version 1.3.2 of the validator has its tests of server-sent events switched off; ours are in \
    crates/redfish/tests/dsp0266/event_stream.rs";

const ALWAYS: [Open; 16] = [
    open(
        "REQ_DATA_MOD_ERRORS",
        "every POST of the validator itself succeeds; ours that fail are in crates/redfish/tests/dsp0266/errors.rs",
    ),
    open(
        "RESP_STATUS_INTERNAL_SERVER_ERROR",
        "no request of the validator is answered with 500",
    ),
    open("SERV_SSE_BLANK_LINES_BETWEEN_EVENTS", SSE),
    open("SERV_SSE_CLOSE_CONNECTION_IF_EVENT_DEST_DELETED", SSE),
    open("SERV_SSE_CONNECTION_OPEN_UNTIL_CLOSED", SSE),
    open("SERV_SSE_DATA_FIELD_BASED_ON_PAYLOAD_FORMAT", SSE),
    open("SERV_SSE_EVENTS_SENT_VIA_OPEN_CONNECTION", SSE),
    open("SERV_SSE_EVENT_DEST_CONTEXT_OPAQUE_STR", SSE),
    open("SERV_SSE_EVENT_DEST_DELETED_ON_CLOSE", SSE),
    open("SERV_SSE_ID_FIELD_UNIQUELY_IDENTIFIES_PAYLOAD", SSE),
    open("SERV_SSE_JSON_EVENT_MESSAGE_FORMAT", SSE),
    open("SERV_SSE_JSON_METRIC_REPORT_FORMAT", SSE),
    open("SERV_SSE_OPEN_CREATES_EVENT_DEST", SSE),
    open("SERV_SSE_SUCCESSFUL_RESPONSE", SSE),
    open("SERV_SSE_UNSUCCESSFUL_RESPONSE", SSE),
    open("SEC_SESSION_TERMINATION_SIDE_EFFECTS", SSE),
];

const WITHOUT_REDIRECT: [Open; 1] = [open(
    "PROTO_REDIRECT_ENFORCES_TARGET_PRIVS",
    "the demo has no plain HTTP; the run with ipmi_sim has",
)];

const NOT_ANNOUNCED: &str = "SSDP is off unless configured; it is on in the run with ipmi_sim";

const WITHOUT_SSDP: [Open; 7] = [
    open("SERV_SSDP_AL_HEADER_POINTS_TO_SERVICE_ROOT", NOT_ANNOUNCED),
    open("SERV_SSDP_CAN_BE_DISABLED", NOT_ANNOUNCED),
    open(
        "SERV_SSDP_MSEARCH_RESPONDS_TO_REDFISH_OR_ALL",
        NOT_ANNOUNCED,
    ),
    open("SERV_SSDP_M_SEARCH_RESPONSE_FORMAT", NOT_ANNOUNCED),
    open("SERV_SSDP_ST_HEADER_FORMAT", NOT_ANNOUNCED),
    open("SERV_SSDP_USN_MATCHES_SERVICE_ROOT_UUID", NOT_ANNOUNCED),
    open("SERV_SSDP_UUID_IN_CANONICAL_FORMAT", NOT_ANNOUNCED),
];

/// What it warns of.
pub(super) const WARNINGS: [Open; 1] = [open(
    "PROTO_ETAG_HEADER_AND_PROPERTY",
    "the ETag header is there; @odata.etag beside it is optional, and the tag is that of the body's bytes",
)];
