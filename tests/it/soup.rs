//! SoupBinTCP against its specification (Nasdaq, "SoupBinTCP 3.00"): packets, framing, and both session machines,
//! alone and against each other.

use std::collections::VecDeque;

use firelane_gateway::base::{Digest, LoadError, Mono, Nanos, Reader, State, Writer};
use firelane_gateway::flow::wire::Credentials;
use firelane_gateway::flow::wire::soupbintcp::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::mutations::million;
use crate::targets_orders::{self, Wire};

const SESSION: [u8; 10] = *b"    FIRE01";
const SECOND: Nanos = Nanos::from_secs(1);

/// A packet, framed.
fn framed(letter: u8, payload: &[u8]) -> Vec<u8> {
    let mut wire = Wire::default();
    send(&mut wire, letter, &[payload]).unwrap();
    wire.0
}

fn accepted(session: &[u8; 10], sequence: &str) -> Vec<u8> {
    framed(b'A', &[&session[..], format!("{sequence:>20}").as_bytes()].concat())
}

fn login(user: &str, password: &str, session: &str, sequence: &str) -> Vec<u8> {
    framed(b'L', format!("{user:<6}{password:<10}{session:<10}{sequence:>20}").as_bytes())
}

fn client_config() -> ClientConfig {
    ClientConfig::new(*b"USER  ", Password(*b"SECRET    "))
}

fn server_config() -> ServerConfig {
    ServerConfig::new(*b"user  ", Password(*b"secret    "), SESSION)
}

/// A client that is logged in at `Mono(0)`, from message 1.
fn live_client() -> Client {
    let mut client = Client::new(client_config());
    client.on_connected(Mono(0), &mut Wire::default());
    assert_eq!(feed(&mut client, Mono(0), &accepted(&SESSION, "1")).len(), 1);
    assert!(client.is_live());
    client
}

/// A server that a client has logged in to at `Mono(0)`, from message 1.
fn live_server() -> Server {
    let mut server = Server::new(server_config());
    server.on_connected(Mono(0));
    assert_eq!(serve(&mut server, Mono(0), 1, &login("USER", "SECRET", "", "1")).0, ["Replay { from: 1 }"]);
    server
}

/// All events of some bytes, for people.
fn feed(client: &mut Client, now: Mono, mut bytes: &[u8]) -> Vec<String> {
    let mut events = Vec::new();
    loop {
        let taken = client.on_bytes(now, bytes);
        bytes = &bytes[taken..];
        while let Some(event) = client.next_event() {
            events.push(format!("{event:?}"));
        }
        if bytes.is_empty() {
            return events;
        }
    }
}

fn serve(server: &mut Server, now: Mono, head: u64, mut bytes: &[u8]) -> (Vec<String>, Vec<u8>) {
    let (mut events, mut wire) = (Vec::new(), Wire::default());
    loop {
        let taken = server.on_bytes(now, bytes);
        bytes = &bytes[taken..];
        while let Some(event) = server.next_event(now, head, &mut wire) {
            events.push(format!("{event:?}"));
        }
        if bytes.is_empty() {
            return (events, wire.0);
        }
    }
}

/// One packet of every letter, as bytes that were written by hand.
fn every_packet() -> Vec<Vec<u8>> {
    let packets: [&[u8]; 13] = [
        b"\x00\x2FLUSER  SECRET        FIRE01                   1",
        b"\x00\x34LUSER  SECRET        FIRE01                   115000",
        b"\x00\x1FA    FIRE01                   7",
        b"\x00\x02JS",
        b"\x00\x05SABCD",
        b"\x00\x01S",
        b"\x00\x03UXY",
        b"\x00\x01H",
        b"\x00\x01R",
        b"\x00\x01Z",
        b"\x00\x01O",
        b"\x00\x06+hello",
        b"\x00\x03?ab",
    ];
    packets.iter().map(|packet| packet.to_vec()).collect()
}

/// A login as a lane writes it: blank where the password belongs.
fn blank_login(more: &[u8]) -> Vec<u8> {
    let length = 47 + u16::try_from(more.len()).unwrap();
    [&length.to_be_bytes()[..], b"L", b"USER  ", &NO_PASSWORD, &[b' '; 30], more].concat()
}

