//! How a sensor's raw byte stands for a reading.

use std::sync::Arc;

use ipmi::number::Linearization;
use ipmi::record::{AnalogFormat, Conversion, Factors};

/// More than the lowest count of any format is below zero.
const SHIFT: i16 = 1_024;

/// A conversion with every reading worked out: a look-up when reading, a search when measuring.
#[derive(Clone, Debug)]
pub struct Scale {
    format: AnalogFormat,
    linearization: Linearization,
    factors: Factors,
    conversion: Conversion,
    /// For a linear scale, the reading of count 0 and the counts in a unit: measuring goes through here in each step.
    line: Option<(f64, f64)>,
    /// The raw bytes that have a reading, by rising reading.
    order: Arc<[u8]>,
    /// The reading of each raw byte.
    values: Arc<[f64; 256]>,
}

impl Scale {
    /// Reading = M·raw·10^K2, raw from 0 to 255.
    #[must_use]
    pub fn linear(m: i16, r_exponent: i8) -> Self {
        Self::of(AnalogFormat::Unsigned, m, r_exponent)
    }

    /// The same with the raw byte read in another format.
    #[must_use]
    pub fn of(format: AnalogFormat, m: i16, r_exponent: i8) -> Self {
        let factors = Factors {
            m,
            r_exponent,
            ..Factors::default()
        };
        Self::new(format, Linearization::LINEAR, factors)
    }

    /// Works out all readings.
    #[must_use]
    pub fn new(format: AnalogFormat, linearization: Linearization, factors: Factors) -> Self {
        // A scale without a formula would be a mistake in a profile: fall back to the factors alone.
        let conversion = Conversion::new(format, linearization, &factors)
            .unwrap_or_else(|| Conversion::at_reading(format, &factors));
        let mut values = [0.0; 256];
        for raw in 0..=u8::MAX {
            values[usize::from(raw)] = conversion.value(raw);
        }
        // Ones' complement has two zeros; the positive one is sent.
        let sent = |raw: &u8| format.raw(format.count(*raw)) == *raw;
        let finite = |raw: &u8| values[usize::from(*raw)].is_finite();
        let mut order: Vec<u8> = (0..=u8::MAX).filter(sent).filter(finite).collect();
        order.sort_by(|a, b| values[usize::from(*a)].total_cmp(&values[usize::from(*b)]));
        let zero = conversion.value(format.raw(0));
        let step = conversion.value(format.raw(1)) - zero;
        let line = (conversion.is_linear() && step != 0.0).then(|| (zero, step.recip()));
        let (order, values) = (order.into(), Arc::new(values));
        Self {
            format,
            linearization,
            factors,
            conversion,
            line,
            order,
            values,
        }
    }

    /// How the raw byte counts.
    #[must_use]
    pub const fn format(&self) -> AnalogFormat {
        self.format
    }

    /// The function on top of the factors.
    #[must_use]
    pub const fn linearization(&self) -> Linearization {
        self.linearization
    }

    /// The factors.
    #[must_use]
    pub const fn factors(&self) -> &Factors {
        &self.factors
    }

    /// The formula.
    #[must_use]
    pub const fn conversion(&self) -> &Conversion {
        &self.conversion
    }

    /// The reading of a raw byte.
    #[must_use]
    pub fn value(&self, raw: u8) -> f64 {
        self.values[usize::from(raw)]
    }

    /// The raw byte whose reading is nearest to `value`; the end of the scale where it is beyond.
    #[must_use]
    pub fn quantise(&self, value: f64) -> u8 {
        if let Some((zero, counts_per_unit)) = self.line {
            // Shifted so that it is positive wherever the scale has a count: the cast then rounds down. `floor` and
            // `mul_add` would be function calls on processors that we have to run on.
            let shifted = (value - zero) * counts_per_unit + (0.5 + f64::from(SHIFT));
            // A float cast saturates, and the format clamps further.
            #[expect(clippy::cast_possible_truncation, reason = "saturation is wanted")]
            let count = (shifted as i16).saturating_sub(SHIFT);
            return self.format.raw(count);
        }
        let above = self.order.partition_point(|raw| self.value(*raw) < value);
        let Some(high) = self.order.get(above) else {
            return self.end(true);
        };
        let low = above
            .checked_sub(1)
            .map_or(*high, |below| self.order[below]);
        if value - self.value(low) < self.value(*high) - value {
            low
        } else {
            *high
        }
    }

    /// The raw byte of the largest or smallest reading.
    #[must_use]
    pub fn end(&self, largest: bool) -> u8 {
        let end = if largest {
            self.order.last()
        } else {
            self.order.first()
        };
        end.copied().unwrap_or_default()
    }

    /// The smallest and the largest reading.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        (self.value(self.end(false)), self.value(self.end(true)))
    }

    /// The step between two readings where it is the same everywhere.
    #[must_use]
    pub fn step(&self) -> Option<f64> {
        self.conversion.span(1)
    }

    /// The reading `steps` raw steps from `raw` on, upwards or downwards; the end of the scale where it ends.
    #[must_use]
    pub fn beside(&self, raw: u8, steps: u8, upwards: bool) -> f64 {
        let at = self
            .order
            .iter()
            .position(|r| *r == raw)
            .unwrap_or_default();
        let last = self.order.len().saturating_sub(1);
        let steps = usize::from(steps);
        let to = if upwards {
            (at + steps).min(last)
        } else {
            at.saturating_sub(steps)
        };
        self.order.get(to).map_or(0.0, |raw| self.value(*raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inverse() -> Scale {
        let factors = Factors {
            m: 15,
            r_exponent: -7,
            ..Factors::default()
        };
        Scale::new(AnalogFormat::Unsigned, Linearization::INVERSE, factors)
    }

    #[test]
    fn quantising_a_reading_gives_its_raw_byte_back() {
        let square = Factors {
            m: 9,
            r_exponent: 3,
            ..Factors::default()
        };
        let scales = [
            Scale::linear(6, -2),
            Scale::of(AnalogFormat::TwosComplement, 5, -1),
            Scale::of(AnalogFormat::OnesComplement, 1, 0),
            inverse(),
            Scale::new(AnalogFormat::Unsigned, Linearization::SQUARE_ROOT, square),
        ];
        for scale in scales {
            for raw in scale.order.iter() {
                assert_eq!(scale.quantise(scale.value(*raw)), *raw, "{scale:?}");
            }
            let (low, high) = scale.range();
            assert_eq!(scale.value(scale.quantise(low - 1e4)), low);
            assert_eq!(scale.value(scale.quantise(high + 1e4)), high);
        }
    }

    #[test]
    fn measuring_finds_the_same_raw_byte_as_the_conversion_does() {
        for scale in [
            Scale::linear(6, -2),
            Scale::of(AnalogFormat::TwosComplement, 5, -1),
        ] {
            for tenth in -2_000..3_000 {
                // Off the middle between two steps, where either neighbour is right.
                let value = f64::from(tenth) / 10.0 + 0.013;
                assert_eq!(
                    scale.quantise(value),
                    scale.conversion().raw(value),
                    "{value}"
                );
            }
        }
    }

    #[test]
    fn hysteresis_steps_go_along_the_readings_even_where_raw_bytes_run_backwards() {
        let scale = inverse();
        let slow = scale.quantise(3_000.0);
        assert!(scale.beside(slow, 2, true) > scale.value(slow));
        assert_eq!(scale.beside(slow, 2, true), scale.value(slow - 2));
    }
}
