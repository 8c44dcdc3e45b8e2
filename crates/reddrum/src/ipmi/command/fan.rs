//! `fan`: speeds of fans from their sensors, and makers' own commands that drive them.

use ipmi::command::oem::dell::{ALL_FANS, SetFanControl, SetFanDuty};
use ipmi::command::oem::fans::{
    ASROCK_FANS, ASROCK_SMART_FAN, ApplyFanBanks, GetAsrockFanDuties, SetAsrockFanDuties,
    SetFanBank,
};
use ipmi::command::oem::supermicro::{GetFanMode, GetZoneDuty, SetFanMode, SetZoneDuty};
use ipmi::number::{DellFanMode, SupermicroFanMode};
use serde_json::json;

use super::{ADMINISTRATOR, Start, USER, maker, sensor, start};
use crate::ipmi::args::{FanCommand, Maker, OfMaker};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Reader, Report};
use crate::ipmi::talk::{CallError, Line, Outcome};

/// Supermicro's zones: processors and system, peripherals.
const SUPERMICRO_ZONES: [u8; 2] = [0, 1];
/// System x's banks.
const SYSTEM_X_BANKS: [u8; 2] = [1, 2];
/// The highest duty of System x: full speed.
const FULL_255: u8 = 255;

/// How to begin it.
pub(super) fn begin(command: FanCommand, of: OfMaker, reader: Reader) -> Start {
    match command {
        FanCommand::List => start(USER, move |line| sensor::fans(line, reader)),
        FanCommand::Set { percent, zone } => start(ADMINISTRATOR, move |line| {
            set(line, of, Duty { percent, zone })
        }),
        FanCommand::Auto => start(ADMINISTRATOR, move |line| auto(line, of)),
    }
}

/// How fast which fans are to turn.
#[derive(Clone, Copy, Debug)]
struct Duty {
    percent: u8,
    /// As the maker counts; `None` = all.
    zone: Option<u8>,
}

impl Duty {
    /// The zones it is for: of those that the maker has, or the one named.
    fn zones(self, all: &[u8]) -> Result<Vec<u8>, Failure> {
        match self.zone {
            None => Ok(all.to_vec()),
            Some(zone) if all.contains(&zone) => Ok(vec![zone]),
            Some(zone) => Err(no_zone(zone, all)),
        }
    }
}

fn no_zone(zone: u8, all: &[u8]) -> Failure {
    let list: Vec<_> = all.iter().map(u8::to_string).collect();
    Failure::Unfit {
        kind: "no_such_zone",
        cause: format!("there is no zone {zone}"),
        remedy: format!("this maker's are {}", list.join(", ")),
    }
}

async fn set(line: Line, of: OfMaker, duty: Duty) -> Outcome {
    let maker = maker::find(&line, of).await?;
    match maker {
        Maker::Supermicro => set_supermicro(&line, duty).await?,
        Maker::Dell => set_dell(&line, duty).await?,
        Maker::Asrock => set_asrock(&line, duty).await?,
        Maker::SystemX => set_system_x(&line, duty).await?,
    }
    let Duty { percent, zone } = duty;
    let which = zone.map_or_else(|| "all fans".to_owned(), |zone| format!("zone {zone}"));
    let text = format!("Fan duty of {which}: {percent} %");
    let value = json!({ "maker": maker.name(), "percent": percent, "zone": zone });
    Ok(Report::line(text, value))
}

async fn auto(line: Line, of: OfMaker) -> Outcome {
    let maker = maker::find(&line, of).await?;
    match maker {
        Maker::Supermicro => {
            let mode = SupermicroFanMode::OPTIMAL;
            line.call(&SetFanMode { mode }).await?;
        }
        Maker::Dell => dell_automatic(&line).await?,
        Maker::Asrock => {
            let duties_percent = [ASROCK_SMART_FAN; ASROCK_FANS];
            line.call(&SetAsrockFanDuties { duties_percent }).await?;
        }
        Maker::SystemX => {
            for bank in SYSTEM_X_BANKS {
                let release = SetFanBank {
                    bank,
                    duty_255: FULL_255,
                    overriding: 0,
                };
                line.call(&release).await?;
            }
            line.call(&ApplyFanBanks).await?;
        }
    }
    let value = json!({ "maker": maker.name(), "auto": true });
    Ok(Report::line("The BMC drives the fans", value))
}

