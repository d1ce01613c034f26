//! The target tracker, on lanes made by hand.

use super::*;
use firelane_gateway::flow::command::{To, Why};
use firelane_gateway::flow::strategy::{Expired, TargetTracker};
use firelane_gateway::shell::made::{MadeLane, equity};

const START: u64 = 1_000_000_000;

fn config() -> TargetTrackerConfig {
    TargetTrackerConfig { size: Qty(80), band: Qty(0), cooldown: Nanos(1_000), expired: Expired::Hold }
}

fn tracker(change: impl FnOnce(&mut TargetTrackerConfig)) -> TargetTracker {
    let mut config = config();
    change(&mut config);
    TargetTracker::new(&config, 2).unwrap()
}

/// $10.00 bid for 100 shares, $10.02 asked for 300, in both instruments.
fn lane() -> (MadeLane<()>, Event) {
    let mut lane = MadeLane::new(&[equity("A"), equity("B")], ());
    let [_, event] = [A, InstrumentId(1)].map(|id| {
        lane.shows(id, Buy, Price(100_000), Qty(100));
        lane.shows(id, Sell, Price(100_200), Qty(300))
    });
    (lane, event)
}

/// What it asks for when it is told to hold `position` of the first instrument, until `expires`, and what it answers.
fn told(t: &mut TargetTracker, lane: &MadeLane<()>, position: i64, expires: Mono) -> (Vec<(Side, i64, i64)>, Heard) {
    let command = Command { expires, ..Command::of(Word::Target { position: Qty(position) }).to(To::instrument(A)) };
    let mut heard = Heard::NotMine;
    let asked = lane.ask(|view, ask| heard = t.on_command(&command, view, ask));
    (entered_now(&asked), heard)
}

fn entered_now(asked: &[Action]) -> Vec<(Side, i64, i64)> {
    let one = |action: &Action| match action {
        Action::Enter(enter) => {
            assert_eq!((enter.tif, enter.post_only), (TimeInForce::ImmediateOrCancel, false));
            (enter.side, enter.price.0, enter.qty.0)
        }
        other => panic!("{other:?}"),
    };
    asked.iter().map(one).collect()
}

fn hears(t: &mut TargetTracker, lane: &MadeLane<()>, event: &Event) -> Vec<(Side, i64, i64)> {
    entered_now(&lane.ask(|view, ask| t.on_event(A, event, view, ask)))
}

#[test]
fn the_tracker_takes_what_is_missing_and_no_more() {
    // Held, wanted, and what is asked for: no more than its size, than what is shown, than what brings it to zero.
    for (held, wanted, asked) in [
        (0, 0, None),
        (0, 70, Some((Buy, 100_200, 70))),
        (0, 80, Some((Buy, 100_200, 80))),
        (0, 81, Some((Buy, 100_200, 80))),
        (70, 70, None),
        (70, 0, Some((Sell, 100_000, 70))),
        (70, 10, Some((Sell, 100_000, 60))),
        (30, -30, Some((Sell, 100_000, 30))),
        (0, -30, Some((Sell, 100_000, 30))),
        (-30, -50, Some((Sell, 100_000, 20))),
        (-30, 50, Some((Buy, 100_200, 30))),
        (0, 1 << 40, Some((Buy, 100_200, 80))),
        (0, -(1 << 40), Some((Sell, 100_000, 80))),
    ] {
        let (mut lane, event) = lane();
        lane.holds(A, Qty(held));
        let mut t = tracker(|_| {});
        assert_eq!(hears(&mut t, &lane, &event), [], "without a target it leaves everything alone");
        let (now, heard) = told(&mut t, &lane, wanted, Mono::NEVER);
        assert_eq!((now, heard), (asked.into_iter().collect(), Heard::Taken), "{held} to {wanted}");
    }
    let (lane, _) = lane();
    assert_eq!(told(&mut tracker(|c| c.size = Qty(500)), &lane, -500, Mono::NEVER).0, [(Sell, 100_000, 100)]);
    for wanted in [(1 << 40) + 1, -(1 << 40) - 1] {
        let mut t = tracker(|_| {});
        let (asked, heard) = told(&mut t, &lane, wanted, Mono::NEVER);
        assert!(asked.is_empty() && matches!(heard, Heard::Refused(Why::OutOfRange(_))), "{heard:?}");
        assert_eq!(t.wanted(A, Mono(START)), None);
    }
}

