//! First contact with a BMC: who it is, which sensors it has, which parts.

pub(crate) mod board;
pub(crate) mod firmware;
pub(crate) mod fru;
mod guid;
pub(crate) mod identity;
mod key;
pub(crate) mod left_open;
pub(crate) mod log;
pub(crate) mod records;
pub(crate) mod repository;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hardware::{Identity, Inventory, Nameplates, Scale, Uuid};
use ipmi::command::app::{DeviceId, GetDeviceId, Guid};
use ipmi::command::sensor::{
    GetDeviceSdrInfo, GetSensorReadingFactors, GetSensorThresholds, SensorThresholds,
};
use ipmi::command::storage::GetSdrRepositoryInfo;
use ipmi::number::CompletionCode;
use ipmi::quirk::{Quirk, Quirks};
use ipmi::record::Conversion;
use ipmi::record::fru::Fru;
use ipmi::record::sdr::{FullSensor, SensorKey};

use crate::call::{Call, CallError, decode};
use crate::convert::{self, Described};
use crate::memory::{self, Memory};
use crate::plan::{Plan, Plans};
use crate::script::Line;
pub(crate) use board::Marks;
use board::Met;
use fru::Inventories;
pub(crate) use guid::{differ, is_another, set};
use identity::Guids;
use left_open::LeftOpen;
use log::{LogRead, Since};
use records::{Gathered, Likeness, Records};
use repository::{Source, Stamp};

/// The most inventories beside the BMC's own that are read of one machine.
const PARTS_MAX: usize = 64;

/// How often a BMC that is shown already may put us off before what it tells then is shown in place of it.
const PUT_OFF_MAX: u8 = 5;

#[cfg(test)]
pub(crate) use key::empty_key;
use key::plan_key;
pub(crate) use key::plan_of;

/// By what a BMC is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) device: DeviceId,
    pub(crate) stamp: Option<Stamp>,
    /// `None` where it tells none, or none that holds.
    pub(crate) guid: Option<Guid>,
    /// Its GUID doesn't hold: [`Quirk::GuidUnsteady`].
    pub(crate) is_unsteady: bool,
}

/// What is known of a BMC before it is talked to.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) address: SocketAddr,
    pub(crate) quirks: Quirks,
    /// What is known of it is from an earlier run: who it is, is asked anew.
    pub(crate) recalled: bool,
    /// It is to be got acquainted with anew, known or not.
    pub(crate) anew: bool,
    /// The machine's UUID.
    pub(crate) uuid: Option<Uuid>,
    /// By what its board is known, where its GUID doesn't hold.
    pub(crate) marks: Option<Box<Marks>>,
    /// The session that an earlier run left open.
    pub(crate) left_open: Option<LeftOpen>,
    /// Where records are remembered.
    pub(crate) memory: Option<Arc<Memory>>,
    /// What its node shows of its records.
    pub(crate) shown: Shown,
    /// How often in a row it has put us off.
    pub(crate) put_off: u8,
    /// How often since the last contact it did not show whose board it is.
    pub(crate) unmet: u8,
}

/// What a node shows of its BMC's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nothing: it was never got acquainted with.
    Nothing,
    /// What could be had when it put us off.
    Part,
    /// All.
    All,
}

/// What a first contact found.
#[derive(Debug)]
pub(crate) struct Contacted {
    pub(crate) known: Known,
    pub(crate) plan: Arc<Plan>,
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) identity: Arc<Identity>,
    /// It is certainly not the BMC that was known, whose GUID doesn't hold: see [`board`].
    pub(crate) is_another_board: bool,
    /// The list of records did not end by itself.
    pub(crate) cut: bool,
    /// The BMC has more records, and does not give them now.
    pub(crate) partial: bool,
}

/// How a conversation of the engine's own ended.
#[derive(Debug)]
pub(crate) enum Finding {
    /// The BMC is the one that was known, with the same records.
    Unchanged,
    /// It is the one that an earlier run knew; who it says it is now.
    Recognized(Arc<Identity>),
    /// All about a BMC.
    Contact(Box<Contacted>),
    /// It does not say now what it said before, or not all of it: what is shown of it stays, and it is asked again.
    PutOff {
        /// It is the one that is shown, as far as it says.
        same: bool,
        why: String,
    },
    /// It does not show now by what its board is known, for this reason: it is asked again.
    Unmet(String),
    /// News of its event log, or why it could not be read.
    Log(Result<LogRead, CallError>),
    /// It fell silent in the middle.
    Failed(CallError),
}

/// Reads what is new in the event log.
pub(crate) async fn follow_log(line: Line, since: Since) -> Finding {
    Finding::Log(log::follow(&line, since).await)
}

