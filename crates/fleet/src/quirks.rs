//! Deviations from the specification that can't be told from the outside.
//!
//! Most of what BMCs do differently shows by itself and is handled where it shows: refused chunk sizes, lists that
//! loop, missing commands. What is here looks right and is wrong, so the operator must name it. The names are those
//! that FreeIPMI's users know from its `--workaround-flags`.

use std::fmt;
use std::str::FromStr;

/// One deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Sensors are reported as not scanned although their readings are good.
    IgnoreScanningDisabled,
    /// Sensor records name other owners than the BMC although the BMC has the sensors.
    AssumeBmcOwner,
}

impl Quirk {
    /// Every quirk.
    pub const ALL: [Self; 2] = [Self::IgnoreScanningDisabled, Self::AssumeBmcOwner];

    /// Its name in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IgnoreScanningDisabled => "ignorescanningdisabled",
            Self::AssumeBmcOwner => "assumebmcowner",
        }
    }
}

/// A set of deviations; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks(u8);

impl Quirks {
    /// Adds one.
    #[must_use]
    pub const fn with(self, quirk: Quirk) -> Self {
        Self(self.0 | 1 << quirk as u8)
    }

    /// Whether this one is in the set.
    #[must_use]
    pub const fn has(self, quirk: Quirk) -> bool {
        self.0 & 1 << quirk as u8 != 0
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn of_bits(bits: u8) -> Self {
        Self(bits)
    }
}

/// There is no quirk of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownQuirk {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownQuirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no quirk named {:?}; there are ", self.name)?;
        for (i, quirk) in Quirk::ALL.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { ", " }, quirk.name())?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownQuirk {}

impl FromStr for Quirk {
    type Err = UnknownQuirk;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|quirk| quirk.name() == name);
        known.ok_or_else(|| UnknownQuirk {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quirk_is_found_by_its_name_and_is_its_own_bit() {
        for quirk in Quirk::ALL {
            assert_eq!(quirk.name().parse(), Ok(quirk));
            let alone = Quirks::default().with(quirk);
            let has: Vec<_> = Quirk::ALL
                .into_iter()
                .filter(|other| alone.has(*other))
                .collect();
            assert_eq!(has, [quirk]);
        }
        let unknown = "nosuch".parse::<Quirk>().unwrap_err();
        assert!(unknown.to_string().contains("assumebmcowner"));
    }
}
