//! Whole conversations: a console and a BMC, and what may happen to the datagrams between them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};
use core::num::NonZeroU32;
use core::time::Duration;

use crate::bmc::{Bmc, Config, Handler, Request, User, V15};
use crate::command::app::Guid;
use crate::console::{Event, Login, Policy, RequestTarget, Session, State};
use crate::entropy::Entropy;
use crate::number::{AuthType, CipherSuiteId, CompletionCode, NetFn, PrivilegeLevel};
use crate::time::Instant;
use crate::wire::{DATAGRAM_MAX, Reader, Writer};

/// A generator that is as good as its seed; enough where no attacker looks.
pub(super) struct Seeded(pub(super) u64);

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self
                .0
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e_f767_814f);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}

/// A device that echoes, and counts.
#[derive(Default)]
struct Echo {
    executed: usize,
}

impl Handler for Echo {
    fn handle(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
        // Keep-alives ask for the device ID.
        self.executed += usize::from(request.netfn != NetFn::APP);
        response.bytes(request.data);
        CompletionCode(request.cmd)
    }
}

/// A console, a BMC, and the datagrams between them.
struct Conversation {
    session: Session,
    bmc: Bmc,
    device: Echo,
    entropy: Seeded,
    now: Instant,
    to_bmc: Vec<Vec<u8>>,
    to_console: Vec<Vec<u8>>,
    connects: u32,
    asked: usize,
}

/// Datagrams on their way at a time, each direction.
const UNDER_WAY_MAX: usize = 32;

/// A console and a BMC; `script` says what happens to them and to the datagrams between them.
///
/// Nothing panics, answers are only for what was asked, and nothing is executed that was not asked.
pub fn conversation(script: &[u8]) {
    let Some(mut conversation) = Conversation::new(script.first().copied().unwrap_or(0)) else {
        return;
    };
    let mut script = Reader::new(script.get(1..).unwrap_or_default());
    while let Ok(step) = script.u8("step") {
        conversation.step(step, &mut script);
        conversation.transmit();
        assert!(
            conversation.device.executed <= conversation.asked,
            "executed what nobody asked"
        );
    }
}

impl Conversation {
    /// `kind` picks what protects the session: a cipher suite, or an authentication type of IPMI 1.5.
    fn new(kind: u8) -> Option<Self> {
        const SUITES: [u8; 16] = [3, 17, 2, 16, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 18, 19];
        const TYPES: [AuthType; 2] = [AuthType::MD5, AuthType::MD2];
        let kind = usize::from(kind) % (SUITES.len() + TYPES.len());
        let user = User::new("admin", b"password", PrivilegeLevel::ADMINISTRATOR).ok()?;
        let mut config = Config {
            session_max: 3,
            ..Config::new([user].into(), Guid([9; 16]))
        };
        let mut login = Login::new("admin", b"password").ok()?;
        match SUITES.get(kind) {
            Some(suite) => {
                let suite = CipherSuiteId(*suite);
                login = login.with_suites(&[suite]).ok()?;
                config.suites = [suite].into();
            }
            None => {
                let auth_types = [*TYPES.get(kind - SUITES.len())?];
                login = login.with_v15(&auth_types).ok()?;
                config.v15 = Some(V15 {
                    auth_types: auth_types.into(),
                    per_message_auth: true,
                });
            }
        }
        Some(Self {
            session: Session::new(Arc::new(login), Arc::new(Policy::default())),
            bmc: Bmc::new(Arc::new(config)),
            device: Echo::default(),
            entropy: Seeded(1),
            now: Instant::ORIGIN,
            to_bmc: Vec::new(),
            to_console: Vec::new(),
            connects: 0,
            asked: 0,
        })
    }

    fn step(&mut self, step: u8, script: &mut Reader<'_>) {
        let argument = script.clone().u8("argument").unwrap_or(0);
        match step % 16 {
            0 => {
                self.connects += 1;
                if let Some(id) = NonZeroU32::new(self.connects) {
                    self.session.connect(self.now, id);
                }
            }
            1 => self.request(argument),
            2 => self.session.close(self.now),
            3 => self.bmc.reset(),
            4 => self.time_out(),
            5 => self.now = self.now + Duration::from_millis(u64::from(argument) * 100),
            6 => drop(take(&mut self.to_bmc, argument)),
            7 => drop(take(&mut self.to_console, argument)),
            8 => corrupt(&mut self.to_bmc, argument),
            9 => corrupt(&mut self.to_console, argument),
            10 => double(&mut self.to_bmc, argument),
            11 => double(&mut self.to_console, argument),
            12 => self.deliver_arbitrary(script),
            13 => self.deliver_to_bmc(argument),
            14 => self.deliver_to_console(argument),
            _ => self.exchange_all(),
        }
    }

