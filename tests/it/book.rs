//! Order books: the exchange's own best prices over a real hour, a naive model, and each rule by itself.

use crate::data;
use crate::targets_books::better_levels_agree;
use firelane_gateway::base::{
    ClientId, Digest, Instrument, InstrumentId, InstrumentTable, LoadError, Price, Qty, Reader, Side, State, Symbol,
    VenueRef, Writer,
};
use firelane_gateway::flow::book::{
    Applied, BATCH, BookCapacity, BookFault, BookRef, Books, Level, OwnMatch, OwnTouch, Scope, StaleReason, Standing,
    Touch,
};
use firelane_gateway::flow::event::EventKind;
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::MarketLine;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::path::Path;

mod hints;
mod levels;
mod own;
mod windows;

const SIDES: [Side; 2] = [Side::Buy, Side::Sell];
const ID: InstrumentId = InstrumentId(0);

fn unxz(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    lzma_rust2::XzReader::new(std::fs::File::open(path).unwrap(), true).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Messages of a BinaryFILE image.
fn messages(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (prefix, rest) = bytes.split_first_chunk::<2>()?;
        let (message, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*prefix)))?;
        bytes = rest;
        Some(message)
    })
}

/// The best of both sides as the oracle writes it.
fn bbo(view: BookRef<'_>) -> String {
    let side = |side| view.top(side).map_or((0, 0), |level| (level.price.0, level.qty.0));
    let (ask, bid) = (side(Side::Sell), side(Side::Buy));
    format!("{},{},{},{}", ask.0, ask.1, bid.0, bid.1)
}

#[test]
fn the_aapl_hour_gives_the_exchanges_own_best_prices() {
    let Some(feed) = data::shared("itch/aapl_20120621_da.itch.xz") else { return };
    let Some(oracle) = data::shared("itch/aapl_20120621_bbo_oracle.csv.xz") else { return };
    let oracle = String::from_utf8(unxz(&oracle)).unwrap();
    let oracle: Vec<&str> = oracle.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(oracle.len(), 15_999);

    // On the chain alone, and with all that is near the best in the window.
    for ticks in [false, true] {
        aapl_hour(&unxz(&feed), &oracle, ticks);
    }
}

fn aapl_hour(feed: &[u8], oracle: &[&str], ticks: bool) {
    let mut line = ItchLine::new(15_512);
    let mut instruments = InstrumentTable::new(&[Instrument::us_equity(Symbol::new("AAPL").unwrap())], 1, false);
    let mut books = Books::new(BookCapacity { instruments: 1, orders: 4_096, levels: 4_096, own: 1 });
    if ticks {
        books.follow(&instruments);
    }
    let mut states = Vec::new();
    let mut last = "0,0,0,0".to_owned();
    for (index, message) in messages(feed).enumerate() {
        let event = line.decode(message, &mut instruments).unwrap();
        let Some(id) = event.instrument else { continue };
        let applied = books.apply(id, &event.kind);
        assert_eq!(applied.fault, None, "message {index}");
        let now = bbo(books.view(id));
        assert_eq!(applied.top_changed, now != last, "message {index}");
        if now != last {
            states.push(format!("{index},{now}"));
            last = now;
        }
    }
    assert_eq!(states.len(), 23_441);
    assert!(states[0].starts_with("4,") && states[1].starts_with("16,"), "{:?}", &states[..2]);
    for (ours, theirs) in states[2..].iter().zip(oracle) {
        assert_eq!(ours, theirs);
    }
    assert!(books.view(ID).freshness().is_fresh());
}

// ---------------------------------------------------------------------------------------------------------------
// The naive model.

#[derive(Clone, Copy, PartialEq, Debug)]
struct Resting {
    id: u32,
    side: Side,
    price: i64,
    qty: i64,
}

#[derive(Default)]
struct Model {
    capacity: Option<BookCapacity>,
    orders: BTreeMap<u64, Resting>,
    queues: BTreeMap<(u32, Side, i64), VecDeque<u64>>,
    marks: BTreeMap<u64, u64>,
    stale: BTreeMap<u32, Vec<StaleReason>>,
    volume: BTreeMap<u32, i64>,
    last: BTreeMap<u32, (i64, i64)>,
}

impl Model {
    fn capacity(&self) -> BookCapacity {
        self.capacity.unwrap()
    }

    fn enter(&mut self, id: u32, side: Side, reference: u64, qty: i64, price: i64) -> Option<BookFault> {
        if id as usize >= self.capacity().instruments {
            return Some(BookFault::UnknownInstrument);
        }
        if self.orders.contains_key(&reference) {
            return Some(BookFault::DuplicateRef);
        }
        if qty <= 0 {
            return None;
        }
        if self.orders.len() == self.capacity().orders {
            return Some(BookFault::OrdersFull);
        }
        if self.queues.len() == self.capacity().levels && !self.queues.contains_key(&(id, side, price)) {
            return Some(BookFault::LevelsFull);
        }
        self.orders.insert(reference, Resting { id, side, price, qty });
        self.queues.entry((id, side, price)).or_default().push_back(reference);
        None
    }

    fn remove(&mut self, reference: u64) {
        let order = self.orders.remove(&reference).unwrap();
        let key = (order.id, order.side, order.price);
        let queue = self.queues.get_mut(&key).unwrap();
        queue.retain(|r| *r != reference);
        if queue.is_empty() {
            self.queues.remove(&key);
        }
    }

