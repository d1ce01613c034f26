//! Connections that take no step in any schedule.

use firelane_kernels::spikes::random::Random;
use firelane_kernels::spikes::{
    Connection, Device, Network, Overflow, Population, Program, Rules, Schedule, Software, Spike, Variable,
};

const LAVA: Rules = Rules { schedule: Schedule::Lava, overflow: Overflow::Wrap };
const CASCADE: Rules = Rules { schedule: Schedule::Cascade, overflow: Overflow::Wrap };

/// A network of random numbers, whose connections lead forward.
fn forward(seed: u64) -> Option<Network> {
    let network = Random::of(seed, &CASCADE, true).network;
    let forward = network.connections.iter().all(Connection::leads_forward);
    (forward && network.populations.len() > 1).then_some(network)
}

fn run(program: &Program, random: &mut Random) -> Vec<i32> {
    let mut device = Software::best();
    device.load(program).unwrap();
    let mut out = vec![Spike::default(); program.neurons()];
    let mut events = Vec::new();
    let mut all = Vec::new();
    for _ in 0..50 {
        random.events(&mut events);
        device.step(&events, &mut out).unwrap();
        for (at, cells) in program.cells().iter().enumerate() {
            for variable in [Variable::Current, Variable::Voltage] {
                all.extend((0..cells.n).map(|unit| device.probe(variable, at, unit).unwrap()));
            }
        }
    }
    all
}

/// Forward connections that act at once are a cascade; one of them that does not is not.
#[test]
fn a_lava_network_whose_connections_act_at_once_is_a_cascade() {
    let (mut networks, mut told_apart) = (0, 0);
    for seed in 0..2_000 {
        let Some(mut network) = forward(seed) else { continue };
        let cascade = Program::check(&network, &CASCADE).unwrap();
        network.connections.iter_mut().for_each(|one| one.at_once = true);
        let at_once = Program::check(&network, &LAVA).unwrap();
        let random = || Random::of(seed, &CASCADE, true);
        let expected = run(&cascade, &mut random());
        assert_eq!(run(&at_once, &mut random()), expected, "seed {seed}");
        network.connections[0].at_once = false;
        let late = Program::check(&network, &LAVA).unwrap();
        told_apart += usize::from(run(&late, &mut random()) != expected);
        networks += 1;
    }
    assert!(networks > 50 && told_apart > networks / 2, "{networks} {told_apart}");
}

#[test]
fn what_acts_at_once_leads_forward() {
    let mut network = Network::new("ports");
    let input = network.input("in", 1);
    let first = network.population(Population::lif("first", 1));
    let second = network.population(Population::lif("second", 1));
    network.connect(input, first, vec![vec![1]]).at_once = true;
    network.connect(first.into(), second, vec![vec![1]]).at_once = true;
    assert!(Program::check(&network, &LAVA).is_ok());
    for (source, target, name) in [(first, first, "first->first"), (second, first, "second->first")] {
        let mut network = network.clone();
        network.connect(source.into(), target, vec![vec![1]]).at_once = true;
        let error = Program::check(&network, &LAVA).unwrap_err().to_string();
        let expected = "it can't act at once: its source must stand ahead of its target in the list of populations";
        assert_eq!(error, format!("{name}: {expected}"));
    }
}
