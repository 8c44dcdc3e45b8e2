//! Protocol numbers: each keeps its number, knows its name where it has one, and round-trips where it doesn't.

mod address;
mod atca;
mod boot;
pub mod catalogue;
mod channel;
mod chassis;
mod completion;
mod dcmi;
mod device;
mod entity;
mod fru;
mod lan;
mod language;
mod login;
mod maker;
mod messaging;
mod oem;
mod pef;
mod picmg;
mod record;
mod sensor;
mod session;
mod state;
mod transport;
mod unit;
mod watchdog;
mod wire;

use core::fmt;

pub use address::{FruAddress, FruDevice, IpmbAddress, Lun};
pub use atca::*;
pub use boot::*;
pub use channel::{
    ChannelAccessMode, ChannelMedium, ChannelNumber, ChannelProtocol, SessionSupport,
    UserEnableStatus,
};
pub use chassis::{
    BiosMuxOverride, BiosVerbosity, BootDevice, BootOptionParameter, ChassisCapabilities,
    ChassisControlAction, ChassisState, ChassisType, ConsoleRedirection, FrontPanelButtons,
    IdentifyState, LastPowerEvent, PowerRestorePolicy, PowerState, RestartCause,
};
pub use completion::*;
pub use dcmi::{
    DcmiCapabilityParameter, DcmiDiscovery, DcmiEntity, DcmiParameter, PowerExceptionAction,
    PowerLimitActivation, PowerStatisticsMode, RollingAverageUnit, ThermalExceptionActions,
};
pub use device::{
    AcpiDevicePowerState, AcpiSystemPowerState, AuxiliaryLogType, DeviceSupport, GlobalEnables,
    IpSource, LanParameter, SelfTestFaults, SelfTestResult, SoftwareId, SystemInfoParameter,
};
pub use entity::EntityId;
pub use fru::*;
pub use lan::*;
pub use language::*;
pub use login::*;
pub use maker::*;
pub use messaging::{
    AccessUpdate, CommandRange, DefiningBody, LunSupport, MessageFlags, MessageTracking,
    PasswordOperation, PayloadAccessOperation, PayloadEncryption, ReceiveState, SecurityKeyId,
    SecurityKeyLock, SecurityKeyOperation, SetupPayloads, StandardPayloads, SystemInterfaceType,
};
pub use oem::*;
pub use pef::{
    AlertOperation, AlertPolicyRule, AlertStatus, EventFilterType, EventSeverity, PefActions,
    PefControl, PefParameter, PetSourceType,
};
pub use picmg::{
    ActivationPolicy, AlarmSeverity, BusedResource, BusedResourceAction, ClockDirection,
    FruControlAction, FruControlSupport, FruLedFunction, HotSwapState, HpmAction, HpmCapabilities,
    HpmProperty, HpmRollback, Ipmb0Override, LampState, LedColor, LedColors, LinkInterface,
    LinkType, PicmgSiteType, PowerLevelType, VitaFruControlSupport, VitaPolicy, VitaSiteType,
};
pub use record::*;
pub use sensor::{
    EventReadingType, Linearization, SensorType, StatusOperation, Threshold, ThresholdSet,
};
pub use session::{
    AuthAlgorithm, AuthType, CipherSuiteId, ConfidentialityAlgorithm, IntegrityAlgorithm,
    PayloadType, RakpStatus,
};
pub use state::*;
pub use transport::{
    ArpSuspend, DestinationType, MuxSetting, SerialBitRate, SerialParameter, SolOperation,
    SolParameter, SolStatus,
};
pub use unit::{RateUnit, SensorUnit};
pub use watchdog::{PreTimeoutInterrupt, WatchdogAction, WatchdogExpirations, WatchdogUse};
pub use wire::*;

/// A protocol number or set of flags, for what holds of all of them: see [`catalogue`].
pub trait Enumeration: Copy + fmt::Debug {
    /// Name of the type.
    const TYPE: &'static str;
    /// A set of bits, not one of several values.
    const FLAGS: bool;
    /// Bits of the number.
    const BITS: u32;
    /// The names of its values, in the order of the specification's table.
    const TEXTS: &'static [&'static str];

    /// The value of a number; every number is one.
    fn from_number(number: u32) -> Self;

    /// The number of a value.
    fn number(self) -> u32;
}

