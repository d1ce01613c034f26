//! Commands with arguments: to whom, until when, what they change, and what is answered.

use super::market::{APPROVED, refused};
use super::rig::*;
use super::venues;
use firelane_gateway::base::{
    InstrumentId, LoadError, Mono, Nanos, Notional, ParentId, Qty, Reader, Save, Side, State, StrategyId, VenueId,
};
use firelane_gateway::flow::Input;
use firelane_gateway::flow::action::Change;
use firelane_gateway::flow::command::{
    Command, CommandBuf, CommandBytes, Commander, Detected, Foreign, Heard, Key, Own, ParentOrder, ParentStep, To, Why,
    Word,
};
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::record::command::{Answer, Said};
use firelane_gateway::flow::record::{Alert, AlertBody, Kind, PositionBody};
use firelane_gateway::flow::risk::{LaneLimitChange, LimitChange, Refusal, RiskLimits, ShortSale};
use firelane_gateway::flow::signal::Imbalance;
use firelane_gateway::flow::strategy::{
    Actions, ImbalanceTaker, ImbalanceTakerConfig, MarketMaker, MarketMakerConfig, Strategy, View,
};
use std::sync::{Arc, Mutex};

const FIRST: StrategyId = StrategyId(1);
const SECOND: StrategyId = StrategyId(2);
const DESK: Commander = Commander(9);

