//! A program as the twin holds it: laid out for the vector units, with its state.

use super::block::{Block, blocks, get, ones, set, there};
use super::kernels::{Fired, Kernels, Population, Rows, Rule, Sum};
use super::late::Late;
use super::plastic::{Plastic, Seen, reward_of};
use super::scalar;
use super::small::Small;
use super::train::Train;
use crate::spikes::device::{Counters, Fault, Spike, Step, Variable};
use crate::spikes::network::Source;
use crate::spikes::program::{Cells, Overflow, Program, STATE, Synapses};

/// A program, loaded.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    inputs: usize,
    /// What fired in this step and in the one before, of inputs and then populations: [`Loaded::now`] says which is which.
    pub(super) trains: Vec<[Train; 2]>,
    pub(super) layers: Vec<Layer>,
    pub(super) now: usize,
    /// But overflows, which each layer counts.
    pub(super) counted: Counters,
    /// Which populations are read out, in order.
    read: Vec<usize>,
    /// The program once more, if it is small: then who fired stands here, and trains are not used.
    pub(super) small: Option<Small>,
}

/// A population.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) rule: Rule,
    /// A rule for each neuron, if not all have the same.
    own: Vec<Rule>,
    /// What sums begin with; empty: nothing.
    pub(super) sum_bias: Vec<Block<i32>>,
    clear: Option<(u64, u64)>,
    pub(super) bias: Vec<Block<i32>>,
    there: Vec<u64>,
    pub(super) n: usize,
    pub(super) wires: Vec<Wires>,
    /// Currents and voltages at the start.
    start: (Vec<Block<i32>>, Vec<Block<i32>>),
    pub(super) u: Vec<Block<i32>>,
    pub(super) v: Vec<Block<i32>>,
    pub(super) still: Vec<Block<u8>>,
    sums: Vec<Block<i32>>,
    /// How many currents have wrapped.
    pub(super) overflows: u64,
    /// Do weights change?
    learns: bool,
    up: Vec<u64>,
    down: Vec<u64>,
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Wires {
    /// Whose train it hears, and whether that of the step before.
    source: usize,
    lagging: bool,
    /// The connection's number, and the input of its reward.
    pub(super) number: usize,
    reward: Option<usize>,
    /// Low bits that no weight uses, and that are not kept.
    spare: i32,
    pub(super) exponent: i32,
    pub(super) kind: Weights,
    /// Of each unit of the source, how many weights are not zero; one for all where they are as many.
    fan_out: Vec<u32>,
}

#[derive(Clone, Debug)]
pub(super) enum Weights {
    Dense(Rows),
    Graded(Vec<Block<i16>>),
    Late(Late),
    /// Boxed, for it is large and few have it.
    Plastic(Box<Plastic>),
}

impl Loaded {
    pub(super) fn new(program: &Program, kernels: Kernels) -> Self {
        let inputs = program.inputs().len();
        let index = |source: Source| match source {
            Source::Input(at) => at,
            Source::Population(at) => inputs + at,
        };
        let mut trains: Vec<[Train; 2]> = Vec::with_capacity(inputs + program.cells().len());
        for (at, &(_, n)) in program.inputs().iter().enumerate() {
            let train = Train::of(n, program.most_value(at));
            trains.push([train.clone(), train]);
        }
        let wraps = program.rules().overflow == Overflow::Wrap;
        let mut layers = Vec::with_capacity(program.cells().len());
        for cells in program.cells() {
            let train = Train::of_population(cells.n, cells.below.is_some());
            trains.push([train.clone(), train]);
            let incoming = cells.incoming.iter().filter_map(|&at| Some((at, program.synapses().get(at)?)));
            let wires = incoming.map(|(at, one)| Wires::of((at, one), cells.n, index(one.source))).collect();
            layers.push(Layer::of(cells, wires, wraps));
        }
        let small = Small::of(program, kernels, &layers);
        let read = (0..layers.len()).collect();
        Loaded { inputs, trains, layers, now: 0, counted: Counters::default(), read, small }
    }

