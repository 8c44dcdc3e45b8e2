//! Storage commands: SDR repository (§33), system event log (§31), FRU inventory (§34).

use ipmi::bmc::{Request, serve};
use ipmi::command::storage::{
    AddSelEntry, ClearSel, ClearSelAction, DeleteSelEntry, ErasureProgress, FruData,
    FruInventoryAreaInfo, GetFruInventoryAreaInfo, GetSdr, GetSdrRepositoryInfo,
    GetSdrRepositoryTime, GetSelEntry, GetSelInfo, GetSelTime, GetSelTimeUtcOffset, ReadFruData,
    ReserveSdrRepository, ReserveSel, SdrData, SdrRepositoryInfo, SdrRepositoryOperations,
    SelEntryData, SelEntryId, SelInfo, SelOperations, SetSelTime, SetSelTimeUtcOffset, UtcOffset,
    WriteFruData,
};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::CompletionCode;
use ipmi::record::{RecordId, ReservationId, Timestamp};
use ipmi::wire::Writer;

use crate::log::{ENTRY_LEN, LOG_ENTRIES_MAX};
use crate::machine::Machine;

/// When the repositories were made: 2026-01-01. It never changes, so that consoles may keep what they read.
const REPOSITORY_MADE: Timestamp = Timestamp(1_767_225_600);
/// Version of the SDR and SEL commands: BCD with the digits swapped (§33.9, §31.2).
const VERSION: u8 = 0x51;
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
        GetSdrRepositoryInfo::CMD
        | ReserveSdrRepository::CMD
        | GetSdr::CMD
        | GetSdrRepositoryTime::CMD => sdr(machine, request, response),
        GetFruInventoryAreaInfo::CMD | ReadFruData::CMD | WriteFruData::CMD => {
            fru(machine, request, response)
        }
        GetSelTime::CMD | SetSelTime::CMD | GetSelTimeUtcOffset::CMD | SetSelTimeUtcOffset::CMD => {
            clock(machine, request, response)
        }
        _ => sel(machine, request, response),
    }
}

fn sdr(machine: &mut Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    match request.cmd {
        GetSdrRepositoryInfo::CMD => serve(request, response, |_: GetSdrRepositoryInfo| {
            let records = machine.profile().sdr.records().len();
            Ok(SdrRepositoryInfo {
                version: VERSION,
                record_count: u16::try_from(records).unwrap_or(u16::MAX),
                free_bytes: 0,
                last_addition: REPOSITORY_MADE,
                last_erase: REPOSITORY_MADE,
                operations: SdrRepositoryOperations::RESERVE,
            })
        }),
        ReserveSdrRepository::CMD => serve(request, response, |_: ReserveSdrRepository| {
            Ok(ReservationId(machine.reserve_sdr()))
        }),
        GetSdr::CMD => serve(request, response, |GetSdr(part)| {
            // A read from the start needs no reservation; one in the middle does (§33.12).
            if part.offset != 0 && !machine.is_sdr_reserved(part.reservation.0) {
                return Err(CompletionCode::RESERVATION_CANCELLED);
            }
            let (record, next) = machine
                .profile()
                .sdr
                .record(part.record)
                .ok_or(CompletionCode::NOT_PRESENT)?;
            Ok(SdrData {
                next,
                data: piece(record, part.offset.into(), part.count)?,
            })
        }),
        _ => serve(request, response, |_: GetSdrRepositoryTime| {
            Ok(Timestamp(machine.clock_s()))
        }),
    }
}

/// The bytes from `offset` on, at most `count`. What is beyond the end is left out; starting beyond it is refused.
fn piece<const N: usize>(
    bytes: &[u8],
    offset: usize,
    count: u8,
) -> Result<Bytes<N>, CompletionCode> {
    let rest = bytes.get(offset..).filter(|rest| !rest.is_empty());
    let rest = rest.ok_or(CompletionCode::PARAMETER_OUT_OF_RANGE)?;
    Bytes::new(&rest[..rest.len().min(count.into())]).ok_or(CompletionCode::CANNOT_RETURN_BYTES)
}

fn fru(machine: &Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    let inventory = |id| machine.fru(id).ok_or(CompletionCode::NOT_PRESENT);
    match request.cmd {
        GetFruInventoryAreaInfo::CMD => serve(request, response, |c: GetFruInventoryAreaInfo| {
            let size = u16::try_from(inventory(c.fru_device_id)?.len()).unwrap_or(u16::MAX);
            Ok(FruInventoryAreaInfo {
                size,
                by_words: false,
            })
        }),
        ReadFruData::CMD => serve(request, response, |c: ReadFruData| {
            let data: Bytes<_> = piece(&inventory(c.fru_device_id)?, c.offset.into(), c.count)?;
            Ok(FruData {
                count: u8::try_from(data.len()).unwrap_or(u8::MAX),
                data,
            })
        }),
        _ => serve(request, response, |c: WriteFruData| {
            inventory(c.fru_device_id).and(Err(WRITE_PROTECTED))
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
            let mut record = c.record;
            // System events and time-stamped OEM records get the log's time (§31.6).
            if record[2] < 0xe0 {
                record[3..7].copy_from_slice(&clock_s.to_le_bytes());
            }
            let id = machine.log_mut().append(clock_s, record);
            id.map(|id| SelEntryId {
                record: RecordId(id),
            })
            .ok_or(CompletionCode::OUT_OF_SPACE)
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
            if c.action == ClearSelAction::Initiate {
                machine.clear_log();
            }
            Ok(ErasureProgress::Completed)
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn sel_info(machine: &Machine) -> SelInfo {
    let log = machine.log();
    let count = log.entries().len();
    let free = ENTRY_LEN * LOG_ENTRIES_MAX.saturating_sub(count);
    let operations = SelOperations::RESERVE.0 | SelOperations::DELETE.0;
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
