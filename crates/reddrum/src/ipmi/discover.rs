//! `discover`: which addresses of a range have a BMC, by ASF ping (§13.2.3), without a login.

use std::io::{self, IsTerminal, Write};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use serde_json::json;

use super::args::{Connection, DiscoverArgs};
use super::drive::for_one_socket;
use super::failure::Failure;
use super::hosts::{self, Host};
use super::report::{self, Report};
use crate::error::ProgramError;
use crate::scan::{PONG_MAX, Pace, Step, Sweep};

/// The least time between two progress lines.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

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
        let scan = Scan::new(addresses, args, connection)
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

/// A scan on its socket.
struct Scan {
    socket: UdpSocket,
    sweep: Sweep,
    total: usize,
    /// When progress was shown last, where anybody sees it.
    shown: Option<Instant>,
}

impl Scan {
    fn new(
        addresses: Vec<SocketAddr>,
        args: &DiscoverArgs,
        connection: &Connection,
    ) -> io::Result<Self> {
        let ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
        let any = if ipv6 { "[::]:0" } else { "0.0.0.0:0" };
        let pace = Pace {
            pings_per_s: args.rate,
            rounds: args.rounds,
            patience: Duration::from_millis(u64::from(connection.timeout_ms)),
        };
        let random = udp::RandomBytes::new()?.next_u32();
        Ok(Self {
            socket: UdpSocket::bind(any)?,
            total: addresses.len(),
            sweep: Sweep::new(addresses, pace, random),
            shown: io::stderr().is_terminal().then(Instant::now),
        })
    }

    fn run(mut self) -> io::Result<Vec<Option<bool>>> {
        let begun = Instant::now();
        let mut buffer = [0; PONG_MAX];
        let length = self.sweep.datagram(&mut buffer);
        let datagram = &buffer[..length];
        loop {
            match self.sweep.step(begun.elapsed()) {
                Step::Ping(address) => {
                    // An address that can't be reached does not answer; the others are asked all the same.
                    let _ = self.socket.send_to(datagram, address);
                    self.show()?;
                }
                Step::Wait(until) => self.receive_until(begun + until)?,
                Step::Done => return Ok(self.sweep.into_found()),
            }
        }
    }

    fn show(&mut self) -> io::Result<()> {
        if let Some(shown) = &mut self.shown
            && shown.elapsed() >= PROGRESS_EVERY
        {
            *shown = Instant::now();
            let (asked, found) = self.sweep.progress();
            let total = self.total;
            let mut terminal = io::stderr().lock();
            write!(
                terminal,
                "\r{asked} of {total} asked, {found} answer\x1b[K\r"
            )?;
            terminal.flush()?;
        }
        Ok(())
    }

    /// Takes answers up to this time, or up to one of them: it may have been the last that was waited for.
    fn receive_until(&mut self, end: Instant) -> io::Result<()> {
        let mut buffer = [0; PONG_MAX];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.socket.set_read_timeout(Some(left))?;
            // Time-outs and refusals by addresses without a BMC: the time decides.
            if let Ok((len, from)) = self.socket.recv_from(&mut buffer) {
                self.sweep.heard(from, &buffer[..len]);
                return Ok(());
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
}
