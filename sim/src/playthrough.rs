//! A recorded day as a market: its messages go out as they are, and own orders fill virtually against its book.
//!
//! A recording can't react. So own orders change nothing in it, are not published, and never meet one another; what
//! would have happened to each is told from what the recording shows. The rules, of which `aapl_passive_fills.csv`
//! is the reference for resting orders:
//!
//! * **A taker** takes displayed size, best price first, order by order, each at its own price. Shares that it took
//!   from a recorded order are gone for all takers for as long as that order stands: a recorded execution or cancel
//!   of it frees none. New size comes only with a new reference (an add, or a replace). What is left rests, or is
//!   cancelled if it may not rest.
//! * **A resting order** joins behind every recorded order that is displayed at its price. Executions, cancels,
//!   deletes and replaces of those shorten its queue; what happens behind it does not. When nothing is left before it
//!   at its price:
//!   - an execution at its price fills it, up to the executed size (several own orders share it in their order);
//!   - a recorded order that comes in on the other side at its price or through it fills it, up to that size, as it
//!     would have traded instead of being displayed.
//! * **A trade-through**, an execution of its side at a worse price than its own, fills it in full, whatever its queue
//!   was. That includes the order that stands alone in front of the recorded best, inside the spread: whoever hit the
//!   best would have hit it first.
//! * **A replaced order** goes behind the queue as it is then.
//! * **A hidden order** ranks behind everything displayed at its price, what comes later included.
//! * **Hidden trades** (`P`) fill nothing and use up nothing. Which side of them rested is not said, and the reference
//!   leaves them out.
//! * **Auctions.** Own orders take no part in one. Executions that are not printable (they print in the cross, `Q`)
//!   shorten queues and fill nothing; orders that are for an auction only are refused.
//! * **An execution with a price** (`C`) counts for trade-through by the price that it printed at, and for the queue by
//!   the price that the order stood at.
//! * **State** is the recording's: hours (`S`), trading state (`H`; without one a symbol is halted), this market's own
//!   halts (`h`), the short-sale price test (`Y`). Only in continuous trading does an own order trade. Day orders end
//!   with market hours, all orders with system hours.

mod queues;
mod recorded;

pub use recorded::{RecordedDay, opening_of, time_of};

use crate::venue::announce::{Line, Shown, Tape};
use crate::venue::engine::{HIGHEST_PRICE, Phase, Resting, TradingState, tick};
use crate::venue::market::{
    BreakReason, CancelReason, Effect, Life, Liquidity, Market, NewOrder, Owner, Refusal, What,
};
use firelane_gateway::base::{ExchangeTime, Price, Side, Symbol, VenueRef};
use firelane_gateway::flow::wire::itch50::{self, Message, codes};
use queues::{Queues, Rank};
use std::collections::BTreeMap;

/// Own orders and virtual trades are numbered from here, where no recorded day's numbers reach.
pub const OWN: u64 = 1 << 63;

/// An order of the recording.
#[derive(Clone, Copy, Debug)]
struct Recorded {
    instrument: usize,
    side: Side,
    price: Price,
    shares: u32,
    /// Shares that own orders have traded with.
    taken: u32,
    /// The name it shows.
    attributed: Option<[u8; 4]>,
    rank: Rank,
}

/// An own order at rest.
#[derive(Clone, Copy, Debug)]
struct Own {
    instrument: usize,
    owner: Option<Owner>,
    side: Side,
    limit: Price,
    open: u32,
    hidden: bool,
    life: Life,
    rank: Rank,
}

#[derive(Debug)]
struct Instrument {
    line: Line,
    /// The latest message of each type that a snapshot repeats: `R`, then `H`, `Y`, `h`.
    directory: Option<Vec<u8>>,
    states: BTreeMap<u8, Vec<u8>>,
    recorded: Queues,
    own: Queues,
    state: TradingState,
    operational_halt: bool,
    short_restricted: bool,
}

impl Instrument {
    /// As before its first message: a symbol with no trading action is halted ("TotalView-ITCH 5.0", "H
    /// State").
    fn new(line: Line) -> Self {
        Instrument {
            line,
            directory: None,
            states: BTreeMap::new(),
            recorded: Queues::default(),
            own: Queues::default(),
            state: TradingState::Halted,
            operational_halt: false,
            short_restricted: false,
        }
    }
}

