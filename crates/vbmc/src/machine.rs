//! One machine: its state, moved along virtual time only when somebody looks.

mod effects;
mod modular;
mod passing;
mod power;
mod quiet;
mod states;

use std::sync::Arc;

use hardware::NodeId;
use ipmi::command::chassis::BootFlags;
use ipmi::number::{
    BootDevice, BootFlagKeep, ChassisControlAction, EventReadingType, IdentifyState, RestartCause,
    SensorType, Threshold,
};
use ipmi::time::Instant;

pub use modular::Form;
use passing::Events;
pub use power::PowerStatistics;
pub(crate) use quiet::Quiet;

use crate::controller::Controller;
use crate::curve::hash;
use crate::fru;
use crate::host::{Activity, Host, HostEvent, WrongState};
use crate::log::{Event, EventLog};
use crate::physics::{Block, Body, Feed, HostLoad, Node, Place, PowerBay};
use crate::profile::{Model, Profile};
use crate::sensor::{Analog, Kind, SensorSpec, Signal, event_offset};
use crate::serial::Serial;

/// The most seconds that are worked out one by one when a machine was not looked at for long. Heat that is older
/// than this has left the machine: its slowest time constant is 40 s.
pub const CATCH_UP_S: u64 = 300;

/// Seconds after power-up in which slow fans are no fault.
const SPIN_UP_S: u64 = 6;

/// Who and where a machine is: fixed when it is made.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its name.
    pub id: NodeId,
    /// Its number in the site, from 0: makes serial numbers unique.
    pub number: u32,
    /// Where it stands.
    pub place: Place,
    /// Seconds since 1970 at the origin of virtual time.
    pub epoch_s: u64,
}

/// What a sensor delivers at present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Numeric sensors: the raw byte.
    pub raw: u8,
    /// Numeric sensors: which limits the reading is at or beyond (bits of [`Threshold`]).
    pub crossed: u8,
    /// Numeric sensors: which limits count as crossed with hysteresis.
    pub held: u8,
    /// It has no reading now.
    pub unavailable: bool,
    /// Discrete sensors: the state bits.
    pub states: u16,
}

/// The identify light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identify {
    Off,
    Until(u64),
    On,
}

/// A virtual machine with its management controller's state.
///
/// All time is virtual: [`Self::advance`] moves the machine to `now` and costs nothing while nobody asks. What
/// happens at which second depends on the seed and on the commands it got, not on when one looked.
#[derive(Debug)]
pub struct Machine {
    identity: Identity,
    profile: Arc<Profile>,
    body: Body,
    host: Host,
    identify: Identify,
    log: EventLog,
    /// What Set SEL Time added to the clock, in seconds.
    clock_shift_s: i64,
    samples: Box<[Sample]>,
    at_s: u64,
    /// Sensors that are stuck: index and raw byte.
    stuck: Vec<(u8, u8)>,
    warmer_c: f32,
    /// Counts reservations of any kind, so that no two are alike.
    reservations: u16,
    sdr_reservation: u16,
    /// What consoles set as the clock's offset from UTC, in minutes; kept, not used (§31.11b).
    pub utc_offset_min: i16,
    revision: u64,
    /// What consoles have set; nothing until they do.
    controller: Option<Box<Controller>>,
    form: Form,
    /// A filter's action is being carried out.
    filtering: bool,
    /// Requests that came over the network (§23.4).
    requests: u16,
    /// Requests to a BMC with defects.
    turns: u32,
    /// Those among them that such a BMC carries out every other time.
    lapses: u32,
    power: power::PowerHistory,
    /// The host's serial port, once a console has looked at it.
    serial: Option<Box<Serial>>,
}

impl Machine {
    /// A computer whose host has been running, at the origin of virtual time.
    #[must_use]
    pub fn node(profile: Arc<Profile>, identity: Identity) -> Self {
        let body = Body::Node(Node::settled(&identity.place, 0, HostLoad::Running));
        Self::new(profile, identity, body)
    }

    /// The controller of an enclosure whose nodes add up to `feed`.
    #[must_use]
    pub fn enclosure(profile: Arc<Profile>, identity: Identity, feed: &Feed) -> Self {
        let body = enclosure_body(profile.model, &identity.place, 0, feed);
        Self::new(profile, identity, body)
    }

