//! Seconds in which nothing happens to a machine that nobody looks at.
//!
//! A machine that is looked at every minute is moved along sixty seconds at once. Of those its sensors are read in the last one only,
//! unless a limit may be crossed before: what is seen and logged is the same, for a small part of the work. They are read in every
//! second while the host is off, starts or shuts down, and for good once a console has set anything.

use super::Machine;
use crate::host::Activity;
use crate::sensor::{Kind, SensorSpec, Signal};

/// Between which values of a signal its sensor surely crosses no limit, and is not at the end of its scale.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    signal: Signal,
    low: f64,
    high: f64,
    /// What the sensor reads where the machine has no such signal.
    nominal: f64,
}

/// The bounds of a profile's sensors that have limits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quiet(Box<[Bounds]>);

impl Quiet {
    pub(crate) fn of(sensors: &[SensorSpec]) -> Self {
        let sensors = sensors.iter();
        Self(sensors.filter_map(|sensor| bounds(&sensor.kind)).collect())
    }
}

/// `None` where there is nothing to cross.
fn bounds(kind: &Kind) -> Option<Bounds> {
    let Kind::Analog(analog) = kind else {
        return None;
    };
    analog.limits.iter().flatten().next()?;
    let (calm, range) = (analog.calm(), analog.scale.range());
    // A reading is no further than one step of the scale from what is measured. Without a step: nowhere.
    let step = analog.scale.step().unwrap_or(f64::INFINITY);
    Some(Bounds {
        signal: analog.signal,
        low: (calm.0 + step).max(range.0),
        high: (calm.1 - step).min(range.1),
        nominal: analog.nominal,
    })
}

impl Machine {
    /// Whether reading the sensors now would log nothing: no limit is crossed or could be, and no console has changed any. Sensors
    /// that follow a law never log, and it depends on the time alone.
    pub(super) fn is_quiet(&self) -> bool {
        if self.controller.is_some() || self.profile.law.is_some() {
            return self.controller.is_none();
        }
        matches!(self.host.activity(), Activity::Running)
            && self.samples.iter().all(|sample| sample.held == 0)
            && self.profile.quiet.0.iter().all(|at| {
                let measured = self.body.signal(at.signal);
                let measured = measured.map_or(at.nominal, f64::from);
                measured > at.low && measured < at.high
            })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use ipmi::number::ChassisControlAction;
    use ipmi::time::Instant;

    use super::*;
    use crate::profile::Profile;
    use crate::site::{Site, SiteOptions};
    use crate::telltale::Law;

    const OPTIONS: SiteOptions = SiteOptions {
        nodes: 4,
        seed: 1,
        epoch_s: 1_795_000_000,
    };

    /// What befalls the machine, and in which second.
    type Blow = (u64, fn(&mut Machine));

    /// What is seen and logged in the end where somebody looks every `stride` seconds, and when something befalls it; and how
    /// often its sensors were read.
    fn lived(stride: u64, blows: &[Blow]) -> (String, usize, u64) {
        let site = Site::new(OPTIONS).unwrap();
        for second in 0..=1_200 {
            let at = Instant::ORIGIN + Duration::from_secs(second);
            if second.is_multiple_of(stride) {
                drop(site.machine(2, at));
            }
            for (_, blow) in blows.iter().filter(|(when, _)| *when == second) {
                blow(&mut site.machine(2, at));
            }
        }
        let machine = site.machine(2, Instant::ORIGIN + Duration::from_secs(1_200));
        let entries = machine.log().entries();
        let power = machine.power_statistics(300);
        let seen = format!("{:?} {entries:?} {power:?}", machine.samples());
        (seen, entries.len(), machine.revision())
    }

    #[test]
    fn whoever_looks_rarely_finds_what_one_who_looks_every_second_does() {
        let cases: [&[Blow]; 6] = [
            &[],
            &[
                (100, |machine| machine.warm_air(16.0)),
                (500, |machine| machine.warm_air(0.0)),
            ],
            &[(100, |machine| {
                let index = machine
                    .profile()
                    .sensors
                    .iter()
                    .position(|s| s.name == "Fan1");
                machine.stick(u8::try_from(index.unwrap()).unwrap(), Some(0));
            })],
            &[
                (100, |machine| {
                    machine.control(ChassisControlAction::POWER_DOWN).unwrap();
                }),
                (301, |machine| {
                    machine.control(ChassisControlAction::POWER_UP).unwrap();
                }),
            ],
            &[
                (100, |machine| {
                    machine.control(ChassisControlAction::POWER_CYCLE).unwrap();
                }),
                (600, |machine| {
                    machine.control(ChassisControlAction::HARD_RESET).unwrap();
                }),
            ],
            // A console's limits: from here on it is read in every second.
            &[
                (300, |machine| _ = machine.controller_mut()),
                (310, |machine| machine.warm_air(16.0)),
            ],
        ];
        let usual = lived(1, cases[0]).1;
        for (number, blows) in cases.into_iter().enumerate() {
            let (seen, entries, read) = lived(1, blows);
            assert!(number == 0 || entries > usual, "case {number} logs nothing");
            for stride in [7, 60, 299] {
                let (rarely, _, rarely_read) = lived(stride, blows);
                assert_eq!(rarely, seen, "case {number}, every {stride} s");
                assert!(rarely_read < read, "case {number}, every {stride} s");
            }
        }
    }

    #[test]
    fn a_machine_whose_sensors_follow_a_law_is_read_when_somebody_looks() {
        let site = Site::new(OPTIONS).unwrap();
        let identity = site.machine(0, Instant::ORIGIN).identity().clone();
        let (seed, epoch_s) = (1, 60);
        let profile = Profile::telltale(Law { seed, epoch_s });
        let mut machine = Machine::node(Arc::new(profile), identity);
        let read = machine.revision();
        machine.advance(Instant::ORIGIN + Duration::from_secs(60));
        assert_eq!(machine.revision(), read + 1);
    }

    #[test]
    fn a_machine_near_a_limit_or_one_that_a_console_has_set_is_not_quiet() {
        let site = Site::new(OPTIONS).unwrap();
        let at = |second| Instant::ORIGIN + Duration::from_secs(second);
        let mut machine = site.machine(0, at(60));
        assert!(machine.is_quiet());
        machine.controller_mut();
        assert!(!machine.is_quiet());
        drop(machine);
        site.machine(1, at(60)).warm_air(30.0);
        assert!(!site.machine(1, at(600)).is_quiet());
        let mut off = site.machine(2, at(60));
        off.control(ChassisControlAction::POWER_DOWN).unwrap();
        assert!(!off.is_quiet());
    }
}
