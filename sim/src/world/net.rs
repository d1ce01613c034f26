//! Every wire between a lane and a venue.

use crate::net::{
    DatagramFaults, DatagramLink, End, Faults, LinkStats, StreamEvent, StreamFaults, StreamLink, StreamStats,
};
use crate::rng::Rng;
use firelane_gateway::base::{LineId, Mono, Nanos, SessionId};
use firelane_gateway::flow::outbox::{Class, Output};
use firelane_gateway::flow::wire::Credentials;
use firelane_gateway::flow::wire::soupbintcp::NO_PASSWORD;
use firelane_gateway::flow::wire::soupbintcp::Password;

/// The sessions of a lane with a venue, in the order of their numbers.
pub(super) const SESSIONS: [SessionId; 3] = [SessionId::ORDERS, SessionId::SNAPSHOT, SessionId::STREAM];

/// How long each wire between a lane and a venue takes, and its faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    /// Lines A and B.
    pub lines: [DatagramFaults; 2],
    /// To the re-request server, and back.
    pub rerequest: DatagramFaults,
    /// Order entry, snapshots, market data in order over a stream.
    pub sessions: [StreamFaults; 3],
}

impl Network {
    /// What a fault profile means to the wires.
    #[must_use]
    pub fn under(faults: Faults) -> Self {
        Network {
            lines: [faults.line(LineId::A), faults.line(LineId::B)],
            rerequest: faults.rerequest(),
            sessions: [faults.session(); 3],
        }
    }

    /// Wires without faults: market data takes `market`, whatever the lane sends takes `there`, and what is answered
    /// `back`. A line that takes no time hands on at the instant at which the venue publishes.
    ///
    /// ```
    /// use firelane_gateway::base::Nanos;
    /// use firelane_sim::world::Network;
    ///
    /// // Ten microseconds each way to the order port, drawn ones on top of it; market data at once.
    /// let mut network = Network::fixed(Nanos(0), Nanos::from_micros(10), Nanos::from_micros(10));
    /// network.sessions[0].jitter = Nanos::from_micros(3);
    /// assert_eq!(network, network.healed());
    /// ```
    #[must_use]
    pub fn fixed(market: Nanos, there: Nanos, back: Nanos) -> Self {
        let session = StreamFaults { back: Some(back), ..StreamFaults::none(there) };
        // What comes over the stream is market data, and the lane sends nothing on it.
        let stream = StreamFaults { back: Some(market), ..session };
        Network {
            lines: [DatagramFaults::none(market); 2],
            rerequest: DatagramFaults::none(there),
            sessions: [session, session, stream],
        }
    }

    /// The same wires without their faults: they take as long.
    #[must_use]
    pub fn healed(self) -> Self {
        Network {
            lines: self.lines.map(DatagramFaults::healed),
            rerequest: self.rerequest.healed(),
            sessions: self.sessions.map(StreamFaults::healed),
        }
    }
}

/// The wires, with their faults.
#[derive(Debug)]
pub(super) struct Net {
    /// What they are without faults.
    healed: Network,
    /// Lines A and B, then the replies of the re-request server.
    lines: [DatagramLink; 3],
    /// To the re-request server.
    requests: DatagramLink,
    sessions: [Session; 3],
}

#[derive(Debug)]
struct Session {
    link: StreamLink,
    password: Password,
    /// The lane has asked for a connection and not yet heard of its end.
    busy: bool,
    /// The lane has asked for its end, and is to hear of it.
    closing: bool,
}

impl Net {
    /// The wires of the run of `seed`; `name` is the link's, so that each has random numbers of its own.
    pub(super) fn new(network: &Network, passwords: [Password; 2], seed: u64, name: &str) -> Self {
        let rng = |wire| Rng::new(seed, &format!("{name}{wire}"));
        let way = |faults, wire| DatagramLink::new(faults, rng(wire));
        let session = |faults, wire, password| Session {
            link: StreamLink::new(faults, rng(wire)),
            password,
            busy: false,
            closing: false,
        };
        let Network { lines: [a, b], rerequest, sessions: [orders, snapshot, stream] } = *network;
        let [to_orders, to_snapshot] = passwords;
        Net {
            healed: network.healed(),
            lines: [way(a, "line A"), way(b, "line B"), way(rerequest, "replies")],
            requests: way(rerequest, "requests"),
            sessions: [
                session(orders, "order entry", to_orders),
                session(snapshot, "snapshot", to_snapshot),
                // Nobody logs in there.
                session(stream, "stream", Password(NO_PASSWORD)),
            ],
        }
    }

