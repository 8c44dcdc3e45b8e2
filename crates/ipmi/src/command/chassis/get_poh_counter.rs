//! Get POH Counter (§28.14).

use crate::command::{Command, Message};
use crate::number::NetFn;
use crate::wire::{Reader, WireError, Writer};

/// Asks how long the machine has been powered on in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetPohCounter;

/// The answer to [`GetPohCounter`] (§28.14, table 28-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PohCounter {
    /// Minutes that one count stands for.
    pub minutes_per_count: u8,
    /// Counts.
    pub count: u32,
}

impl PohCounter {
    /// Power-on time in minutes.
    #[must_use]
    pub const fn minutes(&self) -> u64 {
        self.minutes_per_count as u64 * self.count as u64
    }
}

impl Command for GetPohCounter {
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x0f;
    const NAME: &'static str = "Get POH Counter";
    const IDEMPOTENT: bool = true;
    type Response = PohCounter;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Message for PohCounter {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.minutes_per_count);
        w.u32(self.count);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            minutes_per_count: r.u8("minutes per count")?,
            count: r.u32("counter reading")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_counter_counts_in_units_of_minutes() {
        check::request(&GetPohCounter, &[], 0);
        let counter = PohCounter {
            minutes_per_count: 60,
            count: 0x0001_0203,
        };
        check::response(&counter, &[60, 0x03, 0x02, 0x01, 0x00], 5);
        assert_eq!(counter.minutes(), 60 * 0x0001_0203);
    }
}
