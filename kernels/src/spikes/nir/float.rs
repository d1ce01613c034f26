//! The network in steps, in floating point: what the integers are measured against.

use super::flat::Cells;
use super::fold::{Folded, Source, one_of};
use super::{Discretisation, Imported, NirError, Options, ResetMode, value};
use crate::spikes::device::{Device, Spike, Variable};
use crate::spikes::program::{DELAY, Program, Rules};
use crate::spikes::twin::Software;

/// A network in steps.
#[derive(Clone, Debug)]
pub(super) struct Float {
    pub(super) inputs: Vec<(String, usize)>,
    pub(super) groups: Vec<Group>,
    /// Events have values.
    pub(super) graded: bool,
}

/// Neurons, with the constants of a step.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) n: usize,
    /// What of current and voltage is kept in a step, of each neuron.
    pub(super) keep_u: Vec<f64>,
    pub(super) keep_v: Vec<f64>,
    /// What is added to the voltage in every step.
    pub(super) leak: Vec<f64>,
    /// What every sum begins with.
    pub(super) bias: Vec<f64>,
    /// Empty: they do not fire.
    pub(super) threshold: Vec<f64>,
    pub(super) reset: Reset,
    /// Cleared ahead of every step.
    pub(super) stateless: bool,
    pub(super) paths: Vec<Path>,
    /// Units of the voltage of the integer network that are 1 here; set when that is made.
    pub(super) scale: f64,
}

/// What a spike does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reset {
    /// The voltage becomes this, of each neuron.
    To(Vec<f64>),
    /// The voltage becomes this in the step after the spike, whatever comes in.
    ToLater(Vec<f64>),
    /// The voltage loses the threshold.
    Subtract,
    /// It does so in the step after the spike, behind decay and input.
    SubtractLater,
}

/// Synapses.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) source: Source,
    /// `weight[target * columns + source]`, with all factors of the neurons in it.
    pub(super) weight: Vec<f64>,
    pub(super) columns: usize,
    /// Steps of each synapse, in the order of the weights; empty: none.
    pub(super) delays: Vec<u8>,
}

impl Float {
    pub(super) fn of(folded: Folded, options: &Options) -> Result<Float, NirError> {
        let inputs = folded.inputs;
        let sizes: Vec<usize> = folded.groups.iter().map(|group| group.n).collect();
        let mut groups = Vec::with_capacity(sizes.len());
        for group in folded.groups {
            let mut made = constants(&group.name, group.n, &group.cells, options)?;
            let gain = gains(&group.name, group.n, &group.cells, options)?;
            made.bias = group.bias.iter().zip(&gain).map(|(bias, gain)| bias * gain).collect();
            for path in group.paths {
                let columns = match path.source {
                    Source::Input(at) => inputs[at].1,
                    Source::Group(at) => sizes[at],
                };
                let mut weight = path.weight;
                weight.iter_mut().enumerate().for_each(|(at, one)| *one *= gain[at / columns]);
                let delays = delays(&group.name, &path.delay, options.dt)?;
                made.paths.push(Path { source: path.source, weight, columns, delays });
            }
            groups.push(made);
        }
        Ok(Float { inputs, groups, graded: options.message_bits > 0 })
    }
}

impl Float {
    /// For how many steps there are events, if there are events for each input.
    fn steps(&self, rows: &[Vec<Vec<i32>>]) -> Result<usize, NirError> {
        for (at, (name, n)) in self.inputs.iter().enumerate() {
            let given = rows.get(at).ok_or_else(|| value(name, "there are no events for this input"))?;
            if let Some((step, row)) = given.iter().enumerate().find(|(_, row)| row.len() != *n) {
                let text = format!("step {step} has {} values; the input has {n} units", row.len());
                return Err(value(name, text));
            }
        }
        Ok(rows.iter().map(Vec::len).min().unwrap_or_default())
    }

    /// What each unit of each input is worth in a step.
    fn now(&self, rows: &[Vec<Vec<i32>>], step: usize) -> Vec<Vec<f64>> {
        let worth = |&value: &i32| if self.graded { f64::from(value) } else { f64::from(u8::from(value != 0)) };
        rows.iter().map(|input| input.get(step).into_iter().flatten().map(worth).collect()).collect()
    }
}

