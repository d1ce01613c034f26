//! Whole lots that track target weights, and the cash that is left over.
//!
//! ```text
//! minimise   (w - t)' Σ (w - t)     over whole lots whose weights w keep to the mandate and do not cost more than there is
//! ```
//!
//! Money is whole: prices, capital and cash count one unit, whatever it is (1/10,000 dollar, say). Targets are rounded towards nothing, then
//! lots are added and taken away, alone and in pairs, while that helps; then all that could be better is enumerated
//! ([`Lots::proved`]), as far as the effort goes.

mod sphere;

use crate::mandate::{MOST_WEIGHT, Mandate, Refused};
use crate::universe::Universe;
use serde::Serialize;
use thiserror::Error;

/// Of capital and of the value of a lot, at most: so that no product of them is too large for whole numbers or for `f64`.
pub const MOST_MONEY: u64 = 1 << 53;

/// Nodes of the enumeration, at most.
pub const EFFORT: u64 = 2_000_000;

/// Lots are moved in pairs among so many names, at most.
const MOST_PAIRED: usize = 300;

/// A weight that misses a limit by less misses it by rounding.
const ROUNDING: f64 = 1e-9;

/// What lots cost, and what there is to buy them with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Of a share, in units of money, by name.
    pub price: Vec<u64>,
    /// Shares of a lot, by name.
    pub lot: Vec<u64>,
    /// In units of money.
    pub capital: u64,
}

/// Whole lots.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Lots {
    /// By name; what is short is negative.
    pub lots: Vec<i64>,
    /// By name.
    pub shares: Vec<i64>,
    /// By name, as parts of the capital.
    pub weights: Vec<f64>,
    /// What trading there costs, in units of money, rounded up.
    pub costs: u64,
    /// What is left over, in units of money: the capital less what is held (shorts add to it) and the costs.
    pub cash: i64,
    /// The standard deviation a period of the difference to the target.
    pub tracking: f64,
    /// By how much the limit is missed that is missed most; 0 to 1e-9 where whole lots can keep to all. Of the net weight only the
    /// upper limit counts: what is missing is cash.
    pub violation: f64,
    /// Is there nothing better? Else the enumeration ended before it was through.
    pub proved: bool,
}

/// Why there are no lots.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum LotsError {
    /// The mandate says what cannot be meant.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Not one for each name.
    #[error("{what}: {is} are given, and there are {names} names")]
    Length {
        /// Of what.
        what: &'static str,
        /// So many there are.
        is: usize,
        /// For so many names.
        names: usize,
    },
    /// A number out of range.
    #[error("{what} of `{name}` is {value}; it must be 1 to {most}")]
    Range {
        /// What it is.
        what: &'static str,
        /// Of which name.
        name: String,
        /// As it was given.
        value: u64,
        /// The most it can be.
        most: u64,
    },
    /// The capital is nothing, or too much.
    #[error("the capital is {0}; it must be 1 to {MOST_MONEY} units of money")]
    Capital(u64),
    /// A target that is no weight.
    #[error("the target of `{0}` is {1}; it must be -{MOST_WEIGHT} to {MOST_WEIGHT}")]
    Target(String, f64),
}

/// What is rounded, name by name of those that have a target.
pub(crate) struct Rounding<'a> {
    universe: &'a Universe,
    /// Without its lower limit of the net weight.
    mandate: Mandate,
    target: &'a [f64],
    terms: &'a Terms,
    /// Names with a target.
    names: Vec<usize>,
    /// What a lot weighs, of those.
    unit: Vec<f64>,
}

/// Lots of the names with a target, and how good they are: what is missed, then the squared tracking.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Held {
    lots: Vec<i64>,
    missed: f64,
    tracking: f64,
}

impl Held {
    fn better_than(&self, other: &Held) -> bool {
        // Less is rounding, and would go in circles.
        let enough = 1.0 - 1e-12;
        self.missed < other.missed - ROUNDING
            || (self.missed <= other.missed && self.tracking < other.tracking * enough)
    }
}

