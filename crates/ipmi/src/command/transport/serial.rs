//! Serial and modem channels (§25): configuration, multiplexer, paging, PPP proxy, callback.

use crate::command::layout::{message, request};
use crate::command::{Bytes, Empty};
use crate::number::{ChannelNumber, MuxSetting, SerialConnectionState, SerialParameter};

/// Room for the data of one parameter.
pub const SERIAL_PARAMETER_MAX: usize = 64;
/// Bytes of a block of the PPP proxy's buffers.
pub const PPP_BLOCK: usize = 16;

request! {
    /// Sets one parameter of a serial channel (§25.1).
    ///
    /// Completion codes 80h: no such parameter; 81h: another party has a set in progress; 82h: read-only; 83h: write-only.
    pub struct SetSerialConfiguration: TRANSPORT 0x10 "Set Serial/Modem Configuration", repeatable => Empty {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// Which parameter.
        pub parameter: SerialParameter,
        /// Its data.
        pub data: Bytes<SERIAL_PARAMETER_MAX>,
    }

    /// Asks for one parameter of a serial channel (§25.2). Completion code 80h: no such parameter.
    pub struct GetSerialConfiguration: TRANSPORT 0x11 "Get Serial/Modem Configuration", repeatable => SerialConfiguration {
        u8 {
            /// Asks for the revision only.
            pub revision_only: bool [7],
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// Which parameter.
        pub parameter: SerialParameter,
        /// Set selector; 0 where the parameter has none.
        pub set: u8,
        /// Block selector; 0 where the parameter has none.
        pub block: u8,
    }

    /// Connects the serial connector to the system or to the BMC (§25.3).
    pub struct SetSerialMux: TRANSPORT 0x12 "Set Serial/Modem Mux", repeatable => SerialMux {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// What to do.
            pub setting: MuxSetting [3:0],
        }
    }

    /// Asks for the last answers of a pager service (§25.4).
    pub struct GetTapResponseCodes: TRANSPORT 0x13 "Get TAP Response Codes", repeatable => TapResponseCodes {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
    }

    /// Fills a block of the PPP proxy's transmit buffer (§25.5).
    pub struct SetPppTransmitData: TRANSPORT 0x14 "Set PPP UDP Proxy Transmit Data", repeatable => Empty {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// Block, from 1.
        pub block: u8,
        /// At most 16 bytes.
        pub data: Bytes<PPP_BLOCK>,
    }

    /// Asks for a block of that buffer (§25.6).
    pub struct GetPppTransmitData: TRANSPORT 0x15 "Get PPP UDP Proxy Transmit Data", repeatable => PppBlock {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// Block, from 1.
        pub block: u8,
    }

    /// Sends what is in that buffer (§25.7). Completion codes 80h: the link is down; 81h: IP is down.
    pub struct SendPppPacket: TRANSPORT 0x16 "Send PPP UDP Proxy Packet", once => Empty {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// From which UDP port.
        pub source_port: u16,
        /// To which UDP port.
        pub destination_port: u16,
        /// From which IP address; zeros for the channel's own.
        pub source: [u8; 4],
        /// To which IP address.
        pub destination: [u8; 4],
        /// How many bytes.
        pub count: u16,
    }

    /// Asks for a block of the PPP proxy's receive buffer, or for its length (§25.8).
    pub struct GetPppReceiveData: TRANSPORT 0x17 "Get PPP UDP Proxy Receive Data", repeatable => PppBlock {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// The buffer is emptied after the answer.
            pub clear: bool [7],
            /// Block, from 1; 0 asks for the length, in two bytes.
            pub block: u8 [6:0],
        }
    }

    /// Sent by the BMC, so that a console knows who has the serial line (§25.9).
    pub struct SerialConnectionActive: TRANSPORT 0x18 "Serial/Modem Connection Active", repeatable => Empty {
        u8 {
            /// Who has the line.
            pub state: SerialConnectionState [3:0],
        }
        /// Version of IPMI, BCD with the digits swapped.
        pub version: Option<u8>,
    }

    /// Has the BMC call back (§25.10).
    ///
    /// Completion codes 81h: an alert is under way; 82h: a session is active on the channel.
    pub struct Callback: TRANSPORT 0x19 "Callback", once => Empty {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// Destination, 1-15; 0 for the volatile one.
            pub destination: u8 [3:0],
        }
    }

    /// Sets whether and how a user may be called back (§25.11).
    pub struct SetUserCallbackOptions: TRANSPORT 0x1a "Set User Callback Options", repeatable => Empty {
        u8 {
            /// User, 2-63.
            pub user_id: u8 [5:0],
        }
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// What is to hold.
        pub options: CallbackOptions,
    }

    /// Asks for that (§25.12).
    pub struct GetUserCallbackOptions: TRANSPORT 0x1b "Get User Callback Options", repeatable => UserCallbackOptions {
        u8 {
            /// User, 2-63.
            pub user_id: u8 [5:0],
        }
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
    }

    /// Routes serial ports between connectors, system and BMC (§25.13).
    pub struct SetSerialRoutingMux: TRANSPORT 0x1c "Set Serial Routing Mux", repeatable => SerialRouting {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// Which routing.
        pub routing: u8,
    }
}

crate::command::layout::layout! {
    /// Whether and how a user may be called back (§25.11, table 25-13).
    pub struct CallbackOptions {
        u8 {
            /// By the callback control protocol of PPP.
            pub cbcp: bool [1],
            /// By [`Callback`].
            pub ipmi: bool [0],
        }
        u8 {
            /// The caller picks one of several numbers.
            pub from_list: bool [3],
            /// The caller gives a number.
            pub caller_given: bool [2],
            /// The user's one number.
            pub fixed: bool [1],
            /// No callback is made if the caller wants none.
            pub none: bool [0],
        }
        /// Destinations, in their order; FFh for none.
        pub destinations: [u8; 3],
    }
}

