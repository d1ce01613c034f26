//! From the bytes of a packet to the bytes of an order, in process: the whole lane, with the imbalance taker.
//!
//! Every message of the stream is one MoldUDP64 packet, as on a quiet wire, and comes on line A and then on line B. A
//! stamp is taken before the gateway gets the packet, another when the order's bytes are in the outbox; the sample is
//! the difference, over packets that caused an order. The lane's clock is the exchange's, so that rates and pauses are
//! those of the day. A [scripted port](crate::acceptor) accepts each order and cancels it, so that the lane trades on.
//!
//! Each pass is a new lane. In a second set of passes every stage is stamped, which costs a little at each: so the
//! breakdown tells where the time goes, not how much it is.

use crate::acceptor::{Acceptor, Frames};
use crate::machine::Machine;
use crate::market::messages;
use crate::raw::stamp;
use crate::stats::Percentiles;
use crate::taker::PLUGS;
use crate::taker::{Taker, gateway};
use anyhow::{Context, Result, ensure};
use firelane_gateway::base::{LineId, Mono, SessionId, VenueId};
use firelane_gateway::flow::outbox::{Outbox, Output, Progress};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::moldudp64::PacketBuilder;
use firelane_gateway::flow::wire::soupbintcp::NO_PASSWORD;
use firelane_gateway::flow::wire::soupbintcp::Password;
use firelane_gateway::flow::wiring::{Mark, Probe};
use firelane_gateway::flow::{Arrival, CommandBytes, Gateway, Input};
use firelane_gateway::shell::config::Config;
use serde::Serialize;
use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;

/// From packet to order.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Packets on line A, in all passes.
    pub packets: usize,
    /// First stamp to last, in nanoseconds, over packets that caused an order.
    pub packet_to_order: Percentiles,
    /// The same way in pieces, each stage stamped.
    pub stages: Vec<StageTime>,
    /// Taking in any packet, order or not.
    pub any_packet: Percentiles,
}

/// What one stage takes, from the stamp before it on.
#[derive(Clone, Debug, Serialize)]
pub struct StageTime {
    /// What was passed.
    pub stage: String,
    /// In nanoseconds.
    pub time: Percentiles,
}

const STAGES: [Mark; 5] = [Mark::Decoded, Mark::Booked, Mark::Decided, Mark::Approved, Mark::Encoded];

/// The latest stamp of each stage. With `ALL` false, of the last alone. Shared: the lane does not show its probe.
#[derive(Clone, Debug, Default)]
struct Stamps<const ALL: bool>(Rc<[Cell<u64>; STAGES.len()]>);

impl<const ALL: bool> Probe for Stamps<ALL> {
    #[inline(always)]
    fn pass(&mut self, mark: Mark) {
        if ALL || mark == Mark::Encoded {
            self.0[mark as usize].set(stamp());
        }
    }
}

/// A lane, its port, and the wire between them.
struct Floor<const ALL: bool> {
    gateway: Gateway<Taker<Stamps<ALL>>>,
    stamps: Stamps<ALL>,
    out: Outbox,
    acceptor: Acceptor,
    to_lane: Frames,
}

impl<const ALL: bool> Floor<ALL> {
    /// A lane that is ready to trade at `now`.
    fn new(config: &Config, now: Mono) -> Result<Self> {
        let stamps = Stamps::default();
        let gateway = gateway(config, stamps.clone())?;
        let acceptor = Acceptor::new(config.entry.login.username, Password(NO_PASSWORD));
        let (out, to_lane) = (Outbox::new(1 << 16), Frames::default());
        let mut floor = Floor { gateway, stamps, out, acceptor, to_lane };
        floor.input(now, Input::Command(CommandBytes::START));
        // Ready a heartbeat after the login: a second and a little.
        floor.pass_time(Mono(now.0 + 1_500_000_000));
        let core = floor.gateway.core();
        ensure!(core.ready(VenueId::FIRST), "order entry is not ready: {:?}", core.away(VenueId::FIRST));
        Ok(floor)
    }

    /// One input, and all that follows from it on the session.
    fn input(&mut self, now: Mono, input: Input<'_>) {
        let mut progress = self.gateway.on_input(now, input, &mut self.out);
        self.drain(now);
        while progress == Progress::Again {
            progress = self.gateway.resume(input, &mut self.out);
            self.drain(now);
        }
        self.deliver(now);
    }

    /// Hands what the port wrote to the lane.
    fn deliver(&mut self, now: Mono) {
        while !self.to_lane.0.is_empty() {
            let frames = core::mem::take(&mut self.to_lane.0);
            self.input(now, Input::Session(VenueId::FIRST, SessionId::ORDERS, SessionInput::Bytes(&frames)));
        }
    }

    /// Hands what the lane wrote to the port.
    fn drain(&mut self, now: Mono) {
        let mut connected = false;
        for output in self.out.outputs() {
            match output {
                Output::Connect(_, SessionId::ORDERS) => connected = true,
                Output::Send { session: SessionId::ORDERS, bytes, .. } => {
                    self.acceptor.on_bytes(now, bytes, &mut self.to_lane);
                }
                _ => {}
            }
        }
        self.out.clear();
        if connected {
            self.acceptor.on_connected(now);
            self.input(now, Input::Session(VenueId::FIRST, SessionId::ORDERS, SessionInput::Connected));
        }
    }

