//! The market-data publisher: numbers messages, keeps them, and sends them over `MoldUDP64` on two lines
//! ("MoldUDP64 1.00").
//!
//! Both lines carry the same messages in the same order, but each cuts them into packets in its own way, as two
//! publishers behind two networks do. A receiver that arbitrates by packet instead of by message gets nowhere here.

use firelane_gateway::base::{LineId, Mono, Nanos};
use firelane_gateway::flow::wire::moldudp64::{self, HEADER_LENGTH, PacketBuilder};
use zerocopy::IntoBytes as _;

/// A `MoldUDP64` session's name.
pub type Session = [u8; 10];

/// How a line cuts messages into packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packing {
    /// Longest UDP payload in bytes, header included. A message too long for it travels alone.
    pub payload: usize,
    /// Most messages in a packet.
    pub messages: u16,
    /// How long a message may wait for others to share its packet. With zero only those published at the same
    /// instant share one.
    pub wait: Nanos,
}

/// How to publish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublisherConfig {
    /// Packing of lines A and B.
    pub lines: [Packing; 2],
    /// A heartbeat after so long a silence of a line ("typically 1 second").
    pub heartbeat: Nanos,
    /// How long the end of session is repeated, during which re-requests are still answered ("a short while").
    pub end_for: Nanos,
    /// How often it is repeated meanwhile.
    pub end_every: Nanos,
    /// Nothing waits for the rest of its instant, and what was sent is not kept: there is nothing to ask for again.
    pub at_once: bool,
}

impl PublisherConfig {
    /// Each message goes out at once, alone in its packet, on line A; nothing is on line B, and there are no heartbeats. For
    /// recordings: a client's clock then stands where the message's stamp does.
    #[must_use]
    pub fn at_once() -> Self {
        let never = Packing { payload: 0, messages: 1, wait: Nanos(u64::MAX) };
        PublisherConfig {
            lines: [Packing { payload: 1_400, messages: 1, wait: Nanos(0) }, never],
            heartbeat: Nanos(u64::MAX),
            at_once: true,
            ..PublisherConfig::default()
        }
    }
}

impl Default for PublisherConfig {
    fn default() -> Self {
        PublisherConfig {
            lines: [
                Packing { payload: 1_400, messages: u16::MAX - 1, wait: Nanos(0) },
                Packing { payload: 1_400, messages: 7, wait: Nanos::from_micros(20) },
            ],
            heartbeat: Nanos::from_secs(1),
            end_for: Nanos::from_secs(5),
            end_every: Nanos::from_secs(1),
            at_once: false,
        }
    }
}

/// A datagram to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Datagram {
    /// On which line.
    pub line: LineId,
    /// UDP payload.
    pub bytes: Vec<u8>,
}

/// All messages of a session, by their number.
#[derive(Debug, Default)]
pub struct Store {
    bytes: Vec<u8>,
    /// Where each message ends.
    ends: Vec<usize>,
    /// So many before them are not kept.
    forgotten: u64,
}

impl Store {
    /// Message `sequence`, if there is one. The first is 1.
    #[must_use]
    pub fn get(&self, sequence: u64) -> Option<&[u8]> {
        let i = usize::try_from(sequence.checked_sub(self.forgotten)?).ok()?.checked_sub(1)?;
        let end = *self.ends.get(i)?;
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        Some(&self.bytes[start..end])
    }

    /// The number that the next message will get.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.forgotten + self.ends.len() as u64 + 1
    }

    /// Keeps nothing, and leaves out so many numbers.
    fn forget(&mut self, skipped: u64) {
        self.forgotten += self.ends.len() as u64 + skipped;
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(message);
        self.ends.push(self.bytes.len());
    }

    /// Packs messages from `first` on, at most `count`, as many as fit one packet of `payload` bytes; at least one if
    /// there is one. A heartbeat if there is none.
    #[must_use]
    pub fn packet(&self, session: Session, first: u64, count: u64, payload: usize) -> (Vec<u8>, u64) {
        let alone = self.get(first).map_or(0, |m| 2 + m.len());
        let mut buffer = vec![0; payload.max(HEADER_LENGTH + alone)];
        let Ok(mut packet) = PacketBuilder::new(&mut buffer, session, first) else { return (Vec::new(), 0) };
        for message in (first..first.saturating_add(count)).map_while(|n| self.get(n)) {
            if packet.push(message).is_err() {
                break;
            }
        }
        let packed = u64::from(packet.count());
        let length = packet.finish().len();
        buffer.truncate(length);
        (buffer, packed)
    }
}

