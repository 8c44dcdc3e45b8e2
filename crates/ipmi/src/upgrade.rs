//! Upgrade images of HPM.1: the file that brings a controller new firmware (HPM.1 §4).
//!
//! ```text
//!   header │ OEM data │ checksum ║ action record │ … ║ MD5
//!                                  └ an upload goes on with version, description, length, data
//! ```
//!
//! [`UpgradeImage::parse`] checks every checksum and length first, so that what it returns can be carried out from the
//! beginning to the end. [`UpgradeImage::write`] is its inverse. Whether it is for a controller say
//! [`ImageHeader::check_device`] and its like; [`Window`] cuts firmware into the blocks that the controller wants.

mod fit;
mod window;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use md5::{Digest, Md5};

use crate::command::picmg::hpm::FirmwareVersion;
use crate::wire::{Reader, WireError};

pub use fit::Misfit;
pub use window::{NoSuchSection, SECTIONS_MAX, Window};

/// How an image begins.
pub const SIGNATURE: [u8; 8] = *b"PICMGFWU";
/// The format version that there is.
pub const FORMAT_VERSION: u8 = 0;
/// The most action records in one image: backup, preparation and upload of each of the eight components, and as many
/// again.
pub const ACTIONS_MAX: usize = 48;
/// Components of a controller: numbers 0 to 7.
pub const COMPONENTS_MAX: u8 = 8;
/// Room for the description of an upload, in bytes; zeros fill it up.
const DESCRIPTION_LEN: usize = 21;
/// Length of the digest at the end, in bytes.
const DIGEST_LEN: usize = 16;

/// What an image is for (HPM.1 table 4-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageHeader {
    /// Device ID of the controllers, as Get Device ID tells it.
    pub device_id: u8,
    /// Manufacturer of the controllers: an enterprise number, 24 bits.
    pub manufacturer: u32,
    /// Product ID of the controllers.
    pub product: u16,
    /// When the image was made, in seconds since 1970.
    pub made_at_s: u32,
    /// What the new firmware can, as its maker wrote it: agents disagree about the order of the bits.
    pub capabilities: u8,
    /// Components that the image concerns, bit n for component n.
    pub components: u8,
    /// Longest self test of the new firmware, in 5 s.
    pub self_test_5s: u8,
    /// Longest rollback, in 5 s.
    pub rollback_5s: u8,
    /// Longest time without an answer, in 5 s.
    pub inaccessible_5s: u8,
    /// The oldest firmware from which one may upgrade: major, minor in BCD.
    pub earliest: (u8, u8),
    /// Version of the image as a whole.
    pub version: FirmwareVersion,
}

/// A step of an upgrade (HPM.1 table 4-2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageAction<'a> {
    /// Back up these components, bit n for component n.
    Backup(u8),
    /// Prepare these components, bit n for component n.
    Prepare(u8),
    /// Upload firmware for one component (HPM.1 table 4-3).
    Upload(Upload<'a>),
}

/// Firmware of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload<'a> {
    /// Which, 0-7.
    pub component: u8,
    /// Version of the firmware.
    pub version: FirmwareVersion,
    /// Its description, at most 20 bytes.
    pub description: String,
    /// The firmware.
    pub data: &'a [u8],
}

/// An image as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpgradeImage<'a> {
    /// What it is for.
    pub header: ImageHeader,
    /// The maker's own.
    pub oem: &'a [u8],
    /// What is to be done, in this order.
    pub actions: Vec<ImageAction<'a>>,
}

