//! Numbers of SOL, serial ports and LAN alert destinations (§15, §23 to §26).

use super::{protocol_flags, protocol_number};

protocol_number! {
    /// Parameter of the SOL configuration (§26.3, table 26-5).
    pub struct SolParameter(u8) {
        /// Guards a change of several parameters.
        SET_IN_PROGRESS = 0 => "set in progress",
        /// SOL may be activated.
        ENABLE = 1 => "SOL enable",
        /// Forced protection and least privilege level.
        AUTHENTICATION = 2 => "SOL authentication",
        /// When characters are sent: interval and threshold.
        ACCUMULATE = 3 => "character accumulate interval and send threshold",
        /// How often and after which time a packet is sent again.
        RETRY = 4 => "SOL retry",
        /// Bit rate after power-up.
        NON_VOLATILE_BIT_RATE = 5 => "SOL non-volatile bit rate",
        /// Bit rate now.
        VOLATILE_BIT_RATE = 6 => "SOL volatile bit rate",
        /// Channel of the payload; read-only.
        CHANNEL = 7 => "SOL payload channel",
        /// UDP port of the payload.
        PORT = 8 => "SOL payload port number",
    }
}

protocol_number! {
    /// Bit rate of a serial port, 4 bits (§25.2, table 25-4; §26.3, table 26-5).
    pub struct SerialBitRate(u8) {
        /// As the serial configuration has it.
        AS_CONFIGURED = 0x0 => "as configured",
        /// 9600 bit/s.
        B9600 = 0x6 => "9.6",
        /// 19,200 bit/s.
        B19200 = 0x7 => "19.2",
        /// 38,400 bit/s.
        B38400 = 0x8 => "38.4",
        /// 57,600 bit/s.
        B57600 = 0x9 => "57.6",
        /// 115,200 bit/s.
        B115200 = 0xa => "115.2",
    }
}

protocol_flags! {
    /// What a console asks in a SOL packet, byte 4 (§15.9, table 15-2).
    pub struct SolOperation(u8) {
        /// Drop what the console has sent and the serial port has not taken yet.
        FLUSH_OUTBOUND = 0x01 => "flush outbound",
        /// Drop what the serial port has received and the console has not got yet.
        FLUSH_INBOUND = 0x02 => "flush inbound",
        /// Deassert DCD and DSR.
        DEASSERT_DCD_DSR = 0x04 => "deassert DCD/DSR",
        /// Hold CTS off: the port is to stop.
        PAUSE_CTS = 0x08 => "CTS pause",
        /// Send a break.
        BREAK = 0x10 => "generate break",
        /// Ring.
        RING = 0x20 => "assert ring (WOR)",
        /// The acknowledged packet was not taken, or only in part.
        NACK = 0x40 => "NACK",
    }
}

protocol_flags! {
    /// What a BMC says in a SOL packet, byte 4 (§15.9, table 15-2).
    pub struct SolStatus(u8) {
        /// A break was received.
        BREAK = 0x04 => "break detected",
        /// Characters were lost.
        OVERRUN = 0x08 => "transmit overrun",
        /// SOL ends or has ended.
        DEACTIVATING = 0x10 => "SOL deactivated or deactivating",
        /// Characters are not taken now.
        UNAVAILABLE = 0x20 => "character transfer unavailable",
        /// The acknowledged packet was not taken, or only in part.
        NACK = 0x40 => "NACK",
    }
}

