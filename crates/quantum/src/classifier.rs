//! A support vector machine of two classes on a kernel that was computed before (C-SVC), solved by sequential minimal optimisation
//! with the second-order choice of pairs (Fan, Chen and Lin, Journal of Machine Learning Research 6, 2005), as LIBSVM does.

use crate::error::{Error, finite, sized, within};

/// A machine that has learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
    /// Of each training point: its weight times its class.
    weights: Vec<f64>,
    bias: f64,
}

/// Where the conditions of the optimum count as met.
const TOLERANCE: f64 = 1e-6;
/// In the place of a curvature that is not positive.
const FLAT: f64 = 1e-12;

impl Classifier {
    /// Learns from the kernel of all training points with each other and the class of each (`true` is the positive one). `cost` bounds
    /// the weight of a point.
    ///
    /// # Errors
    ///
    /// A kernel that is not square, not symmetric, not finite, or not of as many points as classes; one class alone; a cost that is not
    /// above 0.
    pub fn train(kernel: &[Vec<f64>], classes: &[bool], cost: f64) -> Result<Classifier, Error> {
        within(cost, "the cost", "above 0", cost > 0.0)?;
        sized(kernel.len(), classes.len(), "the kernel, in rows,")?;
        for (i, row) in kernel.iter().enumerate() {
            sized(row.len(), classes.len(), "a row of the kernel")?;
            for (j, &entry) in row.iter().enumerate() {
                finite(entry, "an entry of the kernel")?;
                let apart = (entry - kernel[j][i]).abs();
                within(apart, "what two entries of the kernel differ by", "0: it is symmetric", apart <= 1e-9)?;
            }
        }
        let positive = classes.iter().filter(|class| **class).count();
        let both = positive > 0 && positive < classes.len();
        within(positive as f64, "the number of positive points", "above 0 and below that of all points", both)?;
        Ok(solve(kernel, classes, cost))
    }

    /// What each row of a kernel says: above 0 is the positive class. A row has an entry for each training point.
    ///
    /// # Errors
    ///
    /// A row of another length.
    pub fn decide(&self, kernel: &[Vec<f64>]) -> Result<Vec<f64>, Error> {
        let one = |row: &Vec<f64>| {
            sized(row.len(), self.weights.len(), "a row of the kernel")?;
            Ok(row.iter().zip(&self.weights).map(|(entry, weight)| entry * weight).sum::<f64>() + self.bias)
        };
        kernel.iter().map(one).collect()
    }

    /// How many training points decide.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.weights.iter().filter(|weight| **weight != 0.0).count()
    }

    /// The part of these decisions that is right.
    ///
    /// # Errors
    ///
    /// Not as many classes as decisions.
    pub fn accuracy(decisions: &[f64], classes: &[bool]) -> Result<f64, Error> {
        sized(classes.len(), decisions.len(), "the list of classes")?;
        let right = decisions.iter().zip(classes).filter(|(decision, class)| (**decision > 0.0) == **class).count();
        Ok(right as f64 / decisions.len().max(1) as f64)
    }
}

/// Least 1/2 a' Q a - sum a, where Q_ij = y_i y_j K_ij, 0 <= a <= cost and y' a = 0.
fn solve(kernel: &[Vec<f64>], classes: &[bool], cost: f64) -> Classifier {
    let n = classes.len();
    let y: Vec<f64> = classes.iter().map(|&class| if class { 1.0 } else { -1.0 }).collect();
    let mut a = vec![0.0; n];
    let mut gradient = vec![-1.0; n];
    let up = |a: &[f64], i: usize| if y[i] > 0.0 { a[i] < cost } else { a[i] > 0.0 };
    let down = |a: &[f64], i: usize| if y[i] > 0.0 { a[i] > 0.0 } else { a[i] < cost };
    // It ends by the tolerance; the bound is for kernels that are not positive, as sampled ones may be.
    let most = 10_000_000_usize.max(100 * n) / n.max(1) + 1_000;
    for _ in 0..most {
        let steepest = |i: &usize| -y[*i] * gradient[*i];
        let Some(i) = (0..n).filter(|&i| up(&a, i)).max_by(|i, j| steepest(i).total_cmp(&steepest(j))) else { break };
        let ahead = steepest(&i);
        let curved = |j: usize| (kernel[i][i] + kernel[j][j] - 2.0 * kernel[i][j]).max(FLAT);
        let gain = |j: &usize| (ahead - steepest(j)).powi(2) / curved(*j);
        let worse = |j: &usize| down(&a, *j) && ahead - steepest(j) > TOLERANCE;
        let Some(j) = (0..n).filter(worse).max_by(|j, k| gain(j).total_cmp(&gain(k))) else { break };
        // Along the line on which y' a stays 0, as far as both bounds let it.
        let room = |k: usize, rises: bool| if rises { cost - a[k] } else { a[k] };
        let wanted = (ahead - steepest(&j)) / curved(j);
        let step = wanted.min(room(i, y[i] > 0.0)).min(room(j, y[j] < 0.0));
        for (k, sign) in [(i, 1.0), (j, -1.0)] {
            a[k] = (a[k] + sign * y[k] * step).clamp(0.0, cost);
        }
        for k in 0..n {
            gradient[k] += y[k] * step * (kernel[k][i] - kernel[k][j]);
        }
    }
    // Points within their bounds lie on the margin; without any, it lies between the two sides.
    let value = |i: usize| -y[i] * gradient[i];
    let free: Vec<usize> = (0..n).filter(|&i| a[i] > 0.0 && a[i] < cost).collect();
    let bias = if free.is_empty() {
        let highest = (0..n).filter(|&i| up(&a, i)).map(value).fold(f64::NEG_INFINITY, f64::max);
        let lowest = (0..n).filter(|&i| down(&a, i)).map(value).fold(f64::INFINITY, f64::min);
        f64::midpoint(highest, lowest)
    } else {
        free.iter().map(|&i| value(i)).sum::<f64>() / free.len() as f64
    };
    Classifier { weights: a.iter().zip(&y).map(|(a, y)| a * y).collect(), bias }
}
