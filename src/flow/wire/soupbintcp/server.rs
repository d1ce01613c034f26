//! The server's side of one connection: checks the login, answers it, keeps the connection alive. The session's
//! messages belong to the owner, who feeds them, from wherever the login said.

use super::{
    Framer, LoginAccepted, LoginRequest, MAX_PACKET, Packet, Password, ProtocolError, Pulse, SendError, Sink,
    format_number, letter, parse_number, reject, right_justified, same_credential, same_padded, send,
};
use crate::base::{Mono, Nanos};

/// What to do with a login that asks for messages the session does not have yet. The specification does not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ahead {
    /// Reject: session not available.
    Reject,
    /// Accept, from the next message on.
    Clamp,
}

/// Whom a server lets in and how patient it is.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Username; compared without case and padding.
    pub username: [u8; 6],
    /// Password; compared without case and padding.
    pub password: Password,
    /// The current session.
    pub session: [u8; 10],
    /// Logins that ask for messages to come.
    pub ahead: Ahead,
    /// A heartbeat is due after more than this without sending.
    pub heartbeat_interval: Nanos,
    /// The client is dead after so long a silence.
    pub dead_after: Nanos,
    /// How long to wait for a login.
    pub login_timeout: Nanos,
    /// The longest packet to accept, in bytes, length field included.
    pub capacity: usize,
}

impl ServerConfig {
    /// Rejects logins ahead; heartbeats after 1 s, dead after 15 s, 30 s to log in, any packet.
    #[must_use]
    pub const fn new(username: [u8; 6], password: Password, session: [u8; 10]) -> Self {
        ServerConfig {
            username,
            password,
            session,
            ahead: Ahead::Reject,
            heartbeat_interval: Nanos::from_secs(1),
            dead_after: Nanos::from_secs(15),
            login_timeout: Nanos::from_secs(30),
            capacity: MAX_PACKET,
        }
    }
}

/// What is wrong with a login. The client is told [less](Refused::reason).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// There is no such user here.
    Username,
    /// It is not the user's password.
    Password,
    /// It asks for another session.
    Session,
    /// It asks for a message beyond the next one.
    Ahead {
        /// The message that it asks for.
        asked: u64,
        /// The next one.
        next: u64,
    },
    /// The number that it asks for is none.
    Number,
    /// No Login Request has so many bytes: the packet's length, from the letter on.
    Length(usize),
}

impl Refused {
    /// The reject reason code, one of [`reject`]. The specification has two; what is no login authorizes nobody.
    #[must_use]
    pub const fn reason(self) -> u8 {
        match self {
            Refused::Username | Refused::Password | Refused::Length(_) => reject::NOT_AUTHORIZED,
            Refused::Session | Refused::Ahead { .. } | Refused::Number => reject::SESSION_NOT_AVAILABLE,
        }
    }
}

