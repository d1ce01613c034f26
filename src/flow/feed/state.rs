//! What of a feed can change a later release: all of it but what it has counted, what it was configured with, and where
//! the walk through an input stood that is over.

use super::trust::{Candidate, Pulse, Suspect};
use super::{Asked, Feed, Gap, MarketLine};
use crate::base::Digest;

impl<M: MarketLine> Feed<M> {
    /// Feeds every value that can change a later release. To be called between inputs.
    pub fn digest(&self, into: &mut Digest) {
        let Feed {
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
            && let Some(Candidate { name, number, steps }) = candidate
        {
            into.bytes(name);
            [*number, u64::from(*steps)].into_iter().for_each(|number| into.u64(number));
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
