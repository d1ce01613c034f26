//! What formulas say of a book, beside the scenarios.
//!
//! *Delta-normal*: the book as if it were linear, and returns normal: exact for small moves alone. *One asset*: where the value of the whole
//! book rises (or falls) with the price of its one asset, VaR is what is lost at one quantile of the price, exactly, and ES an integral over what is beyond it.

use super::book::{Book, DAYS};
use super::cholesky;
use super::normal;
use super::plan::{Job, NoPlan, Plan, Sampling, Term, worth};

/// What a formula says. Positive is lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closed {
    /// Value at risk.
    pub var: f64,
    /// Expected shortfall.
    pub es: f64,
}

/// Simpson's panels of an integral, and looks at whether a value rises.
const PANELS: usize = 4_000;
/// As far out as an integral goes: 10⁻¹⁹ is beyond.
const FAR: f64 = 9.0;

fn planned(book: &Book, horizon: f64) -> Result<Plan, NoPlan> {
    Plan::new(book, &Job { horizon, steps: 1, scenarios: 2, seed: 0, sampling: Sampling::Pseudo })
}

/// By deltas, volatilities, correlations and drifts. `horizon` is in trading days.
///
/// # Errors
/// [`NoPlan`].
pub fn delta_normal(book: &Book, horizon: f64, confidence: f64) -> Result<Closed, NoPlan> {
    // The plan's own terms are those at the horizon; deltas are those of now.
    let plan = planned(book, horizon)?;
    let mut deltas = plan.stock.clone();
    for option in &plan.options {
        if let Term::Lives { offset, spot, .. } = super::plan::now(book, option) {
            deltas[option.asset] += option.sign * spot * normal::below(option.sign * offset);
        }
    }
    let years = horizon / DAYS;
    let mean: f64 = deltas.iter().zip(book.assets()).map(|(delta, asset)| delta * asset.drift * years).sum();
    let factors = (0..deltas.len()).map(|factor| {
        let column = (factor..deltas.len()).map(|asset| plan.factor[cholesky::row(asset) + factor] * deltas[asset]);
        column.sum::<f64>()
    });
    let deviation = (factors.map(|sum| sum * sum).sum::<f64>() * years).sqrt();
    let at = normal::upper(1.0 - confidence);
    let es = deviation * normal::density(at) / (1.0 - confidence) - mean;
    Ok(Closed { var: deviation * at - mean, es })
}

/// Of a book on one asset, none of whose options expires before the horizon, and whose value at the horizon never falls (or never rises) with the price. Other
/// books have none. (That it never falls is looked at from place to place.)
///
/// # Errors
/// [`NoPlan`].
pub fn one_asset(book: &Book, horizon: f64, confidence: f64) -> Result<Option<Closed>, NoPlan> {
    let plan = planned(book, horizon)?;
    if plan.assets() != 1 || plan.times.len() != 1 {
        return Ok(None);
    }
    let loss = |z: f64| {
        let x = plan.drift[0] + plan.factor[0] * plan.roots[0] * z;
        let options = plan.options.iter().zip(plan.terms_at(0));
        let gained: f64 = options.map(|(option, term)| worth(term, option.sign, x) - option.now).sum();
        -(plan.stock[0] * x.exp_m1() + gained)
    };
    let step = 2.0 * FAR / PANELS as f64;
    let losses: Vec<f64> = (0..=PANELS).map(|place| loss(-FAR + step * place as f64)).collect();
    let never = |sign: f64| losses.windows(2).all(|two| sign * (two[1] - two[0]) <= 1e-12 * plan.gross);
    // Which way is worse: where the price is low, or where it is high.
    let side = match (never(1.0), never(-1.0)) {
        (true, _) => -1.0,
        (false, true) => 1.0,
        (false, false) => return Ok(None),
    };
    let at = normal::upper(1.0 - confidence);
    let step = (FAR - at) / PANELS as f64;
    let weighted = |place: usize| {
        let z = at + step * place as f64;
        let weight = match place {
            0 | PANELS => 1.0,
            odd if odd % 2 == 1 => 4.0,
            _ => 2.0,
        };
        weight * normal::density(z) * loss(side * z)
    };
    let integral = (0..=PANELS).map(weighted).sum::<f64>() * step / 3.0;
    Ok(Some(Closed { var: loss(side * at), es: integral / (1.0 - confidence) }))
}
