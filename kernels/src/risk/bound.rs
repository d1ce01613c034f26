//! How far a device that reckons in `f32` may be from the twin, scenario by scenario.
//!
//! It is a running error analysis (Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.3): along the twin's own numbers, each operation of the shader adds
//! what it may be off by, to the first order. Sums, differences and products are rounded once (`U`); quotients have 2.5 units in the last place, `exp` 3 + 2|x|, `log` 3 (away from
//! 1), `sqrt` those of `1 / inverseSqrt` (2 and 2.5), as WGSL (section 15.7.4) and Vulkan demand of every adapter. Tables are rounded to `f32` once. What is of second order is covered by
//! `SECOND`; a fused multiplication is only nearer.
//!
//! - *A normal number* (AS 241, PPND7) is off by 44 U of itself: 14 of the argument, 16 and 5 of a quotient of two polynomials with positive coefficients, 3 of the approximation, and a
//!   few more. In the centre, 26 are reckoned, and in the tail 40.
//! - *A probability* (Abramowitz and Stegun, 26.2.17) by [`probability`].
//! - *A return* off by `e` is another price: an option is off by its delta, which is never above 1, times that.
//! - *`d`* off by `e`, in both probabilities alike, changes the value by `spot (exp(spread e) - 1)` at most: the two densities weigh the same at the true `d` (it is why vega has one
//!   term). So a short life costs no precision.

use super::cholesky;
use super::plan::{Plan, Term, worth_at};
use super::{normal, twin};

/// A rounding in `f32`, of the number.
const U: f64 = 1.0 / (1 << 24) as f64;
/// A unit in the last place, at most.
const ULP: f64 = 2.0 * U;
/// What a normal number may be off by, of itself.
const NORMAL: f64 = 44.0 * U;
/// Products of errors.
const SECOND: f64 = 1.01;
/// What is too small for `f32`, of the gross value: numbers below 2⁻¹²⁶ may be taken for 0.
const FLUSHED: f64 = 1e-30;
/// Coefficients of Abramowitz and Stegun, 26.2.17, and the factor within.
const SERIES: [f64; 5] = [0.319_381_53, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
const WITHIN: f64 = 0.231_641_9;
/// What that is off by, with coefficients in `f32`; Abramowitz and Stegun have 7.5e-8.
const APPROXIMATED: f64 = 9e-8;

/// What a probability in `f32` may be off by.
#[must_use]
pub fn probability(d: f64) -> f64 {
    let d = d.abs();
    let t = 1.0 / (1.0 + WITHIN * d);
    let (mut size, mut slope, mut power) = (0.0, 0.0, 1.0);
    for (index, coefficient) in SERIES.iter().enumerate() {
        slope += (index + 1) as f64 * coefficient * power;
        power *= t;
        size += coefficient.abs() * power;
    }
    // A coefficient, and ten operations of Horner's; the quotient and what is below its line; the exponential, and its argument.
    let series = 11.0 * U * size + 8.0 * U * (t * slope).abs();
    let exponent = 0.5 * d * d;
    let density = (3.0 + 2.0 * exponent) * ULP + 4.0 * U * exponent + 3.0 * U;
    normal::density(d) * series + normal::below(-d) * density + U + APPROXIMATED
}

/// How far the losses of a scenario in `f32` may be from the twin's, at any of its times, in units of money.
#[must_use]
pub fn of(plan: &Plan, scenario: u32) -> f64 {
    let assets = plan.assets();
    let (mut drawn, mut walk, mut size) = (vec![0.0; assets], vec![0.0; assets], vec![0.0; assets]);
    let (mut most, mut settled) = (0.0_f64, Sum::default());
    for (time, root) in plan.roots.iter().enumerate() {
        twin::draw(plan, scenario, time, &mut drawn);
        for ((walk, size), drawn) in walk.iter_mut().zip(&mut size).zip(&drawn) {
            *walk += root * drawn;
            *size += (root * drawn).abs();
        }
        let mut kept = Sum::default();
        for asset in 0..assets {
            let row = &plan.factor[cholesky::row(asset)..=cholesky::row(asset) + asset];
            let drift = plan.drift[time * assets + asset];
            let x = drift + row.iter().zip(&walk).map(|(factor, walk)| factor * walk).sum::<f64>();
            let wide: f64 = row.iter().zip(&size).map(|(factor, size)| (factor * size).abs()).sum();
            let off = wide * (NORMAL + (time + asset + 8) as f64 * U) + 2.0 * U * drift.abs();
            let price = x.exp() * (SECOND * off + (3.0 + 2.0 * x.abs()) * ULP);
            let more = x.exp_m1();
            if plan.stock[asset] != 0.0 {
                kept.add(plan.stock[asset] * more, plan.stock[asset].abs() * (price + 3.0 * U * more.abs()));
            }
            for place in plan.of_asset[asset].clone() {
                let (option, term) = (&plan.options[place], &plan.terms_at(time)[place]);
                let change = worth_at(term, option.sign, x, x.exp()) - option.now;
                match term {
                    Term::Lives { .. } => kept.add(change, lives(term, option.now, change, x, price)),
                    Term::Expires { spot, strike } => {
                        let own = spot.abs() * (price + 4.0 * U * x.exp()) + 2.0 * U * strike.abs();
                        settled.add(change, own + U * (option.now.abs() + change.abs()));
                    }
                    Term::Gone => {}
                }
            }
        }
        most = most.max(kept.off() + settled.off() + U * (kept.size + settled.size));
    }
    SECOND * most + FLUSHED * plan.gross
}

/// What an option that lives may be off by.
fn lives(term: &Term, now: f64, change: f64, x: f64, price: f64) -> f64 {
    let Term::Lives { slope, offset, spread, spot, strike } = *term else { return 0.0 };
    let (grown, d) = (x.exp(), offset + slope * x);
    let of_d = U * (2.0 * (slope * x).abs() + offset.abs() + d.abs());
    let second = d - spread;
    let spot = spot.abs() * (price + grown * ((spread * of_d).exp_m1() + probability(d) + 4.0 * U));
    let strike = strike.abs() * (U * (0.4 * spread + 0.25) + probability(second) + 4.0 * U);
    spot + strike + U * (2.0 * now.abs() + 2.0 * change.abs())
}

/// Numbers that are added up one after the other.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: f64,
    size: f64,
    off: f64,
}

impl Sum {
    fn add(&mut self, value: f64, off: f64) {
        self.count += 1.0;
        self.size += value.abs();
        self.off += off;
    }

    fn off(&self) -> f64 {
        self.off + self.count * U * self.size
    }
}
