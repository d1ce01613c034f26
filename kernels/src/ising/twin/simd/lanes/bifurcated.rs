//! Both forms of simulated bifurcation.

use super::super::super::super::philox::{Random, Use};
use super::super::super::super::plan::{Bifurcating, ONE};
use super::super::super::super::problem::Problem;
use super::super::super::block::Block;
use super::super::super::engine::Engine;
use super::{LANES, Lanes, Links, Signs, VECTORS, philox, show};
use std::arch::x86_64::*;

/// 64 replicas.
pub(in super::super) struct Bifurcated {
    links: Links,
    plan: Bifurcating,
    positions: Vec<Lanes>,
    momenta: Vec<Lanes>,
    /// Signs of positions before a step, and after it.
    signs: [Vec<Signs>; 2],
    /// Positions before a step, as others hear them; of the ballistic form.
    heard: Vec<Lanes>,
}

impl Bifurcated {
    /// If the problem is one for it. For a processor with AVX2, which whoever calls has seen.
    pub(in super::super) fn new(problem: &Problem, plan: &Bifurcating) -> Option<Self> {
        let links = Links::of(problem, !plan.discrete)?;
        let sites = problem.sites();
        let nothing = vec![Lanes([0; LANES]); sites];
        let signs = vec![Signs([1; LANES]); sites];
        Some(Bifurcated {
            links,
            plan: plan.clone(),
            positions: nothing.clone(),
            momenta: nothing.clone(),
            signs: [signs.clone(), signs],
            heard: nothing,
        })
    }

    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn begin(&mut self, random: Random, first: u32) {
        let (middle, tenth) = (_mm256_set1_epi16(i16::MIN), _mm256_set1_epi16((ONE / 10 * 2) as i16));
        let near_nothing = |numbers: __m256i| _mm256_mulhi_epi16(_mm256_xor_si256(numbers, middle), tenth);
        for block in 0..self.links.sites().div_ceil(4) {
            for vector in 0..VECTORS {
                let replica = first.wrapping_add(16 * vector as u32);
                let eight = philox::eight(random, Use::Start, replica, 0, block as u32);
                for (site, pair) in (4 * block..self.links.sites()).zip(eight.chunks(2)) {
                    // SAFETY: a vector is where lanes of it stand.
                    unsafe {
                        _mm256_store_si256(self.positions[site].vector_mut(vector), near_nothing(pair[0]));
                        _mm256_store_si256(self.momenta[site].vector_mut(vector), near_nothing(pair[1]));
                    }
                }
            }
        }
        for (signs, positions) in self.signs[0].iter_mut().zip(&self.positions) {
            for (sign, position) in signs.0.iter_mut().zip(positions.0) {
                *sign = if position < 0 { -1 } else { 1 };
            }
        }
    }

    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn step(&mut self, pull: i16) {
        let force = self.plan.force;
        let (shift, pull) = (_mm_cvtsi32_si128(force.shift as i32), _mm256_set1_epi16(pull));
        let (clip, gain) = (_mm256_set1_epi16(force.clip), _mm256_set1_epi16(force.gain));
        let minus_clip = _mm256_set1_epi16(-force.clip);
        let (one, minus_one) = (_mm256_set1_epi16(ONE as i16), _mm256_set1_epi16(-ONE as i16));
        if !self.plan.discrete {
            self.heard.copy_from_slice(&self.positions);
        }
        for site in 0..self.links.sites() {
            // SAFETY: as of this function.
            let fields = unsafe {
                if self.plan.discrete {
                    self.links.felt(site, &self.signs[0]).map(|felt| _mm256_sra_epi16(felt, shift))
                } else {
                    self.felt_positions(site, shift)
                }
            };
            for pair in 0..VECTORS / 2 {
                let mut signs = [_mm256_setzero_si256(); 2];
                for (half, sign) in signs.iter_mut().enumerate() {
                    let vector = 2 * pair + half;
                    let clipped = _mm256_max_epi16(_mm256_min_epi16(fields[vector], clip), minus_clip);
                    let acting = _mm256_mullo_epi16(clipped, gain);
                    // SAFETY: a vector is where lanes of it stand.
                    unsafe {
                        let x = _mm256_load_si256(self.positions[site].vector(vector));
                        let y = _mm256_load_si256(self.momenta[site].vector(vector));
                        let y = _mm256_adds_epi16(_mm256_subs_epi16(y, _mm256_mulhrs_epi16(pull, x)), acting);
                        let moved = _mm256_adds_epi16(x, _mm256_adds_epi16(y, y));
                        let x = _mm256_max_epi16(_mm256_min_epi16(moved, one), minus_one);
                        let y = _mm256_and_si256(_mm256_cmpeq_epi16(moved, x), y);
                        _mm256_store_si256(self.positions[site].vector_mut(vector), x);
                        _mm256_store_si256(self.momenta[site].vector_mut(vector), y);
                        *sign = _mm256_srai_epi16::<15>(x);
                    }
                }
                // Two vectors of 16 lanes are one of 32 bytes, its middle quarters changed over.
                let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi16(signs[0], signs[1]));
                let bytes = _mm256_or_si256(bytes, _mm256_set1_epi8(1));
                // SAFETY: 64 bytes are two vectors.
                unsafe { _mm256_store_si256(self.signs[1][site].0[32 * pair..].as_mut_ptr().cast(), bytes) };
            }
        }
        self.signs.swap(0, 1);
    }

    /// What a site feels of positions: two couplings are multiplied and added at once, in 32 bits.
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn felt_positions(&self, site: usize, shift: __m128i) -> [__m256i; VECTORS] {
        let deaf = _mm_cvtsi32_si128(self.plan.deaf as i32);
        let field = self.links.fields[site] * (ONE >> self.plan.deaf);
        let mut sums = [[_mm256_set1_epi32(field); 2]; VECTORS];
        for links in self.links.of_site(site).chunks(2) {
            let [first, second] = [links.first(), links.get(1)].map(|link| link.copied());
            let Some(first) = first else { continue };
            // One that is left alone has a companion that counts nothing.
            let second = second.unwrap_or(super::Link { to: first.to, coupling: 0 });
            let couplings = i32::from(first.coupling as u16) | i32::from(second.coupling) << 16;
            let couplings = _mm256_set1_epi32(couplings);
            for (vector, [low, high]) in sums.iter_mut().enumerate() {
                // SAFETY: a vector is where lanes of it stand.
                let [a, b] = [first, second].map(|link| unsafe {
                    _mm256_sra_epi16(_mm256_load_si256(self.heard[link.to as usize].vector(vector)), deaf)
                });
                *low = _mm256_add_epi32(*low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), couplings));
                *high = _mm256_add_epi32(*high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), couplings));
            }
        }
        // Beyond 16 bits it would be clipped anyway.
        sums.map(|[low, high]| _mm256_packs_epi32(_mm256_sra_epi32(low, shift), _mm256_sra_epi32(high, shift)))
    }
}

impl Engine for Bifurcated {
    fn lanes(&self) -> usize {
        LANES
    }

    fn start(&mut self, _: &Problem, random: Random, first: u32) {
        // SAFETY: engines are made where the processor has AVX2, alone.
        unsafe { self.begin(random, first) };
    }

    fn advance(&mut self, _: &Problem, from: u32, to: u32) {
        for step in from..to {
            // SAFETY: engines are made where the processor has AVX2, alone.
            unsafe { self.step(self.plan.pull[step as usize]) };
        }
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        show(&self.signs[0], block);
    }
}
