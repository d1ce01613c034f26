//! The snapshot server against the gateway's session machine, alone and in a faulty world.

use super::*;
use crate::net::{DatagramLink, End, StreamEvent, StreamFaults, StreamLink};
use crate::venue::publisher::{Datagram, Publisher, PublisherConfig, Session};
use firelane_gateway::base::LineId;
use firelane_gateway::flow::wire::glimpse::Item;
use firelane_gateway::flow::wire::moldudp64::Packet;
use firelane_gateway::flow::wire::soupbintcp::{Client, ClientConfig, ClientEvent, Password};
use std::collections::BTreeMap;

const USER: [u8; 6] = *b"glimps";
const PASSWORD: Password = Password(*b"secret    ");
const SESSION: Session = *b"20240102A ";

fn config(faults: Faults) -> GlimpseConfig {
    GlimpseConfig::under(faults, ServerConfig::new(USER, PASSWORD, SESSION))
}

fn server(modes: Vec<(Mode, u32)>) -> GlimpseServer {
    GlimpseServer::new(GlimpseConfig { modes, batch: 3, ..config(Faults::None) }, Rng::new(1, "glimpse"))
}

fn client(next_sequence: u64) -> Client {
    let dead_after = Nanos::from_secs(5);
    Client::new(ClientConfig { next_sequence, dead_after, ..ClientConfig::new(USER, PASSWORD) })
}

fn snapshot(n: u64, next_sequence: u64) -> Snapshot {
    Snapshot { messages: (0..n).map(|i| vec![b'x', i as u8]).collect(), next_sequence }
}

/// Logs a client in and runs the server until it closes, logs nothing more for ten seconds, or the client has all.
/// What the client got, and the time it took.
fn fetch(server: &mut GlimpseServer, client: &mut Client, from: Mono, given: &Snapshot) -> (Vec<Vec<u8>>, Mono) {
    let (mut to_server, mut to_client, mut got) = (Vec::new(), Vec::new(), Vec::new());
    let mut now = from;
    server.on_connected(now);
    client.on_connected(now, &mut Out(&mut to_server));
    server.on_bytes(now, &to_server, &mut to_client);
    while now < from.after(Nanos::from_secs(10)) {
        if server.wants_snapshot(now) {
            server.give(now, given.clone());
        }
        let mut bytes = to_client.as_slice();
        while !bytes.is_empty() {
            let taken = client.on_bytes(now, bytes);
            bytes = &bytes[taken..];
            while let Some(event) = client.next_event() {
                if let ClientEvent::Sequenced { sequence, payload } = event {
                    got.push(payload.to_vec());
                    assert_eq!(sequence, got.len() as u64);
                }
            }
        }
        to_client.clear();
        if server.must_close() || got.last().is_some_and(|m| m[0] == b'G') {
            break;
        }
        now = server.next_deadline();
        server.on_timer(now, &mut to_client);
    }
    (got, now)
}

#[test]
fn a_snapshot_comes_whole_and_ends_with_the_number_to_go_on_from() {
    let (mut server, mut client) = (server(vec![]), client(1));
    let given = snapshot(100, 4_711);
    let (mut got, _) = fetch(&mut server, &mut client, Mono(0), &given);
    let end = got.pop().unwrap();
    assert_eq!(glimpse::decode(&end), Ok(Item::End { next_sequence: 4_711 }));
    assert_eq!(got, given.messages);
    assert!(!server.must_close(), "the client logs out, the server does not hang up");
    let (mut bytes, mut nothing) = (Vec::new(), Vec::new());
    client.logout(Mono(9), &mut Out(&mut bytes)).unwrap();
    server.on_bytes(Mono(9), &bytes, &mut nothing);
    assert!(server.must_close() && nothing.is_empty());
    assert_eq!(server.stats(), GlimpseStats { logins: 1, completed: 1, logouts: 1, ..GlimpseStats::default() });
}

#[test]
fn an_empty_market_has_a_snapshot_too() {
    let (got, _) = fetch(&mut server(vec![]), &mut client(1), Mono(0), &snapshot(0, 1));
    assert_eq!(got, [glimpse::encode_end(1, Padding::LeadingSpaces).to_vec()]);
}

#[test]
fn a_login_at_another_number_than_one_is_rejected() {
    let mut server = server(vec![]);
    let (got, _) = fetch(&mut server, &mut client(2), Mono(0), &snapshot(1, 1));
    assert!(got.is_empty() && server.must_close());
    assert_eq!((server.stats().rejected, server.stats().logins), (1, 0));
}