#[test]
fn a_password_goes_into_a_whole_login_alone() {
    let password = Password(*b"hush-hush!");
    let completed = |frames: &[u8]| {
        let mut frames = frames.to_vec();
        password.complete(&mut frames);
        frames
    };
    for more in [&[][..], b"15000"] {
        let login = blank_login(more);
        // With what a session may say behind it.
        for login in [login.clone(), [&login[..], &[0, 1, b'R']].concat()] {
            let done = completed(&login);
            assert_eq!((&done[..9], &done[9..19], &done[19..]), (&login[..9], &password.0[..], &login[19..]));
        }
        for cut in 0..login.len() {
            assert_eq!(completed(&login[..cut]), login[..cut], "cut at {cut}");
        }
        for (at, byte) in [(0, 1), (1, login[1] - 1), (1, login[1] + 1), (2, b'U'), (2, b'l')] {
            let mut other = login.clone();
            other[at] = byte;
            other.push(0);
            assert_eq!(completed(&other), other, "{byte} at {at}");
        }
    }
    let six = blank_login(b"150000");
    assert_eq!(completed(&six), six, "of no version");
    assert!(!format!("{password:?}").contains("hush"));
}

#[test]
fn every_packet_is_read_and_written() {
    let mut letters = Vec::new();
    for bytes in every_packet() {
        let mut framer = Framer::new(128);
        assert_eq!(framer.push(&bytes), Ok(bytes.len()));
        let packet = framer.next_packet().unwrap().unwrap();
        letters.push(packet.letter());
        assert_eq!(matches!(packet, Packet::Unknown { .. }), packet.letter() == b'?');
        let mut wire = Wire::default();
        packet.send(&mut wire).unwrap();
        assert_eq!(wire.0, bytes);
        assert_eq!(framer.next_packet(), Ok(None));
    }
    assert_eq!(letters, *b"LLAJSSUHRZO+?");
}

/// A wrong length is skipped by its frame, and what follows is found.
#[test]
fn a_wrong_length_harms_no_other_packet() {
    for (letter, payload) in [
        (b'L', &b"short"[..]),
        (b'L', &[b' '; 47]),
        (b'L', &[b' '; 52]),
        (b'A', &[b' '; 29]),
        (b'A', &[b' '; 31]),
        (b'J', b""),
        (b'J', b"AB"),
        (b'H', b"x"),
        (b'R', b"x"),
        (b'Z', b"x"),
        (b'O', b"x"),
        (0, b""),
    ] {
        let mut framer = Framer::new(128);
        framer.push(&[framed(letter, payload), framed(b'S', b"next")].concat()).unwrap();
        assert_eq!(framer.next_packet(), Ok(Some(Packet::Unknown { letter, payload })));
        assert_eq!(framer.next_packet(), Ok(Some(Packet::Sequenced(b"next"))));
    }
}

/// Cut in two at every byte, and byte by byte.
#[test]
fn a_stream_may_be_cut_anywhere() {
    let stream = every_packet().concat();
    let cut = |pieces: &[&[u8]]| {
        let (mut framer, mut wire, mut count) = (Framer::new(128), Wire::default(), 0);
        for piece in pieces {
            let mut piece = *piece;
            while !piece.is_empty() {
                let taken = framer.push(piece).unwrap();
                piece = &piece[taken..];
                while let Some(packet) = framer.next_packet().unwrap() {
                    packet.send(&mut wire).unwrap();
                    count += 1;
                }
            }
        }
        assert_eq!((wire.0, count), (stream.clone(), 13));
    };
    for at in 0..=stream.len() {
        cut(&[&stream[..at], &stream[at..]]);
    }
    cut(&stream.chunks(1).collect::<Vec<_>>());
}

/// At its capacity and one beyond; the error stays until the next connection.
#[test]
fn a_packet_of_length_zero_or_beyond_the_capacity_breaks_the_stream() {
    let mut framer = Framer::new(100);
    framer.push(&framed(b'S', &[7; 97])).unwrap();
    assert_eq!(framer.next_packet(), Ok(Some(Packet::Sequenced(&[7; 97]))));
    framer.push(&framed(b'S', &[7; 98])[..2]).unwrap();
    assert_eq!(framer.next_packet(), Err(FrameError::Oversize(99)), "known from the length alone");
    assert_eq!(framer.push(b"x"), Err(FrameError::Oversize(99)));
    framer.clear();
    framer.push(&[&framed(b'H', b"")[..], &[0, 0, 0, 1, b'H']].concat()).unwrap();
    assert_eq!(framer.next_packet(), Ok(Some(Packet::ServerHeartbeat)));
    assert_eq!(framer.next_packet(), Err(FrameError::Empty));
    assert_eq!(framer.next_packet(), Err(FrameError::Empty));
    let mut largest = Framer::new(MAX_PACKET);
    let packet = framed(b'S', &[1; 65_534]);
    assert_eq!(largest.push(&packet), Ok(MAX_PACKET));
    assert_eq!(largest.push(b"x"), Ok(0), "full, until a packet is taken out");
    assert!(matches!(largest.next_packet(), Ok(Some(Packet::Sequenced(p))) if p.len() == 65_534));
    assert_eq!(largest.push(b"x"), Ok(1));
}

