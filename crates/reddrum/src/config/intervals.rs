//! `sensor_intervals_ms`: how often sensors are read, by class.

use hardware::{SensorClass, SensorIntervals};

use super::POLL_INTERVAL_LIMITS_MS;
use super::section::{self, Problems, Section, whole_number};

/// The key.
pub(crate) const KEY: &str = "sensor_intervals_ms";

/// The intervals of a section: a table of milliseconds by class.
pub(super) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> SensorIntervals {
    let mut intervals = SensorIntervals::default();
    let Some((table, _)) = section.table(problems, KEY) else {
        return intervals;
    };
    for (name, value) in table {
        let ms = whole_number(value.get_ref()).and_then(|ms| u32::try_from(ms).ok());
        match with(intervals, name.get_ref(), ms) {
            Ok(more) => intervals = more,
            Err(text) => section.problem(problems, KEY, text),
        }
    }
    intervals
}

/// These intervals with that of one more class; `None` = what stands there is no number of milliseconds.
///
/// # Errors
/// There is no such class, or it can't be read so often or so rarely.
pub(crate) fn with(
    intervals: SensorIntervals,
    class: &str,
    ms: Option<u32>,
) -> Result<SensorIntervals, String> {
    let Some(known) = SensorClass::named(class) else {
        let names = || SensorClass::ALL.into_iter().map(SensorClass::name);
        let all = names().collect::<Vec<_>>().join(", ");
        let meant = section::nearest(class, names());
        let meant = meant.map_or_else(String::new, |name| format!("did you mean '{name}'? "));
        return Err(format!(
            "there is no class of sensors '{class}'; {meant}The classes are {all}"
        ));
    };
    match ms.filter(|ms| POLL_INTERVAL_LIMITS_MS.contains(ms)) {
        Some(ms) => Ok(intervals.with(known, ms)),
        None => {
            let (first, last) = (
                POLL_INTERVAL_LIMITS_MS.start(),
                POLL_INTERVAL_LIMITS_MS.end(),
            );
            Err(format!(
                "{class}: expected a whole number of milliseconds from {first} to {last}"
            ))
        }
    }
}
