//! Sets of trades: nothing that is answered breaks a limit; enumeration, branch and bound, annealing and HiGHS agree.

use crate::on;
use firelane_arbitrage::quotes::made::{Made, quotes};
use firelane_arbitrage::quotes::{COLUMNS, Quotes};
use firelane_arbitrage::trades::annealed::{self, decoded, encoding, function};
use firelane_arbitrage::trades::exact::{branch, enumerate};
use firelane_arbitrage::trades::mended::mend;
use firelane_arbitrage::trades::{Asked, Trades, TradesError};
use firelane_kernels::ising::exhaustive;
use proptest::prelude::*;

/// A set of few: 3 or 4 currencies, up to three lots.
fn few(currencies: usize, lots: u64, short: u64, legs: usize, seed: u64) -> Trades {
    let made = Made { currencies, error_bp: 4.0, lots, ..Made::default() };
    Trades::new(&quotes(&made, seed), &Asked { home: "C00", short, legs }).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_is_mended_keeps_to_all_limits(
        currencies in 2_usize..7, lots in 1_u64..8, short in 0_u64..20_000_000, legs in 1_usize..12,
        start in proptest::collection::vec(0_u32..2_000, 84), seed in any::<u64>(),
    ) {
        let trades = few(currencies, lots, short, legs, seed);
        let mended = mend(&trades, &start[..trades.orders().len()]);
        prop_assert!(trades.keeps(&mended) && trades.worth(&mended) >= 0);
    }

    #[test]
    fn branches_prove_what_enumeration_finds(
        currencies in 2_usize..4, lots in 1_u64..4, short in 0_u64..20_000_000, legs in 1_usize..7, seed in any::<u64>(),
    ) {
        let trades = few(currencies, lots, short, legs, seed);
        let all = enumerate(&trades).unwrap();
        prop_assert!(trades.keeps(&all.lots) && trades.worth(&all.lots) == all.worth && all.is_proved());
        let found = branch(&trades, &vec![0; trades.orders().len()], 100_000);
        prop_assert!(trades.keeps(&found.lots));
        prop_assert_eq!((found.worth, found.is_proved()), (all.worth, true));
    }

    #[test]
    fn the_function_is_what_it_says(code in any::<u32>(), penalty in 0.001..0.1_f64, seed in any::<u64>()) {
        let trades = few(4, 3, 0, 12, seed);
        let encoding = encoding(&trades);
        let bits: Vec<bool> = (0..encoding.len()).map(|bit| code >> (bit % 32) & 1 == 1).collect();
        let lots = decoded(&trades, &encoding, &bits);
        prop_assert!(lots.iter().zip(trades.orders()).all(|(lots, order)| *lots <= order.depth));
        let scale = trades.orders().iter().map(|order| order.gives.1 as f64 * trades.mark(order.gives.0)).fold(1.0, f64::max);
        let net = trades.net(&lots);
        let square: f64 = (0..4).map(|c| (net[c] as f64 * trades.mark(c) / scale).powi(2)).sum();
        let by_hand = penalty * square - trades.worth(&lots) as f64 / scale;
        let value = function(&trades, &encoding, penalty, 0.0).value(&bits) as f64 / f64::from(1_u32 << 21);
        // Each term is rounded to half a unit.
        prop_assert!((value - by_hand).abs() < (encoding.len() * encoding.len()) as f64 / f64::from(1_u32 << 22), "{value} {by_hand}");
    }
}

#[test]
fn up_to_24_bits_are_annealed_to_the_best() {
    let mut worth = 0;
    for seed in 0..24 {
        let legs = [3, 4, 12][seed as usize % 3];
        let trades = few(4, 3, 3_000_000, legs, seed);
        let bits = encoding(&trades).len();
        assert!(bits <= 24, "{bits}");
        let all = enumerate(&trades).unwrap();
        let found = on("sa", 300, 64, |annealer| annealed::search(&trades, annealer)).unwrap();
        assert!(trades.keeps(&found.lots));
        assert_eq!(found.worth, all.worth, "seed {seed}");
        worth += all.worth;
    }
    assert!(worth > 0, "there is something to be found");
}

#[test]
fn up_to_20_bits_the_function_is_made_as_small_as_it_can_be() {
    for seed in 0..6 {
        let trades = few(4, 2, 0, 12, seed);
        let encoding = encoding(&trades);
        assert!(encoding.len() <= 24);
        let function = function(&trades, &encoding, 0.004, 0.0);
        let lowest = exhaustive::search(&function.problem().unwrap()).unwrap();
        let lowest: Vec<bool> = (0..encoding.len()).map(|site| lowest.spins.up(site)).collect();
        let states = on("pt", 300, 16, |annealer| annealer.run(&function, 0)).unwrap();
        let least = states.iter().map(|bits| function.value(bits)).min().unwrap();
        assert_eq!(least, function.value(&lowest), "seed {seed}");
    }
}

/// Buys EUR at one venue, sells it at the other: one per cent of a hundred lots.
const TWO: &str = "A,EUR,USD,0.99,10,1.00,10,1,0\nB,EUR,USD,1.01,7,1.02,10,1,0\n";

fn of(rows: &str, short: u64, legs: usize) -> Result<Trades, TradesError> {
    let quotes = Quotes::parse(&format!("{COLUMNS}\n{rows}")).unwrap();
    Trades::new(&quotes, &Asked { home: "USD", short, legs })
}

