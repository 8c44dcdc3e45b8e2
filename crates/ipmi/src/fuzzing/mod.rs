//! Laws over arbitrary bytes: one function a decoder, and one for whole conversations.
//!
//! The fuzz targets in `fuzz/` call them with what the fuzzer thinks up (`cargo xtask fuzz`); the tests below call them
//! with the golden datagrams, with seeded bytes, and with what the fuzzer has found worth keeping (`fuzz/corpus/`). Each
//! function panics where its law is broken.

#![expect(clippy::panic, reason = "a broken law is to stop the fuzzer")]

mod conversation;
mod line;
mod walk;

use alloc::format;
use alloc::vec::Vec;

use md5::{Digest, Md5};

use crate::command::oem::OEM_COMMANDS;
use crate::command::table::COMMANDS;
use crate::console::addressee;
use crate::crypto::{Algorithms, Channel, Exchange, UserKey};
use crate::number::{AuthAlgorithm, CipherSuiteId, MultiRecordType, PayloadType, PrivilegeLevel};
use crate::print::{Datagram, OneLine};
use crate::record::Spd;
use crate::record::fru::{Fru, MULTIRECORD_MAX, MultiRecord};
use crate::record::sdr::SdrRecord;
use crate::record::sel::{SelRecord, SensorContext};
use crate::sol::{SolLine, SolRetry};
use crate::time::Instant;
use crate::upgrade::{SIGNATURE, UpgradeImage};
use crate::wire::asf::Asf;
use crate::wire::message::LanMessage;
use crate::wire::rakp::{
    OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4, Role, UserName,
};
use crate::wire::session::SessionHeader;
use crate::wire::sol::SolPacket;
use crate::wire::{DATAGRAM_MAX, Reader, WireError, Writer, rmcp};

use conversation::Seeded;
pub use conversation::conversation;
pub use line::sol;
pub use walk::walks;

