//! A checked network: whatever has become a [`Program`] runs without an error of its own.

mod bound;
mod cells;
mod learns;
mod weights;

use super::learning::Learning;
use super::network::{Connection, Network, Reset, Source};
use thiserror::Error;

pub use bound::Bound;

/// The largest current and voltage, in size: 24 bits with sign.
pub const STATE: i32 = 1 << 23;
/// Most inputs, and most populations.
pub const NODES: usize = 1_024;
/// Most units of an input, or neurons of a population.
pub const UNITS: usize = 65_536;
/// Most synapses of a program.
pub const SYNAPSES: usize = 1 << 26;
/// The longest delay, in steps.
pub const DELAY: i64 = 63;

/// When a spike arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// All layers in one step: a spike acts in the step in which it was fired, and one over a delay of d acts d steps later.
    /// A connection leads back if its target is its source, or comes earlier in the list of populations: it takes one step more.
    #[default]
    Cascade,
    /// One step a connection, as in Lava: a spike acts one step after the step in which it was fired; over a delay of d, d + 1 steps.
    Lava,
}

/// What happens where a current leaves its 24 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// It can't: a network in which it might is refused.
    #[default]
    Forbidden,
    /// It comes back from the other side as Lava's does: once, and to +2^23 rather than -2^23. Sums are of 32 bits, and wrap.
    Wrap,
}

/// How a network is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// When a spike arrives.
    pub schedule: Schedule,
    /// What happens where a current leaves its 24 bits.
    pub overflow: Overflow,
}

impl Rules {
    /// As Lava's fixed-point models run a network.
    pub const LAVA: Rules = Rules { schedule: Schedule::Lava, overflow: Overflow::Wrap };
}

/// Why a network is no program, or a program not one for this device.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// A number out of its range.
    #[error("{node}: {key} is {value}; it must be {low} to {high}")]
    Range {
        /// The input, population or connection.
        node: String,
        /// What of it.
        key: String,
        /// What it is.
        value: i64,
        /// The least that it may be.
        low: i64,
        /// The most.
        high: i64,
    },
    /// A list or matrix of another size than its populations.
    #[error("{node}: {key} has {found} {of}; it must have {expected}")]
    Shape {
        /// The population or connection.
        node: String,
        /// What of it.
        key: String,
        /// Rows, columns or values.
        of: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// Two nodes have one name, or a name is empty.
    #[error("{0:?} names more than one input or population, or none; each must have a name of its own")]
    Name(String),
    /// A connection from or to a node that is not there.
    #[error("{node}: there is no {what} number {index}")]
    Missing {
        /// The connection.
        node: String,
        /// Input or population.
        what: &'static str,
        /// Its number.
        index: usize,
    },
    /// A connection that acts at once, from a population that has its turn later than its target.
    #[error("{node}: it can't act at once: its source must stand ahead of its target in the list of populations")]
    Order {
        /// The connection.
        node: String,
    },
    /// A current might leave its 24 bits.
    #[error(
        "{node}: its current could overflow: the inputs of neuron {unit} can sum to {sum} in a step, and with du = {du} they must \
         stay below {limit}; use smaller weights, a smaller weight_exp or a larger du, or ask for Lava's wrap"
    )]
    Overflow {
        /// The population.
        node: String,
        /// The neuron with the largest sum.
        unit: usize,
        /// The largest that its weighted inputs can sum to.
        sum: i64,
        /// What the current loses.
        du: i32,
        /// 32 (du + 1).
        limit: i64,
    },
    /// A device has less of something than the program needs.
    #[error("{node}: {device} has {what} for {limit}; the program needs {needed}")]
    TooLarge {
        /// The node, or the program.
        node: String,
        /// The device.
        device: String,
        /// Of what there is too little.
        what: &'static str,
        /// What it has.
        limit: u64,
        /// What is needed.
        needed: u64,
    },
    /// A device cannot do what the program asks for.
    #[error("{node}: {device} can't do {what}")]
    Unable {
        /// The node.
        node: String,
        /// The device.
        device: String,
        /// What.
        what: &'static str,
    },
}

/// A population, checked: numbers as the arithmetic takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells {
    /// Its name.
    pub id: String,
    /// How many neurons.
    pub n: usize,
    /// What of the current is kept in a step, in 1/4096: 4096 - (du + 1).
    pub keep_u: i32,
    /// What of the voltage is kept: 4096 - dv.
    pub keep_v: i32,
    /// A spike is fired above this voltage.
    pub above: i32,
    /// A negative spike is fired below this voltage; `None`: never.
    pub below: Option<i32>,
    /// What each neuron's voltage gets in every step.
    pub bias: Vec<i32>,
    /// Currents at the start.
    pub u0: Vec<i32>,
    /// Voltages at the start.
    pub v0: Vec<i32>,
    /// What a spike leaves of the voltage.
    pub reset: Reset,
    /// Steps in which the voltage then stands still.
    pub refractory: u8,
    /// What every sum begins with, of each neuron; empty: nothing.
    pub sum_bias: Vec<i32>,
    /// Constants of each neuron, if not all have the same.
    pub own: Option<Own>,
    /// Cleared in steps, from 1 on, that leave the second when they are divided by the first.
    pub clear: Option<(u64, u64)>,
    /// Which connections lead to it, in order.
    pub incoming: Vec<usize>,
}

