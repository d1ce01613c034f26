//! What a tape tells of the books that orders were decided on.

use firelane_gateway::flow::record::{Alert, AlertBody, DecisionBody, Kind};
use firelane_gateway::shell::log::FileReader;
use std::collections::BTreeMap;
use std::path::Path;
use zerocopy::FromBytes;

/// What makes every book, or one, unfit to trade on, as a tape tells of it.
#[derive(Default)]
struct Doubts {
    killed: bool,
    gap: bool,
    snapshot: bool,
    ended: bool,
    /// Every line is, or they say what does not follow.
    market_silent: bool,
    /// Of a line each.
    silent: [bool; 2],
    /// Damage, until a snapshot; `u32::MAX` is every book's.
    damaged: BTreeMap<u32, &'static str>,
}

impl Doubts {
    fn on_alert(&mut self, body: &AlertBody) {
        let is = |alert: Alert| body.alert.get() == alert as u16;
        let line = usize::try_from(body.first.get()).unwrap_or(usize::MAX);
        if is(Alert::GapOpened) || is(Alert::GapClosed) {
            self.gap = is(Alert::GapOpened);
        } else if is(Alert::SnapshotBegin) || is(Alert::SnapshotEnd) {
            self.snapshot = is(Alert::SnapshotBegin);
            self.damaged.clear();
        } else if is(Alert::LineSilent) || is(Alert::LineBack) {
            if let Some(silent) = self.silent.get_mut(line) {
                *silent = is(Alert::LineSilent);
            }
        } else if is(Alert::Killed) || is(Alert::Released) {
            self.killed = is(Alert::Killed);
        } else if is(Alert::MarketSilent) || is(Alert::MarketBack) {
            self.market_silent = is(Alert::MarketSilent);
        } else if is(Alert::SessionChanged) {
            *self = Doubts { silent: self.silent, killed: self.killed, ..Doubts::default() };
        } else if is(Alert::EndOfSession) || is(Alert::SessionGoesOn) {
            self.ended = is(Alert::EndOfSession);
        } else if is(Alert::FeedOverrun) {
            self.damaged.insert(u32::MAX, "overrun");
        } else if is(Alert::Lost) || is(Alert::Joined) || is(Alert::BookFault) {
            self.damaged.insert(body.instrument.get(), "damaged");
        }
    }

    fn about(&self, instrument: u32) -> Option<&'static str> {
        let of_all = [
            (self.killed, "the kill switch"),
            (self.market_silent, "a market that says nothing that follows"),
            (self.gap, "a gap"),
            (self.snapshot, "an unfinished snapshot"),
            (self.ended, "the end of the session"),
            (self.silent == [true; 2], "silence of both lines"),
        ];
        let of_all = of_all.into_iter().find_map(|(is, why)| is.then_some(why));
        let damaged = || self.damaged.get(&u32::MAX).or_else(|| self.damaged.get(&instrument)).copied();
        of_all.or_else(damaged)
    }
}

/// Orders and replaces that a tape says were approved; none of them on a book that might have been wrong. The tape of a
/// gateway that was killed ends anywhere; every other is `whole`.
pub(super) fn orders_on_good_books(tape: &Path, whole: bool) -> u64 {
    let mut reader = FileReader::new(std::io::BufReader::new(std::fs::File::open(tape).unwrap())).unwrap();
    let (mut doubts, mut orders) = (Doubts::default(), 0);
    loop {
        let record = match reader.next_record() {
            Ok(Some(record)) => record,
            Ok(None) => return orders,
            Err(error) => {
                assert!(!whole, "{}: {error}", tape.display());
                return orders;
            }
        };
        match record.kind {
            Some(Kind::Alert) => doubts.on_alert(AlertBody::ref_from_bytes(&record.body).unwrap()),
            Some(Kind::Decision) => {
                let body = DecisionBody::ref_from_bytes(&record.body).unwrap();
                if body.refusal.get() == 0 && matches!(body.action, b'E' | b'R') {
                    orders += 1;
                    let doubt = doubts.about(body.instrument.get());
                    assert_eq!(doubt, None, "{}: {body:?} in spite of it", tape.display());
                }
            }
            _ => {}
        }
    }
}
