//! The parser `itchy`: from a reader to owned messages.

use firelane_contest::{Contestant, Digest};
use itchy::{Body, MessageStream, Side};
use std::hint::black_box;

/// The sums of what was read, as `lab decode` takes them.
#[derive(Default)]
pub(crate) struct Itchy {
    orders: u64,
    buys: u64,
}

impl Itchy {
    fn order(&mut self, locate: u16, ns: u64, reference: u64, shares: u32, price: u32) {
        let sum = u64::from(locate).wrapping_add(ns).wrapping_add(reference);
        self.orders = self.orders.wrapping_add(sum).wrapping_add(u64::from(shares)).wrapping_add(u64::from(price));
    }
}

impl Contestant for Itchy {
    fn clear(&mut self) {
        *self = Itchy::default();
    }

    fn apply(&mut self, bytes: &[u8]) -> u64 {
        let mut count = 0;
        for message in MessageStream::from_reader(bytes) {
            let Ok(message) = message else { break };
            count += 1;
            let (locate, ns) = (message.stock_locate, message.timestamp);
            match black_box(&message).body {
                Body::AddOrder(ref m) => {
                    self.order(locate, ns, m.reference, m.shares, m.price.raw());
                    self.buys += u64::from(m.side == Side::Buy);
                }
                Body::OrderExecuted { reference, executed, .. } => self.order(locate, ns, reference, executed, 0),
                Body::OrderExecutedWithPrice { reference, executed, price, .. } => {
                    self.order(locate, ns, reference, executed, price.raw());
                }
                Body::OrderCancelled { reference, cancelled } => self.order(locate, ns, reference, cancelled, 0),
                Body::DeleteOrder { reference } => self.order(locate, ns, reference, 0, 0),
                Body::ReplaceOrder(ref m) => {
                    self.order(locate, ns, m.old_reference, m.shares, m.price.raw());
                    self.orders = self.orders.wrapping_add(m.new_reference);
                }
                _ => {}
            }
        }
        count
    }

    fn digest(&self) -> Digest {
        Digest { lines: vec![format!("read {} {}", self.orders, self.buys)], ..Digest::default() }
    }
}
