//! The gate: the only maker of [`Approved`].

use super::ledger::{Account, Ledger};
use super::limits::{EmptyBook, InstrumentLimits, OneSided, PriceCollar, RiskLimits, ShortSale, ZeroCross};
use super::memory::{Recent, Throttle};
use super::money::{CurrencyLimits, Place};
use super::stops::Stops;
use crate::base::{Instrument, InstrumentId, LoadError, Mono, Notional, OutOfRange, Price, Qty, Side, StrategyId};
use crate::flow::action::{Cancel, CancelToken, Change, Enter, Exposure, MassCancel, Replace, SellMark};
use alloc::boxed::Box;
use alloc::vec;
use core::ops::Deref;

/// Proof that `T` passed the gate. Order entry encodes from nothing else, and takes it by value: it can be neither
/// made elsewhere (`tests/ui/forged_approval.rs`) nor used twice:
///
/// ```compile_fail,E0382
/// # use firelane_gateway::flow::{action::Cancel, risk::Approved};
/// fn spend_twice(approved: Approved<Cancel>) -> [Cancel; 2] {
///     [approved.into_inner(), approved.into_inner()]
/// }
/// ```
#[derive(PartialEq, Eq, Debug)]
#[must_use = "an approval that is dropped is an order that never leaves"]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    /// Spends the approval.
    #[inline]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Approved<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// A new order with the mark that Regulation SHO wants on a sale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarkedEnter {
    /// The order.
    pub enter: Enter,
    /// Long (and every buy), or short.
    pub mark: SellMark,
}

/// What an enter becomes: one order, or two when a sell is larger than the long position.
#[derive(PartialEq, Eq, Debug)]
#[must_use = "approvals that are dropped are orders that never leave"]
pub struct Approvals {
    /// The whole order, or its long part.
    pub first: Approved<MarkedEnter>,
    /// The short part of a split sale.
    pub second: Option<Approved<MarkedEnter>>,
}

impl IntoIterator for Approvals {
    type Item = Approved<MarkedEnter>;
    type IntoIter = core::iter::Chain<core::iter::Once<Self::Item>, core::option::IntoIter<Self::Item>>;

    fn into_iter(self) -> Self::IntoIter {
        core::iter::once(self.first).chain(self.second)
    }
}

/// What the gate must know of the market to judge an enter or a replace.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Now.
    pub now: Mono,
    /// The instrument's row.
    pub instrument: &'a Instrument,
    /// Best bid without own orders.
    pub best_bid: Option<Price>,
    /// Best ask without own orders.
    pub best_ask: Option<Price>,
    /// Is the book exact (no gap open, no damage unhealed)?
    pub fresh: bool,
    /// Is the book locked or crossed ([`BookRef::is_crossed`](crate::flow::book::BookRef::is_crossed))?
    pub crossed: bool,
    /// Is the instrument in continuous trading, the market open, the symbol live?
    pub tradable: bool,
    /// Limits of a limit-up-limit-down auction, lower and upper.
    pub collar: Option<(Price, Price)>,
    /// Is the short-sale price test of Regulation SHO in force?
    pub short_restricted: bool,
    /// Highest own buy that may be live, with every request on its way taken at its worst.
    pub own_best_bid: Option<Price>,
    /// Lowest own sell that may be live, likewise.
    pub own_best_ask: Option<Price>,
    /// How many new orders could leave now: a sale in two parts leaves whole or not at all.
    pub room: u32,
}

/// What the gate must know of the order that a replace or a cancel is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderFacts {
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Whose it is.
    pub strategy: StrategyId,
    /// Its side.
    pub side: Side,
    /// Its mark.
    pub mark: SellMark,
    /// Its limit.
    pub price: Price,
    /// Shares of the whole chain that were executed; broken trades stay in it.
    pub executed: Qty,
    /// Shares of the whole chain that the venue took off for meeting our own: a replace's liability counts them.
    pub decremented: Qty,
    /// Shares open at the venue, as last heard.
    pub open: Qty,
    /// What it could still do, with every request on its way taken at its worst: what the ledger holds for it.
    pub exposure: Exposure,
    /// A request to replace it has no answer yet: another must wait, for it would be reckoned from a guess.
    pub pending: bool,
    /// The last cancel sent for it: how much it was to keep, and when it was sent.
    pub cancel: Option<(Qty, Mono)>,
}

