//! The currencies of a lane: what is open in each, and what all of it is worth in one.
//!
//! ```text
//!  price x quantity x multiplier    in the instrument's units: 10^(price_exponent + qty_exponent) of its currency
//!        x 10^(that - exponent)     in the lane's money unit, 10^exponent of that currency: exact, or the instrument is refused
//!        summed                     what is open in the currency
//!        x rate, rounded up         in the money unit of the base currency
//!        summed                     what is open in all
//! ```
//!
//! Only sums are converted, each once, so that rounding costs less than one money unit a currency, and always against the
//! lane. What can't be reckoned in 128 bits is over every limit.

use crate::base::{Currency, Instrument, LoadError, Notional, OutOfRange, Qty, Rate, Reader, Save, State, Value};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::Refusal;
use super::limits::MOST_NOTIONAL;

/// A currency that a lane trades in, and its limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CurrencyLimits {
    /// Which.
    pub currency: Currency,
    /// What one unit of it is worth in the base currency; 1 for that one itself.
    pub rate: Rate,
    /// Open notional in all instruments of the currency, both sides, in money units of it: 1 to 2^100. `None`: the lane's
    /// limit alone holds.
    pub max_total_open: Option<Notional>,
}

/// In which currency the notional limits of an instrument count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MoneyIn {
    /// The lane's base currency: an amount is converted, rounded up, and compared.
    Base,
    /// The instrument's own.
    Own,
}

/// What is open in a currency.
#[derive(Clone, Copy, Debug)]
struct Sum {
    limits: CurrencyLimits,
    open: Notional,
    /// The same in the base currency, rounded up.
    worth: Notional,
}

impl Sum {
    const fn of(limits: CurrencyLimits) -> Self {
        Sum { limits, open: Notional::ZERO, worth: Notional::ZERO }
    }

    fn set(&mut self, open: Notional) {
        (self.open, self.worth) = (open, self.limits.rate.up(open).unwrap_or(Notional(i128::MAX)));
    }
}

/// Where an instrument's amounts are summed, and what makes them money units.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// In the base currency, in its money units already: nothing is reckoned. So are most instruments.
    Base,
    /// Anywhere else.
    Other(Conversion),
}

/// What makes amounts of an instrument money units, and those what they are worth in the base currency.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversion {
    at: usize,
    scale: i128,
    rate: Rate,
}

impl Place {
    #[inline(always)]
    fn at(&self) -> usize {
        match self {
            Place::Base => 0,
            Place::Other(conversion) => conversion.at,
        }
    }

    /// An amount of the instrument's in money units. `None` beyond 128 bits.
    #[inline(always)]
    pub(super) fn money(&self, amount: Notional) -> Option<Notional> {
        match self {
            Place::Base => Some(amount),
            // A checked product of 128 bits is a call, which most currencies do not need either.
            Place::Other(Conversion { scale: 1, .. }) => Some(amount),
            Place::Other(conversion) => amount.0.checked_mul(conversion.scale).map(Notional),
        }
    }

    /// Money units of its currency, in the base currency, rounded up.
    #[inline(always)]
    fn up(&self, money: Notional) -> Option<Notional> {
        match self {
            Place::Base => Some(money),
            Place::Other(conversion) => conversion.rate.up(money),
        }
    }

    /// An amount as a limit counts it.
    #[inline(always)]
    pub(super) fn counted(&self, amount: Notional, money: MoneyIn) -> Option<Notional> {
        let amount = self.money(amount)?;
        if money == MoneyIn::Own { Some(amount) } else { self.up(amount) }
    }

    fn back_down(&self, money: Notional) -> Option<Notional> {
        match self {
            Place::Base => Some(money),
            Place::Other(conversion) => conversion.rate.back_down(money),
        }
    }

    /// A limit, as money units of the instrument's currency: no more than what it allows.
    pub(super) fn limit(&self, limit: Notional, money: MoneyIn) -> Notional {
        let own = if money == MoneyIn::Own { Some(limit) } else { self.back_down(limit) };
        own.unwrap_or(Notional(i128::MAX))
    }

