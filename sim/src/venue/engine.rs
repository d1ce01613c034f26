//! Price-time matching of many instruments in one thread, on a clock that is passed in.
//!
//! Everything that happens is said twice: to the owners, as [`Effect`]s returned in order, and to everyone, as ITCH
//! messages on the [`Tape`]. Nothing depends on the order of a hash map, so the same calls give the same bytes.

use super::announce::{Line, Tape};
use super::auction;
use super::book::{Book, Order};
use super::market::{
    BreakReason, CancelReason, CrossKind, Effect, Life, Liquidity, Market, NewOrder, Owner, Prevention, Refusal,
    SelfMatch, What,
};
use firelane_gateway::base::{ExchangeTime, Price, Side, Symbol, VenueRef};
use std::collections::{BTreeMap, BTreeSet};

/// Highest limit of an order: 199,999.99 dollars ("OUCH 5.0", "Price").
pub const HIGHEST_PRICE: Price = Price(1_999_999_900);

/// One instrument of the venue. Its locate number is its place in the configuration, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listing {
    /// Symbol.
    pub symbol: Symbol,
    /// Shares in a round lot.
    pub lot: u32,
    /// A test symbol: orders in it are not for real money.
    pub test: bool,
}

impl Listing {
    /// An ordinary stock with lots of 100.
    #[must_use]
    pub fn stock(symbol: Symbol) -> Self {
        Listing { symbol, lot: 100, test: false }
    }
}

/// What an engine is built from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EngineConfig {
    /// Instruments; one listed twice is an error.
    pub listings: Vec<Listing>,
    /// The first order reference is above it.
    pub first_reference: u64,
    /// References ascend by 1 to this: the venue numbers more than it publishes, so what is published has gaps.
    pub reference_gap: u64,
    /// Seed of the gaps.
    pub seed: u64,
}

impl EngineConfig {
    /// Stocks by name, with references as sparse as a real day's.
    #[must_use]
    pub fn new(symbols: &[Symbol]) -> Self {
        let listings = symbols.iter().copied().map(Listing::stock).collect();
        EngineConfig { listings, first_reference: 0, reference_gap: 64, seed: 0 }
    }
}

/// Where the trading day stands. The discriminant is the ITCH event code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Phase {
    /// Before the first message.
    Before = 0,
    /// Messages began: the directory is published.
    Messages = b'O',
    /// System hours: orders are taken, before market hours.
    System = b'S',
    /// Market hours.
    Market = b'Q',
    /// System hours, after market hours.
    After = b'M',
    /// System hours are over.
    Ended = b'E',
    /// The last message is out.
    Done = b'C',
}

/// Trading state of an instrument. The discriminant is the ITCH code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum TradingState {
    /// Halted: no orders but those for the halt cross.
    Halted = b'H',
    /// Paused: as halted.
    Paused = b'P',
    /// Orders rest and do not trade, until the cross that ends the period.
    QuotationOnly = b'Q',
    /// Continuous trading.
    Trading = b'T',
}

/// A trade, for breaking and for reconciliation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TradeRecord {
    /// Instrument.
    pub symbol: Symbol,
    /// Price.
    pub price: Price,
    /// Who traded how many shares on which side.
    pub parties: Vec<Party>,
    /// Has it been broken?
    pub broken: bool,
}

/// One side of a trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Party {
    /// Whose order.
    pub owner: Option<Owner>,
    /// The order.
    pub reference: VenueRef,
    /// Its side.
    pub side: Side,
    /// Shares.
    pub shares: u32,
}

/// An order as the reconciliation sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resting {
    /// Reference.
    pub reference: VenueRef,
    /// Owner.
    pub owner: Option<Owner>,
    /// Side.
    pub side: Side,
    /// Limit.
    pub price: Price,
    /// Open shares.
    pub shares: u32,
    /// Not displayed.
    pub hidden: bool,
}

/// Best displayed bid and offer: price and level size.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Top {
    /// Bid.
    pub bid: Option<(Price, u64)>,
    /// Offer.
    pub ask: Option<(Price, u64)>,
}

#[derive(Debug)]
struct Instrument {
    line: Line,
    lot: u32,
    test: bool,
    state: TradingState,
    reason: [u8; 4],
    /// `None`: never halted by this market, hence never said.
    operational_halt: Option<bool>,
    reg_sho: u8,
    frozen: BTreeSet<CrossKind>,
    last: Option<Price>,
    book: Book,
}

