//! A live lane of three venues, two of Nasdaq's kind and one of levels, each on a thread of its own and real sockets.

use super::rig::{Ledger, Memory, PATIENCE, any, free_lines, spawn};
use super::until;
use firelane_gateway::base::VenueId;
use firelane_gateway::flow::record::VenueStatusBody;
use firelane_gateway::flow::risk::ShortSale;
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig};
use firelane_gateway::flow::strategy::{MarketMaker, MarketMakerConfig};
use firelane_gateway::flow::{CommandBuf, Gateway, Word};
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::live::{self, Live, Notice, Setup};
use firelane_gateway::shell::plan::{Cores, Plan};
use firelane_gateway::shell::plug::House;
use firelane_gateway::shell::trace::StageProbe;
use firelane_gateway::shell::verify::verify;
use firelane_sim::net::Faults;
use firelane_sim::reconcile::{self, Statement};
use firelane_sim::server::{Addresses, Command, Running, VenueConfig, build};
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const VENUES: [VenueId; 3] = [VenueId(0), VenueId(1), VenueId(2)];
/// The one of levels.
const FAR: usize = 2;

/// A venue at these addresses, or at any that are free.
fn venue(at: usize, faults: Faults, journal: &Path, addresses: Option<&Addresses>) -> Running {
    let text = format!(
        "kind = {:?}\njournal = {:?}\n[market]\nsymbols = 3\nrate = 600\nday = 2024-11-20\nseed = {}\n",
        if at == FAR { "levels" } else { "nasdaq" },
        journal.join(format!("{at}.journal")).display().to_string(),
        11 + at
    );
    let mut config = VenueConfig::parse(&text).unwrap();
    config.setup.faults = faults;
    let free = &mut config.setup.addresses;
    free.lines = free_lines().map(|line| vec![line]);
    (free.rerequest, free.snapshot, free.orders) = (any(), any(), vec![any()]);
    free.levels = free.levels.map(|_| any());
    if let Some(addresses) = addresses {
        *free = addresses.clone();
    }
    spawn(build(&config, None, &|name| Some(format!("{}{at}", &name[9..12]))).unwrap())
}

/// A `[[venue]]` for each.
fn configuration(layout: &str, venues: &[Running; 3]) -> String {
    let mut text = format!(
        "[threads]\nlayout = {layout:?}\nidle = \"park\"\n[tape]\nstatus_ms = 20\n[feed]\nline_timeout_ms = 1500\n\
         [stream]\ntimeout_ms = 1500\nretry_after_ms = 20\nslow_retry_after_ms = 100\n[entry]\nreconnect_delay_ms = 100\n\
         [instruments]\ncapacity = 16\n[books]\norders = 8192\nlevels = 4096\nown = 256\n"
    );
    for (at, venue) in venues.iter().enumerate() {
        let addresses = venue.handle().addresses();
        let orders = addresses.orders[0];
        let market = match addresses.levels {
            Some(levels) => format!("stream = \"{levels}\""),
            None => format!(
                "line_a = \"{}\"\nline_b = \"{}\"\nrerequest = \"{}\"\nsnapshot = \"{}\"",
                addresses.lines[0][0], addresses.lines[1][0], addresses.rerequest, addresses.snapshot
            ),
        };
        let kind = if at == FAR { "levels" } else { "nasdaq" };
        let row =
            format!("[[venue]]\nname = \"V{at}\"\nkind = {kind:?}\n[venue.net]\norders = \"{orders}\"\n{market}\n");
        let _infallible = write!(text, "{row}");
    }
    text
}

fn lane(config: &Config, clock: Option<Clock>) -> Box<dyn Lane> {
    let signal = Imbalance::new(&ImbalanceConfig::default()).unwrap();
    let maker = MarketMaker::new(&MarketMakerConfig::default(), config.instruments).unwrap();
    Box::new(Gateway::new(House::new(config, StageProbe::new(clock)).with_any(signal, maker).unwrap()).unwrap())
}

