//! When a value calls a trigger, without a clock: dwell times are counted from the times that come in.

use redfish_schema::resource::Health;
use redfish_schema::triggers::ThresholdActivation as Activation;

/// Which of the four thresholds (DSP0268 "Triggers", `NumericThresholds`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    UpperWarning,
    UpperCritical,
    LowerWarning,
    LowerCritical,
}

impl Level {
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("UpperWarning", Self::UpperWarning),
        ("UpperCritical", Self::UpperCritical),
        ("LowerWarning", Self::LowerWarning),
        ("LowerCritical", Self::LowerCritical),
    ];

    const fn is_upper(self) -> bool {
        matches!(self, Self::UpperWarning | Self::UpperCritical)
    }
}

/// One threshold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Threshold {
    pub(crate) level: Level,
    pub(crate) reading: f64,
    pub(crate) activation: Activation,
    /// How long a value has to be on the other side before it counts.
    pub(crate) dwell_ms: u64,
}

impl Threshold {
    /// Whether `value` is on the far side.
    fn is_beyond(&self, value: f64) -> bool {
        if self.level.is_upper() {
            value > self.reading
        } else {
            value < self.reading
        }
    }

    /// Whether somebody wants to hear that a value has gone beyond, or has come back.
    fn tells(&self, beyond: bool) -> bool {
        match self.activation {
            Activation::Either => true,
            Activation::Increasing => beyond == self.level.is_upper(),
            Activation::Decreasing => beyond != self.level.is_upper(),
            Activation::Disabled => false,
        }
    }
}

/// What a value has done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Crossing {
    /// It is beyond this threshold.
    Beyond(Level, f64),
    /// It is back from this critical threshold, and not normal yet.
    Back(Level, f64),
    /// It is normal.
    Normal,
}

/// On which side a value has been, of each threshold of its trigger. At first it counts as normal: a threshold that is
/// found crossed is told, since nobody was told before.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Numeric {
    sides: Vec<Side>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Side {
    is_beyond: bool,
    /// Since when the value is on the other side than that.
    other_since_ms: Option<u64>,
}

impl Numeric {
    /// Takes the value at `now_ms`; says what is to be told.
    pub(crate) fn step(
        &mut self,
        now_ms: u64,
        value: f64,
        thresholds: &[Threshold],
    ) -> Vec<Crossing> {
        self.sides.resize(thresholds.len(), Side::default());
        let is_normal = !thresholds.iter().any(|threshold| {
            threshold.activation != Activation::Disabled && threshold.is_beyond(value)
        });
        let mut crossings = Vec::new();
        for (side, threshold) in self.sides.iter_mut().zip(thresholds) {
            let beyond = threshold.is_beyond(value);
            if beyond == side.is_beyond {
                side.other_since_ms = None;
                continue;
            }
            let since_ms = *side.other_since_ms.get_or_insert(now_ms);
            if now_ms.saturating_sub(since_ms) < threshold.dwell_ms {
                continue;
            }
            *side = Side {
                is_beyond: beyond,
                other_since_ms: None,
            };
            if !threshold.tells(beyond) {
                continue;
            }
            let (level, reading) = (threshold.level, threshold.reading);
            let is_critical = matches!(level, Level::UpperCritical | Level::LowerCritical);
            match (beyond, is_normal) {
                (true, _) => crossings.push(Crossing::Beyond(level, reading)),
                (false, true) if !crossings.contains(&Crossing::Normal) => {
                    crossings.push(Crossing::Normal);
                }
                (false, false) if is_critical => crossings.push(Crossing::Back(level, reading)),
                (false, _) => {}
            }
        }
        crossings
    }
}

/// One value that a discrete trigger waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) name: Option<String>,
    pub(crate) value: String,
    pub(crate) dwell_ms: u64,
    pub(crate) severity: Option<Health>,
}

/// What a discrete value has been.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Discrete {
    value: Option<Box<str>>,
    since_ms: u64,
    is_told: bool,
}

impl Discrete {
    /// Whether the value is another than before. The first is none.
    pub(crate) fn changed(&mut self, value: &str) -> bool {
        if self.value.as_deref() == Some(value) {
            return false;
        }
        self.value.replace(value.into()).is_some()
    }

