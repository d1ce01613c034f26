//! From scores to what was met and what was a false alarm, for every threshold at once.
//!
//! A detector gives each event of a book a score. At a threshold it raises an alert at each event whose score is at least that. All
//! alerts between a target's start and its end and grace are one: the target is met, by the first of them. Those that are outside of
//! all targets, or within decoys alone, are false alarms; one that comes within `merge` of a false alarm that was counted is part of
//! it. So a lower threshold never meets fewer targets and never gives fewer false alarms, and the whole of a day is two short lists.

/// Something that was done to the market, or a decoy, and how long an alert of it counts: nanoseconds since midnight, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target<T> {
    /// What it is: what results are grouped by.
    pub what: T,
    /// It only looks like it: an alert is false.
    pub decoy: bool,
    /// When it begins.
    pub from: u64,
    /// The last moment at which an alert is of it.
    pub until: u64,
}

/// The first event of a target at which the score came so high.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Reach {
    /// The score: higher than that of all events of the target before it.
    pub score: f32,
    /// Events of the book between the target's start and this one.
    pub events: u32,
    /// Nanoseconds from the target's start to it.
    pub ns: u64,
}

/// A target, and the thresholds at which it is met.
#[derive(Clone, PartialEq, Debug)]
pub struct Met<T> {
    /// What it is.
    pub what: T,
    /// It is a decoy.
    pub decoy: bool,
    /// Ascending, in scores as in time.
    pub reached: Vec<Reach>,
}

impl<T> Met<T> {
    /// The highest threshold at which it is met; `None`: at none, for no event was in it.
    #[must_use]
    pub fn highest(&self) -> Option<f32> {
        self.reached.last().map(|reach| reach.score)
    }

    /// The first alert of it at this threshold; `None`: it is missed.
    #[must_use]
    pub fn at(&self, threshold: f32) -> Option<Reach> {
        let first = self.reached.partition_point(|reach| reach.score < threshold);
        self.reached.get(first).copied()
    }
}

/// A day of one detector: which targets it meets and how many false alarms it gives, at every threshold.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged<T> {
    /// For how long it watched, of how many books together: symbol-hours.
    pub hours: f64,
    /// Targets and decoys, in their order.
    pub met: Vec<Met<T>>,
    /// Descending: the n-th is the highest threshold at which there are n false alarms or more.
    pub false_alarms: Vec<f32>,
    /// At lower thresholds than this there are more of them than were asked for, and the list does not say how many.
    pub floor: f32,
}

impl<T> Judged<T> {
    /// Adds another book of the same day.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.hours += other.hours;
        self.met.extend(other.met);
        self.false_alarms.extend(other.false_alarms);
        self.false_alarms.sort_by(|a, b| b.total_cmp(a));
        self.floor = self.floor.max(other.floor);
        self
    }

    /// Was there a score at all?
    #[must_use]
    pub fn is_scored(&self) -> bool {
        let met = self.met.iter().any(|met| met.highest().is_some());
        met || !self.false_alarms.is_empty() || self.floor > f32::NEG_INFINITY
    }

    /// False alarms at this threshold, which is not below the [floor](Self::floor).
    #[must_use]
    pub fn false_alarms_at(&self, threshold: f32) -> usize {
        self.false_alarms.partition_point(|score| *score >= threshold)
    }
}

/// How days are judged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rules {
    /// False alarms within so many nanoseconds of one that was counted are part of it.
    pub merge: u64,
    /// So many false alarms of a book are told apart by threshold. More than are ever asked for: to count all costs much.
    pub most: usize,
}

impl Rules {
    /// Judges the scores of a book's events, which are stamped in nanoseconds since midnight and in order, over `hours` hours. A score that
    /// is no number raises nothing.
    ///
    /// # Panics
    /// There must be a score for each stamp.
    #[must_use]
    pub fn judge<T: Copy>(&self, stamps: &[u64], scores: &[f32], targets: &[Target<T>], hours: f64) -> Judged<T> {
        assert_eq!(stamps.len(), scores.len(), "a score for each stamp");
        let met = targets.iter().map(|target| meet(stamps, scores, target)).collect();
        let (false_alarms, floor) = Outside::new(stamps, scores, targets, self.merge).by_threshold(self.most);
        Judged { hours, met, false_alarms, floor }
    }
}

fn meet<T: Copy>(stamps: &[u64], scores: &[f32], target: &Target<T>) -> Met<T> {
    let first = stamps.partition_point(|at| *at < target.from);
    let mut reached: Vec<Reach> = Vec::new();
    let of_it = stamps.iter().zip(scores).skip(first).take_while(|(at, _)| **at <= target.until);
    for (events, (at, &score)) in (0..).zip(of_it) {
        if reached.last().map_or(!score.is_nan(), |last| score > last.score) {
            reached.push(Reach { score, events, ns: at - target.from });
        }
    }
    Met { what: target.what, decoy: target.decoy, reached }
}

