//! How bad a state is. IPMI names the states (tables 42-2 and 42-3) but, threshold sensors aside, does not rank them;
//! this is our ranking: lost function is critical, lost reserve or a coming failure is a warning.

use hardware::Severity;
use ipmi::number::{EventReadingType, SensorType};

/// Which offsets are critical and which are warnings, one bit each; the others are normal.
struct Rank {
    critical: u16,
    warning: u16,
}

const fn rank(critical: &[u8], warning: &[u8]) -> Rank {
    Rank {
        critical: bits(critical),
        warning: bits(warning),
    }
}

const fn bits(offsets: &[u8]) -> u16 {
    let (mut mask, mut i) = (0, 0);
    while i < offsets.len() {
        mask |= 1 << offsets[i];
        i += 1;
    }
    mask
}

const NORMAL: Rank = rank(&[], &[]);

/// How bad the state at `offset` of a discrete sensor, or the event at `offset` of any, is.
pub(crate) fn severity(kind: EventReadingType, sensor: SensorType, offset: u8) -> Severity {
    let Rank { critical, warning } = match kind {
        EventReadingType::SENSOR_SPECIFIC => sensor_specific(sensor),
        generic => generic_rank(generic),
    };
    let bit = 1_u16.checked_shl(offset.into()).unwrap_or(0);
    if critical & bit != 0 {
        Severity::Critical
    } else if warning & bit != 0 {
        Severity::Warning
    } else {
        Severity::Ok
    }
}

/// Generic states (table 42-2).
const fn generic_rank(kind: EventReadingType) -> Rank {
    match kind {
        // Two offsets a threshold: lower non-critical, critical, non-recoverable, then the upper ones.
        EventReadingType::THRESHOLD => rank(&[2, 3, 4, 5, 8, 9, 10, 11], &[0, 1, 6, 7]),
        EventReadingType::PREDICTIVE_FAILURE
        | EventReadingType::LIMIT
        | EventReadingType::PERFORMANCE => rank(&[], &[1]),
        EventReadingType::SEVERITY => rank(&[2, 3, 5, 6], &[1, 4]),
        EventReadingType::AVAILABILITY => rank(&[8], &[6]),
        EventReadingType::REDUNDANCY => rank(&[5], &[1, 2, 3, 4, 6, 7]),
        _ => NORMAL,
    }
}

/// States of each sensor type (table 42-3).
#[expect(
    clippy::match_same_arms,
    reason = "one line a sensor type, in the order of the table"
)]
const fn sensor_specific(sensor: SensorType) -> Rank {
    match sensor {
        SensorType::PHYSICAL_SECURITY => rank(&[], &[0, 1, 2, 3, 4, 5, 6]),
        SensorType::PLATFORM_SECURITY => rank(&[], &[0, 1, 2, 3, 4, 5]),
        // IERR, thermal trip, FRB failures, configuration error, uncorrectable errors; disabled, throttled,
        // correctable errors.
        SensorType::PROCESSOR => rank(&[0, 1, 2, 3, 4, 5, 6, 11], &[8, 10, 12]),
        // Failure, input lost, configuration error; predictive failure, input out of range.
        SensorType::POWER_SUPPLY => rank(&[1, 3, 4, 6], &[2, 5]),
        // 240 VA, interlock, AC lost, control failure, failure; predictive failure.
        SensorType::POWER_UNIT => rank(&[2, 3, 4, 5, 6], &[7]),
        SensorType::MEMORY => rank(&[1, 2, 3, 7, 10], &[0, 4, 5, 9]),
        SensorType::DRIVE_SLOT => rank(&[1, 5, 6, 8], &[2, 7]),
        SensorType::FIRMWARE_PROGRESS => rank(&[0, 1], &[]),
        SensorType::EVENT_LOGGING_DISABLED => rank(&[], &[0, 1, 3, 4, 5, 6]),
        SensorType::WATCHDOG_1 => rank(&[1, 2, 3, 4, 5, 6], &[0, 7]),
        SensorType::SYSTEM_EVENT => rank(&[2], &[]),
        // Everything but a correctable bus error and a degraded bus.
        SensorType::CRITICAL_INTERRUPT => rank(&[0, 1, 2, 3, 4, 5, 6, 8, 9, 10], &[7, 11]),
        SensorType::CHIP_SET => rank(&[1], &[0]),
        SensorType::CABLE_INTERCONNECT => rank(&[1], &[]),
        SensorType::BOOT_ERROR => rank(&[], &[0, 1, 2, 3, 4]),
        SensorType::OS_STOP => rank(&[0, 1], &[]),
        SensorType::SLOT_CONNECTOR => rank(&[0], &[8]),
        SensorType::WATCHDOG_2 => rank(&[1, 2, 3], &[0, 8]),
        SensorType::LAN => rank(&[], &[0]),
        SensorType::MANAGEMENT_HEALTH => rank(&[3], &[0, 1, 2, 4, 5]),
        SensorType::BATTERY => rank(&[1], &[0]),
        SensorType::SESSION_AUDIT => rank(&[], &[2, 3]),
        SensorType::VERSION_CHANGE => rank(&[], &[2, 3, 4, 5]),
        SensorType::FRU_STATE => rank(&[], &[7]),
        _ => NORMAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_rank_by_what_they_mean() {
        use EventReadingType as Kind;
        let specific = Kind::SENSOR_SPECIFIC;
        for (kind, sensor, offset, expected) in [
            (specific, SensorType::POWER_SUPPLY, 0, Severity::Ok),
            (specific, SensorType::POWER_SUPPLY, 1, Severity::Critical),
            (specific, SensorType::POWER_SUPPLY, 2, Severity::Warning),
            (specific, SensorType::MEMORY, 0, Severity::Warning),
            (specific, SensorType::MEMORY, 1, Severity::Critical),
            (
                Kind::THRESHOLD,
                SensorType::TEMPERATURE,
                7,
                Severity::Warning,
            ),
            (
                Kind::THRESHOLD,
                SensorType::TEMPERATURE,
                9,
                Severity::Critical,
            ),
            (
                Kind::PREDICTIVE_FAILURE,
                SensorType::DRIVE_SLOT,
                1,
                Severity::Warning,
            ),
            (Kind::REDUNDANCY, SensorType::FAN, 0, Severity::Ok),
            (Kind::REDUNDANCY, SensorType::FAN, 5, Severity::Critical),
            (Kind::STATE, SensorType::FAN, 1, Severity::Ok),
            (specific, SensorType(0xc5), 3, Severity::Ok),
            (specific, SensorType::MEMORY, 200, Severity::Ok),
        ] {
            assert_eq!(
                severity(kind, sensor, offset),
                expected,
                "{kind:?} {sensor:?} {offset}"
            );
        }
    }

    #[test]
    fn no_state_is_ranked_that_has_no_name() {
        for kind in EventReadingType::NAMED {
            for sensor in SensorType::NAMED {
                for offset in 0..16 {
                    let bad = severity(*kind, *sensor, offset) != Severity::Ok;
                    let named = kind.state_name(*sensor, offset).is_some();
                    assert!(named || !bad, "{kind:?} {sensor:?} {offset}");
                }
            }
        }
    }
}
