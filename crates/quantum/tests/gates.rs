//! Gates, circuits and states against matrices that are multiplied out, and against Qiskit's.

mod common;

use common::{circuit, close, dense, gate, matrix, naive, number, vector};
use firelane_quantum::error::{MOST_QUBITS, bytes_of};
use firelane_quantum::{Circuit, Controls, Error, Gate, Path, State, Unit};
use num_complex::Complex64;
use proptest::prelude::*;

fn same(state: &State, expected: &[Complex64]) {
    for (k, (a, b)) in state.amplitudes().zip(expected).enumerate() {
        assert!((a - b).norm() < 1e-13, "amplitude {k}: {a} and {b}");
    }
}

#[test]
fn gates_have_the_matrices_of_qiskit() {
    let document = vector("gates.json");
    let angle = number(&document["angle"]);
    let plain = [
        Gate::X,
        Gate::Y,
        Gate::Z,
        Gate::H,
        Gate::S,
        Gate::Sdg,
        Gate::T,
        Gate::Tdg,
        Gate::Sx,
        Gate::Sxdg,
        Gate::Rx(angle),
        Gate::Ry(angle),
        Gate::Rz(angle),
        Gate::P(angle),
        Gate::Swap,
        Gate::Rxx(angle),
        Gate::Ryy(angle),
        Gate::Rzz(angle),
        Gate::Xy(angle),
    ];
    let mut seen = 0;
    for (name, expected) in document["matrices"].as_object().unwrap() {
        let (gate, controls) = match plain.iter().find(|gate| gate.name() == name) {
            Some(&gate) => (gate, 0),
            None if name == "ccx" => (Gate::X, 2),
            None if name == "cswap" => (Gate::Swap, 1),
            None => (*plain.iter().find(|gate| gate.name() == &name[1..]).unwrap(), 1),
        };
        let qubits = gate.targets() + controls;
        let (on, targets) = ([0, 1], [controls, controls + 1]);
        let mut circuit = Circuit::new(qubits).unwrap();
        let controls = Controls { on: &on[..controls], off: &[] };
        circuit.push(gate, &targets[..gate.targets()], controls).unwrap();
        let size = 1 << qubits;
        for column in 0..size {
            let mut basis = vec![Complex64::ZERO; size];
            basis[column] = Complex64::ONE;
            let mut state = State::from_amplitudes(&basis).unwrap();
            state.run(&circuit).unwrap();
            let expected: Vec<Complex64> = (0..size)
                .map(|row| &expected[row * size + column])
                .map(|entry| Complex64::new(number(&entry[0]), number(&entry[1])))
                .collect();
            same(&state, &expected);
            seen += 1;
        }
    }
    assert!(seen > 90, "{seen}");
}

proptest! {
    #[test]
    fn any_circuit_gives_what_its_matrices_give(circuit in circuit()) {
        let state = State::of(&circuit).unwrap();
        same(&state, &naive(&circuit));
        close(state.norm(), 1.0, 1e-13);
    }

    #[test]
    fn what_is_undone_is_undone(circuit in circuit()) {
        let mut state = State::of(&circuit).unwrap();
        state.run(&circuit.inverse()).unwrap();
        prop_assert!((state.amplitude(0).unwrap() - 1.0).norm() < 1e-12);
    }

    #[test]
    fn all_paths_give_the_same_bits(circuit in circuit()) {
        let bits = |unit: Unit| {
            let mut state = State::new(circuit.qubits()).unwrap().on(unit);
            state.run(&circuit).unwrap();
            state.amplitudes().map(|a| (a.re.to_bits(), a.im.to_bits())).collect::<Vec<_>>()
        };
        let scalar = bits(Unit::of(Path::Scalar).unwrap());
        for unit in Path::ALL.into_iter().filter_map(Unit::of) {
            prop_assert_eq!(&bits(unit), &scalar, "{:?}", unit.path());
        }
    }

    #[test]
    fn a_matrix_and_its_inverse_are_one(gate in gate()) {
        let (a, b) = (matrix(gate), matrix(gate.inverse()));
        for (r, row) in a.iter().enumerate() {
            for c in 0..a.len() {
                let entry: Complex64 = row.iter().zip(&b).map(|(entry, other)| entry * other[c]).sum();
                let expected = f64::from(u8::from(r == c));
                prop_assert!((entry - expected).norm() < 1e-14);
            }
        }
    }

    #[test]
    fn a_circuit_on_other_qubits_acts_on_those(circuit in circuit(), order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle()) {
        let on = &order[..circuit.qubits()];
        let mut large = Circuit::new(8).unwrap();
        large.append(&circuit, on).unwrap();
        let (small, large) = (State::of(&circuit).unwrap(), State::of(&large).unwrap());
        for (k, amplitude) in small.amplitudes().enumerate() {
            let place = on.iter().enumerate().fold(0, |all, (n, q)| all | (k >> n & 1) << q);
            prop_assert!((large.amplitude(place).unwrap() - amplitude).norm() < 1e-13);
        }
    }
}