    /// Timers on both sides, one after another, up to `now`: heartbeats keep the session up through quiet hours.
    fn pass_time(&mut self, now: Mono) {
        let mut last = Mono(0);
        loop {
            let due = self.gateway.next_deadline().min(self.acceptor.next_deadline()).max(last);
            if due > now {
                return;
            }
            self.acceptor.on_timer(due, &mut self.to_lane);
            self.deliver(due);
            if let Some(machine) = self.gateway.due(due) {
                self.input(due, Input::Timer(machine));
            }
            last = Mono(due.0 + 1);
        }
    }
}

/// What one set of passes gave, in ticks.
#[derive(Default)]
struct Samples {
    total: Vec<u64>,
    any: Vec<u64>,
    stages: [Vec<u64>; STAGES.len()],
}

/// Packets of one message each, and when the exchange sent them.
fn packets(bytes: &[u8]) -> Result<Vec<(Mono, Vec<u8>)>> {
    (1..)
        .zip(messages(bytes))
        .map(|(sequence, message)| {
            let stamp = message.get(5..11).and_then(|ns| ns.first_chunk::<6>());
            let [a, b, c, d, e, f] = *stamp.context("a message without a stamp")?;
            let mut buffer = [0; 1_472];
            let mut packet = PacketBuilder::new(&mut buffer, *b"     BENCH", sequence).expect("room for a header");
            packet.push(message).ok().context("a message longer than a packet")?;
            Ok((Mono(u64::from_be_bytes([0, 0, a, b, c, d, e, f])), packet.finish().to_vec()))
        })
        .collect()
}

fn pass<const ALL: bool>(config: &Config, packets: &[(Mono, Vec<u8>)], samples: &mut Samples) -> Result<()> {
    // The venue's day may begin with messages of an earlier time: the lane has logged in before them.
    let first = packets.iter().map(|(at, _)| at.0).min().unwrap_or(0).max(10_000_000_000);
    let mut floor = Floor::<ALL>::new(config, Mono(first - 2_000_000_000))?;
    let mut now = Mono(first);
    let mut buffer = [0; 1_472];
    for (at, packet) in packets {
        now = now.max(*at);
        floor.pass_time(now);
        floor.stamps.0.iter().for_each(|stamp| stamp.set(0));
        // As a socket gives it: just copied to where the lane reads.
        let received = &mut buffer[..packet.len()];
        received.copy_from_slice(packet);
        let packet = black_box(&*received);
        let start = stamp();
        let input = Input::Packet(Arrival::on(VenueId::FIRST, LineId::A), packet);
        let mut progress = floor.gateway.on_input(now, input, &mut floor.out);
        // An order is in the outbox before it is anywhere else: what is done behind its send is of any packet's time.
        if progress == Progress::Again {
            progress = floor.gateway.resume(input, &mut floor.out);
        }
        let end = stamp();
        ensure!(progress == Progress::Done, "one message took more than two calls");
        samples.any.push(end - start);
        let encoded = floor.stamps.0[Mark::Encoded as usize].get();
        if encoded != 0 {
            samples.total.push(encoded - start);
            if ALL {
                let mut before = start;
                for (stage, stamp) in samples.stages.iter_mut().zip(floor.stamps.0.iter()) {
                    stage.push(stamp.get() - before);
                    before = stamp.get();
                }
            }
        }
        floor.drain(now);
        floor.deliver(now);
        floor.input(now, Input::Packet(Arrival::on(VenueId::FIRST, LineId::B), packet));
    }
    ensure!(floor.acceptor.orders > 0, "no order was sent");
    Ok(())
}

/// Runs the stream through `passes` lanes, and through as many with every stage stamped.
///
/// # Errors
/// If the configuration or the stream is of no use.
pub fn measure(bytes: &[u8], passes: usize, settings: &str, machine: &Machine) -> Result<Report> {
    let config = Config::parse_with(settings, PLUGS)?;
    let packets = packets(bytes)?;
    let (mut plain, mut staged) = (Samples::default(), Samples::default());
    for _ in 0..passes.max(1) {
        pass::<false>(&config, &packets, &mut plain)?;
        pass::<true>(&config, &packets, &mut staged)?;
    }
    let percentiles = |ticks| Percentiles::of(ticks, machine.ns_per_tick).context("no order was sent");
    let stages = STAGES
        .into_iter()
        .zip(staged.stages)
        .map(|(stage, ticks)| Ok(StageTime { stage: format!("{stage:?}"), time: percentiles(ticks)? }));
    Ok(Report {
        packets: packets.len() * passes.max(1),
        stages: stages.collect::<Result<_>>()?,
        packet_to_order: percentiles(plain.total)?,
        any_packet: percentiles(plain.any)?,
    })
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "packet to order, {} packets, ns", self.packets)?;
        writeln!(f, "  first stamp to last {}", self.packet_to_order)?;
        for StageTime { stage, time } in &self.stages {
            writeln!(f, "    {stage:<17} {time}")?;
        }
        write!(f, "  any packet          {}", self.any_packet)
    }
}
