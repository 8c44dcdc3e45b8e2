//! What the offsets of sensors and events mean, by event/reading type, sensor type and whose sensor it is.

mod detail;
mod table;

pub use detail::*;
pub use table::*;

use super::{EventReadingType, SensorType, numbers};

/// Who defines the sensor types from C0h on, for a sensor's owner.
///
/// PICMG and VITA give the same numbers other meanings, so that a number alone does not tell: what the controller says of
/// itself (Get PICMG Properties, Get VSO Capabilities) does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SensorGroup {
    /// The maker: nothing is known of them.
    #[default]
    Maker,
    /// PICMG: `AdvancedTCA`, `AdvancedMC`, `MicroTCA`.
    Picmg,
    /// VITA 46.11.
    Vita,
}

numbers! {
    /// Sensor types of PICMG (PICMG 3.0, AMC.0, MTCA.0).
    pub struct PicmgSensorType(u8) {
        FRU_HOT_SWAP = 0xf0 => "FRU Hot Swap",
        IPMB_0_LINK = 0xf1 => "IPMB-0 Physical Link",
        MODULE_HOT_SWAP = 0xf2 => "Module Hot Swap",
        POWER_CHANNEL = 0xf3 => "Power Channel Notification",
        TELCO_ALARM = 0xf4 => "Telco Alarm Input",
    }

    /// Sensor types of VITA 46.11.
    pub struct VitaSensorType(u8) {
        FRU_STATE = 0xf0 => "FRU State",
        SYSTEM_IPMB_LINK = 0xf1 => "System IPMB Link",
        FRU_HEALTH = 0xf2 => "FRU Health",
        FRU_TEMPERATURE = 0xf3 => "FRU Temperature",
        TEST_RESULTS = 0xf4 => "Payload Test Results",
        TEST_STATUS = 0xf5 => "Payload Test Status",
    }
}

impl SensorGroup {
    /// What a sensor type is called, types from F0h on as the group has them.
    #[must_use]
    pub const fn sensor_type_name(self, sensor_type: SensorType) -> Option<&'static str> {
        match (self, sensor_type.name()) {
            (_, Some(name)) => Some(name),
            (Self::Maker, None) => None,
            (Self::Picmg, None) => PicmgSensorType(sensor_type.0).name(),
            (Self::Vita, None) => VitaSensorType(sensor_type.0).name(),
        }
    }
}

impl State {
    /// What `offset` means: a state of a sensor, or an event; `None` where its maker defines it. See [`State::name`] for
    /// offsets that the specification reserves.
    #[must_use]
    pub const fn of(
        group: SensorGroup,
        kind: EventReadingType,
        sensor_type: SensorType,
        offset: u8,
    ) -> Option<Self> {
        match kind.0 & 0x7f {
            0x6f => match group {
                SensorGroup::Picmg if sensor_type.0 >= 0xf0 => Self::picmg(sensor_type, offset),
                SensorGroup::Vita if sensor_type.0 >= 0xf0 => Self::vita(sensor_type, offset),
                _ => Self::sensor_specific(sensor_type, offset),
            },
            generic => Self::generic(generic, offset),
        }
    }

    const fn generic(kind: u8, offset: u8) -> Option<Self> {
        Some(match kind {
            0x01 => Self::Threshold(ThresholdState(offset)),
            0x02 => Self::Usage(UsageState(offset)),
            0x03 => Self::Digital(DigitalState(offset)),
            0x04 => Self::PredictiveFailure(PredictiveFailureState(offset)),
            0x05 => Self::Limit(LimitState(offset)),
            0x06 => Self::Performance(PerformanceState(offset)),
            0x07 => Self::Severity(SeverityState(offset)),
            0x08 => Self::Presence(PresenceState(offset)),
            0x09 => Self::Enablement(EnablementState(offset)),
            0x0a => Self::Availability(AvailabilityState(offset)),
            0x0b => Self::Redundancy(RedundancyState(offset)),
            0x0c => Self::DevicePower(DevicePowerState(offset)),
            _ => return None,
        })
    }

