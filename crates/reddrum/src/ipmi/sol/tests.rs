//! A console against a virtual BMC, on virtual time.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ipmi::bmc::{Config, User};
use ipmi::command::app::Guid;
use ipmi::console::{Login, Policy};
use ipmi::number::PrivilegeLevel;
use ipmi::quirk::{Area, Quirk, Quirks};
use ipmi::time::Instant;
use ipmi::wire::DATAGRAM_MAX;
use vbmc::bmcs::Bmcs;
use vbmc::fault::Faults;
use vbmc::net::SeededEntropy;
use vbmc::serial::numbered_line;
use vbmc::site::{Site, SiteOptions};

use super::console::Console;
use crate::ipmi::failure::Failure;

/// How often the virtual BMC looks at its serial port.
const TICK: Duration = Duration::from_millis(20);

/// A BMC and the time.
struct World {
    bmcs: Bmcs,
    now: Instant,
    entropy: SeededEntropy,
    sessions: u32,
    /// All that the BMC sent.
    sent: Vec<Vec<u8>>,
}

/// A console, where it is, and what it showed.
struct Shown {
    console: Console,
    from: SocketAddr,
    text: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let site = Site::new(SiteOptions {
            nodes: 1,
            seed: 1,
            epoch_s: 1_800_000_000,
        })
        .unwrap();
        let admin = User::new("admin", b"right", PrivilegeLevel::ADMINISTRATOR).unwrap();
        Self {
            bmcs: Bmcs::new(Arc::new(site), &Config::new(vec![admin], Guid::default())),
            now: Instant::ORIGIN,
            entropy: SeededEntropy::new(1),
            sessions: 0,
            sent: Vec::new(),
        }
    }

    fn lose(&self, permille: u16) {
        let faults = Faults {
            drop_request_permille: permille,
            drop_reply_permille: permille,
            seed: 5,
            ..Faults::default()
        };
        self.bmcs.set_faults(0, Some(faults));
    }

    fn connect(&mut self, steal: bool) -> Shown {
        self.sessions += 1;
        let login = Login::new("admin", b"right")
            .and_then(|login| login.with_privilege(PrivilegeLevel::OPERATOR));
        let mut console = Console::new(login.unwrap(), Policy::default(), steal);
        console.connect(self.now, NonZeroU32::new(self.sessions).unwrap());
        let port = 40_000 + self.sessions as u16;
        Shown {
            console,
            from: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            text: Vec::new(),
        }
    }

    /// One tick of all consoles.
    fn tick(&mut self, shown: &mut [&mut Shown]) {
        self.now = self.now + TICK;
        let address = self.bmcs.site().address(0);
        let mut packets = Vec::new();
        self.bmcs
            .poll_sol(self.now, &mut self.entropy, &mut |_, to, packet| {
                packets.push((to, packet.to_vec()));
            });
        self.sent
            .extend(packets.iter().map(|(_, packet)| packet.clone()));
        for shown in shown {
            for (to, packet) in &mut packets {
                if *to == shown.from {
                    let _ = shown.console.handle_datagram(self.now, packet);
                }
            }
            shown.console.handle_timeout(self.now);
            let mut buffer = [0; DATAGRAM_MAX];
            while let Some(len) =
                shown
                    .console
                    .poll_transmit(self.now, &mut self.entropy, &mut buffer)
            {
                let mut datagram = buffer[..len].to_vec();
                let answer = self.bmcs.handle(
                    self.now,
                    &mut self.entropy,
                    address,
                    shown.from,
                    &mut datagram,
                    &mut buffer,
                );
                if let Some(answer) = answer {
                    let answer = &mut buffer[..answer.len];
                    self.sent.push(answer.to_vec());
                    let _ = shown.console.handle_datagram(self.now, answer);
                }
                let mut text = [0; 512];
                let count = shown.console.read(&mut text);
                shown.text.extend_from_slice(&text[..count]);
            }
        }
    }

    fn run_until(&mut self, shown: &mut Shown, done: impl Fn(&Shown) -> bool) {
        let end = self.now + Duration::from_hours(2);
        while !done(shown) {
            self.tick(&mut [shown]);
            let over = shown.console.is_over() && !done(shown);
            assert!(
                self.now < end && !over,
                "{over}: {:?} characters, {:?} after {:?}",
                shown.text.len(),
                shown.console.failure(),
                self.now
            );
        }
    }
}

