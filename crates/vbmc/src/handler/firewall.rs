//! Firmware firewall and command discovery (§21): what is there is found out from the table of all commands and from the
//! handlers themselves.

use ipmi::bmc::{Request, serve};
use ipmi::command::app::{
    CommandBlock, CommandEnables, CommandMask, CommandSupport, GetCommandEnables,
    GetCommandSubfunctionEnables, GetCommandSubfunctionSupport, GetCommandSupport,
    GetConfigurableCommandSubfunctions, GetConfigurableCommands, GetNetFnSupport,
    GetOemNetFnIanaSupport, NetFnSupport, OemNetFnIana, OneCommand, SetCommandEnables,
    SetCommandSubfunctionEnables, SubfunctionEnables, SubfunctionSupport,
};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::{CommandRange, CompletionCode, LunSupport, NetFn, PrivilegeLevel};
use ipmi::wire::Writer;

use super::{Device, answers};

/// "Neither group nor maker" among switched-off commands.
pub(super) const NO_GROUP: u8 = 0xff;
/// Network functions that the controller answers.
const NETFNS: [NetFn; 6] = [
    NetFn::CHASSIS,
    NetFn::SENSOR_EVENT,
    NetFn::APP,
    NetFn::STORAGE,
    NetFn::TRANSPORT,
    NetFn::GROUP_EXTENSION,
];
/// Groups whose commands it may answer.
const GROUPS: [u8; 3] = [0x00, 0x03, 0xdc];

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetNetFnSupport::CMD => serve(request, response, |c: GetNetFnSupport| {
            device.check_channel(c.channel)?;
            Ok(functions())
        }),
        GetCommandSupport::CMD => serve(request, response, |c: GetCommandSupport| {
            let there = mask(device, &c.block, &c.definer, Kind::Answered)?;
            let unsupported = there.map(|byte| !byte);
            Ok(CommandSupport { unsupported })
        }),
        GetConfigurableCommands::CMD => serve(request, response, |c: GetConfigurableCommands| {
            let mask = mask(device, &c.block, &c.definer, Kind::Configurable)?;
            Ok(CommandEnables { mask })
        }),
        GetCommandEnables::CMD => serve(request, response, |c: GetCommandEnables| {
            let mask = mask(device, &c.block, &c.definer, Kind::Enabled)?;
            Ok(CommandEnables { mask })
        }),
        SetCommandEnables::CMD => serve(request, response, |c| switch(device, &c)),
        GetOemNetFnIanaSupport::CMD => serve(request, response, |c: GetOemNetFnIanaSupport| {
            device.check_channel(c.channel)?;
            definer(device, c.netfn, c.index)
        }),
        _ => subfunctions(device, request, response),
    }
}

/// Sub-functions: no command has any that could be switched by itself.
fn subfunctions(
    device: &Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetCommandSubfunctionSupport::CMD => {
            serve(request, response, |c: GetCommandSubfunctionSupport| {
                check(device, c.command, &c.definer)?;
                Ok(SubfunctionSupport {
                    specification_type: 0,
                    errata: 0,
                    version: 0x20,
                    revision: 0x11,
                    unsupported: 0,
                })
            })
        }
        GetConfigurableCommandSubfunctions::CMD => serve(
            request,
            response,
            |c: GetConfigurableCommandSubfunctions| {
                check(device, c.command, &c.definer)?;
                Ok(SubfunctionEnables { mask: 0 })
            },
        ),
        GetCommandSubfunctionEnables::CMD => {
            serve(request, response, |c: GetCommandSubfunctionEnables| {
                check(device, c.command, &c.definer)?;
                Ok(SubfunctionEnables { mask: u32::MAX })
            })
        }
        SetCommandSubfunctionEnables::CMD => {
            serve(request, response, |c: SetCommandSubfunctionEnables| {
                check(device, c.command, &c.definer)?;
                // All stay on: none is configurable.
                if c.enabled == u32::MAX {
                    Ok(Empty)
                } else {
                    Err(CompletionCode::INVALID_DATA_FIELD)
                }
            })
        }
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn functions() -> NetFnSupport {
    let mut pairs = [0; 16];
    for netfn in NETFNS {
        let pair = netfn.0 / 2;
        pairs[usize::from(pair / 8)] |= 1 << (pair % 8);
    }
    NetFnSupport {
        lun_3: LunSupport::NONE,
        lun_2: LunSupport::NONE,
        lun_1: LunSupport::NONE,
        lun_0: LunSupport::UNRESTRICTED,
        pairs,
    }
}

/// What a mask is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answered,
    Configurable,
    Enabled,
}

