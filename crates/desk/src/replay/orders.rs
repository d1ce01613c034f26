//! `replay --orders`: the orders that the configured strategy would have sent on the recorded day.
//!
//! The real lane runs on the recording's own clock. Each message of the recording reaches it at the message's own stamp,
//! alone in a MoldUDP64 packet (a strategy decides after each message, so that packing changes nothing). Its orders reach
//! a real OUCH port `order_latency_ns` later and fill virtually behind it (see [`firelane_sim::playthrough`]); what the
//! port answers is back `answer_latency_ns` later. At one instant the recording comes first, then what is under way,
//! then timers. Order entry logs in before the first message; the run ends a round trip after the last one.
//!
//! The recording is one line, without a second one, a re-request server or a snapshot. A message that can't be read leaves
//! its book stale, and messages that a capture lost leave all of them so, as on a live day with nothing to heal them. The
//! first day (or session) of a recording is traded, and no other.

use super::input::Recording;
use super::report::Orders;
use crate::money::Money;
use crate::outfile::OutFile;
use crate::{progress, wirings};
use anyhow::{Context, Result, bail};
use firelane_gateway::base::{ExchangeTime, Instrument, LineId, Mono, Nanos, SessionId, Symbol, VenueId};
use firelane_gateway::flow::book::BookCapacity;
use firelane_gateway::flow::feed::{FeedConfig, RerequestConfig, Start};
use firelane_gateway::flow::outbox::{Class, Output};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::moldudp64::{HEADER_LENGTH, PacketBuilder};
use firelane_gateway::flow::wire::ouch50::Inbound;
use firelane_gateway::flow::wire::soupbintcp::NO_PASSWORD;
use firelane_gateway::flow::{Arrival, CommandBytes, Input};
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Recorder;
use firelane_sim::clock::Agenda;
use firelane_sim::exchange::Exchange;
use firelane_sim::playthrough::{RecordedDay, time_of};
use firelane_sim::reconcile::Traded;
use firelane_sim::venue::acceptor::{self, ConnId, PortConfig};
use std::io::{BufWriter, Write};

/// Runs the recording and writes the strategy's frames to `out`.
pub(super) fn write(recording: &Recording, config: &Config, out: OutFile) -> Result<Orders> {
    let spinner = progress::spinner("trading");
    let mut run = Run::new(recording, config, BufWriter::new(out))?;
    run.run_to_the_end()?;
    let Run { mut orders, lane, file, traded, .. } = run;
    orders.fills = lane.lane().core_counters().fills;
    orders.money = Money::of(lane.lane(), &traded);
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()?;
    spinner.finish_and_clear();
    Ok(orders)
}

/// The configuration for a recording: the feed is one line without recovery, `symbol` is followed alone if there is
/// one, and `fit` gives the books room for whatever the recording may hold.
pub(super) fn configure(mut config: Config, recording: &Recording, symbol: Option<Symbol>, fit: bool) -> Config {
    config.feed = FeedConfig {
        session: None,
        start: Start::First,
        lines: 1,
        // Quiet times of a recording are no silence: there are no heartbeats in it.
        line_timeout: Nanos(u64::MAX),
        rerequest: RerequestConfig { enabled: false, ..config.feed.rerequest },
        snapshot: None,
        ..config.feed
    };
    if let Some(symbol) = symbol {
        let row = config.listed.iter().find(|row| row.name == symbol.into()).copied();
        config.listed = vec![row.unwrap_or(Instrument::us_equity(symbol))];
        config.directory = false;
        config.risk_of.retain(|((_, name), _)| *name == symbol.into());
    }
    if fit {
        let needed = recording.capacity(symbol.is_some());
        config.instruments = config.instruments.max(needed.instruments);
        config.books = BookCapacity {
            instruments: config.instruments,
            orders: config.books.orders.max(needed.orders),
            levels: config.books.levels.max(needed.levels),
            own: config.books.own,
        };
        config.orders.instruments = u32::try_from(config.instruments).unwrap_or(u32::MAX);
    }
    config
}

