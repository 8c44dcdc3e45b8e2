//! `--faults`: what a fault does to the BMCs that have it and to all others, a row for each, on virtual time.
//!
//! A rack of a fleet has the fault, and its BMCs are behind a network of their own; all others, and the network to them, are well.
//! Measured are, from the first moment of the fault to its last:
//!
//! - the **age** of the readings of those who have it and of the others, looked at ten times a second, by the looker's own clock;
//! - how the **99th percentile of the others** differs from that of the same fleet without the fault;
//! - how many **datagrams** were sent to a BMC that has it, for each reading and in a minute;
//! - how long after its end until every BMC was read anew (**back after**);
//! - **wrong** readings: a machine's number, the sensor's and the time make the value of a numeric sensor, number and sensor that of a
//!   discrete one (`tests/support/machine.rs`);
//! - a digest of every datagram that arrived (**trace**), of two runs with the same seed.
//!
//! It fails where a reading is wrong, the others are later by more than a twentieth, somebody does not come back, or the two runs differ.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use hardware::{Availability, Link, Node, Reading};
use ipmi::bmc;
use vbmc::net::{Network, Quality, SeededEntropy};

use super::checker::Ages;
use super::support::machine::{DISCRETE, NUMERIC, STEP, raw_at, states_of, value_of};
use super::support::{Host, Setup, UNIX_MS, World};
use super::{bad, number};

/// BMCs in all, and how many of them have the fault where it is not said otherwise.
const NODES: u32 = 200;
const RACK: usize = 96;

const SEED_DEFAULT: u64 = 20_261_122;

/// Each sensor is read so often, in milliseconds.
const POLL_INTERVAL_MS: u32 = 10_000;

/// How long a fault lasts where nothing else is asked for, in seconds.
const SECONDS_DEFAULT: u32 = 300;

/// How long a rack is off, in seconds.
const OFF_SECONDS: u32 = 60;

/// From the start until all is well, and after the recovery.
const SETTLE: Duration = Duration::from_secs(30);

/// The longest that BMCs may take to come back.
const RECOVERY_MAX: Duration = Duration::from_secs(300);

/// Faults go on in such steps, so many to a second; readings are looked at in every second one.
const STEP_MS: u32 = 50;
const STEPS_A_SECOND: u32 = 1_000 / STEP_MS;
const LOOK_EVERY_STEPS: u32 = 2;

/// The others may be later by so much.
const MOVED_MAX: f64 = 0.05;

/// Complaints that are kept in words.
const WORDS_MAX: usize = 5;

/// Where every command takes twenty milliseconds, what happens meanwhile falls into conversations.
const SLOW: Quality = Quality {
    latency: Duration::from_millis(10),
    ..Quality::PERFECT
};

/// Something that goes wrong.
struct Fault {
    name: &'static str,
    /// The first so many BMCs have it.
    nodes: usize,
    /// How long; `None` = as asked for.
    seconds: Option<u32>,
    /// What they say is to be believed.
    is_honest: bool,
    /// The network to them.
    network: Quality,
    begin: fn(&mut World),
    /// What happens further, at step number so and so.
    step: fn(&mut World, u32),
    end: fn(&mut World),
}

const NO_FAULT: Fault = Fault {
    name: "none",
    nodes: RACK,
    seconds: None,
    is_honest: true,
    network: Quality::PERFECT,
    begin: |_| {},
    step: |_, _| {},
    end: |_| {},
};

const fn on_network(name: &'static str, network: Quality) -> Fault {
    Fault {
        name,
        network,
        ..NO_FAULT
    }
}

const fn losing(permille: u16) -> Quality {
    Quality {
        loss_permille: permille,
        ..Quality::PERFECT
    }
}

