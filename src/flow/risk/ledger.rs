//! What the lane owns and what it could still come to own: positions, open orders, cash.
//!
//! The ledger is driven by [`Change`]s alone. Each says what an order was worth before a step and what it is worth
//! after; the ledger subtracts the one and adds the other, so that it equals a sum over all orders at every moment
//! without ever walking them. Exposure counts from the moment an order is sent.
//!
//! Beside the instrument's sums stand the positions of each strategy and of each parent order ([`Whose`]).

use super::Refusal;
use super::money::{CurrencyLimits, Money, Place};
use super::owners::{Owners, Whose};
use crate::base::{Currency, Instrument, InstrumentId, Notional, OutOfRange, ParentId, Price, Qty, Side, StrategyId};
use crate::flow::action::{Change, Exposure, Fill};
use alloc::boxed::Box;
use alloc::vec;

/// Open orders of one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Open {
    /// Shares that may still execute.
    pub qty: Qty,
    /// Their worth at the worst price.
    pub notional: Notional,
}

/// One instrument's account: two cache lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(align(128))]
pub struct Account {
    /// Shares held; negative when short.
    pub position: Qty,
    /// Open buys.
    pub buys: Open,
    /// Open sells, long and short.
    pub sells: Open,
    /// The part of the open sells that is marked short.
    pub short_open: Qty,
    /// Shares sold short so far: locates that are used up. Covering does not bring them back.
    pub short_sold: Qty,
    /// Money got for sells less money paid for buys, before fees.
    pub cash: Notional,
}

const _: () = assert!(size_of::<Account>() == 128, "two cache lines");

impl Account {
    /// Open orders of a side.
    #[inline]
    #[must_use]
    pub fn open(&self, side: Side) -> Open {
        match side {
            Side::Buy => self.buys,
            Side::Sell => self.sells,
        }
    }

    /// Shares that may still be sold long: the long position less every open sell.
    #[inline]
    #[must_use]
    pub fn long_available(&self) -> Qty {
        Qty(self.position.0.max(0).saturating_sub(self.sells.qty.0).max(0))
    }

    /// Shares that locates are needed for, open and executed.
    #[inline]
    #[must_use]
    pub fn located(&self) -> Qty {
        self.short_open.plus(self.short_sold)
    }

    /// Cash plus the position's worth at `mark`. `None` on overflow.
    #[must_use]
    pub fn profit(&self, mark: Price, multiplier: i64) -> Option<Notional> {
        self.cash.plus(Notional::of(mark, self.position, multiplier)?)
    }

    /// Books shares that traded (or, negative, were taken back). By how many the position is longer now.
    fn book(&mut self, side: Side, fill: Fill, short: bool, multiplier: i64, faults: &mut u64) -> Qty {
        let signed = fill.qty.0.saturating_mul(side.sign());
        self.position = self.position.plus(Qty(signed));
        if short {
            self.short_sold = Qty(self.short_sold.0.saturating_add(fill.qty.0).max(0));
        }
        match Notional::of(fill.price, Qty(signed), multiplier).and_then(|paid| self.cash.minus(paid)) {
            Some(cash) => self.cash = cash,
            None => *faults = faults.wrapping_add(1),
        }
        Qty(signed)
    }
}

/// All accounts of a lane. Each account's amounts are in its instrument's currency, at its exponents.
#[derive(Debug)]
pub struct Ledger {
    accounts: Box<[Account]>,
    owners: Owners,
    /// Open notional over all accounts and both sides.
    money: Money,
    faults: u64,
}

const CLOSED: Account = Account {
    position: Qty(0),
    buys: Open { qty: Qty(0), notional: Notional(0) },
    sells: Open { qty: Qty(0), notional: Notional(0) },
    short_open: Qty(0),
    short_sold: Qty(0),
    cash: Notional(0),
};

/// An exposure's worth. Prices may be negative (spreads): the worth of an open order is not.
#[inline]
fn worth(exposure: Exposure, multiplier: i64) -> Notional {
    let price = Price(exposure.price.0.saturating_abs());
    Notional::of(price, exposure.qty, multiplier).unwrap_or(Notional(i128::MAX))
}

impl Ledger {
    /// Accounts for instruments 0 to `instruments` - 1, all flat, with room for so many parent orders. No strategy is known
    /// yet: what trades is nobody's. Money is counted in 10^`exponent` of each currency, and its sum in `base`.
    #[must_use]
    pub fn new(instruments: usize, parents: u32, base: Currency, exponent: i8) -> Self {
        Ledger {
            accounts: vec![CLOSED; instruments].into_boxed_slice(),
            owners: Owners::new(instruments, parents),
            money: Money::new(base, exponent),
            faults: 0,
        }
    }

    /// The strategies whose positions are kept apart: `first`, `first` + 1, and so on. Allocates.
    pub fn number_strategies(&mut self, first: StrategyId, count: u16) {
        self.owners.number(first, count);
    }

    /// A position; flat if the instrument is beyond the capacity. Those of all strategies and nobody's make up the lane's.
    #[inline]
    #[must_use]
    pub fn position(&self, instrument: InstrumentId, whose: Whose) -> Qty {
        self.owners.position(instrument, whose).unwrap_or_else(|| self.account(instrument).position)
    }

    /// Could the position of an order's parent be kept? The gate lets no order leave of which it could not.
    #[must_use]
    #[inline]
    pub fn has_room(&self, instrument: InstrumentId, parent: ParentId) -> bool {
        self.owners.has_room(instrument, parent)
    }

    /// Parent orders that have something open or are not flat, counted in each instrument that they trade.
    #[must_use]
    pub fn parents(&self) -> usize {
        self.owners.parents()
    }

