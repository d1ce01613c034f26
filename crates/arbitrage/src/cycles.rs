//! The best cycle through currencies: exactly.
//!
//! ```text
//! quotes ──> Graph: of each pair of currencies the best leg ──> best: enumeration, or subsets ──> Cycle: legs, gain, size
//!            (potentials: logarithms near 0)                      (both exact; the lesser work)     (integers alone)
//! ```
//!
//! Logarithms say where to look; what is answered is reckoned from the quotes in integers. Two cycles whose logarithms are closer than
//! [`CLOSE`] are compared by their products.

pub mod annealed;
pub mod bellman_ford;
pub mod enumerated;
pub mod subsets;

use crate::quotes::{Leg, Quotes, Take};
use num_bigint::BigUint;
use std::cmp::Ordering;
use thiserror::Error;

/// Logarithms that are closer than this are not told apart by floats.
pub const CLOSE: f64 = 1e-12;
/// Steps of a search that is begun, at most: some ten seconds.
pub const MOST_STEPS: u64 = 10_000_000_000;

/// Why no cycle is searched for.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CycleError {
    /// Cycles of less than two legs, or of more than there are currencies.
    #[error("cycles of at most {asked} legs: with {currencies} currencies it must be 2 to {currencies}")]
    Length {
        /// So many legs were asked for.
        asked: usize,
        /// So many there are.
        currencies: usize,
    },
    /// It would take too long.
    #[error(
        "all cycles of at most {asked} legs through {currencies} currencies take {steps:.1e} steps, over {MOST_STEPS:.0e}; \
         {fits} legs can be searched",
        steps = *.steps as f64
    )]
    Work {
        /// So many legs were asked for.
        asked: usize,
        /// So many currencies there are.
        currencies: usize,
        /// So many steps it would take.
        steps: u64,
        /// So many legs could be searched.
        fits: usize,
    },
}

/// Of each pair of currencies the leg that brings most.
#[derive(Clone, Debug)]
pub struct Graph<'a> {
    quotes: &'a Quotes,
    currencies: usize,
    legs: Vec<Option<Leg>>,
    /// Logarithms of rates, plus the potential of what is given, less that of what is got: the sum over a cycle is the same, and near 0.
    weights: Vec<f64>,
}

impl<'a> Graph<'a> {
    /// Of these quotes.
    #[must_use]
    pub fn new(quotes: &'a Quotes) -> Graph<'a> {
        let n = quotes.currencies().len();
        let mut graph =
            Graph { quotes, currencies: n, legs: vec![None; n * n], weights: vec![f64::NEG_INFINITY; n * n] };
        for leg in quotes.legs() {
            let (from, to) = quotes.ends(leg);
            let at = from * n + to;
            let better = graph.legs[at].is_none_or(|known| compare(quotes, &[leg], &[known]) == Ordering::Greater);
            if let Some(rate) = quotes.rate(leg).filter(|_| better) {
                (graph.legs[at], graph.weights[at]) = (Some(leg), rate.log());
            }
        }
        graph.reduce();
        graph
    }

    /// Potentials along the fewest legs: what a currency is worth in mid prices.
    fn reduce(&mut self) {
        let n = self.currencies;
        let mut potential: Vec<Option<f64>> = vec![None; n];
        for root in 0..n {
            let mut next = Vec::new();
            if potential[root].is_none() {
                potential[root] = Some(0.0);
                next.push(root);
            }
            while !next.is_empty() {
                let mut found = Vec::new();
                for &from in &next {
                    for to in 0..n {
                        let (out, back) = (self.weights[from * n + to], self.weights[to * n + from]);
                        let mid = match (out.is_finite(), back.is_finite()) {
                            (true, true) => (out - back) / 2.0,
                            (true, false) => out,
                            (false, true) => -back,
                            (false, false) => continue,
                        };
                        if let (None, Some(here)) = (potential[to], potential[from]) {
                            potential[to] = Some(here + mid);
                            found.push(to);
                        }
                    }
                }
                next = found;
            }
        }
        for from in 0..n {
            for to in 0..n {
                self.weights[from * n + to] += potential[from].unwrap_or(0.0) - potential[to].unwrap_or(0.0);
            }
        }
    }

    /// The quotes.
    #[must_use]
    pub fn quotes(&self) -> &'a Quotes {
        self.quotes
    }

    /// How many currencies.
    #[must_use]
    pub fn currencies(&self) -> usize {
        self.currencies
    }

    /// The weight from one to another; minus infinity where nothing leads.
    #[must_use]
    #[inline]
    pub fn weight(&self, from: usize, to: usize) -> f64 {
        self.weights[from * self.currencies + to]
    }

    /// The best leg from one to another.
    #[must_use]
    pub fn leg(&self, from: usize, to: usize) -> Option<Leg> {
        self.legs[from * self.currencies + to]
    }

    /// The cycle through these currencies, in this order and back to the first; nothing if a leg is not quoted.
    #[must_use]
    pub fn cycle(&self, through: &[usize]) -> Option<Cycle> {
        let next = through.iter().cycle().skip(1);
        let legs: Option<Vec<Leg>> = through.iter().zip(next).map(|(from, to)| self.leg(*from, *to)).collect();
        Some(Cycle { through: through.to_vec(), legs: legs? })
    }

    /// The sum of weights around: the logarithm of the product.
    #[must_use]
    pub fn log(&self, through: &[usize]) -> f64 {
        let next = through.iter().cycle().skip(1);
        through.iter().zip(next).map(|(from, to)| self.weight(*from, *to)).sum()
    }

