//! `firelane demo`: gateway and venue on threads of their own, over loopback, with every order's way measured.

use super::report::{Account, LiveFigures, Report, SPLIT_CORES};
use super::{files, firm, world_config};
use crate::beside::BesideLive;
use crate::cli::Demo;
use crate::output::notice;
use crate::replay::input::Recording;
use crate::replay::{counted, group};
use crate::times::in_short;
use crate::{layout, progress, wirings};
use anyhow::{Context, Result, anyhow, bail};
use firelane_gateway::base::VenueId;
use firelane_gateway::flow::wire::soupbintcp::Password;
use firelane_gateway::flow::{CommandBuf, Word};
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::{Config, Layout, NetConfig};
use firelane_gateway::shell::live::{self, Live, Observer, Outcome, Setup, Sheet};
use firelane_gateway::shell::net::LineAddress;
use firelane_gateway::shell::plan::{Cores, Plan, Wish};
use firelane_gateway::shell::signals::{self, LastWords};
use firelane_gateway::shell::sync::Stop;
use firelane_sim::far_end::FarEnd;
use firelane_sim::net::Faults;
use firelane_sim::reconcile::{self, Statement, TapeLedger};
use firelane_sim::rng::Rng;
use firelane_sim::server::{Addresses, Command, Running, VenueConfig, VenueServer, VenueStatus, build};
use firelane_sim::world::{WorldConfig, WorldStats};
use indicatif::ProgressBar;
use std::fs::File;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often to look at how both are doing.
const LOOK: Duration = Duration::from_millis(20);
/// The faults go on for so long after trading has ended.
const HEAL_AFTER: Duration = Duration::from_millis(500);
/// The gateway's only port at the venue.
const PORT: u16 = 0;
/// Demos that can run at once, each on ports so far above those of the one before. The highest still lie below those that
/// Linux hands out by itself, from 32,768 on.
const PLACES: u16 = 256;
const PLACE: u16 = 16;
/// Name of the venue's thread.
const VENUE: &str = "venue";

pub(super) fn play(options: &Demo, config: Config, recording: Option<Recording>) -> Result<Report> {
    let beside = BesideLive::of(&config)?;
    play_beside(options, config, recording, beside)
}

/// The same, with those beside the lane that the configuration has.
pub(super) fn play_beside(
    options: &Demo,
    mut config: Config,
    recording: Option<Recording>,
    mut beside: BesideLive,
) -> Result<Report> {
    let world = world_config(options, &config);
    let (server, _claim) = venue(options, &config, &world, recording)?;
    set_addresses(config.live.net.first_mut(), server.handle().addresses());
    let threads = &config.live.threads;
    let mut wishes = live::wishes(threads);
    wishes.push(Wish { idle: threads.idle, ..Wish::auto(VENUE) });
    let plan = Plan::new(&wishes, &Cores::here(), threads.missing)?;
    let clock = Clock::new();
    let lane = wirings::build(&config, Some(clock.clone()))?;
    let tape = Ledger::default();
    let header = wirings::header(&config, &*lane).began_at(clock.began());
    let [log, tape_file] = files(options)?;
    let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(tape.clone())];
    observers.extend(beside.observers());
    let sheet = |file: Option<File>| file.map(|file| Sheet { file: Box::new(file), header: header.clone() });
    let setup = Setup {
        logins: (Password(world.orders.password), Password(world.snapshot.password)).into(),
        log: sheet(log),
        tape: sheet(tape_file),
        observers,
        commanders: BesideLive::COMMANDERS.to_vec(),
        kill: signals::kill_switch()?,
        ..Setup::default()
    };
    if !options.json {
        greet(options, &config, &plan, &clock);
    }
    let live = Live::start(lane, &config.live, clock, setup, &plan)?;
    beside.commands(live.handle())?;
    let seat = plan.seat(VENUE).context("the venue has no place in the plan")?;
    let venue = Running::spawn(server, seat.idle, seat.core)?;
    let began = Instant::now();
    let words = LastWords::default();
    words.are(|| "Ended at once: venue and gateway are gone, and nothing was compared.".to_owned());
    let stop = signals::asked_to_end(words)?;
    let bar = progress::time(options.seconds * 1_000);
    let mut run =
        Run { options, world: &world, live, venue, tape, beside, stop, bar, traded: Duration::ZERO, was_ready: false };
    let outcome = run.until_rest();
    let seconds = began.elapsed();
    run.bar.finish_and_clear();
    run.finish(&config, outcome.err(), seconds, &plan)
}

