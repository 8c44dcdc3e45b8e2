//! Storage commands: system event log (§31), FRU inventory (§34).

use ipmi::bmc::{Request, serve};
use ipmi::command::storage::{
    AddSelEntry, AllocationInfo, AuxiliaryLogStatus, ClearSel, DeleteSelEntry, FruData,
    FruDataWritten, FruInventoryAreaInfo, GetAuxiliaryLogStatus, GetFruInventoryAreaInfo,
    GetSelAllocationInfo, GetSelEntry, GetSelInfo, GetSelTime, GetSelTimeUtcOffset,
    PartialAddSelEntry, ReadFruData, ReserveSel, SdrRecordId, SelEntryData, SelEntryId, SelErasure,
    SelInfo, SelOperations, SetAuxiliaryLogStatus, SetSelTime, SetSelTimeUtcOffset, UtcOffset,
    WriteFruData,
};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::{AuxiliaryLogType, CompletionCode, EraseAction, EraseProgress, FruAccessMode};
use ipmi::record::{RecordId, ReservationId, Timestamp};
use ipmi::wire::Writer;

use crate::controller::AUXILIARY_LOGS;
use crate::log::{ENTRY_LEN, LOG_ENTRIES_MAX};
use crate::machine::Machine;

/// Version of the SEL commands: BCD with the digits swapped (§31.2).
const VERSION: u8 = 0x51;
/// Partial Add SEL Entry: the length doesn't fit (§31.7).
const PARTIAL_LENGTH_WRONG: CompletionCode = CompletionCode(0x80);
/// Write FRU Data: the inventory is write-protected (§34.3).
const WRITE_PROTECTED: CompletionCode = CompletionCode(0x80);
/// Offsets of the clock from UTC are at most a day, in minutes (§31.11a).
const UTC_OFFSETS: std::ops::RangeInclusive<i16> = -1440..=1440;

pub(super) fn handle(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        0x20..=0x2f => super::sdr::handle(machine, request, response),
        GetFruInventoryAreaInfo::CMD | ReadFruData::CMD | WriteFruData::CMD => {
            fru(machine, request, response)
        }
        GetAuxiliaryLogStatus::CMD | SetAuxiliaryLogStatus::CMD => {
            auxiliary(machine, request, response)
        }
        GetSelTime::CMD | SetSelTime::CMD | GetSelTimeUtcOffset::CMD | SetSelTimeUtcOffset::CMD => {
            clock(machine, request, response)
        }
        _ => sel(machine, request, response),
    }
}

/// The bytes from `offset` on, at most `count`. What is beyond the end is left out; starting beyond it is refused.
pub(super) fn piece<const N: usize>(
    bytes: &[u8],
    offset: usize,
    count: u8,
) -> Result<Bytes<N>, CompletionCode> {
    let rest = bytes.get(offset..).filter(|rest| !rest.is_empty());
    let rest = rest.ok_or(CompletionCode::PARAMETER_OUT_OF_RANGE)?;
    Bytes::new(&rest[..rest.len().min(count.into())]).ok_or(CompletionCode::CANNOT_RETURN_BYTES)
}

fn fru(machine: &mut Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    let inventory = |machine: &Machine, id| machine.fru(id).ok_or(CompletionCode::NOT_PRESENT);
    match request.cmd {
        GetFruInventoryAreaInfo::CMD => serve(request, response, |c: GetFruInventoryAreaInfo| {
            let size =
                u16::try_from(inventory(machine, c.fru_device_id)?.len()).unwrap_or(u16::MAX);
            Ok(FruInventoryAreaInfo {
                size,
                access: FruAccessMode::BYTES,
            })
        }),
        ReadFruData::CMD => serve(request, response, |c: ReadFruData| {
            let data: Bytes<_> = piece(
                &inventory(machine, c.fru_device_id)?,
                c.offset.into(),
                c.count,
            )?;
            Ok(FruData {
                count: u8::try_from(data.len()).unwrap_or(u8::MAX),
                data,
            })
        }),
        _ => serve(request, response, |c: WriteFruData| write_fru(machine, &c)),
    }
}

