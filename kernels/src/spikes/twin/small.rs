//! Small programs, prepared once more: their weights and who has fired lie as one pass over a whole step takes them, a bit for each unit in the
//! place of lists. Most of a small step would else be spent on finding things.

use super::block::Block;
use super::kernels::{Kernels, Rows};
use super::loaded::{Layer, Weights};
use crate::spikes::device::{Fault, Spike};
use crate::spikes::network::{Reset, Source};
use crate::spikes::program::{Overflow, Program, Synapses};

/// A program whose populations and inputs have [`Block::UNITS`] units at most, with neurons and connections of the plainest sort. Its state
/// lies where that of every program lies, in its [`Layer`]s.
#[derive(Clone, Debug)]
pub(super) struct Small {
    /// Of each population.
    pub(super) stages: Box<[Stage]>,
    /// Who fired: of each input, and then of each population, in this step and in the one before. `now` says which is which.
    pub(super) fired: Box<[[u64; 2]]>,
    /// Of each of them, who is there at all.
    there: Box<[u64]>,
}

/// What a population hears.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) n: usize,
    pub(super) heard: Box<[Heard]>,
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// Whom: in [`Small::fired`]; and 1 if it is heard a step later.
    pub(super) source: usize,
    pub(super) lag: usize,
    pub(super) exponent: i32,
    pub(super) weights: Laid,
    /// Of each unit, how many of its weights are not zero.
    pub(super) fan_out: Block<u8>,
}

/// Weights.
#[derive(Clone, Debug)]
pub(super) enum Laid {
    /// A row for each unit of the source: for more than [`FEW`] neurons.
    Along(Box<[Block<i8>]>),
    /// A row for each neuron.
    Across(Box<[Block<i8>; FEW]>),
}

/// To so few neurons it takes less to weigh all units than to find those that fired.
pub(super) const FEW: usize = 8;

impl Small {
    /// `None`: it has something that only the general way knows.
    pub(super) fn of(program: &Program, kernels: Kernels, layers: &[Layer]) -> Option<Small> {
        let units = program.inputs().iter().map(|one| one.1).chain(program.cells().iter().map(|cells| cells.n));
        let there: Box<[u64]> = units.map(all).collect::<Option<_>>()?;
        let plain = program.cells().iter().all(|cells| {
            let resets = cells.reset == Reset::Zero && cells.refractory == 0 && cells.clear.is_none();
            resets && cells.below.is_none() && cells.own.is_none()
        });
        if !kernels.has_small() || !plain || program.rules().overflow == Overflow::Wrap {
            return None;
        }
        let inputs = program.inputs().len();
        // Of an input whose values matter to anybody, bits are not enough.
        if (0..inputs).any(|input| program.most_value(input) != i32::MAX) {
            return None;
        }
        let stage = |layer: &Layer| {
            let heard = layer.wires.iter().map(|wires| {
                let one = program.synapses().get(wires.number)?;
                let Weights::Dense(Rows::Narrow(rows)) = &wires.kind else { return None };
                Some(Heard {
                    source: match one.source {
                        Source::Input(at) => at,
                        Source::Population(at) => inputs + at,
                    },
                    lag: usize::from(one.lag),
                    exponent: wires.exponent,
                    weights: Laid::of(rows, one, layer.n),
                    fan_out: fan_out(one),
                })
            });
            Some(Stage { n: layer.n, heard: heard.collect::<Option<_>>()? })
        };
        Some(Small {
            stages: layers.iter().map(stage).collect::<Option<_>>()?,
            fired: vec![[0; 2]; there.len()].into_boxed_slice(),
            there,
        })
    }

