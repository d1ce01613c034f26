//! What goes over the wire, read by somebody else: the demo's packets as tshark decodes them.
//!
//! Each test runs in a network namespace of its own, where the demo has its usual ports to itself and nothing else is
//! on the loopback. The same by hand, as root (or with `unshare --net --map-root-user bash`):
//!
//! ```text
//! unshare --net bash
//! ip link set lo up
//! dumpcap -i lo -B 64 -w demo.pcapng &        # the part of tshark that captures
//! firelane demo --faults heavy
//! kill -INT %1
//! tshark -r demo.pcapng -d udp.port==26401,moldudp64 -d udp.port==26402,moldudp64 -d udp.port==26403,moldudp64 \
//!     -d tcp.port==26404,soupbintcp -d tcp.port==26400,soupbintcp --disable-protocol ouch
//! firelane replay demo.pcapng
//! ```
//!
//! Where tshark is missing or no namespace can be had, the tests say so and pass; with `CI=true` that is a failure.

#[path = "capture/decoded.rs"]
mod decoded;
#[path = "capture/namespace.rs"]
mod namespace;
#[path = "capture/recorder.rs"]
mod recorder;
#[path = "../../../tests/it/skip.rs"]
mod skip;

use decoded::{Decoded, End, GLIMPSE, LINE_A, LINE_B, ORDERS, REREQUEST, Sessions};
use namespace::alone;
use recorder::Recorder;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the program while all of it is recorded; what it printed, and the recording.
fn recorded(folder: &Path, options: &[&str]) -> (Value, PathBuf) {
    let file = folder.join("demo.pcapng");
    let recorder = Recorder::start(&file);
    let demo = Command::new(env!("CARGO_BIN_EXE_firelane")).args(["demo", "--json"]).args(options).output().unwrap();
    recorder.finish();
    let told = String::from_utf8_lossy(&demo.stderr);
    let said = String::from_utf8_lossy(&demo.stdout);
    assert!(demo.status.success(), "demo {options:?}: {told}{said}");
    let report: Value = serde_json::from_slice(&demo.stdout).unwrap();
    assert_eq!(report["reconciled"], true, "{report}");
    (report, file)
}

fn number(report: &Value, path: &str) -> u64 {
    report.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no number {path} in {report}"))
}

#[test]
fn nothing_in_a_demo_under_heavy_faults_is_malformed() {
    alone("nothing_in_a_demo_under_heavy_faults_is_malformed", || {
        // Days on which sessions are cut, at 23 in the middle of a frame for the most part.
        for (layout, mut seed) in [("fused", 23), ("split", 6)] {
            loop {
                let folder = tempfile::tempdir().unwrap();
                let text = format!("--faults heavy --seconds 4 --layout {layout} --seed {seed}");
                let (report, file) = recorded(folder.path(), &text.split(' ').collect::<Vec<_>>());
                if check_bad_day(&report, &Decoded::read(&file)) {
                    break;
                }
                seed += 100;
                assert!(seed < 500, "tshark cannot follow any of these days");
            }
        }
    });
}

