//! The order side of the core: the gate's judgement of each action, the venue's reports, the sweep of what may not
//! rest any more.

use super::*;
use crate::base::Qty;
use crate::flow::action::{SellMark, TimeInForce};
use crate::flow::book::BookKind;
use crate::flow::orders::{Sent, Status as OrderStatus};

use crate::flow::words::Visibility;

impl<W: Wiring> Core<W> {
    /// The next action that a strategy asked for: through the gate and out. What left is written down by
    /// [`settle`](Self::settle), behind the send.
    // What an enter needs on its way is inlined here: its words are of 50 to 150 bytes, and from one function to the next they
    // would go through memory, to be read back wider than they were written, which waits for the writes.
    #[inline(never)]
    pub(super) fn judge(&mut self, now: Mono, out: &mut Outbox) {
        let at = self.judged;
        self.judged = at.wrapping_add(1);
        // Of a sale in two parts, what is refused may be a part.
        let mut part = None;
        let verdict = match self.actions.list().get(at) {
            Some(&Action::Enter(enter)) => self.enter(now, enter, &mut part, out),
            Some(&Action::Replace(replace)) => self.replace(now, replace, out),
            Some(&Action::Cancel(cancel)) => self.cancel(now, cancel, out).map(|left| self.left.push(left)),
            Some(&Action::MassCancel(cancel)) => self.mass_cancel(now, cancel, out),
            None => return,
        };
        if verdict.is_err() || self.left.is_empty() {
            self.conclude(now, part, verdict, out);
        }
    }

    /// The last action leaves nothing to be settled, or not all of it left.
    #[inline(never)]
    fn conclude(&mut self, now: Mono, part: Option<Qty>, verdict: Result<(), Refusal>, out: &mut Outbox) {
        let Some(asked) = self.last_asked() else { return };
        let action = asked.of(part);
        // Of a sale in two parts, the first may have left all the same.
        self.settle_parts(now, out);
        self.tape_decision(&action, None, verdict.err(), out);
        self.next_action(out);
        if let Err(why) = verdict {
            let id = match action {
                Action::Enter(enter) => Some(enter.instrument),
                Action::Replace(replace) => self.orders.get(replace.order).map(|o| o.instrument),
                Action::Cancel(cancel) => self.orders.get(cancel.order).map(|o| o.instrument),
                Action::MassCancel(cancel) => cancel.instrument,
            };
            if let Some(id) = id {
                self.call(now, id, |strategy, view, _| strategy.on_refusal(id, &action, why, view));
            }
        }
    }

    /// The action that was judged last.
    fn last_asked(&self) -> Option<Asked> {
        self.judged.checked_sub(1).and_then(|last| self.actions.list().get(last)).copied().map(Asked)
    }

    /// What the last action sent is in the hands of the system by now: order table, ledger, marks, tape and strategy follow.
    #[inline(never)]
    pub(super) fn settle(&mut self, now: Mono, out: &mut Outbox) {
        self.settle_parts(now, out);
        self.next_action(out);
    }

    fn settle_parts(&mut self, now: Mono, out: &mut Outbox) {
        let Some(asked) = self.last_asked() else { return };
        for left in self.left.take().into_iter().flatten() {
            let action = asked.of(Some(left.qty));
            self.took_off(now, &action, &left, out);
            let made = matches!(action, Action::Enter(_)).then_some(left.id);
            self.tape_decision(&action, made, None, out);
        }
    }

    /// After the last action of a call, those that found no room are told of.
    fn next_action(&mut self, out: &mut Outbox) {
        if self.judged != self.actions.list().len() {
            return;
        }
        self.actions.clear();
        self.judged = 0;
        let dropped = self.actions.dropped();
        if dropped != self.counters.actions_dropped {
            let new = dropped.wrapping_sub(self.counters.actions_dropped);
            self.counters.actions_dropped = dropped;
            self.alert(Alert::TooManyActions, None, new, 0, out);
        }
    }