/// What is kept of something in a step of `dt`, and what it takes of what comes in.
fn kept(name: &str, key: &str, tau: f64, options: &Options) -> Result<(f64, f64), NirError> {
    let steps = tau / options.dt;
    let keep = match options.discretisation {
        Discretisation::Euler => 1.0 - 1.0 / steps,
        Discretisation::Exponential => (-1.0 / steps).exp(),
    };
    // A file's numbers are often of 32 bits: a time constant of one step may come out a little shorter.
    let keep = if keep < 0.0 && keep > -1e-6 { 0.0 } else { keep };
    if keep < 0.0 {
        let text = format!(
            "{key} is {tau} s, which is less than a step of {} s; take a smaller dt, or the exponential discretisation",
            options.dt
        );
        return Err(value(name, text));
    }
    if keep > 1.0 - 1.0 / 8_192.0 {
        let text = format!(
            "{key} is {tau} s, which is {steps:.0} steps; a decay has 12 bits, so that 8,192 steps is the longest: take a larger dt"
        );
        return Err(value(name, text));
    }
    Ok((keep, 1.0 - keep))
}

/// All but bias and paths.
fn constants(name: &str, n: usize, cells: &Cells, options: &Options) -> Result<Group, NirError> {
    let each = |all: &[f64]| (0..n).map(|unit| one_of(all, unit)).collect::<Vec<f64>>();
    let keeps = |key: &str, all: &[f64], without: f64| -> Result<Vec<f64>, NirError> {
        if all.is_empty() {
            return Ok(vec![without; n]);
        }
        each(all).into_iter().map(|tau| Ok(kept(name, key, tau, options)?.0)).collect()
    };
    let keep_v = keeps("tau", &cells.tau_mem, if cells.stateless { 0.0 } else { 1.0 })?;
    let keep_u = keeps("tau_syn", &cells.tau_syn, 0.0)?;
    let threshold = if cells.threshold.is_empty() { Vec::new() } else { each(&cells.threshold) };
    if let Some(wrong) = threshold.iter().find(|&&one| one < 0.0) {
        return Err(value(name, format!("its threshold holds {wrong}; it must be 0 or more")));
    }
    let leak = match cells.v_leak.as_slice() {
        [] => vec![0.0; n],
        all => each(all).iter().zip(&keep_v).map(|(leak, keep)| leak * (1.0 - keep)).collect(),
    };
    let to = match options.reset {
        ResetMode::File if !cells.v_reset.is_empty() => each(&cells.v_reset),
        _ => vec![0.0; n],
    };
    let reset = match (options.reset, options.reset_delay) {
        // Nothing is left of its voltage in any case.
        _ if cells.stateless || threshold.is_empty() => Reset::To(vec![0.0; n]),
        (ResetMode::Subtract, false) => Reset::Subtract,
        (ResetMode::Subtract, true) => Reset::SubtractLater,
        (_, false) => Reset::To(to),
        (_, true) => Reset::ToLater(to),
    };
    let (stateless, name) = (cells.stateless, name.to_owned());
    let (bias, paths) = (Vec::new(), Vec::new());
    Ok(Group { name, n, keep_u, keep_v, leak, bias, threshold, reset, stateless, paths, scale: 1.0 })
}

/// What a weight is multiplied with on its way into the voltage, of each neuron: `w_in`, `r`, and the parts of a step.
fn gains(name: &str, n: usize, cells: &Cells, options: &Options) -> Result<Vec<f64>, NirError> {
    let mut all = vec![1.0; n];
    if cells.stateless {
        return Ok(all);
    }
    for (unit, gain) in all.iter_mut().enumerate() {
        *gain *= one_of(&cells.r, unit);
        *gain *= match cells.tau_mem.as_slice() {
            // An integrator takes dt of what comes in.
            [] => options.dt,
            tau => kept(name, "tau", one_of(tau, unit), options)?.1,
        };
        if !cells.tau_syn.is_empty() {
            *gain *= kept(name, "tau_syn", one_of(&cells.tau_syn, unit), options)?.1 * one_of(&cells.w_in, unit);
        }
    }
    Ok(all)
}

fn delays(name: &str, (before, behind): &(Vec<f64>, Vec<f64>), dt: f64) -> Result<Vec<u8>, NirError> {
    if before.iter().chain(behind).all(|&one| one == 0.0) {
        return Ok(Vec::new());
    }
    let mut all = Vec::with_capacity(before.len() * behind.len());
    for behind in behind {
        for before in before {
            let steps = ((before + behind) / dt).round();
            if steps > DELAY as f64 {
                let text = format!(
                    "a delay of {} s on the way to it is {steps} steps; {DELAY} is the longest",
                    before + behind
                );
                return Err(value(name, text));
            }
            all.push(steps as u8);
        }
    }
    Ok(all)
}

