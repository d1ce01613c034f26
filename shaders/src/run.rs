//! A job, group of replicas after group, submission after submission.

use crate::engine::{Engine, Group};
use crate::pace::Pace;
use firelane_kernels::ising::device::{Fault, Watch};
use firelane_kernels::ising::job::{Answer, Job, Seen};
use firelane_kernels::ising::plan::Plan;
use firelane_kernels::ising::problem::Problem;
use firelane_kernels::ising::tally::{Best, Tally};
use std::time::{Duration, Instant};

/// Does a job.
pub(crate) fn solve(
    engine: &mut Engine,
    job: &Job,
    plan: &Plan,
    watch: &Watch,
    submitted: Instant,
) -> Result<Answer, Fault> {
    let mut running = Running { job, tally: Tally::new(job, watch, submitted) };
    let mut first = 0;
    while first < job.replicas && !running.tally.is_over() {
        let group = engine.group(job, plan, first)?;
        running.group(engine, plan, &group, first)?;
        first += group.replicas;
    }
    let answer = running.tally.answer();
    checked(engine.problem()?, &answer)?;
    Ok(answer)
}

/// An adapter that errs is found out: the energy of the best replica is reckoned once more, from its spins.
fn checked(problem: &Problem, answer: &Answer) -> Result<(), Fault> {
    let Some(best) = answer.best() else { return Ok(()) };
    let energy = problem.energy(&best.spins.signs());
    if energy == best.energy {
        return Ok(());
    }
    let said = best.energy;
    Err(Fault::Device(format!("it errs: it found spins of energy {energy}, and says {said}; don't trust its answers")))
}

/// Twice minus an energy, in two words.
fn energy(words: &[u32]) -> i64 {
    -((u64::from(words[1]) << 32 | u64::from(words[0])) as i64) / 2
}

struct Running<'a> {
    job: &'a Job,
    tally: Tally<'a>,
}

impl Running<'_> {
    fn group(&mut self, engine: &mut Engine, plan: &Plan, group: &Group, first: u32) -> Result<(), Fault> {
        let job = self.job;
        let mut bests = vec![Best::default(); group.replicas as usize];
        let mut pace = Pace::new(job.until_target);
        let (mut step, mut last) = (0, job.steps);
        let mut spins = None;
        while step < last {
            let time = job.deadline.map(|deadline| deadline.saturating_sub(self.tally.elapsed()));
            let steps = pace.steps(&group.load, engine.rate(group)?, last - step, time);
            let begun = self.tally.elapsed();
            let found = engine.advance(group, plan, step..step + steps, last)?;
            self.look(&mut bests, group, &found.looks, step..step + steps, last, [begun, self.tally.elapsed()]);
            step += steps;
            spins = found.spins;
            self.tally.tell(first, group.replicas, step);
            if step < last && self.tally.is_over() {
                // What was never looked at has no answer: one step more, and a look.
                last = if step < job.look_every { step + 1 } else { step };
            }
        }
        let spins = match spins {
            Some(spins) => spins,
            None => engine.spins(group)?,
        };
        let sites = engine.problem()?.sites();
        for (number, best) in bests.into_iter().enumerate() {
            let up = |site: usize| spins[group.word(number, site / 32)] >> (site % 32) & 1 == 1;
            self.tally.keep(best, (0..sites).map(up).collect());
        }
        Ok(())
    }

    /// What the looks of a submission saw. An adapter has no clock that is ours: its steps are taken to be evenly spread between `times`.
    fn look(
        &mut self,
        bests: &mut [Best],
        group: &Group,
        looks: &[u32],
        steps: std::ops::Range<u32>,
        last: u32,
        times: [Duration; 2],
    ) {
        let share = |step: u32| f64::from(step - steps.start) / f64::from(steps.end - steps.start);
        let replicas = group.replicas as usize;
        let looked = group.looks(steps.clone(), last);
        for (step, energies) in looked.zip(looks.chunks_exact(2 * replicas)) {
            let seen = Seen { step, after: times[0] + (times[1] - times[0]).mul_f64(share(step)) };
            self.tally.look(bests, energies.chunks_exact(2).map(energy), seen, |_| {});
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_kernels::ising::job::{Replica, Spins, Stopped};
    use firelane_kernels::ising::problem::{Meaning, Pair};

    #[test]
    fn two_words_are_twice_minus_an_energy() {
        for wanted in [0, 1, -1, 7 << 40, -7 << 40] {
            let twice = -2 * wanted;
            assert_eq!(energy(&[twice as u32, (twice as u64 >> 32) as u32]), wanted);
        }
    }

    #[test]
    fn an_adapter_that_errs_is_found_out() {
        let problem = Problem::new(2, &[Pair { i: 0, j: 1, coupling: 3 }], &[], Meaning::Ising).unwrap();
        let seen = Seen { step: 1, after: Duration::ZERO };
        let replica = Replica { spins: Spins::down(2), energy: -3, best: seen, target: None };
        let mut answer =
            Answer { replicas: vec![replica], trajectory: Vec::new(), stopped: Stopped::Done, elapsed: Duration::ZERO };
        assert_eq!(checked(&problem, &answer), Ok(()));
        answer.replicas[0].energy = -4;
        assert!(checked(&problem, &answer).unwrap_err().to_string().contains("energy -3, and says -4"));
    }
}
