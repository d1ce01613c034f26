//! No password is in a journal or shown, and a replay needs none.

use super::rig::{EPOCH, SNAPSHOT, enter};
use firelane_gateway::base::{Mono, Nanos};
use firelane_gateway::flow::wire::soupbintcp::Password;
use firelane_sim::exchange::{Exchange, Synthetic};
use firelane_sim::far_end::{Door, FarEnd, FarEndConfig, Login, Output};
use firelane_sim::journal::{Input, Journal};
use firelane_sim::net::{End, Faults, StreamFaults, StreamLink};
use firelane_sim::order_flow::FlowConfig;
use firelane_sim::rng::Rng;
use firelane_sim::server::{Setup, SinceStart, VenueServer};
use firelane_sim::venue::acceptor::{self, ConnId, PortConfig};
use firelane_sim::world::{Network, WorldConfig};
use std::fs;
use std::path::Path;

const RIGHT: [u8; 10] = *b" OpenSes4m";
/// What is let in, as case and padding do not count, and what is not.
const SAID: [(&[u8; 10], bool); 9] = [
    (&RIGHT, true),
    (b"oPENsES4M ", true),
    (b"OPENSES4M ", true),
    (b" OpenSes5m", false),
    (b" OpenSes4 ", false),
    (b"xOpenSes4m", false),
    (b"MyBankPIN7", false),
    (b"**********", false),
    (b"          ", false),
];

fn market(password: [u8; 10]) -> Box<dyn Exchange> {
    let flow = FlowConfig { symbols: 1, rate: 20, live_orders: 20, ..FlowConfig::default() };
    Box::new(Synthetic::new(EPOCH, flow, vec![port(password)], Faults::None, 5))
}

fn port(password: [u8; 10]) -> PortConfig {
    PortConfig::new(*b"FIRE  ", password, *b"ORDERS0001", *b"FIRE")
}

fn resume(path: &Path, password: [u8; 10]) -> FarEnd {
    let journal = Journal::open(path, 1, EPOCH).unwrap();
    FarEnd::resume(FarEndConfig::under(Faults::None, 5, SNAPSHOT), market(password), journal).unwrap()
}

fn packet(letter: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(payload.len() + 1).unwrap().to_be_bytes().to_vec();
    bytes.push(letter);
    bytes.extend(payload);
    bytes
}

fn login(password: &[u8]) -> Vec<u8> {
    packet(b'L', &[b"FIRE  ", password, &[b' '; 10], format!("{:>20}", 0).as_bytes()].concat())
}

/// Does the whole of it, or four bytes of it in a row, stand anywhere, in any case?
fn finds(bytes: &[u8], secret: &[u8; 10]) -> bool {
    let secret = secret.trim_ascii();
    let parts = secret.windows(4).filter(|part| *part != b"****");
    parts.into_iter().any(|part| bytes.windows(4).any(|window| window.eq_ignore_ascii_case(part)))
}

