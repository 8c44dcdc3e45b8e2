//! Answers IPMI requests from a machine's state: one file for each network function or family.

mod app;
mod chassis;
mod dcmi;
mod event;
mod firewall;
mod hpm;
mod messaging;
mod microtca;
mod oem;
mod payload;
mod picmg;
mod satellite;
mod sdr;
mod sensor;
mod serial;
mod sol;
mod storage;
pub(crate) mod transport;
mod users;
mod vita;

use std::net::Ipv4Addr;

use ipmi::bmc::{Config, Handler, Request, SerialPort};
use ipmi::command::Command;
use ipmi::command::picmg::hpm::GetLanAttachCapabilities;
use ipmi::number::{ChannelNumber, CompletionCode, NetFn, PrivilegeLevel};
use ipmi::wire::Writer;

use crate::machine::{Form, Machine};
use crate::profile::Model;

pub use satellite::{ENGINE_ADDRESS, ENGINE_CHANNEL};

/// Group extension of PICMG.
const PICMG: u8 = 0x00;
/// Group extension of VITA 46.11.
const VSO: u8 = 0x03;
/// Group extension of DCMI.
const DCMI: u8 = 0xdc;
/// Group extension of Arm's base manageability.
const SBMR: u8 = 0xae;

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
    /// Set by a command that changes users or keys: takes effect after the answer.
    pub new_config: Option<Config>,
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

    /// Group extensions: what there is depends on how the machine is built.
    fn group(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
        let is_node = self.machine.profile().model == Model::Node;
        match (request.data.first(), self.machine.form()) {
            (Some(&DCMI), _) if is_node => dcmi::handle(self, request, response),
            (Some(&PICMG), _) if is_node && hpm::is_upgrade(request.cmd) => {
                hpm::handle(self, request, response)
            }
            (Some(&PICMG), Form::AdvancedTca) if request.cmd == GetLanAttachCapabilities::CMD => {
                hpm::handle(self, request, response)
            }
            (Some(&PICMG), Form::AdvancedTca) => picmg::handle(self.machine, request, response),
            (Some(&SBMR), _) => oem::handle(self.machine, request, response),
            (Some(&VSO), Form::Vpx) => vita::handle(self.machine, request, response),
            _ => CompletionCode::INVALID_COMMAND,
        }
    }

    /// Answers of a group begin with its byte, those that refuse, too: consoles look for it first.
    fn group_answer(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
        let start = response.position();
        let code = self.group(request, response);
        let refused = code != CompletionCode::OK && code != CompletionCode::INVALID_COMMAND;
        let is_empty = response.position() == start;
        if refused
            && is_empty
            && let Some(group) = request.data.first()
        {
            response.u8(*group);
        }
        code
    }

    /// Answers a request as the specification says.
    pub(crate) fn answer(
        &mut self,
        request: &Request<'_>,
        response: &mut Writer<'_>,
    ) -> CompletionCode {
        self.machine.note_request();
        let group = match request.data.first() {
            Some(group) if request.netfn == NetFn::GROUP_EXTENSION => *group,
            _ => firewall::NO_GROUP,
        };
        let controller = self.machine.controller();
        if controller.is_off(request.netfn.0, group, request.cmd) {
            return CompletionCode::DISABLED;
        }
        self.dispatch(request, response)
    }

    fn dispatch(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
        match request.netfn {
            NetFn::CHASSIS => chassis::handle(self, request, response),
            NetFn::SENSOR_EVENT => match request.cmd {
                0x00..=0x1f => event::handle(self, request, response),
                _ => sensor::handle(self.machine, request, response),
            },
            NetFn::APP => app::handle(self, request, response),
            NetFn::STORAGE => storage::handle(self.machine, request, response),
            NetFn::TRANSPORT => match request.cmd {
                0x10..=0x1f => serial::handle(self, request, response),
                0x20..=0x2f => sol::handle(self, request, response),
                _ => transport::handle(self, request, response),
            },
            NetFn::GROUP_EXTENSION => self.group_answer(request, response),
            NetFn::OEM_GROUP | NetFn(0x30 | 0x3a) => oem::handle(self.machine, request, response),
            _ => CompletionCode::INVALID_COMMAND,
        }
    }
}

impl Handler for Device<'_> {
    fn handle(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
        // All that is here is on LUN 0.
        if request.lun != 0 {
            return CompletionCode::INVALID_FOR_LUN;
        }
        if self.config.defects.is_empty() {
            self.answer(request, response)
        } else {
            crate::defect::handle(self, request, response)
        }
    }

    fn channel_limit(&mut self) -> Option<PrivilegeLevel> {
        users::channel_limit(self.machine)
    }

    /// A node's host has a serial port.
    fn serial(&mut self) -> Option<&mut dyn SerialPort> {
        if self.machine.profile().model == Model::Node {
            Some(self)
        } else {
            None
        }
    }
}

/// Whether the controller knows a command, by its handlers or its session layer: asked with data that is too long for any
/// command, so that none is carried out.
fn answers(device: &mut Device<'_>, netfn: NetFn, group: Option<u8>, cmd: u8) -> bool {
    let by_session =
        netfn == NetFn::APP && matches!(cmd, 0x37 | 0x38 | 0x3b..=0x3d | 0x48..=0x4b | 0x54);
    let with_v15 = netfn == NetFn::APP && matches!(cmd, 0x39 | 0x3a) && device.config.v15.is_some();
    if by_session || with_v15 {
        return true;
    }
    let mut data = [0xff; 320];
    data[0] = group.unwrap_or(0xff);
    let mut answer = [0; 64];
    let request = firewall::probe(netfn, cmd, &data);
    let code = device.dispatch(&request, &mut Writer::new(&mut answer));
    code != CompletionCode::INVALID_COMMAND
}
