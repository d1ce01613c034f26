//! A detector that watches the books of a recorded day as it would in a lane.

use firelane_gateway::base::{InstrumentId, Symbol};
use firelane_gateway::flow::book::BookRef;
use firelane_gateway::flow::event::Event;
use firelane_kernels::detector::encoder::{Encoder, RATE, RESTART};
use firelane_kernels::detector::watcher::Watcher;
use firelane_kernels::detector::{DetectorError, Settings};
use firelane_kernels::spikes::Software;

/// Encoder and networks, and what they have said since somebody asked.
pub(super) struct Observer {
    encoder: Encoder,
    watcher: Watcher<Software>,
    /// Alerts as packed records, whose layout `python/firelane/detect.py` has as a NumPy type.
    pub(super) alerts: Vec<u8>,
    /// Of each row that a network heard of: its number, and whether it started over there.
    pub(super) heard: Vec<[i64; 2]>,
    /// Each spike: the row's number, input, unit, value.
    pub(super) spikes: Vec<[i64; 4]>,
}

impl Observer {
    pub(super) fn new(settings: &Settings, instruments: usize) -> Result<Self, DetectorError> {
        Ok(Observer {
            encoder: Encoder::new(settings, instruments),
            watcher: Watcher::new(settings, instruments, Software::best)?,
            alerts: Vec::new(),
            heard: Vec::new(),
            spikes: Vec::new(),
        })
    }

    /// Ahead of an event.
    pub(super) fn before(&mut self, id: InstrumentId, event: &Event, book: BookRef<'_>) {
        self.encoder.before(id, event, book);
    }

    /// Behind it; `row`: the one that it made.
    pub(super) fn after(
        &mut self,
        id: InstrumentId,
        event: &Event,
        book: BookRef<'_>,
        symbol: Option<Symbol>,
        row: Option<usize>,
    ) {
        let Some(seen) = self.encoder.on_event(id, event, book) else { return };
        let at = event.at.ns_since_midnight();
        if let Some(row) = row {
            let row = row as i64;
            self.heard.push([row, seen.first().is_some_and(|first| first.node == RESTART).into()]);
            let spikes = seen.iter().filter(|spike| spike.node != RATE && spike.node != RESTART);
            self.spikes.extend(spikes.map(|spike| [row, spike.node.into(), spike.unit.into(), spike.value.into()]));
        }
        self.watcher.on_seen(id, at, seen);
        for raised in self.watcher.raised() {
            let out = &mut self.alerts;
            out.extend(at.to_ne_bytes());
            out.extend(raised.first.to_ne_bytes());
            out.extend(raised.second.to_ne_bytes());
            out.extend(raised.code.to_ne_bytes());
            out.extend(symbol.map_or([0; 8], |symbol| symbol.0.map(|byte| if byte == b' ' { 0 } else { byte })));
        }
    }

    /// Each count by its name.
    pub(super) fn counters(&self, mut put: impl FnMut(&'static str, u64)) {
        self.watcher.counters().each(&mut put);
    }
}
