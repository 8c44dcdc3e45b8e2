//! Sensors whose values say whose they are and when: for proving that no reading is ever taken for another sensor's, or
//! for a newer one.
//!
//! A value is a hash of machine, sensor and time. Who knows the [`Law`] knows what each sensor had to say at each second,
//! without asking anybody. A numeric sensor has eight bits for that: a reading from elsewhere, or of another epoch, passes
//! for right once in 256 times. A discrete sensor has 15.

use ipmi::record::AnalogFormat;

use crate::curve::hash;
use crate::machine::Sample;
use crate::scale::Scale;
use crate::sensor::{Kind, SensorSpec};

/// Numeric sensors of a machine that follows a law: those with the numbers from 1 to this.
pub const NUMERIC: u8 = 44;

/// Discrete sensors of such a machine: the numbers after those.
pub const DISCRETE: u8 = 16;

/// What the sensors of many machines say at which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Law {
    /// Another seed, other values.
    pub seed: u64,
    /// How long a sensor keeps a value, in seconds; 0 counts as 1.
    pub epoch_s: u32,
}

impl Law {
    /// The epoch that a second since 1970 lies in.
    #[must_use]
    pub fn epoch(self, at_s: u64) -> u64 {
        at_s / u64::from(self.epoch_s.max(1))
    }

    fn bits(self, machine: u32, sensor: u8, epoch: u64) -> u64 {
        let who = u64::from(machine) << 8 | u64::from(sensor);
        hash(hash(self.seed, who), epoch)
    }

    /// The raw byte of a numeric sensor of a machine in an epoch.
    #[must_use]
    pub fn raw(self, machine: u32, sensor: u8, epoch: u64) -> u8 {
        self.bits(machine, sensor, epoch).to_le_bytes()[0]
    }

    /// The reading that this is, in the sensor's unit: `1 + sensor % 4` units a count; numbers of odd sensors count from
    /// 0 to 255, those of even ones from -128 to 127.
    #[must_use]
    pub fn value(self, machine: u32, sensor: u8, epoch: u64) -> f64 {
        let raw = self.raw(machine, sensor, epoch);
        let count = if sensor % 2 == 1 {
            f64::from(raw)
        } else {
            f64::from(raw.cast_signed())
        };
        count * f64::from(factor(sensor))
    }

    /// The state bits of a discrete sensor of a machine in an epoch: 15 bits.
    #[must_use]
    pub fn states(self, machine: u32, sensor: u8, epoch: u64) -> u16 {
        let [a, b, ..] = self.bits(machine, sensor, epoch).to_le_bytes();
        u16::from_le_bytes([a, b & 0x7f])
    }

    /// What a sensor delivers at a second since 1970. Limits are crossed, and never held: nothing is logged.
    pub(crate) fn sample(self, machine: u32, spec: &SensorSpec, at_s: u64) -> Sample {
        let epoch = self.epoch(at_s);
        match &spec.kind {
            Kind::Analog(analog) => {
                let raw = self.raw(machine, spec.number, epoch);
                Sample {
                    raw,
                    crossed: analog.crossed(analog.scale.value(raw)),
                    ..Sample::default()
                }
            }
            Kind::Discrete(discrete) => Sample {
                states: self.states(machine, spec.number, epoch) & discrete.mask,
                ..Sample::default()
            },
            Kind::EventOnly(_) => Sample {
                unavailable: true,
                ..Sample::default()
            },
        }
    }
}

const fn factor(sensor: u8) -> i16 {
    1 + (sensor % 4) as i16
}

/// The scale of a numeric sensor that follows a law.
pub(crate) fn scale(sensor: u8) -> Scale {
    let format = if sensor % 2 == 1 {
        AnalogFormat::Unsigned
    } else {
        AnalogFormat::TwosComplement
    };
    Scale::of(format, factor(sensor), 0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use ipmi::time::Instant;

    use super::*;
    use crate::profile::Profile;
    use crate::site::{Site, SiteOptions};

    const LAW: Law = Law {
        seed: 7,
        epoch_s: 10,
    };

    #[test]
    fn machines_say_what_the_law_says() {
        let options = SiteOptions {
            nodes: 3,
            seed: 1,
            epoch_s: 1_795_000_003,
        };
        let site = Site::with_nodes(options, Profile::telltale(LAW)).unwrap();
        for second in [0, 6, 7, 300, 7_200] {
            let epoch = LAW.epoch(options.epoch_s + second);
            let now = Instant::ORIGIN + Duration::from_secs(second);
            for index in 0..3 {
                let machine = site.machine(index, now);
                let specs = &machine.profile().sensors;
                assert_eq!(specs.len(), usize::from(NUMERIC + DISCRETE));
                for (spec, sample) in specs.iter().zip(machine.samples()) {
                    match spec.analog() {
                        Some(analog) => assert_eq!(
                            analog.scale.value(sample.raw),
                            LAW.value(index, spec.number, epoch)
                        ),
                        None => {
                            assert_eq!(sample.states, LAW.states(index, spec.number, epoch));
                        }
                    }
                }
                assert!(machine.log().entries().len() < 10, "limits log nothing");
            }
        }
    }

    #[test]
    fn one_in_256_pairs_of_sensors_or_epochs_agree_and_no_more() {
        let raw = |i: u32| LAW.raw(i / 100, (i % 10) as u8, u64::from(i / 10 % 10));
        let all: Vec<u8> = (0..20_000).map(raw).collect();
        let equal = all.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!((40..120).contains(&equal), "{equal} of 20,000");
        let seen: HashSet<u8> = all.into_iter().collect();
        assert_eq!(seen.len(), 256);
    }
}
