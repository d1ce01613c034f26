//! Iterative amplitude estimation (Grinko, Gacon, Zoufal and Woerner, npj Quantum Information 7, 52, 2021, algorithms 1 and 2).
//!
//! From shots at a power of Grover's operator, an interval of the angle theta follows as long as it is known in which half-turn
//! (4k + 2) theta lies. Each round takes the largest power at which the interval so far still lies in one half-turn.

use super::intervals::{Interval, Method, interval};
use super::{Amplified, MOST_POWER};
use crate::error::{Error, within};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Serialize;
use std::f64::consts::TAU;

/// A power must be so many times larger than the last that it is worth shots of its own.
const RATIO: f64 = 2.0;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// Half the width of the interval of the amplitude, at most.
    pub epsilon: f64,
    /// The interval misses the amplitude in so many of all cases, at most.
    pub alpha: f64,
    /// Shots of a round.
    pub shots: usize,
    /// How intervals are made.
    pub method: Method,
    /// Of the shots.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { epsilon: 0.01, alpha: 0.05, shots: 100, method: Method::ClopperPearson, seed: 1 }
    }
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Of the amplitude.
    pub interval: Interval,
    /// Its middle.
    pub value: f64,
    /// How often Grover's operator would have been applied on a machine, over all shots.
    pub queries: usize,
    /// All shots.
    pub shots: usize,
    /// The power of each round.
    pub powers: Vec<usize>,
}

/// Estimates the amplitude from shots. The probabilities of the shots are computed by running the circuits, exactly; they are drawn
/// by `settings.seed`.
///
/// # Errors
///
/// An epsilon that is not from 1e-6 to 0.5, an alpha that is not between 0 and 1, no shot, or more than 10^7 in a round.
pub fn estimate(problem: &mut Amplified, settings: &Settings) -> Result<Estimate, Error> {
    let Settings { epsilon, alpha, shots, method, seed } = *settings;
    within(epsilon, "epsilon", "from 1e-6 to 0.5", (1e-6..=0.5).contains(&epsilon))?;
    within(alpha, "alpha", "between 0 and 1", alpha > 0.0 && alpha < 1.0)?;
    within(shots as f64, "the number of shots of a round", "1 to 10000000", (1..=10_000_000).contains(&shots))?;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    // At most so many different powers are tried, and the error is shared among them.
    let rounds = (std::f64::consts::PI / (8.0 * epsilon)).log(RATIO).ceil().max(0.0) + 1.0;
    let alpha = alpha / rounds;
    // Of theta, in turns.
    let mut theta = Interval { low: 0.0, high: 0.25 };
    let (mut upper, mut power) = (true, 0);
    let (mut hits, mut at_power) = (0, 0);
    let mut done =
        Estimate { interval: Interval { low: 0.0, high: 1.0 }, value: 0.5, queries: 0, shots: 0, powers: Vec::new() };
    while done.interval.high - done.interval.low > 2.0 * epsilon {
        if let Some((next, half)) = larger(power, theta) {
            (power, upper) = (next, half);
            (hits, at_power) = (0, 0);
        }
        let probability = problem.probability(power)?;
        hits += (0..shots).filter(|_| random.random::<f64>() < probability).count();
        at_power += shots;
        done.shots += shots;
        done.queries += shots * power;
        done.powers.push(power);
        let seen = interval(hits, at_power, alpha, method)?;
        theta = angle(seen, power, upper, theta);
        done.interval = Interval { low: (TAU * theta.low).sin().powi(2), high: (TAU * theta.high).sin().powi(2) };
    }
    done.value = done.interval.middle();
    Ok(done)
}

/// The interval of theta, from that of the probability at a power. What shots at this power say together replaces what they said
/// before; never is an interval wider than the last.
fn angle(seen: Interval, power: usize, upper: bool, before: Interval) -> Interval {
    let scale = (4 * power + 2) as f64;
    // sin^2(x / 2) = (1 - cos x) / 2, for the angle x = scale theta within its half-turn.
    let within = |probability: f64| (1.0 - 2.0 * probability).clamp(-1.0, 1.0).acos() / TAU;
    let part = if upper {
        Interval { low: within(seen.low), high: within(seen.high) }
    } else {
        Interval { low: 1.0 - within(seen.high), high: 1.0 - within(seen.low) }
    };
    // The whole turns that the interval has behind it, whichever of its ends stands just on a border.
    let turns = (scale * before.middle()).floor();
    let now = Interval { low: (turns + part.low) / scale, high: (turns + part.high) / scale };
    let both = Interval { low: now.low.max(before.low), high: now.high.min(before.high) };
    if both.low <= both.high { both } else { now }
}

/// The largest power, [`RATIO`] times the last or more, at which all of the interval lies in one half-turn; is it the upper one?
fn larger(power: usize, theta: Interval) -> Option<(usize, bool)> {
    let last = (4 * power + 2) as f64;
    let widest = (1.0 / (2.0 * (theta.high - theta.low))).min((4 * MOST_POWER + 2) as f64);
    let mut scale = widest - (widest - 2.0).rem_euclid(4.0);
    // Of the form 4k + 2, as a whole number.
    scale = scale.round();
    while scale >= RATIO * last {
        let (low, high) = (scale * theta.low, scale * theta.high);
        let (from, to) = (low - low.floor(), high - low.floor());
        if to <= 0.5 {
            return Some((((scale - 2.0) / 4.0) as usize, true));
        }
        if from >= 0.5 && to <= 1.0 {
            return Some((((scale - 2.0) / 4.0) as usize, false));
        }
        scale -= 4.0;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_that_stands_just_below_a_border_has_the_turns_of_its_middle() {
        // At power 1 a turn of the angle is a sixth of one of theta; rounding has left the lower end before it.
        let before = Interval { low: 1.0 / 6.0 - 1e-15, high: 0.2 };
        let seen = Interval { low: 0.2, high: 0.3 };
        let after = angle(seen, 1, true, before);
        assert!(before.low <= after.low && after.high <= before.high, "{after:?}");
        for (end, probability) in [(after.low, 0.2), (after.high, 0.3)] {
            assert!(((std::f64::consts::PI * 6.0 * end).sin().powi(2) - probability).abs() < 1e-12, "{after:?}");
        }
    }
}
