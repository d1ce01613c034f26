//! From a job and a problem to the integers that a device computes with.
//!
//! What is real in the papers is decided here, once, in floating point; what devices are given is integers, so that any two of them do
//! the same. Positions are in units of `2^-14` (`x = 1` is 16,384), and momenta, multiplied with the time step, in units of `2^-13`, both in 16 bits.

use super::job::{Algorithm, Bifurcation, Cooling, Job, Ladder, Transverse};
use super::philox::Random;
use super::problem::Problem;
use super::spectrum;
use thiserror::Error;

/// The position 1.
pub const ONE: i32 = 1 << 14;
/// The share of the greatest stable time step that is taken if none is given. (Larger ones find less: measured on G1, G22, G70 and K2000.)
const OF_STABLE: f64 = 0.78;
/// No time step is over this: its square, in 14 bits, is to be within 16.
const LONGEST_STEP: f64 = 1.4;
/// No time step that is chosen here is.
const LONGEST_CHOSEN: f64 = 1.25;

/// A job that is none.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum Misplanned {
    /// A number that counts something.
    #[error("{what}: {value}; from 1 to {most} can be had")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many.
        value: u32,
        /// The most.
        most: u32,
    },
    /// A number that sets something.
    #[error("{what} is {value}; {rule}")]
    Setting {
        /// What.
        what: &'static str,
        /// The number.
        value: f64,
        /// What it can be.
        rule: &'static str,
    },
    /// The device is for other algorithms.
    #[error("this device does not solve by {0}")]
    Algorithm(&'static str),
}

fn positive(what: &'static str, value: f64) -> Result<f64, Misplanned> {
    let fine = value.is_finite() && value > 0.0;
    fine.then_some(value).ok_or(Misplanned::Setting { what, value, rule: "it must be above 0, and finite" })
}

/// How a field becomes a force: `clamp(field >> shift, -clip, clip) * gain`, which is within 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Force {
    /// What is taken off a field.
    pub shift: u32,
    /// What it is multiplied with then.
    pub gain: i16,
    /// What it is at most, before.
    pub clip: i16,
}

impl Force {
    /// So many units of a momentum for each unit of a field: the least shift that leaves a gain of 8 or more, which is right to a
    /// sixteenth.
    fn of(unit: f64) -> Force {
        let (mut shift, mut gain) = (0, unit);
        while gain < 8.0 && shift < 31 {
            shift += 1;
            gain *= 2.0;
        }
        let gain = gain.round().clamp(1.0, f64::from(i16::MAX)) as i16;
        Force { shift, gain, clip: i16::MAX / gain }
    }

    /// Of this field.
    #[must_use]
    #[inline]
    pub fn act(self, field: i32) -> i32 {
        let clip = i32::from(self.clip);
        (field >> self.shift).clamp(-clip, clip) * i32::from(self.gain)
    }
}

/// Simulated bifurcation, in integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bifurcating {
    /// Do forces come from signs?
    pub discrete: bool,
    /// How strongly a position is pulled back, for each step: the square of the time step, and what is left of the detuning, in units of `2^-14`.
    pub pull: Vec<i16>,
    /// Bits of a position that are not heard, so that sums stay within 32 bits; of bSB alone.
    pub deaf: u32,
    /// What a field does.
    pub force: Force,
}

/// A temperature. A spin that feels `f` flips if `s f <= (NEGATIVE_LOGARITHM[u] * mantissa) >> shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Temperature {
    /// Below `2^16`.
    pub mantissa: u32,
    /// Below 32.
    pub shift: u32,
}

impl Temperature {
    /// Of this temperature, in units of the energy. What a flip costs is twice what is felt: half of it counts.
    fn of(units: f64) -> Temperature {
        // In 12 bits behind the point, as the logarithms are.
        let (mut mantissa, mut shift) = (units / 2.0, 12);
        while mantissa < 32_768.0 && shift < 31 {
            mantissa *= 2.0;
            shift += 1;
        }
        while mantissa >= 65_535.5 && shift > 0 {
            mantissa /= 2.0;
            shift -= 1;
        }
        Temperature { mantissa: mantissa.round().min(65_535.0) as u32, shift }
    }

    /// What may be paid for a flip under this random number: half of the rise in energy.
    #[must_use]
    #[inline]
    pub fn allows(self, logarithms: &Logarithms, random: u16) -> i32 {
        ((logarithms.of(random) * self.mantissa) >> self.shift).min(i32::MAX as u32) as i32
    }
}

/// Minus the natural logarithm of `(u + 1/2) / 65,536`, in units of `2^-12`, for each `u` of 16 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logarithms(Box<[u16]>);

