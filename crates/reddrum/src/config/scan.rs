//! `scan` in `[[inventory]]`: ranges of addresses in which BMCs are looked for. Who answers there is given a login, so that everything
//! is to be said by the operator: which addresses, which not, and which credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hardware::NodeId;
use redfish::{Network, is_refused_destination};

use super::hosts::{self, HOSTS_MAX};
use super::section::{Problems, Section};
use super::target::{TargetConfig, Treatment, read_treatment};
use crate::scan::{PINGS_PER_S_DEFAULT, PINGS_PER_S_LIMITS, Pace, ROUNDS_DEFAULT};

/// The keys that only an entry with `scan` may have.
const OWN_KEYS: [&str; 5] = [
    "exclude",
    "names",
    "every_s",
    "pings_per_s",
    "forget_after_s",
];

/// The keys that an entry with `scan` can't have, besides `file` and `url`.
const KEYS_OF_LISTS: [&str; 8] = [
    "format",
    "refresh_s",
    "allow_empty",
    "ca_file",
    "token_file",
    "token_env",
    "token_command",
    "token_vault",
];

/// The most addresses that all entries scan together: four networks of /16.
pub(crate) const SCANNED_MAX: usize = 4 * HOSTS_MAX;

/// The most networks that one entry excludes: each is compared with each address.
const EXCLUDED_NETWORKS_MAX: usize = 64;

/// What `every_s` may be: up to a week.
const EVERY_LIMITS_S: std::ops::RangeInclusive<u32> = 10..=604_800;

/// How often is scanned where the file says nothing.
const EVERY_DEFAULT_S: u32 = 3_600;

/// What `forget_after_s` may be: a minute to a year.
const FORGET_LIMITS_S: std::ops::RangeInclusive<u32> = 60..=31_536_000;

/// How long a BMC stays that is silent where the file says nothing: a week.
const FORGET_DEFAULT_S: u32 = 604_800;

/// How long answers are waited for at the end of a round.
const PATIENCE: Duration = Duration::from_secs(1);

/// Ranges in which BMCs are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScanConfig {
    /// What the log and metrics call it: its ranges. No other has the same.
    pub(crate) title: String,
    /// What becomes of the BMC at each address or name, if there is one; without those that are excluded. At most [`HOSTS_MAX`].
    pub(crate) candidates: Vec<TargetConfig>,
    /// Where nobody is asked, also where a name leads there.
    pub(crate) exclude: Arc<Excluded>,
    /// How often is scanned, from one beginning to the next, in seconds.
    pub(crate) every_s: u32,
    /// Pings in any one second, at most.
    pub(crate) pings_per_s: u32,
    /// How long a BMC stays that neither answers pings nor is reached, in seconds.
    pub(crate) forget_after_s: u32,
}

impl ScanConfig {
    /// How fast is scanned.
    pub(crate) const fn pace(&self) -> Pace {
        Pace {
            pings_per_s: self.pings_per_s,
            rounds: ROUNDS_DEFAULT,
            patience: PATIENCE,
        }
    }

    /// Whether a scan for `other` finds the same as one for this.
    pub(crate) fn asks_as(&self, other: &Self) -> bool {
        let place = |target: &TargetConfig| (target.host.clone(), target.treatment.port);
        let places = |of: &Self| of.candidates.iter().map(place).collect::<Vec<_>>();
        self.title == other.title && self.exclude == other.exclude && places(self) == places(other)
    }
}

/// Addresses, names and networks where nobody is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Excluded {
    /// As [`same`] writes them.
    hosts: BTreeSet<String>,
    networks: Vec<Network>,
}

impl Excluded {
    /// Whether this address is one of them.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.hosts.contains(&address.to_string())
            || self
                .networks
                .iter()
                .any(|network| network.contains(address))
    }

    fn has_host(&self, host: &str) -> bool {
        match host.parse::<IpAddr>() {
            Ok(address) => self.has(address),
            Err(_) => self.hosts.contains(&same(host)),
        }
    }
}

/// What is scanned already.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Hosts, and by which range.
    hosts: BTreeMap<String, String>,
    names: BTreeSet<NodeId>,
}

