//! What decides: the shape of a strategy, and two that are useful as they are.
//!
//! A strategy is called after each message about an instrument with a [`Context`], everything it may know, and writes
//! what it wants into [`Actions`]. It does not send: the gate judges each action, and what becomes of it comes back
//! as a [`Change`] or a [`Refusal`].

mod maker;
mod taker;

use super::action::{Action, Change, SellMark, Tags};
use super::book::BookView;
use super::event::Event;
use super::risk::Refusal;
use super::signal::{Signal, fewer};
use crate::base::{
    ClientId, Digest, ExchangeTime, Instrument, InstrumentId, Mono, Price, Qty, Side, State, StrategyId,
};
use alloc::boxed::Box;
use alloc::vec;

pub use maker::{MarketMaker, MarketMakerConfig, Reference};
pub use taker::{ImbalanceTaker, ImbalanceTakerConfig};

/// An own order as its strategy sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnOrder {
    /// Its name.
    pub order: ClientId,
    /// On whose behalf.
    pub tags: Tags,
    /// Its side.
    pub side: Side,
    /// How it sells.
    pub mark: SellMark,
    /// Its limit, once every request on its way is granted.
    pub price: Price,
    /// The most aggressive limit at which it may be live now.
    pub touch: Price,
    /// Shares open, once every request on its way is granted.
    pub open: Qty,
    /// Shares of the whole chain that are gone from its liability: executed, or taken off for meeting our own. A
    /// replace that is to leave `n` open asks for `spent + n`.
    pub spent: Qty,
    /// What it waits for.
    pub awaits: Awaits,
}

/// The latest request on an order that has no answer yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaits {
    /// None: the order is live and quiet.
    Nothing,
    /// The enter.
    Enter,
    /// A replace.
    Replace,
    /// A cancel.
    Cancel,
}

/// Everything that a strategy may know when it decides, about one instrument.
#[derive(Debug)]
pub struct Context<'a, B, S> {
    /// Now.
    pub now: Mono,
    /// The exchange's latest stamp.
    pub at: ExchangeTime,
    /// The instrument.
    pub instrument: InstrumentId,
    /// Its row: tick, lot, multiplier.
    pub row: &'a Instrument,
    /// The event that the book has just taken in; `None` when called for another cause.
    pub event: Option<&'a Event>,
    /// The book, own orders included and told apart.
    pub book: &'a B,
    /// The lane's signals.
    pub signals: &'a S,
    /// May orders be sent: continuous trading, market open, not halted, kill switch released?
    pub tradable: bool,
    /// The lane's position, shared by all strategies of the lane.
    pub position: Qty,
    /// The lane's live orders in the instrument, of all strategies.
    pub orders: &'a [OwnOrder],
    /// What this strategy's orders carry. Strategies of a lane are numbered in the order written, from the lane's
    /// configured number on.
    pub tags: Tags,
}

impl<B, S> Clone for Context<'_, B, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B, S> Copy for Context<'_, B, S> {}

impl<'a, B, S> Context<'a, B, S> {
    /// The signal's value.
    #[inline]
    #[must_use]
    pub fn signal(&self) -> S::Value
    where
        S: Signal<B>,
    {
        self.signals.value(self.instrument, self.book)
    }

    /// Are both market and book fit to trade on: tradable, and the book neither stale nor locked nor crossed?
    #[inline]
    #[must_use]
    pub fn may_trade(&self) -> bool
    where
        B: BookView,
    {
        self.tradable && self.book.freshness().is_fresh() && !self.book.is_crossed()
    }

    /// This strategy's live orders.
    #[inline]
    pub fn own(&self) -> impl Iterator<Item = &'a OwnOrder> + use<'a, B, S> {
        let strategy = self.tags.strategy;
        self.orders.iter().filter(move |order| order.tags.strategy == strategy)
    }

    /// The same for another strategy of the lane.
    #[inline]
    fn of(self, strategy: StrategyId) -> Self {
        Context { tags: Tags { strategy, ..self.tags }, ..self }
    }
}

/// What a strategy asks for in one call: a buffer of fixed capacity. What does not fit is dropped and counted.
#[derive(Debug)]
pub struct Actions {
    list: Box<[Action]>,
    len: usize,
    strategy: StrategyId,
    dropped: u64,
}

impl Actions {
    /// Room for `capacity` actions in one call.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let idle = Action::MassCancel(super::action::MassCancel { instrument: None });
        Actions { list: vec![idle; capacity].into_boxed_slice(), len: 0, strategy: StrategyId(0), dropped: 0 }
    }

    /// The same, for strategies that are numbered from `first` on, as [`Context::tags`] says.
    #[must_use]
    pub fn numbered_from(self, first: StrategyId) -> Self {
        Actions { strategy: first, ..self }
    }

    /// Asks for `action`. An enter gets the tag of the strategy that asks. False: no room.
    #[inline]
    pub fn push(&mut self, action: Action) -> bool {
        let Some(place) = self.list.get_mut(self.len) else {
            self.dropped = self.dropped.saturating_add(1);
            return false;
        };
        *place = action;
        if let Action::Enter(enter) = place {
            enter.tags.strategy = self.strategy;
        }
        self.len = self.len.wrapping_add(1);
        true
    }

    /// What was asked for, in order.
    #[inline]
    #[must_use]
    pub fn list(&self) -> &[Action] {
        self.list.get(..self.len).unwrap_or_default()
    }

    /// Forgets what was asked for.
    #[inline]
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Feeds every value that can change a later output.
    pub(super) fn digest(&self, into: &mut Digest) {
        let Actions { list: _, len, strategy, dropped } = self;
        into.u64(*len as u64);
        self.list().iter().for_each(|action| action.digest(into));
        into.u64(u64::from(strategy.0));
        into.u64(*dropped);
    }

    /// Actions dropped for want of room, ever.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// A strategy for any number of instruments.
