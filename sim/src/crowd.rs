//! The rest of the market: plays the synthetic [order flow](crate::order_flow) into the venue.

use crate::order_flow::{FlowAction, FlowConfig, Handle, MarketPeek, OrderFlow};
use crate::venue::Venue;
use crate::venue::engine::TradingState;
use crate::venue::market::{Effect, Life, NewOrder, Refusal};
use firelane_gateway::base::{Mono, Price, Side, Symbol, VenueRef};

/// What became of the flow's actions.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CrowdStats {
    /// Actions of the flow.
    pub actions: u64,
    /// Of these refused by the venue, as orders are in a halt.
    pub refused: u64,
}

/// Everyone else.
#[derive(Debug)]
pub struct Crowd {
    flow: OrderFlow,
    symbols: Vec<Symbol>,
    /// The venue's reference of each of the flow's orders.
    references: Vec<Option<VenueRef>>,
    stats: CrowdStats,
}

struct View<'a> {
    venue: &'a Venue,
    symbols: &'a [Symbol],
    references: &'a [Option<VenueRef>],
}

impl MarketPeek for View<'_> {
    fn best(&self, symbol: usize, side: Side) -> Option<Price> {
        let top = self.venue.engine().top(*self.symbols.get(symbol)?);
        let of_side = match side {
            Side::Buy => top.bid,
            Side::Sell => top.ask,
        };
        of_side.map(|(price, _)| price)
    }

    fn open(&self, order: Handle) -> u32 {
        let reference = self.references.get(order.0 as usize).copied().flatten();
        reference.and_then(|r| self.venue.engine().order(r)).map_or(0, |order| order.open)
    }
}

impl Crowd {
    /// The crowd in the run of `seed`. The venue must list its [symbols](Self::symbols).
    #[must_use]
    pub fn new(config: FlowConfig, seed: u64) -> Self {
        let flow = OrderFlow::new(config, seed);
        Crowd {
            symbols: flow.symbols().to_vec(),
            references: vec![None; flow.handles()],
            flow,
            stats: CrowdStats::default(),
        }
    }

    /// The symbols that it trades.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// When it acts next.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.flow.next_deadline()
    }

    /// Acts. Between two actions of one instant the venue does nothing else.
    pub fn on_timer(&mut self, now: Mono, venue: &mut Venue) {
        loop {
            let view = View { venue, symbols: &self.symbols, references: &self.references };
            let Some(action) = self.flow.on_timer(now, &view) else { return };
            self.stats.actions += 1;
            self.stats.refused += u64::from(self.act(now, action, venue).is_err());
        }
    }

    /// News of a symbol: [`OrderFlow::news`].
    pub fn news(&mut self, symbol: usize, half_spreads: i64) {
        self.flow.news(symbol, half_spreads);
    }

    fn act(&mut self, now: Mono, action: FlowAction, venue: &mut Venue) -> Result<(), Refusal> {
        let symbols = &self.symbols;
        let name = |symbol: usize| symbols.get(symbol).copied().ok_or(Refusal::UnknownSymbol);
        match action {
            FlowAction::Enter { order, symbol, side, price, shares, hidden } => {
                let entry = NewOrder { hidden, ..NewOrder::limit(name(symbol)?, side, shares, price) };
                self.references[order.0 as usize] = None;
                self.references[order.0 as usize] = own_reference(&venue.enter(now, entry)?);
            }
            FlowAction::Take { symbol, side, price, shares } => {
                let entry = NewOrder { life: Life::Immediate, ..NewOrder::limit(name(symbol)?, side, shares, price) };
                venue.enter(now, entry)?;
            }
            FlowAction::Cancel { order } => {
                venue.reduce(now, self.reference(order)?, 0)?;
            }
            FlowAction::Reduce { order, by } => {
                let reference = self.reference(order)?;
                let open = venue.engine().order(reference).map_or(0, |o| o.open);
                venue.reduce(now, reference, open.saturating_sub(by))?;
            }
            FlowAction::Replace { order, symbol, side, hidden, price, shares } => {
                let entry = NewOrder { hidden, ..NewOrder::limit(name(symbol)?, side, shares, price) };
                let effects = venue.replace(now, self.reference(order)?, entry)?;
                self.references[order.0 as usize] = own_reference(&effects);
            }
            FlowAction::Halt { symbol, pause, reason } => {
                let state = if pause { TradingState::Paused } else { TradingState::Halted };
                venue.set_state(now, name(symbol)?, state, reason)?;
            }
            FlowAction::QuoteOnly { symbol } => {
                venue.set_state(now, name(symbol)?, TradingState::QuotationOnly, *b"T3  ")?;
            }
            FlowAction::Resume { symbol } => {
                venue.set_state(now, name(symbol)?, TradingState::Trading, *b"T3  ")?;
            }
            FlowAction::ShortSaleRestriction { symbol, on } => {
                venue.set_reg_sho(now, name(symbol)?, if on { b'1' } else { b'0' })?;
            }
        }
        Ok(())
    }

    fn reference(&self, order: Handle) -> Result<VenueRef, Refusal> {
        self.references.get(order.0 as usize).copied().flatten().ok_or(Refusal::UnknownOrder)
    }

    /// What became of the flow's actions so far.
    #[must_use]
    pub fn stats(&self) -> CrowdStats {
        self.stats
    }
}

