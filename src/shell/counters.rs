//! Every count of a lane by its name: the body of [`Kind::Counters`](crate::flow::record::Kind::Counters).
//!
//! ```text
//! body  = count*
//! count = length:u8 name value:u64         name = owner "." what, in lower_snake: "orders.contradictions"
//! ```
//!
//! Of a venue that is not the first of its lane, names begin with it: "venue1.feed.gaps". The names travel with the numbers, so that a tape tells them to a reader that was built with other ones. They come
//! from the structs themselves ([`crate::base`]'s `counters!`): one that is added there is added here.

use crate::base::VenueId;
use crate::flow::CoreCounters;
use crate::flow::book::BookCounters;
use crate::flow::feed::{FeedCounters, LineCounters};
use crate::flow::orders::{Counters as OrderCounters, Orders};
use crate::flow::risk::{Gate, Refusal};

/// Room for the counts of a lane and its sockets, twice over.
const ROOM: usize = 1 << 15;
/// The longest name that a count can have.
const LONGEST: usize = u8::MAX as usize;

/// Counts on their way to the tape. Allocates once.
#[derive(Clone, Debug)]
pub struct Tally {
    body: Vec<u8>,
    left_out: u64,
    /// Of which venue the counts to come are.
    venue: VenueId,
    /// The gate's reasons by their names, made once: nothing is formatted on the lane.
    refusals: Vec<String>,
}

impl Default for Tally {
    fn default() -> Self {
        Tally::new()
    }
}

impl Tally {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        let refusals = Refusal::ALL.iter().map(|why| snake(&format!("{why:?}"))).collect();
        Tally { body: Vec::with_capacity(ROOM), left_out: 0, venue: VenueId::FIRST, refusals }
    }

    /// Forgets them all.
    pub fn clear(&mut self) {
        self.body.clear();
        self.left_out = 0;
    }

    /// One count: `what` of `owner`. Without room for it, it is left out and counted.
    pub fn put(&mut self, owner: &str, what: &str, value: u64) {
        let number = [b'0' + self.venue.0 / 10 % 10, b'0' + self.venue.0 % 10];
        let venue: [&[u8]; 3] = match self.venue {
            VenueId::FIRST => [b""; 3],
            _ => [b"venue", &number[usize::from(self.venue.0 < 10)..], b"."],
        };
        let length = venue.iter().map(|part| part.len()).sum::<usize>() + owner.len() + 1 + what.len();
        if length > LONGEST || self.body.len() + 1 + length + size_of::<u64>() > ROOM {
            self.left_out += 1;
            return;
        }
        #[allow(clippy::cast_possible_truncation)] // at most LONGEST
        self.body.push(length as u8);
        for part in venue.into_iter().chain([owner.as_bytes(), b".", what.as_bytes(), &value.to_le_bytes()]) {
            self.body.extend_from_slice(part);
        }
    }

    /// What `put` puts is of this venue: `feed.gaps` of the first, `venue1.feed.gaps` of the next.
    pub fn of_venue(&mut self, venue: VenueId, put: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.venue, venue);
        put(self);
        self.venue = before;
    }

    /// The counts of a struct that knows their names.
    pub fn all<const N: usize>(&mut self, owner: &str, names: [&str; N], values: [u64; N]) {
        names.into_iter().zip(values).for_each(|(what, value)| self.put(owner, what, value));
    }

    /// Counts that another tally holds.
    pub fn append(&mut self, body: &[u8]) {
        if self.body.len() + body.len() <= ROOM {
            self.body.extend_from_slice(body);
        } else {
            self.left_out += 1;
        }
    }

    /// The body of the record.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Counts for which there was no room.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// What the feed counted.
    pub(super) fn feed(&mut self, counters: &FeedCounters) {
        for (owner, line) in ["feed.line_a", "feed.line_b", "feed.replies"].into_iter().zip(&counters.lines) {
            self.all(owner, LineCounters::NAMES, line.values());
        }
        self.all("feed", FeedCounters::NAMES, counters.values());
    }

    pub(super) fn core(&mut self, counters: &CoreCounters) {
        self.all("core", CoreCounters::NAMES, counters.values());
    }

    pub(super) fn books(&mut self, counters: &BookCounters) {
        self.all("books", BookCounters::NAMES, counters.values());
    }

    pub(super) fn orders(&mut self, orders: &Orders) {
        self.all("orders", OrderCounters::NAMES, orders.counters().values());
        self.put("orders", "forgotten_fills", orders.forgotten_fills());
    }

    pub(super) fn gate(&mut self, gate: &Gate) {
        self.put("gate", "passed", gate.passed());
        let names = std::mem::take(&mut self.refusals);
        for (why, name) in Refusal::ALL.into_iter().zip(&names) {
            self.put("gate.refused", name, gate.refused(why));
        }
        self.refusals = names;
        self.put("ledger", "faults", gate.ledger().faults());
    }
}

/// Counts by name, from the body of a record. Ends where it makes no sense any more.
pub fn counts(mut body: &[u8]) -> impl Iterator<Item = (&str, u64)> {
    std::iter::from_fn(move || {
        let (length, rest) = body.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (value, rest) = rest.split_first_chunk()?;
        body = rest;
        Some((std::str::from_utf8(name).ok()?, u64::from_le_bytes(*value)))
    })
}

/// A name like `PriceThrough` as `price_through`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_back_by_name_and_what_finds_no_room_is_counted() {
        let mut tally = Tally::new();
        tally.put("orders", "unknown", 3);
        tally.all("feed", ["gaps", "lost"], [u64::MAX, 0]);
        let all: Vec<_> = counts(tally.body()).collect();
        assert_eq!(all, [("orders.unknown", 3), ("feed.gaps", u64::MAX), ("feed.lost", 0)]);
        let mut twice = tally.clone();
        twice.append(tally.body());
        assert_eq!(counts(twice.body()).count(), 6);

        let body = tally.body();
        for end in 0..body.len() {
            assert!(counts(&body[..end]).count() < 3, "a torn body ends early");
        }
        assert_eq!(counts(&[1, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0]).count(), 0, "no text");

        // "a." and 253 more are the longest name; one more is too long.
        let long = "x".repeat(LONGEST - 2);
        tally.clear();
        tally.put("a", &long, 1);
        tally.put("ab", &long, 1);
        assert_eq!((counts(tally.body()).count(), tally.left_out()), (1, 1));
        let each = 1 + "a.b".len() + 8;
        tally.clear();
        (0..=ROOM / each).for_each(|_| tally.put("a", "b", 1));
        assert_eq!((counts(tally.body()).count(), tally.left_out()), (ROOM / each, 1));
        tally.append(&[0; ROOM]);
        assert_eq!((tally.left_out(), tally.body().len() <= ROOM), (2, true));
    }

    #[test]
    fn every_reason_of_the_gate_has_a_name_of_its_own() {
        let gate = Gate::new(&crate::flow::risk::RiskLimits::widest(), 1).unwrap();
        let mut tally = Tally::new();
        tally.gate(&gate);
        let names: std::collections::BTreeSet<_> = counts(tally.body()).map(|(name, _)| name).collect();
        assert_eq!(names.len(), Refusal::ALL.len() + 2);
        for name in ["gate.refused.price_through", "gate.refused.killed", "gate.passed", "ledger.faults"] {
            assert!(names.contains(name), "{name} is not in {names:?}");
        }
    }
}
