//! The client's side of a session: logs in, resumes where it was, keeps the connection alive.

use super::{
    BLANK_SESSION, Framer, LoginRequest, MAX_PACKET, Packet, Password, ProtocolError, Pulse, SendError, Sink,
    format_number, letter, parse_number, same_padded, send,
};
use crate::base::{Mono, Nanos};

/// How a client logs in and how patient it is.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Username, padded on the right.
    pub username: [u8; 6],
    /// Password, padded on the right.
    pub password: Password,
    /// The session to ask for at first; blank for the current one.
    pub session: [u8; 10],
    /// The first message to ask for: 1 for all, 0 for the most recent and what follows.
    pub next_sequence: u64,
    /// A heartbeat is due after more than this without sending.
    pub heartbeat_interval: Nanos,
    /// The server is dead after so long a silence.
    pub dead_after: Nanos,
    /// How long to wait for the answer to a login.
    pub login_timeout: Nanos,
    /// The longest packet to accept, in bytes, length field included.
    pub capacity: usize,
}

impl ClientConfig {
    /// All messages of the current session; heartbeats after 1 s, dead after 15 s, 30 s to log in, any packet.
    #[must_use]
    pub const fn new(username: [u8; 6], password: Password) -> Self {
        ClientConfig {
            username,
            password,
            session: BLANK_SESSION,
            next_sequence: 1,
            heartbeat_interval: Nanos::from_secs(1),
            dead_after: Nanos::from_secs(15),
            login_timeout: Nanos::from_secs(30),
            capacity: MAX_PACKET,
        }
    }
}

