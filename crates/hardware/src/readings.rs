//! The readings of all sensors of a node, as small as fifty thousand nodes need them.
//!
//! Most controllers deliver a number as one byte, and what they tell of themselves says which number each byte stands for. So a
//! node keeps the bytes, machines with the same sensors share the [`Scales`] that tell the numbers, and a [`Reading`] is made
//! of both when somebody looks at it: fewer do than machines are read.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::reading::{Availability, Reading, ThresholdState};

/// The numbers that the values of a byte stand for; not finite where one stands for none.
pub type Scale = [f64; 256];

/// Which numbers the bytes of a node's sensors stand for.
#[derive(Clone, Debug, Default)]
pub struct Scales {
    scales: Box<[Scale]>,
    /// By sensor; beyond the end of `scales` for one that has states.
    places: Box<[u16]>,
}

/// Bit by bit: what is not a number is the same as itself.
impl PartialEq for Scales {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.scales.as_flattened(), other.scales.as_flattened());
        let bits = |value: &f64| value.to_bits();
        self.places == other.places && a.iter().map(bits).eq(b.iter().map(bits))
    }
}

impl Eq for Scales {}

impl Scales {
    /// These scales, and for each sensor the index of its own one; `None` for a sensor that has states and no number.
    #[must_use]
    pub fn new(scales: Vec<Scale>, of: impl IntoIterator<Item = Option<u16>>) -> Self {
        Self {
            scales: scales.into(),
            places: of
                .into_iter()
                .map(|place| place.unwrap_or(u16::MAX))
                .collect(),
        }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Scale] {
        &self.scales
    }

    /// The scale of a sensor with numbers, by the sensor's index.
    fn of(&self, sensor: usize) -> Option<&Scale> {
        let place = self.places.get(sensor)?;
        self.scales.get(usize::from(*place))
    }

    /// The reading of a sensor. One that was never had has neither number nor states.
    #[inline]
    fn read(&self, sensor: usize, packed: PackedReading) -> Reading {
        let availability = packed.availability();
        if availability == Availability::Pending {
            return Reading::default();
        }
        let (value, states) = match self.of(sensor) {
            Some(scale) => (scale[usize::from(packed.data[0])], 0),
            None => (0.0, u16::from_le_bytes(packed.data)),
        };
        Reading {
            value: if value.is_finite() { value } else { 0.0 },
            states,
            crossed: ThresholdState::from_bits(packed.status & CROSSED),
            availability,
        }
    }
}

/// Bits of a packed reading's status: the crossed limits. The availability is in the two above.
const CROSSED: u8 = 0x3f;
const AVAILABILITY_SHIFT: u32 = 6;

/// One reading without what the sensor's scale knows: three bytes. Begins as [`Availability::Pending`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackedReading {
    /// The byte that stands for a number, and 0; or the states, low ones first.
    data: [u8; 2],
    status: u8,
}

impl PackedReading {
    /// A sensor with numbers was read: the byte for which its scale has a number, and the limits that this crosses.
    #[must_use]
    pub const fn number(raw: u8, crossed: ThresholdState) -> Self {
        Self {
            data: [raw, 0],
            status: crossed.bits(),
        }
        .with(Availability::Available)
    }

    /// A sensor with states was read; these hold.
    #[must_use]
    pub const fn states(states: u16) -> Self {
        Self {
            data: states.to_le_bytes(),
            status: 0,
        }
        .with(Availability::Available)
    }

    /// The same value, with another word on what it is worth.
    #[must_use]
    pub const fn with(self, availability: Availability) -> Self {
        Self {
            status: self.status & CROSSED | (availability as u8) << AVAILABILITY_SHIFT,
            ..self
        }
    }

    /// Whether there is a value, and if not, why.
    #[must_use]
    pub const fn availability(self) -> Availability {
        match self.status >> AVAILABILITY_SHIFT {
            0 => Availability::Pending,
            1 => Availability::Available,
            2 => Availability::Unavailable,
            _ => Availability::Stale,
        }
    }
}

