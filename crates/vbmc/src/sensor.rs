//! What a sensor of a virtual machine is: what it looks at, how its raw byte is scaled, where its limits lie.

use ipmi::number::{EntityId, EventReadingType, SensorType, SensorUnit, Threshold};

use crate::scale::Scale;

/// A physical quantity of a machine that a numeric sensor looks at. Instances count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Air entering the machine or enclosure, in °C.
    Inlet,
    /// Air leaving it, in °C.
    Exhaust,
    /// A processor's hottest spot, in °C.
    CpuTemp(u8),
    /// How far a processor is below the temperature at which it slows down: negative °C.
    CpuMargin(u8),
    /// What a processor takes, in W.
    CpuPower(u8),
    /// A group of memory modules, in °C.
    DimmTemp(u8),
    /// The processors' voltage regulators, in °C.
    VrmTemp,
    /// The platform controller hub, in °C.
    PchTemp,
    /// The management controller's own chip, in °C.
    ControllerTemp,
    /// A power supply, in °C.
    SupplyTemp(u8),
    /// A fan, in revolutions per minute.
    Fan(u8),
    /// Air moved by all fans together, in cubic feet per minute.
    Airflow,
    /// The 12 V rail, in V.
    Rail12,
    /// The 5 V rail, in V.
    Rail5,
    /// The 3.3 V rail, in V.
    Rail3,
    /// The always-on 3.3 V rail, in V.
    RailStandby,
    /// A processor's input, in V.
    RailCpu(u8),
    /// Memory of one processor, in V.
    RailDimm(u8),
    /// The clock's battery, in V.
    Battery,
    /// A power supply's input, in V.
    SupplyInputVoltage(u8),
    /// A power supply's input, in W.
    SupplyInputPower(u8),
    /// A power supply's output, in W.
    SupplyOutputPower(u8),
    /// What the whole machine or enclosure takes or delivers, in W.
    TotalPower,
    /// Current at 12 V, in A.
    Current12,
}

/// A condition of a machine that a discrete sensor reports as state bits. Instances count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A processor is present.
    Cpu(u8),
    /// A power supply is present and works.
    Supply(u8),
    /// Power is off.
    PowerUnit,
    /// Power supplies are redundant.
    SupplyRedundancy,
    /// Fans are redundant.
    FanRedundancy,
    /// The watchdog; never runs out.
    Watchdog,
    /// How full the event log is.
    EventLog,
    /// The lid is closed.
    Intrusion,
    /// Running or soft-off.
    AcpiPower,
    /// A drive is present.
    Drive(u8),
    /// Memory is present and enabled.
    Memory,
    /// The state of a FRU in a shelf (PICMG).
    HotSwap(u8),
    /// The handle of a mezzanine (PICMG).
    Handle(u8),
    /// The two buses of IPMB-0 (PICMG).
    IpmbLink,
}

/// The six limits in the sensor's unit, lowest first: lower non-recoverable, critical, non-critical, upper
/// non-critical, critical, non-recoverable. `NaN` = not there.
#[derive(Clone, Copy, Debug)]
pub struct Limits(pub [f64; 6]);

impl Limits {
    /// No limits at all.
    pub const NONE: Self = Self([f64::NAN; 6]);

    /// Upper limits only.
    #[must_use]
    pub const fn upper(non_critical: f64, critical: f64, non_recoverable: f64) -> Self {
        let none = f64::NAN;
        Self([none, none, none, non_critical, critical, non_recoverable])
    }

    /// Lower non-critical and critical only.
    #[must_use]
    pub const fn lower(critical: f64, non_critical: f64) -> Self {
        let none = f64::NAN;
        Self([none, critical, non_critical, none, none, none])
    }

    /// Critical and non-critical on both sides.
    #[must_use]
    pub const fn both(lc: f64, lnc: f64, unc: f64, uc: f64) -> Self {
        Self([f64::NAN, lc, lnc, unc, uc, f64::NAN])
    }

