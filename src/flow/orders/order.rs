//! One order and the venue's arithmetic on it.

use super::super::action::{Exposure, SellMark, Tags, TimeInForce};
use super::super::words::Visibility;
use super::report::Standing;
use crate::base::{ClientId, InstrumentId, Mono, Price, Qty, Side, Token, VenueId, VenueRef};

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Sent, not yet answered.
    Pending,
    /// Accepted; nothing has traded.
    Live,
    /// Some has traded, some is open.
    PartiallyFilled,
    /// All has traded.
    Filled,
    /// Nothing is open, by cancel or because it was accepted dead.
    Cancelled,
    /// Never lived: refused, or lost on the way.
    Rejected,
}

/// A replace on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replacing {
    /// The token of the replacement.
    pub token: Token,
    /// Its limit.
    pub price: Price,
    /// The liability of the whole chain, executed shares included.
    pub qty: Qty,
}

/// A cancel on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cancelling {
    /// The most that the order shall execute in all; zero for a full cancel.
    pub keep: Qty,
    /// When it was sent.
    pub at: Mono,
    /// The venue has said that it will act after the cross: no answer is owed any more.
    pub deferred: bool,
}

/// Which queue of its table a slot is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Queue {
    /// Never used, or finished: reused in this order.
    Retired = 0,
    /// An answer is owed.
    Pending = 1,
    /// An answer is owed and late.
    Overdue = 2,
    /// In none: live, and no answer is owed.
    Quiet = 3,
}

impl Queue {
    /// Is an answer owed to what is in it?
    #[inline]
    pub(super) const fn is_owed(self) -> bool {
        matches!(self, Queue::Pending | Queue::Overdue)
    }
}

/// One order over its whole chain of replacements.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// The lane's name for it.
    pub id: ClientId,
    /// Where it is.
    pub venue: VenueId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Side.
    pub side: Side,
    /// How it sells.
    pub mark: SellMark,
    /// On whose behalf.
    pub tags: Tags,
    /// Time in force.
    pub tif: TimeInForce,
    /// Where it stands.
    pub status: Status,
    /// The token under which it lives (or was entered).
    pub token: Token,
    /// The limit that was asked for.
    pub limit: Price,
    /// The price at which the venue works it: the limit or better. The venue may move it back up to the limit.
    pub price: Price,
    /// Shares that may still execute, not counting a replace on its way.
    pub open: Qty,
    /// Shares executed over the whole chain. Broken trades stay in it: a break doesn't reopen the order.
    pub executed: Qty,
    /// Shares taken off because they met our own (they count towards the liability of a replace).
    pub decremented: Qty,
    /// The reference under which the feed shows it.
    pub venue_ref: Option<VenueRef>,
    /// How it is displayed.
    pub display: Visibility,
    /// A replace on its way.
    pub replacing: Option<Replacing>,
    /// A cancel on its way.
    pub cancelling: Option<Cancelling>,
    /// The most that the whole chain may execute, as it was asked for: what cancels take off stays in it.
    pub(super) liable: Qty,
    /// The token before the last replacement: a late fill may still name it.
    pub(super) previous: Token,
    /// The number of the latest request that is owed an answer.
    pub(super) request: u64,
    /// When that answer is late.
    pub(super) deadline: Mono,
    pub(super) queue: Queue,
    /// Rises with every order that goes live: where a cursor is.
    pub(super) born: u64,
}

impl Order {
    pub(super) const VACANT: Order = Order {
        id: ClientId(0),
        venue: VenueId(0),
        instrument: InstrumentId(0),
        side: Side::Buy,
        mark: SellMark::Long,
        tags: Tags {
            account: crate::base::AccountId(0),
            strategy: crate::base::StrategyId(0),
            parent: crate::base::ParentId(0),
        },
        tif: TimeInForce::Day,
        status: Status::Rejected,
        token: Token(0),
        limit: Price(0),
        price: Price(0),
        open: Qty::ZERO,
        executed: Qty::ZERO,
        decremented: Qty::ZERO,
        venue_ref: None,
        display: Visibility::Other,
        replacing: None,
        cancelling: None,
        liable: Qty::ZERO,
        previous: Token(0),
        request: 0,
        deadline: Mono::NEVER,
        queue: Queue::Retired,
        born: 0,
    };

