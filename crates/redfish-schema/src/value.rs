//! Values that every resource uses: `null`, links, times.

use std::fmt;
use std::time::{Duration as StdDuration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use crate::table::ResourceType;

/// The value of a property that may be `null`.
///
/// `null` means that the service supports the property but can't tell its value now
/// (DSP0266 "Primitive types"). A property that isn't supported is absent: `None` of the surrounding
/// `Option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nullable<T> {
    /// Supported, but not known now.
    Null,
    /// The value.
    Value(T),
}

impl<T> Nullable<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Nullable<String> {
    fn from(value: &str) -> Self {
        Self::Value(value.to_owned())
    }
}

/// `null` where there is nothing.
impl<T> From<Option<T>> for Nullable<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }
}

impl<T: Serialize> Serialize for Nullable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Value(value) => value.serialize(serializer),
        }
    }
}

/// A link to a resource: `{"@odata.id": "/redfish/v1/Systems/1"}` (DSP0266 "Reference properties").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reference {
    /// Path of the resource.
    #[serde(rename = "@odata.id")]
    pub odata_id: String,
}

impl Reference {
    /// A link to the resource at `path`.
    pub fn to(path: impl Into<String>) -> Self {
        Self {
            odata_id: path.into(),
        }
    }
}

/// The `@odata.type` of a typed resource. Its constructor sets it; it can't be wrong.
#[derive(Clone, Copy)]
pub struct ODataType(&'static ResourceType);

impl ODataType {
    pub(crate) const fn of(resource: &'static ResourceType) -> Self {
        Self(resource)
    }

    /// The table of the type.
    #[must_use]
    pub const fn resource_type(self) -> &'static ResourceType {
        self.0
    }
}

impl fmt::Debug for ODataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.odata_type)
    }
}

impl PartialEq for ODataType {
    fn eq(&self, other: &Self) -> bool {
        self.0.odata_type == other.0.odata_type
    }
}

impl Serialize for ODataType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.odata_type)
    }
}

/// A typed resource: something with an `@odata.id` that a GET answers.
pub trait Resource: Serialize {
    /// The table of its type.
    fn resource_type(&self) -> &'static ResourceType;
    /// Its path.
    fn odata_id(&self) -> &str;
}

/// A point in time, written in UTC as `2026-01-31T12:34:56Z`, with milliseconds only if there are
/// any (DSP0266 "Date-Time values").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    unix_ms: i64,
}

const MS_PER_DAY: i64 = 86_400_000;

impl DateTime {
    /// From milliseconds since 1970-01-01T00:00:00Z. Times outside of the years 1 to 9999 are
    /// moved to the nearest one that can be written.
    #[must_use]
    pub const fn from_unix_ms(unix_ms: i64) -> Self {
        const FIRST: i64 = -62_135_596_800_000;
        const LAST: i64 = 253_402_300_799_999;
        let unix_ms = if unix_ms < FIRST {
            FIRST
        } else if unix_ms > LAST {
            LAST
        } else {
            unix_ms
        };
        Self { unix_ms }
    }

    /// Reads `YYYY-MM-DDThh:mm:ss[.sss](Z|±hh:mm)`. Digits beyond milliseconds are dropped. `None` for another
    /// form and for a date that doesn't exist.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (time, fraction, offset) = date_time_parts(text)?;
        let number = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
        let days = days_from_civil(number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let minutes = (days * 24 + number(11, 13)?) * 60 + number(14, 16)?;
        let offset = match offset.split_at_checked(1)? {
            ("Z", _) => 0,
            (sign, clock) => {
                let (hours, minutes) = clock.split_once(':')?;
                let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
                if sign == "-" { -minutes } else { minutes }
            }
        };
        let ms = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?;
        let seconds = (minutes - offset) * 60 + number(17, 19)?;
        Some(Self::from_unix_ms(seconds * 1000 + ms))
    }

    /// From seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix_s(unix_s: i64) -> Self {
        Self::from_unix_ms(unix_s.saturating_mul(1000))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.unix_ms
    }
}

impl From<SystemTime> for DateTime {
    fn from(time: SystemTime) -> Self {
        let whole = |duration: StdDuration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_ms(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => whole(after),
            Err(before) => -whole(before.duration()),
        })
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.unix_ms.div_euclid(MS_PER_DAY));
        let ms = self.unix_ms.rem_euclid(MS_PER_DAY);
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if ms % 1000 != 0 {
            write!(f, ".{:03}", ms % 1000)?;
        }
        f.write_str("Z")
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar. Counts in
/// eras of 400 years that start on 1 March, so that a leap day is the last day of a year.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Number of days in a month, or 0 for a month that doesn't exist.
const fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 0,
    }
}

/// Count of days since 1970-01-01 of a date that exists; the other direction of [`civil`].
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Whether `text` is a date and time as DSP0266 "Date-Time values" has it: `YYYY-MM-DDThh:mm:ss[.sss](Z|±hh:mm)`
/// with a date that exists.
#[must_use]
pub fn is_date_time(text: &str) -> bool {
    date_time_parts(text).is_some()
}

/// A date and time taken apart: up to the seconds, the digits of the fraction, and `Z` or the offset.
fn date_time_parts(text: &str) -> Option<(&str, &str, &str)> {
    let (time, rest) = text.split_at_checked(19)?;
    let bytes = time.as_bytes();
    let number = |from: usize, length: usize| -> Option<u32> {
        let digits = time.get(from..from + length)?;
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|&(at, mark)| bytes[at] != mark) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let clock = number(11, 2)? < 24 && number(14, 2)? < 60 && number(17, 2)? < 60;
    if !clock || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    let (fraction, offset) = match rest.strip_prefix('.') {
        None => ("", rest),
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
    };
    if fraction.is_empty() && rest.starts_with('.') {
        return None;
    }
    let is_offset = match offset.as_bytes() {
        [b'Z'] => true,
        [b'+' | b'-', hour @ .., b':', m, n] => {
            let digits = hour.len() == 2 && hour.iter().chain([m, n]).all(u8::is_ascii_digit);
            digits && hour < b"24" && *m < b'6'
        }
        _ => false,
    };
    is_offset.then_some((time, fraction, offset))
}

