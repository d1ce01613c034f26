//! Starts from an Ising machine.
//!
//! Lots in binary, and a penalty for the square of what each currency nets to, at marks:
//!
//! ```text
//! - sum of worth_k q_k  +  P sum over currencies of (net_c)^2 / lot  +  M (bits that are 1)
//! ```
//!
//! Limits are inequalities, and slack bits for them would be more bits than there are lots. So this leads near sets that net to nothing, at several
//! `P`, and where legs are few, several `M`; [`super::mended`] sees to the limits themselves.

use super::mended::mend;
use super::{Order, Trades};
use crate::annealer::{AnnealError, Annealer, Function};
use std::collections::BTreeSet;

/// Penalties, in parts of a lot's value: from where what is earned decides to where what is missing does.
pub const PENALTIES: [f64; 4] = [0.001, 0.004, 0.016, 0.064];
/// Of each problem, so many of the best states are mended.
const MENDED: usize = 16;
/// Units that the largest lot is, at most.
const UNITS: f64 = (1_u64 << 21) as f64;
/// What a bit may feel, in units. As a site of an Ising machine it feels at most twice that, of the 2^30 that one holds.
const MOST_FELT: f64 = (1_u64 << 27) as f64;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annealed {
    /// Lots of each order: they keep to all limits.
    pub lots: Vec<u32>,
    /// What they are worth.
    pub worth: i128,
    /// Bits of each problem.
    pub bits: usize,
    /// Problems that were solved.
    pub rounds: u32,
    /// States that kept to all limits as they were, of those that were looked at.
    pub kept: usize,
    /// States that were looked at.
    pub states: usize,
}

/// The bits of an order: 1, 2, 4 and so on lots, the last so many that all together are its depth.
fn bits(order: &Order) -> Vec<u32> {
    let (mut left, mut bit) = (order.depth, 1);
    let mut bits = Vec::new();
    while left > 0 {
        bits.push(bit.min(left));
        left -= bit.min(left);
        bit *= 2;
    }
    bits
}

/// Each bit's order and lots.
#[must_use]
pub fn encoding(trades: &Trades) -> Vec<(usize, u32)> {
    let orders = trades.orders.iter().enumerate();
    orders.flat_map(|(at, order)| bits(order).into_iter().map(move |lots| (at, lots))).collect()
}

/// The lots of these bits.
#[must_use]
pub fn decoded(trades: &Trades, encoding: &[(usize, u32)], bits: &[bool]) -> Vec<u32> {
    let mut lots = vec![0; trades.orders.len()];
    encoding.iter().zip(bits).filter(|(_, on)| **on).for_each(|((order, bit), _)| lots[*order] += bit);
    lots
}

/// The function to be made small: `penalty` and `toll` (what a bit costs) in parts of the largest lot's value.
#[must_use]
pub fn function(trades: &Trades, encoding: &[(usize, u32)], penalty: f64, toll: f64) -> Function {
    let scale = trades.scale();
    // What a bit changes of its two currencies, in lots' values.
    let changes = |&(order, lots): &(usize, u32)| {
        let order = &trades.orders[order];
        let times = f64::from(lots) / scale;
        [(order.gives.0, -trades.value(order.gives) * times), (order.gets.0, trades.value(order.gets) * times)]
    };
    let product = |a: &(usize, u32), b: &(usize, u32)| -> f64 {
        let (a, b) = (changes(a), changes(b));
        a.iter().flat_map(|a| b.iter().filter(|b| b.0 == a.0).map(|b| a.1 * b.1)).sum()
    };
    let mut terms = Vec::new();
    for (i, one) in encoding.iter().enumerate() {
        let worth = trades.orders[one.0].worth as f64 * f64::from(one.1) / scale;
        terms.push((i, i, penalty * product(one, one) - worth + toll));
        terms.extend(encoding[..i].iter().enumerate().map(|(j, other)| (j, i, 2.0 * penalty * product(one, other))));
    }
    // The squares of many lots are large: then a unit stands for more.
    let mut felt = vec![0.0; encoding.len()];
    for (i, j, value) in &terms {
        felt[*i] += value.abs();
        felt[*j] += value.abs();
    }
    let units = UNITS.min(MOST_FELT / felt.into_iter().fold(1.0, f64::max));
    let mut function = Function::new(encoding.len());
    terms.into_iter().for_each(|(i, j, value)| function.add(i, j, (value * units).round() as i64));
    function
}

/// Searches.
///
/// # Errors
/// [`AnnealError`].
pub fn search(trades: &Trades, annealer: &mut Annealer<'_>) -> Result<Annealed, AnnealError> {
    let encoding = encoding(trades);
    let none = vec![0; trades.orders.len()];
    let mut found = Annealed { worth: 0, lots: none, bits: encoding.len(), rounds: 0, kept: 0, states: 0 };
    if encoding.is_empty() {
        return Ok(found);
    }
    let mut seen = BTreeSet::new();
    // Where every leg may be used, a bit costs nothing.
    let best = trades.orders.iter().map(|order| order.worth.max(0)).max().unwrap_or(0) as f64 / trades.scale();
    let tolls: &[f64] = if trades.legs < trades.orders.len() { &[0.0, 0.5, 2.0] } else { &[0.0] };
    for penalty in PENALTIES {
        for toll in tolls {
            let states = annealer.run(&function(trades, &encoding, penalty, toll * best), found.rounds.into())?;
            found.rounds += 1;
            found.states += states.len();
            let mut all: Vec<Vec<u32>> = states.iter().map(|bits| decoded(trades, &encoding, bits)).collect();
            found.kept += all.iter().filter(|lots| trades.keeps(lots)).count();
            all.sort_by_key(|lots| (!trades.keeps(lots), std::cmp::Reverse(trades.worth(lots))));
            for lots in all.into_iter().filter(|lots| seen.insert(lots.clone())).take(MENDED) {
                let mended = mend(trades, &lots);
                let worth = trades.worth(&mended);
                if worth > found.worth {
                    (found.lots, found.worth) = (mended, worth);
                }
            }
        }
    }
    Ok(found)
}
