//! The venue over its sockets, against a client that knows the specifications and no code of ours: every byte is
//! written here, and every answer is compared byte by byte. What the venue says of its clients is read as its lines.

use super::rig::{ByHand, Rig, SNAPSHOT, far_end, market};
use firelane_gateway::base::{Mono, Nanos};
use firelane_sim::far_end::{FarEnd, FarEndConfig};
use firelane_sim::net::Faults;
use firelane_sim::server::Command;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A Login Request: 47, `L`, username, password, session, number (SoupBinTCP 3.00).
const LOGIN: &[u8; 49] = b"\0\x2fLFIRE0 PASS0                                  0";
/// What a fresh venue of the rig says to it: 31, `A`, session, the number of the day's first message.
const ACCEPTED: &[u8; 33] = b"\0\x1fAORDERS0001                   1";
/// The start of the day, its first message: 11, `S`; `S`, time, `S`.
const START_OF_DAY: usize = 2 + 1 + 10;

struct Client {
    socket: TcpStream,
    got: Vec<u8>,
    closed: bool,
}

impl Client {
    fn new(rig: &Rig) -> Self {
        Client::at(rig.handle.addresses().orders[0])
    }

    fn at(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        Client { socket, got: Vec::new(), closed: false }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    fn poll(&mut self) {
        let mut buffer = [0; 4_096];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return self.closed = true,
                Ok(length) => self.got.extend(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.closed = true,
            }
        }
    }

    /// Waits for so many bytes of answer.
    fn gets(&mut self, rig: &mut Rig, count: usize) -> Vec<u8> {
        rig.until(&format!("{count} bytes"), |_| {
            self.poll();
            assert!(!self.closed || self.got.len() >= count, "closed after {}", self.got.escape_ascii());
            self.got.len() >= count
        });
        self.got.drain(..count).collect()
    }

    /// Waits for the end, and gives what came before it.
    fn ends(&mut self, rig: &mut Rig) -> Vec<u8> {
        rig.until("the end", |_| {
            self.poll();
            self.closed
        });
        std::mem::take(&mut self.got)
    }

    /// The line in which the venue says why it is gone.
    fn farewell(&self, rig: &mut Rig) -> String {
        let start = format!("order port 0: {}", self.socket.local_addr().unwrap());
        let mut line = None;
        rig.until("a word of it", |rig| {
            let lines = rig.seen.iter().map(ToString::to_string);
            line = lines.filter(|line| line.starts_with(&start)).find(|line| line.contains("gone: "));
            line.is_some()
        });
        line.unwrap()[start.len()..].to_owned()
    }
}

fn rig(clock: Option<ByHand>) -> Rig {
    Rig::with_clock(1, far_end(1, 100, 11, Faults::None), |_| (), clock)
}

/// The packet with some bytes of it replaced.
fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut login = LOGIN.to_vec();
    login[at..at + bytes.len()].copy_from_slice(bytes);
    login
}

#[test]
fn a_right_login_is_answered_and_served() {
    let mut rig = rig(None);
    for login in [
        with(29, b"                   1"),
        with(19, b"ORDERS0001                   1"),
        with(29, b"1                   "),
    ] {
        let mut client = Client::new(&rig);
        client.write(&login);
        let answer = client.gets(&mut rig, ACCEPTED.len() + START_OF_DAY);
        assert_eq!(answer[..33], *ACCEPTED, "{}", answer.escape_ascii());
        assert_eq!((&answer[33..37], answer[45]), (&b"\0\x0bSS"[..], b'S'));
        // The next number is the end: nothing is beyond it yet.
        let mut head = Client::new(&rig);
        head.write(&with(47, b" 2"));
        assert_eq!(head.gets(&mut rig, 33), b"\0\x1fAORDERS0001                   2");
        assert_eq!(client.farewell(&mut rig), " (user \"FIRE0\") gone: another login took its place");
        assert_eq!(client.ends(&mut rig), b"");
        head.write(b"\0\x01O");
        assert_eq!(head.ends(&mut rig), b"");
        assert_eq!(head.farewell(&mut rig), " (user \"FIRE0\") gone: logged out");
    }
}