const FAULTS: [Fault; 17] = [
    on_network("10 % lost each way", losing(100)),
    on_network("30 % lost each way", losing(300)),
    Fault {
        name: "the same from the log-in on",
        network: losing(300),
        begin: |world| each(world, |_, host| host.bmc.reset()),
        ..NO_FAULT
    },
    on_network(
        "all doubled, both ways",
        Quality {
            duplicate_permille: 1_000,
            jitter: Duration::from_millis(3),
            ..Quality::PERFECT
        },
    ),
    on_network(
        "30 % held back for 0.7 s",
        Quality {
            reorder_permille: 300,
            hold_up: Duration::from_millis(700),
            jitter: Duration::from_millis(5),
            ..Quality::PERFECT
        },
    ),
    on_network(
        "answers after the repeat",
        Quality {
            latency: Duration::from_millis(350),
            ..Quality::PERFECT
        },
    ),
    Fault {
        name: "a rack off for a minute",
        seconds: Some(OFF_SECONDS),
        begin: |world| each(world, |_, host| host.mute = true),
        end: |world| each(world, |_, host| host.mute = false),
        ..NO_FAULT
    },
    Fault {
        name: "one BMC silent",
        nodes: 1,
        begin: |world| each(world, |_, host| host.mute = true),
        end: |world| each(world, |_, host| host.mute = false),
        ..NO_FAULT
    },
    Fault {
        name: "answers, opens no session",
        begin: |world| {
            each(world, |_, host| {
                host.opens_nothing = true;
                host.bmc.reset();
            });
        },
        end: |world| each(world, |_, host| host.opens_nothing = false),
        ..NO_FAULT
    },
    Fault {
        name: "room for one session, cut off 15 s a minute",
        begin: |world| {
            each(world, |_, host| {
                let access = bmc::Config {
                    session_max: 1,
                    ..(**host.bmc.config()).clone()
                };
                host.bmc.set_config(Arc::new(access));
            });
        },
        step: |world, step| {
            let is_cut_off = step / STEPS_A_SECOND % 60 < 15;
            each(world, |_, host| host.mute = is_cut_off);
        },
        end: |world| each(world, |_, host| host.mute = false),
        ..NO_FAULT
    },
    Fault {
        name: "restarts every 45 s",
        step: |world, step| restart_every(45, world, step),
        ..NO_FAULT
    },
    Fault {
        name: "records change while read",
        network: SLOW,
        step: |world, _| change_records(world),
        end: |world| {
            let all = Arc::clone(&world.hosts[RACK].machine.records);
            let now_s = seconds(world);
            each(world, |_, host| {
                host.machine.records = Arc::clone(&all);
                host.machine.records_changed = now_s + 1;
            });
        },
        ..NO_FAULT
    },
    Fault {
        name: "event log overflows while read",
        network: SLOW,
        begin: |world| each(world, |_, host| host.machine.capacity = 60),
        step: |world, step| {
            each(world, |place, host| {
                if step.is_multiple_of(2) {
                    host.machine.add_event();
                }
                // Half a minute after the last time, each at its own time.
                if (step + place * 5).is_multiple_of(30 * STEPS_A_SECOND) {
                    host.machine.clear();
                }
            });
        },
        end: |world| {
            each(world, |_, host| {
                host.machine.capacity = usize::MAX;
                host.machine.clear();
            });
        },
        ..NO_FAULT
    },
    Fault {
        name: "clocks step, theirs and ours",
        step: |world, step| {
            if step.is_multiple_of(30 * STEPS_A_SECOND) {
                let turn = step / (30 * STEPS_A_SECOND);
                let ahead_s = [7_200, -3_600, 86_400, 0][turn as usize % 4];
                // With a new entry in the log, so that their clock is looked at.
                each(world, |_, host| {
                    host.machine.clock_ahead_s = -ahead_s;
                    host.machine.add_event();
                });
                set_wall_clock(world, ahead_s);
            }
        },
        end: |world| {
            each(world, |_, host| host.machine.clock_ahead_s = 0);
            set_wall_clock(world, 0);
        },
        ..NO_FAULT
    },
    Fault {
        name: "all give the same session IDs, restarts",
        begin: |world| world.same_numbers = true,
        step: |world, step| restart_every(45, world, step),
        end: |world| world.same_numbers = false,
        ..NO_FAULT
    },
    Fault {
        name: "say anything: lengths, counts, loops",
        is_honest: false,
        begin: |world| {
            each(world, |place, host| {
                host.whims = Some(SeededEntropy::new(u64::from(place)));
                (0..20).for_each(|_| host.machine.add_event());
                read_anew(host);
            });
        },
        end: |world| {
            each(world, |_, host| {
                host.whims = None;
                read_anew(host);
            });
        },
        ..NO_FAULT
    },
    Fault {
        name: "old answers sent again, one with each",
        begin: |world| world.replayed = Some(Vec::new()),
        end: |world| world.replayed = None,
        ..NO_FAULT
    },
];

