//! QAOA, VQE and their angles; Dicke states; costs and observables; the kernel and its classifier.

mod common;

use common::{circuit, close, naive, number, numbers, vector};
use firelane_quantum::classifier::Classifier;
use firelane_quantum::costs::Costs;
use firelane_quantum::error::MOST_QUBITS;
use firelane_quantum::fidelity::{FeatureMap, gaussian, kernel, sampled};
use firelane_quantum::finance::portfolio::Portfolio;
use firelane_quantum::ising::{Ising, Qubo};
use firelane_quantum::minimum::minimum;
use firelane_quantum::observable::PauliSum;
use firelane_quantum::qaoa::{Angles, MOST_LAYERS, Mixer, Qaoa};
use firelane_quantum::vqe::{Entanglement, RealAmplitudes};
use firelane_quantum::{Circuit, Error, Gate, Path, State, Unit, dicke};
use num_complex::Complex64;
use proptest::prelude::*;

fn angles(layers: usize) -> Angles {
    let of = |from: f64, by: f64| (0..layers).map(|k| from + by * k as f64).collect();
    Angles { gammas: of(0.2, 0.15), betas: of(-0.6, 0.15) }
}

/// A problem with fields and couplings of every size, and no symmetry.
fn uneven(spins: usize) -> Ising {
    let fields = (0..spins).map(|k| (k as f64 * 1.7).sin()).collect();
    let pairs = (0..spins).flat_map(|i| (i + 1..spins).map(move |j| (i, j, ((i * 7 + j) as f64).cos())));
    Ising { offset: 0.75, fields, couplings: pairs.collect() }
}

#[test]
fn qaoa_of_twenty_qubits_is_qiskits_on_every_path() {
    let document = vector("qaoa.json");
    let node = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
    let edges: Vec<(usize, usize, f64)> =
        document["edges"].as_array().unwrap().iter().map(|edge| (node(&edge[0]), node(&edge[1]), 1.0)).collect();
    let angles = Angles { gammas: numbers(&document["gammas"]), betas: numbers(&document["betas"]) };
    let qaoa = Qaoa::new(Ising::of_cut(20, &edges).unwrap(), Mixer::X).unwrap();
    let mut first: Option<State> = None;
    for unit in Path::ALL.into_iter().filter_map(Unit::of) {
        let state = qaoa.run(State::plus(20).unwrap().on(unit), &angles).unwrap();
        close(qaoa.costs().mean(&state).unwrap(), number(&document["mean"]), 1e-10);
        close(state.norm(), 1.0, 1e-12);
        match &first {
            None => first = Some(state),
            Some(first) => {
                let same = first
                    .amplitudes()
                    .zip(state.amplitudes())
                    .all(|(a, b)| (a.re.to_bits(), a.im.to_bits()) == (b.re.to_bits(), b.im.to_bits()));
                assert!(same, "{:?}", unit.path());
            }
        }
    }
    // 26 of the 30 edges can be cut.
    assert_eq!(qaoa.costs().least(|_| true).unwrap().1, -26.0);
}

#[test]
fn a_circuit_written_out_makes_the_same_state_but_for_a_phase() {
    for mixer in [Mixer::X, Mixer::Ring(2), Mixer::Complete(3)] {
        for spins in [4, 5, 6] {
            let qaoa = Qaoa::new(uneven(spins), mixer).unwrap();
            let state = qaoa.state(&angles(3)).unwrap();
            let circuit = qaoa.circuit(&angles(3)).unwrap();
            let other = naive(&circuit);
            let overlap: Complex64 = state.amplitudes().zip(&other).map(|(a, b)| a.conj() * b).sum();
            close(overlap.norm(), 1.0, 1e-12);
            let observable = PauliSum::of(&uneven(spins)).unwrap();
            close(observable.mean(&state).unwrap(), qaoa.mean(&angles(3)).unwrap(), 1e-11);
        }
    }
}