/// Rounds target weights to whole lots.
///
/// # Errors
/// What [`Mandate::check`] refuses, lengths that do not fit, numbers out of range.
pub fn round(universe: &Universe, mandate: &Mandate, target: &[f64], terms: &Terms) -> Result<Lots, LotsError> {
    round_within(universe, mandate, target, terms, EFFORT)
}

/// The same; of the enumeration, at most so many nodes.
///
/// # Errors
/// As [`round`].
pub fn round_within(
    universe: &Universe,
    mandate: &Mandate,
    target: &[f64],
    terms: &Terms,
    effort: u64,
) -> Result<Lots, LotsError> {
    let rounding = Rounding::new(universe, mandate, target, terms)?;
    let best = rounding.climbed(rounding.cut());
    let (best, proved) = rounding.enumerated(best, effort);
    Ok(rounding.answer(&best, proved))
}

impl<'a> Rounding<'a> {
    fn new(universe: &'a Universe, mandate: &Mandate, target: &'a [f64], terms: &'a Terms) -> Result<Self, LotsError> {
        mandate.check(universe)?;
        let names = universe.len();
        for (what, is) in [("prices", terms.price.len()), ("lots", terms.lot.len()), ("targets", target.len())] {
            if is != names {
                return Err(LotsError::Length { what, is, names });
            }
        }
        if !(1..=MOST_MONEY).contains(&terms.capital) {
            return Err(LotsError::Capital(terms.capital));
        }
        for (name, weight) in target.iter().enumerate() {
            let called = || universe.names()[name].clone();
            let (price, lot) = (terms.price[name], terms.lot[name]);
            for (what, value, most) in [("the price", price, MOST_MONEY), ("the lot", lot, MOST_MONEY / price.max(1))] {
                if !(1..=most).contains(&value) {
                    return Err(LotsError::Range { what, name: called(), value, most });
                }
            }
            if !(-MOST_WEIGHT..=MOST_WEIGHT).contains(weight) {
                return Err(LotsError::Target(called(), *weight));
            }
        }
        let mut mandate = mandate.clone();
        mandate.net.min = -MOST_WEIGHT;
        let names: Vec<usize> = (0..names).filter(|name| target[*name] != 0.0).collect();
        let unit =
            names.iter().map(|name| (terms.price[*name] * terms.lot[*name]) as f64 / terms.capital as f64).collect();
        Ok(Rounding { universe, mandate, target, terms, names, unit })
    }

    /// The targets, rounded towards nothing.
    fn cut(&self) -> Held {
        let lots = self.names.iter().zip(&self.unit).map(|(name, unit)| (self.target[*name] / unit).trunc() as i64);
        self.judged(lots.collect())
    }

    fn weights(&self, lots: &[i64]) -> Vec<f64> {
        let mut weights = vec![0.0; self.universe.len()];
        for ((name, unit), lots) in self.names.iter().zip(&self.unit).zip(lots) {
            weights[*name] = unit * *lots as f64;
        }
        weights
    }

    /// What lots are worth, and what trading there costs, in units of money.
    fn money(&self, lots: &[i64], weights: &[f64]) -> (i128, u64) {
        let value = |(name, lots): (&usize, &i64)| {
            i128::from(self.terms.price[*name]) * i128::from(self.terms.lot[*name]) * i128::from(*lots)
        };
        let costs = (self.mandate.cost_of(weights) * self.terms.capital as f64).ceil();
        (self.names.iter().zip(lots).map(value).sum(), costs as u64)
    }

    pub(crate) fn judged(&self, lots: Vec<i64>) -> Held {
        let weights = self.weights(&lots);
        Held { missed: self.missed(&lots, &weights), tracking: self.tracking(&weights), lots }
    }

    /// What is missed: limits, and the budget, which comes first.
    fn missed(&self, lots: &[i64], weights: &[f64]) -> f64 {
        let (value, costs) = self.money(lots, weights);
        // To the unit: the budget is not a matter of rounding.
        let budget = (self.mandate.net.max * self.terms.capital as f64).floor() as i128;
        let over = value + i128::from(costs) - budget;
        let missed = Some(self.mandate.violation_of(weights)).filter(|missed| *missed > ROUNDING).unwrap_or(0.0);
        if over > 0 { missed + 1.0 + over as f64 / self.terms.capital as f64 } else { missed }
    }

