//! Golden datagrams: ipmitool talking to OpenIPMI's ipmi_sim, captured, and what our code makes of them.
//!
//! The vectors are in `crates/ipmi/vectors`, hex a datagram (`>` from the console, `<` from the BMC), with what tshark
//! says is inside. Each was captured by `cargo xtask capture`. They are evidence: nobody edits one; new ones get new
//! names. Where a test here fails, our code is wrong, or a vector shows a behaviour that needs a test of its own.

// All of it is test code, helpers too: clippy judges them as such.
#![cfg(test)]

mod print;
mod records;
mod v15;
mod vector;

use ipmi::command::app::{
    CloseSession, GetChannelAuthenticationCapabilities, GetDeviceId, SetSessionPrivilegeLevel,
};
use ipmi::command::chassis::GetChassisStatus;
use ipmi::command::sensor::{GetSensorEventEnable, GetSensorReading, GetSensorThresholds};
use ipmi::command::storage::{
    GetFruInventoryAreaInfo, GetSdr, GetSdrRepositoryInfo, GetSelEntry, GetSelInfo, ReadFruData,
    ReserveSdrRepository,
};
use ipmi::command::{Command, Message};
use ipmi::crypto::{Algorithms, Channel};
use ipmi::entropy::Entropy;
use ipmi::number::{CipherSuiteId, PayloadType};
use ipmi::wire::message::LanMessage;
use ipmi::wire::rakp::{
    OpenSessionRequest, OpenSessionResponse, Proposal, Rakp1, Rakp2, Rakp3, Rakp4,
};
use ipmi::wire::session::{SessionHeader, encode_sessionless, encode_v15_sessionless};
use ipmi::wire::{DATAGRAM_MAX, Reader, Writer};
use vector::{Vector, header};

/// Written by `write` into a buffer full of rubbish: every byte must be set.
fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = [0xa5; DATAGRAM_MAX];
    let mut w = Writer::new(&mut buffer);
    write(&mut w);
    w.finish().unwrap();
    w.written().to_vec()
}

/// Hands out the bytes that the captured console drew.
struct Captured<'a>(&'a [u8]);

impl Entropy for Captured<'_> {
    fn fill(&mut self, out: &mut [u8]) {
        let (now, later) = self.0.split_at(out.len());
        out.copy_from_slice(now);
        self.0 = later;
    }
}

#[test]
fn every_datagram_outside_a_session_is_read_and_written_back_byte_for_byte() {
    for vector in Vector::all() {
        let mut seen = 0;
        for datagram in &vector.datagrams {
            let (header, at) = header(&datagram.bytes);
            if header.session_id() != 0 {
                continue;
            }
            let payload = &datagram.bytes[at..at + header.payload_len()];
            let again = match header {
                SessionHeader::V15(_) => {
                    let message = LanMessage::decode(payload).unwrap();
                    written(|w| {
                        encode_v15_sessionless(w, |w| {
                            message.header.encode(w, |w| w.bytes(message.body));
                        });
                    })
                }
                SessionHeader::RmcpPlus(header) => {
                    let payload_type = header.payload_type;
                    written(|w| {
                        encode_sessionless(payload_type, w, |w| rewrite(payload_type, payload, w));
                    })
                }
            };
            assert_eq!(again, datagram.bytes, "{}", vector.name);
            seen += 1;
        }
        // Two of Get Channel Authentication Capabilities, two of Open Session, four of RAKP.
        assert_eq!(seen, 8, "{}", vector.name);
    }
}

/// Decodes a handshake payload and encodes what was decoded.
fn rewrite(payload_type: PayloadType, payload: &[u8], w: &mut Writer<'_>) {
    let r = &mut Reader::new(payload);
    match payload_type {
        PayloadType::OPEN_SESSION_REQUEST => OpenSessionRequest::decode(r).unwrap().encode(w),
        PayloadType::OPEN_SESSION_RESPONSE => OpenSessionResponse::decode(r).unwrap().encode(w),
        PayloadType::RAKP_1 => Rakp1::decode(r).unwrap().encode(w),
        PayloadType::RAKP_2 => Rakp2::decode(r).unwrap().encode(w),
        PayloadType::RAKP_3 => Rakp3::decode(r).unwrap().encode(w),
        PayloadType::RAKP_4 => Rakp4::decode(r).unwrap().encode(w),
        other => panic!("{other:?} outside a session"),
    }
    assert_eq!(r.remaining(), 0, "{payload_type:?}");
}

