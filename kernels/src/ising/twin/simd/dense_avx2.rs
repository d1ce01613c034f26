//! Discrete simulated bifurcation of one replica of a small dense problem, with AVX2: couplings of 8 bits, two columns at once.

use super::super::super::philox::Random;
use super::super::super::plan::{self, Bifurcating, ONE};
use super::super::super::problem::Problem;
use super::super::block::Block;
use super::super::engine::Engine;
use std::arch::x86_64::*;

/// Most sites: their couplings are kept as a square.
const MOST_SITES: usize = 2_048;
/// Vectors of sums that are in registers at once.
const AT_ONCE: usize = 8;

#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Lanes([i16; 16]);

#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Pairs([[i8; 2]; 16]);

/// One replica.
pub(super) struct Dense {
    plan: Bifurcating,
    sites: usize,
    vectors: usize,
    /// By pairs of columns, and then by vector of sites.
    couplings: Vec<Pairs>,
    /// What sites feel if all are up.
    base: Vec<Lanes>,
    positions: Vec<Lanes>,
    momenta: Vec<Lanes>,
    /// 1 for a site that is down, before a step and after it; two are added at once.
    down: [Vec<[u8; 2]>; 2],
}

impl Dense {
    /// If the problem is one for it: dense, couplings of 8 bits, sums of 16. For a processor with AVX2, which whoever calls has seen.
    pub(super) fn new(problem: &Problem, plan: &Bifurcating) -> Option<Dense> {
        let sites = problem.sites();
        let fits = problem.strongest() <= i64::from(i16::MAX) && sites <= MOST_SITES && problem.density() >= 0.2;
        if !plan.discrete || !fits {
            return None;
        }
        let vectors = sites.div_ceil(16).next_multiple_of(2);
        let mut couplings = vec![Pairs([[0; 2]; 16]); sites.div_ceil(2) * vectors];
        let mut base = vec![Lanes([0; 16]); vectors];
        for site in 0..sites {
            let mut all = problem.fields()[site];
            for link in problem.links(site) {
                let (pair, column) = (link.to as usize / 2, link.to as usize % 2);
                let byte = i8::try_from(link.coupling).ok()?;
                couplings[pair * vectors + site / 16].0[site % 16][column] = byte;
                all += link.coupling;
            }
            base[site / 16].0[site % 16] = all as i16;
        }
        let nothing = vec![Lanes([0; 16]); vectors];
        let down = vec![[0; 2]; 8 * vectors];
        let (positions, momenta) = (nothing.clone(), nothing);
        Some(Dense {
            plan: plan.clone(),
            sites,
            vectors,
            couplings,
            base,
            positions,
            momenta,
            down: [down.clone(), down],
        })
    }

    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn step(&mut self, pull: i16) {
        // SAFETY: as of this function; so many vectors are left.
        unsafe {
            let mut first = 0;
            while self.vectors - first >= AT_ONCE {
                self.some::<AT_ONCE>(first, pull);
                first += AT_ONCE;
            }
            match self.vectors - first {
                2 => self.some::<2>(first, pull),
                4 => self.some::<4>(first, pull),
                6 => self.some::<6>(first, pull),
                _ => {}
            }
        }
        self.down.swap(0, 1);
    }

