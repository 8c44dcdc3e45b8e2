//! The shelf manager of an `AdvancedTCA` shelf (PICMG, group extension 00h), with a mezzanine and a fan tray. Its address on
//! the bus is that of its sensors: 20h.

use ipmi::bmc::{Request, serve};
use ipmi::command::picmg::{
    AddressInfo, AmcClock, AmcLink, AmcPortStates, BusedResourceControl, BusedResourceStatus,
    ChannelSignaling, DeviceLocatorRecordId, FanLevel, FanSpeedProperties, FruActivationPolicy,
    FruControl, FruControlCapabilities, FruControlDone, FruLedProperties, FruLedState,
    GetAddressInfo, GetAmcClockState, GetAmcPortState, GetChannelSignalingClass,
    GetDeviceLocatorRecordId, GetFanLevel, GetFanSpeedProperties, GetFruActivationPolicy,
    GetFruControlCapabilities, GetFruLedProperties, GetFruLedState, GetLedColorCapabilities,
    GetPicmgProperties, GetPortState, GetPowerLevel, LedColorCapabilities, LinkDescriptor,
    PicmgDone, PicmgProperties, PortStates, PowerLevels, RunningClock, SetAmcClockState,
    SetAmcPortState, SetChannelSignalingClass, SetFanLevel, SetFruActivation,
    SetFruActivationPolicy, SetFruLedState, SetPortState, SetPowerLevel,
};
use ipmi::command::{Bytes, Command};
use ipmi::number::{
    ActivationPolicy, AmcLinkType, BusedResourceAction, BusedResourceOutcome, ChassisControlAction,
    ClockDirection, ClockPll, CompletionCode, FanLevelSetting, FruActivation, FruControlAction,
    FruControlSupport, IpmbAddress, LedColors, LinkInterface, LinkSignalingClass, LinkType,
    PicmgExtension, PicmgSiteType, PowerLevelType, RestartCause,
};
use ipmi::record::RecordId;
use ipmi::wire::Writer;

use crate::controller::{FRUS, LINKS_REMEMBERED, color};
use crate::machine::Machine;

/// Addresses of a shelf manager (PICMG 3.0 §3.2.3.1): hardware, and twice that on the bus.
const HARDWARE_ADDRESS: u8 = 0x10;
const IPMB_0_ADDRESS: u8 = 2 * HARDWARE_ADDRESS;
/// Draws at each level, in 10 W; the multiplier says so.
const DRAWS_10W: [u8; 2] = [10, 20];
const MULTIPLIER_100MW: u8 = 100;
/// The fan tray: its number and its levels.
const FAN_TRAY: u8 = 2;
const FAN_LEVELS: std::ops::RangeInclusive<u8> = 0..=15;
const FAN_NORMAL: u8 = 5;
const FAN_LOCAL: u8 = 0xff;

pub(super) fn handle(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetPicmgProperties::CMD => serve(request, response, |_: GetPicmgProperties| {
            // AdvancedTCA, extension 2.3.
            Ok(PicmgProperties {
                minor: 3,
                major: PicmgExtension::ATCA,
                fru_max: u8::try_from(FRUS - 1).unwrap_or(u8::MAX),
                fru_id: 0,
            })
        }),
        GetAddressInfo::CMD => serve(request, response, |c: GetAddressInfo| {
            let fru = c.fru_id.unwrap_or(0);
            check(fru)?;
            Ok(AddressInfo {
                hardware_address: HARDWARE_ADDRESS,
                ipmb_0_address: IpmbAddress::from_byte(IPMB_0_ADDRESS),
                ipmb_1_address: 0xff,
                fru_id: fru,
                site_number: 1,
                site_type: match fru {
                    0 => PicmgSiteType::SHELF_MANAGER,
                    FAN_TRAY => PicmgSiteType::FAN_TRAY,
                    _ => PicmgSiteType::AMC,
                },
                carrier: None,
            })
        }),
        GetDeviceLocatorRecordId::CMD => serve(request, response, |c: GetDeviceLocatorRecordId| {
            check(c.fru_id)?;
            // The controller's own record is the first of the repository; inventories follow.
            let record = RecordId(u16::from(c.fru_id) + 1);
            Ok(DeviceLocatorRecordId { record })
        }),
        FruControl::CMD => serve(request, response, |c| control(machine, &c)),
        GetFruControlCapabilities::CMD => {
            serve(request, response, |c: GetFruControlCapabilities| {
                check(c.fru_id)?;
                Ok(FruControlCapabilities {
                    support: FruControlSupport::GRACEFUL_REBOOT
                        | FruControlSupport::DIAGNOSTIC_INTERRUPT,
                })
            })
        }
        0x05..=0x08 => leds(machine, request, response),
        0x0a..=0x0c => activation(machine, request, response),
        0x11..=0x16 => levels(machine, request, response),
        _ => links(machine, request, response),
    }
}

