//! Messages of the Telemetry registry: what triggers find. `metric` is the URI of the metric property, `trigger` the
//! trigger's `Id`.

use super::{Message, messages};

messages! {
    "Telemetry", "1.0", "0", "Telemetry Message Registry";

    /// A discrete metric has changed, or has become a value that its trigger waits for.
    trigger_discrete_condition_met(metric, value, trigger): "TriggerDiscreteConditionMet", Ok,
        "Metric '%1' has the value '%2', which meets the discrete condition of trigger '%3'",
        "Check the condition of the metric that reported the trigger.";

    /// The metric has come back over the lower critical threshold, and isn't normal yet.
    trigger_numeric_above_lower_critical(metric, value as number, threshold as number, trigger): "TriggerNumericAboveLowerCritical", Warning,
        "Metric '%1' value of %2 is now above the %3 lower critical threshold of trigger '%4' but remains outside of normal range",
        "Check the condition of the metric that reported the trigger.";

    /// The metric has gone above the upper critical threshold.
    trigger_numeric_above_upper_critical(metric, value as number, threshold as number, trigger): "TriggerNumericAboveUpperCritical", Critical,
        "Metric '%1' value of %2 is above the %3 upper critical threshold of trigger '%4'",
        "Check the condition of the metric that reported the trigger.";

    /// The metric has gone above the upper warning threshold.
    trigger_numeric_above_upper_warning(metric, value as number, threshold as number, trigger): "TriggerNumericAboveUpperWarning", Warning,
        "Metric '%1' value of %2 is above the %3 upper warning threshold of trigger '%4'",
        "Check the condition of the metric that reported the trigger.";

    /// The metric has gone below the lower critical threshold.
    trigger_numeric_below_lower_critical(metric, value as number, threshold as number, trigger): "TriggerNumericBelowLowerCritical", Critical,
        "Metric '%1' value of %2 is below the %3 lower critical threshold of trigger '%4'",
        "Check the condition of the metric that reported the trigger.";

    /// The metric has gone below the lower warning threshold.
    trigger_numeric_below_lower_warning(metric, value as number, threshold as number, trigger): "TriggerNumericBelowLowerWarning", Warning,
        "Metric '%1' value of %2 is below the %3 lower warning threshold of trigger '%4'",
        "Check the condition of the metric that reported the trigger.";

    /// The metric has come back under the upper critical threshold, and isn't normal yet.
    trigger_numeric_below_upper_critical(metric, value as number, threshold as number, trigger): "TriggerNumericBelowUpperCritical", Warning,
        "Metric '%1' value of %2 is now below the %3 upper critical threshold of trigger '%4' but remains outside of normal range",
        "Check the condition of the metric that reported the trigger.";

    /// The metric is normal again.
    trigger_numeric_reading_normal(metric, value as number, trigger): "TriggerNumericReadingNormal", Ok,
        "Metric '%1' value of %2 is within normal operating range of trigger '%3'",
        "None.";
}
