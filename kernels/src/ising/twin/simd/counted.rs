//! Simulated bifurcation and annealing of 128 to 512 replicas at once, for couplings of one size, with AVX-512. What a site feels is
//! counted by full adders, a bit of each replica to a word; positions, momenta and thresholds are in lanes of 16 bits.

mod annealed;
mod bifurcated;

pub(super) use annealed::Annealed;
pub(super) use bifurcated::Bifurcated;

use super::layout::Layout;
use super::plane::{Plane, add_up, count_unlike};

/// Lanes of 16 bits in a vector.
const LANES: usize = 32;

/// A vector's worth of lanes, where a vector can be read from at once.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line([i16; LANES]);

/// Words of bits, where a vector can be read from at once.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Words([u64; 8]);

/// Spins of all places, `P::WORDS` words each.
struct Bits(Vec<Words>);

impl Bits {
    fn new(words: usize) -> Self {
        Bits(vec![Words([0; 8]); words.div_ceil(8)])
    }

    fn as_ptr(&self) -> *const u64 {
        self.0.as_ptr().cast()
    }

    fn as_mut_ptr(&mut self) -> *mut u64 {
        self.0.as_mut_ptr().cast()
    }

    fn word(&mut self, at: usize) -> &mut u64 {
        &mut self.0[at / 8].0[at % 8]
    }
}

/// The bits of a line of lanes. Read as what may change at any time, so that they come from memory: out of a vector's register they would come
/// through the unit that adds.
#[inline(always)]
fn half(words: &[u64; 8], line: usize) -> u32 {
    assert!(line < 16);
    // SAFETY: there are sixteen halves.
    unsafe { words.as_ptr().cast::<u32>().add(line).read_volatile() }
}

/// The energy of each replica: pairs that are with each other and aren't alike are counted, and pairs that are against each other and are.
///
/// # Safety
/// The processor has AVX-512 F, BW, VL and DQ.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,bmi2,popcnt")]
unsafe fn count_energies<P: Plane>(layout: &Layout, spins: &Bits, energies: &mut [i64]) {
    let spins = spins.as_ptr();
    // Of pairs with each other, and of pairs against each other, that aren't alike; and of spins that are up.
    // SAFETY: as of this function, from here on: a place has its words.
    unsafe {
        let mut unlike = [[P::zero(); 32]; 2];
        let mut pairs = [0_i64; 2];
        for place in 0..layout.len() {
            let own = P::load(spins.add(place * P::WORDS));
            for (kind, list) in [layout.with(place), layout.against(place)].into_iter().enumerate() {
                // Each pair once.
                let list = &list[..list.partition_point(|other| (*other as usize) < place * P::WORDS)];
                if !list.is_empty() {
                    pairs[kind] += list.len() as i64;
                    add_up(&mut unlike[kind], &count_unlike::<P, u32, 15>(spins, own, list));
                }
            }
        }
        let unlike = unlike.map(|planes| Numbers::of(&planes));
        let up = layout.complete.then(|| {
            let everyone = layout.everyone();
            Numbers::of(&count_unlike::<P, u32, 15>(spins, P::zero(), &everyone))
        });
        for (lane, energy) in energies.iter_mut().enumerate() {
            let sum = |kind: usize| pairs[kind] - 2 * unlike[kind].of_lane(lane);
            *energy = match &up {
                None => sum(1) - sum(0),
                // All pairs are half of what is left of the square of the sum.
                Some(up) => {
                    let sites = layout.len() as i64;
                    let all = 2 * up.of_lane(lane) - sites;
                    (all * all - sites) / 2 - 2 * sum(0)
                }
            } * i64::from(layout.size);
        }
    }
}

/// The numbers whose bits are planes.
struct Numbers(Vec<[u64; 8]>);

impl Numbers {
    /// # Safety
    /// AVX-512 F and VL are compiled for.
    #[inline(always)]
    unsafe fn of<P: Plane, const B: usize>(planes: &[P; B]) -> Numbers {
        let mut numbers = vec![[0; 8]; B];
        for (plane, words) in planes.iter().zip(&mut numbers) {
            // SAFETY: as of this function; there is room for the words of a plane.
            unsafe { plane.store(words.as_mut_ptr()) };
        }
        Numbers(numbers)
    }

    fn of_lane(&self, lane: usize) -> i64 {
        let bit = |(place, plane): (usize, &[u64; 8])| ((plane[lane / 64] >> (lane % 64) & 1) as i64) << place;
        self.0.iter().enumerate().map(bit).sum()
    }
}
