//! What the order messages of Nasdaq TotalView-ITCH 5.0 (sections 1.3 and 1.4 of the specification) say to a book, read by
//! hand: for contestants that are a book and have no parser of their own.

use crate::Side;

/// What happens to a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// An order joins (A, F).
    Add {
        /// Its reference.
        order: u64,
        /// Its side.
        side: Side,
        /// Its shares.
        shares: u32,
        /// Its price, four decimals.
        price: u32,
    },
    /// Some shares of an order are gone: executed (E, C) or cancelled (X).
    Reduce {
        /// Its reference.
        order: u64,
        /// How many.
        shares: u32,
    },
    /// All of an order is gone (D).
    Delete {
        /// Its reference.
        order: u64,
    },
    /// An order is gone, and another of the same side joins (U).
    Replace {
        /// The reference of the one that is gone.
        order: u64,
        /// That of the one that joins.
        new: u64,
        /// Its shares.
        shares: u32,
        /// Its price, four decimals.
        price: u32,
    },
}

/// The messages of a piece of a BinaryFILE, one after another. One that is cut ends it.
#[derive(Clone, Copy, Debug)]
pub struct Messages<'a>(&'a [u8]);

impl<'a> Messages<'a> {
    /// From the first on.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Messages(bytes)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let (message, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        self.0 = rest;
        Some(message)
    }
}

/// What a message says to the book of which symbol (its locate); nothing if it is no order message, or cut.
#[inline(always)]
#[must_use]
pub fn event(message: &[u8]) -> Option<(u16, Event)> {
    // Type, locate, tracking number, time, and then the reference, in every order message.
    let (head, body) = message.split_first_chunk::<19>()?;
    let &[kind, l0, l1, _, _, _, _, _, _, _, _, r0, r1, r2, r3, r4, r5, r6, r7] = head;
    let locate = u16::from_be_bytes([l0, l1]);
    let order = u64::from_be_bytes([r0, r1, r2, r3, r4, r5, r6, r7]);
    let number = |at: usize| Some(u32::from_be_bytes(*body.get(at..)?.first_chunk()?));
    let event = match kind {
        b'A' | b'F' => {
            let side = if *body.first()? == b'B' { Side::Bid } else { Side::Ask };
            Event::Add { order, side, shares: number(1)?, price: number(13)? }
        }
        b'E' | b'C' | b'X' => Event::Reduce { order, shares: number(0)? },
        b'D' => Event::Delete { order },
        b'U' => {
            let new = u64::from_be_bytes(*body.first_chunk()?);
            Event::Replace { order, new, shares: number(8)?, price: number(12)? }
        }
        _ => return None,
    };
    Some((locate, event))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn message(kind: u8, locate: u16, order: u64, rest: &[u8]) -> Vec<u8> {
        let head = [&[kind][..], &locate.to_be_bytes(), &[0, 0], &[9; 6], &order.to_be_bytes(), rest].concat();
        [&(head.len() as u16).to_be_bytes()[..], &head].concat()
    }

    pub(crate) fn add(locate: u16, order: u64, side: u8, shares: u32, price: u32) -> Vec<u8> {
        let rest = [&[side][..], &shares.to_be_bytes(), b"AAPL    ", &price.to_be_bytes()].concat();
        message(b'A', locate, order, &rest)
    }

    pub(crate) fn delete(locate: u16, order: u64) -> Vec<u8> {
        message(b'D', locate, order, &[])
    }

    #[test]
    fn each_order_message_is_read() {
        let u = [&9u64.to_be_bytes()[..], &70u32.to_be_bytes(), &123u32.to_be_bytes()].concat();
        let e = [&40u32.to_be_bytes()[..], &[0; 8]].concat();
        let bytes = [
            add(7, 1, b'S', 100, 5_000),
            message(b'E', 7, 1, &e),
            message(b'C', 7, 1, &[&e[..], b"Y", &[0, 0, 0, 1]].concat()),
            message(b'X', 7, 1, &5u32.to_be_bytes()),
            message(b'U', 7, 1, &u),
            delete(7, 9),
            message(b'P', 7, 0, &[0; 25]),
        ]
        .concat();
        let events: Vec<_> = Messages::new(&bytes).map(event).collect();
        let reduce = |shares| Some((7, Event::Reduce { order: 1, shares }));
        assert_eq!(
            events,
            [
                Some((7, Event::Add { order: 1, side: Side::Ask, shares: 100, price: 5_000 })),
                reduce(40),
                reduce(40),
                reduce(5),
                Some((7, Event::Replace { order: 1, new: 9, shares: 70, price: 123 })),
                Some((7, Event::Delete { order: 9 })),
                None,
            ]
        );
    }

    #[test]
    fn what_is_cut_says_nothing() {
        let whole = add(7, 1, b'B', 100, 5_000);
        assert_eq!(Messages::new(&whole[..whole.len() - 1]).count(), 0);
        assert_eq!(Messages::new(&[]).count(), 0);
        for length in 0..whole.len() - 2 {
            assert_eq!(event(&whole[2..2 + length]), None, "{length}");
        }
    }
}