    /// One account; flat if the instrument is beyond the capacity.
    #[inline]
    #[must_use]
    pub fn account(&self, instrument: InstrumentId) -> &Account {
        self.accounts.get(instrument.0 as usize).unwrap_or(&CLOSED)
    }

    /// All accounts, by instrument id.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The currencies beside the base currency: see [`Gate::set_currencies`](super::Gate::set_currencies).
    pub(super) fn set_currencies(&mut self, all: &[CurrencyLimits]) -> Result<(), OutOfRange> {
        self.money.set(all)
    }

    pub(super) fn money(&self) -> &Money {
        &self.money
    }

    /// Where an instrument's amounts are summed.
    #[inline]
    pub(super) fn place(&self, row: &Instrument) -> Result<Place, Refusal> {
        self.money.place(row)
    }

    /// Open notional over all accounts and both sides, in money units of the base currency. What is open in another one is
    /// converted, rounded up.
    #[inline]
    #[must_use]
    pub fn open(&self) -> Notional {
        self.money.open()
    }

    /// The same in the instruments of one currency, in money units of it. `None`: the lane does not trade in it.
    #[must_use]
    pub fn open_in(&self, currency: Currency) -> Option<Notional> {
        self.money.open_in(currency)
    }

    /// Changes that could not be booked as they stood: more exposure taken away than there was, an instrument beyond
    /// the capacity, money beyond 128 bits, a parent without room (which the gate sees to; but a trade of one that is done
    /// may be broken). Anything but zero is a bug elsewhere.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// Adds a position brought in from the day before, and what it cost (negative for a short one): a strategy's, or the
    /// lane's and nobody's.
    pub fn carry_in(&mut self, instrument: InstrumentId, strategy: Option<StrategyId>, position: Qty, cost: Notional) {
        let Some(account) = self.accounts.get_mut(instrument.0 as usize) else {
            self.faults = self.faults.wrapping_add(1);
            return;
        };
        account.position = account.position.plus(position);
        account.cash = Notional(account.cash.0.saturating_sub(cost.0));
        self.owners.add(instrument, strategy, position);
    }

    /// Books one step of an order's life.
    #[inline]
    pub fn apply(&mut self, change: &Change, instrument: &Instrument) {
        let Some(account) = self.accounts.get_mut(change.instrument.0 as usize) else {
            self.faults = self.faults.wrapping_add(1);
            return;
        };
        let multiplier = instrument.multiplier;
        let faults = &mut self.faults;
        // More is taken away than there is: keep to zero and say so, rather than open room that is not there.
        let mut settle = |now: i128| {
            *faults = faults.wrapping_add(u64::from(now < 0));
            now.max(0)
        };
        let qty = |n: i128| Qty(i64::try_from(n).unwrap_or(i64::MAX));
        let step = |from: i128, less: i128, more: i128| from.saturating_sub(less).saturating_add(more);

        let (before, after) = (change.before, change.after);
        let worths = [worth(before, multiplier), worth(after, multiplier)];
        let [worth_before, worth_after] = worths.map(|worth| worth.0);
        let side = match change.side {
            Side::Buy => &mut account.buys,
            Side::Sell => &mut account.sells,
        };
        side.qty = qty(settle(step(side.qty.0.into(), before.qty.0.into(), after.qty.0.into())));
        side.notional = Notional(settle(step(side.notional.0, worth_before, worth_after)));
        let short = |e: Exposure| if e.short { i128::from(e.qty.0) } else { 0 };
        account.short_open = qty(settle(step(account.short_open.0.into(), short(before), short(after))));
        let summed = self.money.step(instrument, worths, [before.qty, after.qty]);
        self.faults = self.faults.wrapping_add(u64::from(!summed));

        let short = before.short || after.short;
        let mut came = Qty::ZERO;
        if let Some(fill) = change.reversed {
            let taken_back = Fill { qty: Qty(fill.qty.0.saturating_abs()).negated(), ..fill };
            came = account.book(change.side, taken_back, short, multiplier, &mut self.faults);
        }
        if let Some(fill) = change.fill {
            came = came.plus(account.book(change.side, fill, short, multiplier, &mut self.faults));
        }
        let kept = self.owners.step(change.instrument, change.tags, came, after.qty.minus(before.qty));
        self.faults = self.faults.wrapping_add(u64::from(!kept));
    }
}

crate::value! { Open { qty, notional } }
crate::state! { Account { position, buys, sells, short_open, short_sold, cash } }
crate::state! { Ledger { accounts, owners, money, faults } }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;

    fn row() -> Instrument {
        Instrument::us_equity(crate::base::Symbol(*b"TEST    "))
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Ledger); 13] = [
            |_| {},
            |l| l.accounts[0].position = Qty(1),
            |l| l.accounts[1].position = Qty(1),
            |l| l.accounts[0].buys.qty = Qty(1),
            |l| l.accounts[0].buys.notional = Notional(1),
            |l| l.accounts[0].sells.qty = Qty(1),
            |l| l.accounts[0].sells.notional = Notional(1),
            |l| l.accounts[0].short_open = Qty(1),
            |l| l.accounts[0].short_sold = Qty(1),
            |l| l.accounts[0].cash = Notional(1),
            |l| l.owners.add(InstrumentId(0), None, Qty(1)),
            |l| _ = l.money.step(&row(), [Notional(0), Notional(1)], [Qty(0); 2]),
            |l| l.faults = 1,
        ];
        assert_all_saved(|| Ledger::new(2, 4, Currency::USD, -4), &changes);
    }
}
