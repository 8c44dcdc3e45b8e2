//! The engine against virtual BMCs, on virtual time.

mod quirks;

use std::net::{IpAddr, Ipv4Addr};

use ipmi::bmc::{Config, User};
use ipmi::command::app::Guid;
use ipmi::command::chassis::{ChassisControl, GetChassisStatus};
use ipmi::number::{ChassisControlAction, PrivilegeLevel};
use ipmi::wire::DATAGRAM_MAX;
use serde_json::json;
use vbmc::bmcs::Bmcs;
use vbmc::net::SeededEntropy;
use vbmc::site::{Site, SiteOptions};

use super::*;
use crate::ipmi::report::Report;

/// BMCs and an engine that asks them.
struct World {
    bmcs: Bmcs,
    engine: Engine,
    now: Instant,
    entropy: SeededEntropy,
    /// The most sessions that were open at once.
    sessions_max: usize,
    outcomes: Vec<Option<Outcome>>,
}

impl World {
    fn new(nodes: u32, fanout: usize, policy: Policy, begin: Begin) -> Self {
        let site = Site::new(SiteOptions {
            nodes,
            seed: 1,
            epoch_s: 1_800_000_000,
        })
        .unwrap();
        let admin = User::new("admin", b"right", PrivilegeLevel::ADMINISTRATOR).unwrap();
        let bmcs = Bmcs::new(Arc::new(site), &Config::new(vec![admin], Guid::default()));
        let address = |index| SocketAddr::from((bmcs.site().address(index), 623));
        let hosts: Vec<_> = (0..nodes)
            .map(|index| (index as usize, address(index)))
            .collect();
        let login = (Login::new("admin", b"right").unwrap(), policy);
        let engine = Engine::new(hosts, fanout, login, 9, begin);
        let (now, entropy) = (Instant::ORIGIN, SeededEntropy::new(1));
        let outcomes = (0..nodes).map(|_| None).collect();
        Self {
            bmcs,
            engine,
            now,
            entropy,
            sessions_max: 0,
            outcomes,
        }
    }

    /// Carries datagrams until there is none, all that are under way at the same time; answers for which `lost` is
    /// true do not arrive.
    fn exchange(&mut self, lost: &mut impl FnMut(&Bmcs) -> bool) {
        let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
        let mut buffer = [0; DATAGRAM_MAX];
        loop {
            let mut requests = Vec::new();
            while let Some((to, len)) =
                self.engine
                    .poll_transmit(self.now, &mut self.entropy, &mut buffer)
            {
                requests.push((to, buffer[..len].to_vec()));
            }
            if requests.is_empty() {
                break;
            }
            for (to, mut request) in requests {
                let IpAddr::V4(local) = to.ip() else {
                    panic!("{to}")
                };
                let (now, entropy) = (self.now, &mut self.entropy);
                let answer = self
                    .bmcs
                    .handle(now, entropy, local, from, &mut request, &mut buffer);
                self.sessions_max = self.sessions_max.max(self.bmcs.session_count());
                if let Some(answer) = answer
                    && !lost(&self.bmcs)
                {
                    self.engine
                        .handle_datagram(self.now, to, &mut buffer[..answer.len]);
                }
            }
        }
        for (host, outcome) in self.engine.take_finished() {
            assert!(
                self.outcomes[host].replace(outcome).is_none(),
                "host {host} is told twice"
            );
        }
    }

    fn run(&mut self, mut lost: impl FnMut(&Bmcs) -> bool) {
        self.engine.start_waiting(self.now);
        self.exchange(&mut lost);
        while !self.engine.is_done() {
            self.now = self.engine.next_deadline().unwrap();
            self.engine.handle_timeouts(self.now);
            self.exchange(&mut lost);
        }
    }

    fn is_on(&self, index: u32) -> bool {
        self.bmcs.site().machine(index, self.now).host().is_on()
    }
}

fn status() -> Begin {
    Box::new(|| {
        Talk::new(|line| async move {
            let on = line.call(&GetChassisStatus).await?.is_on();
            Ok(Report::line("", json!(on)))
        })
    })
}

