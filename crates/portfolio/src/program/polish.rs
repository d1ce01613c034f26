//! The program solved on the limits that are thought active, as equations; and these mended until all multipliers have the
//! right signs. The regularised system with refinement is that of OSQP's polishing (Stellato and others, "OSQP: an operator
//! splitting solver for quadratic programs", Math. Prog. Comp. 12, 2020, section 4); what is active is mended as in the primal-dual
//! active set method (Hintermüller, Ito and Kunisch, SIAM J. Optim. 13(3), 2002).

use super::{FEASIBLE, Program, Solved};
use crate::dense;

/// Where a variable or a row is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    /// At its lower limit; equations are always here.
    Low,
    /// Between its limits.
    Free,
    /// At its upper limit.
    High,
}

/// What is at its limits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Active {
    pub(crate) bounds: Vec<At>,
    pub(crate) rows: Vec<At>,
}

/// Sets that are tried, at most.
const ROUNDS: usize = 60;
/// What makes the system quasidefinite, in the measure of the objective. Refinement takes its effect out again.
const REGULAR: f64 = 1e-8;
/// Corrections, at most.
const REFINED: usize = 40;
/// What is left of the equations at the end, at most.
const RESIDUAL: f64 = 1e-12;
/// How far a multiplier may have the wrong sign, in the measure of the objective.
const SIGN: f64 = 1e-11;
/// How far beyond a limit is on it.
const ON: f64 = 1e-13;

impl Program {
    /// The solution, if one is found from this guess.
    pub(super) fn polish(&self, guess: &Active) -> Option<Solved> {
        let fits = guess.bounds.len() == self.len() && guess.rows.len() == self.rows.len();
        let mut active = fits.then(|| guess.clone())?;
        for (at, row) in active.rows.iter_mut().zip(&self.rows) {
            let end = if *at == At::High { row.high } else { row.low };
            *at = match *at {
                _ if row.low == row.high => At::Low,
                at if at != At::Free && end.is_finite() => at,
                _ => At::Free,
            };
        }
        for (at, bound) in active.bounds.iter_mut().enumerate() {
            if self.floor[at] == self.ceiling[at] {
                *bound = At::Low;
            }
        }
        let scale = self.scale();
        for _ in 0..ROUNDS {
            let (x, multipliers) = self.on(&active, scale)?;
            if self.mend(&mut active, &x, &multipliers, scale) {
                continue;
            }
            let x: Vec<f64> = (0..x.len()).map(|at| x[at].clamp(self.floor[at], self.ceiling[at])).collect();
            let (gap, violation) = (self.gap(&x, &multipliers), self.violation(&x));
            let sound = violation <= FEASIBLE && gap.abs() <= 1e-9 * scale;
            return sound.then(|| Solved { gap, violation, objective: self.objective(&x), x, active: Some(active) });
        }
        None
    }

