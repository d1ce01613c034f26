//! The life of every order: what was sent, what the venue said, and what the order could still do.
//!
//! ```text
//!             ┌─ Rejected (refused, or lost on the way)
//!   Pending ──┼─ Live ──> PartiallyFilled ──> Filled
//!             │     └──────────┴───────────> Cancelled
//!             └─ Cancelled (accepted dead)
//! ```
//!
//! A replace or a cancel on its way is not a state of its own but rides on a live order ([`Order::replacing`],
//! [`Order::cancelling`]): everything else can happen meanwhile. Each step is returned as a [`Change`]; nothing is
//! called back.
//!
//! # What makes the numbers safe
//!
//! The venue's stream is in order and complete (the session layer resumes it without loss), and a port works through
//! requests in order. So what the venue has said is exact for its moment, and only requests on their way are
//! uncertain. While one is, [`Order::exposure`] is the larger of both outcomes, in quantity and in price: at no
//! moment can the venue execute more than what is counted. (Nasdaq, "OUCH 5.0".)
//!
//! * An order with nothing open is finished, also with a replace on its way: had the venue taken the replace first,
//!   its Replaced would have come first. To a replace of a dead order it answers nothing.
//! * Tokens rise strictly. The venue leaves the token of a silently ignored replace free, but a freed one is never
//!   used again: "strictly increasing" allows gaps, and only so does a late answer find the request that it means.
//! * Some requests get no answer: a replace of a dead order, a cancel with nothing to do, anything lost with a
//!   connection. After [`OrdersConfig::request_timeout`] the order's step is [`Happening::TimedOut`]; nothing else
//!   about it changes, both outcomes stay counted. A confirmation of the venue's settles it ([`Report::Settled`]): it
//!   comes after the answers to everything sent before it was asked for, so that what is unanswered then never will be.
//!   An enter is then rejected as lost, a replace or cancel had no effect, each with [`Reason::NO_ANSWER`].
//! * A fill counts once for its match number, is taken back once if the trade is broken, and moves the position also
//!   when it comes late: for a finished order, or for the token before a replacement.
//! * A venue that contradicts itself (an execution beyond what is open, life in an order it had declared dead) is
//!   believed where that is the safer reading, counted, and told of ([`Orders::take_anomaly`]).
//!
//! # Several venues
//!
//! One table holds the orders of all venues of a lane. Tokens, numbers of requests, and match numbers are each venue's
//! own: whatever is looked up by one of them is looked up at the venue that said it. An order stays where it was sent.

mod anomaly;
mod fills;
mod list;
mod order;
mod orphans;
mod report;
mod sweep;
mod table;

pub use super::words::{DayEvent, Liquidity, LiquidityKind, Reason, ReasonClass, ReportKind, Visibility};
pub use anomaly::{Anomaly, AnomalyKind, Unreadable};
pub use order::{Cancelling, Order, Replacing, Status};
pub use orphans::Orphan;
pub use report::{Origin, Report, Sent, Standing};
pub use sweep::{Sweep, Which};
pub use table::Cursor;

use super::action::{Cancel, Change, Enter, Fill, Happening, Replace, SellMark};
use crate::base::{ClientId, InstrumentId, Mono, Nanos, OutOfRange, Price, Qty, Side, Token, VenueId, counters};
use alloc::boxed::Box;
use anomaly::Findings;
use fills::{Booked, Fills};
use list::NIL;
use order::Queue;
use orphans::Orphans;
use report::Subject;
use table::{Effect, Table};

/// An order that this program did not enter has this bit in its [`ClientId`]; such orders are counted in the low bits.
const FOREIGN: u64 = 1 << 63;

/// Capacities and patience.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrdersConfig {
    /// Live orders. When full, the gate must let no new one pass ([`Orders::is_full`]).
    pub capacity: u32,
    /// Finished orders that are still remembered at least: a fill for an older one finds nothing and is counted.
    pub retained: u32,
    /// Venues: their indices are below this.
    pub venues: u8,
    /// Fills of a venue that are remembered: a break of an older one can't be booked and is counted.
    pub fills: u32,
    /// Instruments: ids below this.
    pub instruments: u32,
    /// The first order's id. Later than any id of the same day: adopted orders raise it.
    pub first_id: u64,
    /// How long a request may stay unanswered.
    pub request_timeout: Nanos,
}

