//! The keys of a file.

use super::{Golden, GoldenError, Traces, inputs_of, is_lavas, source_of};
use crate::spikes::learning::{Learning, Reward};
use crate::spikes::network::{Connection, Each, Kind, Network, Population, Reset, SignMode};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A whole file. Keys that it has beside these say nothing about the network.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    #[serde(default)]
    name: String,
    steps: Option<usize>,
    #[serde(default)]
    inputs: BTreeMap<String, Vec<Vec<i64>>>,
    populations: Vec<PopulationKeys>,
    #[serde(default)]
    connections: Vec<ConnectionKeys>,
    trace: Option<Traces>,
}

/// Values of an input: `[step][unit]`.
pub(super) type Rows = Vec<Vec<i32>>;

/// The steps and inputs of a file, whatever else is in it.
#[derive(Debug, Deserialize)]
pub(super) struct Inputs {
    steps: Option<usize>,
    inputs: BTreeMap<String, Vec<Vec<i64>>>,
}

/// One value, or one for each.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "an integer, or a list of integers")]
enum Values {
    One(i64),
    Each(Vec<i64>),
}

impl Values {
    fn list(self) -> Vec<i64> {
        match self {
            Values::One(value) => vec![value],
            Values::Each(all) => all,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PopulationKeys {
    id: String,
    n: usize,
    #[serde(default = "lif")]
    kind: String,
    du: Option<Values>,
    dv: Option<Values>,
    vth: Option<Values>,
    vth_hi: Option<Values>,
    vth_lo: Option<Values>,
    bias_mant: Option<Values>,
    bias_exp: Option<Values>,
    u0: Option<Values>,
    v0: Option<Values>,
    reset_interval: Option<i64>,
    reset_offset: Option<i64>,
    reset: Option<ResetKeys>,
    refractory: Option<i64>,
    sum_bias: Option<Values>,
    #[serde(rename = "note")]
    _note: Option<String>,
}

fn lif() -> String {
    "LIF".to_owned()
}

/// `"zero"`, `"subtract"`, the voltage that a spike leaves, or what it takes off, of all neurons or of each.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "\"zero\", \"subtract\", {\"subtract\": an integer or a list}, an integer, or a list of integers"
)]
enum ResetKeys {
    To(Values),
    By { subtract: Values },
    Named(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionKeys {
    src: String,
    dst: String,
    weights: Vec<Vec<i64>>,
    weight_exp: Option<i64>,
    num_weight_bits: Option<i64>,
    num_message_bits: Option<i64>,
    sign_mode: Option<SignKeys>,
    delays: Option<Delays>,
    learning: Option<LearningKeys>,
    at_once: Option<bool>,
    /// What Lava made of the weights: for people, and computed again here.
    #[serde(rename = "eff_weights")]
    _effective: Option<serde::de::IgnoredAny>,
    #[serde(rename = "note")]
    _note: Option<String>,
}

/// As [`Learning`]; what is not said is as its default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LearningKeys {
    pre_decay: Option<i64>,
    post_decay: Option<i64>,
    impulse: Option<i64>,
    nearest: Option<bool>,
    a_plus: Option<i64>,
    a_minus: Option<i64>,
    a_fire: Option<i64>,
    low: Option<i64>,
    high: Option<i64>,
    seed: Option<i64>,
    reward: Option<RewardKeys>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RewardKeys {
    input: String,
    decay: i64,
    every: i64,
    shift: i64,
}

/// Lava's number, or its name.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a sign mode: its name or number in Lava")]
enum SignKeys {
    Number(i64),
    Name(String),
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "an integer, or rows of integers")]
enum Delays {
    All(i64),
    Each(Vec<Vec<i64>>),
}

fn wrong(node: &str, text: impl Into<String>) -> GoldenError {
    GoldenError::Value { node: node.to_owned(), text: text.into() }
}

impl Document {
    pub(super) fn into_golden(self, whole: serde_json::Map<String, serde_json::Value>) -> Result<Golden, GoldenError> {
        let mut network = Network::new(&self.name);
        for (id, rows) in &self.inputs {
            let units = rows.first().map(Vec::len).or_else(|| self.units(id));
            network.input(id, units.unwrap_or_default());
        }
        let is_population = |id: &str| self.populations.iter().any(|one| one.id == id);
        for one in &self.connections {
            let known = network.inputs.iter().any(|input| input.id == one.src) || is_population(&one.src);
            if !known && self.inputs.is_empty() {
                // A network without inputs of its own: they come from another file.
                let units = self.units(&one.src).unwrap_or_default();
                network.input(&one.src, units);
            }
            let reward = one.learning.as_ref().and_then(|keys| Some(&keys.reward.as_ref()?.input));
            if let Some(id) = reward.filter(|_| self.inputs.is_empty())
                && network.inputs.iter().all(|input| input.id != **id)
            {
                network.input(id, 1);
            }
        }
        for keys in self.populations {
            let population = keys.population()?;
            network.population(population);
        }
        for keys in self.connections {
            keys.connect(&mut network, is_lavas(&whole))?;
        }
        let given = Inputs { steps: self.steps, inputs: self.inputs };
        let (steps, inputs) =
            if given.inputs.is_empty() { (given.steps.unwrap_or_default(), Vec::new()) } else { given.of(&network)? };
        Ok(Golden { whole, network, steps, inputs, trace: self.trace })
    }

