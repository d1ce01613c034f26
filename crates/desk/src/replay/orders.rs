//! `replay --orders`: the orders that the configured strategy would have sent on the recorded day.
//!
//! A [`Backtest`]: each message of the recording reaches the real lane at the message's own stamp. Its orders reach a real OUCH
//! port `order_latency_ns` later and fill virtually behind it (see [`firelane_sim::playthrough`]); what the port answers is
//! back `answer_latency_ns` later.
//!
//! The recording is one line, without a second one, a re-request server or a snapshot. A message that can't be read leaves
//! its book stale, and messages that a capture lost leave all of them so, as on a live day with nothing to heal them. The
//! first day (or session) of a recording is traded, and no other.

use super::input::Recording;
use super::report::Orders;
use crate::beside::{Beside, Reports};
use crate::detector::Told;
use crate::money::Money;
use crate::outfile::OutFile;
use crate::{progress, wirings};
use anyhow::Result;
use firelane_gateway::base::{Instrument, InstrumentTable, SessionId, Symbol};
use firelane_gateway::flow::book::BookCapacity;
use firelane_gateway::flow::outbox::{Class, Output};
use firelane_gateway::flow::wire::ouch50::Inbound;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Recorder;
use firelane_sim::backtest::{self, Backtest, BacktestConfig};
use firelane_sim::world::Seat;
use std::io::{BufWriter, Write};

/// Where what a run makes goes, as far as it is asked for.
pub(super) struct Outputs {
    /// The strategy's frames.
    pub(super) orders: Option<OutFile>,
    /// The detector's alerts.
    pub(super) alerts: Option<OutFile>,
}

/// What a run came to.
pub(super) struct Traded {
    pub(super) orders: Orders,
    pub(super) beside: Reports,
}

/// Runs the recording and writes the strategy's frames and the detector's alerts.
pub(super) fn write(recording: Recording, config: &Config, to: Outputs) -> Result<Traded> {
    let spinner = progress::spinner("trading");
    let venue = config.venues.first();
    let firm = venue.entry.firm.unwrap_or(*b"FIRE");
    let (order, answer) = (config.replay.order_latency, config.replay.answer_latency);
    let mut settings = BacktestConfig::new(venue.day, venue.entry.login.username, firm, order, answer);
    settings.market = venue.trading.market;
    let losses = recording.losses().to_vec();
    let lane = Recorder::new(wirings::build(config, None)?);
    let mut run = Backtest::new(&settings, recording.into_bytes(), losses, lane);

    let Outputs { orders: frames, alerts } = to;
    let (mut file, mut orders) = (frames.map(BufWriter::new), Orders::default());
    let mut alerts = Alerts { out: alerts.map(BufWriter::new), list: Vec::new() };
    alerts.begin()?;
    let mut beside = Beside::of(config)?;
    loop {
        let mut written = Ok(());
        let goes_on = run.step_with(&mut |_, now, output| match output {
            Output::Send { session: SessionId::ORDERS, class: Class::Order | Class::Cancel, bytes, .. }
                if written.is_ok() =>
            {
                count(bytes, &mut orders);
                written = file.as_mut().map_or(Ok(()), |file| file.write_all(bytes));
            }
            Output::Tape(record) => beside.on_record(now, record, |told, name| alerts.take(told, name)),
            _ => {}
        })?;
        written?;
        alerts.write(run.lane().instruments())?;
        // Who is beside the lane is waited for: what is answered is there at once.
        for command in beside.commands() {
            let now = run.world().now();
            run.world_mut().command(Seat::FIRST, now, &command.bytes().read());
        }
        if !goes_on {
            break;
        }
    }
    alerts.end()?;
    orders.fills = run.lane().core_counters().fills;
    orders.money = Money::of(run.lane(), run.world().tape(Seat::FIRST).traded());
    if let Some(file) = file {
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()?;
    }
    spinner.finish_and_clear();
    Ok(Traded { orders, beside: beside.reports() })
}

/// The alerts of a run as lines of text.
struct Alerts {
    out: Option<BufWriter<OutFile>>,
    /// Those of a step.
    list: Vec<(Told, String)>,
}

impl Alerts {
    fn begin(&mut self) -> std::io::Result<()> {
        let head = "time_ns,symbol,alert,value,step";
        self.out.as_mut().map_or(Ok(()), |out| writeln!(out, "{head}"))
    }

    fn take(&mut self, told: &Told, name: &str) {
        if self.out.is_some() {
            self.list.push((*told, name.to_owned()));
        }
    }

    fn write(&mut self, instruments: &InstrumentTable) -> std::io::Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        for (told, name) in self.list.drain(..) {
            let symbol = instruments.get(told.instrument).map(|row| row.name.to_string()).unwrap_or_default();
            writeln!(out, "{},{symbol},{name},{},{}", told.at, told.raised.first, told.raised.second)?;
        }
        Ok(())
    }

    fn end(self) -> Result<()> {
        if let Some(out) = self.out {
            out.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()?;
        }
        Ok(())
    }
}

/// The configuration for a recording: the feed is one line without recovery, `symbol` is followed alone if there is
/// one, and `fit` gives the books room for whatever the recording may hold.
pub(crate) fn configure(mut config: Config, recording: &Recording, symbol: Option<Symbol>, fit: bool) -> Config {
    let venue = config.venues.first_mut();
    venue.feed = backtest::feed(venue.feed);
    if let Some(symbol) = symbol {
        let row = config.listed.iter().find(|row| row.name == symbol.into()).copied();
        config.listed = vec![row.unwrap_or(Instrument::us_equity(symbol))];
        config.directory = false;
        config.risk_of.retain(|((_, name), _)| *name == symbol.into());
    }
    if fit {
        let needed = recording.capacity(symbol.is_some());
        config.instruments = config.instruments.max(needed.instruments);
        let books = &mut config.venues.first_mut().books;
        *books = BookCapacity {
            instruments: config.instruments,
            orders: books.orders.max(needed.orders),
            levels: books.levels.max(needed.levels),
            own: books.own,
        };
        config.orders.instruments = u32::try_from(config.instruments).unwrap_or(u32::MAX);
    }
    config
}

/// Counts whole frames by what they ask for.
fn count(mut frames: &[u8], orders: &mut Orders) {
    while let Some((length, rest)) = frames.split_first_chunk::<2>() {
        let Some((frame, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))) else { return };
        orders.frames += 1;
        match Inbound::decode(frame.get(1..).unwrap_or_default()) {
            Ok(Inbound::EnterOrder(..)) => orders.entered += 1,
            Ok(Inbound::ReplaceOrder(..)) => orders.replaced += 1,
            Ok(Inbound::CancelOrder(..) | Inbound::MassCancel(..)) => orders.cancelled += 1,
            _ => {}
        }
        frames = rest;
    }
}