/// The matching engine.
#[derive(Debug)]
pub struct Engine {
    instruments: Vec<Instrument>,
    by_symbol: BTreeMap<Symbol, usize>,
    /// In which book an order is.
    whereabouts: BTreeMap<VenueRef, usize>,
    trades: BTreeMap<u64, TradeRecord>,
    phase: Phase,
    tape: Tape,
    reference_gap: u64,
    last_reference: u64,
    last_trade: u64,
    noise: u64,
}

/// Price step: a cent from one dollar up, a hundredth of a cent below (Regulation NMS, rule 612).
#[must_use]
pub fn tick(price: Price) -> i64 {
    if price.0 >= 10_000 { 100 } else { 1 }
}

impl Engine {
    /// An engine before its day begins.
    ///
    /// # Panics
    /// When an instrument is listed twice, or there are more than ITCH can number.
    #[must_use]
    pub fn new(config: &EngineConfig) -> Self {
        let mut by_symbol = BTreeMap::new();
        let mut instruments = Vec::new();
        for (at, listing) in config.listings.iter().enumerate() {
            let locate = u16::try_from(at + 1).expect("ITCH numbers instruments with 16 bits");
            let twice = by_symbol.insert(listing.symbol, at);
            assert!(twice.is_none(), "{} is listed twice", listing.symbol);
            instruments.push(Instrument {
                line: Line { locate, symbol: listing.symbol },
                lot: listing.lot,
                test: listing.test,
                state: TradingState::Trading,
                reason: *b"    ",
                operational_halt: None,
                reg_sho: b'0',
                frozen: BTreeSet::new(),
                last: None,
                book: Book::default(),
            });
        }
        Engine {
            instruments,
            by_symbol,
            whereabouts: BTreeMap::new(),
            trades: BTreeMap::new(),
            phase: Phase::Before,
            tape: Tape::default(),
            reference_gap: config.reference_gap.max(1),
            last_reference: config.first_reference,
            last_trade: 0,
            noise: config.seed,
        }
    }

    // ---- The day ---------------------------------------------------------------------------------------------

    /// The day moves on. `Messages` publishes the directory; `Market` runs the opening crosses; `After` runs the
    /// closing crosses and ends the day orders; `Ended` ends all orders.
    pub fn set_phase(&mut self, now: ExchangeTime, phase: Phase, effects: &mut Vec<Effect>) {
        if phase == Phase::After {
            self.run_crosses(now, CrossKind::Close, effects);
        }
        self.phase = phase;
        self.tape.event(now, phase as u8);
        match phase {
            Phase::Messages => self.publish_directory(now),
            Phase::Market => self.run_crosses(now, CrossKind::Open, effects),
            Phase::After => self.end_orders(now, |order| matches!(order.life, Life::Day | Life::Immediate), effects),
            Phase::Ended => self.end_orders(now, |_| true, effects),
            Phase::Before | Phase::System | Phase::Done => {}
        }
    }

