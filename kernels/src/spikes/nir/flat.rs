//! A graph without nesting: what each node does, and how wide it is.

use super::{DEPTH, EDGES, Graph, NODES, NirError, Node, Tensor, at_most, value};
use crate::spikes::program::{SYNAPSES, UNITS};
use std::collections::BTreeMap;

/// Types of nodes that are understood.
pub(super) const KINDS: [&str; 14] = [
    "Input",
    "Output",
    "Linear",
    "Affine",
    "Scale",
    "Threshold",
    "Flatten",
    "IF",
    "LIF",
    "LI",
    "CubaLIF",
    "CubaLI",
    "Delay",
    "NIRGraph",
];

/// What a node does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    /// Events come in.
    Input,
    /// Spikes or voltages go out.
    Output,
    /// Passes on what it gets.
    Same,
    /// A matrix (`weight[row * columns + column]`), and a bias of each row.
    Matrix { rows: usize, columns: usize, weight: Vec<f64>, bias: Vec<f64> },
    /// A factor of each unit.
    Scale(Vec<f64>),
    /// Seconds of each unit.
    Delay(Vec<f64>),
    /// Neurons.
    Cells(Cells),
}

/// Neurons in continuous time. Values are of each unit, or one for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cells {
    /// Time constant of the voltage, in seconds; empty: it does not leak.
    pub(super) tau_mem: Vec<f64>,
    /// Time constant of the current; empty: there is none.
    pub(super) tau_syn: Vec<f64>,
    pub(super) r: Vec<f64>,
    pub(super) w_in: Vec<f64>,
    pub(super) v_leak: Vec<f64>,
    /// Empty: they do not fire.
    pub(super) threshold: Vec<f64>,
    pub(super) v_reset: Vec<f64>,
    /// A threshold alone: no step remembers another.
    pub(super) stateless: bool,
}

/// A node, with the name that it has in its graph (`inner/lif`).
#[derive(Clone, Debug)]
pub(super) struct Flattened {
    pub(super) name: String,
    pub(super) op: Op,
    /// Units that go in and come out.
    pub(super) wide: (usize, usize),
    /// Nodes that lead here, in the order of their edges.
    pub(super) from: Vec<usize>,
}

/// All nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Flat {
    pub(super) nodes: Vec<Flattened>,
}

/// Where the edges of a nested graph lead in, and come out.
type Doors = BTreeMap<String, (usize, usize)>;

impl Flat {
    pub(super) fn of(graph: &Graph) -> Result<Flat, NirError> {
        let mut flat = Flat::default();
        let mut edges = Vec::new();
        flat.take(graph, "", 0, &mut edges)?;
        edges.sort_unstable();
        edges.dedup();
        for &(from, to) in &edges {
            flat.nodes[to].from.push(from);
        }
        flat.widths(&edges)?;
        flat.edges_fit()?;
        Ok(flat)
    }

    fn take(
        &mut self,
        graph: &Graph,
        prefix: &str,
        depth: usize,
        edges: &mut Vec<(usize, usize)>,
    ) -> Result<Doors, NirError> {
        let mut doors = Doors::new();
        at_most(prefix, "graphs around it", depth as u64, DEPTH as u64)?;
        for (id, node) in &graph.nodes {
            let name = format!("{prefix}{id}");
            if let Some(inner) = &node.graph {
                let inside = self.take(inner, &format!("{name}/"), depth + 1, edges)?;
                doors.insert(id.clone(), self.door(&name, &inside)?);
                continue;
            }
            at_most(&name, "nodes up to here", self.nodes.len() as u64 + 1, NODES as u64)?;
            let op = op(&name, node)?;
            let wide = op.wide(node);
            self.nodes.push(Flattened { name, op, wide, from: Vec::new() });
            doors.insert(id.clone(), (self.nodes.len() - 1, self.nodes.len() - 1));
        }
        for (from, to) in &graph.edges {
            let find = |id: &String| {
                doors.get(id).copied().ok_or_else(|| {
                    value(prefix.trim_end_matches('/'), format!("an edge names {id:?}, which is no node of the graph"))
                })
            };
            let ((_, from), (to, _)) = (find(from)?, find(to)?);
            edges.push((from, to));
            at_most(&self.nodes[to].name, "edges up to here", edges.len() as u64, EDGES as u64)?;
        }
        Ok(doors)
    }

