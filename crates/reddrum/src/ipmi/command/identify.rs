//! `identify`: Chassis Identify (§28.5).

use ipmi::command::chassis::ChassisIdentify;
use serde_json::json;

use crate::ipmi::args::Interval;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{Line, Outcome};

/// Makes the machine show itself; without an interval as long as the BMC does it by itself.
pub(super) async fn run(line: Line, interval: Option<Interval>) -> Outcome {
    let (command, text) = match interval {
        None => (ChassisIdentify::Default, "default (15 seconds)".to_owned()),
        Some(Interval::Seconds(seconds)) => (
            ChassisIdentify::Seconds(seconds),
            format!("{seconds} seconds"),
        ),
        Some(Interval::On) => (ChassisIdentify::Indefinitely, "indefinite".to_owned()),
        Some(Interval::Off) => (ChassisIdentify::Seconds(0), "off".to_owned()),
    };
    line.call(&command).await?;
    let value = json!({ "identify": text });
    Ok(Report::line(
        format!("Chassis identify interval: {text}"),
        value,
    ))
}