/// The recorded day, and the own orders in it.
#[derive(Debug)]
pub struct Playthrough {
    /// Whose operational halts matter: `Q` Nasdaq, `B` BX, `X` PSX.
    market: u8,
    phase: Phase,
    /// The latest `S`.
    event: Option<Vec<u8>>,
    instruments: Vec<Instrument>,
    by_symbol: BTreeMap<Symbol, usize>,
    recorded: BTreeMap<VenueRef, Recorded>,
    own: BTreeMap<VenueRef, Own>,
    /// Virtual trades that are not broken.
    trades: BTreeMap<u64, (Option<Owner>, VenueRef)>,
    arrivals: u64,
    last_reference: u64,
    last_trade: u64,
}

impl Playthrough {
    /// A day before its first message, on the market of this code (see [`codes::market`]).
    #[must_use]
    pub fn new(market: u8) -> Self {
        Playthrough {
            market,
            phase: Phase::Before,
            event: None,
            instruments: Vec::new(),
            by_symbol: BTreeMap::new(),
            recorded: BTreeMap::new(),
            own: BTreeMap::new(),
            trades: BTreeMap::new(),
            arrivals: 0,
            last_reference: OWN,
            last_trade: OWN,
        }
    }

    // ---- The recording ---------------------------------------------------------------------------------------------

    /// The recording goes on by one message, which everyone is sent as it is. What it does to own orders is added to
    /// `effects`. A message that can't be read, or is about an order that the recording has not, does nothing.
    pub fn on_message(&mut self, message: &[u8], effects: &mut Vec<Effect>) {
        let Ok(read) = itch50::decode(message) else { return };
        let locate = read.header().stock_locate.get();
        match read {
            Message::SystemEvent(m) => {
                self.event = Some(message.to_vec());
                self.day_moves_on(m.event_code, effects);
            }
            Message::StockDirectory(m) => self.instrument(locate, m.stock()).directory = Some(message.to_vec()),
            Message::StockTradingAction(m) => {
                let i = self.instrument(locate, m.stock());
                i.states.insert(m.header.message_type, message.to_vec());
                i.state = match m.trading_state {
                    codes::trading_state::TRADING => TradingState::Trading,
                    codes::trading_state::QUOTATION_ONLY => TradingState::QuotationOnly,
                    codes::trading_state::PAUSED => TradingState::Paused,
                    _ => TradingState::Halted,
                };
            }
            Message::OperationalHalt(m) if m.market_code == self.market => {
                let i = self.instrument(locate, m.stock());
                i.states.insert(m.header.message_type, message.to_vec());
                i.operational_halt = m.action != codes::operational::RESUMED;
            }
            Message::RegShoRestriction(m) => {
                let i = self.instrument(locate, m.stock());
                i.states.insert(m.header.message_type, message.to_vec());
                i.short_restricted = m.action != codes::reg_sho::NONE;
            }
            Message::AddOrder(m) => {
                let Some(side) = m.side() else { return };
                let (line, reference) = (Line { locate, symbol: m.stock() }, m.order_ref());
                self.add(
                    line,
                    Shown { reference, side, shares: m.shares.get(), price: m.price(), attributed: None },
                    effects,
                );
            }
            Message::AddOrderMpid(m) => {
                let Some(side) = m.side() else { return };
                let (line, reference, attributed) =
                    (Line { locate, symbol: m.stock() }, m.order_ref(), Some(m.attribution));
                self.add(
                    line,
                    Shown { reference, side, shares: m.shares.get(), price: m.price(), attributed },
                    effects,
                );
            }
            Message::OrderExecuted(m) => {
                let Some(order) = self.recorded.get(&m.order_ref()) else { return };
                self.executed(m.order_ref(), m.shares.get(), Some(order.price), effects);
            }
            Message::OrderExecutedWithPrice(m) => {
                let print = m.is_printable().then(|| m.price());
                self.executed(m.order_ref(), m.shares.get(), print, effects);
            }
            Message::OrderCancel(m) => self.shrink(m.order_ref(), m.shares.get()),
            Message::OrderDelete(m) => self.shrink(m.order_ref(), u32::MAX),
            Message::OrderReplace(m) => {
                let Some(&old) = self.recorded.get(&m.original_ref()) else { return };
                self.shrink(m.original_ref(), u32::MAX);
                let (reference, shares, price) = (m.new_ref(), m.shares.get(), m.price());
                let new = Shown { reference, side: old.side, shares, price, attributed: old.attributed };
                self.join(old.instrument, new, effects);
            }
            _ => {}
        }
    }

