//! Programs that others wrote, and what we check with them.

pub(crate) mod ipmi_sim;
pub(crate) mod relay;
pub(crate) mod tap;
pub(crate) mod tshark;
