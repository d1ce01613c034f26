//! A bad day: gateway and venue trade with each other, and every few seconds something happens to one of them. Whatever
//! it is, both go on or come back, no order leaves on a book that may be wrong, every log reproduces as far as it goes, and
//! at the end nothing lives and both hold the same.
//!
//! ```text
//! venue ── lines A, B ──> relay ──> gateway          the relay silences the lines and puts in datagrams of its own
//!   ↑                                  │
//!   └──────────── relay <── orders ────┘             cuts the order session, and puts in what cannot be
//! ```
//!
//! The tests are short. An hour of them, with another seed; layout and the venue's own faults follow from the seed, and
//! each five minutes are another day with the next one:
//!
//! ```text
//! FIRELANE_BAD_DAY=3600 FIRELANE_SEED=7 cargo test --release -p firelane-desk --test processes bad_day -- --nocapture
//! ```
//!
//! A day that went wrong says its seed and keeps its folder.

mod demo;
mod relay;
mod tape;

use super::rig::{Console, Process, World, firelane, free_ports, limited, number, side_by_side};
use firelane_sim::rng::Rng;
use relay::Relay;
use serde_json::Value;
use std::cell::Cell;
use std::fs::OpenOptions;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use tape::orders_on_good_books;

/// What may happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Mishap {
    /// The gateway is killed and started again.
    KillGateway,
    /// The venue is killed and comes back from its journal.
    KillVenue,
    /// The gateway stands still for longer than anyone waits.
    StopGateway,
    /// The venue does.
    StopVenue,
    /// Somebody throws the kill switch and releases it.
    KillSwitch,
    /// No line says anything.
    SilentLines,
    /// Both lines say what can't be: a number at the end of all numbers, another session, noise.
    BadDatagrams,
    /// The order session has a packet that the protocol does not know.
    BadPacket,
    /// The venue says of orders what can't be.
    Contradiction,
    /// The order session is cut.
    Cut,
    /// Somebody connects to the order port again and again, and says nothing.
    Hog,
    /// The disk under the log is full.
    FullLog,
    /// The disk under the tape is.
    FullTape,
    /// The disk under the venue's journal is.
    FullJournal,
    /// Nobody reads the pipe any more that the tape goes into.
    ClosedTape,
    /// The folder of log and tape goes away.
    GoneFolder,
    /// Somebody presses Ctrl-C twice while the venue does not answer.
    EndAtOnce,
    /// Nobody reads a console, and it is full.
    FullConsole,
    /// A console is closed.
    ClosedConsole,
}

const MISHAPS: [Mishap; 19] = [
    Mishap::KillGateway,
    Mishap::KillVenue,
    Mishap::StopGateway,
    Mishap::StopVenue,
    Mishap::KillSwitch,
    Mishap::SilentLines,
    Mishap::BadDatagrams,
    Mishap::BadPacket,
    Mishap::Contradiction,
    Mishap::Cut,
    Mishap::Hog,
    Mishap::FullLog,
    Mishap::FullTape,
    Mishap::FullJournal,
    Mishap::ClosedTape,
    Mishap::GoneFolder,
    Mishap::EndAtOnce,
    Mishap::FullConsole,
    Mishap::ClosedConsole,
];

/// Longer than any timeout of the two configurations.
const LONG: Duration = Duration::from_millis(2_500);

/// What the venue does by itself.
const FAULTS: [&str; 3] = ["none", "light", "heavy"];

/// How long one day of a long test goes on, in seconds.
const DAY: u64 = 300;

/// Days of a short test: each with other faults.
const SHORT: usize = 3;

struct Day {
    seed: u64,
    world: World,
    relay: Relay,
    rng: Rng,
    gateway: Option<Process>,
    venue: Option<Process>,
    /// What the gateway writes that can be looked at when it has ended.
    kept: Kept,
    /// The venue has said to this gateway what can't be: it does not end in order.
    contradicted: bool,
    /// Messages of the order port that the latest gateway with a log has taken.
    heard: u64,
    /// That tapes told of.
    orders: u64,
}

