//! Sensors of played BMCs.

use super::*;

#[test]
fn a_value_is_the_decimal_that_its_factors_mean() {
    assert_eq!(rounded(0.1 + 0.2), 0.3);
    for raw in 0..=255_u8 {
        for (factor, exponent) in [(1, -1), (59, -3), (7, -2), (199, -4), (3, 2)] {
            let binary = f64::from(raw) * f64::from(factor) * 10_f64.powi(exponent);
            let decimal: f64 = format!("{}e{exponent}", i32::from(raw) * factor)
                .parse()
                .unwrap();
            assert_eq!(rounded(binary), decimal, "{raw} x {factor}e{exponent}");
            assert_eq!(rounded(-binary), -decimal);
        }
    }
    assert_eq!(rounded(1e300), 1e300, "left as it is");
}

#[test]
fn a_line_has_ipmitools_columns() {
    let read = Read {
        name: "CPU1 Temp".to_owned(),
        value: Some(45.0),
        unit: Some("degrees C".to_owned()),
        status: status(ThresholdSet::NONE).to_owned(),
        states: None,
        state_names: Vec::new(),
        absence: None,
        thresholds: [None, Some(0.0), None, Some(85.0), Some(90.5), None],
    };
    assert_eq!(
        read.line(),
        "CPU1 Temp        | 45.000     | degrees C  | ok    | na        | 0.000     | na        \
         | 85.000    | 90.500    | na"
    );
    assert_eq!(
        read.json()["thresholds"],
        json!({
            "lower_critical": 0.0, "upper_non_critical": 85.0, "upper_critical": 90.5
        })
    );
}

#[test]
fn whatever_a_sensor_is_called_its_line_has_ten_columns() {
    let read = |name: &str, unit: Option<&str>, status: &str| Read {
        name: name.to_owned(),
        value: unit.map(|_| 1.0),
        unit: unit.map(str::to_owned),
        status: status.to_owned(),
        states: unit.is_none().then_some(3),
        state_names: vec!["Presence detected"],
        absence: None,
        thresholds: [None; 6],
    };
    let long = ["Presence detected"; 15].join(", ");
    for read in [
        read("PSU1 | Input", Some("Volts"), "ok"),
        read("PSU1\nStatus", None, &long),
        read("||||", Some("a|b"), "-"),
    ] {
        let line = read.line();
        assert_eq!(
            (line.split(" | ").count(), line.lines().count()),
            (10, 1),
            "{line}"
        );
        assert_eq!(read.json()["name"], read.name);
    }
}

#[test]
fn the_worst_threshold_names_the_status() {
    let crossed = ThresholdSet::UPPER_NON_CRITICAL | ThresholdSet::UPPER_CRITICAL;
    assert_eq!(status(crossed), "cr");
    assert_eq!(status(ThresholdSet::LOWER_NON_CRITICAL), "nc");
    assert_eq!(status(ThresholdSet::ALL), "nr");
}
