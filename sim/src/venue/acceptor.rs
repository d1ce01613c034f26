//! The order-entry side of the venue: OUCH 5.0 over SoupBinTCP, bytes in and bytes out, on the clock of the caller.
//!
//! A connection belongs to one port, as each port has an address of its own. Everything a port was told is kept, so a
//! login is served from any message on: sending what is new and replaying what is old are one loop. The market stands
//! behind it as a [`Market`]; what happens there without a request (another port's order, an auction, a play-through
//! of a recorded day) is passed in with [`Acceptor::on_effects`].

use super::farewell::{Name, Remark, Why};
use super::market::{BreakReason, Effect, Market, Refusal};
use super::port::{Desk, OrderKey, Port, Trick};
use super::rules::Entitlements;
use crate::rng::Rng;
use firelane_gateway::base::{ExchangeTime, Mono, Nanos, Price};
use firelane_gateway::flow::wire::ouch50::{AppendageOption, RestatedReason};
use firelane_gateway::flow::wire::soupbintcp::NO_PASSWORD;
use firelane_gateway::flow::wire::soupbintcp::{Password, Server, ServerConfig, ServerEvent, Sink};
use std::collections::BTreeMap;

/// A connection, numbered by whoever accepts it; a number is not used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnId(pub u64);

/// What one port is configured with.
#[derive(Clone, Debug)]
pub struct PortConfig {
    /// Who may log in, into which session, with which patience.
    pub login: ServerConfig,
    /// What the account may do.
    pub entitlements: Entitlements,
    /// Are open orders cancelled when the connection is lost?
    pub cancel_on_disconnect: bool,
}

impl PortConfig {
    /// A port with the usual timeouts that cancels on disconnect. The first and only firm is the account's.
    #[must_use]
    pub fn new(username: [u8; 6], password: [u8; 10], session: [u8; 10], firm: [u8; 4]) -> Self {
        PortConfig {
            login: ServerConfig::new(username, Password(password), session),
            entitlements: Entitlements::new(firm),
            cancel_on_disconnect: true,
        }
    }
}

/// What the acceptor wants done with a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send these bytes.
    Bytes(ConnId, Vec<u8>),
    /// Close it: why, and the name that was tried. The acceptor has forgotten it already.
    Close(ConnId, Farewell),
}

/// What is said of a connection that the venue closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Farewell {
    /// Why.
    pub why: Why,
    /// The name that the client tried to log in with, if it got so far.
    pub user: Option<Name>,
}

#[derive(Debug)]
struct Connection {
    port: usize,
    server: Server,
    /// Was a login ever accepted? Only then did it enter orders.
    logged_in: bool,
}

#[derive(Debug)]
struct Gate {
    config: PortConfig,
    port: Port,
    /// Its session is closed for good: nobody logs in any more.
    over: bool,
}

/// All ports and their connections.
#[derive(Debug)]
pub struct Acceptor {
    /// The exchange's time when the caller's clock was zero.
    epoch: ExchangeTime,
    gates: Vec<Gate>,
    connections: BTreeMap<ConnId, Connection>,
    outputs: Vec<Output>,
}

/// What a client's packet asks of the acceptor, out of the session machine's hands.
enum Asked {
    Replay,
    Message(Vec<u8>),
    Close(Why),
    Skipped { letter: u8, length: usize },
    Nothing,
}

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn write(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.0.extend_from_slice(part);
        }
    }
}

impl Acceptor {
    /// Ports in the order of their numbers. `epoch` is the exchange's time when the caller's clock is zero.
    ///
    /// # Panics
    /// With more ports than 16 bits can number.
    #[must_use]
    pub fn new(epoch: ExchangeTime, ports: Vec<PortConfig>) -> Self {
        let gates = ports.into_iter().enumerate().map(|(index, config)| {
            let index = u16::try_from(index).expect("ports are numbered with 16 bits");
            Gate { port: Port::new(index, config.entitlements.clone()), config, over: false }
        });
        Acceptor { epoch, gates: gates.collect(), connections: BTreeMap::new(), outputs: Vec::new() }
    }

    /// The exchange's time at an instant of the caller's clock.
    #[must_use]
    pub fn exchange_time(&self, now: Mono) -> ExchangeTime {
        self.epoch.after(Nanos(now.0))
    }