#[test]
fn a_position_within_its_band_is_left_alone() {
    for (wanted, asked) in [(19, 0), (20, 0), (21, 21), (-20, 0), (-21, 21)] {
        let (lane, _) = lane();
        let (now, _) = told(&mut tracker(|c| c.band = Qty(20)), &lane, wanted, Mono::NEVER);
        assert_eq!(now.iter().map(|order| order.2).sum::<i64>(), asked, "{wanted}");
    }
}

#[test]
fn a_target_holds_until_it_expires() {
    let until = Mono(START + 5_000);
    for (expired, wanted_then, deadline) in
        [(Expired::Hold, None, None), (Expired::Flat, Some(Qty(0)), Some((Mono(until.0 + 1), A)))]
    {
        let (mut lane, event) = lane();
        lane.holds(A, Qty(50));
        let mut t = tracker(|c| c.expired = expired);
        assert_eq!(told(&mut t, &lane, 50, until).0, []);
        assert_eq!(Strategy::<()>::next_deadline(&t), deadline);
        for (at, wanted) in [(until.0 - 1, Some(Qty(50))), (until.0, Some(Qty(50))), (until.0 + 1, wanted_then)] {
            assert_eq!(t.wanted(A, Mono(at)), wanted, "{expired:?} at {at}");
        }
        lane.at(until);
        assert_eq!(hears(&mut t, &lane, &event), []);
        lane.at(Mono(until.0 + 1));
        let asked = entered_now(&lane.ask(|view, ask| t.on_timer(A, view, ask)));
        let closes = matches!(expired, Expired::Flat).then_some((Sell, 100_000, 50));
        assert_eq!(asked, closes.into_iter().collect::<Vec<_>>());
        // Renewed, it holds again.
        lane.at(Mono(until.0 + 5_000));
        assert_eq!(told(&mut t, &lane, 60, Mono(until.0 + 9_000)).0, [(Buy, 100_200, 10)]);
    }
}

#[test]
fn one_order_at_a_time_and_a_pause_behind_each() {
    let (mut lane, event) = lane();
    let mut t = tracker(|_| {});
    assert_eq!(told(&mut t, &lane, 500, Mono::NEVER).0.len(), 1);
    // Time alone wakes it, for nothing may happen in a quiet market.
    assert_eq!(Strategy::<()>::next_deadline(&t), Some((Mono(START + 1_000), A)));
    lane.at(Mono(START + 999));
    assert_eq!(hears(&mut t, &lane, &event), []);
    let other = lane.ask(|view, ask| t.on_event(InstrumentId(1), &event, view, ask));
    assert!(other.is_empty(), "of another instrument it was told nothing");
    lane.at(Mono(START + 1_000));
    assert_eq!(lane.ask(|view, ask| t.on_timer(A, view, ask)).len(), 1);
    assert_eq!(Strategy::<()>::next_deadline(&t), Some((Mono(START + 2_000), A)));
    lane.at(Mono(START + 2_000));
    let saved = Writer::of(&t);
    lane.rests(A, Buy, Price(99_000), Qty(10));
    assert_eq!(lane.ask(|view, ask| t.on_timer(A, view, ask)), [], "an order of its own is there");
    assert_eq!(Strategy::<()>::next_deadline(&t), None, "what has come wakes it no more");
    // What it waits for is kept with its state.
    let mut other = tracker(|c| c.size = Qty(1));
    State::load(&mut other, &mut Reader(&saved)).unwrap();
    assert_eq!((other.config(), Strategy::<()>::next_deadline(&other)), (&config(), Some((Mono(START + 2_000), A))));
    assert_eq!(other.wanted(A, Mono(START)), Some(Qty(500)));
}