/// A gateway that was told one message too many knows one more than the venue: it is let in no more once its session is
/// cut, and says what may live.
fn asks_beyond_the_end(status: &Value) -> bool {
    number(status, "/counters/entry.rejected_logins") > 0
}

/// Files of one gateway.
#[derive(Default)]
struct Kept {
    log: bool,
    tape: bool,
}

impl Drop for Day {
    fn drop(&mut self) {
        if thread::panicking() {
            self.world.folder.disable_cleanup(true);
            eprintln!("---- the bad day of seed {} is kept in {}", self.seed, self.world.folder.path().display());
        }
    }
}

impl Day {
    fn begin(seed: u64) -> Self {
        let rng = Rng::new(seed, "bad day");
        let layout = if seed.is_multiple_of(2) { "fused" } else { "split" };
        let faults = FAULTS[usize::try_from(seed % 3).unwrap()];
        let world = World::of("market-maker", layout, "journal = \"JOURNAL\"", "cancel_on_disconnect = false");
        let [a, b, _, _, orders] = world.ports;
        let (relay, [line_a, line_b, port]) = std::iter::repeat_with(free_ports)
            .take(100)
            .find_map(|[a_there, b_there, port, ..]| {
                let relay = Relay::start([a_there, b_there], [a, b], port, orders)?;
                Some((relay, [a_there, b_there, port]))
            })
            .expect("free ports");
        let change = |name: &str, changes: &[(String, String)]| {
            let mut text = std::fs::read_to_string(world.path(name)).unwrap();
            for (from, to) in changes {
                assert!(text.contains(from), "{from} is not in {text}");
                text = text.replace(from, to);
            }
            world.write(name, &text);
        };
        let address = |port: u16| format!("\"127.0.0.1:{port}\"");
        let journal = ("JOURNAL".to_owned(), world.text("venue.journal"));
        let market = ("[market]".to_owned(), format!("[market]\nfaults = {faults:?}\nseed = {}", seed.max(1)));
        change("venue.toml", &[journal, market, (address(a), address(line_a)), (address(b), address(line_b))]);
        let timeouts = "[feed]\nline_timeout_ms = 1000\n[entry]\nreconnect_delay_ms = 200\n[net]".to_owned();
        change("gateway.toml", &[(address(orders), address(port)), ("[net]".to_owned(), timeouts)]);
        println!("seed {seed}: layout {layout}, faults {faults}, in {}", world.folder.path().display());
        let venue = Some(world.venue());
        let (gateway, kept, contradicted, heard, orders) = (None, Kept::default(), false, 0, 0);
        let mut day = Day { seed, world, relay, rng, gateway, venue, kept, contradicted, heard, orders };
        day.start_gateway();
        day
    }

    /// Of the latest gateway.
    fn tape(&self) -> String {
        format!("{}.tape", self.world.text(&self.world.log()))
    }

    fn start_gateway(&mut self) {
        let mut command = self.world.next_gateway();
        command.args(["--tape", &self.tape()]);
        self.start(command, Kept { log: true, tape: true });
    }

    fn start(&mut self, command: Command, kept: Kept) {
        let gateway = Process::start(command);
        gateway.says("Ctrl-C");
        (self.gateway, self.kept, self.contradicted) = (Some(gateway), kept, false);
    }

    /// The latest log ends so, and the tape is in order. Neither is needed any more.
    fn look_at_files(&mut self, code: i32) {
        let Kept { log, tape } = std::mem::take(&mut self.kept);
        if log {
            self.world.assert_log_ends(code);
            self.heard = self.world.messages_of_the_port();
            std::fs::remove_file(self.world.path(&self.world.log())).unwrap();
        }
        if tape {
            self.orders += orders_on_good_books(Path::new(&self.tape()), code == 0);
            std::fs::remove_file(self.tape()).unwrap();
        }
    }

