//! What a machine drew lately (DCMI 1.5 §6.6.1).

/// Seconds between samples.
const EVERY_S: u64 = 5;
/// Samples: five minutes.
const SAMPLES: usize = 60;

/// Power samples of the last five minutes.
#[derive(Clone, Debug, Default)]
pub(super) struct PowerHistory {
    samples: Box<[u16]>,
    next: usize,
}

/// Power over a period, in watts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerStatistics {
    /// Now.
    pub current_w: u16,
    /// Least.
    pub minimum_w: u16,
    /// Most.
    pub maximum_w: u16,
    /// Mean.
    pub average_w: u16,
}

impl PowerHistory {
    /// Keeps a sample, where one is due.
    pub(super) fn note(&mut self, at_s: u64, watts: f64) {
        if !at_s.is_multiple_of(EVERY_S) {
            return;
        }
        let watts = whole(watts);
        if self.samples.is_empty() {
            // As if it had drawn this all along.
            self.samples = vec![watts; SAMPLES].into();
        }
        self.samples[self.next] = watts;
        self.next = (self.next + 1) % SAMPLES;
    }

    /// Statistics over the last `period_s`, at most five minutes.
    pub(super) fn over(&self, period_s: u32, now_w: f64) -> PowerStatistics {
        let current_w = whole(now_w);
        let count = (u64::from(period_s) / EVERY_S)
            .try_into()
            .unwrap_or(SAMPLES)
            .min(SAMPLES);
        let newest = (1..=count).map(|back| (self.next + SAMPLES - back) % SAMPLES);
        let samples: Vec<u32> = newest
            .filter_map(|at| self.samples.get(at))
            .map(|watts| u32::from(*watts))
            .chain([current_w.into()])
            .collect();
        let len = u32::try_from(samples.len()).unwrap_or(1);
        let mean = samples.iter().sum::<u32>() / len;
        let in_16_bits = |watts: Option<u32>| {
            let watts = watts.unwrap_or_else(|| current_w.into());
            u16::try_from(watts).unwrap_or(u16::MAX)
        };
        PowerStatistics {
            current_w,
            minimum_w: in_16_bits(samples.iter().min().copied()),
            maximum_w: in_16_bits(samples.iter().max().copied()),
            average_w: in_16_bits(Some(mean)),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is below 0 or beyond 16 bits saturates"
)]
fn whole(watts: f64) -> u16 {
    watts.round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_look_back_no_longer_than_asked() {
        let mut history = PowerHistory::default();
        for at_s in 0..=600 {
            history.note(at_s, if at_s <= 550 { 100.0 } else { 300.0 });
        }
        let short = history.over(30, 310.0);
        assert_eq!((short.minimum_w, short.maximum_w), (300, 310));
        let long = history.over(300, 310.0);
        assert_eq!((long.minimum_w, long.maximum_w), (100, 310));
        assert!((130..150).contains(&long.average_w), "{long:?}");
        let now = history.over(0, 250.0);
        assert_eq!((now.current_w, now.average_w), (250, 250));
    }
}
