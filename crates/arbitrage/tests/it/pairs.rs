//! Paths of a market graph: an Ising machine of 210 spins finds what all paths, one after another, have as their best.

use crate::{data, on};
use firelane_arbitrage::edges::{Edges, Parts};
use firelane_arbitrage::market::{Market, MarketError, Price, made};
use firelane_arbitrage::pairs::exact::{MOST_ENUMERATED, enumerate, ranked};
use firelane_arbitrage::pairs::{MarketGraph, annealed};
use firelane_kernels::ising::exhaustive;
use firelane_kernels::ising::job::Spins;
use firelane_portfolio::universe::Universe;
use proptest::prelude::*;

fn graph(universe: &Universe, names: usize, seed: u64) -> MarketGraph {
    MarketGraph::new(&Market::new(universe, &made(universe, names, 2e-4, seed)).unwrap())
}

/// On these stocks and days, every way finds the same.
fn agrees(universe: &Universe, days: std::ops::Range<u64>) {
    for seed in days {
        let graph = graph(universe, 15, seed);
        assert_eq!(graph.bits().bits(), 210);
        let all = enumerate(&graph).unwrap();
        let best = all.best.unwrap();
        assert_eq!(ranked(&graph, 1)[0].weight, best.weight, "day {seed}");
        let found = on("sa", 100, 32, |annealer| annealed::search(&graph, annealer)).unwrap();
        assert_eq!(found.best.unwrap().weight, best.weight, "day {seed}, in {} rounds", found.rounds);
    }
}

#[test]
fn fifteen_made_stocks_have_one_best_path() {
    agrees(&data::factors(15, 1), 0..3);
}

