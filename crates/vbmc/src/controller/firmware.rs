//! Firmware upgrade (HPM.1): prepare, upload, finish, activate, and back again.
//!
//! The firmware of a component names itself, as that of real controllers does ([`super::firmware_image`]). What doesn't fit
//! is refused when its upload is finished.

use ipmi::command::picmg::hpm::{
    FirmwareVersion, IMAGE_MISMATCH, IN_PROGRESS, INVALID_COMPONENT, LENGTH_MISMATCH,
};
use ipmi::number::{CompletionCode, HpmAction, HpmRollback};

use super::firmware_image::{HEAD, crc_32, is_whole, version_of};
use crate::profile::FIRMWARE;

/// Components of the firmware: boot loader and application.
pub const COMPONENTS: usize = 2;
/// The boot loader's number.
pub const BOOT: u8 = 0;
/// The application's number: its version is the one that Get Device ID tells.
pub const APPLICATION: u8 = 1;
/// The longest image that is taken, in bytes.
pub const IMAGE_MAX: u32 = 32 << 20;
/// Names of the components.
pub(super) const NAMES: [&str; COMPONENTS] = ["BOOT", "APP"];
/// Longest steps, in 5 s.
pub const STEP_5S: u8 = 2;
/// How long preparing, finishing and activating take, in seconds.
const PREPARE_S: u64 = 2;
const FINISH_S: u64 = 3;
const ACTIVATE_S: u64 = 5;
const ROLLBACK_S: u64 = 4;

/// Initiate Upgrade Action and others.
const INITIATE: u8 = 0x31;
const FINISH: u8 = 0x33;
const ACTIVATE: u8 = 0x35;
const ROLLBACK: u8 = 0x38;

/// One component's versions.
#[derive(Clone, Copy, Debug)]
pub struct Component {
    /// Its name.
    pub name: &'static str,
    /// What runs.
    pub current: FirmwareVersion,
    /// What ran before.
    pub backup: Option<FirmwareVersion>,
    /// What is to run after the next activation.
    pub deferred: Option<FirmwareVersion>,
}

/// What is being done.
#[derive(Clone, Debug, Default)]
enum Phase {
    #[default]
    Idle,
    Uploading {
        component: usize,
        compare: bool,
        next: u8,
        received: u32,
        head: Vec<u8>,
        crc: u32,
    },
}

/// A command that takes its time.
#[derive(Clone, Copy, Debug)]
struct Task {
    command: u8,
    began_s: u64,
    ends_s: u64,
    completion: CompletionCode,
}

/// The firmware of a controller.
#[derive(Clone, Debug)]
pub struct Firmware {
    /// Its components.
    pub components: [Component; COMPONENTS],
    phase: Phase,
    task: Option<Task>,
    last: (u8, CompletionCode),
    rolled_back: u8,
}

impl Default for Firmware {
    fn default() -> Self {
        let (major, minor) = FIRMWARE;
        let component = |name| Component {
            name,
            current: FirmwareVersion {
                major,
                minor: (minor / 10) << 4 | (minor % 10),
                auxiliary: [0; 4],
            },
            backup: None,
            deferred: None,
        };
        Self {
            components: NAMES.map(component),
            phase: Phase::Idle,
            task: None,
            last: (0, CompletionCode::OK),
            rolled_back: 0,
        }
    }
}

impl Firmware {
    /// The version that the controller tells as its own: the application's.
    #[must_use]
    pub const fn version(&self) -> FirmwareVersion {
        self.components[APPLICATION as usize].current
    }

