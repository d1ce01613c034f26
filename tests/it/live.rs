//! The lane on real sockets: both layouts against the venue, the kill switch in both its places, idling, a log that
//! cannot be written.

use crate::gateway::rig as gateway_rig;

mod commander;
mod lanes;
mod readers;
pub(crate) mod rig;
mod trouble;
mod venues;

use firelane_gateway::base::{Mono, SessionId, VenueId};
use firelane_gateway::flow::record::Kind;
use firelane_gateway::flow::record::log::input_of;
use firelane_gateway::flow::risk::ShortSale;
use firelane_gateway::flow::strategy::{MarketMaker, MarketMakerConfig};
use firelane_gateway::flow::wire::soupbintcp::Packet;
use firelane_gateway::flow::{CommandBuf, Input, Word};
use firelane_gateway::shell::agent::Agent;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::live::{self, Agents, Assembled, Live, LiveError, Setup as LiveSetup, Sheet};
use firelane_gateway::shell::log::{Effects, FileHeader, FileReader};
use firelane_gateway::shell::plan::{Cores, Plan};
use firelane_gateway::shell::verify::verify;
use firelane_sim::net::Faults;
use firelane_sim::reconcile::{self, Statement};
use firelane_sim::server::Command;
use gateway_rig::{Do, Told, X, soup};
use rig::*;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often each kind of record is in a log.
fn kinds(log: &[u8]) -> BTreeMap<u8, usize> {
    let mut kinds = BTreeMap::new();
    let mut reader = FileReader::new(log).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        *kinds.entry(record.header.kind).or_default() += 1;
    }
    kinds
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn maker() -> MarketMaker {
    MarketMaker::new(&MarketMakerConfig::default(), 16).unwrap()
}

/// Some seconds against the venue with its faults, a kill, a snapshot, and then rest; both sides compared, the log
/// verified.
fn trade(layout: &str, faults: Faults, seed: u64) {
    let (server, lines, servers) = venue(faults, seed);
    let live_config = live_config(&format!("[threads]\nlayout = \"{layout}\"\nidle = \"park\""), lines, servers);
    let (clock, log, ledger) = (Clock::new(), Memory::default(), Ledger::default());
    let mut room = roomy();
    // The venue wants every short sale located, and this gateway relies on being a market maker: it is rejected.
    room.risk.each.short = ShortSale::MarketMaker;
    let lane = stamped(&room, maker(), Some(clock.clone()));
    let plan = Plan::new(&live::wishes(&live_config.threads), &Cores::here(), live_config.threads.missing).unwrap();
    let setup = LiveSetup {
        logins: SECRETS.into(),
        log: log.sheet(),
        observers: vec![Box::new(ledger.clone())],
        ..LiveSetup::default()
    };
    let lane = Live::start(lane, &live_config, clock, setup, &plan).unwrap();
    let venue = spawn(server);
    let handle = lane.handle().clone();
    let counts = || ledger.0.lock().unwrap().counts();
    assert!(handle.command(Word::Start));
    until("orders and fills", || counts().sent > 30 && counts().fills > 2);
    assert!(handle.command(CommandBuf::snapshot(VenueId::FIRST)));
    until("a splice", || handle.board().status().market.snapshots.get() > 0);
    assert!(handle.command(Word::Kill));
    until("the kill", || handle.board().status().killed == 1 && counts().kills > 0);
    assert!(handle.command(Word::Release));
    let before = counts().sent;
    until("orders after the release", || counts().sent > before + 10);
    if faults == Faults::Heavy {
        // What the log is to hold besides; how soon is the market's affair.
        until("replaces, rejects and re-requests", || {
            let (counts, lane) = (counts(), handle.board().status());
            counts.replaced > 0
                && counts.rejected > 0
                && lane.market.gaps.get() > 0
                && lane.market.filled_by_rerequest.get() > 0
        });
    }

    assert!(venue.tell(Command::Stop));
    assert!(handle.command(Word::Shutdown));
    std::thread::sleep(Duration::from_millis(100));
    assert!(venue.tell(Command::Heal));
    until("rest", || {
        let (lane, venue) = (handle.board().status(), venue.status());
        handle.is_over() && lane.market.next_sequence.get() == venue.next_sequence && lane.stale.get() == 0
    });
    assert!(venue.tell(Command::EndSession));
    until("the end of the session", || counts().ends_of_session > 0);
    let outcome = lane.finish().unwrap();
    let far_end = venue.shutdown().unwrap();
    far_end.check().unwrap();
    let ledger = ledger.0.lock().unwrap();
    let lane = &*outcome.lane;
    let venue = Statement::of_venue(far_end.exchange(), 0);
    let mut found = reconcile::compare(&Statement::of_lane(lane, VenueId::FIRST, &ledger), &venue);
    found.extend(reconcile::check_at_rest(lane));
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{layout}, seed {seed}: {}", found.join("\n"));
    assert_eq!(handle.board().status().tape_lost.get(), 0);

    let log = log.bytes();
    let verified = verify(&log[..], |_| Ok(stamped(&room, maker(), None)), |_| {}).unwrap();
    assert!(verified.complete && verified.inputs == lane.inputs(), "{verified:?}");
    let latency = handle.board().lock().latency.clone();
    assert!(latency.percentiles().count > 0 && (latency.explained() - 1.0).abs() < 0.05, "{latency:?}");
    if faults == Faults::Heavy {
        let (feed, counts) = (lane.feed_counters(VenueId::FIRST).unwrap(), ledger.counts());
        assert!(feed.gaps > 0 && feed.snapshots_ended > 0 && feed.requests > 0, "{feed:?}");
        assert!(counts.fills > 0 && counts.replaced > 0 && counts.rejected > 0 && counts.kills > 0, "{counts:?}");
    }
}

