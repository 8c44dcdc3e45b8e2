//! Raw counts ⇄ readings (§36.3, §36.4, §43.1).

use crate::number::Linearization;

/// Powers of ten that a 4-bit exponent can name, from -8 to 7.
const POWERS_OF_TEN: [f64; 16] = [
    1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
];

const fn power_of_ten(exponent: i8) -> f64 {
    POWERS_OF_TEN[((exponent & 0x0f) ^ 0x08) as usize]
}

/// How the raw byte counts: 2 bits of the units byte (§43.1, table 43-1, byte 21).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AnalogFormat {
    /// 0 to 255.
    #[default]
    Unsigned,
    /// -127 to 127; FFh is 0 as well.
    OnesComplement,
    /// -128 to 127.
    TwosComplement,
    /// The sensor has no analog reading.
    None,
}

impl AnalogFormat {
    /// From the low 2 bits.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0x03 {
            0 => Self::Unsigned,
            1 => Self::OnesComplement,
            2 => Self::TwosComplement,
            _ => Self::None,
        }
    }

    /// As 2 bits.
    #[must_use]
    pub const fn to_bits(self) -> u8 {
        self as u8
    }

    /// The number that a raw byte stands for, before any factor.
    #[must_use]
    pub const fn count(self, raw: u8) -> i16 {
        match self {
            Self::OnesComplement if raw & 0x80 != 0 => -((!raw) as i16),
            Self::Unsigned | Self::OnesComplement | Self::None => raw as i16,
            Self::TwosComplement => raw.cast_signed() as i16,
        }
    }

    /// The raw byte of a number; the nearest that there is where it is out of range.
    #[must_use]
    pub fn raw(self, count: i16) -> u8 {
        let [raw, _] = match self {
            Self::Unsigned | Self::None => count.clamp(0, 255).to_le_bytes(),
            Self::OnesComplement if count < 0 => (!-count.max(-127)).to_le_bytes(),
            Self::OnesComplement => count.min(127).to_le_bytes(),
            Self::TwosComplement => count.clamp(-128, 127).to_le_bytes(),
        };
        raw
    }
}

/// The factors of the conversion formula, as in a full sensor record and in Get Sensor Reading Factors
/// (§35.5, table 35-5; §43.1, table 43-1, bytes 25-30).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Factors {
    /// M: slope, 10 bits signed, -512 to 511.
    pub m: i16,
    /// B: offset, 10 bits signed.
    pub b: i16,
    /// K1: power of ten on B, 4 bits signed, -8 to 7.
    pub b_exponent: i8,
    /// K2: power of ten on the result, 4 bits signed.
    pub r_exponent: i8,
    /// Tolerance in half raw counts, plus or minus, 6 bits.
    pub tolerance: u8,
    /// Accuracy in hundredths of a percent before its exponent, 10 bits.
    pub accuracy: u16,
    /// Power of ten on the accuracy, 2 bits.
    pub accuracy_exponent: u8,
}

/// Sign-extends the low 10 bits.
const fn signed_10(bits: u16) -> i16 {
    (bits << 6).cast_signed() >> 6
}

/// Sign-extends the low 4 bits.
const fn signed_4(bits: u8) -> i8 {
    (bits << 4).cast_signed() >> 4
}

impl Factors {
    /// Reads the six bytes; the low 2 bits of the fifth (the sensor direction of a record) are not part of it.
    #[must_use]
    pub const fn from_bytes([m, m_tolerance, b, b_accuracy, accuracy, exponents]: [u8; 6]) -> Self {
        Self {
            m: signed_10((m_tolerance as u16 >> 6) << 8 | m as u16),
            b: signed_10((b_accuracy as u16 >> 6) << 8 | b as u16),
            b_exponent: signed_4(exponents),
            r_exponent: signed_4(exponents >> 4),
            tolerance: m_tolerance & 0x3f,
            accuracy: (accuracy as u16 >> 4) << 6 | b_accuracy as u16 & 0x3f,
            accuracy_exponent: accuracy >> 2 & 0x03,
        }
    }