/// A message longer than a length field can say (65,535 bytes).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a message of {0} bytes cannot be published")]
pub struct TooLong(pub usize);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Live,
    Ending { until: Mono },
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    id: LineId,
    packing: Packing,
    /// First message not yet sent.
    next: u64,
    /// When it must go.
    flush_at: Mono,
    /// When the line last said anything.
    spoke_at: Mono,
}

/// The publisher. Call [`on_timer`](Self::on_timer) whenever [`next_deadline`](Self::next_deadline) is reached, after
/// all else of that instant, so that messages of one instant share packets.
#[derive(Debug)]
pub struct Publisher {
    config: PublisherConfig,
    session: Session,
    store: Store,
    lines: [Line; 2],
    phase: Phase,
}

impl Publisher {
    /// Opens a session. Heartbeats begin at `now`.
    #[must_use]
    pub fn new(config: PublisherConfig, session: Session, now: Mono) -> Self {
        let line = |id, packing| Line { id, packing, next: 1, flush_at: Mono::NEVER, spoke_at: now };
        let [a, b] = config.lines;
        Publisher {
            config,
            session,
            store: Store::default(),
            lines: [line(LineId::A, a), line(LineId::B, b)],
            phase: Phase::Live,
        }
    }

    /// The session that is being published.
    #[must_use]
    pub fn session(&self) -> Session {
        self.session
    }

