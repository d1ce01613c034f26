//! The suite that every spiking device passes, unchanged: the twin's vector paths, a circuit, a board.
//!
//! It asks four things of a device: the golden vectors, state by state; random networks against the scalar specification,
//! by spikes, states and counters; the edges of every width; and what it does when it is asked wrongly. What a device says that it
//! can't do ([`Capabilities`](super::Capabilities)) is left out, and counted.

mod cases;
mod learning;

use super::device::{Device, Fault, Spike, Variable};
use super::golden::{Golden, compare};
use super::program::{Overflow, Program, Refused, Rules, Schedule};
use super::random::Random;
use super::twin::{Path, Software};
use crate::suite::Failure;

pub use crate::suite::{Case, Report, Verdict};

/// The vectors: networks that Lava 0.10 itself has run, thirteen by hand and eight at random.
pub const VECTORS: &[(&str, &str)] = &[
    ("g01_single_layer", include_str!("../../../tests/vectors/snn/g01_single_layer.json")),
    ("g02_two_layers", include_str!("../../../tests/vectors/snn/g02_two_layers.json")),
    ("g03_decay_edges", include_str!("../../../tests/vectors/snn/g03_decay_edges.json")),
    ("g04_saturation_wrap", include_str!("../../../tests/vectors/snn/g04_saturation_wrap.json")),
    ("g05_recurrent", include_str!("../../../tests/vectors/snn/g05_recurrent.json")),
    ("g06_delays", include_str!("../../../tests/vectors/snn/g06_delays.json")),
    ("g07_weight_bits_exp", include_str!("../../../tests/vectors/snn/g07_weight_bits_exp.json")),
    ("g08_bias_exp", include_str!("../../../tests/vectors/snn/g08_bias_exp.json")),
    ("g09_lif_reset", include_str!("../../../tests/vectors/snn/g09_lif_reset.json")),
    ("g10_ternary", include_str!("../../../tests/vectors/snn/g10_ternary.json")),
    ("g11_graded", include_str!("../../../tests/vectors/snn/g11_graded.json")),
    ("g12_gateway_128_256_64", include_str!("../../../tests/vectors/snn/g12_gateway_128_256_64.json")),
    ("g13_wrap_quirk", include_str!("../../../tests/vectors/snn/g13_wrap_quirk.json")),
    ("r01_random", include_str!("../../../tests/vectors/snn/r01_random.json")),
    ("r02_random", include_str!("../../../tests/vectors/snn/r02_random.json")),
    ("r03_random", include_str!("../../../tests/vectors/snn/r03_random.json")),
    ("r04_random", include_str!("../../../tests/vectors/snn/r04_random.json")),
    ("r05_random", include_str!("../../../tests/vectors/snn/r05_random.json")),
    ("r06_random", include_str!("../../../tests/vectors/snn/r06_random.json")),
    ("r07_random", include_str!("../../../tests/vectors/snn/r07_random.json")),
    ("r08_random", include_str!("../../../tests/vectors/snn/r08_random.json")),
];

/// How much of the suite is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Random networks go on until so many neurons have been updated.
    pub updates: u64,
    /// The seed of the first of them.
    pub seed: u64,
}

impl Default for Extent {
    fn default() -> Self {
        Extent { updates: 1_000_000, seed: 1 }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unable { .. } | Refused::TooLarge { .. } => Failure::Unable(refused.to_string()),
            other => Failure::Wrong(other.to_string()),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure::Wrong(fault.to_string())
    }
}

/// Runs the whole suite against `device`.
pub fn run(device: &mut dyn Device, extent: &Extent) -> Report {
    let mut report = Report { device: device.capabilities().name, ..Report::default() };
    for (name, text) in VECTORS {
        report.case(*name, golden(device, text));
    }
    for (name, schedule, overflow) in [
        ("random networks, lava, wrapping", Schedule::Lava, Overflow::Wrap),
        ("random networks, cascade, wrapping", Schedule::Cascade, Overflow::Wrap),
        ("random networks, cascade, bounded", Schedule::Cascade, Overflow::Forbidden),
    ] {
        for extensions in [false, true] {
            let rules = Rules { schedule, overflow };
            let name = if extensions { format!("{name}, with extensions") } else { name.to_owned() };
            let of = |seed| Random::of(seed, &rules, extensions);
            let verdict = random(device, of, extent, &mut report.updates);
            report.case(name, verdict);
        }
    }
    for (name, schedule) in [
        ("random networks, plain and small", Schedule::Cascade),
        ("random networks, plain and small, lava", Schedule::Lava),
    ] {
        let rules = Rules { schedule, overflow: Overflow::Forbidden };
        let verdict = random(device, |seed| Random::plain(seed, &rules), extent, &mut report.updates);
        report.case(name, verdict);
    }
    for (name, case) in cases::ALL.iter().chain(learning::ALL) {
        report.case(*name, case(device));
    }
    report
}

