//! `ComputerSystem` and its collection: every node that is a computer.

use std::sync::Arc;

use hardware::{
    BootMode, BootOverride, BootPersistence, BootTarget, Indicator, Node, NodeId, Power,
    PowerAction,
};
use redfish::TASK_SERVICE;
use redfish_schema::computer_system::{
    Actions, Boot, BootSource, BootSourceOverrideEnabled, BootSourceOverrideMode, COLLECTION,
    ComputerSystem, IndicatorLED, Links, ResetAction, SystemType,
};
use redfish_schema::resource::{PowerState, ResetType};
use redfish_schema::{Collection, Nullable, OperationApplyTimeSupport, Reference};

use crate::{memory, processor, status, uri};

/// Every way to reset that a machine can be asked for, as Redfish and as the hardware model name it.
pub(crate) const RESETS: [(ResetType, PowerAction); 6] = [
    (ResetType::On, PowerAction::On),
    (ResetType::ForceOff, PowerAction::ForceOff),
    (ResetType::GracefulShutdown, PowerAction::GracefulShutdown),
    (ResetType::ForceRestart, PowerAction::ForceRestart),
    (ResetType::PowerCycle, PowerAction::PowerCycle),
    (ResetType::Nmi, PowerAction::Nmi),
];

/// Every boot source, as Redfish and as the hardware model name it.
pub(crate) const BOOT_SOURCES: [(BootSource, BootTarget); 7] = [
    (BootSource::None, BootTarget::None),
    (BootSource::Pxe, BootTarget::Pxe),
    (BootSource::Hdd, BootTarget::Disk),
    (BootSource::Cd, BootTarget::Cd),
    (BootSource::Usb, BootTarget::Removable),
    (BootSource::BiosSetup, BootTarget::Setup),
    (BootSource::Diags, BootTarget::Diagnostics),
];

/// Every lifetime of a boot override.
pub(crate) const BOOT_PERSISTENCES: [(BootSourceOverrideEnabled, BootPersistence); 3] = [
    (
        BootSourceOverrideEnabled::Disabled,
        BootPersistence::Disabled,
    ),
    (BootSourceOverrideEnabled::Once, BootPersistence::Once),
    (
        BootSourceOverrideEnabled::Continuous,
        BootPersistence::Continuous,
    ),
];

/// Both firmware interfaces.
pub(crate) const BOOT_MODES: [(BootSourceOverrideMode, BootMode); 2] = [
    (BootSourceOverrideMode::Legacy, BootMode::Legacy),
    (BootSourceOverrideMode::UEFI, BootMode::Uefi),
];

pub(crate) fn collection(computers: &[NodeId]) -> Collection {
    let members = computers
        .iter()
        .map(|id| Reference::to(uri::system(id.as_str())))
        .collect();
    Collection::new(&COLLECTION, uri::SYSTEMS, "Computer systems", members)
}

pub(crate) fn resource(node: &Arc<Node>) -> ComputerSystem {
    let id = node.id.as_str();
    let path = uri::system(id);
    let product = node.inventory.product();
    let board = node.inventory.board();
    let asset_tag = node.identity.asset_tag.as_deref().or(product.asset_tag);
    let model = product
        .name
        .or(product.model)
        .or(board.name)
        .or(board.model);
    let health = status::node_health(node).map(status::health);
    let processor_summary = processor::summary(node);
    ComputerSystem {
        system_type: Some(SystemType::Physical),
        asset_tag: asset_tag.map(Into::into),
        manufacturer: product.manufacturer.or(board.manufacturer).map(Into::into),
        model: model.map(Into::into),
        serial_number: product.serial_number.map(Into::into),
        part_number: product.part_number.map(Into::into),
        uuid: node.identity.uuid.map(|uuid| uuid.to_string().into()),
        host_name: node.identity.host_name.as_deref().map(Into::into),
        bios_version: node.identity.bios_version.as_deref().map(Into::into),
        memory_summary: memory::summary(node),
        memory: memory::collection(node).map(|_| Reference::to(uri::memory(id))),
        processors: processor_summary
            .is_some()
            .then(|| Reference::to(uri::processors(id))),
        processor_summary,
        location_indicator_active: Some(indicator(node)),
        indicator_led: Some(indicator_led(node, IndicatorLED::Lit, IndicatorLED::Off)),
        power_state: Some(power_state(node)),
        boot: Some(boot(node.boot.as_ref())),
        status: Some(status::rolled_up(status::host_state(node), health)),
        links: Some(Links {
            chassis: Some(vec![Reference::to(uri::chassis(id))]),
            managed_by: Some(vec![Reference::to(uri::manager(id))]),
            ..Links::default()
        }),
        actions: Some(Actions {
            reset: Some(reset_action(&path)),
        }),
        ..ComputerSystem::new(path.as_str(), id, id)
    }
}

