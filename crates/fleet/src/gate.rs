//! How many BMCs are dealt with at a time, so that the engine never asks for more answers than can come.
//!
//! One command at a time and BMC is still fifty thousand commands in flight. Where answers come more slowly than they are
//! asked for, a queue grows in some buffer until every command is repeated because its answer waits in that queue; then most of
//! the work is repeats. So each stage of dealing with a BMC has a [`Gate`]: some may be inside, the others
//! wait in the order in which they came.
//!
//! How many depends on the BMCs: a thousand are enough where an answer takes a millisecond, and too few where it takes
//! a hundred. [`Gates`] finds out as TCP's BBR does: the limit grows while BMCs wait and answers are hardly slower than with
//! few commands in flight, shrinks when they are, and every now and then is made small for a moment to learn
//! how fast answers are then. A BMC that lets a command be repeated leaves its gate: dead ones take
//! nobody's place. Before its next command it has to enter again, ahead of those of its lane who have not begun. BMCs that answer far more slowly
//! than others keep their places long: they wait in a [`Lane`] of their own, and what their answers take says nothing of the path.
//!
//! Where most answers come only after a repetition, that is no BMC's fault: whoever answers, or carries the answers, or this
//! program itself, has less time than the work takes. Then a BMC keeps its place for the first repetition, and the limit
//! shrinks further than it would otherwise. Where that mends nothing, the BMCs are just slow, and it is given up.

mod stage;

use std::time::Duration;

use ipmi::time::Instant;

use crate::figures::Places;

use stage::Gate;
pub(crate) use stage::{Lane, Stage};

/// The most log-ins at a time: each costs both ends some digests, and BMCs take half a second for theirs.
const CONNECTS_MAX: u32 = 1_024;

/// However slow answers are, so many rounds, and so many contacts, may run; and with so many the search begins. Far fewer would
/// do where all goes well, but answers are slow for other reasons too, such as other programs on the same processor.
const LIMIT_MIN: u32 = 1_024;

/// Where answers are quick, so many do for each millisecond that one takes; more would only wait in some buffer, and what belongs
/// to them would push each other out of the processor's caches.
const PLACES_A_MS: u32 = 256;

/// Answers that take no longer than this are quick.
const QUICK_MAX: Duration = Duration::from_millis(12);

/// Where most answers are late the limit shrinks down to this: enough to fill a path of a few hundred answers a second.
const LIMIT_FEWEST: u32 = 16;

/// That many late answers at least, of the last looks, are needed to say that most are: fewer may be those of a few BMCs that are slow.
/// A path that gives fewer than some 160 answers a second is not told from such.
const LATE_ANSWERS_MIN: u32 = 64;

/// The mean of fewer answers, or of fewer looks, says too little to take it for the quickest: of BMCs that are let in together the near
/// ones answer first.
const FLOOR_ANSWERS_MIN: u32 = 64;
const FLOOR_LOOKS_MIN: u32 = 30;

/// After so many looks with [`LIMIT_FEWEST`] places and late answers all the same, the cause is not how much is asked.
const FUTILE_LOOKS: u32 = 50;

/// The limit may grow again after this, however long answers take: they may have waited for a machine that stood still.
const GROWS_AFTER_MAX: Duration = Duration::from_secs(1);

/// How often the limit is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Answers may take so much longer than twice what they take with few commands in flight: as much again, but from this to that.
const SLACK_MIN: Duration = Duration::from_millis(1);
const SLACK_MAX: Duration = Duration::from_millis(4);

/// But not longer than this, unless they take that long in any case: commands are repeated soon after.
const SLOW_MAX: Duration = Duration::from_millis(100);

/// A BMC that takes so many times as long as others is slow, where it is longer than [`SLOW_MAX`].
const LONG: u32 = 4;

/// After so many looks with BMCs waiting, the limit is made small to measure anew.
const LOOKS_BETWEEN_PROBES: u32 = 50;