/// Reading what was written gives what was written: `encode(decode(encode(x))) == encode(x)`.
fn stable<T>(
    bytes: &[u8],
    decode: impl Fn(&mut Reader<'_>) -> Result<T, WireError>,
    encode: impl Fn(&T, &mut Writer<'_>),
) {
    let Ok(value) = decode(&mut Reader::new(bytes)) else {
        return;
    };
    let write = |value: &T| {
        let mut buffer = [0xa5; 4 * DATAGRAM_MAX];
        let mut w = Writer::new(&mut buffer);
        encode(value, &mut w);
        w.finish().map(|len| buffer[..len].to_vec())
    };
    let Ok(first) = write(&value) else { return };
    match decode(&mut Reader::new(&first)) {
        Ok(again) => assert_eq!(write(&again), Ok(first), "written twice, two results"),
        Err(error) => panic!("what was written can't be read: {error}; {first:02x?}"),
    }
}

/// Everything before a login, as a whole and beginning with each layer: RMCP, ASF, session headers, IPMI messages, Open
/// Session and RAKP.
pub fn datagram(bytes: &[u8]) {
    envelope(bytes);
    session_header(bytes);
    lan_message(bytes);
    rakp(bytes);
    printed(bytes);
}

/// The printer: whatever came prints as one line, and as one a field.
fn printed(bytes: &[u8]) {
    if let Ok(datagram) = Datagram::decode(bytes) {
        let line = format!("{datagram}");
        assert!(
            !line.contains('\n'),
            "a datagram prints as one line: {line}"
        );
        let lines = format!("{datagram:#}");
        assert!(lines.starts_with(datagram.protocol));
    }
}

/// RMCP, ASF, and who a datagram is for.
fn envelope(bytes: &[u8]) {
    let _ = addressee(bytes);
    let mut r = Reader::new(bytes);
    if rmcp::decode(&mut r) == Ok(rmcp::Class::Asf) {
        let body = |r: &mut Reader<'_>| Asf::decode(r);
        stable(r.rest(), body, |asf, w| {
            let mut whole = [0; 64];
            let mut inner = Writer::new(&mut whole);
            asf.encode(&mut inner);
            w.bytes(&inner.written()[rmcp::HEADER_LEN..]);
        });
    }
}

/// Session headers: what is read is written back byte for byte.
fn session_header(bytes: &[u8]) {
    let mut r = Reader::new(bytes);
    let Ok(SessionHeader::RmcpPlus(header)) = SessionHeader::decode(&mut r) else {
        return;
    };
    let mut buffer = [0xa5; 32];
    let mut w = Writer::new(&mut buffer);
    header.encode(&mut w);
    // The upper half of the first byte is reserved, and dropped.
    assert_eq!(w.written()[1..], bytes[1..r.position()]);
}

/// IPMI messages: what is read is written back byte for byte, and prints.
fn lan_message(bytes: &[u8]) {
    let Ok(message) = LanMessage::decode(bytes) else {
        return;
    };
    let mut buffer = [0xa5; 4 * DATAGRAM_MAX];
    let mut w = Writer::new(&mut buffer);
    message.header.encode(&mut w, |w| w.bytes(message.body));
    if w.finish().is_ok() {
        assert_eq!(w.written(), bytes);
    }
    let line = format!("{}", OneLine(message));
    assert!(!line.contains('\n'), "a message prints as one line: {line}");
}

/// Open Session and RAKP.
fn rakp(bytes: &[u8]) {
    stable(
        bytes,
        OpenSessionRequest::decode,
        OpenSessionRequest::encode,
    );
    stable(
        bytes,
        OpenSessionResponse::decode,
        OpenSessionResponse::encode,
    );
    stable(bytes, Rakp1::decode, Rakp1::encode);
    stable(bytes, Rakp2::decode, Rakp2::encode);
    stable(bytes, Rakp3::decode, Rakp3::encode);
    stable(bytes, Rakp4::decode, Rakp4::encode);
}

/// Packets of a session with the standard suite that the first byte names: of whatever arrives only what the peer sealed is
/// opened; what it seals comes out as it went in; and what decrypts to nonsense, though the peer's code is right, does no
/// harm.
pub fn channel(bytes: &[u8]) {
    let Some((suite, bytes)) = bytes.split_first() else {
        return;
    };
    let suite = CipherSuiteId(suite % SUITES);
    let Some((mut console, mut bmc)) = channels_of(suite) else {
        return;
    };
    // A session of its own: what has no code may take any number.
    let Some((mut stranger, _)) = channels_of(suite) else {
        return;
    };
    let opened = stranger.open(&mut bytes.to_vec()).is_ok();
    assert!(
        !opened || !stranger.is_authenticated(),
        "a packet that nobody sealed was opened"
    );
    let clear = &bytes[..bytes.len().min(CHANNEL_PAYLOAD_MAX)];
    let mut out = [0; 4 * DATAGRAM_MAX];
    let sealed = bmc.seal(PayloadType::IPMI, &mut Seeded(1), &mut out, |w| {
        w.bytes(clear);
    });
    let opened = console
        .open(&mut out[..sealed.unwrap_or_default()])
        .map(|opened| opened.payload.to_vec());
    assert_eq!(opened.as_deref(), Ok(clear), "suite {}", suite.0);
    let sealed = bmc.seal_ciphertext(clear, &mut out);
    if let Ok(opened) = console.open(&mut out[..sealed.unwrap_or_default()]) {
        assert!(opened.payload.len() <= clear.len(), "longer in the clear");
    }
}

/// How many standard suites there are (§22.15.2).
const SUITES: u8 = 20;

/// Longest payload that `channel` seals: its code and padding fit a datagram beside it.
const CHANNEL_PAYLOAD_MAX: usize = 512;

/// Both ends of a session that is up: the console's and the BMC's.
fn channels_of(suite: CipherSuiteId) -> Option<(Channel, Channel)> {
    Some((channel_of(suite, 1, 2)?, channel_of(suite, 2, 1)?))
}

fn channel_of(suite: CipherSuiteId, own: u32, peer: u32) -> Option<Channel> {
    let algorithms = Algorithms::of(suite)?;
    let exchange = Exchange {
        algorithm: algorithms.auth,
        console_session_id: 1,
        bmc_session_id: 2,
        console_random: [3; 16],
        bmc_random: [4; 16],
        guid: [5; 16],
        role: Role::name_only(PrivilegeLevel::ADMINISTRATOR),
        user_name: UserName::default(),
    };
    let user = UserKey::new(b"")?;
    assert!(
        algorithms.auth == AuthAlgorithm::NONE || exchange.rakp2_code(&user).as_bytes() != [0; 20]
    );
    Channel::new(algorithms, &exchange.session_key(&user), &user, own, peer)
}

/// Records: sensor data, event log, inventory, memory modules.
pub fn records(bytes: &[u8]) {
    let _ = Spd::decode(bytes);
    stable(
        bytes,
        |r| {
            let bytes = r.rest();
            SdrRecord::decode(bytes)
        },
        SdrRecord::encode,
    );
    if let Some(record) = bytes.first_chunk() {
        let sel = SelRecord::decode(record);
        assert_eq!(SelRecord::decode(&sel.encode()).encode(), sel.encode());
        let line = format!("{}", sel.describe(SensorContext::default()));
        assert!(!line.contains('\n'), "an entry prints as one line: {line}");
    }
    if let Some((record_type, data)) = bytes.split_first() {
        let record = MultiRecord {
            record_type: MultiRecordType(*record_type),
            version: 2,
            data: data.to_vec(),
        };
        // More can't be stored.
        if data.len() <= MULTIRECORD_MAX {
            assert_eq!(record.content().encode(), data, "type {record_type:#04x}");
        }
    }
    if let Ok(fru) = Fru::decode(bytes)
        && let Ok(written) = fru.encode()
    {
        assert!(
            Fru::decode(&written).is_ok(),
            "written inventory can't be read"
        );
    }
}

/// Files of firmware: what is read is written, and reads the same again.
///
/// Once as it is; and once with the right signature, checksum and digest around it, which no fuzzer finds.
pub fn image(bytes: &[u8]) {
    let check = |file: &[u8]| {
        if let Ok(image) = UpgradeImage::parse(file) {
            let written = image.write();
            assert_eq!(UpgradeImage::parse(&written), Ok(image));
        }
    };
    check(bytes);
    let Some((header, rest)) = bytes.split_first_chunk::<IMAGE_HEADER_LEN>() else {
        return;
    };
    let (oem_len, rest) = rest.split_first().unwrap_or((&0, &[]));
    let (oem, actions) = rest.split_at(rest.len().min(usize::from(*oem_len)));
    let mut file = Vec::from(SIGNATURE);
    file.push(0);
    file.extend_from_slice(header);
    file.extend((oem.len() as u16).to_le_bytes());
    file.extend_from_slice(oem);
    file.push(file.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte)));
    file.extend_from_slice(actions);
    let digest = Md5::digest(&file);
    file.extend_from_slice(&digest);
    check(&file);
}

