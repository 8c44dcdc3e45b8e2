//! Serial over LAN at the BMC: activation (§24.1, §24.2, §24.4, §24.5), and the characters of the session that has it.

use alloc::boxed::Box;

use super::commands::{Effect, Own};
use super::config::Config;
use super::defect;
use super::device::Call;
use super::handler::{Handler, SerialPort, decode};
use super::session::{Active, SessionTable, Stage};
use crate::command::app::payload::{
    PAYLOAD_ALREADY, PAYLOAD_DISABLED, PAYLOAD_LIMIT, PAYLOAD_NOT_ENCRYPTED,
};
use crate::command::app::{
    ActivatePayload, ActivatedPayload, DeactivatePayload, GetPayloadActivationStatus,
    GetPayloadInstanceInfo, PayloadActivationStatus, PayloadInstanceInfo, SolActivation,
};
use crate::command::{Command, Message};
use crate::crypto::SessionChannel;
use crate::entropy::Entropy;
use crate::number::{CompletionCode, NetFn, PayloadInstances, PayloadType, RmcpPort, SolOperation};
use crate::sol::{PACKET_MAX, SolLine};
use crate::time::Instant;
use crate::wire::message::LanMessage;
use crate::wire::sol::SOL_HEADER_LEN;

/// There is one serial port, and so one instance.
const INSTANCE: u8 = 1;
/// Characters that go between the line and the port in one go.
const CHUNK: usize = 256;

/// Whether a command is about active payloads.
pub(super) const fn is_about_payloads(netfn: NetFn, cmd: u8) -> bool {
    netfn.0 == NetFn::APP.0
        && matches!(
            cmd,
            ActivatePayload::CMD
                | DeactivatePayload::CMD
                | GetPayloadActivationStatus::CMD
                | GetPayloadInstanceInfo::CMD
        )
}

/// Carries such a command out for the session `asking`.
pub(super) fn command(
    config: &Config,
    sessions: &mut SessionTable,
    asking: u32,
    message: &LanMessage<'_>,
    handler: &mut dyn Handler,
) -> Own {
    let LanMessage { header, body } = message;
    let Some(port) = handler.serial() else {
        return Own::refused(CompletionCode::INVALID_COMMAND);
    };
    let own = Own::answer(|w| {
        match header.cmd {
            ActivatePayload::CMD => activate(sessions, asking, &decode(body)?, port)?.encode(w),
            DeactivatePayload::CMD => deactivate(sessions, &decode(body)?)?,
            GetPayloadActivationStatus::CMD => {
                let asked: GetPayloadActivationStatus = decode(body)?;
                check(asked.payload_type)?;
                let active = if sessions.sol_mut().is_some() {
                    PayloadInstances::INSTANCE_1
                } else {
                    PayloadInstances::NONE
                };
                PayloadActivationStatus {
                    capacity: INSTANCE,
                    active,
                }
                .encode(w);
            }
            _ => {
                let asked: GetPayloadInstanceInfo = decode(body)?;
                check_instance(asked.payload_type, asked.instance)?;
                let mut active = sessions.iter_active();
                let owner = active.find(|(_, active)| active.sol.is_some());
                PayloadInstanceInfo {
                    session_id: owner.map_or(0, |(slot, _)| slot.bmc_session_id),
                    specific: [INSTANCE, 0, 0, 0, 0, 0, 0, 0],
                }
                .encode(w);
            }
        }
        Ok(Effect::None)
    });
    defect::own(config, header.netfn, header.cmd, body, own)
}

fn check(payload_type: PayloadType) -> Result<(), CompletionCode> {
    if payload_type == PayloadType::SOL {
        Ok(())
    } else {
        Err(PAYLOAD_DISABLED)
    }
}

fn check_instance(payload_type: PayloadType, instance: u8) -> Result<(), CompletionCode> {
    check(payload_type)?;
    if instance == INSTANCE {
        Ok(())
    } else {
        Err(PAYLOAD_LIMIT)
    }
}

