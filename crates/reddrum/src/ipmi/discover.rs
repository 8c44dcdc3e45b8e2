//! `discover`: which addresses of a range have a BMC, by ASF ping (§13.2.3), without a login.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use ipmi::number::AsfEntities;
use ipmi::wire::asf::Asf;
use ipmi::wire::rmcp::{self, Class};
use ipmi::wire::{Reader, Writer};
use serde_json::json;

use super::args::{Connection, DiscoverArgs};
use super::drive::for_one_socket;
use super::failure::Failure;
use super::hosts::{self, Host};
use super::report::{self, Report};
use crate::config::hosts::HOSTS_MAX;
use crate::error::ProgramError;

/// Longest datagram that is looked at, in bytes: a pong has 28.
const PONG_MAX: usize = 128;

/// The least time between two progress lines.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// The network of `10.0.0.0/24`: its addresses, without the network's own and the broadcast address.
///
/// # Errors
/// It is no network, or too large a one.
pub(super) fn network(text: &str) -> Result<Option<Vec<String>>, ProgramError> {
    let Some((address, length)) = text.split_once('/') else {
        return Ok(None);
    };
    let usage = |why: &str| ProgramError::Usage(format!("hosts '{text}': {why}"));
    let address: Ipv4Addr = address
        .parse()
        .map_err(|_| usage("expected a network such as 10.0.0.0/24"))?;
    let length: u32 = length
        .parse()
        .ok()
        .filter(|length| (1..=32).contains(length))
        .ok_or_else(|| usage("a network's length is 1 to 32"))?;
    let count = 1_u64 << (32 - length);
    if count > HOSTS_MAX as u64 {
        return Err(usage("a larger network than /16"));
    }
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let first = u32::from(address) & !(count - 1);
    let all = (first..=first + (count - 1)).map(|address| Ipv4Addr::from(address).to_string());
    let edges = if count > 2 { 1 } else { 0 };
    let inner = usize::try_from(count - 2 * edges).unwrap_or(0);
    Ok(Some(all.skip(edges as usize).take(inner).collect()))
}

/// Pings every address, and prints those that answer.
///
/// # Errors
/// The operating system gives no socket, the socket fails, or a host has no address of its own.
pub(super) fn run(
    names: Vec<String>,
    connection: &Connection,
    args: &DiscoverArgs,
) -> Result<(), ProgramError> {
    let form = match (args.csv, connection.json) {
        (true, true) => {
            let text = "give --csv or --json, not both".to_owned();
            return Err(ProgramError::Usage(text));
        }
        (true, false) => Form::Csv,
        (false, true) => Form::Json,
        (false, false) => Form::Text,
    };
    let hosts = hosts::look_up(names, connection.port);
    let mut addresses: Vec<SocketAddr> = hosts
        .iter()
        .filter_map(|host| host.address.as_ref().ok().copied())
        .collect();
    for_one_socket(&mut addresses);
    let mut found = Vec::new();
    if !addresses.is_empty() {
        let mut scan = Scan::new(addresses, args, connection)
            .map_err(|e| ProgramError::system("opening a socket", e))?;
        found = scan
            .run()
            .map_err(|e| ProgramError::system("looking for BMCs", e))?;
    }
    let mut found = found.into_iter();
    let said = |host: Host| Said {
        ipmi: host.address.clone().map(|_| found.next().flatten()),
        host,
    };
    let said: Vec<Said> = hosts.into_iter().map(said).collect();
    match print(&said, form) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(ProgramError::system("standard output", error)),
        Ok(()) => end(&said),
    }
}

/// How what was found is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    /// As `[[inventory]]` takes it.
    Csv,
}

/// A host, and what it said.
struct Said {
    host: Host,
    /// Whether its BMC speaks IPMI, nothing, or why it was not asked.
    ipmi: Result<Option<bool>, Failure>,
}

/// The line of a list: an address with colons can't be the name of a machine.
fn csv_line(host: &Host) -> Option<String> {
    let address = host.address.as_ref().ok()?;
    let (bare, port) = match host.name.rsplit_once(':') {
        Some((bare, port)) if port.parse() == Ok(address.port()) => (bare, address.port()),
        _ => (host.name.as_str(), address.port()),
    };
    let bare = bare.trim_start_matches('[').trim_end_matches(']');
    let name = bare.replace([':', '%'], "-");
    Some(format!("{bare},{name},{port}"))
}

/// Prints what was found, in the order of the hosts.
fn print(said: &[Said], form: Form) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if form == Form::Csv {
        writeln!(out, "hosts,names,port")?;
    }
    for Said { host, ipmi } in said {
        let name = &host.name;
        match (ipmi, form) {
            (Ok(None), _) | (Ok(Some(false)), Form::Csv) => {}
            (Ok(Some(true)), Form::Csv) => {
                writeln!(out, "{}", csv_line(host).unwrap_or_default())?;
            }
            (Ok(Some(ipmi)), Form::Json) => {
                let report = Report::line("", json!({ "ipmi": ipmi }));
                writeln!(out, "{}", report::json(name, &Ok(report)))?;
            }
            (Ok(Some(ipmi)), Form::Text) => {
                let what = if *ipmi { "IPMI" } else { "ASF without IPMI" };
                writeln!(out, "{name}: {what}")?;
            }
            (Err(failure), Form::Json) => {
                writeln!(out, "{}", report::json(name, &Err(failure.clone())))?;
            }
            // The program's last words say it where there is one host.
            (Err(_), _) if said.len() == 1 => {}
            (Err(failure), _) => {
                out.flush()?;
                writeln!(io::stderr(), "{name}: {failure}")?;
            }
        }
    }
    out.flush()?;
    let answers = said.iter().filter(|said| matches!(said.ipmi, Ok(Some(_))));
    let (count, total) = (answers.count(), said.len());
    writeln!(io::stderr(), "{count} of {total} addresses answer")
}

