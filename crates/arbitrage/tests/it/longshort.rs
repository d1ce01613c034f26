//! Balanced selections: descents end at the best of all selections, and at what SCIP proved.

use crate::{data, on};
use firelane_arbitrage::longshort::exact::{self, MOST_NAMES};
use firelane_arbitrage::longshort::search::{annealed, chance, from};
use firelane_arbitrage::longshort::{Selection, SelectionError, UNITS};
use firelane_arbitrage::market::{Market, Price, made};
use firelane_kernels::ising::exhaustive;
use firelane_portfolio::universe::Universe;
use proptest::prelude::*;

fn selection(universe: &Universe, names: usize, lambda: f64, seed: u64) -> Selection {
    Selection::new(&Market::new(universe, &made(universe, names, 2e-4, seed)).unwrap(), lambda).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn all_selections_by_gray_are_all(names in 2_usize..11, lambda in 0.0..3.0_f64, seed in any::<u64>()) {
        let selection = selection(&data::factors(names, seed), names, lambda, seed);
        let best = exact::search(&selection).unwrap();
        let all = (0..1_u32 << names).map(|code| (0..names).map(|name| code >> name & 1 == 1).collect::<Vec<bool>>());
        let by_hand = all.filter(|chosen| selection.net(chosen) == 0).map(|chosen| selection.value(&chosen)).max();
        prop_assert_eq!(Some(best.value), by_hand);
        prop_assert_eq!((selection.value(&best.chosen), selection.net(&best.chosen)), (best.value, 0));
        prop_assert_eq!(best.looked, 1 << names);
    }

    #[test]
    fn the_function_is_the_value_and_its_penalty(names in 2_usize..11, code in any::<u32>(), penalty in 0_i64..100_000, seed in any::<u64>()) {
        let selection = selection(&data::factors(names, seed), names, 0.7, seed);
        let chosen: Vec<bool> = (0..names).map(|name| code >> name & 1 == 1).collect();
        let net = selection.net(&chosen);
        prop_assert_eq!(selection.function(penalty).value(&chosen), penalty * net * net - selection.value(&chosen));
    }

    #[test]
    fn a_large_penalty_balances_the_least_state(names in 2_usize..11, lambda in 0.0..2.0_f64, seed in any::<u64>()) {
        let selection = selection(&data::factors(names, seed), names, lambda, seed);
        let all: i64 = (0..names).map(|i| selection.reward(i) + (0..names).map(|j| selection.cost(i, j).abs()).sum::<i64>()).sum();
        let lowest = exhaustive::search(&selection.function(all + 1).problem().unwrap()).unwrap();
        let chosen: Vec<bool> = (0..names).map(|name| lowest.spins.up(name)).collect();
        prop_assert_eq!((selection.net(&chosen), selection.value(&chosen)), (0, exact::search(&selection).unwrap().value));
    }
}

#[test]
fn descents_end_at_the_best_of_all_selections() {
    for seed in 0..8 {
        let names = 17 + seed as usize;
        let selection = selection(&data::factors(names, seed), names, [0.2, 0.5, 1.0, 2.0][seed as usize % 4], seed);
        let best = exact::search(&selection).unwrap();
        let starts = on("sa", 200, 64, |annealer| annealed(&selection, annealer)).unwrap();
        for (starts, of) in [(starts, "annealed"), (chance(&selection, 200, seed), "chance")] {
            let found = from(&selection, &starts);
            assert_eq!(found.value, best.value, "{of}, seed {seed}");
            assert_eq!((selection.net(&found.chosen), selection.value(&found.chosen)), (0, found.value));
            assert!(found.agreed >= 1 && found.starts == starts.len());
        }
    }
}

#[test]
fn limits_of_a_selection() {
    let of =
        |names: usize| Market::new(&data::factors(names, 1), &made(&data::factors(names, 1), names, 0.0, 1)).unwrap();
    for (lambda, fits) in [(-0.1, false), (0.0, true), (100.0, true), (100.1, false), (f64::NAN, false)] {
        assert_eq!(Selection::new(&of(3), lambda).is_ok(), fits, "{lambda}");
    }
    assert!(Selection::new(&of(1_000), 1.0).is_ok());
    assert_eq!(Selection::new(&of(1_001), 1.0), Err(SelectionError::Names(1_001)));
    assert!(exact::search(&Selection::new(&of(MOST_NAMES + 1), 1.0).unwrap()).is_none());
    // With nothing against it, all of the smaller side are in.
    let selection = Selection::new(&of(9), 0.0).unwrap();
    let best = exact::search(&selection).unwrap();
    let long = (0..9).filter(|name| selection.side(*name) == 1).count();
    assert_eq!(best.chosen.iter().filter(|on| **on).count(), 2 * long.min(9 - long));
}

/// `tests/reference/long_short.py` on `port5_prices.csv`: the best of SCIP (PySCIPOpt 6.3.0) in 100 s, and what it proved that no selection is above.
const SCIP: (f64, f64) = (116.828_766, 310.162_772);

#[test]
fn of_128_stocks_descents_find_what_scip_does_not() {
    let Some(port5) = data::universe("port5.txt") else { return };
    let rows = include_str!("../reference/port5_prices.csv").lines().skip(1);
    let prices: Vec<Price> = rows
        .map(|row| {
            let cells: Vec<f64> = row.split(',').map(|cell| cell.parse().unwrap()).collect();
            Price { bid: cells[1], ask: cells[2], reference: cells[3] }
        })
        .collect();
    assert_eq!(prices.len(), 128);
    let selection = Selection::new(&Market::new(&port5, &prices).unwrap(), 0.5).unwrap();
    let starts = on("sa", 200, 8, |annealer| annealed(&selection, annealer)).unwrap();
    let (annealed, chance) = (from(&selection, &starts), from(&selection, &chance(&selection, 8, 1)));
    assert_eq!(annealed.value, chance.value);
    let value = annealed.value as f64 / UNITS;
    assert!(SCIP.0 < value && value < SCIP.1, "{value}");
}
