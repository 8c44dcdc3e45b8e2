//! Every command that the IPMI specifications and their common extensions have, in one table: what we read and write, and
//! why we don't where we don't.
//!
//! The table is made of the command types themselves; that their numbers are the row's is checked when the program is
//! compiled. `cargo xtask coverage ipmi` prints it.

use core::fmt;

use super::{Command, Message, app, chassis, dcmi, event, picmg, sensor, storage, transport, vita};
use crate::number::NetFn;
use crate::print::{Shown, Value};
use crate::wire::{Reader, WireError};

/// One command of one network function.
#[derive(Clone, Copy, Debug)]
pub struct CommandRow {
    /// Which family it belongs to.
    pub family: &'static str,
    /// Network function of the request.
    pub netfn: NetFn,
    /// First data byte of a group extension.
    pub group: Option<u8>,
    /// Command number.
    pub cmd: u8,
    /// Its name in the specification.
    pub name: &'static str,
    /// Where that is. A section alone is one of IPMI 2.0.
    pub section: &'static str,
    /// How it is read; or why it isn't.
    pub codec: Result<Codec, &'static str>,
}

/// Reads the request and the answer of a command, for whoever prints them.
#[derive(Clone, Copy, Debug)]
pub struct Codec {
    /// The fields of a request's data.
    pub request: fn(&[u8]) -> Result<Value, WireError>,
    /// The fields of an answer's data, without its completion code.
    pub response: fn(&[u8]) -> Result<Value, WireError>,
    /// Holds the laws of reading and writing against any bytes; panics where one is broken.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) laws: fn(&[u8]),
}

impl Codec {
    pub(super) const fn of<C: Command + Shown + fmt::Debug + PartialEq>() -> Self
    where
        C::Response: Shown + fmt::Debug + PartialEq,
    {
        Self {
            request: |data| Ok(C::decode(&mut Reader::new(data))?.value()),
            response: |data| Ok(C::Response::decode(&mut Reader::new(data))?.value()),
            #[cfg(any(test, feature = "fuzzing"))]
            laws: laws::<C>,
        }
    }
}

/// What is read can be written, and reads the same again; nothing panics.
#[cfg(any(test, feature = "fuzzing"))]
fn laws<C: Command + fmt::Debug + PartialEq>(data: &[u8])
where
    C::Response: fmt::Debug + PartialEq,
{
    let mut buffer = [0; 1024];
    if let Ok(request) = C::decode(&mut Reader::new(data)) {
        let mut w = crate::wire::Writer::new(&mut buffer);
        request.encode(&mut w);
        let again = C::decode(&mut Reader::new(w.written()));
        assert_eq!(again, Ok(request), "{} of {data:02x?}", C::NAME);
    }
    if let Ok(answer) = C::Response::decode(&mut Reader::new(data)) {
        let mut w = crate::wire::Writer::new(&mut buffer);
        answer.encode(&mut w);
        let again = C::Response::decode(&mut Reader::new(w.written()));
        assert_eq!(again, Ok(answer), "answer to {} of {data:02x?}", C::NAME);
    }
}

/// Why commands of ICMB are left out.
const ICMB: &str = "the chassis bus ICMB has died out; no other program knows its commands";
/// Why forwarded commands are left out.
const FORWARDING: &str = "no other program knows it, and no BMC that we know of has it";
/// Why some of PICMG's commands are left out.
const PICMG: &str = "between shelf manager and board; no other program sends it";
/// Why the shelf manager's addresses are left out.
const PICMG_SHELF_MANAGER: &str =
    "the one program that knows it reads no group byte, which every other answer has";
/// Why some of VITA's commands are left out.
const VITA: &str = "between chassis manager and module; no other program sends it";

macro_rules! group {
    (-) => {
        None
    };
    ($group:literal) => {
        Some($group)
    };
}

macro_rules! rows {
    ($($family:literal { $($netfn:literal $group:tt $cmd:literal $name:literal, $section:literal
        $(= $($command:ident)::+)? $(without $why:ident)?;)* })*) => {
        /// Every command, by family.
        pub static COMMANDS: &[CommandRow] = &[$($(
            CommandRow {
                family: $family,
                netfn: NetFn($netfn),
                group: group!($group),
                cmd: $cmd,
                name: $name,
                section: $section,
                codec: $({
                    type Of = $($command)::+;
                    assert!(Of::NETFN.0 == $netfn && Of::CMD == $cmd);
                    Ok(Codec::of::<Of>())
                })? $(Err($why))?,
            },
        )*)*];
    };
}

/// The row of a command; `data` are the request's, whose first byte tells a group extension's group.
#[must_use]
pub fn find(netfn: NetFn, cmd: u8, data: &[u8]) -> Option<&'static CommandRow> {
    let group = if netfn == NetFn::GROUP_EXTENSION {
        Some(*data.first()?)
    } else {
        None
    };
    COMMANDS
        .iter()
        .find(|row| row.netfn == netfn && row.cmd == cmd && row.group == group)
}

