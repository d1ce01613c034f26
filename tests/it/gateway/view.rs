//! What strategies see of the lane, and what they hear beside the market.

use super::rig::*;
use firelane_gateway::base::{InstrumentId, LoadError, Qty, Reader, Save, Side, State, StrategyId};
use firelane_gateway::flow::action::{Action, Change, Enter, TimeInForce};
use firelane_gateway::flow::command::{Command, CommandBuf, Heard as Says, Word};
use firelane_gateway::flow::event::{Event, EventKind};
use firelane_gateway::flow::risk::{Refusal, Whose};
use firelane_gateway::flow::signal::Imbalance;
use firelane_gateway::flow::strategy::{Actions, Strategy, View};
use std::sync::{Arc, Mutex};

/// Buys 100 of the other instrument at its bid: on each trade message of the first, and on each command. Notes what it
/// hears and sees.
#[derive(Clone, Default)]
struct Wide(Arc<Mutex<Vec<Heard>>>);

#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(clippy::large_enum_variant)] // a command is of fixed size, whatever it says
enum Heard {
    Command(CommandBuf, Result<(), Refusal>),
    /// The lane's orders in the first and the second, and its positions there.
    Lane([usize; 2], [i64; 2]),
}

impl Wide {
    fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn note(&self, heard: Heard) {
        self.0.lock().unwrap().push(heard);
    }

    fn buy(view: &View<'_, Imbalance>, ask: &mut Actions) {
        let Some(bid) = view.book(Y).top(Side::Buy) else { return };
        let (side, tif) = (Side::Buy, TimeInForce::Day);
        let (price, qty, tags) = (bid.price, Qty(100), view.tags());
        ask.push(Action::Enter(Enter { instrument: Y, side, price, qty, tif, post_only: false, tags }));
    }
}

impl State for Wide {
    fn save(&self, _: &mut dyn Save) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

impl Strategy<Imbalance> for Wide {
    fn on_event(&mut self, id: InstrumentId, event: &Event, view: &View<'_, Imbalance>, ask: &mut Actions) {
        if id == X && matches!(event.kind, EventKind::Trade { .. }) {
            Self::buy(view, ask);
        }
    }
    fn on_change(&mut self, change: &Change, view: &View<'_, Imbalance>, _: &mut Actions) {
        assert_eq!(view.order(change.order).is_some(), !change.finished);
        let positions = [X, Y].map(|id| view.position(id).0);
        self.note(Heard::Lane([X, Y].map(|id| view.orders(id).count()), positions));
    }
    fn on_command(&mut self, command: &Command<'_>, view: &View<'_, Imbalance>, ask: &mut Actions) -> Says {
        self.note(Heard::Command((*command).into(), view.may_trade(Y)));
        Self::buy(view, ask);
        Says::NotMine
    }
}

fn wide() -> (Rig<Wide>, Wide) {
    let strategy = Wide::default();
    let mut rig = Rig::of(&Setup::default(), strategy.clone());
    rig.open(2);
    strategy.take();
    rig.look();
    (rig, strategy)
}

#[test]
fn a_strategy_trades_one_instrument_on_what_another_says() {
    let (mut rig, strategy) = wide();
    let live = rig.live();
    rig.market(&[tell(1, Do::Nothing, 1, 100_000)]);
    let (order, token) = rig.newest();
    let order = *rig.lane.core().orders().get(order).unwrap();
    assert_eq!((order.instrument, order.limit.0, rig.live()), (Y, 100_000, live + 1));
    let executed = rig.venue.execute(token, 40, 100_000);
    rig.say(executed);
    let own = live as usize + 1;
    let seen = |position| Heard::Lane([0, own], [0, position]);
    // Sent, accepted, traded in part: each seen with the step taken.
    assert_eq!(strategy.take(), [seen(0), seen(0), seen(40)]);
}

#[test]
fn commands_are_heard_after_their_effect_and_whoever_may_not_act_asks_in_vain() {
    let (mut rig, strategy) = wide();
    let heard = |strategy: &Wide| {
        let commands = strategy.take().into_iter().filter(|heard| matches!(heard, Heard::Command(..)));
        commands.collect::<Vec<_>>()
    };
    for (command, seen, enters) in [
        (Word::Enable, Ok(()), 1),
        // The gate refuses it, and says so.
        (Word::Kill, Err(Refusal::Killed), 0),
        (Word::Release, Ok(()), 1),
        (Word::Disable, Ok(()), 0),
        (Word::Hold, Ok(()), 0),
        (Word::Resume, Ok(()), 0),
        (Word::Enable, Ok(()), 1),
    ] {
        let before = rig.lane.core().counters().entered;
        rig.look();
        rig.command(command);
        assert_eq!(heard(&strategy), [Heard::Command(command.into(), seen)]);
        assert_eq!(rig.lane.core().counters().entered - before, enters, "{command:?}");
        let asked = rig.decisions().iter().filter(|(action, _)| *action == 'E').count();
        assert_eq!(asked, usize::from(enters == 1 || command == Word::Kill), "{command:?}");
    }
}

#[test]
fn what_trades_is_the_strategys_whose_order_it_was() {
    let strategy = Wide::default();
    let mut rig = Rig::of(&Setup::default(), (Told::default(), strategy));
    rig.open(2);
    rig.command(Word::Disable);
    rig.command(Word::Enable);
    let (_, token) = rig.newest();
    let executed = rig.venue.execute(token, 40, 100_000);
    rig.say(executed);
    rig.market(&[tell(2, Do::Sell, 100, 102_000)]);
    let (_, token) = rig.newest();
    let executed = rig.venue.execute(token, 30, 102_000);
    rig.say(executed);
    let of = |whose| rig.lane.core().gate().ledger().position(Y, whose).0;
    assert_eq!([1, 2].map(|n| of(Whose::Strategy(StrategyId(n)))), [-30, 40]);
    assert_eq!((of(Whose::Lane), of(Whose::Nobody)), (10, 0));
}