#[test]
fn a_budget_is_kept_to_the_last_amplitude() {
    for mixer in [Mixer::Ring(3), Mixer::Complete(3)] {
        let qaoa = Qaoa::new(uneven(7), mixer).unwrap();
        let state = qaoa.state(&angles(4)).unwrap();
        for (number, probability) in state.probabilities().enumerate() {
            assert!(qaoa.reaches(number) || probability == 0.0, "{number:b}: {probability}");
        }
        close(state.norm(), 1.0, 1e-12);
    }
    // A ring of two is one pair: what twice the mixer would do is not what it does.
    let two = Qaoa::new(uneven(2), Mixer::Ring(1)).unwrap();
    assert_eq!(two.circuit(&angles(1)).unwrap().operations().iter().filter(|one| one.gate.name() == "xy").count(), 1);
}

#[test]
fn gradients_are_what_differences_say() {
    for mixer in [Mixer::X, Mixer::Ring(2), Mixer::Complete(2)] {
        let qaoa = Qaoa::new(uneven(5), mixer).unwrap();
        let (mean, gradient) = qaoa.gradient(&angles(2)).unwrap();
        close(mean, qaoa.mean(&angles(2)).unwrap(), 1e-12);
        for (k, by) in gradient.iter().enumerate() {
            let at = |step: f64| {
                let mut moved = angles(2);
                let mut all = moved.gammas.iter_mut().chain(moved.betas.iter_mut());
                *all.nth(k).unwrap() += step;
                qaoa.mean(&moved).unwrap()
            };
            close(*by, (at(1e-5) - at(-1e-5)) / 2e-5, 1e-7);
        }
    }
}

#[test]
fn gradients_of_more_than_a_block_are_right_too() {
    let ring: Vec<(usize, usize, f64)> = (0..16).map(|i| (i, (i + 1) % 16, 1.0)).collect();
    let qaoa = Qaoa::new(Ising::of_cut(16, &ring).unwrap(), Mixer::X).unwrap();
    let (_, gradient) = qaoa.gradient(&angles(1)).unwrap();
    let at = |gamma: f64, beta: f64| {
        let Angles { gammas, betas } = angles(1);
        qaoa.mean(&Angles { gammas: vec![gammas[0] + gamma], betas: vec![betas[0] + beta] }).unwrap()
    };
    close(gradient[0], (at(1e-5, 0.0) - at(-1e-5, 0.0)) / 2e-5, 1e-6);
    close(gradient[1], (at(0.0, 1e-5) - at(0.0, -1e-5)) / 2e-5, 1e-6);
}

#[test]
fn tuned_angles_reach_what_is_known_of_rings() {
    // A ring of even length: p layers cut (2p + 1) / (2p + 2) of it (Farhi, Goldstone and Gutmann, 2014).
    let ring: Vec<(usize, usize, f64)> = (0..10).map(|i| (i, (i + 1) % 10, 1.0)).collect();
    let qaoa = Qaoa::new(Ising::of_cut(10, &ring).unwrap(), Mixer::X).unwrap();
    for layers in 1..=3 {
        let tuned = qaoa.tune(layers, 100).unwrap();
        let best = -10.0 * (2 * layers + 1) as f64 / (2 * layers + 2) as f64;
        close(tuned.mean, best, 1e-6);
        close(qaoa.mean(&tuned.angles).unwrap(), tuned.mean, 1e-12);
    }
}