    /// From now on the network only delays.
    pub(super) fn heal(&mut self, now: Mono) {
        let Network { lines: [a, b], rerequest, sessions } = self.healed;
        for (line, faults) in self.lines.iter_mut().zip([a, b, rerequest]) {
            line.set_faults(faults);
        }
        self.requests.set_faults(rerequest);
        for (session, faults) in self.sessions.iter_mut().zip(sessions) {
            session.link.set_faults(now, faults);
        }
    }

    pub(super) fn next_deadline(&self) -> Mono {
        let lines = self.lines.iter().map(DatagramLink::next_deadline).min().unwrap_or(Mono::NEVER);
        let sessions = self.sessions.iter().map(|s| s.link.next_deadline()).min().unwrap_or(Mono::NEVER);
        lines.min(sessions).min(self.requests.next_deadline())
    }

    /// What the lane does to the world.
    pub(super) fn take(&mut self, now: Mono, output: Output<'_>) {
        match output {
            Output::Datagram(_, bytes) => self.requests.send(now, bytes.to_vec()),
            Output::Send { session, class, bytes, .. } => {
                if let Some(session) = self.session(session) {
                    let mut bytes = bytes.to_vec();
                    if class == Class::Session {
                        session.password.complete(&mut bytes);
                    }
                    session.link.send(now, End::Client, &bytes);
                }
            }
            Output::Connect(_, session) => {
                if let Some(session) = self.session(session) {
                    session.busy = true;
                    session.closing = false;
                    session.link.connect(now);
                }
            }
            Output::Disconnect(_, session) => {
                if let Some(session) = self.session(session).filter(|s| s.busy) {
                    session.link.close(now, End::Client);
                    session.closing = true;
                }
            }
            // The recorder's business.
            Output::Tape(_) | Output::Snapshot(_) => {}
        }
    }

    fn session(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(usize::from(id.0))
    }

    /// A session whose end the lane asked for and has not yet heard of.
    pub(super) fn next_closed(&mut self) -> Option<SessionId> {
        let at = self.sessions.iter().position(|session| session.closing)?;
        (self.sessions[at].closing, self.sessions[at].busy) = (false, false);
        Some(SESSIONS[at])
    }

    /// The next event of a session, and the end that gets it.
    pub(super) fn next_event(&mut self, now: Mono, id: SessionId) -> Option<(End, StreamEvent)> {
        let session = self.session(id)?;
        let (end, event) = session.link.receive(now)?;
        if (end, &event) == (End::Client, &StreamEvent::Closed) {
            session.busy = false;
        }
        Some((end, event))
    }

    /// A server writes.
    pub(super) fn answer(&mut self, now: Mono, id: SessionId, bytes: &[u8]) {
        if let Some(session) = self.session(id) {
            session.link.send(now, End::Server, bytes);
        }
    }

    /// A server hangs up.
    pub(super) fn hang_up(&mut self, now: Mono, id: SessionId) {
        if let Some(session) = self.session(id) {
            session.link.close(now, End::Server);
        }
    }

    /// The publisher, or the re-request server, sends. What is with the lane at once comes back.
    pub(super) fn publish(&mut self, now: Mono, line: LineId, bytes: Vec<u8>) -> Option<Vec<u8>> {
        self.lines.get_mut(usize::from(line.0))?.pass(now, bytes)
    }

    /// The next datagram for the lane.
    pub(super) fn next_packet(&mut self, now: Mono) -> Option<(LineId, Vec<u8>)> {
        let all = self.lines.iter_mut().zip([LineId::A, LineId::B, LineId::REREQUEST]);
        all.filter(|(line, _)| line.next_deadline() <= now).find_map(|(line, id)| Some((id, line.receive(now)?)))
    }

    /// The next datagram for the re-request server.
    pub(super) fn next_request(&mut self, now: Mono) -> Option<Vec<u8>> {
        self.requests.receive(now)
    }

    /// Statistics of lines A and B, replies, requests.
    pub(super) fn datagrams(&self) -> [LinkStats; 4] {
        let [a, b, replies] = &self.lines;
        [a.stats(), b.stats(), replies.stats(), self.requests.stats()]
    }

    /// Statistics of the sessions.
    pub(super) fn streams(&self) -> [StreamStats; 3] {
        [0, 1, 2].map(|at: usize| self.sessions[at].link.stats())
    }
}
