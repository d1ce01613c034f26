//! Where descents begin.

use crate::model::{Held, Problem, Side};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Proposes names from which a descent begins: the place where annealers, or whatever else looks for supports, are plugged in.
///
/// A proposal need not keep to the mandate: names that may not be held are dropped, sides changed, counts filled by lot or cut.
pub trait Starts {
    /// The next start. `best` is the best support so far.
    fn next(&mut self, problem: &Problem<'_>, best: Option<&[Held]>) -> Vec<Held>;

    /// A number below `end`, which is 1 or more: how proposals are mended by lot.
    fn draw(&mut self, end: usize) -> usize;
}

/// By lot, from a seed.
#[derive(Clone, Debug)]
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The same seed gives the same starts.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// From 0 to 1, without 1.
    fn part(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Names and sides that may be held, `count` of them if there are so many.
    fn names(&mut self, problem: &Problem<'_>, count: usize) -> Vec<Held> {
        let mut names: Vec<usize> = (0..problem.universe().len()).collect();
        let mut support = Vec::new();
        while support.len() < count && !names.is_empty() {
            let name = names.swap_remove(self.draw(names.len()));
            let sides = [Side::Long, Side::Short].map(|side| Held { name, side });
            let may: Vec<Held> = sides.into_iter().filter(|held| problem.may(*held)).collect();
            if !may.is_empty() {
                support.push(may[self.draw(may.len())]);
            }
        }
        support
    }

    /// How many names a start has: all that may be held where they must be, else any number of them.
    fn count(&mut self, problem: &Problem<'_>) -> usize {
        let most = problem.mandate().most_names(problem.universe().len());
        match problem.mandate().count {
            crate::mandate::Count::Any => 1 + self.draw(most),
            _ => most,
        }
    }
}

impl Starts for Random {
    fn next(&mut self, problem: &Problem<'_>, _: Option<&[Held]>) -> Vec<Held> {
        let count = self.count(problem);
        self.names(problem, count)
    }

    fn draw(&mut self, end: usize) -> usize {
        // The product of 64 random bits and a length; what is left of uniformity is below 2^-40.
        ((u128::from(self.0.next_u64()) * end as u128) >> 64) as usize
    }
}

/// What a search takes where nobody plugs in another: by turns swap annealing (equal weights, as many names as at the start, Metropolis'
/// rule), and the best so far with a few of its names drawn anew (iterated local search: Lourenço, Martin and Stützle, 2003).
#[derive(Clone, Debug)]
pub struct Annealed {
    lot: Random,
    /// Proposed swaps.
    steps: usize,
    /// Is it the turn of the best so far?
    kick: bool,
}

impl Annealed {
    /// The same seed gives the same starts. Each takes `steps` proposed swaps.
    #[must_use]
    pub fn new(seed: u64, steps: usize) -> Annealed {
        Annealed { lot: Random::new(seed), steps, kick: false }
    }
}

impl Starts for Annealed {
    fn next(&mut self, problem: &Problem<'_>, best: Option<&[Held]>) -> Vec<Held> {
        self.kick = !self.kick;
        match best {
            Some(best) if !self.kick => self.kicked(problem, best),
            _ => self.annealed(problem),
        }
    }

    fn draw(&mut self, end: usize) -> usize {
        self.lot.draw(end)
    }
}

impl Annealed {
    /// Two or more names of it drawn anew.
    fn kicked(&mut self, problem: &Problem<'_>, best: &[Held]) -> Vec<Held> {
        let mut support = best.to_vec();
        for _ in 0..(2 + support.len() / 8).min(support.len()) {
            let slot = self.lot.draw(support.len());
            // One that is held already is drawn in vain, and mended.
            support.splice(slot..=slot, self.lot.names(problem, 1));
        }
        support
    }

    fn annealed(&mut self, problem: &Problem<'_>) -> Vec<Held> {
        let mut support = self.lot.next(problem, None);
        let k = support.len();
        let universe = problem.universe();
        if k == 0 || k == universe.len() {
            return support;
        }
        let each = 1.0 / k as f64;
        let sign = |side: Side| if side == Side::Long { each } else { -each };
        // What a name has in common with the portfolio.
        let mut weights = vec![0.0; universe.len()];
        support.iter().for_each(|held| weights[held.name] = sign(held.side));
        let mut common: Vec<f64> =
            (0..universe.len()).map(|name| crate::dense::dot(universe.covariances(name), &weights)).collect();
        let lambda = problem.lambda();
        let price = |held: Held, common: f64| {
            let w = sign(held.side);
            let own = universe.covariances(held.name)[held.name];
            (w, lambda * (w * w * own + 2.0 * w * common) - (1.0 - lambda) * w * universe.mean()[held.name])
        };
        let mut temperature = 0.0;
        for step in 0..self.steps {
            let slot = self.lot.draw(k);
            let [new] = self.lot.names(problem, 1)[..] else { break };
            if weights[new.name] != 0.0 {
                continue;
            }
            let old = support[slot];
            let (w_old, w_new) = (sign(old.side), sign(new.side));
            let old_own = universe.covariances(old.name)[old.name];
            let between = universe.covariances(old.name)[new.name];
            let gone = price(old, common[old.name] - w_old * old_own).1;
            let change = price(new, common[new.name] - w_old * between).1 - gone;
            if step == 0 {
                temperature = change.abs();
            }
            let now = temperature * (1.0 - step as f64 / self.steps as f64);
            if change <= 0.0 || self.lot.part() < (-change / now.max(f64::MIN_POSITIVE)).exp() {
                support[slot] = new;
                (weights[old.name], weights[new.name]) = (0.0, w_new);
                let rows = universe.covariances(old.name).iter().zip(universe.covariances(new.name));
                common.iter_mut().zip(rows).for_each(|(c, (old, new))| *c += w_new * new - w_old * old);
            }
        }
        support
    }
}
