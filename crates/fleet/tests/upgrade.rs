//! Firmware upgrades of virtual machines over IPMI, on virtual time: on good and on bad networks, with controllers that
//! restart, and with images that don't fit.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use fleet::{
    Config, Engine, EngineConfig, Job, Outcome, Quirk, Quirks, Shared, Target, Treatment, outcome,
};
use hardware::{ApplyError, Change, Installation, InstallationWatch, Link, Node, PowerAction};
use ipmi::bmc::{self, User};
use ipmi::command::app::Guid;
use ipmi::command::picmg::hpm::FirmwareVersion;
use ipmi::console::Login;
use ipmi::number::PrivilegeLevel;
use ipmi::time::Instant;
use ipmi::wire::DATAGRAM_MAX;
use vbmc::bmcs::Bmcs;
use vbmc::controller::{APPLICATION, BOOT, upgrade_image};
use vbmc::net::{Network, Quality, SeededEntropy};
use vbmc::site::{Site, SiteOptions};

const CONSOLE: &str = "127.0.0.1:40000";
const PORT: u16 = 623;
const SECOND: Duration = Duration::from_secs(1);
const NODES: u32 = 2;

/// A site, its BMCs, a network and an engine that polls the nodes.
struct World {
    now: Instant,
    site: Arc<Site>,
    bmcs: Bmcs,
    engine: Engine,
    shared: Shared,
    network: Network,
    entropy: SeededEntropy,
}

impl World {
    fn new(seed: u64, quality: Quality) -> Self {
        let options = SiteOptions {
            nodes: NODES,
            seed,
            epoch_s: 1_795_000_000,
        };
        let site = Arc::new(Site::new(options).unwrap());
        let admin = User::new("admin", b"secret", PrivilegeLevel::ADMINISTRATOR).unwrap();
        let access = bmc::Config::new(vec![admin], Guid::default());
        let bmcs = Bmcs::new(Arc::clone(&site), &access);
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        let targets = (0..NODES).map(|index| {
            let id = site.machine(index, Instant::ORIGIN).identity().id.clone();
            Target::new(
                id,
                Some(SocketAddr::new(IpAddr::V4(site.address(index)), PORT)),
                &login,
            )
        });
        let config = Config::new(targets.collect());
        let shared = Shared::new(&config.targets);
        let settings = EngineConfig::of(&config, seed);
        let now = Instant::ORIGIN;
        let mut engine = Engine::new(now, 1, &settings, &shared);
        engine.add(now, (0..).zip(config.targets));
        Self {
            now,
            site,
            bmcs,
            engine,
            shared,
            network: Network::new(quality, seed),
            entropy: SeededEntropy::new(seed),
        }
    }

    /// Lets time pass, until `end` or as soon as `is_enough` says so; whether it did.
    fn run_until(&mut self, span: Duration, mut is_enough: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + span;
        let console: SocketAddr = CONSOLE.parse().unwrap();
        let mut out = [0; DATAGRAM_MAX];
        while self.now < end {
            if is_enough(self) {
                return true;
            }
            let now = self.now;
            while let Some((to, len)) = self.engine.poll_transmit(now, &mut self.entropy, &mut out)
            {
                self.network.send(now, console, to, &out[..len]);
            }
            let next = [self.network.next_at(), self.engine.next_deadline()];
            let next = next.into_iter().flatten().min().unwrap_or(end);
            self.now = next.max(now + Duration::from_nanos(1));
            let now = self.now;
            while let Some(mut arrival) = self.network.receive(now) {
                let (from, to) = (arrival.from, arrival.to);
                if to == console {
                    self.engine.handle_datagram(now, from, &mut arrival.bytes);
                    continue;
                }
                let IpAddr::V4(local) = to.ip() else {
                    panic!("{arrival:?}")
                };
                let (bytes, entropy) = (&mut arrival.bytes, &mut self.entropy);
                let reply = self.bmcs.handle(now, entropy, local, from, bytes, &mut out);
                if let Some(reply) = reply {
                    self.network.send(now, to, from, &out[..reply.len]);
                }
            }
            self.engine.handle_timeouts(now);
        }
        is_enough(self)
    }

    fn run_for(&mut self, span: Duration) {
        self.run_until(span, |_| false);
    }

    fn node(&self, index: u32) -> Arc<Node> {
        let id = self
            .site
            .machine(index, Instant::ORIGIN)
            .identity()
            .id
            .clone();
        self.shared.node(id.as_str()).unwrap()
    }

    fn apply(&mut self, index: u32, change: Change) -> Outcome {
        let (sender, outcome) = outcome();
        let job = Job {
            node: self.node(index).id.clone(),
            change,
            outcome: sender,
        };
        self.engine.submit(self.now, index, job);
        outcome
    }

