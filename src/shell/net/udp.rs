//! Datagrams in: one line of market data, or the replies of the re-request server.

use super::LineAddress;
use crate::base::counters;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Longer than any datagram can be (65,507 bytes over IPv4, 20 more over IPv6), so that none is ever cut.
const BUFFER: usize = 64 * 1024;

/// Passing errors that one call skips before it answers that there is nothing.
const ERRORS_A_CALL: usize = 8;

counters! {
    /// What happened on a line.
    pub struct LineCounters {
        /// Datagrams received.
        pub datagrams: u64,
        /// Their bytes.
        pub bytes: u64,
        /// Errors that pass by themselves: nobody listens at the other end (an ICMP answer), no way there at present.
        pub errors: u64,
        /// Datagrams that the system did not take (its buffer is full, or there is no way there). Whoever sent them asks again.
        pub unsent: u64,
    }
}

/// The receiving end of one line.
pub struct UdpLine {
    socket: UdpSocket,
    buffer: Box<[u8]>,
    granted: usize,
    counters: LineCounters,
}

impl fmt::Debug for UdpLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpLine")
            .field("socket", &self.socket)
            .field("granted", &self.granted)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl UdpLine {
    /// Listens at `address`; a group is joined on its interface, and several processes may listen to it. `receive_buffer`
    /// is what the system is asked to keep for a reader that is late: see [`Self::granted`].
    ///
    /// # Errors
    /// What the system says: the address is taken, or not one of this machine's.
    pub fn listen(address: &LineAddress, receive_buffer: usize) -> io::Result<Self> {
        let socket = socket_for(address.to)?;
        if address.is_multicast() {
            // Only groups: of two sockets on one unicast address, one would get nothing and nobody would notice.
            socket.set_reuse_address(true)?;
        }
        // Bound to the group itself, not to its port alone: else datagrams of every group on that port would come in.
        socket.bind(&SockAddr::from(address.to))?;
        if let (IpAddr::V4(group), true) = (address.to.ip(), address.is_multicast()) {
            socket.join_multicast_v4(&group, &address.interface)?;
            // And only as joined here: another program may have joined the same group on another interface.
            #[cfg(target_os = "linux")]
            socket.set_multicast_all_v4(false)?;
        }
        Self::with(socket, receive_buffer)
    }

    fn with(socket: Socket, receive_buffer: usize) -> io::Result<Self> {
        socket.set_recv_buffer_size(receive_buffer)?;
        let granted = socket.recv_buffer_size()?;
        socket.set_nonblocking(true)?;
        let mut buffer = vec![0; BUFFER].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        buffer.fill(std::hint::black_box(0xA5));
        Ok(UdpLine { socket: socket.into(), buffer, granted, counters: LineCounters::default() })
    }

    /// The next datagram, if there is one.
    ///
    /// # Errors
    /// The socket is of no more use. Errors that pass by themselves are counted instead.
    #[inline]
    pub fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        for _ in 0..ERRORS_A_CALL {
            match self.socket.recv(&mut self.buffer) {
                Ok(length) => {
                    self.counters.datagrams += 1;
                    self.counters.bytes += length as u64;
                    return Ok(Some(&self.buffer[..length]));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if passes(&error) => self.counters.errors += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The receive buffer that the system granted, in its own reckoning: Linux doubles what it was asked for, and grants no
    /// more than `net.core.rmem_max` (doubled).
    #[must_use]
    pub fn granted(&self) -> usize {
        self.granted
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> &LineCounters {
        &self.counters
    }
}

/// Requests to the re-request server and its replies. It takes datagrams of that server alone.
#[derive(Debug)]
pub struct RerequestSocket {
    line: UdpLine,
}

impl RerequestSocket {
    /// Towards `server`, from an address and a port that the system chooses.
    ///
    /// # Errors
    /// What the system says: no way there, no such address.
    pub fn towards(server: SocketAddr, receive_buffer: usize) -> io::Result<Self> {
        let socket = socket_for(server)?;
        // A server on this machine is spoken to from the loopback; for others the way there decides.
        let from: IpAddr = match (server, server.ip().is_loopback()) {
            (SocketAddr::V4(_), true) => Ipv4Addr::LOCALHOST.into(),
            (SocketAddr::V4(_), false) => Ipv4Addr::UNSPECIFIED.into(),
            (SocketAddr::V6(_), true) => Ipv6Addr::LOCALHOST.into(),
            (SocketAddr::V6(_), false) => Ipv6Addr::UNSPECIFIED.into(),
        };
        socket.bind(&SockAddr::from(SocketAddr::from((from, 0))))?;
        socket.connect(&SockAddr::from(server))?;
        Ok(RerequestSocket { line: UdpLine::with(socket, receive_buffer)? })
    }

    /// Sends one request. False: the system did not take it, which is counted; it is lost like any other datagram may be.
    ///
    /// # Errors
    /// The socket is of no more use.
    pub fn send(&mut self, request: &[u8]) -> io::Result<bool> {
        for _ in 0..ERRORS_A_CALL {
            match self.line.socket.send(request) {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // An answer to an earlier request that nobody listened to: this one has not been tried yet.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => self.line.counters.errors += 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock || passes(&error) => break,
                Err(error) => return Err(error),
            }
        }
        self.line.counters.unsent += 1;
        Ok(false)
    }

    /// See [`UdpLine::receive`].
    ///
    /// # Errors
    /// The socket is of no more use.
    #[inline]
    pub fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.receive()
    }

    /// See [`UdpLine::granted`].
    #[must_use]
    pub fn granted(&self) -> usize {
        self.line.granted
    }

    /// What it sends from.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.line.local_address()
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> &LineCounters {
        &self.line.counters
    }
}

fn socket_for(address: SocketAddr) -> io::Result<Socket> {
    Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))
}

/// Does the network mend this by itself? The socket is as good as before.
fn passes(error: &io::Error) -> bool {
    // ENOBUFS has no kind of its own: an interface's queue is full.
    const ENOBUFS: i32 = if cfg!(target_os = "linux") { 105 } else { 55 };
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::OutOfMemory
    ) || error.raw_os_error() == Some(ENOBUFS)
}