    /// Could it still execute?
    #[inline]
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.status, Status::Pending | Status::Live | Status::PartiallyFilled)
    }

    /// May a replace be sent now? One at a time, on an accepted order that is not being cancelled whole: so the venue
    /// never sees a replace whose original it doesn't know, and the exposure has two candidates, never more.
    #[must_use]
    pub fn can_replace(&self) -> bool {
        matches!(self.status, Status::Live | Status::PartiallyFilled)
            && self.replacing.is_none()
            && self.cancelling.is_none_or(|c| c.keep.is_positive())
    }

    /// What a replace would leave open once it is in force: its liability less what the chain has used of it.
    #[must_use]
    pub(super) fn open_after(&self, replace: &Replacing) -> Qty {
        Qty(replace.qty.minus(self.executed).minus(self.decremented).0.max(0))
    }

    /// What the order may still do to the position: the larger quantity and the higher price of the order as it
    /// stands and of the replacement on its way, since either may be what trades next. Nothing once it is finished;
    /// the short mark stays, for fills that come late.
    #[must_use]
    pub fn exposure(&self) -> Exposure {
        let short = matches!(self.mark, SellMark::Short { .. });
        if !self.is_live() {
            return Exposure { short, ..Exposure::default() };
        }
        let own = Exposure { qty: self.open, price: self.limit.max(self.price), short };
        self.replacing.map_or(own, |replace| Exposure {
            qty: own.qty.max(self.open_after(&replace)),
            price: own.price.max(replace.price),
            short,
        })
    }

    /// The best price at which it may trade: what a self-trade check must look at. `None` once it is finished.
    #[must_use]
    pub fn reach(&self) -> Option<Price> {
        let better = |a: Price, b: Price| if self.side.is_better(a, b) { a } else { b };
        self.is_live().then(|| {
            let own = better(self.limit, self.price);
            self.replacing.map_or(own, |r| better(own, r.price))
        })
    }

    /// Shares that may trade under `token`: what is open under the present one; late, what the chain was asked for and has
    /// neither done, nor lost to our own orders, nor open still.
    pub(super) fn may_execute(&self, token: Token) -> Qty {
        if token == self.token && self.is_live() {
            return self.open;
        }
        let open = if self.is_live() { self.open } else { Qty::ZERO };
        Qty(self.unused().minus(open).0.max(0))
    }

    /// What the chain was asked for and has neither done nor lost to our own orders.
    pub(super) fn unused(&self) -> Qty {
        Qty(self.liable.minus(self.executed).minus(self.decremented).0.max(0))
    }

    /// The worst price at which it may trade: its limit, or what the venue works it at.
    pub(super) fn worst(&self) -> Price {
        if self.side.is_better(self.price, self.limit) { self.price } else { self.limit }
    }

    /// Does it stand as it was asked for: this side, no more than `qty`, no worse than `limit`?
    pub(super) fn is_as_asked(&self, as_is: &Standing, qty: Qty, limit: Price) -> bool {
        as_is.side == self.side && as_is.qty <= qty && !self.side.is_better(as_is.price, limit)
    }

    /// Shares traded. Only the current token's reduce what is open: one for the token before a replacement was
    /// already counted out of what the replacement reported, and the replacement's own can't come before it.
    pub(super) fn execute(&mut self, token: Token, qty: Qty) {
        self.executed = self.executed.plus(qty);
        if token == self.token && self.is_live() {
            self.open = Qty(self.open.minus(qty).0.max(0));
            self.status = if self.open.is_positive() { Status::PartiallyFilled } else { Status::Filled };
        }
    }

    /// Shares were taken off.
    pub(super) fn reduce(&mut self, decrement: Qty) {
        self.open = Qty(self.open.minus(decrement).0.max(0));
        if !self.open.is_positive() {
            self.status = Status::Cancelled;
        }
    }

    /// The order stands as the venue says, with `open` shares.
    pub(super) fn stand(&mut self, as_is: &Standing, open: Qty) {
        self.price = as_is.price;
        self.open = open;
        self.display = as_is.display;
        self.venue_ref = Some(as_is.venue_ref);
        self.status = match (as_is.live && open.is_positive(), self.executed.is_positive()) {
            (true, false) => Status::Live,
            (true, true) => Status::PartiallyFilled,
            (false, _) => Status::Cancelled,
        };
    }

    /// A partial cancel has done its work once no more than `keep` can execute in all. The venue answers one that
    /// has nothing to do with silence, hence this look at the numbers.
    pub(super) fn forget_fulfilled_cancel(&mut self) {
        let most = self.executed.plus(self.open);
        if self.cancelling.is_some_and(|c| most <= c.keep) {
            self.cancelling = None;
        }
    }

    /// The reference under which the feed may show it now.
    pub(super) fn shown(&self) -> Option<VenueRef> {
        self.venue_ref.filter(|_| self.is_live())
    }

    /// The venue says how it sells. It doesn't say whether a locate was found: that we know better.
    pub(super) fn marked(&mut self, mark: SellMark) {
        let is_short = |m| matches!(m, SellMark::Short { .. });
        if is_short(mark) != is_short(self.mark) {
            self.mark = mark;
        }
    }

    /// Is an answer owed?
    pub(super) fn owed(&self) -> bool {
        self.is_live()
            && (self.status == Status::Pending
                || self.replacing.is_some()
                || self.cancelling.is_some_and(|c| !c.deferred))
    }
}