    fn new(profile: Arc<Profile>, identity: Identity, body: Body) -> Self {
        let up_s = 86_400 + hash(identity.place.seed, 0xb007) % (60 * 86_400);
        let samples = vec![Sample::default(); profile.sensors.len()].into();
        let mut machine = Self {
            identity,
            profile,
            body,
            host: Host::running(up_s),
            identify: Identify::Off,
            log: EventLog::default(),
            clock_shift_s: 0,
            samples,
            at_s: 0,
            stuck: Vec::new(),
            warmer_c: 0.0,
            reservations: 0,
            sdr_reservation: 0,
            utc_offset_min: 0,
            revision: 0,
            controller: None,
            form: Form::Server,
            filtering: false,
            requests: 0,
            turns: 0,
            lapses: 0,
            power: power::PowerHistory::default(),
            serial: None,
        };
        machine.log_history(up_s);
        machine.measure();
        machine
    }

    /// What the log holds from before the origin of time.
    fn log_history(&mut self, up_s: u64) {
        let up_at = seconds_u32(self.identity.epoch_s.saturating_sub(up_s));
        self.log.clear(up_at.saturating_sub(7_200));
        let cleared = self.event(SensorType::EVENT_LOGGING_DISABLED, true, 2);
        self.log.report(up_at.saturating_sub(7_200), &cleared);
        if self.profile.model == Model::Node {
            for (after_s, event) in [
                (0, HostEvent::PowerOn),
                (0, HostEvent::BootStarted { power_up: true }),
                (
                    crate::host::POST_S,
                    HostEvent::Booted(BootDevice::NO_OVERRIDE),
                ),
            ] {
                let event = self.host_event(event);
                self.log.report(up_at + seconds_u32(after_s), &event);
            }
        }
    }

    /// Who and where it is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What its kind of machine has.
    #[must_use]
    pub const fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// Its host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// Its host, to set options.
    pub const fn host_mut(&mut self) -> &mut Host {
        &mut self.host
    }

    /// Its physical state.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// Its event log.
    #[must_use]
    pub const fn log(&self) -> &EventLog {
        &self.log
    }

    /// Its event log, to clear or add.
    pub const fn log_mut(&mut self) -> &mut EventLog {
        &mut self.log
    }

    /// What each sensor delivers, in the order of the profile.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// To which second of virtual time it has moved.
    #[must_use]
    pub const fn at_s(&self) -> u64 {
        self.at_s
    }

    /// Grows whenever anything about it may have changed.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The clock that stamps events, in seconds since 1970.
    #[must_use]
    pub fn clock_s(&self) -> u32 {
        let now_s = self.identity.epoch_s.saturating_add(self.at_s);
        seconds_u32(now_s.saturating_add_signed(self.clock_shift_s))
    }

    /// Sets that clock.
    pub fn set_clock_s(&mut self, clock_s: u32) {
        let now_s = self.identity.epoch_s.saturating_add(self.at_s);
        self.clock_shift_s =
            i64::from(clock_s).saturating_sub(i64::try_from(now_s).unwrap_or(i64::MAX));
    }

    /// A number for a new reservation.
    pub const fn next_reservation(&mut self) -> u16 {
        self.reservations = self.reservations.wrapping_add(1);
        self.reservations
    }

    /// Reserves the sensor data repository; the reservation before is cancelled (§33.11).
    pub const fn reserve_sdr(&mut self) -> u16 {
        let number = self.next_reservation();
        self.sdr_reservation = if number == 0 { 1 } else { number };
        self.sdr_reservation
    }

    /// Whether this reservation holds.
    #[must_use]
    pub const fn is_sdr_reserved(&self, reservation: u16) -> bool {
        reservation != 0 && reservation == self.sdr_reservation
    }

    /// Whether an enclosure's controller has to be told what its nodes add up to before it can be at `now`.
    #[must_use]
    pub fn wants_feed(&self, now: Instant) -> bool {
        self.profile.model != Model::Node && seconds(now) > self.at_s
    }

    /// Moves an enclosure's controller to `now`, when its nodes add up to `feed`.
    pub fn advance_fed(&mut self, now: Instant, feed: &Feed) {
        if self.wants_feed(now) {
            self.at_s = seconds(now);
            self.body = enclosure_body(self.profile.model, &self.identity.place, self.at_s, feed);
            self.measure();
            self.expire_identify();
        }
    }

