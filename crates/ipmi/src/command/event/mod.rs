//! Event, PEF and alerting commands of the sensor/event network function (§29, §30).

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
