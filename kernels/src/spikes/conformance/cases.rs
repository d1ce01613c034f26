//! Cases by hand: the edges of every width, and what a device does when it is asked wrongly.

use super::{Failure, Program, Rules};
use crate::spikes::device::{Counters, Device, Fault, Spike, Step, Variable};
use crate::spikes::network::{Each, Kind, Network, Population, Reset, Source};
use crate::spikes::program::{Overflow, Schedule};

/// A case, with its name.
pub(super) type Named = (&'static str, fn(&mut dyn Device) -> Result<(), Failure>);

/// All of them.
pub(super) const ALL: &[Named] = &[
    ("a threshold is passed strictly", threshold),
    ("a voltage saturates at its 24 bits", saturation),
    ("what is proved to fit does not overflow", bounded),
    ("a narrow sum is exact up to its last bit", narrow_sums),
    ("a sum that is shifted out of its 32 bits is gone", shifted_out),
    ("overflows are counted by population", overflows),
    ("the longest delay, in both schedules", longest_delay),
    ("an edge that leads back takes a step more", back_edges),
    ("a schedule says in which step a spike acts", schedules),
    ("a connection that acts at once takes no step in either schedule", at_once),
    ("a reset by subtraction of a negative spike", subtraction),
    ("each neuron has its own constants, and a sum begins with its bias", own_constants),
    ("a reset takes off what it says", taken_off),
    ("values of one unit are added", doubled),
    ("spikes that have no room are counted", no_room),
    ("only what is wanted is read out", read_out),
    ("a step that is refused changes nothing", refused_steps),
    ("probe and poke stay within the network", probe_and_poke),
    ("submit and poll are a step", submit_and_poll),
    ("a restart begins again", restarts),
];

pub(super) fn wrong<T: std::fmt::Debug + PartialEq>(what: &str, found: T, expected: T) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(Failure::Wrong(format!("{what} is {found:?}, not {expected:?}")))
}

fn checked(network: &Network, schedule: Schedule, overflow: Overflow) -> Result<Program, Failure> {
    Ok(Program::check(network, &Rules { schedule, overflow })?)
}

/// One input unit, one neuron that forgets its current at once, with this weight.
pub(super) fn single(weight: i64, of: Population) -> Network {
    let mut network = Network::new("single");
    let input = network.input("in", 1);
    let cell = network.population(Population { du: 4_095, ..of });
    network.connect(input, cell, vec![vec![weight]]);
    network
}

/// Loads it in the default rules.
pub(super) fn load(device: &mut dyn Device, network: &Network) -> Result<(), Failure> {
    Ok(device.load(&checked(network, Schedule::Cascade, Overflow::Forbidden)?)?)
}

/// A step with these events; how many spikes.
pub(super) fn step(device: &mut dyn Device, events: &[Spike]) -> Result<usize, Failure> {
    Ok(device.step(events, &mut [Spike::default(); 256])?.spikes)
}

pub(super) const FIRE: [Spike; 1] = [Spike::of(0, 0)];

fn threshold(device: &mut dyn Device) -> Result<(), Failure> {
    for (vth, spikes) in [(101, 0), (100, 0), (99, 1)] {
        load(device, &single(100, Population { vth, ..Population::lif("cell", 1) }))?;
        wrong(&format!("the spikes of 100 against {vth}"), step(device, &FIRE)?, spikes)?;
    }
    Ok(())
}

fn saturation(device: &mut dyn Device) -> Result<(), Failure> {
    for (mant, expected) in [(4_095, 8_388_607), (-4_096, -8_388_607)] {
        let cell = Population {
            vth: 131_071,
            bias_mant: vec![mant],
            bias_exp: vec![7],
            v0: vec![mant.signum() * 8_388_000],
            ..Population::lif("cell", 1)
        };
        load(device, &single(0, cell))?;
        let spikes = step(device, &[])?;
        // The largest threshold is 131,071 * 64 = 8,388,544, which a saturated voltage passes.
        wrong("the spikes", spikes, usize::from(mant > 0))?;
        let left = device.probe(Variable::Voltage, 0, 0)?;
        wrong("the voltage", left, if mant > 0 { 0 } else { expected })?;
    }
    Ok(())
}

