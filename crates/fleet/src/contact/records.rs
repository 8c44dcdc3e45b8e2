//! The records of one kind of machine, in memory once however many machines have them.
//!
//! No BMC can be asked whether its records are another one's: there is no checksum, time stamps of two BMCs may be equal by
//! chance or both be missing, and a sensor with another one's name would be a wrong reading that nobody notices. So every
//! BMC is asked for all its records, once. But what comes is compared with the records of a machine that is likely to have
//! the same ones, and as long as they are equal nothing is kept, and in the end nothing decoded. A wrong guess costs
//! a copy of what was equal so far.

use std::sync::Arc;

use ipmi::command::app::DeviceId;
use ipmi::quirk::Quirks;

use super::repository::Stamp;
use crate::convert::{self, Described};

/// By what a machine's records are guessed: what BMC it has, and how many records or sensors. Not when they were written:
/// that differs between equal machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Likeness {
    device: DeviceId,
    count: u16,
    quirks: Quirks,
}

impl Likeness {
    pub(crate) fn new(device: DeviceId, stamp: Option<Stamp>, quirks: Quirks) -> Self {
        Self {
            device,
            count: match stamp {
                Some(Stamp::Repository(count, ..)) => count,
                Some(Stamp::Device(count, _)) => count.into(),
                None => 0,
            },
            quirks,
        }
    }
}

/// Records as BMCs store them, and what they describe.
#[derive(Debug)]
pub(crate) struct Records {
    all: Vec<Vec<u8>>,
    pub(crate) described: Described,
}

impl Records {
    /// What these records describe, to one who knows of these deviations.
    pub(crate) fn new(mut all: Vec<Vec<u8>>, quirks: Quirks) -> Self {
        all.shrink_to_fit();
        all.iter_mut().for_each(Vec::shrink_to_fit);
        Self {
            described: convert::describe(&all, quirks),
            all,
        }
    }

    /// In the BMC's order.
    pub(crate) fn all(&self) -> &[Vec<u8>] {
        &self.all
    }
}

/// Records while they come in.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    /// All so far are as the first ones of these.
    like: Option<Arc<Records>>,
    /// How many so far.
    count: usize,
    /// All so far, where they are not.
    own: Vec<Vec<u8>>,
}

/// Records that came in.
#[derive(Clone, Debug)]
pub(crate) enum Gathered {
    /// All equal to these, and no more and no less.
    Known(Arc<Records>),
    /// Others.
    New(Vec<Vec<u8>>),
}

impl Gathering {
    /// None yet. They will perhaps be as these.
    pub(crate) fn new(like: Option<Arc<Records>>) -> Self {
        Self {
            like,
            ..Self::default()
        }
    }

    pub(crate) fn push(&mut self, record: &[u8]) {
        self.count += 1;
        if let Some(like) = &self.like {
            let (before, rest) = like.all.split_at(self.count - 1);
            if rest.first().is_some_and(|known| known == record) {
                return;
            }
            self.own = before.to_vec();
            self.like = None;
        }
        self.own.push(record.to_vec());
    }

    /// There are no more.
    pub(crate) fn finish(self) -> Gathered {
        match self.like {
            Some(like) if like.all.len() == self.count => Gathered::Known(like),
            Some(like) => Gathered::New(like.all[..self.count].to_vec()),
            None => Gathered::New(self.own),
        }
    }
}

#[cfg(test)]
impl Gathered {
    pub(crate) fn all(&self) -> &[Vec<u8>] {
        match self {
            Self::Known(known) => known.all(),
            Self::New(own) => own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(of: &[u8]) -> Vec<Vec<u8>> {
        of.iter().map(|byte| vec![*byte; 9]).collect()
    }

    #[test]
    fn equal_records_are_the_known_ones_and_others_are_complete_wherever_they_differ() {
        let known = Arc::new(Records::new(records(&[1, 2, 3]), Quirks::default()));
        let cases: [&[u8]; 7] = [
            &[],
            &[1],
            &[1, 2, 3],
            &[1, 2, 3, 4],
            &[9, 2, 3],
            &[1, 2, 9],
            &[1, 9, 3, 4],
        ];
        for case in cases {
            for like in [None, Some(Arc::clone(&known))] {
                let is_known = like.is_some() && case == [1, 2, 3];
                let mut gathering = Gathering::new(like);
                for record in records(case) {
                    gathering.push(&record);
                }
                let gathered = gathering.finish();
                assert_eq!(gathered.all(), records(case), "{case:?}");
                assert_eq!(matches!(gathered, Gathered::Known(_)), is_known);
            }
        }
    }
}