/// The venue, with its sockets open. With the default configuration it has the usual ports, or the next ones above them that are
/// free, claimed as long as the second value is held.
fn venue(
    options: &Demo,
    config: &Config,
    world: &WorldConfig,
    recording: Option<Recording>,
) -> Result<(VenueServer, Option<TcpListener>)> {
    let mut venue = VenueConfig::parse("").context("the venue's default configuration")?;
    venue.setup.addresses = addresses(config.live.net.first());
    let claim = if options.config.is_none() {
        let (free, claim) = claim_near(&venue.setup.addresses).context(
            "no ports are free on the loopback, from the usual ones on: end other demos, or name ports in a --config",
        )?;
        venue.setup.addresses = free;
        Some(claim)
    } else {
        None
    };
    venue.setup.multicast.interface = config.live.net.first().lines[0].interface;
    (venue.setup.faults, venue.setup.seed) = (world.faults, world.seed);
    if let Some(speed) = options.speed {
        venue.setup.speed = speed;
    }
    venue.market.symbols = options.symbols;
    venue.market.rate = u32::try_from(options.rate)?;
    // What is asked for is not to be held back by the limit of a line.
    let limit = &mut venue.setup.limits.datagrams_per_second;
    *limit = (*limit).max(venue.market.rate);
    venue.market.day = config.venues.first().day;
    venue.market.code = config.venues.first().trading.market;
    let [port] = &mut venue.ports[..] else { bail!("the venue's default configuration has not one port") };
    port.username = world.orders.username;
    port.firm = firm(config);
    port.locate_required = true;
    venue.snapshot.username = world.snapshot.username;
    let (orders, snapshot) = (port.password_env.clone(), venue.snapshot.password_env.clone());
    let secret = |name: &str| {
        let login = if name == orders { world.orders } else { world.snapshot };
        (name == orders || name == snapshot).then(|| String::from_utf8_lossy(&login.password).trim_end().to_owned())
    };
    Ok((build(&venue, recording.map(Recording::into_bytes), &secret)?, claim))
}

/// Where the gateway expects everything.
fn addresses(net: &NetConfig) -> Addresses {
    Addresses {
        lines: net.lines.map(|line| vec![line.to]),
        rerequest: net.rerequest,
        snapshot: net.snapshot,
        levels: None,
        orders: vec![net.orders],
    }
}

/// All of them, if they are to be had and no other demo is about to take them, or to look: two that start at once would
/// both find them free. It is a listener where only datagrams go.
fn claim(addresses: &Addresses) -> Option<TcpListener> {
    let claim = TcpListener::bind(addresses.lines[0].first()?).ok()?;
    are_free(addresses).then_some(claim)
}

/// Are all of them to be had on this machine? A port is held for no longer than the look takes.
fn are_free(addresses: &Addresses) -> bool {
    let Addresses { lines, rerequest, snapshot, levels: _, orders } = addresses;
    let udp = lines.iter().flatten().chain([rerequest]).all(|address| UdpSocket::bind(address).is_ok());
    udp && orders.iter().chain([snapshot]).all(|address| TcpListener::bind(address).is_ok())
}

