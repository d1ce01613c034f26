//! What a feed gives: messages, and notices of what befell them.

use crate::base::{LineId, LoadError, Mono, Reader, Save, State, Value};

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
    /// All messages known to exist have been released or reported lost, or the last of them is what comes next: with it,
    /// the book is the venue's again, and it may be decided on as any other.
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
    /// The stream is joined at this message. What came before was never asked for and is not lost, but the books lack it:
    /// they are stale until a snapshot.
    Joined {
        /// The first message that will come.
        first: u64,
    },
    /// A snapshot begins: every book is empty and stale until [`Notice::SnapshotEnd`]. May come again before that: the
    /// attempt before was torn, and the stream may have gone on in between.
    SnapshotBegin,
    /// The snapshot is complete.
    SnapshotEnd {
        /// The stream goes on with this message, which may be one that was released before.
        next: u64,
    },
    /// No snapshot could be had, or none that helped; slow attempts go on. Said once: of a login that is refused at its
    /// first refusal, of anything else when it was tried often enough.
    SnapshotFailed {
        /// What was wrong with the last one.
        why: SnapshotTrouble,
        /// The message that it would have gone on with, where it came to its end; else 0.
        next: u64,
    },
    /// A snapshot that was spliced stands ahead of the lines: the gap stays open until one of them has come as far.
    SnapshotAhead {
        /// The message that the snapshot goes on with.
        next: u64,
        /// The message that the lines go on with.
        lines: u64,
    },
    /// Another session: numbers begin at 1, what was known of the day is void. Ends an open gap and a snapshot.
    SessionChanged,
    /// The session is over, and all of its messages have been released or reported lost. What comes of it
    /// nevertheless is released, but nobody speaks for the books: they are stale until [`Notice::SessionGoesOn`] or
    /// [`Notice::SessionChanged`].
    EndOfSession,
    /// The session whose end was announced goes on: it was heard for longer than a line may be silent after the last
    /// such announcement.
    SessionGoesOn,
    /// For longer than a line may be silent, none has said anything that follows on what was released: nobody speaks
    /// for the books until [`Notice::MarketBack`]. So it is at the start, without a notice until that time has passed.
    MarketSilent {
        /// The message waited for.
        next: u64,
        /// The lines are heard: what they say does not follow.
        heard: bool,
    },
    /// A line has said where the stream stands, and what is missing of it has been reported.
    MarketBack {
        /// The message waited for.
        next: u64,
        /// Had [`Notice::MarketSilent`] been given?
        said: bool,
    },
    /// A number that the lines or the snapshot named is wrong: the lines went on before it, or a snapshot showed it.
    JumpDropped {
        /// The number.
        number: u64,
        /// The stream goes on with this message.
        next: u64,
        /// It had been believed, and what the books hold is not what the venue's hold: they are stale until a snapshot.
        damaged: bool,
    },
    /// Two copies of a message have different bytes. The first one counts. Said once a session.
    LinesDiffer {
        /// The message.
        sequence: u64,
        /// The line that brought the second copy.
        line: LineId,
    },
    /// A line has not been heard for too long.
    LineSilent(LineId),
    /// A silent line is heard again.
    LineBack(LineId),
    /// Notices were dropped for want of room, after those before this one: every book is stale until a snapshot.
    Overrun,
}

/// Why there is no snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SnapshotTrouble {
    /// The connection could not be made.
    Unreachable = 0,
    /// The server refused the login.
    Refused = 1,
    /// The server did not answer the login.
    Unanswered = 2,
    /// It ended, or fell silent, before its end.
    Torn = 3,
    /// It is no snapshot: a message or the protocol around it is malformed.
    Garbled = 4,
    /// It is whole, and can't be joined to the lines: its end is too far from where they stand.
    Unfit = 5,
    /// One after the other was spliced, and the books had to ask for the next one soon after.
    Fruitless = 6,
}

impl SnapshotTrouble {
    /// All, in the order of their numbers.
    pub const ALL: [SnapshotTrouble; 7] = [
        SnapshotTrouble::Unreachable,
        SnapshotTrouble::Refused,
        SnapshotTrouble::Unanswered,
        SnapshotTrouble::Torn,
        SnapshotTrouble::Garbled,
        SnapshotTrouble::Unfit,
        SnapshotTrouble::Fruitless,
    ];

    /// From its number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|one| *one as u64 == number)
    }
}

/// Notices that wait to be taken. An input causes a handful at most, and its owner takes them before the next one: that none
/// finds no room, `tests/it/feed` sees in random worlds.
#[derive(Debug, Default)]
pub(super) struct Notices {
    waiting: [Option<Notice>; Self::MOST],
    first: usize,
    count: usize,
    /// One found no room.
    overrun: bool,
}