    /// The one Input and the one Output of a nested graph; they pass on what they get.
    fn door(&mut self, name: &str, inside: &Doors) -> Result<(usize, usize), NirError> {
        let mut found = [None, None];
        // What is nested in it again has been made into nodes that pass on.
        for &(at, _) in inside.values() {
            let which = match self.nodes[at].op {
                Op::Input => 0,
                Op::Output => 1,
                _ => continue,
            };
            if found[which].replace(at).is_some() {
                return Err(value(name, "a nested graph must have one Input and one Output; this has more"));
            }
            self.nodes[at].op = Op::Same;
        }
        match found {
            [Some(input), Some(output)] => Ok((input, output)),
            _ => Err(value(name, "a nested graph must have an Input and an Output")),
        }
    }

    /// How wide those nodes are that do not say it: as what is beside them.
    fn widths(&mut self, edges: &[(usize, usize)]) -> Result<(), NirError> {
        loop {
            let mut changed = false;
            for &(from, to) in edges {
                let (out, into) = (self.nodes[from].wide.1, self.nodes[to].wide.0);
                // Only nodes whose units pass straight through are without a width.
                for (at, wide) in [(from, into), (to, out)] {
                    if self.nodes[at].wide == (0, 0) && wide > 0 {
                        self.nodes[at].wide = (wide, wide);
                        changed = true;
                    }
                }
            }
            if !changed {
                break;
            }
        }
        for node in &mut self.nodes {
            if node.wide == (0, 0) {
                node.wide = (1, 1);
            }
            at_most(&node.name, "units", node.wide.0.max(node.wide.1) as u64, UNITS as u64)?;
        }
        Ok(())
    }

    fn edges_fit(&self) -> Result<(), NirError> {
        for node in &self.nodes {
            for &from in &node.from {
                let (out, into) = (self.nodes[from].wide.1, node.wide.0);
                if out != into {
                    let text = format!("{} gives it {out} units; it takes {into}", self.nodes[from].name);
                    return Err(value(&node.name, text));
                }
            }
            if node.from.is_empty() && node.op != Op::Input {
                return Err(value(&node.name, "nothing leads to it"));
            }
            if !node.from.is_empty() && node.op == Op::Input {
                return Err(value(&node.name, "an edge leads to this Input"));
            }
        }
        Ok(())
    }

    /// The names of the neurons that lead to Output nodes.
    pub(super) fn outputs(&self) -> Result<Vec<String>, NirError> {
        let mut all = Vec::new();
        for node in self.nodes.iter().filter(|node| node.op == Op::Output) {
            let mut ahead = node.from.clone();
            let mut seen = vec![false; self.nodes.len()];
            while let Some(at) = ahead.pop() {
                if std::mem::replace(&mut seen[at], true) {
                    continue;
                }
                let source = &self.nodes[at];
                match source.op {
                    Op::Cells(_) => all.push(source.name.clone()),
                    Op::Same => ahead.extend(&source.from),
                    _ => {
                        let text = format!("{} leads to it; only spikes and voltages of neurons come out", source.name);
                        return Err(value(&node.name, text));
                    }
                }
            }
        }
        all.sort();
        all.dedup();
        Ok(all)
    }
}

impl Op {
    /// Units that go in and come out; 0 where it does not say.
    fn wide(&self, node: &Node) -> (usize, usize) {
        let both = |n: usize| if n == 1 { (0, 0) } else { (n, n) };
        match self {
            Op::Input | Op::Output => {
                let shape = node.values.get("shape").map(|shape| shape.values.as_slice()).unwrap_or_default();
                let n = shape.iter().product::<f64>() as usize;
                (n, n)
            }
            Op::Same => (0, 0),
            Op::Matrix { rows, columns, .. } => (*columns, *rows),
            Op::Scale(all) | Op::Delay(all) => both(all.len()),
            Op::Cells(cells) => both(cells.units()),
        }
    }
}

impl Cells {
    fn units(&self) -> usize {
        let all = [&self.tau_mem, &self.tau_syn, &self.r, &self.w_in, &self.v_leak, &self.threshold, &self.v_reset];
        all.iter().map(|one| one.len()).max().unwrap_or_default()
    }
}

fn op(name: &str, node: &Node) -> Result<Op, NirError> {
    let keys = Keys { name, node };
    match node.kind.as_str() {
        "Input" | "Output" => {
            keys.only(&["shape", "input_type", "output_type"])?;
            let shape = keys.needed("shape")?;
            let whole = |&one: &f64| one >= 1.0 && one.fract() == 0.0 && one <= UNITS as f64;
            if shape.values.is_empty() || !shape.values.iter().all(whole) {
                return Err(value(
                    name,
                    format!("shape is {:?}; it must be whole numbers from 1 to {UNITS}", shape.values),
                ));
            }
            Ok(if node.kind == "Input" { Op::Input } else { Op::Output })
        }
        "Linear" | "Affine" => matrix(&keys),
        "Scale" => {
            keys.only(&["scale"])?;
            Ok(Op::Scale(keys.finite("scale")?.to_vec()))
        }
        "Delay" => {
            keys.only(&["delay"])?;
            let all = keys.finite("delay")?;
            if let Some(wrong) = all.iter().find(|&&delay| delay < 0.0) {
                return Err(value(name, format!("delay holds {wrong}; a delay is 0 or more seconds")));
            }
            Ok(Op::Delay(all.to_vec()))
        }
        "Flatten" => {
            keys.only(&["start_dim", "end_dim", "input_type"])?;
            Ok(Op::Same)
        }
        "Threshold" | "IF" | "LIF" | "LI" | "CubaLIF" | "CubaLI" => Ok(Op::Cells(cells(&keys)?)),
        kind => Err(NirError::Kind { node: name.to_owned(), kind: kind.to_owned() }),
    }
}

