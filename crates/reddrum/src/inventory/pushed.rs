//! BMCs that clients have named through Redfish's `AggregationService`: one more list, whose entries come and go one by one.
//!
//! What the operator names comes first. An entry that can't be with that, or with another entry before it, stands aside until
//! it can: a list that changes is never refused for what a client did, and the same holds after a restart.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use fleet::Quirks;
use hardware::{NodeId, SensorIntervals};
use ipmi::console::{Login, LoginError};
use redfish::{Failure, Message, Source, SourceLogin, is_refused_destination, message};

use super::entry::host_and_port;
use crate::config::{
    AggregationConfig, Credentials, CredentialsConfig, Place, Reach, Secret, TARGETS_MAX,
    TargetConfig, Treatment,
};

/// The port of a BMC where nothing is said.
const PORT: u16 = 623;
/// The credentials of an entry without its own.
const DEFAULT: &str = "default";
/// How the name of the credentials begins that an entry brings; its name follows. No `[credentials]` can be named so.
pub(crate) const OWN_CREDENTIALS: &str = "AggregationSources/";
/// The longest name of a host, in bytes (RFC 1035 §2.3.4).
const HOST_MAX: usize = 253;

/// What is told of a host name that can't be one.
const HOST_FORM: &str = "Give HOST, HOST:PORT or [IPV6]:PORT, with the name or the address of one BMC; ipmi:// before it is taken, too.";
/// Names that are the service's own: its manager, and what stands behind a collection's path.
const RESERVED: [&str; 2] = [crate::web::PRODUCT, "Members"];

/// All of them, by their names.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    bmcs: BTreeMap<NodeId, Bmc>,
    /// Who names which host and port.
    claims: HashMap<(String, u16), BTreeSet<NodeId>>,
    /// Those kept by an earlier run that can't be used, and why.
    unusable: BTreeMap<String, String>,
    rules: AggregationConfig,
}

/// What a client has named so.
#[derive(Debug)]
pub(crate) struct Before {
    bmc: Option<Bmc>,
    unusable: Option<String>,
}

impl Before {
    /// Whether what was taken then is taken now.
    pub(super) fn is_as(&self, now: Option<&Bmc>) -> bool {
        match (&self.bmc, &self.unusable, now) {
            (Some(was), _, Some(now)) => was.is_at_place_of(now),
            (Some(_), _, None) | (None, Some(_), None) => false,
            (None, ..) => true,
        }
    }
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Bmc {
    target: TargetConfig,
    login: Option<SourceLogin>,
}

impl Bmc {
    /// What a client has described, as far as `rules` let him.
    ///
    /// # Errors
    /// Messages about what is wrong with it.
    pub(crate) fn of(source: &Source, rules: &AggregationConfig) -> Result<Self, Failure> {
        let mut wrong = Vec::new();
        let place = place_of(source, rules, &mut wrong);
        let id = NodeId::new(&source.id);
        if RESERVED.contains(&&*source.id) {
            let message = message::property_value_error("Id");
            wrong.push(about(
                message,
                "Id",
                "The service has this name for itself. Give another Id.",
            ));
        } else if id.is_none() {
            let message = message::property_value_format_error(&source.id, "Id");
            let text = "Give letters, digits, '.', '_' and '-': it becomes part of URIs.";
            wrong.push(about(message, "Id", text));
        }
        let login = source.login.as_ref();
        let refused = login.and_then(|login| {
            let made = Login::new(&login.user_name, login.password.as_bytes());
            made.err()
        });
        if let Some(error) = refused {
            let property = match error {
                LoginError::UserNameTooLong => "UserName",
                _ => "Password",
            };
            let message = message::property_value_error(property);
            wrong.push(about(message, property, &format!("Not possible: {error}.")));
        }
        let (Some((host, port)), Some(id)) = (place, id) else {
            return Err(Failure::Messages(wrong));
        };
        if !wrong.is_empty() {
            return Err(Failure::Messages(wrong));
        }
        let credentials = match login {
            Some(_) => format!("{OWN_CREDENTIALS}{id}"),
            None => DEFAULT.to_owned(),
        };
        let treatment = Treatment {
            port,
            credentials,
            place: Place::default(),
            labels: BTreeMap::new(),
            quirks: Quirks::default(),
            poll_interval_ms: None,
            sensor_intervals: SensorIntervals::default(),
            gap_ms: 0,
            reach: Reach {
                allow: Some(Arc::clone(&rules.allow_destinations)),
                exclude: None,
            },
        };
        Ok(Self {
            target: TargetConfig {
                id,
                host,
                treatment: Arc::new(treatment),
                at: 0,
            },
            login: source.login.clone(),
        })
    }