    /// Something left: it goes into the order table, and what follows from that.
    fn took_off(&mut self, now: Mono, action: &Action, left: &Left, out: &mut Outbox) {
        let Left { venue, instrument, mark, id, sent, qty: _ } = *left;
        let change = match action {
            // By the number under which it left, or it is none of the table's.
            Action::Enter(enter) if id == self.orders.next_id() => self.orders.opened(now, venue, enter, mark, sent),
            Action::Replace(replace) => self.orders.replace_sent(now, replace, sent),
            Action::Cancel(cancel) => self.orders.cancel_sent(now, cancel, sent),
            Action::Enter(_) | Action::MassCancel(_) => None,
        };
        match (change, action) {
            (Some(change), _) => self.took_step(now, &change, out),
            (None, Action::Enter(enter)) => {
                let name = self.instruments.get(instrument).map_or(Name::BLANK, |row| row.name);
                self.orders.not_opened(venue, enter, mark, name, sent);
                self.fault(instrument, sent.token, out);
            }
            (None, _) => self.fault(instrument, sent.token, out),
        }
    }

    /// Sends an enter in one part or two. What a part could be refused for is asked before the first leaves; which of them is
    /// refused all the same, `part` says.
    #[inline(always)]
    fn enter(&mut self, now: Mono, enter: Enter, part: &mut Option<Qty>, out: &mut Outbox) -> Result<(), Refusal> {
        let Some(row) = self.instruments.get(enter.instrument) else { return Err(self.no_instrument()) };
        let venue = row.venue;
        let ends = self.ends.get_mut(venue).filter(|ends| ends.ready(self.orders.is_incomplete(venue)));
        let ends = ends.ok_or(Refusal::EntryNotReady)?;
        out.towards(venue);
        let id = self.orders.next_id();
        let room = ends.entry.room(&enter, id, row, out);
        let both = self.orders.room().min(room.unwrap_or(0));
        let facts = facts(self.markets.get(venue), &self.orders, now, (enter.instrument, row), both);
        let Approvals { first, second } = match (self.gate.enter(enter, &facts), room) {
            (Err(Refusal::NoRoom), Err(why)) => return Err(refusal(why)),
            (approvals, _) => approvals?,
        };
        self.probe.pass(Mark::Approved);
        let MarkedEnter { enter: Enter { instrument, qty, .. }, mark } = *first;
        *part = Some(qty);
        let sent = ends.entry.enter(now, first, id, row, out).map_err(refusal)?;
        self.probe.pass(Mark::Encoded);
        self.counters.entered = self.counters.entered.wrapping_add(1);
        self.left.push(Left { venue, instrument, qty, mark, id, sent });
        let Some(second) = second else { return Ok(()) };
        *part = Some(second.enter.qty);
        self.send_second(now, second, ClientId(id.0.wrapping_add(1)), out)
    }

    // Few sales have one: it does not stand in the way of the others.
    #[cold]
    fn send_second(
        &mut self,
        now: Mono,
        part: Approved<MarkedEnter>,
        id: ClientId,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let MarkedEnter { enter: Enter { instrument, qty, .. }, mark } = *part;
        let row = self.instruments.get(instrument).ok_or(Refusal::UnknownInstrument)?;
        let ends = self.ends.get_mut(row.venue).ok_or(Refusal::EntryNotReady)?;
        let sent = ends.entry.enter(now, part, id, row, out).map_err(refusal)?;
        self.probe.pass(Mark::Encoded);
        self.counters.entered = self.counters.entered.wrapping_add(1);
        self.left.push(Left { venue: row.venue, instrument, qty, mark, id, sent });
        Ok(())
    }

    /// As it would be heard of an instrument of a venue that is away.
    #[cold]
    fn no_instrument(&self) -> Refusal {
        let any = self.ends.iter().any(|(_, ends)| ends.entry.ready());
        if any { Refusal::UnknownInstrument } else { Refusal::EntryNotReady }
    }

    #[inline(never)]
    fn replace(&mut self, now: Mono, replace: Replace, out: &mut Outbox) -> Result<(), Refusal> {
        let order = self.orders.get(replace.order).ok_or(Refusal::UnknownOrder)?;
        let row = self.instruments.get(order.instrument).ok_or(Refusal::UnknownInstrument)?;
        let ends = self.ends.get_mut(row.venue).filter(|ends| ends.ready(self.orders.is_incomplete(row.venue)));
        let ends = ends.ok_or(Refusal::EntryNotReady)?;
        out.towards(row.venue);
        let facts = facts(self.markets.get(row.venue), &self.orders, now, (order.instrument, row), 0);
        let approved = self.gate.replace(replace, &order_facts(order), &facts)?;
        self.probe.pass(Mark::Approved);
        let sent = ends.entry.replace(now, approved, order, out).map_err(refusal)?;
        self.probe.pass(Mark::Encoded);
        self.counters.replaced = self.counters.replaced.wrapping_add(1);
        self.left.push(Left::of(row.venue, order, sent));
        Ok(())
    }