    /// Its messages so far. `None` when the session is over and its end no longer repeated: then nothing of it is to
    /// be had any more.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        if self.phase == Phase::Over { None } else { Some(&self.store) }
    }

    /// The number that the next message will get: what a snapshot taken now resumes at.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.store.next_sequence()
    }

    /// Has the session been ended?
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.phase != Phase::Live
    }

    /// Publishes one message (of ITCH, or whatever it is) and returns its number. After the end of the session
    /// messages still get numbers, but nobody hears of them.
    ///
    /// # Errors
    /// [`TooLong`]; nothing is published.
    pub fn publish(&mut self, now: Mono, message: &[u8]) -> Result<u64, TooLong> {
        if message.len() > usize::from(u16::MAX) {
            return Err(TooLong(message.len()));
        }
        let sequence = self.store.next_sequence();
        self.store.push(message);
        if self.phase == Phase::Live {
            for line in &mut self.lines {
                line.flush_at = line.flush_at.min(now.after(line.packing.wait));
            }
        }
        Ok(sequence)
    }

    /// A number is used up by a message that never comes. Of a publisher whose messages go out
    /// [at once](PublisherConfig::at_once): with others it has no effect.
    pub fn skip(&mut self) {
        if self.config.at_once {
            self.store.forget(1);
            for line in &mut self.lines {
                line.next = self.store.next_sequence();
            }
        }
    }

    /// Do messages go out at once?
    #[must_use]
    pub fn is_at_once(&self) -> bool {
        self.config.at_once
    }

    /// Ends the session: what waits is sent, then its end, again and again for a while.
    pub fn end_session(&mut self, now: Mono, out: &mut Vec<Datagram>) {
        if self.phase != Phase::Live {
            return;
        }
        self.flush(now, Mono::NEVER, out);
        self.phase = Phase::Ending { until: now.after(self.config.end_for) };
        for i in 0..self.lines.len() {
            self.say_nothing_new(now, i, out);
        }
    }

    /// Opens another session, with numbers from 1, whether or not the old one was ended. The owner publishes the
    /// directory anew: locate codes mean nothing across sessions.
    pub fn change_session(&mut self, now: Mono, session: Session, out: &mut Vec<Datagram>) {
        if self.phase == Phase::Live {
            self.flush(now, Mono::NEVER, out);
        }
        *self = Publisher::new(self.config, session, now);
    }

    /// What was published so far has been sent, as far as this publisher cares: whoever lacks something asks for it
    /// again. For a publisher that was rebuilt from what it had published before.
    pub fn resume(&mut self, now: Mono) {
        for line in &mut self.lines {
            (line.next, line.flush_at, line.spoke_at) = (self.store.next_sequence(), Mono::NEVER, now);
        }
    }

    /// So long a line says nothing.
    fn silence(&self) -> Nanos {
        if self.phase == Phase::Live { self.config.heartbeat } else { self.config.end_every }
    }

    /// When to call [`on_timer`](Self::on_timer) next.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        let next = |line: &Line| line.flush_at.min(line.spoke_at.after(self.silence()));
        match self.phase {
            Phase::Over => Mono::NEVER,
            Phase::Live => self.lines.iter().map(next).min().unwrap_or(Mono::NEVER),
            Phase::Ending { until } => self.lines.iter().map(next).min().unwrap_or(Mono::NEVER).min(until),
        }
    }

    /// Sends what is due.
    pub fn on_timer(&mut self, now: Mono, out: &mut Vec<Datagram>) {
        match self.phase {
            Phase::Over => return,
            Phase::Ending { until } if until <= now => {
                self.phase = Phase::Over;
                return;
            }
            Phase::Live | Phase::Ending { .. } => {}
        }
        self.flush(now, now, out);
        for i in 0..self.lines.len() {
            if self.lines[i].spoke_at.after(self.silence()) <= now {
                self.say_nothing_new(now, i, out);
            }
        }
    }

    /// Sends all that waits on the lines whose time is up by `due`.
    fn flush(&mut self, now: Mono, due: Mono, out: &mut Vec<Datagram>) {
        for line in &mut self.lines {
            if line.flush_at > due || line.next == self.store.next_sequence() {
                continue;
            }
            while line.next < self.store.next_sequence() {
                let count = u64::from(line.packing.messages.max(1));
                let (bytes, packed) = self.store.packet(self.session, line.next, count, line.packing.payload);
                line.next += packed;
                out.push(Datagram { line: line.id, bytes });
            }
            line.flush_at = Mono::NEVER;
            line.spoke_at = now;
        }
        if self.config.at_once {
            self.store.forget(0);
        }
    }

    /// A heartbeat, or the end of the session. Either shows the next number, hence also a gap.
    fn say_nothing_new(&mut self, now: Mono, line: usize, out: &mut Vec<Datagram>) {
        let line = &mut self.lines[line];
        let header = match self.phase {
            Phase::Live => moldudp64::heartbeat(self.session, line.next),
            Phase::Ending { .. } | Phase::Over => moldudp64::end_of_session(self.session, line.next),
        };
        line.spoke_at = now;
        out.push(Datagram { line: line.id, bytes: header.as_bytes().to_vec() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{DatagramLink, Faults};
    use crate::rng::Rng;
    use firelane_gateway::flow::wire::moldudp64::{END_OF_SESSION, HEARTBEAT, Packet};
    use std::collections::BTreeMap;

    const SESSION: Session = *b"20240102A ";

    fn message(n: u64) -> Vec<u8> {
        let mut m = vec![b'A'; 12 + (n % 37) as usize];
        m[..8].copy_from_slice(&n.to_be_bytes());
        m
    }

    /// Sequence, count of the header and messages of each datagram of a line.
    fn read(out: &[Datagram], line: LineId) -> Vec<(u64, u16, Vec<Vec<u8>>)> {
        let of_line = out.iter().filter(|d| d.line == line);
        of_line
            .map(|d| {
                let packet = Packet::parse(&d.bytes).unwrap();
                assert_eq!((packet.header().session, packet.trailing()), (SESSION, Some(0)));
                let messages = packet.messages().map(|m| m.unwrap().1.to_vec()).collect();
                (packet.header().sequence.get(), packet.header().count.get(), messages)
            })
            .collect()
    }

    fn run(publisher: &mut Publisher, until: Mono) -> Vec<Datagram> {
        let mut out = Vec::new();
        while publisher.next_deadline() <= until {
            publisher.on_timer(publisher.next_deadline(), &mut out);
        }
        out
    }

    #[test]
    fn at_once_each_goes_alone_on_one_line_and_none_is_kept() {
        let mut publisher = Publisher::new(PublisherConfig::at_once(), SESSION, Mono(0));
        assert!(publisher.is_at_once() && publisher.next_deadline() == Mono::NEVER);
        let mut out = Vec::new();
        for n in 1..=2 {
            assert_eq!(publisher.publish(Mono(5), &message(n)), Ok(n));
        }
        assert_eq!(publisher.next_deadline(), Mono(5));
        publisher.on_timer(Mono(5), &mut out);
        publisher.skip();
        publisher.publish(Mono(6), &message(4)).unwrap();
        publisher.on_timer(Mono(6), &mut out);
        let alone = |n| (n, 1, vec![message(n)]);
        assert_eq!((read(&out, LineId::A), read(&out, LineId::B)), (vec![alone(1), alone(2), alone(4)], vec![]));
        assert_eq!((publisher.next_sequence(), publisher.store().and_then(|store| store.get(2))), (5, None));
        assert_eq!(publisher.next_deadline(), Mono::NEVER);
        let mut usual = Publisher::new(PublisherConfig::default(), SESSION, Mono(0));
        usual.skip();
        assert_eq!(usual.next_sequence(), 1);
    }

    #[test]
    fn both_lines_carry_every_message_in_packets_of_their_own() {
        let mut publisher = Publisher::new(PublisherConfig::default(), SESSION, Mono(0));
        let mut out = Vec::new();
        for n in 1..=1_000 {
            // Bursts of ten at one instant, 5 us apart.
            let now = Mono(1_000 + (n - 1) / 10 * 5_000);
            out.extend(run(&mut publisher, Mono(now.0 - 1)));
            assert_eq!(publisher.publish(now, &message(n)), Ok(n));
        }
        out.extend(run(&mut publisher, Mono(900_000)));
        let (a, b) = (read(&out, LineId::A), read(&out, LineId::B));
        for line in [&a, &b] {
            let mut next = 1;
            for (first, count, messages) in line {
                assert_eq!((*first, usize::from(*count)), (next, messages.len()));
                assert!(messages.iter().zip(next..).all(|(m, n)| *m == message(n)));
                next += messages.len() as u64;
            }
            assert_eq!(next, 1_001);
        }
        let ends = |line: &[(u64, u16, Vec<Vec<u8>>)]| line.iter().map(|p| p.0).collect::<Vec<_>>();
        assert_ne!(ends(&a), ends(&b));
        assert!(a.iter().all(|p| p.2.len() == 10), "messages of one instant share a packet");
        assert!(b.iter().all(|p| p.2.len() <= 7));
        assert!(out.iter().all(|d| d.bytes.len() <= 1_400));
    }

    #[test]
    fn a_packet_is_never_longer_than_its_limit_but_for_a_message_that_is() {
        let config = PublisherConfig {
            lines: [Packing { payload: 100, messages: 50, wait: Nanos(0) }; 2],
            ..PublisherConfig::default()
        };
        let mut publisher = Publisher::new(config, SESSION, Mono(0));
        for length in [10, 200, 10, 10] {
            publisher.publish(Mono(0), &vec![b'x'; length]).unwrap();
        }
        let lengths = |p: &(u64, u16, Vec<Vec<u8>>)| p.2.iter().map(Vec::len).collect::<Vec<_>>();
        let packets: Vec<_> = read(&run(&mut publisher, Mono(0)), LineId::A).iter().map(lengths).collect();
        assert_eq!(packets, [vec![10], vec![200], vec![10, 10]]);
        assert_eq!(publisher.publish(Mono(0), &vec![0; 65_536]), Err(TooLong(65_536)));
        assert_eq!(publisher.publish(Mono(0), &vec![0; 65_535]), Ok(5));
        assert_eq!(read(&run(&mut publisher, Mono(0)), LineId::B).last().unwrap().2[0].len(), 65_535);
    }

    #[test]
    fn a_silent_line_beats_each_second_with_the_next_number() {
        let mut publisher = Publisher::new(PublisherConfig::default(), SESSION, Mono(0));
        publisher.publish(Mono(500_000_000), b"m").unwrap();
        let out = run(&mut publisher, Mono(3_600_000_000));
        // Line A spoke at 0.5 s.
        let a = read(&out, LineId::A);
        assert_eq!(a[0].0, 1);
        assert_eq!(a[1..], vec![(2, HEARTBEAT, vec![]); 3]);
    }

    #[test]
    fn the_end_of_session_is_repeated_for_a_while_and_then_all_is_silent() {
        let mut publisher = Publisher::new(PublisherConfig::default(), SESSION, Mono(0));
        publisher.publish(Mono(10), b"last").unwrap();
        let mut out = Vec::new();
        publisher.end_session(Mono(10), &mut out);
        assert!(publisher.store().is_some(), "re-requests are still answered");
        out.extend(run(&mut publisher, Mono(60_000_000_000)));
        for line in [LineId::A, LineId::B] {
            let packets = read(&out, line);
            assert_eq!(packets[0], (1, 1, vec![b"last".to_vec()]));
            assert_eq!(packets[1..], vec![(2, END_OF_SESSION, vec![]); 5]);
        }
        assert_eq!(publisher.next_deadline(), Mono::NEVER);
        assert!(publisher.store().is_none());
    }

    #[test]
    fn another_session_begins_at_one() {
        let mut publisher = Publisher::new(PublisherConfig::default(), SESSION, Mono(0));
        publisher.publish(Mono(0), b"old").unwrap();
        let mut out = Vec::new();
        publisher.change_session(Mono(5), *b"20240102B ", &mut out);
        assert_eq!((read(&out, LineId::A).len(), read(&out, LineId::B).len()), (1, 1), "what waited still goes out");
        assert_eq!(publisher.publish(Mono(6), b"new"), Ok(1));
        out.clear();
        publisher.on_timer(Mono(6), &mut out);
        let packet = Packet::parse(&out[0].bytes).unwrap();
        assert_eq!((packet.header().session, packet.header().sequence.get()), (*b"20240102B ", 1));
    }

    /// Publishes over two faulty lines, takes every copy that arrives, and asks the store for the rest: the union is
    /// the store, bit for bit.
    fn over_faulty_lines(seed: u64) -> (BTreeMap<u64, Vec<u8>>, usize, Vec<Vec<u8>>) {
        let mut publisher = Publisher::new(PublisherConfig::default(), SESSION, Mono(0));
        let mut lines = [LineId::A, LineId::B]
            .map(|l| DatagramLink::new(Faults::Heavy.line(l), Rng::new(seed, if l == LineId::A { "A" } else { "B" })));
        let (mut union, mut arrived, mut out) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut flow = Rng::new(seed, "flow");
        let mut now = Mono(0);
        for n in 1..=20_001 {
            let next = now.after(flow.exponential(Nanos::from_micros(30)));
            let next = if n > 20_000 { next.after(Nanos::from_millis(50)) } else { next };
            loop {
                let due = lines.iter().map(DatagramLink::next_deadline).fold(publisher.next_deadline(), Mono::min);
                if due >= next {
                    break;
                }
                publisher.on_timer(due, &mut out);
                for d in out.drain(..) {
                    lines[usize::from(d.line.0)].send(due, d.bytes);
                }
                for line in &mut lines {
                    while let Some(bytes) = line.receive(due) {
                        for message in Packet::parse(&bytes).unwrap().messages() {
                            let (sequence, message) = message.unwrap();
                            let before = union.insert(sequence, message.to_vec());
                            assert!(before.is_none_or(|b| b == message), "copies are equal");
                        }
                        arrived.push(bytes);
                    }
                }
            }
            now = next;
            publisher.publish(now, &message(n)).unwrap();
        }
        let missing: Vec<u64> = (1..=20_000).filter(|n| !union.contains_key(n)).collect();
        for n in &missing {
            union.insert(*n, publisher.store().unwrap().get(*n).unwrap().to_vec());
        }
        (union, missing.len(), arrived)
    }

    #[test]
    fn the_union_of_faulty_lines_and_the_store_is_everything() {
        let (union, missing, arrived) = over_faulty_lines(1);
        assert!(union.iter().zip(1..).all(|((n, m), k)| *n == k && *m == message(k)));
        assert_eq!(union.len(), 20_000);
        // About 5 % lost on each line: some messages on both, most on neither.
        assert!((1..200).contains(&missing), "{missing}");
        assert_eq!(arrived, over_faulty_lines(1).2);
        assert_ne!(arrived, over_faulty_lines(2).2);
    }

    #[test]
    fn the_store_answers_for_what_it_has() {
        let mut store = Store::default();
        assert_eq!((store.get(0), store.get(1), store.next_sequence()), (None, None, 1));
        store.push(b"one");
        store.push(b"");
        assert_eq!((store.get(1), store.get(2), store.get(3)), (Some(&b"one"[..]), Some(&b""[..]), None));
        assert_eq!((store.get(u64::MAX), store.next_sequence()), (None, 3));
        assert_eq!(store.packet(SESSION, u64::MAX, u64::MAX, 10).1, 0);
    }
}