    /// Which of the values that are waited for it has become, and stayed long enough.
    pub(crate) fn step<'e>(
        &mut self,
        now_ms: u64,
        value: &str,
        expected: &'e [Expected],
    ) -> Option<&'e Expected> {
        if self.value.as_deref() != Some(value) {
            *self = Self {
                value: Some(value.into()),
                since_ms: now_ms,
                is_told: false,
            };
        }
        let found = expected.iter().find(|one| one.value == value)?;
        let has_stayed = now_ms.saturating_sub(self.since_ms) >= found.dwell_ms;
        if self.is_told || !has_stayed {
            return None;
        }
        self.is_told = true;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(level: Level, reading: f64, activation: Activation, dwell_ms: u64) -> Threshold {
        Threshold {
            level,
            reading,
            activation,
            dwell_ms,
        }
    }

    /// What is told for each value, one a second.
    fn told(thresholds: &[Threshold], values: &[f64]) -> Vec<Vec<Crossing>> {
        let mut state = Numeric::default();
        let step =
            |(second, value): (usize, &f64)| state.step(second as u64 * 1000, *value, thresholds);
        values.iter().enumerate().map(step).collect()
    }

    #[test]
    fn each_direction_of_each_threshold_is_told_once() {
        use Crossing::{Back, Beyond, Normal};
        use Level::{LowerCritical, LowerWarning, UpperCritical, UpperWarning};
        let thresholds = [
            threshold(UpperWarning, 80.0, Activation::Either, 0),
            threshold(UpperCritical, 90.0, Activation::Either, 0),
            threshold(LowerWarning, 20.0, Activation::Either, 0),
            threshold(LowerCritical, 10.0, Activation::Either, 0),
        ];
        let values = [
            50.0, 80.0, 81.0, 85.0, 95.0, 85.0, 50.0, 95.0, 50.0, 5.0, 15.0, 20.0,
        ];
        let expected: [&[Crossing]; 12] = [
            &[],
            &[],
            &[Beyond(UpperWarning, 80.0)],
            &[],
            &[Beyond(UpperCritical, 90.0)],
            &[Back(UpperCritical, 90.0)],
            &[Normal],
            &[Beyond(UpperWarning, 80.0), Beyond(UpperCritical, 90.0)],
            &[Normal],
            &[Beyond(LowerWarning, 20.0), Beyond(LowerCritical, 10.0)],
            &[Back(LowerCritical, 10.0)],
            &[Normal],
        ];
        assert_eq!(told(&thresholds, &values), expected);
    }

    #[test]
    fn the_activation_says_which_direction_is_told() {
        let values = [95.0, 50.0, 95.0];
        for (activation, expected) in [
            (Activation::Increasing, [1, 0, 1]),
            (Activation::Decreasing, [0, 1, 0]),
            (Activation::Either, [1, 1, 1]),
            (Activation::Disabled, [0, 0, 0]),
        ] {
            let upper = [threshold(Level::UpperCritical, 90.0, activation, 0)];
            let counts: Vec<_> = told(&upper, &values).iter().map(Vec::len).collect();
            assert_eq!(counts, expected, "{activation}");
            let lower = [threshold(Level::LowerCritical, -90.0, activation, 0)];
            let counts: Vec<_> = told(&lower, &values.map(|v| -v))
                .iter()
                .map(Vec::len)
                .collect();
            let mirrored = match activation {
                Activation::Increasing => [0, 1, 0],
                Activation::Decreasing => [1, 0, 1],
                _ => expected,
            };
            assert_eq!(counts, mirrored, "lower {activation}");
        }
    }

    #[test]
    fn a_value_has_to_stay_for_the_dwell_time_and_a_moment_back_begins_it_anew() {
        let upper = [threshold(
            Level::UpperWarning,
            80.0,
            Activation::Either,
            3000,
        )];
        let values = [90.0, 90.0, 90.0, 50.0, 90.0, 90.0, 90.0, 90.0, 90.0, 50.0];
        let counts: Vec<_> = told(&upper, &values).iter().map(Vec::len).collect();
        assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_discrete_trigger_waits_for_its_values_or_for_any_change() {
        let off = [Expected {
            name: None,
            value: "Off".to_owned(),
            dwell_ms: 2000,
            severity: Some(Health::Critical),
        }];
        let mut state = Discrete::default();
        let words = [
            "Off", "Off", "Off", "Off", "On", "Off", "On", "Off", "Off", "Off",
        ];
        let told: Vec<_> = (0u64..)
            .zip(words)
            .map(|(second, word)| state.step(second * 1000, word, &off).is_some())
            .collect();
        let when: Vec<_> = (0..)
            .zip(told)
            .filter(|(_, told)| *told)
            .map(|(at, _)| at)
            .collect();
        assert_eq!(when, [2, 9]);
        let mut state = Discrete::default();
        let changes: Vec<_> = ["On", "On", "Off", "On"]
            .map(|word| state.changed(word))
            .into();
        assert_eq!(changes, [false, false, true, true]);
    }
}