#[test]
fn fused_agrees_with_the_venue_and_its_log_verifies() {
    trade("fused", Faults::None, 1);
    trade("fused", Faults::Heavy, 2);
}

#[test]
fn split_agrees_with_the_venue_and_its_log_verifies() {
    trade("split", Faults::None, 3);
    trade("split", Faults::Heavy, 4);
}

/// In the shell at once, before the lane knows; and in the gate, logged.
#[test]
fn the_kill_switch_acts_in_both_of_its_places() {
    for layout in ["fused", "split"] {
        let mut floor = Floor::trading(&format!("[threads]\nlayout = \"{layout}\""));
        floor.tell(Do::Buy, 100, 99_000);
        floor.until("the first order rests", |floor| floor.venue.orders.len() == 1);
        floor.tell(Do::Buy, 200, 98_000);
        // The market comes first in a duty cycle: the lane decides on this message before it hears of the kill.
        std::thread::sleep(Duration::from_millis(20));
        floor.lane.handle().kill_switch().throw();
        floor.until("the kill is in the gate", |floor| floor.lane.handle().board().status().killed == 1);
        floor.until("what rested is cancelled", |floor| floor.venue.orders.is_empty());
        // In the gate now.
        floor.tell(Do::Buy, 300, 97_000);
        floor.until("the third is refused", |floor| floor.lane.handle().board().status().refused.get() > 0);
        let asked = floor.asked();
        assert_eq!(asked.matches('O').count(), 1, "{layout}: neither order after the kill has left: {asked}");
        assert_eq!(floor.lane.handle().board().status().live.get(), 0, "{layout}: the dropped order is not counted");
        assert!(floor.lane.handle().command(Word::Release));
        floor.until("the release is in the gate", |floor| floor.lane.handle().board().status().killed == 0);
        floor.tell(Do::Buy, 100, 99_000);
        floor.until("orders leave again", |floor| floor.venue.orders.len() == 1);
        let (outcome, log) = floor.finish();
        let account = *outcome.lane.gate().ledger().account(X);
        assert_eq!(account.buys.qty.0, 100, "{layout}: only what rests is exposed");
        let kinds = kinds(&log);
        assert_eq!(kinds.get(&(Kind::Dropped as u8)), Some(&1), "{layout}: {kinds:?}");
        let mut setup = gateway_rig::Setup::default();
        setup.feed.snapshot = None;
        let verified = verify(&log[..], |_| Ok(stamped(&setup, Told::default(), None)), |_| {}).unwrap();
        assert!(verified.complete, "{layout}");
    }
}

