//! What a detector has said, heard from the tape: of one in the lane its own words, of one beside it those of the network that is run here.

use super::SIGNAL;
use crate::replay::group;
use anyhow::Result;
use firelane_gateway::base::{Digest, InstrumentId};
use firelane_gateway::flow::record::{Kind, RecordHeader, SignalBody};
use firelane_gateway::shell::config::Config;
pub(crate) use firelane_kernels::detector::tape::Told;
use firelane_kernels::detector::tape::{Beside, SEEN};
use firelane_kernels::detector::watcher::{LAGGING, Raised, WARM};
use firelane_kernels::detector::{Place, Settings};
use firelane_kernels::spikes::Software;
use serde::Serialize;
use std::collections::BTreeMap;
use zerocopy::FromBytes;

/// Hears the tape of a lane that has a detector, and counts its alerts.
#[derive(Debug)]
pub(crate) struct Tally {
    settings: Settings,
    place: Place,
    beside: Option<Beside<Software>>,
    alerts: BTreeMap<u32, u64>,
    lagging: u64,
    digest: Digest,
}

/// What a detector has said, in a report. The layout is stable: fields are added, never renamed or removed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// What it is called.
    name: String,
    /// "lane" or "beside".
    place: &'static str,
    /// Alerts by name.
    alerts: BTreeMap<String, u64>,
    /// Times that it said that it lags.
    lagging: u64,
    /// Of everything that it said, in hexadecimal: instrument, stamp, what. The same in the lane and beside it.
    digest: String,
    /// Of a network beside the lane, every count by its name; those of one in the lane are among the lane's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    counters: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Of the lane of a configuration; `None`: it has no detector.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>> {
        let Some((settings, place)) = super::of(config)? else { return Ok(None) };
        let beside = match place {
            Place::Lane => None,
            Place::Beside => Some(Beside::new(&settings, config.instruments, SIGNAL, Software::best)?),
        };
        let (alerts, digest) = (BTreeMap::new(), Digest::default());
        Ok(Some(Tally { settings, place, beside, alerts, lagging: 0, digest }))
    }

    /// A record of the tape, header and body. `tell` is told what the detector says, but of how it is doing.
    pub(crate) fn on_record(&mut self, record: &[u8], mut tell: impl FnMut(&Told)) {
        let mut heard = Vec::new();
        match &mut self.beside {
            Some(beside) => beside.on_record(record, |told| heard.push(told)),
            None => heard.extend(said(record)),
        }
        for told in heard {
            self.count(&told);
            if told.raised.code < LAGGING {
                tell(&told);
            }
        }
    }

    /// Records of the tape are missing.
    pub(crate) fn on_lost(&mut self, records: u64) {
        if let Some(beside) = &mut self.beside {
            beside.on_lost(records);
        }
    }

    fn count(&mut self, told: &Told) {
        let Told { instrument, at, raised: Raised { code, first, second }, .. } = *told;
        for value in [u64::from(instrument.0), at, u64::from(code), first.cast_unsigned(), second.cast_unsigned()] {
            self.digest.u64(value);
        }
        match code {
            LAGGING => self.lagging += 1,
            WARM => {}
            code => *self.alerts.entry(code).or_default() += 1,
        }
    }

    /// What an alert of this code is called, and for how long it holds an instrument: nanoseconds, 0 if it does not.
    pub(crate) fn meaning(&self, code: u32) -> (&str, u64) {
        let alert = (code as usize).checked_sub(1).and_then(|n| self.settings.alerts().get(n));
        alert.map_or(("?", 0), |alert| (&alert.name, if alert.gates { alert.hold } else { 0 }))
    }

    /// Does it hold instruments by commands, for its network is beside the lane?
    pub(crate) fn commands(&self) -> bool {
        self.place == Place::Beside && self.settings.alerts().iter().any(|alert| alert.gates)
    }

    pub(crate) fn report(&self) -> Report {
        let mut counters = BTreeMap::new();
        if let Some(beside) = &self.beside {
            beside.watcher().counters().each(&mut |name, value| {
                counters.insert(name, value);
            });
        }
        Report {
            name: self.settings.name().to_owned(),
            place: if self.place == Place::Lane { "lane" } else { "beside" },
            alerts: (1..)
                .zip(self.settings.alerts())
                .map(|(code, alert)| (alert.name.clone(), self.alerts.get(&code).copied().unwrap_or(0)))
                .collect(),
            lagging: self.lagging,
            digest: format!("{:016x}", self.digest.value()),
            counters,
        }
    }
}

impl Report {
    /// For people: names with values and notes; more of them where there is more to say.
    pub(crate) fn rows(&self) -> Vec<(&'static str, u64, String)> {
        let all: u64 = self.alerts.values().sum();
        let of = self.alerts.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{name} {}", group(*n)));
        let place = if self.place == "lane" { "in the lane" } else { "beside the lane" };
        let note = [format!("of {:?}, {place}", self.name)].into_iter().chain(of).collect::<Vec<_>>().join(", ");
        let mut rows = vec![("alerts", all, note)];
        if self.lagging > 0 {
            rows.push(("lagging", self.lagging, "silences longer than catch_up".to_owned()));
        }
        rows
    }
}

/// What a detector in the lane says in a record.
fn said(record: &[u8]) -> Option<Told> {
    let (header, body) = RecordHeader::ref_from_prefix(record).ok()?;
    if header.kind != Kind::Signal as u8 {
        return None;
    }
    let body = SignalBody::ref_from_bytes(body).ok()?;
    let raised = Raised { code: body.code.get(), first: body.first.get(), second: body.second.get() };
    let (instrument, at) = (InstrumentId(body.instrument.get()), body.at.get());
    let is_said = body.signal.get() == SIGNAL && raised.code < SEEN;
    is_said.then(|| Told { instrument, at, input: header.sequence.get(), raised })
}
