//! What the operator learns where there is nothing to see: a BMC that deviates, or records that can't be read.

use ipmi::command::sensor::{GetDeviceSdrInfo, GetSensorReading};
use ipmi::command::storage::GetSdrRepositoryInfo;
use ipmi::quirk::Quirk;

use super::sensor::{Absence, Described, Read};
use crate::ipmi::failure::Failure;
use crate::ipmi::talk::{CallError, Line};

/// Sees to it that no sensors at all are no answer by mistake. `read` records were read, and none is a sensor's: a controller
/// may have records of inventories only, and is said to.
///
/// # Errors
/// The BMC says that it has more records.
pub(super) async fn check_empty(line: &Line, read: usize) -> Result<Option<String>, Failure> {
    let counted = counted(line).await?;
    if read >= counted {
        return Ok((read > 0).then(|| {
            format!(
                "none of the BMC's {read} sensor data records describes a sensor; 'sdr records' shows what they describe"
            )
        }));
    }
    let found = match read {
        0 => "none of them could be read".to_owned(),
        _ => format!("only {read} could be read, which describe no sensor"),
    };
    Err(Failure::Unfit {
        kind: "no_sensor_records",
        cause: format!("the BMC counts {counted} sensor data records, and {found}"),
        remedy: "try again; if it stays so, restart the BMC ('mc reset cold')".to_owned(),
    })
}

/// How many records there are, as the BMC says; 0 where it doesn't.
async fn counted(line: &Line) -> Result<usize, CallError> {
    match line.call(&GetSdrRepositoryInfo).await {
        Ok(info) => return Ok(info.record_count.into()),
        Err(error) if error.completion().is_some() => {}
        Err(error) => return Err(error),
    }
    let of_device = GetDeviceSdrInfo {
        count_sdrs: Some(true),
    };
    match line.call(&of_device).await {
        Ok(info) => Ok(info.count.into()),
        Err(error) if error.completion().is_some() => Ok(0),
        Err(error) => Err(error),
    }
}

/// What may be behind it that no sensor has a reading, where something speaks for it.
pub(super) async fn find(
    line: &Line,
    sensors: &[Described],
    read: &[Read],
) -> Result<Option<String>, CallError> {
    let all = |is: fn(&Absence) -> bool| {
        !read.is_empty()
            && read
                .iter()
                .all(|read| read.absence.as_ref().is_some_and(is))
    };
    if all(|absence| *absence == Absence::OtherOwner) && bmc_answers_for_one(line, sensors).await? {
        return Ok(Some(told(
            "the records name other owners of all sensors, and the BMC answers for them",
            Quirk::SensorOwnerWrong,
        )));
    }
    // A raw byte of zero is what a sensor sends that really rests.
    let has_byte = |read: &Read| matches!(read.absence, Some(Absence::NotScanned(1..)));
    if all(|absence| *absence != Absence::OtherOwner) && read.iter().any(has_byte) {
        return Ok(Some(told(
            "the BMC says that its sensors are not scanned, and sends readings of them",
            Quirk::ScanningFlagWrong,
        )));
    }
    Ok(None)
}

fn told(evidence: &str, quirk: Quirk) -> String {
    format!("{evidence}; if they are right, add --quirk {quirk}")
}

/// Whether the BMC itself has a reading for one of the sensors of others: the first with a value.
async fn bmc_answers_for_one(line: &Line, sensors: &[Described]) -> Result<bool, CallError> {
    let first = sensors.iter().find(|sensor| sensor.is_numeric());
    let Some(Described { sensor, .. }) = first.or_else(|| sensors.first()) else {
        return Ok(false);
    };
    let question = GetSensorReading {
        sensor_number: sensor.key.sensor_number,
    };
    match line.call_on_lun(sensor.key.lun().get(), &question).await {
        Ok(_) => Ok(true),
        Err(error) if error.completion().is_some() => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use ipmi::command::Command;
    use ipmi::command::app::GetDeviceId;
    use ipmi::command::storage::GetSdr;
    use ipmi::number::{CompletionCode, NetFn};

    use crate::ipmi::command::sensor;
    use crate::ipmi::report::Reader;
    use crate::ipmi::talk::{Call, Talk, play};

    use super::*;

    /// What `sensor` says of a BMC that has so many records, all of inventories, and counts so many: a hint, or the kind of
    /// its failure.
    fn told(has: u16, counts: u16) -> Result<Option<String>, &'static str> {
        let ok = |data: Vec<u8>| Some((CompletionCode::OK, data));
        let answer = |call: &Call| match (call.target.netfn, call.target.cmd) {
            (NetFn::APP, GetDeviceId::CMD) => ok(vec![0x20, 1, 1, 0, 2, 0x02, 0, 0, 0, 0, 0]),
            (NetFn::STORAGE, GetSdrRepositoryInfo::CMD) => {
                let mut info = vec![0x51];
                info.extend(counts.to_le_bytes());
                info.extend([0xff; 10]);
                info.push(2);
                ok(info)
            }
            (NetFn::STORAGE, GetSdr::CMD) => {
                let id = u16::from_le_bytes([call.data[2], call.data[3]]);
                if id >= has {
                    return Some((CompletionCode::NOT_PRESENT, Vec::new()));
                }
                let next = if id + 1 == has { 0xffff } else { id + 1 };
                let mut record = next.to_le_bytes().to_vec();
                record.extend(id.to_le_bytes());
                // A locator of inventory 0 (§43.8), named FRU.
                record.extend([0x51, 0x11, 14]);
                record.extend([0x20, 0, 0x80, 0, 0, 0x10, 0, 7, 1, 0, 0xc3]);
                record.extend(b"FRU");
                ok(record)
            }
            _ => Some((CompletionCode::INVALID_COMMAND, Vec::new())),
        };
        let talk = Talk::new(|line| sensor::run(line, Rc::from([]), Reader::Person));
        let report = play::run(talk, answer).map_err(|failure| failure.kind())?;
        assert!(report.lines.is_empty() && report.missing.is_none());
        Ok(report.hint)
    }

    #[test]
    fn a_controller_without_sensors_is_no_failure_unless_records_are_missing() {
        assert_eq!(told(0, 0), Ok(None));
        let hint = told(3, 3).unwrap().unwrap();
        assert!(
            hint.starts_with("none of the BMC's 3 sensor data records"),
            "{hint}"
        );
        for (has, counts) in [(0, 3), (2, 3)] {
            assert_eq!(told(has, counts), Err("no_sensor_records"));
        }
    }
}
