//! Why the venue closes a client's connection, and what else is to be said of clients.
//!
//! What a client is told of it is little: a reject reason code, or nothing at all. Whoever runs the venue is told all of
//! it, with the name that was tried; never a password, which does not get as far as this.

use firelane_gateway::flow::wire::ouch50::{Malformed, RejectReason};
use firelane_gateway::flow::wire::soupbintcp::{FrameError, ProtocolError, Refused, ServerEvent};
use std::fmt;

/// A username as a client wrote it, for people.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Name(pub [u8; 6]);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.trim_ascii().escape_ascii())
    }
}

/// Why the venue closes a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// There is no such port, or the connection's number is in use.
    NoPort,
    /// The login is refused.
    Refused(Refused),
    /// There was no login in time.
    NoLogin,
    /// The client was silent for too long.
    Silence,
    /// Another login of the same user took its place.
    Displaced,
    /// It does not speak the protocol.
    Protocol(ProtocolError),
    /// It logged out.
    Logout,
    /// The session has ended.
    SessionEnded,
    /// The market-data session that its snapshot belongs to is over.
    SnapshotVoid,
    /// For no reason: what the venue does on a bad day, or what the snapshot server's faults do.
    BadDay,
}

impl Why {
    /// Every key, in the order of the values.
    pub const KEYS: [&'static str; 15] = [
        "no_such_port",
        "wrong_username",
        "wrong_password",
        "wrong_session",
        "sequence_beyond_end",
        "bad_sequence",
        "login_length",
        "no_login",
        "silence",
        "displaced",
        "protocol_error",
        "logout",
        "session_ended",
        "snapshot_void",
        "bad_day",
    ];

    /// What it is counted under.
    #[must_use]
    pub const fn key(self) -> &'static str {
        let at = match self {
            Why::NoPort => 0,
            Why::Refused(Refused::Username) => 1,
            Why::Refused(Refused::Password) => 2,
            Why::Refused(Refused::Session) => 3,
            Why::Refused(Refused::Ahead { .. }) => 4,
            Why::Refused(Refused::Number) => 5,
            Why::Refused(Refused::Length(_)) => 6,
            Why::NoLogin => 7,
            Why::Silence => 8,
            Why::Displaced => 9,
            Why::Protocol(_) => 10,
            Why::Logout => 11,
            Why::SessionEnded => 12,
            Why::SnapshotVoid => 13,
            Why::BadDay => 14,
        };
        Why::KEYS[at]
    }

    /// Why a session's event ends its connection; `None` if it does not.
    #[must_use]
    pub const fn of(event: &ServerEvent<'_>) -> Option<Self> {
        match event {
            ServerEvent::Rejected(refused) => Some(Why::Refused(*refused)),
            ServerEvent::Logout => Some(Why::Logout),
            ServerEvent::Dead => Some(Why::Silence),
            ServerEvent::ProtocolError(ProtocolError::LoginTimeout) => Some(Why::NoLogin),
            ServerEvent::ProtocolError(error) => Some(Why::Protocol(*error)),
            ServerEvent::Replay { .. }
            | ServerEvent::Unsequenced(_)
            | ServerEvent::Heartbeat
            | ServerEvent::Debug(_)
            | ServerEvent::Skipped { .. } => None,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NoPort => f.write_str("there is no such port"),
            Why::Refused(Refused::Username) => f.write_str("login rejected: no such user on this port"),
            Why::Refused(Refused::Password) => f.write_str("login rejected: wrong password"),
            Why::Refused(Refused::Session) => f.write_str("login rejected: it asked for another session"),
            Why::Refused(Refused::Ahead { asked, next }) => {
                write!(f, "login rejected: it asked for message {asked}, and the next one is {next}")
            }
            Why::Refused(Refused::Number) => f.write_str("login rejected: the sequence number is not a number"),
            Why::Refused(Refused::Length(length)) => {
                write!(f, "login rejected: a Login Request of {length} bytes instead of 47")
            }
            Why::NoLogin => f.write_str("no login in time"),
            Why::Silence => f.write_str("silent for too long: no heartbeat"),
            Why::Displaced => f.write_str("another login took its place"),
            Why::Protocol(ProtocolError::Frame(FrameError::Empty)) => f.write_str("protocol error: an empty packet"),
            Why::Protocol(ProtocolError::Frame(FrameError::Oversize(length))) => {
                write!(f, "protocol error: a packet of {length} bytes")
            }
            Why::Protocol(ProtocolError::Unexpected(letter)) => {
                write!(f, "protocol error: a packet {:?} out of turn", char::from(*letter))
            }
            Why::Protocol(error) => write!(f, "protocol error: {error:?}"),
            Why::Logout => f.write_str("logged out"),
            Why::SessionEnded => f.write_str("the session has ended"),
            Why::SnapshotVoid => f.write_str("its snapshot is of a session that is over"),
            Why::BadDay => f.write_str("hung up on for no reason, as on a bad day"),
        }
    }
}

