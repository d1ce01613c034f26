//! The market side of the core: messages decoded, books and trading state, what the feeds have to say.

use super::*;

impl<W: Wiring> Core<W> {
    #[inline]
    pub(super) fn on_message(&mut self, now: Mono, venue: VenueId, bytes: &[u8], out: &mut Outbox) {
        self.counters.messages = self.counters.messages.wrapping_add(1);
        let Some(ends) = self.ends.get_mut(venue) else { return };
        // Looked at where it is: moved, it would be read back before it is written.
        match &ends.line.decode(bytes, &mut self.instruments) {
            Ok(event) => {
                self.probe.pass(Mark::Decoded);
                self.on_event(now, venue, event, out);
            }
            Err(why) => self.skip(venue, *why, bytes, out),
        }
    }

    /// One normalised event: the way in for a backtest on history that has no bytes.
    #[inline]
    pub fn on_event(&mut self, now: Mono, venue: VenueId, event: &Event, out: &mut Outbox) {
        let Some(market) = self.markets.get_mut(venue) else { return };
        if W::Signal::BEFORE
            && let Some(id) = event.instrument
        {
            self.signal.before(id, event, market.books.view(id));
        }
        market.at = event.at;
        let applied = self.take_in(venue, event, out);
        self.probe.pass(Mark::Booked);
        // Without an instrument, the event is about the whole market: no book to decide on.
        let Some(id) = applied.instrument.or(event.instrument) else { return };
        if self.policy.tape_events {
            self.tape_event(id, event, out);
        }
        let Some(market) = self.markets.get(venue) else { return };
        if applied.top_changed {
            if self.policy.tape_tops {
                self.tape_top(market, id, out);
            }
            if market.books.view(id).is_crossed() && market.books.freshness(id).is_fresh() && market.trades(id) {
                self.counters.crossed = self.counters.crossed.wrapping_add(1);
            }
        }
        let mut said = Said::new(out, self.lane, self.input, now, event.at);
        self.signal.on_event(now, id, event, market.books.view(id), &mut said);
        let dropped = said.dropped();
        self.counters.said_dropped = self.counters.said_dropped.wrapping_add(dropped);
        if self.acts() {
            self.call(now, id, |strategy, view, ask| strategy.on_event(id, event, view, ask));
            self.probe.pass(Mark::Decided);
        }
    }

    /// Book and trading state take an event in, on the live path and from a snapshot alike.
    #[inline]
    fn take_in(&mut self, venue: VenueId, event: &Event, out: &mut Outbox) -> Applied {
        let Some(market) = self.markets.get_mut(venue) else { return Applied::default() };
        if let EventKind::Status(status) = &event.kind {
            market.trading.apply(event.at, event.instrument, status);
            match (event.instrument, status) {
                (Some(id), Status::Directory { lot, .. }) => self.instruments.revise(id, lot.0),
                (Some(_), _) => {}
                (None, _) => self.tell_all(),
            }
            if self.policy.cancel_when_untradable {
                self.begin_sweep();
            }
            return Applied::default();
        }
        let Some(id) = event.instrument else { return Applied::default() };
        market.books.follow(&self.instruments);
        let applied = market.books.apply(id, &event.kind);
        if applied.own
            && let (client, touch) = market.books.own_touch()
            && touch.is_last()
            && !self.orders.get(client).is_some_and(Order::is_live)
        {
            market.books.own_remove(VenueRef(order_of(&event.kind)));
        }
        if let Some(fault) = applied.fault {
            let order = order_of(&event.kind);
            if !market.books.freshness(id).has(StaleReason::Snapshot) {
                self.alert_at(venue, Alert::BookFault, Some(id), order, fault as u64, out);
                self.became_stale(venue, true);
            } else if !matches!(fault, BookFault::OrdersFull | BookFault::LevelsFull) {
                // Between a torn snapshot and the next one, every message is about orders that are not there; within a
                // snapshot, it is the snapshot that is wrong. (One that does not fit would not fit again.)
                if let Some(ends) = self.ends.get_mut(venue) {
                    ends.snapshot_contradicts = true;
                }
            }
        }
        applied
    }

