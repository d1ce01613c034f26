//! A lane made by hand, to try a signal or a strategy on: its market, its orders and positions are what a test says they
//! are, and nothing else happens. No venue, no bytes, no time that passes.
//!
//! ```
//! use firelane_gateway::base::{Price, Qty, Side};
//! use firelane_gateway::flow::action::Action;
//! use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig};
//! use firelane_gateway::flow::strategy::{ImbalanceTaker, ImbalanceTakerConfig, Strategy};
//! use firelane_gateway::shell::made::{MadeLane, equity};
//!
//! // $10.00 bid for 300 shares, $10.02 asked for 100: two in four lean up.
//! let (mut lane, id) = MadeLane::of(equity("FIRE"), Imbalance::new(&ImbalanceConfig::default())?);
//! lane.shows(id, Side::Buy, Price(100_000), Qty(300));
//! let event = lane.shows(id, Side::Sell, Price(100_200), Qty(100));
//!
//! let config = ImbalanceTakerConfig { threshold: 500_000, ..ImbalanceTakerConfig::default() };
//! let mut taker = ImbalanceTaker::new(&config, 1)?;
//! let asked = lane.ask(|view, ask| taker.on_event(id, &event, view, ask));
//! let [Action::Enter(enter)] = asked[..] else { panic!("{asked:?}") };
//! assert_eq!((enter.side, enter.price), (Side::Buy, Price(100_200)));
//! # Ok::<(), firelane_gateway::base::OutOfRange>(())
//! ```
//!
//! What cannot be (an instrument that it has not, an order without room) is a mistake of the test's, and panics.

use crate::base::{
    ClientId, ExchangeTime, Instrument, InstrumentId, InstrumentTable, Mono, Nanos, Notional, PerVenue, Price, Qty,
    Side, StrategyId, Symbol, Token, Utc, VenueId, VenueRef,
};
use crate::flow::UtcOffset;
use crate::flow::action::{Action, Enter, SellMark, Tags, TimeInForce};
use crate::flow::book::{BookCapacity, Books, Scope, StaleReason};
use crate::flow::event::{Event, EventKind, SessionPhase, Status, TradingAction};
use crate::flow::orders::{Orders, OrdersConfig, Report, Sent, Standing, Visibility};
use crate::flow::outbox::{Outbox, Output};
use crate::flow::record::{RecordHeader, SignalBody};
use crate::flow::risk::{Gate, RiskLimits};
use crate::flow::signal::{Said, Signal};
use crate::flow::strategy::{Actions, Sources, View};
use crate::flow::trading::{Trading, TradingConfig};
use crate::flow::venue::{MarketState, Markets};
use zerocopy::FromBytes;

/// Room of all that is made by hand.
const ROOM: usize = 4_096;
/// Actions that a strategy may ask for in one call.
const ACTIONS: usize = 32;

/// A US equity.
///
/// # Panics
/// If the symbol is none: 1 to 8 printable characters.
#[must_use]
pub fn equity(symbol: &str) -> Instrument {
    Instrument::us_equity(Symbol::new(symbol).expect("a symbol of 1 to 8 printable characters"))
}

/// The lane, with its signal. The market is open and everything trades until the test says otherwise.
#[derive(Debug)]
pub struct MadeLane<G> {
    now: Mono,
    utc: Option<UtcOffset>,
    instruments: InstrumentTable,
    markets: PerVenue<MarketState>,
    gate: Gate,
    orders: Orders,
    signal: G,
    tags: Tags,
    /// The venue's next reference.
    next: u64,
    out: Outbox,
}

impl<G: Signal> MadeLane<G> {
    /// Of one instrument, whose id is given back.
    ///
    /// # Panics
    /// Never, of an instrument of the first venue.
    #[must_use]
    pub fn of(row: Instrument, signal: G) -> (Self, InstrumentId) {
        (Self::new(&[row], signal), InstrumentId(0))
    }

