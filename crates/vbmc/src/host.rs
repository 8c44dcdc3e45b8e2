//! The host behind a management controller: power, restarts, and what it boots from.

use ipmi::command::chassis::BootFlags;
use ipmi::number::{
    BootDevice, BootFlagKeep, BootOptionParameter, BootPersistence, ChassisControlAction,
    LastPowerEvent, PowerRestorePolicy, RestartCause,
};

/// How long the power-on self test takes, in seconds.
pub const POST_S: u64 = 18;
/// How long an operating system takes to shut down, in seconds.
pub const SHUTDOWN_S: u64 = 5;
/// How long a power cycle stays off, in seconds.
pub const CYCLE_OFF_S: u64 = 6;
/// Boot flags that nobody used are forgotten after this time, in seconds (§28.12).
pub const BOOT_FLAGS_S: u64 = 60;

/// What the host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Power is off.
    Off,
    /// Power-on self test until this second.
    Booting {
        /// When it ends.
        until_s: u64,
    },
    /// The operating system runs.
    Running,
    /// The operating system runs and shuts down until this second.
    ShuttingDown {
        /// When power goes off.
        until_s: u64,
    },
    /// Power is off for a power cycle until this second.
    Cycling {
        /// When power comes back.
        until_s: u64,
    },
}

/// Something that happened to the host, for the event log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// Power went off.
    PowerOff,
    /// Power came.
    PowerOn,
    /// The firmware started: after power-up (true) or a reset.
    BootStarted {
        /// After power-up.
        power_up: bool,
    },
    /// An operating system was started from this device.
    Booted(BootDevice),
    /// The operating system shut down in good order.
    ShutDown,
    /// The diagnostic interrupt was pulsed.
    Diagnostic,
}

/// The action makes no sense in the present state: completion code D5h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongState;

/// The host's power and boot state.
#[derive(Clone, Debug)]
pub struct Host {
    activity: Activity,
    since_s: u64,
    /// Seconds of power before `since_s`.
    on_s: u64,
    boot: Boot,
    booted_from: BootDevice,
    cause: RestartCause,
    last_event: LastPowerEvent,
    /// What to do when mains power comes back; kept, not acted on.
    pub restore_policy: PowerRestorePolicy,
    /// How long a power cycle stays off, in seconds (§28.9).
    pub cycle_off_s: u64,
    /// Why the power cycle that goes on was begun.
    cycle_cause: RestartCause,
}

/// The boot options of §28.13 that this machine knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Boot {
    /// Parameter 5.
    pub flags: BootFlags,
    /// Parameter 3.
    pub keep: BootFlagKeep,
    /// Parameter 4: which parties have not acknowledged yet.
    pub acknowledge: u8,
    /// Parameter 0: someone is writing several parameters, until this second at most.
    pub writing_until_s: Option<u64>,
    /// Parameters marked invalid or locked, one bit each.
    locked: u8,
    /// When unused flags lose their validity.
    expires_s: Option<u64>,
}

impl Boot {
    /// Marks a parameter invalid or locked, or takes the mark back (§28.12, byte 1).
    pub const fn lock(&mut self, number: BootOptionParameter, locked: bool) {
        let bit = 1_u8.wrapping_shl(number.0 as u32);
        self.locked = if locked {
            self.locked | bit
        } else {
            self.locked & !bit
        };
    }

    /// Whether a parameter is marked.
    #[must_use]
    pub const fn is_locked(&self, number: BootOptionParameter) -> bool {
        self.locked & 1_u8.wrapping_shl(number.0 as u32) != 0
    }
}

impl Host {
    /// A host that has run for `on_s` seconds.
    #[must_use]
    pub fn running(on_s: u64) -> Self {
        Self {
            activity: Activity::Running,
            since_s: 0,
            on_s,
            boot: Boot::default(),
            booted_from: BootDevice::NO_OVERRIDE,
            cause: RestartCause::CHASSIS_CONTROL,
            last_event: LastPowerEvent::COMMAND,
            restore_policy: PowerRestorePolicy::PREVIOUS,
            cycle_off_s: CYCLE_OFF_S,
            cycle_cause: RestartCause::CHASSIS_CONTROL,
        }
    }

