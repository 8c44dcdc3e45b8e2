//! The seam between the protocol and the device behind it.

use crate::command::{Command, Message};
use crate::number::{CompletionCode, NetFn, PrivilegeLevel};
use crate::sol::SolRetry;
use crate::wire::rakp::UserName;
use crate::wire::{Reader, WireFault, Writer};

/// A request that came over a session; its privilege is already checked against [`minimum_privilege`].
///
/// [`minimum_privilege`]: super::minimum_privilege
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Network function (even).
    pub netfn: NetFn,
    /// Logical unit, 0-3.
    pub lun: u8,
    /// Command number.
    pub cmd: u8,
    /// Request data.
    pub data: &'a [u8],
    /// The level that the session works at.
    pub privilege: PrivilegeLevel,
    /// The user's ID, from 1.
    pub user_id: u8,
    /// The user's name.
    pub user_name: UserName,
    /// Number of the channel that the request came over.
    pub channel: u8,
}

/// The device behind the protocol.
pub trait Handler {
    /// Executes `request`, writes the answer's data and returns its completion code.
    ///
    /// A request that changes something is passed once, however often the console repeats it within
    /// [`REPLY_KEPT_MS`] and [`REPEATED_WITHIN`] packets; one that reads may be passed again. What does not fit the answer's datagram turns into
    /// completion code CAh.
    ///
    /// [`REPLY_KEPT_MS`]: super::REPLY_KEPT_MS
    /// [`REPEATED_WITHIN`]: super::REPEATED_WITHIN
    fn handle(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode;

    /// The highest level at which consoles may log in over the channel at this moment (§22.22); `None` = nobody may, since the channel is
    /// disabled, or open before the system has booted only (§6.6). Sessions that are there already go on.
    fn channel_limit(&mut self) -> Option<PrivilegeLevel> {
        Some(PrivilegeLevel::OEM)
    }

    /// The serial port that serial over LAN connects to (§15), where the device has one.
    fn serial(&mut self) -> Option<&mut dyn SerialPort> {
        None
    }
}

/// A serial port behind serial over LAN.
pub trait SerialPort {
    /// Whether this user may have it at this level (§26.3).
    ///
    /// # Errors
    /// The completion code that Activate Payload is refused with.
    fn permit(&self, user_id: u8, privilege: PrivilegeLevel) -> Result<(), CompletionCode>;

    /// Characters that a console typed. The port takes them all: what it has no room for is lost, as on a serial line.
    fn write(&mut self, characters: &[u8]);

    /// Characters for the console; says how many.
    fn read(&mut self, characters: &mut [u8]) -> usize;

    /// When packets that a console does not acknowledge are sent again (§26.3, parameter 4).
    fn retry(&self) -> SolRetry {
        SolRetry::default()
    }

    /// A console sent a break.
    fn send_break(&mut self) {}

    /// UDP port at which consoles reach the BMC: consoles check it.
    fn udp_port(&self) -> u16 {
        crate::wire::rmcp::PORT
    }
}

/// Executes a typed command: reads it from `request`, calls `execute`, writes its answer.
///
/// Data of the wrong length is answered C7h, and values that the specification doesn't allow CCh, without calling
/// `execute`.
pub fn serve<C: Command>(
    request: &Request<'_>,
    response: &mut Writer<'_>,
    execute: impl FnOnce(C) -> Result<C::Response, CompletionCode>,
) -> CompletionCode {
    match decode::<C>(request.data).and_then(execute) {
        Ok(answer) => {
            answer.encode(response);
            CompletionCode::OK
        }
        Err(code) => code,
    }
}

/// Reads a command's data, all of it.
pub(super) fn decode<C: Command>(data: &[u8]) -> Result<C, CompletionCode> {
    let mut r = Reader::new(data);
    let read = C::decode(&mut r).and_then(|command| r.finish("request data").map(|()| command));
    read.map_err(|error| match error.fault {
        WireFault::Truncated | WireFault::TrailingBytes => CompletionCode::REQUEST_LENGTH_INVALID,
        WireFault::Invalid | WireFault::Checksum => CompletionCode::INVALID_DATA_FIELD,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::app::{SessionPrivilegeLevel, SetSessionPrivilegeLevel};

    fn answer(data: &[u8]) -> (CompletionCode, std::vec::Vec<u8>) {
        let request = Request {
            netfn: NetFn::APP,
            lun: 0,
            cmd: 0x3b,
            data,
            privilege: PrivilegeLevel::USER,
            user_id: 1,
            user_name: UserName::default(),
            channel: 1,
        };
        let mut buffer = [0xa5; 8];
        let mut w = Writer::new(&mut buffer);
        let code = serve(&request, &mut w, |command: SetSessionPrivilegeLevel| {
            Ok(SessionPrivilegeLevel {
                privilege: command.privilege,
            })
        });
        (code, w.written().to_vec())
    }

    #[test]
    fn a_wrong_length_is_c7h_and_nothing_is_executed() {
        assert_eq!(
            answer(&[]),
            (CompletionCode::REQUEST_LENGTH_INVALID, [].into())
        );
        assert_eq!(
            answer(&[4, 0]),
            (CompletionCode::REQUEST_LENGTH_INVALID, [].into())
        );
        assert_eq!(answer(&[4]), (CompletionCode::OK, [4].into()));
    }
}
