//! Firmware upgrade by HPM.1, and what HPM.2 adds to LAN.
//!
//! A console asks for capabilities and components, prepares the components, uploads each image in blocks, finishes it and
//! activates. Steps that take long are answered [`IN_PROGRESS`]; Get Upgrade Status tells when they are done.

use core::fmt;

use super::PicmgDone;
use crate::command::layout::{layout, message, request};
use crate::command::{Bytes, Command};
use crate::number::{
    CompletionCode, HpmAction, HpmCapabilities, HpmCompletion, HpmProperty, HpmRollback,
    SelfTestResult,
};

/// The command goes on; Get Upgrade Status tells when it is done.
pub const IN_PROGRESS: CompletionCode = CompletionCode(HpmCompletion::IN_PROGRESS.0);
/// Finish Firmware Upload: the image's length differs.
pub const LENGTH_MISMATCH: CompletionCode = CompletionCode(HpmCompletion::NOT_SUPPORTED.0);
/// Initiate Upgrade Action: not for this component. Upload: another block is wanted.
pub const INVALID_COMPONENT: CompletionCode = CompletionCode(HpmCompletion::INVALID_COMPONENT.0);
/// Finish Firmware Upload: the image is wrong.
pub const IMAGE_MISMATCH: CompletionCode = CompletionCode(HpmCompletion::IMAGE_INVALID.0);

/// Room for a block of an image: what a datagram over LAN carries.
pub const BLOCK_MAX: usize = 200;
/// The minor version where there is none.
const NO_MINOR: u8 = 0xff;
/// A version property of a component that has no such version: nothing to go back to, or nothing that waits.
pub const NO_VERSION: [u8; 6] = [0xff; 6];
/// Room for a component's property.
pub const PROPERTY_MAX: usize = 16;

request! {
    /// Asks what the firmware upgrade of a controller can.
    pub struct GetTargetUpgradeCapabilities: PICMG 0x2e "Get Target Upgrade Capabilities", repeatable => TargetUpgradeCapabilities {}

    /// Asks for a property of a component.
    pub struct GetComponentProperties: PICMG 0x2f "Get Component Properties", repeatable => ComponentProperties {
        /// Component, 0-7.
        pub component: u8,
        /// Which property.
        pub property: HpmProperty,
    }

    /// Gives an upgrade up.
    pub struct AbortFirmwareUpgrade: PICMG 0x30 "Abort Firmware Upgrade", repeatable => PicmgDone {}

    /// Starts a step of an upgrade.
    pub struct InitiateUpgradeAction: PICMG 0x31 "Initiate Upgrade Action", once => PicmgDone {
        /// Components, bit n for component n; one only for uploads.
        pub components: u8,
        /// Which step.
        pub action: HpmAction,
    }

    /// Uploads a block of the image. It may be repeated: by its number the controller knows the block that it has
    /// already, and takes it for answered.
    pub struct UploadFirmwareBlock: PICMG 0x32 "Upload Firmware Block", repeatable => UploadedBlock {
        /// Number of the block, from 0, again after 255.
        pub number: u8,
        /// The block.
        pub data: Bytes<BLOCK_MAX>,
    }

    /// Ends the upload of an image.
    pub struct FinishFirmwareUpload: PICMG 0x33 "Finish Firmware Upload", once => PicmgDone {
        /// Component.
        pub component: u8,
        /// Length of the image, in bytes.
        pub length: u32,
    }

    /// Asks how far the last command is.
    pub struct GetUpgradeStatus: PICMG 0x34 "Get Upgrade Status", repeatable => UpgradeStatus {}

    /// Starts the new firmware.
    pub struct ActivateFirmware: PICMG 0x35 "Activate Firmware", once => PicmgDone {
        /// 1 overrides automatic rollback; optional.
        pub rollback_override: Option<u8>,
    }

    /// Asks how the new firmware's self test ended.
    pub struct QuerySelfTestResults: PICMG 0x36 "Query Self-test Results", repeatable => UpgradeSelfTest {}

    /// Asks whether the controller went back to its old firmware.
    pub struct QueryRollbackStatus: PICMG 0x37 "Query Rollback Status", repeatable => RollbackStatus {}

    /// Goes back to the old firmware.
    pub struct InitiateManualRollback: PICMG 0x38 "Initiate Manual Rollback", once => PicmgDone {}

    /// Asks which LAN channels HPM.2 covers.
    pub struct GetLanAttachCapabilities: PICMG 0x3e "Get LAN Attach Capabilities", repeatable => LanAttachCapabilities {
        /// Which of them is asked for: 2 HPM.2, 3 HPM.3; optional.
        pub identifier: Option<u8>,
    }
}