rows! {
"IPM Device Global" {
    0x06 - 0x01 "Get Device ID", "§20.1" = app::GetDeviceId;
    0x06 - 0x02 "Cold Reset", "§20.2" = app::ColdReset;
    0x06 - 0x03 "Warm Reset", "§20.3" = app::WarmReset;
    0x06 - 0x04 "Get Self Test Results", "§20.4" = app::GetSelfTestResults;
    0x06 - 0x05 "Manufacturing Test On", "§20.5" = app::ManufacturingTestOn;
    0x06 - 0x06 "Set ACPI Power State", "§20.6" = app::SetAcpiPowerState;
    0x06 - 0x07 "Get ACPI Power State", "§20.7" = app::GetAcpiPowerState;
    0x06 - 0x08 "Get Device GUID", "§20.8" = app::GetDeviceGuid;
}
"Firmware Firewall & Command Discovery" {
    0x06 - 0x09 "Get NetFn Support", "§21.2" = app::GetNetFnSupport;
    0x06 - 0x0a "Get Command Support", "§21.3" = app::GetCommandSupport;
    0x06 - 0x0b "Get Command Sub-function Support", "§21.4" = app::GetCommandSubfunctionSupport;
    0x06 - 0x0c "Get Configurable Commands", "§21.5" = app::GetConfigurableCommands;
    0x06 - 0x0d "Get Configurable Command Sub-functions", "§21.6" = app::GetConfigurableCommandSubfunctions;
    0x06 - 0x60 "Set Command Enables", "§21.7" = app::SetCommandEnables;
    0x06 - 0x61 "Get Command Enables", "§21.8" = app::GetCommandEnables;
    0x06 - 0x62 "Set Command Sub-function Enables", "§21.9" = app::SetCommandSubfunctionEnables;
    0x06 - 0x63 "Get Command Sub-function Enables", "§21.10" = app::GetCommandSubfunctionEnables;
    0x06 - 0x64 "Get OEM NetFn IANA Support", "§21.11" = app::GetOemNetFnIanaSupport;
}
"BMC Watchdog Timer" {
    0x06 - 0x22 "Reset Watchdog Timer", "§27.5" = app::ResetWatchdogTimer;
    0x06 - 0x24 "Set Watchdog Timer", "§27.6" = app::SetWatchdogTimer;
    0x06 - 0x25 "Get Watchdog Timer", "§27.7" = app::GetWatchdogTimer;
}
"Messaging, channel, session, user" {
    0x06 - 0x2e "Set BMC Global Enables", "§22.1" = app::SetBmcGlobalEnables;
    0x06 - 0x2f "Get BMC Global Enables", "§22.2" = app::GetBmcGlobalEnables;
    0x06 - 0x30 "Clear Message Flags", "§22.3" = app::ClearMessageFlags;
    0x06 - 0x31 "Get Message Flags", "§22.4" = app::GetMessageFlags;
    0x06 - 0x32 "Enable Message Channel Receive", "§22.5" = app::EnableMessageChannelReceive;
    0x06 - 0x33 "Get Message", "§22.6" = app::GetMessage;
    0x06 - 0x34 "Send Message", "§22.7" = app::SendMessage;
    0x06 - 0x35 "Read Event Message Buffer", "§22.8" = app::ReadEventMessageBuffer;
    0x06 - 0x36 "Get BT Interface Capabilities", "§22.10" = app::GetBtInterfaceCapabilities;
    0x06 - 0x37 "Get System GUID", "§22.14" = app::GetSystemGuid;
    0x06 - 0x38 "Get Channel Authentication Capabilities", "§22.13" = app::GetChannelAuthenticationCapabilities;
    0x06 - 0x39 "Get Session Challenge", "§22.16" = app::GetSessionChallenge;
    0x06 - 0x3a "Activate Session", "§22.17" = app::ActivateSession;
    0x06 - 0x3b "Set Session Privilege Level", "§22.18" = app::SetSessionPrivilegeLevel;
    0x06 - 0x3c "Close Session", "§22.19" = app::CloseSession;
    0x06 - 0x3d "Get Session Info", "§22.20" = app::GetSessionInfo;
    0x06 - 0x3f "Get AuthCode", "§22.21" = app::GetAuthCode;
    0x06 - 0x40 "Set Channel Access", "§22.22" = app::SetChannelAccess;
    0x06 - 0x41 "Get Channel Access", "§22.23" = app::GetChannelAccess;
    0x06 - 0x42 "Get Channel Info", "§22.24" = app::GetChannelInfo;
    0x06 - 0x43 "Set User Access", "§22.26" = app::SetUserAccess;
    0x06 - 0x44 "Get User Access", "§22.27" = app::GetUserAccess;
    0x06 - 0x45 "Set User Name", "§22.28" = app::SetUserName;
    0x06 - 0x46 "Get User Name", "§22.29" = app::GetUserName;
    0x06 - 0x47 "Set User Password", "§22.30" = app::SetUserPassword;
    0x06 - 0x52 "Master Write-Read", "§22.11" = app::MasterWriteRead;
    0x06 - 0x54 "Get Channel Cipher Suites", "§22.15" = app::GetChannelCipherSuites;
    0x06 - 0x56 "Set Channel Security Keys", "§22.25" = app::SetChannelSecurityKeys;
    0x06 - 0x57 "Get System Interface Capabilities", "§22.9" = app::GetSystemInterfaceCapabilities;
    0x06 - 0x58 "Set System Info Parameters", "§22.14a" = app::SetSystemInfoParameters;
    0x06 - 0x59 "Get System Info Parameters", "§22.14b" = app::GetSystemInfoParameters;
}
"RMCP+ payload commands" {
    0x06 - 0x48 "Activate Payload", "§24.1" = app::ActivatePayload;
    0x06 - 0x49 "Deactivate Payload", "§24.2" = app::DeactivatePayload;
    0x06 - 0x4a "Get Payload Activation Status", "§24.4" = app::GetPayloadActivationStatus;
    0x06 - 0x4b "Get Payload Instance Info", "§24.5" = app::GetPayloadInstanceInfo;
    0x06 - 0x4c "Set User Payload Access", "§24.6" = app::SetUserPayloadAccess;
    0x06 - 0x4d "Get User Payload Access", "§24.7" = app::GetUserPayloadAccess;
    0x06 - 0x4e "Get Channel Payload Support", "§24.8" = app::GetChannelPayloadSupport;
    0x06 - 0x4f "Get Channel Payload Version", "§24.9" = app::GetChannelPayloadVersion;
    0x06 - 0x50 "Get Channel OEM Payload Info", "§24.10" = app::GetChannelOemPayloadInfo;
    0x06 - 0x55 "Suspend/Resume Payload Encryption", "§24.3" = app::SuspendResumePayloadEncryption;
}
"Chassis" {
    0x00 - 0x00 "Get Chassis Capabilities", "§28.1" = chassis::GetChassisCapabilities;
    0x00 - 0x01 "Get Chassis Status", "§28.2" = chassis::GetChassisStatus;
    0x00 - 0x02 "Chassis Control", "§28.3" = chassis::ChassisControl;
    0x00 - 0x03 "Chassis Reset", "§28.4" = chassis::ChassisReset;
    0x00 - 0x04 "Chassis Identify", "§28.5" = chassis::ChassisIdentify;
    0x00 - 0x05 "Set Chassis Capabilities", "§28.7" = chassis::SetChassisCapabilities;
    0x00 - 0x06 "Set Power Restore Policy", "§28.8" = chassis::SetPowerRestorePolicy;
    0x00 - 0x07 "Get System Restart Cause", "§28.11" = chassis::GetSystemRestartCause;
    0x00 - 0x08 "Set System Boot Options", "§28.12" = chassis::SetSystemBootOptions;
    0x00 - 0x09 "Get System Boot Options", "§28.13" = chassis::GetSystemBootOptions;
    0x00 - 0x0a "Set Front Panel Button Enables", "§28.6" = chassis::SetFrontPanelEnables;
    0x00 - 0x0b "Set Power Cycle Interval", "§28.9" = chassis::SetPowerCycleInterval;
    0x00 - 0x0f "Get POH Counter", "§28.14" = chassis::GetPohCounter;
}
"Event" {
    0x04 - 0x00 "Set Event Receiver", "§29.1" = event::SetEventReceiver;
    0x04 - 0x01 "Get Event Receiver", "§29.2" = event::GetEventReceiver;
    0x04 - 0x02 "Platform Event", "§29.3" = event::PlatformEvent;
}
"PEF & alerting" {
    0x04 - 0x10 "Get PEF Capabilities", "§30.1" = event::GetPefCapabilities;
    0x04 - 0x11 "Arm PEF Postpone Timer", "§30.2" = event::ArmPefPostponeTimer;
    0x04 - 0x12 "Set PEF Configuration Parameters", "§30.3" = event::SetPefConfigurationParameters;
    0x04 - 0x13 "Get PEF Configuration Parameters", "§30.4" = event::GetPefConfigurationParameters;
    0x04 - 0x14 "Set Last Processed Event ID", "§30.5" = event::SetLastProcessedEventId;
    0x04 - 0x15 "Get Last Processed Event ID", "§30.6" = event::GetLastProcessedEventId;
    0x04 - 0x16 "Alert Immediate", "§30.7" = event::AlertImmediate;
    0x04 - 0x17 "PET Acknowledge", "§30.8" = event::PetAcknowledge;
}
"Sensor device" {
    0x04 - 0x20 "Get Device SDR Info", "§35.2" = sensor::GetDeviceSdrInfo;
    0x04 - 0x21 "Get Device SDR", "§35.3" = storage::GetDeviceSdr;
    0x04 - 0x22 "Reserve Device SDR Repository", "§35.4" = storage::ReserveDeviceSdrRepository;
    0x04 - 0x23 "Get Sensor Reading Factors", "§35.5" = sensor::GetSensorReadingFactors;
    0x04 - 0x24 "Set Sensor Hysteresis", "§35.6" = sensor::SetSensorHysteresis;
    0x04 - 0x25 "Get Sensor Hysteresis", "§35.7" = sensor::GetSensorHysteresis;
    0x04 - 0x26 "Set Sensor Thresholds", "§35.8" = sensor::SetSensorThresholds;
    0x04 - 0x27 "Get Sensor Thresholds", "§35.9" = sensor::GetSensorThresholds;
    0x04 - 0x28 "Set Sensor Event Enable", "§35.10" = sensor::SetSensorEventEnable;
    0x04 - 0x29 "Get Sensor Event Enable", "§35.11" = sensor::GetSensorEventEnable;
    0x04 - 0x2a "Re-arm Sensor Events", "§35.12" = sensor::RearmSensorEvents;
    0x04 - 0x2b "Get Sensor Event Status", "§35.13" = sensor::GetSensorEventStatus;
    0x04 - 0x2d "Get Sensor Reading", "§35.14" = sensor::GetSensorReading;
    0x04 - 0x2e "Set Sensor Type", "§35.15" = sensor::SetSensorType;
    0x04 - 0x2f "Get Sensor Type", "§35.16" = sensor::GetSensorType;
    0x04 - 0x30 "Set Sensor Reading And Event Status", "§35.17" = sensor::SetSensorReadingAndEventStatus;
}
"FRU inventory" {
    0x0a - 0x10 "Get FRU Inventory Area Info", "§34.1" = storage::GetFruInventoryAreaInfo;
    0x0a - 0x11 "Read FRU Data", "§34.2" = storage::ReadFruData;
    0x0a - 0x12 "Write FRU Data", "§34.3" = storage::WriteFruData;
}
"SDR repository" {
    0x0a - 0x20 "Get SDR Repository Info", "§33.9" = storage::GetSdrRepositoryInfo;
    0x0a - 0x21 "Get SDR Repository Allocation Info", "§33.10" = storage::GetSdrRepositoryAllocationInfo;
    0x0a - 0x22 "Reserve SDR Repository", "§33.11" = storage::ReserveSdrRepository;
    0x0a - 0x23 "Get SDR", "§33.12" = storage::GetSdr;
    0x0a - 0x24 "Add SDR", "§33.13" = storage::AddSdr;
    0x0a - 0x25 "Partial Add SDR", "§33.14" = storage::PartialAddSdr;
    0x0a - 0x26 "Delete SDR", "§33.15" = storage::DeleteSdr;
    0x0a - 0x27 "Clear SDR Repository", "§33.16" = storage::ClearSdrRepository;
    0x0a - 0x28 "Get SDR Repository Time", "§33.17" = storage::GetSdrRepositoryTime;
    0x0a - 0x29 "Set SDR Repository Time", "§33.18" = storage::SetSdrRepositoryTime;
    0x0a - 0x2a "Enter SDR Repository Update Mode", "§33.19" = storage::EnterSdrUpdateMode;
    0x0a - 0x2b "Exit SDR Repository Update Mode", "§33.20" = storage::ExitSdrUpdateMode;
    0x0a - 0x2c "Run Initialization Agent", "§33.21" = storage::RunInitializationAgent;
}
"SEL" {
    0x0a - 0x40 "Get SEL Info", "§31.2" = storage::GetSelInfo;
    0x0a - 0x41 "Get SEL Allocation Info", "§31.3" = storage::GetSelAllocationInfo;
    0x0a - 0x42 "Reserve SEL", "§31.4" = storage::ReserveSel;
    0x0a - 0x43 "Get SEL Entry", "§31.5" = storage::GetSelEntry;
    0x0a - 0x44 "Add SEL Entry", "§31.6" = storage::AddSelEntry;
    0x0a - 0x45 "Partial Add SEL Entry", "§31.7" = storage::PartialAddSelEntry;
    0x0a - 0x46 "Delete SEL Entry", "§31.8" = storage::DeleteSelEntry;
    0x0a - 0x47 "Clear SEL", "§31.9" = storage::ClearSel;
    0x0a - 0x48 "Get SEL Time", "§31.10" = storage::GetSelTime;
    0x0a - 0x49 "Set SEL Time", "§31.11" = storage::SetSelTime;
    0x0a - 0x5a "Get Auxiliary Log Status", "§31.12" = storage::GetAuxiliaryLogStatus;
    0x0a - 0x5b "Set Auxiliary Log Status", "§31.13" = storage::SetAuxiliaryLogStatus;
    0x0a - 0x5c "Get SEL Time UTC Offset", "§31.11a" = storage::GetSelTimeUtcOffset;
    0x0a - 0x5d "Set SEL Time UTC Offset", "§31.11b" = storage::SetSelTimeUtcOffset;
}
"LAN device" {
    0x0c - 0x01 "Set LAN Configuration Parameters", "§23.1" = transport::SetLanConfigurationParameters;
    0x0c - 0x02 "Get LAN Configuration Parameters", "§23.2" = transport::GetLanConfigurationParameters;
    0x0c - 0x03 "Suspend BMC ARPs", "§23.3" = transport::SuspendBmcArps;
    0x0c - 0x04 "Get IP/UDP/RMCP Statistics", "§23.4" = transport::GetIpStatistics;
}
"Serial over LAN" {
    0x0c - 0x20 "SOL Activating", "§26.1" = transport::SolActivating;
    0x0c - 0x21 "Set SOL Configuration Parameters", "§26.2" = transport::SetSolConfigurationParameters;
    0x0c - 0x22 "Get SOL Configuration Parameters", "§26.3" = transport::GetSolConfigurationParameters;
}
"Serial/modem" {
    0x0c - 0x10 "Set Serial/Modem Configuration", "§25.1" = transport::SetSerialConfiguration;
    0x0c - 0x11 "Get Serial/Modem Configuration", "§25.2" = transport::GetSerialConfiguration;
    0x0c - 0x12 "Set Serial/Modem Mux", "§25.3" = transport::SetSerialMux;
    0x0c - 0x13 "Get TAP Response Codes", "§25.4" = transport::GetTapResponseCodes;
    0x0c - 0x14 "Set PPP UDP Proxy Transmit Data", "§25.5" = transport::SetPppTransmitData;
    0x0c - 0x15 "Get PPP UDP Proxy Transmit Data", "§25.6" = transport::GetPppTransmitData;
    0x0c - 0x16 "Send PPP UDP Proxy Packet", "§25.7" = transport::SendPppPacket;
    0x0c - 0x17 "Get PPP UDP Proxy Receive Data", "§25.8" = transport::GetPppReceiveData;
    0x0c - 0x18 "Serial/Modem Connection Active", "§25.9" = transport::SerialConnectionActive;
    0x0c - 0x19 "Callback", "§25.10" = transport::Callback;
    0x0c - 0x1a "Set User Callback Options", "§25.11" = transport::SetUserCallbackOptions;
    0x0c - 0x1b "Get User Callback Options", "§25.12" = transport::GetUserCallbackOptions;
    0x0c - 0x1c "Set Serial Routing Mux", "§25.13" = transport::SetSerialRoutingMux;
}
"Command forwarding" {
    0x0c - 0x30 "Forwarded Command", "Appendix G" without FORWARDING;
    0x0c - 0x31 "Set Forwarded Commands", "Appendix G" without FORWARDING;
    0x0c - 0x32 "Get Forwarded Commands", "Appendix G" without FORWARDING;
    0x0c - 0x33 "Enable Forwarded Commands", "Appendix G" without FORWARDING;
}
"Bridge / ICMB" {
    0x02 - 0x00 "Get Bridge State", "ICMB 1.0" without ICMB;
    0x02 - 0x01 "Set Bridge State", "ICMB 1.0" without ICMB;
    0x02 - 0x02 "Get ICMB Address", "ICMB 1.0" without ICMB;
    0x02 - 0x03 "Set ICMB Address", "ICMB 1.0" without ICMB;
    0x02 - 0x04 "Set Bridge Proxy Address", "ICMB 1.0" without ICMB;
    0x02 - 0x05 "Get Bridge Statistics", "ICMB 1.0" without ICMB;
    0x02 - 0x06 "Get ICMB Capabilities", "ICMB 1.0" without ICMB;
    0x02 - 0x08 "Clear Bridge Statistics", "ICMB 1.0" without ICMB;
    0x02 - 0x09 "Get Bridge Proxy Address", "ICMB 1.0" without ICMB;
    0x02 - 0x0a "Get ICMB Connector Info", "ICMB 1.0" without ICMB;
    0x02 - 0x0b "Get ICMB Connection ID", "ICMB 1.0" without ICMB;
    0x02 - 0x0c "Send ICMB Connection ID", "ICMB 1.0" without ICMB;
    0x02 - 0x10 "Prepare For Discovery", "ICMB 1.0" without ICMB;
    0x02 - 0x11 "Get Addresses", "ICMB 1.0" without ICMB;
    0x02 - 0x12 "Set Discovered", "ICMB 1.0" without ICMB;
    0x02 - 0x13 "Get Chassis Device ID", "ICMB 1.0" without ICMB;
    0x02 - 0x14 "Set Chassis Device ID", "ICMB 1.0" without ICMB;
    0x02 - 0x20 "Bridge Request", "ICMB 1.0" without ICMB;
    0x02 - 0x21 "Bridge Message", "ICMB 1.0" without ICMB;
    0x02 - 0x30 "Get Event Count", "ICMB 1.0" without ICMB;
    0x02 - 0x31 "Set Event Destination", "ICMB 1.0" without ICMB;
    0x02 - 0x32 "Set Event Reception State", "ICMB 1.0" without ICMB;
    0x02 - 0x33 "Send ICMB Event Message", "ICMB 1.0" without ICMB;
    0x02 - 0x34 "Get Event Destination", "ICMB 1.0" without ICMB;
    0x02 - 0x35 "Get Event Reception State", "ICMB 1.0" without ICMB;
    0x02 - 0xff "Error Report", "ICMB 1.0" without ICMB;
}
"DCMI 1.5" {
    0x2c 0xdc 0x01 "Get DCMI Capabilities Info", "DCMI 1.5 §6.1.1" = dcmi::GetDcmiCapabilities;
    0x2c 0xdc 0x02 "Get Power Reading", "DCMI 1.5 §6.6.1" = dcmi::GetPowerReading;
    0x2c 0xdc 0x03 "Get Power Limit", "DCMI 1.5 §6.6.2" = dcmi::GetPowerLimit;
    0x2c 0xdc 0x04 "Set Power Limit", "DCMI 1.5 §6.6.3" = dcmi::SetPowerLimit;
    0x2c 0xdc 0x05 "Activate/Deactivate Power Limit", "DCMI 1.5 §6.6.4" = dcmi::ActivatePowerLimit;
    0x2c 0xdc 0x06 "Get Asset Tag", "DCMI 1.5 §6.4.2" = dcmi::GetAssetTag;
    0x2c 0xdc 0x07 "Get DCMI Sensor Info", "DCMI 1.5 §6.5.2" = dcmi::GetDcmiSensorInfo;
    0x2c 0xdc 0x08 "Set Asset Tag", "DCMI 1.5 §6.4.3" = dcmi::SetAssetTag;
    0x2c 0xdc 0x09 "Get Management Controller ID String", "DCMI 1.5 §6.4.6.1" = dcmi::GetControllerId;
    0x2c 0xdc 0x0a "Set Management Controller ID String", "DCMI 1.5 §6.4.6.2" = dcmi::SetControllerId;
    0x2c 0xdc 0x0b "Set Thermal Limit", "DCMI 1.5 §6.7.2" = dcmi::SetThermalLimit;
    0x2c 0xdc 0x0c "Get Thermal Limit", "DCMI 1.5 §6.7.1" = dcmi::GetThermalLimit;
    0x2c 0xdc 0x10 "Get Temperature Readings", "DCMI 1.5 §6.7.3" = dcmi::GetTemperatureReadings;
    0x2c 0xdc 0x12 "Set DCMI Configuration Parameters", "DCMI 1.5 §6.1.2" = dcmi::SetDcmiConfiguration;
    0x2c 0xdc 0x13 "Get DCMI Configuration Parameters", "DCMI 1.5 §6.1.3" = dcmi::GetDcmiConfiguration;
}
"PICMG: AdvancedTCA / AMC / MicroTCA" {
    0x2c 0x00 0x00 "Get PICMG Properties", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetPicmgProperties;
    0x2c 0x00 0x01 "Get Address Info", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetAddressInfo;
    0x2c 0x00 0x02 "Get Shelf Address Info", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetShelfAddressInfo;
    0x2c 0x00 0x03 "Set Shelf Address Info", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x04 "FRU Control", "PICMG 3.0, AMC.0, MTCA.0" = picmg::FruControl;
    0x2c 0x00 0x05 "Get FRU LED Properties", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetFruLedProperties;
    0x2c 0x00 0x06 "Get LED Color Capabilities", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetLedColorCapabilities;
    0x2c 0x00 0x07 "Set FRU LED State", "PICMG 3.0, AMC.0, MTCA.0" = picmg::SetFruLedState;
    0x2c 0x00 0x08 "Get FRU LED State", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetFruLedState;
    0x2c 0x00 0x09 "Set IPMB-0 State", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x0a "Set FRU Activation Policy", "PICMG 3.0, AMC.0, MTCA.0" = picmg::SetFruActivationPolicy;
    0x2c 0x00 0x0b "Get FRU Activation Policy", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetFruActivationPolicy;
    0x2c 0x00 0x0c "Set FRU Activation", "PICMG 3.0, AMC.0, MTCA.0" = picmg::SetFruActivation;
    0x2c 0x00 0x0d "Get Device Locator Record ID", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetDeviceLocatorRecordId;
    0x2c 0x00 0x0e "Set Port State", "PICMG 3.0, AMC.0, MTCA.0" = picmg::SetPortState;
    0x2c 0x00 0x0f "Get Port State", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetPortState;
    0x2c 0x00 0x10 "Compute Power Properties", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x11 "Set Power Level", "PICMG 3.0, AMC.0, MTCA.0" = picmg::SetPowerLevel;
    0x2c 0x00 0x12 "Get Power Level", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetPowerLevel;
    0x2c 0x00 0x13 "Renegotiate Power", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x14 "Get Fan Speed Properties", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetFanSpeedProperties;
    0x2c 0x00 0x15 "Set Fan Level", "PICMG 3.0, AMC.0, MTCA.0" = picmg::SetFanLevel;
    0x2c 0x00 0x16 "Get Fan Level", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetFanLevel;
    0x2c 0x00 0x17 "Bused Resource Control", "PICMG 3.0, AMC.0, MTCA.0" = picmg::BusedResourceControl;
    0x2c 0x00 0x18 "Get IPMB-0 Link Info", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x19 "Set AMC Port State", "PICMG 3.0, AMC.0, MTCA.0" = picmg::SetAmcPortState;
    0x2c 0x00 0x1a "Get AMC Port State", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetAmcPortState;
    0x2c 0x00 0x1b "Get Shelf Manager IPMB Address", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x1c "Set Fan Policy", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x1d "Get Fan Policy", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x1e "FRU Control Capabilities", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetFruControlCapabilities;
    0x2c 0x00 0x1f "FRU Inventory Device Lock Control", "PICMG 3.0, AMC.0, MTCA.0" = picmg::FruInventoryLockControl;
    0x2c 0x00 0x20 "FRU Inventory Device Write", "PICMG 3.0, AMC.0, MTCA.0" = picmg::FruInventoryWrite;
    0x2c 0x00 0x21 "Get Shelf Manager IP Addresses", "PICMG 3.0, AMC.0, MTCA.0" without PICMG_SHELF_MANAGER;
    0x2c 0x00 0x22 "Get Shelf Power Allocation", "PICMG 3.0, AMC.0, MTCA.0" without PICMG_SHELF_MANAGER;
    0x2c 0x00 0x23 "Get Location Information", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetLocationInformation;
    0x2c 0x00 0x24 "Power Channel Control", "PICMG 3.0, AMC.0, MTCA.0" = picmg::PowerChannelControl;
    0x2c 0x00 0x25 "Get Power Channel Status", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetPowerChannelStatus;
    0x2c 0x00 0x26 "PM Reset", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x27 "Get PM Status", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x28 "PM Heartbeat", "PICMG 3.0, AMC.0, MTCA.0" = picmg::PmHeartbeat;
    0x2c 0x00 0x29 "Get Telco Alarm Capability", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetTelcoAlarmCapability;
    0x2c 0x00 0x2a "Set Telco Alarm State", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x2b "Get Telco Alarm State", "PICMG 3.0, AMC.0, MTCA.0" without PICMG;
    0x2c 0x00 0x2c "Set AMC Clock State", "PICMG 3.0, AMC.0, MTCA.0" = picmg::SetAmcClockState;
    0x2c 0x00 0x2d "Get AMC Clock State", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetAmcClockState;
    0x2c 0x00 0x3b "Set Channel Signaling Class", "PICMG 3.0, AMC.0, MTCA.0" = picmg::SetChannelSignalingClass;
    0x2c 0x00 0x3c "Get Channel Signaling Class", "PICMG 3.0, AMC.0, MTCA.0" = picmg::GetChannelSignalingClass;
}
"HPM.1 firmware upgrade / HPM.2" {
    0x2c 0x00 0x2e "Get Target Upgrade Capabilities", "HPM.1, HPM.2" = picmg::hpm::GetTargetUpgradeCapabilities;
    0x2c 0x00 0x2f "Get Component Properties", "HPM.1, HPM.2" = picmg::hpm::GetComponentProperties;
    0x2c 0x00 0x30 "Abort Firmware Upgrade", "HPM.1, HPM.2" = picmg::hpm::AbortFirmwareUpgrade;
    0x2c 0x00 0x31 "Initiate Upgrade Action", "HPM.1, HPM.2" = picmg::hpm::InitiateUpgradeAction;
    0x2c 0x00 0x32 "Upload Firmware Block", "HPM.1, HPM.2" = picmg::hpm::UploadFirmwareBlock;
    0x2c 0x00 0x33 "Finish Firmware Upload", "HPM.1, HPM.2" = picmg::hpm::FinishFirmwareUpload;
    0x2c 0x00 0x34 "Get Upgrade Status", "HPM.1, HPM.2" = picmg::hpm::GetUpgradeStatus;
    0x2c 0x00 0x35 "Activate Firmware", "HPM.1, HPM.2" = picmg::hpm::ActivateFirmware;
    0x2c 0x00 0x36 "Query Self-test Results", "HPM.1, HPM.2" = picmg::hpm::QuerySelfTestResults;
    0x2c 0x00 0x37 "Query Rollback Status", "HPM.1, HPM.2" = picmg::hpm::QueryRollbackStatus;
    0x2c 0x00 0x38 "Initiate Manual Rollback", "HPM.1, HPM.2" = picmg::hpm::InitiateManualRollback;
    0x2c 0x00 0x3e "Get LAN Attach Capabilities", "HPM.1, HPM.2" = picmg::hpm::GetLanAttachCapabilities;
}
"VITA 46.11 / VSO" {
    0x2c 0x03 0x00 "Get VSO Capabilities", "VITA 46.11" = vita::GetVsoCapabilities;
    0x2c 0x03 0x01 "Get Chassis Address Table Info", "VITA 46.11" = vita::GetChassisAddressTable;
    0x2c 0x03 0x02 "Get Chassis Identifier", "VITA 46.11" = vita::GetChassisIdentifier;
    0x2c 0x03 0x03 "Set Chassis Identifier", "VITA 46.11" = vita::SetChassisIdentifier;
    0x2c 0x03 0x04 "FRU Control", "VITA 46.11" = vita::VitaFruControl;
    0x2c 0x03 0x05 "Get FRU LED Properties", "VITA 46.11" = vita::GetVitaFruLedProperties;
    0x2c 0x03 0x06 "Get LED Color Capabilities", "VITA 46.11" = vita::GetVitaLedColors;
    0x2c 0x03 0x07 "Set FRU LED State", "VITA 46.11" = vita::SetVitaFruLedState;
    0x2c 0x03 0x08 "Get FRU LED State", "VITA 46.11" = vita::GetVitaFruLedState;
    0x2c 0x03 0x09 "Set IPMB State", "VITA 46.11" = vita::SetIpmbState;
    0x2c 0x03 0x0a "Set FRU State Policy Bits", "VITA 46.11" = vita::SetVitaFruPolicy;
    0x2c 0x03 0x0b "Get FRU State Policy Bits", "VITA 46.11" = vita::GetVitaFruPolicy;
    0x2c 0x03 0x0c "Set FRU Activation", "VITA 46.11" = vita::SetVitaFruActivation;
    0x2c 0x03 0x0d "Get Device Locator Record ID", "VITA 46.11" = vita::GetVitaLocatorRecordId;
    0x2c 0x03 0x14 "Get Fan Speed Properties", "VITA 46.11" without VITA;
    0x2c 0x03 0x15 "Set Fan Level", "VITA 46.11" without VITA;
    0x2c 0x03 0x16 "Get Fan Level", "VITA 46.11" without VITA;
    0x2c 0x03 0x18 "Get IPMB Link Info", "VITA 46.11" without VITA;
    0x2c 0x03 0x1b "Get Chassis Manager IPMB Address", "VITA 46.11" without VITA;
    0x2c 0x03 0x1c "Set Fan Policy", "VITA 46.11" without VITA;
    0x2c 0x03 0x1d "Get Fan Policy", "VITA 46.11" without VITA;
    0x2c 0x03 0x1e "FRU Control Capabilities", "VITA 46.11" = vita::GetVitaFruControlCapabilities;
    0x2c 0x03 0x1f "FRU Inventory Device Lock Control", "VITA 46.11" without VITA;
    0x2c 0x03 0x20 "FRU Inventory Device Write", "VITA 46.11" without VITA;
    0x2c 0x03 0x21 "Get Chassis Manager IP Addresses", "VITA 46.11" without VITA;
    0x2c 0x03 0x40 "Get FRU Address Info", "VITA 46.11" = vita::GetVitaFruAddressInfo;
    0x2c 0x03 0x41 "Get FRU Persistent Control", "VITA 46.11" without VITA;
    0x2c 0x03 0x42 "Set FRU Persistent Control", "VITA 46.11" without VITA;
    0x2c 0x03 0x43 "FRU Persistent Control Capabilities", "VITA 46.11" without VITA;
    0x2c 0x03 0x44 "Get Mandatory Sensor Numbers", "VITA 46.11" = vita::GetVitaMandatorySensors;
    0x2c 0x03 0x45 "Get FRU Hash", "VITA 46.11" = vita::GetVitaFruHash;
    0x2c 0x03 0x46 "Get Payload Mode Capabilities", "VITA 46.11" = vita::GetVitaPayloadModes;
    0x2c 0x03 0x47 "Set Payload Mode", "VITA 46.11" = vita::SetVitaPayloadMode;
}}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check::Arbitrary;

    /// Random inputs for each command.
    const ROUNDS: usize = 1_000;

    #[test]
    fn every_command_reads_what_it_writes_and_never_panics_on_any_bytes() {
        for (number, row) in COMMANDS.iter().enumerate() {
            let Ok(codec) = row.codec else { continue };
            for mut data in Arbitrary::new(ROUNDS + number) {
                (codec.laws)(&data);
                if let (Some(group), Some(first)) = (row.group, data.first_mut()) {
                    *first = group;
                    (codec.laws)(&data);
                }
            }
        }
    }

    #[test]
    fn every_command_stands_once_in_the_table_and_is_found() {
        for (number, row) in COMMANDS.iter().enumerate() {
            let data = [row.group.unwrap_or(0)];
            let found = find(row.netfn, row.cmd, &data).unwrap();
            assert!(core::ptr::eq(found, row), "row {number}: {}", row.name);
        }
        assert_eq!(COMMANDS.len(), 290);
        assert!(find(NetFn::GROUP_EXTENSION, 1, &[]).is_none());
    }

    #[test]
    fn the_groups_byte_of_a_type_is_the_rows() {
        for row in COMMANDS {
            let Ok(codec) = row.codec else { continue };
            if let Some(group) = row.group {
                let other = [group ^ 0x55; 64];
                let read = (codec.request)(&other).map_err(|error| error.field);
                assert_eq!(read, Err("group"), "{}", row.name);
            }
        }
    }
}
