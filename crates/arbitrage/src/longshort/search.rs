//! The best selection of many stocks: descents by balanced exchanges, from annealed starts or from chance.

use super::Selection;
use crate::annealer::{AnnealError, Annealer};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The best: balanced, and no exchange makes it better.
    pub chosen: Vec<bool>,
    /// Its value, in units.
    pub value: i64,
    /// Descents that were made.
    pub starts: usize,
    /// So many of them ended at this value.
    pub agreed: usize,
}

/// A selection that changes, with what each stock would bring.
struct State<'a> {
    selection: &'a Selection,
    chosen: Vec<bool>,
    brings: Vec<i64>,
    value: i64,
    net: i64,
}

impl<'a> State<'a> {
    fn new(selection: &'a Selection, start: &[bool]) -> State<'a> {
        let brings = (0..selection.names()).map(|name| selection.reward(name)).collect();
        let mut state = State { selection, chosen: vec![false; selection.names()], brings, value: 0, net: 0 };
        (0..selection.names()).filter(|name| start[*name]).for_each(|name| state.flip(name));
        state
    }

    /// What a flip changes.
    fn gain(&self, name: usize) -> i64 {
        if self.chosen[name] { -self.brings[name] } else { self.brings[name] }
    }

    /// What a flip does to the net.
    fn shift(&self, name: usize) -> i64 {
        let side = i64::from(self.selection.side(name));
        if self.chosen[name] { -side } else { side }
    }

    fn flip(&mut self, name: usize) {
        self.value += self.gain(name);
        self.net += self.shift(name);
        let sign = if self.chosen[name] { -1 } else { 1 };
        self.chosen[name] = !self.chosen[name];
        for (other, brings) in self.brings.iter_mut().enumerate() {
            *brings -= sign * self.selection.cost(name, other);
        }
    }

    /// Flips what costs least until as many are bought as sold.
    fn balance(&mut self) {
        while self.net != 0 {
            let names = (0..self.selection.names()).filter(|name| self.shift(*name) == -self.net.signum());
            // What is in on the larger side can always be taken out.
            let Some(name) = names.max_by_key(|name| self.gain(*name)) else { return };
            self.flip(name);
        }
    }

    /// The best two flips that leave the net as it is, until none help.
    fn descend(&mut self) {
        let n = self.selection.names();
        loop {
            let mut best = (0, 0, 0);
            for i in 0..n {
                for j in 0..i {
                    if self.shift(i) + self.shift(j) != 0 {
                        continue;
                    }
                    // Both flips touch the pair's cost: alike, it comes or goes once; unlike, it was counted and is not there.
                    let both = self.selection.cost(i, j);
                    let pair = if self.chosen[i] == self.chosen[j] { -both } else { both };
                    let gain = self.gain(i) + self.gain(j) + pair;
                    if gain > best.0 {
                        best = (gain, i, j);
                    }
                }
            }
            if best.0 == 0 {
                return;
            }
            self.flip(best.1);
            self.flip(best.2);
        }
    }
}

/// From these starts, each balanced and then descended.
#[must_use]
pub fn from(selection: &Selection, starts: &[Vec<bool>]) -> Found {
    let mut found = Found { chosen: vec![false; selection.names()], value: 0, starts: starts.len(), agreed: 0 };
    for start in starts {
        let mut state = State::new(selection, start);
        state.balance();
        state.descend();
        if state.value > found.value {
            (found.chosen, found.value, found.agreed) = (state.chosen, state.value, 1);
        } else if state.value == found.value {
            found.agreed += 1;
        }
    }
    found
}

/// So many starts in which each stock is in with a probability of a half.
#[must_use]
pub fn chance(selection: &Selection, starts: usize, seed: u64) -> Vec<Vec<bool>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..starts).map(|_| (0..selection.names()).map(|_| random.random::<bool>()).collect()).collect()
}

/// Starts from an Ising machine: what its replicas end as, as they are.
///
/// # Errors
/// [`AnnealError`].
pub fn annealed(selection: &Selection, annealer: &mut Annealer<'_>) -> Result<Vec<Vec<bool>>, AnnealError> {
    annealer.run(&selection.function(penalty(selection)), 0)
}

/// What one stock typically brings, twice: enough that annealed selections are near balance.
fn penalty(selection: &Selection) -> i64 {
    let all: i64 = (0..selection.names()).map(|name| selection.reward(name)).sum();
    2 * (all / selection.names() as i64).max(1)
}