message! {
    /// The answer to [`GetSerialConfiguration`] (§25.2).
    pub struct SerialConfiguration {
        /// Parameter revision: 11h.
        pub revision: u8,
        /// The data; empty where only the revision was asked for.
        pub data: Bytes<SERIAL_PARAMETER_MAX>,
    }

    /// The answer to [`SetSerialMux`] (§25.3, table 25-5).
    pub struct SerialMux {
        u8 {
            /// Requests for the system are refused.
            pub system_blocked: bool [7],
            /// Requests for the BMC are refused.
            pub bmc_blocked: bool [6],
            /// An alert is under way.
            pub alerting: bool [3],
            /// A session is active on the channel.
            pub messaging: bool [2],
            /// The request was accepted.
            pub accepted: bool [1],
            /// The line is the BMC's.
            pub to_bmc: bool [0],
        }
    }

    /// The answer to [`GetTapResponseCodes`] (§25.4): the last first.
    pub struct TapResponseCodes {
        /// Three letters each.
        pub codes: [u8; 15],
    }

    /// The answer to the commands that read the PPP proxy's buffers.
    pub struct PppBlock {
        /// 16 bytes, or a length in two.
        pub data: Bytes<PPP_BLOCK>,
    }

    /// The answer to [`GetUserCallbackOptions`] (§25.12).
    pub struct UserCallbackOptions {
        /// What holds.
        pub options: CallbackOptions,
    }

    /// The answer to [`SetSerialRoutingMux`].
    pub struct SerialRouting {
        /// Routing in use.
        pub routing: Option<u8>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    const CHANNEL: ChannelNumber = ChannelNumber(2);

    #[test]
    fn configuration_and_multiplexer() {
        let set = SetSerialConfiguration {
            channel: CHANNEL,
            parameter: SerialParameter::CONNECTION_MODE,
            data: Bytes::from([0x87]),
        };
        check::request(&set, &[2, 3, 0x87], 2);
        let get = GetSerialConfiguration {
            revision_only: true,
            channel: CHANNEL,
            parameter: SerialParameter::MODEM_INIT,
            set: 1,
            block: 2,
        };
        check::request(&get, &[0x82, 10, 1, 2], 4);
        let answer = SerialConfiguration {
            revision: 0x11,
            data: Bytes::EMPTY,
        };
        check::response(&answer, &[0x11], 1);
        let mux = SetSerialMux {
            channel: CHANNEL,
            setting: MuxSetting::FORCE_BMC,
        };
        check::request(&mux, &[2, 4], 2);
        let mux = SerialMux {
            system_blocked: true,
            bmc_blocked: false,
            alerting: false,
            messaging: true,
            accepted: true,
            to_bmc: true,
        };
        check::response(&mux, &[0x87], 1);
        let routing = SetSerialRoutingMux {
            channel: CHANNEL,
            routing: 1,
        };
        check::request(&routing, &[2, 1], 2);
        check::response(&SerialRouting { routing: Some(1) }, &[1], 0);
    }

    #[test]
    fn paging_and_ppp() {
        check::request(&GetTapResponseCodes { channel: CHANNEL }, &[2], 1);
        let codes = *b"110111112113114";
        check::response(&TapResponseCodes { codes }, &codes, 15);
        let data = Bytes::from([7; 16]);
        let set = SetPppTransmitData {
            channel: CHANNEL,
            block: 1,
            data,
        };
        let mut bytes = [7; 18];
        bytes[..2].copy_from_slice(&[2, 1]);
        check::request(&set, &bytes, 2);
        let get = GetPppTransmitData {
            channel: CHANNEL,
            block: 1,
        };
        check::request(&get, &[2, 1], 2);
        check::response(&PppBlock { data }, &[7; 16], 0);
        let get = GetPppReceiveData {
            channel: CHANNEL,
            clear: true,
            block: 0,
        };
        check::request(&get, &[2, 0x80], 2);
        let send = SendPppPacket {
            channel: CHANNEL,
            source_port: 0x0102,
            destination_port: 623,
            source: [0; 4],
            destination: [10, 0, 0, 1],
            count: 32,
        };
        let bytes = [2, 2, 1, 0x6f, 2, 0, 0, 0, 0, 10, 0, 0, 1, 32, 0];
        check::request(&send, &bytes, 15);
    }

    #[test]
    fn callback() {
        let active = SerialConnectionActive {
            state: SerialConnectionState(1),
            version: Some(0x02),
        };
        check::request(&active, &[1, 2], 1);
        let callback = Callback {
            channel: CHANNEL,
            destination: 1,
        };
        check::request(&callback, &[2, 1], 2);
        let options = CallbackOptions {
            cbcp: true,
            ipmi: true,
            from_list: false,
            caller_given: false,
            fixed: true,
            none: false,
            destinations: [1, 0xff, 0xff],
        };
        let set = SetUserCallbackOptions {
            user_id: 3,
            channel: CHANNEL,
            options,
        };
        check::request(&set, &[3, 2, 3, 2, 1, 0xff, 0xff], 7);
        let get = GetUserCallbackOptions {
            user_id: 3,
            channel: CHANNEL,
        };
        check::request(&get, &[3, 2], 2);
        check::response(&UserCallbackOptions { options }, &[3, 2, 1, 0xff, 0xff], 5);
    }
}
