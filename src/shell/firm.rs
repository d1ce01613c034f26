//! The limits of the firm, leased to its lanes. They have one owner, who moves them by commands that each lane logs and
//! answers, and never lets the lanes have more together than the firm has.
//!
//! ```text
//!  lease A less, B more ─> Firm ─ LaneLimits ─> A    lowered first
//!                           │  <─ taken ─────── A    it counts as before until what it has open is within the new
//!                           └──── LaneLimits ─> B    and only then B is raised
//! ```
//!
//! What counts for a lane is the most that it may have: the larger of old and new until it has answered, and the old one until
//! its status says that it is within the new. A lane that does not answer, refuses, or has died counts as before; one that has
//! ended with nothing open frees its lease. So the sum of what counts is never above the firm's limit, whatever is lost on the
//! way: a test draws such ways.
//!
//! No clock, thread or socket is here: [`Lanes`](super::lanes::Lanes) drives it.

use crate::base::{Mono, Nanos, Notional};
use crate::flow::risk::{LaneLimitChange, RiskLimits};
use std::collections::VecDeque;

/// The keys of a lease, as configurations and commands name them.
pub const KEYS: [&str; 3] = ["max_total_open", "orders_per_second", "burst"];
const OPEN: usize = 0;
const RATE: usize = 1;
const BURST: usize = 2;

/// What is leased to a lane: [`RiskLimits`] has the meaning of each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Lease([i128; 3]);

impl Lease {
    /// Of open notional in money units, orders a second, orders at an instant.
    #[must_use]
    pub fn new(total_open: Notional, orders_per_second: u32, burst: u32) -> Self {
        Lease([total_open.0, orders_per_second.into(), burst.into()])
    }

    /// What a lane's own limits are.
    #[must_use]
    pub fn of(limits: &RiskLimits) -> Self {
        Lease::new(limits.max_total_open, limits.orders_per_second, limits.burst)
    }

    /// In the order of [`KEYS`]: money units, orders a second, orders.
    #[must_use]
    pub fn values(&self) -> [i128; 3] {
        self.0
    }

    fn each(self, other: Lease, pick: impl Fn(i128, i128) -> i128) -> Self {
        let [(a, x), (b, y), (c, z)] = [0, 1, 2].map(|k| (self.0[k], other.0[k]));
        Lease([pick(a, x), pick(b, y), pick(c, z)])
    }

    fn with(self, change: &LaneLimitChange) -> Self {
        let LaneLimitChange { total_open, orders_per_second, burst } = *change;
        let [open, rate, at_once] = self.0;
        let new = [total_open.map(|open| open.0), orders_per_second.map(i128::from), burst.map(i128::from)];
        Lease([new[OPEN].unwrap_or(open), new[RATE].unwrap_or(rate), new[BURST].unwrap_or(at_once)])
    }

    /// As a command says it.
    #[must_use]
    pub fn change(&self) -> LaneLimitChange {
        let number = |k: usize| u32::try_from(self.0[k].clamp(0, u32::MAX.into())).ok();
        LaneLimitChange {
            total_open: Some(Notional(self.0[OPEN])),
            orders_per_second: number(RATE),
            burst: number(BURST),
        }
    }

    /// How long orders of before may still count against the rate: as long as an empty bucket takes to fill.
    fn refill(&self) -> Nanos {
        let ns = self.0[BURST].saturating_mul(1_000_000_000).checked_div(self.0[RATE]).unwrap_or(0);
        Nanos(u64::try_from(ns).unwrap_or(u64::MAX))
    }
}

/// What all lanes may have together. `None`: as much as their leases add up to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FirmLimits {
    /// Open notional over all lanes, in money units of the base currency: 1 to 2^100.
    pub max_total_open: Option<Notional>,
    /// Enters and replaces a second over all lanes, sustained.
    pub orders_per_second: Option<u32>,
    /// And at one instant.
    pub burst: Option<u32>,
}

impl FirmLimits {
    /// In the order of [`KEYS`].
    #[must_use]
    pub fn values(&self) -> [Option<i128>; 3] {
        let FirmLimits { max_total_open, orders_per_second, burst } = *self;
        [max_total_open.map(|open| open.0), orders_per_second.map(i128::from), burst.map(i128::from)]
    }

    /// The first key of which these have more together than the firm: how much, and how much it has.
    #[must_use]
    pub fn exceeded_by(&self, leases: impl IntoIterator<Item = Lease>) -> Option<(&'static str, i128, i128)> {
        let sum = leases.into_iter().fold(Lease::default(), |sum, one| sum.each(one, i128::saturating_add));
        let over = |k: usize| self.values()[k].filter(|most| sum.0[k] > *most).map(|most| (KEYS[k], sum.0[k], most));
        [OPEN, RATE, BURST].into_iter().find_map(over)
    }
}