impl OrdersConfig {
    fn check(&self) -> Result<(), OutOfRange> {
        const MOST: u32 = 1 << 24;
        OutOfRange::unless((1..=MOST).contains(&self.capacity), "orders.capacity", "1 to 16777216")?;
        OutOfRange::unless((1..=MOST).contains(&self.retained), "orders.retained", "1 to 16777216")?;
        OutOfRange::unless((1..=MOST).contains(&self.fills), "orders.fills", "1 to 16777216")?;
        OutOfRange::unless((1..=MOST).contains(&self.instruments), "orders.instruments", "1 to 16777216")?;
        OutOfRange::unless((1..=VenueId::MOST).contains(&usize::from(self.venues)), "orders.venues", "1 to 64")?;
        OutOfRange::unless((1..FOREIGN).contains(&self.first_id), "orders.first_id", "1 to 2^63 - 1")?;
        OutOfRange::unless(self.request_timeout.0 > 0, "orders.request_timeout", "above zero")
    }
}

counters! {
    /// What was out of the ordinary.
    pub struct Counters {
        /// Reports about an order that is not known (any more): of no effect.
        pub unknown: u64,
        /// Reports that said what was known: executions by match number, second breaks, second accepts.
        pub duplicates: u64,
        /// Refusals of requests of an earlier run: of no effect.
        pub earlier_refusals: u64,
        /// Refusals of a replace whose order was finished meanwhile: of no effect.
        pub late_refusals: u64,
        /// What made no sense by itself.
        pub unreadable: u64,
        /// Fills for a finished order or a replaced token: the position follows.
        pub late_fills: u64,
        /// Breaks and corrections of a fill that is not known (any more): the position can't follow.
        pub unknown_trades: u64,
        /// Reports that contradict earlier ones.
        pub contradictions: u64,
        /// Requests that were not answered in time.
        pub timed_out: u64,
        /// Requests that were settled without an answer.
        pub unanswered: u64,
        /// Orders of an earlier run for which there was no room, or no instrument.
        pub not_adopted: u64,
        /// Fills of such orders in instruments that the lane does not follow: no position takes them in.
        pub orphan_fills: u64,
    }
}

/// What one venue has said, whose numbers are its own.
#[derive(Debug)]
struct Heard {
    fills: Fills,
    /// What lives there and has no place in the table.
    orphans: Orphans,
    /// Requests up to this number are behind us.
    settled: u64,
}

/// All orders of a lane.
#[derive(Debug)]
pub struct Orders {
    table: Table,
    /// By venue.
    heard: Box<[Heard]>,
    capacity: u32,
    next_id: u64,
    /// Orders so far that this program did not enter.
    foreign: u64,
    timeout: Nanos,
    findings: Findings,
}

impl Orders {
    /// No orders. Allocates and touches all its memory now.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first value that is.
    pub fn new(config: &OrdersConfig) -> Result<Self, OutOfRange> {
        config.check()?;
        let slots = config.capacity.saturating_add(config.retained);
        let heard = |_| Heard { fills: Fills::new(config.fills as usize), orphans: Orphans::new(slots), settled: 0 };
        Ok(Orders {
            table: Table::new(slots, config.instruments, config.venues),
            heard: (0..config.venues).map(heard).collect(),
            capacity: config.capacity,
            next_id: config.first_id,
            foreign: 0,
            timeout: config.request_timeout,
            findings: Findings::default(),
        })
    }

    /// The id that the next order will have.
    #[inline]
    #[must_use]
    pub fn next_id(&self) -> ClientId {
        ClientId(self.next_id)
    }

    /// Is there no room for another live order?
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// How many more may live at once.
    #[inline]
    #[must_use]
    pub fn room(&self) -> u32 {
        self.capacity.saturating_sub(self.table.live_count)
    }

    /// For how many instruments it was built.
    #[must_use]
    pub fn instruments(&self) -> usize {
        self.table.instruments()
    }

    /// For how many venues it was built.
    #[must_use]
    pub fn venues(&self) -> usize {
        self.table.venues()
    }

    /// How many orders may live at once.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// How many orders are live, at all venues.
    #[inline]
    #[must_use]
    pub fn live_count(&self) -> u32 {
        self.table.live_count
    }

    /// How many orders are live at one venue.
    #[inline]
    #[must_use]
    pub fn live_count_at(&self, venue: VenueId) -> u32 {
        self.table.live_count_at(venue)
    }