    /// One step. On a fault nothing has happened.
    pub(super) fn step(&mut self, kernels: Kernels, events: &[Spike]) -> Result<(), Fault> {
        if self.small.is_some() {
            return self.step_small(kernels, events);
        }
        let next = 1 - self.now;
        let arrived = self.take(kernels, events, next)?;
        self.now = next;
        let number = self.counted.steps + 1;
        let (mut operations, mut spikes) = (0, 0);
        for (at, layer) in self.layers.iter_mut().enumerate() {
            operations += layer.listen(kernels, number, &self.trains, next);
            layer.update(kernels);
            if let Some(trains) = self.trains.get_mut(self.inputs + at) {
                let down = if layer.rule.below.is_some() { layer.down.as_slice() } else { &[] };
                trains[next].collect(kernels, &layer.up, down);
                spikes += trains[next].len() as u64;
            }
            if layer.learns {
                layer.learn(number, &self.trains, self.inputs + at, next);
            }
        }
        self.count([arrived, operations, spikes]);
        Ok(())
    }

    /// The same of a small program.
    fn step_small(&mut self, kernels: Kernels, events: &[Spike]) -> Result<(), Fault> {
        let Some(small) = &mut self.small else { return Ok(()) };
        let next = 1 - self.now;
        let arrived = small.take(events, self.inputs, next)?;
        self.now = next;
        let [operations, spikes] = kernels.small(small, &mut self.layers, self.inputs, next);
        self.count([arrived, operations, spikes]);
        Ok(())
    }

    /// Counts a step and what it did.
    #[inline]
    fn count(&mut self, [arrived, operations, spikes]: [u64; 3]) {
        let Counters { steps, events, spikes: all, synaptic_operations, .. } = &mut self.counted;
        (*steps, *events, *all) = (*steps + 1, *events + arrived, *all + spikes);
        *synaptic_operations += operations;
    }

    pub(super) fn read_out(&mut self, populations: &[usize]) -> Result<(), Fault> {
        let all = self.layers.len();
        if let Some(&node) = populations.iter().find(|node| **node >= all) {
            return Err(Fault::Nowhere { node, unit: 0 });
        }
        self.read.clear();
        self.read.extend((0..all).filter(|node| populations.contains(node)));
        Ok(())
    }

    /// Takes the events of a step into the trains of the inputs, and says how many there are.
    fn take(&mut self, kernels: Kernels, events: &[Spike], next: usize) -> Result<u64, Fault> {
        let inputs = self.trains.get_mut(..self.inputs).unwrap_or_default();
        inputs.iter_mut().for_each(|trains| trains[next].clear());
        let mut arrived = 0;
        for event in events {
            let (node, unit) = (usize::from(event.node), usize::from(event.unit));
            let nowhere = Fault::Nowhere { node, unit };
            let train = inputs.get_mut(node).map(|trains| &mut trains[next]);
            train.ok_or(nowhere)?.add(event)?;
            arrived += u64::from(event.value != 0);
        }
        for trains in inputs {
            trains[next].settle(kernels);
        }
        Ok(arrived)
    }

    /// The last step, whose spikes go into `out`.
    #[inline]
    pub(super) fn spikes(&mut self, out: &mut [Spike]) -> Step {
        let mut spikes = 0;
        let mut put = |node: usize, unit: u32, value: i32| {
            if let Some(to) = out.get_mut(spikes) {
                *to = Spike { node: node as u16, unit: unit as u16, value };
            }
            spikes += 1;
        };
        for &node in &self.read {
            let of = self.inputs + node;
            if let Some(small) = &self.small {
                let fired = small.fired.get(of).map_or(0, |two| two[self.now]);
                ones(fired).for_each(|unit| put(node, unit, 1));
            } else if let Some(two) = self.trains.get(of) {
                let train = &two[self.now];
                train.units().iter().zip(train.values()).for_each(|(&unit, &value)| put(node, unit, value));
            }
        }
        let lost = spikes.saturating_sub(out.len());
        self.counted.lost += lost as u64;
        Step { number: self.counted.steps, spikes, lost }
    }