/// Why a lease cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LeaseError {
    /// Nothing is asked for, or more lanes than there are.
    #[error("which lane is to have what?")]
    Nothing,
    /// There is no lane of that number.
    #[error("there is no such lane")]
    NoSuchLane,
    /// The lane is named twice.
    #[error("one lane is named twice")]
    Twice,
    /// The lane is no more.
    #[error("the lane has ended")]
    Ended,
    /// A lane cannot work with so little.
    #[error("{0} must be 1 at least")]
    Low(&'static str),
    /// All lanes would have more than the firm.
    #[error(
        "all lanes would have {key} {together} together, and the firm has {most}: lower another first, or in the same command"
    )]
    OverFirm {
        /// Which.
        key: &'static str,
        /// What they would have.
        together: String,
        /// What there is.
        most: String,
    },
    /// Whoever may only lower has raised.
    #[error("{key} is leased to the lane up to {lease}: the command lease raises it")]
    Beyond {
        /// Which.
        key: &'static str,
        /// Up to what.
        lease: String,
    },
}

/// What has become of what was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moved {
    /// Not all lanes have it yet.
    Pending,
    /// All have it.
    Taken,
    /// Not all will: why. What was lowered on the way stays lowered.
    Rejected(String),
}

/// A command that is on its way to a lane.
#[derive(Clone, Copy, Debug)]
struct Flight {
    to: Lease,
    ticket: u64,
    /// From then on the lane cannot take it any more.
    expires: Mono,
}

/// What a lane had before, as long as it still counts.
#[derive(Clone, Copy, Debug)]
struct Before {
    lease: Lease,
    /// The lane has taken the new one.
    at: Mono,
    /// Orders before that count no more against the rate.
    until: Mono,
}

/// What has become of a lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It trades.
    Alive,
    /// It has ended, and may have left orders behind: it counts as before, for good.
    Lost,
    /// It has ended with nothing open: nothing counts.
    Gone,
}

#[derive(Debug)]
struct Place {
    /// What it has, as far as is known.
    has: Lease,
    /// What it is to have.
    wanted: Lease,
    flight: Option<Flight>,
    before: Option<Before>,
    fate: Fate,
}

impl Place {
    /// What it has once it has answered.
    fn heading(&self) -> Lease {
        self.flight.map_or(self.has, |flight| flight.to)
    }

    fn counted(&self) -> Lease {
        if self.fate == Fate::Gone {
            return Lease::default();
        }
        let flight = self.heading();
        let before = self.before.map_or(self.has, |before| before.lease);
        self.has.each(flight, i128::max).each(before, i128::max)
    }

    fn take(&mut self, to: Lease, at: Mono) {
        let (before, counted) = (self.has, self.counted());
        (self.has, self.flight) = (to, None);
        if to.each(counted, i128::max) == to {
            // Nothing was lowered that is not back by now.
            self.before = None;
            return;
        }
        let slower = to.0[RATE] < before.0[RATE] || to.0[BURST] < before.0[BURST];
        let until = if slower { at.after(before.refill()) } else { at };
        let until = self.before.map_or(until, |earlier| earlier.until.max(until));
        self.before = Some(Before { lease: counted, at, until });
    }
}

/// What is known of a lane's lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leased {
    /// What it is to have.
    pub wanted: Lease,
    /// What it has, as far as is known.
    pub has: Lease,
    /// What counts for it against the firm's limits.
    pub counted: Lease,
    /// What has become of it.
    pub fate: Fate,
}

#[derive(Debug)]
struct Ask {
    ticket: u64,
    lanes: Vec<usize>,
    outcome: Moved,
}

/// Outcomes that are kept.
const ASKS: usize = 512;

/// The owner of the firm's limits.
#[derive(Debug)]
pub struct Firm {
    limits: FirmLimits,
    exponent: i8,
    lanes: Vec<Place>,
    asks: VecDeque<Ask>,
    tickets: u64,
}

impl Firm {
    /// Its tickets are from here on: no lane's own are so high.
    pub const TICKETS: u64 = 1 << 32;

    /// Lanes that have these leases. Money is counted in units of 10^`exponent`. `None`: they have more than the firm.
    #[must_use]
    pub fn new(limits: FirmLimits, exponent: i8, leases: &[Lease]) -> Option<Self> {
        let place =
            |lease: &Lease| Place { has: *lease, wanted: *lease, flight: None, before: None, fate: Fate::Alive };
        let sound = limits.exceeded_by(leases.iter().copied()).is_none();
        let (lanes, asks) = (leases.iter().map(place).collect(), VecDeque::new());
        sound.then_some(Firm { limits, exponent, lanes, asks, tickets: Self::TICKETS })
    }

