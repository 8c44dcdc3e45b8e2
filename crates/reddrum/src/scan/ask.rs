//! One scan of the service: names looked up, and a sweep on its socket.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::sweep::{PONG_MAX, Step, Sweep};
use crate::config::ScanConfig;
use crate::ipmi::for_one_socket;
use crate::resolve::{LOOK_UPS_MAX, literal, look_up};

/// How long names are looked up before a scan, all together: the others aren't asked this time.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(300);
/// How long the system may take for a ping before the next one is sent.
const SEND_WITHIN: Duration = Duration::from_millis(100);
/// The most answers that are taken between two pings: each brings one at most, and some come later than others.
const ANSWERS_MAX: usize = 8;
/// The pause after a socket failed: the time decides when a scan ends.
const RECEIVE_PAUSE: Duration = Duration::from_millis(10);

/// What a scan has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// Which of the candidates are BMCs, by their index, and where.
    pub(super) found: Vec<(usize, SocketAddr)>,
    /// Names that lead to where nobody is to be asked.
    pub(super) refused: Vec<usize>,
    /// How many addresses were asked.
    pub(super) asked: usize,
    /// How many names have no address.
    pub(super) nameless: usize,
    /// How many pings were sent.
    pub(super) pings: u64,
    /// How many others the system did not take, and why it did not the last one.
    pub(super) unsent: Unsent,
}

/// Pings that the system did not take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unsent {
    pub(super) pings: u64,
    /// The last error.
    pub(super) why: String,
}

impl Unsent {
    fn count(&mut self, why: impl fmt::Display) {
        self.pings += 1;
        self.why = why.to_string();
    }
}

/// Asks every candidate.
///
/// # Errors
/// The system gives no socket or randomness.
pub(super) async fn ask(config: Arc<ScanConfig>) -> io::Result<Answers> {
    let (places, mut answers) = places(&config).await;
    answers.asked = places.len();
    let mut addresses: Vec<SocketAddr> = places.iter().map(|(_, address)| *address).collect();
    for_one_socket(&mut addresses);
    let any: SocketAddr = match addresses.first() {
        Some(SocketAddr::V6(_)) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        _ => (Ipv4Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    let random = udp::RandomBytes::new()?.next_u32();
    let mut sweep = Sweep::new(addresses, config.pace(), random);
    answers.unsent = run(&mut sweep, &socket).await;
    answers.pings = sweep.pings() - answers.unsent.pings;
    let said = places.into_iter().zip(sweep.into_found());
    let bmcs = said.filter(|(_, said)| *said == Some(true));
    answers.found = bmcs.map(|(place, _)| place).collect();
    Ok(answers)
}

async fn run(sweep: &mut Sweep, socket: &UdpSocket) -> Unsent {
    let mut unsent = Unsent::default();
    let begun = Instant::now();
    let mut buffer = [0; PONG_MAX];
    let length = sweep.datagram(&mut buffer);
    let ping = buffer;
    loop {
        match sweep.step(begun.elapsed()) {
            // An address that can't be reached does not answer; the others are asked all the same.
            Step::Ping(address) => {
                let sent = timeout(SEND_WITHIN, socket.send_to(&ping[..length], address)).await;
                match sent {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => unsent.count(error),
                    Err(late) => unsent.count(late),
                }
                // Where the pace is more than the system gets to, pings are always due.
                for _ in 0..ANSWERS_MAX {
                    let Ok((length, from)) = socket.try_recv_from(&mut buffer) else {
                        break;
                    };
                    sweep.heard(from, &buffer[..length]);
                }
            }
            Step::Wait(until) => {
                match timeout_at(begun + until, socket.recv_from(&mut buffer)).await {
                    Ok(Ok((length, from))) => sweep.heard(from, &buffer[..length]),
                    Ok(Err(_)) => sleep(RECEIVE_PAUSE).await,
                    Err(_) => {}
                }
            }
            Step::Done => return unsent,
        }
    }
}

/// The address of each candidate that has one and may be asked, each once; and which may not.
async fn places(config: &ScanConfig) -> (Vec<(usize, SocketAddr)>, Answers) {
    let mut answers = Answers::default();
    let mut addresses = Vec::with_capacity(config.candidates.len());
    let mut names = Vec::new();
    for (index, target) in config.candidates.iter().enumerate() {
        let port = target.treatment.port;
        match literal(&target.host, port) {
            Some(address) => addresses.push((index, address)),
            None => names.push((index, target.host.clone(), port)),
        }
    }
    answers.nameless = names.len();
    for (index, found) in look_up_all(names).await {
        let total = found.len();
        let reach = &config.candidates[index].treatment.reach;
        let may_be_asked = |address: &SocketAddr| reach.has(address.ip());
        match found.into_iter().find(may_be_asked) {
            Some(address) => addresses.push((index, address)),
            None if total > 0 => answers.refused.push(index),
            None => continue,
        }
        answers.nameless -= 1;
    }
    // Where a name leads to an address that is scanned as such, the one that is written first counts.
    addresses.sort_by_key(|(index, _)| *index);
    let mut seen = HashSet::with_capacity(addresses.len());
    addresses.retain_mut(|(_, address)| {
        address.set_ip(address.ip().to_canonical());
        seen.insert(*address)
    });
    (addresses, answers)
}

/// The addresses of names, as far as they are known in time.
async fn look_up_all(names: Vec<(usize, String, u16)>) -> Vec<(usize, Vec<SocketAddr>)> {
    let (mut names, mut running, mut all) = (names.into_iter(), JoinSet::new(), Vec::new());
    let until = Instant::now() + LOOK_UP_WITHIN;
    loop {
        while running.len() < LOOK_UPS_MAX
            && let Some((index, host, port)) = names.next()
        {
            running.spawn(async move { (index, look_up(host, port).await) });
        }
        match timeout_at(until, running.join_next()).await {
            Ok(Some(Ok((index, Ok(found))))) => all.push((index, found)),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return all,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_or_nowhere_is_not_asked() {
        // RFC 6761 reserves both names.
        let text = "[service]\nstate_dir = \"s\"\n[credentials.default]\nusername = \"u\"\n\
                    password_command = [\"echo\", \"one\"]\n[[inventory]]\ncredentials = \"default\"\n\
                    scan = [\"nowhere.invalid\", \"localhost\"]\n";
        let config = Config::parse(text, Path::new("/")).unwrap();
        let scan = config.scans.into_iter().next().unwrap();
        let answers = ask(Arc::new(scan)).await.unwrap();
        let wanted = Answers {
            refused: vec![1],
            nameless: 1,
            ..Answers::default()
        };
        assert_eq!(answers, wanted);
    }
}
