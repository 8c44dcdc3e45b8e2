//! Makers' own commands, over the network, and what the machine does about them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]

mod support;

use ipmi::command::Bytes;
use ipmi::command::app::{
    GetDeviceId, GetSystemInfoParameters, SetSessionPrivilegeLevel, SetSystemInfoParameters,
    SystemText,
};
use ipmi::command::oem::OEM_COMMANDS;
use ipmi::command::oem::dell::{
    ALL_FANS, GetPowerConsumption, GetThirdPartyCooling, LCD_MODE, LCD_TEXT, LcdMode,
    SetFanControl, SetFanDuty,
};
use ipmi::command::oem::fans::{ApplyFanBanks, GetAsrockFanDuties, SetAsrockFanDuties, SetFanBank};
use ipmi::command::oem::node_manager::{
    EnableNmPolicy, GetNmPolicy, GetNmStatistics, GetNmVersion, SetNmPolicy,
};
use ipmi::command::oem::sbmr::{GetBootProgressCode, SendBootProgressCode};
use ipmi::command::oem::supermicro::{GetFanMode, GetZoneDuty, SetFanMode, SetZoneDuty};
use ipmi::command::sensor::GetSensorReading;
use ipmi::console::{Bridge, CommandError, Hop};
use ipmi::number::{
    CompletionCode, DellFanMode, DellLcdMode, EnterpriseNumber, NmDomain, NmPolicyExceptions,
    NmStatisticsMode, NmSwitch, NmTrigger, PrivilegeLevel, StringEncoding, SupermicroFanMode,
};
use support::{Console, World};
use vbmc::controller::OemFamily;
use vbmc::handler::{ENGINE_ADDRESS, ENGINE_CHANNEL};

/// Number of Fan1's sensor.
const FAN_1: u8 = 0x20;
/// Seconds until fans have followed.
const FOLLOWED_S: u64 = 30;

/// A node of a family, and a console.
fn node(family: OemFamily) -> (World, Console) {
    let mut world = World::new(1, 1);
    let now = world.now;
    world.site.machine(0, now).set_oem_family(family);
    let console = world.console(0);
    (world, console)
}

/// The way to Intel's management engine, which has Node Manager.
fn engine() -> Option<Bridge> {
    let hop = Hop::new(ENGINE_CHANNEL.0, ENGINE_ADDRESS).unwrap();
    Some(Bridge::to(hop))
}

/// The raw reading of a fan.
fn fan(world: &mut World, console: &mut Console) -> u8 {
    world.sleep(FOLLOWED_S);
    let get = GetSensorReading {
        sensor_number: FAN_1,
    };
    world.ask(console, &get).unwrap().raw
}

#[test]
fn a_supermicro_zone_turns_its_fans_only_in_full_mode() {
    let (mut world, mut console) = node(OemFamily::Supermicro);
    let before = fan(&mut world, &mut console);
    let mode = SupermicroFanMode::FULL;
    world.ask(&mut console, &SetFanMode { mode }).unwrap();
    assert_eq!(world.ask(&mut console, &GetFanMode).unwrap().mode, mode);
    let full = fan(&mut world, &mut console);
    let set = SetZoneDuty {
        zone: 0,
        duty_percent: 40,
    };
    world.ask(&mut console, &set).unwrap();
    let zone = world.ask(&mut console, &GetZoneDuty { zone: 0 }).unwrap();
    assert_eq!(zone.duty_percent, 40);
    let slow = fan(&mut world, &mut console);
    assert!(full > before && slow < full / 2, "{before} {full} {slow}");
    let wrong = SetZoneDuty {
        duty_percent: 101,
        ..set
    };
    let refused = CommandError::Completion(CompletionCode::PARAMETER_OUT_OF_RANGE);
    assert_eq!(world.ask(&mut console, &wrong), Err(refused));
}

