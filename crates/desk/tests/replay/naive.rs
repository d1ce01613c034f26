//! A book as one would write it on a blackboard: a map of orders, and the best prices found by looking at all of them.
//! It reads fields at the offsets of "TotalView-ITCH 5.0" and shares no code with the program.

use firelane_gateway::base::Symbol;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;

#[derive(Clone, Copy)]
struct Order {
    buys: bool,
    price: u32,
    shares: u32,
}

/// All books of a day.
#[derive(Default)]
pub(crate) struct Naive {
    orders: BTreeMap<u64, (u16, Order)>,
    counts: BTreeMap<char, u64>,
    unknown_type: u64,
    bad_length: u64,
    unknown_ref: u64,
    duplicate_ref: u64,
    over_reduce: u64,
}

fn u16_at(message: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(message[at..at + 2].try_into().unwrap())
}

fn u32_at(message: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(message[at..at + 4].try_into().unwrap())
}

fn u64_at(message: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(message[at..at + 8].try_into().unwrap())
}

impl Naive {
    pub(crate) fn apply(&mut self, message: &[u8]) {
        let expected = match message[0] {
            b'S' => 12,
            b'R' => 39,
            b'H' => 25,
            b'Y' => 20,
            b'A' => 36,
            b'F' => 40,
            b'E' => 31,
            b'C' => 36,
            b'X' => 23,
            b'D' => 19,
            b'U' => 35,
            b'P' => 44,
            _ => {
                self.unknown_type += 1;
                return;
            }
        };
        if message.len() != expected {
            self.bad_length += 1;
            return;
        }
        *self.counts.entry(char::from(message[0])).or_default() += 1;
        let locate = u16_at(message, 1);
        match message[0] {
            b'A' | b'F' => {
                let order =
                    Order { buys: message[19] == b'B', shares: u32_at(message, 20), price: u32_at(message, 32) };
                self.add(u64_at(message, 11), locate, order);
            }
            b'E' | b'C' | b'X' => self.reduce(u64_at(message, 11), u32_at(message, 19)),
            b'D' => self.unknown_ref += u64::from(self.orders.remove(&u64_at(message, 11)).is_none()),
            b'U' => match self.orders.remove(&u64_at(message, 11)) {
                None => self.unknown_ref += 1,
                Some((locate, old)) => {
                    let new = Order { buys: old.buys, shares: u32_at(message, 27), price: u32_at(message, 31) };
                    self.add(u64_at(message, 19), locate, new);
                }
            },
            _ => {}
        }
    }

    fn add(&mut self, reference: u64, locate: u16, order: Order) {
        match self.orders.entry(reference) {
            Entry::Occupied(_) => self.duplicate_ref += 1,
            Entry::Vacant(free) => drop(free.insert((locate, order))),
        }
    }

    fn reduce(&mut self, reference: u64, shares: u32) {
        match self.orders.get_mut(&reference) {
            None => self.unknown_ref += 1,
            Some((_, order)) if order.shares > shares => order.shares -= shares,
            Some((_, order)) => {
                self.over_reduce += u64::from(order.shares < shares);
                self.orders.remove(&reference);
            }
        }
    }

    pub(crate) fn live(&self) -> usize {
        self.orders.len()
    }

    pub(crate) fn counts(&self) -> &BTreeMap<char, u64> {
        &self.counts
    }

    pub(crate) fn errors(&self) -> [(&'static str, u64); 5] {
        [
            ("unknown_type", self.unknown_type),
            ("bad_length", self.bad_length),
            ("unknown_ref", self.unknown_ref),
            ("duplicate_ref", self.duplicate_ref),
            ("over_reduce", self.over_reduce),
        ]
    }

    /// Best price and its size.
    fn best(&self, of: u16, buys: bool) -> (u32, u64) {
        let side = || self.orders.values().filter(move |(locate, o)| (*locate, o.buys) == (of, buys)).map(|(_, o)| o);
        let best = if buys { side().map(|o| o.price).max() } else { side().map(|o| o.price).min() };
        best.map_or((0, 0), |price| (price, side().filter(|o| o.price == price).map(|o| u64::from(o.shares)).sum()))
    }
}

/// The lines that `--bbo` is to write.
pub(crate) fn bbo<'a>(messages: impl Iterator<Item = &'a [u8]>, symbol: Symbol) -> String {
    let (mut book, mut of, mut last, mut lines) = (Naive::default(), 0, ((0, 0), (0, 0)), String::new());
    for (index, message) in messages.enumerate() {
        if message[0] == b'R' && message[11..19] == symbol.0 {
            of = u16_at(message, 1);
        }
        book.apply(message);
        let now = (book.best(of, false), book.best(of, true));
        if now != last {
            let ((ask, ask_size), (bid, bid_size)) = now;
            writeln!(lines, "{index},{ask},{ask_size},{bid},{bid_size}").unwrap();
            last = now;
        }
    }
    lines
}