/// What connections that learn have learnt.
fn learnt(device: &dyn Device, specification: &Software, program: &Program) -> Result<(), String> {
    for (at, one) in program.synapses().iter().enumerate().filter(|(_, one)| one.learning.is_some()) {
        for (target, unit) in (0..one.weights.len()).map(|synapse| (synapse / one.fan_in, synapse % one.fan_in)) {
            let found =
                device.weight(at, target, unit).map_err(|fault| format!("the weights of {}: {fault}", one.id))?;
            let wanted = specification.weight(at, target, unit).map_err(|fault| fault.to_string())?;
            if found != wanted {
                return Err(format!("the weight of {} from {unit} to {target} is {found}, not {wanted}", one.id));
            }
        }
    }
    Ok(())
}

fn golden(device: &mut dyn Device, text: &str) -> Result<(), Failure> {
    let golden = Golden::parse(text).map_err(|error| Failure::Wrong(error.to_string()))?;
    let found = golden.run(device, &Rules::LAVA).map_err(|error| match error {
        super::golden::GoldenError::Refused(refused) => refused.into(),
        other => Failure::Wrong(other.to_string()),
    })?;
    let expected = golden.trace().ok_or_else(|| Failure::Wrong("the file has no trace".to_owned()))?;
    compare(expected, &found).map_err(|differs| Failure::Wrong(differs.to_string()))
}

/// Random networks until `extent.updates` / 6 neurons have been updated; each for 64 steps or more.
fn random(
    device: &mut dyn Device,
    of: impl Fn(u64) -> Random,
    extent: &Extent,
    updates: &mut u64,
) -> Result<(), Failure> {
    let (mut seed, mut done, mut unable) = (extent.seed, 0, None);
    while done < extent.updates.div_ceil(6) {
        let mut random = of(seed);
        match device.load(&random.program) {
            Ok(()) => {
                let steps = 64 + (seed % 64) as usize;
                same(device, &mut random, steps).map_err(|text| Failure::Wrong(format!("seed {seed}: {text}")))?;
                done += (steps * random.program.neurons()) as u64;
            }
            Err(refused @ (Refused::Unable { .. } | Refused::TooLarge { .. })) => {
                unable = Some(refused.to_string());
                // One that can hold none of a hundred can't do this.
                if done == 0 && seed - extent.seed > 100 {
                    break;
                }
            }
            Err(refused) => return Err(refused.into()),
        }
        seed += 1;
    }
    *updates += done;
    match unable {
        Some(text) if done == 0 => Err(Failure::Unable(text)),
        _ => Ok(()),
    }
}

/// Runs the same on `device`, which has the program, and on the specification.
fn same(device: &mut dyn Device, random: &mut Random, steps: usize) -> Result<(), String> {
    let program = random.program.clone();
    let mut specification = Software::on(Path::Scalar).ok_or("there is no scalar path")?;
    specification.load(&program).map_err(|refused| refused.to_string())?;
    let mut events = Vec::new();
    let mut outs = [vec![Spike::default(); program.neurons()], vec![Spike::default(); program.neurons()]];
    for step in 0..steps {
        random.events(&mut events);
        let [out, expected] = &mut outs;
        let found = device.step(&events, out).map_err(|fault| format!("step {step}: {fault}"))?;
        let wanted = specification.step(&events, expected).map_err(|fault| format!("step {step}: {fault}"))?;
        if found != wanted || out[..found.spikes] != expected[..wanted.spikes] {
            return Err(format!("step {step}: its spikes are not those of the specification"));
        }
        for (node, cells) in program.cells().iter().enumerate() {
            for variable in [Variable::Current, Variable::Voltage, Variable::Refractory] {
                let mut rows = [vec![0; cells.n], vec![0; cells.n]];
                let probed = |fault: Fault| format!("step {step}: {variable:?} of {}: {fault}", cells.id);
                device.probe_all(variable, node, &mut rows[0]).map_err(probed)?;
                specification.probe_all(variable, node, &mut rows[1]).map_err(probed)?;
                if let Some(unit) = (0..cells.n).find(|&unit| rows[0][unit] != rows[1][unit]) {
                    let (found, wanted) = (rows[0][unit], rows[1][unit]);
                    return Err(format!("step {step}: {variable:?} of {}[{unit}] is {found}, not {wanted}", cells.id));
                }
            }
        }
    }
    learnt(device, &specification, &program)?;
    for (node, cells) in program.cells().iter().enumerate() {
        let overflows = |of: &dyn Device| of.overflows(node).map_err(|fault| format!("{}: {fault}", cells.id));
        let (found, wanted) = (overflows(device)?, overflows(&specification)?);
        if found != wanted {
            return Err(format!("it counted {found} overflows of {}, not {wanted}", cells.id));
        }
    }
    let (found, wanted) = (device.counters(), specification.counters());
    let found = super::Counters { cycles: 0, ..found };
    if found == wanted { Ok(()) } else { Err(format!("it counted {found:?}, not {wanted:?}")) }
}