/// Writes into an inventory as it is; the parts of memory modules are write-protected, as their EEPROMs are.
fn write_fru(machine: &mut Machine, c: &WriteFruData) -> Result<FruDataWritten, CompletionCode> {
    let mut frus = machine.profile().frus();
    let spec = frus.find(|fru| fru.device_id == c.fru_device_id);
    let is_spd = spec.ok_or(CompletionCode::NOT_PRESENT)?.is_spd;
    drop(frus);
    if is_spd {
        return Err(WRITE_PROTECTED);
    }
    let image = machine.fru(c.fru_device_id);
    let mut image = image.ok_or(CompletionCode::NOT_PRESENT)?;
    let start = usize::from(c.offset);
    let room = image.get_mut(start..start + c.data.len());
    let room = room.ok_or(CompletionCode::PARAMETER_OUT_OF_RANGE)?;
    room.copy_from_slice(&c.data);
    let written = &mut machine.controller_mut().frus;
    written.insert(c.fru_device_id, image);
    Ok(FruDataWritten {
        count: u8::try_from(c.data.len()).unwrap_or(u8::MAX),
    })
}

/// Logs beside the SEL (§31.12, §31.13).
fn auxiliary(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let number = |log: AuxiliaryLogType| {
        let number = usize::from(log.0);
        if number < AUXILIARY_LOGS {
            Ok(number)
        } else {
            Err(CompletionCode::INVALID_DATA_FIELD)
        }
    };
    match request.cmd {
        GetAuxiliaryLogStatus::CMD => serve(request, response, |c: GetAuxiliaryLogStatus| {
            let stored = &machine.controller().auxiliary_logs[number(c.log)?];
            let (added, status) = match stored {
                Some((added, status)) => (*added, status.as_slice()),
                // Nothing is known of a machine check log, and no maker has one.
                None if c.log == AuxiliaryLogType::MCA => (0, &[0xff; 4][..]),
                None => return Err(CompletionCode::NOT_PRESENT),
            };
            Ok(AuxiliaryLogStatus {
                added: Timestamp(added),
                status: Bytes::new(status).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
            })
        }),
        _ => serve(request, response, |c: SetAuxiliaryLogStatus| {
            let wanted = if c.log == AuxiliaryLogType::MCA {
                4
            } else {
                11
            };
            let number = number(c.log)?;
            if c.status.len() != wanted {
                return Err(CompletionCode::REQUEST_LENGTH_INVALID);
            }
            let status = Some((c.added.0, c.status.to_vec()));
            machine.controller_mut().auxiliary_logs[number] = status;
            Ok(Empty)
        }),
    }
}

fn clock(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetSelTime::CMD => serve(request, response, |_: GetSelTime| {
            Ok(Timestamp(machine.clock_s()))
        }),
        SetSelTime::CMD => serve(request, response, |c: SetSelTime| {
            machine.set_clock_s(c.time.0);
            Ok(Empty)
        }),
        GetSelTimeUtcOffset::CMD => serve(request, response, |_: GetSelTimeUtcOffset| {
            Ok(UtcOffset(machine.utc_offset_min))
        }),
        _ => serve(request, response, |c: SetSelTimeUtcOffset| {
            if c.offset != UtcOffset::UNSPECIFIED && !UTC_OFFSETS.contains(&c.offset.0) {
                return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
            }
            machine.utc_offset_min = c.offset.0;
            Ok(Empty)
        }),
    }
}

