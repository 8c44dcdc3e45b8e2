//! Suspend BMC ARPs and Get IP/UDP/RMCP Statistics (§23.3, §23.4).

use crate::command::layout::{message, request};
use crate::number::{ArpSuspend, ChannelNumber};

request! {
    /// Has the BMC's own ARP activity rest while the system's LAN driver does it (§23.3).
    pub struct SuspendBmcArps: TRANSPORT 0x03 "Suspend BMC ARPs", repeatable => BmcArps {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// What is to rest.
        pub suspend: ArpSuspend,
    }

    /// Asks what a LAN channel has received and sent (§23.4).
    pub struct GetIpStatistics: TRANSPORT 0x04 "Get IP/UDP/RMCP Statistics", repeatable => IpStatistics {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// The counters start again after this answer.
            pub clear: bool [0],
        }
    }
}

message! {
    /// The answer to [`SuspendBmcArps`] (§23.3).
    pub struct BmcArps {
        /// What goes on: a bit is set where it does *not* rest.
        pub active: ArpSuspend,
    }

    /// The answer to [`GetIpStatistics`] (§23.4). Counters stop at FFFFh.
    pub struct IpStatistics {
        /// IP packets received.
        pub ip_received: u16,
        /// Of these with a wrong header.
        pub ip_header_errors: u16,
        /// Of these for another address.
        pub ip_address_errors: u16,
        /// Of these in fragments.
        pub ip_fragments: u16,
        /// IP packets sent.
        pub ip_sent: u16,
        /// UDP packets received.
        pub udp_received: u16,
        /// RMCP packets received that were valid.
        pub rmcp_received: u16,
        /// UDP proxy packets received.
        pub proxy_received: u16,
        /// UDP proxy packets dropped.
        pub proxy_dropped: u16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn nine_counters() {
        let get = GetIpStatistics {
            channel: ChannelNumber(1),
            clear: true,
        };
        check::request(&get, &[1, 1], 2);
        let statistics = IpStatistics {
            ip_received: 1,
            ip_header_errors: 2,
            ip_address_errors: 3,
            ip_fragments: 4,
            ip_sent: 5,
            udp_received: 6,
            rmcp_received: 7,
            proxy_received: 8,
            proxy_dropped: 0x0109,
        };
        let bytes = [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9, 1];
        check::response(&statistics, &bytes, 18);
    }

    #[test]
    fn arps_rest_bit_by_bit() {
        let suspend = SuspendBmcArps {
            channel: ChannelNumber(1),
            suspend: ArpSuspend::GRATUITOUS | ArpSuspend::RESPONSES,
        };
        check::request(&suspend, &[1, 3], 2);
        let active = ArpSuspend::NONE;
        check::response(&BmcArps { active }, &[0], 1);
    }
}