/// Runs longer than a vector, whole and broken, with every gate and control position.
#[test]
fn long_runs_give_the_same_bits_on_every_path_and_the_right_ones() {
    let qubits = 9;
    let mut circuit = Circuit::new(qubits).unwrap();
    circuit.each(Gate::H).unwrap();
    for qubit in 0..qubits {
        let (next, after) = ((qubit + 1) % qubits, (qubit + 2) % qubits);
        circuit.one(Gate::T, qubit).unwrap().one(Gate::Rx(0.3 + qubit as f64), qubit).unwrap();
        circuit.one(Gate::Y, qubit).unwrap().one(Gate::Ry(0.7), qubit).unwrap();
        circuit.two(Gate::Swap, qubit, next).unwrap().two(Gate::Xy(0.4), after, qubit).unwrap();
        circuit.push(Gate::Sx, &[qubit], Controls { on: &[next], off: &[after] }).unwrap();
        circuit.push(Gate::P(1.1), &[qubit], Controls { on: &[after], off: &[next] }).unwrap();
        circuit.two(Gate::Rzz(0.9), qubit, after).unwrap().two(Gate::Ryy(0.2), next, qubit).unwrap();
    }
    let of = |unit: Unit| {
        let mut state = State::new(qubits).unwrap().on(unit);
        state.run(&circuit).unwrap();
        state
    };
    let scalar = of(Unit::of(Path::Scalar).unwrap());
    same(&scalar, &naive(&circuit));
    for unit in Path::ALL.into_iter().filter_map(Unit::of) {
        let bits = |state: &State| state.amplitudes().map(|a| (a.re.to_bits(), a.im.to_bits())).collect::<Vec<_>>();
        assert_eq!(bits(&of(unit)), bits(&scalar), "{:?}", unit.path());
    }
}

#[test]
fn what_cannot_be_a_state_is_refused_by_name() {
    assert_eq!(State::new(0).unwrap_err(), Error::NoQubits { what: "the state" });
    assert_eq!(Circuit::new(0).unwrap_err(), Error::NoQubits { what: "the circuit" });
    assert!(Circuit::new(MOST_QUBITS).is_ok());
    let error = State::new(MOST_QUBITS + 1).unwrap_err();
    assert!(error.to_string().contains("27 qubits need 2147483648 bytes"), "{error}");
    assert_eq!(Circuit::new(27).unwrap_err(), Error::TooManyQubits { asked: 27 });
    assert!(State::new(usize::MAX).unwrap_err().to_string().contains("more than 2^64 bytes"));
    assert_eq!((bytes_of(26), bytes_of(60), bytes_of(63)), (Some(1 << 30), None, None));
    let amplitudes = |n: usize| vec![Complex64::ONE; n];
    assert!(State::from_amplitudes(&amplitudes(3)).is_err() && State::from_amplitudes(&[]).is_err());
    assert!(State::from_amplitudes(&amplitudes(1)).is_err() && State::from_amplitudes(&amplitudes(2)).is_ok());
    assert!(State::from_amplitudes(&[Complex64::ONE, Complex64::new(f64::NAN, 0.0)]).is_err());
}