    /// The day ends before its recording does: no own order outlives it.
    pub fn end_day(&mut self, effects: &mut Vec<Effect>) {
        self.day_moves_on(codes::event::END_OF_MESSAGES, effects);
    }

    fn day_moves_on(&mut self, code: u8, effects: &mut Vec<Effect>) {
        self.phase = match code {
            codes::event::START_OF_MESSAGES => Phase::Messages,
            codes::event::START_OF_SYSTEM_HOURS => Phase::System,
            codes::event::START_OF_MARKET_HOURS => Phase::Market,
            codes::event::END_OF_MARKET_HOURS => Phase::After,
            codes::event::END_OF_SYSTEM_HOURS => Phase::Ended,
            codes::event::END_OF_MESSAGES => Phase::Done,
            _ => return,
        };
        let over = |own: &Own| match self.phase {
            Phase::After => matches!(own.life, Life::Day | Life::Immediate),
            Phase::Ended | Phase::Done => true,
            _ => false,
        };
        let ended: Vec<VenueRef> = self.own.iter().filter(|(_, own)| over(own)).map(|(r, _)| *r).collect();
        for reference in ended {
            self.cancel(reference, 0, CancelReason::Closed, effects);
        }
    }

    fn find(&mut self, line: Line) -> usize {
        *self.by_symbol.entry(line.symbol).or_insert_with(|| {
            self.instruments.push(Instrument::new(line));
            self.instruments.len() - 1
        })
    }

    fn instrument(&mut self, locate: u16, symbol: Symbol) -> &mut Instrument {
        let at = self.find(Line { locate, symbol });
        &mut self.instruments[at]
    }

    fn add(&mut self, line: Line, order: Shown, effects: &mut Vec<Effect>) {
        let at = self.find(line);
        self.join(at, order, effects);
    }

    /// A recorded order joins the book, and trades with the own orders that it would have met. One whose reference is
    /// in the book already is not believed.
    fn join(&mut self, instrument: usize, order: Shown, effects: &mut Vec<Effect>) {
        let Shown { reference, side, shares, price, attributed } = order;
        if shares == 0 || self.recorded.contains_key(&reference) {
            return;
        }
        let rank = self.next_rank(side, price, false);
        self.instruments[instrument].recorded.insert(side, rank, reference);
        let taken = self.meet(instrument, side, price, shares, effects);
        self.recorded.insert(reference, Recorded { instrument, side, price, shares, taken, attributed, rank });
    }

    /// Takes shares off a recorded order, all of them if it has no more.
    fn shrink(&mut self, reference: VenueRef, shares: u32) {
        let Some(order) = self.recorded.get_mut(&reference) else { return };
        order.shares = order.shares.saturating_sub(shares);
        if order.shares == 0 {
            let Recorded { instrument, side, rank, .. } = *order;
            self.instruments[instrument].recorded.remove(side, rank);
            self.recorded.remove(&reference);
        }
    }

    /// A recorded order executed, at a price that was printed or in an auction.
    fn executed(&mut self, reference: VenueRef, shares: u32, print: Option<Price>, effects: &mut Vec<Effect>) {
        let Some(&order) = self.recorded.get(&reference) else { return };
        if let Some(print) = print
            && self.continuous(order.instrument)
        {
            self.printed(&order, shares.min(order.shares), print, effects);
        }
        self.shrink(reference, shares);
    }

    // ---- What the recording does to own orders ---------------------------------------------------------------------

    /// An execution of `order` was printed at `price`: fills what it trades through, and what would have been first in
    /// its queue.
    fn printed(&mut self, order: &Recorded, shares: u32, price: Price, effects: &mut Vec<Effect>) {
        let (at, side) = (order.instrument, order.side);
        let mut left = shares;
        for reference in self.own_at(at, side) {
            let own = self.own[&reference];
            if side.is_better(own.limit, price) {
                self.fill(reference, own.open, effects);
            } else if own.limit == price && own.limit == order.price && self.is_first(&own) {
                let fills = own.open.min(left);
                left -= fills;
                self.fill(reference, fills, effects);
            } else if side.is_better(price, own.limit) {
                break;
            }
        }
    }

