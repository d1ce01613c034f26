//! Order books and a parser of crates.io as contestants of the latency lab: `firelane-peers NAME FILE BUILT`, by the
//! protocol of `firelane-contest`. `--list KIND` (book, decode, encode, quotes) names them.
//!
//! A peer is used as its documentation says, by its public interface. Where it can't be told apart what an ITCH message
//! means, what it needs besides stands in `without`, and is the adapter's.

mod hft;
mod itchy;
mod matching;
mod nautilus;
mod ouch;
mod quoting;

use firelane_contest::itch::{Event, Messages, event};
use firelane_contest::{About, Contestant, Digest, Kind};
use quoting::Looks;
use std::process::ExitCode;

/// A book of one symbol.
trait Book {
    /// An event of it. False: it does not take it.
    fn apply(&mut self, event: Event) -> bool;

    /// Its levels into the digest.
    fn levels(&self, locate: u16, digest: &mut Digest);
}

/// Books by locate: a peer's own maps of symbols take names.
struct Books<B> {
    make: fn() -> B,
    books: Vec<Option<B>>,
    refused: u64,
    /// For so many symbols there is memory.
    room: usize,
}

impl<B: Book> Books<B> {
    fn new(make: fn() -> B) -> Self {
        Books { make, books: Vec::new(), refused: 0, room: usize::MAX }
    }

    fn of_few_symbols(make: fn() -> B) -> Self {
        Books { room: 64, ..Books::new(make) }
    }
}

impl<B: Book> Contestant for Books<B> {
    fn clear(&mut self) {
        self.refused = 0;
        // Made again for those that were traded in the last pass, so that the warm passes do not time it.
        let make = self.make;
        self.books.iter_mut().flatten().for_each(|book| *book = make());
    }

    fn apply(&mut self, bytes: &[u8]) -> u64 {
        let mut count = 0;
        for message in Messages::new(bytes) {
            count += 1;
            let Some((locate, event)) = event(message) else { continue };
            let at = usize::from(locate);
            if self.books.len() <= at {
                self.books.resize_with(at + 1, || None);
            }
            if self.books[at].is_none() {
                self.room = self.room.checked_sub(1).unwrap_or_else(too_many);
            }
            let book = self.books[at].get_or_insert_with(self.make);
            self.refused += u64::from(!book.apply(event));
        }
        count
    }

    fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        for (locate, book) in (0..).zip(&self.books) {
            if let Some(book) = book {
                book.levels(locate, &mut digest);
            }
        }
        if self.refused > 0 {
            digest.lines.push(format!("{} events were refused", self.refused));
        }
        digest
    }
}

/// Ends the program with the protocol's word for it.
fn too_many() -> usize {
    println!("error more than 64 symbols: it keeps a vector of all prices for each");
    std::process::exit(1)
}

/// Name for the command line, what it is called, kind, what it leaves out, and how it is made.
type Peer = (&'static str, &'static str, Kind, &'static [&'static str], fn() -> Box<dyn Contestant>);

const DECODE: &str = "a parser: firelane-contest reads the messages";
const CHECKS: &str = "directory, staleness, own orders, capacities";

const BACKTEST: &[&str] = &[
    "a parser, lines, packets: its form of the events is made before",
    "a gate, messages of orders on a session, stamps, capacities",
];

const SESSION: &str = "a session: no heartbeat, token or state of it";

