//! A network as somebody writes it down: names and numbers, not yet checked.

use super::learning::Learning;

/// Inputs, populations of neurons, and the connections between them. Their order is part of the meaning: it says which
/// edges lead back ([`Schedule::Cascade`](super::Schedule::Cascade)).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// What errors and reports call it.
    pub name: String,
    /// Where events come in.
    pub inputs: Vec<Input>,
    /// Neurons.
    pub populations: Vec<Population>,
    /// Synapses.
    pub connections: Vec<Connection>,
}

/// A port through which events come in.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Its name.
    pub id: String,
    /// How many units it has.
    pub n: usize,
}

/// Neurons that share their constants.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Its name.
    pub id: String,
    /// How many neurons.
    pub n: usize,
    /// What kind they are.
    pub kind: Kind,
    /// What the current loses in a step, in 1/4096, less one: 0 to 4095.
    pub du: i64,
    /// What the voltage loses in a step, in 1/4096: 0 to 4095.
    pub dv: i64,
    /// Threshold of `Lif` and `LifReset`, in 64 units of the voltage: 0 to 131,071.
    pub vth: i64,
    /// Mantissa of the bias: -4096 to 4095, of each neuron, or one for all, or none.
    pub bias_mant: Vec<i64>,
    /// Exponent of the bias, to base 2: -15 to 7 (a negative one shifts right), likewise.
    pub bias_exp: Vec<i64>,
    /// Current at the start, likewise.
    pub u0: Vec<i64>,
    /// Voltage at the start, likewise.
    pub v0: Vec<i64>,
    /// What a spike leaves of the voltage. Lava knows [`Reset::Zero`] alone.
    pub reset: Reset,
    /// Steps after a spike in which the voltage stands still: 0 to 63. Lava's fixed-point models know 0 alone.
    pub refractory: i64,
    /// What the sum of a neuron's weighted inputs begins with in every step: 24 bits with sign, of each neuron, one for all, or none.
    /// Lava does not know it: its bias goes to the voltage.
    pub sum_bias: Vec<i64>,
    /// Constants that differ from neuron to neuron.
    pub each: Each,
}

/// Constants of each neuron, in the place of those of its population: of every neuron, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Each {
    /// In the place of `du`.
    pub du: Vec<i64>,
    /// In the place of `dv`.
    pub dv: Vec<i64>,
    /// In the place of `vth`; not of a `TernaryLif`.
    pub vth: Vec<i64>,
    /// In the place of the voltage of [`Reset::To`], or of [`Reset::By`].
    pub reset: Vec<i64>,
}

/// Kinds of neurons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Leaky integrate and fire, with a synaptic current.
    Lif,
    /// The same; current and voltage are cleared ahead of the update in each step, counted from 1, that leaves `offset` when
    /// it is divided by `interval`.
    LifReset {
        /// Steps: 1 or more.
        interval: i64,
        /// In which of them; counted round.
        offset: i64,
    },
    /// Spikes of 1 above `vth_hi`, and of -1 below `vth_lo`.
    TernaryLif {
        /// Upper threshold, in 64 units of the voltage: 24 bits with sign.
        vth_hi: i64,
        /// Lower threshold: at most `vth_hi`.
        vth_lo: i64,
    },
}

/// What a spike leaves of the voltage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reset {
    /// Nothing.
    #[default]
    Zero,
    /// This: at most the threshold, in units of the voltage.
    To(i64),
    /// What it had above the threshold (below, of a spike of -1).
    Subtract,
    /// What it had, less this: 0 to 2^23 - 1, in units of the voltage; not of a `TernaryLif`. A threshold that is subtracted a step
    /// later, when the voltage has decayed, is one divided by what that decay keeps.
    By(i64),
}

/// Where a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// At this input.
    Input(usize),
    /// At this population.
    Population(usize),
}

