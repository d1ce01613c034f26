//! The factor of a correlation matrix: a lower triangle whose product with its own transpose it is.
//!
//! Assets that move as one make a matrix that is only semidefinite. Its factor has a column of zeros there; what rounding leaves of a pivot is
//! told from what a contradiction leaves by [`TOLERANCE`].

/// What a pivot may be below 0, or a column that should be empty may hold, for being rounded: correlations are given with some digits.
pub const TOLERANCE: f64 = 1e-9;

/// A matrix that is not positive semidefinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indefinite {
    /// The first row that contradicts those above it.
    pub row: usize,
}

/// Where a row begins.
#[must_use]
pub fn row(number: usize) -> usize {
    number * (number + 1) / 2
}

/// The factor of a symmetric matrix with a diagonal of ones, row by row: `1 + 2 + ..` numbers.
///
/// # Errors
/// [`Indefinite`].
pub fn factor(matrix: &[Vec<f64>]) -> Result<Vec<f64>, Indefinite> {
    let mut lower: Vec<f64> = Vec::with_capacity(row(matrix.len()));
    for (i, given) in matrix.iter().enumerate() {
        let mut left = given.get(i).copied().unwrap_or_default();
        for (j, value) in given.iter().take(i).enumerate() {
            let (own, above) = (&lower[row(i)..], &lower[row(j)..=row(j) + j]);
            let rest = value - own.iter().zip(&above[..j]).map(|(a, b)| a * b).sum::<f64>();
            let entry = if above[j] > 0.0 {
                rest / above[j]
            } else if rest.abs() <= TOLERANCE.sqrt() {
                0.0
            } else {
                return Err(Indefinite { row: i });
            };
            left -= entry * entry;
            lower.push(entry);
        }
        if left < -TOLERANCE {
            return Err(Indefinite { row: i });
        }
        lower.push(if left <= TOLERANCE { 0.0 } else { left.sqrt() });
    }
    Ok(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(lower: &[f64], count: usize) -> Vec<Vec<f64>> {
        let of = |i: usize| &lower[row(i)..row(i + 1)];
        (0..count).map(|i| (0..count).map(|j| of(i).iter().zip(of(j)).map(|(a, b)| a * b).sum()).collect()).collect()
    }

    #[test]
    fn a_factor_times_itself_is_the_matrix() {
        let some = vec![
            vec![1.0, 0.6, -0.3, 0.1],
            vec![0.6, 1.0, 0.2, 0.0],
            vec![-0.3, 0.2, 1.0, 0.5],
            vec![0.1, 0.0, 0.5, 1.0],
        ];
        let again = product(&factor(&some).unwrap(), 4);
        for (a, b) in some.iter().flatten().zip(again.iter().flatten()) {
            assert!((a - b).abs() < 1e-15);
        }
        assert_eq!(factor(&some[..1].iter().map(|row| row[..1].to_vec()).collect::<Vec<_>>()), Ok(vec![1.0]));
    }

    #[test]
    fn assets_that_move_as_one_have_an_empty_column() {
        let third = 1.0 / 3.0;
        let one = vec![
            vec![1.0, 1.0, third, -1.0],
            vec![1.0, 1.0, third, -1.0],
            vec![third, third, 1.0, -third],
            vec![-1.0, -1.0, -third, 1.0],
        ];
        let lower = factor(&one).unwrap();
        assert_eq!((lower[row(1)], lower[row(1) + 1]), (1.0, 0.0));
        for (a, b) in one.iter().flatten().zip(product(&lower, 4).iter().flatten()) {
            assert!((a - b).abs() < 1e-12);
        }
    }

    #[test]
    fn contradictions_are_found_and_rounding_is_not_one() {
        // Two that move as one can't differ towards a third.
        let torn = vec![vec![1.0, 1.0, 0.5], vec![1.0, 1.0, 0.4], vec![0.5, 0.4, 1.0]];
        assert_eq!(factor(&torn), Err(Indefinite { row: 2 }));
        // At r = -1/2 three returns sum up to nothing; below there are none.
        let three = |r: f64| vec![vec![1.0, r, r], vec![r, 1.0, r], vec![r, r, 1.0]];
        assert!(factor(&three(-0.5)).is_ok() && factor(&three(-0.499)).is_ok());
        assert!(factor(&three(-0.5 - 1e-11)).is_ok());
        assert_eq!(factor(&three(-0.501)), Err(Indefinite { row: 2 }));
        assert_eq!(factor(&three(-0.5 - 1e-8)), Err(Indefinite { row: 2 }));
    }
}
