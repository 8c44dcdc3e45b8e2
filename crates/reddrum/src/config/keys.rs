//! Every key of the configuration file: where it may stand, what it means, what it is when absent.
//!
//! This table is the only list of keys. The reader refuses what is not in it, and `reddrum config keys` prints it.

pub(super) use super::target_keys::{INVENTORY, TARGET};

/// One key of one section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// What kind of value.
    pub(crate) kind: &'static str,
    /// Its value when absent; empty = it must be given or has no effect.
    pub(crate) default: &'static str,
    /// What it means.
    pub(crate) meaning: &'static str,
}

/// One section (table) of the file.
#[derive(Debug)]
pub(crate) struct SectionKeys {
    /// How it is written: `[service]`, `[[target]]`.
    pub(crate) heading: &'static str,
    /// What it is for.
    pub(crate) meaning: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [Key],
}

/// One of them.
pub(super) const fn key(
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default,
        meaning,
    }
}

/// The top level: nothing but sections.
pub(crate) static ROOT: SectionKeys = SectionKeys {
    heading: "(top level)",
    meaning: "the sections of the file",
    keys: &[
        key("service", "table", "", "the Redfish service"),
        key(
            "account",
            "array of tables",
            "",
            "who may log in to the Redfish service",
        ),
        key("events", "table", "", "where events are sent"),
        key(
            "update",
            "table",
            "",
            "where images of firmware are fetched from",
        ),
        key("aggregation", "table", "", "which BMCs clients may push"),
        key("metrics", "table", "", "figures for Prometheus"),
        key("fleet", "table", "", "how BMCs are polled"),
        key(
            "credentials",
            "table of tables",
            "",
            "named logins for BMCs",
        ),
        key("vault", "table", "", "where passwords and keys are kept"),
        key("target", "array of tables", "", "the BMCs"),
        key(
            "inventory",
            "array of tables",
            "",
            "files and servers that list further BMCs, and ranges in which they are looked for",
        ),
    ],
};

/// `[service]`.
pub(crate) static SERVICE: SectionKeys = SectionKeys {
    heading: "[service]",
    meaning: "the Redfish service",
    keys: &[
        key(
            "listen",
            "string",
            "127.0.0.1:8443",
            "address and port for HTTPS",
        ),
        key(
            "state_dir",
            "string",
            "",
            "folder (mode 0700) for what outlives a restart: the certificate, and what clients change",
        ),
        key(
            "certificate",
            "string",
            "",
            "PEM file with the certificate chain; needs private_key. A new file takes effect without a restart",
        ),
        key(
            "private_key",
            "string",
            "",
            "PEM file with the private key, readable by its owner only",
        ),
        key(
            "client_authorities",
            "string",
            "",
            "PEM file with certificate authorities: a client that shows a certificate of theirs is the account that its \
             common name names, without a password",
        ),
        key(
            "privilege_registry",
            "string",
            "",
            "JSON file, a Redfish PrivilegeRegistry: which privileges operations need, in place of the built-in map",
        ),
        key(
            "session_timeout_s",
            "integer",
            "1800",
            "idle Redfish sessions end after this; 30 to 86400",
        ),
        key(
            "public_url",
            "string",
            "the address asked for",
            "how clients reach the service, https://rack1.example.org: for redirects and discovery",
        ),
        key(
            "ssdp_interfaces",
            "array of strings",
            "[]",
            "addresses of this machine on whose networks SSDP finds the service; none = it isn't announced until a client switches SSDP on",
        ),
        key(
            "hsts_max_age_s",
            "integer",
            "31536000",
            "how long browsers are told to use HTTPS only for this host; 0 = they aren't",
        ),
        key(
            "listen_redirect",
            "string",
            "",
            "address and port for plain HTTP; sends everybody to HTTPS, takes no password or token",
        ),
        key(
            "listen_proxy",
            "string",
            "",
            "loopback address and port, or unix:/PATH, where a reverse proxy asks in clear text",
        ),
        key(
            "insecure_proxy_network",
            "boolean",
            "false",
            "listen_proxy may be any address: passwords and tokens cross that network readable by anybody on it",
        ),
        key(
            "trusted_proxies",
            "array of strings",
            "[]",
            "addresses and networks (10.0.0.0/8) of reverse proxies; only their word about a client counts",
        ),
        key(
            "forwarded_header",
            "string",
            "X-Forwarded-For",
            "what the trusted proxies write: X-Forwarded-For (with -Proto and -Host) or Forwarded (RFC 7239)",
        ),
    ],
};

