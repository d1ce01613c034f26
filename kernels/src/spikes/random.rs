//! Random networks and their inputs, the same for a seed: to try one way of running a network against another.

use super::device::Spike;
use super::learning::{Learning, Reward};
use super::network::{Connection, Each, Kind, Network, Population, Reset, SignMode, Source};
use super::program::{Overflow, Program, Rules};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A random network with what it takes to run it.
#[derive(Clone, Debug)]
pub struct Random {
    /// The network.
    pub network: Network,
    /// The same, checked.
    pub program: Program,
    rng: Xoshiro256PlusPlus,
    /// In how many of 256 steps a unit fires.
    density: u32,
}

/// Sizes at which something changes: a block of neurons, a vector, one of anything.
const SIZES: [usize; 14] = [1, 2, 7, 8, 15, 16, 17, 32, 33, 63, 64, 65, 100, 130];

impl Random {
    /// The network of this seed. Whatever Lava knows is in it somewhere for some seed, and with `extensions` so is what Lava
    /// does not know. Where `rules` forbid overflow, it is one that can't.
    #[must_use]
    pub fn of(seed: u64, rules: &Rules, extensions: bool) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        loop {
            let network = network(&mut rng, rules.overflow, extensions);
            if let Ok(program) = Program::check(&network, rules) {
                let density = *pick(&mut rng, &[4, 13, 40, 120, 256]);
                return Random { network, program, rng, density };
            }
        }
    }

    /// A network of this seed of the plainest sort: nothing in it but neurons that reset to zero, weights of eight bits and one-step delays,
    /// and no population of more than 64. Such a network has ways of its own in many a device.
    #[must_use]
    pub fn plain(seed: u64, rules: &Rules) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        loop {
            let mut network = network(&mut rng, rules.overflow, false);
            for one in &mut network.populations {
                one.kind = Kind::Lif;
                if rng.random_range(0..3) == 0 {
                    one.sum_bias = (0..one.n).map(|_| rng.random_range(-300..=300)).collect();
                }
            }
            for one in &mut network.connections {
                (one.delays, one.num_message_bits, one.num_weight_bits) = (None, 0, 8);
                one.sign_mode = Some(SignMode::Mixed);
            }
            let sizes = network.inputs.iter().map(|one| one.n).chain(network.populations.iter().map(|one| one.n));
            if sizes.max().is_some_and(|most| most <= 64)
                && let Ok(program) = Program::check(&network, rules)
            {
                let density = *pick(&mut rng, &[4, 13, 40, 120, 256]);
                return Random { network, program, rng, density };
            }
        }
    }

    /// The events of the next step, in place of what is in `events`.
    pub fn events(&mut self, events: &mut Vec<Spike>) {
        events.clear();
        for (node, (_, units)) in self.program.inputs().iter().enumerate() {
            let most = self.program.most_value(node);
            for unit in 0..*units {
                if self.rng.random_range(0..256) < self.density {
                    let value =
                        if most == i32::MAX { 1 } else { self.rng.random_range(-most.min(127)..=most.min(127)) };
                    events.push(Spike { node: node as u16, unit: unit as u16, value });
                }
            }
        }
    }
}

/// `steps` steps of `units` units that fire by chance, each with this probability in each step: their numbers.
pub fn poisson(seed: u64, units: usize, probability: f64, steps: usize) -> impl Iterator<Item = Vec<u16>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..steps).map(move |_| (0..units as u16).filter(|_| rng.random_bool(probability)).collect())
}

fn pick<'a, T>(rng: &mut impl Rng, of: &'a [T]) -> &'a T {
    &of[rng.random_range(0..of.len())]
}

fn network(rng: &mut impl Rng, overflow: Overflow, extensions: bool) -> Network {
    let mut network = Network::new("random");
    for at in 0..rng.random_range(1..=2) {
        network.input(&format!("in{at}"), *pick(rng, &SIZES));
    }
    let populations = rng.random_range(1..=4);
    for at in 0..populations {
        let id = format!("p{at}");
        network.population(population(rng, &id, overflow, extensions));
    }
    for target in 0..populations {
        for _ in 0..rng.random_range(1..=2) {
            let inputs = network.inputs.len();
            let from = rng.random_range(0..inputs + populations);
            let source = if from < inputs { Source::Input(from) } else { Source::Population(from - inputs) };
            let columns = match source {
                Source::Input(at) => network.inputs[at].n,
                Source::Population(at) => network.populations[at].n,
            };
            let rows = network.populations[target].n;
            let connection = connection(rng, source, target, (rows, columns), overflow);
            network.connections.push(connection);
        }
    }
    if extensions && rng.random_range(0..3) == 0 {
        learning(rng, &mut network);
    }
    for one in network.connections.iter_mut().filter(|one| extensions && one.leads_forward()) {
        one.at_once = rng.random_range(0..4) == 0;
    }
    network
}

