//! What this program has beside a lane: readers of its tape that answer with commands. A new one has a field in each struct here.

use crate::detector::{self, Heard, Told, Watched};
use crate::rebalance::{self, Rebalance, Rebalanced};
use anyhow::{Context, Result};
use firelane_gateway::base::Mono;
use firelane_gateway::flow::CommandBuf;
use firelane_gateway::flow::command::Commander;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::live::{Handle, Observer};
use serde::Serialize;

/// Those of a lane whose time is virtual: they are waited for.
#[derive(Debug)]
pub(crate) struct Beside {
    heard: Heard,
    rebalance: Rebalance,
}

/// Those of a live lane, each on a thread of its own.
#[derive(Debug)]
pub(crate) struct BesideLive {
    watched: Option<Watched>,
    rebalanced: Option<Rebalanced>,
}

/// What they came to.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Reports {
    /// What the detector said; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detector: Option<detector::Report>,
    /// What the portfolio wanted; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) portfolio: Option<rebalance::Report>,
}

impl Beside {
    /// Of the lane of a configuration.
    pub(crate) fn of(config: &Config) -> Result<Self> {
        Ok(Beside { heard: Heard::of(config)?, rebalance: Rebalance::of(config)? })
    }

    /// A record of the tape. `tell` is told of alerts, with what they are called.
    pub(crate) fn on_record(&mut self, now: Mono, record: &[u8], tell: impl FnMut(&Told, &str)) {
        self.heard.on_record(now, record, tell);
        self.rebalance.on_record(now, record);
    }

    /// What is to be said to the lane since it was asked last.
    pub(crate) fn commands(&mut self) -> impl Iterator<Item = CommandBuf> + '_ {
        self.heard.commands().chain(self.rebalance.commands())
    }

    /// What they came to.
    pub(crate) fn reports(&self) -> Reports {
        Reports { detector: self.heard.report(), portfolio: self.rebalance.report() }
    }
}

impl BesideLive {
    /// Who commands besides the shell and whoever speaks over the control socket.
    pub(crate) const COMMANDERS: [Commander; 1] = [Commander::PORTFOLIO];

    /// Of a configuration.
    pub(crate) fn of(config: &Config) -> Result<Self> {
        Ok(BesideLive { watched: Watched::of(config)?, rebalanced: Rebalanced::of(config)? })
    }

    /// The same with a detector that somebody else keeps an eye on.
    #[cfg(test)]
    pub(crate) fn watched_by(watched: Watched) -> Self {
        BesideLive { watched: Some(watched), rebalanced: None }
    }

    /// What they hear the tape with.
    pub(crate) fn observers(&self) -> Vec<Box<dyn Observer>> {
        let watched = self.watched.clone().map(|watched| -> Box<dyn Observer> { Box::new(watched) });
        let portfolio = self.rebalanced.as_ref().map(|portfolio| -> Box<dyn Observer> { Box::new(portfolio.ear()) });
        watched.into_iter().chain(portfolio).collect()
    }

    /// From now on they command this lane.
    pub(crate) fn commands(&mut self, lane: &Handle) -> Result<()> {
        if let Some(watched) = &self.watched {
            watched.commands(lane);
        }
        let portfolio = self.rebalanced.as_mut().map_or(Ok(()), |portfolio| portfolio.commands(lane));
        portfolio.context("no thread for the portfolio")
    }

    /// What they came to.
    pub(crate) fn reports(&self) -> Reports {
        Reports {
            detector: self.watched.as_ref().and_then(Watched::report),
            portfolio: self.rebalanced.as_ref().map(Rebalanced::report),
        }
    }
}

impl Reports {
    /// For people: names with values and notes; none where there is nobody beside the lane.
    pub(crate) fn rows(&self) -> Vec<(String, u64, String)> {
        let detector = self.detector.iter().flat_map(detector::Report::rows);
        let detector = detector.map(|(name, value, note)| (name.to_owned(), value, note));
        detector.chain(self.portfolio.iter().flat_map(rebalance::Report::rows)).collect()
    }
}
