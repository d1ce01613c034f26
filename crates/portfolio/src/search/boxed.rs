//! The best weights of a few names between their own limits, with their sum between two: what a search asks a million times.
//!
//! A primal active set method (Nocedal and Wright, "Numerical Optimization", 2nd ed., algorithm 16.3) that begins with the weights of a
//! neighbour. The free names' part of the matrix is factored anew each time: of ten names that costs less than keeping it up to date.

use crate::dense;
use crate::mandate::Span;
use crate::program::At;

/// `minimise ½ w'Hw + c'w` over `low <= w <= high`, and the net weight in a span.
#[derive(Clone, Debug, Default)]
pub(super) struct Boxed {
    /// How many names.
    pub(super) k: usize,
    /// `H`, row by row, positive definite.
    pub(super) h: Vec<f64>,
    pub(super) c: Vec<f64>,
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
    /// Where it begins, and the solution.
    pub(super) w: Vec<f64>,
    at: Vec<At>,
    /// What is worked with: the free names, their matrix, two right-hand sides, the slope of all.
    free: Vec<usize>,
    factored: Vec<f64>,
    step: Vec<f64>,
    ones: Vec<f64>,
    slope: Vec<f64>,
}

/// How far a multiplier may have the wrong sign, in the measure of the objective.
const SIGN: f64 = 1e-12;
/// How far a sum may be from where it should be.
const SUM: f64 = 1e-12;

impl Boxed {
    /// The least value, its weights in `w`; `None` if the sum cannot be reached.
    pub(super) fn minimise(&mut self, net: Span) -> Option<f64> {
        self.slope.resize(self.k, 0.0);
        if net.min == net.max {
            return self.with_sum(Some(net.min));
        }
        let value = self.with_sum(None)?;
        let sum: f64 = self.w.iter().sum();
        // The best value of a sum is convex in it: beyond an end, the end is best.
        if sum < net.min {
            self.with_sum(Some(net.min))
        } else if sum > net.max {
            self.with_sum(Some(net.max))
        } else {
            Some(value)
        }
    }

    /// Puts `w` between the limits, and its sum where it should be.
    fn begin(&mut self, sum: Option<f64>) -> Option<()> {
        let limits = || self.low.iter().zip(&self.high);
        self.w.iter_mut().zip(limits()).for_each(|(w, (low, high))| *w = w.clamp(*low, *high));
        if let Some(sum) = sum {
            let missing = sum - self.w.iter().sum::<f64>();
            let ends = if missing > 0.0 { &self.high } else { &self.low };
            let room: f64 = ends.iter().zip(&self.w).map(|(end, w)| end - w).sum();
            if missing.abs() > room.abs() + SUM {
                return None;
            }
            if missing.abs() > SUM / 100.0 && room != 0.0 {
                let part = (missing / room).min(1.0);
                self.w.iter_mut().zip(ends).for_each(|(w, end)| *w += (end - *w) * part);
            }
        }
        self.at.clear();
        let limits = self.low.iter().zip(&self.high);
        self.at.extend(self.w.iter().zip(limits).map(|(w, (low, high))| match () {
            () if w <= low => At::Low,
            () if w >= high => At::High,
            () => At::Free,
        }));
        Some(())
    }

    fn with_sum(&mut self, sum: Option<f64>) -> Option<f64> {
        self.begin(sum)?;
        let k = self.k;
        let scale = (0..k).map(|i| self.h[i * (k + 1)].max(self.c[i].abs())).fold(0.0, f64::max);
        for _ in 0..20 + 10 * k {
            self.look();
            let nu = self.direction(sum.is_some());
            let (part, blocked) = self.ratio();
            for (i, d) in self.free.iter().zip(&self.step) {
                self.w[*i] += part * d;
            }
            if let Some((i, end)) = blocked {
                self.at[i] = end;
                self.w[i] = if end == At::Low { self.low[i] } else { self.high[i] };
                continue;
            }
            self.look();
            if !self.release(nu, SIGN * scale) {
                break;
            }
        }
        Some((0..k).map(|i| self.w[i] * (self.slope[i] + self.c[i]) / 2.0).sum())
    }

