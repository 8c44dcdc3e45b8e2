//! Packets of an IPMI 1.5 session (§13.6, §22.17.1): each carries a code over password, session, message and sequence
//! number. Nothing is hidden, and with a straight password the code is the password itself.

use core::fmt;

use md5::Digest;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::channel::{OpenError, Opened};
use super::exchange::UserKey;
use crate::number::{AuthType, PayloadType};
use crate::sequence::{SequenceCounter, SequenceWindow, V15_WINDOW};
use crate::wire::session::{SessionHeader, V15_CODE_LEN, V15Header, encode_v15};
use crate::wire::{BufferFull, Reader, WireFault, Writer, rmcp};

/// Longest password of an IPMI 1.5 session, in bytes.
pub const V15_PASSWORD_MAX: usize = 16;

/// Bytes around a message in a datagram: RMCP and session header with code, and the byte that avoids unlucky lengths.
const OVERHEAD: usize = rmcp::HEADER_LEN + 1 + 4 + 4 + V15_CODE_LEN + 1 + 1;

/// Whether packets can be authenticated so: "none", MD2, MD5 or straight password.
#[must_use]
pub const fn is_implemented(auth_type: AuthType) -> bool {
    matches!(
        auth_type,
        AuthType::NONE | AuthType::MD2 | AuthType::MD5 | AuthType::PASSWORD
    )
}

/// What makes authentication codes: the type and the password.
#[derive(Clone)]
pub struct V15Key {
    auth_type: AuthType,
    password: [u8; V15_PASSWORD_MAX],
}

impl Drop for V15Key {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}

impl fmt::Debug for V15Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "V15Key({}, redacted)", self.auth_type)
    }
}

impl V15Key {
    /// `None` for another type, and for a password of more than 16 bytes.
    #[must_use]
    pub fn new(auth_type: AuthType, user: &UserKey) -> Option<Self> {
        let (password, rest) = user.as_bytes().split_first_chunk()?;
        let fits = rest.iter().all(|byte| *byte == 0);
        (fits && is_implemented(auth_type)).then_some(Self {
            auth_type,
            password: *password,
        })
    }

    /// How it authenticates.
    #[must_use]
    pub const fn auth_type(&self) -> AuthType {
        self.auth_type
    }

    /// The code of a message (§22.17.1): for MD2 and MD5 the digest of password, session ID, message, sequence number
    /// and password.
    #[must_use]
    pub fn code(&self, session_id: u32, sequence: u32, message: &[u8]) -> [u8; V15_CODE_LEN] {
        match self.auth_type {
            AuthType::PASSWORD => self.password,
            AuthType::MD5 => self
                .digest::<md5::Md5>(session_id, sequence, message)
                .into(),
            AuthType::MD2 => self
                .digest::<md2::Md2>(session_id, sequence, message)
                .into(),
            _ => [0; V15_CODE_LEN],
        }
    }

    fn digest<D: Digest>(
        &self,
        session_id: u32,
        sequence: u32,
        message: &[u8],
    ) -> md5::digest::Output<D> {
        D::new()
            .chain_update(self.password)
            .chain_update(session_id.to_le_bytes())
            .chain_update(message)
            .chain_update(sequence.to_le_bytes())
            .chain_update(self.password)
            .finalize()
    }

    /// Whether a packet carries the right code, in constant time.
    #[must_use]
    pub fn verify(&self, header: &V15Header, message: &[u8]) -> bool {
        let expected = self.code(header.session_id, header.sequence, message);
        header.auth_type == self.auth_type && bool::from(expected.ct_eq(&header.code))
    }

    /// Writes a whole datagram into `out` and returns its length; `message` writes the message.
    ///
    /// # Errors
    /// [`BufferFull`] where `out` is too short, or the message longer than 255 bytes.
    pub fn seal(
        &self,
        session_id: u32,
        sequence: u32,
        out: &mut [u8],
        message: impl FnOnce(&mut Writer<'_>),
    ) -> Result<usize, BufferFull> {
        let mut w = Writer::new(out);
        let header = V15Header {
            auth_type: self.auth_type,
            sequence,
            session_id,
            code: [0; V15_CODE_LEN],
            payload_len: 0,
        };
        encode_v15(&header, &mut w, message, |message| {
            self.code(session_id, sequence, message)
        });
        w.finish()
    }
}

/// Key and counters of one active IPMI 1.5 session.
#[derive(Debug)]
pub struct V15Channel {
    key: V15Key,
    session_id: u32,
    outbound: SequenceCounter,
    inbound: SequenceWindow<V15_WINDOW, V15_WINDOW>,
    end: End,
    /// Whether a packet may come without code.
    unauthenticated: bool,
    /// Whether the last packet that came had a code.
    had_code: bool,
    /// Numbers go with the high byte first, in both directions.
    pub(crate) byte_swapped: bool,
    /// Answers have no code, but that to Activate Session.
    pub(crate) never_a_code: bool,
}

/// Which end of a session this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Sends a code with each packet.
    Console,
    /// Answers with a code what came with one.
    Bmc,
}