    /// Of these instruments, whose ids count up from 0.
    ///
    /// # Panics
    /// If there is none, or one is not the first venue's.
    #[must_use]
    pub fn new(rows: &[Instrument], signal: G) -> Self {
        assert!(rows.iter().all(|row| row.venue == VenueId::FIRST), "a made lane has one venue");
        let count = rows.len();
        let instruments = u32::try_from(count).expect("instruments that can be counted");
        let capacity = u32::try_from(ROOM).unwrap_or(u32::MAX);
        let orders = OrdersConfig {
            capacity,
            retained: capacity,
            fills: capacity,
            instruments,
            venues: 1,
            first_id: 1,
            request_timeout: Nanos::from_secs(1),
        };
        let books = Books::new(BookCapacity { instruments: count, orders: ROOM, levels: ROOM, own: ROOM });
        let trading = Trading::new(TradingConfig::default(), count);
        let mut lane = MadeLane {
            now: Mono(1_000_000_000),
            utc: None,
            instruments: InstrumentTable::new(rows, count, false),
            markets: PerVenue::one(MarketState { books, trading, at: ExchangeTime(0) }),
            gate: Gate::new(&RiskLimits::widest(), count).expect("one instrument or more"),
            orders: Orders::new(&orders).expect("one instrument or more"),
            signal,
            tags: Tags { strategy: StrategyId(1), ..Tags::default() },
            next: 1,
            out: Outbox::new(Outbox::STEP),
        };
        lane.status(None, Status::Session(SessionPhase::StartOfMarketHours));
        for (id, row) in (0..).map(InstrumentId).zip(rows) {
            lane.status(Some(id), Status::Directory { live: true, lot: Qty(row.lot) });
            lane.status(Some(id), Status::Trading(TradingAction::Trading));
        }
        lane
    }

    /// It is `now`, on the lane's clock.
    pub fn at(&mut self, now: Mono) {
        self.now = now;
    }

    /// What the exchange stamps from now on.
    pub fn stamps(&mut self, at: ExchangeTime) {
        self.market_mut().at = at;
    }

    /// In universal time it is `utc` now.
    pub fn utc(&mut self, utc: Utc) {
        self.utc = Some(UtcOffset(utc.0.wrapping_sub(self.now.0).cast_signed()));
    }

    /// Something happens to an instrument: its book takes it in, then the signal. What strategies are told of it.
    pub fn event(&mut self, id: InstrumentId, kind: EventKind) -> Event {
        let at = self.market().at;
        let event = Event { at, instrument: Some(id), kind };
        if let EventKind::Status(status) = kind {
            self.status(Some(id), status);
            return event;
        }
        if G::BEFORE {
            let MadeLane { signal, markets, .. } = self;
            signal.before(id, &event, markets.first().books.view(id));
        }
        let applied = self.market_mut().books.apply(id, &kind);
        assert_eq!(applied.fault, None, "{kind:?}");
        let MadeLane { signal, markets, out, now, .. } = self;
        let mut said = Said::new(out, 0, 0, *now, at);
        signal.on_event(*now, id, &event, markets.first().books.view(id), &mut said);
        event
    }

    /// The signal's deadline has come.
    pub fn timer(&mut self) {
        let MadeLane { signal, markets, instruments, out, now, .. } = self;
        let mut said = Said::new(out, 0, 0, *now, markets.first().at);
        signal.on_timer(*now, Markets { instruments, markets }, &mut said);
    }

    /// The trading state changes, of an instrument or of the whole market.
    pub fn status(&mut self, id: Option<InstrumentId>, status: Status) {
        let market = self.market_mut();
        market.trading.apply(market.at, id, &status);
    }

    /// Somebody else's order joins the book.
    pub fn shows(&mut self, id: InstrumentId, side: Side, price: Price, qty: Qty) -> Event {
        let order = self.reference();
        self.event(id, EventKind::Add { order, side, qty, price })
    }

    /// An order of the strategy's own rests: the venue has accepted it, and the book shows it.
    ///
    /// # Panics
    /// If there is no room for it.
    pub fn rests(&mut self, id: InstrumentId, side: Side, price: Price, qty: Qty) -> ClientId {
        let (order, venue) = (self.reference(), VenueId::FIRST);
        let sent = Sent { token: Token(order.0), request: order.0 };
        // Of a buy it says nothing.
        let mark = SellMark::Long;
        let enter =
            Enter { instrument: id, side, price, qty, tif: TimeInForce::Day, post_only: false, tags: self.tags };
        let opened = self.orders.opened(self.now, venue, &enter, mark, sent).expect("room for another order");
        let name = self.instruments.get(id).expect("an instrument of the lane").name;
        let accepted = Standing {
            token: sent.token,
            origin: None,
            name,
            side,
            mark,
            qty,
            price,
            tif: enter.tif,
            display: Visibility::Displayed,
            venue_ref: order,
            live: true,
        };
        self.orders.report(venue, &Report::Accepted(accepted)).expect("an answer to what was sent");
        self.market_mut().books.own_add(order, opened.order);
        self.event(id, EventKind::Add { order, side, qty, price });
        opened.order
    }

    /// The strategy's position becomes larger by so many shares, or smaller.
    pub fn holds(&mut self, id: InstrumentId, qty: Qty) {
        self.gate.carry_in(id, Some(self.tags.strategy), qty, Notional::ZERO);
    }

