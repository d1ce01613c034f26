//! Searches against all supports, and weights against what anybody could draw.

use crate::equal::supports;
use crate::made;
use firelane_portfolio::equal::Choice;
use firelane_portfolio::mandate::{Costs, Count, Mandate, Own, Sector, Span};
use firelane_portfolio::model::{Held, Problem, Side, SolveError};
use firelane_portfolio::search::{Annealed, Options, Random, Starts};
use firelane_portfolio::universe::Universe;
use std::ops::ControlFlow;

fn span(min: f64, max: f64) -> Span {
    Span { min, max }
}

/// Mandates of every sort for eight names.
fn mandates() -> Vec<(&'static str, Mandate)> {
    let plain = Mandate { count: Count::Exactly(3), long: span(0.1, 0.7), ..Mandate::default() };
    let sector = |name: &str, members: &[usize], min, max| Sector {
        name: name.into(),
        members: members.to_vec(),
        net: span(min, max),
    };
    let current = vec![0.4, 0.0, 0.3, 0.0, 0.0, 0.3, 0.0, 0.0];
    let signed = Mandate { short: Some(span(0.05, 0.5)), net: span(0.3, 0.6), ..plain.clone() };
    vec![
        ("exactly", plain.clone()),
        ("at most", Mandate { count: Count::AtMost(4), long: span(0.2, 0.9), ..plain.clone() }),
        ("least alone", Mandate { count: Count::Any, long: span(0.15, 1.0), ..plain.clone() }),
        ("no least", Mandate { long: span(0.0, 0.8), ..plain.clone() }),
        ("net between", Mandate { net: span(0.4, 0.8), ..plain.clone() }),
        (
            "sectors",
            Mandate {
                sectors: vec![sector("a", &[0, 1, 2], 0.1, 0.4), sector("b", &[3, 4], 0.0, 0.2)],
                ..plain.clone()
            },
        ),
        (
            "own",
            Mandate {
                own: vec![
                    Own { name: 0, long: None, short: None },
                    Own { name: 3, long: Some(span(0.3, 0.4)), short: None },
                ],
                ..plain.clone()
            },
        ),
        ("turnover", Mandate { current: current.clone(), turnover: Some(0.7), ..plain.clone() }),
        ("costs", Mandate { current: current.clone(), costs: Costs { buy: 0.01, sell: 0.02 }, ..plain.clone() }),
        (
            "both",
            Mandate {
                current,
                turnover: Some(1.1),
                costs: Costs { buy: 0.001, sell: 0.002 },
                count: Count::AtMost(3),
                ..plain
            },
        ),
        ("signed", signed.clone()),
        ("gross", Mandate { gross: Some(0.9), ..signed.clone() }),
        (
            "neutral",
            Mandate {
                net: Span::exactly(0.0),
                gross: Some(1.0),
                sectors: vec![sector("c", &[0, 1, 2, 3], -0.1, 0.1)],
                ..signed
            },
        ),
    ]
}

/// The least objective over all supports and sides.
fn least(problem: &Problem<'_>, names: usize) -> Option<f64> {
    let counts = match problem.mandate().count {
        Count::Exactly(count) => count..=count,
        Count::AtMost(count) => 1..=count,
        Count::Any => 1..=names,
    };
    let shorts = problem.mandate().short.is_some();
    let mut least: Option<f64> = None;
    for support in counts.flat_map(|count| supports(names, count)) {
        for sides in 0..if shorts { 1u32 << support.len() } else { 1 } {
            let side = |at: usize| if sides >> at & 1 == 1 { Side::Short } else { Side::Long };
            let held: Vec<Held> =
                support.iter().enumerate().map(|(at, name)| Held { name: *name, side: side(at) }).collect();
            match problem.weigh(&held) {
                Ok(portfolio) => {
                    assert!(portfolio.violation <= 1e-9 && portfolio.gap.abs() <= 1e-10, "{held:?}: {portfolio:?}");
                    least = Some(least.map_or(portfolio.objective, |least| least.min(portfolio.objective)));
                }
                Err(SolveError::NotFound { .. } | SolveError::Support(_)) => {}
                Err(other) => panic!("{held:?}: {other}"),
            }
        }
    }
    least
}

#[test]
fn a_search_finds_the_best_of_all_supports_under_every_sort_of_mandate() {
    let options = Options { starts: 30, ..Options::default() };
    for seed in 1..=3 {
        let universe = made::drawn(8, &made::values(seed, 128));
        for (what, mandate) in mandates() {
            for lambda in [0.0, 0.6, 1.0] {
                let problem = Problem::new(&universe, &mandate, lambda).unwrap();
                let found = problem.solve(&options, &mut Annealed::new(seed, 200), &mut |_| ControlFlow::Continue(()));
                let found = found.unwrap_or_else(|error| panic!("{what}, seed {seed}, {lambda}: {error}"));
                assert_eq!(mandate.violation_of(&found.portfolio.weights), found.portfolio.violation);
                assert!(found.portfolio.violation <= 1e-9, "{what}: {found:?}");
                let least = least(&problem, 8).unwrap();
                let above = found.portfolio.objective - least;
                assert!(above.abs() <= 1e-10, "{what}, seed {seed}, lambda {lambda}: {above:e} above {least:e}");
            }
        }
    }
}