    fn shrink(&mut self, reference: u64, qty: i64) -> Option<BookFault> {
        let Some(order) = self.orders.get_mut(&reference) else { return Some(BookFault::UnknownRef) };
        let over = qty > order.qty;
        if qty >= order.qty {
            self.remove(reference);
        } else {
            order.qty -= qty;
        }
        over.then_some(BookFault::OverReduce)
    }

    fn print(&mut self, id: u32, price: i64, qty: i64) {
        if qty > 0 && (id as usize) < self.capacity().instruments {
            *self.volume.entry(id).or_default() += qty;
            self.last.insert(id, (price, qty));
        }
    }

    fn apply(&mut self, id: u32, kind: &EventKind) -> Option<BookFault> {
        let mut touched = id;
        let fault = match *kind {
            EventKind::Add { order, side, qty, price } => self.enter(id, side, order.0, qty.0, price.0),
            EventKind::Execute { order, qty, price, printable, .. } => {
                if let Some(resting) = self.orders.get(&order.0).copied() {
                    touched = resting.id;
                    if printable {
                        self.print(resting.id, price.map_or(resting.price, |p| p.0), qty.0);
                    }
                }
                self.shrink(order.0, qty.0)
            }
            EventKind::Reduce { order, qty } => {
                touched = self.orders.get(&order.0).map_or(id, |o| o.id);
                self.shrink(order.0, qty.0)
            }
            EventKind::Delete { order } if self.orders.contains_key(&order.0) => {
                self.remove(order.0);
                None
            }
            EventKind::Replace { order, new, qty, price } if self.orders.contains_key(&order.0) => {
                let old = self.orders[&order.0];
                touched = old.id;
                self.remove(order.0);
                let fault = self.enter(old.id, old.side, new.0, qty.0, price.0);
                if let Some(client) = self.marks.get(&order.0).copied()
                    && fault.is_none()
                    && qty.0 > 0
                    && !self.marks.contains_key(&new.0)
                {
                    self.marks.remove(&order.0);
                    self.marks.insert(new.0, client);
                }
                fault
            }
            EventKind::Delete { .. } | EventKind::Replace { .. } => Some(BookFault::UnknownRef),
            EventKind::Trade { qty, price, .. } | EventKind::Cross { qty, price, .. } => {
                self.print(id, price.0, qty.0);
                None
            }
            _ => None,
        };
        if let Some(fault) = fault {
            let full = matches!(fault, BookFault::OrdersFull | BookFault::LevelsFull);
            let reason = if full { StaleReason::Full } else { StaleReason::Fault };
            self.stale.entry(id).or_default().push(reason);
            self.stale.entry(touched).or_default().push(reason);
        }
        fault
    }

    fn own(&self, reference: u64) -> bool {
        self.marks.contains_key(&reference)
    }

    /// Levels of a side, best first.
    fn levels(&self, id: u32, side: Side) -> Vec<Level> {
        let mut levels: Vec<Level> = self
            .queues
            .range((id, side, i64::MIN)..=(id, side, i64::MAX))
            .map(|((_, _, price), queue)| Level {
                price: Price(*price),
                qty: Qty(queue.iter().map(|r| self.orders[r].qty).sum()),
                orders: queue.len() as u32,
                own_qty: Qty(queue.iter().filter(|r| self.own(**r)).map(|r| self.orders[r].qty).sum()),
            })
            .collect();
        if side == Side::Buy {
            levels.reverse();
        }
        levels
    }

    fn top(&self, id: u32, side: Side) -> Option<(i64, i64)> {
        self.levels(id, side).first().map(|level| (level.price.0, level.qty.0))
    }

    fn top_without_own(&self, id: u32, side: Side) -> Option<(i64, i64)> {
        self.levels(id, side).iter().find(|l| l.qty > l.own_qty).map(|l| (l.price.0, l.qty.0 - l.own_qty.0))
    }

    fn check(&self, books: &Books) {
        assert_eq!(books.live_orders(), self.orders.len());
        for id in 0..self.capacity().instruments as u32 {
            let view = books.view(InstrumentId(id));
            for side in SIDES {
                let levels = self.levels(id, side);
                for (n, level) in view.levels(side).enumerate() {
                    assert_eq!(Some(&level), levels.get(n), "{side:?} level {n} of {id}");
                }
                assert_eq!(view.levels(side).count(), levels.len());
                assert_eq!(view.depth(side), levels.len());
                assert_eq!(view.top(side), levels.first().copied());
                for depth in [0, 1, 7, 15, 16, 30, 31, 32, 62, levels.len().saturating_sub(1), levels.len()] {
                    assert_eq!(view.level(side, depth), levels.get(depth).copied(), "depth {depth}");
                }
                better_levels_agree(view, side, &levels);
                let without = view.top_without_own(side).map(|l| (l.price.0, l.qty.0));
                assert_eq!(without, self.top_without_own(id, side));
            }
            let touch = Touch {
                bid: view.top_without_own(Side::Buy),
                ask: view.top_without_own(Side::Sell),
                fresh: view.freshness().is_fresh(),
                crossed: view.is_crossed(),
            };
            assert_eq!(view.touch(), touch);
            assert_eq!(view.volume().0, self.volume.get(&id).copied().unwrap_or(0));
            assert_eq!(view.last_trade().map(|(p, q)| (p.0, q.0)), self.last.get(&id).copied());
            for reason in firelane_gateway::flow::book::STALE_REASONS {
                let stale = self.stale.get(&id).is_some_and(|reasons| reasons.contains(&reason));
                assert_eq!(view.freshness().has(reason), stale, "{reason:?} of {id}");
            }
        }
        for ((id, side, price), queue) in &self.queues {
            let view = books.view(InstrumentId(*id));
            let ours: Vec<_> = view.queue(*side, Price(*price)).collect();
            assert_eq!(ours.iter().map(|o| o.order.0).collect::<VecDeque<_>>(), *queue);
            let mut ahead = 0;
            for order in ours {
                assert_eq!(view.order(order.order), Some(order));
                let better = view.better_levels(*side, order.price, 3);
                let standing = Standing { side: *side, qty: order.qty, own: order.client.is_some(), better };
                assert_eq!(view.standing(order.order, 3), Some(standing));
                assert_eq!(
                    books.view(InstrumentId(id + 1)).standing(order.order, 3),
                    None,
                    "nor does it stand elsewhere"
                );
                assert_eq!(view.queue_ahead(order.order), Some(Qty(ahead)));
                assert_eq!(order.client.map(|c| c.0), self.marks.get(&order.order.0).copied());
                let resting = Resting { id: *id, side: order.side, price: order.price.0, qty: order.qty.0 };
                assert_eq!(self.orders[&order.order.0], resting);
                ahead += order.qty.0;
                assert_eq!(books.view(InstrumentId(id + 1)).order(order.order), None, "an order is in its own book");
            }
        }
        // The digest depends on what the books hold, not on how they came to hold it.
        let mut rebuilt = Books::new(self.capacity());
        for ((id, side, price), queue) in self.queues.iter().rev() {
            for reference in queue {
                let (order, qty) = (VenueRef(*reference), Qty(self.orders[reference].qty));
                let add = EventKind::Add { order, side: *side, qty, price: Price(*price) };
                assert_eq!(rebuilt.apply(InstrumentId(*id), &add).fault, None);
            }
        }
        assert_eq!(displayed(&rebuilt), displayed(books));
    }
}