    /// The six bytes, with 0 in the low 2 bits of the fifth.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 6] {
        let [m, m_high] = self.m.to_le_bytes();
        let [b, b_high] = self.b.to_le_bytes();
        let [accuracy_low, _] = (self.accuracy & 0x3f).to_le_bytes();
        let [accuracy_high, _] = (self.accuracy >> 6 & 0x0f).to_le_bytes();
        [
            m,
            m_high << 6 | self.tolerance & 0x3f,
            b,
            b_high << 6 | accuracy_low,
            accuracy_high << 4 | (self.accuracy_exponent & 0x03) << 2,
            self.r_exponent.cast_unsigned() << 4 | self.b_exponent.cast_unsigned() & 0x0f,
        ]
    }

    /// Accuracy in percent, plus or minus: accuracy × 10^exponent / 100 (§36.4).
    #[must_use]
    pub fn accuracy_percent(&self) -> f64 {
        let exponent = self.accuracy_exponent.cast_signed() & 0x03;
        f64::from(self.accuracy) * power_of_ten(exponent) / 100.0
    }
}

/// Turns raw counts into readings and back: y = L((M·x + B·10^K1)·10^K2) (§36.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conversion {
    m: f64,
    /// B·10^K1.
    offset: f64,
    /// 10^K2.
    scale: f64,
    format: AnalogFormat,
    linearization: Linearization,
}

impl Conversion {
    /// For a sensor whose record holds its factors.
    ///
    /// `None` for a sensor without an analog reading, and for a non-linear one, whose factors depend on the reading:
    /// ask Get Sensor Reading Factors and use [`Conversion::at_reading`].
    #[must_use]
    pub fn new(
        format: AnalogFormat,
        linearization: Linearization,
        factors: &Factors,
    ) -> Option<Self> {
        let linearization = Linearization(linearization.0 & 0x7f);
        if format == AnalogFormat::None || linearization.name().is_none() {
            return None;
        }
        if linearization.is_non_linear() {
            return None;
        }
        Some(Self::with(format, linearization, factors))
    }

    /// For a non-linear sensor near one raw reading, with the factors that Get Sensor Reading Factors gave for it.
    #[must_use]
    pub fn at_reading(format: AnalogFormat, factors: &Factors) -> Self {
        Self::with(format, Linearization::LINEAR, factors)
    }

    fn with(format: AnalogFormat, linearization: Linearization, factors: &Factors) -> Self {
        Self {
            m: factors.m.into(),
            offset: f64::from(factors.b) * power_of_ten(factors.b_exponent),
            scale: power_of_ten(factors.r_exponent),
            format,
            linearization,
        }
    }

