//! Whether an image is for a controller (HPM.1 §4.2: the header's IDs, components and earliest compatible firmware).

use core::fmt;

use super::ImageHeader;
use crate::command::app::DeviceId;
use crate::command::picmg::hpm::TargetUpgradeCapabilities;
use crate::number::EnterpriseNumber;

/// Why an image is not for a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It is for another device: device ID, manufacturer and product ID, of the image and of the controller.
    Device {
        /// What the image is for.
        image: (u8, EnterpriseNumber, u16),
        /// What the controller is.
        controller: (u8, EnterpriseNumber, u16),
    },
    /// The controller's firmware is too old for it: major, minor in BCD.
    TooOld {
        /// The oldest firmware from which one may upgrade.
        earliest: (u8, u8),
        /// What the controller runs.
        runs: (u8, u8),
    },
    /// It concerns components that the controller does not have, bit n for component n.
    Components(u8),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device { image, controller } => write!(
                f,
                "it is for device {:02X}h, product {:04X}h of manufacturer {}, and the machine is device {:02X}h, product \
                 {:04X}h of manufacturer {}",
                image.0, image.2, image.1, controller.0, controller.2, controller.1
            ),
            Self::TooOld { earliest, runs } => write!(
                f,
                "it wants firmware {}.{:02x} or newer, and the machine has {}.{:02x}; install one in between first",
                earliest.0, earliest.1, runs.0, runs.1
            ),
            Self::Components(_) => {
                f.write_str("it is for components that the machine does not have")
            }
        }
    }
}

impl core::error::Error for Misfit {}

impl ImageHeader {
    /// Whether it is for this kind of controller: device ID, manufacturer and product are the same.
    ///
    /// # Errors
    /// [`Misfit::Device`].
    pub fn check_device(&self, device: &DeviceId) -> Result<(), Misfit> {
        let image = (
            self.device_id,
            EnterpriseNumber(self.manufacturer),
            self.product,
        );
        let controller = (device.device_id, device.manufacturer, device.product);
        if image == controller {
            Ok(())
        } else {
            Err(Misfit::Device { image, controller })
        }
    }

    /// Whether one may upgrade from the firmware that runs.
    ///
    /// # Errors
    /// [`Misfit::TooOld`].
    pub fn check_earliest(&self, device: &DeviceId) -> Result<(), Misfit> {
        let runs = (device.firmware_major, device.firmware_minor);
        let earliest = self.earliest;
        if earliest > runs {
            return Err(Misfit::TooOld { earliest, runs });
        }
        Ok(())
    }

    /// Whether the controller has all components that the image concerns.
    ///
    /// # Errors
    /// [`Misfit::Components`].
    pub const fn check_components(&self, target: &TargetUpgradeCapabilities) -> Result<(), Misfit> {
        match self.components & !target.components {
            0 => Ok(()),
            unknown => Err(Misfit::Components(unknown)),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::command::Message;
    use crate::number::HpmCapabilities;
    use crate::wire::Reader;

    /// Device 20h, firmware 1.05, product 7 of manufacturer 9.
    fn device() -> DeviceId {
        let answer = [0x20, 1, 1, 0x05, 2, 0, 9, 0, 0, 7, 0];
        DeviceId::decode(&mut Reader::new(&answer)).unwrap()
    }

    const IMAGE: ImageHeader = ImageHeader {
        device_id: 0x20,
        manufacturer: 9,
        product: 7,
        made_at_s: 0,
        capabilities: 0,
        components: 0b10,
        self_test_5s: 0,
        rollback_5s: 0,
        inaccessible_5s: 0,
        earliest: (1, 0x05),
        version: crate::command::picmg::hpm::FirmwareVersion {
            major: 2,
            minor: 0,
            auxiliary: [0; 4],
        },
    };

    #[test]
    fn each_of_the_three_ids_tells_devices_apart() {
        let of = |device_id, manufacturer, product| ImageHeader {
            device_id,
            manufacturer,
            product,
            ..IMAGE
        };
        assert_eq!(IMAGE.check_device(&device()), Ok(()));
        for other in [of(0x21, 9, 7), of(0x20, 10, 7), of(0x20, 9, 8)] {
            let misfit = other.check_device(&device()).unwrap_err();
            assert!(misfit.to_string().contains("the machine is device 20h"));
        }
    }

    #[test]
    fn firmware_that_is_too_old_and_components_that_are_missing_are_told() {
        assert_eq!(IMAGE.check_earliest(&device()), Ok(()));
        let newer = ImageHeader {
            earliest: (1, 0x06),
            ..IMAGE
        };
        let misfit = newer.check_earliest(&device()).unwrap_err();
        assert!(misfit.to_string().contains("1.06"), "{misfit}");
        let target = |components| TargetUpgradeCapabilities {
            version: 0,
            capabilities: HpmCapabilities(0),
            upgrade_5s: 0,
            self_test_5s: 0,
            rollback_5s: 0,
            inaccessible_5s: 0,
            components,
        };
        assert_eq!(IMAGE.check_components(&target(0b11)), Ok(()));
        assert_eq!(
            IMAGE.check_components(&target(0b01)),
            Err(Misfit::Components(0b10))
        );
    }
}