/// Why a file is no usable image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// It doesn't begin with [`SIGNATURE`].
    Signature,
    /// A format that is not known.
    Format(u8),
    /// It ends too early.
    Truncated,
    /// The digest at its end is not that of the rest: it was damaged on its way.
    Digest,
    /// The checksum of the header is wrong.
    HeaderChecksum,
    /// The checksum of an action record is wrong; counted from 0.
    ActionChecksum(usize),
    /// An action of a kind that is not known; counted from 0.
    Action(usize, u8),
    /// An action for other components than the header names, or an upload not for exactly one; counted from 0.
    Components(usize),
    /// More than [`ACTIONS_MAX`] actions.
    TooManyActions,
    /// There is nothing to upload in it.
    Nothing,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature => f.write_str("the file is no HPM.1 upgrade image"),
            Self::Format(version) => write!(f, "the image has the unknown format {version}"),
            Self::Truncated => f.write_str("the image ends too early"),
            Self::Digest => f.write_str("the image is damaged: its MD5 digest is wrong"),
            Self::HeaderChecksum => f.write_str("the checksum of the image's header is wrong"),
            Self::ActionChecksum(n) => write!(f, "the checksum of action {n} is wrong"),
            Self::Action(n, kind) => write!(f, "action {n} is of the unknown kind {kind:02X}h"),
            Self::Components(n) => write!(f, "action {n} is for components that it can't be for"),
            Self::TooManyActions => write!(f, "the image has more than {ACTIONS_MAX} actions"),
            Self::Nothing => f.write_str("there is no firmware in the image"),
        }
    }
}

impl core::error::Error for ImageError {}

impl From<WireError> for ImageError {
    fn from(_: WireError) -> Self {
        Self::Truncated
    }
}

const BACKUP: u8 = 0;
const PREPARE: u8 = 1;
const UPLOAD: u8 = 2;

impl<'a> UpgradeImage<'a> {
    /// Reads an image and checks all of it.
    ///
    /// # Errors
    /// What is wrong with it first.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ImageError> {
        if !bytes.starts_with(&SIGNATURE) {
            return Err(ImageError::Signature);
        }
        if let Some(version) = bytes.get(SIGNATURE.len()).filter(|v| **v != FORMAT_VERSION) {
            return Err(ImageError::Format(*version));
        }
        let end = bytes.len().checked_sub(DIGEST_LEN);
        let (content, digest) = bytes.split_at(end.ok_or(ImageError::Truncated)?);
        if Md5::digest(content).as_slice() != digest {
            return Err(ImageError::Digest);
        }
        let mut r = Reader::new(content);
        let header = read_header(&mut r)?;
        let oem_len = usize::from(r.u16("length of the OEM data")?);
        let oem = r.take("OEM data", oem_len)?;
        r.u8("header checksum")?;
        if sum(&content[..r.position()]) != 0 {
            return Err(ImageError::HeaderChecksum);
        }
        let mut actions = Vec::new();
        while !r.is_empty() {
            if actions.len() >= ACTIONS_MAX {
                return Err(ImageError::TooManyActions);
            }
            actions.push(read_action(&mut r, actions.len(), header.components)?);
        }
        let image = Self {
            header,
            oem,
            actions,
        };
        if image.uploads().next().is_none() {
            return Err(ImageError::Nothing);
        }
        Ok(image)
    }

    /// The firmware in it, in order.
    pub fn uploads(&self) -> impl Iterator<Item = &Upload<'a>> {
        self.actions.iter().filter_map(|action| match action {
            ImageAction::Upload(upload) => Some(upload),
            ImageAction::Backup(_) | ImageAction::Prepare(_) => None,
        })
    }

    /// The file. What doesn't fit its field is cut: OEM data after 65,535 bytes, a description after 20, firmware after
    /// 4 GiB.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::from(SIGNATURE);
        let header = &self.header;
        out.extend([FORMAT_VERSION, header.device_id]);
        out.extend_from_slice(&header.manufacturer.to_le_bytes()[..3]);
        out.extend(header.product.to_le_bytes());
        out.extend(header.made_at_s.to_le_bytes());
        out.extend([
            header.capabilities,
            header.components,
            header.self_test_5s,
            header.rollback_5s,
            header.inaccessible_5s,
            header.earliest.0,
            header.earliest.1,
        ]);
        out.extend_from_slice(&header.version.to_data());
        let oem_len = u16::try_from(self.oem.len()).unwrap_or(u16::MAX);
        out.extend(oem_len.to_le_bytes());
        out.extend_from_slice(&self.oem[..usize::from(oem_len)]);
        let checksum = sum(&out).wrapping_neg();
        out.push(checksum);
        for action in &self.actions {
            write_action(&mut out, action);
        }
        let digest = Md5::digest(&out);
        out.extend_from_slice(&digest);
        out
    }
}