    /// What all may have together.
    #[must_use]
    pub fn limits(&self) -> &FirmLimits {
        &self.limits
    }

    /// Money is counted in units of 10^ this.
    #[must_use]
    pub fn exponent(&self) -> i8 {
        self.exponent
    }

    /// What is known of each lane.
    pub fn lanes(&self) -> impl Iterator<Item = Leased> {
        self.lanes.iter().map(|place| Leased {
            wanted: place.wanted,
            has: place.has,
            counted: place.counted(),
            fate: place.fate,
        })
    }

    /// Moves leases: of each lane named, the keys that are said. Answers a ticket: see [`outcome`](Self::outcome).
    ///
    /// # Errors
    /// [`LeaseError`]; nothing is moved then.
    pub fn lease(&mut self, changes: &[(usize, LaneLimitChange)]) -> Result<u64, LeaseError> {
        // What this takes the place of is not waited for any more: its lanes keep what they have by then.
        let named = |lane: &usize| changes.iter().any(|(other, _)| other == lane);
        let overtaken = |ask: &&Ask| ask.outcome == Moved::Pending && ask.lanes.iter().any(named);
        let overtaken: Vec<usize> = self.asks.iter().filter(overtaken).flat_map(|ask| ask.lanes.clone()).collect();
        let stays = |(n, place): (usize, &Place)| if overtaken.contains(&n) { place.heading() } else { place.wanted };
        let mut wanted: Vec<Lease> = self.lanes.iter().enumerate().map(stays).collect();
        let nothing = |change: &LaneLimitChange| *change == LaneLimitChange::default();
        if changes.is_empty() || changes.iter().any(|(_, change)| nothing(change)) {
            return Err(LeaseError::Nothing);
        }
        for (n, (lane, change)) in changes.iter().enumerate() {
            let place = self.lanes.get(*lane).ok_or(LeaseError::NoSuchLane)?;
            if changes[..n].iter().any(|(other, _)| other == lane) {
                return Err(LeaseError::Twice);
            }
            if place.fate != Fate::Alive {
                return Err(LeaseError::Ended);
            }
            let new = place.wanted.with(change);
            if let Some(k) = new.0.iter().position(|value| *value < 1) {
                return Err(LeaseError::Low(KEYS[k]));
            }
            wanted[*lane] = new;
        }
        let of = |(place, wanted): (&Place, Lease)| if place.fate == Fate::Alive { wanted } else { place.counted() };
        let together = self.lanes.iter().zip(wanted.iter().copied()).map(of);
        if let Some((key, together, most)) = self.limits.exceeded_by(together) {
            let [together, most] = [together, most].map(|value| self.amount(key, value));
            return Err(LeaseError::OverFirm { key, together, most });
        }
        let lanes: Vec<usize> = changes.iter().map(|(lane, _)| *lane).collect();
        for lane in &lanes {
            self.reject(*lane, "another lease has taken its place");
        }
        for (place, wanted) in self.lanes.iter_mut().zip(wanted) {
            place.wanted = wanted;
        }
        let ticket = self.tickets;
        self.tickets += 1;
        if self.asks.len() == ASKS {
            self.asks.pop_front();
        }
        self.asks.push_back(Ask { ticket, lanes, outcome: Moved::Pending });
        self.look_at_asks();
        Ok(ticket)
    }

    /// The same of one lane by somebody who may give up of its lease, and not raise it: what is given up is the firm's again.
    ///
    /// # Errors
    /// [`LeaseError`]; nothing is moved then.
    pub fn lower(&mut self, lane: usize, change: &LaneLimitChange) -> Result<u64, LeaseError> {
        let lease = self.lanes.get(lane).ok_or(LeaseError::NoSuchLane)?.wanted;
        let new = lease.with(change);
        if let Some(k) = (0..3).find(|k| new.0[*k] > lease.0[*k]) {
            return Err(LeaseError::Beyond { key: KEYS[k], lease: self.amount(KEYS[k], lease.0[k]) });
        }
        self.lease(&[(lane, *change)])
    }

    /// What has become of it. `None`: it is not known, or not any more.
    #[must_use]
    pub fn outcome(&self, ticket: u64) -> Option<&Moved> {
        self.asks.iter().find(|ask| ask.ticket == ticket).map(|ask| &ask.outcome)
    }

