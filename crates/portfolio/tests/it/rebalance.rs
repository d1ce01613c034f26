//! From what is held to what should be.

use crate::made;
use firelane_portfolio::lots::LotsError;
use firelane_portfolio::mandate::{Count, Mandate, Span};
use firelane_portfolio::model::SolveError;
use firelane_portfolio::rebalance::{Expired, Now, RebalanceError, Rebalancer, Target, Wanted};
use firelane_portfolio::search::{Annealed, Progress};
use firelane_portfolio::universe::Universe;
use std::ops::ControlFlow;

const PRICE: [u64; 8] = [100_000, 250_000, 70_000, 1_000_000, 33_333, 500_000, 90_000, 410_000];

fn mandate() -> Mandate {
    Mandate { count: Count::AtMost(4), long: Span { min: 0.1, max: 0.5 }, ..Mandate::default() }
}

fn rebalancer(mandate: Mandate) -> Rebalancer<Annealed> {
    Rebalancer::new(mandate, 0.6, Annealed::new(1, 100), 4, 1_000, Expired::Hold)
}

fn now<'a>(universe: &'a Universe, shares: &'a [i64], cash: i64) -> Now<'a> {
    Now { at: 5_000, universe, shares, price: &PRICE, lot: &[1; 8], cash }
}

fn go(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn worth(target: &Target) -> i64 {
    target.shares.iter().zip(PRICE).map(|(shares, price)| shares * price as i64).sum::<i64>() + target.cash
}

#[test]
fn cash_is_invested_and_what_is_best_already_stays() {
    let universe = made::drawn(8, &made::values(2, 128));
    let mut rebalancer = rebalancer(mandate());
    let target = rebalancer.target(&now(&universe, &[0; 8], 10_000_000_000), &mut go).unwrap();
    assert_eq!(worth(&target), 10_000_000_000);
    assert!((0..=5_000_000).contains(&target.cash) && !target.stopped, "{target:?}");
    assert!((1..=4).contains(&target.shares.iter().filter(|shares| **shares != 0).count()));
    let again = rebalancer.target(&now(&universe, &target.shares, target.cash), &mut go).unwrap();
    assert_eq!((&again.shares, again.cash), (&target.shares, target.cash));
}

#[test]
fn turnover_is_of_what_is_held_now() {
    let universe = made::drawn(8, &made::values(2, 128));
    let held = [0, 0, 0, 9_000, 0, 0, 0, 0];
    let free = rebalancer(mandate()).target(&now(&universe, &held, 1_000_000_000), &mut go).unwrap();
    // Nine tenths are in one name, of which at most a half may stay: so four tenths must go, and five must come.
    let tight = Mandate { turnover: Some(0.95), ..mandate() };
    let bound = rebalancer(tight.clone()).target(&now(&universe, &held, 1_000_000_000), &mut go).unwrap();
    let traded = |target: &Target| -> f64 {
        let moved = target.shares.iter().zip(held).zip(PRICE);
        moved.map(|((new, old), price)| (new - old).unsigned_abs() as f64 * price as f64).sum::<f64>() / 1e10
    };
    assert!(traded(&bound) <= 0.95 + 1e-9, "{}", traded(&bound));
    assert!(traded(&free) > 0.95, "else this test says nothing: {}", traded(&free));
    let none = Mandate { turnover: Some(0.2), ..tight };
    let error = rebalancer(none).target(&now(&universe, &held, 1_000_000_000), &mut go).unwrap_err();
    assert!(matches!(error, RebalanceError::Solve(SolveError::Infeasible(_))), "{error}");
    assert!(error.to_string().contains("turnover 0.2 or less"), "{error}");
}

#[test]
fn a_target_is_good_until_it_expires() {
    let universe = made::drawn(8, &made::values(2, 128));
    for (then, after) in [(Expired::Hold, Wanted::Hold), (Expired::Flat, Wanted::Flat)] {
        let mut rebalancer = Rebalancer::new(mandate(), 0.6, Annealed::new(1, 100), 1, 1_000, then);
        let target = rebalancer.target(&now(&universe, &[0; 8], 10_000_000_000), &mut go).unwrap();
        assert_eq!(target.wanted(5_000), Wanted::Shares(&target.shares));
        assert_eq!(target.wanted(5_999), Wanted::Shares(&target.shares));
        assert_eq!((target.wanted(6_000), target.wanted(u64::MAX)), (after, after));
    }
}

#[test]
fn a_deadline_gives_the_best_by_then() {
    let universe = made::drawn(8, &made::values(2, 128));
    let mut looks = 0;
    let mut watch = |_: &Progress| {
        looks += 1;
        if looks > 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut rebalancer = Rebalancer::new(mandate(), 0.6, Annealed::new(1, 100), u64::MAX - 9, 1_000, Expired::Hold);
    let target = rebalancer.target(&now(&universe, &[0; 8], 10_000_000_000), &mut watch).unwrap();
    assert!(target.stopped && mandate().violation_of(&target.portfolio.weights) <= 1e-9);
}

#[test]
fn what_cannot_be_is_said_and_nothing_is_lost() {
    let universe = made::drawn(8, &made::values(2, 128));
    let mut rebalancer = rebalancer(mandate());
    let mut asked = |shares: &[i64], cash: i64| rebalancer.target(&now(&universe, shares, cash), &mut go);
    assert_eq!(asked(&[0; 7], 1).unwrap_err().to_string(), "shares: 7 are given, and there are 8 names");
    assert_eq!(asked(&[0; 8], 0), Err(RebalanceError::Equity(0)));
    assert_eq!(asked(&[1, 0, 0, 0, 0, 0, 0, 0], -100_001), Err(RebalanceError::Equity(-1)));
    assert!(matches!(asked(&[0; 8], i64::MAX), Err(RebalanceError::Lots(LotsError::Capital(_)))));
    // A unit of money buys nothing, and nothing at all is fewer names than four, which is no miss; of exactly four it is.
    assert!(asked(&[0; 8], 1).is_ok_and(|target| target.shares == [0; 8] && target.cash == 1));
    let mut exactly = Rebalancer::new(
        Mandate { count: Count::Exactly(4), ..mandate() },
        0.6,
        Annealed::new(1, 100),
        4,
        1_000,
        Expired::Hold,
    );
    let error = exactly.target(&now(&universe, &[0; 8], 1), &mut go).unwrap_err();
    assert!(matches!(error, RebalanceError::Missed(_)), "{error}");
    let target = exactly.target(&now(&universe, &[0; 8], 10_000_000_000), &mut go);
    assert!(target.is_ok(), "{target:?}");
}
