//! First contact with a BMC: who it is, which sensors it has, which parts, which events.

pub(crate) mod fru;
pub(crate) mod log;
pub(crate) mod repository;
