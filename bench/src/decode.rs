//! Decoding alone, beside the crate `itch5`.
//!
//! Every contestant walks the same bytes, checks type and length of every message, and reads the same fields of the
//! same messages: all that an order book needs. Rounds of the contestants alternate, so that a noisy machine disturbs
//! all alike; the verdict is a ratio.

use crate::contest::Right;
use crate::market::messages;
use crate::stats::Rounds;
use crate::stream::Walk;
use anyhow::{Result, ensure};
use firelane_contest::{Contestant, Digest, Pass};
use firelane_gateway::base::{InstrumentTable, Side};
use firelane_gateway::flow::event::{Event, EventKind};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::MarketLine;
use firelane_gateway::flow::wire::itch50::{self, Header, Message};
use itch5::messages as peer;
use itch5::{MessageHandler, Parser};
use serde::Serialize;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

/// What decoding costs.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Messages in the stream.
    pub messages: usize,
    /// Walking from length to length, reading nothing: the floor.
    pub walk: Rounds,
    /// Crate itch5 0.1.5.
    pub itch5: Rounds,
    /// Firelane's wire format: [`itch50::decode`].
    pub wire: Rounds,
    /// Firelane's market line: to a normalised event, the instrument looked up.
    pub event: Rounds,
    /// `wire` over `itch5`: the median of the ratios of each pair of rounds.
    pub wire_to_itch5: f64,
    /// `event` over `itch5`, likewise.
    pub event_to_itch5: f64,
}

/// Sums of what was read: proof that all read the same, and that nothing was optimised away.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Sums {
    orders: u64,
    buys: u64,
}

impl Sums {
    #[inline(always)]
    fn order(&mut self, locate: u16, ns: u64, reference: u64, shares: u32, price: u32) {
        self.orders = self
            .orders
            .wrapping_add(u64::from(locate))
            .wrapping_add(ns)
            .wrapping_add(reference)
            .wrapping_add(u64::from(shares))
            .wrapping_add(u64::from(price));
    }

    #[inline(always)]
    fn side(&mut self, is_buy: bool) {
        self.buys = self.buys.wrapping_add(u64::from(is_buy));
    }
}

