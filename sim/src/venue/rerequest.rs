//! The re-request server: sends again what got lost ("MoldUDP64 1.00", Request Packet).
//!
//! One request, at most one packet in reply, with what fits; the receiver asks again for the rest. There is no error
//! reply: a request for another session, or for what was never published, gets silence. So does one to a server in
//! its bad hours.

use super::publisher::{Publisher, Session, Store};
use crate::net::Faults;
use crate::rng::{Ppm, Rng};
use firelane_gateway::base::{Mono, Nanos};
use firelane_gateway::flow::wire::moldudp64::Request;
use std::fmt;

/// How the server is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Answers with all that fits a packet.
    Healthy,
    /// Answers with fewer messages than it could, but with one at least.
    Partial,
    /// Never answers.
    Dead,
    /// Leaves requests unanswered with this chance.
    Flaky(Ppm),
}

/// How the server behaves over time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RerequestConfig {
    /// Longest UDP payload of a reply, in bytes.
    pub payload: usize,
    /// Most requests answered in a second; the rest is ignored. The specification states no limit, servers have one.
    pub per_second: Option<u32>,
    /// The mode is drawn anew so often.
    pub period: Nanos,
    /// From these, by weight. None is [`Mode::Healthy`].
    pub modes: Vec<(Mode, u32)>,
}

impl RerequestConfig {
    /// What a fault profile means to this server.
    #[must_use]
    pub fn under(faults: Faults) -> Self {
        let modes = match faults {
            Faults::None => vec![],
            Faults::Light => vec![(Mode::Healthy, 90), (Mode::Partial, 10)],
            Faults::Heavy => {
                vec![(Mode::Healthy, 50), (Mode::Partial, 25), (Mode::Flaky(Ppm::percent(30)), 15), (Mode::Dead, 10)]
            }
        };
        RerequestConfig { payload: 1_400, per_second: None, period: Nanos::from_secs(2), modes }
    }
}

/// Why a request gets no reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unanswered {
    /// It is no request: it has so many bytes instead of 20.
    Malformed(usize),
    /// It asks for no message.
    NoCount,
    /// It is about another session.
    WrongSession(Session),
    /// There is no such message.
    OutOfRange {
        /// The first that it asks for.
        first: u64,
        /// The next to be published.
        next: u64,
    },
    /// There are too many.
    OverRate,
    /// The server is in its bad hours.
    BadHours,
}

impl Unanswered {
    /// Those with the same are counted together; `None` where the client did nothing wrong.
    #[must_use]
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Unanswered::Malformed(_) => Some("malformed"),
            Unanswered::NoCount => Some("no_count"),
            Unanswered::WrongSession(_) => Some("wrong_session"),
            Unanswered::OutOfRange { .. } => Some("out_of_range"),
            Unanswered::OverRate => Some("over_rate"),
            Unanswered::BadHours => None,
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unanswered::Malformed(length) => write!(f, "{length} bytes instead of the 20 of a request"),
            Unanswered::NoCount => f.write_str("a request for no messages"),
            Unanswered::WrongSession(session) => {
                write!(f, "a request for session \"{}\", which is not this one", session.trim_ascii().escape_ascii())
            }
            Unanswered::OutOfRange { first, next } => {
                write!(f, "a request from message {first} on, and the next to come is {next}")
            }
            Unanswered::OverRate => f.write_str("more requests than are answered in a second"),
            Unanswered::BadHours => f.write_str("the server is in its bad hours"),
        }
    }
}

/// What became of requests.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RerequestStats {
    /// Received.
    pub requests: u64,
    /// Answered.
    pub answered: u64,
    /// Messages sent again.
    pub messages: u64,
    /// Of those answered: with fewer messages than asked for.
    pub partial: u64,
    /// Ignored because dead or flaky.
    pub unanswered: u64,
    /// Ignored because they were too many.
    pub over_rate: u64,
    /// Ignored because of another session.
    pub wrong_session: u64,
    /// Ignored because there is no such message.
    pub out_of_range: u64,
    /// Ignored because they asked for no message.
    pub no_count: u64,
    /// Ignored because they were no requests.
    pub malformed: u64,
}

impl RerequestStats {
    /// Of both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        RerequestStats {
            requests: self.requests + other.requests,
            answered: self.answered + other.answered,
            messages: self.messages + other.messages,
            partial: self.partial + other.partial,
            unanswered: self.unanswered + other.unanswered,
            over_rate: self.over_rate + other.over_rate,
            wrong_session: self.wrong_session + other.wrong_session,
            out_of_range: self.out_of_range + other.out_of_range,
            no_count: self.no_count + other.no_count,
            malformed: self.malformed + other.malformed,
        }
    }
}

/// The server. It has no timers.
#[derive(Debug)]
pub struct RerequestServer {
    config: RerequestConfig,
    /// Draws modes and nothing else: how often it is asked changes nothing about when it is dead.
    fate: Rng,
    luck: Rng,
    mode: Mode,
    mode_until: Mono,
    second: u64,
    in_second: u32,
    stats: RerequestStats,
}

