//! From floating point to integers: a scale for each population, weights of a few bits and a power of two.
//!
//! A population has one scale: so many units of a sum for 1 of the voltage. It is as large as the threshold allows ([`THRESHOLD`]),
//! and no larger than the proof that no current overflows: its largest weight then uses all bits that a weight has.

use super::float::{Float, Group, Path, Reset};
use super::fold::Source;
use super::{NirError, Options, value};
use crate::spikes::network::{self, Connection, Each, Kind, Network, Population, SignMode};
use crate::spikes::program::STATE;

/// The largest threshold, in units of a sum, that is made: a sixteenth of what a voltage can be, for voltages that go below 0 as far as
/// they do above.
const THRESHOLD: f64 = 8_192.0;
/// A threshold that no voltage passes, nor one of its opposite.
const NEVER: (i64, i64) = ((STATE as i64) - 1, -(STATE as i64));

/// The network in integers; the scale of each population is written into `float`.
pub(super) fn network(float: &mut Float, options: &Options) -> Result<Network, NirError> {
    let mut network = Network::new("");
    for (name, n) in &float.inputs {
        network.input(name, *n);
    }
    for group in &mut float.groups {
        let (scale, exponents) = scale(group, options)?;
        group.scale = scale * 64.0;
        let population = population(group, scale)?;
        let target = network.population(population);
        for (path, exponent) in group.paths.iter().zip(exponents) {
            network.connections.push(connection(path, target, group.n, (scale, exponent), options));
        }
    }
    Ok(network)
}

/// The largest weight, in size, and what it may be in bits.
fn full(bits: u32) -> f64 {
    f64::from((1_u32 << (bits - 1)) - 1)
}

/// The unit of a weight: mixed weights of fewer bits leave their low ones out.
fn unit(bits: u32) -> f64 {
    f64::from(1_u32 << (9 - bits))
}

fn largest(all: &[f64]) -> f64 {
    all.iter().fold(0.0, |most: f64, one| most.max(one.abs()))
}

/// The least exponent with which the largest weight of a path fits its bits.
fn exponent(path: &Path, scale: f64, bits: u32) -> i32 {
    let most = largest(&path.weight) * scale;
    if most == 0.0 {
        return 0;
    }
    let exact = (most / (full(bits) * unit(bits))).log2();
    // A largest weight that fills its bits to the last is not to be rounded to the next power.
    (exact - 1e-9).ceil().clamp(-31.0, 31.0) as i32
}

/// The scale of a population, and the exponent of each path.
fn scale(group: &Group, options: &Options) -> Result<(f64, Vec<i32>), NirError> {
    let bits = options.bits;
    let main = group.paths.iter().map(|path| largest(&path.weight)).fold(0.0, f64::max);
    let reach = if group.threshold.is_empty() { amplitude(group) / 8.0 } else { largest(&group.threshold) };
    let reach = reach.max(largest(&group.bias)).max(f64::MIN_POSITIVE);
    let most = THRESHOLD / reach;
    if main == 0.0 {
        return Ok((if most.is_finite() { most.min(1e12) } else { 1.0 }, vec![0; group.paths.len()]));
    }
    // With this the largest weight is the largest that its bits can say, ahead of the exponent.
    let base = full(bits) * unit(bits) / main;
    let mut at = (most / base).log2().floor().min(31.0 - 9.0);
    while at >= -31.0 {
        let scale = base * at.exp2();
        let exponents: Vec<i32> = group.paths.iter().map(|path| exponent(path, scale, bits)).collect();
        if proved(group, scale, &exponents, options) {
            return Ok((scale, exponents));
        }
        at -= 1.0;
    }
    let text = "its weights are so much larger than what its current loses in a step that no scale is proved not to overflow; take a larger dt";
    Err(value(&group.name, text))
}