fn check(fru: u8) -> Result<usize, CompletionCode> {
    let fru = usize::from(fru);
    if fru < FRUS {
        Ok(fru)
    } else {
        Err(CompletionCode::INVALID_DATA_FIELD)
    }
}

/// The board's payload is the host; the others have none that could be reset.
fn control(machine: &mut Machine, c: &FruControl) -> Result<FruControlDone, CompletionCode> {
    let fru = check(c.fru_id)?;
    let action = match c.action {
        FruControlAction::COLD_RESET | FruControlAction::GRACEFUL_REBOOT => {
            ChassisControlAction::HARD_RESET
        }
        FruControlAction::DIAGNOSTIC_INTERRUPT => ChassisControlAction::DIAGNOSTIC_INTERRUPT,
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    };
    if fru == 0 {
        machine
            .control_because(action, RestartCause::CHASSIS_CONTROL)
            .map_err(|_| CompletionCode::NOT_SUPPORTED_IN_STATE)?;
    }
    Ok(FruControlDone { data: Bytes::EMPTY })
}

fn leds(machine: &mut Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    let now_s = machine.at_s();
    match request.cmd {
        GetFruLedProperties::CMD => serve(request, response, |c: GetFruLedProperties| {
            check(c.fru_id)?;
            Ok(FruLedProperties {
                led_3: false,
                led_2: true,
                led_1: true,
                blue: true,
                application: 0,
            })
        }),
        GetLedColorCapabilities::CMD => serve(request, response, |c: GetLedColorCapabilities| {
            let fru = check(c.fru_id)?;
            let frus = &machine.controller().modular.frus;
            let led = frus[fru].led(now_s, c.led_id.0);
            led.ok_or(CompletionCode::INVALID_DATA_FIELD)?;
            let color = color(c.led_id.0);
            Ok(LedColorCapabilities {
                colors: LedColors(1 << color.0),
                default_local: color,
                default_override: color,
            })
        }),
        SetFruLedState::CMD => serve(request, response, |c: SetFruLedState| {
            let fru = check(c.fru_id)?;
            let frus = &mut machine.controller_mut().modular.frus;
            if frus[fru].set_led(now_s, c.led_id.0, c.behaviour) {
                Ok(PicmgDone)
            } else {
                Err(CompletionCode::INVALID_DATA_FIELD)
            }
        }),
        _ => serve(request, response, |c: GetFruLedState| {
            let fru = check(c.fru_id)?;
            let led = machine.controller().modular.frus[fru].led(now_s, c.led_id.0);
            let led = led.ok_or(CompletionCode::INVALID_DATA_FIELD)?;
            let (state, local, overriding, lamp_test_100ms) = led;
            Ok(FruLedState {
                state,
                local,
                overriding,
                lamp_test_100ms,
            })
        }),
    }
}

fn activation(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        SetFruActivationPolicy::CMD => serve(request, response, |c: SetFruActivationPolicy| {
            let fru = check(c.fru_id)?;
            let policy = &mut machine.controller_mut().modular.frus[fru].policy;
            *policy = *policy & !c.mask.0 | c.set.0 & c.mask.0;
            Ok(PicmgDone)
        }),
        GetFruActivationPolicy::CMD => serve(request, response, |c: GetFruActivationPolicy| {
            let fru = check(c.fru_id)?;
            let policy = ActivationPolicy(machine.controller().modular.frus[fru].policy);
            Ok(FruActivationPolicy { policy })
        }),
        _ => serve(request, response, |c: SetFruActivation| {
            let fru = check(c.fru_id)?;
            activate(machine, fru, c.activation)?;
            Ok(PicmgDone)
        }),
    }
}

