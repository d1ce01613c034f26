//! Normalised events written down as the messages that would have said them.

use crate::venue::announce::{Line, Shown, Tape};
use firelane_gateway::base::{ExchangeTime, InstrumentId, Price, Qty, Side, Symbol, VenueRef};
use firelane_gateway::flow::event::{Event, EventKind, SessionPhase, Status, TradingAction};
use firelane_gateway::flow::wire::itch50::codes;
use std::collections::BTreeMap;

/// Orders made of levels are numbered from here, where no venue's numbers reach.
const MADE: u64 = 1 << 62;

/// Why an event cannot be said. Nothing of it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unsayable {
    /// It is about an instrument that has no name, or about none where there must be one.
    #[error("event about {0:?}, which the history has no name of")]
    Instrument(Option<InstrumentId>),
    /// Prices are in 1/10,000, from 1 to 4,294,967,295.
    #[error("price of {}: prices are in 1/10,000, from 1 to 4294967295", .0.0)]
    Price(Price),
    /// Quantities are whole, from 1 to 4,294,967,295.
    #[error("quantity of {}: quantities are whole, from 1 to 4294967295", .0.0)]
    Qty(Qty),
    /// It is of another day than the first event.
    #[error("event of day {0}: a history is of one day, that of its first event")]
    Day(u32),
}

/// An order in the book.
#[derive(Clone, Copy, Debug)]
struct Standing {
    instrument: u32,
    side: Side,
    price: i64,
    shares: i64,
}

/// A history of events, written down message by message. Of one day, in the units in which orders leave by OUCH: prices in
/// 1/10,000, whole quantities.
///
/// Levels become orders. What a level gains joins its queue at the back; what it loses was traded, if a trade at its price says
/// so, from the front, and else was cancelled, from the back. An own order's queue is so never shorter than it may have been.
/// Events that change neither a book nor trading (imbalances, auction collars and the like) are left out, and counted.
///
/// ```
/// use firelane_gateway::base::{ExchangeTime, InstrumentId, Price, Qty, Side, Symbol};
/// use firelane_gateway::flow::event::{Event, EventKind};
/// use firelane_sim::backtest::History;
///
/// let at = ExchangeTime::new(20_047, 34_200_000_000_000);
/// let mut history = History::new(&[Symbol::new("FIRE").unwrap()]);
/// history.open(at)?;
/// let kind = EventKind::Level { side: Side::Buy, price: Price(100_000), qty: Qty(300), orders: 0 };
/// history.push(&Event { at, instrument: Some(InstrumentId(0)), kind })?;
/// assert!(history.into_bytes().len() > 100);
/// # Ok::<(), firelane_sim::backtest::Unsayable>(())
/// ```
#[derive(Debug)]
pub struct History {
    lines: Vec<Line>,
    day: Option<u32>,
    tape: Tape,
    bytes: Vec<u8>,
    orders: BTreeMap<VenueRef, Standing>,
    /// The orders that stand for a level, in their queue.
    levels: BTreeMap<(u32, Side, i64), Vec<VenueRef>>,
    made: u64,
    left_out: u64,
}

impl History {
    /// A history of these instruments, by their numbers from 0.
    ///
    /// # Panics
    /// With more instruments than ITCH can number (65,535).
    #[must_use]
    pub fn new(instruments: &[Symbol]) -> Self {
        assert!(instruments.len() <= usize::from(u16::MAX), "ITCH numbers instruments with 16 bits, from 1");
        let lines = (1..).zip(instruments).map(|(locate, symbol)| Line { locate, symbol: *symbol }).collect();
        History {
            lines,
            day: None,
            tape: Tape::default(),
            bytes: Vec::new(),
            orders: BTreeMap::new(),
            levels: BTreeMap::new(),
            made: MADE,
            left_out: 0,
        }
    }

    /// The market opens, and everything trades: for a history that does not say so itself.
    ///
    /// # Errors
    /// [`Unsayable::Day`].
    pub fn open(&mut self, at: ExchangeTime) -> Result<(), Unsayable> {
        let status = |instrument, status| Event { at, instrument, kind: EventKind::Status(status) };
        for phase in [SessionPhase::StartOfMessages, SessionPhase::StartOfSystemHours, SessionPhase::StartOfMarketHours]
        {
            self.push(&status(None, Status::Session(phase)))?;
        }
        for id in (0..).map(InstrumentId).take(self.lines.len()) {
            self.push(&status(Some(id), Status::Directory { live: true, lot: Qty(100) }))?;
            self.push(&status(Some(id), Status::Trading(TradingAction::Trading)))?;
        }
        Ok(())
    }

