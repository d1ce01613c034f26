//! One byte-stream session towards a venue: a connection, made and remade as the lane asks.
//!
//! The caller sends whole frames, each with its [`Class`], and polls for [`Event`]s. Frames go to the kernel at once while
//! it takes them; what it does not take waits in a bounded queue, whole and in order. A peer that does not read shows as
//! [`Event::Blocked`], and as [`Why::Overflow`] when the queue is full: a lane that cannot cancel must not stay connected,
//! and venues cancel on disconnect.
//!
//! While the [`KillSwitch`] is thrown, orders of which nothing has left are dropped and handed back, so that the lane can
//! free their exposure; an order that has begun to leave is finished (its rest would garble the stream), and cancels and
//! session traffic pass.

use super::KillSwitch;
use super::queue::FrameQueue;
use crate::base::{Mono, Nanos, counters};
use crate::flow::outbox::Class;
use crate::flow::wire::Credentials;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

/// What completes a session's login: see [`Credentials`].
pub type Login = Arc<dyn Credentials>;

/// What a session may take.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// How long a connection may take to be made.
    pub connect_timeout: Nanos,
    /// Bytes that may wait for a peer that does not read (at most one frame for each 16); as many dropped orders may wait for
    /// the lane.
    pub queue_bytes: usize,
    /// The most that one [`Event::Bytes`] holds.
    pub receive_bytes: usize,
    /// The kernel's send buffer. `None`: as the system likes.
    pub send_buffer: Option<usize>,
    /// Completes the login as its bytes leave.
    pub login: Option<Login>,
}

impl Default for SessionConfig {
    fn default() -> Self {
        SessionConfig {
            connect_timeout: Nanos::from_secs(5),
            queue_bytes: 256 * 1024,
            receive_bytes: 64 * 1024,
            send_buffer: None,
            login: None,
        }
    }
}

/// Why a connection ended, or was not made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// Nobody listens there.
    Refused,
    /// No answer in time.
    TimedOut,
    /// No way there.
    Unreachable,
    /// The peer broke it off.
    Reset,
    /// The peer closed it.
    ByPeer,
    /// The peer does not read, and the queue is full.
    Overflow,
    /// It was asked for.
    AskedFor,
    /// Another error of the system, by its number.
    Other(i32),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Refused => "refused: nobody listens there",
            Why::TimedOut => "timed out: no answer",
            Why::Unreachable => "unreachable: no way there",
            Why::Reset => "reset by the peer",
            Why::ByPeer => "closed by the peer",
            Why::Overflow => "closed here: the peer does not read, and the send queue is full",
            Why::AskedFor => "closed here, as asked",
            Why::Other(number) => return io::Error::from_raw_os_error(*number).fmt(f),
        })
    }
}

impl From<&io::Error> for Why {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Why::Refused,
            ErrorKind::TimedOut => Why::TimedOut,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => Why::Unreachable,
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Why::Reset,
            _ => Why::Other(error.raw_os_error().unwrap_or(0)),
        }
    }
}

/// What happened to a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event<'a> {
    /// The connection that was asked for is up.
    Connected,
    /// Bytes from the peer, cut anywhere.
    Bytes(&'a [u8]),
    /// Orders that the kill switch kept from leaving: the bytes of one `send`.
    Dropped(&'a [u8]),
    /// Frames wait: the peer does not read as fast as they come. Once, until [`Event::Writable`].
    Blocked,
    /// None waits any more.
    Writable,
    /// The connection is gone, or could not be made. Dropped orders have been reported before; frames that waited are lost.
    Closed(Why),
}

/// What became of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// The kernel has all of it.
    Written,
    /// It waits, or a part of it does.
    Queued,
    /// The kill switch kept it from leaving; an [`Event::Dropped`] follows.
    Dropped,
    /// There is no connection (any more).
    NotConnected,
}