#[test]
fn each_fault_is_one_that_a_client_can_see() {
    let given = snapshot(50, 7);
    let run = |mode| {
        let mut server = server(vec![(mode, 1)]);
        let (got, until) = fetch(&mut server, &mut client(1), Mono(0), &given);
        let ended = got.last().is_some_and(|m| m[0] == b'G');
        (got.len(), ended, until, server.must_close(), server.stats())
    };
    let (_, _, usual, ..) = run(Mode::Healthy);
    let (all, ended, slow, ..) = run(Mode::Slow);
    assert!(all == 51 && ended && slow.0 > 15 * usual.0, "{slow:?} against {usual:?}");
    let (some, ended, _, closed, s) = run(Mode::Torn);
    assert!(some < 50 && !ended && closed && s.torn == 1);
    let (some, ended, until, closed, s) = run(Mode::Stalled);
    assert!(some < 50 && !ended && !closed && s.stalled == 1 && until >= Mono(10_000_000_000));
    let (all, ended, _, closed, s) = run(Mode::Unfinished);
    assert!(all == 50 && !ended && closed && s.unfinished == 1);
}

#[test]
fn a_stale_snapshot_is_the_last_one_taken() {
    let modes = vec![(Mode::Stale, 1)];
    let refresh = Nanos::from_secs(2);
    let mut server =
        GlimpseServer::new(GlimpseConfig { modes, refresh, ..config(Faults::None) }, Rng::new(1, "glimpse"));
    assert!(server.wants_snapshot(Mono(0)));
    server.give(Mono(0), snapshot(5, 100));
    assert!(!server.wants_snapshot(Mono(1)) && server.next_deadline() == Mono(0).after(refresh));
    let (got, _) = fetch(&mut server, &mut client(1), Mono(1_000_000), &snapshot(9, 200));
    assert_eq!(glimpse::decode(&got[5]), Ok(Item::End { next_sequence: 100 }));
    server.on_closed(Mono(2_000_000));
    server.on_session_change();
    let (got, _) = fetch(&mut server, &mut client(1), Mono(3_000_000), &snapshot(9, 300));
    assert_eq!(glimpse::decode(&got[9]), Ok(Item::End { next_sequence: 300 }), "the old session's is void");
    assert_eq!((server.stats().stale, server.stats().completed), (1, 2));
}

#[test]
fn a_snapshot_on_its_way_does_not_outlive_its_session() {
    let mut server = server(vec![]);
    let (mut hello, mut out) = (Vec::new(), Vec::new());
    server.on_connected(Mono(0));
    client(1).on_connected(Mono(0), &mut Out(&mut hello));
    server.on_bytes(Mono(0), &hello, &mut out);
    server.give(Mono(0), snapshot(50, 1));
    server.on_timer(Mono(0), &mut out);
    assert!(!server.must_close());
    server.on_session_change();
    assert!(server.must_close());
}

/// A market that counts messages by topic: the least state that a wrong splice corrupts.
type Tally = BTreeMap<u8, u64>;

/// A receiver that starts late, takes a snapshot until it has a whole one, splices, and is compared with the market.
struct Late {
    client: Client,
    connect_at: Mono,
    got: Vec<Vec<u8>>,
    buffered: BTreeMap<u64, u8>,
    fills: u64,
    retries: u64,
    spliced: Option<(u64, Tally)>,
}

impl Late {
    fn splice(&mut self, publisher: &Publisher) {
        let Some(Item::End { next_sequence }) = self.got.last().and_then(|m| glimpse::decode(m).ok()) else { return };
        let mut tally = Tally::new();
        for message in &self.got[..self.got.len() - 1] {
            tally.insert(message[1], u64::from_be_bytes(message[2..10].try_into().unwrap()));
        }
        let mut n = next_sequence;
        while n < publisher.next_sequence() {
            let topic = self.buffered.get(&n).copied().unwrap_or_else(|| {
                self.fills += 1;
                publisher.store().unwrap().get(n).unwrap()[1]
            });
            *tally.entry(topic).or_default() += 1;
            n += 1;
        }
        self.spliced = Some((n, tally));
    }
}

