//! The equal-weight problem as a quadratic unconstrained binary one: the count as a penalty. For comparison, not for use:
//! `docs/portfolio.md` says why.
//!
//! ```text
//! energy(x) = Σ_{i <= j} v_ij x_i x_j,  x in {0, 1};   objective of k names = energy + offset;   penalty A (Σ x_i - k)²
//! ```

use crate::equal::Choice;
use std::io::{self, Write};

/// A dense QUBO.
#[derive(Clone, PartialEq, Debug)]
pub struct Qubo {
    names: usize,
    count: usize,
    /// The penalty's weight.
    penalty: f64,
    /// `v_ij` for `i <= j`, row by row.
    values: Vec<f64>,
}

impl Qubo {
    /// The problem with this penalty's weight, or the weight of [`exact_penalty`].
    #[must_use]
    pub fn new(choice: &Choice, penalty: Option<f64>) -> Qubo {
        let (names, count) = (choice.names(), choice.count());
        let penalty = penalty.unwrap_or_else(|| exact_penalty(choice));
        let mut values = Vec::with_capacity(names * (names + 1) / 2);
        for i in 0..names {
            let row = choice.quadratic(i);
            // x² is x.
            values.push(choice.linear()[i] + row[i] + penalty * (1.0 - 2.0 * count as f64));
            values.extend(row[i + 1..].iter().map(|q| 2.0 * (q + penalty)));
        }
        Qubo { names, count, penalty, values }
    }

    /// The penalty's weight.
    #[must_use]
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// What an energy lacks of an objective: the penalty's constant.
    #[must_use]
    pub fn offset(&self) -> f64 {
        self.penalty * (self.count * self.count) as f64
    }

    /// `i <= j` and the value, row by row.
    pub fn terms(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let pairs = (0..self.names).flat_map(|i| (i..self.names).map(move |j| (i, j)));
        pairs.zip(&self.values).map(|((i, j), value)| (i, j, *value))
    }

    /// The energy of a state; what is missing of it is 0.
    #[must_use]
    pub fn energy(&self, state: &[bool]) -> f64 {
        let on = |i: usize| state.get(i).copied().unwrap_or(false);
        self.terms().filter(|(i, j, _)| on(*i) && on(*j)).map(|(_, _, value)| value).sum()
    }

    /// Writes it as text: lines of `#` say what it is, then how many variables there are, then `i j value` with `i <= j`, counted from
    /// 0, without those that are 0. Values are written so that they read back as they are.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(to, "# Choose {} of {} names at equal weights, the count as a penalty.", self.count, self.names)?;
        writeln!(
            to,
            "# energy = sum of value x_i x_j, x in {{0, 1}}; the objective is energy + offset where the count is met."
        )?;
        writeln!(to, "# offset {} penalty {}", self.offset(), self.penalty)?;
        writeln!(to, "{}", self.names)?;
        for (i, j, value) in self.terms().filter(|(_, _, value)| *value != 0.0) {
            writeln!(to, "{i} {j} {value}")?;
        }
        Ok(())
    }
}

/// A weight with which a state of least energy has the right count. With a count that is wrong by d, one name more or less changes the
/// objective by less than B + 2 d q, and the penalty by (2 d - 1) A: B is what one name changes beside k others at most, q the largest
/// of what two have in common, A = B + 2 q.
#[must_use]
pub fn exact_penalty(choice: &Choice) -> f64 {
    let (mut beside, mut largest) = (0.0_f64, 0.0_f64);
    for name in 0..choice.names() {
        let own = choice.linear()[name] + choice.quadratic(name)[name];
        let mut common: Vec<f64> = choice
            .quadratic(name)
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != name)
            .map(|(_, q)| q.abs())
            .collect();
        common.sort_by(|a, b| b.total_cmp(a));
        largest = largest.max(common.first().copied().unwrap_or(0.0));
        beside = beside.max(own.abs() + 2.0 * common.iter().take(choice.count()).sum::<f64>());
    }
    beside + 2.0 * largest
}