/// What the server's bytes meant. One packet, one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientEvent<'a> {
    /// The login was accepted. Messages follow from `next_sequence`; any that were delivered before come as
    /// [`ClientEvent::Duplicate`].
    LoggedIn {
        /// The session.
        session: [u8; 10],
        /// Number of the next sequenced message on this connection.
        next_sequence: u64,
    },
    /// The login was rejected, for one of [`reject`](super::reject). Close.
    Rejected(u8),
    /// The next message, delivered once.
    Sequenced {
        /// Its number in the session.
        sequence: u64,
        /// The message.
        payload: &'a [u8],
    },
    /// A message that was delivered on an earlier connection.
    Duplicate {
        /// Its number in the session.
        sequence: u64,
    },
    /// A message outside the sequence (4.00).
    Unsequenced(&'a [u8]),
    /// The server lives.
    Heartbeat,
    /// The session is closed for good. Close; the next login will ask for the then current session from its start.
    EndOfSession,
    /// Text, to be ignored.
    Debug(&'a [u8]),
    /// A packet of unknown letter or wrong length: skipped.
    Skipped {
        /// The letter.
        letter: u8,
        /// Bytes after the letter.
        length: usize,
    },
    /// The server has been silent for too long. Close.
    Dead,
    /// The server does not speak the protocol. Close.
    ProtocolError(ProtocolError),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// No connection.
    Idle,
    /// The login is out, since then.
    LoggingIn(Mono),
    /// Logged in.
    Live,
    /// Logged out; what the server still sends is taken.
    LoggingOut,
    /// Over: the connection is to be closed. What still comes is ignored.
    Over,
}

/// A client session over any number of connections. Each input is a call; what is to be sent goes to the sink.
///
/// After [`on_bytes`](Client::on_bytes) and [`on_timer`](Client::on_timer) take events until there are none, and if
/// [`must_close`](Client::must_close) then close and call [`on_closed`](Client::on_closed).
#[derive(Clone, Debug)]
pub struct Client {
    config: ClientConfig,
    framer: Framer,
    pulse: Pulse,
    phase: Phase,
    /// To be reported by the next event.
    fault: Option<Fault>,
    /// The session that the client is in or wants to be in.
    session: [u8; 10],
    /// The next message to deliver; 0 while that is the server's to say.
    next_sequence: u64,
    /// Number of the next sequenced packet on this connection.
    incoming: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Dead,
    LoginTimeout,
}

impl Client {
    /// Not connected.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        Client {
            framer: Framer::new(config.capacity),
            pulse: Pulse::new(config.heartbeat_interval, config.dead_after),
            phase: Phase::Idle,
            fault: None,
            session: config.session,
            next_sequence: config.next_sequence,
            incoming: 0,
            config,
        }
    }

    /// The connection is up: logs in, with the session and the next message that it lacks.
    pub fn on_connected<S: Sink + ?Sized>(&mut self, now: Mono, sink: &mut S) {
        self.framer.clear();
        self.fault = None;
        self.pulse.start(now);
        self.phase = Phase::LoggingIn(now);
        let login = LoginRequest {
            username: self.config.username,
            password: self.config.password,
            session: self.session,
            sequence: format_number(self.next_sequence),
        };
        let _fits = Packet::LoginRequest(&login, None).send(sink);
    }

    /// Takes bytes from the front of `bytes` and says how many. Take all events out, then pass the rest.
    pub fn on_bytes(&mut self, now: Mono, bytes: &[u8]) -> usize {
        if matches!(self.phase, Phase::Idle | Phase::Over) {
            return bytes.len();
        }
        self.pulse.heard = now;
        // A broken stream was reported by `next_event`, and ended the connection.
        self.framer.push(bytes).unwrap_or(bytes.len())
    }

    /// Is there certainly no event? Asked at every step of the lane.
    #[inline]
    #[must_use]
    pub const fn is_quiet(&self) -> bool {
        self.fault.is_none() && self.framer.is_empty()
    }

    /// The next event, if there is one.
    pub fn next_event(&mut self) -> Option<ClientEvent<'_>> {
        if let Some(fault) = self.fault.take() {
            return Some(match fault {
                Fault::Dead => ClientEvent::Dead,
                Fault::LoginTimeout => ClientEvent::ProtocolError(ProtocolError::LoginTimeout),
            });
        }
        if matches!(self.phase, Phase::Idle | Phase::Over) {
            return None;
        }
        let packet = match self.framer.next_packet() {
            Ok(packet) => packet?,
            Err(error) => {
                self.phase = Phase::Over;
                return Some(ClientEvent::ProtocolError(ProtocolError::Frame(error)));
            }
        };
        let logged_in = matches!(self.phase, Phase::Live | Phase::LoggingOut);
        let event = match packet {
            Packet::Sequenced(payload) if logged_in => match self.incoming.checked_add(1) {
                Some(following) => {
                    let sequence = core::mem::replace(&mut self.incoming, following);
                    if sequence < self.next_sequence {
                        ClientEvent::Duplicate { sequence }
                    } else {
                        self.next_sequence = following;
                        ClientEvent::Sequenced { sequence, payload }
                    }
                }
                None => ClientEvent::ProtocolError(ProtocolError::BadNumber),
            },
            Packet::Unsequenced(payload) if logged_in => ClientEvent::Unsequenced(payload),
            Packet::LoginAccepted(accepted) if !logged_in => {
                match agree(self.session, self.next_sequence, accepted.session, parse_number(&accepted.sequence)) {
                    Ok(next_sequence) => {
                        self.phase = Phase::Live;
                        self.session = accepted.session;
                        self.incoming = next_sequence;
                        self.next_sequence = self.next_sequence.max(next_sequence);
                        ClientEvent::LoggedIn { session: accepted.session, next_sequence }
                    }
                    Err(error) => ClientEvent::ProtocolError(error),
                }
            }
            Packet::LoginRejected(reason) if !logged_in => ClientEvent::Rejected(reason),
            Packet::ServerHeartbeat => ClientEvent::Heartbeat,
            Packet::EndOfSession => {
                self.session = BLANK_SESSION;
                self.next_sequence = 1;
                ClientEvent::EndOfSession
            }
            Packet::Debug(text) => ClientEvent::Debug(text),
            Packet::Unknown { letter, payload } => ClientEvent::Skipped { letter, length: payload.len() },
            unexpected => ClientEvent::ProtocolError(ProtocolError::Unexpected(unexpected.letter())),
        };
        if matches!(event, ClientEvent::Rejected(_) | ClientEvent::EndOfSession | ClientEvent::ProtocolError(_)) {
            self.phase = Phase::Over;
        }
        Some(event)
    }

    /// Time has passed: sends a heartbeat if it is due, notices a dead server.
    pub fn on_timer<S: Sink + ?Sized>(&mut self, now: Mono, sink: &mut S) {
        match self.phase {
            Phase::Idle | Phase::Over => {}
            Phase::LoggingIn(since) if now >= since.after(self.config.login_timeout) => self.fail(Fault::LoginTimeout),
            Phase::LoggingIn(_) => {}
            Phase::Live | Phase::LoggingOut if now >= self.pulse.dead_at() => self.fail(Fault::Dead),
            Phase::Live if now >= self.pulse.heartbeat_at() => {
                let _fits = self.emit(now, letter::CLIENT_HEARTBEAT, &[], sink);
            }
            Phase::Live | Phase::LoggingOut => {}
        }
    }

    /// When to call [`on_timer`](Client::on_timer) next; [`Mono::NEVER`] if there is nothing to wait for.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        match self.phase {
            Phase::Idle | Phase::Over => Mono::NEVER,
            Phase::LoggingIn(since) => since.after(self.config.login_timeout),
            Phase::Live => self.pulse.heartbeat_at().min(self.pulse.dead_at()),
            Phase::LoggingOut => self.pulse.dead_at(),
        }
    }

    /// The connection is gone, whoever closed it. A torn packet is forgotten; the server will send it again.
    pub fn on_closed(&mut self, _now: Mono) {
        self.framer.clear();
        self.fault = None;
        self.phase = Phase::Idle;
    }

    /// Sends one message, the concatenation of `payload` (at most [`MAX_PARTS`](super::MAX_PARTS) parts).
    ///
    /// # Errors
    /// [`SendError`]; nothing was written.
    #[inline]
    pub fn send_unsequenced<S: Sink + ?Sized>(
        &mut self,
        now: Mono,
        payload: &[&[u8]],
        sink: &mut S,
    ) -> Result<(), SendError> {
        self.emit(now, letter::UNSEQUENCED, payload, sink)
    }

    /// The caller has written a whole packet itself, while [`is_live`](Self::is_live): the next heartbeat is due as much later.
    #[inline]
    pub fn wrote(&mut self, now: Mono) {
        self.pulse.sent = now;
    }

    /// Sends text for the server's log.
    ///
    /// # Errors
    /// [`SendError`]; nothing was written.
    pub fn send_debug<S: Sink + ?Sized>(&mut self, now: Mono, text: &[u8], sink: &mut S) -> Result<(), SendError> {
        self.emit(now, letter::DEBUG, &[text], sink)
    }

    /// Asks the server to close; what it sends until then is still delivered.
    ///
    /// # Errors
    /// [`SendError::NotLoggedIn`].
    pub fn logout<S: Sink + ?Sized>(&mut self, now: Mono, sink: &mut S) -> Result<(), SendError> {
        self.emit(now, letter::LOGOUT, &[], sink)?;
        self.phase = Phase::LoggingOut;
        Ok(())
    }

    /// From the next login on, asks for another session (blank: the current one) from another message.
    pub fn start_over(&mut self, session: [u8; 10], next_sequence: u64) {
        self.session = session;
        self.next_sequence = next_sequence;
    }

    /// Is there a login in force, so that messages can be sent?
    #[inline]
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Is the machine done with this connection?
    #[inline]
    #[must_use]
    pub fn must_close(&self) -> bool {
        self.phase == Phase::Over
    }

    /// The session: the one asked for, after a login the one that the client is in.
    #[must_use]
    pub const fn session(&self) -> [u8; 10] {
        self.session
    }

    /// The next message that is lacking.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    #[inline]
    fn emit<S: Sink + ?Sized>(
        &mut self,
        now: Mono,
        letter: u8,
        payload: &[&[u8]],
        sink: &mut S,
    ) -> Result<(), SendError> {
        if self.phase != Phase::Live {
            return Err(SendError::NotLoggedIn);
        }
        send(sink, letter, payload)?;
        self.pulse.sent = now;
        Ok(())
    }

    fn fail(&mut self, fault: Fault) {
        self.fault = Some(fault);
        self.phase = Phase::Over;
    }
}