    fn request(&mut self, argument: u8) {
        let target = RequestTarget {
            netfn: NetFn(0x30),
            cmd: argument,
            lun: 0,
        };
        let data = &[argument; 16][..usize::from(argument % 16)];
        let busy = self.session.is_busy();
        let refused = self
            .session
            .request_raw(self.now, target, data, argument.is_multiple_of(2))
            .is_err();
        let may = self.session.state() == State::Established && !busy;
        assert_eq!(refused, !may);
        if !refused {
            // An idempotent request may be executed once for each time that it is sent.
            self.asked += usize::from(Policy::default().attempts);
        }
    }

    fn time_out(&mut self) {
        if let Some(deadline) = self.session.poll_timeout() {
            self.now = self.now.max(deadline);
            let before = self.session.is_busy();
            let event = self.session.handle_timeout(self.now);
            assert!(before || !matches!(event, Event::RequestTimedOut(_)));
        }
    }

    fn transmit(&mut self) {
        let mut out = [0; DATAGRAM_MAX];
        let mut count = 0;
        while let Some(len) = self
            .session
            .poll_transmit(self.now, &mut self.entropy, &mut out)
        {
            count += 1;
            assert!(count <= 2, "a session sends without end");
            if self.to_bmc.len() < UNDER_WAY_MAX {
                self.to_bmc.push(out[..len].to_vec());
            }
        }
    }

    fn deliver_to_bmc(&mut self, argument: u8) {
        if let Some(datagram) = take(&mut self.to_bmc, argument) {
            self.at_bmc(datagram);
        }
    }

    fn deliver_to_console(&mut self, argument: u8) {
        if let Some(datagram) = take(&mut self.to_console, argument) {
            self.at_console(datagram);
        }
    }

    fn deliver_arbitrary(&mut self, script: &mut Reader<'_>) {
        let len = script
            .u8("length")
            .map_or(0, usize::from)
            .min(script.remaining());
        let Ok(bytes) = script.take("datagram", len) else {
            return;
        };
        self.at_bmc(bytes.to_vec());
        self.at_console(bytes.to_vec());
    }

    fn at_bmc(&mut self, mut datagram: Vec<u8>) {
        let from = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 1);
        let mut out = [0; DATAGRAM_MAX];
        let Self {
            bmc,
            entropy,
            device,
            now,
            ..
        } = self;
        let len = bmc.handle_datagram(*now, entropy, from, &mut datagram, device, &mut out);
        if let Some(len) = len
            && self.to_console.len() < UNDER_WAY_MAX
        {
            self.to_console.push(out[..len].to_vec());
        }
    }

    fn at_console(&mut self, mut datagram: Vec<u8>) {
        let busy = self.session.is_busy();
        if let Ok(Event::Response(_)) = self.session.handle_datagram(self.now, &mut datagram) {
            assert!(busy, "an answer to nothing");
        }
    }

    /// Everything arrives, until nothing is under way.
    fn exchange_all(&mut self) {
        for _ in 0..UNDER_WAY_MAX {
            self.transmit();
            let Some(datagram) = take(&mut self.to_bmc, 0) else {
                break;
            };
            self.at_bmc(datagram);
            while let Some(datagram) = take(&mut self.to_console, 0) {
                self.at_console(datagram);
            }
        }
    }
}

fn take(queue: &mut Vec<Vec<u8>>, argument: u8) -> Option<Vec<u8>> {
    let index = usize::from(argument).checked_rem(queue.len())?;
    Some(queue.remove(index))
}

fn corrupt(queue: &mut [Vec<u8>], argument: u8) {
    if let Some(datagram) = queue.first_mut()
        && let Some(at) = (usize::from(argument) * 3).checked_rem(datagram.len())
    {
        datagram[at] ^= 1 << (argument % 8);
    }
}

fn double(queue: &mut Vec<Vec<u8>>, argument: u8) {
    if let Some(index) = usize::from(argument).checked_rem(queue.len())
        && queue.len() < UNDER_WAY_MAX
    {
        queue.push(queue[index].clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_keep_their_laws() {
        let mut random = Seeded(5);
        for _ in 0..2_000 {
            let mut script = std::vec![0; 64];
            random.fill(&mut script);
            // Connect and shake hands first, so that most scripts get somewhere.
            script[1] = 0;
            script[2] = 15;
            conversation(&script);
        }
    }

    #[test]
    fn a_script_that_lets_everything_pass_gets_its_answer() {
        let mut conversation = Conversation::new(1).unwrap();
        for step in [0, 15, 1, 15] {
            conversation.step(step, &mut Reader::new(&[7]));
        }
        assert_eq!(conversation.device.executed, 1);
        assert_eq!(conversation.session.state(), State::Established);
        assert!(!conversation.session.is_busy());
    }
}
