//! A TCP-like stream between a client that connects and a server that accepts.
//!
//! Bytes arrive in order and unaltered, or not at all; where one chunk ends and the next begins means nothing. A
//! connection may end in an orderly way (what is under way still arrives), be cut (each direction loses what lies
//! beyond some byte), or go half-open: one direction silently stops, and only a side's own timeout ends it.

use crate::rng::{Ppm, Rng};
use firelane_gateway::base::{Mono, Nanos};
use std::collections::VecDeque;
use std::fmt;

/// One end of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The one that connects.
    Client = 0,
    /// The one that accepts.
    Server = 1,
}

impl End {
    /// The far end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            End::Client => End::Server,
            End::Server => End::Client,
        }
    }
}

/// What an end of a stream gets to know.
#[derive(Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// There is a connection now.
    Connected,
    /// The next bytes, in order; never empty.
    Bytes(Vec<u8>),
    /// There is no connection any more, or the attempt failed.
    Closed,
}

/// Only how many bytes, not which: a login may be under way, with its password.
impl fmt::Debug for StreamEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamEvent::Connected => f.write_str("Connected"),
            StreamEvent::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            StreamEvent::Closed => f.write_str("Closed"),
        }
    }
}

/// Where a stream is cut into chunks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Split {
    /// Nowhere: each write arrives as one chunk.
    #[default]
    Whole,
    /// After every byte.
    EveryByte,
    /// Anywhere.
    Random,
}

/// The faults of a stream. Mean times count from when a connection is made; zero is never.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct StreamFaults {
    /// Time on the way.
    pub delay: Nanos,
    /// Time on the way back, to the client, where it is another.
    pub back: Option<Nanos>,
    /// What each write takes longer than that, drawn (exponentially) with this mean; nothing overtakes. Zero: nothing.
    pub jitter: Nanos,
    /// How writes are split.
    pub split: Split,
    /// Chance that a chunk is joined to the one before it.
    pub coalesce: Ppm,
    /// Chance that a chunk, and all behind it, is held up.
    pub stall: Ppm,
    /// For so long on average.
    pub stall_for: Nanos,
    /// Mean time to a cut.
    pub cut_every: Nanos,
    /// Mean time until one direction silently stops.
    pub half_open_every: Nanos,
    /// Mean time during which no new connection is accepted after a cut.
    pub down_for: Nanos,
}

impl StreamFaults {
    /// A perfect stream that takes its time.
    #[must_use]
    pub fn none(delay: Nanos) -> Self {
        StreamFaults { delay, ..Self::default() }
    }

    /// The same stream without its faults: as long a way.
    #[must_use]
    pub fn healed(self) -> Self {
        let StreamFaults { delay, back, jitter, .. } = self;
        StreamFaults { delay, back, jitter, ..Self::default() }
    }

    /// Time on the way to an end.
    fn to(&self, end: End) -> Nanos {
        match end {
            End::Client => self.back.unwrap_or(self.delay),
            End::Server => self.delay,
        }
    }
}

/// What happened on a stream. Once all is quiet, `sent = delivered + lost`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct StreamStats {
    /// Attempts to connect.
    pub connects: u64,
    /// Of these refused.
    pub refused: u64,
    /// Connections cut.
    pub cuts: u64,
    /// Directions that silently stopped.
    pub half_opens: u64,
    /// Chunks held up.
    pub stalls: u64,
    /// Chunks delivered.
    pub chunks: u64,
    /// Bytes written.
    pub sent: u64,
    /// Bytes delivered.
    pub delivered: u64,
    /// Bytes lost by cuts, half-open connections and closed ends.
    pub lost: u64,
}

impl StreamStats {
    /// Of both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        StreamStats {
            connects: self.connects + other.connects,
            refused: self.refused + other.refused,
            cuts: self.cuts + other.cuts,
            half_opens: self.half_opens + other.half_opens,
            stalls: self.stalls + other.stalls,
            chunks: self.chunks + other.chunks,
            sent: self.sent + other.sent,
            delivered: self.delivered + other.delivered,
            lost: self.lost + other.lost,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Closed,
    Connecting,
    Open,
}

