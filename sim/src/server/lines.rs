//! Datagrams at the socket: lines A and B out, re-requests in and their replies out, each through a link with its
//! faults, or straight.

use super::status::News;
use super::{Addresses, Limits, Multicast};
use crate::far_end::FarEnd;
use crate::net::{DatagramLink, Faults, LinkStats};
use crate::rng::Rng;
use firelane_gateway::base::{LineId, Mono};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// A socket that sends to `to`, from the narrowest address that reaches it.
fn sender(to: SocketAddr, multicast: &Multicast) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    let from: IpAddr = match to.ip() {
        IpAddr::V4(ip) if ip.is_multicast() => {
            socket.set_multicast_if_v4(&multicast.interface)?;
            socket.set_multicast_ttl_v4(multicast.ttl)?;
            socket.set_multicast_loop_v4(multicast.loopback)?;
            multicast.interface.into()
        }
        ip if ip.is_loopback() => ip,
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    socket.bind(&SocketAddr::new(from, 0).into())?;
    Ok(socket.into())
}

/// One line to all who listen to it.
#[derive(Debug)]
struct Line {
    to: Vec<(UdpSocket, SocketAddr)>,
    link: Option<DatagramLink>,
    /// What came out of the link, or never went into one, and the next receiver to send the first of it to.
    queue: VecDeque<Vec<u8>>,
    next: usize,
    /// Without a link.
    stats: LinkStats,
    /// It may send so many datagrams at once; this grows with time.
    allowance: u64,
    grown_at: Mono,
}

/// Lines A and B. A line has a rate, as a real one has: what goes beyond it waits, and what finds no room to wait is
/// lost and counted.
#[derive(Debug)]
pub(super) struct Lines {
    lines: [Line; 2],
    limits: Limits,
}

/// A line sends at most so many datagrams in a row.
const BURST: u64 = 64;

impl Lines {
    pub(super) fn new(
        addresses: &Addresses,
        multicast: &Multicast,
        faults: Faults,
        seed: u64,
        limits: Limits,
    ) -> io::Result<Self> {
        let line = |id: LineId, name: &str| -> io::Result<Line> {
            let to = addresses.lines[usize::from(id.0)].iter().map(|to| Ok((sender(*to, multicast)?, *to)));
            let link = DatagramLink::new(faults.line(id), Rng::new(seed, name));
            Ok(Line {
                to: to.collect::<io::Result<_>>()?,
                link: (faults != Faults::None).then_some(link),
                queue: VecDeque::new(),
                next: 0,
                stats: LinkStats::default(),
                allowance: BURST,
                grown_at: Mono(0),
            })
        };
        Ok(Lines { lines: [line(LineId::A, "line A")?, line(LineId::B, "line B")?], limits })
    }

    pub(super) fn heal(&mut self) {
        for (line, id) in self.lines.iter_mut().zip([LineId::A, LineId::B]) {
            if let Some(link) = &mut line.link {
                link.set_faults(Faults::None.line(id));
            }
        }
    }

    /// The publisher sends.
    pub(super) fn publish(&mut self, now: Mono, line: LineId, bytes: Vec<u8>) {
        let Some(line) = self.lines.get_mut(usize::from(line.0)) else { return };
        match &mut line.link {
            Some(link) => link.send(now, bytes),
            None => {
                line.stats.sent += 1;
                line.put(bytes, &self.limits);
            }
        }
    }

    /// Sends what is due and may go; how many datagrams went.
    pub(super) fn flush(&mut self, now: Mono) -> usize {
        self.lines.iter_mut().map(|line| line.flush(now, &self.limits)).sum()
    }

    /// Datagrams that wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.lines.iter().map(|line| line.queue.len()).sum()
    }

    pub(super) fn stats(&self) -> [LinkStats; 2] {
        let of = |line: &Line| line.link.as_ref().map_or(line.stats, |link| link.stats().plus(line.stats));
        [of(&self.lines[0]), of(&self.lines[1])]
    }
}

impl Line {
    fn put(&mut self, bytes: Vec<u8>, limits: &Limits) {
        if self.queue.len() < limits.waiting_datagrams {
            self.queue.push_back(bytes);
        } else {
            self.stats.lost += 1;
        }
    }

    fn flush(&mut self, now: Mono, limits: &Limits) -> usize {
        while let Some(bytes) = self.link.as_mut().and_then(|link| link.receive(now)) {
            self.put(bytes, limits);
        }
        let per_second = u128::from(limits.datagrams_per_second.max(1));
        let billionths = u128::from(now.since(self.grown_at).0) * per_second;
        let grown = u64::try_from(billionths / 1_000_000_000).unwrap_or(BURST);
        if grown > 0 {
            self.allowance = BURST.min(self.allowance.saturating_add(grown));
            let left_over = u64::try_from(billionths % 1_000_000_000 / per_second).unwrap_or(0);
            self.grown_at = Mono(now.0.saturating_sub(left_over));
        }
        let mut sent = 0;
        while self.allowance > 0
            && let Some(bytes) = self.queue.front()
        {
            while let Some((socket, to)) = self.to.get(self.next) {
                match socket.send_to(bytes, to) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return sent,
                    Err(_) => self.stats.lost += 1,
                    Ok(_) => self.stats.delivered += u64::from(self.link.is_none()),
                }
                self.next += 1;
                sent += 1;
            }
            self.next = 0;
            self.queue.pop_front();
            self.allowance -= 1;
        }
        sent
    }
}

