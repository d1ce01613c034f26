//! A descent: the best change of one name, until none helps.

use super::boxed::Boxed;
use super::{Progress, Starts};
use crate::mandate::{Count, Span};
use crate::model::{Held, Problem, Side};
use crate::program::{Active, FEASIBLE};
use std::ops::ControlFlow;

/// What a name more or less, or another in its place, makes of a support.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Change {
    /// Another in the place of this one; or the same on its other side.
    Swap(usize, Held),
    Add(Held),
    Drop(usize),
}

/// Starts whose weights cannot even have the right sum are mended by lot so often.
const REDRAWN: usize = 200;

pub(super) struct Descent<'a> {
    problem: &'a Problem<'a>,
    watch: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    boxed: Boxed,
    /// Of the support from which is gone on: its box, with its weights.
    base: Boxed,
    /// No limits but those of single names and of the sum: a box says all.
    plain: bool,
    /// What it costs to miss a limit by 1, where not all can be met: more than any multiplier is likely to be.
    price: f64,
    /// Keeps the box's matrix definite; too small to be seen in an objective.
    ridge: f64,
    /// What was active in the last program.
    active: Option<Active>,
    pub(super) looked: u64,
    ended: u64,
    pub(super) stopped: bool,
}

impl<'a> Descent<'a> {
    pub(super) fn new(problem: &'a Problem<'a>, watch: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Self {
        let (universe, mandate) = (problem.universe(), problem.mandate());
        let variance = (0..universe.len()).map(|name| universe.covariances(name)[name]).fold(0.0, f64::max);
        let mean = universe.mean().iter().map(|mean| mean.abs()).fold(0.0, f64::max);
        let scale = variance.max(mean).max(f64::MIN_POSITIVE);
        Descent {
            problem,
            watch,
            boxed: Boxed::default(),
            base: Boxed::default(),
            plain: mandate.sectors.is_empty() && mandate.gross.is_none() && !mandate.minds_trades(),
            price: 1e3 * scale,
            ridge: 1e-10 * scale,
            active: None,
            looked: 0,
            ended: 0,
            stopped: false,
        }
    }

    /// The support where a descent from `start` ends, and its objective; `None` if it keeps not to the mandate there.
    pub(super) fn from(
        &mut self,
        start: Vec<Held>,
        lot: &mut dyn Starts,
        best: Option<f64>,
    ) -> Option<(f64, Vec<Held>)> {
        let mut support = self.begin(start, lot)?;
        let mut value = self.value(&support)?;
        while !self.stopped {
            let Some((change, better)) = self.best_change(&support, value, best) else { break };
            match change {
                Change::Swap(slot, held) => support[slot] = held,
                Change::Add(held) => support.push(held),
                Change::Drop(slot) => drop(support.remove(slot)),
            }
            value = better;
            self.load(&support)?;
        }
        self.ended += u64::from(!self.stopped);
        // The price of a miss that would be taken for none is far below.
        let missed = self.plain || self.missed(&support) <= FEASIBLE;
        missed.then_some((value, support))
    }

    /// A support whose weights can have the right sum, its box loaded.
    fn begin(&mut self, mut support: Vec<Held>, lot: &mut dyn Starts) -> Option<Vec<Held>> {
        for _ in 0..REDRAWN {
            if support.is_empty() {
                return None;
            }
            if self.load(&support).is_some() {
                return Some(support);
            }
            let slot = lot.draw(support.len());
            let open = self.open(&support, Some(slot));
            if open.is_empty() {
                return None;
            }
            support[slot] = open[lot.draw(open.len())];
            // Fewer or more may be what it takes.
            if self.problem.mandate().count != Count::Exactly(support.len()) && lot.draw(4) == 0 {
                let most = self.problem.mandate().most_names(self.problem.universe().len());
                if lot.draw(2) == 0 && support.len() > 1 {
                    support.pop();
                } else if support.len() < most {
                    let open = self.open(&support, None);
                    support.extend(open.get(lot.draw(open.len().max(1))));
                }
            }
        }
        None
    }

    /// What may come in: for one that goes, itself on its other side, too.
    fn open(&self, support: &[Held], gone: Option<usize>) -> Vec<Held> {
        let mut held = vec![false; self.problem.universe().len()];
        support.iter().for_each(|one| held[one.name] = true);
        let gone = gone.map(|slot| support[slot]);
        if let Some(gone) = gone {
            held[gone.name] = false;
        }
        (0..held.len())
            .filter(|name| !held[*name])
            .flat_map(|name| [Side::Long, Side::Short].map(|side| Held { name, side }))
            .filter(|one| self.problem.may(*one) && Some(*one) != gone)
            .collect()
    }

    /// Loads the box of a support into `base`, solved; `None` if its sum cannot be reached.
    fn load(&mut self, support: &[Held]) -> Option<f64> {
        let warm = (self.base.w.len() == support.len()).then(|| self.base.w.clone());
        let mut base = std::mem::take(&mut self.base);
        let loaded = self.fill(&mut base, support, warm.as_deref());
        let value = loaded.and_then(|()| base.minimise(self.problem.mandate().net));
        self.base = base;
        value
    }

    fn fill(&self, to: &mut Boxed, support: &[Held], warm: Option<&[f64]>) -> Option<()> {
        let (k, universe, lambda) = (support.len(), self.problem.universe(), self.problem.lambda());
        to.k = k;
        [&mut to.h, &mut to.c, &mut to.low, &mut to.high].into_iter().for_each(Vec::clear);
        for (i, held) in support.iter().enumerate() {
            let row = universe.covariances(held.name);
            to.h.extend(support.iter().map(|other| 2.0 * lambda * row[other.name]));
            to.h[i * k + i] += self.ridge;
            to.c.push(-(1.0 - lambda) * universe.mean()[held.name]);
            let span = self.problem.span_of(*held)?;
            to.low.push(span.min);
            to.high.push(span.max);
        }
        to.w = warm.map_or_else(|| vec![0.0; k], <[f64]>::to_vec);
        Some(())
    }

    /// The least objective of a box after a change: of all limits it has those of names and of the sum.
    fn below(&mut self, support: &[Held], change: Change) -> Option<f64> {
        self.looked += 1;
        let net = self.problem.mandate().net;
        let mut boxed = std::mem::take(&mut self.boxed);
        let loaded = match change {
            Change::Swap(slot, held) => self.swap_into(&mut boxed, support, slot, held),
            Change::Add(_) | Change::Drop(_) => self.fill(&mut boxed, &changed(support, change), None),
        };
        let value = loaded.and_then(|()| boxed.minimise(net));
        self.boxed = boxed;
        value
    }

    /// The base's box with another name in one place, which begins with the weight of the one before.
    fn swap_into(&self, to: &mut Boxed, support: &[Held], slot: usize, held: Held) -> Option<()> {
        let (base, k, universe, lambda) = (&self.base, support.len(), self.problem.universe(), self.problem.lambda());
        let span: Span = self.problem.span_of(held)?;
        to.k = k;
        to.h.clone_from(&base.h);
        to.c.clone_from(&base.c);
        to.low.clone_from(&base.low);
        to.high.clone_from(&base.high);
        to.w.clone_from(&base.w);
        let row = universe.covariances(held.name);
        for (i, other) in support.iter().enumerate() {
            let value = 2.0 * lambda * row[if i == slot { held.name } else { other.name }];
            to.h[slot * k + i] = value;
            to.h[i * k + slot] = value;
        }
        to.h[slot * k + slot] += self.ridge;
        to.c[slot] = -(1.0 - lambda) * universe.mean()[held.name];
        (to.low[slot], to.high[slot]) = (span.min, span.max);
        Some(())
    }

    /// The objective of a support, with the price of what it misses.
    fn value(&mut self, support: &[Held]) -> Option<f64> {
        if self.plain {
            return self.load(support);
        }
        self.priced(support)
    }

    fn slots(&self, support: &[Held]) -> Option<Vec<(usize, Span)>> {
        support.iter().map(|held| self.problem.span_of(*held).map(|span| (held.name, span))).collect()
    }

    fn priced(&mut self, support: &[Held]) -> Option<f64> {
        let program = self.problem.program(&self.slots(support)?, Some(self.price));
        let solved = program.solve(self.active.as_ref()).ok()?;
        self.active = solved.active;
        Some(solved.objective + self.let_go(support))
    }

    /// What a support's best weights miss.
    fn missed(&self, support: &[Held]) -> f64 {
        let Some(slots) = self.slots(support) else { return f64::INFINITY };
        let solved = self.problem.program(&slots, None).solve(None);
        solved.map_or(f64::INFINITY, |solved| solved.violation)
    }

    /// What it costs to part with names that are held now.
    fn let_go(&self, support: &[Held]) -> f64 {
        let mandate = self.problem.mandate();
        let gone = mandate.current.iter().enumerate().filter(|(name, _)| support.iter().all(|held| held.name != *name));
        let cost = gone.map(|(_, w)| if *w > 0.0 { w * mandate.costs.sell } else { -w * mandate.costs.buy });
        (1.0 - self.problem.lambda()) * cost.sum::<f64>()
    }

    /// What a support misses of turnover and sectors, whatever its weights are.
    fn misses(&self, support: &[Held]) -> f64 {
        let mandate = self.problem.mandate();
        let spans: Vec<Span> = support.iter().filter_map(|held| self.problem.span_of(*held)).collect();
        let beyond = |value: f64, span: Span| (span.min - value).max(value - span.max).max(0.0);
        let mut missed = 0.0;
        if let Some(limit) = mandate.turnover {
            let gone =
                mandate.current.iter().enumerate().filter(|(name, _)| support.iter().all(|held| held.name != *name));
            let gone: f64 = gone.map(|(_, w)| w.abs()).sum();
            let moved: f64 =
                support.iter().zip(&spans).map(|(held, span)| beyond(mandate.current_of(held.name), *span)).sum();
            missed += (gone + moved - limit).max(0.0);
        }
        for sector in &mandate.sectors {
            let inside = || support.iter().zip(&spans).filter(|(held, _)| sector.members.contains(&held.name));
            let low: f64 = inside().map(|(_, span)| span.min).sum();
            let high: f64 = inside().map(|(_, span)| span.max).sum();
            missed += (low - sector.net.max).max(sector.net.min - high).max(0.0);
        }
        missed
    }

    fn changes(&self, support: &[Held], slot: usize) -> Vec<Change> {
        let mut all: Vec<Change> =
            self.open(support, Some(slot)).into_iter().map(|held| Change::Swap(slot, held)).collect();
        if !matches!(self.problem.mandate().count, Count::Exactly(_)) {
            if support.len() > 1 {
                all.push(Change::Drop(slot));
            }
            let most = self.problem.mandate().most_names(self.problem.universe().len());
            if slot == 0 && support.len() < most {
                all.extend(self.open(support, None).into_iter().map(Change::Add));
            }
        }
        all
    }

    /// The best change, if one helps, and its value.
    fn best_change(&mut self, support: &[Held], value: f64, best: Option<f64>) -> Option<(Change, f64)> {
        // Less is no progress, but rounding.
        let enough = value - 1e-12 * value.abs().max(self.ridge);
        let mut below = Vec::new();
        let mut least: Option<(Change, f64)> = None;
        for slot in 0..support.len() {
            let so_far = if self.plain { Some(best.map_or(value, |best| best.min(value))) } else { best };
            self.tell(value, so_far);
            if self.stopped {
                return None;
            }
            for change in self.changes(support, slot) {
                let Some(bound) = self.below(support, change) else { continue };
                if self.plain {
                    if bound < least.map_or(enough, |(_, least)| least) {
                        least = Some((change, bound));
                    }
                } else if bound < enough {
                    let after = changed(support, change);
                    let bound = bound + self.let_go(&after) + self.price * self.misses(&after);
                    below.push((bound, change));
                }
            }
        }
        if self.plain {
            return least;
        }
        // From the most promising on: the first that helps.
        below.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (bound, change) in below {
            if bound >= enough {
                break;
            }
            self.tell(value, best);
            if self.stopped {
                return None;
            }
            self.looked += 1;
            if let Some(value) = self.priced(&changed(support, change)).filter(|value| *value < enough) {
                return Some((change, value));
            }
        }
        None
    }

    fn tell(&mut self, now: f64, best: Option<f64>) {
        let progress = Progress { starts: self.ended, looked: self.looked, now: Some(now), best };
        self.stopped |= (self.watch)(&progress).is_break();
    }
}

fn changed(support: &[Held], change: Change) -> Vec<Held> {
    let mut after = support.to_vec();
    match change {
        Change::Swap(slot, held) => after[slot] = held,
        Change::Add(held) => after.push(held),
        Change::Drop(slot) => drop(after.remove(slot)),
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mandate::{Mandate, Sector};
    use crate::search::Random;
    use crate::universe::Universe;

    /// What is not below would leave out changes that help.
    #[test]
    fn what_a_change_is_looked_at_for_is_below_what_it_is() {
        let names = 6;
        let covariance = (0..36).map(|at| if at % 7 == 0 { 0.002 } else { 0.0005 }).collect();
        let mean = (0..names).map(|name| 0.001 * name as f64).collect();
        let universe = Universe::new((0..names).map(|n| n.to_string()).collect(), mean, covariance).unwrap();
        let mandate = Mandate {
            count: Count::Exactly(3),
            long: Span { min: 0.1, max: 0.6 },
            sectors: vec![Sector { name: "s".into(), members: vec![0, 1], net: Span { min: 0.3, max: 0.5 } }],
            current: vec![0.4, 0.0, 0.4, 0.0, 0.2, 0.0],
            turnover: Some(0.7),
            costs: crate::mandate::Costs { buy: 0.001, sell: 0.002 },
            ..Mandate::default()
        };
        let problem = Problem::new(&universe, &mandate, 0.5).unwrap();
        let mut go = |_: &Progress| ControlFlow::Continue(());
        let mut descent = Descent::new(&problem, &mut go);
        let long = |name| Held { name, side: Side::Long };
        let support = descent.begin(vec![long(0), long(2), long(4)], &mut Random::new(1)).unwrap();
        for slot in 0..3 {
            for change in descent.changes(&support, slot) {
                let after = changed(&support, change);
                let below = descent.below(&support, change).unwrap();
                let bound = below + descent.let_go(&after) + descent.price * descent.misses(&after);
                let value = descent.priced(&after).unwrap();
                assert!(bound <= value + 1e-9, "{change:?}: {bound} {value}");
            }
        }
    }
}
