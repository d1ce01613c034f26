//! What is chosen from a problem: how strong its couplings are, and how fast its stiffest mode moves.
//!
//! In floating point, but by additions, multiplications, divisions and square roots alone, which are the same everywhere.

use super::philox::{Random, Use};
use super::problem::Problem;

/// The mean over sites of the squares of all that a site feels, and its root.
#[must_use]
pub fn root_mean_square(problem: &Problem) -> f64 {
    let square = |value: i32| f64::from(value) * f64::from(value);
    let links = (0..problem.sites()).flat_map(|site| problem.links(site)).map(|link| square(link.coupling));
    let sum: f64 = links.chain(problem.fields().iter().map(|field| square(*field))).sum();
    (sum / problem.sites() as f64).sqrt()
}

/// The weakest coupling or field that there is, in size; 1 if there is none.
#[must_use]
pub fn smallest(problem: &Problem) -> f64 {
    let links = (0..problem.sites()).flat_map(|site| problem.links(site)).map(|link| link.coupling.unsigned_abs());
    let least = links.chain(problem.fields().iter().map(|field| field.unsigned_abs())).filter(|size| *size > 0).min();
    f64::from(least.unwrap_or(1))
}

/// `c0` of simulated bifurcation: a half over the root of what a site feels, squared and added up (Goto et al. 2021, section "Methods").
#[must_use]
pub fn gain(problem: &Problem) -> f64 {
    0.5 / root_mean_square(problem).max(f64::MIN_POSITIVE.sqrt())
}

/// Steps of Lanczos' method.
const STEPS: usize = 16;

/// The lowest eigenvalue of the couplings, or a little below it: the mode that a time step has to be short enough for. By Lanczos'
/// method; what its last residual leaves open is taken off.
#[must_use]
pub fn lowest(problem: &Problem) -> f64 {
    let sites = problem.sites();
    let random = Random::new(0);
    let mut now: Vec<f64> = (0..sites)
        .map(|site| f64::from(random.eight(Use::Start, 0, 0, site as u32 / 8)[site % 8]) - 32_767.5)
        .collect();
    let length = dot(&now, &now).sqrt();
    now.iter_mut().for_each(|value| *value /= length);
    let mut before = vec![0.0; sites];
    let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
    let mut back = 0.0;
    for _ in 0..STEPS.min(sites) {
        let mut next: Vec<f64> = (0..sites)
            .map(|site| {
                problem.links(site).iter().map(|link| f64::from(link.coupling) * now[link.to as usize]).sum::<f64>()
                    - back * before[site]
            })
            .collect();
        let along = dot(&next, &now);
        next.iter_mut().zip(&now).for_each(|(next, now)| *next -= along * now);
        diagonal.push(along);
        back = dot(&next, &next).sqrt();
        beside.push(back);
        if back < 1e-9 {
            break;
        }
        next.iter_mut().for_each(|value| *value /= back);
        before = std::mem::replace(&mut now, next);
    }
    lowest_of(&diagonal, &beside)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lowest eigenvalue of a matrix of three diagonals, less how far one of the whole matrix can be from it: `beside` ends with what the
/// method left over.
fn lowest_of(diagonal: &[f64], beside: &[f64]) -> f64 {
    let size = diagonal.len();
    let most = |of: &[f64]| of.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let reach = most(diagonal) + 2.0 * most(beside);
    // Eigenvalues below: as many as there are signs that change (Sturm).
    let any_below = |at: f64| {
        let mut ratio = 1.0;
        diagonal.iter().enumerate().any(|(row, value)| {
            let square = if row == 0 { 0.0 } else { beside[row - 1] * beside[row - 1] };
            ratio = value - at - square / ratio;
            if ratio == 0.0 {
                ratio = f64::MIN_POSITIVE;
            }
            ratio < 0.0
        })
    };
    let (mut low, mut high) = (-reach - 1.0, reach + 1.0);
    for _ in 0..60 {
        let middle = low + (high - low) / 2.0;
        if any_below(middle) { high = middle } else { low = middle }
    }
    // Its eigenvector, from the first row down; the last part of it is what the residual weighs.
    let mut vector = vec![1.0_f64];
    for row in 0..size - 1 {
        let above = if row == 0 { 0.0 } else { beside[row - 1] * vector[row - 1] };
        vector.push(((low - diagonal[row]) * vector[row] - above) / beside[row]);
    }
    let length = dot(&vector, &vector).sqrt();
    low - beside[size - 1] * (vector[size - 1] / length).abs()
}

#[cfg(test)]
mod tests {
    use super::super::problem::{Meaning, Pair};
    use super::*;

    fn problem(sites: usize, pairs: &[(u32, u32, i32)], fields: &[i32]) -> Problem {
        let pairs: Vec<Pair> =
            pairs.iter().map(|(i, j, coupling)| Pair { i: *i, j: *j, coupling: *coupling }).collect();
        Problem::new(sites, &pairs, fields, Meaning::Ising).unwrap()
    }

    /// A ring has the eigenvalues `2 J cos(2 pi k / n)`, a complete graph `(n - 1) J` and `-J`.
    #[test]
    fn the_lowest_eigenvalue_is_met_from_below() {
        let near = |got: f64, exact: f64, slack: f64| {
            assert!(got <= exact + 1e-9 && got >= exact - slack, "{got}, and it is {exact}");
        };
        let ring: Vec<_> = (0..40).map(|site| (site, (site + 1) % 40, 3)).collect();
        near(lowest(&problem(40, &ring, &[])), -6.0, 0.6);
        let complete = |coupling| {
            let pairs: Vec<_> = (0..30).flat_map(|i| (0..i).map(move |j| (i, j, coupling))).collect();
            lowest(&problem(30, &pairs, &[]))
        };
        near(complete(-2), -58.0, 1e-6);
        near(complete(2), -2.0, 1e-6);
        near(lowest(&problem(2, &[(0, 1, 5)], &[])), -5.0, 1e-6);
        assert_eq!(lowest(&problem(1, &[], &[7])), 0.0);
        assert!(lowest(&problem(50, &[], &[])).abs() < 1e-9);
    }

    #[test]
    fn strengths_are_sums_over_what_sites_feel() {
        let problem = problem(4, &[(0, 1, 3), (1, 2, -4)], &[0, 0, 0, 5]);
        assert!((root_mean_square(&problem) - (75.0_f64 / 4.0).sqrt()).abs() < 1e-12);
        assert_eq!(smallest(&problem), 3.0);
        assert!((gain(&problem) - 0.5 / (75.0_f64 / 4.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_problem_without_any_coupling_has_numbers_all_the_same() {
        let nothing = problem(3, &[], &[]);
        assert_eq!((root_mean_square(&nothing), smallest(&nothing)), (0.0, 1.0));
        assert!(gain(&nothing).is_finite());
    }
}