counters! {
    /// What happened on a session.
    pub struct SessionCounters {
        /// Connections that came up.
        pub connected: u64,
        /// Bytes that the kernel took.
        pub sent_bytes: u64,
        /// Bytes from the peer.
        pub received_bytes: u64,
        /// Times that frames had to wait.
        pub blocked: u64,
        /// Sends that the kill switch kept from leaving.
        pub dropped: u64,
    }
}

/// Buffers that a session reads away at most before it closes.
const READS_AT_THE_END: usize = 16;

enum Link {
    Down,
    Connecting(TcpStream, Mono),
    Up(TcpStream),
    /// Nothing can be written any more; what the peer sent before is still read.
    Broken(TcpStream, Why),
}

/// What one poll came to, before it borrows anything.
enum Step {
    Connected,
    Bytes(usize),
    Dropped,
    Blocked,
    Writable,
    Closed(Why),
}

/// One session.
pub struct Session {
    address: SocketAddr,
    connect_timeout: Nanos,
    send_buffer: Option<usize>,
    login: Option<Login>,
    kill: KillSwitch,
    /// Orders are kept back for good, whatever the switch says.
    held: bool,
    link: Link,
    /// A `Closed` that nobody has been told of.
    ended: Option<Why>,
    /// Does the caller know that frames wait?
    told_blocked: bool,
    queue: FrameQueue,
    dropped: FrameQueue,
    received: Box<[u8]>,
    counters: SessionCounters,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the buffers: a login with its password may lie there.
        f.debug_struct("Session")
            .field("address", &self.address)
            .field("up", &self.is_up())
            .field("queued", &self.queued())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session with the server at `address`, not connected yet.
    #[must_use]
    pub fn new(address: SocketAddr, config: &SessionConfig, kill: KillSwitch) -> Self {
        let mut received = vec![0; config.receive_bytes.max(1)].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        received.fill(std::hint::black_box(0xA5));
        Session {
            address,
            connect_timeout: config.connect_timeout,
            send_buffer: config.send_buffer,
            login: config.login.clone(),
            kill,
            held: false,
            link: Link::Down,
            ended: None,
            told_blocked: false,
            queue: FrameQueue::new(config.queue_bytes),
            dropped: FrameQueue::new(config.queue_bytes),
            received,
            counters: SessionCounters::default(),
        }
    }

    /// Asks for a connection; answered by [`Event::Connected`] or [`Event::Closed`]. One that is up is given up without a
    /// word, with everything that waits on it.
    pub fn connect(&mut self, now: Mono) {
        self.link = Link::Down;
        self.ended = None;
        self.told_blocked = false;
        self.queue.clear();
        self.dropped.clear();
        match self.begin() {
            Ok(stream) => self.link = Link::Connecting(stream, now),
            Err(error) => self.ended = Some(Why::from(&error)),
        }
    }

