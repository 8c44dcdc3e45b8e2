//! Messages between channels and the system interface (§22.1 to §22.11).

use crate::command::layout::{message, request};
use crate::command::{Bytes, Empty};
use crate::number::{
    ChannelNumber, GlobalEnables, I2cBusType, MessageFlags, MessageTracking, PrivilegeLevel,
    ReceiveState, SsifTransactions, SystemInterfaceType,
};

/// Room for a message that is carried inside another, in bytes.
pub const EMBEDDED_MAX: usize = 232;
/// Room for the bytes of one I²C transfer.
pub const I2C_MAX: usize = 255;

request! {
    /// Switches what the BMC does on the system interface (§22.1).
    pub struct SetBmcGlobalEnables: APP 0x2e "Set BMC Global Enables", repeatable => Empty {
        /// What is to be on.
        pub enables: GlobalEnables,
    }

    /// Takes back what the BMC has told the system interface (§22.3).
    pub struct ClearMessageFlags: APP 0x30 "Clear Message Flags", repeatable => Empty {
        /// What to take back; the receive queue is emptied.
        pub flags: MessageFlags,
    }

    /// Asks what waits on the system interface (§22.4).
    pub struct GetMessageFlags: APP 0x31 "Get Message Flags", repeatable => WaitingMessages {}

    /// Switches whether messages from a channel get into the receive queue (§22.5).
    pub struct EnableMessageChannelReceive: APP 0x32 "Enable Message Channel Receive", repeatable => MessageChannelReceive {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// What to do.
            pub state: ReceiveState [1:0],
        }
    }

    /// Takes a message out of the receive queue (§22.6). Completion code 80h: there is none.
    pub struct GetMessage: APP 0x33 "Get Message", once => ReceivedMessage {}

    /// Sends a message to another channel (§22.7).
    ///
    /// Not repeatable blindly: what the message does is not known here.
    pub struct SendMessage: APP 0x34 "Send Message", once => SentMessage {
        u8 {
            /// What the BMC does with the response.
            pub tracking: MessageTracking [7:6],
            /// The message is encrypted on a channel that can do so.
            pub encrypted: bool [5],
            /// The message is authenticated on a channel that can do so.
            pub authenticated: bool [4],
            /// To which channel.
            pub channel: ChannelNumber [3:0],
        }
        /// The message as the channel's protocol has it, with checksums.
        pub message: Bytes<EMBEDDED_MAX>,
    }

    /// Takes the event out of the event message buffer (§22.8). Completion code 80h: there is none.
    pub struct ReadEventMessageBuffer: APP 0x35 "Read Event Message Buffer", once => BufferedEvent {}

    /// Asks what the BMC's BT interface can do (§22.10).
    pub struct GetBtInterfaceCapabilities: APP 0x36 "Get BT Interface Capabilities", repeatable => BtInterfaceCapabilities {}

    /// Reads and writes a device on an I²C bus of the BMC (§22.11).
    ///
    /// Completion codes 81h: lost arbitration; 82h: bus error; 83h: the device did not acknowledge; 84h: truncated.
    pub struct MasterWriteRead: APP 0x52 "Master Write-Read", once => I2cData {
        u8 {
            /// Channel of the bus.
            pub channel: ChannelNumber [7:4],
            /// Number of the bus.
            pub bus: u8 [3:1],
            /// Whose bus: a private one behind the BMC, or a channel's.
            pub bus_type: I2cBusType [0],
        }
        u8 {
            /// Address of the device; 7 bits.
            pub address: u8 [7:1],
        }
        /// How many bytes to read; 0 for none.
        pub read: u8,
        /// What to write first.
        pub write: Bytes<I2C_MAX>,
    }

    /// Asks what one of the BMC's system interfaces can do (§22.9).
    pub struct GetSystemInterfaceCapabilities: APP 0x57 "Get System Interface Capabilities", repeatable => SystemInterfaceCapabilities {
        u8 {
            /// Which kind.
            pub interface: SystemInterfaceType [3:0],
        }
    }
}

