//! Where orders are kept: fixed slots, found by id and by token, in the lists that the rest needs.

use super::super::action::{Change, Fill, Happening};
use super::super::words::Reason;
use super::list::{Links, List, NIL};
use super::order::{Order, Queue};
use crate::base::{
    ClientId, InstrumentId, LoadError, Map, Mono, Price, Qty, Reader, Save, Side, State, Token, Value, VenueId,
};
use alloc::boxed::Box;
use alloc::vec;

/// Where an iteration over live orders stands. Stays valid whatever happens to the orders in between: those that
/// were live at its start and still are will all be seen once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    slot: u32,
    born: u64,
}

impl Default for Cursor {
    fn default() -> Self {
        Cursor { slot: NIL, born: 0 }
    }
}

impl Cursor {
    #[cfg(test)]
    pub(super) const fn at(slot: u32, born: u64) -> Self {
        Cursor { slot, born }
    }
}

crate::value! { Cursor { slot, born } }

/// What a step did, besides changing the order.
pub(super) struct Effect {
    pub(super) what: Happening,
    pub(super) reason: Reason,
    pub(super) fill: Option<Fill>,
    pub(super) reversed: Option<Fill>,
}

impl Effect {
    pub(super) fn of(what: Happening) -> Self {
        Effect { what, reason: Reason::NONE, fill: None, reversed: None }
    }

    pub(super) fn because(what: Happening, reason: Reason) -> Self {
        Effect { reason, ..Effect::of(what) }
    }
}

/// What the table has by venue: tokens, and requests that are owed an answer, are numbered by each for itself.
#[derive(Debug)]
struct AtVenue {
    by_token: Map,
    pending: List,
    overdue: List,
    live_count: u32,
}

impl AtVenue {
    fn new(slots: usize) -> Self {
        // Each slot has three tokens at most: the order's, its replacement's, and the one before.
        let by_token = Map::new(slots.saturating_mul(3));
        AtVenue { by_token, pending: List::EMPTY, overdue: List::EMPTY, live_count: 0 }
    }
}

/// What the table has by instrument: all that is asked of it on the way to an order, in one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct OfInstrument {
    /// Its live orders, in the order in which they became so.
    live: List,
    /// The best own prices that may trade: buys, sells.
    best: [Option<Price>; 2],
    /// Steps of its orders, since the table was made. Not saved: what was seen of it before a load is of another table.
    steps: u64,
}

const _: () = assert!(size_of::<OfInstrument>() == 64);

impl OfInstrument {
    const IDLE: OfInstrument = OfInstrument { live: List::EMPTY, best: [None; 2], steps: 0 };
}

/// The list of a queue.
#[inline]
fn list_of<'a>(retired: &'a mut List, at: &'a mut [AtVenue], venue: VenueId, queue: Queue) -> Option<&'a mut List> {
    match queue {
        Queue::Retired => Some(retired),
        Queue::Pending => at.get_mut(usize::from(venue.0)).map(|at| &mut at.pending),
        Queue::Overdue => at.get_mut(usize::from(venue.0)).map(|at| &mut at.overdue),
        Queue::Quiet => None,
    }
}

#[derive(Debug)]
pub(super) struct Table {
    slots: Box<[Order]>,
    at: Box<[AtVenue]>,
    by_id: Map,

    /// Retired; or pending or overdue at its venue: a slot is in one of them, or quiet and in none.
    queued: Links,
    retired: List,

    /// Live orders, in the order in which they became so; all, and by instrument.
    live: Links,
    all: List,
    of_instrument: Links,
    instruments: Box<[OfInstrument]>,

    pub(super) live_count: u32,
    /// Slots that are pending or overdue, at all venues.
    owed: u32,
    births: u64,
}

