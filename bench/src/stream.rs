//! Where messages come from: a recorded file, or a made market.

use crate::market::{Market, Stream, market, messages};
use anyhow::{Context, Result, ensure};
use firelane_gateway::base::{ExchangeTime, Symbol};
use firelane_gateway::flow::wire::itch50::codes;
use firelane_sim::capture::{self, Format};
use firelane_sim::venue::announce::{Line, Tape};
use std::path::Path;

/// A recorded BinaryFILE, packed or not.
///
/// # Errors
/// If it can't be read, or is a packet capture.
pub fn file(path: &Path) -> Result<Stream> {
    let bytes = capture::read_all(path).with_context(|| path.display().to_string())?;
    ensure!(Format::of(&bytes) == Format::BinaryFile, "{}: not a BinaryFILE (.itch)", path.display());
    Ok(Stream { bytes, built: 0 })
}

/// Walks the messages of a BinaryFILE image. The length of the message after next is read before a message is given
/// out: it need not wait until the processor has found out which way the message's reader went.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Walk<'a> {
    /// From the first message on.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut walk = Walk { rest: bytes, length: 0 };
        walk.read_length();
        walk
    }

    #[inline(always)]
    fn read_length(&mut self) {
        match self.rest.split_first_chunk::<2>() {
            Some((prefix, rest)) => (self.rest, self.length) = (rest, usize::from(u16::from_be_bytes(*prefix))),
            None => self.length = usize::MAX,
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (message, rest) = self.rest.split_at_checked(self.length)?;
        self.rest = rest;
        self.read_length();
        Some(message)
    }
}

/// A made market that is open for trading, and whose first orders come before it opens: what a lane needs to send orders.
///
/// # Panics
/// Never: what it calls the symbols fits.
#[must_use]
pub fn open(of: Market) -> Stream {
    let made = market(of);
    let mut tape = Tape::default();
    let lines: Vec<Line> = (1..=of.symbols)
        .map(|locate| Line { locate, symbol: Symbol::new(&format!("S{locate:05}")).expect("six letters") })
        .collect();
    // The made market begins at half past nine.
    let now = ExchangeTime::new(0, 34_199_000_000_000);
    tape.event(now, codes::event::START_OF_MESSAGES);
    tape.event(now, codes::event::START_OF_SYSTEM_HOURS);
    for line in &lines {
        tape.directory(now, *line, 100, codes::authenticity::LIVE);
        tape.trading_state(now, *line, codes::trading_state::TRADING, *b"    ");
    }
    let mut bytes = Vec::with_capacity(made.bytes.len() + 128 * lines.len());
    let (built, timed) = made.bytes.split_at(made.built);
    let mut put = |messages: Vec<Vec<u8>>| {
        messages.iter().for_each(|message| {
            bytes.extend_from_slice(&u16::try_from(message.len()).unwrap_or(0).to_be_bytes());
            bytes.extend_from_slice(message);
        });
    };
    put(tape.take());
    put(messages(built).map(<[u8]>::to_vec).collect());
    tape.event(messages(built).last().map_or(now, time), codes::event::START_OF_MARKET_HOURS);
    put(tape.take());
    let built = bytes.len();
    bytes.extend_from_slice(timed);
    Stream { bytes, built }
}

/// When a message was sent.
fn time(message: &[u8]) -> ExchangeTime {
    let ns = message.get(5..11).unwrap_or_default().iter().fold(0, |ns, byte| ns << 8 | u64::from(*byte));
    ExchangeTime::new(0, ns)
}

/// The file, or without one a made market.
///
/// # Errors
/// Those of [`file()`].
pub fn of(path: Option<&Path>, otherwise: Market) -> Result<Stream> {
    path.map_or_else(|| Ok(market(otherwise)), file)
}
