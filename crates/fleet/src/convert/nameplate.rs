//! Inventories of FRU devices become nameplates.
pub(crate) fn nameplate(_: &[u8], _: &mut hardware::Inventory) {}
pub(crate) fn part(_: &ipmi::record::sdr::FruLocator, _: &[u8]) -> Option<hardware::Asset> {
    None
}
