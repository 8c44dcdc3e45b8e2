//! Every quirk of the table: a virtual BMC with that defect is dealt with as if it had none, and really has it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "test code, helpers too"
)]

mod gap;
mod probe;
mod scene;
mod stand;

use std::time::Duration;

use hardware::{Identity, Node};
use ipmi::quirk::{Handling, Quirk, Quirks};

use scene::{Proof, Scene};
use stand::{By, Sent, Stand, Time};

/// Long enough for first contact, the log and some rounds, with repetitions.
const SPAN: Duration = Duration::from_secs(60);

/// What the fleet learns of a machine with these defects, and what the BMC sent meanwhile.
fn learnt(by: By, defects: Quirks, scene: &Scene) -> (Node, Vec<Sent>) {
    let mut stand = Stand::new(by, Time::StandsStill, defects);
    (scene.prepare)(&stand);
    let told = defects
        .iter()
        .filter(|quirk| quirk.row().handling == Handling::Configured);
    stand.poll(told.collect());
    stand.run_for(SPAN);
    let node = (*stand.node()).clone();
    (node, stand.sent)
}

/// Everything about a node but when it was read and what was noticed of its BMC.
fn facts(node: &Node) -> Vec<String> {
    let identity = Identity {
        deviations: std::sync::Arc::default(),
        ..(*node.identity).clone()
    };
    let inventory = &node.inventory;
    // Times are corrected by the BMC's clock, which stands still here: how far depends on when it was asked.
    let mut log = (*node.log).clone();
    for entry in &mut log.entries {
        entry.at_s = entry.at_s.map(|_| 0);
    }
    let sensors = inventory.sensors.iter().zip(node.readings.iter());
    let mut facts: Vec<String> = sensors.map(|pair| format!("{pair:?}")).collect();
    facts.extend([
        format!("{:?} {:?} {:?}", node.link, node.power, node.indicator),
        format!("{:?} {:?}", node.boot, node.power_limit),
        format!("{identity:?}"),
        format!(
            "{:?} {:?} {:?}",
            inventory.product(),
            inventory.board(),
            inventory.chassis()
        ),
        format!("{:?}", inventory.parts()),
        format!("{log:?}"),
    ]);
    facts
}

fn prove(quirk: Quirk) {
    let scene = scene::of(quirk);
    let alone = Quirks::NONE.with(quirk);
    let (mut healthy, healthy_sent) = learnt(scene.by, Quirks::NONE, &scene);
    let (mut learnt, sent) = learnt(scene.by, alone, &scene);
    (scene.adjust)(&mut healthy);
    (scene.forget)(&mut healthy);
    (scene.forget)(&mut learnt);
    let numbers = healthy
        .readings
        .iter()
        .filter(|reading| reading.number().is_some());
    assert!(numbers.count() > 5 && healthy.log.entries.len() > 2);
    assert_eq!(learnt.readings.len(), healthy.readings.len(), "{quirk}");
    for (learnt, healthy) in facts(&learnt).into_iter().zip(facts(&healthy)) {
        assert_eq!(learnt, healthy, "{quirk}");
    }
    // Noticed means shown with the node, and what is not to be noticed isn't imagined.
    let shown: Vec<&str> = learnt
        .identity
        .deviations
        .iter()
        .map(|name| &**name)
        .collect();
    match quirk.row().handling {
        Handling::Noticed if scene.is_seen => assert!(shown.contains(&quirk.name()), "{shown:?}"),
        Handling::Configured => assert_eq!(shown, [quirk.name()]),
        _ => assert!(!shown.contains(&quirk.name()), "{shown:?}"),
    }
    assert!(
        healthy.identity.deviations.is_empty(),
        "{:?}",
        healthy.identity.deviations
    );
    // The only difference between both is the defect, down to the random numbers.
    match scene.proof {
        Proof::OnTheWire => assert_ne!(sent, healthy_sent, "{quirk} does not show"),
        Proof::Probe(probe) => {
            let answers = |defects| probe(&mut Stand::new(scene.by, Time::StandsStill, defects));
            assert_ne!(
                answers(alone),
                answers(Quirks::NONE),
                "{quirk} does not show"
            );
        }
    }
    if let Some(act) = scene.act {
        act(&mut Stand::new(scene.by, Time::Passes, alone));
    }
}

