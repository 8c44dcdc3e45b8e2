//! `sel`: the system event log (§31).

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipmi::command::storage::{
    AddSelEntry, ClearSel, GetSelInfo, GetSelTime, ReserveSel, SEL_RECORD_LEN, SelErasure, SelInfo,
    SelOperations, SetSelTime,
};
use ipmi::number::{CompletionCode, EraseAction, EraseProgress, SensorGroup};
use ipmi::quirk::Quirk;
use ipmi::record::sdr::{SdrBody, SensorKey, Units};
use ipmi::record::sel::{SelRecord, SensorContext};
use ipmi::record::{Conversion, Timestamp};
use ipmi::walk::{Found, SelWalk};
use serde_json::{Value, json};
use time::{Date, Month, PrimitiveDateTime, Time};

use super::{group, repository, sel_entry};
use crate::error::ProgramError;
use crate::ipmi::args::{SelCommand, SelEnd, SelPart, SelTimeCommand};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Report, cell, pair};
use crate::ipmi::talk::{CallError, Line, Outcome};

/// How often the erasure is asked after, and the pause between: half a minute in all.
const ERASE_CHECKS_MAX: u32 = 60;
const ERASE_PAUSE: Duration = Duration::from_millis(500);

/// How often the log is reserved anew because a new entry cancelled the reservation.
const RESERVATIONS_MAX: u32 = 4;

/// Get SEL Time: the log is being erased (§31.10); how often the clock is asked for then, and the pause between.
const ERASING: CompletionCode = CompletionCode(0x81);
const CLOCK_ASKINGS_MAX: u32 = 8;
const CLOCK_PAUSE: Duration = Duration::from_millis(250);

/// Width of the names in the report of `sel info`.
const WIDTH: usize = 17;

/// What to do, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    List { names: bool, part: Part },
    Get(Rc<[u16]>),
    Info,
    Clear,
    Add([u8; SEL_RECORD_LEN]),
    Delete(Rc<[u16]>),
    Save,
    GetTime,
    SetTime(Clock),
}

/// Which entries of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// So many of the oldest.
    First(usize),
    /// So many of the newest.
    Last(usize),
}

impl TryFrom<SelPart> for Part {
    type Error = ProgramError;

    fn try_from(part: SelPart) -> Result<Self, ProgramError> {
        let usage = |text: &str| Err(ProgramError::Usage(format!("sel list: {text}")));
        Ok(match (part.end, part.count.map(usize::from)) {
            (None, _) => Self::All,
            (Some(SelEnd::First), Some(count)) => Self::First(count),
            (Some(SelEnd::Last), Some(count)) => Self::Last(count),
            (Some(SelEnd::Count(count)), None) => Self::First(count.into()),
            (Some(SelEnd::Count(_)), Some(_)) => return usage("one number is enough"),
            (Some(_), None) => return usage("how many? 'first 5', 'last 5'"),
        })
    }
}

/// What to set the clock to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// This machine's clock when the BMC is told, UTC.
    Now,
    /// This time.
    At(Timestamp),
}

impl Action {
    /// Checks the argument of `time set`.
    pub(super) fn new(command: &SelCommand) -> Result<Self, ProgramError> {
        Ok(match command {
            SelCommand::List(part) => Self::List {
                names: false,
                part: (*part).try_into()?,
            },
            SelCommand::Elist(part) => Self::List {
                names: true,
                part: (*part).try_into()?,
            },
            SelCommand::Get { records } => Self::Get(records.as_slice().into()),
            SelCommand::Info => Self::Info,
            SelCommand::Clear => Self::Clear,
            SelCommand::Save { .. } => Self::Save,
            SelCommand::Delete { records } => Self::Delete(records.as_slice().into()),
            SelCommand::Add { record } => Self::Add(new_record(record)?),
            SelCommand::Time {
                action: None | Some(SelTimeCommand::Get),
            } => Self::GetTime,
            SelCommand::Time {
                action: Some(SelTimeCommand::Set { time }),
            } if time == "now" => Self::SetTime(Clock::Now),
            SelCommand::Time {
                action: Some(SelTimeCommand::Set { time }),
            } => {
                let at = parse_time(time).ok_or_else(|| {
                    let text =
                        format!("sel time set '{time}': expected now or YYYY-MM-DD HH:MM:SS");
                    ProgramError::Usage(text)
                })?;
                Self::SetTime(Clock::At(at))
            }
        })
    }

