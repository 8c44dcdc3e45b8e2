//! An active session's packets: sealing ours, opening the peer's (§13.6, §13.28.4, §13.29). Same on both ends.

use alloc::boxed::Box;
use core::fmt;

use super::aes_cbc::{self, AesCbc};
use super::exchange::{SessionKey, UserKey};
use super::integrity::Integrity;
use super::suite::Algorithms;
use super::xrc4::{self, Xrc4};
use crate::entropy::Entropy;
use crate::number::{ConfidentialityAlgorithm, KeyConstant, PayloadType};
use crate::sequence::{SequenceCounter, SequenceRefused, SequenceWindow};
use crate::wire::session::{self, OemPayload, RMCP_PLUS_HEADER_LEN, RmcpPlusHeader, SessionHeader};
use crate::wire::{BufferFull, Reader, WireError, WireFault, Writer, rmcp};

/// Value of the "next header" byte that ends the covered part of a packet (§13.6).
const NEXT_HEADER: u8 = 0x07;

/// The key schedule lies in the session so that a packet touches no further cache lines.
enum Confidentiality {
    None,
    Aes(AesCbc),
    /// Weak and rare: it takes no room in sessions that don't have it.
    Xrc4(Box<Xrc4>),
}

impl Confidentiality {
    fn new(algorithm: ConfidentialityAlgorithm, key: &SessionKey) -> Option<Self> {
        let k2 = key.additional(KeyConstant::K2);
        let xrc4 = |bits| Xrc4::new(&k2, bits).map(|xrc4| Self::Xrc4(Box::new(xrc4)));
        match algorithm {
            ConfidentialityAlgorithm::NONE => Some(Self::None),
            ConfidentialityAlgorithm::AES_CBC_128 => Some(Self::Aes(AesCbc::new(k2.first_16()?))),
            ConfidentialityAlgorithm::XRC4_128 => xrc4(128),
            ConfidentialityAlgorithm::XRC4_40 => xrc4(40),
            _ => None,
        }
    }

    const fn encrypts(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// Keys and counters of one active session.
pub struct Channel {
    peer_session_id: u32,
    own_session_id: u32,
    integrity: Integrity,
    confidentiality: Confidentiality,
    outbound: SequenceCounter,
    inbound: SequenceWindow,
}

/// A packet that passed every check, decrypted.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened<'d> {
    /// What the payload is.
    pub payload_type: PayloadType,
    /// The packet's session sequence number.
    pub sequence: u32,
    /// Whose payload it is, with [`PayloadType::OEM_EXPLICIT`].
    pub oem: Option<OemPayload>,
    /// The payload in the clear.
    pub payload: &'d mut [u8],
}

/// Why a packet is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The bytes are no RMCP+ packet.
    Wire(WireError),
    /// The packet names another session.
    OtherSession,
    /// The packet lacks the protection that was agreed.
    Unprotected,
    /// The integrity code does not match.
    BadIntegrity,
    /// The sequence number was taken before, or is outside the window.
    Sequence(SequenceRefused),
    /// The decrypted payload's padding is wrong.
    BadPadding,
    /// The payload goes on in a key stream of which we missed the beginning, or too much.
    KeyStreamLost,
}

impl From<WireError> for OpenError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl Channel {
    /// Prepares a session's keys; `None` for algorithms that this crate doesn't have.
    ///
    /// `user` is the user's password, from which MD5-128 makes its codes.
    #[must_use]
    pub fn new(
        algorithms: Algorithms,
        key: &SessionKey,
        user: &UserKey,
        own_session_id: u32,
        peer_session_id: u32,
    ) -> Option<Self> {
        Some(Self {
            peer_session_id,
            own_session_id,
            integrity: Integrity::new(algorithms.integrity, key, user)?,
            confidentiality: Confidentiality::new(algorithms.confidentiality, key)?,
            outbound: SequenceCounter::default(),
            inbound: SequenceWindow::default(),
        })
    }

    /// Leaves out the next packet's number, as some BMCs do.
    pub(crate) const fn skip_number(&mut self) {
        self.outbound.next();
    }

    /// Takes the packet of this number next, whichever came before: for who looks on, and can't send anything.
    pub(crate) const fn expect(&mut self, sequence: u32) {
        self.inbound = SequenceWindow::starting_at(sequence);
    }

