//! Discrete simulated bifurcation of 256 replicas of a complete graph whose couplings are of one size, with AVX2: counted by full adders, as
//! with AVX-512 beside it.

use super::super::super::philox::Random;
use super::super::super::plan::{self, Bifurcating, ONE};
use super::super::super::problem::Problem;
use super::super::block::Block;
use super::super::engine::Engine;
use super::layout::{Layout, Tile};
use super::plane::{Avx2, Plane, add_up, count};
use std::arch::x86_64::*;

/// Replicas.
const REPLICAS: usize = 256;
/// Lanes of 16 bits in a vector.
const LANES: usize = 16;
/// Vectors of all replicas.
const LINES: usize = REPLICAS / LANES;
/// Words of a place.
const WORDS: usize = REPLICAS / 64;
/// Planes of a count.
const PLANES: usize = 12;

#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Line([i16; LANES]);

/// A bit of each replica.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Bits([u16; REPLICAS / 16]);

/// 256 replicas.
pub(super) struct Bifurcated {
    plan: Bifurcating,
    layout: Layout,
    tiles: Vec<Tile>,
    /// Of those with each place, how many are up.
    counts: Vec<[Bits; PLANES]>,
    positions: Vec<[Line; LINES]>,
    momenta: Vec<[Line; LINES]>,
    /// Spins that are up, by place.
    up: Vec<Bits>,
    /// What all spins of each replica add up to.
    all: [Line; LINES],
}

impl Bifurcated {
    /// If the problem is one for it. For a processor with AVX2, which whoever calls has seen.
    pub(super) fn new(problem: &Problem, plan: &Bifurcating) -> Option<Self> {
        let layout = Layout::of(problem, false, WORDS)?;
        let sites = problem.sites();
        // Twice a count, and all, are to be within 16 bits, and a count within its planes.
        if !plan.discrete || !layout.complete || sites >= 1 << PLANES {
            return None;
        }
        let nothing = vec![[Line([0; LANES]); LINES]; sites];
        Some(Bifurcated {
            plan: plan.clone(),
            tiles: layout.tiles(),
            counts: vec![[Bits([0; LINES]); PLANES]; sites],
            positions: nothing.clone(),
            momenta: nothing,
            up: vec![Bits([0; LINES]); sites],
            all: [Line([0; LANES]); LINES],
            layout,
        })
    }

    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn step(&mut self, pull: i16) {
        // SAFETY: as of this function.
        unsafe {
            self.count();
            for place in 0..self.layout.len() {
                self.place(place, pull);
            }
        }
    }