    fn begin(&self) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(self.address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(bytes) = self.send_buffer {
            socket.set_send_buffer_size(bytes)?;
        }
        match socket.connect(&SockAddr::from(self.address)) {
            Ok(()) => {}
            // EINPROGRESS has no kind that is stable; a connect that was begun is the one that has not ended.
            Err(error) if in_progress(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(socket.into())
    }

    /// Gives what waits to the kernel, as far as it takes it, and closes; answered by [`Event::Closed`] unless there is
    /// no connection.
    pub fn disconnect(&mut self) {
        if !self.queue.is_empty() {
            self.flush();
        }
        match &self.link {
            // Closed here already, by an overflow in this very flush, or never open.
            Link::Down => return,
            Link::Up(stream) => {
                // Unread bytes would turn the end into a reset, which may overtake a log out.
                let _ = stream.shutdown(Shutdown::Write);
                for _ in 0..READS_AT_THE_END {
                    if !matches!(read(stream, &mut self.received), Ok(Some(length)) if length > 0) {
                        break;
                    }
                }
            }
            Link::Connecting(..) | Link::Broken(..) => {}
        }
        self.end(Why::AskedFor);
    }

    /// Sends whole frames of one class.
    #[inline]
    pub fn send(&mut self, class: Class, frame: &[u8]) -> Sent {
        let Link::Up(stream) = &self.link else { return Sent::NotConnected };
        if class == Class::Order && self.keeps_orders_back() {
            return self.keep_back(frame);
        }
        // A login is completed where it waits; session traffic is rare and short.
        if class == Class::Session && self.login.is_some() {
            return self.send_through_queue(class, frame);
        }
        let mut written = 0;
        if self.queue.is_empty() {
            written = match write(stream, frame) {
                Ok(written) => written,
                Err(error) => {
                    self.break_off(Why::from(&error));
                    return Sent::NotConnected;
                }
            };
            self.counters.sent_bytes += written as u64;
            if written == frame.len() {
                return Sent::Written;
            }
        }
        self.enqueue(class, &frame[written..], written > 0)
    }

    fn enqueue(&mut self, class: Class, rest: &[u8], begun: bool) -> Sent {
        if self.queue.push(class, rest, begun) {
            return Sent::Queued;
        }
        self.end(Why::Overflow);
        Sent::NotConnected
    }

    fn send_through_queue(&mut self, class: Class, frame: &[u8]) -> Sent {
        let waits = !self.queue.is_empty();
        if self.enqueue(class, frame, false) == Sent::NotConnected {
            return Sent::NotConnected;
        }
        if let Some(login) = &self.login {
            login.complete(self.queue.last_mut());
        }
        if waits {
            return Sent::Queued;
        }
        self.flush();
        match (self.is_up(), self.queue.is_empty()) {
            (false, _) => Sent::NotConnected,
            (true, true) => Sent::Written,
            (true, false) => Sent::Queued,
        }
    }

    /// From now on no order that has not begun to leave leaves, as if the kill switch were thrown for good.
    pub fn hold_orders(&mut self) {
        self.held = true;
    }

    #[inline]
    fn keeps_orders_back(&self) -> bool {
        self.held || self.kill.is_thrown()
    }

    /// The kill switch's work on an order that is not in the queue yet.
    #[cold]
    fn keep_back(&mut self, frame: &[u8]) -> Sent {
        // Those that wait came first and are reported first.
        self.drop_orders();
        self.counters.dropped += 1;
        if self.is_up() && !self.dropped.push(Class::Order, frame, false) {
            self.end(Why::Overflow);
        }
        if self.is_up() { Sent::Dropped } else { Sent::NotConnected }
    }

    /// The kill switch's work on the queue.
    fn drop_orders(&mut self) {
        let (count, all) = self.queue.drop_orders(&mut self.dropped);
        self.counters.dropped += count;
        if !all {
            self.end(Why::Overflow);
        }
    }

    /// Gives the kernel what waits, as far as it takes it. [`poll`](Self::poll) does so too.
    pub fn flush(&mut self) {
        while !self.queue.is_empty() {
            if self.keeps_orders_back() {
                self.drop_orders();
            }
            let Link::Up(stream) = &self.link else { return };
            if self.queue.is_empty() {
                return;
            }
            match write(stream, self.queue.waiting()) {
                Ok(0) => return,
                Ok(written) => {
                    self.counters.sent_bytes += written as u64;
                    self.queue.advance(written);
                }
                Err(error) => return self.break_off(Why::from(&error)),
            }
        }
    }

    /// Nothing can be written any more, but what the peer said before that may still be here.
    fn break_off(&mut self, why: Why) {
        self.queue.clear();
        if let Link::Up(stream) = std::mem::replace(&mut self.link, Link::Down) {
            self.link = Link::Broken(stream, why);
        }
    }

    fn end(&mut self, why: Why) {
        self.link = Link::Down;
        self.queue.clear();
        self.told_blocked = false;
        self.ended = Some(why);
    }

    /// What happened, one thing a call; nothing more for now: `None`.
    #[inline]
    pub fn poll(&mut self, now: Mono) -> Option<Event<'_>> {
        Some(match self.step(now)? {
            Step::Bytes(length) => Event::Bytes(&self.received[..length]),
            Step::Dropped => Event::Dropped(self.dropped.take_first()?),
            Step::Connected => Event::Connected,
            Step::Blocked => Event::Blocked,
            Step::Writable => Event::Writable,
            Step::Closed(why) => Event::Closed(why),
        })
    }

    #[inline]
    fn step(&mut self, now: Mono) -> Option<Step> {
        if !self.queue.is_empty() {
            self.flush();
        }
        if !self.dropped.is_empty() {
            return Some(Step::Dropped);
        }
        if let Some(why) = self.ended.take() {
            return Some(Step::Closed(why));
        }
        match &self.link {
            Link::Down => None,
            Link::Connecting(..) => self.connecting(now),
            Link::Up(stream) => {
                let waits = !self.queue.is_empty();
                if waits != self.told_blocked {
                    self.told_blocked = waits;
                    self.counters.blocked += u64::from(waits);
                    return Some(if waits { Step::Blocked } else { Step::Writable });
                }
                match read(stream, &mut self.received) {
                    Ok(Some(length)) if length > 0 => {
                        self.counters.received_bytes += length as u64;
                        Some(Step::Bytes(length))
                    }
                    Ok(None) => None,
                    ended => Some(self.gone(ended.map_or_else(|error| Why::from(&error), |_| Why::ByPeer))),
                }
            }
            Link::Broken(stream, why) => match read(stream, &mut self.received) {
                Ok(Some(length)) if length > 0 => {
                    self.counters.received_bytes += length as u64;
                    Some(Step::Bytes(length))
                }
                _ => {
                    let why = *why;
                    Some(self.gone(why))
                }
            },
        }
    }

    /// The end, told at once.
    fn gone(&mut self, why: Why) -> Step {
        self.end(why);
        self.ended = None;
        Step::Closed(why)
    }

    #[cold]
    fn connecting(&mut self, now: Mono) -> Option<Step> {
        let Link::Connecting(stream, since) = &self.link else { return None };
        let late = now.since(*since) >= self.connect_timeout;
        // Both ends the same: a port of the system's choice happened to be the one that nobody listened to.
        let to_itself = || stream.local_addr().is_ok_and(|local| local == self.address);
        let failed = match (stream.take_error(), stream.peer_addr()) {
            (Err(error), _) | (Ok(Some(error)), _) => Why::from(&error),
            (Ok(None), Ok(_)) if to_itself() => Why::Refused,
            (Ok(None), Ok(_)) => {
                if let Link::Connecting(stream, _) = std::mem::replace(&mut self.link, Link::Down) {
                    self.link = Link::Up(stream);
                }
                self.counters.connected += 1;
                return Some(Step::Connected);
            }
            (Ok(None), Err(error)) if error.kind() != ErrorKind::NotConnected => Why::from(&error),
            (Ok(None), Err(_)) if late => Why::TimedOut,
            (Ok(None), Err(_)) => return None,
        };
        Some(self.gone(failed))
    }

    /// Can it be written to?
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.link, Link::Up(_))
    }

    /// Is there nothing to do but to see whether the peer has said something?
    #[inline]
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let told = self.ended.is_none() && !self.told_blocked;
        self.is_up() && told && self.queue.is_empty() && self.dropped.is_empty()
    }

    /// Bytes that wait for the peer.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.waiting().len()
    }

    /// Where the server is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> &SessionCounters {
        &self.counters
    }
}

/// As much as the kernel takes now; 0 if nothing.
#[inline]
fn write(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match stream.write(bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            other => return other,
        }
    }
}

/// What is here; `None` if nothing is yet, 0 bytes at the end.
#[inline]
fn read(mut stream: &TcpStream, into: &mut [u8]) -> io::Result<Option<usize>> {
    loop {
        match stream.read(into) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            other => return other.map(Some),
        }
    }
}

/// EINPROGRESS: a connection is on its way.
fn in_progress(error: &io::Error) -> bool {
    const EINPROGRESS: i32 = if cfg!(target_os = "linux") { 115 } else { 36 };
    error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(EINPROGRESS)
}

#[cfg(test)]
mod tests;
