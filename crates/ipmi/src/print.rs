//! An IPMI message in one line, for logs and for tests that fail.

use core::fmt::{self, Debug};

use crate::command::app::{
    ActivateSession, CloseSession, ColdReset, GetAcpiPowerState, GetBmcGlobalEnables,
    GetChannelAccess, GetChannelAuthenticationCapabilities, GetChannelCipherSuites, GetChannelInfo,
    GetDeviceGuid, GetDeviceId, GetSelfTestResults, GetSessionChallenge, GetSessionInfo,
    GetSystemGuid, GetSystemInfoParameters, GetUserAccess, GetUserName, SetSessionPrivilegeLevel,
    SetSystemInfoParameters, WarmReset,
};
use crate::command::chassis::{
    ChassisControl, ChassisIdentify, GetChassisCapabilities, GetChassisStatus, GetPohCounter,
    GetSystemBootOptions, GetSystemRestartCause, SetPowerRestorePolicy, SetSystemBootOptions,
};
use crate::command::sensor::{
    GetDeviceSdrInfo, GetSensorEventEnable, GetSensorEventStatus, GetSensorHysteresis,
    GetSensorReading, GetSensorReadingFactors, GetSensorThresholds, GetSensorType,
    SetSensorEventEnable, SetSensorHysteresis, SetSensorThresholds,
};
use crate::command::storage::{
    AddSelEntry, ClearSel, DeleteSelEntry, GetDeviceSdr, GetFruInventoryAreaInfo, GetSdr,
    GetSdrRepositoryAllocationInfo, GetSdrRepositoryInfo, GetSdrRepositoryTime,
    GetSelAllocationInfo, GetSelEntry, GetSelInfo, GetSelTime, GetSelTimeUtcOffset, ReadFruData,
    ReserveDeviceSdrRepository, ReserveSdrRepository, ReserveSel, SetSelTime, SetSelTimeUtcOffset,
    WriteFruData,
};
use crate::command::transport::{GetLanConfigurationParameters, SetLanConfigurationParameters};
use crate::command::{Command, Message};
use crate::number::{CompletionCode, NetFn};
use crate::wire::Reader;
use crate::wire::message::LanMessage;

/// Prints the data of a request or answer.
type Print = fn(&[u8], &mut fmt::Formatter<'_>) -> fmt::Result;

/// A command whose request and answer we can print field by field.
struct Entry {
    netfn: NetFn,
    cmd: u8,
    name: &'static str,
    request: Print,
    response: Print,
}

impl Entry {
    const fn of<C>() -> Self
    where
        C: Command + Debug,
        C::Response: Debug,
    {
        Self {
            netfn: C::NETFN,
            cmd: C::CMD,
            name: C::NAME,
            request: |data, f| print(C::decode(&mut Reader::new(data)), data, f),
            response: |data, f| print(C::Response::decode(&mut Reader::new(data)), data, f),
        }
    }
}

fn print<T: Debug, E: fmt::Display>(
    decoded: Result<T, E>,
    data: &[u8],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match decoded {
        Ok(value) => write!(f, "{value:?}"),
        Err(error) => write!(f, "{data:02x?} ({error})"),
    }
}

macro_rules! commands {
    ($($command:ty,)*) => { &[$(Entry::of::<$command>()),*] };
}

/// Every command that has a type.
const COMMANDS: &[Entry] = commands![
    GetChassisCapabilities,
    GetChassisStatus,
    ChassisControl,
    ChassisIdentify,
    SetPowerRestorePolicy,
    GetSystemRestartCause,
    SetSystemBootOptions,
    GetSystemBootOptions,
    GetPohCounter,
    GetDeviceSdrInfo,
    GetDeviceSdr,
    ReserveDeviceSdrRepository,
    GetSensorReadingFactors,
    SetSensorHysteresis,
    GetSensorHysteresis,
    SetSensorThresholds,
    GetSensorThresholds,
    SetSensorEventEnable,
    GetSensorEventEnable,
    GetSensorEventStatus,
    GetSensorReading,
    GetSensorType,
    GetDeviceId,
    ColdReset,
    WarmReset,
    GetSelfTestResults,
    GetAcpiPowerState,
    GetDeviceGuid,
    GetBmcGlobalEnables,
    GetSystemGuid,
    GetChannelAuthenticationCapabilities,
    GetSessionChallenge,
    ActivateSession,
    SetSessionPrivilegeLevel,
    CloseSession,
    GetSessionInfo,
    GetChannelAccess,
    GetChannelInfo,
    GetUserAccess,
    GetUserName,
    GetChannelCipherSuites,
    SetSystemInfoParameters,
    GetSystemInfoParameters,
    GetFruInventoryAreaInfo,
    ReadFruData,
    WriteFruData,
    GetSdrRepositoryInfo,
    GetSdrRepositoryAllocationInfo,
    ReserveSdrRepository,
    GetSdr,
    GetSdrRepositoryTime,
    GetSelInfo,
    GetSelAllocationInfo,
    ReserveSel,
    GetSelEntry,
    AddSelEntry,
    DeleteSelEntry,
    ClearSel,
    GetSelTime,
    SetSelTime,
    GetSelTimeUtcOffset,
    SetSelTimeUtcOffset,
    SetLanConfigurationParameters,
    GetLanConfigurationParameters,
];

fn entry(netfn: NetFn, cmd: u8) -> Option<&'static Entry> {
    let request = NetFn(netfn.0 & !1);
    COMMANDS
        .iter()
        .find(|entry| entry.netfn == request && entry.cmd == cmd)
}

/// The name of a command, as in the specification's section title; `None` for one that has no type here.
#[must_use]
pub fn command_name(netfn: NetFn, cmd: u8) -> Option<&'static str> {
    entry(netfn, cmd).map(|entry| entry.name)
}