    /// Whether the reading grows evenly with the raw count.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        self.linearization == Linearization::LINEAR
    }

    /// The reading of a raw byte, in the sensor's unit.
    ///
    /// Not finite where the function has no value: the logarithm of 0, the inverse of 0.
    #[must_use]
    pub fn value(&self, raw: u8) -> f64 {
        let count = f64::from(self.format.count(raw));
        let x = (self.m * count + self.offset) * self.scale;
        linearize(self.linearization, x)
    }

    /// The raw byte whose reading is nearest to `value`: for thresholds, and for a BMC that reports `value`.
    ///
    /// Of two counts that are equally near, a linear sensor takes the one farther from 0, any other the lower one; plateaus go
    /// to the lowest count. A value that is not a number gives the byte of count 0.
    #[must_use]
    pub fn raw(&self, value: f64) -> u8 {
        if value.is_nan() {
            return 0;
        }
        if self.is_linear() && self.m != 0.0 {
            let count = libm::round((value / self.scale - self.offset) / self.m);
            // A float cast saturates, and the format clamps further.
            #[expect(clippy::cast_possible_truncation, reason = "saturation is wanted")]
            return self.format.raw(count as i16);
        }
        self.nearest(value)
    }

    /// Looks at every raw byte: right for every function, monotone or not.
    fn nearest(&self, value: f64) -> u8 {
        let mut best = (f64::INFINITY, self.format.raw(0));
        let (low, high) = match self.format {
            AnalogFormat::Unsigned | AnalogFormat::None => (0, 255),
            AnalogFormat::OnesComplement => (-127, 127),
            AnalogFormat::TwosComplement => (-128, 127),
        };
        for count in low..=high {
            let raw = self.format.raw(count);
            let reading = self.value(raw);
            // Equal infinities are no distance apart; their difference is not a number.
            let distance = if reading == value {
                0.0
            } else {
                libm::fabs(reading - value)
            };
            if distance < best.0 {
                best = (distance, raw);
            }
        }
        best.1
    }

    /// What so many raw counts span, in the sensor's unit: hysteresis. `None` where it depends on the reading.
    #[must_use]
    pub fn span(&self, counts: u8) -> Option<f64> {
        self.is_linear()
            .then(|| libm::fabs(self.m * f64::from(counts) * self.scale))
    }

    /// Tolerance in the sensor's unit, plus or minus, from half raw counts ([`Factors::tolerance`]).
    /// `None` where it depends on the reading.
    #[must_use]
    pub fn tolerance(&self, half_counts: u8) -> Option<f64> {
        self.span(half_counts).map(|span| span / 2.0)
    }
}

