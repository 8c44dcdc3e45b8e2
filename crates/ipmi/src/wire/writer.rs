//! Writing values into the caller's buffer.

/// The buffer has no room for what is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferFull;

impl core::fmt::Display for BufferFull {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the buffer has no room for the datagram")
    }
}

impl core::error::Error for BufferFull {}

/// A cursor that appends to a fixed buffer and remembers when it did not fit.
///
/// Writes past the end are dropped and reported once by [`Writer::finish`], so that encoders are straight lines.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
    full: bool,
}

impl<'a> Writer<'a> {
    /// Starts at the first byte of `buffer`.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self {
            buffer,
            at: 0,
            full: false,
        }
    }

    /// How many bytes were written.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// The bytes written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        &self.buffer[..self.at]
    }

    /// The bytes written so far, to patch a length or encrypt in place.
    pub fn written_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.at]
    }

    /// Forgets everything from offset `at` on, also that something did not fit there.
    ///
    /// Does nothing where `at` is beyond what was written.
    pub fn truncate(&mut self, at: usize) {
        if at <= self.at {
            self.at = at;
            self.full = false;
        }
    }

    /// Reports as not fitting, for a caller whose own limit is lower than the buffer's.
    pub const fn overflow(&mut self) {
        self.full = true;
    }

    /// Appends bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        match self.buffer.get_mut(self.at..self.at + bytes.len()) {
            Some(room) if !self.full => {
                room.copy_from_slice(bytes);
                self.at += bytes.len();
            }
            _ => self.full = true,
        }
    }

    /// Appends a byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    /// Appends two bytes.
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends the low three bytes.
    pub fn u24(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes()[..3]);
    }

    /// Appends four bytes.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// How many bytes were written, or that not all did fit.
    pub const fn finish(&self) -> Result<usize, BufferFull> {
        if self.full {
            Err(BufferFull)
        } else {
            Ok(self.at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_reported_and_nothing_is_written_past_the_gap() {
        let mut buffer = [0xa5; 3];
        let mut w = Writer::new(&mut buffer);
        w.u8(1);
        w.u32(2);
        w.u8(3);
        assert_eq!(w.finish(), Err(BufferFull));
        assert_eq!(buffer, [1, 0xa5, 0xa5]);
    }
}