    /// Its name.
    pub(crate) const fn id(&self) -> &NodeId {
        &self.target.id
    }

    /// As the fleet gets it.
    pub(crate) const fn target(&self) -> &TargetConfig {
        &self.target
    }

    /// Its own login.
    pub(super) const fn login(&self) -> Option<&SourceLogin> {
        self.login.as_ref()
    }

    /// Its host and port.
    pub(super) fn host(&self) -> (String, u16) {
        (self.target.host.clone(), self.target.treatment.port)
    }

    /// Whether it is at the same host and port as another one.
    pub(crate) fn is_at_place_of(&self, other: &Self) -> bool {
        at(&self.target) == at(&other.target)
    }
}

/// Host and port of what a client has described; what is wrong with them goes to the rest that is.
fn place_of(
    source: &Source,
    rules: &AggregationConfig,
    wrong: &mut Vec<Message>,
) -> Option<(String, u16)> {
    let (host, named) = match host(&source.host_name) {
        Ok(place) => place,
        Err(text) => {
            let message = message::property_value_format_error(&source.host_name, "HostName");
            wrong.push(about(message, "HostName", &text));
            return None;
        }
    };
    let other = source.port.filter(|port| Some(*port) != named);
    if let (Some(named), Some(port)) = (named, other) {
        let message = message::property_value_error("Port");
        let text = format!(
            "HostName says that the port is {named}: give it there or as Port, not {port}."
        );
        wrong.push(about(message, "Port", &text));
    }
    let address = host.parse();
    if address.is_ok_and(|at: IpAddr| is_refused_destination(at, &rules.allow_destinations)) {
        let message = message::property_value_error("HostName");
        let text = "The service connects to no such address. Its configuration can allow that network ([aggregation] allow_destinations).";
        wrong.push(about(message, "HostName", text));
    }
    Some((host, source.port.or(named).unwrap_or(PORT)))
}

fn about(message: Message, property: &str, resolution: &str) -> Message {
    message
        .about(format!("/{property}"))
        .with_resolution(resolution)
}

/// What messages say, as one text.
fn reason(failure: &Failure) -> String {
    let Failure::Messages(messages) = failure else {
        return failure.to_string();
    };
    let texts: Vec<String> = messages
        .iter()
        .map(|message| message.text().to_string())
        .collect();
    texts.join(" ")
}

fn at(target: &TargetConfig) -> (&str, u16) {
    (&target.host, target.treatment.port)
}

/// The host that a client means, and the port where it stands beside, an address or name always written in the same way. `HostName` is a URL for DSP0268
/// (`OData.IsURL`): `ipmi://host:port` and `//host:port` say the same as `host:port`.
fn host(text: &str) -> Result<(String, Option<u16>), String> {
    let form = || HOST_FORM.to_owned();
    let scheme = |text: &str| {
        text.get(..5)
            .is_some_and(|s| s.eq_ignore_ascii_case("ipmi:"))
    };
    let rest = if scheme(text) { &text[5..] } else { text };
    let text = match rest.strip_prefix("//") {
        Some(authority) => authority.strip_suffix('/').unwrap_or(authority),
        None if scheme(text) => return Err(form()),
        None => text,
    };
    let in_brackets = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let (host, port) = match in_brackets.filter(|inner| inner.parse::<Ipv6Addr>().is_ok()) {
        Some(inner) => (inner, None),
        None => host_and_port(text).map_err(|_| form())?,
    };
    if port == Some(0) {
        return Err(form());
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        // One IPv4 address is one BMC, however it is written.
        let address = address.to_canonical();
        let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        return match address.is_unspecified() || address.is_multicast() || is_broadcast {
            true => Err("Give the address of one BMC.".to_owned()),
            false => Ok((address.to_string(), port)),
        };
    }
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        !label.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    // What ends in a number would be an address (RFC 1123 §2.1), and isn't one.
    let is_name = name.len() <= HOST_MAX
        && name.split('.').all(is_label)
        && !last.bytes().all(|b| b.is_ascii_digit());
    match is_name {
        true => Ok((name.to_ascii_lowercase(), port)),
        false => Err(form()),
    }
}

/// The name of a machine whose client gives it none: after its host.
pub(crate) fn id_of(host_name: &str, port: Option<u16>) -> String {
    let (host, named) = host(host_name).unwrap_or_else(|_| (host_name.to_owned(), None));
    let port = port.or(named).unwrap_or(PORT);
    let safe = |c: char| match c {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' => c,
        _ => '-',
    };
    let mut id: String = host.chars().map(safe).collect();
    if port != PORT {
        id.push_str(&format!("-{port}"));
    }
    let end = id.len().saturating_sub(NodeId::LEN_MAX);
    match id[end..].trim_start_matches(['.', '-']) {
        "" => "BMC".to_owned(),
        id => id.to_owned(),
    }
}

/// Why an entry can't be with the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Clash {
    /// Another machine has its name.
    Name,
    /// Another machine has its BMC.
    Host(NodeId),
    /// A rack, block or sled has its name.
    Place,
    /// It brings no credentials, and there are none for all.
    NoCredentials,
    /// There are [`TARGETS_MAX`] others.
    Full,
}

