//! Upgrades of played controllers, each with its own whim.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use hardware::InstallationWatch;
use ipmi::command::picmg::hpm::{FinishFirmwareUpload, UploadFirmwareBlock};
use ipmi::upgrade::Upload;

use super::*;
use crate::call::Call;
use crate::script::{Script, play};

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

/// A controller with one component, number 1.
#[derive(Default)]
struct Controller {
    product: u16,
    capabilities: u8,
    /// Longest block that it takes.
    block_max: usize,
    /// After so many blocks it restarts, once.
    restarts_after: Option<usize>,
    /// It wants this part once more, before it is content.
    wants: Option<(u32, u32)>,
    /// It finds fault with the firmware.
    finds_fault: bool,
    /// It goes back to its old firmware.
    goes_back: bool,
    /// It answers the activation, and so many commands after it not.
    goes_away: u32,
    away: u32,
    is_uploading: bool,
    next: u8,
    received: Vec<u8>,
    blocks: usize,
    longest: usize,
    runs: Option<FirmwareVersion>,
    commands: Vec<u8>,
}

impl Controller {
    fn new() -> Self {
        Self {
            product: 7,
            block_max: 1_000,
            ..Self::default()
        }
    }

    fn answer(&mut self, call: &Call) -> play::Reply {
        let ok = |data: &[u8]| Some((CompletionCode::OK, data.to_vec()));
        let code = |code: u8| Some((CompletionCode(code), vec![0]));
        if self.away > 0 {
            self.away -= 1;
            return None;
        }
        if self.commands.last() != Some(&call.cmd) {
            self.commands.push(call.cmd);
        }
        let runs = self.runs.unwrap_or(OLD);
        match call.cmd {
            GetDeviceId::CMD => {
                let [low, high] = self.product.to_le_bytes();
                ok(&[0x20, 1, 1, 5, 2, 0, 9, 0, 0, low, high])
            }
            GetTargetUpgradeCapabilities::CMD => ok(&[0, 0, self.capabilities, 1, 1, 1, 1, 0b10]),
            GetComponentProperties::CMD => ok(&[&[0], runs.to_data().as_slice()].concat()),
            InitiateUpgradeAction::CMD => {
                self.is_uploading = call.data()[2] == HpmAction::UPLOAD.0;
                self.next = 0;
                self.received.clear();
                ok(&[0])
            }
            UploadFirmwareBlock::CMD => self.block(&call.data()[1..]),
            FinishFirmwareUpload::CMD if self.finds_fault => code(0x83),
            FinishFirmwareUpload::CMD => {
                let length = u32::from_le_bytes(call.data()[2..6].try_into().unwrap());
                if length as usize == self.received.len() {
                    ok(&[0])
                } else {
                    code(0x81)
                }
            }
            ActivateFirmware::CMD => {
                self.runs = (!self.goes_back).then_some(NEW);
                self.away = self.goes_away;
                ok(&[0])
            }
            QuerySelfTestResults::CMD => ok(&[0, 0x57, 0x02]),
            GetUpgradeStatus::CMD => ok(&[0, 0, 0]),
            AbortFirmwareUpgrade::CMD => ok(&[0]),
            _ => code(0xc1),
        }
    }

    fn block(&mut self, data: &[u8]) -> play::Reply {
        let (number, data) = (data[0], &data[1..]);
        if data.len() > self.block_max {
            return Some((CompletionCode::REQUEST_LENGTH_INVALID, vec![0]));
        }
        if !self.is_uploading || number != self.next {
            return Some((CompletionCode::NOT_SUPPORTED_IN_STATE, vec![0]));
        }
        self.blocks += 1;
        if self.restarts_after.take_if(|n| *n == self.blocks).is_some() {
            self.is_uploading = false;
            return None;
        }
        self.longest = self.longest.max(data.len());
        self.received.extend(data);
        self.next = self.next.wrapping_add(1);
        let section = self.wants.take_if(|_| self.received.len() >= 900);
        let mut answer = vec![0];
        if let Some((offset, length)) = section {
            answer.extend(offset.to_le_bytes());
            answer.extend(length.to_le_bytes());
        }
        Some((CompletionCode::OK, answer))
    }
}