/// Something on its way between lane and port.
enum Carried {
    ToPort(ConnId, Wire),
    ToLane(ConnId, Wire),
}

/// What happens on a connection.
enum Wire {
    Connected,
    Bytes(Vec<u8>),
    Closed,
}

/// The MoldUDP64 session of the recording.
const SESSION: [u8; 10] = *b"RECORDING ";

/// After so many timers at one instant the lane's deadline stands still.
const MOST_TIMERS: u32 = 10_000;

struct Run<'a> {
    now: Mono,
    lane: Recorder,
    day: RecordedDay<&'a [u8]>,
    /// Number of the next message on the line.
    sequence: u64,
    /// How many messages of the recording went out, and before which ones others are missing.
    published: u64,
    losses: &'a [u64],
    under_way: Agenda<Carried>,
    /// The lane's connection, and how many there were.
    conn: Option<ConnId>,
    conns: u64,
    order_latency: Nanos,
    answer_latency: Nanos,
    file: BufWriter<OutFile>,
    orders: Orders,
    traded: Traded,
}

impl<'a> Run<'a> {
    fn new(recording: &'a Recording, config: &Config, file: BufWriter<OutFile>) -> Result<Self> {
        let (order_latency, answer_latency) = (config.replay.order_latency, config.replay.answer_latency);
        let firm = config.entry.firm.unwrap_or(*b"FIRE");
        let port = PortConfig::new(config.entry.login.username, NO_PASSWORD, *b"RECORDING1", firm);
        // A date is there so that nothing lies before it; OUCH tells the time of day alone.
        let midnight = ExchangeTime::new(config.day.max(1), 0);
        let first = recording.messages().next().and_then(Result::ok).map_or(midnight, |m| time_of(m, midnight));
        // Time for all there is to say before order entry is ready.
        let lead = 10_000_000_000 + 16 * (order_latency.0.saturating_add(answer_latency.0));
        let epoch = ExchangeTime(first.0.saturating_sub(lead));
        Ok(Run {
            now: Mono(0),
            lane: Recorder::new(wirings::build(config, None)?),
            day: RecordedDay::new(recording.bytes(), epoch, config.trading.market, vec![port]),
            sequence: 1,
            published: 0,
            losses: recording.losses(),
            under_way: Agenda::new(),
            conn: None,
            conns: 0,
            order_latency,
            answer_latency,
            file,
            orders: Orders::default(),
            traded: Traded::default(),
        })
    }

    fn run_to_the_end(&mut self) -> Result<()> {
        self.feed(Input::Command(CommandBytes::START))?;
        let mut timers = 0;
        let mut end = Mono::NEVER;
        while !self.day.is_over() || self.now < end {
            let (day, lane) = (self.day.next_deadline(), self.lane.lane().next_deadline());
            let next = day.min(self.under_way.next_deadline()).min(lane).max(self.now);
            if next > end {
                break;
            }
            timers = if next > self.now { 0 } else { timers };
            self.now = next;
            if day <= self.now {
                self.day.on_timer(self.now);
                self.publish()?;
            } else if let Some((_, carried)) = self.under_way.due(self.now) {
                self.carry(carried)?;
            } else {
                timers += 1;
                if timers > MOST_TIMERS {
                    bail!("the lane's deadline stands still at {} ns", self.now.0);
                }
                let machine = self.lane.lane().due(self.now).context("the lane's deadline is nobody's")?;
                self.feed(Input::Timer(machine))?;
            }
            self.collect_answers();
            if self.day.is_over() {
                end = end.min(self.now.after(self.order_latency).after(self.answer_latency));
            }
        }
        Ok(())
    }

