//! `raw`: a request by its numbers.

use std::rc::Rc;

use ipmi::command::table;
use ipmi::console::RequestTarget;
use ipmi::number::NetFn;
use serde_json::json;

use crate::ipmi::args::RawArgs;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{Call, Line, Outcome};

/// Bytes on a line.
const BYTES_A_LINE: usize = 16;

/// Sends the request once: nobody knows what doing it twice would do.
pub(super) async fn run(line: Line, args: Rc<RawArgs>) -> Outcome {
    let target = RequestTarget {
        netfn: NetFn(args.netfn),
        cmd: args.cmd,
        lun: args.lun,
    };
    let call = Call {
        target,
        name: table::find(target.netfn, target.cmd, &args.data).map(|row| row.name),
        data: args.data.clone(),
        idempotent: false,
        way: None,
    };
    let data = line.send(call).await?;
    let lines = data.chunks(BYTES_A_LINE).map(hex).collect();
    Ok(Report::of(lines, json!({ "data": data })))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!(" {byte:02x}")).collect()
}