/// The sum of all bytes; 0 over what ends with its checksum.
fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// The header up to the length of the OEM data.
fn read_header(r: &mut Reader<'_>) -> Result<ImageHeader, ImageError> {
    r.take("signature and format", SIGNATURE.len() + 1)?;
    Ok(ImageHeader {
        device_id: r.u8("device id")?,
        manufacturer: r.u24("manufacturer")?,
        product: r.u16("product")?,
        made_at_s: r.u32("made at s")?,
        capabilities: r.u8("capabilities")?,
        components: r.u8("components")?,
        self_test_5s: r.u8("self test 5s")?,
        rollback_5s: r.u8("rollback 5s")?,
        inaccessible_5s: r.u8("inaccessible 5s")?,
        earliest: (r.u8("earliest version")?, r.u8("earliest version")?),
        version: version(r)?,
    })
}

fn version(r: &mut Reader<'_>) -> Result<FirmwareVersion, ImageError> {
    FirmwareVersion::from_data(r.take("version", 6)?).ok_or(ImageError::Truncated)
}

fn read_action<'a>(
    r: &mut Reader<'a>,
    number: usize,
    known: u8,
) -> Result<ImageAction<'a>, ImageError> {
    let record: [u8; 3] = r.array("action record")?;
    if sum(&record) != 0 {
        return Err(ImageError::ActionChecksum(number));
    }
    let [kind, components, _] = record;
    if components == 0 || components & !known != 0 {
        return Err(ImageError::Components(number));
    }
    match kind {
        BACKUP => Ok(ImageAction::Backup(components)),
        PREPARE => Ok(ImageAction::Prepare(components)),
        UPLOAD if components.count_ones() != 1 => Err(ImageError::Components(number)),
        UPLOAD => {
            let version = version(r)?;
            let description = r.take("description", DESCRIPTION_LEN)?;
            let length = usize::try_from(r.u32("length of the firmware")?)
                .map_err(|_| ImageError::Truncated)?;
            Ok(ImageAction::Upload(Upload {
                component: components.trailing_zeros() as u8,
                version,
                // The last byte is a zero; where a maker wrote something else there it counts as one.
                description: text(&description[..DESCRIPTION_LEN - 1]),
                data: r.take("firmware", length)?,
            }))
        }
        other => Err(ImageError::Action(number, other)),
    }
}

/// Text up to the first zero, as Latin-1: every byte is a character.
fn text(bytes: &[u8]) -> String {
    let text = bytes.iter().take_while(|byte| **byte != 0);
    text.map(|byte| char::from(*byte)).collect()
}

