//! Somebody who plays tricks on a port's client, within the letter of the specification.

use crate::clock::Agenda;
use crate::rng::Rng;
use crate::venue::Venue;
use crate::venue::engine::Resting;
use crate::venue::market::{BreakReason, Life, NewOrder, Prevention, SelfMatch};
use crate::venue::port::{OrderState, Trick};
use firelane_gateway::base::{Mono, Nanos, Price};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deed {
    Play(Trick),
    /// A colleague of the same firm sends an order that meets the client's.
    Meet,
    /// A trade is corrected, and then broken after all.
    Revise,
}

/// Mean time between two of a kind.
const DEEDS: [(Deed, Nanos); 5] = [
    (Deed::Play(Trick::FillLate), Nanos::from_millis(300)),
    (Deed::Play(Trick::RepeatFill), Nanos::from_millis(300)),
    (Deed::Play(Trick::Hold), Nanos::from_millis(500)),
    (Deed::Meet, Nanos::from_millis(100)),
    (Deed::Revise, Nanos::from_millis(500)),
];
/// Orders are held for so long, on average.
const HOLD: Nanos = Nanos::from_millis(40);

#[derive(Debug)]
pub(super) struct Tricks {
    firm: [u8; 4],
    rng: Rng,
    agenda: Agenda<Deed>,
}

impl Tricks {
    pub(super) fn new(firm: [u8; 4], seed: u64) -> Self {
        let mut tricks = Tricks { firm, rng: Rng::new(seed, "tricks"), agenda: Agenda::new() };
        for (deed, every) in DEEDS {
            tricks.plan(Mono(0), every, deed);
        }
        tricks
    }

    pub(super) fn next_deadline(&self) -> Mono {
        self.agenda.next_deadline()
    }

    fn plan(&mut self, now: Mono, mean: Nanos, deed: Deed) {
        let wait = self.rng.exponential(mean);
        self.agenda.after(now, wait, deed);
    }

    pub(super) fn on_timer(&mut self, now: Mono, venue: &mut Venue) {
        while let Some((_, deed)) = self.agenda.due(now) {
            if let Some((_, every)) = DEEDS.iter().find(|(other, _)| *other == deed) {
                self.plan(now, *every, deed);
            }
            // A client that comes back waits for a silence of its session: it is left alone until it trades.
            let mut latest = venue.port(0).into_iter().flat_map(|port| port.orders().values().rev());
            let trades = latest.any(|order| order.state == OrderState::Live);
            match deed {
                Deed::Play(Trick::LetGo) => {
                    venue.trick(now, 0, Trick::LetGo, &mut self.rng);
                }
                _ if !trades => {}
                Deed::Play(trick) => {
                    venue.trick(now, 0, trick, &mut self.rng);
                    if trick == Trick::Hold {
                        self.plan(now, HOLD, Deed::Play(Trick::LetGo));
                    }
                }
                Deed::Meet => self.meet(now, venue),
                Deed::Revise => revise(now, venue),
            }
        }
    }

    pub(super) fn stop(&mut self, now: Mono, venue: &mut Venue) {
        self.agenda.clear();
        venue.trick(now, 0, Trick::LetGo, &mut self.rng);
    }

    /// Takes all that stands before an order of the client's, and then meets it.
    fn meet(&mut self, now: Mono, venue: &mut Venue) {
        let symbols: Vec<_> = venue.engine().symbols().collect();
        let all =
            symbols.into_iter().flat_map(|symbol| venue.engine().book(symbol).into_iter().map(move |o| (symbol, o)));
        let all: Vec<(_, Resting)> = all.collect();
        let own = all.iter().filter(|(_, order)| order.owner.is_some());
        let own: Vec<_> = own.copied().collect();
        if own.is_empty() {
            return;
        }
        let (symbol, met) = own[self.rng.index(own.len())];
        let before = all.iter().filter(|(s, order)| *s == symbol && order.side == met.side);
        let before = before.take_while(|(_, order)| order.reference != met.reference);
        let before: u32 = before.map(|(_, order)| order.shares).sum();
        let part = u32::try_from(self.rng.between(1, met.shares.into())).unwrap_or(1);
        let action = if self.rng.coin() { Prevention::DecrementBoth } else { Prevention::CancelOldest };
        let self_match = Some(SelfMatch { house: (b'F', self.firm, *b"  "), action: Some(action) });
        let order = NewOrder::limit(symbol, met.side.opposite(), before + part, met.price);
        // What is halted or closed does not trade.
        let _ = venue.enter(now, NewOrder { life: Life::Immediate, self_match, ..order });
    }
}

fn revise(now: Mono, venue: &mut Venue) {
    let told = venue.port(0).map_or(&[][..], |port| port.fills()).iter().rev();
    // A fill that only the port knows can't be broken by the market.
    let Some(fill) = told.take(20).find(|fill| !fill.broken && venue.engine().trades().contains_key(&fill.trade))
    else {
        return;
    };
    let fill = *fill;
    venue.correct_trade(now, fill.trade, Price(fill.price.0 + 100));
    let broken = venue.break_trade(now, fill.trade, BreakReason::Consent);
    debug_assert!(broken.is_ok());
}
