//! Virtual BMCs over real sockets on loopback.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]

use std::net::{SocketAddr, UdpSocket};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ipmi::bmc::{Config, User};
use ipmi::command::Command;
use ipmi::command::app::Guid;
use ipmi::command::chassis::{ChassisControl, GetChassisStatus};
use ipmi::command::sensor::GetSensorReading;
use ipmi::console::{Event, Login, Policy, Session};
use ipmi::entropy::Entropy;
use ipmi::number::{ChassisControlAction, CompletionCode, PrivilegeLevel};
use ipmi::wire::DATAGRAM_MAX;
use vbmc::bmcs::Bmcs;
use vbmc::fault::{Faults, HELD_FOR};
use vbmc::net::SeededEntropy;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

/// How often the console looks at its timers while it waits for a datagram.
const TICK: Duration = Duration::from_millis(20);

fn serve(nodes: u32) -> Server {
    let clock = Clock::start();
    let site = Site::new(SiteOptions {
        nodes,
        seed: 1,
        epoch_s: clock.epoch_s(),
    })
    .unwrap();
    let admin = User::new("admin", b"right", PrivilegeLevel::ADMINISTRATOR).unwrap();
    let bmcs = Bmcs::new(Arc::new(site), &Config::new(vec![admin], Guid::default()));
    Server::start(Arc::new(bmcs), clock, 0).unwrap()
}

/// A console with a socket of its own.
struct Console {
    socket: UdpSocket,
    session: Session,
    clock: Clock,
    entropy: SeededEntropy,
    /// Datagrams that came for this session.
    heard: usize,
}

impl Console {
    fn log_in(server: &Server, index: u32) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let there = SocketAddr::new(server.bmcs().site().address(index).into(), server.port());
        // A connected socket hears nobody else: answers come from the address that was asked.
        socket.connect(there).unwrap();
        socket.set_read_timeout(Some(TICK)).unwrap();
        let login = Login::new("admin", b"right").unwrap();
        let mut session = Session::new(
            Arc::new(login),
            Arc::new(Policy {
                first_retry_ms: 30,
                attempts: 8,
                ..Policy::default()
            }),
        );
        let clock = Clock::start();
        session.connect(clock.now(), NonZeroU32::new(7).unwrap());
        let entropy = SeededEntropy::new(u64::from(there.port()) + u64::from(index));
        let mut console = Self {
            socket,
            session,
            clock,
            entropy,
            heard: 0,
        };
        console.wait(|event| matches!(event, Event::Established).then_some(()));
        console
    }

    fn wait<T>(&mut self, mut wanted: impl FnMut(&Event<'_>) -> Option<T>) -> T {
        let mut buffer = [0; DATAGRAM_MAX];
        loop {
            let entropy: &mut dyn Entropy = &mut self.entropy;
            while let Some(len) = self
                .session
                .poll_transmit(self.clock.now(), entropy, &mut buffer)
            {
                self.socket.send(&buffer[..len]).unwrap();
            }
            let event = if let Ok(len) = self.socket.recv(&mut buffer) {
                self.heard += 1;
                let datagram = &mut buffer[..len];
                self.session
                    .handle_datagram(self.clock.now(), datagram)
                    .unwrap_or(Event::None)
            } else if self
                .session
                .poll_timeout()
                .is_some_and(|at| at <= self.clock.now())
            {
                self.session.handle_timeout(self.clock.now())
            } else {
                Event::None
            };
            match wanted(&event) {
                Some(found) => return found,
                None if matches!(event, Event::None) => {}
                None => panic!("{event:?}"),
            }
        }
    }

    fn ask<C: Command>(&mut self, command: &C) -> C::Response {
        self.session.request(self.clock.now(), command).unwrap();
        self.wait(|event| match event {
            Event::Response(response) => {
                assert_eq!(response.completion, CompletionCode::OK);
                Some(response.decode::<C>().unwrap())
            }
            _ => None,
        })
    }

    fn close(mut self) {
        self.session.close(self.clock.now());
        self.wait(|event| matches!(event, Event::Closed).then_some(()));
    }
}

