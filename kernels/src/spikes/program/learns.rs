//! How a connection learns, checked.

use super::{Refused, range};
use crate::spikes::learning::Learning;
use crate::spikes::network::{Connection, Network, Source};

/// The largest reward, in size.
pub(super) const REWARD: i32 = 127;

/// What the connection learns by, if its `weights`, as they act, are some that it could have learnt.
pub(super) fn checked(
    id: &str,
    network: &Network,
    one: &Connection,
    weights: &[i16],
) -> Result<Option<Learning>, Refused> {
    let Some(rule) = &one.learning else { return Ok(None) };
    for (key, value, low, high) in [
        ("learning.pre_decay", rule.pre_decay, 0, 4_095),
        ("learning.post_decay", rule.post_decay, 0, 4_095),
        ("learning.impulse", rule.impulse, 1, 65_535),
        ("learning.a_plus", rule.a_plus, 0, 65_535),
        ("learning.a_minus", rule.a_minus, 0, 65_535),
        ("learning.a_fire", rule.a_fire, 0, 65_535),
        ("learning.seed", rule.seed, 1, i64::from(u32::MAX)),
        ("learning.low", rule.low, -255, 255),
        // Of one sign: where signs are mixed a weight has no lowest bit.
        ("learning.high", rule.high, rule.low, if rule.low < 0 { 0 } else { 255 }),
        ("num_weight_bits, of a connection that learns,", one.num_weight_bits, 8, 9),
        ("num_message_bits, of a connection that learns,", one.num_message_bits, 0, 0),
        ("number of delays, of a connection that learns,", i64::from(one.delays.is_some()), 0, 0),
    ] {
        range(id, key, value, low, high)?;
    }
    for &weight in weights {
        range(id, "a weight at the start", weight.into(), rule.low, rule.high)?;
    }
    if let Some(reward) = &rule.reward {
        range(id, "learning.reward.decay", reward.decay, 0, 4_096)?;
        range(id, "learning.reward.every", reward.every, 1, 65_535)?;
        range(id, "learning.reward.shift", reward.shift, 0, 15)?;
        let missing = || Refused::Missing { node: id.to_owned(), what: "input", index: reward.input };
        let input = network.inputs.get(reward.input).ok_or_else(missing)?;
        range(&input.id, "n, of an input that is a reward,", input.n as i64, 1, 1)?;
        let heard = network.connections.iter().filter(|one| one.source == Source::Input(reward.input)).count();
        range(&input.id, "number of connections, of an input that is a reward,", heard as i64, 0, 0)?;
    }
    Ok(Some(rule.clone()))
}
