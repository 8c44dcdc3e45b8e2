//! Records that a BMC stores: sensor data records, event log entries, inventory.

mod conversion;
pub mod fru;
mod ids;
pub mod sdr;
pub mod sel;
mod spd;
pub(crate) mod text;

pub use conversion::{AnalogFormat, Conversion, Factors};
pub use ids::{RecordId, ReservationId, Timestamp, TimestampClass};
pub use spd::{SPD_HEAD_LEN, Spd};
pub use text::TextType;