/// Declares a newtype over a protocol number with named constants and one name table.
///
/// Unknown values are ordinary values: they print as hex and survive decode and encode.
macro_rules! protocol_number {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident($repr:ty) {
            $( $(#[$const_meta:meta])* $constant:ident = $value:expr => $text:expr, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        $vis struct $name(pub $repr);

        impl $name {
            $( $(#[$const_meta])* pub const $constant: Self = Self($value); )*

            /// Every named value, in the order of the specification's table.
            pub const NAMED: &'static [Self] = &[$(Self::$constant),*];

            /// The specification's name of this value; `None` for a value it doesn't name.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $( $value => Some($text), )*
                    _ => None,
                }
            }
        }

        impl $crate::number::Enumeration for $name {
            const TYPE: &'static str = stringify!($name);
            const FLAGS: bool = false;
            const BITS: u32 = <$repr>::BITS;
            const TEXTS: &'static [&'static str] = &[$($text),*];

            fn from_number(number: u32) -> Self {
                $crate::command::layout::Bits::from_bits(number)
            }

            fn number(self) -> u32 {
                $crate::command::layout::Bits::to_bits(self)
            }
        }

        impl crate::command::layout::Field for $name {
            fn put(&self, w: &mut crate::wire::Writer<'_>) {
                crate::command::layout::Field::put(&self.0, w);
            }

            fn get(
                r: &mut crate::wire::Reader<'_>,
                name: &'static str,
            ) -> Result<Self, crate::wire::WireError> {
                crate::command::layout::Field::get(r, name).map(Self)
            }
        }

        impl crate::command::layout::Bits for $name {
            fn to_bits(self) -> u32 {
                crate::command::layout::Bits::to_bits(self.0)
            }

            fn from_bits(bits: u32) -> Self {
                Self(crate::command::layout::Bits::from_bits(bits))
            }
        }

        impl $crate::print::Shown for $name {
            fn value(&self) -> $crate::print::Value {
                let number = $crate::command::layout::Bits::to_bits(self.0);
                $crate::print::Value::code(number, <$repr>::BITS, self.name())
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => write!(f, "{:#04x}", self.0),
                }
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => write!(f, "{name} ({:#04x})", self.0),
                    None => write!(f, "{:#04x}", self.0),
                }
            }
        }
    };
}
pub(crate) use protocol_number;

/// Several [`protocol_number!`]s whose constants need no more words than their names.
macro_rules! numbers {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident($repr:ty) { $($constant:ident = $value:literal => $text:literal,)* }
    )*) => { $(
        $crate::number::protocol_number! {
            $(#[$meta])*
            pub struct $name($repr) {
                $( #[doc = concat!($text, ".")] $constant = $value => $text, )*
            }
        }
    )* };
}
pub(crate) use numbers;

/// Several [`protocol_flags!`] whose constants need no more words than their names.
macro_rules! flags {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident($repr:ty) { $($constant:ident = $value:literal => $text:literal,)* }
    )*) => { $(
        $crate::number::protocol_flags! {
            $(#[$meta])*
            pub struct $name($repr) {
                $( #[doc = concat!($text, ".")] $constant = $value => $text, )*
            }
        }
    )* };
}
pub(crate) use flags;

/// Declares a newtype over a set of bits with named constants and one name table.
///
/// Bits without a name survive decode and encode.
macro_rules! protocol_flags {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident($repr:ty) {
            $( $(#[$const_meta:meta])* $constant:ident = $value:expr => $text:expr, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        $vis struct $name(pub $repr);

        impl $name {
            $( $(#[$const_meta])* pub const $constant: Self = Self($value); )*

            /// No bit set.
            pub const NONE: Self = Self(0);

            /// Every named bit with its name, in the order of the specification's table.
            pub const NAMED: &'static [(Self, &'static str)] = &[$((Self::$constant, $text)),*];

            /// Whether every bit of `other` is set.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// This set with every bit of `other` set, or cleared.
            #[must_use]
            pub const fn with(self, other: Self, set: bool) -> Self {
                Self(if set { self.0 | other.0 } else { self.0 & !other.0 })
            }

            /// The names of the named bits that are set.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::NAMED.iter().filter(move |(bit, _)| self.contains(*bit)).map(|(_, name)| *name)
            }
        }

        impl $crate::number::Enumeration for $name {
            const TYPE: &'static str = stringify!($name);
            const FLAGS: bool = true;
            const BITS: u32 = <$repr>::BITS;
            const TEXTS: &'static [&'static str] = &[$($text),*];

            fn from_number(number: u32) -> Self {
                $crate::command::layout::Bits::from_bits(number)
            }

            fn number(self) -> u32 {
                $crate::command::layout::Bits::to_bits(self)
            }
        }

        impl crate::command::layout::Field for $name {
            fn put(&self, w: &mut crate::wire::Writer<'_>) {
                crate::command::layout::Field::put(&self.0, w);
            }

            fn get(
                r: &mut crate::wire::Reader<'_>,
                name: &'static str,
            ) -> Result<Self, crate::wire::WireError> {
                crate::command::layout::Field::get(r, name).map(Self)
            }
        }

        impl crate::command::layout::Bits for $name {
            fn to_bits(self) -> u32 {
                crate::command::layout::Bits::to_bits(self.0)
            }

            fn from_bits(bits: u32) -> Self {
                Self(crate::command::layout::Bits::from_bits(bits))
            }
        }

        impl $crate::print::Shown for $name {
            fn value(&self) -> $crate::print::Value {
                let number = $crate::command::layout::Bits::to_bits(self.0);
                $crate::print::Value::flags(number, <$repr>::BITS, self.names())
            }
        }

        impl core::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, rhs: Self) -> Self {
                Self(self.0 | rhs.0)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{:#04x}", self.0)?;
                for (i, name) in self.names().enumerate() {
                    f.write_str(if i == 0 { " (" } else { ", " })?;
                    f.write_str(name)?;
                }
                if self.names().next().is_some() { f.write_str(")") } else { Ok(()) }
            }
        }
    };
}
pub(crate) use protocol_flags;