#[test]
fn the_portfolio_of_the_tutorial_is_found_with_each_mixer() {
    let document = vector("portfolio.json");
    let text = serde_json::json!({ "mu": document["mu"], "sigma": document["sigma"] }).to_string();
    let portfolio = Portfolio::parse(&text).unwrap();
    for mixer in [Mixer::Ring(2), Mixer::Complete(2), Mixer::X] {
        let penalty = if mixer == Mixer::X { 4.0 } else { 0.0 };
        let ising = portfolio.qubo(0.5, 2, penalty).unwrap().ising().unwrap();
        let qaoa = Qaoa::new(ising, mixer).unwrap();
        let (best, value) = qaoa.costs().least(|number| qaoa.reaches(number)).unwrap();
        assert_eq!(best, 0b1001);
        close(value, -0.014_884_613_1, 5e-11);
        let start = qaoa.mean(&Angles::default()).unwrap();
        let tuned = qaoa.tune(2, 100).unwrap();
        assert!(tuned.mean < start, "{mixer:?}: {} and {start}", tuned.mean);
        // More likely than by lot, among what the mixer reaches.
        let reached = (0..16).filter(|number| qaoa.reaches(*number)).count() as f64;
        let state = qaoa.state(&tuned.angles).unwrap();
        let probability = state.amplitude(best).unwrap().norm_sqr();
        assert!(probability > 1.0 / reached, "{mixer:?}: {probability}");
        let (mean, error) = qaoa.estimate(&tuned.angles, 10_000, 3).unwrap();
        close(mean, tuned.mean, 5.0 * error);
        assert!(error > 0.0 && qaoa.estimate(&tuned.angles, 1, 3).is_err());
    }
}

#[test]
fn the_standard_error_of_few_shots_is_that_of_a_mean_whose_spread_is_not_known() {
    let qaoa = Qaoa::new(uneven(4), Mixer::X).unwrap();
    let costs = qaoa.state(&angles(1)).unwrap().sample(3, 5).unwrap();
    let costs = costs.into_iter().flat_map(|(number, count)| vec![qaoa.costs().values()[number]; count]);
    let costs = costs.collect::<Vec<_>>();
    let middle = costs.iter().sum::<f64>() / 3.0;
    let variance = costs.iter().map(|cost| (cost - middle).powi(2)).sum::<f64>() / 2.0;
    assert!(variance > 0.0, "{costs:?}");
    let (mean, error) = qaoa.estimate(&angles(1), 3, 5).unwrap();
    close(mean, middle, 1e-14);
    close(error, (variance / 3.0).sqrt(), 1e-14);
}

#[test]
fn vqe_finds_the_least_value_and_has_qiskits_circuit() {
    let document = vector("portfolio.json");
    let text = serde_json::json!({ "mu": document["mu"], "sigma": document["sigma"] }).to_string();
    let qubo = Portfolio::parse(&text).unwrap().qubo(0.5, 2, 4.0).unwrap();
    let observable = PauliSum::of(&qubo.ising().unwrap()).unwrap();
    let theirs = &document["real_amplitudes"];
    let given = numbers(&theirs["angles"]);
    for (entanglement, name) in [(Entanglement::Full, "full"), (Entanglement::Linear, "linear")] {
        let ansatz = RealAmplitudes::new(4, 3, entanglement).unwrap();
        let state = State::of(&ansatz.circuit(&given).unwrap()).unwrap();
        close(observable.mean(&state).unwrap(), number(&theirs["means"][name]), 1e-12);
    }
    let ansatz = RealAmplitudes::new(4, 2, Entanglement::Linear).unwrap();
    let found = ansatz.search(&observable, 4, 100, 1).unwrap();
    close(found.mean, -0.014_884_613_1, 1e-6);
    assert_eq!(found, ansatz.search(&observable, 4, 100, 1).unwrap());
    assert!(ansatz.search(&observable, 0, 100, 1).is_err() && ansatz.circuit(&[0.0; 11]).is_err());
    // Hydrogen at 0.735 angstrom, two qubits (its ground state, -1.85727503 hartree, is quoted wherever it is computed).
    let hydrogen = PauliSum::parse(&[
        ("II", -1.052373245772859),
        ("IZ", 0.39793742484318045),
        ("ZI", -0.39793742484318045),
        ("ZZ", -0.01128010425623538),
        ("XX", 0.18093119978423156),
    ]);
    let ansatz = RealAmplitudes::new(2, 1, Entanglement::Linear).unwrap();
    close(ansatz.search(&hydrogen.unwrap(), 4, 200, 1).unwrap().mean, -1.857_275_03, 1e-7);
}

