//! What the venue tells of itself: events as they come, and a status now and then.

use super::Phase;
use crate::crowd::CrowdStats;
use crate::far_end::{Door, FarEndStats};
use crate::net::{LinkStats, StreamStats};
use crate::venue::farewell::{Name, Remark, Why};
use crate::venue::port::{OrderState, Port};
use crate::venue::publisher::Session;
use crate::venue::rerequest::Unanswered;
use firelane_gateway::base::{Mono, Nanos, Symbol};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::mpsc::SyncSender;

/// Why a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The client closed it.
    ByClient,
    /// The venue closed it.
    ByVenue(Why),
    /// The faulty wire was cut, or refused it.
    ByFault,
    /// The client did not read, and too much waited for it.
    Stalled,
    /// It was not logged in, or had all that it came for, and another client needed its place.
    MadeRoom,
}

impl Ended {
    /// What it is counted under.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Ended::ByClient => "by_client",
            Ended::ByVenue(why) => why.key(),
            Ended::ByFault => "faulty_wire",
            Ended::Stalled => "does_not_read",
            Ended::MadeRoom => "made_room",
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::ByClient => f.write_str("closed by the client"),
            Ended::ByVenue(why) => why.fmt(f),
            Ended::ByFault => f.write_str("cut or refused by the faulty wire"),
            Ended::Stalled => f.write_str("cut because it did not read"),
            Ended::MadeRoom => f.write_str("idle, and another client needed its place (limits.connections)"),
        }
    }
}

/// Something that a client did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VenueEvent {
    /// A client connected.
    Connected {
        /// Where.
        door: Door,
        /// From where.
        peer: SocketAddr,
    },
    /// It logged in.
    LoggedIn {
        /// Where.
        door: Door,
        /// From where.
        peer: SocketAddr,
        /// Under which name.
        user: Option<Name>,
    },
    /// It is gone.
    Disconnected {
        /// Where.
        door: Door,
        /// From where.
        peer: SocketAddr,
        /// The name that it tried to log in with, if it got so far.
        user: Option<Name>,
        /// Why.
        why: Ended,
    },
    /// It was closed at once: there are too many. The first is said, and then each that doubles how many there were.
    Full {
        /// Where.
        door: Door,
        /// From where.
        peer: SocketAddr,
        /// So many by now.
        count: u64,
    },
    /// A request that had no effect, or another one than it was meant to have; said as often.
    Remark {
        /// On this order port.
        port: u16,
        /// What it was.
        what: Remark,
        /// So many of its kind by now.
        count: u64,
    },
    /// A re-request that gets no reply; said as often.
    Request {
        /// From where.
        peer: SocketAddr,
        /// Why not.
        why: Unanswered,
        /// So many of its kind by now.
        count: u64,
    },
}

struct At(Door);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Door::Orders(port) => write!(f, "order port {port}"),
            Door::Snapshot => f.write_str("snapshots"),
            Door::Stream => f.write_str("levels"),
        }
    }
}

/// For whoever was said to be the client, and how often something was so before.
fn user(name: Option<Name>) -> String {
    name.map_or_else(String::new, |name| format!(" (user {name})"))
}

fn times(count: u64) -> String {
    if count < 2 { String::new() } else { format!(" ({count} of these by now)") }
}

impl fmt::Display for VenueEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            VenueEvent::Connected { door, peer } => write!(f, "{}: {peer} connected", At(door)),
            VenueEvent::LoggedIn { door, peer, user: name } => {
                write!(f, "{}: {peer}{} logged in", At(door), user(name))
            }
            VenueEvent::Disconnected { door, peer, user: name, why } => {
                write!(f, "{}: {peer}{} gone: {why}", At(door), user(name))
            }
            VenueEvent::Full { door, peer, count } => {
                write!(f, "{}: {peer} closed at once: limits.connections is reached{}", At(door), times(count))
            }
            VenueEvent::Remark { port, what, count } => write!(f, "order port {port}: {what}{}", times(count)),
            VenueEvent::Request { peer, why, count } => {
                write!(f, "re-requests: {peer} gets no reply: {why}{}", times(count))
            }
        }
    }
}