/// Why something may not leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Refusal {
    /// A kill switch is thrown: the lane's, or that of the venue, the instrument or the strategy.
    Killed,
    /// The gate was built for fewer instruments.
    UnknownInstrument,
    /// The instrument's units are finer than the lane's money unit, or beyond what can be reckoned in it.
    ForeignUnits,
    /// A size that is not positive, or not whole lots where those are demanded.
    BadQuantity,
    /// A price that is not positive or not a multiple of the tick.
    BadPrice,
    /// Over the limit on the size of an order.
    OrderQuantity,
    /// Over the limit on the value of an order, or beyond what can be computed.
    OrderNotional,
    /// Halted, paused, closed, a test symbol, or not known to be otherwise.
    NotTradable,
    /// The book may be wrong.
    StaleBook,
    /// Outside the limit-up-limit-down auction collar.
    AuctionCollar,
    /// The book is empty, or empty on one side, and the configuration wants a reference.
    NoReference,
    /// Too far through the opposite best.
    PriceThrough,
    /// Too far behind the own best.
    PriceBehind,
    /// Would trade with an own order.
    SelfTrade,
    /// Over the position limit if everything open executed.
    Position,
    /// Over the open exposure of the instrument.
    OpenExposure,
    /// Over the open exposure of the lane.
    TotalExposure,
    /// Larger than the long position, and sales are not split.
    CrossesZero,
    /// Short sales are not allowed.
    ShortForbidden,
    /// Not enough shares located (Regulation SHO, Rule 203(b)(1)).
    NoLocate,
    /// Not above the best bid while the price test is in force (Regulation SHO, Rule 201).
    ShortPrice,
    /// A replace would sell more than is held under a mark that says long (Regulation SHO, Rule 200(g)).
    TurnsShort,
    /// The same order was let pass a moment ago; or a replace that changes nothing.
    Duplicate,
    /// Over the order rate.
    Rate,
    /// An earlier request on the order has no answer yet.
    Pending,
    /// A replace that would leave nothing open (cancel instead), or a request on an order that has nothing open.
    NothingOpen,
    /// A cancel that would not reduce the order.
    NotReducing,
    /// The same cancel was let pass a moment ago.
    RepeatedCancel,
    /// Said by the lane, not the gate: order entry is not ready.
    EntryNotReady,
    /// Said by the lane: no such order lives.
    UnknownOrder,
    /// No slot for another order or for its parent, or no room to write it now.
    NoRoom,
    /// Said by the lane: the venue's protocol can't express it.
    CannotSay,
    /// The book is locked or crossed: something in it is wrong.
    CrossedBook,
    /// The strategy is disabled.
    Disabled,
    /// The instrument's currency has no rate to the base currency.
    NoRate,
    /// Over the open exposure of the currency.
    CurrencyExposure,
}

impl Refusal {
    /// Every reason, in the order of its number.
    pub const ALL: [Refusal; 36] = [
        Refusal::Killed,
        Refusal::UnknownInstrument,
        Refusal::ForeignUnits,
        Refusal::BadQuantity,
        Refusal::BadPrice,
        Refusal::OrderQuantity,
        Refusal::OrderNotional,
        Refusal::NotTradable,
        Refusal::StaleBook,
        Refusal::AuctionCollar,
        Refusal::NoReference,
        Refusal::PriceThrough,
        Refusal::PriceBehind,
        Refusal::SelfTrade,
        Refusal::Position,
        Refusal::OpenExposure,
        Refusal::TotalExposure,
        Refusal::CrossesZero,
        Refusal::ShortForbidden,
        Refusal::NoLocate,
        Refusal::ShortPrice,
        Refusal::TurnsShort,
        Refusal::Duplicate,
        Refusal::Rate,
        Refusal::Pending,
        Refusal::NothingOpen,
        Refusal::NotReducing,
        Refusal::RepeatedCancel,
        Refusal::EntryNotReady,
        Refusal::UnknownOrder,
        Refusal::NoRoom,
        Refusal::CannotSay,
        Refusal::CrossedBook,
        Refusal::Disabled,
        Refusal::NoRate,
        Refusal::CurrencyExposure,
    ];
}

