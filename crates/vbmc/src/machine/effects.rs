//! What a controller does to its machine by itself: watchdog, event filters, power and temperature limits, and the sensor
//! settings that consoles made.

use std::sync::LazyLock;

use ipmi::command::app::WatchdogSettings;
use ipmi::command::event::FilteredEvent;
use ipmi::number::{
    ChassisControlAction, EntityId, EventReadingType, PefActions, PowerExceptionAction,
    RestartCause, SensorType, ThermalExceptionActions, Threshold, WatchdogAction, WatchdogControl,
};

use super::{Events, Machine, PowerStatistics, Sample};
use crate::controller::{Controller, Expired, OemFamily, SensorSettings};
use crate::host::WrongState;
use crate::log::Event;
use crate::sensor::{Analog, Condition, Signal, event_offset};
use crate::serial::Serial;

/// What every controller remembers that nobody has set anything of.
static FACTORY: LazyLock<Controller> = LazyLock::new(Controller::default);

impl Machine {
    /// What consoles have set.
    #[must_use]
    pub fn controller(&self) -> &Controller {
        self.controller.as_deref().unwrap_or(&FACTORY)
    }

    /// The same, to be set.
    pub fn controller_mut(&mut self) -> &mut Controller {
        self.controller.get_or_insert_default()
    }

    /// The controller starts anew, as after a cold reset: what consoles have set for the present only is forgotten (§22.22).
    pub fn start_controller(&mut self) {
        if let Some(controller) = &mut self.controller {
            controller.channel.start();
            controller.serial_channel.start();
        }
    }

    /// Installs firmware in a component of its controller at once; `false` where it is not for that, or damaged.
    pub fn install_firmware(&mut self, component: u8, data: &[u8]) -> bool {
        self.revision += 1;
        let product = self.profile.product_id;
        let firmware = &mut self.controller_mut().firmware;
        firmware.install(component, data, product)
    }

    /// Whose commands it has besides the standard's.
    #[must_use]
    pub fn oem_family(&self) -> OemFamily {
        self.controller().oem.family
    }

    /// Gives it a maker's commands.
    pub fn set_oem_family(&mut self, family: OemFamily) {
        self.controller_mut().oem.family = family;
    }

    /// The host's serial port, moved to the present, and the host's name.
    pub fn serial(&mut self) -> (&mut Serial, String) {
        let name = self.identity.id.to_string();
        let (activity, at_s) = (self.host.activity(), self.at_s);
        let serial = self.serial.get_or_insert_default();
        serial.advance(&name, activity, at_s);
        (serial, name)
    }

    /// Counts a request that came over the network.
    pub const fn note_request(&mut self) {
        self.requests = self.requests.saturating_add(1);
    }

    /// Counts a request to a BMC with defects, some of which show now and then.
    pub(crate) const fn next_turn(&mut self) -> u32 {
        self.turns = self.turns.wrapping_add(1);
        self.turns
    }

    /// Counts a request that a BMC with defects carries out every other time: whether this is one not to be.
    pub(crate) const fn lapses_now(&mut self) -> bool {
        self.lapses = self.lapses.wrapping_add(1);
        self.lapses & 1 == 1
    }

    /// Requests that came over the network since the counter was cleared; stops at FFFFh.
    pub const fn count_request(&mut self, clear: bool) -> u16 {
        let count = self.requests;
        if clear {
            self.requests = 0;
        }
        count
    }

    /// What was set of a sensor.
    #[must_use]
    pub fn sensor_settings(&self, number: u8) -> Option<&SensorSettings> {
        self.controller.as_ref()?.sensors.get(&number)
    }

    /// A numeric sensor as it is set now.
    #[must_use]
    pub fn analog<'a>(&'a self, number: u8, profile: &'a Analog) -> &'a Analog {
        let settings = self.sensor_settings(number);
        settings
            .and_then(|settings| settings.analog.as_deref())
            .unwrap_or(profile)
    }

    /// Changes the settings of a sensor, and looks what that does.
    pub fn set_sensor(&mut self, number: u8, change: impl FnOnce(&mut SensorSettings)) {
        change(self.controller_mut().sensors.entry(number).or_default());
        self.measure();
    }

