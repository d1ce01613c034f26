//! The lane that is measured: `firelane`'s imbalance taker on Nasdaq equities, with the probe of the measurement.

use anyhow::Result;
use firelane_gateway::base::{InstrumentTable, VenueId};
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::book::Books;
use firelane_gateway::flow::entry::OuchEntry;
use firelane_gateway::flow::feed::Feed;
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::orders::Orders;
use firelane_gateway::flow::risk::Gate;
use firelane_gateway::flow::signal::Imbalance;
use firelane_gateway::flow::strategy::ImbalanceTaker;
use firelane_gateway::flow::trading::Trading;
use firelane_gateway::flow::wiring::{Parts, Probe, Wiring};
use firelane_gateway::shell::config::Config;
use std::marker::PhantomData;

/// ITCH in, OUCH out, stages told to a `P`.
#[derive(Clone, Copy, Debug)]
pub struct Taker<P>(PhantomData<P>);

impl<P: Probe> Wiring for Taker<P> {
    type Market = ItchLine;
    type Signal = Imbalance;
    type Strategy = ImbalanceTaker;
    type Entry = OuchEntry;
    type Probe = P;
}

/// The lane of a configuration.
///
/// # Errors
/// What the parts say of their settings.
pub fn gateway<P: Probe>(config: &Config, probe: P) -> Result<Gateway<Taker<P>>> {
    Ok(Gateway::new(Parts {
        lane: 0,
        venue: VenueId::FIRST,
        tags: config.tags,
        feed: Feed::new(config.feed)?,
        market: ItchLine::new(config.day),
        books: Books::new(config.books),
        trading: Trading::new(config.trading, config.instruments),
        signal: Imbalance::new(&config.imbalance)?,
        strategy: ImbalanceTaker::new(&config.taker, config.instruments)?,
        gate: Gate::new(&config.risk, config.instruments)?,
        orders: Orders::new(&config.orders)?,
        entry: OuchEntry::new(config.entry.clone())?,
        instruments: InstrumentTable::new(&config.listed, config.instruments, config.directory),
        probe,
        policy: config.policy,
    })?)
}
