//! A seeded ITCH 5.0 stream of a whole market: thousands of symbols, millions of orders resting at once.
//!
//! It has the shape of a real day where a book feels it: references ascend over all symbols with gaps; a few symbols
//! get most of the messages; most orders that leave are young and near the best, the others lie deep and long; executions
//! take the first order at the best price. The mix is that of recorded days: A 45, D 41, E 6, P 4, U 3, X 1 in a hundred.

use firelane_gateway::flow::wire::itch50::{
    AddOrder, Header, Message, OrderCancel, OrderDelete, OrderExecuted, OrderReplace, StockDirectory, Trade, U32, U64,
};
use std::io::{self, Write};

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    /// Symbols, with locates from 1.
    pub symbols: u16,
    /// Orders resting before the stream proper begins, and about as many at any time after.
    pub live: usize,
    /// Messages after those that build the books up.
    pub messages: usize,
    /// Same seed, same bytes.
    pub seed: u64,
}

/// A stream in BinaryFILE form (each message behind its 2-byte length).
#[derive(Debug)]
pub struct Stream {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where the build-up (directory and first orders) ends.
    pub built: usize,
}

struct Resting {
    reference: u64,
    buy: bool,
    price: u32,
    shares: u32,
}

struct Generator {
    bytes: Vec<u8>,
    random: u64,
    reference: u64,
    trade: u64,
    ns: u64,
    /// Is the build-up over?
    built: bool,
    /// By locate; oldest first, as far as removals (which swap) leave it so.
    books: Vec<Vec<Resting>>,
}

const TICK: u32 = 100;

/// Makes the stream.
#[must_use]
pub fn market(of: Market) -> Stream {
    let mut generator = Generator::new(of, of.live * 38 + of.messages * 32);
    let target = generator.build_up(of);
    let built = generator.bytes.len();
    for _ in 0..of.messages {
        generator.go_on(of.symbols, target);
    }
    Stream { bytes: generator.bytes, built }
}

/// Writes the stream, as long as it may be, in memory that its books need and no more. `progress` is told what is written.
///
/// # Errors
/// Those of the writer.
pub fn write(of: Market, into: &mut impl Write, mut progress: impl FnMut(usize)) -> io::Result<()> {
    const CHUNK: usize = 1 << 20;
    let mut generator = Generator::new(of, 2 * CHUNK);
    let target = generator.build_up(of);
    for _ in 0..of.messages {
        generator.go_on(of.symbols, target);
        if generator.bytes.len() >= CHUNK {
            into.write_all(&generator.bytes)?;
            progress(generator.bytes.len());
            generator.bytes.clear();
        }
    }
    into.write_all(&generator.bytes)?;
    progress(generator.bytes.len());
    into.flush()
}

impl Generator {
    fn new(of: Market, room: usize) -> Self {
        Generator {
            bytes: Vec::with_capacity(room),
            random: of.seed | 1,
            reference: 1_000,
            trade: 1,
            ns: 34_200_000_000_000,
            built: false,
            books: (0..=of.symbols).map(|_| Vec::new()).collect(),
        }
    }

    /// Directory and first orders; how many rest in a book from then on.
    fn build_up(&mut self, of: Market) -> usize {
        for locate in 1..=of.symbols {
            self.directory(locate);
        }
        let target = of.live / usize::from(of.symbols.max(1));
        // In rounds over all symbols, so that no book is contiguous in memory.
        for _ in 0..target {
            for locate in 1..=of.symbols {
                self.add(locate);
            }
        }
        self.built = true;
        target
    }

    /// The next message of the stream proper.
    fn go_on(&mut self, symbols: u16, target: usize) {
        let locate = self.symbol(symbols);
        self.step(locate, target);
    }

    /// The next number of a xorshift generator.
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// Busy symbols have low locates: the density falls with the square root.
    fn symbol(&mut self, symbols: u16) -> u16 {
        let (a, b) = (self.below(usize::from(symbols)), self.below(usize::from(symbols)));
        1 + (a * b / usize::from(symbols)) as u16
    }

