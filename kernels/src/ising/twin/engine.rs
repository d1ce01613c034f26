//! What does the steps of some replicas at once, and what drives it: looks, the best so far, deadlines.

use super::super::device::Watch;
use super::super::job::{Answer, Job, Point, Replica, Seen, Stopped};
use super::super::philox::Random;
use super::super::problem::Problem;
use super::block::Block;
use std::time::{Duration, Instant};

/// Some replicas, side by side, of one problem and plan.
pub(super) trait Engine: Send {
    /// How many replicas it does at once.
    fn lanes(&self) -> usize;

    /// Begins with this replica and those behind it.
    fn start(&mut self, problem: &Problem, random: Random, first: u32);

    /// Does these steps.
    fn advance(&mut self, problem: &Problem, from: u32, to: u32);

    /// Shows the spins.
    fn show(&mut self, problem: &Problem, block: &mut Block);

    /// The energies of the spins that were shown last, exactly.
    fn energies(&mut self, problem: &Problem, shown: &Block, energies: &mut [i64]) {
        shown.energies(problem, energies);
    }
}

/// The best of one replica so far.
#[derive(Clone, Copy)]
struct Best {
    energy: i64,
    seen: Seen,
    target: Option<Seen>,
}

/// Solves a job with an engine, group of replicas after group.
pub(super) fn solve(
    problem: &Problem,
    job: &Job,
    engine: &mut dyn Engine,
    watch: &Watch,
    submitted: Instant,
) -> Answer {
    let mut running = Running {
        job,
        watch,
        submitted,
        replicas: Vec::with_capacity(job.replicas as usize),
        trajectory: Vec::new(),
        stopped: Stopped::Done,
    };
    let lanes = engine.lanes();
    let mut now = Block::new(problem.sites(), lanes);
    let mut best = now.clone();
    for first in (0..job.replicas).step_by(lanes) {
        if running.is_over() {
            break;
        }
        running.group(problem, engine, first, &mut now, &mut best);
    }
    let (replicas, trajectory, stopped) = (running.replicas, running.trajectory, running.stopped);
    Answer { replicas, trajectory, stopped, elapsed: submitted.elapsed() }
}

struct Running<'a> {
    job: &'a Job,
    watch: &'a Watch,
    submitted: Instant,
    replicas: Vec<Replica>,
    trajectory: Vec<Point>,
    stopped: Stopped,
}

impl Running<'_> {
    /// Is it to end before its steps do? Says why, then.
    fn is_over(&mut self) -> bool {
        let reached = |wanted: i64| self.trajectory.last().is_some_and(|best| best.energy <= wanted);
        if self.job.until_target && self.job.target.is_some_and(reached) {
            self.stopped = Stopped::Target;
        } else if self.watch.is_cancelled() {
            self.stopped = Stopped::Cancelled;
        } else if self.job.deadline.is_some_and(|deadline| self.submitted.elapsed() >= deadline) {
            self.stopped = Stopped::Deadline;
        }
        self.stopped != Stopped::Done
    }

    fn group(&mut self, problem: &Problem, engine: &mut dyn Engine, first: u32, now: &mut Block, best: &mut Block) {
        let job = self.job;
        let those = engine.lanes().min((job.replicas - first) as usize);
        engine.start(problem, Random::new(job.seed), job.first + first);
        let nothing = Seen { step: 0, after: Duration::ZERO };
        let mut bests = vec![Best { energy: i64::MAX, seen: nothing, target: None }; those];
        let mut energies = vec![0; engine.lanes()];
        let mut improved = vec![0_u64; now.words()];
        let mut step = 0;
        while step < job.steps {
            let next = (step + job.look_every).min(job.steps);
            engine.advance(problem, step, next);
            step = next;
            engine.show(problem, now);
            engine.energies(problem, now, &mut energies);
            let seen = Seen { step, after: self.submitted.elapsed() };
            improved.fill(0);
            for (lane, (best, energy)) in bests.iter_mut().zip(&energies).enumerate() {
                if *energy < best.energy {
                    improved[lane / 64] |= 1 << (lane % 64);
                    (best.energy, best.seen) = (*energy, seen);
                }
                if best.target.is_none() && job.target.is_some_and(|target| *energy <= target) {
                    best.target = Some(seen);
                }
            }
            best.take(now, &improved);
            if let Some(energy) = energies[..those].iter().copied().min() {
                if self.trajectory.last().is_none_or(|point| energy < point.energy) {
                    self.trajectory.push(Point { energy, seen });
                }
                let whole = u64::from(job.replicas) * u64::from(job.steps);
                let done = u64::from(first) * u64::from(job.steps) + those as u64 * u64::from(step);
                self.watch.tell(done as f64 / whole as f64, energy);
            }
            if step < job.steps && self.is_over() {
                break;
            }
        }
        for (lane, Best { energy, seen, target }) in bests.into_iter().enumerate() {
            self.replicas.push(Replica { spins: best.replica(lane), energy, best: seen, target });
        }
    }
}