/// The gate.
#[derive(Debug)]
pub struct Gate {
    pub(super) limits: RiskLimits,
    each: Box<[InstrumentLimits]>,
    ledger: Ledger,
    pub(super) stops: Stops,
    /// The latest time it was asked at: clocks of different sources may disagree, the gate's never runs back.
    now: Mono,
    pub(super) throttle: Throttle,
    pub(super) recent: Recent,
    /// The last mass cancel of everything, forgotten as soon as an order leaves.
    swept: Option<Mono>,
    /// The last mass cancel of each instrument, likewise.
    swept_each: Box<[Option<Mono>]>,
    passed: u64,
    refused: [u64; Refusal::ALL.len()],
}

/// What was found of one order by itself.
struct Single<'a> {
    limits: &'a InstrumentLimits,
    place: Place,
    /// What it is worth, in the instrument's units.
    worth: Notional,
}

/// A judged enter: how many shares leave as long (or bought), how many as short, and what the rate becomes.
struct Judged {
    plain: Qty,
    short: Qty,
    located: bool,
    full_at: Mono,
}

impl Gate {
    /// A gate for instruments 0 to `instruments` - 1, with flat accounts and the switch released.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first limit out of its range.
    pub fn new(limits: &RiskLimits, instruments: usize) -> Result<Self, OutOfRange> {
        limits.check()?;
        Ok(Gate {
            limits: *limits,
            each: vec![limits.each; instruments].into_boxed_slice(),
            ledger: Ledger::new(instruments, limits.parents, limits.currency, limits.exponent),
            stops: Stops::new(instruments),
            now: Mono(0),
            throttle: Throttle::new(limits),
            recent: Recent::new(limits),
            swept: None,
            swept_each: vec![None; instruments].into_boxed_slice(),
            passed: 0,
            refused: [0; Refusal::ALL.len()],
        })
    }

    /// Gives the lane currencies beside its base currency, each with its rate and its limit; the base currency may be among
    /// them for its limit. Part of the configuration: not saved with the state. Allocates.
    ///
    /// ```
    /// use firelane_gateway::base::{Currency, Notional, Rate};
    /// use firelane_gateway::flow::risk::{CurrencyLimits, Gate, RiskLimits};
    ///
    /// let euro = Currency::new("EUR").unwrap();
    /// let rate = Rate::new("1.0832").unwrap();
    /// let mut gate = Gate::new(&RiskLimits::widest(), 1)?;
    /// assert_eq!(gate.ledger().open_in(euro), None, "instruments in euros are refused for want of a rate");
    /// gate.set_currencies(&[CurrencyLimits { currency: euro, rate, max_total_open: Some(Notional(50_000_000)) }])?;
    /// assert_eq!(gate.ledger().open_in(euro), Some(Notional::ZERO));
    /// # Ok::<(), firelane_gateway::base::OutOfRange>(())
    /// ```
    ///
    /// # Errors
    /// [`OutOfRange`] naming what is wrong; nothing is changed then.
    pub fn set_currencies(&mut self, all: &[CurrencyLimits]) -> Result<(), OutOfRange> {
        self.ledger.set_currencies(all)
    }

    /// For how many instruments it was built.
    #[must_use]
    pub fn instruments(&self) -> usize {
        self.each.len()
    }

    /// Gives an instrument limits of its own. Those that a command can change are saved with the state, the others are the
    /// configuration's.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first limit out of its range, or the instrument; nothing is changed then.
    pub fn set_limits(&mut self, instrument: InstrumentId, limits: InstrumentLimits) -> Result<(), OutOfRange> {
        limits.check()?;
        let row = self.each.get_mut(instrument.0 as usize);
        *row.ok_or(OutOfRange { field: "instrument", allowed: "below the gate's capacity" })? = limits;
        Ok(())
    }

    /// Sets how many shares are located for the day, used ones included.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the number or the instrument; nothing is changed then.
    pub fn set_locates(&mut self, instrument: InstrumentId, shares: Qty) -> Result<(), OutOfRange> {
        let limits = self.limits_of(instrument);
        self.set_limits(instrument, InstrumentLimits { locates: shares, ..limits })
    }

    /// The limits of an instrument.
    #[must_use]
    pub fn limits_of(&self, instrument: InstrumentId) -> InstrumentLimits {
        self.each.get(instrument.0 as usize).copied().unwrap_or(self.limits.each)
    }

