//! Get SEL Time, Set SEL Time and their UTC offset; Get SDR Repository Time (§31.10, §31.11, §31.11a, §31.11b, §33.17).

use crate::command::{Command, Empty, Message};
use crate::number::NetFn;
use crate::record::Timestamp;
use crate::wire::{Reader, WireError, Writer};

/// Asks for the clock that stamps SEL entries (§31.10). Completion code 81h: erase in progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSelTime;

/// Asks for the clock of the SDR repository (§33.17).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSdrRepositoryTime;

/// Sets the clock that stamps SEL entries (§31.11).
///
/// Not repeatable: a late repeat sets the clock back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSelTime {
    /// The present time.
    pub time: Timestamp,
}

/// Asks how far local time is from UTC (§31.11a).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSelTimeUtcOffset;

/// Sets how far local time is from UTC (§31.11b).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSelTimeUtcOffset {
    /// The offset.
    pub offset: UtcOffset,
}

/// Local time minus UTC, in minutes: -1440 to 1440, or [`UtcOffset::UNSPECIFIED`] (§31.11a).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UtcOffset(pub i16);

impl UtcOffset {
    /// Not specified: the clock is local time.
    pub const UNSPECIFIED: Self = Self(0x07ff);

    /// Minutes; `None` where it is not specified or out of range.
    #[must_use]
    pub const fn minutes(self) -> Option<i16> {
        if self.0 >= -1440 && self.0 <= 1440 {
            Some(self.0)
        } else {
            None
        }
    }
}

macro_rules! get {
    ($command:ident, $cmd:expr, $name:expr, $response:ty) => {
        impl Command for $command {
            const NETFN: NetFn = NetFn::STORAGE;
            const CMD: u8 = $cmd;
            const NAME: &'static str = $name;
            const IDEMPOTENT: bool = true;
            type Response = $response;

            fn encode(&self, _: &mut Writer<'_>) {}

            fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
                Ok(Self)
            }
        }
    };
}
get!(
    GetSdrRepositoryTime,
    0x28,
    "Get SDR Repository Time",
    Timestamp
);
get!(GetSelTime, 0x48, "Get SEL Time", Timestamp);
get!(
    GetSelTimeUtcOffset,
    0x5c,
    "Get SEL Time UTC Offset",
    UtcOffset
);

impl Command for SetSelTime {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x49;
    const NAME: &'static str = "Set SEL Time";
    const IDEMPOTENT: bool = false;
    type Response = Empty;

    fn encode(&self, w: &mut Writer<'_>) {
        self.time.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            time: Timestamp::decode(r)?,
        })
    }
}

impl Command for SetSelTimeUtcOffset {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x5d;
    const NAME: &'static str = "Set SEL Time UTC Offset";
    const IDEMPOTENT: bool = true;
    type Response = Empty;

    fn encode(&self, w: &mut Writer<'_>) {
        self.offset.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            offset: UtcOffset::decode(r)?,
        })
    }
}

impl Message for Timestamp {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u32(self.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.u32("present timestamp").map(Self)
    }
}

impl Message for UtcOffset {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0.to_le_bytes());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.array("UTC offset")
            .map(|bytes| Self(i16::from_le_bytes(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_time_is_four_bytes() {
        check::request(&GetSelTime, &[], 0);
        check::request(&GetSdrRepositoryTime, &[], 0);
        check::request(
            &SetSelTime {
                time: Timestamp(0x6543_2100),
            },
            &[0, 0x21, 0x43, 0x65],
            4,
        );
        check::response(&Timestamp(0x6543_2100), &[0, 0x21, 0x43, 0x65], 4);
    }

    #[test]
    fn an_offset_is_signed_minutes_or_unspecified() {
        check::request(&GetSelTimeUtcOffset, &[], 0);
        check::request(
            &SetSelTimeUtcOffset {
                offset: UtcOffset(-300),
            },
            &[0xd4, 0xfe],
            2,
        );
        check::response(&UtcOffset(60), &[60, 0], 2);
        check::response(&UtcOffset::UNSPECIFIED, &[0xff, 0x07], 2);
        assert_eq!(UtcOffset(-300).minutes(), Some(-300));
        assert_eq!(UtcOffset::UNSPECIFIED.minutes(), None);
    }
}
