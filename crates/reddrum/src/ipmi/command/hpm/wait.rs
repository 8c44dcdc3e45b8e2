//! Waiting until a controller that was told to run new firmware does: it restarts, which ends the session.

use std::time::Duration;

use ipmi::command::Command;
use ipmi::command::picmg::hpm::{
    ActivateFirmware, FirmwareVersion, GetTargetUpgradeCapabilities, GetUpgradeStatus,
    InitiateManualRollback, StepState, UpgradeStatus,
};
use ipmi::console::LoginFailure;
use ipmi::number::HpmProperty;
use ipmi::upgrade::UpgradeImage;

use super::{ended, version};
use crate::ipmi::failure::Failure;
use crate::ipmi::talk::{CallError, CallFault, Line};

/// The pause before each look, and how often it is looked while the controller answers: ten minutes in all.
const LOOK_PAUSE: Duration = Duration::from_secs(2);
const LOOKS_MAX: u32 = 300;

/// How often a new session is asked for. Each time takes as long as a log-in without an answer: with the usual options about 20
/// seconds, in all about a quarter of an hour.
const LOGINS_MAX: u32 = 45;

/// So often in a row a BMC may refuse the user that it let in before, and the pause before each further time: one that starts may
/// not have read its users yet, and one with other users after it locks out who tries on and on.
const REFUSALS_MAX: u32 = 3;
const REFUSED_PAUSE: Duration = Duration::from_secs(10);

/// So often a controller is looked at that answers all the time and had the image's version before: whether it restarted, it
/// doesn't tell.
const SAME_LOOKS: u32 = 15;

/// What has a controller restart into other firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Into what was loaded.
    Activation,
    /// Into what ran before.
    Rollback,
}

impl Step {
    const fn command(self) -> u8 {
        match self {
            Self::Activation => ActivateFirmware::CMD,
            Self::Rollback => InitiateManualRollback::CMD,
        }
    }

    /// How far the controller says that it is.
    fn state(self, status: &UpgradeStatus) -> StepState {
        match self {
            Self::Activation => status.of::<ActivateFirmware>(),
            Self::Rollback => status.of::<InitiateManualRollback>(),
        }
    }

    /// Where a component has the version that it goes to.
    const fn goes_to(self) -> HpmProperty {
        match self {
            Self::Activation => HpmProperty::DEFERRED_VERSION,
            Self::Rollback => HpmProperty::ROLLBACK_VERSION,
        }
    }

    /// What the controller does.
    const fn told(self) -> &'static str {
        match self {
            Self::Activation => "the controller activates the firmware",
            Self::Rollback => "the controller goes back to its earlier firmware",
        }
    }
}

/// A component that gets other firmware.
struct Wanted {
    component: u8,
    /// The version of that.
    image: FirmwareVersion,
    /// What it said before.
    before: FirmwareVersion,
}

/// What a component says afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    /// Another version than the image has.
    Other,
    /// Major and minor version of the image and what it said before, but not all of what is the maker's own: makers fill that in as
    /// they like, so a restart has to tell.
    Alike,
    /// The version of the image, which it had before.
    Same,
    /// What the image brought.
    New,
}

impl Wanted {
    fn judge(&self, now: FirmwareVersion) -> Shown {
        let rank = |version: FirmwareVersion| (version.major, version.minor);
        match now {
            now if rank(now) != rank(self.image) => Shown::Other,
            now if now != self.before => Shown::New,
            now if now == self.image => Shown::Same,
            _ => Shown::Alike,
        }
    }
}

/// A restart into other firmware.
pub(super) struct Restart {
    step: Step,
    /// Components that tell their version.
    wanted: Vec<Wanted>,
}

/// What a look at the controller brought.
enum Look {
    /// It activates the firmware.
    UnderWay,
    /// What its components show.
    Shown(Shown),
    /// It could not.
    Failed(Failure),
}

impl Restart {
    /// Before one into firmware that the controller has.
    pub(super) async fn into_stored(line: &Line, step: Step) -> Result<Self, CallError> {
        let target = line.call(&GetTargetUpgradeCapabilities {}).await?;
        let mut wanted = Vec::new();
        for component in (0..8_u8).filter(|number| target.components >> number & 1 == 1) {
            let before = version(line, component, HpmProperty::CURRENT_VERSION).await?;
            let image = version(line, component, step.goes_to()).await?;
            // One that has none stays as it is.
            if let (Some(before), Some(image)) = (before, image) {
                wanted.push(Wanted {
                    component,
                    image,
                    before,
                });
            }
        }
        Ok(Self { step, wanted })
    }

