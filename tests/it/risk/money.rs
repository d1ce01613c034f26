//! Several currencies in one lane: each amount in its own, sums in each and in one.

use super::*;
use firelane_gateway::base::{Name, Rate};
use firelane_gateway::flow::risk::{CurrencyLimits, MoneyIn};

fn currency(code: &str) -> Currency {
    Currency::new(code).unwrap()
}

fn at_rate(code: &str, rate: &str, most: Option<i128>) -> CurrencyLimits {
    CurrencyLimits { currency: currency(code), rate: Rate::new(rate).unwrap(), max_total_open: most.map(Notional) }
}

/// A share in cents of a euro, a tick each.
fn euro() -> Instrument {
    let name = Name::new("A-SHARE-IN-EUROS").unwrap();
    Instrument { name, currency: currency("EUR"), price_exponent: -2, tick: 1, fine_tick: 1, lot: 1, ..row() }
}

/// A coin in cents of a tether, and hundred-millionths of a coin; contracts of three.
fn coin() -> Instrument {
    let name = Name::new("COIN-USDT").unwrap();
    Instrument { name, currency: currency("USDT"), qty_exponent: -8, multiplier: 3, ..euro() }
}

fn of(instrument: &Instrument) -> Facts<'_> {
    Facts { best_bid: Some(Price(1_000)), best_ask: Some(Price(1_000)), ..facts(instrument) }
}

#[test]
fn each_limit_counts_in_its_own_currency_and_rounds_against_the_lane() {
    let euro = euro();
    // Money units are 1/10,000: a share at 10.00 euros is worth 100,000 of them, and 100,001 of dollars, rounded up.
    let lane = |rate: &str, most: Option<i128>, change: &dyn Fn(&mut RiskLimits)| {
        let mut gate = gate(change);
        gate.set_currencies(&[at_rate("EUR", rate, most)]).unwrap();
        gate
    };
    let rate = "1.000001";
    let (one, two) = ((buy(1_000, 1), of(&euro)), (buy(1_000, 2), of(&euro)));
    // Of an order, in the base currency and in its own.
    let base = |most| move |l: &mut RiskLimits| l.each.max_order_notional = Notional(most);
    beyond_and_at(lane(rate, None, &base(100_001)), Refusal::OrderNotional, two, one);
    assert_eq!(lane(rate, None, &base(100_000)).enter(one.0, &one.1).err(), Some(Refusal::OrderNotional));
    let own =
        |most| move |l: &mut RiskLimits| (l.each.max_order_notional, l.each.money) = (Notional(most), MoneyIn::Own);
    beyond_and_at(lane("150", None, &own(100_000)), Refusal::OrderNotional, two, one);
    assert_eq!(lane("0.1", None, &own(99_999)).enter(one.0, &one.1).err(), Some(Refusal::OrderNotional));
    // Of what is open in an instrument.
    let base = |most| move |l: &mut RiskLimits| l.each.max_open = Notional(most);
    beyond_and_at(lane(rate, None, &base(100_001)), Refusal::OpenExposure, two, one);
    assert_eq!(lane(rate, None, &base(100_000)).enter(one.0, &one.1).err(), Some(Refusal::OpenExposure));
    let own = |most| move |l: &mut RiskLimits| (l.each.max_open, l.each.money) = (Notional(most), MoneyIn::Own);
    beyond_and_at(lane("150", None, &own(100_000)), Refusal::OpenExposure, two, one);
    // Of the currency, and of the lane.
    beyond_and_at(lane("150", Some(100_000), &|_| {}), Refusal::CurrencyExposure, two, one);
    assert_eq!(lane("0.1", Some(99_999), &|_| {}).enter(one.0, &one.1).err(), Some(Refusal::CurrencyExposure));
    let total = |most| move |l: &mut RiskLimits| l.max_total_open = Notional(most);
    beyond_and_at(lane(rate, None, &total(100_001)), Refusal::TotalExposure, two, one);
    assert_eq!(lane(rate, None, &total(100_000)).enter(one.0, &one.1).err(), Some(Refusal::TotalExposure));
}