    /// Starts a step (§ "Initiate Upgrade Action").
    ///
    /// # Errors
    /// Another command goes on, there is no such component, or the step is for one component and several were named.
    pub fn initiate(&mut self, now_s: u64, components: u8, action: HpmAction) -> CompletionCode {
        if let Some(busy) = self.busy(now_s) {
            return busy;
        }
        let known = u8::try_from((1 << COMPONENTS) - 1).unwrap_or(u8::MAX);
        if components == 0 || components & !known != 0 {
            return INVALID_COMPONENT;
        }
        match action {
            HpmAction::BACKUP => {
                self.each(components, |c| c.backup = Some(c.current));
                self.begin(now_s, INITIATE, PREPARE_S, CompletionCode::OK)
            }
            HpmAction::PREPARE => {
                self.each(components, |c| c.deferred = None);
                self.begin(now_s, INITIATE, PREPARE_S, CompletionCode::OK)
            }
            HpmAction::UPLOAD | HpmAction::COMPARE if components.count_ones() == 1 => {
                self.phase = Phase::Uploading {
                    component: components.trailing_zeros() as usize,
                    compare: action == HpmAction::COMPARE,
                    next: 0,
                    received: 0,
                    head: Vec::new(),
                    crc: u32::MAX,
                };
                (self.task, self.last) = (None, (INITIATE, CompletionCode::OK));
                CompletionCode::OK
            }
            _ => CompletionCode::INVALID_DATA_FIELD,
        }
    }

    /// Takes a block of the image. The block before may come again: its answer was lost.
    pub fn upload(&mut self, now_s: u64, number: u8, data: &[u8]) -> CompletionCode {
        if let Some(busy) = self.busy(now_s) {
            return busy;
        }
        let Phase::Uploading {
            next,
            received,
            head,
            crc,
            ..
        } = &mut self.phase
        else {
            return CompletionCode::NOT_SUPPORTED_IN_STATE;
        };
        if number == next.wrapping_sub(1) && *received > 0 {
            return CompletionCode::OK;
        }
        let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        if number != *next {
            return INVALID_COMPONENT;
        }
        if received.saturating_add(len) > IMAGE_MAX {
            return CompletionCode::OUT_OF_SPACE;
        }
        *next = next.wrapping_add(1);
        *received += len;
        let wanted = HEAD.saturating_sub(head.len()).min(data.len());
        head.extend(&data[..wanted]);
        *crc = crc_32(*crc, data);
        CompletionCode::OK
    }

    /// Ends the upload: the firmware is checked whether it is for this component of this `product`, and waits for its
    /// activation.
    pub fn finish(
        &mut self,
        now_s: u64,
        component: u8,
        length: u32,
        product: u16,
    ) -> CompletionCode {
        if let Some(busy) = self.busy(now_s) {
            return busy;
        }
        let Phase::Uploading {
            component: uploading,
            compare,
            received,
            head,
            crc,
            ..
        } = std::mem::take(&mut self.phase)
        else {
            return CompletionCode::NOT_SUPPORTED_IN_STATE;
        };
        if usize::from(component) != uploading {
            return INVALID_COMPONENT;
        }
        if length != received {
            return LENGTH_MISMATCH;
        }
        let version = is_whole(crc)
            .then(|| version_of(&head, product, component))
            .flatten();
        let component = &mut self.components[uploading];
        let completion = match version {
            None => IMAGE_MISMATCH,
            Some(version) if compare && version != component.current => IMAGE_MISMATCH,
            Some(_) if compare => CompletionCode::OK,
            Some(version) => {
                component.deferred = Some(version);
                CompletionCode::OK
            }
        };
        self.begin(now_s, FINISH, FINISH_S, completion)
    }

    /// Installs firmware at once: upload and activation without the steps in between. `false` where it is not for this
    /// component of this `product`, or damaged; nothing changes then.
    pub fn install(&mut self, component: u8, data: &[u8], product: u16) -> bool {
        let head = data.get(..HEAD).unwrap_or_default();
        let version = version_of(head, product, component);
        let is_whole = is_whole(crc_32(u32::MAX, data));
        match (version, self.components.get_mut(usize::from(component))) {
            (Some(version), Some(component)) if is_whole => {
                component.backup = Some(component.current);
                component.current = version;
                true
            }
            _ => false,
        }
    }

