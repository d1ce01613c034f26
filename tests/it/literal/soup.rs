//! SoupBinTCP 3.00. A packet is its length, which does not count itself, a letter, and what the letter says.

use crate::targets_orders::Wire;
use firelane_gateway::base::Mono;
use firelane_gateway::flow::wire::soupbintcp::{
    Client, ClientConfig, ClientEvent, LoginAccepted, LoginRequest, Packet, Password, Refused, Server, ServerConfig,
    ServerEvent,
};

/// Username and password, padded on the right; the session; the number, right-justified. Counted by hand: 47 is 1 + 6 +
/// 10 + 10 + 20.
const LOGIN: &[u8] = b"\x00\x2fL\
    USR   \
    pass1     \
    SESSION001\
    \x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x37";
/// The session, right-justified ("left padded with spaces"); the number, right-justified.
const ACCEPTED: &[u8] = b"\x00\x1fA\
    \x20\x20\x20SESSION\
    \x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x2012\x33";

#[test]
fn a_login_request() {
    assert_eq!(LOGIN.len(), 49);
    let request = LoginRequest {
        username: *b"USR   ",
        password: Password(*b"pass1     "),
        session: *b"SESSION001",
        sequence: *b"                   7",
    };
    let mut wire = Wire::default();
    Packet::LoginRequest(&request, None).send(&mut wire).unwrap();
    assert_eq!(wire.0, LOGIN);
    assert_eq!(Packet::decode(b'L', &LOGIN[3..]), Packet::LoginRequest(&request, None));

    let mut client = Client::new(ClientConfig {
        session: *b"SESSION001",
        next_sequence: 7,
        ..ClientConfig::new(*b"USR   ", Password(*b"pass1     "))
    });
    let mut wire = Wire::default();
    client.on_connected(Mono(0), &mut wire);
    assert_eq!(wire.0.escape_ascii().to_string(), LOGIN.escape_ascii().to_string());
}

#[test]
fn a_login_accepted() {
    assert_eq!(ACCEPTED.len(), 33);
    let accepted = LoginAccepted { session: *b"   SESSION", sequence: *b"                 123" };
    let mut wire = Wire::default();
    Packet::LoginAccepted(&accepted).send(&mut wire).unwrap();
    assert_eq!(wire.0, ACCEPTED);

    // A server justifies its session, however it was configured, and takes a login for it justified either way.
    for asked in [b"SESSION   ", b"   SESSION", b"          "] {
        let mut server = Server::new(ServerConfig::new(*b"USR   ", Password(*b"pass1     "), *b"SESSION   "));
        server.on_connected(Mono(0));
        let login = [&LOGIN[..19], asked, b"                 123"].concat();
        server.on_bytes(Mono(0), &login);
        let mut wire = Wire::default();
        assert_eq!(server.next_event(Mono(0), 200, &mut wire), Some(ServerEvent::Replay { from: 123 }));
        assert_eq!(wire.0.escape_ascii().to_string(), ACCEPTED.escape_ascii().to_string());
        assert_eq!(server.tried(), Some(*b"USR   "));
    }
    // A client takes it for the session that it asked for.
    let mut client = Client::new(ClientConfig {
        session: *b"SESSION   ",
        next_sequence: 123,
        ..ClientConfig::new(*b"USR   ", Password(*b"pass1     "))
    });
    client.on_connected(Mono(0), &mut Wire::default());
    client.on_bytes(Mono(0), ACCEPTED);
    let logged_in = ClientEvent::LoggedIn { session: *b"   SESSION", next_sequence: 123 };
    assert_eq!(client.next_event(), Some(logged_in));
}

#[test]
fn each_refusal_has_the_reason_of_the_specification() {
    for (refused, reason) in [
        (Refused::Username, b'A'),
        (Refused::Password, b'A'),
        (Refused::Length(3), b'A'),
        (Refused::Session, b'S'),
        (Refused::Ahead { asked: 2, next: 1 }, b'S'),
        (Refused::Number, b'S'),
    ] {
        assert_eq!(refused.reason(), reason, "{refused:?}");
    }
}

#[test]
fn every_other_packet() {
    let long = [b'm'; 0x0102];
    let mut sequenced = b"\x01\x03S".to_vec();
    sequenced.extend(long);
    let table: [(&[u8], Packet<'_>); 9] = [
        (b"\x00\x02JA", Packet::LoginRejected(b'A')),
        (&sequenced, Packet::Sequenced(&long)),
        (b"\x00\x03Uab", Packet::Unsequenced(b"ab")),
        (b"\x00\x01H", Packet::ServerHeartbeat),
        (b"\x00\x01R", Packet::ClientHeartbeat),
        (b"\x00\x01Z", Packet::EndOfSession),
        (b"\x00\x01O", Packet::LogoutRequest),
        (b"\x00\x06+debug", Packet::Debug(b"debug")),
        (b"\x00\x02?x", Packet::Unknown { letter: b'?', payload: b"x" }),
    ];
    for (bytes, packet) in table {
        let mut wire = Wire::default();
        packet.send(&mut wire).unwrap();
        assert_eq!(wire.0, bytes);
        assert_eq!(Packet::decode(bytes[2], &bytes[3..]), packet);
    }
}
