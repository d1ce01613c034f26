//! Limits that contradict each other, named.

use crate::made;
use firelane_portfolio::feasible::{Infeasible, Limit};
use firelane_portfolio::mandate::{Count, Mandate, Own, Sector, Span};
use firelane_portfolio::model::{Problem, SolveError};
use firelane_portfolio::search::{Annealed, Options};
use std::ops::ControlFlow;

fn span(min: f64, max: f64) -> Span {
    Span { min, max }
}

/// What is said of a mandate for eight names, from A to H.
fn said(mandate: &Mandate) -> Result<(), SolveError> {
    let universe = made::drawn(8, &made::values(1, 128));
    let problem = Problem::new(&universe, mandate, 0.5).unwrap();
    let options = Options { starts: 4, ..Options::default() };
    let found = problem.solve(&options, &mut Annealed::new(1, 50), &mut |_| ControlFlow::Continue(()));
    found.map(|found| assert!(mandate.violation_of(&found.portfolio.weights) <= 1e-9))
}

fn limits(mandate: &Mandate) -> Vec<String> {
    match said(mandate) {
        Err(SolveError::Infeasible(Infeasible { limits })) => limits.iter().map(Limit::to_string).collect(),
        other => panic!("{mandate:?}: {other:?}"),
    }
}

#[test]
fn what_contradicts_is_named_and_nothing_besides() {
    let counted =
        |count, min, max| Mandate { count: Count::Exactly(count), long: span(min, max), ..Mandate::default() };
    let sector = |name: &str, members: &[usize], min, max| Sector {
        name: name.into(),
        members: members.to_vec(),
        net: span(min, max),
    };
    let sectors = |sectors: Vec<Sector>| Mandate { sectors, ..counted(3, 0.1, 0.5) };
    for (mandate, named) in [
        (counted(9, 0.0, 1.0), vec!["exactly 9 names"]),
        (counted(3, 0.4, 1.0), vec!["exactly 3 names", "the least size of a holding", "net 1"]),
        (counted(3, 0.0, 0.3), vec!["exactly 3 names", "the largest size of a holding", "net 1"]),
        (Mandate { long: span(0.0, 0.1), ..Mandate::default() }, vec!["the largest size of a holding", "net 1"]),
        (sectors(vec![sector("all", &[0, 1, 2, 3, 4, 5, 6, 7], 0.0, 0.9)]), vec!["net 1", "sector `all` 0.9 or less"]),
        (
            sectors(vec![sector("a", &[0, 1], 0.6, 1.0), sector("b", &[0, 1, 2], 0.0, 0.5)]),
            vec!["sector `a` 0.6 or more", "sector `b` 0.5 or less"],
        ),
        (sectors(vec![sector("a", &[0], 0.6, 1.0)]), vec!["the largest size of a holding", "sector `a` 0.6 or more"]),
        (
            Mandate {
                own: vec![Own { name: 2, long: Some(span(0.0, 0.2)), short: None }],
                ..sectors(vec![sector("c", &[2], 0.3, 1.0)])
            },
            vec!["the limits of `C` itself", "sector `c` 0.3 or more"],
        ),
        (Mandate { gross: Some(0.8), ..counted(3, 0.0, 1.0) }, vec!["net 1", "gross 0.8 or less"]),
        (
            Mandate { current: vec![0.0; 8], turnover: Some(0.5), ..counted(3, 0.0, 1.0) },
            vec!["net 1", "turnover 0.5 or less"],
        ),
        (Mandate { net: Span::exactly(-0.5), ..Mandate::default() }, vec!["net -0.5"]),
    ] {
        let mut found = limits(&mandate);
        let mut named: Vec<String> = named.into_iter().map(str::to_owned).collect();
        found.sort();
        named.sort();
        assert_eq!(found, named, "{mandate:?}");
    }
}

#[test]
fn at_the_limit_it_can_be_met() {
    let counted =
        |count, min, max| Mandate { count: Count::Exactly(count), long: span(min, max), ..Mandate::default() };
    for mandate in [
        counted(8, 0.0, 1.0),
        counted(4, 0.25, 1.0),
        counted(4, 0.0, 0.25),
        Mandate { long: span(0.0, 0.125), ..Mandate::default() },
        // Of a net weight with room, the end that is nearer is what counts.
        Mandate { net: span(0.5, 1.0), ..counted(4, 0.0, 0.125) },
        Mandate { net: span(0.5, 1.0), ..counted(4, 0.25, 1.0) },
        Mandate { gross: Some(1.0), ..counted(3, 0.0, 1.0) },
        Mandate { current: vec![0.0; 8], turnover: Some(1.0), ..counted(3, 0.0, 1.0) },
    ] {
        assert_eq!(said(&mandate), Ok(()), "{mandate:?}");
    }
}

#[test]
fn what_is_not_proved_is_not_claimed() {
    // Two of three names by halves; any two of them make at most one and a half of what the sectors ask for, but a part of a name would do.
    let sector =
        |name: &str, members: &[usize]| Sector { name: name.into(), members: members.to_vec(), net: span(0.3, 1.0) };
    let mandate = Mandate {
        count: Count::Exactly(1),
        long: span(0.0, 1.0),
        sectors: vec![sector("a", &[0, 1]), sector("b", &[1, 2]), sector("c", &[0, 2])],
        ..Mandate::default()
    };
    let error = said(&mandate).unwrap_err();
    assert!(matches!(error, SolveError::NotFound { starts: 4.. }), "{error}");
    assert!(error.to_string().contains("none of its limits is proved impossible"));
    let one = Infeasible { limits: vec![Limit::Gross(0.5)] };
    assert_eq!(one.to_string(), "this limit can't be met with these names: gross 0.5 or less; loosen it");
    let two = Infeasible { limits: vec![Limit::Gross(0.5), Limit::Count(Count::AtMost(3))] };
    assert_eq!(
        two.to_string(),
        "these limits can't be met together: gross 0.5 or less, 3 names or fewer; loosen one of them"
    );
}
