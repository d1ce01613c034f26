//! The judge: books as plain as they can be, against which all others are checked.

use crate::itch::{Event, Messages, event};
use crate::{Contestant, Digest, Side};
use std::collections::HashMap;

#[derive(Clone, Copy, Debug)]
struct Order {
    locate: u16,
    side: Side,
    shares: u32,
    price: u32,
}

/// A map of orders, and nothing else: levels are added up when they are asked for.
#[derive(Clone, Default, Debug)]
pub struct Model {
    orders: HashMap<u64, Order>,
}

impl Contestant for Model {
    fn clear(&mut self) {
        self.orders.clear();
    }

    fn apply(&mut self, bytes: &[u8]) -> u64 {
        let mut count = 0;
        for message in Messages::new(bytes) {
            count += 1;
            let Some((locate, event)) = event(message) else { continue };
            match event {
                Event::Add { order, side, shares, price } => {
                    self.orders.insert(order, Order { locate, side, shares, price });
                }
                Event::Reduce { order, shares } => {
                    if let Some(one) = self.orders.get_mut(&order) {
                        one.shares = one.shares.saturating_sub(shares);
                        if one.shares == 0 {
                            self.orders.remove(&order);
                        }
                    }
                }
                Event::Delete { order } => {
                    self.orders.remove(&order);
                }
                Event::Replace { order, new, shares, price } => {
                    if let Some(old) = self.orders.remove(&order) {
                        self.orders.insert(new, Order { shares, price, ..old });
                    }
                }
            }
        }
        count
    }

    fn digest(&self) -> Digest {
        let mut levels: HashMap<(u16, Side, u32), u64> = HashMap::new();
        for Order { locate, side, shares, price } in self.orders.values() {
            *levels.entry((*locate, *side, *price)).or_default() += u64::from(*shares);
        }
        let mut digest = Digest::default();
        levels
            .into_iter()
            .for_each(|((locate, side, price), shares)| digest.add_level(locate, side, price.into(), shares));
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Totals;
    use crate::itch::tests::{add, delete};

    fn framed(kind: u8, order: u64, rest: &[u8]) -> Vec<u8> {
        let body = [&[kind, 0, 7][..], &[0; 8], &order.to_be_bytes(), rest].concat();
        [&(body.len() as u16).to_be_bytes()[..], &body].concat()
    }

    #[test]
    fn the_model_books_every_order_message() {
        let replaced = [&4u64.to_be_bytes()[..], &7u32.to_be_bytes(), &90u32.to_be_bytes()].concat();
        let bytes = [
            add(7, 1, b'B', 100, 50),
            add(7, 2, b'B', 10, 50),
            add(7, 3, b'S', 5, 60),
            add(8, 5, b'S', 5, 60),
            framed(b'X', 5, &4u32.to_be_bytes()),
            framed(b'E', 1, &[&40u32.to_be_bytes()[..], &[0; 8]].concat()),
            framed(b'X', 2, &10u32.to_be_bytes()),
            framed(b'U', 3, &replaced),
            framed(b'X', 99, &1u32.to_be_bytes()),
            delete(7, 98),
        ]
        .concat();
        let mut model = Model::default();
        assert_eq!(model.apply(&bytes), 10);
        let digest = model.digest();
        assert_eq!(digest.books[&(7, Side::Bid)], Totals { levels: 1, shares: 60, value: 3_000 });
        assert_eq!(digest.books[&(7, Side::Ask)], Totals { levels: 1, shares: 7, value: 630 });
        assert_eq!(digest.books[&(8, Side::Ask)], Totals { levels: 1, shares: 1, value: 60 }, "one share is left");
        model.clear();
        assert_eq!(model.digest(), Digest::default());
    }
}
