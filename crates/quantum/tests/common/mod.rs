//! What tests share: vectors, and a simulator that is as naive as can be.

#![allow(dead_code, reason = "each test uses a part of it")]

use firelane_quantum::{Circuit, Controls, Gate, Operation};
use num_complex::Complex64;
use proptest::prelude::*;
use serde_json::Value;

/// A document of `vectors/`.
pub(crate) fn vector(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

pub(crate) fn close(a: f64, b: f64, within: f64) {
    assert!((a - b).abs() <= within, "{a} and {b} differ by {:e}", (a - b).abs());
}

/// The matrix of a gate on its targets alone, written down from its definition.
pub(crate) fn matrix(gate: Gate) -> Vec<Vec<Complex64>> {
    let (o, l, i) = (Complex64::ZERO, Complex64::ONE, Complex64::I);
    let half = |angle: f64| (Complex64::from((angle / 2.0).cos()), i * (angle / 2.0).sin());
    let e = Complex64::cis;
    let diagonal =
        |d: &[Complex64]| (0..d.len()).map(|r| (0..d.len()).map(|c| if r == c { d[r] } else { o }).collect()).collect();
    match gate {
        Gate::X => vec![vec![o, l], vec![l, o]],
        Gate::Y => vec![vec![o, -i], vec![i, o]],
        Gate::Z => diagonal(&[l, -l]),
        Gate::H => {
            let h = Complex64::from(0.5_f64.sqrt());
            vec![vec![h, h], vec![h, -h]]
        }
        Gate::S => diagonal(&[l, i]),
        Gate::Sdg => diagonal(&[l, -i]),
        Gate::T => diagonal(&[l, e(std::f64::consts::FRAC_PI_4)]),
        Gate::Tdg => diagonal(&[l, e(-std::f64::consts::FRAC_PI_4)]),
        Gate::Sx => vec![vec![(l + i) / 2.0, (l - i) / 2.0], vec![(l - i) / 2.0, (l + i) / 2.0]],
        Gate::Sxdg => vec![vec![(l - i) / 2.0, (l + i) / 2.0], vec![(l + i) / 2.0, (l - i) / 2.0]],
        Gate::Rx(a) => {
            let (c, s) = half(a);
            vec![vec![c, -s], vec![-s, c]]
        }
        Gate::Ry(a) => {
            let (c, s) = ((a / 2.0).cos().into(), (a / 2.0).sin().into());
            let s: Complex64 = s;
            vec![vec![c, -s], vec![s, c]]
        }
        Gate::Rz(a) => diagonal(&[e(-a / 2.0), e(a / 2.0)]),
        Gate::P(a) => diagonal(&[l, e(a)]),
        Gate::Swap => vec![vec![l, o, o, o], vec![o, o, l, o], vec![o, l, o, o], vec![o, o, o, l]],
        Gate::Rxx(a) => {
            let (c, s) = half(a);
            vec![vec![c, o, o, -s], vec![o, c, -s, o], vec![o, -s, c, o], vec![-s, o, o, c]]
        }
        Gate::Ryy(a) => {
            let (c, s) = half(a);
            vec![vec![c, o, o, s], vec![o, c, -s, o], vec![o, -s, c, o], vec![s, o, o, c]]
        }
        Gate::Rzz(a) => diagonal(&[e(-a / 2.0), e(a / 2.0), e(a / 2.0), e(-a / 2.0)]),
        Gate::Xy(a) => {
            let (c, s) = half(a);
            vec![vec![l, o, o, o], vec![o, c, -s, o], vec![o, -s, c, o], vec![o, o, o, l]]
        }
    }
}

/// The matrix of an operation on all qubits: 2^n by 2^n numbers, entry by entry.
pub(crate) fn dense(operation: &Operation, qubits: usize) -> Vec<Vec<Complex64>> {
    let small = matrix(operation.gate);
    let size = 1_usize << qubits;
    let targets: Vec<usize> = operation.targets().iter().map(|&t| usize::from(t)).collect();
    let bits = |k: usize| targets.iter().enumerate().fold(0, |all, (n, t)| all | (k >> t & 1) << n);
    let mask: usize = targets.iter().map(|t| 1 << t).sum();
    let acts = |k: usize| k & operation.on as usize == operation.on as usize && k & operation.off as usize == 0;
    let entry = |row: usize, column: usize| {
        if !acts(column) {
            return if row == column { Complex64::ONE } else { Complex64::ZERO };
        }
        if row & !mask == column & !mask { small[bits(row)][bits(column)] } else { Complex64::ZERO }
    };
    (0..size).map(|row| (0..size).map(|column| entry(row, column)).collect()).collect()
}

/// What a circuit makes of 0, by multiplying with whole matrices.
pub(crate) fn naive(circuit: &Circuit) -> Vec<Complex64> {
    let mut state = vec![Complex64::ZERO; 1 << circuit.qubits()];
    state[0] = Complex64::ONE;
    for operation in circuit.operations() {
        let matrix = dense(operation, circuit.qubits());
        state = matrix.iter().map(|row| row.iter().zip(&state).map(|(m, a)| m * a).sum()).collect();
    }
    state
}

pub(crate) fn gate() -> impl Strategy<Value = Gate> {
    let angle = || -7.0..7.0_f64;
    prop_oneof![
        Just(Gate::X),
        Just(Gate::Y),
        Just(Gate::Z),
        Just(Gate::H),
        Just(Gate::S),
        Just(Gate::Sdg),
        Just(Gate::T),
        Just(Gate::Tdg),
        Just(Gate::Sx),
        Just(Gate::Sxdg),
        angle().prop_map(Gate::Rx),
        angle().prop_map(Gate::Ry),
        angle().prop_map(Gate::Rz),
        angle().prop_map(Gate::P),
        Just(Gate::Swap),
        angle().prop_map(Gate::Rxx),
        angle().prop_map(Gate::Ryy),
        angle().prop_map(Gate::Rzz),
        angle().prop_map(Gate::Xy),
    ]
}

/// Any circuit of 2 to 6 qubits: each gate on qubits in any order, with up to three controls, each on or off.
pub(crate) fn circuit() -> impl Strategy<Value = Circuit> {
    (2_usize..=6).prop_flat_map(|qubits| {
        let order = Just((0..qubits).collect::<Vec<_>>()).prop_shuffle();
        let operation = (gate(), order, 0_usize..4, any::<u8>());
        prop::collection::vec(operation, 1..25).prop_map(move |operations| {
            let mut circuit = Circuit::new(qubits).unwrap();
            for (gate, order, controls, kinds) in operations {
                let (targets, rest) = order.split_at(gate.targets());
                let controls = &rest[..controls.min(rest.len())];
                let of = |kind: u8| controls.iter().enumerate().filter(move |(n, _)| kinds >> n & 1 == kind);
                let on: Vec<usize> = of(1).map(|(_, q)| *q).collect();
                let off: Vec<usize> = of(0).map(|(_, q)| *q).collect();
                circuit.push(gate, targets, Controls { on: &on, off: &off }).unwrap();
            }
            circuit
        })
    })
}