const PEERS: &[Peer] = &[
    // It knows every order, but not its place in the queue, and its levels are sums: what L2 means here.
    ("hftbacktest-hash", "hftbacktest 0.9.4 hash map", Kind::L2, &[DECODE, CHECKS], || Box::new(Books::new(hft::hash))),
    ("hftbacktest-btree", "hftbacktest 0.9.4 B-tree", Kind::L2, &[DECODE, CHECKS], || Box::new(Books::new(hft::btree))),
    ("hftbacktest-roi", "hftbacktest 0.9.4 vector", Kind::L2, &[DECODE, CHECKS, hft::RANGE], || {
        Box::new(Books::of_few_symbols(hft::roi))
    }),
    ("nautilus-model", "nautilus-model 0.57", Kind::L3, &[DECODE, nautilus::FINDS, CHECKS], || {
        Box::new(Books::new(nautilus::new))
    }),
    ("orderbook-rs", "orderbook-rs 0.15.3", Kind::L3, &[DECODE, CHECKS, matching::ALONE], || {
        Box::new(Books::new(matching::new))
    }),
    ("itchy", "itchy 0.3.4", Kind::Decode, &[], || Box::new(itchy::Itchy::default())),
    ("ouch_model", "ouch_model 5.0.1", Kind::Encode, &[SESSION], || Box::new(ouch::published())),
    // As it is published its packets are no Enter Orders. With the one field mended, in the adapter, it has a time.
    ("ouch_model-mended", "ouch_model, symbol of 8 bytes", Kind::Encode, &[SESSION], || Box::new(ouch::mended())),
    ("hftbacktest-quotes", "hftbacktest 0.9.4 vector", Kind::Quotes, BACKTEST, || {
        Box::new(quoting::vector(Looks::EachEvent))
    }),
    ("hftbacktest-quotes-hash", "hftbacktest 0.9.4 hash map", Kind::Quotes, BACKTEST, || {
        Box::new(quoting::hash(Looks::EachEvent))
    }),
    ("hftbacktest-quotes-tenths", "hftbacktest, asked each 100 ms", Kind::Quotes, BACKTEST, || {
        Box::new(quoting::vector(Looks::EachTenth))
    }),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--list", kind] => {
            let of = PEERS.iter().filter(|peer| peer.2.word() == *kind || (*kind == "book" && peer.2.has_books()));
            of.for_each(|peer| println!("{}", peer.0));
            ExitCode::SUCCESS
        }
        [name, _, _] => match PEERS.iter().find(|peer| peer.0 == *name) {
            Some(peer) => start(peer),
            None => {
                let names: Vec<&str> = PEERS.iter().map(|peer| peer.0).collect();
                eprintln!("no peer is called {name}; there are {}", names.join(", "));
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("usage: firelane-peers NAME FILE BUILT, or --list book|decode|encode|quotes");
            ExitCode::FAILURE
        }
    }
}

