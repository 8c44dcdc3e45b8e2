//! The keys of sections that name BMCs: `[[target]]` and `[[inventory]]`.

use super::keys::{Key, SectionKeys, key};

const PORT: Key = key("port", "integer", "623", "UDP port of the BMC");
const CREDENTIALS_NAME: Key = key(
    "credentials",
    "string",
    "default",
    "which [credentials.NAME] to log in with",
);
const SITE: Key = key("site", "string", "", "the site or building");
const ROW: Key = key("row", "string", "", "the row of racks");
const RACK: Key = key("rack", "string", "", "the rack the machines stand in");
const BLOCK: Key = key("block", "string", "", "the block in the rack");
const SLED: Key = key("sled", "string", "", "the sled in the block or rack");
const UNIT: Key = key(
    "unit",
    "integer",
    "",
    "the rack unit, counted from the bottom",
);
const LABELS: Key = key(
    "labels",
    "table of strings",
    "",
    "labels of your own, shown in bmc_labels and in Redfish's Location: labels = { tenant = \"a\" }",
);
const QUIRKS: Key = key(
    "quirks",
    "array of strings",
    "[]",
    "what the BMCs do in their own way and can't be noticed: names of 'reddrum ipmi quirks', or FreeIPMI's workaround flags",
);
const POLL_INTERVAL: Key = key(
    "poll_interval_ms",
    "integer",
    "that of [fleet]",
    "each sensor is read once in this time; 100 to 3600000",
);
const SENSOR_INTERVALS: Key = key(
    "sensor_intervals_ms",
    "table of integers",
    "that of [fleet]",
    "sensors of these classes are read once in times of their own; a class that neither this nor [fleet] names takes poll_interval_ms",
);
const GAP: Key = key(
    "gap_ms",
    "integer",
    "0; 100 with the quirk needs-gap",
    "a BMC that drops what comes too soon, or hangs over it, is left alone for so long after each answer, by log-in (a second at most), polling and commands alike; 0 to 10000",
);

/// `[[target]]`.
pub(crate) static TARGET: SectionKeys = SectionKeys {
    heading: "[[target]]",
    meaning: "one BMC or a range of them",
    keys: &[
        key(
            "hosts",
            "string",
            "",
            "address, host name or range: 10.0.0.7, bmc[001-096].example.org, 10.0.[0-3].[1-250]",
        ),
        key(
            "names",
            "string",
            "the hosts",
            "names of the machines in Redfish, a range of the same length",
        ),
        PORT,
        CREDENTIALS_NAME,
        SITE,
        ROW,
        RACK,
        BLOCK,
        SLED,
        UNIT,
        LABELS,
        QUIRKS,
        POLL_INTERVAL,
        SENSOR_INTERVALS,
        GAP,
    ],
};

/// `[[inventory]]`.
pub(crate) static INVENTORY: SectionKeys = SectionKeys {
    heading: "[[inventory]]",
    meaning: "a file or a server that lists BMCs, or ranges in which they are looked for; the keys of [[target]] hold where the list says nothing else",
    keys: &[
        key(
            "file",
            "string",
            "",
            "CSV, JSON or YAML, also Prometheus' file_sd; read again when it changes",
        ),
        key(
            "url",
            "string",
            "",
            "a server that answers as Prometheus' http_sd; asked again and again",
        ),
        key(
            "format",
            "string",
            "by the file's name; json",
            "csv, json or yaml",
        ),
        key(
            "refresh_s",
            "integer",
            "60",
            "how often the server is asked; 5 to 86400",
        ),
        key(
            "allow_empty",
            "boolean",
            "false",
            "whether the list may come to name no BMC any more: false = then it stays as it was, since that is a mistake nearly always",
        ),
        key(
            "token_file",
            "string",
            "",
            "file with a token for the server (Authorization: Bearer), readable by its owner only",
        ),
        key(
            "token_env",
            "string",
            "",
            "environment variable with that token",
        ),
        key(
            "token_command",
            "array of strings",
            "",
            "program and arguments that say that token",
        ),
        key(
            "token_vault",
            "string",
            "",
            "that token in [vault]: PATH#FIELD, the path as its API has it (secret/data/bmc#token)",
        ),
        key(
            "ca_file",
            "string",
            "",
            "PEM file with the certificate authorities of the server; without it, those that this machine trusts",
        ),
        key(
            "scan",
            "array of strings",
            "",
            "networks, addresses, names and ranges in which BMCs are looked for by ASF pings: [\"10.20.0.0/22\", \"bmc[001-096]\"]; \
             who answers joins the fleet. At most 65536 addresses, needs credentials. Without a network's own and its broadcast \
             address, and without loopback, link-local and cloud metadata addresses unless a range has nothing else",
        ),
        key(
            "exclude",
            "array of strings",
            "[]",
            "networks, addresses, names and ranges of scan that are left alone",
        ),
        key(
            "names",
            "string",
            "the addresses",
            "with scan: names of the machines in Redfish, a range with one for each address of scan, excluded ones too",
        ),
        key(
            "every_s",
            "integer",
            "3600",
            "with scan: from the beginning of one scan to the next; 10 to 604800",
        ),
        key(
            "pings_per_s",
            "integer",
            "1000",
            "with scan: pings in any second, at most; 1 to 100000",
        ),
        key(
            "forget_after_s",
            "integer",
            "604800",
            "with scan: a BMC that neither answers pings nor is up leaves the fleet after this, and three scans at least; 60 to 31536000",
        ),
        PORT,
        CREDENTIALS_NAME,
        SITE,
        ROW,
        RACK,
        BLOCK,
        SLED,
        UNIT,
        LABELS,
        QUIRKS,
        POLL_INTERVAL,
        SENSOR_INTERVALS,
        GAP,
    ],
};
