//! Books for all instruments of a lane: of orders with price-time priority (level 3), or of price levels (level 2), side
//! by side, each instrument's of one kind ([`BookKind`]).
//!
//! ```text
//!  VenueRef ──index──> Order {qty, ahead, behind} ──> Level {price, qty, queue} ──> Book {ladder of bids, of asks}
//! ```
//!
//! A book of levels is the right half of that alone. One pool of orders, one of levels, one hash index, all allocated at start
//! ([`BookCapacity`]); being full is counted and makes the book stale, nothing else. Top of book is O(1); an order is reached in
//! O(1); so is a level within 512 ticks of the best, another one is looked for from the best of those on. Books may lock and cross: the feed is believed, not judged. Orders keep applying during
//! halts.
//!
//! What the feed may get wrong, and what happens then: see [`BookFault`]. `docs/adr/0002-order-book.md` has the
//! structures that were measured and rejected.

mod grow;
mod hints;
mod index;
mod ladder;
mod levels;
mod orders;
mod own;
mod pool;
mod stale;
mod state;
mod view;
mod window;

use self::index::Index;
use self::ladder::{Ladder, Levels, Place};
use self::levels::Rests;
use self::orders::Order;
use self::own::Marks;
use self::pool::{NIL, Pool};
use super::event::EventKind;
use crate::base::{ClientId, InstrumentId, InstrumentTable, Price, Qty, Side, VenueRef, counters};
use alloc::boxed::Box;
use alloc::vec;

pub use self::hints::{BATCH, Coming, HINTS_FROM};
pub use self::levels::BookKind;
pub use self::stale::{Freshness, STALE_REASONS, Scope, StaleReason};
pub use self::view::{BookRef, Level, RestingOrder, Standing, Touch};

/// How much the books hold. Memory: about 70 to 100 bytes an order, 120 to 260 a level, 1.1 to 5.4 kB an instrument: there are
/// windows for as many sides as the levels make worth while, one for 16 levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookCapacity {
    /// Instruments: ids below this have a book (at most 2^30).
    pub instruments: usize,
    /// Orders resting at once, over all books (at most 2^32 - 1). Beyond: [`BookFault::OrdersFull`].
    pub orders: usize,
    /// Price levels at once, over all books and both sides (at most 2^32 - 1). Beyond: [`BookFault::LevelsFull`].
    pub levels: usize,
    /// Own orders marked at once, and as many resting in books of levels. Beyond: [`OwnMatch::Full`].
    pub own: usize,
}

/// Where the feed contradicts the book, or the book has no room. Each is counted, and makes stale the book of the
/// instrument that the message names (and that of the order, where it is another).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BookFault {
    /// An execution, reduction, delete or replace of an order that does not rest: ignored. A replace adds nothing.
    UnknownRef,
    /// An add, or the new order of a replace, with the reference of an order that rests: that one stays as it is. The
    /// order that a replace kills dies all the same: the venue says that it is gone.
    DuplicateRef,
    /// An execution or reduction of more than is left: the order goes.
    OverReduce,
    /// No room for the order: it is left out. Never for a replace, which leaves room first.
    OrdersFull,
    /// No room for the price level: the order, or the level, is left out (of a replace, the old order is gone).
    LevelsFull,
    /// The instrument is beyond the capacity: ignored. The only fault that stales no book, for there is none.
    UnknownInstrument,
    /// A message about orders of an instrument whose book is of levels, or about a level of one whose book is of orders:
    /// ignored.
    WrongKind,
}

/// What one event did to the books: in two registers, for every message of the day passes it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Applied {
    /// The book touched: the resting order's own, whatever instrument the message names. `None`: none was.
    pub instrument: Option<InstrumentId>,
    /// The side touched.
    pub side: Option<Side>,
    /// The best price of that side, or the size there, is another now.
    pub top_changed: bool,
    /// What was wrong with it.
    pub fault: Option<BookFault>,
    /// It concerned an own order: [`Books::own_touch`] says which, and how.
    pub own: bool,
}

