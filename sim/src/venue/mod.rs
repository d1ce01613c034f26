//! A venue in one thread: matching engine, order-entry acceptor, publisher.
//!
//! It is the gateway's counterpart and its judge, so it shares byte layouts and base units with it and nothing else.
//!
//! [`market`] has the words, and the trait between order entry and whatever trades; [`engine`] trades ([`book`],
//! [`auction`]) and speaks to everyone ([`announce`]); [`acceptor`] holds the sessions, [`port`] the orders of one of
//! them, [`rules`] what OUCH asks and what its quantities mean, [`farewell`] why a client goes. [`Venue`] is all of that together. Its messages go out
//! through the [`publisher`], again through [`rerequest`], as state through [`glimpse`], and by levels through [`levels`].

pub mod acceptor;
pub mod announce;
mod answers;
pub mod auction;
pub mod book;
pub mod engine;
pub mod farewell;
pub mod glimpse;
pub mod levels;
pub mod market;
pub mod port;
pub mod publisher;
pub mod rerequest;
pub mod rules;

use crate::rng::Rng;
use acceptor::{Acceptor, ConnId, Output, PortConfig};
use engine::{Engine, EngineConfig, Phase, TradingState};
use farewell::{Name, Remark};
use firelane_gateway::base::{ExchangeTime, Mono, Price, Symbol, VenueRef};
use firelane_gateway::flow::wire::ouch50::{AppendageOption, RestatedReason};
use firelane_gateway::flow::wire::soupbintcp::Password;
use market::{BreakReason, CancelReason, CrossKind, Effect, Market, NewOrder, Refusal};
use port::{OrderKey, Port, Trick};

/// The venue: order entry and background flow meet in one engine, which publishes one feed.
///
/// Time is the caller's monotonic clock. After any call, take what is to be sent: [`Venue::take_outputs`] for the
/// order-entry connections, [`Venue::take_messages`] for the feed.
#[derive(Debug)]
pub struct Venue {
    engine: Engine,
    acceptor: Acceptor,
}

impl Venue {
    /// A venue before its day. `epoch` is the exchange's time when the caller's clock is zero.
    #[must_use]
    pub fn new(epoch: ExchangeTime, engine: &EngineConfig, ports: Vec<PortConfig>) -> Self {
        Venue { engine: Engine::new(engine), acceptor: Acceptor::new(epoch, ports) }
    }

    /// The engine: books, trades, snapshot.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A port: orders, fills, positions.
    #[must_use]
    pub fn port(&self, index: u16) -> Option<&Port> {
        self.acceptor.port(index)
    }

    /// What is to be said of the ports' clients since the last call: [`Acceptor::take_remarks`].
    pub fn take_remarks(&mut self) -> Vec<(u16, Remark, u64)> {
        self.acceptor.take_remarks()
    }

    /// The name that a connection's client tried to log in with.
    #[must_use]
    pub fn tried(&self, conn: ConnId) -> Option<Name> {
        self.acceptor.tried(conn)
    }

    /// The connection over which a port's client is logged in.
    #[must_use]
    pub fn logged_in(&self, port: u16) -> Option<ConnId> {
        self.acceptor.login_of(port)
    }

    /// Who may log in at a port.
    #[must_use]
    pub fn user(&self, port: u16) -> Option<[u8; 6]> {
        self.acceptor.user(port)
    }

    /// The exchange's time at an instant of the caller's clock.
    #[must_use]
    pub fn exchange_time(&self, now: Mono) -> ExchangeTime {
        self.acceptor.exchange_time(now)
    }

    /// ITCH messages since the last call, in order.
    pub fn take_messages(&mut self) -> Vec<Vec<u8>> {
        self.engine.take_messages()
    }

    /// What a snapshot of this moment holds, without its last message.
    #[must_use]
    pub fn snapshot(&self, now: Mono) -> Vec<Vec<u8>> {
        self.engine.snapshot(self.exchange_time(now))
    }

