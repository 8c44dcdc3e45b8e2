//! What the machines say, from their newest snapshots, a piece at a time.
//!
//! All samples of a metric stand together, so there is one pass over the machines for each metric. A pass holds nothing
//! but its place: fifty thousand machines cost no more memory than one.

use std::sync::Arc;

use hardware::{
    Availability, Hardware, Link, Node, NodeId, Power, Quantity, Reading, Sensor, SensorClass,
    Severity,
};

use super::text::{Family, Kind, Text};

/// How much text is made at a time, in bytes.
const PIECE_BYTES: usize = 64 * 1_024;
/// How many machines are looked at before others have their turn.
const LOOKS_AT_ONCE: usize = 1_000;

/// One metric of machines and what writes its samples of one machine.
struct Metric {
    family: Family,
    write: fn(&Family, &Node, &mut Text),
}

const fn gauge(
    name: &'static str,
    write: fn(&Family, &Node, &mut Text),
    help: &'static str,
) -> Metric {
    let kind = Kind::Gauge;
    Metric {
        family: Family { name, kind, help },
        write,
    }
}

/// Every metric of machines.
static METRICS: &[Metric] = &[
    gauge("bmc_up", up, "Whether the BMC answers."),
    gauge(
        "bmc_info",
        info,
        "Who the machine is, as far as it tells; always 1.",
    ),
    gauge(
        "bmc_labels",
        labels,
        "Where the machine stands, and its labels of the configuration as label_…; always 1.",
    ),
    gauge(
        "bmc_last_reading_timestamp_seconds",
        read_at,
        "When the last round over the sensors ended that brought readings.",
    ),
    gauge(
        "bmc_class_last_reading_timestamp_seconds",
        class_read_at,
        "The same of each class of sensors, where they are read at different intervals.",
    ),
    gauge("bmc_host_power_on", power, "Whether the host is on."),
    gauge(
        "bmc_event_log_entries",
        log_entries,
        "Entries of the event log that are known.",
    ),
    gauge(
        "bmc_temperature_celsius",
        |f, n, t| values(f, n, t, Shown::Celsius),
        "Temperature.",
    ),
    gauge(
        "bmc_voltage_volts",
        |f, n, t| values(f, n, t, Shown::Volts),
        "Electric potential.",
    ),
    gauge(
        "bmc_current_amperes",
        |f, n, t| values(f, n, t, Shown::Amperes),
        "Electric current.",
    ),
    gauge(
        "bmc_power_watts",
        |f, n, t| values(f, n, t, Shown::Watts),
        "Electric power.",
    ),
    gauge(
        "bmc_energy_joules",
        |f, n, t| values(f, n, t, Shown::Joules),
        "Electric energy.",
    ),
    gauge(
        "bmc_fan_speed_rpm",
        |f, n, t| values(f, n, t, Shown::Rpm),
        "Speed of a fan, in revolutions per minute.",
    ),
    gauge(
        "bmc_fan_speed_ratio",
        |f, n, t| values(f, n, t, Shown::FanRatio),
        "Speed of a fan as a share of its highest, 0 to 1.",
    ),
    gauge(
        "bmc_sensor_value",
        |f, n, t| values(f, n, t, Shown::Other),
        "Value of any other numeric sensor, in the unit (UCUM) of its label.",
    ),
    gauge(
        "bmc_sensor_state",
        states,
        "What a sensor's limits or states mean: 0 nominal, 1 warning, 2 critical.",
    ),
];

/// In which metric a sensor's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Celsius,
    Volts,
    Amperes,
    Watts,
    Joules,
    Rpm,
    FanRatio,
    Other,
}

/// The metric for a numeric sensor's value, and the value in that metric's unit.
fn shown(sensor: &Sensor, value: f64) -> (Shown, f64) {
    match (sensor.quantity, &*sensor.unit.0) {
        (Quantity::Temperature, "Cel") => (Shown::Celsius, value),
        (Quantity::Temperature, "K") => (Shown::Celsius, value - 273.15),
        (Quantity::Temperature, "[degF]") => (Shown::Celsius, (value - 32.0) / 1.8),
        (Quantity::Voltage, "V") => (Shown::Volts, value),
        (Quantity::Current, "A") => (Shown::Amperes, value),
        (Quantity::Power, "W") => (Shown::Watts, value),
        (Quantity::Energy, "J") => (Shown::Joules, value),
        (Quantity::FanSpeed, "{rev}/min") => (Shown::Rpm, value),
        (Quantity::FanSpeed, "%") => (Shown::FanRatio, value / 100.0),
        _ => (Shown::Other, value),
    }
}

fn up(family: &Family, node: &Node, text: &mut Text) {
    let labels = [("node", node.id.as_str())];
    text.count(family, &labels, u64::from(node.link == Link::Up));
}