    pub(super) fn restart(&mut self) {
        self.trains.iter_mut().flatten().for_each(Train::clear);
        self.layers.iter_mut().for_each(Layer::restart);
        (self.now, self.counted) = (0, Counters::default());
        if let Some(small) = &mut self.small {
            small.fired.fill([0; 2]);
        }
    }

    pub(super) fn counters(&self) -> Counters {
        Counters { overflows: self.layers.iter().map(|layer| layer.overflows).sum(), ..self.counted }
    }

    pub(super) fn overflows(&self, node: usize) -> Result<u64, Fault> {
        let layer = self.layers.get(node).ok_or(Fault::Nowhere { node, unit: 0 })?;
        Ok(layer.overflows)
    }

    pub(super) fn probe(&self, variable: Variable, node: usize, unit: usize) -> Result<i32, Fault> {
        let nowhere = Fault::Nowhere { node, unit };
        let layer = self.layers.get(node).filter(|layer| unit < layer.n).ok_or(nowhere)?;
        match variable {
            Variable::Current => get(&layer.u, unit).ok_or(nowhere),
            Variable::Voltage => get(&layer.v, unit).ok_or(nowhere),
            Variable::Refractory => Ok(get(&layer.still, unit).unwrap_or_default().into()),
        }
    }

    pub(super) fn weight(&self, connection: usize, target: usize, source: usize) -> Result<i32, Fault> {
        let nowhere = Fault::Nowhere { node: connection, unit: target };
        let mut layers = self.layers.iter().flat_map(|layer| layer.wires.iter().map(move |wires| (layer, wires)));
        let (layer, wires) = layers.find(|(_, wires)| wires.number == connection).ok_or(nowhere)?;
        let weight = if target < layer.n { wires.weight(layer.n, target, source) } else { None };
        weight.ok_or(Fault::Nowhere { node: connection, unit: source })
    }

    pub(super) fn poke(&mut self, variable: Variable, node: usize, unit: usize, value: i32) -> Result<(), Fault> {
        let nowhere = Fault::Nowhere { node, unit };
        let layer = self.layers.get_mut(node).filter(|layer| unit < layer.n).ok_or(nowhere)?;
        let most = match variable {
            Variable::Current if layer.rule.wraps => STATE,
            Variable::Current | Variable::Voltage => STATE - 1,
            Variable::Refractory => i32::from(layer.rule.refractory),
        };
        let least = if variable == Variable::Refractory { 0 } else { 1 - STATE };
        if !(least..=most).contains(&value) {
            return Err(Fault::State { value });
        }
        match variable {
            Variable::Current => set(&mut layer.u, unit, value),
            Variable::Voltage => set(&mut layer.v, unit, value),
            Variable::Refractory => set(&mut layer.still, unit, value as u8),
        }
        Ok(())
    }
}