/// Weights of a support by lot.
fn by_lot(universe: &Universe, support: &[Held], lot: &mut Random) -> Vec<f64> {
    let mut weights = vec![0.0; universe.len()];
    let parts: Vec<f64> = support.iter().map(|_| 1.0 + lot.draw(1_000) as f64).collect();
    let sum: f64 = parts.iter().sum();
    support.iter().zip(&parts).for_each(|(held, part)| weights[held.name] = part / sum);
    weights
}

#[test]
fn nobody_draws_better_weights() {
    let mut lot = Random::new(7);
    let universe = made::drawn(8, &made::values(9, 128));
    for (what, mandate) in
        mandates().into_iter().filter(|(_, mandate)| mandate.short.is_none() && mandate.net.min == 1.0)
    {
        let problem = Problem::new(&universe, &mandate, 0.5).unwrap();
        let mut compared = 0;
        for _ in 0..200 {
            let support = lot.next(&problem, None);
            let Ok(best) = problem.weigh(&support) else { continue };
            for _ in 0..50 {
                let weights = by_lot(&universe, &support, &mut lot);
                if mandate.violation_of(&weights) <= 1e-12 {
                    assert!(problem.objective_of(&weights) >= best.objective - 1e-12, "{what}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 50, "{what}: only {compared} compared");
    }
}

#[test]
fn a_seed_gives_the_same_search_and_a_watcher_ends_it() {
    let universe = made::drawn(20, &made::values(4, 256));
    let mandate = Mandate { count: Count::Exactly(5), long: span(0.05, 0.5), ..Mandate::default() };
    let problem = Problem::new(&universe, &mandate, 0.5).unwrap();
    let run = |seed| {
        problem.solve(&Options::default(), &mut Annealed::new(seed, 100), &mut |_| ControlFlow::Continue(())).unwrap()
    };
    assert_eq!(run(3), run(3));
    assert_eq!((run(3).starts, run(3).stopped), (17, false));
    let mut told = Vec::new();
    let mut watch = |progress: &firelane_portfolio::search::Progress| {
        told.push(*progress);
        if told.len() == 12 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = problem.solve(&Options::default(), &mut Annealed::new(3, 100), &mut watch).unwrap();
    assert!(stopped.stopped && stopped.starts < 17 && told.len() == 12);
    assert!(told.is_sorted_by(|a, b| a.looked <= b.looked && a.starts <= b.starts));
    assert!(mandate.violation_of(&stopped.portfolio.weights) <= 1e-9);
}

/// Proposes nonsense.
struct Nonsense(Random);

impl Starts for Nonsense {
    fn next(&mut self, _: &Problem<'_>, _: Option<&[Held]>) -> Vec<Held> {
        let one = |name| Held { name, side: Side::Short };
        vec![one(3), one(3), one(999), one(1), one(2), one(4), one(5), one(6)]
    }

    fn draw(&mut self, end: usize) -> usize {
        self.0.draw(end)
    }
}

#[test]
fn whatever_is_proposed_is_mended() {
    let universe = made::drawn(8, &made::values(5, 128));
    for (what, mandate) in mandates() {
        let problem = Problem::new(&universe, &mandate, 0.5).unwrap();
        let options = Options { starts: 3, warm: vec![Held { name: 77, side: Side::Long }] };
        let found = problem.solve(&options, &mut Nonsense(Random::new(1)), &mut |_| ControlFlow::Continue(()));
        assert!(found.is_ok_and(|found| mandate.violation_of(&found.portfolio.weights) <= 1e-9), "{what}");
    }
}

#[test]
fn a_support_that_cannot_be_held_is_said() {
    let universe = made::drawn(8, &made::values(5, 128));
    let mandate = Mandate { long: span(0.0, 1.0), ..Mandate::default() };
    let problem = Problem::new(&universe, &mandate, 0.5).unwrap();
    let held = |name, side| Held { name, side };
    assert!(problem.weigh(&[held(7, Side::Long), held(0, Side::Long)]).is_ok());
    for wrong in [held(8, Side::Long), held(usize::MAX, Side::Short), held(1, Side::Short), held(0, Side::Long)] {
        let error = problem.weigh(&[held(0, Side::Long), wrong]).unwrap_err();
        assert_eq!(error, SolveError::Support(wrong.name));
    }
    assert!(matches!(problem.weigh(&[]), Err(SolveError::NotFound { .. } | SolveError::GaveUp(_))));
}

/// A start need not be the best, but an annealed one is to be better than any that chance has: it is why it is annealed.
#[test]
fn annealed_starts_are_below_those_of_chance() {
    let universe = made::drawn(30, &made::values(5, 1_800));
    let mandate = Mandate { count: Count::Exactly(6), ..Mandate::default() };
    let problem = Problem::new(&universe, &mandate, 0.9).unwrap();
    let choice = Choice::new(&universe, 6, 0.9).unwrap();
    let worth = |starts: &mut dyn Starts| {
        let names: Vec<usize> = starts.next(&problem, None).iter().map(|held| held.name).collect();
        choice.objective_of(&names)
    };
    let mut random = Random::new(1);
    let chance = (0..60).map(|_| worth(&mut random)).fold(f64::INFINITY, f64::min);
    for seed in 0..5 {
        let annealed = worth(&mut Annealed::new(seed, 2_000));
        assert!(annealed < chance, "seed {seed}: {annealed} and {chance}");
    }
}
