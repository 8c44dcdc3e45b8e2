//! The service as DSP0266 has it, clause by clause, called without a socket.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

mod accounts;
mod actions;
mod aggregation;
mod arrays;
mod authentication;
mod bench;
mod certificates;
mod coding;
mod conditions;
mod errors;
mod event_delivery;
mod event_stream;
mod event_subscriptions;
mod get;
mod headers;
mod lockout;
mod login_timing;
mod mass_assignment;
mod members;
mod metadata;
mod own_manager;
mod patch;
mod privilege_matrix;
mod privileges;
mod query;
mod roles;
mod schemas;
mod sessions;
mod settings_resource;
mod simple_update;
mod static_files;
mod tasks;
mod telemetry;
mod update;
mod update_outcome;
