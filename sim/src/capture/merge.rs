//! One run of messages out of the packets of a capture.
//!
//! Live, a gap has some hundred milliseconds to be filled, and then the stream goes on without what is missing. A
//! capture is all there: whatever it holds of a message, on whichever line and however late, is used. So a hole is
//! given up only at the end of its session, or when what waits behind it takes more memory than it may. A line that
//! is seconds late by the capture's clock fills what the other lacks, and nothing that was captured is left out.
//!
//! **Destinations.** A destination becomes a line when one of its packets proves to be MoldUDP64 of the session: blocks
//! that fill the packet exactly. Clocks, name services and own re-requests never do. The first two are lines A and B; of
//! a multicast feed a unicast destination is where re-requests are answered: its packets fill holes. Packets of a third
//! multicast group are left out, and counted.
//!
//! **Sessions.** A line that goes on under another name has begun a new session, whose messages are numbered from 1
//! again. They wait until every line has gone over, or the old session has said that it is over and is complete. One
//! packet under another name, after which the line goes on as before, is a stray one.

mod session;

use super::packets::Datagram;
use super::stream::{Batch, Mark};
use firelane_gateway::flow::wire::itch50;
use firelane_gateway::flow::wire::moldudp64::{END_OF_SESSION, HEADER_LENGTH, Packet};
use session::Session;
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

/// Most memory, in bytes, for what waits behind holes.
pub const PATIENCE: usize = 1 << 26;

/// Most destinations that are remembered because they may turn out to be lines.
const MOST_DESTINATIONS: usize = 4_096;

/// A sequence number beyond is none: no exchange sends so many messages.
const LAST_SEQUENCE: u64 = 1 << 48;

/// After so many packets on its line a session heard in one packet alone was a stray one.
const PACKETS_BACK: u32 = 2;

/// What was counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Packets of the lines, heartbeats included.
    pub packets: u64,
    /// Answers to re-requests.
    pub replies: u64,
    /// Messages that were there already.
    pub duplicates: u64,
    /// Holes that opened.
    pub gaps: u64,
    /// Messages that were missing and came on a line.
    pub filled_by_line: u64,
    /// Messages that were missing and came in an answer to a re-request.
    pub filled_by_rerequest: u64,
    /// Messages that nothing in the capture has.
    pub lost: u64,
    /// Malformed messages of which another copy was sound.
    pub healed: u64,
    /// Packets that end inside of a message.
    pub truncated: u64,
    /// Sessions after the first.
    pub session_changes: u64,
    /// Datagrams that are no MoldUDP64 of the feed.
    pub foreign: u64,
    /// Packets of a third multicast group.
    pub third_line: u64,
    /// Packets of a session that is over, or of one that never began.
    pub other_session: u64,
}

/// What a destination is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    Unproven,
    Line,
    Reply,
    Third,
}

struct Destination {
    address: SocketAddr,
    role: Role,
    packets: u64,
    /// The number of the session heard here last.
    session: u64,
}

/// Puts the packets of a capture in order.
pub struct Merge {
    destinations: Vec<Destination>,
    places: HashMap<SocketAddr, usize>,
    /// The session whose messages are released, and those that follow it.
    sessions: VecDeque<Session>,
    over: HashSet<[u8; 10]>,
    begun: u64,
    patience: usize,
    counts: Counts,
}

impl Default for Merge {
    fn default() -> Self {
        Merge::new(PATIENCE)
    }
}

impl Merge {
    /// With so much memory for what waits.
    #[must_use]
    pub fn new(patience: usize) -> Self {
        Merge {
            destinations: Vec::new(),
            places: HashMap::new(),
            sessions: VecDeque::new(),
            over: HashSet::new(),
            begun: 0,
            patience,
            counts: Counts::default(),
        }
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts;
        for destination in &self.destinations {
            let of = match destination.role {
                Role::Line => &mut counts.packets,
                Role::Reply => &mut counts.replies,
                Role::Third => &mut counts.third_line,
                Role::Unproven => &mut counts.foreign,
            };
            *of += destination.packets;
        }
        counts
    }