    /// Before one into the firmware of an image.
    pub(super) async fn before(line: &Line, image: &UpgradeImage<'_>) -> Result<Self, CallError> {
        let mut wanted = Vec::new();
        for upload in image.uploads() {
            let (component, image) = (upload.component, upload.version);
            // One that doesn't tell can't be waited for.
            if let Some(before) = version(line, component, HpmProperty::CURRENT_VERSION).await? {
                wanted.push(Wanted {
                    component,
                    image,
                    before,
                });
            }
        }
        let step = Step::Activation;
        Ok(Self { step, wanted })
    }

    /// What the components show, that which is furthest behind.
    async fn shown(&self, line: &Line) -> Result<Shown, CallError> {
        let mut least = None;
        for wanted in &self.wanted {
            let now = version(line, wanted.component, HpmProperty::CURRENT_VERSION).await?;
            let shown = now.map_or(Shown::Other, |now| wanted.judge(now));
            least = Some(least.map_or(shown, |least: Shown| least.min(shown)));
        }
        // Where none tells anything, only time does.
        Ok(least.unwrap_or(Shown::Same))
    }

    async fn look(&self, line: &Line) -> Result<Look, CallError> {
        match line.call(&GetUpgradeStatus {}).await {
            Ok(status) => match self.step.state(&status) {
                StepState::UnderWay => return Ok(Look::UnderWay),
                StepState::Ended(code) => {
                    if let Err(failure) = ended(self.step.command(), code) {
                        return Ok(Look::Failed(failure));
                    }
                }
                StepState::Unheard => {}
            },
            Err(error) if error.completion().is_some() => {}
            Err(error) => return Err(error),
        }
        self.shown(line).await.map(Look::Shown)
    }

    /// Waits until it is over, on a new session where the controller has ended the old one.
    pub(super) async fn end(self, line: &Line) -> Result<(), Failure> {
        let does = self.step.told();
        line.leaves_unfinished(format!("{does} by itself; 'hpm check' tells what it has"));
        line.tell(does.to_owned());
        // Whether it was away, as one is that restarts.
        let (mut looks, mut was_away) = (0, false);
        while looks < LOOKS_MAX {
            line.pause(LOOK_PAUSE).await;
            looks += 1;
            match self.look(line).await {
                Ok(Look::Failed(failure)) => return Err(failure),
                Ok(Look::Shown(Shown::New)) => return Ok(()),
                Ok(Look::Shown(Shown::Same)) if was_away || looks >= SAME_LOOKS => return Ok(()),
                Ok(Look::Shown(Shown::Alike)) if was_away => return Ok(()),
                Ok(_) => {}
                // As the firmware begins, not all of it answers; behind a BMC that does, nobody may be there.
                Err(error) if error.is_answered() => {
                    was_away |= matches!(error.fault, CallFault::NotPassedOn(_));
                }
                Err(_) => {
                    log_in_again(line).await?;
                    was_away = true;
                }
            }
        }
        Err(Failure::Unfit {
            kind: "not_activated",
            cause: "the controller answers, but does not run the firmware".to_owned(),
            remedy: "look at 'hpm status' and 'hpm check': some controllers run it once the machine is switched off and on"
                .to_owned(),
        })
    }
}

/// Asks for new sessions until there is one.
async fn log_in_again(line: &Line) -> Result<(), Failure> {
    let (mut refusals, mut why) = (0, String::new());
    for _ in 0..LOGINS_MAX {
        line.pause(LOOK_PAUSE).await;
        let Err(failure) = line.reconnect().await else {
            line.tell("the controller answers again".to_owned());
            return Ok(());
        };
        if is_refusal(failure) {
            refusals += 1;
            if refusals == REFUSALS_MAX {
                return Err(shut_out(&failure.to_string()));
            }
            line.pause(REFUSED_PAUSE).await;
        } else {
            refusals = 0;
        }
        why = failure.to_string();
        line.tell(format!("the controller restarts ({why})"));
    }
    Err(gone(&why))
}

/// Whether it is an answer about the user.
const fn is_refusal(failure: LoginFailure) -> bool {
    matches!(
        failure,
        LoginFailure::WrongPassword | LoginFailure::UnknownUser | LoginFailure::PrivilegeRefused
    )
}

