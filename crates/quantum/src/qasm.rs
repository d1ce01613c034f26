//! Circuits as OpenQASM 3.

use crate::circuit::{Circuit, Operation, bits};
use crate::gate::Gate;
use std::fmt::Write;

/// Gates that `stdgates.inc` does not have, and the ones that each is made of.
const DEFINED: [(&str, &[&str], &str); 5] = [
    ("sxdg", &[], "gate sxdg a { inv @ sx a; }"),
    ("rxx", &[], "gate rxx(theta) a, b { h a; h b; cx a, b; rz(theta) b; cx a, b; h a; h b; }"),
    ("ryy", &[], "gate ryy(theta) a, b { sx a; sx b; cx a, b; rz(theta) b; cx a, b; inv @ sx a; inv @ sx b; }"),
    ("rzz", &[], "gate rzz(theta) a, b { cx a, b; rz(theta) b; cx a, b; }"),
    ("xy", &["rxx", "ryy"], "gate xy(theta) a, b { rxx(theta / 2) a, b; ryy(theta / 2) a, b; }"),
];

/// What `stdgates.inc` has with a control, and with two.
fn with_controls(gate: Gate, count: u32) -> Option<&'static str> {
    match (gate, count) {
        (Gate::X, 1) => Some("cx"),
        (Gate::Y, 1) => Some("cy"),
        (Gate::Z, 1) => Some("cz"),
        (Gate::H, 1) => Some("ch"),
        (Gate::P(_), 1) => Some("cp"),
        (Gate::Rx(_), 1) => Some("crx"),
        (Gate::Ry(_), 1) => Some("cry"),
        (Gate::Rz(_), 1) => Some("crz"),
        (Gate::X, 2) => Some("ccx"),
        (Gate::Swap, 1) => Some("cswap"),
        _ => None,
    }
}

/// The circuit as a program that prepares its state in the register `q`, qubit 0 of which is the lowest bit. With `measured`, all of
/// it is read into the bits `c` at the end.
#[must_use]
pub fn qasm(circuit: &Circuit, measured: bool) -> String {
    let mut text = "OPENQASM 3.0;\ninclude \"stdgates.inc\";\n".to_owned();
    let used = |name: &str| circuit.operations().iter().any(|operation| operation.gate.name() == name);
    let needed =
        |name: &str| used(name) || DEFINED.iter().any(|(other, parts, _)| used(other) && parts.contains(&name));
    for (_, _, definition) in DEFINED.iter().filter(|(name, ..)| needed(name)) {
        text.push_str(definition);
        text.push('\n');
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "qubit[{}] q;", circuit.qubits());
    if measured {
        let _ = writeln!(text, "bit[{}] c;", circuit.qubits());
    }
    for operation in circuit.operations() {
        line(&mut text, operation);
    }
    if measured {
        text.push_str("c = measure q;\n");
    }
    text
}

fn line(text: &mut String, operation: &Operation) {
    let Operation { gate, on, off, .. } = *operation;
    let mut qubits: Vec<usize> = bits(on).chain(bits(off)).collect();
    qubits.extend(operation.targets().iter().map(|&qubit| usize::from(qubit)));
    let name = with_controls(gate, on.count_ones()).filter(|_| off == 0);
    if name.is_none() {
        for (word, mask) in [("ctrl", on), ("negctrl", off)] {
            let _ = match mask.count_ones() {
                0 => Ok(()),
                1 => write!(text, "{word} @ "),
                count => write!(text, "{word}({count}) @ "),
            };
        }
    }
    text.push_str(name.unwrap_or(gate.name()));
    if let Some(angle) = gate.angle() {
        let _ = write!(text, "({angle})");
    }
    let qubits: Vec<String> = qubits.iter().map(|qubit| format!("q[{qubit}]")).collect();
    let _ = writeln!(text, " {};", qubits.join(", "));
}
