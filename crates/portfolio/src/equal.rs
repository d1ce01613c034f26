//! Equal weights: which `k` names, each held with `1/k`.
//!
//! ```text
//! minimise   λ/k² Σ_{i,j held} Σ_ij - (1 - λ)/k Σ_{i held} μ_i      over the supports of k names
//! ```
//!
//! A descent from any support: of all exchanges of a held name for another, the best, until none helps. What an exchange changes is
//! one addition of numbers that are kept (the one-flip values of a quadratic pseudo-Boolean function, in pairs), so that all
//! `k (n - k)` of them are one pass over `k` rows.

use crate::search::Starts;
use crate::universe::Universe;
use thiserror::Error;

/// Numbers that are compared at once. They fill vector registers, whatever their width: this is a shape that compilers vectorise.
const LANES: usize = 16;

/// The equal-weight problem of a universe.
#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    names: usize,
    count: usize,
    /// Of a row, with what fills the last lanes.
    stride: usize,
    /// `-(1 - λ) μ_i / k`.
    linear: Vec<f64>,
    /// `λ Σ_ij / k²`, row by row.
    quadratic: Vec<f64>,
}

/// Why there is nothing to choose.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum ChoiceError {
    /// λ is no part.
    #[error("lambda is {0}; it must be 0 (return alone) to 1 (variance alone)")]
    Lambda(f64),
    /// A count that cannot be chosen.
    #[error("{count} of {names} names can't be chosen; it must be 1 to {names}")]
    Count {
        /// Asked for.
        count: usize,
        /// There are.
        names: usize,
    },
}

/// A support on its way down, with all that is kept up to date.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Chosen {
    /// The names, in no order.
    pub names: Vec<usize>,
    /// Its objective.
    pub objective: f64,
    /// What each name adds if it comes in; infinity for those that are in.
    entering: Vec<f64>,
    /// `Σ_j held Q_ij`.
    field: Vec<f64>,
}

impl Chosen {
    /// A support from which a descent may begin.
    #[must_use]
    pub fn of(names: Vec<usize>) -> Chosen {
        Chosen { names, ..Chosen::default() }
    }
}

impl Choice {
    /// `count` names of a universe.
    ///
    /// # Errors
    /// λ or count out of range.
    pub fn new(universe: &Universe, count: usize, lambda: f64) -> Result<Choice, ChoiceError> {
        let names = universe.len();
        if !(0.0..=1.0).contains(&lambda) {
            return Err(ChoiceError::Lambda(lambda));
        }
        if count == 0 || count > names {
            return Err(ChoiceError::Count { count, names });
        }
        let k = count as f64;
        let stride = names.next_multiple_of(LANES);
        let mut quadratic = vec![0.0; names * stride];
        for (to, name) in quadratic.chunks_exact_mut(stride).zip(0..names) {
            to.iter_mut()
                .zip(universe.covariances(name))
                .for_each(|(to, covariance)| *to = lambda * covariance / (k * k));
        }
        let linear = universe.mean().iter().map(|mean| -(1.0 - lambda) * mean / k).collect();
        Ok(Choice { names, count, stride, linear, quadratic })
    }

    /// How many names there are.
    #[must_use]
    pub fn names(&self) -> usize {
        self.names
    }

    /// How many are held.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// What a name adds by itself: `-(1 - λ) μ_i / k`.
    #[must_use]
    pub fn linear(&self) -> &[f64] {
        &self.linear
    }

    /// What two names have in common: `λ Σ_ij / k²`, by the second.
    ///
    /// # Panics
    /// If there is no such name.
    #[must_use]
    pub fn quadratic(&self, name: usize) -> &[f64] {
        &self.row(name)[..self.names]
    }

    fn row(&self, name: usize) -> &[f64] {
        &self.quadratic[name * self.stride..(name + 1) * self.stride]
    }

    /// The objective of a support, reckoned anew.
    ///
    /// # Panics
    /// If there is no such name.
    #[must_use]
    pub fn objective_of(&self, support: &[usize]) -> f64 {
        let row = |i: &usize| self.linear[*i] + support.iter().map(|j| self.row(*i)[*j]).sum::<f64>();
        support.iter().map(row).sum()
    }