/// A host, always written in the same way.
fn same(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

/// Whether nobody at all can have this address.
fn is_nobodys(address: IpAddr) -> bool {
    let is_broadcast =
        matches!(address, IpAddr::V4(v4) if v4.is_broadcast() || v4.octets()[0] == 0);
    is_broadcast || address.is_unspecified() || address.is_multicast()
}

/// Reports keys that only an entry with `scan` may have.
pub(super) fn refuse_keys(section: &Section<'_, '_>, problems: &mut Problems<'_>) {
    for key in OWN_KEYS.into_iter().filter(|key| section.has(key)) {
        section.problem(problems, key, "is only for scan, not for a file or url");
    }
}

/// Reads an entry with `scan`.
pub(super) fn read(
    root: &Section<'_, '_>,
    section: &Section<'_, '_>,
    scanned: &mut Scanned,
    problems: &mut Problems<'_>,
) -> Option<ScanConfig> {
    let before = problems.count();
    for key in KEYS_OF_LISTS.into_iter().filter(|key| section.has(key)) {
        section.problem(problems, key, "is only for a file or url, not for scan");
    }
    if !section.has("credentials") {
        let text = "is missing: every BMC that is found is logged in to, so name the [credentials.NAME] for it";
        section.problem(problems, "credentials", text);
        return None;
    }
    let mut treatment = read_treatment(root, section, problems);
    // A name that the operator wrote may lead to where he would scan nobody.
    treatment.reach.allow = Some(Arc::from([]));
    let ranges = section.strings(problems, "scan");
    let exclude = section.strings(problems, "exclude");
    let names = section.string(problems, "names");
    let every_s = section.integer(problems, "every_s", EVERY_LIMITS_S, EVERY_DEFAULT_S);
    let pings_per_s = section.integer(
        problems,
        "pings_per_s",
        PINGS_PER_S_LIMITS,
        PINGS_PER_S_DEFAULT,
    );
    let forget_after_s = section.integer(
        problems,
        "forget_after_s",
        FORGET_LIMITS_S,
        FORGET_DEFAULT_S,
    );
    if problems.count() > before {
        return None;
    }
    let read = candidates(&ranges, &exclude, names.as_deref(), treatment, scanned);
    let (candidates, exclude) = read
        .map_err(|(key, text)| section.problem(problems, key, text))
        .ok()?;
    let config = ScanConfig {
        title: title(&ranges),
        candidates,
        exclude,
        every_s,
        pings_per_s,
        forget_after_s,
    };
    let longest_s = config.pace().longest(config.candidates.len()).as_secs();
    if longest_s > every_s.into() {
        let count = config.candidates.len();
        let text = format!(
            "a scan of {count} addresses takes up to {longest_s} s, and is to begin every {every_s} s: raise this or every_s"
        );
        section.problem(problems, "pings_per_s", text);
    }
    Some(config)
}

fn title(ranges: &[String]) -> String {
    match ranges {
        [] => String::new(),
        [range] => range.clone(),
        [range, others @ ..] => format!("{range} and {} more", others.len()),
    }
}

/// What is wrong, and with which key.
type Wrong = (&'static str, String);

fn candidates(
    ranges: &[String],
    exclude: &[String],
    names: Option<&str>,
    mut treatment: Treatment,
    scanned: &mut Scanned,
) -> Result<(Vec<TargetConfig>, Arc<Excluded>), Wrong> {
    let hosts = all_hosts(ranges).map_err(|text| ("scan", text))?;
    let names = match names {
        None => None,
        Some(names) => Some(hosts::expand(names).map_err(|text| ("names", text))?),
    };
    if let Some(names) = names.as_ref().filter(|names| names.len() != hosts.len()) {
        let (names, hosts) = (names.len(), hosts.len());
        let text = format!("{names} names for the {hosts} addresses of scan");
        return Err(("names", text));
    }
    let exclude = Arc::new(excluded(exclude, &hosts).map_err(|text| ("exclude", text))?);
    treatment.reach.exclude = Some(Arc::clone(&exclude));
    let treatment = Arc::new(treatment);
    let mut found = Vec::new();
    for (
        index,
        Host {
            host,
            range,
            is_out,
        },
    ) in hosts.into_iter().enumerate()
    {
        if is_out || exclude.has_host(&host) {
            continue;
        }
        let name = names.as_ref().map_or(&host, |names| &names[index]);
        let id = NodeId::new(name).ok_or_else(|| {
            let text = format!(
                "'{name}' can't name a machine: give a range of names of letters, digits, '.', '_' and '-'"
            );
            ("names", text)
        })?;
        if let Some(other) = scanned.hosts.insert(same(&host), range.to_owned()) {
            let text = format!("'{host}' is in '{other}' and in '{range}': scan it by one of them");
            return Err(("scan", text));
        }
        if !scanned.names.insert(id.clone()) {
            let text = format!("'{id}' is there twice, or in another entry with scan");
            return Err(("names", text));
        }
        found.push(TargetConfig {
            id,
            host,
            treatment: Arc::clone(&treatment),
            at: 0,
        });
    }
    if found.is_empty() {
        return Err(("scan", "names nobody: give ranges such as \"10.20.0.0/22\" or \"bmc[001-096]\", and don't exclude all of them".to_owned()));
    }
    if scanned.hosts.len() > SCANNED_MAX {
        let text = format!("all entries together scan more than {SCANNED_MAX} addresses");
        return Err(("scan", text));
    }
    Ok((found, exclude))
}

/// An address or a name of a range.
struct Host<'a> {
    host: String,
    range: &'a str,
    /// It is an address that is only scanned where a range has nothing else.
    is_out: bool,
}

/// The addresses and names of these ranges, in order.
fn all_hosts(ranges: &[String]) -> Result<Vec<Host<'_>>, String> {
    let mut all = Vec::new();
    for range in ranges {
        for part in hosts::split_outside_brackets(range)? {
            let hosts = part_hosts(part.trim())?;
            let special = |host: &String| {
                host.parse()
                    .is_ok_and(|address| is_refused_destination(address, &[]))
            };
            // Who writes nothing but loopback addresses means them.
            let is_meant = hosts.iter().all(special);
            let nobodys = |host: &&String| host.parse().is_ok_and(is_nobodys);
            if let Some(host) = hosts.iter().find(nobodys) {
                return Err(format!("'{part}': no BMC has the address {host}"));
            }
            if all.len() + hosts.len() > HOSTS_MAX {
                return Err(format!(
                    "more than {HOSTS_MAX} addresses: make two entries of it"
                ));
            }
            all.extend(hosts.into_iter().map(|host| Host {
                is_out: !is_meant && special(&host),
                host,
                range,
            }));
        }
    }
    Ok(all)
}