    /// The limits of the lane.
    #[must_use]
    pub fn limits(&self) -> &RiskLimits {
        &self.limits
    }

    /// How many enters and replaces the order rate would let pass at `now`.
    pub(super) fn rate_left(&self, now: Mono) -> u32 {
        self.throttle.left(self.now.max(now))
    }

    /// Positions, open exposure, cash.
    #[inline]
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Brings in a position from the day before: see [`Ledger::carry_in`].
    pub fn carry_in(&mut self, instrument: InstrumentId, strategy: Option<StrategyId>, position: Qty, cost: Notional) {
        self.ledger.carry_in(instrument, strategy, position, cost);
    }

    /// The strategies whose positions are kept apart (see [`Ledger::number_strategies`]), and that can be stopped alone.
    pub fn number_strategies(&mut self, first: StrategyId, count: u16) {
        self.ledger.number_strategies(first, count);
        self.stops.number_strategies(first, count);
    }

    /// Books one step of an order's life. The step that opens an order must follow its approval before anything else
    /// is asked.
    #[inline]
    pub fn apply(&mut self, change: &Change, instrument: &Instrument) {
        self.ledger.apply(change, instrument);
    }

    /// How often something was let pass.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// How often something was refused for `reason`.
    #[must_use]
    pub fn refused(&self, reason: Refusal) -> u64 {
        self.refused.get(reason as usize).copied().unwrap_or(0)
    }

    /// May a new order leave?
    ///
    /// # Errors
    /// The first [`Refusal`] that applies, counted.
    #[inline(always)]
    pub fn enter(&mut self, enter: Enter, facts: &Facts<'_>) -> Result<Approvals, Refusal> {
        self.now = self.now.max(facts.now);
        let judged = self.judge_enter(&enter, facts);
        let Judged { plain, short, located, full_at } = self.count(judged)?;
        self.throttle.take(full_at);
        self.recent.remember(&enter, self.now);
        self.order_leaves(enter.instrument);

        let part = |qty, mark| Approved(MarkedEnter { enter: Enter { qty, ..enter }, mark });
        let long = part(plain, SellMark::Long);
        if !short.is_positive() {
            return Ok(Approvals { first: long, second: None });
        }
        let short = part(short, SellMark::Short { located });
        Ok(match plain.is_positive() {
            true => Approvals { first: long, second: Some(short) },
            false => Approvals { first: short, second: None },
        })
    }

    /// May an order change its price or size? Judged with the larger of what it could do before and after.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies, counted.
    #[inline(always)]
    pub fn replace(
        &mut self,
        replace: Replace,
        order: &OrderFacts,
        facts: &Facts<'_>,
    ) -> Result<Approved<Replace>, Refusal> {
        self.now = self.now.max(facts.now);
        let judged = self.judge_replace(&replace, order, facts);
        let full_at = self.count(judged)?;
        self.throttle.take(full_at);
        self.order_leaves(order.instrument);
        Ok(Approved(replace))
    }

    /// May a cancel leave? Neither the kill switch nor any limit stops one that reduces the order; only the same
    /// again, within the configured time, is held back.
    ///
    /// # Errors
    /// [`Refusal::NotReducing`] or [`Refusal::RepeatedCancel`], counted.
    #[inline]
    pub fn cancel(&mut self, cancel: Cancel, order: &OrderFacts, now: Mono) -> Result<Approved<Cancel>, Refusal> {
        self.now = self.now.max(now);
        let most = order.executed.plus(order.exposure.qty);
        let repeated = |(keep, at): (Qty, Mono)| keep <= cancel.keep && self.now.since(at) < self.limits.cancel_repeat;
        let verdict = if !order.exposure.qty.is_positive() || cancel.keep < Qty::ZERO || cancel.keep >= most {
            Err(Refusal::NotReducing)
        } else if order.cancel.is_some_and(repeated) {
            Err(Refusal::RepeatedCancel)
        } else {
            Ok(())
        };
        self.count(verdict)?;
        Ok(Approved(cancel))
    }