#[derive(Debug)]
struct Arrival {
    when: Mono,
    /// Orders arrivals at the two ends at the same instant.
    number: u64,
    connection: u64,
    event: StreamEvent,
}

/// What is on its way to one end.
#[derive(Debug)]
struct Pipe {
    in_flight: VecDeque<Arrival>,
    last_arrival: Mono,
    /// Nothing more gets through on the present connection.
    dead: bool,
}

/// One client and one server, and at most one connection between them.
#[derive(Debug)]
pub struct StreamLink {
    faults: StreamFaults,
    rng: Rng,
    /// By the end that it leads to.
    to: [Pipe; 2],
    phase: [Phase; 2],
    /// The connection that each end knows of.
    connection: [u64; 2],
    connections: u64,
    arrivals: u64,
    /// A cut strikes the first bytes written from then on, so that it always finds some under way.
    cut_at: Mono,
    half_open_at: Mono,
    down_until: Mono,
    stats: StreamStats,
}

impl StreamLink {
    /// No connection.
    #[must_use]
    pub fn new(faults: StreamFaults, rng: Rng) -> Self {
        let pipe = || Pipe { in_flight: VecDeque::new(), last_arrival: Mono(0), dead: true };
        StreamLink {
            faults,
            rng,
            to: [pipe(), pipe()],
            phase: [Phase::Closed; 2],
            connection: [0; 2],
            connections: 0,
            arrivals: 0,
            cut_at: Mono::NEVER,
            half_open_at: Mono::NEVER,
            down_until: Mono(0),
            stats: StreamStats::default(),
        }
    }

    /// Other faults from now on; times of faults to come on a present connection are drawn anew.
    pub fn set_faults(&mut self, now: Mono, faults: StreamFaults) {
        self.faults = faults;
        self.draw_faults(now);
    }

    /// The client connects, giving up the connection that it has, if any. It will hear `Connected` or `Closed`.
    pub fn connect(&mut self, now: Mono) {
        self.close(now, End::Client);
        self.stats.connects += 1;
        self.connections += 1;
        self.connection[End::Client as usize] = self.connections;
        self.phase[End::Client as usize] = Phase::Connecting;
        let there = now.after(self.faults.to(End::Server));
        let and_back = there.after(self.faults.to(End::Client));
        let refused = now < self.down_until;
        for pipe in &mut self.to {
            pipe.dead = refused;
        }
        if refused {
            self.stats.refused += 1;
            self.push(End::Client, and_back, self.connections, StreamEvent::Closed);
        } else {
            self.push(End::Server, there, self.connections, StreamEvent::Connected);
            self.push(End::Client, and_back, self.connections, StreamEvent::Connected);
            self.draw_faults(now);
        }
    }

    fn draw_faults(&mut self, now: Mono) {
        let mut draw = |mean: Nanos| if mean.0 == 0 { Mono::NEVER } else { now.after(self.rng.exponential(mean)) };
        self.cut_at = draw(self.faults.cut_every);
        self.half_open_at = draw(self.faults.half_open_every);
    }

    /// Until when connections are refused, after a cut. Whoever makes a link for each connection hands it on.
    #[must_use]
    pub fn down_until(&self) -> Mono {
        self.down_until
    }

    /// Connections are refused until then.
    pub fn refuse_until(&mut self, until: Mono) {
        self.down_until = self.down_until.max(until);
    }

    /// Is there a connection, as far as this end knows?
    #[must_use]
    pub fn is_open(&self, end: End) -> bool {
        self.phase[end as usize] == Phase::Open
    }