/// The largest voltage that neurons without a threshold can come to, roughly.
fn amplitude(group: &Group) -> f64 {
    let mut most: f64 = 0.0;
    for unit in 0..group.n {
        let weights = |path: &Path| {
            path.weight.chunks(path.columns).nth(unit).map_or(0.0, |row| row.iter().map(|one| one.abs()).sum())
        };
        let sum: f64 = group.paths.iter().map(weights).sum::<f64>() + group.bias[unit].abs();
        let stays = |keep: f64| 1.0 / (1.0 - keep).max(1.0 / 8_192.0);
        most = most.max((sum * stays(group.keep_u[unit]) + group.leak[unit].abs()) * stays(group.keep_v[unit]));
    }
    most
}

/// Is every sum below 32 (du + 1), whatever fires?
fn proved(group: &Group, scale: f64, exponents: &[i32], options: &Options) -> bool {
    let cells = |unit: usize| {
        let bias = group.bias[unit] * scale;
        let (mut up, mut down) = (bias.abs() + 1.0, bias.abs() + 1.0);
        for (path, &exponent) in group.paths.iter().zip(exponents) {
            let worth = match path.source {
                Source::Input(_) if options.message_bits > 0 => f64::from((1_u32 << options.message_bits) - 1),
                _ => 1.0,
            };
            let factor = f64::from(exponent).exp2() * worth;
            let step = (scale, exponent, options.bits);
            let row = path.weight.chunks(path.columns).nth(unit).unwrap_or_default();
            let (mut plus, mut minus) = (0.0, 0.0);
            for weight in row.iter().map(|&weight| f64::from(integer(weight, step) as i32)) {
                if weight > 0.0 { plus += weight } else { minus -= weight }
            }
            if worth > 1.0 {
                // Values have signs.
                (plus, minus) = (plus + minus, plus + minus);
            }
            // A shift down rounds away from 0 below it; with delays, once for each.
            up += (plus * factor).ceil() + 64.0 * f64::from(u8::from(exponent < 0));
            down += (minus * factor).ceil() + 64.0 * f64::from(u8::from(exponent < 0));
        }
        up.max(down) < 32.0 * f64::from(loss(group.keep_u[unit]) + 1)
    };
    (0..group.n).all(cells)
}

/// `du` of what is kept of a current.
fn loss(keep: f64) -> i32 {
    (4_095.0 - (keep * 4_096.0).round()).clamp(0.0, 4_095.0) as i32
}

/// A weight as it is written: of so many bits, above those that are left out.
fn integer(weight: f64, (scale, exponent, bits): (f64, i32, u32)) -> i64 {
    let steps = (weight * scale / unit(bits) / f64::from(exponent).exp2()).round();
    (steps.clamp(-full(bits), full(bits)) * unit(bits)) as i64
}

fn connection(path: &Path, target: usize, n: usize, (scale, exponent): (f64, i32), options: &Options) -> Connection {
    let source = match path.source {
        Source::Input(at) => network::Source::Input(at),
        Source::Group(at) => network::Source::Population(at),
    };
    let row = |row: &[f64]| row.iter().map(|&weight| integer(weight, (scale, exponent, options.bits))).collect();
    let mut made = Connection::of(source, target, path.weight.chunks(path.columns).map(row).collect());
    debug_assert_eq!(made.weights.len(), n);
    (made.weight_exp, made.num_weight_bits) = (exponent.into(), options.bits.into());
    made.sign_mode = Some(SignMode::Mixed);
    if matches!(path.source, Source::Input(_)) {
        made.num_message_bits = options.message_bits.into();
    }
    if !path.delays.is_empty() {
        let row = |row: &[u8]| row.iter().map(|&delay| i64::from(delay)).collect();
        made.delays = Some(path.delays.chunks(path.columns).map(row).collect());
    }
    made
}

