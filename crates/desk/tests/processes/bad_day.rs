//! A bad day: gateway and venue trade with each other, and every few seconds something happens to one of them. Whatever
//! it is, both go on or come back, no order leaves on a book that may be wrong, and at the end nothing lives and both
//! hold the same.
//!
//! ```text
//! venue ── lines A, B ──> relay ──> gateway          the relay silences the lines and puts in datagrams of its own
//!   ↑                                  │
//!   └──────────── relay <── orders ────┘             cuts the order session, and puts in bytes that make no sense
//! ```
//!
//! The test is short. An hour of it, with another seed:
//!
//! ```text
//! FIRELANE_BAD_DAY=3600 FIRELANE_SEED=7 cargo test --release -p firelane-desk --test processes bad_day -- --nocapture
//! ```

use super::rig::{Process, World, free_ports, number};
use firelane_gateway::flow::record::{Alert, AlertBody, DecisionBody, Kind};
use firelane_gateway::shell::log::FileReader;
use firelane_sim::rng::Rng;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use zerocopy::FromBytes;

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
    /// The order session says what can't be.
    BadAnswer,
    /// The order session is cut.
    Cut,
    /// Somebody connects to the order port again and again, and says nothing.
    Hog,
}

const MISHAPS: [Mishap; 10] = [
    Mishap::KillGateway,
    Mishap::KillVenue,
    Mishap::StopGateway,
    Mishap::StopVenue,
    Mishap::KillSwitch,
    Mishap::SilentLines,
    Mishap::BadDatagrams,
    Mishap::BadAnswer,
    Mishap::Cut,
    Mishap::Hog,
];

/// Longer than any timeout of the two configurations.
const LONG: Duration = Duration::from_millis(2_500);

/// Between venue and gateway.
struct Relay {
    lines: Vec<UdpSocket>,
    to: [(Ipv4Addr, u16); 2],
    silent: Arc<AtomicBool>,
    /// The session that the lines last named.
    session: Arc<Mutex<[u8; 10]>>,
    connections: Arc<Mutex<Vec<(TcpStream, TcpStream)>>>,
}

impl Relay {
    fn start(lines: [u16; 2], to: [u16; 2], orders: u16, venue: u16) -> Self {
        let bind = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let relay = Relay {
            lines: lines.map(bind).into(),
            to: to.map(|port| (Ipv4Addr::LOCALHOST, port)),
            silent: Arc::default(),
            session: Arc::default(),
            connections: Arc::default(),
        };
        for (line, to) in relay.lines.iter().zip(relay.to) {
            let line = line.try_clone().unwrap();
            let (silent, session) = (Arc::clone(&relay.silent), Arc::clone(&relay.session));
            thread::spawn(move || {
                let mut bytes = [0; 65_536];
                // A gateway that is not there makes the socket say so once: nothing is lost by it.
                loop {
                    let Ok(length) = line.recv(&mut bytes) else { continue };
                    if let Some(name) = bytes[..length].first_chunk() {
                        *session.lock().unwrap() = *name;
                    }
                    if !silent.load(Ordering::Relaxed) {
                        let _lost = line.send_to(&bytes[..length], to);
                    }
                }
            });
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, orders)).unwrap();
        let connections = Arc::clone(&relay.connections);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A venue that is not there is one that hangs up.
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, venue)) else { continue };
                carry(&client, &server);
                carry(&server, &client);
                connections.lock().unwrap().push((client, server));
            }
        });
        relay
    }

    /// The same on both lines.
    fn inject(&self, bytes: &[u8]) {
        for (line, to) in self.lines.iter().zip(self.to) {
            line.send_to(bytes, to).unwrap();
        }
    }

    /// Puts bytes into the latest order session, on their way to the gateway.
    fn answer(&self, bytes: &[u8]) {
        if let Some((client, _)) = self.connections.lock().unwrap().last_mut() {
            let _gone = client.write_all(bytes);
        }
    }

    fn cut(&self) {
        for (client, server) in self.connections.lock().unwrap().drain(..) {
            let _gone = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        }
    }
}

/// Whatever comes from one goes to the other, and its end too.
fn carry(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _gone = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}

struct Day {
    world: World,
    relay: Relay,
    rng: Rng,
    gateway: Option<Process>,
    venue: Option<Process>,
    tapes: u32,
}