    /// What a lane is to be told now, if anything: as soon as it has been, say so by [`sent`](Self::sent). What is to be lowered
    /// has room and is lowered at once; what is to be raised is raised as soon as there is room beside all that counts.
    #[must_use]
    pub fn next(&self, lane: usize) -> Option<Lease> {
        let place = self.lanes.get(lane).filter(|place| place.fate == Fate::Alive && place.flight.is_none())?;
        let mut to = place.has;
        for (k, most) in self.limits.values().into_iter().enumerate() {
            let others = self.lanes.iter().enumerate().filter(|(other, _)| *other != lane);
            let others = others.fold(0_i128, |sum, (_, other)| sum.saturating_add(other.counted().0[k]));
            let wanted = place.wanted.0[k];
            let counts = others.saturating_add(wanted.max(place.counted().0[k]));
            if most.is_none_or(|most| counts <= most) {
                to.0[k] = wanted;
            }
        }
        (to != place.has).then_some(to)
    }

    /// A lane has been sent what [`next`](Self::next) said, under this ticket; it cannot take it after `expires`, on its clock.
    pub fn sent(&mut self, lane: usize, to: Lease, ticket: u64, expires: Mono) {
        if let Some(place) = self.lanes.get_mut(lane) {
            place.flight = Some(Flight { to, ticket, expires });
        }
    }

    /// What a lane waits for an answer to.
    #[must_use]
    pub fn waits_for(&self, lane: usize) -> Option<u64> {
        self.lanes.get(lane)?.flight.map(|flight| flight.ticket)
    }

    /// A lane has answered: when, on its clock, and why not if it has not taken it.
    pub fn answered(&mut self, lane: usize, ticket: u64, at: Mono, refused: Option<&str>) {
        let Some(place) = self.lanes.get_mut(lane) else { return };
        let Some(flight) = place.flight.filter(|flight| flight.ticket == ticket) else { return };
        match refused {
            None => place.take(flight.to, at),
            Some(why) => self.keep(lane, why),
        }
        self.look_at_asks();
    }

    /// A lane's status: when it was so, what the lane may have, and what it has open.
    pub fn heard(&mut self, lane: usize, at: Mono, limits: Lease, open: Notional) {
        let Some(place) = self.lanes.get_mut(lane) else { return };
        if let Some(flight) = place.flight.filter(|flight| at > flight.expires) {
            // Its answer is lost, and it cannot take it any more: what it says of itself is what became of it.
            if limits == flight.to {
                place.take(flight.to, at);
            } else {
                self.keep(lane, "the lane has not answered in time");
            }
        }
        let Some(place) = self.lanes.get_mut(lane) else { return };
        if let Some(before) = place.before {
            // Of after the change, and within it: what is not open now, the new limit keeps from being opened.
            let within = limits == place.has && at > before.at && open.0 <= place.has.0[OPEN];
            if within && at >= before.until && place.flight.is_none() {
                place.before = None;
            }
        }
        self.look_at_asks();
    }

    /// A lane has ended: what it has open, if it can be told. Otherwise it counts as before.
    pub fn ended(&mut self, lane: usize, open: Option<Notional>) {
        // What has freed its lease may have been leased to others since.
        let Some(place) = self.lanes.get_mut(lane).filter(|place| place.fate != Fate::Gone) else { return };
        place.fate = if open == Some(Notional(0)) { Fate::Gone } else { Fate::Lost };
        place.wanted = place.heading();
        self.reject(lane, "the lane has ended");
    }

    /// A lane has not taken what it was sent: it has what it had.
    fn keep(&mut self, lane: usize, why: &str) {
        if let Some(place) = self.lanes.get_mut(lane) {
            (place.flight, place.wanted) = (None, place.has);
        }
        self.reject(lane, why);
    }

    /// What waits for this lane will not come: others that wait with it keep what they have, for the room that they were to
    /// get is not there.
    fn reject(&mut self, lane: usize, why: &str) {
        for ask in self.asks.iter_mut().filter(|ask| ask.outcome == Moved::Pending && ask.lanes.contains(&lane)) {
            ask.outcome = Moved::Rejected(why.to_owned());
            for other in &ask.lanes {
                let place = &mut self.lanes[*other];
                place.wanted = place.heading();
            }
        }
    }

    fn look_at_asks(&mut self) {
        let there = |lane: &usize| {
            let place = self.lanes.get(*lane);
            place.is_some_and(|place| place.flight.is_none() && place.has == place.wanted)
        };
        for ask in self.asks.iter_mut().filter(|ask| ask.outcome == Moved::Pending) {
            if ask.lanes.iter().all(there) {
                ask.outcome = Moved::Taken;
            }
        }
    }

    /// A value of a key as people say it: money in whole units, rounded down.
    #[must_use]
    pub fn amount(&self, key: &str, value: i128) -> String {
        if key != KEYS[OPEN] {
            return value.to_string();
        }
        let unit = 10_i128.checked_pow(u32::from(self.exponent.unsigned_abs())).unwrap_or(i128::MAX);
        value.checked_div(unit).unwrap_or(value).to_string()
    }
}

#[cfg(test)]
mod tests;
