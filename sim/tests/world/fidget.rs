//! A strategy that asks for anything that may be asked for, for no reason: what the two useful ones never do, such as
//! partial cancels, odd lots, and cancels of orders that are being replaced.

use firelane_gateway::base::{Digest, LoadError, Price, Qty, Reader, Side, State, Writer};
use firelane_gateway::flow::action::{Action, Cancel, Change, Enter, Happening, MassCancel, Replace, TimeInForce};
use firelane_gateway::flow::book::BookView;
use firelane_gateway::flow::strategy::{Actions, Awaits, Context, OwnOrder, Strategy};

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
    fn price<B: BookView, S>(&mut self, context: &Context<'_, B, S>, side: Side) -> Option<Price> {
        let best = context.book.top(side)?.price;
        Some(Price(best.0 + (self.below(9) as i64 - 5) * context.row.tick * side.sign()))
    }

    fn shares(&mut self) -> Qty {
        Qty(1 + self.below(300) as i64)
    }

    fn enter<B: BookView, S>(&mut self, context: &Context<'_, B, S>) -> Option<Action> {
        let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        Some(Action::Enter(Enter {
            instrument: context.instrument,
            side,
            price: self.price(context, side)?,
            qty: self.shares(),
            tif: if self.below(8) == 0 { TimeInForce::ImmediateOrCancel } else { TimeInForce::Day },
            post_only: self.below(4) == 0,
            tags: context.tags,
        }))
    }

    fn change<B: BookView, S>(&mut self, context: &Context<'_, B, S>, own: OwnOrder) -> Option<Action> {
        let order = own.order;
        Some(match self.below(8) {
            0..=3 if own.awaits == Awaits::Nothing => Action::Replace(Replace {
                order,
                price: self.price(context, own.side)?,
                qty: own.spent.plus(self.shares()),
            }),
            4 | 5 if own.open.0 > 1 => {
                let less = 1 + self.below(own.open.0 as u64 - 1) as i64;
                Action::Cancel(Cancel { order, keep: own.spent.plus(Qty(less)) })
            }
            6 => Action::Cancel(Cancel { order, keep: Qty(0) }),
            7 if self.below(16) == 0 => Action::MassCancel(MassCancel { instrument: Some(context.instrument) }),
            _ => return None,
        })
    }

    fn act<B: BookView, S>(&mut self, context: &Context<'_, B, S>, actions: &mut Actions) {
        if !context.may_trade() {
            return;
        }
        let count = context.orders.len();
        let action = if count < MOST && self.below(count as u64 + 1) == 0 {
            self.enter(context)
        } else {
            let at = self.below(count as u64) as usize;
            self.change(context, context.orders[at])
        };
        if let Some(action) = action {
            actions.push(action);
        }
    }
}

impl<B: BookView, S> Strategy<B, S> for Fidget {
    fn on_event(&mut self, context: &Context<'_, B, S>, actions: &mut Actions) {
        if self.below(16) == 0 {
            self.act(context, actions);
        }
    }

    /// Not upon what it has just asked for itself.
    fn on_change(&mut self, change: &Change, context: &Context<'_, B, S>, actions: &mut Actions) {
        if change.what != Happening::Sent && self.below(4) == 0 {
            self.act(context, actions);
        }
    }
}

impl State for Fidget {
    fn digest(&self, into: &mut Digest) {
        into.u64(self.state);
    }

    fn save(&self, into: &mut Writer) {
        into.u64(self.state);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.state = from.u64()?;
        Ok(())
    }
}