impl Day {
    fn begin(seed: u64) -> Self {
        let mut rng = Rng::new(seed, "bad day");
        let layout = if rng.coin() { "fused" } else { "split" };
        let journal = "journal = \"JOURNAL\"";
        let mut world = World::of("market-maker", layout, journal, "cancel_on_disconnect = false");
        let [a, b, _, _, orders] = world.ports;
        let [line_a, line_b, port, ..] = free_ports();
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
        change("venue.toml", &[journal, (address(a), address(line_a)), (address(b), address(line_b))]);
        let timeouts = "[feed]\nline_timeout_ms = 1000\n[entry]\nreconnect_delay_ms = 200\n[net]".to_owned();
        change("gateway.toml", &[(address(orders), address(port)), ("[net]".to_owned(), timeouts)]);
        let relay = Relay::start([line_a, line_b], [a, b], port, orders);
        let venue = world.venue();
        let (mut command, tape) = (world.next_gateway(), world.text("day1.tape"));
        command.args(["--tape", &tape]);
        let gateway = Process::start(command);
        println!("seed {seed}: {layout}, in {}", world.folder.path().display());
        Day { world, relay, rng, gateway: Some(gateway), venue: Some(venue), tapes: 1 }
    }

    fn start_gateway(&mut self) {
        self.tapes += 1;
        let mut command = self.world.next_gateway();
        command.args(["--tape", &self.world.text(&format!("day{}.tape", self.tapes))]);
        let gateway = Process::start(command);
        gateway.says("Ctrl-C");
        self.gateway = Some(gateway);
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

    fn happen(&mut self, mishap: Mishap) {
        let side = |process: &Option<Process>| process.as_ref().unwrap().id();
        let stop = |id: u32| {
            signal(id, "-STOP");
            thread::sleep(LONG);
            signal(id, "-CONT");
        };
        match mishap {
            Mishap::KillGateway => {
                self.gateway.take().unwrap().cut_off();
                self.world.until("venue", "the loss", |state| state["ports"][0]["logged_in"] == false);
                self.start_gateway();
            }
            Mishap::KillVenue => {
                self.venue.take().unwrap().cut_off();
                self.venue = Some(self.world.venue());
            }
            Mishap::StopGateway => stop(side(&self.gateway)),
            Mishap::StopVenue => stop(side(&self.venue)),
            Mishap::KillSwitch => {
                // 1: not all is done yet. It will be.
                let (code, said) = self.world.kill(&[]);
                assert!(code == 0 || code == 1 && said.contains("thrown"), "{code}: {said}");
                self.world.until("gateway", "the end of orders", |status| {
                    status["killed"] == true && number(status, "/live_orders") == 0
                });
                let (code, said) = self.world.kill(&["--release"]);
                assert_eq!(code, 0, "{said}");
            }
            Mishap::SilentLines => {
                self.relay.silent.store(true, Ordering::Relaxed);
                thread::sleep(LONG);
                self.relay.silent.store(false, Ordering::Relaxed);
            }
            Mishap::BadDatagrams => {
                let session = *self.relay.session.lock().unwrap();
                let header = |session: &[u8; 10], next: u64| [&session[..], &next.to_be_bytes(), &[0, 0]].concat();
                self.relay.inject(&header(&session, u64::MAX));
                self.relay.inject(&header(b"ANOTHER  X", 1));
                let noise: Vec<u8> = (0..175).flat_map(|_| self.rng.u64().to_ne_bytes()).collect();
                self.relay.inject(&noise);
            }
            Mishap::BadAnswer => self.relay.answer(&[0, 4, b'?', 1, 2, 3]),
            Mishap::Cut => self.relay.cut(),
            Mishap::Hog => {
                let port = self.world.ports[4];
                let connect = |_| TcpStream::connect((Ipv4Addr::LOCALHOST, port));
                let held: Vec<_> = (0..100).filter_map(|at| connect(at).ok()).collect();
                thread::sleep(Duration::from_millis(200));
                drop(held);
            }
        }
    }

    /// Ends both in order: nothing lives, both hold the same, the log reproduces, and no tape tells of an order on a book
    /// that might have been wrong.
    fn end(mut self) {
        let (gateway, venue) = (self.gateway.take().unwrap(), self.venue.take().unwrap());
        self.world.end_and_compare(gateway, venue);
        self.world.assert_log_verifies();
        let mut orders = 0;
        for tape in 1..=self.tapes {
            orders += orders_on_good_books(&self.world.path(&format!("day{tape}.tape")));
        }
        assert!(orders > 0, "no tape tells of an order");
    }
}

fn signal(id: u32, name: &str) {
    let done = std::process::Command::new("kill").args([name, &id.to_string()]).status().unwrap();
    assert!(done.success());
}

/// What makes every book, or one, unfit to trade on, as a tape tells of it.
#[derive(Default)]
struct Doubts {
    gap: bool,
    snapshot: bool,
    ended: bool,
    /// Of a line each.
    silent: [bool; 2],
    /// Damage, until a snapshot; `u32::MAX` is every book's.
    damaged: BTreeMap<u32, &'static str>,
}

impl Doubts {
    fn on_alert(&mut self, body: &AlertBody) {
        let is = |alert: Alert| body.alert.get() == alert as u16;
        let line = usize::try_from(body.first.get()).unwrap_or(usize::MAX);
        if is(Alert::GapOpened) || is(Alert::GapClosed) {
            self.gap = is(Alert::GapOpened);
        } else if is(Alert::SnapshotBegin) || is(Alert::SnapshotEnd) {
            self.snapshot = is(Alert::SnapshotBegin);
            self.damaged.clear();
        } else if is(Alert::LineSilent) || is(Alert::LineBack) {
            if let Some(silent) = self.silent.get_mut(line) {
                *silent = is(Alert::LineSilent);
            }
        } else if is(Alert::SessionChanged) {
            *self = Doubts { silent: self.silent, ..Doubts::default() };
        } else if is(Alert::EndOfSession) {
            self.ended = true;
        } else if is(Alert::Lost) || is(Alert::Joined) || is(Alert::BookFault) {
            self.damaged.insert(body.instrument.get(), "damaged");
        }
    }

