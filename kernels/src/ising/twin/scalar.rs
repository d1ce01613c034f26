//! One replica, in scalar Rust: the specification of all that is faster.

use super::super::philox::{Random, Use};
use super::super::plan::{self, Bifurcating, Logarithms, ONE, Temperature};
use super::super::problem::Problem;
use super::block::Block;
use super::engine::Engine;
use super::feeling::Feeling;

fn saturated(value: i32) -> i32 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}

/// The product of two numbers of 16 bits, rounded, without its lower 15 bits.
fn rounded(a: i32, b: i32) -> i32 {
    (a * b + (1 << 14)) >> 15
}

/// Simulated bifurcation: positions, and momenta times the time step.
pub(super) struct Bifurcated {
    plan: Bifurcating,
    positions: Vec<i32>,
    momenta: Vec<i32>,
    /// What the other sites hear of each: its sign, or its position.
    heard: Vec<i32>,
}

impl Bifurcated {
    pub(super) fn new(problem: &Problem, plan: &Bifurcating) -> Self {
        let nothing = vec![0; problem.sites()];
        Bifurcated { plan: plan.clone(), positions: nothing.clone(), momenta: nothing.clone(), heard: nothing }
    }

    fn hear(&self, position: i32) -> i32 {
        if self.plan.discrete { if position >= 0 { 1 } else { -1 } } else { position >> self.plan.deaf }
    }

    /// All sites feel where the others were; then all move.
    fn step(&mut self, problem: &Problem, step: usize) {
        let pull = i32::from(self.plan.pull[step]);
        let whole = if self.plan.discrete { 1 } else { ONE >> self.plan.deaf };
        for site in 0..problem.sites() {
            let links = problem.links(site).iter();
            let field = links
                .fold(problem.fields()[site] * whole, |sum, link| sum + link.coupling * self.heard[link.to as usize]);
            let (position, momentum) = (self.positions[site], self.momenta[site]);
            let pulled = saturated(momentum - rounded(pull, position));
            let momentum = saturated(pulled + self.plan.force.act(field));
            let position = saturated(position + saturated(2 * momentum));
            // A wall that takes all momentum: the paper's rule for both forms.
            let beyond = position.abs() > ONE;
            self.positions[site] = position.clamp(-ONE, ONE);
            self.momenta[site] = if beyond { 0 } else { momentum };
        }
        for site in 0..problem.sites() {
            self.heard[site] = self.hear(self.positions[site]);
        }
    }
}

impl Engine for Bifurcated {
    fn lanes(&self) -> usize {
        1
    }

    fn start(&mut self, _: &Problem, random: Random, first: u32) {
        for block in 0..self.positions.len().div_ceil(4) {
            let four = plan::start(random, first, block as u32);
            for (site, (position, momentum)) in (4 * block..self.positions.len()).zip(four) {
                (self.positions[site], self.momenta[site]) = (position, momentum);
                self.heard[site] = self.hear(position);
            }
        }
    }

    fn advance(&mut self, problem: &Problem, from: u32, to: u32) {
        for step in from..to {
            self.step(problem, step as usize);
        }
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        for (site, position) in self.positions.iter().enumerate() {
            block.site_mut(site)[0] = u64::from(*position >= 0);
        }
    }
}

/// Simulated annealing.
pub(super) struct Annealed {
    temperatures: Vec<Temperature>,
    logarithms: Logarithms,
    feeling: Feeling,
    random: Random,
    replica: u32,
}

impl Annealed {
    pub(super) fn new(temperatures: &[Temperature]) -> Self {
        let (feeling, random) = (Feeling::default(), Random::new(0));
        Annealed { temperatures: temperatures.to_vec(), logarithms: Logarithms::default(), feeling, random, replica: 0 }
    }
}

impl Engine for Annealed {
    fn lanes(&self) -> usize {
        1
    }

    fn start(&mut self, problem: &Problem, random: Random, first: u32) {
        (self.random, self.replica) = (random, first);
        self.feeling.start(problem, random, 0, first);
    }

    fn advance(&mut self, problem: &Problem, from: u32, to: u32) {
        for step in from..to {
            let eights = |block| self.random.eight(Use::Flip, self.replica, step, block);
            self.feeling.sweep(problem, self.temperatures[step as usize], &self.logarithms, eights);
        }
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        self.feeling.show(block);
    }
}
