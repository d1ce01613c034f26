//! Sobol sequences, scrambled: points that fill space more evenly than chance does.
//!
//! Directions are Joe and Kuo's (SIAM Journal on Scientific Computing 30, 2008), scrambling is Owen's by Burley's hash (Journal of Computer
//! Graphics Techniques 9(4), 2020), both by the crate `sobol_burley`, of which the 32 bits of a coordinate are taken rather than its `f32`. What scrambles a
//! coordinate is drawn by Philox from seed, replicate and coordinate, and so is what all its digits are shifted by behind that: a hash is no uniform number, and a
//! shift makes each point one. Replicates are independent, and their spread is an interval.

use super::normal;
use super::plan::Plan;
use super::twin::key;
use crate::philox::philox4x32;
use sobol_burley::parts::{owen_scramble_rev, sobol_rev};

/// What these random numbers are drawn for: the last word of a counter.
const USE: u32 = 4;

/// The normal numbers of a scenario at a time. A dimension is an asset at a time.
pub(crate) fn draw(plan: &Plan, scenario: u32, time: usize, into: &mut [f64]) {
    let (_, points) = plan.groups();
    let (replicate, point) = (scenario / points, scenario % points);
    let key = key(plan.job.seed);
    let (mut scrambles, mut shifts) = ([0; 4], [0; 4]);
    for (asset, number) in into.iter_mut().enumerate() {
        let dimension = (time * plan.assets() + asset) as u32;
        if asset == 0 || dimension.is_multiple_of(4) {
            scrambles = philox4x32([dimension / 4, replicate, 0, USE], key);
            shifts = philox4x32([dimension / 4, replicate, 1, USE], key);
        }
        let turned = sobol_rev(point.reverse_bits(), dimension);
        let scrambled = owen_scramble_rev(turned, scrambles[dimension as usize % 4]);
        *number = normal::of_word(scrambled.reverse_bits() ^ shifts[dimension as usize % 4]);
    }
}