#[test]
fn what_a_packet_cannot_hold_is_not_sent() {
    let (mut client, mut wire) = (live_client(), Wire::default());
    assert_eq!(client.send_unsequenced(Mono(0), &[&[0; 65_535]], &mut wire), Err(SendError::TooLong));
    assert_eq!(client.send_unsequenced(Mono(0), &[b"a", b"b", b"c", b"d"], &mut wire), Err(SendError::TooLong));
    assert!(wire.0.is_empty());
    assert_eq!(client.send_unsequenced(Mono(0), &[b"a", b"b", b"c"], &mut wire), Ok(()));
    assert_eq!(wire.0, b"\x00\x04Uabc");
    wire.0.clear();
    assert_eq!(client.send_unsequenced(Mono(0), &[&[9; 65_534]], &mut wire), Ok(()));
    assert_eq!(wire.0[..3], [255, 255, b'U']);
}

/// Section 3, "Padding": accept both.
#[test]
fn numbers_are_read_with_either_padding_and_written_right_justified() {
    assert_eq!(parse_number(b"                  42"), Some(42));
    assert_eq!(parse_number(b"42                  "), Some(42));
    assert_eq!(parse_number(b"00000000000000000042"), Some(42));
    assert_eq!(parse_number(b"18446744073709551615"), Some(u64::MAX));
    for wrong in [&b"18446744073709551616"[..], b"99999999999999999999", b"", b"    ", b"4 2", b"-1", b"+1", b"1a"] {
        assert_eq!(parse_number(wrong), None, "{wrong:?}");
    }
    assert_eq!(&format_number(0), b"                   0");
    assert_eq!(&format_number(120), b"                 120");
    assert_eq!(&format_number(u64::MAX), b"18446744073709551615");
}

/// Section 3, "Login": the first packet, with session and next expected message.
#[test]
fn a_client_logs_in_and_counts_sequenced_packets_alone() {
    let (mut client, mut wire) = (Client::new(client_config()), Wire::default());
    assert_eq!(client.send_unsequenced(Mono(0), &[b"early"], &mut wire), Err(SendError::NotLoggedIn));
    client.on_connected(Mono(0), &mut wire);
    assert_eq!(wire.0, login("USER", "SECRET", "", "1"));
    assert_eq!(client.send_unsequenced(Mono(0), &[b"early"], &mut wire), Err(SendError::NotLoggedIn));
    let stream =
        [accepted(&SESSION, "1"), framed(b'S', b"a"), framed(b'H', b""), framed(b'+', b"t"), framed(b'U', b"u")];
    let events = feed(&mut client, Mono(0), &[stream.concat(), framed(b'?', b"xy"), framed(b'S', b"")].concat());
    assert_eq!(
        events,
        [
            "LoggedIn { session: [32, 32, 32, 32, 70, 73, 82, 69, 48, 49], next_sequence: 1 }",
            "Sequenced { sequence: 1, payload: [97] }",
            "Heartbeat",
            "Debug([116])",
            "Unsequenced([117])",
            "Skipped { letter: 63, length: 2 }",
            "Sequenced { sequence: 2, payload: [] }",
        ]
    );
    wire.0.clear();
    client.on_closed(Mono(1));
    client.on_connected(Mono(2), &mut wire);
    assert_eq!(wire.0, login("USER", "SECRET", "    FIRE01", "3"), "resumes");
}

/// A server that begins before what was asked for (a clamp) repeats; the client does not.
#[test]
fn nothing_is_delivered_twice() {
    let mut client = live_client();
    feed(&mut client, Mono(0), &[framed(b'S', b"a"), framed(b'S', b"b")].concat());
    client.on_closed(Mono(1));
    client.on_connected(Mono(2), &mut Wire::default());
    let again = [accepted(&SESSION, "2"), framed(b'S', b"b"), framed(b'S', b"c")].concat();
    let events = feed(&mut client, Mono(2), &again);
    assert_eq!(events[1..], ["Duplicate { sequence: 2 }", "Sequenced { sequence: 3, payload: [99] }"]);
}

