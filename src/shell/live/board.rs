//! What is known of a running lane: the latest status, what happened, how long orders took. Kept by the tape's agent,
//! read by whoever wants to know; the lane itself is never looked into.

use super::link::{Link, link_of};
use crate::base::{ClientId, InstrumentId, Mono, Name, SessionId, Token, VenueId};
use crate::flow::command::Commander;
use crate::flow::orders::{Anomaly, AnomalyKind, ReportKind};
use crate::flow::record::command::{Answer, Said};
use crate::flow::record::{
    Alert, AlertBody, AnomalyBody, Kind, LinkBody, RecordHeader, StatusBody, TraceBody, VenueStatusBody,
};
use crate::shell::counters::counts;
use crate::shell::latency::Latency;
use crate::shell::net::Why;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use zerocopy::FromBytes;

/// Something that a person may want to hear of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// An alert of the lane.
    Alert {
        /// Which.
        alert: Alert,
        /// At which venue, if it is about one.
        venue: Option<VenueId>,
        /// What it is about, if it is about one.
        instrument: Option<InstrumentId>,
        /// Its name.
        name: Name,
        /// See [`Alert`].
        first: u64,
        /// See [`Alert`].
        second: u64,
    },
    /// The venue said what cannot be, the first of its kind.
    Anomaly {
        /// What.
        anomaly: Anomaly,
        /// In which instrument, or spaces.
        name: Name,
        /// Trading was stopped for it.
        stops: bool,
    },
    /// A connection is up (`None`), or it is gone or could not be made.
    Link(VenueId, SessionId, Option<Why>),
}

/// Notices that wait for a reader; the oldest go first.
const NOTICES: usize = 4_096;
/// Answers that are kept.
const ANSWERS: usize = 512;

/// What became of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// When, on the lane's clock.
    pub at: Mono,
    /// Who gave it.
    pub from: Commander,
    /// His number for it.
    pub ticket: u64,
    /// What became of it.
    pub said: Said,
    /// Why, in words; empty unless it was rejected.
    pub why: String,
}

/// What the tape has said.
#[derive(Debug, Default)]
pub struct Board {
    /// The latest.
    pub status: StatusBody,
    /// When that was, on the lane's clock.
    pub status_at: Mono,
    /// The latest of each venue, of a lane that has several.
    pub venues: Vec<VenueStatusBody>,
    counters: Vec<u8>,
    /// How long orders took.
    pub latency: Latency,
    /// Alerts so far.
    pub alerts: u64,
    notices: VecDeque<(Mono, Notice)>,
    /// The last answers to commands with a ticket.
    answers: VecDeque<Answered>,
    /// Notices that nobody read in time.
    pub missed: u64,
    /// Why the log's file could not be written any more.
    pub log_error: Option<String>,
    /// Why the tape's file could not be written any more.
    pub tape_error: Option<String>,
    /// Records of the tape that are not in its file for that.
    pub tape_unwritten: u64,
}

