//! What the log says of BMCs that go and come back: a line for each, and a summary where many do so at once.

use std::fmt;
use std::time::Duration;

use ipmi::time::Instant;

/// The target of these lines in the log, `bmc=info` in a filter.
pub(crate) const TARGET: &str = "bmc";
/// How many BMCs get a line of their own in a minute, per thread: a switch or a rack that fails takes hundreds along.
pub const MAX_STATE_LINES: u32 = 20;
/// How long after its first line the rest is summed up.
const SPAN: Duration = Duration::from_secs(60);

/// Which lines are written, and what the next summary has to say.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// When the span ends that began with the first line.
    ends_at: Option<Instant>,
    lines: u32,
    untold: Untold,
}

/// BMCs that got no line of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Untold {
    pub(crate) down: u32,
    pub(crate) up: u32,
    /// For which there is no time to read all.
    pub(crate) tight: u32,
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { down, up, tight } = self;
        let seconds = SPAN.as_secs();
        write!(
            f,
            "in the last {seconds} s besides: {down} times a BMC down, {up} times one up again"
        )?;
        match tight {
            0 => Ok(()),
            _ => write!(f, ", {tight} with too little time for all sensors"),
        }
    }
}

impl News {
    /// Whether a BMC that is down gets a line of its own; if not, it is counted.
    pub(crate) fn down(&mut self, now: Instant) -> bool {
        let has_line = self.has_line(now);
        self.untold.down += u32::from(!has_line);
        has_line
    }

    /// The same for one that is up again.
    pub(crate) fn up(&mut self, now: Instant) -> bool {
        let has_line = self.has_line(now);
        self.untold.up += u32::from(!has_line);
        has_line
    }

    /// The same for one that there is too little time for.
    pub(crate) fn tight(&mut self, now: Instant) -> bool {
        let has_line = self.has_line(now);
        self.untold.tight += u32::from(!has_line);
        has_line
    }

    fn has_line(&mut self, now: Instant) -> bool {
        self.ends_at.get_or_insert(now + SPAN);
        let has_line = self.lines < MAX_STATE_LINES;
        self.lines += u32::from(has_line);
        has_line
    }

    /// What is to be told at the end of a span, if anything: call it often.
    pub(crate) fn summary(&mut self, now: Instant) -> Option<Untold> {
        self.ends_at.filter(|&end| now >= end)?;
        let Self { untold, .. } = std::mem::take(self);
        (untold != Untold::default()).then_some(untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Instant {
        Instant::ORIGIN + Duration::from_secs(s)
    }

    #[test]
    fn a_few_have_a_line_each_and_no_summary() {
        let mut news = News::default();
        assert!(news.down(at(1)) && news.up(at(2)));
        assert_eq!(news.summary(at(60)), None);
        assert_eq!(news.summary(at(61)), None);
        assert_eq!(news.ends_at, None, "the next one begins a span of its own");
    }

    #[test]
    fn a_rack_that_fails_takes_a_bounded_number_of_lines_and_is_summed_up() {
        let mut news = News::default();
        let lines = (0..1000).filter(|_| news.down(at(1))).count();
        assert_eq!(lines, MAX_STATE_LINES as usize);
        assert!((0..400).all(|_| !news.up(at(40))));
        assert_eq!(news.summary(at(60)), None);
        let summary = news.summary(at(61)).unwrap();
        assert_eq!((summary.down, summary.up), (980, 400));
        let text = "in the last 60 s besides: 980 times a BMC down, 400 times one up again";
        assert_eq!(summary.to_string(), text);
        assert!(news.up(at(62)), "and then lines are written again");
        assert_eq!(news.summary(at(200)), None);
    }
}