/// Does something to each BMC that has the fault.
fn each(world: &mut World, mut act: impl FnMut(u32, &mut Host)) {
    let places = world.far.as_ref().map_or(0..0, |(hosts, _)| hosts.clone());
    for (place, host) in (0..).zip(&mut world.hosts[places]) {
        act(place, host);
    }
}

/// What is learnt in a session holds in it: in the next one all is looked at again.
fn read_anew(host: &mut Host) {
    host.machine.records_changed += 1;
    host.bmc.reset();
}

fn seconds(world: &World) -> u32 {
    (world.now.as_nanos() / 1_000_000_000) as u32
}

fn restart_every(period_s: u32, world: &mut World, step: u32) {
    each(world, |place, host| {
        // Each at its own time.
        if (step + place * 7).is_multiple_of(period_s * STEPS_A_SECOND) {
            host.bmc.reset();
        }
    });
}

/// Takes records away and adds them again: as soon as some of them were read, and after a minute in any case.
fn change_records(world: &mut World) {
    let all = Arc::clone(&world.hosts[RACK].machine.records);
    let now_s = seconds(world);
    each(world, |_, host| {
        let machine = &mut host.machine;
        let unchanged_s = now_s.saturating_sub(machine.records_changed);
        let is_read = machine.repository_reads % 5 == 3;
        if unchanged_s >= 60 || is_read && unchanged_s >= 20 {
            machine.records = match machine.records.len() < all.len() {
                true => Arc::clone(&all),
                false => Arc::new(all[..usize::from(NUMERIC) - 2].to_vec()),
            };
            machine.records_changed = now_s;
        }
    });
}

fn set_wall_clock(world: &mut World, ahead_s: i32) {
    let right_ms = UNIX_MS + world.now.as_nanos() / 1_000_000;
    let shown_ms = right_ms.saturating_add_signed(i64::from(ahead_s) * 1_000);
    world.engine.set_wall_clock(world.now, shown_ms);
}

/// What the looker knows of a BMC.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// The stamp of its last round, and when that was first seen.
    read_at_ms: u64,
    at: Duration,
}

/// Looks at all snapshots.
struct Looker {
    seen: Vec<Seen>,
    /// Ages of readings of those that have the fault, and of the others.
    faulty: Ages,
    others: Ages,
    /// Readings with a value, of those that have the fault.
    readings: u64,
    checked: u64,
    wrong: u64,
    words: Vec<String>,
}

impl Looker {
    fn new() -> Self {
        Self {
            seen: vec![Seen::default(); NODES as usize],
            faulty: Ages::default(),
            others: Ages::default(),
            readings: 0,
            checked: 0,
            wrong: 0,
            words: Vec::new(),
        }
    }

    /// What was counted until now is not counted, but for wrong readings.
    fn begin(&mut self) {
        (self.faulty, self.others) = (Ages::default(), Ages::default());
        self.readings = 0;
    }

    /// Looks at all BMCs, of which the first ones are `faulty` and, perhaps, not to be believed.
    fn look(&mut self, world: &World, faulty: usize, believed: bool) {
        let now = Duration::from_nanos(world.now.as_nanos());
        for place in 0..NODES {
            let (node, is_faulty) = (world.node(place), (place as usize) < faulty);
            let before = self.seen[place as usize];
            if node.read_at_ms != before.read_at_ms {
                self.seen[place as usize] = Seen {
                    read_at_ms: node.read_at_ms,
                    at: now,
                };
                let values = node.readings.iter();
                let values = values.filter(|r| r.availability == Availability::Available);
                self.readings += u64::from(is_faulty) * values.count() as u64;
                if believed || !is_faulty {
                    self.judge(place, &node, before.at, now);
                }
            }
            let age = now - self.seen[place as usize].at;
            let ages = match is_faulty {
                true => &mut self.faulty,
                false => &mut self.others,
            };
            ages.add(age.as_millis() as u64, node.readings.len() as u64);
        }
    }

