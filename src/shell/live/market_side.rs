//! The sockets of the market side: the lines, re-request server, snapshot session or stream of every venue. Whoever runs the
//! feeds has them.
//!
//! One duty cycle looks at them in this order, and so does the next, whatever came in before:
//!
//! ```text
//!   lines       of the first venue the one that leads, and the other one in its turn; of the next, ...
//!   ways back   of the first venue: its stream, or replies to re-requests and then its snapshot session; of the next, ...
//! ```
//!
//! Each has its turn before any has another one: a venue that says much delays the others by no more than its turn. In a cycle in
//! which nothing comes not all are looked at: see [`attention`](super::attention).

use super::LiveError;
use super::attention::{Lines, Pace};
use super::core_side::Market;
use super::link::{Link, copied, event_input};
use crate::base::{LineId, Mono, PerVenue, SessionId, VenueId};
use crate::flow::outbox::Output;
use crate::flow::record::{StatusBody, VenueStatusBody};
use crate::flow::{Arrival, Input};
use crate::shell::agent::AgentError;
use crate::shell::clock::Clock;
use crate::shell::config::NetConfig;
use crate::shell::counters::Tally;
use crate::shell::net::{KillSwitch, LineCounters, Login, RerequestSocket, Session, SessionCounters, UdpLine};
use std::io;

/// Takes the outputs that are for the market side.
pub(super) trait Back {
    /// Does what it says.
    fn take(&mut self, now: Mono, output: &Output<'_>);
}

/// A core on its own: what is for the market side never comes from it.
impl Back for () {
    fn take(&mut self, _now: Mono, _output: &Output<'_>) {}
}

/// The ways back to the venues: they both send and receive.
pub(super) struct BackChannel {
    ways: PerVenue<Ways>,
}

/// The ways back to a venue.
enum Ways {
    /// To one whose market comes in lines.
    Lines {
        rerequest: RerequestSocket,
        snapshot: Session,
        /// Whether either was used of late: then it is looked at in every duty cycle.
        busy: u32,
    },
    /// To one whose market comes over a stream: always looked at.
    Stream(Session),
}

/// Duty cycles for which a way back is looked at after it was used.
const BUSY: u32 = 50_000;
/// Otherwise one duty cycle in so many: nothing can be there that was not asked for, except the end of a session.
const RARELY: u32 = 64;
/// Replies, or events of a snapshot session, in one duty cycle.
const BURST: usize = 16;
/// Pieces of a stream in one duty cycle: each may hold a thousand messages.
const PIECES: usize = 2;
/// Longest datagram or piece of a session.
const LONGEST: usize = 64 * 1024;

impl Back for BackChannel {
    fn take(&mut self, now: Mono, output: &Output<'_>) {
        let (Output::Datagram(venue, _)
        | Output::Send { venue, .. }
        | Output::Connect(venue, _)
        | Output::Disconnect(venue, _)) = *output
        else {
            return;
        };
        match self.ways.get_mut(venue) {
            Some(Ways::Lines { rerequest, snapshot, busy }) => {
                *busy = BUSY;
                match *output {
                    // What the system does not take is lost, as it might be on the way: the feed asks again.
                    Output::Datagram(_, bytes) => drop(rerequest.send(bytes)),
                    _ => act(snapshot, SessionId::SNAPSHOT, now, output),
                }
            }
            Some(Ways::Stream(stream)) => act(stream, SessionId::STREAM, now, output),
            None => {}
        }
    }
}

/// What is to be done with a session, if the output is of that one.
fn act(with: &mut Session, id: SessionId, now: Mono, output: &Output<'_>) {
    match *output {
        Output::Send { session, class, bytes, .. } if session == id => drop(with.send(class, bytes)),
        Output::Connect(_, session) if session == id => with.connect(now),
        Output::Disconnect(_, session) if session == id => with.disconnect(),
        _ => {}
    }
}

/// What happened on the market side, in the order in which it is looked for.
pub(super) enum Heard<'a> {
    /// An input of the feed's.
    Input(Input<'a>),
    /// What became of a connection, for people; the input follows.
    Link(Link),
}

/// See the module.
pub(super) struct MarketSide {
    /// Of all venues, in the order in which they are looked at.
    lines: Box<[Lines<UdpLine>]>,
    /// To be told once in each duty cycle.
    pub(super) pace: Pace,
    pub(super) back: BackChannel,
    scratch: Box<[u8]>,
    pub(super) clock: Clock,
    cycle: u32,
}

/// Which socket of which venue could not be opened: the key as the configuration has it.
fn socket<T>(opened: io::Result<T>, key: String, address: &impl ToString) -> Result<T, LiveError> {
    opened.map_err(|error| LiveError::Socket { what: key, address: address.to_string(), error })
}

impl MarketSide {
    /// Opens the sockets of all venues. `login` completes that of a venue's snapshot session.
    pub(super) fn open(
        nets: &PerVenue<NetConfig>,
        login: impl Fn(VenueId) -> Option<Login>,
        clock: Clock,
    ) -> Result<Self, LiveError> {
        let mut lines = Vec::new();
        for (venue, net) in nets.iter() {
            let both = ["line_a", "line_b"].into_iter().zip(&net.lines).take(net.line_count);
            let open = |(name, address)| socket(UdpLine::listen(address, net.receive_buffer), net.key(name), address);
            lines.push(Lines::new(venue, both.map(open).collect::<Result<_, _>>()?));
        }
        let ways = nets.try_map(|venue, net| {
            // No session of the market's sends orders: no kill switch concerns it.
            let session = |address, login| Session::new(address, &net.session(login), KillSwitch::new());
            if let Some(stream) = net.stream {
                return Ok(Ways::Stream(session(stream, None)));
            }
            let rerequest = RerequestSocket::towards(net.rerequest, net.receive_buffer);
            let rerequest = socket(rerequest, net.key("rerequest"), &net.rerequest)?;
            Ok(Ways::Lines { rerequest, snapshot: session(net.snapshot, login(venue)), busy: BUSY })
        })?;
        let mut scratch = vec![0; LONGEST].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        scratch.fill(std::hint::black_box(0xA5));
        Ok(MarketSide {
            lines: lines.into(),
            pace: Pace::default(),
            back: BackChannel { ways },
            scratch,
            clock,
            cycle: 0,
        })
    }

