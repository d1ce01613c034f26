//! The detector of a live lane, on a thread of its own: its account, and its network where that is beside the lane.

use super::{Heard, Report};
use anyhow::Result;
use firelane_gateway::base::Mono;
use firelane_gateway::flow::record::RecordHeader;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::live::{Handle, Observer};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use zerocopy::FromBytes;

/// Hears the tape of a lane that has a detector.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    heard: Arc<Mutex<Heard>>,
    /// The lane that is told what holds.
    lane: Arc<OnceLock<Handle>>,
}

impl Watched {
    /// Of a configuration; `None`: it has no detector.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>> {
        let heard = Heard::of(config)?;
        let is_there = heard.report().is_some();
        Ok(is_there.then(|| Watched { heard: Arc::new(Mutex::new(heard)), lane: Arc::default() }))
    }

    /// Alerts that gate are told to this lane from now on.
    pub(crate) fn commands(&self, lane: &Handle) {
        // It is said once.
        let _set = self.lane.set(lane.clone());
    }

    /// What it comes to.
    pub(crate) fn report(&self) -> Option<Report> {
        self.heard().report()
    }

    /// What it hears the tape with. As long as somebody has it, the tape goes on without it.
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Watched {
    fn name(&self) -> &'static str {
        "detector"
    }

    fn on_record(&mut self, record: &[u8]) {
        let Ok((header, _)) = RecordHeader::ref_from_prefix(record) else { return };
        let mut heard = self.heard();
        heard.on_record(Mono(header.time.get()), record, |_, _| ());
        for command in heard.commands() {
            // A full inbox takes none: what holds is one alert of many, and the next one comes.
            let _taken = self.lane.get().is_some_and(|lane| lane.command(command));
        }
    }

    fn on_lost(&mut self, records: u64, _: u64) {
        self.heard().on_lost(records);
    }
}
