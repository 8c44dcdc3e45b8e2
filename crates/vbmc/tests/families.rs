//! Families of commands as a console sees them: what is set takes effect, over time too.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]

mod support;

use std::time::Duration;

use ipmi::command::app::{
    ActivatePayload, GetWatchdogTimer, ResetWatchdogTimer, SetUserAccess, SetUserName,
    SetUserPassword, SetWatchdogTimer, SolActivation, UserName, WatchdogSettings,
};
use ipmi::command::chassis::{ChassisControl, GetChassisStatus, GetSystemRestartCause};
use ipmi::command::dcmi::power::PowerLimitSettings;
use ipmi::command::dcmi::{ActivatePowerLimit, GetAssetTag, SetAssetTag, SetPowerLimit};
use ipmi::command::event::{
    DataFilter, EventFilter, EventMessage, PlatformEvent, SetPefConfigurationParameters,
};
use ipmi::command::sensor::{GetSensorThresholds, SensorThresholds, SetSensorThresholds};
use ipmi::command::storage::{AddSdr, GetSdr, ReadFruData, SdrPart, WriteFruData};
use ipmi::command::{Bytes, Command};
use ipmi::console::{CommandError, Event, Login};
use ipmi::number::{
    ChannelNumber, ChassisControlAction, CompletionCode, EventFilterType, EventReadingType,
    EventSeverity, PasswordOperation, PayloadType, PefActions, PefParameter, PowerExceptionAction,
    PowerLimitActivation, PowerState, PreTimeoutInterrupt, PrivilegeLevel, RestartCause,
    SensorType, Threshold, UserAccessFlags, WatchdogAction, WatchdogControl, WatchdogExpirations,
    WatchdogUse,
};
use ipmi::record::sel::SelRecord;
use ipmi::sol::{SolLine, SolRetry};
use ipmi::wire::{DATAGRAM_MAX, Writer};
use support::{Console, Ended, World};
use vbmc::net::SeededEntropy;

/// The limits of Fan1.
const FAN_1: u8 = 0x20;

/// The number of the first event of a sensor type in the log.
fn logged(world: &mut World, console: &mut Console, wanted: SensorType) -> Option<usize> {
    let entries = world.log(console);
    entries.iter().position(|entry| {
        matches!(SelRecord::decode(entry), SelRecord::SystemEvent(event) if event.sensor_type == wanted)
    })
}

#[test]
fn a_watchdog_that_nobody_resets_resets_the_machine_and_says_so() {
    let mut world = World::new(2, 1);
    let mut console = world.console(0);
    let settings = WatchdogSettings {
        control: WatchdogControl::NONE,
        timer_use: WatchdogUse::SMS_OS,
        interrupt: PreTimeoutInterrupt::NONE,
        action: WatchdogAction::HARD_RESET,
        pre_timeout_s: 0,
        expirations: WatchdogExpirations::NONE,
        initial_100ms: 100,
    };
    let reset = world.ask(&mut console, &ResetWatchdogTimer);
    assert_eq!(reset, Err(CommandError::Completion(CompletionCode(0x80))));
    world
        .ask(&mut console, &SetWatchdogTimer { settings })
        .unwrap();
    for _ in 0..3 {
        world.ask(&mut console, &ResetWatchdogTimer).unwrap();
        world.sleep(8);
    }
    let cause = world.ask(&mut console, &GetSystemRestartCause).unwrap();
    assert_ne!(cause.cause, RestartCause::WATCHDOG);
    world.sleep(8);
    let cause = world.ask(&mut console, &GetSystemRestartCause).unwrap();
    assert_eq!(cause.cause, RestartCause::WATCHDOG);
    let timer = world.ask(&mut console, &GetWatchdogTimer).unwrap();
    assert_eq!(timer.settings.expirations, WatchdogExpirations::SMS_OS);
    assert!(logged(&mut world, &mut console, SensorType::WATCHDOG_2).is_some());
}

#[test]
fn a_filter_switches_the_machine_off_when_its_event_comes() {
    let mut world = World::new(2, 1);
    let mut console = world.console(0);
    let filter = EventFilter {
        enabled: true,
        filter_type: EventFilterType::SOFTWARE_CONFIGURABLE,
        actions: PefActions::POWER_DOWN,
        group_control: 0,
        policy: 0,
        severity: EventSeverity::CRITICAL,
        generator: 0xffff,
        sensor_type: SensorType::PHYSICAL_SECURITY,
        sensor_number: 0xff,
        event_type: EventReadingType::SENSOR_SPECIFIC,
        offsets: 1,
        data_1: DataFilter::ANY,
        data_2: DataFilter::ANY,
        data_3: DataFilter::ANY,
    };
    for (parameter, data) in [
        (PefParameter::FILTER_TABLE, filter.to_data(1)),
        (PefParameter::ACTION_CONTROL, Bytes::from([0x02])),
        (PefParameter::CONTROL, Bytes::from([0x01])),
    ] {
        let set = SetPefConfigurationParameters { parameter, data };
        world.ask(&mut console, &set).unwrap();
    }
    let mut event = EventMessage {
        generator: Some(0x41),
        revision: ipmi::number::EventMessageRevision(4),
        sensor_type: SensorType::PHYSICAL_SECURITY,
        sensor_number: 5,
        deasserted: false,
        event_type: EventReadingType::SENSOR_SPECIFIC,
        data: [1, 0xff, 0xff],
    };
    world
        .ask(&mut console, &PlatformEvent::new(&event))
        .unwrap();
    let status = world.ask(&mut console, &GetChassisStatus).unwrap();
    assert_eq!(status.power, PowerState::ON, "another offset");
    event.data[0] = 0;
    world
        .ask(&mut console, &PlatformEvent::new(&event))
        .unwrap();
    let status = world.ask(&mut console, &GetChassisStatus).unwrap();
    assert_eq!(status.power, PowerState::NONE);
}