fn start((_, name, kind, without, make): &Peer) -> ExitCode {
    let without = without.iter().map(|what| (*what).to_owned()).collect();
    let about = About { kind: *kind, name: (*name).to_owned(), without };
    firelane_contest::main(&mut *make(), &about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_contest::orders::{self, Order};
    use firelane_contest::{Model, QUOTED};

    fn framed(kind: u8, locate: u16, order: u64, rest: &[u8]) -> Vec<u8> {
        let head = [&[kind][..], &locate.to_be_bytes(), &[0; 8], &order.to_be_bytes(), rest].concat();
        [&(head.len() as u16).to_be_bytes()[..], &head].concat()
    }

    fn add(locate: u16, order: u64, side: u8, shares: u32, price: u32) -> Vec<u8> {
        framed(b'A', locate, order, &[&[side][..], &shares.to_be_bytes(), b"AAPL    ", &price.to_be_bytes()].concat())
    }

    /// Every order message, two symbols, an order that goes in parts, and one after which its level is empty.
    fn day() -> Vec<u8> {
        let executed = |shares: u32| [&shares.to_be_bytes()[..], &[0; 8]].concat();
        let replaced = |new: u64, shares: u32, price: u32| {
            [&new.to_be_bytes()[..], &shares.to_be_bytes(), &price.to_be_bytes()].concat()
        };
        [
            add(1, 1, b'B', 100, 1_000_000),
            add(1, 2, b'B', 50, 1_000_000),
            add(1, 3, b'S', 70, 1_000_100),
            add(1, 4, b'S', 30, 1_000_200),
            add(9, 5, b'B', 10, 500_000),
            add(9, 6, b'S', 20, 500_300),
            framed(b'E', 1, 1, &executed(40)),
            framed(b'C', 1, 1, &[&executed(60)[..], b"Y", &1_000_000u32.to_be_bytes()].concat()),
            framed(b'X', 1, 3, &20u32.to_be_bytes()),
            framed(b'U', 1, 4, &replaced(7, 35, 1_000_300)),
            framed(b'U', 9, 5, &replaced(8, 15, 500_100)),
            framed(b'D', 9, 6, &[]),
        ]
        .concat()
    }

    #[test]
    fn every_book_ends_as_the_model_does_pass_after_pass() {
        let (bytes, mut model) = (day(), Model::default());
        model.pass(&bytes, 38);
        assert_eq!(model.digest().books.len(), 3);
        for (name, _, kind, _, make) in PEERS.iter().filter(|peer| peer.2.has_books()) {
            let mut peer = make();
            for _ in 0..3 {
                assert_eq!(peer.pass(&bytes, 38).messages, 11, "{name}, {kind:?}");
                assert_eq!(model.digest().difference(&peer.digest()), None, "{name}");
            }
        }
    }

    #[test]
    fn the_backtests_quote_both_sides_and_hold_the_books_of_the_others() {
        let executed = [&40u32.to_be_bytes()[..], &[0; 8]].concat();
        let replaced = [&7u64.to_be_bytes()[..], &35u32.to_be_bytes(), &1_000_300u32.to_be_bytes()].concat();
        let mut messages = vec![
            add(1, 1, b'B', 100, 1_000_000),
            add(1, 3, b'S', 70, 1_000_100),
            add(1, 4, b'S', 30, 1_000_200),
            framed(b'E', 1, 3, &executed),
            framed(b'U', 1, 4, &replaced),
            framed(b'D', 1, 3, &[]),
        ];
        // A second apart: behind length, type, locate and tracking number six bytes are the time.
        for (at, message) in (1u64..).zip(&mut messages) {
            message[7..13].copy_from_slice(&(at * 1_000_000_000).to_be_bytes()[2..]);
        }
        let (bytes, mut model) = (messages.concat(), Model::default());
        model.pass(&bytes, 0);
        for (name, _, _, _, make) in PEERS.iter().filter(|peer| peer.2 == Kind::Quotes) {
            let mut peer = make();
            for _ in 0..2 {
                assert_eq!(peer.pass(&bytes, 0).messages, 6, "{name}");
                let Digest { books, lines } = peer.digest();
                assert_eq!((books, lines), (model.digest().books, vec![QUOTED.to_owned()]), "{name}");
            }
        }
    }

    #[test]
    fn ouch_model_mended_frames_what_the_specification_says_and_as_published_does_not() {
        let order = Order {
            token: 7,
            side: b'T',
            shares: 300,
            symbol: *b"AAPL    ",
            price: 5_853_301,
            text: *b"0000000700W000",
        };
        let file =
            [order.bytes(), Order { side: b'B', symbol: *b"F       ", text: *b"a             ", ..order }.bytes()]
                .concat();
        let right = orders::Packets::right(&file).lines();
        let said = |mut ouch: Box<dyn Contestant>| {
            assert_eq!(ouch.pass(&file, 0).messages, 2);
            ouch.digest().lines
        };
        assert_eq!(said(Box::new(ouch::mended())), right);
        // Its symbol has nine bytes, where the specification has eight (Enter Order Request, offset 10): each packet is one too long.
        let published = said(Box::new(ouch::published()));
        assert!(published[0].starts_with("first 003a") && right[0].starts_with("first 0039"), "{published:?}");
    }

    #[test]
    fn itchy_reads_what_the_messages_say() {
        let bytes = [add(1, 7, b'B', 100, 3), add(2, 8, b'S', 5, 4), framed(b'D', 1, 7, &[])].concat();
        let mut itchy = itchy::Itchy::default();
        assert_eq!(itchy.pass(&bytes, 0).messages, 3);
        // Locates 4, references 22, shares 105, prices 7; one buy.
        assert_eq!(itchy.digest().lines, ["read 138 1"]);
    }
}
