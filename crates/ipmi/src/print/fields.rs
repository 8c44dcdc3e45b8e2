//! The fields of types that are written by hand; those that are declared with their layout know theirs.

use alloc::string::ToString;
use alloc::vec;

use super::value::{Field, Shown, Value};
use crate::command::app::{self, Guid, IpmiVersion, SessionSelector, SettingsCopy};
use crate::command::chassis::{self, BootParameter, ChassisIdentify, PowerRestorePolicySupport};
use crate::command::sensor::{self, EventEnableAction};
use crate::command::storage::{
    self, GetDeviceSdr, GetSdr, SdrRepositoryOperations, SelErasure, SelOperations, UtcOffset,
};
use crate::command::{Empty, event, transport};
use crate::number::{IpmbAddress, Lun};
use crate::record::{Factors, RecordId, ReservationId, Timestamp};

/// Fields in their order; that none is left out is checked when the program is compiled.
macro_rules! shown {
    ($($($type:ident)::+ { $($field:ident),* })*) => { $(
        impl Shown for $($type)::+ {
            fn value(&self) -> Value {
                let $($type)::+ { $($field),* } = self;
                Value::Fields(vec![$(Field::new(stringify!($field), $field)),*])
            }
        }
    )* };
}

shown! {
    app::ActivateSession { auth_type, privilege, challenge, outbound_sequence }
    app::ActivatedSession { auth_type, session_id, inbound_sequence, privilege }
    app::CloseSession { session_id, handle }
    app::AcpiPowerState { system, device }
    app::GetAcpiPowerState {}
    app::GetBmcGlobalEnables {}
    app::GetChannelAccess { channel, copy }
    app::ChannelAccess { flags, mode, privilege_limit }
    app::GetChannelAuthenticationCapabilities { channel, rmcp_plus, privilege }
    app::ChannelAuthenticationCapabilities { channel, v15_auth_types, extended, kg, per_message, user_level, users, sessions, oem_enterprise, oem_data }
    app::GetChannelCipherSuites { channel, payload_type, mode, index }
    app::GetChannelInfo { channel }
    app::ChannelInfo { channel, medium, protocol, session_support, active_sessions, vendor, auxiliary }
    app::GetDeviceGuid {}
    app::GetSystemGuid {}
    app::DeviceId { device_id, has_device_sdrs, device_revision, availability, firmware_major, firmware_minor, ipmi_version, support, manufacturer, product, auxiliary_firmware }
    app::GetDeviceId {}
    app::SelfTestResults { result, detail }
    app::GetSelfTestResults {}
    app::GetSessionChallenge { auth_type, user_name }
    app::SessionChallenge { temporary_session_id, challenge }
    app::GetSessionInfo { selector }
    app::SessionInfo { handle, max, active, session }
    app::get_session_info::ActiveSession { user_id, privilege, protocol, channel, console }
    app::get_session_info::ConsoleAddress { ip, mac, port }
    app::SolActivation { encrypted, authenticated, test_mode, handshake_held, serial_alerts }
    app::ColdReset {}
    app::WarmReset {}
    app::SetChannelSecurityKeys { channel, operation, key_id, key }
    app::ChannelSecurityKey { lock, key }
    app::SetSessionPrivilegeLevel { privilege }
    app::SessionPrivilegeLevel { privilege }
    app::SetUserName { user_id, name }
    app::SetUserPassword { user_id, size, operation, password }
    app::SetSystemInfoParameters { parameter, data }
    app::GetSystemInfoParameters { revision_only, parameter, set, block }
    app::SystemInfoParameters { revision, data }
    app::GetUserAccess { channel, user_id }
    app::UserAccess { user_id_max, status, enabled_count, fixed_name_count, flags, privilege_limit }
    app::GetUserName { user_id }
}

shown! {
    chassis::BootFlags { valid, persistence, boot_type, overrides, device, verbosity, redirection, shared_mode_override, mux_override, device_instance }
    chassis::ChassisControl { action }
    chassis::ChassisCapabilitiesResponse { capabilities, fru_address, sdr_address, sel_address, management_address, bridge_address }
    chassis::GetChassisCapabilities {}
    chassis::ChassisStatus { power, restore_policy, last_event, state, identify, front_panel }
    chassis::GetChassisStatus {}
    chassis::PohCounter { minutes_per_count, count }
    chassis::GetPohCounter {}
    chassis::SystemRestartCause { cause, channel }
    chassis::GetSystemRestartCause {}
    chassis::SetPowerRestorePolicy { policy }
    chassis::SetSystemBootOptions { invalid, parameter }
    chassis::GetSystemBootOptions { parameter, set, block }
    chassis::SystemBootOptions { version, invalid, parameter }
}

shown! {
    event::EventMessage { generator, revision, sensor_type, sensor_number, deasserted, event_type, data }
}

shown! {
    sensor::GetDeviceSdrInfo { count_sdrs }
    sensor::DeviceSdrInfo { count, luns, population_change }
    sensor::GetSensorReading { sensor_number }
    sensor::SensorReading { raw, flags, states }
    sensor::GetSensorReadingFactors { sensor_number, raw }
    sensor::SensorReadingFactors { next_raw, factors }
    sensor::EventMasks { assertion, deassertion }
    sensor::SetSensorEventEnable { sensor_number, flags, action, masks }
    sensor::GetSensorEventEnable { sensor_number }
    sensor::GetSensorEventStatus { sensor_number }
    sensor::SensorEventEnable { flags, masks }
    sensor::SensorEventStatus { flags, masks }
    sensor::Hysteresis { positive, negative }
    sensor::SetSensorHysteresis { sensor_number, hysteresis }
    sensor::GetSensorHysteresis { sensor_number }
    sensor::SensorThresholds { present, raw }
    sensor::SetSensorThresholds { sensor_number, thresholds }
    sensor::GetSensorThresholds { sensor_number }
    sensor::GetSensorType { sensor_number }
    sensor::SensorTypeResponse { sensor_type, event_reading_type }
}

