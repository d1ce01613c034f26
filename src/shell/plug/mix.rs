//! Strategies and signals that combine by configuration.
//!
//! ```toml
//! strategies = ["maker", "taker"]
//! signals = ["imbalance"]
//! ```

use super::{AnyKind, Anywhere, BuildError, House, Nasdaq, Params, Plug, Table};
use crate::flow::mix::{AnySignal, AnyStrategy, Reads, Signals, Strategies};
use crate::flow::signal::Signal;
use crate::flow::strategy::Strategy;
use crate::flow::wiring::Parts;
use crate::shell::config::check::refuse;
use crate::shell::config::{Config, ConfigError, MIX};
use serde::Deserialize;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

/// A signal that strategies of a [`Mix`] may read.
pub trait SignalPlug: 'static {
    /// Its name in `signals`.
    const NAME: &'static str;
    /// Its parameters.
    type Params: Params;
    /// What it is.
    type Signal: Signal + Any + Send;

    /// Builds it.
    ///
    /// # Errors
    /// [`BuildError`] naming the key.
    fn signal(params: Self::Params, config: &Config) -> Result<Self::Signal, BuildError>;
}

/// A strategy of a [`Mix`].
pub trait StrategyPlug: 'static {
    /// Its name in `strategies`.
    const NAME: &'static str;
    /// Its parameters.
    type Params: Params;
    /// The signal that it reads, which must be among `signals`; `()` is always there.
    type Signal: Signal + Any;
    /// What it is.
    type Strategy: Strategy<Self::Signal> + Send + 'static;

    /// Builds it, for `config.instruments` instruments.
    ///
    /// # Errors
    /// [`BuildError`] naming the key.
    fn strategy(params: Self::Params, config: &Config) -> Result<Self::Strategy, BuildError>;
}

/// An entry of a catalogue, without its type.
#[derive(Clone, Copy)]
pub struct Entry<B> {
    name: &'static str,
    tables: fn() -> Vec<Table>,
    check: fn(&str) -> Result<(), ConfigError>,
    build: B,
}

impl<B> fmt::Debug for Entry<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// See [`signal`].
pub type SignalEntry = Entry<fn(&Config) -> Result<Box<dyn AnySignal>, BuildError>>;
/// See [`strategy`].
pub type StrategyEntry = Entry<fn(&Config, &Signals) -> Result<Box<dyn AnyStrategy>, BuildError>>;

/// The entry of a catalogue for a signal.
#[must_use]
pub const fn signal<P: SignalPlug>() -> SignalEntry {
    const {
        assert!(
            !P::Signal::BEFORE,
            "signals of a mix do not look at books ahead of events: all of them would pay for it"
        )
    };
    Entry {
        name: P::NAME,
        tables: P::Params::tables,
        check: |text| P::Params::read(text).map(|_| ()),
        build: |config| Ok(Box::new(P::signal(P::Params::read(&config.text)?, config)?)),
    }
}

/// The entry of a catalogue for a strategy.
#[must_use]
pub const fn strategy<P: StrategyPlug>() -> StrategyEntry {
    Entry {
        name: P::NAME,
        tables: P::Params::tables,
        check: |text| P::Params::read(text).map(|_| ()),
        build: |config, signals| {
            let strategy = P::strategy(P::Params::read(&config.text)?, config)?;
            let reads = Reads::<P::Signal, P::Strategy>::of(strategy, signals);
            let name = P::NAME;
            let lacks = || format!("signals lacks the one that the strategy {name:?} reads");
            Ok(Box::new(reads.ok_or_else(|| BuildError::Other(lacks().into()))?))
        },
    }
}

/// What can be combined, by name: a new signal or strategy is a line here.
pub trait Catalogue: 'static {
    /// Signals.
    const SIGNALS: &'static [SignalEntry];
    /// Strategies.
    const STRATEGIES: &'static [StrategyEntry];
}

/// What is combined, in this order: two keys at the top of the configuration.
#[derive(Clone, Default, Debug, Deserialize)]
#[serde(default)]
struct Names {
    strategies: Vec<String>,
    signals: Vec<String>,
}