#[test]
fn the_suite_that_ipmitool_was_told_is_the_one_it_proposes() {
    for vector in Vector::all() {
        let payload = vector.payload(PayloadType::OPEN_SESSION_REQUEST);
        let request = OpenSessionRequest::decode(&mut Reader::new(payload)).unwrap();
        assert_eq!(
            Some(request.algorithms),
            Algorithms::of(vector.suite).map(Proposal::from),
            "{}",
            vector.name
        );
        let agreed = Proposal::from(vector.exchange().1);
        assert_eq!(agreed, request.algorithms, "{}", vector.name);
    }
}

#[test]
fn the_codes_of_rakp_2_3_and_4_come_out_as_both_sides_sent_them() {
    for vector in Vector::all() {
        let (exchange, _) = vector.exchange();
        let rakp2 = Rakp2::decode(&mut Reader::new(vector.payload(PayloadType::RAKP_2))).unwrap();
        let rakp3 = Rakp3::decode(&mut Reader::new(vector.payload(PayloadType::RAKP_3))).unwrap();
        let rakp4 = Rakp4::decode(&mut Reader::new(vector.payload(PayloadType::RAKP_4))).unwrap();
        let name = &vector.name;
        let code = |code: &ipmi::crypto::Code| code.as_bytes().to_vec();
        assert_eq!(
            code(&exchange.rakp2_code(&vector.password)),
            code(&rakp2.outcome.unwrap().code),
            "{name}"
        );
        assert_eq!(
            code(&exchange.rakp3_code(&vector.password)),
            code(&rakp3.outcome.unwrap()),
            "{name}"
        );
        assert_eq!(
            code(&exchange.rakp4_code(&vector.session_key())),
            code(&rakp4.outcome.unwrap()),
            "{name}"
        );
    }
}

#[test]
fn every_protected_datagram_opens_to_what_an_independent_program_found_inside() {
    for vector in Vector::all() {
        let messages = vector.messages();
        assert!(
            messages.len() >= 12,
            "{}: {} messages",
            vector.name,
            messages.len()
        );
        for (datagram, (_, message)) in vector.in_session().zip(&messages) {
            // Suite 0 protects nothing, so nothing had to be opened.
            let expected = datagram.opened.as_ref();
            assert!(
                expected.is_none_or(|expected| expected == message),
                "{}",
                vector.name
            );
            assert_eq!(
                expected.is_none(),
                vector.suite == CipherSuiteId(0),
                "{}",
                vector.name
            );
        }
    }
}

/// Moves a channel's counter so that the next packet gets this sequence number.
fn skip_to(channel: &mut Channel, next: &mut u32, sequence: u32) {
    let mut out = [0; DATAGRAM_MAX];
    while *next < sequence {
        channel
            .seal(PayloadType::IPMI, &mut Captured(&[0; 16]), &mut out, |_| {})
            .unwrap();
        *next += 1;
    }
    *next += 1;
}

#[test]
fn given_its_random_numbers_we_make_the_same_bytes_as_ipmitool_and_ipmi_sim() {
    for vector in Vector::all() {
        let (mut console, mut bmc) = vector.channels();
        // ipmitool begins at 3, ipmi_sim at 1; each counts on from there.
        let (mut console_next, mut bmc_next) = (1, 1);
        for (datagram, (_, message)) in vector.in_session().zip(vector.messages()) {
            let (SessionHeader::RmcpPlus(header), at) = header(&datagram.bytes) else {
                panic!("{}: an IPMI 1.5 packet inside a session", vector.name);
            };
            let (sender, next) = if datagram.from_console {
                (&mut console, &mut console_next)
            } else {
                (&mut bmc, &mut bmc_next)
            };
            skip_to(sender, next, header.sequence);
            let mut iv = Captured(&datagram.bytes[at..]);
            let mut out = [0xa5; DATAGRAM_MAX];
            let message = LanMessage::decode(&message).unwrap();
            let len = sender
                .seal(PayloadType::IPMI, &mut iv, &mut out, |w| {
                    message.header.encode(w, |w| w.bytes(message.body));
                })
                .unwrap();
            assert_eq!(&out[..len], datagram.bytes, "{}", vector.name);
        }
    }
}