/// So many looks count as one while nobody waits: what was learnt then tells slow BMCs from a path that is full later.
const QUIET_LOOKS: u32 = 10;

/// That many answers in a look are needed while nobody waits to say how long they take: there are few, and of a few BMCs.
const QUIET_ANSWERS_MIN: u32 = 16;

/// The same before a probe with fewer than what is known of the BMCs calls for: it is done without where they don't end soon.
const DEEP_DRAIN_LOOKS_MAX: u32 = 3;

/// So many looks measure at most, where answers take longer than they were known to: the quickest of them holds. The thread, or
/// the whole machine, may have stood still, which says nothing of the BMCs.
const MEASURE_LOOKS_MAX: u32 = 3;

/// So many looks are waited for what runs to end before measuring; rounds on slow BMCs may take longer.
const DRAIN_LOOKS_MAX: u32 = 10;

/// A time in which the limit is small, and what it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Probe {
    few: u32,
    back_to: u32,
}

/// What the limit is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    /// It follows the answers, for so many looks yet; in [`QUIET_LOOKS`]ths.
    Follow { looks: u32 },
    /// It is small until what was begun before has ended.
    Drain { looks: u32, probe: Probe },
    /// It is small, and the answers of these moments tell how fast they can be: as the quickest of the looks so far.
    Measure {
        looks: u32,
        quickest: Option<Duration>,
        probe: Probe,
    },
}

/// Answers that came without any repetition.
#[derive(Clone, Copy, Debug, Default)]
struct InTime {
    count: u32,
    /// How long all those took together.
    sum: Duration,
    /// In a queue that is full all wait; where only some BMCs are slow, others aren't.
    quickest: Option<Duration>,
}

impl InTime {
    fn add(&mut self, after: Duration) {
        self.count += 1;
        self.sum += after;
        self.quickest = Some(self.quickest.map_or(after, |quickest| quickest.min(after)));
    }

    /// Mean time to an answer.
    fn mean(&self) -> Option<Duration> {
        (self.count > 0).then(|| self.sum / self.count)
    }
}

/// The answers between two looks.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    in_time: [InTime; Lane::ALL.len()],
    /// Those that came only after a repetition.
    late: u32,
}

impl Answers {
    /// Those that say how full the path is: BMCs that take long in any case say nothing, unless there are no others.
    const fn told(&self) -> InTime {
        let [quick, slow] = self.in_time;
        if quick.count > 0 { quick } else { slow }
    }

    /// Whether all are of BMCs whose answer before took long too.
    const fn are_of_slow(&self) -> bool {
        self.in_time[Lane::Quick as usize].count == 0
    }

    fn in_time(&self) -> u32 {
        self.in_time.iter().map(|in_time| in_time.count).sum()
    }

    fn quickest(&self) -> Option<Duration> {
        let quickest = self.in_time.iter().filter_map(|in_time| in_time.quickest);
        quickest.min()
    }
}

/// Whether answers come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strain {
    None,
    /// Most come late; for so many looks although few are asked for.
    Overload {
        looks: u32,
    },
    /// Most come late, and asking for fewer did not help.
    Futile,
}

/// The limit as it was before.
const fn follow(probe: Probe) -> (u32, Search) {
    let looks = LOOKS_BETWEEN_PROBES * QUIET_LOOKS;
    (probe.back_to, Search::Follow { looks })
}

/// No difference that says anything.
fn a_quarter_more(time: Duration) -> Duration {
    time.saturating_add(time / 4)
}

/// The gates of all stages.
#[derive(Debug)]
pub(crate) struct Gates {
    gates: [Gate; 3],
    /// For rounds, but a quarter while contacts wait; for contacts too, up to their own bound.
    limit: u32,
    limit_max: u32,
    contacts_max: u32,
    search: Search,
    next_look: Instant,
    /// Mean time to an answer while few commands are in flight.
    floor: Duration,
    /// It grows no sooner: what answers take after it has grown shows only by then.
    grows_at: Instant,
    /// This time few are no more than do for quick answers, whatever is known of them.
    is_deep: bool,
    /// What answers took when that was so last, where it could be measured.
    deep: Option<Duration>,
    /// The quickest answer of late, of BMCs that are not slow where there are any. It rises slowly.
    usual: Duration,
    /// Since the last look.
    answers: Answers,
    /// Of so many last looks, until they are enough to tell the quickest.
    gathered: (InTime, u32),
    /// Answers in time, and late ones, of the last looks; older ones count less.
    recent: (u32, u32),
    strain: Strain,
}