#[test]
fn what_is_open_in_one_currency_leaves_less_for_another() {
    let (dollars, euro) = (row(), euro());
    let mut gate = gate(|l| l.max_total_open = Notional(500_000));
    gate.set_currencies(&[at_rate("EUR", "2", None), at_rate("USD", "1", Some(200_000))]).unwrap();
    send(&mut gate, Enter { instrument: B, ..buy(1_000, 1) }, &of(&euro));
    assert_eq!(
        (gate.ledger().open(), gate.ledger().open_in(currency("EUR"))),
        (Notional(200_000), Some(Notional(100_000)))
    );
    // Dollars have a limit of their own.
    let f = facts(&dollars);
    assert_eq!(gate.enter(buy(100_000, 3), &f).err(), Some(Refusal::CurrencyExposure));
    send(&mut gate, buy(100_000, 2), &f);
    assert_eq!(gate.ledger().open(), Notional(400_000));
    let more = Enter { instrument: B, ..buy(1_000, 1) };
    assert_eq!(gate.enter(more, &of(&euro)).err(), Some(Refusal::TotalExposure), "600,000");
    assert_eq!(gate.enter(Enter { price: Price(500), ..more }, &Facts { best_bid: None, ..of(&euro) }).err(), None);
    // Money comes and goes in the instrument's own units.
    let none = exposed(0, 0, false);
    let fill = Change { instrument: B, ..step(Side::Buy, exposed(1, 1_000, false), none, Some((1, 900))) };
    gate.apply(&fill, &euro);
    assert_eq!((gate.ledger().account(B).cash, gate.ledger().account(B).position), (Notional(-900), Qty(1)));
    assert_eq!((gate.ledger().open(), gate.ledger().faults()), (Notional(200_000), 0));
}

#[test]
fn units_are_whole_money_units_or_the_instrument_is_not_traded() {
    let coin = coin();
    let lane = |exponent| {
        let mut gate = gate(|l| l.exponent = exponent);
        gate.set_currencies(&[at_rate("USDT", "1", None)]).unwrap();
        gate
    };
    let order = buy(1_000, 5);
    for (exponent, worth) in [(-10, 15_000), (-11, 150_000), (-18, 1_500_000_000_000)] {
        let mut gate = lane(exponent);
        send(&mut gate, order, &of(&coin));
        assert_eq!(gate.ledger().open(), Notional(worth), "5 x 10.00 x 3, exactly, at {exponent}");
        assert_eq!(gate.ledger().account(A).buys.notional, Notional(15_000), "in its own units");
    }
    let fine = |mut gate: Gate| gate.enter(order, &of(&coin)).err();
    assert_eq!((fine(lane(-9)), fine(lane(-4))), (Some(Refusal::ForeignUnits), Some(Refusal::ForeignUnits)));
    assert_eq!(fine(gate(|l| l.exponent = -10)), Some(Refusal::NoRate));
    // So coarse that no amount could be reckoned.
    let coarse = Instrument { price_exponent: 18, qty_exponent: 18, ..coin };
    assert_eq!(lane(-10).enter(order, &of(&coarse)).err(), Some(Refusal::ForeignUnits));
    let large = Instrument { price_exponent: 14, qty_exponent: 14, ..coin };
    assert_eq!(lane(-10).enter(order, &of(&large)).err(), Some(Refusal::OrderNotional));
}

#[test]
fn currencies_are_checked() {
    let mut gate = gate(|_| {});
    let refused = |gate: &mut Gate, all: &[CurrencyLimits]| gate.set_currencies(all).err().map(|e| e.field);
    let euro = at_rate("EUR", "1.1", None);
    let most = 1i128 << 100;
    for (all, field) in [
        (vec![euro, euro], Some("currency.code")),
        (vec![CurrencyLimits { currency: Currency([0; 8]), ..euro }], Some("currency.code")),
        (vec![at_rate("USD", "1.1", None)], Some("currency.rate")),
        (vec![at_rate("USD", "1.0", None)], None),
        (vec![at_rate("USD", "1", Some(5)), at_rate("USD", "1", None)], Some("currency.code")),
        (vec![at_rate("EUR", "1", Some(0))], Some("currency.max_total_open")),
        (vec![at_rate("EUR", "1", Some(1))], None),
        (vec![at_rate("EUR", "1", Some(most))], None),
        (vec![at_rate("EUR", "1", Some(most + 1))], Some("currency.max_total_open")),
    ] {
        assert_eq!(refused(&mut gate, &all), field, "{all:?}");
    }
    let many = |n: u8| (0..n).map(|n| at_rate(&format!("C{n:02}"), "1", None)).collect::<Vec<_>>();
    assert_eq!((refused(&mut gate, &many(32)), refused(&mut gate, &many(31))), (Some("currency"), None));
    let wrong = |change: &dyn Fn(&mut RiskLimits)| {
        let mut limits = RiskLimits::widest();
        change(&mut limits);
        Gate::new(&limits, 1).err().map(|e| e.field)
    };
    assert_eq!(wrong(&|l| l.currency = Currency(*b"us      ")), Some("risk.base_currency"));
    assert_eq!((wrong(&|l| l.exponent = -18), wrong(&|l| l.exponent = 0)), (None, None));
    for exponent in [-19, 1] {
        assert_eq!(wrong(&|l| l.exponent = exponent), Some("risk.money_exponent"));
    }
}