    /// What was out of the ordinary.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.findings.counters
    }

    /// What in the last report cannot be, if anything, once.
    #[inline]
    pub fn take_anomaly(&mut self) -> Option<Anomaly> {
        self.findings.last.take()
    }

    /// Fills that had to be forgotten for want of room.
    #[must_use]
    pub fn forgotten_fills(&self) -> u64 {
        self.heard.iter().fold(0, |sum, heard| sum.wrapping_add(heard.fills.forgotten))
    }

    /// An order, live or remembered.
    #[inline]
    #[must_use]
    pub fn get(&self, id: ClientId) -> Option<&Order> {
        self.table.get(self.table.of_id(id)?)
    }

    /// The order that has, had, or asks for this token at this venue.
    #[inline]
    #[must_use]
    pub fn by_token(&self, venue: VenueId, token: Token) -> Option<&Order> {
        self.table.get(self.table.of_token(venue, token)?)
    }

    fn heard_of(&self, venue: VenueId) -> Option<&Heard> {
        self.heard.get(usize::from(venue.0))
    }

    /// A name for an order that this program did not enter.
    fn foreign_id(&mut self) -> ClientId {
        self.foreign = self.foreign.wrapping_add(1);
        ClientId(FOREIGN | self.foreign)
    }

    /// The fill of this order in this trade.
    fn booked(&mut self, venue: VenueId, trade: u64, side: Side, order: ClientId) -> Option<&mut Booked> {
        self.heard.get_mut(usize::from(venue.0))?.fills.find(trade, side, order)
    }

    fn book(&mut self, booked: Booked) {
        if let Some(heard) = self.heard.get_mut(usize::from(booked.venue.0)) {
            heard.fills.book(booked);
        }
    }

    /// The best price at which an own order of this side may trade: as it stands or as a replace on its way would
    /// have it, from the moment it is sent.
    #[inline]
    #[must_use]
    pub fn own_best(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        self.table.own_best(instrument, side)
    }

    /// The same of both sides: the highest own buy, the lowest own sell.
    #[inline]
    #[must_use]
    pub fn own_touch(&self, instrument: InstrumentId) -> [Option<Price>; 2] {
        self.table.own_touch(instrument)
    }

    /// How many steps the orders of an instrument have taken: while it stays the same, nothing about any of them has changed.
    /// Not saved.
    #[inline]
    #[must_use]
    pub fn steps_of(&self, instrument: InstrumentId) -> u64 {
        self.table.steps_of(instrument)
    }

    /// The next live order after `cursor`, in the order in which they were sent.
    pub fn next_live(&self, cursor: &mut Cursor) -> Option<&Order> {
        self.table.next_live(cursor)
    }

    /// The next live order at `venue` after `cursor`.
    pub fn next_live_at(&self, venue: VenueId, cursor: &mut Cursor) -> Option<&Order> {
        while self.live_count_at(venue) > 0 {
            let order = self.table.next_live(cursor)?;
            if order.venue == venue {
                return Some(order);
            }
        }
        None
    }

    /// The next live order in `instrument` after `cursor`.
    #[inline]
    pub fn next_live_of(&self, instrument: InstrumentId, cursor: &mut Cursor) -> Option<&Order> {
        self.table.next_live_of(instrument, cursor)
    }

    /// An enter has left to a venue. `None` if there is no slot, which [`is_full`](Self::is_full) would have told, or
    /// if instrument or venue is beyond the capacity.
    pub fn opened(&mut self, now: Mono, venue: VenueId, enter: &Enter, mark: SellMark, sent: Sent) -> Option<Change> {
        let id = self.next_id();
        let slot = self.table.take(venue, enter.instrument, id, sent.token)?;
        self.next_id = self.next_id.wrapping_add(1);
        let deadline = now.after(self.timeout);
        self.table.step(slot, |order| {
            *order = Order {
                id,
                venue,
                instrument: enter.instrument,
                side: enter.side,
                mark,
                tags: enter.tags,
                tif: enter.tif,
                status: Status::Pending,
                token: sent.token,
                limit: enter.price,
                price: enter.price,
                open: enter.qty,
                liable: enter.qty,
                request: sent.request,
                deadline,
                queue: Queue::Quiet,
                ..Order::VACANT
            };
            Effect::of(Happening::Sent)
        })
    }

    /// A replace has left. `None`: no such order, or one of which [`Order::can_replace`] says no.
    pub fn replace_sent(&mut self, now: Mono, replace: &Replace, sent: Sent) -> Option<Change> {
        let slot = self.table.of_id(replace.order)?;
        let order = self.table.get(slot).filter(|order| order.can_replace())?;
        self.table.add_token(order.venue, sent.token, slot);
        self.table.owe(slot, sent.request, now.after(self.timeout));
        self.table.step(slot, |order| {
            order.replacing = Some(Replacing { token: sent.token, price: replace.price, qty: replace.qty });
            Effect::of(Happening::Sent)
        })
    }

    /// A cancel has left. `None`: no such live order.
    pub fn cancel_sent(&mut self, now: Mono, cancel: &Cancel, sent: Sent) -> Option<Change> {
        let slot = self.table.of_id(cancel.order)?;
        let order = self.table.get(slot).filter(|o| o.is_live())?;
        // The venue says once that it will act after the cross, and nothing to whoever asks again.
        let deferred = order.cancelling.is_some_and(|c| c.deferred);
        self.table.owe(slot, sent.request, now.after(self.timeout));
        self.table.step(slot, |order| {
            order.cancelling = Some(Cancelling { keep: cancel.keep, at: now, deferred });
            Effect::of(Happening::Sent)
        })
    }

    /// A venue has spoken. `None`: nothing about an order that is known. What cannot be is kept for
    /// [`take_anomaly`](Self::take_anomaly).
    pub fn report(&mut self, venue: VenueId, report: &Report) -> Option<Change> {
        self.hear(venue, report, When::Now)
    }

    fn hear(&mut self, venue: VenueId, report: &Report, when: When) -> Option<Change> {
        let said = report.subject(venue);
        if self.heard_of(venue).is_some_and(|heard| !heard.orphans.is_empty())
            && let Ok(change) = self.report_of_orphan(said, report)
        {
            return change;
        }
        match *report {
            Report::Accepted(ref standing) => self.accepted(said, standing),
            Report::Replaced { orig, now: ref standing } => self.replaced(said, orig, standing, when),
            Report::Canceled { decrement, reason, .. } => self.canceled(said, decrement, reason, false),
            Report::SelfMatched { decrement, reason, .. } => self.canceled(said, decrement, reason, true),
            Report::Executed { qty, price, liquidity, trade, .. } => {
                self.executed(said, Fill { qty, price, trade, liquidity })
            }
            Report::Broken { trade, reason, .. } => self.revise_trade(said, trade, reason, None),
            Report::Corrected { qty, price, liquidity, trade, reason, .. } => {
                self.revise_trade(said, trade, reason, Some(Fill { qty, price, trade, liquidity }))
            }
            Report::Rejected { reason, .. } => self.rejected(said, reason, when),
            Report::CancelPending { .. } => self.revise(said, |order| {
                let cancel = order.cancelling.unwrap_or(Cancelling { keep: Qty::ZERO, at: Mono(0), deferred: true });
                order.cancelling = Some(Cancelling { deferred: true, ..cancel });
                Effect::of(Happening::CancelPending)
            }),
            Report::CancelRejected { .. } => self.revise(said, |order| {
                order.cancelling = None;
                Effect::of(Happening::RequestRefused)
            }),
            Report::PriorityUpdated { price, display, venue_ref, .. } => self.revise(said, |order| {
                order.price = price;
                order.display = display;
                order.venue_ref = Some(venue_ref);
                Effect::of(Happening::Revised)
            }),
            Report::Modified { mark, open, .. } => self.modified(said, mark, open),
            Report::Restated { reason, displayed, .. } => self.revise(said, |order| {
                order.venue_ref = displayed.or(order.venue_ref);
                Effect::because(Happening::Revised, reason)
            }),
            Report::Settled { upto, next, unused } => {
                let heard = self.heard.get_mut(usize::from(venue.0))?;
                heard.settled = heard.settled.max(upto);
                let (next, unused) = next.zip(unused).filter(|(next, unused)| next > unused)?;
                let (next, unused) = (next.0.cast_signed(), unused.0.cast_signed());
                self.finds(Anomaly::of(AnomalyKind::NumbersTaken, said, next, unused))
            }
            Report::Unreadable(Unreadable { why, code, length }) => {
                self.finds(Anomaly::of(why, said, i64::from(code), i64::from(length)))
            }
            Report::Day(_)
            | Report::MassCancelled { .. }
            | Report::EntryDisabled { .. }
            | Report::EntryEnabled { .. } => None,
        }
    }

    /// As [`report`](Self::report), for the replay after a restart: an order that is not known is one of an earlier
    /// run and is taken over as the venue describes it. `resolve` gives the instrument of a name.
    ///
    /// An order that carries no id of ours, or one that another already has, gets an id of its own in the upper half
    /// of the numbers. Without room or instrument it is counted ([`Counters::not_adopted`]) and followed by its token
    /// alone: what the lane owns is not complete while it lives ([`is_incomplete`](Self::is_incomplete)).
    pub fn adopt(
        &mut self,
        venue: VenueId,
        report: &Report,
        resolve: impl FnOnce(crate::base::Name) -> Option<InstrumentId>,
    ) -> Option<Change> {
        let standing = match report {
            Report::Accepted(standing) => standing,
            Report::Replaced { orig, now } if !self.has_token(venue, *orig) => now,
            _ => return self.hear(venue, report, When::Earlier),
        };
        let token = standing.token;
        if token.0 == 0 || self.has_token(venue, token) {
            return self.hear(venue, report, When::Earlier);
        }
        let ours = standing.origin.filter(|o| (1..FOREIGN).contains(&o.client.0) && self.get(o.client).is_none());
        let id = ours.map_or(ClientId(FOREIGN | self.foreign.wrapping_add(1)), |o| o.client);
        let instrument = resolve(standing.name);
        let place = instrument.and_then(|i| Some((i, self.table.take(venue, i, id, token)?)));
        let Some((instrument, slot)) = place else {
            bump(&mut self.findings.counters.not_adopted);
            self.orphan(venue, standing, instrument);
            return None;
        };
        if ours.is_none() {
            self.foreign = self.foreign.wrapping_add(1);
        }
        if ours.is_some() {
            self.next_id = self.next_id.max(id.0.wrapping_add(1));
        }
        self.table.step(slot, |order| {
            *order = Order {
                id,
                venue,
                instrument,
                side: standing.side,
                mark: standing.mark,
                tags: standing.origin.unwrap_or_default().tags,
                tif: standing.tif,
                token: standing.token,
                limit: standing.price,
                liable: standing.qty,
                queue: Queue::Quiet,
                ..Order::VACANT
            };
            order.stand(standing, standing.qty);
            Effect::of(if order.is_live() { Happening::Accepted } else { Happening::Cancelled })
        })
    }

    /// What time and [`Report::Settled`] have brought about: one step a call, until `None`.
    pub fn timed_out(&mut self, now: Mono) -> Option<Change> {
        if !self.table.is_owed() {
            return None;
        }
        if let Some(slot) = self.first_settled() {
            bump(&mut self.findings.counters.unanswered);
            return self.settle(slot);
        }
        let late = self.first_late(now)?;
        bump(&mut self.findings.counters.timed_out);
        self.table.queue(late, Queue::Overdue);
        self.table.step(late, |_| Effect::of(Happening::TimedOut))
    }

    /// When to call [`timed_out`](Self::timed_out) next; at once if an answer has settled something.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        let mut next = Mono::NEVER;
        // Mostly nothing is waited for.
        if !self.table.is_owed() {
            return next;
        }
        for (venue, heard) in self.all_venues().zip(&self.heard) {
            let (overdue, pending) = (self.table.first_overdue(venue), self.table.first_pending(venue));
            for slot in [overdue, pending] {
                let Some(order) = self.table.get(slot) else { continue };
                let due = if slot == pending { order.deadline } else { Mono::NEVER };
                next = next.min(if order.request <= heard.settled { Mono(0) } else { due });
            }
        }
        next
    }

    #[allow(clippy::cast_possible_truncation)] // no more than a u8 counts
    fn all_venues(&self) -> impl Iterator<Item = VenueId> + use<> {
        (0..self.heard.len() as u8).map(VenueId)
    }

    /// Both queues of a venue are in the order of its requests: if any is settled, a first one is.
    fn first_settled(&self) -> Option<u32> {
        for (venue, heard) in self.all_venues().zip(&self.heard) {
            let (overdue, pending) = (self.table.first_overdue(venue), self.table.first_pending(venue));
            let is_settled = |slot| slot != NIL && self.table.get(slot).is_some_and(|o| o.request <= heard.settled);
            if is_settled(overdue) {
                return Some(overdue);
            }
            if is_settled(pending) {
                return Some(pending);
            }
        }
        None
    }

    /// The first request at any venue that has had its time.
    fn first_late(&self, now: Mono) -> Option<u32> {
        for venue in self.all_venues() {
            let pending = self.table.first_pending(venue);
            if pending != NIL && self.table.get(pending).is_some_and(|o| o.deadline <= now) {
                return Some(pending);
            }
        }
        None
    }

    /// Is some request to this venue late, so that a confirmation would help?
    #[must_use]
    pub fn is_overdue(&self, venue: VenueId) -> bool {
        self.table.first_overdue(venue) != NIL
    }

    /// Is an order known by this token at this venue, in the table or outside of it?
    fn has_token(&self, venue: VenueId, token: Token) -> bool {
        self.by_token(venue, token).is_some() || self.is_orphan(venue, token)
    }

    /// The venue names another instrument than the order was sent for.
    pub fn names_another_instrument(&mut self, order: &Order, standing: &Standing) {
        let said = Subject { venue: order.venue, token: standing.token, kind: ReportKind::Accepted };
        self.finds_of(AnomalyKind::StandsOtherwise, (said, order), standing.qty.0, order.liable.0);
    }
}

