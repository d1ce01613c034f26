//! Simulated bifurcation of one replica of a dense problem, with AVX-512 and its VNNI: for whoever wants one answer soon.
//!
//! A vector has 16 sites; a column of what they feel is added by four columns at once (signs, couplings of 8 bits) or by two (positions, or
//! couplings of 16 bits). Nothing is added across a vector.

use super::super::super::philox::Random;
use super::super::super::plan::{self, Bifurcating, Force, ONE};
use super::super::super::problem::Problem;
use super::super::block::Block;
use super::super::engine::Engine;
use std::arch::x86_64::*;

/// Most sites: their couplings are kept as a square.
const MOST_SITES: usize = 2_048;
/// Vectors of sums that are in registers at once.
const AT_ONCE: usize = 8;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Sums([i32; 16]);

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([i16; 32]);

/// What is heard of the columns that are added at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// Four signs, as 0, and 2 below 0: what is felt is all couplings, less twice those of sites that are down.
    Signs,
    /// Two positions, or signs as 1 and -1.
    Words,
}

/// One replica.
pub(super) struct Dense {
    plan: Bifurcating,
    heard_as: Heard,
    sites: usize,
    /// Vectors of sums; two to a line.
    vectors: usize,
    /// By columns that are added at once, and then by vector.
    couplings: Vec<Sums>,
    /// What sums begin with.
    base: Vec<Sums>,
    positions: Vec<Line>,
    momenta: Vec<Line>,
    /// What is heard, before a step and after it: four bytes or two words are a number of 32 bits.
    heard: [Vec<Line>; 2],
}

/// Which site is in this lane of this vector of sums: so that two vectors, packed, are a line in order.
fn site_of(vector: usize, lane: usize) -> usize {
    32 * (vector / 2) + 8 * (lane / 4) + 4 * (vector % 2) + lane % 4
}

/// How a site moves.
#[derive(Clone, Copy)]
struct Rule {
    shift: __m128i,
    clip: __m512i,
    minus_clip: __m512i,
    gain: __m512i,
    pull: __m512i,
}

impl Rule {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn new(force: Force, pull: i16) -> Rule {
        let clip = _mm512_set1_epi16(force.clip);
        let minus_clip = _mm512_sub_epi16(_mm512_setzero_si512(), clip);
        let (gain, pull) = (_mm512_set1_epi16(force.gain), _mm512_set1_epi16(pull));
        Rule { shift: _mm_cvtsi32_si128(force.shift as i32), clip, minus_clip, gain, pull }
    }

    /// Two vectors of fields as a line, shifted. Beyond 16 bits it would be clipped anyway.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn packed(self, low: __m512i, high: __m512i) -> __m512i {
        _mm512_packs_epi32(_mm512_sra_epi32(low, self.shift), _mm512_sra_epi32(high, self.shift))
    }

    /// Positions and momenta of a line, a step later, and which positions are below 0.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn moved(self, x: __m512i, y: __m512i, field: __m512i) -> (__m512i, __m512i, __mmask32) {
        let (one, minus_one) = (_mm512_set1_epi16(ONE as i16), _mm512_set1_epi16(-ONE as i16));
        let acting =
            _mm512_mullo_epi16(_mm512_max_epi16(_mm512_min_epi16(field, self.clip), self.minus_clip), self.gain);
        let y = _mm512_adds_epi16(_mm512_subs_epi16(y, _mm512_mulhrs_epi16(self.pull, x)), acting);
        let moved = _mm512_adds_epi16(x, _mm512_adds_epi16(y, y));
        let x = _mm512_max_epi16(_mm512_min_epi16(moved, one), minus_one);
        // Of what is not yet clamped: it has the same sign, and is there sooner.
        let down = _mm512_movepi16_mask(moved);
        (x, _mm512_maskz_mov_epi16(_mm512_cmpeq_epi16_mask(moved, x), y), down)
    }
}

