//! Captures made packet by packet, and what comes out of them.

use super::*;
use crate::capture::binary_file::Messages;
use firelane_gateway::flow::wire::moldudp64::{self, PacketBuilder, Request};
use proptest::prelude::*;
use std::net::SocketAddr;
use zerocopy::IntoBytes;

const A: &str = "233.54.12.111:26477";
const B: &str = "233.86.230.111:26477";
const C: &str = "233.54.12.112:26477";
const CLIENT: &str = "10.0.0.7:40000";
const ONE: [u8; 10] = *b"000000001A";
const TWO: [u8; 10] = *b"000000001B";

/// A well-formed message that tells its session and number.
fn message(session: [u8; 10], sequence: u64) -> Vec<u8> {
    let mut bytes = vec![b'D'; 19];
    bytes[1] = session[9];
    bytes[11..19].copy_from_slice(&sequence.to_be_bytes());
    bytes
}

fn packet(session: [u8; 10], first: u64, count: u64) -> Vec<u8> {
    let mut buffer = [0; 9_000];
    let mut builder = PacketBuilder::new(&mut buffer, session, first).unwrap();
    (first..first + count).for_each(|sequence| builder.push(&message(session, sequence)).unwrap());
    builder.finish().to_vec()
}

struct Run {
    merge: Merge,
    out: Batch,
}

impl Run {
    fn new(patience: usize) -> Self {
        Run { merge: Merge::new(patience), out: Batch::default() }
    }

    fn raw(&mut self, to: &str, payload: &[u8]) {
        let (source, destination) = ("10.0.0.1:5000".parse::<SocketAddr>().unwrap(), to.parse().unwrap());
        let datagram = Datagram { time_ns: 0, source, destination, payload, cut: false };
        self.merge.take(&datagram, &mut self.out);
    }

    fn send(&mut self, to: &str, session: [u8; 10], first: u64, count: u64) {
        self.raw(to, &packet(session, first, count));
    }

    /// What came out: the number of each message, and the marks between them as words.
    fn end(mut self) -> (Vec<String>, Counts) {
        self.merge.finish(&mut self.out);
        let mut marks = self.out.marks().iter().peekable();
        let mut seen = Vec::new();
        let mut walk = Messages::new(self.out.bytes());
        loop {
            while let Some((_, mark)) = marks.next_if(|(at, _)| *at <= walk.offset()) {
                seen.push(match mark {
                    Mark::Lost(count) => format!("lost {count}"),
                    Mark::NewSession => "new".to_owned(),
                });
            }
            let Some(message) = walk.next() else { break };
            let message = message.unwrap();
            let sequence = message.get(11..19).map_or(0, |b| u64::from_be_bytes(b.try_into().unwrap()));
            // What is not a message of ours may be shorter than that.
            let letter = message.get(1).map_or('?', |letter| char::from(*letter));
            seen.push(format!("{letter}{sequence}"));
        }
        (seen, self.merge.counts())
    }
}

#[test]
fn a_hole_is_filled_by_whatever_has_it_however_late() {
    for filler in [A, B, CLIENT] {
        let mut run = Run::new(1 << 20);
        run.send(A, ONE, 1, 2);
        run.send(B, ONE, 1, 2);
        for first in 4..500 {
            run.send(A, ONE, first, 1);
        }
        run.send(filler, ONE, 2, 2);
        let (seen, counts) = run.end();
        assert_eq!(seen, (1..500).map(|n| format!("A{n}")).collect::<Vec<_>>(), "{filler}");
        assert_eq!((counts.gaps, counts.lost, counts.duplicates), (1, 0, 3));
        let by = (counts.filled_by_line, counts.filled_by_rerequest);
        assert_eq!(by, if filler == CLIENT { (0, 1) } else { (1, 0) });
    }
}