fn displayed(books: &Books) -> u64 {
    let mut digest = Digest::default();
    books.digest_displayed(&mut digest);
    digest.value()
}

/// What a random stream is made of.
struct Flow {
    capacity: BookCapacity,
    /// Instruments that messages name; may be more than there are.
    instruments: u32,
    prices: i64,
    references: fn(u64) -> u64,
    /// How many references there are.
    population: u64,
    /// Of 100 messages, how many add; the rest shrinks, deletes, replaces, prints.
    adds: u32,
    /// Price units a tick, once the books have been told. 0: they never are.
    tick: i64,
}

/// As many rows as there can be books, all of this tick.
fn of_tick(tick: i64) -> InstrumentTable {
    let row = |n: u32| {
        let mut row = Instrument::us_equity(Symbol::new(&format!("S{n}")).unwrap());
        row.tick = tick;
        row
    };
    InstrumentTable::new(&[0, 1, 2].map(row), 3, false)
}

fn random_event(rng: &mut Xoshiro256PlusPlus, flow: &Flow) -> EventKind {
    let mut reference = || VenueRef((flow.references)(rng.random_range(0..flow.population)));
    let (order, new) = (reference(), reference());
    let qty = Qty(if rng.random_range(0..40) == 0 { 0 } else { rng.random_range(1..=300) });
    let price = Price(rng.random_range(1..=flow.prices));
    let side = SIDES[rng.random_range(0..2)];
    if rng.random_range(0..100) < flow.adds {
        return EventKind::Add { order, side, qty, price };
    }
    match rng.random_range(0..20) {
        0..6 => EventKind::Delete { order },
        6..10 => EventKind::Replace { order, new, qty, price },
        10..13 => EventKind::Reduce { order, qty },
        13..16 => EventKind::Execute { order, qty, price: None, printable: true, trade: 0 },
        16 => EventKind::Execute { order, qty, price: Some(price), printable: true, trade: 0 },
        17 => EventKind::Execute { order, qty, price: Some(price), printable: false, trade: 0 },
        18 => EventKind::Trade { qty, price, trade: 0 },
        _ => EventKind::Cross { qty, price, trade: 0 },
    }
}

fn model_run(flow: &Flow, seed: u64, events: usize) -> (Books, Model) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut books = Books::new(flow.capacity);
    let mut model = Model { capacity: Some(flow.capacity), ..Model::default() };
    let table = of_tick(flow.tick);
    // At once, or when the books are full of levels that stand on the chain.
    let told_at = if seed.is_multiple_of(3) { events / 3 } else { 0 };
    for n in 0..events {
        if flow.tick > 0 && n >= told_at {
            books.follow(&table);
        }
        let id = rng.random_range(0..flow.instruments);
        let kind = random_event(&mut rng, flow);
        if n % 11 == 0 {
            hints::give(&books, rng.random(), n % (BATCH + 4));
        }
        let before: Vec<_> = (0..flow.instruments).map(|id| SIDES.map(|side| model.top(id, side))).collect();
        let fault = model.apply(id, &kind);
        let applied = books.apply(InstrumentId(id), &kind);
        assert_eq!(applied.fault, fault, "seed {seed} event {n}: {kind:?}");
        for (id, before) in before.iter().enumerate() {
            for side in SIDES {
                let changed = before[side as usize] != model.top(id as u32, side);
                let said = applied.instrument == Some(InstrumentId(id as u32)) && applied.side == Some(side);
                assert_eq!(said && applied.top_changed, changed, "seed {seed} event {n}: {kind:?} {applied:?}");
            }
        }
        if rng.random_range(0..4) == 0 {
            let reference = (flow.references)(rng.random_range(0..flow.population));
            if rng.random_range(0..2) == 0 {
                let full = model.marks.len() == flow.capacity.own && !model.own(reference);
                let expected = match (full, model.orders.contains_key(&reference)) {
                    (true, _) => OwnMatch::Full,
                    (false, true) => OwnMatch::Resting,
                    (false, false) => OwnMatch::Awaited,
                };
                assert_eq!(books.own_add(VenueRef(reference), ClientId(n as u64)), expected, "seed {seed} event {n}");
                if !full {
                    model.marks.insert(reference, n as u64);
                }
            } else {
                books.own_remove(VenueRef(reference));
                model.marks.remove(&reference);
            }
        }
        if n % 37 == 0 || n + 1 == events {
            model.check(&books);
        }
    }
    (books, model)
}

