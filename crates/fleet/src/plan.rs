//! What is read of a node each round, and how: made once from its records, shared by all nodes with equal records.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use hardware::{
    Availability, PackedReading, Scale, Scales, Sensor, SensorClass, Threshold, ThresholdState,
};
use ipmi::command::Message;
use ipmi::command::sensor::SensorReading;
use ipmi::number::{CompletionCode, NetFn, ReadingFlags};
use ipmi::quirk::Quirks;
use ipmi::record::Conversion;
use ipmi::record::sdr::Units;
use ipmi::wire::Reader;

use crate::classes::Classes;
use crate::contact::records::{Likeness, Records};
use crate::memory::Fingerprint;

/// One sensor to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Index in the node's sensors and readings.
    pub(crate) place: u16,
    /// The number that Get Sensor Reading takes.
    pub(crate) number: u8,
    /// The LUN on which it is.
    pub(crate) lun: u8,
    pub(crate) kind: ItemKind,
    /// By which it is read at an interval of its own.
    pub(crate) class: SensorClass,
}

/// How the answer is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    /// A number: index of its scale.
    Number {
        scale: u16,
        /// The states compare it with its thresholds.
        compares: bool,
    },
    /// States, of which only these bits mean something.
    States { mask: u16 },
}

/// Everything that equal machines share.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The description of every sensor, in the order of the records.
    pub(crate) sensors: Arc<[Sensor]>,
    /// Those that can be read.
    pub(crate) items: Box<[Item]>,
    /// Of which classes they are.
    pub(crate) classes: Classes,
    /// Conversions, each once; the snapshots of all machines have them, too.
    pub(crate) scales: Arc<Scales>,
    /// What is known of the sensors that events name, by [`Sensor::key`]; those that can't be read included.
    pub(crate) sources: HashMap<u32, EventSource>,
    /// What the records that it was made from are remembered as; not set where nothing is.
    pub(crate) repository: OnceLock<Fingerprint>,
    /// Those records; not set where no BMC was asked for them in this run.
    pub(crate) records: OnceLock<Arc<Records>>,
    /// With which deviations it was made.
    pub(crate) quirks: Quirks,
    /// Readings count although the BMC says that scanning is off.
    pub(crate) ignore_scanning_disabled: bool,
    /// Events may name another generator than the sensor's owner.
    pub(crate) any_generator: bool,
    /// Records that could not be understood, sensors of other controllers, sensors that are too many.
    pub(crate) ignored_records: usize,
}

/// What the record of a sensor adds to its events.
#[derive(Clone, Debug)]
pub(crate) struct EventSource {
    pub(crate) name: Arc<str>,
    pub(crate) conversion: Option<Conversion>,
    pub(crate) units: Units,
}

/// What an answer brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// A value, or states.
    Ok,
    /// The sensor has none now: its part is absent, the host is off, or it is not scanned.
    Unavailable,
    Failed,
}

/// The states of a threshold sensor (§35.14): its low six bits, each with its limit.
const CROSSED: [ThresholdState; 64] = {
    const BITS: [Threshold; 6] = [
        Threshold::LowerCaution,
        Threshold::LowerCritical,
        Threshold::LowerFatal,
        Threshold::UpperCaution,
        Threshold::UpperCritical,
        Threshold::UpperFatal,
    ];
    let mut table = [ThresholdState::NONE; 64];
    let mut states = 0;
    while states < table.len() {
        let mut bit = 0;
        while bit < BITS.len() {
            if states >> bit & 1 == 1 {
                table[states] = table[states].with(BITS[bit]);
            }
            bit += 1;
        }
        states += 1;
    }
    table
};

impl Plan {
    /// The index of the first item of these classes that has this index or a higher one; the number of items where there is none.
    pub(crate) fn next_of(&self, classes: Classes, from: u16) -> u16 {
        // MAX_SENSORS at most.
        let items = self.items.len() as u16;
        if classes == Classes::ALL {
            return from.min(items);
        }
        let mut behind = (from..items).filter(|at| classes.has(self.items[usize::from(*at)].class));
        behind.next().unwrap_or(items)
    }

