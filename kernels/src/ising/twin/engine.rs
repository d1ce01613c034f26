//! What does the steps of some replicas at once, and what drives it.

use super::super::device::Watch;
use super::super::job::{Answer, Job, Seen};
use super::super::philox::Random;
use super::super::problem::Problem;
use super::super::tally::{Best, Tally};
use super::block::Block;
use std::time::Instant;

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

/// Solves a job with an engine, group of replicas after group.
pub(super) fn solve(
    problem: &Problem,
    job: &Job,
    engine: &mut dyn Engine,
    watch: &Watch,
    submitted: Instant,
) -> Answer {
    let mut tally = Tally::new(job, watch, submitted);
    let lanes = engine.lanes();
    let mut now = Block::new(problem.sites(), lanes);
    let mut best = now.clone();
    for first in (0..job.replicas).step_by(lanes) {
        if tally.is_over() {
            break;
        }
        group(problem, job, engine, &mut tally, first, &mut now, &mut best);
    }
    tally.answer()
}

/// The replicas that the engine does at once, from this one on.
fn group(
    problem: &Problem,
    job: &Job,
    engine: &mut dyn Engine,
    tally: &mut Tally<'_>,
    first: u32,
    now: &mut Block,
    best: &mut Block,
) {
    let those = engine.lanes().min((job.replicas - first) as usize);
    engine.start(problem, Random::new(job.seed), job.first + first);
    let mut bests = vec![Best::default(); those];
    let mut energies = vec![0; engine.lanes()];
    let mut improved = vec![0_u64; now.words()];
    let mut step = 0;
    while step < job.steps {
        let next = (step + job.look_every).min(job.steps);
        engine.advance(problem, step, next);
        step = next;
        engine.show(problem, now);
        engine.energies(problem, now, &mut energies);
        let seen = Seen { step, after: tally.elapsed() };
        improved.fill(0);
        tally.look(&mut bests, energies.iter().copied(), seen, |lane| improved[lane / 64] |= 1 << (lane % 64));
        best.take(now, &improved);
        tally.tell(first, those as u32, step);
        if step < job.steps && tally.is_over() {
            break;
        }
    }
    for (lane, of_lane) in bests.into_iter().enumerate() {
        tally.keep(of_lane, best.replica(lane));
    }
}
