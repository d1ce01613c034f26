//! What must be true of the lane at rest, and of its exposure at every moment.
//!
//! Each check has two halves: what is read from the two sides, and what is found in it. The second needs no lane, so
//! that a test can hand it anything and see it found.

use super::{Difference, both, client_of};
use crate::account::Counts;
use crate::exchange::Exchange;
use firelane_gateway::base::ClientId;
use firelane_gateway::flow::orders::{Counters, Cursor, Status};
use firelane_gateway::shell::lane::Lane;
use std::collections::BTreeMap;

/// What must be zero once the lane is at rest: nothing lives, nothing is reserved, nothing was misunderstood.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Rest {
    /// Live orders.
    pub live: u32,
    /// Open notional.
    pub open: i128,
    /// Arithmetic faults of the ledger.
    pub faults: u64,
    /// Shares open to buy and to sell, over all instruments.
    pub shares: [i64; 2],
    /// Fills that had to be forgotten.
    pub forgotten: u64,
    /// What the order table found out of the ordinary.
    pub counters: Counters,
}

impl Rest {
    /// As the lane is now.
    #[must_use]
    pub fn of_lane(lane: &dyn Lane) -> Self {
        let ledger = lane.gate().ledger();
        let sum = |of: fn(&firelane_gateway::flow::risk::Account) -> i64| ledger.accounts().iter().map(of).sum();
        Rest {
            live: lane.orders().live_count(),
            open: ledger.open().0,
            faults: ledger.faults(),
            shares: [sum(|account| account.buys.qty.0), sum(|account| account.sells.qty.0)],
            forgotten: lane.orders().forgotten_fills(),
            counters: lane.orders().counters(),
        }
    }

    /// A difference for each thing that is not as it must be. What the venue really repeated, said late or left
    /// unanswered is `heard`, where somebody listened: the lane must have counted just that.
    #[must_use]
    pub fn check(&self, heard: Option<&Counts>) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut expect = |about: &str, value: i128, expected: i128| {
            if value != expected {
                let (lane, venue) = (value.to_string(), expected.to_string());
                found.push(Difference { about: about.to_owned(), lane, venue });
            }
        };
        expect("live orders", self.live.into(), 0);
        expect("open notional", self.open, 0);
        expect("arithmetic faults of the ledger", self.faults.into(), 0);
        expect("shares open to buy", self.shares[0].into(), 0);
        expect("shares open to sell", self.shares[1].into(), 0);
        expect("fills forgotten", self.forgotten.into(), 0);
        let counters = &self.counters;
        expect("reports about unknown orders", counters.unknown.into(), 0);
        let repeats = heard.map_or(0, |heard| heard.repeats);
        expect("reports that said what was known", counters.duplicates.into(), repeats.into());
        if let Some(heard) = heard {
            expect("late fills", counters.late_fills.into(), heard.late_fills.into());
            expect("orders settled without an answer", counters.unanswered.into(), heard.settled.into());
        }
        expect("breaks of unknown trades", counters.unknown_trades.into(), 0);
        expect("reports that contradict others", counters.contradictions.into(), 0);
        expect("orders that could not be adopted", counters.not_adopted.into(), 0);
        found
    }
}

/// The same of a lane that nobody has listened to.
#[must_use]
pub fn check_at_rest(lane: &dyn Lane) -> Vec<Difference> {
    Rest::of_lane(lane).check(None)
}

/// What an order has done and may do, on one of the two sides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reach {
    /// Shares executed; the venue's late ones, which nobody could foresee, are not counted there.
    pub executed: i64,
    /// Shares that may execute.
    pub may: i64,
    /// In words.
    pub words: String,
}

/// What the lane counts for each of its live orders, and for each that the venue has and it has not forgotten.
#[must_use]
pub fn reach_of_lane(lane: &dyn Lane, venue: &BTreeMap<ClientId, Reach>) -> BTreeMap<ClientId, Reach> {
    let known = venue.keys().filter_map(|id| lane.orders().get(*id));
    let reach = known.map(|order| {
        let (executed, may) = (order.executed.0, order.exposure().qty.0);
        let words = format!("{executed} executed, {may} exposed, {:?}", order.status);
        (order.id, Reach { executed, may, words })
    });
    reach.collect()
}

/// What the venue may still do to each open order of a port.
#[must_use]
pub fn reach_of_venue(exchange: &dyn Exchange, port: u16) -> BTreeMap<ClientId, Reach> {
    let Some(port) = exchange.port(port) else { return BTreeMap::new() };
    let open = port.orders().iter().filter(|(_, record)| record.open > 0);
    let reach = open.map(|(key, record)| {
        let spent = i64::from(record.spent().executed);
        let (executed, may) = (spent - i64::from(record.late()), i64::from(record.open));
        (client_of(port, *key), Reach { executed, may, words: format!("{spent} executed, {may} open") })
    });
    reach.collect()
}

/// At every moment: whatever the venue could still do to an order is covered by what the gateway counts for it.
#[must_use]
pub fn check_exposure(lane: &BTreeMap<ClientId, Reach>, venue: &BTreeMap<ClientId, Reach>) -> Vec<Difference> {
    let open = both(lane, venue).filter_map(|(id, lane, venue)| Some((id, lane, venue?)));
    let short =
        open.filter(|(_, lane, venue)| lane.is_none_or(|lane| lane.executed + lane.may < venue.executed + venue.may));
    let found = short.map(|(id, lane, venue)| Difference {
        about: format!("exposure of order {}", id.0),
        lane: lane.map_or("no such order".to_owned(), |lane| lane.words.clone()),
        venue: venue.words.clone(),
    });
    found.collect()
}

/// Live orders of the lane, for messages about a lane that does not come to rest.
#[must_use]
pub fn live_orders(lane: &dyn Lane) -> Vec<(ClientId, Status)> {
    let mut cursor = Cursor::default();
    std::iter::from_fn(|| lane.orders().next_live(&mut cursor).map(|order| (order.id, order.status))).collect()
}