impl Notices {
    const MOST: usize = 16;

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0 && !self.overrun
    }

    /// False: there was no room. Whoever takes the notices learns of that in its turn.
    pub(super) fn push(&mut self, notice: Notice) -> bool {
        let at = self.first.wrapping_add(self.count) % Self::MOST;
        match self.waiting.get_mut(at) {
            Some(place) if self.count < Self::MOST && !self.overrun => {
                *place = Some(notice);
                self.count = self.count.wrapping_add(1);
                true
            }
            _ => {
                self.overrun = true;
                false
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Notice> {
        if self.count == 0 {
            return core::mem::take(&mut self.overrun).then_some(Notice::Overrun);
        }
        let notice = self.waiting.get_mut(self.first)?.take()?;
        self.first = self.first.wrapping_add(1) % Self::MOST;
        self.count = self.count.wrapping_sub(1);
        Some(notice)
    }
}

crate::value! {
    enum SnapshotTrouble {
        0 => Unreachable, 1 => Refused, 2 => Unanswered, 3 => Torn, 4 => Garbled, 5 => Unfit, 6 => Fruitless
    }
}

crate::value! {
    enum Notice {
        0 => GapOpened { first },
        1 => GapClosed,
        2 => Lost { first, count, locate },
        3 => Joined { first },
        4 => SnapshotBegin,
        5 => SnapshotEnd { next },
        6 => SnapshotFailed { why, next },
        7 => SnapshotAhead { next, lines },
        8 => SessionChanged,
        9 => EndOfSession,
        10 => SessionGoesOn,
        11 => MarketSilent { next, heard },
        12 => MarketBack { next, said },
        13 => JumpDropped { number, next, damaged },
        14 => LinesDiffer { sequence, line },
        15 => LineSilent(line),
        16 => LineBack(line),
        17 => Overrun,
    }
}

/// Those that wait, from the first on. Between inputs there are none.
impl State for Notices {
    fn save(&self, into: &mut dyn Save) {
        let Notices { waiting, first, count, overrun } = self;
        into.count(*count);
        let from_first = waiting.iter().cycle().skip(*first).take(*count);
        from_first.flatten().for_each(|notice| notice.put(into));
        overrun.put(into);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        *self = Notices::default();
        for _ in 0..from.count(Self::MOST)? {
            let _fits = self.push(from.value()?);
        }
        self.overrun = from.value()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Writer, assert_all_saved};

    #[test]
    fn what_finds_no_room_is_said_after_what_did() {
        let mut notices = Notices::default();
        for round in 0..3 {
            let waiting = |n| Notice::GapOpened { first: n };
            assert!((0..Notices::MOST as u64).all(|n| notices.push(waiting(n))));
            assert!(!notices.push(Notice::GapClosed) && !notices.push(Notice::SessionChanged));
            assert_eq!(notices.pop(), Some(waiting(0)), "{round}");
            assert!(!notices.push(Notice::GapClosed), "none may overtake the one that says so");
            assert!((1..Notices::MOST as u64).all(|n| notices.pop() == Some(waiting(n))));
            assert!(!notices.is_empty());
            assert_eq!((notices.pop(), notices.pop()), (Some(Notice::Overrun), None));
            assert!(notices.is_empty() && notices.push(Notice::GapClosed));
            assert_eq!((notices.pop(), notices.pop()), (Some(Notice::GapClosed), None));
        }
    }

    #[test]
    fn those_that_wait_are_saved_and_restored_wherever_the_first_is() {
        let lost = |locate| Notice::Lost { first: 3, count: 2, locate };
        let mut moved = Notices::default();
        (0..12).for_each(|n| assert!(moved.push(Notice::GapOpened { first: n }) && moved.pop().is_some()));
        let mut still = Notices::default();
        for notices in [&mut moved, &mut still] {
            let all =
                [lost(None), lost(Some(7)), Notice::LineBack(LineId::B), Notice::SnapshotBegin, Notice::GapClosed];
            assert!(all.into_iter().all(|notice| notices.push(notice)));
        }
        let saved = Writer::of(&moved);
        assert_eq!(Writer::of(&still), saved);
        still.overrun = true;
        assert_eq!(still.load(&mut Reader(&saved)), Ok(()));
        while let Some(notice) = moved.pop() {
            assert_eq!(still.pop(), Some(notice));
        }
        assert_eq!(still.pop(), None);
        let changes: [fn(&mut Notices); 3] = [|_| {}, |n| _ = n.push(Notice::GapClosed), |n| n.overrun = true];
        assert_all_saved(Notices::default, &changes);
    }

    #[test]
    fn every_trouble_comes_back_from_its_number() {
        for (number, trouble) in SnapshotTrouble::ALL.into_iter().enumerate() {
            assert_eq!(SnapshotTrouble::from_number(number as u64), Some(trouble));
        }
        assert_eq!(SnapshotTrouble::from_number(7), None);
    }
}