    /// Whether it changes something.
    pub(super) const fn changes(&self) -> bool {
        matches!(
            self,
            Self::Clear | Self::SetTime(_) | Self::Add(_) | Self::Delete(_)
        )
    }
}

/// `YYYY-MM-DD HH:MM:SS`, or with a `T` between; a time that the field of a BMC can hold.
fn parse_time(text: &str) -> Option<Timestamp> {
    let (date, clock) = text.split_once([' ', 'T'])?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(year.into(), month, day.try_into().ok()?).ok()?;
    let [hour, minute, second] = [hour, minute, second].map(|n| u8::try_from(n).unwrap_or(u8::MAX));
    let time = Time::from_hms(hour, minute, second).ok()?;
    let seconds = PrimitiveDateTime::new(date, time)
        .assume_utc()
        .unix_timestamp();
    let at = Timestamp(u32::try_from(seconds).ok()?);
    at.unix_seconds().map(|_| at)
}

/// Three numbers with a separator between.
fn numbers(text: &str, separator: char) -> Option<[u16; 3]> {
    let numbers: Result<Vec<u16>, _> = text.split(separator).map(str::parse).collect();
    numbers.ok()?.try_into().ok()
}

/// Does it.
pub(super) async fn run(line: Line, action: Action) -> Outcome {
    match action {
        Action::List { names, part } => list(&line, names, part).await,
        Action::Get(records) => sel_entry::get(&line, &records).await,
        Action::Info => Ok(info(&line.call(&GetSelInfo).await?)),
        Action::Clear => clear(&line).await,
        Action::Add(record) => add(&line, record).await,
        Action::Delete(records) => sel_entry::delete(&line, &records).await,
        Action::Save => save(&line).await,
        Action::GetTime => Ok(clock(clock_time(&line).await?)),
        Action::SetTime(clock) => set_time(&line, clock).await,
    }
}

/// Entries as they are stored, oldest first. What BMCs do wrong about that is [`ipmi::walk`]'s business.
async fn read(line: &Line, part: Part) -> Result<Vec<[u8; SEL_RECORD_LEN]>, CallError> {
    let mut walk = SelWalk::new();
    let mut entries = Vec::new();
    loop {
        match line.walk(&mut walk).await? {
            Found::Record => entries.push(*walk.record()),
            Found::Restart => entries.clear(),
            Found::End => break,
        }
        if part == Part::First(entries.len()) {
            break;
        }
    }
    if let Part::Last(count) = part {
        // Which are the newest is known at the end only: numbers of entries have no order.
        entries.drain(..entries.len().saturating_sub(count));
    }
    Ok(entries)
}

async fn save(line: &Line) -> Outcome {
    let entries = read(line, Part::All).await?;
    let text = format!("{} entries saved", entries.len());
    let mut report = Report::line(text, json!({ "saved": entries.len() }));
    report.file = Some(entries.concat());
    Ok(report)
}

/// An entry whole, or without number and time: the BMC fills them in.
fn new_record(bytes: &[u8]) -> Result<[u8; SEL_RECORD_LEN], ProgramError> {
    if let Ok(record) = bytes.try_into() {
        return Ok(record);
    }
    let &[kind, ref rest @ ..] = bytes else {
        return Err(ProgramError::Usage("an entry has bytes".to_owned()));
    };
    let rest: [u8; 9] = rest.try_into().map_err(|_| {
        let text = format!(
            "an entry has 16 bytes, or 10 without number and time; not {}",
            bytes.len()
        );
        ProgramError::Usage(text)
    })?;
    let mut record = [0; SEL_RECORD_LEN];
    record[2] = kind;
    record[7..].copy_from_slice(&rest);
    Ok(record)
}

async fn add(line: &Line, record: [u8; SEL_RECORD_LEN]) -> Outcome {
    let added = line.call(&AddSelEntry { record }).await?;
    let id = added.record.0;
    let text = format!("Entry 0x{id:04x} added");
    Ok(Report::line(text, json!({ "record": id })))
}