impl MessageHandler for Sums {
    #[inline(always)]
    fn on_add_order_no_mpid_attribution(&mut self, m: &peer::AddOrderNoMPIDAttribution) -> ControlFlow<()> {
        let ns = m.timestamp().to_u64();
        self.order(m.stock_locate(), ns, m.order_reference_number(), m.shares(), m.price().into_u32());
        self.side(matches!(m.buy_sell_indicator(), peer::BuySellIndicator::Buy));
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn on_add_order_with_mpid_attribution(&mut self, m: &peer::AddOrderWithMPIDAttribution) -> ControlFlow<()> {
        let ns = m.timestamp().to_u64();
        self.order(m.stock_locate(), ns, m.order_reference_number(), m.shares(), m.price().into_u32());
        self.side(matches!(m.buy_sell_indicator(), peer::BuySellIndicator::Buy));
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn on_order_executed(&mut self, m: &peer::OrderExecuted) -> ControlFlow<()> {
        let ns = m.timestamp().to_u64();
        self.order(m.stock_locate(), ns, m.order_reference_number(), m.executed_shares(), 0);
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn on_order_executed_with_price(&mut self, m: &peer::OrderExecutedWithPrice) -> ControlFlow<()> {
        let (ns, price) = (m.timestamp().to_u64(), m.execution_price().into_u32());
        self.order(m.stock_locate(), ns, m.order_reference_number(), m.executed_shares(), price);
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn on_order_cancel(&mut self, m: &peer::OrderCancel) -> ControlFlow<()> {
        let ns = m.timestamp().to_u64();
        self.order(m.stock_locate(), ns, m.order_reference_number(), m.cancelled_shares(), 0);
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn on_order_delete(&mut self, m: &peer::OrderDelete) -> ControlFlow<()> {
        self.order(m.stock_locate(), m.timestamp().to_u64(), m.order_reference_number(), 0, 0);
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn on_order_replace(&mut self, m: &peer::OrderReplace) -> ControlFlow<()> {
        let (ns, price) = (m.timestamp().to_u64(), m.price().into_u32());
        self.order(m.stock_locate(), ns, m.original_order_reference_number(), m.shares(), price);
        self.orders = self.orders.wrapping_add(m.new_order_reference_number());
        ControlFlow::Continue(())
    }
}

impl Sums {
    #[inline(always)]
    fn header(&mut self, header: &Header, reference: u64, shares: u32, price: u32) {
        self.order(header.stock_locate.get(), header.ns(), reference, shares, price);
    }

    #[inline(always)]
    fn wire(&mut self, message: &[u8]) {
        match itch50::decode(message) {
            Ok(Message::AddOrder(m)) => {
                self.header(&m.header, m.order_ref.get(), m.shares.get(), m.price.get());
                self.side(m.side() == Some(Side::Buy));
            }
            Ok(Message::AddOrderMpid(m)) => {
                self.header(&m.header, m.order_ref.get(), m.shares.get(), m.price.get());
                self.side(m.side() == Some(Side::Buy));
            }
            Ok(Message::OrderExecuted(m)) => self.header(&m.header, m.order_ref.get(), m.shares.get(), 0),
            Ok(Message::OrderExecutedWithPrice(m)) => {
                self.header(&m.header, m.order_ref.get(), m.shares.get(), m.price.get());
            }
            Ok(Message::OrderCancel(m)) => self.header(&m.header, m.order_ref.get(), m.shares.get(), 0),
            Ok(Message::OrderDelete(m)) => self.header(&m.header, m.order_ref.get(), 0, 0),
            Ok(Message::OrderReplace(m)) => {
                self.header(&m.header, m.original_ref.get(), m.shares.get(), m.price.get());
                self.orders = self.orders.wrapping_add(m.new_ref.get());
            }
            _ => {}
        }
    }

    #[inline(always)]
    fn event(&mut self, event: &Event) {
        let (reference, shares, price) = match event.kind {
            EventKind::Add { order, side, qty, price } => {
                self.side(side == Side::Buy);
                (order.0, qty, price.0)
            }
            EventKind::Execute { order, qty, price, .. } => (order.0, qty, price.map_or(0, |price| price.0)),
            EventKind::Reduce { order, qty } => (order.0, qty, 0),
            EventKind::Delete { order } => (order.0, firelane_gateway::base::Qty::ZERO, 0),
            EventKind::Replace { order, new, qty, price } => (order.0.wrapping_add(new.0), qty, price.0),
            _ => return,
        };
        let id = event.instrument.map_or(0, |id| u64::from(id.0));
        let sum = id.wrapping_add(event.at.ns_since_midnight()).wrapping_add(reference);
        self.orders = self.orders.wrapping_add(sum).wrapping_add(shares.0 as u64).wrapping_add(price as u64);
    }
}

/// Measures `rounds` rounds of each contestant on the messages of `bytes`.
///
/// # Errors
/// If the contestants do not read the same.
pub fn measure(bytes: &[u8], rounds: usize) -> Result<Report> {
    let count = messages(bytes).count();
    ensure!(count > 0, "no messages");
    let mut line = ItchLine::new(0);
    let mut table = InstrumentTable::new(&[], 1 << 16, true);
    let (mut walk, mut itch5, mut wire, mut event) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (ns, _) = timed(count, || messages(bytes).fold(0usize, |sum, m| sum.wrapping_add(m.len())));
        let (peer_ns, peer_sums) = timed(count, || peer_sums(bytes));
        let (wire_ns, wire_sums) = timed(count, || wire_sums(bytes));
        let (event_ns, event_sums) = timed(count, || event_sums(bytes, &mut line, &mut table));
        let peer_sums = peer_sums?;
        ensure!(peer_sums == wire_sums, "itch5 and itch50::decode read {peer_sums:?} and {wire_sums:?}");
        ensure!(event_sums.buys == wire_sums.buys, "the market line reads {event_sums:?} for {wire_sums:?}");
        // The first round warms caches and branch predictors.
        if round > 0 {
            walk.push(ns);
            itch5.push(peer_ns);
            wire.push(wire_ns);
            event.push(event_ns);
        }
    }
    let ratio = |ours: &[f64]| Rounds::of(ours.iter().zip(&itch5).map(|(ours, peer)| ours / peer).collect()).median;
    Ok(Report {
        messages: count,
        wire_to_itch5: ratio(&wire),
        event_to_itch5: ratio(&event),
        walk: Rounds::of(walk),
        itch5: Rounds::of(itch5),
        wire: Rounds::of(wire),
        event: Rounds::of(event),
    })
}

/// Who decodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// [`itch50::decode`].
    Firelane,
    /// Crate itch5.
    Itch5,
}

/// Decoding as a contestant: its digest is the sums of what was read.
#[derive(Debug)]
pub struct Decoding {
    by: By,
    sums: Sums,
}

impl Decoding {
    /// Nothing read yet.
    #[must_use]
    pub fn by(by: By) -> Self {
        Decoding { by, sums: Sums::default() }
    }
}

impl Contestant for Decoding {
    fn clear(&mut self) {
        self.sums = Sums::default();
    }

    fn apply(&mut self, bytes: &[u8]) -> u64 {
        let sums = match self.by {
            By::Firelane => wire_sums(bytes),
            // What it can't parse it has not read: its sums say so.
            By::Itch5 => peer_sums(bytes).unwrap_or_default(),
        };
        self.sums.orders = self.sums.orders.wrapping_add(sums.orders);
        self.sums.buys = self.sums.buys.wrapping_add(sums.buys);
        0
    }

    /// Messages are counted apart: neither of the two counts them.
    fn pass(&mut self, bytes: &[u8], built: usize) -> Pass {
        let (built, timed) = bytes.split_at(built.min(bytes.len()));
        self.clear();
        self.apply(built);
        let start = Instant::now();
        self.apply(timed);
        let ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Pass { messages: messages(timed).count() as u64, ns }
    }

    fn digest(&self) -> Digest {
        Digest { lines: vec![format!("read {} {}", self.sums.orders, self.sums.buys)], ..Digest::default() }
    }
}

/// What is right: by this crate's decoder, which is held equal to itch5's in [`measure`].
#[must_use]
pub fn right(bytes: &[u8], built: usize) -> Right {
    let mut ours = Decoding::by(By::Firelane);
    let Pass { messages, .. } = ours.pass(bytes, built);
    Right { messages, digest: ours.digest() }
}

/// What crate itch5 reads.
#[inline(never)]
fn peer_sums(bytes: &[u8]) -> Result<Sums> {
    let mut sums = Sums::default();
    let parsed = Parser::new(bytes).parse_stream(&mut sums);
    parsed.map_err(|error| anyhow::anyhow!("itch5: {error:?}"))?;
    Ok(sums)
}

/// What the wire format reads.
#[inline(never)]
fn wire_sums(bytes: &[u8]) -> Sums {
    let mut sums = Sums::default();
    for message in Walk::new(bytes) {
        sums.wire(message);
    }
    sums
}

/// What the market line reads.
#[inline(never)]
fn event_sums(bytes: &[u8], line: &mut ItchLine, table: &mut InstrumentTable) -> Sums {
    let mut sums = Sums::default();
    for message in messages(bytes) {
        if let Ok(event) = line.decode(message, table) {
            sums.event(&event);
        }
    }
    sums
}

fn timed<T>(count: usize, run: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = black_box(run());
    (start.elapsed().as_nanos() as f64 / count as f64, result)
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "decode, {} messages", self.messages)?;
        writeln!(f, "  walk of lengths     {}", self.walk)?;
        writeln!(f, "  crate itch5 0.1.5   {}", self.itch5)?;
        writeln!(f, "  itch50::decode      {}   {:.3} of itch5", self.wire, self.wire_to_itch5)?;
        write!(f, "  to an event         {}   {:.3} of itch5", self.event, self.event_to_itch5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Market, market};

    #[test]
    fn all_contestants_read_the_same_of_a_made_market() {
        let stream = market(Market { symbols: 20, live: 1_000, messages: 20_000, seed: 3 });
        let report = measure(&stream.bytes, 1).unwrap();
        assert_eq!(report.messages, 21_020);
        assert!(report.wire.best > 0.0);
    }
}