    /// Writes a whole datagram into `out` and returns its length; `payload` writes the payload.
    ///
    /// For [`PayloadType::OEM_EXPLICIT`] see [`seal_oem`](Self::seal_oem).
    ///
    /// # Errors
    /// [`BufferFull`] where `out` is too short.
    pub fn seal(
        &mut self,
        payload_type: PayloadType,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
        payload: impl FnOnce(&mut Writer<'_>),
    ) -> Result<usize, BufferFull> {
        let header = RmcpPlusHeader::sessionless(payload_type);
        self.seal_as(header, entropy, out, payload)
    }

    /// The same for a payload of a maker's own; it takes six bytes more (§13.6).
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn seal_oem(
        &mut self,
        oem: OemPayload,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
        payload: impl FnOnce(&mut Writer<'_>),
    ) -> Result<usize, BufferFull> {
        let header = RmcpPlusHeader {
            oem: Some(oem),
            ..RmcpPlusHeader::sessionless(PayloadType::OEM_EXPLICIT)
        };
        self.seal_as(header, entropy, out, payload)
    }

    /// The header as the session has it, with the next number.
    const fn numbered(&mut self, header: RmcpPlusHeader) -> RmcpPlusHeader {
        RmcpPlusHeader {
            encrypted: self.confidentiality.encrypts(),
            authenticated: self.integrity.code_len() != 0,
            session_id: self.peer_session_id,
            sequence: self.outbound.next(),
            ..header
        }
    }

    fn seal_as(
        &mut self,
        header: RmcpPlusHeader,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
        payload: impl FnOnce(&mut Writer<'_>),
    ) -> Result<usize, BufferFull> {
        let mut w = Writer::new(out);
        rmcp::encode(rmcp::Class::Ipmi, &mut w);
        let header = self.numbered(header);
        header.encode(&mut w);
        let payload_at = w.position();
        match &self.confidentiality {
            Confidentiality::None => payload(&mut w),
            Confidentiality::Aes(aes) => {
                let mut iv = [0; aes_cbc::BLOCK];
                entropy.fill(&mut iv);
                w.bytes(&iv);
                payload(&mut w);
                w.finish()?;
                aes.seal(&mut w, payload_at);
            }
            Confidentiality::Xrc4(xrc4) => {
                Xrc4::begin(entropy, &mut w);
                payload(&mut w);
                w.finish()?;
                xrc4.seal(&mut w, payload_at);
            }
        }
        let len = w.position() - payload_at;
        session::patch_payload_len(w.written_mut(), payload_at, len);
        if header.authenticated {
            self.seal_trailer(&mut w);
        }
        w.finish()
    }

    /// Writes a packet whose payload is said to be encrypted, with a code that is right: what only a peer with the keys
    /// can send, and only one that errs does.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn seal_ciphertext(
        &mut self,
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, BufferFull> {
        let mut w = Writer::new(out);
        rmcp::encode(rmcp::Class::Ipmi, &mut w);
        let header = self.numbered(RmcpPlusHeader::sessionless(PayloadType::IPMI));
        header.encode(&mut w);
        let payload_at = w.position();
        w.bytes(ciphertext);
        session::patch_payload_len(w.written_mut(), payload_at, ciphertext.len());
        if header.authenticated {
            self.seal_trailer(&mut w);
        }
        w.finish()
    }

    /// Pads the covered part to a multiple of four bytes and appends the code.
    fn seal_trailer(&self, w: &mut Writer<'_>) {
        const PAD: [u8; 3] = [0xff; 3];
        let pad = w
            .position()
            .wrapping_sub(rmcp::HEADER_LEN)
            .wrapping_add(2)
            .wrapping_neg()
            % 4;
        w.bytes(&PAD[..pad]);
        w.bytes(&[u8::try_from(pad).unwrap_or(0), NEXT_HEADER]);
        self.integrity.seal(w, rmcp::HEADER_LEN);
    }

    /// Checks and decrypts a datagram in place: session, protection, integrity, sequence number, padding, in
    /// this order.
    ///
    /// # Errors
    /// [`OpenError`]; only a packet whose integrity holds moves the sequence window.
    pub fn open<'d>(&mut self, datagram: &'d mut [u8]) -> Result<Opened<'d>, OpenError> {
        let mut r = Reader::new(datagram);
        if rmcp::decode(&mut r)? != rmcp::Class::Ipmi {
            return Err(r.error("RMCP class", WireFault::Invalid).into());
        }
        let SessionHeader::RmcpPlus(header) = SessionHeader::decode(&mut r)? else {
            return Err(OpenError::Unprotected);
        };
        if header.session_id != self.own_session_id {
            return Err(OpenError::OtherSession);
        }
        let code_len = self.integrity.code_len();
        let encrypts = self.confidentiality.encrypts();
        if header.authenticated != (code_len != 0) || header.encrypted != encrypts {
            return Err(OpenError::Unprotected);
        }
        let payload_at = r.position();
        let payload_len = usize::from(header.payload_len);
        if code_len != 0 {
            let covered_len = datagram
                .len()
                .checked_sub(code_len)
                .filter(|len| *len >= payload_at + payload_len + 2)
                .ok_or_else(|| r.error("session trailer", WireFault::Truncated))?;
            let (covered, code) = datagram.split_at(covered_len);
            if !self.integrity.verify(&covered[rmcp::HEADER_LEN..], code) {
                return Err(OpenError::BadIntegrity);
            }
        }
        self.inbound
            .accept(header.sequence)
            .map_err(OpenError::Sequence)?;
        let payload = &mut datagram[payload_at..payload_at + payload_len];
        let payload = match &mut self.confidentiality {
            Confidentiality::None => payload,
            Confidentiality::Aes(aes) => aes.open(payload).ok_or(OpenError::BadPadding)?,
            Confidentiality::Xrc4(xrc4) => xrc4.open(payload).ok_or(OpenError::KeyStreamLost)?,
        };
        Ok(Opened {
            payload_type: header.payload_type,
            sequence: header.sequence,
            oem: header.oem,
            payload,
        })
    }

    /// Whether payloads are encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.confidentiality.encrypts()
    }

