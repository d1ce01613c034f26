//! Several lanes in one process at one venue: leases move while they trade, one that is killed or fails leaves the others
//! trading, and each log stands alone.

use super::rig::*;
use super::until;
use firelane_gateway::base::Notional;
use firelane_gateway::flow::Word;
use firelane_gateway::flow::command::{Command as Said, CommandBytes, Commander, To};
use firelane_gateway::flow::record::{Kind, StatusBody};
use firelane_gateway::flow::risk::LaneLimitChange;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::{Config, Fleet};
use firelane_gateway::shell::firm::{FirmLimits, Moved};
use firelane_gateway::shell::lanes::{self, Ended, LaneSetup, Lanes, Phase, Why};
use firelane_gateway::shell::live::{Handle, Setup as LiveSetup, Sheet};
use firelane_gateway::shell::log::{Effects, FileHeader, FileReader};
use firelane_gateway::shell::net::KillSwitch;
use firelane_gateway::shell::plan::Cores;
use firelane_gateway::shell::plug::{Plugged, plugged};
use firelane_gateway::shell::plugs::Maker;
use firelane_gateway::shell::verify::verify;
use firelane_sim::order_flow::symbol_name;
use firelane_sim::server::{Running, VenueConfig, build};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const NAMES: [&str; 2] = ["north", "south"];
/// Money units in one unit of the currency.
const UNIT: i128 = 10_000;

fn maker() -> Plugged {
    plugged::<Maker>()
}

/// A venue with a port for each lane, and lines to both of them; the lanes' configuration.
fn world(layout: &str) -> (Running, Fleet) {
    let lines = [free_lines(), free_lines()];
    let mut config = VenueConfig::parse("").unwrap();
    let at = &mut config.setup.addresses;
    at.lines = [0, 1].map(|line| lines.iter().map(|of| of[line]).collect());
    (at.rerequest, at.snapshot, at.orders) = (any(), any(), vec![any(), any()]);
    (config.market.symbols, config.market.rate, config.market.day) = (6, 3_000, 20_000);
    let mut port = config.ports[0].clone();
    port.locate_required = false;
    config.ports = ["NORTH1", "SOUTH1"]
        .map(|name| {
            let mut port = port.clone();
            port.username.copy_from_slice(name.as_bytes());
            port.session = if name == "NORTH1" { *b"ORDERS0001" } else { *b"ORDERS0002" };
            port
        })
        .into();
    let (orders, snapshot) = (port.password_env, config.snapshot.password_env.clone());
    let secret = move |name: &str| {
        [(&orders, "ORDERS"), (&snapshot, "SNAPSHOT")].into_iter().find(|(n, _)| *n == name).map(|(_, s)| s.to_owned())
    };
    let server = build(&config, None, &secret).unwrap();
    let at = server.handle().addresses().clone();
    let lane = |n: usize| {
        let symbols = [0, 1, 2].map(|k| format!("{:?}", symbol_name(2 * k + n).to_string())).join(", ");
        format!(
            "[[lane]]\nname = {:?}\ninstruments.listed = [{symbols}]\nentry.username = {:?}\n\
             net = {{ line_a = \"{}\", line_b = \"{}\", orders = \"{}\" }}\n",
            NAMES[n],
            ["NORTH1", "SOUTH1"][n],
            lines[n][0],
            lines[n][1],
            at.orders[n],
        )
    };
    let text = format!(
        "wiring = \"market-maker\"\ninstruments.directory = false\nthreads = {{ layout = {layout:?}, idle = \"park\" }}\n\
         risk = {{ short = \"market-maker\", max_total_open = 500000, burst = 100 }}\ntape.status_ms = 10\n\
         net = {{ rerequest = \"{}\", snapshot = \"{}\" }}\n[firm]\nmax_total_open = 1000000\nburst = 200\n{}{}",
        at.rerequest,
        at.snapshot,
        lane(0),
        lane(1)
    );
    (spawn(server), Fleet::parse_with(&text, &[maker()]).unwrap())
}

