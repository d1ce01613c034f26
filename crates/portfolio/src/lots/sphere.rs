//! All whole lots that track better than some: sphere decoding (Schnorr and Euchner, "Lattice basis reduction", Math. Programming 66,
//! 1994; Agrell and others, "Closest point search in lattices", IEEE Trans. Inf. Theory 48(8), 2002).
//!
//! With `G = L D Lᵀ`, the matrix of lots' covariances, the squared tracking of lots `z` away from the target is
//! `Σ_j d_j (z_j + Σ_{i>j} l_ij z_i)²`: from the last name to the first, each term is known when the name's lots are.

use super::{Held, Rounding};
use crate::dense;

struct Sphere<'a> {
    rounding: &'a Rounding<'a>,
    n: usize,
    factored: Vec<f64>,
    /// In lots, not whole.
    target: Vec<f64>,
    lots: Vec<i64>,
    best: Held,
    left: u64,
}

impl Rounding<'_> {
    /// The best lots there are, beginning with some; were `effort` nodes enough to prove it?
    pub(crate) fn enumerated(&self, best: Held, effort: u64) -> (Held, bool) {
        let n = self.names.len();
        let mut factored = vec![0.0; n * n];
        for i in 0..n {
            let row = self.universe.covariances(self.names[i]);
            for j in 0..n {
                factored[i * n + j] = self.unit[i] * self.unit[j] * row[self.names[j]];
            }
        }
        if dense::factor(&mut factored, n, |_, pivot| pivot > 0.0).is_err() {
            // Some combination does not vary: there is no end to what tracks alike.
            return (best, false);
        }
        let target = self.names.iter().zip(&self.unit).map(|(name, unit)| self.target[*name] / unit).collect();
        let mut sphere = Sphere { rounding: self, n, factored, target, lots: vec![0; n], best, left: effort };
        let through = sphere.visit(n, 0.0);
        (sphere.best, through)
    }
}

impl Sphere<'_> {
    /// The lots of the first `open` names, those behind them being chosen. Was all looked at?
    fn visit(&mut self, open: usize, so_far: f64) -> bool {
        let Some(at) = open.checked_sub(1) else {
            let held = self.rounding.judged(self.lots.clone());
            if held.better_than(&self.best) {
                self.best = held;
            }
            return true;
        };
        let behind: f64 =
            (at + 1..self.n).map(|i| self.factored[i * self.n + at] * (self.lots[i] as f64 - self.target[i])).sum();
        let middle = self.target[at] - behind;
        let pivot = self.factored[at * (self.n + 1)];
        // From the middle on, to both sides by turns: each is farther than the one before.
        let (mut below, mut above) = (middle.floor(), middle.floor() + 1.0);
        loop {
            let lower = middle - below < above - middle;
            let next = if lower { below } else { above };
            let term = so_far + pivot * (next - middle) * (next - middle);
            // While a limit is missed, anything that misses less is better, however far away.
            if self.best.missed == 0.0 && term >= self.best.tracking {
                return true;
            }
            if self.left == 0 {
                return false;
            }
            self.left -= 1;
            self.lots[at] = next as i64;
            if !self.visit(at, term) {
                return false;
            }
            if lower { below -= 1.0 } else { above += 1.0 }
        }
    }
}
