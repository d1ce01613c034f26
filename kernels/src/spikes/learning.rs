//! Weights that change while the network runs: pair-based spike-timing-dependent plasticity (STDP), by itself or modulated by a reward.
//!
//! This is the specification; whatever learns has the same bits. A connection that learns has a trace for each unit of its source (`pre`) and
//! for each neuron of its target (`post`), 16 bits without sign, and a shift register for each neuron of its target.
//! In each step, after its target's neurons have fired or not, in this order:
//!
//! 1. Every trace keeps (4096 - decay) / 4096 of itself, cut down.
//! 2. *Depression.* For each unit whose spike arrives in this step, in rising order, and each neuron in rising order whose `post` is not
//!    0: the weight changes by -a_minus * post.
//! 3. The `pre` of those units gets the impulse: it becomes that (`nearest`), or grows by it, to 65,535 at most.
//! 4. *Potentiation.* For each neuron that fires in this step, in rising order, and each unit in rising order: the weight changes by
//!    a_plus * pre - a_fire * 2^16. A spike that arrives in the step in which its target fires has helped it to.
//! 5. The `post` of those neurons gets the impulse.
//!
//! A weight that is to change by c / 2^24 becomes w + ((c + r) >> 24), where r is the next 24 bits of the neuron's shift register and the shift
//! is arithmetic: on average the change is c / 2^24 exactly ([`Register`]). Then it is kept within `low` and `high`. Nothing is drawn for a change of 0.
//!
//! *With a reward* it is not the weight that changes, but the eligibility of the synapse, 16 bits with sign that saturate, in 1/256 of
//! a weight: by (c + (r & 0xffff)) >> 16. Then, still in this step:
//!
//! 6. If the reward's input has an event of value R: for each neuron and each unit in rising order whose eligibility e is not 0, the
//!    weight changes by R e / 2^(8 + shift): it becomes w + ((R e + (r mod 2^(8 + shift))) >> (8 + shift)), within its bounds.
//! 7. In each step whose number, from 1 on, is a multiple of `every`, each eligibility keeps (4096 - decay) / 4096 of its size, cut toward 0.
//!
//! Sums of a step are of the weights as the step before left them. The proof that no current overflows is of the bounds, not of the weights
//! that there are at the start.
//!
//! The rule is that of Song, Miller and Abbott (Nature Neuroscience 3, 919, 2000), with nearest spikes as in Masquelier, Guyonneau and Thorpe (PLoS ONE 3(1),
//! e1377, 2008); what every weight loses when its neuron fires is w_out of Kempter, Gerstner and van Hemmen (Physical Review E 59, 4498, 1999); eligibility and reward are those of Izhikevich (Cerebral Cortex 17, 2443, 2007).

use super::device::{Device, Fault};
use super::network::Network;

/// `network` with the weights that `device`, which has run it, has learnt. Its traces, eligibilities and states are not part of it.
///
/// # Errors
/// [`Fault`], if the device does not say what its weights are, or has another network.
pub fn learnt(network: &Network, device: &dyn Device) -> Result<Network, Fault> {
    let mut network = network.clone();
    for (at, one) in network.connections.iter_mut().enumerate().filter(|(_, one)| one.learning.is_some()) {
        for (target, row) in one.weights.iter_mut().enumerate() {
            for (source, weight) in row.iter_mut().enumerate() {
                *weight = device.weight(at, target, source)?.into();
            }
        }
        // Learnt weights have one sign and eight bits: so they are read again, where mixed ones would lose a bit.
        (one.sign_mode, one.num_weight_bits) = (None, 8);
    }
    Ok(network)
}

/// How a connection learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learning {
    /// What a unit's trace loses in a step, in 1/4096: 0 to 4095.
    pub pre_decay: i64,
    /// What a neuron's trace loses in a step, likewise.
    pub post_decay: i64,
    /// What a spike leaves in a trace: 1 to 65,535.
    pub impulse: i64,
    /// A trace is of the last spike alone; if not, spikes add up.
    pub nearest: bool,
    /// What a trace of 65,536 would add to a weight when the neuron fires, in 1/256: 0 to 65,535.
    pub a_plus: i64,
    /// What it would take off when a spike arrives, likewise.
    pub a_minus: i64,
    /// What all weights of a neuron lose when it fires, in 1/256: 0 to 65,535. It keeps a neuron that fires often from firing ever more.
    pub a_fire: i64,
    /// The least that a weight can become: -255 to 255; of one sign with `high`, or 0.
    pub low: i64,
    /// The most.
    pub high: i64,
    /// Where the shift registers begin: 1 to 2^32 - 1.
    pub seed: i64,
    /// What there is to learn is said later.
    pub reward: Option<Reward>,
}