crate::state! { Heard { fills, orphans, settled } }
crate::state! { Orders { table, heard, next_id, foreign, findings } without { capacity, timeout } }

/// Of when a report tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum When {
    /// Of this run.
    Now,
    /// Of this or an earlier run: there may have been requests that nobody knows of.
    Earlier,
}

/// What each report does. `said` is what it is about.
impl Orders {
    /// The slot that has the token, and the order as it stands. If none has, it is an anomaly.
    #[inline]
    fn find(&mut self, about: Subject, what: AnomalyKind, said: i64, known: i64) -> Option<(u32, Order)> {
        let slot = self.table.of_token(about.venue, about.token);
        let found = slot.and_then(|slot| Some((slot, *self.table.get(slot)?)));
        if found.is_none() {
            self.findings.note(Anomaly::of(what, about, said, known));
        }
        found
    }

    /// Something cannot be, and nothing follows from it.
    #[cold]
    fn finds(&mut self, anomaly: Anomaly) -> Option<Change> {
        self.findings.note(anomaly);
        None
    }

    /// Something about this order cannot be, under the number that the venue named.
    #[cold]
    fn finds_of(
        &mut self,
        what: AnomalyKind,
        (about, order): (Subject, &Order),
        said: i64,
        known: i64,
    ) -> Option<Change> {
        let (order, instrument) = (Some(order.id), Some(order.instrument));
        self.finds(Anomaly { order, instrument, ..Anomaly::of(what, about, said, known) })
    }

