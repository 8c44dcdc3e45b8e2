//! Numbers of messaging, payloads and command discovery (§21, §22, §24).

use super::{protocol_flags, protocol_number};

protocol_flags! {
    /// What waits on the system interface (§22.3, §22.4).
    pub struct MessageFlags(u8) {
        /// A message is in the receive queue.
        RECEIVE_QUEUE = 0x01 => "receive message available",
        /// The event message buffer is full.
        EVENT_BUFFER = 0x02 => "event message buffer full",
        /// The watchdog's pre-timeout interrupt occurred.
        WATCHDOG = 0x08 => "watchdog pre-timeout interrupt",
        /// Maker's own.
        OEM_0 = 0x20 => "OEM 0",
        /// Maker's own.
        OEM_1 = 0x40 => "OEM 1",
        /// Maker's own.
        OEM_2 = 0x80 => "OEM 2",
    }
}

protocol_number! {
    /// What to do about receiving messages from a channel (§22.5).
    pub struct ReceiveState(u8) {
        /// Switch off.
        DISABLE = 0 => "disable",
        /// Switch on.
        ENABLE = 1 => "enable",
        /// Only ask.
        GET = 2 => "get state",
    }
}

protocol_number! {
    /// What the BMC does with the response to a sent message, 2 bits (§22.7, table 22-9).
    pub struct MessageTracking(u8) {
        /// Nothing: the sender finds it.
        NONE = 0 => "no tracking",
        /// It is brought back to the sender.
        TRACK = 1 => "track request",
        /// The message is sent as it is.
        RAW = 2 => "send raw",
    }
}

protocol_number! {
    /// Kind of system interface, 4 bits (§22.9).
    pub struct SystemInterfaceType(u8) {
        /// SMBus.
        SSIF = 0 => "SSIF",
        /// Keyboard controller style.
        KCS = 1 => "KCS",
        /// Server management interface chip.
        SMIC = 2 => "SMIC",
    }
}

protocol_number! {
    /// Which copy of a channel's settings a change is for, 2 bits (§22.22).
    pub struct AccessUpdate(u8) {
        /// None: leave as it is.
        UNCHANGED = 0 => "do not change",
        /// The one that is loaded at power-up.
        NON_VOLATILE = 1 => "set non-volatile",
        /// The one in use.
        VOLATILE = 2 => "set volatile",
    }
}

protocol_number! {
    /// What to do with a user's password, 2 bits (§22.30).
    pub struct PasswordOperation(u8) {
        /// Bar the user.
        DISABLE = 0 => "disable user",
        /// Let the user in.
        ENABLE = 1 => "enable user",
        /// Set the password.
        SET = 2 => "set password",
        /// Compare with the password.
        TEST = 3 => "test password",
    }
}

protocol_number! {
    /// What to do with a channel's key, 2 bits (§22.25).
    pub struct SecurityKeyOperation(u8) {
        /// Read it.
        READ = 0 => "read key",
        /// Set it.
        SET = 1 => "set key",
        /// Lock it against reading and setting.
        LOCK = 2 => "lock key",
    }
}

protocol_number! {
    /// Which key of a channel (§22.25).
    pub struct SecurityKeyId(u8) {
        /// `K_R`, of the random number generator.
        KR = 0 => "K_R",
        /// `K_G`, the BMC's key for log-ins.
        KG = 1 => "K_G",
    }
}

protocol_number! {
    /// Whether a channel's key can be locked, 2 bits (§22.25).
    pub struct SecurityKeyLock(u8) {
        /// It can't.
        NOT_LOCKABLE = 0 => "not lockable",
        /// It is locked.
        LOCKED = 1 => "locked",
        /// It could be, and isn't.
        UNLOCKED = 2 => "unlocked",
    }
}

protocol_number! {
    /// What to do about a payload's encryption, 5 bits (§24.3).
    pub struct PayloadEncryption(u8) {
        /// Send it in the clear from now on.
        SUSPEND = 0 => "suspend",
        /// Encrypt it again.
        RESUME = 1 => "resume",
        /// Start the cipher anew (xRC4).
        REGENERATE = 2 => "regenerate initialization vector",
    }
}

protocol_number! {
    /// What to do about a user's payloads, 2 bits (§24.6).
    pub struct PayloadAccessOperation(u8) {
        /// Allow those named.
        ENABLE = 0 => "enable",
        /// Forbid those named.
        DISABLE = 1 => "disable",
    }
}

protocol_flags! {
    /// Standard payload types as bits: bit n is type n (§24.6 to §24.8).
    pub struct StandardPayloads(u16) {
        /// IPMI messages.
        IPMI = 0x0001 => "IPMI",
        /// Serial over LAN.
        SOL = 0x0002 => "SOL",
        /// OEM explicit.
        OEM_EXPLICIT = 0x0004 => "OEM explicit",
    }
}

protocol_flags! {
    /// Payload types of session set-up as bits: bit n is type 10h + n (§24.8).
    pub struct SetupPayloads(u16) {
        /// Open Session Request.
        OPEN_SESSION_REQUEST = 0x0001 => "Open Session Request",
        /// Open Session Response.
        OPEN_SESSION_RESPONSE = 0x0002 => "Open Session Response",
        /// RAKP Message 1.
        RAKP_1 = 0x0004 => "RAKP Message 1",
        /// RAKP Message 2.
        RAKP_2 = 0x0008 => "RAKP Message 2",
        /// RAKP Message 3.
        RAKP_3 = 0x0010 => "RAKP Message 3",
        /// RAKP Message 4.
        RAKP_4 = 0x0020 => "RAKP Message 4",
    }
}

protocol_number! {
    /// What a BMC has on one LUN, 2 bits (§21.2).
    pub struct LunSupport(u8) {
        /// No commands.
        NONE = 0 => "no commands",
        /// Commands, none of them restricted.
        UNRESTRICTED = 1 => "commands, unrestricted",
        /// Commands, some of which may be restricted.
        RESTRICTED = 2 => "commands, restricted",
    }
}

protocol_number! {
    /// Which half of the 256 commands a mask is about, 2 bits (§21.3).
    pub struct CommandRange(u8) {
        /// 00h to 7Fh.
        LOW = 0 => "00h-7Fh",
        /// 80h to FFh.
        HIGH = 1 => "80h-FFh",
    }
}

protocol_number! {
    /// First byte of a group extension: who defines it (§5.1, table 5-1).
    pub struct DefiningBody(u8) {
        /// PICMG: `AdvancedTCA`, `AdvancedMC`, `MicroTCA`, HPM.
        PICMG = 0x00 => "PICMG",
        /// DMTF pre-OS working group: ASF.
        ASF = 0x01 => "DMTF ASF",
        /// SSI forum.
        SSI = 0x02 => "SSI Forum",
        /// VITA standards organization.
        VSO = 0x03 => "VITA Standards Organization",
        /// DMTF Redfish host interface.
        REDFISH_HOST_INTERFACE = 0x52 => "Redfish Host Interface",
        /// Arm server base manageability.
        SBMR = 0xae => "Arm SBMR",
        /// DCMI forum.
        DCMI = 0xdc => "DCMI",
    }
}