    /// A gap has opened: no book can be trusted.
    pub fn goes_stale(&mut self) {
        self.market_mut().books.mark_stale(Scope::All, StaleReason::Gap);
    }

    /// It has closed again.
    pub fn heals(&mut self) {
        self.market_mut().books.heal(Scope::All, StaleReason::Gap);
    }

    /// Every book may differ from the venue's, for this reason.
    pub fn doubts(&mut self, reason: StaleReason) {
        self.market_mut().books.mark_stale(Scope::All, reason);
    }

    /// That reason is gone.
    pub fn trusts(&mut self, reason: StaleReason) {
        self.market_mut().books.heal(Scope::All, reason);
    }

    /// The signal.
    #[must_use]
    pub fn signal(&self) -> &G {
        &self.signal
    }

    /// The same, to be changed or replaced.
    pub fn signal_mut(&mut self) -> &mut G {
        &mut self.signal
    }

    /// What the signal says of an instrument.
    #[must_use]
    pub fn value(&self, id: InstrumentId) -> G::Value {
        self.signal.value(id, self.market().books.view(id))
    }

    /// What the signal has written to the tape since this was asked last.
    pub fn said(&mut self) -> Vec<SignalBody> {
        let body = |output: Output<'_>| match output {
            Output::Tape(record) => SignalBody::read_from_bytes(record.get(size_of::<RecordHeader>()..)?).ok(),
            _ => None,
        };
        let said = self.out.outputs().filter_map(body).collect();
        self.out.clear();
        said
    }

    /// The lane as a strategy sees it.
    pub fn look<T>(&self, at: impl FnOnce(&View<'_, G>) -> T) -> T {
        let lane = Sources {
            now: self.now,
            utc: self.utc,
            markets: &self.markets,
            instruments: &self.instruments,
            gate: &self.gate,
            orders: &self.orders,
            signals: &self.signal,
        };
        at(&View::new(lane, self.tags))
    }

    /// Calls a strategy, and what it asks for. Nothing of it happens.
    ///
    /// # Panics
    /// If it asks for more than a lane would take of it in one call.
    pub fn ask(&self, call: impl FnOnce(&View<'_, G>, &mut Actions)) -> Vec<Action> {
        let mut actions = Actions::new(ACTIONS).numbered_from(self.tags.strategy);
        self.look(|view| call(view, &mut actions));
        assert_eq!(actions.dropped(), 0, "more than {ACTIONS} actions in one call");
        actions.list().to_vec()
    }

    fn market(&self) -> &MarketState {
        self.markets.first()
    }

    fn market_mut(&mut self) -> &mut MarketState {
        self.markets.get_mut(VenueId::FIRST).expect("a made lane has a venue")
    }

    fn reference(&mut self) -> VenueRef {
        self.next += 1;
        VenueRef(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::risk::Refusal;
    use crate::flow::signal::{Imbalance, ImbalanceConfig};

    #[test]
    fn what_a_test_says_is_what_a_strategy_sees() {
        let (mut lane, id) = MadeLane::of(equity("FIRE"), Imbalance::new(&ImbalanceConfig::default()).unwrap());
        lane.shows(id, Side::Buy, Price(100_000), Qty(300));
        lane.shows(id, Side::Sell, Price(100_200), Qty(100));
        let own = lane.rests(id, Side::Buy, Price(100_100), Qty(50));
        lane.holds(id, Qty(-7));
        lane.utc(Utc(5_000_000_000));
        lane.at(Mono(1_000_000_001));
        lane.look(|view| {
            assert_eq!(
                (view.now(), view.utc(), view.may_trade(id)),
                (Mono(1_000_000_001), Some(Utc(5_000_000_001)), Ok(()))
            );
            assert_eq!(
                (view.position(id), view.orders(id).map(|own| own.order).collect::<Vec<_>>()),
                (Qty(-7), vec![own])
            );
            let best = |side| view.book(id).top_without_own(side).map(|level| level.price.0);
            assert_eq!((best(Side::Buy), best(Side::Sell)), (Some(100_000), Some(100_200)));
        });
        assert_eq!(lane.value(id).map(|leans| (leans.bid.0, leans.ask.0)), Some((300, 100)));
        lane.goes_stale();
        assert_eq!((lane.look(|view| view.may_trade(id)), lane.value(id)), (Err(Refusal::StaleBook), None));
        lane.heals();
        lane.status(Some(id), Status::Trading(TradingAction::Halted));
        assert_eq!(lane.look(|view| view.may_trade(id)), Err(Refusal::NotTradable));
    }
}
