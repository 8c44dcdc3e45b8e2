//! The SDR repository (§33) and the sensors' own records (§35.2 to §35.4).

use ipmi::bmc::{Request, serve};
use ipmi::command::sensor::{DeviceSdrInfo, GetDeviceSdrInfo};
use ipmi::command::storage::change_sdr::CLEAR_GUARD;
use ipmi::command::storage::{
    AddSdr, AllocationInfo, ClearSdrRepository, DeleteSdr, EnterSdrUpdateMode, ExitSdrUpdateMode,
    GetDeviceSdr, GetSdr, GetSdrRepositoryAllocationInfo, GetSdrRepositoryInfo,
    GetSdrRepositoryTime, InitializationAgent, PartialAddSdr, ReserveDeviceSdrRepository,
    ReserveSdrRepository, RunInitializationAgent, SdrData, SdrErasure, SdrPart, SdrRecordId,
    SdrRepositoryInfo, SdrRepositoryOperations, SetSdrRepositoryTime,
};
use ipmi::command::{Command, Empty};
use ipmi::number::{CompletionCode, EraseAction, InitializationRequest};
use ipmi::record::{RecordId, ReservationId, Timestamp};
use ipmi::wire::Writer;

use super::storage::piece;
use crate::controller::{SDR_RECORDS_MAX, SdrChanges};
use crate::machine::Machine;

/// When the repositories were made: 2026-01-01. It never changes, so that consoles may keep what they read.
const REPOSITORY_MADE_S: u32 = 1_767_225_600;
/// Version of the SDR commands: BCD with the digits swapped (§33.9).
const VERSION: u8 = 0x51;
/// Partial Add SDR: the length doesn't fit (§33.14).
const PARTIAL_LENGTH_WRONG: CompletionCode = CompletionCode(0x80);
/// Unit in which room is told, in bytes (§33.10).
const UNIT: u16 = 64;

pub(super) fn handle(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetSdrRepositoryInfo::CMD => serve(request, response, |_: GetSdrRepositoryInfo| {
            Ok(info(machine))
        }),
        GetSdrRepositoryAllocationInfo::CMD => {
            serve(request, response, |_: GetSdrRepositoryAllocationInfo| {
                Ok(allocation(machine))
            })
        }
        ReserveSdrRepository::CMD => serve(request, response, |_: ReserveSdrRepository| {
            Ok(ReservationId(machine.reserve_sdr()))
        }),
        GetSdr::CMD => serve(request, response, |GetSdr(part)| get(machine, part)),
        GetSdrRepositoryTime::CMD => serve(request, response, |_: GetSdrRepositoryTime| {
            Ok(Timestamp(machine.clock_s()))
        }),
        // One clock stamps everything.
        SetSdrRepositoryTime::CMD => serve(request, response, |c: SetSdrRepositoryTime| {
            machine.set_clock_s(c.time.0);
            Ok(Empty)
        }),
        RunInitializationAgent::CMD => serve(request, response, |c: RunInitializationAgent| {
            if c.request == InitializationRequest::RUN {
                // Sensors start as their records have them: what was set is forgotten.
                machine.controller_mut().sensors.clear();
            }
            Ok(InitializationAgent { done: true })
        }),
        _ => change(machine, request, response),
    }
}

