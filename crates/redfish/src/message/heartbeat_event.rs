//! The message of the HeartbeatEvent registry: all is well.

use super::{Message, messages};

messages! {
    "HeartbeatEvent", "1.0", "1", "Heartbeat Event Message Registry";

    /// A subscriber asked to hear regularly that the service works.
    redfish_service_functional(): "RedfishServiceFunctional", Ok,
        "Redfish service is functional.",
        "None.";
}