    /// Takes the answer to Get Sensor Reading into `reading`. What the BMC does not give leaves the old value with a
    /// mark.
    pub(crate) fn read(
        &self,
        item: Item,
        completion: CompletionCode,
        data: &[u8],
        reading: &mut PackedReading,
    ) -> Read {
        let answer = match completion {
            CompletionCode::OK => SensorReading::decode(&mut Reader::new(data)).ok(),
            // Codes by which BMCs say "not now": part absent, host off, sensor not scanned.
            CompletionCode::NOT_PRESENT
            | CompletionCode::PARAMETER_OUT_OF_RANGE
            | CompletionCode::DESTINATION_UNAVAILABLE
            | CompletionCode::ILLEGAL_FOR_TYPE
            | CompletionCode::NO_RESPONSE
            | CompletionCode::NOT_SUPPORTED_IN_STATE => {
                *reading = reading.with(Availability::Unavailable);
                return Read::Unavailable;
            }
            _ => None,
        };
        let Some(mut answer) = answer else {
            mark_stale(reading);
            return Read::Failed;
        };
        if self.ignore_scanning_disabled {
            answer.flags = answer.flags | ReadingFlags::SCANNING;
        }
        *reading = match (answer.available(), item.kind) {
            (Some(raw), ItemKind::Number { scale, compares }) if self.is_number(scale, raw) => {
                let crossed = match compares {
                    true => CROSSED[usize::from(answer.thresholds().0 & 0x3f)],
                    false => ThresholdState::NONE,
                };
                PackedReading::number(raw, crossed)
            }
            (Some(_), ItemKind::States { mask }) => PackedReading::states(answer.states & mask),
            (None, _) | (Some(_), ItemKind::Number { .. }) => {
                reading.with(Availability::Unavailable)
            }
        };
        match reading.availability() {
            Availability::Available => Read::Ok,
            _ => Read::Unavailable,
        }
    }

    /// Whether this byte stands for a number.
    fn is_number(&self, scale: u16, raw: u8) -> bool {
        let scale: Option<&Scale> = self.scales.all().get(usize::from(scale));
        scale.is_some_and(|scale| scale[usize::from(raw)].is_finite())
    }
}

/// A value that could not be renewed; one that was never there stays pending.
pub(crate) const fn mark_stale(reading: &mut PackedReading) {
    if matches!(reading.availability(), Availability::Available) {
        *reading = reading.with(Availability::Stale);
    }
}

/// Get Sensor Reading, as the round sends it (§35.14).
pub(crate) const GET_SENSOR_READING: (NetFn, u8) = {
    use ipmi::command::Command;
    use ipmi::command::sensor::GetSensorReading;
    (GetSensorReading::NETFN, GetSensorReading::CMD)
};

/// The most kinds of machines whose records are found by [`Likeness`]. When there are more, the one that was met first is
/// looked for no more.
const KINDS_MAX: usize = 256;

/// The plans in use, by what they were made from: ten thousand equal machines share one.
#[derive(Default)]
pub(crate) struct Plans {
    by_records: Mutex<HashMap<Fingerprint, Weak<Plan>>>,
    /// Records of which there are plans, each with the last machine that had them.
    kinds: Mutex<VecDeque<(Likeness, Weak<Records>)>>,
}

impl Plans {
    /// The plan of the bytes with this fingerprint, made by `make` where no node has it yet.
    pub(crate) fn get(&self, key: Fingerprint, make: impl FnOnce() -> Plan) -> Arc<Plan> {
        let mut plans = self
            .by_records
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&key).and_then(Weak::upgrade) {
            return plan;
        }
        // Bound: at most one entry for each node that holds a plan, plus those that died since the last insert.
        plans.retain(|_, plan| plan.strong_count() > 0);
        let plan = Arc::new(make());
        plans.insert(key, Arc::downgrade(&plan));
        plan
    }

    fn kinds(&self) -> MutexGuard<'_, VecDeque<(Likeness, Weak<Records>)>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records that a machine of this likeness probably has.
    pub(crate) fn records_like(&self, likeness: &Likeness) -> Option<Arc<Records>> {
        let kinds = self.kinds();
        let (_, records) = kinds.iter().find(|(known, _)| known == likeness)?;
        records.upgrade()
    }

    /// A machine of this likeness has these records.
    pub(crate) fn add_records(&self, likeness: Likeness, records: &Arc<Records>) {
        let mut kinds = self.kinds();
        if let Some((_, known)) = kinds.iter_mut().find(|(known, _)| *known == likeness) {
            if !std::ptr::eq(known.as_ptr(), Arc::as_ptr(records)) {
                *known = Arc::downgrade(records);
            }
            return;
        }
        kinds.retain(|(_, records)| records.strong_count() > 0);
        if kinds.len() >= KINDS_MAX {
            kinds.pop_front();
        }
        kinds.push_back((likeness, Arc::downgrade(records)));
    }
}