protocol_number! {
    /// Network function of a request: the even number; its response is one higher (§5.1, table 5-1).
    pub struct NetFn(u8) {
        /// Chassis control and status.
        CHASSIS = 0x00 => "Chassis",
        /// Bridge (ICMB).
        BRIDGE = 0x02 => "Bridge",
        /// Sensors and events.
        SENSOR_EVENT = 0x04 => "Sensor/Event",
        /// Application: device, sessions, users, channels.
        APP = 0x06 => "App",
        /// Firmware transfer.
        FIRMWARE = 0x08 => "Firmware",
        /// Non-volatile storage: SDR, SEL, FRU.
        STORAGE = 0x0a => "Storage",
        /// LAN, serial, SOL.
        TRANSPORT = 0x0c => "Transport",
        /// Group extension: first data byte names the group (PICMG, DCMI, VSO).
        GROUP_EXTENSION = 0x2c => "Group Extension",
        /// OEM by IANA enterprise number in the first three data bytes.
        OEM_GROUP = 0x2e => "OEM Group",
    }
}

impl NetFn {
    /// The network function of the response to this request.
    #[must_use]
    pub const fn response(self) -> Self {
        Self(self.0 | 1)
    }

    /// Whether this is a response's number (odd).
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.0 & 1 == 1
    }
}

protocol_number! {
    /// Generic completion code (§5.2, table 5-2). 80h-BEh are the command's own; see each command.
    pub struct CompletionCode(u8) {
        /// Done.
        OK = 0x00 => "Command completed normally",
        /// The BMC is busy; try again later.
        NODE_BUSY = 0xc0 => "Node busy",
        /// No such command.
        INVALID_COMMAND = 0xc1 => "Invalid command",
        /// Not on this LUN.
        INVALID_FOR_LUN = 0xc2 => "Command invalid for given LUN",
        /// Took too long.
        TIMEOUT = 0xc3 => "Timeout while processing command",
        /// No room.
        OUT_OF_SPACE = 0xc4 => "Out of space",
        /// The reservation was cancelled: reserve again and resume.
        RESERVATION_CANCELLED = 0xc5 => "Reservation cancelled or invalid",
        /// Request shortened on the way.
        REQUEST_TRUNCATED = 0xc6 => "Request data truncated",
        /// Wrong number of data bytes.
        REQUEST_LENGTH_INVALID = 0xc7 => "Request data length invalid",
        /// A field is too long.
        REQUEST_FIELD_LENGTH_EXCEEDED = 0xc8 => "Request data field length limit exceeded",
        /// A parameter is out of range.
        PARAMETER_OUT_OF_RANGE = 0xc9 => "Parameter out of range",
        /// More bytes were asked for than can be returned.
        CANNOT_RETURN_BYTES = 0xca => "Cannot return number of requested data bytes",
        /// No such sensor, record or data.
        NOT_PRESENT = 0xcb => "Requested sensor, data, or record not present",
        /// A field holds an invalid value.
        INVALID_DATA_FIELD = 0xcc => "Invalid data field in request",
        /// Not for this kind of sensor or record.
        ILLEGAL_FOR_TYPE = 0xcd => "Command illegal for specified sensor or record type",
        /// No response can be given.
        NO_RESPONSE = 0xce => "Command response could not be provided",
        /// The same request was executed before.
        DUPLICATE_REQUEST = 0xcf => "Cannot execute duplicated request",
        /// SDR repository is being updated.
        SDR_IN_UPDATE = 0xd0 => "SDR Repository in update mode",
        /// Firmware update.
        FIRMWARE_UPDATE = 0xd1 => "Device in firmware update mode",
        /// The BMC is starting.
        BMC_INITIALIZING = 0xd2 => "BMC initialization in progress",
        /// The destination is not there.
        DESTINATION_UNAVAILABLE = 0xd3 => "Destination unavailable",
        /// The user's privilege is too low.
        INSUFFICIENT_PRIVILEGE = 0xd4 => "Insufficient privilege level",
        /// Not in this state.
        NOT_SUPPORTED_IN_STATE = 0xd5 => "Command or parameter not supported in present state",
        /// Sub-function switched off.
        DISABLED = 0xd6 => "Command sub-function disabled or unavailable",
        /// Anything else.
        UNSPECIFIED = 0xff => "Unspecified error",
    }
}

protocol_number! {
    /// Privilege level (§6.8).
    pub struct PrivilegeLevel(u8) {
        /// Set-up only: call-back sessions.
        CALLBACK = 0x01 => "CALLBACK",
        /// Read.
        USER = 0x02 => "USER",
        /// Read and operate.
        OPERATOR = 0x03 => "OPERATOR",
        /// Everything, configuration included.
        ADMINISTRATOR = 0x04 => "ADMINISTRATOR",
        /// The maker's own.
        OEM = 0x05 => "OEM",
    }
}