const ROOMY: BookCapacity = BookCapacity { instruments: 3, orders: 4_096, levels: 4_096, own: 64 };

#[test]
fn random_streams_agree_with_the_model() {
    let flow =
        Flow { capacity: ROOMY, instruments: 3, prices: 12, references: |n| n + 1, population: 300, adds: 45, tick: 0 };
    for seed in 0..20 {
        let (books, _) = model_run(&flow, seed, 3_000);
        let counted = books.counters();
        assert!(counted.unknown_ref > 0 && counted.duplicate_ref > 0 && counted.over_reduce > 0);
        assert!(counted.empty_orders > 0);
    }
}

#[test]
fn references_of_any_shape_agree_with_the_model() {
    let shapes: [fn(u64) -> u64; 6] = [
        |n| n << 56 | n >> 2, // differ in their top byte
        |n| n << 40,
        |n| n << 13,
        |n| u64::MAX - n,
        |n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15), // the multiplier of a common hash
        |n| if n == 0 { 0 } else { 1 << (n % 64) | n << 3 },
    ];
    for (seed, references) in shapes.into_iter().enumerate() {
        let flow = Flow { capacity: ROOMY, instruments: 2, prices: 30, references, population: 250, adds: 50, tick: 0 };
        model_run(&flow, seed as u64, 4_000);
    }
}

#[test]
fn deep_ladders_split_and_join_as_the_model_does() {
    for seed in 0..6 {
        // Grow over many chunks, then shrink, so that chunks split and join everywhere.
        let grow = Flow {
            capacity: ROOMY,
            instruments: 1,
            prices: 900,
            references: |n| n,
            population: 1_500,
            adds: 75,
            tick: 0,
        };
        model_run(&grow, seed, 3_000);
        let churn = Flow { adds: 30, population: 700, ..grow };
        model_run(&churn, seed, 6_000);
    }
}

#[test]
fn a_tight_book_is_full_exactly_when_the_model_is() {
    for seed in 0..20 {
        let capacity = BookCapacity { instruments: 2, orders: 24, levels: 10, own: 3 };
        let flow =
            Flow { capacity, instruments: 3, prices: 8, references: |n| n << 33, population: 80, adds: 60, tick: 0 };
        let (books, _) = model_run(&flow, seed, 3_000);
        let counted = books.counters();
        assert!(counted.orders_full > 0 && counted.levels_full > 0 && counted.unknown_instrument > 0);
        assert!(counted.own_full > 0);
        assert_eq!(counted.peak_live_orders, 24);
    }
}

/// Whatever the order in which prices come and go, a free level always finds a place on its ladder: the pool of
/// chunks never runs out first.
#[test]
fn a_ladder_takes_every_level_of_its_capacity() {
    const LEVELS: i64 = 2_000;
    let orders: [fn(i64) -> i64; 4] =
        [|n| n, |n| LEVELS - n, |n| if n % 2 == 0 { n } else { LEVELS * 2 - n }, |n| (n * 977) % LEVELS];
    // Without ticks, with all prices on them, and with every third.
    for (side, price, tick) in SIDES
        .into_iter()
        .flat_map(|side| orders.into_iter().flat_map(move |price| [0, 1, 3].map(move |tick| (side, price, tick))))
    {
        {
            let capacity = BookCapacity { instruments: 1, orders: 2_000, levels: 2_000, own: 0 };
            let mut books = Books::new(capacity);
            if tick > 0 {
                books.follow(&of_tick(tick));
            }
            for round in 0..3 {
                for n in 0..LEVELS {
                    let applied = books.apply(ID, &add(n as u64, side, 1, price(n)));
                    assert_eq!(applied.fault, None, "round {round} level {n}");
                }
                assert_eq!(books.view(ID).depth(side), 2_000);
                // Leave every sixteenth, so that chunks are as thin as they may be, and fill up again.
                for n in (0..LEVELS).filter(|n| round == 2 || n % 16 != 0) {
                    assert_eq!(books.apply(ID, &delete(n as u64)).fault, None);
                }
                for n in (0..LEVELS).filter(|n| round < 2 && n % 16 == 0) {
                    assert_eq!(books.apply(ID, &delete(n as u64)).fault, None);
                }
            }
            assert_eq!((books.live_orders(), books.view(ID).depth(side)), (0, 0));
        }
    }
}

/// The index turns to larger tables as orders come: none gets lost on the way, whichever table it is in.
#[test]
fn every_order_is_found_while_the_index_grows() {
    let mut books = Books::new(BookCapacity { instruments: 1, orders: 60_000, levels: 4, own: 0 });
    let reference = |n: u64| n.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ n << 50;
    let mut oldest = 0;
    for n in 0..60_000 {
        assert_eq!(books.apply(ID, &add(reference(n), Side::Buy, 1, 1)).fault, None, "add {n}");
        for some in [oldest, (oldest + n) / 2, n] {
            assert!(books.view(ID).order(VenueRef(reference(some))).is_some(), "order {some} of {n}");
        }
        if n % 3 == 0 {
            assert_eq!(books.apply(ID, &delete(reference(oldest))).fault, None, "delete {oldest} of {n}");
            assert_eq!(books.view(ID).order(VenueRef(reference(oldest))), None);
            oldest += 1;
        }
    }
    for n in (oldest..60_000).rev() {
        assert_eq!(books.apply(ID, &delete(reference(n))).fault, None, "delete {n}");
    }
    assert_eq!(books.live_orders(), 0);
}

