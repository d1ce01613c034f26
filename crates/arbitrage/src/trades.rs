//! The best set of trades at once: whole lots at quoted sizes, after fees, within what may be short of each currency and a number of legs.
//!
//! ```text
//! maximise   sum of worth_k q_k                        in ten-thousandths of the home currency
//! where      sum of change_ck q_k >= -short_c          for each currency c
//!            0 <= q_k <= depth_k, whole;   at most `legs` of them above 0
//! ```
//!
//! A lot of leg `k` takes from one currency, rounded up, and adds to another, rounded down, after its fee: what is answered can be paid. Currencies
//! are worth what mid prices make of them along the fewest legs, in the home currency; `short` is how far each may end below zero, of the
//! same worth for each (0: everything nets to 0 or more). All of it is in whole numbers.
//!
//! [`exact`]: all sets of few, or branch and bound over linear relaxations. [`annealed`]: starts from an Ising machine. [`mended`]: from any
//! start to a set that keeps to all limits, and that no three changes make better.

pub mod annealed;
pub mod exact;
pub mod mended;

use crate::decimal::Decimal;
use crate::quotes::{FEE_UNITS, Leg, Quotes, Take};
use thiserror::Error;

/// Legs that can be chosen from, at most.
pub const MOST_LEGS: usize = 512;
/// Lots of one leg, at most: of a larger size the first are taken.
pub const MOST_LOTS: u32 = 1_023;
/// What one unit of the home currency is in marks.
pub const MARK: u128 = 10_u128.pow(15);
/// An amount of money that is reckoned with, at most, in money's units.
pub const MOST_MONEY: u128 = 10_u128.pow(17);

/// Why there are no trades to be chosen.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TradesError {
    /// No such currency.
    #[error("there is no currency `{0}` in the quotes; there are {1}")]
    Home(String, String),
    /// A currency that the home currency is not connected with.
    #[error("no quotes lead from `{0}` to the home currency: what it is worth is not known; leave its quotes out")]
    Apart(String),
    /// Too many legs.
    #[error("{0} sides are quoted with a lot or more; {MOST_LEGS} can be chosen from")]
    Legs(usize),
    /// Amounts too large.
    #[error("a lot of `{0}` at {1} is too much money to be reckoned with: over 10 trillion, or worth nothing")]
    Money(String, String),
    /// A limit of no legs.
    #[error("at most 0 legs: 2 or more are needed for anything")]
    NoLegs,
}

/// A leg in whole lots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// What is taken.
    pub leg: Leg,
    /// The currency that is given, and how much of it for a lot, in money's units.
    pub gives: (usize, i64),
    /// The currency that is got.
    pub gets: (usize, i64),
    /// Lots, at most.
    pub depth: u32,
    /// What a lot is worth: what is got less what is given, at marks, in money's units of the home currency, rounded down.
    pub worth: i64,
}

/// What may be chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trades {
    currencies: usize,
    home: usize,
    orders: Vec<Order>,
    /// Of a unit of each currency, in [`MARK`]s.
    marks: Vec<u128>,
    /// How far each may end below zero, in its money's units.
    short: Vec<i64>,
    legs: usize,
}

/// What is asked beside the quotes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked<'a> {
    /// What worth is counted in.
    pub home: &'a str,
    /// How far each currency may end below zero, in money's units of the home currency.
    pub short: u64,
    /// Legs, at most.
    pub legs: usize,
}

impl Trades {
    /// Of these quotes.
    ///
    /// # Errors
    /// [`TradesError`].
    pub fn new(quotes: &Quotes, asked: &Asked<'_>) -> Result<Trades, TradesError> {
        let home = quotes
            .index_of(asked.home)
            .ok_or_else(|| TradesError::Home(asked.home.to_owned(), quotes.currencies().join(", ")))?;
        if asked.legs == 0 {
            return Err(TradesError::NoLegs);
        }
        let marks = marks(quotes, home)?;
        let mut orders = Vec::new();
        for leg in quotes.legs() {
            let Some(level) = quotes.level(leg) else { continue };
            let lot = quotes.quotes()[leg.quote].lot;
            let depth = u32::try_from(level.size / lot).unwrap_or(MOST_LOTS).min(MOST_LOTS);
            if depth > 0 {
                orders.push(order(quotes, leg, level.price, depth, &marks)?);
            }
        }
        if orders.len() > MOST_LEGS {
            return Err(TradesError::Legs(orders.len()));
        }
        let short = |mark: &u128| {
            let units = u128::from(asked.short).min(MOST_MONEY) * MARK / mark.max(&1);
            units.min(MOST_MONEY) as i64
        };
        let short = marks.iter().map(short).collect();
        Ok(Trades { currencies: marks.len(), home, orders, marks, short, legs: asked.legs })
    }

    /// How many currencies.
    #[must_use]
    pub fn currencies(&self) -> usize {
        self.currencies
    }

    /// What worth is counted in.
    #[must_use]
    pub fn home(&self) -> usize {
        self.home
    }

    /// What can be taken.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// What a unit of a currency is worth in the home currency.
    #[must_use]
    pub fn mark(&self, currency: usize) -> f64 {
        self.marks[currency] as f64 / MARK as f64
    }

    /// How far a currency may end below zero.
    #[must_use]
    pub fn short(&self, currency: usize) -> i64 {
        self.short[currency]
    }

    /// Legs, at most.
    #[must_use]
    pub fn most_legs(&self) -> usize {
        self.legs
    }

