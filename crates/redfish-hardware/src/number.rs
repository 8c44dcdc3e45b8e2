//! Readings as numbers that people can read.

use hardware::Sensor;

use crate::unit::Conversion;

/// The most digits after the point that a reading is given.
const MAX_DECIMALS: i32 = 6;
/// Significant digits of a reading whose sensor does not tell its resolution.
const DEFAULT_DIGITS: i32 = 6;

/// `value` of `sensor` in another unit, rounded to what the sensor can tell apart: 12.1 and not
/// 12.100000000000001.
pub(crate) fn rounded(sensor: &Sensor, value: f64, conversion: &Conversion) -> f64 {
    let value = conversion.apply(value);
    let decimals = match sensor.resolution.map(|step| step * conversion.factor) {
        Some(step) if step.is_finite() && step > 0.0 => decimals_of_step(step),
        _ => decimals_of_value(value),
    };
    to_decimals(value, decimals)
}

/// `value` with at most this many digits after the point.
pub(crate) fn to_decimals(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    let rounded = (value * scale).round() / scale;
    if !rounded.is_finite() {
        return value;
    }
    // Minus zero would print as "-0.0".
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// How many digits after the point write multiples of `step` exactly; for a step that no decimal hits, one more
/// than its first significant digit.
fn decimals_of_step(step: f64) -> i32 {
    for decimals in 0..=MAX_DECIMALS {
        let scaled = step * 10_f64.powi(decimals);
        let whole = scaled.round();
        if whole >= 1.0 && ((scaled - whole) / whole).abs() < 1e-9 {
            return decimals;
        }
    }
    decimals_for_digits(step, 2)
}

fn decimals_of_value(value: f64) -> i32 {
    decimals_for_digits(value, DEFAULT_DIGITS)
}

/// Digits after the point that leave `digits` significant ones.
fn decimals_for_digits(value: f64, digits: i32) -> i32 {
    if value == 0.0 {
        return 0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the logarithm of a finite f64 is within ±324"
    )]
    let magnitude = value.abs().log10().floor() as i32;
    (digits - 1 - magnitude).clamp(0, 12)
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
