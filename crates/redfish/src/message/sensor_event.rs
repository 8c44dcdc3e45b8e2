//! Messages of the SensorEvent registry: how readings stand to their thresholds. Readings and thresholds are numbers,
//! written as the resource shows them; units are those of `ReadingUnits`.

use super::{Message, messages};

messages! {
    "SensorEvent", "1.0", "1", "Sensor Event Message Registry";

    /// What the sensor says is no reading.
    invalid_sensor_reading(sensor): "InvalidSensorReading", Warning,
        "Invalid reading received from sensor '%1'.",
        "Check the sensor hardware or connection.";

    /// The reading has come back over the lower critical threshold, and isn't normal yet.
    reading_above_lower_critical_threshold(sensor, reading as number, units, threshold as number): "ReadingAboveLowerCriticalThreshold", Warning,
        "Sensor '%1' reading of %2 (%3) is now above the %4 lower critical threshold but remains outside of normal range.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The reading has come back over the lower fatal threshold, and isn't normal yet.
    reading_above_lower_fatal_threshold(sensor, reading as number, units, threshold as number): "ReadingAboveLowerFatalThreshold", Critical,
        "Sensor '%1' reading of %2 (%3) is now above the %4 lower fatal threshold but remains outside of normal range.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The reading has gone above the upper caution threshold.
    reading_above_upper_caution_threshold(sensor, reading as number, units, threshold as number): "ReadingAboveUpperCautionThreshold", Warning,
        "Sensor '%1' reading of %2 (%3) is above the %4 upper caution threshold.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The reading has gone above the upper critical threshold.
    reading_above_upper_critical_threshold(sensor, reading as number, units, threshold as number): "ReadingAboveUpperCriticalThreshold", Critical,
        "Sensor '%1' reading of %2 (%3) is above the %4 upper critical threshold.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The reading has gone above the upper fatal threshold.
    reading_above_upper_fatal_threshold(sensor, reading as number, units, threshold as number): "ReadingAboveUpperFatalThreshold", Critical,
        "Sensor '%1' reading of %2 (%3) is above the %4 upper fatal threshold.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The reading has gone below the lower caution threshold.
    reading_below_lower_caution_threshold(sensor, reading as number, units, threshold as number): "ReadingBelowLowerCautionThreshold", Warning,
        "Sensor '%1' reading of %2 (%3) is below the %4 lower caution threshold.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The reading has gone below the lower critical threshold.
    reading_below_lower_critical_threshold(sensor, reading as number, units, threshold as number): "ReadingBelowLowerCriticalThreshold", Critical,
        "Sensor '%1' reading of %2 (%3) is below the %4 lower critical threshold.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The reading has gone below the lower fatal threshold.
    reading_below_lower_fatal_threshold(sensor, reading as number, units, threshold as number): "ReadingBelowLowerFatalThreshold", Critical,
        "Sensor '%1' reading of %2 (%3) is below the %4 lower fatal threshold.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The reading has come back under the upper critical threshold, and isn't normal yet.
    reading_below_upper_critical_threshold(sensor, reading as number, units, threshold as number): "ReadingBelowUpperCriticalThreshold", Warning,
        "Sensor '%1' reading of %2 (%3) is now below the %4 upper critical threshold but remains outside of normal range.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The reading has come back under the upper fatal threshold, and isn't normal yet.
    reading_below_upper_fatal_threshold(sensor, reading as number, units, threshold as number): "ReadingBelowUpperFatalThreshold", Critical,
        "Sensor '%1' reading of %2 (%3) is now below the %4 upper fatal threshold but remains outside of normal range.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The sensor itself calls its reading critical; it has no threshold that says so.
    reading_critical(sensor, reading as number, units): "ReadingCritical", Critical,
        "Sensor '%1' reading of %2 (%3) exceeds the critical level.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The sensor itself calls its reading critical no more, and not normal yet.
    reading_no_longer_critical(sensor, reading as number, units): "ReadingNoLongerCritical", Warning,
        "Sensor '%1' reading of %2 (%3) no longer exceeds the critical level.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The sensor itself calls its reading worth a warning; it has no threshold that says so.
    reading_warning(sensor, reading as number, units): "ReadingWarning", Warning,
        "Sensor '%1' reading of %2 (%3) exceeds the warning level.",
        "Check the condition of the resources listed in RelatedItem.";

    /// The sensor can't be read.
    sensor_failure(sensor): "SensorFailure", Warning,
        "Sensor '%1' has failed.",
        "Check the sensor hardware or connection.";

    /// The reading is normal again.
    sensor_reading_normal_range(sensor, reading as number, units): "SensorReadingNormalRange", Ok,
        "Sensor '%1' reading of %2 (%3) is within normal operating range.",
        "None.";

    /// The sensor can be read again.
    sensor_restored(sensor): "SensorRestored", Ok,
        "Sensor '%1' was restored.",
        "None.";
}