    /// Where the day stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    fn publish_directory(&mut self, now: ExchangeTime) {
        for i in &self.instruments {
            self.tape.directory(now, i.line, i.lot, if i.test { b'T' } else { b'P' });
        }
        for i in &self.instruments {
            self.tape.trading_state(now, i.line, i.state as u8, i.reason);
            self.tape.reg_sho(now, i.line, i.reg_sho);
        }
    }

    fn end_orders(&mut self, now: ExchangeTime, over: impl Fn(&Order) -> bool, effects: &mut Vec<Effect>) {
        let books = self.instruments.iter().flat_map(|i| i.book.all());
        let ended: Vec<VenueRef> = books.filter(|(_, order)| over(order)).map(|(reference, _)| reference).collect();
        for reference in ended {
            let _ = self.reduce(now, reference, 0, CancelReason::Closed, effects);
        }
    }

    // ---- The instruments -------------------------------------------------------------------------------------

    /// Sets the trading state. Trading that begins with a crossed book, or with orders for the halt cross, begins
    /// with that cross.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn set_state(
        &mut self,
        now: ExchangeTime,
        symbol: Symbol,
        state: TradingState,
        reason: [u8; 4],
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let at = self.find(symbol)?;
        let i = &mut self.instruments[at];
        (i.state, i.reason) = (state, reason);
        self.tape.trading_state(now, i.line, state as u8, reason);
        let waits = i.book.all().any(|(_, order)| order.cross == Some(CrossKind::Halt));
        if state == TradingState::Trading && (waits || i.book.is_crossed()) {
            self.run_cross(now, at, CrossKind::Halt, effects);
        }
        Ok(())
    }

    /// This market's own halt begins or ends; the primary market's state stays.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn set_operational_halt(&mut self, now: ExchangeTime, symbol: Symbol, halted: bool) -> Result<(), Refusal> {
        let at = self.find(symbol)?;
        self.instruments[at].operational_halt = Some(halted);
        self.tape.operational(now, self.instruments[at].line, halted);
        Ok(())
    }

    /// Sets the Regulation SHO price test: `0` off, `1` after an intraday drop, `2` remains.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn set_reg_sho(&mut self, now: ExchangeTime, symbol: Symbol, action: u8) -> Result<(), Refusal> {
        let at = self.find(symbol)?;
        self.instruments[at].reg_sho = action;
        self.tape.reg_sho(now, self.instruments[at].line, action);
        Ok(())
    }

    /// From now on until the cross, orders for it can neither join nor leave.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn freeze(&mut self, symbol: Symbol, kind: CrossKind) -> Result<(), Refusal> {
        let at = self.find(symbol)?;
        self.instruments[at].frozen.insert(kind);
        Ok(())
    }

    /// Publishes an informational ITCH message (imbalance, breaker, collar, retail interest) as it is.
    pub fn publish(&mut self, message: &[u8]) {
        self.tape.raw(message);
    }

    /// The instruments, in the order of their locate numbers.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol> {
        self.instruments.iter().map(|i| i.line.symbol)
    }

    fn find(&self, symbol: Symbol) -> Result<usize, Refusal> {
        self.by_symbol.get(&symbol).copied().ok_or(Refusal::UnknownSymbol)
    }

    // ---- What others read ------------------------------------------------------------------------------------

    /// The ITCH messages since the last call, in order, for the publisher to sequence.
    pub fn take_messages(&mut self) -> Vec<Vec<u8>> {
        self.tape.take()
    }

    /// What a Glimpse snapshot of this moment holds, without its last message: the day's phase, the directory, the
    /// states, and every displayed order in priority order with its remaining shares.
    #[must_use]
    pub fn snapshot(&self, now: ExchangeTime) -> Vec<Vec<u8>> {
        let mut tape = Tape::default();
        if self.phase != Phase::Before {
            tape.event(now, self.phase as u8);
        }
        for i in &self.instruments {
            tape.directory(now, i.line, i.lot, if i.test { b'T' } else { b'P' });
        }
        for i in &self.instruments {
            tape.trading_state(now, i.line, i.state as u8, i.reason);
            tape.reg_sho(now, i.line, i.reg_sho);
            if let Some(halted) = i.operational_halt {
                tape.operational(now, i.line, halted);
            }
        }
        for i in &self.instruments {
            for side in [Side::Buy, Side::Sell] {
                for shown in i.book.queue(side).filter_map(|(reference, order)| order.shown(reference)) {
                    tape.add(now, i.line, shown);
                }
            }
        }
        tape.take()
    }

    /// The continuous book of a symbol: bids, then asks, each in priority order, hidden orders included.
    #[must_use]
    pub fn book(&self, symbol: Symbol) -> Vec<Resting> {
        let Ok(at) = self.find(symbol) else { return Vec::new() };
        let book = &self.instruments[at].book;
        let both = book.queue(Side::Buy).chain(book.queue(Side::Sell));
        both.filter_map(|(reference, o)| {
            let price = o.limit?;
            Some(Resting { reference, owner: o.owner, side: o.side, price, shares: o.open, hidden: o.hidden })
        })
        .collect()
    }

    /// Best displayed bid and offer with level sizes.
    #[must_use]
    pub fn top(&self, symbol: Symbol) -> Top {
        let Ok(at) = self.find(symbol) else { return Top::default() };
        let book = &self.instruments[at].book;
        Top { bid: book.top(Side::Buy), ask: book.top(Side::Sell) }
    }

    /// One order, in the book or waiting for an auction.
    #[must_use]
    pub fn order(&self, reference: VenueRef) -> Option<&Order> {
        self.instruments[*self.whereabouts.get(&reference)?].book.get(reference)
    }

    /// Every trade of the day by match number.
    #[must_use]
    pub fn trades(&self) -> &BTreeMap<u64, TradeRecord> {
        &self.trades
    }

    /// The price of the last trade.
    #[must_use]
    pub fn last(&self, symbol: Symbol) -> Option<Price> {
        self.instruments[self.find(symbol).ok()?].last
    }

    /// Does the instrument match orders now?
    #[must_use]
    pub fn is_continuous(&self, symbol: Symbol) -> bool {
        self.find(symbol).is_ok_and(|at| self.continuous(at))
    }

    /// What must be true between any two calls.
    ///
    /// # Errors
    /// What is not.
    pub fn check(&self) -> Result<(), String> {
        let mut orders = 0;
        for (at, i) in self.instruments.iter().enumerate() {
            i.book.check().map_err(|what| format!("{}: {what}", i.line.symbol))?;
            if self.continuous(at) && i.book.is_crossed() {
                return Err(format!("{}: crossed in continuous trading", i.line.symbol));
            }
            for (reference, _) in i.book.all() {
                orders += 1;
                if self.whereabouts.get(&reference) != Some(&at) {
                    return Err(format!("{reference:?} is in {} and not known there", i.line.symbol));
                }
            }
        }
        if orders != self.whereabouts.len() {
            return Err(format!("{orders} orders, {} known", self.whereabouts.len()));
        }
        let sides = |trade: &TradeRecord, side| -> u64 {
            trade.parties.iter().filter(|p| p.side == side).map(|p| u64::from(p.shares)).sum()
        };
        match self.trades.iter().find(|(_, t)| sides(t, Side::Buy) != sides(t, Side::Sell)) {
            Some((trade, _)) => Err(format!("trade {trade}: bought is not sold")),
            None => Ok(()),
        }
    }

    // ---- Matching --------------------------------------------------------------------------------------------

    fn continuous(&self, at: usize) -> bool {
        let i = &self.instruments[at];
        let hours = matches!(self.phase, Phase::System | Phase::Market | Phase::After);
        hours && i.state == TradingState::Trading && i.operational_halt != Some(true)
    }

    /// May the order enter, and at which limit? The second value says whether the limit had to be moved.
    fn admit(&self, order: &NewOrder) -> Result<(usize, Option<Price>, bool), Refusal> {
        let at = self.find(order.symbol)?;
        let i = &self.instruments[at];
        let bad_price = |p: Price| p.0 <= 0 || p > HIGHEST_PRICE || p.0 % tick(p) != 0;
        if order.shares == 0 || order.limit.is_some_and(bad_price) {
            return Err(Refusal::Invalid);
        }
        if let Some(kind) = order.cross {
            let taken = matches!(self.phase, Phase::System | Phase::Market | Phase::After);
            let over = !taken || (kind == CrossKind::Open && self.phase != Phase::System) || self.phase == Phase::After;
            return match (over, i.frozen.contains(&kind)) {
                (true, _) => Err(Refusal::Closed),
                (_, true) => Err(Refusal::LateForCross),
                _ => Ok((at, order.limit, false)),
            };
        }
        let open = match order.life {
            Life::Day | Life::Immediate => self.phase == Phase::Market,
            Life::Extended => matches!(self.phase, Phase::System | Phase::Market | Phase::After),
            Life::AfterHours => self.phase == Phase::After,
        };
        if !open {
            return Err(Refusal::Closed);
        }
        if matches!(i.state, TradingState::Halted | TradingState::Paused) || i.operational_halt == Some(true) {
            return Err(Refusal::Halted);
        }
        let restricted = order.short && order.side == Side::Sell && i.reg_sho != b'0';
        match i.book.top(Side::Buy).filter(|_| restricted) {
            Some((bid, _)) if order.limit.is_none_or(|limit| limit <= bid) => {
                if order.limit.is_none() || order.life == Life::Immediate {
                    return Err(Refusal::ShortSaleRestricted);
                }
                // A short sale must be above the bid: it is moved to the nearest price that is.
                let above = bid.offset(tick(bid));
                if above > HIGHEST_PRICE { Err(Refusal::ShortSaleRestricted) } else { Ok((at, Some(above), true)) }
            }
            _ => Ok((at, order.limit, false)),
        }
    }

    fn next_reference(&mut self) -> VenueRef {
        // SplitMix64: the gaps need to look irregular, nothing more.
        self.noise = self.noise.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.noise ^ (self.noise >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        self.last_reference += 1 + (mixed >> 31) % self.reference_gap;
        VenueRef(self.last_reference)
    }

    fn next_trade(&mut self) -> u64 {
        self.last_trade += 1;
        self.last_trade
    }

    fn rest(&mut self, at: usize, reference: VenueRef, order: Order) {
        self.instruments[at].book.insert(reference, order);
        self.whereabouts.insert(reference, at);
    }

    fn unrest(&mut self, reference: VenueRef) -> Option<(usize, Order)> {
        let at = self.whereabouts.remove(&reference)?;
        Some((at, self.instruments[at].book.remove(reference)?))
    }

    /// Takes shares off a resting order without a word to anyone.
    fn shrink(&mut self, at: usize, reference: VenueRef, shares: u32) -> u32 {
        let left = self.instruments[at].book.reduce(reference, shares);
        if left == 0 {
            self.whereabouts.remove(&reference);
        }
        left
    }

    /// An admitted order goes to work: waits for its auction, trades, rests, or is gone. `original` is the order
    /// that it replaces, already out of the book, and whether that one was displayed.
    fn work(
        &mut self,
        now: ExchangeTime,
        (at, limit, conformed): (usize, Option<Price>, bool),
        new: NewOrder,
        original: Option<(VenueRef, Order)>,
        effects: &mut Vec<Effect>,
    ) {
        let reference = self.next_reference();
        let line = self.instruments[at].line;
        let mut order = Order {
            owner: new.owner,
            side: new.side,
            limit,
            open: new.shares,
            hidden: new.hidden,
            attributed: new.attributed,
            life: new.life,
            self_match: new.self_match,
            cross: new.cross,
        };
        let continuous = self.continuous(at);
        let marketable = order.cross.is_none() && continuous && self.contra(at, &order).is_some();
        let immediate = order.cross.is_none() && (order.life == Life::Immediate || order.limit.is_none());
        let live = marketable || !immediate || !continuous;
        let say = |what| Effect { owner: order.owner, reference, what };
        effects.push(say(What::Entered {
            shares: order.open,
            limit,
            conformed,
            live,
            replaces: original.map(|(reference, _)| reference),
        }));

        let was = original.and_then(|(reference, original)| original.shown(reference));
        let rests = !marketable && !immediate;
        if let (Some(was), true, Some(shown)) = (was, rests, order.shown(reference))
            && was.attributed == shown.attributed
        {
            self.tape.replaced(now, line, was.reference, shown);
            self.rest(at, reference, order);
            return;
        }
        if let Some(was) = was {
            self.tape.deleted(now, line, was.reference);
        }
        let canceled = if marketable && new.post_only {
            Some(CancelReason::PostOnly)
        } else {
            if marketable {
                self.take(now, at, reference, &mut order, effects);
            }
            match immediate {
                true if continuous => Some(CancelReason::Immediate),
                true => Some(CancelReason::Halted),
                false => None,
            }
        };
        match canceled {
            _ if order.open == 0 || !live => {}
            Some(reason) => {
                effects.push(Effect {
                    owner: order.owner,
                    reference,
                    what: What::Canceled { shares: order.open, reason },
                });
            }
            None => {
                if let Some(shown) = order.shown(reference) {
                    self.tape.add(now, line, shown);
                }
                self.rest(at, reference, order);
            }
        }
    }

    /// The resting order that `order` would trade with next.
    fn contra(&self, at: usize, order: &Order) -> Option<(VenueRef, Order, Price)> {
        let (reference, resting) = self.instruments[at].book.best(order.side.opposite())?;
        let price = resting.limit?;
        let trades = order.limit.is_none_or(|limit| order.side.crosses(limit, price));
        trades.then_some((reference, resting, price))
    }

    /// Trades `order` against the book for as long as it crosses, each time at the resting order's price.
    fn take(
        &mut self,
        now: ExchangeTime,
        at: usize,
        reference: VenueRef,
        order: &mut Order,
        effects: &mut Vec<Effect>,
    ) {
        while order.open > 0 {
            let Some((maker, resting, price)) = self.contra(at, order) else { break };
            let shares = order.open.min(resting.open);
            let added = if resting.hidden { Liquidity::AddedHidden } else { Liquidity::Added };
            let same_house = |own: &SelfMatch| resting.self_match.is_some_and(|other| other.house == own.house);
            if let Some(action) = order.self_match.filter(same_house).and_then(|own| own.action) {
                let (from_maker, from_taker) = match action {
                    Prevention::DecrementBoth | Prevention::DecrementBothPlain => (shares, shares),
                    Prevention::CancelOldest => (resting.open, 0),
                    Prevention::CancelNewest => (0, order.open),
                };
                let prevented =
                    |decrement, liquidity| What::Prevented { decrement, prevented: shares, price, liquidity, action };
                if from_maker > 0 {
                    self.withdraw(now, at, maker, from_maker);
                    effects.push(Effect { owner: resting.owner, reference: maker, what: prevented(from_maker, added) });
                }
                if from_taker > 0 {
                    order.open -= from_taker;
                    let what = prevented(from_taker, Liquidity::Removed);
                    effects.push(Effect { owner: order.owner, reference, what });
                }
                continue;
            }
            let trade = self.next_trade();
            let line = self.instruments[at].line;
            if resting.hidden {
                self.tape.hidden_trade(now, line, shares, price, trade);
            } else {
                self.tape.executed(now, line, maker, shares, trade);
            }
            self.shrink(at, maker, shares);
            order.open -= shares;
            self.instruments[at].last = Some(price);
            let executed = |liquidity| What::Executed { shares, price, trade, liquidity };
            effects.push(Effect { owner: resting.owner, reference: maker, what: executed(added) });
            effects.push(Effect { owner: order.owner, reference, what: executed(Liquidity::Removed) });
            let parties = vec![
                Party { owner: resting.owner, reference: maker, side: resting.side, shares },
                Party { owner: order.owner, reference, side: order.side, shares },
            ];
            self.trades.insert(trade, TradeRecord { symbol: line.symbol, price, parties, broken: false });
        }
    }

    /// Takes shares off a resting order and tells everyone, but not its owner.
    fn withdraw(&mut self, now: ExchangeTime, at: usize, reference: VenueRef, shares: u32) {
        let i = &self.instruments[at];
        let line = i.line;
        let displayed = i.book.get(reference).and_then(|order| order.shown(reference)).is_some();
        let left = self.shrink(at, reference, shares);
        match left {
            _ if !displayed => {}
            0 => self.tape.deleted(now, line, reference),
            _ => self.tape.reduced(now, line, reference, shares),
        }
    }

    // ---- Auctions --------------------------------------------------------------------------------------------

    fn run_crosses(&mut self, now: ExchangeTime, kind: CrossKind, effects: &mut Vec<Effect>) {
        for at in 0..self.instruments.len() {
            let i = &self.instruments[at];
            let interest = i.book.is_crossed() || i.book.all().any(|(_, order)| order.cross == Some(kind));
            if i.state != TradingState::Trading {
                self.dissolve_cross(now, at, kind, CancelReason::Halted, effects);
            } else if interest {
                self.run_cross(now, at, kind, effects);
            }
        }
    }

    /// The auction is over: what was only for it is cancelled.
    fn dissolve_cross(
        &mut self,
        now: ExchangeTime,
        at: usize,
        kind: CrossKind,
        reason: CancelReason,
        effects: &mut Vec<Effect>,
    ) {
        self.instruments[at].frozen.remove(&kind);
        let book = self.instruments[at].book.all();
        let over: Vec<VenueRef> = book.filter(|(_, order)| order.cross == Some(kind)).map(|(r, _)| r).collect();
        for reference in over {
            let _ = self.reduce(now, reference, 0, reason, effects);
        }
    }

    /// One price for everyone: orders for this cross and the continuous book trade the largest volume that they
    /// can. What was only for the cross and did not trade is cancelled.
    fn run_cross(&mut self, now: ExchangeTime, at: usize, kind: CrossKind, effects: &mut Vec<Effect>) {
        let trade = self.next_trade();
        let i = &self.instruments[at];
        let line = i.line;
        let takes_part = |order: &Order| order.cross.is_none_or(|cross| cross == kind);
        let interest: Vec<(VenueRef, Order)> =
            i.book.all().filter(|(_, order)| takes_part(order)).map(|(reference, order)| (reference, *order)).collect();
        let result = auction::uncross(&interest, i.last);
        let liquidity = match kind {
            CrossKind::Open => Liquidity::OpeningCross,
            CrossKind::Close => Liquidity::ClosingCross,
            CrossKind::Halt => Liquidity::HaltCross,
        };
        let mut parties = Vec::new();
        for (reference, order, shares) in result.fills {
            let price = result.price;
            if order.shown(reference).is_some() {
                self.tape.executed_in_cross(now, line, reference, (shares, price), trade);
            }
            self.shrink(at, reference, shares);
            parties.push(Party { owner: order.owner, reference, side: order.side, shares });
            let what = What::Executed { shares, price, trade, liquidity };
            effects.push(Effect { owner: order.owner, reference, what });
        }
        self.tape.cross(now, line, kind, (result.shares, result.price), trade);
        if result.shares > 0 {
            let (symbol, price) = (line.symbol, result.price);
            self.instruments[at].last = Some(price);
            self.trades.insert(trade, TradeRecord { symbol, price, parties, broken: false });
        }
        self.dissolve_cross(now, at, kind, CancelReason::Immediate, effects);
    }
}

