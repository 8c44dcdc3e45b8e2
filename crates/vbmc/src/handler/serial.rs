//! The serial channel of a node (§25): configuration, multiplexer, paging, PPP proxy, callback. Nothing is plugged in, so
//! that no link is up and no pager answers.

use ipmi::bmc::{Request, serve};
use ipmi::command::transport::{
    Callback, CallbackOptions, GetPppReceiveData, GetPppTransmitData, GetSerialConfiguration,
    GetTapResponseCodes, GetUserCallbackOptions, PPP_BLOCK, PppBlock, SendPppPacket,
    SerialConfiguration, SerialConnectionActive, SerialMux, SerialRouting, SetPppTransmitData,
    SetSerialConfiguration, SetSerialMux, SetSerialRoutingMux, SetUserCallbackOptions,
    TapResponseCodes, UserCallbackOptions,
};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::{ChannelNumber, CompletionCode, MuxSetting};
use ipmi::wire::Writer;

use super::Device;
use super::app::SERIAL_CHANNEL;
use crate::controller::{ParameterSpec, read_parameter, write_parameter};
use crate::machine::Machine;
use crate::profile::Model;

/// Revision of the parameters (§25.2).
const PARAMETER_REVISION: u8 = 0x11;
/// Blocks of the PPP proxy's transmit buffer.
const PPP_BLOCKS: u8 = 16;
/// Send PPP UDP Proxy Packet: the link is down.
const LINK_DOWN: CompletionCode = CompletionCode(0x80);
/// Get PPP UDP Proxy Receive Data: there is none.
const NO_PACKET: CompletionCode = CompletionCode(0x80);
/// Alert destinations, dial strings, IP addresses and accounts of the channel, each.
const COUNT: u8 = 2;

