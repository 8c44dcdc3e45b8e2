//! Opens captured RMCP+ sessions with the password: checks every code, decrypts, and rewrites each datagram unprotected
//! so that tshark, which can't decrypt RMCP+, decodes what is inside.
//!
//! Written from IPMI 2.0 §13 by itself and sharing no code with the `ipmi` crate: an independent opinion on its bytes.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::relay::Datagram;
use crate::Result;

/// Length of a K_UID: passwords and K_G are padded to it (§13.17).
const KEY_LENGTH: usize = 20;
/// RMCP header and RMCP+ session header up to the payload (§13.6).
const HEADER_LENGTH: usize = 16;

/// Why a datagram isn't as it should be.
type Verdict<T = ()> = std::result::Result<T, String>;

/// One session as its handshake shows it.
#[derive(Default)]
struct Session {
    console_id: [u8; 4],
    bmc_id: [u8; 4],
    hash: Option<Hash>,
    integrity: Option<Hash>,
    encrypted: bool,
    console_random: Vec<u8>,
    /// Role, length of the name, and the name, as RAKP 1 has them.
    role_and_name: Vec<u8>,
    bmc_random: Vec<u8>,
    guid: Vec<u8>,
    sik: Vec<u8>,
}

/// A hash and how much of its HMAC goes into a trailer (§13.28).
#[derive(Clone, Copy)]
struct Hash {
    sha256: bool,
    trailer_length: usize,
}

const SHA1: Hash = Hash {
    sha256: false,
    trailer_length: 12,
};
const SHA256: Hash = Hash {
    sha256: true,
    trailer_length: 16,
};

impl Hash {
    fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        fn feed<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
            let mut mac =
                <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes().to_vec()
        }
        if self.sha256 {
            feed::<Hmac<Sha256>>(key, parts)
        } else {
            feed::<Hmac<Sha1>>(key, parts)
        }
    }
}

/// A capture, opened.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    /// The same datagrams without encryption and integrity.
    pub(crate) plain: Vec<Datagram>,
    /// How many key exchange and integrity codes were checked; every one was right.
    pub(crate) codes_checked: usize,
}

/// Opens every datagram of a capture. `kg` is `None` for the usual one-key login.
///
/// # Errors
/// The first datagram (counted from 1) whose code, padding or length is wrong.
pub(crate) fn open(record: &[Datagram], password: &[u8], kg: Option<&[u8]>) -> Result<Opened> {
    let mut tap = Tap {
        k_uid: padded(password),
        kg: padded(kg.unwrap_or(password)),
        sessions: Vec::new(),
        codes_checked: 0,
    };
    let mut plain = Vec::new();
    for (index, datagram) in record.iter().enumerate() {
        let bytes = tap
            .datagram(&datagram.bytes)
            .map_err(|what| format!("datagram {} of the capture: {what}", index + 1))?;
        plain.push(Datagram {
            direction: datagram.direction,
            bytes,
            lost: datagram.lost,
        });
    }
    Ok(Opened {
        plain,
        codes_checked: tap.codes_checked,
    })
}

fn padded(key: &[u8]) -> [u8; KEY_LENGTH] {
    let mut out = [0; KEY_LENGTH];
    let length = key.len().min(KEY_LENGTH);
    out[..length].copy_from_slice(&key[..length]);
    out
}

struct Tap {
    k_uid: [u8; KEY_LENGTH],
    kg: [u8; KEY_LENGTH],
    sessions: Vec<Session>,
    codes_checked: usize,
}

impl Tap {
    fn datagram(&mut self, bytes: &[u8]) -> Verdict<Vec<u8>> {
        let is_rmcp_plus = bytes.len() >= HEADER_LENGTH && bytes[3] == 7 && bytes[4] == 6;
        if !is_rmcp_plus {
            return Ok(bytes.to_vec());
        }
        let length = usize::from(u16::from_le_bytes([bytes[14], bytes[15]]));
        let end = HEADER_LENGTH + length;
        let payload = bytes
            .get(HEADER_LENGTH..end)
            .ok_or("shorter than its header says")?;
        if bytes[5] & 0xc0 != 0 {
            return self.protected(bytes, payload);
        }
        match bytes[5] & 0x3f {
            0x11 => self.open_session_response(payload)?,
            0x12 => self.rakp1(payload)?,
            0x13 => self.rakp2(payload)?,
            0x14 => self.rakp3(payload)?,
            0x15 => self.rakp4(payload)?,
            _ => {}
        }
        Ok(bytes.to_vec())
    }

    fn session(&mut self, id: &[u8]) -> Verdict<&mut Session> {
        let found = self
            .sessions
            .iter_mut()
            .rev()
            .find(|s| s.console_id == id || s.bmc_id == id);
        found.ok_or_else(|| format!("no handshake seen for session {id:02x?}"))
    }

    fn check(&mut self, what: &str, expected: &[u8], found: &[u8]) -> Verdict {
        self.codes_checked += 1;
        if expected == found {
            Ok(())
        } else {
            Err(format!("{what} is {found:02x?}, not {expected:02x?}"))
        }
    }

    fn open_session_response(&mut self, payload: &[u8]) -> Verdict {
        if payload.len() < 36 {
            return Ok(()); // A refusal; RAKP doesn't follow.
        }
        let hash = |number| match number {
            0 => Ok(None),
            1 => Ok(Some(SHA1)),
            3 | 4 => Ok(Some(SHA256)),
            other => Err(format!("algorithm {other} is not known here")),
        };
        self.sessions.push(Session {
            console_id: id(&payload[4..8]),
            bmc_id: id(&payload[8..12]),
            hash: hash(payload[16] & 0x3f)?,
            integrity: hash(payload[24] & 0x3f)?,
            encrypted: payload[32] & 0x3f == 1,
            ..Session::default()
        });
        Ok(())
    }