    /// # Safety
    /// The processor has AVX2.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn count(&mut self) {
        let everyone = self.layout.everyone();
        let spins: *const u64 = self.up.as_ptr().cast();
        // SAFETY: as of this function; every place has its words, lists name places, and a plane is as large as its bits.
        unsafe {
            let bits: [Bits; 15] = std::mem::transmute(count::<Avx2, u32, 15>(spins, &everyone));
            for (line, all) in self.all.iter_mut().enumerate() {
                for (lane, sum) in all.0.iter_mut().enumerate() {
                    let bit = |(plane, bits): (usize, &Bits)| i32::from(bits.0[line] >> lane & 1) << plane;
                    let up: i32 = bits.iter().enumerate().map(bit).sum();
                    *sum = (2 * up - self.layout.len() as i32) as i16;
                }
            }
            for (number, tile) in self.tiles.iter().enumerate() {
                let spins = spins.add(tile.first * WORDS);
                for (place, counts) in self.counts.iter_mut().enumerate() {
                    let sums = count::<Avx2, u16, 10>(spins, tile.list(place));
                    let to: &mut [Avx2; PLANES] = &mut *std::ptr::from_mut(counts).cast();
                    if number == 0 {
                        *to = [Avx2::zero(); PLANES];
                    }
                    add_up(to, &sums);
                }
            }
        }
    }

    /// # Safety
    /// The processor has AVX2.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn place(&mut self, place: usize, pull: i16) {
        let force = self.plan.force;
        let (shift, pull) = (_mm_cvtsi32_si128(force.shift as i32), _mm256_set1_epi16(pull));
        let (clip, gain) = (_mm256_set1_epi16(force.clip), _mm256_set1_epi16(force.gain));
        let minus_clip = _mm256_set1_epi16(-force.clip);
        let (one, minus_one) = (_mm256_set1_epi16(ONE as i16), _mm256_set1_epi16(-ONE as i16));
        let size = _mm256_set1_epi16(self.layout.size as i16);
        let each = _mm256_set_epi16(
            i16::MIN,
            1 << 14,
            1 << 13,
            1 << 12,
            1 << 11,
            1 << 10,
            1 << 9,
            1 << 8,
            1 << 7,
            1 << 6,
            1 << 5,
            1 << 4,
            8,
            4,
            2,
            1,
        );
        // Those with it count twice against all: four times what is up of them, less twice all of them, less all, and itself.
        let start = _mm256_set1_epi16((-2 * self.layout.with(place).len() as i32) as i16);
        for line in 0..LINES {
            let mut sum = start;
            for (plane, bits) in self.counts[place].iter().enumerate() {
                let weight = _mm256_set1_epi16((4_i32 << plane) as i16);
                let those = _mm256_and_si256(_mm256_set1_epi16(bits.0[line] as i16), each);
                sum = _mm256_add_epi16(sum, _mm256_and_si256(_mm256_cmpeq_epi16(those, each), weight));
            }
            // SAFETY: a line is a vector.
            unsafe {
                let x_at: *mut __m256i = self.positions[place][line].0.as_mut_ptr().cast();
                let y_at: *mut __m256i = self.momenta[place][line].0.as_mut_ptr().cast();
                let (x, y) = (_mm256_load_si256(x_at), _mm256_load_si256(y_at));
                let own = _mm256_or_si256(_mm256_srai_epi16::<15>(x), _mm256_set1_epi16(1));
                let all = _mm256_load_si256(self.all[line].0.as_ptr().cast());
                let felt = _mm256_add_epi16(_mm256_sub_epi16(sum, all), own);
                let field = _mm256_sra_epi16(_mm256_mullo_epi16(felt, size), shift);
                let acting = _mm256_mullo_epi16(_mm256_max_epi16(_mm256_min_epi16(field, clip), minus_clip), gain);
                let y = _mm256_adds_epi16(_mm256_subs_epi16(y, _mm256_mulhrs_epi16(pull, x)), acting);
                let moved = _mm256_adds_epi16(x, _mm256_adds_epi16(y, y));
                let x = _mm256_max_epi16(_mm256_min_epi16(moved, one), minus_one);
                let y = _mm256_and_si256(_mm256_cmpeq_epi16(moved, x), y);
                _mm256_store_si256(x_at, x);
                _mm256_store_si256(y_at, y);
                // All counts are of before: this one is no more asked for.
                self.up[place].0[line] = !negative(x);
            }
        }
    }
}

/// A bit for each lane below 0.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn negative(lanes: __m256i) -> u16 {
    let bytes = _mm256_packs_epi16(lanes, lanes);
    let bits = _mm256_movemask_epi8(bytes) as u32;
    (bits & 0xff) as u16 | (bits >> 8 & 0xff00) as u16
}

impl Engine for Bifurcated {
    fn lanes(&self) -> usize {
        REPLICAS
    }

    fn start(&mut self, _: &Problem, random: Random, first: u32) {
        for lane in 0..REPLICAS {
            let (line, at) = (lane / LANES, lane % LANES);
            for block in 0..self.layout.len().div_ceil(4) {
                let four = plan::start(random, first.wrapping_add(lane as u32), block as u32);
                for (site, (x, y)) in (4 * block..self.layout.len()).zip(four) {
                    let place = self.layout.places[site] as usize;
                    self.positions[place][line].0[at] = x as i16;
                    self.momenta[place][line].0[at] = y as i16;
                    let word = &mut self.up[place].0[line];
                    *word = *word & !(1 << at) | u16::from(x >= 0) << at;
                }
            }
        }
    }

    fn advance(&mut self, _: &Problem, from: u32, to: u32) {
        for step in from..to {
            // SAFETY: engines are made where the processor has AVX2, alone.
            unsafe { self.step(self.plan.pull[step as usize]) };
        }
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        for (place, up) in self.up.iter().enumerate() {
            let words =
                up.0.chunks_exact(4).map(|four| four.iter().rev().fold(0, |word, part| word << 16 | u64::from(*part)));
            for (shown, word) in block.site_mut(self.layout.sites[place] as usize).iter_mut().zip(words) {
                *shown = word;
            }
        }
    }
}
