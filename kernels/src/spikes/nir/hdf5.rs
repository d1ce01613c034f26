//! NIR as the Python package writes it: HDF5, with a group for each node and a dataset for each of its keys.
//!
//! A file is not believed: no dataset is read before its size is known to be one that so small a file can hold.

use super::{DEPTH, EDGES, Graph, NODES, NirError, Node, Tensor, at_most};
use crate::spikes::program::SYNAPSES;
use hdf5_pure::{DType, Dataset, Error, File, Group, VlenStringReadOptions};

/// How many bytes one byte of deflate can stand for, rounded up (RFC 1951: 258 bytes in two bits).
const RATIO: u64 = 1_032;
/// Longest name of a node, or of a type, in bytes.
const NAME: usize = 1_024;

impl Graph {
    /// Reads a file, whole.
    ///
    /// # Errors
    /// [`NirError::File`] with the group or dataset that is wrong.
    pub fn from_hdf5(bytes: Vec<u8>) -> Result<Graph, NirError> {
        let room = (bytes.len() as u64).saturating_mul(RATIO);
        let file = File::from_bytes(bytes).map_err(|error| wrong("file", &error))?;
        let root = file.group("node").map_err(|error| wrong("node", &error))?;
        let mut reader = Reader { room, nodes: 0, edges: 0 };
        let node = reader.node("node", &root, 0)?;
        let not =
            || NirError::File { node: "node".to_owned(), text: format!("its type is {:?}, not NIRGraph", node.kind) };
        node.graph.ok_or_else(not)
    }
}

fn wrong(node: &str, error: &Error) -> NirError {
    NirError::File { node: node.to_owned(), text: format!("it can't be read: {error}") }
}

/// What a file may still hold.
struct Reader {
    /// Bytes of values.
    room: u64,
    nodes: usize,
    edges: usize,
}

impl Reader {
    fn node(&mut self, name: &str, group: &Group, depth: usize) -> Result<Node, NirError> {
        let broken = |error: Error| wrong(name, &error);
        self.nodes += 1;
        at_most(name, "nodes up to here", self.nodes as u64, NODES as u64)?;
        at_most(name, "graphs around it", depth as u64, DEPTH as u64)?;
        let kind = group.dataset("type").map_err(broken)?;
        let kind = self.strings(&format!("{name}/type"), &kind, 1)?.pop().unwrap_or_default();
        let mut made = Node { kind, ..Node::default() };
        if made.kind == "NIRGraph" {
            made.graph = Some(self.graph(name, group, depth)?);
            return Ok(made);
        }
        for key in group.datasets().map_err(broken)? {
            // What somebody wrote about the node (metadata) is in a group, and says nothing about the network.
            if key != "type" {
                let dataset = group.dataset(&key).map_err(broken)?;
                let tensor = self.tensor(&format!("{name}/{key}"), &dataset)?;
                made.values.insert(key, tensor);
            }
        }
        Ok(made)
    }

    fn graph(&mut self, name: &str, group: &Group, depth: usize) -> Result<Graph, NirError> {
        let broken = |error: Error| wrong(name, &error);
        let nodes = group.group("nodes").map_err(broken)?;
        let mut made = Graph::default();
        for id in nodes.groups().map_err(broken)? {
            let inner = nodes.group(&id).map_err(broken)?;
            let node = self.node(&id, &inner, depth + 1)?;
            made.nodes.insert(id, node);
        }
        let edges = group.dataset("edges").map_err(broken)?;
        let of = format!("{name}/edges");
        let count = self.elements(&of, &edges)?;
        if count > 0 {
            self.edges += count / 2;
            at_most(&of, "edges up to here", self.edges as u64, EDGES as u64)?;
            let mut names = self.strings(&of, &edges, 2 * EDGES)?.into_iter();
            while let (Some(from), Some(to)) = (names.next(), names.next()) {
                made.edges.push((from, to));
            }
        }
        Ok(made)
    }

    /// How many values a dataset has: no more than the file can hold.
    fn elements(&self, name: &str, dataset: &Dataset) -> Result<usize, NirError> {
        let broken = |error: Error| wrong(name, &error);
        let shape = dataset.shape().map_err(broken)?;
        let count = shape.iter().try_fold(1_u64, |all, &one| all.checked_mul(one)).unwrap_or(u64::MAX);
        at_most(name, "values", count, SYNAPSES as u64)?;
        let bytes = count.saturating_mul(dataset.element_size().map_err(broken)?);
        at_most(name, "bytes of values, in a file of this size,", bytes, self.room)?;
        // Values that nothing was written for are zeros of no file's bytes.
        Ok(count as usize)
    }

    fn tensor(&mut self, name: &str, dataset: &Dataset) -> Result<Tensor, NirError> {
        let broken = |error: Error| wrong(name, &error);
        let count = self.elements(name, dataset)?;
        let numbers = matches!(
            dataset.dtype().map_err(broken)?,
            DType::F32
                | DType::F64
                | DType::I8
                | DType::I16
                | DType::I32
                | DType::I64
                | DType::U8
                | DType::U16
                | DType::U32
                | DType::U64
        );
        if !numbers {
            return Err(NirError::File { node: name.to_owned(), text: "it does not hold numbers".to_owned() });
        }
        let values = if count == 0 { Vec::new() } else { dataset.read_f64().map_err(broken)? };
        self.room = self.room.saturating_sub(values.len() as u64);
        let shape = dataset.shape().map_err(broken)?.into_iter().map(|one| one as usize).collect();
        if values.len() == count {
            return Ok(Tensor { shape, values });
        }
        Err(NirError::File { node: name.to_owned(), text: format!("it holds {} values of {count}", values.len()) })
    }

    fn strings(&self, name: &str, dataset: &Dataset, most: usize) -> Result<Vec<String>, NirError> {
        let broken = |error: Error| wrong(name, &error);
        let count = self.elements(name, dataset)?;
        at_most(name, "strings", count as u64, most as u64)?;
        match dataset.dtype().map_err(broken)? {
            DType::VariableLengthString => {
                let bytes = self.room.min((count * NAME) as u64) as usize;
                let options = VlenStringReadOptions::new().with_max_elements(count).with_max_payload_bytes(bytes);
                dataset.read_vlen_strings(options).map_err(broken)
            }
            DType::String => dataset.read_string().map_err(broken),
            _ => Err(NirError::File { node: name.to_owned(), text: "it does not hold strings".to_owned() }),
        }
    }
}
