//! Kill switches of parts of the lane, and what they reach.

use super::*;
use firelane_gateway::flow::risk::KillScope;

/// A replace may add as an enter may: a switch whose scope the order is in refuses it, and no other does.
#[test]
fn a_replace_is_stopped_by_the_switches_that_reach_its_order() {
    let (row, order) = (row(), live(Side::Buy, 100_000, 100, 0, SellMark::Long));
    let f = facts(&row);
    let replace = Replace { order: ClientId(1), price: Price(100_100), qty: Qty(100) };
    for (scope, within) in [
        (KillScope::Lane, true),
        (KillScope::Venue(row.venue), true),
        (KillScope::Venue(VenueId(1)), false),
        (KillScope::Instrument(A), true),
        (KillScope::Strategy(StrategyId(0)), true),
        (KillScope::Strategy(StrategyId(1)), false),
    ] {
        let mut gate = gate(|_| {});
        gate.number_strategies(StrategyId(0), 2);
        gate.kill_in(scope);
        let refused = gate.replace(replace, &order, &f).err();
        assert_eq!(refused, within.then_some(Refusal::Killed), "{scope:?}");
    }
}