/// The failure of a wait for a controller that answers, and lets nobody in any more.
fn shut_out(why: &str) -> Failure {
    Failure::Unfit {
        kind: "not_let_in",
        cause: format!(
            "the controller was told to run the firmware, answers again, and refuses the log-in: {why}"
        ),
        remedy: "the firmware may have come with other users and passwords; log in as one of them, and look at 'hpm check'"
            .to_owned(),
    }
}

/// The failure of a wait for a controller that does not come back.
fn gone(why: &str) -> Failure {
    Failure::Unfit {
        kind: "not_back",
        cause: format!(
            "the controller was told to run the firmware, and no session came about since: {why}"
        ),
        remedy:
            "look at the machine; when the controller answers again, 'hpm check' tells what it has"
                .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::picmg::hpm::{GetComponentProperties, IN_PROGRESS};
    use ipmi::number::CompletionCode;
    use serde_json::Value;
    use vbmc::controller::{APPLICATION, upgrade_image};

    use super::*;
    use crate::ipmi::report::Report;
    use crate::ipmi::talk::play::{self, Reply};
    use crate::ipmi::talk::{Answer, Ask, Call, Outcome, Talk};

    /// The data of version 2.10, and of what comes before it.
    const NEW: [u8; 6] = [2, 0x10, 0, 0, 0, 2];
    const BUILD_1: [u8; 6] = [2, 0x10, 0, 0, 0, 1];
    const OLD: [u8; 6] = [1, 0x05, 0, 0, 0, 0];

    /// Waits for version 2.10 with build 2.
    fn talk(before: [u8; 6]) -> Talk {
        let version = |data: &[u8]| FirmwareVersion::from_data(data).unwrap();
        let wanted = Wanted {
            component: 1,
            image: version(&NEW),
            before: version(&before),
        };
        let wanted = vec![wanted];
        Talk::new(|line| async move {
            let step = Step::Activation;
            Restart { step, wanted }.end(&line).await?;
            Ok(Report::line("", Value::Null))
        })
    }

    fn wait(before: [u8; 6], controller: impl FnMut(&Call) -> Reply) -> Outcome {
        play::run(talk(before), controller)
    }

    /// A controller that shows what it has by the number of the look; how it ended, and after how many looks.
    fn shows(before: [u8; 6], mut version: impl FnMut(u32) -> Option<[u8; 6]>) -> (Outcome, u32) {
        let mut looks = 0;
        let outcome = wait(before, |call| {
            let is_version = call.target.cmd == GetComponentProperties::CMD;
            looks += u32::from(!is_version);
            let version = version(looks)?;
            if is_version {
                ok(&version)
            } else {
                DONE.clone()
            }
        });
        (outcome, looks)
    }

    /// Get Upgrade Status after an activation that went well.
    static DONE: std::sync::LazyLock<Reply> = std::sync::LazyLock::new(|| ok(&[0x35, 0]));

    fn ok(data: &[u8]) -> Reply {
        Some((CompletionCode::OK, [&[0], data].concat()))
    }

    #[test]
    fn a_controller_is_looked_at_until_it_runs_the_firmware() {
        let mut looks = 0;
        let outcome = wait(OLD, |call| {
            let is_version = call.target.cmd == GetComponentProperties::CMD;
            looks += u32::from(!is_version);
            match looks {
                1 => ok(&[0x35, IN_PROGRESS.0]),
                // It restarts.
                2 => None,
                3 => Some((CompletionCode::NODE_BUSY, vec![])),
                4 if is_version => ok(&OLD),
                _ if is_version => ok(&NEW),
                _ => DONE.clone(),
            }
        });
        outcome.unwrap();
        assert_eq!(looks, 5);
    }

    #[test]
    fn a_controller_that_keeps_its_firmware_is_told_so() {
        let (outcome, looks) = shows(OLD, |_| Some(OLD));
        let kind = outcome.unwrap_err().kind();
        assert_eq!((kind, looks), ("not_activated", LOOKS_MAX));
    }

    #[test]
    fn the_same_version_again_counts_once_the_controller_had_time_to_restart() {
        let (outcome, looks) = shows(NEW, |_| Some(NEW));
        outcome.unwrap();
        assert_eq!(looks, SAME_LOOKS);
    }

    #[test]
    fn another_build_of_the_same_version_is_waited_for() {
        let (outcome, looks) = shows(BUILD_1, |look| Some(if look < 20 { BUILD_1 } else { NEW }));
        outcome.unwrap();
        assert_eq!(looks, 20);
        // Whatever a maker writes there: a restart and no other version is all that can be seen, and less is too little.
        let (outcome, looks) = shows(BUILD_1, |look| (look != 2).then_some(BUILD_1));
        outcome.unwrap();
        assert_eq!(looks, 3);
        let (outcome, _) = shows(BUILD_1, |_| Some(BUILD_1));
        assert_eq!(outcome.unwrap_err().kind(), "not_activated");
    }

    #[test]
    fn a_component_that_tells_no_version_is_not_waited_for() {
        let image = upgrade_image(APPLICATION, FirmwareVersion::from_data(&NEW).unwrap(), 64);
        let talk = Talk::new(|line| async move {
            let image = UpgradeImage::parse(&image).unwrap();
            let restart = Restart::before(&line, &image).await?;
            restart.end(&line).await?;
            Ok(Report::line("", Value::Null))
        });
        let outcome = play::run(talk, |call| match call.target.cmd {
            GetComponentProperties::CMD => Some((CompletionCode::INVALID_DATA_FIELD, vec![])),
            _ => DONE.clone(),
        });
        outcome.unwrap();
    }

    #[test]
    fn a_rollback_is_over_when_what_was_there_before_runs_again() {
        let mut looks = 0;
        let talk = Talk::new(|line| async move {
            let restart = Restart::into_stored(&line, Step::Rollback).await?;
            restart.end(&line).await?;
            Ok(Report::line("", Value::Null))
        });
        let outcome = play::run(talk, |call| match call.target.cmd {
            // Components 0 and 1, of which only the second has something to go back to.
            GetTargetUpgradeCapabilities::CMD => ok(&[0, 0, 1, 1, 1, 1, 0b11]),
            GetComponentProperties::CMD => match (call.data[1], HpmProperty(call.data[2])) {
                (1, HpmProperty::ROLLBACK_VERSION) => ok(&OLD),
                (_, HpmProperty::ROLLBACK_VERSION) => {
                    Some((CompletionCode::INVALID_DATA_FIELD, vec![]))
                }
                (1, _) if looks > 2 => ok(&OLD),
                _ => ok(&NEW),
            },
            _ => {
                looks += 1;
                ok(&[InitiateManualRollback::CMD, 0])
            }
        });
        outcome.unwrap();
        assert_eq!(looks, 3);
    }

    #[test]
    fn an_activation_that_failed_is_told_at_once() {
        let mut looks = 0;
        let failure = wait(OLD, |_| {
            looks += 1;
            ok(&[0x35, 0xd5])
        })
        .unwrap_err();
        assert_eq!((failure.kind(), looks), ("upgrade_failed", 1));
        assert!(failure.cause().contains("D5h"), "{failure}");
    }

    #[test]
    fn a_controller_that_restarts_behind_a_bmc_is_looked_for_in_the_same_session() {
        let mut looks = 0;
        let outcome = play::run_over(talk(OLD), |ask| {
            let Ask::Call(call) = ask else {
                assert!(matches!(ask, Ask::Pause(_)), "{ask:?}");
                return Answer::Paused;
            };
            looks += 1;
            match looks {
                1..20 => Answer::NotPassedOn(CompletionCode(0x83)),
                // It begins to answer, and not with all that it should.
                20 => Answer::Reply(CompletionCode::OK, vec![]),
                _ if call.target.cmd == GetUpgradeStatus::CMD => {
                    Answer::Reply(CompletionCode::OK, vec![0, 0x35, 0])
                }
                _ => Answer::Reply(CompletionCode::OK, [&[0], &NEW[..]].concat()),
            }
        });
        outcome.unwrap();
        assert_eq!(looks, 22);
    }

    #[test]
    fn a_controller_that_lets_nobody_in_any_more_is_given_up_soon() {
        let mut logins = 0;
        let failure = play::run_over(talk(OLD), |ask| match ask {
            Ask::Reconnect => {
                logins += 1;
                Answer::Reconnected(Err(LoginFailure::WrongPassword))
            }
            Ask::Call(_) => Answer::Unanswered {
                maybe_executed: false,
            },
            _ => Answer::Paused,
        })
        .unwrap_err();
        assert_eq!((failure.kind(), logins), ("not_let_in", REFUSALS_MAX));
        assert!(failure.cause().contains("refuses the log-in"), "{failure}");
    }
}
