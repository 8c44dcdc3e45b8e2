//! Electronic keying: ports, clocks, shared buses (PICMG 3.0 §3.7; AMC.0 §3.9).

use super::PicmgDone;
use crate::command::layout::{layout, message, request};
use crate::command::{Bytes, U24};
use crate::number::{
    AmcLinkType, BusedResource, BusedResourceAction, BusedResourceOutcome, ClockDirection,
    ClockFamily, ClockPll, ClockResourceType, EthernetLinkExtension, LinkInterface,
    LinkSignalingClass, LinkType, PortState,
};

/// Links that Get Port State tells about one channel, at most.
pub const LINKS_MAX: usize = 4;
/// Links that Get AMC Port State tells about one channel, at most.
pub const AMC_LINKS_MAX: usize = 4;

layout! {
    /// A link between two boards (PICMG 3.0 table 3-44).
    pub struct LinkDescriptor {
        u32 {
            /// Those with the same number, other than 0, go together.
            pub grouping: u8 [31:24],
            /// More about the type.
            pub extension: u8 [23:20],
            /// What it carries.
            pub link_type: LinkType [19:12],
            /// Ports 0 to 3 of the channel, bit n for port n.
            pub ports: u8 [11:8],
            /// Interface.
            pub interface: LinkInterface [7:6],
            /// Channel.
            pub channel: u8 [5:0],
        }
    }
}

layout! {
    /// A link of an `AdvancedMC` (AMC.0 table 3-16).
    pub struct AmcLink {
        U24 {
            /// Those with the same number, other than 0, go together.
            pub grouping: u8 [23:16],
            /// More about the type.
            pub extension: u8 [15:12],
            /// What it carries.
            pub link_type: AmcLinkType [11:4],
            /// Lanes 0 to 3 of the channel, bit n for lane n.
            pub lanes: u8 [3:0],
        }
    }
}

layout! {
    /// How a clock is to run (AMC.0 table 3-44).
    pub struct ClockSetting {
        /// Which of the clock's configurations.
        pub index: u8,
        u8 {
            /// It runs.
            pub enabled: bool [3],
            /// Into or out of the module.
            pub direction: ClockDirection [2],
            /// Phase-locked loop.
            pub pll: ClockPll [1:0],
        }
        /// Family.
        pub family: ClockFamily,
        /// Accuracy level.
        pub accuracy: u8,
        /// Frequency, in hertz.
        pub frequency_hz: u32,
    }
}

layout! {
    /// A clock resource of a carrier (AMC.0 table 3-29).
    pub struct ClockResource {
        u8 {
            /// Where the clock ends.
            pub kind: ClockResourceType [7:6],
            /// Which one.
            pub number: u8 [5:0],
        }
    }
}

impl LinkDescriptor {
    /// What the extension says of an Ethernet link; `None` for another kind of link.
    #[must_use]
    pub fn ethernet(&self) -> Option<EthernetLinkExtension> {
        (self.link_type == LinkType::ETHERNET).then_some(EthernetLinkExtension(self.extension))
    }
}

request! {
    /// Switches a link on or off.
    pub struct SetPortState: PICMG 0x0e "Set Port State", repeatable => PicmgDone {
        /// Which.
        pub link: LinkDescriptor,
        /// On or off.
        pub state: PortState,
    }

    /// Asks for the links of a channel.
    pub struct GetPortState: PICMG 0x0f "Get Port State", repeatable => PortStates {
        u8 {
            /// Interface.
            pub interface: LinkInterface [7:6],
            /// Channel.
            pub channel: u8 [5:0],
        }
    }

    /// Asks for a shared bus, or gives it up.
    pub struct BusedResourceControl: PICMG 0x17 "Bused Resource Control", once => BusedResourceStatus {
        /// What to do.
        pub action: BusedResourceAction,
        /// Which.
        pub resource: BusedResource,
    }

    /// Switches a link of an `AdvancedMC` on or off.
    pub struct SetAmcPortState: PICMG 0x19 "Set AMC Port State", repeatable => PicmgDone {
        /// Channel.
        pub channel: u8,
        /// Link.
        pub link: AmcLink,
        /// On or off.
        pub state: PortState,
        /// Device on the carrier; optional.
        pub device: Option<u8>,
    }

    /// Asks for the links of a channel of an `AdvancedMC`.
    pub struct GetAmcPortState: PICMG 0x1a "Get AMC Port State", repeatable => AmcPortStates {
        /// Channel.
        pub channel: u8,
        /// Device on the carrier; optional.
        pub device: Option<u8>,
    }

    /// Sets how a clock runs.
    pub struct SetAmcClockState: PICMG 0x2c "Set AMC Clock State", repeatable => PicmgDone {
        /// Clock.
        pub clock: u8,
        /// How.
        pub setting: ClockSetting,
        /// Clock resource of the carrier; optional.
        pub resource: Option<ClockResource>,
    }

    /// Asks how a clock runs.
    pub struct GetAmcClockState: PICMG 0x2d "Get AMC Clock State", repeatable => AmcClock {
        /// Clock.
        pub clock: u8,
        /// Clock resource of the carrier; optional.
        pub resource: Option<ClockResource>,
    }

    /// Sets the signalling class of a channel.
    pub struct SetChannelSignalingClass: PICMG 0x3b "Set Channel Signaling Class", repeatable => PicmgDone {
        u8 {
            /// Interface.
            pub interface: LinkInterface [7:6],
            /// Channel.
            pub channel: u8 [5:0],
        }
        u8 {
            /// Signalling class.
            pub class: LinkSignalingClass [3:0],
        }
    }

    /// Asks for the signalling class of a channel.
    pub struct GetChannelSignalingClass: PICMG 0x3c "Get Channel Signaling Class", repeatable => ChannelSignaling {
        u8 {
            /// Interface.
            pub interface: LinkInterface [7:6],
            /// Channel.
            pub channel: u8 [5:0],
        }
    }
}

