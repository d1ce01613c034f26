//! Which names are held: swaps from many starts.
//!
//! ```text
//! starts ──> mended to the mandate's counts and sides ──> descent: the best swap, flip, addition or omission, until none helps ──> best
//!   (chance, relaxation, annealing, one's own)                    (its weights by an active set, or a convex program)
//! ```
//!
//! A descent ends where no change of one name helps. That the best of many is the best there is, it does not prove.

mod boxed;
mod descent;
mod starts;

use crate::mandate::Count;
use crate::model::{Held, Portfolio, Problem, Side, SolveError};
pub use starts::{Annealed, Random, Starts};
use std::ops::ControlFlow;

use descent::Descent;

/// How long is searched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Descents from what [`Starts`] proposes, besides the one from the relaxation and the one from `warm`.
    pub starts: u64,
    /// A first start: the names of yesterday, or of a λ nearby.
    pub warm: Vec<Held>,
}

impl Default for Options {
    /// Sixteen starts.
    fn default() -> Self {
        Options { starts: 16, warm: Vec::new() }
    }
}

/// How far a search is; shown now and then, between a few hundred portfolios.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Progress {
    /// Descents that have ended.
    pub starts: u64,
    /// Portfolios that were looked at.
    pub looked: u64,
    /// The objective where the present descent is; of limits that it still misses, the price is in it.
    pub now: Option<f64>,
    /// The least objective so far that keeps to the mandate.
    pub best: Option<f64>,
}

/// What a search found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// The best portfolio.
    pub portfolio: Portfolio,
    /// Its names and sides; some of them may weigh 0 where holdings have no minimum.
    pub support: Vec<Held>,
    /// Descents that ended.
    pub starts: u64,
    /// How many of them ended at this objective, to 1e-9 of its size.
    pub agreed: u64,
    /// Portfolios that were looked at.
    pub looked: u64,
    /// Was it stopped before all starts?
    pub stopped: bool,
}

impl Problem<'_> {
    /// The best portfolio: solved if the problem is convex, searched for else. `watch` may stop a search; what was found by then counts.
    /// It is not asked during the convex programs at the beginning and the end, which take milliseconds for hundreds of names.
    ///
    /// # Errors
    /// [`SolveError::Infeasible`] limits, [`SolveError::NotFound`], or what the solver says.
    pub fn solve(
        &self,
        options: &Options,
        starts: &mut dyn Starts,
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Found, SolveError> {
        if let Some(infeasible) = self.counted_out() {
            return Err(infeasible.into());
        }
        if self.is_convex() {
            let (portfolio, _) = self.solve_convex(None).map_err(|error| self.explained(error))?;
            let support = portfolio.held().map(|name| Held { name, side: side(portfolio.weights[name]) }).collect();
            return Ok(Found { portfolio, support, starts: 0, agreed: 0, looked: 1, stopped: false });
        }
        self.search(options, starts, watch)
    }

    fn explained(&self, error: SolveError) -> SolveError {
        match error {
            SolveError::NotFound { .. } => self.contradiction().map_or(error, Into::into),
            other => other,
        }
    }

    fn search(
        &self,
        options: &Options,
        starts: &mut dyn Starts,
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Found, SolveError> {
        let mut descent = Descent::new(self, watch);
        let mut best: Option<(f64, Vec<Held>)> = None;
        let (mut ended, mut agreed) = (0, 0);
        let mut first = Vec::from([options.warm.clone(), self.relaxed()]);
        first.retain(|start| !start.is_empty());
        let ahead = first.len() as u64;
        for n in 0..ahead.saturating_add(options.starts) {
            let proposed = match first.get(n as usize) {
                Some(start) => start.clone(),
                None => starts.next(self, best.as_ref().map(|(_, support)| support.as_slice())),
            };
            let mended = self.mended(proposed, starts);
            if let Some((value, support)) = descent.from(mended, starts, best.as_ref().map(|(value, _)| *value)) {
                let near = |other: f64| (value - other).abs() <= 1e-9 * other.abs().max(1e-12);
                match &best {
                    Some((least, _)) if near(*least) => agreed += u64::from(!descent.stopped),
                    Some((least, _)) if value > *least => {}
                    _ => {
                        best = Some((value, support));
                        agreed = u64::from(!descent.stopped);
                    }
                }
            }
            if descent.stopped {
                break;
            }
            ended += 1;
            if best.is_none() && ended == 1 {
                // Before many starts are spent on what cannot be.
                if let Some(infeasible) = self.contradiction() {
                    return Err(infeasible.into());
                }
            }
        }
        let (looked, stopped) = (descent.looked, descent.stopped);
        let Some((_, support)) = best else {
            // Whoever stopped it has no time for reasons.
            let error = SolveError::NotFound { starts: ended };
            return Err(if stopped { error } else { self.explained(error) });
        };
        let portfolio = self.weigh(&support)?;
        Ok(Found { portfolio, support, starts: ended, agreed, looked, stopped })
    }

    /// The names that weigh most where none has a minimum and any number may be held; none if that has no solution.
    fn relaxed(&self) -> Vec<Held> {
        let mut mandate = self.mandate().clone();
        mandate.count = Count::Any;
        let own = mandate.own.iter_mut().flat_map(|own| [&mut own.long, &mut own.short]).flatten();
        own.chain([&mut mandate.long]).chain(&mut mandate.short).for_each(|span| span.min = 0.0);
        let relaxed = Problem::new(self.universe(), &mandate, self.lambda());
        let Ok((portfolio, _)) = relaxed.and_then(|problem| problem.solve_convex(None)) else { return Vec::new() };
        let w = &portfolio.weights;
        let mut names: Vec<usize> = portfolio.held().filter(|name| w[*name].abs() > 1e-9).collect();
        names.sort_by(|a, b| w[*b].abs().total_cmp(&w[*a].abs()).then(a.cmp(b)));
        names.truncate(mandate.most_names(names.len()).min(self.mandate().most_names(names.len())));
        names.into_iter().map(|name| Held { name, side: side(w[name]) }).collect()
    }

    /// May it be held so?
    #[must_use]
    pub fn may(&self, held: Held) -> bool {
        self.span_of(held).is_some()
    }

    /// A proposal made one that can be held: each name once and on a side that it may have, and as many as must be.
    fn mended(&self, proposed: Vec<Held>, starts: &mut dyn Starts) -> Vec<Held> {
        let names = self.universe().len();
        let mut taken = vec![false; names];
        let mut support = Vec::new();
        for held in proposed {
            let other = Held { side: held.side.other(), ..held };
            let Some(held) = [held, other].into_iter().find(|held| self.may(*held)) else { continue };
            if !std::mem::replace(&mut taken[held.name], true) {
                support.push(held);
            }
        }
        support.truncate(self.mandate().most_names(names));
        let least = match self.mandate().count {
            Count::Exactly(count) => count,
            Count::Any | Count::AtMost(_) => 1,
        };
        while support.len() < least {
            let open: Vec<Held> = (0..names)
                .flat_map(|name| [Side::Long, Side::Short].map(|side| Held { name, side }))
                .filter(|held| self.may(*held) && support.iter().all(|other| other.name != held.name))
                .collect();
            if open.is_empty() {
                break;
            }
            support.push(open[starts.draw(open.len())]);
        }
        support
    }
}

impl Side {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Side {
        if self == Side::Long { Side::Short } else { Side::Long }
    }
}

fn side(weight: f64) -> Side {
    if weight < 0.0 { Side::Short } else { Side::Long }
}
