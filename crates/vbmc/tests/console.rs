//! Virtual machines as a console sees them: in memory, on virtual time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]

mod support;

use std::collections::BTreeMap;

use ipmi::command::Command;
use ipmi::command::app::{ColdReset, GetChannelInfo, GetDeviceId, GetUserName};
use ipmi::command::chassis::{
    BootFlags, BootParameter, ChassisControl, ChassisIdentify, GetChassisStatus,
    GetSystemBootOptions, SetSystemBootOptions,
};
use ipmi::command::sensor::{GetSensorReading, GetSensorThresholds};
use ipmi::command::storage::{
    AddSelEntry, ClearSel, GetSdr, GetSelInfo, ReadFruData, ReserveSdrRepository, ReserveSel,
    SdrPart,
};
use ipmi::console::{CommandError, Login, LoginFailure};
use ipmi::number::{
    BootDevice, BootFlagKeep, BootOptionParameter, BootType, ChannelNumber, ChassisControlAction,
    CipherSuiteId, CompletionCode, EraseAction, IdentifyState, PrivilegeLevel, SensorType,
};
use ipmi::record::RecordId;
use ipmi::record::sdr::{FullSensor, SdrBody};
use ipmi::record::sel::SelRecord;
use ipmi::wire::DATAGRAM_MAX;
use support::{Console, Ended, World};
use vbmc::net::{Quality, SeededEntropy};

/// The values of all numeric sensors that have one now, by name.
fn values(world: &mut World, console: &mut Console) -> BTreeMap<String, f64> {
    let records = world.records(console);
    let full = records.into_iter().filter_map(|record| match record.body {
        SdrBody::FullSensor(full) => Some(full),
        _ => None,
    });
    full.filter_map(|sensor| value(world, console, &sensor).map(|v| (sensor.id.text(), v)))
        .collect()
}

fn value(world: &mut World, console: &mut Console, sensor: &FullSensor) -> Option<f64> {
    let sensor_number = sensor.sensor.key.sensor_number;
    let reading = world
        .ask(console, &GetSensorReading { sensor_number })
        .unwrap();
    let value = sensor.conversion().unwrap().value(reading.available()?);
    // What the BMC says about limits is what its own record of them says.
    let thresholds = world
        .ask(console, &GetSensorThresholds { sensor_number })
        .unwrap();
    assert_eq!(thresholds.raw, sensor.thresholds, "{}", sensor.id.text());
    Some(value)
}

fn control(world: &mut World, console: &mut Console, action: ChassisControlAction) {
    world.ask(console, &ChassisControl { action }).unwrap();
}

#[test]
fn a_node_has_more_than_twenty_sensors_and_their_values_make_sense() {
    let mut world = World::new(4, 1);
    let mut console = world.console(0);
    assert_eq!(console.session.suite(), Some(CipherSuiteId::SUITE_17));
    let values = values(&mut world, &mut console);
    assert!(values.len() >= 20, "{}", values.len());
    let between = |name: &str, low: f64, high: f64| {
        let value = values[name];
        assert!((low..=high).contains(&value), "{name} is {value}");
    };
    between("Inlet Temp", 15.0, 30.0);
    between("CPU1 Temp", 25.0, 90.0);
    between("CPU1 Margin", -70.0, -5.0);
    between("BMC Temp", 25.0, 60.0);
    between("Fan1", 3_000.0, 12_900.0);
    between("P12V", 11.4, 12.6);
    between("CPU1 VCCIN", 1.71, 1.89);
    between("Total Power", 80.0, 700.0);
    let supplies = values["PSU1 Input Power"] + values["PSU2 Input Power"];
    assert!(
        (supplies - values["Total Power"]).abs() <= 6.0,
        "{values:?}"
    );
    assert!(
        (values["Total Power"] / 12.0 - values["12V Current"]).abs() < 4.0,
        "{values:?}"
    );
}

#[test]
fn readings_move_with_load_and_the_same_seed_gives_the_same_ones() {
    let run = |seed| {
        let mut world = World::new(2, seed);
        let mut console = world.console(1);
        let mut trace = Vec::new();
        for _ in 0..30 {
            world.sleep(1);
            let reading = world.ask(
                &mut console,
                &GetSensorReading {
                    sensor_number: 0x03,
                },
            );
            let power = world.ask(
                &mut console,
                &GetSensorReading {
                    sensor_number: 0x42,
                },
            );
            trace.push((reading.unwrap().raw, power.unwrap().raw));
        }
        trace
    };
    let trace = run(1);
    assert!(
        trace.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 5,
        "{trace:?}"
    );
    assert_eq!(trace, run(1));
    assert_ne!(trace, run(2));
}

