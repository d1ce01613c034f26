//! What the venue tells of itself: events as they come, and a status now and then.

use super::Phase;
use crate::crowd::CrowdStats;
use crate::far_end::{Door, FarEndStats};
use crate::net::{LinkStats, StreamStats};
use crate::venue::port::{OrderState, Port};
use crate::venue::publisher::Session;
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
    /// The venue closed it: a logout, a rejected login, silence, another login in its place, an end.
    ByVenue,
    /// The faulty wire was cut, or refused it.
    ByFault,
    /// The client did not read, and too much waited for it.
    Stalled,
}

/// Something that a connection did.
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
    },
    /// It is gone.
    Disconnected {
        /// Where.
        door: Door,
        /// From where.
        peer: SocketAddr,
        /// Why.
        why: Ended,
    },
}

impl fmt::Display for VenueEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (door, peer, what) = match self {
            VenueEvent::Connected { door, peer } => (door, peer, "connected"),
            VenueEvent::LoggedIn { door, peer } => (door, peer, "logged in"),
            VenueEvent::Disconnected { door, peer, why } => (
                door,
                peer,
                match why {
                    Ended::ByClient => "gone: closed by the client",
                    Ended::ByVenue => "gone: closed by the venue",
                    Ended::ByFault => "gone: cut or refused by the faulty wire",
                    Ended::Stalled => "gone: cut because it did not read",
                },
            ),
        };
        match door {
            Door::Orders(port) => write!(f, "order port {port}: {peer} {what}"),
            Door::Snapshot => write!(f, "snapshots: {peer} {what}"),
        }
    }
}

/// Where events go. Whoever is too slow to take them misses some, counted.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) to: Option<SyncSender<VenueEvent>>,
    pub(super) lost: u64,
}

impl News {
    pub(super) fn tell(&mut self, event: VenueEvent) {
        if let Some(to) = &self.to
            && to.try_send(event).is_err()
        {
            self.lost += 1;
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
    /// Of these in the market.
    pub live: usize,
    /// Executions that were not broken.
    pub fills: usize,
    /// Shares in them.
    pub shares: u64,
    /// Messages of its session.
    pub messages: usize,
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
    /// Events that nobody took in time.
    pub lost_events: u64,
}