/// A server that begins after what was asked for would lose messages; another session would mix them.
#[test]
fn a_client_does_not_accept_another_stream_than_it_asked_for() {
    let resumed = |answer: &[u8]| {
        let mut client = live_client();
        feed(&mut client, Mono(0), &framed(b'S', b"a"));
        client.on_closed(Mono(1));
        client.on_connected(Mono(2), &mut Wire::default());
        let events = feed(&mut client, Mono(2), answer);
        assert_eq!((events.len(), client.must_close()), (1, !client.is_live()));
        events[0].clone()
    };
    assert!(resumed(&accepted(&SESSION, "2")).starts_with("LoggedIn"));
    assert!(resumed(&accepted(b"FIRE01    ", "2")).starts_with("LoggedIn"), "either padding");
    assert_eq!(resumed(&accepted(&SESSION, "3")), "ProtocolError(SequenceGap { expected: 2, offered: 3 })");
    assert_eq!(
        resumed(&accepted(b"    FIRE02", "2")),
        "ProtocolError(WrongSession([32, 32, 32, 32, 70, 73, 82, 69, 48, 50]))"
    );
    assert_eq!(resumed(&accepted(&SESSION, "0")), "ProtocolError(BadNumber)");
    assert_eq!(resumed(&accepted(&SESSION, "x")), "ProtocolError(BadNumber)");
    assert_eq!(resumed(&framed(b'S', b"early")), "ProtocolError(Unexpected(83))");
    assert_eq!(resumed(&framed(b'O', b"")), "ProtocolError(Unexpected(79))");
    assert_eq!(resumed(&[0, 0]), "ProtocolError(Frame(Empty))");
    assert_eq!(resumed(&framed(b'J', b"S")), "Rejected(83)");
}

/// Requested 0: the server says where the stream begins.
#[test]
fn from_the_most_recent_message_means_where_the_server_says() {
    let mut client = Client::new(ClientConfig { next_sequence: 0, ..client_config() });
    client.on_connected(Mono(0), &mut Wire::default());
    let events = feed(&mut client, Mono(0), &[accepted(&SESSION, "41"), framed(b'S', b"z")].concat());
    assert_eq!(events[1], "Sequenced { sequence: 41, payload: [122] }");
    assert_eq!(client.next_sequence(), 42);
}

/// Section 3, "Z": the session is closed for good; the next login is blank.
#[test]
fn after_the_end_of_session_a_client_asks_for_the_current_one_from_its_start() {
    let (mut client, mut wire) = (live_client(), Wire::default());
    let events = feed(&mut client, Mono(0), &[framed(b'S', b"a"), framed(b'Z', b""), framed(b'S', b"b")].concat());
    assert_eq!(events[1..], ["EndOfSession"]);
    assert!(client.must_close());
    client.on_closed(Mono(1));
    client.on_connected(Mono(2), &mut wire);
    assert_eq!(wire.0, login("USER", "SECRET", "", "1"));
    client.start_over(*b"FIRE02    ", 9);
    wire.0.clear();
    client.on_connected(Mono(3), &mut wire);
    assert_eq!(wire.0, login("USER", "SECRET", "FIRE02", "9"), "or for the one that it was told");
}

/// Section 3, "heartbeat": after *more* than 1 s without sending, whatever was sent.
#[test]
fn a_client_beats_after_more_than_a_second_without_sending() {
    let (mut client, mut wire) = (live_client(), Wire::default());
    assert_eq!(client.next_deadline(), Mono(SECOND.0 + 1));
    client.on_timer(Mono(SECOND.0), &mut wire);
    assert!(wire.0.is_empty(), "not after exactly a second");
    client.on_timer(Mono(SECOND.0 + 1), &mut wire);
    assert_eq!(wire.0, framed(b'R', b""));
    assert_eq!(client.next_deadline(), Mono(SECOND.0 * 2 + 2));
    client.send_unsequenced(Mono(SECOND.0 * 2), &[b"order"], &mut wire).unwrap();
    assert_eq!(client.next_deadline(), Mono(SECOND.0 * 3 + 1), "an order is as good as a heartbeat");
}

#[test]
fn a_server_beats_after_more_than_a_second_without_sending() {
    let (mut server, mut wire) = (live_server(), Wire::default());
    server.on_timer(Mono(SECOND.0), &mut wire);
    assert!(wire.0.is_empty(), "not after exactly a second");
    server.on_timer(server.next_deadline(), &mut wire);
    assert_eq!(wire.0, framed(b'H', b""));
    assert_eq!(server.next_deadline(), Mono(SECOND.0 * 2 + 2));
    assert_eq!(server.send_sequenced(Mono(SECOND.0 * 2), &[b"fill"], &mut wire), Ok(1));
    assert_eq!(server.next_deadline(), Mono(SECOND.0 * 3 + 1), "a message is as good as a heartbeat");
}

