//! A lane in process: its port at the other end of a wire without a kernel, and a day of packets.

use crate::acceptor::{Acceptor, Frames};
use crate::market::messages;
use anyhow::{Context, Result, ensure};
use firelane_contest::orders::Hash;
use firelane_gateway::base::{Mono, SessionId, VenueId};
use firelane_gateway::flow::outbox::{Class, Outbox, Output, Progress};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::moldudp64::PacketBuilder;
use firelane_gateway::flow::wire::soupbintcp::{NO_PASSWORD, Password};
use firelane_gateway::flow::wiring::Wiring;
use firelane_gateway::flow::{CommandBytes, Gateway, Input};
use firelane_gateway::shell::config::Config;
use serde::Serialize;

/// What left: compared between the lane, the straight line and other builds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Sent {
    /// Orders.
    pub orders: u64,
    /// Of all their bytes, frames included: FNV-1a of 64 bits.
    pub hash: u64,
}

impl Sent {
    pub(crate) fn nothing() -> Sent {
        Sent { orders: 0, hash: Hash::default().0 }
    }

    pub(crate) fn order(&mut self, frame: &[u8]) {
        self.orders += 1;
        let mut hash = Hash(self.hash);
        hash.take(frame);
        self.hash = hash.0;
    }
}

/// A lane, its port, and the wire between them.
pub(crate) struct Floor<W: Wiring> {
    pub(crate) gateway: Gateway<W>,
    pub(crate) out: Outbox,
    pub(crate) acceptor: Acceptor,
    to_lane: Frames,
    /// Memory of what was handed on last.
    spare: Vec<u8>,
    pub(crate) sent: Sent,
    /// Is the hash of what is sent wanted? It takes a nanosecond a byte.
    hashes: bool,
}

impl<W: Wiring> Floor<W> {
    /// A lane that is ready to trade at `now`.
    pub(crate) fn new(gateway: Gateway<W>, config: &Config, now: Mono, hashes: bool) -> Result<Self> {
        let acceptor = Acceptor::new(config.venues.first().entry.login.username, Password(NO_PASSWORD));
        let (out, to_lane) = (Outbox::new(1 << 16), Frames::default());
        let mut floor = Floor { gateway, out, acceptor, to_lane, spare: Vec::new(), sent: Sent::nothing(), hashes };
        floor.input(now, Input::Command(CommandBytes::START));
        // Ready a heartbeat after the login: a second and a little.
        floor.pass_time(Mono(now.0 + 1_500_000_000));
        let core = floor.gateway.core();
        ensure!(core.ready(VenueId::FIRST), "order entry is not ready: {:?}", core.away(VenueId::FIRST));
        Ok(floor)
    }

    /// One input, and all that follows from it on the session.
    pub(crate) fn input(&mut self, now: Mono, input: Input<'_>) {
        let mut progress = self.gateway.on_input(now, input, &mut self.out);
        self.drain(now);
        while progress == Progress::Again {
            progress = self.gateway.resume(input, &mut self.out);
            self.drain(now);
        }
        self.deliver(now);
    }

    /// Hands what the port wrote to the lane.
    pub(crate) fn deliver(&mut self, now: Mono) {
        while !self.to_lane.0.is_empty() {
            let mut frames = core::mem::replace(&mut self.to_lane.0, core::mem::take(&mut self.spare));
            self.input(now, Input::Session(VenueId::FIRST, SessionId::ORDERS, SessionInput::Bytes(&frames)));
            frames.clear();
            self.spare = frames;
        }
    }

    /// Hands what the lane wrote to the port.
    pub(crate) fn drain(&mut self, now: Mono) {
        let mut connected = false;
        for output in self.out.outputs() {
            match output {
                Output::Connect(_, SessionId::ORDERS) => connected = true,
                Output::Send { session: SessionId::ORDERS, bytes, class, .. } => {
                    match (class, self.hashes) {
                        (Class::Order, true) => self.sent.order(bytes),
                        (Class::Order, false) => self.sent.orders += 1,
                        _ => {}
                    }
                    self.acceptor.on_bytes(now, bytes, &mut self.to_lane);
                }
                _ => {}
            }
        }
        self.out.clear();
        if connected {
            self.acceptor.on_connected(now);
            self.input(now, Input::Session(VenueId::FIRST, SessionId::ORDERS, SessionInput::Connected));
        }
    }

    /// Timers on both sides, one after another, up to `now`: heartbeats keep the session up through quiet hours.
    pub(crate) fn pass_time(&mut self, now: Mono) {
        let mut last = Mono(0);
        loop {
            let due = self.gateway.next_deadline().min(self.acceptor.next_deadline()).max(last);
            if due > now {
                return;
            }
            self.acceptor.on_timer(due, &mut self.to_lane);
            self.deliver(due);
            if let Some(machine) = self.gateway.due(due) {
                self.input(due, Input::Timer(machine));
            }
            last = Mono(due.0 + 1);
        }
    }
}

/// Packets of one message each, and when the exchange sent them.
pub(crate) fn packets(bytes: &[u8]) -> Result<Vec<(Mono, Vec<u8>)>> {
    (1..)
        .zip(messages(bytes))
        .map(|(sequence, message)| {
            let stamp = message.get(5..11).and_then(|ns| ns.first_chunk::<6>());
            let [a, b, c, d, e, f] = *stamp.context("a message without a stamp")?;
            let mut buffer = [0; 1_472];
            let mut packet = PacketBuilder::new(&mut buffer, *b"     BENCH", sequence).expect("room for a header");
            packet.push(message).ok().context("a message longer than a packet")?;
            Ok((Mono(u64::from_be_bytes([0, 0, a, b, c, d, e, f])), packet.finish().to_vec()))
        })
        .collect()
}

/// Before the first packet, in nanoseconds: so much earlier a lane starts, and is then ready for it.
pub(crate) const BEFORE: u64 = 2_000_000_000;

/// When the lane is ready. The venue's day may begin with messages of an earlier time: the lane has logged in before them.
pub(crate) fn begin(packets: &[(Mono, Vec<u8>)]) -> u64 {
    packets.iter().map(|(at, _)| at.0).min().unwrap_or(0).max(10_000_000_000)
}