    /// Takes a datagram, and releases what has its turn.
    pub fn take(&mut self, datagram: &Datagram<'_>, out: &mut Batch) {
        let Some((packet, shape)) = shape(datagram) else {
            self.counts.foreign += 1;
            return;
        };
        let name = packet.header().session;
        let Some(at) = self.destination(datagram.destination, name, shape) else {
            self.counts.foreign += 1;
            return;
        };
        let Some(destination) = self.destinations.get_mut(at) else { return };
        if shape == Shape::Torn && datagram.payload.len() == HEADER_LENGTH {
            // A request, which has the form of a header that promises messages.
            self.counts.foreign += 1;
            return;
        }
        destination.packets += 1;
        let role = destination.role;
        if matches!(role, Role::Unproven | Role::Third) {
            return;
        }
        if packet.header().sequence.get() == 0 {
            self.take_unnumbered(&packet, out);
            return;
        }
        let Some(number) = self.session(at, name, shape) else { return };
        self.hear(at, number);
        let is_front = self.sessions.front().is_some_and(|front| front.number == number);
        let Some(session) = self.sessions.iter_mut().find(|session| session.number == number) else { return };
        let turn = is_front.then_some(&mut *out);
        session.take(&packet, shape == Shape::Heartbeat, role == Role::Line, turn, &mut self.counts);
        if is_front {
            self.release(out);
        }
        self.settle(out);
    }

    /// There is nothing more: what waits is released, and what is missing is lost.
    pub fn finish(&mut self, out: &mut Batch) {
        while let Some(front) = self.sessions.front_mut() {
            front.begin();
            front.give_all_up(out, &mut self.counts);
            self.next_session(true, out);
        }
    }

    /// Some published captures have session and sequence number zeroed; such packets can't be ordered and are taken as
    /// they come.
    fn take_unnumbered(&mut self, packet: &Packet<'_>, out: &mut Batch) {
        for message in packet.messages() {
            match message {
                Ok((_, message)) => out.message(message),
                Err(_) => self.counts.truncated += 1,
            }
        }
    }

    /// Where a packet went, proven or not. `None`: to no line, and none that could be.
    fn destination(&mut self, address: SocketAddr, name: [u8; 10], shape: Shape) -> Option<usize> {
        let known = self.places.get(&address).copied();
        if let Some(at) = known
            && self.destinations.get(at)?.role != Role::Unproven
        {
            return Some(at);
        }
        let of_the_feed = self.sessions.iter().any(|session| session.name == name) || self.over.contains(&name);
        let proves = match shape {
            Shape::Whole { is_itch } => of_the_feed || (!self.is_proven() && (is_itch || name != [0; 10])),
            Shape::Heartbeat => of_the_feed,
            Shape::Torn => false,
        };
        if !proves && (shape != Shape::Heartbeat || self.destinations.len() >= MOST_DESTINATIONS) {
            return None;
        }
        let at = known.unwrap_or_else(|| {
            self.destinations.push(Destination { address, role: Role::Unproven, packets: 0, session: 0 });
            self.places.insert(address, self.destinations.len() - 1);
            self.destinations.len() - 1
        });
        if proves {
            self.prove(at);
        }
        Some(at)
    }

    fn is_proven(&self) -> bool {
        self.destinations.iter().any(|destination| destination.role == Role::Line)
    }

    /// Gives a destination its role.
    fn prove(&mut self, at: usize) {
        let lines: Vec<usize> = (0..self.destinations.len()).filter(|at| self.role(*at) == Some(Role::Line)).collect();
        let is_multicast = |at: usize| self.destinations.get(at).is_some_and(|d| d.address.ip().is_multicast());
        let role = if is_multicast(at) {
            // What was taken for a line before the feed itself was heard.
            let unicast: Vec<usize> = lines.iter().copied().filter(|line| !is_multicast(*line)).collect();
            let room = lines.len() - unicast.len() < 2;
            for line in unicast {
                self.set_role(line, Role::Reply);
            }
            if room { Role::Line } else { Role::Third }
        } else if lines.len() < 2 && !lines.iter().any(|line| is_multicast(*line)) {
            Role::Line
        } else {
            Role::Reply
        };
        self.set_role(at, role);
    }

    fn role(&self, at: usize) -> Option<Role> {
        self.destinations.get(at).map(|destination| destination.role)
    }

    fn set_role(&mut self, at: usize, role: Role) {
        if let Some(destination) = self.destinations.get_mut(at) {
            destination.role = role;
        }
    }

    /// The number of the session that a packet at a destination belongs to. A line may begin a new one, with messages.
    fn session(&mut self, at: usize, name: [u8; 10], shape: Shape) -> Option<u64> {
        if let Some(session) = self.sessions.iter().find(|session| session.name == name) {
            return Some(session.number);
        }
        if self.role(at) != Some(Role::Line) || !matches!(shape, Shape::Whole { .. }) || self.over.contains(&name) {
            // A heartbeat before the first message of its session says nothing yet.
            if shape != Shape::Heartbeat {
                self.counts.other_session += 1;
                self.forget_packet(at);
            }
            return None;
        }
        self.begun += 1;
        self.sessions.push_back(Session::new(name, self.begun, at, self.begun > 1));
        Some(self.begun)
    }