    fn tracking(&self, weights: &[f64]) -> f64 {
        let apart: Vec<f64> = weights.iter().zip(self.target).map(|(w, t)| w - t).collect();
        self.universe.variance_of(&apart).max(0.0)
    }

    /// Adds and takes away lots while that helps: alone, and where that does not help, in pairs.
    fn climbed(&self, mut best: Held) -> Held {
        let n = self.names.len();
        let alone: Vec<Vec<(usize, i64)>> = (0..n).flat_map(|i| [-1, 1].map(|step| vec![(i, step)])).collect();
        let pairs = (0..if n > MOST_PAIRED { 0 } else { n }).flat_map(|i| (0..i).map(move |j| (i, j)));
        let pairs: Vec<Vec<(usize, i64)>> = pairs.flat_map(|(i, j)| self.pairs(i, j)).collect();
        while let Some(better) = self.better(&best, &alone).or_else(|| self.better(&best, &pairs)) {
            best = better;
        }
        best
    }

    /// One lot of each, either way; and one lot of the one for as many of the other as pay for it.
    fn pairs(&self, i: usize, j: usize) -> Vec<Vec<(usize, i64)>> {
        let mut steps = [(-1, 1), (1, -1), (1, 1), (-1, -1)].map(|(a, b)| vec![(i, a), (j, b)]).to_vec();
        for (one, other) in [(i, j), (j, i)] {
            let pay = (self.unit[one] / self.unit[other]).ceil() as i64;
            if pay > 1 {
                steps.push(vec![(one, 1), (other, -pay)]);
            }
        }
        steps
    }

    /// The first of some steps that helps, those that help the tracking most ahead.
    fn better(&self, best: &Held, moves: &[Vec<(usize, i64)>]) -> Option<Held> {
        let mut apart: Vec<f64> = self.weights(&best.lots);
        apart.iter_mut().zip(self.target).for_each(|(w, t)| *w -= t);
        let slope: Vec<f64> =
            self.names.iter().map(|name| crate::dense::dot(self.universe.covariances(*name), &apart)).collect();
        let mut ahead: Vec<(f64, &Vec<(usize, i64)>)> = moves
            .iter()
            .map(|steps| (self.change(steps, &slope), steps))
            .filter(|(change, _)| best.missed > 0.0 || *change < 0.0)
            .collect();
        ahead.sort_by(|a, b| a.0.total_cmp(&b.0));
        ahead.into_iter().find_map(|(change, steps)| {
            let mut lots = best.lots.clone();
            steps.iter().for_each(|(at, step)| lots[*at] += step);
            let missed = self.missed(&lots, &self.weights(&lots));
            let held = Held { missed, tracking: best.tracking + change, lots };
            // Reckoned anew: what is added up drifts.
            held.better_than(best).then(|| self.judged(held.lots)).filter(|held| held.better_than(best))
        })
    }

    /// What steps change of the squared tracking, which has this half slope.
    fn change(&self, steps: &[(usize, i64)], slope: &[f64]) -> f64 {
        let step = |(at, lots): &(usize, i64)| (*at, self.unit[*at] * *lots as f64);
        let mut change = 0.0;
        for (i, a) in steps.iter().map(step) {
            change += 2.0 * a * slope[i];
            let row = self.universe.covariances(self.names[i]);
            change += steps.iter().map(step).map(|(j, b)| a * b * row[self.names[j]]).sum::<f64>();
        }
        change
    }

    fn answer(&self, best: &Held, proved: bool) -> Lots {
        let weights = self.weights(&best.lots);
        let (value, costs) = self.money(&best.lots, &weights);
        let (mut lots, mut shares) = (vec![0; self.universe.len()], vec![0; self.universe.len()]);
        for (name, held) in self.names.iter().zip(&best.lots) {
            lots[*name] = *held;
            shares[*name] = held.saturating_mul(self.terms.lot[*name] as i64);
        }
        let cash = i128::from(self.terms.capital) - value - i128::from(costs);
        Lots {
            lots,
            shares,
            violation: best.missed,
            tracking: best.tracking.sqrt(),
            costs,
            cash: cash.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64,
            weights,
            proved,
        }
    }
}