/// A disk that is full from some time on.
#[derive(Clone, Default)]
struct Disk(Arc<AtomicBool>);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.load(Ordering::Acquire) {
            true => Err(io::Error::new(io::ErrorKind::StorageFull, "no space left")),
            false => Ok(bytes.len()),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lanes, what they have logged, and their handles.
struct Floor {
    venue: Running,
    fleet: Fleet,
    lanes: Lanes,
    logs: [Memory; 2],
    handles: [Handle; 2],
}

fn sheet(config: &Config, file: impl Write + Send + 'static) -> Option<Sheet> {
    let header = FileHeader::new(&config.wiring, &config.text, Vec::new(), Effects::Bytes);
    Some(Sheet { file: Box::new(file), header })
}

impl Floor {
    /// Both trade. `disk`: the first one's, if it is not memory.
    fn trading(layout: &str, disk: Option<&Disk>) -> Self {
        let (venue, fleet) = world(layout);
        let (clock, logs) = (Clock::new(), [Memory::default(), Memory::default()]);
        let entrant = |n: usize| {
            let config = &fleet.lanes[n];
            let lane = maker().build(config, Some(clock.clone())).unwrap();
            assert_eq!(usize::from(lane.number()), n + 1);
            let log = match disk {
                Some(disk) if n == 0 => sheet(config, disk.clone()),
                _ => sheet(config, logs[n].clone()),
            };
            LaneSetup { config, lane, setup: LiveSetup { logins: SECRETS.into(), log, ..LiveSetup::default() } }
        };
        let plan = lanes::plan(&fleet, &Cores::here()).unwrap();
        let lanes =
            Lanes::start(vec![entrant(0), entrant(1)], &clock, KillSwitch::new(), fleet.firm.as_ref(), &plan).unwrap();
        let handles = [0, 1].map(|n| lanes.handle().members()[n].handle.clone());
        Floor { venue, lanes, logs, handles, fleet }
    }

    fn status(&self, lane: usize) -> StatusBody {
        self.handles[lane].board().status()
    }

    /// Looks after the lanes until it holds.
    #[track_caller]
    fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        until(what, || {
            self.lanes.tend();
            holds(self)
        });
    }

    /// A lane sends orders.
    #[track_caller]
    fn trades(&mut self, lane: usize) {
        let before = self.status(lane).orders.get();
        self.until("orders", |floor| floor.status(lane).orders.get() > before + 5);
    }

    /// Both end; the venue has nothing of theirs any more. Each log is complete, stands alone, and names its lane.
    fn end(self) -> Vec<Ended> {
        let Floor { venue, fleet, lanes, logs, .. } = self;
        let ended = lanes.finish();
        until("nothing of theirs to live", || venue.status().ports.iter().all(|port| port.live == 0));
        venue.shutdown().unwrap().check().unwrap();
        for (n, (log, config)) in logs.iter().zip(&fleet.lanes).enumerate() {
            let bytes = log.bytes();
            if bytes.is_empty() {
                continue;
            }
            let build = |header: &FileHeader| {
                assert_eq!(header.config, config.text);
                Ok(maker().build(&Config::parse_with(&header.config, &[maker()]).unwrap(), None).unwrap())
            };
            let verified = verify(&bytes[..], build, |_| {}).unwrap();
            assert!(verified.complete, "{}: {verified:?}", NAMES[n]);
            let mut reader = FileReader::new(&bytes[..]).unwrap();
            let first = reader.next_record().unwrap().unwrap();
            assert_eq!(usize::from(first.header.lane.get()), n + 1);
        }
        ended
    }
}

/// Limits of the lane in a log: who said them, and how much may be open.
fn leases(log: &Memory) -> Vec<(Commander, i128)> {
    let (bytes, mut all) = (log.bytes(), Vec::new());
    let mut reader = FileReader::new(&bytes[..]).unwrap();
    while let Ok(Some(record)) = reader.next_record() {
        if record.kind == Some(Kind::Command)
            && let Said { from, word: Word::LaneLimits(change), .. } = CommandBytes::new(&record.body).unwrap().read()
        {
            all.push((from, change.total_open.unwrap().0 / UNIT));
        }
    }
    all
}

fn open(whole: i128) -> LaneLimitChange {
    LaneLimitChange { total_open: Some(Notional(whole * UNIT)), ..LaneLimitChange::default() }
}

