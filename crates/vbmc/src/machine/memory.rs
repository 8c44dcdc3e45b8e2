//! Where a machine's parts lie.

use std::ops::Range;

use ipmi::memory::memory_of;

use super::Machine;

impl Machine {
    /// Where the last samples of its sensors lie.
    pub(crate) fn samples_memory(&self) -> Range<*const u8> {
        memory_of(&*self.samples)
    }
}
