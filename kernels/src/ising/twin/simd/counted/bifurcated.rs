//! Discrete simulated bifurcation.

use super::super::super::super::philox::{Random, Use};
use super::super::super::super::plan::{Bifurcating, ONE};
use super::super::super::super::problem::Problem;
use super::super::super::block::Block;
use super::super::super::engine::Engine;
use super::super::layout::{Layout, Tile};
use super::super::philox;
use super::super::plane::{Plane, add_up, count};
use super::{Bits, LANES, Line, Numbers, count_energies, half};
use std::arch::x86_64::*;
use std::ops::Range;

/// How what is felt is reckoned from counts: `start + sum of counted bits * weight`, and what it does.
#[derive(Clone, Copy)]
struct Felt {
    /// Is every pair coupled?
    complete: bool,
    /// What one spin counts; with forces at once, what it does.
    unit: i16,
    /// Can a field be over `clip`, or be shifted? If not, counts are forces at once.
    at_once: bool,
    shift: u32,
    clip: i16,
    gain: i16,
}

/// Discrete simulated bifurcation.
pub(in super::super) struct Bifurcated<P> {
    layout: Layout,
    runs: Vec<(usize, Range<usize>)>,
    pull: Vec<i16>,
    felt: Felt,
    /// By place, and then by replica.
    positions: Vec<Line>,
    momenta: Vec<Line>,
    /// Signs of positions before a step, and after it.
    spins: [Bits; 2],
    /// What all spins of each replica add up to, times the size of a coupling; of complete problems.
    all: Vec<Line>,
    /// Of complete problems: lists in tiles, and the counts of each place over them.
    tiles: Vec<Tile>,
    counts: Vec<[P; 15]>,
}

impl<P: Plane> Bifurcated<P> {
    /// For a processor with AVX-512, which whoever calls has seen.
    pub(in super::super) fn new(problem: &Problem, layout: Layout, plan: &Bifurcating) -> Self {
        let lines = P::WORDS * 2;
        let size = layout.size;
        let at_once = !layout.complete && plan.force.shift == 0 && problem.strongest() <= i64::from(plan.force.clip);
        let gain = plan.force.gain;
        // Within 16 bits: what is felt at most is.
        let unit = if at_once { size as i16 * gain } else { size as i16 };
        let felt =
            Felt { complete: layout.complete, unit, at_once, shift: plan.force.shift, clip: plan.force.clip, gain };
        let nothing = vec![Line([0; LANES]); layout.len() * lines];
        Bifurcated {
            runs: layout.runs(),
            pull: plan.pull.clone(),
            felt,
            positions: nothing.clone(),
            momenta: nothing,
            spins: [Bits::new(layout.len() * P::WORDS), Bits::new(layout.len() * P::WORDS)],
            all: vec![Line([0; LANES]); lines],
            tiles: layout.tiles(),
            counts: Vec::new(),
            layout,
        }
    }

    /// # Safety
    /// The processor has AVX-512 F, BW, VL and DQ.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,bmi2,popcnt")]
    unsafe fn step(&mut self, pull: i16) {
        if self.felt.complete {
            // SAFETY: as of this function.
            unsafe {
                self.add_all_up();
                self.count_tiles();
            }
        }
        for (planes, run) in self.runs.clone() {
            // SAFETY: as of this function; the planes hold the counts of the run.
            unsafe {
                match planes {
                    3 => self.run::<3>(run, pull),
                    4 => self.run::<4>(run, pull),
                    5 => self.run::<5>(run, pull),
                    6 => self.run::<6>(run, pull),
                    8 => self.run::<8>(run, pull),
                    11 => self.run::<11>(run, pull),
                    _ => self.run::<15>(run, pull),
                }
            }
        }
        self.spins.swap(0, 1);
    }

