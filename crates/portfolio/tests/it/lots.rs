//! Whole lots, against all that there are.

use crate::made;
use firelane_portfolio::lots::{Lots, LotsError, MOST_MONEY, Terms, round};
use firelane_portfolio::mandate::{Costs, Count, Mandate, Sector, Span};
use firelane_portfolio::universe::Universe;

fn span(min: f64, max: f64) -> Span {
    Span { min, max }
}

/// The least squared tracking of all lots from 0 (or `-most`) to `most`, by counting through them: the budget in whole money, the rest as
/// the mandate says it.
fn counted(
    universe: &Universe,
    mandate: &Mandate,
    target: &[f64],
    terms: &Terms,
    most: i64,
    shorts: bool,
) -> Option<f64> {
    let n = target.len();
    let from = if shorts { -most } else { 0 };
    let mut lots = vec![from; n];
    let upper = Mandate { net: span(-1000.0, mandate.net.max), ..mandate.clone() };
    let mut least: Option<f64> = None;
    loop {
        let value: i64 = lots.iter().enumerate().map(|(i, l)| l * (terms.price[i] * terms.lot[i]) as i64).sum();
        let weights: Vec<f64> = lots
            .iter()
            .enumerate()
            .map(|(i, l)| (l * (terms.price[i] * terms.lot[i]) as i64) as f64 / terms.capital as f64)
            .collect();
        let costs = (mandate.cost_of(&weights) * terms.capital as f64).ceil() as i64;
        let within = (value + costs) as f64 <= mandate.net.max * terms.capital as f64;
        // What has no target is not held.
        let meant = lots.iter().zip(target).all(|(lots, target)| *lots == 0 || *target != 0.0);
        if within && meant && upper.violation_of(&weights) <= 1e-9 {
            let apart: Vec<f64> = weights.iter().zip(target).map(|(w, t)| w - t).collect();
            let tracking = universe.variance_of(&apart);
            least = Some(least.map_or(tracking, |least: f64| least.min(tracking)));
        }
        let Some(at) = lots.iter().position(|lots| *lots < most) else { return least };
        lots[at] += 1;
        lots[..at].fill(from);
    }
}

fn kept(lots: &Lots, mandate: &Mandate, terms: &Terms) {
    let value: i64 = lots.shares.iter().zip(&terms.price).map(|(shares, price)| shares * *price as i64).sum();
    assert_eq!(value + lots.costs as i64 + lots.cash, terms.capital as i64, "money is whole");
    assert!((value as f64 + lots.costs as f64) <= mandate.net.max * terms.capital as f64, "the budget is kept");
    for (at, shares) in lots.shares.iter().enumerate() {
        assert_eq!(*shares, lots.lots[at] * terms.lot[at] as i64);
    }
}

#[test]
fn no_other_lots_track_better() {
    let plain = Mandate { long: span(0.0, 0.8), ..Mandate::default() };
    let sectors = vec![Sector { name: "s".into(), members: vec![0, 1], net: span(0.1, 0.45) }];
    let mandates = [
        plain.clone(),
        Mandate { long: span(0.1, 0.6), count: Count::AtMost(3), ..plain.clone() },
        Mandate { sectors, ..plain.clone() },
        Mandate {
            costs: Costs { buy: 0.01, sell: 0.01 },
            current: vec![0.3, 0.0, 0.2, 0.1],
            turnover: Some(0.9),
            ..plain.clone()
        },
        Mandate { net: span(0.5, 0.9), ..plain.clone() },
        Mandate { net: span(0.2, 0.5), short: Some(span(0.0, 0.5)), gross: Some(1.1), ..plain },
    ];
    let mut all = 0;
    for seed in 1..=25 {
        let values = made::values(seed, 128);
        let universe = made::drawn(4, &values);
        let at = |i: usize| values[i].abs();
        let terms = Terms {
            price: (0..4).map(|i| 700 + (at(i) * 900.0) as u64).collect(),
            lot: vec![1, 2, 1, 3],
            capital: 10_000,
        };
        for mandate in &mandates {
            let shorts = mandate.short.is_some();
            let raw: Vec<f64> = (0..4).map(|i| if shorts { values[i + 9] } else { at(i + 9) }).collect();
            let sum: f64 = raw.iter().map(|w| w.abs()).sum();
            let target: Vec<f64> = raw.iter().map(|w| w / sum).collect();
            let lots = round(&universe, mandate, &target, &terms).unwrap();
            kept(&lots, mandate, &terms);
            let least = counted(&universe, mandate, &target, &terms, 15, shorts);
            match least {
                Some(least) => {
                    assert!(lots.proved && lots.violation == 0.0, "{mandate:?} {lots:?}");
                    assert!(
                        (lots.tracking.powi(2) - least).abs() <= 1e-12 * least.max(1e-6),
                        "{mandate:?} {lots:?} {least:e}"
                    );
                    all += 1;
                }
                None => assert!(lots.violation > 0.0 && !lots.proved, "{lots:?}"),
            }
        }
    }
    assert!(all > 100, "only {all} had a solution");
}