/// A day of logins, each torn at another place, and each with an order behind it. Gives what the venue answered, and
/// how many were let in.
fn day_of_logins(far_end: &mut FarEnd) -> (Vec<Output>, u32) {
    let (mut now, mut answers, mut let_in) = (Mono(0), Vec::new(), 0);
    let mut urn = 0;
    far_end.open(now);
    // What may come before a login.
    for before in [vec![], packet(b'+', RIGHT.as_slice()), packet(b'?', b"text OpenSes4m")] {
        for (password, is_right) in SAID {
            let login = login(password);
            // One more is of version 4.10, with a timeout.
            for cut in 0..=login.len() {
                now = now.after(Nanos::from_millis(1));
                far_end.on_timer(now);
                let conn = far_end.on_connect(now, Door::Orders(0));
                let mut stream = before.clone();
                stream.extend(&login);
                if cut == login.len() {
                    let length = &mut stream[before.len() + 1];
                    *length += 5;
                    stream.extend(b"15000");
                }
                let first = stream.split_off(before.len() + cut.min(login.len() - 1));
                far_end.on_bytes(now, conn, &stream);
                // Written down between the two halves, as it may be.
                far_end.commit().unwrap();
                now = now.after(Nanos(1));
                far_end.on_bytes(now, conn, &first);
                assert_eq!(far_end.is_logged_in(conn), is_right, "{} at {cut}", password.escape_ascii());
                if is_right {
                    let_in += 1;
                    urn += 1;
                    far_end.on_bytes(now, conn, &packet(b'U', &enter(urn, b'B', 100, b"NONE    ", 100)));
                }
                far_end.settle(now);
                far_end.commit().unwrap();
                answers.extend(far_end.take_outputs());
                if cut % 2 == 0 {
                    far_end.on_close(now, conn);
                }
            }
        }
    }
    // And where a stream is broken, or a login has a wrong length.
    for broken in
        [[&[0, 0][..], &login(&RIGHT)].concat(), packet(b'L', b"FIRE    OpenSes4m"), login(&RIGHT)[1..].to_vec()]
    {
        let conn = far_end.on_connect(now, Door::Orders(0));
        far_end.on_bytes(now, conn, &broken);
        assert!(!far_end.is_logged_in(conn));
        answers.extend(far_end.take_outputs());
    }
    // A snapshot's client is not journaled at all.
    let conn = far_end.on_connect(now, Door::Snapshot);
    far_end.on_bytes(now, conn, &login(&SNAPSHOT.password));
    far_end.commit().unwrap();
    (answers, let_in)
}

/// Of order entry, and in which order.
fn of_clients(outputs: Vec<Output>) -> Vec<Output> {
    outputs.into_iter().filter(|output| !matches!(output, Output::Datagram(..))).collect()
}

#[test]
fn a_journal_holds_no_password_and_lets_in_whom_the_day_let_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("venue.journal");
    let mut far_end = resume(&path, RIGHT);
    let (answers, let_in) = day_of_logins(&mut far_end);
    assert_eq!(let_in, 3 * 3 * 50);
    let messages = far_end.exchange().port(0).unwrap().messages().to_vec();
    drop(far_end);

    let bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 100_000);
    for secret in SAID.map(|(said, _)| said).iter().chain([&&SNAPSHOT.password]) {
        assert!(!finds(&bytes, secret), "{} is in the journal", secret.escape_ascii());
    }
    assert!(finds(&bytes, b"ORDERS0001") || finds(&bytes, b"NONE      "), "what is looked for would be found");

    // What is in it, given to an exchange that knows no password, has the very same answers.
    let mut exchange = market(*b"forgotten ");
    assert_eq!(exchange.take_passwords(), [Password(*b"forgotten ")]);
    let mut again = Vec::new();
    Journal::open(&path, 1, EPOCH)
        .unwrap()
        .replay(|now, input| {
            match input {
                Input::Open => exchange.open(now),
                Input::Timer => exchange.on_timer(now),
                Input::Connect(conn, port) => exchange.on_connect(now, conn, port),
                Input::Bytes(conn, bytes) => exchange.on_bytes(now, conn, bytes),
                Input::Close(conn) => exchange.on_close(now, conn),
                other => panic!("{other:?}"),
            }
            again.extend(exchange.take_outputs().into_iter().map(|output| match output {
                acceptor::Output::Bytes(conn, bytes) => Output::Bytes(conn, bytes),
                acceptor::Output::Close(conn, farewell) => Output::Close(conn, farewell),
            }));
        })
        .unwrap();
    assert!(again == of_clients(answers), "the answers differ");

    // So does a venue whose password is another one by now, and only that one counts from then on.
    let mut back = resume(&path, *b"N3WSECRET!");
    // Whoever was connected in the end is cut off; nothing else differs.
    let replayed = back.exchange().port(0).unwrap().messages().to_vec();
    assert!(replayed.starts_with(&messages));
    let now = back.latest().unwrap();
    for (password, is_right) in [(&RIGHT, false), (b"n3wsecret!", true)] {
        let conn = back.on_connect(now, Door::Orders(0));
        back.on_bytes(now, conn, &login(password));
        assert_eq!(back.is_logged_in(conn), is_right, "{}", password.escape_ascii());
    }
    back.commit().unwrap();
    drop(back);
    assert!(!finds(&fs::read(&path).unwrap(), b"N3WSECRET!"));
}