/// These, or the next ones above them that are free. Not those that the system hands out by itself: it might give a line's
/// port to another socket before the gateway listens there.
pub(super) fn claim_near(usual: &Addresses) -> Option<(Addresses, TcpListener)> {
    (0..PLACES).find_map(|place| {
        let addresses = above(usual, place * PLACE)?;
        claim(&addresses).map(|claim| (addresses, claim))
    })
}

/// The same, so many ports further up, as far as there are any.
fn above(usual: &Addresses, by: u16) -> Option<Addresses> {
    let up = |at: &SocketAddr| Some(SocketAddr::new(at.ip(), at.port().checked_add(by)?));
    let all = |of: &Vec<SocketAddr>| of.iter().map(up).collect::<Option<Vec<SocketAddr>>>();
    Some(Addresses {
        lines: [all(&usual.lines[0])?, all(&usual.lines[1])?],
        rerequest: up(&usual.rerequest)?,
        snapshot: up(&usual.snapshot)?,
        levels: None,
        orders: all(&usual.orders)?,
    })
}

/// Tells the gateway where the venue really is.
fn set_addresses(net: &mut NetConfig, at: &Addresses) {
    for (line, to) in net.lines.iter_mut().zip(&at.lines) {
        if let Some(to) = to.first() {
            *line = LineAddress { to: *to, ..*line };
        }
    }
    (net.rerequest, net.snapshot) = (at.rerequest, at.snapshot);
    if let Some(orders) = at.orders.first() {
        net.orders = *orders;
    }
}

fn log_name(options: &Demo) -> String {
    options.log.as_deref().map_or("the log".to_owned(), |path| path.display().to_string())
}

fn greet(options: &Demo, config: &Config, plan: &Plan, clock: &Clock) {
    let net = config.live.net.first();
    notice(format_args!("A venue and the gateway, {} on loopback, for {} s:", config.wiring, options.seconds));
    notice(format_args!("  market data   UDP {} and {} (MoldUDP64, ITCH 5.0)", net.lines[0].to, net.lines[1].to));
    notice(format_args!("  recovery      UDP {} (re-requests), TCP {} (Glimpse)", net.rerequest, net.snapshot));
    notice(format_args!("  orders        TCP {} (SoupBinTCP, OUCH 5.0)", net.orders));
    notice(format_args!("  threads       layout {}, clock: {}", config.live.threads.layout.word(), clock.source()));
    for line in plan.to_string().lines() {
        notice(format_args!("                {line}"));
    }
    let cores = Cores::here().count();
    if config.live.threads.layout == Layout::Split && cores < SPLIT_CORES {
        let text = format!(
            "  expect        feed, core and venue take turns on {cores} core{}: orders take up to milliseconds, and layout \
             fused is faster here. With {SPLIT_CORES} cores each has its own.",
            if cores == 1 { "" } else { "s" }
        );
        notice(format_args!("{}", layout::sentence(&text, 16)));
    }
    notice(format_args!(""));
}

/// The tape's account of the gateway's orders, kept on a thread of its own.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<TapeLedger>>);

impl Observer for Ledger {
    fn name(&self) -> &'static str {
        "account"
    }

    fn on_record(&mut self, record: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).on_record(record);
    }
}

impl Ledger {
    fn ends_of_session(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counts().ends_of_session
    }
}

/// Both sides, running.
struct Run<'a> {
    options: &'a Demo,
    world: &'a WorldConfig,
    live: Live,
    venue: Running,
    tape: Ledger,
    beside: BesideLive,
    /// Raised by a signal: trading ends now, and the rest in order.
    stop: Stop,
    bar: ProgressBar,
    /// How long the market traded.
    traded: Duration,
    /// Order entry was ready meanwhile.
    was_ready: bool,
}

/// What somebody does to the gateway.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Deed {
    Start,
    Snapshot,
    Kill,
    Release,
}

