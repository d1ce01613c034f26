//! A strategy that a detector holds back: in the lane by its signal's value, or from elsewhere by a command.

use super::*;
use firelane_gateway::flow::command::{Detected, To};
use firelane_gateway::flow::strategy::{Gated, Held};
use firelane_gateway::shell::made::{MadeLane, equity};

/// Holds the instruments that are in it.
#[derive(Debug)]
struct Holds(Vec<InstrumentId>);

impl Signal for Holds {
    type Value = Held;

    fn value(&self, id: InstrumentId, _: BookRef<'_>) -> Held {
        Held(self.0.contains(&id))
    }
}

impl State for Holds {
    fn save(&self, _: &mut dyn firelane_gateway::base::Save) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

/// Asks for the same each time: an enter in each of two instruments, a replace and a cancel of each order that rests.
struct Asks;

impl<S: Signal> Strategy<S> for Asks {
    fn on_event(&mut self, _: InstrumentId, _: &Event, view: &View<'_, S>, ask: &mut Actions) {
        for id in [InstrumentId(0), InstrumentId(1)] {
            ask.push(Action::Enter(Enter {
                instrument: id,
                side: Buy,
                price: Price(100_000),
                qty: Qty(100),
                tif: TimeInForce::Day,
                post_only: false,
                tags: view.tags(),
            }));
            for own in view.own(id) {
                ask.push(Action::Replace(Replace { order: own.order, price: own.price, qty: Qty(50) }));
                ask.push(Action::Cancel(Cancel { order: own.order, keep: Qty::ZERO }));
            }
        }
        ask.push(Action::MassCancel(MassCancel { instrument: None }));
    }
}

firelane_gateway::state! { Asks {} }

/// What was asked for, in short.
fn short(asked: &[Action]) -> String {
    let word = |action: &Action| match action {
        Action::Enter(enter) => format!("E{}", enter.instrument.0),
        Action::Replace(replace) => format!("R{}", replace.order.0),
        Action::Cancel(cancel) => format!("C{}", cancel.order.0),
        Action::MassCancel(_) => "M".to_owned(),
    };
    asked.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_new_is_withheld_where_a_signal_holds_and_cancels_pass() {
    for (holds, expected, withheld) in [
        (vec![], "E0 R1 C1 E1 R2 C2 M", 0),
        (vec![InstrumentId(0)], "C1 E1 R2 C2 M", 2),
        (vec![InstrumentId(1)], "E0 R1 C1 C2 M", 2),
        (vec![InstrumentId(0), InstrumentId(1)], "C1 C2 M", 4),
    ] {
        let rows = [equity("A"), equity("B")];
        let mut lane = MadeLane::new(&rows, ((), Holds(holds)));
        let (first, second) = (
            lane.rests(InstrumentId(0), Buy, Price(99_000), Qty(100)),
            lane.rests(InstrumentId(1), Buy, Price(99_000), Qty(100)),
        );
        assert_eq!((first, second), (ClientId(1), ClientId(2)));
        let mut gated = Gated::new(Asks, 2);
        let event = lane.shows(InstrumentId(0), Buy, Price(98_000), Qty(1));
        let asked = lane.ask(|view, ask| gated.on_event(InstrumentId(0), &event, view, ask));
        assert_eq!(short(&asked), expected);
        assert_eq!(gated.withheld(), withheld);
        // What another strategy asked for before it is not its own to hold back.
        let asked = lane.ask(|view, ask| {
            Asks.on_event(InstrumentId(0), &event, view, ask);
            gated.on_event(InstrumentId(0), &event, view, ask);
        });
        assert_eq!(short(&asked), format!("E0 R1 C1 E1 R2 C2 M {expected}"));
    }
}

#[test]
fn a_detector_elsewhere_holds_an_instrument_for_as_long_as_it_says() {
    let mut lane = MadeLane::new(&[equity("A"), equity("B")], ((), Holds(vec![])));
    let (a, b) = (InstrumentId(0), InstrumentId(1));
    let mut gated = Gated::new(Asks, 2);
    let event = lane.shows(a, Buy, Price(98_000), Qty(1));
    let mut heard = Heard::NotMine;
    let alert = |id: Option<InstrumentId>, value: i64| {
        let word = Word::Alert(Detected { detector: 1, value, at: Mono(0) });
        let command = Command::of(word);
        id.map_or(command, |id| command.to(To::instrument(id)))
    };
    lane.at(Mono(5_000));
    let mut tell = |lane: &MadeLane<_>, gated: &mut Gated<Asks>, command: Command<'_>| {
        lane.ask(|view, ask| heard = gated.on_command(&command, view, ask));
        heard
    };
    assert_eq!(tell(&lane, &mut gated, alert(Some(b), 1_000)), Heard::Taken);
    // To nobody, and to one that there is not: as before there were detectors.
    assert_eq!(tell(&lane, &mut gated, alert(None, 1_000)), Heard::NotMine);
    assert_eq!(tell(&lane, &mut gated, alert(Some(InstrumentId(2)), 1_000)), Heard::NotMine);
    // A shorter time does not take back a longer one.
    assert_eq!(tell(&lane, &mut gated, alert(Some(b), 10)), Heard::Taken);
    let saved = Writer::of(&gated);
    let mut asked_at = |gated: &mut Gated<Asks>, at: u64| {
        lane.at(Mono(at));
        short(&lane.ask(|view, ask| gated.on_event(a, &event, view, ask)))
    };
    assert_eq!(asked_at(&mut gated, 5_999), "E0 M");
    assert_eq!(asked_at(&mut gated, 6_000), "E0 E1 M");
    // What is said is kept with the state.
    let mut other = Gated::new(Asks, 2);
    State::load(&mut other, &mut Reader(&saved)).unwrap();
    assert_eq!(asked_at(&mut other, 5_999), "E0 M");
    let mut counts = Vec::new();
    Strategy::<((), Holds)>::counters(&other, &mut |name, value| counts.push((name, value)));
    assert_eq!(counts, [("withheld", 1)]);
    assert_eq!(Strategy::<((), Holds)>::instruments(&other), Some(2));
}