/// How a reward teaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reward {
    /// The input, of one unit, that leads to no population: its events are of -127 to 127.
    pub input: usize,
    /// What an eligibility loses, in 1/4096: 0 to 4096.
    pub decay: i64,
    /// In which steps it does: 1 to 65,535.
    pub every: i64,
    /// A reward of R adds R times the eligibility, shifted right by this: 0 to 15.
    pub shift: i64,
}

impl Default for Learning {
    /// Traces of nearest spikes that lose a sixteenth in a step; no change; weights from 0 to 255.
    fn default() -> Self {
        Learning {
            pre_decay: 256,
            post_decay: 256,
            impulse: 65_535,
            nearest: true,
            a_plus: 0,
            a_minus: 0,
            a_fire: 0,
            low: 0,
            high: 255,
            seed: 1,
            reward: None,
        }
    }
}

/// A linear feedback shift register of 32 bits, in Galois form, of x^32 + x^22 + x^2 + x + 1 (maximal: Xilinx XAPP 052, table 3). A step
/// moves it right by one; where a 1 falls out, [`Register::TAPS`] are added, bit by bit. Its period is 2^32 - 1, and 0 is never reached.
///
/// A draw is its lowest 24 bits; then it takes 24 steps, so that no bit is drawn twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(u32);

impl Register {
    /// What is added where a 1 falls out.
    pub const TAPS: u32 = 0x8020_0003;

    /// Of this neuron of a connection: the seed, mixed with its number; 1 where that is 0.
    #[must_use]
    pub fn of(seed: u32, neuron: usize) -> Self {
        Register((seed ^ (neuron as u32).wrapping_mul(0x9e37_79b9)).max(1))
    }

    /// With these bits, which are not all 0.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        (bits != 0).then_some(Register(bits))
    }

    /// What is in it.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// One step.
    #[must_use]
    pub const fn next(self) -> Self {
        Register((self.0 >> 1) ^ if self.0 & 1 == 1 { Self::TAPS } else { 0 })
    }

    /// The next 24 bits.
    #[inline]
    pub fn draw(&mut self) -> i64 {
        let drawn = self.0 & 0x00ff_ffff;
        for _ in 0..3 {
            // Eight steps at once, as for a cyclic redundancy check.
            let byte = (self.0 & 0xff) as usize;
            self.0 = (self.0 >> 8) ^ EIGHT.get(byte).copied().unwrap_or_default();
        }
        i64::from(drawn)
    }
}

/// What eight steps make of each lowest byte.
const EIGHT: [u32; 256] = {
    let mut all = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut register = Register(byte as u32);
        let mut step = 0;
        while step < 8 {
            register = register.next();
            step += 1;
        }
        all[byte] = register.0;
        byte += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_24_bits_and_24_steps() {
        let mut register = Register::of(12_345, 7);
        for _ in 0..1_000 {
            let before = register;
            assert_eq!(register.draw(), i64::from(before.bits() & 0x00ff_ffff));
            assert_eq!(register, (0..24).fold(before, |one, _| one.next()));
        }
    }

    /// The matrix of a step has the order 2^32 - 1: raised to that it is 1, and to none of its divisors.
    #[test]
    fn its_period_is_the_longest() {
        type Matrix = [u32; 32];
        let apply = |matrix: &Matrix, bits: u32| {
            (0..32).filter(|at| bits >> at & 1 == 1).fold(0, |sum, at| sum ^ matrix[at as usize])
        };
        let step: Matrix = std::array::from_fn(|at| Register(1 << at).next().bits());
        let identity: Matrix = std::array::from_fn(|at| 1 << at);
        let power = |mut exponent: u64| {
            let (mut result, mut square) = (identity, step);
            while exponent > 0 {
                if exponent & 1 == 1 {
                    result = std::array::from_fn(|at| apply(&square, result[at]));
                }
                square = std::array::from_fn(|at| apply(&square, square[at]));
                exponent >>= 1;
            }
            result
        };
        let whole = (1_u64 << 32) - 1;
        assert_eq!(power(whole), identity);
        for prime in [3, 5, 17, 257, 65_537] {
            assert_ne!(power(whole / prime), identity, "{prime}");
        }
    }

    #[test]
    fn registers_of_neurons_are_not_alike_and_none_is_0() {
        assert_ne!(Register::of(5, 0), Register::of(5, 1));
        assert_eq!((Register::of(0x9e37_79b9, 1).bits(), Register::from_bits(0)), (1, None));
    }
}
