//! Who may use which payload (§24.3, §24.6 to §24.10). Activating one is the session layer's.

use ipmi::bmc::{Request, serve};
use ipmi::command::app::{
    ChannelPayloadSupport, GetChannelOemPayloadInfo, GetChannelPayloadSupport,
    GetChannelPayloadVersion, GetUserPayloadAccess, OemPayloadInfo, PayloadVersion,
    SetUserPayloadAccess, SuspendResumePayloadEncryption, UserPayloadAccess,
};
use ipmi::command::{Command, Empty};
use ipmi::number::{
    CompletionCode, PayloadAccessOperation, PayloadType, SetupPayloads, StandardPayloads,
};
use ipmi::wire::Writer;

use super::Device;
use crate::profile::Model;

/// There is no such payload.
const NO_PAYLOAD: CompletionCode = CompletionCode(0x80);
/// Suspend/Resume Payload Encryption: not for this payload.
const NOT_FOR_PAYLOAD: CompletionCode = CompletionCode(0x81);
/// All six payload types of session set-up.
const SETUP: SetupPayloads = SetupPayloads(0x3f);

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        SetUserPayloadAccess::CMD => serve(request, response, |c| set_access(device, &c)),
        GetUserPayloadAccess::CMD => serve(request, response, |c: GetUserPayloadAccess| {
            device.check_channel(c.channel)?;
            check_user(c.user_id)?;
            let users = &device.machine.controller().users;
            let settings = users.get(&c.user_id).copied().unwrap_or_default();
            Ok(UserPayloadAccess {
                standard: StandardPayloads(support(device).0 & !settings.payloads_forbidden),
                oem: 0,
            })
        }),
        GetChannelPayloadSupport::CMD => serve(request, response, |c: GetChannelPayloadSupport| {
            device.check_channel(c.channel)?;
            Ok(ChannelPayloadSupport {
                standard: support(device),
                setup: SETUP,
                oem: 0,
            })
        }),
        GetChannelPayloadVersion::CMD => serve(request, response, |c: GetChannelPayloadVersion| {
            device.check_channel(c.channel)?;
            let known = match c.payload_type.0 {
                standard @ 0..=0x0f => support(device).0 >> standard & 1 == 1,
                setup @ 0x10..=0x1f => SETUP.0 >> (setup & 0x0f) & 1 == 1,
                _ => false,
            };
            let version = PayloadVersion { major: 1, minor: 0 };
            known.then_some(version).ok_or(NO_PAYLOAD)
        }),
        GetChannelOemPayloadInfo::CMD => serve(request, response, |c: GetChannelOemPayloadInfo| {
            device.check_channel(c.channel)?;
            Err::<OemPayloadInfo, _>(NO_PAYLOAD)
        }),
        // What a session negotiated holds for all its packets.
        _ => serve(
            request,
            response,
            |c: SuspendResumePayloadEncryption| -> Result<Empty, _> {
                let known = c.payload_type == PayloadType::SOL;
                Err(if known { NOT_FOR_PAYLOAD } else { NO_PAYLOAD })
            },
        ),
    }
}

/// SOL needs a host that has a serial port.
fn support(device: &Device<'_>) -> StandardPayloads {
    if device.machine.profile().model == Model::Node {
        StandardPayloads::IPMI | StandardPayloads::SOL
    } else {
        StandardPayloads::IPMI
    }
}

const fn check_user(user_id: u8) -> Result<(), CompletionCode> {
    if user_id == 0 {
        Err(CompletionCode::PARAMETER_OUT_OF_RANGE)
    } else {
        Ok(())
    }
}

fn set_access(device: &mut Device<'_>, c: &SetUserPayloadAccess) -> Result<Empty, CompletionCode> {
    device.check_channel(c.channel)?;
    check_user(c.user_id)?;
    let users = &mut device.machine.controller_mut().users;
    let settings = users.entry(c.user_id).or_default();
    match c.operation {
        PayloadAccessOperation::ENABLE => settings.payloads_forbidden &= !c.standard.0,
        PayloadAccessOperation::DISABLE => settings.payloads_forbidden |= c.standard.0,
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    }
    Ok(Empty)
}