/// A day of lost datagrams, cut sessions and a snapshot: all that the two sides can say to each other has been said.
/// False: it holds a connection that tshark cannot follow.
fn check_bad_day(report: &Value, seen: &Decoded) -> bool {
    // The venue cuts sessions in the middle of a frame, and so it tears snapshots; so many frames may end too early.
    let torn = ["/faults/sessions_cut", "/faults/sessions_half_open", "/faults/snapshots_bad"];
    let torn: u64 = torn.iter().map(|path| number(report, path)).sum();
    let judged = seen.judge();
    assert!(judged.complaints.is_empty(), "{:#?}\n{report}", judged.complaints);
    let (orders, replies) = (seen.frames(ORDERS, End::Client, b'U').count(), seen.line(REREQUEST));
    // Shown when something fails.
    println!(
        "{} torn frames for {torn} reasons, {} connections not judged, {orders} orders and cancels, {} replies",
        judged.torn_frames, judged.not_judged, replies.datagrams
    );
    if judged.not_judged > 0 {
        return false;
    }
    assert!(judged.torn_frames <= torn, "{} torn frames, {torn} reasons for one: {report}", judged.torn_frames);

    let published = number(report, "/published");
    let changes = number(report, "/faults/session_changes");
    let mut have = Sessions::default();
    for port in [LINE_A, LINE_B] {
        let line = seen.line(port);
        let messages = line.have.count();
        assert!(line.datagrams > 100 && messages > published / 2, "port {port}: {messages} messages of {published}");
        assert!(messages < published, "port {port}: under heavy faults no line has everything");
        // Each session begins with number 1.
        let last = published + 1;
        assert!(line.ends.iter().all(|next| *next == last || (changes > 0 && *next < last)), "{:?}", line.ends);
        assert!(!line.ends.is_empty(), "port {port} says nothing of its end");
        have.extend(&line.have);
    }
    assert!(have.sessions() <= changes + 1, "{report}");
    let requests = seen.requests();
    assert_eq!(requests, number(report, "/recovery/requests"));
    assert!(requests > 0 && replies.datagrams > 0 && replies.have.count() > 0);
    have.extend(&replies.have);
    assert!(have.count() <= published, "no more than was published: {report}");

    let snapshots = number(report, "/recovery/snapshots");
    let ends = seen.frames(GLIMPSE, End::Server, b'S').filter(|frame| frame.message.first() == Some(&b'G'));
    let ends: Vec<u64> = ends
        .map(|frame| {
            assert_eq!(frame.message.len(), 21);
            std::str::from_utf8(&frame.message[1..]).unwrap().trim().parse().unwrap()
        })
        .collect();
    assert!(snapshots > 0 && ends.len() as u64 >= snapshots, "{ends:?}: {report}");
    assert!(ends.iter().all(|next| (1..=published + 1).contains(next)), "{ends:?} of {published}");
    // What the gateway worked through came from somewhere: a snapshot stands for all that was before its end, and what is
    // behind it was on a line or in a reply, unless it was given up.
    let (first, lost) = (ends.iter().max().copied().unwrap_or(1), number(report, "/recovery/lost"));
    let missing = have.missing(first, published + 1);
    assert!(changes > 0 || missing <= lost, "{missing} messages from {first} on are nowhere in the capture: {report}");
    assert!(seen.frames(GLIMPSE, End::Server, b'S').count() > 100);
    assert!(orders > 0, "{report}");
    let accepted = number(report, "/order_steps/accepted");
    assert!(accepted > 0 && seen.messages(ORDERS, End::Server, b'S', b'A') >= accepted, "{report}");
    for port in [GLIMPSE, ORDERS] {
        assert!(seen.frames(port, End::Client, b'L').count() > 0, "port {port}: a login");
        assert!(seen.frames(port, End::Server, b'A').count() > 0, "port {port}: accepted");
    }
    true
}

