//! A spiking network that watches order flow: a [`Signal`] of the lane, or the same network beside it.
//!
//! ```text
//! event ──> Encoder ──> what was seen (spikes, rates) ──> Watcher<D: Device> ──> alerts
//!   (books, own orders, staleness)       │                  (a clock and a device an instrument)
//!                                        └─ place = "beside": as records of the tape, to a Watcher in a reader
//! ```
//!
//! The encoder is always in the lane, for it looks at the book. What it has seen is all that the watcher is given, in the lane
//! as beside it: so the alerts are the same, and a reader of the tape needs no book. `docs/adr/0026-detectors.md` has the reasons.
//!
//! 1. [`file`](mod@file): the file of a detector, and what is wrong with one. 2. [`encoder`]: from events of a book to spikes.
//!    3. [`watcher`]: its clock, its steps, its alerts. 4. [`tape`]: what stands on the tape, and the reader beside the lane.
//!
//! ```
//! use firelane_gateway::base::{Price, Qty, Side};
//! use firelane_gateway::shell::made::{MadeLane, equity};
//! use firelane_kernels::detector::{Detector, Place, Settings};
//!
//! // A large order added at the best price makes its one neuron fire.
//! let text = r#"
//!     name = "large"
//!     time = "event"
//!     network = '''{"populations": [{"id": "out", "n": 1, "du": 4095, "dv": 4095, "vth": 90}],
//!                   "connections": [{"src": "orders", "dst": "out", "weights": [[0, 100, 0, 0]]}]}'''
//!     [address]
//!     input = "orders"
//!     kinds = ["add"]
//!     sides = false
//!     levels = 1
//!     sizes = [1000]
//!     [[alert]]
//!     name = "large"
//!     population = "out"
//! "#;
//! let settings = Settings::parse(text)?;
//! let (mut lane, id) = MadeLane::of(equity("FIRE"), Detector::new(&settings, Place::Lane, 1)?);
//! lane.shows(id, Side::Buy, Price(100_000), Qty(100));
//! lane.shows(id, Side::Buy, Price(100_000), Qty(5_000));
//! let said = lane.said();
//! // That it is warm, and the alert.
//! assert_eq!(said.iter().map(|one| one.code.get()).collect::<Vec<_>>(), [1_002, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod encoder;
pub mod file;
pub mod tape;
pub mod watcher;

use crate::spikes::Software;
use encoder::Encoder;
use firelane_gateway::base::{InstrumentId, LoadError, Mono, Reader, Save, State, VenueId};
use firelane_gateway::flow::book::BookRef;
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::signal::{Said, Signal};
use firelane_gateway::flow::strategy::Held;
use watcher::Watcher;

pub use file::{DetectorError, Settings};

/// Where a detector's network runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// On the lane's own thread, in the duty cycle of the event.
    Lane,
    /// In a reader of the tape, for which the lane writes down what was seen.
    Beside,
}

/// The detector of a lane: encoder, and network unless that runs beside the lane.
#[derive(Debug)]
pub struct Detector {
    settings: Settings,
    encoder: Encoder,
    watcher: Option<Watcher<Software>>,
}

impl Detector {
    /// For instruments 0 to `instruments` - 1. Everything is allocated here.
    ///
    /// # Errors
    /// [`DetectorError`]: the device refuses the program.
    pub fn new(settings: &Settings, place: Place, instruments: usize) -> Result<Self, DetectorError> {
        let watcher = match place {
            Place::Lane => Some(Watcher::new(settings, instruments, Software::best)?),
            Place::Beside => None,
        };
        Ok(Detector { settings: settings.clone(), encoder: Encoder::new(settings, instruments), watcher })
    }

    /// What it goes by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its network, if that runs in the lane.
    #[must_use]
    pub fn watcher(&self) -> Option<&Watcher<Software>> {
        self.watcher.as_ref()
    }
}

impl Signal for Detector {
    /// Whether an alert that gates holds the instrument.
    type Value = Held;

    const BEFORE: bool = true;

    #[inline]
    fn before(&mut self, instrument: InstrumentId, event: &Event, book: BookRef<'_>) {
        self.encoder.before(instrument, event, book);
    }

    fn on_event(&mut self, _: Mono, instrument: InstrumentId, event: &Event, book: BookRef<'_>, say: &mut Said<'_>) {
        let Some(seen) = self.encoder.on_event(instrument, event, book) else { return };
        match &mut self.watcher {
            Some(watcher) => {
                watcher.on_seen(instrument, event.at.ns_since_midnight(), seen);
                for raised in watcher.raised() {
                    say.say(Some(instrument), raised.code, raised.first, raised.second);
                }
            }
            None => tape::write(instrument, seen, say),
        }
    }

    fn on_anew(&mut self, _: VenueId) {
        self.encoder.on_anew();
    }

    fn instruments(&self) -> Option<usize> {
        Some(self.encoder.instruments())
    }

    fn counters(&self, put: &mut dyn FnMut(&'static str, u64)) {
        self.encoder.counters().each(put);
        if let Some(watcher) = &self.watcher {
            watcher.counters().each(put);
        }
    }

    #[inline]
    fn value(&self, instrument: InstrumentId, _: BookRef<'_>) -> Held {
        Held(self.watcher.as_ref().is_some_and(|watcher| watcher.holds(instrument)))
    }
}

impl State for Detector {
    fn save(&self, into: &mut dyn Save) {
        let Detector { encoder, watcher, settings: _ } = self;
        encoder.save(into);
        if let Some(watcher) = watcher {
            watcher.save(into);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.encoder.load(from)?;
        self.watcher.as_mut().map_or(Ok(()), |watcher| watcher.load(from))
    }
}
