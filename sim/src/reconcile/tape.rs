//! What the gateway's tape says of its orders, as an outside observer would add it up.

use super::FillRow;
use firelane_gateway::base::{ClientId, InstrumentId, Price, Side, VenueId, VenueSet};
use firelane_gateway::flow::action::Happening;
use firelane_gateway::flow::record::{Alert, AlertBody, Kind, OrderBody, PositionBody, RecordHeader};
use std::collections::BTreeMap;
use zerocopy::FromBytes;

/// What the gateway's tape has said of its orders, kept step by step.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TapeLedger {
    pub(super) orders: BTreeMap<ClientId, TapeOrder>,
    fills: BTreeMap<(ClientId, u64), FillRow>,
    counts: TapeCounts,
    traded: Traded,
    /// Shares and cash of each instrument, as they were said last.
    positions: BTreeMap<InstrumentId, (i64, i128)>,
    records: u64,
    /// Venues whose market-data session has ended, at some time.
    ended: VenueSet,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TapeOrder {
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    /// The venue has taken it, at some time.
    pub(super) lived: bool,
    pub(super) finished: bool,
    pub(super) executed: i64,
    /// Shares that may still execute, and the price at which.
    pub(super) open: i64,
    pub(super) price: i64,
}

/// What the tape has told, in steps.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TapeCounts {
    /// Orders sent.
    pub sent: u64,
    /// Of these accepted.
    pub accepted: u64,
    /// Orders rejected, or lost on the way.
    pub rejected: u64,
    /// Replaces in force.
    pub replaced: u64,
    /// Replaces and cancels refused, or without effect.
    pub refused: u64,
    /// Orders whose last shares were cancelled.
    pub cancelled: u64,
    /// Fills.
    pub fills: u64,
    /// Shares filled.
    pub shares: u64,
    /// Trades broken or corrected.
    pub revised: u64,
    /// Requests that were not answered in time.
    pub timed_out: u64,
    /// Kills.
    pub kills: u64,
    /// Ends of the market-data session.
    pub ends_of_session: u64,
    /// Times that order entry became ready.
    pub entry_ready: u64,
    /// Messages that contradicted a book.
    pub book_faults: u64,
}

/// Shares that were traded on one side, and what for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Volume {
    /// Shares.
    pub shares: i64,
    /// Their prices times their numbers, in 1/10,000 of a dollar.
    pub notional: i128,
}

impl Volume {
    /// The average price, rounded to the nearest 1/10,000 of a dollar. `None` if nothing was traded.
    #[must_use]
    pub fn average(&self) -> Option<Price> {
        let shares = i128::from(self.shares);
        (shares > 0)
            .then(|| (self.notional + shares / 2).div_euclid(shares))
            .and_then(|n| i64::try_from(n).ok())
            .map(Price)
    }
}

/// Shares bought and sold of each instrument, by the fills that a tape tells of, as they come: a trade that is broken or
/// corrected later is in it as it was first. Unlike [`TapeLedger`] it keeps nothing of single orders.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Traded {
    of: BTreeMap<InstrumentId, [Volume; 2]>,
}

impl Traded {
    /// Takes in one record of the tape, header and body.
    pub fn on_record(&mut self, record: &[u8]) {
        let Ok((header, body)) = RecordHeader::ref_from_prefix(record) else { return };
        if header.kind == Kind::Order as u8
            && let Ok(body) = OrderBody::ref_from_bytes(body)
            && body.what == Happening::Filled as u8
        {
            let sides = self.of.entry(InstrumentId(body.instrument.get())).or_default();
            let volume = &mut sides[usize::from(body.side != b'B')];
            let (shares, price) = (body.fill_qty.get(), body.fill_price.get());
            volume.shares = volume.shares.saturating_add(shares);
            volume.notional += i128::from(shares) * i128::from(price);
        }
    }

    /// Bought and sold.
    #[must_use]
    pub fn of(&self, instrument: InstrumentId) -> [Volume; 2] {
        self.of.get(&instrument).copied().unwrap_or_default()
    }
}

