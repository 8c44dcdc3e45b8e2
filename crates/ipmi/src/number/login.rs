//! Numbers of what a channel says about logging in, and of sessions (§22.13 to §22.20).

use super::{AuthType, flags, numbers};

flags! {
    /// Authentication types of IPMI 1.5 as bits: bit n is type n (§22.13, table 22-15; §23.2, table 23-4).
    pub struct AuthTypes(u8) {
        NONE_TYPE = 0x01 => "none",
        MD2 = 0x02 => "MD2",
        MD5 = 0x04 => "MD5",
        PASSWORD = 0x10 => "straight password",
        OEM = 0x20 => "OEM",
    }
}

numbers! {
    /// Whether packets after log-in are authenticated one by one, 1 bit (§22.13, table 22-15).
    pub struct PerMessageAuthentication(u8) {
        ENABLED = 0x00 => "enabled",
        DISABLED = 0x01 => "disabled",
    }

    /// Whether commands at level USER are authenticated, 1 bit (§22.13, table 22-15).
    pub struct UserLevelAuthentication(u8) {
        ENABLED = 0x00 => "enabled",
        DISABLED = 0x01 => "disabled",
    }

    /// Whether log-in needs a key of the BMC besides the password, 1 bit (§22.13, table 22-15).
    pub struct KgStatus(u8) {
        ZERO = 0x00 => "all zeros",
        SET = 0x01 => "set",
    }
}

flags! {
    /// Which kinds of users there are, 3 bits (§22.13, table 22-15).
    pub struct AnonymousLogin(u8) {
        ANONYMOUS = 0x01 => "anonymous log-in",
        NULL_NAMES = 0x02 => "null user names",
        NAMED_USERS = 0x04 => "named users",
    }

    /// Which sessions a channel takes, 2 bits (§22.13, table 22-15).
    pub struct ExtendedCapabilities(u8) {
        V1_5 = 0x01 => "IPMI 1.5 sessions",
        V2_0 = 0x02 => "IPMI 2.0 sessions",
    }
}

numbers! {
    /// Which kind of session it is, 4 bits (§22.20, table 22-25).
    pub struct SessionProtocol(u8) {
        V1_5 = 0x00 => "IPMI v1.5",
        V2_0 = 0x01 => "IPMI v2.0/RMCP+",
    }

    /// Bytes of a stored password, 1 bit (§22.30, table 22-35).
    pub struct PasswordSize(u8) {
        BYTES_16 = 0x00 => "16 bytes",
        BYTES_20 = 0x01 => "20 bytes",
    }

    /// What becomes of serial alerts while SOL is active, 2 bits (§24.1, table 24-2).
    pub struct SerialAlertBehavior(u8) {
        FAIL = 0x00 => "fail",
        DEFER = 0x01 => "deferred",
        SUCCEED = 0x02 => "succeed",
    }
}

flags! {
    /// Instances of a payload as bits: bit n is instance n + 1 (§24.4, table 24-6).
    pub struct PayloadInstances(u16) {
        INSTANCE_1 = 0x0001 => "instance 1",
        INSTANCE_2 = 0x0002 => "instance 2",
        INSTANCE_3 = 0x0004 => "instance 3",
        INSTANCE_4 = 0x0008 => "instance 4",
        INSTANCE_5 = 0x0010 => "instance 5",
        INSTANCE_6 = 0x0020 => "instance 6",
        INSTANCE_7 = 0x0040 => "instance 7",
        INSTANCE_8 = 0x0080 => "instance 8",
        INSTANCE_9 = 0x0100 => "instance 9",
        INSTANCE_10 = 0x0200 => "instance 10",
        INSTANCE_11 = 0x0400 => "instance 11",
        INSTANCE_12 = 0x0800 => "instance 12",
        INSTANCE_13 = 0x1000 => "instance 13",
        INSTANCE_14 = 0x2000 => "instance 14",
        INSTANCE_15 = 0x4000 => "instance 15",
        INSTANCE_16 = 0x8000 => "instance 16",
    }

    /// What is switched off on a channel, 3 bits (§22.22, table 22-27; §22.23, table 22-28).
    pub struct ChannelAccessFlags(u8) {
        USER_LEVEL_AUTHENTICATION_OFF = 0x01 => "user-level authentication disabled",
        PER_MESSAGE_AUTHENTICATION_OFF = 0x02 => "per-message authentication disabled",
        PEF_ALERTING_OFF = 0x04 => "PEF alerting disabled",
    }

    /// What a user may do on a channel, 3 bits (§22.26, table 22-31).
    pub struct UserAccessFlags(u8) {
        IPMI_MESSAGING = 0x01 => "IPMI messaging",
        LINK_AUTHENTICATION = 0x02 => "link authentication",
        CALLBACK_ONLY = 0x04 => "callback only",
    }
}

numbers! {
    /// Whose bus Master Write-Read is for, 1 bit (§22.11, table 22-14).
    pub struct I2cBusType(u8) {
        PUBLIC = 0x00 => "public",
        PRIVATE = 0x01 => "private",
    }

    /// How long messages travel over SSIF, 2 bits (§22.9, table 22-12).
    pub struct SsifTransactions(u8) {
        SINGLE = 0x00 => "single-part only",
        START_END = 0x01 => "multi-part, start and end",
        WITH_MIDDLE = 0x02 => "multi-part with middle",
    }

    /// How the text of a system information parameter is written, 4 bits (§22.14a).
    pub struct StringEncoding(u8) {
        LATIN_1 = 0x00 => "ASCII+Latin1",
        UTF_8 = 0x01 => "UTF-8",
        UTF_16 = 0x02 => "UNICODE",
    }

    /// Whether a controller works as usual, 1 bit (§20.1, table 20-2).
    pub struct DeviceAvailability(u8) {
        NORMAL = 0x00 => "normal operation",
        UPDATE_IN_PROGRESS = 0x01 => "update in progress",
    }
}

flags! {
    /// How the watchdog runs, 2 bits (§27.6, table 27-3).
    pub struct WatchdogControl(u8) {
        RUNNING = 0x01 => "running",
        DO_NOT_LOG = 0x02 => "do not log",
    }
}

impl AuthType {
    /// The set of this type alone.
    #[must_use]
    pub const fn bit(self) -> AuthTypes {
        AuthTypes(1 << (self.0 & 7))
    }
}

impl<const N: usize> crate::command::layout::Field for [AuthTypes; N] {
    fn put(&self, w: &mut crate::wire::Writer<'_>) {
        for types in self {
            w.u8(types.0);
        }
    }

    fn get(
        r: &mut crate::wire::Reader<'_>,
        name: &'static str,
    ) -> Result<Self, crate::wire::WireError> {
        r.array(name).map(|bytes| bytes.map(AuthTypes))
    }
}