/// The serial configuration (§25.2, table 25-4). Direct connection, terminal mode, 19.2 kbit/s.
#[rustfmt::skip]
const PARAMETERS: [ParameterSpec; 49] = [
    ParameterSpec::plain(1, 1, &[0x15]).read_only(),
    ParameterSpec::plain(2, 5, &[]),
    ParameterSpec::plain(3, 1, &[0x84]),
    ParameterSpec::plain(4, 1, &[2]),
    ParameterSpec::plain(5, 5, &[0, 0, 0xff, 0xff, 0xff]),
    ParameterSpec::plain(6, 1, &[1]),
    ParameterSpec::plain(7, 2, &[0, 7]),
    ParameterSpec::plain(8, 2, &[0x08, 0]),
    ParameterSpec::plain(9, 2, &[63, 0]),
    ParameterSpec::sets(10, 4, 17, &[]),
    ParameterSpec::plain(11, 5, b"+++"),
    ParameterSpec::plain(12, 8, b"ATH"),
    ParameterSpec::plain(13, 8, b"ATD"),
    ParameterSpec::plain(14, 1, &[0]),
    ParameterSpec::plain(15, 18, b"public"),
    ParameterSpec::plain(16, 1, &[COUNT]).read_only(),
    ParameterSpec::sets(17, COUNT, 5, &[]),
    ParameterSpec::plain(18, 1, &[60]),
    ParameterSpec::sets(19, COUNT, 3, &[0, 7]),
    ParameterSpec::plain(20, 1, &[COUNT]).read_only(),
    ParameterSpec::blocks(21, COUNT, 18),
    ParameterSpec::plain(22, 1, &[COUNT]).read_only(),
    ParameterSpec::sets(23, COUNT, 5, &[]),
    ParameterSpec::plain(24, 1, &[COUNT]).read_only(),
    ParameterSpec::sets(25, COUNT, 2, &[]),
    ParameterSpec::sets(26, COUNT, 7, &[]).write_only(),
    ParameterSpec::sets(27, COUNT, 17, &[]),
    ParameterSpec::sets(28, COUNT, 11, &[]),
    ParameterSpec::plain(29, 2, &[0x02, 0x11]),
    ParameterSpec::plain(30, 2, &[]),
    ParameterSpec::plain(31, 2, &[0x6f, 0x02]),
    ParameterSpec::plain(32, 2, &[0x98, 0x02]),
    ParameterSpec::plain(33, 1, &[]),
    ParameterSpec::plain(34, 16, &[]),
    ParameterSpec::plain(35, 8, &[]),
    ParameterSpec::plain(36, 4, &[]),
    ParameterSpec::plain(37, 1, &[COUNT]).read_only(),
    ParameterSpec::sets(38, COUNT, 2, &[]),
    ParameterSpec::sets(39, COUNT, 5, &[]),
    ParameterSpec::sets(40, COUNT, 17, &[]),
    ParameterSpec::sets(41, COUNT, 17, &[]),
    ParameterSpec::sets(42, COUNT, 17, &[]).write_only(),
    ParameterSpec::sets(43, COUNT, 2, &[]),
    ParameterSpec::sets(44, COUNT, 2, &[]),
    ParameterSpec::plain(45, 8, &[]),
    ParameterSpec::plain(46, 2, &[0, 1]).read_only(),
    ParameterSpec::plain(47, 2, &[0, 1]).read_only(),
    ParameterSpec::plain(48, 5, &[]),
    ParameterSpec::blocks(49, 0, 18),
];

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let machine = &mut *device.machine;
    if machine.profile().model != Model::Node {
        return CompletionCode::INVALID_COMMAND;
    }
    let now_s = machine.at_s();
    match request.cmd {
        SetSerialConfiguration::CMD => serve(request, response, |c: SetSerialConfiguration| {
            check(c.channel)?;
            let serial = &mut machine.controller_mut().serial;
            write_parameter(serial, &PARAMETERS, now_s, c.parameter.0, &c.data)?;
            Ok(Empty)
        }),
        GetSerialConfiguration::CMD => serve(request, response, |c: GetSerialConfiguration| {
            check(c.channel)?;
            let key = (c.parameter.0, c.set, c.block);
            let serial = &machine.controller().serial;
            let data = read_parameter(serial, &PARAMETERS, now_s, key)?;
            let data = if c.revision_only {
                &[]
            } else {
                data.as_slice()
            };
            Ok(SerialConfiguration {
                revision: PARAMETER_REVISION,
                data: Bytes::new(data).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
            })
        }),
        SetSerialMux::CMD => serve(request, response, |c| set_mux(machine, c)),
        SetSerialRoutingMux::CMD => serve(request, response, |c: SetSerialRoutingMux| {
            check(c.channel)?;
            // One connector, one routing.
            if c.routing != 0 {
                return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
            }
            Ok(SerialRouting { routing: Some(0) })
        }),
        SerialConnectionActive::CMD => serve(request, response, |_: SerialConnectionActive| {
            // The controller sends it, and takes it from nobody.
            Err::<Empty, _>(CompletionCode::NOT_SUPPORTED_IN_STATE)
        }),
        _ => calls(machine, request, response),
    }
}

const fn check(channel: ChannelNumber) -> Result<(), CompletionCode> {
    if channel.0 == SERIAL_CHANNEL.0 {
        Ok(())
    } else {
        Err(CompletionCode::INVALID_DATA_FIELD)
    }
}

fn set_mux(machine: &mut Machine, c: SetSerialMux) -> Result<SerialMux, CompletionCode> {
    check(c.channel)?;
    let (mut to_bmc, mut system_blocked, mut bmc_blocked) = machine.controller().mux;
    let mut accepted = true;
    match c.setting {
        MuxSetting::GET => accepted = false,
        MuxSetting::REQUEST_SYSTEM if system_blocked => accepted = false,
        MuxSetting::REQUEST_BMC if bmc_blocked => accepted = false,
        MuxSetting::REQUEST_SYSTEM | MuxSetting::FORCE_SYSTEM => to_bmc = false,
        MuxSetting::REQUEST_BMC | MuxSetting::FORCE_BMC => to_bmc = true,
        MuxSetting::BLOCK_SYSTEM => system_blocked = true,
        MuxSetting::ALLOW_SYSTEM => system_blocked = false,
        MuxSetting::BLOCK_BMC => bmc_blocked = true,
        MuxSetting::ALLOW_BMC => bmc_blocked = false,
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    }
    if c.setting != MuxSetting::GET {
        machine.controller_mut().mux = (to_bmc, system_blocked, bmc_blocked);
    }
    Ok(SerialMux {
        system_blocked,
        bmc_blocked,
        alerting: false,
        messaging: false,
        accepted,
        to_bmc,
    })
}