    /// The readings of a round were taken after the round before was seen, or shortly before, and not after now.
    fn judge(&mut self, place: u32, node: &Node, since: Duration, now: Duration) {
        let slack = STEP + Duration::from_millis(u64::from(STEP_MS * LOOK_EVERY_STEPS));
        let step = |at: Duration| (at.as_nanos() / STEP.as_nanos()) as u64;
        let steps = step(since.saturating_sub(slack))..=step(now);
        for (sensor, reading) in node.inventory.sensors.iter().zip(node.readings.iter()) {
            if reading.availability != Availability::Available {
                continue;
            }
            // The lowest byte of the key is the sensor's number.
            let [number, ..] = sensor.key.to_le_bytes();
            let is_right = match number {
                1..=NUMERIC => {
                    let had = |step| value_of(raw_at(place, number, step)) == reading.value;
                    steps.clone().any(had)
                }
                _ => number <= NUMERIC + DISCRETE && reading.states == states_of(place, number),
            };
            self.checked += 1;
            if !is_right {
                self.complain(place, number, &reading);
            }
        }
    }

    fn complain(&mut self, place: u32, number: u8, reading: &Reading) {
        self.wrong += 1;
        if self.words.len() < WORDS_MAX {
            self.words
                .push(format!("BMC {place}, sensor {number}: {reading:?}"));
        }
    }

    /// Whether every BMC was read after this moment and answers.
    fn has_all(&self, world: &World, since: Duration) -> bool {
        let is_back =
            |(place, seen): (u32, &Seen)| seen.at > since && world.node(place).link == Link::Up;
        (0..).zip(&self.seen).all(is_back)
    }
}

/// What one run found.
struct Found {
    looker: Looker,
    /// Sent to those that have the fault, while they had it.
    datagrams: u64,
    recovery: Option<Duration>,
    trace: u64,
}

impl Found {
    fn of(fault: &Fault, seed: u64, seconds: u32) -> Self {
        let mut setup = Setup::new(NODES, seed, Quality::PERFECT);
        setup.config.poll_interval_ms = POLL_INTERVAL_MS;
        let mut world = World::new(setup);
        let mut looker = Looker::new();
        world.far = Some((0..fault.nodes, Network::new(Quality::PERFECT, !seed)));
        let asked = |world: &World| -> u64 {
            let hosts = &world.hosts[..fault.nodes];
            hosts.iter().map(|host| host.asked).sum()
        };
        run(&mut world, &mut looker, fault, SETTLE, |_, _| {});
        looker.begin();
        let before = asked(&world);
        set_network(&mut world, fault.network);
        (fault.begin)(&mut world);
        let span = Duration::from_secs(seconds.into());
        run(&mut world, &mut looker, fault, span, fault.step);
        let datagrams = asked(&world) - before;
        // Those ages and readings are what counts; what comes is only judged.
        let (faulty, others) = (looker.faulty.clone(), looker.others.clone());
        let readings = looker.readings;
        set_network(&mut world, Quality::PERFECT);
        (fault.end)(&mut world);
        let recovery = recover(&mut world, &mut looker, fault);
        run(&mut world, &mut looker, &NO_FAULT, SETTLE, |_, _| {});
        Self {
            looker: Looker {
                faulty,
                others,
                readings,
                ..looker
            },
            datagrams,
            recovery,
            trace: world.trace(),
        }
    }

    /// The age that 99 of 100 readings of the others do not exceed.
    fn others_p99(&self) -> f64 {
        self.looker.others.quantile_ms(0.99) as f64
    }
}

fn set_network(world: &mut World, quality: Quality) {
    if let Some((_, far)) = &mut world.far {
        far.set_quality(quality);
    }
}

/// Lets time pass, with what happens in it, and looks.
fn run(
    world: &mut World,
    looker: &mut Looker,
    fault: &Fault,
    span: Duration,
    mut act: impl FnMut(&mut World, u32),
) {
    let steps = (span.as_millis() / u128::from(STEP_MS)) as u32;
    for step in 1..=steps {
        act(world, step);
        world.run_for(Duration::from_millis(STEP_MS.into()));
        if step.is_multiple_of(LOOK_EVERY_STEPS) {
            looker.look(world, fault.nodes, fault.is_honest);
        }
    }
}

/// Until every BMC was read anew; `None` where that takes too long.
fn recover(world: &mut World, looker: &mut Looker, fault: &Fault) -> Option<Duration> {
    let begin = Duration::from_nanos(world.now.as_nanos());
    let look = Duration::from_millis(u64::from(STEP_MS * LOOK_EVERY_STEPS));
    loop {
        run(world, looker, fault, look, |_, _| {});
        let lasted = Duration::from_nanos(world.now.as_nanos()) - begin;
        if looker.has_all(world, begin) {
            return Some(lasted);
        }
        if lasted > RECOVERY_MAX {
            return None;
        }
    }
}

