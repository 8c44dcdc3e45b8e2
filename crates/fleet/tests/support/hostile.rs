//! A machine that answers in a session as it should, but for what it says.

use ipmi::bmc::{Handler, Request};
use ipmi::command::Command;
use ipmi::command::storage::{GetSdr, GetSelEntry};
use ipmi::entropy::Entropy;
use ipmi::number::CompletionCode;
use ipmi::wire::Writer;
use vbmc::net::SeededEntropy;

use super::machine::Machine;

/// Longer than any answer.
const ANSWER_MAX: usize = 200;

/// Spoils about half of the answers of a machine: cut off, too long, random, refused for no reason, lists that lead back to
/// where they began.
pub(crate) struct Hostile<'a> {
    pub(crate) machine: &'a mut Machine,
    pub(crate) whims: &'a mut SeededEntropy,
}

impl Hostile<'_> {
    fn below(&mut self, bound: usize) -> usize {
        self.whims.next_u32() as usize % bound.max(1)
    }
}

impl Handler for Hostile<'_> {
    fn handle(&mut self, request: &Request<'_>, w: &mut Writer<'_>) -> CompletionCode {
        let mut buffer = [0; ANSWER_MAX];
        let mut honest = Writer::new(&mut buffer);
        let completion = self.machine.handle(request, &mut honest);
        let mut answer = honest.written().to_vec();
        match self.below(10) {
            0 => answer.truncate(self.below(answer.len())),
            1 => {
                let mut longer = vec![0; self.below(ANSWER_MAX)];
                self.whims.fill(&mut longer);
                answer.extend(longer);
                answer.truncate(ANSWER_MAX);
            }
            2 => self.whims.fill(&mut answer),
            3 => {
                let at = self.below(answer.len());
                if let Some(byte) = answer.get_mut(at) {
                    *byte = self.whims.next_u32() as u8;
                }
            }
            4 => return CompletionCode(self.whims.next_u32() as u8),
            5 if matches!(request.cmd, GetSdr::CMD | GetSelEntry::CMD) && answer.len() > 2 => {
                // The next record is one that was read already.
                let back = self.below(8) as u8;
                answer[..2].copy_from_slice(&[back, 0]);
            }
            _ => {}
        }
        w.bytes(&answer);
        completion
    }
}
