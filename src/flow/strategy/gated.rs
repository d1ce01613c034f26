//! A strategy that a detector can hold back.

use super::{Actions, Strategy, View};
use crate::base::{InstrumentId, Mono, Nanos};
use crate::flow::action::{Action, Change};
use crate::flow::command::{Command, Detected, Heard, Word};
use crate::flow::event::Event;
use crate::flow::risk::Refusal;
use crate::flow::signal::Signal;
use alloc::boxed::Box;
use alloc::vec;

/// Whether something says that nothing new is to be sent in an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held(pub bool);

/// A strategy whose new orders and replaces are withheld in an instrument while the second signal of the lane holds it, or
/// for so long as a detector elsewhere has said ([`Word::Alert`] to the instrument, whose value is a time in nanoseconds). Cancels pass, and what
/// rests stays.
///
/// The strategy is called as ever and hears nothing of what was withheld, which is counted: it asks again when it next wants to.
#[derive(Debug)]
pub struct Gated<S> {
    strategy: S,
    /// Until when a detector elsewhere holds an instrument, on the lane's clock.
    until: Box<[Mono]>,
    withheld: u64,
}

impl<S> Gated<S> {
    /// `strategy`, for instruments 0 to `instruments` - 1.
    #[must_use]
    pub fn new(strategy: S, instruments: usize) -> Self {
        Gated { strategy, until: vec![Mono(0); instruments].into_boxed_slice(), withheld: 0 }
    }

    /// Requests withheld so far.
    #[must_use]
    pub fn withheld(&self) -> u64 {
        self.withheld
    }

    /// Calls the strategy, and takes back what it may not ask for.
    #[inline]
    fn tell<G: Signal, V: Signal<Value = Held>>(
        &mut self,
        view: &View<'_, (G, V)>,
        ask: &mut Actions,
        tell: impl FnOnce(&mut S, &View<'_, G>, &mut Actions),
    ) {
        let before = ask.list().len();
        tell(&mut self.strategy, &view.with_signals(&view.signals().0), ask);
        if ask.list().len() > before {
            self.withhold(before, view, ask);
        }
    }

    fn withhold<G: Signal, V: Signal<Value = Held>>(
        &mut self,
        from: usize,
        view: &View<'_, (G, V)>,
        ask: &mut Actions,
    ) {
        let until = &self.until;
        let is_free = |id: InstrumentId| {
            let elsewhere = until.get(id.0 as usize).is_some_and(|until| view.now() < *until);
            !elsewhere && !view.signals().1.value(id, view.book(id)).0
        };
        let taken = ask.retain(from, |action| match action {
            Action::Enter(enter) => is_free(enter.instrument),
            Action::Replace(replace) => view.order(replace.order).is_none_or(|order| is_free(order.instrument)),
            Action::Cancel(_) | Action::MassCancel(_) => true,
        });
        self.withheld = self.withheld.saturating_add(taken);
    }

    /// A detector elsewhere holds an instrument. False: there is none such.
    fn hold(&mut self, id: InstrumentId, now: Mono, seen: &Detected) -> bool {
        let Some(until) = self.until.get_mut(id.0 as usize) else { return false };
        *until = (*until).max(now.after(Nanos(u64::try_from(seen.value).unwrap_or(0))));
        true
    }
}

impl<G: Signal, V: Signal<Value = Held>, S: Strategy<G>> Strategy<(G, V)> for Gated<S> {
    const COUNT: u16 = S::COUNT;

    #[inline]
    fn on_event(&mut self, id: InstrumentId, event: &Event, view: &View<'_, (G, V)>, ask: &mut Actions) {
        self.tell(view, ask, |strategy, view, ask| strategy.on_event(id, event, view, ask));
    }

    fn on_change(&mut self, change: &Change, view: &View<'_, (G, V)>, ask: &mut Actions) {
        self.tell(view, ask, |strategy, view, ask| strategy.on_change(change, view, ask));
    }

    fn on_refusal(&mut self, id: InstrumentId, action: &Action, why: Refusal, view: &View<'_, (G, V)>) {
        self.strategy.on_refusal(id, action, why, &view.with_signals(&view.signals().0));
    }

    fn on_timer(&mut self, id: InstrumentId, view: &View<'_, (G, V)>, ask: &mut Actions) {
        self.tell(view, ask, |strategy, view, ask| strategy.on_timer(id, view, ask));
    }

    fn on_notice(&mut self, id: InstrumentId, view: &View<'_, (G, V)>, ask: &mut Actions) {
        self.tell(view, ask, |strategy, view, ask| strategy.on_notice(id, view, ask));
    }

    fn on_command(&mut self, command: &Command<'_>, view: &View<'_, (G, V)>, ask: &mut Actions) -> Heard {
        let mut heard = Heard::NotMine;
        if let (Word::Alert(seen), Some(id)) = (&command.word, command.to.instrument)
            && self.hold(id, view.now(), seen)
        {
            heard = Heard::Taken;
        }
        let mut said = Heard::NotMine;
        self.tell(view, ask, |strategy, view, ask| said = strategy.on_command(command, view, ask));
        heard.or(said)
    }

    fn instruments(&self) -> Option<usize> {
        Some(self.strategy.instruments().map_or(self.until.len(), |own| own.min(self.until.len())))
    }

    fn counters(&self, put: &mut dyn FnMut(&'static str, u64)) {
        put("withheld", self.withheld);
        self.strategy.counters(put);
    }

    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        self.strategy.next_deadline()
    }
}

crate::state! { [S: crate::base::State] Gated[S] { strategy, until, withheld } }