impl Dense {
    /// If the problem is one for it: not too large, at least a fifth of its pairs coupled, couplings and sums short enough. For a processor with
    /// AVX-512 and VNNI, which whoever calls has seen.
    pub(super) fn new(problem: &Problem, plan: &Bifurcating) -> Option<Dense> {
        let sites = problem.sites();
        let largest = (0..sites).flat_map(|site| problem.links(site)).map(|link| link.coupling.unsigned_abs()).max()?;
        if sites > MOST_SITES || problem.density() < 0.2 || largest > i16::MAX as u32 || plan.deaf > 0 {
            return None;
        }
        let short = plan.discrete && largest <= i8::MAX as u32;
        let (heard_as, columns) = if short { (Heard::Signs, 4) } else { (Heard::Words, 2) };
        let lines = sites.div_ceil(32);
        let vectors = 2 * lines;
        let mut couplings = vec![Sums([0; 16]); sites.div_ceil(columns) * vectors];
        let mut base = vec![Sums([0; 16]); vectors];
        let whole = if plan.discrete { 1 } else { ONE };
        for vector in 0..vectors {
            for lane in 0..16 {
                let site = site_of(vector, lane);
                if site >= sites {
                    continue;
                }
                base[vector].0[lane] = problem.fields()[site] * whole;
                for link in problem.links(site) {
                    let (group, at) = (link.to as usize / columns, link.to as usize % columns);
                    let bits = match heard_as {
                        Heard::Signs => (-link.coupling as i8 as u8 as i32) << (8 * at),
                        Heard::Words => (link.coupling as i16 as u16 as i32) << (16 * at),
                    };
                    couplings[group * vectors + vector].0[lane] |= bits;
                    if heard_as == Heard::Signs {
                        base[vector].0[lane] += link.coupling;
                    }
                }
            }
        }
        let nothing = vec![Line([0; 32]); lines];
        let heard = [nothing.clone(), nothing.clone()];
        let (positions, momenta) = (nothing.clone(), nothing);
        Some(Dense { plan: plan.clone(), heard_as, sites, vectors, couplings, base, positions, momenta, heard })
    }

    fn hear(&mut self, site: usize, position: i32) {
        let sign = if position >= 0 { 1 } else { -1 };
        let place = &mut self.heard[0];
        match self.heard_as {
            Heard::Signs => {
                let byte = if sign > 0 { 0 } else { 2 };
                let word = &mut place[site / 64].0[site % 64 / 2];
                let shift = 8 * (site % 2);
                *word = (*word as u16 & !(0xff << shift) | byte << shift) as i16;
            }
            Heard::Words => {
                place[site / 32].0[site % 32] = if self.plan.discrete { sign } else { position } as i16;
            }
        }
    }

    /// # Safety
    /// The processor has AVX-512 F, BW, VL, DQ and VNNI.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,bmi1,bmi2,popcnt")]
    unsafe fn step(&mut self, pull: i16) {
        // SAFETY: as of this function; so many vectors are left.
        unsafe {
            let mut first = 0;
            while self.vectors - first >= AT_ONCE {
                self.some::<AT_ONCE, 2>(first, pull);
                first += AT_ONCE;
            }
            match self.vectors - first {
                2 => self.some::<2, 4>(first, pull),
                4 => self.some::<4, 4>(first, pull),
                6 => self.some::<6, 2>(first, pull),
                _ => {}
            }
        }
        self.heard.swap(0, 1);
    }

    /// Of the signs that are heard.
    ///
    /// # Safety
    /// As of [`step`](Self::step).
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,bmi1,bmi2,popcnt")]
    unsafe fn energy(&self, fields: &[i32]) -> i64 {
        let mut twice = 0_i64;
        for first in (0..self.vectors).step_by(2) {
            let mut sums = [Sums([0; 16]); 2];
            // SAFETY: as of this function; there are two vectors to a line.
            unsafe {
                for (felt, sums) in self.felt::<2, 4>(first).into_iter().zip(&mut sums) {
                    _mm512_store_si512(sums.0.as_mut_ptr().cast(), felt);
                }
            }
            for (vector, sums) in sums.iter().enumerate() {
                for (lane, sum) in sums.0.iter().enumerate() {
                    let site = site_of(first + vector, lane);
                    if site < self.sites {
                        let felt = i64::from(*sum) + i64::from(fields[site]);
                        let down = self.positions[site / 32].0[site % 32] < 0;
                        twice += if down { -felt } else { felt };
                    }
                }
            }
        }
        -twice / 2
    }

