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
//! moment can the venue execute more than what is counted. (nasdaq-protocols.md section 1, "Semantics".)
//!
//! * An order with nothing open is finished, also with a replace on its way: had the venue taken the replace first,
//!   its Replaced would have come first. To a replace of a dead order it answers nothing.
//! * Tokens rise strictly. The venue leaves the token of a silently ignored replace free, but a freed one is never
//!   used again: "strictly increasing" allows gaps, and only so does a late answer find the request that it means.
//! * Some requests get no answer: a replace of a dead order, a cancel with nothing to do, anything lost with a
//!   connection. After [`OrdersConfig::request_timeout`] the order's step is [`Happening::TimedOut`]; nothing else
//!   about it changes, both outcomes stay counted. An Account Query settles it: its answer ([`Report::Queried`])
//!   comes after the answers to everything sent before it, so that what is unanswered then never will be. An enter is
//!   then rejected as lost, a replace or cancel had no effect, each with the reason [`NO_ANSWER`].
//! * A fill counts once for its match number, is taken back once if the trade is broken, and moves the position also
//!   when it comes late: for a finished order, or for the token before a replacement.
//! * A venue that contradicts itself (an execution beyond what is open, life in an order it had declared dead) is
//!   believed where that is the safer reading, counted, and told of ([`Orders::take_anomaly`]).

mod anomaly;
mod fills;
mod list;
mod order;
mod orphans;
mod report;
mod sweep;
mod table;

pub use anomaly::{Anomaly, AnomalyKind, Unreadable};
pub use order::{Cancelling, Order, Replacing, Status};
pub use orphans::Orphan;
pub use report::{Origin, Report, Sent, Standing};
pub use sweep::Sweep;
pub use table::Cursor;

use super::action::{Cancel, Change, Enter, Fill, Happening, Replace, SellMark};
use crate::base::{ClientId, InstrumentId, Mono, Nanos, OutOfRange, Price, Qty, Side, Token, counters};
use anomaly::Findings;
use fills::{Booked, Fills};
use list::NIL;
use order::Queue;
use orphans::Orphans;
use table::{Effect, Table};

/// The reason of a [`Change`] that no message of the venue caused: a request that was never answered.
pub const NO_ANSWER: u16 = u16::MAX;

/// An order that this program did not enter has this bit in its [`ClientId`], and its token in the low bits.
const FOREIGN: u64 = 1 << 63;

/// Capacities and patience.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrdersConfig {
    /// Live orders. When full, the gate must let no new one pass ([`Orders::is_full`]).
    pub capacity: u32,
    /// Finished orders that are still remembered at least: a fill for an older one finds nothing and is counted.
    pub retained: u32,
    /// Fills that are remembered: a break of an older one can't be booked and is counted.
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