fn ends_with(text: &'static str) -> impl Fn(&Shown) -> bool {
    move |shown| shown.text.ends_with(text.as_bytes())
}

#[test]
fn every_character_arrives_over_a_network_that_loses_a_tenth_each_way() {
    let mut world = World::new();
    world.lose(100);
    let mut shown = world.connect(false);
    world.run_until(&mut shown, ends_with("login: "));
    let before = shown.text.len();
    assert_eq!(shown.console.write(b"lines 2048\r"), 11);
    world.run_until(&mut shown, |shown| {
        shown.text.len() > before + 2048 * 64 && shown.text.ends_with(b"login: ")
    });
    let lines: Vec<u8> = (0..2048).flat_map(numbered_line).collect();
    let printed = &shown.text[before + b"lines 2048\r\n".len()..];
    assert!(printed[..lines.len()] == lines);
    shown.console.end(world.now);
    world.run_until(&mut shown, |shown| shown.console.is_over());
    assert_eq!(shown.console.failure(), None);
}

#[test]
fn a_console_in_use_is_refused_unless_it_is_taken_over_and_the_other_side_is_told() {
    let mut world = World::new();
    let mut first = world.connect(false);
    world.run_until(&mut first, ends_with("login: "));
    let mut second = world.connect(false);
    world.run_until(&mut second, |shown| shown.console.is_over());
    let failure = second.console.failure().unwrap();
    assert_eq!(failure.kind(), "console_in_use");

    let mut third = world.connect(true);
    world.run_until(&mut third, |shown| shown.console.is_active());
    world.run_until(&mut first, |shown| shown.console.is_over());
    let failure = first.console.failure().unwrap();
    assert_eq!(failure.kind(), "console_lost");
    assert!(failure.cause().contains("taken"), "{failure}");
    third.console.write(b"\r");
    world.run_until(&mut third, ends_with("login: "));
}

#[test]
fn a_bmc_that_falls_silent_ends_the_console_with_a_cause() {
    let mut world = World::new();
    let mut shown = world.connect(false);
    world.run_until(&mut shown, ends_with("login: "));
    world.lose(1_000);
    world.run_until(&mut shown, |shown| shown.console.is_over());
    let failure = shown.console.failure().unwrap();
    assert_eq!(failure.kind(), "console_silent");
}

#[test]
fn a_console_that_cannot_log_in_says_why() {
    let mut world = World::new();
    let login = Login::new("admin", b"wrong").unwrap();
    let mut shown = world.connect(false);
    shown.console = Console::new(login, Policy::default(), false);
    shown.console.connect(world.now, NonZeroU32::MIN);
    world.run_until(&mut shown, |shown| shown.console.is_over());
    let failure = shown.console.failure();
    assert!(
        matches!(failure, Some(Failure::Login { .. })),
        "{failure:?}"
    );
}

/// Logs in to the console and has it print lines: what the BMC sent for that.
fn printed(defects: Quirks) -> Vec<Vec<u8>> {
    let mut world = World::new();
    world.bmcs.set_defects(0, defects);
    let mut shown = world.connect(false);
    world.run_until(&mut shown, ends_with("login: "));
    let before = shown.text.len();
    shown.console.write(b"lines 64\r");
    world.run_until(&mut shown, |shown| {
        shown.text.len() > before + 64 * 64 && shown.text.ends_with(b"login: ")
    });
    let lines: Vec<u8> = (0..64).flat_map(numbered_line).collect();
    let start = before + b"lines 64\r\n".len();
    assert!(shown.text[start..][..lines.len()] == lines, "{defects}");
    shown.console.end(world.now);
    world.run_until(&mut shown, |shown| shown.console.is_over());
    assert_eq!(shown.console.failure(), None, "{defects}");
    world.sent
}

#[test]
fn every_character_arrives_from_a_bmc_with_any_quirk_of_serial_over_lan() {
    let healthy = printed(Quirks::NONE);
    let about_sol = |quirk: &&Quirk| quirk.row().area == Area::Sol;
    let mut tried = 0;
    for quirk in Quirk::ALL.iter().filter(about_sol) {
        // The only difference is the defect, down to the random numbers.
        assert_ne!(
            printed(Quirks::NONE.with(*quirk)),
            healthy,
            "{quirk} does not show"
        );
        tried += 1;
    }
    assert!(tried >= 5, "{tried}");
}