// ---------------------------------------------------------------------------------------------------------------
// Each rule by itself.

fn books() -> Books {
    Books::new(ROOMY)
}

fn add(order: u64, side: Side, qty: i64, price: i64) -> EventKind {
    EventKind::Add { order: VenueRef(order), side, qty: Qty(qty), price: Price(price) }
}

fn delete(order: u64) -> EventKind {
    EventKind::Delete { order: VenueRef(order) }
}

fn reduce(order: u64, qty: i64) -> EventKind {
    EventKind::Reduce { order: VenueRef(order), qty: Qty(qty) }
}

fn execute(order: u64, qty: i64) -> EventKind {
    EventKind::Execute { order: VenueRef(order), qty: Qty(qty), price: None, printable: true, trade: 1 }
}

fn execute_at(order: u64, qty: i64, price: i64, printable: bool) -> EventKind {
    EventKind::Execute { order: VenueRef(order), qty: Qty(qty), price: Some(Price(price)), printable, trade: 1 }
}

fn replace(order: u64, new: u64, qty: i64, price: i64) -> EventKind {
    EventKind::Replace { order: VenueRef(order), new: VenueRef(new), qty: Qty(qty), price: Price(price) }
}

fn applied(books: &mut Books, events: &[EventKind]) -> Applied {
    events.iter().map(|kind| books.apply(ID, kind)).last().unwrap()
}

/// The own order that an event concerned, and how.
fn own_after(books: &mut Books, event: EventKind) -> Option<(ClientId, OwnTouch)> {
    let own = applied(books, &[event]).own;
    own.then(|| books.own_touch())
}

/// Price and whole size of the best level.
fn top(books: &Books, side: Side) -> Option<(i64, i64)> {
    books.view(ID).top(side).map(|level| (level.price.0, level.qty.0))
}

fn queue(books: &Books, side: Side, price: i64) -> Vec<(u64, i64)> {
    books.view(ID).queue(side, Price(price)).map(|order| (order.order.0, order.qty.0)).collect()
}

/// "TotalView-ITCH 5.0": E at the resting price; E, C and X subtract, and an order of 0 is gone.
#[test]
fn an_execution_subtracts_at_the_resting_price() {
    let mut b = books();
    applied(&mut b, &[add(1, Side::Buy, 100, 50), add(2, Side::Buy, 30, 50), execute(1, 40)]);
    assert_eq!(b.view(ID).last_trade(), Some((Price(50), Qty(40))));
    assert_eq!((top(&b, Side::Buy), queue(&b, Side::Buy, 50)), (Some((50, 90)), vec![(1, 60), (2, 30)]));
    applied(&mut b, &[execute(1, 60)]);
    assert_eq!(queue(&b, Side::Buy, 50), [(2, 30)]);
    assert_eq!((b.view(ID).last_trade(), b.view(ID).volume()), (Some((Price(50), Qty(60))), Qty(100)));
    assert!(b.view(ID).freshness().is_fresh());
}

/// "TotalView-ITCH 5.0": C carries its own price, and Printable N must not enter volume.
#[test]
fn an_execution_with_a_price_subtracts_at_the_resting_price_and_prints_at_its_own() {
    let mut b = books();
    applied(&mut b, &[add(1, Side::Sell, 100, 50), execute_at(1, 40, 48, true)]);
    assert_eq!(top(&b, Side::Sell), Some((50, 60)));
    assert_eq!((b.view(ID).last_trade(), b.view(ID).volume()), (Some((Price(48), Qty(40))), Qty(40)));
    applied(&mut b, &[execute_at(1, 10, 47, false)]);
    assert_eq!(top(&b, Side::Sell), Some((50, 50)), "it left the book all the same");
    assert_eq!((b.view(ID).last_trade(), b.view(ID).volume()), (Some((Price(48), Qty(40))), Qty(40)));
}

#[test]
fn a_reduction_keeps_the_place_and_a_delete_takes_the_order() {
    let mut b = books();
    applied(&mut b, &[add(1, Side::Buy, 100, 50), add(2, Side::Buy, 30, 50), reduce(1, 40)]);
    assert_eq!(queue(&b, Side::Buy, 50), [(1, 60), (2, 30)]);
    assert_eq!(b.view(ID).volume(), Qty(0), "a cancel is no trade");
    let after = applied(&mut b, &[delete(1)]);
    assert_eq!((after.instrument, after.side, after.top_changed), (Some(ID), Some(Side::Buy), true));
    applied(&mut b, &[reduce(2, 30)]);
    assert_eq!((top(&b, Side::Buy), b.live_orders()), (None, 0), "nothing left is gone");
    assert_eq!(applied(&mut b, &[delete(2)]).fault, Some(BookFault::UnknownRef));
}

