//! Signals with deadlines, and what they write to the tape.

use super::rig::*;
use firelane_gateway::base::{InstrumentId, Mono, Nanos, Side};
use firelane_gateway::flow::Word;
use firelane_gateway::flow::book::BookRef;
use firelane_gateway::flow::event::{Event, EventKind};
use firelane_gateway::flow::record::{Alert, AlertBody, Kind, SignalBody};
use firelane_gateway::flow::signal::{Said, Signal};
use firelane_gateway::flow::venue::Markets;

/// From the first trade message on: says the best bid of the first instrument every so often; and at each trade message
/// as many records as that message has shares.
#[derive(Clone, Debug)]
struct Clockwork {
    every: Nanos,
    at: Mono,
    stands: bool,
}

fn every(ms: u64) -> Clockwork {
    Clockwork { every: Nanos::from_millis(ms), at: Mono::NEVER, stands: false }
}

firelane_gateway::state! { Clockwork { at } without { every, stands } }

impl Signal for Clockwork {
    type Value = Mono;

    fn on_event(&mut self, now: Mono, id: InstrumentId, event: &Event, book: BookRef<'_>, say: &mut Said<'_>) {
        assert_eq!(book.id(), id);
        if let EventKind::Trade { qty, .. } = event.kind {
            (0..qty.0).for_each(|n| {
                say.say(Some(id), 1, n, qty.0);
            });
            self.at = now.after(self.every);
        }
    }

    fn next_deadline(&self) -> Mono {
        self.at
    }

    fn on_timer(&mut self, now: Mono, markets: Markets<'_>, say: &mut Said<'_>) {
        assert!(self.at <= now);
        say.say(None, 2, markets.book(X).top(Side::Buy).unwrap().price.0, -1);
        if !self.stands {
            self.at = self.at.after(self.every);
        }
    }

    fn value(&self, _: InstrumentId, _: BookRef<'_>) -> Mono {
        self.at
    }
}

type Said3 = (u16, u32, i64);

fn said<G: Signal>(rig: &Rig<(), G>) -> Vec<Said3> {
    rig.tape(Kind::Signal, |b: &SignalBody| (b.signal.get(), b.code.get(), b.first.get()))
}

fn open<G: Signal>(signal: G) -> Rig<(), G> {
    let mut rig = Rig::with(parts_with(&Setup::default(), signal, ()));
    rig.open(2);
    rig.look();
    rig
}

#[test]
fn signals_have_deadlines_of_their_own_and_speak_under_their_numbers() {
    let mut rig = open((every(10), (every(1_000), every(4))));
    rig.market(&[tell(1, Do::Nothing, 1, 100_000)]);
    assert_eq!(said(&rig), [(0, 1, 0), (1, 1, 0), (2, 1, 0)], "each, in the order written");
    rig.look();
    rig.pass(Nanos::from_millis(12));
    assert_eq!(said(&rig), [(2, 2, 100_000), (2, 2, 100_000), (0, 2, 100_000), (2, 2, 100_000)]);
    // They go on while strategies are stopped, and wait while the lane is held.
    rig.look();
    rig.command(Word::Disable);
    rig.pass(Nanos::from_millis(4));
    assert_eq!(said(&rig).len(), 1);
    rig.command(Word::Hold);
    rig.look();
    rig.pass(Nanos::from_millis(30));
    assert_eq!(said(&rig), []);
    rig.command(Word::Resume);
    rig.pass(Nanos::from_millis(1));
    assert!(said(&rig).len() > 3, "what was due meanwhile");
    assert_eq!(rig.lane.core().counters().stuck, 0);
    let body = |b: &SignalBody| (b.instrument.get(), b.at.get(), b.second.get());
    assert!(rig.tape(Kind::Signal, body).iter().all(|body| body.0 == u32::MAX && body.2 == -1));
}

#[test]
fn more_than_signals_may_say_in_one_call_is_dropped_and_counted() {
    for (shares, written, dropped) in [(15, 15, 0), (16, 16, 0), (17, 16, 1), (200, 16, 184)] {
        let mut rig = open(every(10));
        rig.market(&[tell(1, Do::Nothing, shares, 100_000)]);
        assert_eq!((said(&rig).len(), rig.lane.core().counters().said_dropped), (written, dropped));
    }
    // All signals of the lane together.
    let mut rig = open((every(10), every(10)));
    rig.market(&[tell(1, Do::Nothing, 10, 100_000)]);
    let all = said(&rig);
    assert_eq!(all.iter().filter(|said| said.0 == 0).count(), 10);
    assert_eq!((all.len(), rig.lane.core().counters().said_dropped), (16, 4));
}

#[test]
fn a_signal_whose_deadline_stands_still_is_called_no_more_and_the_strategies_are_stopped() {
    let mut rig = open((every(4), Clockwork { stands: true, ..every(10) }));
    rig.market(&[tell(1, Do::Nothing, 1, 100_000)]);
    rig.look();
    let before = rig.given.len();
    rig.pass(Nanos::from_millis(50));
    assert!(rig.given.len() < before + 20, "it ends");
    // Seen as soon as nothing later is waited for than what was due.
    assert_eq!((rig.alerts(), rig.lane.core().counters().stuck), (vec![Alert::Stuck as u16], 1));
    assert_eq!(rig.tape(Kind::Alert, |b: &AlertBody| (b.instrument.get(), b.second.get())), [(u32::MAX, 1)]);
    let digest = rig.lane.digest();
    rig.command(Word::Enable);
    assert_ne!(rig.lane.digest(), digest);
    rig.pass(Nanos::from_millis(1));
    assert_eq!(rig.lane.core().counters().stuck, 2, "enabled again, it is stopped again");
}
