//! The links between lanes and venues.

use super::net::{Net, Network, SESSIONS};
use crate::account::Account;
use crate::far_end::{Door, FarEnd};
use crate::net::{Faults, StreamEvent};
use crate::venue::acceptor::ConnId;
use firelane_gateway::base::{Mono, SessionId, VenueId};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::soupbintcp::NO_PASSWORD;
use firelane_gateway::flow::wire::soupbintcp::Password;

/// A lane of a world, by its place among them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Seat(pub usize);

impl Seat {
    /// The lane that was added first.
    pub const FIRST: Seat = Seat(0);
}

/// A venue of a world, by its place among them. What a lane calls it is the lane's own business ([`VenueId`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Place(pub usize);

impl Place {
    /// The venue that was added first.
    pub const FIRST: Place = Place(0);
}

/// Over what a lane follows a venue's market.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum MarketData {
    /// Lines A and B, a re-request server, snapshots: the book, order by order.
    #[default]
    Lines,
    /// One stream in order: the book by levels, of a venue that [has one](crate::far_end::FarEndConfig::levels).
    Stream,
}

/// How a lane is joined to a venue.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// Which venue.
    pub place: Place,
    /// At which of its order-entry ports. No two lanes may have the same.
    pub port: u16,
    /// Over what the lane follows its market.
    pub market: MarketData,
    /// What lies between them.
    pub network: Network,
    /// The passwords of the order-entry port and of the snapshot server, which a lane does not know.
    pub passwords: [Password; 2],
}

impl Wire {
    /// To a port of a venue, over lines and a network without faults, with blank passwords
    /// ([`NO_PASSWORD`]).
    #[must_use]
    pub fn new(place: Place, port: u16) -> Self {
        Wire {
            place,
            port,
            market: MarketData::default(),
            network: Network::under(Faults::None),
            passwords: [Password(NO_PASSWORD); 2],
        }
    }
}

/// A lane and a venue, and what lies between them.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) seat: usize,
    /// What the lane calls the venue.
    pub(super) venue: VenueId,
    pub(super) place: usize,
    pub(super) port: u16,
    pub(super) market: MarketData,
    pub(super) net: Net,
    /// What passes between the two, reckoned by a third.
    pub(super) account: Account,
    /// The present connection of each session, in the order of [`SESSIONS`].
    conns: [Option<ConnId>; 3],
}

impl Link {
    pub(super) fn new(seed: u64, number: usize, seat: usize, venue: VenueId, wire: &Wire) -> Self {
        let Wire { place, port, market, network, passwords } = wire;
        let name = if number == 0 { String::new() } else { format!("link {number}: ") };
        Link {
            seat,
            venue,
            place: place.0,
            port: *port,
            market: *market,
            net: Net::new(network, *passwords, seed, &name),
            account: Account::default(),
            conns: [None; 3],
        }
    }

    /// Do the lines of this venue lead here?
    pub(super) fn hears(&self, place: usize) -> bool {
        self.place == place && self.market == MarketData::Lines
    }

    pub(super) fn session_of(&self, conn: ConnId) -> Option<SessionId> {
        self.conns.iter().position(|open| *open == Some(conn)).map(|at| SESSIONS[at])
    }

    /// The connection of the stream.
    pub(super) fn stream(&self) -> Option<ConnId> {
        self.conns[usize::from(SessionId::STREAM.0)]
    }

    pub(super) fn forget(&mut self, id: SessionId) {
        self.conns[usize::from(id.0)] = None;
    }

    /// Something arrives at the far end of a session.
    pub(super) fn on_far_end(&mut self, now: Mono, venue: &mut FarEnd, id: SessionId, event: &StreamEvent) {
        let conn = &mut self.conns[usize::from(id.0)];
        match (event, *conn) {
            (StreamEvent::Connected, _) => {
                let door = match id {
                    SessionId::ORDERS => Door::Orders(self.port),
                    SessionId::SNAPSHOT => Door::Snapshot,
                    _ => Door::Stream,
                };
                *conn = Some(venue.on_connect(now, door));
            }
            (StreamEvent::Bytes(bytes), Some(conn)) => venue.on_bytes(now, conn, bytes),
            (StreamEvent::Closed, Some(open)) => {
                *conn = None;
                venue.on_close(now, open);
            }
            (_, None) => {}
        }
    }
}

/// What the lane is told.
pub(super) fn as_input(event: &StreamEvent) -> SessionInput<'_> {
    match event {
        StreamEvent::Connected => SessionInput::Connected,
        StreamEvent::Bytes(bytes) => SessionInput::Bytes(bytes),
        StreamEvent::Closed => SessionInput::Closed,
    }
}