#[test]
fn dicke_circuits_make_dicke_states() {
    for qubits in 1..=7 {
        for ones in 0..=qubits {
            let state = dicke::state(qubits, ones).unwrap();
            let made = State::of(&dicke::circuit(qubits, ones).unwrap()).unwrap();
            close((state.inner(&made).unwrap() - 1.0).norm(), 0.0, 1e-12);
            close(state.norm(), 1.0, 1e-12);
        }
    }
    assert!(dicke::state(3, 4).is_err() && dicke::circuit(3, 4).is_err());
}

proptest! {
    #[test]
    fn tables_of_costs_are_the_values_one_by_one(
        fields in prop::collection::vec(-3.0..3.0_f64, 1..9),
        pairs in prop::collection::vec((0_usize..9, 0_usize..9, -3.0..3.0_f64), 0..20),
        offset in -3.0..3.0_f64,
    ) {
        let n = fields.len();
        let couplings = pairs.into_iter().map(|(i, j, weight)| (i % n, j % n, weight)).filter(|(i, j, _)| i != j).collect();
        let ising = Ising { offset, fields, couplings };
        let costs = Costs::of(&ising).unwrap();
        let qubo = ising.qubo().unwrap();
        for (bits, &value) in costs.values().iter().enumerate() {
            prop_assert!((value - ising.value(bits)).abs() < 1e-11);
            prop_assert!((qubo.value(bits) - value).abs() < 1e-11);
        }
        let back = qubo.ising().unwrap();
        prop_assert!((0..1 << n).all(|bits| (back.value(bits) - ising.value(bits)).abs() < 1e-11));
    }

    #[test]
    fn means_of_pauli_strings_are_those_of_their_matrices(
        circuit in circuit(),
        letters in prop::collection::vec(prop::sample::select(vec!['I', 'X', 'Y', 'Z']), 6),
    ) {
        let letters: String = letters[..circuit.qubits()].iter().collect();
        let observable = PauliSum::parse(&[(&letters, 1.5)]).unwrap();
        let state = State::of(&circuit).unwrap();
        // The string as gates, behind the circuit.
        let mut turned = Circuit::new(circuit.qubits()).unwrap();
        for (qubit, letter) in letters.chars().rev().enumerate() {
            match letter {
                'X' => drop(turned.one(Gate::X, qubit)),
                'Y' => drop(turned.one(Gate::Y, qubit)),
                'Z' => drop(turned.one(Gate::Z, qubit)),
                _ => {}
            }
        }
        let mut other = state.clone();
        other.run(&turned).unwrap();
        let expected = 1.5 * state.inner(&other).unwrap().re;
        prop_assert!((observable.mean(&state).unwrap() - expected).abs() < 1e-12);
    }
}

/// More different values than a table of phases holds: each phase is computed.
#[test]
fn many_different_costs_have_the_same_phases_as_gates() {
    let qaoa = Qaoa::new(uneven(13), Mixer::X).unwrap();
    let circuit = qaoa.circuit(&angles(2)).unwrap();
    let (state, other) = (qaoa.state(&angles(2)).unwrap(), State::of(&circuit).unwrap());
    close(state.inner(&other).unwrap().norm(), 1.0, 1e-11);
    let different: std::collections::BTreeSet<u64> = qaoa.costs().values().iter().map(|x| x.to_bits()).collect();
    assert!(different.len() > 4096, "{}", different.len());
}

