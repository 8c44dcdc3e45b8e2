//! What the log says of BMCs that go and come back, deviate from IPMI, or have logs that can't be read: a line for each, and a
//! summary where there are many.

use std::fmt;
use std::time::Duration;

use ipmi::time::Instant;

/// The target of these lines in the log, `bmc=info` in a filter.
pub(crate) const TARGET: &str = "bmc";
/// How many BMCs get a line of their own in a minute, per thread: a switch or a rack that fails takes hundreds along.
pub const MAX_STATE_LINES: u32 = 20;
/// The same of deviations and of event logs: at the first contact with a fleet all have some.
const MAX_OTHER_LINES: u32 = 20;
/// How long after its first line the rest is summed up.
const SPAN: Duration = Duration::from_secs(60);

/// Which lines are written, and what the next summary has to say.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// When the span ends that began with the first line.
    ends_at: Option<Instant>,
    state_lines: u32,
    other_lines: u32,
    untold: Untold,
}

/// What got no line of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Untold {
    pub(crate) down: u32,
    pub(crate) up: u32,
    /// For which there is no time to read all.
    pub(crate) tight: u32,
    pub(crate) deviate: u32,
    pub(crate) logs: u32,
}

impl Untold {
    /// Whether something doesn't work.
    pub(crate) const fn is_trouble(&self) -> bool {
        self.down > 0 || self.up > 0 || self.tight > 0 || self.logs > 0
    }
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            down,
            up,
            tight,
            deviate,
            logs,
        } = self;
        write!(f, "in the last {} s besides: ", SPAN.as_secs())?;
        let mut gap = "";
        if *down > 0 || *up > 0 {
            write!(f, "{down} times a BMC down, {up} times one up again")?;
            gap = ", ";
        }
        if *tight > 0 {
            write!(f, "{gap}{tight} with too little time for all sensors")?;
            gap = ", ";
        }
        if *deviate > 0 {
            write!(f, "{gap}{deviate} times a BMC that deviates from IPMI")?;
            gap = ", ";
        }
        if *logs > 0 {
            write!(f, "{gap}{logs} times an event log that can't be read")?;
        }
        Ok(())
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

    /// The same for one that deviates from IPMI.
    pub(crate) fn deviates(&mut self, now: Instant) -> bool {
        let has_line = self.has_other_line(now);
        self.untold.deviate += u32::from(!has_line);
        has_line
    }

    /// The same for an event log that can't be read, or not all of it.
    pub(crate) fn log_fails(&mut self, now: Instant) -> bool {
        let has_line = self.has_other_line(now);
        self.untold.logs += u32::from(!has_line);
        has_line
    }

    fn has_other_line(&mut self, now: Instant) -> bool {
        self.ends_at.get_or_insert(now + SPAN);
        let has_line = self.other_lines < MAX_OTHER_LINES;
        self.other_lines += u32::from(has_line);
        has_line
    }

    fn has_line(&mut self, now: Instant) -> bool {
        self.ends_at.get_or_insert(now + SPAN);
        let has_line = self.state_lines < MAX_STATE_LINES;
        self.state_lines += u32::from(has_line);
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

    #[test]
    fn deviations_and_logs_have_lines_of_their_own_and_are_summed_up_too() {
        let mut news = News::default();
        let lines = (0..100).filter(|_| news.down(at(1))).count();
        assert_eq!(lines, MAX_STATE_LINES as usize);
        let lines = (0..100).filter(|_| news.deviates(at(1))).count();
        assert_eq!(lines, MAX_OTHER_LINES as usize);
        assert!((0..7).all(|_| !news.log_fails(at(2))));
        let summary = news.summary(at(61)).unwrap();
        let text = "in the last 60 s besides: 80 times a BMC down, 0 times one up again, 80 times a BMC that deviates \
                    from IPMI, 7 times an event log that can't be read";
        assert_eq!(summary.to_string(), text);
        let deviate = Untold {
            deviate: 3,
            ..Untold::default()
        };
        assert!(summary.is_trouble() && !deviate.is_trouble());
        let text = "in the last 60 s besides: 3 times a BMC that deviates from IPMI";
        assert_eq!(deviate.to_string(), text);
    }
}