impl Clash {
    /// As a refusal of what a client asks for.
    pub(crate) fn failure(&self, source: &Source) -> Failure {
        let exists = |property, value: &str| Failure::AlreadyExists {
            resource: "AggregationSource",
            property,
            value: value.to_owned(),
        };
        match self {
            Self::Name => exists("Id", &source.id),
            Self::Host(_) => exists("HostName", &source.host_name),
            Self::Place => Failure::PropertyValueUnavailable {
                pointer: "/Id".to_owned(),
                value: source.id.clone(),
                remedy: format!("{self}. Give another Id."),
            },
            Self::NoCredentials => {
                let missing = ["UserName", "Password"].map(|property| {
                    let message = message::create_failed_missing_req_properties(property);
                    about(message, property, &format!("{self}."))
                });
                Failure::Messages(missing.to_vec())
            }
            Self::Full => Failure::LimitReached,
        }
    }
}

/// A sentence without its full stop, for operators.
impl std::fmt::Display for Clash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name => f.write_str("The configuration names another machine so"),
            Self::Host(other) => write!(f, "{other} has the same BMC"),
            Self::Place => f.write_str("A rack, block or sled has this name"),
            Self::NoCredentials => {
                f.write_str("It needs a user name and a password: the configuration gives none ([aggregation] default_login)")
            }
            Self::Full => write!(f, "There are {TARGETS_MAX} BMCs, and no more are possible"),
        }
    }
}

impl Pushed {
    /// What is kept of an earlier run, under the rules of this one. What can't be used is left out: the log and its `Status` say so.
    pub(crate) fn of(kept: &[Source], rules: AggregationConfig) -> Self {
        let (mut bmcs, mut unusable) = (BTreeMap::new(), BTreeMap::new());
        let mut claims: HashMap<_, BTreeSet<_>> = HashMap::new();
        for source in kept {
            match Bmc::of(source, &rules) {
                Ok(bmc) => {
                    claims
                        .entry(bmc.host())
                        .or_default()
                        .insert(bmc.id().clone());
                    bmcs.insert(bmc.target.id.clone(), bmc);
                }
                Err(failure) => {
                    tracing::error!(
                        source = source.id,
                        %failure,
                        "a BMC that a client has named can't be used: change or remove it in the AggregationService"
                    );
                    unusable.insert(source.id.clone(), reason(&failure));
                }
            }
        }
        Self {
            bmcs,
            claims,
            unusable,
            rules,
        }
    }