#[test]
fn each_wrong_login_is_answered_closed_and_said() {
    let mut rig = rig(None);
    let short = [b"\0\x2a", &LOGIN[2..44]].concat();
    let long = [b"\0\x33", &LOGIN[2..], b"1500"].concat();
    let fire = Some("FIRE0");
    let beyond = |asked: &str| format!("it asked for message {asked}, and the next one is 2");
    let length = |bytes: u32| format!("a Login Request of {bytes} bytes instead of 47");
    let at_session = |key| (b'S', key, fire);
    for (login, (reason, key, user), why) in [
        (with(9, b"WRONG     "), (b'A', "wrong_password", fire), "wrong password".to_owned()),
        (with(3, b"MALLET"), (b'A', "wrong_username", Some("MALLET")), "no such user on this port".to_owned()),
        (with(19, b"YESTERDAY "), at_session("wrong_session"), "it asked for another session".to_owned()),
        (with(29, b"                   3"), at_session("sequence_beyond_end"), beyond("3")),
        (with(29, b"18446744073709551615"), at_session("sequence_beyond_end"), beyond("18446744073709551615")),
        (
            with(29, b"               first"),
            at_session("bad_sequence"),
            "the sequence number is not a number".to_owned(),
        ),
        (short, (b'A', "login_length", None), length(42)),
        (long, (b'A', "login_length", None), length(51)),
        (b"\0\x01L".to_vec(), (b'A', "login_length", None), length(1)),
    ] {
        let before = rig.status().gone.get(key).copied().unwrap_or(0);
        let mut client = Client::new(&rig);
        client.write(&login);
        assert_eq!(client.ends(&mut rig), [0, 2, b'J', reason], "{}", login.escape_ascii());
        let user = user.map_or(String::new(), |user| format!(" (user {user:?})"));
        assert_eq!(client.farewell(&mut rig), format!("{user} gone: login rejected: {why}"));
        assert_eq!(rig.status().gone[key], before + 1);
    }
    let everything: Vec<String> = rig.seen.iter().map(|event| format!("{event} {event:?}")).collect();
    assert!(!everything.concat().contains("WRONG") && !everything.concat().contains("PASS0"), "{everything:?}");
    let mut client = Client::new(&rig);
    client.write(LOGIN);
    client.gets(&mut rig, ACCEPTED.len());
}

/// "server may close after typically 30 s" without a login, and "after typically 15 s silence" with one.
#[test]
fn whoever_says_nothing_is_closed_in_time_and_not_before() {
    let clock = ByHand::default();
    let mut rig = rig(Some(clock.clone()));
    let (mut mute, mut silent) = (Client::new(&rig), Client::new(&rig));
    silent.write(&with(47, b" 2"));
    assert_eq!(&silent.gets(&mut rig, 33)[31..], b" 2");
    rig.until("both", |rig| rig.status().ports[0].connections == 2);
    clock.pass(Nanos::from_millis(14_500));
    rig.cycle();
    // A heartbeat each second of silence; a cycle of ours is no second, so that there is one.
    assert_eq!(silent.gets(&mut rig, 3), b"\0\x01H");
    assert_eq!(rig.status().gone.len(), 0);
    clock.pass(Nanos::from_millis(600));
    silent.ends(&mut rig);
    assert_eq!(silent.farewell(&mut rig), " (user \"FIRE0\") gone: silent for too long: no heartbeat");
    clock.pass(Nanos::from_millis(14_000));
    rig.cycle();
    assert_eq!((rig.status().gone.get("no_login"), rig.status().gone["silence"]), (None, 1));
    clock.pass(Nanos::from_secs(1));
    assert_eq!(mute.ends(&mut rig), b"");
    assert_eq!(mute.farewell(&mut rig), " gone: no login in time");
}