    /// Ends it as it should end after what it has heard: nothing of it lives.
    fn end_gateway(&mut self) -> Value {
        let gateway = self.gateway.take().unwrap();
        gateway.signal("-INT");
        let report = gateway.report(i32::from(self.contradicted));
        let errors = report["errors"].as_array().cloned().unwrap_or_default();
        let may_live = errors.iter().any(|error| error.as_str().unwrap().contains("may still live at the venue"));
        assert!(!may_live || self.contradicted && asks_beyond_the_end(&report), "{report}");
        assert_eq!(errors.len(), usize::from(self.contradicted) + usize::from(may_live), "{report}");
        // Not let in any more, it may have ended before it was asked to.
        let ended = report["ended"].as_str();
        let over = self.contradicted && asks_beyond_the_end(&report) && ended == Some("over");
        assert!(over || ended == Some("asked"), "{report}");
        assert_eq!(number(&report, "/live_orders") == 0, !may_live, "{report}");
        self.look_at_files(0);
        report
    }

    /// Both are up, the market is followed, and orders rest.
    fn settle(&mut self) {
        for process in [&mut self.gateway, &mut self.venue] {
            process.as_mut().unwrap().assert_alive();
        }
        self.world.until("gateway", "trading", |status| {
            status["ready"] == true && status["market"]["live_market"] == true && number(status, "/live_orders") > 0
        });
    }

    fn nothing_left(&self) {
        let state = self.world.until("venue", "the gateway's end", |state| state["ports"][0]["logged_in"] == false);
        assert_eq!(number(&state, "/ports/0/live_orders"), 0, "{state}");
    }

    fn happen(&mut self, mishap: Mishap) {
        let stop = |process: Option<&Process>| {
            let process = process.unwrap();
            process.signal("-STOP");
            thread::sleep(LONG);
            process.signal("-CONT");
        };
        match mishap {
            Mishap::KillGateway => {
                self.gateway.take().unwrap().cut_off();
                self.look_at_files(3);
                self.world.until("venue", "the loss", |state| state["ports"][0]["logged_in"] == false);
                self.start_gateway();
            }
            Mishap::KillVenue => {
                self.venue.take().unwrap().cut_off();
                self.venue = Some(self.world.venue());
            }
            Mishap::StopGateway => stop(self.gateway.as_ref()),
            Mishap::StopVenue => stop(self.venue.as_ref()),
            Mishap::KillSwitch => self.kill_and_release(),
            Mishap::SilentLines => {
                self.relay.silence(true);
                thread::sleep(LONG);
                self.relay.silence(false);
            }
            Mishap::BadDatagrams => {
                let session = self.relay.named();
                let header = |session: &[u8; 10], next: u64| [&session[..], &next.to_be_bytes(), &[0, 0]].concat();
                self.relay.inject(&header(&session, u64::MAX));
                self.relay.inject(&header(b"ANOTHER  X", 1));
                let noise: Vec<u8> = (0..175).flat_map(|_| self.rng.u64().to_ne_bytes()).collect();
                self.relay.inject(&noise);
            }
            Mishap::BadPacket => {
                self.relay.answer(b'?', &[1, 2, 3]);
                self.contradicted = true;
            }
            Mishap::Contradiction => self.contradict(),
            Mishap::Cut => self.relay.cut(),
            Mishap::Hog => {
                let port = self.world.ports[4];
                let connect = |_| TcpStream::connect((Ipv4Addr::LOCALHOST, port));
                let held: Vec<_> = (0..100).filter_map(|at| connect(at).ok()).collect();
                thread::sleep(Duration::from_millis(200));
                drop(held);
            }
            Mishap::FullLog => self.fill_log(),
            Mishap::FullTape => self.fill_tape(),
            Mishap::FullJournal => self.fill_journal(),
            Mishap::ClosedTape => self.close_tape(),
            Mishap::GoneFolder => self.lose_folder(),
            Mishap::EndAtOnce => self.end_at_once(),
            Mishap::FullConsole => self.with_console(Console::Unread),
            Mishap::ClosedConsole => self.with_console(Console::Closed),
        }
    }