/// Where events go. Whoever is too slow to take them misses some, counted.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) to: Option<SyncSender<VenueEvent>>,
    pub(super) lost: u64,
    /// Connections that are gone, by why.
    pub(super) gone: BTreeMap<&'static str, u64>,
    /// Re-requests without a reply, by why.
    unanswered: BTreeMap<&'static str, u64>,
}

impl News {
    pub(super) fn tell(&mut self, event: VenueEvent) {
        if let Some(to) = &self.to
            && to.try_send(event).is_err()
        {
            self.lost += 1;
        }
    }

    /// A re-request gets no reply.
    pub(super) fn unanswered(&mut self, peer: SocketAddr, why: Unanswered) {
        let Some(key) = why.key() else { return };
        let count = self.unanswered.entry(key).or_insert(0);
        *count += 1;
        if count.is_power_of_two() {
            let event = VenueEvent::Request { peer, why, count: *count };
            self.tell(event);
        }
    }
}

/// What a port has done so far.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PortStatus {
    /// Open connections.
    pub connections: usize,
    /// Is its client logged in?
    pub logged_in: bool,
    /// Orders that were accepted, replacements included.
    pub orders: usize,
    /// Of these in the market; once the day has ended, those that were when it did.
    pub live: usize,
    /// Executions that were not broken.
    pub fills: usize,
    /// Shares in them.
    pub shares: u64,
    /// Messages of its session.
    pub messages: usize,
    /// Requests that had no effect, or were rejected: how often, by what was wrong.
    pub remarks: BTreeMap<String, u64>,
    /// Net shares by symbol.
    pub positions: BTreeMap<Symbol, i64>,
}

impl PortStatus {
    /// What a port says, with so many connections.
    #[must_use]
    pub fn of(port: &Port, connections: usize, logged_in: bool) -> Self {
        let fills = port.fills().iter().filter(|fill| !fill.broken);
        PortStatus {
            connections,
            logged_in,
            orders: port.orders().len(),
            live: port.orders().values().filter(|order| order.state == OrderState::Live).count(),
            fills: fills.clone().count(),
            shares: fills.map(|fill| fill.shares.unsigned_abs()).sum(),
            messages: port.messages().len(),
            remarks: port.remarks().clone(),
            positions: port.positions(),
        }
    }
}

/// How the venue is doing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct VenueStatus {
    /// The venue's clock.
    pub at: Mono,
    /// How far that is behind where it should be: more than a moment means that the machine is too slow for the market.
    pub behind: Nanos,
    /// Where its day stands.
    pub phase: Phase,
    /// Has everything that could go wrong been healed?
    pub healed: bool,
    /// The market-data session.
    pub session: Session,
    /// The number that its next message will get.
    pub next_sequence: u64,
    /// Order-entry ports.
    pub ports: Vec<PortStatus>,
    /// Open connections of the snapshot server.
    pub snapshot_clients: usize,
    /// Publisher and servers.
    pub far_end: FarEndStats,
    /// The rest of the market.
    pub crowd: CrowdStats,
    /// Lines A and B, replies and requests of the re-request server.
    pub datagrams: [LinkStats; 4],
    /// Order entry, all ports together; snapshots.
    pub streams: [StreamStats; 2],
    /// Datagrams that wait for their turn on a line.
    pub waiting_datagrams: usize,
    /// Connections that were closed at once: there were too many.
    pub full: u64,
    /// Connections that were cut because their client did not read.
    pub stalled: u64,
    /// Connections that are gone, by [why](Ended::key).
    pub gone: BTreeMap<&'static str, u64>,
    /// Events that nobody took in time.
    pub lost_events: u64,
}