/// "TotalView-ITCH 5.0": U has a new reference, inherits side and symbol, loses priority; the old reference is dead.
#[test]
fn a_replace_inherits_side_and_instrument_and_goes_to_the_end_of_the_queue() {
    let mut b = books();
    applied(&mut b, &[add(1, Side::Sell, 100, 50), add(2, Side::Sell, 30, 50)]);
    // Same price, same size: still to the back. The message may even name another instrument.
    let after = b.apply(InstrumentId(1), &replace(1, 3, 100, 50));
    assert_eq!((after.instrument, after.side, after.top_changed), (Some(ID), Some(Side::Sell), false));
    assert_eq!(queue(&b, Side::Sell, 50), [(2, 30), (3, 100)]);
    assert_eq!(b.view(ID).order(VenueRef(1)), None);
    assert_eq!(b.apply(ID, &execute(1, 1)).fault, Some(BookFault::UnknownRef), "the old reference is dead");
    let after = applied(&mut b, &[replace(3, 4, 10, 49)]);
    assert!(after.top_changed);
    assert_eq!(top(&b, Side::Sell), Some((49, 10)));
    // Under its own reference it loses priority too.
    applied(&mut b, &[add(5, Side::Sell, 1, 50), replace(2, 2, 30, 50)]);
    assert_eq!(queue(&b, Side::Sell, 50), [(5, 1), (2, 30)]);
}

#[test]
fn a_replace_of_an_unknown_order_adds_nothing() {
    let mut b = books();
    let after = applied(&mut b, &[replace(1, 2, 100, 50)]);
    assert_eq!(after, Applied { fault: Some(BookFault::UnknownRef), ..Applied::default() });
    assert_eq!((b.live_orders(), b.counters().unknown_ref), (0, 1));
    assert!(b.view(ID).freshness().has(StaleReason::Fault));
}

/// The venue says that the old order is gone, and that the new one is one that rests already: the first half is
/// believed, the second is not.
#[test]
fn a_replace_to_a_reference_that_rests_kills_the_old_order_and_keeps_the_other() {
    let mut b = books();
    let after = applied(&mut b, &[add(1, Side::Buy, 100, 50), add(2, Side::Buy, 30, 49), replace(1, 2, 70, 50)]);
    assert_eq!(after.fault, Some(BookFault::DuplicateRef));
    assert_eq!((top(&b, Side::Buy), b.live_orders()), (Some((49, 30)), 1));
    assert!(after.top_changed && b.view(ID).freshness().has(StaleReason::Fault));
}

#[test]
fn a_duplicate_add_is_ignored_and_stales_both_books() {
    let mut b = books();
    applied(&mut b, &[add(1, Side::Buy, 100, 50)]);
    let after = b.apply(InstrumentId(1), &add(1, Side::Sell, 7, 60));
    assert_eq!((after.fault, after.instrument), (Some(BookFault::DuplicateRef), None));
    assert_eq!((top(&b, Side::Buy), b.live_orders(), b.counters().duplicate_ref), (Some((50, 100)), 1, 1));
    assert!(b.view(InstrumentId(1)).freshness().has(StaleReason::Fault));
}

#[test]
fn every_kind_on_an_unknown_reference_is_counted_ignored_and_stales_the_instrument_named() {
    for kind in [execute(9, 1), execute_at(9, 1, 5, true), reduce(9, 1), delete(9), replace(9, 10, 1, 1)] {
        let mut b = books();
        applied(&mut b, &[add(1, Side::Buy, 100, 50)]);
        let before = displayed(&b);
        let after = b.apply(InstrumentId(2), &kind);
        assert_eq!(after, Applied { fault: Some(BookFault::UnknownRef), ..Applied::default() });
        assert_eq!((displayed(&b), b.counters().unknown_ref), (before, 1));
        assert!(b.view(ID).freshness().is_fresh());
        assert!(b.view(InstrumentId(2)).freshness().has(StaleReason::Fault));
        assert_eq!(b.view(InstrumentId(2)).volume(), Qty(0));
    }
}

#[test]
fn taking_more_than_is_left_removes_the_order_and_stales_the_book() {
    for kind in [execute(1, 101), execute_at(1, 101, 49, true), reduce(1, 101)] {
        let mut b = books();
        let after = applied(&mut b, &[add(1, Side::Buy, 100, 50), add(2, Side::Buy, 30, 50), kind]);
        assert_eq!((after.fault, after.top_changed), (Some(BookFault::OverReduce), true));
        assert_eq!((queue(&b, Side::Buy, 50), b.counters().over_reduce), (vec![(2, 30)], 1));
        assert!(b.view(ID).freshness().has(StaleReason::Fault));
    }
}

/// No shares left is gone (section 6), so an order of no shares never is: counted, and no contradiction.
#[test]
fn an_order_of_no_shares_does_not_rest() {
    let mut b = books();
    let after = applied(&mut b, &[add(1, Side::Buy, 0, 50)]);
    assert_eq!((after.fault, after.top_changed, b.live_orders()), (None, false, 0));
    applied(&mut b, &[add(2, Side::Buy, 10, 50), replace(2, 3, 0, 50)]);
    assert_eq!((top(&b, Side::Buy), b.counters().empty_orders), (None, 2));
    assert!(b.view(ID).freshness().is_fresh());
    applied(&mut b, &[add(4, Side::Buy, -5, 50)]);
    assert_eq!(b.live_orders(), 0);
}

#[test]
fn taking_no_shares_changes_nothing() {
    for kind in [execute(1, 0), reduce(1, 0), execute(1, -5), reduce(1, -5)] {
        let mut b = books();
        let after = applied(&mut b, &[add(1, Side::Buy, 10, 50), kind]);
        assert_eq!((after.fault, after.top_changed), (None, false));
        assert_eq!((top(&b, Side::Buy), b.view(ID).volume()), (Some((50, 10)), Qty(0)));
    }
}

