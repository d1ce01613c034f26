//! Every fill by the venue's match number, so that each counts once and can be taken back.

use super::super::action::{Change, Exposure, Fill, Tags};
use super::super::words::Liquidity;
use super::table::Effect;
use crate::base::{ClientId, Digest, InstrumentId, Map, Price, Qty, Side, Token, VenueId};
use alloc::boxed::Box;
use alloc::vec;

/// A fill in the books: enough to reverse it when its order's slot has long been reused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Booked {
    pub(super) order: ClientId,
    pub(super) venue: VenueId,
    pub(super) token: Token,
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) tags: Tags,
    pub(super) short: bool,
    /// Size and price as they were reported first: a correction changes the fill.
    pub(super) first: (Qty, Price),
    pub(super) fill: Fill,
    pub(super) broken: bool,
}

const NONE: Booked = Booked {
    order: ClientId(0),
    venue: VenueId(0),
    token: Token(0),
    instrument: InstrumentId(0),
    side: Side::Buy,
    tags: Tags {
        account: crate::base::AccountId(0),
        strategy: crate::base::StrategyId(0),
        parent: crate::base::ParentId(0),
    },
    short: false,
    first: (Qty::ZERO, Price(0)),
    fill: Fill { qty: Qty::ZERO, price: Price(0), trade: 0, liquidity: Liquidity::UNKNOWN },
    broken: false,
};

/// The latest fills of one venue, whose match numbers are its own. When full, the oldest is forgotten and counted: a duplicate of it would count again, and a break
/// of it can't be booked. Size it for the day.
#[derive(Debug)]
pub(super) struct Fills {
    ring: Box<[Booked]>,
    /// Where the next goes.
    at: usize,
    by_trade: Map,
    pub(super) forgotten: u64,
}

/// Both sides of a trade have the same number, and both may be ours. The bit that the shift drops is checked against
/// the stored fill.
#[inline]
fn key(trade: u64, side: Side) -> u64 {
    trade << 1 | side as u64
}

impl Fills {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, u32::MAX as usize);
        let mut ring = vec![NONE; capacity].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        ring.fill(core::hint::black_box(NONE));
        Fills { ring, at: 0, by_trade: Map::new(capacity), forgotten: 0 }
    }

    /// The fill of this order in this trade.
    pub(super) fn find(&mut self, trade: u64, side: Side, order: ClientId) -> Option<&mut Booked> {
        let index = self.by_trade.get(key(trade, side))?;
        self.ring.get_mut(index as usize).filter(|b| b.fill.trade == trade && b.order == order)
    }

    /// The fill in this trade that was reported under `token`, which may be long forgotten, or else the fill of the
    /// order that has the token now.
    pub(super) fn locate(&mut self, trade: u64, token: Token, order: Option<ClientId>) -> Option<&mut Booked> {
        let is_it = |b: &Booked| b.fill.trade == trade && (b.token == token || Some(b.order) == order);
        let at = [Side::Buy, Side::Sell].into_iter().find_map(|side| {
            let index = self.by_trade.get(key(trade, side))? as usize;
            self.ring.get(index).is_some_and(is_it).then_some(index)
        })?;
        self.ring.get_mut(at)
    }

    pub(super) fn book(&mut self, booked: Booked) {
        let Some(slot) = self.ring.get_mut(self.at) else { return };
        let oldest = core::mem::replace(slot, booked);
        #[allow(clippy::cast_possible_truncation)]
        let index = self.at as u32;
        let old_key = key(oldest.fill.trade, oldest.side);
        if oldest.token.0 != 0 && self.by_trade.get(old_key) == Some(index) {
            self.by_trade.remove(old_key);
            self.forgotten = self.forgotten.wrapping_add(1);
        }
        // Room is certain: there is one key at most for each place in the ring. A key in use (the venue gave one
        // number to two trades of a side) moves to the newer fill and the older is forgotten.
        if let Ok(Some(_)) = self.by_trade.insert(key(booked.fill.trade, booked.side), index) {
            self.forgotten = self.forgotten.wrapping_add(1);
        }
        self.at = self.at.wrapping_add(1);
        if self.at >= self.ring.len() {
            self.at = 0;
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        // The map follows from the ring: of two fills with one key the newer has it.
        let Fills { ring, at, by_trade: _, forgotten } = self;
        into.u64(*at as u64);
        into.u64(*forgotten);
        ring.iter().filter(|b| b.token.0 != 0).for_each(|booked| booked.digest(into));
    }
}

impl Booked {
    /// The step of an order that is in no slot, and so has no exposure before or after it.
    pub(super) fn step(&self, effect: Effect, finished: bool) -> Change {
        let Effect { what, reason, fill, reversed } = effect;
        let nothing = Exposure { short: self.short, ..Exposure::default() };
        Change {
            order: self.order,
            venue: self.venue,
            instrument: self.instrument,
            side: self.side,
            tags: self.tags,
            what,
            reason,
            before: nothing,
            after: nothing,
            fill,
            reversed,
            left: None,
            joined: None,
            finished,
        }
    }

    fn digest(&self, into: &mut Digest) {
        let Booked { order, venue, token, instrument, side, tags, short, first, fill, broken } = self;
        let Fill { qty, price, trade, liquidity } = fill;
        into.u64(order.0);
        into.u64(token.0);
        into.u64(u64::from(instrument.0) | u64::from(venue.0) << 32);
        into.u64(*side as u64 | u64::from(*short) << 1 | u64::from(*broken) << 2);
        into.u64(u64::from(liquidity.code) << 8 | liquidity.kind as u64);
        tags.digest(into);
        into.i64(qty.0);
        into.i64(price.0);
        into.i64(first.0.0);
        into.i64(first.1.0);
        into.u64(*trade);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::first_repeated;
    use crate::flow::words::LiquidityKind;
    use std::vec::Vec;

    #[test]
    fn the_digest_sees_every_field() {
        let one = Booked { order: ClientId(1), token: Token(1), ..NONE };
        let changes: [fn(&mut Booked); 17] = [
            |_| {},
            |b| b.order = ClientId(2),
            |b| b.venue = VenueId(1),
            |b| b.token = Token(2),
            |b| b.instrument = InstrumentId(1),
            |b| b.side = Side::Sell,
            |b| b.tags.account.0 = 1,
            |b| b.tags.strategy.0 = 1,
            |b| b.tags.parent.0 = 1,
            |b| b.short = true,
            |b| b.first.0 = Qty(1),
            |b| b.first.1 = Price(1),
            |b| b.fill.qty = Qty(1),
            |b| b.fill.price = Price(1),
            |b| b.fill.trade = 1,
            |b| b.fill.liquidity.kind = LiquidityKind::Added,
            |b| b.fill.liquidity.code = 1,
        ];
        let digests = changes.map(|change| {
            let (mut booked, mut fills) = (one, Fills::new(2));
            change(&mut booked);
            fills.book(booked);
            Digest::of_state(|into| fills.digest(into))
        });
        let mut digests = Vec::from(digests);
        let changes: [fn(&mut Fills); 3] =
            [|fills| fills.forgotten = 1, |fills| fills.at = 0, |fills| fills.ring[0].broken = true];
        for change in changes {
            let mut fills = Fills::new(2);
            fills.book(one);
            change(&mut fills);
            digests.push(Digest::of_state(|into| fills.digest(into)));
        }
        assert_eq!(first_repeated(&digests), None);
    }
}
