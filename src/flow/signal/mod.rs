//! What the book says: features and detectors, for strategies to read.

mod imbalance;

use super::book::BookRef;
use super::event::Event;
use crate::base::{InstrumentId, State};

pub use imbalance::{Imbalance, ImbalanceConfig, Pressure};

/// A signal: hears every event that touches a book, and has a value for each instrument.
///
/// The value is asked for with the book as it stands now, so that a signal that is a function of the book keeps no copy
/// that could go stale: the book turning stale, or an own order turning out to be own, shows at once. Signals see the
/// book without own orders.
pub trait Signal: State {
    /// What it says.
    type Value: Copy;

    /// Hears an event, after `book` of `instrument` has taken it in. Called once an event and instrument.
    #[inline]
    fn on_event(&mut self, instrument: InstrumentId, event: &Event, book: BookRef<'_>) {
        let _ = (instrument, event, book);
    }

    /// For how many instruments it was built; `None`: for any number.
    fn instruments(&self) -> Option<usize> {
        None
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

    #[inline]
    fn on_event(&mut self, instrument: InstrumentId, event: &Event, book: BookRef<'_>) {
        self.0.on_event(instrument, event, book);
        self.1.on_event(instrument, event, book);
    }

    fn instruments(&self) -> Option<usize> {
        fewer(self.0.instruments(), self.1.instruments())
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