    /// The next event.
    ///
    /// # Errors
    /// [`Unsayable`].
    pub fn push(&mut self, event: &Event) -> Result<(), Unsayable> {
        let day = event.at.day();
        if *self.day.get_or_insert(day) != day {
            return Err(Unsayable::Day(day));
        }
        match event.kind {
            EventKind::Status(Status::Session(phase)) => self.phase(event.at, phase),
            _ => {
                let line = event.instrument.and_then(|id| Some((id.0, *self.lines.get(id.0 as usize)?)));
                let (id, line) = line.ok_or(Unsayable::Instrument(event.instrument))?;
                self.of_instrument(event.at, id, line, event.kind)?;
            }
        }
        for message in self.tape.take() {
            // No message of ITCH is longer than its length can say.
            let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
            self.bytes.extend_from_slice(&length.to_be_bytes());
            self.bytes.extend_from_slice(&message);
        }
        Ok(())
    }

    /// Events that were left out.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The messages behind two-byte lengths, as a [`Backtest`](super::Backtest) takes them.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn phase(&mut self, at: ExchangeTime, phase: SessionPhase) {
        let code = match phase {
            SessionPhase::Unknown => return self.left_out += 1,
            SessionPhase::StartOfMessages => codes::event::START_OF_MESSAGES,
            SessionPhase::StartOfSystemHours => codes::event::START_OF_SYSTEM_HOURS,
            SessionPhase::StartOfMarketHours => codes::event::START_OF_MARKET_HOURS,
            SessionPhase::EndOfMarketHours => codes::event::END_OF_MARKET_HOURS,
            SessionPhase::EndOfSystemHours => codes::event::END_OF_SYSTEM_HOURS,
            SessionPhase::EndOfMessages => codes::event::END_OF_MESSAGES,
        };
        self.tape.event(at, code);
    }

    fn of_instrument(&mut self, at: ExchangeTime, id: u32, line: Line, kind: EventKind) -> Result<(), Unsayable> {
        match kind {
            EventKind::Add { order, side, qty, price } => {
                self.add(at, line, order, Standing { instrument: id, side, price: price.0, shares: qty.0 })?;
            }
            EventKind::Execute { order, qty, price: None, trade, .. } => {
                self.tape.executed(at, line, order, shares(qty)?, trade);
                self.less(order, qty.0);
            }
            EventKind::Execute { order, qty, price: Some(price), printable, trade } => {
                let (shares, _) = (shares(qty)?, sound(price)?);
                self.tape.executed_at(at, line, order, (shares, price), printable, trade);
                self.less(order, qty.0);
            }
            EventKind::Reduce { order, qty } => {
                self.tape.reduced(at, line, order, shares(qty)?);
                self.less(order, qty.0);
            }
            EventKind::Delete { order } => {
                self.tape.deleted(at, line, order);
                self.orders.remove(&order);
            }
            EventKind::Replace { order, new, qty, price } => {
                let (shares, _) = (shares(qty)?, sound(price)?);
                let side = self.orders.get(&order).map_or(Side::Buy, |old| old.side);
                self.tape.replaced(at, line, order, Shown { reference: new, side, shares, price, attributed: None });
                if let Some(old) = self.orders.remove(&order) {
                    self.orders.insert(new, Standing { price: price.0, shares: qty.0, ..old });
                }
            }
            EventKind::Level { side, price, qty, .. } => self.level(at, line, (id, side, price.0), qty)?,
            EventKind::Clear { side } => self.clear(at, line, id, side),
            EventKind::Trade { qty, price, trade } => self.trade(at, line, id, (qty, price), trade)?,
            EventKind::Status(status) => self.status(at, line, status),
            EventKind::Cross { .. } | EventKind::Broken { .. } | EventKind::Imbalance { .. } | EventKind::Info => {
                self.left_out += 1;
            }
        }
        Ok(())
    }

    fn status(&mut self, at: ExchangeTime, line: Line, status: Status) {
        match status {
            Status::Directory { live, lot } => {
                let authenticity = if live { codes::authenticity::LIVE } else { codes::authenticity::TEST };
                self.tape.directory(at, line, u32::try_from(lot.0).unwrap_or(100), authenticity);
            }
            Status::Trading(action) => {
                let state = match action {
                    TradingAction::Halted => codes::trading_state::HALTED,
                    TradingAction::Paused => codes::trading_state::PAUSED,
                    TradingAction::QuotationOnly => codes::trading_state::QUOTATION_ONLY,
                    TradingAction::Trading => codes::trading_state::TRADING,
                };
                self.tape.trading_state(at, line, state, *b"    ");
            }
            Status::ShortSaleRestricted(on) => {
                let action = if on { codes::reg_sho::RESTRICTED_TODAY } else { codes::reg_sho::NONE };
                self.tape.reg_sho(at, line, action);
            }
            Status::OperationalHalt { halted, .. } => self.tape.operational(at, line, halted),
            _ => self.left_out += 1,
        }
    }

    fn add(&mut self, at: ExchangeTime, line: Line, order: VenueRef, standing: Standing) -> Result<(), Unsayable> {
        let (price, shares) = (Price(standing.price), shares(Qty(standing.shares))?);
        sound(price)?;
        let shown = Shown { reference: order, side: standing.side, shares, price, attributed: None };
        self.tape.add(at, line, shown);
        self.orders.insert(order, standing);
        Ok(())
    }

    fn less(&mut self, order: VenueRef, by: i64) {
        if let Some(standing) = self.orders.get_mut(&order) {
            standing.shares -= by;
            if standing.shares <= 0 {
                self.orders.remove(&order);
            }
        }
    }

    // ---- Levels ------------------------------------------------------------------------------------------------------

    fn level(&mut self, at: ExchangeTime, line: Line, key: (u32, Side, i64), qty: Qty) -> Result<(), Unsayable> {
        if qty.0 < 0 {
            return Err(Unsayable::Qty(qty));
        }
        let queue = self.levels.get(&key).cloned().unwrap_or_default();
        let stands: i64 = queue.iter().filter_map(|order| self.orders.get(order)).map(|order| order.shares).sum();
        if qty.0 > stands {
            self.made += 1;
            let (order, (instrument, side, price)) = (VenueRef(self.made), key);
            self.add(at, line, order, Standing { instrument, side, price, shares: qty.0 - stands })?;
            self.levels.entry(key).or_default().push(order);
            return Ok(());
        }
        let mut gone = stands - qty.0;
        for order in queue.iter().rev() {
            let has = self.orders.get(order).map_or(0, |order| order.shares);
            let less = gone.min(has);
            gone -= less;
            if less > 0 && less == has {
                self.tape.deleted(at, line, *order);
            } else if less > 0 {
                self.tape.reduced(at, line, *order, shares(Qty(less))?);
            }
            self.less(*order, less);
        }
        self.tidy(key);
        Ok(())
    }

    fn tidy(&mut self, key: (u32, Side, i64)) {
        if let Some(queue) = self.levels.get_mut(&key) {
            queue.retain(|order| self.orders.contains_key(order));
            if queue.is_empty() {
                self.levels.remove(&key);
            }
        }
    }

    fn clear(&mut self, at: ExchangeTime, line: Line, id: u32, side: Option<Side>) {
        let cleared = |standing: &Standing| standing.instrument == id && side.is_none_or(|side| side == standing.side);
        let gone = self.orders.iter().filter(|(_, standing)| cleared(standing)).map(|(order, _)| *order);
        for order in gone.collect::<Vec<_>>() {
            self.tape.deleted(at, line, order);
            self.orders.remove(&order);
        }
        self.levels.retain(|(of, on, _), _| *of != id || side.is_some_and(|side| side != *on));
    }

    /// What stands at the price trades from the front of its queue; the rest, if any, was hidden.
    fn trade(
        &mut self,
        at: ExchangeTime,
        line: Line,
        id: u32,
        (qty, price): (Qty, Price),
        trade: u64,
    ) -> Result<(), Unsayable> {
        let (_, _) = (shares(qty)?, sound(price)?);
        let mut left = qty.0;
        for side in [Side::Buy, Side::Sell] {
            let key = (id, side, price.0);
            for order in self.levels.get(&key).cloned().unwrap_or_default() {
                let trades = left.min(self.orders.get(&order).map_or(0, |order| order.shares));
                if trades > 0 {
                    self.tape.executed(at, line, order, shares(Qty(trades))?, trade);
                    self.less(order, trades);
                    left -= trades;
                }
            }
            self.tidy(key);
        }
        if left > 0 {
            self.tape.hidden_trade(at, line, shares(Qty(left))?, price, trade);
        }
        Ok(())
    }
}

fn shares(qty: Qty) -> Result<u32, Unsayable> {
    u32::try_from(qty.0).ok().filter(|shares| *shares > 0).ok_or(Unsayable::Qty(qty))
}

fn sound(price: Price) -> Result<u32, Unsayable> {
    u32::try_from(price.0).ok().filter(|price| *price > 0).ok_or(Unsayable::Price(price))
}

#[cfg(test)]
mod tests;