impl Gates {
    /// The gates of an engine with `slots` slots, and at most so many first contacts at a time.
    pub(crate) fn new(now: Instant, slots: u32, contacts_max: u32) -> Self {
        let limit_max = slots.max(LIMIT_MIN);
        let limit = LIMIT_MIN;
        Self {
            gates: [CONNECTS_MAX, limit.min(contacts_max), limit].map(Gate::new),
            limit,
            limit_max,
            contacts_max,
            search: Search::Follow {
                looks: LOOKS_BETWEEN_PROBES * QUIET_LOOKS,
            },
            next_look: now + LOOK_EVERY,
            floor: Duration::MAX,
            grows_at: now,
            is_deep: false,
            deep: None,
            usual: Duration::MAX,
            answers: Answers::default(),
            gathered: (InTime::default(), 0),
            recent: (0, 0),
            strain: Strain::None,
        }
    }

    /// The engine has so many slots now.
    pub(crate) fn set_slots(&mut self, slots: u32) {
        self.limit_max = slots.max(LIMIT_MIN);
    }

    /// Lets a slot in, or lets it wait until [`Self::admit`] names it.
    pub(crate) fn enter(&mut self, stage: Stage, lane: Lane, slot: u32) -> bool {
        self.gates[stage as usize].enter(lane, slot)
    }

    /// Lets a slot in that was inside before and has more to do, ahead of those who wait; or lets it wait, as the first.
    pub(crate) fn enter_again(&mut self, stage: Stage, lane: Lane, slot: u32) -> bool {
        self.gates[stage as usize].enter_again(lane, slot)
    }

    /// Whether a slot with something to read waits for its place.
    pub(crate) fn someone_waits(&self) -> bool {
        let [_, contacts, rounds] = &self.gates;
        contacts.waiting() + rounds.waiting() > 0
    }

    /// Whether more is being asked for than can be answered.
    pub(crate) const fn are_overloaded(&self) -> bool {
        matches!(self.strain, Strain::Overload { .. })
    }

    /// A slot that was inside is no longer.
    pub(crate) const fn leave(&mut self, stage: Stage, lane: Lane) {
        self.gates[stage as usize].leave(lane);
    }

    /// A slot that is inside is in this lane from now on.
    pub(crate) fn refile(&mut self, stage: Stage, lane: Lane) {
        self.gates[stage as usize].refile(lane);
    }

    /// The next slot that waited and may enter; it is inside from now on.
    pub(crate) fn admit(&mut self) -> Option<(Stage, Lane, u32)> {
        Stage::ALL.into_iter().find_map(|stage| {
            let (lane, slot) = self.gates[stage as usize].admit()?;
            Some((stage, lane, slot))
        })
    }

    /// An answer came after this time, without any repetition, of a BMC that was in this lane so far.
    pub(crate) fn answered(&mut self, lane: Lane, after: Duration) {
        self.answers.in_time[lane as usize].add(after);
    }

    /// Whether an answer after this time takes long, and not because all do.
    pub(crate) fn takes_long(&self, after: Duration) -> bool {
        after > SLOW_MAX && after > self.usual.saturating_mul(LONG)
    }

    /// An answer came, but only after a repetition.
    pub(crate) const fn answered_late(&mut self) {
        self.answers.late += 1;
    }