    fn accepted(&mut self, said: Subject, standing: &Standing) -> Option<Change> {
        let (shares, price) = (standing.qty.0, standing.price.0);
        let (slot, order) = self.find(said, AnomalyKind::UnknownAccepted, shares, price)?;
        let about = (said, &order);
        let lost = order.status == Status::Rejected;
        if standing.token != order.token || (order.venue_ref.is_some() || !order.is_live()) && !lost {
            return self.finds_of(AnomalyKind::Repeated, about, 0, 0);
        }
        if lost {
            self.finds_of(AnomalyKind::AcceptedAfterReject, about, shares, 0);
        } else if !order.is_as_asked(standing, order.liable, order.limit) {
            self.finds_of(AnomalyKind::StandsOtherwise, about, shares, order.liable.0);
        }
        self.table.step(slot, |order| {
            let used = order.executed.plus(order.decremented);
            order.marked(standing.mark);
            order.liable = order.liable.max(standing.qty);
            order.stand(standing, standing.qty.minus(used));
            Effect::of(if order.is_live() { Happening::Accepted } else { Happening::Cancelled })
        })
    }

    fn replaced(&mut self, said: Subject, orig: Token, standing: &Standing, when: When) -> Option<Change> {
        let venue = said.venue;
        let known = self.table.of_token(venue, orig).or_else(|| self.table.of_token(venue, standing.token));
        let (shares, price) = (standing.qty.0, standing.price.0);
        let Some((slot, order)) = known.and_then(|s| Some((s, *self.table.get(s)?))) else {
            return self.finds(Anomaly::of(AnomalyKind::UnknownReplaced, said, shares, price));
        };
        let about = (said, &order);
        if standing.token == order.token || standing.token == order.previous {
            return self.finds_of(AnomalyKind::Repeated, about, 0, 0);
        }
        let asked = order.replacing.filter(|r| r.token == standing.token);
        if orig != order.token || !order.is_live() || asked.is_none() && when == When::Now {
            self.finds_of(AnomalyKind::ReplacedUnasked, about, shares, 0);
        } else if let Some(asked) = asked
            && !order.is_as_asked(standing, order.open_after(&asked), asked.price)
        {
            self.finds_of(AnomalyKind::StandsOtherwise, about, shares, order.open_after(&asked).0);
        }
        self.table.forget_token(venue, order.previous, slot);
        self.table.add_token(venue, standing.token, slot);
        self.table.step(slot, |order| {
            if asked.is_some() {
                order.replacing = None;
            }
            order.previous = core::mem::replace(&mut order.token, standing.token);
            order.limit = asked.map_or(standing.price, |r| r.price);
            // What was asked for is of the whole chain: a fill of the order before may still be told, out of its share.
            let stands = order.executed.plus(order.decremented).plus(standing.qty);
            order.liable = asked.map_or(order.liable, |r| r.qty).max(stands);
            order.marked(standing.mark);
            order.stand(standing, standing.qty);
            Effect::of(if order.is_live() { Happening::Replaced } else { Happening::Cancelled })
        })
    }

