//! Columns of long lists. A thousand hosts have fifty thousand lines: by the general machinery of formatting they cost as much
//! as all that is encrypted and authenticated for them.

use std::fmt::Write as _;

/// Up to here all thousandths are whole numbers that a double and an `i64` hold.
const THOUSANDTHS_MAX: f64 = 1e15;

/// So near to the middle between two thousandths the product's own rounding could decide.
const NEAR_THE_MIDDLE: f64 = 1e-3;

/// Appends a text, padded with blanks to `width` characters.
pub(super) fn text(line: &mut String, text: &str, width: usize) {
    line.push_str(text);
    let count = match text.is_ascii() {
        true => text.len(),
        false => text.chars().count(),
    };
    pad(line, count, width);
}

/// Appends a number with three digits behind the point, `na` for none, padded likewise.
pub(super) fn number(line: &mut String, value: Option<f64>, width: usize) {
    let start = line.len();
    match value {
        None => line.push_str("na"),
        Some(value) => thousandths(line, value),
    }
    let count = line.len() - start;
    pad(line, count, width);
}

fn pad(line: &mut String, count: usize, width: usize) {
    const BLANKS: &str = "                ";
    let mut missing = width.saturating_sub(count);
    while missing > 0 {
        let some = missing.min(BLANKS.len());
        line.push_str(&BLANKS[..some]);
        missing -= some;
    }
}

/// Exactly what `{value:.3}` is.
fn thousandths(line: &mut String, value: f64) {
    let scaled = value.abs() * 1e3;
    let is_clear = (scaled.fract() - 0.5).abs() > NEAR_THE_MIDDLE;
    if !(scaled < THOUSANDTHS_MAX && is_clear) {
        // To write into a string can't fail.
        let _ = write!(line, "{value:.3}");
        return;
    }
    if value.is_sign_negative() {
        line.push('-');
    }
    let all = scaled.round() as u64;
    let (mut whole, part) = (all / 1000, all % 1000);
    let mut digits = [b'0'; 20];
    let mut at = digits.len() - 1;
    digits[at] += (whole % 10) as u8;
    while whole >= 10 {
        whole /= 10;
        at -= 1;
        digits[at] += (whole % 10) as u8;
    }
    let behind = [part / 100, part / 10 % 10, part % 10].map(|digit| b'0' + digit as u8);
    let shown = digits[at..].iter().chain(b".").chain(&behind);
    line.extend(shown.map(|byte| char::from(*byte)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_the_general_formatting_makes_of_them() {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state >> 11
        };
        let mut values = vec![
            0.0,
            -0.0,
            0.5,
            0.0005,
            0.0015,
            0.0025,
            0.0004,
            0.9995,
            9.9995,
            12.06,
            -53.0,
            999.9995,
            1e12,
            1e15,
            1e300,
            -1e15,
            f64::NAN,
            f64::INFINITY,
            f64::MIN_POSITIVE,
            0.001,
            0.01,
            0.1,
            1.0,
            10.0,
            1234.5675,
        ];
        for digits in 0..=9 {
            let scale = 10_f64.powi(digits);
            values.extend((0..20_000).map(|_| (next() % 2_000_000) as f64 / scale - 100.0));
        }
        values.extend((0..200_000).map(|_| f64::from_bits(next() << 11 | next() & 0x7ff)));
        for value in values {
            let mut line = String::new();
            number(&mut line, Some(value), 0);
            assert_eq!(line, format!("{value:.3}"), "{value:e}");
        }
    }

    #[test]
    fn columns_are_padded_by_characters_and_never_cut() {
        for shown in [
            "",
            "ok",
            "Lüfter 1",
            "exactly 10",
            "more than ten characters",
            "風扇",
        ] {
            for width in [0, 5, 10, 40] {
                let mut line = String::from("|");
                text(&mut line, shown, width);
                assert_eq!(line, format!("|{shown:<width$}"));
            }
        }
        let mut line = String::new();
        number(&mut line, None, 4);
        assert_eq!(line, "na  ");
    }
}