/// Does the server's answer continue what the client asked for? Answers where the connection begins.
fn agree(wanted_session: [u8; 10], wanted: u64, session: [u8; 10], offered: Option<u64>) -> Result<u64, ProtocolError> {
    let offered = offered.filter(|n| *n > 0).ok_or(ProtocolError::BadNumber)?;
    if !same_padded(&wanted_session, &BLANK_SESSION) && !same_padded(&wanted_session, &session) {
        return Err(ProtocolError::WrongSession(session));
    }
    if wanted > 0 && offered > wanted {
        return Err(ProtocolError::SequenceGap { expected: wanted, offered });
    }
    Ok(offered)
}

crate::value! { enum Phase { 0 => Idle, 1 => LoggingIn(since), 2 => Live, 3 => LoggingOut, 4 => Over } }
crate::value! { enum Fault { 0 => Dead, 1 => LoginTimeout } }
crate::state! { Client { framer, pulse, phase, fault, session, next_sequence, incoming } without { config } }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;
    use crate::flow::wire::soupbintcp::{FrameError, Password};

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Client); 17] = [
            |_| {},
            |c| assert_eq!(c.framer.push(b"a"), Ok(1)),
            |c| assert_eq!(c.framer.push(b"b"), Ok(1)),
            |c| c.pulse.sent = Mono(1),
            |c| c.pulse.heard = Mono(1),
            |c| c.phase = Phase::LoggingIn(Mono(0)),
            |c| c.phase = Phase::LoggingIn(Mono(1)),
            |c| c.phase = Phase::Live,
            |c| c.phase = Phase::LoggingOut,
            |c| c.phase = Phase::Over,
            |c| c.fault = Some(Fault::Dead),
            |c| c.fault = Some(Fault::LoginTimeout),
            |c| c.session = *b"OTHER     ",
            |c| c.next_sequence = 9,
            |c| c.incoming = 9,
            |c| {
                assert_eq!(c.framer.push(&[0, 0]), Ok(2));
                assert_eq!(c.framer.next_packet(), Err(FrameError::Empty));
            },
            |c| {
                // A packet taken out before: what waits is the same, and lies elsewhere.
                assert_eq!(c.framer.push(&[0, 1, b'H', 0, 0]), Ok(5));
                assert!(c.framer.next_packet().is_ok_and(|packet| packet.is_some()));
            },
        ];
        assert_all_saved(|| Client::new(ClientConfig::new(*b"USER  ", Password(*b"SECRET    "))), &changes);
    }
}