/// What the client's bytes meant. One packet, one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServerEvent<'a> {
    /// The login was accepted and answered. Feed the session's messages from this one on.
    Replay {
        /// The first message to send, from 1.
        from: u64,
    },
    /// The login was rejected and answered. Close.
    Rejected(Refused),
    /// A message from the client.
    Unsequenced(&'a [u8]),
    /// The client lives.
    Heartbeat,
    /// Text, to be ignored.
    Debug(&'a [u8]),
    /// A packet of unknown letter or wrong length: skipped.
    Skipped {
        /// The letter.
        letter: u8,
        /// Bytes after the letter.
        length: usize,
    },
    /// The client logged out. Close at once.
    Logout,
    /// The client has been silent for too long. Close.
    Dead,
    /// The client does not speak the protocol. Close.
    ProtocolError(ProtocolError),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Idle,
    /// Connected, since then; no login yet.
    AwaitingLogin(Mono),
    Live,
    /// Over: the connection is to be closed. What still comes is ignored.
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Dead,
    LoginTimeout,
}

/// One connection of a server; reusable for the next.
///
/// After [`on_bytes`](Server::on_bytes) and [`on_timer`](Server::on_timer) take events until there are none, and if
/// [`must_close`](Server::must_close) then close and call [`on_closed`](Server::on_closed).
#[derive(Clone, Debug)]
pub struct Server {
    config: ServerConfig,
    framer: Framer,
    pulse: Pulse,
    phase: Phase,
    fault: Option<Fault>,
    next_sequence: u64,
    tried: Option<[u8; 6]>,
}

impl Server {
    /// Not connected.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        Server {
            framer: Framer::new(config.capacity),
            pulse: Pulse::new(config.heartbeat_interval, config.dead_after),
            phase: Phase::Idle,
            fault: None,
            next_sequence: 1,
            tried: None,
            config,
        }
    }

    /// A client has connected.
    pub fn on_connected(&mut self, now: Mono) {
        self.framer.clear();
        self.fault = None;
        self.tried = None;
        self.pulse.start(now);
        self.phase = Phase::AwaitingLogin(now);
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

    /// The next event, if there is one. A login is answered at once; `head` is the number that the session's next
    /// message will have, one more than it has now.
    pub fn next_event<S: Sink + ?Sized>(&mut self, now: Mono, head: u64, sink: &mut S) -> Option<ServerEvent<'_>> {
        if let Some(fault) = self.fault.take() {
            return Some(match fault {
                Fault::Dead => ServerEvent::Dead,
                Fault::LoginTimeout => ServerEvent::ProtocolError(ProtocolError::LoginTimeout),
            });
        }
        if matches!(self.phase, Phase::Idle | Phase::Over) {
            return None;
        }
        let packet = match self.framer.next_packet() {
            Ok(packet) => packet?,
            Err(error) => {
                self.phase = Phase::Over;
                return Some(ServerEvent::ProtocolError(ProtocolError::Frame(error)));
            }
        };
        let live = self.phase == Phase::Live;
        let event = match packet {
            Packet::Unsequenced(message) if live => ServerEvent::Unsequenced(message),
            Packet::ClientHeartbeat if live => ServerEvent::Heartbeat,
            Packet::LoginRequest(login, _) if !live => {
                self.tried = Some(login.username);
                match self.config.admit(login, head) {
                    Ok(from) => {
                        self.phase = Phase::Live;
                        self.next_sequence = from;
                        self.pulse.sent = now;
                        let session = right_justified(self.config.session);
                        let accepted = LoginAccepted { session, sequence: format_number(from) };
                        let _fits = Packet::LoginAccepted(&accepted).send(sink);
                        ServerEvent::Replay { from }
                    }
                    Err(refused) => reject_login(refused, sink),
                }
            }
            // Whoever sends it waits for an answer, and would wait until its time to log in is up.
            Packet::Unknown { letter: letter::LOGIN_REQUEST, payload } if !live => {
                reject_login(Refused::Length(payload.len().saturating_add(1)), sink)
            }
            Packet::LogoutRequest => ServerEvent::Logout,
            Packet::Debug(text) => ServerEvent::Debug(text),
            Packet::Unknown { letter, payload } => ServerEvent::Skipped { letter, length: payload.len() },
            unexpected => ServerEvent::ProtocolError(ProtocolError::Unexpected(unexpected.letter())),
        };
        if matches!(event, ServerEvent::Rejected(_) | ServerEvent::Logout | ServerEvent::ProtocolError(_)) {
            self.phase = Phase::Over;
        }
        Some(event)
    }

    /// Time has passed: sends a heartbeat if it is due, notices a dead client and a missing login.
    pub fn on_timer<S: Sink + ?Sized>(&mut self, now: Mono, sink: &mut S) {
        match self.phase {
            Phase::Idle | Phase::Over => {}
            Phase::AwaitingLogin(since) if now >= since.after(self.config.login_timeout) => {
                self.fail(Fault::LoginTimeout);
            }
            Phase::AwaitingLogin(_) => {}
            Phase::Live if now >= self.pulse.dead_at() => self.fail(Fault::Dead),
            Phase::Live if now >= self.pulse.heartbeat_at() => {
                let _fits = self.emit(now, letter::SERVER_HEARTBEAT, &[], sink);
            }
            Phase::Live => {}
        }
    }

    /// When to call [`on_timer`](Server::on_timer) next; [`Mono::NEVER`] if there is nothing to wait for.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        match self.phase {
            Phase::Idle | Phase::Over => Mono::NEVER,
            Phase::AwaitingLogin(since) => since.after(self.config.login_timeout),
            Phase::Live => self.pulse.heartbeat_at().min(self.pulse.dead_at()),
        }
    }

    /// The connection is gone, whoever closed it.
    pub fn on_closed(&mut self, _now: Mono) {
        self.framer.clear();
        self.fault = None;
        self.phase = Phase::Idle;
    }

    /// Sends the message numbered [`next_sequence`](Server::next_sequence) and answers that number.
    ///
    /// # Errors
    /// [`SendError`]; nothing was written.
    pub fn send_sequenced<S: Sink + ?Sized>(
        &mut self,
        now: Mono,
        payload: &[&[u8]],
        sink: &mut S,
    ) -> Result<u64, SendError> {
        self.emit(now, letter::SEQUENCED, payload, sink)?;
        let following = self.next_sequence.saturating_add(1);
        Ok(core::mem::replace(&mut self.next_sequence, following))
    }

    /// Sends a message outside the sequence (4.00).
    ///
    /// # Errors
    /// [`SendError`]; nothing was written.
    pub fn send_unsequenced<S: Sink + ?Sized>(
        &mut self,
        now: Mono,
        payload: &[&[u8]],
        sink: &mut S,
    ) -> Result<(), SendError> {
        self.emit(now, letter::UNSEQUENCED, payload, sink)
    }

    /// Sends text for the client's log.
    ///
    /// # Errors
    /// [`SendError`]; nothing was written.
    pub fn send_debug<S: Sink + ?Sized>(&mut self, now: Mono, text: &[u8], sink: &mut S) -> Result<(), SendError> {
        self.emit(now, letter::DEBUG, &[text], sink)
    }

    /// Tells the client that the session is closed for good. Close.
    ///
    /// # Errors
    /// [`SendError::NotLoggedIn`].
    pub fn end_session<S: Sink + ?Sized>(&mut self, now: Mono, sink: &mut S) -> Result<(), SendError> {
        self.emit(now, letter::END_OF_SESSION, &[], sink)?;
        self.phase = Phase::Over;
        Ok(())
    }

    /// Number of the next sequenced message on this connection: behind the session's head while replaying.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// The name that the client tried to log in with, right or wrong.
    #[must_use]
    pub const fn tried(&self) -> Option<[u8; 6]> {
        self.tried
    }

    /// Is a client logged in?
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Is the machine done with this connection?
    #[must_use]
    pub fn must_close(&self) -> bool {
        self.phase == Phase::Over
    }

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

fn reject_login<'a, S: Sink + ?Sized>(refused: Refused, sink: &mut S) -> ServerEvent<'a> {
    let _fits = Packet::LoginRejected(refused.reason()).send(sink);
    ServerEvent::Rejected(refused)
}

impl ServerConfig {
    /// From which message on the login is served, or why it is rejected.
    fn admit(&self, login: &LoginRequest, head: u64) -> Result<u64, Refused> {
        if !same_credential(&login.username, &self.username) {
            return Err(Refused::Username);
        }
        if !self.password.matches(&login.password) {
            return Err(Refused::Password);
        }
        if !login.session.trim_ascii().is_empty() && !same_padded(&login.session, &self.session) {
            return Err(Refused::Session);
        }
        let head = head.max(1);
        match parse_number(&login.sequence) {
            // "From the most recent message": the last one, if there is any.
            Some(0) => Ok(head.saturating_sub(1).max(1)),
            Some(from) if from <= head => Ok(from),
            Some(_) if self.ahead == Ahead::Clamp => Ok(head),
            Some(asked) => Err(Refused::Ahead { asked, next: head }),
            None => Err(Refused::Number),
        }
    }
}