impl Layer {
    fn of(cells: &Cells, wires: Vec<Wires>, wraps: bool) -> Self {
        let n = cells.n;
        let start = (Block::filled(&cells.u0), Block::filled(&cells.v0));
        let rule = Rule {
            keep_u: cells.keep_u,
            keep_v: cells.keep_v,
            above: cells.above,
            below: cells.below,
            reset: cells.reset,
            refractory: cells.refractory,
            wraps,
        };
        let own = cells.own.iter().flat_map(|own| {
            let constants = own.keep_u.iter().zip(&own.keep_v).zip(own.above.iter().zip(&own.reset));
            constants.map(|((&keep_u, &keep_v), (&above, &reset))| Rule { keep_u, keep_v, above, reset, ..rule })
        });
        Layer {
            own: own.collect(),
            sum_bias: if cells.sum_bias.is_empty() { Vec::new() } else { Block::filled(&cells.sum_bias) },
            rule,
            clear: cells.clear,
            bias: Block::filled(&cells.bias),
            there: there(n),
            n,
            learns: wires.iter().any(|one: &Wires| matches!(one.kind, Weights::Plastic(_))),
            wires,
            u: start.0.clone(),
            v: start.1.clone(),
            start,
            still: if cells.refractory > 0 { Block::zeros(n) } else { Vec::new() },
            sums: Block::zeros(n),
            overflows: 0,
            up: vec![0; blocks(n)],
            down: vec![0; blocks(n)],
        }
    }

    /// Adds up what arrives, and says through how many synapses it came.
    fn listen(&mut self, kernels: Kernels, number: u64, trains: &[[Train; 2]], next: usize) -> u64 {
        if self.clear.is_some_and(|(interval, offset)| number % interval == offset) {
            self.u.fill(Block::zero());
            self.v.fill(Block::zero());
        }
        let mut operations = 0;
        let mut first = self.sum_bias.is_empty();
        if !first {
            self.sums.clone_from(&self.sum_bias);
        }
        for wires in &mut self.wires {
            let Some(two) = trains.get(wires.source) else { continue };
            let train = if wires.lagging { &two[1 - next] } else { &two[next] };
            wires.deliver(kernels, train, (first, self.n), &mut self.sums);
            operations += wires.operations(train);
            first = false;
        }
        operations
    }

    /// Learns from a step that is done. `own`: whose train is this population's.
    fn learn(&mut self, number: u64, trains: &[[Train; 2]], own: usize, next: usize) {
        let units = |at: usize, which: usize| trains.get(at).map_or(&[][..], |two| two[which].units());
        for wires in &mut self.wires {
            let Weights::Plastic(plastic) = &mut wires.kind else { continue };
            let arrived = units(wires.source, if wires.lagging { 1 - next } else { next });
            let reward = wires.reward.and_then(|at| trains.get(at)).map_or(0, |two| reward_of(&two[next]));
            plastic.learn(&Seen { number, arrived, fired: units(own, next), reward });
        }
    }

    fn update(&mut self, kernels: Kernels) {
        let Layer { u, v, still, sums, bias, up, down, there, .. } = self;
        self.overflows += kernels.update(
            &self.rule,
            &self.own,
            &mut Population { u, v, still, sums, bias },
            &mut Fired { up, down, there },
        );
    }

    fn restart(&mut self) {
        self.u.clone_from(&self.start.0);
        self.v.clone_from(&self.start.1);
        self.still.fill(Block::zero());
        self.overflows = 0;
        for wires in &mut self.wires {
            match &mut wires.kind {
                Weights::Late(late) => late.restart(),
                Weights::Plastic(plastic) => plastic.restart(),
                Weights::Dense(_) | Weights::Graded(_) => {}
            }
        }
    }
}

impl Wires {
    fn of((number, one): (usize, &Synapses), targets: usize, source: usize) -> Self {
        let (mut exponent, mut low) = (one.exponent, 0);
        let reward = one.learning.as_ref().and_then(|rule| Some(rule.reward?.input));
        let kind = if let Some(rule) = &one.learning {
            Weights::Plastic(Box::new(Plastic::of(one, rule, targets)))
        } else if one.delays.is_some() {
            Weights::Late(Late::of(one, targets))
        } else if one.graded {
            Weights::Graded(rows(one, targets, |weight| weight))
        } else if let Some(spare) = narrow(one) {
            (exponent, low) = (exponent + spare, spare);
            Weights::Dense(Rows::Narrow(rows(one, targets, |weight| (weight >> spare) as i8)))
        } else {
            Weights::Dense(Rows::Wide(rows(one, targets, |weight| weight)))
        };
        // Of weights that change all count: any may have become something.
        let learns = one.learning.is_some();
        let used =
            |unit| one.weights.iter().skip(unit).step_by(one.fan_in).filter(|&&weight| weight != 0 || learns).count();
        let mut fan_out: Vec<u32> = (0..one.fan_in).map(|unit| used(unit) as u32).collect();
        if fan_out.iter().all(|out| Some(out) == fan_out.first()) {
            fan_out.truncate(1);
        }
        Wires { source, lagging: one.lag == 1, number, reward, spare: low, exponent, kind, fan_out }
    }