    /// How many there are that can be used.
    pub(crate) fn count(&self) -> usize {
        self.bmcs.len()
    }

    /// The names of all, also of those that can't be used.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        let usable = self.bmcs.keys().map(ToString::to_string);
        usable.chain(self.unusable.keys().cloned())
    }

    /// All of these, by their names.
    pub(super) fn all(&self) -> impl Iterator<Item = &Bmc> {
        self.bmcs.values()
    }

    /// Those with these names.
    pub(super) fn those(&self, ids: &BTreeSet<NodeId>) -> impl Iterator<Item = &Bmc> {
        ids.iter().filter_map(|id| self.bmcs.get(id))
    }

    /// Who names the host and port of this one, by name.
    pub(super) fn claimants(&self, bmc: &Bmc) -> impl Iterator<Item = &NodeId> {
        self.claims.get(&bmc.host()).into_iter().flatten()
    }

    /// The one with this name.
    pub(crate) fn get(&self, id: &str) -> Option<&Bmc> {
        self.bmcs.get(id)
    }

    /// Those that can't be used, and why.
    pub(crate) const fn unusable(&self) -> &BTreeMap<String, String> {
        &self.unusable
    }

    /// What clients may name.
    pub(crate) const fn rules(&self) -> &AggregationConfig {
        &self.rules
    }

    /// All that can be used, also those that stand aside.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &TargetConfig> {
        self.bmcs.values().map(|bmc| &bmc.target)
    }

    /// Whether there are credentials for those that bring none.
    pub(crate) fn has_default(&self, credentials: &Credentials) -> bool {
        self.rules.default_login && credentials.contains_key(DEFAULT)
    }

    /// From now on this one has the name `id`, or none has. Returns what was before.
    pub(crate) fn set(&mut self, id: &str, bmc: Option<Bmc>) -> Before {
        let unusable = self.unusable.remove(id);
        let before = self.bmcs.remove(id);
        if let Some(before) = &before
            && let Entry::Occupied(mut claim) = self.claims.entry(before.host())
        {
            claim.get_mut().remove(before.id());
            if claim.get().is_empty() {
                claim.remove();
            }
        }
        if let Some(bmc) = bmc {
            let claim = self.claims.entry(bmc.host()).or_default();
            claim.insert(bmc.id().clone());
            self.bmcs.insert(bmc.id().clone(), bmc);
        }
        Before {
            bmc: before,
            unusable,
        }
    }

    /// It is as it was.
    pub(crate) fn restore(&mut self, id: &str, before: Before) {
        self.set(id, before.bmc);
        let unusable = before.unusable.map(|reason| (id.to_owned(), reason));
        self.unusable.extend(unusable);
    }

    /// The operator's credentials with those that clients have given.
    pub(crate) fn with_own(&self, operators: &Credentials) -> Credentials {
        let mut all = operators.clone();
        all.extend(self.all().filter_map(|bmc| self.own(bmc, operators)));
        all
    }

    /// Those that these need.
    pub(crate) fn credentials_of<'a>(
        &self,
        bmcs: impl IntoIterator<Item = &'a Bmc>,
        operators: &Credentials,
    ) -> Credentials {
        let default = operators.get_key_value(DEFAULT);
        let default = default.map(|(name, default)| (name.clone(), default.clone()));
        let own = bmcs.into_iter().filter_map(|bmc| self.own(bmc, operators));
        own.chain(default).collect()
    }

    /// What one brings itself. Privilege and cipher suites are as in `[credentials.default]`; its `kg`, a secret, only where clients
    /// get the whole login.
    fn own(&self, bmc: &Bmc, operators: &Credentials) -> Option<(String, CredentialsConfig)> {
        let login = bmc.login.as_ref()?;
        let default = operators.get(DEFAULT);
        let own = CredentialsConfig {
            username: login.user_name.clone(),
            password: Secret::new(login.password.as_bytes()),
            kg: default
                .filter(|_| self.rules.default_login)
                .and_then(|default| default.kg.clone()),
            cipher_suites: default.and_then(|default| default.cipher_suites.clone()),
            privilege: default.map_or(ipmi::number::PrivilegeLevel::ADMINISTRATOR, |default| {
                default.privilege
            }),
        };
        Some((bmc.target.treatment.credentials.clone(), own))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::merge::merged;
    use super::super::roll::{Operators, Roll};
    use super::*;
    use crate::config::Config;

    fn source(id: &str, host_name: &str) -> Source {
        Source {
            id: id.to_owned(),
            name: id.to_owned(),
            host_name: host_name.to_owned(),
            port: None,
            method: "IPMI20".to_owned(),
            login: None,
        }
    }

    /// As where the operator gives his login to all.
    fn rules() -> AggregationConfig {
        AggregationConfig {
            default_login: true,
            ..AggregationConfig::default()
        }
    }

    fn with_login(user_name: &str, password: &str) -> Source {
        Source {
            login: Some(SourceLogin {
                user_name: user_name.to_owned(),
                password: password.to_owned().into(),
            }),
            ..source("n1", "10.0.0.1")
        }
    }

    /// With the operator's.
    fn roll(pushed: Pushed, config: &Config) -> Roll {
        let named = merged(config, &[]).unwrap();
        Roll::new(Operators::new(named), pushed, &config.credentials)
    }

    fn config(credentials: &str, targets: &str) -> Config {
        let text = format!(
            "[service]\nstate_dir = \"s\"\n[credentials.{credentials}]\nusername = \"u\"\n\
             password_command = [\"echo\", \"one\"]\ncipher_suites = [3]\n{targets}"
        );
        Config::parse(&text, Path::new("/")).unwrap()
    }

    #[test]
    fn a_host_is_one_address_or_name_with_or_without_a_port() {
        for (text, wanted) in [
            ("10.0.0.1", ("10.0.0.1", 623)),
            ("10.0.0.1:6230", ("10.0.0.1", 6230)),
            ("2001:db8:0:0::1", ("2001:db8::1", 623)),
            ("[2001:db8::1]:6230", ("2001:db8::1", 6230)),
            ("[2001:db8::1]", ("2001:db8::1", 623)),
            ("BMC1.Example.org.", ("bmc1.example.org", 623)),
            ("bmc1:1", ("bmc1", 1)),
            ("::ffff:10.0.0.1", ("10.0.0.1", 623)),
            ("[::ffff:a00:1]:6230", ("10.0.0.1", 6230)),
            ("ipmi://10.0.0.1", ("10.0.0.1", 623)),
            ("IPMI://bmc1:6230/", ("bmc1", 6230)),
            ("//[2001:db8::1]:6230", ("2001:db8::1", 6230)),
        ] {
            let bmc = Bmc::of(&source("n1", text), &AggregationConfig::default()).unwrap();
            let found = at(&bmc.target);
            assert_eq!(found, wanted, "{text}");
        }
        for text in [
            "",
            " ",
            ":623",
            "bmc1:",
            "bmc1:0",
            "bmc1:65536",
            "bmc1:x",
            "10.0.0",
            "10.0.0.256",
            "0.0.0.0",
            "::",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
            "a b",
            "bmc[1-3]",
            "bmc1,bmc2",
            "http://bmc1",
            "https://bmc1",
            "ipmi:bmc1",
            "ipmi://",
            "ipmi://admin@bmc1",
            "ipmi://bmc1/x",
            "::ffff:224.0.0.1",
            "::ffff:0.0.0.0",
            "bmc1/x",
            "a..b",
            "[bmc1]",
            "fe80::1%eth0",
        ] {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_machine_without_a_name_is_named_after_its_host() {
        for (text, wanted) in [
            ("BMC1.example.org", "bmc1.example.org"),
            ("10.0.0.1:623", "10.0.0.1"),
            ("10.0.0.1:6230", "10.0.0.1-6230"),
            ("[::1]:6230", "1-6230"),
            ("2001:db8::1", "2001-db8--1"),
        ] {
            let id = id_of(text, None);
            assert_eq!(id, wanted);
            assert!(NodeId::new(&id).is_some());
        }
        assert_eq!(id_of("[::1]", Some(6230)), "1-6230");
        assert_eq!(id_of("10.0.0.1", Some(623)), "10.0.0.1");
        assert!(NodeId::new(&id_of(&"ä".repeat(200), None)).is_some());
        assert!(NodeId::new(&id_of(&"a.".repeat(200), None)).is_some());
    }

    #[test]
    fn a_port_is_said_beside_the_host_or_by_itself_and_twice_only_where_it_is_the_same() {
        for (host_name, port, wanted) in [
            ("10.0.0.1", Some(6230), Some(("10.0.0.1", 6230))),
            (
                "ipmi://[2001:db8::1]",
                Some(623),
                Some(("2001:db8::1", 623)),
            ),
            ("10.0.0.1:6230", Some(6230), Some(("10.0.0.1", 6230))),
            ("10.0.0.1:6230", Some(623), None),
            ("10.0.0.1:623", Some(6230), None),
        ] {
            let source = Source {
                port,
                ..source("n1", host_name)
            };
            match (Bmc::of(&source, &AggregationConfig::default()), wanted) {
                (Ok(bmc), Some(wanted)) => assert_eq!(at(&bmc.target), wanted),
                (Err(Failure::Messages(messages)), None) => {
                    assert_eq!(messages[0].related_properties(), ["#/Port"]);
                }
                (found, _) => panic!("{source:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn what_can_not_be_a_bmc_is_refused_with_the_property_and_without_the_password() {
        let long = "x".repeat(21);
        for (source, wanted) in [
            (source("n1", "a b"), "#/HostName"),
            (source("n 1", "10.0.0.1"), "#/Id"),
            (source("RedDrum", "10.0.0.1"), "#/Id"),
            (source("Members", "10.0.0.1"), "#/Id"),
            (source("n1", "127.0.0.1"), "#/HostName"),
            (source("n1", "169.254.169.254"), "#/HostName"),
            (source("n1", "[::ffff:127.0.0.1]:623"), "#/HostName"),
            (source("n1", "fe80::1"), "#/HostName"),
            (with_login(&long, "secret"), "#/UserName"),
            (with_login("admin", &long), "#/Password"),
        ] {
            let Err(Failure::Messages(messages)) = Bmc::of(&source, &AggregationConfig::default())
            else {
                panic!("{source:?} is taken");
            };
            assert_eq!(messages.len(), 1);
            assert_eq!(messages[0].related_properties(), [wanted]);
            assert!(!format!("{messages:?}").contains(&long));
        }
    }

    #[test]
    fn the_configuration_allows_networks_that_are_refused_otherwise() {
        let allowed = AggregationConfig {
            allow_destinations: Arc::new(["127.0.0.0/8".parse().unwrap()]),
            default_login: false,
        };
        let local = with_login("admin", "secret");
        for (host, is_taken) in [
            ("127.0.0.2", true),
            ("::ffff:127.0.0.2", true),
            ("::1", false),
        ] {
            let source = Source {
                host_name: host.to_owned(),
                ..local.clone()
            };
            assert_eq!(Bmc::of(&source, &allowed).is_ok(), is_taken, "{host}");
            assert!(
                Bmc::of(&source, &AggregationConfig::default()).is_err(),
                "{host}"
            );
        }
    }

    #[test]
    fn what_is_kept_but_can_not_be_used_any_more_says_why_until_it_is_changed() {
        let kept = [source("n1", "127.0.0.1"), source("RedDrum", "10.0.0.1")];
        let mut pushed = Pushed::of(&kept, AggregationConfig::default());
        let ids: Vec<&String> = pushed.unusable().keys().collect();
        assert_eq!(ids, ["RedDrum", "n1"]);
        assert!(pushed.unusable()["n1"].contains("HostName"));
        let bmc = Bmc::of(
            &with_login("admin", "secret"),
            &AggregationConfig::default(),
        )
        .unwrap();
        let before = pushed.set("n1", Some(bmc));
        assert!(!pushed.unusable().contains_key("n1"));
        pushed.restore("n1", before);
        assert!(pushed.unusable().contains_key("n1") && pushed.get("n1").is_none());
        pushed.set("RedDrum", None);
        assert_eq!(pushed.unusable().len(), 1);
    }

    #[test]
    fn the_operators_login_and_key_are_given_away_only_where_he_says_so() {
        let text = "[service]\nstate_dir = \"s\"\n[credentials.default]\nusername = \"u\"\n\
                    password_command = [\"echo\", \"one\"]\nkg_command = [\"echo\", \"74776f\"]\n\
                    cipher_suites = [17]\n";
        let config = Config::parse(text, Path::new("/")).unwrap();
        let kept = [with_login("admin", "secret"), source("n2", "10.0.0.2")];
        for (rules, joined, has_kg) in
            [(AggregationConfig::default(), 1, false), (rules(), 2, true)]
        {
            let pushed = Pushed::of(&kept, rules);
            let own = &pushed.with_own(&config.credentials)["AggregationSources/n1"];
            assert_eq!(own.kg.is_some(), has_kg);
            assert_eq!(own.cipher_suites.as_deref(), Some(&[17][..]));
            let roll = roll(pushed, &config);
            assert_eq!((roll.count(), roll.aside().len()), (joined, 2 - joined));
            let clash = roll.aside().values().next();
            assert!(clash.is_none_or(|clash| *clash == Clash::NoCredentials));
        }
    }

    #[test]
    fn what_can_not_be_with_the_rest_stands_aside_and_the_others_join() {
        let config = config(
            "default",
            "[[target]]\nhosts = \"10.0.0.[1-2]\"\nnames = \"n[1-2]\"\nrack = \"R1\"\n",
        );
        let pushed = Pushed::of(
            &[
                source("a1", "10.0.0.1:623"),
                source("a2", "10.0.0.3"),
                source("a3", "10.0.0.3:623"),
                source("R1", "10.0.0.4"),
                source("n1", "10.0.0.5"),
                source("n9", "10.0.0.1:6230"),
            ],
            rules(),
        );
        let roll = roll(pushed, &config);
        let id = |name: &str| NodeId::new(name).unwrap();
        let all = roll.targets();
        let ids: Vec<&str> = all.iter().map(|target| target.id.as_str()).collect();
        assert_eq!(ids, ["n1", "n2", "a2", "n9"]);
        let wanted = BTreeMap::from([
            (id("a1"), Clash::Host(id("n1"))),
            (id("a3"), Clash::Host(id("a2"))),
            (id("R1"), Clash::Place),
            (id("n1"), Clash::Name),
        ]);
        assert_eq!(*roll.aside(), wanted);
        // What stands aside has its place all the same.
        let new = Bmc::of(&source("a4", "10.0.0.5"), &rules()).unwrap();
        assert_eq!(roll.clash(&new), Some(Clash::Host(id("n1"))));
    }

    #[test]
    fn a_login_of_its_own_has_all_else_of_the_default_one_which_others_need() {
        let (with, without) = (config("default", ""), config("other", ""));
        let own = with_login("admin", "secret");
        let pushed = Pushed::of(&[own, source("n2", "10.0.0.2")], rules());
        let credentials = pushed.with_own(&with.credentials);
        let own = &credentials["AggregationSources/n1"];
        assert_eq!(
            (&*own.username, own.password.expose()),
            ("admin", &b"secret"[..])
        );
        assert_eq!(own.cipher_suites.as_deref(), Some(&[3][..]));
        assert_eq!(credentials.len(), 2);
        assert_eq!(
            pushed.credentials_of(pushed.all(), &with.credentials),
            credentials
        );
        let mut roll = roll(pushed, &with);
        assert_eq!((roll.count(), roll.aside().len()), (2, 0));
        let settled = roll.settle(Operators::default(), &without.credentials);
        roll.hold(settled);
        assert_eq!((roll.count(), roll.aside().len()), (1, 1));
    }
}