/// "TotalView-ITCH 5.0": P does not touch the book, the shares of a Q may be 0, B changes no book.
#[test]
fn trades_crosses_and_breaks_leave_the_book_alone() {
    let mut b = books();
    applied(&mut b, &[add(1, Side::Buy, 100, 50)]);
    let before = displayed(&b);
    let cross = |qty, price| EventKind::Cross { qty: Qty(qty), price: Price(price), trade: 3 };
    for kind in [
        EventKind::Trade { qty: Qty(40), price: Price(51), trade: 2 },
        cross(1_000, 52),
        cross(0, 0),
        EventKind::Broken { trade: 2 },
        EventKind::Info,
    ] {
        assert_eq!(b.apply(ID, &kind), Applied::default());
    }
    assert_eq!(displayed(&b), before);
    assert_eq!((b.view(ID).last_trade(), b.view(ID).volume()), (Some((Price(52), Qty(1_000))), Qty(1_040)));
}

#[test]
fn books_may_lock_and_cross() {
    let mut b = books();
    applied(&mut b, &[add(1, Side::Buy, 100, 50), add(2, Side::Sell, 10, 50), add(3, Side::Sell, 5, 48)]);
    assert_eq!((top(&b, Side::Buy), top(&b, Side::Sell)), (Some((50, 100)), Some((48, 5))));
}

#[test]
fn prices_reach_from_end_to_end() {
    let mut b = books();
    for (n, price) in [0, i64::MIN, i64::MAX, -1].into_iter().enumerate() {
        applied(&mut b, &[add(n as u64, Side::Buy, 1, price), add(100 + n as u64, Side::Sell, 1, price)]);
    }
    let prices = |side| b.view(ID).levels(side).map(|level| level.price.0).collect::<Vec<_>>();
    assert_eq!(prices(Side::Buy), [i64::MAX, 0, -1, i64::MIN]);
    assert_eq!(prices(Side::Sell), [i64::MIN, -1, 0, i64::MAX]);
}

#[test]
fn an_order_beyond_the_capacity_is_left_out_and_stales_the_book() {
    let mut b = Books::new(BookCapacity { instruments: 2, orders: 2, levels: 2, own: 1 });
    applied(&mut b, &[add(1, Side::Buy, 1, 10), add(2, Side::Buy, 1, 10)]);
    assert!(b.view(ID).freshness().is_fresh(), "at the limit all is well");
    let after = applied(&mut b, &[add(3, Side::Buy, 1, 11)]);
    assert_eq!((after.fault, after.top_changed), (Some(BookFault::OrdersFull), false));
    assert_eq!((top(&b, Side::Buy), b.live_orders(), b.counters().orders_full), (Some((10, 2)), 2, 1));
    assert!(b.view(ID).freshness().has(StaleReason::Full) && !b.view(ID).freshness().has(StaleReason::Fault));
    assert!(b.view(InstrumentId(1)).freshness().is_fresh());
    // A replace needs no more room than it leaves.
    assert_eq!(applied(&mut b, &[replace(1, 4, 5, 12)]).fault, None);
    assert_eq!(applied(&mut b, &[delete(2), add(5, Side::Buy, 1, 12)]).fault, None);
}

#[test]
fn a_level_beyond_the_capacity_is_left_out_and_stales_the_book() {
    let mut b = Books::new(BookCapacity { instruments: 2, orders: 8, levels: 2, own: 1 });
    applied(&mut b, &[add(1, Side::Buy, 1, 10), add(2, Side::Sell, 1, 12)]);
    assert!(b.view(ID).freshness().is_fresh());
    assert_eq!(applied(&mut b, &[add(3, Side::Buy, 1, 11)]).fault, Some(BookFault::LevelsFull));
    assert_eq!(applied(&mut b, &[add(3, Side::Buy, 1, 10)]).fault, None, "a level that is there takes more");
    assert_eq!(b.live_orders(), 3);
    // A replace that leaves no level free loses the order: the old one is dead, the new one has no place.
    let after = applied(&mut b, &[replace(3, 4, 5, 9)]);
    assert_eq!((after.fault, b.live_orders(), b.counters().levels_full), (Some(BookFault::LevelsFull), 2, 2));
    assert!(b.view(ID).freshness().has(StaleReason::Full));
}

#[test]
fn an_instrument_beyond_the_capacity_has_an_empty_stale_book() {
    let mut b = Books::new(BookCapacity { instruments: 1, orders: 8, levels: 8, own: 1 });
    assert_eq!(b.apply(InstrumentId(1), &add(1, Side::Buy, 1, 10)).fault, Some(BookFault::UnknownInstrument));
    assert_eq!(b.apply(InstrumentId(u32::MAX), &add(1, Side::Buy, 1, 10)).fault, Some(BookFault::UnknownInstrument));
    let view = b.view(InstrumentId(1));
    assert_eq!((view.top(Side::Buy), view.volume(), view.freshness().is_fresh()), (None, Qty(0), false));
    assert!(b.view(ID).freshness().is_fresh());
    assert_eq!((b.live_orders(), b.counters().unknown_instrument), (0, 2));
}

#[test]
fn books_of_no_capacity_hold_nothing() {
    let mut b = Books::new(BookCapacity { instruments: 1, orders: 0, levels: 0, own: 0 });
    assert_eq!(applied(&mut b, &[add(1, Side::Buy, 1, 10)]).fault, Some(BookFault::OrdersFull));
    assert_eq!(b.own_add(VenueRef(1), ClientId(1)), OwnMatch::Full);
    assert_eq!(applied(&mut b, &[delete(1)]).fault, Some(BookFault::UnknownRef));
}