#[test]
fn dells_fans_power_and_lcd() {
    let (mut world, mut console) = node(OemFamily::Dell);
    let mode = DellFanMode::MANUAL;
    world.ask(&mut console, &SetFanControl { mode }).unwrap();
    let duty = SetFanDuty {
        fan: ALL_FANS,
        duty_percent: 100,
    };
    world.ask(&mut console, &duty).unwrap();
    let full = fan(&mut world, &mut console);
    let slower = SetFanDuty {
        fan: 0,
        duty_percent: 50,
    };
    world.ask(&mut console, &slower).unwrap();
    let half = fan(&mut world, &mut console);
    assert!(half < full / 10 * 6, "{half} {full}");
    let power = world.ask(&mut console, &GetPowerConsumption).unwrap();
    assert!((100..1000).contains(&power.power_w));
    let cooling = world.ask(&mut console, &GetThirdPartyCooling).unwrap();
    assert!(!cooling.setting.disabled);

    let text = SystemText {
        encoding: StringEncoding::LATIN_1,
        bytes: b"rack 7, please do not unplug".to_vec(),
    };
    for number in 0..2 {
        let mut data = vec![number];
        data.extend(text.block(number).unwrap());
        let set = SetSystemInfoParameters {
            parameter: LCD_TEXT,
            data: Bytes::new(&data).unwrap(),
        };
        world.ask(&mut console, &set).unwrap();
    }
    let mode = LcdMode {
        mode: DellLcdMode::USER_TEXT,
    };
    let set = SetSystemInfoParameters {
        parameter: LCD_MODE,
        data: mode.to_data(),
    };
    world.ask(&mut console, &set).unwrap();
    let mut get = |parameter, set| {
        let get = GetSystemInfoParameters {
            revision_only: false,
            parameter,
            set,
            block: 0,
        };
        world.ask(&mut console, &get).unwrap().data
    };
    let blocks = [get(LCD_TEXT, 0), get(LCD_TEXT, 1)].map(|block| block[1..].to_vec());
    assert_eq!(SystemText::from_blocks(&blocks.concat()), text);
    assert_eq!(LcdMode::from_data(&get(LCD_MODE, 0)), Ok(mode));
}

#[test]
fn headers_of_asrock_and_banks_of_system_x() {
    let (mut world, mut console) = node(OemFamily::Asrock);
    let before = fan(&mut world, &mut console);
    let mut duties_percent = [1; 8];
    duties_percent[0] = 100;
    world
        .ask(&mut console, &SetAsrockFanDuties { duties_percent })
        .unwrap();
    let set = world.ask(&mut console, &GetAsrockFanDuties).unwrap();
    assert_eq!(set.duties_percent, duties_percent);
    let full = fan(&mut world, &mut console);
    assert!(full > before);

    let (mut world, mut console) = node(OemFamily::SystemX);
    let bank = SetFanBank {
        bank: 1,
        duty_255: 255,
        overriding: 1,
    };
    world.ask(&mut console, &bank).unwrap();
    assert!(fan(&mut world, &mut console) < full, "not applied yet");
    world.ask(&mut console, &ApplyFanBanks).unwrap();
    assert!(fan(&mut world, &mut console).abs_diff(full) <= 2);
}

