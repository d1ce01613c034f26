//! What is asked of a book, and the numbers that every device is given for it: what does not depend on the scenario is reckoned once, in `f64`.
//!
//! A scenario draws a normal number for each asset and each time. `W`, the sum of those of an asset so far, each times the root of its span, becomes
//! the return of asset i by the rows of a triangle, `x = drift + sum over j <= i of factor[i][j] W[j]`, and the price `S e^x`. Times are equal steps to the
//! horizon, and the expiries before it.
//!
//! An option that lives at a time is worth `sign (spot e^x N(sign d) - strike N(sign (d - spread)))` then, with `d = offset + slope x`: Black and Scholes (1973), Merton
//! (1973), with what is known beforehand drawn together. One that expires is worth what it pays, and that is kept, without interest.

use super::book::{Book, DAYS, Instrument};
use super::cholesky;
use super::normal;
use std::ops::Range;
use thiserror::Error;

/// Most scenarios of a job.
pub const MOST_SCENARIOS: u32 = 1 << 26;
/// Most steps to the horizon.
pub const MOST_STEPS: u32 = 1_000;
/// The longest horizon, in trading days.
pub const LONGEST: f64 = 2_520.0;
/// Most options times times: the numbers that a device is given.
pub const MOST_TERMS: usize = 1 << 20;
/// A logarithm of a price that moves further is no price any more: `e^80` is 10^34, near the end of `f32`.
pub const FURTHEST: f64 = 80.0;
/// Sobol sequences that are scrambled independently of each other, for an interval.
pub const REPLICATES: u32 = 16;
/// Most points of such a sequence, and most of its dimensions.
pub const MOST_POINTS: u32 = 1 << 16;
/// See [`MOST_POINTS`].
pub const MOST_DIMENSIONS: usize = 256;

/// Where random numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Philox4x32-10: every scenario by itself.
    Pseudo,
    /// [`REPLICATES`] Sobol sequences, scrambled as Owen has it.
    Sobol,
}

impl Sampling {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Sampling::Pseudo => "pseudo",
            Sampling::Sobol => "sobol",
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// When the loss is taken, in trading days from now.
    pub horizon: f64,
    /// Equal steps to the horizon, after each of which the book is valued.
    pub steps: u32,
    /// How many scenarios there are.
    pub scenarios: u32,
    /// Of all random numbers.
    pub seed: u64,
    /// Where they come from.
    pub sampling: Sampling,
}

/// What can't be asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum NoPlan {
    /// A horizon that is none.
    #[error("the horizon is {0} trading days, and must be above 0, and 2,520 at most")]
    Horizon(f64),
    /// None, or too many.
    #[error("there are {has} {what}, and may be {least} to {most}")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many.
        has: u32,
        /// The fewest.
        least: u32,
        /// The most.
        most: u32,
    },
    /// Sobol sequences are of powers of two.
    #[error("{0} scenarios can't be {REPLICATES} Sobol sequences: take a power of two, 32 to 1,048,576")]
    Points(u32),
    /// More dimensions than are known.
    #[error(
        "{assets} assets at {times} times are {} dimensions, and Sobol sequences have {MOST_DIMENSIONS} here: take fewer steps, or pseudo-random \
         numbers", assets * times
    )]
    Dimensions {
        /// Assets.
        assets: usize,
        /// Steps, and expiries between them.
        times: usize,
    },
    /// A book that is too much at so many times.
    #[error("{options} options at {times} times are more than {MOST_TERMS} values for a scenario: take fewer steps")]
    Terms {
        /// Options.
        options: usize,
        /// Steps, and expiries between them.
        times: usize,
    },
    /// Prices that no number holds.
    #[error(
        "the price of {asset} could change by a factor of e^{by:.0} by then: take a shorter horizon, or a lower volatility"
    )]
    TooFar {
        /// Which asset.
        asset: String,
        /// The exponent.
        by: f64,
    },
}

/// What an option is worth at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Term {
    /// By Black and Scholes.
    Lives {
        /// Of the return in `d`.
        slope: f64,
        /// The rest of `d`.
        offset: f64,
        /// Volatility to the expiry.
        spread: f64,
        /// Quantity, spot, and what dividends leave of it.
        spot: f64,
        /// Quantity, strike, discounted.
        strike: f64,
    },
    /// What it pays.
    Expires {
        /// Quantity and spot.
        spot: f64,
        /// Quantity and strike.
        strike: f64,
    },
    /// Nothing any more.
    Gone,
}

