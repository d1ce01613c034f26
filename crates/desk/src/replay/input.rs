//! A recorded file whole, in memory: for what plays it more than once, or on a clock of its own.

use crate::cli::dash;
use crate::progress;
use anyhow::{Context, Result, bail};
use firelane_gateway::base::{InstrumentTable, VenueRef};
use firelane_gateway::flow::book::BookCapacity;
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::{MarketLine, Peek};
use firelane_gateway::flow::wire::itch50;
use firelane_sim::capture::{Batch, Ending, Mark, Stream, binary_file};
use std::collections::HashMap;
use std::io;
use std::path::Path;

/// Messages behind two-byte lengths, as in a BinaryFILE.
pub(crate) struct Recording {
    bytes: Vec<u8>,
    /// Numbers (from 0) of the messages before which others are missing.
    losses: Vec<u64>,
}

impl Recording {
    /// Of what was read already the first so many messages.
    pub(super) fn of(batches: &[Batch], messages: u64) -> Recording {
        let mut bytes = Vec::with_capacity(batches.iter().map(|batch| batch.bytes().len()).sum());
        let (mut losses, mut number) = (Vec::new(), 0);
        for batch in batches {
            let mut marks = batch.marks().iter().peekable();
            let mut walk = binary_file::Messages::new(batch.bytes());
            loop {
                while let Some((_, mark)) = marks.next_if(|(at, _)| *at <= walk.offset()) {
                    if matches!(mark, Mark::Lost(_)) {
                        losses.push(number);
                    }
                }
                if number == messages || walk.next().is_none() {
                    break;
                }
                number += 1;
            }
            bytes.extend_from_slice(batch.bytes().get(..walk.offset()).unwrap_or_default());
        }
        losses.dedup();
        Recording { bytes, losses }
    }

    /// Gives each message the locate of the symbol, or of the order, that it is about: an order's reference is unique
    /// over the day, and a lane goes by locates. Symbols are numbered as they come.
    pub(super) fn relocate(&mut self) {
        let (mut line, mut symbols) = (ItchLine::new(0), InstrumentTable::new(&[], usize::from(u16::MAX) - 1, true));
        let mut orders: HashMap<VenueRef, u16> = HashMap::new();
        let mut rest = self.bytes.as_mut_slice();
        while let Some((length, after)) = rest.split_first_chunk_mut::<2>() {
            let Some((message, after)) = after.split_at_mut_checked(u16::from_be_bytes(*length).into()) else { break };
            rest = after;
            let order = ItchLine::peek_order(message);
            let named = match message.first() {
                Some(b'E' | b'C' | b'X' | b'D' | b'U') => order.and_then(|order| orders.get(&order).copied()),
                _ => {
                    let event = line.decode(message, &mut symbols).ok();
                    event.and_then(|event| event.instrument).and_then(|id| u16::try_from(id.0 + 1).ok())
                }
            };
            let Some(locate) = named else { continue };
            match (message.first(), order) {
                (Some(b'A' | b'F'), Some(order)) => drop(orders.insert(order, locate)),
                (Some(b'U'), _) => {
                    let new = message.get(19..27).and_then(<[u8]>::first_chunk).map(|new| u64::from_be_bytes(*new));
                    new.map(|new| orders.insert(VenueRef(new), locate));
                }
                _ => {}
            }
            if let Some(place) = message.get_mut(1..3) {
                place.copy_from_slice(&locate.to_be_bytes());
            }
        }
    }

    /// Numbers (from 0) of the messages before which others are missing.
    pub(super) fn losses(&self) -> &[u64] {
        &self.losses
    }

    /// The messages in order.
    pub(crate) fn messages(&self) -> binary_file::Messages<'_> {
        binary_file::Messages::new(&self.bytes)
    }

    /// The messages with their length prefixes, for good.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Room for all that the messages can hold, of one symbol or of all, told by their length alone: only an add leaves
    /// one more order resting, perhaps on a level of its own, and takes 38 bytes with its length; the shortest message
    /// that names a symbol takes 22. Beyond the bounds, some times what a real day needs, `no_room` is counted.
    pub(crate) fn capacity(&self, one_symbol: bool) -> BookCapacity {
        const ADD: usize = 38;
        const NAMING: usize = 22;
        let adds = self.bytes.len() / ADD + 1;
        let named = self.bytes.len() / NAMING + 1;
        let instruments = if one_symbol { 1 } else { named.clamp(64, 16_384) };
        BookCapacity { instruments, orders: adds.clamp(64, 6_000_000), levels: adds.clamp(64, 3_000_000), own: 1 }
    }
}

/// Opens a file, or standard input for `-`.
pub(super) fn open(path: &Path) -> Result<Stream> {
    let stream = if dash(path) { Stream::of(io::stdin(), None) } else { Stream::open(path) };
    stream.with_context(|| path.display().to_string())
}

/// Why nothing of a file can be used.
pub(super) fn nothing_in(path: &Path, looks_like: &str) -> String {
    format!(
        "{}: nothing in it can be used: it is {looks_like}; what is read are messages of ITCH 5.0, in a BinaryFILE \
         (.itch) or in MoldUDP64 packets (pcap, pcapng), plain or packed with gzip, xz or zstd",
        path.display()
    )
}

/// Loads a file of either kind. One that breaks off is taken as far as it goes.
pub(crate) fn load(path: &Path) -> Result<Recording> {
    let spinner = progress::spinner("reading");
    let mut stream = open(path)?;
    let mut batch = Batch::default();
    while stream.fill(&mut batch) {}
    spinner.finish_and_clear();
    let looks_like = stream.looks_like();
    if let Ending::Damaged(error) = stream.into_ending() {
        return Err(error).with_context(|| path.display().to_string());
    }
    let recording = Recording { bytes: batch.into_bytes(), losses: Vec::new() };
    if !recording.messages().any(|message| message.is_ok_and(|message| itch50::check(message).is_ok())) {
        bail!(nothing_in(path, looks_like));
    }
    Ok(recording)
}