#[derive(Default)]
struct Watch {
    percent: AtomicU8,
    is_cancelled: AtomicBool,
    cancel_at: u8,
}

impl InstallationWatch for Watch {
    fn progress(&self, percent: u8) {
        assert!((self.percent.load(Ordering::Relaxed)..=100).contains(&percent));
        self.percent.store(percent, Ordering::Relaxed);
        if self.cancel_at != 0 && percent >= self.cancel_at {
            self.is_cancelled.store(true, Ordering::Relaxed);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

fn data() -> Vec<u8> {
    (0..3_000_u32).map(|n| n as u8).collect()
}

fn order(watch: &Arc<Watch>) -> Installation {
    let data = data();
    let image = UpgradeImage {
        header: ImageHeader {
            device_id: 0x20,
            manufacturer: 9,
            product: 7,
            components: 0b10,
            version: NEW,
            ..ImageHeader::default()
        },
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
    Installation {
        image: image.write().into(),
        component: None,
        force: false,
        watch: Arc::clone(watch) as Arc<dyn InstallationWatch>,
    }
}

fn played(controller: &mut Controller, order: Installation) -> Result<(), ApplyError> {
    let script = Script::new(|line| async move { install(&line, &order).await });
    play::run(script, |call| controller.answer(call))
}

fn upgraded(controller: &mut Controller) -> Result<(), ApplyError> {
    played(controller, order(&Arc::default()))
}

#[test]
fn an_upgrade_ends_with_the_new_version_and_all_of_the_work_done() {
    let (mut controller, watch) = (Controller::new(), Arc::new(Watch::default()));
    assert_eq!(played(&mut controller, order(&watch)), Ok(()));
    assert_eq!(controller.runs, Some(NEW));
    assert_eq!(controller.received, data());
    assert_eq!(controller.longest, 200, "longer blocks are tried");
    assert_eq!(watch.percent.load(Ordering::Relaxed), 100);
    // Once more: there is nothing to do, unless it is forced.
    controller.commands.clear();
    assert_eq!(upgraded(&mut controller), Err(ApplyError::UpToDate));
    assert!(!controller.commands.contains(&InitiateUpgradeAction::CMD));
    let forced = Installation {
        force: true,
        ..order(&Arc::default())
    };
    assert_eq!(played(&mut controller, forced), Ok(()));
    assert!(controller.commands.contains(&ActivateFirmware::CMD));
}

#[test]
fn blocks_are_as_long_as_the_controller_takes_them() {
    for (block_max, longest) in [(32, 32), (100, 64), (150, 128)] {
        let mut controller = Controller {
            block_max,
            ..Controller::new()
        };
        assert_eq!(upgraded(&mut controller), Ok(()));
        assert_eq!(
            (controller.longest, &controller.received),
            (longest, &data())
        );
    }
    let mut controller = Controller {
        block_max: 8,
        ..Controller::new()
    };
    let refused = upgraded(&mut controller);
    assert!(
        matches!(refused, Err(ApplyError::Refused { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_controller_that_restarts_in_the_middle_gets_the_firmware_from_the_beginning() {
    let mut controller = Controller {
        restarts_after: Some(3),
        ..Controller::new()
    };
    assert_eq!(upgraded(&mut controller), Ok(()));
    assert_eq!(controller.received, data());
}

#[test]
fn a_controller_gets_the_part_that_it_asks_for_and_no_other() {
    let mut controller = Controller {
        wants: Some((100, 50)),
        ..Controller::new()
    };
    assert_eq!(upgraded(&mut controller), Ok(()));
    let received = &controller.received;
    assert_eq!(received[received.len() - 50..], data()[100..150]);
    let mut controller = Controller {
        wants: Some((2_990, 11)),
        ..Controller::new()
    };
    let refused = upgraded(&mut controller);
    assert!(
        matches!(refused, Err(ApplyError::WrongImage { .. })),
        "{refused:?}"
    );
}

#[test]
fn an_image_for_something_else_changes_nothing() {
    let mut controller = Controller {
        product: 8,
        ..Controller::new()
    };
    let refused = upgraded(&mut controller);
    assert!(
        matches!(&refused, Err(ApplyError::WrongImage { reason }) if reason.contains("product 0007h")),
        "{refused:?}"
    );
    assert_eq!(controller.commands, [GetDeviceId::CMD]);
    let mut controller = Controller::new();
    let mut damaged = order(&Arc::default());
    damaged.image = damaged.image[1..].into();
    let refused = played(&mut controller, damaged);
    assert!(
        matches!(refused, Err(ApplyError::WrongImage { .. })),
        "{refused:?}"
    );
    assert_eq!(controller.commands, []);
    let other = Installation {
        component: Some(0),
        ..order(&Arc::default())
    };
    let refused = played(&mut controller, other);
    assert!(
        matches!(refused, Err(ApplyError::WrongImage { .. })),
        "{refused:?}"
    );
    assert!(!controller.commands.contains(&InitiateUpgradeAction::CMD));
}

#[test]
fn an_upgrade_that_fails_or_is_called_off_is_given_up_at_the_controller_too() {
    let mut controller = Controller {
        finds_fault: true,
        ..Controller::new()
    };
    let refused = upgraded(&mut controller);
    assert!(
        matches!(refused, Err(ApplyError::WrongImage { .. })),
        "{refused:?}"
    );
    assert_eq!(controller.commands.last(), Some(&AbortFirmwareUpgrade::CMD));
    assert_eq!(controller.runs, None);

    let watch = Arc::new(Watch {
        cancel_at: 50,
        ..Watch::default()
    });
    let mut controller = Controller::new();
    let cancelled = played(&mut controller, order(&watch));
    assert_eq!(cancelled, Err(ApplyError::Cancelled));
    assert_eq!(controller.commands.last(), Some(&AbortFirmwareUpgrade::CMD));
    assert_eq!(controller.runs, None);
}

#[test]
fn firmware_that_fails_its_self_test_or_does_not_stay_is_no_success() {
    let mut controller = Controller {
        capabilities: HpmCapabilities::SELF_TEST.0,
        ..Controller::new()
    };
    let failed = upgraded(&mut controller);
    assert!(
        matches!(&failed, Err(ApplyError::Refused { reason }) if reason.contains("self test")),
        "{failed:?}"
    );
    let mut controller = Controller {
        goes_back: true,
        ..Controller::new()
    };
    let failed = upgraded(&mut controller);
    assert!(
        matches!(&failed, Err(ApplyError::Refused { reason }) if reason.contains("1.05")),
        "{failed:?}"
    );
}

#[test]
fn a_controller_that_has_something_better_to_do_is_left_alone() {
    let mut controller = Controller {
        capabilities: HpmCapabilities::UNDESIRABLE.0,
        ..Controller::new()
    };
    let refused = upgraded(&mut controller);
    assert!(
        matches!(refused, Err(ApplyError::WrongState { .. })),
        "{refused:?}"
    );
    assert_eq!(controller.runs, None);
}

#[test]
fn what_runs_is_asked_until_the_controller_has_come_back_from_its_activation() {
    let after = |goes_away: u32, goes_back: bool| {
        upgraded(&mut Controller {
            goes_away,
            goes_back,
            ..Controller::new()
        })
    };
    assert_eq!(after(3, false), Ok(()));
    let back = after(3, true).unwrap_err();
    assert!(matches!(back, ApplyError::Refused { .. }), "{back:?}");
    let gone = after(u32::MAX, false).unwrap_err();
    assert!(matches!(gone, ApplyError::Unconfirmed { .. }), "{gone:?}");
}
