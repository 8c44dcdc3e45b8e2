//! Fans, power supplies, processors: what some sensors and a nameplate share.

use hardware::{
    Asset, Availability, Capacity, Context, Link, Node, Quantity, Reading, Sensor, Severity,
};

use crate::number::Scale;

/// A fan has at most this many rotors. More speeds under one instance number are fans that were not told apart.
const MAX_ROTORS: usize = 2;

/// A sensor with its value now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measurement<'a> {
    pub(crate) sensor: &'a Sensor,
    pub(crate) reading: Reading,
}

impl Measurement<'_> {
    /// How its values are written.
    pub(crate) fn scale(&self) -> Scale {
        Scale::of(self.sensor)
    }

    /// The value now in the unit that Redfish has for it, rounded to what the sensor can tell apart.
    pub(crate) fn value(&self) -> Option<f64> {
        self.reading.number().map(|value| self.scale().value(value))
    }

    /// Whether the value was read in the node's newest round.
    pub(crate) fn is_fresh(&self) -> bool {
        self.reading.availability == Availability::Available
    }

    /// Whether there is anything to say: a value, or states.
    pub(crate) fn is_known(&self) -> bool {
        matches!(
            self.reading.availability,
            Availability::Available | Availability::Stale
        )
    }

    /// What the sensor says about its part.
    pub(crate) fn severity(&self) -> Severity {
        if !self.is_fresh() {
            return Severity::Ok;
        }
        if self.sensor.quantity.is_numeric() {
            return self.reading.crossed.severity();
        }
        let severities = self.sensor.state_severities.iter().take(16).enumerate();
        let holding = severities.filter(|(bit, _)| self.reading.states & (1 << bit) != 0);
        holding
            .map(|(_, severity)| *severity)
            .max()
            .unwrap_or_default()
    }

    /// The states that hold, in words.
    pub(crate) fn holding(&self) -> impl Iterator<Item = &str> {
        let states = self.sensor.states.iter().take(16).enumerate();
        let holding = states.filter(|(bit, _)| self.reading.states & (1 << bit) != 0);
        holding.map(|(_, words)| &**words)
    }

    /// Whether a state whose words contain `words` (lower case) holds; `None` where the sensor has no such state.
    fn state(&self, words: &str) -> Option<bool> {
        if self.reading.availability != Availability::Available {
            return None;
        }
        let bit = self
            .sensor
            .states
            .iter()
            .position(|s| s.to_ascii_lowercase().contains(words))?;
        Some(self.reading.states & 1_u16.checked_shl(u32::try_from(bit).ok()?)? != 0)
    }
}

/// Every sensor of a node with its value. A machine that doesn't answer has no values: the last ones are history.
pub(crate) fn measurements(node: &Node) -> impl Iterator<Item = Measurement<'_>> {
    let answers = node.link == Link::Up;
    let sensors = node.inventory.sensors.iter().enumerate();
    sensors.map(move |(place, sensor)| {
        let reading = node.readings.get(place).filter(|_| answers);
        Measurement {
            sensor,
            reading: reading.unwrap_or_default(),
        }
    })
}

/// The numeric sensor of this name in a URI.
pub(crate) fn measurement<'a>(node: &'a Node, id: &str) -> Option<Measurement<'a>> {
    measurements(node).find(|m| m.sensor.quantity.is_numeric() && &*m.sensor.id == id)
}

/// A fan or a power supply.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// Its name in a URI, unique among parts of its kind.
    pub(crate) id: String,
    /// Its name for people.
    pub(crate) name: String,
    /// All sensors that look at it. For a fan the speeds come first.
    pub(crate) sensors: Vec<Measurement<'a>>,
    /// Its nameplate.
    pub(crate) asset: Option<Asset<&'a str>>,
    /// How much it can do.
    pub(crate) capacity: Option<Capacity>,
}

impl<'a> Part<'a> {
    /// The first sensor of this kind.
    pub(crate) fn first(&self, quantity: Quantity) -> Option<Measurement<'a>> {
        self.sensors
            .iter()
            .copied()
            .find(|m| m.sensor.quantity == quantity)
    }

    /// Its rotors' speeds, for a fan.
    pub(crate) fn speeds(&self) -> impl Iterator<Item = Measurement<'a>> {
        self.sensors
            .iter()
            .copied()
            .filter(|m| m.sensor.quantity == Quantity::FanSpeed)
    }

    /// What it delivers at most, in watts, for a power supply.
    pub(crate) const fn watts(&self) -> Option<f64> {
        match self.capacity {
            Some(Capacity::Watts(watts)) => Some(watts as f64),
            _ => None,
        }
    }

    /// Whether this is one of the part's sensors.
    pub(crate) fn has(&self, sensor: &Sensor) -> bool {
        self.sensors.iter().any(|m| std::ptr::eq(m.sensor, sensor))
    }

    /// A presence sensor says that the slot is empty.
    pub(crate) fn is_absent(&self) -> bool {
        let says = |words| self.sensors.iter().find_map(|m| m.state(words));
        says("presence detected") == Some(false)
            || says("device present") == Some(false)
            || says("absent") == Some(true)
    }

    /// Whether the supply has lost its input; `None` where no sensor would tell.
    pub(crate) fn has_lost_input(&self) -> Option<bool> {
        let mut answer = None;
        for words in ["ac lost", "input lost"] {
            for measurement in &self.sensors {
                if let Some(lost) = measurement.state(words) {
                    answer = Some(answer.unwrap_or(false) || lost);
                }
            }
        }
        answer
    }
}

