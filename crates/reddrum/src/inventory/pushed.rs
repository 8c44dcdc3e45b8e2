//! BMCs that clients have named through Redfish's `AggregationService`: one more list, whose entries come and go one by one.
//!
//! What the operator names comes first. An entry that can't be with that, or with another entry before it, stands aside until
//! it can: a list that changes is never refused for what a client did, and the same holds after a restart.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use fleet::Quirks;
use hardware::{NodeId, SensorIntervals};
use ipmi::console::{Login, LoginError};
use redfish::{Failure, Message, Source, SourceLogin, is_refused_destination, message};

use super::entry::host_and_port;
use crate::config::{
    AggregationConfig, Credentials, CredentialsConfig, Place, Secret, TARGETS_MAX, TargetConfig,
    Treatment,
};
use crate::place;

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
        let place = host(&source.host_name).map_err(|text| {
            let message = message::property_value_format_error(&source.host_name, "HostName");
            wrong.push(about(message, "HostName", &text));
        });
        let address = place.as_ref().ok().and_then(|(host, _)| host.parse().ok());
        if address.is_some_and(|at: IpAddr| is_refused_destination(at, &rules.allow_destinations)) {
            let message = message::property_value_error("HostName");
            let text = "The service connects to no such address. Its configuration can allow that network ([aggregation] allow_destinations).";
            wrong.push(about(message, "HostName", text));
        }
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
        let (Ok((host, port)), Some(id)) = (place, id) else {
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
            allow: Some(Arc::clone(&rules.allow_destinations)),
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

    /// Whether it is at the same host and port as another one.
    pub(crate) fn is_at_place_of(&self, other: &Self) -> bool {
        at(&self.target) == at(&other.target)
    }
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

/// The host and the port that a client means, an address or name always written in the same way. `HostName` is a URL for DSP0268
/// (`OData.IsURL`): `ipmi://host:port` and `//host:port` say the same as `host:port`.
fn host(text: &str) -> Result<(String, u16), String> {
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
    let port = port.unwrap_or(PORT);
    if port == 0 {
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
pub(crate) fn id_of(host_name: &str) -> String {
    let (host, port) = host(host_name).unwrap_or_else(|_| (host_name.to_owned(), PORT));
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

/// What is taken already.
struct Taken<'a> {
    names: HashSet<&'a NodeId>,
    hosts: HashMap<(&'a str, u16), &'a NodeId>,
    places: BTreeSet<String>,
    has_credentials: bool,
}

impl<'a> Taken<'a> {
    fn by(targets: &'a [TargetConfig], has_credentials: bool) -> Self {
        let mut taken = Self {
            names: HashSet::with_capacity(targets.len()),
            hosts: HashMap::with_capacity(targets.len()),
            places: BTreeSet::new(),
            has_credentials,
        };
        let mut last: Option<&Place> = None;
        for target in targets {
            taken.add(target);
            let place = &target.treatment.place;
            // Those of one section come one after the other.
            if last != Some(place) {
                taken.places.extend(place::names(place));
                last = Some(place);
            }
        }
        taken
    }

    fn add(&mut self, target: &'a TargetConfig) {
        self.names.insert(&target.id);
        self.hosts.insert(at(target), &target.id);
    }

    fn clash(&self, bmc: &Bmc) -> Option<Clash> {
        let target = &bmc.target;
        if self.names.contains(&target.id) {
            return Some(Clash::Name);
        }
        if let Some(other) = self.hosts.get(&at(target)) {
            return Some(Clash::Host((*other).clone()));
        }
        if self.places.contains(target.id.as_str()) {
            return Some(Clash::Place);
        }
        if bmc.login.is_none() && !self.has_credentials {
            return Some(Clash::NoCredentials);
        }
        (self.names.len() >= TARGETS_MAX).then_some(Clash::Full)
    }
}

impl Pushed {
    /// What is kept of an earlier run, under the rules of this one. What can't be used is left out: the log and its `Status` say so.
    pub(crate) fn of(kept: &[Source], rules: AggregationConfig) -> Self {
        let (mut bmcs, mut unusable) = (BTreeMap::new(), BTreeMap::new());
        for source in kept {
            match Bmc::of(source, &rules) {
                Ok(bmc) => {
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
            unusable,
            rules,
        }
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

    /// Whether a client has named a machine so.
    pub(crate) fn has(&self, id: &NodeId) -> bool {
        self.bmcs.contains_key(id)
    }

    /// From now on this one has the name `id`, or none has. Returns what was before.
    pub(crate) fn set(&mut self, id: &str, bmc: Option<Bmc>) -> Before {
        let unusable = self.unusable.remove(id);
        let bmc = match bmc {
            Some(bmc) => self.bmcs.insert(bmc.target.id.clone(), bmc),
            None => self.bmcs.remove(id),
        };
        Before { bmc, unusable }
    }

    /// It is as it was.
    pub(crate) fn restore(&mut self, id: &str, before: Before) {
        self.set(id, before.bmc);
        let unusable = before.unusable.map(|reason| (id.to_owned(), reason));
        self.unusable.extend(unusable);
    }

    /// Why this one can't be with those of the operator and all others of clients, also those that stand aside.
    pub(crate) fn clash(
        &self,
        bmc: &Bmc,
        operators: &[TargetConfig],
        credentials: &Credentials,
    ) -> Option<Clash> {
        let mut taken = Taken::by(operators, self.has_default(credentials));
        let others = self.bmcs.values().filter(|other| other.id() != bmc.id());
        for other in others {
            taken.add(&other.target);
        }
        taken.clash(bmc)
    }

    /// Adds those to the operator's that can be with them, and says why the others can't.
    pub(crate) fn join(
        &self,
        operators: &mut Vec<TargetConfig>,
        credentials: &Credentials,
    ) -> BTreeMap<NodeId, Clash> {
        let mut aside = BTreeMap::new();
        let mut fit = Vec::new();
        let mut taken = Taken::by(operators, self.has_default(credentials));
        for (id, bmc) in &self.bmcs {
            match taken.clash(bmc) {
                Some(clash) => {
                    aside.insert(id.clone(), clash);
                }
                None => {
                    taken.add(&bmc.target);
                    fit.push(bmc.target.clone());
                }
            }
        }
        drop(taken);
        operators.append(&mut fit);
        aside
    }

    /// The operator's credentials with those that clients have given. Privilege and cipher suites are as in
    /// `[credentials.default]`; its `kg`, a secret, only where clients get the whole login.
    pub(crate) fn with_own(&self, operators: &Credentials) -> Credentials {
        let mut all = operators.clone();
        let default = operators.get(DEFAULT);
        for (id, bmc) in &self.bmcs {
            let Some(login) = &bmc.login else { continue };
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
            all.insert(format!("{OWN_CREDENTIALS}{id}"), own);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn source(id: &str, host_name: &str) -> Source {
        Source {
            id: id.to_owned(),
            name: id.to_owned(),
            host_name: host_name.to_owned(),
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
            let found = host(text).unwrap();
            assert_eq!((&*found.0, found.1), wanted, "{text}");
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
            let id = id_of(text);
            assert_eq!(id, wanted);
            assert!(NodeId::new(&id).is_some());
        }
        assert!(NodeId::new(&id_of(&"ä".repeat(200))).is_some());
        assert!(NodeId::new(&id_of(&"a.".repeat(200))).is_some());
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
            let mut all = Vec::new();
            let aside = pushed.join(&mut all, &config.credentials);
            assert_eq!((all.len(), aside.len()), (joined, 2 - joined));
            let clash = aside.into_values().next();
            assert!(clash.is_none_or(|clash| clash == Clash::NoCredentials));
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
        let mut all = config.targets.clone();
        let aside = pushed.join(&mut all, &config.credentials);
        let id = |name: &str| NodeId::new(name).unwrap();
        let ids: Vec<&str> = all.iter().map(|target| target.id.as_str()).collect();
        assert_eq!(ids, ["n1", "n2", "a2", "n9"]);
        let wanted = BTreeMap::from([
            (id("a1"), Clash::Host(id("n1"))),
            (id("a3"), Clash::Host(id("a2"))),
            (id("R1"), Clash::Place),
            (id("n1"), Clash::Name),
        ]);
        assert_eq!(aside, wanted);
        // What stands aside has its place all the same.
        let new = Bmc::of(&source("a4", "10.0.0.5"), &rules()).unwrap();
        let clash = pushed.clash(&new, &config.targets, &config.credentials);
        assert_eq!(clash, Some(Clash::Host(id("n1"))));
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
        for (config, wanted) in [(with, 2), (without, 1)] {
            let mut all = Vec::new();
            let aside = pushed.join(&mut all, &config.credentials);
            assert_eq!((all.len(), aside.len()), (wanted, 2 - wanted));
        }
    }
}
