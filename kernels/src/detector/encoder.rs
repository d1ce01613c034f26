//! From events of a book to spikes: address events, delta modulation, rates. Always in the lane, for it looks at the book.
//!
//! Its answer to an event is a list of [`Spike`]s for the program's inputs, in which two nodes that no program has say something
//! else: [`RATE`] and [`RESTART`].

use super::file::{ALWAYS, Address, CHANNELS, Channel, Coding, Settings};
use crate::spikes::Spike;
use crate::spikes::encode::Delta;
use firelane_gateway::base::{InstrumentId, Price, Qty, Side, VenueRef};
use firelane_gateway::flow::book::{BookRef, StaleReason, Standing};
use firelane_gateway::flow::event::{Event, EventKind};
use firelane_gateway::flow::signal::Pressure;

/// As a spike's node: the channel `unit` fires in `value` of 65,536 steps from now on.
pub const RATE: u16 = 0xfffe;
/// As a spike's node: what came before is void, for the book was not to be trusted in between. It stands first.
pub const RESTART: u16 = 0xffff;
/// The most that is seen of one event.
pub const MOST: usize = CHANNELS + 2;

/// Kinds of events of a book, as address events have them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// An order enters; of a book of levels: there is more at a price.
    Add,
    /// A resting order trades.
    Execute,
    /// A resting order gets smaller; of a book of levels: there is less at a price.
    Reduce,
    /// A resting order leaves; of a book of levels: nothing is left at a price.
    Delete,
    /// A resting order is replaced by another one.
    Replace,
    /// A trade that no displayed order took part in.
    Trade,
}

impl What {
    /// All, in their order.
    pub const ALL: [What; 6] = [What::Add, What::Execute, What::Reduce, What::Delete, What::Replace, What::Trade];

    /// Its name in a detector's file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            What::Add => "add",
            What::Execute => "execute",
            What::Reduce => "reduce",
            What::Delete => "delete",
            What::Replace => "replace",
            What::Trade => "trade",
        }
    }
}

/// A value of a book, own orders left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feature {
    /// The best bid, in units of the price.
    Bid,
    /// The best ask.
    Ask,
    /// Between the two, rounded down.
    Mid,
    /// From one to the other.
    Spread,
    /// Shares at the best bid.
    BidQty,
    /// Shares at the best ask.
    AskQty,
    /// (bid - ask) / (bid + ask) of these shares, in millionths.
    Imbalance,
    /// The price of the last trade.
    Last,
}

impl Feature {
    /// All.
    pub const ALL: [Feature; 8] = [
        Feature::Bid,
        Feature::Ask,
        Feature::Mid,
        Feature::Spread,
        Feature::BidQty,
        Feature::AskQty,
        Feature::Imbalance,
        Feature::Last,
    ];

    /// Its name in a detector's file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Feature::Bid => "bid",
            Feature::Ask => "ask",
            Feature::Mid => "mid",
            Feature::Spread => "spread",
            Feature::BidQty => "bid_qty",
            Feature::AskQty => "ask_qty",
            Feature::Imbalance => "imbalance",
            Feature::Last => "last",
        }
    }

    /// What it is; `None` while the book does not say.
    fn of(self, book: BookRef<'_>) -> Option<i64> {
        if self == Feature::Last {
            return book.last_trade().map(|(price, _)| price.0);
        }
        let touch = book.touch();
        let both = || touch.bid.zip(touch.ask);
        match self {
            Feature::Bid => touch.bid.map(|bid| bid.price.0),
            Feature::Ask => touch.ask.map(|ask| ask.price.0),
            Feature::Mid => both().map(|(bid, ask)| bid.price.0.saturating_add(ask.price.0) >> 1),
            Feature::Spread => both().map(|(bid, ask)| ask.price.0.saturating_sub(bid.price.0)),
            Feature::BidQty => touch.bid.map(|bid| bid.qty.0),
            Feature::AskQty => touch.ask.map(|ask| ask.qty.0),
            Feature::Imbalance => both().map(|(bid, ask)| Pressure { bid: bid.qty, ask: ask.qty }.millionths()),
            Feature::Last => None,
        }
    }
}

/// Reasons for which events are missing, or a book is wrong. Of a gap or a silence, none is: what was said in it comes before what
/// follows, or is said to be lost.
const DOUBTS: u8 = !(1 << StaleReason::Gap as u8 | 1 << StaleReason::Silent as u8);