fn move_leases(layout: &str) {
    let mut floor = Floor::trading(layout, None);
    (0..2).for_each(|lane| floor.trades(lane));
    let handle = floor.lanes.handle().clone();
    let mut most_open = 0;
    let moves = [[900_000, 100_000], [1_000, 999_000], [500_000, 500_000]];
    for [north, south] in moves {
        let ask = || handle.firm().unwrap().lease(&[(0, open(north)), (1, open(south))]).unwrap();
        let mut ticket = ask();
        if north == 1_000 {
            // What rests is far more than that, and may rest for long: it is cancelled, as an operator would.
            handle.members()[0].handle.kill_switch().throw();
        }
        floor.until("the leases to have moved", |floor| {
            let firm = handle.firm().unwrap();
            let together: i128 = [0, 1].map(|n| floor.status(n).open.get()).iter().sum();
            most_open = most_open.max(together);
            let counted = firm.lanes().map(|lane| lane.counted);
            assert!(firm.limits().exceeded_by(counted).is_none());
            let outcome = firm.outcome(ticket).cloned();
            drop(firm);
            if let Some(Moved::Rejected(why)) = &outcome {
                // A lane that the machine gave no time in all of its patience.
                assert!(why == "expired" || why.contains("not answered"), "{why}");
                ticket = ask();
            }
            outcome == Some(Moved::Taken)
        });
        handle.members()[0].handle.kill_switch().release();
        // Once it has sent nothing that it could not send before, it is told so by the lane itself.
        floor.until("their own words", |floor| {
            [0, 1].map(|n| floor.status(n).max_total_open.get()) == [north * UNIT, south * UNIT]
        });
        floor.until("what is open is within the lease", |floor| {
            [0, 1].into_iter().all(|n| floor.status(n).open.get() <= floor.status(n).max_total_open.get())
        });
        floor.trades(1);
    }
    assert!(most_open > 0 && most_open <= 1_000_000 * UNIT, "{most_open}");
    // Nobody else changes what is leased.
    let inbox = handle.members()[0].handle.inbox(Commander::CONTROL).unwrap().clone();
    let ticket = inbox.send(To::LANE, firelane_gateway::base::Mono::NEVER, Word::LaneLimits(open(1))).unwrap();
    floor.until("an answer", |_| inbox.answer(ticket).is_some());
    assert!(inbox.answer(ticket).unwrap().why.contains("their owner alone changes them"));
    let logs = floor.logs.clone();
    for ended in floor.end() {
        assert!(ended.answered && ended.why == Why::Asked && ended.outcome.is_ok(), "{ended:?}");
    }
    let of = |lane: usize| moves.map(|leases| (Commander::OWNER, leases[lane]));
    assert_eq!((leases(&logs[0]), leases(&logs[1])), (of(0).to_vec(), of(1).to_vec()), "{layout}");
}

#[test]
fn leases_move_while_two_fused_lanes_trade() {
    move_leases("fused");
}

#[test]
fn leases_move_while_two_split_lanes_trade() {
    move_leases("split");
}

/// One's own switch is its own, the general one is all's, and neither is released with the other.
#[test]
fn a_kill_of_one_leaves_the_other_trading_and_a_kill_of_all_stops_both() {
    let mut floor = Floor::trading("fused", None);
    (0..2).for_each(|lane| floor.trades(lane));
    let handle = floor.lanes.handle().clone();
    handle.members()[0].handle.kill_switch().throw();
    floor.until("one to be quiet", |floor| floor.status(0).killed == 1 && floor.status(0).live.get() == 0);
    assert_eq!(floor.status(1).killed, 0);
    floor.trades(1);
    // As SIGUSR1 does: a flag, and nothing else.
    handle.kill_switch().flag().store(true, Ordering::Release);
    assert!(handle.members().iter().all(|member| member.handle.kill_switch().is_thrown()), "at once");
    floor.until("both to be quiet", |floor| {
        [0, 1].into_iter().all(|lane| floor.status(lane).killed == 1 && floor.status(lane).live.get() == 0)
    });
    // A lane's own release opens nothing, and says so.
    let inbox = handle.members()[1].handle.inbox(Commander::CONTROL).unwrap().clone();
    let ticket = inbox.send(To::LANE, firelane_gateway::base::Mono::NEVER, Word::Release).unwrap();
    floor.until("an answer", |_| inbox.answer(ticket).is_some());
    assert!(inbox.answer(ticket).unwrap().why.contains("that of all lanes is thrown"));
    assert_eq!(floor.status(1).killed, 1);
    handle.kill_switch().release();
    floor.trades(1);
    assert_eq!((floor.status(0).killed, floor.status(0).live.get()), (1, 0), "its own is thrown still");
    handle.members()[0].handle.kill_switch().release();
    floor.trades(0);
    floor.end();
}