/// A length of time, written as `P1DT2H3M4.5S` (DSP0266 "Duration values").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    ms: u64,
}

impl Duration {
    /// From milliseconds.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self { ms }
    }

    /// In milliseconds.
    #[must_use]
    pub const fn as_ms(self) -> u64 {
        self.ms
    }

    /// Reads `PnDTnHnMn.nS`, in which every part but one may be absent. Digits beyond milliseconds are dropped. `None`
    /// for another form and for more than 2⁶⁴ milliseconds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (days, time) = match text.strip_prefix('P')?.split_once('T') {
            Some((days, time)) => (days, Some(time)),
            None => (text.strip_prefix('P')?, None),
        };
        if time.map_or(days.is_empty(), str::is_empty) {
            return None;
        }
        let mut ms = parts(days, &[('D', 86_400_000)])?;
        if let Some(time) = time {
            let units = [('H', 3_600_000), ('M', 60_000), ('S', 1000)];
            ms = ms.checked_add(parts(time, &units)?)?;
        }
        Some(Self { ms })
    }
}

/// The sum of numbers with units, which stand in this order, each at most once; only seconds have a fraction.
fn parts(mut text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut sum = 0_u64;
    for &(unit, unit_ms) in units {
        let Some((number, rest)) = text.split_once(unit) else {
            continue;
        };
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) if unit == 'S' => (whole, Some(fraction)),
            Some(_) => return None,
            None => (number, None),
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !fraction.is_none_or(is_number) {
            return None;
        }
        let thousandths: String = fraction
            .unwrap_or_default()
            .chars()
            .chain("000".chars())
            .take(3)
            .collect();
        let part = whole.parse::<u64>().ok()?.checked_mul(unit_ms)?;
        sum = sum
            .checked_add(part)?
            .checked_add(thousandths.parse().ok()?)?;
        text = rest;
    }
    text.is_empty().then_some(sum)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, hours) = (self.ms / 86_400_000, self.ms / 3_600_000 % 24);
        let (minutes, seconds, ms) = (self.ms / 60_000 % 60, self.ms / 1000 % 60, self.ms % 1000);
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if days > 0 && self.ms.is_multiple_of(86_400_000) {
            return Ok(());
        }
        f.write_str("T")?;
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        match (seconds, ms) {
            (0, 0) if self.ms > 0 => Ok(()),
            (seconds, 0) => write!(f, "{seconds}S"),
            (seconds, ms) => {
                let fraction = format!("{ms:03}");
                write!(f, "{seconds}.{}S", fraction.trim_end_matches('0'))
            }
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_time_is_written_in_utc_with_milliseconds_only_if_there_are_any() {
        for (unix_ms, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_769_863_496_789, "2026-01-31T12:44:56.789Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
            (i64::MIN, "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(DateTime::from_unix_ms(unix_ms).to_string(), expected);
            assert!(is_date_time(expected));
        }
    }

    #[test]
    fn a_duration_is_read_with_days_at_most_and_each_part_once_in_order() {
        let ms = |text| Duration::parse(text).map(Duration::as_ms);
        assert_eq!(ms("P1DT2H3M4.5S"), Some(93_784_500));
        assert_eq!(ms("PT0.0019S"), Some(1));
        assert_eq!(ms("P0D"), Some(0));
        for wrong in [
            "",
            "P",
            "PT",
            "P1DT",
            "1D",
            "P1Y",
            "P1M",
            "PT1S1M",
            "PT1.5M",
            "PT-1S",
            "PT.5S",
            "PT1.S",
            "PT1S2S",
            "P1D1D",
            "P300000000000D",
        ] {
            assert_eq!(ms(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_that_do_not_exist_and_other_formats_are_no_date_times() {
        for wrong in [
            "",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+0100",
            "2026-01-01T00:00:00Zx",
            "2026-01-01t00:00:00z",
            "2026-06-30T23:59:60Z",
            "２026-01-01T00:00:00Z",
        ] {
            assert!(!is_date_time(wrong), "{wrong}");
        }
        assert!(is_date_time("2026-06-30T23:59:59.5-06:00"));
    }

    #[test]
    fn a_time_is_read_as_the_point_in_time_that_it_is() {
        for (text, unix_ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2026-01-31T12:44:56.789123Z", 1_769_863_496_789),
            ("2026-01-31T14:44:56.7+02:00", 1_769_863_496_700),
            ("2026-01-31T06:14:56-06:30", 1_769_863_496_000),
            ("1969-12-31T23:59:59.999Z", -1),
        ] {
            let time = DateTime::parse(text).unwrap();
            assert_eq!(time.unix_ms(), unix_ms, "{text}");
            assert_eq!(DateTime::parse(&time.to_string()), Some(time));
        }
        assert_eq!(DateTime::parse("yesterday"), None);
    }

    #[test]
    fn a_duration_has_no_zero_parts_but_never_is_empty() {
        for (ms, expected) in [
            (0, "PT0S"),
            (1500, "PT1.5S"),
            (60_000, "PT1M"),
            (86_400_000, "P1D"),
            (93_784_050, "P1DT2H3M4.05S"),
        ] {
            assert_eq!(Duration::from_ms(ms).to_string(), expected);
            assert_eq!(Duration::parse(expected), Some(Duration::from_ms(ms)));
        }
    }
}
