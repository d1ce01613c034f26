//! Takes the passwords off what order-entry clients write, before anything else of the far end sees it.
//!
//! What clients write is journaled, and no secret may lie in a file, the right password no more than the wrong one of
//! somebody who mistook the venue. So the passwords are compared here, and the exchange is told the outcome in their
//! place: [`NO_PASSWORD`] is the one that it lets in. The gateway does the same at its end: its lane logs in with that,
//! and its shell fills the password in on the way out.
//!
//! The exchange gets the very bytes that are journaled. So a replay lets in whom the day let in, and nobody else, without
//! knowing a password, whatever the passwords are by then.
//!
//! Only what the exchange reads is kept: a login without its password, and messages. All else, as text for debugging,
//! packets of unknown letters, and what follows where a stream can no longer be cut into packets, has its length and
//! letter left, which is all that counts of it. A client that does not speak the protocol well writes its password
//! there. Every byte leaves at once and as one byte, so that nothing changes in how a stream is torn.

use crate::venue::acceptor::ConnId;
use firelane_gateway::flow::wire::soupbintcp::{LOGIN_LENGTHS, LOGIN_PASSWORD, NO_PASSWORD, Password, letter};
use std::collections::BTreeMap;

/// Stands for a byte that is not kept.
const MASK: u8 = b'*';
/// Ends a password that is not the right one, in the place of [`NO_PASSWORD`]'s last byte.
const WRONG: u8 = b'!';
const _: () = assert!(WRONG != NO_PASSWORD[LAST - FIELD]);

/// Where a password begins in a Login Request packet, and its last byte.
const FIELD: usize = LOGIN_PASSWORD.start;
const LAST: usize = LOGIN_PASSWORD.end - 1;

/// Knows the passwords of order entry, and alone.
#[derive(Debug)]
pub(super) struct Doorman {
    /// By port.
    passwords: Vec<Password>,
    streams: BTreeMap<ConnId, Stream>,
}

/// What one client writes, up to here.
#[derive(Debug)]
struct Stream {
    /// So many bytes of the packet under way have come.
    at: usize,
    /// What it says of its length, which counts from the letter on.
    length: usize,
    letter: u8,
    /// Of the password under way.
    said: Password,
}

impl Doorman {
    pub(super) fn new(passwords: Vec<Password>) -> Self {
        Doorman { passwords, streams: BTreeMap::new() }
    }

    /// What a client of a port wrote, without passwords.
    pub(super) fn pass(&mut self, conn: ConnId, port: u16, bytes: &[u8]) -> Vec<u8> {
        let right = self.passwords.get(usize::from(port));
        let new = || Stream { at: 0, length: 0, letter: 0, said: Password(NO_PASSWORD) };
        let stream = self.streams.entry(conn).or_insert_with(new);
        bytes.iter().map(|byte| stream.pass(*byte, right)).collect()
    }

    /// The connection is no more.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.streams.remove(&conn);
    }
}

impl Stream {
    fn pass(&mut self, byte: u8, right: Option<&Password>) -> u8 {
        let at = self.at;
        let passed = match (at, self.letter) {
            (0, _) => {
                self.length = usize::from(byte) << 8;
                byte
            }
            (1, _) => {
                self.length |= usize::from(byte);
                byte
            }
            // There is no next packet.
            _ if self.length == 0 => MASK,
            (2, _) => {
                self.letter = byte;
                byte
            }
            (_, letter::UNSEQUENCED) => byte,
            (FIELD..=LAST, letter::LOGIN_REQUEST) if LOGIN_LENGTHS.contains(&self.length) => {
                self.said.0[at - FIELD] = byte;
                if at < LAST {
                    NO_PASSWORD[at - FIELD]
                } else {
                    let said = std::mem::replace(&mut self.said, Password(NO_PASSWORD));
                    let is_right = right.is_some_and(|right| right.matches(&said));
                    if is_right { NO_PASSWORD[at - FIELD] } else { WRONG }
                }
            }
            (_, letter::LOGIN_REQUEST) if LOGIN_LENGTHS.contains(&self.length) => byte,
            _ => MASK,
        };
        let is_last = self.length > 0 && at == 1 + self.length;
        self.at = if is_last { 0 } else { at + 1 };
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::base::Mono;
    use firelane_gateway::flow::wire::soupbintcp::{Server, ServerConfig, Sink};
    use proptest::prelude::*;

    const PASSWORD: Password = Password(*b" Sesam 12 ");

    struct Out(Vec<u8>);

    impl Sink for Out {
        fn write(&mut self, parts: &[&[u8]]) {
            parts.iter().for_each(|part| self.0.extend_from_slice(part));
        }
    }

    /// What a server with this password makes of it: events, answers, and whether the connection goes on.
    fn served(password: Password, chunks: &[Vec<u8>]) -> (Vec<String>, Vec<u8>, bool) {
        let mut server = Server::new(ServerConfig::new(*b"FIRE  ", password, *b"ORDERS0001"));
        server.on_connected(Mono(0));
        let (mut events, mut out) = (Vec::new(), Out(Vec::new()));
        for chunk in chunks {
            let mut rest = &chunk[..];
            while !rest.is_empty() {
                rest = &rest[server.on_bytes(Mono(1), rest)..];
                while let Some(event) = server.next_event(Mono(1), 5, &mut out) {
                    // Of what is ignored only the length counts.
                    events.push(match event {
                        firelane_gateway::flow::wire::soupbintcp::ServerEvent::Debug(text) => text.len().to_string(),
                        event => format!("{event:?}"),
                    });
                }
            }
        }
        (events, out.0, server.must_close())
    }

    fn packet(letter: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(payload.len() + 1).unwrap().to_be_bytes().to_vec();
        bytes.push(letter);
        bytes.extend(payload);
        bytes
    }

    fn password() -> impl Strategy<Value = [u8; 10]> {
        let near = (0..10usize, any::<u8>()).prop_map(|(at, byte)| {
            let mut near = PASSWORD.0;
            near[at] = byte;
            near
        });
        let same = [PASSWORD.0, *b"sesam 12  ", *b"  SESAM 12"];
        let others = [NO_PASSWORD, *b"          ", *b"*********!", *b"Sesam 123 ", *b"  Sesam 1 "];
        prop_oneof![3 => prop::sample::select(same.to_vec()), 2 => prop::sample::select(others.to_vec()), 2 => near, 1 => any::<[u8; 10]>()]
    }

    /// A packet, or something that is none.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let login =
            (password(), prop::sample::select(vec!["", "12345", "6", "1234567"])).prop_map(|(password, more)| {
                let rest = format!("{:10}{:>20}{more}", "", 1);
                packet(b'L', &[b"FIRE  ", &password[..], rest.as_bytes()].concat())
            });
        let any_packet = (prop::sample::select(&b"LAJSUHRZO+?"[..]), prop::collection::vec(any::<u8>(), 0..60))
            .prop_map(|(letter, payload)| packet(letter, &payload));
        prop_oneof![
            6 => login,
            3 => any_packet,
            2 => Just(packet(b'R', b"")),
            2 => Just(packet(b'U', b"an order")),
            1 => Just(vec![0, 0]),
            1 => prop::collection::vec(any::<u8>(), 0..60),
        ]
    }