    /// What `V` vectors of sites feel, from this one on, as `W` sums each: an addition waits for the one before it.
    ///
    /// # Safety
    /// As of [`step`](Self::step); so many vectors are there.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,bmi1,bmi2,popcnt")]
    unsafe fn felt<const V: usize, const W: usize>(&self, first: usize) -> [__m512i; V] {
        let columns = if self.heard_as == Heard::Signs { 4 } else { 2 };
        let groups = self.sites.div_ceil(columns);
        let heard: *const i32 = self.heard[0].as_ptr().cast();
        let mut sums = [[_mm512_setzero_si512(); V]; W];
        // SAFETY: a group has as many vectors of couplings as there are vectors of sums, and one number of 32 bits that is heard.
        unsafe {
            for (vector, sum) in sums[0].iter_mut().enumerate() {
                *sum = _mm512_load_si512(self.base.as_ptr().add(first + vector).cast());
            }
            let mut couplings: *const __m512i = self.couplings.as_ptr().add(first).cast();
            let mut group = 0;
            if self.heard_as == Heard::Signs {
                while group < groups {
                    for sums in sums.iter_mut().take(groups - group) {
                        let four = _mm512_set1_epi32(heard.add(group).read());
                        for (vector, sum) in sums.iter_mut().enumerate() {
                            *sum = _mm512_dpbusd_epi32(*sum, four, couplings.add(vector).read());
                        }
                        couplings = couplings.add(self.vectors);
                        group += 1;
                    }
                }
            } else {
                while group < groups {
                    for sums in sums.iter_mut().take(groups - group) {
                        let two = _mm512_set1_epi32(heard.add(group).read());
                        for (vector, sum) in sums.iter_mut().enumerate() {
                            *sum = _mm512_dpwssd_epi32(*sum, two, couplings.add(vector).read());
                        }
                        couplings = couplings.add(self.vectors);
                        group += 1;
                    }
                }
            }
        }
        std::array::from_fn(|vector| {
            (1..W).fold(sums[0][vector], |sum, which| _mm512_add_epi32(sum, sums[which][vector]))
        })
    }

    /// Moves `V` vectors of sites.
    ///
    /// # Safety
    /// As of [`step`](Self::step); so many vectors are there.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,bmi1,bmi2,popcnt")]
    unsafe fn some<const V: usize, const W: usize>(&mut self, first: usize, pull: i16) {
        // SAFETY: as of this function.
        let felt = unsafe { self.felt::<V, W>(first) };
        let rule = Rule::new(self.plan.force, pull);
        for pair in 0..V / 2 {
            let field = rule.packed(felt[2 * pair], felt[2 * pair + 1]);
            let line = first / 2 + pair;
            // SAFETY: there is a line of each for two vectors of sums.
            unsafe {
                let x = _mm512_load_si512(self.positions.as_ptr().add(line).cast());
                let y = _mm512_load_si512(self.momenta.as_ptr().add(line).cast());
                let (x, y, down) = rule.moved(x, y, field);
                _mm512_store_si512(self.positions.as_mut_ptr().add(line).cast(), x);
                _mm512_store_si512(self.momenta.as_mut_ptr().add(line).cast(), y);
                let heard = self.heard[1].as_mut_ptr();
                match self.heard_as {
                    Heard::Signs => {
                        let bytes = _mm256_maskz_set1_epi8(down, 2);
                        _mm256_store_si256(heard.cast::<__m256i>().add(line), bytes);
                    }
                    Heard::Words if self.plan.discrete => {
                        let plus = _mm512_set1_epi16(1);
                        let signs = _mm512_mask_sub_epi16(plus, down, _mm512_setzero_si512(), plus);
                        _mm512_store_si512(heard.add(line).cast(), signs);
                    }
                    Heard::Words => _mm512_store_si512(heard.add(line).cast(), x),
                }
            }
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
                self.positions[site / 32].0[site % 32] = x as i16;
                self.momenta[site / 32].0[site % 32] = y as i16;
                self.hear(site, x);
            }
        }
    }

    fn advance(&mut self, _: &Problem, from: u32, to: u32) {
        for step in from..to {
            // SAFETY: engines are made where the processor has AVX-512 and VNNI, alone.
            unsafe { self.step(self.plan.pull[step as usize]) };
        }
    }

    /// Reckoned from the couplings as they are laid out here, which are the problem's: what every site feels, times its spin.
    fn energies(&mut self, problem: &Problem, shown: &Block, energies: &mut [i64]) {
        if self.plan.discrete {
            // SAFETY: engines are made where the processor has AVX-512 and VNNI, alone.
            energies[0] = unsafe { self.energy(problem.fields()) };
        } else {
            shown.energies(problem, energies);
        }
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        for site in 0..self.sites {
            block.site_mut(site)[0] = u64::from(self.positions[site / 32].0[site % 32] >= 0);
        }
    }
}