    /// Takes the events of a step, of the first so many `inputs`; says how many there are.
    #[inline]
    pub(super) fn take(&mut self, events: &[Spike], inputs: usize, next: usize) -> Result<u64, Fault> {
        let fired = self.fired.get_mut(..inputs).unwrap_or_default();
        fired.iter_mut().for_each(|two| two[next] = 0);
        let mut arrived = 0;
        for event in events {
            let (node, unit) = (usize::from(event.node), usize::from(event.unit));
            let bit = 1_u64.unbounded_shl(unit as u32);
            let (Some(two), true) = (fired.get_mut(node), self.there.get(node).is_some_and(|there| there & bit != 0))
            else {
                return Err(Fault::Nowhere { node, unit });
            };
            let some = u64::from(event.value != 0);
            two[next] |= bit * some;
            arrived += some;
        }
        Ok(arrived)
    }
}

/// So many units.
fn all(n: usize) -> Option<u64> {
    (n <= Block::<u8>::UNITS).then(|| u64::MAX >> (Block::<u8>::UNITS - n))
}

impl Laid {
    fn of(rows: &[Block<i8>], one: &Synapses, targets: usize) -> Self {
        if targets > FEW {
            return Laid::Along(rows.into());
        }
        let mut across = Box::new([Block::zero(); FEW]);
        for (unit, row) in rows.iter().enumerate().take(one.fan_in) {
            for (neuron, weight) in across.iter_mut().zip(row.0) {
                neuron.0[unit] = weight;
            }
        }
        Laid::Across(across)
    }
}