const _: () = assert!(size_of::<Applied>() <= 16, "two registers");

/// What happened to an own order in the book. The venue's own answers remain what its state is taken from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnTouch {
    /// It entered the book.
    Arrived,
    /// It traded, and so much is left.
    Executed {
        /// Displayed size left.
        left: Qty,
    },
    /// It got smaller, and so much is left.
    Reduced {
        /// Displayed size left.
        left: Qty,
    },
    /// It was deleted.
    Deleted,
    /// It goes on under a new reference, at the end of a queue.
    Replaced {
        /// The new reference.
        new: VenueRef,
    },
}

impl OwnTouch {
    /// Has the order left the book?
    #[inline]
    #[must_use]
    pub fn is_last(self) -> bool {
        match self {
            OwnTouch::Arrived | OwnTouch::Replaced { .. } => false,
            OwnTouch::Executed { left } | OwnTouch::Reduced { left } => !left.is_positive(),
            OwnTouch::Deleted => true,
        }
    }
}

/// What became of an own mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnMatch {
    /// The order rests already: it is own from now on.
    Resting,
    /// The order is not in the book (not yet, or no more); it is own as soon as it is.
    Awaited,
    /// No room: the order will count as someone else's. Counted.
    Full,
}

counters! {
    /// What went wrong so far, and how full the books were.
    #[allow(missing_docs)] // named after `BookFault`
    pub struct BookCounters {
        pub unknown_ref: u64,
        pub duplicate_ref: u64,
        pub over_reduce: u64,
        pub orders_full: u64,
        pub levels_full: u64,
        pub unknown_instrument: u64,
        pub wrong_kind: u64,
        /// Levels taken away that were not there, which is no contradiction.
        pub absent_levels: u64,
        /// Adds and replaces to no shares: the order is gone at once, which is no contradiction.
        pub empty_orders: u64,
        /// Own marks for which there was no room.
        pub own_full: u64,
        /// The most orders that ever rested at once.
        pub peak_live_orders: u64,
    }
}

/// One book: where its ladders begin, and whether it is stale. One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Book {
    bids: Ladder,
    asks: Ladder,
    freshness: Freshness,
    kind: Option<BookKind>,
}

const _: () = assert!(size_of::<Book>() == 64, "a book's head is one cache line");

impl Book {
    const EMPTY: Book = Book { bids: Ladder::EMPTY, asks: Ladder::EMPTY, freshness: Freshness::FRESH, kind: None };

    /// Is the book of this kind? One of none is from now on.
    #[inline(always)]
    fn is(&mut self, kind: BookKind) -> bool {
        *self.kind.get_or_insert(kind) == kind
    }

    #[inline(always)]
    fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    #[inline(always)]
    fn ladder_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

/// The last printed trade and the sum of all.
#[derive(Clone, Copy, Default, Debug)]
struct Prints {
    price: Price,
    qty: Qty,
    volume: Qty,
}

/// All books of a lane.
#[derive(Debug)]
pub struct Books {
    index: Index,
    orders: Pool<Order>,
    levels: Levels,
    books: Box<[Book]>,
    prints: Box<[Prints]>,
    marks: Marks,
    rests: Rests,
    /// Why all books are stale.
    all: Freshness,
    /// Of how many instruments the ticks are known.
    followed: usize,
    /// What happened to the own order that the last event was about, where it was about one.
    touch: (ClientId, OwnTouch),
    /// With how many orders hints begin to pay, and whether they did when it was asked last.
    hints_from: usize,
    hinted: bool,
    counters: BookCounters,
}

/// An order taken out of its book.
struct Removed {
    place: Place,
    own: u32,
    was_top: bool,
}

impl Books {
    /// Empty books. Allocates and touches all their memory.
    #[must_use]
    pub fn new(capacity: BookCapacity) -> Self {
        let BookCapacity { instruments, orders, levels, own } = capacity;
        let instruments = instruments.min(Place::MAX_BOOKS);
        let mut books = vec![Book::EMPTY; instruments].into_boxed_slice();
        let mut prints = vec![Prints::default(); instruments].into_boxed_slice();
        for (book, print) in books.iter_mut().zip(&mut prints) {
            *book = core::hint::black_box(Book::EMPTY);
            *print = core::hint::black_box(Prints::default());
        }
        Books {
            index: Index::new(orders),
            orders: Pool::new(orders, orders::BLANK),
            levels: Levels::new(levels, instruments.saturating_mul(2)),
            books,
            prints,
            marks: Marks::new(own),
            rests: Rests::new(own, instruments),
            all: Freshness::FRESH,
            followed: 0,
            touch: (ClientId(0), OwnTouch::Deleted),
            hints_from: HINTS_FROM,
            hinted: false,
            counters: BookCounters::default(),
        }
    }

