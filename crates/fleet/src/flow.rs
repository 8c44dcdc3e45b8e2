//! How densely datagrams come.

use std::time::Duration;

use ipmi::time::Instant;

/// From so many datagrams a second on they are let gather. With fewer each one is served at once.
const DENSE_PER_S: u64 = 2_000;

/// Over how long datagrams are counted for that, at least.
const FLOW_WINDOW: Duration = Duration::from_millis(20);

/// How densely datagrams come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    since: Instant,
    count: u64,
    pub(crate) dense: bool,
}

impl Flow {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
            count: 0,
            dense: false,
        }
    }

    /// Takes note of datagrams that came just now.
    pub(crate) fn note(&mut self, now: Instant, count: usize) {
        self.count += count as u64;
        let window = now.since(self.since);
        if window >= FLOW_WINDOW {
            let wanted = u128::from(DENSE_PER_S) * window.as_micros();
            let dense = u128::from(self.count) * 1_000_000 >= wanted;
            *self = Self {
                since: now,
                count: 0,
                dense,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_gather_only_while_they_come_densely() {
        let mut now = Instant::ORIGIN;
        let mut flow = Flow::new(now);
        for _ in 0..100 {
            now = now + Duration::from_millis(1);
            flow.note(now, 2);
        }
        assert!(flow.dense, "2,000 a second");
        for _ in 0..100 {
            now = now + Duration::from_millis(1);
            flow.note(now, 1);
        }
        assert!(!flow.dense, "1,000 a second");
        // A burst after a silence.
        now = now + Duration::from_millis(500);
        flow.note(now, 64);
        assert!(!flow.dense);
    }
}