impl Market for Engine {
    fn enter(&mut self, now: ExchangeTime, order: NewOrder, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let admitted = self.admit(&order)?;
        self.work(now, admitted, order, None, effects);
        Ok(())
    }

    fn replace(
        &mut self,
        now: ExchangeTime,
        original: VenueRef,
        order: NewOrder,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let old = self.order(original).ok_or(Refusal::UnknownOrder)?;
        let admitted = self.admit(&order)?;
        // A replacement inherits what ITCH's U cannot say.
        if old.side != order.side || self.whereabouts.get(&original) != Some(&admitted.0) {
            return Err(Refusal::Invalid);
        }
        let (_, old) = self.unrest(original).ok_or(Refusal::UnknownOrder)?;
        self.work(now, admitted, order, Some((original, old)), effects);
        Ok(())
    }

    fn reduce(
        &mut self,
        now: ExchangeTime,
        order: VenueRef,
        open: u32,
        reason: CancelReason,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let at = *self.whereabouts.get(&order).ok_or(Refusal::UnknownOrder)?;
        let resting = *self.instruments[at].book.get(order).ok_or(Refusal::UnknownOrder)?;
        let shares = resting.open.saturating_sub(open);
        if shares > 0 {
            self.withdraw(now, at, order, shares);
            effects.push(Effect { owner: resting.owner, reference: order, what: What::Canceled { shares, reason } });
        }
        Ok(())
    }

