//! The sockets of the market side: the lines, the re-request server, the snapshot session. Whoever runs the feed has
//! them.

use super::LiveError;
use super::core_side::Market;
use super::link::{copied, event_input};
use crate::base::{LineId, Mono, SessionId, VenueId};
use crate::flow::outbox::Output;
use crate::flow::record::StatusBody;
use crate::flow::{Arrival, Input};
use crate::shell::agent::AgentError;
use crate::shell::clock::Clock;
use crate::shell::config::NetConfig;
use crate::shell::counters::Tally;
use crate::shell::net::{
    KillSwitch, LineAddress, LineCounters, Login, RerequestSocket, Session, SessionCounters, UdpLine, Why,
};
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

/// The two ways back to the venue: they both send and receive.
pub(super) struct BackChannel {
    rerequest: RerequestSocket,
    snapshot: Session,
    /// Whether either was used of late: then it is looked at in every duty cycle.
    busy: u32,
}

/// Duty cycles for which a way back is looked at after it was used.
const BUSY: u32 = 50_000;
/// Otherwise one duty cycle in so many: nothing can be there that was not asked for, except the end of a session.
const RARELY: u32 = 64;
/// Datagrams of one line in one duty cycle, before the other line's turn.
const BURST: usize = 16;
/// Longest datagram or piece of a session.
const LONGEST: usize = 64 * 1024;

impl Back for BackChannel {
    fn take(&mut self, now: Mono, output: &Output<'_>) {
        self.busy = BUSY;
        match *output {
            // What the system does not take is lost, as it might be on the way: the feed asks again.
            Output::Datagram(_, bytes) => drop(self.rerequest.send(bytes)),
            Output::Send { session: SessionId::SNAPSHOT, class, bytes, .. } => drop(self.snapshot.send(class, bytes)),
            Output::Connect(_, SessionId::SNAPSHOT) => self.snapshot.connect(now),
            Output::Disconnect(_, SessionId::SNAPSHOT) => self.snapshot.disconnect(),
            _ => {}
        }
    }
}

/// What happened on the market side, in the order in which it is looked for.
pub(super) enum Heard<'a> {
    /// An input of the feed's.
    Input(Input<'a>),
    /// What became of the snapshot connection, for people; the input follows.
    Link(Option<Why>),
}

/// See the module.
pub(super) struct MarketSide {
    lines: Vec<UdpLine>,
    pub(super) back: BackChannel,
    scratch: Box<[u8]>,
    pub(super) clock: Clock,
    cycle: u32,
}

impl MarketSide {
    pub(super) fn open(config: &NetConfig, login: Option<Login>, clock: Clock) -> Result<Self, LiveError> {
        let line = |what, address: &LineAddress| {
            UdpLine::listen(address, config.receive_buffer).map_err(|error| LiveError::Socket {
                what,
                address: address.to_string(),
                error,
            })
        };
        let lines = ["net.line_a", "net.line_b"].into_iter().zip(&config.lines).take(config.line_count);
        let lines = lines.map(|(what, address)| line(what, address)).collect::<Result<_, _>>()?;
        let rerequest = RerequestSocket::towards(config.rerequest, config.receive_buffer);
        let rerequest = rerequest.map_err(|error| LiveError::Socket {
            what: "net.rerequest",
            address: config.rerequest.to_string(),
            error,
        })?;
        // The snapshot session sends no orders: no kill switch concerns it.
        let snapshot = Session::new(config.snapshot, &config.session(login), KillSwitch::new());
        let mut scratch = vec![0; LONGEST].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        scratch.fill(std::hint::black_box(0xA5));
        Ok(MarketSide { lines, back: BackChannel { rerequest, snapshot, busy: BUSY }, scratch, clock, cycle: 0 })
    }

    /// The lines, and in their turn the ways back. `hear` is given each input with the time at which it was received, and
    /// the ways back to answer on; it says whether there may be another.
    #[inline]
    pub(super) fn poll(
        &mut self,
        mut hear: impl FnMut(Mono, Heard<'_>, &mut BackChannel) -> Result<bool, AgentError>,
    ) -> Result<usize, AgentError> {
        let (mut work, clock) = (0, &self.clock);
        for (line, id) in self.lines.iter_mut().zip([LineId::A, LineId::B]) {
            for _ in 0..BURST {
                let Some(packet) = line.receive().map_err(lost("a market-data line"))? else { break };
                // The stamp of a packet: its receive call has returned.
                let now = clock.now();
                work += 1;
                if !hear(now, Heard::Input(Input::Packet(Arrival::on(VenueId::FIRST, id), packet)), &mut self.back)? {
                    return Ok(work);
                }
            }
        }
        self.cycle = self.cycle.wrapping_add(1);
        self.back.busy = self.back.busy.saturating_sub(1);
        if self.back.busy == 0 && !self.cycle.is_multiple_of(RARELY) {
            return Ok(work);
        }
        for _ in 0..BURST {
            // Whatever is wrong with this socket shows as requests without replies, which the feed counts and outlives.
            let Ok(Some(reply)) = self.back.rerequest.receive() else { break };
            let now = clock.now();
            work += 1;
            // The feed may ask for more on the socket whose buffer the reply lies in.
            let reply = copied(reply, &mut self.scratch);
            if !hear(
                now,
                Heard::Input(Input::Packet(Arrival::on(VenueId::FIRST, LineId::REREQUEST), reply)),
                &mut self.back,
            )? {
                return Ok(work);
            }
        }
        for _ in 0..BURST {
            let now = clock.now();
            let Some(event) = self.back.snapshot.poll(now) else { break };
            work += 1;
            let (input, link) = event_input(event, &mut self.scratch);
            if let Some(why) = link {
                hear(now, Heard::Link(why), &mut self.back)?;
            }
            if !hear(now, Heard::Input(Input::Session(VenueId::FIRST, SessionId::SNAPSHOT, input)), &mut self.back)? {
                return Ok(work);
            }
        }
        Ok(work)
    }
}

/// Beside a whole lane: what the lane says of its feed is the feed's to say.
impl Market for MarketSide {
    fn status(&self, _into: &mut StatusBody) {}

    fn counters(&self, into: &mut Tally) {
        for (line, owner) in self.lines.iter().zip(["sockets.line_a", "sockets.line_b"]) {
            into.all(owner, LineCounters::NAMES, line.counters().values());
        }
        into.all("sockets.rerequest", LineCounters::NAMES, self.back.rerequest.counters().values());
        into.all("sockets.snapshot", SessionCounters::NAMES, self.back.snapshot.counters().values());
    }
}

fn lost(what: &'static str) -> impl Fn(io::Error) -> AgentError {
    move |error| format!("{what} is lost: {error}").into()
}
