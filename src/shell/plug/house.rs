//! The parts of a lane that do not depend on what trades in it, built in one place from the configuration.

use super::BuildError;
use crate::base::{InstrumentTable, PerVenue, VenueId};
use crate::flow::book::{BookKind, Books};
use crate::flow::entry::OuchEntry;
use crate::flow::feed::Mold;
use crate::flow::itch_line::ItchLine;
use crate::flow::orders::Orders;
use crate::flow::risk::Gate;
use crate::flow::signal::Signal;
use crate::flow::strategy::Strategy;
use crate::flow::trading::Trading;
use crate::flow::venue::{Multicast, VenueParts};
use crate::flow::wiring::{Parts, Probe, Wiring};
use crate::shell::config::{Config, ConfigError};
use crate::shell::trace::StageProbe;
use std::marker::PhantomData;

/// Nasdaq equities: ITCH 5.0 over MoldUDP64 in, OUCH 5.0 over SoupBinTCP out; a signal and a strategy of one's own between
/// them.
#[derive(Debug)]
pub struct Nasdaq<G, S, P = StageProbe>(PhantomData<(G, S, P)>);

impl<G: Signal, S: Strategy<G>, P: Probe> Wiring for Nasdaq<G, S, P> {
    type Venue = Multicast<ItchLine, OuchEntry>;
    type Signal = G;
    type Strategy = S;
    type Probe = P;
}

/// What a plug builds its parts from: the configuration, and the parts that are the same whatever trades. Nothing is built
/// before it is asked for.
#[derive(Debug)]
pub struct House<'a, P = StageProbe> {
    config: &'a Config,
    probe: P,
}

impl<'a, P> House<'a, P> {
    /// Of a configuration, with who is told of the stages passed.
    pub fn new(config: &'a Config, probe: P) -> Self {
        House { config, probe }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &'a Config {
        self.config
    }

    /// For how many instruments a part must have room.
    #[must_use]
    pub fn instruments(&self) -> usize {
        self.config.instruments
    }

    /// What a lane has of the configured venue, as its venue number `venue`.
    ///
    /// # Errors
    /// [`BuildError`] naming the key.
    pub fn venue(&self, venue: VenueId) -> Result<VenueParts<Multicast<ItchLine, OuchEntry>>, BuildError> {
        let config = self.config;
        let feed = Mold::new(config.feed);
        Ok(VenueParts {
            feed: feed.map_err(|e| ConfigError::Limit { key: format!("feed.{}", e.field), allowed: e.allowed })?,
            line: ItchLine::new(config.day).at_offset(config.utc_offset_minutes).of(venue),
            books: Books::new(config.books),
            trading: Trading::new(config.trading, config.instruments),
            entry: OuchEntry::new(config.entry.clone())?,
        })
    }

    /// The whole lane: one venue, and these two.
    ///
    /// # Errors
    /// [`BuildError`] naming the key.
    pub fn with<G: Signal, S: Strategy<G>>(self, signal: G, strategy: S) -> Result<Parts<Nasdaq<G, S, P>>, BuildError>
    where
        P: Probe,
    {
        let (config, mut venue) = (self.config, self.venue(VenueId::FIRST)?);
        let instruments = InstrumentTable::new(&config.listed, config.instruments, config.directory);
        for id in config.of_levels.iter().filter_map(|(at, name)| instruments.find(*at, *name)) {
            venue.books.set_kind(id, BookKind::Levels);
        }
        Ok(Parts {
            lane: config.lane.number,
            tags: config.tags,
            venues: PerVenue::one(venue),
            gate: gate(config, &instruments)?,
            orders: Orders::new(&config.orders)?,
            instruments,
            signal,
            strategy,
            probe: self.probe,
            policy: config.policy,
        })
    }
}

/// The gate, with the limits of single symbols.
fn gate(config: &Config, instruments: &InstrumentTable) -> Result<Gate, BuildError> {
    let mut gate = Gate::new(&config.risk, config.instruments)?;
    gate.set_currencies(&config.currencies)?;
    for ((venue, name), limits) in &config.risk_of {
        let Some(id) = instruments.find(*venue, *name) else {
            let allowed =
                "the name of a symbol of instruments.listed or of an [[instrument]], for it has limits of its own";
            return Err(ConfigError::Limit { key: format!("risk.symbols.{name}"), allowed }.into());
        };
        gate.set_limits(id, *limits)?;
    }
    Ok(gate)
}
