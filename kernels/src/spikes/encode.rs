//! From numbers to spikes. None of these allocates after construction, and all are the same for the same inputs.

use super::program::Refused;

/// Delta modulation: what a value has moved since the last spike, once that is enough.
///
/// Lava 0.10's `DeltaEncoder` with `Compression.DENSE`, bit for bit, but that its spike comes one step later there; golden:
/// `tests/vectors/snn/d01_delta_encoder.json`.
///
/// ```
/// use firelane_kernels::spikes::encode::Delta;
///
/// let mut mid = Delta::new(1, 3, 0, None)?;
/// // The first value is all news; then a move of 3 or more is, and smaller ones add up.
/// assert_eq!([1000, 1002, 1003, 1001].map(|price| mid.encode(0, price)), [1000, 0, 3, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Delta {
    /// Shifted, as the values are.
    threshold: i64,
    exponent: u32,
    /// What a spike is clipped to.
    within: Option<(i64, i64)>,
    last: Box<[i64]>,
    /// What was moved and not told, of each unit.
    residue: Box<[i64]>,
}

firelane_gateway::state! { Delta { last, residue } without { threshold, exponent, within } }

impl Delta {
    /// The largest value, in size, that is told apart: 2^40.
    pub const MOST: i64 = 1 << 40;

    /// `units` values that are followed. A spike is a move of `vth` or more; values, and so spikes, are shifted left by `spike_exp`,
    /// and a spike is clipped to `num_bits` ahead of that (with its sign; 1 clips nothing, as in Lava).
    ///
    /// # Errors
    /// [`Refused::Range`]: vth is 0 to 2^40, spike_exp 0 to 7, num_bits 1 to 24.
    pub fn new(units: usize, vth: i64, spike_exp: u32, num_bits: Option<u32>) -> Result<Self, Refused> {
        let range = |key: &str, value: i64, low: i64, high: i64| match (low..=high).contains(&value) {
            true => Ok(()),
            false => Err(Refused::Range { node: "delta".to_owned(), key: key.to_owned(), value, low, high }),
        };
        range("vth", vth, 0, Self::MOST)?;
        range("spike_exp", i64::from(spike_exp), 0, 7)?;
        range("num_bits", num_bits.map_or(1, i64::from), 1, 24)?;
        let within = num_bits.filter(|&bits| bits > 1).map(|bits| {
            let half = 1_i64 << (bits - 1);
            (-half << spike_exp, (half - 1) << spike_exp)
        });
        let zeros = || vec![0; units].into_boxed_slice();
        Ok(Delta { threshold: vth << spike_exp, exponent: spike_exp, within, last: zeros(), residue: zeros() })
    }

    /// The next value of a unit; the spike that it makes, 0 for none. A value over [`Delta::MOST`] is taken for that, and a spike of
    /// more than 32 bits is clipped: the rest is told later. A unit that is not there is silent.
    pub fn encode(&mut self, unit: usize, value: i64) -> i32 {
        let (Some(last), Some(residue)) = (self.last.get_mut(unit), self.residue.get_mut(unit)) else { return 0 };
        let value = value.clamp(-Self::MOST, Self::MOST) << self.exponent;
        let moved = value.saturating_sub(*last).saturating_add(*residue);
        *last = value;
        let spike = if moved.saturating_abs() >= self.threshold { moved } else { 0 };
        let (low, high) = self.within.unwrap_or((-i64::from(i32::MAX), i64::from(i32::MAX)));
        let spike = spike.clamp(low, high);
        *residue = moved.saturating_sub(spike);
        spike as i32
    }
}

/// Rate coding: a unit fires by chance, the oftener the larger its value. It keeps nothing: whether a unit fires in a step is a function of
/// seed, step and unit.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    seed: u64,
}

impl Rate {
    /// What fires in every step.
    pub const ALWAYS: u32 = 1 << 16;

