//! Populations, checked.

use super::{Cells, Overflow, Own, Refused, STATE, range};
use crate::spikes::network::{Kind, Population, Reset};

/// One value for each neuron: of a list, of one for all, or `default`.
fn each(node: &str, key: &str, values: &[i64], n: usize, default: i64) -> Result<Vec<i64>, Refused> {
    match values {
        [] => Ok(vec![default; n]),
        [one] => Ok(vec![*one; n]),
        all if all.len() == n => Ok(all.to_vec()),
        all => Err(Refused::Shape {
            node: node.to_owned(),
            key: key.to_owned(),
            of: "values",
            found: all.len(),
            expected: n,
        }),
    }
}

/// The same, each in its range.
fn each_within(node: &str, key: &str, values: &[i64], n: usize, (low, high): (i64, i64)) -> Result<Vec<i32>, Refused> {
    let mut all = Vec::with_capacity(n);
    for (at, value) in each(node, key, values, n, 0)?.into_iter().enumerate() {
        if !(low..=high).contains(&value) {
            range(node, &format!("{key}[{at}]"), value, low, high)?;
        }
        all.push(value as i32);
    }
    Ok(all)
}

/// Constants of which each neuron may have its own: `each`, or `one` for all.
fn constants(
    node: &str,
    key: &str,
    (one, each): (i64, &[i64]),
    n: usize,
    (low, high): (i64, i64),
) -> Result<Vec<i32>, Refused> {
    if each.is_empty() {
        return Ok(vec![range(node, key, one, low, high)? as i32; n]);
    }
    if each.len() != n {
        let (node, key) = (node.to_owned(), key.to_owned());
        return Err(Refused::Shape { node, key, of: "values", found: each.len(), expected: n });
    }
    each_within(node, key, each, n, (low, high))
}

/// When a population clears itself, and below what it fires negative spikes.
type OfKind = (Option<(u64, u64)>, Option<i32>);

fn kind(one: &Population) -> Result<OfKind, Refused> {
    let (id, state) = (&one.id, i64::from(STATE));
    match one.kind {
        Kind::Lif => Ok((None, None)),
        Kind::LifReset { interval, offset } => {
            range(id, "reset_interval", interval, 1, i64::from(u32::MAX))?;
            Ok((Some((interval as u64, offset.rem_euclid(interval) as u64)), None))
        }
        Kind::TernaryLif { vth_hi, vth_lo } => {
            range(id, "vth_hi", vth_hi, -state, state - 1)?;
            range(id, "values of vth", one.each.vth.len() as i64, 0, 0)?;
            Ok((None, Some((range(id, "vth_lo", vth_lo, -state, vth_hi)? << 6) as i32)))
        }
    }
}

/// What a spike leaves in each neuron.
fn resets(one: &Population, above: &[i32], below: Option<i32>) -> Result<Vec<Reset>, Refused> {
    let (id, state) = (&one.id, i64::from(STATE));
    // What a voltage loses when it is above a threshold of 0 or more leaves it within its 24 bits.
    let (value, low, most, of): (i64, i64, i64, fn(i64) -> Reset) = match one.reset {
        Reset::To(value) => (value, below.map_or(1 - state, i64::from).max(1 - state), i64::MAX, Reset::To),
        Reset::By(value) => (value, 0, if below.is_some() { 0 } else { state - 1 }, Reset::By),
        Reset::Zero | Reset::Subtract => {
            range(id, "values of reset, where it has none,", one.each.reset.len() as i64, 0, 0)?;
            return Ok(vec![one.reset; one.n]);
        }
    };
    let own = !one.each.reset.is_empty();
    let all = if own { each(id, "reset", &one.each.reset, one.n, 0)? } else { vec![value; one.n] };
    for (at, (&value, &above)) in all.iter().zip(above).enumerate() {
        let high = if most == i64::MAX { i64::from(above).min(state - 1) } else { most };
        if !(low..=high).contains(&value) {
            range(id, &if own { format!("reset[{at}]") } else { "reset".to_owned() }, value, low, high)?;
        }
    }
    Ok(all.into_iter().map(of).collect())
}

/// A population, checked; its connections are added later.
pub(super) fn checked(one: &Population, overflow: Overflow) -> Result<Cells, Refused> {
    let (id, n) = (&one.id, one.n);
    let state = i64::from(STATE);
    let (clear, below) = kind(one)?;
    let du = constants(id, "du", (one.du, &one.each.du), n, (0, 4_095))?;
    let dv = constants(id, "dv", (one.dv, &one.each.dv), n, (0, 4_095))?;
    let above: Vec<i32> = match one.kind {
        Kind::TernaryLif { vth_hi, .. } => vec![(vth_hi << 6) as i32; n],
        _ => constants(id, "vth", (one.vth, &one.each.vth), n, (0, 131_071))?.iter().map(|vth| vth << 6).collect(),
    };
    let reset = resets(one, &above, below)?;
    let mant = each_within(id, "bias_mant", &one.bias_mant, n, (-4_096, 4_095))?;
    let exp = each_within(id, "bias_exp", &one.bias_exp, n, (-15, 7))?;
    let mut sum_bias = each_within(id, "sum_bias", &one.sum_bias, n, (1 - state, state - 1))?;
    if sum_bias.iter().all(|&bias| bias == 0) {
        sum_bias.clear();
    }
    // Lava keeps currents from -2^23 (exclusive) to 2^23 (inclusive); where they can't wrap, the latter is left out, too.
    let most_u = if overflow == Overflow::Wrap { state } else { state - 1 };
    let own = Own {
        keep_u: du.iter().map(|du| 4_095 - du).collect(),
        keep_v: dv.iter().map(|dv| 4_096 - dv).collect(),
        above,
        reset,
    };
    // A population has a unit at least.
    let at = |all: &[i32]| all.first().copied().unwrap_or_default();
    Ok(Cells {
        id: id.clone(),
        n,
        keep_u: at(&own.keep_u),
        keep_v: at(&own.keep_v),
        above: at(&own.above),
        below,
        bias: mant.iter().zip(&exp).map(|(&mant, &exp)| if exp >= 0 { mant << exp } else { mant >> -exp }).collect(),
        u0: each_within(id, "u0", &one.u0, n, (1 - state, most_u))?,
        v0: each_within(id, "v0", &one.v0, n, (1 - state, state - 1))?,
        reset: own.reset.first().copied().unwrap_or_default(),
        refractory: range(id, "refractory", one.refractory, 0, 63)? as u8,
        sum_bias,
        own: Some(own).filter(Own::differs),
        clear,
        incoming: Vec::new(),
    })
}

impl Own {
    /// Does any neuron have a constant that another does not have?
    fn differs(&self) -> bool {
        fn any<T: PartialEq>(all: &[T]) -> bool {
            all.windows(2).any(|two| two.first() != two.last())
        }
        any(&self.keep_u) || any(&self.keep_v) || any(&self.above) || any(&self.reset)
    }
}
