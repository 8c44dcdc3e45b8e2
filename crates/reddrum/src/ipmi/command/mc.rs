//! `mc`: Get Device ID, Get Device GUID and Get System GUID (§20.1, §20.8, §22.14), self test and resets (§20.2 to §20.4).

use ipmi::command::Command;
use ipmi::command::app::{
    ColdReset, DeviceId, GetDeviceGuid, GetDeviceId, GetSelfTestResults, GetSystemGuid, Guid,
    WarmReset,
};
use ipmi::number::DeviceAvailability;
use serde_json::json;

use crate::ipmi::args::ResetKind;
use crate::ipmi::report::{Report, pair};
use crate::ipmi::talk::{CallError, Line, Outcome};

/// Width of the names in the report.
const WIDTH: usize = 26;

/// Tells what the BMC is. GUIDs are optional: a BMC without one is told without.
pub(super) async fn info(line: Line) -> Outcome {
    let device = line.call(&GetDeviceId).await?;
    let device_guid = optional(&line, &GetDeviceGuid).await?;
    let system_guid = optional(&line, &GetSystemGuid).await?;
    Ok(report(&device, device_guid, system_guid))
}

/// Tells the system's GUID.
pub(super) async fn guid(line: Line) -> Outcome {
    let guid = line.call(&GetSystemGuid).await?.to_string();
    let text = format!("System GUID : {guid}");
    Ok(Report::line(text, json!({ "system_guid": guid })))
}

/// Tells how the self test went.
pub(super) async fn selftest(line: Line) -> Outcome {
    let test = line.call(&GetSelfTestResults).await?;
    let result = test.result.to_string();
    let faults: Vec<_> = test.faults().names().collect();
    let text = match faults.as_slice() {
        [] => format!("Selftest: {result}"),
        faults => format!("Selftest: {result}: {}", faults.join(", ")),
    };
    Ok(Report::line(
        text,
        json!({ "result": result, "faults": faults, "detail": test.detail }),
    ))
}

/// Restarts the BMC. Many do it before they answer: then nothing is known.
pub(super) async fn reset(line: Line, kind: ResetKind) -> Outcome {
    let name = match kind {
        ResetKind::Cold => {
            line.call(&ColdReset).await?;
            "cold"
        }
        ResetKind::Warm => {
            line.call(&WarmReset).await?;
            "warm"
        }
    };
    Ok(Report::line(
        format!("Sent {name} reset command to MC"),
        json!({ "reset": name }),
    ))
}

async fn optional<C>(line: &Line, command: &C) -> Result<Option<Guid>, CallError>
where
    C: Command<Response = Guid>,
{
    match line.call(command).await {
        Ok(guid) => Ok(Some(guid)),
        Err(error) if error.completion().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

fn report(device: &DeviceId, device_guid: Option<Guid>, system_guid: Option<Guid>) -> Report {
    let yes = |is: bool| if is { "yes" } else { "no" };
    let firmware = format!("{}.{:02x}", device.firmware_major, device.firmware_minor);
    let support: Vec<_> = device.support.names().collect();
    let auxiliary = device.auxiliary_firmware;
    let guids = [("Device GUID", device_guid), ("System GUID", system_guid)];
    let product = format!("{} (0x{:04x})", device.product, device.product);
    let mut lines = vec![
        pair("Device ID", WIDTH, device.device_id),
        pair("Device Revision", WIDTH, device.device_revision),
        pair("Firmware Revision", WIDTH, &firmware),
        pair("IPMI Version", WIDTH, device.ipmi_version),
        pair("Manufacturer ID", WIDTH, device.manufacturer.0),
        pair(
            "Manufacturer Name",
            WIDTH,
            device.manufacturer.name().unwrap_or("Unknown"),
        ),
        pair("Product ID", WIDTH, product),
        pair(
            "Device Available",
            WIDTH,
            yes(device.availability == DeviceAvailability::NORMAL),
        ),
        pair("Provides Device SDRs", WIDTH, yes(device.has_device_sdrs)),
        pair("Additional Device Support", WIDTH, ""),
    ];
    lines.extend(support.iter().map(|name| format!("    {name}")));
    if let Some(bytes) = auxiliary {
        lines.push(pair("Aux Firmware Rev Info", WIDTH, ""));
        lines.extend(bytes.iter().map(|byte| format!("    0x{byte:02x}")));
    }
    for (name, guid) in guids {
        lines.extend(guid.map(|guid| pair(name, WIDTH, guid)));
    }
    let value = json!({
        "device_id": device.device_id,
        "device_revision": device.device_revision,
        "firmware": firmware,
        "ipmi_version": device.ipmi_version.to_string(),
        "manufacturer_id": device.manufacturer.0,
        "manufacturer": device.manufacturer.name(),
        "product_id": device.product,
        "available": device.availability == DeviceAvailability::NORMAL,
        "provides_device_sdrs": device.has_device_sdrs,
        "support": support,
        "auxiliary_firmware": auxiliary,
        "device_guid": device_guid.map(|guid| guid.to_string()),
        "system_guid": system_guid.map(|guid| guid.to_string()),
    });
    Report::of(lines, value)
}