#[test]
fn many_bmcs_share_a_socket_and_each_answers_from_its_own_address() {
    let server = serve(3);
    let mut consoles: Vec<_> = (0..server.bmcs().site().len())
        .map(|i| Console::log_in(&server, i))
        .collect();
    assert_eq!(server.bmcs().session_count(), consoles.len());
    consoles[1].ask(&ChassisControl {
        action: ChassisControlAction::POWER_DOWN,
    });
    let on = consoles
        .iter_mut()
        .map(|c| c.ask(&GetChassisStatus).is_on());
    assert_eq!(on.collect::<Vec<_>>(), [true, false, true, true, true]);
    consoles.into_iter().for_each(Console::close);
    assert_eq!(server.bmcs().session_count(), 0);
    let counters = server.bmcs().counters();
    assert_eq!(
        (counters.strays, counters.in_flight_max),
        (0, 1),
        "{counters:?}"
    );
    server.stop().unwrap();
}

#[test]
fn a_datagram_for_an_address_without_a_machine_is_counted_and_not_answered() {
    let server = serve(1);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // A presence ping, which any BMC would answer.
    let ping = [6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 1, 0, 0];
    socket
        .send_to(&ping, ("127.16.0.9", server.port()))
        .unwrap();
    socket
        .send_to(&ping, ("127.16.0.1", server.port()))
        .unwrap();
    let mut buffer = [0; 64];
    let (len, from) = socket.recv_from(&mut buffer).unwrap();
    assert_eq!((len, from.ip().to_string()), (28, "127.16.0.1".into()));
    assert_eq!(server.bmcs().counters().strays, 1);
}

#[test]
fn a_stopped_server_gives_its_port_back() {
    let server = serve(1);
    let port = server.port();
    assert!(UdpSocket::bind(("0.0.0.0", port)).is_err());
    server.stop().unwrap();
    assert!(UdpSocket::bind(("0.0.0.0", port)).is_ok());
}

#[test]
fn late_and_doubled_answers_arrive_late_and_twice() {
    let server = serve(1);
    let mut console = Console::log_in(&server, 0);
    let faults = Faults {
        duplicate_permille: 1_000,
        delay_ms: 50,
        ..Faults::default()
    };
    server.bmcs().set_faults(0, Some(faults));
    let (heard, since) = (console.heard, console.clock.now());
    console.ask(&GetSensorReading { sensor_number: 1 });
    assert!(console.clock.now() - since >= Duration::from_millis(50));
    server.bmcs().set_faults(0, None);
    console.ask(&GetSensorReading { sensor_number: 1 });
    // The second copy of the first answer came before the second answer.
    assert_eq!(console.heard - heard, 3);
    console.close();
}

#[test]
fn datagrams_that_are_held_back_arrive_in_the_end() {
    let server = serve(1);
    let mut console = Console::log_in(&server, 0);
    let faults = Faults {
        reorder_permille: 1_000,
        ..Faults::default()
    };
    server.bmcs().set_faults(0, Some(faults));
    let since = console.clock.now();
    console.ask(&GetSensorReading { sensor_number: 1 });
    // Once on each way.
    assert!(console.clock.now() - since >= 2 * HELD_FOR);
    server.bmcs().set_faults(0, None);
    console.ask(&GetSensorReading { sensor_number: 1 });
    assert_eq!(server.bmcs().counters().in_flight_max, 1);
    console.close();
}

#[test]
fn corrupt_answers_are_repeated_until_one_is_right() {
    let server = serve(1);
    let mut console = Console::log_in(&server, 0);
    let faults = Faults {
        seed: 5,
        corrupt_permille: 400,
        drop_reply_permille: 100,
        ..Faults::default()
    };
    let before = server.bmcs().bmc_counters(0).unwrap().datagrams;
    server.bmcs().set_faults(0, Some(faults));
    for _ in 0..5 {
        console.ask(&GetSensorReading { sensor_number: 1 });
    }
    assert!(server.bmcs().bmc_counters(0).unwrap().datagrams > before + 5);
}