    /// What `V` vectors of sites feel, from this one on.
    ///
    /// # Safety
    /// The processor has AVX2; so many vectors are there.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn felt<const V: usize>(&self, first: usize) -> [__m256i; V] {
        let mut sums = [_mm256_setzero_si256(); V];
        for (pair, down) in self.down[0][..self.sites.div_ceil(2)].iter().enumerate() {
            let two = _mm256_set1_epi16(i16::from_le_bytes(*down));
            // SAFETY: there are as many vectors of couplings to a pair of columns as there are of sites.
            let couplings = unsafe { self.couplings.as_ptr().add(pair * self.vectors + first) };
            for (vector, sum) in sums.iter_mut().enumerate() {
                // SAFETY: as above; sixteen pairs of bytes are a vector.
                let couplings = unsafe { _mm256_load_si256(couplings.add(vector).cast()) };
                *sum = _mm256_add_epi16(*sum, _mm256_maddubs_epi16(two, couplings));
            }
        }
        // SAFETY: there is a base for each vector.
        std::array::from_fn(|vector| unsafe {
            let base = _mm256_load_si256(self.base.as_ptr().add(first + vector).cast());
            _mm256_sub_epi16(base, _mm256_add_epi16(sums[vector], sums[vector]))
        })
    }

    /// Moves `V` vectors of sites.
    ///
    /// # Safety
    /// As of [`felt`](Self::felt).
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn some<const V: usize>(&mut self, first: usize, pull: i16) {
        // SAFETY: as of this function.
        let felt = unsafe { self.felt::<V>(first) };
        let force = self.plan.force;
        let (shift, pull) = (_mm_cvtsi32_si128(force.shift as i32), _mm256_set1_epi16(pull));
        let (clip, gain) = (_mm256_set1_epi16(force.clip), _mm256_set1_epi16(force.gain));
        let minus_clip = _mm256_set1_epi16(-force.clip);
        let (one, minus_one) = (_mm256_set1_epi16(ONE as i16), _mm256_set1_epi16(-ONE as i16));
        for pair in 0..V / 2 {
            let mut down = [_mm256_setzero_si256(); 2];
            for (half, down) in down.iter_mut().enumerate() {
                let at = first + 2 * pair + half;
                let field = _mm256_sra_epi16(felt[2 * pair + half], shift);
                let acting = _mm256_mullo_epi16(_mm256_max_epi16(_mm256_min_epi16(field, clip), minus_clip), gain);
                // SAFETY: there is a vector of each for every vector of sites.
                unsafe {
                    let x = _mm256_load_si256(self.positions.as_ptr().add(at).cast());
                    let y = _mm256_load_si256(self.momenta.as_ptr().add(at).cast());
                    let y = _mm256_adds_epi16(_mm256_subs_epi16(y, _mm256_mulhrs_epi16(pull, x)), acting);
                    let moved = _mm256_adds_epi16(x, _mm256_adds_epi16(y, y));
                    let x = _mm256_max_epi16(_mm256_min_epi16(moved, one), minus_one);
                    let y = _mm256_and_si256(_mm256_cmpeq_epi16(moved, x), y);
                    _mm256_store_si256(self.positions.as_mut_ptr().add(at).cast(), x);
                    _mm256_store_si256(self.momenta.as_mut_ptr().add(at).cast(), y);
                    *down = _mm256_srli_epi16::<15>(moved);
                }
            }
            // Two vectors of 16 lanes are one of 32 bytes, its middle quarters changed over.
            let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(down[0], down[1]));
            // SAFETY: two vectors of sites are sixteen pairs of bytes.
            unsafe { _mm256_storeu_si256(self.down[1].as_mut_ptr().add(8 * (first + 2 * pair)).cast(), bytes) };
        }
    }
}

impl Engine for Dense {
    fn lanes(&self) -> usize {
        1
    }

    fn start(&mut self, _: &Problem, random: Random, first: u32) {
        for block in 0..self.sites.div_ceil(4) {
            for (site, (x, y)) in (4 * block..self.sites).zip(plan::start(random, first, block as u32)) {
                self.positions[site / 16].0[site % 16] = x as i16;
                self.momenta[site / 16].0[site % 16] = y as i16;
                self.down[0][site / 2][site % 2] = u8::from(x < 0);
            }
        }
    }

    fn advance(&mut self, _: &Problem, from: u32, to: u32) {
        for step in from..to {
            // SAFETY: engines are made where the processor has AVX2, alone.
            unsafe { self.step(self.plan.pull[step as usize]) };
        }
    }

    /// Reckoned from the couplings as they are laid out here, which are the problem's: what every site feels, times its spin.
    fn energies(&mut self, problem: &Problem, _: &Block, energies: &mut [i64]) {
        let mut twice = 0;
        for first in (0..self.vectors).step_by(2) {
            let mut felt = [Lanes([0; 16]); 2];
            // SAFETY: engines are made where the processor has AVX2, alone; there is an even number of vectors.
            unsafe {
                for (felt, to) in self.felt::<2>(first).into_iter().zip(&mut felt) {
                    _mm256_store_si256(to.0.as_mut_ptr().cast(), felt);
                }
            }
            for (site, felt) in (16 * first..self.sites).zip(felt.iter().flat_map(|felt| felt.0)) {
                let whole = i64::from(felt) + i64::from(problem.fields()[site]);
                twice += if self.down[0][site / 2][site % 2] == 1 { -whole } else { whole };
            }
        }
        energies[0] = -twice / 2;
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        for site in 0..self.sites {
            block.site_mut(site)[0] = u64::from(self.down[0][site / 2][site % 2] == 0);
        }
    }
}
