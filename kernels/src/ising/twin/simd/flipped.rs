//! Discrete bifurcation of one replica of a small dense problem, with AVX-512: what sites feel is kept, and changed where a sign has.
//!
//! From one step to the next few signs change, and each adds one row of couplings: less to read than all of them, and of the 47 KB that
//! 210 sites have it is what stays beside a core. Sums of 16 bits hold what anybody can feel.

use super::super::super::philox::Random;
use super::super::super::plan::{self, Bifurcating};
use super::super::super::problem::Problem;
use super::super::block::Block;
use super::super::engine::Engine;
use super::dense::{Line, Rule};
use std::arch::x86_64::*;

/// Sites of a line.
const LINE: usize = 32;
/// Most lines: positions, momenta and what is felt stay in registers of as many as there are sites for.
const MOST_LINES: usize = 8;

/// A row of couplings, by lines.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Row([i8; LINE]);

/// One replica.
pub(super) struct Flipped {
    plan: Bifurcating,
    sites: usize,
    lines: usize,
    /// Of each site its couplings, and then what they are if it is down: `2 * lines` rows.
    couplings: Vec<Row>,
    fields: Vec<Line>,
    positions: Vec<Line>,
    momenta: Vec<Line>,
    felt: Vec<Line>,
    /// Which sites are below 0, by lines.
    down: [u32; MOST_LINES],
}

impl Flipped {
    /// If the problem is one for it: small, discrete, at least a fifth of its pairs coupled, couplings of 8 bits and sums of 16. For a
    /// processor with AVX-512, which whoever calls has seen.
    pub(super) fn new(problem: &Problem, plan: &Bifurcating) -> Option<Flipped> {
        let sites = problem.sites();
        if sites > MOST_LINES * LINE || problem.density() < 0.2 || !plan.discrete {
            return None;
        }
        let lines = sites.div_ceil(LINE);
        let mut couplings = vec![Row([0; LINE]); sites * 2 * lines];
        let mut fields = vec![Line([0; LINE]); lines];
        for site in 0..sites {
            let mut most = problem.fields()[site].unsigned_abs();
            fields[site / LINE].0[site % LINE] = i16::try_from(problem.fields()[site]).ok()?;
            for link in problem.links(site) {
                let (coupling, to) = (i8::try_from(link.coupling).ok()?, link.to as usize);
                let row = 2 * lines * site + to / LINE;
                couplings[row].0[to % LINE] = coupling;
                couplings[row + lines].0[to % LINE] = coupling.checked_neg()?;
                most = most.checked_add(u32::from(coupling.unsigned_abs()))?;
            }
            if most > i16::MAX as u32 {
                return None;
            }
        }
        let nothing = vec![Line([0; LINE]); lines];
        let (positions, momenta, felt) = (nothing.clone(), nothing.clone(), nothing);
        Some(Flipped {
            plan: plan.clone(),
            sites,
            lines,
            couplings,
            fields,
            positions,
            momenta,
            felt,
            down: [0; MOST_LINES],
        })
    }

