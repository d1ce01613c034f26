//! A recorded file whole, in memory: for what plays it more than once, or on a clock of its own.

use crate::progress;
use anyhow::{Context, Result, bail};
use firelane_gateway::flow::book::BookCapacity;
use firelane_gateway::flow::wire::itch50;
use firelane_sim::capture::{Batch, Ending, Stream, binary_file};
use std::io;
use std::path::Path;

/// Messages behind two-byte lengths, as in a BinaryFILE.
pub(crate) struct Recording {
    bytes: Vec<u8>,
}

impl Recording {
    /// What was read already.
    pub(super) fn of(batches: &[Batch]) -> Recording {
        let mut bytes = Vec::with_capacity(batches.iter().map(|batch| batch.bytes().len()).sum());
        batches.iter().for_each(|batch| bytes.extend_from_slice(batch.bytes()));
        Recording { bytes }
    }

    /// The messages in order.
    pub(crate) fn messages(&self) -> binary_file::Messages<'_> {
        binary_file::Messages::new(&self.bytes)
    }

    /// The messages with their length prefixes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, for good.
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
    let stream = if path == Path::new("-") { Stream::of(io::stdin(), None) } else { Stream::open(path) };
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
    let recording = Recording { bytes: batch.into_bytes() };
    if !recording.messages().any(|message| message.is_ok_and(|message| itch50::check(message).is_ok())) {
        bail!(nothing_in(path, looks_like));
    }
    Ok(recording)
}
