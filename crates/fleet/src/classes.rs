//! Sets of classes of sensors.

use hardware::SensorClass;

/// Some classes of sensors, a bit each; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes(u8);

impl Classes {
    /// Every class.
    pub(crate) const ALL: Self = Self((1 << SensorClass::COUNT) - 1);

    /// Whether a class is among them.
    pub(crate) const fn has(self, class: SensorClass) -> bool {
        self.0 >> class as u8 & 1 == 1
    }

    /// These and one more.
    pub(crate) const fn with(self, class: SensorClass) -> Self {
        Self(self.0 | 1 << class as u8)
    }

    /// These and those.
    pub(crate) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These without those.
    pub(crate) const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether some are in both.
    pub(crate) const fn meets(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// The first of them; `None` where there is none.
    pub(crate) fn first(self) -> Option<SensorClass> {
        SensorClass::ALL.into_iter().find(|class| self.has(*class))
    }
}

impl FromIterator<SensorClass> for Classes {
    fn from_iter<I: IntoIterator<Item = SensorClass>>(classes: I) -> Self {
        classes.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_classes_are_told_apart() {
        let all: Classes = SensorClass::ALL.into_iter().collect();
        assert_eq!(all, Classes::ALL);
        let fans = Classes::default().with(SensorClass::Fan);
        assert!(fans.has(SensorClass::Fan) && !fans.has(SensorClass::Voltage));
        assert!(fans.meets(all) && !fans.meets(all.without(fans)));
        assert_eq!(fans.first(), Some(SensorClass::Fan));
        assert_eq!(fans.without(all).first(), None);
    }
}