    /// Starts what waits. Completion code D5h where nothing does.
    pub fn activate(&mut self, now_s: u64) -> CompletionCode {
        if let Some(busy) = self.busy(now_s) {
            return busy;
        }
        if self.components.iter().all(|c| c.deferred.is_none()) {
            return CompletionCode::NOT_SUPPORTED_IN_STATE;
        }
        for component in &mut self.components {
            if let Some(version) = component.deferred.take() {
                component.backup = Some(component.current);
                component.current = version;
            }
        }
        self.rolled_back = 0;
        self.begin(now_s, ACTIVATE, ACTIVATE_S, CompletionCode::OK)
    }

    /// Goes back to what ran before. Completion code D5h where nothing did.
    pub fn roll_back(&mut self, now_s: u64) -> CompletionCode {
        if let Some(busy) = self.busy(now_s) {
            return busy;
        }
        let mut rolled_back = 0;
        for (number, component) in self.components.iter_mut().enumerate() {
            if let Some(version) = component.backup.take() {
                component.current = version;
                rolled_back |= 1 << number;
            }
        }
        if rolled_back == 0 {
            return CompletionCode::NOT_SUPPORTED_IN_STATE;
        }
        self.rolled_back = rolled_back;
        self.begin(now_s, ROLLBACK, ROLLBACK_S, CompletionCode::OK)
    }

    /// Gives up what was begun.
    pub fn abort(&mut self, now_s: u64) -> CompletionCode {
        if let Some(busy) = self.busy(now_s) {
            return busy;
        }
        self.phase = Phase::Idle;
        self.each(u8::MAX, |c| c.deferred = None);
        CompletionCode::OK
    }

    /// The last command that took its time, how it ended, and how much of it is done, in percent.
    #[must_use]
    pub fn status(&self, now_s: u64) -> (u8, CompletionCode, u8) {
        match self.task {
            Some(task) if now_s < task.ends_s => {
                let (done, all) = (now_s - task.began_s, task.ends_s - task.began_s);
                let percent = u8::try_from(done * 100 / all).unwrap_or(99);
                (task.command, IN_PROGRESS, percent)
            }
            Some(task) => (task.command, task.completion, 100),
            None => (self.last.0, self.last.1, 100),
        }
    }

    /// Components that went back.
    #[must_use]
    pub const fn rolled_back(&self) -> HpmRollback {
        HpmRollback(self.rolled_back)
    }

    fn each(&mut self, components: u8, mut change: impl FnMut(&mut Component)) {
        for (number, component) in self.components.iter_mut().enumerate() {
            if components >> number & 1 == 1 {
                change(component);
            }
        }
    }

    /// The answer while another command goes on.
    fn busy(&self, now_s: u64) -> Option<CompletionCode> {
        let goes_on = self.task.is_some_and(|task| now_s < task.ends_s);
        goes_on.then_some(CompletionCode::NOT_SUPPORTED_IN_STATE)
    }

    fn begin(
        &mut self,
        now_s: u64,
        command: u8,
        takes_s: u64,
        completion: CompletionCode,
    ) -> CompletionCode {
        self.task = Some(Task {
            command,
            began_s: now_s,
            ends_s: now_s + takes_s,
            completion,
        });
        IN_PROGRESS
    }
}

#[cfg(test)]
mod tests {
    use super::super::firmware_image::firmware;
    use super::*;

    const PRODUCT: u16 = 0x2200;

    fn image(major: u8) -> Vec<u8> {
        image_for(major, PRODUCT, APPLICATION)
    }

    fn image_for(major: u8, product: u16, component: u8) -> Vec<u8> {
        let version = FirmwareVersion {
            major,
            minor: 0x01,
            ..FirmwareVersion::default()
        };
        firmware(product, component, version, 480)
    }

