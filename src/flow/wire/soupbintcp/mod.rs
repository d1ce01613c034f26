//! SoupBinTCP 3.00, the session layer under OUCH and Glimpse: packets, their framing in a TCP stream, and the two
//! session machines, [`Client`] and [`Server`], which see neither socket nor clock.
//!
//! Source: Nasdaq, "SoupBinTCP 3.00", 2017; 4.00 and 4.10 where said.

mod client;
mod framer;
mod server;

use core::fmt;
use core::mem::offset_of;
use core::ops::Range;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::Credentials;
use crate::base::{Mono, Nanos};

pub use client::{Client, ClientConfig, ClientEvent};
pub use framer::{FrameError, Framer};
pub use server::{Ahead, Refused, Server, ServerConfig, ServerEvent};

/// The letters of the packets.
pub mod letter {
    /// Login Request, client.
    pub const LOGIN_REQUEST: u8 = b'L';
    /// Login Accepted, server.
    pub const LOGIN_ACCEPTED: u8 = b'A';
    /// Login Rejected, server.
    pub const LOGIN_REJECTED: u8 = b'J';
    /// Sequenced Data, server.
    pub const SEQUENCED: u8 = b'S';
    /// Unsequenced Data, client (since 4.00 also server).
    pub const UNSEQUENCED: u8 = b'U';
    /// Server Heartbeat.
    pub const SERVER_HEARTBEAT: u8 = b'H';
    /// Client Heartbeat.
    pub const CLIENT_HEARTBEAT: u8 = b'R';
    /// End of Session, server.
    pub const END_OF_SESSION: u8 = b'Z';
    /// Logout Request, client.
    pub const LOGOUT: u8 = b'O';
    /// Debug, either.
    pub const DEBUG: u8 = b'+';
}

/// Why a login was rejected.
pub mod reject {
    /// Username or password is wrong.
    pub const NOT_AUTHORIZED: u8 = b'A';
    /// The requested session is not available.
    pub const SESSION_NOT_AVAILABLE: u8 = b'S';
}

/// The longest packet that can be framed: the length field and what it can say.
pub const MAX_PACKET: usize = 2 + 65_535;

/// The most parts of a payload in one write; the header is one more.
pub const MAX_PARTS: usize = 3;

/// A session's name in a login: ten bytes, padded with spaces on either side; blank means the current session.
pub const BLANK_SESSION: [u8; 10] = [b' '; 10];

/// Where bytes for the peer go.
pub trait Sink {
    /// Takes the concatenation of `parts`, one whole packet, to be sent after everything taken before.
    fn write(&mut self, parts: &[&[u8]]);
}

/// A password, which never shows in debug output.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(transparent)]
pub struct Password(pub [u8; 10]);

impl Password {
    /// Is what a client said this password? Compared without case and padding.
    #[must_use]
    pub fn matches(&self, said: &Password) -> bool {
        same_credential(&self.0, &said.0)
    }
}

/// Stands in a lane's login where the password belongs.
pub const NO_PASSWORD: [u8; 10] = *b"**********";

/// Where the password lies in the packet of a Login Request, from its length field on.
pub const LOGIN_PASSWORD: Range<usize> = {
    let start = PAYLOAD + offset_of!(LoginRequest, password);
    start..start.saturating_add(size_of::<Password>())
};
/// What the length field of a Login Request says, which counts from the letter on: of version 3.00, and of 4.10, which has a
/// heartbeat timeout behind it.
pub const LOGIN_LENGTHS: [usize; 2] = [1 + size_of::<LoginRequest>(), 1 + size_of::<LoginRequest>() + 5];
/// Where the payload of a packet begins: behind its length and its letter.
const PAYLOAD: usize = 3;

