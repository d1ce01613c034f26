//! The far end: sends a datagram, waits for the order on a connection, answers it. The same for the lane and the echo.

use crate::acceptor::{Acceptor, Frames};
use anyhow::{Context, Result, bail, ensure};
use firelane_gateway::base::{ExchangeTime, Mono, Nanos, Price, Side, Symbol, VenueRef};
use firelane_gateway::flow::wire::itch50::codes;
use firelane_gateway::flow::wire::moldudp64::PacketBuilder;
use firelane_gateway::shell::clock::Clock;
use firelane_sim::venue::announce::{Line, Shown, Tape};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

/// How long an order may take. There is none if the lane was kept from running so long that the next message came before
/// the answers to its last order: one order at a time is what its strategy wants. Then something else must happen.
const LATEST: Nanos = Nanos(200_000_000);
/// So often in a row, and the run is given up. Here and there one is what a machine does that others use, too.
const MOST_MISSED: u64 = 20;

/// What is sent: a market whose best bid is ten times its best ask, always, so that the taker buys whenever something
/// happens; and then something happens, one message a packet: an order joins the best bid, it leaves, another joins.
#[derive(Debug)]
pub(super) struct Script {
    tape: Tape,
    line: Line,
    sequence: u64,
    joined: Option<VenueRef>,
    buffer: [u8; 1_472],
}

impl Script {
    /// From the day's first message on.
    ///
    /// # Panics
    /// Never: the symbol is one.
    #[must_use]
    pub(super) fn new() -> Self {
        let line = Line { locate: 1, symbol: Symbol::new("WIRE").expect("a symbol") };
        Script { tape: Tape::default(), line, sequence: 1, joined: None, buffer: [0; 1_472] }
    }

    /// Half past nine.
    fn now() -> ExchangeTime {
        ExchangeTime::new(0, 34_200_000_000_000)
    }

    fn order(reference: u64, side: Side, shares: u32, price: i64) -> Shown {
        Shown { reference: VenueRef(reference), side, shares, price: Price(price), attributed: None }
    }

    /// The packet that opens the market.
    ///
    /// # Errors
    /// It does not fit.
    pub(super) fn opening(&mut self) -> Result<&[u8]> {
        let (now, line, tape) = (Self::now(), self.line, &mut self.tape);
        tape.event(now, codes::event::START_OF_MESSAGES);
        tape.event(now, codes::event::START_OF_SYSTEM_HOURS);
        tape.directory(now, line, 100, codes::authenticity::LIVE);
        tape.trading_state(now, line, codes::trading_state::TRADING, *b"    ");
        tape.event(now, codes::event::START_OF_MARKET_HOURS);
        tape.add(now, line, Self::order(1, Side::Buy, 1_000, 1_000_000));
        tape.add(now, line, Self::order(2, Side::Sell, 100, 1_001_000));
        self.packet()
    }

    /// The next packet that makes the taker buy.
    ///
    /// # Errors
    /// It does not fit.
    pub(super) fn next(&mut self) -> Result<&[u8]> {
        match self.joined.take() {
            Some(order) => self.tape.deleted(Self::now(), self.line, order),
            None => {
                let order = Self::order(1_000 + self.sequence, Side::Buy, 100, 1_000_000);
                self.joined = Some(order.reference);
                self.tape.add(Self::now(), self.line, order);
            }
        }
        self.packet()
    }

    fn packet(&mut self) -> Result<&[u8]> {
        let mut packet = PacketBuilder::new(&mut self.buffer, *b"      WIRE", self.sequence).ok().context("no room")?;
        for message in self.tape.take() {
            packet.push(&message).ok().context("longer than a packet")?;
            self.sequence += 1;
        }
        Ok(packet.finish())
    }

    /// The number of the next message.
    #[must_use]
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl Default for Script {
    fn default() -> Self {
        Script::new()
    }
}

/// Who is on the other side of the connection.
pub(super) enum Peer {
    /// The lane: its orders are answered as a venue does.
    Lane(Box<Acceptor>),
    /// The echo: so many bytes are an order, and these are the answer.
    Echo(usize, Vec<u8>),
}

/// One round trip.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trip {
    /// The call that sends the datagram on line A was about to begin.
    pub(super) begun: u64,
    /// The call that read the order returned.
    pub(super) read: u64,
}

impl Trip {
    /// How long it took.
    #[must_use]
    pub(super) fn ns(&self) -> u64 {
        self.read.saturating_sub(self.begun)
    }
}

/// The far end of one peer.
pub(super) struct Far {
    /// Line A and line B.
    lines: [UdpSocket; 2],
    stream: TcpStream,
    peer: Peer,
    clock: Clock,
    script: Script,
    /// What the echo does not listen to: the other line, to be emptied.
    unheard: Option<UdpSocket>,
    /// Between the begin of one trip and the next, at least; up to three times as long.
    pace: Nanos,
    random: u64,
    buffer: Vec<u8>,
    to_peer: Frames,
    /// Bytes of the latest order, and of its answer.
    pub(super) lengths: (usize, usize),
    /// Messages that caused no order.
    pub(super) missed: u64,
}