#[test]
fn a_node_without_power_draws_and_blows_less_and_its_neighbours_do_not() {
    let mut world = World::new(4, 1);
    let (mut ours, mut neighbour) = (world.console(0), world.console(1));
    let (before, near_before) = (
        values(&mut world, &mut ours),
        values(&mut world, &mut neighbour),
    );
    control(&mut world, &mut ours, ChassisControlAction::POWER_DOWN);
    assert!(!world.ask(&mut ours, &GetChassisStatus).unwrap().is_on());
    world.sleep(2);
    let falling = values(&mut world, &mut ours);
    assert!(
        falling["Fan1"] > 0.0 && falling["Fan1"] < before["Fan1"],
        "{}",
        falling["Fan1"]
    );
    world.sleep(30);
    let (after, near_after) = (
        values(&mut world, &mut ours),
        values(&mut world, &mut neighbour),
    );
    assert!(after["Total Power"] < 0.1 * before["Total Power"]);
    assert!((1..=4).all(|fan| after[&format!("Fan{fan}")] == 0.0));
    assert!(!after.contains_key("CPU1 Temp") && !after.contains_key("P12V"));
    assert!(after.contains_key("Inlet Temp") && after.contains_key("P3V3 AUX"));
    assert!(
        world
            .ask(&mut neighbour, &GetChassisStatus)
            .unwrap()
            .is_on()
    );
    assert!(near_after["Total Power"] > 0.5 * near_before["Total Power"]);
    assert!(near_after["Fan1"] > 0.7 * near_before["Fan1"]);
}

#[test]
fn a_power_bay_delivers_what_its_nodes_take_and_a_block_follows_their_heat() {
    let mut world = World::new(8, 3);
    let block =
        (0..world.site.len()).find(|i| world.site.slot(*i).unwrap().name() == "Rack1-Block1-BC");
    let bay = block.unwrap() + 1;
    let total = |world: &mut World, index, name: &str| {
        let mut console = world.console(index);
        values(world, &mut console)[name]
    };
    let sum: f64 = (0..8)
        .map(|node| total(&mut world, node, "Total Power"))
        .sum();
    let delivered = total(&mut world, bay, "Output Power");
    // Steps of 4 W a node and 100 W a bay.
    assert!(
        (delivered - sum).abs() <= 50.0 + 8.0 * 2.0 + 10.0,
        "{delivered} {sum}"
    );
    let fan = total(&mut world, block.unwrap(), "Block Fan1");
    assert!((4_000.0..12_500.0).contains(&fan), "{fan}");
    for node in 0..8 {
        let mut console = world.console(node);
        control(&mut world, &mut console, ChassisControlAction::POWER_DOWN);
    }
    world.sleep(120);
    assert!(total(&mut world, bay, "Output Power") <= 200.0);
    assert!(total(&mut world, block.unwrap(), "Block Fan1") < fan);
}

#[test]
fn a_boot_flag_for_one_boot_is_used_up_by_the_boot() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    let flags = BootFlags {
        valid: true,
        boot_type: BootType::EFI,
        device: BootDevice::PXE,
        ..BootFlags::default()
    };
    let set = |parameter| SetSystemBootOptions {
        invalid: false,
        parameter,
    };
    let get = GetSystemBootOptions::new(BootOptionParameter::BOOT_FLAGS);
    let keep = BootParameter::ValidBitClearing(BootFlagKeep::TIMEOUT);
    world.ask(&mut console, &set(keep)).unwrap();
    world
        .ask(&mut console, &set(BootParameter::Flags(flags)))
        .unwrap();
    world.sleep(120);
    let mut console = world.console(0);
    let stored = world.ask(&mut console, &get).unwrap().parameter;
    assert_eq!(stored, BootParameter::Flags(flags));
    control(&mut world, &mut console, ChassisControlAction::HARD_RESET);
    world.sleep(30);
    let stored = world.ask(&mut console, &get).unwrap().parameter;
    assert_eq!(
        stored,
        BootParameter::Flags(BootFlags {
            valid: false,
            ..flags
        })
    );
    // "OS Boot", offset 2: PXE boot completed.
    let newest = SelRecord::decode(world.log(&mut console).last().unwrap());
    let SelRecord::SystemEvent(event) = newest else {
        panic!("{newest:?}")
    };
    assert_eq!(
        (event.sensor_type, event.offset()),
        (SensorType::OS_BOOT, 2)
    );
}