/// What an encoder has counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EncoderCounters {
    /// Events that it has seen.
    pub events: u64,
    /// Events that were about own orders: a detector does not see them.
    pub own: u64,
    /// Events of books that were wrong, or had lost some: it does not see them either, and starts over behind them.
    pub stale: u64,
    /// Times that it started over.
    pub restarts: u64,
    /// Events of instruments beyond those that it has room for.
    pub unwatched: u64,
}

firelane_gateway::value! { EncoderCounters { events, own, stale, restarts, unwatched } }

impl EncoderCounters {
    pub(super) fn each(&self, put: &mut dyn FnMut(&'static str, u64)) {
        let EncoderCounters { events, own, stale, restarts, unwatched } = *self;
        put("detector_events", events);
        put("detector_own", own);
        put("detector_stale", stale);
        put("detector_restarts", restarts);
        put("detector_unwatched", unwatched);
    }
}

/// Places of instruments, given out in the order in which they are first seen.
#[derive(Debug)]
pub(super) struct Places {
    /// By instrument, counted from 1; 0: none yet.
    of: Box<[u32]>,
    given: u32,
    most: u32,
}

impl Places {
    pub(super) fn new(instruments: usize, most: usize) -> Self {
        Places { of: vec![0; instruments].into_boxed_slice(), given: 0, most: most.min(instruments) as u32 }
    }

    /// How many there may be.
    pub(super) fn most(&self) -> usize {
        self.most as usize
    }

    pub(super) fn instruments(&self) -> usize {
        self.of.len()
    }

    /// That of an instrument, if it has one.
    #[inline]
    pub(super) fn get(&self, instrument: InstrumentId) -> Option<usize> {
        let place = *self.of.get(instrument.0 as usize)?;
        (place > 0).then(|| (place - 1) as usize)
    }

    /// The same; it is given one if there is one left.
    #[inline]
    pub(super) fn give(&mut self, instrument: InstrumentId) -> Option<usize> {
        let place = self.of.get_mut(instrument.0 as usize)?;
        if *place == 0 {
            if self.given == self.most {
                return None;
            }
            self.given += 1;
            *place = self.given;
        }
        Some((*place - 1) as usize)
    }

    fn sound(&mut self) -> Result<(), firelane_gateway::base::LoadError> {
        let fits = self.given <= self.most && self.of.iter().all(|place| *place <= self.given);
        if fits { Ok(()) } else { Err(firelane_gateway::base::LoadError::BAD) }
    }
}

firelane_gateway::state! { Places { of, given } without { most } then sound }

/// What is kept of an instrument.
#[derive(Debug)]
struct Eye {
    /// Its book is not to be trusted, or was not yet.
    blind: bool,
    /// A value of each channel that is modulated.
    deltas: Box<[Delta]>,
    /// Has a channel said anything?
    begun: Box<[bool]>,
    /// In how many of 65,536 steps each channel fires.
    rates: Box<[u32]>,
}

firelane_gateway::state! { Eye { blind, deltas, begun, rates } }

/// A resting order as it was before the event.
#[derive(Clone, Copy, Debug)]
struct Before {
    side: Side,
    qty: Qty,
    /// Counted from the best, as far as levels are told apart.
    level: u16,
    own: bool,
}

/// From events to what a network hears.
#[derive(Debug)]
pub struct Encoder {
    address: Option<Address>,
    channels: Box<[Channel]>,
    /// Where a kind of event has its units, by its number.
    first: [Option<u32>; What::ALL.len()],
    places: Places,
    eyes: Box<[Eye]>,
    /// Of the event that comes next.
    before: Option<(InstrumentId, Before)>,
    seen: [Spike; MOST],
    counters: EncoderCounters,
}

firelane_gateway::state! {
    Encoder { places, eyes, counters } without { address, channels, first, before, seen }
}

impl Encoder {
    /// For instruments 0 to `instruments` - 1, of which it sees as many as the settings say, those that speak first.
    #[must_use]
    pub fn new(settings: &Settings, instruments: usize) -> Self {
        let places = Places::new(instruments, settings.copies);
        let channels: Box<[Channel]> = settings.channels.clone().into();
        let delta = |channel: &Channel| match channel.coding {
            // Checked with the file; what is not a delta has one that is never asked.
            Coding::Delta { threshold, .. } => Delta::new(1, threshold, 0, None).ok(),
            Coding::Rate { .. } => Delta::new(1, 1, 0, None).ok(),
        };
        let eye = || Eye {
            blind: false,
            deltas: channels.iter().filter_map(delta).collect(),
            begun: vec![false; channels.len()].into_boxed_slice(),
            rates: vec![0; channels.len()].into_boxed_slice(),
        };
        let eyes = (0..places.most()).map(|_| eye()).collect();
        let mut first = [None; What::ALL.len()];
        if let Some(address) = &settings.address {
            let each = (address.units() / address.kinds.len()) as u32;
            for (n, what) in (0..).zip(&address.kinds) {
                first[*what as usize] = Some(each * n);
            }
        }
        let address = settings.address.clone();
        Encoder {
            address,
            channels,
            first,
            places,
            eyes,
            before: None,
            seen: [Spike::default(); MOST],
            counters: EncoderCounters::default(),
        }
    }