impl Run<'_> {
    /// The market trades; everyone else stops, the lane shuts down and the network heals; the publisher ends its session.
    /// As in the virtual world.
    fn until_rest(&mut self) -> Result<()> {
        let trade_for = Duration::from_nanos(self.world.trade_for.0);
        let mut plan = plan(self.world).into_iter().peekable();
        let began = Instant::now();
        while began.elapsed() < trade_for && !self.stop.is_stopped() {
            while let Some((_, deed)) = plan.next_if(|(at, _)| *at <= began.elapsed()) {
                let command = match deed {
                    Deed::Start => Word::Start.into(),
                    Deed::Snapshot => CommandBuf::snapshot(VenueId::FIRST),
                    Deed::Kill => Word::Kill.into(),
                    Deed::Release => Word::Release.into(),
                };
                if !self.live.handle().command(command) {
                    bail!("{command:?}: too many commands wait already");
                }
            }
            self.look(began.elapsed())?;
            self.was_ready |= self.live.handle().board().status().ready == 1;
        }
        self.traded = began.elapsed();
        // Whatever was still planned: an order that no kill switch holds back can be cancelled and answered.
        let _released = self.live.handle().command(Word::Release);
        self.venue.tell(Command::Stop);
        let stopped = Instant::now();
        let within = Duration::from_nanos(self.world.rest_within.0);
        let mut asked = false;
        let mut healed = false;
        loop {
            asked = asked || self.live.handle().command(Word::Shutdown);
            if !healed && stopped.elapsed() >= HEAL_AFTER {
                healed = self.venue.tell(Command::Heal);
            }
            let Some(waiting) = self.waiting() else { break };
            if stopped.elapsed() > within {
                bail!("not at rest after {} s: {waiting}", within.as_secs());
            }
            self.bar.set_message(format!("coming to rest: {waiting}"));
            self.look(trade_for)?;
        }
        self.venue.tell(Command::EndSession);
        while self.tape.ends_of_session() == 0 {
            if stopped.elapsed() > within {
                bail!("not at rest after {} s: the end of the market-data session has not come", within.as_secs());
            }
            self.look(trade_for)?;
        }
        Ok(())
    }

    /// What is still waited for before the market-data session is ended.
    fn waiting(&self) -> Option<String> {
        self.venue.tell(Command::Report);
        let (lane, venue) = (self.live.handle().board().status(), self.venue.status());
        if !self.live.handle().is_over() {
            return Some(format!("order entry is not over, {} orders live", lane.live));
        }
        if lane.market.next_sequence.get() != venue.next_sequence {
            return Some(format!(
                "the lane waits for message {}, the publisher is at {}",
                lane.market.next_sequence, venue.next_sequence
            ));
        }
        let stale = lane.stale.get();
        (stale > 0 || lane.live_market == 0).then(|| format!("{stale} stale books"))
    }

    /// Waits a little, and shows how both are doing.
    fn look(&mut self, elapsed: Duration) -> Result<()> {
        std::thread::sleep(LOOK);
        if self.live.has_failed() || self.venue.is_finished() {
            bail!("a thread has stopped");
        }
        let board = self.live.handle().board().lock();
        let (status, tick_to_trade) = (board.status, board.latency.percentiles());
        drop(board);
        self.bar.set_position(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        self.bar.set_message(format!(
            "{:.0} of {} s{}: {}{}",
            elapsed.as_secs_f64(),
            self.options.seconds,
            if status.killed == 1 { ", KILLED" } else { "" },
            counted(&[
                (status.messages.get(), "messages"),
                (status.market.gaps.get(), "gaps"),
                (status.orders.get(), "orders"),
                (status.fills.get(), "fills"),
            ]),
            in_short(&tick_to_trade),
        ));
        Ok(())
    }

    /// Stops both sides and compares them.
    fn finish(self, config: &Config, error: Option<anyhow::Error>, took: Duration, plan: &Plan) -> Result<Report> {
        let Run { options, live, venue, tape, beside, traded, was_ready, .. } = self;
        let board = live.handle().board().clone();
        if live.has_failed() {
            // The venue is still there: as in a run, nothing is left behind.
            live.shut_down(|| {});
        }
        let outcome = live.finish();
        let handle = venue.handle().clone();
        let far_end = venue.shutdown().map_err(|e| anyhow!("the venue: {e}"))?;
        let Outcome { lane, summary, cycles, unpinned, log_lost, tape_lost, unobserved } = outcome?;
        let status = handle.status();
        let tape = tape.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut differences = reconcile::compare(
            &Statement::of_lane(&*lane, VenueId::FIRST, &tape),
            &Statement::of_venue(far_end.exchange(), PORT),
        );
        differences.extend(reconcile::check_at_rest(&*lane));
        let mut differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
        differences.extend(far_end.check().err().map(|error| format!("the venue contradicts itself: {error}")));
        let board = board.lock();
        for (lost, why) in [(board.status.tape_lost.get(), "found no room"), (unobserved, "came too fast")] {
            if lost > 0 {
                differences.push(format!("{lost} records of the tape {why}: the account of orders has holes"));
            }
        }
        let account = Account {
            lane: &*lane,
            tape: tape.counts(),
            volumes: tape.traded().clone(),
            symbols: far_end.exchange().symbols().len(),
            stats: stats(&status, &far_end),
            summary,
            seconds: took.as_secs_f64(),
            traded: traded.as_secs_f64(),
            wall: took,
            differences,
            error: match log_lost {
                Some(lost) => Some(format!(
                    "the log {} could not be written any more ({lost}): the gateway took no more of the market, cancelled and \
                     logged out; {} orders lived at the end. Make room, and run it again.",
                    log_name(options),
                    group(lane.orders().live_count().into())
                )),
                None => error.map(|error| format!("{error:#}")),
            },
            tape_error: tape_lost
                .map(|lost| lost.to_string())
                .or_else(|| (board.tape_unwritten > 0).then(|| "its disk was too slow".to_owned()))
                .map(|why| format!("{why}; {} records are not in the file", group(board.tape_unwritten))),
            beside: beside.reports(),
            live: Some(LiveFigures {
                layout: config.live.threads.layout.word(),
                latency: board.latency.clone(),
                counters: board.counters(),
                log_stalls: board.status.log_stalls.get(),
                was_ready,
                cycles,
                threads: plan.seats().iter().map(|seat| (seat.name.to_string(), seat.idle.word())).collect(),
                unpinned,
            }),
        };
        Ok(Report::of(options, config, &account))
    }
}

