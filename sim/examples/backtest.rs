//! A strategy on a recorded day, at three latencies: what does it lose by being late?
//!
//! `cargo run -p firelane-sim --example backtest`. The day is one that a synthetic market made, of a second; a file works as well
//! (`capture::Stream` reads any that `firelane replay` does). Your own strategy is a `Plug` of your own in the place of `Taker`.

use firelane_gateway::base::{ExchangeTime, InstrumentId, Mono, Nanos, Side};
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Recorder;
use firelane_gateway::shell::plug::plugged;
use firelane_gateway::shell::plugs::Taker;
use firelane_sim::backtest::{self, Backtest, BacktestConfig};
use firelane_sim::capture::write_binary_file;
use firelane_sim::exchange::{Exchange, Synthetic};
use firelane_sim::net::Faults;
use firelane_sim::order_flow::FlowConfig;
use std::error::Error;

/// 20 November 2024, from 9:30.
const DAY: u32 = 20_047;
const OPENING: u64 = 34_200_000_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let recording = recorded(Nanos::from_millis(1_000))?;
    println!("{:>10} {:>8} {:>8} {:>12}", "latency", "orders", "fills", "P&L");
    for micros in [0, 50, 5_000] {
        let outcome = trade(recording.clone(), Nanos::from_micros(micros))?;
        println!("{micros:>7} us {:>8} {:>8} {:>12.2}", outcome.orders, outcome.fills, outcome.pnl);
    }
    Ok(())
}

/// What a lane made of the day.
pub(crate) struct Outcome {
    pub(crate) orders: u64,
    pub(crate) fills: u64,
    /// In dollars, with positions at the last mid price.
    pub(crate) pnl: f64,
}

/// The day with a lane in it, whose orders take so long to the market, and answers as long back.
pub(crate) fn trade(recording: Vec<u8>, latency: Nanos) -> Result<Outcome, Box<dyn Error>> {
    let plug = plugged::<Taker>();
    let mut config = Config::parse_with("wiring = \"imbalance-taker\"\n[taker]\nthreshold = 500000\n", &[plug])?;
    let venue = config.venues.first_mut();
    venue.feed = backtest::feed(venue.feed);
    venue.day = DAY;
    let lane = Recorder::new(plug.build(&config, None)?);
    let settings = BacktestConfig::new(DAY, config.venues.first().entry.login.username, *b"FIRE", latency, latency);
    let mut run = Backtest::new(&settings, recording, Vec::new(), lane);
    run.run()?;
    let lane = run.lane();
    let mut worth = 0;
    for id in (0..).map(InstrumentId).take(lane.instruments().rows().len()) {
        let (account, book) = (lane.gate().ledger().account(id), lane.book(id));
        let mid = book.top(Side::Buy).zip(book.top(Side::Sell)).map_or(0, |(bid, ask)| (bid.price.0 + ask.price.0) / 2);
        worth += account.cash.0 + i128::from(account.position.0) * i128::from(mid);
    }
    let counters = lane.core_counters();
    Ok(Outcome { orders: counters.entered, fills: counters.fills, pnl: worth as f64 / 1e4 })
}

/// What a synthetic market says in so long, as a `BinaryFILE`.
pub(crate) fn recorded(length: Nanos) -> Result<Vec<u8>, Box<dyn Error>> {
    let flow = FlowConfig { symbols: 2, rate: 4_000, ..FlowConfig::default() };
    let mut market = Synthetic::new(ExchangeTime::new(DAY, OPENING), flow, Vec::new(), Faults::None, 11);
    market.open(Mono(0));
    while market.next_deadline() < Mono(0).after(length) {
        market.on_timer(market.next_deadline());
    }
    let mut file = Vec::new();
    write_binary_file(&mut file, market.take_messages().iter().map(Vec::as_slice))?;
    Ok(file)
}