    const fn sensor_specific(sensor_type: SensorType, offset: u8) -> Option<Self> {
        Some(match sensor_type {
            SensorType::PHYSICAL_SECURITY => Self::PhysicalSecurity(PhysicalSecurityOffset(offset)),
            SensorType::PLATFORM_SECURITY => Self::PlatformSecurity(PlatformSecurityOffset(offset)),
            SensorType::PROCESSOR => Self::Processor(ProcessorOffset(offset)),
            SensorType::POWER_SUPPLY => Self::PowerSupply(PowerSupplyOffset(offset)),
            SensorType::POWER_UNIT => Self::PowerUnit(PowerUnitOffset(offset)),
            SensorType::MEMORY => Self::Memory(MemoryOffset(offset)),
            SensorType::DRIVE_SLOT => Self::DriveSlot(DriveSlotOffset(offset)),
            SensorType::FIRMWARE_PROGRESS => Self::FirmwareProgress(FirmwareProgressOffset(offset)),
            SensorType::EVENT_LOGGING_DISABLED => Self::EventLogging(EventLoggingOffset(offset)),
            SensorType::WATCHDOG_1 => Self::Watchdog1(Watchdog1Offset(offset)),
            SensorType::SYSTEM_EVENT => Self::System(SystemOffset(offset)),
            SensorType::CRITICAL_INTERRUPT => {
                Self::CriticalInterrupt(CriticalInterruptOffset(offset))
            }
            SensorType::BUTTON_SWITCH => Self::Button(ButtonOffset(offset)),
            SensorType::CHIP_SET => Self::ChipSet(ChipSetOffset(offset)),
            SensorType::CABLE_INTERCONNECT => Self::Cable(CableOffset(offset)),
            SensorType::SYSTEM_BOOT_INITIATED => Self::BootInitiated(BootInitiatedOffset(offset)),
            SensorType::BOOT_ERROR => Self::BootError(BootErrorOffset(offset)),
            SensorType::OS_BOOT => Self::OsBoot(OsBootOffset(offset)),
            SensorType::OS_STOP => Self::OsStop(OsStopOffset(offset)),
            SensorType::SLOT_CONNECTOR => Self::Slot(SlotOffset(offset)),
            SensorType::ACPI_POWER_STATE => Self::SystemPower(SystemPowerOffset(offset)),
            SensorType::WATCHDOG_2 => Self::Watchdog2(Watchdog2Offset(offset)),
            SensorType::PLATFORM_ALERT => Self::PlatformAlert(PlatformAlertOffset(offset)),
            SensorType::ENTITY_PRESENCE => Self::EntityPresence(EntityPresenceOffset(offset)),
            SensorType::LAN => Self::Lan(LanOffset(offset)),
            SensorType::MANAGEMENT_HEALTH => Self::ManagementHealth(ManagementHealthOffset(offset)),
            SensorType::BATTERY => Self::Battery(BatteryOffset(offset)),
            SensorType::SESSION_AUDIT => Self::SessionAudit(SessionAuditOffset(offset)),
            SensorType::VERSION_CHANGE => Self::VersionChange(VersionChangeOffset(offset)),
            SensorType::FRU_STATE => Self::FruState(FruStateOffset(offset)),
            _ => return None,
        })
    }

    const fn picmg(sensor_type: SensorType, offset: u8) -> Option<Self> {
        Some(match PicmgSensorType(sensor_type.0) {
            PicmgSensorType::FRU_HOT_SWAP => Self::PicmgHotSwap(PicmgHotSwapState(offset)),
            PicmgSensorType::IPMB_0_LINK => Self::PicmgIpmbLink(PicmgIpmbLinkState(offset)),
            PicmgSensorType::MODULE_HOT_SWAP => Self::ModuleHotSwap(ModuleHotSwapState(offset)),
            PicmgSensorType::POWER_CHANNEL => Self::PowerChannel(PowerChannelState(offset)),
            PicmgSensorType::TELCO_ALARM => Self::TelcoAlarm(TelcoAlarmState(offset)),
            _ => return None,
        })
    }

    const fn vita(sensor_type: SensorType, offset: u8) -> Option<Self> {
        Some(match VitaSensorType(sensor_type.0) {
            VitaSensorType::FRU_STATE => Self::VitaFru(VitaFruState(offset)),
            VitaSensorType::SYSTEM_IPMB_LINK => Self::VitaIpmbLink(VitaIpmbLinkState(offset)),
            _ => return None,
        })
    }
}

