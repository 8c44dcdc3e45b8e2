//! The board by which a BMC is known whose GUID doesn't hold: by its MAC address and the serial numbers on its nameplates.

use hardware::{Identity, Inventory, Nameplates};
use ipmi::command::app::DeviceId;

use super::fru::Inventories;
use super::{About, Known, Said, identity, said};
use crate::call::CallError;
use crate::convert;
use crate::script::Line;

/// How often a BMC may not show whose board it is before it is taken for another one's.
const UNMET_MAX: u8 = 5;

/// What tells a board from others. Blank numbers are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// MAC address of the channel over which we talk.
    mac: Option<[u8; 6]>,
    /// Serial numbers of machine, board and chassis.
    serials: [Option<Box<str>>; 3],
}

/// The MAC address, where it is one: makers leave it blank.
pub(crate) const fn set_mac(mac: [u8; 6]) -> Option<[u8; 6]> {
    match mac {
        [0, 0, 0, 0, 0, 0] | [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => None,
        mac => Some(mac),
    }
}

impl Marks {
    /// The MAC address.
    pub(crate) const fn mac(&self) -> Option<[u8; 6]> {
        self.mac
    }

    /// Those of a machine that is shown.
    pub(crate) fn of(identity: &Identity, inventory: &Inventory) -> Self {
        let plates = [inventory.product(), inventory.board(), inventory.chassis()];
        Self {
            mac: mac_of(identity),
            serials: plates.map(|plate| serial(plate.serial_number)),
        }
    }

    fn on(mac: Option<[u8; 6]>, plates: &Nameplates) -> Self {
        let plates = [&plates.product, &plates.board, &plates.chassis];
        Self {
            mac,
            serials: plates.map(|plate| serial(plate.serial_number.as_deref())),
        }
    }

    /// There are none.
    pub(crate) const fn are_blank(&self) -> bool {
        self.mac.is_none() && !self.has_serials()
    }

    const fn has_serials(&self) -> bool {
        let [product, board, chassis] = &self.serials;
        product.is_some() || board.is_some() || chassis.is_some()
    }

    fn pairs<'a>(&'a self, now: &'a Self) -> impl Iterator<Item = bool> {
        let pairs = self.serials.iter().zip(&now.serials);
        pairs.filter_map(|(before, now)| Some(before.as_ref()? == now.as_ref()?))
    }

    /// Whether it is certain that these are of two boards: another MAC address, or another serial number on one of the nameplates.
    pub(crate) fn differ(&self, now: &Self) -> bool {
        let another_mac = matches!((self.mac, now.mac), (Some(before), Some(now)) if before != now);
        another_mac || self.pairs(now).any(|same| !same)
    }

    /// Whether the board shows one of these, and nothing speaks against it.
    fn are_shown(&self, now: &Self) -> bool {
        let same_mac = self.mac.is_some() && self.mac == now.mac;
        !self.differ(now) && (same_mac || self.pairs(now).any(|same| same))
    }

    /// Whether it is certain that these are of one board, whatever else it says: MAC address and a serial number are the same.
    pub(crate) fn agree(&self, now: &Self) -> bool {
        let same_mac = self.mac.is_some() && self.mac == now.mac;
        !self.differ(now) && same_mac && self.pairs(now).any(|same| same)
    }
}

fn mac_of(identity: &Identity) -> Option<[u8; 6]> {
    set_mac(identity.network?.mac?)
}

fn serial(number: Option<&str>) -> Option<Box<str>> {
    let number = number.filter(|number| !number.trim().is_empty());
    number.map(Into::into)
}

/// Whose board is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// The one that is known, or nothing speaks against it: it has no marks.
    Known,
    /// Another machine's, or none that shows by what it was known.
    Another,
    /// It does not say now by what it is known, for this reason.
    NotNow(String),
}

/// Finds out whether a BMC is the one that is known where its GUID doesn't tell that. One that shows nothing of what it was known by
/// is asked again, and after [`UNMET_MAX`] times taken for another: it may be any.
pub(super) async fn meet(
    line: &Line,
    known: Option<Known>,
    device: &DeviceId,
    about: &About,
) -> Result<Met, CallError> {
    let Some(known) = known.filter(|known| known.is_unsteady) else {
        return Ok(Met::Known);
    };
    let Some(marks) = about.marks.as_deref().filter(|marks| !marks.are_blank()) else {
        let model = |device: &DeviceId| (device.manufacturer, device.product);
        return Ok(match model(&known.device) == model(device) {
            true => Met::Known,
            false => Met::Another,
        });
    };
    let mut now = Marks::default();
    let mut why = "the BMC does not show by what it is known".to_owned();
    if marks.mac.is_some() {
        match said(identity::mac(line).await)? {
            Said::Told(mac) => now.mac = mac,
            Said::HasNone => {}
            Said::NotNow(error) => why = error.to_string(),
        }
    }
    if marks.has_serials() && !marks.differ(&now) {
        match said(Inventories::new(line).nameplate(0).await)? {
            Said::Told(bytes) => {
                let mut plates = Nameplates::default();
                convert::nameplate(&bytes, &mut plates);
                now = Marks::on(now.mac, &plates);
            }
            Said::HasNone => {}
            Said::NotNow(error) => why = error.to_string(),
        }
    }
    Ok(match marks.are_shown(&now) {
        true => Met::Known,
        false if marks.differ(&now) || about.unmet >= UNMET_MAX => Met::Another,
        false => Met::NotNow(why),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 7];

    fn marks(mac: Option<[u8; 6]>, serials: [&str; 3]) -> Marks {
        Marks {
            mac,
            serials: serials.map(|number| serial(Some(number))),
        }
    }

    #[test]
    fn a_mark_that_differs_tells_two_boards_and_one_that_is_missing_tells_nothing() {
        let known = marks(Some(MAC), ["A", "B", ""]);
        for (now, differ, are_shown, agree) in [
            (marks(Some(MAC), ["A", "B", ""]), false, true, true),
            (marks(Some(MAC), ["", " ", "C"]), false, true, false),
            (marks(None, ["A", "", ""]), false, true, false),
            (marks(None, ["", "", "C"]), false, false, false),
            (marks(None, ["", "", ""]), false, false, false),
            // One is enough.
            (marks(Some([1; 6]), ["A", "B", ""]), true, false, false),
            (marks(Some(MAC), ["A", "X", ""]), true, false, false),
            (marks(None, ["X", "", ""]), true, false, false),
        ] {
            assert_eq!(known.differ(&now), differ, "{now:?}");
            assert_eq!(now.differ(&known), differ, "{now:?}");
            assert_eq!(known.are_shown(&now), are_shown, "{now:?}");
            assert_eq!(known.agree(&now), agree, "{now:?}");
        }
        assert!(marks(None, ["", "", " "]).are_blank());
        assert_eq!((set_mac([0; 6]), set_mac([0xff; 6])), (None, None));
    }
}
