//! Book imbalance: which side of the book is heavier.

use super::Signal;
use crate::base::{InstrumentId, OutOfRange, Qty, Side};
use crate::flow::book::BookRef;

/// Configuration of [`Imbalance`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImbalanceConfig {
    /// How many price levels of each side are weighed, counted from the best: 1 to 64. Levels that hold own orders
    /// alone are not counted.
    pub levels: u32,
}

impl Default for ImbalanceConfig {
    /// The best level alone.
    fn default() -> Self {
        ImbalanceConfig { levels: 1 }
    }
}

impl ImbalanceConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first field out of its range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::unless((1..=64).contains(&self.levels), "imbalance.levels", "1 to 64")
    }
}

/// The shares that bid and that ask, without own ones. Both are positive.
///
/// The imbalance is their difference over their sum. It is kept as the two numbers, because a threshold can then be
/// judged by multiplying: exact, and no division on the lane (nor in its RTL twin).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pressure {
    /// Shares bid.
    pub bid: Qty,
    /// Shares offered.
    pub ask: Qty,
}

impl Pressure {
    /// (bid - ask) / (bid + ask) in millionths, rounded towards zero: -1,000,000 (all ask) to 1,000,000 (all bid).
    #[must_use]
    pub fn millionths(self) -> i64 {
        let (bid, ask) = (i128::from(self.bid.0), i128::from(self.ask.0));
        let scaled = bid.saturating_sub(ask).saturating_mul(1_000_000);
        i64::try_from(scaled.checked_div(bid.saturating_add(ask)).unwrap_or(0)).unwrap_or(0)
    }

    /// Is the imbalance towards `side` (bids for a buy, asks for a sell) at least `millionths`? Exact.
    #[inline]
    #[must_use]
    pub fn favours(self, side: Side, millionths: i64) -> bool {
        let (ours, theirs) = if side == Side::Buy { (self.bid.0, self.ask.0) } else { (self.ask.0, self.bid.0) };
        let small = |size: i64| u32::try_from(size).is_ok();
        if small(ours) && small(theirs) && (-1_000_000..=1_000_000).contains(&millionths) {
            // As sizes of this world are: below 2^53.
            let (difference, sum) = (ours.wrapping_sub(theirs), ours.wrapping_add(theirs));
            return difference.wrapping_mul(1_000_000) >= sum.wrapping_mul(millionths);
        }
        leans(ours, theirs, millionths)
    }
}

/// Whether the difference over the sum is at least so many millionths, of any sizes.
#[cold]
fn leans(ours: i64, theirs: i64, millionths: i64) -> bool {
    let (ours, theirs) = (i128::from(ours), i128::from(theirs));
    // Sums of two positive sizes have 64 bits, and times 64 more they have 128: nothing wraps.
    let (difference, sum) = (ours.wrapping_sub(theirs), ours.wrapping_add(theirs));
    difference.wrapping_mul(1_000_000) >= sum.wrapping_mul(i128::from(millionths))
}

/// Weighs the best levels of both sides, own orders left out. `None` while the book is stale, locked or crossed, or a
/// side is empty.
///
/// It is a function of the book alone and so holds no state.
#[derive(Clone, Copy, Debug)]
pub struct Imbalance {
    levels: usize,
}

impl Imbalance {
    /// The signal, for any number of instruments.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first field out of its range.
    pub fn new(config: &ImbalanceConfig) -> Result<Self, OutOfRange> {
        config.check()?;
        Ok(Imbalance { levels: config.levels as usize })
    }

    #[inline(never)]
    fn weight(self, book: BookRef<'_>, side: Side) -> Option<Qty> {
        let others = book.levels(side).map(|level| level.qty.minus(level.own_qty)).filter(|qty| qty.is_positive());
        let sum = others.take(self.levels).fold(Qty::ZERO, Qty::plus);
        sum.is_positive().then_some(sum)
    }
}

impl Signal for Imbalance {
    type Value = Option<Pressure>;

    #[inline]
    fn value(&self, _: InstrumentId, book: BookRef<'_>) -> Option<Pressure> {
        let touch = book.touch();
        if !touch.fresh || touch.crossed {
            return None;
        }
        if self.levels == 1 {
            return Some(Pressure { bid: touch.bid?.qty, ask: touch.ask?.qty });
        }
        Some(Pressure { bid: self.weight(book, Side::Buy)?, ask: self.weight(book, Side::Sell)? })
    }
}

crate::state! { Imbalance {} without { levels } }