/// Synapses from all units of a source to all neurons of a population.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// Where it begins.
    pub source: Source,
    /// The population that it leads to.
    pub target: usize,
    /// A row for each neuron of the target, a column for each unit of the source. As somebody wrote them: what acts is
    /// clipped and cut to its bits.
    pub weights: Vec<Vec<i64>>,
    /// The weighted sum of a step is shifted left by so many bits; right, where it is negative: -31 to 31.
    pub weight_exp: i64,
    /// Bits of a weight: 0 to 8. Nine keep the lowest bit of mixed weights, too, as they are where Lava's are set while it runs.
    pub num_weight_bits: i64,
    /// What signs the weights may have; `None`: as they have.
    pub sign_mode: Option<SignMode>,
    /// 0: a spike is a spike, whatever its value. Above: the weight is multiplied by the value, which has so many bits (up to 24).
    pub num_message_bits: i64,
    /// Steps that each synapse takes, 0 to 63, in the shape of the weights; `None`: none.
    pub delays: Option<Vec<Vec<i64>>>,
    /// How its weights change while it runs; `None`: they do not.
    pub learning: Option<Learning>,
    /// It takes no step in any schedule, as where Lava connects two ports without a `Dense` between them. Its source must be an
    /// input, or stand ahead of its target in the list of populations.
    pub at_once: bool,
}

/// What signs weights have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignMode {
    /// Not said: cut as excitatory ones are.
    Null,
    /// Both: -256 to 255, of which the lowest bit is not kept.
    Mixed,
    /// 0 to 255.
    Excitatory,
    /// -255 to 0.
    Inhibitory,
}

impl Network {
    /// An empty one.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Network { name: name.to_owned(), ..Network::default() }
    }

    /// Adds an input of `n` units.
    pub fn input(&mut self, id: &str, n: usize) -> Source {
        self.inputs.push(Input { id: id.to_owned(), n });
        Source::Input(self.inputs.len() - 1)
    }

    /// Adds a population, and says which it is.
    pub fn population(&mut self, population: Population) -> usize {
        self.populations.push(population);
        self.populations.len() - 1
    }

    /// Connects `source` to the population `target` with `weights[target][source]`. What else there is to say of the
    /// connection can be said of what is returned.
    pub fn connect(&mut self, source: Source, target: usize, weights: Vec<Vec<i64>>) -> &mut Connection {
        self.connections.push(Connection::of(source, target, weights));
        let last = self.connections.len() - 1;
        &mut self.connections[last]
    }

    /// The name of a source.
    #[must_use]
    pub fn source_name(&self, source: Source) -> &str {
        match source {
            Source::Input(at) => self.inputs.get(at).map_or("?", |input| &input.id),
            Source::Population(at) => self.populations.get(at).map_or("?", |population| &population.id),
        }
    }

    /// The name of a connection: `source->target`.
    #[must_use]
    pub fn connection_name(&self, connection: &Connection) -> String {
        let source = self.source_name(connection.source);
        format!("{source}->{}", self.source_name(Source::Population(connection.target)))
    }
}

impl Population {
    /// `n` neurons with Lava's defaults: no decay but the one that is always there, and a threshold of 10.
    #[must_use]
    pub fn lif(id: &str, n: usize) -> Self {
        Population {
            id: id.to_owned(),
            n,
            kind: Kind::Lif,
            du: 0,
            dv: 0,
            vth: 10,
            bias_mant: Vec::new(),
            bias_exp: Vec::new(),
            u0: Vec::new(),
            v0: Vec::new(),
            reset: Reset::Zero,
            refractory: 0,
            sum_bias: Vec::new(),
            each: Each::default(),
        }
    }
}

impl Connection {
    /// With Lava's defaults: eight bits, no exponent, spikes without values, no delays.
    #[must_use]
    pub fn of(source: Source, target: usize, weights: Vec<Vec<i64>>) -> Self {
        Connection {
            source,
            target,
            weights,
            weight_exp: 0,
            num_weight_bits: 8,
            sign_mode: None,
            num_message_bits: 0,
            delays: None,
            learning: None,
            at_once: false,
        }
    }

    /// Does it begin at an input, or at a population that stands ahead of its target?
    #[must_use]
    pub fn leads_forward(&self) -> bool {
        !matches!(self.source, Source::Population(at) if at >= self.target)
    }
}

impl From<usize> for Source {
    /// The population of that number.
    fn from(population: usize) -> Self {
        Source::Population(population)
    }
}
