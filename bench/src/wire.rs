//! Wire to wire over loopback: a datagram in, an order out, through the live lane; beside a raw echo of the same shape.
//!
//! The far end sends a datagram on line A and its copy on line B, and spins until it has read the order from its
//! connection. A round trip is from before the first send call to after that read. The near end is one thread that is by
//! turns the live lane (layout fused, log and tape through their rings to their agents) and an echo that spins on one
//! socket and answers with as many bytes: same far end, same core, same minute. The verdict is the median, over rounds, of
//! the ratio of the two medians of a round.

#[cfg(target_os = "linux")]
mod bursts;
mod far;
mod turns;

use crate::acceptor::Acceptor;
use crate::stats::Percentiles;
use crate::taker;
use crate::taker::PLUGS;
use anyhow::{Context, Result, bail, ensure};
use far::{Far, Peer, Trip};
use firelane_gateway::base::Nanos;
use firelane_gateway::flow::Word;
use firelane_gateway::flow::record::{Kind, RecordHeader, TraceBody};
use firelane_gateway::flow::wire::soupbintcp::NO_PASSWORD;
use firelane_gateway::flow::wire::soupbintcp::Password;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::latency::Latency;
use firelane_gateway::shell::live::{Agents, Assembled, Handle, Observer, Setup, Sheet};
use firelane_gateway::shell::log::FileHeader;
use firelane_gateway::shell::trace::StageProbe;
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use turns::{Baton, Echo, Turn, Turnaround};
use zerocopy::FromBytes;

pub use turns::Empty;

/// What is measured, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Rounds of each contestant.
    pub rounds: usize,
    /// Round trips of one round.
    pub trips: usize,
    /// Round trips before them that do not count: caches and branches get used to the other contestant.
    pub settle: usize,
    /// From one trip's begin to the next, at least; at most three times as long.
    pub pace: Duration,
    /// Core of the far end, and of lane and echo.
    pub cores: Option<(usize, usize)>,
    /// Where the lane's log goes; without it, nowhere, after all its way.
    pub log: Option<PathBuf>,
    /// More settings of the lane, TOML.
    pub settings: String,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            rounds: 20,
            trips: 500,
            settle: 50,
            pace: Duration::from_micros(100),
            cores: None,
            log: None,
            settings: String::new(),
        }
    }
}

/// One piece of the way.
#[derive(Clone, Debug, Serialize)]
pub struct Leg {
    /// Which.
    pub what: &'static str,
    /// In nanoseconds.
    pub time: Percentiles,
}

/// One way of receiving, in nanoseconds: medians.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Way {
    /// Until the first datagram is at hand.
    pub first: f64,
    /// Until the socket is known to be empty, for each datagram.
    pub each: f64,
}

/// Bursts of one size.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Burst {
    /// Datagrams.
    pub size: usize,
    /// A call for each.
    pub one_by_one: Way,
    /// A call for many.
    pub many_at_once: Way,
}

/// Wire to wire.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Rounds of each.
    pub rounds: usize,
    /// Round trips in each.
    pub trips: usize,
    /// Microseconds from one to the next: at least this, at most three times as many.
    pub pace_us: u64,
    /// Cores of the far end, and of lane and echo.
    pub cores: (usize, usize),
    /// Where the log went.
    pub log: String,
    /// The lane's median over the echo's: the middle round.
    pub ratio: f64,
    /// The rounds in which a quarter of the ratios were lower, and higher.
    pub ratio_quartiles: (f64, f64),
    /// The same of the 99th percentiles.
    pub ratio_p99: f64,
    /// Round trips through the lane.
    pub lane: Percentiles,
    /// And through the echo.
    pub echo: Percentiles,
    /// From the lane's stamps: from the return of its receive call to the return of its send call.
    pub tick_to_trade: Percentiles,
    /// Its share of the round trip, median of median.
    pub tick_to_trade_share: f64,
    /// How much of tick to trade its stages explain.
    pub explained: f64,
    /// The round trip through the lane in pieces.
    pub lane_legs: Vec<Leg>,
    /// How much of the round trip's median the medians of the pieces explain.
    pub legs_explain: f64,
    /// The lane's send call: from the encoded order to its return. The order is at the far end before it does.
    pub lane_send: Percentiles,
    /// The round trip through the echo in pieces.
    pub echo_legs: Vec<Leg>,
    /// The echo's send call.
    pub echo_send: Percentiles,
    /// Finding nothing, in nanoseconds.
    pub empty: Empty,
    /// Bursts of datagrams; none where there is no call for many.
    pub bursts: Vec<Burst>,
    /// What should not happen.
    pub losses: Losses,
}