#[test]
fn the_event_log_grows_with_what_happens_and_clearing_takes_a_reservation() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    let before = world.log(&mut console);
    control(&mut world, &mut console, ChassisControlAction::POWER_DOWN);
    control(&mut world, &mut console, ChassisControlAction::POWER_UP);
    world.sleep(40);
    let after = world.log(&mut console);
    assert_eq!(after[..before.len()], before);
    let types: Vec<_> = after[before.len()..]
        .iter()
        .map(|entry| SensorType(entry[10]))
        .collect();
    let expected = [
        SensorType::POWER_UNIT,
        SensorType::POWER_UNIT,
        SensorType::SYSTEM_BOOT_INITIATED,
        SensorType::OS_BOOT,
    ];
    assert_eq!(types, expected);
    let info = world.ask(&mut console, &GetSelInfo).unwrap();
    assert_eq!(usize::from(info.entry_count), after.len());

    let action = EraseAction::INITIATE;
    let stale = world.ask(&mut console, &ReserveSel).unwrap();
    let fresh = world.ask(&mut console, &ReserveSel).unwrap();
    let refused = world.ask(
        &mut console,
        &ClearSel {
            reservation: stale,
            action,
        },
    );
    assert_eq!(
        refused,
        Err(CommandError::Completion(
            CompletionCode::RESERVATION_CANCELLED
        ))
    );
    assert_eq!(world.log(&mut console), after);
    world
        .ask(
            &mut console,
            &ClearSel {
                reservation: fresh,
                action,
            },
        )
        .unwrap();
    assert!(world.log(&mut console).is_empty());
}

#[test]
fn a_crossed_limit_is_logged_with_its_reading_and_shows_in_the_state_bits() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    let now = world.now;
    world.site.machine(0, now).warm_air(16.0);
    world.sleep(20);
    let reading = world
        .ask(
            &mut console,
            &GetSensorReading {
                sensor_number: 0x01,
            },
        )
        .unwrap();
    assert_eq!(
        reading.thresholds().names().collect::<Vec<_>>(),
        ["upper non-critical"]
    );
    let newest = *world.log(&mut console).last().unwrap();
    // Temperature, sensor 1, threshold event, asserted; upper non-critical going high with reading and limit.
    assert_eq!(newest[10..14], [0x01, 0x01, 0x01, 0x57]);
    assert_eq!(newest[14], reading.raw);
}

#[test]
fn the_identify_light_goes_out_by_itself_unless_it_is_to_stay() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    let state = |world: &mut World, console: &mut Console| {
        world
            .ask(console, &GetChassisStatus)
            .unwrap()
            .identify
            .unwrap()
    };
    world
        .ask(&mut console, &ChassisIdentify::Seconds(5))
        .unwrap();
    assert_eq!(state(&mut world, &mut console), IdentifyState::TEMPORARY);
    world.sleep(6);
    assert_eq!(state(&mut world, &mut console), IdentifyState::OFF);
    world
        .ask(&mut console, &ChassisIdentify::Indefinitely)
        .unwrap();
    world.sleep(40);
    assert_eq!(state(&mut world, &mut console), IdentifyState::INDEFINITE);
    world
        .ask(&mut console, &ChassisIdentify::Seconds(0))
        .unwrap();
    assert_eq!(state(&mut world, &mut console), IdentifyState::OFF);
}

/// Asks and is refused.
fn refusal<C: Command>(world: &mut World, console: &mut Console, command: &C) -> CompletionCode {
    match world.ask(console, command) {
        Err(CommandError::Completion(code)) => code,
        _ => panic!("{} was not refused", C::NAME),
    }
}

