//! Storage commands: sensor data records, event log, inventory (NetFn 0Ah, §31, §33, §34).
//!
//! Get Device SDR and Reserve Device SDR Repository (NetFn 04h) are here too: they differ from their
//! repository twins by network function only.
//!
//! ```
//! use ipmi::command::Message;
//! use ipmi::command::storage::SelInfo;
//! use ipmi::wire::Reader;
//!
//! let data = [0x51, 7, 0, 0x00, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0x02];
//! let info = SelInfo::decode(&mut Reader::new(&data))?;
//! assert_eq!((info.entry_count, info.free_bytes), (7, 4_096));
//! # Ok::<(), ipmi::wire::WireError>(())
//! ```

mod auxiliary_log;
pub mod change_sdr;
mod clear_sel;
mod get_fru_inventory_area_info;
mod get_sdr;
mod get_sdr_repository_info;
mod get_sel_info;
mod read_fru_data;
mod reserve;
mod sel_entry;
mod sel_time;

pub use auxiliary_log::{AuxiliaryLogStatus, GetAuxiliaryLogStatus, SetAuxiliaryLogStatus};
pub use change_sdr::{
    AddSdr, ClearSdrRepository, DeleteSdr, EnterSdrUpdateMode, ExitSdrUpdateMode,
    InitializationAgent, PartialAddSdr, PartialAddSelEntry, RunInitializationAgent, SDR_PART_MAX,
    SdrErasure, SdrRecordId, SetSdrRepositoryTime,
};
pub use clear_sel::{ClearSel, SelErasure};
pub use get_fru_inventory_area_info::{FruInventoryAreaInfo, GetFruInventoryAreaInfo};
pub use get_sdr::{GetDeviceSdr, GetSdr, SDR_MAX, SdrData, SdrPart};
pub use get_sdr_repository_info::{
    AllocationInfo, GetSdrRepositoryAllocationInfo, GetSdrRepositoryInfo, SdrRepositoryInfo,
    SdrRepositoryOperations,
};
pub use get_sel_info::{GetSelAllocationInfo, GetSelInfo, SelInfo, SelOperations};
pub use read_fru_data::{FRU_PART_MAX, FruData, FruDataWritten, ReadFruData, WriteFruData};
pub use reserve::{ReserveDeviceSdrRepository, ReserveSdrRepository, ReserveSel};
pub use sel_entry::{
    AddSelEntry, DeleteSelEntry, GetSelEntry, SEL_RECORD_LEN, SelEntryData, SelEntryId,
};
pub use sel_time::{
    GetSdrRepositoryTime, GetSelTime, GetSelTimeUtcOffset, SetSelTime, SetSelTimeUtcOffset,
    UtcOffset,
};