/// Whether the data can hold a password, a key or an SNMP community, so that only its length may be printed.
const fn is_secret(netfn: NetFn, cmd: u8) -> bool {
    const ACTIVATE_SESSION: u8 = 0x3a;
    const GET_AUTH_CODE: u8 = 0x3f;
    const SET_USER_PASSWORD: u8 = 0x47;
    const MASTER_WRITE_READ: u8 = 0x52;
    const SET_CHANNEL_SECURITY_KEYS: u8 = 0x56;
    match NetFn(netfn.0 & !1) {
        NetFn::APP => matches!(
            cmd,
            ACTIVATE_SESSION
                | GET_AUTH_CODE
                | SET_USER_PASSWORD
                | MASTER_WRITE_READ
                | SET_CHANNEL_SECURITY_KEYS
        ),
        // Configuration of LAN, serial lines and SOL; what the makers and groups define is unknown to us.
        NetFn::TRANSPORT => true,
        NetFn(netfn) => netfn > NetFn::TRANSPORT.0,
    }
}

/// A message that prints as one line.
///
/// ```text
/// 81>20 seq 05 Get Sensor Reading: GetSensorReading { sensor_number: 17 }
/// 20>81 seq 05 Get Sensor Reading = SensorReading { raw: 90, … }
/// 20>81 seq 06 Chassis Control = Insufficient privilege level (0xd4)
/// ```
#[derive(Clone, Copy)]
pub struct OneLine<'a>(pub LanMessage<'a>);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LanMessage { header, body } = self.0;
        write!(
            f,
            "{:02x}>{:02x} seq {:02} ",
            header.from, header.to, header.rq_seq
        )?;
        let entry = entry(header.netfn, header.cmd);
        match entry {
            Some(entry) => f.write_str(entry.name)?,
            None => write!(f, "{:02x}/{:02x}", header.netfn.0 & !1, header.cmd)?,
        }
        let (data, print) = if header.netfn.is_response() {
            f.write_str(" = ")?;
            let Some((code, data)) = body.split_first() else {
                return f.write_str("no completion code");
            };
            if *code != CompletionCode::OK.0 {
                return write!(f, "{:?}", CompletionCode(*code));
            }
            (data, entry.map(|entry| entry.response))
        } else {
            f.write_str(": ")?;
            (body, entry.map(|entry| entry.request))
        };
        match print {
            _ if is_secret(header.netfn, header.cmd) => write!(f, "{} bytes", data.len()),
            Some(print) => print(data, f),
            None => write!(f, "{data:02x?}"),
        }
    }
}

impl Debug for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};

    use super::*;
    use crate::command::check::Arbitrary;
    use crate::wire::message::MessageHeader;

    fn line(netfn: u8, cmd: u8, body: &[u8]) -> String {
        let request = MessageHeader::request(NetFn(netfn & !1), 0, cmd, 5);
        let header = if netfn & 1 == 1 {
            request.response()
        } else {
            request
        };
        OneLine(LanMessage { header, body }).to_string()
    }

    #[test]
    fn request_and_answer_print_field_by_field() {
        assert_eq!(
            line(0x04, 0x2d, &[0x11]),
            "81>20 seq 05 Get Sensor Reading: GetSensorReading { sensor_number: 17 }"
        );
        assert_eq!(
            line(0x05, 0x2d, &[0x00, 0x5a, 0xc0]),
            "20>81 seq 05 Get Sensor Reading = SensorReading { raw: 90, events_enabled: true, \
             scanning_enabled: true, unavailable: false, states: 0 }"
        );
        assert_eq!(
            line(0x01, 0x02, &[0xd4]),
            "20>81 seq 05 Chassis Control = Insufficient privilege level (0xd4)"
        );
    }

    #[test]
    fn what_does_not_decode_or_has_no_type_prints_as_bytes() {
        assert_eq!(
            line(0x04, 0x2d, &[]),
            "81>20 seq 05 Get Sensor Reading: [] (the bytes end before sensor number at byte 0)"
        );
        assert_eq!(line(0x06, 0x22, &[1, 0xab]), "81>20 seq 05 06/22: [01, ab]");
        assert_eq!(
            line(0x07, 0x22, &[]),
            "20>81 seq 05 06/22 = no completion code"
        );
    }

    #[test]
    fn what_can_hold_a_secret_prints_its_length_only() {
        let password = [2, 2, b's', b'3', b'c', b'r', b'3', b't'];
        assert_eq!(line(0x06, 0x47, &password), "81>20 seq 05 06/47: 8 bytes");
        let community = [1, 16, b'p', b'u', b'b'];
        assert!(
            line(0x0c, 0x01, &community).ends_with("Set LAN Configuration Parameters: 5 bytes")
        );
        assert!(line(0x0d, 0x02, &[0, 0x11, b'p']).ends_with(" = 2 bytes"));
        assert!(line(0x30, 0x01, &password).ends_with("30/01: 8 bytes"));
        assert!(line(0x2e, 0x01, &password).ends_with("2e/01: 8 bytes"));
    }

    #[test]
    fn every_command_is_listed_once_and_no_message_panics() {
        for (index, entry) in COMMANDS.iter().enumerate() {
            assert_eq!(command_name(entry.netfn, entry.cmd), Some(entry.name));
            let same = |other: &&Entry| (other.netfn, other.cmd) == (entry.netfn, entry.cmd);
            assert_eq!(
                COMMANDS.iter().skip(index).filter(same).count(),
                1,
                "{}",
                entry.name
            );
        }
        for body in Arbitrary::new(200) {
            for entry in COMMANDS {
                line(entry.netfn.0, entry.cmd, &body);
                line(entry.netfn.0 | 1, entry.cmd, &body);
            }
        }
    }
}
