//! Replicas of several parts: the rungs of a ladder of temperatures, and the slices of a ring.

use super::super::philox::{Random, Use};
use super::super::plan::{Exchange, Logarithms, Temperature};
use super::super::problem::Problem;
use super::block::Block;
use super::engine::Engine;
use super::feeling::Feeling;

/// Parallel tempering: Hukushima and Nemoto, *J. Phys. Soc. Jpn.* 65, 1604 (1996). After each sweep of all rungs, neighbours exchange
/// their spins as Metropolis would: even pairs after even sweeps, odd pairs after odd ones.
pub(super) struct Tempered {
    temperatures: Vec<Temperature>,
    exchanges: Vec<Exchange>,
    logarithms: Logarithms,
    /// The coldest first.
    rungs: Vec<Feeling>,
    random: Random,
    replica: u32,
}

impl Tempered {
    pub(super) fn new(temperatures: &[Temperature], exchanges: &[Exchange]) -> Self {
        Tempered {
            temperatures: temperatures.to_vec(),
            exchanges: exchanges.to_vec(),
            logarithms: Logarithms::default(),
            rungs: vec![Feeling::default(); temperatures.len()],
            random: Random::new(0),
            replica: 0,
        }
    }

    fn exchange(&mut self, problem: &Problem, step: u32) {
        for (low, exchange) in self.exchanges.iter().enumerate().skip(step as usize % 2).step_by(2) {
            // What the colder rung would gain.
            let gain = self.rungs[low].energy(problem) - self.rungs[low + 1].energy(problem);
            let against = -(i128::from(gain) * i128::from(exchange.weight)) >> 24;
            let random = self.random.eight(Use::Exchange, self.replica, step, low as u32 / 8)[low % 8];
            if against <= i128::from(self.logarithms.of(random)) {
                self.rungs.swap(low, low + 1);
            }
        }
    }
}

impl Engine for Tempered {
    fn lanes(&self) -> usize {
        1
    }

    fn start(&mut self, problem: &Problem, random: Random, first: u32) {
        (self.random, self.replica) = (random, first);
        for (part, rung) in self.rungs.iter_mut().enumerate() {
            rung.start(problem, random, part as u32, first);
        }
    }

    fn advance(&mut self, problem: &Problem, from: u32, to: u32) {
        for step in from..to {
            for (part, (rung, temperature)) in self.rungs.iter_mut().zip(&self.temperatures).enumerate() {
                let eights = |block| self.random.eight_of(Use::Flip, part as u32, self.replica, step, block);
                rung.sweep(problem, *temperature, &self.logarithms, eights);
            }
            self.exchange(problem, step);
        }
    }

    /// Those of the best rung: it need not be the coldest.
    fn show(&mut self, problem: &Problem, block: &mut Block) {
        if let Some(best) = self.rungs.iter().min_by_key(|rung| rung.energy(problem)) {
            best.show(block);
        }
    }
}

/// Simulated quantum annealing: Kadowaki and Nishimori, *Phys. Rev. E* 58, 5355 (1998), as a path integral of discrete slices (Santoro et al.,
/// *Science* 295, 2427 (2002)). A classical simulation.
pub(super) struct Sliced {
    fraction: u32,
    temperature: Temperature,
    bonds: Vec<i32>,
    logarithms: Logarithms,
    slices: Vec<Feeling>,
    random: Random,
    replica: u32,
}

impl Sliced {
    pub(super) fn new(fraction: u32, slices: u32, temperature: Temperature, bonds: &[i32]) -> Self {
        Sliced {
            fraction,
            temperature,
            bonds: bonds.to_vec(),
            logarithms: Logarithms::default(),
            slices: vec![Feeling::default(); slices as usize],
            random: Random::new(0),
            replica: 0,
        }
    }

    fn sweep(&mut self, problem: &Problem, part: usize, step: u32) {
        let bond = i64::from(self.bonds[step as usize]);
        let (before, after) = ((part + self.slices.len() - 1) % self.slices.len(), (part + 1) % self.slices.len());
        for block in 0..problem.sites().div_ceil(8) {
            let eight = self.random.eight_of(Use::Flip, part as u32, self.replica, step, block as u32);
            for (site, random) in (8 * block..problem.sites()).zip(eight) {
                let [here, before, after] = [part, before, after].map(|slice| self.slices[slice].spin(site));
                let bound = bond * i64::from(here * (before + after));
                let against = (i64::from(self.slices[part].against(site)) << self.fraction) + bound;
                if against <= 0 || against <= i64::from(self.temperature.allows(&self.logarithms, random)) {
                    self.slices[part].flip(problem, site);
                }
            }
        }
    }
}

impl Engine for Sliced {
    fn lanes(&self) -> usize {
        1
    }

    fn start(&mut self, problem: &Problem, random: Random, first: u32) {
        (self.random, self.replica) = (random, first);
        for (part, slice) in self.slices.iter_mut().enumerate() {
            slice.start(problem, random, part as u32, first);
        }
    }

    fn advance(&mut self, problem: &Problem, from: u32, to: u32) {
        for step in from..to {
            for part in 0..self.slices.len() {
                self.sweep(problem, part, step);
            }
        }
    }

    /// Those of the best slice.
    fn show(&mut self, problem: &Problem, block: &mut Block) {
        if let Some(best) = self.slices.iter().min_by_key(|slice| slice.energy(problem)) {
            best.show(block);
        }
    }
}
