//! NIR as JSON, for networks that somebody writes by hand: the same nodes and keys as in a file, numbers as nested lists.

use super::{DEPTH, Graph, NirError, Node, Tensor, value};
use serde_json::Value;

impl Graph {
    /// Reads a graph: `{"type": "NIRGraph", "nodes": {NAME: {"type": "LIF", "tau": [...], ...}, ...}, "edges": [[FROM, TO], ...]}`.
    ///
    /// # Errors
    /// [`NirError`]: not JSON, or the node whose value is none.
    pub fn from_json(text: &str) -> Result<Graph, NirError> {
        let root: Value = serde_json::from_str(text)?;
        let node = node("graph", &root, 0)?;
        node.graph.ok_or_else(|| value("graph", format!("its type is {:?}; it must be NIRGraph", node.kind)))
    }
}

fn node(name: &str, from: &Value, depth: usize) -> Result<Node, NirError> {
    if depth > DEPTH {
        return Err(value(name, format!("graphs are nested deeper than {DEPTH}")));
    }
    let object = from.as_object().ok_or_else(|| value(name, "it must be an object with a type"))?;
    let kind = object.get("type").and_then(Value::as_str).ok_or_else(|| value(name, "it has no type"))?.to_owned();
    let mut made = Node { kind, ..Node::default() };
    if made.kind == "NIRGraph" {
        made.graph = Some(graph(name, object, depth)?);
        return Ok(made);
    }
    for (key, of) in object.iter().filter(|(key, _)| *key != "type" && *key != "note") {
        let mut tensor = Tensor::default();
        numbers(name, key, of, 0, &mut tensor)?;
        made.values.insert(key.clone(), tensor);
    }
    Ok(made)
}

fn graph(name: &str, object: &serde_json::Map<String, Value>, depth: usize) -> Result<Graph, NirError> {
    let mut made = Graph::default();
    if let Some(key) = object.keys().find(|key| !["type", "nodes", "edges", "note"].contains(&key.as_str())) {
        return Err(value(name, format!("a NIRGraph has no key {key:?}; it has nodes and edges")));
    }
    let nodes = object.get("nodes").and_then(Value::as_object).ok_or_else(|| value(name, "it has no nodes"))?;
    for (id, of) in nodes {
        made.nodes.insert(id.clone(), node(id, of, depth + 1)?);
    }
    let edges = object.get("edges").and_then(Value::as_array).ok_or_else(|| value(name, "it has no edges"))?;
    for edge in edges {
        let two = edge.as_array().filter(|two| two.len() == 2);
        let name_of = |at: usize| two.and_then(|two| two.get(at)).and_then(Value::as_str);
        let (Some(from), Some(to)) = (name_of(0), name_of(1)) else {
            return Err(value(name, format!("the edge {edge} is not two names")));
        };
        made.edges.push((from.to_owned(), to.to_owned()));
    }
    Ok(made)
}

/// Appends a number, or lists of them that are equally long.
fn numbers(node: &str, key: &str, from: &Value, depth: usize, to: &mut Tensor) -> Result<(), NirError> {
    if let Some(list) = from.as_array() {
        match to.shape.get(depth) {
            None => to.shape.push(list.len()),
            Some(&len) if len == list.len() => {}
            Some(len) => {
                let text = format!("{key} has lists of {len} and of {} values; they must be equally long", list.len());
                return Err(value(node, text));
            }
        }
        return list.iter().try_for_each(|one| numbers(node, key, one, depth + 1, to));
    }
    let number = from.as_f64().ok_or_else(|| value(node, format!("{key} holds {from}, which is no number")))?;
    if depth < to.shape.len() {
        return Err(value(node, format!("{key} has numbers and lists side by side")));
    }
    to.values.push(number);
    Ok(())
}