/// The reference of an order just entered: the first effect is its own.
fn own_reference(effects: &[Effect]) -> Option<VenueRef> {
    effects.first().map(|effect| effect.reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::engine::EngineConfig;
    use firelane_gateway::base::{Digest, ExchangeTime, Nanos};
    use firelane_gateway::flow::wire::itch50;
    use std::collections::BTreeMap;

    /// Some seconds of a market: how many messages of each type, and a digest of them all.
    fn run(seed: u64, seconds: u64) -> (BTreeMap<char, u64>, u64, CrowdStats, Venue) {
        let config = FlowConfig {
            symbols: 30,
            rate: 5_000,
            live_orders: 2_000,
            halt_every: Nanos::from_secs(2),
            halt_for: Nanos::from_millis(200),
            restriction_every: Nanos::from_secs(2),
            ..FlowConfig::default()
        };
        let mut crowd = Crowd::new(config, seed);
        let mut venue = Venue::new(ExchangeTime::new(20_000, 0), &EngineConfig::new(crowd.symbols()), vec![]);
        for symbol in crowd.symbols() {
            venue.set_state(Mono(0), *symbol, TradingState::Trading, *b"    ").unwrap();
        }
        venue.open(Mono(0));
        let (mut counts, mut digest) = (BTreeMap::new(), Digest::default());
        while crowd.next_deadline() < Mono(0).after(Nanos::from_secs(seconds)) {
            crowd.on_timer(crowd.next_deadline(), &mut venue);
            for message in venue.take_messages() {
                assert!(itch50::decode(&message).is_ok());
                *counts.entry(char::from(message[0])).or_default() += 1;
                digest.bytes(&message);
            }
        }
        (counts, digest.value(), crowd.stats(), venue)
    }

    #[test]
    fn the_crowd_makes_a_feed_like_a_real_one() {
        let (counts, _, stats, venue) = run(1, 10);
        venue.check().unwrap();
        let of = |letters: &str| letters.chars().map(|c| counts.get(&c).copied().unwrap_or(0)).sum::<u64>();
        let all = of("AFECXDUP");
        let percent = |letters| of(letters) * 100 / all;
        assert!((40..50).contains(&percent("AF")), "{counts:?}");
        assert!((38..48).contains(&percent("D")), "{counts:?}");
        assert!((3..8).contains(&percent("EC")), "{counts:?}");
        assert!((4..8).contains(&percent("U")), "{counts:?}");
        for letter in ["X", "P", "H", "Y", "R", "S"] {
            assert!(of(letter) > 0, "no {letter}: {counts:?}");
        }
        assert!(stats.refused * 100 < stats.actions * 3, "{stats:?}");
        let two_sided = venue.engine().symbols().filter(|s| {
            let top = venue.engine().top(*s);
            top.bid.is_some() && top.ask.is_some()
        });
        assert!(two_sided.count() >= 27);
    }

    #[test]
    fn a_seed_reproduces_the_feed() {
        assert_eq!(run(4, 2).1, run(4, 2).1);
        assert_ne!(run(4, 2).1, run(5, 2).1);
    }
}