/// The largest sums that are allowed, for ever, in both directions.
fn bounded(device: &mut dyn Device) -> Result<(), Failure> {
    for sign in [1, -1] {
        let mut network = Network::new("bounded");
        let input = network.input("in", 128);
        let cell = network.population(Population { du: 1_023, dv: 4_095, vth: 131_071, ..Population::lif("cell", 1) });
        // 128 x 255 = 32,640 stays below 32 x 1,024 = 32,768.
        network.connect(input, cell, vec![vec![255 * sign; 128]]);
        load(device, &network)?;
        let all: Vec<Spike> = (0..128).map(|unit| Spike::of(0, unit)).collect();
        for _ in 0..200 {
            step(device, &all)?;
        }
        wrong("overflows", device.counters().overflows, 0)?;
        let current = device.probe(Variable::Current, 0, 0)?;
        // u = 3/4 u + 64 x 32,640, cut toward zero, stands still at 4 x 64 x 32,640, less what is cut.
        let fixed = (0..200).fold(0_i64, |u, _| u * 3 / 4 + 64 * 32_640 * sign);
        wrong("the current", i64::from(current), fixed)?;
    }
    Ok(())
}

/// Sums of eight-bit weights that just fit sixteen bits, and that just do not.
fn narrow_sums(device: &mut dyn Device) -> Result<(), Failure> {
    for (units, weight) in [(259, 127_i64), (260, 127), (256, -128), (257, -128), (258, -128)] {
        let mut network = Network::new("narrow");
        let input = network.input("in", units);
        let cell = network.population(Population { du: 4_095, vth: 131_071, ..Population::lif("cell", 65) });
        // Twice as large: mixed weights are even. The last unit never fires, and makes them mixed.
        let row: Vec<i64> = (0..units).map(|unit| if unit == 0 { -weight.signum() * 2 } else { weight * 2 }).collect();
        network.connect(input, cell, vec![row; 65]);
        load(device, &network)?;
        let all: Vec<Spike> = (1..units).map(|unit| Spike::of(0, unit as u16)).collect();
        step(device, &all)?;
        for unit in [0, 15, 16, 63, 64] {
            let current = i64::from(device.probe(Variable::Current, 0, unit)?);
            wrong("the current", current, (units as i64 - 1) * weight * 2 * 64)?;
        }
    }
    Ok(())
}

/// Of even weights a device may keep fewer bits, and shift further; not beyond the 31 bits that can be shifted.
fn shifted_out(device: &mut dyn Device) -> Result<(), Failure> {
    for (weight, weight_exp, expected) in [(128, 31, 0), (2, 31, 0), (1, 31, 0), (128, 10, 1 << 23), (1, 17, 1 << 23)] {
        let mut network = single(weight, Population { vth: 131_071, ..Population::lif("cell", 1) });
        network.connections[0].weight_exp = weight_exp;
        device.load(&checked(&network, Schedule::Cascade, Overflow::Wrap)?)?;
        step(device, &FIRE)?;
        let current = device.probe(Variable::Current, 0, 0)?;
        wrong(&format!("the current of a weight of {weight} shifted by {weight_exp}"), current, expected)?;
    }
    Ok(())
}

/// Two populations, of which the second overflows in every step that something comes.
fn overflows(device: &mut dyn Device) -> Result<(), Failure> {
    let mut network = single(1, Population { vth: 131_071, ..Population::lif("calm", 1) });
    let wild = network.population(Population { du: 4_095, vth: 131_071, ..Population::lif("wild", 65) });
    network.connect(Source::Input(0), wild, vec![vec![1]; 65]).weight_exp = 18;
    device.load(&checked(&network, Schedule::Cascade, Overflow::Wrap)?)?;
    wrong("what was counted before a step", (device.overflows(0)?, device.overflows(1)?), (0, 0))?;
    for events in [&FIRE[..], &[], &FIRE] {
        step(device, events)?;
    }
    wrong("what was counted", (device.overflows(0)?, device.overflows(1)?), (0, 2 * 65))?;
    wrong("the sum", device.counters().overflows, 2 * 65)?;
    let fault = Fault::Nowhere { node: 2, unit: 0 };
    wrong("the overflows of no population", device.overflows(2).err(), Some(fault))?;
    device.restart()?;
    wrong("what is counted after a restart", device.overflows(1)?, 0)
}