/// What a client did that has no effect, or not the one that it wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remark {
    /// It sent something that is no OUCH message: ignored.
    Malformed(Malformed),
    /// A request of it was rejected.
    Rejected(RejectReason),
    /// It sent a packet of a letter that is not for servers, or of a wrong length: skipped.
    Skipped {
        /// The letter.
        letter: u8,
        /// Bytes after the letter.
        length: usize,
    },
}

impl Remark {
    /// Those with the same are counted together.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Remark::Malformed(Malformed::Empty) => "empty message".to_owned(),
            Remark::Malformed(Malformed::UnknownType(_)) => "unknown message type".to_owned(),
            Remark::Malformed(Malformed::BadLength { .. }) => "wrong message length".to_owned(),
            Remark::Malformed(Malformed::BadAppendage { .. }) => "malformed appendage".to_owned(),
            Remark::Rejected(reason) => format!("rejected: {}", reason.name()),
            Remark::Skipped { .. } => "unknown packet".to_owned(),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Remark::Malformed(Malformed::Empty) => f.write_str("an OUCH message without a byte: ignored"),
            Remark::Malformed(Malformed::UnknownType(letter)) => {
                write!(f, "an OUCH message of unknown type {:?}: ignored", char::from(letter))
            }
            Remark::Malformed(Malformed::BadLength { message_type, length }) => {
                let letter = char::from(message_type);
                write!(f, "an OUCH message {letter:?} of {length} bytes, which no revision gives it: ignored")
            }
            Remark::Malformed(Malformed::BadAppendage { message_type, length }) => {
                let letter = char::from(message_type);
                write!(f, "an OUCH message {letter:?} of {length} bytes with a malformed appendage: ignored")
            }
            Remark::Rejected(reason) => write!(f, "a request rejected: {} ({:#04x})", reason.name(), reason.0),
            Remark::Skipped { letter, length } => {
                write!(
                    f,
                    "a packet {:?} with {length} bytes, which a server does not know: skipped",
                    char::from(letter)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_key_and_words_of_its_own() {
        let all = [
            Why::NoPort,
            Why::Refused(Refused::Username),
            Why::Refused(Refused::Password),
            Why::Refused(Refused::Session),
            Why::Refused(Refused::Ahead { asked: 9, next: 5 }),
            Why::Refused(Refused::Number),
            Why::Refused(Refused::Length(40)),
            Why::NoLogin,
            Why::Silence,
            Why::Displaced,
            Why::Protocol(ProtocolError::Unexpected(b'U')),
            Why::Logout,
            Why::SessionEnded,
            Why::SnapshotVoid,
            Why::BadDay,
        ];
        assert_eq!(all.map(Why::key), Why::KEYS);
        let words: std::collections::BTreeSet<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(words.len(), all.len());
        assert!(words.contains("login rejected: it asked for message 9, and the next one is 5"), "{words:?}");
    }

    #[test]
    fn a_name_that_cannot_be_printed_is_escaped() {
        assert_eq!(Name(*b"FIRE  ").to_string(), "\"FIRE\"");
        assert_eq!(Name(*b"\x1b[2J\0 ").to_string(), "\"\\x1b[2J\\x00\"");
    }
}