#[test]
fn what_was_refused_is_asked_again_after_a_while() {
    let (mut lane, event) = lane();
    for refuse in [true, false] {
        lane.at(Mono(START));
        let mut t = tracker(|_| {});
        let command = Command::of(Word::Target { position: Qty(10) }).to(To::instrument(A));
        let asked = lane.ask(|view, ask| assert_eq!(t.on_command(&command, view, ask), Heard::Taken));
        let again = if refuse {
            lane.look(|view| t.on_refusal(A, &asked[0], Refusal::StaleBook, view));
            Vec::new()
        } else {
            let step = Change { finished: true, ..change(Happening::Rejected, 1) };
            lane.ask(|view, ask| t.on_change(&step, view, ask))
        };
        assert_eq!(again, []);
        lane.at(Mono(START + 99_999_999));
        assert_eq!(hears(&mut t, &lane, &event), []);
        lane.at(Mono(START + 100_000_000));
        assert_eq!(hears(&mut t, &lane, &event).len(), 1);
    }
    // An order that is over in another way is followed by the next one, without a pause.
    lane.at(Mono(START));
    let mut t = tracker(|c| c.cooldown = Nanos(0));
    assert_eq!(told(&mut t, &lane, 500, Mono::NEVER).0.len(), 1);
    let step = Change { finished: true, ..change(Happening::Cancelled, 1) };
    assert_eq!(lane.ask(|view, ask| t.on_change(&step, view, ask)).len(), 1);
    let unfinished = Change { finished: false, ..step };
    assert_eq!(lane.ask(|view, ask| t.on_change(&unfinished, view, ask)), []);
}

#[test]
fn a_book_that_is_not_fit_is_left_alone_and_a_notice_is_enough() {
    let (mut lane, event) = lane();
    lane.goes_stale();
    let mut t = tracker(|_| {});
    assert_eq!(told(&mut t, &lane, 50, Mono::NEVER), (vec![], Heard::Taken));
    assert_eq!(hears(&mut t, &lane, &event), []);
    lane.heals();
    let asked = entered_now(&lane.ask(|view, ask| t.on_notice(A, view, ask)));
    assert_eq!(asked, [(Buy, 100_200, 50)]);
}

#[test]
fn the_trackers_parameters_are_commands_and_are_named_when_out_of_range() {
    let (lane, _) = lane();
    let mut t = tracker(|_| {});
    let mut parameter = |key: &str, value| {
        let word = Word::Parameter { key: firelane_gateway::flow::command::Key::new(key).unwrap(), value };
        let mut heard = Heard::NotMine;
        lane.ask(|view, ask| heard = t.on_command(&Command::of(word), view, ask));
        (heard, *t.config())
    };
    assert_eq!(parameter("size", 7), (Heard::Taken, TargetTrackerConfig { size: Qty(7), ..config() }));
    assert_eq!(parameter("band", 3).1.band, Qty(3));
    assert_eq!(parameter("cooldown", 9).1.cooldown, Nanos(9));
    for (key, value) in [("size", 0), ("size", 1_000_000), ("band", -1), ("band", (1 << 40) + 1), ("cooldown", -1)] {
        let (heard, after) = parameter(key, value);
        let Heard::Refused(Why::OutOfRange(out)) = heard else { panic!("{key} {value}: {heard:?}") };
        assert_eq!(out.field, format!("tracker.{key}"));
        assert_eq!((after.size, after.band, after.cooldown), (Qty(7), Qty(3), Nanos(9)), "nothing has changed");
    }
    assert!(matches!(parameter("speed", 1).0, Heard::Refused(Why::Refused(text)) if text.contains("cooldown")));
    // Words that are none of its business.
    assert_eq!(lane.look(|_| Strategy::<()>::instruments(&t)), Some(2));
    let mut heard = Heard::Taken;
    let target = Command::of(Word::Target { position: Qty(1) });
    for command in [target.to(To::instrument(InstrumentId(2))), target, Command::of(Word::Kill)] {
        lane.ask(|view, ask| heard = t.on_command(&command, view, ask));
        assert_eq!(heard, Heard::NotMine, "{command:?}");
    }
}