fn matrix(keys: &Keys<'_>) -> Result<Op, NirError> {
    let affine = keys.node.kind == "Affine";
    keys.only(if affine { &["weight", "bias"] } else { &["weight"] })?;
    let tensor = keys.needed("weight")?;
    let weight = keys.finite("weight")?.to_vec();
    let [rows, columns] = tensor.shape[..] else {
        return Err(value(keys.name, format!("weight has {} dimensions; it must have 2", tensor.shape.len())));
    };
    at_most(keys.name, "weights", weight.len() as u64, SYNAPSES as u64)?;
    let mut bias = Vec::new();
    if affine {
        bias = keys.finite("bias")?.to_vec();
        if bias.len() != rows {
            return Err(value(keys.name, format!("bias has {} values; weight has {rows} rows", bias.len())));
        }
    }
    Ok(Op::Matrix { rows, columns, weight, bias })
}

fn cells(keys: &Keys<'_>) -> Result<Cells, NirError> {
    let kind = keys.node.kind.as_str();
    let mut made = Cells::default();
    let known: &[&str] = match kind {
        "Threshold" => &["threshold"],
        "IF" => &["r", "v_threshold", "v_reset"],
        "LI" => &["tau", "r", "v_leak"],
        "LIF" => &["tau", "r", "v_leak", "v_threshold", "v_reset"],
        "CubaLI" => &["tau_mem", "tau_syn", "r", "v_leak", "w_in"],
        _ => &["tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"],
    };
    keys.only(known)?;
    for key in known {
        // Older files have neither, and mean these.
        let default = match *key {
            "v_reset" => Some(0.0),
            "w_in" => Some(1.0),
            _ => None,
        };
        let values = match default {
            Some(default) if !keys.node.values.contains_key(*key) => vec![default],
            _ => keys.finite(key)?.to_vec(),
        };
        let to = match *key {
            "tau" | "tau_mem" => &mut made.tau_mem,
            "tau_syn" => &mut made.tau_syn,
            "r" => &mut made.r,
            "w_in" => &mut made.w_in,
            "v_leak" => &mut made.v_leak,
            "v_reset" => &mut made.v_reset,
            _ => &mut made.threshold,
        };
        *to = values;
    }
    made.stateless = kind == "Threshold";
    for (key, all) in [("tau", &made.tau_mem), ("tau_syn", &made.tau_syn)] {
        if let Some(wrong) = all.iter().find(|&&tau| tau <= 0.0) {
            return Err(value(keys.name, format!("{key} holds {wrong}; a time constant is above 0")));
        }
    }
    let n = made.units();
    for key in known {
        let len = keys.node.values.get(*key).map_or(1, |tensor| tensor.values.len());
        if len != n && len != 1 {
            return Err(value(keys.name, format!("{key} has {len} values; others have {n}")));
        }
    }
    Ok(made)
}

/// The values of a node, by their keys.
struct Keys<'a> {
    name: &'a str,
    node: &'a Node,
}

impl Keys<'_> {
    /// What is not understood may mean anything.
    fn only(&self, known: &[&str]) -> Result<(), NirError> {
        match self.node.values.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let text = format!("{} has no key {key:?}; it has {}", self.node.kind, known.join(", "));
                Err(value(self.name, text))
            }
        }
    }

    fn needed(&self, key: &str) -> Result<&Tensor, NirError> {
        let found = self.node.values.get(key);
        found.ok_or_else(|| value(self.name, format!("{} needs the key {key}", self.node.kind)))
    }

    /// Numbers, at least one, none of them infinite or none at all.
    fn finite(&self, key: &str) -> Result<&[f64], NirError> {
        let all = &self.needed(key)?.values;
        if all.is_empty() {
            return Err(value(self.name, format!("{key} has no values")));
        }
        match all.iter().position(|one| !one.is_finite()) {
            None => Ok(all),
            Some(at) => Err(value(self.name, format!("{key} holds {} at {at}; it must be a finite number", all[at]))),
        }
    }
}
