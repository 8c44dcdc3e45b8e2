//! Identifiers and times that records share.

use core::fmt;

/// Number of a record in the SEL or in an SDR repository (§31.4, §33.5).
///
/// In a request it says which record to read; in an answer, which one comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u16);

impl RecordId {
    /// In a request: the first record.
    pub const FIRST: Self = Self(0x0000);
    /// In a request: the last record. In an answer: no record follows.
    pub const LAST: Self = Self(0xffff);
}

/// Reservation: cancelled when records are deleted or renumbered, so that a partial read never mixes two records
/// (§31.4, §33.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReservationId(pub u16);

impl ReservationId {
    /// For a read of a whole record, which needs no reservation.
    pub const NONE: Self = Self(0);
}

/// What a time counts from (§37.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimestampClass {
    /// The start of the BMC, whose clock was not set yet.
    SinceStart,
    /// 1970.
    Calendar,
    /// Nothing: it is unspecified.
    Unspecified,
}

/// Time of an event or a clock: seconds since 1970-01-01 00:00:00, UTC or local as the BMC is set (§37).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u32);

impl Timestamp {
    /// Invalid or unspecified.
    pub const UNSPECIFIED: Self = Self(0xffff_ffff);

    /// Up to this value it counts seconds since the BMC started, because its clock was not set yet.
    pub const SINCE_START_MAX: Self = Self(0x2000_0000);

    /// Whether it counts from the start of the BMC and not from 1970.
    #[must_use]
    pub const fn is_since_start(self) -> bool {
        self.0 <= Self::SINCE_START_MAX.0
    }

    /// What it counts from.
    #[must_use]
    pub const fn class(self) -> TimestampClass {
        if self.is_since_start() {
            TimestampClass::SinceStart
        } else if self.0 == Self::UNSPECIFIED.0 {
            TimestampClass::Unspecified
        } else {
            TimestampClass::Calendar
        }
    }

    /// Seconds since 1970; `None` where it is unspecified or counts from the start of the BMC.
    #[must_use]
    pub const fn unix_seconds(self) -> Option<u32> {
        match self.class() {
            TimestampClass::Calendar => Some(self.0),
            TimestampClass::SinceStart | TimestampClass::Unspecified => None,
        }
    }
}

impl fmt::Display for Timestamp {
    /// `2026-11-21 14:05:09`, `+93 s since start` or `unspecified`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unix_seconds() {
            Some(seconds) => write_date_time(f, seconds),
            None if self.is_since_start() => write!(f, "+{} s since start", self.0),
            None => f.write_str("unspecified"),
        }
    }
}

/// Writes seconds since 1970 as a Gregorian date and time (days to date as in "days from civil", inverted).
fn write_date_time(f: &mut fmt::Formatter<'_>, seconds: u32) -> fmt::Result {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    let mut left = days;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(
        f,
        "{year}-{month:02}-{:02} {hour:02}:{minute:02}:{second:02}",
        left + 1
    )
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn a_time_before_the_clock_was_set_counts_from_the_start_of_the_bmc() {
        assert_eq!(Timestamp(93).unix_seconds(), None);
        assert_eq!(Timestamp(93).to_string(), "+93 s since start");
        assert_eq!(Timestamp(0x2000_0000).unix_seconds(), None);
        assert_eq!(Timestamp(0x2000_0001).unix_seconds(), Some(0x2000_0001));
        assert_eq!(Timestamp::UNSPECIFIED.unix_seconds(), None);
        assert_eq!(Timestamp::UNSPECIFIED.to_string(), "unspecified");
    }

    #[test]
    fn dates_are_gregorian() {
        for (seconds, text) in [
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_251_199, "2024-02-29 23:59:59"),
            (1_709_251_200, "2024-03-01 00:00:00"),
            (1_795_269_909, "2026-11-21 14:05:09"),
            (1_798_761_599, "2026-12-31 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(Timestamp(seconds).to_string(), text);
        }
    }
}