async fn list(line: &Line, names: bool, part: Part) -> Outcome {
    let sources = match names {
        true => Sources::read(line).await?,
        false => Sources::default(),
    };
    let entries = read(line, part).await?;
    let entries: Vec<_> = entries.iter().map(SelRecord::decode).collect();
    let types = entries.iter().filter_map(|record| match record {
        SelRecord::SystemEvent(event) => Some(event.sensor_type),
        _ => None,
    });
    let group = group::find(line, types).await?;
    let (lines, entries): (Vec<_>, Vec<_>) = entries
        .iter()
        .map(|record| show(record, sources.of(record), group))
        .unzip();
    Ok(Report::of(lines, json!({ "entries": entries })))
}

/// What the records tell of a sensor.
pub(super) struct Source {
    pub(super) name: String,
    conversion: Option<Conversion>,
    units: Units,
}

/// The sensors of the repository, as entries of the log name them.
#[derive(Default)]
pub(super) struct Sources {
    /// By owner, LUN and number.
    by_key: HashMap<(u8, u8, u8), Source>,
    /// Entries name the wrong owner, says the operator: a number that only one sensor has names it.
    any_generator: bool,
}

impl Sources {
    pub(super) async fn read(line: &Line) -> Result<Self, CallError> {
        let mut sources = Self {
            by_key: HashMap::new(),
            any_generator: line.quirks().has(Quirk::SelGeneratorWrong),
        };
        for record in repository::read(line).await? {
            match record.body {
                SdrBody::FullSensor(full) => {
                    let (name, conversion) = (full.id.text(), full.conversion());
                    sources.add(full.sensor.key, name, conversion, full.sensor.units);
                }
                SdrBody::CompactSensor(compact) => {
                    for single in compact.expand() {
                        let (key, units) = (single.sensor.key, single.sensor.units);
                        sources.add(key, single.id.text(), None, units);
                    }
                }
                SdrBody::EventOnly(sensor) => {
                    for single in sensor.expand() {
                        sources.add(single.key, single.id.text(), None, Units::default());
                    }
                }
                _ => {}
            }
        }
        Ok(sources)
    }

    fn add(&mut self, key: SensorKey, name: String, conversion: Option<Conversion>, units: Units) {
        let source = Source {
            name,
            conversion,
            units,
        };
        self.by_key
            .entry((key.owner_id, key.lun().get(), key.sensor_number))
            .or_insert(source);
    }

    /// The sensor that an entry is about, where there is a record of it.
    pub(super) fn of(&self, record: &SelRecord) -> Option<&Source> {
        let SelRecord::SystemEvent(event) = record else {
            return None;
        };
        let [owner, lun] = event.generator.0.to_le_bytes();
        let named = self.by_key.get(&(owner, lun & 0x03, event.sensor_number));
        named.or_else(|| self.only_one(event.sensor_number))
    }

    fn only_one(&self, number: u8) -> Option<&Source> {
        let mut same = self.by_key.iter().filter(|((.., its), _)| *its == number);
        let (_, found) = same.next().filter(|_| self.any_generator)?;
        same.next().is_none().then_some(found)
    }
}

/// An entry in a line, and for scripts.
pub(super) fn show(
    record: &SelRecord,
    source: Option<&Source>,
    group: SensorGroup,
) -> (String, Value) {
    let context = SensorContext {
        name: source.map(|source| source.name.as_str()),
        conversion: source.and_then(|source| source.conversion),
        units: source.map(|source| source.units),
        group,
    };
    let text = record.describe(context);
    // What is in a name must not look like another column.
    let name = source.map(|source| cell(&source.name));
    let name = name.as_deref();
    let columns = record.describe(SensorContext { name, ..context });
    let time = record.timestamp();
    let when = time.map_or_else(String::new, |time| time.to_string());
    let line = format!("{:>4x} | {when:<19} | {columns}", record.id().0);
    let value = json!({
        "id": record.id().0,
        "record_type": record.record_type().0,
        "time": time.map(|time| time.to_string()),
        "source": text.source(),
        "event": text.event(),
        "direction": text.direction().map(|direction| direction.to_string()),
        "detail": text.detail(),
        "data": record.encode(),
    });
    (line, value)
}

