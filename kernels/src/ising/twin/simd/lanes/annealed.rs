//! Simulated annealing: sites in order, each with what was flipped before it.

use super::super::super::super::philox::{Random, Use};
use super::super::super::super::plan::{Logarithms, Temperature};
use super::super::super::super::problem::Problem;
use super::super::super::block::Block;
use super::super::super::engine::Engine;
use super::{LANES, Lanes, Links, Signs, VECTORS, philox, show};
use std::arch::x86_64::*;

/// 64 replicas.
pub(in super::super) struct Annealed {
    links: Links,
    temperatures: Vec<Temperature>,
    /// Logarithms, with room behind them for whoever reads four bytes.
    table: Vec<u16>,
    signs: Vec<Signs>,
    random: Random,
    first: u32,
}

impl Annealed {
    /// If the problem is one for it. For a processor with AVX2, which whoever calls has seen.
    pub(in super::super) fn new(problem: &Problem, temperatures: &[Temperature]) -> Option<Self> {
        let links = Links::of(problem, false)?;
        let mut table = Logarithms::default().table().to_vec();
        table.push(0);
        let signs = vec![Signs([1; LANES]); problem.sites()];
        Some(Annealed { links, temperatures: temperatures.to_vec(), table, signs, random: Random::new(0), first: 0 })
    }

    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn begin(&mut self) {
        for block in 0..self.links.sites().div_ceil(8) {
            // SAFETY: as of this function.
            let numbers = unsafe { self.draw(Use::Start, 0, block) };
            for (signs, numbers) in self.signs[8 * block..].iter_mut().zip(numbers) {
                for (sign, number) in signs.0.iter_mut().zip(numbers.0) {
                    *sign = if number < 0 { 1 } else { -1 };
                }
            }
        }
    }

    /// The numbers of eight sites.
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn draw(&self, purpose: Use, step: u32, block: usize) -> [Lanes; 8] {
        let mut numbers = [Lanes([0; LANES]); 8];
        for vector in 0..VECTORS {
            let replica = self.first.wrapping_add(16 * vector as u32);
            let eight = philox::eight(self.random, purpose, replica, step, block as u32);
            for (lanes, eight) in numbers.iter_mut().zip(eight) {
                // SAFETY: a vector is where lanes of it stand.
                unsafe { _mm256_store_si256(lanes.vector_mut(vector), eight) };
            }
        }
        numbers
    }

    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn sweep(&mut self, step: u32) {
        let temperature = self.temperatures[step as usize];
        for block in 0..self.links.sites().div_ceil(8) {
            // SAFETY: as of this function.
            let numbers = unsafe { self.draw(Use::Flip, step, block) };
            for (site, numbers) in (8 * block..self.links.sites()).zip(&numbers) {
                // SAFETY: as of this function.
                unsafe { self.site(site, temperature, numbers) };
            }
        }
    }

    /// # Safety
    /// The processor has AVX2.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn site(&mut self, site: usize, temperature: Temperature, numbers: &Lanes) {
        // SAFETY: as of this function.
        let felt = unsafe { self.links.felt(site, &self.signs) };
        let nothing = _mm256_setzero_si256();
        let mut stays = [nothing; VECTORS];
        for (vector, stays) in stays.iter_mut().enumerate() {
            // SAFETY: sixteen bytes are half a vector, and a vector is where lanes of it stand.
            let (own, numbers) = unsafe {
                let own = _mm_load_si128(self.signs[site].0[16 * vector..].as_ptr().cast());
                (_mm256_cvtepi8_epi16(own), _mm256_load_si256(numbers.vector(vector)))
            };
            let against = _mm256_sign_epi16(felt[vector], own);
            let halves: [__m256i; 2] = std::array::from_fn(|half| {
                let part = |lanes: __m256i| {
                    if half == 0 { _mm256_castsi256_si128(lanes) } else { _mm256_extracti128_si256::<1>(lanes) }
                };
                let at = _mm256_cvtepu16_epi32(part(numbers));
                // SAFETY: the table has an entry for every number, and one behind them.
                let read = unsafe { _mm256_i32gather_epi32::<2>(self.table.as_ptr().cast(), at) };
                let logarithm = _mm256_and_si256(read, _mm256_set1_epi32(0xffff));
                let product = _mm256_mullo_epi32(logarithm, _mm256_set1_epi32(temperature.mantissa as i32));
                let allowed = _mm256_srl_epi32(product, _mm_cvtsi32_si128(temperature.shift as i32));
                // What a site feels is of 16 bits: so much is enough, and of a sign.
                let allowed = _mm256_min_epu32(allowed, _mm256_set1_epi32(i32::from(i16::MAX)));
                _mm256_cmpgt_epi32(_mm256_cvtepi16_epi32(part(against)), allowed)
            });
            // Two vectors of 8 lanes are one of 16, its middle quarters changed over. What costs nothing is below all that is allowed.
            *stays = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(halves[0], halves[1]));
        }
        for (pair, stays) in stays.chunks_exact(2).enumerate() {
            let stays = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi16(stays[0], stays[1]));
            // SAFETY: 64 bytes are two vectors.
            unsafe {
                let place: *mut __m256i = self.signs[site].0[32 * pair..].as_mut_ptr().cast();
                let own = _mm256_load_si256(place);
                _mm256_store_si256(place, _mm256_blendv_epi8(_mm256_sub_epi8(nothing, own), own, stays));
            }
        }
    }
}

impl Engine for Annealed {
    fn lanes(&self) -> usize {
        LANES
    }

    fn start(&mut self, _: &Problem, random: Random, first: u32) {
        (self.random, self.first) = (random, first);
        // SAFETY: engines are made where the processor has AVX2, alone.
        unsafe { self.begin() };
    }

    fn advance(&mut self, _: &Problem, from: u32, to: u32) {
        for step in from..to {
            // SAFETY: engines are made where the processor has AVX2, alone.
            unsafe { self.sweep(step) };
        }
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        show(&self.signs, block);
    }
}