fn sel(machine: &mut Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    let clock_s = machine.clock_s();
    match request.cmd {
        GetSelInfo::CMD => serve(request, response, |_: GetSelInfo| Ok(sel_info(machine))),
        ReserveSel::CMD => serve(request, response, |_: ReserveSel| {
            let serial = machine.next_reservation();
            Ok(ReservationId(machine.log_mut().reserve(serial)))
        }),
        GetSelEntry::CMD => serve(request, response, |c: GetSelEntry| {
            let log = machine.log();
            if c.offset != 0 && !log.is_reserved(c.reservation.0) {
                return Err(CompletionCode::RESERVATION_CANCELLED);
            }
            let (entry, next) = log.entry(c.record.0).ok_or(CompletionCode::NOT_PRESENT)?;
            Ok(SelEntryData {
                next: RecordId(next),
                data: piece(entry, c.offset.into(), c.count)?,
            })
        }),
        AddSelEntry::CMD => serve(request, response, |c: AddSelEntry| {
            let record = add(machine, c.record)?;
            Ok(SelEntryId { record })
        }),
        PartialAddSelEntry::CMD => serve(request, response, |c| add_partly(machine, &c)),
        GetSelAllocationInfo::CMD => serve(request, response, |_: GetSelAllocationInfo| {
            let free = LOG_ENTRIES_MAX.saturating_sub(machine.log().entries().len());
            let free = u16::try_from(free).unwrap_or(u16::MAX);
            Ok(AllocationInfo {
                units: u16::try_from(LOG_ENTRIES_MAX).unwrap_or(u16::MAX),
                unit_size: u16::try_from(ENTRY_LEN).unwrap_or(u16::MAX),
                free_units: free,
                largest_free_block: free,
                record_size_max: 1,
            })
        }),
        DeleteSelEntry::CMD => serve(request, response, |c: DeleteSelEntry| {
            if !machine.log().is_reserved(c.reservation.0) {
                return Err(CompletionCode::RESERVATION_CANCELLED);
            }
            let deleted = machine.log_mut().delete(clock_s, c.record.0);
            let id = deleted.ok_or(CompletionCode::NOT_PRESENT)?;
            Ok(SelEntryId {
                record: RecordId(id),
            })
        }),
        ClearSel::CMD => serve(request, response, |c: ClearSel| {
            if !machine.log().is_reserved(c.reservation.0) {
                return Err(CompletionCode::RESERVATION_CANCELLED);
            }
            if c.action == EraseAction::INITIATE {
                machine.clear_log();
            }
            Ok(SelErasure(EraseProgress::COMPLETED))
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

/// Adds a whole entry.
fn add(machine: &mut Machine, mut record: [u8; ENTRY_LEN]) -> Result<RecordId, CompletionCode> {
    let clock_s = machine.clock_s();
    // System events and time-stamped OEM records get the log's time (§31.6).
    if record[2] < 0xe0 {
        record[3..7].copy_from_slice(&clock_s.to_le_bytes());
    }
    let id = machine.log_mut().append(clock_s, record);
    id.map(RecordId).ok_or(CompletionCode::OUT_OF_SPACE)
}

/// Adds a part of an entry (§31.7): the entry is there with its last part.
fn add_partly(
    machine: &mut Machine,
    c: &PartialAddSelEntry,
) -> Result<SdrRecordId, CompletionCode> {
    /// The number of the entry that is coming: the log gives it its own in the end.
    const COMING: u16 = 0xfffe;
    let is_first = c.record.0 == 0 && c.offset == 0;
    if !is_first && !machine.log().is_reserved(c.reservation.0) {
        return Err(CompletionCode::RESERVATION_CANCELLED);
    }
    let partial = &mut machine.controller_mut().partial_entry;
    let (_, mut entry) = match partial.take() {
        _ if is_first => (COMING, Vec::new()),
        Some(partial) if partial.0 == c.record.0 => partial,
        _ => return Err(CompletionCode::NOT_PRESENT),
    };
    if entry.len() != usize::from(c.offset) || entry.len() + c.data.len() > ENTRY_LEN {
        return Err(PARTIAL_LENGTH_WRONG);
    }
    entry.extend(c.data.as_slice());
    if c.progress == ipmi::number::UploadProgress(0) {
        *partial = Some((COMING, entry));
        return Ok(SdrRecordId {
            record: RecordId(COMING),
        });
    }
    let record = <[u8; ENTRY_LEN]>::try_from(entry).map_err(|_| PARTIAL_LENGTH_WRONG)?;
    add(machine, record).map(|record| SdrRecordId { record })
}

fn sel_info(machine: &Machine) -> SelInfo {
    let log = machine.log();
    let count = log.entries().len();
    let free = ENTRY_LEN * LOG_ENTRIES_MAX.saturating_sub(count);
    let operations = SelOperations::RESERVE.0
        | SelOperations::DELETE.0
        | SelOperations::PARTIAL_ADD.0
        | SelOperations::ALLOCATION_INFO.0;
    let overflow = if log.overflowed() {
        SelOperations::OVERFLOW.0
    } else {
        0
    };
    SelInfo {
        version: VERSION,
        entry_count: u16::try_from(count).unwrap_or(u16::MAX),
        free_bytes: u16::try_from(free).unwrap_or(u16::MAX),
        last_addition: log.added_at().map_or(Timestamp::UNSPECIFIED, Timestamp),
        last_erase: log.erased_at().map_or(Timestamp::UNSPECIFIED, Timestamp),
        operations: SelOperations(operations | overflow),
    }
}
