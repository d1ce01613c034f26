//! What a detector beside the lane is told, as records of the tape, and the reader that runs its network there.
//!
//! Of each event that the encoder has seen, records of [`Kind::Signal`] with what was seen, two spikes each: `first` and
//! `second` hold node and unit in their upper 32 bits (16 each) and the value in the lower ones; the code is [`SEEN`] plus how many
//! of the two there are, and of the last record of an event, [`LAST`] more.

use super::encoder::MOST;
use super::file::{DetectorError, Settings};
use super::watcher::{Raised, Watcher};
use crate::spikes::Device;
use crate::spikes::Spike;
use firelane_gateway::base::InstrumentId;
use firelane_gateway::flow::record::{Kind, RecordHeader, SignalBody};
use firelane_gateway::flow::signal::Said;
use zerocopy::FromBytes;

/// As a code: something was seen; plus 0, 1 or 2 spikes.
pub const SEEN: u32 = 2_000;
/// Of the last record of an event, the code is so much more.
pub const LAST: u32 = 16;

fn packed(spike: Option<&Spike>) -> i64 {
    spike.map_or(0, |spike| {
        let unit = u64::from(spike.node) << 48 | u64::from(spike.unit) << 32;
        (unit | u64::from(spike.value.cast_unsigned())).cast_signed()
    })
}

fn unpacked(value: i64) -> Spike {
    let bits = value.cast_unsigned();
    Spike { node: (bits >> 48) as u16, unit: (bits >> 32) as u16, value: (bits as u32).cast_signed() }
}

/// Writes what was seen of an event. What is seen of nothing is a record, too: it is a step.
pub(super) fn write(instrument: InstrumentId, seen: &[Spike], say: &mut Said<'_>) {
    let mut rest = seen;
    loop {
        let (pair, behind) = rest.split_at(rest.len().min(2));
        let last = if behind.is_empty() { LAST } else { 0 };
        let code = SEEN + pair.len() as u32 + last;
        say.say(Some(instrument), code, packed(pair.first()), packed(pair.get(1)));
        if last != 0 {
            return;
        }
        rest = behind;
    }
}

/// What a reader is told of a detector beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// The stamp of the event that it comes with: nanoseconds since midnight, exchange time.
    pub at: u64,
    /// The input of the lane that it comes with.
    pub input: u64,
    /// What.
    pub raised: Raised,
}

/// A detector's network beside the lane: it is handed the records of a tape, in their order.
#[derive(Debug)]
pub struct Beside<D> {
    watcher: Watcher<D>,
    /// Which of the lane's signals the encoder is.
    signal: u16,
    /// What was seen of the event at hand so far.
    seen: [Spike; MOST],
    len: usize,
    /// Behind a loss, up to the end of an event: what comes is its rest.
    torn: bool,
}

impl<D: Device> Beside<D> {
    /// For instruments 0 to `instruments` - 1, where the encoder is signal number `signal` of its lane.
    ///
    /// # Errors
    /// [`DetectorError`]: the device can't take the program.
    pub fn new(
        settings: &Settings,
        instruments: usize,
        signal: u16,
        device: impl Fn() -> D,
    ) -> Result<Self, DetectorError> {
        let watcher = Watcher::new(settings, instruments, device)?;
        Ok(Beside { watcher, signal, seen: [Spike::default(); MOST], len: 0, torn: false })
    }

    /// A record, header and body; `tell` is told what is raised. One of another kind, or of another signal, says nothing.
    pub fn on_record(&mut self, record: &[u8], mut tell: impl FnMut(Told)) {
        let Ok((header, body)) = RecordHeader::ref_from_prefix(record) else { return };
        if header.kind != Kind::Signal as u8 {
            return;
        }
        let Ok(body) = SignalBody::ref_from_bytes(body) else { return };
        let code = body.code.get().wrapping_sub(SEEN);
        let (is_last, count) = (code & LAST != 0, (code & !LAST) as usize);
        if body.signal.get() != self.signal || count > 2 {
            return;
        }
        for value in [body.first.get(), body.second.get()].into_iter().take(count) {
            if let Some(place) = self.seen.get_mut(self.len) {
                *place = unpacked(value);
                self.len += 1;
            }
        }
        if !is_last {
            return;
        }
        let (seen, torn) = (std::mem::take(&mut self.len), std::mem::take(&mut self.torn));
        if torn {
            return;
        }
        let (instrument, at, input) = (InstrumentId(body.instrument.get()), body.at.get(), header.sequence.get());
        self.watcher.on_seen(instrument, at, self.seen.get(..seen).unwrap_or_default());
        self.watcher.raised().iter().for_each(|&raised| tell(Told { instrument, at, input, raised }));
    }

    /// Records are missing between the last one and the next: every network starts over, and raises nothing until it is warm.
    pub fn on_lost(&mut self, records: u64) {
        (self.len, self.torn) = (0, true);
        self.watcher.on_lost(records);
    }

    /// Its networks.
    #[must_use]
    pub fn watcher(&self) -> &Watcher<D> {
        &self.watcher
    }
}
