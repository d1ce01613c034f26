//! A spiking detector in a lane of this program: its table of the configuration, its lanes, and whether it fits.
//!
//! `[detector]` names a file, or holds its document ([`crate::settings::documents`]). Where one is there the lane is built of the same parts as a mix, with the detector as one more signal, and its
//! strategies may be held back.

mod heard;
mod ledger;
mod watched;

pub(crate) use heard::Heard;
pub(crate) use ledger::{Report, Tally, Told};
pub(crate) use watched::Watched;

use crate::rebalance::{self, PortfolioParams};
use anyhow::{Result, bail};
use firelane_gateway::base::InstrumentId;
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::mix::{AnySignal, MOST, Reads, Signals, Strategies};
use firelane_gateway::flow::signal::{Imbalance, Signal};
use firelane_gateway::flow::strategy::Gated;
use firelane_gateway::shell::config::{Config, ConfigError};
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::plug::mix::{Catalogue, MixParams, StrategyPlug};
use firelane_gateway::shell::plug::{Addition, BuildError, House, Params};
use firelane_gateway::shell::plugs::{ImbalanceParams, Listener, Maker, Taker, Tracker};
use firelane_gateway::shell::trace::StageProbe;
use firelane_kernels::detector::encoder::RATE;
use firelane_kernels::detector::file::{Coding, Time, whole};
use firelane_kernels::detector::watcher::Watcher;
use firelane_kernels::detector::{Detector, Place, Settings};
use firelane_kernels::spikes::{Software, Spike};
use std::path::Path;
use std::time::Instant;

/// The detector's number among the signals of its lane: a mix keeps the ones before it.
pub(crate) const SIGNAL: u16 = MOST;

firelane_gateway::params! {
    /// a spiking network that watches order flow: docs/spikes.md
    pub struct DetectorParams in "detector" {
        /// its file; none: no detector (--detector FILE says the same)
        file: String = String::new(),
        /// its network runs in the "lane", or "beside" it, in a reader of the tape
        place: String = "lane".to_owned(),
        /// most nanoseconds of a step in the lane, measured at start: 1 to 1000000
        budget_ns: u64 = 1_000,
        /// in place of the file, all of it; a log has it so
        document: String = String::new(),
    }
    check = |params| params.checked().map(|_| ());
}

/// What is wrong with a key of the table.
fn wrong(key: &str, message: impl Into<String>) -> ConfigError {
    ConfigError::Key { key: format!("detector.{key}"), message: message.into() }
}

impl DetectorParams {
    /// What it is and where it runs, if there is one.
    fn checked(&self) -> Result<Option<(Settings, Place)>, ConfigError> {
        let place = match self.place.as_str() {
            "lane" => Place::Lane,
            "beside" => Place::Beside,
            other => return Err(wrong("place", format!("is {other:?}; it must be \"lane\" or \"beside\""))),
        };
        if !(1..=1_000_000).contains(&self.budget_ns) {
            return Err(wrong("budget_ns", format!("is {}; it must be 1 to 1000000", self.budget_ns)));
        }
        if self.document.is_empty() {
            let unread = "names a file that nobody has read: firelane reads it where a configuration is";
            return if self.file.is_empty() { Ok(None) } else { Err(wrong("file", unread)) };
        }
        let settings = Settings::parse(&self.document).map_err(|error| wrong("document", error.to_string()))?;
        Ok(Some((settings, place)))
    }
}

/// The detector of a configuration, if it has one.
pub(crate) fn of(config: &Config) -> Result<Option<(Settings, Place)>, ConfigError> {
    DetectorParams::read(&config.text)?.checked()
}

/// What a detector's file says, with its network in it: a network's file is looked for where the detector's is.
pub(crate) fn document_of(file: &Path) -> Result<String> {
    let beside = |network: &str| {
        let path = file.parent().map_or(network.into(), |folder| folder.join(network));
        std::fs::read_to_string(path)
    };
    let document = whole(&std::fs::read_to_string(file)?, beside)?;
    Settings::parse(&document)?;
    Ok(document)
}

/// What a plug is as a mix: signals, and strategies that read them.
pub(crate) trait Combined: 'static {
    /// Builds them.
    fn combined(config: &Config) -> Result<(Signals, Strategies), BuildError>;
}

/// One strategy with the signal of the house.
fn one<P: StrategyPlug>(config: &Config) -> Result<(Signals, Strategies), BuildError> {
    let signals = leaning(config)?;
    let strategy = P::strategy(P::Params::read(&config.text)?, config)?;
    let lacks = || BuildError::Other(format!("{:?} reads a signal that is not there", P::NAME).into());
    let reads = Reads::<P::Signal, P::Strategy>::of(strategy, &signals).ok_or_else(lacks)?;
    Ok((signals, Strategies::new(vec![Box::new(reads)])?))
}