/// Gets acquainted with a BMC; stops early where it is `known` already.
pub(crate) async fn contact(
    line: Line,
    plans: Arc<Plans>,
    known: Option<Known>,
    about: About,
) -> Finding {
    match acquaint(&line, &plans, known, about).await {
        Ok(finding) => finding,
        Err(error) => Finding::Failed(error),
    }
}

async fn acquaint(
    line: &Line,
    plans: &Plans,
    known: Option<Known>,
    mut about: About,
) -> Result<Finding, CallError> {
    if let (Some(left), Some(memory)) = (&about.left_open, &about.memory) {
        left_open::close(line, left.earlier).await;
        memory.remember_session(&left.node, left.own);
    }
    let device = line.call(&GetDeviceId).await?;
    let met = board::meet(line, known, &device, &about).await?;
    if let Met::NotNow(why) = met {
        return Ok(Finding::Unmet(why));
    }
    let is_another_board = met == Met::Another;
    let known = known.filter(|_| !is_another_board);
    about.uuid = about.uuid.filter(|_| !is_another_board);
    let mut finding = look_at(line, plans, device, known, about).await?;
    if let Finding::Contact(contacted) = &mut finding {
        contacted.is_another_board = is_another_board;
    }
    Ok(finding)
}

async fn look_at(
    line: &Line,
    plans: &Plans,
    device: DeviceId,
    known: Option<Known>,
    about: About,
) -> Result<Finding, CallError> {
    let same_device = known.filter(|known| known.device == device);
    let source = source_of(&device, same_device.and_then(|known| known.stamp));
    let stamp = said(repository::stamp(line, source).await)?;
    let (guid, mut is_unsteady) = guid::of_device(line, known, &about).await?;
    let told = guid.told();
    let waits = Waits::of(&about, same_device.is_some());
    if let Some(known) = same_device {
        // What it never told is as it was.
        let stamp = stamp.not_now().filter(|_| known.stamp.is_some());
        let guid = guid.not_now().filter(|_| known.guid.is_some());
        if let Some(why) = stamp.or(guid) {
            return Ok(put_off(!differ(known.guid, told), why.to_string()));
        }
    } else if let Some(why) = stamp.not_now().filter(|_| waits == Waits::Long) {
        return Ok(put_off(false, why.to_string()));
    }
    let guid = guid.told_or(known.and_then(|known| known.guid));
    let uuid = about.uuid.map(|uuid| Guid::from_rfc_4122(uuid.to_bytes()));
    let (system, system_is_unsteady) = guid::of_system(line, guid, uuid).await?;
    is_unsteady |= system_is_unsteady;
    let now = Known {
        device,
        stamp: stamp.told_or(None),
        guid,
        is_unsteady,
    };
    let is_known = known == Some(now)
        && about.shown != Shown::Part
        && !about.anew
        && !differ(uuid, system.flatten());
    if is_known && !about.recalled {
        return Ok(Finding::Unchanged);
    }
    let guids = Guids {
        device: now.guid,
        system,
    };
    let mut identity = identity::read(line, &device, guids, &about).await?;
    let is_new = known.is_none() && !system_is_unsteady;
    guid::keep_what_held(&mut identity, now, about.uuid, is_new);
    if is_known {
        return Ok(Finding::Recognized(Arc::new(identity)));
    }
    let sensors = read_sensors(line, plans, &device, now.stamp, &about, waits).await?;
    let sensors = match sensors {
        Ok(sensors) => sensors,
        Err(why) => return Ok(put_off(same_device.is_some(), why)),
    };
    let plates = read_nameplates(line, &sensors.records.described).await?;
    let inventory = Inventory::new(plates, Arc::clone(&sensors.plan.sensors));
    Ok(Finding::Contact(Box::new(Contacted {
        known: Known {
            device,
            stamp: sensors.stamp,
            ..now
        },
        identity: Arc::new(identity),
        inventory: Arc::new(inventory),
        plan: sensors.plan,
        is_another_board: false,
        cut: sensors.cut,
        partial: sensors.partial,
    })))
}

const fn put_off(same: bool, why: String) -> Finding {
    Finding::PutOff { same, why }
}

/// For how long what is shown of a BMC is better than what it tells now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    /// Nothing is shown yet, or it was put off often enough.
    Not,
    /// Until it says anything about its records: it is the same as before.
    Refused,
    /// Until it tells them whole.
    Long,
}

impl Waits {
    const fn of(about: &About, same: bool) -> Self {
        match about.shown {
            Shown::All if about.put_off < PUT_OFF_MAX => Self::Long,
            Shown::All | Shown::Part if same => Self::Refused,
            _ => Self::Not,
        }
    }
}