// ---------------------------------------------------------------------------------------------------------------
// Staleness and clearing.

#[test]
fn staleness_is_of_one_book_or_of_all_and_updates_go_on() {
    let other = InstrumentId(1);
    let mut b = books();
    b.mark_stale(Scope::One(other), StaleReason::Gap);
    assert!(b.view(ID).freshness().is_fresh() && b.view(other).freshness().has(StaleReason::Gap));
    b.mark_stale(Scope::All, StaleReason::Gap);
    b.mark_stale(Scope::One(ID), StaleReason::Malformed);
    b.heal(Scope::One(other), StaleReason::Gap);
    assert!(b.view(other).freshness().has(StaleReason::Gap), "what all share is not healed one by one");
    applied(&mut b, &[add(1, Side::Buy, 100, 50)]);
    assert_eq!(top(&b, Side::Buy), Some((50, 100)), "a stale book is kept up to date");
    b.mark_stale(Scope::One(other), StaleReason::Gap);
    b.heal(Scope::All, StaleReason::Gap);
    assert!(b.view(other).freshness().is_fresh());
    assert!(b.view(ID).freshness().has(StaleReason::Malformed) && !b.view(ID).freshness().has(StaleReason::Gap));
}

#[test]
fn clearing_empties_books_keeps_staleness_and_lets_marks_wait() {
    for all in [true, false] {
        let other = InstrumentId(1);
        let mut b = books();
        applied(&mut b, &[add(1, Side::Buy, 100, 50), add(2, Side::Sell, 100, 60), execute(1, 10), delete(77)]);
        b.apply(other, &add(3, Side::Buy, 5, 50));
        b.own_add(VenueRef(1), ClientId(10));
        let outside = displayed(&books());
        if all {
            b.clear()
        } else {
            b.clear_instrument(ID)
        }
        assert_eq!(b.live_orders(), usize::from(!all));
        assert_eq!(displayed(&b) == outside, all);
        assert_eq!((top(&b, Side::Buy), top(&b, Side::Sell), b.view(ID).last_trade()), (None, None, None));
        assert_eq!(b.view(other).top(Side::Buy).is_some(), !all);
        assert!(b.view(ID).freshness().has(StaleReason::Fault));
        // The snapshot shows the order again, and it is own.
        let after = own_after(&mut b, add(1, Side::Buy, 90, 50));
        assert_eq!(after, Some((ClientId(10), OwnTouch::Arrived)));
        assert_eq!(b.view(ID).top(Side::Buy).unwrap().own_qty, Qty(90));
    }
}

/// What was saved goes on exactly as the original does.
#[test]
fn saved_books_go_on_as_if_nothing_had_happened() {
    let digest = |books: &Books| Digest::of_state(books);
    let capacity = BookCapacity { instruments: 2, orders: 200, levels: 60, own: 5 };
    let flow =
        Flow { capacity, instruments: 3, prices: 40, references: |n| n << 33, population: 400, adds: 55, tick: 0 };
    for seed in 0..10 {
        let (mut books, _) = model_run(&flow, seed, 1_000);
        books.mark_stale(Scope::All, StaleReason::Gap);
        let mut saved = Writer::default();
        books.save(&mut saved);
        let mut loaded = Books::new(capacity);
        applied(&mut loaded, &[add(1, Side::Buy, 1, 1)]); // what it held is gone
        loaded.own_add(VenueRef(1), ClientId(1));
        loaded.load(&mut Reader(&saved.0)).unwrap();
        assert_eq!((digest(&loaded), loaded.counters()), (digest(&books), books.counters()));
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        for _ in 0..500 {
            let (id, kind) = (InstrumentId(rng.random_range(0..3)), random_event(&mut rng, &flow));
            assert_eq!(loaded.apply(id, &kind), books.apply(id, &kind));
        }
        assert_eq!((digest(&loaded), loaded.counters()), (digest(&books), books.counters()));
        for short in (0..saved.0.len()).step_by(97) {
            assert_eq!(loaded.load(&mut Reader(&saved.0[..short])), Err(LoadError::Short));
        }
        let other = BookCapacity { instruments: 1, ..capacity };
        let refused = LoadError::Capacity { of: "Books.books", built: 1, saved: 2 };
        assert_eq!(Books::new(other).load(&mut Reader(&saved.0)), Err(refused));
        let smaller = BookCapacity { orders: 3, ..capacity };
        assert!(matches!(Books::new(smaller).load(&mut Reader(&saved.0)), Err(LoadError::Capacity { built: 3, .. })));
    }
}

#[test]
fn the_digest_sees_priority_size_marks_and_staleness() {
    let digest = |b: &Books| Digest::of_state(b);
    let made = |events: &[EventKind]| {
        let mut b = books();
        applied(&mut b, events);
        b
    };
    let (one, two) = (add(1, Side::Buy, 10, 50), add(2, Side::Buy, 10, 50));
    let base = digest(&made(&[one, two]));
    assert_eq!(digest(&made(&[two, replace(2, 3, 1, 1), one, replace(3, 2, 10, 50)])), base, "history does not matter");
    assert_ne!(digest(&made(&[two, one])), base, "priority does");
    assert_ne!(digest(&made(&[one, two, reduce(2, 1)])), base);
    let mut marked = made(&[one, two]);
    marked.own_add(VenueRef(1), ClientId(1));
    assert_ne!(digest(&marked), base);
    assert_eq!(displayed(&marked), displayed(&made(&[one, two])));
    let mut stale = made(&[one, two]);
    stale.mark_stale(Scope::All, StaleReason::Gap);
    assert_ne!(digest(&stale), base);
}