fn info(info: &SelInfo) -> Report {
    let time = |time: Timestamp| match time {
        Timestamp::UNSPECIFIED => "not available".to_owned(),
        time => time.to_string(),
    };
    let free = match info.free_bytes {
        u16::MAX => "65535 bytes or more".to_owned(),
        bytes => format!("{bytes} bytes"),
    };
    let used = SEL_RECORD_LEN * usize::from(info.entry_count);
    let percent = (info.free_bytes != u16::MAX)
        .then(|| used * 100 / (used + usize::from(info.free_bytes)).max(1));
    let operations = [
        (SelOperations::ALLOCATION_INFO, "Get Alloc Info"),
        (SelOperations::RESERVE, "Reserve"),
        (SelOperations::PARTIAL_ADD, "Partial Add"),
        (SelOperations::DELETE, "Delete"),
    ];
    let supported = operations
        .into_iter()
        .filter(|(operation, _)| info.operations.contains(*operation));
    let supported: Vec<_> = supported.map(|(_, name)| name).collect();
    let overflow = info.operations.contains(SelOperations::OVERFLOW);
    let version = format!("{:x}.{:x}", info.version & 0x0f, info.version >> 4);
    let used = percent.map_or_else(|| "unknown".to_owned(), |percent| format!("{percent}%"));
    let lines = vec![
        pair("Version", WIDTH, &version),
        pair("Entries", WIDTH, info.entry_count),
        pair("Free Space", WIDTH, free),
        pair("Percent Used", WIDTH, used),
        pair("Last Add Time", WIDTH, time(info.last_addition)),
        pair("Last Del Time", WIDTH, time(info.last_erase)),
        pair("Overflow", WIDTH, overflow),
        pair("Supported Cmds", WIDTH, supported.join(", ")),
    ];
    let value = json!({
        "version": version,
        "entries": info.entry_count,
        "free_bytes": (info.free_bytes != u16::MAX).then_some(info.free_bytes),
        "percent_used": percent,
        "last_add_time": time(info.last_addition),
        "last_del_time": time(info.last_erase),
        "overflow": overflow,
        "supported": supported,
    });
    Report::of(lines, value)
}

async fn clear(line: &Line) -> Outcome {
    let mut reservations = 0;
    let (reservation, mut progress) = loop {
        reservations += 1;
        let reservation = line.call(&ReserveSel).await?;
        let action = EraseAction::INITIATE;
        match line
            .call(&ClearSel {
                reservation,
                action,
            })
            .await
        {
            Ok(progress) => break (reservation, progress),
            // An entry came in between; nothing was erased.
            Err(error)
                if error.completion() == Some(CompletionCode::RESERVATION_CANCELLED)
                    && reservations < RESERVATIONS_MAX => {}
            Err(error) => return Err(error.into()),
        }
    };
    let mut checks = 0;
    while progress == SelErasure(EraseProgress::IN_PROGRESS) {
        if checks == ERASE_CHECKS_MAX {
            return Err(Failure::Unfit {
                kind: "still_erasing",
                cause: "the BMC is still erasing its log after half a minute".to_owned(),
                remedy: "look again later with 'sel info'".to_owned(),
            });
        }
        checks += 1;
        line.pause(ERASE_PAUSE).await;
        let action = EraseAction::GET_STATUS;
        progress = match line
            .call(&ClearSel {
                reservation,
                action,
            })
            .await
        {
            Ok(progress) => progress,
            // Erasing ends the reservation on some BMCs: it was taken, so it is done.
            Err(error) if error.completion() == Some(CompletionCode::RESERVATION_CANCELLED) => {
                SelErasure(EraseProgress::COMPLETED)
            }
            Err(error) => return Err(error.into()),
        };
    }
    Ok(Report::line("SEL cleared", json!({ "cleared": true })))
}

/// The log's clock, asked again while the log is being erased (§31.10).
async fn clock_time(line: &Line) -> Result<Timestamp, CallError> {
    let mut askings = 1;
    loop {
        match line.call(&GetSelTime).await {
            Err(error) if error.completion() == Some(ERASING) && askings < CLOCK_ASKINGS_MAX => {
                askings += 1;
                line.pause(CLOCK_PAUSE).await;
            }
            told => return told,
        }
    }
}

