//! Spins one replica at a time, with what each of them feels kept up to date: most sweeps flip few.

use super::super::philox::Random;
use super::super::plan::{self, Logarithms, Temperature};
use super::super::problem::Problem;
use super::block::Block;

/// Spins, and what each of them feels, kept up to date flip by flip.
#[derive(Clone, Default)]
pub(super) struct Feeling {
    spins: Vec<i32>,
    felt: Vec<i32>,
}

impl Feeling {
    pub(super) fn start(&mut self, problem: &Problem, random: Random, part: u32, replica: u32) {
        let up = (0..problem.sites()).map(|site| plan::starts_up(random, part, replica, site as u32));
        self.spins = up.map(|up| if up { 1 } else { -1 }).collect();
        let felt =
            |site| problem.links(site).iter().map(|link| link.coupling * self.spins[link.to as usize]).sum::<i32>();
        self.felt = (0..problem.sites()).map(|site| problem.fields()[site] + felt(site)).collect();
    }

    pub(super) fn spin(&self, site: usize) -> i32 {
        self.spins[site]
    }

    /// Half of what it would cost to flip this one.
    pub(super) fn against(&self, site: usize) -> i32 {
        self.spins[site] * self.felt[site]
    }

    pub(super) fn flip(&mut self, problem: &Problem, site: usize) {
        self.spins[site] = -self.spins[site];
        let change = 2 * self.spins[site];
        for link in problem.links(site) {
            self.felt[link.to as usize] += link.coupling * change;
        }
    }

    /// Every site once, in order: a flip is done if the temperature allows its cost.
    pub(super) fn sweep(
        &mut self,
        problem: &Problem,
        temperature: Temperature,
        logarithms: &Logarithms,
        eights: impl Fn(u32) -> [u16; 8],
    ) {
        for block in 0..problem.sites().div_ceil(8) {
            let eight = eights(block as u32);
            for (site, random) in (8 * block..problem.sites()).zip(eight) {
                let against = self.against(site);
                if against <= 0 || against <= temperature.allows(logarithms, random) {
                    self.flip(problem, site);
                }
            }
        }
    }

    pub(super) fn energy(&self, problem: &Problem) -> i64 {
        let twice = self
            .spins
            .iter()
            .zip(&self.felt)
            .zip(problem.fields())
            .map(|((spin, felt), field)| i64::from(*spin) * (i64::from(*felt) + i64::from(*field)));
        -twice.sum::<i64>() / 2
    }

    pub(super) fn show(&self, block: &mut Block) {
        for (site, spin) in self.spins.iter().enumerate() {
            block.site_mut(site)[0] = u64::from(*spin > 0);
        }
    }
}