#[test]
fn a_changed_bit_anywhere_in_a_protected_datagram_is_noticed() {
    let vector = Vector::all()
        .into_iter()
        .find(|v| v.suite == CipherSuiteId(3))
        .unwrap();
    let datagram = vector.in_session().next().unwrap();
    // From the authentication type on; the RMCP header before it is not covered (§13.28.4).
    for bit in 4 * 8..datagram.bytes.len() * 8 {
        let (_, mut bmc) = vector.channels();
        let mut bytes = datagram.bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(bmc.open(&mut bytes).is_err(), "bit {bit}");
    }
}

/// Decodes a captured request and its answer as `C` and encodes both again. Whether it was one.
fn same_again<C: Command>(request: &LanMessage<'_>, response: &LanMessage<'_>) -> bool {
    if (request.header.netfn, request.header.cmd) != (C::NETFN, C::CMD) {
        return false;
    }
    let name = C::NAME;
    let command = C::decode(&mut Reader::new(request.body));
    let command = command.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(written(|w| command.encode(w)), request.body, "{name}");
    if let Some((0, data)) = response.body.split_first() {
        let answer = C::Response::decode(&mut Reader::new(data));
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut expected = data.to_vec();
        // "Reserved, returned as 1b" (§35.14); ipmi_sim leaves it 0.
        if let ("Get Sensor Reading", Some(states)) = (name, expected.get_mut(3)) {
            *states |= 0x80;
        }
        assert_eq!(written(|w| answer.encode(w)), expected, "{name}");
    }
    true
}

#[test]
fn every_command_that_we_have_reads_and_writes_what_both_sides_sent() {
    const COMMANDS: [fn(&LanMessage<'_>, &LanMessage<'_>) -> bool; 15] = [
        same_again::<GetChannelAuthenticationCapabilities>,
        same_again::<SetSessionPrivilegeLevel>,
        same_again::<CloseSession>,
        same_again::<GetDeviceId>,
        same_again::<GetChassisStatus>,
        same_again::<GetSensorReading>,
        same_again::<GetSensorThresholds>,
        same_again::<GetSensorEventEnable>,
        same_again::<GetSdrRepositoryInfo>,
        same_again::<ReserveSdrRepository>,
        same_again::<GetSdr>,
        same_again::<GetSelInfo>,
        same_again::<GetSelEntry>,
        same_again::<GetFruInventoryAreaInfo>,
        same_again::<ReadFruData>,
    ];
    let mut seen = [0; COMMANDS.len()];
    for vector in Vector::all() {
        let mut messages: Vec<Vec<u8>> = Vec::new();
        for datagram in vector.datagrams.iter().take(2) {
            let (_, at) = header(&datagram.bytes);
            messages.push(datagram.bytes[at..].to_vec());
        }
        messages.extend(vector.messages().into_iter().map(|(_, message)| message));
        for pair in messages.chunks(2) {
            let request = LanMessage::decode(&pair[0]).unwrap();
            let response = LanMessage::decode(&pair[1]).unwrap();
            assert_eq!(
                response.header,
                request.header.response(),
                "{}",
                vector.name
            );
            for (command, seen) in COMMANDS.iter().zip(&mut seen) {
                *seen += usize::from(command(&request, &response));
            }
        }
    }
    assert!(
        seen.iter().all(|count| *count > 0),
        "not every command was seen: {seen:?}"
    );
}
