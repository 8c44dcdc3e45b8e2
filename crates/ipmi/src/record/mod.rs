//! Records that a BMC stores: sensor data records, event log entries, inventory.

mod conversion;
mod ids;

pub use conversion::{AnalogFormat, Conversion, Factors};
pub use ids::{RecordId, ReservationId, Timestamp};
