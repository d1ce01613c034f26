//! Cycles: two exact ways agree with each other and with all permutations; Bellman and Ford find one just where there is one.

use crate::on;
use firelane_arbitrage::cycles::{self, By, CycleError, Graph, annealed, bellman_ford, enumerated, subsets};
use firelane_arbitrage::quotes::made::{Made, quotes};
use firelane_arbitrage::quotes::{COLUMNS, Leg, Quotes, QuotesError, Take};
use num_bigint::BigUint;
use proptest::prelude::*;
use std::cmp::Ordering;

fn of(rows: &str) -> Quotes {
    Quotes::parse(&format!("{COLUMNS}\n{rows}")).unwrap()
}

/// The best product by every sequence of distinct currencies, with big fractions alone.
fn by_hand(quotes: &Quotes, longest: usize) -> Option<(BigUint, BigUint)> {
    let n = quotes.currencies().len();
    let mut best: Option<(BigUint, BigUint)> = None;
    let legs: Vec<Leg> = quotes.legs().collect();
    fn go(
        quotes: &Quotes,
        legs: &[Leg],
        path: &mut Vec<usize>,
        value: (BigUint, BigUint),
        longest: usize,
        best: &mut Option<(BigUint, BigUint)>,
    ) {
        for leg in legs {
            let (from, to) = quotes.ends(*leg);
            if from != path[path.len() - 1] {
                continue;
            }
            let rate = quotes.rate(*leg).unwrap();
            let product = (&value.0 * rate.numerator, &value.1 * rate.denominator);
            if to == path[0] && path.len() > 1 {
                if best.as_ref().is_none_or(|best| &product.0 * &best.1 > &best.0 * &product.1) {
                    *best = Some(product);
                }
            } else if !path.contains(&to) && path.len() < longest {
                path.push(to);
                go(quotes, legs, path, product, longest, best);
                path.pop();
            }
        }
    }
    for first in 0..n {
        go(quotes, &legs, &mut vec![first], (BigUint::from(1_u8), BigUint::from(1_u8)), longest, &mut best);
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_best_is_the_best_of_all(
        currencies in 2_usize..6, venues in 1_usize..3, pairs in 0.0..1.0_f64, error_bp in 0.0..8.0_f64,
        longest in 2_usize..6, seed in any::<u64>(),
    ) {
        let quotes = quotes(&Made { currencies, venues, pairs, error_bp, ..Made::default() }, seed);
        let longest = longest.min(currencies);
        let graph = Graph::new(&quotes);
        let (numerator, denominator) = by_hand(&quotes, longest).unwrap();
        for (found, by) in [(enumerated::best(&graph, longest).0, "one by one"), (subsets::best(&graph, longest).0, "sets")] {
            let cycle = graph.cycle(&found.unwrap()).unwrap();
            let (above, below) = cycle.legs.iter().map(|leg| quotes.rate(*leg).unwrap()).fold(
                (BigUint::from(1_u8), BigUint::from(1_u8)),
                |(above, below), rate| (above * rate.numerator, below * rate.denominator),
            );
            prop_assert_eq!(above * &denominator, below * &numerator, "{}", by);
        }
        // Some cycle gains just where one is found.
        let best = cycles::best(&graph, currencies).unwrap().cycle.unwrap();
        match bellman_ford::any(&graph) {
            Some(any) => {
                prop_assert!(any.product(&quotes).is_gain());
                prop_assert!(cycles::compare(&quotes, &best.legs, &any.legs) != Ordering::Less);
            }
            None => prop_assert!(best.product(&quotes).gain() < 1e-10),
        }
    }

    #[test]
    fn what_passes_a_cycle_is_the_most_that_does(seed in any::<u64>()) {
        let quotes = quotes(&Made { currencies: 5, ..Made::default() }, seed);
        let cycle = cycles::best(&Graph::new(&quotes), 5).unwrap().cycle.unwrap();
        let filled = cycle.filled(&quotes);
        let through = |given: u128| {
            let mut amount = given;
            for leg in &cycle.legs {
                let (rate, level) = (quotes.rate(*leg).unwrap(), quotes.level(*leg).unwrap());
                let dealt = match leg.take {
                    Take::Sell => amount,
                    Take::Buy => amount * 10_u128.pow(level.price.places) / u128::from(level.price.mantissa),
                };
                if dealt > u128::from(level.size) {
                    return None;
                }
                amount = amount * rate.numerator / rate.denominator;
            }
            Some(amount)
        };
        prop_assert_eq!(through(filled.given.into()), Some(filled.got.into()));
        prop_assert_eq!(through(u128::from(filled.given) + 1), None);
    }

    #[test]
    fn bytes_are_read_or_refused(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Quotes::parse(&text);
        let _ = Quotes::parse(&String::from_utf8_lossy(&bytes));
        let _ = Quotes::parse(&format!("{COLUMNS}\n{text}"));
    }

    #[test]
    fn a_row_with_another_cell_is_read_or_refused(
        cell in 0_usize..9, text in "[0-9.eE+-]{0,18}|NaN|inf|-0", seed in any::<u64>(),
    ) {
        let text_of = quotes(&Made { currencies: 2, ..Made::default() }, seed).write();
        let (head, row) = text_of.trim_end().split_once('\n').unwrap();
        let mut cells: Vec<&str> = row.split(',').collect();
        cells[cell] = &text;
        if let Ok(read) = Quotes::parse(&format!("{head}\n{}", cells.join(","))) {
            // What is read is searched without a fault.
            let graph = Graph::new(&read);
            if let Some(cycle) = cycles::best(&graph, 2).unwrap().cycle {
                prop_assert!(cycle.product(&read).gain().is_finite());
                let _ = cycle.filled(&read);
            }
        }
    }

    #[test]
    fn quotes_are_written_as_they_are_read(currencies in 2_usize..9, venues in 1_usize..4, seed in any::<u64>()) {
        let made = quotes(&Made { currencies, venues, pairs: 0.7, ..Made::default() }, seed);
        let again = Quotes::parse(&made.write()).unwrap();
        prop_assert_eq!(again.write(), made.write());
        prop_assert_eq!(again.quotes().len(), made.quotes().len());
    }
}

/// 1 EUR is sold for 1.10 USD, those for 165 JPY, and these buy 1.01 EUR back at 163.366.
const TRIANGLE: &str =
    "A,EUR,USD,1.10,1000,1.11,1000,1,0\nA,USD,JPY,150,500,151,1000,1,0\nA,EUR,JPY,162,1000,163.366,1000,1,0\n";

#[test]
fn a_triangle_gains_what_its_quotes_say() {
    let quotes = of(TRIANGLE);
    let best = cycles::best(&Graph::new(&quotes), 3).unwrap();
    let cycle = best.cycle.unwrap();
    let names: Vec<&str> = cycle.through.iter().map(|at| quotes.currencies()[*at].as_str()).collect();
    assert_eq!(names, ["EUR", "USD", "JPY"]);
    assert_eq!(cycle.legs.iter().map(|leg| leg.take).collect::<Vec<_>>(), [Take::Sell, Take::Sell, Take::Buy]);
    // 165 / 163.366 - 1, to 15 digits.
    assert_eq!(cycle.product(&quotes).gain(), 0.010_002_081_216_409);
    // 500 USD pass the second leg: 454.5455 EUR bring 500.0000, cut off, and 454.5456 a unit more.
    let filled = cycle.filled(&quotes);
    assert_eq!(filled.given, 4_545_455);
    assert_eq!(filled.got, 4_590_918);
    // A fee of half a per cent on each leg is more than it gains.
    let dear = of(&TRIANGLE.replace(",1,0\n", ",1,50\n"));
    let cycle = cycles::best(&Graph::new(&dear), 3).unwrap().cycle.unwrap();
    assert!(!cycle.product(&dear).is_gain() && cycle.product(&dear).gain() < 0.0);
    assert!(bellman_ford::any(&Graph::new(&dear)).is_none());
}

#[test]
fn a_last_digit_decides() {
    // Two triangles whose prices differ in the fifteenth digit: no float of their logarithms does.
    let two = |x: &str, y: &str| {
        of(&format!("V,A,B,{x},1,,,1,0\nV,B,C,1,1,,,1,0\nV,C,A,1,1,,,1,0\nV,A,D,{y},1,,,1,0\nV,D,C,1,1,,,1,0\n"))
    };
    for (x, y, through) in [("123456.000000001", "123456.000000002", 3), ("123456.000000002", "123456.000000001", 1)] {
        let quotes = two(x, y);
        let graph = Graph::new(&quotes);
        for found in [enumerated::best(&graph, 3).0, subsets::best(&graph, 3).0] {
            assert_eq!(found.unwrap()[1], through, "{x} {y}");
        }
    }
}

#[test]
fn work_is_bounded_before_it_is_begun() {
    let made = |currencies| quotes(&Made { currencies, ..Made::default() }, 1);
    let (many, few) = (made(64), made(3));
    let many = Graph::new(&many);
    assert!(matches!(cycles::best(&many, 7), Err(CycleError::Work { fits: 6, currencies: 64, .. })));
    let found = cycles::best(&many, 4).unwrap();
    assert!(found.by == By::Enumeration && found.cycle.is_some());
    let few = Graph::new(&few);
    for (longest, fits) in [(0, false), (1, false), (2, true), (3, true), (4, false)] {
        assert_eq!(cycles::best(&few, longest).is_ok(), fits, "{longest}");
    }
    let sixteen = made(16);
    assert_eq!(cycles::best(&Graph::new(&sixteen), 16).unwrap().by, By::Subsets);
}

#[test]
fn nothing_that_leads_back_is_no_cycle() {
    let quotes = of("A,EUR,USD,1.1,10,,,1,0\nA,USD,JPY,150,10,,,1,0\n");
    let graph = Graph::new(&quotes);
    assert_eq!(cycles::best(&graph, 3).unwrap().cycle, None);
    assert!(bellman_ford::any(&graph).is_none());
}

#[test]
fn an_annealer_finds_what_is_known_already() {
    let quotes = quotes(&Made { currencies: 4, error_bp: 6.0, ..Made::default() }, 3);
    let graph = Graph::new(&quotes);
    let best = cycles::best(&graph, 4).unwrap().cycle.unwrap();
    let found = on("sa", 500, 64, |annealer| annealed::search(&graph, annealer)).unwrap();
    assert_eq!(cycles::compare(&quotes, &found.cycle.unwrap().legs, &best.legs), Ordering::Equal);
}

#[test]
fn what_is_wrong_with_a_row_is_said_with_its_line() {
    let head = format!("{COLUMNS}\n");
    let refused = |text: &str, words: &str| {
        let error = Quotes::parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refused("", "line 1: the columns are ``");
    refused("a,b\n", "line 1: the columns are `a,b`, and must be `venue,");
    refused(&head, "there are 0 quotes");
    for (row, words) in [
        ("A,EUR,USD,1.1,10,1.2,10,1", "line 2: 8 cells"),
        ("A,EUR,USD,x,10,1.2,10,1,0", "line 2: the bid `x` must be digits"),
        ("A,EUR,USD,0.0,10,1.2,10,1,0", "line 2: the bid `0.0` must be above 0"),
        ("A,EUR,USD,1.1,0,1.2,10,1,0", "line 2: the bid_size `0` must be above 0"),
        ("A,EUR,USD,1.1,10,1.2,10.00001,1,0", "line 2: the ask_size `10.00001` must have 4 digits"),
        ("A,EUR,USD,1.1,,1.2,10,1,0", "line 2: the bid has a price or a size alone"),
        ("A,EUR,USD,1.1,10,,10,1,0", "line 2: the ask has a price or a size alone"),
        ("A,EUR,USD,1.3,10,1.2,10,1,0", "line 2: the bid is above the ask"),
        ("A,EUR,EUR,1.1,10,1.2,10,1,0", "line 2: base and quote are both `EUR`"),
        ("A,EUR,USD,1.1,10,1.2,10,0,0", "line 2: the lot `0` must be above 0"),
        ("A,EUR,USD,1.1,10,1.2,10,1,10000", "line 2: the fee_bp `10000` must be below 10000"),
        ("A,EUR,USD,1.1,10,1.2,10,1,0.001", "in steps of 0.01"),
        ("A,EUR,USD,1.1,10,1.2,10,1,NaN", "line 2: the fee_bp `NaN` must be digits"),
        (",EUR,USD,1.1,10,1.2,10,1,0", "line 2: the venue `` must be a name of 1 to 16"),
        ("A,EUR,U2345678901234567,1.1,10,1.2,10,1,0", "must be a name of 1 to 16"),
    ] {
        refused(&format!("{head}{row}\n"), words);
    }
    assert!(Quotes::parse(&format!("{head}A,EUR,U234567890123456,1.1,10,1.1,100000000000,1,9999.99\n")).is_ok());
    let many = |count: usize| {
        let rows: String = (0..count).map(|_| "A,EUR,USD,1.1,10,1.2,10,1,0\n").collect();
        Quotes::parse(&format!("{head}{rows}"))
    };
    assert!(many(10_000).is_ok());
    assert_eq!(many(10_001), Err(QuotesError::Count(10_001)));
    let currencies = |count: usize| {
        let rows: String = (1..count).map(|at| format!("A,X{at},USD,1.1,10,1.2,10,1,0\n")).collect();
        Quotes::parse(&format!("{head}{rows}"))
    };
    assert!(currencies(64).is_ok());
    assert_eq!(currencies(65), Err(QuotesError::Currencies));
}
