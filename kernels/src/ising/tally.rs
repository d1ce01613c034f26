//! What the looks of a job have seen: the best of each replica and of all, when targets were reached, and why a job is to end. Whoever
//! makes a device needs it; that it is one for all is why devices end alike.

use super::device::Watch;
use super::job::{Answer, Job, Point, Replica, Seen, Spins, Stopped};
use std::time::{Duration, Instant};

/// The best of one replica so far.
#[derive(Clone, Copy, Debug)]
pub struct Best {
    energy: i64,
    seen: Seen,
    target: Option<Seen>,
}

/// Before the first look.
impl Default for Best {
    fn default() -> Self {
        Best { energy: i64::MAX, seen: Seen { step: 0, after: Duration::ZERO }, target: None }
    }
}

/// Of a job that is being done.
#[derive(Debug)]
pub struct Tally<'a> {
    job: &'a Job,
    watch: &'a Watch,
    submitted: Instant,
    replicas: Vec<Replica>,
    trajectory: Vec<Point>,
    stopped: Stopped,
}

impl<'a> Tally<'a> {
    /// Of this job, which was submitted then.
    #[must_use]
    pub fn new(job: &'a Job, watch: &'a Watch, submitted: Instant) -> Self {
        let replicas = Vec::with_capacity(job.replicas as usize);
        Tally { job, watch, submitted, replicas, trajectory: Vec::new(), stopped: Stopped::Done }
    }

    /// How long ago it was submitted.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.submitted.elapsed()
    }

    /// Is it to end before its steps do? Says why, in the answer, then.
    pub fn is_over(&mut self) -> bool {
        let reached = |wanted: i64| self.trajectory.last().is_some_and(|best| best.energy <= wanted);
        if self.job.until_target && self.job.target.is_some_and(reached) {
            self.stopped = Stopped::Target;
        } else if self.watch.is_cancelled() {
            self.stopped = Stopped::Cancelled;
        } else if self.job.deadline.is_some_and(|deadline| self.elapsed() >= deadline) {
            self.stopped = Stopped::Deadline;
        }
        self.stopped != Stopped::Done
    }

    /// A look at some replicas, energy by energy; `improved` is told the numbers of those that were never so low.
    pub fn look(
        &mut self,
        bests: &mut [Best],
        energies: impl IntoIterator<Item = i64>,
        seen: Seen,
        mut improved: impl FnMut(usize),
    ) {
        let mut lowest = i64::MAX;
        for (number, (best, energy)) in bests.iter_mut().zip(energies).enumerate() {
            if energy < best.energy {
                improved(number);
                (best.energy, best.seen) = (energy, seen);
            }
            if best.target.is_none() && self.job.target.is_some_and(|target| energy <= target) {
                best.target = Some(seen);
            }
            lowest = lowest.min(energy);
        }
        if self.trajectory.last().is_none_or(|point| lowest < point.energy) {
            self.trajectory.push(Point { energy: lowest, seen });
        }
    }

    /// Tells whoever asks: of this group of replicas, so many steps are done, and of all `before` it.
    pub fn tell(&self, before: u32, group: u32, step: u32) {
        let done = f64::from(before) + f64::from(group) * f64::from(step) / f64::from(self.job.steps);
        let best = self.trajectory.last().map_or(i64::MAX, |point| point.energy);
        self.watch.tell(done / f64::from(self.job.replicas), best);
    }

    /// The next replica is done, and its best are these spins.
    pub fn keep(&mut self, best: Best, spins: Spins) {
        let Best { energy, seen, target } = best;
        self.replicas.push(Replica { spins, energy, best: seen, target });
    }

    /// All of it.
    #[must_use]
    pub fn answer(self) -> Answer {
        let elapsed = self.elapsed();
        Answer { replicas: self.replicas, trajectory: self.trajectory, stopped: self.stopped, elapsed }
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::{Algorithm, Progress};
    use super::*;

    fn seen(step: u32) -> Seen {
        Seen { step, after: Duration::from_millis(u64::from(step)) }
    }

    #[test]
    fn looks_keep_the_best_of_each_and_of_all_and_when_a_target_was_reached() {
        let job = Job { target: Some(-5), until_target: true, ..Job::new(Algorithm::ALL[0], 8, 4, 0) };
        let watch = Watch::default();
        let mut tally = Tally::new(&job, &watch, Instant::now());
        let mut bests = vec![Best::default(); 2];
        let mut improved = Vec::new();
        for (step, energies) in [(2, [3, -4]), (4, [-1, -4]), (6, [0, -5])] {
            assert!(!tally.is_over(), "before step {step}");
            tally.look(&mut bests, energies, seen(step), |number| improved.push((step, number)));
            tally.tell(2, 2, step);
        }
        assert!(tally.is_over());
        assert_eq!(improved, [(2, 0), (2, 1), (4, 0), (6, 1)]);
        // Two of four replicas were done before, and these are at six of eight steps.
        assert_eq!(watch.progress(), Progress { done: 3.5 / 4.0, best: Some(-5) });

        for best in bests {
            tally.keep(best, Spins::default());
        }
        let answer = tally.answer();
        assert_eq!(answer.stopped, Stopped::Target);
        let points = answer.trajectory.iter().map(|point| (point.energy, point.seen.step)).collect::<Vec<_>>();
        assert_eq!(points, [(-4, 2), (-5, 6)]);
        let of = |replica: &Replica| (replica.energy, replica.best.step, replica.target.map(|target| target.step));
        assert_eq!(answer.replicas.iter().map(of).collect::<Vec<_>>(), [(-1, 4, None), (-5, 6, Some(6))]);
    }
}
