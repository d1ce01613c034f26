//! From the bytes of a packet to the bytes of an order, in process: the whole lane, with the imbalance taker.
//!
//! Every message of the stream is one MoldUDP64 packet, as on a quiet wire, and comes on line A and then on line B. A
//! stamp is taken before the gateway gets the packet, another when the order's bytes are in the outbox; the sample is
//! the difference, over packets that caused an order. The lane's clock is the exchange's, so that rates and pauses are
//! those of the day. A [scripted port](crate::acceptor) accepts each order and cancels it, so that the lane trades on.
//!
//! Each pass is a new lane. In a second set of passes every stage is stamped, which costs a little at each: so the
//! breakdown tells where the time goes, not how much it is.
//!
//! By turns with these passes go those of the [straight line](crate::straight), which must send the same bytes: once as it is, and
//! once with other memory touched between two packets, for in a lane's life it is not alone either.

use crate::floor::{BEFORE, Floor, Sent, begin, packets};
use crate::machine::Machine;
use crate::raw::stamp;
use crate::stats::{Percentiles, Rounds};
use crate::straight::{LEFT_OUT, Straight};
use crate::taker::{PLUGS, gateway};
use anyhow::{Context, Result, ensure};
use firelane_contest::orders::{Hash, sent};
use firelane_contest::{Contestant, Digest, Pass};
use firelane_gateway::base::{LineId, Mono, VenueId};
use firelane_gateway::flow::outbox::Progress;
use firelane_gateway::flow::wiring::{Mark, Probe};
use firelane_gateway::flow::{Arrival, Input};
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::plug::{Params, Plug};
use firelane_gateway::shell::plugs;
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
    /// What was sent: how often, and a hash of the bytes.
    pub sent: Sent,
    /// The straight line beside it.
    pub straight: Option<BesideStraight>,
    /// Why there is none.
    pub no_straight: Option<String>,
}

