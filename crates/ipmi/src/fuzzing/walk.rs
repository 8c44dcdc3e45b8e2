//! Walks over what a BMC keeps, whose answers are arbitrary.

use crate::number::CompletionCode;
use crate::record::Timestamp;
use crate::record::sdr::HEADER_LEN;
use crate::walk::{Found, FruChunk, FruExtent, FruWalk, SdrSource, SdrWalk, SelWalk, Step, Walk};
use crate::wire::Reader;

/// Requests beyond the answers of a script: all are refused by then, some of them as a reason to wait.
const REFUSED_MAX: usize = 16;

/// Reads records, logs and inventories of a BMC that answers as `script` says: which walk, then code, length and data of each
/// answer; afterwards it refuses everything.
///
/// Each walk ends when everything is refused, and what it hands out is as long as it can be.
pub fn walks(script: &[u8]) {
    let mut script = Reader::new(script);
    let kind = script.u8("walk").unwrap_or(0);
    let mut chunk = FruChunk::default();
    match kind % 8 {
        0 => sdr(SdrWalk::new(SdrSource::Repository), &mut script),
        1 => sdr(SdrWalk::new(SdrSource::Device), &mut script),
        2 => sdr(
            SdrWalk::new(SdrSource::Repository).stamped(None),
            &mut script,
        ),
        3 => end(SelWalk::new(), &mut script, |_| ()),
        4 => {
            let last = script.array("last entry").unwrap_or([1; 16]);
            let walk = SelWalk::behind(last, 1, Timestamp(0));
            end(walk, &mut script, |_| ());
        }
        _ => {
            let extent = match kind % 8 {
                5 => FruExtent::All,
                6 => FruExtent::Nameplate,
                _ => FruExtent::Module,
            };
            // One inventory after the other, as they are read.
            while script.remaining() > 0 {
                let mut walk = FruWalk::new(kind, extent, chunk);
                run(&mut walk, &mut script, |_| ());
                chunk = walk.chunk();
                assert!(
                    extent == FruExtent::Module || walk.data().len() <= walk.size(),
                    "more than there is"
                );
            }
        }
    }
}

fn sdr(walk: SdrWalk, script: &mut Reader<'_>) {
    end(walk, script, |walk| {
        let record = walk.record();
        let says = record.get(HEADER_LEN - 1).copied().map(usize::from);
        assert!(
            says.is_some_and(|rest| record.len() <= HEADER_LEN + rest),
            "a record without a header, or longer than it says"
        );
    });
}

fn end<W: Walk>(mut walk: W, script: &mut Reader<'_>, look: impl FnMut(&W)) {
    run(&mut walk, script, look);
}

/// Runs a walk to its end.
fn run<W: Walk>(walk: &mut W, script: &mut Reader<'_>, mut look: impl FnMut(&W)) {
    let mut refused = 0;
    loop {
        match walk.next() {
            Ok(Step::Send(_)) if script.remaining() > 0 => {
                let code = CompletionCode(script.u8("completion code").unwrap_or(0));
                let len = usize::from(script.u8("length").unwrap_or(0)).min(script.remaining());
                walk.answer(code, script.take("data", len).unwrap_or_default());
            }
            Ok(Step::Send(_)) => {
                refused += 1;
                assert!(
                    refused <= REFUSED_MAX,
                    "a walk that is refused everything goes on"
                );
                walk.answer(CompletionCode::INVALID_COMMAND, &[]);
            }
            Ok(Step::Found(Found::Record)) => look(walk),
            Ok(Step::Wait(_) | Step::Found(Found::Restart)) => {}
            Ok(Step::Found(Found::End)) | Err(_) => return,
        }
    }
}
