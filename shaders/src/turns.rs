//! How often loops turn. Mesa's software adapter ends every loop, without a word, once all loops of a thread have turned so often together
//! (`LP_MAX_TGSI_LOOP_ITERATIONS` in the sources of llvmpipe): submissions to it are cut before that. A loop that does something `n` times turns once more,
//! to find that it is done.

use crate::adapter::Sort;
use crate::kernel::{Form, Kernel};
use crate::layout::{AT_A_TURN, SLICE, slices};
use firelane_kernels::ising::problem::Problem;

/// Turns in a submission to such an adapter. A quarter of what it does is left to compilers, which rearrange loops.
const MOST: u64 = 65_535 / 4 * 3;
/// Of the rounds of random numbers.
const ROUNDS: u64 = 10 + 1;
/// Of 32 spins that become a word.
const SPINS: u64 = 32 + 1;

/// The turns of the thread that has most of them, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turns {
    /// Before the first step and after the last one.
    around: u64,
    step: u64,
    look: u64,
}

/// A step that an adapter can't do in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub(crate) has: u64,
    pub(crate) most: u64,
}

impl Turns {
    pub(crate) fn of(problem: &Problem, kernel: &Kernel) -> Self {
        let sites = problem.sites() as u64;
        let words = sites.div_ceil(32);
        if kernel.form == Form::Annealing {
            let turns = |site| problem.links(site).len().div_ceil(AT_A_TURN) as u64 + 1;
            let fields: u64 = (0..problem.sites()).map(turns).sum();
            let blocks = sites.div_ceil(8);
            return Turns {
                around: words * (2 + 4 * (1 + ROUNDS)) + 2,
                step: 2 + blocks * (2 + ROUNDS) + sites + fields,
                look: sites + 1 + fields + words + 1,
            };
        }
        let threads = u64::from(kernel.threads);
        let (own_sites, own_words) = (sites.div_ceil(threads), words.div_ceil(threads));
        let shown = own_words * (1 + SPINS) + 1;
        let (fields, gathered) = match kernel.form {
            Form::Packed => (own_sites * (words + 1), shown),
            _ => (busiest(problem, kernel.threads as usize) + own_sites, 0),
        };
        Turns {
            around: own_sites * (1 + ROUNDS) + 1 + gathered + 1 + own_sites + 1,
            step: 1 + own_sites + 1 + fields + gathered,
            look: own_sites + 1 + fields + u64::from(kernel.threads.ilog2()) + 1 + shown,
        }
    }

    /// The most steps of a submission.
    pub(crate) fn most_steps(&self, sort: Sort, look_every: u32) -> Result<u32, TooMany> {
        if sort != Sort::Software {
            return Ok(u32::MAX);
        }
        let looks = |steps: u64| steps.min(steps.div_ceil(u64::from(look_every)) + 1);
        let turns = |steps: u64| self.around + steps * self.step + looks(steps) * self.look;
        let fitting = (1..=MOST / self.step).rev().find(|steps| turns(*steps) <= MOST);
        fitting.map(|steps| steps as u32).ok_or(TooMany { has: turns(1), most: MOST })
    }
}

/// Turns of the fields of the sites of the threads that have most: a slice after another goes to the same ones.
fn busiest(problem: &Problem, threads: usize) -> u64 {
    let mut turns = vec![0; threads.div_ceil(SLICE)];
    for (number, (_, places)) in slices(problem).enumerate() {
        let warp = number % turns.len();
        turns[warp] += (places / AT_A_TURN) as u64;
    }
    turns.into_iter().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_kernels::ising::problem::{Meaning, Pair};

    #[test]
    fn a_submission_to_a_software_adapter_ends_before_its_loops_do() {
        let turns = Turns { around: 35, step: 90, look: 100 };
        assert_eq!(turns.most_steps(Sort::Discrete, 10), Ok(u32::MAX));
        let of = |steps: u64, looks: u64| 35 + 90 * steps + 100 * looks;
        assert_eq!(turns.most_steps(Sort::Software, 10), Ok(490));
        assert!(of(490, 50) <= MOST && of(491, 51) > MOST, "49 looks in 490 steps, and one at the end");
        assert_eq!(turns.most_steps(Sort::Software, 1), Ok(258));
        assert!(of(258, 258) <= MOST && of(259, 259) > MOST);
        let most = Turns { around: 0, step: MOST - 10, look: 10 };
        assert_eq!(most.most_steps(Sort::Software, 1), Ok(1));
        let over = Turns { around: 1, ..most };
        assert_eq!(over.most_steps(Sort::Software, 1), Err(TooMany { has: MOST + 1, most: MOST }));
    }

    #[test]
    fn links_count_for_the_thread_that_follows_them() {
        let pairs: Vec<Pair> = (1..=40).map(|j| Pair { i: 0, j, coupling: 1 }).collect();
        let star = Problem::new(65, &pairs, &[], Meaning::Ising).unwrap();
        let turns = |form, threads| Turns::of(&star, &Kernel::new(form, 65, false, threads, 16_384));
        // Slices of 40, 4 and 0 places: 10 turns, 1, and 0.
        assert_eq!(turns(Form::Discrete, 32).step, 1 + (3 + 1) + (10 + 1 + 3));
        assert_eq!(turns(Form::Annealing, 64).step, 2 + 9 * (2 + 11) + 65 + (10 + 40 + 65));
    }
}
