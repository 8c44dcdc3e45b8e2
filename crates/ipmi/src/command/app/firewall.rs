//! Firmware firewall and command discovery (§21): which commands a channel has, which may be switched off, which are.

use crate::command::layout::{layout, message, request};
use crate::command::{Bytes, Empty};
use crate::number::{ChannelNumber, CommandRange, LunSupport, NetFn};

/// Bytes that name the definer of a group's or maker's commands, at most: an enterprise number.
pub const DEFINER_MAX: usize = 3;

/// One bit for each of 128 commands, bit 0 of byte 0 the lowest.
pub type CommandMask = [u8; 16];

layout! {
    /// Half of the commands of one network function on one LUN of one channel (§21.3, table 21-3).
    pub struct CommandBlock {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// Which half.
            pub range: CommandRange [7:6],
            /// Network function of the requests.
            pub netfn: NetFn [5:0],
        }
        u8 {
            /// LUN.
            pub lun: u8 [1:0],
        }
    }
}

layout! {
    /// One command of one network function on one LUN of one channel (§21.4, table 21-4).
    pub struct OneCommand {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// Network function of the requests.
            pub netfn: NetFn [5:0],
        }
        u8 {
            /// LUN.
            pub lun: u8 [1:0],
        }
        /// Command.
        pub cmd: u8,
    }
}

request! {
    /// Asks which network functions a channel has (§21.2).
    pub struct GetNetFnSupport: APP 0x09 "Get NetFn Support", repeatable => NetFnSupport {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
    }

    /// Asks which commands there are (§21.3).
    pub struct GetCommandSupport: APP 0x0a "Get Command Support", repeatable => CommandSupport {
        /// Which half of which function.
        pub block: CommandBlock,
        /// Group byte for group extensions, enterprise number for OEM groups, else nothing.
        pub definer: Bytes<DEFINER_MAX>,
    }

    /// Asks which sub-functions of a command there are (§21.4).
    pub struct GetCommandSubfunctionSupport: APP 0x0b "Get Command Sub-function Support", repeatable => SubfunctionSupport {
        /// Which command.
        pub command: OneCommand,
        /// As in [`GetCommandSupport`].
        pub definer: Bytes<DEFINER_MAX>,
    }

    /// Asks which commands can be switched off (§21.5).
    pub struct GetConfigurableCommands: APP 0x0c "Get Configurable Commands", repeatable => CommandEnables {
        /// Which half of which function.
        pub block: CommandBlock,
        /// As in [`GetCommandSupport`].
        pub definer: Bytes<DEFINER_MAX>,
    }

    /// Asks which sub-functions of a command can be switched off (§21.6).
    pub struct GetConfigurableCommandSubfunctions: APP 0x0d "Get Configurable Command Sub-functions", repeatable => SubfunctionEnables {
        /// Which command.
        pub command: OneCommand,
        /// As in [`GetCommandSupport`].
        pub definer: Bytes<DEFINER_MAX>,
    }

    /// Switches commands on and off (§21.7).
    pub struct SetCommandEnables: APP 0x60 "Set Command Enables", repeatable => Empty {
        /// Which half of which function.
        pub block: CommandBlock,
        /// The commands that are to be on.
        pub enabled: CommandMask,
        /// As in [`GetCommandSupport`].
        pub definer: Bytes<DEFINER_MAX>,
    }

    /// Asks which commands are on (§21.8).
    pub struct GetCommandEnables: APP 0x61 "Get Command Enables", repeatable => CommandEnables {
        /// Which half of which function.
        pub block: CommandBlock,
        /// As in [`GetCommandSupport`].
        pub definer: Bytes<DEFINER_MAX>,
    }

    /// Switches sub-functions of a command on and off (§21.9).
    pub struct SetCommandSubfunctionEnables: APP 0x62 "Set Command Sub-function Enables", repeatable => Empty {
        /// Which command.
        pub command: OneCommand,
        /// The sub-functions that are to be on, bit n for sub-function n.
        pub enabled: u32,
        /// As in [`GetCommandSupport`].
        pub definer: Bytes<DEFINER_MAX>,
    }

    /// Asks which sub-functions of a command are on (§21.10).
    pub struct GetCommandSubfunctionEnables: APP 0x63 "Get Command Sub-function Enables", repeatable => SubfunctionEnables {
        /// Which command.
        pub command: OneCommand,
        /// As in [`GetCommandSupport`].
        pub definer: Bytes<DEFINER_MAX>,
    }

    /// Asks for one of the makers and groups that have commands on a channel (§21.11).
    pub struct GetOemNetFnIanaSupport: APP 0x64 "Get OEM NetFn IANA Support", repeatable => OemNetFnIana {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// Network function: group extension, OEM group or above.
            pub netfn: NetFn [5:0],
        }
        u8 {
            /// Which entry of the list, from 0.
            pub index: u8 [5:0],
        }
    }
}