    /// For how many instruments it was built.
    #[must_use]
    pub fn instruments(&self) -> usize {
        self.places.instruments()
    }

    /// Books are made anew: events are missing, of any instrument. Each starts over at its next one.
    pub fn on_anew(&mut self) {
        self.eyes.iter_mut().for_each(|eye| eye.blind = true);
    }

    /// What it has counted.
    #[must_use]
    pub fn counters(&self) -> &EncoderCounters {
        &self.counters
    }

    /// Looks at what an event is about, before `book` takes it in.
    #[inline]
    pub fn before(&mut self, instrument: InstrumentId, event: &Event, book: BookRef<'_>) {
        let order = match event.kind {
            EventKind::Execute { order, .. }
            | EventKind::Reduce { order, .. }
            | EventKind::Delete { order }
            | EventKind::Replace { order, .. } => order,
            EventKind::Level { side, price, .. } => {
                let qty = book.level_at(side, price).map_or(Qty::ZERO, |there| there.qty);
                let level = self.level(book, side, price);
                self.before = Some((instrument, Before { side, qty, level, own: false }));
                return;
            }
            _ => {
                self.before = None;
                return;
            }
        };
        self.before = self.standing(book, order).map(|before| (instrument, before));
    }

    /// What of an event a network hears; `None`: nothing, for it is of no use, or not to be seen. Behind
    /// [`before`](Self::before), with the book as it is now.
    pub fn on_event(&mut self, instrument: InstrumentId, event: &Event, book: BookRef<'_>) -> Option<&[Spike]> {
        let before = self.before.take().filter(|(id, _)| *id == instrument).map(|(_, before)| before);
        if matches!(event.kind, EventKind::Clear { .. }) {
            // The venue starts its book over.
            if let Some(eye) = self.places.get(instrument).and_then(|place| self.eyes.get_mut(place)) {
                eye.blind = true;
            }
            return None;
        }
        let (what, found) = self.what(event, before, book)?;
        let Some(place) = self.places.give(instrument) else {
            self.counters.unwatched += 1;
            return None;
        };
        if found.is_some_and(|found| found.own) {
            self.counters.own += 1;
            return None;
        }
        let eye = self.eyes.get_mut(place)?;
        if book.freshness().bits() & DOUBTS != 0 {
            self.counters.stale += 1;
            eye.blind = true;
            return None;
        }
        self.counters.events += 1;
        let mut list = List { of: &mut self.seen, len: 0 };
        if std::mem::take(&mut eye.blind) {
            self.counters.restarts += 1;
            eye.begun.fill(false);
            eye.rates.fill(0);
            list.push(Spike { node: RESTART, unit: 0, value: 0 });
        }
        let first = self.first.get(what as usize).copied().flatten();
        if let (Some(address), Some(first), Some(found)) = (&self.address, first, found) {
            list.push(Spike::of(address.input, address.unit(first, &found)));
        }
        for (n, channel) in self.channels.iter().enumerate() {
            if let Some(value) = channel.of.of(book) {
                eye.look(n, channel, value, &mut list);
            }
        }
        let len = list.len;
        self.seen.get(..len)
    }