    /// May a mass cancel leave? Always, but for the same again within the configured time when no order left since.
    ///
    /// # Errors
    /// [`Refusal::RepeatedCancel`], counted.
    pub fn mass_cancel(&mut self, cancel: MassCancel, now: Mono) -> Result<Approved<MassCancel>, Refusal> {
        self.now = self.now.max(now);
        let each = cancel.instrument.and_then(|i| self.swept_each.get_mut(i.0 as usize));
        let repeated = |at: Mono| self.now.since(at) < self.limits.cancel_repeat;
        let verdict = if self.swept.is_some_and(repeated) || each.as_ref().is_some_and(|at| at.is_some_and(repeated)) {
            Err(Refusal::RepeatedCancel)
        } else {
            match (cancel.instrument, each) {
                (None, _) => self.swept = Some(self.now),
                (Some(_), Some(at)) => *at = Some(self.now),
                (Some(_), None) => {}
            }
            Ok(())
        };
        self.count(verdict)?;
        Ok(Approved(cancel))
    }

    /// May an order that only the venue knows be cancelled? Always: it can but reduce.
    pub fn cancel_token(&mut self, cancel: CancelToken, now: Mono) -> Approved<CancelToken> {
        self.now = self.now.max(now);
        self.passed = self.passed.wrapping_add(1);
        Approved(cancel)
    }

    fn follow(&mut self) -> Result<(), LoadError> {
        self.throttle.follow(&self.limits);
        Ok(())
    }

    #[inline]
    fn count<T>(&mut self, verdict: Result<T, Refusal>) -> Result<T, Refusal> {
        let counter = match &verdict {
            Ok(_) => Some(&mut self.passed),
            Err(reason) => self.refused.get_mut(*reason as usize),
        };
        if let Some(n) = counter {
            *n = n.wrapping_add(1);
        }
        verdict
    }

    /// A mass cancel sent before no longer covers everything.
    #[inline]
    fn order_leaves(&mut self, instrument: InstrumentId) {
        self.swept = None;
        if let Some(at) = self.swept_each.get_mut(instrument.0 as usize) {
            *at = None;
        }
    }

    #[inline(always)]
    fn judge_enter(&self, enter: &Enter, facts: &Facts<'_>) -> Result<Judged, Refusal> {
        let &Enter { instrument, side, price, qty, tags, .. } = enter;
        self.stops.ask(instrument, facts.instrument.venue, tags.strategy)?;
        let Single { limits, place, worth } = self.judge_order(instrument, side, price, qty, facts)?;
        let account = self.ledger.account(instrument);
        self.judge_sums((limits, &place), account, side, qty, Some(worth))?;

        let plain = match side {
            Side::Buy => qty,
            Side::Sell => qty.min(account.long_available()),
        };
        let short = qty.minus(plain);
        if short.is_positive() {
            if plain.is_positive() && limits.zero_cross == ZeroCross::Refuse {
                return Err(Refusal::CrossesZero);
            }
            judge_short(limits, account, Qty::ZERO, short, price, facts)?;
        }
        if self.recent.holds(enter, self.now) {
            return Err(Refusal::Duplicate);
        }
        let legs = if plain.is_positive() && short.is_positive() { 2 } else { 1 };
        if legs > facts.room || !self.ledger.has_room(instrument, enter.tags.parent) {
            return Err(Refusal::NoRoom);
        }
        let full_at = self.throttle.ask(self.now, legs.into()).ok_or(Refusal::Rate)?;
        Ok(Judged { plain, short, located: limits.short == ShortSale::Located, full_at })
    }

    #[inline(always)]
    fn judge_replace(&self, replace: &Replace, order: &OrderFacts, facts: &Facts<'_>) -> Result<Mono, Refusal> {
        let open = replace.qty.minus(order.executed).minus(order.decremented);
        if !order.exposure.qty.is_positive() || !open.is_positive() {
            return Err(Refusal::NothingOpen);
        }
        if order.pending {
            return Err(Refusal::Pending);
        }
        self.stops.ask(order.instrument, facts.instrument.venue, order.strategy)?;
        let Single { limits, place, worth: _ } =
            self.judge_order(order.instrument, order.side, replace.price, open, facts)?;
        // Until the venue answers either order may be the live one.
        let before = order.exposure;
        let after = Exposure { qty: open.max(before.qty), price: replace.price.max(before.price), short: before.short };
        let account = self.ledger.account(order.instrument);
        let worth = |e: Exposure| Notional::of(e.price, e.qty, facts.instrument.multiplier);
        let added = worth(after).zip(worth(before)).and_then(|(a, b)| a.minus(b));
        self.judge_sums((limits, &place), account, order.side, after.qty.minus(before.qty), added)?;
        match (order.side, order.mark) {
            (Side::Buy, _) => {}
            (Side::Sell, SellMark::Short { .. }) => {
                judge_short(limits, account, before.qty, after.qty, replace.price, facts)?;
            }
            (Side::Sell, SellMark::Long) => {
                let more = after.qty.minus(before.qty);
                if more.is_positive() && more > account.long_available() {
                    return Err(Refusal::TurnsShort);
                }
            }
        }
        if replace.price == order.price && open == order.open {
            return Err(Refusal::Duplicate);
        }
        self.throttle.ask(self.now, 1).ok_or(Refusal::Rate)
    }