    fn canceled(&mut self, said: Subject, decrement: Qty, reason: Reason, self_match: bool) -> Option<Change> {
        let (slot, order) = self.find(said, AnomalyKind::UnknownOrder, 0, 0)?;
        // Of a token that is not the order's, or of an order with nothing open: taking nothing away is the safer side.
        if said.token != order.token || !order.is_live() {
            return self.finds_of(AnomalyKind::FinishedOrder, (said, &order), 0, 0);
        }
        if decrement > order.open {
            self.finds_of(AnomalyKind::OverCancel, (said, &order), decrement.0, order.open.0);
        }
        self.table.step(slot, |order| {
            if self_match {
                order.decremented = order.decremented.plus(decrement);
            }
            order.reduce(decrement);
            let what = if order.is_live() { Happening::Reduced } else { Happening::Cancelled };
            Effect::because(what, reason)
        })
    }

    fn executed(&mut self, said: Subject, fill: Fill) -> Option<Change> {
        let (slot, order) = self.find(said, AnomalyKind::UnknownFill, fill.qty.0, fill.price.0)?;
        let (about, token) = ((said, &order), said.token);
        if let Some(booked) = self.booked(said.venue, fill.trade, order.side, order.id) {
            // Told again as it was first, or as it was corrected since.
            let (first, now) = (booked.first, (booked.fill.qty, booked.fill.price));
            return if [first, now].contains(&(fill.qty, fill.price)) {
                self.finds_of(AnomalyKind::Repeated, about, 0, 0)
            } else {
                self.finds_of(AnomalyKind::TradeTwice, about, fill.qty.0, first.0.0)
            };
        }
        if token != order.token || !order.is_live() {
            bump(&mut self.findings.counters.late_fills);
        }
        let most = order.may_execute(token);
        if fill.qty > most {
            self.finds_of(AnomalyKind::Overfill, about, fill.qty.0, most.0);
        } else if !fill.qty.is_positive() {
            self.finds_of(AnomalyKind::EmptyTrade, about, fill.qty.0, 0);
        } else if token == order.token && order.side.is_better(fill.price, order.worst()) {
            self.finds_of(AnomalyKind::BeyondLimit, about, fill.price.0, order.worst().0);
        }
        self.book(Booked {
            order: order.id,
            venue: order.venue,
            token,
            instrument: order.instrument,
            side: order.side,
            tags: order.tags,
            short: order.exposure().short,
            first: (fill.qty, fill.price),
            fill,
            broken: false,
        });
        self.table.step(slot, |order| {
            order.execute(token, fill.qty);
            Effect { fill: Some(fill), ..Effect::of(Happening::Filled) }
        })
    }