impl Board {
    fn on_record(&mut self, record: &[u8]) {
        let Ok((header, body)) = RecordHeader::ref_from_prefix(record) else { return };
        let at = Mono(header.time.get());
        match Kind::from_byte(header.kind) {
            Some(Kind::Trace) => {
                if let Ok(body) = TraceBody::ref_from_bytes(body) {
                    self.latency.record(body);
                }
            }
            Some(Kind::Status) => {
                if let Ok(body) = StatusBody::read_from_bytes(body) {
                    (self.status, self.status_at) = (body, at);
                }
            }
            Some(Kind::VenueStatus) => {
                let Ok(body) = VenueStatusBody::read_from_bytes(body) else { return };
                let (venue, none) = (usize::from(body.venue), VenueStatusBody::default());
                self.venues.resize(self.venues.len().max(venue + 1), none);
                self.venues[venue] = body;
            }
            Some(Kind::Counters) => {
                self.counters.clear();
                self.counters.extend_from_slice(body);
            }
            Some(Kind::Alert) => {
                let Ok(body) = AlertBody::ref_from_bytes(body) else { return };
                let Some(alert) = Alert::from_number(body.alert.get()) else { return };
                self.alerts += 1;
                let instrument = Some(body.instrument.get()).filter(|id| *id != u32::MAX).map(InstrumentId);
                let (first, second) = (body.first.get(), body.second.get());
                let venue = Some(body.venue).filter(|venue| *venue != u8::MAX).map(VenueId);
                let name = Name(body.name);
                self.note(at, Notice::Alert { alert, venue, instrument, name, first, second });
            }
            Some(Kind::Anomaly) => {
                let Ok(body) = AnomalyBody::ref_from_bytes(body) else { return };
                let Some(what) = AnomalyKind::from_number(body.what) else { return };
                self.alerts += 1;
                let Some(report) = ReportKind::from_number(body.report) else { return };
                let anomaly = Anomaly {
                    what,
                    venue: VenueId(body.venue),
                    report,
                    token: Token(body.token.get()),
                    order: Some(body.order.get()).filter(|id| *id != 0).map(ClientId),
                    instrument: Some(body.instrument.get()).filter(|id| *id != u32::MAX).map(InstrumentId),
                    said: body.said.get(),
                    known: body.known.get(),
                };
                self.note(at, Notice::Anomaly { anomaly, name: Name(body.name), stops: body.stops != 0 });
            }
            Some(Kind::Answer) => {
                if let Some(answer) = Answer::read(body).filter(|answer| answer.ticket != 0) {
                    let Answer { from, ticket, said, text, .. } = answer;
                    self.answered(Answered { at, from, ticket, said, why: text.to_owned() });
                }
            }
            Some(Kind::Link) => {
                if let Some(Link { venue, session, why }) = LinkBody::ref_from_bytes(body).ok().and_then(link_of) {
                    self.note(at, Notice::Link(venue, session, why));
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, at: Mono, notice: Notice) {
        if self.notices.len() == NOTICES {
            self.notices.pop_front();
            self.missed += 1;
        }
        self.notices.push_back((at, notice));
    }

    fn answered(&mut self, answer: Answered) {
        if self.answers.len() == ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back(answer);
    }

    /// What became of a command, if it is known (already, and still).
    #[must_use]
    pub fn answer(&self, from: Commander, ticket: u64) -> Option<&Answered> {
        self.answers.iter().rev().find(|answer| (answer.from, answer.ticket) == (from, ticket))
    }

    /// Every count by its name, as of the latest status; those of the board's own among them.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let own = [("board.alerts", self.alerts), ("board.missed", self.missed)];
        counts(&self.counters).chain(own).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What happened since the last call, in order.
    pub fn take_notices(&mut self) -> impl Iterator<Item = (Mono, Notice)> {
        std::mem::take(&mut self.notices).into_iter()
    }
}

/// The board, for its keeper and its readers.
#[derive(Clone, Debug, Default)]
pub struct SharedBoard(Arc<Mutex<Board>>);

impl SharedBoard {
    pub(super) fn on_record(&self, record: &[u8]) {
        self.lock().on_record(record);
    }

    /// The board, until the guard is dropped: not for long, the tape's agent waits.
    pub fn lock(&self) -> MutexGuard<'_, Board> {
        // Whoever panicked with it in hand has left whole numbers behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The board, for whoever must not wait long.
    #[must_use]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, Board>> {
        match self.0.try_lock() {
            Ok(board) => Some(board),
            Err(TryLockError::Poisoned(board)) => Some(board.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The latest status.
    #[must_use]
    pub fn status(&self) -> StatusBody {
        self.lock().status
    }
}

#[cfg(test)]
mod tests {
    use super::super::link::link_body;
    use super::*;
    use crate::flow::record::MarketBody;
    use crate::flow::record::{header, instrument_field};
    use crate::shell::counters::Tally;
    use zerocopy::IntoBytes;
    use zerocopy::byteorder::little_endian::{U16, U64};

    fn record(kind: Kind, time: u64, body: &[u8]) -> Vec<u8> {
        [header(kind, 0, 1, Mono(time), body.len()).as_bytes(), body].concat()
    }

    #[test]
    fn it_keeps_the_latest_status_every_notice_in_order_and_the_times_of_orders() {
        let board = SharedBoard::default();
        for gaps in [3, 5] {
            let status = StatusBody {
                market: MarketBody { gaps: U64::new(gaps), ..MarketBody::default() },
                ..StatusBody::default()
            };
            board.on_record(&record(Kind::Status, gaps, status.as_bytes()));
        }
        let alert = AlertBody {
            alert: U16::new(Alert::LineSilent as u16),
            venue: 2,
            instrument: instrument_field(Some(InstrumentId(3))),
            name: *b"AAPL            ",
            first: U64::new(1),
            second: U64::new(0),
        };
        board.on_record(&record(Kind::Alert, 6, alert.as_bytes()));
        let link = Link { venue: VenueId(1), session: SessionId::ORDERS, why: Some(Why::Refused) };
        board.on_record(&record(Kind::Link, 7, link_body(link).as_bytes()));
        for (venue, stale) in [(2, 7), (0, 3), (2, 5)] {
            let status = VenueStatusBody { venue, stale: U64::new(stale), ..VenueStatusBody::default() };
            board.on_record(&record(Kind::VenueStatus, 7, status.as_bytes()));
        }
        let trace = TraceBody { sent: U64::new(900), ..TraceBody::default() };
        board.on_record(&record(Kind::Trace, 8, trace.as_bytes()));
        for gaps in [3, 5] {
            let mut tally = Tally::new();
            tally.put("feed", "gaps", gaps);
            board.on_record(&record(Kind::Counters, 8, tally.body()));
        }
        board.on_record(b"short");
        board.on_record(&record(Kind::Alert, 9, b"short"));
        let mut board = board.lock();
        assert_eq!((board.status.market.gaps.get(), board.status_at, board.alerts), (5, Mono(5), 1));
        assert_eq!(board.latency.percentiles().max, 900);
        assert_eq!(board.venues.iter().map(|venue| venue.stale.get()).collect::<Vec<_>>(), [3, 0, 5]);
        let counters = [("board.alerts", 1), ("board.missed", 0), ("feed.gaps", 5)];
        assert_eq!(board.counters(), counters.map(|(name, value)| (name.to_owned(), value)).into());
        let notices: Vec<_> = board.take_notices().collect();
        let (instrument, name) = (Some(InstrumentId(3)), Name::new("AAPL").unwrap());
        let silent =
            Notice::Alert { alert: Alert::LineSilent, venue: Some(VenueId(2)), instrument, name, first: 1, second: 0 };
        let refused = Notice::Link(VenueId(1), SessionId::ORDERS, Some(Why::Refused));
        assert_eq!(notices, [(Mono(6), silent), (Mono(7), refused)]);
        assert_eq!(board.take_notices().count(), 0);
    }

    #[test]
    fn answers_are_found_by_who_asked_and_the_oldest_go_first() {
        use crate::flow::command::{Command, Outcome, Why, Word};
        use crate::flow::record::AnswerBody;
        let board = SharedBoard::default();
        let say = |from, ticket, outcome| {
            let command = Command { from: Commander(from), ticket, ..Command::of(Word::Enable) };
            let (body, text) = AnswerBody::of(&command, outcome);
            board.on_record(&record(Kind::Answer, 9, &[body.as_bytes(), text.concat().as_bytes()].concat()));
        };
        say(3, 1, Outcome::Taken);
        say(4, 1, Outcome::Rejected(Why::NoSuchVenue));
        say(4, 0, Outcome::Taken);
        let found = |from, ticket| board.lock().answer(Commander(from), ticket).map(|a| (a.said, a.why.clone()));
        assert_eq!(found(3, 1), Some((Said::Taken, String::new())));
        assert_eq!(found(4, 1), Some((Said::Rejected, "the lane has no such venue".to_owned())));
        assert_eq!((found(4, 0), found(4, 2), found(5, 1)), (None, None, None));
        (2..=ANSWERS as u64).for_each(|ticket| say(3, ticket, Outcome::Expired));
        assert_eq!((found(3, 1), found(3, 2).map(|a| a.0)), (None, Some(Said::Expired)));
        assert!(found(4, 1).is_some(), "the oldest alone is gone");
    }

    #[test]
    fn notices_that_nobody_reads_push_out_the_oldest_and_are_counted() {
        let mut board = Board::default();
        for at in 0..NOTICES as u64 + 2 {
            board.note(Mono(at), Notice::Link(VenueId::FIRST, SessionId::ORDERS, None));
        }
        assert_eq!((board.missed, board.take_notices().next().unwrap().0), (2, Mono(2)));
    }
}