#[test]
fn a_day_without_faults_is_whole_in_its_capture_and_replays() {
    alone("a_day_without_faults_is_whole_in_its_capture_and_replays", || {
        let folder = tempfile::tempdir().unwrap();
        let (report, file) = recorded(folder.path(), &["--seconds", "3", "--seed", "5"]);
        let seen = Decoded::read(&file);
        let judged = seen.judge();
        assert!(judged.complaints.is_empty(), "{:#?}\n{report}", judged.complaints);
        assert_eq!((judged.torn_frames, judged.not_judged), (0, 0));
        let published = number(&report, "/published");
        let lines = [seen.line(LINE_A), seen.line(LINE_B)];
        for line in &lines {
            assert_eq!((line.messages, line.have.count(), line.have.sessions()), (published, published, 1));
            assert!(line.ends.iter().all(|next| *next == published + 1) && !line.ends.is_empty(), "{:?}", line.ends);
        }
        assert_eq!(seen.messages(ORDERS, End::Client, b'U', b'O'), number(&report, "/orders"));
        assert_eq!(seen.messages(ORDERS, End::Server, b'S', b'A'), number(&report, "/order_steps/accepted"));
        assert!(number(&report, "/orders") > 0);

        // The program's own reader: the first two destinations of the feed are its lines.
        let program = Command::new(env!("CARGO_BIN_EXE_firelane"))
            .args(["replay", "--json", "--strict"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(program.status.success(), "{}", String::from_utf8_lossy(&program.stderr));
        let replayed: Value = serde_json::from_slice(&program.stdout).unwrap();
        assert_eq!(number(&replayed, "/messages"), published);
        assert_eq!(number(&replayed, "/feed/packets"), lines.iter().map(|line| line.datagrams).sum::<u64>());
        assert_eq!((number(&replayed, "/feed/gaps"), number(&replayed, "/feed/lost")), (0, 0), "{replayed}");
        // None, unless the machine was so busy that the gateway's sockets overflowed.
        assert_eq!(number(&replayed, "/skipped/not_of_the_feed"), seen.requests(), "{replayed}");
        assert_eq!(number(&replayed, "/feed/replies"), seen.line(REREQUEST).datagrams, "{replayed}");
        // Orders and snapshots go over TCP. The lines say their end for a while, also to a gateway that is gone: the system
        // answers that with ICMP. Nothing else is on the wire.
        let passed = ["not_of_the_feed", "tcp", "other"].map(|kind| number(&replayed, &format!("/skipped/{kind}")));
        assert_eq!(number(&replayed, "/skipped_packets"), passed.iter().sum::<u64>(), "{replayed}");
    });
}

#[test]
fn a_silent_line_says_where_it_is() {
    alone("a_silent_line_says_where_it_is", || {
        let folder = tempfile::tempdir().unwrap();
        let (report, file) = recorded(folder.path(), &["--seconds", "4", "--seed", "5", "--rate", "1"]);
        let seen = Decoded::read(&file);
        let judged = seen.judge();
        assert!(judged.complaints.is_empty(), "{:#?}\n{report}", judged.complaints);
        for port in [LINE_A, LINE_B] {
            let line = seen.line(port);
            let published = number(&report, "/published");
            assert!(!line.heartbeats.is_empty(), "port {port}: no heartbeat in four seconds of almost nothing");
            // A heartbeat has the number of the next message.
            assert!(line.heartbeats.iter().all(|(next, last)| *next == last + 1), "{:?}", line.heartbeats);
            assert_eq!(line.have.count(), published);
        }
        // A silent session is kept alive too.
        assert!(
            seen.frames(ORDERS, End::Client, b'R').count() > 0 && seen.frames(ORDERS, End::Server, b'H').count() > 0
        );
    });
}

// ---- That the judge would find something -----------------------------------------------------------------------

/// A MoldUDP64 packet with two messages of four bytes, and what claims to be so many messages.
fn mold(count: u16, blocks: &[u8]) -> Vec<u8> {
    [b"SESSION  A".as_slice(), &1_u64.to_be_bytes(), &count.to_be_bytes(), blocks].concat()
}

fn soup(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 1).unwrap().to_be_bytes();
    [&length[..], &[kind], payload].concat()
}

/// What is wrong with a datagram, and a word of who must have noticed: tshark itself, or the count of bytes.
fn datagrams() -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    let blocks = b"\0\x04AAAA\0\x04BBBB";
    let mut broken = mold(2, blocks);
    *broken.last_chunk_mut().unwrap() = *b"\0\x05BBBB";
    vec![
        ("healthy", mold(2, blocks), None),
        ("a block longer than what is left", broken, Some("tshark")),
        ("more messages announced than there are", mold(3, blocks), Some("tshark")),
        ("fewer", mold(1, blocks), Some("tshark")),
        ("messages behind the end of session", mold(0xFFFF, blocks), Some("tshark")),
        ("half a header", mold(0, b"")[..11].to_vec(), Some("tshark")),
        ("a byte behind the last block", mold(2, b"\0\x04AAAA\0\x04BBBB\0"), Some("bytes")),
        ("nothing at all that is known", b"hello".to_vec(), Some("tshark")),
        ("healthy again", mold(0, b""), None),
    ]
}

/// What the server's side of a connection says after the login, and what comes of it.
type Said = (&'static str, Vec<Vec<u8>>, Option<&'static str>, u64);