fn info(family: &Family, node: &Node, text: &mut Text) {
    let (identity, product) = (&node.identity, node.inventory.product());
    let address = node.address.map(|at| at.to_string());
    let uuid = identity.uuid.map(|uuid| uuid.to_string());
    let mut labels = vec![("node", node.id.as_str())];
    if let Some(enclosure) = &node.enclosure {
        labels.push(("enclosure", enclosure.as_str()));
    }
    let known = [
        ("address", address.as_deref()),
        ("firmware", identity.controller_firmware.as_deref()),
        ("bios", identity.bios_version.as_deref()),
        ("uuid", uuid.as_deref()),
        ("manufacturer", product.manufacturer),
        ("model", product.model),
        ("serial_number", product.serial_number),
    ];
    for (name, value) in known {
        labels.extend(value.map(|value| (name, value)));
    }
    text.count(family, &labels, 1);
}

/// Nothing for a machine of which the configuration says nothing.
fn labels(family: &Family, node: &Node, text: &mut Text) {
    let (location, others) = (&node.labels.location, &node.labels.others);
    let unit = location.unit.map(|unit| unit.to_string());
    let named = [
        ("site", location.site.as_deref()),
        ("row", location.row.as_deref()),
        ("rack", location.rack.as_deref()),
        ("unit", unit.as_deref()),
    ];
    let own: Vec<_> = others
        .iter()
        .map(|(name, value)| (format!("label_{name}"), value))
        .collect();
    let mut labels = vec![("node", node.id.as_str())];
    labels.extend(
        named
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?))),
    );
    labels.extend(own.iter().map(|(name, value)| (name.as_str(), &***value)));
    if labels.len() > 1 {
        text.count(family, &labels, 1);
    }
}

fn read_at(family: &Family, node: &Node, text: &mut Text) {
    if node.read_at_ms > 0 {
        let seconds = node.read_at_ms as f64 / 1_000.0;
        text.sample(family, &[("node", node.id.as_str())], seconds);
    }
}

/// Nothing for a machine whose sensors are all read in one round.
fn class_read_at(family: &Family, node: &Node, text: &mut Text) {
    let Some(intervals) = node.intervals.as_ref().filter(|_| node.read_at_ms > 0) else {
        return;
    };
    let has = |class: &SensorClass| {
        let mut sensors = node.inventory.sensors.iter();
        sensors.any(|sensor| sensor.quantity.class() == *class)
    };
    let classes = || SensorClass::ALL.into_iter().filter(has);
    let mut ms = classes().map(|class| intervals.get(class));
    let first = ms.next();
    if ms.all(|ms| Some(ms) == first) {
        return;
    }
    for class in classes() {
        let seconds = node.class_read_at_ms(class) as f64 / 1_000.0;
        let labels = [("node", node.id.as_str()), ("class", class.name())];
        text.sample(family, &labels, seconds);
    }
}

fn power(family: &Family, node: &Node, text: &mut Text) {
    let is_on = match node.power {
        Power::On | Power::PoweringOff => 1,
        Power::Off | Power::PoweringOn => 0,
        Power::Unknown => return,
    };
    if node.link == Link::Up {
        text.count(family, &[("node", node.id.as_str())], is_on);
    }
}

fn log_entries(family: &Family, node: &Node, text: &mut Text) {
    if node.link == Link::Up {
        let count = node.log.entries.len() as u64;
        text.count(family, &[("node", node.id.as_str())], count);
    }
}

/// The sensors of a machine that have a reading now. One that could not be read any more has none: a value that repeats
/// silently would look like news.
fn readings(node: &Node) -> impl Iterator<Item = (&Sensor, Reading)> {
    let is_up = node.link == Link::Up;
    node.inventory
        .sensors
        .iter()
        .zip(&node.readings)
        .filter(move |(_, reading)| is_up && reading.availability == Availability::Available)
}

fn values(family: &Family, node: &Node, text: &mut Text, wanted: Shown) {
    for (sensor, reading) in readings(node) {
        if !sensor.quantity.is_numeric() {
            continue;
        }
        if shown(sensor, reading.value).0 != wanted {
            continue;
        }
        let value = told(sensor, reading.value);
        let labels = [
            ("node", node.id.as_str()),
            ("sensor", &*sensor.id),
            ("unit", &*sensor.unit.0),
        ];
        // The other metrics have the unit in their name.
        let labels = if wanted == Shown::Other {
            &labels[..]
        } else {
            &labels[..2]
        };
        text.sample(family, labels, value);
    }
}

/// A numeric sensor's value in its metric's unit, without digits that the sensor can't tell apart.
fn told(sensor: &Sensor, value: f64) -> f64 {
    let rounded = sensor
        .resolution
        .map_or(value, |step| redfish_hardware::rounded(value, step));
    shown(sensor, rounded).1
}

fn states(family: &Family, node: &Node, text: &mut Text) {
    for (sensor, reading) in readings(node) {
        let severity = if sensor.quantity.is_numeric() {
            reading.crossed.severity()
        } else {
            worst(sensor, reading.states)
        };
        let state = match severity {
            Severity::Ok => 0,
            Severity::Warning => 1,
            Severity::Critical => 2,
        };
        let labels = [("node", node.id.as_str()), ("sensor", &*sensor.id)];
        text.count(family, &labels, state);
    }
}