fn activate(
    sessions: &mut SessionTable,
    asking: u32,
    c: &ActivatePayload,
    port: &dyn SerialPort,
) -> Result<ActivatedPayload, CompletionCode> {
    check_instance(c.payload_type, c.instance)?;
    if sessions.sol_mut().is_some() {
        return Err(PAYLOAD_ALREADY);
    }
    let active = sessions.active_mut(asking);
    let active = active.ok_or(CompletionCode::NOT_SUPPORTED_IN_STATE)?;
    port.permit(active.user_id, active.privilege)?;
    let options = SolActivation::from_bytes(c.auxiliary);
    let SessionChannel::RmcpPlus(channel) = &active.channel else {
        return Err(PAYLOAD_DISABLED);
    };
    if options.encrypted && !channel.is_encrypted() {
        return Err(PAYLOAD_NOT_ENCRYPTED);
    }
    active.sol = Some(Box::new(SolLine::new(port.retry())));
    let longest = u16::try_from(PACKET_MAX + SOL_HEADER_LEN).unwrap_or(u16::MAX);
    Ok(ActivatedPayload {
        auxiliary: [0; 4],
        inbound_max: longest,
        outbound_max: longest,
        port: RmcpPort(port.udp_port()),
        vlan: 0xffff,
    })
}

fn deactivate(sessions: &mut SessionTable, c: &DeactivatePayload) -> Result<(), CompletionCode> {
    check_instance(c.payload_type, c.instance)?;
    let (_, active) = sessions.sol_mut().ok_or(PAYLOAD_ALREADY)?;
    active.sol = None;
    Ok(())
}

impl SessionTable {
    fn active_mut(&mut self, bmc_session_id: u32) -> Option<&mut Active> {
        self.slot_mut(bmc_session_id)
            .and_then(|slot| match &mut slot.stage {
                Stage::Active(active) => Some(&mut **active),
                _ => None,
            })
    }
}

impl Active {
    /// Takes a SOL packet, and answers it.
    pub(super) fn sol_packet(&mut self, payload: &[u8], call: &mut Call<'_>) -> Option<usize> {
        let line = self.sol.as_mut()?;
        line.handle(call.now, payload).ok()?;
        let signals = SolOperation(line.take_signals());
        if signals.contains(SolOperation::BREAK)
            && let Some(port) = call.handler.serial()
        {
            port.send_break();
        }
        let Call {
            now,
            entropy,
            handler,
            out,
            ..
        } = call;
        self.sol_transmit(*now, *entropy, *handler, out)
    }

    /// Carries characters between port and line, and writes the packet that is due.
    pub(super) fn sol_transmit(
        &mut self,
        now: Instant,
        entropy: &mut dyn Entropy,
        handler: &mut dyn Handler,
        out: &mut [u8],
    ) -> Option<usize> {
        let line = self.sol.as_mut()?;
        if line.is_broken() {
            // The console is gone; the next one may have the port.
            self.sol = None;
            return None;
        }
        exchange(line, handler.serial()?);
        let mut packet = [0; SOL_HEADER_LEN + PACKET_MAX];
        let mut w = crate::wire::Writer::new(&mut packet);
        if !line.poll_transmit(now, &mut w) {
            return None;
        }
        let SessionChannel::RmcpPlus(channel) = &mut self.channel else {
            return None;
        };
        let sealed = channel.seal(PayloadType::SOL, entropy, out, |out| out.bytes(w.written()));
        sealed.ok()
    }
}

/// Characters from the line to the port and back, as far as there is room.
fn exchange(line: &mut SolLine, port: &mut dyn SerialPort) {
    let mut buffer = [0; CHUNK];
    loop {
        let count = line.read(&mut buffer);
        if count == 0 {
            break;
        }
        port.write(&buffer[..count]);
    }
    let room = line.room().min(CHUNK);
    let count = port.read(&mut buffer[..room]).min(room);
    line.write(&buffer[..count]);
}
