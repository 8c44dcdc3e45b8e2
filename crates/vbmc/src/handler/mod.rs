//! Answers IPMI requests from a machine's state: one file for each network function.

mod app;
mod chassis;
mod sensor;
mod storage;
pub(crate) mod transport;

use std::net::Ipv4Addr;

use ipmi::bmc::{Config, Handler, Request};
use ipmi::number::{ChannelNumber, CompletionCode, NetFn};
use ipmi::wire::Writer;

use crate::machine::Machine;

/// A machine as its management controller shows it over one LAN channel.
#[derive(Debug)]
pub struct Device<'a> {
    /// The machine, moved to the present.
    pub machine: &'a mut Machine,
    /// Its users and cipher suites.
    pub config: &'a Config,
    /// The controller's own address.
    pub address: Ipv4Addr,
    /// How many sessions it has now.
    pub sessions: usize,
    /// Set by a command that restarts the controller: its sessions are to be ended after the answer.
    pub restart: bool,
}

impl Device<'_> {
    /// Whether `channel` is the one channel that there is over LAN, by its number or as "the present one".
    fn check_channel(&self, channel: ChannelNumber) -> Result<(), CompletionCode> {
        if channel == ChannelNumber::PRESENT || channel.0 == self.config.channel {
            Ok(())
        } else {
            Err(CompletionCode::INVALID_DATA_FIELD)
        }
    }
}

impl Handler for Device<'_> {
    fn handle(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
        // All that is here is on LUN 0.
        if request.lun != 0 {
            return CompletionCode::INVALID_FOR_LUN;
        }
        match request.netfn {
            NetFn::CHASSIS => chassis::handle(self.machine, request, response),
            NetFn::SENSOR_EVENT => sensor::handle(self.machine, request, response),
            NetFn::APP => app::handle(self, request, response),
            NetFn::STORAGE => storage::handle(self.machine, request, response),
            NetFn::TRANSPORT => transport::handle(self, request, response),
            _ => CompletionCode::INVALID_COMMAND,
        }
    }
}