message! {
    /// The answer to [`GetNetFnSupport`] (§21.2, table 21-2).
    pub struct NetFnSupport {
        u8 {
            /// LUN 3.
            pub lun_3: LunSupport [7:6],
            /// LUN 2.
            pub lun_2: LunSupport [5:4],
            /// LUN 1.
            pub lun_1: LunSupport [3:2],
            /// LUN 0.
            pub lun_0: LunSupport [1:0],
        }
        /// For LUN 0 to 3, four bytes each: bit n is the pair of network functions 2n and 2n + 1.
        pub pairs: [u8; 16],
    }

    /// The answer to [`GetCommandSupport`] (§21.3, table 21-3).
    pub struct CommandSupport {
        /// Bit n is 0 where command n of the half exists, 1 where it does not.
        pub unsupported: CommandMask,
    }

    /// The answer to [`GetCommandEnables`] and [`GetConfigurableCommands`] (§21.5, §21.8).
    pub struct CommandEnables {
        /// Bit n is 1 where command n of the half is on, or configurable.
        pub mask: CommandMask,
    }

    /// The answer to [`GetCommandSubfunctionSupport`] (§21.4, table 21-4).
    pub struct SubfunctionSupport {
        u8 {
            /// Which specification the sub-functions are of: 0 IPMI.
            pub specification_type: u8 [7:4],
            /// Its errata.
            pub errata: u8 [3:0],
        }
        /// Its version.
        pub version: u8,
        /// Its revision.
        pub revision: u8,
        /// Bit n is 0 where sub-function n exists.
        pub unsupported: u32,
    }

    /// The answer to [`GetCommandSubfunctionEnables`] and [`GetConfigurableCommandSubfunctions`] (§21.6, §21.10).
    pub struct SubfunctionEnables {
        /// Bit n is 1 where sub-function n is on, or configurable.
        pub mask: u32,
    }

    /// The answer to [`GetOemNetFnIanaSupport`] (§21.11).
    pub struct OemNetFnIana {
        u8 {
            /// The list ends here.
            pub last: bool [7],
        }
        u8 {
            /// LUN 3.
            pub lun_3: LunSupport [7:6],
            /// LUN 2.
            pub lun_2: LunSupport [5:4],
            /// LUN 1.
            pub lun_1: LunSupport [3:2],
            /// LUN 0.
            pub lun_0: LunSupport [1:0],
        }
        /// Group byte, or enterprise number, low byte first.
        pub definer: Bytes<DEFINER_MAX>,
    }
}

impl GetCommandSupport {
    /// Asks for commands that are neither a group's nor a maker's.
    #[must_use]
    pub const fn new(channel: ChannelNumber, netfn: NetFn, range: CommandRange) -> Self {
        let block = CommandBlock {
            channel,
            range,
            netfn,
            lun: 0,
        };
        Self {
            block,
            definer: Bytes::EMPTY,
        }
    }
}

