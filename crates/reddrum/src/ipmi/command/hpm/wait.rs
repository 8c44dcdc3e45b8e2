//! Waiting until a controller that was told to run new firmware does: it restarts, which ends the session.

use std::time::Duration;

use ipmi::command::picmg::hpm::{FirmwareVersion, GetUpgradeStatus, IN_PROGRESS};
use ipmi::number::HpmProperty;
use ipmi::upgrade::UpgradeImage;

use super::version;
use crate::ipmi::failure::Failure;
use crate::ipmi::talk::{CallError, Line};

/// The pause before each look, and how often it is looked while the controller answers: ten minutes in all.
const LOOK_PAUSE: Duration = Duration::from_secs(2);
const LOOKS_MAX: u32 = 300;

/// How often a new session is asked for. Each time takes as long as a log-in without an answer: with the usual options about 20
/// seconds, in all about a quarter of an hour.
const LOGINS_MAX: u32 = 45;

/// So often a controller is looked at that answers all the time and had the image's version before: whether it restarted, it
/// doesn't tell.
const SAME_LOOKS: u32 = 15;

/// A restart into the firmware of an image.
pub(super) struct Restart {
    /// Components with the version that each is to have.
    wanted: Vec<(u8, FirmwareVersion)>,
    /// They had it before.
    is_same: bool,
}

impl Restart {
    /// Before it.
    pub(super) async fn before(line: &Line, image: &UpgradeImage<'_>) -> Result<Self, CallError> {
        let uploads = image
            .uploads()
            .map(|upload| (upload.component, upload.version));
        let mut restart = Self {
            wanted: uploads.collect(),
            is_same: false,
        };
        restart.is_same = restart.runs(line).await?;
        Ok(restart)
    }

    /// Whether every component has its version. What is the maker's own of it, makers fill in as they like.
    async fn runs(&self, line: &Line) -> Result<bool, CallError> {
        for (component, wanted) in &self.wanted {
            let now = version(line, *component, HpmProperty::CURRENT_VERSION).await?;
            let rank = |version: FirmwareVersion| (version.major, version.minor);
            if now.map(rank) != Some(rank(*wanted)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the controller is done.
    async fn is_done(&self, line: &Line) -> Result<bool, CallError> {
        match line.call(&GetUpgradeStatus {}).await {
            Ok(status) if status.completion == IN_PROGRESS => return Ok(false),
            Err(error) if error.completion().is_none() => return Err(error),
            _ => {}
        }
        self.runs(line).await
    }

    /// Waits until it is over, on a new session where the controller has ended the old one.
    pub(super) async fn end(self, line: &Line) -> Result<(), Failure> {
        line.leaves_unfinished(
            "the controller activates the firmware by itself; 'hpm check' tells what it has"
                .to_owned(),
        );
        line.tell("the controller activates the firmware".to_owned());
        let (mut looks, mut logins) = (0, 0);
        let (mut is_lost, mut was_lost) = (false, false);
        while looks < LOOKS_MAX {
            line.pause(LOOK_PAUSE).await;
            if is_lost {
                if let Err(failure) = line.reconnect().await {
                    logins += 1;
                    if logins == LOGINS_MAX {
                        return Err(gone(&failure.to_string()));
                    }
                    line.tell(format!("the controller restarts ({failure})"));
                    continue;
                }
                line.tell("the controller answers again".to_owned());
                (is_lost, was_lost) = (false, true);
            }
            looks += 1;
            match self.is_done(line).await {
                Ok(true) if !self.is_same || was_lost || looks >= SAME_LOOKS => return Ok(()),
                Ok(_) => {}
                // As the firmware begins, not all of it answers.
                Err(error) if error.completion().is_some() => {}
                Err(_) => is_lost = true,
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

/// The failure of a wait for a controller that does not come back.
fn gone(why: &str) -> Failure {
    Failure::Unfit {
        kind: "not_back",
        cause: format!(
            "the controller was told to run the firmware, and has not answered since: {why}"
        ),
        remedy:
            "look at the machine; when the controller answers again, 'hpm check' tells what it has"
                .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::command::picmg::hpm::GetComponentProperties;
    use ipmi::number::CompletionCode;
    use serde_json::Value;

    use super::*;
    use crate::ipmi::report::Report;
    use crate::ipmi::talk::play::{self, Reply};
    use crate::ipmi::talk::{Call, Outcome, Talk};

    /// The data of version 2.10.
    const NEW: [u8; 6] = [2, 0x10, 0, 0, 0, 0];
    const OLD: [u8; 6] = [1, 0x05, 0, 0, 0, 0];

    fn wait(is_same: bool, controller: impl FnMut(&Call) -> Reply) -> Outcome {
        let version = FirmwareVersion::from_data(&NEW).unwrap();
        let restart = Restart {
            wanted: vec![(1, version)],
            is_same,
        };
        let talk = Talk::new(|line| async move {
            restart.end(&line).await?;
            Ok(Report::line("", Value::Null))
        });
        play::run(talk, controller)
    }

    fn ok(data: &[u8]) -> Reply {
        Some((CompletionCode::OK, [&[0], data].concat()))
    }

    #[test]
    fn a_controller_is_looked_at_until_it_runs_the_firmware() {
        let mut looks = 0;
        let outcome = wait(false, |call| {
            let is_version = call.target.cmd == GetComponentProperties::CMD;
            looks += u32::from(!is_version);
            match looks {
                1 => ok(&[0x35, IN_PROGRESS.0]),
                // It restarts.
                2 => None,
                3 => Some((CompletionCode::NODE_BUSY, vec![])),
                4 if is_version => ok(&OLD),
                _ if is_version => ok(&NEW),
                _ => ok(&[0x35, 0]),
            }
        });
        outcome.unwrap();
        assert_eq!(looks, 5);
    }

    #[test]
    fn a_controller_that_keeps_its_firmware_is_told_so() {
        let mut looks = 0;
        let failure = wait(false, |call| {
            let is_version = call.target.cmd == GetComponentProperties::CMD;
            looks += u32::from(!is_version);
            ok(if is_version { &OLD } else { &[0x35, 0] })
        })
        .unwrap_err();
        assert_eq!((failure.kind(), looks), ("not_activated", LOOKS_MAX));
    }

    #[test]
    fn the_same_version_again_counts_once_the_controller_had_time_to_restart() {
        let mut looks = 0;
        let outcome = wait(true, |call| {
            let is_version = call.target.cmd == GetComponentProperties::CMD;
            looks += u32::from(!is_version);
            ok(if is_version { &NEW } else { &[0x35, 0] })
        });
        outcome.unwrap();
        assert_eq!(looks, SAME_LOOKS);
    }
}
