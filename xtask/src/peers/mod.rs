//! Programs that others wrote, and what we check with them.

// What each program is and how to talk to it.
pub(crate) mod families;
mod freeipmi;
pub(crate) mod ipmi_sim;
pub(crate) mod ipmitool;
mod picmg;
pub(crate) mod program;
pub(crate) mod redfish;
pub(crate) mod relay;
pub(crate) mod report;
pub(crate) mod sensor;
pub(crate) mod tap;
pub(crate) mod target;
pub(crate) mod tshark;
pub(crate) mod v15;
mod words;

// The steps of `cargo xtask test` that use them.
pub(crate) mod browser;
pub(crate) mod cli_checks;
pub(crate) mod clients;
pub(crate) mod demo;
pub(crate) mod proxies;
pub(crate) mod sim_checks;
pub(crate) mod sol_checks;
pub(crate) mod suites;
pub(crate) mod tshark_checks;
pub(crate) mod validators;
pub(crate) mod virtual_bmc;