fn linearize(linearization: Linearization, x: f64) -> f64 {
    match linearization {
        Linearization::LN => libm::log(x),
        Linearization::LOG10 => libm::log10(x),
        Linearization::LOG2 => libm::log2(x),
        Linearization::EXP => libm::exp(x),
        Linearization::EXP10 => libm::exp10(x),
        Linearization::EXP2 => libm::exp2(x),
        Linearization::INVERSE => 1.0 / x,
        Linearization::SQUARE => x * x,
        Linearization::CUBE => x * x * x,
        Linearization::SQUARE_ROOT => libm::sqrt(x),
        Linearization::CUBE_ROOT => libm::cbrt(x),
        _ => x,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check::Arbitrary;

    const FORMATS: [AnalogFormat; 3] = [
        AnalogFormat::Unsigned,
        AnalogFormat::OnesComplement,
        AnalogFormat::TwosComplement,
    ];

    fn conversion(linearization: Linearization, factors: Factors) -> Conversion {
        Conversion::new(AnalogFormat::Unsigned, linearization, &factors).unwrap()
    }

    fn close(actual: f64, expected: f64) {
        let scale = expected.abs().max(1.0);
        assert!(
            (actual - expected).abs() < 1e-9 * scale,
            "{actual} is not {expected}"
        );
    }

    #[test]
    fn every_byte_of_the_factors_round_trips_but_the_direction() {
        for mut bytes in Arbitrary::new(2_000).filter_map(|b| b.first_chunk::<6>().copied()) {
            bytes[4] &= 0xfc;
            assert_eq!(Factors::from_bytes(bytes).to_bytes(), bytes);
        }
    }

    #[test]
    fn factors_are_ten_bit_and_four_bit_signed_numbers() {
        let factors = Factors::from_bytes([0xff, 0xc5, 0x00, 0xaa, 0x78, 0x9e]);
        let expected = Factors {
            m: -1,
            b: -512,
            b_exponent: -2,
            r_exponent: -7,
            tolerance: 5,
            accuracy: 0x1ea,
            accuracy_exponent: 2,
        };
        assert_eq!(factors, expected);
        close(factors.accuracy_percent(), 490.0);
    }

    #[test]
    fn a_12_volt_sensor_reads_what_ipmitool_prints() {
        // M 63, B 0, R -3: raw 190 is 11.970 V.
        let volts = conversion(
            Linearization::LINEAR,
            Factors {
                m: 63,
                r_exponent: -3,
                ..Factors::default()
            },
        );
        close(volts.value(190), 11.97);
        assert_eq!(volts.raw(11.97), 190);
        assert_eq!(volts.raw(100.0), 255);
        assert_eq!(volts.raw(-1.0), 0);
        close(volts.span(2).unwrap(), 0.126);
        close(volts.tolerance(1).unwrap(), 0.0315);
    }

    #[test]
    fn offset_and_exponents_apply_in_the_order_of_the_formula() {
        // (4·10 + (-5)·10^2)·10^-1 = -46.
        let factors = Factors {
            m: 4,
            b: -5,
            b_exponent: 2,
            r_exponent: -1,
            ..Factors::default()
        };
        close(conversion(Linearization::LINEAR, factors).value(10), -46.0);
    }

    #[test]
    fn every_linearization_matches_a_value_worked_out_by_hand() {
        let one = Factors {
            m: 1,
            ..Factors::default()
        };
        for (linearization, raw, expected) in [
            (Linearization::LINEAR, 100, 100.0),
            (Linearization::LN, 20, 2.995_732_273_553_991),
            (Linearization::LOG10, 100, 2.0),
            (Linearization::LOG2, 128, 7.0),
            (Linearization::EXP, 2, 7.389_056_098_930_65),
            (Linearization::EXP10, 3, 1000.0),
            (Linearization::EXP2, 10, 1024.0),
            (Linearization::INVERSE, 8, 0.125),
            (Linearization::SQUARE, 12, 144.0),
            (Linearization::CUBE, 5, 125.0),
            (Linearization::SQUARE_ROOT, 144, 12.0),
            (Linearization::CUBE_ROOT, 125, 5.0),
        ] {
            close(conversion(linearization, one).value(raw), expected);
        }
    }

    #[test]
    fn a_function_without_a_value_gives_no_finite_reading() {
        let one = Factors {
            m: 1,
            ..Factors::default()
        };
        assert!(!conversion(Linearization::LN, one).value(0).is_finite());
        assert!(!conversion(Linearization::INVERSE, one).value(0).is_finite());
        assert_eq!(
            conversion(Linearization::INVERSE, one).raw(f64::INFINITY),
            0
        );
        assert_eq!(conversion(Linearization::LINEAR, one).raw(f64::NAN), 0);
        assert_eq!(conversion(Linearization::SQUARE, one).raw(f64::NAN), 0);
    }

    #[test]
    fn the_raw_byte_of_a_reading_is_the_byte_it_came_from() {
        let factors = [
            Factors {
                m: 1,
                ..Factors::default()
            },
            Factors {
                m: -3,
                b: 7,
                b_exponent: 1,
                r_exponent: -2,
                ..Factors::default()
            },
            Factors {
                m: 511,
                b: -512,
                b_exponent: 7,
                r_exponent: 7,
                ..Factors::default()
            },
            Factors {
                m: 2,
                b: 1,
                r_exponent: -8,
                ..Factors::default()
            },
        ];
        for (factors, format) in factors
            .iter()
            .flat_map(|f| FORMATS.map(|format| (f, format)))
        {
            let linear = Conversion::new(format, Linearization::LINEAR, factors).unwrap();
            for raw in 0..=255 {
                let expected = format.raw(format.count(raw));
                assert_eq!(
                    linear.raw(linear.value(raw)),
                    expected,
                    "{factors:?} {format:?}"
                );
                assert_eq!(linear.nearest(linear.value(raw)), expected);
            }
        }
        // Scaled so that neighbouring readings stay apart in a double.
        let small = Factors {
            m: 1,
            b: 1,
            r_exponent: -2,
            ..Factors::default()
        };
        for linearization in Linearization::NAMED.iter().filter(|l| !l.is_non_linear()) {
            let unsigned = conversion(*linearization, small);
            for raw in 0..=255 {
                assert_eq!(unsigned.raw(unsigned.value(raw)), raw, "{linearization}");
            }
        }
    }

    #[test]
    fn signed_formats_count_as_the_specification_says() {
        for (format, raw, count) in [
            (AnalogFormat::Unsigned, 0xff, 255),
            (AnalogFormat::OnesComplement, 0xff, 0),
            (AnalogFormat::OnesComplement, 0xfe, -1),
            (AnalogFormat::OnesComplement, 0x80, -127),
            (AnalogFormat::OnesComplement, 0x7f, 127),
            (AnalogFormat::TwosComplement, 0xff, -1),
            (AnalogFormat::TwosComplement, 0x80, -128),
        ] {
            assert_eq!(format.count(raw), count, "{format:?} {raw:#x}");
        }
        assert_eq!(AnalogFormat::TwosComplement.raw(-1000), 0x80);
        assert_eq!(AnalogFormat::OnesComplement.raw(-1000), 0x80);
        assert_eq!(AnalogFormat::OnesComplement.raw(-1), 0xfe);
        for bits in 0..4 {
            assert_eq!(AnalogFormat::from_bits(bits).to_bits(), bits);
        }
    }

    #[test]
    fn a_sensor_without_fixed_factors_has_no_conversion() {
        let one = Factors {
            m: 1,
            ..Factors::default()
        };
        assert_eq!(
            Conversion::new(AnalogFormat::None, Linearization::LINEAR, &one),
            None
        );
        for byte in 0x0c..0x80 {
            let unknown = Linearization(byte);
            assert_eq!(Conversion::new(AnalogFormat::Unsigned, unknown, &one), None);
        }
        close(
            Conversion::at_reading(AnalogFormat::Unsigned, &one).value(9),
            9.0,
        );
    }

    /// The formula with the platform's mathematics, written out once more and differently.
    fn expected(format: AnalogFormat, linearization: Linearization, f: &Factors, raw: u8) -> f64 {
        let count = match format {
            AnalogFormat::TwosComplement => f64::from(raw.cast_signed()),
            AnalogFormat::OnesComplement if raw >= 0x80 => f64::from(raw) - 255.0,
            _ => f64::from(raw),
        };
        let ten = 10.0_f64;
        let offset = f64::from(f.b) * ten.powf(f.b_exponent.into());
        let x = (f64::from(f.m) * count + offset) * ten.powf(f.r_exponent.into());
        match linearization.0 {
            0x01 => x.ln(),
            0x02 => x.ln() / ten.ln(),
            0x03 => x.ln() / 2.0_f64.ln(),
            0x04 => x.exp(),
            0x05 => ten.powf(x),
            0x06 => 2.0_f64.powf(x),
            0x07 => x.powi(-1),
            0x08 => x.powi(2),
            0x09 => x.powi(3),
            0x0a => x.powf(0.5),
            0x0b => x.abs().powf(1.0 / 3.0).copysign(x),
            _ => x,
        }
    }

    #[test]
    fn every_format_and_factor_gives_what_the_formula_gives() {
        let mut random = Arbitrary::new(0);
        for _ in 0..20_000 {
            let [m0, m1, b0, b1, exponents, raw, kind, format] = random.number().to_le_bytes();
            let factors = Factors::from_bytes([m0, m1, b0, b1, 0, exponents]);
            let format = FORMATS[usize::from(format % 3)];
            let linearization = Linearization(kind % 12);
            let value = Conversion::new(format, linearization, &factors)
                .unwrap()
                .value(raw);
            let expected = expected(format, linearization, &factors, raw);
            // A power of e magnifies the last bit of its argument as often as the argument is large.
            let close = (value - expected).abs() <= 1e-9 * expected.abs();
            let tiny = value.abs() < 1e-9 && expected.abs() < 1e-9;
            let neither = !value.is_finite() && !expected.is_finite();
            assert!(
                close || tiny || neither,
                "{factors:?} {format:?} {linearization} {raw}: {value} is not {expected}"
            );
        }
    }
}
