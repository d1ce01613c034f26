//! How others command a lane: an inbox for each commander, with an identity that the log records. None is full for another.
//!
//! ```text
//!  commander ─ send ─> inbox ─┐  (in turn)
//!  commander ─ send ─> inbox ─┴─> lane ─> tape ─> board ─ answer ─> commander
//! ```

use super::board::{Answered, SharedBoard};
use crate::base::Mono;
use crate::flow::command::{Command, CommandBuf, Commander, To, Word};
use crate::shell::sync::{Counter, KillSwitch};
use crossbeam_queue::ArrayQueue;
use std::sync::Arc;

/// What waits in one inbox.
pub(super) type Waiting = Arc<ArrayQueue<CommandBuf>>;

/// An inbox is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the lane's inbox is full ({0} commands wait in it): it may be stuck; control.commands is how many it holds")]
pub struct InboxFull(pub usize);

/// Where one commander's commands go in. Clones are the same inbox; from any thread, without waiting.
#[derive(Clone, Debug)]
pub struct Inbox {
    from: Commander,
    waiting: Waiting,
    tickets: Counter,
    kill: KillSwitch,
    board: SharedBoard,
}

impl Inbox {
    pub(super) fn new(from: Commander, capacity: usize, kill: &KillSwitch, board: &SharedBoard) -> Self {
        Inbox {
            from,
            waiting: Arc::new(ArrayQueue::new(capacity)),
            tickets: Counter::default(),
            kill: kill.clone(),
            board: board.clone(),
        }
    }

    /// Whose it is. All that comes through it is said by him.
    #[must_use]
    pub fn from(&self) -> Commander {
        self.from
    }

    /// Says a word, for as long as `expires` says, on the lane's clock. Answers the command's ticket: see
    /// [`answer`](Self::answer).
    ///
    /// [`Word::Kill`] and [`Word::Release`] to the whole lane act at once on the shell's switch, also where the inbox is
    /// full; the command follows for the log and the answer.
    ///
    /// # Errors
    /// [`InboxFull`]: the lane does not hear of it.
    pub fn send(&self, to: To, expires: Mono, word: Word<'_>) -> Result<u64, InboxFull> {
        let command = Command { from: self.from, ticket: self.tickets.next(), to, expires, word };
        // First the switch: whoever sees the command also sees it.
        match (word, to) {
            (Word::Kill, To::LANE) => self.kill.throw(),
            (Word::Release, To::LANE) => self.kill.release(),
            _ => {}
        }
        self.push(CommandBuf::of(&command))?;
        Ok(command.ticket)
    }

    /// What became of a command, once it is known. `None`: not yet, or long ago (the board keeps the last few hundred), or the
    /// tape was full just then (the log has it).
    #[must_use]
    pub fn answer(&self, ticket: u64) -> Option<Answered> {
        self.board.lock().answer(self.from, ticket).cloned()
    }

    pub(super) fn push(&self, command: CommandBuf) -> Result<(), InboxFull> {
        self.waiting.push(command).map_err(|_| InboxFull(self.waiting.capacity()))
    }

    pub(super) fn waiting(&self) -> &Waiting {
        &self.waiting
    }
}

/// The lane's end of all of them: one command of each in turn.
#[derive(Debug)]
pub(super) struct Inboxes {
    all: Box<[Waiting]>,
    turn: usize,
}

impl Inboxes {
    pub(super) fn new(all: &[Inbox]) -> Self {
        Inboxes { all: all.iter().map(|inbox| Arc::clone(inbox.waiting())).collect(), turn: 0 }
    }

    /// The next command. `None`: nobody has one.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<CommandBuf> {
        for _ in 0..self.all.len() {
            let inbox = &self.all[self.turn];
            self.turn = if self.turn + 1 == self.all.len() { 0 } else { self.turn + 1 };
            if let Some(command) = inbox.pop() {
                return Some(command);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::VenueId;

    fn inboxes(capacity: usize) -> (Vec<Inbox>, Inboxes, KillSwitch) {
        let (kill, board) = (KillSwitch::new(), SharedBoard::default());
        let all: Vec<_> = [0, 1, 7].map(|n| Inbox::new(Commander(n), capacity, &kill, &board)).into();
        let ends = Inboxes::new(&all);
        (all, ends, kill)
    }

    #[test]
    fn each_has_its_turn_and_says_who_speaks() {
        let (all, mut ends, _) = inboxes(8);
        for (inbox, count) in all.iter().zip([1, 5, 2]) {
            for n in 1..=count {
                assert_eq!(inbox.send(To::LANE, Mono::NEVER, Word::Enable), Ok(n), "its own numbers");
            }
        }
        let mut order = Vec::new();
        while let Some(command) = ends.pop() {
            let command = command.read();
            order.push((command.from.0, command.ticket));
        }
        assert_eq!(order, [(0, 1), (1, 1), (7, 1), (1, 2), (7, 2), (1, 3), (1, 4), (1, 5)]);
    }

    #[test]
    fn one_that_is_full_says_so_and_hinders_no_other() {
        let (all, mut ends, kill) = inboxes(2);
        let flood = |inbox: &Inbox| inbox.send(To::LANE, Mono::NEVER, Word::Enable);
        assert_eq!((flood(&all[1]), flood(&all[1]), flood(&all[1])), (Ok(1), Ok(2), Err(InboxFull(2))));
        assert!(InboxFull(2).to_string().starts_with("the lane's inbox is full (2 "));
        assert_eq!(flood(&all[2]), Ok(1));
        // A switch needs no room.
        assert!(all[1].send(To::LANE, Mono::NEVER, Word::Kill).is_err() && kill.is_thrown());
        assert!(all[1].send(To::venue(VenueId(0)), Mono::NEVER, Word::Release).is_err() && kill.is_thrown());
        assert!(all[1].send(To::LANE, Mono::NEVER, Word::Release).is_err() && !kill.is_thrown());
        assert_eq!(ends.pop().unwrap().read().from, Commander(1));
        assert!(flood(&all[1]).is_ok(), "there is room again");
    }
}