    #[cold]
    fn skip(&mut self, venue: VenueId, why: NoEvent, bytes: &[u8], out: &mut Outbox) {
        let kind = u64::from(bytes.first().copied().unwrap_or_default());
        let counter = match why {
            NoEvent::UnknownType(_) => &mut self.counters.unknown_type,
            NoEvent::BadLength(_) => &mut self.counters.bad_length,
            NoEvent::BadField(_) => &mut self.counters.bad_field,
            NoEvent::Untracked => &mut self.counters.untracked,
            NoEvent::InstrumentsFull => &mut self.counters.instruments_full,
        };
        *counter = counter.wrapping_add(1);
        let code = match why {
            NoEvent::Untracked => return,
            NoEvent::UnknownType(_) => 1,
            NoEvent::BadLength(_) => 2,
            NoEvent::BadField(_) => 3,
            NoEvent::InstrumentsFull => 4,
        };
        let instrument = self.ends.get(venue).and_then(|ends| ends.line.subject(bytes));
        self.alert_at(venue, Alert::Skipped, instrument, kind, code, out);
        // What is malformed was not applied: the books that it was about are not the venue's any more. An unknown
        // type makes nothing stale.
        if matches!(why, NoEvent::BadLength(_) | NoEvent::BadField(_)) {
            self.mark_stale(venue, instrument.map_or(Scope::All, Scope::One), StaleReason::Malformed);
            self.became_stale(venue, true);
        }
    }

    fn mark_stale(&mut self, venue: VenueId, scope: Scope, reason: StaleReason) {
        if let Some(market) = self.markets.get_mut(venue) {
            market.books.mark_stale(scope, reason);
        }
    }

    pub(super) fn on_snapshot_message(&mut self, venue: VenueId, bytes: &[u8], out: &mut Outbox) {
        self.counters.snapshot_messages = self.counters.snapshot_messages.wrapping_add(1);
        let Some(ends) = self.ends.get_mut(venue) else { return };
        match &ends.line.decode(bytes, &mut self.instruments) {
            Ok(event) => {
                self.take_in(venue, event, out);
            }
            Err(why) => self.skip(venue, *why, bytes, out),
        }
    }