    /// For how many instruments they were built.
    #[must_use]
    pub fn instruments(&self) -> usize {
        self.books.len()
    }

    /// Learns the ticks of the rows that have come since: prices that are whole ticks are then found without a search. Never has to
    /// be called, and changes no answer.
    #[inline(always)]
    pub fn follow(&mut self, table: &InstrumentTable) {
        if table.rows().len() != self.followed {
            self.learn_ticks(table);
        }
    }

    #[cold]
    fn learn_ticks(&mut self, table: &InstrumentTable) {
        for ((id, row), book) in (0u32..).zip(table.rows()).zip(&mut self.books).skip(self.followed) {
            self.levels.set_tick(&mut book.bids, Place::new(id, Side::Buy), row.tick);
            self.levels.set_tick(&mut book.asks, Place::new(id, Side::Sell), row.tick);
        }
        self.followed = table.rows().len();
    }

    /// Applies one event. `id` is the instrument that the message names; an order that rests elsewhere is still found.
    ///
    /// Kinds that are not about the displayed book (imbalances, states) do nothing; trades and crosses count as prints.
    #[inline]
    pub fn apply(&mut self, id: InstrumentId, kind: &EventKind) -> Applied {
        match *kind {
            EventKind::Add { order, side, qty, price } => self.add(id, order, side, qty, price),
            EventKind::Execute { order, qty, price, printable, .. } => self.execute(id, order, qty, price, printable),
            EventKind::Reduce { order, qty } => self.reduce(id, order, qty),
            EventKind::Delete { order } => self.delete(id, order),
            EventKind::Replace { order, new, qty, price } => self.replace(id, order, new, qty, price),
            EventKind::Level { side, price, qty, orders } => self.level(id, side, price, qty, orders),
            EventKind::Clear { side } => self.start_over(id, side),
            EventKind::Trade { qty, price, .. } | EventKind::Cross { qty, price, .. } => {
                self.print(id.0, price, qty);
                Applied::default()
            }
            EventKind::Broken { .. } | EventKind::Imbalance { .. } | EventKind::Status(_) | EventKind::Info => {
                Applied::default()
            }
        }
    }

    #[inline]
    fn add(&mut self, id: InstrumentId, order: VenueRef, side: Side, qty: Qty, price: Price) -> Applied {
        match self.enter(id.0, side, order, qty, price, NIL) {
            Err(fault) => self.fault(id, fault, Applied::default()),
            Ok(entered) => {
                let own = self.touched(entered.own, OwnTouch::Arrived);
                Applied { instrument: Some(id), side: Some(side), top_changed: entered.is_top, fault: None, own }
            }
        }
    }