#[test]
fn a_new_limit_that_is_crossed_already_is_an_event_and_a_senseless_one_is_refused() {
    let mut world = World::new(2, 1);
    let mut console = world.console(0);
    let get = GetSensorThresholds {
        sensor_number: FAN_1,
    };
    let before = world.ask(&mut console, &get).unwrap();
    let mut thresholds = SensorThresholds::default();
    thresholds.set(Threshold::LowerNonCritical, 0xfe);
    let set = SetSensorThresholds {
        sensor_number: FAN_1,
        thresholds,
    };
    assert_eq!(logged(&mut world, &mut console, SensorType::FAN), None);
    world.ask(&mut console, &set).unwrap();
    assert!(logged(&mut world, &mut console, SensorType::FAN).is_some());
    let after = world.ask(&mut console, &get).unwrap();
    assert_eq!(after.get(Threshold::LowerNonCritical), Some(0xfe));
    assert_eq!(
        after.get(Threshold::LowerCritical),
        before.get(Threshold::LowerCritical)
    );
    let mut senseless = SensorThresholds::default();
    senseless.set(Threshold::LowerCritical, 0xff);
    let set = SetSensorThresholds {
        sensor_number: FAN_1,
        thresholds: senseless,
    };
    let refused = Err(CommandError::Completion(CompletionCode::INVALID_DATA_FIELD));
    assert_eq!(world.ask(&mut console, &set), refused);
}

#[test]
fn a_user_who_is_made_over_ipmi_logs_in_and_one_who_is_barred_does_not() {
    let mut world = World::new(2, 1);
    let mut console = world.console(0);
    let user_id = 4;
    let access = SetUserAccess {
        change_flags: true,
        flags: UserAccessFlags::IPMI_MESSAGING,
        channel: ChannelNumber(1),
        user_id,
        privilege_limit: PrivilegeLevel::ADMINISTRATOR,
        session_limit: None,
    };
    let name = UserName::new("ops").unwrap();
    world
        .ask(&mut console, &SetUserName { user_id, name })
        .unwrap();
    world.ask(&mut console, &access).unwrap();
    for operation in [
        PasswordOperation::SET,
        PasswordOperation::ENABLE,
        PasswordOperation::TEST,
    ] {
        let set = SetUserPassword::new(user_id, operation, b"new-secret").unwrap();
        world.ask(&mut console, &set).unwrap();
    }
    let wrong = SetUserPassword::new(user_id, PasswordOperation::TEST, b"other").unwrap();
    let differs = Err(CommandError::Completion(CompletionCode(0x80)));
    assert_eq!(world.ask(&mut console, &wrong), differs);
    let login = || Login::new("ops", b"new-secret").unwrap();
    let mut other = world.dial(0, login());
    assert_eq!(world.wait(&mut other), Ended::Established);
    let bar = SetUserPassword::new(user_id, PasswordOperation::DISABLE, b"").unwrap();
    let mut console = world.console(0);
    world.ask(&mut console, &bar).unwrap();
    let mut other = world.dial(0, login());
    assert!(matches!(world.wait(&mut other), Ended::LoginFailed(_)));
}

#[test]
fn power_above_an_active_limit_for_too_long_switches_off() {
    let mut world = World::new(2, 1);
    let mut console = world.console(0);
    let settings = PowerLimitSettings {
        action: PowerExceptionAction::POWER_OFF,
        limit_w: 100,
        correction_ms: 5_000,
        sampling_s: 1,
    };
    world
        .ask(&mut console, &SetPowerLimit { settings })
        .unwrap();
    world.sleep(10);
    let status = world.ask(&mut console, &GetChassisStatus).unwrap();
    assert_eq!(status.power, PowerState::ON, "it isn't active yet");
    let activation = PowerLimitActivation::ACTIVATE;
    world
        .ask(&mut console, &ActivatePowerLimit { activation })
        .unwrap();
    world.sleep(4);
    let status = world.ask(&mut console, &GetChassisStatus).unwrap();
    assert_eq!(status.power, PowerState::ON, "within the correction time");
    world.sleep(10);
    let status = world.ask(&mut console, &GetChassisStatus).unwrap();
    assert_eq!(status.power, PowerState::NONE);
}

