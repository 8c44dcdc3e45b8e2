//! Makers' own commands (NetFn 2Eh, 30h, 3Ah, and group AEh), for the family that the machine has.

use ipmi::bmc::{Request, serve};
use ipmi::command::oem::dell::{
    ALL_FANS, CoolingResponse, GetPowerConsumption, GetThirdPartyCooling, PowerConsumption,
    SetFanControl, SetFanDuty, SetThirdPartyCooling, ThirdPartyCooling,
};
use ipmi::command::oem::fans::{
    ApplyFanBanks, AsrockFanDuties, GetAsrockFanDuties, SetAsrockFanDuties, SetFanBank,
};
use ipmi::command::oem::node_manager::{
    EnableNmPolicy, GetNmPolicy, GetNmStatistics, GetNmVersion, NmDone, NmPolicy, NmStatistics,
    NmVersion, SetNmPolicy,
};
use ipmi::command::oem::sbmr::{
    BootProgressCode, GetBootProgressCode, SbmrDone, SendBootProgressCode,
};
use ipmi::command::oem::supermicro::{
    FanMode, GetFanMode, GetZoneDuty, ResetIntrusion, SetFanMode, SetZoneDuty, ZoneDuty,
};
use ipmi::command::{Command, Empty};
use ipmi::number::{CompletionCode, NetFn, NmDomain, NmStatisticsMode, NmSwitch};
use ipmi::record::Timestamp;
use ipmi::wire::Writer;

use crate::controller::{OemFamily, POLICIES_MAX};
use crate::machine::Machine;

/// Node Manager: there is no such policy.
const NO_POLICY: CompletionCode = CompletionCode(0x80);
/// Mains voltage that currents are reckoned with.
const MAINS_V: u32 = 230;
/// Over which time Node Manager's statistics go, in seconds.
const STATISTICS_S: u32 = 600;