#[test]
fn what_cannot_be_a_gate_is_refused_by_name() {
    let mut circuit = Circuit::new(3).unwrap();
    assert_eq!(circuit.one(Gate::H, 3).unwrap_err(), Error::NoSuchQubit { qubit: 3, qubits: 3 });
    assert_eq!(circuit.two(Gate::Swap, 1, 1).unwrap_err(), Error::TwiceInOneGate { qubit: 1 });
    assert_eq!(circuit.controlled(Gate::X, 2, 2).unwrap_err(), Error::TwiceInOneGate { qubit: 2 });
    let both = Controls { on: &[1], off: &[1] };
    assert_eq!(circuit.push(Gate::X, &[0], both).unwrap_err(), Error::TwiceInOneGate { qubit: 1 });
    for angle in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(circuit.one(Gate::Rx(angle), 0).unwrap_err(), Error::NotFinite { what: "the angle of a gate" });
    }
    assert!(matches!(circuit.one(Gate::Swap, 0).unwrap_err(), Error::Size { given: 1, needed: 2, .. }));
    assert!(circuit.operations().is_empty(), "nothing that was refused is in the circuit");
    let other = Circuit::new(2).unwrap();
    assert!(circuit.append(&other, &[0]).is_err() && circuit.append(&other, &[0, 0]).is_err());
    assert!(circuit.append(&other, &[0, 3]).is_err() && circuit.append(&other, &[2, 0]).is_ok());
    assert!(State::new(2).unwrap().run(&circuit).is_err());
    assert!(State::new(2).unwrap().inner(&State::new(3).unwrap()).is_err());
    assert!(State::new(2).unwrap().probability_of_one(2).is_err());
}

#[test]
fn a_circuit_is_printed_a_line_a_gate() {
    let mut circuit = Circuit::new(3).unwrap();
    circuit.one(Gate::H, 0).unwrap();
    circuit.push(Gate::Ry(std::f64::consts::FRAC_PI_2), &[2], Controls { on: &[0], off: &[1] }).unwrap();
    circuit.two(Gate::Xy(0.25), 2, 1).unwrap();
    assert_eq!(circuit.to_string(), "h 0\nry(pi/2) 2  if 0, not 1\nxy(0.25) 2, 1\n");
    assert_eq!(circuit.depth(), 3);
    assert_eq!(dense(&circuit.operations()[0], 3).len(), 8);
}

#[test]
fn shots_are_reproducible_and_follow_the_probabilities() {
    let mut circuit = Circuit::new(2).unwrap();
    circuit.one(Gate::Ry(2.0 * 0.3_f64.sqrt().asin()), 0).unwrap().controlled(Gate::X, 0, 1).unwrap();
    let state = State::of(&circuit).unwrap();
    let counts = state.sample(100_000, 7).unwrap();
    assert_eq!(counts, state.sample(100_000, 7).unwrap());
    assert_ne!(counts, state.sample(100_000, 8).unwrap());
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), [0, 3]);
    // Five standard deviations of a binomial distribution.
    close(counts[&3] as f64 / 1e5, 0.3, 5.0 * (0.3 * 0.7 / 1e5_f64).sqrt());
    assert!(state.sample(0, 1).unwrap().is_empty());
    let nothing = State::from_amplitudes(&[Complex64::ZERO; 2]).unwrap();
    assert!(nothing.sample(1, 1).is_err());
}

#[test]
fn every_shot_is_counted_and_once() {
    for shots in [0, 1, 1_000] {
        let counts = State::plus(3).unwrap().sample(shots, 7).unwrap();
        assert_eq!(counts.values().sum::<usize>(), shots);
        assert!(counts.keys().all(|number| *number < 8) && counts.values().all(|count| *count > 0), "{counts:?}");
    }
    let sure = State::new(2).unwrap().sample(10, 7).unwrap();
    assert_eq!(sure.into_iter().collect::<Vec<_>>(), [(0, 10)]);
}
