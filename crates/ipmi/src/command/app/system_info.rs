//! Set System Info Parameters and Get System Info Parameters (§22.14a, §22.14b).

use alloc::string::String;

use crate::command::{Bytes, Command, Empty, Message};
use crate::number::{NetFn, StringEncoding, SystemInfoParameter};
use crate::record::text;
use crate::wire::{Reader, WireError, Writer};

/// The longest parameter data: a block number and 16 bytes. The room is larger for the maker's own.
pub const SYSTEM_INFO_MAX: usize = 32;

/// Bytes of text in one block.
const BLOCK: usize = 16;

/// Sets one parameter, or one block of it.
///
/// Completion code 80h: no such parameter; 81h: another party has a set in progress; 82h: read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSystemInfoParameters {
    /// Which parameter.
    pub parameter: SystemInfoParameter,
    /// Its data; for text a block number and a block, see [`SystemText`].
    pub data: Bytes<SYSTEM_INFO_MAX>,
}

/// Asks for one parameter, or one block of it. Completion code 80h: no such parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSystemInfoParameters {
    /// Asks for the revision only.
    pub revision_only: bool,
    /// Which parameter.
    pub parameter: SystemInfoParameter,
    /// Set selector: for text the block number.
    pub set: u8,
    /// Block selector; 0 where the parameter has none.
    pub block: u8,
}

/// The answer to [`GetSystemInfoParameters`] (§22.14b).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemInfoParameters {
    /// Parameter revision: 11h.
    pub revision: u8,
    /// The data; for text a block number and a block. Empty where only the revision was asked for.
    pub data: Bytes<SYSTEM_INFO_MAX>,
}

/// A text of the system information, put together from its blocks: block 0 starts with encoding and length
/// (§22.14a, table 22-16c).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemText {
    /// Encoding; 4 bits.
    pub encoding: StringEncoding,
    /// Bytes of the text, at most 255.
    pub bytes: alloc::vec::Vec<u8>,
}

impl SystemText {
    /// How many blocks a text has whose block 0 is this one (without the block number): call it with the data of
    /// block 0 to know how many more to ask for. 1 where the block is too short to tell.
    #[must_use]
    pub fn block_count(block_0: &[u8]) -> u8 {
        let len = block_0.get(1).copied().unwrap_or(0);
        // At most (2 + 255) / 16, rounded up: 17.
        (2 + u16::from(len)).div_ceil(16).to_le_bytes()[0]
    }

    /// From the blocks in their order, without block numbers. Missing bytes are left out.
    #[must_use]
    pub fn from_blocks(blocks: &[u8]) -> Self {
        let (encoding, len) = match blocks {
            [encoding, len, ..] => (StringEncoding(encoding & 0x0f), usize::from(*len)),
            _ => (StringEncoding::LATIN_1, 0),
        };
        let bytes = blocks.get(2..).unwrap_or(&[]);
        Self {
            encoding,
            bytes: bytes[..len.min(bytes.len())].to_vec(),
        }
    }

    /// One block of 16 bytes, filled up with zeros; `None` behind the last one.
    #[must_use]
    pub fn block(&self, number: u8) -> Option<[u8; BLOCK]> {
        let len = self.bytes.len().min(255);
        let head = [self.encoding.0 & 0x0f, len.to_le_bytes()[0]];
        let start = usize::from(number) * BLOCK;
        if start >= (head.len() + len).next_multiple_of(BLOCK) {
            return None;
        }
        let stored = head.iter().chain(&self.bytes[..len]).skip(start);
        let mut block = [0; BLOCK];
        for (byte, from) in block.iter_mut().zip(stored) {
            *byte = *from;
        }
        Some(block)
    }

    /// The text, up to the first zero, without blanks around it and without control characters.
    #[must_use]
    pub fn text(&self) -> String {
        let decoded = match self.encoding {
            StringEncoding::UTF_8 => String::from_utf8_lossy(&self.bytes).into_owned(),
            StringEncoding::UTF_16 => text::utf_16(&self.bytes),
            _ => text::latin_1(&self.bytes),
        };
        text::clean(&decoded)
    }
}

