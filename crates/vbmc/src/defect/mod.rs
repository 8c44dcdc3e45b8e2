//! What is wrong with a BMC on purpose: its device's answers, spoilt as the quirks of its configuration say.
//!
//! The handlers know nothing of this: a request passes [`refusal`] on its way in, and its answer what is in
//! this folder on its way out. What concerns sessions is in `ipmi::bmc`.

mod inventory;
mod log;
mod records;
mod sensor;
mod setting;

use ipmi::bmc::Request;
use ipmi::command::Command;
use ipmi::command::chassis::ChassisControl;
use ipmi::command::storage::GetSelTime;
use ipmi::command::transport::GetLanConfigurationParameters;
use ipmi::number::{CompletionCode, NetFn};
use ipmi::quirk::{Quirk, Quirks};
use ipmi::wire::Writer;

use crate::handler::Device;

/// The most data of a request or an answer with [`Quirk::MessagesShort`].
const SHORT: usize = 34;

/// An answer before it is sent.
#[derive(Debug)]
struct Answer<'a> {
    defects: Quirks,
    request: &'a Request<'a>,
    code: CompletionCode,
    data: Vec<u8>,
    /// Counts the requests that this BMC has had.
    turn: u32,
}

impl Answer<'_> {
    /// Whether this is an answer to `cmd` that was carried out, from a BMC with this quirk.
    fn spoils(&self, quirk: Quirk, cmd: u8) -> bool {
        self.defects.has(quirk) && self.request.cmd == cmd && self.code == CompletionCode::OK
    }

    /// Answers by an error instead.
    fn refuse(&mut self, code: CompletionCode) {
        self.code = code;
        self.data.clear();
    }

    /// Puts bytes in place of those from `at` on, where there are any.
    fn patch(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.data.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// Answers a request as a BMC with defects.
pub(crate) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let defects = device.config.defects;
    let turn = device.machine.next_turn();
    if let Some(code) = refusal(defects, request, turn).or_else(|| lapse(device, request)) {
        return code;
    }
    let start = response.position();
    let data = records::rewritten(device, request).or_else(|| log::rewritten(device, request));
    let code = match data {
        Some(data) => device.answer(
            &Request {
                data: &data,
                ..*request
            },
            response,
        ),
        None => device.answer(request, response),
    };
    let mut answer = Answer {
        defects,
        request,
        code,
        data: response.written().get(start..).unwrap_or_default().to_vec(),
        turn,
    };
    records::spoil(&mut answer);
    sensor::spoil(&mut answer);
    log::spoil(&mut answer);
    inventory::spoil(device, &mut answer);
    setting::spoil(&mut answer);
    if defects.has(Quirk::MessagesShort) && answer.data.len() > SHORT {
        answer.refuse(CompletionCode::CANNOT_RETURN_BYTES);
    }
    response.truncate(start);
    response.bytes(&answer.data);
    answer.code
}

/// Why a request is not carried out.
fn refusal(defects: Quirks, request: &Request<'_>, turn: u32) -> Option<CompletionCode> {
    if defects.has(Quirk::MessagesShort) && request.data.len() > SHORT {
        return Some(CompletionCode::REQUEST_LENGTH_INVALID);
    }
    records::refusal(defects, request, turn)
        .or_else(|| log::refusal(defects, request))
        .or_else(|| inventory::refusal(defects, request))
        .or_else(|| setting::refusal(defects, request))
}

/// Requests that are carried out every other time, and what they are answered in between.
const LAPSES: [(Quirk, NetFn, u8, CompletionCode); 3] = [
    (
        Quirk::LanParameterFlaky,
        NetFn::TRANSPORT,
        GetLanConfigurationParameters::CMD,
        CompletionCode::UNSPECIFIED,
    ),
    // It says that it does, and doesn't.
    (
        Quirk::PowerCommandIgnored,
        NetFn::CHASSIS,
        ChassisControl::CMD,
        CompletionCode::OK,
    ),
    // An erasure is going on (§31.10).
    (
        Quirk::SelTimeBusy,
        NetFn::STORAGE,
        GetSelTime::CMD,
        CompletionCode(0x81),
    ),
];

fn lapse(device: &mut Device<'_>, request: &Request<'_>) -> Option<CompletionCode> {
    let defects = device.config.defects;
    let (.., code) = LAPSES.iter().find(|(quirk, netfn, cmd, _)| {
        defects.has(*quirk) && (*netfn, *cmd) == (request.netfn, request.cmd)
    })?;
    device.machine.lapses_now().then_some(*code)
}