impl Far {
    /// Over these sockets, which do not block.
    #[must_use]
    pub(super) fn new(lines: [UdpSocket; 2], stream: TcpStream, peer: Peer, clock: Clock, pace: Nanos) -> Self {
        Far {
            lines,
            stream,
            peer,
            clock,
            script: Script::new(),
            unheard: None,
            pace,
            random: 1,
            buffer: vec![0; 64 * 1024],
            to_peer: Frames::default(),
            lengths: (0, 0),
            missed: 0,
        }
    }

    /// With a line that nobody listens to.
    #[must_use]
    pub(super) fn and_unheard(mut self, line: UdpSocket) -> Self {
        self.unheard = Some(line);
        self
    }

    /// Opens the market, on both lines.
    ///
    /// # Errors
    /// What the sockets say.
    pub(super) fn open(&mut self) -> Result<()> {
        let packet = self.script.opening()?;
        self.lines.iter().try_for_each(|line| line.send(packet).map(drop))?;
        Ok(())
    }

    /// What the peer has heard of once it has taken in everything.
    #[must_use]
    pub(super) fn next_sequence(&self) -> u64 {
        self.script.sequence()
    }

    /// Sends the next datagram and waits for the order; answers it, and lets the answers' traffic pass.
    ///
    /// # Errors
    /// What the sockets say, or there is no order again and again.
    pub(super) fn trip(&mut self) -> Result<Trip> {
        let mut in_a_row = 0;
        let trip = loop {
            let packet = self.script.next()?;
            let begun = self.clock.now();
            for line in &self.lines {
                line.send(packet)?;
            }
            if let Some(read) = self.order(begun)? {
                break Trip { begun: begun.0, read: read.0 };
            }
            self.missed += 1;
            in_a_row += 1;
            // What comes now comes too late, and is nobody's order.
            std::thread::sleep(Duration::from_millis(20));
            self.serve()?;
            ensure!(in_a_row < MOST_MISSED, "{MOST_MISSED} messages in a row caused no order");
        };
        self.answer()?;
        let pace = self.pace();
        while self.clock.now().0 - trip.begun < pace {
            // Log and tape have their turn on this core.
            std::thread::yield_now();
        }
        if let Some(unheard) = &self.unheard {
            unheard.recv(&mut self.buffer)?;
        }
        Ok(trip)
    }

    /// Never the same twice in a row: the agents of log and tape go to sleep in steps that each trip begins anew, and with
    /// a steady pace one of their timers would ring in every trip, or in none.
    fn pace(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.pace.0 + self.random % (2 * self.pace.0).max(1)
    }

    /// Spins until the order has been read.
    #[inline]
    fn order(&mut self, begun: Mono) -> Result<Option<Mono>> {
        let mut so_far = 0;
        loop {
            match self.stream.read(&mut self.buffer) {
                Ok(0) => bail!("the connection was closed"),
                Ok(length) => {
                    let read = self.clock.now();
                    so_far += length;
                    if self.take_in(read, length, so_far) {
                        return Ok(Some(read));
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self.clock.now().since(begun) > LATEST {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Bytes of the peer. Is there an order now?
    #[inline]
    fn take_in(&mut self, now: Mono, length: usize, so_far: usize) -> bool {
        match &mut self.peer {
            Peer::Lane(acceptor) => {
                let before = acceptor.orders;
                acceptor.on_bytes(now, &self.buffer[..length], &mut self.to_peer);
                self.lengths = (so_far, self.to_peer.0.len());
                acceptor.orders > before
            }
            Peer::Echo(order, answer) => {
                self.to_peer.0.extend_from_slice(answer);
                so_far >= *order
            }
        }
    }

    fn answer(&mut self) -> Result<()> {
        if !self.to_peer.0.is_empty() {
            self.stream.write_all(&self.to_peer.0)?;
            self.to_peer.0.clear();
        }
        Ok(())
    }

    /// What is not an order, or one that came too late: the login and what follows it, heartbeats.
    ///
    /// # Errors
    /// What the sockets say.
    pub(super) fn serve(&mut self) -> Result<()> {
        let now = self.clock.now();
        if let Peer::Lane(acceptor) = &mut self.peer
            && now >= acceptor.next_deadline()
        {
            acceptor.on_timer(now, &mut self.to_peer);
        }
        match self.stream.read(&mut self.buffer) {
            Ok(0) => bail!("the connection was closed"),
            Ok(length) => drop(self.take_in(now, length, length)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        self.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::messages;
    use firelane_gateway::flow::wire::moldudp64::Packet;

    #[test]
    fn after_the_opening_every_packet_holds_one_message_and_the_best_bid_stays_the_heavier_side() {
        let mut script = Script::new();
        let numbers = |packet: &[u8]| {
            let packet = Packet::parse(packet).unwrap();
            (packet.header().messages(), packet.messages().next_sequence())
        };
        assert_eq!(numbers(script.opening().unwrap()), (7, 1));
        let mut kinds = Vec::new();
        for sequence in 8..12 {
            let packet = script.next().unwrap();
            assert_eq!(numbers(packet), (1, sequence));
            kinds.push(messages(&packet[20..]).next().unwrap()[0]);
        }
        assert_eq!((kinds.as_slice(), script.sequence()), (&b"ADAD"[..], 12));
    }
}