    /// What is to be done with order-entry connections since the last call, in order.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        self.acceptor.take_outputs()
    }

    /// What must be true between any two calls.
    ///
    /// # Errors
    /// What is not.
    pub fn check(&self) -> Result<(), String> {
        self.engine.check()?;
        self.acceptor.ports().try_for_each(Port::check)
    }

    // ---- Order entry -----------------------------------------------------------------------------------------

    /// Gives away the passwords of its ports: [`Acceptor::take_passwords`].
    pub fn take_passwords(&mut self) -> Vec<Password> {
        self.acceptor.take_passwords()
    }

    /// A client connected to the address of a port.
    pub fn on_connect(&mut self, now: Mono, conn: ConnId, port: u16) {
        self.acceptor.on_connect(now, conn, port);
    }

    /// Bytes from a client.
    pub fn on_bytes(&mut self, now: Mono, conn: ConnId, bytes: &[u8]) {
        self.acceptor.on_bytes(now, conn, bytes, &mut self.engine);
    }

    /// A client's connection is gone.
    pub fn on_close(&mut self, now: Mono, conn: ConnId) {
        self.acceptor.on_close(now, conn, &mut self.engine);
    }

    /// Time has passed.
    pub fn on_timer(&mut self, now: Mono) {
        self.acceptor.on_timer(now, &mut self.engine);
    }

    /// When [`Venue::on_timer`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.acceptor.next_deadline()
    }

    // ---- Background flow -------------------------------------------------------------------------------------

    /// A new order that nobody's port entered. Returns what happened, to any order; the first effect is its own.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn enter(&mut self, now: Mono, order: NewOrder) -> Result<Vec<Effect>, Refusal> {
        let order = NewOrder { owner: None, ..order };
        self.act(now, |engine, at, effects| engine.enter(at, order, effects))
    }

    /// Replaces an order of the background flow.
    ///
    /// # Errors
    /// [`Refusal`]; [`Refusal::UnknownOrder`] also for an order of a port.
    pub fn replace(&mut self, now: Mono, original: VenueRef, order: NewOrder) -> Result<Vec<Effect>, Refusal> {
        self.background(original)?;
        let order = NewOrder { owner: None, ..order };
        self.act(now, |engine, at, effects| engine.replace(at, original, order, effects))
    }

    /// Reduces an order of the background flow to `open` shares; 0 cancels it.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`], also for an order of a port.
    pub fn reduce(&mut self, now: Mono, order: VenueRef, open: u32) -> Result<Vec<Effect>, Refusal> {
        self.background(order)?;
        self.act(now, |engine, at, effects| engine.reduce(at, order, open, CancelReason::User, effects))
    }

    fn background(&self, order: VenueRef) -> Result<(), Refusal> {
        let found = self.engine.order(order).filter(|order| order.owner.is_none());
        found.map(|_| ()).ok_or(Refusal::UnknownOrder)
    }

    /// Does something in the engine and tells the owners of what happened.
    fn act<E>(
        &mut self,
        now: Mono,
        deed: impl FnOnce(&mut Engine, ExchangeTime, &mut Vec<Effect>) -> Result<(), E>,
    ) -> Result<Vec<Effect>, E> {
        let mut effects = Vec::new();
        deed(&mut self.engine, self.acceptor.exchange_time(now), &mut effects)?;
        self.acceptor.on_effects(now, &effects);
        Ok(effects)
    }

    // ---- The exchange ----------------------------------------------------------------------------------------

    /// The day moves on.
    pub fn set_phase(&mut self, now: Mono, phase: Phase) {
        if phase == Phase::System {
            self.acceptor.system_event(now, true);
        }
        let done: Result<_, Refusal> = self.act(now, |engine, at, effects| {
            engine.set_phase(at, phase, effects);
            Ok(())
        });
        debug_assert!(done.is_ok());
        if phase == Phase::Ended {
            self.acceptor.system_event(now, false);
        }
    }

    /// Opens the day: directory, system hours, market hours.
    pub fn open(&mut self, now: Mono) {
        for phase in [Phase::Messages, Phase::System, Phase::Market] {
            self.set_phase(now, phase);
        }
    }

    /// Ends the day: the market closes, what rests is cancelled, every port is told, and its session is over for good.
    pub fn end_day(&mut self, now: Mono) {
        let ahead: &[Phase] = match self.engine.phase() {
            Phase::After => &[Phase::Ended, Phase::Done],
            Phase::Ended => &[Phase::Done],
            Phase::Done => &[],
            Phase::Before | Phase::Messages | Phase::System | Phase::Market => {
                &[Phase::After, Phase::Ended, Phase::Done]
            }
        };
        for phase in ahead {
            self.set_phase(now, *phase);
        }
        for port in 0..self.acceptor.count() {
            self.end_session(now, port);
        }
    }

    /// Sets the trading state of an instrument.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn set_state(
        &mut self,
        now: Mono,
        symbol: Symbol,
        state: TradingState,
        reason: [u8; 4],
    ) -> Result<Vec<Effect>, Refusal> {
        self.act(now, |engine, at, effects| engine.set_state(at, symbol, state, reason, effects))
    }

    /// This market's own halt of an instrument begins or ends.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn set_operational_halt(&mut self, now: Mono, symbol: Symbol, halted: bool) -> Result<(), Refusal> {
        let at = self.exchange_time(now);
        self.engine.set_operational_halt(at, symbol, halted)
    }

    /// Sets the Regulation SHO price test of an instrument: `0`, `1` or `2`.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn set_reg_sho(&mut self, now: Mono, symbol: Symbol, action: u8) -> Result<(), Refusal> {
        let at = self.exchange_time(now);
        self.engine.set_reg_sho(at, symbol, action)
    }

    /// Orders for an auction can from now on neither join nor leave it.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn freeze(&mut self, symbol: Symbol, kind: CrossKind) -> Result<(), Refusal> {
        self.engine.freeze(symbol, kind)
    }

    /// Publishes an informational ITCH message as it is.
    pub fn publish(&mut self, message: &[u8]) {
        self.engine.publish(message);
    }

    /// Breaks a trade for all its parties.
    ///
    /// # Errors
    /// [`Refusal`]: no such trade, or broken already.
    pub fn break_trade(&mut self, now: Mono, trade: u64, reason: BreakReason) -> Result<(), Refusal> {
        self.acceptor.break_trade(now, trade, reason, &mut self.engine)
    }

    /// Corrects the price of a trade. False if no port was party to it.
    pub fn correct_trade(&mut self, now: Mono, trade: u64, price: Price) -> bool {
        self.acceptor.correct_trade(now, trade, price)
    }

    /// Restates a live order of a port. False if there is no such order.
    pub fn restate(
        &mut self,
        now: Mono,
        port: u16,
        order: OrderKey,
        reason: RestatedReason,
        options: &[AppendageOption],
    ) -> bool {
        self.acceptor.restate(now, port, order, reason, options)
    }

    /// Moves a live order of a port behind the queue of its price, under a new reference.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`].
    pub fn reprioritise(&mut self, now: Mono, port: u16, order: OrderKey) -> Result<(), Refusal> {
        self.acceptor.reprioritise(now, port, order, &mut self.engine)
    }

    /// Plays a trick on a port's client. False: there is no such port, or no occasion.
    pub fn trick(&mut self, now: Mono, port: u16, trick: Trick, rng: &mut Rng) -> bool {
        self.acceptor.trick(now, port, trick, rng, &mut self.engine)
    }

    /// Ends the session of a port for good.
    pub fn end_session(&mut self, now: Mono, port: u16) {
        self.acceptor.end_session(now, port, &mut self.engine);
    }
}