    /// A recorded order comes in: fills the own orders that it would have traded with; how many of its shares.
    fn meet(&mut self, at: usize, side: Side, price: Price, shares: u32, effects: &mut Vec<Effect>) -> u32 {
        if !self.continuous(at) {
            return 0;
        }
        let mut left = shares;
        for reference in self.own_at(at, side.opposite()) {
            let own = self.own[&reference];
            if !side.crosses(price, own.limit) {
                break;
            }
            if self.is_first(&own) {
                let fills = own.open.min(left);
                left -= fills;
                self.fill(reference, fills, effects);
            }
        }
        shares - left
    }

    /// Own orders of a side in priority order.
    fn own_at(&self, at: usize, side: Side) -> Vec<VenueRef> {
        let own = &self.instruments[at].own;
        if own.is_empty(side) { Vec::new() } else { own.side(side).collect() }
    }

    /// Is no recorded order before it at its price?
    fn is_first(&self, own: &Own) -> bool {
        self.instruments[own.instrument].recorded.ahead(own.side, own.rank).next().is_none()
    }

    /// A resting order trades, at its own price.
    fn fill(&mut self, reference: VenueRef, shares: u32, effects: &mut Vec<Effect>) {
        let Some(&own) = self.own.get(&reference).filter(|_| shares > 0) else { return };
        self.take_off(reference, shares);
        let liquidity = if own.hidden { Liquidity::AddedHidden } else { Liquidity::Added };
        self.traded(own.owner, reference, (shares, own.limit), liquidity, effects);
    }

    fn traded(
        &mut self,
        owner: Option<Owner>,
        reference: VenueRef,
        (shares, price): (u32, Price),
        liquidity: Liquidity,
        effects: &mut Vec<Effect>,
    ) {
        self.last_trade += 1;
        let trade = self.last_trade;
        self.trades.insert(trade, (owner, reference));
        effects.push(Effect { owner, reference, what: What::Executed { shares, price, trade, liquidity } });
    }

    /// Takes shares off an own order without a word.
    fn take_off(&mut self, reference: VenueRef, shares: u32) {
        let Some(own) = self.own.get_mut(&reference) else { return };
        own.open -= shares;
        if own.open == 0 {
            self.leave(reference);
        }
    }

    fn leave(&mut self, reference: VenueRef) -> Option<Own> {
        let own = self.own.remove(&reference)?;
        self.instruments[own.instrument].own.remove(own.side, own.rank);
        Some(own)
    }

    fn rest(&mut self, reference: VenueRef, own: Own) {
        self.instruments[own.instrument].own.insert(own.side, own.rank, reference);
        self.own.insert(reference, own);
    }

    /// Cancels an own order down to `open` shares.
    fn cancel(&mut self, reference: VenueRef, open: u32, reason: CancelReason, effects: &mut Vec<Effect>) {
        let Some(&own) = self.own.get(&reference) else { return };
        let shares = own.open.saturating_sub(open);
        if shares > 0 {
            self.take_off(reference, shares);
            effects.push(Effect { owner: own.owner, reference, what: What::Canceled { shares, reason } });
        }
    }

    // ---- What own orders do ----------------------------------------------------------------------------------------

    fn continuous(&self, at: usize) -> bool {
        let i = &self.instruments[at];
        let hours = matches!(self.phase, Phase::System | Phase::Market | Phase::After);
        hours && i.state == TradingState::Trading && !i.operational_halt
    }

    /// May the order enter, and at which limit? The last value says whether the limit had to be moved.
    fn admit(&self, order: &NewOrder) -> Result<(usize, Price, bool), Refusal> {
        let at = *self.by_symbol.get(&order.symbol).ok_or(Refusal::UnknownSymbol)?;
        let i = &self.instruments[at];
        if order.cross.is_some() {
            return Err(Refusal::LateForCross);
        }
        let good = |p: &Price| p.0 > 0 && *p <= HIGHEST_PRICE && p.0 % tick(*p) == 0;
        let limit = order.limit.filter(good).filter(|_| order.shares > 0).ok_or(Refusal::Invalid)?;
        let open = match order.life {
            Life::Day | Life::Immediate => self.phase == Phase::Market,
            Life::Extended => matches!(self.phase, Phase::System | Phase::Market | Phase::After),
            Life::AfterHours => self.phase == Phase::After,
        };
        if !open {
            return Err(Refusal::Closed);
        }
        if matches!(i.state, TradingState::Halted | TradingState::Paused) || i.operational_halt {
            return Err(Refusal::Halted);
        }
        // A short sale must be above the bid (Regulation SHO, rule 201): one that may rest is moved to where it is.
        let bid = i.recorded.side(Side::Buy).next().and_then(|best| self.recorded.get(&best));
        let restricted = order.short && order.side == Side::Sell && i.short_restricted;
        match bid.filter(|bid| restricted && limit <= bid.price).map(|bid| bid.price.offset(tick(bid.price))) {
            None => Ok((at, limit, false)),
            Some(above) if order.life != Life::Immediate && above <= HIGHEST_PRICE => Ok((at, above, true)),
            Some(_) => Err(Refusal::ShortSaleRestricted),
        }
    }