    /// How many units a source has by the weights of its first connection.
    fn units(&self, id: &str) -> Option<usize> {
        self.connections.iter().find(|one| one.src == id)?.weights.first().map(Vec::len)
    }
}

impl Inputs {
    pub(super) fn parse(text: &str) -> Result<Self, GoldenError> {
        Ok(serde_json::from_str(text)?)
    }

    /// The steps, and the values of each input of `network`.
    pub(super) fn of(self, network: &Network) -> Result<(usize, Vec<Rows>), GoldenError> {
        if let Some(id) = self.inputs.keys().find(|id| inputs_of(network).all(|(_, known, _)| known != *id)) {
            return Err(wrong(id, "there are values for this input, which the network does not have"));
        }
        let longest = self.inputs.values().map(Vec::len).max().unwrap_or_default();
        let steps = self.steps.unwrap_or(longest);
        let mut all = Vec::with_capacity(network.inputs.len());
        for (_, id, units) in inputs_of(network) {
            let rows = self.inputs.get(id).ok_or_else(|| wrong(id, "there are no values for this input"))?;
            if rows.len() < steps {
                return Err(wrong(id, format!("{} steps have values; steps is {steps}", rows.len())));
            }
            let mut values = Vec::with_capacity(steps);
            for (step, row) in rows.iter().take(steps).enumerate() {
                if row.len() != units {
                    let text = format!("step {step} has {} values; the input has {units} units", row.len());
                    return Err(wrong(id, text));
                }
                let narrow = row.iter().map(|&value| i32::try_from(value)).collect::<Result<Vec<i32>, _>>();
                values.push(narrow.map_err(|_| wrong(id, format!("step {step} has a value of more than 32 bits")))?);
            }
            all.push(values);
        }
        Ok((steps, all))
    }
}

impl PopulationKeys {
    fn population(self) -> Result<Population, GoldenError> {
        let id = self.id.clone();
        let one = |key: &str, values: Option<Values>, default: i64| match values.map(Values::list).as_deref() {
            None => Ok(default),
            Some([first, rest @ ..]) if rest.iter().all(|value| value == first) => Ok(*first),
            Some(_) => Err(wrong(&id, format!("{key} must be one value for the whole population"))),
        };
        let list = |values: Option<Values>| values.map(Values::list).unwrap_or_default();
        let stray = |key: &str, there: bool| {
            if there { Err(wrong(&id, format!("{} has no {key}", self.kind))) } else { Ok(()) }
        };
        let reset_keys = self.reset_interval.is_some() || self.reset_offset.is_some();
        let kind = match self.kind.as_str() {
            "LIF" => {
                stray("reset_interval or reset_offset", reset_keys)?;
                Kind::Lif
            }
            "LIFReset" => {
                Kind::LifReset { interval: self.reset_interval.unwrap_or(1), offset: self.reset_offset.unwrap_or(0) }
            }
            "TernaryLIF" => {
                stray("reset_interval or reset_offset", reset_keys)?;
                stray("vth, but vth_hi and vth_lo", self.vth.is_some())?;
                Kind::TernaryLif {
                    vth_hi: one("vth_hi", self.vth_hi.clone(), 10)?,
                    vth_lo: one("vth_lo", self.vth_lo.clone(), -10)?,
                }
            }
            other => {
                return Err(wrong(&id, format!("there is no kind {other:?}; LIF, LIFReset and TernaryLIF are known")));
            }
        };
        if !matches!(kind, Kind::TernaryLif { .. }) {
            stray("vth_hi or vth_lo", self.vth_hi.is_some() || self.vth_lo.is_some())?;
        }
        let (reset, resets) = self.reset.map_or(Ok((Reset::Zero, Vec::new())), |keys| keys.reset(&id))?;
        let ((du, du_each), (dv, dv_each), (vth, vth_each)) = (each(self.du, 0), each(self.dv, 0), each(self.vth, 10));
        Ok(Population {
            n: self.n,
            kind,
            du,
            dv,
            vth,
            bias_mant: list(self.bias_mant),
            bias_exp: list(self.bias_exp),
            u0: list(self.u0),
            v0: list(self.v0),
            reset,
            refractory: self.refractory.unwrap_or(0),
            sum_bias: list(self.sum_bias),
            each: Each { du: du_each, dv: dv_each, vth: vth_each, reset: resets },
            id: self.id,
        })
    }
}

/// Of a list, the values are each neuron's, unless all are one.
fn each(values: Option<Values>, default: i64) -> (i64, Vec<i64>) {
    match values.map(Values::list) {
        Some(all) if all.is_empty() => (default, all),
        Some(all) if all.iter().all(|value| Some(value) == all.first()) => (all[0], Vec::new()),
        Some(all) => (default, all),
        None => (default, Vec::new()),
    }
}

impl ResetKeys {
    /// What a spike leaves, and the values of each neuron.
    fn reset(self, id: &str) -> Result<(Reset, Vec<i64>), GoldenError> {
        let (values, of): (Values, fn(i64) -> Reset) = match self {
            ResetKeys::To(values) => (values, Reset::To),
            ResetKeys::By { subtract } => (subtract, Reset::By),
            ResetKeys::Named(name) => match name.as_str() {
                "zero" => return Ok((Reset::Zero, Vec::new())),
                "subtract" => return Ok((Reset::Subtract, Vec::new())),
                _ => {
                    let text = format!("reset is {name:?}; it must be \"zero\", \"subtract\" or a voltage");
                    return Err(wrong(id, text));
                }
            },
        };
        let (value, all) = each(Some(values), 0);
        Ok((of(value), all))
    }
}

impl ConnectionKeys {
    /// `lavas`: in a file of Lava's, where every connection is a `Dense`.
    fn connect(self, network: &mut Network, lavas: bool) -> Result<(), GoldenError> {
        let id = format!("{}->{}", self.src, self.dst);
        let at_once = self.at_once.unwrap_or(false);
        if at_once && lavas {
            let text =
                "it can't act at once: in the format lava-golden-1 a connection takes a step; leave the key format out";
            return Err(wrong(&id, text));
        }
        let lost = |name: &str| wrong(&id, format!("there is no node {name:?}"));
        let source = source_of(network, &self.src).ok_or_else(|| lost(&self.src))?;
        let target = network.populations.iter().position(|one| one.id == self.dst).ok_or_else(|| lost(&self.dst))?;
        let sign_mode = match self.sign_mode {
            None => None,
            Some(SignKeys::Number(0)) => Some(SignMode::Null),
            Some(SignKeys::Number(1)) => Some(SignMode::Mixed),
            Some(SignKeys::Number(2)) => Some(SignMode::Excitatory),
            Some(SignKeys::Number(3)) => Some(SignMode::Inhibitory),
            Some(SignKeys::Number(other)) => return Err(wrong(&id, format!("there is no sign mode {other}"))),
            Some(SignKeys::Name(name)) => match name.trim_start_matches("SignMode.").to_ascii_uppercase().as_str() {
                "NULL" => Some(SignMode::Null),
                "MIXED" => Some(SignMode::Mixed),
                "EXCITATORY" => Some(SignMode::Excitatory),
                "INHIBITORY" => Some(SignMode::Inhibitory),
                _ => return Err(wrong(&id, format!("there is no sign mode {name:?}"))),
            },
        };
        let delays = self.delays.map(|delays| match delays {
            Delays::Each(rows) => rows,
            Delays::All(delay) => self.weights.iter().map(|row| vec![delay; row.len()]).collect(),
        });
        let learning = self.learning.map(|keys| keys.learning(&id, network)).transpose()?;
        let defaults = Connection::of(source, target, self.weights);
        network.connections.push(Connection {
            weight_exp: self.weight_exp.unwrap_or(0),
            num_weight_bits: self.num_weight_bits.unwrap_or(8),
            num_message_bits: self.num_message_bits.unwrap_or(0),
            sign_mode,
            delays,
            learning,
            at_once,
            ..defaults
        });
        Ok(())
    }
}

impl LearningKeys {
    fn learning(self, id: &str, network: &Network) -> Result<Learning, GoldenError> {
        let defaults = Learning::default();
        let reward = match self.reward {
            None => None,
            Some(keys) => {
                let lost = || wrong(id, format!("there is no input {:?} for its reward", keys.input));
                let input = network.inputs.iter().position(|input| input.id == keys.input).ok_or_else(lost)?;
                Some(Reward { input, decay: keys.decay, every: keys.every, shift: keys.shift })
            }
        };
        Ok(Learning {
            pre_decay: self.pre_decay.unwrap_or(defaults.pre_decay),
            post_decay: self.post_decay.unwrap_or(defaults.post_decay),
            impulse: self.impulse.unwrap_or(defaults.impulse),
            nearest: self.nearest.unwrap_or(defaults.nearest),
            a_plus: self.a_plus.unwrap_or(defaults.a_plus),
            a_minus: self.a_minus.unwrap_or(defaults.a_minus),
            a_fire: self.a_fire.unwrap_or(defaults.a_fire),
            low: self.low.unwrap_or(defaults.low),
            high: self.high.unwrap_or(defaults.high),
            seed: self.seed.unwrap_or(defaults.seed),
            reward,
        })
    }
}