impl Default for Logarithms {
    fn default() -> Self {
        Logarithms((0..=u16::MAX).map(Self::reckon).collect())
    }
}

impl Logarithms {
    /// In integers, so that no library's last bit matters: 17 - log2(2 u + 1), bit by bit (squared, and halved where it is 2 or more), by
    /// the natural logarithm of 2.
    fn reckon(u: u16) -> u16 {
        let odd = 2 * u64::from(u) + 1;
        let whole = u64::from(odd.ilog2());
        let mut rest = (odd << 31) >> whole;
        let mut binary = whole;
        for _ in 0..32 {
            rest = (rest * rest) >> 31;
            binary <<= 1;
            if rest >= 1 << 32 {
                rest >>= 1;
                binary |= 1;
            }
        }
        let left = (17_u64 << 32) - binary;
        /// Of 2, in 32 bits behind the point.
        const NATURAL_OF_TWO: u128 = 2_977_044_472;
        let natural = u128::from(left) * NATURAL_OF_TWO;
        ((natural + (1 << 51)) >> 52) as u16
    }

    /// Of this number.
    #[must_use]
    #[inline]
    pub fn of(&self, random: u16) -> u32 {
        u32::from(self.0[usize::from(random)])
    }

    /// All of them, for a device.
    #[must_use]
    pub fn table(&self) -> &[u16] {
        &self.0
    }

    /// How many random numbers, from 0 on, allow so much. More allow less: those are the ones below it.
    #[must_use]
    pub fn allowing(&self, temperature: Temperature, felt: i32) -> u32 {
        self.0.partition_point(|logarithm| {
            let allowed = (u32::from(*logarithm) * temperature.mantissa) >> temperature.shift;
            i64::from(allowed) >= i64::from(felt)
        }) as u32
    }
}

/// What a device does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Simulated bifurcation.
    Bifurcating(Bifurcating),
    /// Simulated annealing: a temperature for each sweep.
    Annealing(Vec<Temperature>),
    /// Parallel tempering: a temperature for each rung, the coldest first, and what exchanges go by.
    Tempering(Vec<Temperature>, Vec<Exchange>),
    /// Simulated quantum annealing.
    Quantum {
        /// Bits behind the point of what is felt: what holds neighbouring slices together would round to nothing without them.
        fraction: u32,
        /// Slices.
        slices: u32,
        /// Of all sweeps.
        temperature: Temperature,
        /// For each sweep.
        bonds: Vec<i32>,
    },
}

/// When two rungs exchange their spins: if `energy difference * weight >> 24 <= NEGATIVE_LOGARITHM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The difference of the two inverse temperatures, in units of `2^-36` (12 bits are the logarithm's).
    pub weight: i64,
}

impl Plan {
    /// Of this job.
    ///
    /// # Errors
    /// [`Misplanned`].
    pub fn of(problem: &Problem, job: &Job) -> Result<Plan, Misplanned> {
        job.check()?;
        match job.algorithm {
            Algorithm::Ballistic(settings) => bifurcating(problem, false, settings, job.steps),
            Algorithm::Discrete(settings) => bifurcating(problem, true, settings, job.steps),
            Algorithm::Annealing(Cooling { hot, cold }) => {
                let (hot, cold) = range(problem, hot, cold)?;
                let (slow, fast) = (1.0 / hot, 1.0 / cold);
                let inverse = |step: u32| slow + (fast - slow) * f64::from(step) / f64::from((job.steps - 1).max(1));
                Ok(Plan::Annealing((0..job.steps).map(|step| Temperature::of(1.0 / inverse(step))).collect()))
            }
            Algorithm::Tempering(ladder) => tempering(problem, ladder),
            Algorithm::Quantum(settings) => quantum(problem, settings, job.steps),
        }
    }
}

fn bifurcating(problem: &Problem, discrete: bool, set: Bifurcation, steps: u32) -> Result<Plan, Misplanned> {
    let gain = match set.gain {
        Some(gain) => positive("gain", gain)?,
        None => spectrum::gain(problem),
    };
    let time_step = match set.time_step {
        Some(step) => positive("time_step", step)?,
        None => (OF_STABLE * 2.0 / (1.0 + gain * spectrum::lowest(problem).abs()).sqrt()).min(LONGEST_CHOSEN),
    };
    if time_step > LONGEST_STEP {
        let rule = "a step of over 1.4 can't be stable";
        return Err(Misplanned::Setting { what: "time_step", value: time_step, rule });
    }
    let square = time_step * time_step;
    // From a detuning of 1 down to 0, evenly.
    let left = |step: u32| 1.0 - f64::from(step) / f64::from((steps - 1).max(1));
    let pull = (0..steps).map(|step| (square * left(step) * f64::from(ONE)).round() as i16).collect();
    // A sum of so many bits, and 14 for a position: 31 can be had.
    let bits = 64 - problem.strongest().leading_zeros();
    let deaf = if discrete { 0 } else { (bits + 14).saturating_sub(31).min(14) };
    let unit = gain * square * 8_192.0;
    let heard = if discrete { unit } else { unit / f64::from(ONE >> deaf) };
    Ok(Plan::Bifurcating(Bifurcating { discrete, pull, deaf, force: Force::of(heard) }))
}