message! {
    /// The answer to [`GetTargetUpgradeCapabilities`] (HPM.1 table 3-3).
    pub struct TargetUpgradeCapabilities in PICMG {
        /// Version of HPM.1: 0.
        pub version: u8,
        /// What it can.
        pub capabilities: HpmCapabilities,
        /// Longest upgrade step, in 5 s.
        pub upgrade_5s: u8,
        /// Longest self test, in 5 s.
        pub self_test_5s: u8,
        /// Longest rollback, in 5 s.
        pub rollback_5s: u8,
        /// Longest time without an answer, in 5 s.
        pub inaccessible_5s: u8,
        /// Components that there are, bit n for component n.
        pub components: u8,
    }

    /// The answer to [`GetComponentProperties`].
    pub struct ComponentProperties in PICMG {
        /// The property: general properties in a byte, a version ([`FirmwareVersion`]), a name of 12 bytes.
        pub data: Bytes<PROPERTY_MAX>,
    }

    /// The answer to [`UploadFirmwareBlock`].
    pub struct UploadedBlock in PICMG {
        /// The next block wanted, where it isn't the one that follows.
        pub section: Option<Section>,
    }

    /// The answer to [`GetUpgradeStatus`].
    pub struct UpgradeStatus in PICMG {
        /// The command that goes on, or was the last.
        pub command: u8,
        /// How it ended; [`IN_PROGRESS`] while it goes on.
        pub completion: CompletionCode,
        /// Done so far, in percent; optional.
        pub percent: Option<u8>,
    }

    /// The answer to [`QuerySelfTestResults`]: as in Get Self Test Results (§20.4).
    pub struct UpgradeSelfTest in PICMG {
        /// 55h passed.
        pub result: SelfTestResult,
        /// More about it.
        pub detail: u8,
    }

    /// The answer to [`QueryRollbackStatus`].
    pub struct RollbackStatus in PICMG {
        /// Components that went back.
        pub components: HpmRollback,
        /// Done so far, in percent; optional.
        pub percent: Option<u8>,
    }

    /// The answer to [`GetLanAttachCapabilities`].
    pub struct LanAttachCapabilities in PICMG {
        /// Which of them the answer is about: 2 HPM.2, 3 HPM.3.
        pub identifier: u8,
        /// Its revision.
        pub revision: u8,
        /// LAN channels, bit n for channel n.
        pub channels: u16,
        /// What HPM.2 and HPM.3 add, and where their parameters start.
        pub more: Bytes<12>,
    }
}

layout! {
    /// The part of an image that a controller wants next.
    pub struct Section {
        /// From where.
        pub offset: u32,
        /// How much; 0 for all from there on.
        pub length: u32,
    }
}

layout! {
    /// A version of firmware (HPM.1 table 3-6).
    #[derive(Default)]
    pub struct FirmwareVersion {
        u8 {
            /// Major version.
            pub major: u8 [6:0],
        }
        /// Minor version, two decimal digits in BCD; FFh for none.
        pub minor: u8,
        /// The maker's own.
        pub auxiliary: [u8; 4],
    }
}

/// As Get Device ID's is written: the minor version has two digits. The maker's own is left out.
impl fmt::Display for FirmwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            NO_MINOR => write!(f, "{}", self.major),
            minor => write!(f, "{}.{minor:02x}", self.major),
        }
    }
}

impl FirmwareVersion {
    /// As a property's data.
    #[must_use]
    pub fn to_data(&self) -> Bytes<PROPERTY_MAX> {
        let [a, b, c, d] = self.auxiliary;
        Bytes::from([self.major & 0x7f, self.minor, a, b, c, d])
    }

    /// Reads a property's data; `None` where bytes are missing, or say that there is no such version ([`NO_VERSION`]; with
    /// or without the highest bit, which is reserved).
    #[must_use]
    pub fn from_data(data: &[u8]) -> Option<Self> {
        let &[major, minor, a, b, c, d, ..] = data else {
            return None;
        };
        if major & 0x7f == 0x7f && minor == NO_MINOR {
            return None;
        }
        Some(Self {
            major: major & 0x7f,
            minor,
            auxiliary: [a, b, c, d],
        })
    }
}

/// What an [`UpgradeStatus`] says of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// A command goes on.
    UnderWay,
    /// The step was the last command, and ended so.
    Ended(CompletionCode),
    /// Another command was the last: the controller has not heard of the step, or has forgotten it.
    Unheard,
}