message! {
    /// The answer to [`GetMessageFlags`] (§22.4).
    pub struct WaitingMessages {
        /// What waits.
        pub flags: MessageFlags,
    }

    /// The answer to [`EnableMessageChannelReceive`] (§22.5).
    pub struct MessageChannelReceive {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// Its messages are received.
            pub enabled: bool [0],
        }
    }

    /// The answer to [`GetMessage`] (§22.6).
    pub struct ReceivedMessage {
        u8 {
            /// Privilege level at which the message came.
            pub privilege: PrivilegeLevel [7:4],
            /// From which channel.
            pub channel: ChannelNumber [3:0],
        }
        /// The message as that channel's protocol has it.
        pub message: Bytes<EMBEDDED_MAX>,
    }

    /// The answer to [`SendMessage`] (§22.7).
    ///
    /// Some BMCs put the answer of the addressed controller here instead of bringing it as a message of its own.
    pub struct SentMessage {
        /// Empty, or that answer.
        pub data: Bytes<EMBEDDED_MAX>,
    }

    /// The answer to [`ReadEventMessageBuffer`] (§22.8).
    pub struct BufferedEvent {
        /// The event as a SEL record (§32.1).
        pub record: [u8; 16],
    }

    /// The answer to [`GetBtInterfaceCapabilities`] (§22.10, table 22-13).
    pub struct BtInterfaceCapabilities {
        /// Requests that may be under way at a time, at least 1.
        pub outstanding_max: u8,
        /// Longest request, in bytes.
        pub input_max: u8,
        /// Longest answer, in bytes.
        pub output_max: u8,
        /// Longest time to an answer, in seconds.
        pub response_s: u8,
        /// How often to try.
        pub retries: u8,
    }

    /// The answer to [`MasterWriteRead`] (§22.11).
    pub struct I2cData {
        /// What was read.
        pub data: Bytes<I2C_MAX>,
    }

    /// The answer to [`GetSystemInterfaceCapabilities`] (§22.9, table 22-11).
    pub struct SystemInterfaceCapabilities {
        reserved 1;
        u8 {
            /// SSIF only: how long messages travel.
            pub transactions: SsifTransactions [7:6],
            /// SSIF only: packet error codes.
            pub pec: bool [3],
            /// Version of the interface: 0 is version 1.
            pub version: u8 [2:0],
        }
        /// Longest request, in bytes.
        pub input_max: u8,
        /// SSIF only: longest answer, in bytes.
        pub output_max: Option<u8>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn flags_of_the_system_interface() {
        let enables = GlobalEnables::SYSTEM_EVENT_LOGGING | GlobalEnables::EVENT_BUFFER;
        check::request(&SetBmcGlobalEnables { enables }, &[0x0c], 1);
        let flags = MessageFlags::WATCHDOG;
        check::request(&ClearMessageFlags { flags }, &[8], 1);
        check::request(&GetMessageFlags, &[], 0);
        check::response(&WaitingMessages { flags }, &[8], 1);
        let enable = EnableMessageChannelReceive {
            channel: ChannelNumber(1),
            state: ReceiveState::GET,
        };
        check::request(&enable, &[1, 2], 2);
        let answer = MessageChannelReceive {
            channel: ChannelNumber(1),
            enabled: true,
        };
        check::response(&answer, &[1, 1], 2);
        check::request(&ReadEventMessageBuffer, &[], 0);
        check::response(&BufferedEvent { record: [9; 16] }, &[9; 16], 16);
    }

    #[test]
    fn a_message_that_ipmitool_bridges_to_ipmb_address_72h() {
        let message = Bytes::from([0x72, 0x18, 0x76, 0x20, 0x04, 0x01, 0xdb]);
        let send = SendMessage {
            tracking: MessageTracking::TRACK,
            encrypted: false,
            authenticated: false,
            channel: ChannelNumber::PRIMARY_IPMB,
            message,
        };
        check::request(&send, &[0x40, 0x72, 0x18, 0x76, 0x20, 0x04, 0x01, 0xdb], 1);
        check::response(&SentMessage { data: Bytes::EMPTY }, &[], 0);
        check::request(&GetMessage, &[], 0);
        let received = ReceivedMessage {
            privilege: PrivilegeLevel::ADMINISTRATOR,
            channel: ChannelNumber(7),
            message: Bytes::from([1]),
        };
        check::response(&received, &[0x47, 1], 1);
    }

    #[test]
    fn interfaces_tell_their_sizes() {
        check::request(&GetBtInterfaceCapabilities, &[], 0);
        let bt = BtInterfaceCapabilities {
            outstanding_max: 1,
            input_max: 64,
            output_max: 64,
            response_s: 5,
            retries: 3,
        };
        check::response(&bt, &[1, 64, 64, 5, 3], 5);
        let get = GetSystemInterfaceCapabilities {
            interface: SystemInterfaceType::KCS,
        };
        check::request(&get, &[1], 1);
        let kcs = SystemInterfaceCapabilities {
            transactions: SsifTransactions(0),
            pec: false,
            version: 0,
            input_max: 255,
            output_max: None,
        };
        check::response(&kcs, &[0, 0, 255], 3);
        let ssif = SystemInterfaceCapabilities {
            transactions: SsifTransactions(1),
            pec: true,
            output_max: Some(32),
            ..kcs
        };
        assert_eq!(encoded(&ssif), [0, 0x48, 255, 32]);
    }

    fn encoded(answer: &SystemInterfaceCapabilities) -> [u8; 4] {
        let mut bytes = [0; 4];
        crate::command::Message::encode(answer, &mut crate::wire::Writer::new(&mut bytes));
        bytes
    }

    #[test]
    fn an_i2c_transfer_names_bus_and_device_in_two_bytes() {
        let transfer = MasterWriteRead {
            channel: ChannelNumber(0),
            bus: 3,
            bus_type: I2cBusType::PRIVATE,
            address: 0x50,
            read: 8,
            write: Bytes::from([0x00]),
        };
        check::request(&transfer, &[0x07, 0xa0, 8, 0], 3);
        let data = Bytes::from([1, 2, 3]);
        check::response(&I2cData { data }, &[1, 2, 3], 0);
    }
}