    /// # Safety
    /// The processor has AVX-512; the bits of `B` planes hold the counts of all places of the run.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,bmi2,popcnt")]
    unsafe fn run<const B: usize>(&mut self, run: Range<usize>, pull: i16) {
        let lines = P::WORDS * 2;
        let Felt { complete, unit, at_once, shift, clip, gain } = self.felt;
        let (pull, one) = (_mm512_set1_epi16(pull), _mm512_set1_epi16(ONE as i16));
        let minus_one = _mm512_set1_epi16(-ONE as i16);
        let (clip, gain) = (_mm512_set1_epi16(clip), _mm512_set1_epi16(gain));
        let minus_clip = _mm512_sub_epi16(_mm512_setzero_si512(), clip);
        let shift = _mm_cvtsi32_si128(shift as i32);
        // A spin that is up counts twice against all being down. In a complete problem, those against a site are all that aren't with it.
        let twice = if complete { unit.wrapping_mul(4) } else { unit.wrapping_mul(2) };
        let weights: [__m512i; B] = std::array::from_fn(|plane| _mm512_set1_epi16((i32::from(twice) << plane) as i16));
        let old = self.spins[0].as_ptr();
        let new: *mut u32 = self.spins[1].as_mut_ptr().cast();
        for place in run {
            let (with, against) = (self.layout.with(place), self.layout.against(place));
            let all_down = (against.len() as i32 - with.len() as i32) * i32::from(unit);
            let start = _mm512_set1_epi16(if complete { (2 * all_down) as i16 } else { all_down as i16 });
            let mut bits = [[0_u64; 8]; B];
            let mut other = [[0_u64; 8]; B];
            // SAFETY: lists name places, of which each has its words; `bits` has room for the words of a plane.
            unsafe {
                if complete {
                    for (plane, bits) in self.counts[place].iter().zip(&mut bits) {
                        plane.store(bits.as_mut_ptr());
                    }
                } else {
                    for (plane, bits) in count::<P, u32, B>(old, with).into_iter().zip(&mut bits) {
                        plane.store(bits.as_mut_ptr());
                    }
                }
                if !against.is_empty() {
                    for (plane, bits) in count::<P, u32, B>(old, against).into_iter().zip(&mut other) {
                        plane.store(bits.as_mut_ptr());
                    }
                }
            }
            for line in 0..lines {
                let mut field = start;
                for plane in 0..B {
                    field = _mm512_mask_add_epi16(field, half(&bits[plane], line), field, weights[plane]);
                }
                if !against.is_empty() {
                    for plane in 0..B {
                        field = _mm512_mask_sub_epi16(field, half(&other[plane], line), field, weights[plane]);
                    }
                }
                let at = place * lines + line;
                // SAFETY: every place has as many lines of each; a line is a vector.
                let (x, y) = unsafe {
                    (
                        _mm512_load_si512(self.positions.as_ptr().add(at).cast()),
                        _mm512_load_si512(self.momenta.as_ptr().add(at).cast()),
                    )
                };
                if complete {
                    // All spins but its own; and those with it count twice in what was counted.
                    // SAFETY: as above.
                    let all = unsafe { _mm512_load_si512(self.all.as_ptr().add(line).cast()) };
                    let down = _mm512_movepi16_mask(x);
                    let units = _mm512_set1_epi16(unit);
                    let own = _mm512_mask_sub_epi16(units, down, _mm512_setzero_si512(), units);
                    field = _mm512_add_epi16(_mm512_sub_epi16(field, all), own);
                }
                if !at_once {
                    let clipped = _mm512_max_epi16(_mm512_min_epi16(_mm512_sra_epi16(field, shift), clip), minus_clip);
                    field = _mm512_mullo_epi16(clipped, gain);
                }
                let y = _mm512_adds_epi16(_mm512_subs_epi16(y, _mm512_mulhrs_epi16(pull, x)), field);
                let moved = _mm512_adds_epi16(x, _mm512_adds_epi16(y, y));
                let x = _mm512_max_epi16(_mm512_min_epi16(moved, one), minus_one);
                let y = _mm512_maskz_mov_epi16(_mm512_cmpeq_epi16_mask(moved, x), y);
                // SAFETY: as above; there is a half word of spins for each line.
                unsafe {
                    _mm512_store_si512(self.positions.as_mut_ptr().add(at).cast(), x);
                    _mm512_store_si512(self.momenta.as_mut_ptr().add(at).cast(), y);
                    new.add(at).write(!_mm512_movepi16_mask(x));
                }
            }
        }
    }

