//! What the tape says of an order, field by field, in literal numbers.

use super::rig::*;
use firelane_gateway::base::{Nanos, Qty};
use firelane_gateway::flow::orders::{LiquidityKind, ReasonClass};
use firelane_gateway::flow::record::{DecisionBody, Kind, OrderBody};
use firelane_gateway::flow::risk::Refusal;

/// What happened (as its number), open shares and their price, fill and its price, match number, the venue's reference.
fn steps(rig: &Rig) -> Vec<(u8, i64, i64, i64, i64, u64, u64)> {
    rig.tape(Kind::Order, |b: &OrderBody| {
        let (fill, trade) = ((b.fill_qty.get(), b.fill_price.get()), b.trade.get());
        (b.what, b.open.get(), b.price.get(), fill.0, fill.1, trade, b.venue_ref.get())
    })
}

#[test]
fn an_orders_records_say_what_is_open_at_which_price_and_what_traded() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 500, 99_000);
    let token = rig.newest().1;
    let report = rig.venue.execute(token, 60, 98_900);
    rig.say(report);
    rig.tell(1, Do::Replace, 400, 99_100);
    rig.tell(1, Do::Cancel, 0, 0);
    let expected = [
        (0, 500, 99_000, 0, 0, 0, 0),
        (1, 500, 99_000, 0, 0, 0, 5_000_001),
        (3, 440, 99_000, 60, 98_900, 1, 0),
        // While a replace is on its way, the larger size and the higher price.
        (0, 440, 99_100, 0, 0, 0, 0),
        (2, 340, 99_100, 0, 0, 0, 5_000_002),
        (0, 340, 99_100, 0, 0, 0, 0),
        (5, 0, 0, 0, 0, 0, 0),
    ];
    assert_eq!(steps(&rig), expected);
    let bodies = rig.tape(Kind::Order, |b: &OrderBody| *b);
    for body in &bodies {
        assert_eq!((body.order.get(), body.parent.get(), body.venue.get(), body.account.get()), (1, 0, 0, 7));
        assert_eq!((body.strategy.get(), body.instrument.get(), body.side), (1, 0, b'B'));
    }
    assert_eq!(bodies.iter().map(|b| b.finished).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 1]);
    let nothing = (0, 0);
    let added = (LiquidityKind::Added as u8, u32::from(b'A'));
    let fills = [nothing, nothing, added, nothing, nothing, nothing, nothing];
    assert_eq!(bodies.iter().map(|b| (b.liquidity, b.liquidity_code.get())).collect::<Vec<_>>(), fills);
    assert_eq!((bodies[6].reason, bodies[6].reason_code.get()), (ReasonClass::ByRequest as u8, u32::from(b'U')));
}

/// Action, refusal, order, shares, price.
fn decisions(rig: &Rig) -> Vec<(char, u16, u64, i64, i64)> {
    rig.tape(Kind::Decision, |b: &DecisionBody| {
        (char::from(b.action), b.refusal.get(), b.order.get(), b.qty.get(), b.price.get())
    })
}

/// A lane that holds 60 of the first symbol and may sell short.
fn holds(setup: &Setup) -> Rig {
    let mut setup = setup.clone();
    setup.risk.each.short = firelane_gateway::flow::risk::ShortSale::MarketMaker;
    let mut rig = Rig::trading(&setup);
    rig.tell(1, Do::Buy, 60, 101_000);
    let token = rig.newest().1;
    let report = rig.venue.execute(token, 60, 101_000);
    rig.say(report);
    assert_eq!(rig.position(X), 60);
    rig.look();
    rig
}

#[test]
fn a_decision_names_the_order_that_it_made_and_a_split_sale_has_one_for_each_part() {
    let mut rig = holds(&Setup::default());
    rig.tell(1, Do::Sell, 100, 101_100);
    rig.tell(1, Do::Cancel, 0, 0);
    rig.tell(1, Do::Sell, 100, 101_150);
    let bad = Refusal::BadPrice as u16 + 1;
    assert_eq!(
        decisions(&rig),
        [('E', 0, 2, 60, 101_100), ('E', 0, 3, 40, 101_100), ('C', 0, 2, 0, 0), ('E', bad, 0, 100, 101_150)]
    );
    let opened: Vec<u64> = rig
        .tape(Kind::Order, |b: &OrderBody| (b.what, b.order.get()))
        .into_iter()
        .filter(|(what, _)| *what == 0)
        .map(|(_, order)| order)
        .collect();
    assert_eq!(opened, [2, 3, 2], "as the order records say");
}

#[test]
fn a_sale_in_two_parts_leaves_whole_or_not_at_all() {
    let mut setup = Setup::default();
    setup.orders.capacity = 2;
    setup.risk.duplicate_window = Nanos::from_millis(1);
    (setup.risk.orders_per_second, setup.risk.burst) = (1_000, 4);
    let mut rig = holds(&setup);
    rig.tell(2, Do::Buy, 100, 99_000);
    rig.look();
    let room = Refusal::NoRoom as u16 + 1;
    rig.tell(1, Do::Sell, 100, 101_100);
    assert_eq!((decisions(&rig), rig.asked().as_str()), (vec![('E', room, 0, 100, 101_100)], ""), "room for one");
    let account = rig.lane.core().gate().ledger().account(X);
    assert_eq!(account.sells.qty, Qty::ZERO);
    // One that fits leaves, and what was refused was not spent: neither a duplicate nor over the rate.
    rig.tell(2, Do::Cancel, 0, 0);
    rig.look();
    rig.tell(1, Do::Sell, 100, 101_100);
    assert_eq!(rig.asked(), "OO");
    assert_eq!(rig.live(), 2);
}