fn fan_out(one: &Synapses) -> Block<u8> {
    let mut all = Block::zero();
    for (unit, out) in all.0.iter_mut().enumerate().take(one.fan_in) {
        *out = one.weights.iter().skip(unit).step_by(one.fan_in).filter(|&&weight| weight != 0).count() as u8;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::loaded::Loaded;
    use super::*;
    use crate::spikes::device::Variable;
    use crate::spikes::learning::Learning;
    use crate::spikes::network::{Connection, Kind, Network, Population, SignMode};
    use crate::spikes::program::{Rules, Schedule};
    use crate::spikes::{Device, Path, Software};

    /// Units, neurons, and neurons, with an edge that leads back.
    fn of_sizes([inputs, hidden, out]: [usize; 3]) -> Network {
        let mut network = Network::new("small");
        let weight = |row: usize, column: usize| ((row * 7 + column * 13) % 41) as i64 * 2 - 30;
        let weights = |rows: usize, columns: usize| -> Vec<Vec<i64>> {
            (0..rows).map(|row| (0..columns).map(|column| weight(row, column)).collect()).collect()
        };
        let lif = |id: &str, n: usize| Population {
            du: 2_047,
            dv: 300,
            vth: 70,
            sum_bias: (0..n as i64).map(|unit| unit % 3).collect(),
            ..Population::lif(id, n)
        };
        let source = network.input("in", inputs);
        let [first, second] = [lif("hidden", hidden), lif("out", out)].map(|one| network.population(one));
        network.connect(source, first, weights(hidden, inputs));
        network.connect(Source::Population(first), second, weights(out, hidden));
        network.connect(Source::Population(second), first, weights(hidden, out));
        for one in &mut network.connections {
            one.sign_mode = Some(SignMode::Mixed);
        }
        network
    }

    fn network() -> Network {
        of_sizes([64, 64, 8])
    }

    /// What a device fires and what its voltages are, twice, with a restart between.
    fn ran(path: Path, program: &Program, inputs: usize) -> Vec<(Vec<Spike>, Vec<i32>)> {
        let mut device = Software::on(path).unwrap();
        Device::load(&mut device, program).unwrap();
        let mut out = vec![Spike::default(); program.neurons()];
        let mut all = Vec::new();
        for _ in 0..2 {
            device.restart().unwrap();
            for step in 0..40_usize {
                let events: Vec<Spike> = (0..inputs)
                    .filter(|unit| (unit * 5 + step * 11) % 7 < 2)
                    .map(|unit| Spike::of(0, unit as u16))
                    .collect();
                let done = device.step(&events, &mut out).unwrap();
                let mut voltages = vec![0; program.neurons()];
                let (first, second) = voltages.split_at_mut(program.cells()[0].n);
                device.probe_all(Variable::Voltage, 0, first).unwrap();
                device.probe_all(Variable::Voltage, 1, second).unwrap();
                all.push((out[..done.spikes].to_vec(), voltages));
            }
            // Something is under way that a restart must forget.
            device.step(&[Spike::of(0, 0)], &mut out).unwrap();
        }
        let (first, second) = all.split_at(40);
        assert!(first == second, "a restart begins again");
        all
    }

    #[test]
    fn a_small_network_of_any_size_gives_the_bits_of_the_specification() {
        let mut fired = 0;
        for n in 1..=64 {
            for sizes in [[65 - n, n, (n * 3) % 9 + 1], [n, 65 - n, n]] {
                let program = Program::check(&of_sizes(sizes), &Rules::default()).unwrap();
                let expected = ran(Path::Scalar, &program, sizes[0]);
                fired += expected.iter().map(|step| step.0.len()).sum::<usize>();
                for path in Software::paths() {
                    assert!(ran(path, &program, sizes[0]) == expected, "{sizes:?} on {path:?}");
                }
            }
        }
        assert!(fired > 100_000, "{fired}");
    }

    /// Is it small on the fastest path, and on which?
    fn small(network: &Network, rules: Rules) -> bool {
        let program = Program::check(network, &rules).unwrap();
        let taken = |path: Path| Loaded::new(&program, Kernels::on(path).unwrap()).small.is_some();
        assert!(!taken(Path::Scalar), "the specification goes one way");
        Software::paths().any(taken)
    }

    #[test]
    fn a_plain_network_whose_units_fit_a_block_each_is_small_and_no_other() {
        let has = Software::paths().any(|path| matches!(path, Path::Avx2 | Path::Avx512));
        for schedule in [Schedule::Cascade, Schedule::Lava] {
            assert_eq!(small(&network(), Rules { schedule, overflow: Overflow::Forbidden }), has);
            assert!(!small(&network(), Rules { schedule, overflow: Overflow::Wrap }), "currents may wrap");
        }
        fn changed(change: impl Fn(&mut Population, &mut Connection)) -> Network {
            let mut all = network();
            change(&mut all.populations[0], &mut all.connections[0]);
            all
        }
        let mut larger = network();
        let input = larger.input("more", 65);
        larger.connect(input, 0, vec![vec![1; 65]; 64]);
        let mut wider = network();
        wider.population(Population::lif("wide", 65));
        for (what, one) in [
            ("65 inputs", larger),
            ("65 neurons", wider),
            ("a reset to another value", changed(|cells, _| cells.reset = Reset::To(-1))),
            ("a refractory period", changed(|cells, _| cells.refractory = 1)),
            ("negative spikes", changed(|cells, _| cells.kind = Kind::TernaryLif { vth_hi: 9, vth_lo: -9 })),
            ("a clock that clears it", changed(|cells, _| cells.kind = Kind::LifReset { interval: 5, offset: 0 })),
            ("constants of its own", changed(|cells, _| cells.each.dv = (0..64).collect())),
            ("delays", changed(|_, wires| wires.delays = Some(vec![vec![1; 64]; 64]))),
            ("values", changed(|_, wires| wires.num_message_bits = 2)),
            (
                "weights of nine bits",
                changed(|_, wires| (wires.weights, wires.sign_mode) = (vec![vec![255; 64]; 64], None)),
            ),
            (
                "learning",
                changed(|_, wires| {
                    (wires.weights, wires.sign_mode) = (vec![vec![5; 64]; 64], None);
                    wires.learning = Some(Learning { low: 0, high: 9, ..Learning::default() });
                }),
            ),
        ] {
            assert!(!small(&one, Rules::default()), "{what}");
        }
    }
}