///
/// `B` is the kind of book it needs (see [`Signal`]), `S` the signals that it reads. It must be deterministic, and
/// allocate in its constructor only. A pair of strategies is a strategy: they share the lane, in the order written,
/// and each sees its own orders' changes alone.
pub trait Strategy<B, S>: State {
    /// How many strategies it is: each has a [`StrategyId`] of its own.
    const COUNT: u16 = 1;

    /// The instrument's book or trading state has taken in an event.
    fn on_event(&mut self, context: &Context<'_, B, S>, actions: &mut Actions);

    /// One of its orders took a step. The context is that of the order's instrument, the step included.
    fn on_change(&mut self, change: &Change, context: &Context<'_, B, S>, actions: &mut Actions) {
        let _ = (change, context, actions);
    }

    /// An action of its own was refused by the gate. Of a replace or cancel it is told as of an enter; ask again later,
    /// not at once.
    fn on_refusal(&mut self, action: &Action, why: Refusal, context: &Context<'_, B, S>) {
        let _ = (action, why, context);
    }

    /// The deadline it asked for has come, of the instrument that it named. It may come early.
    fn on_timer(&mut self, context: &Context<'_, B, S>, actions: &mut Actions) {
        let _ = (context, actions);
    }

    /// The instrument may have become fit to trade on, or unfit, without an event about it: a gap opened or closed, a
    /// snapshot came, the market opened or closed, the kill switch was thrown or released. Called once for each
    /// instrument of the lane, changed or not.
    fn on_notice(&mut self, context: &Context<'_, B, S>, actions: &mut Actions) {
        let _ = (context, actions);
    }

    /// For how many instruments it was built; `None`: for any number.
    fn instruments(&self) -> Option<usize> {
        None
    }

    /// When it wants [`on_timer`](Self::on_timer) next, and for which instrument. One that is called must ask for
    /// something else: a strategy whose deadline stands still is stopped.
    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        None
    }
}

/// No strategy: a lane that only listens.
impl<B, S> Strategy<B, S> for () {
    fn on_event(&mut self, _: &Context<'_, B, S>, _: &mut Actions) {}
}

impl<B, S, X: Strategy<B, S>, Y: Strategy<B, S>> Strategy<B, S> for (X, Y) {
    const COUNT: u16 = X::COUNT.saturating_add(Y::COUNT);

    #[inline]
    fn on_event(&mut self, context: &Context<'_, B, S>, actions: &mut Actions) {
        self.0.on_event(context, actions);
        let second = second::<B, S, X>(context.tags.strategy);
        actions.by(second, |actions| self.1.on_event(&context.of(second), actions));
    }

    fn on_change(&mut self, change: &Change, context: &Context<'_, B, S>, actions: &mut Actions) {
        let second = second::<B, S, X>(context.tags.strategy);
        if change.tags.strategy < second {
            self.0.on_change(change, context, actions);
        } else {
            actions.by(second, |actions| self.1.on_change(change, &context.of(second), actions));
        }
    }

    fn on_refusal(&mut self, action: &Action, why: Refusal, context: &Context<'_, B, S>) {
        let second = second::<B, S, X>(context.tags.strategy);
        let asked_by = match action {
            Action::Enter(enter) => Some(enter.tags.strategy),
            Action::Replace(replace) => owner(context.orders, replace.order),
            Action::Cancel(cancel) => owner(context.orders, cancel.order),
            Action::MassCancel(_) => None,
        };
        // Who asked is not known of a mass cancel, or when the order has gone: both are told.
        if asked_by.is_none_or(|id| id < second) {
            self.0.on_refusal(action, why, context);
        }
        if asked_by.is_none_or(|id| id >= second) {
            self.1.on_refusal(action, why, &context.of(second));
        }
    }

    fn on_timer(&mut self, context: &Context<'_, B, S>, actions: &mut Actions) {
        self.0.on_timer(context, actions);
        let second = second::<B, S, X>(context.tags.strategy);
        actions.by(second, |actions| self.1.on_timer(&context.of(second), actions));
    }

    fn on_notice(&mut self, context: &Context<'_, B, S>, actions: &mut Actions) {
        self.0.on_notice(context, actions);
        let second = second::<B, S, X>(context.tags.strategy);
        actions.by(second, |actions| self.1.on_notice(&context.of(second), actions));
    }

    fn instruments(&self) -> Option<usize> {
        fewer(self.0.instruments(), self.1.instruments())
    }

    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        match (self.0.next_deadline(), self.1.next_deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

/// The id of the strategy after `X`, which begins at `first`.
#[inline]
fn second<B, S, X: Strategy<B, S>>(first: StrategyId) -> StrategyId {
    StrategyId(first.0.saturating_add(X::COUNT))
}

fn owner(orders: &[OwnOrder], order: ClientId) -> Option<StrategyId> {
    orders.iter().find(|own| own.order == order).map(|own| own.tags.strategy)
}

impl Actions {
    /// What `ask` asks for carries the tag of `strategy`.
    #[inline]
    fn by(&mut self, strategy: StrategyId, ask: impl FnOnce(&mut Self)) {
        let before = core::mem::replace(&mut self.strategy, strategy);
        ask(self);
        self.strategy = before;
    }
}
