//! What a strategy may know: the whole lane, borrowed. Nothing is copied, computed or looked up before it is asked for.

use super::{Awaits, OwnOrder};
use crate::base::{
    ClientId, ExchangeTime, Instrument, InstrumentId, InstrumentTable, Mono, PerVenue, Price, Qty, Side, StrategyId,
    Utc, VenueId,
};
use crate::flow::UtcOffset;
use crate::flow::action::Tags;
use crate::flow::book::BookRef;
use crate::flow::orders::{Cursor, Order, Orders, Status};
use crate::flow::risk::{Gate, Left, Refusal, Whose};
use crate::flow::signal::Signal;
use crate::flow::trading::NotTradable;
use crate::flow::venue::MarketState;

/// What a [`View`] looks at: the parts of a lane, as they are now.
#[derive(Debug)]
pub struct Sources<'a, S> {
    /// Now, on the lane's clock.
    pub now: Mono,
    /// How far the lane's clock is from the world's; `None` while the lane has not been told.
    pub utc: Option<UtcOffset>,
    /// Each venue's market, as the lane knows it.
    pub markets: &'a PerVenue<MarketState>,
    /// Instruments.
    pub instruments: &'a InstrumentTable,
    /// The gate, its limits and its ledger.
    pub gate: &'a Gate,
    /// Own orders.
    pub orders: &'a Orders,
    /// Signals.
    pub signals: &'a S,
}

impl<S> Clone for Sources<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Sources<'_, S> {}

/// Everything that a strategy may know when it decides: any book of the lane, its own orders and the others', positions,
/// trading state, the time.
///
/// Every method looks at the lane as it stands. What is an iterator walks as far as it is asked to.
#[derive(Debug)]
pub struct View<'a, S> {
    lane: Sources<'a, S>,
    tags: Tags,
}

impl<'a, S> View<'a, S> {
    /// The view of the strategy whose orders carry `tags`.
    #[inline(always)]
    #[must_use]
    pub fn new(lane: Sources<'a, S>, tags: Tags) -> Self {
        View { lane, tags }
    }

    /// The same lane for another strategy of it.
    #[inline(always)]
    pub(in crate::flow) fn of(&self, strategy: StrategyId) -> Self {
        View { lane: self.lane, tags: Tags { strategy, ..self.tags } }
    }

