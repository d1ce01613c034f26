//! Readers of the tape within the process: each on a thread of its own, with a place of its own in the ring that the tape's
//! agent writes. One that is slow, or stuck, loses records of its own, which are counted; neither the tape nor the others
//! notice.

use super::LiveError;
use super::scribe::LOG_PATIENCE;
use crate::shell::agent::{Agent, AgentError, Ended, Idle, Runner};
use crate::shell::broadcast::{Begin, BroadcastReader, Got, Shared};
use crate::shell::sync::{Counter, Stop};
use std::time::{Duration, Instant};

/// Hears the tape, on a thread of its own.
///
/// Whoever would rather ask than be called reads [`Handle::tape`](super::Handle::tape) with a [`BroadcastReader`].
pub trait Observer: Send {
    /// Name of its thread, and what it is called where readers are shown.
    fn name(&self) -> &'static str {
        "observer"
    }

    /// A record, header and body.
    fn on_record(&mut self, record: &[u8]);

    /// It was too slow: so many records, and bytes of them, are missing between the last one and the next.
    fn on_lost(&mut self, records: u64, bytes: u64) {
        let _ = (records, bytes);
    }
}

/// Records of one duty cycle.
const BATCH: usize = 512;

/// An observer and its place in the ring.
struct Watcher {
    observer: Box<dyn Observer>,
    reader: BroadcastReader,
    lost: Counter,
}

impl Agent for Watcher {
    fn name(&self) -> &'static str {
        self.observer.name()
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        for done in 0..BATCH {
            match self.reader.read()? {
                Got::Record(record) => self.observer.on_record(record),
                Got::Lost { records, bytes } => {
                    self.lost.add(records);
                    self.observer.on_lost(records, bytes);
                }
                Got::Nothing | Got::End => return Ok(done),
            }
        }
        Ok(BATCH)
    }

    /// Whatever is left of a tape that has ended.
    fn on_close(&mut self) {
        while self.do_work().is_ok_and(|done| done > 0) {}
    }
}

/// All observers of a lane's tape.
pub(super) struct Readers {
    threads: Vec<Runner<Watcher>>,
    lost: Counter,
}

impl Readers {
    /// Starts them, before the tape begins.
    pub(super) fn start(observers: Vec<Box<dyn Observer>>, tape: &Shared) -> Result<Self, LiveError> {
        let lost = Counter::default();
        let start = |observer: Box<dyn Observer>| {
            let name = observer.name();
            let reader = BroadcastReader::new(tape.clone(), Begin::Oldest).map(|reader| reader.called(name));
            let reader = reader.ok_or(LiveError::Thread { name, error: std::io::ErrorKind::InvalidData.into() })?;
            let watcher = Watcher { observer, reader, lost: lost.clone() };
            Runner::start(watcher, Idle::Nap, None, Stop::new()).map_err(|error| LiveError::Thread { name, error })
        };
        let threads = observers.into_iter().map(start).collect::<Result<_, _>>()?;
        Ok(Readers { threads, lost })
    }

    /// After the tape has ended: each reads what is left. Nobody waits long for one that is stuck: whatever it has not heard
    /// by then counts as lost to it.
    pub(super) fn end(self, tape: &Shared) -> u64 {
        self.threads.iter().for_each(Runner::stop);
        let since = Instant::now();
        let mut unheard = 0;
        for thread in self.threads {
            while !thread.is_finished() && since.elapsed() < Duration::from_nanos(LOG_PATIENCE.0) {
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                let Ended { .. } = thread.join();
            } else {
                unheard += tape.readers().iter().find(|reader| reader.name == thread.name()).map_or(1, |r| r.behind);
            }
        }
        self.lost.value() + unheard
    }
}
