//! The parts of a lane that do not depend on what trades in it, built in one place from the configuration.

use super::BuildError;
use crate::base::{InstrumentTable, VenueId};
use crate::flow::book::{BookKind, Books};
use crate::flow::either::Either;
use crate::flow::entry::OuchEntry;
use crate::flow::feed::{Direct, Feed, Mold};
use crate::flow::itch_line::ItchLine;
use crate::flow::market::MarketLine;
use crate::flow::normal_line::NormalLine;
use crate::flow::orders::Orders;
use crate::flow::risk::Gate;
use crate::flow::signal::Signal;
use crate::flow::strategy::Strategy;
use crate::flow::trading::Trading;
use crate::flow::venue::{Multicast, Venue, VenueParts};
use crate::flow::wiring::{Parts, Probe, Wiring};
use crate::shell::config::check::refuse;
use crate::shell::config::{Config, ConfigError, VenueConfig, VenueKind};
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

/// Venues of any kind that the house speaks: each as its `[[venue]]` says. A comparison for each message, beside [`Nasdaq`].
#[derive(Debug)]
pub struct AnyKind<G, S, P = StageProbe>(PhantomData<(G, S, P)>);

impl<G: Signal, S: Strategy<G>, P: Probe> Wiring for AnyKind<G, S, P> {
    type Venue = OfAnyKind;
    type Signal = G;
    type Strategy = S;
    type Probe = P;
}

/// The ends of a venue of kind `"nasdaq"`.
pub type OfNasdaq = Multicast<ItchLine, OuchEntry>;
/// Of one of kind `"levels"`.
pub type OfLevels = (Direct<NormalLine>, NormalLine, OuchEntry);
/// Of one whose kind the configuration says.
pub type OfAnyKind = (Either<Mold<ItchLine>, Direct<NormalLine>>, Either<ItchLine, NormalLine>, OuchEntry);

/// Ends of a venue that a configuration describes.
pub trait Ends: Venue + Sized {
    /// What a lane has of the venue of that number. Everything is allocated here.
    ///
    /// # Errors
    /// [`BuildError`] naming the key: there is no such venue, it speaks something else, or a part refuses a value.
    fn of(config: &Config, venue: VenueId) -> Result<VenueParts<Self>, BuildError>;
}

impl Ends for OfNasdaq {
    fn of(config: &Config, number: VenueId) -> Result<VenueParts<Self>, BuildError> {
        let venue = one_of(config, number, Some(VenueKind::Nasdaq))?;
        let feed = Mold::new(venue.feed);
        let line = ItchLine::new(venue.day).at_offset(venue.utc_offset_minutes).of(number);
        joined(config, venue, feed.map_err(|e| (format!("feed.{}", e.field), e.allowed)), line)
    }
}

impl Ends for OfLevels {
    fn of(config: &Config, number: VenueId) -> Result<VenueParts<Self>, BuildError> {
        let venue = one_of(config, number, Some(VenueKind::Levels))?;
        let feed = Direct::new(venue.stream).map_err(|e| (e.field.to_owned(), e.allowed));
        joined(config, venue, feed, NormalLine::new(number, venue.stream_instruments)?)
    }
}

impl Ends for OfAnyKind {
    fn of(config: &Config, number: VenueId) -> Result<VenueParts<Self>, BuildError> {
        Ok(match one_of(config, number, None)?.kind {
            VenueKind::Nasdaq => {
                let VenueParts { feed, line, books, trading, entry } = OfNasdaq::of(config, number)?;
                VenueParts { feed: Either::First(feed), line: Either::First(line), books, trading, entry }
            }
            VenueKind::Levels => {
                let VenueParts { feed, line, books, trading, entry } = OfLevels::of(config, number)?;
                VenueParts { feed: Either::Second(feed), line: Either::Second(line), books, trading, entry }
            }
        })
    }
}