/// A duty holds in mode "full" only, and a change of mode forgets the duties: the mode is changed only where it has
/// to be, and put back where the duty is refused.
async fn set_supermicro(line: &Line, duty: Duty) -> Result<(), Failure> {
    let zones = duty.zones(&SUPERMICRO_ZONES)?;
    let before = line.call(&GetFanMode).await?.mode;
    if before != SupermicroFanMode::FULL {
        let mode = SupermicroFanMode::FULL;
        line.call(&SetFanMode { mode }).await?;
    }
    let done = set_zones(line, duty, &zones).await;
    if done.is_err() && before != SupermicroFanMode::FULL {
        line.call(&SetFanMode { mode: before }).await?;
    }
    done
}

async fn set_zones(line: &Line, duty: Duty, zones: &[u8]) -> Result<(), Failure> {
    for &zone in zones {
        let set = SetZoneDuty {
            zone,
            duty_percent: duty.percent,
        };
        match line.call(&set).await {
            // Many boards have the first zone only.
            Err(error) if is_refused(&error) && duty.zone.is_none() && zone != zones[0] => continue,
            done => done?,
        };
        let kept = line.call(&GetZoneDuty { zone }).await?.duty_percent;
        if kept != duty.percent {
            return Err(Failure::Unfit {
                kind: "not_kept",
                cause: format!("the BMC keeps {kept} % for zone {zone}"),
                remedy: "the board may have a lowest duty; set a higher one".to_owned(),
            });
        }
    }
    Ok(())
}

fn is_refused(error: &CallError) -> bool {
    error.completion().is_some()
}

/// Fans that nobody drives would stay as they are, however hot it gets: a refused duty leaves them to the iDRAC again.
async fn set_dell(line: &Line, duty: Duty) -> Result<(), Failure> {
    let mode = DellFanMode::MANUAL;
    line.call(&SetFanControl { mode }).await?;
    let set = SetFanDuty {
        fan: duty.zone.unwrap_or(ALL_FANS),
        duty_percent: duty.percent,
    };
    let done = line.call(&set).await;
    if done.is_err() {
        dell_automatic(line).await?;
    }
    done.map(|_| ()).map_err(Failure::from)
}

async fn dell_automatic(line: &Line) -> Result<(), CallError> {
    let mode = DellFanMode::AUTOMATIC;
    line.call(&SetFanControl { mode }).await?;
    Ok(())
}

async fn set_asrock(line: &Line, duty: Duty) -> Result<(), Failure> {
    if duty.percent == ASROCK_SMART_FAN {
        return Err(Failure::Unfit {
            kind: "no_such_duty",
            cause: "a duty of 1 % means here that the board drives the fan".to_owned(),
            remedy: "set 2 % or more; 'fan auto' leaves all fans to the board".to_owned(),
        });
    }
    let headers: Vec<u8> = (0..).take(ASROCK_FANS).collect();
    let wanted = duty.zones(&headers)?;
    let mut duties_percent = line.call(&GetAsrockFanDuties).await?.duties_percent;
    for (header, percent) in headers.iter().zip(&mut duties_percent) {
        if wanted.contains(header) {
            *percent = duty.percent;
        }
    }
    line.call(&SetAsrockFanDuties { duties_percent }).await?;
    Ok(())
}