    /// Counts those with each place, tile after tile: a tile's spins stay in the cache next to the core while all places hear them.
    ///
    /// # Safety
    /// The processor has AVX-512.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,bmi2,popcnt")]
    unsafe fn count_tiles(&mut self) {
        // SAFETY: as of this function; a tile's list names places behind its first.
        unsafe {
            self.counts.clear();
            self.counts.resize(self.layout.len(), [P::zero(); 15]);
            for tile in &self.tiles {
                let spins = self.spins[0].as_ptr().add(tile.first * P::WORDS);
                for (place, sums) in self.counts.iter_mut().enumerate() {
                    let numbers = count::<P, u16, 10>(spins, tile.list(place));
                    let sums: &mut [P; 12] = sums.first_chunk_mut().expect("fifteen are more than twelve");
                    add_up(sums, &numbers);
                }
            }
        }
    }

    /// As [`plan::start`](super::super::super::plan::start).
    ///
    /// # Safety
    /// The processor has AVX-512.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,bmi2,popcnt")]
    unsafe fn begin(&mut self, random: Random, first: u32) {
        let lines = P::WORDS * 2;
        let (middle, tenth) = (_mm512_set1_epi16(i16::MIN), _mm512_set1_epi16((ONE / 10 * 2) as i16));
        let near_nothing = |numbers: __m512i| _mm512_mulhi_epi16(_mm512_xor_si512(numbers, middle), tenth);
        for block in 0..self.layout.len().div_ceil(4) {
            for line in 0..lines {
                let replica = first.wrapping_add((line * LANES) as u32);
                // SAFETY: as of this function.
                let eight = unsafe { philox::eight(random, Use::Start, replica, 0, block as u32) };
                for (site, pair) in (4 * block..self.layout.len()).zip(eight.chunks(2)) {
                    let at = self.layout.places[site] as usize * lines + line;
                    let (x, y) = (near_nothing(pair[0]), near_nothing(pair[1]));
                    // SAFETY: every place has as many lines of each, and a half word of spins for each line.
                    unsafe {
                        _mm512_store_si512(self.positions.as_mut_ptr().add(at).cast(), x);
                        _mm512_store_si512(self.momenta.as_mut_ptr().add(at).cast(), y);
                        self.spins[0].as_mut_ptr().cast::<u32>().add(at).write(!_mm512_movepi16_mask(x));
                    }
                }
            }
        }
    }

    /// # Safety
    /// The processor has AVX-512.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,bmi2,popcnt")]
    unsafe fn add_all_up(&mut self) {
        let everyone = self.layout.everyone();
        // SAFETY: every place has its words.
        let up = unsafe { Numbers::of(&count::<P, u32, 15>(self.spins[0].as_ptr(), &everyone)) };
        let unit = i32::from(self.felt.unit);
        for (lane, sum) in self.all.iter_mut().flat_map(|line| &mut line.0).enumerate() {
            *sum = ((2 * up.of_lane(lane) as i32 - everyone.len() as i32) * unit) as i16;
        }
    }
}

impl<P: Plane + Send> Engine for Bifurcated<P> {
    fn lanes(&self) -> usize {
        P::WORDS * 64
    }

    fn start(&mut self, _: &Problem, random: Random, first: u32) {
        // SAFETY: engines are made where the processor has AVX-512, alone.
        unsafe { self.begin(random, first) };
    }

    fn advance(&mut self, _: &Problem, from: u32, to: u32) {
        for step in from..to {
            // SAFETY: engines are made where the processor has AVX-512, alone.
            unsafe { self.step(self.pull[step as usize]) };
        }
    }

    fn energies(&mut self, _: &Problem, _: &Block, energies: &mut [i64]) {
        // SAFETY: engines are made where the processor has AVX-512, alone.
        unsafe { count_energies::<P>(&self.layout, &self.spins[0], energies) };
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        for place in 0..self.layout.len() {
            for (word, shown) in block.site_mut(self.layout.sites[place] as usize).iter_mut().enumerate() {
                *shown = *self.spins[0].word(place * P::WORDS + word);
            }
        }
    }
}