/// What follows the format version, up to the length of the OEM data.
const IMAGE_HEADER_LEN: usize = 23;

/// All commands of the table, requests and answers; and SOL packets, on a line of their own.
pub fn commands(bytes: &[u8]) {
    for row in COMMANDS {
        if let Ok(codec) = row.codec {
            (codec.laws)(bytes);
        }
    }
    for row in OEM_COMMANDS {
        (row.codec.laws)(bytes);
    }
    let mut r = Reader::new(bytes);
    if let Ok(packet) = SolPacket::decode(&mut r) {
        let mut buffer = [0; 4 * DATAGRAM_MAX];
        let mut w = Writer::new(&mut buffer);
        packet.encode(&mut w);
        if w.finish().is_ok() {
            assert_eq!(SolPacket::decode(&mut Reader::new(w.written())), Ok(packet));
        }
    }
    let mut line = SolLine::new(SolRetry::default());
    let _ = line.handle(Instant::ORIGIN, bytes);
    line.poll_transmit(Instant::ORIGIN, &mut Writer::new(&mut [0; DATAGRAM_MAX]));
}

#[cfg(test)]
mod tests {
    use super::conversation::Seeded;
    use super::*;
    use crate::entropy::Entropy;

    type Law = (&'static str, fn(&[u8]));

    /// What reads bytes.
    const DECODERS: [Law; 5] = [
        ("datagram", datagram),
        ("channel", channel),
        ("records", records),
        ("commands", commands),
        ("image", image),
    ];
    /// What does as a script says.
    const SCRIPTED: [Law; 3] = [
        ("conversation", conversation),
        ("sol", sol),
        ("walks", walks),
    ];

    /// What the fuzzer has kept for a target: hexadecimal digits, an input a line.
    fn corpus(name: &str) -> Vec<Vec<u8>> {
        let file = format!("../../fuzz/corpus/{name}.hex");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(path).unwrap();
        let pair =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        text.lines()
            .map(|line| line.as_bytes().chunks(2).map(pair).collect())
            .collect()
    }

    fn golden_datagrams() -> Vec<Vec<u8>> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
        let mut datagrams = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for word in text.split_whitespace().filter(|word| word.len() >= 16) {
                let byte = |i: usize| u8::from_str_radix(word.get(i..i + 2)?, 16).ok();
                let bytes: Option<Vec<u8>> = (0..word.len()).step_by(2).map(byte).collect();
                datagrams.extend(bytes);
            }
        }
        assert!(datagrams.len() > 50, "{} golden datagrams", datagrams.len());
        datagrams
    }

    #[test]
    fn the_laws_hold_for_golden_datagrams_cut_and_changed() {
        let mut random = Seeded(3);
        for mut bytes in golden_datagrams() {
            let [cut, at, value, kind] = random.next_u32().to_le_bytes();
            if kind % 3 == 0 {
                bytes.truncate(usize::from(cut).checked_rem(bytes.len()).unwrap_or(0));
            }
            if let Some(index) = usize::from(at).checked_rem(bytes.len())
                && kind % 2 == 0
            {
                bytes[index] = value;
            }
            for (_, law) in DECODERS {
                law(&bytes);
                // The same without the headers, where payloads begin.
                [4, 14, 16]
                    .into_iter()
                    .filter_map(|at| bytes.get(at..))
                    .for_each(law);
            }
        }
    }

    #[test]
    fn the_laws_hold_for_seeded_bytes() {
        let mut random = Seeded(4);
        for _ in 0..3_000 {
            let len = usize::from(random.next_u32().to_le_bytes()[0] % 80);
            let mut bytes = std::vec![0; len];
            random.fill(&mut bytes);
            DECODERS.into_iter().for_each(|(_, law)| law(&bytes));
        }
    }
    #[test]
    fn the_laws_hold_for_what_the_fuzzer_has_kept() {
        for (name, law) in DECODERS.into_iter().chain(SCRIPTED) {
            let inputs = corpus(name);
            assert!(inputs.len() > 10, "{name} has {} inputs", inputs.len());
            inputs.iter().for_each(|input| law(input));
        }
    }
}