    fn kill_and_release(&mut self) {
        // 1: not all is done yet. It will be.
        let (code, said) = self.world.kill(&[]);
        assert!(code == 0 || code == 1 && said.contains("thrown"), "{code}: {said}");
        self.world.until("gateway", "the end of orders", |status| {
            status["killed"] == true && number(status, "/live_orders") == 0
        });
        let (code, said) = self.world.kill(&["--release"]);
        assert_eq!(code, 0, "{said}");
    }

    /// What it says finds no room, of either side; what it does is as ever.
    fn with_console(&mut self, state: Console) {
        let process = if self.rng.coin() { &mut self.gateway } else { &mut self.venue };
        let process = process.as_mut().unwrap();
        process.console(state);
        self.kill_and_release();
        self.relay.cut();
        thread::sleep(Duration::from_millis(100));
        self.settle();
        if state == Console::Unread {
            for process in [&mut self.gateway, &mut self.venue].into_iter().flatten() {
                process.console(Console::Read);
            }
        } else {
            // Whoever can't be heard is started anew: the gateway in order, the venue as after a power cut.
            self.end_gateway();
            self.nothing_left();
            self.happen(Mishap::KillVenue);
            self.start_gateway();
        }
    }

    /// A log that finds no more room ends the gateway in order. It is started anew with another one.
    fn fill_log(&mut self) {
        self.end_gateway();
        let (config, log) = (self.world.text("gateway.toml"), self.world.next_log());
        let blocks = u32::try_from(self.rng.between(1_200, 2_400)).unwrap();
        self.start(limited(blocks, &["run", &config, "--json", "--log", &log]), Kept { log: true, tape: false });
        let report = self.gateway.take().unwrap().report(1);
        assert_eq!(report["ended"], "failed", "{report}");
        let errors: Vec<_> = report["errors"].as_array().unwrap().iter().filter_map(|error| error.as_str()).collect();
        assert!(errors[0].contains(&log) && errors[0].contains("Make room"), "{report}");
        // An order session that is lost in the same moment leaves what it says.
        let may_live = errors[1..].iter().any(|error| error.contains("ask the venue"));
        assert!(errors.len() == 1 || may_live, "{report}");
        if !may_live {
            assert_eq!(number(&report, "/live_orders"), 0, "{report}");
            self.nothing_left();
        }
        self.look_at_files(3);
        self.start_gateway();
    }

    /// A tape that finds no room is lost, and nothing else. The limit would be one of a log, too.
    fn fill_tape(&mut self) {
        self.end_gateway();
        let (config, tape) = (self.world.text("gateway.toml"), self.tape());
        self.start(limited(40, &["run", &config, "--json", "--tape", &tape]), Kept::default());
        self.lose_tape(&tape);
    }

    fn close_tape(&mut self) {
        self.end_gateway();
        let mut command = self.world.next_gateway();
        let tape = self.tape();
        assert!(Command::new("mkfifo").arg(&tape).status().unwrap().success());
        // Both ways, so that opening it waits for nobody.
        let reader = OpenOptions::new().read(true).write(true).open(&tape).unwrap();
        command.args(["--tape", &tape]);
        self.start(command, Kept { log: true, tape: false });
        drop(reader);
        self.lose_tape(&tape);
    }

    fn lose_tape(&mut self, tape: &str) {
        let gateway = self.gateway.as_ref().unwrap();
        gateway.says(&format!("Tape: {tape} cannot be written any more: "));
        self.settle();
        let report = self.end_gateway();
        assert!(report["tape"]["error"].is_string() && number(&report, "/tape/unwritten") > 0, "{report}");
        std::fs::remove_file(tape).unwrap();
        self.start_gateway();
    }

