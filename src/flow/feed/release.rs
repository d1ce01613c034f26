//! What a feed gives: messages, and notices of what befell them.

use crate::base::{LineId, Mono};

/// What a feed gives, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Release<'a> {
    /// The next message of the stream.
    Message {
        /// Its number.
        sequence: u64,
        /// The message.
        bytes: &'a [u8],
        /// When its packet came in: before the input that released it, if it had to wait behind a gap.
        arrived: Mono,
    },
    /// The next message of a snapshot. Messages of the stream never come between [`Notice::SnapshotBegin`] and
    /// [`Notice::SnapshotEnd`] of the same attempt.
    Snapshot {
        /// The message.
        bytes: &'a [u8],
    },
    /// Something to know.
    Notice(Notice),
}

/// What a feed reports besides messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// What is released is not the present any more: a message is missing, or the stream waits for a snapshot. Holds
    /// until [`Notice::GapClosed`] or [`Notice::SessionChanged`].
    GapOpened {
        /// The first message that waits or is missing.
        first: u64,
    },
    /// All messages known to exist have been released or reported lost.
    GapClosed,
    /// Messages that will not come. What they were about is stale until a snapshot.
    Lost {
        /// The first.
        first: u64,
        /// How many.
        count: u64,
        /// The locate code, where malformed copies came and it could be read: only its book is affected.
        locate: Option<u16>,
    },
    /// A snapshot begins: every book is empty and stale until [`Notice::SnapshotEnd`]. May come again before that: the
    /// attempt before was torn, and the stream may have gone on in between.
    SnapshotBegin,
    /// The snapshot is complete.
    SnapshotEnd {
        /// The stream goes on with this message, which may be one that was released before.
        next: u64,
    },
    /// No snapshot could be had; slow attempts go on.
    SnapshotFailed,
    /// Another session: numbers begin at 1, what was known of the day is void. Ends an open gap and a snapshot.
    SessionChanged,
    /// The session is over, and all of its messages have been released or reported lost.
    EndOfSession,
    /// A line has not been heard for too long.
    LineSilent(LineId),
    /// A silent line is heard again.
    LineBack(LineId),
}

/// Notices that wait to be taken. An input causes a handful at most.
#[derive(Debug, Default)]
pub(super) struct Notices {
    waiting: [Option<Notice>; Self::MOST],
    first: usize,
    count: usize,
}

impl Notices {
    const MOST: usize = 16;

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn push(&mut self, notice: Notice) {
        // There is always room: the owner takes what is released before the next input.
        let at = self.first.wrapping_add(self.count) % Self::MOST;
        if self.count < Self::MOST
            && let Some(place) = self.waiting.get_mut(at)
        {
            *place = Some(notice);
            self.count = self.count.wrapping_add(1);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Notice> {
        let notice = self.waiting.get_mut(self.first)?.take()?;
        self.first = self.first.wrapping_add(1) % Self::MOST;
        self.count = self.count.wrapping_sub(1);
        Some(notice)
    }
}
