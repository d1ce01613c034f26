//! One session's messages in the order of their numbers.

use super::Counts;
use crate::capture::stream::{Batch, Mark};
use firelane_gateway::flow::wire::itch50::{self, Malformed};
use firelane_gateway::flow::wire::moldudp64::{END_OF_SESSION, Packet};
use std::collections::BTreeMap;

/// A capture begins somewhere in the day, and its lines not at the same message: the earliest of the first packets is
/// where it begins.
const PACKETS_TO_BEGIN: u64 = 4_096;

/// Roughly what a run costs beside its bytes.
const OVERHEAD: usize = 96;

/// Messages that follow each other and wait for their turn.
struct Run {
    count: u64,
    /// Behind two-byte lengths.
    blocks: Box<[u8]>,
}

pub(super) struct Session {
    pub(super) name: [u8; 10],
    /// Sessions are numbered from 1.
    pub(super) number: u64,
    /// The destination that it was heard at first, how many packets it has, and how many of others came there since.
    pub(super) opened_at: usize,
    pub(super) packets: u64,
    pub(super) packets_back: u32,
    /// The next message to release, once the session has begun.
    next: u64,
    begun: bool,
    /// Messages below this are known to exist.
    known: u64,
    /// One past the last message, once that is known.
    end: Option<u64>,
    waiting: BTreeMap<u64, Run>,
    /// Malformed messages: taken if there is no sound copy.
    malformed: BTreeMap<u64, Box<[u8]>>,
    held: usize,
}

impl Session {
    /// `from_one`: another session came before, so that this one is there from its first message on.
    pub(super) fn new(name: [u8; 10], number: u64, opened_at: usize, from_one: bool) -> Self {
        let (next, known) = if from_one { (1, 1) } else { (0, 0) };
        Session {
            name,
            number,
            opened_at,
            packets: 0,
            packets_back: 0,
            next,
            begun: from_one,
            known,
            end: None,
            waiting: BTreeMap::new(),
            malformed: BTreeMap::new(),
            held: 0,
        }
    }

    /// Memory for what waits.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// It said where it ends, and all of it was released.
    pub(super) fn is_complete(&self) -> bool {
        self.begun && self.held == 0 && self.end.is_some_and(|end| self.next >= end)
    }

    /// Takes a packet's messages, or what its header announces. Those that have their turn go straight to `out`, where
    /// it is this session's turn.
    pub(super) fn take(
        &mut self,
        packet: &Packet<'_>,
        is_heartbeat: bool,
        by_line: bool,
        mut out: Option<&mut Batch>,
        counts: &mut Counts,
    ) {
        let header = packet.header();
        let first = header.sequence.get();
        if is_heartbeat {
            if self.known > 0 {
                self.open_gap(first, counts);
                self.known = self.known.max(first);
            }
            if header.count.get() == END_OF_SESSION {
                self.end = Some(first);
            }
            return;
        }
        self.packets += 1;
        self.open_gap(first, counts);
        if first == 1 && !self.begun {
            (self.next, self.begun) = (1, true);
        }
        // Sound messages in a row, from which on, and where in the packet they are.
        let mut run: Option<(u64, u64, Vec<u8>)> = None;
        for block in packet.messages() {
            let (sequence, message) = match block {
                Ok(block) => block,
                Err(torn) => {
                    counts.truncated += 1;
                    self.known = self.known.max(torn.sequence.saturating_add(1));
                    break;
                }
            };
            let missing = sequence < self.known;
            self.known = self.known.max(sequence.saturating_add(1));
            if self.has(sequence) {
                counts.duplicates += 1;
            } else if is_malformed(message) {
                if self.malformed.insert(sequence, message.into()).is_none() {
                    self.held += message.len() + OVERHEAD;
                }
            } else {
                if missing {
                    *(if by_line { &mut counts.filled_by_line } else { &mut counts.filled_by_rerequest }) += 1;
                }
                if let Some(out) = &mut out
                    && self.begun
                    && self.held == 0
                    && run.is_none()
                    && sequence == self.next
                {
                    out.message(message);
                    self.next += 1;
                    continue;
                }
                match &mut run {
                    Some((start, count, blocks)) if *start + *count == sequence => {
                        *count += 1;
                        push(blocks, message);
                    }
                    _ => {
                        self.store(run.take());
                        let mut blocks = Vec::with_capacity(64);
                        push(&mut blocks, message);
                        run = Some((sequence, 1, blocks));
                    }
                }
            }
        }
        self.store(run);
        if self.packets >= PACKETS_TO_BEGIN {
            self.begin();
        }
    }