/// Constants of each neuron, in the place of those of the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// What of the current is kept in a step, in 1/4096.
    pub keep_u: Vec<i32>,
    /// What of the voltage is kept.
    pub keep_v: Vec<i32>,
    /// A spike is fired above this voltage.
    pub above: Vec<i32>,
    /// What a spike leaves of the voltage.
    pub reset: Vec<Reset>,
}

impl Cells {
    /// What of the current of this neuron is kept in a step, in 1/4096.
    #[must_use]
    pub fn keep_u_of(&self, unit: usize) -> i32 {
        self.own.as_ref().and_then(|own| own.keep_u.get(unit)).copied().unwrap_or(self.keep_u)
    }
}

/// A connection, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synapses {
    /// `source->target`.
    pub id: String,
    /// Where it begins.
    pub source: Source,
    /// The population that it leads to.
    pub target: usize,
    /// Units of the source.
    pub fan_in: usize,
    /// The weights that act, clipped and cut: `weights[target * fan_in + source]`.
    pub weights: Vec<i16>,
    /// The sum of a step is shifted left by this; right, where it is negative.
    pub exponent: i32,
    /// Weights are multiplied by the spike's value; if not, any value but 0 is a spike.
    pub graded: bool,
    /// The largest value, in size, that an event may have here where overflow is forbidden: 2^bits - 1; 1 if it is not graded.
    pub most_value: i32,
    /// Steps between a spike and its arrival beside the delay of a synapse: 0 or 1.
    pub lag: u8,
    /// How the weights change; those above are what they begin with.
    pub learning: Option<Learning>,
    /// Delays of the synapses, in the order of the weights, and the longest.
    pub delays: Option<(Vec<u8>, u8)>,
}

/// A network that has been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    name: String,
    rules: Rules,
    inputs: Vec<(String, usize)>,
    cells: Vec<Cells>,
    synapses: Vec<Synapses>,
    bounds: Vec<Bound>,
}

impl Program {
    /// Checks `network`, whole.
    ///
    /// # Errors
    /// [`Refused`]: the first node that breaks a limit, and which.
    pub fn check(network: &Network, rules: &Rules) -> Result<Program, Refused> {
        names(network)?;
        let inputs: Vec<(String, usize)> = network.inputs.iter().map(|one| (one.id.clone(), one.n)).collect();
        let mut cells = Vec::with_capacity(network.populations.len());
        for one in &network.populations {
            cells.push(cells::checked(one, rules.overflow)?);
        }
        let mut synapses = Vec::with_capacity(network.connections.len());
        let mut total = 0_usize;
        for (at, one) in network.connections.iter().enumerate() {
            let checked = connection(network, one, rules.schedule)?;
            total = total.saturating_add(checked.weights.len());
            range(&checked.id, "the program's synapses up to here", total as i64, 0, SYNAPSES as i64)?;
            cells[checked.target].incoming.push(at);
            synapses.push(checked);
        }
        let bounds: Vec<Bound> = cells.iter().map(|one| Bound::of(one, &synapses, &cells)).collect();
        if rules.overflow == Overflow::Forbidden {
            for one in &synapses {
                let sum = bound::unshifted(one, &cells);
                range(
                    &one.id,
                    "the largest sum of its weighted inputs, ahead of weight_exp,",
                    sum,
                    0,
                    i64::from(i32::MAX),
                )?;
            }
            for (one, bound) in cells.iter().zip(&bounds) {
                bound.check(one)?;
            }
        }
        Ok(Program { name: network.name.clone(), rules: *rules, inputs, cells, synapses, bounds })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it was read.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Inputs: name and units.
    #[must_use]
    pub fn inputs(&self) -> &[(String, usize)] {
        &self.inputs
    }

    /// Populations, in their order.
    #[must_use]
    pub fn cells(&self) -> &[Cells] {
        &self.cells
    }

    /// Connections, in their order.
    #[must_use]
    pub fn synapses(&self) -> &[Synapses] {
        &self.synapses
    }

    /// How large the sums of each population can become.
    #[must_use]
    pub fn bounds(&self) -> &[Bound] {
        &self.bounds
    }

    /// All neurons; also the most spikes of a step.
    #[must_use]
    pub fn neurons(&self) -> usize {
        self.cells.iter().map(|one| one.n).sum()
    }

    /// Units of a source.
    #[must_use]
    pub fn units(&self, source: Source) -> usize {
        match source {
            Source::Input(at) => self.inputs.get(at).map_or(0, |one| one.1),
            Source::Population(at) => self.cells.get(at).map_or(0, |one| one.n),
        }
    }

    /// The largest value, in size, that an event of this input may have. Where overflow is forbidden it is what the bounds were
    /// computed with; otherwise a graded event may have 24 bits, and one that is not, any value, for it only counts that it is there.
    #[must_use]
    pub fn most_value(&self, input: usize) -> i32 {
        let graded = self.synapses.iter().filter(|one| one.source == Source::Input(input) && one.graded);
        let values = graded.map(|one| match self.rules.overflow {
            Overflow::Forbidden => one.most_value,
            Overflow::Wrap => STATE,
        });
        let rewards = self.synapses.iter().filter_map(|one| one.learning.as_ref()?.reward);
        let rewards = rewards.filter(|reward| reward.input == input).map(|_| learns::REWARD);
        values.chain(rewards).min().unwrap_or(i32::MAX)
    }
}

fn range(node: &str, key: &str, value: i64, low: i64, high: i64) -> Result<i64, Refused> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err(Refused::Range { node: node.to_owned(), key: key.to_owned(), value, low, high })
}