    /// A venue that can't say what it did ends, and comes back where its journal ends.
    fn fill_journal(&mut self) {
        self.venue.take().unwrap().cut_off();
        let (config, journal) = (self.world.text("venue.toml"), self.world.text("venue.journal"));
        let blocks = std::fs::metadata(&journal).unwrap().len() / 512 + self.rng.between(20, 60);
        let venue = Process::start(limited(u32::try_from(blocks).unwrap(), &["venue", &config, "--json"]));
        let (code, _, lines) = venue.end();
        let last = lines.last().unwrap();
        assert!(code == Some(1) && last.contains(&journal), "{code:?} {last}");
        self.venue = Some(self.world.venue());
    }

    /// Log and tape go where nobody finds them any more.
    fn lose_folder(&mut self) {
        self.end_gateway();
        let (config, folder) = (self.world.text("gateway.toml"), self.world.text("going"));
        std::fs::create_dir(&folder).unwrap();
        let [log, tape] = ["log", "tape"].map(|name| format!("{folder}/{name}"));
        self.start(firelane(&["run", &config, "--json", "--log", &log, "--tape", &tape]), Kept::default());
        self.settle();
        std::fs::remove_dir_all(&folder).unwrap();
        thread::sleep(Duration::from_millis(100));
        self.settle();
        let report = self.end_gateway();
        assert!(number(&report, "/log/bytes") > 0 && number(&report, "/tape/lost") == 0, "{report}");
        self.start_gateway();
    }

    /// It says what may live at the venue, and the next gateway learns it.
    fn end_at_once(&mut self) {
        let venue = self.venue.as_ref().unwrap();
        venue.signal("-STOP");
        let gateway = self.gateway.take().unwrap();
        gateway.signal("-INT");
        gateway.says("Ending: ");
        gateway.signal("-INT");
        let (code, out, lines) = gateway.end();
        venue.signal("-CONT");
        let at_once = lines.last().is_some_and(|last| last.contains("Ended at once"));
        // An order session that is away just then leaves nothing to wait for.
        let errors = || serde_json::from_slice::<Value>(&out).unwrap()["errors"].as_array().map_or(0, Vec::len);
        assert_eq!(code, Some(i32::from(at_once || errors() > 0)), "{lines:?}");
        self.look_at_files(if at_once { 3 } else { 0 });
        self.world.until("venue", "the loss", |state| state["ports"][0]["logged_in"] == false);
        self.start_gateway();
    }

    /// Trading stops, and goes on as somebody says that it may. As the gateway has another number of messages then than
    /// the venue, it ends there, and the next one hears all from the first message on.
    fn contradict(&mut self) {
        let shares = 1_000_000_u32.to_be_bytes();
        let order = self.relay.accepted().expect("an order was accepted");
        // Letter, time, UserRefNum, shares.
        let about = |letter: u8, number: &[u8; 4]| [&[letter][..], &[0; 8], number, &shares].concat();
        let fill = |number: &[u8; 4]| {
            let trade = (1_u64 << 50).to_be_bytes();
            [&about(b'E', number)[..], &order.price, b"A", &trade, &[0, 0]].concat()
        };
        let (what, message) = match self.rng.index(3) {
            0 => ("an unknown fill", fill(&[0xee; 4])),
            1 => ("more shares than were asked for", fill(&order.user_ref_num)),
            _ => ("more cancelled than is open", [&about(b'C', &order.user_ref_num)[..], b"U"].concat()),
        };
        println!("seed {}: {:>10}  {what}", self.seed, "");
        self.contradicted = true;
        let config = self.world.text("gateway.toml");
        // A session that is just being cut loses it.
        let said = Cell::new(None::<Instant>);
        self.world.until("gateway", "a stop", |status| {
            let stopped = status["stopped"] == true;
            if !stopped && status["ready"] == true && said.get().is_none_or(|at| at.elapsed() > LONG) {
                self.relay.answer(b'S', &message);
                said.set(Some(Instant::now()));
            }
            stopped
        });
        let said = firelane(&["status", &config]).output().unwrap().stdout;
        assert!(String::from_utf8_lossy(&said).contains("STOPPED"), "{}", String::from_utf8_lossy(&said));
        let gateway = self.gateway.as_ref().unwrap();
        let said = gateway.says("TRADING IS STOPPED");
        assert!(said.contains("firelane enable"), "{said}");
        let stopped = self.world.until("gateway", "nothing to rest", |status| {
            number(status, "/live_orders") == 0 || asks_beyond_the_end(status)
        });
        assert!(firelane(&["enable", &config]).output().unwrap().status.success());
        self.world.until("gateway", "trading", |status| {
            let trades = status["stopped"] == false && number(status, "/orders") > number(&stopped, "/orders");
            trades || asks_beyond_the_end(status)
        });
        self.end_gateway();
        self.start_gateway();
    }

