//! Where values lie in memory: for drivers of very many BMCs, which have what a batch of datagrams needs fetched beforehand.

use core::ops::Range;
use core::ptr;

/// Where a value lies, or several side by side. An address to be hinted at, and nothing to read through.
#[must_use]
pub const fn memory_of<T: ?Sized>(value: &T) -> Range<*const u8> {
    let start = ptr::from_ref(value).cast::<u8>();
    start..start.wrapping_add(size_of_val(value))
}

/// The first bytes of a value that is larger than what is used of it: no more than so many.
#[must_use]
pub fn head_of<T: ?Sized>(value: &T, bytes_max: usize) -> Range<*const u8> {
    let Range { start, .. } = memory_of(value);
    start..start.wrapping_add(size_of_val(value).min(bytes_max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_where_its_bytes_are_and_a_slice_is_as_long_as_all_of_it() {
        let words = [7_u32; 10];
        let Range { start, end } = memory_of(&words);
        assert_eq!(start.cast(), words.as_ptr());
        assert_eq!(end.addr() - start.addr(), 40);
        assert_eq!(
            memory_of(&words[1..3]),
            memory_of(&words[1]).start..memory_of(&words[2]).end
        );
        assert_eq!(head_of(&words, 8), memory_of(&words[..2]));
        assert_eq!(head_of(&words, 41), memory_of(&words));
        let nothing = memory_of::<[u32]>(&[]);
        assert_eq!(nothing.start, nothing.end);
    }
}