    /// Breaks a trade (`with` is none) or corrects it.
    fn revise_trade(&mut self, said: Subject, trade: u64, reason: Reason, with: Option<Fill>) -> Option<Change> {
        let (venue, token) = (said.venue, said.token);
        let slot = self.table.of_token(venue, token);
        let order = slot.and_then(|s| self.table.get(s)).copied();
        let what = if with.is_some() { Happening::TradeCorrected } else { Happening::TradeBroken };
        let heard = self.heard.get_mut(usize::from(venue.0))?;
        let Some(booked) = heard.fills.locate(trade, token, order.map(|o| o.id)) else {
            let found = Anomaly::of(AnomalyKind::UnknownTrade, said, trade.cast_signed(), 0);
            let (order, instrument) = (order.map(|o| o.id), order.map(|o| o.instrument));
            self.findings.note(Anomaly { order, instrument, ..found });
            return self.table.step(slot?, |_| Effect::because(what, reason));
        };
        let before = *booked;
        if before.broken {
            let found = Anomaly::of(AnomalyKind::Repeated, said, 0, 0);
            return self.finds(Anomaly { order: Some(before.order), instrument: Some(before.instrument), ..found });
        }
        match with {
            Some(fill) => booked.fill = fill,
            None => booked.broken = true,
        }
        // A correction gives a trade no more than the order had left beside it.
        if let (Some(fill), Some(order)) = (with, order) {
            let most = before.first.0.plus(order.unused());
            if fill.qty > most {
                self.finds_of(AnomalyKind::Overfill, (said, &order), fill.qty.0, most.0);
            }
        }
        let reversed = Fill { qty: before.fill.qty.negated(), ..before.fill };
        let effect = Effect { what, reason, fill: with, reversed: Some(reversed) };
        match self.table.of_id(before.order) {
            Some(slot) => self.table.step(slot, |_| effect),
            // The order is forgotten; what it did is not.
            None => Some(before.step(effect, true)),
        }
    }