    /// Ends both in order: nothing lives, both hold the same, the log reproduces, and no tape tells of an order on a book
    /// that might have been wrong.
    fn end(&mut self) {
        if self.contradicted {
            self.end_gateway();
            self.start_gateway();
            self.settle();
        }
        // With faults of its own the venue fills late, corrects and breaks trades when it likes, after a logout too: both are
        // compared when one has heard as much as the other has said.
        for attempt in 0.. {
            let mine = self.end_gateway();
            let theirs = self.world.status("venue");
            if number(&theirs, "/ports/0/messages") == self.heard {
                assert_eq!(held(&mine["positions"]), held(&theirs["ports"][0]["positions"]), "{mine}\n{theirs}");
                break;
            }
            assert!(attempt < 9, "the venue has always said more: {} messages were heard, of {theirs}", self.heard);
            self.start_gateway();
            self.settle();
        }
        let venue = self.venue.take().unwrap();
        venue.signal("-INT");
        let theirs = venue.report(0);
        assert_eq!(number(&theirs, "/ports/0/live"), 0, "{theirs}");
        assert!(self.orders > 0, "no tape tells of an order");
    }

    /// For so many seconds; without a time, each of these mishaps once.
    fn go_on(&mut self, mishaps: &[Mishap], seconds: Option<u64>) {
        self.settle();
        let began = Instant::now();
        let (mut left, mut happened) = (mishaps.to_vec(), 0);
        // Each comes once before any comes again.
        while seconds.map_or(happened < mishaps.len(), |most| began.elapsed().as_secs() < most) {
            happened += 1;
            if left.is_empty() {
                left = mishaps.to_vec();
            }
            let mishap = left.swap_remove(self.rng.index(left.len()));
            println!("seed {}: {:>6.1} s  {mishap:?}", self.seed, began.elapsed().as_secs_f64());
            let next = Instant::now() + Duration::from_secs(10);
            self.happen(mishap);
            // What it does is to be seen in a status before one is believed.
            thread::sleep(Duration::from_millis(300));
            self.settle();
            if seconds.is_some() {
                thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        }
        self.end();
        let (seed, time, orders) = (self.seed, began.elapsed().as_secs_f64(), self.orders);
        println!("seed {seed}: {time:>6.1} s  {happened} mishaps, {orders} orders on good books");
    }
}

/// Positions that are not flat.
fn held(positions: &Value) -> Vec<(&String, &Value)> {
    positions.as_object().into_iter().flatten().filter(|(_, shares)| **shares != 0).collect()
}

/// A number in the environment.
fn given(key: &str) -> Option<u64> {
    std::env::var(key).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{key}={text}")))
}

#[test]
fn a_bad_day_ends_with_nothing_alive_and_both_sides_equal() {
    let seed = given("FIRELANE_SEED").unwrap_or(1);
    let Some(mut left) = given("FIRELANE_BAD_DAY") else {
        // Each mishap once, on days side by side: they mostly wait.
        let days = MISHAPS.chunks(MISHAPS.len().div_ceil(SHORT)).zip(seed..);
        side_by_side(days, |(mishaps, seed)| Day::begin(seed).go_on(mishaps, None));
        return;
    };
    for seed in seed.. {
        Day::begin(seed).go_on(&MISHAPS, Some(left.min(DAY)));
        left = left.saturating_sub(DAY);
        if left == 0 {
            break;
        }
    }
}