/// Paging, PPP proxy and callback.
fn calls(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetTapResponseCodes::CMD => serve(request, response, |c: GetTapResponseCodes| {
            check(c.channel)?;
            // No page was sent: the codes read as three zeros.
            Ok(TapResponseCodes { codes: [b'0'; 15] })
        }),
        SetPppTransmitData::CMD => serve(request, response, |c: SetPppTransmitData| {
            check(c.channel)?;
            let start = block_start(c.block)?;
            let buffer = &mut machine.controller_mut().ppp;
            buffer.resize(usize::from(PPP_BLOCKS) * PPP_BLOCK, 0);
            buffer[start..start + c.data.len()].copy_from_slice(&c.data);
            Ok(Empty)
        }),
        GetPppTransmitData::CMD => serve(request, response, |c: GetPppTransmitData| {
            check(c.channel)?;
            let start = block_start(c.block)?;
            let mut block = [0; PPP_BLOCK];
            let stored = machine.controller().ppp.iter().skip(start);
            for (byte, from) in block.iter_mut().zip(stored) {
                *byte = *from;
            }
            Ok(PppBlock {
                data: Bytes::from(block),
            })
        }),
        SendPppPacket::CMD => serve(request, response, |c: SendPppPacket| {
            check(c.channel)?;
            Err::<Empty, _>(LINK_DOWN)
        }),
        GetPppReceiveData::CMD => serve(request, response, |c: GetPppReceiveData| {
            check(c.channel)?;
            if c.block != 0 {
                return Err(NO_PACKET);
            }
            Ok(PppBlock {
                data: Bytes::from([0, 0]),
            })
        }),
        Callback::CMD => serve(request, response, |c: Callback| {
            check(c.channel)?;
            // No destination is set up for callback.
            Err::<Empty, _>(CompletionCode::NOT_PRESENT)
        }),
        SetUserCallbackOptions::CMD => serve(request, response, |c: SetUserCallbackOptions| {
            check(c.channel)?;
            check_user(c.user_id)?;
            let users = &mut machine.controller_mut().users;
            users.entry(c.user_id).or_default().callback = to_bytes(c.options);
            Ok(Empty)
        }),
        GetUserCallbackOptions::CMD => serve(request, response, |c: GetUserCallbackOptions| {
            check(c.channel)?;
            check_user(c.user_id)?;
            let users = &machine.controller().users;
            let settings = users.get(&c.user_id).copied().unwrap_or_default();
            Ok(UserCallbackOptions {
                options: from_bytes(settings.callback),
            })
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn block_start(block: u8) -> Result<usize, CompletionCode> {
    if (1..=PPP_BLOCKS).contains(&block) {
        Ok(usize::from(block - 1) * PPP_BLOCK)
    } else {
        Err(CompletionCode::PARAMETER_OUT_OF_RANGE)
    }
}

/// User 1 is the null user, who can't be called back (§25.11).
const fn check_user(user_id: u8) -> Result<(), CompletionCode> {
    if user_id < 2 {
        Err(CompletionCode::PARAMETER_OUT_OF_RANGE)
    } else {
        Ok(())
    }
}

fn to_bytes(options: CallbackOptions) -> [u8; 5] {
    let kinds = u8::from(options.cbcp) << 1 | u8::from(options.ipmi);
    let negotiation = u8::from(options.from_list) << 3
        | u8::from(options.caller_given) << 2
        | u8::from(options.fixed) << 1
        | u8::from(options.none);
    let [a, b, c] = options.destinations;
    [kinds, negotiation, a, b, c]
}

const fn from_bytes([kinds, negotiation, a, b, c]: [u8; 5]) -> CallbackOptions {
    CallbackOptions {
        cbcp: kinds & 2 != 0,
        ipmi: kinds & 1 != 0,
        from_list: negotiation & 8 != 0,
        caller_given: negotiation & 4 != 0,
        fixed: negotiation & 2 != 0,
        none: negotiation & 1 != 0,
        destinations: [a, b, c],
    }
}
