//! A venue that says what cannot be, byte by byte (SoupBinTCP 3.00, OUCH 5.0): every first of its kind is said, all are
//! counted, and no such run is clean.

use super::rig::{Process, World, firelane, number, side_by_side};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

fn packet(letter: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 1).unwrap().to_be_bytes();
    [&length[..], &[letter], payload].concat()
}

/// The venue's end of one order port. It answers a login with `answer` and account queries as it must, says `says` once the
/// gateway has asked, and never closes a connection.
struct Venue {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Venue {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

impl Venue {
    fn open(port: u16, answer: Vec<u8>, says: Vec<u8>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut clients: Vec<(TcpStream, Vec<u8>, Instant)> = Vec::new();
            let mut says = Some(says);
            while !stopped.load(Ordering::Relaxed) {
                if let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(true).unwrap();
                    clients.push((stream, Vec::new(), Instant::now()));
                }
                for (stream, heard, beat) in &mut clients {
                    serve(stream, heard, beat, &answer, &mut says);
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        Venue { stop, thread: Some(thread) }
    }
}

fn serve(stream: &mut TcpStream, heard: &mut Vec<u8>, beat: &mut Instant, answer: &[u8], says: &mut Option<Vec<u8>>) {
    let mut bytes = [0; 4_096];
    match stream.read(&mut bytes) {
        Ok(length) => heard.extend(&bytes[..length]),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        Err(_) => return,
    }
    // Whoever is gone needs no more words.
    let mut say = |bytes: &[u8]| drop(stream.write_all(bytes));
    while heard.len() > 2 && heard.len() >= 2 + usize::from(u16::from_be_bytes([heard[0], heard[1]])) {
        let rest = heard.split_off(2 + usize::from(u16::from_be_bytes([heard[0], heard[1]])));
        let one = std::mem::replace(heard, rest);
        match one[2..] {
            [b'L', ..] => say(answer),
            // Account Query: the next UserRefNum is 1.
            [b'U', b'Q', ..] => {
                say(&packet(b'S', b"Q\0\0\0\0\0\0\0\x01\0\0\0\x01"));
                if let Some(says) = says.take() {
                    say(&says);
                }
            }
            _ => {}
        }
    }
    if beat.elapsed() > Duration::from_millis(300) {
        *beat = Instant::now();
        say(&packet(b'H', b""));
    }
}

/// Login Accepted, with this for a sequence number.
fn accepts(sequence: &str) -> Vec<u8> {
    packet(b'A', format!("{:>10}{sequence:>20}", "DAY01").as_bytes())
}

/// Order Executed: UserRefNum 77, 150 shares at $1.0001, match number 5, and no appendage.
const FILL: &[u8] = b"E\0\0\0\0\0\0\0\x01\0\0\0\x4d\0\0\0\x96\0\0\0\0\0\0\x27\x11A\0\0\0\0\0\0\0\x05\0\0";

fn world() -> World {
    World::of("listener", "fused", "", "")
}

#[test]
fn what_cannot_be_is_said_counted_and_never_clean() {
    let mut world = world();
    let mut says = packet(b'S', FILL);
    let second = [&FILL[..26], b"\0\0\0\0\0\0\0\x06", b"\0\0"].concat();
    says.extend(packet(b'S', &second));
    says.extend(packet(b'S', b"E\0\0"));
    says.extend(packet(b'S', b"?what"));
    says.extend(packet(b'S', b""));
    says.extend(packet(b'?', b"odd"));
    let venue = Venue::open(world.ports[4], accepts("1"), says);
    let gateway = world.gateway();
    for part in [
        "150 shares at $1.0001 traded under token 77, which this gateway never sent",
        "a message \"E\" of 3 bytes has a wrong length",
        "a message \"?\" of 5 bytes is of an unknown type",
        "a numbered message has no bytes",
        "a session packet \"?\" with 3 bytes",
    ] {
        gateway.says(part);
    }
    let first = gateway.says("TRADING IS STOPPED");
    assert!(first.contains("firelane enable") && first.contains("said what cannot be"), "{first}");
    assert_eq!(gateway.with("token 77").len(), 1, "the first of a kind alone: {:#?}", gateway.lines());
    let status = world.until("gateway", "a stop", |status| status["stopped"] == true);
    let text = firelane(&["status", &world.text("gateway.toml")]).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("STOPPED") && text.contains("orders.unknown 2"), "{text}");
    for (name, count) in [
        ("orders.unknown", 2),
        ("entry.malformed", 1),
        ("entry.unknown_types", 1),
        ("entry.empty", 1),
        ("entry.skipped_packets", 1),
        ("core.stops", 1),
    ] {
        assert_eq!(number(&status, &format!("/counters/{name}")), count, "{name}: {status}");
    }
    let enabled = firelane(&["enable", &world.text("gateway.toml")]).output().unwrap();
    assert!(enabled.status.success());
    world.until("gateway", "its end", |status| status["stopped"] == false);
    gateway.signal("-INT");
    let report = gateway.report(1);
    assert_eq!(report["clean"], false, "{report}");
    assert!(report["errors"].to_string().contains("orders.unknown 2"), "{report}");
    world.assert_log_verifies();
    drop(venue);
}

#[test]
fn a_venue_that_does_not_close_after_the_logout_costs_no_claim() {
    let mut world = world();
    let venue = Venue::open(world.ports[4], accepts("1"), Vec::new());
    let gateway = world.gateway();
    gateway.says("Order entry is ready");
    gateway.signal("-INT");
    let report = gateway.report(0);
    assert_eq!((report["clean"].as_bool(), report["ended"].as_str()), (Some(true), Some("asked")), "{report}");
    assert_eq!(number(&report, "/counters/entry.unclosed_logouts"), 1);
    drop(venue);
}

#[test]
fn a_login_answer_that_cannot_be_says_why() {
    let answers = [
        (accepts("one"), "its answer to the login has no sequence number"),
        (accepts("9"), "it would go on with message 9"),
        (packet(b'A', b"short"), "a session packet \"A\" with 5 bytes"),
        (packet(b'J', b"X"), "code \"X\", which the protocol does not have"),
        (packet(b'S', b"early"), "a packet \"S\" does not belong there"),
        (vec![0, 0], "a packet has no letter"),
    ];
    side_by_side(answers, |(answer, part)| {
        let mut world = world();
        let venue = Venue::open(world.ports[4], answer, Vec::new());
        let gateway: Process = world.gateway();
        gateway.says(part);
        drop((gateway, venue));
    });
}