/// Current and voltage of the neurons of a group, and who fired in the last steps.
struct State {
    u: Vec<f64>,
    v: Vec<f64>,
    fired: Vec<bool>,
}

/// Values of a source in the last steps: the newest first.
type Past = std::collections::VecDeque<Vec<f64>>;

impl Group {
    fn step(&self, state: &mut State, sums: &[f64]) {
        for unit in 0..self.n {
            if self.stateless {
                (state.u[unit], state.v[unit]) = (0.0, 0.0);
            }
            let u = state.u[unit] * self.keep_u[unit] + sums[unit];
            let mut v = state.v[unit] * self.keep_v[unit] + u + self.leak[unit];
            let fired = std::mem::replace(&mut state.fired[unit], false);
            match &self.reset {
                Reset::ToLater(to) if fired => v = to[unit],
                Reset::SubtractLater if fired => v -= self.threshold[unit],
                _ => {}
            }
            let held = fired && matches!(self.reset, Reset::ToLater(_));
            if !held && self.threshold.get(unit).is_some_and(|&threshold| v > threshold) {
                state.fired[unit] = true;
                match &self.reset {
                    Reset::To(to) => v = to[unit],
                    Reset::Subtract => v -= self.threshold[unit],
                    Reset::ToLater(_) | Reset::SubtractLater => {}
                }
            }
            (state.u[unit], state.v[unit]) = (u, v);
        }
    }
}

/// Who fired: `[step][neuron]`.
pub type Fired = Vec<Vec<bool>>;

/// How far the integers of a population are from the same steps in floating point.
#[derive(Clone, Debug, PartialEq)]
pub struct Distance {
    /// The population.
    pub population: String,
    /// Spikes in floating point.
    pub float_spikes: u64,
    /// Spikes of the integers.
    pub integer_spikes: u64,
    /// Spikes of both, of one neuron in one step.
    pub together: u64,
    /// The root of the mean square of the difference of voltages, over all neurons and steps in which neither fired: in thresholds, or, of
    /// neurons that do not fire, in their largest voltage.
    pub voltage: f64,
    /// The first step, from 0 on, in which the spikes are not the same; `None`: they are, in all.
    pub first: Option<usize>,
}

impl Imported {
    /// Runs both over the same events, `rows[input][step][unit]`, and says how far they are apart.
    ///
    /// # Errors
    /// [`NirError`]: rows of another shape than the inputs, or an event that the network does not take.
    pub fn compare(&self, rows: &[Vec<Vec<i32>>]) -> Result<Vec<Distance>, NirError> {
        let float = &self.float;
        let steps = float.steps(rows)?;
        let program = Program::check(&self.network, &Rules::default())?;
        let mut device = Software::best();
        device.load(&program)?;
        let mut walk = Walk::new(float);
        let mut seen: Vec<Seen> = float.groups.iter().map(|_| Seen::default()).collect();
        let (mut events, mut out) = (Vec::new(), vec![Spike::default(); program.neurons()]);
        for step in 0..steps {
            events.clear();
            for (node, input) in rows.iter().enumerate() {
                let fired = input[step].iter().enumerate().filter(|&(_, &value)| value != 0);
                events.extend(fired.map(|(unit, &value)| Spike { node: node as u16, unit: unit as u16, value }));
            }
            let fault = |fault: crate::spikes::device::Fault| value("events", format!("step {step}: {fault}"));
            let done = device.step(&events, &mut out).map_err(fault)?;
            walk.step(float, float.now(rows, step));
            for (at, (group, seen)) in float.groups.iter().zip(&mut seen).enumerate() {
                let mut voltages = vec![0; group.n];
                device.probe_all(Variable::Voltage, at, &mut voltages).map_err(fault)?;
                let mut fired = vec![false; group.n];
                for spike in out[..done.spikes].iter().filter(|spike| usize::from(spike.node) == at) {
                    fired[usize::from(spike.unit)] = true;
                }
                seen.take(step, group, &walk.states[at], &fired, &voltages);
            }
        }
        Ok(float.groups.iter().zip(seen).map(|(group, seen)| seen.distance(group)).collect())
    }

