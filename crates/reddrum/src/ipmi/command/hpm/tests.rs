//! Upgrades of played controllers, each with its own whim.

use ipmi::command::picmg::hpm::Section;
use ipmi::upgrade::{ImageHeader, Upload};

use super::*;
use crate::ipmi::talk::play::{self, Reply};
use crate::ipmi::talk::{Call, Talk};

const OLD: FirmwareVersion = FirmwareVersion {
    major: 1,
    minor: 0x05,
    auxiliary: [0; 4],
};
const NEW: FirmwareVersion = FirmwareVersion {
    major: 2,
    minor: 0x10,
    auxiliary: [0; 4],
};
/// What fits the played controller: device 20h, product 7 of manufacturer 9, firmware 1.05, component 1.
const HEADER: ImageHeader = ImageHeader {
    device_id: 0x20,
    manufacturer: 9,
    product: 7,
    made_at_s: 0,
    capabilities: 0,
    components: 0b10,
    self_test_5s: 0,
    rollback_5s: 0,
    inaccessible_5s: 0,
    earliest: (1, 0x05),
    version: NEW,
};

/// A controller that answers 00h to Get Upgrade Status whatever it did last.
#[derive(Default)]
struct Controller {
    /// The first sending of this command never arrives.
    loses: Option<u8>,
    /// This command is carried out, and its answer does not arrive, once.
    forgets_to_answer: Option<u8>,
    /// From this command on it answers nothing; the command itself takes long.
    gone_from: Option<u8>,
    is_gone: bool,
    /// The section that it asks for after its first block.
    wants: Option<Section>,
    /// The last command that isn't a question.
    last: u8,
    uploading: bool,
    received: Vec<u8>,
    is_finished: bool,
    /// What it was asked.
    commands: Vec<u8>,
}

impl Controller {
    fn answer(&mut self, call: &Call) -> Reply {
        let cmd = call.target.cmd;
        self.commands.push(cmd);
        if self.is_gone || self.loses.take_if(|lost| *lost == cmd).is_some() {
            return None;
        }
        let (code, data) = self.carry_out(cmd, &call.data);
        if self.gone_from == Some(cmd) {
            self.is_gone = true;
            return Some((IN_PROGRESS, vec![0]));
        }
        let is_unheard = self.forgets_to_answer.take_if(|c| *c == cmd).is_some();
        (!is_unheard).then_some((code, [&[0], data.as_slice()].concat()))
    }

    fn carry_out(&mut self, cmd: u8, data: &[u8]) -> (CompletionCode, Vec<u8>) {
        let ok = |data: &[u8]| (CompletionCode::OK, data.to_vec());
        let refused = (CompletionCode::NOT_SUPPORTED_IN_STATE, Vec::new());
        match cmd {
            GetDeviceId::CMD => (CompletionCode::OK, vec![1, 1, 5, 2, 0, 9, 0, 0, 7, 0]),
            GetTargetUpgradeCapabilities::CMD => ok(&[0, 0, 1, 1, 1, 1, 0b10]),
            GetComponentProperties::CMD => ok(&OLD.to_data()),
            GetUpgradeStatus::CMD => ok(&[self.last, 0]),
            InitiateUpgradeAction::CMD => {
                (self.uploading, self.last) = (data[2] == HpmAction::UPLOAD.0, cmd);
                self.received.clear();
                ok(&[])
            }
            UploadFirmwareBlock::CMD if self.uploading => {
                self.last = cmd;
                self.received.extend(&data[2..]);
                match self.wants.take() {
                    Some(Section { offset, length }) => {
                        ok(&[offset.to_le_bytes(), length.to_le_bytes()].concat())
                    }
                    None => ok(&[]),
                }
            }
            FinishFirmwareUpload::CMD if self.uploading => {
                self.last = cmd;
                let length = u32::from_le_bytes(data[2..6].try_into().unwrap());
                assert_eq!(length as usize, self.received.len());
                (self.uploading, self.is_finished) = (false, true);
                ok(&[])
            }
            ActivateFirmware::CMD if self.is_finished => {
                self.last = cmd;
                ok(&[])
            }
            InitiateManualRollback::CMD => {
                self.last = cmd;
                (IN_PROGRESS, Vec::new())
            }
            AbortFirmwareUpgrade::CMD => ok(&[]),
            _ => refused,
        }
    }

    fn times(&self, cmd: u8) -> usize {
        self.commands.iter().filter(|c| **c == cmd).count()
    }
}

fn data() -> Vec<u8> {
    (0..500_u32).map(|n| n as u8).collect()
}

fn upgraded_with(controller: &mut Controller, header: ImageHeader) -> Outcome {
    let data = data();
    let image = UpgradeImage {
        header,
        oem: &[],
        actions: vec![
            ImageAction::Prepare(0b10),
            ImageAction::Upload(Upload {
                component: 1,
                version: NEW,
                description: "Firmware".to_owned(),
                data: &data,
            }),
        ],
    };
    let file: Rc<[u8]> = image.write().into();
    let talk = Talk::new(|line| upgrade(line, file, End::Activated, true));
    play::run(talk, |call| {
        // Get Device ID has no group in front of its data.
        let answer = controller.answer(call);
        answer.map(|(code, mut data)| {
            if call.target.cmd == GetDeviceId::CMD {
                data[0] = 0x20;
            }
            (code, data)
        })
    })
}