#[test]
fn the_minimum_of_a_curved_valley_is_found() {
    // Rosenbrock's function.
    let valley = |x: &[f64]| {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * b * x[0], 200.0 * b])
    };
    let found = minimum(&[-1.2, 1.0], 200, 1e-9, valley);
    close(found.at[0], 1.0, 1e-8);
    close(found.at[1], 1.0, 1e-8);
    assert!(found.evaluations < 120, "{}", found.evaluations);
    // Never above the start, not even where the function is no number.
    let broken = minimum(&[1.0], 10, 1e-9, |x| (if x[0] == 1.0 { 2.0 } else { f64::NAN }, vec![1.0]));
    assert_eq!((broken.at, broken.value), (vec![1.0], 2.0));
    assert_eq!(minimum(&[3.0], 0, 1e-9, |x| (x[0], vec![1.0])).at, [3.0]);
}

#[test]
fn the_kernel_is_qiskits_and_the_machine_decides_as_libsvm_does() {
    let document = vector("kernel.json");
    let points: Vec<Vec<f64>> = document["points"].as_array().unwrap().iter().map(numbers).collect();
    let classes: Vec<bool> =
        document["classes"].as_array().unwrap().iter().map(|class| class.as_bool().unwrap()).collect();
    let trained = document["trained"].as_u64().unwrap() as usize;
    let states = FeatureMap::new(2, 2).unwrap().states(&points).unwrap();
    let gram = kernel(&states[..trained], &states[..trained]).unwrap();
    for (ours, theirs) in gram.iter().zip(document["gram"].as_array().unwrap()) {
        ours.iter().zip(numbers(theirs)).for_each(|(ours, theirs)| close(*ours, theirs, 1e-12));
    }
    let machine = Classifier::train(&gram, &classes[..trained], number(&document["cost"])).unwrap();
    let decisions = machine.decide(&kernel(&states[trained..], &states[..trained]).unwrap()).unwrap();
    for (ours, theirs) in decisions.iter().zip(numbers(&document["decisions"])) {
        close(*ours, theirs, 1e-4);
    }
    assert_eq!(machine.vectors() as u64, document["vectors"].as_u64().unwrap());
    assert!(Classifier::accuracy(&decisions, &classes[trained..]).unwrap() > 0.5);
    // Shots: within five standard deviations everywhere.
    let shots = sampled(&gram, 1_000, 5).unwrap();
    for (shots, exact) in shots.iter().flatten().zip(gram.iter().flatten()) {
        close(*shots, *exact, 5.0 * (exact * (1.0 - exact) / 1e3).max(1e-12).sqrt());
    }
    assert!(sampled(&gram, 0, 5).is_err());
}

#[test]
fn a_machine_separates_what_can_be_separated() {
    let points: Vec<Vec<f64>> = (0..20).map(|k| vec![k as f64 / 10.0, (k as f64).sin()]).collect();
    let classes: Vec<bool> = (0..20).map(|k| k >= 10).collect();
    let gram = gaussian(&points, &points, 2.0).unwrap();
    let machine = Classifier::train(&gram, &classes, 1e4).unwrap();
    let decisions = machine.decide(&gram).unwrap();
    assert_eq!(Classifier::accuracy(&decisions, &classes).unwrap(), 1.0);
    // What the optimum asks for: every decision is 1 or more on the right side, and 1 at vectors.
    for (decision, class) in decisions.iter().zip(&classes) {
        assert!(if *class { *decision } else { -decision } > 1.0 - 1e-4, "{decision}");
    }
    let err = |gram: &[Vec<f64>], classes: &[bool], cost: f64| Classifier::train(gram, classes, cost).is_err();
    assert!(err(&gram, &classes[1..], 1.0) && err(&gram, &[true; 20], 1.0) && err(&gram, &[false; 20], 1.0));
    assert!(err(&gram, &classes, 0.0) && err(&gram, &classes, f64::NAN) && err(&[], &[], 1.0));
    let mut crooked = gram.clone();
    crooked[0][1] += 1e-3;
    assert!(err(&crooked, &classes, 1.0));
    crooked[0][1] = f64::NAN;
    assert!(err(&crooked, &classes, 1.0));
    assert!(machine.decide(&[vec![0.0; 19]]).is_err());
    assert!(gaussian(&points, &[vec![0.0]], 1.0).is_err() && gaussian(&points, &points, 0.0).is_err());
}

