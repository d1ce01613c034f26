//! Every fill by the venue's match number, so that each counts once and can be taken back.

use super::super::action::{Change, Exposure, Fill, Tags};
use super::super::words::Liquidity;
use super::table::Effect;
use crate::base::{
    ClientId, InstrumentId, LoadError, Map, Price, Qty, Reader, Save, Side, State, Token, Value, VenueId,
};
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
}

crate::state! { Booked { order, venue, token, instrument, side, tags, short, first, fill, broken } }

/// The ring as far as it was used: whatever is booked is so for an order.
impl State for Fills {
    fn save(&self, into: &mut dyn Save) {
        let Fills { ring, at, by_trade, forgotten } = self;
        let used = ring.iter().take_while(|booked| booked.order.0 != 0);
        into.count(ring.len());
        into.count(used.clone().count());
        used.for_each(|booked| booked.save(into));
        at.put(into);
        by_trade.save(into);
        forgotten.put(into);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let Fills { ring, at, by_trade, forgotten } = self;
        LoadError::unless_equal(ring.len(), from.u64()?)?;
        ring.fill(NONE);
        let used = from.count(ring.len())?;
        ring.iter_mut().take(used).try_for_each(|booked| booked.load(from))?;
        at.load(from)?;
        by_trade.load(from)?;
        forgotten.load(from)?;
        if *at < ring.len() { Ok(()) } else { Err(LoadError::BAD) }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Writer, assert_all_saved};
    use crate::flow::words::LiquidityKind;

    const ONE: Booked = Booked { order: ClientId(1), token: Token(1), ..NONE };

    fn book(fills: &mut Fills, change: impl FnOnce(&mut Booked)) {
        let mut booked = ONE;
        change(&mut booked);
        fills.book(booked);
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Fills); 22] = [
            |_| {},
            |f| book(f, |_| {}),
            |f| book(f, |b| b.order = ClientId(2)),
            |f| book(f, |b| b.venue = VenueId(1)),
            |f| book(f, |b| b.token = Token(0)),
            |f| book(f, |b| b.instrument = InstrumentId(1)),
            |f| book(f, |b| b.side = Side::Sell),
            |f| book(f, |b| b.tags.account.0 = 1),
            |f| book(f, |b| b.tags.strategy.0 = 1),
            |f| book(f, |b| b.tags.parent.0 = 1),
            |f| book(f, |b| b.short = true),
            |f| book(f, |b| b.first.0 = Qty(1)),
            |f| book(f, |b| b.first.1 = Price(1)),
            |f| book(f, |b| b.fill.qty = Qty(1)),
            |f| book(f, |b| b.fill.price = Price(1)),
            |f| book(f, |b| b.fill.trade = 1),
            |f| book(f, |b| b.fill.liquidity.kind = LiquidityKind::Added),
            |f| book(f, |b| b.fill.liquidity.code = 1),
            |f| book(f, |b| b.broken = true),
            |f| f.forgotten = 1,
            |f| f.at = 1,
            |f| (0..3).for_each(|trade| book(f, |b| b.fill.trade = trade)),
        ];
        assert_all_saved(|| Fills::new(2), &changes);
    }

    #[test]
    fn a_restored_ring_forgets_as_the_saved_one() {
        let mut one = Fills::new(2);
        // Twice one trade: the older is forgotten before its turn, and counted.
        [1, 2, 2].into_iter().for_each(|trade| book(&mut one, |b| b.fill.trade = trade));
        let mut two = Fills::new(2);
        two.load(&mut Reader(&Writer::of(&one))).unwrap();
        for trade in [2, 3, 3, 1, 4] {
            for fills in [&mut one, &mut two] {
                book(fills, |b| b.fill.trade = trade);
            }
            assert_eq!(Writer::of(&one), Writer::of(&two), "{trade}");
            let found = |fills: &mut Fills| fills.find(trade, Side::Buy, ClientId(1)).copied();
            assert!(found(&mut one) == found(&mut two) && found(&mut two).is_some());
        }
    }
}
