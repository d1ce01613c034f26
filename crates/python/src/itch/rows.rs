//! The rows that Python sees: packed records, whose layout `python/firelane/itch.py` has as a NumPy type.

use firelane_gateway::base::{Side, Symbol, VenueRef};
use firelane_gateway::flow::book::BookRef;
use firelane_gateway::flow::event::EventKind;
use firelane_gateway::flow::wire::itch50::{self, Message};

/// What a message said of an order or trade, as far as it is known.
#[derive(Clone, Copy, Default)]
pub(super) struct Said {
    pub(super) order: u64,
    pub(super) side: Option<Side>,
    pub(super) qty: i64,
    pub(super) price: i64,
}

impl Said {
    /// Of a message about a resting order, what it leaves out is of the order as it was before.
    pub(super) fn of(kind: &EventKind, resting: Option<Said>) -> Option<Said> {
        let resting = resting.unwrap_or_default();
        Some(match *kind {
            EventKind::Add { order, side, qty, price } => {
                Said { order: order.0, side: Some(side), qty: qty.0, price: price.0 }
            }
            EventKind::Execute { order, qty, price, .. } => {
                Said { order: order.0, qty: qty.0, price: price.map_or(resting.price, |price| price.0), ..resting }
            }
            EventKind::Reduce { order, qty } => Said { order: order.0, qty: qty.0, ..resting },
            EventKind::Delete { order } => Said { order: order.0, ..resting },
            EventKind::Replace { new, qty, price, .. } => Said { order: new.0, qty: qty.0, price: price.0, ..resting },
            EventKind::Trade { qty, price, .. } | EventKind::Cross { qty, price, .. } => {
                Said { qty: qty.0, price: price.0, ..Said::default() }
            }
            _ => return None,
        })
    }
}

/// The order that an event is about, if it rests already.
pub(super) fn about(kind: &EventKind) -> Option<VenueRef> {
    match *kind {
        EventKind::Execute { order, .. }
        | EventKind::Reduce { order, .. }
        | EventKind::Delete { order }
        | EventKind::Replace { order, .. } => Some(order),
        _ => None,
    }
}

/// A message that names an order and, by its locate, nobody who is followed.
pub(super) fn order_message(message: &[u8]) -> Option<EventKind> {
    let execution = |order, qty, price, printable, trade| EventKind::Execute { order, qty, price, printable, trade };
    Some(match itch50::decode(message).ok()? {
        Message::OrderExecuted(m) => execution(m.order_ref(), m.shares(), None, true, m.match_number.get()),
        Message::OrderExecutedWithPrice(m) => {
            execution(m.order_ref(), m.shares(), Some(m.price()), m.is_printable(), m.match_number.get())
        }
        Message::OrderCancel(m) => EventKind::Reduce { order: m.order_ref(), qty: m.shares() },
        Message::OrderDelete(m) => EventKind::Delete { order: m.order_ref() },
        Message::OrderReplace(m) => {
            EventKind::Replace { order: m.original_ref(), new: m.new_ref(), qty: m.shares(), price: m.price() }
        }
        _ => return None,
    })
}

/// A message's time of day, in nanoseconds.
pub(super) fn stamp(message: &[u8]) -> u64 {
    let bytes = message.get(5..11).unwrap_or_default();
    bytes.iter().fold(0, |ns, byte| ns << 8 | u64::from(*byte))
}

/// Rows so far.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) bytes: Vec<u8>,
    pub(super) count: usize,
}

impl Rows {
    /// A row: the message at `at` (nanoseconds since midnight), and the first `levels` of the book after it. A level that is not
    /// there is of price and size 0.
    pub(super) fn push(&mut self, at: u64, letter: u8, said: &Said, symbol: Symbol, levels: usize, book: BookRef<'_>) {
        let out = &mut self.bytes;
        out.extend(at.to_ne_bytes());
        out.extend(said.order.to_ne_bytes());
        out.extend(said.qty.to_ne_bytes());
        out.extend(said.price.to_ne_bytes());
        for side in [Side::Buy, Side::Sell] {
            let from = out.len();
            out.resize(from + levels * 16, 0);
            let (prices, sizes) = out.get_mut(from..).unwrap_or_default().split_at_mut(levels * 8);
            let places = prices.chunks_exact_mut(8).zip(sizes.chunks_exact_mut(8));
            for (level, (price, size)) in book.levels(side).zip(places) {
                price.copy_from_slice(&level.price.0.to_ne_bytes());
                size.copy_from_slice(&level.qty.0.to_ne_bytes());
            }
        }
        // NumPy's texts end with zeros.
        out.extend(symbol.0.map(|byte| if byte == b' ' { 0 } else { byte }));
        out.push(letter);
        out.push(match said.side {
            Some(Side::Buy) => b'B',
            Some(Side::Sell) => b'S',
            None => 0,
        });
        out.push((!book.freshness().is_fresh()).into());
        self.count += 1;
    }
}