shown! {
    storage::ClearSel { reservation, action }
    storage::GetFruInventoryAreaInfo { fru_device_id }
    storage::FruInventoryAreaInfo { size, access }
    storage::SdrPart { reservation, record, offset, count }
    storage::SdrData { next, data }
    storage::SdrRepositoryInfo { version, record_count, free_bytes, last_addition, last_erase, operations }
    storage::AllocationInfo { units, unit_size, free_units, largest_free_block, record_size_max }
    storage::GetSdrRepositoryInfo {}
    storage::GetSdrRepositoryAllocationInfo {}
    storage::SelInfo { version, entry_count, free_bytes, last_addition, last_erase, operations }
    storage::GetSelInfo {}
    storage::GetSelAllocationInfo {}
    storage::ReadFruData { fru_device_id, offset, count }
    storage::FruData { count, data }
    storage::WriteFruData { fru_device_id, offset, data }
    storage::FruDataWritten { count }
    storage::ReserveSdrRepository {}
    storage::ReserveDeviceSdrRepository {}
    storage::ReserveSel {}
    storage::GetSelEntry { reservation, record, offset, count }
    storage::SelEntryData { next, data }
    storage::AddSelEntry { record }
    storage::SelEntryId { record }
    storage::DeleteSelEntry { reservation, record }
    storage::SetSelTime { time }
    storage::SetSelTimeUtcOffset { offset }
    storage::GetSelTime {}
    storage::GetSdrRepositoryTime {}
    storage::GetSelTimeUtcOffset {}
}

shown! {
    transport::SetLanConfigurationParameters { channel, parameter, data }
    transport::GetLanConfigurationParameters { revision_only, channel, parameter, set, block }
    transport::LanConfigurationParameters { revision, data }
}

shown! {
    Factors { m, b, b_exponent, r_exponent, tolerance, accuracy, accuracy_exponent }
    Empty {}
}

/// What prints as text is a text.
macro_rules! shown_as_text {
    ($($type:ty)*) => { $(
        impl Shown for $type {
            fn value(&self) -> Value {
                Value::Text(self.to_string())
            }
        }
    )* };
}
shown_as_text! { Guid IpmiVersion Timestamp app::UserName }

/// Numbers of records and the like, by their bits.
macro_rules! shown_as_code {
    ($($type:ty: $bits:literal, $number:ident => $get:expr;)*) => { $(
        impl Shown for $type {
            fn value(&self) -> Value {
                let $number = self;
                Value::code(u32::from($get), $bits, None)
            }
        }
    )* };
}
shown_as_code! {
    RecordId: 16, id => id.0;
    ReservationId: 16, id => id.0;
    IpmbAddress: 8, address => address.get();
    Lun: 8, lun => lun.get();
    SdrRepositoryOperations: 8, operations => operations.0;
    SelOperations: 8, operations => operations.0;
    PowerRestorePolicySupport: 8, policies => policies.0;
}

/// One field of a type that has no more.
fn only(name: &'static str, shown: &(impl Shown + ?Sized)) -> Value {
    Value::Fields(vec![Field::new(name, shown)])
}

impl Shown for UtcOffset {
    fn value(&self) -> Value {
        only("minutes", &self.0)
    }
}

impl Shown for SelErasure {
    fn value(&self) -> Value {
        only("progress", &self.0)
    }
}

impl Shown for GetSdr {
    fn value(&self) -> Value {
        self.0.value()
    }
}

impl Shown for GetDeviceSdr {
    fn value(&self) -> Value {
        self.0.value()
    }
}

impl Shown for app::CipherSuitesChunk {
    fn value(&self) -> Value {
        Value::Fields(vec![
            Field::new("channel", &self.channel),
            Field::new("records", self.bytes()),
        ])
    }
}

impl Shown for SettingsCopy {
    fn value(&self) -> Value {
        Value::Name(match self {
            Self::NonVolatile => "non-volatile",
            Self::Volatile => "volatile",
        })
    }
}

impl Shown for EventEnableAction {
    fn value(&self) -> Value {
        Value::Name(match self {
            Self::Unchanged => "unchanged",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Reserved => "reserved",
        })
    }
}

impl Shown for SessionSelector {
    fn value(&self) -> Value {
        match self {
            Self::Current => Value::Name("the present one"),
            Self::Nth(index) => only("index", index),
            Self::Handle(handle) => only("handle", handle),
            Self::Id(id) => only("session_id", id),
        }
    }
}

impl Shown for ChassisIdentify {
    fn value(&self) -> Value {
        match self {
            Self::Default => Value::Fields(vec![]),
            Self::Seconds(seconds) => only("seconds", seconds),
            Self::Indefinitely => only("indefinitely", &true),
        }
    }
}

impl Shown for BootParameter {
    fn value(&self) -> Value {
        match self {
            Self::SetInProgress(state) => only("set_in_progress", state),
            Self::ServicePartitionScan(scan) => only("service_partition_scan", scan),
            Self::ValidBitClearing(keep) => only("valid_bit_clearing", keep),
            Self::InfoAcknowledge {
                write_mask,
                parties,
            } => Value::Fields(vec![
                Field::new("write_mask", write_mask),
                Field::new("parties", parties),
            ]),
            Self::Flags(flags) => flags.value(),
            Self::Raw { number, data } => {
                Value::Fields(vec![Field::new("number", number), Field::new("data", data)])
            }
        }
    }
}