impl Table {
    pub(super) fn new(slots: u32, instruments: u32, venues: u8) -> Self {
        let size = slots as usize;
        let mut cells = vec![Order::VACANT; size].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        cells.fill(core::hint::black_box(Order::VACANT));
        let mut table = Table {
            slots: cells,
            at: (0..venues).map(|_| AtVenue::new(size)).collect(),
            by_id: Map::new(size),
            queued: Links::new(size),
            retired: List::EMPTY,
            live: Links::new(size),
            all: List::EMPTY,
            of_instrument: Links::new(size),
            instruments: vec![OfInstrument::IDLE; instruments as usize].into_boxed_slice(),
            live_count: 0,
            owed: 0,
            births: 0,
        };
        for slot in 0..slots {
            table.queued.push_back(&mut table.retired, slot);
        }
        table
    }

    pub(super) fn instruments(&self) -> usize {
        self.instruments.len()
    }

    pub(super) fn venues(&self) -> usize {
        self.at.len()
    }

    /// How many orders are live at a venue.
    #[inline]
    pub(super) fn live_count_at(&self, venue: VenueId) -> u32 {
        self.at.get(usize::from(venue.0)).map_or(0, |at| at.live_count)
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Order> {
        self.slots.get(slot as usize)
    }

    #[inline]
    pub(super) fn of_id(&self, id: ClientId) -> Option<u32> {
        self.by_id.get(id.0)
    }

    #[inline]
    pub(super) fn of_token(&self, venue: VenueId, token: Token) -> Option<u32> {
        self.at.get(usize::from(venue.0))?.by_token.get(token.0)
    }

    /// The first that is owed an answer by a venue, and not overdue: the one that has been waiting longest.
    #[inline]
    pub(super) fn first_pending(&self, venue: VenueId) -> u32 {
        self.at.get(usize::from(venue.0)).map_or(NIL, |at| at.pending.head)
    }

    /// The first whose answer is late.
    #[inline]
    pub(super) fn first_overdue(&self, venue: VenueId) -> u32 {
        self.at.get(usize::from(venue.0)).map_or(NIL, |at| at.overdue.head)
    }

    /// Of both sides: buys, sells.
    #[inline]
    pub(super) fn own_touch(&self, instrument: InstrumentId) -> [Option<Price>; 2] {
        self.instruments.get(instrument.0 as usize).map_or([None; 2], |of| of.best)
    }

    #[inline]
    pub(super) fn steps_of(&self, instrument: InstrumentId) -> u64 {
        self.instruments.get(instrument.0 as usize).map_or(0, |of| of.steps)
    }

    #[inline]
    pub(super) fn own_best(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        *self.instruments.get(instrument.0 as usize)?.best.get(side as usize)?
    }

    pub(super) fn next_live(&self, cursor: &mut Cursor) -> Option<&Order> {
        self.advance(cursor, &self.live, self.all)
    }

    #[inline]
    pub(super) fn next_live_of(&self, instrument: InstrumentId, cursor: &mut Cursor) -> Option<&Order> {
        let list = self.instruments.get(instrument.0 as usize)?.live;
        // Mostly there is none.
        if list.head == NIL { None } else { self.advance(cursor, &self.of_instrument, list) }
    }

    fn advance(&self, cursor: &mut Cursor, links: &Links, list: List) -> Option<&Order> {
        let here = self.get(cursor.slot).filter(|o| o.born == cursor.born && o.is_live());
        let mut slot = here.map_or(list.head, |_| links.next(cursor.slot));
        // The order at which the cursor stood is gone: look for the first that came after it.
        while let Some(order) = self.get(slot) {
            if order.born > cursor.born {
                *cursor = Cursor { slot, born: order.born };
                return Some(order);
            }
            slot = links.next(slot);
        }
        None
    }

    /// The slot that was finished longest ago, cleared and named. `None` if all are live, or venue or instrument is
    /// beyond the capacity.
    pub(super) fn take(&mut self, venue: VenueId, instrument: InstrumentId, id: ClientId, token: Token) -> Option<u32> {
        self.instruments.get(instrument.0 as usize)?;
        self.at.get(usize::from(venue.0))?;
        let slot = self.retired.head;
        let old = *self.get(slot)?;
        for token in [Some(old.token), Some(old.previous), old.replacing.map(|r| r.token)].into_iter().flatten() {
            self.forget_token(old.venue, token, slot);
        }
        if self.of_id(old.id) == Some(slot) {
            self.by_id.remove(old.id.0);
        }
        self.queue(slot, Queue::Quiet);
        *self.slots.get_mut(slot as usize)? = Order { venue, queue: Queue::Quiet, ..Order::VACANT };
        // Room is certain: every slot has one id.
        let _fits = self.by_id.insert(id.0, slot);
        self.add_token(venue, token, slot);
        Some(slot)
    }

    /// Room is certain: every slot has three tokens at most.
    pub(super) fn add_token(&mut self, venue: VenueId, token: Token, slot: u32) {
        let _fits = self.at.get_mut(usize::from(venue.0)).map(|at| at.by_token.insert(token.0, slot));
    }

    pub(super) fn forget_token(&mut self, venue: VenueId, token: Token, slot: u32) {
        if self.of_token(venue, token) == Some(slot)
            && let Some(at) = self.at.get_mut(usize::from(venue.0))
        {
            at.by_token.remove(token.0);
        }
    }

    /// A request left: its answer is owed last of all.
    pub(super) fn owe(&mut self, slot: u32, request: u64, deadline: Mono) {
        self.queue(slot, Queue::Quiet);
        if let Some(order) = self.slots.get_mut(slot as usize) {
            order.request = request;
            order.deadline = deadline;
        }
    }

    /// Is any answer waited for, at any venue?
    #[inline]
    pub(super) fn is_owed(&self) -> bool {
        self.owed > 0
    }

    /// Moves a slot to the end of a queue, unless it is in that queue already.
    pub(super) fn queue(&mut self, slot: u32, to: Queue) {
        let Some(order) = self.slots.get_mut(slot as usize) else { return };
        let venue = order.venue;
        let from = core::mem::replace(&mut order.queue, to);
        if from == to {
            return;
        }
        self.owed = self.owed.wrapping_sub(from.is_owed().into()).wrapping_add(to.is_owed().into());
        if let Some(list) = list_of(&mut self.retired, &mut self.at, venue, from) {
            self.queued.remove(list, slot);
        }
        if let Some(list) = list_of(&mut self.retired, &mut self.at, venue, to) {
            self.queued.push_back(list, slot);
        }
    }

    /// One step of one order: acts, keeps the lists true, and says what it was worth before and after.
    #[inline]
    pub(super) fn step(&mut self, slot: u32, act: impl FnOnce(&mut Order) -> Effect) -> Option<Change> {
        let order = self.slots.get_mut(slot as usize)?;
        let (was_live, before, reach, shown) = (order.is_live(), order.exposure(), order.reach(), order.shown());
        let effect = act(order);
        order.forget_fulfilled_cancel();
        let is_live = order.is_live();
        if !is_live {
            order.open = Qty::ZERO;
        }
        let (shows, reaches) = (order.shown(), order.reach());
        let (left, joined) = if shown == shows { (None, None) } else { (shown, shows) };
        let change = Change {
            order: order.id,
            venue: order.venue,
            instrument: order.instrument,
            side: order.side,
            tags: order.tags,
            what: effect.what,
            reason: effect.reason,
            before,
            after: order.exposure(),
            fill: effect.fill,
            reversed: effect.reversed,
            left,
            joined,
            finished: !is_live,
        };
        let queue = match (is_live, order.owed()) {
            (false, _) => Queue::Retired,
            (true, false) => Queue::Quiet,
            (true, true) if order.queue == Queue::Overdue => Queue::Overdue,
            (true, true) => Queue::Pending,
        };
        if let Some(of) = self.instruments.get_mut(change.instrument.0 as usize) {
            of.steps = of.steps.wrapping_add(1);
        }
        self.queue(slot, queue);
        if was_live != is_live {
            self.file(slot, is_live);
        }
        if reach != reaches {
            self.rate(change.instrument, change.side, reach, reaches);
        }
        Some(change)
    }

    /// Enters a slot in the lists of live orders, or takes it out.
    fn file(&mut self, slot: u32, is_live: bool) {
        let Some(order) = self.slots.get_mut(slot as usize) else { return };
        let Some(instrument) = self.instruments.get_mut(order.instrument.0 as usize) else { return };
        let Some(at) = self.at.get_mut(usize::from(order.venue.0)) else { return };
        if is_live {
            self.births = self.births.wrapping_add(1);
            order.born = self.births;
            self.live.push_back(&mut self.all, slot);
            self.of_instrument.push_back(&mut instrument.live, slot);
            self.live_count = self.live_count.wrapping_add(1);
            at.live_count = at.live_count.wrapping_add(1);
        } else {
            self.live.remove(&mut self.all, slot);
            self.of_instrument.remove(&mut instrument.live, slot);
            self.live_count = self.live_count.wrapping_sub(1);
            at.live_count = at.live_count.wrapping_sub(1);
        }
    }

    /// An own price that may trade was `old` and is `new`.
    fn rate(&mut self, instrument: InstrumentId, side: Side, old: Option<Price>, new: Option<Price>) {
        let known = self.own_best(instrument, side);
        let best = match (old, new) {
            (_, Some(new)) if known.is_none_or(|best| side.is_better(new, best)) => Some(new),
            (old, _) if old == known => self.search_best(instrument, side),
            _ => return,
        };
        if let Some(of) = self.instruments.get_mut(instrument.0 as usize)
            && let Some(cell) = of.best.get_mut(side as usize)
        {
            *cell = best;
        }
    }

    /// Only when the best own price goes away.
    fn search_best(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        let mut best = None;
        let mut slot = self.instruments.get(instrument.0 as usize)?.live.head;
        while let Some(order) = self.get(slot) {
            if order.side == side
                && let Some(reach) = order.reach()
                && best.is_none_or(|b| side.is_better(reach, b))
            {
                best = Some(reach);
            }
            slot = self.of_instrument.next(slot);
        }
        best
    }
}

/// The orders by slot; then in which order slots are queued, and in which the living became so. The lists by instrument and
/// the best prices follow from that. The maps do not quite: of two orders under one token the later one has it.
impl State for Table {
    fn save(&self, into: &mut dyn Save) {
        let Table {
            slots,
            at,
            by_id,
            queued,
            retired,
            live,
            all,
            of_instrument: _,
            instruments,
            live_count: _,
            owed: _,
            births,
        } = self;
        let used = || (0u32..).zip(slots).filter(|(_, order)| order.id.0 != 0);
        into.count(slots.len());
        into.count(instruments.len());
        into.count(at.len());
        into.count(used().count());
        for (slot, order) in used() {
            slot.put(into);
            order.save(into);
        }
        queued.save(*retired, into);
        for AtVenue { by_token: _, pending, overdue, live_count: _ } in at {
            queued.save(*pending, into);
            queued.save(*overdue, into);
        }
        live.save(*all, into);
        births.put(into);
        at.iter().for_each(|at| at.by_token.save(into));
        by_id.save(into);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        LoadError::unless_equal(self.slots.len(), from.u64()?)?;
        LoadError::unless_equal(self.instruments.len(), from.u64()?)?;
        LoadError::unless_equal(self.at.len(), from.u64()?)?;
        self.clear();
        for _ in 0..from.count(self.slots.len())? {
            let slot = from.u32()?;
            let place = self.slots.get_mut(slot as usize).filter(|order| order.id.0 == 0).ok_or(LoadError::BAD)?;
            place.load(from)?;
            if usize::from(place.venue.0) >= self.at.len() {
                return Err(LoadError::BAD);
            }
        }
        self.load_queue(None, Queue::Retired, from)?;
        for venue in (0u8..).map(VenueId).take(self.at.len()) {
            self.load_queue(Some(venue), Queue::Pending, from)?;
            self.load_queue(Some(venue), Queue::Overdue, from)?;
        }
        self.load_living(from)?;
        // What can still execute is live, and what is not waits to be reused: else a slot would be in a list twice.
        let retired = |order: &Order| order.queue == Queue::Retired;
        let living = self.slots.iter().filter(|order| order.is_live()).count();
        if living != self.live_count as usize || self.slots.iter().any(|order| order.is_live() == retired(order)) {
            return Err(LoadError::BAD);
        }
        self.births = from.value()?;
        self.at.iter_mut().try_for_each(|at| at.by_token.load(from))?;
        self.by_id.load(from)
    }
}

impl Table {
    /// No slot is used, queued or live.
    fn clear(&mut self) {
        self.slots.fill(Order { queue: Queue::Quiet, ..Order::VACANT });
        self.queued.clear();
        self.retired = List::EMPTY;
        for at in &mut self.at {
            (at.pending, at.overdue, at.live_count) = (List::EMPTY, List::EMPTY, 0);
        }
        self.live.clear();
        self.all = List::EMPTY;
        self.of_instrument.clear();
        self.instruments.iter_mut().for_each(|of| *of = OfInstrument { steps: of.steps, ..OfInstrument::IDLE });
        (self.live_count, self.owed) = (0, 0);
    }