impl V15Channel {
    /// A session whose packets carry `session_id`. The first that we send has number `outbound`, the peer's first
    /// `inbound`; neither is 0. With `unauthenticated` the peer's packets may come without code.
    #[must_use]
    pub const fn new(
        end: End,
        key: V15Key,
        session_id: u32,
        outbound: u32,
        inbound: u32,
        unauthenticated: bool,
    ) -> Self {
        Self {
            key,
            session_id,
            outbound: SequenceCounter::starting_at(outbound),
            inbound: SequenceWindow::starting_at(inbound),
            end,
            unauthenticated,
            had_code: true,
            byte_swapped: false,
            never_a_code: false,
        }
    }

    /// The session's ID, both ways.
    #[must_use]
    pub const fn session_id(&self) -> u32 {
        self.session_id
    }

    /// How packets are authenticated.
    #[must_use]
    pub const fn auth_type(&self) -> AuthType {
        self.key.auth_type
    }

    /// Writes a whole datagram into `out` and returns its length; `message` writes the message.
    ///
    /// # Errors
    /// [`BufferFull`] where `out` is too short, or the message longer than 255 bytes.
    pub fn seal(
        &mut self,
        out: &mut [u8],
        message: impl FnOnce(&mut Writer<'_>),
    ) -> Result<usize, BufferFull> {
        let next = self.outbound.next();
        let sequence = self.ordered(next);
        if self.had_code && !self.never_a_code || self.end == End::Console {
            return self.key.seal(self.session_id, sequence, out, message);
        }
        let none = V15Key {
            auth_type: AuthType::NONE,
            password: [0; V15_PASSWORD_MAX],
        };
        none.seal(self.session_id, sequence, out, message)
    }

    /// Whether the last packet that was opened had a code over its message.
    pub(crate) const fn had_digest(&self) -> bool {
        self.had_code && matches!(self.key.auth_type, AuthType::MD2 | AuthType::MD5)
    }

    /// A number as it goes over the wire, and back.
    const fn ordered(&self, number: u32) -> u32 {
        if self.byte_swapped {
            number.swap_bytes()
        } else {
            number
        }
    }

    /// Checks a datagram: session, code, sequence number, in this order.
    ///
    /// # Errors
    /// [`OpenError`]; only a packet whose code holds, or that needs none, moves the sequence window.
    pub fn open<'d>(&mut self, datagram: &'d mut [u8]) -> Result<Opened<'d>, OpenError> {
        let mut r = Reader::new(datagram);
        if rmcp::decode(&mut r)? != rmcp::Class::Ipmi {
            return Err(r.error("RMCP class", WireFault::Invalid).into());
        }
        let SessionHeader::V15(header) = SessionHeader::decode(&mut r)? else {
            return Err(OpenError::Unprotected);
        };
        if header.session_id != self.session_id {
            return Err(OpenError::OtherSession);
        }
        let start = r.position();
        let end = start + usize::from(header.payload_len);
        let is_authenticated = header.auth_type == self.key.auth_type;
        let needs_none = self.unauthenticated && header.auth_type == AuthType::NONE;
        if !is_authenticated && !needs_none {
            return Err(OpenError::Unprotected);
        }
        if is_authenticated && !self.key.verify(&header, &datagram[start..end]) {
            return Err(OpenError::BadIntegrity);
        }
        let sequence = self.ordered(header.sequence);
        self.inbound.accept(sequence).map_err(OpenError::Sequence)?;
        self.had_code = is_authenticated;
        Ok(Opened {
            payload_type: PayloadType::IPMI,
            sequence,
            oem: None,
            payload: &mut datagram[start..end],
        })
    }

    /// Longest message that fits a datagram of `datagram_len` bytes.
    #[must_use]
    pub const fn payload_max(&self, datagram_len: usize) -> usize {
        let room = datagram_len.saturating_sub(OVERHEAD);
        if room < 255 { room } else { 255 }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::sequence::SequenceRefused;

    const TYPES: [AuthType; 4] = [
        AuthType::NONE,
        AuthType::MD2,
        AuthType::MD5,
        AuthType::PASSWORD,
    ];

    fn key(auth_type: AuthType) -> V15Key {
        V15Key::new(auth_type, &UserKey::new(b"password").unwrap()).unwrap()
    }

    /// Both ends of a session: console, BMC.
    fn ends(auth_type: AuthType, unauthenticated: bool) -> (V15Channel, V15Channel) {
        let end = |end, outbound, inbound| {
            V15Channel::new(end, key(auth_type), 77, outbound, inbound, unauthenticated)
        };
        (
            end(End::Console, 500, u32::MAX),
            end(End::Bmc, u32::MAX, 500),
        )
    }

    fn sealed(channel: &mut V15Channel, message: &[u8]) -> Vec<u8> {
        let mut out = [0xa5; 400];
        let len = channel.seal(&mut out, |w| w.bytes(message)).unwrap();
        out[..len].to_vec()
    }

    #[test]
    fn a_code_is_the_digest_of_password_session_message_number_and_password() {
        let password = b"password\0\0\0\0\0\0\0\0";
        let parts = [
            &password[..],
            &[4, 3, 2, 1],
            b"message",
            &[8, 7, 6, 5],
            password,
        ]
        .concat();
        let code = |auth_type| key(auth_type).code(0x0102_0304, 0x0506_0708, b"message");
        assert_eq!(code(AuthType::MD5)[..], md5::Md5::digest(&parts)[..]);
        assert_eq!(code(AuthType::MD2)[..], md2::Md2::digest(&parts)[..]);
        assert_eq!(code(AuthType::PASSWORD), *password);
        assert_eq!(code(AuthType::NONE), [0; 16]);
    }

    #[test]
    fn what_one_end_seals_the_other_opens_once() {
        for auth_type in TYPES {
            let (mut console, mut bmc) = ends(auth_type, false);
            for len in 0..=255u8 {
                let message: Vec<u8> = (0..len).collect();
                let packet = sealed(&mut console, &message);
                let opened = bmc.open(&mut packet.clone()).map(|o| o.payload.to_vec());
                assert_eq!(opened, Ok(message.clone()), "{auth_type}");
                let again = bmc.open(&mut packet.clone()).map(drop);
                let duplicate = Err(OpenError::Sequence(SequenceRefused::Duplicate));
                assert_eq!(again, duplicate);
                let mut answer = sealed(&mut bmc, &message);
                assert!(console.open(&mut answer).is_ok(), "across the wrap");
            }
        }
    }

    #[test]
    fn a_changed_byte_of_a_digested_packet_is_noticed() {
        for auth_type in [AuthType::MD2, AuthType::MD5] {
            let (mut console, mut bmc) = ends(auth_type, false);
            let packet = sealed(&mut console, b"message");
            // From the authentication type to the end, but for the length.
            for at in (4..packet.len()).filter(|at| *at != 29) {
                let mut changed = packet.clone();
                changed[at] ^= 1;
                assert!(bmc.open(&mut changed).is_err(), "byte {at}");
            }
            assert!(bmc.open(&mut packet.clone()).is_ok(), "no window moved");
        }
    }

    #[test]
    fn without_code_only_where_that_was_agreed_and_answered_alike() {
        let (mut plain, _) = ends(AuthType::NONE, false);
        let packet = sealed(&mut plain, b"message");
        let (_, mut strict) = ends(AuthType::MD5, false);
        let refused = strict.open(&mut packet.clone()).map(drop);
        assert_eq!(refused, Err(OpenError::Unprotected));
        let (mut console, mut lenient) = ends(AuthType::MD5, true);
        assert!(lenient.open(&mut packet.clone()).is_ok());
        let answer = sealed(&mut lenient, b"answer");
        assert_eq!(answer[4], AuthType::NONE.0);
        assert!(console.open(&mut answer.clone()).is_ok());
        let request = sealed(&mut console, b"message");
        assert_eq!(request[4], AuthType::MD5.0, "a console always has one");
    }

    #[test]
    fn the_longest_message_fits_and_keys_are_for_passwords_of_16_bytes() {
        for room in 0..400 {
            let (mut console, _) = ends(AuthType::MD5, false);
            let len = console.payload_max(room);
            let mut out = [0; 400];
            let sealed = console.seal(&mut out[..room], |w| w.bytes(&[1; 255][..len]));
            assert_eq!(sealed.is_ok(), room >= OVERHEAD - 1, "{len} in {room}");
        }
        let user = |password: &[u8]| UserKey::new(password).unwrap();
        assert!(V15Key::new(AuthType::MD5, &user(&[1; 16])).is_some());
        assert!(V15Key::new(AuthType::MD5, &user(&[1; 17])).is_none());
        assert!(V15Key::new(AuthType::OEM, &user(b"")).is_none());
        let text = std::format!("{:?}", key(AuthType::MD5));
        assert_eq!(text, "V15Key(MD5, redacted)");
    }
}
