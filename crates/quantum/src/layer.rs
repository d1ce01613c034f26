//! The same turn around X on every qubit, in few passes over memory.
//!
//! A state of 20 qubits is 16 MiB: a pass for each qubit would wait for memory twenty times. Here a block that fits the second
//! cache gets all turns of the qubits within it in one pass, and the qubits above are taken a few at a time, with all amplitudes
//! that differ in them in registers.

use crate::simd::Half;
use crate::state::State;

/// Qubits within a block: 2^14 amplitudes are 256 KiB.
pub(crate) const BLOCK: usize = 14;

/// `rx(angle)` on each qubit. `first` is told of each block (by the number of its first amplitude) while it is in the cache, before
/// the turns.
pub(crate) fn turn_all(state: &mut State, angle: f64, mut first: impl FnMut(usize, &mut Half<'_>)) {
    let (s, c) = (angle / 2.0).sin_cos();
    let (unit, qubits) = (state.unit(), state.qubits());
    let within = qubits.min(BLOCK);
    let size = 1 << within;
    for (number, (re, im)) in state.re.chunks_exact_mut(size).zip(state.im.chunks_exact_mut(size)).enumerate() {
        let mut block = Half { re, im };
        first(number * size, &mut block);
        unit.turns(c, s, 0, within, &mut block);
    }
    if qubits > within {
        let mut all = Half { re: &mut state.re, im: &mut state.im };
        unit.turns(c, s, within, qubits - within, &mut all);
    }
}