    /// The end `from` writes bytes. Without a connection they are lost, as they are in a socket that is about to
    /// report its end.
    pub fn send(&mut self, now: Mono, from: End, mut bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.stats.sent += bytes.len() as u64;
        let present = self.is_present(from);
        let to = from.other();
        if present && now >= self.half_open_at {
            self.half_open(from);
        }
        let cut = present && now >= self.cut_at;
        if !present || self.to[to as usize].dead {
            self.stats.lost += bytes.len() as u64;
        } else {
            while !bytes.is_empty() {
                let at = match self.faults.split {
                    Split::Whole => bytes.len(),
                    Split::EveryByte => 1,
                    // Half of the writes stay whole.
                    Split::Random if self.rng.coin() => bytes.len(),
                    Split::Random => 1 + self.rng.index(bytes.len()),
                };
                let (chunk, rest) = bytes.split_at(at);
                self.push_bytes(to, now, chunk);
                bytes = rest;
            }
        }
        if cut {
            self.cut(now);
        }
    }

    /// Is the connection that this end knows of the present one, and open?
    fn is_present(&self, end: End) -> bool {
        self.is_open(end) && self.connection[end as usize] == self.connections
    }

    fn push_bytes(&mut self, to: End, now: Mono, chunk: &[u8]) {
        let mut when = now.after(self.faults.to(to));
        if self.faults.jitter.0 > 0 {
            when = when.after(self.rng.exponential(self.faults.jitter));
        }
        if self.rng.chance(self.faults.stall) {
            self.stats.stalls += 1;
            when = when.after(self.rng.exponential(self.faults.stall_for));
        }
        let join = self.rng.chance(self.faults.coalesce);
        let pipe = &mut self.to[to as usize];
        if let (true, Some(Arrival { when: last, event: StreamEvent::Bytes(bytes), .. })) =
            (join, pipe.in_flight.back_mut())
        {
            *last = when.max(*last);
            pipe.last_arrival = *last;
            bytes.extend_from_slice(chunk);
            return;
        }
        self.push(to, when, self.connections, StreamEvent::Bytes(chunk.to_vec()));
    }

    fn push(&mut self, to: End, when: Mono, connection: u64, event: StreamEvent) {
        self.arrivals += 1;
        let pipe = &mut self.to[to as usize];
        let when = when.max(pipe.last_arrival);
        pipe.last_arrival = when;
        pipe.in_flight.push_back(Arrival { when, number: self.arrivals, connection, event });
    }

    /// The end `from` closes in an orderly way: what it has written still arrives, then the far end hears `Closed`.
    /// What is on its way to `from` is lost. No effect without a connection.
    pub fn close(&mut self, now: Mono, from: End) {
        if self.phase[from as usize] == Phase::Closed {
            return;
        }
        self.phase[from as usize] = Phase::Closed;
        let connection = self.connection[from as usize];
        let inbound = &mut self.to[from as usize].in_flight;
        let mut lost = 0;
        inbound.retain(|a| {
            let keep = a.connection != connection;
            lost += if keep { 0 } else { a.event.len() };
            keep
        });
        self.stats.lost += lost;
        if connection == self.connections {
            self.to[from as usize].dead = true;
            if !self.to[from.other() as usize].dead {
                self.push(from.other(), now.after(self.faults.to(from.other())), connection, StreamEvent::Closed);
                self.to[from.other() as usize].dead = true;
            }
        }
    }

    /// The present connection breaks: each direction delivers what is under way up to some byte, then `Closed`. New
    /// connections are refused for a while.
    pub fn cut(&mut self, now: Mono) {
        self.stats.cuts += 1;
        self.cut_at = Mono::NEVER;
        self.half_open_at = Mono::NEVER;
        self.down_until = now.after(self.rng.exponential(self.faults.down_for));
        for to in [End::Client, End::Server] {
            let present = self.connections;
            let pipe = &mut self.to[to as usize];
            let under_way: u64 = pipe.in_flight.iter().filter(|a| a.connection == present).map(|a| a.event.len()).sum();
            let mut kept = self.rng.below(under_way + 1);
            self.stats.lost += under_way - kept;
            for arrival in pipe.in_flight.iter_mut().filter(|a| a.connection == present) {
                if let StreamEvent::Bytes(bytes) = &mut arrival.event {
                    bytes.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
                    kept -= bytes.len() as u64;
                }
            }
            pipe.in_flight.retain(|a| !matches!(&a.event, StreamEvent::Bytes(bytes) if bytes.is_empty()));
            pipe.dead = true;
            self.push(to, now.after(self.faults.to(to)), present, StreamEvent::Closed);
        }
    }

