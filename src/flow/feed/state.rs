//! The state of a feed: all of it but what it was configured with, and where the walk through an input stood that is over.

use super::trust::{Candidate, Pulse, Suspect};
use super::{Asked, Gap, Mold, Peek};
use crate::base::LoadError;

crate::value! { Pulse { heard, silent, stands } }
crate::value! { Gap { ripe, known, marked, attempts } }
crate::value! { Asked { first, end, until, answered } }
crate::value! { Suspect { number, agreed } }
crate::value! { Candidate { name, first, number, steps } }

crate::state! {
    [M: Peek] Mold[M] {
        plain, next, session, now, pulses, level, wary, recent, counters, window, known, raised, gap_open, counted, gap,
        asked, held, snapshot, begun, lost, damaged, end, end_heard, ended, dark, dark_said, behind, ahead, previous,
        candidate, suspect, jumped, differ_said, started, notices,
    } without { cursor, item, config, line } then between_inputs
}

impl<M: Peek> Mold<M> {
    /// No packet is walked through, and no message of a snapshot waits.
    fn between_inputs(&mut self) -> Result<(), LoadError> {
        self.cursor.open = false;
        self.item = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::release::Notice;
    use super::super::{FeedConfig, snapshot};
    use super::*;
    use crate::base::{Mono, Reader, State, Writer, assert_all_saved};
    use crate::flow::itch_line::ItchLine;

    type Lines = Mold<ItchLine>;

    fn feed() -> Lines {
        let snapshot = snapshot::tests::config();
        Mold::new(FeedConfig { window_messages: 4, snapshot: Some(snapshot), ..FeedConfig::default() }).unwrap()
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        const ASKED: Asked = Asked { first: 0, end: 0, until: Mono(0), answered: false };
        const SUSPECT: Suspect = Suspect { number: 0, agreed: false };
        const CANDIDATE: Candidate = Candidate { name: [0; 10], first: 0, number: 0, steps: 0 };
        let changes: [fn(&mut Lines); 58] = [
            |_| {},
            |f| f.plain = true,
            |f| f.next = 9,
            |f| f.session = Some([0; 10]),
            |f| f.session = Some([9; 10]),
            |f| f.now = Mono(9),
            |f| f.pulses[0].heard = Mono(9),
            |f| f.pulses[0].silent = true,
            |f| f.pulses[0].stands = 9,
            |f| f.pulses[1].heard = Mono(9),
            |f| f.level = Mono(9),
            |f| f.wary = false,
            |f| _ = f.recent.note(1, b"a", true),
            |f| _ = f.window.store(1, 1, b"a", Mono(0)),
            |f| f.known = 9,
            |f| f.raised = Mono(9),
            |f| f.gap_open = true,
            |f| f.counted = true,
            |f| f.gap.ripe = 9,
            |f| f.gap.known = 9,
            |f| f.gap.marked = Mono(9),
            |f| f.gap.attempts = 9,
            |f| f.asked = Some(ASKED),
            |f| f.asked = Some(Asked { first: 9, ..ASKED }),
            |f| f.asked = Some(Asked { end: 9, ..ASKED }),
            |f| f.asked = Some(Asked { until: Mono(9), ..ASKED }),
            |f| f.asked = Some(Asked { answered: true, ..ASKED }),
            |f| f.held = true,
            |f| f.counters.gaps = 9,
            |f| f.counters.lines[2].won = 9,
            |f| _ = f.wish(),
            |f| f.begun = true,
            |f| f.lost.0 = 9,
            |f| f.lost.1 = 9,
            |f| f.damaged = true,
            |f| f.end = Some(0),
            |f| f.end = Some(9),
            |f| f.end_heard = Mono(9),
            |f| f.ended = true,
            |f| f.dark = false,
            |f| f.dark_said = true,
            |f| f.behind = Some(Mono(0)),
            |f| f.behind = Some(Mono(9)),
            |f| f.ahead = true,
            |f| f.previous = Some([0; 10]),
            |f| f.previous = Some([9; 10]),
            |f| f.candidate = Some(CANDIDATE),
            |f| f.candidate = Some(Candidate { name: [9; 10], ..CANDIDATE }),
            |f| f.candidate = Some(Candidate { first: 9, ..CANDIDATE }),
            |f| f.candidate = Some(Candidate { number: 9, ..CANDIDATE }),
            |f| f.candidate = Some(Candidate { steps: 9, ..CANDIDATE }),
            |f| f.suspect = Some(SUSPECT),
            |f| f.suspect = Some(Suspect { number: 9, ..SUSPECT }),
            |f| f.suspect = Some(Suspect { agreed: true, ..SUSPECT }),
            |f| f.jumped = Some(9),
            |f| f.differ_said = true,
            |f| f.started = true,
            |f| _ = f.notices.push(Notice::GapClosed),
        ];
        assert_all_saved(feed, &changes);
    }

    #[test]
    fn a_feed_without_a_snapshot_server_takes_no_state_of_one_with_it() {
        let with = Writer::of(&feed());
        let mut without: Lines = Mold::new(FeedConfig { window_messages: 4, ..FeedConfig::default() }).unwrap();
        let refused = without.load(&mut Reader(&with));
        assert_eq!(refused, Err(LoadError::Capacity { of: "Mold.snapshot", built: 0, saved: 1 }));
    }
}
