//! Get Channel Cipher Suites (§22.15): the records of all suites, 16 bytes at a time.

use crate::command::{Command, Message};
use crate::crypto::{Algorithms, SuiteSet};
use crate::number::{
    AuthAlgorithm, CipherListMode, CipherRecordTag, CipherSuiteId, ConfidentialityAlgorithm,
    IntegrityAlgorithm, NetFn, PayloadType,
};
use crate::wire::{Reader, WireError, Writer};

/// Bytes of record data in every answer but the last.
pub const CHUNK: usize = 16;
/// Answers to a whole list, at most: the list index has six bits.
pub const CHUNKS_MAX: u8 = 0x40;

/// Asks for one chunk of the list. Sent outside a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetChannelCipherSuites {
    /// Channel number; 0Eh for this one.
    pub channel: u8,
    /// Payload type that the suites are for.
    pub payload_type: PayloadType,
    /// Suite records, or the algorithms alone.
    pub mode: CipherListMode,
    /// Which chunk of 16 bytes, 0-63.
    pub index: u8,
}

/// One chunk of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CipherSuitesChunk {
    /// Channel number that the request arrived on.
    pub channel: u8,
    data: [u8; CHUNK],
    len: u8,
}

impl CipherSuitesChunk {
    /// A chunk with up to 16 bytes; further bytes are left out.
    #[must_use]
    pub fn new(channel: u8, bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(CHUNK)];
        let mut data = [0; CHUNK];
        data[..bytes.len()].copy_from_slice(bytes);
        Self {
            channel,
            data,
            len: u8::try_from(bytes.len()).unwrap_or(0),
        }
    }

    /// The chunk's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.data[..usize::from(self.len).min(CHUNK)]
    }

    /// Whether it ends the list: it isn't full.
    #[must_use]
    pub fn is_last(&self) -> bool {
        usize::from(self.len) < CHUNK
    }
}

impl Command for GetChannelCipherSuites {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x54;
    const NAME: &'static str = "Get Channel Cipher Suites";
    const IDEMPOTENT: bool = true;
    type Response = CipherSuitesChunk;

    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.channel & 0x0f,
            self.payload_type.0 & 0x3f,
            (self.mode.0 & 1) << 7 | (self.index & 0x3f),
        ]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [channel, payload_type, index] = r.array("channel, payload type and list index")?;
        Ok(Self {
            channel: channel & 0x0f,
            payload_type: PayloadType(payload_type & 0x3f),
            mode: CipherListMode(index >> 7),
            index: index & 0x3f,
        })
    }
}

impl Message for CipherSuitesChunk {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.channel);
        w.bytes(self.bytes());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let channel = r.u8("channel")? & 0x0f;
        Ok(Self::new(channel, r.rest()))
    }
}

/// Writes the records of standard suites (§22.15.1, table 22-18).
pub fn encode_records(suites: &[CipherSuiteId], w: &mut Writer<'_>) {
    for suite in suites {
        let Some(algorithms) = Algorithms::of(*suite) else {
            continue;
        };
        w.bytes(&[CipherRecordTag::STANDARD.0, suite.0, algorithms.auth.0]);
        // The tag in the two top bits tells integrity (01b) and confidentiality (10b); "none" is an algorithm.
        w.bytes(&[
            0x40 | algorithms.integrity.0,
            0x80 | algorithms.confidentiality.0,
        ]);
    }
}

/// Writes each algorithm that `suites` use once, without suites.
pub fn encode_algorithms(suites: &[CipherSuiteId], w: &mut Writer<'_>) {
    let start = w.position();
    for algorithms in suites.iter().filter_map(|suite| Algorithms::of(*suite)) {
        let tagged = [
            algorithms.auth.0,
            0x40 | algorithms.integrity.0,
            0x80 | algorithms.confidentiality.0,
        ];
        for byte in tagged {
            if !w.written().get(start..).unwrap_or_default().contains(&byte) {
                w.u8(byte);
            }
        }
    }
}

/// Collects suite IDs from chunks of record data, whatever byte a chunk ends at.
#[derive(Clone, Copy, Debug, Default)]
pub struct SuiteRecords {
    /// Suites found so far.
    pub suites: SuiteSet,
    expect: Expect,
    /// The record being read: its number, and its algorithms of each kind so far.
    record: Option<CipherSuiteId>,
    algorithms: [Option<u8>; 3],
    renumbered: bool,
}

/// What the next byte is, unless its top bits say otherwise.
#[derive(Clone, Copy, Debug, Default)]
enum Expect {
    #[default]
    Record,
    SuiteId,
    OemSuiteId,
}