    /// One of them.
    #[must_use]
    pub const fn get(&self, threshold: Threshold) -> Option<f64> {
        let value = self.0[match threshold {
            Threshold::LowerNonRecoverable => 0,
            Threshold::LowerCritical => 1,
            Threshold::LowerNonCritical => 2,
            Threshold::UpperNonCritical => 3,
            Threshold::UpperCritical => 4,
            Threshold::UpperNonRecoverable => 5,
        }];
        if value.is_nan() { None } else { Some(value) }
    }
}

/// A limit as it is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// The threshold's byte in Get Sensor Thresholds.
    pub raw: u8,
    /// Reached from here on, in the sensor's unit.
    pub trip: f64,
    /// Left again only beyond here: the trip point less the hysteresis.
    pub rearm: f64,
}

/// A numeric sensor.
#[derive(Clone, Debug)]
pub struct Analog {
    /// What it looks at.
    pub signal: Signal,
    /// In which unit.
    pub unit: SensorUnit,
    /// Raw byte to reading.
    pub scale: Scale,
    /// Its limits, in the order of [`Threshold::ALL`].
    pub limits: [Option<Limit>; 6],
    /// How many raw steps a reading must come back before a crossed limit counts as left.
    pub hysteresis: u8,
    /// What it normally reads.
    pub nominal: f64,
    /// Between these readings no limit is crossed: the common case, told at a glance.
    calm: (f64, f64),
}

impl Analog {
    /// A sensor without limits.
    #[must_use]
    pub const fn new(signal: Signal, unit: SensorUnit, scale: Scale, nominal: f64) -> Self {
        let calm = (f64::NEG_INFINITY, f64::INFINITY);
        Self {
            signal,
            unit,
            scale,
            limits: [None; 6],
            hysteresis: 0,
            nominal,
            calm,
        }
    }

    /// Sets limits and the hysteresis in raw steps.
    #[must_use]
    pub fn with_limits(mut self, limits: &Limits, hysteresis: u8) -> Self {
        self.hysteresis = hysteresis;
        for threshold in Threshold::ALL {
            let Some(value) = limits.get(threshold) else {
                continue;
            };
            let raw = self.scale.quantise(value);
            let trip = self.scale.value(raw);
            let rearm = self.scale.beside(raw, hysteresis, threshold.is_lower());
            self.limits[threshold.index()] = Some(Limit { raw, trip, rearm });
            if threshold.is_lower() {
                self.calm.0 = self.calm.0.max(trip);
            } else {
                self.calm.1 = self.calm.1.min(trip);
            }
        }
        self
    }

    /// The same sensor with other limits, raw, and another hysteresis. Limits that it has not can't be given to it.
    #[must_use]
    pub fn with_raw_limits(&self, raw: [Option<u8>; 6], hysteresis: u8) -> Self {
        let mut changed = self.clone();
        changed.hysteresis = hysteresis;
        changed.calm = (f64::NEG_INFINITY, f64::INFINITY);
        for threshold in Threshold::ALL {
            let index = threshold.index();
            let Some(limit) = &mut changed.limits[index] else {
                continue;
            };
            let raw = raw[index].unwrap_or(limit.raw);
            let trip = self.scale.value(raw);
            let rearm = self.scale.beside(raw, hysteresis, threshold.is_lower());
            *limit = Limit { raw, trip, rearm };
            if threshold.is_lower() {
                changed.calm.0 = changed.calm.0.max(trip);
            } else {
                changed.calm.1 = changed.calm.1.min(trip);
            }
        }
        changed
    }

    /// The readings between which no limit is crossed.
    #[must_use]
    pub const fn calm(&self) -> (f64, f64) {
        self.calm
    }

    /// Whether a reading is inside all limits.
    #[must_use]
    pub fn is_calm(&self, value: f64) -> bool {
        value > self.calm.0 && value < self.calm.1
    }

