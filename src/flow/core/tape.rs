//! What the core writes to the tape. Each record carries the number of the input that caused it.

use super::*;
use crate::base::StrategyId;
use crate::flow::command::{Command, Outcome};
use crate::flow::record::{AnswerBody, PositionBody};
use zerocopy::byteorder::little_endian::I128;

impl<W: Wiring> Core<W> {
    #[inline(always)]
    fn tape(&self, kind: Kind, body: &[u8], out: &mut Outbox) {
        let header = record::header(kind, self.lane, self.input, self.now, body.len());
        out.tape(&[header.as_bytes(), body]);
    }

    /// Of an instrument, or of the whole lane.
    pub(super) fn alert(&self, alert: Alert, id: Option<InstrumentId>, first: u64, second: u64, out: &mut Outbox) {
        let row = id.and_then(|id| self.instruments.get(id));
        self.write_alert(alert, row.map(|row| row.venue), (id, self.name_of(id)), (first, second), out);
    }

    /// Of a venue, and perhaps of an instrument there.
    pub(super) fn alert_at(
        &self,
        venue: VenueId,
        alert: Alert,
        id: Option<InstrumentId>,
        first: u64,
        second: u64,
        out: &mut Outbox,
    ) {
        self.write_alert(alert, Some(venue), (id, self.name_of(id)), (first, second), out);
    }

    fn write_alert(
        &self,
        alert: Alert,
        venue: Option<VenueId>,
        (id, name): (Option<InstrumentId>, Name),
        (first, second): (u64, u64),
        out: &mut Outbox,
    ) {
        let body = AlertBody {
            alert: U16::new(alert as u16),
            venue: venue.map_or(u8::MAX, |venue| venue.0),
            instrument: record::instrument_field(id),
            name: name.0,
            first: U64::new(first),
            second: U64::new(second),
        };
        self.tape(Kind::Alert, body.as_bytes(), out);
    }

    pub(super) fn tape_anomaly(&self, anomaly: &Anomaly, stops: bool, out: &mut Outbox) {
        let Anomaly { what, venue, report, token, order, instrument, said, known } = *anomaly;
        let code = || self.entry(venue).map_or(0, |entry| entry.code_of(report));
        let said = if what.says_code() { i64::from(code()) } else { said };
        let body = AnomalyBody {
            what: what as u8,
            stops: u8::from(stops),
            venue: venue.0,
            report: report as u8,
            instrument: record::instrument_field(instrument),
            name: self.name_of(instrument).0,
            token: U64::new(token.0),
            order: U64::new(order.map_or(0, |id| id.0)),
            said: I64::new(said),
            known: I64::new(known),
        };
        self.tape(Kind::Anomaly, body.as_bytes(), out);
    }

    /// An order that has no place in the table. The lane may not know its instrument: its name is the venue's word.
    pub(super) fn alert_orphan(&self, venue: VenueId, orphan: &Orphan, out: &mut Outbox) {
        self.write_alert(Alert::Orphan, Some(venue), (orphan.instrument, orphan.name), (orphan.token.0, 0), out);
    }

    /// The name of records that may name none.
    fn name_of(&self, id: Option<InstrumentId>) -> Name {
        id.and_then(|id| self.instruments.get(id)).map_or(Name::BLANK, |row| row.name)
    }

    /// What became of a command. A text that is too long is cut.
    pub(super) fn tape_answer(&self, command: &Command<'_>, outcome: Outcome, out: &mut Outbox) {
        let (body, text) = AnswerBody::of(command, outcome);
        let mut room = AnswerBody::TEXT;
        let [first, second, third] = text.map(|part| {
            let part = part.as_bytes().get(..part.len().min(room)).unwrap_or_default();
            room = room.saturating_sub(part.len());
            part
        });
        let length = [size_of::<AnswerBody>(), first.len(), second.len(), third.len()].iter().sum();
        let header = record::header(Kind::Answer, self.lane, self.input, self.now, length);
        out.tape(&[header.as_bytes(), body.as_bytes(), first, second, third]);
    }

    pub(super) fn tape_order(&self, change: &Change, out: &mut Outbox) {
        self.tape(Kind::Order, OrderBody::of(change).as_bytes(), out);
    }