/// The end: whether all hosts could be asked. One that is silent is no failure: most addresses of a network are.
fn end(said: &[Said]) -> Result<(), ProgramError> {
    let failures: Vec<_> = said
        .iter()
        .filter_map(|said| Some((&said.host.name, said.ipmi.as_ref().err()?)))
        .collect();
    let text = match failures.as_slice() {
        [] => return Ok(()),
        [(name, failure)] if said.len() == 1 => format!("{name}: {failure}"),
        failures => format!("{} of {} hosts failed", failures.len(), said.len()),
    };
    Err(ProgramError::Hosts(text))
}

struct Scan {
    socket: UdpSocket,
    addresses: Vec<SocketAddr>,
    /// Index of each address.
    places: HashMap<SocketAddr, usize>,
    /// What each said.
    found: Vec<Option<bool>>,
    /// Tells answers to us from others.
    tag: u8,
    /// Between two pings.
    pace: Duration,
    rounds: u8,
    patience: Duration,
    progress: bool,
}

impl Scan {
    fn new(
        addresses: Vec<SocketAddr>,
        args: &DiscoverArgs,
        connection: &Connection,
    ) -> io::Result<Self> {
        let ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
        let any = if ipv6 { "[::]:0" } else { "0.0.0.0:0" };
        Ok(Self {
            socket: UdpSocket::bind(any)?,
            places: (0..).zip(&addresses).map(|(n, a)| (*a, n)).collect(),
            found: vec![None; addresses.len()],
            addresses,
            // FFh means that no answer is wanted.
            tag: udp::RandomBytes::new()?.next_u32() as u8 & 0x7f,
            pace: Duration::from_secs(1) / args.rate,
            rounds: args.rounds,
            patience: Duration::from_millis(u64::from(connection.timeout_ms)),
            progress: io::stderr().is_terminal(),
        })
    }

    fn run(&mut self) -> io::Result<Vec<Option<bool>>> {
        let mut shown = Instant::now();
        for _ in 0..self.rounds {
            let mut due = Instant::now();
            for place in 0..self.addresses.len() {
                if self.found[place].is_some() {
                    continue;
                }
                self.receive_until(due)?;
                due += self.pace;
                self.ping(place);
                if self.progress && shown.elapsed() >= PROGRESS_EVERY {
                    shown = Instant::now();
                    let found = self.found.iter().flatten().count();
                    let total = self.addresses.len();
                    let mut terminal = io::stderr().lock();
                    write!(
                        terminal,
                        "\r{place} of {total} asked, {found} answer\x1b[K\r"
                    )?;
                    terminal.flush()?;
                }
            }
            self.receive_until(Instant::now() + self.patience)?;
        }
        Ok(std::mem::take(&mut self.found))
    }

    fn ping(&self, place: usize) {
        let mut buffer = [0; PONG_MAX];
        let mut w = Writer::new(&mut buffer);
        Asf::Ping { tag: self.tag }.encode(&mut w);
        // An address that can't be reached does not answer; the others are asked all the same.
        let _ = self.socket.send_to(w.written(), self.addresses[place]);
    }

    /// Takes answers up to this time.
    fn receive_until(&mut self, end: Instant) -> io::Result<()> {
        let mut buffer = [0; PONG_MAX];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.socket.set_read_timeout(Some(left))?;
            // Time-outs and refusals by addresses without a BMC: the time decides.
            let Ok((len, from)) = self.socket.recv_from(&mut buffer) else {
                continue;
            };
            let mut r = Reader::new(&buffer[..len]);
            if rmcp::decode(&mut r) == Ok(Class::Asf)
                && let Ok(Asf::Pong { tag, entities, .. }) = Asf::decode(&mut r)
                && tag == self.tag
                && let Some(place) = self.places.get(&from)
            {
                self.found[*place] = Some(entities.contains(AsfEntities::IPMI));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_list_has_the_bare_host_a_name_for_the_machine_and_the_port() {
        let line = |name: &str, address: &str| {
            csv_line(&Host {
                name: name.to_owned(),
                address: Ok(address.parse().unwrap()),
            })
        };
        for (name, address, expected) in [
            ("10.0.0.5", "10.0.0.5:623", "10.0.0.5,10.0.0.5,623"),
            ("bmc7:6230", "10.0.0.7:6230", "bmc7,bmc7,6230"),
            ("fd00::5", "[fd00::5]:623", "fd00::5,fd00--5,623"),
            ("[fd00::5]:6230", "[fd00::5]:6230", "fd00::5,fd00--5,6230"),
        ] {
            assert_eq!(line(name, address).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_network_has_its_inner_addresses() {
        let addresses = |text| network(text).map(Option::unwrap_or_default);
        let inner = addresses("10.0.0.77/29").unwrap();
        assert_eq!(inner.len(), 6);
        assert_eq!(
            (inner[0].as_str(), inner[5].as_str()),
            ("10.0.0.73", "10.0.0.78")
        );
        assert_eq!(addresses("10.0.0.7/32").unwrap(), ["10.0.0.7"]);
        assert_eq!(addresses("10.0.0.6/31").unwrap(), ["10.0.0.6", "10.0.0.7"]);
        assert_eq!(addresses("10.9.0.0/16").unwrap().len(), 65_534);
        assert!(network("10.0.0.5").unwrap().is_none());
        for wrong in ["10.0.0.0/8", "10.0.0/24", "10.0.0.0/33", "a/24"] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
    }
}