    /// Money units in the instrument's own, rounded down.
    pub(super) fn amount(&self, money: Notional) -> Notional {
        match self {
            Place::Base => money,
            Place::Other(conversion) => Notional(money.0.checked_div(conversion.scale).unwrap_or(0)),
        }
    }
}

/// All currencies of a lane; the base currency first.
#[derive(Debug)]
pub(super) struct Money {
    exponent: i8,
    sums: Box<[Sum]>,
    /// Shares open in instruments whose amounts can't be summed: of orders of an earlier run alone.
    unsummed: Qty,
}

impl Money {
    /// Most currencies of a lane.
    pub(super) const MOST: usize = 32;

    pub(super) fn new(base: Currency, exponent: i8) -> Self {
        let base = CurrencyLimits { currency: base, rate: Rate::ONE, max_total_open: None };
        Money { exponent, sums: vec![Sum::of(base)].into_boxed_slice(), unsummed: Qty::ZERO }
    }

    /// Gives the lane other currencies beside its base currency, which may be among them. Allocates.
    pub(super) fn set(&mut self, all: &[CurrencyLimits]) -> Result<(), OutOfRange> {
        let unless = OutOfRange::unless;
        let Some(&Sum { limits: base, .. }) = self.sums.first() else { return Ok(()) };
        let mut sums = Vec::with_capacity(all.len().saturating_add(1));
        sums.push(Sum::of(CurrencyLimits { max_total_open: None, ..base }));
        for limits in all {
            unless(limits.currency.is_sound(), "currency.code", "three to eight capital letters and digits")?;
            let range = |limit: Notional| (1..=MOST_NOTIONAL).contains(&limit.0);
            unless(limits.max_total_open.is_none_or(range), "currency.max_total_open", "1 to 2^100")?;
            if limits.currency == base.currency {
                unless(limits.rate.is_one(), "currency.rate", "1 for the base currency")?;
            }
            let known = sums.iter_mut().find(|sum: &&mut Sum| sum.limits.currency == limits.currency);
            match known {
                Some(sum) if sum.limits.currency == base.currency && sum.limits.max_total_open.is_none() => {
                    sum.limits.max_total_open = limits.max_total_open;
                }
                Some(_) => return unless(false, "currency.code", "given once"),
                None => sums.push(Sum::of(*limits)),
            }
        }
        unless(sums.len() <= Money::MOST, "currency", "31 beside the base currency at most")?;
        for before in &self.sums {
            let same = sums.iter_mut().find(|sum| sum.limits.currency == before.limits.currency);
            if let Some(sum) = same {
                sum.set(before.open);
            }
        }
        self.sums = sums.into_boxed_slice();
        Ok(())
    }

    /// Where an instrument's amounts are summed.
    ///
    /// # Errors
    /// [`Refusal::NoRate`] of a currency that is not the lane's, [`Refusal::ForeignUnits`] of units finer than its money.
    // Inlined with what is made of it: a place is mostly the base currency's, of which nothing is reckoned.
    #[inline(always)]
    pub(super) fn place(&self, row: &Instrument) -> Result<Place, Refusal> {
        let exponent = row.price_exponent.saturating_add(row.qty_exponent);
        match self.sums.first() {
            Some(base) if base.limits.currency == row.currency && exponent == self.exponent => Ok(Place::Base),
            _ => self.place_of(row.currency, exponent),
        }
    }

    #[cold]
    fn place_of(&self, currency: Currency, exponent: i8) -> Result<Place, Refusal> {
        let found = self.sums.iter().enumerate().find(|(_, sum)| sum.limits.currency == currency);
        let (at, sum) = found.ok_or(Refusal::NoRate)?;
        let finer = i32::from(exponent).wrapping_sub(self.exponent.into());
        let scale = u32::try_from(finer).ok().and_then(|shift| 10i128.checked_pow(shift));
        Ok(Place::Other(Conversion { at, scale: scale.ok_or(Refusal::ForeignUnits)?, rate: sum.limits.rate }))
    }

