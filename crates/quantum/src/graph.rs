//! Graphs as text: the format of the G-set.
//!
//! The first line has the number of nodes and of edges, each other one an edge: two nodes, counted from 1, and a weight, which may be
//! left out if it is 1. Empty lines are skipped.

use crate::error::{Error, MOST_QUBITS};

/// Nodes, counted from 0, and weighted edges.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// How many nodes it has.
    pub nodes: usize,
    /// Two different nodes, and the weight.
    pub edges: Vec<(usize, usize, f64)>,
}

impl Graph {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// A line that is none of these; more nodes than qubits are simulated; another number of edges than the first line says.
    pub fn parse(text: &str) -> Result<Graph, Error> {
        let lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim()));
        let mut lines = lines.filter(|(_, line)| !line.is_empty());
        let (first, head) = lines.next().unwrap_or((1, ""));
        let head: Vec<Option<usize>> = head.split_whitespace().map(|word| word.parse().ok()).collect();
        let &[Some(nodes), Some(count)] = &head[..] else {
            return Err(Error::Line {
                line: first,
                why: "must be the number of nodes and the number of edges, as in 4 5",
            });
        };
        match nodes {
            0 => return Err(Error::NoQubits { what: "a graph without nodes" }),
            1..=MOST_QUBITS => {}
            asked => return Err(Error::TooManyQubits { asked }),
        }
        let mut graph = Graph { nodes, edges: Vec::new() };
        for (line, text) in lines {
            graph.edges.push(graph.edge(line, text)?);
        }
        crate::error::sized(graph.edges.len(), count, "the list of edges, which the first line counts,")?;
        Ok(graph)
    }

    fn edge(&self, line: usize, text: &str) -> Result<(usize, usize, f64), Error> {
        let wrong = |why| Error::Line { line, why };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (ends, weight) = match words[..] {
            [i, j] => ([i, j], "1"),
            [i, j, weight] => ([i, j], weight),
            _ => return Err(wrong("must be an edge: two nodes, and a weight if it is not 1")),
        };
        let node = |word: &str| {
            let number = word.parse().ok().filter(|node| (1..=self.nodes).contains(node));
            number.map(|node: usize| node - 1).ok_or(wrong("names a node that is not there: they are counted from 1"))
        };
        let (i, j) = (node(ends[0])?, node(ends[1])?);
        let weight = weight.parse::<f64>().ok().filter(|weight| weight.is_finite());
        let weight = weight.ok_or(wrong("has a weight that is no finite number"))?;
        if i == j { Err(wrong("joins a node with itself")) } else { Ok((i, j, weight)) }
    }
}