    /// Carries out a chassis control command.
    ///
    /// # Errors
    /// [`WrongState`] for what needs power while it is off, and for enclosures, which have no host.
    pub fn control(&mut self, action: ChassisControlAction) -> Result<(), WrongState> {
        if self.profile.model != Model::Node {
            return Err(WrongState);
        }
        self.control_because(action, RestartCause::CHASSIS_CONTROL)
    }

    /// Sets what the host boots from, and what keeps unused flags from being forgotten.
    pub fn set_boot_flags(&mut self, flags: BootFlags, keep: BootFlagKeep) {
        self.revision += 1;
        self.host.boot_mut().keep = keep;
        self.host.set_boot_flags(self.at_s, flags);
    }

    /// Switches the identify light on for some seconds, for good (`None`) or off (0 seconds).
    pub fn identify(&mut self, duration_s: Option<u8>) {
        self.revision += 1;
        self.identify = match duration_s {
            None => Identify::On,
            Some(0) => Identify::Off,
            Some(duration_s) => Identify::Until(self.at_s + u64::from(duration_s)),
        };
    }

    /// What the identify light does.
    #[must_use]
    pub const fn identify_state(&self) -> IdentifyState {
        match self.identify {
            Identify::Off => IdentifyState::OFF,
            Identify::Until(_) => IdentifyState::TEMPORARY,
            Identify::On => IdentifyState::INDEFINITE,
        }
    }

    /// Erases the event log.
    pub fn clear_log(&mut self) {
        let clock_s = self.clock_s();
        self.log.clear(clock_s);
        self.measure();
    }

    /// Lets a numeric sensor (by index) stick at a raw byte, or frees it.
    pub fn stick(&mut self, index: u8, raw: Option<u8>) {
        self.stuck.retain(|(stuck, _)| *stuck != index);
        self.stuck.extend(raw.map(|raw| (index, raw)));
        self.measure();
    }

    /// Makes the air that enters warmer than it would be: a failing air conditioner.
    pub const fn warm_air(&mut self, warmer_c: f32) {
        self.warmer_c = warmer_c;
    }

    /// What the EEPROM of a FRU device holds; `None` where there is no such device.
    #[must_use]
    pub fn fru(&self, device_id: u8) -> Option<Vec<u8>> {
        let written = self.controller().frus.get(&device_id);
        written.cloned().or_else(|| fru::image(self, device_id))
    }

    fn report(&mut self, events: &Events) {
        for event in events.0.iter().flatten() {
            let event = self.host_event(*event);
            self.log_event(&event);
        }
    }

    /// Reads every sensor and logs each limit that was crossed or left since the last time.
    fn measure(&mut self) {
        self.revision += 1;
        let profile = Arc::clone(&self.profile);
        let on = self.host.is_on();
        for (index, sensor) in profile.sensors.iter().enumerate() {
            if let Some(law) = profile.law {
                let now_s = self.identity.epoch_s.saturating_add(self.at_s);
                self.samples[index] = law.sample(self.identity.number, sensor, now_s);
                continue;
            }
            let before = self.samples[index];
            let unavailable = sensor.host_only && !on;
            if let Some(sample) = self.unscanned(sensor.number) {
                self.samples[index] = sample;
                continue;
            }
            self.samples[index] = match &sensor.kind {
                Kind::EventOnly(_) => Sample {
                    unavailable: true,
                    ..Sample::default()
                },
                kind if unavailable => {
                    let gone = Sample {
                        unavailable,
                        ..Sample::default()
                    };
                    if let Kind::Analog(analog) = kind {
                        self.report_limits(sensor, analog, before, gone, None);
                    }
                    gone
                }
                Kind::Discrete(d) => Sample {
                    states: self.written_states(sensor.number, d.condition) & d.mask,
                    ..Sample::default()
                },
                Kind::Analog(analog) => {
                    let set = self.set_analog(sensor.number);
                    let analog = set.as_deref().unwrap_or(analog);
                    let sample = self.sample(index, analog, before);
                    let reading = self.is_watched(analog.signal).then_some(sample.raw);
                    self.report_limits(sensor, analog, before, sample, reading);
                    sample
                }
            };
        }
    }