    /// What the ledger has of an instrument, after it has changed.
    pub(super) fn tape_position(&self, id: InstrumentId, whose: Option<StrategyId>, out: &mut Outbox) {
        let account = self.gate.ledger().account(id);
        let body = PositionBody {
            instrument: U32::new(id.0),
            strategy: U16::new(whose.map_or(u16::MAX, |strategy| strategy.0)),
            position: I64::new(account.position.0),
            cash: I128::new(account.cash.0),
        };
        self.tape(Kind::Position, body.as_bytes(), out);
    }

    /// `refusal` on the tape is 0 for approved, else 1 + the refusal's number. `made`: the order that an enter became.
    pub(super) fn tape_decision(
        &self,
        action: &Action,
        made: Option<ClientId>,
        why: Option<Refusal>,
        out: &mut Outbox,
    ) {
        let of = |order| self.orders.get(order);
        let (letter, id, side, order, price, qty) = match *action {
            Action::Enter(e) => (b'E', Some(e.instrument), Some(e.side), made.map_or(0, |id| id.0), e.price.0, e.qty.0),
            Action::Replace(r) => {
                let now = of(r.order);
                (b'R', now.map(|o| o.instrument), now.map(|o| o.side), r.order.0, r.price.0, r.qty.0)
            }
            Action::Cancel(c) => {
                let now = of(c.order);
                (b'C', now.map(|o| o.instrument), now.map(|o| o.side), c.order.0, 0, c.keep.0)
            }
            Action::MassCancel(m) => (b'M', m.instrument, None, 0, 0, 0),
        };
        let body = DecisionBody {
            instrument: record::instrument_field(id),
            action: letter,
            side: side.map_or(b' ', record::side_byte),
            refusal: U16::new(why.map_or(0, |w| (w as u16).wrapping_add(1))),
            order: U64::new(order),
            price: I64::new(price),
            qty: I64::new(qty),
        };
        self.tape(Kind::Decision, body.as_bytes(), out);
    }

    pub(super) fn tape_top(&self, market: &MarketState, id: InstrumentId, out: &mut Outbox) {
        let book = market.books.view(id);
        let side = |side| book.top(side).map_or((0, 0), |l| (l.price.0, l.qty.0));
        let ((bid_price, bid_qty), (ask_price, ask_qty)) = (side(Side::Buy), side(Side::Sell));
        let body = TopBody {
            instrument: U32::new(id.0),
            stale: u8::from(!book.freshness().is_fresh()),
            at: U64::new(market.at.ns_since_midnight()),
            bid_price: I64::new(bid_price),
            bid_qty: I64::new(bid_qty),
            ask_price: I64::new(ask_price),
            ask_qty: I64::new(ask_qty),
        };
        self.tape(Kind::Top, body.as_bytes(), out);
    }

    pub(super) fn tape_event(&self, id: InstrumentId, event: &Event, out: &mut Outbox) {
        let (what, side, order, other, qty, price) = match event.kind {
            EventKind::Add { order, side, qty, price } => (b'A', Some(side), order.0, 0, qty.0, price.0),
            EventKind::Execute { order, qty, price, trade, .. } => {
                (b'E', None, order.0, trade, qty.0, price.map_or(0, |p| p.0))
            }
            EventKind::Reduce { order, qty } => (b'X', None, order.0, 0, qty.0, 0),
            EventKind::Delete { order } => (b'D', None, order.0, 0, 0, 0),
            EventKind::Replace { order, new, qty, price } => (b'U', None, order.0, new.0, qty.0, price.0),
            EventKind::Level { side, price, qty, orders } => (b'L', Some(side), 0, u64::from(orders), qty.0, price.0),
            EventKind::Clear { side } => (b'C', side, 0, 0, 0, 0),
            EventKind::Trade { qty, price, trade } => (b'P', None, 0, trade, qty.0, price.0),
            EventKind::Cross { qty, price, trade } => (b'Q', None, 0, trade, qty.0, price.0),
            EventKind::Broken { trade } => (b'B', None, 0, trade, 0, 0),
            EventKind::Imbalance { .. } | EventKind::Status(_) | EventKind::Info => return,
        };
        let body = BookEventBody {
            instrument: U32::new(id.0),
            what,
            side: side.map_or(b' ', record::side_byte),
            at: U64::new(event.at.ns_since_midnight()),
            order: U64::new(order),
            other: U64::new(other),
            qty: I64::new(qty),
            price: I64::new(price),
        };
        self.tape(Kind::BookEvent, body.as_bytes(), out);
    }
}
