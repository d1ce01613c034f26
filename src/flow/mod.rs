//! The hot path. No I/O, clock, allocation after construction, lock, or panic.
//!
//! A [`Gateway`] is two machines. [`feed::Feed`] puts a venue's lines in order; [`Core`] decodes, books, decides, gates and
//! sends. The path of a packet is [`Gateway::on_packet`], `Gateway::run`, then `Core::on_message`. The machines share
//! nothing but what the first releases to the second, so that each can have a core of its own.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod action;
pub mod book;
pub mod command;
mod core;
pub mod either;
pub mod entry;
pub mod event;
pub mod feed;
pub mod input;
pub mod itch_line;
pub mod market;
pub mod mix;
pub mod normal_line;
pub mod orders;
pub mod outbox;
pub mod record;
pub mod risk;
pub mod session;
pub mod signal;
pub mod strategy;
pub mod trading;
pub mod venue;
pub mod wire;
pub mod wiring;
pub mod words;

use self::book::BATCH;
use self::feed::Feed;
use self::outbox::{Outbox, Progress};
use self::venue::{Feeds, Venue};
use self::wiring::{Parts, Wiring};
use crate::base::{Digest, LoadError, Mono, OutOfRange, Reader, Save, State, VenueId};

pub use self::command::{Command, CommandBuf, CommandBytes, Word};
pub use self::core::{Core, CoreCounters};
pub use self::input::{Arrival, Input, Machine, UtcOffset};

/// Steps of one call before it answers [`Progress::Again`]: a filled gap can release thousands of messages.
const STEPS_PER_CALL: usize = 256;

/// The feeds of a wiring's venues.
pub type FeedsOf<W> = Feeds<<<W as Wiring>::Venue as Venue>::Feed>;

/// A lane: market data in, orders out. A deterministic state machine; time is an input.
#[allow(missing_debug_implementations)] // the user's parts need not have it
pub struct Gateway<W: Wiring> {
    feeds: FeedsOf<W>,
    core: Core<W>,
}

impl<W: Wiring> Gateway<W> {
    /// Joins the parts. Everything that the lane will ever need is allocated here or was before.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the part that does not fit the others: see [`Parts::check`].
    pub fn new(parts: Parts<W>) -> Result<Self, OutOfRange> {
        parts.check()?;
        let (feeds, core) = Core::new(parts);
        Ok(Gateway { feeds, core })
    }

    /// Takes the two machines apart, for a core of their own each: see [`Core`] for how the second is driven.
    #[must_use]
    pub fn split(self) -> (FeedsOf<W>, Core<W>) {
        (self.feeds, self.core)
    }

    /// Puts the two machines of one lane together again.
    #[must_use]
    pub fn join(feeds: FeedsOf<W>, core: Core<W>) -> Self {
        Gateway { feeds, core }
    }

    /// One input, by its kind. Answers [`Progress::Again`] until [`resume`](Self::resume) with the same input has
    /// finished it.
    #[inline]
    pub fn on_input(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
        if let Input::Packet(arrival, packet) = input {
            return self.on_packet(now, arrival, packet, out);
        }
        self.feeds.on_input(now, input, out);
        self.core.begin(now, input, out);
        self.resume(input, out)
    }

    /// A datagram, stripped of Ethernet, IP and UDP.
    #[inline]
    pub fn on_packet(&mut self, now: Mono, arrival: Arrival, packet: &[u8], out: &mut Outbox) -> Progress {
        let input = Input::Packet(arrival, packet);
        self.feeds.on_packet(now, arrival, packet, out);
        self.core.begin_market(now, arrival.venue);
        if let Some(feed) = self.feeds.get(arrival.venue) {
            self.core.foresee(arrival.venue, feed.coming(packet));
        }
        self.run(Some(arrival.venue), packet, input, out)
    }

    /// Someone outside wants something.
    pub fn on_command(&mut self, now: Mono, command: CommandBytes<'_>, out: &mut Outbox) -> Progress {
        self.on_input(now, Input::Command(command), out)
    }

    /// The deadline of a machine has passed.
    pub fn on_timer(&mut self, now: Mono, machine: Machine, out: &mut Outbox) -> Progress {
        self.on_input(now, Input::Timer(machine), out)
    }

    /// Goes on with an input that was answered with [`Progress::Again`]: the same bytes.
    pub fn resume(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress {
        let venue = if let Machine::Feed(venue) = input.machine() { Some(venue) } else { None };
        self.run(venue, input.market_bytes(), input, out)
    }

    /// Finishes what the last message began (actions, reports, cancels), then takes the next one.
    #[inline]
    fn run(&mut self, venue: Option<VenueId>, bytes: &[u8], input: Input<'_>, out: &mut Outbox) -> Progress {
        // Of an input of the core's own no feed has anything to release.
        let mut feed = venue.and_then(|venue| self.feeds.get_mut(venue));
        let venue = venue.unwrap_or(VenueId::FIRST);
        for step in 0..STEPS_PER_CALL {
            if self.core.run(input, out) == Progress::Again {
                return Progress::Again;
            }
            match feed.as_deref_mut().and_then(|feed| feed.next(bytes)) {
                Some(release) => self.core.on_release(venue, release, out),
                None => return Progress::Done,
            }
            if step % BATCH == BATCH - 1
                && let Some(feed) = feed.as_deref()
            {
                self.core.foresee(venue, feed.coming(bytes));
            }
        }
        Progress::Again
    }

    /// Whose deadline has passed by `now`; the feed's first.
    #[must_use]
    pub fn due(&self, now: Mono) -> Option<Machine> {
        if let Some(venue) = self.feeds.due(now) {
            return Some(Machine::Feed(venue));
        }
        (self.core.next_deadline() <= now).then_some(Machine::Core)
    }

    /// When to call [`on_timer`](Self::on_timer) at the latest, for the machine that is [`due`](Self::due) then.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.feeds.next_deadline().min(self.core.next_deadline())
    }

    /// The feeds: counters, sequence numbers.
    #[must_use]
    pub fn feeds(&self) -> &FeedsOf<W> {
        &self.feeds
    }

    /// The core: books, orders, ledger, counters.
    #[must_use]
    pub fn core(&self) -> &Core<W> {
        &self.core
    }

    /// The probe, to be emptied.
    pub fn probe_mut(&mut self) -> &mut W::Probe {
        self.core.probe_mut()
    }

    /// Digest of the state: of what [`save`](Self::save) writes.
    #[must_use]
    pub fn digest(&self) -> u64 {
        Digest::of_state(self)
    }

    /// Writes the whole state. Between inputs: when the last call was answered with [`Progress::Done`] and the outbox is
    /// drained, for what it holds is not saved.
    pub fn save(&self, into: &mut dyn Save) {
        State::save(self, into);
    }

    /// Restores what [`save`](Self::save) wrote into a lane built from the same parts, between inputs as well, whatever it
    /// has been through: the lane then goes on bit for bit as the saved one would. Its clock and its input numbers are the
    /// saved lane's; inputs must go on behind them.
    ///
    /// # Errors
    /// [`LoadError`]: these bytes are no state of such a lane. It is then of no use any more.
    pub fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        State::load(self, from)
    }
}

crate::state! { [W: Wiring] Gateway[W] { feeds, core } }