async fn set_time(line: &Line, wanted: Clock) -> Outcome {
    let time = match wanted {
        Clock::At(time) => time,
        Clock::Now => {
            let since = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            Timestamp(u32::try_from(since.as_secs()).unwrap_or(Timestamp::UNSPECIFIED.0))
        }
    };
    line.call(&SetSelTime { time }).await?;
    Ok(clock(clock_time(line).await?))
}

fn clock(time: Timestamp) -> Report {
    let value = json!({ "time": time.to_string(), "unix_seconds": time.unix_seconds() });
    Report::line(time.to_string(), value)
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;

    use super::*;
    use crate::ipmi::talk::{Talk, play};

    #[test]
    fn a_time_has_a_date_and_a_clock() {
        let at = Some(Timestamp(1_795_269_909));
        assert_eq!(parse_time("2026-11-21 14:05:09"), at);
        assert_eq!(parse_time("2026-11-21T14:05:09"), at);
        for text in [
            "2026-11-21",
            "2026-13-21 14:05:09",
            "2026-11-21 24:05:09",
            "1970-01-01 00:00:09",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn clearing_waits_until_the_log_is_erased() {
        let mut erasing = 3;
        let mut requests = Vec::new();
        let report = play::run(Talk::new(|line| run(line, Action::Clear)), |call| {
            requests.push(call.data.clone());
            if call.data.is_empty() {
                return Some((CompletionCode::OK, vec![7, 0]));
            }
            erasing -= 1;
            Some((CompletionCode::OK, vec![u8::from(erasing == 0)]))
        });
        assert_eq!(report.unwrap().lines, ["SEL cleared"]);
        assert_eq!(requests[1], [7, 0, b'C', b'L', b'R', 0xaa]);
        assert_eq!(requests[2..], vec![vec![7, 0, b'C', b'L', b'R', 0]; 2]);
    }

    #[test]
    fn a_clear_without_answer_may_have_been_carried_out() {
        let outcome = play::run(Talk::new(|line| run(line, Action::Clear)), |call| {
            call.data
                .is_empty()
                .then(|| (CompletionCode::OK, vec![7, 0]))
        });
        let text = outcome.unwrap_err().to_string();
        assert!(
            text.contains("Clear SEL: no answer; the BMC may have carried it out"),
            "{text}"
        );
    }

    #[test]
    fn a_log_that_leads_back_to_its_beginning_ends() {
        let report = play::run(
            Talk::new(|line| {
                let (names, part) = (false, Part::All);
                run(line, Action::List { names, part })
            }),
            |call| {
                if call.target.cmd == GetSelInfo::CMD {
                    return Some((CompletionCode::OK, vec![3; 14]));
                }
                let id = call.data[2].max(1);
                let mut entry = vec![if id == 3 { 1 } else { id + 1 }, 0];
                entry.extend([
                    id, 0, 0x02, 0x78, 0x56, 0x34, 0x65, 0x20, 0, 4, 1, 0x11, 1, 0x59, 90, 85,
                ]);
                Some((CompletionCode::OK, entry))
            },
        );
        let lines = report.unwrap().lines;
        assert_eq!(lines.len(), 3);
        assert_eq!(
            lines[0],
            "   1 | 2023-10-21 22:53:44 | Temperature #0x11 | Upper Critical going high | Asserted | \
             Reading 0x5a > Threshold 0x55"
        );
    }

    #[test]
    fn the_share_of_a_full_log_is_told_where_its_room_is_known() {
        let full = SelInfo {
            version: 0x51,
            entry_count: 100,
            free_bytes: 4_800,
            last_addition: Timestamp::UNSPECIFIED,
            last_erase: Timestamp(1_795_269_909),
            operations: SelOperations(0x8a),
        };
        let report = info(&full);
        assert_eq!(report.value["percent_used"], 25);
        assert_eq!(report.value["overflow"], true);
        assert!(
            report
                .lines
                .contains(&"Supported Cmds   : Reserve, Delete".to_owned())
        );
        assert_eq!(
            info(&SelInfo {
                free_bytes: u16::MAX,
                ..full
            })
            .value["percent_used"],
            Value::Null
        );
    }
}