message! {
    /// The answer to [`GetPortState`]: for each link four bytes ([`LinkDescriptor`]) and one for its state.
    pub struct PortStates in PICMG {
        /// The links.
        pub links: Bytes<{ 5 * LINKS_MAX }>,
    }

    /// The answer to [`BusedResourceControl`].
    pub struct BusedResourceStatus in PICMG {
        /// What became of it.
        pub outcome: BusedResourceOutcome,
    }

    /// The answer to [`GetAmcPortState`]: for each link three bytes ([`AmcLink`]) and one for its state.
    pub struct AmcPortStates in PICMG {
        /// The links.
        pub links: Bytes<{ 4 * AMC_LINKS_MAX }>,
    }

    /// The answer to [`GetAmcClockState`].
    pub struct AmcClock in PICMG {
        u8 {
            /// It runs.
            pub enabled: bool [3],
            /// Into or out of the module.
            pub direction: ClockDirection [2],
            /// Phase-locked loop.
            pub pll: ClockPll [1:0],
        }
        /// Configuration, family, accuracy level and frequency; there while it runs.
        pub running: Option<RunningClock>,
    }

    /// The answer to [`GetChannelSignalingClass`].
    pub struct ChannelSignaling in PICMG {
        u8 {
            /// Interface.
            pub interface: LinkInterface [7:6],
            /// Channel.
            pub channel: u8 [5:0],
        }
        u8 {
            /// Signalling class.
            pub class: LinkSignalingClass [3:0],
        }
    }
}

layout! {
    /// A clock that runs.
    pub struct RunningClock {
        /// Which of the clock's configurations.
        pub index: u8,
        /// Family.
        pub family: ClockFamily,
        /// Accuracy level.
        pub accuracy: u8,
        /// Frequency, in hertz.
        pub frequency_hz: u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, check};
    use crate::wire::Writer;

    #[test]
    fn a_link_is_packed_into_four_bytes() {
        let link = LinkDescriptor {
            grouping: 0,
            extension: 0,
            link_type: LinkType::BASE,
            ports: 1,
            interface: LinkInterface::BASE,
            channel: 1,
        };
        let set = SetPortState {
            link,
            state: PortState::ENABLED,
        };
        check::request(&set, &[0, 0x01, 0x11, 0x00, 0x00, 1], 6);
        let (interface, channel) = (LinkInterface::FABRIC, 2);
        check::request(&GetPortState { interface, channel }, &[0, 0x42], 2);
        let links = Bytes::from([0x42, 0x2f, 0, 0, 1]);
        check::response(&PortStates { links }, &[0, 0x42, 0x2f, 0, 0, 1], 1);
        let set = SetChannelSignalingClass {
            interface,
            channel,
            class: LinkSignalingClass::GBD_10_3125,
        };
        check::request(&set, &[0, 0x42, 3], 3);
        check::request(
            &GetChannelSignalingClass { interface, channel },
            &[0, 0x42],
            2,
        );
        let answer = ChannelSignaling {
            interface,
            channel,
            class: LinkSignalingClass::GBD_10_3125,
        };
        check::response(&answer, &[0, 0x42, 3], 3);
    }

    #[test]
    fn amc_links_buses_and_clocks() {
        let link = AmcLink {
            grouping: 1,
            extension: 2,
            link_type: AmcLinkType::PCI_EXPRESS,
            lanes: 0x0f,
        };
        let set = SetAmcPortState {
            channel: 3,
            link,
            state: PortState::ENABLED,
            device: None,
        };
        check::request(&set, &[0, 3, 0x2f, 0x20, 1, 1], 6);
        let get = GetAmcPortState {
            channel: 3,
            device: Some(1),
        };
        check::request(&get, &[0, 3, 1], 2);
        let links = Bytes::from([0x2f, 0x20, 1, 1]);
        check::response(&AmcPortStates { links }, &[0, 0x2f, 0x20, 1, 1], 1);
        let bus = BusedResourceControl {
            action: BusedResourceAction::QUERY,
            resource: BusedResource::CLOCK_1,
        };
        check::request(&bus, &[0, 0, 2], 3);
        check::response(
            &BusedResourceStatus {
                outcome: BusedResourceOutcome::ACKNOWLEDGED,
            },
            &[0, 0],
            2,
        );

        let setting = ClockSetting {
            index: 0,
            enabled: true,
            direction: ClockDirection::SOURCE,
            pll: ClockPll::CONNECT,
            family: ClockFamily::PCI_EXPRESS,
            accuracy: 3,
            frequency_hz: 100_000_000,
        };
        let set = SetAmcClockState {
            clock: 1,
            setting,
            resource: None,
        };
        check::request(&set, &[0, 1, 0, 0x0d, 2, 3, 0x00, 0xe1, 0xf5, 0x05], 10);
        let get = GetAmcClockState {
            clock: 1,
            resource: None,
        };
        check::request(&get, &[0, 1], 2);
        let stopped = AmcClock {
            enabled: false,
            direction: ClockDirection::RECEIVER,
            pll: ClockPll::DEFAULT_STATE,
            running: None,
        };
        check::response(&stopped, &[0, 0], 2);
        let mut bytes = [0; 8];
        let get = GetAmcClockState {
            clock: 1,
            resource: Some(ClockResource {
                kind: ClockResourceType::ON_CARRIER,
                number: 2,
            }),
        };
        get.encode(&mut Writer::new(&mut bytes));
        assert_eq!(bytes[..3], [0, 1, 2]);
    }
}