/// The parameters of a [`Mix`]: what it combines, and the tables of all that can be combined.
#[derive(Clone, Debug)]
pub struct MixParams<C> {
    names: Names,
    catalogue: PhantomData<C>,
}

impl<C: Catalogue> Params for MixParams<C> {
    fn tables() -> Vec<Table> {
        let signals = C::SIGNALS.iter().flat_map(|entry| (entry.tables)());
        let strategies = C::STRATEGIES.iter().flat_map(|entry| (entry.tables)());
        signals.chain(strategies).collect()
    }

    fn read(text: &str) -> Result<Self, ConfigError> {
        C::SIGNALS.iter().try_for_each(|entry| (entry.check)(text))?;
        C::STRATEGIES.iter().try_for_each(|entry| (entry.check)(text))?;
        let names: Names = toml::from_str(text)?;
        chosen("signals", &names.signals, C::SIGNALS)?;
        chosen("strategies", &names.strategies, C::STRATEGIES)?;
        Ok(MixParams { names, catalogue: PhantomData })
    }
}

/// Those that are named, in their order, each once.
fn chosen<B>(key: &str, names: &[String], from: &'static [Entry<B>]) -> Result<Vec<&'static Entry<B>>, ConfigError> {
    let mut all: Vec<&Entry<B>> = Vec::new();
    for name in names {
        let Some(entry) = from.iter().find(|entry| entry.name == name) else {
            let known: Vec<String> = from.iter().map(|entry| format!("{:?}", entry.name)).collect();
            return Err(ConfigError::Name { key: key.to_owned(), name: name.clone(), known: known.join(", ") });
        };
        if all.iter().any(|other| other.name == entry.name) {
            return Err(refuse(key, format!("{names:?}"), "a list in which nothing stands twice"));
        }
        all.push(entry);
    }
    Ok(all)
}

/// Strategies of a catalogue side by side, as the configuration names them, with the signals that they read. An event costs
/// a virtual call for each of them: whoever wants none writes a [`Plug`] of a pair.
#[derive(Debug)]
pub struct Mix<C>(PhantomData<C>);

impl<C: Catalogue> Plug for Mix<C> {
    const NAME: &'static str = MIX;
    const ABOUT: &'static str = "combines the strategies and signals that are named below";
    type Params = MixParams<C>;
    type Wiring = Nasdaq<Signals, Strategies>;

    fn parts(params: Self::Params, house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
        let (signals, strategies) = params.combined(house.config())?;
        house.with(signals, strategies)
    }
}

impl<C: Catalogue> Anywhere for Mix<C> {
    type Any = AnyKind<Signals, Strategies>;

    fn parts_anywhere(params: Self::Params, house: House<'_>) -> Result<Parts<Self::Any>, BuildError> {
        let (signals, strategies) = params.combined(house.config())?;
        house.with_any(signals, strategies)
    }
}

impl<C: Catalogue> MixParams<C> {
    /// What is named, built.
    ///
    /// # Errors
    /// [`BuildError`] naming the key.
    pub fn combined(self, config: &Config) -> Result<(Signals, Strategies), BuildError> {
        let Names { strategies, signals } = self.names;
        if strategies.is_empty() {
            let one = "a list of at least one";
            return Err(ConfigError::Limit { key: "strategies".to_owned(), allowed: one }.into());
        }
        let signals = chosen("signals", &signals, C::SIGNALS)?.into_iter().map(|entry| (entry.build)(config));
        let mut signals = signals.collect::<Result<Vec<_>, _>>()?;
        // For strategies that read none.
        signals.push(Box::new(()));
        let signals = Signals::new(signals)?;
        let strategies = chosen("strategies", &strategies, C::STRATEGIES)?.into_iter();
        let strategies = strategies.map(|entry| (entry.build)(config, &signals)).collect::<Result<Vec<_>, _>>()?;
        Ok((signals, Strategies::new(strategies)?))
    }
}