/// `[[account]]`.
pub(crate) static ACCOUNT: SectionKeys = SectionKeys {
    heading: "[[account]]",
    meaning: "who may log in to the Redfish service; at least one, unless the state_dir has some",
    keys: &[
        key("username", "string", "", "name to log in with"),
        key(
            "role",
            "string",
            "ReadOnly",
            "Administrator, Operator or ReadOnly",
        ),
        key(
            "password_file",
            "string",
            "",
            "file with the password in its first line, readable by its owner only",
        ),
        key(
            "password_env",
            "string",
            "",
            "environment variable with the password",
        ),
        key(
            "password_command",
            "array of strings",
            "",
            "program and arguments that say the password in their first line",
        ),
        key(
            "password_vault",
            "string",
            "",
            "the password in [vault]: PATH#FIELD, the path as its API has it (secret/data/bmc#password)",
        ),
    ],
};

/// `[events]`.
pub(crate) static EVENTS: SectionKeys = SectionKeys {
    heading: "[events]",
    meaning: "which servers that clients name get events",
    keys: &[
        key(
            "allow_destinations",
            "array of strings",
            "[]",
            "networks (127.0.0.0/8) that events may go to although such addresses are refused: loopback, link-local, multicast",
        ),
        key(
            "allow_clear_text",
            "boolean",
            "false",
            "events may go to http:// destinations: anybody on the way reads them, and HttpHeaders",
        ),
        key(
            "ca_file",
            "string",
            "",
            "PEM file with the certificate authorities of destinations; without it, those that this machine trusts",
        ),
    ],
};

/// `[update]`.
pub(crate) static UPDATE: SectionKeys = SectionKeys {
    heading: "[update]",
    meaning: "which servers that clients name images of firmware are fetched from (SimpleUpdate)",
    keys: &[
        key(
            "allow_destinations",
            "array of strings",
            "[]",
            "networks (127.0.0.0/8) that images may come from although such addresses are refused: loopback, link-local, multicast",
        ),
        key(
            "allow_clear_text",
            "boolean",
            "false",
            "images may be fetched by http://: anybody on the way reads passwords and may change images",
        ),
        key(
            "ca_file",
            "string",
            "",
            "PEM file with the certificate authorities of such servers; without it, those that this machine trusts",
        ),
    ],
};

/// `[aggregation]`.
pub(crate) static AGGREGATION: SectionKeys = SectionKeys {
    heading: "[aggregation]",
    meaning: "which BMCs clients may push (AggregationService)",
    keys: &[
        key(
            "allow_destinations",
            "array of strings",
            "[]",
            "networks (127.0.0.0/8) where pushed BMCs may be although such addresses are refused: loopback, link-local, multicast",
        ),
        key(
            "default_login",
            "boolean",
            "false",
            "BMCs pushed without UserName and Password get the login of [credentials.default], whatever host clients name",
        ),
    ],
};

/// `[metrics]`.
pub(crate) static METRICS: SectionKeys = SectionKeys {
    heading: "[metrics]",
    meaning: "figures for Prometheus: /metrics of the fleet and the service, /metrics/machines of every sensor",
    keys: &[
        key(
            "listen",
            "string",
            "",
            "loopback address and port where they are had in clear text and without a login; not at all without this",
        ),
        key(
            "insecure_network",
            "boolean",
            "false",
            "listen may be any address: whoever reaches it reads every sensor",
        ),
        key(
            "fleet_only",
            "boolean",
            "false",
            "only figures of the fleet as a whole and of the service; no /metrics/machines",
        ),
    ],
};

