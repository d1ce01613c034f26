//! Discrete simulated bifurcation of one replica of a complete graph whose couplings are of one size, with AVX-512 and its VPOPCNTDQ: a bit
//! a coupling and a bit a spin, and how many agree is counted.

use super::super::super::philox::Random;
use super::super::super::plan::{self, Bifurcating, ONE};
use super::super::super::problem::Problem;
use super::super::block::Block;
use super::super::engine::Engine;
use std::arch::x86_64::*;

/// Sites whose positions are a vector.
const LANES: usize = 32;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([i16; LANES]);

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Words([u64; 8]);

/// One replica.
pub(super) struct Counted {
    plan: Bifurcating,
    size: i16,
    sites: usize,
    /// Vectors of a row.
    width: usize,
    /// Of each site, and of others up to a full line: 1 where it is with another one, with itself, and behind the last.
    with: Vec<Words>,
    positions: Vec<Line>,
    momenta: Vec<Line>,
    /// Spins that are up, before a step and after it; none behind the last.
    up: [Vec<Words>; 2],
}

impl Counted {
    /// If the problem is one for it. For a processor with AVX-512 and VPOPCNTDQ, which whoever calls has seen.
    pub(super) fn new(problem: &Problem, plan: &Bifurcating) -> Option<Counted> {
        let sites = problem.sites();
        let size = i16::try_from(problem.one_size()?).ok()?;
        let complete = problem.pairs() == sites * (sites - 1) / 2;
        if !plan.discrete || !complete || problem.strongest() + i64::from(size) > i64::from(i16::MAX) {
            return None;
        }
        let (lines, width) = (sites.div_ceil(LANES), sites.div_ceil(512));
        let mut with = vec![Words([u64::MAX; 8]); lines * LANES * width];
        for site in 0..sites {
            for link in problem.links(site).iter().filter(|link| link.coupling < 0) {
                let to = link.to as usize;
                with[site * width + to / 512].0[to % 512 / 64] &= !(1 << (to % 64));
            }
        }
        let nothing = vec![Line([0; LANES]); lines];
        let up = vec![Words([0; 8]); width];
        let (positions, momenta) = (nothing.clone(), nothing);
        Some(Counted { plan: plan.clone(), size, sites, width, with, positions, momenta, up: [up.clone(), up] })
    }

    /// # Safety
    /// The processor has AVX-512 F, BW, VL, DQ and VPOPCNTDQ.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,bmi1,bmi2,popcnt")]
    unsafe fn step(&mut self, pull: i16) {
        let force = self.plan.force;
        let (shift, pull) = (_mm_cvtsi32_si128(force.shift as i32), _mm512_set1_epi16(pull));
        let (clip, gain) = (_mm512_set1_epi16(force.clip), _mm512_set1_epi16(force.gain));
        let minus_clip = _mm512_sub_epi16(_mm512_setzero_si512(), clip);
        let (one, minus_one) = (_mm512_set1_epi16(ONE as i16), _mm512_set1_epi16(-ONE as i16));
        let (size, all) = (_mm512_set1_epi16(self.size), _mm512_set1_epi16(self.sites as i16));
        for line in 0..self.positions.len() {
            // SAFETY: there are as many rows as lanes, and halves of words of spins for all lines but those behind the last.
            unsafe {
                let agree = self.agreeing(line);
                let x = _mm512_load_si512(self.positions.as_ptr().add(line).cast());
                let y = _mm512_load_si512(self.momenta.as_ptr().add(line).cast());
                // Those that agree less those that don't, and less the site itself, which is with itself.
                let down = _mm512_movepi16_mask(x);
                let own =
                    _mm512_mask_sub_epi16(_mm512_set1_epi16(1), down, _mm512_setzero_si512(), _mm512_set1_epi16(1));
                let sum = _mm512_sub_epi16(_mm512_sub_epi16(_mm512_add_epi16(agree, agree), all), own);
                let field = _mm512_sra_epi16(_mm512_mullo_epi16(sum, size), shift);
                let acting = _mm512_mullo_epi16(_mm512_max_epi16(_mm512_min_epi16(field, clip), minus_clip), gain);
                let y = _mm512_adds_epi16(_mm512_subs_epi16(y, _mm512_mulhrs_epi16(pull, x)), acting);
                let moved = _mm512_adds_epi16(x, _mm512_adds_epi16(y, y));
                let x = _mm512_max_epi16(_mm512_min_epi16(moved, one), minus_one);
                let y = _mm512_maskz_mov_epi16(_mm512_cmpeq_epi16_mask(moved, x), y);
                _mm512_store_si512(self.positions.as_mut_ptr().add(line).cast(), x);
                _mm512_store_si512(self.momenta.as_mut_ptr().add(line).cast(), y);
                let there = self.sites - line * LANES;
                let up = !_mm512_movepi16_mask(x) & if there < LANES { (1 << there) - 1 } else { u32::MAX };
                self.up[1].as_mut_ptr().cast::<u32>().add(line).write(up);
            }
        }
        self.up.swap(0, 1);
    }