fn write_action(out: &mut Vec<u8>, action: &ImageAction<'_>) {
    let (kind, components) = match action {
        ImageAction::Backup(components) => (BACKUP, *components),
        ImageAction::Prepare(components) => (PREPARE, *components),
        ImageAction::Upload(upload) => (UPLOAD, 1_u8 << (upload.component % COMPONENTS_MAX)),
    };
    out.extend([kind, components, sum(&[kind, components]).wrapping_neg()]);
    let ImageAction::Upload(upload) = action else {
        return;
    };
    out.extend_from_slice(&upload.version.to_data());
    let mut description = [0; DESCRIPTION_LEN];
    let characters = upload.description.chars().take(DESCRIPTION_LEN - 1);
    for (place, character) in description.iter_mut().zip(characters) {
        *place = u8::try_from(character).unwrap_or(b'?');
    }
    out.extend(description);
    let length = u32::try_from(upload.data.len()).unwrap_or(u32::MAX);
    out.extend(length.to_le_bytes());
    out.extend(upload.data.iter().take(length as usize));
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::vec;

    use super::*;

    fn image(data: &[u8]) -> UpgradeImage<'_> {
        let version = FirmwareVersion {
            major: 2,
            minor: 0x10,
            auxiliary: [1, 2, 3, 4],
        };
        UpgradeImage {
            header: ImageHeader {
                device_id: 0x20,
                manufacturer: 32_473,
                product: 0x2200,
                made_at_s: 1_795_000_000,
                capabilities: 0,
                components: 0b11,
                self_test_5s: 1,
                rollback_5s: 2,
                inaccessible_5s: 3,
                earliest: (1, 0x05),
                version,
            },
            oem: b"xyz",
            actions: vec![
                ImageAction::Backup(0b11),
                ImageAction::Prepare(0b10),
                ImageAction::Upload(Upload {
                    component: 1,
                    version,
                    description: "BMC".to_owned(),
                    data,
                }),
            ],
        }
    }

    /// Puts the digest right again after a change.
    fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.truncate(bytes.len() - DIGEST_LEN);
        let digest = Md5::digest(&bytes);
        bytes.extend_from_slice(&digest);
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let data = [0xa5; 1_000];
        let image = image(&data);
        let bytes = image.write();
        assert_eq!(UpgradeImage::parse(&bytes).as_ref(), Ok(&image));
        // By the tables: signature, format, device ID, manufacturer, product.
        let start = *b"PICMGFWU\x00\x20\xd9\x7e\x00\x00\x22";
        assert_eq!(bytes[..15], start);
        // 34 bytes of header, 3 of OEM data, the checksum, two records, one with 31 more and the data, the digest.
        assert_eq!(bytes.len(), 34 + 3 + 1 + 3 + 3 + 3 + 31 + 1_000 + 16);
        assert_eq!(bytes[38..44], [0, 3, 0xfd, 1, 2, 0xfd]);
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let data = [1, 2, 3, 4];
        let bytes = image(&data).write();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert!(UpgradeImage::parse(&damaged).is_err(), "byte {at}");
            assert!(UpgradeImage::parse(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn with_a_right_digest_the_checksums_and_lengths_count() {
        let data = [7; 10];
        let bytes = image(&data).write();
        let with = |at: usize, value: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            UpgradeImage::parse(&sealed(bytes)).map(|_| ())
        };
        assert_eq!(with(8, 1), Err(ImageError::Format(1)));
        assert_eq!(with(9, 0x21), Err(ImageError::HeaderChecksum));
        assert_eq!(with(40, 0), Err(ImageError::ActionChecksum(0)));
        // A length of OEM data that leads out of the file.
        assert_eq!(with(33, 0xff), Err(ImageError::Truncated));
        // A length of firmware that leads out of it.
        assert_eq!(
            with(bytes.len() - 16 - 10 - 2, 1),
            Err(ImageError::Truncated)
        );
    }

    #[test]
    fn actions_that_nobody_could_carry_out_are_refused() {
        let data = [7; 10];
        let refused = |change: fn(&mut UpgradeImage<'_>)| {
            let mut image = image(&data);
            change(&mut image);
            UpgradeImage::parse(&image.write()).unwrap_err()
        };
        let components = |i: &mut UpgradeImage<'_>| i.header.components = 1;
        assert_eq!(refused(components), ImageError::Components(0));
        let none = |i: &mut UpgradeImage<'_>| i.actions[1] = ImageAction::Prepare(0);
        assert_eq!(refused(none), ImageError::Components(1));
        let nothing = |i: &mut UpgradeImage<'_>| i.actions.truncate(2);
        assert_eq!(refused(nothing), ImageError::Nothing);
        let many = |i: &mut UpgradeImage<'_>| {
            i.actions = vec![ImageAction::Prepare(1); ACTIONS_MAX + 1];
        };
        assert_eq!(refused(many), ImageError::TooManyActions);
        let mut bytes = image(&data).write();
        bytes[38..41].copy_from_slice(&[9, 3, 0xf4]);
        assert_eq!(
            UpgradeImage::parse(&sealed(bytes)),
            Err(ImageError::Action(0, 9))
        );
        assert_eq!(UpgradeImage::parse(b"\x7fELF"), Err(ImageError::Signature));
    }
}