/// The worst of the states that hold.
fn worst(sensor: &Sensor, states: u16) -> Severity {
    let holding = (0..).zip(sensor.state_severities.iter());
    holding
        .filter(|(bit, _)| states & 1_u16.checked_shl(*bit).unwrap_or(0) != 0)
        .map(|(_, severity)| *severity)
        .max()
        .unwrap_or_default()
}

/// Which machines of all: every so many-th, so that several scrapes share the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Counts from 1.
    number: usize,
    of: usize,
}

impl Part {
    /// All machines.
    pub(super) const ALL: Self = Self { number: 1, of: 1 };
    /// The most parts.
    const MAX: usize = 1_000;

    /// Reads `2/5`: the second of five.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (number, of) = text.split_once('/')?;
        let (number, of) = (number.parse().ok()?, of.parse().ok()?);
        let fits = (1..=Self::MAX).contains(&of) && (1..=of).contains(&number);
        fits.then_some(Self { number, of })
    }
}

/// What is left to tell of the machines.
#[derive(Debug)]
pub(super) struct Telling {
    ids: Arc<[NodeId]>,
    part: Part,
    metric: usize,
    /// The next machine of this pass; `None` = the pass has not begun.
    next: Option<usize>,
}

impl Telling {
    /// Everything of this part of the machines.
    pub(super) fn new(ids: Arc<[NodeId]>, part: Part) -> Self {
        Self {
            ids,
            part,
            metric: 0,
            next: None,
        }
    }

    /// Writes the next piece; returns whether there is more to come. A piece may be empty.
    pub(super) fn write(&mut self, hardware: &dyn Hardware, text: &mut Text) -> bool {
        let mut looks = 0;
        while let Some(metric) = METRICS.get(self.metric) {
            let at = self.next.unwrap_or_else(|| {
                text.begin(&metric.family);
                self.part.number - 1
            });
            let Some(id) = self.ids.get(at) else {
                self.metric += 1;
                self.next = None;
                continue;
            };
            self.next = Some(at + self.part.of);
            // One that was removed meanwhile is told no more.
            if let Some(node) = hardware.node(id.as_str()) {
                (metric.write)(&metric.family, &node, text);
            }
            looks += 1;
            if looks == LOOKS_AT_ONCE || text.len() >= PIECE_BYTES {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use hardware::{Context, Thresholds, Unit};

    use super::*;

    fn sensor(quantity: Quantity, unit: &str) -> Sensor {
        Sensor {
            name: "S".into(),
            id: "S".into(),
            key: 1,
            quantity,
            unit: Unit(unit.into()),
            context: Context::default(),
            instance: 0,
            range: None,
            resolution: None,
            thresholds: Thresholds::default(),
            states: Arc::default(),
            state_severities: Arc::new([Severity::Ok, Severity::Critical, Severity::Warning]),
        }
    }

    #[test]
    fn values_are_in_the_unit_that_the_metric_names() {
        let place = |quantity, unit, value| shown(&sensor(quantity, unit), value);
        assert_eq!(
            place(Quantity::Temperature, "[degF]", 212.0),
            (Shown::Celsius, 100.0)
        );
        assert_eq!(
            place(Quantity::Temperature, "K", 273.15),
            (Shown::Celsius, 0.0)
        );
        assert_eq!(place(Quantity::Power, "V.A", 5.0), (Shown::Other, 5.0));
        assert_eq!(place(Quantity::FanSpeed, "%", 40.0), (Shown::FanRatio, 0.4));
        assert_eq!(place(Quantity::Temperature, "", 7.0), (Shown::Other, 7.0));
    }

    #[test]
    fn a_value_has_no_digits_that_its_sensor_can_not_tell_apart() {
        let with_step = |resolution| Sensor {
            resolution,
            ..sensor(Quantity::Voltage, "V")
        };
        let noisy = 5.044_000_000_000_000_5;
        assert_eq!(told(&with_step(Some(0.052)), noisy).to_string(), "5.044");
        assert_eq!(told(&with_step(None), noisy), noisy);
        assert_eq!(told(&with_step(Some(0.0)), noisy), noisy);
        let kelvin = Sensor {
            resolution: Some(1.0),
            ..sensor(Quantity::Temperature, "K")
        };
        assert_eq!(told(&kelvin, 273.0), 273.0 - 273.15);
    }

    #[test]
    fn the_worst_state_that_holds_counts() {
        let discrete = sensor(Quantity::Discrete, "");
        assert_eq!(worst(&discrete, 0b001), Severity::Ok);
        assert_eq!(worst(&discrete, 0b101), Severity::Warning);
        assert_eq!(worst(&discrete, 0b111), Severity::Critical);
        assert_eq!(worst(&discrete, 0x8000), Severity::Ok);
    }

    #[test]
    fn a_part_is_a_number_of_so_many() {
        assert_eq!(Part::parse("2/5"), Some(Part { number: 2, of: 5 }));
        for bad in [
            "", "1", "0/5", "6/5", "1/0", "1/1001", "a/b", "-1/2", "1/2/3",
        ] {
            assert_eq!(Part::parse(bad), None, "{bad}");
        }
    }
}
