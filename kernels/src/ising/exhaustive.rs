//! All states of a small problem: the truth that solvers are held against.

use super::job::Spins;
use super::problem::Problem;

/// Most sites: 2^29 flips, as a state and its opposite are one where there are no fields, and 2^30 where there are.
pub const MOST_SITES: usize = 30;

/// The lowest energy, the first spins (by Gray's code, from all down on) that have it, and how many states do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowest {
    /// The energy.
    pub energy: i64,
    /// Spins that have it.
    pub spins: Spins,
    /// Of how many states it is.
    pub states: u64,
}

/// Tries every state, one flip after another.
///
/// Nothing for a problem of more than [`MOST_SITES`] sites.
#[must_use]
pub fn search(problem: &Problem) -> Option<Lowest> {
    let sites = problem.sites();
    if sites > MOST_SITES {
        return None;
    }
    let mut spins = vec![-1_i64; sites];
    let all_down = vec![-1_i8; sites];
    let mut felt: Vec<i64> = (0..sites).map(|site| i64::from(problem.felt(site, &all_down))).collect();
    let mut energy = problem.energy(&all_down);
    let (mut lowest, mut states, mut at) = (energy, 1_u64, 0_u64);
    // Without fields the last spin can stay down: the other half are opposites.
    let halved = problem.fields().iter().all(|field| *field == 0);
    for count in 1..1_u64 << if halved { sites - 1 } else { sites } {
        let site = count.trailing_zeros() as usize;
        energy += 2 * spins[site] * felt[site];
        spins[site] = -spins[site];
        for link in problem.links(site) {
            felt[link.to as usize] += 2 * i64::from(link.coupling) * spins[site];
        }
        if energy < lowest {
            (lowest, states, at) = (energy, 1, count);
        } else if energy == lowest {
            states += 1;
        }
    }
    let code = at ^ at >> 1;
    let spins = (0..sites).map(|site| code >> site & 1 == 1).collect();
    Some(Lowest { energy: lowest, spins, states: if halved { 2 * states } else { states } })
}

#[cfg(test)]
mod tests {
    use super::super::problem::{Meaning, Pair};
    use super::*;

    fn by_hand(problem: &Problem) -> (i64, u64) {
        let energy = |bits: u32| {
            let spins: Vec<i8> = (0..problem.sites()).map(|site| 2 * (bits >> site & 1) as i8 - 1).collect();
            problem.energy(&spins)
        };
        let all: Vec<i64> = (0..1_u32 << problem.sites()).map(energy).collect();
        let lowest = *all.iter().min().unwrap();
        (lowest, all.iter().filter(|energy| **energy == lowest).count() as u64)
    }

    #[test]
    fn every_state_was_seen() {
        for seed in 0..40_i32 {
            let sites = 1 + seed as usize % 9;
            let number = |at: i32| (at * 7919 + seed * 104_729) % 11 - 5;
            let pairs: Vec<Pair> = (0..sites as u32)
                .flat_map(|i| (0..i).map(move |j| Pair { i, j, coupling: number((i * 10 + j) as i32) }))
                .collect();
            let fields: Vec<i32> =
                (0..sites as i32).map(|site| if seed % 3 == 0 { 0 } else { number(site + 500) }).collect();
            let problem = Problem::new(sites, &pairs, &fields, Meaning::Ising).unwrap();
            let found = search(&problem).unwrap();
            assert_eq!((found.energy, found.states), by_hand(&problem), "seed {seed}");
            assert_eq!(problem.energy(&found.spins.signs()), found.energy);
        }
    }

    #[test]
    fn what_would_take_too_long_is_not_begun() {
        let of = |sites| Problem::new(sites, &[], &[], Meaning::Ising).unwrap();
        assert_eq!(search(&of(MOST_SITES + 1)), None);
        assert!(search(&of(20)).is_some());
    }
}