    fn sample(&self, index: usize, analog: &Analog, before: Sample) -> Sample {
        let measured = self
            .body
            .signal(analog.signal)
            .map_or(analog.nominal, f64::from);
        let stuck = self
            .stuck
            .iter()
            .find(|(stuck, _)| usize::from(*stuck) == index);
        let raw = stuck.map_or_else(|| analog.scale.quantise(measured), |(_, raw)| *raw);
        let value = analog.scale.value(raw);
        let calm = before.held == 0 && analog.is_calm(value);
        if calm || !self.is_watched(analog.signal) {
            return Sample {
                raw,
                ..Sample::default()
            };
        }
        let (crossed, held) = (analog.crossed(value), analog.held(value, before.held));
        Sample {
            raw,
            crossed,
            held,
            ..Sample::default()
        }
    }

    /// Whether limits mean something now: a fan may stand while its host is off, and takes a while to start.
    fn is_watched(&self, signal: Signal) -> bool {
        let spinning_up = match self.host.activity() {
            Activity::Booting { .. } => self.at_s < self.host.since_s() + SPIN_UP_S,
            _ => !self.host.is_on(),
        };
        !(matches!(signal, Signal::Fan(_)) && spinning_up)
    }

    /// Logs the limits that a sensor crossed or left. `reading` is what did it: `None` where its limits mean nothing any
    /// more, as those of a fan whose host is off. Then no reading is on the other side of a limit, and none is logged.
    fn report_limits(
        &mut self,
        sensor: &SensorSpec,
        analog: &Analog,
        before: Sample,
        now: Sample,
        reading: Option<u8>,
    ) {
        let changed = before.held ^ now.held;
        if changed == 0 {
            return;
        }
        let set = self.set_analog(sensor.number);
        let analog = set.as_deref().unwrap_or(analog);
        for threshold in Threshold::ALL
            .into_iter()
            .filter(|t| changed & t.bit().0 != 0)
        {
            let Some(limit) = &analog.limits[threshold.index()] else {
                continue;
            };
            // Bytes 2 and 3 hold the reading, if there is one, and the limit (§29.7, table 29-6).
            let offset = event_offset(threshold);
            let data = match reading {
                Some(raw) => [0x50 | offset, raw, limit.raw],
                None => [0x10 | offset, 0xff, limit.raw],
            };
            let event = Event {
                sensor_type: sensor.sensor_type,
                number: sensor.number,
                event_type: EventReadingType::THRESHOLD,
                asserted: now.held & threshold.bit().0 != 0,
                data,
            };
            self.log_event(&event);
        }
    }

    /// An event of the first sensor of a type, with only an offset.
    fn event(&self, sensor_type: SensorType, asserted: bool, offset: u8) -> Event {
        let number = self.profile.number_of(sensor_type).unwrap_or(0xff);
        let event_type = EventReadingType::SENSOR_SPECIFIC;
        Event {
            sensor_type,
            number,
            event_type,
            asserted,
            data: [offset, 0xff, 0xff],
        }
    }

    fn host_event(&self, event: HostEvent) -> Event {
        match event {
            HostEvent::PowerOff => self.event(SensorType::POWER_UNIT, true, 0),
            HostEvent::PowerOn => self.event(SensorType::POWER_UNIT, false, 0),
            HostEvent::BootStarted { power_up } => {
                self.event(SensorType::SYSTEM_BOOT_INITIATED, true, u8::from(!power_up))
            }
            HostEvent::Booted(device) => {
                self.event(SensorType::OS_BOOT, true, booted_offset(device))
            }
            HostEvent::ShutDown => self.event(SensorType::OS_STOP, true, 3),
            HostEvent::Diagnostic => self.event(SensorType::CRITICAL_INTERRUPT, true, 0),
        }
    }
}

/// The offset of sensor type OS Boot that says what was booted (table 42-3).
const fn booted_offset(device: BootDevice) -> u8 {
    match device {
        BootDevice::PXE => 2,
        BootDevice::DIAGNOSTIC_PARTITION => 3,
        BootDevice::CD_DVD | BootDevice::REMOTE_CD_DVD => 4,
        BootDevice::PRIMARY_REMOVABLE | BootDevice::REMOTE_REMOVABLE => 0,
        _ => 1,
    }
}

fn enclosure_body(model: Model, place: &Place, at_s: u64, feed: &Feed) -> Body {
    if model == Model::PowerBay {
        Body::PowerBay(PowerBay::feeding(place, at_s, feed))
    } else {
        Body::Block(Block::around(place, feed))
    }
}

/// Whole seconds since the origin.
fn seconds(now: Instant) -> u64 {
    now.as_nanos() / 1_000_000_000
}

/// Seconds since 1970 as the log stores them: enough until 2106.
fn seconds_u32(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