/// One test a quirk, so that each failure has its name; one more finds quirks that are not in the list.
macro_rules! each {
    ($($quirk:ident => $name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                prove(Quirk::$quirk);
            }
        )*

        #[test]
        fn every_quirk_has_its_test() {
            let tested: Quirks = [$(Quirk::$quirk,)*].into_iter().collect();
            let all: Quirks = Quirk::ALL.iter().copied().collect();
            let missing = all.except(tested).except(scene::elsewhere());
            assert!(missing.is_empty(), "without a test: {missing}");
        }
    };
}

each! {
    AuthCapabilitiesWrong => auth_capabilities_wrong,
    VersionBitRefused => version_bit_refused,
    SessionIdZero => session_id_zero,
    CodesThoughOff => codes_though_off,
    DropsWithoutCode => drops_without_code,
    SequenceByteSwapped => sequence_byte_swapped,
    MessageChecksumWrong => message_checksum_wrong,
    ActivationSequenceOff => activation_sequence_off_by_one,
    HighestPrivilegeRefused => highest_privilege_refused,
    V15SessionsMissing => v15_sessions_missing,
    OpenSessionRoleHashed => open_session_role_hashed,
    RakpNamePadded => rakp_name_padded,
    NameOnlyLookupRefused => name_only_lookup_refused,
    Rakp2LengthOff => rakp2_length_off_by_one,
    Rakp4CodeWhole => rakp4_code_whole,
    SuiteRecordsBroken => suite_records_broken,
    Suite0Code => suite_0_rakp4_code,
    RakpLookupBitLeftOut => rakp_lookup_bit_left_out,
    OneSuiteOnly => one_suite_only,
    AlgorithmListWrong => algorithm_list_wrong,
    SuitesCountedFrom1 => suites_counted_from_1,
    Sha256Refused => sha256_refused,
    Rakp2SessionForgotten => rakp2_session_forgotten,
    Rakp4SessionForgotten => rakp4_session_forgotten,
    RakpParameterRefusedOnce => rakp_parameter_refused_once,
    OpenSessionErrorShort => open_session_error_short,
    CompletionCodeAsStatus => completion_code_as_status,
    Rakp2GuidZero => rakp2_guid_zero,
    PasswordCutAt16 => password_cut_at_16,
    SuiteOfferedUnusable => suite_offered_unusable,
    SuiteTiedToPrivilege => suite_tied_to_privilege,
    SequenceSkips => sequence_skips,
    CloseSessionUnanswered => close_session_unanswered,
    OneSessionSlot => one_session_slot,
    SessionDroppedSilently => session_dropped_silently,
    PresencePongMissing => presence_pong_missing,
    StaleAnswerFirst => stale_answer_first,
    DuplicateRefused => duplicate_refused,
    RequestNumbersNarrow => request_numbers_narrow,
    OftenBusy => often_busy,
    SdrReserveMissing => sdr_reserve_missing,
    SdrCountWrong => sdr_count_wrong,
    SdrListEndless => sdr_list_endless,
    SdrIdDiffers => sdr_id_differs,
    SdrLengthTooBig => sdr_length_too_big,
    SdrWholeReadShort => sdr_whole_read_short,
    SdrReadLimited => sdr_read_limited,
    SdrReservationLost => sdr_reservation_lost,
    SdrLastRefused => sdr_last_refused,
    DeviceSdrsOnly => device_sdrs_only,
    SensorOwnerWrong => sensor_owner_wrong,
    SensorAbsentByCode => sensor_absent_by_code,
    ReadingShort => reading_short,
    ScanningFlagWrong => scanning_flag_wrong,
    IllegalStates => illegal_states,
    SelReserveDenied => sel_reserve_denied,
    SelNextZero => sel_next_zero,
    SelListEndless => sel_list_endless,
    SelEntryUnreadable => sel_entry_unreadable,
    SelGeneratorWrong => sel_generator_wrong,
    SelTimesSinceStart => sel_times_since_start,
    FruChecksumsWrong => fru_checksums_wrong,
    FruReadLimited => fru_read_limited,
    FruEmpty => fru_empty,
    MessagesShort => messages_short,
    SystemInfoDenied => system_info_denied,
    LanParameterFlaky => lan_parameter_flaky,
    IdentifyLengthRefused => identify_length_refused,
    PowerCommandIgnored => power_command_ignored,
    ManufacturerInvalid => manufacturer_invalid,
    GuidByteOrder => guid_byte_order,
    GuidUnsteady => guid_unsteady,
    BootFlagsLong => boot_flags_long,
    AssetTagLengthMissing => asset_tag_length_missing,
    EnableNeedsPassword => enable_needs_password,
    Password20Refused => password_20_refused,
}