/// Everything on threads.
struct Street {
    venues: [Running; 3],
    live: Live,
    config: Config,
    log: Memory,
    ledger: Ledger,
}

impl Street {
    fn open(layout: &str, faults: Faults, journal: &Path) -> Self {
        let venues = [0, 1, 2].map(|at| venue(at, faults, journal, None));
        let mut config = Config::parse(&configuration(layout, &venues)).unwrap();
        config.risk.each.short = ShortSale::Located;
        let passwords =
            config.venues.map(|at, venue| venue.passwords(|name| Some(format!("{}{}", &name[9..12], at.0))));
        let passwords = passwords.try_map(|_, read| read.clone()).unwrap();
        let (clock, log, ledger) = (Clock::new(), Memory::default(), Ledger::default());
        let threads = &config.live.threads;
        let plan = Plan::new(&live::wishes(threads), &Cores::here(), threads.missing).unwrap();
        let setup = Setup {
            logins: passwords.into(),
            log: log.sheet(),
            observers: vec![Box::new(ledger.clone())],
            ..Setup::default()
        };
        let lane = lane(&config, Some(clock.clone()));
        let live = Live::start(lane, &config.live, clock, setup, &plan).unwrap();
        assert!(live.handle().command(Word::Start));
        Street { venues, live, config, log, ledger }
    }

    fn at(&self, venue: usize) -> VenueStatusBody {
        self.live.handle().board().lock().venues.get(venue).copied().unwrap_or_default()
    }

    fn is_whole(&self, venue: usize) -> bool {
        let said = self.at(venue);
        (said.live_market, said.stale.get(), said.ready) == (1, 0, 1)
    }

    fn orders(&self, venue: usize) -> usize {
        self.venues[venue].status().ports[0].orders
    }

    /// Every venue gets orders, more of them than before.
    fn trades_everywhere(&self) {
        let before = VENUES.map(|venue| self.orders(venue.0.into()));
        until("orders at each venue", || VENUES.iter().all(|v| self.orders(v.0.into()) > before[usize::from(v.0)] + 2));
    }

    /// Comes to rest, compares each venue with what the lane has there, and verifies the log.
    fn close(self) {
        let Street { venues, live, config, log, ledger } = self;
        let handle = live.handle().clone();
        venues.iter().for_each(|venue| assert!(venue.tell(Command::Stop)));
        assert!(handle.command(Word::Shutdown));
        std::thread::sleep(Duration::from_millis(100));
        venues.iter().for_each(|venue| assert!(venue.tell(Command::Heal)));
        let at_rest = |(at, venue): (usize, &Running)| {
            let said = handle.board().lock().venues[at];
            let came = at == FAR || said.market.next_sequence.get() == venue.status().next_sequence;
            came && said.live_market == 1 && said.stale.get() == 0
        };
        until("rest", || handle.is_over() && venues.iter().enumerate().all(at_rest));
        let outcome = live.finish().unwrap();
        let lane = &*outcome.lane;
        let ledger = ledger.0.lock().unwrap();
        let mut found = reconcile::check_at_rest(lane);
        for (venue, running) in VENUES.into_iter().zip(venues) {
            let far_end = running.shutdown().unwrap();
            far_end.check().unwrap();
            let theirs = Statement::of_venue(far_end.exchange(), 0);
            let theirs = if venue == VENUES[FAR] { theirs.in_levels() } else { theirs };
            assert!(!theirs.orders.is_empty(), "no order arrived at venue {}", venue.0);
            found.extend(reconcile::compare(&Statement::of_lane(lane, venue, &ledger), &theirs));
        }
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
        assert_eq!(handle.board().status().tape_lost.get(), 0);
        let verified = verify(&log.bytes()[..], |_| Ok(self::lane(&config, None)), |_| {}).unwrap();
        assert!(verified.complete && verified.inputs == lane.inputs(), "{verified:?}");
    }
}

