//! What an unusable answer to a request means, and what the operator can do about it.

use ipmi::command::Command;
use ipmi::command::app::SendMessage;
use ipmi::number::{CompletionCode, DefiningBody, MessageCompletion, NetFn};

use crate::ipmi::talk::{CallError, CallFault};

/// What happened.
pub(super) fn call_cause(error: &CallError) -> String {
    let request = error.request();
    match error.fault {
        CallFault::Refused(code) => {
            let name = code.name_for(error.netfn, error.group, error.cmd);
            format!("{request}: the BMC says {}", said(code, name))
        }
        CallFault::NotPassedOn(code) => {
            let name = code.name_for(SendMessage::NETFN, None, SendMessage::CMD);
            format!("{request} was not passed on: {}", said(code, name))
        }
        CallFault::Garbled(error) => format!("{request}: the BMC's answer is malformed: {error}"),
        CallFault::Unanswered {
            maybe_executed: true,
        } => format!("{request}: no answer; the BMC may have carried it out"),
        CallFault::Unanswered {
            maybe_executed: false,
        } => format!("{request}: no answer"),
        CallFault::TooLong => format!("{request}: does not fit a datagram"),
    }
}

fn said(code: CompletionCode, name: Option<&str>) -> String {
    let name = name.unwrap_or("a completion code of its own");
    format!("{:02X}h, {name}", code.0)
}

/// What the operator can do about it.
pub(super) fn call_remedy(error: &CallError) -> &'static str {
    match error.fault {
        CallFault::Refused(code) => refusal_remedy(error, code),
        CallFault::NotPassedOn(code) => way_remedy(code),
        CallFault::Garbled(_) => {
            "report it with the BMC's make and firmware; 'raw' shows the bytes"
        }
        CallFault::Unanswered {
            maybe_executed: true,
        } => "look at the machine's state before asking again",
        CallFault::Unanswered {
            maybe_executed: false,
        } => "try again; raise --attempts or --timeout-ms if packets get lost",
        CallFault::TooLong => "send fewer bytes",
    }
}

/// What a command is about, as far as remedies differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Chassis,
    Sensor,
    /// Units of a shelf.
    Units,
    /// Firmware upgrade.
    Upgrade,
    Else,
}

impl About {
    const fn of(error: &CallError) -> Self {
        match (error.netfn, error.group) {
            (NetFn::CHASSIS, _) => Self::Chassis,
            (NetFn::SENSOR_EVENT, _) => Self::Sensor,
            (NetFn::GROUP_EXTENSION, Some(group)) if group == DefiningBody::PICMG.0 => {
                // HPM.1's commands are the last of PICMG's.
                if error.cmd >= 0x2e {
                    Self::Upgrade
                } else {
                    Self::Units
                }
            }
            _ => Self::Else,
        }
    }
}

fn refusal_remedy(error: &CallError, code: CompletionCode) -> &'static str {
    let about = About::of(error);
    match code {
        CompletionCode::INSUFFICIENT_PRIVILEGE => {
            "log in as a user who may do it, or with a higher --privilege where a lower one is given"
        }
        CompletionCode::INVALID_COMMAND | CompletionCode::INVALID_FOR_LUN => {
            "this BMC does not have the command"
        }
        CompletionCode::NOT_SUPPORTED_IN_STATE => match about {
            About::Chassis => "not possible in the machine's present state; see 'power status'",
            About::Sensor => "not possible while the sensor is in its present state",
            About::Units => "not possible in the unit's present state",
            About::Upgrade => "not possible at this step of an upgrade; see 'hpm status'",
            About::Else => "not possible in the BMC's present state",
        },
        CompletionCode::NOT_PRESENT => match about {
            About::Units => "there is no unit with this number; see 'fru'",
            About::Upgrade => "there is no component with this number; see 'hpm check'",
            _ => "this BMC has no such sensor, record or device",
        },
        CompletionCode::INVALID_DATA_FIELD | CompletionCode::PARAMETER_OUT_OF_RANGE => {
            match about {
                About::Units => {
                    "the unit does not have it, or the number is none of its: see 'fru' and 'led list'"
                }
                About::Upgrade => "the image is not for this controller; see 'hpm check'",
                _ => "the BMC does not take one of the values; check the numbers given",
            }
        }
        CompletionCode::DISABLED => "switch the function on in the BMC's settings",
        CompletionCode::NODE_BUSY
        | CompletionCode::TIMEOUT
        | CompletionCode::SDR_IN_UPDATE
        | CompletionCode::FIRMWARE_UPDATE
        | CompletionCode::BMC_INITIALIZING => "the BMC is busy; try again later",
        _ => match code.name_for(error.netfn, error.group, error.cmd) {
            Some("parameter not supported") => "this BMC does not have the setting",
            Some("parameter is read-only") => "this setting can't be changed",
            Some("parameter is write-only") => "this setting can't be read",
            Some(
                "another party's set is in progress"
                | "erase in progress"
                | "FRU device busy"
                | "an alert is under way"
                | "command in progress",
            ) => "try again later",
            _ => "see the BMC's manual for what it supports",
        },
    }
}

