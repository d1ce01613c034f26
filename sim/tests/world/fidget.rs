//! A strategy that asks for anything that may be asked for, for no reason: what the two useful ones never do, such as
//! partial cancels, odd lots, and cancels of orders that are being replaced.

use firelane_gateway::base::{InstrumentId, Price, Qty, Side};
use firelane_gateway::flow::action::{Action, Cancel, Change, Enter, Happening, MassCancel, Replace, TimeInForce};
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::signal::Signal;
use firelane_gateway::flow::strategy::{Actions, Awaits, OwnOrder, Strategy, View};

/// Never more orders of an instrument at once.
const MOST: usize = 4;

#[derive(Debug)]
pub(super) struct Fidget {
    state: u64,
}

impl Fidget {
    pub(super) fn new(seed: u64) -> Self {
        Fidget { state: seed.wrapping_mul(2).wrapping_add(1) }
    }

    /// A number below `end`, by a linear congruence.
    fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % end
    }

    /// A few ticks around the best of its side.
    fn price<S>(&mut self, id: InstrumentId, view: &View<'_, S>, side: Side) -> Option<Price> {
        let best = view.book(id).top(side)?.price;
        Some(Price(best.0 + (self.below(9) as i64 - 5) * view.row(id)?.tick * side.sign()))
    }

    fn shares(&mut self) -> Qty {
        Qty(1 + self.below(300) as i64)
    }

    fn enter<S>(&mut self, id: InstrumentId, view: &View<'_, S>) -> Option<Action> {
        let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        Some(Action::Enter(Enter {
            instrument: id,
            side,
            price: self.price(id, view, side)?,
            qty: self.shares(),
            tif: if self.below(8) == 0 { TimeInForce::ImmediateOrCancel } else { TimeInForce::Day },
            post_only: self.below(4) == 0,
            tags: view.tags(),
        }))
    }

    fn change<S>(&mut self, view: &View<'_, S>, own: OwnOrder) -> Option<Action> {
        let (id, order) = (own.instrument, own.order);
        Some(match self.below(8) {
            0..=3 if own.awaits == Awaits::Nothing => Action::Replace(Replace {
                order,
                price: self.price(id, view, own.side)?,
                qty: own.spent.plus(self.shares()),
            }),
            4 | 5 if own.open.0 > 1 => {
                let less = 1 + self.below(own.open.0 as u64 - 1) as i64;
                Action::Cancel(Cancel { order, keep: own.spent.plus(Qty(less)) })
            }
            6 => Action::Cancel(Cancel { order, keep: Qty(0) }),
            7 if self.below(16) == 0 => Action::MassCancel(MassCancel { instrument: Some(id) }),
            _ => return None,
        })
    }

    fn act<S>(&mut self, id: InstrumentId, view: &View<'_, S>, ask: &mut Actions) {
        if view.may_trade(id).is_err() {
            return;
        }
        let count = view.orders(id).count();
        let action = if count < MOST && self.below(count as u64 + 1) == 0 {
            self.enter(id, view)
        } else {
            let at = self.below(count as u64) as usize;
            view.orders(id).nth(at).and_then(|own| self.change(view, own))
        };
        if let Some(action) = action {
            ask.push(action);
        }
    }
}

impl<S: Signal> Strategy<S> for Fidget {
    fn on_event(&mut self, id: InstrumentId, _: &Event, view: &View<'_, S>, ask: &mut Actions) {
        if self.below(16) == 0 {
            self.act(id, view, ask);
        }
    }

    /// Not upon what it has just asked for itself.
    fn on_change(&mut self, change: &Change, view: &View<'_, S>, ask: &mut Actions) {
        if change.what != Happening::Sent && self.below(4) == 0 {
            self.act(change.instrument, view, ask);
        }
    }
}

firelane_gateway::state! { Fidget { state } }