/// An option of the book.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contract {
    /// Its place among the book's positions.
    pub position: usize,
    /// On which asset.
    pub asset: usize,
    /// 1 of a call, -1 of a put.
    pub sign: f64,
    /// What it is worth now, times the quantity.
    pub now: f64,
}

/// All that a device is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What was asked.
    pub job: Job,
    /// When the book is valued, in years, in order; the last is the horizon.
    pub times: Vec<f64>,
    /// Roots of the spans between them.
    pub roots: Vec<f64>,
    /// For each time, and each asset within: the mean of its return.
    pub drift: Vec<f64>,
    /// Volatility, and correlations: rows of a lower triangle.
    pub factor: Vec<f64>,
    /// What is held of each stock, in money.
    pub stock: Vec<f64>,
    /// The options, those of an asset side by side.
    pub options: Vec<Contract>,
    /// For each asset, where its options are.
    pub of_asset: Vec<Range<usize>>,
    /// For each time, and each option within.
    pub terms: Vec<Term>,
    /// What stocks are worth, and spots and strikes of options, all taken as positive: what errors are measured by.
    pub gross: f64,
}

/// Times so near to each other are one: a hundredth of a second.
const SAME: f64 = 1e-10;

impl Plan {
    /// Of a book and a job.
    ///
    /// # Errors
    /// [`NoPlan`].
    pub fn new(book: &Book, job: &Job) -> Result<Self, NoPlan> {
        if !(job.horizon > 0.0 && job.horizon <= LONGEST) {
            return Err(NoPlan::Horizon(job.horizon));
        }
        counted("steps", job.steps, 1, MOST_STEPS)?;
        counted("scenarios", job.scenarios, 2, MOST_SCENARIOS)?;
        let times = times(book, job);
        let (assets, options) = (book.assets().len(), options(book));
        if job.sampling == Sampling::Sobol {
            let points = job.scenarios / REPLICATES;
            if !job.scenarios.is_power_of_two() || !(2..=MOST_POINTS).contains(&points) {
                return Err(NoPlan::Points(job.scenarios));
            }
            if assets * times.len() > MOST_DIMENSIONS {
                return Err(NoPlan::Dimensions { assets, times: times.len() });
            }
        }
        if options.len() * times.len() > MOST_TERMS {
            return Err(NoPlan::Terms { options: options.len(), times: times.len() });
        }
        let spans = std::iter::once(0.0).chain(times.iter().copied()).zip(&times);
        let roots: Vec<f64> = spans.map(|(before, after)| (after - before).sqrt()).collect();
        let drift =
            |time: &f64| book.assets().iter().map(|a| (a.drift - 0.5 * a.volatility * a.volatility) * time).collect();
        let drift: Vec<f64> = times.iter().flat_map::<Vec<f64>, _>(drift).collect();
        let rows = book.assets().iter().enumerate();
        let row = |i: usize| &book.factor()[cholesky::row(i)..cholesky::row(i + 1)];
        let factor: Vec<f64> =
            rows.flat_map(|(i, asset)| row(i).iter().map(|entry| asset.volatility * entry)).collect();
        within(book, job.horizon / DAYS)?;
        let terms = times.iter().flat_map(|time| options.iter().map(|option| term(book, option, *time))).collect();
        let of_asset = (0..assets)
            .map(|asset| {
                let from = options.partition_point(|option| option.asset < asset);
                from..options.partition_point(|option| option.asset <= asset)
            })
            .collect();
        let (stock, gross) = (stock(book), gross(book));
        Ok(Plan { job: *job, times, roots, drift, factor, stock, options, of_asset, terms, gross })
    }

    /// How many assets there are.
    #[must_use]
    pub fn assets(&self) -> usize {
        self.stock.len()
    }

    /// The scenarios of each group that is estimated by itself: all of them, or those of a replicate.
    #[must_use]
    pub fn groups(&self) -> (u32, u32) {
        match self.job.sampling {
            Sampling::Pseudo => (1, self.job.scenarios),
            Sampling::Sobol => (REPLICATES, self.job.scenarios / REPLICATES),
        }
    }

    /// What the options of a time are worth.
    #[must_use]
    pub fn terms_at(&self, time: usize) -> &[Term] {
        let count = self.options.len();
        &self.terms[time * count..(time + 1) * count]
    }
}