    /// Adapts the limit, where it is time to.
    pub(crate) fn look(&mut self, now: Instant) {
        if now < self.next_look {
            return;
        }
        self.next_look = now + LOOK_EVERY;
        let answers = std::mem::take(&mut self.answers);
        self.judge(answers);
        if let Some(quickest) = answers.told().quickest {
            // For moments only slow ones may have been asked.
            let little_more = self.usual.saturating_add(self.usual / 16);
            self.usual = quickest.min(little_more);
        }
        let someone_waits = self.someone_waits();
        let [_, contacts, rounds] = &self.gates;
        let contacts_wait = contacts.waiting() > 0;
        let inside = contacts.inside().max(rounds.inside());
        (self.limit, self.search) = match self.search {
            Search::Follow { looks: 0 } => self.probe(),
            Search::Follow { looks } => {
                let limit = self.followed(now, answers, someone_waits, inside);
                let spent = if someone_waits { QUIET_LOOKS } else { 1 };
                let looks = looks.saturating_sub(spent);
                (limit, Search::Follow { looks })
            }
            Search::Drain { looks, probe } => self.drained(looks, probe, inside),
            Search::Measure {
                looks,
                quickest,
                probe,
            } => {
                let told = answers.told();
                let is_enough = someone_waits || told.count >= QUIET_ANSWERS_MIN;
                let mean = told.mean().filter(|_| is_enough);
                let quickest = quickest.into_iter().chain(mean).min();
                self.measured(looks - 1, quickest, probe)
            }
        };
        self.gates[Stage::Connect as usize].limit = self.limit.min(CONNECTS_MAX);
        self.gates[Stage::Contact as usize].limit = self.limit.min(self.contacts_max);
        self.gates[Stage::Round as usize].limit = match contacts_wait {
            true => self.limit / 4,
            false => self.limit,
        };
    }

    /// Makes the limit small.
    fn probe(&mut self) -> (u32, Search) {
        self.is_deep = !self.is_deep;
        let looks = match self.is_deeper() {
            true => DEEP_DRAIN_LOOKS_MAX,
            false => DRAIN_LOOKS_MAX,
        };
        let (few, back_to) = (self.few(), self.limit);
        let probe = Probe { few, back_to };
        (few, Search::Drain { looks, probe })
    }

    /// What comes after a look with so many inside that waited for them to end; so many more may.
    fn drained(&mut self, looks: u32, probe: Probe, inside: u32) -> (u32, Search) {
        match (inside > probe.few, looks) {
            (true, 1..) => {
                let looks = looks - 1;
                (probe.few, Search::Drain { looks, probe })
            }
            (true, 0) if self.is_deeper() => {
                // They take long: what is measured now is not what answers take with few.
                self.deep = None;
                follow(probe)
            }
            _ => {
                let (looks, quickest) = (MEASURE_LOOKS_MAX, None);
                let search = Search::Measure {
                    looks,
                    quickest,
                    probe,
                };
                (probe.few, search)
            }
        }
    }

    /// What comes after a look that measured; so many more may, where answers took longer than they were known to, or none came.
    fn measured(&mut self, looks: u32, quickest: Option<Duration>, probe: Probe) -> (u32, Search) {
        let known = a_quarter_more(self.floor);
        if looks > 0 && quickest.is_none_or(|quickest| quickest > known) {
            let search = Search::Measure {
                looks,
                quickest,
                probe,
            };
            return (probe.few, search);
        }
        let is_slow = quickest.is_none_or(|quickest| quickest > 2 * SLOW_MAX);
        if is_slow && self.are_many_late() && self.strain != Strain::Futile {
            return follow(probe);
        }
        if self.is_deep && (quickest.is_some() || self.someone_waits()) {
            self.deep = quickest;
        }
        // What takes longer with many in flight than with few is the path that they fill, not the BMCs.
        let longest = self.deep.map_or(Duration::MAX, a_quarter_more);
        self.floor = quickest.map_or(self.floor, |quickest| quickest.min(longest));
        // BMCs that take long with few in flight don't wait for each other.
        let back_to = match self.floor > 2 * SLOW_MAX {
            true => probe.back_to.max(LIMIT_MIN),
            false => probe.back_to,
        };
        follow(Probe { back_to, ..probe })
    }

