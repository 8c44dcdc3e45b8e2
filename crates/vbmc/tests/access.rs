//! Who may log in over the LAN channel, as consoles have set it: in memory, on virtual time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]
#![expect(dead_code, reason = "not all of the helpers are for this")]

mod support;

use ipmi::command::app::{
    ColdReset, GetChannelAccess, GetDeviceId, GetUserAccess, SetChannelAccess, SetUserAccess,
    SettingsCopy, UserAccess, WarmReset,
};
use ipmi::command::chassis::ChassisControl;
use ipmi::console::{Login, LoginFailure};
use ipmi::number::{
    AccessUpdate, ChannelAccessFlags, ChannelAccessMode, ChannelNumber, ChassisControlAction,
    PrivilegeLevel, UserAccessFlags,
};
use support::{Console, Ended, World};
use vbmc::host::POST_S;

const CHANNEL: ChannelNumber = ChannelNumber(1);

fn login(world: &mut World) -> Ended {
    let mut console = world.dial(0, Login::new("admin", b"right").unwrap());
    world.wait(&mut console)
}

/// What the console says of a BMC that lets nobody in at this level.
const REFUSED: Ended = Ended::LoginFailed(LoginFailure::PrivilegeRefused);

fn set(world: &mut World, console: &mut Console, copy: AccessUpdate, mode: ChannelAccessMode) {
    let access = SetChannelAccess {
        channel: CHANNEL,
        update: copy,
        flags: ChannelAccessFlags::PEF_ALERTING_OFF,
        mode,
        update_limit: AccessUpdate::UNCHANGED,
        privilege_limit: PrivilegeLevel(0),
    };
    world.ask(console, &access).unwrap();
}

fn mode(world: &mut World, console: &mut Console) -> ChannelAccessMode {
    let get = GetChannelAccess {
        channel: CHANNEL,
        copy: SettingsCopy::Volatile,
    };
    world.ask(console, &get).unwrap().mode
}

fn control(world: &mut World, console: &mut Console, action: ChassisControlAction) {
    world.ask(console, &ChassisControl { action }).unwrap();
}

#[test]
fn nobody_logs_in_while_the_channel_is_disabled_and_who_is_in_can_open_it_again() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    let volatile = AccessUpdate::VOLATILE;
    set(
        &mut world,
        &mut console,
        volatile,
        ChannelAccessMode::DISABLED,
    );
    assert_eq!(login(&mut world), REFUSED);
    world.ask(&mut console, &GetDeviceId).unwrap();
    for open in [
        ChannelAccessMode::SHARED,
        ChannelAccessMode::ALWAYS_AVAILABLE,
    ] {
        set(&mut world, &mut console, volatile, open);
        assert_eq!(login(&mut world), Ended::Established, "{open}");
    }
}

#[test]
fn what_is_set_of_the_serial_channel_is_kept_and_bars_nobody_from_lan() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    let serial = ChannelNumber(2);
    let (update, privilege_limit) = (AccessUpdate::VOLATILE, PrivilegeLevel::CALLBACK);
    let shut = SetChannelAccess {
        channel: serial,
        update,
        flags: ChannelAccessFlags::PEF_ALERTING_OFF,
        mode: ChannelAccessMode::DISABLED,
        update_limit: update,
        privilege_limit,
    };
    world.ask(&mut console, &shut).unwrap();
    let question = GetUserAccess {
        channel: serial,
        user_id: 1,
    };
    let before = world.ask(&mut console, &question).unwrap();
    assert_eq!(before.privilege_limit, PrivilegeLevel::ADMINISTRATOR);
    let barred = SetUserAccess {
        change_flags: true,
        flags: UserAccessFlags::NONE,
        channel: serial,
        user_id: 1,
        privilege_limit: UserAccess::NO_ACCESS,
        session_limit: None,
    };
    world.ask(&mut console, &barred).unwrap();
    assert_eq!(login(&mut world), Ended::Established);
    let kept = world.ask(&mut console, &question).unwrap();
    let kept = (kept.flags, kept.privilege_limit);
    assert_eq!(kept, (UserAccessFlags::NONE, UserAccess::NO_ACCESS));
    let question = GetChannelAccess {
        channel: serial,
        copy: SettingsCopy::Volatile,
    };
    let kept = world.ask(&mut console, &question).unwrap();
    let kept = (kept.mode, kept.privilege_limit);
    assert_eq!(kept, (ChannelAccessMode::DISABLED, privilege_limit));
    let lan = mode(&mut world, &mut console);
    assert_eq!(lan, ChannelAccessMode::ALWAYS_AVAILABLE);
}

#[test]
fn a_cold_reset_brings_back_what_was_stored_of_the_channels_access() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    set(
        &mut world,
        &mut console,
        AccessUpdate::VOLATILE,
        ChannelAccessMode::DISABLED,
    );
    world.ask(&mut console, &WarmReset).unwrap();
    assert_eq!(login(&mut world), REFUSED, "a warm one leaves it");
    world.bmcs.reset(0);
    // What is stored holds from the next start on.
    let mut console = world.console(0);
    set(
        &mut world,
        &mut console,
        AccessUpdate::NON_VOLATILE,
        ChannelAccessMode::DISABLED,
    );
    assert_eq!(
        mode(&mut world, &mut console),
        ChannelAccessMode::ALWAYS_AVAILABLE
    );
    assert_eq!(login(&mut world), Ended::Established);
    world.ask(&mut console, &ColdReset).unwrap();
    assert_eq!(login(&mut world), REFUSED);
}

#[test]
fn a_channel_for_the_time_before_booting_closes_when_the_system_has_booted() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    let before = ChannelAccessMode::PRE_BOOT_ONLY;
    set(&mut world, &mut console, AccessUpdate::VOLATILE, before);
    assert_eq!(login(&mut world), REFUSED, "it runs");
    control(&mut world, &mut console, ChassisControlAction::POWER_DOWN);
    assert_eq!(login(&mut world), Ended::Established, "it is off");
    control(&mut world, &mut console, ChassisControlAction::POWER_UP);
    world.sleep(1);
    assert_eq!(login(&mut world), Ended::Established, "it tests itself");
    world.sleep(POST_S);
    assert_eq!(login(&mut world), REFUSED, "it has booted");
}

#[test]
fn a_user_without_ipmi_messages_or_without_a_level_does_not_log_in() {
    let mut world = World::new(1, 1);
    let mut console = world.console(0);
    let watcher = || {
        Login::new("watcher", b"look")
            .unwrap()
            .with_privilege(PrivilegeLevel::USER)
    };
    let messages = UserAccessFlags::IPMI_MESSAGING;
    let level = PrivilegeLevel::USER;
    for (flags, privilege_limit, is_let_in) in [
        (messages, level, true),
        (UserAccessFlags(0), level, false),
        (messages, level, true),
        (messages, UserAccess::NO_ACCESS, false),
    ] {
        let access = SetUserAccess {
            change_flags: true,
            flags,
            channel: CHANNEL,
            user_id: 2,
            privilege_limit,
            session_limit: None,
        };
        world.ask(&mut console, &access).unwrap();
        let mut other = world.dial(0, watcher().unwrap());
        let ended = world.wait(&mut other);
        assert_eq!(
            ended == Ended::Established,
            is_let_in,
            "{access:?}: {ended:?}"
        );
    }
}