    /// Has a sensor report again what it has reported already (§35.12): the states whose events are in `mask`.
    pub fn rearm(&mut self, index: usize, mask: u16) {
        let thresholds = Threshold::ALL
            .into_iter()
            .filter(|threshold| mask >> event_offset(*threshold) & 1 == 1)
            .fold(0, |bits, threshold| bits | threshold.bit().0);
        if let Some(sample) = self.samples.get_mut(index) {
            sample.held &= !thresholds;
        }
        self.measure();
    }

    /// A numeric sensor whose limits were set.
    pub(super) fn set_analog(&self, number: u8) -> Option<Box<Analog>> {
        self.sensor_settings(number)?.analog.clone()
    }

    /// States of a discrete sensor, those that were written included.
    pub(super) fn written_states(&self, number: u8, condition: Condition) -> u16 {
        let written = self.sensor_settings(number).and_then(|set| set.states);
        written.unwrap_or_else(|| self.states(condition))
    }

    /// What a sensor delivers where it is not scanned.
    pub(super) fn unscanned(&self, number: u8) -> Option<Sample> {
        let settings = self.sensor_settings(number)?;
        (!settings.scanning).then(|| Sample {
            unavailable: true,
            ..Sample::default()
        })
    }

    /// Logs an event, unless its sensor may not report it, and puts it through the filters.
    pub fn log_event(&mut self, event: &Event) {
        let reports = self
            .sensor_settings(event.number)
            .is_none_or(|settings| settings.reports(event.data[0], event.asserted));
        if !reports {
            return;
        }
        let clock_s = self.clock_s();
        let record = self.log.report(clock_s, event);
        let filtered = FilteredEvent {
            generator: 0x0020,
            sensor_type: event.sensor_type,
            sensor_number: event.number,
            event_type: event.event_type,
            data: event.data,
        };
        self.filter(record.unwrap_or(0), &filtered);
    }

    /// Puts an event through the filters, and does what they want.
    pub fn filter(&mut self, record: u16, event: &FilteredEvent) {
        let at_s = self.at_s;
        // What a filter's action causes is not filtered again, or it would never end.
        if self.filtering {
            return;
        }
        let Some(controller) = &mut self.controller else {
            return;
        };
        let actions = controller.pef.apply(at_s, record, event);
        let (action, cause) = if actions.contains(PefActions::POWER_DOWN) {
            (ChassisControlAction::POWER_DOWN, RestartCause::PEF_RESET)
        } else if actions.contains(PefActions::POWER_CYCLE) {
            let cycle = ChassisControlAction::POWER_CYCLE;
            (cycle, RestartCause::PEF_POWER_CYCLE)
        } else if actions.contains(PefActions::RESET) {
            (ChassisControlAction::HARD_RESET, RestartCause::PEF_RESET)
        } else if actions.contains(PefActions::DIAGNOSTIC_INTERRUPT) {
            let interrupt = ChassisControlAction::DIAGNOSTIC_INTERRUPT;
            (interrupt, RestartCause::PEF_RESET)
        } else {
            return;
        };
        self.filtering = true;
        // A machine that is off already needs nothing.
        let _ = self.control_because(action, cause);
        self.filtering = false;
    }

    /// Carries out a chassis control command for a reason of the controller's own.
    ///
    /// # Errors
    /// [`WrongState`] for what needs power while it is off.
    pub fn control_because(
        &mut self,
        action: ChassisControlAction,
        cause: RestartCause,
    ) -> Result<(), WrongState> {
        let mut events = Events::default();
        let mut emit = |event| events.push(event);
        self.host
            .control_because(self.at_s, action, cause, &mut emit)?;
        self.report(&events);
        self.measure();
        Ok(())
    }

    /// One second of what the controller watches.
    pub(super) fn watch(&mut self) {
        let at_s = self.at_s;
        let Some(controller) = &mut self.controller else {
            return;
        };
        let expired = controller.watchdog.tick(at_s);
        let has_limits = controller.dcmi.limit_active || !controller.dcmi.thermal.is_empty();
        match expired {
            Some(Expired::Warning(settings)) => self.watchdog_event(&settings, 8),
            Some(Expired::End(settings)) => self.watchdog_ends(&settings),
            None => {}
        }
        if has_limits {
            self.watch_limits();
        }
    }