/// The first input of a log is how far the lane's clock is from universal time.
#[test]
fn a_lane_is_told_universal_time_before_anything_else() {
    let unix = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    for layout in ["fused", "split"] {
        let before = unix();
        let floor = Floor::trading(&format!("[threads]\nlayout = \"{layout}\""));
        let (_, log) = floor.finish();
        let after = unix();
        let mut reader = FileReader::new(&log[..]).unwrap();
        let first = reader.next_record().unwrap().unwrap();
        let Some(Input::Clock(offset)) = input_of(first.kind.unwrap(), &first.body) else { panic!("{first:?}") };
        let utc = offset.at(Mono(first.header.time.get())).unwrap().0;
        assert!((before..=after).contains(&utc), "{layout}: {before} {utc} {after}");
        assert_eq!(first.header.sequence.get(), 1);
    }
}

/// What was due before a fill comes before it, in one turn after a stall: the market may have been silent for long.
#[test]
fn after_a_stall_timers_run_before_what_the_venue_says() {
    let mut floor = Floor::trading("[threads]\nlayout = \"fused\"");
    floor.tell(Do::Buy, 100, 99_000);
    floor.until("the order rests, and is known to", |floor| {
        floor.venue.orders.len() == 1 && floor.lane.handle().board().status().live.get() == 1
    });
    let token = *floor.venue.orders.keys().next().unwrap();
    // Heartbeats of the order session are due by then, if nothing else is.
    std::thread::sleep(Duration::from_millis(1_200));
    let report = floor.venue.execute(token, 100, 99_000);
    floor.port_says(&soup(Packet::Sequenced(&report)));
    floor.turn_port();
    floor.until("the fill is heard", |floor| floor.lane.handle().board().status().live.get() == 0);
    let (_, log) = floor.finish();
    let mut reader = FileReader::new(&log[..]).unwrap();
    let mut inputs: Vec<(u64, u8)> = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        let kind = record.header.kind;
        if [Kind::Bytes, Kind::Timer, Kind::Packet].map(|kind| kind as u8).contains(&kind) {
            inputs.push((record.header.time.get(), kind));
        }
    }
    let stall = inputs.windows(2).position(|pair| pair[1].0 - pair[0].0 > 1_000_000_000).expect("it stalled");
    assert_eq!(inputs[stall + 1].1, Kind::Timer as u8, "{:?}", &inputs[stall..]);
}

/// No venue, no market: a lane that parks sleeps, and so do its log and its tape.
#[test]
fn no_thread_spins_when_idle_under_park() {
    for layout in ["fused", "split"] {
        let text = format!("[threads]\nlayout = \"{layout}\"\nidle = \"park\"\n[tape]\nstatus_ms = 1000");
        // Nobody listens at the port of a socket that is closed again.
        let [nobody, _] = free_lines();
        let live_config = live_config(&text, free_lines(), [nobody; 3]);
        let clock = Clock::new();
        let lane = stamped(&gateway_rig::Setup::default(), Told::default(), Some(clock.clone()));
        let plan = Plan::new(&live::wishes(&live_config.threads), &Cores::here(), live_config.threads.missing).unwrap();
        let lane = Live::start(lane, &live_config, clock, LiveSetup::default(), &plan).unwrap();
        assert!(lane.handle().command(Word::Start));
        let began = Instant::now();
        std::thread::sleep(Duration::from_secs(1));
        let outcome = lane.finish().unwrap();
        // Each thread asks about a thousand times a second once it is idle, and more often for a moment after each of
        // the few things that happen. A thread that spins does a million.
        let most = 3_000 * (began.elapsed().as_secs() + 2);
        assert!(outcome.cycles < most, "{layout}: {} duty cycles, expected fewer than {most}", outcome.cycles);
    }
}

#[test]
fn a_lane_of_two_venues_is_refused_where_there_are_addresses_of_one() {
    let live_config = live_config("", free_lines(), [any(), any(), any()]);
    let lane = Box::new(crate::gateway::venues::lane());
    let refused = Assembled::new(lane, &live_config, Clock::new(), LiveSetup::default()).err();
    assert!(matches!(refused, Some(LiveError::Addresses { lane: 2, configured: 1 })), "{refused:?}");
}