fn longest_delay(device: &mut dyn Device) -> Result<(), Failure> {
    for (schedule, after) in [(Schedule::Cascade, 63), (Schedule::Lava, 64)] {
        let mut network = single(100, Population { vth: 99, ..Population::lif("cell", 1) });
        network.connections[0].delays = Some(vec![vec![63]]);
        device.load(&checked(&network, schedule, Overflow::Forbidden)?)?;
        let mut fired = Vec::new();
        for at in 0..140 {
            // Two spikes, one step apart.
            if step(device, if at < 2 { &FIRE } else { &[] })? > 0 {
                fired.push(at);
            }
        }
        wrong("the steps of its spikes", fired, vec![after, after + 1])?;
    }
    Ok(())
}

/// a and b excite each other; b also itself.
fn back_edges(device: &mut dyn Device) -> Result<(), Failure> {
    let mut network = Network::new("back");
    let input = network.input("in", 1);
    let of = |id: &str| Population { du: 4_095, dv: 4_095, vth: 99, ..Population::lif(id, 1) };
    let (a, b) = (network.population(of("a")), network.population(of("b")));
    network.connect(input, a, vec![vec![100]]);
    network.connect(a.into(), b, vec![vec![100]]);
    network.connect(b.into(), a, vec![vec![100]]);
    load(device, &network)?;
    let mut out = [Spike::default(); 2];
    let mut all = Vec::new();
    for at in 0..3 {
        let spikes = device.step(if at == 0 { &FIRE } else { &[] }, &mut out)?.spikes;
        all.push(out[..spikes].iter().map(|spike| spike.node).collect::<Vec<_>>());
    }
    // In one step in -> a -> b; and b -> a one later, each time.
    wrong("who fires in each step", all, vec![vec![0, 1], vec![0, 1], vec![0, 1]])
}

fn schedules(device: &mut dyn Device) -> Result<(), Failure> {
    for (schedule, steps) in [(Schedule::Cascade, [0, 0]), (Schedule::Lava, [1, 2])] {
        let mut network = single(100, Population { dv: 4_095, vth: 99, ..Population::lif("first", 1) });
        let second = Population { du: 4_095, dv: 4_095, vth: 99, ..Population::lif("second", 1) };
        let second = network.population(second);
        network.connect(Source::Population(0), second, vec![vec![100]]);
        device.load(&checked(&network, schedule, Overflow::Forbidden)?)?;
        wrong("the steps in which the layers fire", spiked(device)?, steps)?;
    }
    Ok(())
}

/// in -> first -> second, of which the last connection, both, or a delayed one act at once.
fn at_once(device: &mut dyn Device) -> Result<(), Failure> {
    for (schedule, which, delay, steps) in [
        (Schedule::Lava, [false, true], 0, [1, 1]),
        (Schedule::Lava, [true, false], 0, [0, 1]),
        (Schedule::Lava, [true, true], 0, [0, 0]),
        (Schedule::Lava, [true, true], 2, [0, 2]),
        (Schedule::Cascade, [true, true], 0, [0, 0]),
    ] {
        let mut network = single(100, Population { dv: 4_095, vth: 99, ..Population::lif("first", 1) });
        let second = Population { du: 4_095, dv: 4_095, vth: 99, ..Population::lif("second", 1) };
        let second = network.population(second);
        network.connect(Source::Population(0), second, vec![vec![100]]).delays = Some(vec![vec![delay]]);
        network.connections.iter_mut().zip(which).for_each(|(one, at_once)| one.at_once = at_once);
        device.load(&checked(&network, schedule, Overflow::Forbidden)?)?;
        wrong("the steps in which the layers fire", spiked(device)?, steps)?;
    }
    Ok(())
}

/// Of an event in the first of four steps: the step in which each of two neurons fires.
fn spiked(device: &mut dyn Device) -> Result<[usize; 2], Failure> {
    let mut fired = [9; 2];
    let mut out = [Spike::default(); 2];
    for at in 0..4 {
        let spikes = device.step(if at == 0 { &FIRE } else { &[] }, &mut out)?.spikes;
        out[..spikes].iter().for_each(|spike| fired[usize::from(spike.node)] = at);
    }
    Ok(fired)
}

