//! The device behind a controller's session layer.

use std::net::Ipv4Addr;

use ipmi::bmc::{Config, Handler, Request, SerialPort};
use ipmi::number::{CompletionCode, PrivilegeLevel};
use ipmi::sol::SolRetry;
use ipmi::time::Instant;
use ipmi::wire::Writer;

use crate::handler::Device;
use crate::site::Site;

/// Wakes the machine only for what its session layer does not answer itself.
pub(super) struct Seat<'a> {
    pub(super) site: &'a Site,
    pub(super) now: Instant,
    pub(super) index: u32,
    pub(super) address: Ipv4Addr,
    pub(super) config: &'a Config,
    pub(super) sessions: usize,
    pub(super) commands: u32,
    pub(super) restart: bool,
    pub(super) new_config: Option<Config>,
    pub(super) port: u16,
}

impl Seat<'_> {
    /// Does something with the device, and keeps what follows from it.
    fn with_device<T>(&mut self, act: impl FnOnce(&mut Device<'_>) -> T) -> T {
        let machine = &mut *self.site.machine(self.index, self.now);
        let Self {
            config,
            address,
            sessions,
            ..
        } = *self;
        let mut device = Device {
            machine,
            config,
            address,
            sessions,
            restart: false,
            new_config: None,
        };
        let done = act(&mut device);
        self.restart |= device.restart;
        self.new_config = device.new_config;
        done
    }
}

impl Seat<'_> {
    /// Looks at the device without changing it.
    fn look<T>(&self, look: impl FnOnce(&Device<'_>) -> T) -> T {
        look(&Device {
            machine: &mut self.site.machine(self.index, self.now),
            config: self.config,
            address: self.address,
            sessions: self.sessions,
            restart: false,
            new_config: None,
        })
    }
}

impl Handler for Seat<'_> {
    fn handle(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
        self.commands += 1;
        self.with_device(|device| device.handle(request, response))
    }

    fn channel_limit(&mut self) -> Option<PrivilegeLevel> {
        self.with_device(|device| device.channel_limit())
    }

    fn serial(&mut self) -> Option<&mut dyn SerialPort> {
        if self.with_device(|device| device.serial().is_some()) {
            Some(self)
        } else {
            None
        }
    }
}

impl SerialPort for Seat<'_> {
    fn permit(&self, user_id: u8, privilege: PrivilegeLevel) -> Result<(), CompletionCode> {
        self.look(|device| device.permit(user_id, privilege))
    }

    fn retry(&self) -> SolRetry {
        self.look(|device| device.retry())
    }

    fn udp_port(&self) -> u16 {
        self.port
    }

    fn write(&mut self, characters: &[u8]) {
        self.with_device(|device| device.write(characters));
    }

    fn read(&mut self, characters: &mut [u8]) -> usize {
        self.with_device(|device| device.read(characters))
    }
}