impl Command for SetSystemInfoParameters {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x58;
    const NAME: &'static str = "Set System Info Parameters";
    const IDEMPOTENT: bool = true;
    type Response = Empty;

    /// Beginning a set twice is not: the second is refused with 81h.
    fn is_idempotent(&self) -> bool {
        (self.parameter, self.data.as_slice()) != (SystemInfoParameter::SET_IN_PROGRESS, &[1])
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.parameter.0);
        self.data.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            parameter: SystemInfoParameter(r.u8("parameter selector")?),
            data: Bytes::decode(r, "parameter data")?,
        })
    }
}

impl Command for GetSystemInfoParameters {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x59;
    const NAME: &'static str = "Get System Info Parameters";
    const IDEMPOTENT: bool = true;
    type Response = SystemInfoParameters;

    fn encode(&self, w: &mut Writer<'_>) {
        let flags = u8::from(self.revision_only) << 7;
        w.bytes(&[flags, self.parameter.0, self.set, self.block]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [flags, parameter, set, block] = r.array("parameter selectors")?;
        Ok(Self {
            revision_only: flags & 0x80 != 0,
            parameter: SystemInfoParameter(parameter),
            set,
            block,
        })
    }
}

impl Message for SystemInfoParameters {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.revision);
        self.data.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            revision: r.u8("parameter revision")?,
            data: Bytes::decode_cut(r),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::command::check;

    #[test]
    fn a_parameter_is_asked_for_by_set_and_block() {
        let get = GetSystemInfoParameters {
            revision_only: false,
            parameter: SystemInfoParameter::SYSTEM_NAME,
            set: 1,
            block: 0,
        };
        check::request(&get, &[0x00, 0x02, 0x01, 0x00], 4);
        let revision = GetSystemInfoParameters {
            revision_only: true,
            ..get
        };
        check::request(&revision, &[0x80, 0x02, 0x01, 0x00], 4);
        let data = Bytes::from([0, 0, 3, b'n', b'0', b'1']);
        check::response(
            &SystemInfoParameters {
                revision: 0x11,
                data,
            },
            &[0x11, 0, 0, 3, b'n', b'0', b'1'],
            1,
        );
        let set = SetSystemInfoParameters {
            parameter: SystemInfoParameter::BMC_URL,
            data,
        };
        check::request(&set, &[0x06, 0, 0, 3, b'n', b'0', b'1'], 1);
        assert!(set.is_idempotent());
        let begin = SetSystemInfoParameters {
            parameter: SystemInfoParameter::SET_IN_PROGRESS,
            data: Bytes::from([1]),
        };
        assert!(!begin.is_idempotent());
    }

    #[test]
    fn a_text_of_every_length_comes_back_from_its_blocks() {
        for len in 0..=255_u8 {
            let bytes = (0..len).map(|i| b'a' + i % 26).collect();
            let text = SystemText {
                encoding: StringEncoding::UTF_8,
                bytes,
            };
            let blocks: Vec<_> = (0..=255).map_while(|number| text.block(number)).collect();
            assert_eq!(
                blocks.len(),
                usize::from(SystemText::block_count(&blocks[0]))
            );
            assert_eq!(SystemText::from_blocks(&blocks.concat()), text);
        }
    }

    #[test]
    fn a_text_reads_in_its_encoding_up_to_the_first_zero() {
        let text = |encoding, bytes: &[u8]| {
            SystemText {
                encoding: StringEncoding(encoding),
                bytes: bytes.to_vec(),
            }
            .text()
        };
        assert_eq!(text(0, &[b'a', 0xe9, 0, b'x']), "aé");
        assert_eq!(text(1, "aé".as_bytes()), "aé");
        assert_eq!(text(2, &[b'a', 0, 0xe9, 0]), "aé");
        assert_eq!(SystemText::from_blocks(&[0]).text(), "");
        assert_eq!(SystemText::from_blocks(&[0, 200, b'a']).text(), "a");
    }
}
