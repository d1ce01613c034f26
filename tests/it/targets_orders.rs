//! Fuzz targets of order entry: any bytes at all, and what must hold then. The fuzzers and the seeded mutation tests
//! run the same functions.

use firelane_gateway::base::{Digest, Mono, Nanos, Reader, State, VenueId, Writer};
use firelane_gateway::flow::wire::ouch50::{Appendage, AppendageOption, Inbound, Malformed, Outbound};
use firelane_gateway::flow::wire::soupbintcp::{
    Client, ClientConfig, ClientEvent, Framer, Packet, Password, Server, ServerConfig, ServerEvent, Sink, letter,
};

/// Collects what a machine writes.
#[derive(Default)]
pub(crate) struct Wire(pub(crate) Vec<u8>);

impl Sink for Wire {
    fn write(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.0.extend_from_slice(part));
    }
}

/// What decodes is encoded to the same bytes, and to nothing where there is no room.
pub(crate) fn ouch_inbound(data: &[u8]) {
    let mut out = [0; 1 << 10];
    match Inbound::decode(data) {
        Ok(message) => {
            same(data, &mut out, |out| message.encode_into(out));
            options(message.appendage());
        }
        Err(malformed) => blame(malformed, data),
    }
}

/// As [`ouch_inbound`], the other direction.
pub(crate) fn ouch_outbound(data: &[u8]) {
    let mut out = [0; 1 << 10];
    match Outbound::decode(data) {
        Ok(message) => {
            same(data, &mut out, |out| message.encode_into(out));
            options(message.appendage());
            let _ = message.about();
        }
        Err(malformed) => blame(malformed, data),
    }
}

fn same(data: &[u8], out: &mut [u8], encode: impl Fn(&mut [u8]) -> Option<usize>) {
    if data.len() <= out.len() {
        assert_eq!(encode(out), Some(data.len()));
        assert_eq!(&out[..data.len()], data);
        assert_eq!(encode(&mut out[..data.len() - 1]), None, "a message in less room than it takes");
    }
}

/// The options are the whole appendage, and the typed ones are those of known tags.
fn options(appendage: Appendage<'_>) {
    let length: usize = appendage.iter().map(|(_, value)| value.len() + 2).sum();
    assert_eq!(length, appendage.bytes().len());
    let known = appendage.iter().filter(|(tag, _)| AppendageOption::TAGS.contains(tag)).count();
    assert_eq!(appendage.known().count(), known);
    let _ = appendage.user_ref_idx();
}

fn blame(malformed: Malformed, data: &[u8]) {
    match malformed {
        Malformed::Empty => assert!(data.is_empty()),
        Malformed::UnknownType(letter) => assert_eq!(letter, data[0]),
        Malformed::BadLength { message_type, length } | Malformed::BadAppendage { message_type, length } => {
            assert_eq!((message_type, length), (data[0], data.len()));
        }
    }
}

/// However a stream is torn, its packets written again are the stream itself, up to where it broke or ended.
/// The first byte says in what chunks it comes, the second how large the framer is.
pub(crate) fn soup_framer(data: &[u8]) {
    let [chunk, capacity, stream @ ..] = data else { return };
    let mut framer = Framer::new(usize::from(*capacity) * 2);
    let mut wire = Wire::default();
    let mut broken = false;
    'stream: for mut bytes in stream.chunks(usize::from(*chunk).max(1)) {
        while !bytes.is_empty() {
            let taken = framer.push(bytes).expect("not broken yet");
            assert!(taken > 0, "a framer without packets takes something");
            bytes = &bytes[taken..];
            loop {
                match framer.next_packet() {
                    Ok(Some(packet)) => packet.send(&mut wire).expect("it came in a packet"),
                    Ok(None) => break,
                    Err(error) => {
                        assert_eq!(framer.next_packet(), Err(error), "for good");
                        assert_eq!(framer.push(b"x"), Err(error), "for good");
                        broken = true;
                        break 'stream;
                    }
                }
            }
        }
    }
    assert!(stream.starts_with(&wire.0));
    if !broken {
        assert_eq!(&stream[wire.0.len()..], framer.waiting(), "nothing is lost");
    }
}

/// A script: operations of one byte and what they need.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// As many bytes as the next one says, or as there are.
    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte().unwrap_or(0)).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }
}