fn population(rng: &mut impl Rng, id: &str, overflow: Overflow, extensions: bool) -> Population {
    let n = *pick(rng, &SIZES);
    // With little decay hardly any input is proved not to overflow.
    let du = match overflow {
        Overflow::Forbidden => *pick(rng, &[1_023, 2_047, 3_000, 4_095]),
        Overflow::Wrap => *pick(rng, &[0, 1, 100, 1_024, 4_095]),
    };
    let kind = match rng.random_range(0..4) {
        0 => Kind::TernaryLif { vth_hi: rng.random_range(1..2_000), vth_lo: rng.random_range(-2_000..1) },
        1 => Kind::LifReset { interval: rng.random_range(1..20), offset: rng.random_range(0..40) },
        _ => Kind::Lif,
    };
    let mut one = Population {
        kind,
        du,
        dv: *pick(rng, &[0, 1, 77, 512, 2_048, 4_095]),
        vth: *pick(rng, &[0, 1, 100, 400, 2_500, 131_071]),
        ..Population::lif(id, n)
    };
    if rng.random_range(0..2) == 0 {
        one.bias_mant = (0..n).map(|_| rng.random_range(-4_096..=4_095)).collect();
        one.bias_exp = (0..n).map(|_| rng.random_range(-3..=7)).collect();
    }
    if rng.random_range(0..4) == 0 {
        let most = if overflow == Overflow::Wrap { 8_388_608 } else { 8_388_607 };
        one.u0 = (0..n).map(|_| rng.random_range(-8_388_607..=most)).collect();
        one.v0 = (0..n).map(|_| rng.random_range(-8_388_607..=8_388_607)).collect();
    }
    if extensions {
        let low = if let Kind::TernaryLif { vth_lo, .. } = one.kind { vth_lo << 6 } else { -5_000 };
        one.reset = match rng.random_range(0..4) {
            0 => Reset::Zero,
            1 => Reset::To(rng.random_range(low..=0)),
            2 if one.kind == Kind::Lif => Reset::By(rng.random_range(0..200_000)),
            _ => Reset::Subtract,
        };
        one.refractory = *pick(rng, &[0, 0, 1, 5, 63]);
        own_constants(rng, &mut one, low);
    }
    one
}

/// Some of the connections learn, half of those by a reward.
fn learning(rng: &mut impl Rng, network: &mut Network) {
    let reward = network.inputs.len();
    for one in &mut network.connections {
        if rng.random_range(0..2) == 0 {
            continue;
        }
        let inhibits = rng.random_range(0..4) == 0;
        let (low, high) = if inhibits { (-255, -3) } else { (*pick(rng, &[0, 10]), *pick(rng, &[60, 255])) };
        for weight in one.weights.iter_mut().flatten() {
            *weight = rng.random_range(low..=high);
        }
        (one.sign_mode, one.num_weight_bits, one.num_message_bits, one.delays) = (None, 8, 0, None);
        one.learning = Some(Learning {
            pre_decay: *pick(rng, &[0, 60, 300, 4_095]),
            post_decay: *pick(rng, &[1, 100, 2_000]),
            impulse: *pick(rng, &[65_535, 20_000, 1]),
            nearest: rng.random_range(0..2) == 0,
            a_plus: rng.random_range(0..=65_535),
            a_minus: rng.random_range(0..=20_000),
            a_fire: *pick(rng, &[0, 0, 300, 65_535]),
            low,
            high,
            seed: rng.random_range(1..=i64::from(u32::MAX)),
            reward: (rng.random_range(0..2) == 0).then(|| Reward {
                input: reward,
                decay: *pick(rng, &[0, 40, 4_096]),
                every: rng.random_range(1..9),
                shift: rng.random_range(0..=15),
            }),
        });
    }
    if network.connections.iter().any(|one| one.learning.as_ref().is_some_and(|rule| rule.reward.is_some())) {
        network.input("reward", 1);
    }
}

/// In a third of the populations, constants that differ from neuron to neuron; in a third, sums that begin with something.
fn own_constants(rng: &mut impl Rng, one: &mut Population, low: i64) {
    if rng.random_range(0..3) == 0 {
        one.sum_bias = (0..one.n).map(|_| rng.random_range(-300..=300)).collect();
    }
    if rng.random_range(0..3) != 0 {
        return;
    }
    let spread = |rng: &mut dyn Rng, value: i64, most: i64| (value + rng.random_range(-60..=60)).clamp(0, most);
    let ternary = matches!(one.kind, Kind::TernaryLif { .. });
    one.each = Each {
        du: (0..one.n).map(|_| spread(rng, one.du, 4_095)).collect(),
        dv: (0..one.n).map(|_| spread(rng, one.dv, 4_095)).collect(),
        vth: (0..if ternary { 0 } else { one.n }).map(|_| spread(rng, one.vth, 131_071)).collect(),
        reset: match one.reset {
            Reset::To(_) => (0..one.n).map(|_| rng.random_range(low..=0)).collect(),
            Reset::By(_) => (0..one.n).map(|_| rng.random_range(0..200_000)).collect(),
            _ => Vec::new(),
        },
    };
}

fn connection(
    rng: &mut impl Rng,
    source: Source,
    target: usize,
    (rows, columns): (usize, usize),
    overflow: Overflow,
) -> Connection {
    let (low, high) = *pick(rng, &[(-256_i64, 255), (-60, 60), (0, 255), (-255, 0), (-4, 5), (-400, 400)]);
    let weights = (0..rows).map(|_| (0..columns).map(|_| rng.random_range(low..=high)).collect()).collect();
    let mut one = Connection::of(source, target, weights);
    one.weight_exp = match overflow {
        Overflow::Wrap => *pick(rng, &[-6, -1, 0, 0, 0, 3, 7, 12]),
        Overflow::Forbidden => *pick(rng, &[-6, -3, -1, 0, 0, 2]),
    };
    one.num_weight_bits = *pick(rng, &[8, 8, 8, 6, 5, 3, 1]);
    one.sign_mode =
        *pick(rng, &[None, None, None, Some(SignMode::Mixed), Some(SignMode::Excitatory), Some(SignMode::Inhibitory)]);
    one.num_message_bits = *pick(rng, &[0, 0, 0, 2, 8]);
    if rng.random_range(0..4) == 0 {
        let longest = *pick(rng, &[0_i64, 1, 5, 63]);
        one.delays = Some((0..rows).map(|_| (0..columns).map(|_| rng.random_range(0..=longest)).collect()).collect());
    }
    one
}
