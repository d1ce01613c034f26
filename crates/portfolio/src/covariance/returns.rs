//! Rows of returns, and what they vary together.

use super::{CovarianceError, MOST_OBSERVATIONS};
use crate::universe::{MOST_NAMES, Universe, UniverseError};

/// How much older rows count.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Weighting {
    /// The last so many alike, around their own mean.
    Window(usize),
    /// Each half as much as the one so many rows later, around 0: over short times the mean of returns is lost in their noise.
    HalfLife(f64),
}

/// Rows of returns as far as they count.
#[derive(Clone, PartialEq, Debug)]
pub struct Returns {
    names: usize,
    kept: Kept,
    /// Rows that were added.
    added: u64,
}

#[derive(Clone, PartialEq, Debug)]
enum Kept {
    /// The rows of a window, and where the next one goes.
    Window { rows: Vec<f64>, most: usize, next: usize },
    /// Weighted sums: of `xx'`; of squared weights, with `xx'` and with `|x|⁴`. All are divided by the sum of weights only when they are
    /// asked for, so that the first rows count right.
    Fading { keep: f64, weight: f64, squared: f64, outer: Vec<f64>, outer_squared: Vec<f64>, fourth: f64 },
}

/// A covariance of returns over a step of the grid.
#[derive(Clone, PartialEq, Debug)]
pub struct Estimate {
    /// Row by row.
    pub covariance: Vec<f64>,
    /// From 0 (as observed) to 1 (the mean variance on the diagonal, nothing else).
    pub shrinkage: f64,
    /// How many rows it is of; of fading ones, as many as would say as much if they counted alike.
    pub observations: f64,
}

impl Returns {
    /// No rows yet, of so many names.
    ///
    /// # Errors
    /// [`CovarianceError::Names`]; a window that is not 2 to [`MOST_OBSERVATIONS`], or a half-life that is not above 0 and finite.
    pub fn new(names: usize, weighting: Weighting) -> Result<Returns, CovarianceError> {
        if names == 0 || names > MOST_NAMES {
            return Err(CovarianceError::Names(names));
        }
        let kept = match weighting {
            Weighting::Window(most) => {
                if !(2..=MOST_OBSERVATIONS).contains(&most) {
                    let (what, range) = ("the window", "2 to 100000 rows");
                    return Err(CovarianceError::Weighting { what, value: most as f64, range });
                }
                Kept::Window { rows: Vec::with_capacity(names * most), most, next: 0 }
            }
            Weighting::HalfLife(rows) => {
                if !(rows.is_finite() && rows > 0.0) {
                    let (what, range) = ("the half-life", "above 0 rows, and finite");
                    return Err(CovarianceError::Weighting { what, value: rows, range });
                }
                let (outer, outer_squared) = (vec![0.0; names * names], vec![0.0; names * names]);
                let keep = 0.5f64.powf(1.0 / rows);
                Kept::Fading { keep, weight: 0.0, squared: 0.0, outer, outer_squared, fourth: 0.0 }
            }
        };
        Ok(Returns { names, kept, added: 0 })
    }

    /// How many names.
    #[must_use]
    pub fn names(&self) -> usize {
        self.names
    }

    /// Rows that were added, whether they still count or not.
    #[must_use]
    pub fn added(&self) -> u64 {
        self.added
    }

    /// A row of log returns, one for each name.
    ///
    /// # Errors
    /// [`CovarianceError::Row`].
    pub fn add(&mut self, row: &[f64]) -> Result<(), CovarianceError> {
        let (is, must) = (row.iter().filter(|value| value.is_finite()).count(), self.names);
        if is != must || row.len() != must {
            return Err(CovarianceError::Row { is, must });
        }
        self.added += 1;
        match &mut self.kept {
            Kept::Window { rows, most, next } => {
                if rows.len() < *most * must {
                    rows.extend_from_slice(row);
                } else {
                    rows[*next * must..(*next + 1) * must].copy_from_slice(row);
                }
                *next = (*next + 1) % *most;
            }
            Kept::Fading { keep, weight, squared, outer, outer_squared, fourth } => {
                let keep_squared = *keep * *keep;
                *weight = *weight * *keep + 1.0;
                *squared = *squared * keep_squared + 1.0;
                let size: f64 = row.iter().map(|x| x * x).sum();
                *fourth = *fourth * keep_squared + size * size;
                for (i, x) in row.iter().enumerate() {
                    let at = i * must..(i + 1) * must;
                    let both = outer[at.clone()].iter_mut().zip(&mut outer_squared[at]);
                    for ((outer, squared), y) in both.zip(row) {
                        *outer = *outer * *keep + x * y;
                        *squared = *squared * keep_squared + x * y;
                    }
                }
            }
        }
        Ok(())
    }