    /// One port, for reconciliation.
    #[must_use]
    pub fn port(&self, index: u16) -> Option<&Port> {
        self.gates.get(usize::from(index)).map(|gate| &gate.port)
    }

    /// Who may log in at a port.
    #[must_use]
    pub fn user(&self, index: u16) -> Option<[u8; 6]> {
        self.gates.get(usize::from(index)).map(|gate| gate.config.login.username)
    }

    /// All ports in the order of their numbers.
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        self.gates.iter().map(|gate| &gate.port)
    }

    /// How many ports there are.
    #[must_use]
    pub fn count(&self) -> u16 {
        u16::try_from(self.gates.len()).unwrap_or(u16::MAX)
    }

    /// The name that a connection's client tried to log in with.
    #[must_use]
    pub fn tried(&self, conn: ConnId) -> Option<Name> {
        self.connections.get(&conn)?.server.tried().map(Name)
    }

    /// What is to be said of clients since the last call: of which port, what, and how often it was so by then.
    pub fn take_remarks(&mut self) -> Vec<(u16, Remark, u64)> {
        let ports = (0..).zip(&mut self.gates);
        ports.flat_map(|(index, gate)| gate.port.take_remarks().map(move |(what, n)| (index, what, n))).collect()
    }

    /// The connection over which a port's client is logged in.
    #[must_use]
    pub fn login_of(&self, port: u16) -> Option<ConnId> {
        let found = self.connections.iter().find(|(_, c)| c.port == usize::from(port) && c.logged_in);
        found.map(|(conn, _)| *conn)
    }

    /// What is to be done with connections since the last call, in order.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    // ---- The session -----------------------------------------------------------------------------------------

    /// Gives away the passwords of the ports, by number. From now on that of each is [`NO_PASSWORD`], on new
    /// connections: whoever has the passwords compares them, and passes that on in the place of the right one.
    pub fn take_passwords(&mut self) -> Vec<Password> {
        let ports = self.gates.iter_mut().map(|gate| &mut gate.config.login.password);
        ports.map(|password| std::mem::replace(password, Password(NO_PASSWORD))).collect()
    }

    /// A client connected to the address of a port. Refused (closed) when there is no such port, or the number is
    /// in use.
    pub fn on_connect(&mut self, now: Mono, conn: ConnId, port: u16) {
        let index = usize::from(port);
        match self.gates.get(index) {
            Some(gate) if gate.over => {
                self.outputs.push(Output::Close(conn, Farewell { why: Why::SessionEnded, user: None }));
            }
            Some(gate) if !self.connections.contains_key(&conn) => {
                let mut server = Server::new(gate.config.login.clone());
                server.on_connected(now);
                self.connections.insert(conn, Connection { port: index, server, logged_in: false });
            }
            _ => self.outputs.push(Output::Close(conn, Farewell { why: Why::NoPort, user: None })),
        }
    }

    /// Bytes from a client. Those of a connection that is closed are dropped.
    pub fn on_bytes(&mut self, now: Mono, conn: ConnId, mut bytes: &[u8], market: &mut dyn Market) {
        while let Some(connection) = self.connections.get_mut(&conn).filter(|_| !bytes.is_empty()) {
            let taken = connection.server.on_bytes(now, bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            self.serve(now, conn, market);
        }
    }

    /// A client's connection is gone.
    pub fn on_close(&mut self, now: Mono, conn: ConnId, market: &mut dyn Market) {
        self.forget(now, conn, market);
    }

    /// Time has passed: heartbeats, silent clients, time limits of orders.
    pub fn on_timer(&mut self, now: Mono, market: &mut dyn Market) {
        let connections: Vec<ConnId> = self.connections.keys().copied().collect();
        for conn in connections {
            if let Some(connection) = self.connections.get_mut(&conn) {
                let mut sink = Bytes(Vec::new());
                connection.server.on_timer(now, &mut sink);
                self.send(conn, sink);
                self.serve(now, conn, market);
            }
        }
        let at = self.exchange_time(now);
        for index in 0..self.gates.len() {
            let mut effects = Vec::new();
            let mut desk = Desk { now: at, market: &mut *market, effects: &mut effects };
            self.gates[index].port.expire(&mut desk);
            self.on_effects(now, &effects);
        }
    }

    /// When [`Acceptor::on_timer`] has something to do; [`Mono::NEVER`] when there is nothing to wait for.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        let sessions = self.connections.values().map(|connection| connection.server.next_deadline());
        let expiries = self.gates.iter().filter_map(|gate| gate.port.next_expiry());
        let expiries = expiries.map(|at| Mono(at.since(self.epoch).0));
        sessions.chain(expiries).min().unwrap_or(Mono::NEVER)
    }

    /// Acts on every packet that is complete.
    fn serve(&mut self, now: Mono, conn: ConnId, market: &mut dyn Market) {
        while let Some(connection) = self.connections.get_mut(&conn) {
            let index = connection.port;
            let head = self.gates[index].port.messages().len() as u64 + 1;
            let mut sink = Bytes(Vec::new());
            let asked = connection.server.next_event(now, head, &mut sink).map(|event| match event {
                ServerEvent::Replay { .. } => Asked::Replay,
                ServerEvent::Unsequenced(message) => Asked::Message(message.to_vec()),
                ServerEvent::Skipped { letter, length } => Asked::Skipped { letter, length },
                event => Why::of(&event).map_or(Asked::Nothing, Asked::Close),
            });
            self.send(conn, sink);
            match asked {
                None => return,
                Some(Asked::Nothing) => {}
                Some(Asked::Replay) => self.logged_in(now, conn, index, market),
                Some(Asked::Close(why)) => self.close(now, conn, why, market),
                Some(Asked::Skipped { letter, length }) => {
                    self.gates[index].port.remark(Remark::Skipped { letter, length });
                }
                Some(Asked::Message(message)) => {
                    let mut effects = Vec::new();
                    let mut desk = Desk { now: self.exchange_time(now), market: &mut *market, effects: &mut effects };
                    self.gates[index].port.on_message(&mut desk, &message);
                    self.on_effects(now, &effects);
                }
            }
        }
    }

    /// A login is in force. One port has one session: whoever else is logged in is cut off, which is what ends a
    /// connection whose other end is long gone.
    fn logged_in(&mut self, now: Mono, conn: ConnId, index: usize, market: &mut dyn Market) {
        let others = self.connections.iter().filter(|(other, c)| **other != conn && c.port == index && c.logged_in);
        let others: Vec<ConnId> = others.map(|(other, _)| *other).collect();
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.logged_in = true;
        }
        for other in others {
            self.close(now, other, Why::Displaced, market);
        }
        self.pump(now);
    }

    /// The venue has a connection closed.
    fn close(&mut self, now: Mono, conn: ConnId, why: Why, market: &mut dyn Market) {
        self.outputs.push(Output::Close(conn, Farewell { why, user: self.tried(conn) }));
        self.forget(now, conn, market);
    }

    /// The connection is no more; its port's orders neither, if so configured.
    fn forget(&mut self, now: Mono, conn: ConnId, market: &mut dyn Market) {
        let Some(connection) = self.connections.remove(&conn) else { return };
        if !connection.logged_in || !self.gates[connection.port].config.cancel_on_disconnect {
            return;
        }
        let mut effects = Vec::new();
        let mut desk = Desk { now: self.exchange_time(now), market, effects: &mut effects };
        self.gates[connection.port].port.cancel_all(&mut desk);
        self.on_effects(now, &effects);
    }

    fn send(&mut self, conn: ConnId, sink: Bytes) {
        if !sink.0.is_empty() {
            self.outputs.push(Output::Bytes(conn, sink.0));
        }
    }

    /// Sends to every logged-in client what its port was told and it has not been sent.
    fn pump(&mut self, now: Mono) {
        for (conn, connection) in &mut self.connections {
            if !connection.server.is_live() {
                continue;
            }
            let mut sink = Bytes(Vec::new());
            let messages = self.gates[connection.port].port.messages();
            let sent = usize::try_from(connection.server.next_sequence() - 1).unwrap_or(usize::MAX);
            for message in messages.get(sent..).unwrap_or_default() {
                connection
                    .server
                    .send_sequenced(now, &[message], &mut sink)
                    .expect("live, and an answer fits a packet");
            }
            if !sink.0.is_empty() {
                self.outputs.push(Output::Bytes(*conn, sink.0));
            }
        }
    }

    // ---- The market ------------------------------------------------------------------------------------------

    /// Tells the owners what happened in the market.
    pub fn on_effects(&mut self, now: Mono, effects: &[Effect]) {
        let at = self.exchange_time(now);
        for effect in effects {
            if let Some(owner) = effect.owner
                && let Some(gate) = self.gates.get_mut(usize::from(owner.port))
            {
                gate.port.on_effect(at, owner, effect);
            }
        }
        self.pump(now);
    }

    /// Tells every port that the day starts or ends.
    pub fn system_event(&mut self, now: Mono, starts: bool) {
        let at = self.exchange_time(now);
        for gate in &mut self.gates {
            gate.port.on_system_event(at, starts);
        }
        self.pump(now);
    }

    // ---- The exchange's staff --------------------------------------------------------------------------------

    /// Breaks a trade for all its parties.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such trade, or it is broken already.
    pub fn break_trade(
        &mut self,
        now: Mono,
        trade: u64,
        reason: BreakReason,
        market: &mut dyn Market,
    ) -> Result<(), Refusal> {
        let mut effects = Vec::new();
        market.break_trade(self.exchange_time(now), trade, reason, &mut effects)?;
        self.on_effects(now, &effects);
        Ok(())
    }

    /// Corrects the price of a trade, to net asset value. False if no port was party to it.
    pub fn correct_trade(&mut self, now: Mono, trade: u64, price: Price) -> bool {
        let at = self.exchange_time(now);
        let mut party = false;
        for gate in &mut self.gates {
            party |= gate.port.correct_trade(at, trade, price);
        }
        self.pump(now);
        party
    }

    /// Restates a live order of a port: `options` say what changed. False if there is no such order.
    pub fn restate(
        &mut self,
        now: Mono,
        port: u16,
        order: OrderKey,
        reason: RestatedReason,
        options: &[AppendageOption],
    ) -> bool {
        let at = self.exchange_time(now);
        let Some(gate) = self.gates.get_mut(usize::from(port)) else { return false };
        let restated = gate.port.restate(at, order, reason, options);
        self.pump(now);
        restated
    }

    /// Plays a trick on a port's client. False: there is no such port, or no occasion.
    pub fn trick(&mut self, now: Mono, port: u16, trick: Trick, rng: &mut Rng, market: &mut dyn Market) -> bool {
        let mut effects = Vec::new();
        let mut desk = Desk { now: self.exchange_time(now), market, effects: &mut effects };
        let Some(gate) = self.gates.get_mut(usize::from(port)) else { return false };
        let played = gate.port.trick(&mut desk, trick, rng);
        self.on_effects(now, &effects);
        played
    }

    /// Moves a live order behind the queue of its price, under a new reference.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`].
    pub fn reprioritise(
        &mut self,
        now: Mono,
        port: u16,
        order: OrderKey,
        market: &mut dyn Market,
    ) -> Result<(), Refusal> {
        let record = self.port(port).and_then(|port| port.orders().get(&order)).ok_or(Refusal::UnknownOrder)?;
        let reference = record.reference;
        let mut effects = Vec::new();
        market.reprioritise(self.exchange_time(now), reference, &mut effects)?;
        self.on_effects(now, &effects);
        Ok(())
    }

    /// Ends the session of a port for good: the client is told and cut off, and nobody logs in any more.
    pub fn end_session(&mut self, now: Mono, port: u16, market: &mut dyn Market) {
        if let Some(gate) = self.gates.get_mut(usize::from(port)) {
            gate.over = true;
        }
        let of_port = self.connections.iter().filter(|(_, c)| c.port == usize::from(port));
        let of_port: Vec<ConnId> = of_port.map(|(conn, _)| *conn).collect();
        for conn in of_port {
            let Some(connection) = self.connections.get_mut(&conn) else { continue };
            let mut sink = Bytes(Vec::new());
            // One that is not logged in is only cut off.
            let _told = connection.server.end_session(now, &mut sink);
            self.send(conn, sink);
            self.close(now, conn, Why::SessionEnded, market);
        }
    }
}