    /// The recorded orders that an own one can take, best first, with what is left of each.
    fn takeable(&self, own: &Own) -> impl Iterator<Item = (VenueRef, Price, u32)> {
        let (side, limit) = (own.side, own.limit);
        let opposite = self.instruments[own.instrument].recorded.side(side.opposite());
        opposite
            .filter_map(|reference| Some((reference, self.recorded.get(&reference)?)))
            .take_while(move |(_, order)| side.crosses(limit, order.price))
            .map(|(reference, order)| (reference, order.price, order.shares.saturating_sub(order.taken)))
            .filter(|(_, _, available)| *available > 0)
    }

    /// An admitted order goes to work: takes what it can, then rests or is gone.
    fn work(
        &mut self,
        (instrument, limit, conformed): (usize, Price, bool),
        new: NewOrder,
        replaces: Option<VenueRef>,
        effects: &mut Vec<Effect>,
    ) {
        let reference = self.next_reference();
        let rank = self.next_rank(new.side, limit, new.hidden);
        let NewOrder { owner, side, hidden, life, shares, .. } = new;
        let mut own = Own { instrument, owner, side, limit, open: shares, hidden, life, rank };
        let continuous = self.continuous(instrument);
        let marketable = continuous && self.takeable(&own).next().is_some();
        let immediate = life == Life::Immediate;
        let live = marketable || !immediate || !continuous;
        let entered = What::Entered { shares, limit: Some(limit), conformed, live, replaces };
        effects.push(Effect { owner, reference, what: entered });
        if marketable && !new.post_only {
            self.take(reference, &mut own, effects);
        }
        let canceled = match (marketable && new.post_only, immediate) {
            (true, _) => Some(CancelReason::PostOnly),
            (_, true) if continuous => Some(CancelReason::Immediate),
            (_, true) => Some(CancelReason::Halted),
            (_, false) => None,
        };
        match canceled {
            _ if own.open == 0 || !live => {}
            Some(reason) => {
                effects.push(Effect { owner, reference, what: What::Canceled { shares: own.open, reason } });
            }
            None => self.rest(reference, own),
        }
    }

    /// Takes displayed shares for as long as there are any within the limit.
    fn take(&mut self, reference: VenueRef, own: &mut Own, effects: &mut Vec<Effect>) {
        let takeable: Vec<_> = self.takeable(own).collect();
        for (maker, price, available) in takeable {
            let shares = own.open.min(available);
            if shares == 0 {
                return;
            }
            own.open -= shares;
            if let Some(order) = self.recorded.get_mut(&maker) {
                order.taken += shares;
            }
            self.traded(own.owner, reference, (shares, price), Liquidity::Removed, effects);
        }
    }

    fn next_reference(&mut self) -> VenueRef {
        self.last_reference += 1;
        VenueRef(self.last_reference)
    }

    fn next_rank(&mut self, side: Side, price: Price, hidden: bool) -> Rank {
        self.arrivals += 1;
        Rank::new(side, price, hidden, self.arrivals)
    }

    // ---- What others read ------------------------------------------------------------------------------------------

    /// Displayed shares of the recording before an own order at its price; `None` if it does not rest.
    #[must_use]
    pub fn ahead(&self, reference: VenueRef) -> Option<u64> {
        let own = self.own.get(&reference)?;
        let ahead = self.instruments[own.instrument].recorded.ahead(own.side, own.rank);
        Some(ahead.filter_map(|r| self.recorded.get(&r)).map(|order| u64::from(order.shares)).sum())
    }