/// What the records of a BMC make.
struct Sensors {
    plan: Arc<Plan>,
    records: Arc<Records>,
    stamp: Option<Stamp>,
    /// The list of records did not end by itself.
    cut: bool,
    /// They are not all.
    partial: bool,
}

/// Reads the records and what belongs to them. A thousand contacts run at a time: where a machine's records are known already
/// each has none of its own in memory. `Err` says why the BMC does not tell them now, where that is waited for.
async fn read_sensors(
    line: &Line,
    plans: &Plans,
    device: &DeviceId,
    stamp: Option<Stamp>,
    about: &About,
    waits: Waits,
) -> Result<Result<Sensors, String>, CallError> {
    let (source, quirks) = (source_of(device, stamp), about.quirks);
    let like = plans.records_like(&Likeness::new(*device, stamp, quirks));
    let (gathered, stamp, cut, partial) =
        match said(repository::read(line, source, stamp, like).await)? {
            Said::Told(read) if read.ends_early && waits == Waits::Long => {
                let why = "the sensor data records end before their count";
                return Ok(Err(why.to_owned()));
            }
            // The stamp is that of all.
            Said::Told(read) if read.ends_early => (read.records, None, read.cut, true),
            Said::Told(read) => (read.records, read.stamp, read.cut, false),
            // A BMC without records has no sensors that we could name.
            Said::HasNone => (Gathered::New(Vec::new()), None, false, false),
            Said::NotNow(_) if waits == Waits::Not => {
                (Gathered::New(Vec::new()), None, false, true)
            }
            Said::NotNow(why) => return Ok(Err(why.to_string())),
        };
    let records = match gathered {
        Gathered::Known(known) => known,
        Gathered::New(records) => Arc::new(Records::new(records, quirks)),
    };
    let limits = read_limits(line, &records.described).await?;
    let tables = read_tables(line, &records.described).await?;
    let key = plan_key(records.all(), &limits, &tables, quirks);
    let described = &records.described;
    let name = memory::fingerprint(&key);
    let plan = plans.get(name, || convert::plan(described, &limits, &tables, quirks));
    if let Some(memory) = &about.memory {
        plan.repository.get_or_init(|| {
            memory.keep(name, key);
            name
        });
    }
    let records = Arc::clone(plan.records.get_or_init(|| records));
    plans.add_records(Likeness::new(*device, stamp, quirks), &records);
    Ok(Ok(Sensors {
        plan,
        records,
        stamp,
        cut,
        partial,
    }))
}

/// Where a BMC's records are: where those of this stamp were found, or else where it says.
fn source_of(device: &DeviceId, stamp: Option<Stamp>) -> Source {
    stamp.map_or_else(|| Source::of(device), Stamp::source)
}

/// What to ask to learn whether a BMC's records changed since it was got acquainted with.
pub(crate) fn records_call(known: Known) -> Call {
    match source_of(&known.device, known.stamp) {
        Source::Repository => Call::of(&GetSdrRepositoryInfo),
        Source::Device => Call::of(&GetDeviceSdrInfo { count_sdrs: None }),
    }
}

/// Whether the answer to [`records_call`] says that they changed, or can be read now.
pub(crate) fn records_changed(known: Known, completion: CompletionCode, data: &[u8]) -> bool {
    let now = match source_of(&known.device, known.stamp) {
        Source::Repository => {
            decode::<GetSdrRepositoryInfo>(completion, data).map(|info| Stamp::of_repository(&info))
        }
        Source::Device => {
            decode::<GetDeviceSdrInfo>(completion, data).map(|info| Stamp::of_device(&info))
        }
    };
    now.is_ok_and(|now| known.stamp != Some(now))
}

/// What a BMC says to a question that some can't answer.
#[derive(Debug)]
pub(crate) enum Said<T> {
    Told(T),
    /// It has nothing of the kind.
    HasNone,
    /// It may say so later: it starts, is busy, or said what can't be understood.
    NotNow(CallError),
}

impl<T> Said<T> {
    const fn told(&self) -> Option<T>
    where
        T: Copy,
    {
        match self {
            Self::Told(told) => Some(*told),
            Self::HasNone | Self::NotNow(_) => None,
        }
    }

    const fn not_now(&self) -> Option<&CallError> {
        match self {
            Self::NotNow(why) => Some(why),
            Self::Told(_) | Self::HasNone => None,
        }
    }

    /// What it told; `before` where it may say so later.
    fn told_or(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Told(told) => Some(told),
            Self::HasNone => None,
            Self::NotNow(_) => before,
        }
    }
}

