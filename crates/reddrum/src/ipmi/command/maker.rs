//! Who made a BMC: what its maker's commands mean depends on it.

use ipmi::command::app::GetDeviceId;
use ipmi::number::EnterpriseNumber;

use crate::ipmi::args::{Maker, OfMaker};
use crate::ipmi::failure::Failure;
use crate::ipmi::talk::Line;

impl Maker {
    /// The maker with this number in Get Device ID.
    const fn of(number: EnterpriseNumber) -> Option<Self> {
        Some(match number {
            EnterpriseNumber::SUPERMICRO | EnterpriseNumber::SUPERMICRO_47488 => Self::Supermicro,
            EnterpriseNumber::DELL => Self::Dell,
            EnterpriseNumber::ASROCK => Self::Asrock,
            EnterpriseNumber::IBM | EnterpriseNumber::IBM_20301 | EnterpriseNumber::LENOVO => {
                Self::SystemX
            }
            _ => return None,
        })
    }

    /// Its name for people and scripts.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Supermicro => "Supermicro",
            Self::Dell => "Dell",
            Self::Asrock => "ASRock Rack",
            Self::SystemX => "System x",
        }
    }
}

/// The maker whose commands are to be sent: the one named, or the one that the BMC names. Nobody's bytes are tried on
/// a BMC of another: the same numbers mean something else there.
///
/// # Errors
/// No answer, or a maker without commands here.
pub(super) async fn find(line: &Line, of: OfMaker) -> Result<Maker, Failure> {
    if let Some(maker) = of.maker {
        return Ok(maker);
    }
    let number = line.call(&GetDeviceId).await?.manufacturer;
    Maker::of(number).ok_or_else(|| {
        let name = number.name().unwrap_or("unknown");
        Failure::Unfit {
            kind: "unknown_maker",
            cause: format!(
                "its maker's commands are not known (manufacturer {}, {name})",
                number.0
            ),
            remedy: "name a maker whose commands it has with --maker, or send them with 'raw'"
                .to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maker_is_known_by_each_of_its_numbers() {
        for (number, maker) in [
            (674, Some(Maker::Dell)),
            (10_876, Some(Maker::Supermicro)),
            (47_488, Some(Maker::Supermicro)),
            (49_622, Some(Maker::Asrock)),
            (2, Some(Maker::SystemX)),
            (20_301, Some(Maker::SystemX)),
            (19_046, Some(Maker::SystemX)),
            (343, None),
            (32_473, None),
        ] {
            assert_eq!(Maker::of(EnterpriseNumber(number)), maker, "{number}");
        }
    }
}