    /// Goes down from a support by the best exchanges. `chosen` is where it begins, by its names alone, and where it ends; the answer
    /// is how many exchanges that took.
    ///
    /// # Panics
    /// If the names are not [`Choice::count`] of those that there are, each once.
    pub fn descend(&self, chosen: &mut Chosen) -> usize {
        self.begin(chosen);
        let mut exchanges = 0;
        while let Some((slot, name)) = self.best_exchange(chosen) {
            self.exchange(chosen, slot, name);
            exchanges += 1;
        }
        exchanges
    }

    fn begin(&self, chosen: &mut Chosen) {
        assert_eq!(chosen.names.len(), self.count, "a support has as many names as are chosen");
        chosen.field.clear();
        chosen.field.resize(self.stride, 0.0);
        for name in &chosen.names {
            chosen.field.iter_mut().zip(self.row(*name)).for_each(|(field, q)| *field += q);
        }
        chosen.entering.clear();
        // What fills the last lanes never comes in.
        chosen.entering.resize(self.stride, f64::INFINITY);
        for name in 0..self.names {
            chosen.entering[name] = self.entering(chosen, name);
        }
        for name in &chosen.names {
            assert!(chosen.entering[*name].is_finite(), "a support has each name once");
            chosen.entering[*name] = f64::INFINITY;
        }
        chosen.objective = self.objective_of(&chosen.names);
    }

    fn entering(&self, chosen: &Chosen, name: usize) -> f64 {
        self.linear[name] + self.row(name)[name] + 2.0 * chosen.field[name]
    }

    /// Which exchange helps most, if one does.
    fn best_exchange(&self, chosen: &Chosen) -> Option<(usize, usize)> {
        // Less is rounding: it would not end.
        let mut best = (-1e-13 * chosen.objective.abs(), None);
        for (slot, old) in chosen.names.iter().enumerate() {
            let row = self.row(*old);
            let leaving = self.linear[*old] - row[*old] + 2.0 * chosen.field[*old];
            let least = least_entering(&chosen.entering, row);
            if least - leaving < best.0 {
                best = (least - leaving, Some((slot, least)));
            }
        }
        let (slot, least) = best.1?;
        let row = self.row(chosen.names[slot]);
        let name = chosen.entering.iter().zip(row).position(|(entering, q)| entering - 2.0 * q == least)?;
        Some((slot, name))
    }

    fn exchange(&self, chosen: &mut Chosen, slot: usize, name: usize) {
        let old = std::mem::replace(&mut chosen.names[slot], name);
        let (gone, come) = (self.row(old), self.row(name));
        let leaving = self.linear[old] - gone[old] + 2.0 * chosen.field[old];
        chosen.objective += chosen.entering[name] - 2.0 * gone[name] - leaving;
        for at in 0..self.stride {
            let change = come[at] - gone[at];
            chosen.field[at] += change;
            // Of those that are in it stays infinite.
            chosen.entering[at] += 2.0 * change;
        }
        chosen.entering[name] = f64::INFINITY;
        chosen.entering[old] = self.entering(chosen, old);
    }

    /// The best of so many descents from random supports.
    pub fn best_of(&self, descents: u64, lot: &mut dyn Starts) -> Chosen {
        let (mut best, mut chosen) = (Chosen { objective: f64::INFINITY, ..Chosen::default() }, Chosen::default());
        let mut order: Vec<usize> = (0..self.names).collect();
        for _ in 0..descents.max(1) {
            self.draw(&mut order, lot, &mut chosen);
            self.descend(&mut chosen);
            if chosen.objective < best.objective {
                best.clone_from(&chosen);
            }
        }
        best
    }

    /// Draws a support by lot. `order` is a permutation of all names, and another one afterwards.
    pub fn draw(&self, order: &mut [usize], lot: &mut dyn Starts, chosen: &mut Chosen) {
        for at in 0..self.count {
            order.swap(at, at + lot.draw(self.names - at));
        }
        chosen.names.clear();
        chosen.names.extend_from_slice(&order[..self.count]);
    }
}

/// The least of `entering - 2 row`.
fn least_entering(entering: &[f64], row: &[f64]) -> f64 {
    let mut least = [f64::INFINITY; LANES];
    for (entering, row) in entering.as_chunks::<LANES>().0.iter().zip(row.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            let value = entering[lane] - 2.0 * row[lane];
            least[lane] = if value < least[lane] { value } else { least[lane] };
        }
    }
    least.into_iter().fold(f64::INFINITY, f64::min)
}