    #[inline]
    fn execute(
        &mut self,
        id: InstrumentId,
        order: VenueRef,
        qty: Qty,
        price: Option<Price>,
        printable: bool,
    ) -> Applied {
        let Some(shrunk) = self.shrink(order, qty) else {
            return self.unknown(id);
        };
        let price = price.unwrap_or(shrunk.price);
        if printable {
            self.print(shrunk.place.book(), price, qty);
        }
        self.shrunk(id, &shrunk, OwnTouch::Executed { left: shrunk.left })
    }

    #[inline]
    fn reduce(&mut self, id: InstrumentId, order: VenueRef, qty: Qty) -> Applied {
        match self.shrink(order, qty) {
            Some(shrunk) => self.shrunk(id, &shrunk, OwnTouch::Reduced { left: shrunk.left }),
            None => self.unknown(id),
        }
    }

    #[inline]
    fn delete(&mut self, id: InstrumentId, order: VenueRef) -> Applied {
        let Ok(found) = self.index.find(order, &self.orders) else { return self.unknown(id) };
        let removed = self.remove(found);
        let own = self.touched(removed.own, OwnTouch::Deleted);
        let place = removed.place;
        let (instrument, side) = (Some(InstrumentId(place.book())), Some(place.side()));
        Applied { instrument, side, top_changed: removed.was_top, fault: None, own }
    }

    #[inline]
    fn replace(&mut self, id: InstrumentId, order: VenueRef, new: VenueRef, qty: Qty, price: Price) -> Applied {
        let Ok(found) = self.index.find(order, &self.orders) else { return self.unknown(id) };
        let (book, side) = self.place_of(found.slot);
        let before = self.best(book, side);
        let removed = self.remove(found);
        // Of an own order, what it was called before: a mark that waited for the new reference gives way.
        let old = if removed.own == NIL { None } else { Some(self.marks.get(removed.own).client) };
        let entered = self.enter(book, side, new, qty, price, removed.own);
        let arrived = entered.as_ref().map_or(NIL, |entered| entered.own);
        let own = match old {
            None => self.touched(arrived, OwnTouch::Arrived),
            Some(client) => {
                let gone = arrived == NIL;
                self.touch = (client, if gone { OwnTouch::Deleted } else { OwnTouch::Replaced { new } });
                true
            }
        };
        let (instrument, side_touched, top_changed) =
            (Some(InstrumentId(book)), Some(side), before != self.best(book, side));
        let applied = Applied { instrument, side: side_touched, top_changed, fault: None, own };
        match entered {
            Err(fault) => self.fault(id, fault, applied),
            Ok(_) => applied,
        }
    }

    #[inline]
    fn shrunk(&mut self, id: InstrumentId, shrunk: &Shrunk, touch: OwnTouch) -> Applied {
        let (instrument, side) = (Some(InstrumentId(shrunk.place.book())), Some(shrunk.place.side()));
        let own = self.touched(shrunk.own, touch);
        let applied = Applied { instrument, side, top_changed: shrunk.was_top, fault: None, own };
        if shrunk.over { self.fault(id, BookFault::OverReduce, applied) } else { applied }
    }