    /// May so much more be open in an instrument of this place?
    #[inline(always)]
    pub(super) fn judge(&self, place: &Place, added: Notional, most: Notional) -> Result<(), Refusal> {
        let sum = self.sums.get(place.at()).ok_or(Refusal::NoRate)?;
        let open = place.money(added).and_then(|added| sum.open.plus(added));
        if let Some(limit) = sum.limits.max_total_open
            && open.is_none_or(|open| open > limit)
        {
            return Err(Refusal::CurrencyExposure);
        }
        let total = match open.map(|open| place.up(open)) {
            Some(Some(worth)) => worth.plus(self.elsewhere(place)),
            _ => None,
        };
        if self.unsummed.is_positive() || total.is_none_or(|total| total > most) {
            return Err(Refusal::TotalExposure);
        }
        Ok(())
    }

    /// How much more may be open there, in money units of its currency.
    pub(super) fn left(&self, place: &Place, most: Notional) -> Notional {
        let Some(sum) = self.sums.get(place.at()).filter(|_| !self.unsummed.is_positive()) else {
            return Notional::ZERO;
        };
        let rest = most.minus(self.elsewhere(place)).unwrap_or(Notional::ZERO).max(Notional::ZERO);
        let all = place.back_down(rest).unwrap_or(Notional(i128::MAX));
        let limit = sum.limits.max_total_open.unwrap_or(all).min(all);
        limit.minus(sum.open).unwrap_or(Notional::ZERO).max(Notional::ZERO)
    }

    /// What is open in other currencies, in the base currency.
    #[inline(always)]
    fn elsewhere(&self, place: &Place) -> Notional {
        if self.sums.len() <= 1 { Notional::ZERO } else { self.worth_but_of(place.at()) }
    }

    #[inline(never)]
    fn worth_but_of(&self, place: usize) -> Notional {
        let others = self.sums.iter().enumerate().filter(|(at, _)| *at != place);
        Notional(others.fold(0, |all, (_, sum)| all.saturating_add(sum.worth.0)))
    }

    /// Open in all, in the base currency.
    #[inline]
    pub(super) fn open(&self) -> Notional {
        Notional(self.sums.iter().fold(0, |all, sum| all.saturating_add(sum.worth.0)))
    }

    /// Open in a currency, in money units of it.
    pub(super) fn open_in(&self, currency: Currency) -> Option<Notional> {
        Some(self.sums.iter().find(|sum| sum.limits.currency == currency)?.open)
    }

    /// An order of an instrument was worth so much before a step, and is worth so much after; and so many shares of it were
    /// open, and are. False: more was taken away than there was.
    #[inline]
    pub(super) fn step(&mut self, row: &Instrument, worth: [Notional; 2], qty: [Qty; 2]) -> bool {
        let Ok(place) = self.place(row) else { return self.step_unsummed(qty) };
        let Some(sum) = self.sums.get_mut(place.at()) else { return false };
        let [before, after] = worth.map(|amount| place.money(amount).unwrap_or(Notional(i128::MAX)).0);
        let now = sum.open.0.saturating_sub(before).saturating_add(after);
        sum.set(Notional(now.max(0)));
        now >= 0
    }

    #[cold]
    fn step_unsummed(&mut self, [before, after]: [Qty; 2]) -> bool {
        let now = self.unsummed.minus(before).plus(after);
        self.unsummed = now.max(Qty::ZERO);
        now >= Qty::ZERO
    }
}

/// What is open. Rates and limits are configuration, and what it is worth follows.
impl State for Money {
    fn save(&self, into: &mut dyn Save) {
        let Money { exponent: _, sums, unsummed } = self;
        into.count(sums.len());
        for Sum { limits: _, open, worth: _ } in sums {
            open.put(into);
        }
        unsummed.put(into);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let Money { exponent: _, sums, unsummed } = self;
        LoadError::unless_equal(sums.len(), from.u64()?)?;
        for sum in sums {
            let open: Notional = from.value()?;
            if open < Notional::ZERO {
                return Err(LoadError::BAD);
            }
            sum.set(open);
        }
        *unsummed = from.value()?;
        if *unsummed < Qty::ZERO { Err(LoadError::BAD) } else { Ok(()) }
    }
}