#[test]
fn a_kill_within_a_login_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    for cut in 0..=login(&RIGHT).len() {
        let path = folder.path().join(format!("{cut}.journal"));
        let mut far_end = resume(&path, RIGHT);
        far_end.open(Mono(0));
        let conn = far_end.on_connect(Mono(1), Door::Orders(0));
        far_end.on_bytes(Mono(2), conn, &login(&RIGHT)[..cut]);
        far_end.commit().unwrap();
        drop(far_end);
        assert!(!finds(&fs::read(&path).unwrap(), &RIGHT), "cut at {cut}");
        // The rest of it is not taken for a login on another connection, nor the other way round.
        let mut back = resume(&path, RIGHT);
        assert!(back.doors().is_empty());
        let conn = back.on_connect(Mono(3), Door::Orders(0));
        back.on_bytes(Mono(4), conn, &login(&RIGHT));
        assert!(back.is_logged_in(conn), "cut at {cut}");
    }
}

#[test]
fn no_password_shows_in_debug_output() {
    let secret = *b"HUSHHUSH99";
    let login_of = Login { username: *b"FIRE  ", password: secret };
    let mut shown = Vec::new();
    let mut show = |what: &dyn std::fmt::Debug| shown.push(format!("{what:?} {what:#?}"));
    show(&login_of);
    show(&Password(secret));
    show(&port(secret));
    show(&port(secret).login);
    let around = FarEndConfig::under(Faults::None, 5, login_of);
    show(&around);
    let world = WorldConfig { orders: login_of, snapshot: login_of, ..WorldConfig::new(1, Faults::None, Nanos(1)) };
    show(&world);
    show(&Network::under(Faults::None));
    // With half a login under way in each.
    let mut synthetic =
        Synthetic::new(EPOCH, FlowConfig { symbols: 1, ..FlowConfig::default() }, vec![port(secret)], Faults::None, 5);
    synthetic.on_connect(Mono(0), ConnId(1), 0);
    synthetic.on_bytes(Mono(0), ConnId(1), &login(&secret)[..18]);
    show(&synthetic);
    let mut far_end = FarEnd::new(around, Box::new(synthetic), Mono(0));
    far_end.open(Mono(0));
    for door in [Door::Orders(0), Door::Snapshot] {
        let conn = far_end.on_connect(Mono(1), door);
        far_end.on_bytes(Mono(1), conn, &login(&secret)[..18]);
    }
    show(&far_end);
    let mut link = StreamLink::new(StreamFaults::default(), Rng::new(1, "link"));
    link.connect(Mono(0));
    while link.receive(link.next_deadline()).is_some() {}
    assert!(link.is_open(End::Client));
    link.send(Mono(1_000_000_000), End::Client, &login(&secret));
    assert_ne!(link.next_deadline(), Mono::NEVER, "it is on its way");
    show(&link);
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 26_499));
    let mut server =
        VenueServer::bind(&Setup::loopback([any; 2], 1), far_end, Box::new(SinceStart::default()), Mono(1)).unwrap();
    show(&server);
    show(&server.handle());
    show(&server.handle().status());
    show(&server.events());
    let as_numbers = format!("{:?}", &secret[..4]);
    for text in &shown {
        let lines = text.replace([' ', '\n'], "");
        let leaks = text.contains("HUSH") || lines.contains(as_numbers.replace(' ', "").trim_matches(['[', ']']));
        assert!(!leaks, "{text}");
    }
    assert!(shown.iter().filter(|text| text.contains("Password(..)")).count() > 3);
}
