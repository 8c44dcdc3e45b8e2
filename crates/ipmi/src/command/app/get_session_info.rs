//! Get Session Info (§22.20).

use crate::command::{Command, Message};
use crate::number::{NetFn, PrivilegeLevel, SessionProtocol};
use crate::wire::{Reader, WireError, WireFault, Writer};

/// Which session is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionSelector {
    /// The one that asks.
    Current,
    /// The n-th active one, from 1.
    Nth(u8),
    /// The one with this handle.
    Handle(u8),
    /// The one that the BMC knows by this session ID.
    Id(u32),
}

/// Asks about a session, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSessionInfo {
    /// Which session.
    pub selector: SessionSelector,
}

/// How many sessions there are, and what the one asked about is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// The session's handle; 0 where no session is meant.
    pub handle: u8,
    /// Sessions that the BMC can have at a time, 0-63.
    pub max: u8,
    /// Sessions that are active, 0-63.
    pub active: u8,
    /// The session; `None` where it isn't active.
    pub session: Option<ActiveSession>,
}

/// An active session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveSession {
    /// The user's ID.
    pub user_id: u8,
    /// The level that it works at.
    pub privilege: PrivilegeLevel,
    /// Which kind of session it is; 4 bits.
    pub protocol: SessionProtocol,
    /// Channel number.
    pub channel: u8,
    /// The console, for a LAN channel.
    pub console: Option<ConsoleAddress>,
}

/// Where a LAN console is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsoleAddress {
    /// IPv4 address; 0.0.0.0 for another kind.
    pub ip: [u8; 4],
    /// MAC address; zeros where the BMC doesn't know it.
    pub mac: [u8; 6],
    /// UDP port.
    pub port: u16,
}

impl Command for GetSessionInfo {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x3d;
    const NAME: &'static str = "Get Session Info";
    const IDEMPOTENT: bool = true;
    type Response = SessionInfo;

    fn encode(&self, w: &mut Writer<'_>) {
        match self.selector {
            SessionSelector::Current => w.u8(0),
            SessionSelector::Nth(n) => w.u8(n),
            SessionSelector::Handle(handle) => w.bytes(&[0xfe, handle]),
            SessionSelector::Id(id) => {
                w.u8(0xff);
                w.u32(id);
            }
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let selector = match r.u8("session index")? {
            0 => SessionSelector::Current,
            0xfe => SessionSelector::Handle(r.u8("session handle")?),
            0xff => SessionSelector::Id(r.u32("session ID")?),
            n => SessionSelector::Nth(n),
        };
        Ok(Self { selector })
    }
}

impl Message for SessionInfo {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.handle, self.max & 0x3f, self.active & 0x3f]);
        let Some(session) = self.session else { return };
        w.u8(session.user_id & 0x3f);
        w.u8(session.privilege.0 & 0x0f);
        w.u8(session.protocol.0 << 4 | (session.channel & 0x0f));
        if let Some(console) = session.console {
            w.bytes(&console.ip);
            w.bytes(&console.mac);
            w.u16(console.port);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [handle, max, active] = r.array("session counts")?;
        let session = if r.is_empty() {
            None
        } else {
            Some(decode_session(r)?)
        };
        Ok(Self {
            handle,
            max: max & 0x3f,
            active: active & 0x3f,
            session,
        })
    }
}

fn decode_session(r: &mut Reader<'_>) -> Result<ActiveSession, WireError> {
    let [user_id, privilege, protocol] = r.array("session")?;
    let console = match r.remaining() {
        0 => None,
        12.. => Some(ConsoleAddress {
            ip: r.array("console address")?,
            mac: r.array("console MAC address")?,
            port: r.u16("console port")?,
        }),
        _ => return Err(r.error("console address", WireFault::Truncated)),
    };
    Ok(ActiveSession {
        user_id: user_id & 0x3f,
        privilege: PrivilegeLevel(privilege & 0x0f),
        protocol: SessionProtocol(protocol >> 4),
        channel: protocol & 0x0f,
        console,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_selector_round_trips() {
        for (selector, bytes) in [
            (SessionSelector::Current, &[0][..]),
            (SessionSelector::Nth(3), &[3]),
            (SessionSelector::Handle(9), &[0xfe, 9]),
            (SessionSelector::Id(0x0403_0201), &[0xff, 1, 2, 3, 4]),
        ] {
            let command = GetSessionInfo { selector };
            let mut buffer = [0xa5; 8];
            let mut w = Writer::new(&mut buffer);
            command.encode(&mut w);
            assert_eq!(w.written(), bytes);
            assert_eq!(GetSessionInfo::decode(&mut Reader::new(bytes)), Ok(command));
        }
        assert!(GetSessionInfo::decode(&mut Reader::new(&[0xff, 1, 2])).is_err());
    }

    #[test]
    fn an_answer_round_trips_with_and_without_session_and_console() {
        let console = ConsoleAddress {
            ip: [192, 0, 2, 1],
            mac: [0; 6],
            port: 50_000,
        };
        let session = ActiveSession {
            user_id: 2,
            privilege: PrivilegeLevel::ADMINISTRATOR,
            protocol: SessionProtocol::V2_0,
            channel: 1,
            console: None,
        };
        for session in [
            None,
            Some(session),
            Some(ActiveSession {
                console: Some(console),
                ..session
            }),
        ] {
            let info = SessionInfo {
                handle: 1,
                max: 16,
                active: 2,
                session,
            };
            let mut buffer = [0xa5; 32];
            let mut w = Writer::new(&mut buffer);
            info.encode(&mut w);
            assert_eq!(SessionInfo::decode(&mut Reader::new(w.written())), Ok(info));
        }
    }
}
