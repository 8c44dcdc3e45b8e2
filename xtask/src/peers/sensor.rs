//! A sensor as a program prints it, in one form for all programs, and the comparison of two of them.

/// What one program says about one sensor.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sensor {
    /// Its name, trimmed.
    pub(crate) name: String,
    /// The value; `None` = no reading, or a discrete sensor.
    pub(crate) value: Option<f64>,
    /// The unit in UCUM notation, as Redfish has it; empty = none.
    pub(crate) unit: String,
    /// Lower fatal, critical, caution, then upper caution, critical, fatal.
    pub(crate) thresholds: [Option<f64>; 6],
    /// What holds of a discrete sensor, in the program's words; `None` where it doesn't say.
    pub(crate) states: Option<Vec<String>>,
}

/// The names of [`Sensor::thresholds`], in order.
pub(crate) const THRESHOLDS: [&str; 6] = [
    "LowerFatal",
    "LowerCritical",
    "LowerCaution",
    "UpperCaution",
    "UpperCritical",
    "UpperFatal",
];

/// Units as ipmitool and FreeIPMI print them, and as UCUM writes them.
const UNITS: [(&str, &str); 21] = [
    ("degrees C", "Cel"),
    ("C", "Cel"),
    ("degrees F", "[degF]"),
    ("F", "[degF]"),
    ("Volts", "V"),
    ("V", "V"),
    ("Amps", "A"),
    ("A", "A"),
    ("Watts", "W"),
    ("W", "W"),
    ("RPM", "{rev}/min"),
    ("percent", "%"),
    ("%", "%"),
    ("CFM", "[cft_i]/min"),
    ("Hz", "Hz"),
    ("Decibels", "dB"),
    ("dB", "dB"),
    ("unspecified", ""),
    ("discrete", ""),
    ("N/A", ""),
    ("", ""),
];

/// A unit in UCUM notation. A word that the table doesn't have stays as it is and will differ visibly.
pub(crate) fn ucum(printed: &str) -> String {
    let known = UNITS.iter().find(|(word, _)| *word == printed);
    known.map_or(printed, |(_, ucum)| ucum).to_owned()
}

/// Units that Redfish demands instead of IPMI's, and how many of the first are one of the second. Redfish knows air
/// flow in cubic metres a minute only; a cubic foot is 0.3048³ of them.
const CONVERSIONS: [(&str, &str, f64); 1] = [("[cft_i]/min", "m3/min", 0.028_316_846_592)];

/// Every way in which `ours` differs from what `program` prints with `decimals` digits.
pub(crate) fn differences(
    ours: &Sensor,
    theirs: &Sensor,
    program: &str,
    decimals: i32,
) -> Vec<String> {
    let conversion = CONVERSIONS
        .iter()
        .find(|(from, to, _)| *from == theirs.unit && *to == ours.unit);
    let factor = conversion.map_or(1.0, |(.., factor)| *factor);
    let theirs = &Sensor {
        value: theirs.value.map(|value| value * factor),
        thresholds: theirs
            .thresholds
            .map(|limit| limit.map(|value| value * factor)),
        unit: conversion.map_or_else(|| theirs.unit.clone(), |(_, to, _)| (*to).to_owned()),
        ..theirs.clone()
    };
    // Half of the last digit printed, and a little for binary fractions.
    let tolerance = 0.5 * 10_f64.powi(-decimals) * factor + 1e-9;
    let equal = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance.max(b.abs() * 1e-9),
        (None, None) => true,
        _ => false,
    };
    let show =
        |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
    let mut out = Vec::new();
    let mut differ = |what: &str, ours_text: String, theirs_text: String| {
        out.push(format!(
            "{}: {what}: ours {ours_text}, {program} {theirs_text}",
            ours.name
        ));
    };
    if !equal(ours.value, theirs.value) {
        differ("value", show(ours.value), show(theirs.value));
    }
    // Without a value ipmitool prints no unit.
    if theirs.value.is_some() && ours.unit != theirs.unit {
        differ(
            "unit",
            format!("{:?}", ours.unit),
            format!("{:?}", theirs.unit),
        );
    }
    for ((name, a), b) in THRESHOLDS
        .iter()
        .zip(ours.thresholds)
        .zip(theirs.thresholds)
    {
        if !equal(a, b) {
            differ(name, show(a), show(b));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_differs_only_beyond_what_is_printed() {
        let ours = Sensor {
            name: "a".into(),
            value: Some(11.977),
            unit: "V".into(),
            ..Sensor::default()
        };
        let theirs = Sensor {
            value: Some(11.98),
            ..ours.clone()
        };
        assert_eq!(differences(&ours, &theirs, "ipmi-sensors", 2), [""; 0]);
        assert_eq!(differences(&ours, &theirs, "ipmitool", 3).len(), 1);
    }

    #[test]
    fn an_air_flow_in_cubic_feet_equals_one_in_cubic_metres() {
        let ours = Sensor {
            value: Some(2.099),
            unit: "m3/min".into(),
            ..Sensor::default()
        };
        let theirs = Sensor {
            value: Some(74.088),
            unit: ucum("CFM"),
            ..Sensor::default()
        };
        assert_eq!(
            differences(&ours, &theirs, "ipmi-sensors", 2).len(),
            1,
            "not to the digit"
        );
        let ours = Sensor {
            value: Some(2.097_938),
            ..ours
        };
        assert_eq!(differences(&ours, &theirs, "ipmi-sensors", 2), [""; 0]);
    }

    #[test]
    fn a_missing_threshold_and_another_unit_differ() {
        let ours = Sensor {
            name: "a".into(),
            value: Some(1.0),
            unit: "V".into(),
            ..Sensor::default()
        };
        let mut theirs = Sensor {
            unit: "A".into(),
            ..ours.clone()
        };
        theirs.thresholds[4] = Some(0.0);
        let found = differences(&ours, &theirs, "ipmitool", 3);
        assert_eq!(found.len(), 2);
        assert!(
            found[1].contains("UpperCritical: ours none, ipmitool 0"),
            "{found:?}"
        );
    }
}