    /// What the rows vary together, shrunk; `None` before the second row.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        if self.added < 2 {
            return None;
        }
        Some(match &self.kept {
            Kept::Window { rows, .. } => windowed(rows, self.names),
            Kept::Fading { weight, squared, outer, outer_squared, fourth, .. } => {
                let observed: Vec<f64> = outer.iter().map(|value| value / weight).collect();
                // Σ w² |xx' - S|², where the weights add up to 1.
                let crossed: f64 = outer_squared.iter().zip(&observed).map(|(a, b)| a * b).sum();
                let own: f64 = observed.iter().map(|value| value * value).sum();
                let noise = (fourth - 2.0 * crossed + squared * own) / (weight * weight);
                shrunk(observed, self.names, noise, weight * weight / squared)
            }
        })
    }
}

/// Rows that count alike.
fn windowed(rows: &[f64], names: usize) -> Estimate {
    let count = (rows.len() / names) as f64;
    let mut mean = vec![0.0; names];
    for row in rows.chunks_exact(names) {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / count);
    }
    let mut observed = vec![0.0; names * names];
    let mut fourth = 0.0;
    let mut apart = vec![0.0; names];
    for row in rows.chunks_exact(names) {
        apart.iter_mut().zip(row.iter().zip(&mean)).for_each(|(apart, (x, mean))| *apart = x - mean);
        let size: f64 = apart.iter().map(|x| x * x).sum();
        fourth += size * size;
        for (i, x) in apart.iter().enumerate() {
            // The lower half: the upper is the same.
            observed[i * names..=i * names + i].iter_mut().zip(&apart).for_each(|(sum, y)| *sum += x * y / count);
        }
    }
    for i in 0..names {
        for j in 0..i {
            observed[j * names + i] = observed[i * names + j];
        }
    }
    let own: f64 = observed.iter().map(|value| value * value).sum();
    // Σ |xx' - S|² / count², for S is the mean of the xx'.
    let noise = (fourth / count - own) / count;
    shrunk(observed, names, noise, count)
}

/// `(1 - s) S + s μ I`, where μ is the mean variance and `s` the part of the distance between the two that noise explains.
fn shrunk(mut observed: Vec<f64>, names: usize, noise: f64, observations: f64) -> Estimate {
    let mean = (0..names).map(|i| observed[i * (names + 1)]).sum::<f64>() / names as f64;
    let apart: f64 = observed
        .iter()
        .enumerate()
        .map(|(at, value)| if at % (names + 1) == 0 { value - mean } else { *value })
        .map(|value| value * value)
        .sum();
    let shrinkage = if apart > 0.0 { (noise / apart).clamp(0.0, 1.0) } else { 0.0 };
    for (at, value) in observed.iter_mut().enumerate() {
        *value *= 1.0 - shrinkage;
        if at % (names + 1) == 0 {
            *value += shrinkage * mean;
        }
    }
    Estimate { covariance: observed, shrinkage, observations }
}

impl Estimate {
    /// A universe of it, for a period of so many steps of the grid, with these mean returns of that period.
    ///
    /// # Errors
    /// What [`Universe::new`] says.
    pub fn universe(&self, names: Vec<String>, mean: Vec<f64>, steps: f64) -> Result<Universe, UniverseError> {
        Universe::new(names, mean, self.covariance.iter().map(|value| value * steps).collect())
    }
}
