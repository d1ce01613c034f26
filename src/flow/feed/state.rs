//! What of a feed can change a later release: all of it but what it has counted, what it was configured with, and where
//! the walk through an input stood that is over.

use super::trust::{Candidate, Pulse, Suspect};
use super::{Asked, Gap, MarketLine, Mold};
use crate::base::Digest;

impl<M: MarketLine> Mold<M> {
    /// Feeds every value that can change a later release. To be called between inputs.
    pub fn digest(&self, into: &mut Digest) {
        let Mold {
            plain,
            next,
            cursor: _,
            session,
            now,
            pulses,
            level,
            wary,
            recent,
            counters: _,
            window,
            known,
            raised,
            gap_open,
            counted,
            gap,
            asked,
            held,
            snapshot,
            item: _,
            begun,
            lost: (lost_first, lost_end),
            damaged,
            end,
            end_heard,
            ended,
            dark,
            dark_said,
            behind,
            ahead,
            previous,
            candidate,
            suspect,
            jumped,
            differ_said,
            started,
            notices,
            config: _,
            line: _,
        } = self;
        let flags =
            [plain, wary, gap_open, counted, held, begun, damaged, ended, dark, dark_said, ahead, differ_said, started];
        flags.into_iter().for_each(|flag| into.bytes(&[u8::from(*flag)]));
        let mut put = |number: u64| into.u64(number);
        [*next, *known, now.0, level.0, raised.0, end_heard.0, *lost_first, *lost_end].into_iter().for_each(&mut put);
        for Pulse { heard, silent, stands } in pulses {
            [heard.0, u64::from(*silent), *stands].into_iter().for_each(&mut put);
        }
        let Gap { ripe, known, marked, attempts } = gap;
        [*ripe, *known, marked.0, u64::from(*attempts)].into_iter().for_each(&mut put);
        if some(asked.is_some(), into)
            && let Some(Asked { first, end, until, answered }) = asked
        {
            [*first, *end, until.0, u64::from(*answered)].into_iter().for_each(|number| into.u64(number));
        }
        if some(suspect.is_some(), into)
            && let Some(Suspect { number, agreed }) = suspect
        {
            [*number, u64::from(*agreed)].into_iter().for_each(|number| into.u64(number));
        }
        for number in [*end, *jumped, behind.map(|since| since.0)] {
            some(number.is_some(), into);
            into.u64(number.unwrap_or_default());
        }
        if some(candidate.is_some(), into)
            && let Some(Candidate { name, first, number, steps }) = candidate
        {
            into.bytes(name);
            [*first, *number, u64::from(*steps)].into_iter().for_each(|number| into.u64(number));
        }
        for name in [session, previous] {
            some(name.is_some(), into);
            into.bytes(&name.unwrap_or_default());
        }
        recent.digest(into);
        window.digest(*next, into);
        notices.digest(into);
        if some(snapshot.is_some(), into)
            && let Some(snapshot) = snapshot
        {
            snapshot.digest(into);
        }
    }
}

/// Is there one?
fn some(is_some: bool, into: &mut Digest) -> bool {
    into.bytes(&[u8::from(is_some)]);
    is_some
}

#[cfg(test)]
mod tests {
    use super::super::release::Notice;
    use super::super::{FeedConfig, snapshot};
    use super::*;
    use crate::base::{Mono, first_repeated};
    use crate::flow::itch_line::ItchLine;
    use std::vec::Vec;

    type Lines = Mold<ItchLine>;

    fn feed() -> Lines {
        let snapshot = snapshot::tests::config();
        Mold::new(FeedConfig { window_messages: 4, snapshot: Some(snapshot), ..FeedConfig::default() }).unwrap()
    }

    #[test]
    fn the_digest_sees_every_field() {
        const ASKED: Asked = Asked { first: 0, end: 0, until: Mono(0), answered: false };
        const SUSPECT: Suspect = Suspect { number: 0, agreed: false };
        const CANDIDATE: Candidate = Candidate { name: [0; 10], first: 0, number: 0, steps: 0 };
        let changes: [fn(&mut Lines); 57] = [
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
            |f| f.snapshot = None,
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
        let digests: Vec<u64> = changes
            .iter()
            .map(|change| {
                let mut feed = feed();
                change(&mut feed);
                Digest::of_state(|into| feed.digest(into))
            })
            .collect();
        assert_eq!(first_repeated(&digests), None);
    }
}