fn counted(what: &'static str, has: u32, least: u32, most: u32) -> Result<(), NoPlan> {
    if (least..=most).contains(&has) { Ok(()) } else { Err(NoPlan::Count { what, has, least, most }) }
}

fn times(book: &Book, job: &Job) -> Vec<f64> {
    let end = job.horizon / DAYS;
    let mut times: Vec<f64> = (1..=job.steps).map(|step| end * f64::from(step) / f64::from(job.steps)).collect();
    for position in book.positions() {
        if let Instrument::Option { expiry, .. } = position.instrument {
            let expiry = expiry / DAYS;
            let next = times.partition_point(|time| *time < expiry - SAME);
            // The last one is the horizon, which nothing moves.
            if times.get(next).is_some_and(|time| *time > expiry + SAME) {
                times.insert(next, expiry);
            }
        }
    }
    times
}

fn options(book: &Book) -> Vec<Contract> {
    let mut options: Vec<Contract> = Vec::new();
    for (position, held) in book.positions().iter().enumerate() {
        if let Instrument::Option { right, .. } = held.instrument {
            let mut option = Contract { position, asset: held.asset, sign: right.sign(), now: 0.0 };
            option.now = worth(&now(book, &option), option.sign, 0.0);
            options.push(option);
        }
    }
    options.sort_by_key(|option| option.asset);
    options
}

/// What an option is worth now, as a function of a sudden return.
pub(crate) fn now(book: &Book, option: &Contract) -> Term {
    term(book, option, 0.0)
}

/// What an option is worth at a time, in years from now, as a function of the return until then.
fn term(book: &Book, option: &Contract, time: f64) -> Term {
    let held = &book.positions()[option.position];
    let asset = &book.assets()[held.asset];
    let Instrument::Option { strike, expiry, .. } = held.instrument else { return Term::Gone };
    let left = expiry / DAYS - time;
    if left < -SAME {
        return Term::Gone;
    }
    if left <= SAME {
        return Term::Expires { spot: held.quantity * asset.spot, strike: held.quantity * strike };
    }
    let spread = asset.volatility * left.sqrt();
    let carried = (book.rate() - asset.dividend + 0.5 * asset.volatility * asset.volatility) * left;
    Term::Lives {
        slope: 1.0 / spread,
        offset: ((asset.spot / strike).ln() + carried) / spread,
        spread,
        spot: held.quantity * asset.spot * (-asset.dividend * left).exp(),
        strike: held.quantity * strike * (-book.rate() * left).exp(),
    }
}

/// What it is worth after this return.
#[must_use]
#[inline]
pub fn worth(term: &Term, sign: f64, x: f64) -> f64 {
    worth_at(term, sign, x, x.exp())
}

/// The same, for whoever has the exponential already.
#[must_use]
#[inline]
pub(crate) fn worth_at(term: &Term, sign: f64, x: f64, grown: f64) -> f64 {
    match *term {
        Term::Lives { slope, offset, spread, spot, strike } => {
            let d = offset + slope * x;
            sign * (spot * grown * normal::below(sign * d) - strike * normal::below(sign * (d - spread)))
        }
        Term::Expires { spot, strike } => {
            let pays = sign * (spot * grown - strike);
            if strike > 0.0 { pays.max(0.0) } else { pays.min(0.0) }
        }
        Term::Gone => 0.0,
    }
}

/// No return can leave what exponentials are for: 20 deviations are passed once in 10^88 scenarios.
fn within(book: &Book, horizon: f64) -> Result<(), NoPlan> {
    for asset in book.assets() {
        let mean = (asset.drift - 0.5 * asset.volatility * asset.volatility) * horizon;
        let by = mean.abs() + 20.0 * asset.volatility * horizon.sqrt();
        if by > FURTHEST {
            return Err(NoPlan::TooFar { asset: asset.name.clone(), by });
        }
    }
    Ok(())
}

fn stock(book: &Book) -> Vec<f64> {
    let mut stock = vec![0.0; book.assets().len()];
    for held in book.positions() {
        if held.instrument == Instrument::Stock {
            stock[held.asset] += held.quantity * book.assets()[held.asset].spot;
        }
    }
    stock
}

fn gross(book: &Book) -> f64 {
    let of = |held: &super::book::Position| {
        let spot = book.assets()[held.asset].spot;
        let strike = if let Instrument::Option { strike, .. } = held.instrument { strike } else { 0.0 };
        held.quantity.abs() * (spot + strike)
    };
    book.positions().iter().map(of).sum()
}