/// The letters of a sink's packets; it must hold nothing else.
fn letters(wire: &mut Wire) -> Vec<u8> {
    let mut framer = Framer::new(1 << 12);
    assert_eq!(framer.push(&wire.0), Ok(wire.0.len()));
    let mut letters = Vec::new();
    while let Some(packet) = framer.next_packet().expect("a machine writes whole packets") {
        assert!(!matches!(packet, Packet::Unknown { .. }));
        letters.push(packet.letter());
    }
    assert!(framer.is_empty());
    wire.0.clear();
    letters
}

/// A client against any server: messages are delivered once and in order, over any number of connections.
pub(crate) fn soup_client(data: &[u8]) {
    let mut script = Script(data);
    let config = ClientConfig { capacity: 96, ..ClientConfig::new(*b"USER  ", Password(*b"SECRET    ")) };
    let mut client = Client::new(config.clone());
    let (mut now, mut wire, mut expected) = (Mono(0), Wire::default(), 1);
    while let Some(operation) = script.byte() {
        match operation % 8 {
            0 => {
                client.on_connected(now, &mut wire);
                assert_eq!(letters(&mut wire), [letter::LOGIN_REQUEST]);
            }
            1 | 2 => {
                let mut bytes = script.bytes();
                while !bytes.is_empty() {
                    let taken = client.on_bytes(now, bytes);
                    assert!(taken > 0, "a client without events takes something");
                    bytes = &bytes[taken..];
                    drain_client(&mut client, &mut expected);
                }
            }
            3 => {
                now = now.after(Nanos::from_millis(u64::from(script.byte().unwrap_or(0)) * 100));
                client.on_timer(now, &mut wire);
                assert!(client.next_deadline() > now, "a timer that was served is over");
                assert!(letters(&mut wire).iter().all(|l| *l == letter::CLIENT_HEARTBEAT));
                drain_client(&mut client, &mut expected);
            }
            4 => {
                let sent = client.send_unsequenced(now, &[script.bytes(), b"!"], &mut wire);
                assert_eq!(sent.is_ok(), client.is_live());
                assert_eq!(letters(&mut wire).len(), usize::from(client.is_live()));
            }
            5 => {
                let live = client.is_live();
                assert_eq!(client.logout(now, &mut wire).is_ok(), live);
                assert_eq!(letters(&mut wire).len(), usize::from(live));
            }
            6 => client.on_closed(now),
            _ => {
                let mut saved = Writer::default();
                client.save(&mut saved);
                let mut restored = Client::new(config.clone());
                restored.load(&mut Reader(&saved.0)).expect("what was saved");
                assert_eq!(digest(&restored), digest(&client));
                client = restored;
            }
        }
    }
}

fn digest(client: &Client) -> u64 {
    Digest::of_state(client)
}

fn drain_client(client: &mut Client, expected: &mut u64) {
    while let Some(event) = client.next_event() {
        let end = match event {
            ClientEvent::LoggedIn { next_sequence, .. } => {
                assert!(next_sequence <= *expected, "a gap went unseen");
                false
            }
            ClientEvent::Sequenced { sequence, .. } => {
                assert_eq!(sequence, *expected, "lost or repeated");
                *expected += 1;
                false
            }
            ClientEvent::Duplicate { sequence } => {
                assert!(sequence < *expected);
                false
            }
            ClientEvent::EndOfSession => {
                *expected = 1;
                true
            }
            ClientEvent::Rejected(_) | ClientEvent::Dead | ClientEvent::ProtocolError(_) => true,
            _ => false,
        };
        assert_eq!(client.must_close(), end);
    }
}

/// A server against any client: nothing before a login, and a replay from within the session.
pub(crate) fn soup_server(data: &[u8]) {
    const HEAD: u64 = 4;
    let mut script = Script(data);
    let config = ServerConfig::new(*b"USER  ", Password(*b"SECRET    "), *b"    FIRE01");
    let mut server = Server::new(ServerConfig { capacity: 96, ..config });
    let (mut now, mut wire) = (Mono(0), Wire::default());
    while let Some(operation) = script.byte() {
        match operation % 8 {
            0 => server.on_connected(now),
            1 | 2 => {
                let mut bytes = script.bytes();
                while !bytes.is_empty() {
                    let taken = server.on_bytes(now, bytes);
                    assert!(taken > 0, "a server without events takes something");
                    bytes = &bytes[taken..];
                    drain_server(&mut server, now, HEAD, &mut wire);
                }
            }
            3 => {
                now = now.after(Nanos::from_millis(u64::from(script.byte().unwrap_or(0)) * 100));
                server.on_timer(now, &mut wire);
                assert!(server.next_deadline() > now, "a timer that was served is over");
                assert!(letters(&mut wire).iter().all(|l| *l == letter::SERVER_HEARTBEAT));
                drain_server(&mut server, now, HEAD, &mut wire);
            }
            4 => {
                let next = server.next_sequence();
                match server.send_sequenced(now, &[script.bytes()], &mut wire) {
                    Ok(sequence) => assert_eq!((sequence, server.next_sequence()), (next, next + 1)),
                    Err(_) => assert!(!server.is_live()),
                }
                assert_eq!(letters(&mut wire).len(), usize::from(server.is_live()));
            }
            5 => {
                let live = server.is_live();
                assert_eq!(server.end_session(now, &mut wire).is_ok(), live);
                assert_eq!(letters(&mut wire).len(), usize::from(live));
                assert!(!server.is_live());
            }
            _ => server.on_closed(now),
        }
    }
}

