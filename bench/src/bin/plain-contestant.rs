//! A contestant of the lab, with nothing but the standard library: the worked example of its line protocol, to be written
//! again in any language. The protocol is in the first lines of `bench/contest/src/lib.rs`.
//!
//! It keeps the shares of each price, and of each order what is left of it: books of levels.

use std::collections::{BTreeMap, HashMap};
use std::io::{Write, stdin, stdout};
use std::time::Instant;

#[derive(Default)]
struct Books {
    /// By reference: symbol, side, price, shares left.
    orders: HashMap<u64, (u16, u8, u32, u32)>,
    /// By symbol, side and price: shares.
    levels: BTreeMap<(u16, u8, u32), u64>,
}

fn number<const N: usize>(message: &[u8], at: usize) -> [u8; N] {
    message[at..at + N].try_into().expect("as many bytes as asked for")
}

fn u32_at(message: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(number(message, at))
}

fn u64_at(message: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(number(message, at))
}

impl Books {
    fn enter(&mut self, reference: u64, order: (u16, u8, u32, u32)) {
        let (symbol, side, price, shares) = order;
        self.orders.insert(reference, order);
        *self.levels.entry((symbol, side, price)).or_default() += u64::from(shares);
    }

    /// Takes some shares of an order off, or all.
    fn reduce(&mut self, reference: u64, shares: Option<u32>) -> Option<(u16, u8)> {
        let order = self.orders.get_mut(&reference)?;
        let (symbol, side, price, left) = *order;
        let gone = shares.unwrap_or(left).min(left);
        order.3 -= gone;
        if order.3 == 0 {
            self.orders.remove(&reference);
        }
        let level = self.levels.get_mut(&(symbol, side, price))?;
        *level -= u64::from(gone);
        if *level == 0 {
            self.levels.remove(&(symbol, side, price));
        }
        Some((symbol, side))
    }

    /// One message: its fields stand where the specification says.
    fn message(&mut self, m: &[u8]) {
        match m[0] {
            b'A' | b'F' => {
                let symbol = u16::from_be_bytes(number(m, 1));
                self.enter(u64_at(m, 11), (symbol, m[19], u32_at(m, 32), u32_at(m, 20)));
            }
            b'E' | b'C' | b'X' => {
                self.reduce(u64_at(m, 11), Some(u32_at(m, 19)));
            }
            b'D' => {
                self.reduce(u64_at(m, 11), None);
            }
            b'U' => {
                if let Some((symbol, side)) = self.reduce(u64_at(m, 11), None) {
                    self.enter(u64_at(m, 19), (symbol, side, u32_at(m, 31), u32_at(m, 27)));
                }
            }
            _ => {}
        }
    }

    /// All messages, each behind its length; how many.
    fn messages(&mut self, mut bytes: &[u8]) -> u64 {
        let mut count = 0;
        while bytes.len() > 2 {
            let length = usize::from(u16::from_be_bytes(number(bytes, 0)));
            self.message(&bytes[2..2 + length]);
            bytes = &bytes[2 + length..];
            count += 1;
        }
        count
    }
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, built] = arguments.as_slice() else { panic!("usage: plain-contestant FILE BUILT") };
    let bytes = std::fs::read(file)?;
    let (built, timed) = bytes.split_at(built.parse().expect("BUILT is a number of bytes"));

    let mut out = stdout().lock();
    writeln!(out, "contestant 1 L2 plain maps\nwithout any care for speed\nready")?;
    out.flush()?;
    let mut books = Books::default();
    for line in stdin().lines() {
        match line?.as_str() {
            "pass" => {
                books = Books::default();
                books.messages(built);
                let start = Instant::now();
                let count = books.messages(timed);
                writeln!(out, "pass {count} {}", start.elapsed().as_nanos())?;
            }
            "digest" => {
                let mut sides: BTreeMap<(u16, u8), (u64, u64, u128)> = BTreeMap::new();
                for ((symbol, side, price), shares) in &books.levels {
                    let (levels, all, value) = sides.entry((*symbol, *side)).or_default();
                    (*levels, *all) = (*levels + 1, *all + shares);
                    *value += u128::from(*price) * u128::from(*shares);
                }
                for ((symbol, side), (levels, shares, value)) in sides {
                    writeln!(out, "book {symbol} {} {levels} {shares} {value}", char::from(side))?;
                }
                writeln!(out, "end")?;
            }
            other => panic!("`pass` or `digest`, not {other:?}"),
        }
        out.flush()?;
    }
    Ok(())
}
