//! Simulated annealing.

use super::super::super::super::philox::{Random, Use};
use super::super::super::super::plan::{Logarithms, Temperature};
use super::super::super::super::problem::Problem;
use super::super::super::block::Block;
use super::super::super::engine::Engine;
use super::super::layout::Layout;
use super::super::philox;
use super::super::plane::{Plane, count};
use super::{Bits, LANES, Line, count_energies, half};
use std::arch::x86_64::*;
use std::marker::PhantomData;

/// Simulated annealing: sites in order, each with what was flipped before it.
pub(in super::super) struct Annealed<P> {
    layout: Layout,
    temperatures: Vec<Temperature>,
    logarithms: Logarithms,
    /// The same, with room behind them for whoever reads four bytes.
    table: Vec<u16>,
    spins: Bits,
    random: Random,
    first: u32,
    plane: PhantomData<P>,
}

/// Fields up to which thresholds are looked up in a table of two vectors.
const TABLE: usize = 64;

impl<P: Plane> Annealed<P> {
    /// For a processor with AVX-512, which whoever calls has seen.
    pub(in super::super) fn new(layout: Layout, temperatures: &[Temperature]) -> Self {
        let logarithms = Logarithms::default();
        let mut table = logarithms.table().to_vec();
        table.push(0);
        Annealed {
            temperatures: temperatures.to_vec(),
            table,
            logarithms,
            spins: Bits::new(layout.len() * P::WORDS),
            random: Random::new(0),
            first: 0,
            layout,
            plane: PhantomData,
        }
    }

    /// # Safety
    /// The processor has AVX-512 F, BW, VL and DQ.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,bmi2,popcnt")]
    unsafe fn begin(&mut self) {
        for block in 0..self.layout.len().div_ceil(8) {
            for line in 0..P::WORDS * 2 {
                let replica = self.first.wrapping_add((line * LANES) as u32);
                // SAFETY: as of this function.
                let eight = unsafe { philox::eight(self.random, Use::Start, replica, 0, block as u32) };
                for (site, numbers) in (8 * block..self.layout.len()).zip(eight) {
                    // SAFETY: there is a half word of spins for each line of each place.
                    unsafe {
                        let half = self.spins.as_mut_ptr().cast::<u32>().add(site * P::WORDS * 2 + line);
                        half.write(_mm512_movepi16_mask(numbers));
                    }
                }
            }
        }
    }

    /// # Safety
    /// The processor has AVX-512 F, BW, VL and DQ.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,bmi2,popcnt")]
    unsafe fn sweep(&mut self, step: u32) {
        let temperature = self.temperatures[step as usize];
        let lines = P::WORDS * 2;
        // Random numbers below a threshold allow a flip against so much.
        let mut thresholds = [Line([0; LANES]); 2];
        let allowing = |felt: usize| self.logarithms.allowing(temperature, felt as i32);
        for felt in 1..TABLE {
            thresholds[felt / LANES].0[felt % LANES] = allowing(felt) as u16 as i16;
        }
        let by_table = self.layout.strongest < TABLE || allowing(TABLE - 1) == 0;
        let mut numbers = [[Line([0; LANES]); 16]; 8];
        for block in 0..self.layout.len().div_ceil(8) {
            for line in 0..lines {
                let replica = self.first.wrapping_add((line * LANES) as u32);
                // SAFETY: as of this function; a line is a vector.
                unsafe {
                    let eight = philox::eight(self.random, Use::Flip, replica, step, block as u32);
                    for (numbers, eight) in numbers.iter_mut().zip(eight) {
                        _mm512_store_si512(numbers[line].0.as_mut_ptr().cast(), eight);
                    }
                }
            }
            for (site, numbers) in (8 * block..self.layout.len()).zip(&numbers) {
                let rule = Rule { temperature, thresholds: &thresholds, numbers, by_table };
                // SAFETY: as of this function; the planes hold the counts of the site.
                unsafe {
                    match self.layout.planes(site) {
                        3 => self.site::<3>(site, rule),
                        4 => self.site::<4>(site, rule),
                        5 => self.site::<5>(site, rule),
                        6 => self.site::<6>(site, rule),
                        8 => self.site::<8>(site, rule),
                        11 => self.site::<11>(site, rule),
                        _ => self.site::<15>(site, rule),
                    }
                }
            }
        }
    }