/// A disk that is full ends its lane, in order and alone; its lease is free for the other.
#[test]
fn a_lane_without_its_log_ends_alone_and_frees_its_lease() {
    let disk = Disk::default();
    let mut floor = Floor::trading("fused", Some(&disk));
    (0..2).for_each(|lane| floor.trades(lane));
    disk.0.store(true, Ordering::Release);
    floor.until("its end", |floor| floor.lanes.phase(0) == Some(Phase::Ended(Why::Failed)));
    assert_eq!(floor.lanes.phase(1), Some(Phase::Running));
    floor.trades(1);
    assert!(!floor.lanes.all_ended());
    let handle = floor.lanes.handle().clone();
    let ticket = handle.firm().unwrap().lease(&[(1, open(1_000_000))]).unwrap();
    floor.until("all that there is", |_| handle.firm().unwrap().outcome(ticket) == Some(&Moved::Taken));
    let [first, second] = <[Ended; 2]>::try_from(floor.end()).unwrap();
    assert!(first.why == Why::Failed && first.answered, "{first:?}");
    assert!(first.outcome.unwrap().log_lost.unwrap().to_string().contains("no space left"));
    assert!(second.why == Why::Asked && second.answered && second.outcome.unwrap().log_lost.is_none());
}

/// All at once: two that cannot reach their venue wait no longer than one.
#[test]
fn all_are_ended_within_one_timeout() {
    let text = "wiring = \"market-maker\"\ninstruments.directory = false\nthreads.idle = \"park\"\n\
                control.shutdown_timeout_ms = 1500\n[[lane]]\nname = \"a\"\nentry.username = \"A\"\n\
                [[lane]]\nname = \"b\"\nentry.username = \"B\"\n";
    let mut fleet = Fleet::parse_with(text, &[maker()]).unwrap();
    // A port that takes connections and says nothing.
    let deaf = std::net::TcpListener::bind(any()).unwrap();
    for (config, lines) in fleet.lanes.iter_mut().zip([free_lines(), free_lines()]) {
        config.live.net.first_mut().lines.iter_mut().zip(lines).for_each(|(line, to)| line.to = to);
        config.live.net.first_mut().orders = deaf.local_addr().unwrap();
    }
    let clock = Clock::new();
    let build = |config| maker().build(config, None).unwrap();
    let entrant = |config| LaneSetup { config, lane: build(config), setup: LiveSetup::default() };
    let plan = lanes::plan(&fleet, &Cores::of(16)).unwrap();
    let names: Vec<&str> = plan.seats().iter().map(|seat| seat.name.as_ref()).collect();
    assert_eq!(names, ["a.lane", "b.lane"]);
    let plan = lanes::plan(&fleet, &Cores::here()).unwrap();
    let setups = || fleet.lanes.iter().map(entrant).collect();
    // Less than they have by their own limits: refused before anything is begun.
    let firm = FirmLimits { burst: Some(1), ..FirmLimits::default() };
    let refused = Lanes::start(setups(), &clock, KillSwitch::new(), Some(&firm), &plan).err().unwrap().to_string();
    assert!(refused.contains("more together than the firm"), "{refused}");
    let lanes = Lanes::start(setups(), &clock, KillSwitch::new(), None, &plan).unwrap();
    assert!(
        lanes.handle().firm().is_none()
            && lanes.handle().find("b").unwrap().0 == 1
            && lanes.handle().find("c").is_none()
    );
    std::thread::sleep(Duration::from_millis(50));
    let began = std::time::Instant::now();
    let ended = lanes.finish();
    assert!(began.elapsed() < Duration::from_millis(2_900), "{:?}", began.elapsed());
    assert_eq!(ended.iter().map(|ended| ended.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);

    // One that cannot start ends those that have.
    let mut other = fleet.clone();
    other.lanes[1].live.net.first_mut().lines[0] = other.lanes[0].live.net.first().lines[0];
    let setups = other.lanes.iter().map(entrant).collect();
    let error = Lanes::start(setups, &clock, KillSwitch::new(), None, &plan).err().unwrap().to_string();
    assert!(error.starts_with("lane \"b\": net.line_a"), "{error}");
}