#[test]
fn what_cannot_be_a_problem_is_refused() {
    let pair = |i, j, weight| Qubo { constant: 0.0, linear: vec![0.0; 2], quadratic: vec![(i, j, weight)] };
    assert!(pair(0, 1, 1.0).ising().is_ok());
    assert_eq!(pair(0, 2, 1.0).ising().unwrap_err(), Error::NoSuchQubit { qubit: 2, qubits: 2 });
    assert_eq!(pair(1, 1, 1.0).ising().unwrap_err(), Error::TwiceInOneGate { qubit: 1 });
    assert!(pair(0, 1, f64::NAN).ising().is_err() && Qubo::default().ising().is_err());
    let many = |spins| Ising { offset: 0.0, fields: vec![0.0; spins], couplings: Vec::new() };
    assert_eq!(Costs::of(&many(MOST_QUBITS + 1)).unwrap_err(), Error::TooManyQubits { asked: MOST_QUBITS + 1 });
    assert_eq!(PauliSum::of(&many(MOST_QUBITS + 1)).unwrap_err(), Error::TooManyQubits { asked: MOST_QUBITS + 1 });
    assert!(PauliSum::of(&many(MOST_QUBITS)).is_ok() && Costs::of(&many(1)).is_ok());
    let qaoa = Qaoa::new(many(2), Mixer::X).unwrap();
    assert!(qaoa.state(&Angles { gammas: vec![0.1], betas: vec![] }).is_err());
    assert!(qaoa.state(&Angles { gammas: vec![f64::NAN], betas: vec![0.0] }).is_err());
    let of = |layers| Angles { gammas: vec![0.0; layers], betas: vec![0.0; layers] };
    assert!(qaoa.state(&of(MOST_LAYERS)).is_ok() && qaoa.state(&of(MOST_LAYERS + 1)).is_err());
    assert!(qaoa.tune(0, 10).is_err() && qaoa.tune(MOST_LAYERS + 1, 10).is_err());
    assert!(Qaoa::new(many(2), Mixer::Ring(3)).is_err() && Qaoa::new(many(2), Mixer::Complete(2)).is_ok());
    // Where all costs are alike, nothing is to be won, and nothing breaks.
    assert_eq!(qaoa.tune(2, 10).unwrap().mean, 0.0);
    assert!(PauliSum::parse(&[]).is_err() && PauliSum::parse(&[("", 1.0)]).is_err());
    assert_eq!(PauliSum::parse(&[("XQ", 1.0)]).unwrap_err(), Error::NoPauli { letter: 'Q' });
    assert!(PauliSum::parse(&[("XX", 1.0), ("X", 1.0)]).is_err() && PauliSum::parse(&[("X", f64::NAN)]).is_err());
    assert!(PauliSum::parse(&[(&"Z".repeat(26), 1.0)]).is_ok() && PauliSum::parse(&[(&"Z".repeat(27), 1.0)]).is_err());
    assert!(RealAmplitudes::new(0, 1, Entanglement::Full).is_err());
    assert!(
        RealAmplitudes::new(2, 64, Entanglement::Full).is_ok()
            && RealAmplitudes::new(2, 65, Entanglement::Full).is_err()
    );
    assert!(FeatureMap::new(0, 1).is_err() && FeatureMap::new(2, 0).is_err() && FeatureMap::new(2, 17).is_err());
    let map = FeatureMap::new(2, 16).unwrap();
    assert!(map.circuit(&[1.0]).is_err() && map.circuit(&[1.0, f64::INFINITY]).is_err());
    let large = FeatureMap::new(20, 1).unwrap();
    assert!(large.states(&vec![vec![0.0; 20]; 65]).unwrap_err().to_string().contains("1073741824"));
}