    /// Whether this probe has fewer commands in flight than what is known of the BMCs calls for.
    fn is_deeper(&self) -> bool {
        self.is_deep && self.floor > QUICK_MAX
    }

    /// Whether so many answers come late that the others, where they are slow too, say little: the queue in which all stand is still
    /// full. A network that loses some makes nobody slow.
    const fn are_many_late(&self) -> bool {
        let (in_time, late) = self.recent;
        late > in_time / 3
    }

    /// Says whether answers come in time, after a look with these.
    fn judge(&mut self, answers: Answers) {
        let fade = |sum: u32, new: u32| (sum - sum.div_ceil(4)).saturating_add(new);
        self.recent.0 = fade(self.recent.0, answers.in_time());
        self.recent.1 = fade(self.recent.1, answers.late);
        let (in_time, late) = self.recent;
        // Of a network that loses three of ten datagrams each way, half of the answers come late.
        let mostly_late = late / 2 > in_time;
        // The others were lucky: they came just before they would have been asked for again. A path that only some BMCs share is told
        // by its late answers alone.
        let are_slow = answers.quickest().is_some_and(|after| after > 2 * SLOW_MAX);
        let nearly_late = late > in_time / 8 && are_slow;
        let are_late = (mostly_late || nearly_late) && late >= LATE_ANSWERS_MIN;
        // With few places few answers come, too few to begin with.
        let still_late = self.strain != Strain::None && late / 2 >= in_time;
        self.strain = match self.strain {
            _ if !are_late && !still_late => Strain::None,
            Strain::None => Strain::Overload { looks: 0 },
            Strain::Overload { looks } if looks >= FUTILE_LOOKS => Strain::Futile,
            Strain::Overload { looks } => Strain::Overload {
                looks: looks + u32::from(self.limit <= LIMIT_FEWEST),
            },
            Strain::Futile => Strain::Futile,
        };
    }

    /// Few enough places to learn how fast answers can be. A path that is slow since so many fill it looks like BMCs that are: so
    /// every other time they are as few as do for quick ones.
    fn few(&self) -> u32 {
        let few = match self.floor <= QUICK_MAX || self.is_deep {
            true => PLACES_A_MS,
            false => LIMIT_MIN,
        };
        match self.limit >= few {
            true => few,
            false => (self.limit / 4).max(LIMIT_FEWEST),
        }
    }

    /// So many places do where answers take no longer than with few commands in flight.
    fn enough(&self) -> u32 {
        let ms = u32::try_from(self.floor.as_micros().div_ceil(1_000)).unwrap_or(u32::MAX);
        ms.saturating_mul(PLACES_A_MS).clamp(PLACES_A_MS, LIMIT_MIN)
    }

    /// So many places there are however slow answers are. After an overload it is known that fewer do.
    fn least(&self, answers: Answers) -> u32 {
        let enough = self.enough();
        match self.limit {
            // The others may have nothing to do just now.
            ..=LIMIT_MIN if answers.are_of_slow() => self.limit,
            _ if answers.are_of_slow() => LIMIT_MIN,
            limit if limit >= enough => enough,
            PLACES_A_MS.. => PLACES_A_MS,
            _ => LIMIT_FEWEST,
        }
    }

    /// Takes these answers for what they can be, where they are quicker.
    fn gather(&mut self, answers: Answers) {
        let (gathered, looks) = &mut self.gathered;
        gathered.sum += answers.told().sum;
        gathered.count += answers.told().count;
        *looks += 1;
        let is_enough = gathered.count >= FLOOR_ANSWERS_MIN && *looks >= FLOOR_LOOKS_MIN;
        if is_enough || self.floor == Duration::MAX {
            let (gathered, _) = std::mem::take(&mut self.gathered);
            self.floor = self.floor.min(gathered.mean().unwrap_or(self.floor));
        }
    }