    /// `x` and the rows' multipliers with what is active as equations.
    fn on(&self, active: &Active, scale: f64) -> Option<(Vec<f64>, Vec<f64>)> {
        let free: Vec<usize> = (0..self.len()).filter(|at| active.bounds[*at] == At::Free).collect();
        let rows: Vec<usize> = (0..self.rows.len()).filter(|r| active.rows[*r] != At::Free).collect();
        let mut x: Vec<f64> = (0..self.len())
            .map(|at| match active.bounds[at] {
                At::Low => self.floor[at],
                At::High => self.ceiling[at],
                At::Free => 0.0,
            })
            .collect();
        let (n, size) = (free.len(), free.len() + rows.len());
        let mut place = vec![usize::MAX; self.len()];
        free.iter().enumerate().for_each(|(k, at)| place[*at] = k);
        let fixed = self.curved(&x);
        let mut system = vec![0.0; size * size];
        let mut right = vec![0.0; size];
        for (k, i) in free.iter().enumerate() {
            right[k] = -(self.linear[*i] + fixed[*i]) / scale;
            if *i < self.order {
                for (l, j) in free.iter().enumerate().filter(|(_, j)| **j < self.order) {
                    system[k * size + l] = self.quadratic[i * self.order + j] / scale;
                }
            }
        }
        for (k, r) in rows.iter().enumerate() {
            let row = &self.rows[*r];
            right[n + k] = if active.rows[*r] == At::High { row.high } else { row.low } - row.value(&x);
            for (at, c) in row.terms.iter().filter(|(at, _)| place[*at] != usize::MAX) {
                system[place[*at] * size + n + k] = *c;
                system[(n + k) * size + place[*at]] = *c;
            }
        }
        let mut factored = system.clone();
        for k in 0..size {
            factored[k * (size + 1)] += if k < n { REGULAR } else { -REGULAR };
        }
        dense::factor(&mut factored, size, |k, pivot| if k < n { pivot > 0.0 } else { pivot < 0.0 }).ok()?;
        let mut solution = vec![0.0; size];
        let mut left = f64::INFINITY;
        for _ in 0..REFINED {
            let mut rest: Vec<f64> =
                (0..size).map(|k| right[k] - dense::dot(&system[k * size..(k + 1) * size], &solution)).collect();
            let now = rest.iter().map(|value| value.abs()).fold(0.0, f64::max);
            if now <= RESIDUAL / 100.0 || (now <= RESIDUAL && now > left / 2.0) {
                left = now;
                break;
            }
            left = now;
            dense::solve(&factored, size, &mut rest);
            solution.iter_mut().zip(&rest).for_each(|(x, step)| *x += step);
        }
        if left.is_nan() || left > RESIDUAL {
            return None;
        }
        free.iter().zip(&solution).for_each(|(at, value)| x[*at] = *value);
        let mut multipliers = vec![0.0; self.rows.len()];
        rows.iter().zip(&solution[n..]).for_each(|(r, y)| multipliers[*r] = y * scale);
        Some((x, multipliers))
    }

    /// Changes what is active where `x` or a multiplier says that it is wrong. Was there something to change?
    fn mend(&self, active: &mut Active, x: &[f64], multipliers: &[f64], scale: f64) -> bool {
        let mut changed = false;
        for (at, bound) in active.bounds.iter_mut().enumerate().filter(|(_, bound)| **bound == At::Free) {
            if x[at] < self.floor[at] - ON {
                (*bound, changed) = (At::Low, true);
            } else if x[at] > self.ceiling[at] + ON {
                (*bound, changed) = (At::High, true);
            }
        }
        for (at, row) in active.rows.iter_mut().zip(&self.rows).filter(|(at, _)| **at == At::Free) {
            let value = row.value(x);
            if value < row.low - ON {
                (*at, changed) = (At::Low, true);
            } else if value > row.high + ON {
                (*at, changed) = (At::High, true);
            }
        }
        if changed {
            return true;
        }
        let mut slope = self.curved(x);
        slope.iter_mut().zip(&self.linear).for_each(|(slope, q)| *slope += q);
        for (row, y) in self.rows.iter().zip(multipliers) {
            row.terms.iter().for_each(|(at, c)| slope[*at] += c * y);
        }
        let tolerance = SIGN * scale;
        // The one that is wrong most: several at once may go in circles.
        let mut worst = (tolerance, None);
        for (at, bound) in active.bounds.iter().enumerate().filter(|(at, _)| self.floor[*at] < self.ceiling[*at]) {
            let wrong = match bound {
                At::Low => -slope[at],
                At::High => slope[at],
                At::Free => 0.0,
            };
            if wrong > worst.0 {
                worst = (wrong, Some((true, at)));
            }
        }
        for (r, at) in active.rows.iter().enumerate().filter(|(r, _)| self.rows[*r].low < self.rows[*r].high) {
            let wrong = match at {
                At::Low => multipliers[r],
                At::High => -multipliers[r],
                At::Free => 0.0,
            };
            if wrong > worst.0 {
                worst = (wrong, Some((false, r)));
            }
        }
        match worst.1 {
            Some((true, at)) => active.bounds[at] = At::Free,
            Some((false, r)) => active.rows[r] = At::Free,
            None => return false,
        }
        true
    }
}
