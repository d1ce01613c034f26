//! From any lots to a set that keeps to all limits, and that no change of up to three legs by a lot makes better.

use super::Trades;

/// Orders whose triples are tried; of more, the pairs alone.
const MOST_TRIPLED: usize = 64;

/// A set that changes.
struct State<'a> {
    trades: &'a Trades,
    lots: Vec<u32>,
    net: Vec<i128>,
    used: usize,
}

/// An order, and whether a lot more or less.
type Change = (usize, bool);

impl State<'_> {
    fn can(&self, (order, more): Change) -> bool {
        if more { self.lots[order] < self.trades.orders[order].depth } else { self.lots[order] > 0 }
    }

    fn change(&mut self, (order, more): Change) {
        let (sign, of) = (if more { 1 } else { -1 }, &self.trades.orders[order]);
        self.net[of.gives.0] -= sign * i128::from(of.gives.1);
        self.net[of.gets.0] += sign * i128::from(of.gets.1);
        let before = self.lots[order];
        self.lots[order] = if more { before + 1 } else { before - 1 };
        self.used = self.used + usize::from(self.lots[order] > 0) - usize::from(before > 0);
    }

    fn worth(&self, (order, more): Change) -> i64 {
        let worth = self.trades.orders[order].worth;
        if more { worth } else { -worth }
    }

    fn short_of(&self, currency: usize) -> i128 {
        (-self.net[currency] - i128::from(self.trades.short[currency])).max(0)
    }

    /// What is missing, at marks.
    fn missing(&self) -> f64 {
        (0..self.net.len()).map(|currency| self.short_of(currency) as f64 * self.trades.mark(currency)).sum()
    }

    fn keeps(&self) -> bool {
        self.used <= self.trades.legs && (0..self.net.len()).all(|currency| self.short_of(currency) == 0)
    }

    /// Takes out the leg that is worth least, lots and all, until there are no more than may be.
    fn shorten(&mut self) {
        while self.used > self.trades.legs {
            let worth = |order: &usize| i128::from(self.trades.orders[*order].worth) * i128::from(self.lots[*order]);
            let Some(order) = (0..self.lots.len()).filter(|order| self.lots[*order] > 0).min_by_key(worth) else {
                return;
            };
            while self.lots[order] > 0 {
                self.change((order, false));
            }
        }
    }

    /// A lot more or less where it lessens what is missing most; once nothing does, one less of whatever takes what is missing, and no
    /// lot more from then on: so it ends, as no lots at all miss nothing.
    fn pay(&mut self) {
        let mut only_less = false;
        loop {
            let missing = self.missing();
            if missing == 0.0 {
                return;
            }
            let mut best: Option<(f64, Change)> = None;
            for change in self.changes().into_iter().filter(|(_, more)| !(*more && only_less)) {
                self.change(change);
                let left = self.missing();
                let fits = self.used <= self.trades.legs;
                self.change((change.0, !change.1));
                if fits && left < missing && best.is_none_or(|(known, _)| left < known) {
                    best = Some((left, change));
                }
            }
            let fallback = || {
                let takes =
                    |order: &usize| self.lots[*order] > 0 && self.short_of(self.trades.orders[*order].gives.0) > 0;
                (0..self.lots.len()).find(takes).map(|order| (order, false))
            };
            only_less |= best.is_none();
            let Some(change) = best.map(|(_, change)| change).or_else(fallback) else { return };
            self.change(change);
        }
    }

    fn changes(&self) -> Vec<Change> {
        (0..self.lots.len()).flat_map(|order| [(order, true), (order, false)]).filter(|one| self.can(*one)).collect()
    }

    /// The first of one, two or three changes that is worth something and keeps to the limits, until there is none.
    fn climb(&mut self) {
        while self.better(0, 0, 0) {}
    }

    /// Tries a further change behind those that were made.
    fn better(&mut self, from: usize, depth: usize, worth: i64) -> bool {
        let most = if self.lots.len() <= MOST_TRIPLED { 3 } else { 2 };
        for order in from..self.lots.len() {
            for more in [true, false] {
                let change = (order, more);
                if !self.can(change) {
                    continue;
                }
                let worth = worth + self.worth(change);
                self.change(change);
                if worth > 0 && self.keeps() {
                    return true;
                }
                if depth + 1 < most && self.better(order + 1, depth + 1, worth) {
                    return true;
                }
                self.change((order, !more));
            }
        }
        false
    }
}

/// Lots that keep to all limits, near these; more than there are of a leg are cut.
///
/// # Panics
/// If there is not a number for each order.
#[must_use]
pub fn mend(trades: &Trades, lots: &[u32]) -> Vec<u32> {
    let lots: Vec<u32> = lots.iter().zip(&trades.orders).map(|(lots, order)| *lots.min(&order.depth)).collect();
    let mut state = State { trades, net: trades.net(&lots), used: trades.used(&lots), lots };
    state.shorten();
    state.pay();
    if !state.keeps() {
        return vec![0; trades.orders.len()];
    }
    state.climb();
    // What is worth nothing is better left alone.
    if trades.worth(&state.lots) > 0 { state.lots } else { vec![0; trades.orders.len()] }
}
