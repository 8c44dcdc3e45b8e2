//! An upgrade image file (HPM.1 §4): a header, then actions, each for some components; MD5 of all behind.

use ipmi::command::picmg::hpm::FirmwareVersion;
use ipmi::wire::{Reader, WireError};
use md5::{Digest, Md5};

/// How an image begins.
const SIGNATURE: [u8; 8] = *b"PICMGFWU";
/// Bytes of the MD5 at the end.
const DIGEST_LEN: usize = 16;
/// Length of the version in an upload action, and of the name behind it.
const VERSION_LEN: usize = 6;
const NAME_LEN: usize = 21;

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Whom it is for.
    pub(super) device_id: u8,
    /// Maker (IANA enterprise number, 24 bits).
    pub(super) manufacturer: u32,
    /// Product.
    pub(super) product: u16,
    /// What to do, in this order.
    pub(super) actions: Vec<Action>,
}

/// What to do with some components, one bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Keep what they have.
    Backup(u8),
    /// Get them ready.
    Prepare(u8),
    /// Load new firmware.
    Upload {
        /// One bit.
        components: u8,
        /// Its version.
        version: FirmwareVersion,
        /// The firmware.
        data: Vec<u8>,
    },
}

impl Image {
    /// Reads a file, and checks header, actions and digest.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn decode(file: &[u8]) -> Result<Self, String> {
        let at = file.len().checked_sub(DIGEST_LEN);
        let (content, digest) = file.split_at(at.ok_or("it is too short")?);
        if !content.starts_with(&SIGNATURE) {
            return Err("it doesn't begin as an HPM.1 image".to_owned());
        }
        if Md5::digest(content)[..] != *digest {
            return Err("its MD5 is wrong: it is damaged".to_owned());
        }
        Self::read(content).map_err(|error| format!("it is malformed: {error}"))?
    }

    fn read(content: &[u8]) -> Result<Result<Self, String>, WireError> {
        let mut r = Reader::new(content);
        r.take("signature and version", SIGNATURE.len() + 1)?;
        let device_id = r.u8("device ID")?;
        let manufacturer = r.u24("manufacturer ID")?;
        let product = r.u16("product ID")?;
        // Time of the image, capabilities, components, three time limits, earliest compatible version and version.
        r.take("header", 4 + 1 + 1 + 3 + 2 + VERSION_LEN)?;
        let oem = r.u16("length of OEM data")?;
        r.take("OEM data and checksum", usize::from(oem) + 1)?;
        let header = content.len() - r.remaining();
        if sum(&content[..header]) != 0 {
            return Ok(Err("the checksum of its header is wrong".to_owned()));
        }
        let mut actions = Vec::new();
        while !r.is_empty() {
            let [kind, components, checksum] = r.array("upgrade action")?;
            if sum(&[kind, components, checksum]) != 0 {
                return Ok(Err(format!(
                    "the checksum of action {} is wrong",
                    actions.len() + 1
                )));
            }
            actions.push(match kind {
                0 => Action::Backup(components),
                1 => Action::Prepare(components),
                2 if components.count_ones() == 1 => {
                    let [major, minor, a, b, c, d] = r.array("firmware version")?;
                    r.take("description", NAME_LEN)?;
                    let len = r.u32("length of the firmware")?;
                    let data = r.take("firmware", usize::try_from(len).unwrap_or(usize::MAX))?;
                    Action::Upload {
                        components,
                        version: FirmwareVersion {
                            major: major & 0x7f,
                            minor,
                            auxiliary: [a, b, c, d],
                        },
                        data: data.to_vec(),
                    }
                }
                _ => {
                    return Ok(Err(format!(
                        "it has an action {kind:02x}h that nobody knows"
                    )));
                }
            });
        }
        Ok(Ok(Self {
            device_id,
            manufacturer,
            product,
            actions,
        }))
    }
}

/// Bytes with their checksum sum to 0.
fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An image with one upload for component 1.
    pub(in crate::ipmi) fn image(firmware: &[u8]) -> Vec<u8> {
        let mut file = SIGNATURE.to_vec();
        file.extend([0, 0x20, 1, 2, 0, 3, 4]);
        file.extend([0; 4 + 1 + 1 + 3 + 2 + VERSION_LEN + 2]);
        let check = sum(&file).wrapping_neg();
        file.push(check);
        let action =
            |file: &mut Vec<u8>, kind: u8| file.extend([kind, 2, (kind + 2).wrapping_neg()]);
        action(&mut file, 1);
        action(&mut file, 2);
        file.extend([2, 0x50, 0, 0, 0, 0]);
        file.extend([b'x'; NAME_LEN]);
        file.extend(u32::try_from(firmware.len()).unwrap().to_le_bytes());
        file.extend(firmware);
        let digest = Md5::digest(&file);
        file.extend(&digest[..]);
        file
    }

    #[test]
    fn an_image_says_what_to_load_where() {
        let image = Image::decode(&image(b"firmware")).unwrap();
        assert_eq!((image.manufacturer, image.product), (0x00_0201, 0x0403));
        let [
            Action::Prepare(2),
            Action::Upload {
                components: 2,
                version,
                data,
            },
        ] = image.actions.as_slice()
        else {
            panic!("{:?}", image.actions)
        };
        assert_eq!(
            (version.major, version.minor, data.as_slice()),
            (2, 0x50, &b"firmware"[..])
        );
    }

    #[test]
    fn a_damaged_or_short_image_is_refused_and_none_panics() {
        let whole = image(b"firmware");
        for len in 0..whole.len() {
            assert!(Image::decode(&whole[..len]).is_err(), "{len}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(Image::decode(&damaged).is_err(), "{at}");
        }
    }
}
