//! The one factorisation that everything here stands on: `L D Lᵀ` of a dense symmetric matrix, without pivoting.
//!
//! It exists, and is stable enough to be refined, for matrices that are positive definite or quasidefinite
//! (`[P Aᵀ; A -D]` with both blocks definite: Vanderbei, "Symmetric quasidefinite matrices", SIAM J. Optim. 5(1), 1995).

/// Factors the leading `n` x `n` of a row-major matrix of that size in place: L below the diagonal, D on it. What stands above
/// is neither read nor written.
///
/// # Errors
/// The first pivot that `sound` does not take, as its index and value; rows before it are factored.
pub(crate) fn factor(a: &mut [f64], n: usize, sound: impl Fn(usize, f64) -> bool) -> Result<(), (usize, f64)> {
    for i in 0..n {
        let (above, row) = a.split_at_mut(i * n);
        let mut pivot = row[i];
        for j in 0..i {
            // Of the columns before j, `row` holds L's entries times their pivots.
            let before = &above[j * n..j * n + j];
            let dot: f64 = before.iter().zip(&row[..j]).map(|(l, u)| l * u).sum();
            row[j] -= dot;
        }
        for j in 0..i {
            let l = row[j] / above[j * n + j];
            pivot -= row[j] * l;
            row[j] = l;
        }
        row[i] = pivot;
        if !sound(i, pivot) {
            return Err((i, pivot));
        }
    }
    Ok(())
}

/// Solves with what [`factor`] made: `x` is the right-hand side, and the solution afterwards.
pub(crate) fn solve(a: &[f64], n: usize, x: &mut [f64]) {
    for i in 0..n {
        let dot: f64 = a[i * n..i * n + i].iter().zip(&x[..i]).map(|(l, x)| l * x).sum();
        x[i] -= dot;
    }
    for i in 0..n {
        x[i] /= a[i * n + i];
    }
    for i in (0..n).rev() {
        let value = x[i];
        for (x, l) in x[..i].iter_mut().zip(&a[i * n..i * n + i]) {
            *x -= l * value;
        }
    }
}

/// The inner product.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_solved_fits(n in 1usize..12, constraints in 0usize..4, values in prop::collection::vec(-1.0f64..1.0, 256)) {
            // B Bᵀ + I, bordered to a quasidefinite matrix.
            let size = n + constraints;
            let at = |i: usize, j: usize| values[(i * 17 + j * 5) % 256];
            let mut a = vec![0.0; size * size];
            for i in 0..n {
                for j in 0..n {
                    a[i * size + j] = (0..n).map(|k| at(i, k) * at(j, k)).sum::<f64>() + f64::from(u8::from(i == j));
                }
            }
            for c in 0..constraints {
                for i in 0..n {
                    a[(n + c) * size + i] = at(c + 40, i);
                    a[i * size + n + c] = at(c + 40, i);
                }
                a[(n + c) * (size + 1)] = -0.5;
            }
            let full = a.clone();
            let b: Vec<f64> = (0..size).map(|i| at(i, 99)).collect();
            let mut x = b.clone();
            let factored = factor(&mut a, size, |i, d| if i < n { d > 0.0 } else { d < 0.0 });
            prop_assert!(factored.is_ok());
            solve(&a, size, &mut x);
            for i in 0..size {
                prop_assert!((dot(&full[i * size..(i + 1) * size], &x) - b[i]).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_pivot_that_is_not_sound_is_said() {
        let mut a = vec![1.0, 0.0, 2.0, 3.0];
        assert_eq!(factor(&mut a, 2, |_, d| d > 0.0), Err((1, -1.0)));
    }
}
