//! What a batch of datagrams is going to need, fetched before the first of them is handled.
//!
//! Each goes to another controller, whose parts lie apart: fetched one by one when they are used, they would keep the processor
//! waiting for a tenth of its time.

use std::net::Ipv4Addr;
use std::ops::Range;

use ipmi::memory::{head_of, memory_of};

use super::Bmcs;

/// Bytes of a controller's settings that are fetched beforehand: more would take longer than is won.
const CONFIG_HEAD: usize = 128;

impl Bmcs {
    /// Tells what the datagrams sent to these addresses are going to need: `fetch` is given memory that is used soon, for the
    /// processor to fetch. Nearest first: what is further away is found through what was fetched before. Parts that are locked are
    /// left out.
    pub fn expect(
        &self,
        locals: impl Iterator<Item = Ipv4Addr> + Clone,
        fetch: impl Fn(Range<*const u8>),
    ) {
        let indices = locals.filter_map(|local| self.site.index_at(local));
        for index in indices.clone() {
            fetch(memory_of(&self.fronts[index as usize]));
            fetch(self.site.machine_memory(index));
        }
        for index in indices.clone() {
            if let Ok(front) = self.fronts[index as usize].try_lock() {
                fetch(head_of(&*front.config, CONFIG_HEAD));
                fetch(front.bmc.session_table_memory());
            }
            self.site.samples_memory(index).into_iter().for_each(&fetch);
        }
        for index in indices {
            if let Ok(front) = self.fronts[index as usize].try_lock() {
                front.bmc.session_memory().into_iter().for_each(&fetch);
            }
        }
    }
}