/// What to do where a request did not get as far as the controller behind the BMC.
fn way_remedy(code: CompletionCode) -> &'static str {
    match MessageCompletion(code.0) {
        MessageCompletion::NO_ACKNOWLEDGE => {
            return "no controller answers at this address: check -t and -b, and -T and -B on the way";
        }
        MessageCompletion::LOST_ARBITRATION | MessageCompletion::BUS_ERROR => {
            return "the bus is busy or disturbed; try again";
        }
        _ => {}
    }
    match code {
        CompletionCode::INVALID_COMMAND => "this BMC passes nothing on",
        CompletionCode::INVALID_DATA_FIELD | CompletionCode::PARAMETER_OUT_OF_RANGE => {
            "the BMC has no such channel to pass it on to: check -b, or -B on the way"
        }
        CompletionCode::NODE_BUSY
        | CompletionCode::TIMEOUT
        | CompletionCode::NO_RESPONSE
        | CompletionCode::BMC_INITIALIZING => "the controller does not answer now; try again later",
        CompletionCode::INSUFFICIENT_PRIVILEGE => {
            "log in as a user who may do it, or with a higher --privilege where a lower one is given"
        }
        _ => "check -t and -b, and -T and -B on the way",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error((netfn, group, cmd): (NetFn, Option<u8>, u8), code: u8) -> CallError {
        CallError {
            netfn,
            cmd,
            group,
            name: None,
            fault: CallFault::Refused(CompletionCode(code)),
        }
    }

    #[test]
    fn a_remedy_fits_what_was_asked() {
        const CONTROL: (NetFn, Option<u8>, u8) = (NetFn::CHASSIS, None, 2);
        const LED: (NetFn, Option<u8>, u8) = (NetFn::GROUP_EXTENSION, Some(0), 7);
        const FINISH: (NetFn, Option<u8>, u8) = (NetFn::GROUP_EXTENSION, Some(0), 0x33);
        const CONFIGURE: (NetFn, Option<u8>, u8) = (NetFn::TRANSPORT, None, 2);
        const CLEAR: (NetFn, Option<u8>, u8) = (NetFn::STORAGE, None, 0x47);
        const PASSWORD: (NetFn, Option<u8>, u8) = (NetFn::APP, None, 0x47);
        for (command, code, words) in [
            (CONTROL, 0xd5, "power status"),
            (FINISH, 0xd5, "hpm status"),
            (LED, 0xcc, "led list"),
            (LED, 0xcb, "no unit"),
            (CONFIGURE, 0x80, "does not have the setting"),
            (CONFIGURE, 0x81, "try again later"),
            (CONFIGURE, 0x82, "can't be changed"),
            (CLEAR, 0x81, "try again later"),
            // No matter of time.
            (PASSWORD, 0x81, "manual"),
        ] {
            let remedy = call_remedy(&error(command, code));
            assert!(remedy.contains(words), "{command:?} {code:#04x}: {remedy}");
        }
    }

    #[test]
    fn what_was_not_passed_on_names_the_way_and_not_the_command() {
        let mut error = error((NetFn::APP, None, 1), 0);
        error.name = Some("Get Device ID");
        for (code, cause, remedy) in [
            (0x83, "83h, no acknowledgement on write", "check -t and -b"),
            (0xcc, "CCh, ", "no such channel"),
        ] {
            error.fault = CallFault::NotPassedOn(CompletionCode(code));
            let said = call_cause(&error);
            assert!(
                said.starts_with("Get Device ID was not passed on: "),
                "{said}"
            );
            assert!(said.contains(cause), "{said}");
            assert!(call_remedy(&error).contains(remedy));
        }
    }
}