async fn set_system_x(line: &Line, duty: Duty) -> Result<(), Failure> {
    // At most 255: the command line takes no more than 100 %.
    let share = u16::from(duty.percent) * u16::from(FULL_255) / 100;
    for bank in duty.zones(&SYSTEM_X_BANKS)? {
        let set = SetFanBank {
            bank,
            duty_255: u8::try_from(share).unwrap_or(FULL_255),
            overriding: 1,
        };
        line.call(&set).await?;
    }
    line.call(&ApplyFanBanks).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::command::app::GetDeviceId;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::ipmi::talk::Talk;
    use crate::ipmi::talk::play::{self, Reply};

    /// A BMC of this manufacturer that refuses data which begins with `refused`; what it was asked besides its identity.
    fn play(manufacturer: u16, refused: &[u8], of: OfMaker, duty: Duty) -> (Outcome, Vec<Vec<u8>>) {
        let [low, high] = manufacturer.to_le_bytes();
        let mut asked = Vec::new();
        let talk = Talk::new(|line| set(line, of, duty));
        let outcome = play::run(talk, |call| -> Reply {
            if call.target.cmd == GetDeviceId::CMD {
                let data = vec![0x20, 1, 1, 0, 2, 0x02, low, high, 0, 0, 0];
                return Some((CompletionCode::OK, data));
            }
            asked.push(call.data.clone());
            let code = if call.data.starts_with(refused) {
                CompletionCode::INVALID_DATA_FIELD
            } else {
                CompletionCode::OK
            };
            Some((code, Vec::new()))
        });
        (outcome, asked)
    }

    const DETECT: OfMaker = OfMaker { maker: None };
    const NOTHING: &[u8] = &[0xee];
    const DUTY: Duty = Duty {
        percent: 40,
        zone: None,
    };

    #[test]
    fn the_maker_that_the_bmc_names_has_its_commands_sent() {
        let (outcome, asked) = play(674, NOTHING, DETECT, DUTY);
        assert_eq!(outcome.unwrap().value["maker"], "Dell");
        assert_eq!(asked, [vec![0x01, 0x00], vec![0x02, 0xff, 40]]);
    }

    #[test]
    fn a_bmc_of_an_unknown_maker_gets_nothing_but_the_question_who_made_it() {
        let (outcome, asked) = play(343, NOTHING, DETECT, DUTY);
        let failure = outcome.unwrap_err();
        assert_eq!(failure.kind(), "unknown_maker");
        assert!(failure.to_string().contains("Intel"), "{failure}");
        assert!(asked.is_empty());
    }

    #[test]
    fn a_refused_duty_leaves_dells_fans_to_the_bmc_again() {
        let (outcome, asked) = play(674, &[0x02], DETECT, DUTY);
        assert_eq!(outcome.unwrap_err().kind(), "refused");
        assert_eq!(asked.last(), Some(&vec![0x01, 0x01]));
    }

    #[test]
    fn banks_of_system_x_take_a_share_of_255_and_hold_once_applied() {
        let of = OfMaker {
            maker: Some(Maker::SystemX),
        };
        let zone = Some(2);
        let (_, asked) = play(343, NOTHING, of, Duty { zone, ..DUTY });
        assert_eq!(asked, [vec![2, 102, 1], vec![]]);
        let zone = Some(3);
        let (outcome, asked) = play(343, NOTHING, of, Duty { zone, ..DUTY });
        assert_eq!(outcome.unwrap_err().kind(), "no_such_zone");
        assert!(asked.is_empty());
    }

    /// A Supermicro board in mode "optimal" that has so many zones and keeps no duty below 20 %; its mode at the end.
    fn supermicro(zones: u8, duty: Duty) -> (Outcome, u8) {
        let mut mode = SupermicroFanMode::OPTIMAL.0;
        let mut duties = [100; 2];
        let talk = Talk::new(|line| {
            let maker = Some(Maker::Supermicro);
            set(line, OfMaker { maker }, duty)
        });
        let outcome = play::run(talk, |call| -> Reply {
            let data = match *call.data.as_slice() {
                [0x00] => vec![mode],
                [0x01, new] => {
                    mode = new;
                    vec![]
                }
                [0x66, 0x00, zone] if zone < zones => vec![duties[usize::from(zone)]],
                [0x66, 0x01, zone, percent] if zone < zones => {
                    duties[usize::from(zone)] = percent.max(20);
                    vec![]
                }
                _ => return Some((CompletionCode::INVALID_DATA_FIELD, vec![])),
            };
            Some((CompletionCode::OK, data))
        });
        (outcome, mode)
    }

    #[test]
    fn a_supermicro_board_with_one_zone_takes_a_duty_of_all_fans() {
        let (outcome, mode) = supermicro(1, DUTY);
        assert_eq!(outcome.unwrap().value["percent"], 40);
        assert_eq!(mode, SupermicroFanMode::FULL.0);
    }

    #[test]
    fn a_duty_that_is_refused_or_not_kept_leaves_supermicros_mode_as_it_was() {
        let zone = Some(1);
        let (refused, mode) = supermicro(1, Duty { zone, ..DUTY });
        assert_eq!(refused.unwrap_err().kind(), "refused");
        assert_eq!(mode, SupermicroFanMode::OPTIMAL.0);
        let percent = 5;
        let (other, mode) = supermicro(2, Duty { percent, ..DUTY });
        assert_eq!(other.unwrap_err().kind(), "not_kept");
        assert_eq!(mode, SupermicroFanMode::OPTIMAL.0);
    }
}