    /// # Safety
    /// The processor has AVX-512; the bits of `B` planes hold the counts of the site.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,bmi2,popcnt")]
    unsafe fn site<const B: usize>(&mut self, site: usize, rule: Rule<'_>) {
        let size = self.layout.size as i16;
        let (with, against) = (self.layout.with(site), self.layout.against(site));
        let start = _mm512_set1_epi16((against.len() as i16).wrapping_sub(with.len() as i16).wrapping_mul(size));
        let nothing = _mm512_setzero_si512();
        let spins = self.spins.as_mut_ptr();
        let mut bits = [[0_u64; 8]; B];
        let mut other = [[0_u64; 8]; B];
        let mut own = [0_u64; 8];
        // SAFETY: lists name places, of which each has its words; there is room for the words of a plane.
        unsafe {
            for (plane, bits) in count::<P, u32, B>(spins, with).into_iter().zip(&mut bits) {
                plane.store(bits.as_mut_ptr());
            }
            if !against.is_empty() {
                for (plane, bits) in count::<P, u32, B>(spins, against).into_iter().zip(&mut other) {
                    plane.store(bits.as_mut_ptr());
                }
            }
            P::load(spins.add(site * P::WORDS)).store(own.as_mut_ptr());
        }
        let mut flips = [0_u64; 8];
        for line in 0..P::WORDS * 2 {
            let mut felt = start;
            for (plane, bits) in bits.iter().enumerate() {
                let weight = _mm512_set1_epi16((i32::from(size) << (plane + 1)) as i16);
                felt = _mm512_mask_add_epi16(felt, half(bits, line), felt, weight);
            }
            if !against.is_empty() {
                for (plane, bits) in other.iter().enumerate() {
                    let weight = _mm512_set1_epi16((i32::from(size) << (plane + 1)) as i16);
                    felt = _mm512_mask_sub_epi16(felt, half(bits, line), felt, weight);
                }
            }
            let against = _mm512_mask_sub_epi16(felt, !half(&own, line), nothing, felt);
            // SAFETY: a line is a vector; the table has an entry for every number, and one behind them.
            let flip = unsafe {
                let numbers = _mm512_load_si512(rule.numbers[line].0.as_ptr().cast());
                if rule.by_table {
                    let [low, high] = [0, 1].map(|half| _mm512_load_si512(rule.thresholds[half].0.as_ptr().cast()));
                    let within = _mm512_min_epi16(against, _mm512_set1_epi16(TABLE as i16 - 1));
                    let threshold = _mm512_permutex2var_epi16(low, within, high);
                    _mm512_cmplt_epu16_mask(numbers, threshold)
                } else {
                    let looked_up = [0, 1].map(|half| {
                        let part = if half == 0 {
                            _mm512_castsi512_si256(numbers)
                        } else {
                            _mm512_extracti64x4_epi64::<1>(numbers)
                        };
                        let logarithm =
                            _mm512_i32gather_epi32::<2>(_mm512_cvtepu16_epi32(part), self.table.as_ptr().cast());
                        let logarithm = _mm512_and_si512(logarithm, _mm512_set1_epi32(0xffff));
                        let product =
                            _mm512_mullo_epi32(logarithm, _mm512_set1_epi32(rule.temperature.mantissa as i32));
                        let allowed = _mm512_srl_epi32(product, _mm_cvtsi32_si128(rule.temperature.shift as i32));
                        let part = if half == 0 {
                            _mm512_castsi512_si256(against)
                        } else {
                            _mm512_extracti64x4_epi64::<1>(against)
                        };
                        u32::from(_mm512_cmple_epu32_mask(_mm512_cvtepi16_epi32(part), allowed))
                    });
                    looked_up[0] | looked_up[1] << 16
                }
            };
            let gains = _mm512_cmple_epi16_mask(against, nothing);
            flips[line / 2] |= u64::from(flip | gains) << (32 * (line % 2));
        }
        // SAFETY: as above.
        unsafe {
            let place = spins.add(site * P::WORDS);
            P::load(place).xor(P::load(flips.as_ptr())).store(place);
        }
    }
}

/// What decides whether a site of a block flips.
#[derive(Clone, Copy)]
struct Rule<'a> {
    temperature: Temperature,
    thresholds: &'a [Line; 2],
    numbers: &'a [Line; 16],
    by_table: bool,
}

impl<P: Plane + Send> Engine for Annealed<P> {
    fn lanes(&self) -> usize {
        P::WORDS * 64
    }

    fn start(&mut self, _: &Problem, random: Random, first: u32) {
        (self.random, self.first) = (random, first);
        // SAFETY: engines are made where the processor has AVX-512, alone.
        unsafe { self.begin() };
    }

    fn advance(&mut self, _: &Problem, from: u32, to: u32) {
        for step in from..to {
            // SAFETY: engines are made where the processor has AVX-512, alone.
            unsafe { self.sweep(step) };
        }
    }

    fn energies(&mut self, _: &Problem, _: &Block, energies: &mut [i64]) {
        // SAFETY: engines are made where the processor has AVX-512, alone.
        unsafe { count_energies::<P>(&self.layout, &self.spins, energies) };
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        for site in 0..self.layout.len() {
            for (word, shown) in block.site_mut(site).iter_mut().enumerate() {
                *shown = *self.spins.word(site * P::WORDS + word);
            }
        }
    }
}