/// Events of a block, of which the highest score is kept.
const BLOCK: usize = 64;

/// What is outside of all targets.
struct Outside {
    scores: Vec<f32>,
    /// Of each event the first one behind it that is no part of its alarm.
    next: Vec<usize>,
    /// The highest score of each block of events.
    highest: Vec<f32>,
}

impl Outside {
    fn new<T>(stamps: &[u64], scores: &[f32], targets: &[Target<T>], merge: u64) -> Self {
        let mut inside: Vec<(u64, u64)> =
            targets.iter().filter(|one| !one.decoy).map(|one| (one.from, one.until)).collect();
        inside.sort_unstable();
        let mut first = inside.as_slice();
        let mut covered = None;
        let (mut kept, mut at) = (Vec::new(), Vec::new());
        for (&stamp, &score) in stamps.iter().zip(scores) {
            while let Some((&(from, until), rest)) = first.split_first().filter(|((from, _), _)| *from <= stamp) {
                debug_assert!(from <= stamp);
                covered = covered.max(Some(until));
                first = rest;
            }
            if covered.is_none_or(|until| stamp > until) {
                kept.push(score);
                at.push(stamp);
            }
        }
        let mut behind = 0;
        let next = at
            .iter()
            .map(|stamp| {
                while at.get(behind).is_some_and(|other| other - stamp <= merge) {
                    behind += 1;
                }
                behind
            })
            .collect();
        let highest = kept.chunks(BLOCK).map(|block| block.iter().copied().fold(f32::NEG_INFINITY, f32::max)).collect();
        Outside { scores: kept, next, highest }
    }

    /// The first event from `from` on whose score is at least `threshold`.
    fn find(&self, from: usize, threshold: f32) -> Option<usize> {
        let hit = |range: std::ops::Range<usize>| {
            let found = self.scores.get(range.clone())?.iter().position(|score| *score >= threshold)?;
            Some(range.start + found)
        };
        let end = |block: usize| ((block + 1) * BLOCK).min(self.scores.len());
        let block = from / BLOCK;
        if let Some(found) = hit(from..end(block).max(from)) {
            return Some(found);
        }
        let blocks = self.highest.get(block + 1..)?;
        let block = block + 1 + blocks.iter().position(|highest| *highest >= threshold)?;
        hit(block * BLOCK..end(block))
    }

    /// False alarms at a threshold: each takes with it what comes within `merge` of it. `None`: there are more than `most`.
    fn count(&self, threshold: f32, most: usize) -> Option<usize> {
        let mut count = 0;
        let mut from = 0;
        while let Some(at) = self.find(from, threshold) {
            count += 1;
            if count > most {
                return None;
            }
            from = self.next[at];
        }
        Some(count)
    }

    /// See [`Judged::false_alarms`] and [`Judged::floor`]. The count falls as the threshold rises, so that of two thresholds with the same
    /// count all in between have it too.
    fn by_threshold(&self, most: usize) -> (Vec<f32>, f32) {
        let mut levels: Vec<f32> = self.scores.iter().copied().filter(|score| !score.is_nan()).collect();
        levels.sort_by(|a, b| b.total_cmp(a));
        levels.dedup();
        let known = levels.partition_point(|level| self.count(*level, most).is_some());
        // Above the first level that is not known all is.
        let floor = levels.get(known).map_or(f32::NEG_INFINITY, |level| level.next_up());
        levels.truncate(known);
        let mut list = Vec::new();
        if let (Some(&highest), Some(&lowest)) = (levels.first(), levels.last()) {
            let count = |level| self.count(level, most).unwrap_or(most);
            list.extend(std::iter::repeat_n(highest, count(highest)));
            self.between(&levels, list.len(), count(lowest), &mut list);
        }
        (list, floor)
    }

    /// Levels are descending; the first has `above` alarms, which are in the list, and the last one `below`.
    fn between(&self, levels: &[f32], above: usize, below: usize, list: &mut Vec<f32>) {
        let last = levels.len() - 1;
        if above == below {
            return;
        }
        if last == 1 {
            list.extend(std::iter::repeat_n(levels[last], below - above));
            return;
        }
        let middle = last / 2;
        let count = self.count(levels[middle], below).unwrap_or(below);
        self.between(&levels[..=middle], above, count, list);
        self.between(&levels[middle..], count, below, list);
    }
}
