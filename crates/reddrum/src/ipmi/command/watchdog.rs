//! `watchdog`: Get, Set and Reset Watchdog Timer (§27.5 to §27.7).

use std::time::Duration;

use ipmi::command::app::{
    GetWatchdogTimer, ResetWatchdogTimer, SetWatchdogTimer, WatchdogSettings,
};
use ipmi::number::{WatchdogAction, WatchdogControl, WatchdogUse};
use serde_json::json;

use super::{OPERATOR, Start, USER, start};
use crate::error::ProgramError;
use crate::ipmi::args::{TimeoutAction, WatchdogCommand};
use crate::ipmi::report::{Report, Sheet};
use crate::ipmi::talk::{Line, Outcome};

/// Width of the names in the report.
const WIDTH: usize = 24;

/// After which time a countdown that moves has moved.
const LOOK_AGAIN: Duration = Duration::from_millis(1_100);

/// How to begin it.
///
/// # Errors
/// The time is none that a watchdog can wait.
pub(super) fn begin(command: WatchdogCommand) -> Result<Start, ProgramError> {
    Ok(match command {
        WatchdogCommand::Get => start(USER, get),
        WatchdogCommand::Reset => start(OPERATOR, |line| async move {
            line.call(&ResetWatchdogTimer {}).await?;
            Ok(Report::line(
                "The watchdog runs",
                json!({ "running": true }),
            ))
        }),
        WatchdogCommand::Off => start(OPERATOR, off),
        WatchdogCommand::Set { timeout, action } => {
            let tenths = (timeout * 10.0).round();
            if !(1.0..=f32::from(u16::MAX)).contains(&tenths) {
                let text = format!("--timeout {timeout}: expected 0.1 to 6553.5 seconds");
                return Err(ProgramError::Usage(text));
            }
            start(OPERATOR, move |line| set(line, tenths as u16, action))
        }
    })
}

async fn get(line: Line) -> Outcome {
    let timer = line.call(&GetWatchdogTimer {}).await?;
    let settings = timer.settings;
    let mut running = settings.control.contains(WatchdogControl::RUNNING);
    if !running && timer.present_100ms != 0 {
        // Some never say that it runs: then the countdown moves.
        line.pause(LOOK_AGAIN).await;
        let later = line.call(&GetWatchdogTimer {}).await?;
        running = later.present_100ms < timer.present_100ms;
    }
    let seconds = |tenths: u16| f64::from(tenths) / 10.0;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Timer Use", "use", settings.timer_use.to_string());
    sheet.put("Running", "running", running);
    sheet.put(
        "Logging",
        "logs",
        !settings.control.contains(WatchdogControl::DO_NOT_LOG),
    );
    sheet.put("Action", "action", settings.action.to_string());
    let interrupt = settings.interrupt.to_string();
    sheet.put("Pre-timeout Interrupt", "pre_timeout_interrupt", interrupt);
    let pre_timeout = settings.pre_timeout_s;
    sheet.put("Pre-timeout (s)", "pre_timeout_s", pre_timeout);
    let expired: Vec<_> = settings.expirations.names().collect();
    sheet.put("Expired", "expired", expired);
    let (initial, present) = (settings.initial_100ms, timer.present_100ms);
    sheet.put("Initial Countdown (s)", "initial_s", seconds(initial));
    sheet.put("Present Countdown (s)", "present_s", seconds(present));
    Ok(sheet.report())
}

/// What it is set to stays, but it runs no more: Set Watchdog Timer stops it unless told otherwise.
async fn off(line: Line) -> Outcome {
    let settings = line.call(&GetWatchdogTimer {}).await?.settings;
    let settings = WatchdogSettings {
        control: settings.control.with(WatchdogControl::RUNNING, false),
        ..settings
    };
    line.call(&SetWatchdogTimer { settings }).await?;
    Ok(Report::line(
        "The watchdog is stopped",
        json!({ "running": false }),
    ))
}

async fn set(line: Line, initial_100ms: u16, action: TimeoutAction) -> Outcome {
    let before = line.call(&GetWatchdogTimer {}).await?.settings;
    let settings = WatchdogSettings {
        control: before.control.with(WatchdogControl::RUNNING, false),
        timer_use: WatchdogUse::SMS_OS,
        action: match action {
            TimeoutAction::None => WatchdogAction::NONE,
            TimeoutAction::Reset => WatchdogAction::HARD_RESET,
            TimeoutAction::PowerOff => WatchdogAction::POWER_DOWN,
            TimeoutAction::PowerCycle => WatchdogAction::POWER_CYCLE,
        },
        initial_100ms,
        ..before
    };
    line.call(&SetWatchdogTimer { settings }).await?;
    get(line).await
}
