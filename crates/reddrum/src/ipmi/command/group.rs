//! Who defines the sensor types from F0h on of a BMC: PICMG and VITA give them other meanings.

use ipmi::command::picmg::GetPicmgProperties;
use ipmi::command::vita::GetVsoCapabilities;
use ipmi::number::{SensorGroup, SensorType};

use crate::ipmi::talk::{CallError, CallFault, Line};

/// The first sensor type whose meaning depends on the group.
const FIRST: SensorType = SensorType(0xf0);

/// Whose types these sensors have. The BMC is asked only where one of them has a type that depends on it.
pub(super) async fn find(
    line: &Line,
    mut types: impl Iterator<Item = SensorType>,
) -> Result<SensorGroup, CallError> {
    if !types.any(|found| found.0 >= FIRST.0) {
        return Ok(SensorGroup::Maker);
    }
    if is_there(line.call(&GetPicmgProperties {}).await)? {
        return Ok(SensorGroup::Picmg);
    }
    if is_there(line.call(&GetVsoCapabilities {}).await)? {
        return Ok(SensorGroup::Vita);
    }
    Ok(SensorGroup::Maker)
}

/// A BMC that refuses the group's first command doesn't belong to it.
fn is_there<T>(answer: Result<T, CallError>) -> Result<bool, CallError> {
    match answer {
        Ok(_) => Ok(true),
        Err(CallError {
            fault: CallFault::Refused(_),
            ..
        }) => Ok(false),
        Err(error) => Err(error),
    }
}