fn subtraction(device: &mut dyn Device) -> Result<(), Failure> {
    for (weight, value, left) in [(-100, -1, -100 * 64 + 30 * 64), (200, 1, 200 * 64 - 50 * 64)] {
        let kind = Kind::TernaryLif { vth_hi: 50, vth_lo: -30 };
        load(device, &single(weight, Population { kind, reset: Reset::Subtract, ..Population::lif("cell", 1) }))?;
        let mut out = [Spike::default(); 1];
        wrong("the spikes", device.step(&FIRE, &mut out)?.spikes, 1)?;
        wrong("the value", out[0].value, value)?;
        wrong("the voltage", device.probe(Variable::Voltage, 0, 0)?, left)?;
    }
    Ok(())
}

/// 130 neurons, no two of them alike, against the arithmetic as it is written down.
fn own_constants(device: &mut dyn Device) -> Result<(), Failure> {
    const N: i64 = 130;
    let all = |of: fn(i64) -> i64| (0..N).map(of).collect::<Vec<i64>>();
    let (du, dv) = (all(|unit| 4_095 - 7 * unit), all(|unit| 31 * unit));
    let (vth, reset, bias) = (all(|unit| 100 + 3 * unit), all(|unit| 5 - unit), all(|unit| 40 - unit));
    let mut network = Network::new("own");
    let input = network.input("in", 1);
    let each = Each { du: du.clone(), dv: dv.clone(), vth: vth.clone(), reset: reset.clone() };
    let cells =
        Population { each, reset: Reset::To(0), sum_bias: bias.clone(), ..Population::lif("cells", N as usize) };
    let cells = network.population(cells);
    network.connect(input, cells, vec![vec![60]; N as usize]);
    load(device, &network)?;
    let (mut u, mut v) = (vec![0_i64; N as usize], vec![0_i64; N as usize]);
    for at in 0..40 {
        let mut spikes = 0;
        for unit in 0..N as usize {
            // Division of integers cuts toward zero, as the decay does.
            u[unit] = u[unit] * (4_095 - du[unit]) / 4_096 + 64 * (bias[unit] + if at % 3 == 0 { 60 } else { 0 });
            v[unit] = v[unit] * (4_096 - dv[unit]) / 4_096 + u[unit];
            if v[unit] > vth[unit] * 64 {
                v[unit] = reset[unit];
                spikes += 1;
            }
        }
        wrong("the spikes", step(device, if at % 3 == 0 { &FIRE } else { &[] })?, spikes)?;
        for (variable, expected) in [(Variable::Current, &u), (Variable::Voltage, &v)] {
            let mut found = vec![0; N as usize];
            device.probe_all(variable, 0, &mut found)?;
            wrong("the states", found.into_iter().map(i64::from).collect(), expected.clone())?;
        }
    }
    Ok(())
}

/// Of one neuron alone, so that vectors do it, too; and with the largest amount.
fn taken_off(device: &mut dyn Device) -> Result<(), Failure> {
    for (amount, left) in [(0, 6_400), (6_500, -100), (8_388_607, -8_382_207)] {
        load(device, &single(100, Population { vth: 99, reset: Reset::By(amount), ..Population::lif("cell", 1) }))?;
        wrong("the spikes", step(device, &FIRE)?, 1)?;
        wrong("the voltage", device.probe(Variable::Voltage, 0, 0)?, left)?;
    }
    Ok(())
}

fn doubled(device: &mut dyn Device) -> Result<(), Failure> {
    let two = |first, second| [first, second].map(|value| Spike { node: 0, unit: 0, value });
    let mut network = single(10, Population { vth: 131_071, ..Population::lif("cell", 1) });
    load(device, &network)?;
    step(device, &two(1, 1))?;
    wrong("the current of a spike that came twice", device.probe(Variable::Current, 0, 0)?, 640)?;
    network.connections[0].num_message_bits = 4;
    load(device, &network)?;
    step(device, &two(7, 8))?;
    wrong("the current of 7 + 8", device.probe(Variable::Current, 0, 0)?, 150 * 64)?;
    let fault = device.step(&two(8, 8), &mut []).err();
    wrong("8 + 8 in 4 bits", fault, Some(Fault::Value { node: 0, unit: 0, value: 16, most: 15 }))?;
    step(device, &two(7, -7))?;
    wrong("the current of 7 - 7", device.probe(Variable::Current, 0, 0)?, 0)
}

