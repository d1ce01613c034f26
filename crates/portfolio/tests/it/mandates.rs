//! What is a mandate, and its file.

use crate::made;
use firelane_portfolio::mandate::file::Asked;
use firelane_portfolio::mandate::{Costs, Count, MOST_WEIGHT, Mandate, Own, Sector, Span};
use firelane_portfolio::universe::Universe;
use proptest::prelude::*;

fn abc() -> Universe {
    made::universe(&[0.1, 0.2, 0.3], &[&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[0.0, 0.0, 1.0]]).unwrap()
}

fn span(min: f64, max: f64) -> Span {
    Span { min, max }
}

/// Is it refused, and under which key?
fn key(mandate: &Mandate) -> Option<String> {
    mandate.check(&abc()).err().map(|refused| refused.key)
}

#[test]
fn each_part_has_its_limits() {
    let plain = Mandate::default;
    assert_eq!(key(&plain()), None);
    for bad in [-f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, MOST_WEIGHT.next_up()] {
        assert_eq!(key(&Mandate { gross: Some(bad), ..plain() }).as_deref(), Some("gross"));
        assert_eq!(key(&Mandate { turnover: Some(bad), ..plain() }).as_deref(), Some("turnover"));
        assert_eq!(key(&Mandate { long: span(0.0, bad), ..plain() }).as_deref(), Some("long"));
        assert_eq!(key(&Mandate { short: Some(span(bad, 1.0)), ..plain() }).as_deref(), Some("short"));
        assert_eq!(key(&Mandate { costs: Costs { buy: bad, sell: 0.0 }, ..plain() }).as_deref(), Some("costs.buy"));
        assert_eq!(key(&Mandate { costs: Costs { buy: 0.0, sell: bad }, ..plain() }).as_deref(), Some("costs.sell"));
        let own = Own { name: 1, long: Some(span(0.0, bad)), short: None };
        assert_eq!(key(&Mandate { own: vec![own], ..plain() }).as_deref(), Some("holding B"));
    }
    for good in [0.0, 1.0, MOST_WEIGHT] {
        assert_eq!(key(&Mandate { gross: Some(good), turnover: Some(good), long: span(0.0, good), ..plain() }), None);
    }
    assert_eq!(key(&Mandate { costs: Costs { buy: 1.0, sell: 0.0 }, ..plain() }), None);
    assert!(key(&Mandate { costs: Costs { buy: 1.0_f64.next_up(), sell: 0.0 }, ..plain() }).is_some());
    for (net, fits) in [(-MOST_WEIGHT, true), ((-MOST_WEIGHT).next_down(), false), (f64::NAN, false)] {
        assert_eq!(key(&Mandate { net: span(net, 1.0), ..plain() }).is_none(), fits);
        assert_eq!(key(&Mandate { current: vec![0.0, 0.0, net], ..plain() }).is_none(), fits);
    }
    assert_eq!(key(&Mandate { net: span(0.6, 0.5), ..plain() }).as_deref(), Some("net"));
    assert_eq!(key(&Mandate { long: span(0.6, 0.5), ..plain() }).as_deref(), Some("long"));
    for count in [Count::AtMost(0), Count::Exactly(0)] {
        assert_eq!(key(&Mandate { count, ..plain() }).as_deref(), Some("count"));
    }
    assert_eq!(key(&Mandate { current: vec![0.0; 2], ..plain() }).as_deref(), Some("current"));
    let own = |name| Own { name, long: None, short: None };
    assert_eq!(key(&Mandate { own: vec![own(2)], ..plain() }), None);
    assert_eq!(key(&Mandate { own: vec![own(3)], ..plain() }).as_deref(), Some("holding #3"));
    assert_eq!(key(&Mandate { own: vec![own(1), own(1)], ..plain() }).as_deref(), Some("holding B"));
    let sector = |members: &[usize], min| Sector { name: "s".into(), members: members.to_vec(), net: span(min, 0.5) };
    for (sectors, fits) in [
        (vec![sector(&[0, 2], 0.5)], true),
        (vec![sector(&[0, 3], 0.0)], false),
        (vec![sector(&[0, 0], 0.0)], false),
        (vec![sector(&[0], 0.6)], false),
        (vec![sector(&[0], 0.0), sector(&[1], 0.0)], false),
    ] {
        assert_eq!(key(&Mandate { sectors, ..plain() }).as_deref(), (!fits).then_some("sector s"));
    }
}

#[test]
fn a_violation_is_that_of_the_limit_missed_most() {
    let mandate = Mandate {
        net: span(0.5, 0.8),
        gross: Some(1.0),
        long: span(0.1, 0.6),
        short: Some(span(0.2, 0.3)),
        own: vec![Own { name: 2, long: None, short: Some(span(0.0, 0.4)) }],
        count: Count::AtMost(2),
        sectors: vec![Sector { name: "s".into(), members: vec![0, 1], net: span(0.2, 0.75) }],
        current: vec![0.5, 0.0, 0.0],
        turnover: Some(0.4),
        costs: Costs { buy: 0.01, sell: 0.02 },
    };
    let missed = |weights: [f64; 3]| mandate.violation_of(&weights);
    for (weights, miss) in [
        ([0.6, 0.1, 0.0], 0.0),
        ([0.6, 0.05, 0.0], 0.05),
        ([0.4, 0.09, 0.0], 0.01),
        ([0.65, 0.1, 0.0], 0.05),
        ([0.55, 0.25, 0.0], 0.05),
        ([0.6, 0.0, -0.1], 0.0),
        ([0.6, -0.1, 0.0], 0.1),
        ([0.5, 0.0, 0.1], 0.1),
        ([0.6, 0.1, -0.05], 1.0),
        ([0.2, 0.3, 0.0], 0.2),
    ] {
        assert!((missed(weights) - miss).abs() < 1e-12, "{weights:?}: {}", missed(weights));
    }
    assert!((mandate.turnover_of(&[0.2, 0.3, -0.1]) - 0.7).abs() < 1e-15);
    assert!((mandate.cost_of(&[0.2, 0.3, -0.1]) - (0.3 * 0.02 + 0.3 * 0.01 + 0.1 * 0.02)).abs() < 1e-15);
    let exactly = Mandate { count: Count::Exactly(2), ..Mandate::default() };
    assert_eq!(exactly.violation_of(&[1.0, 0.0, 0.0]), 0.0, "one of them may weigh nothing");
    let exactly = Mandate { long: span(0.1, 1.0), ..exactly };
    assert_eq!(exactly.violation_of(&[1.0, 0.0, 0.0]), 1.0);
}