fn drain_server(server: &mut Server, now: Mono, head: u64, wire: &mut Wire) {
    loop {
        let was_live = server.is_live();
        let Some(event) = server.next_event(now, head, wire) else { return };
        let end = match event {
            ServerEvent::Replay { from } => {
                assert!(!was_live && (1..=head).contains(&from));
                assert_eq!(letters(wire), [letter::LOGIN_ACCEPTED]);
                false
            }
            ServerEvent::Rejected(_) => {
                assert_eq!(letters(wire), [letter::LOGIN_REJECTED]);
                true
            }
            ServerEvent::Unsequenced(_) | ServerEvent::Heartbeat => {
                assert!(was_live, "a message before the login");
                false
            }
            ServerEvent::Logout | ServerEvent::Dead | ServerEvent::ProtocolError(_) => true,
            ServerEvent::Debug(_) | ServerEvent::Skipped { .. } => false,
        };
        assert!(wire.0.is_empty());
        assert_eq!(server.must_close(), end);
    }
}

/// Order entry and the order table behind it, from a login on: whatever the venue says, no number goes below zero, no
/// list loses an order, and what is left over is asked for within the capacity.
pub(crate) fn order_session(data: &[u8]) {
    use firelane_gateway::base::InstrumentId;
    use firelane_gateway::flow::entry::{OrderEntry, OuchConfig, OuchEntry};
    use firelane_gateway::flow::orders::{Cursor, Orders, OrdersConfig};
    use firelane_gateway::flow::outbox::Outbox;
    use firelane_gateway::flow::session::SessionInput;
    thread_local!(static OUT: std::cell::RefCell<Outbox> = std::cell::RefCell::new(Outbox::new(0)));

    let login = ClientConfig { capacity: 512, ..ClientConfig::new(*b"LANE01", Password(*b"SECRET    ")) };
    let mut entry = OuchEntry::new(OuchConfig::new(login)).unwrap();
    let sizes = OrdersConfig {
        capacity: 2,
        retained: 2,
        fills: 4,
        instruments: 1,
        venues: 1,
        first_id: 1,
        request_timeout: Nanos(1),
    };
    let mut orders = Orders::new(&sizes).unwrap();
    OUT.with_borrow_mut(|out| {
        let mut now = Mono(1);
        entry.start(now, out);
        entry.on_session(now, SessionInput::Connected, out);
        let accepted = b"\0\x1fA     DAY01                   1";
        for mut rest in [accepted.as_slice(), data] {
            while !rest.is_empty() {
                let taken = entry.on_session(now, SessionInput::Bytes(rest), out);
                rest = &rest[taken..];
                let mut reports = 0;
                while let Some(report) = entry.next_report(now, out) {
                    reports += 1;
                    if let Some(change) = orders.adopt(VenueId(0), &report, |_| Some(InstrumentId(0))) {
                        assert!(change.before.qty.0 >= 0 && change.after.qty.0 >= 0);
                        assert!(!change.finished || change.after.qty.0 == 0);
                    }
                }
                assert!(taken > 0 || reports > 0, "stuck with {} bytes left", rest.len());
                now = Mono(now.0 + 1);
                entry.on_timer(now, out);
                while orders.timed_out(now).is_some() {}
                out.clear();
            }
        }
        let mut cursor = Cursor::default();
        let live = std::iter::from_fn(|| orders.next_live(&mut cursor).map(|o| o.id)).count();
        assert!(live == orders.live_count() as usize && live <= 4);
        entry.on_session(now, SessionInput::Closed, out);
        out.clear();
    });
}