    /// The lines, and in their turn the ways back. `hear` is given each input with the time at which it was received, and
    /// the ways back to answer on; it says whether there may be another.
    #[inline]
    pub(super) fn poll(
        &mut self,
        mut hear: impl FnMut(Mono, Heard<'_>, &mut BackChannel) -> Result<bool, AgentError>,
    ) -> Result<usize, AgentError> {
        let mut work = 0;
        for lines in &mut self.lines {
            let (venue, clock, back) = (lines.venue, &self.clock, &mut self.back);
            let heard = lines.poll(self.pace.is_slow(), |id, packet| {
                // The stamp of a packet: its receive call has returned.
                let input = Input::Packet(Arrival::on(venue, id), packet);
                hear(clock.now(), Heard::Input(input), back)
            })?;
            work += heard.datagrams;
            if heard.stopped {
                return Ok(work);
            }
        }
        self.cycle = self.cycle.wrapping_add(1);
        let mut next = Some(VenueId::FIRST);
        while let Some(venue) = next {
            let more = match self.back.ways.get_mut(venue) {
                None => return Ok(work),
                Some(Ways::Stream(_)) => self.poll_session(venue, SessionId::STREAM, PIECES, &mut work, &mut hear)?,
                Some(Ways::Lines { busy, .. }) => {
                    *busy = busy.saturating_sub(1);
                    let look = *busy > 0 || self.cycle.is_multiple_of(RARELY);
                    !look
                        || (self.poll_replies(venue, &mut work, &mut hear)?
                            && self.poll_session(venue, SessionId::SNAPSHOT, BURST, &mut work, &mut hear)?)
                }
            };
            if !more {
                return Ok(work);
            }
            next = venue.0.checked_add(1).map(VenueId);
        }
        Ok(work)
    }

    /// Replies of a venue's re-request server. False: there may be no other input.
    #[inline]
    fn poll_replies(
        &mut self,
        venue: VenueId,
        work: &mut usize,
        hear: &mut impl FnMut(Mono, Heard<'_>, &mut BackChannel) -> Result<bool, AgentError>,
    ) -> Result<bool, AgentError> {
        for _ in 0..BURST {
            let Some(Ways::Lines { rerequest, .. }) = self.back.ways.get_mut(venue) else { break };
            // Whatever is wrong with this socket shows as requests without replies, which the feed counts and outlives.
            let Ok(Some(reply)) = rerequest.receive() else { break };
            let now = self.clock.now();
            *work += 1;
            // The feed may ask for more on the socket whose buffer the reply lies in.
            let reply = copied(reply, &mut self.scratch);
            let arrival = Arrival::on(venue, LineId::REREQUEST);
            if !hear(now, Heard::Input(Input::Packet(arrival, reply)), &mut self.back)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What happened on the session of a venue's market; at most so many events. False: there may be no other input.
    #[inline]
    fn poll_session(
        &mut self,
        venue: VenueId,
        id: SessionId,
        most: usize,
        work: &mut usize,
        hear: &mut impl FnMut(Mono, Heard<'_>, &mut BackChannel) -> Result<bool, AgentError>,
    ) -> Result<bool, AgentError> {
        for _ in 0..most {
            let now = self.clock.now();
            let session = match self.back.ways.get_mut(venue) {
                Some(Ways::Lines { snapshot: session, .. } | Ways::Stream(session)) => session,
                None => break,
            };
            let Some(event) = session.poll(now) else { break };
            // The stamp of what came: its receive call has returned.
            let now = if id == SessionId::STREAM { self.clock.now() } else { now };
            *work += 1;
            let (input, why) = event_input(event, &mut self.scratch);
            if let Some(why) = why {
                hear(now, Heard::Link(Link { venue, session: id, why }), &mut self.back)?;
            }
            if !hear(now, Heard::Input(Input::Session(venue, id, input)), &mut self.back)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Beside a whole lane: what the lane says of its feeds is the feeds' to say.
impl Market for MarketSide {
    fn status(&self, _into: &mut StatusBody) {}

    fn venue_status(&self, _venue: VenueId, _into: &mut VenueStatusBody) {}

    fn counters(&self, into: &mut Tally) {
        for lines in &self.lines {
            for (id, socket) in lines.iter() {
                let owner = if id == LineId::A { "sockets.line_a" } else { "sockets.line_b" };
                into.of_venue(lines.venue, |into| into.all(owner, LineCounters::NAMES, socket.counters().values()));
            }
        }
        for (venue, ways) in self.back.ways.iter() {
            into.of_venue(venue, |into| match ways {
                Ways::Lines { rerequest, snapshot, .. } => {
                    into.all("sockets.rerequest", LineCounters::NAMES, rerequest.counters().values());
                    into.all("sockets.snapshot", SessionCounters::NAMES, snapshot.counters().values());
                }
                Ways::Stream(stream) => {
                    into.all("sockets.stream", SessionCounters::NAMES, stream.counters().values());
                }
            });
        }
    }
}