    /// What a snapshot of this moment holds, without its last message: the day's phase, the directory, the states, and
    /// every recorded order in priority order with its remaining shares.
    #[must_use]
    pub fn snapshot(&self, now: ExchangeTime) -> Vec<Vec<u8>> {
        let mut tape = Tape::default();
        let directory = self.instruments.iter().filter_map(|i| i.directory.as_ref());
        let states = self.instruments.iter().flat_map(|i| i.states.values());
        self.event.iter().chain(directory).chain(states).for_each(|message| tape.raw(message));
        for i in &self.instruments {
            for reference in i.recorded.side(Side::Buy).chain(i.recorded.side(Side::Sell)) {
                if let Some(&Recorded { side, price, shares, attributed, .. }) = self.recorded.get(&reference) {
                    tape.add(now, i.line, Shown { reference, side, shares, price, attributed });
                }
            }
        }
        tape.take()
    }

    /// The recorded book of a symbol: bids, then asks, each in priority order. Own orders are not in it.
    #[must_use]
    pub fn book(&self, symbol: Symbol) -> Vec<Resting> {
        let Some(&at) = self.by_symbol.get(&symbol) else { return Vec::new() };
        let recorded = &self.instruments[at].recorded;
        let both = recorded.side(Side::Buy).chain(recorded.side(Side::Sell));
        both.filter_map(|reference| {
            let Recorded { side, price, shares, .. } = *self.recorded.get(&reference)?;
            Some(Resting { reference, owner: None, side, price, shares, hidden: false })
        })
        .collect()
    }

    /// Own orders at rest, by reference.
    pub fn own(&self) -> impl Iterator<Item = Resting> {
        self.own.iter().map(|(reference, own)| Resting {
            reference: *reference,
            owner: own.owner,
            side: own.side,
            price: own.limit,
            shares: own.open,
            hidden: own.hidden,
        })
    }

    /// What must be true between any two calls.
    ///
    /// # Errors
    /// What is not.
    pub fn check(&self) -> Result<(), String> {
        let queued = |queues: fn(&Instrument) -> &Queues| -> usize {
            self.instruments
                .iter()
                .map(|i| queues(i).side(Side::Buy).count() + queues(i).side(Side::Sell).count())
                .sum()
        };
        if (queued(|i| &i.recorded), queued(|i| &i.own)) != (self.recorded.len(), self.own.len()) {
            return Err("an order is not in its queue".to_owned());
        }
        match self.own.iter().find(|(_, own)| own.open == 0) {
            Some((reference, _)) => Err(format!("{reference:?} rests with nothing open")),
            None => Ok(()),
        }
    }

    /// The symbols seen so far, in alphabetical order.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol> {
        self.by_symbol.keys().copied()
    }
}

impl Market for Playthrough {
    fn enter(&mut self, _now: ExchangeTime, order: NewOrder, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let admitted = self.admit(&order)?;
        self.work(admitted, order, None, effects);
        Ok(())
    }

    fn replace(
        &mut self,
        _now: ExchangeTime,
        original: VenueRef,
        order: NewOrder,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let admitted = self.admit(&order)?;
        self.leave(original).ok_or(Refusal::UnknownOrder)?;
        self.work(admitted, order, Some(original), effects);
        Ok(())
    }

    fn reduce(
        &mut self,
        _now: ExchangeTime,
        order: VenueRef,
        open: u32,
        reason: CancelReason,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if !self.own.contains_key(&order) {
            return Err(Refusal::UnknownOrder);
        }
        self.cancel(order, open, reason, effects);
        Ok(())
    }

    fn is_frozen(&self, _order: VenueRef) -> bool {
        false
    }

    fn reprioritise(&mut self, _now: ExchangeTime, order: VenueRef, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let own = self.leave(order).ok_or(Refusal::UnknownOrder)?;
        let reference = self.next_reference();
        let rank = self.next_rank(own.side, own.limit, own.hidden);
        self.rest(reference, Own { rank, ..own });
        let what = What::Reprioritised { price: own.limit };
        effects.push(Effect { owner: own.owner, reference, what });
        Ok(())
    }

    fn break_trade(
        &mut self,
        _now: ExchangeTime,
        trade: u64,
        reason: BreakReason,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let (owner, reference) = self.trades.remove(&trade).ok_or(Refusal::UnknownOrder)?;
        effects.push(Effect { owner, reference, what: What::Broken { trade, reason } });
        Ok(())
    }
}