/// Section 3, "Dead peer": 15 s of silence; any byte is a sign of life.
#[test]
fn a_silent_peer_is_dead_after_fifteen_seconds() {
    let (mut client, mut server, mut wire) = (live_client(), live_server(), Wire::default());
    let (almost, dead) = (Mono(15 * SECOND.0 - 1), Mono(15 * SECOND.0));
    client.on_timer(almost, &mut wire);
    server.on_timer(almost, &mut wire);
    assert!(client.next_event().is_none() && server.next_event(almost, 1, &mut wire).is_none());
    assert_eq!((client.next_deadline(), server.next_deadline()), (dead, dead));
    let mut heard = client.clone();
    feed(&mut heard, almost, &[0]);
    heard.on_timer(dead, &mut wire);
    assert!(heard.is_live(), "half a packet is a sign of life");
    client.on_timer(dead, &mut wire);
    server.on_timer(dead, &mut wire);
    assert_eq!(client.next_event(), Some(ClientEvent::Dead));
    assert_eq!(server.next_event(dead, 1, &mut wire), Some(ServerEvent::Dead));
    assert!(client.must_close() && server.must_close());
    assert_eq!((client.next_deadline(), server.next_deadline()), (Mono::NEVER, Mono::NEVER));
    assert!(client.next_event().is_none());
}

#[test]
fn a_login_that_takes_too_long_fails_on_either_side() {
    let (mut client, mut server, mut wire) =
        (Client::new(client_config()), Server::new(server_config()), Wire::default());
    assert_eq!((client.next_deadline(), server.next_deadline()), (Mono::NEVER, Mono::NEVER));
    client.on_connected(Mono(5), &mut wire);
    server.on_connected(Mono(5));
    let late = Mono(5).after(Nanos::from_secs(30));
    assert_eq!((client.next_deadline(), server.next_deadline()), (late, late));
    // Noise does not extend it.
    feed(&mut client, Mono(6), &framed(b'+', b"wait"));
    serve(&mut server, Mono(6), 1, &framed(b'+', b"wait"));
    wire.0.clear();
    client.on_timer(Mono(late.0 - 1), &mut wire);
    server.on_timer(Mono(late.0 - 1), &mut wire);
    assert!(client.next_event().is_none() && wire.0.is_empty(), "no heartbeat before the login is answered");
    client.on_timer(late, &mut wire);
    server.on_timer(late, &mut wire);
    assert_eq!(client.next_event(), Some(ClientEvent::ProtocolError(ProtocolError::LoginTimeout)));
    let event = server.next_event(late, 1, &mut wire);
    assert_eq!(event, Some(ServerEvent::ProtocolError(ProtocolError::LoginTimeout)));
    assert!(client.must_close() && server.must_close());
}

#[test]
fn logout_ends_it_for_the_server_at_once_and_for_the_client_with_the_connection() {
    let (mut client, mut server, mut wire) = (live_client(), live_server(), Wire::default());
    client.logout(Mono(0), &mut wire).unwrap();
    assert_eq!(wire.0, framed(b'O', b""));
    assert_eq!(client.send_unsequenced(Mono(0), &[b"late"], &mut wire), Err(SendError::NotLoggedIn));
    assert_eq!(feed(&mut client, Mono(0), &framed(b'S', b"a")), ["Sequenced { sequence: 1, payload: [97] }"]);
    let (events, answer) = serve(&mut server, Mono(0), 1, &[framed(b'O', b""), framed(b'U', b"late")].concat());
    assert_eq!((events, answer), (vec!["Logout".to_owned()], vec![]));
    assert!(server.must_close());
    assert_eq!(server.send_sequenced(Mono(0), &[b"late"], &mut wire), Err(SendError::NotLoggedIn));
}

