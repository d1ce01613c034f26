//! Signals and strategies that are chosen at run time: as many as a configuration names, side by side in one lane.
//!
//! A pair is the same, chosen by the compiler: then all is one function tree. Here each event costs a virtual call a signal
//! and a virtual call a strategy, and a strategy finds its signal by its place and compares one type's number; nothing is
//! allocated or searched after construction. A strategy is written once, for either.

use super::action::{Action, Change};
use super::book::BookRef;
use super::command::{Command, Heard};
use super::event::Event;
use super::risk::Refusal;
use super::signal::{Said, Signal, fewer};
use super::strategy::{Actions, Strategy, View};
use super::venue::Markets;
use crate::base::{InstrumentId, LoadError, Mono, OutOfRange, Reader, Save, State, StrategyId, VenueId};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;
use core::marker::PhantomData;

/// The most of each in a lane, those within a pair counted.
pub const MOST: u16 = 16;

/// Any [`Signal`], without its type.
pub trait AnySignal: State + Any + Send {
    /// See [`Signal::COUNT`].
    fn count(&self) -> u16;
    /// See [`Signal::on_event`].
    fn on_event(&mut self, now: Mono, instrument: InstrumentId, event: &Event, book: BookRef<'_>, say: &mut Said<'_>);
    /// See [`Signal::on_anew`].
    fn on_anew(&mut self, venue: VenueId);
    /// See [`Signal::next_deadline`].
    fn next_deadline(&self) -> Mono;
    /// See [`Signal::on_timer`].
    fn on_timer(&mut self, now: Mono, markets: Markets<'_>, say: &mut Said<'_>);
    /// See [`Signal::instruments`].
    fn instruments(&self) -> Option<usize>;
    /// See [`Signal::counters`].
    fn counters(&self, put: &mut dyn FnMut(&'static str, u64));
}

impl<G: Signal + Any + Send> AnySignal for G {
    fn count(&self) -> u16 {
        G::COUNT
    }
    fn on_event(&mut self, now: Mono, instrument: InstrumentId, event: &Event, book: BookRef<'_>, say: &mut Said<'_>) {
        Signal::on_event(self, now, instrument, event, book, say);
    }
    fn on_anew(&mut self, venue: VenueId) {
        Signal::on_anew(self, venue);
    }
    fn next_deadline(&self) -> Mono {
        Signal::next_deadline(self)
    }
    fn on_timer(&mut self, now: Mono, markets: Markets<'_>, say: &mut Said<'_>) {
        Signal::on_timer(self, now, markets, say);
    }
    fn instruments(&self) -> Option<usize> {
        Signal::instruments(self)
    }
    fn counters(&self, put: &mut dyn FnMut(&'static str, u64)) {
        Signal::counters(self, put);
    }
}

/// Signals side by side, numbered on the tape in their order. They have no value together: each strategy reads its own.
#[allow(missing_debug_implementations)] // the user's parts need not have it
pub struct Signals {
    list: Box<[Box<dyn AnySignal>]>,
}

impl Signals {
    /// These, in this order.
    ///
    /// # Errors
    /// [`OutOfRange`]: there are more than [`MOST`].
    pub fn new(list: Vec<Box<dyn AnySignal>>) -> Result<Self, OutOfRange> {
        let count = list.iter().fold(0_u16, |sum, signal| sum.saturating_add(signal.count()));
        OutOfRange::unless(count <= MOST, "signals", "at most 16")?;
        Ok(Signals { list: list.into_boxed_slice() })
    }

    /// Where the first of a type is.
    #[must_use]
    pub fn find<G: Signal + Any>(&self) -> Option<usize> {
        self.list.iter().position(|signal| {
            let any: &dyn Any = &**signal;
            any.is::<G>()
        })
    }

    /// The one at a place. `None`: it is of another type.
    #[inline]
    #[must_use]
    pub fn get<G: Signal + Any>(&self, at: usize) -> Option<&G> {
        let any: &dyn Any = &**self.list.get(at)?;
        any.downcast_ref()
    }
}

/// As many as there are were built, in the order in which they were named.
impl State for Signals {
    fn save(&self, into: &mut dyn Save) {
        let Signals { list } = self;
        list.iter().for_each(|signal| signal.save(into));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.list.iter_mut().try_for_each(|signal| signal.load(from))
    }
}

impl Signal for Signals {
    type Value = ();

    const COUNT: u16 = MOST;

    fn on_event(&mut self, now: Mono, instrument: InstrumentId, event: &Event, book: BookRef<'_>, say: &mut Said<'_>) {
        let mut number = 0_u16;
        for signal in &mut self.list {
            say.by(number, |say| signal.on_event(now, instrument, event, book, say));
            number = number.saturating_add(signal.count());
        }
    }

    fn on_anew(&mut self, venue: VenueId) {
        self.list.iter_mut().for_each(|signal| signal.on_anew(venue));
    }

    fn next_deadline(&self) -> Mono {
        self.list.iter().map(|signal| signal.next_deadline()).min().unwrap_or(Mono::NEVER)
    }

    fn on_timer(&mut self, now: Mono, markets: Markets<'_>, say: &mut Said<'_>) {
        let mut number = 0_u16;
        for signal in &mut self.list {
            if signal.next_deadline() <= now {
                say.by(number, |say| signal.on_timer(now, markets, say));
            }
            number = number.saturating_add(signal.count());
        }
    }

    fn instruments(&self) -> Option<usize> {
        self.list.iter().fold(None, |all, signal| fewer(all, signal.instruments()))
    }

    fn counters(&self, put: &mut dyn FnMut(&'static str, u64)) {
        self.list.iter().for_each(|signal| signal.counters(put));
    }

    fn value(&self, _: InstrumentId, _: BookRef<'_>) {}
}

/// Any [`Strategy`] that reads one of [`Signals`], without its type.
pub trait AnyStrategy: State + Send {
    /// See [`Strategy::COUNT`].
    fn count(&self) -> u16;
    /// See [`Strategy::on_event`].
    fn on_event(&mut self, id: InstrumentId, event: &Event, view: &View<'_, Signals>, ask: &mut Actions);
    /// See [`Strategy::on_change`].
    fn on_change(&mut self, change: &Change, view: &View<'_, Signals>, ask: &mut Actions);
    /// See [`Strategy::on_refusal`].
    fn on_refusal(&mut self, id: InstrumentId, action: &Action, why: Refusal, view: &View<'_, Signals>);
    /// See [`Strategy::on_timer`].
    fn on_timer(&mut self, id: InstrumentId, view: &View<'_, Signals>, ask: &mut Actions);
    /// See [`Strategy::on_notice`].
    fn on_notice(&mut self, id: InstrumentId, view: &View<'_, Signals>, ask: &mut Actions);
    /// See [`Strategy::on_command`].
    fn on_command(&mut self, command: &Command<'_>, view: &View<'_, Signals>, ask: &mut Actions) -> Heard;
    /// See [`Strategy::instruments`].
    fn instruments(&self) -> Option<usize>;
    /// See [`Strategy::counters`].
    fn counters(&self, put: &mut dyn FnMut(&'static str, u64));
    /// See [`Strategy::next_deadline`].
    fn next_deadline(&self) -> Option<(Mono, InstrumentId)>;
}

impl View<'_, Signals> {
    /// The same lane for a strategy that reads the signal at a place. `None`: it is of another type.
    #[inline]
    fn reading<G: Signal + Any>(&self, at: usize) -> Option<View<'_, G>> {
        Some(self.with_signals(self.signals().get::<G>(at)?))
    }
}

/// A strategy, and where its signal is.
#[derive(Debug)]
pub struct Reads<G, S> {
    strategy: S,
    at: usize,
    signal: PhantomData<fn() -> G>,
}

impl<G: Signal + Any, S: Strategy<G>> Reads<G, S> {
    /// `strategy`, which reads the first of these signals that is a `G`. `None`: there is none.
    #[must_use]
    pub fn of(strategy: S, signals: &Signals) -> Option<Self> {
        Some(Reads { strategy, at: signals.find::<G>()?, signal: PhantomData })
    }
}

crate::state! { [G: Signal, S: Strategy<G>] Reads[G, S] { strategy } without { at, signal } }

impl<G: Signal + Any, S: Strategy<G> + Send> AnyStrategy for Reads<G, S> {
    fn count(&self) -> u16 {
        S::COUNT
    }
    fn on_event(&mut self, id: InstrumentId, event: &Event, view: &View<'_, Signals>, ask: &mut Actions) {
        if let Some(view) = view.reading::<G>(self.at) {
            self.strategy.on_event(id, event, &view, ask);
        }
    }
    fn on_change(&mut self, change: &Change, view: &View<'_, Signals>, ask: &mut Actions) {
        if let Some(view) = view.reading::<G>(self.at) {
            self.strategy.on_change(change, &view, ask);
        }
    }
    fn on_refusal(&mut self, id: InstrumentId, action: &Action, why: Refusal, view: &View<'_, Signals>) {
        if let Some(view) = view.reading::<G>(self.at) {
            self.strategy.on_refusal(id, action, why, &view);
        }
    }
    fn on_timer(&mut self, id: InstrumentId, view: &View<'_, Signals>, ask: &mut Actions) {
        if let Some(view) = view.reading::<G>(self.at) {
            self.strategy.on_timer(id, &view, ask);
        }
    }
    fn on_notice(&mut self, id: InstrumentId, view: &View<'_, Signals>, ask: &mut Actions) {
        if let Some(view) = view.reading::<G>(self.at) {
            self.strategy.on_notice(id, &view, ask);
        }
    }
    fn on_command(&mut self, command: &Command<'_>, view: &View<'_, Signals>, ask: &mut Actions) -> Heard {
        let view = view.reading::<G>(self.at);
        view.map_or(Heard::NotMine, |view| self.strategy.on_command(command, &view, ask))
    }
    fn instruments(&self) -> Option<usize> {
        self.strategy.instruments()
    }
    fn counters(&self, put: &mut dyn FnMut(&'static str, u64)) {
        self.strategy.counters(put);
    }
    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        self.strategy.next_deadline()
    }
}

struct Member {
    strategy: Box<dyn AnyStrategy>,
    /// How many strategies stand before it.
    before: u16,
}

impl Member {
    /// Its first number, where the lane's begin as the view says.
    #[inline]
    fn id(&self, view: &View<'_, Signals>) -> StrategyId {
        StrategyId(view.tags().strategy.0.saturating_add(self.before))
    }
}

/// Strategies side by side: they share the lane, in the order named, and each sees its own orders' changes alone. The lane
/// keeps [`MOST`] numbers for them, however many they are.
#[allow(missing_debug_implementations)] // the user's parts need not have it
pub struct Strategies {
    list: Box<[Member]>,
}

impl Strategies {
    /// These, in this order.
    ///
    /// # Errors
    /// [`OutOfRange`]: there are more than [`MOST`].
    pub fn new(list: Vec<Box<dyn AnyStrategy>>) -> Result<Self, OutOfRange> {
        let mut before = 0_u16;
        let member = |strategy: Box<dyn AnyStrategy>| {
            let member = Member { before, strategy };
            before = before.saturating_add(member.strategy.count());
            member
        };
        let list = list.into_iter().map(member).collect();
        OutOfRange::unless(before <= MOST, "strategies", "at most 16")?;
        Ok(Strategies { list })
    }

    /// Each in its turn, with what is its own.
    #[inline]
    fn each(
        &mut self,
        view: &View<'_, Signals>,
        ask: &mut Actions,
        mut tell: impl FnMut(&mut dyn AnyStrategy, &View<'_, Signals>, &mut Actions),
    ) {
        for member in &mut self.list {
            let id = member.id(view);
            ask.by(id, |ask| tell(&mut *member.strategy, &view.of(id), ask));
        }
    }

    /// Whose the strategy of this number is: of what an earlier run left under other numbers, the nearest.
    fn owner(&mut self, strategy: StrategyId, view: &View<'_, Signals>) -> Option<&mut Member> {
        let behind = self.list.iter().position(|member| member.id(view) > strategy).unwrap_or(self.list.len());
        self.list.get_mut(behind.saturating_sub(1))
    }
}

impl State for Strategies {
    fn save(&self, into: &mut dyn Save) {
        let Strategies { list } = self;
        list.iter().for_each(|Member { strategy, before: _ }| strategy.save(into));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.list.iter_mut().try_for_each(|member| member.strategy.load(from))
    }
}

impl Strategy<Signals> for Strategies {
    const COUNT: u16 = MOST;

    #[inline]
    fn on_event(&mut self, id: InstrumentId, event: &Event, view: &View<'_, Signals>, ask: &mut Actions) {
        self.each(view, ask, |one, view, ask| one.on_event(id, event, view, ask));
    }

    fn on_change(&mut self, change: &Change, view: &View<'_, Signals>, ask: &mut Actions) {
        if let Some(member) = self.owner(change.tags.strategy, view) {
            let id = member.id(view);
            ask.by(id, |ask| member.strategy.on_change(change, &view.of(id), ask));
        }
    }

    fn on_refusal(&mut self, id: InstrumentId, action: &Action, why: Refusal, view: &View<'_, Signals>) {
        let asked_by = match action {
            Action::Enter(enter) => Some(enter.tags.strategy),
            Action::Replace(replace) => view.owner(replace.order),
            Action::Cancel(cancel) => view.owner(cancel.order),
            Action::MassCancel(_) => None,
        };
        let mut tell = |member: &mut Member| member.strategy.on_refusal(id, action, why, &view.of(member.id(view)));
        // Who asked is not known of a mass cancel, or when the order has gone: all are told.
        match asked_by {
            Some(strategy) => self.owner(strategy, view).into_iter().for_each(tell),
            None => self.list.iter_mut().for_each(&mut tell),
        }
    }

    fn on_timer(&mut self, id: InstrumentId, view: &View<'_, Signals>, ask: &mut Actions) {
        self.each(view, ask, |one, view, ask| one.on_timer(id, view, ask));
    }

    fn on_notice(&mut self, id: InstrumentId, view: &View<'_, Signals>, ask: &mut Actions) {
        self.each(view, ask, |one, view, ask| one.on_notice(id, view, ask));
    }

    fn on_command(&mut self, command: &Command<'_>, view: &View<'_, Signals>, ask: &mut Actions) -> Heard {
        let mut heard = Heard::NotMine;
        for member in &mut self.list {
            let (id, count) = (member.id(view), member.strategy.count());
            let own = |strategy: StrategyId| strategy >= id && strategy.0.wrapping_sub(id.0) < count;
            if command.to.strategy.is_none_or(own) {
                let mut said = Heard::NotMine;
                ask.by(id, |ask| said = member.strategy.on_command(command, &view.of(id), ask));
                heard = heard.or(said);
            }
        }
        heard
    }

    fn instruments(&self) -> Option<usize> {
        self.list.iter().fold(None, |all, member| fewer(all, member.strategy.instruments()))
    }

    fn counters(&self, put: &mut dyn FnMut(&'static str, u64)) {
        self.list.iter().for_each(|member| member.strategy.counters(put));
    }

    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        self.list.iter().filter_map(|member| member.strategy.next_deadline()).min()
    }
}