    fn rakp1(&mut self, payload: &[u8]) -> Verdict {
        let name_end = 28 + usize::from(*payload.get(27).ok_or("RAKP 1 is too short")?);
        let name = payload
            .get(28..name_end)
            .ok_or("RAKP 1 is shorter than its name")?;
        let session = self.session(&payload[4..8])?;
        session.console_random = payload[8..24].to_vec();
        session.role_and_name = [&[payload[24], payload[27]], name].concat();
        Ok(())
    }

    fn rakp2(&mut self, payload: &[u8]) -> Verdict {
        if payload.len() < 40 {
            return Ok(()); // An error status.
        }
        let k_uid = self.k_uid;
        let session = self.session(&payload[4..8])?;
        session.bmc_random = payload[8..24].to_vec();
        session.guid = payload[24..40].to_vec();
        let Some(hash) = session.hash else {
            return Ok(());
        };
        let Session {
            console_id,
            bmc_id,
            console_random,
            bmc_random,
            guid,
            role_and_name,
            ..
        } = session;
        let code = hash.hmac(
            &k_uid,
            &[
                console_id,
                bmc_id,
                console_random,
                bmc_random,
                guid,
                role_and_name,
            ],
        );
        self.check("RAKP 2's code", &code, &payload[40..])
    }

    fn rakp3(&mut self, payload: &[u8]) -> Verdict {
        if payload.get(1) != Some(&0) {
            return Ok(()); // The console gives up and says why.
        }
        let (k_uid, kg) = (self.k_uid, self.kg);
        let session = self.session(&payload[4..8])?;
        let Some(hash) = session.hash else {
            return Ok(());
        };
        let Session {
            console_id,
            console_random,
            bmc_random,
            role_and_name,
            ..
        } = session;
        let code = hash.hmac(&k_uid, &[bmc_random, console_id, role_and_name]);
        session.sik = hash.hmac(&kg, &[console_random, bmc_random, role_and_name]);
        self.check("RAKP 3's code", &code, &payload[8..])
    }

    fn rakp4(&mut self, payload: &[u8]) -> Verdict {
        if payload.get(1) != Some(&0) {
            return Ok(());
        }
        let session = self.session(&payload[4..8])?;
        let Some(hash) = session.hash else {
            return Ok(());
        };
        let code = hash.hmac(
            &session.sik,
            &[&session.console_random, &session.bmc_id, &session.guid],
        );
        self.check("RAKP 4's code", &code[..hash.trailer_length], &payload[8..])
    }

    /// Checks and strips the trailer, decrypts, and writes the datagram as if nothing had protected it.
    fn protected(&mut self, bytes: &[u8], payload: &[u8]) -> Verdict<Vec<u8>> {
        let session = self.session(&bytes[6..10])?;
        let (hash, integrity, encrypted) = (session.hash, session.integrity, session.encrypted);
        let sik = session.sik.clone();
        let key = |number: u8| {
            hash.map(|hash| hash.hmac(&sik, &[&[number; 20]]))
                .ok_or("a session without keys")
        };
        let authenticated = bytes[5] & 0x40 != 0;
        if let Some(integrity) = integrity.filter(|_| authenticated) {
            let code_at = bytes
                .len()
                .checked_sub(integrity.trailer_length)
                .ok_or("no room for a code")?;
            let code = integrity.hmac(&key(1)?, &[&bytes[4..code_at]]);
            self.check(
                "the integrity code",
                &code[..integrity.trailer_length],
                &bytes[code_at..],
            )?;
        }
        let body = if bytes[5] & 0x80 != 0 && encrypted {
            decrypted(&key(2)?, payload)?
        } else {
            payload.to_vec()
        };
        let mut plain = bytes[..HEADER_LENGTH].to_vec();
        plain[5] &= 0x3f;
        plain[14..16].copy_from_slice(&(body.len() as u16).to_le_bytes());
        plain.extend(body);
        Ok(plain)
    }
}

fn id(bytes: &[u8]) -> [u8; 4] {
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}

/// AES-128-CBC with the initialisation vector in front and the counted padding behind (§13.29).
fn decrypted(k2: &[u8], payload: &[u8]) -> Verdict<Vec<u8>> {
    let key: [u8; 16] = k2[..16].try_into().expect("a slice of 16 bytes");
    let cipher = Aes128::new(&key.into());
    if payload.len() < 32 || !payload.len().is_multiple_of(16) {
        return Err(format!(
            "{} bytes are no vector and whole blocks",
            payload.len()
        ));
    }
    let mut out = Vec::new();
    for (previous, block) in payload.chunks(16).zip(payload[16..].chunks(16)) {
        let block: [u8; 16] = block.try_into().expect("a chunk of 16 bytes");
        let mut block = block.into();
        cipher.decrypt_block(&mut block);
        out.extend(block.iter().zip(previous).map(|(byte, mask)| byte ^ mask));
    }
    let pad = usize::from(out[out.len() - 1]);
    let end = out
        .len()
        .checked_sub(pad + 1)
        .ok_or("more padding than message")?;
    let counted = out[end..out.len() - 1]
        .iter()
        .enumerate()
        .all(|(index, byte)| usize::from(*byte) == index + 1);
    if pad > 15 || !counted {
        return Err(format!(
            "the confidentiality padding is {:02x?}",
            &out[end..]
        ));
    }
    out.truncate(end);
    Ok(out)
}
