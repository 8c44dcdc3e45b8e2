//! Firmware of virtual controllers: what it says of itself, and files with some.
//!
//! ```text
//!   magic │ version │ manufacturer │ product │ component │ anything │ CRC-32
//! ```

use ipmi::command::picmg::hpm::FirmwareVersion;
use ipmi::upgrade::{ImageAction, ImageHeader, UpgradeImage, Upload};

use super::firmware::{NAMES, STEP_5S};
use crate::curve::hash;
use crate::profile::{DEVICE_ID, MANUFACTURER_ID, Model, Profile};

/// How firmware begins.
pub const MAGIC: [u8; 4] = *b"RDVF";
/// Bytes up to the component.
pub(super) const HEAD: usize = MAGIC.len() + 6 + 3 + 2 + 1;
/// What the checksum of firmware with its own checksum behind it is, whatever the firmware (CRC-32's residue).
const RESIDUE: u32 = 0xdebb_20e3;
/// The version in the first bytes of firmware; `None` where it is not for this component of this product.
pub(super) fn version_of(head: &[u8], product: u16, component: u8) -> Option<FirmwareVersion> {
    let rest = head.strip_prefix(&MAGIC)?;
    let version = FirmwareVersion::from_data(rest)?;
    let whom = rest.get(6..)?;
    let expected = whom_bytes(product, component);
    (whom == expected).then_some(version)
}

/// Manufacturer, product and component as they stand in firmware.
fn whom_bytes(product: u16, component: u8) -> [u8; 6] {
    let [m0, m1, m2, _] = MANUFACTURER_ID.to_le_bytes();
    let [p0, p1] = product.to_le_bytes();
    [m0, m1, m2, p0, p1, component]
}

/// Firmware of this version for a component of a product, with `len` bytes that mean nothing in it.
#[must_use]
pub fn firmware(product: u16, component: u8, version: FirmwareVersion, len: usize) -> Vec<u8> {
    let mut data = MAGIC.to_vec();
    data.extend_from_slice(&version.to_data());
    data.extend(whom_bytes(product, component));
    let filling = (0..len as u64).map(|at| hash(0, at) as u8);
    data.extend(filling);
    let crc = !crc_32(u32::MAX, &data);
    data.extend(crc.to_le_bytes());
    data
}

/// An upgrade image (HPM.1 §4) for a component of nodes, with `len` bytes that mean nothing in its firmware.
#[must_use]
pub fn upgrade_image(component: u8, version: FirmwareVersion, len: usize) -> Vec<u8> {
    let product = Profile::new(Model::Node).product_id;
    let data = firmware(product, component, version, len);
    let name = NAMES.get(usize::from(component)).copied();
    let header = ImageHeader {
        device_id: DEVICE_ID,
        manufacturer: MANUFACTURER_ID,
        product,
        components: 1 << component,
        self_test_5s: STEP_5S,
        rollback_5s: STEP_5S,
        inaccessible_5s: STEP_5S,
        version,
        ..ImageHeader::default()
    };
    let upload = Upload {
        component,
        version,
        description: name.unwrap_or_default().to_owned(),
        data: &data,
    };
    UpgradeImage {
        header,
        oem: &[],
        actions: vec![
            ImageAction::Prepare(1 << component),
            ImageAction::Upload(upload),
        ],
    }
    .write()
}

/// CRC-32 (IEEE 802.3) over `data`, going on from `crc`; begins with all ones, and is inverted at the end.
pub(super) fn crc_32(crc: u32, data: &[u8]) -> u32 {
    data.iter().fold(crc, |crc, byte| {
        let index = (crc ^ u32::from(*byte)) & 0xff;
        CRC_TABLE[index as usize] ^ (crc >> 8)
    })
}

/// Whether this is the checksum of firmware with its own checksum behind it.
pub(super) const fn is_whole(crc: u32) -> bool {
    crc == RESIDUE
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                0xedb8_8320 ^ (crc >> 1)
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(!crc_32(u32::MAX, b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn an_image_holds_firmware_that_says_the_same_of_itself() {
        let version = FirmwareVersion {
            major: 2,
            minor: 0x10,
            ..FirmwareVersion::default()
        };
        let file = upgrade_image(1, version, 5_000);
        let image = UpgradeImage::parse(&file).unwrap();
        let upload = image.uploads().next().unwrap();
        assert_eq!(upload.description, "APP");
        let found = version_of(&upload.data[..HEAD], image.header.product, 1);
        assert_eq!(found, Some(version));
        assert!(is_whole(crc_32(u32::MAX, upload.data)));
    }
}
