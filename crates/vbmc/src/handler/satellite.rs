//! The controllers behind the BMC, which Send Message reaches (§22.7): of machines with Intel's Node Manager the management
//! engine.

use ipmi::bmc::{Request, minimum_privilege, serve};
use ipmi::command::app::{
    DeviceId, EMBEDDED_MAX, GetDeviceId, IpmiVersion, SendMessage, SentMessage,
};
use ipmi::command::{Bytes, Command};
use ipmi::number::{
    ChannelNumber, CompletionCode, DeviceAvailability, DeviceSupport, EnterpriseNumber,
    MessageTracking, NetFn,
};
use ipmi::wire::Writer;
use ipmi::wire::message::LanMessage;

use super::oem;
use crate::controller::OemFamily;
use crate::machine::Machine;

/// Where the management engine is on nearly all of Intel's boards.
pub const ENGINE_CHANNEL: ChannelNumber = ChannelNumber(6);
/// Its slave address there.
pub const ENGINE_ADDRESS: u8 = 0x2c;

/// Nobody acknowledged the message.
const NAK_ON_WRITE: CompletionCode = CompletionCode(0x83);
/// Room for the data of an answer: what a message on the bus has room for, and more.
const ANSWER_MAX: usize = 128;

/// Passes a message on; its answer comes with that of Send Message.
pub(super) fn send(
    machine: &mut Machine,
    request: &Request<'_>,
    c: &SendMessage,
) -> Result<SentMessage, CompletionCode> {
    let has_engine = machine.oem_family() == OemFamily::NodeManager;
    match c.channel {
        // The bus is there, and nobody else is on it.
        ChannelNumber::PRIMARY_IPMB => Err(NAK_ON_WRITE),
        ENGINE_CHANNEL if has_engine => to_engine(machine, request, c),
        _ => Err(CompletionCode::INVALID_DATA_FIELD),
    }
}

fn to_engine(
    machine: &mut Machine,
    request: &Request<'_>,
    c: &SendMessage,
) -> Result<SentMessage, CompletionCode> {
    // Without tracking nobody would get the answer.
    if c.tracking != MessageTracking::TRACK {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    let message = LanMessage::decode(c.message.as_slice());
    let LanMessage { header, body } = message.map_err(|_| CompletionCode::INVALID_DATA_FIELD)?;
    if header.to != ENGINE_ADDRESS {
        return Err(NAK_ON_WRITE);
    }
    let inner = Request {
        netfn: header.netfn,
        lun: header.to_lun,
        cmd: header.cmd,
        data: body,
        ..*request
    };
    let mut buffer = [0; ANSWER_MAX];
    let mut answer = Writer::new(&mut buffer);
    let code = engine(machine, &inner, &mut answer);
    let mut out = [0; EMBEDDED_MAX];
    let mut w = Writer::new(&mut out);
    header.response().encode(&mut w, |w| {
        w.u8(code.0);
        w.bytes(answer.written());
    });
    let data = Bytes::new(w.written()).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?;
    Ok(SentMessage { data })
}

/// The management engine's answer. It knows no users: the BMC sees to it that nobody goes over it to what he may not do.
fn engine(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    if request.lun != 0 {
        return CompletionCode::INVALID_FOR_LUN;
    }
    if request.privilege < minimum_privilege(request.netfn, request.cmd, request.data) {
        return CompletionCode::INSUFFICIENT_PRIVILEGE;
    }
    match (request.netfn, request.cmd) {
        (NetFn::APP, GetDeviceId::CMD) => {
            serve(request, response, |_: GetDeviceId| Ok(device_id()))
        }
        (NetFn::OEM_GROUP, _) => oem::node_manager(machine, request, response),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

const fn device_id() -> DeviceId {
    DeviceId {
        device_id: 0x50,
        has_device_sdrs: false,
        device_revision: 1,
        availability: DeviceAvailability::NORMAL,
        firmware_major: 4,
        firmware_minor: 1,
        ipmi_version: IpmiVersion::V2_0,
        support: DeviceSupport::EVENT_GENERATOR,
        manufacturer: EnterpriseNumber::INTEL,
        product: 0x0b00,
        auxiliary_firmware: None,
    }
}