/// Refusals that say that there is no such thing, or none for us (§5.2, table 5-2): the command is not known, not on this LUN,
/// above our privilege, or disabled. All others may pass: BMCs that start answer by D2h, D5h or FFh.
pub(crate) fn said<T>(result: Result<T, CallError>) -> Result<Said<T>, CallError> {
    match result {
        Ok(value) => Ok(Said::Told(value)),
        Err(error @ CallError::Unanswered { .. }) => Err(error),
        Err(error) => Ok(match error.completion() {
            Some(
                CompletionCode::INVALID_COMMAND
                | CompletionCode::INVALID_FOR_LUN
                | CompletionCode::INSUFFICIENT_PRIVILEGE
                | CompletionCode::DISABLED,
            ) => Said::HasNone,
            _ => Said::NotNow(error),
        }),
    }
}

/// What the BMC refuses, or has no answer for, is not there; only its silence ends the conversation.
fn optional<T>(result: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error @ CallError::Unanswered { .. }) => Err(error),
        Err(CallError::Refused { .. } | CallError::Garbled { .. } | CallError::Mute { .. }) => {
            Ok(None)
        }
    }
}

/// The limits of each threshold sensor as the BMC gives them, by the sensor's key.
pub(crate) type Limits = HashMap<SensorKey, SensorThresholds>;

/// The reading of every raw byte of each non-linear sensor, by the sensor's key.
pub(crate) type Tables = HashMap<SensorKey, Box<Scale>>;

async fn read_limits(line: &Line, described: &Described) -> Result<Limits, CallError> {
    let mut limits = Limits::new();
    for full in described
        .full()
        .filter(|full| full.sensor.event_reading_type.is_threshold())
    {
        let key = full.sensor.key;
        let get = GetSensorThresholds {
            sensor_number: key.sensor_number,
        };
        if let Some(thresholds) = optional(line.call_on_lun(key.lun().get(), &get).await)? {
            limits.insert(key, thresholds);
        }
    }
    Ok(limits)
}

/// The factors of a non-linear sensor depend on its reading (§35.5, §36.3): asks for all of them once.
async fn read_tables(line: &Line, described: &Described) -> Result<Tables, CallError> {
    let mut tables = Tables::new();
    for full in described
        .full()
        .filter(|full| full.linearization.is_non_linear())
    {
        if let Some(table) = read_table(line, full).await? {
            tables.insert(full.sensor.key, table);
        }
    }
    Ok(tables)
}

async fn read_table(line: &Line, full: &FullSensor) -> Result<Option<Box<Scale>>, CallError> {
    let key = full.sensor.key;
    let format = full.sensor.units.format();
    let mut table = Box::new([f64::NAN; 256]);
    let mut raw = 0_u8;
    loop {
        let get = GetSensorReadingFactors {
            sensor_number: key.sensor_number,
            raw,
        };
        let Some(answer) = optional(line.call_on_lun(key.lun().get(), &get).await)? else {
            return Ok(None);
        };
        let conversion = Conversion::at_reading(format, &answer.factors);
        // The factors hold up to the reading before the next one named; where that leads nowhere, for this one only.
        let end = if answer.next_raw > raw {
            answer.next_raw
        } else {
            raw.saturating_add(1)
        };
        for raw in raw..=end {
            table[usize::from(raw)] = conversion.value(raw);
        }
        if end == u8::MAX {
            // The last reading of all has factors of its own where it was named as the next.
            if answer.next_raw == u8::MAX && raw < u8::MAX {
                raw = u8::MAX;
                continue;
            }
            return Ok(Some(table));
        }
        raw = end;
    }
}

async fn read_nameplates(line: &Line, described: &Described) -> Result<Nameplates, CallError> {
    let mut plates = Nameplates::default();
    let mut inventories = Inventories::new(line);
    if let Some(bytes) = optional(inventories.nameplate(0).await)? {
        if Fru::decode(&bytes).is_ok_and(|fru| !fru.faults.is_empty()) {
            line.note(Quirk::FruChecksumsWrong);
        }
        convert::nameplate(&bytes, &mut plates);
    }
    for locator in described.frus.iter().take(PARTS_MAX) {
        let Some(device) = locator.fru_device_id().filter(|device| *device != 0) else {
            continue;
        };
        if locator.is_spd() {
            let spd = optional(inventories.module(device).await)?;
            let module = spd.and_then(|spd| convert::module(locator, &spd));
            plates.parts.extend(module);
        } else if let Some(bytes) = optional(inventories.nameplate(device).await)? {
            plates.parts.extend(convert::part(locator, &bytes));
        }
    }
    Ok(plates)
}

#[cfg(test)]
mod tests;