/// What should not happen: 0 on a quiet machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Losses {
    /// Messages that caused no order, or no echo: the near end was kept from running for very long.
    pub missed: u64,
    /// Times that the lane took no input because its log's ring was full.
    pub log_stalls: u64,
    /// Tape records that found no room.
    pub tape_lost: u64,
}

/// Keeps the traces that the tape brings.
struct Traces(Arc<Mutex<Vec<TraceBody>>>);

impl Observer for Traces {
    fn on_record(&mut self, record: &[u8]) {
        let Ok((header, body)) = RecordHeader::ref_from_prefix(record) else { return };
        if Kind::from_byte(header.kind) == Some(Kind::Trace)
            && let Ok(trace) = TraceBody::read_from_bytes(body)
        {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(trace);
        }
    }
}

/// A socket on a loopback port of the system's choice.
fn datagrams() -> Result<UdpSocket> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?)
}

/// A port that was free a moment ago.
fn free_port() -> Result<SocketAddr> {
    Ok(datagrams()?.local_addr()?)
}

/// Sends to `to`.
fn towards(to: SocketAddr) -> Result<UdpSocket> {
    let socket = datagrams()?;
    socket.connect(to)?;
    Ok(socket)
}

/// Neither waits nor collects.
fn quick(stream: TcpStream) -> Result<TcpStream> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// What the lane needs to hear of, besides where everything is: that it may send an order for every message.
fn settings(lines: [SocketAddr; 2], nobody: SocketAddr, orders: SocketAddr, more: &str) -> String {
    let [a, b] = lines;
    format!(
        "feed.rerequest.enabled = false\nfeed.snapshot.enabled = false\ntape.status_ms = 10\n\
         taker.cooldown_us = 0\nrisk.orders_per_second = 1000000\nrisk.burst = 4096\n\
         net.line_a = \"{a}\"\nnet.line_b = \"{b}\"\nnet.orders = \"{orders}\"\n\
         net.rerequest = \"{nobody}\"\nnet.snapshot = \"{nobody}\"\n{more}\n"
    )
}

/// The live lane, with log and tape running.
fn lane(plan: &Plan, config: &Config, clock: &Clock, traces: &Arc<Mutex<Vec<TraceBody>>>) -> Result<Assembled> {
    let lane = Box::new(taker::gateway(config, StageProbe::new(Some(clock.clone())))?);
    let file: Box<dyn std::io::Write + Send> = match &plan.log {
        Some(path) => Box::new(std::fs::File::create(path).with_context(|| path.display().to_string())?),
        None => Box::new(std::io::sink()),
    };
    let header = FileHeader::new("imbalance-taker", &config.text, Vec::new(), config.effects).of_lane(&*lane);
    let setup = Setup {
        log: Some(Sheet { file, header }),
        observers: vec![Box::new(Traces(Arc::clone(traces)))],
        ..Setup::default()
    };
    Ok(Assembled::new(lane, &config.live, clock.clone(), setup)?)
}