    /// Puts an order at the end of its level's queue. `inherited`: the mark of the order that it replaces.
    #[inline]
    fn enter(
        &mut self,
        book: u32,
        side: Side,
        reference: VenueRef,
        qty: Qty,
        price: Price,
        inherited: u32,
    ) -> Result<Entered, BookFault> {
        let Some(head) = self.books.get_mut(book as usize) else { return Err(BookFault::UnknownInstrument) };
        if !head.is(BookKind::Orders) {
            return Err(BookFault::WrongKind);
        }
        let Err(vacant) = self.index.find(reference, &self.orders) else { return Err(BookFault::DuplicateRef) };
        if !qty.is_positive() {
            self.counters.empty_orders = self.counters.empty_orders.wrapping_add(1);
            return Ok(Entered { is_top: false, own: NIL });
        }
        let Some(slot) = self.orders.take() else { return Err(BookFault::OrdersFull) };
        let ladder = head.ladder_mut(side);
        let Ok(level) = self.levels.find_or_add(ladder, Place::new(book, side), price) else {
            self.orders.give(slot);
            return Err(BookFault::LevelsFull);
        };
        let is_top = ladder.best == level;
        let own = self.marks.arrive(reference, inherited);
        let live = self.orders.used();
        self.counters.peak_live_orders = self.counters.peak_live_orders.max(live as u64);
        self.index.insert(vacant, slot, live);
        let record = self.levels.pool.at_mut(level);
        let ahead = record.queue.last;
        if record.orders == 0 {
            record.queue.first = slot;
        } else {
            self.orders.at_mut(ahead).behind = slot;
        }
        record.queue.last = slot;
        // Wrapping: what is added is taken away again, so that no order of absurd size leaves a wrong level behind.
        record.qty = record.qty.wrapping_add(qty.0);
        record.orders = record.orders.wrapping_add(1);
        *self.orders.at_mut(slot) = Order { reference, qty: qty.0, level, ahead, behind: NIL, own };
        if own != NIL {
            self.levels.change_own(level, qty.0, 1);
        }
        Ok(Entered { is_top, own })
    }

    /// Takes shares off an order, and the order out of the book when nothing is left. `None`: it does not rest.
    #[inline]
    fn shrink(&mut self, reference: VenueRef, qty: Qty) -> Option<Shrunk> {
        let found = self.index.find(reference, &self.orders).ok()?;
        let order = self.orders.at_mut(found.slot);
        // A negative size takes nothing: it must not make an order grow.
        let qty = qty.0.max(0);
        let left = order.qty.wrapping_sub(qty);
        let (own, number) = (order.own, order.level);
        let price = self.levels.pool.at(number).price;
        if left <= 0 {
            let Removed { place, own, was_top } = self.remove(found);
            return Some(Shrunk { place, price, own, was_top, left: Qty::ZERO, over: left < 0 });
        }
        order.qty = left;
        let level = self.levels.pool.at_mut(number);
        level.qty = level.qty.wrapping_sub(qty);
        let place = level.place;
        if own != NIL {
            self.levels.change_own(number, qty.wrapping_neg(), 0);
        }
        let best = self.books.get(place.book() as usize).map_or(NIL, |book| book.ladder(place.side()).best);
        Some(Shrunk { place, price, own, was_top: best == number && qty > 0, left: Qty(left), over: false })
    }

    /// Takes an order out of the book. Its mark, if it has one, waits from now on.
    #[inline]
    fn remove(&mut self, found: index::Found) -> Removed {
        let order = *self.orders.at(found.slot);
        let Order { level: number, own, .. } = order;
        self.index.remove(found);
        self.orders.give(found.slot);
        if own != NIL {
            self.levels.change_own(number, order.qty.wrapping_neg(), -1);
            self.marks.leave(own);
        }
        let level = self.levels.pool.at_mut(number);
        let place = level.place;
        let Some(book) = self.books.get_mut(place.book() as usize) else {
            return Removed { place, own, was_top: false };
        };
        let ladder = book.ladder_mut(place.side());
        let was_top = ladder.best == number;
        if level.orders == 1 {
            self.levels.remove(ladder, number);
        } else {
            level.queue.remove(&mut self.orders, found.slot, &order);
            level.qty = level.qty.wrapping_sub(order.qty);
            level.orders = level.orders.wrapping_sub(1);
        }
        Removed { place, own, was_top }
    }

    fn place_of(&self, slot: u32) -> (u32, Side) {
        let place = self.levels.pool.at(self.orders.at(slot).level).place;
        (place.book(), place.side())
    }

    /// Best price and the size there.
    #[inline]
    fn best(&self, book: u32, side: Side) -> Option<(Price, i64)> {
        let best = self.books.get(book as usize)?.ladder(side).best;
        let level = self.levels.pool.at(best);
        (best != NIL).then_some((level.price, level.qty))
    }