#[test]
fn a_policy_of_node_manager_keeps_power_below_its_limit() {
    let (mut world, mut console) = node(OemFamily::NodeManager);
    assert_eq!(
        world
            .ask_over(&mut console, engine(), &GetNmVersion)
            .unwrap()
            .version,
        5
    );
    let id = world.ask_over(&mut console, engine(), &GetDeviceId);
    assert_eq!(id.unwrap().manufacturer, EnterpriseNumber::INTEL);
    let not_here = CommandError::Completion(CompletionCode::INVALID_COMMAND);
    assert_eq!(world.ask(&mut console, &GetNmVersion), Err(not_here));
    let statistics = GetNmStatistics {
        mode: NmStatisticsMode::GLOBAL_POWER,
        domain: NmDomain::PLATFORM,
        policy: 0,
    };
    world.sleep(FOLLOWED_S);
    let before = world.ask_over(&mut console, engine(), &statistics).unwrap();
    let limit_w = before.current - 30;
    let set = SetNmPolicy {
        enabled: true,
        domain: NmDomain::PLATFORM,
        policy: 3,
        correction: 0,
        add: true,
        trigger: NmTrigger::NONE,
        exceptions: NmPolicyExceptions::ALERT,
        limit_w,
        correction_ms: 6_000,
        trigger_limit: 0,
        period_s: 10,
    };
    world.ask_over(&mut console, engine(), &set).unwrap();
    world.sleep(FOLLOWED_S);
    let capped = world.ask_over(&mut console, engine(), &statistics).unwrap();
    assert!(
        capped.limiting && capped.current <= limit_w + 15,
        "{capped:?}"
    );
    let get = GetNmPolicy {
        domain: NmDomain::PLATFORM,
        policy: 3,
    };
    assert_eq!(
        world
            .ask_over(&mut console, engine(), &get)
            .unwrap()
            .limit_w,
        limit_w
    );
    let off = EnableNmPolicy {
        switch: NmSwitch::POLICY_DISABLE,
        domain: NmDomain::PLATFORM,
        policy: 3,
    };
    world.ask_over(&mut console, engine(), &off).unwrap();
    assert!(
        !world
            .ask_over(&mut console, engine(), &statistics)
            .unwrap()
            .limiting
    );
    let remove = SetNmPolicy { add: false, ..set };
    world.ask_over(&mut console, engine(), &remove).unwrap();
    let none = CommandError::Completion(CompletionCode(0x80));
    assert_eq!(world.ask_over(&mut console, engine(), &get), Err(none));
}

#[test]
fn a_boot_progress_code_is_remembered() {
    let (mut world, mut console) = node(OemFamily::Sbmr);
    let code = [1, 0, 0, 0, 2, 0x10, 3, 0, 0];
    world
        .ask(&mut console, &SendBootProgressCode { code })
        .unwrap();
    assert_eq!(
        world.ask(&mut console, &GetBootProgressCode).unwrap().code,
        code
    );
}

#[test]
fn without_its_family_no_command_of_a_maker_is_known() {
    let (mut world, mut console) = node(OemFamily::None);
    let unknown = CommandError::Completion(CompletionCode::INVALID_COMMAND);
    assert_eq!(world.ask(&mut console, &GetFanMode), Err(unknown));
    assert_eq!(world.ask(&mut console, &GetNmVersion), Err(unknown));
    assert_eq!(world.ask(&mut console, &GetBootProgressCode), Err(unknown));
    assert!(OEM_COMMANDS.len() >= 19);
}

#[test]
fn a_family_adds_commands_and_changes_nothing_of_the_standards() {
    let (mut plain, mut of_plain) = node(OemFamily::None);
    let (mut dell, mut of_dell) = node(OemFamily::Dell);
    assert_eq!(
        plain.records(&mut of_plain),
        dell.records(&mut of_dell),
        "sensors"
    );
    assert_eq!(plain.log(&mut of_plain), dell.log(&mut of_dell), "events");
}

#[test]
fn nobody_goes_over_the_bmc_to_what_he_may_not_do_and_nothing_else_is_behind_it() {
    let (mut world, mut console) = node(OemFamily::NodeManager);
    let elsewhere = Some(Bridge::to(Hop::new(ENGINE_CHANNEL.0, 0x72).unwrap()));
    let asked = world.ask_over(&mut console, elsewhere, &GetDeviceId);
    assert_eq!(asked, Err(CommandError::Completion(CompletionCode(0x83))));
    let (mut none, mut of_none) = node(OemFamily::None);
    let asked = none.ask_over(&mut of_none, engine(), &GetNmVersion);
    let refused = CommandError::Completion(CompletionCode::INVALID_DATA_FIELD);
    assert_eq!(asked, Err(refused));
    let level = SetSessionPrivilegeLevel {
        privilege: PrivilegeLevel::USER,
    };
    world.ask(&mut console, &level).unwrap();
    assert!(world.ask_over(&mut console, engine(), &GetDeviceId).is_ok());
    let asked = world.ask_over(&mut console, engine(), &GetNmVersion);
    let refused = CommandError::Completion(CompletionCode::INSUFFICIENT_PRIVILEGE);
    assert_eq!(asked, Err(refused));
}