/// Three seconds of a market under `faults`, a receiver that joins after one. What it got to, after how many
/// retries and fills, and what the server did.
fn late_start(seed: u64, faults: Faults) -> (u64, u64, u64, GlimpseStats) {
    let mut publisher = Publisher::new(PublisherConfig::default(), SESSION, Mono(0));
    let mut line = DatagramLink::new(faults.line(LineId::A), Rng::new(seed, "line"));
    let stream = StreamFaults { cut_every: Nanos::from_millis(300), ..faults.session() };
    let mut stream =
        StreamLink::new(if faults == Faults::None { faults.session() } else { stream }, Rng::new(seed, "s"));
    let mut server = GlimpseServer::new(config(faults), Rng::new(seed, "glimpse"));
    let (mut market, mut flow) = (Tally::new(), Rng::new(seed, "flow"));
    let mut late = Late {
        client: client(1),
        connect_at: Mono(1_000_000_000),
        got: Vec::new(),
        buffered: BTreeMap::new(),
        fills: 0,
        retries: 0,
        spliced: None,
    };
    let mut next_message = Mono(0);
    let mut datagrams: Vec<Datagram> = Vec::new();
    loop {
        let deadlines = [
            next_message,
            publisher.next_deadline(),
            line.next_deadline(),
            stream.next_deadline(),
            server.next_deadline(),
            late.client.next_deadline(),
            late.connect_at,
        ];
        let now = deadlines.into_iter().min().unwrap();
        assert!(now < Mono(120_000_000_000), "seed {seed}: no snapshot in two minutes");
        if next_message <= now {
            next_message = now.after(flow.exponential(Nanos::from_micros(500)));
            let topic = flow.below(250) as u8;
            *market.entry(topic).or_default() += 1;
            publisher.publish(now, &[b'm', topic]).unwrap();
        }
        publisher.on_timer(now, &mut datagrams);
        for d in datagrams.drain(..).filter(|d| d.line == LineId::A) {
            line.send(now, d.bytes);
        }
        while let Some(bytes) = line.receive(now) {
            for message in Packet::parse(&bytes).unwrap().messages() {
                let (n, message) = message.unwrap();
                late.buffered.insert(n, message[1]);
            }
        }
        if late.connect_at <= now {
            late.connect_at = Mono::NEVER;
            // Live messages are buffered from here on.
            late.buffered.clear();
            late.got.clear();
            late.client.start_over(SESSION, 1);
            stream.connect(now);
        }
        let (mut up, mut down) = (Vec::new(), Vec::new());
        server.on_timer(now, &mut down);
        late.client.on_timer(now, &mut Out(&mut up));
        while let Some((end, event)) = stream.receive(now) {
            match (end, event) {
                (End::Server, StreamEvent::Connected) => server.on_connected(now),
                (End::Server, StreamEvent::Bytes(bytes)) => server.on_bytes(now, &bytes, &mut down),
                (End::Server, StreamEvent::Closed) => server.on_closed(now),
                (End::Client, StreamEvent::Connected) => late.client.on_connected(now, &mut Out(&mut up)),
                (End::Client, StreamEvent::Closed) => {
                    late.client.on_closed(now);
                    late.retries += 1;
                    late.connect_at = now.after(Nanos::from_millis(50));
                }
                (End::Client, StreamEvent::Bytes(bytes)) => {
                    assert_eq!(late.client.on_bytes(now, &bytes), bytes.len());
                    while let Some(event) = late.client.next_event() {
                        if let ClientEvent::Sequenced { payload, .. } = event {
                            late.got.push(payload.to_vec());
                        }
                    }
                    late.splice(&publisher);
                }
            }
        }
        while late.client.next_event().is_some() {}
        if late.client.must_close() {
            stream.close(now, End::Client);
            late.client.on_closed(now);
            late.retries += 1;
            late.connect_at = now.after(Nanos::from_millis(50));
        }
        if server.wants_snapshot(now) {
            let tally = |(topic, count): (&u8, &u64)| [&[b'x', *topic], &count.to_be_bytes()[..]].concat();
            let messages = market.iter().map(tally).collect();
            server.give(now, Snapshot { messages, next_sequence: publisher.next_sequence() });
        }
        stream.send(now, End::Client, &up);
        stream.send(now, End::Server, &down);
        if server.must_close() {
            stream.close(now, End::Server);
            server.on_closed(now);
        }
        if let Some((n, tally)) = late.spliced.take() {
            assert_eq!((n, &tally), (publisher.next_sequence(), &market), "seed {seed}");
            return (n, late.retries, late.fills, server.stats());
        }
    }
}

#[test]
fn a_late_start_splices_at_the_right_number() {
    let (n, retries, fills, stats) = late_start(1, Faults::None);
    assert!((1_500..2_500).contains(&n), "{n}");
    assert_eq!((retries, stats.completed), (0, 1));
    // What was published while the last snapshot bytes were on their way is on the line still.
    assert!(fills <= 2, "{fills}");
}

#[test]
fn a_late_start_gets_there_under_heavy_faults() {
    let (mut retries, mut all) = (0, GlimpseStats::default());
    for seed in 0..60 {
        let (_, r, _, s) = late_start(seed, Faults::Heavy);
        retries += r;
        for (sum, n) in [
            (&mut all.torn, s.torn),
            (&mut all.stalled, s.stalled),
            (&mut all.unfinished, s.unfinished),
            (&mut all.stale, s.stale),
        ] {
            *sum += n;
        }
    }
    assert!(retries > 20 && all.torn > 0 && all.stalled > 0 && all.unfinished > 0 && all.stale > 0, "{all:?}");
    assert_eq!(late_start(7, Faults::Heavy), late_start(7, Faults::Heavy));
}
