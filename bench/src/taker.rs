//! The lane that is measured: `firelane`'s imbalance taker on Nasdaq equities, with the probe of the measurement.

use anyhow::Result;
use firelane_gateway::base::{InstrumentTable, PerVenue};
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::book::Books;
use firelane_gateway::flow::entry::OuchEntry;
use firelane_gateway::flow::feed::Mold;
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::orders::Orders;
use firelane_gateway::flow::risk::Gate;
use firelane_gateway::flow::signal::Imbalance;
use firelane_gateway::flow::strategy::ImbalanceTaker;
use firelane_gateway::flow::trading::Trading;
use firelane_gateway::flow::venue::{Multicast, VenueParts};
use firelane_gateway::flow::wiring::{Parts, Probe, Wiring};
use firelane_gateway::shell::config::Config;
use std::marker::PhantomData;

/// ITCH in, OUCH out, stages told to a `P`.
#[derive(Clone, Copy, Debug)]
pub struct Taker<P>(PhantomData<P>);

impl<P: Probe> Wiring for Taker<P> {
    type Venue = Multicast<ItchLine, OuchEntry>;
    type Signal = Imbalance;
    type Strategy = ImbalanceTaker;
    type Probe = P;
}

/// The lane of a configuration.
///
/// # Errors
/// What the parts say of their settings.
pub fn gateway<P: Probe>(config: &Config, probe: P) -> Result<Gateway<Taker<P>>> {
    Ok(Gateway::new(Parts {
        lane: 0,
        tags: config.tags,
        venues: PerVenue::one(VenueParts {
            feed: Mold::new(config.feed)?,
            line: ItchLine::new(config.day),
            books: Books::new(config.books),
            trading: Trading::new(config.trading, config.instruments),
            entry: OuchEntry::new(config.entry.clone())?,
        }),
        signal: Imbalance::new(&config.imbalance)?,
        strategy: ImbalanceTaker::new(&config.taker, config.instruments)?,
        gate: Gate::new(&config.risk, config.instruments)?,
        orders: Orders::new(&config.orders)?,
        instruments: InstrumentTable::new(&config.listed, config.instruments, config.directory),
        probe,
        policy: config.policy,
    })?)
}