    fn is_frozen(&self, order: VenueRef) -> bool {
        let Some(&at) = self.whereabouts.get(&order) else { return false };
        let i = &self.instruments[at];
        i.book.get(order).and_then(|order| order.cross).is_some_and(|kind| i.frozen.contains(&kind))
    }

    fn reprioritise(&mut self, now: ExchangeTime, order: VenueRef, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let in_book = self.order(order).filter(|order| order.cross.is_none()).and_then(|order| order.limit);
        let price = in_book.ok_or(Refusal::UnknownOrder)?;
        let (at, resting) = self.unrest(order).ok_or(Refusal::UnknownOrder)?;
        let reference = self.next_reference();
        if let Some(shown) = resting.shown(reference) {
            self.tape.replaced(now, self.instruments[at].line, order, shown);
        }
        self.rest(at, reference, resting);
        let what = What::Reprioritised { price };
        effects.push(Effect { owner: resting.owner, reference, what });
        Ok(())
    }

    fn break_trade(
        &mut self,
        now: ExchangeTime,
        trade: u64,
        reason: BreakReason,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let record = self.trades.get_mut(&trade).filter(|record| !record.broken).ok_or(Refusal::UnknownOrder)?;
        record.broken = true;
        let (symbol, parties) = (record.symbol, record.parties.clone());
        let at = self.find(symbol)?;
        self.tape.broken(now, self.instruments[at].line, trade);
        for party in parties {
            effects.push(Effect {
                owner: party.owner,
                reference: party.reference,
                what: What::Broken { trade, reason },
            });
        }
        Ok(())
    }
}