    /// To so many `targets`, in the place of what is in their sums if it is the `first`.
    fn deliver(&mut self, kernels: Kernels, train: &Train, (first, targets): (bool, usize), sums: &mut [Block<i32>]) {
        let (units, how) = (train.units(), Sum { exponent: self.exponent, first, targets });
        match &mut self.kind {
            Weights::Dense(rows) => kernels.gather(units, rows, how, sums),
            Weights::Graded(rows) => scalar::gather_graded(units, train.values(), rows, how, sums),
            Weights::Late(late) => late.deliver(train, first, sums),
            Weights::Plastic(plastic) => kernels.gather(units, &plastic.rows, how, sums),
        }
    }

    /// The weight between this unit of the source and this neuron, of `targets`.
    fn weight(&self, targets: usize, target: usize, unit: usize) -> Option<i32> {
        let wide = blocks(targets);
        fn of<T: Copy>(rows: &[Block<T>], wide: usize, target: usize, unit: usize) -> Option<T> {
            get(rows.get(unit * wide..(unit + 1) * wide)?, target)
        }
        match &self.kind {
            Weights::Dense(Rows::Narrow(rows)) => Some(i32::from(of(rows, wide, target, unit)?) << self.spare),
            Weights::Dense(Rows::Wide(rows)) | Weights::Graded(rows) => of(rows, wide, target, unit).map(i32::from),
            Weights::Late(late) => late.weight(target, unit),
            Weights::Plastic(plastic) => plastic.weight(target, unit).map(i32::from),
        }
    }

    fn operations(&self, train: &Train) -> u64 {
        if let [out] = self.fan_out[..] {
            return train.len() as u64 * u64::from(out);
        }
        let outs = train.units().iter().filter_map(|&unit| self.fan_out.get(unit as usize));
        outs.map(|&out| u64::from(out)).sum()
    }
}

/// A row of blocks for each unit of the source.
pub(super) fn rows<T: Copy + Default>(one: &Synapses, targets: usize, weight: impl Fn(i16) -> T) -> Vec<Block<T>> {
    let mut all = Vec::with_capacity(one.fan_in * blocks(targets));
    let mut row = Block::zeros(targets);
    for unit in 0..one.fan_in {
        for (target, &value) in one.weights.iter().skip(unit).step_by(one.fan_in).enumerate() {
            set(&mut row, target, weight(value));
        }
        all.extend_from_slice(&row);
    }
    all
}

/// How many low bits no weight uses, if the rest fits eight bits and no sum of some of them can leave sixteen.
fn narrow(one: &Synapses) -> Option<i32> {
    let used = one.weights.iter().fold(0, |bits, &weight| bits | weight.unsigned_abs());
    let spare = used.trailing_zeros().min(8) as i32;
    let fits = |&weight: &i16| i8::try_from(weight >> spare).is_ok();
    let sums = one.weights.chunks(one.fan_in).all(|row| {
        let size = |sign: i32| row.iter().map(|&weight| (i32::from(weight >> spare) * sign).max(0)).sum::<i32>();
        size(1) <= i32::from(i16::MAX) && size(-1) <= i32::from(i16::MAX)
    });
    (one.weights.iter().all(fits) && sums && one.exponent + spare <= 31).then_some(spare)
}