    /// The outcome within this time, and how long it took.
    fn outcome(&mut self, outcome: &Outcome, within: Duration) -> Result<(), ApplyError> {
        let mut found = None;
        self.run_until(within, |_| {
            found = outcome.try_take();
            found.is_some()
        });
        found.expect("the change has no outcome in time")
    }

    fn install(&mut self, index: u32, installation: &Installation) -> Result<(), ApplyError> {
        let outcome = self.apply(index, Change::Firmware(installation.clone()));
        self.outcome(&outcome, 900 * SECOND)
    }

    /// The version that runs, by the machine itself.
    fn runs(&self, index: u32) -> String {
        let machine = self.site.machine(index, self.now);
        machine.controller().firmware.version().to_string()
    }

    /// Version of the controller and of its components, as the fleet shows them.
    fn shown(&self, index: u32) -> (String, Vec<String>) {
        let node = self.node(index);
        let identity = &node.identity;
        let components = identity.firmware.iter();
        (
            identity.controller_firmware.as_deref().unwrap().to_owned(),
            components
                .map(|component| component.version.as_deref().unwrap().to_owned())
                .collect(),
        )
    }
}

#[derive(Default)]
struct Watch(AtomicU8);

impl InstallationWatch for Watch {
    fn progress(&self, percent: u8) {
        self.0.store(percent, Ordering::Relaxed);
    }
}

const VERSION: FirmwareVersion = FirmwareVersion {
    major: 3,
    minor: 0x07,
    auxiliary: [0; 4],
};

fn installation(component: u8, bytes: usize) -> (Installation, Arc<Watch>) {
    let watch = Arc::new(Watch::default());
    let installation = Installation {
        image: upgrade_image(component, VERSION, bytes).into(),
        component: None,
        force: false,
        watch: Arc::clone(&watch) as Arc<dyn InstallationWatch>,
    };
    (installation, watch)
}

#[test]
fn an_upgrade_changes_the_version_that_runs_and_the_one_that_is_shown() {
    let mut world = World::new(1, Quality::PERFECT);
    world.run_for(5 * SECOND);
    let old = ("2.14".to_owned(), vec!["2.14".to_owned(); 2]);
    assert_eq!(world.shown(0), old);
    let (installation, watch) = installation(APPLICATION, 100_000);
    assert_eq!(world.install(0, &installation), Ok(()));
    assert_eq!(watch.0.load(Ordering::Relaxed), 100);
    assert_eq!(world.runs(0), "3.07");
    let new = (
        "3.07".to_owned(),
        vec!["2.14".to_owned(), "3.07".to_owned()],
    );
    assert_eq!(world.shown(0), new, "as soon as it is told");
    // The machine is got acquainted with anew, and polled on.
    world.run_for(10 * SECOND);
    assert_eq!(world.shown(0), new);
    assert_eq!(world.node(0).link, Link::Up);
    assert_eq!(world.shown(1), old, "the other one is as it was");
}

#[test]
fn an_upgrade_goes_on_while_its_machine_is_treated_in_another_way() {
    let mut world = World::new(1, Quality::PERFECT);
    world.run_for(5 * SECOND);
    let (installation, watch) = installation(APPLICATION, 100_000);
    let outcome = world.apply(0, Change::Firmware(installation));
    let begun = |_: &World| watch.0.load(Ordering::Relaxed) > 20;
    assert!(world.run_until(600 * SECOND, begun));
    let treatment = Treatment {
        quirks: Quirks::NONE.with(Quirk::FruChecksumsWrong),
        poll_interval_ms: Some(5_000),
        ..Treatment::default()
    };
    world.engine.set_treatment(world.now, 0, &treatment);
    assert_eq!(world.outcome(&outcome, 900 * SECOND), Ok(()));
    assert_eq!(world.runs(0), "3.07");
}

#[test]
fn the_boot_loader_has_a_version_of_its_own() {
    let mut world = World::new(2, Quality::PERFECT);
    world.run_for(5 * SECOND);
    let (installation, _) = installation(BOOT, 5_000);
    assert_eq!(world.install(0, &installation), Ok(()));
    let expected = (
        "2.14".to_owned(),
        vec!["3.07".to_owned(), "2.14".to_owned()],
    );
    assert_eq!(world.shown(0), expected);
}