#[test]
fn what_is_not_there_gets_the_completion_code_that_says_so() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    let (w, c) = (&mut world, &mut console);
    let no_sensor = refusal(
        w,
        c,
        &GetSensorReading {
            sensor_number: 0xee,
        },
    );
    assert_eq!(no_sensor, CompletionCode::NOT_PRESENT);
    let event_only = refusal(
        w,
        c,
        &GetSensorReading {
            sensor_number: 0x70,
        },
    );
    assert_eq!(event_only, CompletionCode::ILLEGAL_FOR_TYPE);
    let discrete = refusal(
        w,
        c,
        &GetSensorThresholds {
            sensor_number: 0x50,
        },
    );
    assert_eq!(discrete, CompletionCode::ILLEGAL_FOR_TYPE);
    let fru = |fru_device_id, offset| ReadFruData {
        fru_device_id,
        offset,
        count: 16,
    };
    assert_eq!(refusal(w, c, &fru(9, 0)), CompletionCode::NOT_PRESENT);
    assert_eq!(
        refusal(w, c, &fru(0, 60_000)),
        CompletionCode::PARAMETER_OUT_OF_RANGE
    );
    let user = refusal(w, c, &GetUserName { user_id: 60 });
    assert_eq!(user, CompletionCode::PARAMETER_OUT_OF_RANGE);
    let channel = refusal(
        w,
        c,
        &GetChannelInfo {
            channel: ChannelNumber(5),
        },
    );
    assert_eq!(channel, CompletionCode::INVALID_DATA_FIELD);
}

#[test]
fn what_makes_no_sense_now_is_refused_until_it_does() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    let part = SdrPart {
        offset: 5,
        ..SdrPart::whole(RecordId::FIRST)
    };
    let unreserved = refusal(&mut world, &mut console, &GetSdr(part));
    assert_eq!(unreserved, CompletionCode::RESERVATION_CANCELLED);
    let reservation = world.ask(&mut console, &ReserveSdrRepository).unwrap();
    let part = SdrPart {
        reservation,
        ..part
    };
    assert!(world.ask(&mut console, &GetSdr(part)).is_ok());

    control(&mut world, &mut console, ChassisControlAction::POWER_DOWN);
    let reset = ChassisControl {
        action: ChassisControlAction::HARD_RESET,
    };
    let refused = refusal(&mut world, &mut console, &reset);
    assert_eq!(refused, CompletionCode::NOT_SUPPORTED_IN_STATE);
    control(&mut world, &mut console, ChassisControlAction::POWER_UP);
    assert!(world.ask(&mut console, &reset).is_ok());
}

#[test]
fn a_wrong_password_user_or_suite_is_refused() {
    let mut world = World::new(1, 1);
    for (login, failure) in [
        (Login::new("admin", b"wrong"), LoginFailure::WrongPassword),
        (Login::new("nobody", b"right"), LoginFailure::UnknownUser),
        (
            Login::new("watcher", b"look")
                .and_then(|l| l.with_privilege(PrivilegeLevel::ADMINISTRATOR)),
            LoginFailure::PrivilegeRefused,
        ),
    ] {
        let mut console = world.dial(0, login.unwrap());
        let ended = world.wait(&mut console);
        // A BMC does not say whether it is the name or the level that it refuses.
        if failure == LoginFailure::PrivilegeRefused {
            assert!(matches!(ended, Ended::LoginFailed(_)), "{ended:?}");
        } else {
            assert_eq!(ended, Ended::LoginFailed(failure));
        }
    }
    let suite_0 = Login::new("admin", b"right")
        .unwrap()
        .with_suites(&[CipherSuiteId(0)]);
    if let Ok(login) = suite_0 {
        let mut console = world.dial(0, login);
        assert!(matches!(world.wait(&mut console), Ended::LoginFailed(_)));
    }
    assert_eq!(world.bmcs.counters().commands, 0);
}

#[test]
fn a_user_may_look_but_not_touch() {
    let mut world = World::new(1, 1);
    let login = Login::new("watcher", b"look").unwrap();
    let login = login.with_privilege(PrivilegeLevel::USER).unwrap();
    let mut console = world.dial(0, login);
    assert_eq!(world.wait(&mut console), Ended::Established);
    assert!(
        world
            .ask(&mut console, &GetSensorReading { sensor_number: 1 })
            .is_ok()
    );
    let action = ChassisControlAction::POWER_DOWN;
    let refused = world.ask(&mut console, &ChassisControl { action });
    let insufficient = CommandError::Completion(CompletionCode::INSUFFICIENT_PRIVILEGE);
    assert_eq!(refused, Err(insufficient));
    assert!(world.ask(&mut console, &GetChassisStatus).unwrap().is_on());
}

