//! A law over arbitrary requests: whatever a console that has logged in asks, a machine answers, and goes on.
//!
//! The fuzz target `machine` in `fuzz/` calls it with what the fuzzer thinks up; the tests below call it with seeded bytes
//! and with what the fuzzer has found worth keeping.

use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hardware::NodeId;
use ipmi::bmc::{Config, Handler, Request, User};
use ipmi::command::Command;
use ipmi::command::app::{Guid, SendMessage};
use ipmi::command::oem::OEM_COMMANDS;
use ipmi::command::table::COMMANDS;
use ipmi::number::{CompletionCode, NetFn, PrivilegeLevel};
use ipmi::time::Instant;
use ipmi::wire::message::{MessageHeader, REQUEST_OVERHEAD};
use ipmi::wire::rakp::UserName;
use ipmi::wire::{Reader, Writer};

use crate::controller::OemFamily;
use crate::handler::{Device, ENGINE_ADDRESS, ENGINE_CHANNEL};
use crate::machine::{Form, Identity, Machine};
use crate::physics::{Feed, Place};
use crate::profile::{Model, Profile};

/// Room for an answer, in bytes: what a datagram has for it.
const ANSWER_MAX: usize = 272;
/// What the first byte of a script chooses from.
const FORMS: [Form; 3] = [Form::Server, Form::AdvancedTca, Form::Vpx];

/// A machine, and what a console does to it; `script` says how it is built, what is asked and how time goes on.
///
/// Each request is answered: with data that fits into a datagram, and with none besides a code that forbids it. Time that
/// jumps breaks nothing. In the end the machine still says who it is, unless that was switched off.
pub fn machine(script: &[u8]) {
    let mut script = Reader::new(script);
    let kind = script.u8("kind").unwrap_or(0);
    let Some((mut machine, mut config)) = built(kind) else {
        return;
    };
    let mut now = Instant::ORIGIN;
    while let Ok(step) = script.u16("step") {
        if step >= 0xff00 {
            now = now + Duration::from_millis(u64::from(step & 0xff) * u64::from(step & 0xff) * 16);
            machine.advance(now);
            machine.advance_fed(now, &Feed::default());
            continue;
        }
        let len = usize::from(script.u8("length").unwrap_or(0)).min(script.remaining());
        let given = script.take("data", len).unwrap_or_default();
        ask(&mut machine, &mut config, step, given);
    }
    let (code, _) = answer(&mut machine, &mut config, (NetFn::APP, 0x01), &[]);
    assert!(
        matches!(code, CompletionCode::OK | CompletionCode::DISABLED),
        "the machine does not say who it is: {code:?}"
    );
}

/// Asks one command: one of the tables, by its place, or one that is in none.
fn ask(machine: &mut Machine, config: &mut Config, step: u16, given: &[u8]) {
    let mut place = usize::from(step) % (COMMANDS.len() + OEM_COMMANDS.len() + 1);
    if let Some(row) = COMMANDS.get(place) {
        let data: Vec<u8> = row.group.into_iter().chain(given.iter().copied()).collect();
        answer(machine, config, (row.netfn, row.cmd), &data);
        return;
    }
    place -= COMMANDS.len();
    if let Some(row) = OEM_COMMANDS.get(place) {
        let data = [row.prefix, given].concat();
        answer(machine, config, (row.netfn, row.cmd), &data);
        ask_engine(machine, config, (row.netfn, row.cmd), &data);
    } else if let [netfn, cmd, data @ ..] = given {
        answer(machine, config, (NetFn(netfn & 0x3e), *cmd), data);
    }
}

/// Asks the management engine behind the BMC, where the machine has one.
fn ask_engine(machine: &mut Machine, config: &mut Config, (netfn, cmd): (NetFn, u8), data: &[u8]) {
    let header = MessageHeader {
        to: ENGINE_ADDRESS,
        ..MessageHeader::request(netfn, 0, cmd, 0)
    };
    let mut message = vec![0; data.len() + REQUEST_OVERHEAD + 1];
    let mut w = Writer::new(&mut message);
    // The answer is to be brought back.
    w.u8(0x40 | ENGINE_CHANNEL.0);
    header.encode(&mut w, |w| w.bytes(data));
    let send = (SendMessage::NETFN, SendMessage::CMD);
    answer(machine, config, send, w.written());
}

fn answer(
    machine: &mut Machine,
    config: &mut Config,
    (netfn, cmd): (NetFn, u8),
    data: &[u8],
) -> (CompletionCode, usize) {
    let request = Request {
        netfn,
        lun: 0,
        cmd,
        data,
        privilege: PrivilegeLevel::ADMINISTRATOR,
        user_id: 1,
        user_name: UserName::default(),
        channel: config.channel,
    };
    let mut device = Device {
        machine,
        config,
        address: Ipv4Addr::LOCALHOST,
        sessions: 1,
        restart: false,
        new_config: None,
    };
    let mut buffer = [0; ANSWER_MAX];
    let mut w = Writer::new(&mut buffer);
    let code = device.handle(&request, &mut w);
    assert!(
        code != CompletionCode::OK || w.finish().is_ok(),
        "an answer to {netfn:?} {cmd:#04x} {data:02x?} is too long"
    );
    let len = w.written().len();
    if let Some(new) = device.new_config {
        *config = new;
    }
    (code, len)
}

fn built(kind: u8) -> Option<(Machine, Config)> {
    static PROFILES: OnceLock<[Arc<Profile>; 2]> = OnceLock::new();
    let [node, block] =
        PROFILES.get_or_init(|| [Model::Node, Model::Block].map(|m| Arc::new(Profile::new(m))));
    let identity = Identity {
        id: NodeId::new("Node1")?,
        number: 0,
        place: Place {
            seed: 1,
            height_c: 1.0,
        },
        epoch_s: 1_795_000_000,
    };
    let kind = usize::from(kind);
    let mut machine = if kind.is_multiple_of(8) {
        Machine::enclosure(Arc::clone(block), identity, &Feed::default())
    } else {
        Machine::node(Arc::clone(node), identity)
    };
    machine.set_form(FORMS[kind % FORMS.len()]);
    let (_, family) = OemFamily::ALL[kind % OemFamily::ALL.len()];
    // One that nobody has set anything of passes its time in another way.
    if family != OemFamily::default() {
        machine.set_oem_family(family);
    }
    let user = User::new("admin", b"password", PrivilegeLevel::ADMINISTRATOR).ok()?;
    Some((machine, Config::new([user].into(), Guid([7; 16]))))
}

#[cfg(test)]
mod tests {
    use ipmi::entropy::Entropy;

    use super::*;
    use crate::net::SeededEntropy;

    #[test]
    fn every_command_is_answered_whatever_its_data() {
        let mut random = SeededEntropy::new(7);
        for round in 0..600_u32 {
            let mut tail = [0; 240];
            random.fill(&mut tail);
            let mut script = vec![round as u8];
            for n in 0..24_u16 {
                let place = (round as u16).wrapping_mul(24).wrapping_add(n);
                script.extend(place.to_le_bytes());
                let data = &tail[usize::from(n) * 10..][..usize::from(n) % 10];
                script.push(data.len() as u8);
                script.extend(data);
            }
            machine(&script);
        }
    }

    #[test]
    fn the_law_holds_for_what_the_fuzzer_has_kept() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/machine.hex");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.lines().count() > 10);
        for line in text.lines() {
            let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
            let input: Vec<u8> = line.as_bytes().chunks(2).map(pair).collect();
            machine(&input);
        }
    }
}