crate::value! {
    enum Status { 0 => Pending, 1 => Live, 2 => PartiallyFilled, 3 => Filled, 4 => Cancelled, 5 => Rejected }
}
crate::value! { Replacing { token, price, qty } }
crate::value! { Cancelling { keep, at, deferred } }
// In which queue it is, and where, the table saves.
crate::state! {
    Order {
        id, venue, instrument, side, mark, tags, tif, status, token, limit, price, open, executed, decremented, venue_ref, display,
        replacing, cancelling, liable, previous, request, deadline, born,
    } without { queue }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;

    #[test]
    fn every_field_is_saved_and_restored() {
        const REPLACING: Replacing = Replacing { token: Token(0), price: Price(0), qty: Qty::ZERO };
        const CANCELLING: Cancelling = Cancelling { keep: Qty::ZERO, at: Mono(0), deferred: false };
        let changes: [fn(&mut Order); 34] = [
            |_| {},
            |o| o.id = ClientId(9),
            |o| o.venue = VenueId(9),
            |o| o.instrument = InstrumentId(9),
            |o| o.side = Side::Sell,
            |o| o.mark = SellMark::Short { located: false },
            |o| o.mark = SellMark::Short { located: true },
            |o| o.tags.account.0 = 9,
            |o| o.tags.strategy.0 = 9,
            |o| o.tags.parent.0 = 9,
            |o| o.tif = TimeInForce::ImmediateOrCancel,
            |o| o.status = Status::Live,
            |o| o.token = Token(9),
            |o| o.limit = Price(9),
            |o| o.price = Price(9),
            |o| o.open = Qty(9),
            |o| o.executed = Qty(9),
            |o| o.decremented = Qty(9),
            |o| o.venue_ref = Some(VenueRef(0)),
            |o| o.venue_ref = Some(VenueRef(9)),
            |o| o.display = Visibility::Hidden,
            |o| o.replacing = Some(REPLACING),
            |o| o.replacing = Some(Replacing { token: Token(9), ..REPLACING }),
            |o| o.replacing = Some(Replacing { price: Price(9), ..REPLACING }),
            |o| o.replacing = Some(Replacing { qty: Qty(9), ..REPLACING }),
            |o| o.cancelling = Some(CANCELLING),
            |o| o.cancelling = Some(Cancelling { keep: Qty(9), ..CANCELLING }),
            |o| o.cancelling = Some(Cancelling { at: Mono(9), ..CANCELLING }),
            |o| o.cancelling = Some(Cancelling { deferred: true, ..CANCELLING }),
            |o| o.liable = Qty(9),
            |o| o.previous = Token(9),
            |o| o.request = 9,
            |o| o.deadline = Mono(9),
            |o| o.born = 9,
        ];
        assert_all_saved(|| Order::VACANT, &changes);
    }
}