    /// Is the first of these cycles better?
    fn is_better(&self, log: f64, through: &[usize], best: &Option<(f64, Vec<usize>)>) -> bool {
        let Some((known, other)) = best else { return true };
        if (log - known).abs() > CLOSE {
            return log > *known;
        }
        match (self.cycle(through), self.cycle(other)) {
            (Some(one), Some(other)) => compare(self.quotes, &one.legs, &other.legs) == Ordering::Greater,
            _ => false,
        }
    }
}

/// A cycle that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cycle {
    /// The currencies that are given, in order; the last leg comes back to the first.
    pub through: Vec<usize>,
    /// What is done.
    pub legs: Vec<Leg>,
}

/// What a cycle makes of one unit: a fraction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Product {
    numerator: BigUint,
    denominator: BigUint,
}

/// What can be sent around at once, in money's units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Filled {
    /// Of the first currency, what is given.
    pub given: u64,
    /// And what comes back: each leg rounded down to a unit.
    pub got: u64,
}

impl Cycle {
    /// What becomes of one unit, exactly.
    #[must_use]
    pub fn product(&self, quotes: &Quotes) -> Product {
        product(quotes, &self.legs)
    }

    /// The most that all sizes let pass, and what comes back of it.
    #[must_use]
    pub fn filled(&self, quotes: &Quotes) -> Filled {
        let through = |given: u64| {
            self.legs.iter().try_fold(given, |amount, leg| {
                let (rate, level) = (quotes.rate(*leg)?, quotes.level(*leg)?);
                let got = u64::try_from(times(amount, rate.numerator, rate.denominator)?).ok()?;
                // The size is of the base, whichever way; what is bought is more than what is left after the fee.
                let dealt = match leg.take {
                    Take::Sell => u128::from(amount),
                    Take::Buy => {
                        let one = 10_u128.pow(level.price.places);
                        times(amount, one, level.price.mantissa.into())?
                    }
                };
                (dealt <= u128::from(level.size)).then_some(got)
            })
        };
        // What passes is more of less: halved until no unit more passes.
        let (mut passes, mut stops) = (0, 10_u64.pow(18));
        while stops - passes > 1 {
            let middle = passes + (stops - passes) / 2;
            if through(middle).is_some() { passes = middle } else { stops = middle }
        }
        Filled { given: passes, got: through(passes).unwrap_or(0) }
    }
}

/// `amount * numerator / denominator`, rounded down.
fn times(amount: u64, numerator: u128, denominator: u128) -> Option<u128> {
    // Rates have 15 + 6 digits above the line, amounts 18: in 128 bits is place for 38.
    match u128::from(amount).checked_mul(numerator) {
        Some(product) => Some(product / denominator),
        None => u128::try_from(BigUint::from(amount) * numerator / denominator).ok(),
    }
}

impl Product {
    /// More than was given?
    #[must_use]
    pub fn is_gain(&self) -> bool {
        self.numerator > self.denominator
    }

    /// What is gained (or, below 0, lost), as a part of what was given: to 15 digits behind the point, rounded towards 0.
    #[must_use]
    pub fn gain(&self) -> f64 {
        let (more, less) =
            if self.is_gain() { (&self.numerator, &self.denominator) } else { (&self.denominator, &self.numerator) };
        let parts = (more - less) * 10_u64.pow(15) / &self.denominator;
        let size = u128::try_from(parts).map_or(f64::INFINITY, |parts| parts as f64 / 1e15);
        if self.is_gain() { size } else { -size }
    }
}

/// Of products, exactly.
#[must_use]
pub fn compare(quotes: &Quotes, one: &[Leg], other: &[Leg]) -> Ordering {
    let (one, other) = (product(quotes, one), product(quotes, other));
    (one.numerator * other.denominator).cmp(&(other.numerator * one.denominator))
}

fn product(quotes: &Quotes, legs: &[Leg]) -> Product {
    let rates = || legs.iter().filter_map(|leg| quotes.rate(*leg));
    Product {
        numerator: rates().map(|rate| BigUint::from(rate.numerator)).product(),
        denominator: rates().map(|rate| BigUint::from(rate.denominator)).product(),
    }
}

/// How a best cycle was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// One cycle after another.
    Enumeration,
    /// Sets of currencies: the best way through each, to each.
    Subsets,
}

/// The best cycle, and what it took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Best {
    /// None if no leg leads back to where it came from.
    pub cycle: Option<Cycle>,
    /// How.
    pub by: By,
    /// Legs that were looked at.
    pub steps: u64,
}

/// The best cycle of 2 to `longest` legs: there is no better one.
///
/// # Errors
/// [`CycleError`]: `longest` out of range, or more than [`MOST_STEPS`] of work.
pub fn best(graph: &Graph<'_>, longest: usize) -> Result<Best, CycleError> {
    let n = graph.currencies();
    if longest < 2 || longest > n {
        return Err(CycleError::Length { asked: longest, currencies: n });
    }
    let (by, steps) = cheapest(n, longest);
    if steps > MOST_STEPS {
        let fits = (2..longest).rev().find(|longest| cheapest(n, *longest).1 <= MOST_STEPS).unwrap_or(2);
        return Err(CycleError::Work { asked: longest, currencies: n, steps, fits });
    }
    let (found, steps) = match by {
        By::Enumeration => enumerated::best(graph, longest),
        By::Subsets => subsets::best(graph, longest),
    };
    Ok(Best { cycle: found.and_then(|through| graph.cycle(&through)), by, steps })
}

fn cheapest(n: usize, longest: usize) -> (By, u64) {
    let (one, other) = (enumerated::steps(n, longest), subsets::steps(n));
    if one <= other { (By::Enumeration, one) } else { (By::Subsets, other) }
}