    /// With this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Rate { seed }
    }

    /// Does this unit fire in this step, if it is to fire in `rate` of [`Rate::ALWAYS`] steps?
    #[must_use]
    pub fn fires(self, step: u64, unit: u32, rate: u32) -> bool {
        // The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), on a number for each step and unit.
        let mut mixed = self.seed ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(unit) << 40);
        for (shift, times) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb), (31, 1)] {
            mixed = (mixed ^ (mixed >> shift)).wrapping_mul(times);
        }
        (mixed >> 48) < u64::from(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::base::{Reader, State, Writer};

    #[test]
    fn delta_modulation_is_lavas() {
        let text = include_str!("../../../tests/vectors/snn/d01_delta_encoder.json");
        let golden: serde_json::Value = serde_json::from_str(text).unwrap();
        let (mut spikes, mut cases) = (0, 0);
        for case in golden["cases"].as_array().unwrap() {
            let number = |key: &str| case[key].as_i64().unwrap();
            let rows = |key: &str| -> Vec<Vec<i64>> { serde_json::from_value(case[key].clone()).unwrap() };
            let bits = case["num_bits"].as_u64().map(|bits| bits as u32);
            let (inputs, outputs) = (rows("input"), rows("output"));
            let units = inputs[0].len();
            let mut delta = Delta::new(units, number("vth"), number("spike_exp") as u32, bits).unwrap();
            for (input, output) in inputs.iter().zip(outputs.iter().skip(1)) {
                let found: Vec<i64> = (0..units).map(|unit| delta.encode(unit, input[unit]).into()).collect();
                assert_eq!(&found, output);
                spikes += found.iter().filter(|&&spike| spike != 0).count();
            }
            cases += 1;
        }
        assert!(cases == 5 && spikes > 1_000, "{cases} {spikes}");
    }

    #[test]
    fn a_delta_that_is_saved_goes_on_as_it_would_have() {
        let mut delta = Delta::new(2, 10, 1, Some(8)).unwrap();
        for value in [5, 400, 403] {
            delta.encode(1, value);
        }
        let saved = Writer::of(&delta);
        let mut other = Delta::new(2, 10, 1, Some(8)).unwrap();
        let mut reader = Reader(&saved);
        other.load(&mut reader).unwrap();
        assert!(reader.0.is_empty());
        let on = |delta: &mut Delta| [404, 410, 380].map(|value| delta.encode(1, value));
        let expected = on(&mut delta);
        assert_eq!(on(&mut other), expected);
        assert_ne!(on(&mut Delta::new(2, 10, 1, Some(8)).unwrap()), expected);
    }

    #[test]
    fn a_delta_has_its_limits() {
        for (vth, exp, bits, fine) in [
            (0, 0, Some(1), true),
            (Delta::MOST, 7, Some(24), true),
            (-1, 0, None, false),
            (Delta::MOST + 1, 0, None, false),
            (1, 8, None, false),
            (1, 0, Some(0), false),
            (1, 0, Some(25), false),
        ] {
            assert_eq!(Delta::new(1, vth, exp, bits).is_ok(), fine, "{vth} {exp} {bits:?}");
        }
        let mut delta = Delta::new(1, 1, 7, None).unwrap();
        // It is told in pieces of 32 bits, and nothing of it is lost.
        assert_eq!(delta.encode(0, i64::MAX), i32::MAX);
        assert_eq!(
            (0..70_000).map(|_| i64::from(delta.encode(0, i64::MAX))).sum::<i64>(),
            (Delta::MOST << 7) - i64::from(i32::MAX)
        );
        assert_eq!((delta.encode(1, 5), delta.encode(0, Delta::MOST)), (0, 0));
        // A move of exactly the threshold is one.
        let mut delta = Delta::new(1, 4, 0, None).unwrap();
        assert_eq!([3, 4, 1, 0].map(|value| delta.encode(0, value)), [0, 4, 0, -4]);
    }

    #[test]
    fn a_rate_is_reached_and_the_same_for_a_seed() {
        for (rate, low, high) in [(0, 0, 0), (3_277, 480, 520), (32_768, 4_900, 5_100), (Rate::ALWAYS, 10_000, 10_000)]
        {
            let count = |seed: u64| (0..10_000).filter(|&step| Rate::new(seed).fires(step, 7, rate)).count();
            // Within what chance allows: three deviations of a fair coin are 150 of 10,000.
            let slack = if rate == 0 || rate == Rate::ALWAYS { 0 } else { 130 };
            assert!((low - low.min(slack)..=high + slack).contains(&count(1)), "{rate}: {}", count(1));
            assert_eq!(count(1), count(1));
        }
        let train = |seed, unit| (0..64).map(|step| Rate::new(seed).fires(step, unit, 32_768)).collect::<Vec<_>>();
        assert_ne!(train(1, 0), train(2, 0));
        assert_ne!(train(1, 0), train(1, 1));
        assert_eq!(train(3, 9), train(3, 9));
    }
}