/// Activates or deactivates a FRU; the board's payload goes on or off with it.
pub(super) fn activate(
    machine: &mut Machine,
    fru: usize,
    activation: FruActivation,
) -> Result<(), CompletionCode> {
    if activation.name().is_none() {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    machine.controller_mut().modular.frus[fru].power_level = activation.0;
    let changed = machine.set_hot_swap(u8::try_from(fru).unwrap_or(u8::MAX), activation);
    if fru == 0 && changed {
        let action = if activation == FruActivation::ACTIVATE {
            ChassisControlAction::POWER_UP
        } else {
            ChassisControlAction::POWER_DOWN
        };
        machine
            .control_because(action, RestartCause::CHASSIS_CONTROL)
            .map_err(|_| CompletionCode::NOT_SUPPORTED_IN_STATE)?;
    }
    Ok(())
}

fn levels(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        SetPowerLevel::CMD => serve(request, response, |c: SetPowerLevel| {
            let fru = check(c.fru_id)?;
            if usize::from(c.level) > DRAWS_10W.len() && c.level != 0xff {
                return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
            }
            if c.level == 0 {
                activate(machine, fru, FruActivation(0))?;
            }
            let found = &mut machine.controller_mut().modular.frus[fru];
            if c.copy_desired == 1 {
                found.power_level = found.desired_level;
            }
            if c.level != 0xff {
                found.power_level = c.level;
            }
            Ok(PicmgDone)
        }),
        GetPowerLevel::CMD => serve(request, response, |c: GetPowerLevel| {
            let fru = check(c.fru_id)?;
            let found = &machine.controller().modular.frus[fru];
            let level = match c.kind {
                PowerLevelType::STEADY | PowerLevelType::EARLY => found.power_level,
                PowerLevelType::DESIRED_STEADY | PowerLevelType::DESIRED_EARLY => {
                    found.desired_level
                }
                _ => return Err(CompletionCode::INVALID_DATA_FIELD),
            };
            Ok(PowerLevels {
                dynamic: false,
                level,
                delay_100ms: 0,
                multiplier_100mw: MULTIPLIER_100MW,
                draws: Bytes::from(DRAWS_10W),
            })
        }),
        GetFanSpeedProperties::CMD => serve(request, response, |c: GetFanSpeedProperties| {
            check_fans(c.fru_id)?;
            Ok(FanSpeedProperties {
                minimum: *FAN_LEVELS.start(),
                maximum: *FAN_LEVELS.end(),
                normal: FAN_NORMAL,
                local_control: true,
            })
        }),
        SetFanLevel::CMD => serve(request, response, |c: SetFanLevel| {
            let fru = check_fans(c.fru_id)?;
            let known = FAN_LEVELS.contains(&c.level.0) || c.level.name().is_some();
            if !known {
                return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
            }
            machine.controller_mut().modular.frus[fru].fan_level = c.level.0;
            Ok(PicmgDone)
        }),
        GetFanLevel::CMD => serve(request, response, |c: GetFanLevel| {
            let fru = check_fans(c.fru_id)?;
            let level = machine.controller().modular.frus[fru].fan_level;
            Ok(FanLevel {
                override_level: FanLevelSetting(level),
                local_level: Some(FAN_NORMAL),
                local_control: Some(u8::from(level == FAN_LOCAL)),
            })
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn check_fans(fru: u8) -> Result<usize, CompletionCode> {
    if fru == FAN_TRAY {
        check(fru)
    } else {
        Err(CompletionCode::INVALID_DATA_FIELD)
    }
}

/// Electronic keying: the board has one link to each shelf manager on the base interface, and one fabric link.
const LINKS: [LinkDescriptor; 2] = [
    LinkDescriptor {
        grouping: 0,
        extension: 0,
        link_type: LinkType::BASE,
        ports: 1,
        interface: LinkInterface::BASE,
        channel: 1,
    },
    LinkDescriptor {
        grouping: 0,
        extension: 1,
        link_type: LinkType::ETHERNET,
        ports: 0x0f,
        interface: LinkInterface::FABRIC,
        channel: 1,
    },
];

/// The link of its mezzanine.
const AMC_LINK: AmcLink = AmcLink {
    grouping: 0,
    extension: 0,
    link_type: AmcLinkType::ETHERNET,
    lanes: 1,
};

const fn number_of(link: LinkDescriptor) -> u32 {
    (link.grouping as u32) << 24
        | (link.extension as u32 & 0x0f) << 20
        | (link.link_type.0 as u32) << 12
        | (link.ports as u32 & 0x0f) << 8
        | (link.interface.0 as u32 & 0x03) << 6
        | (link.channel as u32 & 0x3f)
}

const fn number_of_amc(link: AmcLink) -> u32 {
    (link.grouping as u32) << 16
        | (link.extension as u32 & 0x0f) << 12
        | (link.link_type.0 as u32) << 4
        | (link.lanes as u32 & 0x0f)
}

fn links(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        SetPortState::CMD => serve(request, response, |c: SetPortState| {
            let known = LINKS.contains(&c.link);
            if !known || c.state.name().is_none() {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            let links = &mut machine.controller_mut().modular.links;
            links.insert(number_of(c.link), c.state.0);
            Ok(PicmgDone)
        }),
        GetPortState::CMD => serve(request, response, |c: GetPortState| {
            let states = &machine.controller().modular.links;
            let mut all = Vec::new();
            for link in LINKS {
                if link.channel == c.channel && link.interface == c.interface {
                    let number = number_of(link);
                    all.extend(number.to_le_bytes());
                    all.push(states.get(&number).copied().unwrap_or(0));
                }
            }
            let links = Bytes::new(&all).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?;
            Ok(PortStates { links })
        }),
        SetAmcPortState::CMD => serve(request, response, |c: SetAmcPortState| {
            if c.link != AMC_LINK || c.channel != 0 || c.state.name().is_none() {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            let links = &mut machine.controller_mut().modular.amc_links;
            links.insert((c.channel, number_of_amc(c.link)), c.state.0);
            Ok(PicmgDone)
        }),
        GetAmcPortState::CMD => serve(request, response, |c: GetAmcPortState| {
            if c.channel != 0 {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            let number = number_of_amc(AMC_LINK);
            let states = &machine.controller().modular.amc_links;
            let state = states.get(&(0, number)).copied().unwrap_or(0);
            let [a, b, d, _] = number.to_le_bytes();
            Ok(AmcPortStates {
                links: Bytes::from([a, b, d, state]),
            })
        }),
        _ => clocks(machine, request, response),
    }
}

fn clocks(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        SetAmcClockState::CMD => serve(request, response, |c: SetAmcClockState| {
            let clocks = &mut machine.controller_mut().modular.clocks;
            if clocks.len() >= LINKS_REMEMBERED && !clocks.contains_key(&c.clock) {
                return Err(CompletionCode::OUT_OF_SPACE);
            }
            clocks.insert(c.clock, c.setting);
            Ok(PicmgDone)
        }),
        GetAmcClockState::CMD => serve(request, response, |c: GetAmcClockState| {
            let clocks = &machine.controller().modular.clocks;
            let running = clocks.get(&c.clock).filter(|setting| setting.enabled);
            Ok(AmcClock {
                enabled: running.is_some(),
                direction: running.map_or(ClockDirection::RECEIVER, |setting| setting.direction),
                pll: running.map_or(ClockPll::DEFAULT_STATE, |setting| setting.pll),
                running: running.map(|setting| RunningClock {
                    index: setting.index,
                    family: setting.family,
                    accuracy: setting.accuracy,
                    frequency_hz: setting.frequency_hz,
                }),
            })
        }),
        SetChannelSignalingClass::CMD => serve(request, response, |c: SetChannelSignalingClass| {
            let classes = &mut machine.controller_mut().modular.signaling;
            classes.insert(c.interface.0 << 6 | c.channel, c.class.0);
            Ok(PicmgDone)
        }),
        GetChannelSignalingClass::CMD => serve(request, response, |c: GetChannelSignalingClass| {
            let classes = &machine.controller().modular.signaling;
            let class = classes.get(&(c.interface.0 << 6 | c.channel));
            Ok(ChannelSignaling {
                interface: c.interface,
                channel: c.channel,
                class: LinkSignalingClass(class.copied().unwrap_or(0)),
            })
        }),
        BusedResourceControl::CMD => serve(request, response, |c: BusedResourceControl| {
            if c.resource.name().is_none() {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            let bit = 1_u8 << c.resource.0;
            let buses = &mut machine.controller_mut().modular.buses;
            let had = *buses & bit != 0;
            match c.action {
                BusedResourceAction::QUERY => return Ok(status(!had)),
                BusedResourceAction::RELEASE | BusedResourceAction::FORCE => *buses &= !bit,
                BusedResourceAction::BUS_FREE => *buses |= bit,
                _ => return Err(CompletionCode::INVALID_DATA_FIELD),
            }
            Ok(status(true))
        }),
        _ => super::microtca::handle(machine, request, response),
    }
}

const fn status(done: bool) -> BusedResourceStatus {
    BusedResourceStatus {
        outcome: if done {
            BusedResourceOutcome::ACKNOWLEDGED
        } else {
            BusedResourceOutcome::REFUSED
        },
    }
}