impl SuiteRecords {
    /// Reads the next chunk's bytes.
    pub fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.expect = match (self.expect, CipherRecordTag(*byte)) {
                (Expect::SuiteId, id) => {
                    self.suites.insert(CipherSuiteId(id.0));
                    self.record = Some(CipherSuiteId(id.0));
                    self.algorithms = [None; 3];
                    Expect::Record
                }
                (Expect::Record, CipherRecordTag::STANDARD) => Expect::SuiteId,
                (Expect::Record, CipherRecordTag::OEM) => Expect::OemSuiteId,
                // A maker's ID and enterprise number, or an algorithm: the next C0h starts a record. An
                // enterprise byte of C0h can at worst offer a suite that Open Session then refuses.
                (Expect::OemSuiteId, _) => {
                    self.record = None;
                    Expect::Record
                }
                (Expect::Record, _) => {
                    self.note_algorithm(*byte);
                    Expect::Record
                }
            };
        }
    }

    /// Whether a record had the algorithms of another suite than its number says. Both are in [`suites`](Self::suites).
    #[must_use]
    pub const fn is_renumbered(&self) -> bool {
        self.renumbered
    }

    /// Takes an algorithm, whose kind is in the two top bits.
    fn note_algorithm(&mut self, byte: u8) {
        if let Some(algorithm) = self.algorithms.get_mut(usize::from(byte >> 6)) {
            *algorithm = Some(byte & 0x3f);
        }
        let (Some(id), [Some(auth), Some(integrity), Some(confidentiality)]) =
            (self.record, self.algorithms)
        else {
            return;
        };
        let algorithms = Algorithms {
            auth: AuthAlgorithm(auth),
            integrity: IntegrityAlgorithm(integrity),
            confidentiality: ConfidentialityAlgorithm(confidentiality),
        };
        if let Some(suite) = algorithms.suite().filter(|suite| *suite != id) {
            self.suites.insert(suite);
            self.renumbered = true;
        }
        self.record = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_suites_3_and_17_have_the_bytes_of_table_22_18_and_are_read_in_any_chunks() {
        let mut buffer = [0xa5; 64];
        let mut w = Writer::new(&mut buffer);
        encode_records(&[CipherSuiteId(3), CipherSuiteId(17)], &mut w);
        assert_eq!(
            w.written(),
            [0xc0, 3, 0x01, 0x41, 0x81, 0xc0, 17, 0x03, 0x44, 0x81]
        );
        for split in 0..w.position() {
            let mut records = SuiteRecords::default();
            let (first, second) = w.written().split_at(split);
            records.read(first);
            records.read(second);
            assert!(
                records
                    .suites
                    .iter()
                    .eq([CipherSuiteId(3), CipherSuiteId(17)])
            );
        }
    }

    #[test]
    fn a_makers_record_is_skipped() {
        let mut records = SuiteRecords::default();
        records.read(&[
            0xc1, 0x80, 0xa2, 0x02, 0x00, 0x01, 0x41, 0x81, 0xc0, 3, 1, 0x41, 0x81,
        ]);
        assert!(records.suites.iter().eq([CipherSuiteId(3)]));
    }

    #[test]
    fn request_and_chunk_round_trip() {
        let command = GetChannelCipherSuites {
            channel: 0x0e,
            payload_type: PayloadType::IPMI,
            mode: CipherListMode::SUITES,
            index: 5,
        };
        let mut buffer = [0xa5; 32];
        let mut w = Writer::new(&mut buffer);
        command.encode(&mut w);
        assert_eq!(w.written(), [0x0e, 0x00, 0x85]);
        assert_eq!(
            GetChannelCipherSuites::decode(&mut Reader::new(w.written())),
            Ok(command)
        );
        for len in 0..=CHUNK {
            let chunk = CipherSuitesChunk::new(1, &[0x33; CHUNK][..len]);
            assert_eq!(chunk.is_last(), len < CHUNK);
            let mut w = Writer::new(&mut buffer);
            chunk.encode(&mut w);
            assert_eq!(
                CipherSuitesChunk::decode(&mut Reader::new(w.written())),
                Ok(chunk)
            );
        }
    }

    #[test]
    fn the_list_of_algorithms_names_each_once() {
        let mut buffer = [0xa5; 32];
        let mut w = Writer::new(&mut buffer);
        encode_algorithms(
            &[CipherSuiteId(3), CipherSuiteId(17), CipherSuiteId(2)],
            &mut w,
        );
        assert_eq!(w.written(), [0x01, 0x41, 0x81, 0x03, 0x44, 0x80]);
    }
}
