//! How large a population's sums can become: known from the weights alone.

use super::{Cells, Refused, Synapses};
use crate::spikes::network::Source;

/// The largest sum of weighted inputs that a neuron of a population can get in one step, whatever fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// In size, after the exponents: of the neuron in which it is largest, for what its current loses in a step.
    pub sum: i64,
    /// Which neuron that is.
    pub unit: usize,
}

impl Bound {
    /// Of `cells`, whose connections are some of `all`.
    pub(super) fn of(cells: &Cells, all: &[Synapses], sources: &[Cells]) -> Bound {
        let mut largest = Bound::default();
        for unit in 0..cells.n {
            let (mut up, mut down) = (0_i64, 0_i64);
            let bias = cells.sum_bias.get(unit).copied().unwrap_or_default();
            for connection in cells.incoming.iter().filter_map(|&at| all.get(at)) {
                let (one_up, one_down) = extremes(connection, unit, sources);
                up = up.saturating_add(one_up);
                down = down.saturating_add(one_down);
            }
            // What a sum begins with is always there.
            let sum = up.saturating_add(bias.into()).max(-down.saturating_add(bias.into()));
            // Where neurons lose their currents at paces of their own, the largest is the one that is nearest to its limit.
            let decay = |unit| i128::from(4_096 - cells.keep_u_of(unit));
            if i128::from(sum) * decay(largest.unit) > i128::from(largest.sum) * decay(unit) {
                largest = Bound { sum, unit };
            }
        }
        largest
    }

    /// Can a current of these cells, which begins within its 24 bits, ever leave them?
    ///
    /// With a = du + 1, a step takes a current u to at most (1 - a / 4096) |u| + 64 sum in size, which stays below 2^23 for |u|
    /// below 2^23 if 64 sum < a 2^23 / 4096, that is, sum < 32 a.
    pub(super) fn check(self, cells: &Cells) -> Result<(), Refused> {
        let du = 4_095 - cells.keep_u_of(self.unit);
        let limit = 32 * (i64::from(du) + 1);
        // Without input nothing can grow.
        if self.sum == 0 || self.sum < limit {
            return Ok(());
        }
        Err(Refused::Overflow { node: cells.id.clone(), unit: self.unit, sum: self.sum, du, limit })
    }
}

/// The largest sum of one connection in a step, in size, ahead of its exponent.
pub(super) fn unshifted(connection: &Synapses, sources: &[Cells]) -> i64 {
    let most = if connection.graded { value(connection, sources) } else { 1 };
    let rows = connection.weights.chunks(connection.fan_in);
    let size = |&weight: &i16| reach(connection, weight).iter().map(|one| one.abs()).max().unwrap_or_default();
    rows.map(|row| row.iter().map(size).sum::<i64>() * most).max().unwrap_or_default()
}

/// The largest and the least that one connection can add to this neuron in a step.
fn extremes(connection: &Synapses, unit: usize, sources: &[Cells]) -> (i64, i64) {
    let row = unit * connection.fan_in..(unit + 1) * connection.fan_in;
    let weights = connection.weights.get(row.clone()).unwrap_or_default();
    let signed = |weight: &i16| {
        let [low, high] = reach(connection, *weight);
        if connection.graded {
            let weight = i64::from(*weight);
            let most = value(connection, sources);
            (weight.abs() * most, -weight.abs() * most)
        } else {
            (high.max(0), low.min(0))
        }
    };
    let Some((delays, longest)) = &connection.delays else {
        let (up, down) = weights.iter().map(signed).fold((0, 0), |sum: (i64, i64), one| (sum.0 + one.0, sum.1 + one.1));
        return (shift(up, connection.exponent), shift(down, connection.exponent));
    };
    // Each delay's sum is shifted by itself, and spikes of different steps may arrive together.
    let delays = delays.get(row).unwrap_or_default();
    let mut sums = vec![(0_i64, 0_i64); usize::from(*longest) + 1];
    for (one, &delay) in weights.iter().map(signed).zip(delays) {
        if let Some(sum) = sums.get_mut(usize::from(delay)) {
            *sum = (sum.0 + one.0, sum.1 + one.1);
        }
    }
    let shifted = sums.iter().map(|sum| (shift(sum.0, connection.exponent), shift(sum.1, connection.exponent)));
    shifted.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// The least and the most that a weight can be: what it is, or what it can learn.
fn reach(connection: &Synapses, weight: i16) -> [i64; 2] {
    connection.learning.as_ref().map_or([weight.into(); 2], |rule| [rule.low, rule.high])
}

/// The largest value, in size, that a spike of this connection's source can have.
fn value(connection: &Synapses, sources: &[Cells]) -> i64 {
    match connection.source {
        // What comes in is told apart by nothing but its bits, whose highest may be a sign.
        Source::Input(_) => i64::from(connection.most_value),
        Source::Population(at) => i64::from(sources.get(at).is_some()),
    }
}

/// Neither loses a bit: sums are below 2^9 x 2^24 x 2^16.
fn shift(sum: i64, exponent: i32) -> i64 {
    if exponent >= 0 { sum.saturating_mul(1_i64 << exponent) } else { sum >> -exponent }
}