    /// Notes what happened to an own order. False: to one that is not.
    #[inline]
    fn touched(&mut self, own: u32, touch: OwnTouch) -> bool {
        if own != NIL {
            self.touch = (self.marks.get(own).client, touch);
        }
        own != NIL
    }

    #[inline]
    fn print(&mut self, book: u32, price: Price, qty: Qty) {
        if !qty.is_positive() {
            return;
        }
        if let Some(prints) = self.prints.get_mut(book as usize) {
            *prints = Prints { price, qty, volume: prints.volume.plus(qty) };
        }
    }

    /// A message of `id` about an order that does not rest.
    #[cold]
    fn unknown(&mut self, id: InstrumentId) -> Applied {
        let levels = self.kind(id) == Some(BookKind::Levels);
        self.fault(id, if levels { BookFault::WrongKind } else { BookFault::UnknownRef }, Applied::default())
    }

    #[cold]
    fn fault(&mut self, id: InstrumentId, fault: BookFault, applied: Applied) -> Applied {
        let counter = match fault {
            BookFault::UnknownRef => &mut self.counters.unknown_ref,
            BookFault::DuplicateRef => &mut self.counters.duplicate_ref,
            BookFault::OverReduce => &mut self.counters.over_reduce,
            BookFault::OrdersFull => &mut self.counters.orders_full,
            BookFault::LevelsFull => &mut self.counters.levels_full,
            BookFault::UnknownInstrument => &mut self.counters.unknown_instrument,
            BookFault::WrongKind => &mut self.counters.wrong_kind,
        };
        *counter = counter.wrapping_add(1);
        let reason = match fault {
            BookFault::OrdersFull | BookFault::LevelsFull => StaleReason::Full,
            _ => StaleReason::Fault,
        };
        self.mark_stale(Scope::One(id), reason);
        if let Some(touched) = applied.instrument {
            self.mark_stale(Scope::One(touched), reason);
        }
        Applied { fault: Some(fault), ..applied }
    }

    /// The book of an instrument.
    #[inline]
    #[must_use]
    pub fn view(&self, id: InstrumentId) -> BookRef<'_> {
        BookRef { books: self, id }
    }

    /// Empties every book and forgets its prints; own marks wait for their orders again. What is stale stays so, each book
    /// stays of its kind, and counters count on.
    pub fn clear(&mut self) {
        self.index.clear();
        self.orders.reset();
        self.levels.reset();
        self.marks.all_leave();
        self.prints.fill(Prints::default());
        for book in &mut self.books {
            *book = Book { freshness: book.freshness, kind: book.kind, ..Book::EMPTY };
        }
    }

    /// Empties one side of a book: order by order, or level by level.
    fn clear_side(&mut self, id: InstrumentId, side: Side) {
        while let Some(book) = self.books.get_mut(id.0 as usize)
            && let best = book.ladder(side).best
            && best != NIL
        {
            let first = self.levels.pool.at(best).queue.first;
            if first == NIL {
                self.levels.disown(best);
                self.levels.remove(book.ladder_mut(side), best);
                continue;
            }
            let Ok(found) = self.index.find(self.orders.at(first).reference, &self.orders) else { break };
            self.remove(found);
        }
    }

    /// Empties one book and forgets its prints.
    pub fn clear_instrument(&mut self, id: InstrumentId) {
        for side in [Side::Buy, Side::Sell] {
            self.clear_side(id, side);
        }
        if let Some(prints) = self.prints.get_mut(id.0 as usize) {
            *prints = Prints::default();
        }
    }

    /// Notes that books may differ from the venue's.
    pub fn mark_stale(&mut self, scope: Scope, reason: StaleReason) {
        match scope {
            Scope::All => self.all = self.all.with(reason),
            Scope::One(id) => {
                if let Some(book) = self.books.get_mut(id.0 as usize) {
                    book.freshness = book.freshness.with(reason);
                }
            }
        }
    }