#[test]
fn whoever_speaks_something_else_is_closed_and_it_is_said_what() {
    let mut rig = rig(None);
    for (bytes, said) in [
        (b"\0\0".as_slice(), " gone: protocol error: an empty packet"),
        (b"\0\x02Ux", " gone: protocol error: a packet 'U' out of turn"),
        (b"\0\x01R", " gone: protocol error: a packet 'R' out of turn"),
        (b"\0\x01Z", " gone: protocol error: a packet 'Z' out of turn"),
        (b"\0\x01O", " gone: logged out"),
    ] {
        let mut client = Client::new(&rig);
        client.write(bytes);
        assert_eq!(client.ends(&mut rig), b"");
        assert_eq!(client.farewell(&mut rig), said);
    }
    // A second login on one connection; the first was good.
    let mut client = Client::new(&rig);
    client.write(LOGIN);
    client.gets(&mut rig, ACCEPTED.len());
    client.write(LOGIN);
    client.ends(&mut rig);
    assert_eq!(client.farewell(&mut rig), " (user \"FIRE0\") gone: protocol error: a packet 'L' out of turn");
    let leaves = Client::new(&rig);
    rig.until("it", |rig| rig.status().ports[0].connections == 1);
    let address = leaves.socket.local_addr().unwrap();
    drop(leaves);
    rig.until("that it left", |rig| {
        rig.seen.iter().any(|e| e.to_string() == format!("order port 0: {address} gone: closed by the client"))
    });
}

/// What is no OUCH message is skipped and said; one with a field that can't be is answered with a Reject.
#[test]
fn malformed_requests_are_counted_and_said() {
    let mut rig = rig(None);
    let mut client = Client::new(&rig);
    client.write(&with(47, b" 2"));
    client.gets(&mut rig, 33);
    // 48, `U`; `O`, number 1, buy, 100, of a symbol that is not listed, 1.0000, day, visible, principal, no sweep, no
    // cross, the client's text, no appendage.
    let enter = b"\0\x30UO\0\0\0\x01B\0\0\0\x64NONE    \0\0\0\0\0\0\x27\x100YPNNclient's text \0\0";
    let mut short = enter[..enter.len() - 1].to_vec();
    short[1] = 0x2f;
    let mut lying = enter.to_vec();
    lying[enter.len() - 1] = 1;
    for bytes in [b"\0\x02U?".as_slice(), b"\0\x01U", &short, &lying, b"\0\x03!ab"] {
        client.write(bytes);
    }
    client.write(enter);
    // 30, `S`; `J`, time, number, reason 0x0017: symbol, the client's text.
    let answer = client.gets(&mut rig, 3 + 29);
    assert_eq!((&answer[..4], &answer[12..]), (&b"\0\x1eSJ"[..], &b"\0\0\0\x01\0\x17client's text "[..]));
    let mut no_side = enter.to_vec();
    (no_side[7], no_side[8]) = (2, b'Q');
    client.write(&no_side);
    let answer = client.gets(&mut rig, 3 + 29);
    assert_eq!(&answer[12..18], b"\0\0\0\x02\0\x09");
    let lines: Vec<String> = rig.seen.iter().map(ToString::to_string).collect();
    for said in [
        "order port 0: an OUCH message of unknown type '?': ignored",
        "order port 0: an OUCH message without a byte: ignored",
        "order port 0: an OUCH message 'O' of 46 bytes, which no revision gives it: ignored",
        "order port 0: an OUCH message 'O' of 47 bytes with a malformed appendage: ignored",
        "order port 0: a packet '!' with 2 bytes, which a server does not know: skipped",
        "order port 0: a request rejected: invalid symbol (0x17)",
        "order port 0: a request rejected: invalid side (0x09)",
    ] {
        assert!(lines.iter().any(|line| line == said), "{said:?} is not in {lines:#?}");
    }
    for _ in 0..4 {
        client.write(b"\0\x02U?");
    }
    rig.until("five of a kind", |rig| rig.status().ports[0].remarks["unknown message type"] == 5);
    let times = |rig: &Rig| rig.seen.iter().filter(|e| e.to_string().contains("unknown type")).count();
    assert_eq!(times(&rig), 3, "the first, the second and the fourth");
    let remarks = rig.status().ports[0].remarks.clone();
    assert_eq!(
        (remarks["rejected: invalid symbol"], remarks["malformed appendage"], remarks["unknown packet"]),
        (1, 1, 1)
    );
    assert!(!client.closed, "none of it costs the connection");
}

