//! Application commands: the controller itself (§20).

use ipmi::bmc::{Request, serve};
use ipmi::command::Command;
use ipmi::command::app::{DeviceId, GetDeviceGuid, GetDeviceId, IpmiVersion};
use ipmi::number::CompletionCode;
use ipmi::wire::Writer;

use super::Device;
use crate::profile::{FIRMWARE, MANUFACTURER_ID, Profile};
use crate::sdr::support;

/// The controller's kind (§20.1, byte 2): any number.
const DEVICE_ID: u8 = 0x20;

pub(super) fn handle(
    device: &Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetDeviceId::CMD => serve(request, response, |_: GetDeviceId| {
            Ok(device_id(device.machine.profile()))
        }),
        GetDeviceGuid::CMD => serve(request, response, |_: GetDeviceGuid| Ok(device.config.guid)),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn device_id(profile: &Profile) -> DeviceId {
    let (firmware_major, minor) = FIRMWARE;
    DeviceId {
        device_id: DEVICE_ID,
        has_device_sdrs: false,
        device_revision: 1,
        updating: false,
        firmware_major,
        // Two decimal digits in BCD.
        firmware_minor: minor / 10 << 4 | minor % 10,
        ipmi_version: IpmiVersion::V2_0,
        support: support(profile.model),
        manufacturer: MANUFACTURER_ID,
        product: profile.product_id,
        auxiliary_firmware: Some([0; 4]),
    }
}
