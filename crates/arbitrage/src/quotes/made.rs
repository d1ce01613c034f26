//! Quotes that were made up, the same for the same seed: what benches and tests search.
//!
//! Every currency has a value; every pair of two is quoted by some venues around the ratio of the two, off by a normal error of
//! `error_bp`, with a spread, a fee and a size. What is off between venues and pairs is the arbitrage.

use super::{Level, MONEY_PLACES, MOST_CURRENCIES, Quote, Quotes};
use crate::decimal::Decimal;
use crate::market::normal;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What is made.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Made {
    /// From 2 to 64.
    pub currencies: usize,
    /// Venues for each pair, 1 or more.
    pub venues: usize,
    /// The part of all pairs that is quoted; the first currency is in a pair with each.
    pub pairs: f64,
    /// Standard deviation of a mid price from the ratio of values, in basis points.
    pub error_bp: f64,
    /// From bid to ask, in basis points.
    pub spread_bp: f64,
    /// Of what is received, in hundredths of a basis point.
    pub fee: u64,
    /// Lots at a price, at most; from 1 on.
    pub lots: u64,
}

impl Default for Made {
    fn default() -> Self {
        Made { currencies: 8, venues: 1, pairs: 1.0, error_bp: 2.0, spread_bp: 1.0, fee: 20, lots: 7 }
    }
}

/// Quotes of this kind.
///
/// # Panics
/// If there are to be fewer than 2 or more than 64 currencies, no venues, or no lots.
#[must_use]
pub fn quotes(made: &Made, seed: u64) -> Quotes {
    assert!((2..=MOST_CURRENCIES).contains(&made.currencies) && made.venues > 0 && made.lots > 0);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let n = made.currencies;
    // From 2^-7 to 2 of the first.
    let value =
        |random: &mut Xoshiro256PlusPlus| 2_f64.powi(random.random_range(-7..1)) * (1.0 + random.random::<f64>());
    let values: Vec<f64> = (0..n).map(|at| if at == 0 { 1.0 } else { value(&mut random) }).collect();
    let mut quotes = Vec::new();
    for base in 0..n {
        for quote in 0..base {
            let traded = random.random::<f64>() < made.pairs;
            if quote != 0 && !traded {
                continue;
            }
            for venue in 0..made.venues {
                let mid = values[base] / values[quote] * (1.0 + 1e-4 * made.error_bp * normal(&mut random));
                let half = 0.5e-4 * made.spread_bp;
                let lot = two_digits(1_000.0 / values[base]) * 10_u64.pow(MONEY_PLACES);
                let mut level = |factor: f64| {
                    let size = lot * (1 + random.random_range(0..made.lots));
                    Some(Level { price: seven_digits(mid * factor), size })
                };
                let (bid, ask) = (level(1.0 - half), level(1.0 + half));
                quotes.push(Quote { venue: format!("V{venue}"), base, quote, bid, ask, lot, fee: made.fee });
            }
        }
    }
    Quotes { currencies: (0..n).map(|at| format!("C{at:02}")).collect(), quotes }
}

fn two_digits(value: f64) -> u64 {
    let mut one = 1;
    while value >= 100.0 * one as f64 {
        one *= 10;
    }
    ((value / one as f64).round() as u64).max(1) * one
}

fn seven_digits(value: f64) -> Decimal {
    let (mut places, mut scaled) = (6, value * 1e6);
    while scaled < 1e6 && places < 9 {
        places += 1;
        scaled *= 10.0;
    }
    Decimal { mantissa: (scaled.round() as u64).max(1), places }
}
