//! Which BMCs a command is for: ranges, files, ports, look-ups.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::thread;

use super::failure::Failure;
use crate::config::hosts::{HOSTS_MAX, expand, misfit, network, split_outside_brackets};
use crate::error::ProgramError;

/// Names that are looked up at the same time.
const LOOKUPS_AT_ONCE: usize = 16;

/// The largest hosts file, in bytes.
const FILE_LEN_MAX: u64 = 16 << 20;

/// A BMC that a command is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Host {
    /// As the operator wrote it.
    pub(super) name: String,
    /// Its address, or why there is none.
    pub(super) address: Result<SocketAddr, Failure>,
}

/// The hosts of a range or file, in that order, each name once.
///
/// # Errors
/// Both or neither are given, the file can't be read, or what they say is no host.
pub(super) fn names(range: Option<&str>, file: Option<&Path>) -> Result<Vec<String>, ProgramError> {
    names_of(range, file, expand_one)
}

/// The same where whole networks may be asked, too.
///
/// # Errors
/// Those of [`names`], and a network that is none or too large.
pub(super) fn names_and_networks(
    range: Option<&str>,
    file: Option<&Path>,
) -> Result<Vec<String>, ProgramError> {
    names_of(range, file, expand_networks)
}

fn names_of(
    range: Option<&str>,
    file: Option<&Path>,
    expand: fn(&str) -> Result<Vec<String>, String>,
) -> Result<Vec<String>, ProgramError> {
    let from_file = |file: &Path| {
        let read = parse_file(&read_file(file)?, expand);
        read.map_err(|error| ProgramError::Usage(format!("{}, {error}", file.display())))
    };
    let names = match (range, file) {
        (Some(range), None) if range.starts_with('@') => from_file(Path::new(&range[1..]))?,
        (Some(range), None) => expand(range).map_err(|e| usage(range, &e))?,
        (None, Some(file)) => from_file(file)?,
        (Some(_), Some(_)) => {
            return Err(ProgramError::Usage(
                "give HOSTS or --hosts-file, not both".to_owned(),
            ));
        }
        (None, None) => {
            let text = "which BMCs? give HOSTS before the command, or --hosts-file FILE; \
                        see 'reddrum ipmi --help'";
            return Err(ProgramError::Usage(text.to_owned()));
        }
    };
    let mut seen = HashSet::new();
    let names: Vec<_> = names
        .into_iter()
        .filter(|name| seen.insert(name.clone()))
        .collect();
    if names.is_empty() {
        return Err(ProgramError::Usage("the list of hosts is empty".to_owned()));
    }
    if let Some((name, port)) = names
        .iter()
        .find_map(|name| Some((name, wrong_port(name)?)))
    {
        return Err(usage(
            name,
            &format!("port {port} is not one of 1 to 65535"),
        ));
    }
    Ok(names)
}

/// The port that a name ends in, where it can be none.
fn wrong_port(name: &str) -> Option<&str> {
    let (host, port) = name.rsplit_once(':')?;
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    // Anything else with colons is an address of IPv6.
    let has_port = is_number && (!host.contains(':') || host.ends_with(']'));
    let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
    (has_port && !is_port).then_some(port)
}

fn usage(range: &str, error: &str) -> ProgramError {
    ProgramError::Usage(format!("hosts '{range}': {error}"))
}

fn read_file(path: &Path) -> Result<String, ProgramError> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin()
            .take(FILE_LEN_MAX + 1)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(FILE_LEN_MAX + 1).read_to_string(&mut text))
    };
    match read {
        Err(error) => Err(ProgramError::Usage(format!("{}: {error}", path.display()))),
        Ok(len) if len as u64 > FILE_LEN_MAX => {
            let text = format!("{}: larger than {FILE_LEN_MAX} bytes", path.display());
            Err(ProgramError::Usage(text))
        }
        Ok(_) => Ok(text),
    }
}

/// One host or range a line; `#` begins a comment.
fn parse_file(
    text: &str,
    expand: fn(&str) -> Result<Vec<String>, String>,
) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            names.extend(expand(line).map_err(|error| format!("line {number}: {error}"))?);
        }
        if names.len() > HOSTS_MAX {
            return Err(format!("line {number}: more than {HOSTS_MAX} hosts"));
        }
    }
    Ok(names)
}

/// Expands a range; an IPv6 address in brackets is none.
fn expand_one(text: &str) -> Result<Vec<String>, String> {
    if text.parse::<SocketAddr>().is_ok() {
        return Ok(vec![text.to_owned()]);
    }
    let names = expand(text)?;
    match names.iter().find_map(|name| misfit(name)) {
        Some(error) => Err(error),
        None => Ok(names),
    }
}

/// Expands ranges and networks that are joined by commas.
fn expand_networks(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for part in split_outside_brackets(text)? {
        let part = part.trim();
        match network(part)? {
            Some(addresses) => names.extend(addresses),
            None => names.extend(expand_one(part)?),
        }
        if names.len() > HOSTS_MAX {
            return Err(format!("more than {HOSTS_MAX} hosts"));
        }
    }
    Ok(names)
}