    /// The controls that look at one order alone and at the market.
    // Into both callers: what it answers is 60 bytes, which would go through memory and be read back before it is there.
    #[inline(always)]
    fn judge_order(
        &self,
        instrument: InstrumentId,
        side: Side,
        price: Price,
        qty: Qty,
        facts: &Facts<'_>,
    ) -> Result<Single<'_>, Refusal> {
        let row = facts.instrument;
        let limits = self.each.get(instrument.0 as usize).ok_or(Refusal::UnknownInstrument)?;
        let place = self.ledger.place(row)?;
        if !qty.is_positive() || (limits.whole_lots && qty.0.checked_rem(row.lot) != Some(0)) {
            return Err(Refusal::BadQuantity);
        }
        if price.0 <= 0 || price.0.checked_rem(row.tick_at(price.0)) != Some(0) {
            return Err(Refusal::BadPrice);
        }
        if qty > limits.max_order_qty {
            return Err(Refusal::OrderQuantity);
        }
        let worth = Notional::of(price, qty, row.multiplier).ok_or(Refusal::OrderNotional)?;
        if place.counted(worth, limits.money).is_none_or(|worth| worth > limits.max_order_notional) {
            return Err(Refusal::OrderNotional);
        }
        if !facts.tradable {
            return Err(Refusal::NotTradable);
        }
        if !facts.fresh {
            return Err(Refusal::StaleBook);
        }
        if facts.crossed {
            return Err(Refusal::CrossedBook);
        }
        // Only the side that would push the auction through its limits is bound: a bid below the lower one is idle.
        let beyond = |(lower, upper): (Price, Price)| match side {
            Side::Buy => price > upper,
            Side::Sell => price < lower,
        };
        if facts.collar.is_some_and(beyond) {
            return Err(Refusal::AuctionCollar);
        }
        judge_price(&limits.collar, side, price, facts)?;
        let own_opposite = match side {
            Side::Buy => facts.own_best_ask,
            Side::Sell => facts.own_best_bid,
        };
        if own_opposite.is_some_and(|own| side.crosses(price, own)) {
            return Err(Refusal::SelfTrade);
        }
        Ok(Single { limits, place, worth })
    }

    /// The controls on sums over orders, which would have so many shares more, worth so much more (`None`: more than can be
    /// reckoned). What adds nothing to a sum is not refused for it: an account that is over a limit must be able to move orders
    /// that reduce it.
    // Likewise of what it is given.
    #[inline(always)]
    fn judge_sums(
        &self,
        (limits, place): (&InstrumentLimits, &Place),
        account: &Account,
        side: Side,
        more: Qty,
        added: Option<Notional>,
    ) -> Result<(), Refusal> {
        if more.is_positive() {
            // As if all of this side executed and nothing of the other. What is beyond 64 bits is beyond every limit.
            let held = match side {
                Side::Buy => account.position.0,
                Side::Sell => account.position.0.saturating_neg(),
            };
            if held.saturating_add(account.open(side).qty.0).saturating_add(more.0) > limits.max_position.0 {
                return Err(Refusal::Position);
            }
        }
        let added = added.ok_or(Refusal::OrderNotional)?;
        if added > Notional::ZERO {
            let open = account.buys.notional.plus(account.sells.notional).and_then(|open| open.plus(added));
            let open = open.and_then(|open| place.counted(open, limits.money));
            if open.is_none_or(|open| open > limits.max_open) {
                return Err(Refusal::OpenExposure);
            }
            self.ledger.money().judge(place, added, self.limits.max_total_open)?;
        }
        Ok(())
    }
}