/// Clients that are being served keep their places, and whoever finds none is closed at once.
#[test]
fn connections_beyond_the_places_are_counted_and_said() {
    let mut around = FarEndConfig::under(Faults::None, 13, SNAPSHOT);
    // A message at a time, far apart: it takes hours.
    (around.glimpse.batch, around.glimpse.pace) = (1, Nanos::from_secs(60));
    let mut far_end = FarEnd::new(around, market(1, 100, 13, Faults::None), Mono(0));
    far_end.open(Mono(0));
    let mut rig = Rig::new(1, far_end, |setup| setup.limits.connections = 1);
    let address = rig.handle.addresses().snapshot;
    let mut served = Client::at(address);
    served.write(b"\0\x2fLSNAP  SNAPSHOT                               1");
    served.gets(&mut rig, 33);
    let mut peers = Vec::new();
    for count in 1..=4 {
        let mut late = Client::at(address);
        peers.push(late.socket.local_addr().unwrap());
        assert_eq!(late.ends(&mut rig), b"");
        assert_eq!(rig.status().full, count);
    }
    let said: Vec<String> = rig.seen.iter().map(ToString::to_string).filter(|line| line.contains("at once")).collect();
    let line = |at: usize, times: &str| {
        format!("snapshots: {} closed at once: limits.connections is reached{times}", peers[at])
    };
    assert_eq!(said, [line(0, ""), line(1, " (2 of these by now)"), line(3, " (4 of these by now)")]);
    assert!(!served.closed);
}

/// The day ends: what rests is cancelled (`C`, reason E), System Event `E`, End of Session, and the connection is closed;
/// the lines say the end again and again (count FFFF), and then no more.
#[test]
fn the_end_of_the_day_is_said_on_every_wire() {
    let clock = ByHand::default();
    let mut rig = rig(Some(clock.clone()));
    let mut client = Client::new(&rig);
    client.write(&with(47, b" 2"));
    client.gets(&mut rig, 33);
    rig.until("a symbol", |rig| rig.lines[0].messages.values().any(|message| message[0] == b'R'));
    let directory = rig.lines[0].messages.values().find(|message| message[0] == b'R').unwrap();
    let mut enter = b"\0\x30UO\0\0\0\x01B\0\0\0\x64SYMBOL  \0\0\0\0\0\0\0\x640YPNNclient's text \0\0".to_vec();
    enter[13..21].copy_from_slice(&directory[11..19]);
    client.write(&enter);
    let accepted = client.gets(&mut rig, 3 + 64 + 6);
    assert_eq!((accepted[2], accepted[3]), (b'S', b'A'));
    assert_eq!(rig.status().ports[0].live, 1);
    for command in [Command::Stop, Command::EndDay, Command::EndSession] {
        rig.tell(command);
    }
    let last = client.ends(&mut rig);
    assert_eq!(last.len(), 3 + 18 + 3 + 10 + 3, "{}", last.escape_ascii());
    assert_eq!((&last[..4], &last[12..21]), (&b"\0\x13SC"[..], &b"\0\0\0\x01\0\0\0\x64E"[..]));
    assert_eq!((&last[21..25], last[33]), (&b"\0\x0bSS"[..], b'E'));
    assert_eq!(&last[34..], b"\0\x01Z");
    assert_eq!(client.farewell(&mut rig), " (user \"FIRE0\") gone: the session has ended");
    assert_eq!(rig.status().ports[0].live, 1, "what lived when the day was ended");
    // Nobody logs in any more.
    let mut late = Client::new(&rig);
    assert_eq!(late.ends(&mut rig), b"");
    rig.until("the end on both lines", |rig| rig.lines.iter().all(|line| line.ended));
    let before = rig.lines[0].datagrams;
    clock.pass(Nanos::from_secs(1));
    rig.until("the end once more", |rig| rig.lines[0].datagrams > before);
    assert_eq!(rig.status().phase, firelane_sim::server::Phase::Ended);
    let events: Vec<u8> = rig.lines[0].messages.values().filter(|m| m[0] == b'S').map(|m| m[11]).collect();
    assert_eq!(events, b"OSQMEC");
    clock.pass(Nanos::from_secs(10));
    rig.until("the end of that", |rig| rig.handle.status().phase == firelane_sim::server::Phase::Said);
    rig.finish().check().unwrap();
}