/// The fans that a node's sensors tell of, without those inside power supplies.
pub(crate) fn fans(node: &Node) -> Vec<Part<'_>> {
    let mut fans: Vec<(u16, Part<'_>)> = Vec::new();
    let speeds = measurements(node).filter(|m| {
        m.sensor.quantity == Quantity::FanSpeed && m.sensor.context != Context::PowerSupply
    });
    let per_instance = |instance| {
        measurements(node)
            .filter(|m| {
                m.sensor.quantity == Quantity::FanSpeed
                    && m.sensor.context == Context::Fan
                    && m.sensor.instance == instance
            })
            .count()
    };
    for speed in speeds {
        let instance = if speed.sensor.context == Context::Fan {
            speed.sensor.instance
        } else {
            0
        };
        let other_rotor = fans
            .iter_mut()
            .find(|(other, _)| instance != 0 && *other == instance);
        match other_rotor {
            Some((_, fan)) if per_instance(instance) <= MAX_ROTORS => fan.sensors.push(speed),
            _ => fans.push((
                instance,
                Part {
                    id: speed.sensor.id.to_string(),
                    name: speed.sensor.name.to_string(),
                    sensors: vec![speed],
                    asset: plate_of(node, Context::Fan, instance).map(|plate| plate.asset),
                    capacity: None,
                },
            )),
        }
    }
    for discrete in measurements(node).filter(|m| {
        m.sensor.quantity == Quantity::Discrete
            && m.sensor.context == Context::Fan
            && m.sensor.instance != 0
    }) {
        for (_, fan) in fans
            .iter_mut()
            .filter(|(instance, _)| *instance == discrete.sensor.instance)
        {
            fan.sensors.push(discrete);
        }
    }
    fans.into_iter().map(|(_, fan)| fan).collect()
}

/// The power supplies that a node's nameplates and sensors tell of.
pub(crate) fn power_supplies(node: &Node) -> Vec<Part<'_>> {
    of_kind(node, Context::PowerSupply, "PSU", "Power supply")
}

/// The parts of this context that a node's nameplates and sensors tell of, by instance. `short` begins their names in
/// URIs, `long` those for people.
pub(crate) fn of_kind<'a>(
    node: &'a Node,
    context: Context,
    short: &str,
    long: &str,
) -> Vec<Part<'a>> {
    let mut parts: Vec<(u16, Part<'a>)> = Vec::new();
    let blank = |instance| {
        let (id, name) = if instance == 0 {
            (short.to_owned(), long.to_owned())
        } else {
            (format!("{short}{instance}"), format!("{long} {instance}"))
        };
        let plate = plate_of(node, context, instance);
        let part = Part {
            id,
            name,
            sensors: Vec::new(),
            asset: plate.map(|plate| plate.asset),
            capacity: plate.and_then(|plate| plate.capacity),
        };
        (instance, part)
    };
    for measurement in measurements(node).filter(|m| m.sensor.context == context) {
        let instance = measurement.sensor.instance;
        let at = parts.iter().position(|(other, _)| *other == instance);
        let at = at.unwrap_or_else(|| {
            parts.push(blank(instance));
            parts.len() - 1
        });
        parts[at].1.sensors.push(measurement);
    }
    for plate in node.inventory.parts() {
        let is_new = !parts.iter().any(|(other, _)| *other == plate.instance);
        if plate.context == context && is_new {
            parts.push(blank(plate.instance));
        }
    }
    parts.sort_by_key(|(instance, _)| *instance);
    parts.into_iter().map(|(_, part)| part).collect()
}