#[test]
fn what_is_written_to_tags_inventories_and_records_is_read_again() {
    let mut world = World::new(2, 1);
    let mut console = world.console(0);
    let tag = SetAssetTag {
        offset: 0,
        count: 6,
        data: Bytes::from(*b"rack-9"),
    };
    world.ask(&mut console, &tag).unwrap();
    let read = GetAssetTag {
        offset: 0,
        count: 16,
    };
    let read = world.ask(&mut console, &read).unwrap();
    assert_eq!((read.length, read.data.as_slice()), (6, &b"rack-9"[..]));

    let write = WriteFruData {
        fru_device_id: 0,
        offset: 20,
        data: Bytes::from([1, 2, 3]),
    };
    world.ask(&mut console, &write).unwrap();
    let read = ReadFruData {
        fru_device_id: 0,
        offset: 20,
        count: 3,
    };
    let read = world.ask(&mut console, &read).unwrap();
    assert_eq!(read.data.as_slice(), [1, 2, 3]);

    let count = world.records(&mut console).len();
    let record = Bytes::from([0, 0, 0x51, 0xc0, 3, 7, 8, 9]);
    let added = world.ask(&mut console, &AddSdr { record }).unwrap();
    assert_eq!(world.records(&mut console).len(), count + 1);
    let part = world.ask(&mut console, &GetSdr(SdrPart::whole(added.record)));
    assert_eq!(part.unwrap().data[5..], [7, 8, 9]);
}

/// Carries SOL packets for so many hundredths of a second, of which each tenth gets lost, and gives what was printed.
fn listen(world: &mut World, console: &mut Console, steps: u32) -> String {
    let (mut line, mut entropy) = (SolLine::new(SolRetry::default()), SeededEntropy::new(7));
    let mut text = Vec::new();
    let mut packets = 0_u32;
    let (here, there) = ("127.0.0.1:40000".parse().unwrap(), world.site.address(0));
    let mut survives = || {
        packets += 1;
        packets % 10 != 3
    };
    for _ in 0..steps {
        world.now = world.now + Duration::from_millis(10);
        let mut arrived = Vec::new();
        world
            .bmcs
            .poll_sol(world.now, &mut entropy, &mut |_, _, packet| {
                arrived.push(packet.to_vec());
            });
        let mut packet = [0; 256];
        let mut w = Writer::new(&mut packet);
        if line.poll_transmit(world.now, &mut w) {
            let mut datagram = [0; DATAGRAM_MAX];
            let sealed = console.session.seal_payload(
                PayloadType::SOL,
                &mut entropy,
                &mut datagram,
                |out| {
                    out.bytes(w.written());
                },
            );
            let len = sealed.unwrap();
            if survives() {
                let mut reply = [0; DATAGRAM_MAX];
                let datagram = &mut datagram[..len];
                let answer =
                    world
                        .bmcs
                        .handle(world.now, &mut entropy, there, here, datagram, &mut reply);
                arrived.extend(answer.map(|answer| reply[..answer.len].to_vec()));
            }
        }
        for mut datagram in arrived {
            if !survives() {
                continue;
            }
            if let Ok(Event::Payload(PayloadType::SOL, payload)) =
                console.session.handle_datagram(world.now, &mut datagram)
            {
                line.handle(world.now, payload).unwrap();
            }
        }
        let mut buffer = [0; 512];
        let count = line.read(&mut buffer);
        text.extend(&buffer[..count]);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn the_self_test_and_the_login_prompt_arrive_whole_over_a_line_that_loses_a_tenth() {
    let mut world = World::new(2, 1);
    let mut console = world.console(0);
    let activate = ActivatePayload {
        payload_type: PayloadType::SOL,
        instance: 1,
        auxiliary: SolActivation {
            encrypted: true,
            authenticated: true,
            ..SolActivation::default()
        }
        .to_bytes(),
    };
    world.ask(&mut console, &activate).unwrap();
    let mut other = world.console(0);
    let taken = Err(CommandError::Completion(CompletionCode(0x80)));
    assert_eq!(world.ask(&mut other, &activate), taken);
    let action = ChassisControlAction::HARD_RESET;
    world.ask(&mut console, &ChassisControl { action }).unwrap();

    let text = listen(&mut world, &mut console, 4_000);
    let post = "RDV firmware RDV 1.8.2\r\nProcessor 1: 16 cores, 2.10 GHz\r\nProcessor 2: 16 cores, 2.10 GHz\r\n\
                Memory test: 65536 MB OK\r\nPCI enumeration\r\nPower supplies: 2, redundant\r\nDrives: 4\r\n\
                Network boot agent\r\nStarting the operating system\r\n";
    assert!(text.contains(post), "{text}");
    assert!(text.trim_end().ends_with("login:"), "{text}");
    const { assert!(!ActivatePayload::IDEMPOTENT) };
}