#[test]
fn fifteen_stocks_of_hong_kong_have_one_best_path() {
    if let Some(port1) = data::universe("port1.txt") {
        agrees(&port1, 0..4);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_best_to_each_is_the_best_of_all(names in 2_usize..10, seed in any::<u64>()) {
        let graph = graph(&data::factors(names, seed), names, seed);
        let all = enumerate(&graph).unwrap();
        let ranked = ranked(&graph, usize::MAX);
        prop_assert_eq!(all.best.as_ref().map(|best| best.weight), ranked.first().map(|best| best.weight));
        for path in &ranked {
            prop_assert_eq!(graph.path(&path.nodes).unwrap().weight, path.weight);
        }
        prop_assert!(ranked.is_sorted_by(|a, b| a.weight >= b.weight));
    }

    /// Up to 20 spins: the function's least state is the best path just where one is better than the charge.
    #[test]
    fn the_least_state_is_a_better_path(names in 2_usize..6, seed in any::<u64>(), part in 0.2..1.3_f64) {
        let graph = graph(&data::factors(names, seed), names, seed);
        let Some(best) = enumerate(&graph).unwrap().best else { return Ok(()) };
        let charge = (best.weight as f64 * part) as i64;
        let edges = graph.bits();
        let problem = edges.function(charge).problem().unwrap();
        let lowest = exhaustive::search(&problem).unwrap();
        let parts = edges.parts(&bits(&lowest.spins));
        prop_assert!(parts.cycles.is_empty());
        // Weights are rounded to a part in 2^16: what is as close as that may be either.
        if part > 1.001 {
            prop_assert_eq!(parts.paths.len(), 0);
        } else if part < 0.999 {
            prop_assert!(parts.paths.iter().any(|path| graph.path(path).unwrap().weight > charge));
        }
        // No edges in conflict: what was read is all that was set.
        prop_assert_eq!(edges.choice(&parts), bits(&lowest.spins));
    }

    #[test]
    fn few_stocks_are_annealed_to_the_best(names in 2_usize..6, seed in any::<u64>()) {
        let graph = graph(&data::factors(names, seed), names, seed);
        let found = on("sa", 100, 64, |annealer| annealed::search(&graph, annealer)).unwrap();
        prop_assert_eq!(found.best.map(|path| path.weight), enumerate(&graph).unwrap().best.map(|path| path.weight));
    }
}

fn bits(spins: &Spins) -> Vec<bool> {
    (0..spins.len()).map(|site| spins.up(site)).collect()
}

#[test]
fn a_bypass_beats_the_direct_edge_where_two_have_little_in_common() {
    // 1 and 3 have nothing much to do with each other, both much with 2, which is between them.
    let covariance = vec![1.0, 0.9, 0.1, 0.9, 1.0, 0.5, 0.1, 0.5, 1.0].into_iter().map(|c| c * 1e-4).collect();
    let names = ["1", "2", "3"].map(str::to_owned).to_vec();
    let universe = Universe::new(names, vec![0.0; 3], covariance).unwrap();
    let price = |middle: f64| Price { bid: middle, ask: middle, reference: 100.0 };
    let market = Market::new(&universe, &[price(104.0), price(102.0), price(100.0)]).unwrap();
    let graph = MarketGraph::new(&market);
    assert_eq!((graph.edges(), graph.names()), (3, 3));
    let best = enumerate(&graph).unwrap();
    assert_eq!(best.paths, 4);
    let best = best.best.unwrap();
    assert_eq!(best.nodes, [0, 1, 2]);
    let by_hand = 0.9 * (1.04_f64.ln() - 1.02_f64.ln()) + 0.5 * 1.02_f64.ln();
    assert!((best.worth() - by_hand).abs() < 2e-12, "{} {by_hand}", best.worth());
    // Two per cent of spread on each side of it, and nothing is dear enough.
    let wide = |middle: f64| Price { bid: middle * 0.97, ask: middle * 1.03, reference: 100.0 };
    let none = MarketGraph::new(&Market::new(&universe, &[wide(104.0), wide(102.0), wide(100.0)]).unwrap());
    assert_eq!((none.edges(), enumerate(&none).unwrap().best), (0, None));
    assert_eq!(on("sa", 10, 2, |annealer| annealed::search(&none, annealer)).unwrap().best, None);
}

#[test]
fn too_many_stocks_are_not_enumerated() {
    let of = |names: usize| graph(&data::factors(names, 5), names, 5);
    assert!(enumerate(&of(MOST_ENUMERATED + 1)).is_none());
    assert!(!ranked(&of(40), 3).is_empty());
}

#[test]
fn a_choice_is_read_as_it_was_written() {
    let edges = Edges::new(6, (0..36).map(|at| Some(at + 1)).collect());
    let parts = Parts { paths: vec![vec![2, 0]], cycles: vec![vec![1, 5, 3]] };
    assert_eq!(edges.parts(&edges.choice(&parts)), parts);
    // Two edges leave 0, and the heavier stays.
    let mut bits = edges.choice(&Parts { paths: vec![vec![0, 1]], cycles: vec![] });
    let other = edges.choice(&Parts { paths: vec![vec![0, 4]], cycles: vec![] });
    bits.iter_mut().zip(other).for_each(|(bit, other)| *bit |= other);
    assert_eq!(edges.parts(&bits).paths, [[0, 4]]);
}

#[test]
fn prices_that_are_none_are_refused() {
    let universe = data::factors(3, 1);
    let price = |bid, ask, reference| Price { bid, ask, reference };
    let with = |last: Price| Market::new(&universe, &[price(1.0, 1.0, 1.0), price(1.0, 1.0, 1.0), last]);
    assert!(with(price(1.0, 1.0, 1.0)).is_ok());
    for (last, words) in [
        (price(f64::NAN, 1.0, 1.0), "the bid of `2` is NaN"),
        (price(1.0, f64::INFINITY, 1.0), "the ask of `2` is inf"),
        (price(1.0, 1.0, 0.0), "the reference of `2` is 0"),
        (price(-1.0, 1.0, 1.0), "the bid of `2` is -1"),
        (price(1.1, 1.0, 1.0), "the bid of `2` is 1.1"),
        (price(1.0, 1.0, 1e-3), "the price of `2` is 1000"),
    ] {
        let error = with(last).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let one = price(1.0, 1.0, 1.0);
    assert_eq!(Market::new(&universe, &[one]), Err(MarketError::Names(1)));
    assert!(matches!(Market::new(&universe, &[one; 4]), Err(MarketError::Length { is: 4, must: 3, .. })));
    let still = Universe::new(vec!["a".into(), "b".into()], vec![0.0; 2], vec![1.0, 0.0, 0.0, 0.0]).unwrap();
    assert_eq!(Market::new(&still, &[one; 2]), Err(MarketError::Still("b".into())));
}

/// Found by chance: the best path of a state, mended alone, misses it.
#[test]
fn all_paths_of_a_state_are_mended() {
    let seed = 5_155_144_077_046_115_947;
    let graph = graph(&data::factors(5, seed), 5, seed);
    let found = on("sa", 100, 64, |annealer| annealed::search(&graph, annealer)).unwrap();
    assert_eq!(found.best.unwrap().weight, enumerate(&graph).unwrap().best.unwrap().weight);
}