/// The lane beside the straight line: medians over the passes, by turns.
#[derive(Clone, Debug, Serialize)]
pub struct BesideStraight {
    /// The straight line.
    pub alone: Percentiles,
    /// With 256 kB of other memory touched between two packets.
    pub disturbed: Percentiles,
    /// The lane's median over its.
    pub p50: f64,
    /// The same of the 99th percentiles.
    pub p99: f64,
    /// What it leaves out.
    pub leaves_out: Vec<String>,
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

/// What one set of passes gave, in ticks.
#[derive(Default)]
struct Samples {
    total: Vec<u64>,
    any: Vec<u64>,
    stages: [Vec<u64>; STAGES.len()],
}

fn pass<const ALL: bool>(config: &Config, packets: &[(Mono, Vec<u8>)], samples: &mut Samples) -> Result<Sent> {
    let first = begin(packets);
    let stamps = Stamps::<ALL>::default();
    let mut floor = Floor::new(gateway(config, stamps.clone())?, config, Mono(first - BEFORE), true)?;
    let mut now = Mono(first);
    let mut buffer = [0; 1_472];
    for (at, packet) in packets {
        now = now.max(*at);
        floor.pass_time(now);
        stamps.0.iter().for_each(|stamp| stamp.set(0));
        // As a socket gives it: just copied to where the lane reads.
        let received = &mut buffer[..packet.len()];
        received.copy_from_slice(packet);
        let packet = black_box(&*received);
        let start = stamp();
        let input = Input::Packet(Arrival::on(VenueId::FIRST, LineId::A), packet);
        let mut progress = floor.gateway.on_input(now, input, &mut floor.out);
        // An order is in the outbox before it is anywhere else: what is done behind its send is of any packet's time.
        // (One after which every instrument's strategies are to be told takes more calls: the more, the more there are.)
        while progress == Progress::Again {
            progress = floor.gateway.resume(input, &mut floor.out);
        }
        let end = stamp();
        samples.any.push(end - start);
        let encoded = stamps.0[Mark::Encoded as usize].get();
        if encoded != 0 {
            samples.total.push(encoded - start);
            if ALL {
                let mut before = start;
                for (stage, stamp) in samples.stages.iter_mut().zip(stamps.0.iter()) {
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
    Ok(floor.sent)
}

/// A pass of the straight line; `between` is touched between two packets.
fn straight_pass(line: &mut Straight, packets: &[(Mono, Vec<u8>)], between: &mut [u64], total: &mut Vec<u64>) -> Sent {
    let mut now = Mono(begin(packets));
    let (mut buffer, mut sent) = ([0; 1_472], Sent::nothing());
    for (at, packet) in packets {
        now = now.max(*at);
        // A word of each line of the cache.
        between.iter_mut().step_by(8).for_each(|word| *word = word.wrapping_add(1));
        let received = &mut buffer[..packet.len()];
        received.copy_from_slice(packet);
        let packet = black_box(&*received);
        let start = stamp();
        if let Some(encoded) = line.packet(now, packet) {
            total.push(encoded - start);
            sent.order(line.frame());
        }
    }
    sent
}

/// Bytes that are touched between two packets.
const BETWEEN: usize = 256 * 1024;

/// The straight line's passes.
#[derive(Default)]
struct StraightPasses {
    alone: Vec<Vec<u64>>,
    disturbed: Vec<Vec<u64>>,
}

impl StraightPasses {
    /// One of each, with new lines. Says why not if they send other bytes than the lane.
    fn turn(&mut self, config: &Config, packets: &[(Mono, Vec<u8>)], lane: Sent) -> Result<()> {
        for (between, passes) in [(0, &mut self.alone), (BETWEEN / 8, &mut self.disturbed)] {
            let (taker, imbalance) = <plugs::Taker as Plug>::Params::read(&config.text)?;
            let mut line = Straight::new(config, &taker.config(), imbalance.config().levels)?;
            let (mut total, mut between) = (Vec::new(), vec![0; between]);
            let sent = straight_pass(&mut line, packets, &mut between, &mut total);
            ensure!(sent == lane, "it sends {} orders that are not the lane's {}", sent.orders, lane.orders);
            passes.push(total);
        }
        Ok(())
    }

    /// Beside the lane's passes.
    fn beside(self, lane: &[Vec<u64>], ns_per_tick: f64) -> Result<BesideStraight> {
        let of = |ticks: Vec<u64>| Percentiles::of(ticks, ns_per_tick).context("no order was sent");
        let (mut p50, mut p99) = (Vec::new(), Vec::new());
        for (lane, line) in lane.iter().zip(&self.alone) {
            let (lane, line) = (of(lane.clone())?, of(line.clone())?);
            p50.push(lane.p50 / line.p50);
            p99.push(lane.p99 / line.p99);
        }
        Ok(BesideStraight {
            alone: of(self.alone.concat())?,
            disturbed: of(self.disturbed.concat())?,
            p50: Rounds::of(p50).median,
            p99: Rounds::of(p99).median,
            leaves_out: LEFT_OUT.iter().map(|what| (*what).to_owned()).collect(),
        })
    }
}

/// Runs the stream through `passes` lanes, and through as many with every stage stamped.
///
/// # Errors
/// If the configuration or the stream is of no use.
pub fn measure(bytes: &[u8], passes: usize, settings: &str, machine: &Machine) -> Result<Report> {
    let config = Config::parse_with(settings, PLUGS)?;
    let packets = packets(bytes)?;
    let (mut plain, mut staged, mut line) = (Vec::new(), Samples::default(), StraightPasses::default());
    let (mut any, mut sent, mut no_straight) = (Vec::new(), Sent::nothing(), None);
    for _ in 0..passes.max(1) {
        let mut samples = Samples::default();
        sent = pass::<false>(&config, &packets, &mut samples)?;
        plain.push(samples.total);
        any.extend(samples.any);
        if no_straight.is_none() {
            no_straight = line.turn(&config, &packets, sent).err().map(|error| error.to_string());
        }
        pass::<true>(&config, &packets, &mut staged)?;
    }
    let percentiles = |ticks| Percentiles::of(ticks, machine.ns_per_tick).context("no order was sent");
    let straight = match no_straight {
        None => Some(line.beside(&plain, machine.ns_per_tick)?),
        Some(_) => None,
    };
    let stages = STAGES
        .into_iter()
        .zip(staged.stages)
        .map(|(stage, ticks)| Ok(StageTime { stage: format!("{stage:?}"), time: percentiles(ticks)? }));
    Ok(Report {
        packets: packets.len() * passes.max(1),
        stages: stages.collect::<Result<_>>()?,
        packet_to_order: percentiles(plain.concat())?,
        any_packet: percentiles(any)?,
        sent,
        straight,
        no_straight,
    })
}

/// All packets through a lane, nothing kept; how many there were.
///
/// # Errors
/// What settings and stream say.
pub fn through_a_lane(bytes: &[u8], settings: &str) -> Result<u64> {
    let packets = packets(bytes)?;
    black_box(pass::<false>(&Config::parse_with(settings, PLUGS)?, &packets, &mut Samples::default())?);
    Ok(packets.len() as u64)
}

/// The lane as a contestant: a pass is all packets, and it took as long as its median order times their number.
#[allow(missing_debug_implementations)] // a configuration and packets
pub struct Passes {
    config: Config,
    machine: Machine,
    sent: Sent,
    /// The straight line in its place.
    straight: bool,
}

impl Passes {
    /// Of the lane, or of the straight line, with these settings.
    ///
    /// # Errors
    /// What the settings say.
    pub fn new(settings: &str, machine: Machine, straight: bool) -> Result<Self> {
        Ok(Passes { config: Config::parse_with(settings, PLUGS)?, machine, sent: Sent::nothing(), straight })
    }

    fn go(&self, bytes: &[u8]) -> Result<(Sent, Vec<u64>)> {
        let packets = packets(bytes)?;
        let mut samples = Samples::default();
        if !self.straight {
            return Ok((pass::<false>(&self.config, &packets, &mut samples)?, samples.total));
        }
        let (taker, imbalance) = <plugs::Taker as Plug>::Params::read(&self.config.text)?;
        let mut line = Straight::new(&self.config, &taker.config(), imbalance.config().levels)?;
        Ok((straight_pass(&mut line, &packets, &mut [], &mut samples.total), samples.total))
    }
}

impl Contestant for Passes {
    fn clear(&mut self) {}

    fn apply(&mut self, _: &[u8]) -> u64 {
        0
    }

    /// All packets: what builds books up is part of the day.
    fn pass(&mut self, bytes: &[u8], _: usize) -> Pass {
        let Ok((sent, mut ticks)) = self.go(bytes) else { return Pass { messages: 0, ns: 0 } };
        self.sent = sent;
        ticks.sort_unstable();
        let middle = ticks.get(ticks.len() / 2).copied().unwrap_or(0) as f64 * self.machine.ns_per_tick;
        Pass { messages: sent.orders, ns: (middle * sent.orders as f64) as u64 }
    }

    fn digest(&self) -> Digest {
        Digest { lines: vec![sent(self.sent.orders, Hash(self.sent.hash))], ..Digest::default() }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "packet to order, {} packets, ns", self.packets)?;
        writeln!(f, "  first stamp to last {}", self.packet_to_order)?;
        for StageTime { stage, time } in &self.stages {
            writeln!(f, "    {stage:<17} {time}")?;
        }
        writeln!(f, "  any packet          {}", self.any_packet)?;
        writeln!(f, "  sent: {} orders, hash {:016x}", self.sent.orders, self.sent.hash)?;
        match (&self.straight, &self.no_straight) {
            (Some(line), _) => write!(f, "{line}"),
            (None, why) => write!(f, "the straight line: BROKEN, {}", why.as_deref().unwrap_or("it had no turn")),
        }
    }
}

impl std::fmt::Display for BesideStraight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "the straight line: the same orders, in one function")?;
        writeln!(f, "  first stamp to last {}", self.alone)?;
        writeln!(f, "  256 kB touched between {}", self.disturbed)?;
        write!(f, "  lane / straight line: p50 {:.2}, p99 {:.2}; it leaves out", self.p50, self.p99)?;
        self.leaves_out.iter().try_for_each(|what| write!(f, "\n    {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Market;
    use crate::stream::open;

    const SETTINGS: &str =
        "feed.snapshot.enabled = false\ntaker.cooldown_us = 1\ntaker.threshold = 300000\ntaker.size = 500";

    fn measured_in(passes: usize, settings: &str) -> Report {
        let stream = open(Market { symbols: 5, live: 400, messages: 4_000, seed: 9 });
        measure(&stream.bytes, passes, &format!("{SETTINGS}\n{settings}"), &Machine::ask())
            .unwrap_or_else(|error| panic!("{settings}: {error}"))
    }

    fn measured(settings: &str) -> Report {
        measured_in(1, settings)
    }

    #[test]
    fn the_straight_line_sends_the_lanes_orders() {
        let report = measured_in(2, "");
        assert_eq!(report.no_straight, None);
        let line = report.straight.as_ref().unwrap();
        assert!(report.sent.orders > 100, "{report}");
        assert_eq!(line.alone.samples as u64, 2 * report.sent.orders);
        assert_eq!(line.disturbed.samples, line.alone.samples);
        assert!(line.p50 > 0.0 && !line.leaves_out.is_empty());
        assert!(report.to_string().lines().all(|line| line.len() <= 80), "{report}");
    }

    #[test]
    fn its_gate_refuses_what_the_lanes_does() {
        let all = measured("").sent.orders;
        for settings in [
            "risk.max_order_qty = 400",
            "risk.max_order_notional = 4000",
            "risk.orders_per_second = 1000\nrisk.burst = 3",
            "risk.locates = 90",
            "risk.max_position = 400",
            "risk.max_total_open = 4000",
            "risk.max_open = 4000",
            "risk.whole_lots = true\ntaker.max_position = 450",
        ] {
            let report = measured(settings);
            assert_eq!(report.no_straight, None, "{settings}");
            assert!(report.sent.orders < all, "{settings} refuses nothing");
        }
        let small = measured("taker.max_position = 60");
        assert!(small.no_straight.is_none() && small.sent.hash != measured("").sent.hash);
    }

    #[test]
    fn what_it_leaves_out_it_does_not_measure() {
        for (settings, key) in [
            ("imbalance.levels = 2", "imbalance.levels"),
            ("risk.short = \"forbidden\"", "risk.short"),
            ("risk.duplicate_window_us = 10", "risk.duplicate_window_us"),
            ("risk.empty_book = \"pass\"", "risk.empty_book"),
        ] {
            let report = measured(settings);
            assert!(report.straight.is_none() && report.no_straight.as_ref().unwrap().contains(key), "{report}");
            assert!(report.to_string().contains("the straight line: BROKEN"));
        }
    }

    #[test]
    fn as_a_contestant_it_says_what_it_sent() {
        let stream = open(Market { symbols: 5, live: 400, messages: 4_000, seed: 9 });
        let (mut lane, mut line) = (
            Passes::new(SETTINGS, Machine::ask(), false).unwrap(),
            Passes::new(SETTINGS, Machine::ask(), true).unwrap(),
        );
        let (a, b) = (lane.pass(&stream.bytes, stream.built), line.pass(&stream.bytes, stream.built));
        assert!(a.messages > 100 && a.messages == b.messages && a.ns > a.messages);
        assert_eq!(lane.digest(), line.digest());
        assert!(lane.digest().lines[0].starts_with(&format!("sent {} ", a.messages)));
    }
}