impl fmt::Debug for Plans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plans").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use hardware::{Reading, Readings};

    use super::*;

    /// Of a sensor with numbers and one with states.
    fn plan() -> Plan {
        let mut scale: Scale = std::array::from_fn(|raw| raw as f64 * 10.0);
        scale[0] = f64::INFINITY;
        Plan {
            scales: Arc::new(Scales::new(vec![scale], [Some(0), None])),
            ..Plan::default()
        }
    }

    fn number(compares: bool) -> Item {
        Item {
            place: 0,
            number: 1,
            lun: 0,
            kind: ItemKind::Number { scale: 0, compares },
            class: SensorClass::Temperature,
        }
    }

    const OK: CompletionCode = CompletionCode::OK;

    /// What a reader sees.
    fn seen(plan: &Plan, item: Item, packed: PackedReading) -> Reading {
        let mut all = [PackedReading::default(); 2];
        all[usize::from(item.place)] = packed;
        let readings = Readings::packed(&plan.scales, &all);
        readings.get(usize::from(item.place)).unwrap()
    }

    #[test]
    fn a_number_is_its_scales_value_with_the_limits_it_crosses() {
        let (plan, mut packed) = (plan(), PackedReading::default());
        let answer = [7, 0xc0, 0xd8];
        let read = plan.read(number(true), OK, &answer, &mut packed);
        assert_eq!(read, Read::Ok);
        let reading = seen(&plan, number(true), packed);
        assert_eq!(reading.number(), Some(70.0));
        assert!(reading.crossed.contains(Threshold::UpperCaution));
        assert!(reading.crossed.contains(Threshold::UpperCritical));
        assert!(!reading.crossed.contains(Threshold::UpperFatal));
        plan.read(number(false), OK, &answer, &mut packed);
        let reading = seen(&plan, number(false), packed);
        assert_eq!(reading.crossed, ThresholdState::NONE);
    }

    #[test]
    fn a_sensor_that_is_not_scanned_or_has_no_value_is_unavailable() {
        for data in [[7, 0x80, 0], [7, 0xe0, 0], [0, 0xc0, 0]] {
            let mut packed = PackedReading::default();
            let read = plan().read(number(true), OK, &data, &mut packed);
            assert_eq!(read, Read::Unavailable);
            let availability = packed.availability();
            assert_eq!(availability, Availability::Unavailable, "{data:02x?}");
        }
        let mut packed = PackedReading::default();
        let read = plan().read(number(true), CompletionCode::NOT_PRESENT, &[], &mut packed);
        assert_eq!(read, Read::Unavailable);
        assert_eq!(packed.availability(), Availability::Unavailable);
    }

    #[test]
    fn a_bmc_known_to_say_so_wrongly_is_not_believed_that_scanning_is_off() {
        let plan = Plan {
            ignore_scanning_disabled: true,
            ..plan()
        };
        let mut packed = PackedReading::default();
        plan.read(number(true), OK, &[7, 0x80, 0], &mut packed);
        assert_eq!(seen(&plan, number(true), packed).number(), Some(70.0));
        plan.read(number(true), OK, &[7, 0xa0, 0], &mut packed);
        assert_eq!(packed.availability(), Availability::Unavailable);
    }

    #[test]
    fn an_error_keeps_the_old_value_and_marks_it_stale() {
        let (plan, mut packed) = (plan(), PackedReading::default());
        plan.read(number(true), OK, &[7, 0xc0, 0], &mut packed);
        for (completion, data) in [(CompletionCode::UNSPECIFIED, &[][..]), (OK, &[7])] {
            let read = plan.read(number(true), completion, data, &mut packed);
            assert_eq!(read, Read::Failed);
            let reading = seen(&plan, number(true), packed);
            assert_eq!(
                (reading.availability, reading.value),
                (Availability::Stale, 70.0)
            );
        }
        let mut never = PackedReading::default();
        plan.read(number(true), CompletionCode::UNSPECIFIED, &[], &mut never);
        assert_eq!(never.availability(), Availability::Pending);
    }

    #[test]
    fn states_come_through_as_they_are() {
        let item = Item {
            place: 1,
            number: 1,
            lun: 0,
            kind: ItemKind::States { mask: u16::MAX },
            class: SensorClass::Discrete,
        };
        let (plan, mut packed) = (plan(), PackedReading::default());
        plan.read(item, OK, &[0, 0xc0, 0x05, 0x81], &mut packed);
        assert_eq!(seen(&plan, item, packed).states, 0x0105);
    }

    #[test]
    fn equal_records_share_a_plan_for_as_long_as_anyone_has_it() {
        let plans = Plans::default();
        let first = plans.get([1; 32], plan);
        let again = plans.get([1; 32], || panic!("is there already"));
        assert!(Arc::ptr_eq(&first, &again));
        assert!(!Arc::ptr_eq(&first, &plans.get([2; 32], plan)));
        drop((first, again));
        let mut made = false;
        plans.get([1; 32], || {
            made = true;
            plan()
        });
        assert!(made);
        assert_eq!(
            plans.by_records.lock().unwrap().len(),
            1,
            "dead plans are dropped"
        );
    }
}