    /// It is counted elsewhere.
    fn forget_packet(&mut self, at: usize) {
        if let Some(destination) = self.destinations.get_mut(at) {
            destination.packets -= 1;
        }
    }

    /// A destination was heard in a session: it has gone over to it, or it has come back.
    fn hear(&mut self, at: usize, number: u64) {
        let Some(destination) = self.destinations.get_mut(at) else { return };
        destination.session = number;
        let mut stray = 0;
        self.sessions.retain_mut(|session| {
            if session.number > number && session.opened_at == at && session.packets == 1 {
                session.packets_back += 1;
            }
            let is_stray = session.packets == 1 && session.packets_back >= PACKETS_BACK;
            stray += u64::from(is_stray);
            !is_stray
        });
        self.counts.other_session += stray;
        destination.packets -= stray;
    }

    fn release(&mut self, out: &mut Batch) {
        if let Some(front) = self.sessions.front_mut() {
            front.release(out, &mut self.counts);
        }
    }

    /// Sessions that are over make way; what takes too much memory is waited for no longer.
    fn settle(&mut self, out: &mut Batch) {
        while self.sessions.len() > 1 && self.is_front_over() {
            if let Some(front) = self.sessions.front_mut() {
                front.begin();
                front.give_all_up(out, &mut self.counts);
            }
            self.next_session(false, out);
        }
        if self.sessions.len() == 1 && self.sessions.front().is_some_and(|front| front.held() <= self.patience) {
            return;
        }
        while self.sessions.iter().map(Session::held).sum::<usize>() > self.patience {
            let Some(front) = self.sessions.front_mut() else { return };
            front.begin();
            if front.held() > 0 {
                front.give_up(out, &mut self.counts);
            } else {
                front.give_all_up(out, &mut self.counts);
                self.next_session(false, out);
            }
        }
    }

    /// Has every line gone on to a session that is more than one packet?
    fn is_front_over(&self) -> bool {
        let (Some(front), Some(next)) = (self.sessions.front(), self.sessions.get(1)) else { return false };
        let mut lines = self.destinations.iter().filter(|destination| destination.role == Role::Line);
        front.is_complete() || (next.packets > 1 && lines.all(|line| line.session == 0 || line.session > front.number))
    }

    /// The front session is over, and its successor's messages have their turn.
    fn next_session(&mut self, at_end: bool, out: &mut Batch) {
        if let Some(over) = self.sessions.pop_front() {
            self.over.insert(over.name);
        }
        if at_end {
            let is_stray = |session: &Session| session.packets == 1 && session.packets_back > 0;
            let strays: Vec<usize> = self.sessions.iter().filter(|s| is_stray(s)).map(|s| s.opened_at).collect();
            self.sessions.retain(|session| !is_stray(session));
            for at in strays {
                self.counts.other_session += 1;
                self.forget_packet(at);
            }
        }
        if self.sessions.is_empty() {
            return;
        }
        self.counts.session_changes += 1;
        out.mark(Mark::NewSession);
        self.release(out);
    }
}

/// What a packet's bytes say of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// Its blocks fill it exactly; the first of them is an ITCH message.
    Whole { is_itch: bool },
    /// A header alone: the number of the next message, or the end.
    Heartbeat,
    /// It ends before its blocks do, or goes on behind them.
    Torn,
}

/// The packet in a datagram, if it can be one of MoldUDP64.
fn shape<'a>(datagram: &Datagram<'a>) -> Option<(Packet<'a>, Shape)> {
    let packet = Packet::parse(datagram.payload).ok()?;
    let header = packet.header();
    let is_name = header.session.iter().all(|byte| matches!(byte, 0 | b' '..=b'~'));
    if !is_name || header.sequence.get() > LAST_SEQUENCE {
        return None;
    }
    let count = header.count.get();
    let alone = datagram.payload.len() == HEADER_LENGTH && !datagram.cut;
    if count == 0 || count == END_OF_SESSION {
        return alone.then_some((packet, Shape::Heartbeat));
    }
    let first = packet.messages().next().and_then(Result::ok);
    let is_itch = first.is_some_and(|(_, message)| itch50::check(message).is_ok());
    let is_whole = packet.trailing() == Some(0) || (datagram.cut && is_itch);
    Some((packet, if is_whole { Shape::Whole { is_itch } } else { Shape::Torn }))
}

#[cfg(test)]
mod tests;