    /// What it does.
    #[must_use]
    pub const fn activity(&self) -> Activity {
        self.activity
    }

    /// Whether power is on.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !matches!(self.activity, Activity::Off | Activity::Cycling { .. })
    }

    /// Since when it does what it does, in seconds.
    #[must_use]
    pub const fn since_s(&self) -> u64 {
        self.since_s
    }

    /// For how long power was on in all, in seconds (§28.14).
    #[must_use]
    pub const fn powered_s(&self, now_s: u64) -> u64 {
        self.on_s
            + if self.is_on() {
                now_s.saturating_sub(self.since_s)
            } else {
                0
            }
    }

    /// The device of the last boot.
    #[must_use]
    pub const fn booted_from(&self) -> BootDevice {
        self.booted_from
    }

    /// Why it last started (§28.11).
    #[must_use]
    pub const fn restart_cause(&self) -> RestartCause {
        self.cause
    }

    /// Why power last went (§28.2).
    #[must_use]
    pub const fn last_event(&self) -> LastPowerEvent {
        self.last_event
    }

    /// The boot options.
    #[must_use]
    pub const fn boot(&self) -> &Boot {
        &self.boot
    }

    /// The boot options, to be set.
    pub const fn boot_mut(&mut self) -> &mut Boot {
        &mut self.boot
    }

    /// Sets the boot flags; those valid are forgotten after [`BOOT_FLAGS_S`] unless they are to be kept.
    pub fn set_boot_flags(&mut self, now_s: u64, flags: BootFlags) {
        self.boot.flags = flags;
        self.boot.expires_s = flags.valid.then_some(now_s + BOOT_FLAGS_S);
    }

    /// Carries out a chassis control command (§28.3).
    ///
    /// # Errors
    /// [`WrongState`] for what needs power while it is off.
    pub fn control(
        &mut self,
        now_s: u64,
        action: ChassisControlAction,
        emit: &mut impl FnMut(HostEvent),
    ) -> Result<(), WrongState> {
        self.control_because(now_s, action, RestartCause::CHASSIS_CONTROL, emit)
    }

    /// The same for another reason: a watchdog, a filter.
    ///
    /// # Errors
    /// As [`Self::control`].
    pub fn control_because(
        &mut self,
        now_s: u64,
        action: ChassisControlAction,
        cause: RestartCause,
        emit: &mut impl FnMut(HostEvent),
    ) -> Result<(), WrongState> {
        let needs_power = matches!(
            action,
            ChassisControlAction::POWER_CYCLE
                | ChassisControlAction::HARD_RESET
                | ChassisControlAction::DIAGNOSTIC_INTERRUPT
        );
        if needs_power && !self.is_on() {
            return Err(WrongState);
        }
        // The countdown of the boot flags starts again with each command (§28.12).
        if self.boot.expires_s.is_some() {
            self.boot.expires_s = Some(now_s + BOOT_FLAGS_S);
        }
        match action {
            ChassisControlAction::POWER_DOWN => self.power_off(now_s, Activity::Off, emit),
            ChassisControlAction::POWER_UP if !self.is_on() => {
                self.cause = cause;
                self.power_on(now_s, emit);
            }
            ChassisControlAction::POWER_CYCLE => {
                self.cycle_cause = cause;
                let until_s = now_s + self.cycle_off_s;
                self.power_off(now_s, Activity::Cycling { until_s }, emit);
            }
            ChassisControlAction::HARD_RESET => {
                self.cause = cause;
                self.start_firmware(now_s, false, emit);
            }
            ChassisControlAction::DIAGNOSTIC_INTERRUPT => emit(HostEvent::Diagnostic),
            // Without an operating system nobody listens, and power goes at once.
            ChassisControlAction::SOFT_SHUTDOWN => match self.activity {
                Activity::Running => self.enter(
                    now_s,
                    Activity::ShuttingDown {
                        until_s: now_s + SHUTDOWN_S,
                    },
                ),
                Activity::Booting { .. } | Activity::Cycling { .. } => {
                    self.power_off(now_s, Activity::Off, emit);
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    /// A second has passed.
    pub fn tick(&mut self, now_s: u64, emit: &mut impl FnMut(HostEvent)) {
        match self.activity {
            Activity::Booting { until_s }
                if now_s >= until_s && self.booted_from != BootDevice::BIOS_SETUP =>
            {
                self.enter(now_s, Activity::Running);
                emit(HostEvent::Booted(self.booted_from));
            }
            Activity::ShuttingDown { until_s } if now_s >= until_s => {
                emit(HostEvent::ShutDown);
                self.power_off(now_s, Activity::Off, emit);
            }
            Activity::Cycling { until_s } if now_s >= until_s => {
                self.cause = self.cycle_cause;
                self.power_on(now_s, emit);
            }
            _ => {}
        }
        if self.boot.expires_s.is_some_and(|at| now_s >= at) {
            self.boot.expires_s = None;
            if !self.boot.keep.contains(BootFlagKeep::TIMEOUT) {
                self.boot.flags.valid = false;
            }
        }
        if self.boot.writing_until_s.is_some_and(|at| now_s >= at) {
            self.boot.writing_until_s = None;
        }
    }

    fn enter(&mut self, now_s: u64, activity: Activity) {
        self.on_s = self.powered_s(now_s);
        self.activity = activity;
        self.since_s = now_s;
    }

    fn power_off(&mut self, now_s: u64, activity: Activity, emit: &mut impl FnMut(HostEvent)) {
        let was_on = self.is_on();
        if was_on || matches!(self.activity, Activity::Cycling { .. }) {
            self.enter(now_s, activity);
        }
        if was_on {
            self.last_event = LastPowerEvent::COMMAND;
            emit(HostEvent::PowerOff);
        }
    }

    fn power_on(&mut self, now_s: u64, emit: &mut impl FnMut(HostEvent)) {
        self.last_event = LastPowerEvent::COMMAND;
        emit(HostEvent::PowerOn);
        self.start_firmware(now_s, true, emit);
    }

    /// The firmware starts and uses the boot flags; flags for one boot are used up.
    fn start_firmware(&mut self, now_s: u64, power_up: bool, emit: &mut impl FnMut(HostEvent)) {
        let flags = &mut self.boot.flags;
        self.booted_from = if flags.valid {
            flags.device
        } else {
            BootDevice::NO_OVERRIDE
        };
        flags.valid &= flags.persistence == BootPersistence::ALL_BOOTS;
        self.boot.expires_s = None;
        self.boot.acknowledge = 0;
        self.enter(
            now_s,
            Activity::Booting {
                until_s: now_s + POST_S,
            },
        );
        emit(HostEvent::BootStarted { power_up });
    }
}

#[cfg(test)]
mod tests {
    use ipmi::number::{BootOverrides, BootType};

    use super::*;

    fn after(host: &mut Host, from_s: u64, seconds: u64) -> Vec<HostEvent> {
        let mut events = Vec::new();
        for second in from_s + 1..=from_s + seconds {
            host.tick(second, &mut |event| events.push(event));
        }
        events
    }

    fn command(
        host: &mut Host,
        now_s: u64,
        action: ChassisControlAction,
    ) -> Result<Vec<HostEvent>, WrongState> {
        let mut events = Vec::new();
        host.control(now_s, action, &mut |event| events.push(event))
            .map(|()| events)
    }

    const PXE_ONCE: BootFlags = BootFlags {
        valid: true,
        persistence: BootPersistence::NEXT_BOOT,
        boot_type: BootType::PC_COMPATIBLE,
        overrides: BootOverrides::NONE,
        device: BootDevice::PXE,
        verbosity: ipmi::number::BiosVerbosity::DEFAULT,
        redirection: ipmi::number::ConsoleRedirection::DEFAULT,
        shared_mode_override: false,
        mux_override: ipmi::number::BiosMuxOverride::RECOMMENDED,
        device_instance: 0,
    };

    #[test]
    fn a_soft_shutdown_takes_its_time_and_then_power_is_off() {
        let mut host = Host::running(0);
        assert_eq!(
            command(&mut host, 10, ChassisControlAction::SOFT_SHUTDOWN),
            Ok(vec![])
        );
        assert_eq!(after(&mut host, 10, SHUTDOWN_S - 1), []);
        assert!(host.is_on());
        assert_eq!(
            after(&mut host, 14, 1),
            [HostEvent::ShutDown, HostEvent::PowerOff]
        );
        assert!(!host.is_on());
        assert_eq!(host.powered_s(1_000), 15);
    }

    #[test]
    fn a_power_cycle_comes_back_by_itself_and_boots() {
        let mut host = Host::running(0);
        assert_eq!(
            command(&mut host, 0, ChassisControlAction::POWER_CYCLE),
            Ok(vec![HostEvent::PowerOff])
        );
        assert!(!host.is_on());
        let events = after(&mut host, 0, CYCLE_OFF_S + POST_S);
        let expected = [
            HostEvent::PowerOn,
            HostEvent::BootStarted { power_up: true },
            HostEvent::Booted(BootDevice::NO_OVERRIDE),
        ];
        assert_eq!(events, expected);
        assert_eq!(host.activity(), Activity::Running);
    }

    #[test]
    fn off_in_the_middle_of_a_power_cycle_stays_off() {
        for action in [
            ChassisControlAction::POWER_DOWN,
            ChassisControlAction::SOFT_SHUTDOWN,
        ] {
            let mut host = Host::running(0);
            command(&mut host, 0, ChassisControlAction::POWER_CYCLE).unwrap();
            assert_eq!(command(&mut host, 1, action), Ok(vec![]));
            assert_eq!(after(&mut host, 1, 100), []);
            assert_eq!(host.activity(), Activity::Off);
        }
    }

    #[test]
    fn what_needs_power_is_refused_without_it_and_changes_nothing() {
        let mut host = Host::running(0);
        command(&mut host, 0, ChassisControlAction::POWER_DOWN).unwrap();
        for action in [
            ChassisControlAction::POWER_CYCLE,
            ChassisControlAction::HARD_RESET,
            ChassisControlAction::DIAGNOSTIC_INTERRUPT,
        ] {
            assert_eq!(command(&mut host, 1, action), Err(WrongState));
            assert_eq!(host.activity(), Activity::Off);
        }
    }

    #[test]
    fn a_boot_flag_for_one_boot_is_used_once_and_a_lasting_one_stays() {
        let mut host = Host::running(0);
        host.set_boot_flags(0, PXE_ONCE);
        command(&mut host, 1, ChassisControlAction::HARD_RESET).unwrap();
        assert_eq!(
            after(&mut host, 1, POST_S),
            [HostEvent::Booted(BootDevice::PXE)]
        );
        assert!(!host.boot().flags.valid);
        command(&mut host, 100, ChassisControlAction::HARD_RESET).unwrap();
        assert_eq!(host.booted_from(), BootDevice::NO_OVERRIDE);

        host.set_boot_flags(
            200,
            BootFlags {
                persistence: BootPersistence::ALL_BOOTS,
                ..PXE_ONCE
            },
        );
        for now_s in [201, 300] {
            command(&mut host, now_s, ChassisControlAction::HARD_RESET).unwrap();
            after(&mut host, now_s, 90);
            assert_eq!(host.booted_from(), BootDevice::PXE);
            assert!(host.boot().flags.valid);
        }
    }

    #[test]
    fn unused_boot_flags_expire_unless_they_are_to_be_kept() {
        let mut host = Host::running(0);
        host.set_boot_flags(0, PXE_ONCE);
        after(&mut host, 0, BOOT_FLAGS_S - 1);
        assert!(host.boot().flags.valid);
        after(&mut host, BOOT_FLAGS_S - 1, 1);
        assert!(!host.boot().flags.valid);
        host.boot_mut().keep = BootFlagKeep::TIMEOUT;
        host.set_boot_flags(100, PXE_ONCE);
        after(&mut host, 100, 10 * BOOT_FLAGS_S);
        assert!(host.boot().flags.valid);
    }
}