    /// Which kind of event it is, and the order or level that it is about. `None`: of no kind that a book makes.
    fn what(&self, event: &Event, before: Option<Before>, book: BookRef<'_>) -> Option<(What, Option<Before>)> {
        Some(match event.kind {
            EventKind::Add { order, .. } => (What::Add, self.standing(book, order)),
            EventKind::Execute { qty, .. } => (What::Execute, before.map(|before| Before { qty, ..before })),
            EventKind::Reduce { qty, .. } => (What::Reduce, before.map(|before| Before { qty, ..before })),
            EventKind::Delete { .. } => (What::Delete, before),
            EventKind::Replace { new, .. } => (What::Replace, self.standing(book, new).or(before)),
            EventKind::Trade { qty, price, .. } => (What::Trade, hidden(book, price, qty)),
            EventKind::Level { side, price, qty, .. } => {
                let was = before.map_or(Qty::ZERO, |before| before.qty);
                let what = match qty {
                    Qty(0) => What::Delete,
                    more if more >= was => What::Add,
                    _ => What::Reduce,
                };
                let level = if what == What::Add { self.level(book, side, price) } else { before?.level };
                let moved = Qty(qty.0.saturating_sub(was.0).saturating_abs());
                (what, Some(Before { side, qty: moved, level, own: false }))
            }
            _ => return None,
        })
    }

    /// How many levels are told apart.
    fn levels(&self) -> u16 {
        self.address.as_ref().map_or(0, |address| address.levels)
    }

    /// An order that rests in the book.
    #[inline]
    fn standing(&self, book: BookRef<'_>, order: VenueRef) -> Option<Before> {
        let Standing { side, qty, own, better } = book.standing(order, self.levels().into())?;
        Some(Before { side, qty, level: better as u16, own })
    }

    /// How far a price is from the best, in levels that there are. What is deeper than is told apart is one.
    fn level(&self, book: BookRef<'_>, side: Side, price: Price) -> u16 {
        book.better_levels(side, price, self.levels().into()) as u16
    }
}

impl Address {
    /// The unit of something seen, of a kind whose units begin at `first`.
    #[inline]
    fn unit(&self, first: u32, seen: &Before) -> u16 {
        let side = u32::from(self.sides && seen.side == Side::Sell);
        let level = u32::from(seen.level.min(self.levels));
        let size = self.sizes.iter().take_while(|bound| seen.qty.0 >= **bound).count() as u32;
        let (levels, sizes) = (u32::from(self.levels) + 1, self.sizes.len() as u32 + 1);
        (first + (side * levels + level) * sizes + size) as u16
    }
}

impl Eye {
    /// A channel's value, and what it makes.
    #[inline]
    fn look(&mut self, n: usize, channel: &Channel, value: i64, list: &mut List<'_>) {
        match channel.coding {
            Coding::Delta { graded, .. } => {
                let (Some(delta), Some(begun)) = (self.deltas.get_mut(n), self.begun.get_mut(n)) else { return };
                let moved = delta.encode(0, value);
                // The first value is where it begins, and no move.
                if std::mem::replace(begun, true) && moved != 0 {
                    let unit = channel.unit + u16::from(moved < 0);
                    let value = if graded { moved.saturating_abs() } else { 1 };
                    list.push(Spike { node: channel.input, unit, value });
                }
            }
            Coding::Rate { low, high, .. } => {
                let Some(last) = self.rates.get_mut(n) else { return };
                let part = i128::from(value.saturating_sub(low)) * i128::from(ALWAYS) / i128::from(high - low);
                let rate = part.clamp(0, i128::from(ALWAYS)) as u32;
                if std::mem::replace(last, rate) != rate {
                    list.push(Spike { node: RATE, unit: n as u16, value: rate as i32 });
                }
            }
        }
    }
}

/// Where a trade met a hidden order: at or above the middle of the book, one to sell.
fn hidden(book: BookRef<'_>, price: Price, qty: Qty) -> Option<Before> {
    let mid = Feature::Mid.of(book)?;
    let side = if price.0 > mid { Side::Sell } else { Side::Buy };
    Some(Before { side, qty, level: 0, own: false })
}

struct List<'a> {
    of: &'a mut [Spike; MOST],
    len: usize,
}

impl List<'_> {
    #[inline]
    fn push(&mut self, spike: Spike) {
        if let Some(place) = self.of.get_mut(self.len) {
            *place = spike;
            self.len += 1;
        }
    }
}