/// All orders of one order-entry session.
#[derive(Debug)]
pub struct Orders {
    table: Table,
    fills: Fills,
    /// What lives and has no place in the table.
    orphans: Orphans,
    capacity: u32,
    next_id: u64,
    /// Requests up to this number are behind us.
    settled: u64,
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
        Ok(Orders {
            table: Table::new(config.capacity.saturating_add(config.retained), config.instruments),
            fills: Fills::new(config.fills as usize),
            orphans: Orphans::new(config.capacity.saturating_add(config.retained)),
            capacity: config.capacity,
            next_id: config.first_id,
            settled: 0,
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

    /// How many orders may live at once.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// How many orders are live.
    #[inline]
    #[must_use]
    pub fn live_count(&self) -> u32 {
        self.table.live_count
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
        self.fills.forgotten
    }

    /// An order, live or remembered.
    #[inline]
    #[must_use]
    pub fn get(&self, id: ClientId) -> Option<&Order> {
        self.table.get(self.table.of_id(id)?)
    }

    /// The order that has, had, or asks for this token.
    #[inline]
    #[must_use]
    pub fn by_token(&self, token: Token) -> Option<&Order> {
        self.table.get(self.table.of_token(token)?)
    }

    /// The best price at which an own order of this side may trade: as it stands or as a replace on its way would
    /// have it, from the moment it is sent.
    #[inline]
    #[must_use]
    pub fn own_best(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        self.table.own_best(instrument, side)
    }

    /// The next live order after `cursor`, in the order in which they were sent.
    pub fn next_live(&self, cursor: &mut Cursor) -> Option<&Order> {
        self.table.next_live(cursor)
    }

    /// The next live order in `instrument` after `cursor`.
    pub fn next_live_of(&self, instrument: InstrumentId, cursor: &mut Cursor) -> Option<&Order> {
        self.table.next_live_of(instrument, cursor)
    }

    /// An enter has left. `None` if there is no slot, which [`is_full`](Self::is_full) would have told, or if the
    /// instrument is beyond the capacity.
    pub fn opened(&mut self, now: Mono, enter: &Enter, mark: SellMark, sent: Sent) -> Option<Change> {
        let id = self.next_id();
        let slot = self.table.take(enter.instrument, id, sent.token)?;
        self.next_id = self.next_id.wrapping_add(1);
        let deadline = now.after(self.timeout);
        self.table.step(slot, |order| {
            *order = Order {
                id,
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
        if !self.table.get(slot)?.can_replace() {
            return None;
        }
        self.table.add_token(sent.token, slot);
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

    /// The venue has spoken. `None`: nothing about an order that is known. What cannot be is kept for
    /// [`take_anomaly`](Self::take_anomaly).
    pub fn report(&mut self, report: &Report) -> Option<Change> {
        self.hear(report, When::Now)
    }

    fn hear(&mut self, report: &Report, when: When) -> Option<Change> {
        if !self.orphans.is_empty()
            && let Ok(change) = self.report_of_orphan(report)
        {
            return change;
        }
        let said = report.subject();
        match *report {
            Report::Accepted(ref standing) => self.accepted(standing),
            Report::Replaced { orig, now: ref standing } => self.replaced(orig, standing, when),
            Report::Canceled { decrement, reason, .. } => self.canceled(said, decrement, reason, false),
            Report::AiqCanceled { decrement, reason, .. } => self.canceled(said, decrement, reason, true),
            Report::Executed { token, qty, price, liquidity, trade } => {
                self.executed(token, Fill { qty, price, trade, liquidity })
            }
            Report::Broken { token, trade, reason } => self.revise_trade(token, trade, reason, None),
            Report::Corrected { token, qty, price, liquidity, trade, reason } => {
                self.revise_trade(token, trade, reason, Some(Fill { qty, price, trade, liquidity }))
            }
            Report::Rejected { token, reason } => self.rejected(token, reason, when),
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
                Effect::because(Happening::Revised, u16::from(reason))
            }),
            Report::Queried { next, unused, settled } => {
                self.settled = self.settled.max(settled);
                let unused = unused.filter(|unused| next > *unused)?;
                self.finds(Anomaly::of(
                    AnomalyKind::NumbersTaken,
                    Token(0),
                    next.0.cast_signed(),
                    unused.0.cast_signed(),
                ))
            }
            Report::Unreadable(Unreadable { why, letter, length }) => {
                self.finds(Anomaly::of(why, Token(0), i64::from(letter), i64::from(length)))
            }
            Report::SystemEvent { .. }
            | Report::MassCancelled { .. }
            | Report::EntryDisabled { .. }
            | Report::EntryEnabled { .. } => None,
        }
    }

    /// As [`report`](Self::report), for the replay after a restart: an order that is not known is one of an earlier
    /// run and is taken over as the venue describes it. `resolve` gives the instrument of a symbol.
    ///
    /// An order that carries no id of ours, or one that another already has, gets an id of its own in the upper half
    /// of the numbers. Without room or instrument it is counted ([`Counters::not_adopted`]) and followed by its token
    /// alone: what the lane owns is not complete while it lives ([`is_incomplete`](Self::is_incomplete)).
    pub fn adopt(
        &mut self,
        report: &Report,
        resolve: impl FnOnce(crate::base::Symbol) -> Option<InstrumentId>,
    ) -> Option<Change> {
        let standing = match report {
            Report::Accepted(standing) => standing,
            Report::Replaced { orig, now } if self.by_token(*orig).is_none() && !self.orphans.knows(*orig) => now,
            _ => return self.hear(report, When::Earlier),
        };
        let token = standing.token;
        if token.0 == 0 || self.by_token(token).is_some() || self.orphans.knows(token) {
            return self.hear(report, When::Earlier);
        }
        let ours = standing.origin.filter(|o| (1..FOREIGN).contains(&o.client.0) && self.get(o.client).is_none());
        let id = ours.map_or(ClientId(FOREIGN | standing.token.0), |o| o.client);
        let instrument = resolve(standing.symbol);
        let place = instrument.and_then(|i| Some((i, self.table.take(i, id, token)?)));
        let Some((instrument, slot)) = place else {
            bump(&mut self.findings.counters.not_adopted);
            self.orphan(standing, instrument);
            return None;
        };
        if ours.is_some() {
            self.next_id = self.next_id.max(id.0.wrapping_add(1));
        }
        self.table.step(slot, |order| {
            *order = Order {
                id,
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

    /// What time and [`Report::Queried`] have brought about: one step a call, until `None`.
    pub fn timed_out(&mut self, now: Mono) -> Option<Change> {
        if let Some(slot) = self.first_settled() {
            bump(&mut self.findings.counters.unanswered);
            return self.settle(slot);
        }
        let late = self.table.first(Queue::Pending);
        if self.table.get(late).is_none_or(|o| o.deadline > now) {
            return None;
        }
        bump(&mut self.findings.counters.timed_out);
        self.table.queue(late, Queue::Overdue);
        self.table.step(late, |_| Effect::of(Happening::TimedOut))
    }

    /// When to call [`timed_out`](Self::timed_out) next; at once if an answer has settled something.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        if self.first_settled().is_some() {
            return Mono(0);
        }
        self.table.get(self.table.first(Queue::Pending)).map_or(Mono::NEVER, |o| o.deadline)
    }

    /// Both queues are in the order of their requests: if any is settled, a first one is.
    fn first_settled(&self) -> Option<u32> {
        let first = [Queue::Overdue, Queue::Pending].map(|queue| self.table.first(queue));
        first.into_iter().find(|slot| self.table.get(*slot).is_some_and(|o| o.request <= self.settled))
    }

    /// Is some request late, so that an Account Query would help?
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        self.table.first(Queue::Overdue) != NIL
    }

    /// The venue names another symbol than the order was sent for.
    pub fn names_another_symbol(&mut self, order: &Order, standing: &Standing) {
        self.finds_of(AnomalyKind::StandsOtherwise, (standing.token, order), standing.qty.0, order.liable.0);
    }
}

crate::state! { Orders { table, fills, orphans, next_id, settled, findings } without { capacity, timeout } }

/// Of when a report tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum When {
    /// Of this run.
    Now,
    /// Of this or an earlier run: there may have been requests that nobody knows of.
    Earlier,
}

/// What each report does. `said` is the number and the letter of the report.
impl Orders {
    /// The slot that has the token, and the order as it stands. If none has, it is an anomaly.
    #[inline]
    fn find(&mut self, token: Token, what: AnomalyKind, said: i64, known: i64) -> Option<(u32, Order)> {
        let slot = self.table.of_token(token);
        let found = slot.and_then(|slot| Some((slot, *self.table.get(slot)?)));
        if found.is_none() {
            self.findings.note(Anomaly::of(what, token, said, known));
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
        (token, order): (Token, &Order),
        said: i64,
        known: i64,
    ) -> Option<Change> {
        let (order, instrument) = (Some(order.id), Some(order.instrument));
        self.finds(Anomaly { what, token, order, instrument, said, known })
    }

    fn accepted(&mut self, standing: &Standing) -> Option<Change> {
        let (shares, price) = (standing.qty.0, standing.price.0);
        let (slot, order) = self.find(standing.token, AnomalyKind::UnknownAccepted, shares, price)?;
        let about = (standing.token, &order);
        let lost = order.status == Status::Rejected;
        if standing.token != order.token || (order.venue_ref.is_some() || !order.is_live()) && !lost {
            return self.finds_of(AnomalyKind::Repeated, about, i64::from(b'A'), 0);
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

    fn replaced(&mut self, orig: Token, standing: &Standing, when: When) -> Option<Change> {
        let known = self.table.of_token(orig).or_else(|| self.table.of_token(standing.token));
        let (shares, price) = (standing.qty.0, standing.price.0);
        let Some((slot, order)) = known.and_then(|s| Some((s, *self.table.get(s)?))) else {
            return self.finds(Anomaly::of(AnomalyKind::UnknownReplaced, standing.token, shares, price));
        };
        let about = (standing.token, &order);
        if standing.token == order.token || standing.token == order.previous {
            return self.finds_of(AnomalyKind::Repeated, about, i64::from(b'U'), 0);
        }
        let asked = order.replacing.filter(|r| r.token == standing.token);
        if orig != order.token || !order.is_live() || asked.is_none() && when == When::Now {
            self.finds_of(AnomalyKind::ReplacedUnasked, about, shares, 0);
        } else if let Some(asked) = asked
            && !order.is_as_asked(standing, order.open_after(&asked), asked.price)
        {
            self.finds_of(AnomalyKind::StandsOtherwise, about, shares, order.open_after(&asked).0);
        }
        self.table.forget_token(order.previous, slot);
        self.table.add_token(standing.token, slot);
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

    fn canceled(&mut self, said: (Token, u8), decrement: Qty, reason: u8, self_match: bool) -> Option<Change> {
        let (token, letter) = said;
        let (slot, order) = self.find(token, AnomalyKind::UnknownOrder, i64::from(letter), 0)?;
        // Of a token that is not the order's, or of an order with nothing open: taking nothing away is the safer side.
        if token != order.token || !order.is_live() {
            return self.finds_of(AnomalyKind::FinishedOrder, (token, &order), i64::from(letter), 0);
        }
        if decrement > order.open {
            self.finds_of(AnomalyKind::OverCancel, (token, &order), decrement.0, order.open.0);
        }
        self.table.step(slot, |order| {
            if self_match {
                order.decremented = order.decremented.plus(decrement);
            }
            order.reduce(decrement);
            let what = if order.is_live() { Happening::Reduced } else { Happening::Cancelled };
            Effect::because(what, u16::from(reason))
        })
    }

    fn executed(&mut self, token: Token, fill: Fill) -> Option<Change> {
        let (slot, order) = self.find(token, AnomalyKind::UnknownFill, fill.qty.0, fill.price.0)?;
        let about = (token, &order);
        if let Some(booked) = self.fills.find(fill.trade, order.side, order.id) {
            // Told again as it was first, or as it was corrected since.
            let (first, now) = (booked.first, (booked.fill.qty, booked.fill.price));
            return if [first, now].contains(&(fill.qty, fill.price)) {
                self.finds_of(AnomalyKind::Repeated, about, i64::from(b'E'), 0)
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
        self.fills.book(Booked {
            order: order.id,
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
    fn revise_trade(&mut self, token: Token, trade: u64, reason: u8, with: Option<Fill>) -> Option<Change> {
        let slot = self.table.of_token(token);
        let order = slot.and_then(|s| self.table.get(s)).copied();
        let what = if with.is_some() { Happening::TradeCorrected } else { Happening::TradeBroken };
        let reason = u16::from(reason);
        let Some(booked) = self.fills.locate(trade, token, order.map(|o| o.id)) else {
            let found = Anomaly::of(AnomalyKind::UnknownTrade, token, trade.cast_signed(), 0);
            let (order, instrument) = (order.map(|o| o.id), order.map(|o| o.instrument));
            self.findings.note(Anomaly { order, instrument, ..found });
            return self.table.step(slot?, |_| Effect::because(what, reason));
        };
        let before = *booked;
        if before.broken {
            let letter = if with.is_some() { b'F' } else { b'B' };
            let found = Anomaly::of(AnomalyKind::Repeated, token, i64::from(letter), 0);
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
                self.finds_of(AnomalyKind::Overfill, (token, &order), fill.qty.0, most.0);
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

    fn rejected(&mut self, token: Token, reason: u16, when: When) -> Option<Change> {
        if when == When::Earlier && self.table.of_token(token).is_none() {
            // Of a request of an earlier run: nothing lives by it.
            bump(&mut self.findings.counters.earlier_refusals);
            return None;
        }
        let (slot, order) = self.find(token, AnomalyKind::UnknownOrder, i64::from(b'J'), 0)?;
        let is_of_replace = order.replacing.is_some_and(|r| r.token == token);
        if is_of_replace && order.is_live() {
            self.table.forget_token(token, slot);
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
            Status::Rejected => self.finds_of(AnomalyKind::Repeated, (token, &order), i64::from(b'J'), 0),
            _ => self.finds_of(AnomalyKind::RejectedAfterAccept, (token, &order), i64::from(reason), 0),
        }
    }

    fn modified(&mut self, said: (Token, u8), mark: SellMark, open: Qty) -> Option<Change> {
        if let Some(order) = self.by_token(said.0).copied()
            && order.is_live()
            && said.0 == order.token
            && open > order.open
        {
            self.finds_of(AnomalyKind::Grown, (said.0, &order), open.0, order.open.0);
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
    fn revise(&mut self, (token, letter): (Token, u8), act: impl FnOnce(&mut Order) -> Effect) -> Option<Change> {
        let (slot, order) = self.find(token, AnomalyKind::UnknownOrder, i64::from(letter), 0)?;
        if token != order.token || !order.is_live() {
            return self.finds_of(AnomalyKind::FinishedOrder, (token, &order), i64::from(letter), 0);
        }
        self.table.step(slot, act)
    }

    /// No answer will come any more.
    fn settle(&mut self, slot: u32) -> Option<Change> {
        if let Some(replace) = self.table.get(slot)?.replacing {
            self.table.forget_token(replace.token, slot);
        }
        self.table.step(slot, |order| {
            order.replacing = None;
            order.cancelling = order.cancelling.filter(|c| c.deferred);
            if order.status == Status::Pending {
                order.status = Status::Rejected;
                return Effect::because(Happening::Rejected, NO_ANSWER);
            }
            Effect::because(Happening::RequestRefused, NO_ANSWER)
        })
    }
}

fn bump(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Symbol, assert_all_saved};
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
        let changes: [fn(&mut Orders); 8] = [
            |_| {},
            |o| o.next_id = 2,
            |o| o.settled = 1,
            |o| assert!(o.opened(Mono(0), &ENTER, SellMark::Long, SENT).is_some()),
            |o| o.fills.forgotten = 1,
            |o| o.not_opened(&ENTER, SellMark::Long, Symbol(*b"TEST    "), SENT),
            |o| o.findings.counters.unknown = 1,
            |o| o.findings.last = Some(Anomaly::of(AnomalyKind::NumbersTaken, Token(1), -1, 2)),
        ];
        let config =
            OrdersConfig { capacity: 1, retained: 1, fills: 1, instruments: 1, first_id: 1, request_timeout: Nanos(1) };
        assert_all_saved(|| Orders::new(&config).unwrap(), &changes);
    }
}