fn leaning(config: &Config) -> Result<Signals, BuildError> {
    let params = ImbalanceParams::read(&config.text)?;
    let leaning: Box<dyn AnySignal> = Box::new(Imbalance::new(&params.config())?);
    Ok(Signals::new(vec![leaning])?)
}

impl Combined for Taker {
    fn combined(config: &Config) -> Result<(Signals, Strategies), BuildError> {
        one::<Taker>(config)
    }
}

impl Combined for Maker {
    fn combined(config: &Config) -> Result<(Signals, Strategies), BuildError> {
        one::<Maker>(config)
    }
}

impl Combined for Tracker {
    fn combined(config: &Config) -> Result<(Signals, Strategies), BuildError> {
        one::<Tracker>(config)
    }
}

impl Combined for Listener {
    fn combined(config: &Config) -> Result<(Signals, Strategies), BuildError> {
        Ok((leaning(config)?, Strategies::new(Vec::new())?))
    }
}

/// A mix of a catalogue.
#[derive(Debug)]
pub(crate) struct Mixed<C>(std::marker::PhantomData<C>);

impl<C: Catalogue> Combined for Mixed<C> {
    fn combined(config: &Config) -> Result<(Signals, Strategies), BuildError> {
        MixParams::<C>::read(&config.text)?.combined(config)
    }
}

/// What a plug of the list needs to have a detector; and the table of a portfolio beside it, which no lane is built otherwise for.
pub(crate) const fn addition<P: Combined>() -> Addition {
    Addition {
        tables: <(DetectorParams, PortfolioParams)>::tables,
        check: |text| <(DetectorParams, PortfolioParams)>::read(text).map(|_| ()),
        build: |config, probe| match rebalance::of(config).and_then(|_| of(config)) {
            Ok(None) => None,
            Ok(Some((settings, place))) => Some(build::<P>(config, &settings, place, probe)),
            Err(error) => Some(Err(error.into())),
        },
    }
}

/// The lane of a plug, watched. One type for all of them: what trades is found at run time, as in a mix.
fn build<P: Combined>(
    config: &Config,
    settings: &Settings,
    place: Place,
    probe: StageProbe,
) -> Result<Box<dyn Lane>, BuildError> {
    const { assert!(Signals::COUNT == SIGNAL) };
    let (signals, strategies) = P::combined(config)?;
    let detector = Detector::new(settings, place, config.instruments);
    let detector = detector.map_err(|error| BuildError::Other(error.to_string().into()))?;
    let gated = Gated::new(strategies, config.instruments);
    Ok(Box::new(Gateway::new(House::new(config, probe).with_any((signals, detector), gated)?)?))
}

/// Steps of a turn, and turns: the fastest one counts, for machines with neighbours.
const STEPS: u32 = 200;
const TURNS: u32 = 25;

/// Refuses a detector in the lane whose step takes longer here than its budget, and says what to do.
pub(crate) fn within_budget(config: &Config) -> Result<()> {
    let params = DetectorParams::read(&config.text)?;
    let Some((settings, Place::Lane)) = params.checked()? else { return Ok(()) };
    let took = step_ns(&settings)?;
    if took > params.budget_ns {
        bail!(
            "detector: a step of {:?} takes {took} ns here, and detector.budget_ns is {}: --set detector.place=beside runs it beside the \
             lane; or allow more",
            settings.name(),
            params.budget_ns
        );
    }
    Ok(())
}

/// What a step takes on this machine, nanoseconds: every event one step, with what an event can make.
fn step_ns(settings: &Settings) -> Result<u64> {
    let mut watcher = Watcher::new(settings, 1, Software::best)?;
    let units = settings.address().map_or(1, |address| address.units() as u32);
    let dt = match settings.time() {
        Time::Dt(dt) => dt,
        Time::Event => 1,
    };
    let mut seen = Vec::new();
    let (mut at, mut best) = (0, u64::MAX);
    for _ in 0..TURNS {
        let began = Instant::now();
        for step in 0..STEPS {
            seen.clear();
            if let Some(address) = settings.address() {
                seen.push(Spike::of(address.input, (step.wrapping_mul(7) % units) as u16));
            }
            for (n, channel) in settings.channels().iter().enumerate() {
                seen.push(match channel.coding {
                    Coding::Delta { .. } => Spike::of(channel.input, channel.unit + (step % 2) as u16),
                    Coding::Rate { .. } => Spike { node: RATE, unit: n as u16, value: 1 << 13 },
                });
            }
            watcher.on_seen(InstrumentId(0), at, &seen);
            at += dt;
        }
        best = best.min(began.elapsed().as_nanos() as u64 / u64::from(STEPS));
    }
    Ok(best)
}

#[cfg(test)]
mod tests;