fn names(network: &Network) -> Result<(), Refused> {
    range(&network.name, "number of inputs", network.inputs.len() as i64, 0, NODES as i64)?;
    range(&network.name, "number of populations", network.populations.len() as i64, 1, NODES as i64)?;
    range(&network.name, "number of connections", network.connections.len() as i64, 0, (NODES * NODES) as i64)?;
    let sizes = network.inputs.iter().map(|one| (&one.id, one.n));
    let mut seen = std::collections::BTreeSet::new();
    for (id, n) in sizes.chain(network.populations.iter().map(|one| (&one.id, one.n))) {
        if id.is_empty() || !seen.insert(id) {
            return Err(Refused::Name(id.clone()));
        }
        range(id, "n", n as i64, 1, UNITS as i64)?;
    }
    Ok(())
}

fn connection(network: &Network, one: &Connection, schedule: Schedule) -> Result<Synapses, Refused> {
    let id = network.connection_name(one);
    let missing = |what, index| Refused::Missing { node: id.clone(), what, index };
    let fan_in = match one.source {
        Source::Input(at) => network.inputs.get(at).ok_or_else(|| missing("input", at))?.n,
        Source::Population(at) => network.populations.get(at).ok_or_else(|| missing("population", at))?.n,
    };
    let target = network.populations.get(one.target).ok_or_else(|| missing("population", one.target))?;
    let back = !one.leads_forward();
    if one.at_once && back {
        return Err(Refused::Order { node: id });
    }
    let lag = u8::from(!one.at_once && (schedule == Schedule::Lava || back));
    let exponent = range(&id, "weight_exp", one.weight_exp, -31, 31)? as i32;
    range(&id, "num_message_bits", one.num_message_bits, 0, 24)?;
    let (rows, columns) = (target.n, fan_in);
    let written = matrix(&id, "weights", &one.weights, rows, columns)?;
    let weights = weights::effective(&id, &written, one)?;
    let delays = match &one.delays {
        None => None,
        Some(delays) => {
            let mut all = Vec::with_capacity(written.len());
            for (at, delay) in matrix(&id, "delays", delays, rows, columns)?.into_iter().enumerate() {
                if !(0..=DELAY).contains(&delay) {
                    range(&id, &format!("delays[{}][{}]", at / columns, at % columns), delay, 0, DELAY)?;
                }
                all.push(delay as u8);
            }
            let longest = all.iter().copied().max().unwrap_or_default();
            Some((all, longest))
        }
    };
    let learning = learns::checked(&id, network, one, &weights)?;
    let graded = one.num_message_bits > 0;
    let most_value = if graded { (1 << one.num_message_bits) - 1 } else { 1 };
    let (source, target) = (one.source, one.target);
    Ok(Synapses { id, source, target, fan_in, weights, exponent, graded, most_value, lag, learning, delays })
}

/// `rows` of `columns` each, one after another.
fn matrix(id: &str, key: &str, values: &[Vec<i64>], rows: usize, columns: usize) -> Result<Vec<i64>, Refused> {
    let shape = |of, key: String, found, expected| Refused::Shape { node: id.to_owned(), key, of, found, expected };
    if values.len() != rows {
        return Err(shape("rows", key.to_owned(), values.len(), rows));
    }
    if let Some((at, row)) = values.iter().enumerate().find(|(_, row)| row.len() != columns) {
        return Err(shape("columns", format!("{key}[{at}]"), row.len(), columns));
    }
    Ok(values.concat())
}
