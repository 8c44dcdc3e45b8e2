//! Transport commands: LAN configuration (§23).

use ipmi::bmc::Request;
use ipmi::number::CompletionCode;
use ipmi::wire::Writer;

use super::Device;

pub(super) fn handle(
    _device: &Device<'_>,
    _request: &Request<'_>,
    _response: &mut Writer<'_>,
) -> CompletionCode {
    CompletionCode::INVALID_COMMAND
}