    /// What these lots change of each currency.
    ///
    /// # Panics
    /// If there is not a number for each order.
    #[must_use]
    pub fn net(&self, lots: &[u32]) -> Vec<i128> {
        assert_eq!(lots.len(), self.orders.len(), "lots for each order");
        let mut net = vec![0; self.currencies];
        for (order, lots) in self.orders.iter().zip(lots) {
            net[order.gives.0] -= i128::from(order.gives.1) * i128::from(*lots);
            net[order.gets.0] += i128::from(order.gets.1) * i128::from(*lots);
        }
        net
    }

    /// What these lots are worth, in money's units of the home currency.
    #[must_use]
    pub fn worth(&self, lots: &[u32]) -> i128 {
        self.orders.iter().zip(lots).map(|(order, lots)| i128::from(order.worth) * i128::from(*lots)).sum()
    }

    /// Legs that are used.
    #[must_use]
    pub fn used(&self, lots: &[u32]) -> usize {
        lots.iter().filter(|lots| **lots > 0).count()
    }

    /// Do they keep to all limits?
    #[must_use]
    pub fn keeps(&self, lots: &[u32]) -> bool {
        let within = self.orders.iter().zip(lots).all(|(order, lots)| *lots <= order.depth);
        let paid = self.net(lots).iter().zip(&self.short).all(|(net, short)| *net >= -i128::from(*short));
        within && paid && self.used(lots) <= self.legs
    }

    /// The largest amount of any lot, at marks: what relaxations and functions are measured in.
    fn scale(&self) -> f64 {
        self.orders.iter().map(|order| self.value(order.gives)).fold(1.0, f64::max)
    }

    /// An amount of a currency at its mark.
    fn value(&self, (currency, amount): (usize, i64)) -> f64 {
        amount as f64 * self.mark(currency)
    }
}

/// A lot of a leg. What is given is rounded up, what is got is rounded down.
fn order(quotes: &Quotes, leg: Leg, price: Decimal, depth: u32, marks: &[u128]) -> Result<Order, TradesError> {
    let quote = &quotes.quotes()[leg.quote];
    let (from, to) = quotes.ends(leg);
    let (lot, kept) = (u128::from(quote.lot), u128::from(FEE_UNITS - quote.fee));
    let (mantissa, one) = (u128::from(price.mantissa), 10_u128.pow(price.places));
    let (gives, gets) = match leg.take {
        Take::Sell => (lot, lot * mantissa / one * kept / u128::from(FEE_UNITS)),
        Take::Buy => ((lot * mantissa).div_ceil(one), lot * kept / u128::from(FEE_UNITS)),
    };
    let wrong = || TradesError::Money(quotes.currencies()[quote.base].clone(), price.to_string());
    let amount = |units: u128| i64::try_from(units).ok().filter(|units| (1..=MOST_MONEY as i64).contains(units));
    let (gives, gets) = (amount(gives).ok_or_else(wrong)?, amount(gets).ok_or_else(wrong)?);
    let at_mark = |amount: i64, currency: usize| marks[currency].checked_mul(amount as u128);
    let (less, more) = (at_mark(gives, from).ok_or_else(wrong)?, at_mark(gets, to).ok_or_else(wrong)?);
    let worth = i128::try_from(more)
        .ok()
        .zip(i128::try_from(less).ok())
        .map(|(more, less)| (more - less).div_euclid(MARK as i128));
    let worth = worth.and_then(|worth| i64::try_from(worth).ok()).ok_or_else(wrong)?;
    Ok(Order { leg, gives: (from, gives), gets: (to, gets), depth, worth })
}

/// What each currency is worth, by mid prices along the fewest legs from the home currency, and of those the narrowest spread of each.
fn marks(quotes: &Quotes, home: usize) -> Result<Vec<u128>, TradesError> {
    let n = quotes.currencies().len();
    let mut worth: Vec<Option<f64>> = vec![None; n];
    worth[home] = Some(1.0);
    let mut reached = vec![home];
    while !reached.is_empty() {
        let mut next: Vec<(usize, f64, f64)> = Vec::new();
        for quote in quotes.quotes() {
            let (bid, ask) = (quote.bid.map(|level| level.price.to_f64()), quote.ask.map(|level| level.price.to_f64()));
            let Some(bid) = bid.or(ask) else { continue };
            let ask = ask.unwrap_or(bid);
            let (mid, spread) = ((bid + ask) / 2.0, (ask - bid) / (bid + ask));
            let found = match (reached.contains(&quote.base), reached.contains(&quote.quote)) {
                (true, false) => worth[quote.base].map(|base| (quote.quote, base / mid)),
                (false, true) => worth[quote.quote].map(|of| (quote.base, of * mid)),
                _ => None,
            };
            let Some((currency, value)) = found.filter(|(currency, _)| worth[*currency].is_none()) else { continue };
            match next.iter_mut().find(|(known, ..)| *known == currency) {
                Some((_, known, narrowest)) if spread < *narrowest => (*known, *narrowest) = (value, spread),
                Some(_) => {}
                None => next.push((currency, value, spread)),
            }
        }
        next.iter().for_each(|(currency, value, _)| worth[*currency] = Some(*value));
        reached = next.into_iter().map(|(currency, ..)| currency).collect();
    }
    let of = |currency: usize| {
        let name = || quotes.currencies()[currency].clone();
        let worth = worth[currency].ok_or_else(|| TradesError::Apart(name()))?;
        let mark = (worth * MARK as f64).round();
        let fits = (1.0..1e30).contains(&mark);
        fits.then_some(mark as u128).ok_or_else(|| TradesError::Money(name(), format!("{worth:e}")))
    };
    (0..n).map(of).collect()
}
