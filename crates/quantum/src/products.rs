//! What gradients read of two states: imaginary parts of inner products with an operator between them.

use crate::layer::BLOCK;
use crate::simd::Half;
use crate::state::State;
use std::ops::Range;

/// Sums in lanes, so that a vector unit can take them.
const LANES: usize = 8;

impl State {
    /// Im(conj(self) other), summed over the amplitudes of `a` here and those of `b` there.
    fn imaginary(&self, other: &State, a: Range<usize>, b: Range<usize>) -> f64 {
        let mut sums = [0.0; LANES];
        let (ar, ar_rest) = self.re[a.clone()].as_chunks::<LANES>();
        let (ai, ai_rest) = self.im[a].as_chunks::<LANES>();
        let (br, br_rest) = other.re[b.clone()].as_chunks::<LANES>();
        let (bi, bi_rest) = other.im[b].as_chunks::<LANES>();
        for (((ar, ai), br), bi) in ar.iter().zip(ai).zip(br).zip(bi) {
            for k in 0..LANES {
                sums[k] += ar[k] * bi[k] - ai[k] * br[k];
            }
        }
        let rest = ar_rest.iter().zip(ai_rest).zip(br_rest).zip(bi_rest);
        sums.iter().sum::<f64>() + rest.map(|(((ar, ai), br), bi)| ar * bi - ai * br).sum::<f64>()
    }

    /// Im <self| sum of X_q |other>, over all qubits q. Both are of as many qubits. Those within a block are summed while it is in the
    /// cache.
    pub(crate) fn flipped_product(&self, other: &State) -> f64 {
        let within = self.qubits().min(BLOCK);
        let flip = |qubit: usize, range: Range<usize>| -> f64 {
            let run = 1 << qubit;
            let pairs = range.step_by(2 * run).map(|at| (at..at + run, at + run..at + 2 * run));
            let both = |(zero, one): (Range<usize>, Range<usize>)| {
                self.imaginary(other, zero.clone(), one.clone()) + self.imaginary(other, one, zero)
            };
            pairs.map(both).sum()
        };
        let blocks = (0..self.re.len()).step_by(1 << within);
        let low = blocks.map(|at| (0..within).map(|qubit| flip(qubit, at..at + (1 << within))).sum::<f64>());
        let high = (within..self.qubits()).map(|qubit| flip(qubit, 0..self.re.len()));
        low.sum::<f64>() + high.sum::<f64>()
    }

    /// Im <self| (XX + YY) / 2 |other> on these two qubits.
    pub(crate) fn exchanged_product(&self, other: &State, first: usize, second: usize) -> f64 {
        let both = |(a, b, length): (usize, usize, usize)| {
            let (a, b) = (a..a + length, b..b + length);
            self.imaginary(other, a.clone(), b.clone()) + self.imaginary(other, b, a)
        };
        self.pair_runs(first, second).map(both).sum()
    }

    /// Im <self| diagonal |other>.
    pub(crate) fn weighed_product(&self, other: &State, diagonal: &[f64]) -> f64 {
        let mut sums = [0.0; LANES];
        let a = self.re.chunks(LANES).zip(self.im.chunks(LANES));
        let b = other.re.chunks(LANES).zip(other.im.chunks(LANES));
        for (((ar, ai), (br, bi)), weights) in a.zip(b).zip(diagonal.chunks(LANES)) {
            for (k, weight) in weights.iter().enumerate() {
                sums[k] += weight * (ar[k] * bi[k] - ai[k] * br[k]);
            }
        }
        sums.iter().sum()
    }

    /// Each amplitude times its number.
    pub(crate) fn scale(&mut self, diagonal: &[f64]) {
        let amplitudes = self.re.iter_mut().zip(&mut self.im);
        for ((re, im), weight) in amplitudes.zip(diagonal) {
            *re *= weight;
            *im *= weight;
        }
    }

    /// All amplitudes at once.
    pub(crate) fn whole(&mut self, act: impl FnOnce(&mut Half<'_>)) {
        act(&mut Half { re: &mut self.re, im: &mut self.im });
    }
}
