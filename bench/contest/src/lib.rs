//! How any program joins the lab: it is started with a file, does a pass when it is told to, and says how long it took
//! and what its books hold at the end.
//!
//! This crate has what a Rust program needs for that and uses nothing but the standard library. A program in another
//! language needs the protocol alone, which is these lines; `bench/src/bin/plain-contestant.rs` is one, without this crate.
//!
//! # The protocol, version 1
//!
//! ```text
//! PROGRAM [ARGUMENTS] FILE BUILT      the lab starts it
//!   < contestant 1 L3 a name          first line: version, kind (L3, L2, decode, ...), what to call it
//!   < without what it leaves out      any number of such lines: printed beside its time
//!   < ready                           the file is in memory
//!   > pass
//!   < pass 91979 4528711              messages timed, nanoseconds they took
//!   > digest
//!   < book 13 B 121 48210 518075483   symbol's locate, side (B or S), levels, shares, sum of price times shares
//!   < end
//!   > (end of input)                  it ends
//! ```
//!
//! `<` is its standard output, each line ended and flushed, `>` its standard input. What it writes to standard error is
//! shown if it fails. `error TEXT` instead of an answer ends it, too.
//!
//! * FILE is a BinaryFILE of Nasdaq TotalView-ITCH 5.0, unpacked: each message behind its length, two bytes, big-endian.
//!   All of it is read into memory before `ready`.
//! * BUILT is how many bytes of it, from the first on, build the books up: they are applied in each pass, untimed.
//! * A pass begins with empty books. Emptying or making them is not timed; all messages after BUILT are, from the first
//!   to the last, and so is making room while they come. The first pass is the cold one.
//! * `digest` may follow any pass. A contestant of kind L3 or L2 answers with one line for each symbol and side that has
//!   shares: what A, F, E, C, X, D and U messages left. Prices are those of the wire (four decimals), levels those that
//!   have shares; order does not matter. The other kinds say what shows that they did the work, in lines that are compared
//!   word by word with those of the lab's own.
//! * Of kind `quotes` all messages are timed, the books are said without the orders of its own, and then `quoted both sides`.
//! * Of kind `encode` FILE is no BinaryFILE but [`orders`], to be framed.

pub mod itch;
mod model;
pub mod orders;
mod totals;

pub use model::Model;
pub use totals::{Digest, Side, Totals};

use std::io::{self, BufRead, Write};
use std::time::Instant;

/// The version of the protocol.
pub const VERSION: u32 = 1;

/// What a contestant does, which says with whom it is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Parse and books of orders: every order and its place is known.
    L3,
    /// Parse and books of levels: orders are known by what is left of them, not by their place.
    L2,
    /// Parse alone.
    Decode,
    /// From packets to orders.
    Orders,
    /// From orders to frames.
    Encode,
    /// From messages to quotes: a book, a strategy that quotes both sides, and what its orders come upon.
    Quotes,
}

/// What of kind [`Kind::Quotes`] says beside its books, if it quoted both sides.
pub const QUOTED: &str = "quoted both sides";

impl Kind {
    /// Every one, by its word.
    pub const ALL: [(Kind, &str); 6] = [
        (Kind::L3, "L3"),
        (Kind::L2, "L2"),
        (Kind::Decode, "decode"),
        (Kind::Orders, "orders"),
        (Kind::Encode, "encode"),
        (Kind::Quotes, "quotes"),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }

    /// By its word.
    #[must_use]
    pub fn of(word: &str) -> Option<Kind> {
        Kind::ALL.iter().find(|(_, w)| *w == word).map(|(kind, _)| *kind)
    }

    /// Is its digest one of books?
    #[must_use]
    pub fn has_books(self) -> bool {
        matches!(self, Kind::L3 | Kind::L2)
    }
}

/// What a contestant is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// What it does.
    pub kind: Kind,
    /// What to call it; one line.
    pub name: String,
    /// What it does not do that others of its kind do; one line each.
    pub without: Vec<String>,
}

/// One pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pass {
    /// Messages that were timed.
    pub messages: u64,
    /// Nanoseconds that they took.
    pub ns: u64,
}

/// Something that takes in messages.
pub trait Contestant {
    /// Forgets all messages. Not timed.
    fn clear(&mut self);

    /// Takes in the messages of a piece of a BinaryFILE; says how many there were.
    fn apply(&mut self, bytes: &[u8]) -> u64;

    /// What it holds now.
    fn digest(&self) -> Digest;