    /// Messages are missing between what is known and `first`.
    fn open_gap(&mut self, first: u64, counts: &mut Counts) {
        counts.gaps += u64::from(self.known > 0 && first > self.known);
    }

    /// Is a sound copy of the message here, or was it released?
    fn has(&self, sequence: u64) -> bool {
        if self.begun && sequence < self.next {
            return true;
        }
        let before = self.waiting.range(..=sequence).next_back();
        before.is_some_and(|(start, run)| sequence - start < run.count)
    }

    fn store(&mut self, run: Option<(u64, u64, Vec<u8>)>) {
        if let Some((start, count, blocks)) = run {
            self.held += blocks.len() + OVERHEAD;
            self.waiting.insert(start, Run { count, blocks: blocks.into() });
        }
    }

    /// The earliest message that is here is the first.
    pub(super) fn begin(&mut self) {
        if !self.begun {
            let first = |of: Option<&u64>| of.copied().unwrap_or(u64::MAX);
            let earliest = first(self.waiting.keys().next()).min(first(self.malformed.keys().next()));
            (self.next, self.begun) = (if earliest == u64::MAX { self.known } else { earliest }, true);
        }
    }

    /// Releases what has its turn.
    pub(super) fn release(&mut self, out: &mut Batch, counts: &mut Counts) {
        if !self.begun {
            return;
        }
        while let Some(run) = self.waiting.first_entry()
            && *run.key() <= self.next
        {
            let (start, run) = run.remove_entry();
            self.held -= run.blocks.len() + OVERHEAD;
            let already = self.next - start;
            for message in blocks(&run.blocks).skip(usize::try_from(already).unwrap_or(usize::MAX)) {
                out.message(message);
            }
            self.next = self.next.max(start + run.count);
        }
        while let Some(malformed) = self.malformed.first_entry()
            && *malformed.key() < self.next
        {
            self.held -= malformed.remove().len() + OVERHEAD;
            counts.healed += 1;
        }
    }

    /// The hole that the stream stands before is waited for no longer.
    pub(super) fn give_up(&mut self, out: &mut Batch, counts: &mut Counts) {
        self.release(out, counts);
        if let Some(message) = self.malformed.remove(&self.next) {
            self.held -= message.len() + OVERHEAD;
            out.message(&message);
            self.next += 1;
        } else {
            let ends = [self.waiting.keys().next(), self.malformed.keys().next(), Some(&self.known)];
            let end = ends.into_iter().flatten().copied().min().unwrap_or(self.known);
            let count = end.saturating_sub(self.next);
            if count > 0 {
                counts.lost += count;
                out.mark(Mark::Lost(count));
                self.next = end;
            }
        }
        self.release(out, counts);
    }

    /// No hole is waited for any longer.
    pub(super) fn give_all_up(&mut self, out: &mut Batch, counts: &mut Counts) {
        self.release(out, counts);
        while self.next < self.known {
            self.give_up(out, counts);
        }
    }
}

fn is_malformed(message: &[u8]) -> bool {
    matches!(itch50::check(message), Err(Malformed::BadLength { .. } | Malformed::BadSide(_)))
}

fn push(blocks: &mut Vec<u8>, message: &[u8]) {
    // A block's length has two bytes where it came from, too.
    blocks.extend_from_slice(&u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes());
    blocks.extend_from_slice(message);
}

/// The messages of a run; some may be empty.
fn blocks(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (message, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rest = after;
        Some(message)
    })
}