    fn about(&self, instrument: u32) -> Option<&'static str> {
        let of_all = [
            (self.gap, "a gap"),
            (self.snapshot, "an unfinished snapshot"),
            (self.ended, "the end of the session"),
            (self.silent == [true; 2], "silence of both lines"),
        ];
        let of_all = of_all.into_iter().find_map(|(is, why)| is.then_some(why));
        let damaged = || self.damaged.get(&u32::MAX).or_else(|| self.damaged.get(&instrument)).copied();
        of_all.or_else(damaged)
    }
}

/// Orders and replaces that a tape says were approved; none of them on a book that might have been wrong. The tape of a
/// gateway that was killed ends anywhere.
fn orders_on_good_books(tape: &Path) -> u64 {
    let mut reader = FileReader::new(std::io::BufReader::new(std::fs::File::open(tape).unwrap())).unwrap();
    let (mut doubts, mut orders) = (Doubts::default(), 0);
    while let Ok(Some(record)) = reader.next_record() {
        match record.kind {
            Some(Kind::Alert) => doubts.on_alert(AlertBody::ref_from_bytes(&record.body).unwrap()),
            Some(Kind::Decision) => {
                let body = DecisionBody::ref_from_bytes(&record.body).unwrap();
                if body.refusal.get() == 0 && matches!(body.action, b'E' | b'R') {
                    orders += 1;
                    let doubt = doubts.about(body.instrument.get());
                    assert_eq!(doubt, None, "{}: {body:?} in spite of it", tape.display());
                }
            }
            _ => {}
        }
    }
    orders
}

/// Each mishap comes once before any comes again.
#[test]
fn a_bad_day_ends_with_nothing_alive_and_both_sides_equal() {
    let given = |key: &str| std::env::var(key).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{key}={text}")));
    let (seconds, seed) = (given("FIRELANE_BAD_DAY"), given("FIRELANE_SEED").unwrap_or(1));
    let mut day = Day::begin(seed);
    day.settle();
    let began = Instant::now();
    let (mut left, mut happened) = (Vec::new(), 0);
    // Without a time, each of them once.
    while seconds.map_or(happened < MISHAPS.len(), |most: u64| began.elapsed().as_secs() < most) {
        happened += 1;
        if left.is_empty() {
            left = MISHAPS.to_vec();
        }
        let mishap = left.swap_remove(day.rng.index(left.len()));
        println!("{:>6.1} s  {mishap:?}", began.elapsed().as_secs_f64());
        let next = Instant::now() + Duration::from_secs(10);
        day.happen(mishap);
        // What it does is to be seen in a status before one is believed.
        thread::sleep(Duration::from_millis(300));
        day.settle();
        if seconds.is_some() {
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
    day.end();
}