fn power_off() -> Begin {
    Box::new(|| {
        Talk::new(|line| async move {
            line.call(&GetChassisStatus).await?;
            line.call(&ChassisControl {
                action: ChassisControlAction::POWER_DOWN,
            })
            .await?;
            Ok(Report::line("", json!("off")))
        })
    })
}

#[test]
fn every_host_is_asked_and_never_more_than_the_fan_out_at_once() {
    let mut world = World::new(40, 7, Policy::default(), status());
    world.run(|_| false);
    for outcome in world.outcomes {
        assert_eq!(outcome.unwrap().unwrap().value, true);
    }
    assert_eq!(world.sessions_max, 7);
    assert_eq!(world.bmcs.session_count(), 0);
    assert_eq!(
        world.now,
        Instant::ORIGIN,
        "nobody waits for a BMC that answers at once"
    );
}

#[test]
fn a_change_whose_answer_is_lost_is_sent_once_and_told_as_perhaps_done() {
    let mut world = World::new(1, 1, Policy::default(), power_off());
    let now = world.now;
    let is_off = |bmcs: &Bmcs| !bmcs.site().machine(0, now).host().is_on();
    world.run(is_off);
    let failure = world.outcomes[0].take().unwrap().unwrap_err();
    assert_eq!(
        failure.cause(),
        "Chassis Control: no answer; the BMC may have carried it out"
    );
    assert!(!world.is_on(0));
}

#[test]
fn a_bmc_that_falls_silent_ends_its_conversation_and_no_other() {
    let mut world = World::new(3, 2, Policy::default(), status());
    let mut answers = 0;
    // The first answers of all hosts come, and then none for a while.
    world.run(|_| {
        answers += 1;
        (12..30).contains(&answers)
    });
    let told = world
        .outcomes
        .iter()
        .map(|outcome| outcome.as_ref().unwrap());
    for outcome in told {
        match outcome {
            Ok(report) => assert_eq!(report.value, true),
            Err(failure) => assert!(["unanswered", "no_answer"].contains(&failure.kind())),
        }
    }
}

#[test]
fn an_interruption_ends_all_hosts() {
    let mut world = World::new(5, 2, Policy::default(), status());
    world.engine.start_waiting(world.now);
    world.engine.interrupt(world.now);
    world.exchange(&mut |_| true);
    world.engine.abandon();
    world.exchange(&mut |_| true);
    assert!(world.engine.is_done());
    for outcome in world.outcomes {
        let failure = outcome.unwrap().unwrap_err();
        assert_eq!(
            failure,
            Failure::Interrupted {
                maybe_executed: false,
                unfinished: None,
            }
        );
    }
}

#[test]
fn what_is_for_nobody_or_from_another_address_is_ignored() {
    let mut world = World::new(1, 1, Policy::default(), status());
    world.engine.start_waiting(world.now);
    let mut buffer = [0; DATAGRAM_MAX];
    let (to, len) = world
        .engine
        .poll_transmit(world.now, &mut world.entropy, &mut buffer)
        .unwrap();
    let elsewhere = SocketAddr::from((Ipv4Addr::new(10, 9, 9, 9), 623));
    for peer in [to, elsewhere] {
        world
            .engine
            .handle_datagram(world.now, peer, &mut buffer[..len]);
        world
            .engine
            .handle_datagram(world.now, peer, &mut [0xff; 20]);
        world.engine.handle_datagram(world.now, peer, &mut []);
    }
    world.run(|_| false);
    assert_eq!(world.outcomes[0].take().unwrap().unwrap().value, true);
}

#[test]
fn a_new_session_takes_the_place_of_the_old_one_at_the_bmc() {
    let again: Begin = Box::new(|| {
        Talk::new(|line| async move {
            for _ in 0..6 {
                line.reconnect().await.unwrap();
                line.call(&GetChassisStatus).await?;
            }
            Ok(Report::line("", json!("done")))
        })
    });
    let mut world = World::new(1, 1, Policy::default(), again);
    world.run(|_| false);
    assert_eq!(world.outcomes[0].take().unwrap().unwrap().value, "done");
    assert_eq!((world.sessions_max, world.bmcs.session_count()), (1, 0));
}
