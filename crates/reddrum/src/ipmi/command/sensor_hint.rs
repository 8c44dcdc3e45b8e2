//! What the operator learns where there is nothing to see: a BMC that deviates, or records that can't be read.

use ipmi::command::sensor::{GetDeviceSdrInfo, GetSensorReading};
use ipmi::command::storage::GetSdrRepositoryInfo;
use ipmi::quirk::Quirk;

use super::sensor::{Absence, Described, Read};
use crate::ipmi::failure::Failure;
use crate::ipmi::talk::{CallError, Line};

/// Sees to it that no sensors at all are no answer by mistake. `read` records were read, and none is a sensor's.
///
/// # Errors
/// The BMC says that it has records.
pub(super) async fn check_empty(line: &Line, read: usize) -> Result<(), Failure> {
    let counted = counted(line).await?;
    let (cause, remedy) = match (counted, read) {
        (0, 0) => return Ok(()),
        (_, 1..) => (
            format!("none of the BMC's {read} sensor data records describes a sensor"),
            "'sdr info' and 'raw 0x0a 0x23' show what it has; a new firmware of the BMC may have more",
        ),
        (count, 0) => (
            format!("the BMC counts {count} sensor data records, and none of them could be read"),
            "try again; if it stays so, restart the BMC ('mc reset cold')",
        ),
    };
    Err(Failure::Unfit {
        kind: "no_sensor_records",
        cause,
        remedy: remedy.to_owned(),
    })
}

/// How many records there are, as the BMC says; 0 where it doesn't.
async fn counted(line: &Line) -> Result<u32, CallError> {
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