/// A client's way to the re-request server, and back.
#[derive(Debug)]
struct Peer {
    requests: DatagramLink,
    replies: DatagramLink,
    heard: Mono,
}

/// The re-request server's socket. Any number of clients may ask; with faults the latest few each have a way of their
/// own.
#[derive(Debug)]
pub(super) struct Requests {
    socket: UdpSocket,
    faults: Faults,
    seed: u64,
    /// Links are made for clients, while there are faults.
    faulty: bool,
    peers: BTreeMap<SocketAddr, Peer>,
    known: u64,
    out: Vec<(SocketAddr, Vec<u8>)>,
    /// Replies and requests without a link, and of clients that were forgotten.
    stats: [LinkStats; 2],
}

/// So many clients of the re-request server have a faulty way of their own.
const MOST_PEERS: usize = 64;
/// At most so many requests are taken in a duty cycle.
const MOST_REQUESTS: usize = 64;

impl Requests {
    pub(super) fn new(address: SocketAddr, faults: Faults, seed: u64) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(Requests {
            socket,
            faults,
            seed,
            faulty: faults != Faults::None,
            peers: BTreeMap::new(),
            known: 0,
            out: Vec::new(),
            stats: [LinkStats::default(); 2],
        })
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(super) fn heal(&mut self) {
        self.faults = Faults::None;
        for peer in self.peers.values_mut() {
            peer.requests.set_faults(self.faults.rerequest());
            peer.replies.set_faults(self.faults.rerequest());
        }
    }

    /// Takes requests in and has them answered; how many.
    pub(super) fn serve(&mut self, now: Mono, venue_now: Mono, far_end: &mut FarEnd, news: &mut News) -> usize {
        let mut buffer = [0; 2_048];
        let mut taken = 0;
        for _ in 0..MOST_REQUESTS {
            // An error is about a reply that could not be delivered; the next datagram comes all the same.
            let (length, from) = match self.socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => continue,
            };
            taken += 1;
            let request = &buffer[..length];
            if self.faulty {
                self.peer(now, from).requests.send(now, request.to_vec());
            } else {
                self.stats[1].sent += 1;
                self.stats[1].delivered += 1;
                match far_end.on_request(venue_now, request) {
                    Ok(reply) => {
                        self.stats[0].sent += 1;
                        self.out.push((from, reply));
                    }
                    Err(why) => news.unanswered(from, why),
                }
            }
        }
        for (from, peer) in &mut self.peers {
            while let Some(request) = peer.requests.receive(now) {
                match far_end.on_request(venue_now, &request) {
                    Ok(reply) => peer.replies.send(now, reply),
                    Err(why) => news.unanswered(*from, why),
                }
            }
        }
        taken
    }

    fn peer(&mut self, now: Mono, address: SocketAddr) -> &mut Peer {
        if !self.peers.contains_key(&address) && self.peers.len() >= MOST_PEERS {
            let silent = self.peers.iter().min_by_key(|(_, peer)| peer.heard).map(|(address, _)| *address);
            if let Some(peer) = silent.and_then(|address| self.peers.remove(&address)) {
                self.stats = [self.stats[0].plus(peer.replies.stats()), self.stats[1].plus(peer.requests.stats())];
            }
        }
        let (faults, seed, known) = (self.faults.rerequest(), self.seed, &mut self.known);
        let peer = self.peers.entry(address).or_insert_with(|| {
            *known += 1;
            Peer {
                requests: DatagramLink::new(faults, Rng::new(seed, &format!("requests {known}"))),
                replies: DatagramLink::new(faults, Rng::new(seed, &format!("replies {known}"))),
                heard: now,
            }
        });
        peer.heard = now;
        peer
    }

    /// Sends the replies that are due; how many.
    pub(super) fn flush(&mut self, now: Mono) -> usize {
        for (address, peer) in &mut self.peers {
            while let Some(reply) = peer.replies.receive(now) {
                self.out.push((*address, reply));
            }
        }
        let count = self.out.len();
        for (to, reply) in self.out.drain(..) {
            match self.socket.send_to(&reply, to) {
                Ok(_) => self.stats[0].delivered += u64::from(!self.faulty),
                Err(_) => self.stats[0].lost += 1,
            }
        }
        count
    }

    /// Statistics of replies and requests.
    pub(super) fn stats(&self) -> [LinkStats; 2] {
        self.peers.values().fold(self.stats, |[replies, requests], peer| {
            [replies.plus(peer.replies.stats()), requests.plus(peer.requests.stats())]
        })
    }
}