    /// Of each site of a line, with how many spins its couplings agree.
    ///
    /// # Safety
    /// As of [`step`](Self::step); the line is there.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,bmi1,bmi2,popcnt")]
    unsafe fn agreeing(&self, line: usize) -> __m512i {
        let mut counts = [_mm_setzero_si128(); 4];
        for (eighth, counts) in counts.iter_mut().enumerate() {
            let mut sums = [_mm512_setzero_si512(); 8];
            for (row, sum) in sums.iter_mut().enumerate() {
                let first = (line * LANES + 8 * eighth + row) * self.width;
                for (up, with) in self.up[0].iter().zip(&self.with[first..first + self.width]) {
                    // SAFETY: eight words are a vector, and stand where one can be read from.
                    let (up, with) =
                        unsafe { (_mm512_load_si512(up.0.as_ptr().cast()), _mm512_load_si512(with.0.as_ptr().cast())) };
                    // Both, or neither.
                    let agree = _mm512_ternarylogic_epi64::<0x99>(up, up, with);
                    *sum = _mm512_add_epi64(*sum, _mm512_popcnt_epi64(agree));
                }
            }
            *counts = _mm512_cvtepi64_epi16(added_across(sums));
        }
        let low = _mm256_set_m128i(counts[1], counts[0]);
        let high = _mm256_set_m128i(counts[3], counts[2]);
        _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
    }
}

/// The sums of the lanes of eight vectors, in a lane each: halves are added, then quarters, then eighths.
#[inline]
#[target_feature(enable = "avx512f")]
fn added_across(v: [__m512i; 8]) -> __m512i {
    let pairs: [__m512i; 4] = std::array::from_fn(|pair| {
        let (a, b) = (v[2 * pair], v[2 * pair + 1]);
        _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b))
    });
    let fours: [__m512i; 2] = std::array::from_fn(|four| {
        let (a, b) = (pairs[2 * four], pairs[2 * four + 1]);
        let even = _mm512_permutex2var_epi64(a, _mm512_set_epi64(13, 12, 9, 8, 5, 4, 1, 0), b);
        let odd = _mm512_permutex2var_epi64(a, _mm512_set_epi64(15, 14, 11, 10, 7, 6, 3, 2), b);
        _mm512_add_epi64(even, odd)
    });
    // Each has its first pair twice, then its second twice.
    let low = _mm512_permutex2var_epi64(fours[0], _mm512_set_epi64(13, 12, 9, 8, 5, 4, 1, 0), fours[1]);
    let high = _mm512_permutex2var_epi64(fours[0], _mm512_set_epi64(15, 14, 11, 10, 7, 6, 3, 2), fours[1]);
    _mm512_add_epi64(low, high)
}

impl Engine for Counted {
    fn lanes(&self) -> usize {
        1
    }

    fn start(&mut self, _: &Problem, random: Random, first: u32) {
        for block in 0..self.sites.div_ceil(4) {
            for (site, (x, y)) in (4 * block..self.sites).zip(plan::start(random, first, block as u32)) {
                self.positions[site / LANES].0[site % LANES] = x as i16;
                self.momenta[site / LANES].0[site % LANES] = y as i16;
                let word = &mut self.up[0][site / 512].0[site % 512 / 64];
                *word = *word & !(1 << (site % 64)) | u64::from(x >= 0) << (site % 64);
            }
        }
    }

    fn advance(&mut self, _: &Problem, from: u32, to: u32) {
        for step in from..to {
            // SAFETY: engines are made where the processor has AVX-512 and VPOPCNTDQ, alone.
            unsafe { self.step(self.plan.pull[step as usize]) };
        }
    }

    /// What every site feels, counted, times its spin: every pair twice.
    fn energies(&mut self, _: &Problem, _: &Block, energies: &mut [i64]) {
        let mut twice = 0;
        for line in 0..self.positions.len() {
            let mut agree = Line([0; LANES]);
            // SAFETY: engines are made where the processor has AVX-512 and VPOPCNTDQ, alone; a line is a vector.
            unsafe { _mm512_store_si512(agree.0.as_mut_ptr().cast(), self.agreeing(line)) };
            for (site, agree) in (line * LANES..self.sites).zip(agree.0) {
                let own = if self.positions[line].0[site % LANES] < 0 { -1 } else { 1 };
                twice += own * (2 * i64::from(agree) - self.sites as i64 - own);
            }
        }
        energies[0] = -twice / 2 * i64::from(self.size);
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        for site in 0..self.sites {
            block.site_mut(site)[0] = u64::from(self.positions[site / LANES].0[site % LANES] >= 0);
        }
    }
}
