//! The way of firmware into a controller, block by block, in the order that the controller wants (HPM.1 §3: Upload Firmware
//! Block).

use core::fmt;

use crate::command::picmg::hpm::Section;

/// How often a controller may ask for another part of the firmware than the next, in one upload.
pub const SECTIONS_MAX: u32 = 256;

/// The part of one component's firmware that is still to be sent.
///
/// Each block is taken with [`Self::piece`] and [`Self::number`], and when the controller has it [`Self::taken`] goes on.
#[derive(Clone, Debug)]
pub struct Window<'a> {
    data: &'a [u8],
    at: usize,
    end: usize,
    number: u8,
    sent: u32,
    sections: u32,
}

/// A controller asks for a part that the firmware does not have, or for other parts without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchSection;

impl fmt::Display for NoSuchSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the machine asks for more than there is in it")
    }
}

impl core::error::Error for NoSuchSection {}

impl<'a> Window<'a> {
    /// All of it, from the beginning.
    #[must_use]
    pub const fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            at: 0,
            end: data.len(),
            number: 0,
            sent: 0,
            sections: 0,
        }
    }

    /// The next block, at most `len` bytes; `None` when the controller has everything.
    #[must_use]
    pub fn piece(&self, len: usize) -> Option<&'a [u8]> {
        let rest = &self.data[self.at..self.end];
        (!rest.is_empty()).then(|| &rest[..rest.len().min(len)])
    }

    /// Number of the next block: from 0, again after 255.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// Bytes that the controller has taken, what it asked for twice counted twice: Finish Firmware Upload wants to know.
    #[must_use]
    pub const fn sent(&self) -> u32 {
        self.sent
    }

    /// The controller took `len` bytes of the next block, and goes on there or at the section that it names.
    ///
    /// # Errors
    /// There is no such section, or it is one more than [`SECTIONS_MAX`].
    pub fn taken(&mut self, len: usize, section: Option<Section>) -> Result<(), NoSuchSection> {
        self.number = self.number.wrapping_add(1);
        self.sent = self
            .sent
            .saturating_add(u32::try_from(len).unwrap_or(u32::MAX));
        self.at = self.at.saturating_add(len).min(self.end);
        // Controllers that always name one mean none by zeros.
        let Some(section) = section.filter(|s| (s.offset, s.length) != (0, 0)) else {
            return Ok(());
        };
        self.sections += 1;
        if self.sections > SECTIONS_MAX {
            return Err(NoSuchSection);
        }
        (self.at, self.end) = part(section, self.data.len()).ok_or(NoSuchSection)?;
        Ok(())
    }
}

/// Where a section begins and ends; `None` where there is no such part.
fn part(section: Section, len: usize) -> Option<(usize, usize)> {
    let at = usize::try_from(section.offset).ok()?;
    let end = match section.length {
        0 => len,
        length => at.checked_add(usize::try_from(length).ok()?)?,
    };
    (at <= end && end <= len).then_some((at, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: [u8; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

    fn section(offset: u32, length: u32) -> Option<Section> {
        Some(Section { offset, length })
    }

    #[test]
    fn all_blocks_come_in_turn_and_the_last_is_shorter() {
        let mut window = Window::new(&DATA);
        let mut got = alloc::vec::Vec::new();
        while let Some(piece) = window.piece(4) {
            assert_eq!(usize::from(window.number()), got.len() / 4);
            got.extend_from_slice(piece);
            assert_eq!(window.taken(piece.len(), section(0, 0)), Ok(()));
        }
        assert_eq!(got, DATA);
        assert_eq!((window.sent(), window.number()), (10, 3));
    }

    #[test]
    fn a_section_is_sent_next_and_nothing_behind_it() {
        let mut window = Window::new(&DATA);
        assert_eq!(window.taken(4, section(2, 3)), Ok(()));
        assert_eq!(window.piece(9), Some(&DATA[2..5]));
        assert_eq!(window.taken(3, None), Ok(()));
        assert_eq!((window.piece(9), window.sent()), (None, 7));
        // Length 0: all from there on.
        assert_eq!(window.taken(0, section(8, 0)), Ok(()));
        assert_eq!(window.piece(9), Some(&DATA[8..]));
    }

    #[test]
    fn sections_that_are_not_there_or_never_end_are_refused() {
        for wrong in [section(11, 0), section(8, 3), section(u32::MAX, u32::MAX)] {
            assert_eq!(Window::new(&DATA).taken(1, wrong), Err(NoSuchSection));
        }
        let mut window = Window::new(&DATA);
        for _ in 0..SECTIONS_MAX {
            assert_eq!(window.taken(1, section(1, 2)), Ok(()));
        }
        assert_eq!(window.taken(1, section(1, 2)), Err(NoSuchSection));
    }
}