impl EventReadingType {
    /// The name of a state or event of a sensor of no group; see [`State::of`].
    ///
    /// `None` for a reserved offset and for what the maker defines.
    #[must_use]
    pub const fn state_name(self, sensor_type: SensorType, offset: u8) -> Option<&'static str> {
        match State::of(SensorGroup::Maker, self, sensor_type, offset) {
            Some(state) => state.name(),
            None => None,
        }
    }

    /// The names of the states in a mask of Get Sensor Reading, bit n for offset n; states without a name are left
    /// out. Not for threshold sensors, whose mask counts thresholds.
    pub fn state_names(
        self,
        sensor_type: SensorType,
        states: u16,
    ) -> impl Iterator<Item = &'static str> {
        (0..15)
            .filter(move |offset| states >> offset & 1 == 1)
            .filter_map(move |offset| self.state_name(sensor_type, offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_as_many_states_as_the_specification() {
        let named = |kind, code| {
            (0..=255)
                .filter(|offset| {
                    EventReadingType(kind)
                        .state_name(SensorType(code), *offset)
                        .is_some()
                })
                .count()
        };
        let generic = [12, 3, 2, 2, 2, 2, 9, 2, 2, 9, 8, 4];
        for (kind, states) in (1..).zip(generic) {
            assert_eq!(named(kind, 0), states, "event/reading type {kind:#04x}");
        }
        let named = |code| named(0x6f, code);
        for (code, states) in [
            (0x05, 7),
            (0x06, 6),
            (0x07, 13),
            (0x08, 8),
            (0x09, 8),
            (0x0c, 11),
            (0x0d, 9),
            (0x0f, 3),
            (0x10, 7),
            (0x11, 8),
            (0x12, 6),
            (0x13, 12),
            (0x14, 5),
            (0x19, 2),
            (0x1b, 2),
            (0x1d, 8),
            (0x1e, 5),
            (0x1f, 11),
            (0x20, 6),
            (0x21, 10),
            (0x22, 14),
            (0x23, 5),
            (0x24, 4),
            (0x25, 3),
            (0x27, 2),
            (0x28, 6),
            (0x29, 3),
            (0x2a, 4),
            (0x2b, 8),
            (0x2c, 8),
        ] {
            assert_eq!(named(code), states, "sensor type {code:#04x}");
        }
        for code in [
            0x01, 0x02, 0x03, 0x04, 0x0a, 0x0b, 0x0e, 0x15, 0x26, 0x2d, 0xc0, 0xff,
        ] {
            assert_eq!(named(code), 0, "sensor type {code:#04x}");
        }
    }

    #[test]
    fn an_offset_has_a_name_by_event_reading_type_first() {
        let specific = EventReadingType::SENSOR_SPECIFIC;
        let name = |kind: EventReadingType, sensor, offset| kind.state_name(sensor, offset);
        assert_eq!(
            name(specific, SensorType::WATCHDOG_2, 3),
            Some("Power cycle")
        );
        assert_eq!(name(specific, SensorType::WATCHDOG_2, 4), None);
        assert_eq!(
            name(specific, SensorType::WATCHDOG_2, 8),
            Some("Timer interrupt")
        );
        let threshold = EventReadingType::THRESHOLD;
        assert_eq!(
            name(threshold, SensorType::FAN, 2),
            Some("Lower Critical going low")
        );
        assert_eq!(name(threshold, SensorType::FAN, 12), None);
        assert_eq!(name(EventReadingType(0x70), SensorType::FAN, 0), None);
        let names: std::vec::Vec<_> = specific
            .state_names(SensorType::POWER_SUPPLY, 0x8003)
            .collect();
        assert_eq!(names, ["Presence detected", "Failure detected"]);
    }

    #[test]
    fn no_offset_of_any_type_panics() {
        for (kind, sensor) in (0..=255).flat_map(|k| (0..=255).map(move |s| (k, s))) {
            for offset in [0, 7, 15, 255] {
                let _ = EventReadingType(kind).state_name(SensorType(sensor), offset);
            }
        }
    }

    #[test]
    fn sensor_types_from_f0h_on_mean_what_their_group_says() {
        let specific = EventReadingType::SENSOR_SPECIFIC;
        let hot_swap = SensorType(0xf0);
        let state = |group, sensor, offset| State::of(group, specific, sensor, offset);
        assert_eq!(state(SensorGroup::Maker, hot_swap, 4), None);
        assert_eq!(
            state(SensorGroup::Picmg, hot_swap, 4),
            Some(State::PicmgHotSwap(PicmgHotSwapState::TRANSITION_TO_M4))
        );
        assert_eq!(
            state(SensorGroup::Picmg, SensorType(0xf2), 1).and_then(State::name),
            Some("Module handle opened")
        );
        assert_eq!(state(SensorGroup::Vita, SensorType(0xf2), 1), None);
        let name = |group: SensorGroup, code| group.sensor_type_name(SensorType(code));
        assert_eq!(name(SensorGroup::Picmg, 0xf2), Some("Module Hot Swap"));
        assert_eq!(name(SensorGroup::Vita, 0xf2), Some("FRU Health"));
        assert_eq!(name(SensorGroup::Maker, 0xf2), None);
        assert_eq!(name(SensorGroup::Vita, 0x01), Some("Temperature"));
        // A group changes nothing below F0h.
        let processor = SensorType::PROCESSOR;
        assert_eq!(
            state(SensorGroup::Picmg, processor, 1),
            state(SensorGroup::Maker, processor, 1)
        );
    }
}