protocol_number! {
    /// Parameter of a serial channel (§25.2, table 25-4).
    pub struct SerialParameter(u8) {
        /// Guards a change of several parameters.
        SET_IN_PROGRESS = 0 => "set in progress",
        /// Authentication types that the channel can; read-only.
        AUTH_TYPE_SUPPORT = 1 => "authentication type support",
        /// Authentication types by privilege level.
        AUTH_TYPE_ENABLES = 2 => "authentication type enables",
        /// Direct or modem; basic, PPP or terminal mode.
        CONNECTION_MODE = 3 => "connection mode",
        /// Idle time that ends a session, in 30 s.
        INACTIVITY_TIMEOUT = 4 => "session inactivity timeout",
        /// How callbacks are made.
        CALLBACK_CONTROL = 5 => "channel callback control",
        /// What ends a session.
        TERMINATION = 6 => "session termination",
        /// Flow control and bit rate.
        COMMUNICATION = 7 => "IPMI messaging communication settings",
        /// When the port goes to the BMC or to the system.
        MUX_SWITCH = 8 => "mux switch control",
        /// Ring duration and dead time.
        MODEM_RING_TIME = 9 => "modem ring time",
        /// Modem initialization string, in blocks.
        MODEM_INIT = 10 => "modem init string",
        /// Modem escape sequence.
        MODEM_ESCAPE = 11 => "modem escape sequence",
        /// Modem hang-up sequence.
        MODEM_HANG_UP = 12 => "modem hang-up sequence",
        /// Modem dial command.
        MODEM_DIAL = 13 => "modem dial command",
        /// Page blackout interval, in minutes.
        PAGE_BLACKOUT = 14 => "page blackout interval",
        /// Community string of traps.
        COMMUNITY_STRING = 15 => "community string",
        /// Number of alert destinations; read-only.
        DESTINATION_COUNT = 16 => "number of alert destinations",
        /// One alert destination.
        DESTINATION_INFO = 17 => "destination info",
        /// Call retry interval, in seconds.
        CALL_RETRY = 18 => "call retry interval",
        /// Serial settings of one destination.
        DESTINATION_COMMUNICATION = 19 => "destination communication settings",
        /// Number of dial strings; read-only.
        DIAL_STRING_COUNT = 20 => "number of dial strings",
        /// One dial string, in blocks.
        DIAL_STRING = 21 => "destination dial strings",
        /// Number of destination IP addresses; read-only.
        IP_COUNT = 22 => "number of alert destination IP addresses",
        /// One destination IP address.
        IP_ADDRESS = 23 => "destination IP addresses",
        /// Number of TAP accounts; read-only.
        TAP_ACCOUNT_COUNT = 24 => "number of TAP accounts",
        /// One TAP account.
        TAP_ACCOUNT = 25 => "TAP account",
        /// One TAP password; write-only.
        TAP_PASSWORDS = 26 => "TAP passwords",
        /// One TAP pager identifier.
        TAP_PAGER_ID = 27 => "TAP pager ID strings",
        /// One set of TAP service settings.
        TAP_SERVICE = 28 => "TAP service settings",
        /// Terminal mode.
        TERMINAL_MODE = 29 => "terminal mode configuration",
        /// PPP protocol options.
        PPP_OPTIONS = 30 => "PPP protocol options",
        /// PPP primary RMCP port.
        PPP_PRIMARY_PORT = 31 => "PPP primary RMCP port",
        /// PPP secondary RMCP port.
        PPP_SECONDARY_PORT = 32 => "PPP secondary RMCP port",
        /// PPP link authentication.
        PPP_LINK_AUTH = 33 => "PPP link authentication",
        /// CHAP name.
        CHAP_NAME = 34 => "CHAP name",
        /// PPP asynchronous control character map.
        PPP_ACCM = 35 => "PPP ACCM",
        /// PPP snoop control character map.
        PPP_SNOOP_ACCM = 36 => "PPP snoop ACCM",
        /// Number of PPP accounts; read-only.
        PPP_ACCOUNT_COUNT = 37 => "number of PPP accounts",
        /// Dial string selector of a PPP account.
        PPP_ACCOUNT_DIAL = 38 => "PPP account dial string selectors",
        /// IP address of a PPP account.
        PPP_ACCOUNT_IP = 39 => "PPP account IP addresses",
        /// User name of a PPP account.
        PPP_ACCOUNT_USER = 40 => "PPP account user names",
        /// Domain of a PPP account.
        PPP_ACCOUNT_DOMAIN = 41 => "PPP account user domain names",
        /// Password of a PPP account; write-only.
        PPP_ACCOUNT_PASSWORD = 42 => "PPP account user passwords",
        /// Authentication of a PPP account.
        PPP_ACCOUNT_AUTH = 43 => "PPP account authentication settings",
        /// Hold time of a PPP account.
        PPP_ACCOUNT_HOLD = 44 => "PPP account connection hold times",
        /// IP addresses of the PPP proxy.
        PPP_PROXY_IP = 45 => "PPP UDP proxy IP header data",
        /// Buffer size of PPP UDP proxy transmission; read-only.
        PPP_PROXY_TRANSMIT = 46 => "PPP UDP proxy transmit buffer size",
        /// Buffer size of PPP UDP proxy reception; read-only.
        PPP_PROXY_RECEIVE = 47 => "PPP UDP proxy receive buffer size",
        /// PPP remote console's IP address.
        PPP_REMOTE_IP = 48 => "PPP remote console IP address",
        /// System phone number, in blocks.
        SYSTEM_PHONE_NUMBER = 49 => "system phone number",
    }
}

protocol_number! {
    /// What Set Serial/Modem Mux does, 4 bits (§25.3).
    pub struct MuxSetting(u8) {
        /// Only asks.
        GET = 0 => "get",
        /// Asks that the port goes to the system.
        REQUEST_SYSTEM = 1 => "request switch to system",
        /// Asks that the port goes to the BMC.
        REQUEST_BMC = 2 => "request switch to BMC",
        /// Switches it to the system.
        FORCE_SYSTEM = 3 => "force switch to system",
        /// Switches it to the BMC.
        FORCE_BMC = 4 => "force switch to BMC",
        /// Refuses requests for the system.
        BLOCK_SYSTEM = 5 => "block requests to system",
        /// Takes requests for the system again.
        ALLOW_SYSTEM = 6 => "allow requests to system",
        /// Refuses requests for the BMC.
        BLOCK_BMC = 7 => "block requests to BMC",
        /// Takes requests for the BMC again.
        ALLOW_BMC = 8 => "allow requests to BMC",
    }
}

protocol_flags! {
    /// Whether the BMC's own ARP activity rests (§23.3).
    pub struct ArpSuspend(u8) {
        /// It sends no gratuitous ARPs.
        GRATUITOUS = 0x01 => "gratuitous ARPs suspended",
        /// It answers no ARP requests.
        RESPONSES = 0x02 => "ARP responses suspended",
    }
}

protocol_number! {
    /// Kind of an alert destination, 3 bits (§23.2, table 23-4).
    pub struct DestinationType(u8) {
        /// Platform event trap.
        PET = 0 => "PET Trap",
        /// Maker's own.
        OEM_1 = 6 => "OEM 1",
        /// Maker's own.
        OEM_2 = 7 => "OEM 2",
    }
}
