//! How often a socket is looked at that mostly has nothing.
//!
//! A receive call that finds nothing takes four times as long as all else in a duty cycle, and while it lasts nothing that comes is
//! heard. So a duty cycle in which nothing happens makes one call: on the line that leads. The others have their turn in some
//! cycles, and in each one in which anything happened.
//!
//! ```text
//!   cycle     1   2   3   4   5   6   7   8
//!   lead      x   x   x   x   x   x   x   x
//!   second                x               x      and behind each datagram of the lead
//!   orders        x               x              and whenever something came, or an answer is awaited
//! ```
//!
//! That is for cycles of a fraction of a microsecond. Whoever sleeps between two, or was not run for a while, looks at
//! everything: see [`Pace`].

use crate::base::{LineId, Mono, Nanos, VenueId};
use crate::shell::net::UdpLine;
use std::io;

/// While nothing happens, the line that does not lead is looked at in one duty cycle of so many, and the order session is.
pub(super) const TURNS: u32 = 4;
/// The order session's turn among them; the second line's is 0.
const ORDERS_TURN: u32 = 2;
/// Datagrams of one line in one duty cycle, before the other line's turn.
const BURST: usize = 16;
/// By so many datagrams at most a line is ahead: what the other one has lost long ago keeps no dead line in the lead.
const LEAD: usize = 4 * BURST;
/// Duty cycles for which an answer of the venue's is waited for.
const AWAITED: u32 = 50_000;
/// Duty cycles for which there may be more after something came.
const MORE: u32 = 256;

/// A duty cycle that takes longer is no spinning thread's.
const LONG: Nanos = Nanos(2_000);

/// How long duty cycles take, by one reading of the clock in each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    last: Mono,
    slow: bool,
}

impl Pace {
    /// This cycle has come to `now`.
    #[inline]
    pub(super) fn tick(&mut self, now: Mono) {
        self.slow = now.since(self.last) > LONG;
        self.last = now;
    }

    /// Did it take long to come here from the cycle before?
    #[inline]
    pub(super) fn is_slow(self) -> bool {
        self.slow
    }
}

/// What a line is read from.
pub(super) trait Receive {
    /// The next datagram, if there is one.
    fn receive(&mut self) -> io::Result<Option<&[u8]>>;
}

impl Receive for UdpLine {
    #[inline]
    fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        self.receive().map_err(|error| io::Error::new(error.kind(), format!("a market-data line is lost: {error}")))
    }
}

/// The lines of a venue, of which one leads: the one that has said more since it leads. Both say the same, and the later of them is
/// heard behind the other one however late it is: only who says what the other has not said takes the lead.
///
/// So a line that dies leads until the other one has made up for its [`lead`](LEAD), each datagram of which is heard no later than
/// [`TURNS`] duty cycles after it came.
pub(super) struct Lines<S> {
    pub(super) venue: VenueId,
    /// None, A alone, or A and B.
    sockets: Box<[S]>,
    lead: usize,
    /// By so many datagrams it is ahead of the other one.
    ahead: usize,
    cycle: u32,
}

/// What came of a look at the lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Heard {
    /// Datagrams.
    pub(super) datagrams: usize,
    /// No more may be taken.
    pub(super) stopped: bool,
}

impl<S: Receive> Lines<S> {
    pub(super) fn new(venue: VenueId, sockets: Vec<S>) -> Self {
        Lines { venue, sockets: sockets.into(), lead: 0, ahead: 0, cycle: 0 }
    }

    /// The lines and their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (LineId, &S)> {
        [LineId::A, LineId::B].into_iter().zip(&self.sockets)
    }

    /// Some datagrams of the line that leads, and of the other one if it has its turn or `all` are looked at. `take` says whether it may be given another.
    ///
    /// # Errors
    /// What a socket says, if it is of no more use, and what `take` says.
    #[inline]
    pub(super) fn poll<E: From<io::Error>>(
        &mut self,
        all: bool,
        mut take: impl FnMut(LineId, &[u8]) -> Result<bool, E>,
    ) -> Result<Heard, E> {
        self.cycle = self.cycle.wrapping_add(1);
        let lead = self.burst(self.lead, &mut take)?;
        self.ahead = (self.ahead + lead.datagrams).min(LEAD);
        let its_turn = all || lead.datagrams > 0 || self.cycle.is_multiple_of(TURNS);
        if lead.stopped || !its_turn {
            return Ok(lead);
        }
        let second = self.burst(self.lead ^ 1, &mut take)?;
        match self.ahead.checked_sub(second.datagrams) {
            Some(ahead) => self.ahead = ahead,
            None => {
                self.lead ^= 1;
                self.ahead = second.datagrams - self.ahead;
            }
        }
        Ok(Heard { datagrams: lead.datagrams + second.datagrams, stopped: second.stopped })
    }

    #[inline]
    fn burst<E: From<io::Error>>(
        &mut self,
        number: usize,
        take: &mut impl FnMut(LineId, &[u8]) -> Result<bool, E>,
    ) -> Result<Heard, E> {
        let mut heard = Heard::default();
        let Some(socket) = self.sockets.get_mut(number) else { return Ok(heard) };
        let id = if number == 0 { LineId::A } else { LineId::B };
        while heard.datagrams < BURST
            && !heard.stopped
            && let Some(datagram) = socket.receive()?
        {
            heard.datagrams += 1;
            heard.stopped = !take(id, datagram)?;
        }
        Ok(heard)
    }
}

