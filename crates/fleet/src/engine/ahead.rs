//! What a batch of datagrams is going to need, fetched before the first of them is handled.
//!
//! Each comes from another BMC, whose parts lie apart: fetched one by one when they are used, they would keep the processor
//! waiting for a tenth of its own work.

use std::ops::Range;

use ipmi::console::{Addressee, addressee};
use ipmi::memory::memory_of;

use super::{Berth, Engine};
use crate::slot::slot_in;

impl Engine {
    /// Tells what these datagrams are going to need: `fetch` is given memory that is used soon, for the processor to fetch. Nearest
    /// first: what is further away is found through what was fetched before.
    pub fn expect<'d>(
        &self,
        datagrams: impl Iterator<Item = &'d [u8]> + Clone,
        fetch: impl Fn(Range<*const u8>),
    ) {
        let berths = datagrams.filter_map(|datagram| match addressee(datagram) {
            // Whose session it is shows when it is handled.
            Ok(Addressee::Session(id)) => self.slots.get(slot_in(id) as usize),
            _ => None,
        });
        for berth in berths.clone() {
            fetch(memory_of(berth));
        }
        for berth in berths {
            if let Berth::Taken(slot) = berth {
                slot.expect(&fetch);
            }
        }
    }
}