/// The readings of a node's sensors, in their order. Clones share them.
#[derive(Clone)]
pub struct Readings(Form);

#[derive(Clone)]
enum Form {
    /// As they are, from a source that has no bytes.
    Plain(Arc<[Reading]>),
    Packed {
        scales: Arc<Scales>,
        packed: Arc<[PackedReading]>,
    },
}

impl Readings {
    /// Packed readings, one for each sensor of which the scales know.
    #[must_use]
    pub fn packed(scales: &Arc<Scales>, packed: &[PackedReading]) -> Self {
        if packed.is_empty() {
            return Self::default();
        }
        Self(Form::Packed {
            scales: Arc::clone(scales),
            packed: packed.into(),
        })
    }

    /// What [`Self::packed`] was made of; `None` where it was made of anything else.
    #[must_use]
    pub fn as_packed(&self) -> Option<(&Arc<Scales>, &[PackedReading])> {
        match &self.0 {
            Form::Plain(_) => None,
            Form::Packed { scales, packed } => Some((scales, packed)),
        }
    }

    /// Becomes [`Self::packed`] of these, in the same memory where nobody else looks at it and it has the right size.
    pub fn renew(&mut self, scales: &Arc<Scales>, packed: &[PackedReading]) {
        if let Form::Packed {
            scales: own_scales,
            packed: own,
        } = &mut self.0
            && let Some(room) = Arc::get_mut(own)
            && room.len() == packed.len()
        {
            room.copy_from_slice(packed);
            if !Arc::ptr_eq(own_scales, scales) {
                own_scales.clone_from(scales);
            }
            return;
        }
        *self = Self::packed(scales, packed);
    }

    /// How many sensors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Plain(readings) => readings.len(),
            Form::Packed { packed, .. } => packed.len(),
        }
    }

    /// Whether there is no sensor.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The reading of a sensor, by its index; `None` where there is no such sensor.
    #[must_use]
    #[inline]
    pub fn get(&self, sensor: usize) -> Option<Reading> {
        match &self.0 {
            Form::Plain(readings) => readings.get(sensor).copied(),
            Form::Packed { scales, packed } => {
                let packed = *packed.get(sensor)?;
                Some(scales.read(sensor, packed))
            }
        }
    }

    /// The readings of all sensors.
    #[must_use]
    pub fn iter(&self) -> ReadingsIter<'_> {
        ReadingsIter {
            sensors: 0..self.len(),
            readings: self,
        }
    }

    /// Whether both are the same in memory, so that no reading can differ.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Plain(one), Form::Plain(other)) => Arc::ptr_eq(one, other),
            (Form::Packed { packed: one, .. }, Form::Packed { packed: other, .. }) => {
                Arc::ptr_eq(one, other)
            }
            _ => false,
        }
    }
}

/// No sensors.
impl Default for Readings {
    fn default() -> Self {
        Self(Form::Plain(Arc::default()))
    }
}

impl FromIterator<Reading> for Readings {
    fn from_iter<I: IntoIterator<Item = Reading>>(readings: I) -> Self {
        Self(Form::Plain(readings.into_iter().collect()))
    }
}

impl<'a> IntoIterator for &'a Readings {
    type Item = Reading;
    type IntoIter = ReadingsIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// What [`Readings::iter`] returns.
#[derive(Clone, Debug)]
pub struct ReadingsIter<'a> {
    sensors: Range<usize>,
    readings: &'a Readings,
}

impl Iterator for ReadingsIter<'_> {
    type Item = Reading;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.readings.get(self.sensors.next()?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.sensors.size_hint()
    }
}