/// Orders of an earlier run in an instrument of the directory's whose currency has no rate: their worth is not known, and
/// nothing is added to it.
#[test]
fn while_something_is_open_that_cannot_be_summed_nothing_more_is_opened() {
    let (dollars, euro) = (row(), euro());
    let mut gate = gate(|_| {});
    let open = exposed(5, 1_000, false);
    let adopted = Change { instrument: B, ..step(Side::Buy, NOTHING, open, None) };
    gate.apply(&adopted, &euro);
    assert_eq!(gate.enter(buy(100_000, 1), &facts(&dollars)).err(), Some(Refusal::TotalExposure));
    assert_eq!(gate.left((A, &dollars), Side::Buy, Mono(1), 2).notional, Notional(0));
    assert_eq!(gate.left((B, &euro), Side::Buy, Mono(1), 2).qty, Qty(0), "no rate");
    let mut restored = super::gate(|_| {});
    restored.load(&mut Reader(&Writer::of(&gate))).unwrap();
    for mut gate in [gate, restored] {
        gate.apply(&Change { instrument: B, ..step(Side::Buy, open, NOTHING, None) }, &euro);
        assert_eq!(gate.enter(buy(100_000, 1), &facts(&dollars)).err(), None);
        assert_eq!(gate.ledger().faults(), 0);
        gate.apply(&Change { instrument: B, ..step(Side::Buy, open, NOTHING, None) }, &euro);
        assert_eq!(gate.ledger().faults(), 3, "shares, notional and shares unsummed: more than there was");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Sums against all orders, reckoned anew with whole fractions; what is left passes and one share more does not; and a
    /// restored gate says the same.
    #[test]
    fn sums_are_those_of_all_orders_and_what_is_left_is_what_passes(
        rates in prop::array::uniform2((1u64..5_000, 0usize..4)),
        most in prop::array::uniform3(1i128..1 << 50),
        own in prop::bool::ANY,
        steps in prop::collection::vec((0usize..3, 1i64..3_000, 1i64..50, prop::bool::ANY), 1..30),
    ) {
        let rows = [Instrument { tick: 1, ..row() }, euro(), coin()];
        let decimal = |(n, decimals): (u64, usize)| {
            let digits = format!("{n:05}");
            let (whole, rest) = digits.split_at(5 - decimals);
            if decimals == 0 { whole.to_owned() } else { format!("{whole}.{rest}") }
        };
        let new = || {
            let mut limits = RiskLimits::widest();
            (limits.exponent, limits.max_total_open) = (-11, Notional(most[0]));
            (limits.each.max_open, limits.each.max_order_notional) = (Notional(most[1]), Notional(most[1]));
            limits.each.money = if own { MoneyIn::Own } else { MoneyIn::Base };
            let mut gate = Gate::new(&limits, 3).unwrap();
            let all = [at_rate("EUR", &decimal(rates[0]), Some(most[2])), at_rate("USDT", &decimal(rates[1]), None)];
            gate.set_currencies(&all).unwrap();
            gate
        };
        let mut gate = new();
        let mut open = [0i128; 3];
        for (n, price, qty, ends) in steps {
            let (row, id) = (&rows[n], InstrumentId(n as u32));
            let f = Facts { best_bid: Some(Price(price)), best_ask: Some(Price(price)), ..facts(row) };
            let scale = [10i128.pow(7), 10i128.pow(9), 30][n];
            let unit = i128::from(price) * i128::from(row.multiplier);
            let left = gate.left((id, row), Side::Buy, f.now, 2);
            let most = i64::try_from(left.notional.0 / unit).unwrap();
            let ask = |qty| {
                let mut twin = new();
                twin.load(&mut Reader(&Writer::of(&gate))).unwrap();
                twin.enter(Enter { instrument: id, ..buy(price, qty) }, &f).err()
            };
            let most_qty = most.min(left.qty.0);
            prop_assert!(ask(most_qty + 1).is_some(), "{most_qty} {left:?}");
            prop_assert!(most_qty == 0 || ask(most_qty).is_none(), "{:?} {left:?}", ask(most_qty));
            let after = exposed(qty.min(most_qty), price, false);
            if after.qty.is_positive() {
                let worth = i128::from(after.qty.0) * i128::from(price) * scale;
                gate.apply(&Change { instrument: id, ..step(Side::Buy, NOTHING, after, None) }, row);
                open[n] += worth;
                if ends {
                    gate.apply(&Change { instrument: id, ..step(Side::Buy, after, NOTHING, None) }, row);
                    open[n] -= worth;
                }
            }
            let in_base = |n: usize, rate: (u64, usize)| {
                let power = 10i128.pow(rate.1 as u32);
                (open[n] * i128::from(rate.0) + power - 1) / power
            };
            let total = open[0] + in_base(1, rates[0]) + in_base(2, rates[1]);
            let ledger = gate.ledger();
            prop_assert_eq!((ledger.open().0, ledger.faults()), (total, 0));
            let each = ["USD", "EUR", "USDT"].map(|code| ledger.open_in(currency(code)).unwrap().0);
            prop_assert_eq!(each, open);
            prop_assert!(total <= gate.limits().max_total_open.0, "never over the limit");
        }
    }
}
