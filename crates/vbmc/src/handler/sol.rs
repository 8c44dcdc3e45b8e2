//! SOL configuration (§26), and the host's serial port behind it.

use std::time::Duration;

use ipmi::bmc::{Request, SerialPort, serve};
use ipmi::command::app::payload::PAYLOAD_DISABLED;
use ipmi::command::transport::{
    GetSolConfigurationParameters, SetSolConfigurationParameters, SolActivating,
    SolConfigurationParameters,
};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::{CompletionCode, PrivilegeLevel, SolParameter, StandardPayloads};
use ipmi::sol::SolRetry;
use ipmi::wire::Writer;

use super::Device;
use crate::controller::{ParameterSpec, read_parameter, write_parameter};
use crate::profile::Model;

/// Revision of the parameters (§26.3).
const PARAMETER_REVISION: u8 = 0x11;

/// The SOL configuration (§26.3, table 26-5): enabled, encrypted, for operators; 115.2 kbit/s.
const PARAMETERS: [ParameterSpec; 8] = [
    ParameterSpec::plain(1, 1, &[1]),
    ParameterSpec::plain(2, 1, &[0xc2]),
    ParameterSpec::plain(3, 2, &[12, 96]),
    ParameterSpec::plain(4, 2, &[7, 50]),
    ParameterSpec::plain(5, 1, &[0x0a]),
    ParameterSpec::plain(6, 1, &[0x0a]),
    ParameterSpec::plain(7, 1, &[1]).read_only(),
    ParameterSpec::plain(8, 2, &[0x6f, 0x02]).read_only(),
];

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    // SOL needs a host with a serial port.
    if device.machine.profile().model != Model::Node {
        return CompletionCode::INVALID_COMMAND;
    }
    let now_s = device.machine.at_s();
    match request.cmd {
        // The controller sends it, and takes it from nobody.
        SolActivating::CMD => serve(request, response, |_: SolActivating| {
            Err::<Empty, _>(CompletionCode::NOT_SUPPORTED_IN_STATE)
        }),
        SetSolConfigurationParameters::CMD => {
            serve(request, response, |c: SetSolConfigurationParameters| {
                device.check_channel(c.channel)?;
                let sol = &mut device.machine.controller_mut().sol;
                write_parameter(sol, &PARAMETERS, now_s, c.parameter.0, &c.data)?;
                Ok(Empty)
            })
        }
        GetSolConfigurationParameters::CMD => {
            serve(request, response, |c: GetSolConfigurationParameters| {
                device.check_channel(c.channel)?;
                let sol = &device.machine.controller().sol;
                let mut data = read_parameter(sol, &PARAMETERS, now_s, (c.parameter.0, 0, 0))?;
                if c.parameter == SolParameter::CHANNEL {
                    data = vec![device.config.channel];
                }
                let data = if c.revision_only {
                    &[]
                } else {
                    data.as_slice()
                };
                Ok(SolConfigurationParameters {
                    revision: PARAMETER_REVISION,
                    data: Bytes::new(data).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
                })
            })
        }
        _ => CompletionCode::INVALID_COMMAND,
    }
}

impl SerialPort for Device<'_> {
    fn permit(&self, user_id: u8, privilege: PrivilegeLevel) -> Result<(), CompletionCode> {
        let controller = self.machine.controller();
        let now_s = self.machine.at_s();
        let read = |number| read_parameter(&controller.sol, &PARAMETERS, now_s, (number, 0, 0));
        if read(SolParameter::ENABLE.0)?.first() != Some(&1) {
            return Err(PAYLOAD_DISABLED);
        }
        let least = read(SolParameter::AUTHENTICATION.0)?;
        let least = PrivilegeLevel(least.first().copied().unwrap_or(0) & 0x0f);
        let users = &controller.users;
        let forbidden = users
            .get(&user_id)
            .map_or(0, |user| user.payloads_forbidden);
        if privilege < least || StandardPayloads(forbidden).contains(StandardPayloads::SOL) {
            return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
        }
        Ok(())
    }

    fn retry(&self) -> SolRetry {
        let controller = self.machine.controller();
        let now_s = self.machine.at_s();
        let number = SolParameter::RETRY.0;
        let read = read_parameter(&controller.sol, &PARAMETERS, now_s, (number, 0, 0));
        let interval_10ms = read.map_or(0, |data| data.get(1).copied().unwrap_or(0));
        let interval = Duration::from_millis(u64::from(interval_10ms.max(1)) * 10);
        // A packet that was sent as often as parameter 4 says might be dropped; this port drops none, and waits as long
        // as ever for a console that may come back.
        let patience = SolRetry::default();
        let whole = patience.interval * u32::from(patience.attempts);
        let attempts = whole.as_millis() / interval.as_millis();
        SolRetry {
            interval,
            attempts: u16::try_from(attempts).unwrap_or(u16::MAX),
        }
    }

    fn write(&mut self, characters: &[u8]) {
        let (serial, name) = self.machine.serial();
        serial.write(&name, characters);
    }

    fn read(&mut self, characters: &mut [u8]) -> usize {
        self.machine.serial().0.read(characters)
    }
}