    /// Which limits a reading is at or beyond: one bit each, as in Get Sensor Reading (§35.14, byte 4).
    #[must_use]
    pub fn crossed(&self, value: f64) -> u8 {
        self.compare(|threshold, limit| {
            if threshold.is_lower() {
                value <= limit.trip
            } else {
                value >= limit.trip
            }
        })
    }

    /// Which limits count as crossed when `held` did before: a crossed one stays so until the reading is back by the
    /// hysteresis.
    #[must_use]
    pub fn held(&self, value: f64, held: u8) -> u8 {
        self.compare(|threshold, limit| {
            let edge = if held & threshold.bit().0 == 0 {
                limit.trip
            } else {
                limit.rearm
            };
            if threshold.is_lower() {
                value <= edge
            } else {
                value >= edge
            }
        })
    }

    fn compare(&self, beyond: impl Fn(Threshold, &Limit) -> bool) -> u8 {
        let mut bits = 0;
        for threshold in Threshold::ALL {
            if let Some(limit) = &self.limits[threshold.index()]
                && beyond(threshold, limit)
            {
                bits |= threshold.bit().0;
            }
        }
        bits
    }
}

/// A discrete sensor.
#[derive(Clone, Copy, Debug)]
pub struct Discrete {
    /// What it reports.
    pub condition: Condition,
    /// How its bits are to be read.
    pub event_type: EventReadingType,
    /// The bits it can set.
    pub mask: u16,
}

/// What a sensor delivers.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "few, shared by all machines, and read in each step"
)]
pub enum Kind {
    /// A number.
    Analog(Analog),
    /// State bits.
    Discrete(Discrete),
    /// Events only: it has no reading.
    EventOnly(EventReadingType),
}

/// A sensor of a profile.
#[derive(Clone, Debug)]
pub struct SensorSpec {
    /// Its number on the controller.
    pub number: u8,
    /// Its name, at most 16 bytes.
    pub name: &'static str,
    /// What it senses.
    pub sensor_type: SensorType,
    /// Which kind of part it belongs to.
    pub entity: EntityId,
    /// Which of several.
    pub entity_instance: u8,
    /// What it delivers.
    pub kind: Kind,
    /// Has no reading while the host is off.
    pub host_only: bool,
    /// Shares one compact SDR with this many sensors in all, counted from the first one; 0 = one of the others.
    pub sharing: u8,
}

impl SensorSpec {
    /// The numeric half, where it is numeric.
    #[must_use]
    pub const fn analog(&self) -> Option<&Analog> {
        if let Kind::Analog(analog) = &self.kind {
            Some(analog)
        } else {
            None
        }
    }

    /// How its events are to be read.
    #[must_use]
    pub const fn event_type(&self) -> EventReadingType {
        match &self.kind {
            Kind::Analog(_) => EventReadingType::THRESHOLD,
            Kind::Discrete(discrete) => discrete.event_type,
            Kind::EventOnly(event_type) => *event_type,
        }
    }
}

/// The event offset of crossing a threshold (table 42-2): lower ones report "going low", upper ones "going high".
#[must_use]
pub const fn event_offset(threshold: Threshold) -> u8 {
    match threshold {
        Threshold::LowerNonCritical => 0x0,
        Threshold::LowerCritical => 0x2,
        Threshold::LowerNonRecoverable => 0x4,
        Threshold::UpperNonCritical => 0x7,
        Threshold::UpperCritical => 0x9,
        Threshold::UpperNonRecoverable => 0xb,
    }
}

/// The events that a sensor can report, one bit for each offset.
#[must_use]
pub fn event_mask(spec: &SensorSpec) -> u16 {
    match &spec.kind {
        Kind::Analog(analog) => Threshold::ALL
            .into_iter()
            .filter(|threshold| analog.limits[threshold.index()].is_some())
            .fold(0, |mask, threshold| mask | 1 << event_offset(threshold)),
        Kind::Discrete(discrete) => discrete.mask,
        Kind::EventOnly(_) => 0,
    }
}