/// Section 3, "Login", "Requested 0", "Requested > next".
#[test]
fn a_server_lets_in_whom_it_should_and_says_from_where() {
    let try_with = |config: ServerConfig, head: u64, bytes: Vec<u8>| {
        let mut server = Server::new(config);
        server.on_connected(Mono(0));
        let (events, answer) = serve(&mut server, Mono(0), head, &bytes);
        assert_eq!((events.len(), server.is_live()), (1, !server.must_close()));
        (events[0].clone(), answer)
    };
    let attempt =
        |user, password, session, sequence| try_with(server_config(), 6, login(user, password, session, sequence));
    let from = |n: u64| (format!("Replay {{ from: {n} }}"), accepted(&SESSION, &n.to_string()));
    let rejected = |refused: Refused| (format!("Rejected({refused:?})"), framed(b'J', &[refused.reason()]));
    assert_eq!(attempt("USER", "SECRET", "", "1"), from(1));
    assert_eq!(attempt("uSeR", "sEcReT", "FIRE01", "3"), from(3), "case does not matter, nor padding");
    assert_eq!(attempt("USER", "SECRET", "    FIRE01", "6"), from(6), "the next message is not ahead");
    assert_eq!(attempt("USER", "SECRET", "", "0"), from(5), "from the most recent message");
    assert_eq!(attempt("USER", "WRONG", "", "1"), rejected(Refused::Password));
    assert_eq!(attempt("OTHER", "SECRET", "", "1"), rejected(Refused::Username));
    assert_eq!(attempt("USER", "SECRET", "FIRE02", "1"), rejected(Refused::Session));
    assert_eq!(attempt("USER", "SECRET", "", "7"), rejected(Refused::Ahead { asked: 7, next: 6 }));
    assert_eq!(attempt("USER", "SECRET", "", "soon"), rejected(Refused::Number));
    // A login of another length is answered as well: whoever sent it waits for that.
    for length in [0, 45, 47, 50, 52] {
        let refused = rejected(Refused::Length(length + 1));
        assert_eq!(try_with(server_config(), 6, framed(b'L', &vec![b' '; length])), refused);
        assert_eq!(refused.1, framed(b'J', b"A"));
    }
    let clamp = ServerConfig { ahead: Ahead::Clamp, ..server_config() };
    assert_eq!(try_with(clamp, 6, login("USER", "SECRET", "", "7")), from(6));
    assert_eq!(try_with(server_config(), 1, login("USER", "SECRET", "", "0")), from(1), "an empty session");
    assert_eq!(
        try_with(server_config(), 6, framed(b'L', b"USER  SECRET        FIRE01                   115000")),
        from(1),
        "the longer login of version 4.10"
    );
    for (early, letter) in [(framed(b'U', b"order"), b'U'), (framed(b'R', b""), b'R'), (framed(b'S', b"x"), b'S')] {
        let expected = (format!("ProtocolError(Unexpected({letter}))"), vec![]);
        assert_eq!(try_with(server_config(), 6, early), expected, "the login comes first");
    }
}

#[test]
fn a_second_login_on_a_connection_is_refused() {
    let (events, answer) = serve(&mut live_server(), Mono(0), 1, &login("USER", "SECRET", "", "1"));
    assert_eq!((events, answer), (vec!["ProtocolError(Unexpected(76))".to_owned()], vec![]));
}

#[test]
fn a_password_does_not_show() {
    let (mut client, mut server) = (Client::new(client_config()), Server::new(server_config()));
    client.on_connected(Mono(0), &mut Wire::default());
    server.on_connected(Mono(0));
    let bytes = login("USER", "SECRET", "", "1");
    server.on_bytes(Mono(0), &bytes);
    let mut framer = Framer::new(64);
    framer.push(&bytes).unwrap();
    let shown = format!("{client:?} {server:?} {framer:?} {:?}", framer.clone().next_packet());
    let secret = format!("{:?}", b"SECRET");
    let secret = secret.trim_matches(['[', ']']);
    assert!(!shown.contains(secret) && !shown.to_uppercase().contains("SECRET"), "{shown}");
    assert!(shown.contains("Password(..)"));
}

#[test]
fn a_client_loads_only_what_a_client_saved() {
    let mut client = live_client();
    client.on_bytes(Mono(3), &framed(b'S', b"torn")[..4]);
    let mut saved = Writer::default();
    client.save(&mut saved);
    let digest = |client: &Client| Digest::of_state(client);
    let mut restored = Client::new(client_config());
    assert_ne!(digest(&restored), digest(&client));
    restored.load(&mut Reader(&saved.0)).unwrap();
    assert_eq!(digest(&restored), digest(&client));
    let expected = ["Sequenced { sequence: 1, payload: [116, 111, 114, 110] }"];
    assert_eq!(feed(&mut restored, Mono(4), &framed(b'S', b"torn")[4..]), expected);
    for end in 0..saved.0.len() {
        assert_eq!(Client::new(client_config()).load(&mut Reader(&saved.0[..end])), Err(LoadError::Short));
    }
    // Behind the framer (no error, four bytes) and the two times of the pulse.
    for (place, field) in [(0, "Client.framer"), (29, "Client.phase"), (30, "Client.fault")] {
        let mut wrong = saved.0.clone();
        wrong[place] = 99;
        let refused = Client::new(client_config()).load(&mut Reader(&wrong));
        assert_eq!(refused, Err(LoadError::OutOfRange(field)));
    }
}

/// A connection: what is under way in each direction is lost when it is cut.
#[derive(Default)]
struct Cable {
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
}

/// A client and a server with a store of messages, joined by a cable.
struct Pair {
    client: Client,
    server: Server,
    cable: Option<Cable>,
    store: Vec<Vec<u8>>,
    delivered: Vec<Vec<u8>>,
    requests: u32,
    received: Vec<u32>,
    now: Mono,
}

impl Pair {
    fn new() -> Self {
        Pair {
            client: Client::new(ClientConfig { capacity: 200, ..client_config() }),
            server: Server::new(ServerConfig { capacity: 100, ..server_config() }),
            cable: None,
            store: Vec::new(),
            delivered: Vec::new(),
            requests: 0,
            received: Vec::new(),
            now: Mono(0),
        }
    }