#[test]
fn of_many_names_the_budget_is_used_and_never_exceeded() {
    let values = made::values(3, 512);
    let universe = made::drawn(26, &values);
    let target = vec![1.0 / 26.0; 26];
    let terms = Terms {
        price: (0..26).map(|i| 100_000 + (values[i].abs() * 4e6) as u64).collect(),
        lot: vec![100; 26],
        capital: 100_000_000_000,
    };
    let mandate = Mandate { long: span(0.0, 0.06), ..Mandate::default() };
    let lots = round(&universe, &mandate, &target, &terms).unwrap();
    kept(&lots, &mandate, &terms);
    assert!(lots.cash >= 0 && lots.violation == 0.0);
    let cut: f64 = terms
        .price
        .iter()
        .map(|price| {
            let unit = (*price * 100) as f64 / terms.capital as f64;
            1.0 / 26.0 - unit * (1.0 / 26.0 / unit).floor()
        })
        .sum();
    assert!((lots.cash as f64 / terms.capital as f64) < cut / 2.0, "it does more than cut: {} of {cut}", lots.cash);
}

#[test]
fn what_cannot_be_rounded_is_said() {
    let universe = made::drawn(2, &made::values(1, 64));
    let terms = |price: u64, lot: u64, capital: u64| Terms { price: vec![price, 10], lot: vec![lot, 1], capital };
    let with = |target: &[f64], terms: &Terms| round(&universe, &Mandate::default(), target, terms);
    assert!(with(&[0.5, 0.5], &terms(1, 1, 1)).is_ok() && with(&[0.5, 0.5], &terms(MOST_MONEY, 1, MOST_MONEY)).is_ok());
    for (price, lot) in [(0, 1), (1, 0), (MOST_MONEY + 1, 1), (2, MOST_MONEY / 2 + 1)] {
        let error = with(&[0.5, 0.5], &terms(price, lot, 100)).unwrap_err();
        assert!(matches!(error, LotsError::Range { .. }) && error.to_string().contains("of `A` is"), "{error}");
    }
    for capital in [0, MOST_MONEY + 1] {
        assert_eq!(with(&[0.5, 0.5], &terms(1, 1, capital)), Err(LotsError::Capital(capital)));
    }
    for target in [f64::NAN, 1000.5, f64::NEG_INFINITY] {
        assert!(matches!(with(&[0.5, target], &terms(1, 1, 100)), Err(LotsError::Target(name, _)) if name == "B"));
    }
    let error = with(&[0.5], &terms(1, 1, 100)).unwrap_err();
    assert_eq!(error.to_string(), "targets: 1 are given, and there are 2 names");
    // Nothing wanted, nothing held; what is too dear is left out.
    let none = with(&[0.0, 0.0], &terms(1, 1, 100)).unwrap();
    assert_eq!((none.lots, none.cash, none.proved), (vec![0, 0], 100, true));
    let dear = with(&[0.9, 0.1], &terms(1_000, 1, 100)).unwrap();
    assert_eq!((dear.lots[0], dear.violation), (0, 0.0));
    // What does not vary tracks alike, however much of it there is: nothing is proved.
    let flat = made::universe(&[0.0, 0.0], &[&[0.0, 0.0], &[0.0, 0.0]]).unwrap();
    assert!(!round(&flat, &Mandate::default(), &[0.5, 0.5], &terms(1, 1, 100)).unwrap().proved);
}