fn upgraded(controller: &mut Controller) -> Outcome {
    upgraded_with(controller, HEADER)
}

#[test]
fn an_upgrade_brings_all_of_the_firmware_and_activates_it() {
    let mut controller = Controller::default();
    let value = upgraded(&mut controller).unwrap().value;
    assert_eq!(value, json!({ "activating": true, "confirmed": true }));
    assert_eq!(controller.received, data());
    assert_eq!(controller.last, ActivateFirmware::CMD);
}

#[test]
fn a_step_that_never_arrived_is_sent_again_and_not_taken_for_done() {
    for lost in [
        InitiateUpgradeAction::CMD,
        FinishFirmwareUpload::CMD,
        ActivateFirmware::CMD,
    ] {
        let mut usual = Controller::default();
        upgraded(&mut usual).unwrap();
        let mut controller = Controller {
            loses: Some(lost),
            ..Controller::default()
        };
        upgraded(&mut controller).unwrap();
        assert!(controller.is_finished, "{lost:02X}h");
        assert_eq!(controller.last, ActivateFirmware::CMD, "{lost:02X}h");
        assert_eq!(controller.times(lost), usual.times(lost) + 1, "{lost:02X}h");
    }
}

#[test]
fn a_step_that_the_controller_remembers_is_not_sent_again() {
    for unheard in [FinishFirmwareUpload::CMD, ActivateFirmware::CMD] {
        let mut controller = Controller {
            forgets_to_answer: Some(unheard),
            ..Controller::default()
        };
        upgraded(&mut controller).unwrap();
        assert_eq!(controller.times(unheard), 1, "{unheard:02X}h");
        assert_eq!(controller.last, ActivateFirmware::CMD);
    }
}

#[test]
fn a_controller_gets_the_section_that_it_asks_for_and_no_other() {
    let section = |offset, length| {
        let mut controller = Controller {
            wants: Some(Section { offset, length }),
            ..Controller::default()
        };
        (upgraded(&mut controller), controller)
    };
    let (outcome, controller) = section(300, 50);
    outcome.unwrap();
    assert_eq!(controller.received[200..], data()[300..350]);
    let (outcome, controller) = section(490, 11);
    assert_eq!(outcome.unwrap_err().kind(), "upgrade_failed");
    assert_eq!(controller.commands.last(), Some(&AbortFirmwareUpgrade::CMD));
    assert!(!controller.is_finished);
}

#[test]
fn an_image_that_does_not_fit_changes_nothing() {
    let device_id = ImageHeader {
        device_id: 0x21,
        ..HEADER
    };
    let earliest = ImageHeader {
        earliest: (1, 0x06),
        ..HEADER
    };
    let components = ImageHeader {
        components: 0b110,
        ..HEADER
    };
    for (header, kind) in [
        (device_id, "other_product"),
        (earliest, "too_old"),
        (components, "no_such_component"),
    ] {
        let mut controller = Controller::default();
        let failure = upgraded_with(&mut controller, header).unwrap_err();
        assert_eq!(failure.kind(), kind, "{failure}");
        assert_eq!(controller.times(InitiateUpgradeAction::CMD), 0);
        assert_eq!(controller.times(AbortFirmwareUpgrade::CMD), 0);
    }
}

#[test]
fn a_lost_session_is_noticed_soon_and_told() {
    for from in [
        InitiateUpgradeAction::CMD,
        UploadFirmwareBlock::CMD,
        FinishFirmwareUpload::CMD,
    ] {
        let mut controller = Controller {
            gone_from: Some(from),
            ..Controller::default()
        };
        let failure = upgraded(&mut controller).unwrap_err();
        assert_eq!(failure.kind(), "session_lost", "{failure}");
        assert!(failure.remedy().contains("hpm check"), "{failure}");
        assert!(controller.times(GetUpgradeStatus::CMD) <= 1 + SILENT_MAX as usize);
        assert_eq!(controller.times(ActivateFirmware::CMD), 0);
    }
}

#[test]
fn a_controller_that_is_gone_after_its_activation_is_told_as_not_confirmed() {
    let mut controller = Controller::default();
    let outcome = {
        let talk = Talk::new(activate);
        controller.is_gone = true;
        play::run(talk, |call| controller.answer(call))
    };
    assert_eq!(outcome.unwrap().value["confirmed"], false);
    assert_eq!(controller.times(ActivateFirmware::CMD), 1);
}

#[test]
fn a_rollback_that_never_arrived_is_sent_again() {
    let mut controller = Controller {
        loses: Some(InitiateManualRollback::CMD),
        ..Controller::default()
    };
    let outcome = play::run(Talk::new(roll_back), |call| controller.answer(call));
    let value = outcome.unwrap().value;
    assert_eq!(value, json!({ "rolling_back": true, "confirmed": true }));
    assert_eq!(controller.times(InitiateManualRollback::CMD), 2);
}