/// What can't be switched off, so that nobody locks themselves out: the session's commands and this command.
fn is_vital(netfn: NetFn, cmd: u8) -> bool {
    netfn == NetFn::APP && matches!(cmd, 0x01 | 0x38..=0x3d | 0x54 | 0x60)
}

fn mask(
    device: &mut Device<'_>,
    block: &CommandBlock,
    definer: &Bytes<3>,
    kind: Kind,
) -> Result<CommandMask, CompletionCode> {
    device.check_channel(block.channel)?;
    let (start, group) = range_of(block, definer)?;
    let mut mask = [0; 16];
    for n in 0..128 {
        let cmd = start + n;
        let has = block.lun == 0 && answers(device, block.netfn, group, cmd);
        let off = group.unwrap_or(NO_GROUP);
        let set = match kind {
            Kind::Answered => has,
            Kind::Configurable => has && !is_vital(block.netfn, cmd),
            Kind::Enabled => has && !device.machine.controller().is_off(block.netfn.0, off, cmd),
        };
        mask[usize::from(n / 8)] |= u8::from(set) << (n % 8);
    }
    Ok(mask)
}

/// The first command of a block, and its group.
fn range_of(block: &CommandBlock, definer: &Bytes<3>) -> Result<(u8, Option<u8>), CompletionCode> {
    let start = match block.range {
        CommandRange::LOW => 0,
        CommandRange::HIGH => 0x80,
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    };
    Ok((start, group_of(block.netfn, definer)?))
}

/// The group byte, which group extensions need and others may not have.
fn group_of(netfn: NetFn, definer: &[u8]) -> Result<Option<u8>, CompletionCode> {
    match (netfn, definer) {
        (NetFn::GROUP_EXTENSION, [group]) => Ok(Some(*group)),
        (NetFn::GROUP_EXTENSION, _) => Err(CompletionCode::REQUEST_LENGTH_INVALID),
        (_, []) => Ok(None),
        // No maker has commands here.
        _ => Err(CompletionCode::INVALID_DATA_FIELD),
    }
}

fn switch(device: &mut Device<'_>, c: &SetCommandEnables) -> Result<Empty, CompletionCode> {
    let configurable = mask(device, &c.block, &c.definer, Kind::Configurable)?;
    let (start, group) = range_of(&c.block, &c.definer)?;
    let group = group.unwrap_or(NO_GROUP);
    for n in 0..128_u8 {
        let (byte, bit) = (usize::from(n / 8), n % 8);
        if configurable[byte] >> bit & 1 == 1 {
            let on = c.enabled[byte] >> bit & 1 == 1;
            let command = (c.block.netfn.0, group, start + n);
            let was_off = device
                .machine
                .controller()
                .is_off(command.0, command.1, command.2);
            if was_off == on {
                device.machine.controller_mut().switch(command, on)?;
            }
        }
    }
    Ok(Empty)
}

fn check(device: &Device<'_>, command: OneCommand, definer: &[u8]) -> Result<(), CompletionCode> {
    device.check_channel(command.channel)?;
    group_of(command.netfn, definer).map(drop)
}

/// The groups that the controller answers, one by one.
fn definer(
    device: &mut Device<'_>,
    netfn: NetFn,
    index: u8,
) -> Result<OemNetFnIana, CompletionCode> {
    if netfn != NetFn::GROUP_EXTENSION {
        return Err(CompletionCode::NOT_PRESENT);
    }
    let there: Vec<u8> = GROUPS
        .into_iter()
        .filter(|group| (0..=0x50).any(|cmd| answers(device, netfn, Some(*group), cmd)))
        .collect();
    let group = there.get(usize::from(index));
    let group = *group.ok_or(CompletionCode::PARAMETER_OUT_OF_RANGE)?;
    Ok(OemNetFnIana {
        last: usize::from(index) + 1 == there.len(),
        lun_3: LunSupport::NONE,
        lun_2: LunSupport::NONE,
        lun_1: LunSupport::NONE,
        lun_0: LunSupport::UNRESTRICTED,
        definer: Bytes::from([group]),
    })
}

/// A request that only asks whether a command is known: its data is never right.
pub(super) fn probe<'a>(netfn: NetFn, cmd: u8, data: &'a [u8]) -> Request<'a> {
    Request {
        netfn,
        lun: 0,
        cmd,
        data,
        privilege: PrivilegeLevel::ADMINISTRATOR,
        user_id: 1,
        user_name: ipmi::wire::rakp::UserName::default(),
        channel: 1,
    }
}