impl Credentials for Password {
    fn complete(&self, frames: &mut [u8]) {
        let Some(([high, low, letter], _)) = frames.split_first_chunk() else { return };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let is_whole = frames.len() >= length.saturating_add(size_of::<u16>());
        if *letter == letter::LOGIN_REQUEST
            && LOGIN_LENGTHS.contains(&length)
            && is_whole
            && let Some(field) = frames.get_mut(LOGIN_PASSWORD)
        {
            field.iter_mut().zip(self.0).for_each(|(byte, secret)| *byte = secret);
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Payload of a Login Request; offsets are those in the packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct LoginRequest {
    /// 3: username, case-insensitive, padded on the right.
    pub username: [u8; 6],
    /// 9: password, case-insensitive, padded on the right.
    pub password: Password,
    /// 19: requested session; blank for the current one.
    pub session: [u8; 10],
    /// 29: requested sequence number in digits; 0 for the most recent message.
    pub sequence: [u8; 20],
}
const _: () = assert!(size_of::<LoginRequest>() == 46);

/// Payload of a Login Accepted; offsets are those in the packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct LoginAccepted {
    /// 3: the session that the client is now in.
    pub session: [u8; 10],
    /// 13: number of the next sequenced packet, in digits.
    pub sequence: [u8; 20],
}
const _: () = assert!(size_of::<LoginAccepted>() == 30);

/// One packet, without its length field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packet<'a> {
    /// `L`; with the five digits of a heartbeat timeout in ms if it is of version 4.10.
    LoginRequest(&'a LoginRequest, Option<&'a [u8; 5]>),
    /// `A`.
    LoginAccepted(&'a LoginAccepted),
    /// `J`: one of [`reject`].
    LoginRejected(u8),
    /// `S`: one message, counted by the session.
    Sequenced(&'a [u8]),
    /// `U`: one message, not counted.
    Unsequenced(&'a [u8]),
    /// `H`.
    ServerHeartbeat,
    /// `R`.
    ClientHeartbeat,
    /// `Z`: the session is closed for good.
    EndOfSession,
    /// `O`.
    LogoutRequest,
    /// `+`: text, to be ignored.
    Debug(&'a [u8]),
    /// An unknown letter, or a payload whose length does not suit the letter. Its frame says where the next packet
    /// begins, so that nothing else is lost.
    Unknown {
        /// The letter.
        letter: u8,
        /// What came with it.
        payload: &'a [u8],
    },
}

impl<'a> Packet<'a> {
    /// From the letter and what follows it.
    #[inline]
    #[must_use]
    pub fn decode(letter: u8, payload: &'a [u8]) -> Self {
        let unknown = Packet::Unknown { letter, payload };
        match (letter, payload) {
            (letter::SEQUENCED, message) => Packet::Sequenced(message),
            (letter::UNSEQUENCED, message) => Packet::Unsequenced(message),
            (letter::SERVER_HEARTBEAT, []) => Packet::ServerHeartbeat,
            (letter::CLIENT_HEARTBEAT, []) => Packet::ClientHeartbeat,
            (letter::LOGIN_REQUEST, payload) => match LoginRequest::ref_from_prefix(payload) {
                Ok((login, [])) => Packet::LoginRequest(login, None),
                Ok((login, rest)) => {
                    rest.try_into().map_or(unknown, |timeout| Packet::LoginRequest(login, Some(timeout)))
                }
                Err(_) => unknown,
            },
            (letter::LOGIN_ACCEPTED, payload) => {
                LoginAccepted::ref_from_bytes(payload).map_or(unknown, Packet::LoginAccepted)
            }
            (letter::LOGIN_REJECTED, [reason]) => Packet::LoginRejected(*reason),
            (letter::END_OF_SESSION, []) => Packet::EndOfSession,
            (letter::LOGOUT, []) => Packet::LogoutRequest,
            (letter::DEBUG, text) => Packet::Debug(text),
            _ => unknown,
        }
    }

    /// The letter.
    #[must_use]
    pub const fn letter(&self) -> u8 {
        match *self {
            Packet::LoginRequest(..) => letter::LOGIN_REQUEST,
            Packet::LoginAccepted(_) => letter::LOGIN_ACCEPTED,
            Packet::LoginRejected(_) => letter::LOGIN_REJECTED,
            Packet::Sequenced(_) => letter::SEQUENCED,
            Packet::Unsequenced(_) => letter::UNSEQUENCED,
            Packet::ServerHeartbeat => letter::SERVER_HEARTBEAT,
            Packet::ClientHeartbeat => letter::CLIENT_HEARTBEAT,
            Packet::EndOfSession => letter::END_OF_SESSION,
            Packet::LogoutRequest => letter::LOGOUT,
            Packet::Debug(_) => letter::DEBUG,
            Packet::Unknown { letter, .. } => letter,
        }
    }

    /// Writes the packet with its length field.
    ///
    /// # Errors
    /// [`SendError::TooLong`]: the payload cannot be framed; nothing was written.
    pub fn send<S: Sink + ?Sized>(&self, sink: &mut S) -> Result<(), SendError> {
        let letter = self.letter();
        match self {
            Packet::LoginRequest(login, None) => send(sink, letter, &[login.as_bytes()]),
            Packet::LoginRequest(login, Some(timeout)) => send(sink, letter, &[login.as_bytes(), *timeout]),
            Packet::LoginAccepted(accepted) => send(sink, letter, &[accepted.as_bytes()]),
            Packet::LoginRejected(reason) => send(sink, letter, &[&[*reason]]),
            Packet::Sequenced(payload)
            | Packet::Unsequenced(payload)
            | Packet::Debug(payload)
            | Packet::Unknown { payload, .. } => send(sink, letter, &[payload]),
            Packet::ServerHeartbeat | Packet::ClientHeartbeat | Packet::EndOfSession | Packet::LogoutRequest => {
                send(sink, letter, &[])
            }
        }
    }
}

/// Why something was not sent. Nothing of it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// There is no login in force.
    NotLoggedIn,
    /// The payload is more than a packet can hold, or in more than [`MAX_PARTS`] parts.
    TooLong,
}

/// What goes before a payload of `length` bytes. `None` if a packet cannot hold so many.
#[inline]
#[must_use]
pub fn header(letter: u8, length: usize) -> Option<[u8; 3]> {
    let [high, low] = u16::try_from(length.checked_add(1)?).ok()?.to_be_bytes();
    Some([high, low, letter])
}

/// Writes one packet whose payload is the concatenation of `payload`.
///
/// # Errors
/// [`SendError::TooLong`].
#[inline]
pub fn send<S: Sink + ?Sized>(sink: &mut S, letter: u8, payload: &[&[u8]]) -> Result<(), SendError> {
    let length = payload.iter().fold(0usize, |n, part| n.saturating_add(part.len()));
    let header = header(letter, length).ok_or(SendError::TooLong)?;
    let mut parts: [&[u8]; 1 + MAX_PARTS] = [&header, &[], &[], &[]];
    let used = parts.get_mut(..payload.len().saturating_add(1)).ok_or(SendError::TooLong)?;
    for (to, from) in used.iter_mut().skip(1).zip(payload) {
        *to = from;
    }
    sink.write(used);
    Ok(())
}

/// Reads a number in ASCII digits with spaces on either side. `None` if it is anything else, or beyond `u64`.
#[must_use]
pub fn parse_number(digits: &[u8]) -> Option<u64> {
    let digits = digits.trim_ascii();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |n, d| {
        let d = d.checked_sub(b'0').filter(|d| *d < 10)?;
        n.checked_mul(10)?.checked_add(u64::from(d))
    })
}

/// Writes a number as a login does: right-justified, spaces on the left.
#[must_use]
pub fn format_number(mut n: u64) -> [u8; 20] {
    let mut digits = [b' '; 20];
    for place in digits.iter_mut().rev() {
        #[allow(clippy::cast_possible_truncation)] // below 10
        let digit = (n % 10) as u8;
        *place = b'0' | digit;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    digits
}

/// A session's name as a server says it: right-justified, spaces on the left (3.00, Login Accepted Packet).
#[must_use]
fn right_justified(mut session: [u8; 10]) -> [u8; 10] {
    let spaces = session.iter().rev().take_while(|byte| **byte == b' ').count();
    session.rotate_right(spaces);
    session
}

/// A connection that speaks not this protocol, or not as agreed. It must be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProtocolError {
    /// The stream cannot be cut into packets.
    Frame(FrameError),
    /// A packet that does not belong here or now: its letter.
    Unexpected(u8),
    /// A sequence number that is not one.
    BadNumber,
    /// No answer to, or no, login in time.
    LoginTimeout,
    /// The server put the client into another session than it asked for.
    WrongSession([u8; 10]),
    /// The server resumes after the message that the client asked for: messages would be lost.
    SequenceGap {
        /// The next message that the client lacks.
        expected: u64,
        /// Where the server would begin.
        offered: u64,
    },
}

/// When one side last spoke and was last heard: heartbeats and the dead peer.
#[derive(Clone, Copy, Debug)]
struct Pulse {
    interval: Nanos,
    dead_after: Nanos,
    sent: Mono,
    heard: Mono,
}

crate::state! { Pulse { sent, heard } without { interval, dead_after } }

impl Pulse {
    fn new(interval: Nanos, dead_after: Nanos) -> Self {
        Pulse { interval, dead_after, sent: Mono(0), heard: Mono(0) }
    }

    /// A connection begins.
    fn start(&mut self, now: Mono) {
        self.sent = now;
        self.heard = now;
    }

    /// A heartbeat is due after *more* than the interval without sending.
    fn heartbeat_at(&self) -> Mono {
        self.sent.after(self.interval).after(Nanos(1))
    }

    fn dead_at(&self) -> Mono {
        self.heard.after(self.dead_after)
    }
}

/// Equal but for padding (spaces on either side)?
fn same_padded(a: &[u8], b: &[u8]) -> bool {
    a.trim_ascii() == b.trim_ascii()
}

/// Equal but for padding and case?
fn same_credential(a: &[u8], b: &[u8]) -> bool {
    a.trim_ascii().eq_ignore_ascii_case(b.trim_ascii())
}