    /// Whether packets have a code that only the peer can make.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        !matches!(self.integrity, Integrity::None)
    }

    /// The peer's session ID, which our packets carry.
    #[must_use]
    pub const fn peer_session_id(&self) -> u32 {
        self.peer_session_id
    }

    /// Our session ID, which the peer's packets carry.
    #[must_use]
    pub const fn own_session_id(&self) -> u32 {
        self.own_session_id
    }

    /// Longest payload in the clear that fits a datagram of `datagram_len` bytes.
    #[must_use]
    pub const fn payload_max(&self, datagram_len: usize) -> usize {
        let overhead = rmcp::HEADER_LEN + RMCP_PLUS_HEADER_LEN + 5 + self.integrity.code_len();
        let room = datagram_len.saturating_sub(overhead);
        match self.confidentiality {
            Confidentiality::None => room,
            Confidentiality::Aes(_) => {
                let blocks = room.saturating_sub(aes_cbc::BLOCK) / aes_cbc::BLOCK;
                (blocks * aes_cbc::BLOCK).saturating_sub(1)
            }
            Confidentiality::Xrc4(_) => room.saturating_sub(xrc4::HEADER),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("own_session_id", &self.own_session_id)
            .field("peer_session_id", &self.peer_session_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Exchange, UserKey};
    use crate::number::{CipherSuiteId, PrivilegeLevel};
    use crate::wire::rakp::{Role, UserName};

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, out: &mut [u8]) {
            for byte in out {
                self.0 = self.0.wrapping_add(1);
                *byte = self.0;
            }
        }
    }

    /// Both ends of a session.
    fn ends(suite: u8) -> (Channel, Channel) {
        let algorithms = Algorithms::of(CipherSuiteId(suite)).unwrap();
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
        let user = UserKey::new(b"password").unwrap();
        let key = exchange.session_key(&user);
        let end = |own, peer| Channel::new(algorithms, &key, &user, own, peer).unwrap();
        (end(1, 2), end(2, 1))
    }

    const SUITES: core::ops::Range<u8> = 0..20;

    #[test]
    fn what_one_end_seals_the_other_opens() {
        for suite in SUITES {
            let (mut console, mut bmc) = ends(suite);
            for len in 0..300usize {
                let plain: std::vec::Vec<u8> = (0..len).map(|i| i.to_le_bytes()[0]).collect();
                let mut out = [0xa5; 512];
                let sealed = console.seal(PayloadType::SOL, &mut Counting(0), &mut out, |w| {
                    w.bytes(&plain);
                });
                let datagram = &mut out[..sealed.unwrap()];
                let opened = bmc.open(datagram).unwrap();
                assert_eq!(
                    (opened.payload_type, &*opened.payload),
                    (PayloadType::SOL, &plain[..])
                );
            }
        }
    }

    #[test]
    fn a_makers_own_payload_says_whose_it_is() {
        let (enterprise, id) = (674, 0x1234);
        for suite in SUITES {
            let (mut console, mut bmc) = ends(suite);
            let mut out = [0xa5; 128];
            let oem = OemPayload { enterprise, id };
            let sealed = console.seal_oem(oem, &mut Counting(0), &mut out, |w| w.bytes(&[1, 2, 3]));
            let opened = bmc.open(&mut out[..sealed.unwrap()]).unwrap();
            assert_eq!(opened.payload_type, PayloadType::OEM_EXPLICIT);
            assert_eq!((opened.oem, &*opened.payload), (Some(oem), &[1, 2, 3][..]));
            // Without a maker the fields are there nevertheless.
            let sealed = console.seal(PayloadType::OEM_EXPLICIT, &mut Counting(0), &mut out, |w| {
                w.u8(4);
            });
            let opened = bmc.open(&mut out[..sealed.unwrap()]).unwrap();
            let nobody = Some(OemPayload::default());
            assert_eq!((opened.oem, &*opened.payload), (nobody, &[4][..]));
        }
    }

    #[test]
    fn a_get_sensor_reading_has_64_bytes_with_suite_3_and_68_with_suite_17() {
        for (suite, len) in [(3, 64), (17, 68)] {
            let (mut console, _) = ends(suite);
            let mut out = [0; 128];
            let sealed = console.seal(PayloadType::IPMI, &mut Counting(0), &mut out, |w| {
                w.bytes(&[0; 8]);
            });
            assert_eq!(sealed, Ok(len));
        }
    }

    #[test]
    fn the_longest_payload_fits_and_a_longer_one_does_not() {
        for suite in SUITES {
            for room in 68..200 {
                let (mut console, _) = ends(suite);
                let longest = console.payload_max(room);
                let mut out = [0; 256];
                let mut seal = |len: usize| {
                    console.seal(PayloadType::IPMI, &mut Counting(0), &mut out[..room], |w| {
                        w.bytes(&[7; 256][..len]);
                    })
                };
                assert!(seal(longest).is_ok(), "suite {suite}, {longest} in {room}");
                // Padding varies by up to three bytes, and AES by a block.
                assert_eq!(seal(longest + 17), Err(BufferFull), "suite {suite}, {room}");
            }
        }
    }

    #[test]
    fn a_packet_without_the_agreed_protection_is_refused() {
        let (mut console, _) = ends(0);
        let mut out = [0; 128];
        let plain = console.seal(PayloadType::IPMI, &mut Counting(0), &mut out, |w| w.u8(1));
        let plain = &out[..plain.unwrap()];
        for suite in SUITES.skip(2).filter(|suite| ![6, 15].contains(suite)) {
            let (_, mut bmc) = ends(suite);
            assert_eq!(bmc.open(&mut plain.to_vec()), Err(OpenError::Unprotected));
            // Pretending by the flags doesn't help either.
            for flags in [0x40, 0x80, 0xc0] {
                let mut pretending = plain.to_vec();
                pretending[5] |= flags;
                assert!(bmc.open(&mut pretending).is_err());
            }
        }
    }

    #[test]
    fn a_packet_is_opened_once_and_a_forged_one_moves_no_window() {
        let (mut console, mut bmc) = ends(17);
        let mut out = [0; 128];
        let len = console
            .seal(PayloadType::IPMI, &mut Counting(0), &mut out, |w| w.u8(1))
            .unwrap();
        let packet = out[..len].to_vec();
        let mut forged = packet.clone();
        forged[10] = 14;
        assert_eq!(bmc.open(&mut forged), Err(OpenError::BadIntegrity));
        assert!(bmc.open(&mut packet.clone()).is_ok());
        let duplicate = Err(OpenError::Sequence(SequenceRefused::Duplicate));
        assert_eq!(bmc.open(&mut packet.clone()), duplicate);
        assert_eq!(
            console.open(&mut packet.clone()),
            Err(OpenError::OtherSession)
        );
    }

    #[test]
    fn a_code_with_one_bit_changed_or_of_another_length_is_refused() {
        for suite in SUITES {
            let (mut console, mut bmc) = ends(suite);
            let mut out = [0; 128];
            let len = console
                .seal(PayloadType::IPMI, &mut Counting(0), &mut out, |w| w.u8(1))
                .unwrap();
            let code_len = console.integrity.code_len();
            for bit in 0..code_len * 8 {
                let mut forged = out;
                forged[len - code_len + bit / 8] ^= 1 << (bit % 8);
                let opened = bmc.open(&mut forged[..len]);
                assert_eq!(
                    opened.err(),
                    Some(OpenError::BadIntegrity),
                    "suite {suite} bit {bit}"
                );
            }
            for other in (0..out.len()).filter(|other| *other != len && code_len != 0) {
                let mut forged = out;
                assert!(
                    bmc.open(&mut forged[..other]).is_err(),
                    "suite {suite} length {other}"
                );
            }
            assert!(bmc.open(&mut out[..len]).is_ok(), "suite {suite}");
        }
    }

    #[test]
    fn two_packets_never_share_an_initialisation_vector() {
        let (mut console, _) = ends(3);
        let mut entropy = Counting(0);
        let mut iv = || {
            let mut out = [0; 128];
            console
                .seal(PayloadType::IPMI, &mut entropy, &mut out, |w| w.u8(1))
                .unwrap();
            out[16..32].to_vec()
        };
        assert_ne!(iv(), iv());
    }
}
