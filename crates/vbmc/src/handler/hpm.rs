//! Firmware upgrade (HPM.1), and what HPM.2 says about LAN.

use ipmi::bmc::{Request, serve};
use ipmi::command::picmg::PicmgDone;
use ipmi::command::picmg::hpm::{
    AbortFirmwareUpgrade, ActivateFirmware, ComponentProperties, FinishFirmwareUpload,
    FirmwareVersion, GetComponentProperties, GetLanAttachCapabilities,
    GetTargetUpgradeCapabilities, GetUpgradeStatus, IN_PROGRESS, INVALID_COMPONENT,
    InitiateManualRollback, InitiateUpgradeAction, LanAttachCapabilities, NO_VERSION, PROPERTY_MAX,
    QueryRollbackStatus, QuerySelfTestResults, RollbackStatus, TargetUpgradeCapabilities,
    UpgradeSelfTest, UpgradeStatus, UploadFirmwareBlock, UploadedBlock,
};
use ipmi::command::{Bytes, Command};
use ipmi::number::{CompletionCode, HpmCapabilities, HpmProperty, SelfTestResult};
use ipmi::wire::Writer;

use super::Device;
use crate::controller::{COMPONENTS, Component, STEP_5S};

/// General properties of a component: rollback and backup are supported, the payload isn't affected, deferred activation,
/// comparison; bits 1:0, 2, 3, 4 (HPM.1 table 3-5).
const GENERAL: u8 = 0x1e;
/// Identifier of HPM.2.
const HPM_2: u8 = 2;
/// Where HPM.2's LAN parameters begin.
const HPM_2_LAN_PARAMETERS: u8 = 192;

/// Whether a command of PICMG's group is one of HPM.1, which servers have, too.
pub(super) const fn is_upgrade(cmd: u8) -> bool {
    matches!(cmd, 0x2e..=0x38)
}

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetTargetUpgradeCapabilities::CMD => {
            serve(request, response, |_: GetTargetUpgradeCapabilities| {
                Ok(TargetUpgradeCapabilities {
                    version: 0,
                    capabilities: HpmCapabilities::SELF_TEST
                        | HpmCapabilities::MANUAL_ROLLBACK
                        | HpmCapabilities::DEFERRED_ACTIVATION,
                    upgrade_5s: STEP_5S,
                    self_test_5s: STEP_5S,
                    rollback_5s: STEP_5S,
                    inaccessible_5s: STEP_5S,
                    components: u8::try_from((1 << COMPONENTS) - 1).unwrap_or(u8::MAX),
                })
            })
        }
        GetComponentProperties::CMD => serve(request, response, |c: GetComponentProperties| {
            let components = &device.machine.controller().firmware.components;
            let component = components.get(usize::from(c.component));
            property(component.ok_or(INVALID_COMPONENT)?, c.property)
        }),
        GetUpgradeStatus::CMD => serve(request, response, |_: GetUpgradeStatus| {
            let now_s = device.machine.at_s();
            let (command, completion, percent) = device.machine.controller().firmware.status(now_s);
            Ok(UpgradeStatus {
                command,
                completion,
                percent: Some(percent),
            })
        }),
        QuerySelfTestResults::CMD => serve(request, response, |_: QuerySelfTestResults| {
            Ok(UpgradeSelfTest {
                result: SelfTestResult::PASSED,
                detail: 0,
            })
        }),
        QueryRollbackStatus::CMD => serve(request, response, |_: QueryRollbackStatus| {
            let components = device.machine.controller().firmware.rolled_back();
            Ok(RollbackStatus {
                components,
                percent: Some(100),
            })
        }),
        GetLanAttachCapabilities::CMD => serve(request, response, |c: GetLanAttachCapabilities| {
            if c.identifier != Some(HPM_2) {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            Ok(LanAttachCapabilities {
                identifier: HPM_2,
                revision: 1,
                channels: 1_u16 << (device.config.channel & 0x0f),
                // No capabilities beyond; the channel's are LAN parameters from 192 on.
                more: Bytes::from([0, HPM_2_LAN_PARAMETERS, 1]),
            })
        }),
        _ => upgrade(device, request, response),
    }
}

/// The steps of an upgrade. Those that take their time are answered 80h.
fn upgrade(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let now_s = device.machine.at_s();
    let product = device.machine.profile().product_id;
    let firmware = &mut device.machine.controller_mut().firmware;
    match request.cmd {
        AbortFirmwareUpgrade::CMD => serve(request, response, |_: AbortFirmwareUpgrade| {
            done(firmware.abort(now_s))
        }),
        InitiateUpgradeAction::CMD => serve(request, response, |c: InitiateUpgradeAction| {
            done(firmware.initiate(now_s, c.components, c.action))
        }),
        UploadFirmwareBlock::CMD => serve(request, response, |c: UploadFirmwareBlock| {
            done(firmware.upload(now_s, c.number, &c.data))?;
            Ok(UploadedBlock { section: None })
        }),
        FinishFirmwareUpload::CMD => serve(request, response, |c: FinishFirmwareUpload| {
            done(firmware.finish(now_s, c.component, c.length, product))
        }),
        // Other firmware runs from here on: the controller restarts, and its sessions end.
        ActivateFirmware::CMD => serve(request, response, |_: ActivateFirmware| {
            let code = device.machine.controller_mut().firmware.activate(now_s);
            restart(device, code);
            done(code)
        }),
        InitiateManualRollback::CMD => serve(request, response, |_: InitiateManualRollback| {
            let code = device.machine.controller_mut().firmware.roll_back(now_s);
            restart(device, code);
            done(code)
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

/// Other firmware begins anew, as after a cold reset.
fn restart(device: &mut Device<'_>, code: CompletionCode) {
    if code == IN_PROGRESS {
        device.restart = true;
        device.machine.start_controller();
    }
}

fn done(code: CompletionCode) -> Result<PicmgDone, CompletionCode> {
    if code == CompletionCode::OK {
        Ok(PicmgDone)
    } else {
        Err(code)
    }
}

fn property(
    component: &Component,
    property: HpmProperty,
) -> Result<ComponentProperties, CompletionCode> {
    let data = match property {
        HpmProperty::GENERAL => Bytes::from([GENERAL]),
        HpmProperty::CURRENT_VERSION => component.current.to_data(),
        HpmProperty::DESCRIPTION => {
            // Twelve bytes with zeros behind the name.
            let mut name = [0; 12];
            let len = component.name.len().min(11);
            name[..len].copy_from_slice(&component.name.as_bytes()[..len]);
            Bytes::<PROPERTY_MAX>::from(name)
        }
        HpmProperty::ROLLBACK_VERSION => version(component.backup),
        HpmProperty::DEFERRED_VERSION => version(component.deferred),
        _ => return Err(CompletionCode(0x83)),
    };
    Ok(ComponentProperties { data })
}

/// A version that there may be none of now.
fn version(version: Option<FirmwareVersion>) -> Bytes<PROPERTY_MAX> {
    version.map_or_else(|| Bytes::from(NO_VERSION), |version| version.to_data())
}
