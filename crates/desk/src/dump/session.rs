//! The byte streams of sessions as messages: SoupBinTCP, and in its packets OUCH or Glimpse.
//!
//! The bytes of a stream are cut anywhere; a packet is told with the record that brings its end.

use super::words::{Said, Value, trimmed};
use super::{Item, itch, ouch};
use firelane_gateway::base::SessionId;
use firelane_gateway::flow::wire::glimpse;
use firelane_gateway::flow::wire::ouch50::{Inbound, Outbound};
use firelane_gateway::flow::wire::soupbintcp::{
    FrameError, Framer, LoginAccepted, LoginRequest, MAX_PACKET, Packet, reject,
};

/// The names of the packets that are told as such; data packets are told by the message within.
pub(super) const NAMES: [&str; 8] = [
    "Login Request",
    "Login Accepted",
    "Login Rejected",
    "Heartbeat",
    "End of Session",
    "Logout Request",
    "Debug",
    "Unknown Packet",
];

/// One direction of a session.
pub(super) struct Stream {
    session: SessionId,
    from_venue: bool,
    framer: Framer,
    /// Bytes of the stream before those that wait.
    offset: u64,
    /// Number of the next sequenced message.
    next: Option<u64>,
    broken: bool,
}

impl Stream {
    pub(super) fn new(session: SessionId, from_venue: bool) -> Self {
        Stream { session, from_venue, framer: Framer::new(MAX_PACKET), offset: 0, next: None, broken: false }
    }

    /// Bytes of a packet whose end has not come yet.
    pub(super) fn waiting(&self) -> usize {
        self.framer.len()
    }

    /// The packets that `bytes` end.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        while !bytes.is_empty() && !self.broken {
            let Ok(taken) = self.framer.push(bytes) else { break };
            bytes = &bytes[taken..];
            loop {
                let before = self.framer.len();
                let at = self.offset;
                match self.framer.next_packet() {
                    Ok(Some(packet)) => {
                        let (item, next) = told(&packet, self.session, self.from_venue, self.next, at);
                        self.next = next;
                        items.push(item);
                    }
                    Ok(None) => break,
                    Err(error) => {
                        self.broken = true;
                        items.push(Item::error("SoupBinTCP", None, Some(at), frame_trouble(error)));
                        break;
                    }
                }
                self.offset += (before - self.framer.len()) as u64;
            }
        }
        items
    }
}

fn frame_trouble(error: FrameError) -> String {
    match error {
        FrameError::Empty => "a packet of no length: this is no SoupBinTCP from here on".to_owned(),
        FrameError::Oversize(length) => format!("a packet of {length} bytes: this is no SoupBinTCP from here on"),
    }
}

/// A packet in words, and the number of the sequenced message after it.
fn told(packet: &Packet<'_>, session: SessionId, from_venue: bool, next: Option<u64>, at: u64) -> (Item, Option<u64>) {
    let soup = |name, fields| Item::said("SoupBinTCP", None, Some(at), Said::new(name, fields));
    let item = match *packet {
        Packet::LoginRequest(login, timeout) => {
            let LoginRequest { username, password: _, session, sequence } = login;
            let mut fields = vec![
                ("username", Value::text(username)),
                ("password", Value::Text("never in a log".to_owned())),
                ("session", Value::text(session)),
                ("sequence", Value::text(sequence)),
            ];
            fields.extend(timeout.map(|timeout| ("heartbeat_timeout_ms", Value::text(timeout))));
            soup("Login Request", fields)
        }
        Packet::LoginAccepted(accepted) => {
            let LoginAccepted { session, sequence } = accepted;
            let fields = vec![("session", Value::text(session)), ("sequence", Value::text(sequence))];
            return (soup("Login Accepted", fields), trimmed(sequence).parse().ok());
        }
        Packet::LoginRejected(reason) => {
            let reasons: &[(u8, &str)] = &[
                (reject::NOT_AUTHORIZED, "username or password is wrong"),
                (reject::SESSION_NOT_AVAILABLE, "no such session now"),
            ];
            soup("Login Rejected", vec![("reason", Value::letter(reason, reasons))])
        }
        Packet::Sequenced(message) => {
            return (data(message, session, from_venue, next, at), next.map(|n| n.saturating_add(1)));
        }
        Packet::Unsequenced(message) => data(message, session, from_venue, None, at),
        Packet::ServerHeartbeat | Packet::ClientHeartbeat => soup("Heartbeat", Vec::new()),
        Packet::EndOfSession => soup("End of Session", Vec::new()),
        Packet::LogoutRequest => soup("Logout Request", Vec::new()),
        Packet::Debug(text) => soup("Debug", vec![("text", Value::text(text))]),
        Packet::Unknown { letter, payload } => soup(
            "Unknown Packet",
            vec![("letter", Value::text(&[letter])), ("payload_bytes", Value::Number(payload.len() as u64))],
        ),
    };
    (item, next)
}

/// What a data packet holds.
fn data(message: &[u8], session: SessionId, from_venue: bool, number: Option<u64>, at: u64) -> Item {
    // The message lies behind the packet's length and letter.
    let at = Some(at.saturating_add(3));
    if session == SessionId::SNAPSHOT {
        return match glimpse::decode(message) {
            Ok(glimpse::Item::Itch(m)) => Item::said("Glimpse", number, at, itch::said(&m)),
            Ok(glimpse::Item::End { next_sequence }) => {
                let said = Said::new("End of Snapshot", vec![("next_sequence", Value::Number(next_sequence))]);
                Item::said("Glimpse", number, at, said)
            }
            Err(glimpse::Malformed::Itch(error)) => Item::error("Glimpse", number, at, itch::trouble(error)),
            Err(error) => Item::error("Glimpse", number, at, format!("no end of snapshot: {error:?}")),
        };
    }
    let said = if from_venue {
        Outbound::decode(message).map(|m| ouch::outbound(&m))
    } else {
        Inbound::decode(message).map(|m| ouch::inbound(&m))
    };
    match said {
        Ok(said) => Item::said("OUCH", number, at, said),
        Err(error) => Item::error("OUCH", number, at, ouch::trouble(error)),
    }
}
