//! Event, PEF and alerting commands of the sensor/event network function (§29, §30).
//!
//! ```
//! use ipmi::command::Command;
//! use ipmi::command::event::ArmPefPostponeTimer;
//! use ipmi::wire::{Reader, Writer};
//!
//! // Software takes care of events for a minute.
//! let arm = ArmPefPostponeTimer { seconds: 60 };
//! let mut buffer = [0; 4];
//! let mut w = Writer::new(&mut buffer);
//! arm.encode(&mut w);
//! assert_eq!(ArmPefPostponeTimer::decode(&mut Reader::new(w.written())), Ok(arm));
//! ```

mod alerting;
mod event_receiver;
mod filter;
mod pef;

pub use alerting::{
    AlertImmediate, AlertImmediateStatus, AlertedEvent, PetAcknowledge, PetAcknowledged,
};
pub use event_receiver::{
    EventMessage, EventReceiver, GetEventReceiver, PlatformEvent, SetEventReceiver,
};
pub use filter::{AlertPolicy, AlertStringKey, DataFilter, EventFilter, FilteredEvent};
pub use pef::{
    ArmPefPostponeTimer, GetLastProcessedEventId, GetPefCapabilities,
    GetPefConfigurationParameters, LastProcessedEventId, PEF_PARAMETER_MAX, PefCapabilities,
    PefConfigurationParameters, PostponeTimer, SetLastProcessedEventId,
    SetPefConfigurationParameters,
};
