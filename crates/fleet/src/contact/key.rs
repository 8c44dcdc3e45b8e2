//! Everything that a plan is made from, as bytes: equal bytes, equal plans. Remembered, they make the plan again.

use std::collections::HashMap;
use std::sync::Arc;

use ipmi::command::sensor::SensorThresholds;
use ipmi::number::ThresholdSet;
use ipmi::quirk::Quirks;
use ipmi::record::sdr::SensorKey;

use super::{Limits, Tables};
use crate::convert;
use crate::memory::{Decoder, Encoder, fingerprint};
use crate::plan::{Plan, Plans};

/// The bytes of these records, limits and tables.
pub(super) fn plan_key(
    records: &[Vec<u8>],
    limits: &Limits,
    tables: &Tables,
    quirks: Quirks,
) -> Vec<u8> {
    let mut e = Encoder::default();
    for word in quirks.bits() {
        e.raw(&word.to_le_bytes());
    }
    e.u32(records.len() as u32);
    for record in records {
        e.u32(record.len() as u32);
        e.raw(record);
    }
    let mut limits: Vec<_> = limits
        .iter()
        .map(|(key, limits)| (sort_key(key), limits))
        .collect();
    limits.sort_unstable_by_key(|(key, _)| *key);
    e.u32(limits.len() as u32);
    for (sensor, limits) in limits {
        e.raw(&sensor);
        e.u8(limits.present.0);
        e.raw(&limits.raw);
    }
    let mut tables: Vec<_> = tables
        .iter()
        .map(|(key, table)| (sort_key(key), table))
        .collect();
    tables.sort_unstable_by_key(|(key, _)| *key);
    e.u32(tables.len() as u32);
    for (sensor, table) in tables {
        e.raw(&sensor);
        for value in table.iter() {
            e.raw(&value.to_le_bytes());
        }
    }
    e.finish()
}

const fn sort_key(key: &SensorKey) -> [u8; 3] {
    [key.owner_id, key.owner_lun, key.sensor_number]
}

const fn sensor_key([owner_id, owner_lun, sensor_number]: [u8; 3]) -> SensorKey {
    SensorKey {
        owner_id,
        owner_lun,
        sensor_number,
    }
}

/// The plan of these bytes; `None` where they are none that [`plan_key`] wrote.
pub(crate) fn plan_of(bytes: Vec<u8>, plans: &Plans) -> Option<Arc<Plan>> {
    let d = &mut Decoder(&bytes);
    let mut bits = [0; 2];
    for word in &mut bits {
        *word = u64::from_le_bytes(d.raw(8)?.try_into().ok()?);
    }
    let quirks = Quirks::of_bits(bits);
    let mut records = Vec::new();
    for _ in 0..d.u32()? {
        let len = d.u32()?;
        records.push(d.raw(len as usize)?.to_vec());
    }
    let mut limits: Limits = HashMap::new();
    for _ in 0..d.u32()? {
        let key = sensor_key(d.array()?);
        let thresholds = SensorThresholds {
            present: ThresholdSet(d.u8()?),
            raw: d.array()?,
        };
        limits.insert(key, thresholds);
    }
    let mut tables: Tables = HashMap::new();
    for _ in 0..d.u32()? {
        let key = sensor_key(d.array()?);
        let mut table = Box::new([0.0; 256]);
        for value in table.iter_mut() {
            *value = f64::from_le_bytes(d.array()?);
        }
        tables.insert(key, table);
    }
    let make = || {
        let described = convert::describe(&records, quirks);
        convert::plan(&described, &limits, &tables, quirks)
    };
    Some(plans.get(fingerprint(&bytes), make))
}

/// The bytes of a BMC without records.
#[cfg(test)]
pub(crate) fn empty_key() -> Vec<u8> {
    plan_key(&[], &Limits::new(), &Tables::new(), Quirks::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_made_again_from_its_bytes_and_not_from_others() {
        let mut limits = Limits::new();
        let thresholds = SensorThresholds {
            present: ThresholdSet(0x21),
            raw: [1, 2, 3, 4, 5, 6],
        };
        limits.insert(SensorKey::bmc(7), thresholds);
        let mut tables = Tables::new();
        tables.insert(SensorKey::bmc(8), Box::new([1.5; 256]));
        let records = vec![vec![1, 0, 0x51, 0xc0, 1, 9], Vec::new()];
        let bytes = plan_key(&records, &limits, &tables, Quirks::default());
        let plans = Plans::default();
        let plan = plan_of(bytes.clone(), &plans).unwrap();
        let again = plans.get(fingerprint(&bytes), || panic!("it is there"));
        assert!(Arc::ptr_eq(&plan, &again));
        for len in 0..bytes.len() {
            assert!(
                plan_of(bytes[..len].to_vec(), &plans).is_none(),
                "cut at {len}"
            );
        }
    }
}