/// Under faults of each, with a kill and a snapshot of one in the middle.
fn trade(layout: &str, faults: Faults) {
    let folder = tempfile::tempdir().unwrap();
    let street = Street::open(layout, faults, folder.path());
    let handle = street.live.handle().clone();
    street.trades_everywhere();
    let before = street.at(1).market.snapshots.get();
    assert!(handle.command(CommandBuf::snapshot(VenueId(1))));
    until("a splice at the second venue", || street.at(1).market.snapshots.get() > before);
    assert!(handle.command(Word::Kill));
    until("the kill", || {
        handle.board().status().killed == 1 && VENUES.iter().all(|v| street.at(v.0.into()).live.get() == 0)
    });
    assert!(handle.command(Word::Release));
    street.trades_everywhere();
    if faults == Faults::Heavy {
        until("what the second venue's re-request server fills in", || {
            street.at(1).market.filled_by_rerequest.get() > 0
        });
    }
    let counters = handle.board().lock().counters();
    for name in [
        "sockets.line_a.datagrams",
        "venue1.sockets.line_b.datagrams",
        "venue2.sockets.stream.received_bytes",
        "venue1.sockets.orders.sent_bytes",
    ] {
        assert!(counters[name] > 0, "{name}: {counters:?}");
    }
    assert!(!counters.contains_key("venue2.sockets.line_a.datagrams") && counters["counters.left_out"] == 0);
    street.close();
}

#[test]
fn three_venues_on_one_thread_agree_with_the_lane_and_its_log_verifies() {
    trade("fused", Faults::None);
    trade("fused", Faults::Heavy);
}

#[test]
fn three_venues_and_two_threads_agree_and_the_log_verifies() {
    trade("split", Faults::None);
    trade("split", Faults::Heavy);
}

/// Its books and its order session, and nobody else's; when it is back it is whole again.
#[test]
fn a_venue_that_is_killed_and_comes_back_stales_its_own_books_alone() {
    for (layout, sick) in [("fused", 1), ("split", FAR)] {
        let folder = tempfile::tempdir().unwrap();
        let mut street = Street::open(layout, Faults::None, folder.path());
        until("all is whole", || (0..3).all(|at| street.is_whole(at)));
        street.trades_everywhere();
        let addresses = street.venues[sick].handle().addresses().clone();
        let others: Vec<usize> = (0..3).filter(|at| *at != sick).collect();
        // A thread that ends closes its sockets without a word, as a process does that is killed.
        let elsewhere = tempfile::tempdir().unwrap();
        let standby = venue(sick, Faults::None, elsewhere.path(), None);
        let gone = std::mem::replace(&mut street.venues[sick], standby);
        drop(gone.shutdown().unwrap());
        let began = Instant::now();
        while street.at(sick).stale.get() < 3 || street.at(sick).live_market == 1 || street.at(sick).ready == 1 {
            assert!(began.elapsed() < PATIENCE, "{layout}: its books are not stale");
            assert!(others.iter().all(|at| street.is_whole(*at)), "{layout}: another one is not whole");
            std::thread::sleep(Duration::from_millis(5));
        }
        // The others are traded at meanwhile.
        let before: Vec<usize> = others.iter().map(|at| street.orders(*at)).collect();
        until("orders at the others", || others.iter().zip(&before).all(|(at, before)| street.orders(*at) > *before));
        assert!(others.iter().all(|at| street.is_whole(*at)), "{layout}");
        let back = venue(sick, Faults::None, folder.path(), Some(&addresses));
        drop(std::mem::replace(&mut street.venues[sick], back).shutdown());
        until("it is whole again", || street.is_whole(sick));
        street.trades_everywhere();
        let notices: Vec<Notice> =
            street.live.handle().board().lock().take_notices().map(|(_, notice)| notice).collect();
        let lost = |at: usize| {
            let of = |notice: &&Notice| matches!(notice, Notice::Link(venue, _, Some(_)) if usize::from(venue.0) == at);
            notices.iter().filter(of).count()
        };
        assert!(lost(sick) > 0 && others.iter().all(|at| lost(*at) == 0), "{layout}: {notices:?}");
        street.close();
    }
}