    fn connect(&mut self) {
        let mut wire = Wire::default();
        self.client.on_connected(self.now, &mut wire);
        self.server.on_connected(self.now);
        self.cable = Some(Cable { to_server: wire.0.into(), to_client: VecDeque::new() });
    }

    fn cut(&mut self) {
        self.cable = None;
        self.client.on_closed(self.now);
        self.server.on_closed(self.now);
    }

    /// The session has a new message; it goes out if anybody listens.
    fn publish(&mut self, message: Vec<u8>) {
        self.store.push(message);
        self.pump();
    }

    /// Sends what the client has not been sent on this connection.
    fn pump(&mut self) {
        let Some(cable) = &mut self.cable else { return };
        let mut wire = Wire::default();
        while self.server.is_live() && self.server.next_sequence() <= self.store.len() as u64 {
            let sequence = self.server.next_sequence();
            let message = &self.store[sequence as usize - 1];
            assert_eq!(self.server.send_sequenced(self.now, &[message], &mut wire), Ok(sequence));
        }
        cable.to_client.extend(wire.0);
    }

    fn request(&mut self) {
        let Some(cable) = &mut self.cable else { return };
        let mut wire = Wire::default();
        if self.client.send_unsequenced(self.now, &[&self.requests.to_be_bytes()], &mut wire).is_ok() {
            self.requests += 1;
        }
        cable.to_server.extend(wire.0);
    }