#[test]
fn a_line_begins_with_the_first_packet_that_proves_it() {
    let mut run = Run::new(1 << 20);
    let heartbeat = |next| moldudp64::heartbeat(ONE, next).as_bytes().to_vec();
    // Not proven yet, not proven at all, proven: then the heartbeats before were its own.
    run.raw(A, &heartbeat(5));
    run.raw("224.0.1.129:319", &[0; 44]);
    run.raw("224.0.0.251:5353", b"\0\0\0\0\0\x01\0\0\0\0\0\0\x05local\0\0");
    run.raw("239.255.255.250:1900", b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n");
    run.raw("10.0.0.9:26400", Request::new(ONE, 5, 2).encode());
    run.raw("233.1.1.1:1", &heartbeat(5));
    run.send(A, ONE, 5, 2);
    run.raw(B, &heartbeat(7));
    run.raw("10.0.0.9:26400", Request::new(ONE, 5, 2).encode());
    // Another feed, and a third line of this one.
    run.send("233.1.1.1:1", TWO, 1, 3);
    run.send(B, ONE, 7, 1);
    run.send(C, ONE, 8, 1);
    let (seen, counts) = run.end();
    assert_eq!(seen, ["A5", "A6", "A7"]);
    assert_eq!((counts.packets, counts.third_line), (4, 1));
    assert_eq!(counts.foreign, 7, "{counts:?}");
}

#[test]
fn an_answer_before_the_lines_takes_no_line_from_them() {
    let mut run = Run::new(1 << 20);
    run.send(CLIENT, ONE, 1, 1);
    run.send(A, ONE, 2, 1);
    run.send(B, ONE, 3, 1);
    let (seen, counts) = run.end();
    assert_eq!((seen.len(), counts.packets, counts.replies, counts.third_line), (3, 2, 1, 0));
}

#[test]
fn lines_on_one_machine_are_unicast() {
    let mut run = Run::new(1 << 20);
    for port in ["127.0.0.1:26401", "127.0.0.1:26402", "127.0.0.1:26403"] {
        run.send(port, ONE, 1, 1);
    }
    let (seen, counts) = run.end();
    assert_eq!((seen.len(), counts.packets, counts.replies, counts.duplicates), (1, 2, 1, 2));
}

#[test]
fn the_lines_of_a_capture_need_not_begin_together() {
    let mut run = Run::new(1 << 20);
    run.send(A, ONE, 100, 2);
    run.send(B, ONE, 97, 3);
    let (seen, counts) = run.end();
    assert_eq!(seen, ["A97", "A98", "A99", "A100", "A101"]);
    assert_eq!(counts.lost, 0, "what came before the capture is not lost");
}

#[test]
fn what_nobody_has_is_lost_and_each_hole_is_told_at_its_place() {
    let mut run = Run::new(1 << 20);
    for first in [1, 3, 7] {
        run.send(A, ONE, first, 1);
    }
    run.raw(A, moldudp64::heartbeat(ONE, 10).as_bytes());
    let (seen, counts) = run.end();
    assert_eq!(seen, ["A1", "lost 1", "A3", "lost 3", "A7", "lost 2"]);
    assert_eq!((counts.gaps, counts.lost), (3, 6));
}

/// However many holes: they cost nothing of what is there.
#[test]
fn patience_ends_with_memory_and_nothing_that_came_is_left_out() {
    let expected: Vec<String> = (1..20_000u64).step_by(2).map(|n| format!("A{n}")).collect();
    for patience in [0, 1_000, 1 << 26] {
        let mut run = Run::new(patience);
        let mut most = 0;
        for first in (1..20_000).step_by(2) {
            run.send(A, ONE, first, 1);
            most = most.max(run.merge.sessions.iter().map(Session::held).sum::<usize>());
        }
        assert!(most <= patience + 200, "{most} bytes held");
        let (seen, counts) = run.end();
        assert!(seen.iter().filter(|word| !word.starts_with("lost")).eq(&expected), "{patience}");
        assert_eq!((counts.gaps, counts.lost), (9_999, 9_999));
    }
}

#[test]
fn a_malformed_message_gives_way_to_a_sound_copy() {
    let mut torn = packet(ONE, 2, 1);
    torn.extend_from_slice(&[0]);
    torn[21] += 1; // a delete of 20 bytes
    for sound in [true, false] {
        let mut run = Run::new(1 << 20);
        run.send(A, ONE, 1, 1);
        run.raw(A, &torn);
        run.send(A, ONE, 3, 1);
        if sound {
            run.send(B, ONE, 2, 1);
        }
        let (seen, counts) = run.end();
        assert_eq!(seen, ["A1", "A2", "A3"]);
        assert_eq!((counts.healed, counts.lost), (u64::from(sound), 0));
    }
}

#[test]
fn a_session_follows_when_every_line_has_gone_over() {
    let mut run = Run::new(1 << 20);
    run.send(A, ONE, 1, 1);
    run.send(B, ONE, 1, 1);
    run.send(A, ONE, 3, 1);
    // Line A goes over; what B still has of the old session belongs before it.
    for first in 1..10 {
        run.send(A, TWO, first, 1);
    }
    run.send(B, ONE, 2, 2);
    run.send(B, TWO, 1, 2);
    assert_eq!(run.merge.sessions.len(), 1, "the first one is over before the end");
    run.send(B, ONE, 4, 1);
    let (seen, counts) = run.end();
    assert_eq!(seen[..5], ["A1", "A2", "A3", "new", "B1"]);
    assert_eq!((seen.len(), counts.session_changes, counts.lost, counts.other_session), (13, 1, 0, 1));
}

#[test]
fn one_packet_proves_a_session_if_the_old_one_says_no_more() {
    let mut run = Run::new(1 << 20);
    run.send(A, ONE, 1, 2);
    run.send(A, TWO, 1, 2);
    assert_eq!(run.end().0, ["A1", "A2", "new", "B1", "B2"]);

    // Its end was said, and all of it is here.
    let mut run = Run::new(1 << 20);
    run.send(A, ONE, 1, 2);
    run.raw(A, moldudp64::end_of_session(ONE, 3).as_bytes());
    run.send(A, TWO, 1, 1);
    assert_eq!(run.merge.sessions.len(), 1);
    assert_eq!(run.end().0, ["A1", "A2", "new", "B1"]);
}

#[test]
fn a_stray_packet_is_no_session() {
    for first in [1, 7_000] {
        let mut run = Run::new(1 << 20);
        run.send(A, ONE, 1, 2);
        run.send(A, TWO, first, 1);
        run.send(A, ONE, 3, 1);
        run.send(A, ONE, 4, 1);
        let (seen, counts) = run.end();
        assert_eq!(seen, ["A1", "A2", "A3", "A4"]);
        assert_eq!((counts.other_session, counts.session_changes, counts.packets), (1, 0, 3));
    }
}

/// So some published captures are.
#[test]
fn packets_without_numbers_are_taken_as_they_come() {
    let mut run = Run::new(1 << 20);
    for sequence in [3, 1, 2] {
        let mut packet = packet(ONE, sequence, 1);
        packet[..18].fill(0);
        run.raw(A, &packet);
    }
    assert_eq!(run.end().0, ["A3", "A1", "A2"]);
}

proptest! {
    /// Whatever the lines lose, however they cut the stream and in whichever order they come: what one of them has is
    /// there once, in order, and the rest is lost.
    #[test]
    fn what_is_on_some_line_comes_out_once(
        packets in prop::collection::vec((1u64..60, 1u64..6, 0usize..3), 1..60),
        patience in prop::sample::select(vec![1usize << 26, 500]),
    ) {
        let mut run = Run::new(patience);
        let mut there = std::collections::BTreeSet::from([1]);
        run.send(A, ONE, 1, 1);
        for (first, count, to) in packets {
            run.send([A, B, CLIENT][to], ONE, first, count);
            there.extend(first..first + count);
        }
        let (seen, counts) = run.end();
        let numbers: Vec<u64> = seen.iter().filter_map(|word| word.strip_prefix('A')?.parse().ok()).collect();
        prop_assert!(numbers.is_sorted_by(|a, b| a < b));
        if patience > 500 {
            prop_assert_eq!(&numbers, &there.iter().copied().collect::<Vec<_>>());
        }
        prop_assert_eq!(counts.lost + numbers.len() as u64, there.last().copied().unwrap());
    }

    #[test]
    fn no_datagram_does_harm(packets in prop::collection::vec((0usize..4, prop::collection::vec(any::<u8>(), 0..60)), 0..20)) {
        let mut run = Run::new(1 << 10);
        run.send(A, ONE, 1, 1);
        for (to, bytes) in packets {
            run.raw([A, B, C, CLIENT][to], &bytes);
            let mut in_session = packet(ONE, 2, 1);
            in_session.truncate(20);
            in_session.extend(bytes);
            run.raw([A, B, C, CLIENT][to], &in_session);
        }
        run.end();
    }
}