/// Answers a command of the machine's maker.
pub(super) fn handle(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match (machine.oem_family(), request.netfn) {
        (OemFamily::Supermicro, NetFn(0x30)) => supermicro(machine, request, response),
        (OemFamily::Dell, NetFn(0x30)) => dell(machine, request, response),
        (OemFamily::Asrock, NetFn(0x3a)) => asrock(machine, request, response),
        (OemFamily::SystemX, NetFn(0x3a)) => system_x(machine, request, response),
        (OemFamily::Sbmr, NetFn::GROUP_EXTENSION) => sbmr(machine, request, response),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

/// Whether a request is one of several commands that share their number.
fn is<C: Command>(request: &Request<'_>) -> bool {
    request.cmd == C::CMD && request.data.starts_with(C::PREFIX)
}

fn percent(duty: u8) -> Result<u8, CompletionCode> {
    if duty <= 100 {
        Ok(duty)
    } else {
        Err(CompletionCode::PARAMETER_OUT_OF_RANGE)
    }
}

fn supermicro(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    if is::<GetFanMode>(request) {
        return serve(request, response, |_: GetFanMode| {
            let mode = machine.controller().oem.fan_mode;
            Ok(FanMode { mode })
        });
    }
    if is::<SetFanMode>(request) {
        return serve(request, response, |c: SetFanMode| {
            c.mode.name().ok_or(CompletionCode::INVALID_DATA_FIELD)?;
            let oem = &mut machine.controller_mut().oem;
            oem.fan_mode = c.mode;
            // A new mode forgets the duties.
            oem.zones_percent.fill(100);
            Ok(Empty)
        });
    }
    if is::<GetZoneDuty>(request) {
        return serve(request, response, |c: GetZoneDuty| {
            let zone = machine
                .controller()
                .oem
                .zones_percent
                .get(usize::from(c.zone));
            let duty_percent = *zone.ok_or(CompletionCode::INVALID_DATA_FIELD)?;
            Ok(ZoneDuty { duty_percent })
        });
    }
    if is::<SetZoneDuty>(request) {
        return serve(request, response, |c: SetZoneDuty| {
            let zones = &mut machine.controller_mut().oem.zones_percent;
            let zone = zones.get_mut(usize::from(c.zone));
            *zone.ok_or(CompletionCode::INVALID_DATA_FIELD)? = percent(c.duty_percent)?;
            Ok(Empty)
        });
    }
    match request.cmd {
        ResetIntrusion::CMD => serve(request, response, |_: ResetIntrusion| Ok(Empty)),
        GetFanMode::CMD | GetZoneDuty::CMD => CompletionCode::INVALID_DATA_FIELD,
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn dell(machine: &mut Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    if is::<SetFanControl>(request) {
        return serve(request, response, |c: SetFanControl| {
            c.mode.name().ok_or(CompletionCode::INVALID_DATA_FIELD)?;
            machine.controller_mut().oem.dell_mode = c.mode;
            Ok(Empty)
        });
    }
    if is::<SetFanDuty>(request) {
        return serve(request, response, |c: SetFanDuty| {
            let duty = percent(c.duty_percent)?;
            let fans = &mut machine.controller_mut().oem.dell_percent;
            if c.fan == ALL_FANS {
                fans.fill(duty);
            } else {
                let fan = fans.get_mut(usize::from(c.fan));
                *fan.ok_or(CompletionCode::INVALID_DATA_FIELD)? = duty;
            }
            Ok(Empty)
        });
    }
    if is::<SetThirdPartyCooling>(request) {
        return serve(request, response, |c: SetThirdPartyCooling| {
            machine.controller_mut().oem.cooling_disabled = c.setting.disabled;
            Ok(Empty)
        });
    }
    if is::<GetThirdPartyCooling>(request) {
        return serve(request, response, |_: GetThirdPartyCooling| {
            let setting = CoolingResponse {
                length: 5,
                disabled: machine.controller().oem.cooling_disabled,
            };
            Ok(ThirdPartyCooling { setting })
        });
    }
    match request.cmd {
        GetPowerConsumption::CMD => serve(request, response, |_: GetPowerConsumption| {
            let power_w = machine.power_statistics(1).current_w;
            let current = u32::from(power_w) * 10 / MAINS_V;
            Ok(PowerConsumption {
                power_w,
                current_100ma: u16::try_from(current).unwrap_or(u16::MAX),
            })
        }),
        SetFanControl::CMD | GetThirdPartyCooling::CMD => CompletionCode::INVALID_DATA_FIELD,
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn asrock(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        SetAsrockFanDuties::CMD => serve(request, response, |c: SetAsrockFanDuties| {
            for duty in c.duties_percent {
                percent(duty)?;
            }
            machine.controller_mut().oem.headers_percent = c.duties_percent;
            Ok(Empty)
        }),
        GetAsrockFanDuties::CMD => serve(request, response, |_: GetAsrockFanDuties| {
            let duties_percent = machine.controller().oem.headers_percent;
            Ok(AsrockFanDuties { duties_percent })
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn system_x(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        SetFanBank::CMD => serve(request, response, |c: SetFanBank| {
            // Banks count from 1.
            let bank = usize::from(c.bank).checked_sub(1);
            let banks = &mut machine.controller_mut().oem.banks;
            let bank = bank.and_then(|bank| banks.get_mut(bank));
            let bank = bank.ok_or(CompletionCode::INVALID_DATA_FIELD)?;
            *bank = (c.duty_255, c.overriding == 1);
            Ok(Empty)
        }),
        ApplyFanBanks::CMD => serve(request, response, |_: ApplyFanBanks| {
            let oem = &mut machine.controller_mut().oem;
            oem.applied_banks = oem.banks;
            Ok(Empty)
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

/// Answers for Node Manager, which is not the BMC but the management engine behind it (`satellite.rs`).
pub(super) fn node_manager(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        SetNmPolicy::CMD => serve(request, response, |c: SetNmPolicy| {
            let policies = &mut machine.controller_mut().oem.policies;
            if !c.add {
                policies.remove(&c.policy).ok_or(NO_POLICY)?;
            } else if policies.len() >= POLICIES_MAX && !policies.contains_key(&c.policy) {
                return Err(CompletionCode::OUT_OF_SPACE);
            } else {
                policies.insert(c.policy, c);
            }
            Ok(NmDone)
        }),
        EnableNmPolicy::CMD => serve(request, response, |c: EnableNmPolicy| {
            let oem = &mut machine.controller_mut().oem;
            match c.switch {
                NmSwitch::GLOBAL_DISABLE | NmSwitch::DOMAIN_DISABLE => oem.policies_off = true,
                NmSwitch::GLOBAL_ENABLE | NmSwitch::DOMAIN_ENABLE => oem.policies_off = false,
                NmSwitch::POLICY_DISABLE | NmSwitch::POLICY_ENABLE => {
                    let policy = oem.policies.get_mut(&c.policy).ok_or(NO_POLICY)?;
                    policy.enabled = c.switch == NmSwitch::POLICY_ENABLE;
                }
                _ => return Err(CompletionCode::INVALID_DATA_FIELD),
            }
            Ok(NmDone)
        }),
        GetNmPolicy::CMD => serve(request, response, |c: GetNmPolicy| {
            let oem = &machine.controller().oem;
            let policy = oem.policies.get(&c.policy).ok_or(NO_POLICY)?;
            Ok(NmPolicy {
                globally_enabled: !oem.policies_off,
                domain_enabled: !oem.policies_off,
                enabled: policy.enabled,
                domain: policy.domain,
                correction: policy.correction,
                power: true,
                trigger: policy.trigger,
                exceptions: policy.exceptions,
                limit_w: policy.limit_w,
                correction_ms: policy.correction_ms,
                trigger_limit: policy.trigger_limit,
                period_s: policy.period_s,
            })
        }),
        GetNmStatistics::CMD => serve(request, response, |c: GetNmStatistics| {
            statistics(machine, &c)
        }),
        GetNmVersion::CMD => serve(request, response, |_: GetNmVersion| {
            Ok(NmVersion {
                version: 5,
                interface: 3,
                patch: 0,
                major: 4,
                minor: 1,
            })
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn statistics(machine: &Machine, c: &GetNmStatistics) -> Result<NmStatistics, CompletionCode> {
    let is_power = matches!(
        c.mode,
        NmStatisticsMode::GLOBAL_POWER | NmStatisticsMode::POLICY_POWER
    );
    if !is_power || c.domain != NmDomain::PLATFORM {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    let oem = &machine.controller().oem;
    let power = machine.power_statistics(STATISTICS_S);
    Ok(NmStatistics {
        current: power.current_w,
        minimum: power.minimum_w,
        maximum: power.maximum_w,
        average: power.average_w,
        at: Timestamp(machine.clock_s()),
        period_s: STATISTICS_S,
        limiting: oem.drive().cap_w.is_some(),
        measuring: true,
        operational: true,
        enabled: !oem.policies_off,
        domain: c.domain,
    })
}

fn sbmr(machine: &mut Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    match request.cmd {
        SendBootProgressCode::CMD => serve(request, response, |c: SendBootProgressCode| {
            machine.controller_mut().oem.boot_progress = c.code;
            Ok(SbmrDone)
        }),
        GetBootProgressCode::CMD => serve(request, response, |_: GetBootProgressCode| {
            let code = machine.controller().oem.boot_progress;
            Ok(BootProgressCode { code })
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}