impl TapeLedger {
    /// Takes in one record of the tape, header and body.
    pub fn on_record(&mut self, record: &[u8]) {
        self.traded.on_record(record);
        let Ok((header, body)) = RecordHeader::ref_from_prefix(record) else { return };
        match Kind::from_byte(header.kind) {
            Some(Kind::Order) => {
                if let Ok(body) = OrderBody::ref_from_bytes(body) {
                    self.on_order(body);
                }
            }
            Some(Kind::Position) => {
                if let Ok(body) = PositionBody::ref_from_bytes(body) {
                    let said = (body.position.get(), body.cash.get());
                    self.positions.insert(InstrumentId(body.instrument.get()), said);
                }
            }
            Some(Kind::Alert) => {
                if let Ok(body) = AlertBody::ref_from_bytes(body) {
                    if body.alert.get() == Alert::EndOfSession as u16 {
                        self.ended.insert(VenueId(body.venue));
                    }
                    let counts = &mut self.counts;
                    let counter = match body.alert.get() {
                        n if n == Alert::Killed as u16 => &mut counts.kills,
                        n if n == Alert::EndOfSession as u16 => &mut counts.ends_of_session,
                        n if n == Alert::EntryReady as u16 => &mut counts.entry_ready,
                        n if n == Alert::BookFault as u16 => &mut counts.book_faults,
                        _ => return,
                    };
                    *counter += 1;
                }
            }
            _ => {}
        }
    }

    /// Shares of an instrument, and the cash that it brought; nothing until something is said of them.
    #[must_use]
    pub fn position_of(&self, instrument: InstrumentId) -> (i64, i128) {
        self.positions.get(&instrument).copied().unwrap_or_default()
    }

    fn on_order(&mut self, body: &OrderBody) {
        let id = ClientId(body.order.get());
        let side = if body.side == b'B' { Side::Buy } else { Side::Sell };
        let order = self.orders.entry(id).or_insert(TapeOrder {
            instrument: InstrumentId(body.instrument.get()),
            side,
            lived: false,
            finished: false,
            executed: 0,
            open: 0,
            price: 0,
        });
        let is = |happening: Happening| body.what == happening as u8;
        self.records += 1;
        let counts = &mut self.counts;
        let first = !order.lived && order.open == 0 && !order.finished;
        (order.open, order.price) = (body.open.get(), body.price.get());
        order.finished = body.finished == 1;
        let shares = body.fill_qty.get();
        let row = FillRow {
            shares: shares * side.sign(),
            price: Price(body.fill_price.get()),
            liquidity: body.liquidity_code.get(),
        };
        let key = (id, body.trade.get());
        if is(Happening::Sent) {
            counts.sent += u64::from(first);
        } else if is(Happening::Rejected) {
            counts.rejected += 1;
        } else if is(Happening::RequestRefused) {
            counts.refused += 1;
        } else if is(Happening::TimedOut) {
            counts.timed_out += 1;
        } else {
            // Whatever else is said of an order, the venue has taken it.
            counts.accepted += u64::from(!order.lived);
            order.lived = true;
        }
        if is(Happening::Filled) {
            order.executed += shares;
            counts.fills += 1;
            counts.shares += shares.unsigned_abs();
            self.fills.insert(key, row);
        } else if is(Happening::TradeBroken) {
            counts.revised += 1;
            self.fills.remove(&key);
        } else if is(Happening::TradeCorrected) {
            counts.revised += 1;
            self.fills.insert(key, row);
        } else if is(Happening::Replaced) {
            counts.replaced += 1;
        } else if is(Happening::Cancelled) {
            counts.cancelled += 1;
        }
    }

    /// What the tape has told so far, in numbers.
    #[must_use]
    pub fn counts(&self) -> TapeCounts {
        self.counts
    }

    /// What was bought and sold.
    #[must_use]
    pub fn traded(&self) -> &Traded {
        &self.traded
    }

    /// Records that said something of an order.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Has the market-data session of a venue ended, at some time?
    #[must_use]
    pub fn has_ended(&self, venue: VenueId) -> bool {
        let mut without = self.ended;
        without.remove(venue);
        without != self.ended
    }

    /// Fills that were not broken.
    #[must_use]
    pub fn fills(&self) -> &BTreeMap<(ClientId, u64), FillRow> {
        &self.fills
    }
}