    /// A pass: the first `built` bytes untimed, the rest timed.
    fn pass(&mut self, bytes: &[u8], built: usize) -> Pass {
        let (built, timed) = bytes.split_at(built.min(bytes.len()));
        self.clear();
        self.apply(built);
        let start = Instant::now();
        let messages = self.apply(timed);
        let ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Pass { messages, ns }
    }
}

/// Serves the protocol until the input ends.
///
/// # Errors
/// Those of reading and writing, and a line that is not of the protocol.
pub fn serve(
    contestant: &mut dyn Contestant,
    about: &About,
    bytes: &[u8],
    built: usize,
    input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    writeln!(output, "contestant {VERSION} {} {}", about.kind.word(), about.name)?;
    for what in &about.without {
        writeln!(output, "without {what}")?;
    }
    writeln!(output, "ready")?;
    output.flush()?;
    for line in input.lines() {
        match line?.trim() {
            "pass" => {
                let Pass { messages, ns } = contestant.pass(bytes, built);
                writeln!(output, "pass {messages} {ns}")?;
            }
            "digest" => {
                write!(output, "{}", contestant.digest())?;
                writeln!(output, "end")?;
            }
            other => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("`pass` or `digest`, not {other:?}")));
            }
        }
        output.flush()?;
    }
    Ok(())
}

/// A program that is one contestant: FILE and BUILT are its last two arguments. Ends with 1 and a line if it fails.
pub fn main(contestant: &mut dyn Contestant, about: &About) -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let served = match arguments.as_slice() {
        [_, .., file, built] => built
            .parse()
            .map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidInput, format!("BUILT is a number of bytes, not {built:?}"))
            })
            .and_then(|built| Ok((std::fs::read(file)?, built)))
            .and_then(|(bytes, built)| {
                serve(contestant, about, &bytes, built, io::stdin().lock(), io::stdout().lock())
            }),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "usage: PROGRAM FILE BUILT")),
    };
    match served {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::itch::tests::{add, delete};

    #[test]
    fn a_contestant_greets_does_its_passes_and_says_what_it_holds() {
        let bytes = [add(7, 1, b'B', 100, 5_000), add(7, 2, b'S', 30, 5_100), delete(7, 1)].concat();
        let about = About { kind: Kind::L3, name: "the model".into(), without: vec!["speed".into()] };
        let (mut model, mut output) = (Model::default(), Vec::new());
        let built = add(7, 1, b'B', 100, 5_000).len();
        serve(&mut model, &about, &bytes, built, &b"pass\npass\ndigest\n"[..], &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["contestant 1 L3 the model", "without speed", "ready"]);
        assert!(lines[3].starts_with("pass 2 ") && lines[4].starts_with("pass 2 "), "{text}");
        assert_eq!(lines[5..], ["book 7 S 1 30 153000", "end"]);
    }

    #[test]
    fn a_pass_begins_empty_and_times_what_is_not_built() {
        /// Bytes taken in since it was emptied.
        #[derive(Default)]
        struct Counts(Vec<usize>);
        impl Contestant for Counts {
            fn clear(&mut self) {
                self.0.clear();
            }
            fn apply(&mut self, bytes: &[u8]) -> u64 {
                self.0.push(bytes.len());
                bytes.len() as u64
            }
            fn digest(&self) -> Digest {
                Digest::default()
            }
        }
        let mut counts = Counts::default();
        for (built, pieces) in [(3, [3, 7]), (3, [3, 7]), (99, [10, 0])] {
            assert_eq!(counts.pass(&[0; 10], built).messages, pieces[1] as u64);
            assert_eq!(counts.0, pieces);
        }
    }

    #[test]
    fn a_line_that_is_not_of_the_protocol_ends_it() {
        let about = About { kind: Kind::L2, name: "the model".into(), without: Vec::new() };
        let (mut model, mut output) = (Model::default(), Vec::new());
        let error = serve(&mut model, &about, &[], 0, &b"pas\n"[..], &mut output).unwrap_err();
        assert_eq!(error.to_string(), "`pass` or `digest`, not \"pas\"");
    }

    #[test]
    fn kinds_have_a_word_each() {
        for (kind, word) in Kind::ALL {
            assert_eq!((kind.word(), Kind::of(word)), (word, Some(kind)));
        }
        assert_eq!(Kind::of("l3"), None);
        assert!(Kind::L2.has_books() && !Kind::Decode.has_books());
    }
}
