//! Every enumeration that the IPMI specifications have, in one table: the type that carries it, and why there is none where
//! there is none.
//!
//! The table is made of the types themselves; `cargo xtask coverage ipmi` prints it. What is not in the specifications'
//! tables of names stands in [`BEYOND`].
//!
//! ```
//! use ipmi::number::catalogue::{ENUMERATIONS, Carrier, read_only_bytes};
//!
//! let there = ENUMERATIONS.iter().filter(|row| !matches!(row.carrier, Carrier::None(_)));
//! assert!(there.count() >= 300);
//! assert!(read_only_bytes() < 100_000);
//! ```

use core::fmt;

use super::*;

/// One enumeration of a specification.
#[derive(Clone, Copy, Debug)]
pub struct EnumerationRow {
    /// What it belongs to.
    pub family: &'static str,
    /// Its number in the list.
    pub number: u16,
    /// What the list calls it.
    pub name: &'static str,
    /// Where it is defined. A table or section alone is one of IPMI 2.0.
    pub reference: &'static str,
    /// What carries it.
    pub carrier: Carrier,
}

/// What carries an enumeration.
#[derive(Clone, Copy, Debug)]
pub enum Carrier {
    /// A number or set of flags with named constants.
    Number(Facts),
    /// A type of another shape, by its path: what is decoded is more than a number.
    Type(&'static str),
    /// Nothing; why.
    None(&'static str),
}

/// What is known of a number or set of flags.
#[derive(Clone, Copy)]
pub struct Facts {
    /// Name of the type.
    pub name: &'static str,
    /// A set of bits, not one of several values.
    pub flags: bool,
    /// Bits of the number.
    pub bits: u32,
    /// The names of its values.
    pub texts: &'static [&'static str],
    /// Prints the value of a number.
    pub print: fn(u32, &mut fmt::Formatter<'_>) -> fmt::Result,
    /// The number of the value of a number.
    pub round_trip: fn(u32) -> u32,
}

impl Facts {
    /// Those of a type.
    #[must_use]
    pub const fn of<T: Enumeration>() -> Self {
        Self {
            name: T::TYPE,
            flags: T::FLAGS,
            bits: T::BITS,
            texts: T::TEXTS,
            print: |number, f| write!(f, "{:?}", T::from_number(number)),
            round_trip: |number| T::from_number(number).number(),
        }
    }

    /// Bytes that the names take, and a reference to each in the table that a lookup reads: what a program holds of the type
    /// at most.
    #[must_use]
    pub fn read_only_bytes(&self) -> usize {
        let texts: usize = self.texts.iter().map(|text| text.len()).sum();
        texts + size_of_val(self.texts)
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Every type once: those of [`ENUMERATIONS`], then [`BEYOND`].
pub fn types() -> impl Iterator<Item = &'static Facts> {
    let rows = ENUMERATIONS.iter().enumerate().filter_map(|(i, row)| {
        let Carrier::Number(facts) = &row.carrier else {
            return None;
        };
        // Two rows may have one type.
        let first = ENUMERATIONS[..i].iter().all(|earlier| {
            !matches!(&earlier.carrier, Carrier::Number(other) if other.name == facts.name)
        });
        first.then_some(facts)
    });
    rows.chain(BEYOND)
}

/// Bytes of read-only data of all types: names and the tables of references to them.
#[must_use]
pub fn read_only_bytes() -> usize {
    types().map(Facts::read_only_bytes).sum()
}

macro_rules! rows {
    ($($family:literal { $($number:literal $name:literal, $reference:literal
        $(= $type:ty)? $(as $path:ty)? $(: $why:literal)?;)* })*) => {
        /// Every enumeration, by family.
        pub static ENUMERATIONS: &[EnumerationRow] = &[$($(
            EnumerationRow {
                family: $family,
                number: $number,
                name: $name,
                reference: $reference,
                carrier: $(Carrier::Number(Facts::of::<$type>()))?
                    $({
                        const _: usize = size_of::<$path>();
                        Carrier::Type(stringify!($path))
                    })?
                    $(Carrier::None($why))?,
            },
        )*)*];
    };
}

rows! {
"RMCP, ASF, session" {
    1 "RmcpVersion", "§13.1" = RmcpVersion;
    2 "RmcpMessageClass", "§13.1" = RmcpMessageClass;
    3 "RmcpMessageRole", "§13.1" = RmcpMessageRole;
    4 "AsfMessageType", "ASF §3.2.4" = AsfMessageType;
    5 "AsfPongEntities", "ASF §3.2.4.3" = AsfEntities;
    6 "AsfPongInteractions", "DCMI 6-13" = AsfInteractions;
    7 "RmcpPort", "§13.1.2" = RmcpPort;
    8 "SessionAuthFormat", "table 13-8" = AuthType;
    9 "AuthenticationType", "table 22-15" = AuthType;
    10 "PayloadType", "table 13-16" = PayloadType;
    11 "RmcpPlusStatus", "table 13-15" = RakpStatus;
    12 "AuthenticationAlgorithm", "table 13-17" = AuthAlgorithm;
    13 "IntegrityAlgorithm", "table 13-18" = IntegrityAlgorithm;
    14 "ConfidentialityAlgorithm", "table 13-19" = ConfidentialityAlgorithm;
    15 "OpenSessionPayloadKind", "table 13-9" = ProposalKind;
    16 "RequestedMaxPrivilege", "table 13-9" = RequestedPrivilege;
    17 "PrivilegeLookupMode", "table 13-11" = UserLookup;
    18 "CipherSuiteId", "table 22-19" = CipherSuiteId;
    19 "CipherSuiteRecordTag", "table 22-18" = CipherRecordTag;
    20 "CipherListMode", "table 22-17" = CipherListMode;
    21 "KeyMaterialConstant", "§13.32" = KeyConstant;
    22 "PrivilegeLevel", "table 6-5" = PrivilegeLevel;
    23 "PerMessageAuthStatus", "table 22-15" = PerMessageAuthentication;
    24 "UserLevelAuthStatus", "table 22-15" = UserLevelAuthentication;
    25 "KgStatus", "table 22-15" = KgStatus;
    26 "AnonymousLoginStatus", "table 22-15" = AnonymousLogin;
    27 "ExtendedAuthCapabilities", "table 22-15" = ExtendedCapabilities;
    28 "SessionSelector", "table 22-25" as crate::command::app::SessionSelector;
    29 "SessionProtocol", "table 22-25" = SessionProtocol;
    30 "SessionState", "RMCP+" as crate::console::State;
    31 "CloseSessionTarget", "table 22-24" as crate::command::app::CloseSession;
}
"Network functions, addressing, completion codes" {
    32 "NetFn", "table 5-1" = NetFn;
    33 "DefiningBody", "table 5-1" = DefiningBody;
    34 "CompletionCode", "table 5-2" = CompletionCode;
    35 "CommandCompletionCode", "each command" = ParameterCompletion;
    36 "DcmiCompletionCode", "DCMI 8-1" = DcmiCompletion;
    37 "SoftwareId", "table 5-4" = SoftwareId;
    38 "Lun", "table 7-1" as Lun;
    39 "IpmbAddress", "§6.1" as IpmbAddress;
    40 "I2cBusType", "table 22-14" = I2cBusType;
    41 "ChannelNumber", "table 6-1" = ChannelNumber;
    42 "ChannelProtocol", "table 6-2" = ChannelProtocol;
    43 "ChannelMedium", "table 6-3" = ChannelMedium;
    44 "ChannelAccessMode", "table 6-4" = ChannelAccessMode;
    45 "SessionSupport", "table 22-29" = SessionSupport;
    46 "ChannelAccessFlags", "table 22-28" = ChannelAccessFlags;
    47 "ChannelAccessUpdate", "table 22-27" = AccessUpdate;
    48 "AccessCopy", "table 22-28" as crate::command::app::SettingsCopy;
    49 "MessageTracking", "table 22-9" = MessageTracking;
    50 "MessageFlags", "table 22-5" = MessageFlags;
    51 "BmcGlobalEnables", "table 22-2" = GlobalEnables;
    52 "ChannelReceiveState", "table 22-6" = ReceiveState;
    53 "SystemInterfaceType", "table 22-12" = SystemInterfaceType;
    54 "SsifTransactionSupport", "table 22-12" = SsifTransactions;
    55 "BtInterfaceCapabilities", "table 22-13" as crate::command::app::BtInterfaceCapabilities;
    56 "UserIdEnableStatus", "table 22-32" = UserEnableStatus;
    57 "UserAccessFlags", "table 22-31" = UserAccessFlags;
    58 "PasswordOperation", "table 22-35" = PasswordOperation;
    59 "PasswordSize", "table 22-35" = PasswordSize;
    60 "SecurityKeyId", "table 22-30" = SecurityKeyId;
    61 "SecurityKeyOperation", "table 22-30" = SecurityKeyOperation;
    62 "SystemInfoParam", "§22.14a" = SystemInfoParameter;
    63 "StringEncoding", "§22.14a" = StringEncoding;
    64 "GuidFormat", "table 20-10" as crate::command::app::GuidFormat;
    65 "PayloadActivationOutcome", "table 24-2" = PayloadCompletion;
    66 "SolActivationAux", "table 24-2" = SerialAlertBehavior;
    67 "PayloadInstanceStatus", "table 24-6" = PayloadInstances;
    68 "PayloadSupport", "table 24-11" = StandardPayloads;
    69 "PayloadEncryptionOperation", "table 24-5" = PayloadEncryption;
    70 "UserPayloadAccessOperation", "table 24-8" = PayloadAccessOperation;
    71 "EnterpriseNumber", "table 20-2" = EnterpriseNumber;
}
"Device global, firewall, watchdog" {
    72 "DeviceAvailability", "table 20-2" = DeviceAvailability;
    73 "AdditionalDeviceSupport", "table 20-2" = DeviceSupport;
    74 "IpmiVersion", "table 20-2" as crate::command::app::IpmiVersion;
    75 "SelfTestResult", "table 20-5" = SelfTestResult;
    76 "SelfTestFault", "table 20-5" = SelfTestFaults;
    77 "AcpiSystemPowerState", "table 20-7" = AcpiSystemPowerState;
    78 "AcpiDevicePowerState", "table 20-7" = AcpiDevicePowerState;
    79 "ManufacturingTestState", "table 20-6" : "the command carries only the maker's own bytes";
    80 "LunSupport", "§21.2" = LunSupport;
    81 "CommandMaskHalf", "§21.3" = CommandRange;
    82 "OemNetFnSelector", "table 21-10" : "a plain index into a list, not an enumeration";
    83 "WatchdogTimerUse", "table 27-3" = WatchdogUse;
    84 "WatchdogAction", "table 27-3" = WatchdogAction;
    85 "WatchdogPreTimeoutInterrupt", "table 27-3" = PreTimeoutInterrupt;
    86 "WatchdogExpirationFlags", "table 27-3" = WatchdogExpirations;
    87 "WatchdogControl", "table 27-3" = WatchdogControl;
}
"Chassis and boot" {
    88 "ChassisCapabilities", "table 28-2" = ChassisCapabilities;
    89 "PowerRestorePolicy", "table 28-3" = PowerRestorePolicy;
    90 "CurrentPowerState", "table 28-3" = PowerState;
    91 "LastPowerEvent", "table 28-3" = LastPowerEvent;
    92 "MiscChassisState", "table 28-3" = ChassisState;
    93 "ChassisIdentifyState", "table 28-3" = IdentifyState;
    94 "FrontPanelButtons", "table 28-3" = FrontPanelButtons;
    95 "ChassisControl", "table 28-4" = ChassisControlAction;
    96 "ChassisIdentifyForce", "table 28-6" as crate::command::chassis::ChassisIdentify;
    97 "PowerRestorePolicySet", "table 28-9" as crate::command::chassis::PowerRestorePolicySupport;
    98 "RestartCause", "table 28-11" = RestartCause;
    99 "BootOptionParam", "table 28-14" = BootOptionParameter;
    100 "BootDevice", "table 28-14" = BootDevice;
    101 "BootType", "table 28-14" = BootType;
    102 "BootPersistence", "table 28-14" = BootPersistence;
    103 "BiosVerbosity", "table 28-14" = BiosVerbosity;
    104 "ConsoleRedirection", "table 28-14" = ConsoleRedirection;
    105 "BiosMuxOverride", "table 28-14" = BiosMuxOverride;
    106 "BootLocks", "table 28-14" = BootOverrides;
    107 "BootInfoAckParty", "table 28-14" = BootParties;
    108 "BootFlagValidClear", "table 28-14" = BootFlagKeep;
    109 "ServicePartitionScan", "table 28-14" = ServicePartitionScan;
    110 "SetInProgress", "table 23-4" = SetInProgress;
}
"Events and sensor types" {
    111 "EventMessageRevision", "table 29-5" = EventMessageRevision;
    112 "EventDirection", "table 29-5" as crate::record::sel::EventDirection;
    113 "EventData2Kind", "table 29-6" as crate::record::sel::EventByte2;
    114 "EventData3Kind", "table 29-6" as crate::record::sel::EventByte3;
    115 "EventReadingType", "table 42-1" = EventReadingType;
    116 "ThresholdEvent", "table 42-2" = ThresholdState;
    117 "UsageEvent", "table 42-2" = UsageState;
    118 "DiscreteStateEvent", "table 42-2" = DigitalState;
    119 "PredictiveFailureEvent", "table 42-2" = PredictiveFailureState;
    120 "LimitEvent", "table 42-2" = LimitState;
    121 "PerformanceEvent", "table 42-2" = PerformanceState;
    122 "SeverityEvent", "table 42-2" = SeverityState;
    123 "PresenceEvent", "table 42-2" = PresenceState;
    124 "EnablementEvent", "table 42-2" = EnablementState;
    125 "AvailabilityEvent", "table 42-2" = AvailabilityState;
    126 "RedundancyEvent", "table 42-2" = RedundancyState;
    127 "AcpiDeviceStateEvent", "table 42-2" = DevicePowerState;
    128 "SensorType", "table 42-3" = SensorType;
    129 "PhysicalSecurityOffset", "table 42-3" = PhysicalSecurityOffset;
    130 "PlatformSecurityOffset", "table 42-3" = PlatformSecurityOffset;
    131 "ProcessorOffset", "table 42-3" = ProcessorOffset;
    132 "PowerSupplyOffset", "table 42-3" = PowerSupplyOffset;
    133 "PowerSupplyConfigError", "table 42-3" = PowerSupplyConfiguration;
    134 "PowerUnitOffset", "table 42-3" = PowerUnitOffset;
    135 "MemoryOffset", "table 42-3" = MemoryOffset;
    136 "DriveSlotOffset", "table 42-3" = DriveSlotOffset;
    137 "FirmwareProgressOffset", "table 42-3" = FirmwareProgressOffset;
    138 "FirmwareErrorCode", "table 42-3" = FirmwareErrorCode;
    139 "FirmwareProgressCode", "table 42-3" = FirmwareProgressCode;
    140 "EventLoggingDisabledOffset", "table 42-3" = EventLoggingOffset;
    141 "Watchdog1Offset", "table 42-3" = Watchdog1Offset;
    142 "SystemEventOffset", "table 42-3" = SystemOffset;
    143 "AuxiliaryLogAction", "table 42-3" = AuxiliaryLogAction;
    144 "AuxiliaryLogType", "table 42-3" = AuxiliaryLogType;
    145 "PefActionEvent", "table 42-3" = PefActions;
    146 "ClockSync", "table 42-3" = ClockSync;
    147 "CriticalInterruptOffset", "table 42-3" = CriticalInterruptOffset;
    148 "ButtonOffset", "table 42-3" = ButtonOffset;
    149 "ChipSetOffset", "table 42-3" = ChipSetOffset;
    150 "CableOffset", "table 42-3" = CableOffset;
    151 "BootInitiatedOffset", "table 42-3" = BootInitiatedOffset;
    152 "BootErrorOffset", "table 42-3" = BootErrorOffset;
    153 "OsBootOffset", "table 42-3" = OsBootOffset;
    154 "OsStopOffset", "table 42-3" = OsStopOffset;
    155 "SlotConnectorOffset", "table 42-3" = SlotOffset;
    156 "SlotType", "table 42-3" = SlotType;
    157 "AcpiPowerStateOffset", "table 42-3" = SystemPowerOffset;
    158 "Watchdog2Offset", "table 42-3" = Watchdog2Offset;
    159 "Watchdog2Interrupt", "table 42-3" = WatchdogInterrupt;
    160 "Watchdog2TimerUse", "table 42-3" = WatchdogTimerUse;
    161 "PlatformAlertOffset", "table 42-3" = PlatformAlertOffset;
    162 "EntityPresenceOffset", "table 42-3" = EntityPresenceOffset;
    163 "LanOffset", "table 42-3" = LanOffset;
    164 "ManagementHealthOffset", "table 42-3" = ManagementHealthOffset;
    165 "BatteryOffset", "table 42-3" = BatteryOffset;
    166 "SessionAuditOffset", "table 42-3" = SessionAuditOffset;
    167 "SessionDeactivationCause", "table 42-3" = SessionEndCause;
    168 "VersionChangeOffset", "table 42-3" = VersionChangeOffset;
    169 "VersionChangeType", "table 42-3" = VersionChangeKind;
    170 "FruStateOffset", "table 42-3" = FruStateOffset;
    171 "FruStateCause", "table 42-3" = FruStateCause;
}
"PEF, alerts, PET" {
    172 "PefAction", "table 17-1" = PefActions;
    173 "PefControl", "table 30-6" = PefControl;
    174 "PefConfigParam", "table 30-6" = PefParameter;
    175 "EventFilterType", "table 17-2" = EventFilterType;
    176 "EventSeverity", "table 17-2" = EventSeverity;
    177 "EventDataCompare", "table 17-3" as crate::command::event::DataFilter;
    178 "AlertPolicyRule", "table 17-4" = AlertPolicyRule;
    179 "AlertDestinationPriority", "table 17-5" : "an order of destinations, not numbers of its own";
    180 "AlertImmediateOperation", "table 30-9" = AlertOperation;
    181 "AlertImmediateStatus", "table 30-9" = AlertStatus;
    182 "PetSourceType", "table 17-7" = PetSourceType;
    183 "PetEventSeverity", "table 17-7" = EventSeverity;
    184 "PetOemFieldType", "table 17-8" : "only inside SNMP traps, which the library neither sends nor reads";
}
"SEL, SDR, sensors" {
    185 "SelRecordType", "table 32-1" = SelRecordType;
    186 "SelOperationSupport", "table 31-2" as crate::command::storage::SelOperations;
    187 "SelEraseAction", "table 31-9" = EraseAction;
    188 "SelEraseProgress", "table 31-9" = EraseProgress;
    189 "TimestampClass", "§37" as crate::record::TimestampClass;
    190 "AuxLogType", "table 31-12" = AuxiliaryLogType;
    191 "GeneratorKind", "table 32-1" as crate::record::sdr::Owner;
    192 "SdrRecordType", "table 43-1..43-11" = crate::record::sdr::SdrRecordType;
    193 "SdrUpdateMode", "table 33-3" = SdrUpdateMode;
    194 "InitializationAgentRequest", "table 33-15" = InitializationRequest;
    195 "SensorInitFlags", "table 43-1" = SensorInitialization;
    196 "SensorCapabilities", "table 43-1" as crate::record::sdr::SensorCapabilities;
    197 "HysteresisAccess", "table 43-1" as crate::record::sdr::Access;
    198 "ThresholdAccess", "table 43-1" as crate::record::sdr::Access;
    199 "EventMessageControl", "table 43-1" = EventMessageControl;
    200 "AnalogFormat", "table 43-1" as crate::record::AnalogFormat;
    201 "RateUnit", "table 43-1" = RateUnit;
    202 "ModifierRelation", "table 43-1" as crate::record::sdr::UnitRelation;
    203 "SensorUnit", "table 43-15" = SensorUnit;
    204 "Linearization", "table 43-1" = Linearization;
    205 "SensorDirection", "table 43-1" as crate::record::sdr::Direction;
    206 "AnalogCharacteristicFlags", "table 43-1" = AnalogCharacteristics;
    207 "IdStringInstanceModifier", "table 43-2" = InstanceModifier;
    208 "SharedEntityInstance", "table 43-2" = SharedInstance;
    209 "SensorOwnerKind", "table 43-1" as crate::record::sdr::Owner;
    210 "EntityId", "table 43-13" = EntityId;
    211 "EntityInstanceKind", "table 39-1" as crate::record::sdr::Entity;
    212 "EntityKind", "table 43-1" = EntityKind;
    213 "EntityAssociationKind", "table 43-4" = AssociationFlags;
    214 "DeviceType", "table 43-12" = DeviceType;
    215 "DeviceTypeModifier", "table 43-12" = FruDeviceModifier;
    216 "TypeLengthCode", "§43.15" as crate::record::TextType;
    217 "McCapabilities", "table 43-8" = DeviceSupport;
    218 "McPowerNotification", "table 43-8" = McNotification;
    219 "FruDeviceAccess", "table 43-7" as FruAddress;
    220 "MessageChannelInfo", "table 43-10" as crate::record::sdr::MessageChannelInfo;
    221 "ThresholdKind", "table 35-9" as Threshold;
    222 "ThresholdStatus", "table 35-15" = ThresholdSet;
    223 "ReadingFlags", "table 35-15" = ReadingFlags;
    224 "EventEnableAction", "table 35-10" as crate::command::sensor::EventEnableAction;
    225 "RearmScope", "table 35-12" = RearmScope;
    226 "SetReadingOperation", "§35.17" = StatusOperation;
}
"FRU" {
    227 "FruAreaType", "FRU 8-1" as crate::record::fru::FruPart;
    228 "FruAccessMode", "table 34-2" = FruAccessMode;
    229 "ChassisType", "FRU 10-1" = ChassisType;
    230 "LanguageCode", "FRU 15-1" = Language;
    231 "MultiRecordType", "FRU 16-2" = MultiRecordType;
    232 "ManagementAccessSubType", "FRU 18-6" = ManagementAccessType;
    233 "PowerSupplyFlags", "FRU 18-1" = PowerSupplyFlags;
    234 "CombinedVoltage", "FRU 18-1" = CombinedVoltage;
    235 "DcOutputStandby", "FRU 18-3" = CurrentUnit;
    236 "NvmeRecordType", "FRU 16-2" = MultiRecordType;
}
"LAN, SOL, serial" {
    237 "LanParam", "table 23-4" = LanParameter;
    238 "IpSource", "table 23-4" = IpSource;
    239 "AuthTypeEnables", "table 23-4" = AuthTypes;
    240 "ArpControl", "table 23-4" = ArpControl;
    241 "AlertDestinationType", "table 23-4" = DestinationType;
    242 "DestinationAddressFormat", "table 23-4" = AddressFormat;
    243 "CipherSuitePrivilege", "table 23-4" = PrivilegeLevel;
    244 "Ipv6Support", "table 23-4" = Ipv6Support;
    245 "Ipv6Enables", "table 23-4" = Ipv6Enables;
    246 "Ipv6StaticSource", "table 23-4" = Ipv6StaticSource;
    247 "Ipv6DynamicSource", "table 23-4" = Ipv6DynamicSource;
    248 "Ipv6AddressStatus", "table 23-4" = Ipv6AddressStatus;
    249 "Dhcpv6TimingMode", "table 23-4" = Dhcpv6TimingSupport;
    250 "SlaacTimingMode", "table 23-4" = SlaacTimingSupport;
    251 "Ipv6RouterControl", "table 23-4" = Ipv6RouterControl;
    252 "ArpSuspend", "table 23-5" = ArpSuspend;
    253 "SolParam", "table 26-5" = SolParameter;
    254 "SolBitRate", "table 26-5" = SerialBitRate;
    255 "SolConsoleOperation", "table 15-2" = SolOperation;
    256 "SolBmcStatus", "table 15-2" = SolStatus;
    257 "SerialParam", "table 25-4" = SerialParameter;
    258 "SerialConnectionMode", "table 25-4" = SerialConnectionMode;
    259 "SerialMux", "table 25-5" = MuxSetting;
    260 "SerialFlowControl", "table 25-4" = SerialFlowControl;
    261 "SerialBitRate", "table 25-4" = SerialBitRate;
    262 "TapServiceType", "table 25-4" : "paging has died out; its settings are carried as bytes";
    263 "CallbackOption", "table 25-13" as crate::command::transport::CallbackOptions;
    264 "PppLinkAuthentication", "table 25-4" : "PPP has died out; its settings are carried as bytes";
    265 "TerminalModeConfig", "table 25-4" : "terminal mode is not spoken over LAN; its settings are carried as bytes";
    266 "TerminalModeCommand", "§25" : "terminal mode is not spoken over LAN";
    267 "ModemRingMode", "table 25-4" : "modems have died out; their settings are carried as bytes";
}
"DCMI 1.5" {
    268 "DcmiCapabilityParam", "DCMI 6-3" = DcmiCapabilityParameter;
    269 "DcmiConfigParam", "DCMI 6-6" = DcmiParameter;
    270 "DcmiDiscoveryMode", "DCMI 6-7" = DcmiDiscovery;
    271 "PowerStatisticsMode", "DCMI 6-16" = PowerStatisticsMode;
    272 "RollingAverageUnit", "DCMI 6-3" = RollingAverageUnit;
    273 "PowerReadingState", "DCMI 6-16" = PowerMeasurement;
    274 "DcmiExceptionAction", "DCMI 6-17" = PowerExceptionAction;
    275 "PowerLimitActivation", "DCMI 6-19" = PowerLimitActivation;
    276 "ThermalExceptionAction", "DCMI 6-20" = ThermalExceptionActions;
    277 "DcmiEntityId", "DCMI 6-14" = DcmiEntity;
}
"PICMG 3.0, AMC.0, MicroTCA" {
    278 "PicmgExtensionVersion", "PICMG 3.0" = PicmgExtension;
    279 "PicmgSiteType", "PICMG 3.0" = PicmgSiteType;
    280 "FruControl", "PICMG 3.0" = FruControlAction;
    281 "FruControlCapabilities", "PICMG 3.0" = FruControlSupport;
    282 "FruLedId", "PICMG 3.0" = FruLedId;
    283 "FruLedFunction", "PICMG 3.0" = FruLedFunction;
    284 "FruLedColor", "PICMG 3.0" = LedColor;
    285 "FruLedState", "PICMG 3.0" = LampState;
    286 "HotSwapState", "PICMG 3.0" = HotSwapState;
    287 "HotSwapCause", "PICMG 3.0" = HotSwapCause;
    288 "HandlePosition", "PICMG 3.0" = ModuleHotSwapState;
    289 "FruActivation", "PICMG 3.0" = FruActivation;
    290 "ActivationPolicyBits", "PICMG 3.0" = ActivationPolicy;
    291 "PowerLevelType", "PICMG 3.0" = PowerLevelType;
    292 "FanLevelSpecial", "PICMG 3.0" = FanLevelSetting;
    293 "FanPolicy", "PICMG 3.0" : "its commands have no bytes that two sources agree on";
    294 "IpmbOverride", "PICMG 3.0" = Ipmb0Override;
    295 "Ipmb0LinkState", "PICMG 3.0" = Ipmb0LinkStatus;
    296 "LinkInterface", "PICMG 3-44" = LinkInterface;
    297 "LinkType", "PICMG 3-44" = LinkType;
    298 "LinkTypeExtension", "PICMG 3-44" = EthernetLinkExtension;
    299 "LinkSignalingClass", "PICMG 3.0" = LinkSignalingClass;
    300 "PortState", "PICMG 3.0" = PortState;
    301 "AmcLinkType", "AMC 3-16" = AmcLinkType;
    302 "ClockResourceType", "AMC 3-29" = ClockResourceType;
    303 "ClockFeature", "AMC 3-35" = ClockFamily;
    304 "TelcoAlarmSeverity", "PICMG 3.0" = AlarmSeverity;
    305 "AddressKeyType", "PICMG 3.0" = AddressKeyType;
    306 "BusedResource", "PICMG 3.0" = BusedResource;
    307 "PicmgFruRecordId", "PICMG 3.0" = PicmgRecordType;
}
"HPM.1 and VITA 46.11" {
    308 "HpmCapabilities", "HPM.1" = HpmCapabilities;
    309 "HpmUpgradeAction", "HPM.1" = HpmAction;
    310 "HpmComponentProperty", "HPM.1" = HpmProperty;
    311 "HpmUpgradeStatus", "HPM.1" as crate::command::picmg::hpm::UpgradeStatus;
    312 "HpmSelfTestResult", "HPM.1" = SelfTestResult;
    313 "HpmRollbackStatus", "HPM.1" = HpmRollback;
    314 "HpmImageActionType", "HPM.1 §4" : "images are read by the program that uploads them";
    315 "HpmLongCommandState", "HPM.1" = HpmCompletion;
    316 "VitaSiteType", "VITA 46.11" = VitaSiteType;
    317 "VitaFruControl", "VITA 46.11" = VitaFruControlAction;
    318 "VitaStatePolicyBits", "VITA 46.11" = VitaPolicy;
    319 "VitaPayloadMode", "VITA 46.11" : "the specification leaves the modes to the module";
    320 "VitaMandatorySensor", "VITA 46.11" as crate::command::vita::VitaMandatorySensors;
}
}

macro_rules! beyond {
    ($($type:ty)*) => {
        /// Types that the list of the specifications' enumerations has no row for.
        pub static BEYOND: &[Facts] = &[$(Facts::of::<$type>()),*];
    };
}

beyond! {
    AlertCompletion
    DellFanMode
    DellLcdMode
    NmDomain
    NmPolicyExceptions
    NmStatisticsMode
    NmSwitch
    NmTrigger
    SupermicroFanMode
    BusedResourceAction
    BusedResourceOutcome
    ChipSetPowerState
    ClockDirection
    ClockKind
    ClockPll
    LedColors
    MessageCompletion
    PasswordCompletion
    PicmgHotSwapState
    PicmgIpmbLinkState
    PicmgSensorType
    PowerChannelState
    RecordCompletion
    SecurityKeyLock
    SelCompletion
    SerialConnectionState
    SessionCompletion
    SetupPayloads
    TelcoAlarmState
    UploadProgress
    VitaFruControlSupport
    VitaFruState
    VitaIpmbLinkState
    VitaSensorType
    WatchdogCompletion
}