    /// Takes a reason for staleness back: of one book (as far as it is not one that all share), or of all, each book's
    /// own included.
    pub fn heal(&mut self, scope: Scope, reason: StaleReason) {
        match scope {
            Scope::All => {
                self.all = self.all.without(reason);
                for book in &mut self.books {
                    book.freshness = book.freshness.without(reason);
                }
            }
            Scope::One(id) => {
                if let Some(book) = self.books.get_mut(id.0 as usize) {
                    book.freshness = book.freshness.without(reason);
                }
            }
        }
    }

    /// How many of the first `of` books are stale. Walks them: not for each message.
    #[must_use]
    pub fn stale(&self, of: usize) -> usize {
        self.books.iter().take(of).filter(|book| !self.all.and(book.freshness).is_fresh()).count()
    }

    /// Is the book stale, and why? One beyond the capacity always is.
    #[inline]
    #[must_use]
    pub fn freshness(&self, id: InstrumentId) -> Freshness {
        match self.books.get(id.0 as usize) {
            Some(book) => self.all.and(book.freshness),
            None => self.all.with(StaleReason::Full),
        }
    }

    /// Why every book is stale, whatever else is wrong with one.
    #[must_use]
    pub fn shared_freshness(&self) -> Freshness {
        self.all
    }

    /// Marks an order as own, wherever it is: in the book already, or to come. Marking it again renames it.
    pub fn own_add(&mut self, order: VenueRef, client: ClientId) -> OwnMatch {
        if let Some(number) = self.marks.find(order) {
            self.marks.set_client(number, client);
            return if self.marks.get(number).resting { OwnMatch::Resting } else { OwnMatch::Awaited };
        }
        let Some(number) = self.marks.add(order, client) else {
            self.counters.own_full = self.counters.own_full.wrapping_add(1);
            return OwnMatch::Full;
        };
        let Ok(found) = self.index.find(order, &self.orders) else { return OwnMatch::Awaited };
        self.marks.rest(number);
        let resting = self.orders.at_mut(found.slot);
        resting.own = number;
        let (level, qty) = (resting.level, resting.qty);
        self.levels.change_own(level, qty, 1);
        OwnMatch::Resting
    }

    /// Takes back the marks that wait for an order that `gone` says will not come. Walks over all marks.
    pub fn own_forget(&mut self, gone: impl Fn(ClientId) -> bool) {
        self.marks.forget(gone);
    }

    /// Takes the mark of an order back. Its owner does so when the order's life is over, or when it goes on under a
    /// reference that was marked. An order without a mark is left alone.
    pub fn own_remove(&mut self, order: VenueRef) {
        let Some(mark) = self.marks.remove(order) else { return };
        if mark.resting
            && let Ok(found) = self.index.find(order, &self.orders)
        {
            let resting = self.orders.at_mut(found.slot);
            resting.own = NIL;
            let (level, qty) = (resting.level, resting.qty);
            self.levels.change_own(level, qty.wrapping_neg(), -1);
        }
    }

    /// The own order that the last event concerned, and what happened to it: if it concerned one ([`Applied::own`]).
    #[inline]
    #[must_use]
    pub fn own_touch(&self) -> (ClientId, OwnTouch) {
        self.touch
    }

    /// Orders resting now, over all books.
    #[inline]
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.orders.used()
    }

    /// The most orders that ever rested at once.
    #[must_use]
    pub fn peak_live_orders(&self) -> u64 {
        self.counters.peak_live_orders
    }

    /// What went wrong so far.
    #[must_use]
    pub fn counters(&self) -> &BookCounters {
        &self.counters
    }
}

/// An order that entered.
struct Entered {
    is_top: bool,
    /// Its mark.
    own: u32,
}

/// An order that lost shares.
struct Shrunk {
    place: Place,
    price: Price,
    own: u32,
    was_top: bool,
    left: Qty,
    over: bool,
}
