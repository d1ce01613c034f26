//! Equal weights: descents against all supports, and against the optima that SCIP proved.

use crate::{data, made};
use firelane_portfolio::equal::{Choice, ChoiceError, Chosen};
use firelane_portfolio::orlib;
use firelane_portfolio::search::Random;

/// All supports of `count` of `names` names.
pub(crate) fn supports(names: usize, count: usize) -> Vec<Vec<usize>> {
    let all = (0u32..1 << names).filter(|mask| mask.count_ones() as usize == count);
    all.map(|mask| (0..names).filter(|name| mask >> name & 1 == 1).collect()).collect()
}

#[test]
fn a_descent_ends_where_no_exchange_helps_and_its_objective_is_true() {
    for (seed, names, count) in [(1, 12, 4), (2, 17, 5), (3, 16, 1), (4, 9, 8), (5, 9, 9), (6, 1, 1)] {
        let universe = made::drawn(names, &made::values(seed, 128));
        for lambda in [0.0, 0.5, 0.9, 1.0] {
            let choice = Choice::new(&universe, count, lambda).unwrap();
            let mut weights = vec![0.0; names];
            for start in supports(names, count).into_iter().step_by(7) {
                let mut chosen = Chosen::of(start);
                choice.descend(&mut chosen);
                let truth = choice.objective_of(&chosen.names);
                assert!((chosen.objective - truth).abs() < 1e-12 * truth.abs().max(1e-6));
                weights.fill(0.0);
                chosen.names.iter().for_each(|name| weights[*name] = 1.0 / count as f64);
                let model = lambda * universe.variance_of(&weights) - (1.0 - lambda) * universe.return_of(&weights);
                assert!((model - truth).abs() < 1e-15, "it is the mean-variance objective of 1/k each");
                for slot in 0..count {
                    for name in (0..names).filter(|name| !chosen.names.contains(name)) {
                        let mut other = chosen.names.clone();
                        other[slot] = name;
                        assert!(choice.objective_of(&other) >= truth - 1e-12 * truth.abs());
                    }
                }
            }
        }
    }
}

#[test]
fn the_best_of_a_few_descents_is_the_best_of_all_supports() {
    for seed in 1..20 {
        let universe = made::drawn(14, &made::values(seed, 128));
        let choice = Choice::new(&universe, 5, 0.8).unwrap();
        let least = supports(14, 5).iter().map(|support| choice.objective_of(support)).fold(f64::INFINITY, f64::min);
        let best = choice.best_of(20, &mut Random::new(seed));
        assert!((best.objective - least).abs() < 1e-15, "seed {seed}");
    }
}

#[test]
fn one_descent_finds_what_scip_proved_for_port1_to_port3() {
    for set in 1..=3 {
        let Some(text) = data::orlib(&format!("eqK10_lam0.9_port{set}.txt")) else { return };
        let mut words = text.split_ascii_whitespace().map(|word| word.parse::<f64>().unwrap());
        let (names, count, _, least) = (words.next(), words.next(), words.next(), words.next().unwrap());
        assert_eq!(count, Some(10.0));
        let universe = orlib::universe(&data::orlib(&format!("port{set}.txt")).unwrap()).unwrap();
        assert_eq!(names, Some(universe.len() as f64));
        let choice = Choice::new(&universe, 10, 0.9).unwrap();
        // The file's own numbers are those of the model.
        for linear in choice.linear() {
            assert!((words.next().unwrap() - linear).abs() < 1e-18);
        }
        for name in 0..choice.names() {
            for quadratic in choice.quadratic(name) {
                assert!((words.next().unwrap() - quadratic).abs() < 1e-18);
            }
        }
        let mut lot = Random::new(1);
        for _ in 0..100 {
            let best = choice.best_of(1, &mut lot);
            assert!((best.objective - least).abs() < 1e-14, "port{set}: {:e} and not {least:e}", best.objective);
        }
    }
}

#[test]
fn what_cannot_be_chosen_is_said() {
    let universe = made::drawn(5, &made::values(1, 64));
    assert!(Choice::new(&universe, 1, 0.5).is_ok() && Choice::new(&universe, 5, 0.5).is_ok());
    for count in [0, 6] {
        assert_eq!(Choice::new(&universe, count, 0.5), Err(ChoiceError::Count { count, names: 5 }));
    }
    for lambda in [-0.01, 1.01, f64::NAN] {
        assert!(matches!(Choice::new(&universe, 2, lambda), Err(ChoiceError::Lambda(_))));
    }
}