    proptest! {
        /// Whatever a client writes, however it is torn: the server behind the doorman, which knows no password, does
        /// what one that knows it would do.
        #[test]
        fn what_passes_has_the_same_outcome(
            pieces in prop::collection::vec(piece(), 0..6),
            cuts in prop::collection::vec(1..70usize, 1..20),
        ) {
            let stream = pieces.concat();
            let (mut chunks, mut rest) = (Vec::new(), &stream[..]);
            for cut in cuts.iter().cycle() {
                let (chunk, others) = rest.split_at((*cut).min(rest.len()));
                chunks.push(chunk.to_vec());
                rest = others;
                if rest.is_empty() {
                    break;
                }
            }
            let mut doorman = Doorman::new(vec![Password(*b"OTHER PORT"), PASSWORD]);
            let passed: Vec<Vec<u8>> = chunks.iter().map(|chunk| doorman.pass(ConnId(1), 1, chunk)).collect();
            prop_assert_eq!(served(Password(NO_PASSWORD), &passed), served(PASSWORD, &chunks));
            let whole = Doorman::new(vec![PASSWORD]).pass(ConnId(1), 0, &stream);
            prop_assert_eq!(passed.concat(), whole, "where it is torn makes no difference");
        }
    }

    #[test]
    fn only_what_the_exchange_reads_is_kept() {
        let mut doorman = Doorman::new(vec![PASSWORD]);
        let mut pass = |bytes: &[u8]| doorman.pass(ConnId(1), 0, bytes);
        let login = |password: &[u8]| packet(b'L', &[b"FIRE  ", password, &[b' '; 10], &[b'1'; 20]].concat());
        assert_eq!(pass(&login(b"sesam 12  ")), login(b"**********"));
        assert_eq!(pass(&login(b"sesam 13  ")), login(b"*********!"));
        assert_eq!(pass(&login(b"**********")), login(b"*********!"), "only the right one gives the mark of it");
        assert_eq!(pass(&packet(b'U', b"sesam 12  order")), packet(b'U', b"sesam 12  order"));
        assert_eq!(pass(&packet(b'+', b"sesam 12")), packet(b'+', b"********"));
        assert_eq!(pass(&packet(b'L', b"sesam 12")), packet(b'L', b"********"), "a login of wrong length");
        assert_eq!(pass(b"\0\0\0\x2fLFIRE  sesam"), b"\0\0**************", "where no packet begins");
        // A port that there is not lets nobody in.
        assert_eq!(doorman.pass(ConnId(2), 1, &login(b"sesam 12  ")), login(b"*********!"));
        // What is under way shows nowhere, and is forgotten with its connection.
        doorman.forget(ConnId(1));
        doorman.pass(ConnId(3), 0, &login(b"sesam 12  ")[..15]);
        let shown = format!("{doorman:?}");
        assert!(shown.contains("Password(..)") && !shown.contains("115, 101") && !shown.contains("sesa"), "{shown}");
        assert_eq!(doorman.streams.len(), 2);
    }
}