    /// # Safety
    /// The processor has AVX-512 F, BW and VL; there are `L` lines.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,bmi2,popcnt")]
    unsafe fn steps<const L: usize>(&mut self, steps: std::ops::Range<usize>) {
        let line = |lines: &[Line], at: usize| {
            // SAFETY: there are `L` lines of each, and a line is a vector.
            unsafe { _mm512_load_si512(lines.as_ptr().add(at).cast()) }
        };
        let mut x: [__m512i; L] = std::array::from_fn(|at| line(&self.positions, at));
        let mut y: [__m512i; L] = std::array::from_fn(|at| line(&self.momenta, at));
        let mut felt: [__m512i; L] = std::array::from_fn(|at| line(&self.felt, at));
        let mut before = self.down;
        let couplings: *const __m256i = self.couplings.as_ptr().cast();
        for step in steps {
            let rule = Rule::new(self.plan.force, self.plan.pull[step]);
            let mut down = [0; MOST_LINES];
            for at in 0..L {
                let field = _mm512_sra_epi16(felt[at], rule.shift);
                (x[at], y[at], down[at]) = rule.moved(x[at], y[at], field);
            }
            let mut added = [_mm512_setzero_si512(); L];
            for pair in 0..L.div_ceil(2) {
                let both =
                    |lines: &[u32; MOST_LINES]| u64::from(lines[2 * pair]) | u64::from(lines[2 * pair + 1]) << 32;
                let is = both(&down);
                let mut changed = is ^ both(&before);
                while changed != 0 {
                    let bit = changed.trailing_zeros();
                    changed &= changed - 1;
                    let row = 2 * (2 * LINE * pair + bit as usize) + (is >> bit & 1) as usize;
                    for (at, added) in added.iter_mut().enumerate() {
                        // SAFETY: a site has two rows of `L` lines. One that there is not never moves from 0, and so never changes.
                        let half = unsafe { _mm256_load_si256(couplings.add(L * row + at)) };
                        *added = _mm512_add_epi16(*added, _mm512_cvtepi8_epi16(half));
                    }
                }
            }
            for (felt, added) in felt.iter_mut().zip(added) {
                *felt = _mm512_add_epi16(*felt, _mm512_add_epi16(added, added));
            }
            before = down;
        }
        self.down = before;
        for (lines, vectors) in [(&mut self.positions, x), (&mut self.momenta, y), (&mut self.felt, felt)] {
            for (line, vector) in lines.iter_mut().zip(vectors) {
                // SAFETY: a line is a vector.
                unsafe { _mm512_store_si512(line.0.as_mut_ptr().cast(), vector) };
            }
        }
    }

    /// What all sites feel, from the beginning.
    fn feel(&mut self) {
        self.felt.copy_from_slice(&self.fields);
        for site in 0..self.sites {
            let is_down = self.down[site / LINE] >> (site % LINE) & 1;
            let first = self.lines * (2 * site + is_down as usize);
            for (felt, row) in self.felt.iter_mut().zip(&self.couplings[first..first + self.lines]) {
                felt.0
                    .iter_mut()
                    .zip(&row.0)
                    .for_each(|(felt, coupling)| *felt = felt.wrapping_add((*coupling).into()));
            }
        }
    }
}

impl Engine for Flipped {
    fn lanes(&self) -> usize {
        1
    }

    fn start(&mut self, _: &Problem, random: Random, first: u32) {
        self.down = [0; MOST_LINES];
        for block in 0..self.sites.div_ceil(4) {
            for (site, (x, y)) in (4 * block..self.sites).zip(plan::start(random, first, block as u32)) {
                self.positions[site / LINE].0[site % LINE] = x as i16;
                self.momenta[site / LINE].0[site % LINE] = y as i16;
                self.down[site / LINE] |= u32::from(x < 0) << (site % LINE);
            }
        }
        self.feel();
    }

    fn advance(&mut self, _: &Problem, from: u32, to: u32) {
        let steps = from as usize..to as usize;
        // SAFETY: engines are made where the processor has AVX-512, alone; so many lines there are.
        unsafe {
            match self.lines {
                1 => self.steps::<1>(steps),
                2 => self.steps::<2>(steps),
                3 => self.steps::<3>(steps),
                4 => self.steps::<4>(steps),
                5 => self.steps::<5>(steps),
                6 => self.steps::<6>(steps),
                7 => self.steps::<7>(steps),
                _ => self.steps::<8>(steps),
            }
        }
    }

    /// From what is felt: every coupling is in it twice, every field once.
    fn energies(&mut self, _: &Problem, _: &Block, energies: &mut [i64]) {
        let sum = (0..self.sites).map(|site| {
            let (line, at) = (site / LINE, site % LINE);
            let twice = i64::from(self.felt[line].0[at]) + i64::from(self.fields[line].0[at]);
            if self.down[line] >> at & 1 == 1 { -twice } else { twice }
        });
        energies[0] = -sum.sum::<i64>() / 2;
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        for site in 0..self.sites {
            block.site_mut(site)[0] = u64::from(self.down[site / LINE] >> (site % LINE) & 1 == 0);
        }
    }
}