/// The nameplate of a part of this context and instance. One that doesn't say of what it is belongs to the part whose
/// name it bears: `PSU1`, `Power Supply 1`, `PS_1`.
fn plate_of(node: &Node, context: Context, instance: u16) -> Option<hardware::Part<&str>> {
    let words: &[&str] = match context {
        Context::PowerSupply => &["psu", "ps", "powersupply", "pws"],
        Context::Fan => &["fan"],
        Context::Cpu => &["cpu", "processor"],
        _ => &[],
    };
    let bears_name = |part: &hardware::Part<&str>| {
        let name = part.asset.name;
        part.context == Context::Unspecified
            && name.is_some_and(|name| words.iter().any(|word| is_instance(name, word, instance)))
    };
    let mut parts = node.inventory.parts();
    parts
        .find(|part| part.context == context && part.instance == instance)
        .or_else(|| node.inventory.parts().find(bears_name))
}

/// Whether `name` is `word` and the number, whatever the case and what stands between. No number is the first.
fn is_instance(name: &str, word: &str, instance: u16) -> bool {
    let mut letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    let has_word = word.bytes().all(|wanted| {
        letters
            .next()
            .is_some_and(|letter| letter.eq_ignore_ascii_case(&wanted))
    });
    let mut number = None;
    let is_number = has_word
        && letters.all(|digit| {
            let digit = char::from(digit).to_digit(10);
            number = digit.map(|digit| {
                number
                    .unwrap_or(0_u32)
                    .saturating_mul(10)
                    .saturating_add(digit)
            });
            digit.is_some()
        });
    is_number && number.map_or(instance <= 1, |number| number == u32::from(instance))
}

/// Which side of a power supply a sensor measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Towards the mains.
    Input,
    /// Towards the load.
    Output,
}

/// Above this a voltage is a mains voltage: safety extra-low voltage ends at 60 V DC.
const MAINS_FROM_VOLTS: f64 = 60.0;

/// Which side a sensor of a power supply measures: by its name, else by what is usual.
pub(crate) fn side(sensor: &Sensor) -> Side {
    let name = sensor.name.to_ascii_lowercase();
    let words = || {
        name.split(|c: char| !c.is_ascii_alphabetic())
            .filter(|word| !word.is_empty())
    };
    if words().any(|word| word.ends_with("out") || word.starts_with("output") || word == "dc") {
        return Side::Output;
    }
    if words().any(|word| {
        matches!(
            word,
            "in" | "input" | "pin" | "vin" | "iin" | "ac" | "mains"
        ) || word.starts_with("input")
    }) {
        return Side::Input;
    }
    match sensor.quantity {
        Quantity::Voltage => {
            let limits = &sensor.thresholds;
            let highest = limits
                .upper_caution
                .or(limits.upper_critical)
                .or(limits.upper_fatal);
            let top = highest
                .or_else(|| sensor.range.map(|(_, top)| top))
                .unwrap_or_default();
            if top > MAINS_FROM_VOLTS {
                Side::Input
            } else {
                Side::Output
            }
        }
        _ => Side::Input,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hardware::{Thresholds, Unit};

    use super::*;

    fn sensor(name: &str, quantity: Quantity) -> Sensor {
        Sensor {
            name: Arc::from(name),
            id: Arc::from(name),
            key: 0,
            quantity,
            unit: Unit::default(),
            context: Context::PowerSupply,
            instance: 1,
            range: None,
            resolution: None,
            thresholds: Thresholds::default(),
            states: Arc::default(),
            state_severities: Arc::default(),
        }
    }

    #[test]
    fn a_nameplate_belongs_to_the_part_whose_word_and_number_it_bears() {
        for name in ["PSU2", "psu 2", "PSU_02"] {
            assert!(is_instance(name, "psu", 2), "{name}");
        }
        for name in ["PSU1", "PSU22", "PSU", "PSU2 Fan", "Board 2", "2"] {
            assert!(!is_instance(name, "psu", 2), "{name}");
        }
        assert!(is_instance("Power Supply", "powersupply", 1));
    }

    #[test]
    fn the_name_of_a_supply_sensor_tells_its_side() {
        for (name, expected) in [
            ("PSU1 Pin", Side::Input),
            ("PS1 Input Power", Side::Input),
            ("PSU1_AC_Power", Side::Input),
            ("PSU1 Pout", Side::Output),
            ("PS1 Output Power", Side::Output),
            ("PSU1 Power Out", Side::Output),
            ("PSU1 Power", Side::Input),
        ] {
            assert_eq!(side(&sensor(name, Quantity::Power)), expected, "{name}");
        }
    }

    #[test]
    fn a_voltage_without_a_side_in_its_name_is_an_input_when_it_can_be_a_mains_voltage() {
        let mut voltage = sensor("PSU1 Voltage", Quantity::Voltage);
        voltage.range = Some((0.0, 264.0));
        assert_eq!(side(&voltage), Side::Input);
        voltage.thresholds.upper_critical = Some(13.2);
        assert_eq!(side(&voltage), Side::Output);
    }
}