/// Temperatures between which spins freeze. At the hot end, a flip against half of a usual field is taken every other time; at the
/// cold end, one against the weakest coupling (or a sixteenth of a usual field, if that is more) one time in a hundred.
fn range(problem: &Problem, hot: Option<f64>, cold: Option<f64>) -> Result<(f64, f64), Misplanned> {
    let hot = match hot {
        Some(hot) => positive("hot", hot)?,
        None => spectrum::root_mean_square(problem).max(0.5) / std::f64::consts::LN_2,
    };
    let cold = match cold {
        Some(cold) => positive("cold", cold)?,
        None => {
            let weakest = spectrum::smallest(problem).max(spectrum::root_mean_square(problem) / 16.0);
            (2.0 * weakest / 100_f64.ln()).min(hot / 2.0)
        }
    };
    if cold > hot {
        let rule = "it must be at most the hot end";
        return Err(Misplanned::Setting { what: "cold", value: cold, rule });
    }
    Ok((hot, cold))
}

fn tempering(problem: &Problem, ladder: Ladder) -> Result<Plan, Misplanned> {
    if !(2..=64).contains(&ladder.rungs) {
        return Err(Misplanned::Count { what: "rungs (2 at least)", value: ladder.rungs, most: 64 });
    }
    let (hot, cold) = range(problem, ladder.hot, ladder.cold)?;
    let rung = |rung: u32| cold * (hot / cold).powf(f64::from(rung) / f64::from(ladder.rungs - 1));
    let temperatures = (0..ladder.rungs).map(|at| Temperature::of(rung(at))).collect();
    let between = |at: u32| 1.0 / rung(at) - 1.0 / rung(at + 1);
    let weight = |at: u32| Exchange { weight: (between(at) * (1_u64 << 36) as f64).min(1e17).round() as i64 };
    Ok(Plan::Tempering(temperatures, (0..ladder.rungs - 1).map(weight).collect()))
}

fn quantum(problem: &Problem, set: Transverse, steps: u32) -> Result<Plan, Misplanned> {
    if !(3..=64).contains(&set.slices) {
        return Err(Misplanned::Count { what: "slices (3 at least)", value: set.slices, most: 64 });
    }
    let (hot, cold) = range(problem, None, None)?;
    let temperature = match set.temperature {
        Some(temperature) => positive("temperature", temperature)?,
        None => cold,
    };
    let field = match set.field {
        Some(field) => positive("field", field)?,
        None => hot,
    };
    let fraction = 8 - (spectrum::root_mean_square(problem) as u32).max(1).ilog2().min(8);
    let finer = f64::from(1 << fraction);
    // Suzuki and Trotter: a slice is at `slices` times the temperature, and slices are bound by -T P / 2 ln tanh(field / (T P)).
    let slice = temperature * f64::from(set.slices);
    let bond = |step: u32| {
        let left = field * (1.0 - (f64::from(step) + 0.5) / f64::from(steps));
        let bond = -slice / 2.0 * (left / slice).tanh().ln() * finer;
        bond.round().clamp(0.0, f64::from(1 << 28)) as i32
    };
    let bonds = (0..steps).map(bond).collect();
    Ok(Plan::Quantum { fraction, slices: set.slices, temperature: Temperature::of(slice * finer), bonds })
}

/// Where a replica begins, for the four sites from `4 * block` on: a position and a momentum, each within a tenth of 1.
#[must_use]
#[inline]
pub fn start(random: Random, replica: u32, block: u32) -> [(i32, i32); 4] {
    let eight = random.eight(super::philox::Use::Start, replica, 0, block);
    let near_nothing = |number: u16| ((i32::from(number) - 32_768) * (ONE / 10)) >> 15;
    std::array::from_fn(|site| (near_nothing(eight[2 * site]), near_nothing(eight[2 * site + 1])))
}

/// Whether a spin is up where a part of a replica begins.
#[must_use]
#[inline]
pub fn starts_up(random: Random, part: u32, replica: u32, site: u32) -> bool {
    let eight = random.eight_of(super::philox::Use::Start, part, replica, 0, site / 8);
    eight[(site % 8) as usize] >> 15 == 1
}