    fn carry_to_client(&mut self, n: usize) {
        let Some(cable) = &mut self.cable else { return };
        let chunk: Vec<u8> = cable.to_client.drain(..n.min(cable.to_client.len())).collect();
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            let taken = self.client.on_bytes(self.now, rest);
            rest = &rest[taken..];
            while let Some(event) = self.client.next_event() {
                match event {
                    ClientEvent::Sequenced { sequence, payload } => {
                        self.delivered.push(payload.to_vec());
                        assert_eq!(sequence, self.delivered.len() as u64);
                    }
                    ClientEvent::LoggedIn { .. } | ClientEvent::Heartbeat => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn carry_to_server(&mut self, n: usize) {
        let Some(cable) = &mut self.cable else { return };
        let chunk: Vec<u8> = cable.to_server.drain(..n.min(cable.to_server.len())).collect();
        let (mut rest, mut wire) = (&chunk[..], Wire::default());
        while !rest.is_empty() {
            let taken = self.server.on_bytes(self.now, rest);
            rest = &rest[taken..];
            let head = self.store.len() as u64 + 1;
            while let Some(event) = self.server.next_event(self.now, head, &mut wire) {
                match event {
                    ServerEvent::Unsequenced(payload) => {
                        self.received.push(u32::from_be_bytes(payload.try_into().unwrap()));
                    }
                    ServerEvent::Replay { .. } | ServerEvent::Heartbeat => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        cable.to_client.extend(wire.0);
        self.pump();
    }

    fn tick(&mut self, d: Nanos) {
        self.now = self.now.after(d);
        let (mut to_server, mut to_client) = (Wire::default(), Wire::default());
        self.client.on_timer(self.now, &mut to_server);
        self.server.on_timer(self.now, &mut to_client);
        match &mut self.cable {
            Some(cable) => {
                cable.to_server.extend(to_server.0);
                cable.to_client.extend(to_client.0);
            }
            None => assert!(to_server.0.is_empty() && to_client.0.is_empty(), "sent without a connection"),
        }
    }

    /// Replaces the client by one that loads what it saved.
    fn restore(&mut self) {
        let mut saved = Writer::default();
        self.client.save(&mut saved);
        let mut restored = Client::new(ClientConfig { capacity: 200, ..client_config() });
        restored.load(&mut Reader(&saved.0)).unwrap();
        self.client = restored;
    }
}

/// Cut at every byte of what either side has sent, once: every message arrives once, in order.
#[test]
fn a_connection_cut_at_every_byte_loses_and_repeats_nothing() {
    let messages: Vec<Vec<u8>> = (0..12u8).map(|i| vec![i; usize::from(i)]).collect();
    for at in 0..400 {
        let mut pair = Pair::new();
        pair.connect();
        let mut carried = 0;
        for message in &messages {
            pair.publish(message.clone());
            pair.request();
            for _ in 0..60 {
                pair.carry_to_server(1);
                pair.carry_to_client(1);
                carried += 1;
                if carried == at {
                    pair.cut();
                    pair.connect();
                }
            }
        }
        pair.carry_to_server(usize::MAX);
        pair.carry_to_client(usize::MAX);
        assert_eq!(pair.delivered, messages, "cut after {at} bytes");
    }
}

/// Random messages, chunks, cuts, pauses and restarts from saved state: every sequenced message is delivered exactly
/// once and in order; what the client sent arrives in order, without repetition, and is lost only with a connection.
#[test]
fn every_message_is_delivered_once_and_in_order_over_any_connections() {
    for seed in 0..400 {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut pair = Pair::new();
        let mut cuts = 0;
        for _ in 0..400 {
            match rng.random_range(0..20) {
                0..5 => {
                    let n = pair.store.len();
                    pair.publish(vec![n as u8; rng.random_range(0..190)]);
                }
                5..8 => pair.request(),
                8..12 => pair.carry_to_client(rng.random_range(0..100)),
                12..16 => pair.carry_to_server(rng.random_range(0..30)),
                16 => pair.tick(Nanos::from_millis(rng.random_range(0..200))),
                17 => pair.restore(),
                18 if rng.random_range(0..4) == 0 && pair.cable.is_some() => {
                    pair.cut();
                    cuts += 1;
                }
                _ if pair.cable.is_none() => pair.connect(),
                _ => {}
            }
            assert!(pair.store.starts_with(&pair.delivered), "seed {seed}");
        }
        if pair.cable.is_none() {
            pair.connect();
        }
        pair.carry_to_server(usize::MAX);
        pair.carry_to_client(usize::MAX);
        assert_eq!(pair.delivered.len(), pair.store.len(), "seed {seed}");
        assert!(pair.received.is_sorted_by(|a, b| a < b), "seed {seed}");
        assert!(cuts > 0 || pair.received.len() == pair.requests as usize, "seed {seed}: lost without a cut");
    }
}

/// Half-open: while nothing passes both sides fall silent to each other, notice, and the next connection resumes.
#[test]
fn a_dead_connection_is_noticed_and_resumed() {
    let mut pair = Pair::new();
    pair.connect();
    pair.carry_to_server(usize::MAX);
    pair.carry_to_client(usize::MAX);
    pair.publish(b"lost on the way".to_vec());
    for _ in 0..40 {
        pair.tick(Nanos::from_millis(500));
    }
    assert_eq!(pair.client.next_event(), Some(ClientEvent::Dead));
    assert_eq!(pair.server.next_event(pair.now, 2, &mut Wire::default()), Some(ServerEvent::Dead));
    assert!(pair.client.must_close() && pair.server.must_close());
    pair.cut();
    pair.connect();
    pair.carry_to_server(usize::MAX);
    pair.carry_to_client(usize::MAX);
    assert_eq!(pair.delivered, [b"lost on the way"]);
}

/// A script of the targets: connect, then bytes in pieces of at most 255.
fn script(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut script = vec![0];
    for packet in packets {
        script.extend([1, packet.len() as u8]);
        script.extend(packet);
    }
    script
}

#[test]
fn a_million_mutations_of_a_stream() {
    let mut corpus: Vec<Vec<u8>> = every_packet().iter().map(|packet| [&[7, 64][..], packet].concat()).collect();
    corpus.push([&[1, 0][..], &every_packet()[2..].concat()].concat());
    million(0x50, &corpus, targets_orders::soup_framer);
}

#[test]
fn a_million_mutations_of_a_servers_bytes() {
    let session = [accepted(&SESSION, "1"), framed(b'S', b"a"), framed(b'S', b"b"), framed(b'H', b"")];
    let end = [framed(b'+', b"x"), framed(b'U', b"u"), framed(b'Z', b"")];
    let mut resumed = script(&session);
    resumed.extend([4, 2, b'x', b'y', 3, 12, 7, 6]);
    resumed.extend(script(&[accepted(&SESSION, "3"), framed(b'S', b"c")]));
    let corpus =
        [script(&session), resumed, script(&[&session[..], &end].concat()), vec![3, 200, 4, 0, 5, 6, 7, 3, 151]];
    million(0x51, &corpus, targets_orders::soup_client);
}

#[test]
fn a_million_mutations_of_a_clients_bytes() {
    let session = [login("USER", "SECRET", "", "1"), framed(b'U', b"order"), framed(b'R', b""), framed(b'+', b"x")];
    let mut ended = script(&session);
    ended.extend([4, 3, b'x', b'y', b'z', 3, 12, 5, 6]);
    ended.extend(script(&[login("USER", "SECRET", "FIRE01", "0"), framed(b'O', b"")]));
    let corpus =
        [script(&session), ended, script(&[login("USER", "NO", "", "1")]), vec![3, 200, 4, 0, 5, 6, 7, 3, 151]];
    million(0x52, &corpus, targets_orders::soup_server);
}