/// A venue of the configuration, of a kind.
fn one_of(config: &Config, number: VenueId, kind: Option<VenueKind>) -> Result<&VenueConfig, ConfigError> {
    let Some(venue) = config.venues.get(number) else {
        let allowed = "a table for each venue of the lane";
        return Err(refuse("venue", format!("{} tables", config.venues.count()), allowed));
    };
    match kind {
        Some(kind) if kind != venue.kind => {
            let shown = format!("\"{}\" (of {venue})", venue.kind.word());
            let allowed = match kind {
                VenueKind::Nasdaq => "\"nasdaq\" for this wiring, which speaks nothing else",
                VenueKind::Levels => "\"levels\" for this wiring, which speaks nothing else",
            };
            Err(refuse(&venue.key("kind"), shown, allowed))
        }
        _ => Ok(venue),
    }
}

/// The two sides of a venue, and what is the same whatever it speaks.
fn joined<F: Feed, L: MarketLine>(
    config: &Config,
    venue: &VenueConfig,
    feed: Result<F, (String, &'static str)>,
    line: L,
) -> Result<VenueParts<(F, L, OuchEntry)>, BuildError> {
    let entry = OuchEntry::new(venue.entry.clone());
    Ok(VenueParts {
        feed: feed.map_err(|(field, allowed)| ConfigError::Limit { key: venue.key(&field), allowed })?,
        line,
        books: Books::new(venue.books),
        trading: Trading::new(venue.trading, config.instruments),
        entry: entry.map_err(|e| {
            // As the keys are called here.
            let field = match e.field.trim_start_matches("orders.") {
                "capacity_code" => "capacity",
                "query_timeout" => "query_timeout_ms",
                field => field,
            };
            ConfigError::Limit { key: venue.key(&format!("entry.{field}")), allowed: e.allowed }
        })?,
    })
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

    /// What a lane has of the venue of that number, whose kind is to be `"nasdaq"`.
    ///
    /// # Errors
    /// [`BuildError`] naming the key.
    pub fn venue(&self, venue: VenueId) -> Result<VenueParts<OfNasdaq>, BuildError> {
        OfNasdaq::of(self.config, venue)
    }

    /// The whole lane: venues of kind `"nasdaq"`, as many as are configured, and these two.
    ///
    /// # Errors
    /// [`BuildError`] naming the key: a venue of another kind among them.
    pub fn with<G: Signal, S: Strategy<G>>(self, signal: G, strategy: S) -> Result<Parts<Nasdaq<G, S, P>>, BuildError>
    where
        P: Probe,
    {
        self.wired(signal, strategy)
    }

    /// The whole lane: venues of any kind, as many as are configured, and these two.
    ///
    /// # Errors
    /// [`BuildError`] naming the key.
    pub fn with_any<G: Signal, S: Strategy<G>>(
        self,
        signal: G,
        strategy: S,
    ) -> Result<Parts<AnyKind<G, S, P>>, BuildError>
    where
        P: Probe,
    {
        self.wired(signal, strategy)
    }

    /// The whole lane of a wiring of one's own, whose venues the configuration describes.
    ///
    /// # Errors
    /// [`BuildError`] naming the key: a venue that the wiring cannot have among them.
    pub fn wired<W>(self, signal: W::Signal, strategy: W::Strategy) -> Result<Parts<W>, BuildError>
    where
        W: Wiring<Probe = P>,
        W::Venue: Ends,
    {
        let config = self.config;
        let mut venues = config.venues.try_map(|number, _| W::Venue::of(config, number))?;
        let instruments = InstrumentTable::new(&config.listed, config.instruments, config.directory);
        for (venue, name) in &config.of_levels {
            if let (Some(parts), Some(id)) = (venues.get_mut(*venue), instruments.find(*venue, *name)) {
                parts.books.set_kind(id, BookKind::Levels);
            }
        }
        Ok(Parts {
            lane: config.lane.number,
            tags: config.tags,
            venues,
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