impl ExactSizeIterator for ReadingsIter<'_> {}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::Threshold;

    /// A sensor with numbers, one with states, and one with other numbers, of which the first has none.
    fn scales() -> Arc<Scales> {
        let tenths = core::array::from_fn(|raw| raw as f64 / 10.0);
        let inverse = core::array::from_fn(|raw| 1.0 / raw as f64);
        Arc::new(Scales::new(vec![tenths, inverse], [Some(0), None, Some(1)]))
    }

    #[test]
    fn scales_with_bytes_that_stand_for_no_number_are_the_same_as_others_like_them() {
        let with = |last: f64| {
            let mut scale = core::array::from_fn(|raw| raw as f64);
            (scale[0], scale[255]) = (f64::NAN, last);
            Arc::new(Scales::new(vec![scale], [Some(0)]))
        };
        assert_eq!(with(1.0), with(1.0));
        assert_ne!(with(1.0), with(f64::NAN));
    }

    #[test]
    fn a_packed_reading_is_three_bytes_and_pending_at_first() {
        assert_eq!(size_of::<PackedReading>(), 3);
        let readings = Readings::packed(&scales(), &[PackedReading::default(); 3]);
        let pending = Reading::default();
        assert_eq!(readings.iter().collect::<Vec<_>>(), [pending; 3]);
    }

    #[test]
    fn every_byte_all_states_and_all_limits_are_read_as_they_were_written() {
        let scales = scales();
        let mut readings = Readings::default();
        for raw in 0..=u8::MAX {
            let crossed = ThresholdState::from_bits(raw & CROSSED);
            let states = u16::from_le_bytes([raw, !raw]);
            let written = [
                PackedReading::number(raw, crossed),
                PackedReading::states(states),
                PackedReading::number(raw, ThresholdState::NONE),
            ];
            readings.renew(&scales, &written);
            let read: Vec<_> = readings.iter().collect();
            assert_eq!(read[0].number(), Some(f64::from(raw) / 10.0));
            assert_eq!((read[0].crossed, read[0].states), (crossed, 0));
            assert_eq!(
                (read[1].states, read[1].crossed),
                (states, ThresholdState::NONE)
            );
            assert!(read[2].value.is_finite(), "{raw}");
            assert_eq!(readings.as_packed().unwrap().1, written);
        }
    }

    #[test]
    fn what_a_value_is_worth_changes_without_the_value() {
        let crossed = ThresholdState::NONE.with(Threshold::UpperFatal);
        let read = PackedReading::number(7, crossed);
        for availability in [
            Availability::Stale,
            Availability::Unavailable,
            Availability::Available,
        ] {
            let readings = Readings::packed(&scales(), &[read.with(availability)]);
            let wanted = Reading {
                value: 0.7,
                states: 0,
                crossed,
                availability,
            };
            assert_eq!(readings.get(0), Some(wanted));
            assert_eq!(readings.get(1), None);
        }
    }

    #[test]
    fn readings_are_renewed_in_place_unless_somebody_looks_at_them() {
        let scales = scales();
        let of = |raw| [PackedReading::number(raw, ThresholdState::NONE); 3];
        let at = |readings: &Readings| readings.as_packed().unwrap().1.as_ptr();
        let mut readings = Readings::packed(&scales, &of(1));
        let first = at(&readings);
        readings.renew(&scales, &of(2));
        assert_eq!(at(&readings), first);
        let held = readings.clone();
        assert!(held.is_same(&readings));
        readings.renew(&scales, &of(3));
        assert!(!held.is_same(&readings));
        assert_eq!(held.get(0).unwrap().value, 0.2);
        assert_eq!(readings.get(0).unwrap().value, 0.3);
        readings.renew(&scales, &of(4)[..2]);
        assert_eq!(readings.len(), 2);
    }

    #[test]
    fn readings_that_were_given_whole_come_back_whole() {
        let one = Reading {
            value: 1.0 / 3.0,
            availability: Availability::Available,
            ..Reading::default()
        };
        let readings: Readings = [one, Reading::default()].into_iter().collect();
        assert_eq!((readings.len(), readings.iter().len()), (2, 2));
        assert_eq!(readings.get(0), Some(one));
        assert!(readings.as_packed().is_none());
    }
}