    /// From now on nothing that `from` writes arrives, and nobody is told.
    pub fn half_open(&mut self, from: End) {
        self.half_open_at = Mono::NEVER;
        let pipe = &mut self.to[from.other() as usize];
        self.stats.half_opens += u64::from(!pipe.dead);
        pipe.dead = true;
    }

    /// When to call [`receive`](Self::receive) next (which then may have nothing after all: an end may have closed).
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.next_end().map_or(Mono::NEVER, |end| self.to[end as usize].in_flight[0].when)
    }

    fn next_end(&self) -> Option<End> {
        let key = |end: End| self.to[end as usize].in_flight.front().map(|a| (a.when, a.number));
        match (key(End::Client), key(End::Server)) {
            (Some(client), Some(server)) => Some(if client < server { End::Client } else { End::Server }),
            (Some(_), None) => Some(End::Client),
            (None, Some(_)) => Some(End::Server),
            (None, None) => None,
        }
    }

    /// The next event due by `now`, and the end that gets it.
    pub fn receive(&mut self, now: Mono) -> Option<(End, StreamEvent)> {
        while self.next_deadline() <= now {
            let end = self.next_end()?;
            let e = end as usize;
            // A server learns that an old connection is dead at the latest when its client connects anew.
            let head = self.to[e].in_flight.front()?;
            if head.event == StreamEvent::Connected && self.phase[e] == Phase::Open {
                self.phase[e] = Phase::Closed;
                return Some((end, StreamEvent::Closed));
            }
            let Arrival { connection, event, .. } = self.to[e].in_flight.pop_front()?;
            if event == StreamEvent::Connected && end == End::Server {
                self.connection[e] = connection;
                self.phase[e] = Phase::Connecting;
            }
            if connection != self.connection[e] || self.phase[e] == Phase::Closed {
                self.stats.lost += event.len();
                continue;
            }
            match &event {
                StreamEvent::Connected => self.phase[e] = Phase::Open,
                StreamEvent::Closed => self.phase[e] = Phase::Closed,
                StreamEvent::Bytes(bytes) => {
                    self.stats.chunks += 1;
                    self.stats.delivered += bytes.len() as u64;
                }
            }
            return Some((end, event));
        }
        None
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> StreamStats {
        self.stats
    }
}