impl UpgradeStatus {
    /// What it says of a step whose answer is lost: that nothing goes on means nothing where another command was the last.
    #[must_use]
    pub fn of<C: Command>(&self) -> StepState {
        match self.completion {
            IN_PROGRESS => StepState::UnderWay,
            completion if self.command == C::CMD => StepState::Ended(completion),
            _ => StepState::Unheard,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::command::check;

    #[test]
    fn what_a_target_can() {
        check::request(&GetTargetUpgradeCapabilities, &[0], 1);
        let capabilities = TargetUpgradeCapabilities {
            version: 0,
            capabilities: HpmCapabilities(0x17),
            upgrade_5s: 12,
            self_test_5s: 2,
            rollback_5s: 12,
            inaccessible_5s: 6,
            components: 3,
        };
        check::response(&capabilities, &[0, 0, 0x17, 12, 2, 12, 6, 3], 8);
        let get = GetComponentProperties {
            component: 1,
            property: HpmProperty::CURRENT_VERSION,
        };
        check::request(&get, &[0, 1, 1], 3);
        let version = FirmwareVersion {
            major: 2,
            minor: 0x14,
            auxiliary: [1, 2, 3, 4],
        };
        let data = version.to_data();
        check::response(&ComponentProperties { data }, &[0, 2, 0x14, 1, 2, 3, 4], 1);
        assert_eq!(FirmwareVersion::from_data(&data), Some(version));
        assert_eq!(FirmwareVersion::from_data(&data[..5]), None);
        assert_eq!(FirmwareVersion::from_data(&NO_VERSION), None);
        assert_eq!(FirmwareVersion::from_data(&[0x7f, 0xff, 0, 0, 0, 0]), None);
        assert_eq!(version.to_string(), "2.14");
    }

    #[test]
    fn an_upload_block_by_block() {
        let initiate = InitiateUpgradeAction {
            components: 2,
            action: HpmAction::UPLOAD,
        };
        check::request(&initiate, &[0, 2, 2], 3);
        let block = UploadFirmwareBlock {
            number: 7,
            data: Bytes::from([1, 2, 3]),
        };
        check::request(&block, &[0, 7, 1, 2, 3], 2);
        check::response(&UploadedBlock { section: None }, &[0], 1);
        let finish = FinishFirmwareUpload {
            component: 1,
            length: 0x0403_0201,
        };
        check::request(&finish, &[0, 1, 1, 2, 3, 4], 6);
        check::request(&GetUpgradeStatus, &[0], 1);
        let status = UpgradeStatus {
            command: 0x33,
            completion: IN_PROGRESS,
            percent: Some(50),
        };
        check::response(&status, &[0, 0x33, 0x80, 50], 3);
        check::request(&AbortFirmwareUpgrade, &[0], 1);
    }

    #[test]
    fn a_status_tells_of_a_step_only_where_it_was_the_last_command() {
        let status = |completion| UpgradeStatus {
            command: FinishFirmwareUpload::CMD,
            completion,
            percent: None,
        };
        let ended = status(CompletionCode::OK);
        assert_eq!(
            ended.of::<FinishFirmwareUpload>(),
            StepState::Ended(CompletionCode::OK)
        );
        assert_eq!(ended.of::<ActivateFirmware>(), StepState::Unheard);
        let goes_on = status(IN_PROGRESS);
        assert_eq!(goes_on.of::<ActivateFirmware>(), StepState::UnderWay);
    }

    #[test]
    fn activation_self_test_and_rollback() {
        let activate = ActivateFirmware {
            rollback_override: None,
        };
        check::request(&activate, &[0], 1);
        check::request(&QuerySelfTestResults, &[0], 1);
        let result = UpgradeSelfTest {
            result: SelfTestResult(0x55),
            detail: 0,
        };
        check::response(&result, &[0, 0x55, 0], 3);
        check::request(&QueryRollbackStatus, &[0], 1);
        let status = RollbackStatus {
            components: HpmRollback::COMPONENT_0,
            percent: None,
        };
        check::response(&status, &[0, 1], 2);
        check::request(&InitiateManualRollback, &[0], 1);
        check::request(
            &GetLanAttachCapabilities {
                identifier: Some(2),
            },
            &[0, 2],
            1,
        );
        let lan = LanAttachCapabilities {
            identifier: 2,
            revision: 1,
            channels: 2,
            more: Bytes::EMPTY,
        };
        check::response(&lan, &[0, 2, 1, 2, 0], 5);
    }
}