    /// The limit after a look with these answers.
    fn followed(
        &mut self,
        now: Instant,
        answers: Answers,
        someone_waits: bool,
        inside: u32,
    ) -> u32 {
        let mean = answers.told().mean();
        self.gather(answers);
        let fewer = self.limit - self.limit / 8;
        if self.are_overloaded() {
            return fewer.max(LIMIT_FEWEST);
        }
        let slack = self.floor.clamp(SLACK_MIN, SLACK_MAX);
        let slow = self.floor.saturating_mul(2).saturating_add(slack);
        let slow = slow.min(SLOW_MAX).max(a_quarter_more(self.floor));
        if let Some(mean) = mean.filter(|mean| *mean > slow) {
            // Where nobody is kept outside it is not the limit that fills the path; unless fewer are for the caches' sake.
            let is_reached = someone_waits || inside >= self.limit;
            return match is_reached || mean <= QUICK_MAX {
                true => fewer.max(self.least(answers)),
                false => self.limit,
            };
        }
        // Where nobody answers, more places would only bring more commands on their way.
        let someone_answers = mean.is_some() || answers.late > 0;
        let wants_more = someone_waits || self.limit < self.enough();
        if !wants_more || !someone_answers || now < self.grows_at {
            return self.limit;
        }
        self.grows_at = now + mean.unwrap_or(GROWS_AFTER_MAX).min(GROWS_AFTER_MAX);
        (self.limit + self.limit / 8).min(self.limit_max)
    }