#[cfg(test)]
mod tests {
    use super::super::until;
    use super::*;

    const KEPT: usize = 1 << 16;

    fn local() -> LineAddress {
        ":0".parse().unwrap()
    }

    #[test]
    fn datagrams_come_whole_and_in_order() {
        let mut line = UdpLine::listen(&local(), KEPT).unwrap();
        assert!(line.granted() >= KEPT / 2, "granted {}", line.granted());
        assert!(line.receive().unwrap().is_none());
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let longest = vec![7u8; 65_507];
        for datagram in [&b"first"[..], b"", &longest] {
            sender.send_to(datagram, line.local_address().unwrap()).unwrap();
            until("a datagram", || line.receive().unwrap().map(|got| assert_eq!(got, datagram)));
        }
        assert!(line.receive().unwrap().is_none());
        assert_eq!((line.counters().datagrams, line.counters().bytes, line.counters().errors), (3, 65_512, 0));
    }

    #[test]
    fn a_unicast_address_is_taken_once() {
        let line = UdpLine::listen(&local(), KEPT).unwrap();
        let taken = LineAddress { to: line.local_address().unwrap(), ..local() };
        assert_eq!(UdpLine::listen(&taken, KEPT).unwrap_err().kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn a_group_is_joined_on_its_interface_by_several() {
        // A port that is free now; the group is one that nobody else uses.
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address: LineAddress = format!("239.255.77.13:{port}@127.0.0.1").parse().unwrap();
        let other: LineAddress = format!("239.255.77.14:{port}").parse().unwrap();
        let opened = UdpLine::listen(&address, KEPT).and_then(|a| Ok((a, UdpLine::listen(&address, KEPT)?)));
        let (mut first, mut second) = match opened {
            Ok(lines) => lines,
            Err(error) => return println!("skipped: no multicast on the loopback here: {error}"),
        };
        let mut stranger = UdpLine::listen(&other, KEPT).unwrap();
        let sender = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        sender.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
        sender.set_multicast_loop_v4(true).unwrap();
        if let Err(error) = sender.send_to(b"to the group", &SockAddr::from(address.to)) {
            return println!("skipped: no multicast on the loopback here: {error}");
        }
        for line in [&mut first, &mut second] {
            until("a datagram to the group", || line.receive().unwrap().map(|got| assert_eq!(got, b"to the group")));
        }
        // A later datagram to another group on the same port is the first that this one sees.
        sender.send_to(b"to the other", &SockAddr::from(other.to)).unwrap();
        until("a datagram to the other group", || {
            stranger.receive().unwrap().map(|got| assert_eq!(got, b"to the other"))
        });
        assert!(first.receive().unwrap().is_none() && second.receive().unwrap().is_none());
    }

    #[test]
    fn requests_go_to_the_server_and_only_its_replies_come_back() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut client = RerequestSocket::towards(server.local_addr().unwrap(), KEPT).unwrap();
        assert!(client.send(b"please").unwrap());
        let mut request = [0; 16];
        let (length, from) = server.recv_from(&mut request).unwrap();
        assert_eq!((&request[..length], from), (&b"please"[..], client.local_address().unwrap()));
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        // Sent first, and never seen. The system may tell the stranger that nobody is there for it.
        stranger.send_to(b"trust me", from).unwrap();
        server.send_to(b"here", from).unwrap();
        until("a reply", || client.receive().unwrap().map(|got| assert_eq!(got, b"here")));
        assert!(client.receive().unwrap().is_none());
    }

    #[test]
    fn a_server_that_is_away_is_counted_and_may_come_back() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        drop(server);
        let mut client = RerequestSocket::towards(address, KEPT).unwrap();
        assert!(client.send(b"anybody?").unwrap());
        until("the ICMP answer", || {
            assert!(client.receive().unwrap().is_none());
            (client.counters().errors == 1).then_some(())
        });
        // One that waits for the next request does not stop it either.
        for _ in 0..3 {
            assert!(client.send(b"anybody?").unwrap());
        }
        let server = UdpSocket::bind(address).unwrap();
        assert!(client.send(b"back").unwrap());
        let mut request = [0; 16];
        let length = server.recv(&mut request).unwrap();
        assert_eq!(&request[..length], b"back");
    }
}