/// The price collar.
#[inline(always)]
fn judge_price(collar: &PriceCollar, side: Side, price: Price, facts: &Facts<'_>) -> Result<(), Refusal> {
    let (own, opposite) = match side {
        Side::Buy => (facts.best_bid, facts.best_ask),
        Side::Sell => (facts.best_ask, facts.best_bid),
    };
    let (own, opposite) = match (own, opposite) {
        (Some(own), Some(opposite)) => (own, opposite),
        (Some(only), None) | (None, Some(only)) => match collar.one_sided {
            OneSided::Refuse => return Err(Refusal::NoReference),
            OneSided::UseOther => (only, only),
            OneSided::Pass => return Ok(()),
        },
        (None, None) => match collar.empty {
            EmptyBook::Refuse => return Err(Refusal::NoReference),
            EmptyBook::Pass => return Ok(()),
        },
    };
    let better = |than: Price| price.above(than).saturating_mul(side.sign());
    if better(opposite) > collar.through.reach(opposite, facts.instrument.tick_at(opposite.0)) {
        return Err(Refusal::PriceThrough);
    }
    if better(own).saturating_neg() > collar.behind.reach(own, facts.instrument.tick_at(own.0)) {
        return Err(Refusal::PriceBehind);
    }
    Ok(())
}

/// Regulation SHO for `after` shares sold short by an order that was worth `before`.
#[inline]
fn judge_short(
    limits: &InstrumentLimits,
    account: &Account,
    before: Qty,
    after: Qty,
    price: Price,
    facts: &Facts<'_>,
) -> Result<(), Refusal> {
    let more = after.minus(before);
    match limits.short {
        ShortSale::Forbidden => return Err(Refusal::ShortForbidden),
        ShortSale::Located if more.is_positive() && account.located().plus(more) > limits.locates => {
            return Err(Refusal::NoLocate);
        }
        ShortSale::Located | ShortSale::MarketMaker => {}
    }
    // The national best bid counts own bids too. With no bid known the test can't be passed.
    if facts.short_restricted && facts.best_bid.max(facts.own_best_bid).is_none_or(|bid| price <= bid) {
        return Err(Refusal::ShortPrice);
    }
    Ok(())
}

crate::state! { Gate { limits, each, ledger, stops, now, throttle, recent, swept, swept_each, passed, refused } then follow }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{InstrumentId, assert_all_saved};

    #[test]
    fn every_field_is_saved_and_restored() {
        let window = crate::base::Nanos(1_000);
        let limits = RiskLimits { duplicate_window: window, burst: 4, orders_per_second: 1, ..RiskLimits::widest() };
        const ENTER: Enter = Enter {
            instrument: InstrumentId(0),
            side: Side::Buy,
            price: Price(1),
            qty: Qty(1),
            tif: crate::flow::action::TimeInForce::Day,
            post_only: false,
            tags: crate::flow::action::Tags {
                account: crate::base::AccountId(0),
                strategy: crate::base::StrategyId(0),
                parent: crate::base::ParentId(0),
            },
        };
        let changes: [fn(&mut Gate); 21] = [
            |_| {},
            |g| g.each[1].locates = Qty(7),
            |g| g.carry_in(InstrumentId(0), None, Qty(1), Notional::ZERO),
            |g| g.kill(),
            |g| g.limits.orders_per_second = 2,
            |g| g.limits.burst = 3,
            |g| g.limits.max_total_open = Notional(7),
            |g| g.each[1].max_order_qty = Qty(7),
            |g| g.each[1].max_order_notional = Notional(7),
            |g| g.each[1].max_position = Qty(7),
            |g| g.each[1].max_open = Notional(7),
            |g| g.each[1].short = ShortSale::Located,
            |g| g.now = Mono(1),
            |g| g.throttle.take(Mono(1)),
            |g| g.recent.remember(&ENTER, Mono(1)),
            |g| g.swept = Some(Mono(1)),
            |g| g.swept_each[0] = Some(Mono(1)),
            |g| g.swept_each[1] = Some(Mono(1)),
            |g| g.passed = 1,
            |g| g.refused[0] = 1,
            |g| g.refused[Refusal::CrossedBook as usize] = 1,
        ];
        assert_all_saved(|| Gate::new(&limits, 2).unwrap(), &changes);
    }
}