/// The same for connections; and the torn frames that each may count as.
fn connections() -> Vec<Said> {
    let message = soup(b'S', b"a message of some length");
    let lied = |length: u16| {
        let mut frame = message.clone();
        *frame.first_chunk_mut().unwrap() = length.to_be_bytes();
        frame
    };
    let right = u16::try_from(message.len() - 2).unwrap();
    let begin = message[..9].to_vec();
    vec![
        ("healthy", vec![message.clone(), message.clone(), soup(b'H', b"")], None, 0),
        ("cut in the middle of a frame", vec![message.clone(), begin.clone()], None, 1),
        ("cut in the middle of a length", vec![message.clone(), message[..1].to_vec()], None, 1),
        ("a length that is too small", vec![lied(right - 3), message.clone()], Some("frame"), 0),
        ("a length that is too large", vec![message.clone(), lied(right + 3), message.clone()], Some("frame"), 0),
        ("a length far beyond", vec![message.clone(), lied(0xFFFF), message.clone()], Some("claims"), 0),
        ("no length", vec![lied(0), message.clone()], Some("frame"), 0),
        ("a heartbeat with a payload", vec![soup(b'H', b"?"), message.clone()], Some("frame"), 0),
        ("what a client says", vec![soup(b'U', b"order")], Some("frame"), 0),
        ("healthy again", vec![message], None, 0),
    ]
}

/// A client logs in, the server says these parts, each in a segment of its own, and closes.
fn talk(listener: &TcpListener, parts: &[Vec<u8>]) {
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    server.set_nodelay(true).unwrap();
    let login = format!("{:6}{:10}{:10}{:>20}", "USER", "PASSWORD", "", 1);
    client.write_all(&soup(b'L', login.as_bytes())).unwrap();
    server.read_exact(&mut [0; 49]).unwrap();
    for part in parts {
        server.write_all(part).unwrap();
        client.read_exact(&mut vec![0; part.len()]).unwrap();
    }
    drop(server);
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[test]
fn broken_packets_are_found() {
    alone("broken_packets_are_found", || {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("broken.pcapng");
        let line = UdpSocket::bind((Ipv4Addr::LOCALHOST, LINE_A)).unwrap();
        let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, GLIMPSE)).unwrap();
        let recorder = Recorder::start(&file);
        for (_, bytes, _) in datagrams() {
            sender.send_to(&bytes, line.local_addr().unwrap()).unwrap();
        }
        let accepted = soup(b'A', format!("{:10}{:>20}", "SESSION", 1).as_bytes());
        for (_, parts, _, _) in connections() {
            talk(&listener, &[vec![accepted.clone()], parts].concat());
        }
        // What tshark cannot follow: a packet that begins in the segment of the Login Accepted and ends in the next.
        let message = soup(b'S', b"a message");
        talk(&listener, &[[&accepted, &message[..5]].concat(), message[5..].to_vec(), message]);
        recorder.finish();

        let judged = Decoded::read(&file).judge();
        let about = |at: String| -> Vec<&String> {
            judged.complaints.iter().filter(|complaint| complaint.starts_with(&at)).collect()
        };
        let mut known = 0;
        for (n, (what, _, who)) in datagrams().into_iter().enumerate() {
            let found = about(format!("datagram {}: ", n + 1));
            known += found.len();
            let as_expected = who.map_or(found.is_empty(), |word| found.iter().any(|text| text.contains(word)));
            assert!(as_expected, "{what}: {found:#?}\n{:#?}", judged.complaints);
        }
        let mut torn = 0;
        assert_eq!(judged.not_judged, 1, "the last connection, whatever is read from it");
        for (n, (what, _, who, torn_here)) in connections().into_iter().enumerate() {
            let found = about(format!("connection {}, ", n + 1));
            known += found.len();
            let as_expected = who.map_or(found.is_empty(), |word| found.iter().any(|text| text.contains(word)));
            assert!(as_expected, "{what}: {found:#?}\n{:#?}", judged.complaints);
            torn += torn_here;
        }
        assert_eq!(known, judged.complaints.len(), "{:#?}", judged.complaints);
        assert_eq!(judged.torn_frames, torn, "frames that a cut alone explains");
    });
}