/// `[fleet]`.
pub(crate) static FLEET: SectionKeys = SectionKeys {
    heading: "[fleet]",
    meaning: "how BMCs are polled",
    keys: &[
        key(
            "poll_interval_ms",
            "integer",
            "1000",
            "each sensor is read once in this time; 100 to 3600000",
        ),
        key(
            "sensor_intervals_ms",
            "table of integers",
            "",
            "but those of these classes in times of their own, each 100 to 3600000: temperature, fan, voltage, current, power (energy too), other (other numbers), discrete (states); sensor_intervals_ms = { temperature = 10000, voltage = 60000 }",
        ),
        key(
            "request_timeout_ms",
            "integer",
            "500",
            "wait for a first answer; doubled with each repeat up to a second; 50 to 60000",
        ),
        key(
            "request_attempts",
            "integer",
            "6",
            "how often a request is sent before it is given up; 1 to 10",
        ),
        key(
            "threads",
            "integer",
            "1",
            "how many threads poll, each with a socket of its own, for IPv4 and IPv6 each; one core serves some 100000 readings a second; 1 to 64",
        ),
    ],
};

/// `[vault]`.
pub(crate) static VAULT: SectionKeys = SectionKeys {
    heading: "[vault]",
    meaning: "HashiCorp Vault or OpenBao, from whose key/value engines password_vault, kg_vault and token_vault are read, at the start and at SIGHUP",
    keys: &[
        key(
            "address",
            "string",
            "",
            "https://HOST:PORT; http:// only to this machine, where an agent may listen",
        ),
        key(
            "token_file",
            "string",
            "",
            "file with the token, readable by its owner only, such as an agent keeps fresh",
        ),
        key(
            "token_env",
            "string",
            "",
            "environment variable with the token",
        ),
        key(
            "token_command",
            "array of strings",
            "",
            "program and arguments that say the token",
        ),
        key("namespace", "string", "", "namespace of the vault"),
        key(
            "ca_file",
            "string",
            "",
            "PEM file with the certificate authorities of the vault; without it, those that this machine trusts",
        ),
    ],
};

/// `[credentials.NAME]`.
pub(crate) static CREDENTIALS: SectionKeys = SectionKeys {
    heading: "[credentials.NAME]",
    meaning: "a login for BMCs, named by targets",
    keys: &[
        key("username", "string", "", "user name, at most 16 bytes"),
        key(
            "password_file",
            "string",
            "",
            "file with the password in its first line, readable by its owner only",
        ),
        key(
            "password_env",
            "string",
            "",
            "environment variable with the password",
        ),
        key(
            "password_command",
            "array of strings",
            "",
            "program and arguments that say the password in their first line, such as a vault's client",
        ),
        key(
            "password_vault",
            "string",
            "",
            "the password in [vault]: PATH#FIELD, the path as its API has it (secret/data/bmc#password)",
        ),
        key(
            "kg_file",
            "string",
            "",
            "file with the BMC key (K_g), hexadecimal, readable by its owner only",
        ),
        key(
            "kg_env",
            "string",
            "",
            "environment variable with the BMC key (K_g), hexadecimal",
        ),
        key(
            "kg_command",
            "array of strings",
            "",
            "program and arguments that say the BMC key (K_g), hexadecimal",
        ),
        key(
            "kg_vault",
            "string",
            "",
            "the BMC key (K_g), hexadecimal, in [vault]: PATH#FIELD, the path as its API has it (secret/data/bmc#kg)",
        ),
        key(
            "cipher_suites",
            "array of integers",
            "[17, 3]",
            "RMCP+ cipher suites to try, best first; no other is ever used",
        ),
        key(
            "privilege",
            "string",
            "administrator",
            "user, operator or administrator",
        ),
    ],
};

/// Every section, in the order in which they are explained.
pub(crate) static SECTIONS: &[&SectionKeys] = &[
    &SERVICE,
    &ACCOUNT,
    &EVENTS,
    &UPDATE,
    &AGGREGATION,
    &METRICS,
    &FLEET,
    &VAULT,
    &CREDENTIALS,
    &TARGET,
    &INVENTORY,
];