fn reset_action(path: &str) -> ResetAction {
    let allowed = RESETS.iter().map(|(reset, _)| *reset).collect();
    ResetAction {
        reset_type_allowable_values: Some(allowed),
        operation_apply_time_support: Some(OperationApplyTimeSupport::in_window_of(TASK_SERVICE)),
        ..ResetAction::new(format!("{path}/Actions/ComputerSystem.Reset"))
    }
}

/// `null` while nobody knows: the machine was never reached, or doesn't answer any more.
pub(crate) fn power_state(node: &Node) -> Nullable<PowerState> {
    if node.link != hardware::Link::Up {
        return Nullable::Null;
    }
    Nullable::Value(match node.power {
        Power::Unknown => return Nullable::Null,
        Power::On => PowerState::On,
        Power::Off => PowerState::Off,
        Power::PoweringOn => PowerState::PoweringOn,
        Power::PoweringOff => PowerState::PoweringOff,
    })
}

/// Whether the identify light is lit; `null` where the machine doesn't tell.
pub(crate) const fn indicator(node: &Node) -> Nullable<bool> {
    match node.indicator {
        Indicator::Unknown => Nullable::Null,
        Indicator::Off => Nullable::Value(false),
        Indicator::Timed | Indicator::On => Nullable::Value(true),
    }
}

/// The same in the words of the older `IndicatorLED`, which systems and chassis define separately.
pub(crate) fn indicator_led<T>(node: &Node, lit: T, off: T) -> Nullable<T> {
    match indicator(node) {
        Nullable::Null => Nullable::Null,
        Nullable::Value(true) => Nullable::Value(lit),
        Nullable::Value(false) => Nullable::Value(off),
    }
}

fn boot(current: Option<&BootOverride>) -> Boot {
    let named = |value: Option<BootTarget>| {
        BOOT_SOURCES
            .iter()
            .find(|(_, target)| Some(*target) == value)
            .map(|(name, _)| *name)
    };
    let persistence = current.map(|boot| boot.persistence);
    let mode = current.map(|boot| boot.mode);
    let enabled = BOOT_PERSISTENCES
        .iter()
        .find(|(_, p)| Some(*p) == persistence);
    let mode = BOOT_MODES.iter().find(|(_, m)| Some(*m) == mode);
    Boot {
        boot_source_override_enabled: Some(enabled.map(|(name, _)| *name).into()),
        boot_source_override_enabled_allowable_values: Some(names(&BOOT_PERSISTENCES)),
        boot_source_override_target: Some(named(current.map(|boot| boot.target)).into()),
        boot_source_override_target_allowable_values: Some(names(&BOOT_SOURCES)),
        boot_source_override_mode: Some(mode.map(|(name, _)| *name).into()),
        boot_source_override_mode_allowable_values: Some(names(&BOOT_MODES)),
    }
}

fn names<A: Copy, B>(pairs: &[(A, B)]) -> Vec<A> {
    pairs.iter().map(|(name, _)| *name).collect()
}
