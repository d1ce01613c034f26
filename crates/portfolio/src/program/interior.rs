//! The program as clarabel takes it: `Ax + s = b`, equalities first.

use super::{Active, At, Program, Unsolved};
use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, SupportedConeT, ZeroConeT,
};

/// What the interior point found.
pub(super) struct Interior {
    pub(super) x: Vec<f64>,
    pub(super) multipliers: Vec<f64>,
    pub(super) active: Active,
}

/// Which limit a row of clarabel's is.
#[derive(Clone, Copy)]
enum Of {
    Row(usize, At),
    Bound(usize, At),
}

/// Clarabel's matrix, column by column, as it is gathered.
#[derive(Default)]
struct Gathered {
    columns: Vec<Vec<(usize, f64)>>,
    right: Vec<f64>,
    of: Vec<Of>,
}

impl Gathered {
    fn put(&mut self, terms: &[(usize, f64)], sign: f64, right: f64, of: Of) {
        let row = self.right.len();
        terms.iter().for_each(|(at, c)| self.columns[*at].push((row, sign * c)));
        self.right.push(sign * right);
        self.of.push(of);
    }
}

impl Program {
    pub(super) fn interior(&self) -> Result<Interior, Unsolved> {
        let n = self.len();
        let mut all = Gathered { columns: vec![Vec::new(); n], ..Gathered::default() };
        let bound = |at: usize| [(at, 1.0)];
        for (r, row) in self.rows.iter().enumerate().filter(|(_, row)| row.low == row.high) {
            all.put(&row.terms, 1.0, row.high, Of::Row(r, At::Low));
        }
        for at in (0..n).filter(|at| self.floor[*at] == self.ceiling[*at]) {
            all.put(&bound(at), 1.0, self.floor[at], Of::Bound(at, At::Low));
        }
        let equalities = all.right.len();
        for (r, row) in self.rows.iter().enumerate().filter(|(_, row)| row.low != row.high) {
            if row.high.is_finite() {
                all.put(&row.terms, 1.0, row.high, Of::Row(r, At::High));
            }
            if row.low.is_finite() {
                all.put(&row.terms, -1.0, row.low, Of::Row(r, At::Low));
            }
        }
        for at in (0..n).filter(|at| self.floor[*at] != self.ceiling[*at]) {
            all.put(&bound(at), 1.0, self.ceiling[at], Of::Bound(at, At::High));
            all.put(&bound(at), -1.0, self.floor[at], Of::Bound(at, At::Low));
        }
        let inequalities = all.right.len() - equalities;
        let scale = self.scale();
        let curved = (0..n).map(|j| {
            let rows = (0..=j).take(if j < self.order { j + 1 } else { 0 });
            rows.map(|i| (i, self.quadratic[i * self.order + j] / scale)).collect()
        });
        let p = matrix(n, curved.collect());
        let q: Vec<f64> = self.linear.iter().map(|q| q / scale).collect();
        let a = matrix(all.right.len(), all.columns);
        let cones: Vec<SupportedConeT<f64>> = vec![ZeroConeT(equalities), NonnegativeConeT(inequalities)];
        let settings = DefaultSettings {
            verbose: false,
            tol_gap_abs: 1e-10,
            tol_gap_rel: 1e-10,
            tol_feas: 1e-10,
            max_threads: 1,
            ..DefaultSettings::default()
        };
        let mut solver = DefaultSolver::new(&p, &q, &a, &all.right, &cones, settings)
            .map_err(|_| Unsolved::GaveUp("it did not take the program"))?;
        solver.solve();
        let solution = &solver.solution;
        match solution.status {
            SolverStatus::Solved | SolverStatus::AlmostSolved => {}
            SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible => return Err(Unsolved::Infeasible),
            SolverStatus::MaxIterations => return Err(Unsolved::GaveUp("too many iterations")),
            SolverStatus::InsufficientProgress => return Err(Unsolved::GaveUp("no progress")),
            SolverStatus::NumericalError => return Err(Unsolved::GaveUp("numerical trouble")),
            _ => return Err(Unsolved::GaveUp("no solution")),
        }
        let mut active = Active { bounds: vec![At::Free; n], rows: vec![At::Free; self.rows.len()] };
        let mut multipliers = vec![0.0; self.rows.len()];
        for (k, of) in all.of.iter().enumerate() {
            // Of what is complementary, the larger is not the one that vanishes.
            let holds = k < equalities || solution.z[k] > solution.s[k];
            match *of {
                Of::Row(r, at) => {
                    if holds {
                        active.rows[r] = at;
                    }
                    let sign = if at == At::Low && k >= equalities { -1.0 } else { 1.0 };
                    multipliers[r] += sign * solution.z[k] * scale;
                }
                Of::Bound(v, at) if holds => active.bounds[v] = at,
                Of::Bound(..) => {}
            }
        }
        Ok(Interior { x: solution.x.clone(), multipliers, active })
    }

    /// The largest coefficient of the objective: programs are solved in its measure.
    pub(super) fn scale(&self) -> f64 {
        let most = self.quadratic.iter().chain(&self.linear).map(|value| value.abs()).fold(0.0, f64::max);
        if most > 0.0 { most } else { 1.0 }
    }
}

fn matrix(rows: usize, columns: Vec<Vec<(usize, f64)>>) -> CscMatrix<f64> {
    let mut starts = vec![0];
    let (mut at, mut values) = (Vec::new(), Vec::new());
    for column in &columns {
        at.extend(column.iter().map(|(row, _)| *row));
        values.extend(column.iter().map(|(_, value)| *value));
        starts.push(at.len());
    }
    CscMatrix::new(rows, columns.len(), starts, at, values)
}