/// When to look at the order session of a venue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attention {
    cycle: u32,
    /// For so many more cycles something is to be expected.
    busy: u32,
}

impl Attention {
    /// Is it looked at in this duty cycle, in which so far nothing happened, or something did?
    #[inline]
    pub(super) fn is_due(&mut self, nothing_happened: bool) -> bool {
        self.cycle = self.cycle.wrapping_add(1);
        self.busy = self.busy.saturating_sub(1);
        !nothing_happened || self.busy > 0 || self.cycle % TURNS == ORDERS_TURN
    }

    /// Something was sent: the venue will answer.
    #[inline]
    pub(super) fn sent(&mut self) {
        self.busy = AWAITED;
    }

    /// Something came.
    #[inline]
    pub(super) fn heard(&mut self) {
        self.busy = MORE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// What waits on a line, and how often somebody looked.
    #[derive(Default)]
    struct Script {
        waiting: VecDeque<Vec<u8>>,
        last: Vec<u8>,
        looks: usize,
    }

    impl Receive for Script {
        fn receive(&mut self) -> io::Result<Option<&[u8]>> {
            self.looks += 1;
            match self.waiting.pop_front() {
                Some(datagram) if datagram == b"dead" => Err(io::Error::other("dead")),
                Some(datagram) => {
                    self.last = datagram;
                    Ok(Some(&self.last))
                }
                None => Ok(None),
            }
        }
    }

    struct Rig {
        lines: Lines<Script>,
        next: u8,
        all: bool,
    }

    impl Rig {
        fn new(lines: usize) -> Self {
            let sockets = (0..lines).map(|_| Script::default()).collect();
            Rig { lines: Lines::new(VenueId::FIRST, sockets), next: 0, all: false }
        }

        /// The next datagram comes on these lines.
        fn comes(&mut self, on: &[usize]) {
            self.next = self.next.wrapping_add(1);
            on.iter().for_each(|line| self.lines.sockets[*line].waiting.push_back(vec![self.next]));
        }

        /// One duty cycle: what came, on which line.
        fn cycle(&mut self) -> Vec<(LineId, u8)> {
            let mut all = Vec::new();
            let heard = self
                .lines
                .poll(self.all, |line, bytes| {
                    all.push((line, bytes[0]));
                    Ok::<_, io::Error>(true)
                })
                .unwrap();
            assert_eq!(heard, Heard { datagrams: all.len(), stopped: false });
            all
        }

        fn looks(&self) -> Vec<usize> {
            self.lines.sockets.iter().map(|socket| socket.looks).collect()
        }
    }

    #[test]
    fn cycles_in_which_nothing_happens_look_at_the_lead_and_now_and_then_at_the_other() {
        let mut rig = Rig::new(2);
        (0..4 * TURNS).for_each(|_| assert!(rig.cycle().is_empty()));
        assert_eq!(rig.looks(), [16, 4]);
        let mut alone = Rig::new(1);
        (0..8).for_each(|_| assert!(alone.cycle().is_empty()));
        alone.comes(&[0]);
        assert_eq!((alone.cycle(), alone.looks()), (vec![(LineId::A, 1)], vec![10]));
        assert!(Rig::new(0).cycle().is_empty(), "a venue whose market comes over a stream");
        assert_eq!(Rig::new(2).lines.iter().map(|(id, _)| id).collect::<Vec<_>>(), [LineId::A, LineId::B]);
    }

    #[test]
    fn whoever_sleeps_between_two_cycles_looks_at_both_lines_in_each() {
        let mut rig = Rig { all: true, ..Rig::new(2) };
        (0..5).for_each(|_| assert!(rig.cycle().is_empty()));
        assert_eq!(rig.looks(), [5, 5]);
        rig.comes(&[1]);
        assert_eq!(rig.cycle(), [(LineId::B, 1)]);
    }

    #[test]
    fn a_cycle_is_slow_that_took_longer_than_spinning_does() {
        let mut pace = Pace::default();
        let slow = [5_000_000, 5_000_300, 5_002_300, 5_004_301, 5_004_600].map(|now| {
            pace.tick(Mono(now));
            pace.is_slow()
        });
        assert_eq!(slow, [true, false, false, true, false], "the first, and one of 2,001 ns");
    }

    #[test]
    fn the_other_line_is_heard_in_the_same_cycle_as_the_lead() {
        let mut rig = Rig::new(2);
        for n in 1..=7 {
            rig.comes(&[0, 1]);
            assert_eq!(rig.cycle(), [(LineId::A, n), (LineId::B, n)], "never later than before");
        }
        // What the lead misses is heard behind what it has next.
        rig.comes(&[1]);
        rig.comes(&[0, 1]);
        assert_eq!(rig.cycle(), [(LineId::A, 9), (LineId::B, 8), (LineId::B, 9)]);
    }

    #[test]
    fn the_line_that_is_always_a_bit_behind_never_leads() {
        let mut rig = Rig::new(2);
        for n in 1..=40 {
            rig.comes(&[0]);
            assert_eq!(rig.cycle(), [(LineId::A, n)]);
            rig.lines.sockets[1].waiting.push_back(vec![n]);
            while rig.cycle().is_empty() {}
        }
        assert_eq!((rig.lines.lead, rig.lines.ahead), (0, 0));
    }

    #[test]
    fn a_line_that_lost_much_and_one_that_lost_much_long_ago_have_the_lead_for_a_while_at_most() {
        let mut rig = Rig::new(2);
        for _ in 0..3 * LEAD {
            rig.comes(&[0]);
            rig.cycle();
        }
        assert_eq!((rig.lines.lead, rig.lines.ahead), (0, LEAD), "line B was dead for long");
        for n in 1..=LEAD {
            rig.comes(&[1]);
            while rig.cycle().is_empty() {}
            assert_eq!((rig.lines.lead, rig.lines.ahead), (0, LEAD - n), "line A is dead, and leads for so many more");
        }
        rig.comes(&[1]);
        while rig.cycle().is_empty() {}
        assert_eq!((rig.lines.lead, rig.lines.ahead), (1, 1));
    }

    #[test]
    fn a_dead_line_costs_a_few_empty_cycles_once_and_no_datagram() {
        for phase in 0..TURNS {
            let mut rig = Rig::new(2);
            rig.comes(&[0, 1]);
            rig.cycle();
            (0..phase).for_each(|_| assert!(rig.cycle().is_empty()));
            // From here on line A says nothing any more.
            rig.comes(&[1]);
            rig.comes(&[1]);
            let waited = (1..).find(|_| {
                let heard = rig.cycle();
                assert!(heard.is_empty() || heard == [(LineId::B, 2), (LineId::B, 3)]);
                !heard.is_empty()
            });
            assert!((1..=TURNS as usize).contains(&waited.unwrap()), "phase {phase}: {waited:?} cycles");
            for n in 4..40 {
                rig.comes(&[1]);
                assert_eq!(rig.cycle(), [(LineId::B, n)], "phase {phase}: at once, from the second on");
            }
            // It comes back, and leads again when it has said as much more as the other one had.
            rig.comes(&[0, 1]);
            assert_eq!(rig.cycle(), [(LineId::B, 40), (LineId::A, 40)]);
            let behind = rig.lines.ahead;
            for _ in 0..=behind {
                assert_eq!(rig.lines.lead, 1, "phase {phase}");
                rig.comes(&[0]);
                let waited = (1..).find(|_| !rig.cycle().is_empty()).unwrap();
                assert!(waited <= TURNS, "phase {phase}: {waited} cycles");
            }
            rig.comes(&[0]);
            assert_eq!((rig.lines.lead, rig.cycle().len()), (0, 1), "phase {phase}: at once");
        }
    }

    #[test]
    fn a_burst_ends_and_so_does_a_line() {
        let mut rig = Rig::new(2);
        (0..BURST + 3).for_each(|_| rig.comes(&[0]));
        rig.comes(&[1]);
        let heard = rig.cycle();
        assert_eq!((heard.len(), heard[BURST].0), (BURST + 1, LineId::B), "the other line has its turn behind a burst");
        assert_eq!(rig.cycle().len(), 3);
        // Whoever takes no more gets no more, of either line.
        (0..3).for_each(|_| rig.comes(&[0, 1]));
        let heard = rig.lines.poll(false, |_, _| Ok::<_, io::Error>(false)).unwrap();
        assert_eq!(heard, Heard { datagrams: 1, stopped: true });
        assert_eq!(rig.cycle().len(), 5);
        for line in [0, 1] {
            rig.lines.sockets[line].waiting.push_back(b"dead".to_vec());
            let error = (0..TURNS).find_map(|_| rig.lines.poll(false, |_, _| Ok::<_, io::Error>(true)).err());
            assert_eq!(error.unwrap().to_string(), "dead");
        }
        rig.comes(&[0]);
        assert!(rig.lines.poll(false, |_, _| Err(io::Error::other("no"))).is_err());
    }

    #[test]
    fn the_order_session_is_looked_at_while_an_answer_is_awaited_and_else_in_its_turn() {
        let mut attention = Attention::default();
        let looks = |attention: &mut Attention, cycles: u32, quiet: bool| {
            (0..cycles).filter(|_| attention.is_due(quiet)).count() as u32
        };
        assert_eq!(looks(&mut attention, 4 * TURNS, true), 4);
        assert_eq!(looks(&mut attention, 40, false), 40, "whenever something happened");
        attention.sent();
        assert_eq!(looks(&mut attention, AWAITED - 1, true), AWAITED - 1);
        assert_eq!(looks(&mut attention, 4 * TURNS, true), 4, "and no longer");
        attention.sent();
        attention.heard();
        assert_eq!(looks(&mut attention, MORE - 1, true), MORE - 1);
        assert_eq!(looks(&mut attention, 4 * TURNS, true), 4);
    }
}