/// A disk that is full after so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"));
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// No input is taken that is not logged: a lane without its log stops, and says why.
#[test]
fn a_log_that_cannot_be_written_stops_the_lane() {
    let live_config = live_config("[threads]\nidle = \"park\"", free_lines(), [any(), any(), any()]);
    let clock = Clock::new();
    let lane = stamped(&gateway_rig::Setup::default(), Told::default(), None);
    let plan = Plan::new(&live::wishes(&live_config.threads), &Cores::here(), live_config.threads.missing).unwrap();
    let header = FileHeader::new("live", "", vec![], Effects::Bytes);
    let log = Some(Sheet { file: Box::new(Full(2_000)), header });
    let sender = std::net::UdpSocket::bind(any()).unwrap();
    let to = live_config.net.first().lines[0].to;
    let lane = Live::start(lane, &live_config, clock, LiveSetup { log, ..LiveSetup::default() }, &plan).unwrap();
    until("the lane has stopped", || {
        sender.send_to(&[7; 1_000], to).unwrap();
        lane.has_failed()
    });
    let error = log_lost(lane.finish().unwrap());
    assert!(error.contains("no space left"), "{error}");
}

/// Why the log ends before the lane does.
fn log_lost(outcome: live::Outcome) -> String {
    match outcome.log_lost {
        Some(error @ LiveError::Stopped { name: "log", .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// By itself, and at once: whoever runs it may look seldom, and the ring to the log's agent is long.
#[test]
fn a_lane_stops_as_soon_as_nobody_writes_its_log() {
    for layout in ["fused", "split"] {
        let text = format!("[threads]\nlayout = \"{layout}\"");
        let live_config = live_config(&text, free_lines(), [any(), any(), any()]);
        let lane = stamped(&gateway_rig::Setup::default(), Told::default(), None);
        let header = FileHeader::new("live", "", vec![], Effects::Bytes);
        let log = Some(Sheet { file: Box::new(Full(2_000)), header });
        let setup = LiveSetup { log, ..LiveSetup::default() };
        let mut lane = Assembled::new(lane, &live_config, Clock::new(), setup).unwrap();
        let sender = std::net::UdpSocket::bind(any()).unwrap();
        let mut sent = 0;
        until("the lane has stopped", || {
            // A few more than the disk has room for, far fewer than the ring.
            if sent < 10 {
                sender.send_to(&[7; 1_000], live_config.net.first().lines[0].to).unwrap();
                sent += 1;
            }
            if let Some(feed) = &mut lane.agents.feed {
                // It ends when nobody takes anything of it any more.
                let _ended = feed.do_work();
            }
            lane.agents.lane.do_work().unwrap();
            lane.handle().is_failing() && lane.handle().is_over()
        });
        log_lost(lane.finish().unwrap());
    }
}

/// A disk that is full from some moment on.
struct FullFromNowOn(Arc<AtomicBool>);

impl Write for FullFromNowOn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"));
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The last record tells a log that is whole from one that is cut off: that it could not be written is no secret.
#[test]
fn a_log_whose_end_cannot_be_written_is_an_error() {
    let live_config = live_config("[threads]\nidle = \"park\"", free_lines(), [any(), any(), any()]);
    let lane = stamped(&gateway_rig::Setup::default(), Told::default(), None);
    let plan = Plan::new(&live::wishes(&live_config.threads), &Cores::here(), live_config.threads.missing).unwrap();
    let full = Arc::new(AtomicBool::new(false));
    let header = FileHeader::new("live", "", vec![], Effects::Bytes);
    let log = Some(Sheet { file: Box::new(FullFromNowOn(Arc::clone(&full))), header });
    let setup = LiveSetup { log, ..LiveSetup::default() };
    let lane = Live::start(lane, &live_config, Clock::new(), setup, &plan).unwrap();
    full.store(true, Ordering::Relaxed);
    log_lost(lane.finish().unwrap());
}

/// Whoever looks at an order session that is gone sees why.
#[test]
fn a_venue_that_is_not_there_is_said_once_for_each_attempt() {
    use firelane_gateway::shell::live::Notice;
    use firelane_gateway::shell::net::Why;
    let [nobody, _] = free_lines();
    let live_config = live_config("[threads]\nidle = \"park\"", free_lines(), [nobody; 3]);
    let clock = Clock::new();
    let mut setup = gateway_rig::Setup::default();
    setup.entry.reconnect_delay = firelane_gateway::base::Nanos::from_millis(50);
    let lane = stamped(&setup, Told::default(), None);
    let plan = Plan::new(&live::wishes(&live_config.threads), &Cores::here(), live_config.threads.missing).unwrap();
    let lane = Live::start(lane, &live_config, clock, LiveSetup::default(), &plan).unwrap();
    assert!(lane.handle().command(Word::Start));
    let mut refused = 0;
    until("three attempts", || {
        let mut board = lane.handle().board().lock();
        for (_, notice) in board.take_notices() {
            match notice {
                Notice::Link(VenueId::FIRST, SessionId::ORDERS, Some(Why::Refused)) => refused += 1,
                Notice::Alert { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        refused >= 3
    });
    lane.finish().unwrap();
}

/// A disk that answers nothing while it is held up, and is full afterwards if so told.
#[derive(Clone, Default)]
struct Stuck {
    held_up: Arc<AtomicBool>,
    full: Arc<AtomicBool>,
    file: Memory,
}

impl Stuck {
    fn sheet(&self) -> Option<Sheet> {
        Some(Sheet { file: Box::new(self.clone()), header: FileHeader::new("live", "", vec![], Effects::Bytes) })
    }
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        while self.held_up.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.full.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"));
        }
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A setup whose feed waits for a missing message as long as it must.
fn patient() -> gateway_rig::Setup {
    let mut setup = roomy();
    setup.feed.snapshot = None;
    setup.feed.gap_timeout = firelane_gateway::base::Nanos::from_secs(3_600);
    setup
}

/// In layout split the log is stuck, the core waits for it, and the feed waits for the core in the middle of an input that
/// releases more than their ring holds.
fn stopped_while_the_feed_waits(full: bool) {
    let mut live_config = live_config(
        "[threads]\nlayout = \"split\"\nidle = \"park\"\n[log]\nring_bytes = 2097152\n[tape]\nstatus_ms = 10",
        free_lines(),
        [any(), any(), any()],
    );
    live_config.threads.ring = 1 << 19;
    let (lane, disk) = (stamped(&patient(), Told::default(), None), Stuck::default());
    let plan = Plan::new(&live::wishes(&live_config.threads), &Cores::here(), live_config.threads.missing).unwrap();
    let header = FileHeader::new("live", "", vec![], Effects::Bytes);
    let log = Some(Sheet { file: Box::new(disk.clone()), header });
    let setup = LiveSetup { log, ..LiveSetup::default() };
    let lane = Live::start(lane, &live_config, Clock::new(), setup, &plan).unwrap();
    let (sender, to) = (std::net::UdpSocket::bind(any()).unwrap(), live_config.net.first().lines[0].to);
    let status = || lane.handle().board().status();

    disk.held_up.store(true, Ordering::Release);
    // The first message is missing: the others wait, and fill the log.
    let mut next = 2;
    while status().log_stalls.get() == 0 {
        let adds: Vec<_> = (next..next + 1_000).map(|n| gateway_rig::add(1, n, b"B", 100, 99_500)).collect();
        sender.send_to(&gateway_rig::packet(gateway_rig::DAY, next, &adds), to).unwrap();
        next += 1_000;
        let before = status().inputs.get();
        until("the log takes it or is full", || status().inputs.get() > before || status().log_stalls.get() > 0);
    }
    let first = gateway_rig::packet(gateway_rig::DAY, 1, &[gateway_rig::add(1, 1, b"B", 100, 99_500)]);
    sender.send_to(&first, to).unwrap();
    // Once the feed has taken it up, it cannot come to its end: nobody makes room.
    until("the feed has taken it", || unread(to.port()).is_none_or(|bytes| bytes == 0));
    std::thread::sleep(Duration::from_millis(if unread(to.port()).is_none() { 200 } else { 20 }));

    disk.full.store(full, Ordering::Release);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || drop(tell.send(lane.finish())));
    std::thread::sleep(Duration::from_millis(20));
    disk.held_up.store(false, Ordering::Release);
    let outcome = told.recv_timeout(PATIENCE).expect("an end");
    if full {
        log_lost(outcome.unwrap());
        return;
    }
    let lane = outcome.unwrap().lane;
    assert_eq!(
        lane.next_sequence(VenueId::FIRST),
        Some(next),
        "the feed had taken up what fills the ring between the two"
    );
    let verified = verify(&disk.file.bytes()[..], |_| Ok(stamped(&patient(), Told::default(), None)), |_| {}).unwrap();
    assert!(verified.complete && verified.inputs == lane.inputs(), "{verified:?}");
}

/// Bytes that wait at a UDP port of this machine, where the system says it.
fn unread(port: u16) -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/udp").ok()?;
    let row = table
        .lines()
        .find(|row| row.split_whitespace().nth(1).is_some_and(|at| at.ends_with(&format!(":{port:04X}"))))?;
    u64::from_str_radix(row.split_whitespace().nth(4)?.split(':').nth(1)?, 16).ok()
}

#[test]
fn a_feed_that_waits_for_the_core_ends_with_it() {
    stopped_while_the_feed_waits(false);
}

#[test]
fn a_feed_that_waits_for_a_core_without_a_log_ends_too() {
    stopped_while_the_feed_waits(true);
}

/// Driven by hand, with a log that has no room: what the feed took last is behind a status of its in the ring.
#[test]
fn the_log_holds_what_the_feed_took_before_it_was_stopped() {
    let live_config = live_config(
        "[threads]\nlayout = \"split\"\n[log]\nring_bytes = 2097152\n[tape]\nstatus_ms = 10",
        free_lines(),
        [any(), any(), any()],
    );
    let disk = Stuck::default();
    let header = FileHeader::new("live", "", vec![], Effects::Bytes);
    let log = Some(Sheet { file: Box::new(disk.clone()), header });
    let setup = LiveSetup { log, ..LiveSetup::default() };
    let lane = stamped(&patient(), Told::default(), None);
    let mut lane = Assembled::new(lane, &live_config, Clock::new(), setup).unwrap();
    let (sender, to) = (std::net::UdpSocket::bind(any()).unwrap(), live_config.net.first().lines[0].to);
    let board = lane.handle().board().clone();
    disk.held_up.store(true, Ordering::Release);
    until("the log is full", || {
        sender.send_to(&[7; 60_000], to).unwrap();
        turn(&mut lane.agents);
        board.status().log_stalls.get() > 0
    });
    let Agents { feed: Some(feed), lane: core } = &mut lane.agents else { panic!("split") };
    // Empty the lines.
    until("the feed is done", || feed.do_work().unwrap() == 0);
    std::thread::sleep(Duration::from_millis(20));
    feed.do_work().unwrap();
    sender.send_to(&[8; 1_000], to).unwrap();
    assert!(feed.do_work().unwrap() > 0 && core.do_work().unwrap() == 0);
    let finished = std::thread::spawn(move || lane.finish());
    std::thread::sleep(Duration::from_millis(50));
    disk.held_up.store(false, Ordering::Release);
    let lane = finished.join().unwrap().unwrap().lane;
    let verified = verify(&disk.file.bytes()[..], |_| Ok(stamped(&patient(), Told::default(), None)), |_| {}).unwrap();
    assert!(verified.complete && verified.inputs == lane.inputs(), "{verified:?}");
}

/// A lane that follows one line does not take the address of the other: two such can run on one machine.
/// A thread that spins looks at the line that is behind in its turn alone; one that sleeps has slept long enough.
#[test]
fn who_sleeps_between_duty_cycles_looks_at_every_line() {
    for layout in ["fused", "split"] {
        let mut floor = Floor::trading(&format!("[threads]\nlayout = \"{layout}\""));
        let slow_turn = |floor: &mut Floor| {
            std::thread::sleep(Duration::from_millis(1));
            turn(&mut floor.lane.agents)
        };
        // Three cycles a round, so that each phase of four comes up.
        for round in 0..8 {
            slow_turn(&mut floor);
            floor.noise_on(0, 20);
            assert!(slow_turn(&mut floor) > 0, "{layout}, round {round}: line A leads");
            floor.noise_on(1, 20);
            assert!(slow_turn(&mut floor) > 0, "{layout}, round {round}: line B");
        }
        floor.finish();
    }
}

#[test]
fn with_one_line_the_other_is_not_listened_to() {
    use firelane_gateway::shell::live::Assembled;
    let [_, shared] = free_lines();
    let lanes = [free_lines()[0], free_lines()[0]].map(|own| {
        let config = live_config("[feed]\nlines = 1", [own, shared], [any(), any(), any()]);
        let clock = Clock::new();
        let lane = stamped(&gateway_rig::Setup::default(), Told::default(), None);
        Assembled::new(lane, &config, clock, LiveSetup::default()).unwrap()
    });
    for lane in lanes {
        lane.finish().unwrap();
    }
}
