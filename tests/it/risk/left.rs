//! What the gate says that it would let out is what it lets out; and parent orders, for which there may be no room.

use super::*;
use firelane_gateway::base::OutOfRange;
use firelane_gateway::flow::risk::Left;

/// Limits small enough that each of them is the closest now and then.
fn limits(n: &[i64]) -> RiskLimits {
    let mut limits = RiskLimits::widest();
    (limits.orders_per_second, limits.burst) = (1_000, 3);
    limits.max_total_open = Notional(i128::from(n[0]) * 100_000);
    limits.each.max_open = Notional(i128::from(n[1]) * 100_000);
    limits.each.max_order_notional = Notional(i128::from(n[2]) * 100_000);
    (limits.each.max_order_qty, limits.each.max_position) = (Qty(n[3]), Qty(n[4]));
    limits.each.locates = Qty(n[5]);
    limits.each.short = [ShortSale::Forbidden, ShortSale::Located, ShortSale::MarketMaker][n[6] as usize % 3];
    limits.each.zero_cross = [ZeroCross::Split, ZeroCross::Refuse][n[7] as usize % 2];
    limits
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn an_order_of_what_is_left_passes_and_one_share_more_does_not(
        n in prop::collection::vec(1i64..400, 8),
        steps in prop::collection::vec((prop::bool::ANY, 0u8..4, 0u64..1_500_000), 1..40),
    ) {
        let row = row();
        let new = || Gate::new(&limits(&n), 2).unwrap();
        let mut gate = new();
        let mut now = 0;
        for (buys, what, gap) in steps {
            now += gap;
            let side = if buys { Side::Buy } else { Side::Sell };
            let f = Facts { now: Mono(now), ..facts(&row) };
            let left = gate.left((A, &row), side, Mono(now), 2);
            // All at one price, which makes a notional of shares: 100,000 each.
            let worth = i64::try_from(left.notional.0 / 100_000).unwrap();
            let most = left.qty.0.min(worth);
            let ask = |qty| {
                // Judged by a twin: what passes takes something.
                let mut twin = new();

                twin.load(&mut Reader(&Writer::of(&gate))).unwrap();
                twin.enter(enter(side, 100_000, qty), &f).map(|approvals| 1 + u32::from(approvals.second.is_some()))
            };
            prop_assert!(ask(most + 1).is_err(), "{most} {left:?}");
            if most > 0 {
                match ask(most) {
                    Ok(parts) => prop_assert!(parts <= left.rate),
                    Err(why) => prop_assert!(why == Refusal::Rate && left.rate < 2, "{why:?} {left:?}"),
                }
            }
            if what > 0 && most > 0 && let Ok(approvals) = gate.enter(enter(side, 100_000, 1 + most / 2), &f) {
                for MarkedEnter { enter, mark } in approvals.into_iter().map(|a| a.into_inner()) {
                    let after = exposed(enter.qty.0, enter.price.0, mark != SellMark::Long);
                    gate.apply(&step(side, NOTHING, after, None), &row);
                    if what > 1 {
                        gate.apply(&step(side, after, NOTHING, Some((enter.qty.0, enter.price.0))), &row);
                    }
                }
            }
        }
        gate.kill();
        prop_assert_eq!(gate.left((A, &row), Side::Buy, Mono(now), 2), Left::default());
        gate.release();
        prop_assert_eq!(gate.left((InstrumentId(2), &row), Side::Buy, Mono(now), 2), Left::default());
        prop_assert_eq!(gate.left((A, &row), Side::Buy, Mono(now), 7).orders, 7);
    }
}

#[test]
fn an_order_whose_parent_finds_no_room_does_not_leave() {
    let row = row();
    let mut gate = Gate::new(&RiskLimits { parents: 2, ..RiskLimits::widest() }, 2).unwrap();
    gate.number_strategies(StrategyId(3), 2);
    let of = |parent, strategy| Tags { parent: ParentId(parent), strategy: StrategyId(strategy), ..Tags::default() };
    let ask = |gate: &mut Gate, parent| {
        let enter = Enter { tags: of(parent, 3), ..buy(100_000, 10) };
        gate.enter(enter, &facts(&row)).map(drop)
    };
    let (open, other) = (exposed(10, 100_000, false), of(8, 4));
    for parent in [7, 8] {
        assert_eq!(ask(&mut gate, parent), Ok(()));
        gate.apply(&Change { tags: of(parent, 3), ..step(Side::Buy, NOTHING, open, None) }, &row);
    }
    assert_eq!(gate.ledger().parents(), 2);
    assert_eq!(ask(&mut gate, 9), Err(Refusal::NoRoom));
    assert_eq!((ask(&mut gate, 8), ask(&mut gate, 0)), (Ok(()), Ok(())), "one that is known; no parent");
    // It trades, and another strategy of the same parent sells what it bought.
    gate.apply(&Change { tags: of(8, 3), ..step(Side::Buy, open, NOTHING, Some((10, 100_000))) }, &row);
    let at = |gate: &Gate, whose| gate.ledger().position(A, whose).0;
    assert_eq!((at(&gate, Whose::Parent(ParentId(8))), at(&gate, Whose::Strategy(StrategyId(3)))), (10, 10));
    assert_eq!(ask(&mut gate, 9), Err(Refusal::NoRoom), "one that holds something keeps its place");
    gate.apply(&Change { tags: other, ..step(Side::Sell, NOTHING, open, None) }, &row);
    gate.apply(&Change { tags: other, ..step(Side::Sell, open, NOTHING, Some((10, 100_000))) }, &row);
    assert_eq!((at(&gate, Whose::Parent(ParentId(8))), at(&gate, Whose::Lane)), (0, 0));
    assert_eq!((at(&gate, Whose::Strategy(StrategyId(3))), at(&gate, Whose::Strategy(StrategyId(4)))), (10, -10));
    assert_eq!(ask(&mut gate, 9), Ok(()), "flat, with nothing open: its place is free");
    // A trade of one that is gone is broken while there is no room: the sums hold, and it is counted.
    gate.apply(&Change { tags: of(9, 3), ..step(Side::Buy, NOTHING, open, None) }, &row);
    let broken = Fill { qty: Qty(-10), price: Price(100_000), trade: 1, liquidity: Liquidity::UNKNOWN };
    gate.apply(
        &Change { tags: other, fill: None, reversed: Some(broken), ..step(Side::Sell, NOTHING, NOTHING, None) },
        &row,
    );
    assert_eq!((at(&gate, Whose::Strategy(StrategyId(4))), at(&gate, Whose::Lane), gate.ledger().faults()), (0, 10, 1));
    gate.carry_in(A, Some(StrategyId(4)), Qty(5), Notional(500_000));
    gate.carry_in(A, None, Qty(2), Notional(200_000));
    assert_eq!(
        (at(&gate, Whose::Strategy(StrategyId(4))), at(&gate, Whose::Nobody), at(&gate, Whose::Lane)),
        (5, 2, 17)
    );
}

#[test]
fn room_for_parents_has_a_limit() {
    let of = |parents| RiskLimits { parents, ..RiskLimits::widest() }.check();
    assert_eq!(of(1 << 20), Ok(()));
    assert_eq!(of((1 << 20) + 1), Err(OutOfRange { field: "risk.parents", allowed: "0 to 1048576" }));
}