/// The row of a fault.
struct Row<'a> {
    fault: &'a Fault,
    seconds: u32,
    found: Found,
    /// The same fleet without the fault.
    well: &'a Found,
    /// Of the second run.
    trace: u64,
}

impl Row<'_> {
    fn moved(&self) -> f64 {
        self.found.others_p99() / self.well.others_p99() - 1.0
    }

    /// Datagrams for each reading; `None` where nothing was read.
    fn datagrams_a_reading(found: &Found) -> Option<f64> {
        let readings = found.looker.readings;
        (readings > 0).then(|| found.datagrams as f64 / readings as f64)
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            fault,
            seconds,
            found,
            trace,
            ..
        } = self;
        let s = |ages: &Ages, share| ages.quantile_ms(share) as f64 / 1_000.0;
        let text =
            |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), |f| format!("{f:.2}"));
        let looker = &found.looker;
        let minutes = f64::from(*seconds) / 60.0 * fault.nodes as f64;
        let recovery = found.recovery.map(|recovery| recovery.as_secs_f64());
        writeln!(
            out,
            "| {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:+.1} % | {} | {} | {:.0} | {} of {} | {:08x} {:08x} |",
            fault.name,
            fault.nodes,
            s(&looker.faulty, 0.5),
            s(&looker.faulty, 0.999),
            s(&looker.others, 0.5),
            s(&looker.others, 0.999),
            self.moved() * 100.0,
            recovery.map_or_else(|| "MISSED".to_owned(), |s| format!("{s:.1}")),
            text(Self::datagrams_a_reading(found)),
            found.datagrams as f64 / minutes,
            looker.wrong,
            looker.checked,
            found.trace >> 32,
            trace >> 32,
        )?;
        looker
            .words
            .iter()
            .try_for_each(|word| writeln!(out, "    {word}"))
    }

    /// What is wrong with it.
    fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut complain = |is_so: bool, what: &str| {
            if is_so {
                complaints.push(format!("{}: {what}", self.fault.name));
            }
        };
        complain(self.found.looker.wrong > 0, "readings are wrong");
        complain(self.moved() > MOVED_MAX, "the others are later for it");
        complain(self.found.recovery.is_none(), "not all came back");
        complain(
            self.found.trace != self.trace,
            "two runs with one seed differ",
        );
        complaints
    }
}

const HEAD: &str = "| fault | BMCs that have it | their readings' age p50, s | p99.9, s | others' p50, s | p99.9, s | others' p99 moved | back after, s | datagrams a reading | a BMC and minute | wrong readings | trace, twice |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|";

/// Runs them all.
pub(crate) fn run_all(seed: u64, seconds: u32, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{NODES} BMCs x {} sensors, each read every {} s; each fault for {seconds} s, a rack off for {OFF_SECONDS} s; seed {seed}\n",
        NUMERIC + DISCRETE,
        POLL_INTERVAL_MS / 1_000,
    )?;
    writeln!(out, "{HEAD}")?;
    // Without any fault: as long as most last, and as long as a rack is off.
    let well = [seconds, OFF_SECONDS].map(|seconds| Found::of(&NO_FAULT, seed, seconds));
    let [same, _] = &well;
    let mut complaints = Vec::new();
    for fault in [&NO_FAULT].into_iter().chain(&FAULTS) {
        let seconds = fault.seconds.unwrap_or(seconds);
        let row = Row {
            fault,
            seconds,
            found: Found::of(fault, seed, seconds),
            well: if fault.seconds.is_some() {
                &well[1]
            } else {
                same
            },
            trace: Found::of(fault, seed, seconds).trace,
        };
        row.write(out)?;
        out.flush()?;
        complaints.extend(row.complaints());
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(io::Error::other(complaints.join("; ")))
    }
}

/// Runs it as the command line says.
pub(crate) fn run_command(args: &[String]) -> io::Result<()> {
    let (mut seed, mut seconds) = (SEED_DEFAULT, SECONDS_DEFAULT);
    for pair in args.chunks(2) {
        match pair {
            [name, value] if name == "--seed" => seed = number(value)?,
            [name, value] if name == "--seconds" => seconds = number::<u32>(value)?.max(1),
            other => {
                return Err(bad(&format!(
                    "unknown option {other:?}; with --faults there are --seed N, --seconds S"
                )));
            }
        }
    }
    run_all(seed, seconds, &mut io::stdout().lock())
}
