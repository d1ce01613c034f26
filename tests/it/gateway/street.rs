//! A lane and its venues on one clock: an order port and a numbered stream of each.

use super::rig::*;
use firelane_gateway::base::{Mono, Nanos, SessionId, VenueId};
use firelane_gateway::flow::outbox::{Outbox, Output, Progress};
use firelane_gateway::flow::record::{Alert, AlertBody, Kind, OrderBody};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wiring::Wiring;
use firelane_gateway::flow::{Arrival, CommandBuf, Gateway, Input};
use std::collections::VecDeque;
use zerocopy::FromBytes;

/// What the lane did, and to which venue.
type Effects = VecDeque<(VenueId, Effect)>;

pub(super) struct Street<W: Wiring, const N: usize> {
    pub(super) lane: Gateway<W>,
    pub(super) ports: [Venue; N],
    /// Numbers of their streams.
    pub(super) next: [u64; N],
    pub(super) now: Mono,
    out: Outbox,
    alerts: Vec<(u16, u8)>,
    /// Venue and what happened, of each step of an order.
    pub(super) steps: Vec<(u16, u8)>,
    pub(super) snapshots: Vec<VenueId>,
    /// What else the lane has done on its sessions and lines.
    pub(super) wires: Vec<(VenueId, Effect)>,
}

impl<W: Wiring, const N: usize> Street<W, N> {
    pub(super) fn new(lane: Gateway<W>) -> Self {
        Street {
            lane,
            ports: std::array::from_fn(|_| Venue::new()),
            next: [1; N],
            now: Mono(1_000_000_000),
            out: Outbox::new(0),
            alerts: Vec::new(),
            steps: Vec::new(),
            snapshots: Vec::new(),
            wires: Vec::new(),
        }
    }

    fn venues() -> impl Iterator<Item = VenueId> {
        (0..N as u8).map(VenueId)
    }

    fn port(&mut self, venue: VenueId) -> &mut Venue {
        &mut self.ports[usize::from(venue.0)]
    }

    /// An input, and all that follows from it at the order ports.
    pub(super) fn give(&mut self, input: Input<'_>) {
        let mut effects = VecDeque::new();
        self.take(input, &mut effects);
        while let Some((venue, effect)) = effects.pop_front() {
            let now = self.now;
            let port = self.port(venue);
            match effect {
                Effect::Connect(SessionId::ORDERS) if port.up => {
                    port.connect(now);
                    self.on_orders(venue, SessionInput::Connected, &mut effects);
                }
                Effect::Connect(SessionId::ORDERS) => self.on_orders(venue, SessionInput::Closed, &mut effects),
                Effect::Send(SessionId::ORDERS, _, bytes) if port.is_connected() => {
                    let answers = port.hear(now, &bytes);
                    if !answers.is_empty() {
                        self.on_orders(venue, SessionInput::Bytes(&answers), &mut effects);
                    }
                }
                Effect::Disconnect(SessionId::ORDERS) if port.is_connected() => self.close(venue, &mut effects),
                Effect::Snapshot => {
                    self.snapshots.push(venue);
                    self.take(Input::Command(CommandBuf::snapshot(venue).bytes()), &mut effects);
                }
                other => self.wires.push((venue, other)),
            }
            let port = self.port(venue);
            if port.has_logged_out() && port.is_connected() {
                self.close(venue, &mut effects);
            }
        }
    }

    fn take(&mut self, input: Input<'_>, effects: &mut Effects) {
        let mut progress = self.lane.on_input(self.now, input, &mut self.out);
        loop {
            for output in self.out.outputs() {
                effects.push_back(match output {
                    Output::Send { venue, session, class, bytes } => {
                        (venue, Effect::Send(session, class, bytes.to_vec()))
                    }
                    Output::Datagram(venue, bytes) => (venue, Effect::Datagram(bytes.to_vec())),
                    Output::Connect(venue, session) => (venue, Effect::Connect(session)),
                    Output::Disconnect(venue, session) => (venue, Effect::Disconnect(session)),
                    Output::Snapshot(venue) => (venue, Effect::Snapshot),
                    Output::Tape(record) => {
                        let (kind, body) = (record[4], &record[24..]);
                        if kind == Kind::Alert as u8 {
                            let body = AlertBody::read_from_bytes(body).unwrap();
                            self.alerts.push((body.alert.get(), body.venue));
                        } else if kind == Kind::Order as u8 {
                            let body = OrderBody::read_from_bytes(body).unwrap();
                            self.steps.push((body.venue.get(), body.what));
                        }
                        continue;
                    }
                });
            }
            self.out.clear();
            if progress == Progress::Done {
                return;
            }
            progress = self.lane.resume(input, &mut self.out);
        }
    }

    fn on_orders(&mut self, venue: VenueId, input: SessionInput<'_>, effects: &mut Effects) {
        self.take(Input::Session(venue, SessionId::ORDERS, input), effects);
    }

    fn close(&mut self, venue: VenueId, effects: &mut Effects) {
        let now = self.now;
        self.port(venue).close(now);
        self.on_orders(venue, SessionInput::Closed, effects);
    }

    /// The order session of a venue breaks.
    pub(super) fn cut(&mut self, venue: VenueId) {
        let now = self.now;
        self.port(venue).close(now);
        self.give(Input::Session(venue, SessionId::ORDERS, SessionInput::Closed));
    }

    /// A venue says something about orders of its own accord.
    pub(super) fn say(&mut self, venue: VenueId, message: Vec<u8>) {
        let now = self.now;
        let bytes = self.port(venue).say(now, message);
        self.give(Input::Session(venue, SessionId::ORDERS, SessionInput::Bytes(&bytes)));
    }

    /// The next messages of a venue, on both of its lines.
    pub(super) fn market(&mut self, venue: VenueId, messages: &[Vec<u8>]) {
        let next = &mut self.next[usize::from(venue.0)];
        let bytes = packet(DAY, *next, messages);
        *next += messages.len() as u64;
        for line in [A, B] {
            self.give(Input::Packet(Arrival::on(venue, line), &bytes));
        }
    }

    /// Time passes on all sides.
    pub(super) fn pass(&mut self, time: Nanos) {
        let until = self.now.after(time);
        for step in 0.. {
            assert!(step < 10_000, "a deadline that never passes");
            let servers = self.ports.each_ref().map(Venue::next_deadline);
            let due = servers.into_iter().fold(self.lane.next_deadline(), Mono::min);
            if due > until {
                break;
            }
            self.now = self.now.max(due);
            for (venue, server) in Self::venues().zip(servers) {
                let now = self.now;
                if server <= now {
                    let wire = self.port(venue).on_timer(now);
                    if !wire.is_empty() {
                        self.give(Input::Session(venue, SessionId::ORDERS, SessionInput::Bytes(&wire)));
                    }
                }
            }
            if let Some(machine) = self.lane.due(self.now) {
                self.give(Input::Timer(machine));
            }
        }
        self.now = until;
    }

    pub(super) fn fresh(&self, venue: VenueId) -> bool {
        self.lane.core().market(venue).unwrap().books.shared_freshness().is_fresh()
    }

    /// Letters of the requests that a venue has heard.
    pub(super) fn asked(&self, venue: VenueId) -> String {
        self.ports[usize::from(venue.0)].asked.iter().map(|request| char::from(request[0])).collect()
    }

    pub(super) fn said(&self, alert: Alert, venue: VenueId) -> usize {
        self.alerts.iter().filter(|said| **said == (alert as u16, venue.0)).count()
    }
}