    /// Slots that are in this queue, of one venue where it is one's, from its head on. Each is in one queue at most.
    fn load_queue(&mut self, of: Option<VenueId>, queue: Queue, from: &mut Reader<'_>) -> Result<(), LoadError> {
        for _ in 0..from.count(self.slots.len())? {
            let slot = from.u32()?;
            let fits = |order: &Order| order.queue == Queue::Quiet && of.is_none_or(|venue| order.venue == venue);
            if !self.get(slot).is_some_and(fits) {
                return Err(LoadError::BAD);
            }
            self.queue(slot, queue);
        }
        Ok(())
    }

    /// The living, in the order in which they became so.
    fn load_living(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let mut born = None;
        for _ in 0..from.count(self.slots.len())? {
            let slot = from.u32()?;
            let order =
                *self.get(slot).filter(|order| order.is_live() && Some(order.born) > born).ok_or(LoadError::BAD)?;
            born = Some(order.born);
            let of = self.instruments.get_mut(order.instrument.0 as usize).ok_or(LoadError::BAD)?;
            self.of_instrument.push_back(&mut of.live, slot);
            self.live.push_back(&mut self.all, slot);
            self.live_count = self.live_count.wrapping_add(1);
            if let Some(at) = self.at.get_mut(usize::from(order.venue.0)) {
                at.live_count = at.live_count.wrapping_add(1);
            }
            self.rate(order.instrument, order.side, None, order.reach());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::order::Status;
    use super::*;
    use crate::base::{Writer, assert_all_saved};

    fn live(table: &mut Table, id: u64, token: u64, side: Side, price: i64) -> u32 {
        let (token, instrument) = (Token(token), InstrumentId(0));
        let venue = VenueId(u8::from(id.is_multiple_of(2)));
        let slot = table.take(venue, instrument, ClientId(id), token).unwrap();
        table.step(slot, |order| {
            (order.status, order.id, order.token) = (Status::Pending, ClientId(id), token);
            (order.side, order.limit, order.price) = (side, Price(price), Price(price));
            Effect::of(Happening::Sent)
        });
        slot
    }

    #[test]
    fn every_field_is_saved_and_in_which_order_slots_are_queued() {
        let changes: [fn(&mut Table); 11] = [
            |_| {},
            |t| t.births = 9,
            |t| t.slots[0].id = ClientId(1),
            |t| t.slots[1].id = ClientId(1),
            |t| {
                // To the end of the queue that it was the first in.
                t.queue(0, Queue::Quiet);
                t.queue(0, Queue::Retired);
            },
            |t| t.add_token(VenueId(0), Token(7), 1),
            |t| _ = t.by_id.insert(7, 1),
            |t| _ = live(t, 5, 6, Side::Buy, 10),
            |t| {
                let slot = live(t, 5, 6, Side::Buy, 10);
                t.queue(slot, Queue::Overdue);
            },
            |t| {
                let slot = live(t, 5, 6, Side::Buy, 10);
                t.queue(slot, Queue::Quiet);
            },
            |t| {
                live(t, 5, 6, Side::Buy, 10);
                live(t, 6, 7, Side::Sell, 12);
            },
        ];
        assert_all_saved(|| Table::new(3, 1, 2), &changes);
    }

    /// Whether pending or overdue; and as restored, whatever was owed before.
    #[test]
    fn an_answer_is_owed_until_no_order_waits_for_one() {
        let mut table = Table::new(3, 1, 2);
        let empty = Writer::of(&table);
        assert!(!table.is_owed());
        let (one, two) = (live(&mut table, 5, 6, Side::Buy, 10), live(&mut table, 6, 7, Side::Sell, 12));
        table.queue(one, Queue::Overdue);
        table.queue(two, Queue::Quiet);
        assert!(table.is_owed(), "one is overdue");
        let owed = Writer::of(&table);
        table.queue(one, Queue::Quiet);
        assert!(!table.is_owed());
        for (saved, is_owed) in [(&owed, true), (&empty, false), (&owed, true)] {
            table.load(&mut Reader(saved)).unwrap();
            assert_eq!(table.is_owed(), is_owed);
        }
    }

    /// Slots were reused, so that the living stand in another order than their slots.
    #[test]
    fn a_restored_table_goes_on_as_the_saved_one() {
        let mut one = Table::new(3, 1, 2);
        let finish = |table: &mut Table, slot| {
            table.step(slot, |order| {
                order.status = Status::Cancelled;
                Effect::of(Happening::Cancelled)
            })
        };
        let first = live(&mut one, 1, 1, Side::Buy, 10);
        live(&mut one, 2, 2, Side::Buy, 11);
        finish(&mut one, first);
        live(&mut one, 3, 3, Side::Buy, 9);
        live(&mut one, 4, 4, Side::Buy, 12);
        let mut two = Table::new(3, 1, 2);
        live(&mut two, 9, 9, Side::Sell, 1);
        let saved = Writer::of(&one);
        two.load(&mut Reader(&saved)).unwrap();
        let seen = |table: &Table| {
            let (mut all, mut each) = (Cursor::default(), Cursor::default());
            let ids = std::iter::from_fn(|| table.next_live(&mut all).map(|o| o.id.0)).collect::<std::vec::Vec<_>>();
            let of = std::iter::from_fn(|| table.next_live_of(InstrumentId(0), &mut each).map(|o| o.id.0));
            (
                ids,
                of.collect::<std::vec::Vec<_>>(),
                table.own_best(InstrumentId(0), Side::Buy),
                table.of_token(VenueId(0), Token(9)),
            )
        };
        assert_eq!(seen(&one), (std::vec![2, 3, 4], std::vec![2, 3, 4], Some(Price(12)), None));
        for last in [4, 2, 3] {
            assert_eq!(seen(&two), seen(&one));
            let slot = one.of_id(ClientId(last)).unwrap();
            assert_eq!(finish(&mut one, slot), finish(&mut two, slot));
            assert_eq!(Writer::of(&one), Writer::of(&two));
        }
    }

    #[test]
    fn lists_that_cannot_be_are_refused() {
        let mut table = Table::new(2, 1, 1);
        live(&mut table, 1, 1, Side::Buy, 10);
        let saved = Writer::of(&table);
        let load = |bytes: &[u8]| Table::new(2, 1, 1).load(&mut Reader(bytes));
        assert_eq!(load(&saved), Ok(()));
        // Behind the order: the retired (one), the pending (one), none overdue, one living.
        let lists = [&1u64.to_le_bytes()[..], &1u32.to_le_bytes(), &1u64.to_le_bytes(), &0u32.to_le_bytes()].concat();
        let at = saved.windows(lists.len()).position(|part| part == lists).unwrap();
        for (offset, wrong) in [(8, 0), (8, 9), (20, 1), (20, 9), (40, 1)] {
            let mut bytes = saved.clone();
            bytes[at + offset] = wrong;
            assert!(load(&bytes).is_err(), "{offset}: {wrong}");
        }
    }
}