    /// The slope at `w`, and the free names.
    fn look(&mut self) {
        let k = self.k;
        for i in 0..k {
            self.slope[i] = self.c[i] + dense::dot(&self.h[i * k..(i + 1) * k], &self.w);
        }
        self.free.clear();
        self.free.extend((0..k).filter(|i| self.at[*i] == At::Free));
    }

    /// The step of the free names to where they were best if nothing stopped them; the multiplier of the sum.
    fn direction(&mut self, summed: bool) -> Option<f64> {
        let m = self.free.len();
        self.step.clear();
        self.step.extend(self.free.iter().map(|i| self.slope[*i]));
        self.ones.clear();
        self.ones.resize(m, 1.0);
        if m == 0 {
            return None;
        }
        self.factored.clear();
        for i in &self.free {
            self.factored.extend(self.free.iter().map(|j| self.h[i * self.k + j]));
        }
        // With the ridge of the search every pivot is positive; a step that is none ends the method where it stands.
        if dense::factor(&mut self.factored, m, |_, pivot| pivot > 0.0).is_err() {
            self.step.fill(0.0);
            return summed.then(|| self.slope[self.free[0]]);
        }
        dense::solve(&self.factored, m, &mut self.step);
        let mut nu = 0.0;
        if summed {
            dense::solve(&self.factored, m, &mut self.ones);
            nu = self.step.iter().sum::<f64>() / self.ones.iter().sum::<f64>();
        }
        for (step, one) in self.step.iter_mut().zip(&self.ones) {
            *step = nu * one - *step;
        }
        if !summed {
            // There is no sum to pay for.
            return Some(0.0);
        }
        Some(nu)
    }

    /// How much of the step can be gone, and what stops it.
    fn ratio(&self) -> (f64, Option<(usize, At)>) {
        let (mut part, mut blocked) = (1.0, None);
        for (i, d) in self.free.iter().zip(&self.step) {
            let (room, end) =
                if *d < 0.0 { (self.low[*i] - self.w[*i], At::Low) } else { (self.high[*i] - self.w[*i], At::High) };
            if *d != 0.0 && room / d < part {
                (part, blocked) = ((room / d).max(0.0), Some((*i, end)));
            }
        }
        (part, blocked)
    }

    /// Lets go of the limit whose multiplier has the wrong sign most. Was there one?
    fn release(&mut self, nu: Option<f64>, tolerance: f64) -> bool {
        let movable = |i: &usize| self.low[*i] < self.high[*i];
        let least = (0..self.k).filter(movable).filter(|i| self.at[*i] == At::Low);
        let least = least.min_by(|i, j| self.slope[*i].total_cmp(&self.slope[*j]));
        let most = (0..self.k).filter(movable).filter(|i| self.at[*i] == At::High);
        let most = most.max_by(|i, j| self.slope[*i].total_cmp(&self.slope[*j]));
        let Some(nu) = nu else {
            // All are at limits: one goes up and one down, or none.
            let (Some(up), Some(down)) = (least, most) else { return false };
            if self.slope[down] - self.slope[up] <= tolerance {
                return false;
            }
            (self.at[up], self.at[down]) = (At::Free, At::Free);
            return true;
        };
        let wrong = [least.map(|i| (i, nu - self.slope[i])), most.map(|i| (i, self.slope[i] - nu))];
        let worst = wrong.into_iter().flatten().max_by(|a, b| a.1.total_cmp(&b.1));
        match worst.filter(|(_, wrong)| *wrong > tolerance) {
            Some((i, _)) => {
                self.at[i] = At::Free;
                true
            }
            None => false,
        }
    }
}