    /// The same lane for a strategy that reads other signals of it.
    #[inline(always)]
    pub(in crate::flow) fn with_signals<'b, G>(&self, signals: &'b G) -> View<'b, G>
    where
        'a: 'b,
    {
        let Sources { now, utc, markets, instruments, gate, orders, signals: _ } = self.lane;
        View { lane: Sources { now, utc, markets, instruments, gate, orders, signals }, tags: self.tags }
    }

    /// Now. What timers run on.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Mono {
        self.lane.now
    }

    /// Now, in coordinated universal time. `None` while nobody has told the lane how far its clock is from it.
    #[inline]
    #[must_use]
    pub fn utc(&self) -> Option<Utc> {
        self.lane.utc?.at(self.lane.now)
    }

    /// The latest stamp of the exchange on which an instrument trades.
    #[inline]
    #[must_use]
    pub fn exchange_time(&self, id: InstrumentId) -> ExchangeTime {
        self.market(id).map_or(ExchangeTime(0), |market| market.at)
    }

    /// The market in which an instrument trades, all of it. `None`: the lane does not know the instrument.
    #[inline]
    #[must_use]
    pub fn market(&self, id: InstrumentId) -> Option<&'a MarketState> {
        self.lane.markets.get(self.row(id)?.venue)
    }

    /// What this strategy's orders carry. Strategies of a lane are numbered in the order written, from the lane's
    /// configured number on.
    #[inline]
    #[must_use]
    pub fn tags(&self) -> Tags {
        self.tags
    }

    /// Every instrument: tick, lot, multiplier.
    #[inline]
    #[must_use]
    pub fn instruments(&self) -> &'a InstrumentTable {
        self.lane.instruments
    }

    /// An instrument's row.
    #[inline]
    #[must_use]
    pub fn row(&self, id: InstrumentId) -> Option<&'a Instrument> {
        self.lane.instruments.get(id)
    }

    /// The book of an instrument, own orders included and told apart. One that the lane does not know has an empty, stale
    /// one.
    #[inline]
    #[must_use]
    pub fn book(&self, id: InstrumentId) -> BookRef<'a> {
        self.market(id).unwrap_or(self.lane.markets.first()).books.view(id)
    }

    /// What the lane's signal says of an instrument.
    #[inline]
    #[must_use]
    pub fn signal(&self, id: InstrumentId) -> S::Value
    where
        S: Signal,
    {
        self.lane.signals.value(id, self.book(id))
    }

    /// The signals themselves, for what is no value of one instrument.
    #[inline]
    #[must_use]
    pub fn signals(&self) -> &'a S {
        self.lane.signals
    }

    /// Does the venue trade the instrument: market open, continuous trading, not halted?
    ///
    /// # Errors
    /// The first reason why not.
    #[inline]
    pub fn trading(&self, id: InstrumentId) -> Result<(), NotTradable> {
        let market = self.market(id).ok_or(NotTradable::NotInDirectory)?;
        market.trading.tradable(id, market.at)
    }

    /// May this strategy's orders be sent in it at all: is no kill switch thrown that stops them, is the strategy not disabled,
    /// and does the venue trade the instrument?
    ///
    /// # Errors
    /// [`Refusal::Killed`], [`Refusal::Disabled`] or [`Refusal::NotTradable`], as the gate would say.
    #[inline]
    pub fn tradable(&self, id: InstrumentId) -> Result<(), Refusal> {
        self.may_enter(id)?;
        self.trading(id).map_err(|_| Refusal::NotTradable)
    }

    #[inline]
    fn may_enter(&self, id: InstrumentId) -> Result<(), Refusal> {
        if !self.lane.gate.stops_any() {
            return Ok(());
        }
        let venue = self.row(id).map_or(VenueId::FIRST, |row| row.venue);
        self.lane.gate.may_enter(id, venue, self.tags.strategy)
    }

    /// Are both market and book fit to trade on: [`tradable`](Self::tradable), and the book neither stale nor locked nor
    /// crossed?
    ///
    /// # Errors
    /// What the gate would refuse an order for, whatever its price and size.
    #[inline]
    pub fn may_trade(&self, id: InstrumentId) -> Result<(), Refusal> {
        self.may_enter(id)?;
        let Some(market) = self.market(id).filter(|market| market.trades(id)) else { return Err(Refusal::NotTradable) };
        let book = market.books.view(id);
        if !book.freshness().is_fresh() {
            return Err(Refusal::StaleBook);
        }
        if book.is_crossed() { Err(Refusal::CrossedBook) } else { Ok(()) }
    }

    /// The best bid and the best ask of the others, if the strategy [may trade](Self::may_trade) and there are both: what quotes
    /// are placed from, in one look.
    #[inline]
    #[must_use]
    pub fn touch_to_quote(&self, id: InstrumentId) -> Option<(Price, Price)> {
        self.may_enter(id).ok()?;
        let market = self.market(id).filter(|market| market.trades(id))?;
        let touch = market.books.view(id).touch();
        if !touch.fresh || touch.crossed {
            return None;
        }
        Some((touch.bid?.price, touch.ask?.price))
    }

    /// How many steps the lane's orders in an instrument have taken: while it stays the same, [`orders`](Self::orders) says the same.
    /// It begins anew when a state is loaded.
    #[inline]
    #[must_use]
    pub fn order_steps(&self, id: InstrumentId) -> u64 {
        self.lane.orders.steps_of(id)
    }

    /// The lane's position, of all its strategies together.
    #[inline]
    #[must_use]
    pub fn position(&self, id: InstrumentId) -> Qty {
        self.lane.gate.ledger().account(id).position
    }

    /// The position of the lane, a strategy, a parent order, or nobody.
    #[inline]
    #[must_use]
    pub fn position_of(&self, id: InstrumentId, whose: Whose) -> Qty {
        self.lane.gate.ledger().position(id, whose)
    }

    /// How far the limits would let one new order go.
    #[must_use]
    pub fn limits_left(&self, id: InstrumentId, side: Side) -> Left {
        let Some(row) = self.row(id) else { return Left::default() };
        if self.may_enter(id).is_err() {
            return Left::default();
        }
        self.lane.gate.left((id, row), side, self.lane.now, self.lane.orders.room())
    }

    /// The lane's live orders in an instrument, of all strategies, in the order in which they were sent.
    #[inline]
    pub fn orders(&self, id: InstrumentId) -> impl Iterator<Item = OwnOrder> + use<'a, S> {
        self.live(id).map(OwnOrder::of)
    }

    /// This strategy's.
    #[inline]
    pub fn own(&self, id: InstrumentId) -> impl Iterator<Item = OwnOrder> + use<'a, S> {
        let strategy = self.tags.strategy;
        self.live(id).filter(move |order| order.tags.strategy == strategy).map(OwnOrder::of)
    }

    /// One live order of the lane's.
    #[inline]
    #[must_use]
    pub fn order(&self, order: ClientId) -> Option<OwnOrder> {
        self.lane.orders.get(order).filter(|order| order.is_live()).map(OwnOrder::of)
    }

    /// Whose live order it is.
    pub(in crate::flow) fn owner(&self, order: ClientId) -> Option<StrategyId> {
        self.lane.orders.get(order).filter(|order| order.is_live()).map(|order| order.tags.strategy)
    }

    #[inline]
    fn live(&self, id: InstrumentId) -> impl Iterator<Item = &'a Order> + use<'a, S> {
        let (orders, mut cursor) = (self.lane.orders, Cursor::default());
        core::iter::from_fn(move || orders.next_live_of(id, &mut cursor))
    }
}

impl OwnOrder {
    /// As its strategy sees it.
    #[inline]
    fn of(order: &Order) -> Self {
        let spent = order.executed.plus(order.decremented);
        let (price, open) = match (order.replacing, order.cancelling) {
            (Some(replace), _) => (replace.price, replace.qty.minus(spent)),
            (None, Some(cancel)) => (order.limit, cancel.keep.minus(order.executed)),
            (None, None) => (order.limit, order.open),
        };
        OwnOrder {
            order: order.id,
            instrument: order.instrument,
            tags: order.tags,
            side: order.side,
            mark: order.mark,
            price,
            touch: order.reach().unwrap_or(order.limit),
            open: open.max(Qty::ZERO),
            spent,
            awaits: if order.cancelling.is_some_and(|c| !c.deferred) {
                Awaits::Cancel
            } else if order.replacing.is_some() {
                Awaits::Replace
            } else if order.status == Status::Pending {
                Awaits::Enter
            } else {
                Awaits::Nothing
            },
        }
    }
}