#[test]
fn a_crossed_market_is_bought_and_sold() {
    let trades = of(TWO, 0, 2).unwrap();
    let best = enumerate(&trades).unwrap();
    // 7 lots at a cent: bought at A (its ask), sold at B (its bid).
    assert_eq!((best.lots.as_slice(), trades.net(&best.lots)[1]), ([0, 7, 7, 0].as_slice(), 700));
    assert_eq!(trades.net(&best.lots)[0], 0);
    for found in [branch(&trades, &[0; 4], 1_000).lots, mend(&trades, &[0; 4]), mend(&trades, &[9, 9, 9, 9])] {
        assert_eq!(found, best.lots);
    }
    // One leg alone would leave EUR short.
    assert_eq!(enumerate(&of(TWO, 0, 1).unwrap()).unwrap().worth, 0);
    // Unless that may be: then what is dear is sold.
    let short = of(TWO, 70_000, 1).unwrap();
    let best = enumerate(&short).unwrap();
    assert!(best.worth > 0 && short.keeps(&best.lots) && short.used(&best.lots) == 1);
    assert_eq!(branch(&short, &[0; 4], 1_000).worth, best.worth);
    // A fee of a per cent eats it.
    assert_eq!(enumerate(&of(&TWO.replace(",1,0\n", ",1,100\n"), 0, 2).unwrap()).unwrap().worth, 0);
}

#[test]
fn what_cannot_be_asked_says_what_to_do() {
    assert!(matches!(of(TWO, 0, 0), Err(TradesError::NoLegs)));
    let error = |rows: &str| of(rows, 0, 2).unwrap_err().to_string();
    assert!(error("A,EUR,JPY,150,10,151,10,1,0\n").contains("no currency `USD` in the quotes; there are EUR, JPY"));
    assert!(error(&format!("{TWO}A,X,Y,1,1,1,1,1,0\n")).contains("no quotes lead from `X` to the home currency"));
    let huge = "A,EUR,USD,999999,100000000000,999999,100000000000,100000000000,0\n";
    assert!(error(huge).contains("too much money"), "{}", error(huge));
    let many: String = (0..256).map(|_| "A,EUR,USD,1.00,10,1.01,10,1,0\n").collect();
    assert!(of(&many, 0, 2).is_ok());
    assert_eq!(of(&format!("{many}A,EUR,USD,1.00,10,,,1,0\n"), 0, 2), Err(TradesError::Legs(513)));
    // A size of less than a lot is no leg.
    assert!(of("A,EUR,USD,1.00,0.5,,,1,0\n", 0, 2).unwrap().orders().is_empty());
    let found =
        on("sa", 10, 2, |annealer| annealed::search(&of("A,EUR,USD,1.00,0.5,,,1,0\n", 0, 2).unwrap(), annealer))
            .unwrap();
    assert_eq!((found.bits, found.worth), (0, 0));
}

#[test]
fn what_is_given_is_rounded_up_and_what_is_got_down() {
    // A lot is 10,000 units: 10,000.1 are given for it; sold, it brings 9,999.9, less a fee of 0.02 %.
    let trades = of("A,EUR,USD,0.99999,10,1.00001,10,1,2\n", 0, 2).unwrap();
    let amounts: Vec<(i64, i64)> = trades.orders().iter().map(|order| (order.gives.1, order.gets.1)).collect();
    assert_eq!(amounts, [(10_000, 9_997), (10_001, 9_998)]);
}

/// Squares of a thousand lots are more than an Ising machine holds in the units of one.
#[test]
fn as_many_lots_as_there_may_be_are_a_function_that_can_be_annealed() {
    for depth in [1, 100, 1_023, 5_000] {
        let rows = format!(
            "A,EUR,USD,0.99,{depth},1.00,{depth},1,0\nB,EUR,USD,1.01,{depth},1.02,{depth},1,0\n\
             A,USD,JPY,150,{depth},151,{depth},1,0\n"
        );
        let trades = of(&rows, 0, 4).unwrap();
        let encoding = encoding(&trades);
        for penalty in annealed::PENALTIES {
            let problem = function(&trades, &encoding, penalty, 0.5).problem();
            assert!(problem.is_ok(), "{depth} lots, {penalty}: {problem:?}");
        }
        let found = on("sa", 100, 16, |annealer| annealed::search(&trades, annealer)).unwrap();
        // Bought at A and sold at B, as far as there is any; and what yen that are left over are worth.
        assert!(found.worth >= 100 * i128::from(depth.min(1_023)) && trades.keeps(&found.lots), "{depth}: {found:?}");
    }
}

#[test]
fn a_currency_may_be_as_short_as_is_said_and_no_unit_more() {
    let mut seen = Vec::new();
    for short in 9_000..11_000 {
        let trades = of(TWO, short, 1).unwrap();
        // A lot of EUR is sold that nobody has.
        let lots = [0, 0, 1, 0];
        assert_eq!(trades.net(&lots)[0], -10_000);
        let may = trades.short(0);
        assert_eq!(trades.keeps(&lots), may >= 10_000, "{may}");
        seen.push(may);
    }
    assert!(
        [9_999, 10_000, 10_001].iter().all(|limit| seen.contains(limit)),
        "{:?} to {:?}",
        seen.first(),
        seen.last()
    );
}
