//! A convex quadratic program, solved twice: by clarabel's interior point, and then exactly on the limits that it found
//! active.
//!
//! ```text
//! minimise ½ x'Px + q'x    subject to    low <= Ax <= high,    floor <= x <= ceiling  (all finite)
//! ```
//!
//! As every variable has a floor and a ceiling, any multipliers of the rows with the right signs make a dual point: the gap that is
//! reported bounds how far the objective is from the optimum, whoever found it.

mod interior;
mod polish;

pub(crate) use polish::{Active, At};

/// A row of `A`.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Row {
    /// Variable and coefficient, each variable once.
    pub(crate) terms: Vec<(usize, f64)>,
    /// May be minus infinity.
    pub(crate) low: f64,
    /// May be infinity.
    pub(crate) high: f64,
}

impl Row {
    pub(crate) fn value(&self, x: &[f64]) -> f64 {
        self.terms.iter().map(|(at, c)| c * x[*at]).sum()
    }
}

/// The program.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Program {
    /// `P`, row by row, of the first variables; the others are not in it.
    pub(crate) quadratic: Vec<f64>,
    /// Of how many variables `P` is.
    pub(crate) order: usize,
    /// `q`, and so many variables there are.
    pub(crate) linear: Vec<f64>,
    pub(crate) floor: Vec<f64>,
    pub(crate) ceiling: Vec<f64>,
    pub(crate) rows: Vec<Row>,
}

/// A solution with its certificate.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Solved {
    pub(crate) x: Vec<f64>,
    /// The objective is at most so far above the least there is.
    pub(crate) gap: f64,
    /// By how much the limit is missed that is missed most.
    pub(crate) violation: f64,
    pub(crate) objective: f64,
    /// What was active, if it was solved for exactly.
    pub(crate) active: Option<Active>,
}

/// Why there is no solution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unsolved {
    /// No point keeps to all limits.
    Infeasible,
    /// The solver gave up; in its own word.
    GaveUp(&'static str),
}

/// A solution that misses a limit by more is none.
pub(crate) const FEASIBLE: f64 = 1e-9;

impl Program {
    pub(crate) fn len(&self) -> usize {
        self.linear.len()
    }

    /// A variable from `floor` to `ceiling` with the cost `linear`; its index.
    pub(crate) fn variable(&mut self, linear: f64, floor: f64, ceiling: f64) -> usize {
        self.linear.push(linear);
        self.floor.push(floor);
        self.ceiling.push(ceiling);
        self.linear.len() - 1
    }

    /// A row of variables and coefficients.
    pub(crate) fn row(&mut self, terms: Vec<(usize, f64)>, low: f64, high: f64) {
        self.rows.push(Row { terms, low, high });
    }

    /// `Px`.
    fn curved(&self, x: &[f64]) -> Vec<f64> {
        let n = self.order;
        let mut out = vec![0.0; self.len()];
        for (j, value) in x[..n].iter().enumerate().filter(|(_, value)| **value != 0.0) {
            for (out, p) in out.iter_mut().zip(&self.quadratic[j * n..(j + 1) * n]) {
                *out += p * value;
            }
        }
        out
    }

    pub(crate) fn objective(&self, x: &[f64]) -> f64 {
        let linear: f64 = self.linear.iter().zip(x).map(|(q, x)| q * x).sum();
        linear + self.curved(x).iter().zip(x).map(|(p, x)| p * x).sum::<f64>() / 2.0
    }

    /// By how much `x` misses what it misses most.
    pub(crate) fn violation(&self, x: &[f64]) -> f64 {
        let beyond = |value: f64, low: f64, high: f64| (low - value).max(value - high);
        let bounds = x.iter().zip(self.floor.iter().zip(&self.ceiling)).map(|(x, (low, high))| beyond(*x, *low, *high));
        let rows = self.rows.iter().map(|row| beyond(row.value(x), row.low, row.high));
        bounds.chain(rows).fold(0.0, f64::max)
    }

    /// The objective at `x` less that of the dual point which `multipliers` of the rows make (positive: of `high`).
    fn gap(&self, x: &[f64], multipliers: &[f64]) -> f64 {
        let mut slope = self.curved(x);
        slope.iter_mut().zip(&self.linear).for_each(|(slope, q)| *slope += q);
        let mut gap = 0.0;
        for (row, y) in self.rows.iter().zip(multipliers) {
            let end = if *y > 0.0 { row.high } else { row.low };
            // A multiplier of a limit that is not there has no part in a dual point.
            if end.is_finite() {
                gap += y * (end - row.value(x));
                row.terms.iter().for_each(|(at, c)| slope[*at] += c * y);
            }
        }
        for (at, slope) in slope.iter().enumerate() {
            gap += slope * (x[at] - if *slope > 0.0 { self.floor[at] } else { self.ceiling[at] });
        }
        gap
    }

    /// Solves it; `warm` is what was active in a program much like this one.
    pub(crate) fn solve(&self, warm: Option<&Active>) -> Result<Solved, Unsolved> {
        if let Some(solved) = warm.and_then(|active| self.polish(active)) {
            return Ok(solved);
        }
        let inner = self.interior()?;
        if let Some(solved) = self.polish(&inner.active) {
            return Ok(solved);
        }
        // As the interior point left it, within the bounds.
        let mut x = inner.x;
        for (at, x) in x.iter_mut().enumerate() {
            *x = x.clamp(self.floor[at], self.ceiling[at]);
        }
        let (gap, violation) = (self.gap(&x, &inner.multipliers), self.violation(&x));
        Ok(Solved { gap, violation, objective: self.objective(&x), x, active: None })
    }

    /// The least objective as the interior point found it, without a certificate.
    pub(crate) fn solve_roughly(&self) -> Result<f64, Unsolved> {
        self.interior().map(|inner| self.objective(&inner.x))
    }
}
