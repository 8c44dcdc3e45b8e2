//! Programs that others wrote, and what we check with them.

pub(crate) mod freeipmi;
pub(crate) mod ipmi_sim;
pub(crate) mod ipmitool;
pub(crate) mod redfish;
pub(crate) mod relay;
pub(crate) mod report;
pub(crate) mod sensor;
pub(crate) mod tap;
pub(crate) mod target;
pub(crate) mod tshark;
