//! What decides: the shape of a strategy, and three that are useful as they are.
//!
//! A strategy is called after each message about an instrument with a [`View`] of the lane, everything it may know, and
//! writes what it wants into [`Actions`]. It does not send: the gate judges each action, and what becomes of it comes back
//! as a [`Change`] or a [`Refusal`].

mod gated;
mod maker;
mod taker;
mod tracker;
mod view;

use super::action::{Action, Change, SellMark, Tags};
use super::command::{Command, Heard};
use super::event::Event;
use super::risk::Refusal;
use super::signal::{Signal, fewer};
use crate::base::{ClientId, InstrumentId, LoadError, Mono, Price, Qty, Reader, Save, Side, State, StrategyId, Value};
use alloc::boxed::Box;
use alloc::vec;

pub use gated::{Gated, Held};
pub use maker::{MarketMaker, MarketMakerConfig, Reference};
pub use taker::{ImbalanceTaker, ImbalanceTakerConfig};
pub use tracker::{Expired, TargetTracker, TargetTrackerConfig};
pub use view::{Sources, View};

/// An own order as its strategy sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnOrder {
    /// Its name.
    pub order: ClientId,
    /// Its instrument.
    pub instrument: InstrumentId,
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

    /// The same, for strategies that are numbered from `first` on, as [`View::tags`] says.
    #[must_use]
    pub fn numbered_from(self, first: StrategyId) -> Self {
        Actions { strategy: first, ..self }
    }

    /// How often something was asked for, with or without room.
    #[inline]
    pub(crate) fn asked(&self) -> u64 {
        self.dropped.saturating_add(self.len as u64)
    }

    /// Asks for `action`. An enter gets the tag of the strategy that asks. False: no room.
    #[inline(always)]
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

    /// Takes back those asked for from the place `from` on that `keep` does not want. How many they were.
    pub(in crate::flow) fn retain(&mut self, from: usize, mut keep: impl FnMut(&Action) -> bool) -> u64 {
        let (mut kept, len) = (from, self.len);
        for at in from..len {
            let Some(action) = self.list.get(at).copied().filter(|action| keep(action)) else { continue };
            if let Some(place) = self.list.get_mut(kept) {
                *place = action;
            }
            kept = kept.saturating_add(1);
        }
        self.len = kept.min(len);
        len.saturating_sub(self.len) as u64
    }

    /// Forgets what was asked for.
    #[inline]
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Actions dropped for want of room, ever.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// What was asked for and is not judged yet: nothing, between inputs.
impl State for Actions {
    fn save(&self, into: &mut dyn Save) {
        let Actions { list: _, len, strategy, dropped } = self;
        into.count(*len);
        self.list().iter().for_each(|action| action.put(into));
        strategy.put(into);
        dropped.put(into);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.clear();
        let count = from.count(self.list.len())?;
        for place in self.list.iter_mut().take(count) {
            *place = from.value()?;
        }
        self.len = count;
        self.strategy = from.value()?;
        self.dropped = from.value()?;
        Ok(())
    }
}

/// A strategy for any number of instruments.
///
/// `S` are the signals that it reads. It must be deterministic, and allocate in its constructor only. A pair of strategies
/// is a strategy: they share the lane, in the order written, and each sees its own orders' changes alone.
pub trait Strategy<S: Signal>: State {
    /// How many strategies it is: each has a [`StrategyId`] of its own.
    const COUNT: u16 = 1;

    /// The book or the trading state of `id` has taken in an event.
    fn on_event(&mut self, id: InstrumentId, event: &Event, view: &View<'_, S>, ask: &mut Actions);

    /// One of its orders took a step, which the view includes.
    fn on_change(&mut self, change: &Change, view: &View<'_, S>, ask: &mut Actions) {
        let _ = (change, view, ask);
    }

    /// An action of its own, about `id`, was refused by the gate. Of a replace or cancel it is told as of an enter; ask
    /// again later, not at once.
    fn on_refusal(&mut self, id: InstrumentId, action: &Action, why: Refusal, view: &View<'_, S>) {
        let _ = (id, action, why, view);
    }

    /// The deadline it asked for has come, of the instrument that it named. It may come early.
    fn on_timer(&mut self, id: InstrumentId, view: &View<'_, S>, ask: &mut Actions) {
        let _ = (id, view, ask);
    }

    /// The instrument may have become fit to trade on, or unfit, without an event about it: a gap opened or closed, a
    /// snapshot came, the market opened or closed, the kill switch was thrown or released. Called once for each
    /// instrument of the lane, changed or not.
    fn on_notice(&mut self, id: InstrumentId, view: &View<'_, S>, ask: &mut Actions) {
        let _ = (id, view, ask);
    }

    /// The lane has taken a command, and done what is its to do. Strategies hear all commands but those to another
    /// strategy and those to a feed, those that stop them included; what is asked for while they may not act is dropped.
    ///
    /// What it says to a word that is for strategies ([`Word::Target`](super::command::Word::Target) and those after it)
    /// is the answer to whoever gave the command; of other words nobody asks.
    fn on_command(&mut self, command: &Command<'_>, view: &View<'_, S>, ask: &mut Actions) -> Heard {
        let _ = (command, view, ask);
        Heard::NotMine
    }

    /// For how many instruments it was built; `None`: for any number.
    fn instruments(&self) -> Option<usize> {
        None
    }

    /// Hands out what it has counted, by name, each a `strategy.NAME` in every report.
    fn counters(&self, put: &mut dyn FnMut(&'static str, u64)) {
        let _ = put;
    }

    /// When it wants [`on_timer`](Self::on_timer) next, and for which instrument. One that is called must ask for
    /// something else: a strategy whose deadline stands still is stopped.
    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        None
    }
}

/// No strategy: a lane that only listens.
impl<S: Signal> Strategy<S> for () {
    #[inline(always)]
    fn on_event(&mut self, _: InstrumentId, _: &Event, _: &View<'_, S>, _: &mut Actions) {}
}

impl<S: Signal, X: Strategy<S>, Y: Strategy<S>> Strategy<S> for (X, Y) {
    const COUNT: u16 = X::COUNT.saturating_add(Y::COUNT);

