//! What is exported is read back by another parser, and computed again from its tree.

mod common;

use common::{circuit, close, naive, vector};
use firelane_quantum::fidelity::FeatureMap;
use firelane_quantum::finance::option::Call;
use firelane_quantum::ising::Ising;
use firelane_quantum::qaoa::{Angles, Mixer, Qaoa};
use firelane_quantum::qasm::qasm;
use firelane_quantum::{Circuit, Controls, Gate, State};
use oq3_syntax::ast::{self, AstNode, HasArgList, HasName};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The gates of a file, in its order, as a circuit: with what `stdgates.inc` has, and the file's own definitions taken apart.
struct Reader {
    definitions: BTreeMap<String, ast::Gate>,
    circuit: Circuit,
}

/// What a name in a definition stands for.
#[derive(Clone, Default)]
struct Scope {
    qubits: BTreeMap<String, usize>,
    angle: Option<f64>,
    on: Vec<usize>,
    off: Vec<usize>,
    inverse: bool,
}

fn text(node: &impl AstNode) -> String {
    node.syntax().text().to_string().trim().to_owned()
}

fn read(program: &str) -> Circuit {
    let parse = oq3_syntax::SourceFile::parse(program);
    assert!(parse.errors().is_empty(), "{:?}\n{program}", parse.errors());
    let mut reader = None;
    let mut definitions = BTreeMap::new();
    let mut included = false;
    for statement in parse.tree().statements() {
        match &statement {
            ast::Stmt::Include(include) => included = text(include).contains("stdgates.inc"),
            ast::Stmt::Gate(gate) => drop(definitions.insert(text(&gate.name().unwrap()), gate.clone())),
            ast::Stmt::QuantumDeclarationStatement(register) => {
                let register = text(register);
                let size = register.strip_prefix("qubit[").unwrap().split(']').next().unwrap();
                let circuit = Circuit::new(size.parse().unwrap()).unwrap();
                reader = Some(Reader { definitions: std::mem::take(&mut definitions), circuit });
            }
            ast::Stmt::ExprStmt(expression) => {
                reader.as_mut().unwrap().expression(&expression.expr().unwrap(), &Scope::default());
            }
            ast::Stmt::VersionString(_)
            | ast::Stmt::ClassicalDeclarationStatement(_)
            | ast::Stmt::AssignmentStmt(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(included);
    reader.unwrap().circuit
}

impl Reader {
    fn expression(&mut self, expression: &ast::Expr, scope: &Scope) {
        match expression {
            ast::Expr::GateCallExpr(call) => self.call(call, &[], scope),
            ast::Expr::ModifiedGateCallExpr(modified) => {
                let modifiers: Vec<ast::Modifier> = modified.modifiers().collect();
                self.call(&modified.gate_call_expr().unwrap(), &modifiers, scope);
            }
            other => panic!("{other:?}"),
        }
    }

    fn call(&mut self, call: &ast::GateCallExpr, modifiers: &[ast::Modifier], scope: &Scope) {
        let name = text(&call.identifier().unwrap());
        let angle = call.arg_list().map(|list| {
            let list = text(&list);
            let inner = list.trim_matches(['(', ')']);
            match inner.split_once('/') {
                Some((word, by)) if word.trim() == "theta" => scope.angle.unwrap() / by.trim().parse::<f64>().unwrap(),
                _ if inner == "theta" => scope.angle.unwrap(),
                _ => inner.parse().unwrap(),
            }
        });
        let mut qubits: Vec<usize> = call
            .qubit_list()
            .unwrap()
            .gate_operands()
            .map(|operand| {
                let operand = text(&operand);
                let index = operand.strip_prefix("q[").and_then(|rest| rest.strip_suffix(']'));
                index.map_or_else(|| scope.qubits[&operand], |index| index.parse().unwrap())
            })
            .collect();
        let mut inner = Scope { angle, qubits: BTreeMap::new(), ..scope.clone() };
        for modifier in modifiers {
            let count = |paren: Option<ast::ParenExpr>| {
                paren.map_or(1, |paren| text(&paren).trim_matches(['(', ')']).parse::<usize>().unwrap())
            };
            match modifier {
                ast::Modifier::CtrlModifier(ctrl) => inner.on.extend(qubits.drain(..count(ctrl.paren_expr()))),
                ast::Modifier::NegCtrlModifier(ctrl) => inner.off.extend(qubits.drain(..count(ctrl.paren_expr()))),
                ast::Modifier::InvModifier(_) => inner.inverse = !inner.inverse,
                ast::Modifier::PowModifier(_) => panic!("nothing is raised to a power"),
            }
        }
        if let Some(definition) = self.definitions.get(&name).cloned() {
            assert!(!inner.inverse, "{name}: nothing that is defined is inverted");
            let names = text(&definition.qubit_params().unwrap());
            inner.qubits = names.split(',').map(|name| name.trim().to_owned()).zip(qubits).collect();
            for statement in definition.body().unwrap().statements() {
                let ast::Stmt::ExprStmt(expression) = statement else { panic!("{statement:?}") };
                self.expression(&expression.expr().unwrap(), &inner);
            }
            return;
        }
        // The controls that a name of the standard has in it.
        let (short, controls) = match name.as_str() {
            "ccx" => ("x", 2),
            "cswap" => ("swap", 1),
            "cx" | "cy" | "cz" | "ch" | "cp" | "crx" | "cry" | "crz" => (&name[1..], 1),
            other => (other, 0),
        };
        inner.on.extend(qubits.drain(..controls));
        let angle = || inner.angle.unwrap();
        let gate = match short {
            "x" => Gate::X,
            "y" => Gate::Y,
            "z" => Gate::Z,
            "h" => Gate::H,
            "s" => Gate::S,
            "sdg" => Gate::Sdg,
            "t" => Gate::T,
            "tdg" => Gate::Tdg,
            "sx" => Gate::Sx,
            "rx" => Gate::Rx(angle()),
            "ry" => Gate::Ry(angle()),
            "rz" => Gate::Rz(angle()),
            "p" => Gate::P(angle()),
            "swap" => Gate::Swap,
            other => panic!("{other} is no gate of stdgates.inc"),
        };
        let gate = if inner.inverse { gate.inverse() } else { gate };
        self.circuit.push(gate, &qubits, Controls { on: &inner.on, off: &inner.off }).unwrap();
    }
}

/// The same state, to the phase: nothing that is exported leaves one out.
fn same(circuit: &Circuit) {
    let back = read(&qasm(circuit, false));
    for (ours, theirs) in State::of(circuit).unwrap().amplitudes().zip(naive(&back)) {
        assert!((ours - theirs).norm() < 1e-12, "{ours} and {theirs}\n{}", qasm(circuit, false));
    }
}

proptest! {
    #[test]
    fn any_circuit_comes_back(circuit in circuit()) {
        same(&circuit);
    }
}

#[test]
fn every_gate_comes_back_with_every_count_of_controls() {
    let gates =
        [Gate::Sxdg, Gate::Rxx(0.3), Gate::Ryy(-0.4), Gate::Rzz(0.5), Gate::Xy(1e-7), Gate::H, Gate::Swap, Gate::X];
    for gate in gates {
        for controls in 0..=3 {
            for off in 0..=controls {
                let mut circuit = Circuit::new(5).unwrap();
                for qubit in 0..5 {
                    circuit.one(Gate::Ry(0.3 + qubit as f64), qubit).unwrap().one(Gate::T, qubit).unwrap();
                }
                let targets = &[4, 3][..gate.targets()];
                let (off, on) = [0, 1, 2][..controls].split_at(off);
                circuit.push(gate, targets, Controls { on, off }).unwrap();
                same(&circuit);
            }
        }
    }
}

#[test]
fn circuits_of_the_algorithms_come_back() {
    let ising = Ising { offset: 1.0, fields: vec![0.5, -0.25, 0.0, 1.0], couplings: vec![(0, 1, 0.3), (2, 3, -1.0)] };
    let angles = Angles { gammas: vec![0.4, 0.7], betas: vec![0.3, -0.2] };
    for mixer in [Mixer::X, Mixer::Ring(2), Mixer::Complete(1)] {
        same(&Qaoa::new(ising.clone(), mixer).unwrap().circuit(&angles).unwrap());
    }
    let call = Call { spot: 2.0, volatility: 0.4, rate: 0.05, years: 40.0 / 365.0, strike: 1.896 };
    let payoff = call.priced(3, 0.25).unwrap().payoff().unwrap();
    let back = read(&qasm(&payoff.circuit(1).unwrap(), true));
    let expected = vector("option.json")["powers"][0].as_f64().unwrap();
    close(State::of(&back).unwrap().probability_of_one(4).unwrap(), expected, 1e-12);
    same(&FeatureMap::new(3, 2).unwrap().circuit(&[0.1, -0.2, 0.3]).unwrap());
}

#[test]
fn the_text_is_plain() {
    let mut circuit = Circuit::new(3).unwrap();
    circuit.one(Gate::H, 0).unwrap().controlled(Gate::X, 0, 1).unwrap();
    circuit.push(Gate::Ry(0.5), &[2], Controls { on: &[0, 1], off: &[] }).unwrap();
    circuit.push(Gate::Z, &[0], Controls { on: &[1], off: &[2] }).unwrap();
    circuit.two(Gate::Rzz(-1.5), 0, 2).unwrap();
    let expected = "\
OPENQASM 3.0;
include \"stdgates.inc\";
gate rzz(theta) a, b { cx a, b; rz(theta) b; cx a, b; }
qubit[3] q;
bit[3] c;
h q[0];
cx q[0], q[1];
ctrl(2) @ ry(0.5) q[0], q[1], q[2];
ctrl @ negctrl @ z q[1], q[2], q[0];
rzz(-1.5) q[0], q[2];
c = measure q;
";
    assert_eq!(qasm(&circuit, true), expected);
}