    /// How many slots may be inside, are, and wait, at this stage.
    pub(crate) fn places(&self, stage: Stage) -> Places {
        self.gates[stage as usize].places()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: u32 = 50_000;

    /// The largest limit of the last half of a minute in which many wait, with a path that gives `per_s` answers a second and needs `alone`
    /// for each; and the mean time to an answer.
    fn settled(per_s: f64, alone: Duration) -> (u32, Duration) {
        settled_from(Duration::MAX, per_s, alone)
    }

    /// The same of gates that took this time for that of few commands.
    fn settled_from(floor: Duration, per_s: f64, alone: Duration) -> (u32, Duration) {
        let mut gates = Gates::new(Instant::ORIGIN, SLOTS, SLOTS);
        gates.floor = floor;
        for slot in 0..SLOTS {
            gates.enter(Stage::Round, Lane::Quick, slot);
        }
        let mut now = Instant::ORIGIN;
        let (mut after, mut most) = (alone, 0);
        for look in 0..600 {
            now = now + LOOK_EVERY;
            let inside = f64::from(gates.places(Stage::Round).limit);
            after = alone.max(Duration::from_secs_f64(inside / per_s));
            if look >= 300 {
                most = most.max(gates.limit);
            }
            gates.answered(Lane::Quick, after);
            gates.look(now);
            // Rounds end and others take their place; the queue never empties.
            let inside = gates.places(Stage::Round).limit;
            gates.gates[2].set_inside(inside);
        }
        (most, after)
    }

    #[test]
    fn a_full_path_is_not_taken_for_slow_bmcs_however_slow_it_is_or_was_for_a_moment() {
        for per_s in [10_000.0, 20_000.0, 40_000.0, 84_000.0, 200_000.0] {
            for floor in [Duration::MAX, Duration::from_millis(30)] {
                let (limit, after) = settled_from(floor, per_s, Duration::from_micros(100));
                assert!(limit <= 1_500, "{limit}, {per_s}/s, {floor:?}");
                let first = Duration::from_secs_f64(f64::from(LIMIT_MIN) / per_s);
                let longest = a_quarter_more(first.max(Duration::from_millis(24)));
                assert!(after < longest, "{after:?}, {per_s}/s, {floor:?}");
            }
        }
    }

    #[test]
    fn a_fast_path_that_is_full_is_not_filled_further() {
        let (limit, after) = settled(200_000.0, Duration::from_micros(100));
        assert!((PLACES_A_MS..1_500).contains(&limit), "{limit}");
        assert!(after < Duration::from_millis(7), "{after:?}");
    }

    /// The longest that answers were ever taken for where they take a millisecond, but for what comes at the looks that `is_late` names,
    /// as the thread stood still so long; and how often it did.
    fn taken_for(stall: Duration, is_late: impl Fn(Search) -> bool) -> (Duration, u32) {
        let alone = Duration::from_millis(1);
        let mut gates = Gates::new(Instant::ORIGIN, SLOTS, SLOTS);
        for slot in 0..SLOTS {
            gates.enter(Stage::Round, Lane::Quick, slot);
        }
        let (mut now, mut stalls, mut longest) = (Instant::ORIGIN, 0, alone);
        for _ in 0..600 {
            let stands_still = gates.floor < Duration::MAX && is_late(gates.search);
            stalls += u32::from(stands_still);
            let after = if stands_still { stall } else { alone };
            now = now + LOOK_EVERY.max(after);
            gates.answered(Lane::Quick, after);
            gates.look(now);
            longest = longest.max(gates.floor);
            let inside = gates.places(Stage::Round).limit;
            gates.gates[2].set_inside(inside);
        }
        (longest, stalls)
    }

    #[test]
    fn a_machine_that_stands_still_while_it_is_measured_does_not_make_its_bmcs_slow() {
        for ms in [14, 24, 150, 400] {
            let stall = Duration::from_millis(ms);
            let (longest, stalls) = taken_for(
                stall,
                |search| matches!(search, Search::Measure { looks, .. } if looks == MEASURE_LOOKS_MAX),
            );
            assert!(stalls > 5, "{stalls}");
            assert_eq!(longest, Duration::from_millis(1), "{stall:?}");
        }
        // One that always does is slow.
        let stall = Duration::from_millis(24);
        let (longest, _) = taken_for(stall, |search| matches!(search, Search::Measure { .. }));
        assert_eq!(longest, stall);
    }

    #[test]
    fn a_deep_probe_of_what_does_not_end_soon_is_given_up_and_says_nothing() {
        let long = Duration::from_millis(150);
        let mut gates = Gates::new(Instant::ORIGIN, SLOTS, SLOTS);
        gates.floor = long;
        gates.deep = Some(Duration::from_millis(1));
        for slot in 0..SLOTS {
            gates.enter(Stage::Round, Lane::Quick, slot);
        }
        let (mut now, mut given_up) = (Instant::ORIGIN, 0);
        for _ in 0..600 {
            let before = gates.search;
            now = now + LOOK_EVERY;
            gates.answered(Lane::Quick, long);
            gates.look(now);
            match (gates.is_deep, gates.search) {
                (true, Search::Drain { looks, .. }) => assert!(looks <= DEEP_DRAIN_LOOKS_MAX),
                (true, Search::Measure { .. }) => panic!("with more than a few"),
                (true, Search::Follow { .. }) if matches!(before, Search::Drain { .. }) => {
                    given_up += 1;
                    assert_eq!((gates.deep, gates.floor), (None, long));
                }
                _ => {}
            }
        }
        assert!(given_up > 3, "{given_up}");
    }

    #[test]
    fn bmcs_that_take_long_for_an_answer_are_asked_in_greater_number() {
        let (limit, _) = settled(1e9, Duration::from_millis(100));
        assert_eq!(limit, SLOTS);
    }

    #[test]
    fn the_limit_recovers_when_answers_become_slow_for_good() {
        let mut gates = Gates::new(Instant::ORIGIN, SLOTS, SLOTS);
        for slot in 0..SLOTS {
            gates.enter(Stage::Round, Lane::Quick, slot);
        }
        let mut now = Instant::ORIGIN;
        for look in 0..600 {
            now = now + LOOK_EVERY;
            gates.answered(
                Lane::Quick,
                Duration::from_millis(if look < 100 { 1 } else { 50 }),
            );
            gates.look(now);
            let inside = 0;
            gates.gates[2].set_inside(inside);
        }
        assert!(gates.limit > 10_000, "{}", gates.limit);
    }
}
