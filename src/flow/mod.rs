//! The hot path. No I/O, clock, allocation after construction, lock, or panic.
//!
//! A [`Gateway`] is two machines. [`feed::Feed`] puts the lines in order; [`Core`] decodes, books, decides, gates and
//! sends. The path of a packet is [`Gateway::on_packet`], `Gateway::run`, then `Core::on_message`.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod action;
pub mod book;
mod command;
mod core;
pub mod entry;
pub mod event;
pub mod feed;
pub mod itch_line;
pub mod market;
pub mod orders;
pub mod outbox;
pub mod record;
pub mod risk;
pub mod session;
pub mod signal;
pub mod strategy;
pub mod trading;
pub mod wire;
pub mod wiring;

use self::feed::Feed;
use self::outbox::{Outbox, Progress};
use self::session::SessionInput;
use self::wiring::{Parts, Wiring};
use crate::base::{Digest, LineId, Mono, SessionId};

pub use self::command::Command;
pub use self::core::{Core, CoreCounters};

/// Everything that can happen to a lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input<'a> {
    /// A datagram came on a line.
    Packet(LineId, &'a [u8]),
    /// Something happened on a session.
    Session(SessionId, SessionInput<'a>),
    /// Someone outside wants something.
    Command(Command),
    /// [`Gateway::next_deadline`] has passed.
    Timer,
}

/// Steps of one call before it answers [`Progress::Again`]: a filled gap can release thousands of messages.
const STEPS_PER_CALL: usize = 256;

/// A lane: market data in, orders out. A deterministic state machine; time is an input.
#[allow(missing_debug_implementations)] // the user's parts need not have it
pub struct Gateway<W: Wiring> {
    feed: Feed<W::Market>,
    core: Core<W>,
    /// Bytes of the current order-entry input that were taken.
    taken: usize,
}

impl<W: Wiring> Gateway<W> {
    /// Joins the parts. Everything that the lane will ever need is allocated here or was before.
    #[must_use]
    pub fn new(parts: Parts<W>) -> Self {
        let (feed, core) = Core::new(parts);
        Gateway { feed, core, taken: 0 }
    }

    /// One input, by its kind. Answers [`Progress::Again`] until [`resume`](Self::resume) with the same input has
    /// finished it.
    #[inline]
    pub fn on_input(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
        match input {
            Input::Packet(line, packet) => self.on_packet(now, line, packet, out),
            Input::Session(session, input) => self.on_session(now, session, input, out),
            Input::Command(command) => self.on_command(now, command, out),
            Input::Timer => self.on_timer(now, out),
        }
    }

    /// A datagram, stripped of Ethernet, IP and UDP.
    #[inline]
    pub fn on_packet(&mut self, now: Mono, line: LineId, packet: &[u8], out: &mut Outbox) -> Progress {
        self.core.begin(now);
        self.feed.on_packet(now, line, packet, out);
        self.run(now, Input::Packet(line, packet), out)
    }

    /// Something happened on a session.
    pub fn on_session(&mut self, now: Mono, session: SessionId, input: SessionInput<'_>, out: &mut Outbox) -> Progress {
        self.core.begin(now);
        self.taken = 0;
        match session {
            SessionId::SNAPSHOT => self.feed.on_session(now, input, out),
            _ => self.taken = self.core.on_session(now, input, out),
        }
        self.run(now, Input::Session(session, input), out)
    }

    /// Someone outside wants something.
    pub fn on_command(&mut self, now: Mono, command: Command, out: &mut Outbox) -> Progress {
        self.core.begin(now);
        match command {
            Command::Snapshot => {
                self.feed.request_snapshot(now, out);
            }
            _ => self.core.on_command(now, command, out),
        }
        self.run(now, Input::Command(command), out)
    }

    /// A deadline has passed.
    pub fn on_timer(&mut self, now: Mono, out: &mut Outbox) -> Progress {
        self.core.begin(now);
        self.feed.on_timer(now, out);
        self.core.on_timer(now, out);
        self.run(now, Input::Timer, out)
    }

    /// Goes on with an input that was answered with [`Progress::Again`]: the same `now`, the same bytes.
    pub fn resume(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
        self.run(now, input, out)
    }

    /// Finishes what the last message began (actions, reports, cancels), then takes the next one.
    #[inline]
    fn run(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
        let bytes = match input {
            Input::Packet(_, bytes) | Input::Session(SessionId::SNAPSHOT, SessionInput::Bytes(bytes)) => bytes,
            _ => &[],
        };
        for _ in 0..STEPS_PER_CALL {
            if !out.has_room() {
                return Progress::Again;
            }
            if self.core.step(now, out) {
                continue;
            }
            if let Some(release) = self.feed.next(bytes) {
                self.core.on_release(now, release, out);
            } else if self.core.take_snapshot_request() {
                self.feed.request_snapshot(now, out);
            } else if !self.take_more(now, input, out) {
                return Progress::Done;
            }
        }
        Progress::Again
    }

    /// The next bytes of an order-entry session that could not take all at once.
    fn take_more(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> bool {
        let Input::Session(SessionId::ORDERS, SessionInput::Bytes(bytes)) = input else { return false };
        let rest = bytes.get(self.taken..).unwrap_or_default();
        if rest.is_empty() {
            return false;
        }
        let taken = self.core.on_session(now, SessionInput::Bytes(rest), out);
        self.taken = self.taken.saturating_add(taken);
        taken > 0
    }

    /// When to call [`on_timer`](Self::on_timer) at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.feed.next_deadline().min(self.core.next_deadline())
    }

    /// The feed: counters, sequence numbers.
    #[must_use]
    pub fn feed(&self) -> &Feed<W::Market> {
        &self.feed
    }

    /// The core: books, orders, ledger, counters.
    #[must_use]
    pub fn core(&self) -> &Core<W> {
        &self.core
    }

    /// Digest of all state that can change a later output.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        self.feed.digest(&mut digest);
        self.core.digest(&mut digest);
        digest.value()
    }
}