fn population(group: &Group, scale: f64) -> Result<Population, NirError> {
    let name = &group.name;
    let rounded = |key: &str, value_of: f64, most: i64| -> Result<i64, NirError> {
        let whole = value_of.round();
        if whole.abs() <= most as f64 {
            return Ok(whole as i64);
        }
        Err(value(
            name,
            format!(
                "{key} comes to {whole} in integers; {most} is the most, beside weights and thresholds of this size"
            ),
        ))
    };
    let all = |key: &str, values: &[f64], factor: f64, most: i64| -> Result<Vec<i64>, NirError> {
        values.iter().map(|&one| rounded(key, one * factor, most)).collect()
    };
    let state = i64::from(STATE) - 1;
    let mut made = Population::lif(name, group.n);
    made.each.du = group.keep_u.iter().map(|&keep| loss(keep).into()).collect();
    made.each.dv =
        group.keep_v.iter().map(|&keep| (4_096.0 * (1.0 - keep)).round().clamp(0.0, 4_095.0) as i64).collect();
    made.sum_bias = all("the bias", &group.bias, scale, state)?;
    for voltage in all("v_leak", &group.leak, scale * 64.0, 4_095 << 7)? {
        // Thirteen bits with sign, and as few shifts as they need.
        let exp = (0..7).find(|&exp| (voltage >> exp).abs() <= 4_095).unwrap_or(7);
        made.bias_mant.push((voltage >> exp).clamp(-4_096, 4_095));
        made.bias_exp.push(exp);
    }
    if group.threshold.is_empty() {
        made.kind = Kind::TernaryLif { vth_hi: NEVER.0, vth_lo: NEVER.1 };
    } else {
        made.each.vth = all("v_threshold", &group.threshold, scale, 131_071)?;
        if group.stateless {
            made.kind = Kind::LifReset { interval: 1, offset: 0 };
        }
        match &group.reset {
            Reset::To(to) => set_reset(&mut made, all("v_reset", to, scale * 64.0, state)?),
            Reset::ToLater(to) => {
                set_reset(&mut made, all("v_reset", to, scale * 64.0, state)?);
                made.refractory = 1;
            }
            Reset::Subtract => made.reset = network::Reset::Subtract,
            Reset::SubtractLater => {
                // What is taken off now decays once before it is looked at.
                let kept = |unit: usize| (4_096 - made.each.dv[unit]) as f64 / 4_096.0;
                let amounts = group.threshold.iter().enumerate().map(|(unit, threshold)| threshold / kept(unit));
                let amounts =
                    all("the threshold, subtracted a step late,", &amounts.collect::<Vec<_>>(), scale * 64.0, state)?;
                (made.reset, made.each.reset) = (network::Reset::By(0), amounts);
            }
        }
    }
    plain(&mut made);
    Ok(made)
}

fn set_reset(made: &mut Population, to: Vec<i64>) {
    if to.iter().any(|&voltage| voltage != 0) {
        (made.reset, made.each.reset) = (network::Reset::To(0), to);
    }
}

/// Lists of one value are that value, and lists of zeros are none.
fn plain(made: &mut Population) {
    let same = |all: &mut Vec<i64>| {
        let first = all.first().copied().filter(|first| all.iter().all(|one| one == first));
        if first.is_some() {
            all.clear();
        }
        first
    };
    let Each { du, dv, vth, reset } = &mut made.each;
    made.du = same(du).unwrap_or(made.du);
    made.dv = same(dv).unwrap_or(made.dv);
    made.vth = same(vth).unwrap_or(made.vth);
    if let Some(value) = same(reset) {
        made.reset = match made.reset {
            network::Reset::By(_) => network::Reset::By(value),
            _ => network::Reset::To(value),
        };
    }
    if made.bias_mant.iter().all(|&mant| mant == 0) {
        (made.bias_mant, made.bias_exp) = (Vec::new(), Vec::new());
    }
    if made.sum_bias.iter().all(|&bias| bias == 0) {
        made.sum_bias.clear();
    }
}