/// Lets the lane log in and hear the market's opening.
fn log_in(far: &mut Far, handle: &Handle) -> Result<()> {
    far.open()?;
    let since = Instant::now();
    loop {
        far.serve()?;
        let status = handle.board().status();
        if status.ready == 1 && status.market.next_sequence.get() == far.next_sequence() {
            return Ok(());
        }
        ensure!(since.elapsed() < Duration::from_secs(20), "the lane does not get ready: {status:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn accept(listener: &TcpListener) -> Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let since = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => return quick(stream),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                ensure!(since.elapsed() < Duration::from_secs(5), "the lane does not connect");
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The middle of a few numbers, or another part of them.
fn part(of: &[f64], share: f64) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn percentiles(ns: Vec<u64>) -> Result<Percentiles> {
    Percentiles::of(ns, 1.0).context("nothing was measured")
}

/// All trips of a contestant in their order, and which of them count.
#[derive(Default)]
struct Trips {
    all: Vec<(Trip, bool)>,
    /// Medians and 99th percentiles of the rounds.
    rounds: Vec<(f64, f64)>,
}

impl Trips {
    fn round(&mut self, far: &mut Far, settle: usize, trips: usize) -> Result<()> {
        far.serve()?;
        for _ in 0..settle {
            self.all.push((far.trip()?, false));
        }
        let mut times = Vec::with_capacity(trips);
        for _ in 0..trips {
            let trip = far.trip()?;
            times.push(trip.ns());
            self.all.push((trip, true));
        }
        if trips > 0 {
            let round = percentiles(times)?;
            self.rounds.push((round.p50, round.p99));
        }
        Ok(())
    }

    /// Those that count, with what the near end says of each: what it received, at `received`, while the trip lasted. Both
    /// are in order. A trip of which it says nothing is left out: somebody was kept from running for very long.
    fn with<'a, T>(&'a self, near: &'a [T], received: impl Fn(&T) -> u64) -> Vec<(&'a Trip, &'a T)> {
        let mut near = near.iter().peekable();
        let counted = self.all.iter().filter(|(_, counts)| *counts);
        counted
            .filter_map(|(trip, _)| {
                while near.next_if(|one| received(one) < trip.begun).is_some() {}
                near.next_if(|one| received(one) <= trip.read).map(|one| (trip, one))
            })
            .collect()
    }

    fn percentiles(&self) -> Result<Percentiles> {
        percentiles(self.all.iter().filter(|(_, counts)| *counts).map(|(trip, _)| trip.ns()).collect())
    }
}

/// Cuts every trip at the stamps that `cuts` gives, and says how long each piece took.
fn legs<'a, T, const N: usize>(
    trips: &[(&'a Trip, &'a T)],
    names: [&'static str; N],
    cuts: impl Fn(&Trip, &T) -> Vec<u64>,
) -> Result<Vec<Leg>> {
    let mut pieces: [Vec<u64>; N] = std::array::from_fn(|_| Vec::new());
    for (trip, near) in trips {
        for (pair, piece) in cuts(trip, near).windows(2).zip(&mut pieces) {
            piece.push(pair[1].saturating_sub(pair[0]));
        }
    }
    names.into_iter().zip(pieces).map(|(what, ns)| Ok(Leg { what, time: percentiles(ns)? })).collect()
}

/// Measures.
///
/// # Errors
/// What sockets, threads or the lane say.
pub fn measure(plan: &Plan) -> Result<Report> {
    let ids: Vec<usize> = core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect();
    let cores = plan.cores.or_else(|| Some((*ids.first()?, *ids.last()?))).context("the system names no cores")?;
    ensure!(cores.0 != cores.1, "two cores are needed, and this process has {ids:?}: --cores");
    let pace = Nanos(u64::try_from(plan.pace.as_nanos())?);
    let clock = Clock::new();

    // The lane and its far end.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let lines = [free_port()?, free_port()?];
    let text = settings(lines, free_port()?, listener.local_addr()?, &plan.settings);
    let config = Config::parse_with(&text, PLUGS)?;
    let traces = Arc::new(Mutex::new(Vec::with_capacity(1 << 20)));
    let mut assembled = lane(plan, &config, &clock, &traces)?;
    let handle = assembled.handle().clone();

    // The echo and its far end.
    let (heard, unheard) = (datagrams()?, datagrams()?);
    heard.set_nonblocking(true)?;
    let echo_lines = [towards(heard.local_addr()?)?, towards(unheard.local_addr()?)?];
    let echo_port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let echo_near = quick(TcpStream::connect(echo_port.local_addr()?)?)?;
    let echo_stream = quick(echo_port.accept()?.0)?;
    let length = Arc::new(AtomicUsize::new(0));
    let most = (plan.rounds + 2) * (plan.settle + plan.trips);
    let echo = Echo::new(heard, echo_near, Arc::clone(&length), clock.clone(), most);

    // One thread for both.
    let baton = Baton::default();
    let near = {
        let (baton, core) = (baton.clone(), cores.1);
        std::thread::Builder::new().name("near".into()).spawn(move || {
            let Agents { feed: None, lane } = &mut assembled.agents else {
                bail!("layout fused is measured, and no other")
            };
            let (echo, empty) = turns::run(lane, echo, &baton, core)?;
            Ok((assembled, echo, empty))
        })?
    };
    let far = || -> Result<(Trips, Trips, u64)> {
        turns::pin(cores.0)?;
        baton.give(Turn::Lane);
        ensure!(handle.command(Word::Start), "no command is taken");
        let stream = accept(&listener)?;
        let mut acceptor = Acceptor::new(config.venues.first().entry.login.username, Password(NO_PASSWORD));
        acceptor.on_connected(clock.now());
        let to_lane = [towards(lines[0])?, towards(lines[1])?];
        let mut far = Far::new(to_lane, stream, Peer::Lane(Box::new(acceptor)), clock.clone(), pace);
        log_in(&mut far, &handle)?;
        let (mut lane, mut echo) = (Trips::default(), Trips::default());
        lane.round(&mut far, plan.settle + plan.trips, 0)?;
        let (order, answer) = far.lengths;
        length.store(order, Ordering::Relaxed);
        let peer = Peer::Echo(order, vec![b'A'; answer]);
        let mut echo_far = Far::new(echo_lines, echo_stream, peer, clock.clone(), pace).and_unheard(unheard);
        baton.give(Turn::Echo);
        echo.round(&mut echo_far, plan.settle + plan.trips, 0)?;
        for round in 0..plan.rounds {
            // The first of a pair is the second of the next.
            for turn in if round % 2 == 0 { [Turn::Lane, Turn::Echo] } else { [Turn::Echo, Turn::Lane] } {
                // A moment of rest in between: the echo reads what it was answered.
                baton.give(Turn::Rest);
                std::thread::sleep(Duration::from_millis(1));
                baton.give(turn);
                match turn {
                    Turn::Lane => lane.round(&mut far, plan.settle, plan.trips)?,
                    _ => echo.round(&mut echo_far, plan.settle, plan.trips)?,
                }
            }
        }
        baton.give(Turn::Empty);
        while !baton.is_back() && !near.is_finished() {
            far.serve()?;
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok((lane, echo, far.missed + echo_far.missed))
    };
    let trips = far();
    #[cfg(target_os = "linux")]
    let bursts = bursts::measure(&clock);
    #[cfg(not(target_os = "linux"))]
    let bursts = Ok(Vec::new());
    baton.give(Turn::End);
    let near = near.join().map_err(|_| anyhow::anyhow!("the measured thread panicked"))?;
    let (lane_trips, echo_trips, missed) = trips?;
    let (assembled, echo, empty) = near?;
    let status = handle.board().status();
    assembled.finish()?;
    let traces = std::mem::take(&mut *traces.lock().unwrap_or_else(PoisonError::into_inner));

    let log = plan.log.as_ref().map_or("a sink".to_owned(), |path| path.display().to_string());
    let losses = Losses { missed, log_stalls: status.log_stalls.get(), tape_lost: status.tape_lost.get() };
    let near = Near { traces: &traces, turnarounds: &echo.turnarounds, empty, bursts: bursts?, losses };
    report(plan, cores, log, &lane_trips, &echo_trips, near)
}

/// What the near end and the rest have to say.
struct Near<'a> {
    traces: &'a [TraceBody],
    turnarounds: &'a [Turnaround],
    empty: Empty,
    bursts: Vec<Burst>,
    losses: Losses,
}

fn report(
    plan: &Plan,
    cores: (usize, usize),
    log: String,
    lane: &Trips,
    echo: &Trips,
    near: Near<'_>,
) -> Result<Report> {
    let Near { traces, turnarounds, empty, bursts, losses } = near;
    let traced = lane.with(traces, |trace| trace.arrived.get());
    let turned = echo.with(turnarounds, |turn| turn.received);
    for (what, known) in [("lane", traced.len()), ("echo", turned.len())] {
        let all = plan.rounds * plan.trips;
        ensure!(known * 100 >= all * 99, "of {all} trips through the {what} the stamps of {known} are known");
    }
    let ratios = |which: fn(&(f64, f64)) -> f64| -> Vec<f64> {
        lane.rounds.iter().zip(&echo.rounds).map(|(lane, echo)| which(lane) / which(echo)).collect()
    };
    let (ratios, ratios_p99) = (ratios(|round| round.0), ratios(|round| round.1));
    let mut latency = Latency::default();
    traced.iter().for_each(|(_, trace)| latency.record(trace));
    let between = |from: fn(&TraceBody) -> u64| {
        percentiles(traced.iter().map(|(_, trace)| trace.sent.get().saturating_sub(from(trace))).collect())
    };
    let tick_to_trade = between(|trace| trace.arrived.get())?;
    let lane_legs = legs(&traced, ["in", "decoded", "booked", "decided", "approved", "encoded", "out"], |trip, t| {
        let stamps = [t.arrived, t.decoded, t.booked, t.decided, t.approved, t.encoded].map(|stamp| stamp.get());
        [&[trip.begun][..], &stamps, &[trip.read]].concat()
    })?;
    let echo_legs = legs(&turned, ["in", "out"], |trip, t| vec![trip.begun, t.received, trip.read])?;
    let all = lane.percentiles()?;
    Ok(Report {
        rounds: plan.rounds,
        trips: plan.trips,
        pace_us: plan.pace.as_micros() as u64,
        cores,
        log,
        ratio: part(&ratios, 0.5),
        ratio_quartiles: (part(&ratios, 0.25), part(&ratios, 0.75)),
        ratio_p99: part(&ratios_p99, 0.5),
        echo: echo.percentiles()?,
        tick_to_trade,
        tick_to_trade_share: tick_to_trade.p50 / all.p50,
        explained: latency.explained(),
        legs_explain: lane_legs.iter().map(|leg| leg.time.p50).sum::<f64>() / all.p50,
        lane_legs,
        lane: all,
        lane_send: between(|trace| trace.encoded.get())?,
        echo_legs,
        echo_send: percentiles(turned.iter().map(|(_, t)| t.sent.saturating_sub(t.received)).collect())?,
        empty,
        bursts,
        losses,
    })
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Report { rounds, trips, pace_us, cores: (far, near), log, ratio, ratio_quartiles: (low, high), .. } = self;
        writeln!(
            f,
            "wire to wire, {rounds} rounds of {trips} trips each, one in {pace_us} to {} us; far end on core {far}, lane and \
             echo on core {near}; log to {log}; ns",
            3 * pace_us
        )?;
        writeln!(
            f,
            "  lane / echo         {ratio:.3} of p50 (quartiles {low:.3} to {high:.3}), {:.3} of p99",
            self.ratio_p99
        )?;
        writeln!(f, "  through the lane    {}", self.lane)?;
        for Leg { what, time } in &self.lane_legs {
            writeln!(f, "    {what:<17} {time}")?;
        }
        writeln!(f, "    medians explain   {:.1} % of the median", self.legs_explain * 100.0)?;
        writeln!(f, "  through the echo    {}", self.echo)?;
        for Leg { what, time } in &self.echo_legs {
            writeln!(f, "    {what:<17} {time}")?;
        }
        writeln!(f, "  tick to trade       {}", self.tick_to_trade)?;
        writeln!(
            f,
            "    {:.1} % of the round trip; its stages explain {:.2} % of it",
            self.tick_to_trade_share * 100.0,
            self.explained * 100.0
        )?;
        writeln!(f, "  send call, lane     {}", self.lane_send)?;
        writeln!(f, "  send call, echo     {}", self.echo_send)?;
        let Empty { cycle, datagram, connection } = self.empty;
        writeln!(
            f,
            "  finding nothing     {cycle:.0} a duty cycle; {datagram:.0} a receive call on a datagram socket, \
             {connection:.0} on a connection"
        )?;
        for Burst { size, one_by_one: one, many_at_once: many } in &self.bursts {
            writeln!(
                f,
                "    {size:2} at once        a call for each: first {:4.0}, all {:4.0} a datagram; a call for many: {:4.0}, {:4.0}",
                one.first, one.each, many.first, many.each
            )?;
        }
        let Losses { missed, log_stalls, tape_lost } = self.losses;
        write!(f, "  messages without an order {missed}, log stalls {log_stalls}, tape records lost {tape_lost}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_belongs_to_the_trip_in_which_it_was_taken() {
        let trip = |begun, read, counts| (Trip { begun, read }, counts);
        let all = vec![trip(10, 20, false), trip(30, 40, true), trip(50, 60, true), trip(70, 80, true)];
        let trips = Trips { all, rounds: Vec::new() };
        // One that does not count, its own, one that came too late and one that is nobody's.
        let near = [15, 35, 61, 75, 90];
        let known: Vec<_> = trips.with(&near, |at| *at).into_iter().map(|(trip, at)| (trip.begun, *at)).collect();
        assert_eq!(known, [(30, 35), (70, 75)]);
        assert_eq!(trips.percentiles().unwrap().samples, 3);
        assert_eq!((part(&[3.0, 1.0, 2.0], 0.5), part(&[5.0, 1.0, 2.0, 3.0, 4.0], 0.25)), (2.0, 2.0));
    }

    #[test]
    fn pieces_are_cut_at_the_stamps() {
        let (first, second) = (Trip { begun: 0, read: 10 }, Trip { begun: 100, read: 120 });
        let cut = legs(&[(&first, &3), (&second, &105)], ["in", "out"], |trip, at| vec![trip.begun, *at, trip.read]);
        let cut: Vec<_> = cut.unwrap().into_iter().map(|leg| (leg.what, leg.time.min, leg.time.max)).collect();
        assert_eq!(cut, [("in", 3.0, 5.0), ("out", 7.0, 15.0)]);
    }

    /// All of it, over real sockets, in small: how fast is of no matter here.
    #[test]
    fn the_lane_trades_and_the_echo_answers() {
        if core_affinity::get_core_ids().is_none_or(|ids| ids.len() < 2) {
            return crate::skip::skip("two cores are needed");
        }
        let plan = Plan {
            rounds: 2,
            trips: 30,
            settle: 5,
            pace: Duration::from_millis(1),
            cores: None,
            log: None,
            settings: String::new(),
        };
        let report = measure(&plan).unwrap();
        assert_eq!((report.lane.samples, report.echo.samples), (60, 60));
        assert!(report.ratio.is_finite() && (report.explained - 1.0).abs() < 0.05, "{report}");
        assert_eq!(report.lane_legs.iter().map(|leg| leg.what).next_back(), Some("out"));
        assert_eq!((report.losses.log_stalls, report.losses.tape_lost), (0, 0));
    }
}
