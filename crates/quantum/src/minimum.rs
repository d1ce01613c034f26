//! A smooth function's minimum: BFGS with a line search that asks for the weak Wolfe conditions (Nocedal and Wright, Numerical
//! Optimization, 2006, chapters 3 and 6; the search by doubling and halving is Lewis and Overton's, 2013).

/// Where the search ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// The point.
    pub at: Vec<f64>,
    /// The function's value there.
    pub value: f64,
    /// How often the function was asked.
    pub evaluations: usize,
}

/// Searches from `start` until the gradient is shorter than `tolerance`, no step helps, or after `iterations` steps. `function`
/// gives a value and its gradient. What is returned is never above the start.
pub fn minimum(
    start: &[f64],
    iterations: usize,
    tolerance: f64,
    mut function: impl FnMut(&[f64]) -> (f64, Vec<f64>),
) -> Minimum {
    let n = start.len();
    let (value, mut gradient) = function(start);
    let mut best = Minimum { at: start.to_vec(), value, evaluations: 1 };
    let mut inverse = identity(n);
    for _ in 0..iterations {
        if dot(&gradient, &gradient).sqrt() <= tolerance {
            break;
        }
        let mut direction: Vec<f64> = inverse.iter().map(|row| -dot(row, &gradient)).collect();
        if dot(&direction, &gradient) >= 0.0 {
            inverse = identity(n);
            direction = gradient.iter().map(|g| -g).collect();
        }
        let slope = dot(&direction, &gradient);
        let Some((step, value, new)) = search(&mut best, slope, &direction, &mut function) else { break };
        let moved: Vec<f64> = direction.iter().map(|d| step * d).collect();
        let change: Vec<f64> = new.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        best.at.iter_mut().zip(&moved).for_each(|(x, d)| *x += d);
        (best.value, gradient) = (value, new);
        update(&mut inverse, &moved, &change);
    }
    best
}

/// A step along `direction` that lowers the value enough, and its slope too; the value and the gradient there.
fn search(
    best: &mut Minimum,
    slope: f64,
    direction: &[f64],
    function: &mut impl FnMut(&[f64]) -> (f64, Vec<f64>),
) -> Option<(f64, f64, Vec<f64>)> {
    const ENOUGH: f64 = 1e-4;
    const FLATTER: f64 = 0.9;
    let (mut low, mut high, mut step) = (0.0, f64::INFINITY, 1.0);
    let mut lower = None;
    for _ in 0..40 {
        let at: Vec<f64> = best.at.iter().zip(direction).map(|(x, d)| x + step * d).collect();
        let (value, gradient) = function(&at);
        best.evaluations += 1;
        let fell = value <= best.value + ENOUGH * step * slope;
        if !fell || value.is_nan() {
            high = step;
        } else if dot(&gradient, direction) < FLATTER * slope {
            low = step;
            lower = Some((step, value, gradient));
        } else {
            return Some((step, value, gradient));
        }
        step = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * step };
    }
    lower
}

fn update(inverse: &mut [Vec<f64>], moved: &[f64], change: &[f64]) {
    let curvature = dot(moved, change);
    if curvature <= 1e-14 * dot(moved, moved).max(f64::MIN_POSITIVE) {
        return;
    }
    let turned: Vec<f64> = inverse.iter().map(|row| dot(row, change)).collect();
    let scale = (1.0 + dot(change, &turned) / curvature) / curvature;
    for (i, row) in inverse.iter_mut().enumerate() {
        for (j, x) in row.iter_mut().enumerate() {
            *x += scale * moved[i] * moved[j] - (turned[i] * moved[j] + moved[i] * turned[j]) / curvature;
        }
    }
}

fn identity(n: usize) -> Vec<Vec<f64>> {
    (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