    fn rejected(&mut self, said: Subject, reason: Reason, when: When) -> Option<Change> {
        let (venue, token) = (said.venue, said.token);
        if when == When::Earlier && self.table.of_token(venue, token).is_none() {
            // Of a request of an earlier run: nothing lives by it.
            bump(&mut self.findings.counters.earlier_refusals);
            return None;
        }
        let (slot, order) = self.find(said, AnomalyKind::UnknownOrder, 0, 0)?;
        let is_of_replace = order.replacing.is_some_and(|r| r.token == token);
        if is_of_replace && order.is_live() {
            self.table.forget_token(venue, token, slot);
            return self.table.step(slot, |order| {
                order.replacing = None;
                Effect::because(Happening::RequestRefused, reason)
            });
        }
        match order.status {
            Status::Pending => self.table.step(slot, |order| {
                order.status = Status::Rejected;
                Effect::because(Happening::Rejected, reason)
            }),
            _ if is_of_replace => {
                bump(&mut self.findings.counters.late_refusals);
                None
            }
            Status::Rejected => self.finds_of(AnomalyKind::Repeated, (said, &order), 0, 0),
            _ => self.finds_of(AnomalyKind::RejectedAfterAccept, (said, &order), i64::from(reason.code), 0),
        }
    }

    fn modified(&mut self, said: Subject, mark: SellMark, open: Qty) -> Option<Change> {
        if let Some(order) = self.by_token(said.venue, said.token).copied()
            && order.is_live()
            && said.token == order.token
            && open > order.open
        {
            self.finds_of(AnomalyKind::Grown, (said, &order), open.0, order.open.0);
        }
        self.revise(said, |order| {
            order.marked(mark);
            // An increase would have been ignored by the venue; if it says so all the same, it is so.
            let less = order.open.minus(open);
            order.liable = order.liable.plus(Qty(less.0.min(0).saturating_neg()));
            order.reduce(less);
            Effect::of(match (order.is_live(), less.is_positive()) {
                (false, _) => Happening::Cancelled,
                (true, true) => Happening::Reduced,
                (true, false) => Happening::Revised,
            })
        })
    }

    /// A report about a live order under its present token.
    fn revise(&mut self, said: Subject, act: impl FnOnce(&mut Order) -> Effect) -> Option<Change> {
        let (slot, order) = self.find(said, AnomalyKind::UnknownOrder, 0, 0)?;
        if said.token != order.token || !order.is_live() {
            return self.finds_of(AnomalyKind::FinishedOrder, (said, &order), 0, 0);
        }
        self.table.step(slot, act)
    }

    /// No answer will come any more.
    fn settle(&mut self, slot: u32) -> Option<Change> {
        let order = *self.table.get(slot)?;
        if let Some(replace) = order.replacing {
            self.table.forget_token(order.venue, replace.token, slot);
        }
        self.table.step(slot, |order| {
            order.replacing = None;
            order.cancelling = order.cancelling.filter(|c| c.deferred);
            if order.status == Status::Pending {
                order.status = Status::Rejected;
                return Effect::because(Happening::Rejected, Reason::NO_ANSWER);
            }
            Effect::because(Happening::RequestRefused, Reason::NO_ANSWER)
        })
    }
}

fn bump(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Name, assert_all_saved};
    use crate::flow::action::{Tags, TimeInForce};

    #[test]
    fn every_field_is_saved_and_restored() {
        const ENTER: Enter = Enter {
            instrument: InstrumentId(0),
            side: Side::Buy,
            price: Price(1),
            qty: Qty(1),
            tif: TimeInForce::Day,
            post_only: false,
            tags: Tags {
                account: crate::base::AccountId(0),
                strategy: crate::base::StrategyId(0),
                parent: crate::base::ParentId(0),
            },
        };
        const SENT: Sent = Sent { token: Token(1), request: 1 };
        const SAID: Subject = Subject { venue: VenueId(0), token: Token(1), kind: ReportKind::Settled };
        let changes: [fn(&mut Orders); 10] = [
            |_| {},
            |o| o.next_id = 2,
            |o| o.foreign = 2,
            |o| o.heard[0].settled = 1,
            |o| o.heard[1].settled = 1,
            |o| assert!(o.opened(Mono(0), VenueId(0), &ENTER, SellMark::Long, SENT).is_some()),
            |o| o.heard[0].fills.forgotten = 1,
            |o| o.not_opened(VenueId(0), &ENTER, SellMark::Long, Name::new("TEST").unwrap(), SENT),
            |o| o.findings.counters.unknown = 1,
            |o| o.findings.last = Some(Anomaly::of(AnomalyKind::NumbersTaken, SAID, -1, 2)),
        ];
        let config = OrdersConfig {
            capacity: 1,
            retained: 1,
            fills: 1,
            instruments: 1,
            venues: 2,
            first_id: 1,
            request_timeout: Nanos(1),
        };
        assert_all_saved(|| Orders::new(&config).unwrap(), &changes);
    }
}