/// When what happens to the gateway: under heavy faults it comes late now and then, somebody mistrusts its books and asks
/// for a snapshot, and somebody throws the kill switch.
fn plan(world: &WorldConfig) -> Vec<(Duration, Deed)> {
    let (start, end) = (world.late_by.0, world.trade_for.0);
    let at = Duration::from_nanos;
    let mut plan = vec![(at(start), Deed::Start)];
    if world.faults == Faults::Heavy {
        let mut rng = Rng::new(world.seed, "live plans");
        // Order entry needs a second to be ready; what is killed should have something to cancel.
        let first = (start + (end - start) / 3).min(end);
        plan.push((at(rng.between(first, end)), Deed::Snapshot));
        for _ in 0..rng.between(1, 1 + end / 20_000_000_000) {
            let kill = rng.between(first, end);
            plan.push((at(kill), Deed::Kill));
            plan.push((at(kill + rng.between(100_000_000, 500_000_000)), Deed::Release));
        }
    }
    plan.sort();
    plan
}

fn stats(status: &VenueStatus, far_end: &FarEnd) -> WorldStats {
    let around = far_end.stats();
    WorldStats {
        datagrams: status.datagrams,
        streams: status.streams,
        rerequest: around.rerequest,
        glimpse: around.glimpse,
        session_changes: around.session_changes,
        hang_ups: around.hang_ups,
        published: around.published,
        ..WorldStats::default()
    }
}
