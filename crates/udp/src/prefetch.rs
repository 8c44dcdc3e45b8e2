//! Hints to the processor's caches.

#![expect(
    unsafe_code,
    reason = "the instruction takes a pointer; it reads nothing that a program could see"
)]

use std::ops::Range;

/// Bytes that a cache fetches at a time.
const LINE: usize = 64;

/// Bytes that are fetched at most for one hint: more of them would drive out of the caches what was fetched before.
const PREFETCH_MAX: usize = 1_024;

/// Has the processor fetch what is going to be used soon: the first KiB of this memory, and no more than is a hint.
///
/// The datagrams of a batch come from as many peers, and what is known of these lies far apart. Fetched all at once it takes hardly
/// longer than that of a single one; where each is fetched when it is needed, the processor waits for them one by one. Does
/// nothing but on `x86_64`.
pub fn prefetch(memory: Range<*const u8>) {
    let len = memory.end.addr().saturating_sub(memory.start.addr());
    for offset in (0..len.min(PREFETCH_MAX)).step_by(LINE) {
        let line = memory.start.wrapping_add(offset).cast();
        #[cfg(target_arch = "x86_64")]
        // SAFETY: this instruction belongs to every x86_64 processor, faults at no address, and changes nothing but caches.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(line);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _: *const i8 = line;
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn any_memory_may_be_hinted_at_and_nothing_changes() {
        let bytes = [7_u8; 10_000];
        prefetch(bytes.as_ptr_range());
        assert!(bytes.iter().all(|byte| *byte == 7));
        // None at all, none that is mapped, more than there is, and backwards.
        prefetch(ptr::null()..ptr::null());
        prefetch(ptr::null()..ptr::without_provenance(4_096));
        prefetch(ptr::null()..ptr::without_provenance(usize::MAX));
        prefetch(ptr::without_provenance(usize::MAX - 1)..ptr::without_provenance(usize::MAX));
        let Range { start, end } = bytes.as_ptr_range();
        prefetch(end..start);
    }
}
