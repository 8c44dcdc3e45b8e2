//! Readings as numbers that people can read.

use hardware::Sensor;

use crate::unit::Conversion;

/// The most digits after the point that a sensor's step is searched for.
const MAX_DECIMALS: usize = 6;
/// Significant digits of a reading whose sensor does not tell its resolution.
const DEFAULT_DIGITS: usize = 6;
/// Digits after the point of the smallest numbers.
const MAX_DIGITS_AFTER_POINT: usize = 12;

/// How the values of one sensor are written: its unit, and how many digits. Made once a sensor, used for its reading
/// and all its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    conversion: Conversion,
    /// Digits after the point; `None`: as many as each value needs.
    decimals: Option<usize>,
}

impl Scale {
    pub(crate) fn of(sensor: &Sensor) -> Self {
        let conversion = Conversion::of(sensor);
        let step = sensor.resolution.map(|step| step * conversion.factor);
        let step = step.filter(|step| step.is_finite() && *step > 0.0);
        Self {
            conversion,
            decimals: step.map(decimals_of_step),
        }
    }

    /// `value` in the unit that Redfish has for it, rounded to what the sensor can tell apart: 12.1 and not
    /// 12.100000000000001.
    pub(crate) fn value(&self, value: f64) -> f64 {
        let value = self.conversion.apply(value);
        to_decimals(
            value,
            self.decimals.unwrap_or_else(|| decimals_of_value(value)),
        )
    }
}

/// `value` of a sensor with this step (its resolution), in the sensor's own unit: rounded to what the sensor can tell apart, as
/// Redfish shows it. 12.1 and not 12.100000000000001.
#[must_use]
pub fn rounded(value: f64, step: f64) -> f64 {
    match step.is_finite() && step > 0.0 {
        true => to_decimals(value, decimals_of_step(step)),
        false => value,
    }
}

/// 10⁰ to 10¹².
const POWERS: [f64; MAX_DIGITS_AFTER_POINT + 1] = [
    1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
];

/// `value` with at most this many digits after the point.
fn to_decimals(value: f64, decimals: usize) -> f64 {
    let scale = POWERS[decimals.min(MAX_DIGITS_AFTER_POINT)];
    let rounded = (value * scale).round() / scale;
    if !rounded.is_finite() {
        return value;
    }
    // Minus zero would print as "-0.0".
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// How many digits after the point write multiples of `step` exactly; for a step that no decimal hits, one more
/// than its first significant digit.
fn decimals_of_step(step: f64) -> usize {
    let is_whole = |scaled: f64| {
        let whole = scaled.round();
        whole >= 1.0 && ((scaled - whole) / whole).abs() < 1e-9
    };
    POWERS[..=MAX_DECIMALS]
        .iter()
        .position(|scale| is_whole(step * scale))
        .unwrap_or_else(|| decimals_for_digits(step, 2))
}

fn decimals_of_value(value: f64) -> usize {
    if value.fract() == 0.0 && value.abs() < POWERS[DEFAULT_DIGITS] {
        return 0;
    }
    decimals_for_digits(value, DEFAULT_DIGITS)
}

/// Digits after the point that leave `digits` significant ones: less for large numbers, more for small ones.
fn decimals_for_digits(value: f64, digits: usize) -> usize {
    let limit = POWERS[digits - 1];
    let magnitude = value.abs();
    POWERS
        .iter()
        .position(|scale| magnitude * scale >= limit)
        .unwrap_or(MAX_DIGITS_AFTER_POINT)
}

/// A number for a property that holds whole numbers only. Beyond the range of `i64`: its nearest end.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from f64 to i64 saturates, which is what is wanted"
)]
pub(crate) const fn whole(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_as_many_digits_as_its_step() {
        assert_eq!(
            to_decimals(12.100_000_000_000_001, decimals_of_step(0.1)),
            12.1
        );
        assert_eq!(to_decimals(58.0 * 0.058, decimals_of_step(0.058)), 3.364);
        assert_eq!(to_decimals(7_499.999_999, decimals_of_step(75.0)), 7500.0);
        assert_eq!(decimals_of_step(1.0 / 3.0), 2);
        assert_eq!(decimals_of_step(0.5), 1);
    }

    #[test]
    fn a_value_without_a_step_has_six_significant_digits() {
        assert_eq!(
            to_decimals(1.0 / 3.0, decimals_of_value(1.0 / 3.0)),
            0.333_333
        );
        assert_eq!(
            to_decimals(123_456.789, decimals_of_value(123_456.789)),
            123_457.0
        );
        assert_eq!(to_decimals(-0.0, 3).to_bits(), 0.0_f64.to_bits());
    }
}