    fn uploaded(firmware: &mut Firmware, action: HpmAction, image: &[u8]) -> CompletionCode {
        assert_eq!(firmware.initiate(10, 2, action), CompletionCode::OK);
        for (number, block) in image.chunks(200).enumerate() {
            let number = u8::try_from(number).unwrap();
            assert_eq!(firmware.upload(11, number, block), CompletionCode::OK);
            // The answer was lost and the block comes again.
            assert_eq!(firmware.upload(11, number, block), CompletionCode::OK);
        }
        let length = u32::try_from(image.len()).unwrap();
        assert_eq!(firmware.finish(12, 1, length, PRODUCT), IN_PROGRESS);
        assert_eq!(firmware.status(13).1, IN_PROGRESS);
        firmware.status(12 + FINISH_S).1
    }

    #[test]
    fn an_upgrade_runs_after_its_activation_and_can_be_taken_back() {
        let mut firmware = Firmware::default();
        assert_eq!(firmware.initiate(0, 3, HpmAction::PREPARE), IN_PROGRESS);
        assert_eq!(
            firmware.initiate(1, 2, HpmAction::UPLOAD),
            CompletionCode::NOT_SUPPORTED_IN_STATE
        );
        let ended = uploaded(&mut firmware, HpmAction::UPLOAD, &image(7));
        assert_eq!(ended, CompletionCode::OK);
        assert_eq!(firmware.components[1].current.major, FIRMWARE.0);
        assert_eq!(firmware.activate(20), IN_PROGRESS);
        assert_eq!(firmware.components[1].current.major, 7);
        let same = uploaded_at(&mut firmware, 30, &image(7));
        assert_eq!(same, CompletionCode::OK, "compare");
        assert_eq!(firmware.roll_back(50), IN_PROGRESS);
        assert_eq!(firmware.components[1].current.major, FIRMWARE.0);
        assert_eq!(firmware.rolled_back(), HpmRollback::COMPONENT_1);
    }

    fn uploaded_at(firmware: &mut Firmware, at_s: u64, image: &[u8]) -> CompletionCode {
        assert_eq!(
            firmware.initiate(at_s, 2, HpmAction::COMPARE),
            CompletionCode::OK
        );
        for (number, block) in (0..).zip(image.chunks(200)) {
            assert_eq!(firmware.upload(at_s, number, block), CompletionCode::OK);
        }
        assert_eq!(firmware.finish(at_s, 1, 500, PRODUCT), IN_PROGRESS);
        firmware.status(at_s + FINISH_S).1
    }

    #[test]
    fn wrong_images_lengths_blocks_and_components_are_refused() {
        let mut firmware = Firmware::default();
        assert_eq!(
            firmware.initiate(0, 4, HpmAction::PREPARE),
            INVALID_COMPONENT
        );
        let mut damaged = image(3);
        damaged[300] ^= 1;
        for (n, wrong) in (0..).zip([
            vec![0; 300],
            Vec::new(),
            damaged,
            image_for(3, 0x2201, APPLICATION),
            image_for(3, PRODUCT, BOOT),
        ]) {
            let mut firmware = Firmware::default();
            let ended = uploaded(&mut firmware, HpmAction::UPLOAD, &wrong);
            assert_eq!(ended, IMAGE_MISMATCH, "{n}");
            assert!(!firmware.install(APPLICATION, &wrong, PRODUCT), "{n}");
        }
        firmware.initiate(30, 2, HpmAction::UPLOAD);
        assert_eq!(firmware.upload(30, 1, &[0]), INVALID_COMPONENT);
        assert_eq!(firmware.finish(30, 1, 9, PRODUCT), LENGTH_MISMATCH);
        assert_eq!(
            firmware.activate(31),
            CompletionCode::NOT_SUPPORTED_IN_STATE
        );
        assert_eq!(
            firmware.roll_back(31),
            CompletionCode::NOT_SUPPORTED_IN_STATE
        );
        assert_eq!(firmware.abort(31), CompletionCode::OK);
    }
}