    /// Logs what the watchdog did: offset 0 only the end, 1 reset, 2 power down, 3 power cycle, 8 interrupt (table 42-3).
    fn watchdog_event(&mut self, settings: &WatchdogSettings, offset: u8) {
        if settings.control.contains(WatchdogControl::DO_NOT_LOG) {
            return;
        }
        let sensor_type = SensorType::WATCHDOG_2;
        let event = Event {
            sensor_type,
            number: self.profile.number_of(sensor_type).unwrap_or(0xff),
            event_type: EventReadingType::SENSOR_SPECIFIC,
            asserted: true,
            data: [
                0xc0 | offset,
                settings.interrupt.0 << 4 | settings.timer_use.0,
                0xff,
            ],
        };
        self.log_event(&event);
    }

    fn watchdog_ends(&mut self, settings: &WatchdogSettings) {
        self.watchdog_event(settings, settings.action.0 & 0x03);
        let action = match settings.action {
            WatchdogAction::HARD_RESET => ChassisControlAction::HARD_RESET,
            WatchdogAction::POWER_DOWN => ChassisControlAction::POWER_DOWN,
            WatchdogAction::POWER_CYCLE => ChassisControlAction::POWER_CYCLE,
            _ => return,
        };
        // A machine that is off can't be reset.
        let _ = self.control_because(action, RestartCause::WATCHDOG);
    }

    /// What it draws, in watts; 0 for what has no such sensor.
    #[must_use]
    pub fn power_w(&self) -> f64 {
        self.body.signal(Signal::TotalPower).map_or(0.0, f64::from)
    }

    /// What it drew over the last `period_s`, at most five minutes.
    #[must_use]
    pub fn power_statistics(&self, period_s: u32) -> PowerStatistics {
        self.power.over(period_s, self.power_w())
    }

    /// DCMI's limits of power and of inlet temperatures.
    fn watch_limits(&mut self) {
        let (at_s, power_w) = (self.at_s, self.power_w());
        let inlet = self.reading_of(EntityId::AIR_INLET);
        let Some(controller) = &mut self.controller else {
            return;
        };
        let power = controller.dcmi.watch(at_s, power_w);
        let mut hot = ThermalExceptionActions::NONE;
        if let (Some(celsius), Some(limit)) = (inlet, controller.dcmi.thermal.get(&1)) {
            let since_s = controller.dcmi.hot_since_s.get_or_insert(at_s);
            if celsius <= f64::from(limit.limit.cast_signed()) {
                controller.dcmi.hot_since_s = None;
            } else if at_s - *since_s == u64::from(limit.exception_s) {
                hot = limit.actions;
            }
        }
        if power == Some(PowerExceptionAction::POWER_OFF)
            || hot.contains(ThermalExceptionActions::POWER_OFF)
        {
            // It was on, or it would draw no power.
            let _ = self.control_because(ChassisControlAction::POWER_DOWN, RestartCause::OEM);
        }
        if power.is_some_and(|action| action != PowerExceptionAction::NONE) {
            self.limit_event(SensorType::POWER_UNIT, 5);
        }
        if hot != ThermalExceptionActions::NONE {
            self.limit_event(SensorType::MANAGEMENT_HEALTH, 4);
        }
    }

    fn limit_event(&mut self, sensor_type: SensorType, offset: u8) {
        let event = self.event(sensor_type, true, offset);
        self.log_event(&event);
    }

    /// The reading of the first numeric sensor of an entity.
    #[must_use]
    pub fn reading_of(&self, entity: EntityId) -> Option<f64> {
        let mut sensors = self.profile.sensors.iter().zip(&self.samples);
        sensors.find_map(|(sensor, sample)| {
            let analog = sensor.analog()?;
            let found = sensor.entity == entity && !sample.unavailable;
            found.then(|| analog.scale.value(sample.raw))
        })
    }
}
