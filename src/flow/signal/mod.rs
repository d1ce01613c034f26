//! What the book says: features and detectors, for strategies to read.

mod imbalance;
mod said;

use super::book::BookRef;
use super::event::Event;
use super::venue::Markets;
use crate::base::{InstrumentId, Mono, State, VenueId};

pub use imbalance::{Imbalance, ImbalanceConfig, Pressure};
pub use said::Said;

/// A signal: hears every event that touches a book, and has a value for each instrument.
///
/// The value is asked for with the book as it stands now, so that a signal that is a function of the book keeps no copy
/// that could go stale: the book turning stale, or an own order turning out to be own, shows at once. Signals see the
/// book without own orders. One that needs single orders finds none in a book of levels ([`BookRef::kind`]).
pub trait Signal: State {
    /// What it says.
    type Value: Copy;

    /// How many signals it is: each has a number of its own on the tape, from 0 on.
    const COUNT: u16 = 1;

    /// Does it look at the book ahead of events ([`before`](Self::before))? A lane whose signals do not pays nothing for it.
    const BEFORE: bool = false;

    /// Hears an event that `book` has not taken in yet: what an order that trades, shrinks or leaves was is to be had then, and not
    /// after. [`on_event`](Self::on_event) follows, of the book that the event was found to be about; if that is another one than
    /// the message names, `instrument` differs. Called if [`BEFORE`](Self::BEFORE) says so.
    #[inline]
    fn before(&mut self, instrument: InstrumentId, event: &Event, book: BookRef<'_>) {
        let _ = (instrument, event, book);
    }

    /// Hears an event, after `book` of `instrument` has taken it in. Called once an event and instrument.
    #[inline]
    fn on_event(&mut self, now: Mono, instrument: InstrumentId, event: &Event, book: BookRef<'_>, say: &mut Said<'_>) {
        let _ = (now, instrument, event, book, say);
    }

    /// The books of a venue are made anew: a snapshot comes, or another session. What happened to them in between it has not heard,
    /// and of the orders that it will hear of, it may know none.
    fn on_anew(&mut self, venue: VenueId) {
        let _ = venue;
    }

    /// When it wants [`on_timer`](Self::on_timer) next. One that is called must ask for something later: a signal whose
    /// deadline stands still is called no more, and the strategies are stopped.
    #[inline]
    fn next_deadline(&self) -> Mono {
        Mono::NEVER
    }

    /// Its deadline has come. Of signals side by side, those are called whose own has.
    fn on_timer(&mut self, now: Mono, markets: Markets<'_>, say: &mut Said<'_>) {
        let _ = (now, markets, say);
    }

    /// For how many instruments it was built; `None`: for any number.
    fn instruments(&self) -> Option<usize> {
        None
    }

    /// Hands out what it has counted, by name, each a `signal.NAME` in every report.
    fn counters(&self, put: &mut dyn FnMut(&'static str, u64)) {
        let _ = put;
    }

    /// Its value for `instrument`, whose book is `book`.
    fn value(&self, instrument: InstrumentId, book: BookRef<'_>) -> Self::Value;
}

/// No signal.
impl Signal for () {
    type Value = ();

    #[inline]
    fn value(&self, _: InstrumentId, _: BookRef<'_>) {}
}

/// Signals side by side.
impl<X: Signal, Y: Signal> Signal for (X, Y) {
    type Value = (X::Value, Y::Value);

    const COUNT: u16 = X::COUNT.saturating_add(Y::COUNT);

    const BEFORE: bool = X::BEFORE || Y::BEFORE;

    #[inline]
    fn before(&mut self, instrument: InstrumentId, event: &Event, book: BookRef<'_>) {
        if X::BEFORE {
            self.0.before(instrument, event, book);
        }
        if Y::BEFORE {
            self.1.before(instrument, event, book);
        }
    }

    #[inline]
    fn on_event(&mut self, now: Mono, instrument: InstrumentId, event: &Event, book: BookRef<'_>, say: &mut Said<'_>) {
        self.0.on_event(now, instrument, event, book, say);
        say.by(X::COUNT, |say| self.1.on_event(now, instrument, event, book, say));
    }

    fn on_anew(&mut self, venue: VenueId) {
        self.0.on_anew(venue);
        self.1.on_anew(venue);
    }

    #[inline]
    fn next_deadline(&self) -> Mono {
        self.0.next_deadline().min(self.1.next_deadline())
    }

    fn on_timer(&mut self, now: Mono, markets: Markets<'_>, say: &mut Said<'_>) {
        if self.0.next_deadline() <= now {
            self.0.on_timer(now, markets, say);
        }
        if self.1.next_deadline() <= now {
            say.by(X::COUNT, |say| self.1.on_timer(now, markets, say));
        }
    }

    fn instruments(&self) -> Option<usize> {
        fewer(self.0.instruments(), self.1.instruments())
    }

    fn counters(&self, put: &mut dyn FnMut(&'static str, u64)) {
        self.0.counters(put);
        self.1.counters(put);
    }

    #[inline]
    fn value(&self, instrument: InstrumentId, book: BookRef<'_>) -> Self::Value {
        (self.0.value(instrument, book), self.1.value(instrument, book))
    }
}

/// For how many instruments two parts were built together.
pub(super) fn fewer(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    one.into_iter().chain(other).min()
}