/// Finds each host's address. A host that has none, or that of another, is a failure of that host alone.
pub(super) fn look_up(names: Vec<String>, port: u16) -> Vec<Host> {
    let literal = |name: String| Host {
        address: literal(&name, port).ok_or_else(no_address),
        name,
    };
    let mut hosts: Vec<Host> = names.into_iter().map(literal).collect();
    // An address needs no thread: to start some costs as much as to ask a hundred BMCs.
    let names = hosts.iter_mut().filter(|host| host.address.is_err());
    let mut names: Vec<&mut Host> = names.collect();
    let share = names.len().div_ceil(LOOKUPS_AT_ONCE).max(1);
    thread::scope(|scope| {
        for share in names.chunks_mut(share) {
            scope.spawn(|| {
                for host in share {
                    host.address = look_up_one(&host.name, port);
                }
            });
        }
    });
    let mut first = HashMap::new();
    for host in &mut hosts {
        if let Ok(address) = host.address
            && let Some(other) = first.insert(address, host.name.clone())
        {
            host.address = Err(Failure::SameAddress {
                other: other.clone(),
            });
            first.insert(address, other);
        }
    }
    hosts
}

fn look_up_one(name: &str, port: u16) -> Result<SocketAddr, Failure> {
    let mut found = split_port(name, port)
        .to_socket_addrs()
        .map_err(|error| Failure::NoAddress(error.to_string()))?;
    found.next().ok_or_else(no_address)
}

fn no_address() -> Failure {
    Failure::NoAddress("none was found".to_owned())
}

/// The address that a text is, with its port or the usual one.
fn literal(text: &str, port: u16) -> Option<SocketAddr> {
    let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port));
    address.or_else(|_| text.parse()).ok()
}

/// `name:port` taken apart.
fn split_port(name: &str, default: u16) -> (&str, u16) {
    let split = name
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)));
    split.unwrap_or((name, default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_tools_take_for_several_hosts_is_told_as_such() {
        for (text, told) in [
            ("10.0.0.0/24", "networks are for 'discover'"),
            ("10.0.0.1-4", "ranges are in brackets"),
            ("10.0.0.1-10.0.0.4", "ranges are in brackets"),
            ("bmc1 bmc2", "commas between hosts"),
        ] {
            let error = expand_one(text).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        for name in ["node-1", "10-0-0-1.example.org", "fd00::1", "10.0.0.1:623"] {
            assert_eq!(expand_one(name).unwrap(), [name]);
        }
    }

    #[test]
    fn a_port_may_follow_any_host() {
        assert_eq!(literal("10.0.0.1", 623), "10.0.0.1:623".parse().ok());
        assert_eq!(literal("10.0.0.1:6230", 623), "10.0.0.1:6230".parse().ok());
        assert_eq!(literal("fd00::1", 623), "[fd00::1]:623".parse().ok());
        assert_eq!(literal("[fd00::1]:7", 623), "[fd00::1]:7".parse().ok());
        assert_eq!(
            split_port("bmc1.example.org:7", 623),
            ("bmc1.example.org", 7)
        );
        assert_eq!(
            split_port("bmc1.example.org", 623),
            ("bmc1.example.org", 623)
        );
    }

    #[test]
    fn networks_and_ranges_may_be_joined_where_networks_may_be_asked() {
        let both = names_and_networks(Some("10.0.0.0/30, 10.0.1.[7-8],10.0.0.1"), None).unwrap();
        assert_eq!(both, ["10.0.0.1", "10.0.0.2", "10.0.1.7", "10.0.1.8"]);
        for wrong in ["10.0.0.0/30 10.0.1.0/30", "10.0.0.0/16,10.1.0.0/16", "a/24"] {
            let error = names_and_networks(Some(wrong), None);
            assert!(matches!(error, Err(ProgramError::Usage(_))), "{wrong}");
        }
    }

    #[test]
    fn a_file_has_ranges_comments_and_empty_lines() {
        let names = parse_file(
            "# rack 1\nbmc[1-2]\n\n 10.0.0.1:623 # spare\n[fd00::1]:623\n",
            expand_one,
        );
        assert_eq!(
            names.unwrap(),
            ["bmc1", "bmc2", "10.0.0.1:623", "[fd00::1]:623"]
        );
        let error = parse_file("bmc1\nbmc[2-\n", expand_one).unwrap_err();
        assert!(error.starts_with("line 2: "), "{error}");
    }

    #[test]
    fn a_host_that_is_named_twice_is_asked_once() {
        assert_eq!(
            names(Some("b,a,b,a[1-2]"), None).unwrap(),
            ["b", "a", "a1", "a2"]
        );
        let twice = ["10.0.0.1", "10.0.0.1:623", "10.0.0.2"].map(str::to_owned);
        let hosts = look_up(twice.to_vec(), 623);
        let other = "10.0.0.1".to_owned();
        assert_eq!(hosts[1].address, Err(Failure::SameAddress { other }));
        assert!(hosts[0].address.is_ok() && hosts[2].address.is_ok());
    }

    #[test]
    fn hosts_come_from_one_place() {
        let file = Some(Path::new("/nonexistent/hosts"));
        for (range, file) in [
            (None, None),
            (Some("a"), file),
            (None, file),
            (Some("a["), None),
        ] {
            assert!(matches!(names(range, file), Err(ProgramError::Usage(_))));
        }
    }
}