impl RerequestServer {
    /// A server in the run of `seed`.
    #[must_use]
    pub fn new(config: RerequestConfig, seed: u64) -> Self {
        RerequestServer {
            config,
            fate: Rng::new(seed, "re-request mode"),
            luck: Rng::new(seed, "re-request"),
            mode: Mode::Healthy,
            mode_until: Mono(0),
            second: 0,
            in_second: 0,
            stats: RerequestStats::default(),
        }
    }

    /// From now on it is healthy.
    pub fn heal(&mut self) {
        self.config.modes.clear();
        self.mode = Mode::Healthy;
    }

    /// The reply to a request.
    ///
    /// # Errors
    /// [`Unanswered`]: it gets none.
    pub fn on_request(&mut self, now: Mono, bytes: &[u8], publisher: &Publisher) -> Result<Vec<u8>, Unanswered> {
        self.stats.requests += 1;
        let reply = self.reply(now, bytes, publisher);
        let stats = &mut self.stats;
        match reply {
            Ok(_) => stats.answered += 1,
            Err(Unanswered::Malformed(_)) => stats.malformed += 1,
            Err(Unanswered::NoCount) => stats.no_count += 1,
            Err(Unanswered::WrongSession(_)) => stats.wrong_session += 1,
            Err(Unanswered::OutOfRange { .. }) => stats.out_of_range += 1,
            Err(Unanswered::OverRate) => stats.over_rate += 1,
            Err(Unanswered::BadHours) => stats.unanswered += 1,
        }
        reply
    }

    fn reply(&mut self, now: Mono, bytes: &[u8], publisher: &Publisher) -> Result<Vec<u8>, Unanswered> {
        let request = Request::parse(bytes).map_err(|_| Unanswered::Malformed(bytes.len()))?;
        if !self.is_within_rate(now) {
            return Err(Unanswered::OverRate);
        }
        let mode = self.mode_at(now);
        let silent = match mode {
            Mode::Dead => true,
            Mode::Flaky(p) => self.luck.chance(p),
            Mode::Healthy | Mode::Partial => false,
        };
        if silent {
            return Err(Unanswered::BadHours);
        }
        let store = publisher.store().filter(|_| request.session == publisher.session());
        let store = store.ok_or(Unanswered::WrongSession(request.session))?;
        self.answer(store, request, mode)
    }

    fn answer(&mut self, store: &Store, request: &Request, mode: Mode) -> Result<Vec<u8>, Unanswered> {
        let (first, wanted) = (request.sequence.get(), u64::from(request.count.get()));
        if wanted == 0 {
            return Err(Unanswered::NoCount);
        }
        let pack = |count| store.packet(request.session, first, count, self.config.payload);
        let (mut reply, mut packed) = pack(wanted);
        if packed == 0 {
            return Err(Unanswered::OutOfRange { first, next: store.next_sequence() });
        }
        if mode == Mode::Partial && packed > 1 {
            (reply, packed) = pack(self.luck.between(1, packed - 1));
        }
        self.stats.messages += packed;
        self.stats.partial += u64::from(packed < wanted);
        Ok(reply)
    }

    fn is_within_rate(&mut self, now: Mono) -> bool {
        let second = now.0 / 1_000_000_000;
        if second != self.second {
            (self.second, self.in_second) = (second, 0);
        }
        self.in_second = self.in_second.saturating_add(1);
        self.config.per_second.is_none_or(|limit| self.in_second <= limit)
    }

    fn mode_at(&mut self, now: Mono) -> Mode {
        while !self.config.modes.is_empty() && self.mode_until <= now {
            self.mode_until = self.mode_until.after(Nanos(self.config.period.0.max(1)));
            self.mode = self.fate.weighted(&self.config.modes).unwrap_or(Mode::Healthy);
        }
        self.mode
    }