    /// The messages of this instant reach the lane.
    fn publish(&mut self) -> Result<()> {
        for message in self.day.take_messages() {
            if self.sequence == 1 && !self.lane.lane().ready() {
                bail!("order entry is not ready when the recording begins: are the latencies beyond its timeouts?");
            }
            // One number that never comes is as good as many.
            if let Some((lost, rest)) = self.losses.split_first()
                && *lost == self.published
            {
                (self.losses, self.sequence) = (rest, self.sequence + 1);
            }
            self.published += 1;
            let mut buffer = vec![0; HEADER_LENGTH + size_of::<u16>() + message.len()];
            let packet = PacketBuilder::new(&mut buffer, SESSION, self.sequence)
                .and_then(|mut packet| packet.push(&message).map(|()| packet))
                .ok()
                .context("a message of a recording fits a packet")?;
            self.sequence += u64::from(packet.count());
            let packet = packet.finish();
            self.feed(Input::Packet(Arrival::on(VenueId::FIRST, LineId::A), packet))?;
        }
        Ok(())
    }

    fn carry(&mut self, carried: Carried) -> Result<()> {
        match carried {
            Carried::ToPort(conn, Wire::Connected) => {
                self.day.on_connect(self.now, conn, 0);
                self.under_way.after(self.now, self.answer_latency, Carried::ToLane(conn, Wire::Connected));
                Ok(())
            }
            Carried::ToPort(conn, Wire::Bytes(bytes)) => {
                self.day.on_bytes(self.now, conn, &bytes);
                Ok(())
            }
            Carried::ToPort(conn, Wire::Closed) => {
                self.day.on_close(self.now, conn);
                Ok(())
            }
            // What is still under way on a connection that the lane has left is lost.
            Carried::ToLane(conn, _) if self.conn != Some(conn) => Ok(()),
            Carried::ToLane(_, wire) => {
                let input = match &wire {
                    Wire::Connected => SessionInput::Connected,
                    Wire::Bytes(bytes) => SessionInput::Bytes(bytes),
                    Wire::Closed => {
                        self.conn = None;
                        SessionInput::Closed
                    }
                };
                self.feed(Input::Session(VenueId::FIRST, SessionId::ORDERS, input))
            }
        }
    }

    fn collect_answers(&mut self) {
        for output in self.day.take_outputs() {
            let (conn, wire) = match output {
                acceptor::Output::Bytes(conn, bytes) => (conn, Wire::Bytes(bytes)),
                acceptor::Output::Close(conn, _) => (conn, Wire::Closed),
            };
            self.under_way.after(self.now, self.answer_latency, Carried::ToLane(conn, wire));
        }
    }

    /// One input of the lane, to its end, and what it caused.
    fn feed(&mut self, input: Input<'_>) -> Result<()> {
        let Run { now, lane, under_way, conn, conns, order_latency, file, orders, traded, .. } = self;
        let mut hung_up = false;
        let mut written = Ok(());
        lane.input(*now, input, |output| match output {
            Output::Send { session: SessionId::ORDERS, class, bytes, .. } => {
                if class != Class::Session {
                    count(bytes, orders);
                    if written.is_ok() {
                        written = file.write_all(bytes);
                    }
                }
                if let Some(conn) = *conn {
                    under_way.after(*now, *order_latency, Carried::ToPort(conn, Wire::Bytes(bytes.to_vec())));
                }
            }
            Output::Connect(_, SessionId::ORDERS) => {
                *conns += 1;
                *conn = Some(ConnId(*conns));
                under_way.after(*now, *order_latency, Carried::ToPort(ConnId(*conns), Wire::Connected));
            }
            Output::Disconnect(_, SessionId::ORDERS) => {
                if let Some(conn) = conn.take() {
                    under_way.after(*now, *order_latency, Carried::ToPort(conn, Wire::Closed));
                    hung_up = true;
                }
            }
            Output::Tape(record) => traded.on_record(record),
            // There is nobody else to speak to.
            Output::Send { .. }
            | Output::Datagram(..)
            | Output::Connect(..)
            | Output::Disconnect(..)
            | Output::Snapshot(_) => {}
        })?;
        written?;
        if hung_up {
            self.feed(Input::Session(VenueId::FIRST, SessionId::ORDERS, SessionInput::Closed))
        } else {
            Ok(())
        }
    }
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
