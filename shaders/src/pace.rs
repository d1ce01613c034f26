//! How much is submitted at once.
//!
//! A job is one submission, unless that would take over 50 ms: then it is cut, so that deadlines and cancellations are kept, that a display
//! which hangs on the same GPU moves, and that no driver takes the GPU for hung. How long it takes is reckoned from how fast the kernel was when it
//! last ran; where the cuts are changes no answer.

use crate::adapter::Sort;
use crate::kernel::Form;
use std::time::Duration;

/// A submission takes about so long at most.
const LONGEST: Duration = Duration::from_millis(50);
/// The first one of a job that is done when it reaches its target; the next are twice as long each.
const FIRST_TO_TARGET: Duration = Duration::from_millis(2);
/// Most steps of a submission: a word of the schedule each.
pub(crate) const MOST_STEPS: u32 = 1 << 16;
/// Most energies that the looks of a submission can find: two words each.
pub(crate) const MOST_SEEN: u32 = 1 << 18;

/// What the steps of a group of replicas are worth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Work of a step of all of them.
    step: f64,
    look_every: u32,
    replicas: u32,
    /// Steps that the adapter can do in one go.
    most_steps: u32,
}

impl Load {
    /// A step of a replica visits so many places. An adapter that is not full is no faster for it.
    pub(crate) fn new(form: Form, sort: Sort, places: usize, replicas: u32, look_every: u32, most_steps: u32) -> Self {
        let full = match (sort, form) {
            (Sort::Software, Form::Annealing) => 64,
            (Sort::Software, _) => 1,
            (_, Form::Annealing) => 16_384,
            _ => 256,
        };
        // A look is about one step more.
        let looked = 1.0 + 1.0 / f64::from(look_every);
        Load { step: places as f64 * f64::from(replicas.max(full)) * looked, look_every, replicas, most_steps }
    }

    /// The work of so many steps.
    pub(crate) fn work(&self, steps: u32) -> f64 {
        self.step * f64::from(steps)
    }
}

/// Work a second of a kernel that has not run yet: less than it will be, so that its first submission is too short rather than too long.
pub(crate) fn guessed(sort: Sort) -> f64 {
    if sort == Sort::Software { 2e7 } else { 1e10 }
}

/// How long submissions are to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    goal: Duration,
}

impl Pace {
    pub(crate) fn new(until_target: bool) -> Self {
        Pace { goal: if until_target { FIRST_TO_TARGET } else { LONGEST } }
    }

    /// How many steps come next, of those that are left; one at least. `time` is left until the deadline.
    pub(crate) fn steps(&mut self, load: &Load, rate: f64, left: u32, time: Option<Duration>) -> u32 {
        let goal = time.map_or(self.goal, |time| time.min(self.goal));
        self.goal = (2 * self.goal).min(LONGEST);
        let of_time = (goal.as_secs_f64() * rate / load.step).max(1.0) as u32;
        let looks = MOST_SEEN / load.replicas;
        left.min(of_time).min(load.most_steps).min(looks.max(1).saturating_mul(load.look_every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(replicas: u32, look_every: u32) -> Load {
        Load::new(Form::Discrete, Sort::Discrete, 1_000, replicas, look_every, MOST_STEPS)
    }

    #[test]
    fn what_takes_less_than_the_goal_is_one_submission() {
        let load = load(512, 100);
        let rate = load.work(2_000) / LONGEST.as_secs_f64();
        assert_eq!(Pace::new(false).steps(&load, rate, 1_999, None), 1_999);
        assert_eq!(Pace::new(false).steps(&load, rate, 4_000, None), 2_000);
        let half = Some(LONGEST / 2);
        assert_eq!(Pace::new(false).steps(&load, rate, 4_000, half), 1_000, "a deadline cuts");
        assert_eq!(Pace::new(false).steps(&load, rate, 4_000, Some(Duration::ZERO)), 1, "something is always done");
    }

    #[test]
    fn a_target_is_looked_for_in_submissions_that_grow() {
        let load = load(512, 100);
        let rate = load.work(1_000) / FIRST_TO_TARGET.as_secs_f64();
        let mut pace = Pace::new(true);
        let steps: Vec<u32> = (0..7).map(|_| pace.steps(&load, rate, u32::MAX, None)).collect();
        assert_eq!(steps, [1_000, 2_000, 4_000, 8_000, 16_000, 25_000, 25_000]);
    }

    #[test]
    fn no_submission_has_more_steps_or_looks_than_there_is_room_for() {
        assert_eq!(Pace::new(false).steps(&load(1, 1_000), 1e30, u32::MAX, None), MOST_STEPS);
        assert_eq!(Pace::new(false).steps(&load(1 << 14, 3), 1e30, u32::MAX, None), 16 * 3);
        assert_eq!(Pace::new(false).steps(&load(MOST_SEEN, 3), 1e30, u32::MAX, None), 3);
    }

    #[test]
    fn few_replicas_are_no_faster_than_a_full_adapter() {
        assert_eq!(load(1, 1).work(1), load(256, 1).work(1));
        assert_eq!(load(512, 1).work(1), 2.0 * load(256, 1).work(1));
    }
}