/// The hosts of a network or a range.
fn part_hosts(part: &str) -> Result<Vec<String>, String> {
    let say = |text: String| format!("'{part}': {text}");
    let network = hosts::network(part).map_err(|text| {
        say(format!(
            "{text}; several smaller ones may be named, and addresses of IPv6 one by one"
        ))
    })?;
    if let Some(hosts) = network {
        return Ok(hosts);
    }
    let hosts = hosts::expand(part).map_err(say)?;
    let wrong = hosts.iter().find(|host| !hosts::is_host(host));
    match wrong {
        None => match hosts.iter().find_map(|host| hosts::misfit(host)) {
            None => Ok(hosts),
            Some(text) => Err(text),
        },
        Some(host) => Err(hosts::misfit(host).unwrap_or_else(|| {
            format!("'{host}' is neither an address nor a name; a port is given by the key port")
        })),
    }
}

/// What these texts exclude of these hosts.
fn excluded(texts: &[String], scanned: &[Host<'_>]) -> Result<Excluded, String> {
    let mut exclude = Excluded::default();
    let has_names = scanned
        .iter()
        .any(|host| host.host.parse::<IpAddr>().is_err());
    let scanned_hosts: BTreeSet<String> = scanned.iter().map(|host| same(&host.host)).collect();
    let addresses: Vec<IpAddr> = scanned
        .iter()
        .filter_map(|host| host.host.parse().ok())
        .collect();
    let nothing = |what: &str| Err(format!("'{what}' is in none of the ranges of scan"));
    for text in texts {
        for part in hosts::split_outside_brackets(text)? {
            let part = part.trim();
            if part.contains('/') {
                let network: Network = part.parse().map_err(|e| format!("'{part}': {e}"))?;
                if exclude.networks.len() == EXCLUDED_NETWORKS_MAX {
                    return Err(format!("more than {EXCLUDED_NETWORKS_MAX} networks"));
                }
                if !has_names && !addresses.iter().any(|address| network.contains(*address)) {
                    return nothing(part);
                }
                exclude.networks.push(network);
                continue;
            }
            for host in part_hosts(part)? {
                let may_be_meant = has_names && host.parse::<IpAddr>().is_ok();
                if !may_be_meant && !scanned_hosts.contains(&same(&host)) {
                    return nothing(&host);
                }
                exclude.hosts.insert(same(&host));
            }
            if exclude.hosts.len() > HOSTS_MAX {
                return Err(format!("more than {HOSTS_MAX} addresses"));
            }
        }
    }
    Ok(exclude)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    const CREDENTIALS: &str =
        "[credentials.bmcs]\nusername = \"u\"\npassword_command = [\"echo\", \"one\"]\n";

    fn config(entries: &str) -> Result<Vec<ScanConfig>, String> {
        let text = format!("[service]\nstate_dir = \"s\"\n{CREDENTIALS}{entries}");
        match Config::parse(&text, Path::new("/")) {
            Ok(config) => Ok(config.scans),
            Err(problems) => Err(problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")),
        }
    }

    fn entry(rest: &str) -> String {
        format!("[[inventory]]\ncredentials = \"bmcs\"\n{rest}\n")
    }

    fn hosts(rest: &str) -> Vec<String> {
        let scans = config(&entry(rest)).unwrap();
        let hosts = scans[0].candidates.iter().map(|target| &target.host);
        hosts.cloned().collect()
    }

    #[test]
    fn an_entry_scans_its_ranges_without_what_is_excluded() {
        let text = entry(
            "scan = [\"10.20.0.0/29\", \"bmc[08-09], 10.9.0.1\"]\nnames = \"a[1-6],b[1-3]\"\n\
             exclude = [\"10.20.0.2/31\", \"bmc09\"]\nrack = \"R1\"\nport = 6230",
        );
        let scan = &config(&text).unwrap()[0];
        let found: Vec<_> = scan
            .candidates
            .iter()
            .map(|target| (target.host.as_str(), target.id.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("10.20.0.1", "a1"),
                ("10.20.0.4", "a4"),
                ("10.20.0.5", "a5"),
                ("10.20.0.6", "a6"),
                ("bmc08", "b1"),
                ("10.9.0.1", "b3"),
            ]
        );
        assert_eq!(scan.title, "10.20.0.0/29 and 1 more");
        assert_eq!((scan.every_s, scan.pings_per_s), (3_600, 1_000));
        assert_eq!(scan.forget_after_s, 604_800);
        let treatment = &scan.candidates[0].treatment;
        assert_eq!((treatment.port, &*treatment.credentials), (6230, "bmcs"));
        assert!(scan.exclude.has("10.20.0.3".parse().unwrap()));
        assert!(scan.exclude.has("::ffff:10.20.0.3".parse().unwrap()));
        assert!(!scan.exclude.has("10.20.0.4".parse().unwrap()));
    }

    #[test]
    fn special_addresses_are_scanned_only_where_a_range_has_nothing_else() {
        assert_eq!(hosts("scan = [\"127.16.0.0/30\"]").len(), 2);
        assert_eq!(hosts("scan = [\"169.254.7.1\"]"), ["169.254.7.1"]);
        assert_eq!(
            hosts("scan = [\"[126-128].0.0.1\"]"),
            ["126.0.0.1", "128.0.0.1"]
        );
        // A cloud has its metadata there.
        let all = hosts("scan = [\"100.100.100.0/24\"]");
        assert_eq!(all.len(), 253);
        assert!(!all.contains(&"100.100.100.200".to_owned()));
        for edge in ["10.0.0.0", "10.0.0.255"] {
            assert!(!hosts("scan = [\"10.0.0.0/24\"]").contains(&edge.to_owned()));
        }
        assert_eq!(hosts("scan = [\"10.0.0.[0-255]\"]").len(), 256);
    }

    /// Entries that can't be, and what is told of each in one line.
    #[track_caller]
    fn assert_refused(entries: &[(&str, &str)]) {
        for (rest, wanted) in entries {
            let told = config(&entry(rest)).unwrap_err();
            assert!(told.contains(wanted), "{rest}: {told}");
            assert_eq!(told.lines().count(), 1, "{rest}: {told}");
        }
    }

    #[test]
    fn what_is_wrong_with_ranges_is_told_with_its_key_and_a_remedy() {
        assert_refused(&[
            (
                "scan = [\"10.0.0.0/8\"]",
                "scan: '10.0.0.0/8': a larger network than /16; several smaller",
            ),
            ("scan = [\"fd00::/64\"]", "addresses of IPv6 one by one"),
            ("scan = [\"10.0.0.1-20\"]", "ranges are in brackets"),
            (
                "scan = [\"10.0.0.01\"]",
                "'10.0.0.01' is neither an address nor a name",
            ),
            (
                "scan = [\"10.0.0.1:623\"]",
                "a port is given by the key port",
            ),
            ("scan = [\"bmc[1-\"]", "without ']'"),
            ("scan = []", "scan: names nobody"),
            ("scan = \"10.0.0.0/24\"", "expected a list of strings"),
            ("scan = [\"224.0.0.1\"]", "no BMC has the address 224.0.0.1"),
            (
                "scan = [\"255.255.255.[254-255]\"]",
                "no BMC has the address 255.255.255.255",
            ),
            (
                "scan = [\"10.0.0.0/24\", \"10.0.0.[7-9]\"]",
                "'10.0.0.7' is in '10.0.0.0/24' and in '10.0.0.[7-9]'",
            ),
            (
                "scan = [\"10.1.0.0/16\", \"10.2.0.0/24\"]",
                "more than 65536 addresses: make two entries",
            ),
        ]);
        let two = entry("scan = [\"10.0.0.0/24\"]") + &entry("scan = [\"10.0.0.[7-8]\"]\nport = 7");
        let told = config(&two).unwrap_err();
        assert!(
            told.contains("line 11: [[inventory]] scan: '10.0.0.7' is in '10.0.0.0/24'"),
            "{told}"
        );
    }

    #[test]
    fn what_is_wrong_with_other_keys_is_told_with_a_remedy() {
        assert_refused(&[
            (
                "scan = [\"10.0.0.0/30\"]\nexclude = [\"10.0.1.1\"]",
                "exclude: '10.0.1.1' is in none of the ranges",
            ),
            (
                "scan = [\"10.0.0.0/30\"]\nexclude = [\"10.1.0.0/24\"]",
                "exclude: '10.1.0.0/24' is in none",
            ),
            (
                "scan = [\"bmc[1-3]\"]\nexclude = [\"bmc4\"]",
                "exclude: 'bmc4' is in none",
            ),
            (
                "scan = [\"10.0.0.0/30\"]\nexclude = [\"10.0.0.0/30\"]",
                "don't exclude all of them",
            ),
            (
                "scan = [\"10.0.0.0/30\"]\nnames = \"n[1-4]\"",
                "names: 4 names for the 2 addresses",
            ),
            (
                "scan = [\"fd00::1\"]",
                "'fd00::1' can't name a machine: give a range of names",
            ),
            (
                "scan = [\"10.0.0.0/30\"]\nevery_s = 9",
                "every_s: 9 is out of range: 10 to 604800",
            ),
            (
                "scan = [\"10.0.0.0/16\"]\nevery_s = 60",
                "pings_per_s: a scan of 65534 addresses takes up to 134 s, and is to begin every 60 s",
            ),
            (
                "scan = [\"10.0.0.0/30\"]\nfile = \"a.csv\"",
                "scan: give file, url or scan, not several",
            ),
            (
                "scan = [\"10.0.0.0/30\"]\nrefresh_s = 60",
                "refresh_s: is only for a file or url",
            ),
            (
                "file = \"a.csv\"\nevery_s = 60",
                "every_s: is only for scan",
            ),
            (
                "scan = [\"10.0.0.0/30\"]\nexlude = []",
                "did you mean 'exclude'?",
            ),
        ]);
    }

    #[test]
    fn nobody_is_logged_in_to_unless_the_entry_names_credentials() {
        let told = config("[[inventory]]\nscan = [\"10.0.0.0/24\"]\n").unwrap_err();
        assert!(
            told.contains("[[inventory]] credentials: is missing"),
            "{told}"
        );
        let default = CREDENTIALS.replace("bmcs", "default");
        let told = config(&format!(
            "{default}[[inventory]]\nscan = [\"10.0.0.0/24\"]\n"
        ))
        .unwrap_err();
        assert!(
            told.contains("[[inventory]] credentials: is missing"),
            "{told}"
        );
    }

    #[test]
    fn only_what_changes_who_is_asked_takes_a_new_scan() {
        let scan = |rest: &str| config(&entry(rest)).unwrap().remove(0);
        let base = scan("scan = [\"10.0.0.0/24\"]");
        for same in [
            "every_s = 60",
            "pings_per_s = 7",
            "rack = \"R1\"",
            "forget_after_s = 60",
        ] {
            assert!(
                base.asks_as(&scan(&format!("scan = [\"10.0.0.0/24\"]\n{same}"))),
                "{same}"
            );
        }
        for other in ["port = 7", "exclude = [\"10.0.0.1\"]"] {
            assert!(
                !base.asks_as(&scan(&format!("scan = [\"10.0.0.0/24\"]\n{other}"))),
                "{other}"
            );
        }
        assert!(!base.asks_as(&scan("scan = [\"10.0.0.0/25\"]")));
    }
}