    /// What became of the requests so far.
    #[must_use]
    pub fn stats(&self) -> RerequestStats {
        self.stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::publisher::PublisherConfig;
    use firelane_gateway::flow::wire::moldudp64::Packet;

    const SESSION: Session = *b"20240102A ";

    fn publisher(messages: u64) -> Publisher {
        let mut publisher = Publisher::new(PublisherConfig::default(), SESSION, Mono(0));
        for n in 1..=messages {
            publisher.publish(Mono(0), &[n as u8; 38]).unwrap();
        }
        publisher
    }

    fn server(modes: Vec<(Mode, u32)>) -> RerequestServer {
        RerequestServer::new(RerequestConfig { modes, ..RerequestConfig::under(Faults::None) }, 1)
    }

    fn ask(server: &mut RerequestServer, now: Mono, p: &Publisher, first: u64, count: u16) -> Option<Vec<u64>> {
        let reply = server.on_request(now, Request::new(SESSION, first, count).encode(), p).ok()?;
        let packet = Packet::parse(&reply).unwrap();
        assert_eq!((packet.header().session, packet.header().sequence.get()), (SESSION, first));
        Some(
            packet
                .messages()
                .map(|m| {
                    let (n, bytes) = m.unwrap();
                    assert_eq!(bytes, [n as u8; 38]);
                    n
                })
                .collect(),
        )
    }

    #[test]
    fn a_reply_is_one_packet_and_the_rest_is_asked_for_again() {
        let (mut server, p) = (server(vec![]), publisher(100));
        assert_eq!(ask(&mut server, Mono(0), &p, 5, 3), Some(vec![5, 6, 7]));
        let (mut next, mut asked) = (1, 0);
        while next <= 100 {
            let got = ask(&mut server, Mono(0), &p, next, 200).unwrap();
            assert_eq!(got[0], next);
            assert!(got.len() <= (1_400 - 20) / 40);
            next += got.len() as u64;
            asked += 1;
        }
        assert_eq!(asked, 3, "34 fit");
        assert_eq!((server.stats().answered, server.stats().partial, server.stats().messages), (4, 3, 103));
    }

    #[test]
    fn what_is_not_there_gets_silence() {
        let (mut server, mut p) = (server(vec![]), publisher(10));
        for (first, count) in [(11, 1), (0, 1), (3, 0), (u64::MAX, u16::MAX)] {
            assert_eq!(ask(&mut server, Mono(0), &p, first, count), None);
        }
        assert_eq!(ask(&mut server, Mono(0), &p, 10, 5), Some(vec![10]));
        let other = Unanswered::WrongSession(*b"another   ");
        assert_eq!(server.on_request(Mono(0), Request::new(*b"another   ", 1, 1).encode(), &p), Err(other));
        for length in [0, 19, 21] {
            assert_eq!(server.on_request(Mono(0), &[0; 21][..length], &p), Err(Unanswered::Malformed(length)));
        }
        p.end_session(Mono(0), &mut Vec::new());
        assert!(ask(&mut server, Mono(1), &p, 1, 1).is_some(), "while the end is repeated");
        p.on_timer(Mono(0).after(Nanos::from_secs(5)), &mut Vec::new());
        assert_eq!(ask(&mut server, Mono(0).after(Nanos::from_secs(5)), &p, 1, 1), None);
        let s = server.stats();
        assert_eq!((s.out_of_range, s.no_count, s.wrong_session, s.malformed), (3, 1, 2, 3));
        assert_eq!((s.answered, s.requests), (2, 11));
    }

    #[test]
    fn each_mode_does_what_it_says() {
        let p = publisher(30);
        let mut partial = server(vec![(Mode::Partial, 1)]);
        for _ in 0..100 {
            let got = ask(&mut partial, Mono(0), &p, 1, 30).unwrap().len();
            assert!((1..30).contains(&got), "{got}");
        }
        assert_eq!(ask(&mut partial, Mono(0), &p, 1, 1), Some(vec![1]), "a single message is not withheld");
        let mut dead = server(vec![(Mode::Dead, 1)]);
        assert_eq!(ask(&mut dead, Mono(0), &p, 1, 1), None);
        let mut flaky = server(vec![(Mode::Flaky(Ppm::percent(30)), 1)]);
        let answers = (0..10_000).filter(|_| ask(&mut flaky, Mono(0), &p, 1, 1).is_some()).count();
        assert!((6_800..7_200).contains(&answers), "{answers}");
    }

    #[test]
    fn modes_come_by_weight_and_time_alone() {
        let p = publisher(1);
        let heavy = RerequestConfig::under(Faults::Heavy);
        let modes = |asks: u64| -> Vec<Mode> {
            let mut server = RerequestServer::new(heavy.clone(), 9);
            let mut at = |second: u64| {
                let now = Mono(0).after(Nanos::from_secs(second));
                for _ in 0..asks {
                    ask(&mut server, now, &p, 1, 1);
                }
                server.mode_at(now)
            };
            (0..4_000).map(&mut at).collect()
        };
        let drawn = modes(1);
        assert_eq!(drawn, modes(7));
        let dead = drawn.iter().filter(|m| **m == Mode::Dead).count();
        assert!((300..500).contains(&dead), "{dead} of 4000 seconds");
    }

    #[test]
    fn requests_over_the_rate_are_ignored_until_the_next_second() {
        let config = RerequestConfig { per_second: Some(2), ..RerequestConfig::under(Faults::None) };
        let (mut server, p) = (RerequestServer::new(config, 1), publisher(1));
        let answers: Vec<bool> = (0..5).map(|_| ask(&mut server, Mono(7), &p, 1, 1).is_some()).collect();
        assert_eq!(answers, [true, true, false, false, false]);
        assert!(ask(&mut server, Mono(1_000_000_000), &p, 1, 1).is_some());
        assert_eq!(server.stats().over_rate, 3);
    }
}