    #[inline(never)]
    fn cancel(&mut self, now: Mono, cancel: Cancel, out: &mut Outbox) -> Result<Left, Refusal> {
        let order = self.orders.get(cancel.order).ok_or(Refusal::UnknownOrder)?;
        let approved = self.gate.cancel(cancel, &order_facts(order), now)?;
        let venue = self.venue_of(order.instrument);
        out.towards(venue);
        let ends = self.ends.get_mut(venue).ok_or(Refusal::EntryNotReady)?;
        let sent = ends.entry.cancel(now, approved, order, out).map_err(refusal)?;
        self.counters.cancelled = self.counters.cancelled.wrapping_add(1);
        Ok(Left::of(venue, order, sent))
    }

    #[inline(never)]
    fn mass_cancel(&mut self, now: Mono, cancel: MassCancel, out: &mut Outbox) -> Result<(), Refusal> {
        // Of all instruments: at every venue. One that can't take it refuses it for all, after the others have it.
        let only = cancel.instrument.map(|id| self.venue_of(id));
        let mut refused = None;
        for (venue, ends) in self.ends.iter_mut() {
            if only.is_some_and(|only| only != venue) {
                continue;
            }
            out.towards(venue);
            let approved = self.gate.mass_cancel(cancel, now)?;
            match ends.entry.mass_cancel(now, approved, &self.instruments, out) {
                Ok(_) => self.counters.cancelled = self.counters.cancelled.wrapping_add(1),
                Err(why) => refused = Some(refusal(why)),
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Where an instrument trades. One without a row trades nowhere; the first venue stands for that.
    #[inline]
    pub(super) fn venue_of(&self, id: InstrumentId) -> VenueId {
        self.instruments.get(id).map_or(VenueId::FIRST, |row| row.venue)
    }

    /// Something left that the order table can't hold. It can't be: all that could refuse it is asked before. Nothing
    /// more is sent on such books until a person has looked.
    #[cold]
    pub(super) fn fault(&mut self, id: InstrumentId, token: Token, out: &mut Outbox) {
        self.counters.faults = self.counters.faults.wrapping_add(1);
        self.alert(Alert::Fault, Some(id), token.0, 0, out);
        self.gate.kill();
        self.begin_sweep();
        self.due = self.all();
    }

    /// The venue has spoken.
    pub(super) fn on_report(&mut self, now: Mono, venue: VenueId, report: &Report, out: &mut Outbox) {
        self.due.insert(venue);
        let Some(ends) = self.ends.get(venue) else { return };
        let change = if ends.entry.tells_of_earlier() {
            // Until the venue has said all that it knows, it is telling of an earlier run too.
            let (instruments, line) = (&mut self.instruments, &ends.line);
            self.orders.adopt(venue, report, |name| instruments.admit(line.new_row(name)).ok().flatten())
        } else {
            self.check_instrument(venue, report);
            self.orders.report(venue, report)
        };
        // Before any strategy may answer to it.
        if let Some(anomaly) = self.orders.take_anomaly() {
            self.on_anomaly(now, &anomaly, out);
        }
        if let Some(change) = change {
            self.took_step(now, &change, out);
        }
    }

    /// An order that stands, stands in the instrument for which it was sent.
    fn check_instrument(&mut self, venue: VenueId, report: &Report) {
        let (Report::Accepted(standing) | Report::Replaced { now: standing, .. }) = report else { return };
        let Some(order) = self.orders.by_token(venue, standing.token).copied() else { return };
        if self.instruments.get(order.instrument).is_some_and(|row| row.name != standing.name) {
            self.orders.names_another_instrument(&order, standing);
        }
    }

    /// The venue said what cannot be. The first of each kind is told of; a grave one stops trading: no new order, what
    /// rests is cancelled, until somebody who has compared both sides enables it again. An order that nobody here knows
    /// does not rest in any case.
    #[cold]
    fn on_anomaly(&mut self, now: Mono, anomaly: &Anomaly, out: &mut Outbox) {
        let stops = self.policy.stop_on_contradiction && anomaly.what.is_grave();
        let bit = 1u32.checked_shl(u32::from(anomaly.what as u8)).unwrap_or(0);
        if self.told & bit == 0 {
            self.told |= bit;
            self.tape_anomaly(anomaly, stops, out);
        }
        if matches!(
            anomaly.what,
            AnomalyKind::UnknownAccepted | AnomalyKind::UnknownReplaced | AnomalyKind::UnknownFill
        ) {
            self.cancel_token(now, anomaly.venue, anomaly.token, out);
        }
        if !stops || self.stopped {
            return;
        }
        self.stopped = true;
        self.enabled = false;
        self.counters.stops = self.counters.stops.wrapping_add(1);
        self.begin_sweep();
    }

    /// An order took a step: the ledger, the books' marks, the tape and the strategy follow, in this order.
    pub(super) fn took_step(&mut self, now: Mono, change: &Change, out: &mut Outbox) {
        let Some(row) = self.instruments.get(change.instrument) else { return };
        let venue = row.venue;
        self.gate.apply(change, row);
        // A correction has a fill, too: what it puts in place of one that was counted.
        if change.what == Happening::Filled {
            self.counters.fills = self.counters.fills.wrapping_add(1);
        }
        if let Some(market) = self.markets.get_mut(venue) {
            let full = match market.books.kind(change.instrument) {
                Some(BookKind::Levels) => self.orders.get(change.order).map(|order| rests(&mut market.books, order)),
                _ => mark_own(&mut market.books, change),
            };
            self.counters.own_full = self.counters.own_full.wrapping_add(u64::from(full == Some(OwnMatch::Full)));
        }
        self.tape_order(change, out);
        if change.fill.is_some() || change.reversed.is_some() {
            self.tape_position(change.instrument, Some(change.tags.strategy), out);
        }
        if change.finished
            && let (Some(order), Some(ends)) = (self.orders.get(change.order), self.ends.get_mut(venue))
        {
            ends.entry.finished(order);
        }
        if self.acts() {
            self.call(now, change.instrument, |strategy, view, ask| strategy.on_change(change, view, ask));
        }
    }

    /// What follows from reports and time: late answers, and order entry coming up or going away. False: nothing more.
    pub(super) fn on_due(&mut self, now: Mono, out: &mut Outbox) -> bool {
        if let Some(change) = self.orders.timed_out(now) {
            self.took_step(now, &change, out);
            return true;
        }
        while let Some(venue) = self.due.first() {
            if self.on_due_at(now, venue, out) {
                return true;
            }
            self.due.remove(venue);
        }
        false
    }

    /// The same of one venue.
    fn on_due_at(&mut self, now: Mono, venue: VenueId, out: &mut Outbox) -> bool {
        out.towards(venue);
        let incomplete = self.orders.is_incomplete(venue);
        let Some(ends) = self.ends.get_mut(venue) else { return false };
        // A query already on its way does not cover what has become late since, and one may find no room: asked until
        // nothing is late.
        if self.orders.is_overdue(venue) {
            ends.entry.confirm(now, out);
            self.speaking.insert(venue);
        }
        let (ready, away) = (ends.ready(incomplete), ends.away(incomplete));
        let gave_up = (away.gave_up() || away == Away::Incomplete) && away != ends.was_away;
        ends.was_away = away;
        if ready != ends.was_ready {
            ends.was_ready = ready;
            let detail = ends.entry.detail();
            if ready {
                self.alert_at(venue, Alert::EntryReady, None, 0, 0, out);
            } else {
                self.alert_at(venue, Alert::EntryLost, None, away as u64, detail, out);
            }
            // Orders that may not rest could not be cancelled while order entry was away.
            self.begin_sweep();
            return true;
        }
        if gave_up {
            let detail = ends.entry.detail();
            self.alert_at(venue, Alert::EntryLost, None, away as u64, detail, out);
            return true;
        }
        let stage = ends.entry.stage();
        if stage == EntryStage::Over && !ends.was_over {
            ends.was_over = true;
            let fault = ends.entry.fault().map_or(0, |fault| (fault as u64).wrapping_add(1));
            let detail = ends.entry.detail();
            self.alert_at(venue, Alert::EntryOver, None, fault, detail, out);
            return true;
        }
        if stage == EntryStage::Sweeping {
            if self.orders.live_count_at(venue) == 0 && !incomplete {
                ends.entry.swept(now, out);
                self.speaking.insert(venue);
                return true;
            }
            if self.sweep.is_none() {
                self.begin_sweep();
            }
        }
        false
    }

    /// Cancels the next order that may not rest any more. False: none does.
    pub(super) fn sweep_one(&mut self, now: Mono, out: &mut Outbox) -> bool {
        let Some(mut sweep) = self.sweep.take() else { return false };
        let all = !self.acts() || self.gate.is_killed();
        let may_not_rest = |order: &Order| {
            let id = order.instrument;
            let venue = self.venue_of(id);
            let (Some(market), Some(ends)) = (self.markets.get(venue), self.ends.get(venue)) else { return true };
            all || ends.entry.stage() == EntryStage::Sweeping
                || self.policy.cancel_when_stale && !market.books.freshness(id).is_fresh()
                || self.policy.cancel_when_untradable && !market.trades(id)
                || self.gate.may_enter(id, venue, order.tags.strategy).is_err()
        };
        let Some(cancel) = sweep.next_where(now, &self.orders, may_not_rest) else {
            // Whatever was found is looked at again later: a cancel may be lost with its connection.
            self.sweep = sweep.has_found().then_some(sweep);
            return false;
        };
        self.sweep = Some(sweep);
        let action = Action::Cancel(cancel);
        let verdict = self.cancel(now, cancel, out).map(|left| self.took_off(now, &action, &left, out));
        self.tape_decision(&action, None, verdict.err(), out);
        true
    }

    /// Cancels the next order that lives outside of the table. False: none is to be cancelled now.
    #[cold]
    pub(super) fn cancel_orphan(&mut self, now: Mono, out: &mut Outbox) -> bool {
        let settled = self.ends.iter().filter(|(_, ends)| ends.knows_all());
        let mut venues = VenueSet::default();
        settled.for_each(|(venue, _)| venues.insert(venue));
        while let Some(venue) = venues.take() {
            if let Some(orphan) = self.orders.next_orphan(venue, now, PATIENCE) {
                self.cancel_this_orphan(now, venue, &orphan, out);
                return true;
            }
        }
        false
    }

    fn cancel_this_orphan(&mut self, now: Mono, venue: VenueId, orphan: &Orphan, out: &mut Outbox) {
        if !orphan.cancelled {
            self.alert_orphan(venue, orphan, out);
        }
        // One that does not leave has its turn in the next round.
        if self.cancel_token(now, venue, orphan.token, out) {
            self.orders.orphan_cancel_sent(venue, orphan.token);
        }
    }

    /// Cancels an order that is in no table, by the number under which the venue has it. False: the cancel can't leave now.
    #[cold]
    fn cancel_token(&mut self, now: Mono, venue: VenueId, token: Token, out: &mut Outbox) -> bool {
        let approved = self.gate.cancel_token(CancelToken { token }, now);
        out.towards(venue);
        let ends = self.ends.get_mut(venue);
        let left = ends.is_some_and(|ends| ends.entry.cancel_token(now, approved, out).is_ok());
        self.counters.cancelled = self.counters.cancelled.wrapping_add(u64::from(left));
        left
    }

    /// Calls the strategies about an instrument. One that has no row is nobody's.
    #[inline]
    pub(super) fn call(
        &mut self,
        now: Mono,
        id: InstrumentId,
        call: impl FnOnce(&mut W::Strategy, &View<'_, W::Signal>, &mut Actions),
    ) {
        if self.instruments.get(id).is_some() {
            self.call_all(now, call);
        }
    }

    /// Calls the strategies with a view of the lane.
    #[inline]
    pub(super) fn call_all(
        &mut self,
        now: Mono,
        call: impl FnOnce(&mut W::Strategy, &View<'_, W::Signal>, &mut Actions),
    ) {
        let lane = Sources {
            now,
            utc: self.utc,
            markets: &self.markets,
            instruments: &self.instruments,
            gate: &self.gate,
            orders: &self.orders,
            signals: &self.signal,
        };
        call(&mut self.strategy, &View::new(lane, self.tags), &mut self.actions);
    }
}

/// What the gate must know of the market and of the lane's own orders. There is room for `room` of them.
#[inline(always)]
fn facts<'a>(
    market: Option<&MarketState>,
    orders: &Orders,
    now: Mono,
    (id, instrument): (InstrumentId, &'a Instrument),
    room: u32,
) -> Facts<'a> {
    let touch = market.map(|market| market.books.view(id).touch());
    let permit = market.map(|market| market.trading.permit(id, market.at));
    let [own_best_bid, own_best_ask] = orders.own_touch(id);
    Facts {
        now,
        instrument,
        best_bid: touch.and_then(|touch| touch.bid).map(|level| level.price),
        best_ask: touch.and_then(|touch| touch.ask).map(|level| level.price),
        fresh: touch.is_some_and(|touch| touch.fresh),
        crossed: touch.is_some_and(|touch| touch.crossed),
        tradable: permit.is_some_and(|permit| permit.tradable),
        collar: permit.and_then(|permit| permit.collar),
        short_restricted: permit.is_none_or(|permit| permit.short_restricted),
        own_best_bid,
        own_best_ask,
        room,
    }
}

/// An action as a strategy asked for it.
#[derive(Clone, Copy)]
struct Asked(Action);

impl Asked {
    /// What left of it, or was refused: of a sale in two parts, each is smaller than what was asked for.
    fn of(self, part: Option<Qty>) -> Action {
        match (self.0, part) {
            (Action::Enter(enter), Some(qty)) => Action::Enter(Enter { qty, ..enter }),
            (whole, _) => whole,
        }
    }
}

/// What left, and is not written down yet. As little as there may be, for it is kept before the send: what was asked for is
/// still in the list of actions.
#[derive(Clone, Copy)]
pub(super) struct Left {
    venue: VenueId,
    instrument: InstrumentId,
    /// Of an enter: how much of what was asked for.
    qty: Qty,
    mark: SellMark,
    /// The order's number.
    id: ClientId,
    sent: Sent,
}

impl Left {
    /// A change of an order.
    fn of(venue: VenueId, order: &Order, sent: Sent) -> Self {
        Left { venue, instrument: order.instrument, qty: order.open, mark: order.mark, id: order.id, sent }
    }
}

/// What one action sent: a sale in two parts, at most.
#[derive(Default)]
pub(super) struct Parts([Option<Left>; 2]);

impl Parts {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }

    #[inline]
    fn push(&mut self, left: Left) {
        if let Some(place) = self.0.iter_mut().find(|part| part.is_none()) {
            *place = Some(left);
        }
    }

    #[inline]
    fn take(&mut self) -> [Option<Left>; 2] {
        core::mem::take(&mut self.0)
    }
}

/// Marks an order in the book by the venue's reference, which the feed shows.
#[inline]
fn mark_own(books: &mut Books, change: &Change) -> Option<OwnMatch> {
    if let Some(left) = change.left {
        // The venue's answer may be ahead of the feed. What is finished and still shown stays marked as own until the
        // feed takes it out (`Core::take_in`): signals must not mistake our dead order for someone's interest.
        let shown = change.finished && books.view(change.instrument).order(left).is_some();
        if !shown {
            books.own_remove(left);
        }
    }
    change.joined.map(|joined| books.own_add(joined, change.order))
}

/// Tells a book of levels what rests of an order, as far as the venue has confirmed it. One that is not to rest (immediate
/// or cancel), or is hidden, is never shown.
#[cold]
fn rests(books: &mut Books, order: &Order) -> OwnMatch {
    let confirmed = order.is_live() && order.status != OrderStatus::Pending && order.tif == TimeInForce::Day;
    let shown = confirmed && order.display != Visibility::Hidden;
    let qty = if shown { order.open } else { Qty::ZERO };
    books.own_rests(order.instrument, order.id, order.side, order.price, qty)
}

/// Why order entry refused, in the words that strategies hear.
fn refusal(why: Refused) -> Refusal {
    match why {
        Refused::NotReady | Refused::OutOfTokens => Refusal::EntryNotReady,
        Refused::NoRoom => Refusal::NoRoom,
        Refused::CannotSay | Refused::Unsupported => Refusal::CannotSay,
        Refused::WrongState => Refusal::Pending,
    }
}

#[inline(always)]
fn order_facts(order: &Order) -> OrderFacts {
    OrderFacts {
        instrument: order.instrument,
        strategy: order.tags.strategy,
        side: order.side,
        mark: order.mark,
        price: order.limit,
        executed: order.executed,
        decremented: order.decremented,
        open: order.open,
        exposure: order.exposure(),
        pending: !order.can_replace(),
        cancel: order.cancelling.map(|c| (c.keep, c.at)),
    }
}
