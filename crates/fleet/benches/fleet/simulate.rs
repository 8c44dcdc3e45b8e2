//! `--simulate READINGS`: so many readings on virtual time, every one checked, over a network that loses a tenth each way, doubles and
//! holds up one in twenty. The same seed makes the same run.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use vbmc::net::Quality;
use vbmc::telltale::Law;

use super::world::{Setup, World};
use super::{bad, number};

/// Machines where no other number is asked for.
const NODES_DEFAULT: u32 = 500;
const SEED_DEFAULT: u64 = 20_261_122;

/// Each sensor is read so often, in milliseconds.
const POLL_INTERVAL_MS: u32 = 10_000;

/// How often all snapshots are looked at: more often than one can be replaced.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often it says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(30);

/// Runs it.
pub(crate) fn run(args: &[String]) -> io::Result<()> {
    let (wanted, rest) = args
        .split_first()
        .ok_or_else(|| bad("--simulate needs a number of readings"))?;
    let wanted: u64 = number(wanted)?;
    let (mut nodes, mut seed) = (NODES_DEFAULT, SEED_DEFAULT);
    for pair in rest.chunks(2) {
        match pair {
            [name, value] if name == "--nodes" => nodes = number(value)?,
            [name, value] if name == "--seed" => seed = number(value)?,
            other => {
                return Err(bad(&format!(
                    "unknown option {other:?}; with --simulate READINGS there are --nodes N, --seed N"
                )));
            }
        }
    }
    let mut world = World::new(Setup {
        nodes,
        seed,
        quality: Quality::ROUGH,
        poll_interval_ms: POLL_INTERVAL_MS,
        law: Law { seed, epoch_s: 5 },
        round_ms_max: u64::MAX,
    });
    let (begin, mut said) = (Instant::now(), Instant::now());
    while world.checker.tally.checked < wanted && world.checker.tally.wrong == 0 {
        world.run_for(LOOK_EVERY);
        world.look();
        if said.elapsed() > SAY_EVERY {
            said = Instant::now();
            writeln!(io::stderr(), "{} readings", world.checker.tally.checked)?;
        }
    }
    let (tally, counters) = (&world.checker.tally, world.engine.counters());
    let network = world.network.tally();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} readings checked, {} wrong (goal 0; one of another sensor goes unnoticed with {:.1} %), {} without a value; seed {seed}",
        tally.checked,
        tally.wrong,
        tally.unnoticed() * 100.0,
        tally.without_value,
    )?;
    writeln!(
        out,
        "{nodes} BMCs, {:.0} s of virtual time in {:.0} s; {} datagrams: {} lost, {} doubled, {} held up; {} repeats, {} doubled and {} late answers dropped",
        world.now.as_nanos() as f64 / 1e9,
        begin.elapsed().as_secs_f64(),
        network.sent,
        network.lost,
        network.duplicated,
        network.held_up,
        counters.retransmits,
        counters.dropped_duplicate,
        counters.dropped_late,
    )?;
    for word in &tally.words {
        writeln!(out, "    {word}")?;
    }
    if tally.wrong > 0 {
        return Err(io::Error::other("readings were mixed up"));
    }
    Ok(())
}