fn by_desk(ticket: u64, word: Word<'_>, to: To) -> Command<'_> {
    Command { from: DESK, ticket, to, expires: Mono::NEVER, word }
}

impl<S: Strategy<Imbalance>> Rig<S> {
    /// What was answered since the last look, in the order of it.
    fn answers(&self) -> Vec<(Commander, u64, Said, String)> {
        let tape = self.trace.tape[self.looked.1..].iter().filter(|(kind, _)| *kind == Kind::Answer as u8);
        let read = |body: &Vec<u8>| {
            let Answer { from, ticket, said, text, .. } = Answer::read(body).unwrap();
            (from, ticket, said, text.to_owned())
        };
        tape.map(|(_, body)| read(body)).collect()
    }

    /// Says a word by the desk, and answers what became of it.
    fn say_word(&mut self, word: Word<'_>, to: To) -> (Said, String) {
        self.look();
        let ticket = self.given.len() as u64;
        self.command(by_desk(ticket, word, to));
        let mut answers = self.answers();
        let (from, of, said, text) = answers.pop().unwrap();
        assert_eq!((from, of, answers.len()), (DESK, ticket, 0));
        (said, text)
    }

    fn taken(&mut self, word: Word<'_>, to: To) {
        let (said, text) = self.say_word(word, to);
        assert_eq!((said, text.as_str()), (Said::Taken, ""), "{word:?}");
    }

    /// Why it was rejected; it has changed nothing but what is counted.
    fn rejected(&mut self, word: Word<'_>, to: To) -> String {
        let before = self.counted();
        let (said, text) = self.say_word(word, to);
        assert_eq!(said, Said::Rejected, "{word:?} {to:?}");
        assert_eq!(self.counted().3, before.3 + 1);
        text
    }

    fn counted(&self) -> (u64, u64, u64, u64) {
        let counters = self.lane.core().counters();
        let taken = counters.commands_taken;
        (taken, counters.commands_expired, counters.commands_unknown, counters.commands_rejected)
    }

    fn parts_said(&self) -> Vec<(u16, u64, u64)> {
        let all = self.tape(Kind::Alert, |b: &AlertBody| (b.alert.get(), b.first.get(), b.second.get()));
        let parts = [Alert::PartKilled as u16, Alert::PartReleased as u16];
        all.into_iter().filter(|(alert, ..)| parts.contains(alert)).collect()
    }
}

/// Two that are told the same.
fn two() -> Rig<(Told, Told)> {
    let mut rig = Rig::of(&Setup::default(), (Told::default(), Told::default()));
    rig.open(2);
    rig.look();
    rig
}

fn order<S: Strategy<Imbalance>>(rig: &mut Rig<S>, locate: u16, what: Do, shares: u32, price: u32) {
    rig.look();
    rig.market(&[tell(locate, what, shares, price)]);
}

/// The shell's switch acts at once, and the commander's word follows: told of once, answered each time.
#[test]
fn a_kill_switch_that_is_thrown_again_is_not_told_of_again() {
    let mut rig = two();
    let told = |rig: &Rig<_>| rig.tape(Kind::Alert, |b: &AlertBody| b.alert.get());
    for (word, alert, part) in
        [(Word::Kill, Alert::Killed, Alert::PartKilled), (Word::Release, Alert::Released, Alert::PartReleased)]
    {
        for (to, alert) in [(To::LANE, alert), (To::strategy(FIRST), part)] {
            rig.taken(word, to);
            assert_eq!(told(&rig), [alert as u16], "{word:?} {to:?}");
            rig.taken(word, to);
            assert!(told(&rig).is_empty(), "{word:?} {to:?}, again");
        }
    }
}

#[test]
fn a_command_holds_until_it_expires_and_then_does_nothing() {
    let mut rig = Rig::trading(&Setup::default());
    let kill = |expires| Command { expires, ..by_desk(5, Word::Kill, To::LANE) };
    rig.command(kill(Mono(rig.now.0 - 1)));
    assert!(!rig.lane.core().gate().is_killed());
    assert_eq!(rig.answers(), [(DESK, 5, Said::Expired, String::new())]);
    rig.look();
    rig.command(kill(rig.now));
    assert!(rig.lane.core().gate().is_killed());
    assert_eq!(rig.answers(), [(DESK, 5, Said::Taken, String::new())]);
    // One of the start, and these.
    assert_eq!(rig.counted(), (2, 1, 0, 0));
}

#[test]
fn what_this_build_does_not_know_is_counted_told_of_and_does_nothing() {
    let mut rig = two();
    order(&mut rig, 1, Do::Buy, 100, 99_000);
    let live = rig.live();
    let (mut kill, known) = ([0; 28], CommandBytes::KILL.bytes());
    kill[..known.len()].copy_from_slice(known);
    for bytes in [
        CommandBuf::of(&Command::of(Word::Unknown(Foreign::new(200, b"of a later build").unwrap()))),
        // The number of a word with a body that it has not.
        CommandBytes::new(&kill).unwrap().into(),
    ] {
        rig.look();
        let before = rig.counted();
        rig.command(bytes);
        let answers = rig.answers();
        assert_eq!((answers.len(), answers[0].2), (1, Said::Unknown));
        assert_eq!(rig.counted(), (before.0, before.1, before.2 + 1, before.3));
        assert!(!rig.lane.core().gate().stops_any() && rig.live() == live && rig.asked().is_empty());
    }
}

#[test]
fn a_word_to_somebody_whom_it_is_not_for_is_rejected_and_says_why() {
    let mut rig = two();
    let digest = |rig: &Rig<(Told, Told)>| {
        let gate = rig.lane.core().gate();
        firelane_gateway::base::Digest::of_state(gate)
    };
    let before = digest(&rig);
    let (venue, x, nobody) = (To::venue(VenueId::FIRST), To::instrument(X), To::LANE);
    let both = To { strategy: Some(FIRST), ..x };
    let (limits, lane) = (Word::Limits(LimitChange::default()), Word::LaneLimits(LaneLimitChange::default()));
    let (locates, target) = (Word::Locates { shares: Qty(1) }, Word::Target { position: Qty(1) });
    let carry = Word::CarryIn { shares: Qty(1), cost: Notional(1) };
    let (own, size) = (Word::Own(Own::new(b"").unwrap()), Word::Parameter { key: Key::new("size").unwrap(), value: 1 });
    let whole = "it is for the whole lane";
    let one_of = "it is for the lane, or for one venue, one instrument or one strategy";
    let one_instrument = "it is for one instrument: say which";
    for (word, to, why) in [
        (Word::Kill, To::venue(VenueId(1)), "the lane has no such venue"),
        (Word::Kill, To::venue(VenueId(u8::MAX)), "the lane has no such venue"),
        (Word::Kill, To::instrument(InstrumentId(2)), "the lane has no such instrument there"),
        (Word::Kill, To::strategy(StrategyId(0)), "the lane has no such strategy"),
        (Word::Kill, To::strategy(StrategyId(3)), "the lane has no such strategy"),
        (Word::Kill, both, one_of),
        (Word::Release, To { strategy: Some(FIRST), ..venue }, one_of),
        (Word::Enable, x, "it is for the lane, or for one strategy"),
        (Word::Disable, venue, "it is for the lane, or for one strategy"),
        (Word::Start, venue, whole),
        (Word::Shutdown, x, whole),
        (Word::Snapshot, nobody, "it is for one venue: say which"),
        (Word::Snapshot, To { venue: Some(VenueId::FIRST), ..x }, "it is for one venue: say which"),
        (Word::Hold, nobody, "only the shell says that"),
        (Word::Resume, nobody, "only the shell says that"),
        (lane, x, whole),
        (limits, nobody, one_instrument),
        (limits, both, one_instrument),
        (locates, venue, one_instrument),
        (carry, To::strategy(FIRST), "it is about one instrument: say which"),
        (target, nobody, "it is about one instrument: say which"),
        (size, nobody, "it is for one strategy: say which"),
        (own, x, "it is for one strategy: say which"),
    ] {
        assert_eq!(rig.rejected(word, to), why, "{word:?} {to:?}");
    }
    assert_eq!(digest(&rig), before, "nothing is changed");
    assert!(!rig.lane.core().gate().stops_any());
}

#[test]
fn a_kill_of_an_instrument_or_a_strategy_is_of_what_is_there_alone() {
    for (to, x_first, x_second, y_first) in [
        (To::instrument(X), false, false, true),
        (To::strategy(FIRST), false, true, false),
        (To::venue(VenueId::FIRST), false, false, false),
        (To::LANE, false, false, false),
    ] {
        let mut rig = two();
        order(&mut rig, 1, Do::Buy, 100, 99_000);
        order(&mut rig, 2, Do::Buy, 100, 99_000);
        assert_eq!(rig.live(), 4);
        rig.taken(Word::Kill, to);
        let y_second = y_first || to == To::strategy(FIRST);
        let stay = [x_first, x_second, y_first, y_second];
        let expected = stay.iter().filter(|stays| **stays).count();
        assert_eq!(rig.live() as usize, expected, "{to:?}: what rests elsewhere rests");
        assert_eq!(rig.asked(), "X".repeat(4 - expected), "{to:?}");
        let part = match to {
            To { venue: Some(_), .. } => Some((1, 0)),
            To { instrument: Some(_), .. } => Some((2, 0)),
            To { strategy: Some(_), .. } => Some((3, 1)),
            _ => None,
        };
        let said = part.map(|(kind, number)| (Alert::PartKilled as u16, kind, number));
        assert_eq!(rig.parts_said(), said.into_iter().collect::<Vec<_>>());
        let enters = |rig: &mut Rig<(Told, Told)>, locate| {
            order(rig, locate, Do::Buy, 100, 98_000);
            rig.decisions()
        };
        let judged = |stays: bool| if stays { APPROVED } else { refused(Refusal::Killed) };
        let mut both = enters(&mut rig, 1);
        both.sort_unstable();
        let mut want = vec![judged(x_first), judged(x_second)];
        want.sort_unstable();
        assert_eq!(both, want, "{to:?}");
        // That of the lane is another switch.
        if to != To::LANE {
            rig.taken(Word::Release, To::LANE);
            assert!(enters(&mut rig, 1).contains(&refused(Refusal::Killed)), "{to:?}");
        }
        rig.taken(Word::Release, to);
        let said = part.map(|(kind, number)| (Alert::PartReleased as u16, kind, number));
        assert_eq!(rig.parts_said(), said.into_iter().collect::<Vec<_>>());
        assert_eq!(enters(&mut rig, 1), [APPROVED; 2], "{to:?}");
    }
}

#[test]
fn a_kill_of_a_venue_leaves_the_other_one_alone() {
    let mut street = venues::open();
    for venue in [VenueId(0), VenueId(1)] {
        street.tell(venue, Do::Buy, 100, 90_000);
    }
    let kill = CommandBuf::of(&by_desk(1, Word::Kill, To::venue(VenueId(1))));
    street.give(Input::Command(kill.bytes()));
    assert_eq!((street.asked(VenueId(0)), street.asked(VenueId(1))), ("QO".into(), "QOX".into()));
    assert_eq!((street.said(Alert::PartKilled, VenueId(0)), street.said(Alert::PartKilled, VenueId(1))), (0, 1));
    for venue in [VenueId(0), VenueId(1)] {
        street.tell(venue, Do::Buy, 200, 89_000);
    }
    assert_eq!((street.asked(VenueId(0)), street.asked(VenueId(1))), ("QOO".into(), "QOX".into()));
    // An instrument of the other venue is not this one's.
    let nowhere = To { venue: Some(VenueId(0)), instrument: Some(InstrumentId(2)), strategy: None };
    let before = street.lane.core().counters().commands_rejected;
    let locates = CommandBuf::of(&by_desk(1, Word::Locates { shares: Qty(1) }, nowhere));
    street.give(Input::Command(locates.bytes()));
    assert_eq!(street.lane.core().counters().commands_rejected, before + 1);
}

#[test]
fn one_strategy_is_disabled_and_the_other_trades_on() {
    let mut rig = two();
    order(&mut rig, 1, Do::Buy, 100, 99_000);
    rig.taken(Word::Disable, To::strategy(SECOND));
    assert_eq!((rig.asked().as_str(), rig.live()), ("X", 1));
    order(&mut rig, 1, Do::Buy, 100, 98_000);
    assert_eq!(rig.decisions(), [APPROVED, refused(Refusal::Disabled)]);
    // A switch of its own: neither releases the other.
    rig.taken(Word::Release, To::strategy(SECOND));
    rig.taken(Word::Enable, To::LANE);
    order(&mut rig, 1, Do::Buy, 100, 97_000);
    assert!(rig.decisions().contains(&refused(Refusal::Disabled)));
    rig.taken(Word::Enable, To::strategy(SECOND));
    order(&mut rig, 1, Do::Buy, 100, 96_000);
    assert_eq!(rig.decisions(), [APPROVED; 2]);
}

#[test]
fn limits_hold_from_the_command_on_and_refuse_what_adds_alone() {
    let mut rig = Rig::trading(&Setup::default());
    let x = To::instrument(X);
    rig.taken(Word::CarryIn { shares: Qty(500), cost: Notional(500 * 100_000) }, x);
    let held = |body: &PositionBody| (body.instrument.get(), body.strategy.get(), body.position.get(), body.cash.get());
    assert_eq!(rig.tape(Kind::Position, held), [(X.0, u16::MAX, 500, -50_000_000)]);
    assert_eq!(rig.position(X), 500);
    let limit = |position| Word::Limits(LimitChange { position: Some(Qty(position)), ..LimitChange::default() });
    rig.taken(limit(600), x);
    for (what, shares, verdict) in
        [(Do::Buy, 101, refused(Refusal::Position)), (Do::Buy, 100, APPROVED), (Do::CancelAll, 0, ('M', 0))]
    {
        order(&mut rig, 1, what, shares, 99_000);
        assert_eq!(rig.decisions()[0], verdict, "{what:?} {shares}");
    }
    // Below what is held: it can be sold, and no more bought.
    rig.taken(limit(300), x);
    order(&mut rig, 1, Do::Buy, 1, 99_000);
    assert_eq!(rig.decisions(), [refused(Refusal::Position)]);
    order(&mut rig, 1, Do::Sell, 200, 102_000);
    assert_eq!(rig.decisions(), [APPROVED]);
    order(&mut rig, 2, Do::Buy, 1_000, 99_000);
    assert_eq!(rig.decisions(), [APPROVED], "the other instrument has its own");
    let each = |change| Word::Limits(change);
    let none = LimitChange::default();
    for (change, what, why) in [
        (LimitChange { order_qty: Some(Qty(10)), ..none }, (Do::Sell, 11, 102_000), Refusal::OrderQuantity),
        (LimitChange { order_notional: Some(Notional(1)), ..none }, (Do::Sell, 1, 102_000), Refusal::OrderNotional),
        (LimitChange { open: Some(Notional(1)), ..none }, (Do::Sell, 1, 102_000), Refusal::OpenExposure),
    ] {
        let before = rig.lane.core().gate().limits_of(X);
        rig.taken(each(change), x);
        order(&mut rig, 1, what.0, what.1, what.2);
        assert_eq!(rig.decisions(), [refused(why)]);
        let back = LimitChange {
            order_qty: Some(before.max_order_qty),
            order_notional: Some(before.max_order_notional),
            open: Some(before.max_open),
            ..none
        };
        rig.taken(each(back), x);
        assert_eq!(rig.lane.core().gate().limits_of(X), before);
    }
}

#[test]
fn short_sales_follow_their_rule_and_the_locates() {
    let mut rig = Rig::trading(&Setup::default());
    let y = To::instrument(Y);
    let rule = |short| Word::Limits(LimitChange { short: Some(short), ..LimitChange::default() });
    rig.taken(rule(ShortSale::Forbidden), y);
    order(&mut rig, 2, Do::Sell, 1, 102_000);
    assert_eq!(rig.decisions(), [refused(Refusal::ShortForbidden)]);
    rig.taken(rule(ShortSale::Located), y);
    rig.taken(Word::Locates { shares: Qty(99) }, y);
    order(&mut rig, 2, Do::Sell, 100, 102_000);
    assert_eq!(rig.decisions(), [refused(Refusal::NoLocate)]);
    rig.taken(Word::Locates { shares: Qty(100) }, y);
    order(&mut rig, 2, Do::Sell, 100, 102_000);
    assert_eq!(rig.decisions(), [APPROVED]);
}

#[test]
fn a_value_out_of_its_range_is_rejected_whole() {
    let mut rig = Rig::trading(&Setup::default());
    let (x, none) = (To::instrument(X), LimitChange::default());
    let before = rig.lane.core().gate().limits_of(X);
    let two = LimitChange { order_qty: Some(Qty(5)), position: Some(Qty((1 << 40) + 1)), ..none };
    assert_eq!(rig.rejected(Word::Limits(two), x), "risk.max_position must be 0 to 2^40");
    let zero = LimitChange { order_qty: Some(Qty(0)), ..none };
    assert_eq!(rig.rejected(Word::Limits(zero), x), "risk.max_order_qty must be 1 to 2^40");
    assert_eq!(rig.rejected(Word::Locates { shares: Qty(-1) }, x), "risk.locates must be 0 to 2^40");
    assert_eq!(rig.lane.core().gate().limits_of(X), before, "nothing of it is changed");
    let (most, cost) = (1 << 40, Notional(1 << 100));
    let carry = |shares, cost| Word::CarryIn { shares: Qty(shares), cost };
    for (shares, cost, why) in [
        (most + 1, Notional(0), "carry-in.shares must be -2^40 to 2^40"),
        (-most - 1, Notional(0), "carry-in.shares must be -2^40 to 2^40"),
        (0, Notional(cost.0 + 1), "carry-in.cost must be -2^100 to 2^100"),
    ] {
        assert_eq!(rig.rejected(carry(shares, cost), x), why);
    }
    rig.taken(carry(most, cost), x);
    let sum = rig.rejected(carry(1, Notional(0)), x);
    assert_eq!(sum, "carry-in.shares must be so small that the position with it is within -2^40 to 2^40");
    let sum = rig.rejected(carry(0, Notional(1)), x);
    assert_eq!(sum, "carry-in.cost must be so small that the cash with it is within -2^100 to 2^100");
    assert_eq!(rig.position(X), most);
    rig.taken(carry(-most, Notional(-cost.0)), x);
    assert_eq!(rig.position(X), 0);
}

#[test]
fn the_lanes_limits_and_its_order_rate_are_changed() {
    let risk =
        RiskLimits { duplicate_window: Nanos(1_000_000_000), orders_per_second: 4, burst: 4, ..RiskLimits::widest() };
    let mut rig = Rig::trading(&Setup { risk, ..Setup::default() });
    let none = LaneLimitChange::default();
    let rate = |n| LaneLimitChange { orders_per_second: Some(n), ..none };
    assert_eq!(rig.rejected(Word::LaneLimits(rate(0)), To::LANE), "risk.orders_per_second must be 1 to 1000000");
    let why = rig.rejected(Word::LaneLimits(rate(5)), To::LANE);
    assert!(why.contains("risk.duplicate_window"), "{why}: what it must remember has its room");
    assert_eq!(rig.lane.core().gate().limits(), &risk);
    rig.taken(Word::LaneLimits(LaneLimitChange { burst: Some(2), ..rate(1) }), To::LANE);
    order(&mut rig, 1, Do::BuyMany, 3, 99_000);
    assert_eq!(rig.decisions(), [APPROVED, APPROVED, refused(Refusal::Rate)]);
    // A token grows in a second now.
    rig.pass(Nanos(999_000_000));
    order(&mut rig, 1, Do::Buy, 100, 97_000);
    assert_eq!(rig.decisions(), [refused(Refusal::Rate)]);
    rig.pass(Nanos(1_000_000));
    order(&mut rig, 1, Do::Buy, 100, 97_000);
    assert_eq!(rig.decisions(), [APPROVED]);
    rig.taken(Word::LaneLimits(LaneLimitChange { total_open: Some(Notional(1)), ..rate(4) }), To::LANE);
    rig.pass(Nanos::from_secs(1));
    order(&mut rig, 1, Do::Buy, 100, 96_000);
    assert_eq!(rig.decisions(), [refused(Refusal::TotalExposure)]);
}

/// Takes targets, alerts and orders, and its own words but `no`. Notes what it hears.
#[derive(Clone, Default)]
struct Ears(Arc<Mutex<Vec<String>>>);

impl Ears {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl State for Ears {
    fn save(&self, _: &mut dyn Save) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

impl Strategy<Imbalance> for Ears {
    fn on_event(&mut self, _: InstrumentId, _: &Event, _: &View<'_, Imbalance>, _: &mut Actions) {}
    fn on_change(&mut self, _: &Change, _: &View<'_, Imbalance>, _: &mut Actions) {}
    fn on_command(&mut self, command: &Command<'_>, _: &View<'_, Imbalance>, _: &mut Actions) -> Heard {
        self.0.lock().unwrap().push(command.word.name().to_owned());
        match command.word {
            Word::Target { .. } | Word::Alert(_) | Word::Parent(_) => Heard::Taken,
            Word::Own(own) if own.bytes() == b"no" => Heard::Refused(Why::Refused("not today")),
            Word::Own(_) => Heard::Taken,
            _ => Heard::NotMine,
        }
    }
}

#[test]
fn strategies_hear_what_is_to_them_and_theirs_is_the_answer() {
    let (ears, deaf) = (Ears::default(), Ears::default());
    let mut rig = Rig::of(&Setup::default(), (ears.clone(), (Told::default(), deaf.clone())));
    rig.open(2);
    ears.take();
    deaf.take();
    let third = StrategyId(3);
    let target = Word::Target { position: Qty(300) };
    rig.taken(target, To::instrument(X));
    assert_eq!((ears.take(), deaf.take()), (vec!["Target".to_owned()], vec!["Target".to_owned()]), "to all");
    rig.taken(target, To { strategy: Some(third), ..To::instrument(X) });
    assert_eq!((ears.take().len(), deaf.take().len()), (0, 1), "to one");
    rig.taken(Word::Alert(Detected { detector: 4, value: -7, at: Mono(1) }), To::LANE);
    assert_eq!((ears.take().len(), deaf.take().len()), (1, 1));
    let own = |text: &'static [u8]| Word::Own(Own::new(text).unwrap());
    rig.taken(own(b"yes"), To::strategy(FIRST));
    assert_eq!(rig.rejected(own(b"no"), To::strategy(FIRST)), "not today");
    // The second has no use for any of it.
    let none = "no strategy that it is for understands it";
    assert_eq!(rig.rejected(own(b"yes"), To::strategy(SECOND)), none);
    let size = Word::Parameter { key: Key::new("size").unwrap(), value: 1 };
    assert_eq!(rig.rejected(size, To::strategy(FIRST)), none);
    ears.take();
    deaf.take();
    // What they are not asked about they hear as well.
    rig.taken(Word::Kill, To::strategy(FIRST));
    rig.taken(Word::Release, To::strategy(FIRST));
    rig.taken(Word::Locates { shares: Qty(1) }, To::instrument(X));
    assert_eq!((ears.take().join(" "), deaf.take().join(" ")), ("Kill Release Locates".into(), "Locates".into()));
    // And nothing that had no effect.
    rig.rejected(Word::Locates { shares: Qty(-1) }, To::instrument(X));
    rig.command(Command { expires: Mono(0), ..Command::of(Word::Kill) });
    rig.command(Word::Unknown(Foreign::new(77, b"").unwrap()));
    assert_eq!((ears.take().len(), deaf.take().len()), (0, 0));
}

#[test]
fn parent_orders_are_looked_at_before_a_strategy_hears_them() {
    let mut rig = Rig::of(&Setup::default(), Ears::default());
    rig.open(2);
    let sound = ParentOrder {
        what: ParentStep::New,
        parent: ParentId(1),
        side: Side::Buy,
        qty: Qty(1),
        limit: None,
        start: Mono(5),
        end: Mono(5),
        urgency: 0,
        algorithm: 0,
        account: Default::default(),
    };
    let x = To::instrument(X);
    rig.taken(Word::Parent(sound), x);
    let price = firelane_gateway::base::Price(0);
    for (order, why) in [
        (ParentOrder { parent: ParentId(0), ..sound }, "parent must be a number that is not 0"),
        (ParentOrder { qty: Qty(0), ..sound }, "parent.qty must be 1 to 2^40"),
        (ParentOrder { qty: Qty((1 << 40) + 1), ..sound }, "parent.qty must be 1 to 2^40"),
        (ParentOrder { limit: Some(price), ..sound }, "parent.limit must be positive, or none"),
        (ParentOrder { start: Mono(6), ..sound }, "parent.end must be at or after parent.start"),
    ] {
        assert_eq!(rig.rejected(Word::Parent(order), x), why);
    }
    // Of one that is to end its number alone counts.
    let end = ParentOrder { what: ParentStep::Cancel, qty: Qty(0), start: Mono(6), ..sound };
    rig.taken(Word::Parent(end), x);
    assert_eq!(rig.rejected(Word::Parent(sound), To::LANE), "it is about one instrument: say which");
}

fn parameter(key: &str, value: i64) -> Word<'static> {
    Word::Parameter { key: Key::new(key).unwrap(), value }
}

#[test]
fn the_takers_parameters_are_checked_and_hold_from_then_on() {
    let taker = ImbalanceTaker::new(&ImbalanceTakerConfig::default(), 8).unwrap();
    let mut rig = Rig::of(&Setup::default(), taker);
    rig.open(2);
    rig.look();
    // 9,900 of 10,000 shares are bid: it would take.
    let lean = |rig: &mut Rig<ImbalanceTaker>, order| {
        rig.look();
        rig.market(&[add(1, order, b"B", 50_000, 100_000)]);
        rig.decisions()
    };
    rig.taken(parameter("threshold", 1_000_000), To::LANE);
    assert!(lean(&mut rig, 7).is_empty(), "not far enough");
    rig.taken(parameter("size", 7), To::LANE);
    rig.taken(parameter("threshold", 800_000), To::LANE);
    rig.look();
    lean(&mut rig, 8);
    let enters = rig.tape(Kind::Decision, |b: &firelane_gateway::flow::record::DecisionBody| b.qty.get());
    assert_eq!(enters, [7]);
    for (key, value, why) in [
        ("size", 0, "taker.size must be 1 to 999999"),
        ("cooldown", -1, "taker.cooldown must be 0 to 3600 s"),
        ("exit", 800_001, "taker.exit must be -1000000 to taker.threshold"),
        ("offset", 1, "the taker's parameters are threshold, exit, size, max_position and cooldown"),
    ] {
        assert_eq!(rig.rejected(parameter(key, value), To::strategy(FIRST)), why);
    }
    let target = Word::Target { position: Qty(1) };
    assert_eq!(rig.rejected(target, To::instrument(X)), "no strategy that it is for understands it");
}

#[test]
fn the_makers_quotes_follow_its_parameters_at_once() {
    let config = MarketMakerConfig { offset: 1, ..MarketMakerConfig::default() };
    let mut rig = Rig::of(&Setup::default(), MarketMaker::new(&config, 8).unwrap());
    rig.open(2);
    rig.market(&[tell(1, Do::Nothing, 1, 100_000)]);
    let live = rig.live();
    assert!(live >= 2, "it quotes");
    rig.taken(parameter("offset", 3), To::strategy(FIRST));
    assert!(rig.asked().contains('U'), "moved without an event of the market: {}", rig.asked());
    rig.taken(parameter("max_position", 0), To::strategy(FIRST));
    assert_eq!(rig.live(), 0);
    let why = rig.rejected(parameter("refill", 101), To::strategy(FIRST));
    assert_eq!(why, "maker.refill must be 0 to maker.size");
    let why = rig.rejected(parameter("offset", -1), To::strategy(FIRST));
    assert_eq!(why, "maker.offset must be 1 to 10000 from the mid, 0 to 10000 from the best");
}

#[test]
fn a_snapshot_that_has_expired_is_not_asked_for() {
    let mut rig = Rig::trading(&Setup::default());
    let venue = To::venue(VenueId::FIRST);
    let connects = |rig: &Rig| rig.trace.effects.iter().filter(|e| matches!(e, Effect::Connect(s) if s.0 == 1)).count();
    let before = connects(&rig);
    let late = Command { expires: Mono(rig.now.0 - 1), ..by_desk(3, Word::Snapshot, venue) };
    rig.command(late);
    assert_eq!((connects(&rig), rig.answers()[0].2), (before, Said::Expired));
    rig.look();
    rig.command(Command { expires: rig.now, ..late });
    assert_eq!((connects(&rig), rig.answers()[0].2), (before + 1, Said::Taken));
    // To a venue that is not there: nobody's, counted, and answered.
    rig.look();
    rig.command(by_desk(4, Word::Snapshot, To::venue(VenueId(5))));
    assert_eq!((rig.answers()[0].2, rig.lane.core().counters().elsewhere), (Said::Rejected, 1));
}

#[test]
fn what_commands_have_changed_is_saved() {
    let taker = || ImbalanceTaker::new(&ImbalanceTakerConfig::default(), 8).unwrap();
    let words = [
        (Word::Kill, To::instrument(Y)),
        (Word::Disable, To::strategy(FIRST)),
        (Word::Limits(LimitChange { position: Some(Qty(7)), ..LimitChange::default() }), To::instrument(X)),
        (Word::LaneLimits(LaneLimitChange { burst: Some(3), ..LaneLimitChange::default() }), To::LANE),
        (parameter("size", 7), To::strategy(FIRST)),
    ];
    let mut rig = Rig::of(&Setup::default(), taker());
    rig.open(2);
    for (word, to) in words {
        let before = rig.lane.digest();
        rig.taken(word, to);
        assert_ne!(rig.lane.digest(), before);
    }
    let saved = {
        let mut bytes = firelane_gateway::base::Writer::default();
        rig.lane.save(&mut bytes);
        bytes.0
    };
    let mut other = lane(&Setup::default(), taker());
    other.load(&mut Reader(&saved)).unwrap();
    let gate = other.core().gate();
    assert_eq!(gate.limits_of(X).max_position, Qty(7));
    assert_eq!(gate.limits().burst, 3);
    assert_eq!(gate.may_enter(Y, VenueId::FIRST, SECOND), Err(Refusal::Killed));
    assert_eq!(gate.may_enter(X, VenueId::FIRST, FIRST), Err(Refusal::Disabled));
    assert_eq!(other.digest(), rig.lane.digest());
}