    #[inline]
    fn on_event(&mut self, id: InstrumentId, event: &Event, view: &View<'_, S>, ask: &mut Actions) {
        self.0.on_event(id, event, view, ask);
        let second = second::<S, X>(view);
        ask.by(second, |ask| self.1.on_event(id, event, &view.of(second), ask));
    }

    fn on_change(&mut self, change: &Change, view: &View<'_, S>, ask: &mut Actions) {
        let second = second::<S, X>(view);
        if change.tags.strategy < second {
            self.0.on_change(change, view, ask);
        } else {
            ask.by(second, |ask| self.1.on_change(change, &view.of(second), ask));
        }
    }

    fn on_refusal(&mut self, id: InstrumentId, action: &Action, why: Refusal, view: &View<'_, S>) {
        let second = second::<S, X>(view);
        let asked_by = match action {
            Action::Enter(enter) => Some(enter.tags.strategy),
            Action::Replace(replace) => view.owner(replace.order),
            Action::Cancel(cancel) => view.owner(cancel.order),
            Action::MassCancel(_) => None,
        };
        // Who asked is not known of a mass cancel, or when the order has gone: both are told.
        if asked_by.is_none_or(|strategy| strategy < second) {
            self.0.on_refusal(id, action, why, view);
        }
        if asked_by.is_none_or(|strategy| strategy >= second) {
            self.1.on_refusal(id, action, why, &view.of(second));
        }
    }

    fn on_timer(&mut self, id: InstrumentId, view: &View<'_, S>, ask: &mut Actions) {
        self.0.on_timer(id, view, ask);
        let second = second::<S, X>(view);
        ask.by(second, |ask| self.1.on_timer(id, &view.of(second), ask));
    }

    fn on_notice(&mut self, id: InstrumentId, view: &View<'_, S>, ask: &mut Actions) {
        self.0.on_notice(id, view, ask);
        let second = second::<S, X>(view);
        ask.by(second, |ask| self.1.on_notice(id, &view.of(second), ask));
    }

    fn on_command(&mut self, command: &Command<'_>, view: &View<'_, S>, ask: &mut Actions) -> Heard {
        let second = second::<S, X>(view);
        let (mut first, mut other) = (Heard::NotMine, Heard::NotMine);
        if command.to.strategy.is_none_or(|strategy| strategy < second) {
            first = self.0.on_command(command, view, ask);
        }
        if command.to.strategy.is_none_or(|strategy| strategy >= second) {
            ask.by(second, |ask| other = self.1.on_command(command, &view.of(second), ask));
        }
        first.or(other)
    }

    fn instruments(&self) -> Option<usize> {
        fewer(self.0.instruments(), self.1.instruments())
    }

    fn counters(&self, put: &mut dyn FnMut(&'static str, u64)) {
        self.0.counters(put);
        self.1.counters(put);
    }

    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        match (self.0.next_deadline(), self.1.next_deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

/// The id of the strategy after `X`, which begins where the view does.
#[inline]
fn second<S: Signal, X: Strategy<S>>(view: &View<'_, S>) -> StrategyId {
    StrategyId(view.tags().strategy.0.saturating_add(X::COUNT))
}

impl Actions {
    /// What `ask` asks for carries the tag of `strategy`.
    #[inline]
    pub(in crate::flow) fn by(&mut self, strategy: StrategyId, ask: impl FnOnce(&mut Self)) {
        let before = core::mem::replace(&mut self.strategy, strategy);
        ask(self);
        self.strategy = before;
    }
}