    /// The spikes in floating point over these events, of each population: `[step][neuron]`.
    ///
    /// # Errors
    /// [`NirError`]: rows of another shape than the inputs.
    pub fn in_floating_point(&self, rows: &[Vec<Vec<i32>>]) -> Result<Vec<(String, Fired)>, NirError> {
        let float = &self.float;
        let mut walk = Walk::new(float);
        let mut all: Vec<_> = float.groups.iter().map(|group| (group.name.clone(), Vec::new())).collect();
        for step in 0..float.steps(rows)? {
            walk.step(float, float.now(rows, step));
            all.iter_mut().zip(&walk.states).for_each(|((_, spikes), state)| spikes.push(state.fired.clone()));
        }
        Ok(all)
    }

    /// Names and units of the inputs.
    #[must_use]
    pub fn inputs(&self) -> &[(String, usize)] {
        &self.float.inputs
    }
}

/// A run in floating point.
struct Walk {
    states: Vec<State>,
    /// Of inputs and of groups.
    past: (Vec<Past>, Vec<Past>),
}

impl Walk {
    fn new(float: &Float) -> Self {
        let state = |group: &Group| State { u: vec![0.0; group.n], v: vec![0.0; group.n], fired: vec![false; group.n] };
        let past = |n: usize| -> Past { (0..DELAY as usize + 2).map(|_| vec![0.0; n]).collect() };
        let pasts = (
            float.inputs.iter().map(|(_, n)| past(*n)).collect(),
            float.groups.iter().map(|group| past(group.n)).collect(),
        );
        Walk { states: float.groups.iter().map(state).collect(), past: pasts }
    }

    fn step(&mut self, float: &Float, now: Vec<Vec<f64>>) {
        let push = |past: &mut Past, row: Vec<f64>| {
            past.pop_back();
            past.push_front(row);
        };
        self.past.0.iter_mut().zip(now).for_each(|(past, row)| push(past, row));
        for (at, group) in float.groups.iter().enumerate() {
            let mut sums = group.bias.clone();
            for path in &group.paths {
                // Its own spikes of this step, and those of groups behind it, are not there yet: an edge that leads back takes a step more.
                let past = match path.source {
                    Source::Input(from) => &self.past.0[from],
                    Source::Group(from) => &self.past.1[from],
                };
                for (target, sum) in sums.iter_mut().enumerate() {
                    let row = target * path.columns..(target + 1) * path.columns;
                    for (unit, synapse) in row.enumerate() {
                        let delay = path.delays.get(synapse).copied().map_or(0, usize::from);
                        *sum += path.weight[synapse] * past[delay][unit];
                    }
                }
            }
            group.step(&mut self.states[at], &sums);
            let fired = self.states[at].fired.iter().map(|&fired| f64::from(u8::from(fired))).collect();
            push(&mut self.past.1[at], fired);
        }
    }
}

/// What was seen of a population.
#[derive(Default)]
struct Seen {
    spikes: (u64, u64, u64),
    squares: f64,
    count: u64,
    largest: f64,
    first: Option<usize>,
}

impl Seen {
    fn take(&mut self, step: usize, group: &Group, state: &State, fired: &[bool], voltages: &[i32]) {
        for unit in 0..group.n {
            let (float, integer) = (state.fired[unit], fired[unit]);
            self.spikes.0 += u64::from(float);
            self.spikes.1 += u64::from(integer);
            self.spikes.2 += u64::from(float && integer);
            if float != integer && self.first.is_none() {
                self.first = Some(step);
            }
            self.largest = self.largest.max(state.v[unit].abs());
            if !float && !integer {
                let apart = state.v[unit] - f64::from(voltages[unit]) / group.scale;
                let unit = group.threshold.get(unit).copied().filter(|&one| one > 0.0).unwrap_or(1.0);
                self.squares += (apart / unit).powi(2);
                self.count += 1;
            }
        }
    }

    fn distance(self, group: &Group) -> Distance {
        let largest = if group.threshold.is_empty() && self.largest > 0.0 { self.largest } else { 1.0 };
        Distance {
            population: group.name.clone(),
            float_spikes: self.spikes.0,
            integer_spikes: self.spikes.1,
            together: self.spikes.2,
            voltage: (self.squares / self.count.max(1) as f64).sqrt() / largest,
            first: self.first,
        }
    }
}