    pub(super) fn on_notice(&mut self, venue: VenueId, notice: Notice, out: &mut Outbox) {
        let (Some(market), Some(ends)) = (self.markets.get_mut(venue), self.ends.get_mut(venue)) else { return };
        match notice {
            Notice::GapOpened { first } => {
                market.books.mark_stale(Scope::All, StaleReason::Gap);
                self.became_stale(venue, false);
                self.alert_at(venue, Alert::GapOpened, None, first, 0, out);
            }
            Notice::GapClosed => {
                market.books.heal(Scope::All, StaleReason::Gap);
                self.tell_all();
                self.alert_at(venue, Alert::GapClosed, None, 0, 0, out);
            }
            Notice::Lost { first, count, locate } => {
                let one = locate.and_then(|l| ends.line.instrument(l));
                market.books.mark_stale(one.map_or(Scope::All, Scope::One), StaleReason::Malformed);
                self.became_stale(venue, true);
                self.alert_at(venue, Alert::Lost, one, first, count, out);
            }
            Notice::Joined { first } => {
                market.books.mark_stale(Scope::All, StaleReason::Malformed);
                self.became_stale(venue, true);
                self.alert_at(venue, Alert::Joined, None, first, 0, out);
            }
            Notice::SnapshotBegin => {
                // What was damaged is gone with the books. A gap is the feed's to close.
                market.books.clear();
                self.signal.on_anew(venue);
                for reason in [StaleReason::Malformed, StaleReason::Fault, StaleReason::Full] {
                    market.books.heal(Scope::All, reason);
                }
                market.books.mark_stale(Scope::All, StaleReason::Snapshot);
                market.trading.before_snapshot();
                ends.snapshot_contradicts = false;
                self.became_stale(venue, false);
                self.alert_at(venue, Alert::SnapshotBegin, None, 0, 0, out);
            }
            Notice::SnapshotEnd { next } => {
                market.trading.after_snapshot();
                forget_dead_marks(&mut market.books, &self.orders);
                // A book that the snapshot itself contradicted, or that had no room for it, stays stale.
                market.books.heal(Scope::All, StaleReason::Snapshot);
                if ends.snapshot_contradicts && self.policy.snapshot_on_fault {
                    self.wanted.insert(venue);
                } else {
                    self.wanted.remove(venue);
                }
                self.begin_sweep();
                self.tell_all();
                self.alert_at(venue, Alert::SnapshotEnd, None, next, 0, out);
            }
            Notice::SnapshotFailed { why, next } => {
                self.alert_at(venue, Alert::SnapshotFailed, None, why as u64, next, out)
            }
            Notice::SnapshotAhead { next, lines } => self.alert_at(venue, Alert::SnapshotAhead, None, next, lines, out),
            Notice::SessionChanged => {
                ends.line.reset(self.utc.and_then(|utc| utc.at(self.now)));
                market.books.clear();
                self.signal.on_anew(venue);
                market.trading.reset();
                forget_dead_marks(&mut market.books, &self.orders);
                for reason in STALE_REASONS {
                    market.books.heal(Scope::All, reason);
                }
                // Until its numbers are believed.
                market.books.mark_stale(Scope::All, StaleReason::Silent);
                self.begin_sweep();
                self.tell_all();
                self.alert_at(venue, Alert::SessionChanged, None, 0, 0, out);
            }
            Notice::EndOfSession => self.nobody_speaks(venue, Alert::EndOfSession, 0, false, out),
            Notice::SessionGoesOn => {
                market.books.heal(Scope::All, StaleReason::Silent);
                self.tell_all();
                self.alert_at(venue, Alert::SessionGoesOn, None, 0, 0, out);
            }
            Notice::MarketSilent { next, heard } => self.nobody_speaks(venue, Alert::MarketSilent, next, heard, out),
            Notice::MarketBack { next, said } => {
                // The first session's date must not change under what it has said already.
                if market.at == ExchangeTime(0)
                    && let Some(now) = self.utc.and_then(|utc| utc.at(self.now))
                {
                    ends.line.begin(now);
                }
                market.books.heal(Scope::All, StaleReason::Silent);
                self.tell_all();
                if said {
                    self.alert_at(venue, Alert::MarketBack, None, next, 0, out);
                }
            }
            Notice::JumpDropped { number, next, damaged } => {
                if damaged {
                    market.books.mark_stale(Scope::All, StaleReason::Malformed);
                    self.became_stale(venue, true);
                }
                self.alert_at(venue, Alert::JumpDropped, None, number, next, out);
            }
            Notice::LinesDiffer { sequence, line } => {
                self.alert_at(venue, Alert::LinesDiffer, None, sequence, u64::from(line.0), out);
            }
            Notice::Overrun => {
                market.books.mark_stale(Scope::All, StaleReason::Malformed);
                self.became_stale(venue, true);
                self.alert_at(venue, Alert::FeedOverrun, None, 0, 0, out);
            }
            Notice::LineSilent(line) => self.alert_at(venue, Alert::LineSilent, None, u64::from(line.0), 0, out),
            Notice::LineBack(line) => self.alert_at(venue, Alert::LineBack, None, u64::from(line.0), 0, out),
        }
    }

    /// No book can be trusted until someone speaks for the market again.
    fn nobody_speaks(&mut self, venue: VenueId, alert: Alert, next: u64, heard: bool, out: &mut Outbox) {
        self.mark_stale(venue, Scope::All, StaleReason::Silent);
        self.became_stale(venue, false);
        self.alert_at(venue, alert, None, next, u64::from(heard), out);
    }

    /// Some book can't be trusted any more. A gap the feed heals by itself; damage only a snapshot does.
    fn became_stale(&mut self, venue: VenueId, damaged: bool) {
        self.begin_sweep();
        self.tell_all();
        if damaged && self.policy.snapshot_on_fault {
            self.wanted.insert(venue);
        }
    }
}

/// Marks of finished orders that waited for a feed that has been replaced by a snapshot or another session.
fn forget_dead_marks(books: &mut Books, orders: &Orders) {
    books.own_forget(|client| orders.get(client).is_none_or(|order| !order.is_live()));
}

/// The reference of the order that an event is about, 0 for none.
fn order_of(kind: &EventKind) -> u64 {
    match kind {
        EventKind::Add { order, .. }
        | EventKind::Execute { order, .. }
        | EventKind::Reduce { order, .. }
        | EventKind::Delete { order }
        | EventKind::Replace { order, .. } => order.0,
        _ => 0,
    }
}