#[test]
fn polling_goes_on_while_firmware_is_uploaded() {
    let mut world = World::new(3, Quality::PERFECT);
    world.run_for(5 * SECOND);
    let (installation, watch) = installation(APPLICATION, 3_000_000);
    let outcome = world.apply(0, Change::Firmware(installation));
    let is_uploading = |watch: &Watch| (10..80).contains(&watch.0.load(Ordering::Relaxed));
    assert!(world.run_until(60 * SECOND, |_| is_uploading(&watch)));
    let before = world.node(0).read_at_ms;
    let began = world.now;
    assert!(world.run_until(3 * SECOND, |world| world.node(0).read_at_ms
        > before + 1_500));
    assert!(is_uploading(&watch), "{:?}", world.now.since(began));
    let off = world.apply(0, Change::Power(PowerAction::ForceOff));
    let refused = world.outcome(&off, SECOND);
    assert!(
        matches!(refused, Err(ApplyError::WrongState { .. })),
        "{refused:?}"
    );
    assert_eq!(world.outcome(&outcome, 600 * SECOND), Ok(()));
}

#[test]
fn a_tenth_of_all_datagrams_lost_each_way_delays_an_upgrade_and_spoils_nothing() {
    for seed in 0..5 {
        let quality = Quality {
            loss_permille: 100,
            ..Quality::PERFECT
        };
        let mut world = World::new(seed, quality);
        world.run_for(30 * SECOND);
        let (installation, _) = installation(APPLICATION, 20_000);
        assert_eq!(world.install(0, &installation), Ok(()), "seed {seed}");
        assert_eq!(world.runs(0), "3.07", "seed {seed}");
        assert_eq!(world.shown(0).0, "3.07", "seed {seed}");
    }
}

#[test]
fn a_controller_that_restarts_during_the_upload_is_upgraded_all_the_same() {
    for percent in [10, 50, 85] {
        let mut world = World::new(4, Quality::PERFECT);
        world.run_for(5 * SECOND);
        let (installation, watch) = installation(APPLICATION, 100_000);
        let outcome = world.apply(0, Change::Firmware(installation));
        let reached = |_: &World| watch.0.load(Ordering::Relaxed) >= percent;
        assert!(world.run_until(60 * SECOND, reached));
        world.bmcs.reset(0);
        assert_eq!(world.outcome(&outcome, 300 * SECOND), Ok(()), "{percent} %");
        assert_eq!(world.runs(0), "3.07");
    }
}

#[test]
fn a_wrong_image_is_refused_with_its_reason_and_changes_nothing() {
    let mut world = World::new(5, Quality::PERFECT);
    world.run_for(5 * SECOND);
    let (good, _) = installation(APPLICATION, 1_000);
    let mut damaged = good.image.to_vec();
    damaged[200] ^= 1;
    let component = Installation {
        component: Some(BOOT),
        ..good.clone()
    };
    let damaged = Installation {
        image: damaged.into(),
        ..good.clone()
    };
    for wrong in [damaged, component, without_checksum(&good)] {
        let refused = world.install(0, &wrong);
        assert!(
            matches!(refused, Err(ApplyError::WrongImage { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(world.runs(0), "2.14");
    // It takes a good one afterwards.
    assert_eq!(world.install(0, &good), Ok(()));
    assert_eq!(world.runs(0), "3.07");
}

/// An image that is whole as a file, with firmware in it that isn't: only the machine can tell.
fn without_checksum(good: &Installation) -> Installation {
    let mut image = ipmi::upgrade::UpgradeImage::parse(&good.image).unwrap();
    for action in &mut image.actions {
        if let ipmi::upgrade::ImageAction::Upload(upload) = action {
            upload.data = &upload.data[..upload.data.len() - 1];
        }
    }
    Installation {
        image: image.write().into(),
        ..good.clone()
    }
}

#[test]
fn a_controller_that_was_reset_on_request_answers_the_next_command_at_once() {
    let mut world = World::new(6, Quality::PERFECT);
    world.run_for(5 * SECOND);
    let reset = world.apply(0, Change::ResetController);
    assert_eq!(world.outcome(&reset, SECOND), Ok(()));
    let began = world.now;
    let light = world.apply(0, Change::Indicator(true));
    assert_eq!(world.outcome(&light, 5 * SECOND), Ok(()));
    assert!(world.now.since(began) < 2 * SECOND);
    world.run_for(3 * SECOND);
    assert_eq!(world.node(0).link, Link::Up);
}

#[test]
fn a_controller_that_does_not_come_back_is_told_so_in_the_end() {
    let mut world = World::new(7, Quality::PERFECT);
    world.run_for(5 * SECOND);
    let (installation, watch) = installation(APPLICATION, 100_000);
    let outcome = world.apply(0, Change::Firmware(installation));
    let reached = |_: &World| watch.0.load(Ordering::Relaxed) >= 50;
    assert!(world.run_until(60 * SECOND, reached));
    world.bmcs.set_faults(
        0,
        Some(vbmc::fault::Faults {
            drop_request_permille: 1_000,
            ..vbmc::fault::Faults::default()
        }),
    );
    let ended = world.outcome(&outcome, 1_200 * SECOND);
    assert!(
        matches!(ended, Err(ApplyError::Unconfirmed { .. })),
        "{ended:?}"
    );
}