impl CommandSupport {
    /// Whether command `n` of the half, 0 to 127, exists.
    #[must_use]
    pub fn has(&self, n: u8) -> bool {
        let byte = self.unsupported.get(usize::from(n / 8));
        byte.is_some_and(|byte| byte >> (n % 8) & 1 == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    const CHANNEL: ChannelNumber = ChannelNumber::PRESENT;

    #[test]
    fn functions_and_commands_are_bits() {
        check::request(&GetNetFnSupport { channel: CHANNEL }, &[0x0e], 1);
        let support = NetFnSupport {
            lun_3: LunSupport::NONE,
            lun_2: LunSupport::RESTRICTED,
            lun_1: LunSupport::NONE,
            lun_0: LunSupport::UNRESTRICTED,
            pairs: [0x6d; 16],
        };
        let mut bytes = [0x6d; 17];
        bytes[0] = 0x21;
        check::response(&support, &bytes, 17);

        let get = GetCommandSupport::new(CHANNEL, NetFn::APP, CommandRange::HIGH);
        check::request(&get, &[0x0e, 0x46, 0x00], 3);
        let mut unsupported = [0xff; 16];
        unsupported[1] = 0xfd;
        let support = CommandSupport { unsupported };
        check::response(&support, &unsupported, 16);
        assert!(support.has(9) && !support.has(8) && !support.has(0xff));
    }

    #[test]
    fn a_groups_commands_are_named_by_its_byte_behind_everything_else() {
        let block = CommandBlock {
            channel: CHANNEL,
            range: CommandRange::LOW,
            netfn: NetFn::GROUP_EXTENSION,
            lun: 0,
        };
        let definer = Bytes::from([0xdc]);
        check::request(
            &GetConfigurableCommands { block, definer },
            &[0x0e, 0x2c, 0, 0xdc],
            3,
        );
        check::request(
            &GetCommandEnables { block, definer },
            &[0x0e, 0x2c, 0, 0xdc],
            3,
        );
        let set = SetCommandEnables {
            block,
            enabled: [0x11; 16],
            definer: Bytes::EMPTY,
        };
        let mut bytes = [0x11; 19];
        bytes[..3].copy_from_slice(&[0x0e, 0x2c, 0]);
        check::request(&set, &bytes, 19);
        check::response(&CommandEnables { mask: [7; 16] }, &[7; 16], 16);
    }

    #[test]
    fn sub_functions_are_bits_of_four_bytes() {
        let command = OneCommand {
            channel: CHANNEL,
            netfn: NetFn::CHASSIS,
            lun: 0,
            cmd: 2,
        };
        let definer = Bytes::EMPTY;
        let bytes = [0x0e, 0, 0, 2];
        check::request(
            &GetCommandSubfunctionSupport { command, definer },
            &bytes,
            4,
        );
        check::request(
            &GetConfigurableCommandSubfunctions { command, definer },
            &bytes,
            4,
        );
        check::request(
            &GetCommandSubfunctionEnables { command, definer },
            &bytes,
            4,
        );
        let set = SetCommandSubfunctionEnables {
            command,
            enabled: 0x3f,
            definer,
        };
        check::request(&set, &[0x0e, 0, 0, 2, 0x3f, 0, 0, 0], 8);
        let support = SubfunctionSupport {
            specification_type: 0,
            errata: 7,
            version: 0x20,
            revision: 0x10,
            unsupported: 0xffff_ffc0,
        };
        check::response(&support, &[7, 0x20, 0x10, 0xc0, 0xff, 0xff, 0xff], 7);
        check::response(&SubfunctionEnables { mask: 1 }, &[1, 0, 0, 0], 4);
    }

    #[test]
    fn makers_are_listed_one_by_one() {
        let get = GetOemNetFnIanaSupport {
            channel: CHANNEL,
            netfn: NetFn::GROUP_EXTENSION,
            index: 1,
        };
        check::request(&get, &[0x0e, 0x2c, 1], 3);
        let found = OemNetFnIana {
            last: true,
            lun_3: LunSupport::NONE,
            lun_2: LunSupport::NONE,
            lun_1: LunSupport::NONE,
            lun_0: LunSupport::UNRESTRICTED,
            definer: Bytes::from([0xdc]),
        };
        check::response(&found, &[0x80, 1, 0xdc], 2);
    }
}