const ALL: &str = r#"# Every key.
lambda = 0.8
net = { min = 0.2, max = 0.9 }
gross = 1.5
turnover = 0.4
exactly = 2
[long]
min = 0.01
max = 0.4
[short]
max = 0.3
[costs]
buy = 0.001
sell = 0.002
[[sector]]
name = "s"
members = ["A", "C"]
max = 0.5
[[holding]]
names = ["B"]
long = { max = 0.1 }
[[holding]]
names = ["C"]
never = true
[current]
B = 0.25
"#;

#[test]
fn every_key_is_read() {
    let asked = Asked::parse(ALL, &abc()).unwrap();
    let must = Mandate {
        net: span(0.2, 0.9),
        gross: Some(1.5),
        long: span(0.01, 0.4),
        short: Some(span(0.0, 0.3)),
        own: vec![
            Own { name: 1, long: Some(span(0.0, 0.1)), short: Some(span(0.0, 0.3)) },
            Own { name: 2, long: None, short: None },
        ],
        count: Count::Exactly(2),
        sectors: vec![Sector { name: "s".into(), members: vec![0, 2], net: span(-MOST_WEIGHT, 0.5) }],
        current: vec![0.0, 0.25, 0.0],
        turnover: Some(0.4),
        costs: Costs { buy: 0.001, sell: 0.002 },
    };
    assert_eq!(asked, Asked { lambda: 0.8, mandate: must });
    assert_eq!(Asked::parse("", &abc()).unwrap(), Asked { lambda: 0.5, mandate: Mandate::default() });
    let asked = Asked::parse("net = 0.5\nat_most = 2", &abc()).unwrap().mandate;
    assert_eq!((asked.net, asked.count), (Span::exactly(0.5), Count::AtMost(2)));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (from, to, text) in [
        ("gross = 1.5", "grosz = 1.5", "line 4: unknown field `grosz`"),
        ("gross = 1.5", "gross = -1", "line 4: gross: is -1, and must be 0 to 1000"),
        ("gross = 1.5", "gross = nan", "line 4: gross: is NaN"),
        ("lambda = 0.8", "lambda = 1.1", "line 2: lambda is 1.1"),
        ("net = { min = 0.2, max = 0.9 }", "net = { min = 1.2, max = 0.9 }", "line 3: net: min 1.2 is above max 0.9"),
        ("net = { min = 0.2, max = 0.9 }", "net = \"x\"", "line 3: must be a number, or { min = .., max = .. }"),
        ("exactly = 2", "exactly = 0", "line 6: count: no name may be held"),
        ("exactly = 2", "exactly = -2", "line 6: invalid value"),
        ("exactly = 2", "exactly = 2\nat_most = 3", "line 7: exactly and at_most: name one"),
        ("max = 0.4", "max = 0.001", "line 7: long: min 0.01 is above max 0.001"),
        ("max = 0.4", "most = 0.4", "line 9: unknown field `most`"),
        ("sell = 0.002", "sell = 2.0", "line 12: costs.sell: is 2, and must be 0 to 1"),
        ("\"A\", \"C\"", "\"A\", \"X\"", "line 17: there is no name `X` in the universe"),
        ("\"A\", \"C\"", "\"A\", \"A\"", "line 15: sector s: has `A` twice"),
        ("max = 0.5", "", "line 15: sector s: give it a min, a max, or both"),
        ("names = [\"B\"]", "names = [\"Y\"]", "line 20: there is no name `Y`"),
        ("names = [\"B\"]", "names = [\"C\"]", "line 20: holding C: is there twice"),
        (
            "never = true",
            "never = true\nlong = { max = 1.0 }",
            "line 22: holding: never = true leaves nothing to limit",
        ),
        ("B = 0.25", "D = 0.25", "line 25: current: there is no name `D`"),
        ("B = 0.25", "B = inf", "line 25: current: `B` weighs inf"),
        ("[current]", "[current", "line 25: "),
    ] {
        assert!(ALL.contains(from), "{from}");
        let error = Asked::parse(&ALL.replacen(from, to, 1), &abc()).unwrap_err().to_string();
        assert!(error.starts_with(text), "{from} -> {to}: {error}");
    }
}

proptest! {
    #[test]
    fn no_mutation_of_a_file_panics(at in 0..ALL.len(), length in 0usize..12, with in "[a-z0-9 .\\[\\]{}=\"\n\\-]{0,8}") {
        let end = (at + length).min(ALL.len());
        if let Ok(asked) = Asked::parse(&format!("{}{with}{}", &ALL[..at], &ALL[end..]), &abc()) {
            prop_assert!(asked.mandate.check(&abc()).is_ok());
        }
    }
}