fn read_out(device: &mut dyn Device) -> Result<(), Failure> {
    // All fire in every step. What has more than 64 neurons may take another way.
    for n in [2, 70] {
        let mut network = Network::new("three");
        network.input("in", 1);
        for (id, n) in [("a", n), ("b", 1), ("c", 1)] {
            network.population(Population { bias_mant: vec![4_000], vth: 10, ..Population::lif(id, n) });
        }
        load(device, &network)?;
        let seen = |device: &mut dyn Device, what: &str, wanted: &[usize]| {
            let mut out = [Spike::default(); 72];
            let all: Vec<Spike> = (0_u16..3)
                .flat_map(|node| (0..if node == 0 { n as u16 } else { 1 }).map(move |unit| Spike::of(node, unit)))
                .filter(|spike| wanted.contains(&spike.node.into()))
                .collect();
            let (before, done) = (device.counters().spikes, device.step(&[], &mut out)?);
            wrong(what, (done.spikes, done.lost), (all.len(), 0))?;
            wrong(what, out.get(..done.spikes).unwrap_or_default(), &all[..])?;
            wrong("spikes, which are counted all the same,", device.counters().spikes - before, n as u64 + 2)
        };
        seen(device, "what is read out at first", &[0, 1, 2])?;
        device.read_out(&[2, 0, 2])?;
        seen(device, "what is read out of two", &[0, 2])?;
        device.read_out(&[1])?;
        let done = device.step(&[], &mut [Spike::default(); 1])?;
        wrong("spikes and lost of one", (done.spikes, done.lost), (1, 0))?;
        wrong("a population that is not there", device.read_out(&[1, 3]), Err(Fault::Nowhere { node: 3, unit: 0 }))?;
        seen(device, "what is read out after that", &[1])?;
        device.submit(&[])?;
        wrong("reading out others of a step that is pending", device.read_out(&[0]), Err(Fault::Pending))?;
        let mut out = [Spike::default(); 72];
        wrong("spikes of a step that was pending", fetched(device, &mut out)?.spikes, 1)?;
        device.restart()?;
        seen(device, "what is read out after a restart", &[1])?;
        device.read_out(&[])?;
        seen(device, "what is read out of nobody", &[])?;
        device.read_out(&[2])?;
        load(device, &network)?;
        seen(device, "what is read out of what is loaded anew", &[0, 1, 2])?;
    }
    Ok(())
}

fn no_room(device: &mut dyn Device) -> Result<(), Failure> {
    let mut network = Network::new("many");
    network.input("in", 1);
    network.population(Population { bias_mant: vec![4_000], vth: 10, ..Population::lif("all", 70) });
    load(device, &network)?;
    let mut out = [Spike::default(); 69];
    let done = device.step(&[], &mut out)?;
    wrong("spikes and lost", (done.spikes, done.lost, out[68].unit), (70, 1, 68))?;
    wrong("counted as lost", device.counters().lost, 1)?;
    let done = device.step(&[], &mut [])?;
    wrong("lost without a buffer", (done.spikes, done.lost), (70, 70))
}

fn refused_steps(device: &mut dyn Device) -> Result<(), Failure> {
    let network = single(100, Population { vth: 131_071, ..Population::lif("cell", 1) });
    load(device, &network)?;
    step(device, &FIRE)?;
    let before = (device.probe(Variable::Voltage, 0, 0)?, device.counters());
    for (node, unit) in [(1, 0), (0, 1), (u16::MAX, u16::MAX)] {
        let events = [Spike::of(0, 0), Spike::of(node, unit)];
        let expected = Fault::Nowhere { node: usize::from(node), unit: usize::from(unit) };
        wrong("a step with an event of nowhere", device.step(&events, &mut []).err(), Some(expected))?;
    }
    wrong("the state afterwards", (device.probe(Variable::Voltage, 0, 0)?, device.counters()), before)?;
    // And the next one is as if nothing had been asked.
    step(device, &[])?;
    wrong("the current", device.probe(Variable::Current, 0, 0)?, 0)
}

