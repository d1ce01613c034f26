//! A day as a detector's encoder hears it: every event of a book, its stamp and its spikes. All contestants hear this and nothing else.

use firelane_gateway::base::{InstrumentId, InstrumentTable, Symbol};
use firelane_gateway::flow::book::{BookCapacity, Books};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::{MarketLine, NoEvent};
use firelane_kernels::detector::Settings;
use firelane_kernels::detector::encoder::{Encoder, RATE, RESTART};
use firelane_kernels::spikes::Spike;
use firelane_sim::capture::binary_file::Messages;
use thiserror::Error;

/// Why a day can't be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WatchError {
    /// The file breaks off.
    #[error("the day's file breaks off at byte {0}: read it whole")]
    Truncated(usize),
    /// Its messages contradict each other: such a day says nothing about a detector.
    #[error("message {0} of the day is none of a sound book: watch a day without faults")]
    Unsound(usize),
}

/// The shortest message that leaves an order resting, with its length.
const ADD: usize = 38;

/// A book's events as they are heard.
#[derive(Clone, Debug, Default)]
pub struct Track {
    stamps: Vec<u64>,
    spikes: Vec<Spike>,
    /// Where the spikes of each event end.
    ends: Vec<usize>,
}

impl Track {
    /// When each event was: nanoseconds since midnight, exchange time.
    #[must_use]
    pub fn stamps(&self) -> &[u64] {
        &self.stamps
    }

    /// Each event: its stamp, and what the encoder said of it.
    pub fn events(&self) -> impl Iterator<Item = (u64, &[Spike])> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        self.stamps.iter().zip(starts.zip(&self.ends)).map(|(at, (start, end))| (*at, &self.spikes[start..*end]))
    }

    /// Adds an event.
    pub fn push(&mut self, at: u64, heard: &[Spike]) {
        self.stamps.push(at);
        self.spikes.extend_from_slice(heard);
        self.ends.push(self.spikes.len());
    }
}

/// The books of these symbols in a day's BinaryFILE of ITCH 5.0, in their order, as the encoder of `settings` hears them.
///
/// # Errors
/// [`WatchError`]: the file is broken, or its books are.
pub fn watch(file: &[u8], symbols: &[Symbol], settings: &Settings) -> Result<Vec<Track>, WatchError> {
    let mut line = ItchLine::new(0);
    let rows: Vec<_> = symbols.iter().map(|symbol| line.new_row((*symbol).into())).collect();
    let mut table = InstrumentTable::new(&rows, rows.len(), false);
    let orders = file.len() / ADD + 1;
    let mut books = Books::new(BookCapacity { instruments: rows.len(), orders, levels: orders, own: 1 });
    let mut encoder = Encoder::new(settings, rows.len());
    let mut tracks = vec![Track::default(); rows.len()];
    for (number, message) in (1..).zip(Messages::new(file)) {
        let message = message.map_err(|truncated| WatchError::Truncated(truncated.offset))?;
        let event = match line.decode(message, &mut table) {
            Ok(event) => event,
            // What is of no book of these is not heard.
            Err(NoEvent::Untracked | NoEvent::InstrumentsFull | NoEvent::UnknownType(_)) => continue,
            Err(NoEvent::BadLength(_) | NoEvent::BadField(_)) => return Err(WatchError::Unsound(number)),
        };
        let Some(id) = event.instrument else { continue };
        books.follow(&table);
        encoder.before(id, &event, books.view(id));
        let applied = books.apply(id, &event.kind);
        if applied.fault.is_some() {
            return Err(WatchError::Unsound(number));
        }
        let id = applied.instrument.unwrap_or(id);
        if let Some(heard) = encoder.on_event(id, &event, books.view(id)) {
            tracks[id.0 as usize].push(event.at.ns_since_midnight(), heard);
        }
    }
    Ok(tracks)
}

/// Where the units of each input are among all units of a detector's network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Units {
    firsts: Vec<usize>,
    count: usize,
}

impl Units {
    /// Of a detector's network.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let mut count = 0;
        let firsts = settings.program().inputs().iter().map(|(_, units)| {
            count += units;
            count - units
        });
        Units { firsts: firsts.collect(), count }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// That of a spike, from 0 on; `None` of what is no spike: a rate, or a start.
    #[must_use]
    pub fn unit(&self, spike: &Spike) -> Option<usize> {
        if spike.node == RATE || spike.node == RESTART {
            return None;
        }
        Some(self.firsts.get(usize::from(spike.node))? + usize::from(spike.unit))
    }
}

/// The instrument that a track is about, for whoever keeps state by instrument.
pub const ALONE: InstrumentId = InstrumentId(0);