impl StreamEvent {
    fn len(&self) -> u64 {
        match self {
            StreamEvent::Bytes(bytes) => bytes.len() as u64,
            StreamEvent::Connected | StreamEvent::Closed => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Faults;

    fn link(faults: StreamFaults, seed: u64) -> StreamLink {
        StreamLink::new(faults, Rng::new(seed, "stream"))
    }

    fn drain(link: &mut StreamLink) -> Vec<(End, StreamEvent)> {
        std::iter::from_fn(|| link.receive(link.next_deadline())).collect()
    }

    fn text(events: &[(End, StreamEvent)], at: End) -> Vec<u8> {
        let bytes = events.iter().filter(|(end, _)| *end == at).map(|(_, e)| match e {
            StreamEvent::Bytes(bytes) => bytes.as_slice(),
            _ => &[],
        });
        bytes.flatten().copied().collect()
    }

    fn closed(events: &[(End, StreamEvent)], at: End) -> bool {
        events.contains(&(at, StreamEvent::Closed))
    }

    #[test]
    fn bytes_arrive_in_order_however_they_are_split() {
        let sent: Vec<u8> = (0..=255).cycle().take(5_000).collect();
        for split in [Split::Whole, Split::EveryByte, Split::Random] {
            let faults = StreamFaults {
                split,
                coalesce: Ppm::percent(if split == Split::Random { 30 } else { 0 }),
                stall: Ppm::percent(5),
                stall_for: Nanos(1_000),
                ..StreamFaults::none(Nanos(10))
            };
            let mut link = link(faults, 1);
            link.connect(Mono(0));
            let hello = [(End::Server, StreamEvent::Connected), (End::Client, StreamEvent::Connected)];
            assert_eq!(drain(&mut link), hello);
            for (i, part) in sent.chunks(50).enumerate() {
                link.send(Mono(100 + i as u64), End::Client, part);
                link.send(Mono(100 + i as u64), End::Server, part);
            }
            let events = drain(&mut link);
            assert_eq!(text(&events, End::Server), sent, "{split:?}");
            assert_eq!(text(&events, End::Client), sent, "{split:?}");
            let chunks = link.stats().chunks;
            match split {
                Split::Whole => assert_eq!(chunks, 200),
                Split::EveryByte => assert_eq!(chunks, 10_000),
                Split::Random => {
                    assert!(events.iter().any(|(_, e)| e.len() > 50), "some are joined");
                    assert!(events.iter().any(|(_, e)| e.len() < 50), "some are split");
                }
            }
        }
    }

    #[test]
    fn the_way_back_may_be_another_and_what_it_takes_may_be_drawn() {
        let ways = StreamFaults { back: Some(Nanos(3)), ..StreamFaults::none(Nanos(10)) };
        let mut link = link(ways, 1);
        link.connect(Mono(0));
        assert_eq!(drain(&mut link).len(), 2);
        link.send(Mono(100), End::Client, b"there");
        link.send(Mono(100), End::Server, b"back");
        assert_eq!(link.next_deadline(), Mono(103));
        assert_eq!(link.receive(Mono(103)).unwrap().0, End::Client);
        assert_eq!(link.next_deadline(), Mono(110));
        link.receive(Mono(110)).unwrap();
        link.set_faults(Mono(200), StreamFaults { jitter: Nanos(1_000), cut_every: Nanos(1), ..ways }.healed());
        let mut taken = Vec::new();
        for i in 0..200 {
            let now = Mono(100_000 * (i + 1));
            link.send(now, End::Client, b"x");
            let at = link.next_deadline();
            link.receive(at).unwrap();
            taken.push(at.since(now).0);
        }
        let mean = taken.iter().sum::<u64>() / 200;
        assert!((850..1_170).contains(&mean) && taken.iter().all(|ns| *ns >= 10) && link.stats().cuts == 0, "{mean}");
    }

    #[test]
    fn an_orderly_close_delivers_what_was_written_and_then_says_so() {
        let mut link = link(StreamFaults::none(Nanos(10)), 1);
        link.connect(Mono(0));
        drain(&mut link);
        link.send(Mono(50), End::Server, b"lost: the client has gone");
        link.send(Mono(50), End::Client, b"bye");
        link.close(Mono(51), End::Client);
        assert_eq!(
            drain(&mut link),
            [(End::Server, StreamEvent::Bytes(b"bye".to_vec())), (End::Server, StreamEvent::Closed)]
        );
        assert!(!link.is_open(End::Client) && !link.is_open(End::Server));
        link.send(Mono(60), End::Server, b"x");
        assert_eq!((drain(&mut link), link.stats().lost), (vec![], 26));
    }

    #[test]
    fn a_cut_loses_what_lies_beyond_some_byte_and_tells_both_ends() {
        let mut lost_some = 0;
        for seed in 0..50 {
            let faults = StreamFaults { down_for: Nanos(1_000), ..StreamFaults::none(Nanos(10)) };
            let mut link = link(faults, seed);
            link.connect(Mono(0));
            drain(&mut link);
            let sent: Vec<u8> = (0..100).collect();
            link.send(Mono(30), End::Client, &sent);
            link.cut(Mono(35));
            link.send(Mono(36), End::Client, b"after the cut");
            let events = drain(&mut link);
            let got = text(&events, End::Server);
            assert!(sent.starts_with(&got));
            lost_some += u32::from(got.len() < sent.len());
            assert!(closed(&events, End::Server) && closed(&events, End::Client));
            let s = link.stats();
            assert_eq!(s.sent, s.delivered + s.lost);
        }
        assert!(lost_some > 40, "{lost_some}");
    }

    #[test]
    fn after_a_cut_connections_are_refused_for_a_while_and_then_accepted() {
        let faults = StreamFaults { down_for: Nanos::from_millis(100), ..StreamFaults::none(Nanos(10)) };
        let mut link = link(faults, 4);
        link.connect(Mono(0));
        drain(&mut link);
        link.cut(Mono(100));
        drain(&mut link);
        link.connect(Mono(200));
        assert_eq!(drain(&mut link), [(End::Client, StreamEvent::Closed)]);
        link.connect(Mono(200).after(Nanos::from_secs(10)));
        assert!(drain(&mut link).len() == 2 && link.is_open(End::Client) && link.is_open(End::Server));
        assert_eq!((link.stats().connects, link.stats().refused), (3, 1));
    }

    #[test]
    fn half_open_is_silent_one_way_until_the_client_connects_anew() {
        let mut link = link(StreamFaults::none(Nanos(10)), 1);
        link.connect(Mono(0));
        drain(&mut link);
        link.half_open(End::Client);
        link.send(Mono(50), End::Client, b"into the void");
        link.send(Mono(50), End::Server, b"still heard");
        let events = drain(&mut link);
        assert_eq!(events, [(End::Client, StreamEvent::Bytes(b"still heard".to_vec()))]);
        link.close(Mono(90), End::Client);
        assert_eq!(drain(&mut link), [], "the server is not told");
        assert!(link.is_open(End::Server));
        link.connect(Mono(100));
        link.send(Mono(101), End::Server, b"to the old connection");
        assert_eq!(
            drain(&mut link),
            [
                (End::Server, StreamEvent::Closed),
                (End::Server, StreamEvent::Connected),
                (End::Client, StreamEvent::Connected)
            ]
        );
    }

    /// A client that reconnects whenever it is closed, both ends chattering: whatever happens, each connection
    /// delivers a prefix of what was written on it.
    fn chatter(seed: u64) -> (StreamStats, u64) {
        let mut link = link(Faults::Heavy.session(), seed);
        let mut content = Rng::new(seed, "content");
        let (mut written, mut read) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        let mut silent_since = [Mono(0); 2];
        let mut digest = firelane_gateway::base::Digest::default();
        link.connect(Mono(0));
        for step in 0..200_000u64 {
            let now = Mono(step * 1_000_000);
            while let Some((end, event)) = link.receive(now) {
                let e = end as usize;
                silent_since[e] = now;
                match event {
                    StreamEvent::Connected => {
                        // What this end reads from now on is what the other writes from now on.
                        read[e].clear();
                        written[end.other() as usize].clear();
                        digest.u64(now.0);
                    }
                    StreamEvent::Bytes(bytes) => {
                        read[e].extend_from_slice(&bytes);
                        assert!(written[end.other() as usize].starts_with(&read[e]), "seed {seed}");
                        digest.bytes(&bytes);
                    }
                    StreamEvent::Closed => {}
                }
            }
            for end in [End::Client, End::Server] {
                let e = end as usize;
                if link.is_open(end) && now.since(silent_since[e]) > Nanos::from_secs(2) {
                    link.close(now, end);
                }
                if link.is_open(end) && content.chance(Ppm::percent(10)) {
                    let bytes = content.u64().to_be_bytes();
                    written[e].extend_from_slice(&bytes);
                    link.send(now, end, &bytes);
                }
            }
            if !link.is_open(End::Client) && step % 50 == 0 {
                link.connect(now);
            }
        }
        link.close(Mono::NEVER, End::Client);
        drain(&mut link);
        (link.stats(), digest.value())
    }

    #[test]
    fn under_heavy_faults_each_connection_delivers_a_prefix() {
        for seed in 0..5 {
            let (s, _) = chatter(seed);
            assert!(s.cuts > 5 && s.half_opens > 0 && s.refused > 0 && s.stalls > 0, "{s:?}");
            assert_eq!(s.sent, s.delivered + s.lost, "seed {seed}");
        }
        assert_eq!(chatter(3), chatter(3));
        assert_ne!(chatter(3).1, chatter(4).1);
    }
}