fn probe_and_poke(device: &mut dyn Device) -> Result<(), Failure> {
    let network = single(0, Population { vth: 131_071, refractory: 0, ..Population::lif("cell", 65) });
    let mut network = network;
    network.connections[0].weights = vec![vec![0]; 65];
    load(device, &network)?;
    for (population, unit) in [(0, 65), (1, 0), (usize::MAX, 0), (0, usize::MAX)] {
        let fault = Some(Fault::Nowhere { node: population, unit });
        wrong("a probe of nowhere", device.probe(Variable::Voltage, population, unit).err(), fault)?;
        wrong("a poke of nowhere", device.poke(Variable::Voltage, population, unit, 0).err(), fault)?;
    }
    for (value, fault) in [
        (8_388_607, None),
        (8_388_608, Some(Fault::State { value: 8_388_608 })),
        (-8_388_607, None),
        (-8_388_608, Some(Fault::State { value: -8_388_608 })),
    ] {
        wrong("a poke of a current", device.poke(Variable::Current, 0, 64, value).err(), fault)?;
        wrong("a poke of a voltage", device.poke(Variable::Voltage, 0, 64, value).err(), fault)?;
    }
    let fault = Some(Fault::State { value: 1 });
    wrong("a refractory step where there are none", device.poke(Variable::Refractory, 0, 0, 1).err(), fault)?;
    device.poke(Variable::Current, 0, 64, 0)?;
    device.poke(Variable::Voltage, 0, 64, 1_234)?;
    step(device, &[])?;
    wrong("a voltage that was set", device.probe(Variable::Voltage, 0, 64)?, 1_234)
}

/// The step that was submitted. A device with a clock of its own has a second, and as many polls as that is.
fn fetched(device: &mut dyn Device, out: &mut [Spike]) -> Result<Step, Failure> {
    let began = std::time::Instant::now();
    loop {
        if let Some(done) = device.poll(out)? {
            return Ok(done);
        }
        if began.elapsed().as_secs() >= 1 {
            return Err(Failure::Wrong("the step that was submitted is not done after a second".to_owned()));
        }
    }
}

fn submit_and_poll(device: &mut dyn Device) -> Result<(), Failure> {
    load(device, &single(100, Population { vth: 99, ..Population::lif("cell", 1) }))?;
    wrong("a poll of nothing", device.poll(&mut []).err(), Some(Fault::Nothing))?;
    device.submit(&FIRE)?;
    wrong("a second step meanwhile", device.submit(&FIRE).err(), Some(Fault::Pending))?;
    wrong("a step meanwhile", device.step(&FIRE, &mut []).err(), Some(Fault::Pending))?;
    let mut out = [Spike::default(); 1];
    let done = fetched(device, &mut out)?;
    wrong("what was fetched", (done.number, done.spikes, out[0]), (1, 1, Spike { node: 0, unit: 0, value: 1 }))?;
    wrong("a second poll", device.poll(&mut []).err(), Some(Fault::Nothing))?;
    wrong("the step after it", step(device, &[])?, 0)
}

fn restarts(device: &mut dyn Device) -> Result<(), Failure> {
    let mut network =
        single(100, Population { dv: 4_095, vth: 99, v0: vec![77], refractory: 3, ..Population::lif("cell", 1) });
    network.connections[0].delays = Some(vec![vec![5]]);
    load(device, &network)?;
    let run = |device: &mut dyn Device| -> Result<Vec<usize>, Failure> {
        (0..20).map(|at| step(device, if at % 3 == 0 { &FIRE } else { &[] })).collect()
    };
    let first = run(device)?;
    device.restart()?;
    wrong("what is counted after a restart", device.counters(), Counters::default())?;
    wrong("the voltage at the start", device.probe(Variable::Voltage, 0, 0)?, 77)?;
    let second = run(device)?;
    wrong("the spikes of a second run", second, first)
}