    fn header(&mut self, message_type: u8, locate: u16) -> Header {
        self.ns += 1 + self.next() % 1_000;
        Header::new(message_type, locate, self.ns)
    }

    fn put(&mut self, message: &Message<'_>) {
        let bytes = message.as_bytes();
        self.bytes.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    fn stock(locate: u16) -> [u8; 8] {
        let mut stock = *b"S       ";
        for (place, digit) in stock[1..6].iter_mut().zip(format!("{locate:05}").bytes()) {
            *place = digit;
        }
        stock
    }

    fn directory(&mut self, locate: u16) {
        let header = self.header(StockDirectory::TYPE, locate);
        self.put(&Message::StockDirectory(&StockDirectory {
            header,
            stock: Self::stock(locate),
            market_category: b'Q',
            financial_status: b'N',
            round_lot_size: U32::new(100),
            round_lots_only: b'N',
            issue_classification: b'C',
            issue_sub_type: *b"Z ",
            authenticity: b'P',
            short_sale_threshold: b'N',
            ipo_flag: b'N',
            luld_tier: b'1',
            etp_flag: b'N',
            etp_leverage: U32::ZERO,
            inverse: b'N',
        }));
    }

    /// A price on a side of a symbol. What rests from the start lies as likely within 2 ticks of the best as between 64
    /// and 128; what comes later is half as likely with each doubling of the distance, as on a real day.
    fn price(&mut self, locate: u16, buy: bool) -> u32 {
        let middle = 100_000 + u32::from(locate % 997) * 1_700;
        let octave = if self.built { self.next().trailing_zeros().min(7) } else { self.below(8) as u32 };
        let ticks = (1 << octave) + self.below(1 << octave) as u32;
        if buy { middle - ticks * TICK } else { middle + ticks * TICK }
    }

    fn reference(&mut self) -> u64 {
        self.reference += 1 + self.next() % 3;
        self.reference
    }

    fn add(&mut self, locate: u16) {
        let buy = self.next().is_multiple_of(2);
        let (reference, price) = (self.reference(), self.price(locate, buy));
        let shares = 100 * (1 + self.below(5) as u32);
        let header = self.header(AddOrder::TYPE, locate);
        self.put(&Message::AddOrder(&AddOrder {
            header,
            order_ref: U64::new(reference),
            side: if buy { b'B' } else { b'S' },
            shares: U32::new(shares),
            stock: Self::stock(locate),
            price: U32::new(price),
        }));
        self.books[usize::from(locate)].push(Resting { reference, buy, price, shares });
    }

    /// Four in five that leave are among the youngest sixteen.
    fn pick(&mut self, locate: u16) -> usize {
        let len = self.books[usize::from(locate)].len();
        if self.below(5) < 4 { len - 1 - self.below(len.min(16)) } else { self.below(len) }
    }

    /// The first order at the best price of a side.
    fn best(&mut self, locate: u16) -> Option<usize> {
        let buy = self.next().is_multiple_of(2);
        let side = self.books[usize::from(locate)].iter().enumerate().filter(|(_, order)| order.buy == buy);
        side.min_by_key(|(_, order)| (if buy { u32::MAX - order.price } else { order.price }, order.reference))
            .map(|(n, _)| n)
    }

    fn step(&mut self, locate: u16, target: usize) {
        let len = self.books[usize::from(locate)].len();
        let dice = self.below(100);
        match dice {
            _ if len * 10 < target * 9 || len < 4 => self.add(locate),
            0..45 if len * 10 <= target * 11 => self.add(locate),
            0..86 => {
                let n = self.pick(locate);
                let order = self.books[usize::from(locate)].swap_remove(n);
                let header = self.header(OrderDelete::TYPE, locate);
                self.put(&Message::OrderDelete(&OrderDelete { header, order_ref: U64::new(order.reference) }));
            }
            86..92 => self.execute(locate),
            92..96 => {
                let header = self.header(Trade::TYPE, locate);
                self.trade += 1;
                self.put(&Message::Trade(&Trade {
                    header,
                    order_ref: U64::ZERO,
                    side: b'B',
                    shares: U32::new(100),
                    stock: Self::stock(locate),
                    price: U32::new(100_000),
                    match_number: U64::new(self.trade),
                }));
            }
            96..99 => {
                let n = self.pick(locate);
                let old = self.books[usize::from(locate)].swap_remove(n);
                let (new, price) = (self.reference(), self.price(locate, old.buy));
                let header = self.header(OrderReplace::TYPE, locate);
                self.put(&Message::OrderReplace(&OrderReplace {
                    header,
                    original_ref: U64::new(old.reference),
                    new_ref: U64::new(new),
                    shares: U32::new(old.shares),
                    price: U32::new(price),
                }));
                self.books[usize::from(locate)].push(Resting { reference: new, price, ..old });
            }
            _ => {
                let n = self.pick(locate);
                let order = &mut self.books[usize::from(locate)][n];
                let (reference, shares) = (order.reference, order.shares / 2);
                order.shares -= shares;
                let header = self.header(OrderCancel::TYPE, locate);
                let (order_ref, shares) = (U64::new(reference), U32::new(shares));
                self.put(&Message::OrderCancel(&OrderCancel { header, order_ref, shares }));
            }
        }
    }

    fn execute(&mut self, locate: u16) {
        let Some(n) = self.best(locate) else { return self.add(locate) };
        let whole = self.below(3) > 0;
        let order = &mut self.books[usize::from(locate)][n];
        let reference = order.reference;
        let shares = if whole { order.shares } else { order.shares.div_ceil(2) };
        order.shares -= shares;
        if order.shares == 0 {
            self.books[usize::from(locate)].swap_remove(n);
        }
        self.trade += 1;
        let header = self.header(OrderExecuted::TYPE, locate);
        self.put(&Message::OrderExecuted(&OrderExecuted {
            header,
            order_ref: U64::new(reference),
            shares: U32::new(shares),
            match_number: U64::new(self.trade),
        }));
    }
}

/// Messages of a BinaryFILE image.
pub fn messages(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (prefix, rest) = bytes.split_first_chunk::<2>()?;
        let (message, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*prefix)))?;
        bytes = rest;
        Some(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::base::{InstrumentTable, Qty, Side};
    use firelane_gateway::flow::book::{BookCapacity, Books};
    use firelane_gateway::flow::itch_line::ItchLine;
    use firelane_gateway::flow::market::MarketLine;

    #[test]
    fn a_made_market_keeps_its_word_and_never_contradicts_itself() {
        let of = Market { symbols: 50, live: 10_000, messages: 100_000, seed: 7 };
        let stream = market(of);
        let mut written = Vec::new();
        let mut told = 0;
        write(of, &mut written, |bytes| told += bytes).unwrap();
        assert!(told > 2 << 20 && written == stream.bytes, "the same seed makes the same bytes, in pieces too");
        let mut line = ItchLine::new(0);
        let mut table = InstrumentTable::new(&[], 50, true);
        let mut books = Books::new(BookCapacity { instruments: 50, orders: 16_384, levels: 16_384, own: 1 });
        let mut counted = [0usize; 256];
        for (n, message) in messages(&stream.bytes).enumerate() {
            let event = line.decode(message, &mut table).unwrap();
            assert_eq!(books.apply(event.instrument.unwrap(), &event.kind).fault, None);
            counted[usize::from(message[0])] += usize::from(n >= 50 + of.live);
        }
        assert_eq!(counted.iter().sum::<usize>(), of.messages);
        assert!((9_000..=11_000).contains(&books.live_orders()), "{}", books.live_orders());
        for (kind, percent) in [(b'A', 45), (b'D', 41), (b'E', 6), (b'P', 4), (b'U', 3), (b'X', 1)] {
            let share = counted[usize::from(kind)] as f64 / of.messages as f64 * 100.0;
            assert!((share - f64::from(percent)).abs() < 4.0, "{} {share}", char::from(kind));
        }
        for (id, _) in (0u32..).zip(table.rows()) {
            let view = books.view(firelane_gateway::base::InstrumentId(id));
            let (bid, ask) = (view.top(Side::Buy).unwrap(), view.top(Side::Sell).unwrap());
            assert!(bid.price < ask.price && bid.qty > Qty(0));
        }
    }
}