fn change(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        AddSdr::CMD => serve(request, response, |c: AddSdr| {
            let now_s = machine.clock_s();
            let sdr = changes(machine);
            let id = sdr.next_id().ok_or(CompletionCode::OUT_OF_SPACE)?;
            if !sdr.add(id, c.record.to_vec(), now_s) {
                return Err(CompletionCode::REQUEST_LENGTH_INVALID);
            }
            machine.reserve_sdr();
            let record = RecordId(id);
            Ok(SdrRecordId { record })
        }),
        PartialAddSdr::CMD => serve(request, response, |c| add_partly(machine, &c)),
        DeleteSdr::CMD => serve(request, response, |c: DeleteSdr| {
            check(machine, c.reservation)?;
            let now_s = machine.clock_s();
            if !changes(machine).delete(c.record.0, now_s) {
                return Err(CompletionCode::NOT_PRESENT);
            }
            machine.reserve_sdr();
            Ok(SdrRecordId { record: c.record })
        }),
        ClearSdrRepository::CMD => serve(request, response, |c: ClearSdrRepository| {
            check(machine, c.reservation)?;
            if c.guard != CLEAR_GUARD {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            match c.action {
                EraseAction::INITIATE => {
                    let now_s = machine.clock_s();
                    changes(machine).clear(now_s);
                }
                EraseAction::GET_STATUS => {}
                _ => return Err(CompletionCode::INVALID_DATA_FIELD),
            }
            Ok(SdrErasure {
                progress: ipmi::number::EraseProgress(1),
            })
        }),
        EnterSdrUpdateMode::CMD => serve(request, response, |_: EnterSdrUpdateMode| {
            changes(machine).updating = true;
            Ok(Empty)
        }),
        ExitSdrUpdateMode::CMD => serve(request, response, |_: ExitSdrUpdateMode| {
            if let Some(sdr) = &mut machine.controller_mut().sdr {
                sdr.updating = false;
            }
            Ok(Empty)
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

/// The repository as its own copy, which it becomes with the first change.
fn changes(machine: &mut Machine) -> &mut SdrChanges {
    let profile = std::sync::Arc::clone(machine.profile());
    let of_profile = || SdrChanges::of(profile.sdr.records(), REPOSITORY_MADE_S);
    let sdr = &mut machine.controller_mut().sdr;
    sdr.get_or_insert_with(of_profile)
}

fn check(machine: &Machine, reservation: ReservationId) -> Result<(), CompletionCode> {
    if machine.is_sdr_reserved(reservation.0) {
        Ok(())
    } else {
        Err(CompletionCode::RESERVATION_CANCELLED)
    }
}

fn get(machine: &Machine, part: SdrPart) -> Result<SdrData, CompletionCode> {
    // A read from the start needs no reservation; one in the middle does (§33.12).
    if part.offset != 0 {
        check(machine, part.reservation)?;
    }
    let changed = machine.controller().sdr.as_ref();
    let found = match changed {
        Some(sdr) if sdr.updating => return Err(CompletionCode::SDR_IN_UPDATE),
        Some(sdr) => sdr.record(part.record),
        None => machine.profile().sdr.record(part.record),
    };
    let (record, next) = found.ok_or(CompletionCode::NOT_PRESENT)?;
    Ok(SdrData {
        next,
        data: piece(record, part.offset.into(), part.count)?,
    })
}

fn info(machine: &Machine) -> SdrRepositoryInfo {
    let changed = machine.controller().sdr.as_ref();
    let (records, added_s, erased_s) = match changed {
        Some(sdr) => (sdr.len(), sdr.added_s, sdr.erased_s),
        None => {
            let records = machine.profile().sdr.records().len();
            (records, REPOSITORY_MADE_S, REPOSITORY_MADE_S)
        }
    };
    let free = SDR_RECORDS_MAX.saturating_sub(records) * usize::from(UNIT);
    SdrRepositoryInfo {
        version: VERSION,
        record_count: u16::try_from(records).unwrap_or(u16::MAX),
        // FFFEh says "64 kB less 2 or more" (§33.9).
        free_bytes: u16::try_from(free).unwrap_or(u16::MAX).min(0xfffe),
        last_addition: Timestamp(added_s),
        last_erase: Timestamp(erased_s),
        operations: SdrRepositoryOperations(
            SdrRepositoryOperations::RESERVE.0
                | SdrRepositoryOperations::PARTIAL_ADD.0
                | SdrRepositoryOperations::DELETE.0
                | SdrRepositoryOperations::ALLOCATION_INFO.0
                | SdrRepositoryOperations::MODAL_UPDATE.0
                | SdrRepositoryOperations::NON_MODAL_UPDATE.0,
        ),
    }
}

fn allocation(machine: &Machine) -> AllocationInfo {
    let free = info(machine).free_bytes / UNIT;
    AllocationInfo {
        units: u16::try_from(SDR_RECORDS_MAX).unwrap_or(u16::MAX),
        unit_size: UNIT,
        free_units: free,
        largest_free_block: free,
        record_size_max: 5,
    }
}

fn add_partly(machine: &mut Machine, c: &PartialAddSdr) -> Result<SdrRecordId, CompletionCode> {
    let is_first = c.record.0 == 0 && c.offset == 0;
    if !is_first {
        check(machine, c.reservation)?;
    }
    let now_s = machine.clock_s();
    let sdr = changes(machine);
    let (id, mut record) = match sdr.partial.take() {
        _ if is_first => {
            let id = sdr.next_id().ok_or(CompletionCode::OUT_OF_SPACE)?;
            (id, Vec::new())
        }
        Some(partial) if partial.0 == c.record.0 => partial,
        _ => return Err(CompletionCode::NOT_PRESENT),
    };
    if record.len() != usize::from(c.offset) {
        return Err(PARTIAL_LENGTH_WRONG);
    }
    record.extend(c.data.as_slice());
    let record_id = RecordId(id);
    if c.progress == ipmi::number::UploadProgress(0) {
        sdr.partial = Some((id, record));
    } else if !sdr.add(id, record, now_s) {
        return Err(PARTIAL_LENGTH_WRONG);
    }
    Ok(SdrRecordId { record: record_id })
}

/// The records of the sensors on this controller, as the sensor device tells them (§35.2 to §35.4).
pub(super) fn device(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetDeviceSdrInfo::CMD => serve(request, response, |c: GetDeviceSdrInfo| {
            let count = if c.count_sdrs == Some(true) {
                machine.profile().sdr.records().len()
            } else {
                machine.profile().sensors.len()
            };
            Ok(DeviceSdrInfo {
                count: u8::try_from(count).unwrap_or(u8::MAX),
                luns: 0x01,
                population_change: None,
            })
        }),
        ReserveDeviceSdrRepository::CMD => {
            serve(request, response, |_: ReserveDeviceSdrRepository| {
                Ok(ReservationId(machine.reserve_sdr()))
            })
        }
        _ => serve(request, response, |GetDeviceSdr(part)| get(machine, part)),
    }
}