#[test]
fn a_controller_that_restarts_loses_its_sessions_and_its_machine_runs_on() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    control(&mut world, &mut console, ChassisControlAction::POWER_DOWN);
    world.ask(&mut console, &ColdReset).unwrap();
    assert_eq!(world.bmcs.bmc_counters(0).unwrap().sessions, 0);
    console.session.request(world.now, &GetDeviceId).unwrap();
    assert!(matches!(
        world.wait(&mut console),
        Ended::TimedOut | Ended::Lost
    ));
    let mut console = world.console(0);
    assert!(!world.ask(&mut console, &GetChassisStatus).unwrap().is_on());
}

#[test]
fn on_a_rough_network_no_command_is_carried_out_twice() {
    let mut world = World::with_quality(1, 7, Quality::ROUGH);
    let mut console = world.console(0);
    let (mut answered, mut lost) = (0, 0);
    for serial in 0..300_u16 {
        let [low, high] = serial.to_le_bytes();
        let record = [0, 0, 0xe0, low, high, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        console
            .session
            .request(world.now, &AddSelEntry { record })
            .unwrap();
        match world.wait(&mut console) {
            Ended::Answer(..) => answered += 1,
            _ => {
                lost += 1;
                console = world.console(0);
            }
        }
    }
    let now = world.now;
    let machine = world.site.machine(0, now);
    let ours = machine
        .log()
        .entries()
        .iter()
        .filter(|entry| entry[2] == 0xe0);
    let mut serials: Vec<_> = ours
        .map(|entry| u16::from_le_bytes([entry[3], entry[4]]))
        .collect();
    let carried_out = serials.len();
    serials.sort_unstable();
    serials.dedup();
    assert_eq!(
        serials.len(),
        carried_out,
        "a command was carried out twice"
    );
    assert!(
        carried_out >= answered && lost > 0,
        "{carried_out} {answered} {lost}"
    );
    assert_eq!(world.bmcs.bmc_counters(0).unwrap().in_flight_max, 1);
}

/// Hands the console's datagram to its BMC, which takes its time: the reply is not sent. Gives the mark of the command.
fn hand_over(world: &World, console: &mut Console) -> Option<u32> {
    let (mut asked, mut out) = ([0; DATAGRAM_MAX], [0; DATAGRAM_MAX]);
    let (now, mut entropy) = (world.now, SeededEntropy::new(1));
    let len = console.session.poll_transmit(now, &mut entropy, &mut asked);
    let asked = &mut asked[..len.unwrap()];
    let local = world.site.address(0);
    let reply = world
        .bmcs
        .handle(now, &mut entropy, local, console.here, asked, &mut out);
    reply.unwrap().command
}

/// Lets the console wait for an answer in vain.
fn time_out(world: &mut World, console: &mut Console) {
    world.now = console.session.poll_timeout().unwrap();
    console.session.handle_timeout(world.now);
}

#[test]
fn a_command_that_is_repeated_is_one_in_flight_and_that_of_another_console_is_a_second() {
    let mut world = World::new(1, 1);
    let (mut console, mut other) = (world.console(0), world.console(0));
    let in_flight_max = |world: &World| world.bmcs.bmc_counters(0).unwrap().in_flight_max;
    let before = world.bmcs.counters().commands;
    let now = world.now;
    console.session.request(now, &GetChassisStatus).unwrap();
    let first = hand_over(&world, &mut console);
    assert!(first.is_some());
    for _ in 0..2 {
        time_out(&mut world, &mut console);
        assert_eq!(hand_over(&world, &mut console), first, "a repetition");
    }
    let done = world.bmcs.counters().commands - before;
    assert_eq!((done, in_flight_max(&world)), (3, 1));
    // Any of the answers will do.
    world.bmcs.answered(0, first.unwrap());
    let now = world.now;
    other.session.request(now, &GetChassisStatus).unwrap();
    let second = hand_over(&world, &mut other);
    assert_ne!(second, first);
    assert_eq!(in_flight_max(&world), 1);
    // A straggler was answered long ago; what is asked in the other session now is not.
    time_out(&mut world, &mut console);
    assert_eq!(hand_over(&world, &mut console), first);
    assert_eq!(in_flight_max(&world), 1);
    let mut third = world.console(0);
    let now = world.now;
    third.session.request(now, &GetChassisStatus).unwrap();
    hand_over(&world, &mut third);
    assert_eq!(in_flight_max(&world), 2);
}
