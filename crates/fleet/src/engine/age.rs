//! How old readings are.

use ipmi::time::Instant;

use super::{Berth, Engine};

impl Engine {
    /// Since when the oldest readings are old among BMCs that answer and have any: each BMC's round began then that was the last one
    /// to bring any, and where none did, the BMC began to answer then. Of classes of sensors with intervals of their own, the same
    /// is so of each. `None` where nothing is to be read. Looks at every BMC: some milliseconds for fifty thousand.
    #[must_use]
    pub fn oldest_reading(&self) -> Option<Instant> {
        let since = self.slots.iter().filter_map(|berth| match berth {
            Berth::Taken(slot) => slot.read_since(),
            Berth::Vacant(_) => None,
        });
        since.min()
    }

    /// How many BMCs answer of whose sensors some class is late: none of it was read for twice its interval. One of which no sensor
    /// answers, while others do, is out of service and not late. Looks at every BMC, too.
    #[must_use]
    pub fn late(&self, now: Instant) -> u32 {
        let is_late = |berth: &&Berth| match berth {
            Berth::Taken(slot) => slot.is_late(now),
            Berth::Vacant(_) => false,
        };
        self.slots.iter().filter(is_late).count() as u32
    }
}
